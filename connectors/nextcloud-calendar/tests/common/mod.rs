//! A Nextcloud that behaves as the recordings of 32.0.1 say, surprises included, and what tests do
//! with it.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "tests use what they need of it"
)]

pub(crate) mod cloud;

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use raccord_connector_nextcloud_calendar::CONNECTOR;
use raccord_kit::standin::Standin;
use raccord_kit::testing::{NOON, kit};
use raccord_kit::{Job, Kit, Made, ManualClock, Tool};
use raccord_model::{
    Context, Desired, Entity, EntityId, EntityKind, Failure, Fields, Hands, Lang, Link,
    Observation, Place, Reading, Rendered, Route, Subject,
};
use serde_json::{Value, json};

use cloud::Cloud;

pub(crate) const PASSWORD: &str = "app-password-canary";

/// A cloud, its stand-in, and a connector that is pointed at it.
pub(crate) struct Stage {
    pub(crate) standin: Standin,
    pub(crate) cloud: Cloud,
    pub(crate) kit: Kit,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) tool: Box<dyn Tool>,
    /// What is to be done for whatever activity is written.
    pub(crate) tasks: Mutex<Vec<Hands>>,
}

pub(crate) fn place() -> Place {
    kit().place
}

pub(crate) fn settings(url: &str) -> Value {
    json!({ "url": url, "user": "raccord", "password": PASSWORD, "calendar": "programme" })
}

impl Stage {
    pub(crate) async fn open() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Value)) -> Self {
        let standin = Standin::start().await;
        let cloud = Cloud::new(PASSWORD);
        let stage = cloud.clone();
        standin.direct(move |seen| stage.answer(seen));
        let clock = Arc::new(ManualClock::at(NOON));
        let mut kit = kit();
        kit.clock = clock.clone();
        let mut settings = settings(&standin.url("/"));
        change(&mut settings);
        let tool = (CONNECTOR.build)(settings, &kit).unwrap_or_else(|wrong| panic!("{wrong:?}"));
        Self {
            standin,
            cloud,
            kit,
            clock,
            tool,
            tasks: Mutex::default(),
        }
    }

    /// The same connector in a new process.
    pub(crate) fn restart(&mut self) {
        let settings = settings(&self.standin.url("/"));
        self.tool = (CONNECTOR.build)(settings, &self.kit).unwrap();
    }

    pub(crate) async fn write(&self, entity: &Entity, link: Option<Link>) -> Result<Made, Failure> {
        self.write_by(entity, link, None).await
    }

    pub(crate) async fn write_by(
        &self,
        entity: &Entity,
        link: Option<Link>,
        route: Option<&Route>,
    ) -> Result<Made, Failure> {
        let desired = self.desired(entity, route).unwrap();
        let job = Job::Write {
            entity: entity.id,
            desired,
            link,
        };
        self.tool.sink().unwrap().apply(&job).await
    }

    pub(crate) fn desired(&self, entity: &Entity, route: Option<&Route>) -> Option<Desired> {
        with_tasks(&*self.tool, entity, &self.tasks.lock().unwrap(), route)
    }

    /// Writes it, and gives the link to it.
    pub(crate) async fn put(&self, entity: &Entity, link: Option<Link>) -> Link {
        let made = self.write(entity, link).await.unwrap();
        self.link(entity, made)
    }

    pub(crate) fn link(&self, entity: &Entity, made: Made) -> Link {
        Link {
            external: made.applied.external,
            tag: made.applied.tag,
            hash: self.desired(entity, None).unwrap().hash,
            revision: entity.revision,
            url: None,
        }
    }

    pub(crate) async fn remove(&self, entity: &Entity, link: &Link) -> Result<Made, Failure> {
        let job = Job::Remove {
            entity: entity.id,
            link: link.clone(),
        };
        self.tool.sink().unwrap().apply(&job).await
    }

    /// Reads the calendars; `ours` is what the log links.
    pub(crate) async fn read(
        &self,
        cursor: Option<&str>,
        ours: &[(EntityId, Link)],
    ) -> Result<Observation, Failure> {
        self.tool.shared().unwrap().ours(ours.to_vec());
        self.tool.source().unwrap().observe(cursor).await
    }

    pub(crate) async fn reading(&self, cursor: Option<&str>, ours: &[(EntityId, Link)]) -> Reading {
        match self.read(cursor, ours).await.unwrap() {
            Observation::Complete(reading) => reading,
            other => panic!("{other:?}"),
        }
    }

    /// What a reading says members made of ours.
    pub(crate) async fn edits(
        &self,
        cursor: Option<&str>,
        ours: &[(EntityId, Link)],
    ) -> Vec<Fields> {
        let reading = self.reading(cursor, ours).await;
        reading.edits.into_iter().map(|edit| edit.fields).collect()
    }
}

pub(crate) fn desired(tool: &dyn Tool, entity: &Entity, route: Option<&Route>) -> Option<Desired> {
    with_tasks(tool, entity, &[], route)
}

/// The same, of an activity that has these tasks.
pub(crate) fn with_tasks(
    tool: &dyn Tool,
    entity: &Entity,
    tasks: &[Hands],
    route: Option<&Route>,
) -> Option<Desired> {
    let place = place();
    let context = Context {
        place: &place,
        lang: Lang::Fr,
        today: jiff::civil::date(2026, 12, 20),
        route,
    };
    let subject = Subject::Entity {
        entity,
        parent: None,
        tasks,
    };
    match tool.sink().unwrap().render(subject, &context) {
        Rendered::Object(desired) => Some(desired),
        Rendered::Nothing => None,
    }
}

pub(crate) fn activity(number: usize, fields: Value) -> Entity {
    let mut all: Fields = serde_json::from_value(json!({
        "title": format!("Concert {number}"),
        "start": "2027-01-02T20:00",
        "end": "2027-01-02T22:00",
        "zone": "Europe/Paris",
        "room": "Grande salle",
    }))
    .unwrap();
    let fields: Fields = serde_json::from_value(fields).unwrap();
    all.extend(fields);
    all.retain(|_, value| !value.is_null());
    Entity {
        id: EntityId::derive(&[b"calendar", number.to_string().as_bytes()]),
        kind: EntityKind::Activity,
        revision: 1,
        source: "programme-sheet".to_owned(),
        fields: all,
    }
}

/// A task of so many places, of which some are taken.
pub(crate) fn hands(title: &str, capacity: u64, taken: u64) -> Hands {
    let mut task = activity(
        0,
        json!({ "capacity": capacity, "title": title, "start": null }),
    );
    task.kind = EntityKind::Task;
    Hands { task, taken }
}

pub(crate) fn concert() -> Entity {
    activity(1, json!({}))
}

pub(crate) fn noon() -> Timestamp {
    NOON
}
