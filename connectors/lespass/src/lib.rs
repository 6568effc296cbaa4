//! Keeps the programme in Lespass, TiBillet's booking (API v2 of July 2026, with the list of
//! reservations of v1 and the scanners' API): activities become events, tasks volunteer actions; who
//! signed up there and who came is known here.
//!
//! Lespass counts its places itself, so its word is a fact. It cannot change what it holds: an event
//! is deleted and made anew while nobody has registered, and once somebody has, a person is asked. It
//! refuses to delete what other people made, to touch what is over, and to believe what a webhook says.

#![allow(
    clippy::result_large_err,
    reason = "a Failure carries words for people; it is rare, and never on a fast path"
)]

mod api;
mod check;
mod failure;
mod hook;
mod people;
mod settings;
mod shown;
mod sink;
mod source;

use std::sync::{Mutex, PoisonError};

use raccord_kit::hook::Hook;
use raccord_kit::http::{Http, Target};
use raccord_kit::secret::SecretSource;
use raccord_kit::settings::{Gathered, settings};
use raccord_kit::{BoxFuture, Choice, Connector, Finding, Kit, Shared, Sink, Source, Tool};
use raccord_model::{Class, EntityKind, Failure, Handling, Manifest, Mode, Policy, Words};
use serde_json::Value;

use api::Api;
use settings::{Settings, Tasks};
use source::Memory;

/// The connector, for the program's table.
pub const CONNECTOR: Connector = Connector {
    kind: KIND,
    version: env!("CARGO_PKG_VERSION"),
    card: include_str!("../connector.toml"),
    settings: raccord_kit::settings::Shape::of::<Settings>(),
    build,
};

const KIND: &str = "lespass";
/// Reservations are not read more often than this: their list is whole each time.
const OFTEN: std::time::Duration = std::time::Duration::from_secs(30);
/// An event whose answer was lost is there or will not be after so long: the server gives a request up
/// before.
const SETTLE_S: i64 = 120;
/// An event is deleted and made in its turn: two at once gain nothing.
const PARALLEL: u16 = 1;
/// It has no limit of its own; we leave it room for people.
const PER_SECOND: u16 = 4;

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
    let mut secret = |key, inline: &Option<_>, file: &Option<std::path::PathBuf>| {
        let source = SecretSource::new(key, Option::clone(inline), file.as_deref(), kit);
        wrong.take(key, source)
    };
    let key = secret("key", &settings.key, &settings.key_file);
    let scan_key = secret("scan_key", &settings.scan_key, &settings.scan_key_file);
    let hook = secret(
        "hook_secret",
        &settings.hook_secret,
        &settings.hook_secret_file,
    );
    match (base, http, key, scan_key, hook) {
        (Some(base), Some(http), Some(key), Some(scan_key), Some(hook_secret)) => {
            Ok(Box::new(Lespass {
                api: Api::new(http, base, key, scan_key, std::sync::Arc::clone(&kit.clock)),
                kit: kit.clone(),
                hook_secret,
                settings,
                memory: Mutex::default(),
            }))
        }
        _ => Err(wrong.findings()),
    }
}

/// One place's Lespass.
struct Lespass {
    api: Api,
    kit: Kit,
    /// What Lespass shows when it calls.
    hook_secret: Option<SecretSource>,
    settings: Settings,
    memory: Mutex<Memory>,
}

impl Lespass {
    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tool for Lespass {
    fn describe(&self) -> Manifest {
        let handling = |entity| Handling {
            entity,
            mode: Mode::Mirror,
            class: Class::Find,
            settle_s: SETTLE_S,
            grace_s: 0,
            policy: Policy::NeverTwice,
            read_back: false,
        };
        let actions = self.settings.tasks == Tasks::Actions;
        let kinds = [EntityKind::Activity].into_iter();
        let kinds = kinds.chain(actions.then_some(EntityKind::Task));
        Manifest {
            kind: KIND.to_owned(),
            source: true,
            handles: kinds.map(handling).collect(),
            parallel: PARALLEL,
            per_second: PER_SECOND,
            rights: Words::new(
                "Une clé API avec les droits « évènement » et « réservation », d’un compte administrateur du lieu ; pour savoir qui est venu, la clé d’un scanner.",
                "An API key with the rights “event” and “reservation”, of an account that administers the place; to know who came, the key of a scanner.",
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

    fn hook(&self) -> Option<&dyn Hook> {
        self.hook_secret.as_ref().map(|_| self as &dyn Hook)
    }
}
