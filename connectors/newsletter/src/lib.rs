//! The week's and the month's programme as a mail: to people who chose it here, or to a list that
//! another program keeps.
//!
//! A letter is prepared once, at its hour, and kept as the bytes that are sent; what differs from
//! reader to reader is filled into gaps. A mail cannot be looked for once it was handed over: one whose
//! answer was lost waits for a person, and is not sent again unasked.

mod bounce;
mod letter;
mod settings;
mod sink;

use raccord_kit::hook::Hook;
use raccord_kit::secret::SecretSource;
use raccord_kit::settings::{Gathered, Text, settings};
use raccord_kit::{
    BoxFuture, Choice, Connector, Finding, Kit, Level, SignIn, Sink, Source, Subscribing, Tool,
};
use raccord_look::Tint;
use raccord_mail::{Account, Draft, Letter, Mailbox, Pool, no_address};
use raccord_model::{
    Blame, Class, EntityKind, Failure, Handling, Manifest, Mode, Policy, Readers, Words,
};
use serde_json::Value;

use letter::{Links, Templates};
use settings::{Settings, System};

/// The connector, for the program's table.
pub const CONNECTOR: Connector = Connector {
    kind: KIND,
    version: env!("CARGO_PKG_VERSION"),
    card: include_str!("../connector.toml"),
    settings: raccord_kit::settings::Shape::of::<Settings>(),
    build,
};

const KIND: &str = "newsletter";
/// What servers of associations take.
const CONNECTIONS: u16 = 2;
const PER_SECOND: u16 = 5;
/// How long a letter can be stopped after it was prepared, in seconds.
const GRACE: i64 = 30 * 60;

fn build(value: Value, kit: &Kit) -> Result<Box<dyn Tool>, Vec<Finding>> {
    let settings: Settings = settings(value)?;
    let mut wrong = Gathered::default();
    let own = settings.system == System::Smtp;
    let account = Account {
        url: Some(settings.url.get()),
        from: Some(settings.from.get()),
        user: settings.user.map(Text::get),
        password: settings.password,
        password_file: settings.password_file,
        ca_file: settings.ca_file,
    };
    let account = account.open(kit, &mut wrong);
    let list = match (own, settings.list.map(Text::get)) {
        (true, None) => None,
        (true, Some(_)) => wrong.take("list", Err(list_is_ours())),
        (false, None) => wrong.take("list", Err(missing("list"))),
        (false, Some(list)) => {
            let list = Mailbox::new("", &list);
            wrong.take("list", list.map_err(|_| no_address("list")))
        }
    };
    if own && kit.place.public_url.is_empty() {
        wrong.take::<()>("url", Err(no_public_url()));
    }
    let file = settings.hook_secret_file.as_deref();
    let hook_secret = SecretSource::new("hook_secret", settings.hook_secret, file, kit);
    let hook_secret = wrong.take("hook_secret", hook_secret).flatten();
    let links = Links {
        pdf: settings.pdf.map(Text::get).unwrap_or_default(),
        calendar: settings.calendar.map(Text::get).unwrap_or_default(),
        hands: kit.has_hands,
        leave: own,
    };
    let tint: Tint = kit.colour.parse().unwrap_or_default();
    let templates = Templates::new(kit, &letter::sample(&kit.place, &links, &tint));
    let mut findings = wrong.findings();
    let templates = templates.map_err(|wrong| findings.extend(wrong)).ok();
    match (account, templates) {
        (Some((post, from)), Some(templates)) if findings.is_empty() => Ok(Box::new(Newsletter {
            kit: kit.clone(),
            pool: Pool::new(post),
            from,
            list,
            hook_secret,
            links,
            tint,
            templates,
            connections: settings
                .connections
                .map_or(CONNECTIONS, |many| many.get() as u16),
            per_second: settings
                .per_second
                .map_or(PER_SECOND, |many| many.get() as u16),
        })),
        _ => Err(findings),
    }
}

fn missing(key: &str) -> Failure {
    Failure::new(
        Blame::Data,
        "settings.missing",
        Words::new(
            format!("La clé « {key} » manque."),
            format!("The key “{key}” is missing."),
        ),
        Words::new(format!("Ajoutez « {key} »."), format!("Add “{key}”.")),
    )
}

