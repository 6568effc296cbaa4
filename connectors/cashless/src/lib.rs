//! Brings volunteer credits to where people spend them, each exactly once.
//!
//! `ledger` is Raccord's own ledger: a credit is there once it is entered, and nothing is called.
//! `lespass` credits a wallet of TiBillet. Its key makes a repeat harmless only while the first call
//! went well, so nothing is repeated before it was looked for in Fedow; what nobody can tell is asked.
//! It has no call that takes credits back: a person does that, or leaves them.

#![allow(
    clippy::result_large_err,
    reason = "a Failure carries words for people; it is rare, and never on a fast path"
)]

mod config;
mod failure;
mod lespass;
pub mod refill;
mod scans;
mod statement;

use std::collections::BTreeSet;
use std::sync::Mutex;

use raccord_kit::http::{Http, Target};
use raccord_kit::secret::SecretSource;
use raccord_kit::settings::{Gathered, settings};
use raccord_kit::{
    BoxFuture, Choice, Connector, Entry, Finding, Job, Kit, Made, Sink, Source, Till, Tool,
};
use raccord_model::{
    Applied, Class, Context, Difference, EntityKind, Failure, Found, Handling, Manifest, Mode,
    Movement, Policy, Rendered, Subject, Words,
};
use serde_json::Value;

use config::{Settings, System};
use lespass::{Fedow, Lespass};
use refill::{Wanted, sent, wanted};

/// The connector, for the program's table.
pub const CONNECTOR: Connector = Connector {
    kind: KIND,
    version: env!("CARGO_PKG_VERSION"),
    card: include_str!("../connector.toml"),
    settings: raccord_kit::settings::Shape::of::<Settings>(),
    build,
};

const KIND: &str = "cashless";
/// How long after a call a listing that lacks it proves that it was not made, in seconds: Lespass
/// gives up on Fedow after 30, and Fedow's writers wait for each other.
const SETTLE: i64 = 180;
/// Lespass has no limit of its own; tills and people come first.
const PER_SECOND: u16 = 4;

fn build(value: Value, kit: &Kit) -> Result<Box<dyn Tool>, Vec<Finding>> {
    let settings: Settings = settings(value)?;
    if settings.system == System::Ledger {
        return counted(settings);
    }
    let mut wrong = Gathered::default();
    if !settings.serves.is_empty() {
        wrong.take::<()>("serves", Err(failure::not_here("serves")));
    }
    if settings.spend_at.is_some() {
        wrong.take::<()>("spend_at", Err(failure::not_here("spend_at")));
    }
    let url = wrong.take("url", configured("url", settings.url.as_deref()));
    let url = url.and_then(|url| wrong.take("url", url.ok_or_else(|| failure::missing("url"))));
    let asset = settings.asset.map(|asset| asset.to_string());
    let asset = wrong.take("asset", asset.ok_or_else(|| failure::missing("asset")));
    let http = wrong.take("", Http::new(KIND, kit));
    let file = settings.key_file.as_deref();
    let secret = SecretSource::new("key", settings.key, file, kit);
    let secret = wrong.take("key", secret).and_then(|secret| {
        let given = secret.ok_or_else(|| failure::missing("key_file"));
        wrong.take("key_file", given)
    });
    let file = settings.fedow_key_file.as_deref();
    let theirs = SecretSource::new("fedow_key", settings.fedow_key, file, kit);
    let theirs = wrong.take("fedow_key", theirs).flatten();
    let fedow_url = configured("fedow_url", settings.fedow_url.as_deref());
    let fedow = match (wrong.take("fedow_url", fedow_url).flatten(), theirs) {
        (Some(url), Some(secret)) => Some(Fedow { url, secret }),
        (None, None) => None,
        (Some(_), None) => wrong.take("fedow_key_file", Err(failure::missing("fedow_key_file"))),
        (None, Some(_)) => wrong.take("fedow_url", Err(failure::missing("fedow_url"))),
    };
    let findings = wrong.findings();
    match (url, asset, http, secret) {
        (Some(url), Some(asset), Some(http), Some(secret)) if findings.is_empty() => {
            Ok(Box::new(Cashless::Lespass(Box::new(Lespass {
                http,
                kit: kit.clone(),
                url,
                secret,
                asset,
                fedow,
                begun: Mutex::default(),
                scans: Mutex::default(),
            }))))
        }
        _ => Err(findings),
    }
}

