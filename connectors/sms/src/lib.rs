//! Tells people by short message what concerns them and cannot wait: through the files of gammu-smsd
//! (1.42), or through a phone with SMS Gateway for Android (1.60), directly or by way of its server.
//!
//! A message has an id of ours: a file's name there, the id of a message here. After a lost answer it is
//! looked for by that, and a repeat is known. It refuses to send what can wait, more than `per_day`
//! messages a day, and anything to what is not surely a number. No number is ever told in a failure.

mod android;
mod check;
mod failure;
mod gammu;
mod gsm;
mod number;
mod settings;
mod sink;
mod texts;

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use raccord_kit::http::{Http, Target};
use raccord_kit::secret::SecretSource;
use raccord_kit::settings::{Gathered, Text, settings};
use raccord_kit::{BoxFuture, Choice, Connector, Finding, Kit, Numbers, Sink, Source, Tool};
use raccord_model::{Class, EntityKind, Failure, Handling, Manifest, Mode, Policy, Way, Words};
use serde_json::Value;

use android::Android;
use gammu::Gammu;
use settings::{Settings, System};

/// The connector, for the program's table.
pub const CONNECTOR: Connector = Connector {
    kind: KIND,
    version: env!("CARGO_PKG_VERSION"),
    card: include_str!("../connector.toml"),
    settings: raccord_kit::settings::Shape::of::<Settings>(),
    build,
};

const KIND: &str = "sms";
/// A modem sends one message in a few seconds, and some networks block whoever sends faster.
const PARALLEL: u16 = 1;
const PER_SECOND: u16 = 1;
/// A message whose answer was lost is known there, or will not be, after so long: the app and its
/// server give a call up before.
const SETTLE_S: i64 = 60;
/// An hour that is corrected right after is one message.
const GRACE_S: i64 = 300;

fn build(value: Value, kit: &Kit) -> Result<Box<dyn Tool>, Vec<Finding>> {
    let settings: Settings = settings(value)?;
    let mut wrong = Gathered::default();
    let country = settings.country.clone().map(Text::get);
    if country
        .as_deref()
        .is_some_and(|code| !number::is_calling_code(code))
    {
        wrong.take::<()>("country", Err(failure::no_country()));
    }
    let per_day = u64::try_from(settings.per_day.get()).unwrap_or_default();
    let carrier = match settings.system {
        System::Gammu => gammu_of(settings, kit, &mut wrong).map(Carrier::Gammu),
        System::Android => {
            let android = android_of(settings, kit, &mut wrong);
            android.map(|android| Carrier::Android(Box::new(android)))
        }
    };
    let findings = wrong.findings();
    match carrier {
        Some(carrier) if findings.is_empty() => Ok(Box::new(Sms {
            kit: kit.clone(),
            carrier,
            country,
            per_day,
            today: tokio::sync::Mutex::default(),
        })),
        _ => Err(findings),
    }
}

fn gammu_of(settings: Settings, kit: &Kit, wrong: &mut Gathered) -> Option<Gammu> {
    const SYSTEM: &str = "gammu";
    for (key, given) in [
        ("url", settings.url.is_some()),
        ("user", settings.user.is_some()),
        ("password", settings.password.is_some()),
        ("password_file", settings.password_file.is_some()),
        ("device", settings.device.is_some()),
    ] {
        if given {
            wrong.take::<()>(key, Err(failure::useless(key, SYSTEM)));
        }
    }
    let mut folder = |key: &str, path: Option<std::path::PathBuf>| {
        let path = path.ok_or_else(|| failure::needed(key, SYSTEM));
        wrong.take(key, path).map(|path| kit.path(path))
    };
    let outbox = folder("outbox", settings.outbox);
    let sent = folder("sent", settings.sent);
    let errors = folder("errors", settings.errors);
    let gammu = Gammu {
        outbox: outbox?,
        sent: sent?,
        errors: errors?,
    };
    if gammu.sent == gammu.outbox {
        wrong.take::<()>("sent", Err(failure::same_folder("sent")));
    }
    if gammu.errors == gammu.outbox || gammu.errors == gammu.sent {
        wrong.take::<()>("errors", Err(failure::same_folder("errors")));
    }
    Some(gammu)
}

