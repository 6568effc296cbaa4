//! A WordPress that behaves as Debian's 6.1.9 was seen to, surprises included, and what tests do
//! with it.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "tests use what they need of it"
)]

pub(crate) mod quirks;
pub(crate) mod server;

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use http::{HeaderName, Method};
use raccord_connector_wordpress::CONNECTOR;
use raccord_kit::http::{Http, Request, Target};
use raccord_kit::standin::Standin;
use raccord_kit::testing::{Bench, NOON, entity, kit};
use raccord_kit::{Job, Made, ManualClock};
use raccord_model::{
    Desired, Digest, Entity, EntityKind, Failure, Fields, Found, Observation, Reading, Rendered,
};
use serde_json::{Value, json};

use quirks::Quirk;
use server::{PASSWORD, Server, USER};

/// A site, and a connector that is pointed at it.
pub(crate) struct Stage {
    pub(crate) server: Server,
    bench: Bench,
}

impl Deref for Stage {
    type Target = Bench;

    fn deref(&self) -> &Bench {
        &self.bench
    }
}

impl DerefMut for Stage {
    fn deref_mut(&mut self) -> &mut Bench {
        &mut self.bench
    }
}

pub(crate) fn settings(url: &str) -> Value {
    json!({ "url": url, "user": USER, "password": PASSWORD, "posts": "published", "every": "30s" })
}

impl Stage {
    pub(crate) async fn open() -> Self {
        Self::with(None, |_| {}).await
    }

    /// The same with a server that has lost a quirk.
    pub(crate) async fn without(quirk: Quirk, lost: bool) -> Self {
        Self::with(lost.then_some(quirk), |_| {}).await
    }

    pub(crate) async fn with(lost: Option<Quirk>, change: impl FnOnce(&mut Value)) -> Self {
        let standin = Arc::new(Standin::start().await);
        let clock = Arc::new(ManualClock::at(NOON));
        let server = Server::new(clock.clone(), lost);
        let behind = server.clone();
        standin.direct(move |seen| behind.answer(seen));
        let mut settings = settings(&standin.url("/"));
        change(&mut settings);
        Self {
            server,
            bench: Bench::new(CONNECTOR, settings, standin, kit(), clock),
        }
    }

    pub(crate) fn render(&self, entity: &Entity) -> Rendered {
        self.bench.render(entity, None)
    }

    pub(crate) fn desired(&self, entity: &Entity) -> Desired {
        self.bench.desired(entity, None)
    }

    pub(crate) fn job(&self, entity: &Entity) -> Job {
        self.bench.job(entity, None)
    }

    pub(crate) async fn write(&self, entity: &Entity) -> Result<Made, Failure> {
        self.write_of(entity, None).await
    }

    /// A person said that ours counts: the link loses what it knew.
    pub(crate) fn insist(&self, entity: &Entity) {
        let mut links = self.links.lock().unwrap();
        let link = links.get_mut(&entity.id).unwrap();
        link.revision = 0;
        link.hash = Digest::default();
    }

    pub(crate) async fn find(&self, entity: &Entity) -> Found {
        self.find_of(entity, None).await
    }

    /// Reads; nothing where nothing changed.
    pub(crate) async fn read(&self, cursor: &mut Option<String>) -> Option<Reading> {
        match self.observe(cursor.as_deref()).await {
            Observation::Unchanged { .. } => None,
            Observation::Complete(reading) => {
                cursor.clone_from(&reading.cursor);
                Some(reading)
            }
            other => panic!("{other:?}"),
        }
    }

    /// What people made of this one, by the next reading.
    pub(crate) async fn edits_of(&self, entity: &Entity) -> Fields {
        let reading = self.read(&mut None).await.unwrap();
        let edit = reading.edits.iter().find(|edit| edit.entity == entity.id);
        edit.map(|edit| edit.fields.clone()).unwrap_or_default()
    }

    /// A request as Raccord would make it.
    pub(crate) async fn ask(&self, method: Method, route: &str, body: &Value) -> (u16, Value) {
        let http = Http::new("raw", &self.kit).unwrap();
        let (path, query) = route.split_once('?').unwrap_or((route, ""));
        let url = self
            .standin
            .url(&format!("/?rest_route=/wp/v2/{path}&{query}"));
        let target = Target::configured("url", &url).unwrap();
        let request = Request::new(method, &target)
            .basic(USER, &PASSWORD.into())
            .header(HeaderName::from_static("if-match"), "\"x\"");
        let request = request.body(body.to_string());
        let answer = http.send(request).await.unwrap();
        let read = serde_json::from_slice(&answer.body).unwrap_or_default();
        (answer.status.as_u16(), read)
    }
}

pub(crate) fn activity(number: usize, fields: Value) -> Entity {
    let usual = json!({
        "title": format!("Bal {number}"),
        "start": "2027-01-12T20:00",
        "end": "2027-01-12T22:00",
        "zone": "Indian/Reunion",
        "room": "Grande salle",
        "description": "Venez danser.\n\nBuvette sur place.",
    });
    entity(EntityKind::Activity, number, usual, fields)
}

pub(crate) fn ball() -> Entity {
    activity(1, json!({}))
}
