//! The week's and the month's programme as a mail: to people who chose it here, or to a list that
//! another program keeps.
//!
//! A letter is prepared once, at its hour, and kept as the bytes that are sent; what differs from
//! reader to reader is filled into gaps. A mail cannot be looked for once it was handed over: one whose
//! answer was lost waits for a person, and is not sent again unasked. In listmonk a letter is a draft;
//! nothing is ever sent there by us.

mod bounce;
mod letter;
mod listmonk;
mod settings;
mod sink;

use raccord_kit::hook::Hook;
use raccord_kit::http::{Http, Target};
use raccord_kit::secret::SecretSource;
use raccord_kit::settings::{Gathered, Text, Whole, settings};
use raccord_kit::{
    BoxFuture, Choice, Connector, Finding, Kit, Level, SignIn, Sink, Source, Subscribing, Tool,
};
use raccord_look::Tint;
use raccord_mail::{Account, Draft, Letter, Mailbox, Once, Pool, no_address};
use raccord_model::{
    Blame, Class, EntityKind, Failure, Handling, Manifest, Mode, Policy, Readers, Words,
};
use serde_json::Value;

use letter::{Links, Templates};
use listmonk::Listmonk;
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
/// After so many seconds a list of campaigns without a draft proves that it was not made.
const SETTLE: i64 = 60;
/// The campaign template that shows a letter as it is, unless settings name another.
const TEMPLATE: &str = "Raccord";

fn build(value: Value, kit: &Kit) -> Result<Box<dyn Tool>, Vec<Finding>> {
    let settings: Settings = settings(value)?;
    let mut wrong = Gathered::default();
    let links = Links {
        pdf: settings.pdf.clone().map(Text::get).unwrap_or_default(),
        calendar: settings.calendar.clone().map(Text::get).unwrap_or_default(),
        hands: kit.has_hands,
        leave: settings.system != System::MailingList,
    };
    let file = settings.hook_secret_file.as_deref();
    let hook_secret = SecretSource::new("hook_secret", settings.hook_secret.clone(), file, kit);
    let hook_secret = wrong.take("hook_secret", hook_secret).flatten();
    let number = |said: Option<i64>, usual: u16| said.map_or(usual, |many| many as u16);
    let connections = number(settings.connections.map(Whole::get), CONNECTIONS);
    let per_second = number(settings.per_second.map(Whole::get), PER_SECOND);
    let way = if settings.system == System::Listmonk {
        listmonk(settings, kit, &mut wrong)
    } else {
        mail(settings, kit, &mut wrong)
    };
    let tint: Tint = kit.colour.parse().unwrap_or_default();
    let templates = Templates::new(kit, &letter::sample(&kit.place, &links, &tint));
    let mut findings = wrong.findings();
    let templates = templates.map_err(|wrong| findings.extend(wrong)).ok();
    match (way, templates) {
        (Some((way, from)), Some(templates)) if findings.is_empty() => Ok(Box::new(Newsletter {
            kit: kit.clone(),
            way,
            from,
            hook_secret,
            links,
            tint,
            templates,
            connections,
            per_second,
            once: Once::default(),
        })),
        _ => Err(findings),
    }
}

/// The way of letters that leave as mails.
fn mail(settings: Settings, kit: &Kit, wrong: &mut Gathered) -> Option<(Way, Mailbox)> {
    let own = settings.system == System::Smtp;
    let account = Account {
        url: Some(settings.url.get()),
        from: Some(settings.from.get()),
        user: settings.user.map(Text::get),
        password: settings.password,
        password_file: settings.password_file,
        ca_file: settings.ca_file,
    };
    let account = account.open(kit, wrong);
    let list = match (own, settings.list.map(Text::get)) {
        (true, None) => None,
        (true, Some(_)) => wrong.take("list", Err(list_is_ours())),
        (false, None) => wrong.take("list", Err(missing("list"))),
        (false, Some(list)) => {
            let list = Mailbox::new("", &list);
            wrong.take("list", list.map_err(|_| no_address("list")))
        }
    };
    if settings.campaign_template.is_some() {
        wrong.take::<()>("campaign_template", Err(template_is_listmonks()));
    }
    if own && kit.place.public_url.is_empty() {
        wrong.take::<()>("url", Err(no_public_url()));
    }
    let (post, from) = account?;
    let way = Way::Mail {
        pool: Box::new(Pool::new(post)),
        list,
    };
    Some((way, from))
}

