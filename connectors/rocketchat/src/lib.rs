//! Says the programme in rooms of Rocket.Chat, keeps what it said up to date, and hears what members
//! say there (REST API; servers 7 and later).
//!
//! A message has an id that follows from what it is about and from its room: said twice, it is there
//! once. It refuses to notify anybody, to read what it was not told to listen to, and to believe what
//! the streams bring: that only says that there is something to read, from where it stopped.

mod api;
mod chat;
mod check;
mod failure;
mod hands;
mod hear;
mod hook;
mod live;
mod message;
mod session;
mod settings;

use std::sync::Arc;

use raccord_chat::live::Live;
use raccord_chat::templates::Templates;
use raccord_chat::{Manner, Speaker, handles};
use raccord_kit::hook::Hook;
use raccord_kit::http::{Http, Target};
use raccord_kit::secret::SecretSource;
use raccord_kit::settings::{Gathered, Text, settings};
use raccord_kit::{BoxFuture, Choice, Connector, Finding, Kit, Sink, Source, Tool};
use raccord_model::{Class, Failure, Manifest, Words};
use serde_json::Value;

use api::Api;
use hands::Hands;
use session::Session;
use settings::Settings;

/// The connector, for the program's table.
pub const CONNECTOR: Connector = Connector {
    kind: KIND,
    version: env!("CARGO_PKG_VERSION"),
    card: include_str!("../connector.toml"),
    settings: raccord_kit::settings::Shape::of::<Settings>(),
    build,
};

const KIND: &str = "rocketchat";
/// A room is not read more often than this.
const OFTEN: std::time::Duration = std::time::Duration::from_secs(2);
/// Nothing counts the calls of a bot; a small server should still have time for people.
const PER_SECOND: u16 = 10;
const PARALLEL: u16 = 4;

fn build(value: Value, kit: &Kit) -> Result<Box<dyn Tool>, Vec<Finding>> {
    let settings: Settings = settings(value)?;
    let mut wrong = Gathered::default();
    if settings.every.get() < OFTEN {
        wrong.take::<()>("every", Err(failure::too_frequent()));
        return Err(wrong.findings());
    }
    let url = format!("{}/", settings.url.trim_end_matches('/'));
    let base = wrong.take("url", Target::configured("url", &url));
    let http = wrong.take("", Http::new(KIND, kit));
    let (inline, file) = (settings.token.clone(), settings.token_file.clone());
    let token = SecretSource::new("token", inline, file.as_deref(), kit);
    let token = wrong.take("token", token);
    let (inline, file) = (
        settings.hook_secret.clone(),
        settings.hook_secret_file.clone(),
    );
    let hook_secret = SecretSource::new("hook_secret", inline, file.as_deref(), kit);
    let hook_secret = wrong.take("hook_secret", hook_secret);
    let mut findings = wrong.findings();
    let templates = Templates::new(kit).map_err(|wrong| findings.extend(wrong));
    match (base, http, token, hook_secret, templates) {
        (Some(base), Some(http), Some(token), Some(hook_secret), Ok(templates)) => {
            let manner = Manner {
                channel: settings.channel.clone().map(Text::get),
                month: settings.month.clone().map(Text::get),
                approvers: settings.approvers.iter().cloned().map(Text::get).collect(),
            };
            let user = settings.user_id.to_string();
            let account = RocketChat {
                api: Api::new(http, base, user, token, Arc::clone(&kit.clock)),
                kit: kit.clone(),
                hook_secret,
                settings,
                session: Session::default(),
                live: Live::new(&kit.name),
                hands: Hands::default(),
            };
            let speaker = Speaker::new(account, kit.clone(), manner, templates);
            Ok(Box::new(Instance(speaker)))
        }
        _ => Err(findings),
    }
}

/// An instance: it speaks, and listens where it is told to.
struct Instance(Speaker<RocketChat>);

impl Instance {
    fn account(&self) -> &RocketChat {
        self.0.chat()
    }
}

/// One account on one server.
struct RocketChat {
    api: Api,
    kit: Kit,
    /// The tokens of what calls us.
    hook_secret: Option<SecretSource>,
    settings: Settings,
    session: Session,
    live: Live,
    /// Who signed up by a reaction.
    hands: Hands,
}

impl Tool for Instance {
    fn describe(&self) -> Manifest {
        Manifest {
            kind: KIND.to_owned(),
            source: self.account().listens(),
            handles: handles(self.0.manner(), Class::Address, 0),
            parallel: PARALLEL,
            per_second: PER_SECOND,
            rights: Words::new(
                "Un compte avec le rôle « bot », membre des salons où il écrit.",
                "An account with the role “bot”, member of the rooms it writes to.",
            ),
        }
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        Box::pin(self.account().look())
    }

    fn choices(&self) -> BoxFuture<'_, Result<Vec<Choice>, Failure>> {
        Box::pin(self.account().pick())
    }

    fn source(&self) -> Option<&dyn Source> {
        self.account().listens().then_some(self)
    }

    fn sink(&self) -> Option<&dyn Sink> {
        Some(self)
    }

    fn hook(&self) -> Option<&dyn Hook> {
        let called = self.account().hook_secret.as_ref();
        called.map(|_| self as &dyn Hook)
    }
}
