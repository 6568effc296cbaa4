//! Keeps the programme of each month on a page of a wiki (MediaWiki, with a bot password).
//!
//! One page per month, with a part that is ours between two marks; what stands around it keeps its
//! bytes. Each edit is made over the revision that was read. It refuses to write over what somebody
//! changed between the marks, to make a page anew that somebody took away, and to delete one.

#![allow(
    clippy::result_large_err,
    reason = "a Failure carries words for people; it is rare, and never on a fast path"
)]

mod api;
mod check;
mod failure;
mod month;
mod page;
mod settings;
mod sink;

use raccord_kit::http::{Http, Target};
use raccord_kit::secret::SecretSource;
use raccord_kit::settings::{Gathered, settings};
use raccord_kit::{BoxFuture, Choice, Connector, Finding, Kit, Sink, Source, Tool};
use raccord_model::{Class, EntityKind, Failure, Handling, Manifest, Mode, Period, Policy, Words};
use serde_json::Value;

use api::Api;
use settings::Settings;

/// The connector, for the program's table.
pub const CONNECTOR: Connector = Connector {
    kind: KIND,
    version: env!("CARGO_PKG_VERSION"),
    card: include_str!("../connector.toml"),
    settings: raccord_kit::settings::Shape::of::<Settings>(),
    build,
};

const KIND: &str = "mediawiki";
/// Wikis ask for one request at a time.
const PARALLEL: u16 = 1;
/// A few pages a month.
const PER_SECOND: u16 = 2;

fn build(value: Value, kit: &Kit) -> Result<Box<dyn Tool>, Vec<Finding>> {
    let settings: Settings = settings(value)?;
    let mut wrong = Gathered::default();
    let site = wrong.take("url", Target::configured("url", &settings.url));
    let http = wrong.take("", Http::new(KIND, kit));
    let inline = settings.password.clone();
    let file = settings.password_file.clone();
    let password = SecretSource::new("password", inline, file.as_deref(), kit);
    let password = wrong.take("password", password);
    match (site, http, password) {
        (Some(site), Some(http), Some(password)) => {
            let user = (*settings.user).to_owned();
            let clock = std::sync::Arc::clone(&kit.clock);
            Ok(Box::new(Wiki {
                api: Api::new(http, site, user, password, clock),
                kit: kit.clone(),
                settings,
            }))
        }
        _ => Err(wrong.findings()),
    }
}

/// One wiki.
struct Wiki {
    api: Api,
    kit: Kit,
    settings: Settings,
}

impl Tool for Wiki {
    fn describe(&self) -> Manifest {
        Manifest {
            kind: KIND.to_owned(),
            source: false,
            handles: vec![Handling {
                entity: EntityKind::Activity,
                mode: Mode::Publication(Period::Month),
                class: Class::Address,
                settle_s: 0,
                grace_s: 0,
                policy: Policy::NeverLost,
                read_back: false,
            }],
            parallel: PARALLEL,
            per_second: PER_SECOND,
            rights: Words::new(
                "Un mot de passe de robot qui peut modifier et créer des pages, rien de plus.",
                "A bot password that may edit and create pages, nothing more.",
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
        Some(self)
    }
}
