//! Sign-up without another system. The pages are the program's own; what this connector brings is who
//! runs things, the links by which people sign in, and the mails that tell them how they stand.
//!
//! A mail cannot be looked for once it was handed over. One whose answer was lost waits for a person,
//! and is not sent again unasked. It refuses to write to people who signed up in another tool: that
//! one writes to them itself.

mod alone;
mod letters;
mod settings;
mod sink;

use std::collections::BTreeSet;

use raccord_kit::settings::{Gathered, Text, settings};
use raccord_kit::{
    BoxFuture, Choice, Connector, Finding, Kit, Level, SignIn, Sink, Source, Tool, Welcome,
};
use raccord_mail::{Account, Draft, Letter, Mailbox, Once, Post, no_address};
use raccord_model::{
    Blame, Class, EntityKind, Failure, Handling, Manifest, Mode, Policy, Way, Words,
};
use serde_json::Value;

use settings::Settings;

/// The connector, for the program's table.
pub const CONNECTOR: Connector = Connector {
    kind: KIND,
    version: env!("CARGO_PKG_VERSION"),
    card: include_str!("../connector.toml"),
    settings: raccord_kit::settings::Shape::of::<Settings>(),
    build,
};

const KIND: &str = "signup";
/// Servers of associations let few letters through at once.
const PARALLEL: u16 = 2;
const PER_SECOND: u16 = 5;

fn build(value: Value, kit: &Kit) -> Result<Box<dyn Tool>, Vec<Finding>> {
    let settings: Settings = settings(value)?;
    let mut wrong = Gathered::default();
    let organisers = settings.organisers.iter().cloned().map(Text::get);
    let organisers: BTreeSet<String> = organisers
        .filter_map(|address| {
            let read = address.parse::<Mailbox>();
            let read = wrong.take("organisers", read.map_err(|_| no_address("organisers")));
            Some(read?.address().to_lowercase())
        })
        .collect();
    let account = Account {
        url: settings.url.map(Text::get),
        from: settings.from.map(Text::get),
        user: settings.user.map(Text::get),
        password: settings.password,
        password_file: settings.password_file,
        ca_file: settings.ca_file,
    };
    let office = account
        .open(kit, &mut wrong)
        .map(|(post, from)| Office { post, from });
    let findings = wrong.findings();
    if findings.is_empty() {
        Ok(Box::new(Signup {
            kit: kit.clone(),
            office,
            organisers,
            once: Once::default(),
        }))
    } else {
        Err(findings)
    }
}

/// A mail server, and who writes.
struct Office {
    post: Post,
    from: Mailbox,
}

/// A configured instance.
struct Signup {
    kit: Kit,
    office: Option<Office>,
    organisers: BTreeSet<String>,
    once: Once,
}

impl Signup {
    fn office(&self) -> Result<&Office, Failure> {
        self.office.as_ref().ok_or_else(|| {
            Failure::new(
                Blame::Access,
                "signup.no-mail",
                no_mail_text(),
                no_mail_mend(),
            )
        })
    }

    async fn look(&self) -> Vec<Finding> {
        let Some(office) = &self.office else {
            return vec![Finding {
                place: String::new(),
                code: "signup.no-mail".to_owned(),
                level: Level::Warning,
                text: no_mail_text(),
                mend: no_mail_mend(),
            }];
        };
        let mut findings = Vec::new();
        if self.kit.place.public_url.is_empty() {
            findings.push(Finding {
                place: String::new(),
                code: "signup.no-public-url".to_owned(),
                level: Level::Error,
                text: Words::new(
                    "Les liens envoyés par courrier ont besoin de l’adresse publique du lieu.",
                    "The links sent by mail need the place's public address.",
                ),
                mend: Words::new(
                    "Écrivez-la dans « public_url » de [web].",
                    "Write it into “public_url” of [web].",
                ),
            });
        }
        findings.extend(office.post.check(&office.from).await);
        findings
    }
}

fn no_mail_text() -> Words {
    Words::new(
        "Sans serveur de courrier, personne ne peut entrer ni s’inscrire : les pages se regardent seulement.",
        "Without a mail server nobody can sign in or up: the pages can only be looked at.",
    )
}

fn no_mail_mend() -> Words {
    Words::new(
        "Ajoutez « url » et « from » à ce connecteur.",
        "Add “url” and “from” to this connector.",
    )
}

impl Tool for Signup {
    fn describe(&self) -> Manifest {
        let of = |entity, mode| Handling {
            entity,
            mode,
            class: Class::Blind,
            settle_s: 0,
            grace_s: 0,
            policy: Policy::NeverTwice,
            read_back: false,
        };
        Manifest {
            kind: KIND.to_owned(),
            source: false,
            handles: match self.office {
                Some(_) => vec![
                    of(EntityKind::Registration, Mode::Announce),
                    of(EntityKind::Person, Mode::Tell(Way::Mail)),
                ],
                None => Vec::new(),
            },
            parallel: PARALLEL,
            per_second: PER_SECOND,
            rights: Words::new(
                "Un compte sur un serveur de courrier, qui peut écrire depuis l’adresse de « from » ; rien de plus.",
                "An account on a mail server that may write from the address of “from”; nothing more.",
            ),
        }
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        Box::pin(self.look())
    }

    fn choices(&self) -> BoxFuture<'_, Result<Vec<Choice>, Failure>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn source(&self) -> Option<&dyn Source> {
        None
    }

    fn sink(&self) -> Option<&dyn Sink> {
        self.office.is_some().then_some(self)
    }

    fn welcome(&self) -> Option<&dyn Welcome> {
        Some(self)
    }
}

impl Welcome for Signup {
    fn is_organiser(&self, email: &str) -> bool {
        self.organisers.contains(&email.to_lowercase())
    }

    fn sends(&self) -> bool {
        self.office.is_some() && !self.kit.place.public_url.is_empty()
    }

    fn send_link<'a>(&'a self, link: &'a SignIn) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let office = self.office()?;
            let to = Mailbox::new("", &link.email).map_err(|_| sink::formless())?;
            let (subject, text) = letters::link(link, &self.kit.place.name);
            let letter = Letter::compose(&Draft {
                key: &link.key,
                from: &office.from,
                to: &to,
                subject: &subject,
                text: &text,
                lang: link.lang,
                date: link.at,
                follows: None,
            });
            office
                .post
                .send(&letter.map_err(|_| sink::formless())?)
                .await
        })
    }
}
