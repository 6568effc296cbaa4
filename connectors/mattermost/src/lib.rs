//! Says the programme in channels of Mattermost, keeps what it said up to date, and hears what members
//! say there (API version 4; servers 9.4 and later).
//!
//! A post of ours carries a key in its props, by which it is found again after a lost answer: the
//! server itself remembers a repeat for 30 seconds only, and its search does not look into props. It
//! refuses to notify anybody, to read what it was not told to listen to, and to keep a connection
//! open: it asks, every few seconds, and after any gap from where it stopped.

mod api;
mod check;
mod failure;
mod post;
mod session;
mod settings;

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

const KIND: &str = "mattermost";
/// A channel is not read more often than this.
const OFTEN: std::time::Duration = std::time::Duration::from_secs(2);
/// A server whose limit is switched on takes ten calls a second from one address; reading has its
/// share of them too.
const PER_SECOND: u16 = 8;
const PARALLEL: u16 = 4;
/// How many characters a message of ours has at most: servers whose database is old take no more.
const LONGEST: usize = 4_000;

fn build(value: Value, kit: &Kit) -> Result<Box<dyn Tool>, Vec<Finding>> {
    let settings: Settings = settings(value)?;
    let mut wrong = Gathered::default();
    if settings.every.get() < OFTEN {
        wrong.take::<()>("every", Err(failure::too_often()));
        return Err(wrong.findings());
    }
    let url = format!("{}/", settings.url.trim_end_matches('/'));
    let base = wrong.take("url", Target::configured("url", &url));
    let http = wrong.take("", Http::new(KIND, kit));
    let (inline, file) = (settings.token.clone(), settings.token_file.clone());
    let token = SecretSource::new("token", inline, file.as_deref(), kit);
    match (base, http, wrong.take("token", token)) {
        (Some(base), Some(http), Some(token)) => Ok(Box::new(Mattermost {
            api: Api::new(http, base, token),
            kit: kit.clone(),
            settings,
            session: Session::default(),
        })),
        _ => Err(wrong.findings()),
    }
}

/// One account on one server.
struct Mattermost {
    api: Api,
    kit: Kit,
    settings: Settings,
    session: Session,
}

impl Tool for Mattermost {
    fn describe(&self) -> Manifest {
        Manifest {
            kind: KIND.to_owned(),
            source: !self.settings.listen.is_empty(),
            handles: Vec::new(),
            parallel: PARALLEL,
            per_second: PER_SECOND,
            rights: Words::new(
                "Un compte de robot, membre de l’équipe et des canaux où il écrit ; aucun rôle de plus.",
                "A bot account, member of the team and of the channels it writes to; no further role.",
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
