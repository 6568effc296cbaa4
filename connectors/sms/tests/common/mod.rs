//! A phone with SMS Gateway for Android, or its server, and a gammu-smsd, that behave as their sources
//! say, surprises included; and what tests do with them.

#![allow(
    dead_code,
    clippy::struct_excessive_bools,
    clippy::unwrap_used,
    reason = "tests use what they need of it"
)]

pub(crate) mod phone;
pub(crate) mod quirks;
pub(crate) mod spool;

use std::sync::Arc;

use raccord_connector_sms::CONNECTOR;
use raccord_kit::standin::Standin;
use raccord_kit::testing::{NOON, kit};
use raccord_kit::{Job, Kit, Made, ManualClock, Tool};
use raccord_model::{
    Context, Desired, Entity, EntityId, EntityKind, Failure, Found, Lang, Rendered, Saying, Subject,
};
use serde_json::{Value, json};

use phone::{PASSWORD, Phone};
use quirks::Quirk;

pub(crate) const NUMBER: &str = "+262692123456";

pub(crate) fn settings(url: &str) -> Value {
    json!({ "system": "android", "url": url, "user": "sms", "password": PASSWORD, "country": "+262" })
}

pub(crate) fn entity(kind: EntityKind, n: u8, fields: &Value) -> Entity {
    Entity {
        id: EntityId::derive(&[&[n]]),
        kind,
        revision: 1,
        source: "raccord".to_owned(),
        fields: serde_json::from_value(fields.clone()).unwrap(),
    }
}

pub(crate) fn activity(n: u8, more: &Value) -> Entity {
    let mut fields = json!({
        "title": "Concert de jazz", "start": "2027-01-16T20:30", "room": "Cour", "status": "confirmed",
    });
    for (name, value) in more.as_object().unwrap() {
        fields[name] = value.clone();
    }
    entity(EntityKind::Activity, n, &fields)
}

/// A connector that is pointed at something.
pub(crate) struct Bench {
    pub(crate) kit: Kit,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) tool: Box<dyn Tool>,
    settings: Value,
}

impl Bench {
    pub(crate) fn new(settings: Value) -> Self {
        let clock = Arc::new(ManualClock::at(NOON));
        let mut kit = kit();
        kit.clock = clock.clone();
        "https://lieu.example.org".clone_into(&mut kit.place.public_url);
        let tool = (CONNECTOR.build)(settings.clone(), &kit).unwrap();
        Self {
            kit,
            clock,
            tool,
            settings,
        }
    }

    /// The same connector in a new process.
    pub(crate) fn restart(&mut self) {
        self.tool = (CONNECTOR.build)(self.settings.clone(), &self.kit).unwrap();
    }

    pub(crate) fn context(&self, lang: Lang) -> Context<'_> {
        Context {
            place: &self.kit.place,
            lang,
            today: jiff::civil::date(2027, 1, 2),
            route: None,
        }
    }

    /// The reminder of an activity.
    pub(crate) fn desired(&self, to: &str, activity: &Entity) -> Desired {
        let saying = Saying::Reminder {
            to,
            name: "Ana",
            subject: activity,
            activity: None,
        };
        self.say(activity.id, saying, Lang::Fr).unwrap()
    }

    pub(crate) fn say(&self, id: EntityId, saying: Saying<'_>, lang: Lang) -> Option<Desired> {
        let subject = Subject::Saying { id, saying };
        match self
            .tool
            .sink()
            .unwrap()
            .render(subject, &self.context(lang))
        {
            Rendered::Object(desired) => Some(desired),
            Rendered::Nothing => None,
        }
    }

    pub(crate) fn job(&self, to: &str, n: u8) -> Job {
        let activity = activity(n, &json!({}));
        Job::Write {
            entity: activity.id,
            desired: self.desired(to, &activity),
            link: None,
        }
    }

    pub(crate) async fn send_to(&self, to: &str, n: u8) -> Result<Made, Failure> {
        self.tool.sink().unwrap().apply(&self.job(to, n)).await
    }

    pub(crate) async fn send(&self, n: u8) -> Result<Made, Failure> {
        self.send_to(NUMBER, n).await
    }

    pub(crate) async fn find(&self, n: u8) -> Found {
        let job = self.job(NUMBER, n);
        self.tool.sink().unwrap().find(&job).await.unwrap()
    }

    /// The id of a message.
    pub(crate) fn id(&self, n: u8) -> String {
        let Job::Write { desired, .. } = self.job(NUMBER, n) else {
            unreachable!("a message is written");
        };
        desired.body["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.advance(jiff::SignedDuration::from_secs(seconds));
    }
}

/// A phone, its stand-in, and a connector that is pointed at it.
pub(crate) struct Stage {
    pub(crate) phone: Phone,
    pub(crate) standin: Arc<Standin>,
    pub(crate) bench: Bench,
}

impl std::ops::Deref for Stage {
    type Target = Bench;
    fn deref(&self) -> &Bench {
        &self.bench
    }
}

impl Stage {
    pub(crate) async fn open() -> Self {
        Self::with(None, |_| {}).await
    }

    pub(crate) async fn with(lost: Option<Quirk>, change: impl FnOnce(&mut Value)) -> Self {
        let standin = Arc::new(Standin::start().await);
        let mut settings = settings(&standin.url("/"));
        change(&mut settings);
        let bench = Bench::new(settings);
        let phone = Phone::new(bench.clock.clone(), lost);
        let behind = phone.clone();
        standin.direct(move |seen| behind.answer(seen));
        Self {
            phone,
            standin,
            bench,
        }
    }
}
