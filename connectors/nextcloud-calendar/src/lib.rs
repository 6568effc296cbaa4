//! Keeps the programme in the members' calendar, on Nextcloud or any CalDAV server (RFC 4791, 5545,
//! 6578), and hears what members change there.
//!
//! One entry per activity, with a UID for life. Only our own properties are replaced; alarms, notes,
//! attendees and everything unknown keep their bytes. It refuses to write over what it has not read,
//! to touch an entry that is not ours, and to show a password a second time that was refused.

mod check;
mod config;
mod dav;
mod failure;
mod hands;
mod hook;
mod merge;
mod shown;
mod sink;
mod source;
mod words;

use std::sync::{Arc, Mutex};

use raccord_dav::Dav;
pub use raccord_ical as ical;
use raccord_kit::hook::Hook;
use raccord_kit::http::Target;
use raccord_kit::secret::SecretSource;
use raccord_kit::settings::{Gathered, settings};
use raccord_kit::{BoxFuture, Choice, Connector, Finding, Kit, Shared, Sink, Source, Tool};
use raccord_model::{Class, EntityKind, Failure, Handling, Manifest, Mode, Policy, Words};
use serde_json::Value;

use config::{Settings, Tasks};
use dav::Caldav;
use dav::discover::Account;
use source::Memory;

/// The connector, for the program's table.
pub const CONNECTOR: Connector = Connector {
    kind: KIND,
    version: env!("CARGO_PKG_VERSION"),
    card: include_str!("../connector.toml"),
    settings: raccord_kit::settings::Shape::of::<Settings>(),
    build,
};

const KIND: &str = "nextcloud-calendar";
/// A calendar is not read more often than this.
const OFTEN: std::time::Duration = std::time::Duration::from_secs(10);
/// A small server answers a few at a time.
const PARALLEL: u16 = 4;

fn build(value: Value, kit: &Kit) -> Result<Box<dyn Tool>, Vec<Finding>> {
    let settings: Settings = settings(value)?;
    let mut wrong = Gathered::default();
    if settings.every.get() < OFTEN {
        wrong.take::<()>("every", Err(failure::too_often()));
        return Err(wrong.findings());
    }
    let base = wrong.take("url", Target::configured("url", &settings.url));
    let file = settings.password_file.clone();
    let inline = settings.password.clone();
    let password = SecretSource::new("password", inline, file.as_deref(), kit);
    let file = settings.hook_secret_file.clone();
    let inline = settings.hook_secret.clone();
    let hook_secret = SecretSource::new("hook_secret", inline, file.as_deref(), kit);
    let hook_secret = wrong.take("hook_secret", hook_secret);
    let password = wrong.take("password", password);
    let server = base.zip(password).and_then(|(base, password)| {
        let server = Dav::new(failure::KEYS, base, &*settings.user, password, kit);
        wrong.take("", server)
    });
    match server.zip(hook_secret) {
        Some((server, hook_secret)) => Ok(Box::new(Calendars {
            dav: Caldav { server },
            hook_secret,
            kit: kit.clone(),
            settings,
            account: tokio::sync::Mutex::default(),
            making: tokio::sync::Mutex::default(),
            memory: Mutex::default(),
        })),
        None => Err(wrong.findings()),
    }
}

/// The calendars of one account.
struct Calendars {
    dav: Caldav,
    kit: Kit,
    settings: Settings,
    /// What the cloud shows when it calls.
    hook_secret: Option<SecretSource>,
    /// What was discovered, until something fails.
    account: tokio::sync::Mutex<Option<Arc<Account>>>,
    /// Held while a calendar is made.
    making: tokio::sync::Mutex<()>,
    memory: Mutex<Memory>,
}

impl Calendars {
    /// What the account sees; looked for once.
    async fn account(&self) -> Result<Arc<Account>, Failure> {
        let mut known = self.account.lock().await;
        if let Some(account) = &*known {
            return Ok(Arc::clone(account));
        }
        let account = Arc::new(self.dav.discover().await?);
        *known = Some(Arc::clone(&account));
        Ok(account)
    }

    async fn keep_account(&self, account: Account) -> Arc<Account> {
        let account = Arc::new(account);
        *self.account.lock().await = Some(Arc::clone(&account));
        account
    }

    async fn forget_account(&self) {
        *self.account.lock().await = None;
    }
}

impl Tool for Calendars {
    fn describe(&self) -> Manifest {
        let handling = |entity| Handling {
            entity,
            mode: Mode::Mirror,
            class: Class::Address,
            settle_s: 0,
            grace_s: 0,
            policy: Policy::NeverLost,
            read_back: true,
        };
        let mut handles = vec![handling(EntityKind::Activity)];
        if self.settings.tasks == Tasks::Todo {
            handles.push(handling(EntityKind::Task));
        }
        Manifest {
            kind: KIND.to_owned(),
            source: true,
            handles,
            parallel: PARALLEL,
            per_second: 0,
            rights: Words::new(
                "Un compte à lui, avec un mot de passe d’application, qui possède l’agenda et le partage avec les membres.",
                "An account of its own, with an app password, that owns the calendar and shares it with members.",
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