/// The way of letters that become drafts.
fn listmonk(settings: Settings, kit: &Kit, wrong: &mut Gathered) -> Option<(Way, Mailbox)> {
    let written = settings.from.get();
    let from: Result<Mailbox, _> = written.parse();
    let from = wrong.take("from", from.map_err(|_| no_address("from")));
    let site = wrong.take("url", Target::configured("url", &settings.url.get()));
    let file = settings.password_file.as_deref();
    let token = SecretSource::new("password", settings.password, file, kit);
    let needed = |key: &'static str| move || missing(key);
    let token = token.and_then(|token| token.ok_or_else(needed("password_file")));
    let token = wrong.take("password_file", token);
    let user = settings.user.map(Text::get).ok_or_else(needed("user"));
    let user = wrong.take("user", user);
    let list = settings.list.map(Text::get).ok_or_else(needed("list"));
    let list = wrong.take("list", list);
    let http = wrong.take("url", Http::new(KIND, kit));
    let template = settings.campaign_template.map(Text::get);
    let from = from?;
    let way = listmonk::Way {
        site: site?,
        user: user?,
        token: token?,
        list: list?,
        template: template.unwrap_or_else(|| TEMPLATE.to_owned()),
        from: written,
    };
    let listmonk = Listmonk::new(http?, way, &from, kit);
    Some((Way::Listmonk(Box::new(listmonk)), from))
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

fn template_is_listmonks() -> Failure {
    Failure::new(
        Blame::Data,
        "settings.superfluous",
        Words::new(
            "La clé « campaign_template » nomme un modèle de listmonk : ici elle ne sert à rien.",
            "The key “campaign_template” names a template of listmonk: here it is of no use.",
        ),
        Words::new(
            "Retirez-la. Le modèle de la lettre se nomme sur la route (« template »).",
            "Take it away. The letter's template is named on the route (“template”).",
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
    way: Way,
    from: Mailbox,
    /// What the mail server shows when it tells of mail that came back.
    hook_secret: Option<SecretSource>,
    links: Links,
    tint: Tint,
    templates: Templates,
    connections: u16,
    per_second: u16,
    once: Once,
}

/// How letters leave.
enum Way {
    /// As mails.
    Mail {
        pool: Box<Pool>,
        /// The list it posts to; none where the readers are ours.
        list: Option<Mailbox>,
    },
    /// As drafts.
    Listmonk(Box<Listmonk>),
}

impl Newsletter {
    /// Where the readers are ours.
    fn own(&self) -> Option<&Pool> {
        match &self.way {
            Way::Mail { pool, list: None } => Some(pool),
            _ => None,
        }
    }

    async fn look(&self) -> Vec<Finding> {
        let mut findings = match &self.way {
            Way::Mail { pool, .. } => pool.post().check(&self.from).await,
            Way::Listmonk(listmonk) => listmonk.look().await,
        };
        let address = &self.kit.place.public_url;
        if self.own().is_some() && !address.starts_with("https://") {
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
        let (readers, class, settle_s, grace_s) = match &self.way {
            Way::Mail { list: None, .. } => (Readers::Ours, Class::Blind, 0, GRACE),
            Way::Mail { list: Some(_), .. } => (Readers::Theirs, Class::Blind, 0, GRACE),
            // A draft waits for a person anyhow.
            Way::Listmonk(_) => (Readers::Theirs, Class::Find, SETTLE, 0),
        };
        Manifest {
            kind: KIND.to_owned(),
            source: false,
            handles: vec![Handling {
                entity: EntityKind::Activity,
                mode: Mode::Letter(readers),
                class,
                settle_s,
                grace_s,
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
        Box::pin(async {
            match &self.way {
                Way::Mail { .. } => Ok(Vec::new()),
                Way::Listmonk(listmonk) => listmonk.pick().await,
            }
        })
    }

    fn source(&self) -> Option<&dyn Source> {
        None
    }

    fn sink(&self) -> Option<&dyn Sink> {
        Some(self)
    }

    fn hook(&self) -> Option<&dyn Hook> {
        let taken = self.own().is_some() && self.hook_secret.is_some();
        taken.then_some(self)
    }

    fn subscribing(&self) -> Option<&dyn Subscribing> {
        self.own().is_some().then_some(self)
    }
}

fn rights() -> Words {
    Words::new(
        "Un compte sur un serveur de courrier, qui peut écrire depuis l’adresse de « from » ; pour une liste, cette adresse doit pouvoir y écrire. Dans listmonk, un utilisateur de type « API » dont le rôle voit les listes, les campagnes et les modèles et gère les campagnes, sans le droit d’envoyer. Rien de plus.",
        "An account on a mail server that may write from the address of “from”; for a list, that address must be let through. In listmonk, a user of type “API” whose role sees lists, campaigns and templates and manages campaigns, without the right to send. Nothing more.",
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
            let pool = self.own().ok_or_else(sink::formless)?;
            pool.post().send(&letter).await
        })
    }
}