/// The place's own ledger, which calls nobody: what only another system needs is a mistake.
fn counted(settings: Settings) -> Result<Box<dyn Tool>, Vec<Finding>> {
    let mut wrong = Gathered::default();
    for (key, is_given) in [
        ("url", settings.url.is_some()),
        ("key", settings.key.is_some()),
        ("key_file", settings.key_file.is_some()),
        ("asset", settings.asset.is_some()),
        ("fedow_url", settings.fedow_url.is_some()),
        ("fedow_key", settings.fedow_key.is_some()),
        ("fedow_key_file", settings.fedow_key_file.is_some()),
    ] {
        if is_given {
            wrong.take::<()>(key, Err(failure::of_lespass(key)));
        }
    }
    let findings = wrong.findings();
    if findings.is_empty() {
        Ok(Box::new(Cashless::Ledger(Counter::of(settings))))
    } else {
        Err(findings)
    }
}

fn configured(key: &str, address: Option<&str>) -> Result<Option<Target>, Failure> {
    address
        .map(|address| Target::configured(key, address))
        .transpose()
}

/// A configured cashless system.
enum Cashless {
    Ledger(Counter),
    Lespass(Box<Lespass>),
}

/// The till of the place's own ledger.
struct Counter {
    serves: BTreeSet<String>,
    spend_at: String,
}

impl Counter {
    fn of(settings: Settings) -> Self {
        let serves = settings.serves.iter();
        Self {
            serves: serves.map(|email| email.trim().to_lowercase()).collect(),
            spend_at: settings
                .spend_at
                .map(|at| at.to_string())
                .unwrap_or_default(),
        }
    }
}

impl Till for Counter {
    fn serves(&self, email: &str) -> bool {
        self.serves.contains(&email.to_lowercase())
    }

    fn spend_at(&self) -> &str {
        &self.spend_at
    }
}

impl Lespass {
    fn wanted(&self, job: &Job) -> Result<Wanted, Failure> {
        match job {
            Job::Send { event, .. } if event.kind == EntityKind::Credit => {
                Ok(wanted(&self.kit.place.id, &self.asset, event))
            }
            _ => Err(failure::no_credit()),
        }
    }
}

impl Tool for Cashless {
    fn describe(&self) -> Manifest {
        let (class, settle_s, per_second, rights) = match self {
            Self::Ledger(_) => (
                Class::Address,
                0,
                0,
                Words::new(
                    "Aucun : le registre est celui de Raccord.",
                    "None: the ledger is Raccord’s own.",
                ),
            ),
            Self::Lespass(_) => (
                Class::Find,
                SETTLE,
                PER_SECOND,
                Words::new(
                    "Une clé d’API de Lespass avec une seule monnaie (« gift asset ») et aucun autre droit ; pour vérifier les réponses perdues, la clé du lieu dans Fedow.",
                    "An API key of Lespass with one asset (“gift asset”) and no other right; to verify lost answers, the place’s key for Fedow.",
                ),
            ),
        };
        Manifest {
            kind: KIND.to_owned(),
            source: false,
            handles: vec![Handling {
                entity: EntityKind::Credit,
                mode: Mode::Each,
                class,
                settle_s,
                grace_s: 0,
                policy: Policy::NeverTwice,
                read_back: false,
            }],
            // Fedow chains its transactions: two at once make one of them fail half-way.
            parallel: 1,
            per_second,
            rights,
        }
    }

