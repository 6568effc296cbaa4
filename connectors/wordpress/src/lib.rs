//! Keeps the programme as posts of a WordPress site (its REST interface, application passwords), and
//! hears what people of the site make of them.
//!
//! One post per activity, with a part that is ours, told by a class that names the activity; what
//! stands around it keeps its bytes. It refuses to make anew what somebody took away, to publish what
//! was asked to be a draft, to delete what visitors saw, and to look for its posts by slug or by meta.

#![allow(
    clippy::result_large_err,
    reason = "a Failure carries words for people; it is rare, and never on a fast path"
)]

mod api;
mod base;
mod block;
mod check;
mod failure;
mod settings;
mod shown;
mod sink;
mod source;

use std::sync::Mutex;

use raccord_kit::http::{Http, Target};
use raccord_kit::secret::SecretSource;
use raccord_kit::settings::{Gathered, settings};
use raccord_kit::{BoxFuture, Choice, Connector, Finding, Kit, Shared, Sink, Source, Tool};
use raccord_model::{Class, EntityKind, Failure, Handling, Manifest, Mode, Policy, Words};
use serde_json::Value;

use api::Api;
use settings::Settings;
use source::Known;

/// The connector, for the program's table.
pub const CONNECTOR: Connector = Connector {
    kind: KIND,
    version: env!("CARGO_PKG_VERSION"),
    card: include_str!("../connector.toml"),
    settings: raccord_kit::settings::Shape::of::<Settings>(),
    build,
};

const KIND: &str = "wordpress";
/// A site is not asked more often than this.
const OFTEN: std::time::Duration = std::time::Duration::from_secs(30);
/// A post whose answer was lost is there or will not be after so long: PHP gives a request up before.
const SETTLE_S: i64 = 120;
/// A shared host answers one at a time.
const PARALLEL: u16 = 1;
/// It has no limit of its own; we leave it room for visitors.
const PER_SECOND: u16 = 4;

fn build(value: Value, kit: &Kit) -> Result<Box<dyn Tool>, Vec<Finding>> {
    let settings: Settings = settings(value)?;
    let mut wrong = Gathered::default();
    if settings.every.get() < OFTEN {
        wrong.take::<()>("every", Err(failure::too_often()));
        return Err(wrong.findings());
    }
    let url = format!("{}/", settings.url.trim_end_matches('/'));
    let site = wrong.take("url", Target::configured("url", &url));
    let http = wrong.take("", Http::new(KIND, kit));
    let inline = settings.password.clone();
    let file = settings.password_file.clone();
    let password = SecretSource::new("password", inline, file.as_deref(), kit);
    let password = wrong.take("password", password);
    match (site, http, password) {
        (Some(site), Some(http), Some(password)) => {
            let user = (*settings.user).to_owned();
            let clock = std::sync::Arc::clone(&kit.clock);
            Ok(Box::new(WordPress {
                api: Api::new(http, site, user, password, clock),
                kit: kit.clone(),
                settings,
                ours: Mutex::default(),
            }))
        }
        _ => Err(wrong.findings()),
    }
}

/// One site.
struct WordPress {
    api: Api,
    kit: Kit,
    settings: Settings,
    ours: Mutex<Known>,
}

impl Tool for WordPress {
    fn describe(&self) -> Manifest {
        Manifest {
            kind: KIND.to_owned(),
            source: true,
            handles: vec![Handling {
                entity: EntityKind::Activity,
                mode: Mode::Mirror,
                class: Class::Find,
                settle_s: SETTLE_S,
                grace_s: 0,
                policy: Policy::NeverTwice,
                read_back: true,
            }],
            parallel: PARALLEL,
            per_second: PER_SECOND,
            rights: Words::new(
                "Un compte à lui, rôle «\u{a0}Auteur\u{a0}», avec un mot de passe d’application.",
                "An account of its own, role “Author”, with an application password.",
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
        Some(self)
    }

    fn sink(&self) -> Option<&dyn Sink> {
        Some(self)
    }

    fn shared(&self) -> Option<&dyn Shared> {
        Some(self)
    }
}