fn list_is_ours() -> Failure {
    Failure::new(
        Blame::Data,
        "settings.superfluous",
        Words::new(
            "Avec system = \"smtp\", les gens s’abonnent sur la page /newsletter : la clé « list » ne sert à rien.",
            "With system = \"smtp\" people subscribe on the page /newsletter: the key “list” is of no use.",
        ),
        Words::new(
            "Retirez « list », ou écrivez system = \"mailing-list\".",
            "Take “list” away, or write system = \"mailing-list\".",
        ),
    )
}

fn no_public_url() -> Failure {
    Failure::new(
        Blame::Data,
        "newsletter.no-public-url",
        Words::new(
            "Chaque lettre porte un lien pour ne plus la recevoir : il faut l’adresse publique du lieu.",
            "Each letter bears a link to stop receiving it: that needs the place's public address.",
        ),
        Words::new(
            "Écrivez-la dans « public_url » de [web].",
            "Write it into “public_url” of [web].",
        ),
    )
}

/// A configured instance.
struct Newsletter {
    kit: Kit,
    pool: Pool,
    from: Mailbox,
    /// The list it posts to; none where the readers are ours.
    list: Option<Mailbox>,
    /// What the mail server shows when it tells of mail that came back.
    hook_secret: Option<SecretSource>,
    links: Links,
    tint: Tint,
    templates: Templates,
    connections: u16,
    per_second: u16,
}

impl Newsletter {
    async fn look(&self) -> Vec<Finding> {
        let mut findings = self.pool.post().check(&self.from).await;
        let address = &self.kit.place.public_url;
        if self.list.is_none() && !address.starts_with("https://") {
            findings.push(Finding {
                place: String::new(),
                code: "newsletter.not-https".to_owned(),
                level: Level::Warning,
                text: Words::new(
                    "Les messageries ne proposent leur bouton « se désabonner » que pour une adresse en https.",
                    "Mail programs offer their button “unsubscribe” for an https address only.",
                ),
                mend: Words::new(
                    "Mettez le lieu derrière https, puis écrivez cette adresse dans « public_url ».",
                    "Put the place behind https, then write that address into “public_url”.",
                ),
            });
        }
        findings
    }
}

impl Tool for Newsletter {
    fn describe(&self) -> Manifest {
        let readers = if self.list.is_some() {
            Readers::Theirs
        } else {
            Readers::Ours
        };
        Manifest {
            kind: KIND.to_owned(),
            source: false,
            handles: vec![Handling {
                entity: EntityKind::Activity,
                mode: Mode::Letter(readers),
                class: Class::Blind,
                settle_s: 0,
                grace_s: GRACE,
                policy: Policy::NeverTwice,
                read_back: false,
            }],
            parallel: self.connections,
            per_second: self.per_second,
            rights: rights(),
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
        Some(self)
    }

    fn hook(&self) -> Option<&dyn Hook> {
        let taken = self.list.is_none() && self.hook_secret.is_some();
        taken.then_some(self)
    }

    fn subscribing(&self) -> Option<&dyn Subscribing> {
        self.list.is_none().then_some(self)
    }
}

fn rights() -> Words {
    Words::new(
        "Un compte sur un serveur de courrier, qui peut écrire depuis l’adresse de « from » ; pour une liste, cette adresse doit pouvoir y écrire. Rien de plus.",
        "An account on a mail server that may write from the address of “from”; for a list, that address must be let through. Nothing more.",
    )
}

impl Subscribing for Newsletter {
    fn send_link<'a>(&'a self, link: &'a SignIn) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let to = Mailbox::new("", &link.email).map_err(|_| sink::formless())?;
            let (subject, text) = letter::confirmation(link, &self.kit.place.name);
            let letter = Letter::compose(&Draft {
                key: &link.key,
                from: &self.from,
                to: &to,
                subject: &subject,
                text: &text,
                lang: link.lang,
                date: link.at,
                follows: None,
            });
            let letter = letter.map_err(|_| sink::formless())?;
            self.pool.post().send(&letter).await
        })
    }
}