    fn check(&self) -> BoxFuture<'_, Vec<Finding>> {
        Box::pin(async move {
            match self {
                Self::Ledger(_) => Vec::new(),
                Self::Lespass(lespass) => lespass.look().await,
            }
        })
    }

    fn choices(&self) -> BoxFuture<'_, Result<Vec<Choice>, Failure>> {
        Box::pin(async move {
            let Self::Lespass(lespass) = self else {
                return Ok(Vec::new());
            };
            let all = lespass.pick().await?.into_iter();
            Ok(all
                .map(|(value, title)| Choice {
                    key: "asset".to_owned(),
                    value,
                    title,
                })
                .collect())
        })
    }

    fn source(&self) -> Option<&dyn Source> {
        None
    }

    fn till(&self) -> Option<&dyn Till> {
        match self {
            Self::Ledger(counter) => Some(counter),
            Self::Lespass(_) => None,
        }
    }

    fn sink(&self) -> Option<&dyn Sink> {
        Some(self)
    }
}

impl Sink for Cashless {
    fn target(&self) -> String {
        match self {
            Self::Ledger(_) => String::new(),
            Self::Lespass(lespass) => format!("{} {}", lespass.url.url(), lespass.asset),
        }
    }

    fn render(&self, _: Subject<'_>, _: &Context<'_>) -> Rendered {
        // A wallet holds no objects: it is told what changes.
        Rendered::Nothing
    }

    fn compare<'a>(
        &'a self,
        entries: &'a [Entry],
    ) -> BoxFuture<'a, Result<Option<Vec<Difference>>, Failure>> {
        Box::pin(async move {
            let Self::Lespass(lespass) = self else {
                return Ok(None);
            };
            let place = &lespass.kit.place.id;
            let all: Vec<_> = entries
                .iter()
                .filter_map(|entry| Some((sent(place, &lespass.asset, &entry.event)?, entry.done)))
                .collect();
            let known_as = entries.iter().filter_map(|entry| {
                let key = sent(place, &lespass.asset, &entry.event)?.key;
                let reason = entry.event.data.get("reason").and_then(Value::as_str);
                Some((key, (entry.event.entity, reason.unwrap_or_default())))
            });
            lespass.compare(&all, &known_as.collect()).await
        })
    }

    fn wallet<'a>(
        &'a self,
        entries: &'a [Entry],
    ) -> BoxFuture<'a, Result<Option<Vec<Movement>>, Failure>> {
        Box::pin(async move {
            let Self::Lespass(lespass) = self else {
                return Ok(None);
            };
            let ours = entries.iter().filter_map(|entry| {
                let key = sent(&lespass.kit.place.id, &lespass.asset, &entry.event)?.key;
                let reason = entry.event.data.get("reason").and_then(Value::as_str);
                Some((key, reason.unwrap_or_default()))
            });
            lespass.wallet(&ours.collect()).await
        })
    }

    fn by_hand(&self, job: &Job) -> Option<Words> {
        let (Self::Lespass(lespass), Job::Send { event, .. }) = (self, job) else {
            return None;
        };
        if lespass.wanted(job) != Ok(Wanted::TakeBack) {
            return None;
        }
        let text = |name: &str| event.data.get(name).and_then(Value::as_str).unwrap_or("?");
        let amount = event.data.get("amount").and_then(Value::as_i64);
        Some(failure::by_hand(
            amount.unwrap_or(0),
            text("reason"),
            text("person"),
        ))
    }

    fn find<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Found, Failure>> {
        Box::pin(async move {
            let Self::Lespass(lespass) = self else {
                return Ok(Found::Yes(Applied::default()));
            };
            match lespass.wanted(job)? {
                Wanted::Refill(refill) => lespass.find(&refill).await,
                // Nothing was ever called for it.
                _ => Ok(Found::No {
                    listed: lespass.kit.clock.now(),
                }),
            }
        })
    }

    fn apply<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Made, Failure>> {
        Box::pin(async move {
            let Self::Lespass(lespass) = self else {
                return Ok(Applied::default().into());
            };
            match lespass.wanted(job)? {
                Wanted::Nothing => Ok(Applied::default().into()),
                Wanted::Refill(refill) => {
                    if let Job::Send { event, .. } = job {
                        lespass.is_not_paid(&refill, event).await?;
                    }
                    lespass.refill(&refill).await.map(Made::from)
                }
                Wanted::NoAddress => Err(failure::no_address()),
                Wanted::TooMuch => Err(failure::too_much()),
                Wanted::TakeBack | Wanted::Unreadable => Err(failure::no_credit()),
            }
        })
    }
}
