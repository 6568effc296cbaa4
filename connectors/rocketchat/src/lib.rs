//! Says the programme in rooms of Rocket.Chat, keeps what it said up to date, and hears what members
//! say there (REST API; servers 7 and later).
//!
//! A message has an id that follows from what it is about and from its room: said twice, it is there
//! once. It refuses to notify anybody, to read what it was not told to listen to, and to keep a
//! connection open: it asks, every few seconds, and after any gap from where it stopped.

mod api;
mod check;
mod failure;
mod message;
mod session;
mod settings;

use std::sync::Arc;

use raccord_kit::http::{Http, Target};
use raccord_kit::secret::SecretSource;
use raccord_kit::settings::{Gathered, settings};
use raccord_kit::{BoxFuture, Choice, Connector, Finding, Kit, Sink, Source, Tool};
use raccord_model::{Failure, Manifest, Words};
use serde_json::Value;

use api::Api;
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
/// How long a message of ours is at most, in UTF-16 units: what the server takes unless an
/// administrator changed it.
const LONGEST: usize = 5_000;

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
    match (base, http, wrong.take("token", token)) {
        (Some(base), Some(http), Some(token)) => {
            let user = settings.user_id.to_string();
            Ok(Box::new(RocketChat {
                api: Api::new(http, base, user, token, Arc::clone(&kit.clock)),
                kit: kit.clone(),
                settings,
                session: Session::default(),
            }))
        }
        _ => Err(wrong.findings()),
    }
}

/// One account on one server.
struct RocketChat {
    api: Api,
    kit: Kit,
    settings: Settings,
    session: Session,
}

impl Tool for RocketChat {
    fn describe(&self) -> Manifest {
        Manifest {
            kind: KIND.to_owned(),
            source: !self.settings.listen.is_empty(),
            handles: Vec::new(),
            parallel: PARALLEL,
            per_second: PER_SECOND,
            rights: Words::new(
                "Un compte avec le rôle « bot », membre des salons où il écrit.",
                "An account with the role “bot”, member of the rooms it writes to.",
            ),
        }
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        Box::pin(self.look())
    }

    fn choices(&self) -> BoxFuture<'_, Result<Vec<Choice>, Failure>> {
        Box::pin(self.pick())
    }

    fn source(&self) -> Option<&dyn Source> {
        None
    }

    fn sink(&self) -> Option<&dyn Sink> {
        None
    }
}
