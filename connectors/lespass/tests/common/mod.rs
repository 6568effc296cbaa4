//! A Lespass that behaves as its source says (TiBillet/Lespass, July 2026), surprises included, and
//! what tests do with it.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "tests use what they need of it"
)]

pub(crate) mod quirks;
pub(crate) mod server;

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use http::{HeaderName, Method, header};
use raccord_connector_lespass::CONNECTOR;
use raccord_kit::http::{Fault, Http, Request, Target};
use raccord_kit::standin::Standin;
use raccord_kit::testing::{Bench, NOON, entity, kit};
use raccord_kit::{Job, Made, ManualClock};
use raccord_model::{Entity, EntityKind, Failure, Found};
use serde_json::{Value, json};

use quirks::Quirk;
use server::{KEY, SCANNER, Server};

/// A server, and a connector that is pointed at it.
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
    json!({ "url": url, "key": KEY, "scan_key": SCANNER, "every": "30s", "hook_secret": "hook-canary" })
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

    pub(crate) fn job(&self, entity: &Entity) -> Job {
        self.bench.job(entity, None)
    }

    pub(crate) async fn write(&self, entity: &Entity) -> Result<Made, Failure> {
        self.write_of(entity, None).await
    }

    pub(crate) async fn find(&self, entity: &Entity) -> Found {
        self.find_of(entity, None).await
    }

    /// An event that stands there, and where reading begins.
    pub(crate) async fn ball(&self) -> (String, Option<String>) {
        let made = self.write(&ball()).await.unwrap();
        let mut cursor = None;
        assert_eq!(self.hear(&mut cursor).await, []);
        (made.applied.external, cursor)
    }

    /// A request as Raccord would make it.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        self.ask_as(KEY, method, path, body).await
    }

    pub(crate) async fn ask_as(
        &self,
        key: &str,
        method: Method,
        path: &str,
        body: &Value,
    ) -> (u16, Value) {
        let http = Http::new("raw", &self.kit).unwrap();
        let target = Target::configured("url", &self.standin.url(path)).unwrap();
        let shown = format!("Api-Key {key}").into();
        let mut request = Request::new(method, &target).secret(header::AUTHORIZATION, &shown);
        request = request.header(HeaderName::from_static("accept"), "application/json");
        if !body.is_null() {
            request = request.body(body.to_string());
        }
        let answer = match http.send(request).await {
            Ok(answer) => answer,
            Err(error) => match error.fault() {
                Fault::Moved(status) => return (status.as_u16(), Value::Null),
                other => panic!("{other:?}"),
            },
        };
        let read = serde_json::from_slice(&answer.body).unwrap_or_default();
        (answer.status.as_u16(), read)
    }
}

pub(crate) fn activity(number: usize, fields: Value) -> Entity {
    entity(
        EntityKind::Activity,
        number,
        json!({
            "title": format!("Bal {number}"),
            "start": "2027-01-12T20:00",
            "end": "2027-01-12T22:00",
            "zone": "Indian/Reunion",
            "room": "Grande salle",
            "description": "Venez danser.\n\nBuvette sur place.",
            "capacity": 80,
        }),
        fields,
    )
}

pub(crate) fn task(number: usize, fields: Value) -> Entity {
    let usual = json!({ "title": format!("Bar {number}"), "capacity": 2, "state": "open" });
    entity(EntityKind::Task, number, usual, fields)
}

pub(crate) fn ball() -> Entity {
    activity(1, json!({}))
}