fn android_of(settings: Settings, kit: &Kit, wrong: &mut Gathered) -> Option<Android> {
    const SYSTEM: &str = "android";
    for (key, given) in [
        ("outbox", settings.outbox.is_some()),
        ("sent", settings.sent.is_some()),
        ("errors", settings.errors.is_some()),
    ] {
        if given {
            wrong.take::<()>(key, Err(failure::useless(key, SYSTEM)));
        }
    }
    let url = settings.url.ok_or_else(|| failure::needed("url", SYSTEM));
    let base = wrong.take("url", url).and_then(|url| {
        let url = format!("{}/", url.trim_end_matches('/'));
        wrong.take("url", Target::configured("url", &url))
    });
    let user = settings.user.map(Text::get);
    let user = wrong.take("user", user.ok_or_else(|| failure::needed("user", SYSTEM)));
    let file = settings.password_file.as_deref();
    let password = SecretSource::new("password", settings.password, file, kit);
    let password = wrong.take("password", password);
    let http = wrong.take("", Http::new(KIND, kit));
    Some(Android::new(
        http?,
        base?,
        user?,
        password?,
        settings.device.map(Text::get),
        std::sync::Arc::clone(&kit.clock),
    ))
}

/// What sends.
enum Carrier {
    Gammu(Gammu),
    Android(Box<Android>),
}

/// What was handed over on a day: what the phone told of before, and what this process did since.
#[derive(Default)]
struct Today {
    day: Option<Date>,
    before: Option<u64>,
    ids: BTreeSet<String>,
}

impl Today {
    fn begin(&mut self, day: Date) {
        if self.day != Some(day) {
            *self = Self {
                day: Some(day),
                ..Self::default()
            };
        }
    }

    fn is_begun(&self) -> bool {
        self.before.is_some()
    }

    fn goes_on_from(&mut self, before: u64) {
        self.before = Some(before);
    }

    fn note(&mut self, id: &str) {
        self.ids.insert(id.to_owned());
    }

    fn has(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    fn count(&self) -> u64 {
        self.before.unwrap_or_default() + self.ids.len() as u64
    }
}

/// A configured instance.
struct Sms {
    kit: Kit,
    carrier: Carrier,
    country: Option<String>,
    per_day: u64,
    today: tokio::sync::Mutex<Today>,
}

impl Sms {
    fn zone(&self) -> jiff::tz::TimeZone {
        jiff::tz::TimeZone::get(&self.kit.place.zone).unwrap_or(jiff::tz::TimeZone::UTC)
    }

    /// The civil moment it is at the place.
    fn civil(&self) -> DateTime {
        self.zone().to_datetime(self.kit.clock.now())
    }

    fn today(&self) -> Date {
        self.civil().date()
    }

    /// The first moment of the day.
    fn midnight(&self) -> Timestamp {
        let midnight = self.today().to_datetime(jiff::civil::Time::midnight());
        let at = self.zone().to_ambiguous_timestamp(midnight).compatible();
        at.unwrap_or_else(|_| self.kit.clock.now())
    }
}

impl Tool for Sms {
    fn describe(&self) -> Manifest {
        Manifest {
            kind: KIND.to_owned(),
            source: false,
            handles: vec![Handling {
                entity: EntityKind::Person,
                mode: Mode::Tell(Way::Sms),
                class: Class::Find,
                settle_s: match self.carrier {
                    Carrier::Gammu(_) => 0,
                    Carrier::Android(_) => SETTLE_S,
                },
                grace_s: GRACE_S,
                policy: Policy::NeverTwice,
                read_back: false,
            }],
            parallel: PARALLEL,
            per_second: PER_SECOND,
            rights: Words::new(
                "Écrire dans le dossier d’envoi de gammu-smsd et lire les deux autres ; ou le nom et le mot de passe que montre l’application du téléphone.",
                "Writing into gammu-smsd's outbox and reading its two other folders; or the user and password that the phone's app shows.",
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
        Some(self)
    }

    fn numbers(&self) -> Option<&dyn Numbers> {
        Some(self)
    }
}
