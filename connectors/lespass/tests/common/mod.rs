//! A Lespass that behaves as its source says (TiBillet/Lespass, July 2026), surprises included, and
//! what tests do with it.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "tests use what they need of it"
)]

pub(crate) mod quirks;
pub(crate) mod server;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use http::{HeaderName, Method, header};
use jiff::SignedDuration;
use raccord_connector_lespass::CONNECTOR;
use raccord_kit::http::{Fault, Http, Request, Target};
use raccord_kit::standin::Standin;
use raccord_kit::testing::{NOON, kit};
use raccord_kit::{Job, Kit, Made, ManualClock, Tool};
use raccord_model::{
    Change, Context, Desired, Digest, Entity, EntityId, EntityKind, Failure, Fields, Found, Lang,
    Link, Observation, Rendered, Subject,
};
use serde_json::{Value, json};

use quirks::Quirk;
use server::{KEY, SCANNER, Server};

/// A server, its stand-in, and a connector that is pointed at it.
pub(crate) struct Stage {
    pub(crate) standin: Arc<Standin>,
    pub(crate) server: Server,
    pub(crate) kit: Kit,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) tool: Box<dyn Tool>,
    pub(crate) links: Mutex<BTreeMap<EntityId, Link>>,
    settings: Value,
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
        let mut kit = kit();
        kit.clock = clock.clone();
        let mut settings = settings(&standin.url("/"));
        change(&mut settings);
        let tool = build(&settings, &kit);
        Self {
            standin,
            server,
            kit,
            clock,
            tool,
            links: Mutex::default(),
            settings,
        }
    }

    /// The same connector in a new process.
    pub(crate) fn restart(&mut self) {
        self.tool = build(&self.settings, &self.kit);
    }

    pub(crate) fn pass(&self, minutes: i64) {
        self.clock.advance(SignedDuration::from_mins(minutes));
    }

    /// It is that hour, later than before.
    pub(crate) fn is_at(&self, hour: &str) {
        let hour: jiff::Timestamp = hour.parse().unwrap();
        self.clock
            .advance(hour.duration_since(raccord_kit::Clock::now(&*self.clock)));
    }

    pub(crate) fn render(&self, entity: &Entity, parent: Option<&Entity>) -> Rendered {
        let context = Context {
            place: &self.kit.place,
            lang: Lang::Fr,
            today: jiff::civil::date(2027, 1, 2),
            route: None,
        };
        let subject = Subject::Entity {
            entity,
            parent,
            tasks: &[],
        };
        self.tool.sink().unwrap().render(subject, &context)
    }

    /// What should stand there for `entity`.
    pub(crate) fn desired(&self, entity: &Entity, parent: Option<&Entity>) -> Desired {
        match self.render(entity, parent) {
            Rendered::Object(desired) => desired,
            Rendered::Nothing => panic!("nothing is shown of it"),
        }
    }

    pub(crate) fn job(&self, entity: &Entity) -> Job {
        Job::Write {
            entity: entity.id,
            desired: self.desired(entity, None),
            link: self.links.lock().unwrap().get(&entity.id).cloned(),
        }
    }

    pub(crate) async fn write(&self, entity: &Entity) -> Result<Made, Failure> {
        self.write_of(entity, None).await
    }

    /// Writes it, as the engine would: what is gone is made anew.
    pub(crate) async fn write_of(
        &self,
        entity: &Entity,
        parent: Option<&Entity>,
    ) -> Result<Made, Failure> {
        let desired = self.desired(entity, parent);
        let sink = self.tool.sink().unwrap();
        for _ in 0..2 {
            let link = self.links.lock().unwrap().get(&entity.id).cloned();
            let job = Job::Write {
                entity: entity.id,
                desired: desired.clone(),
                link,
            };
            match sink.apply(&job).await {
                Err(failure) if failure.absent => {
                    self.links.lock().unwrap().remove(&entity.id);
                }
                Err(failure) => return Err(failure),
                Ok(made) => {
                    let link = link_of(&made, desired.hash);
                    self.links.lock().unwrap().insert(entity.id, link);
                    return Ok(made);
                }
            }
        }
        panic!("gone again and again");
    }

    pub(crate) async fn find(&self, entity: &Entity) -> Found {
        let job = Job::Write {
            entity: entity.id,
            desired: self.desired(entity, None),
            link: None,
        };
        self.tool.sink().unwrap().find(&job).await.unwrap()
    }

    pub(crate) async fn remove(&self, entity: &Entity) -> Result<Made, Failure> {
        let link = self.links.lock().unwrap()[&entity.id].clone();
        let job = Job::Remove {
            entity: entity.id,
            link,
        };
        let removed = self.tool.sink().unwrap().apply(&job).await;
        if removed.is_ok() {
            self.links.lock().unwrap().remove(&entity.id);
        }
        removed
    }

    /// Reads: what is told, and where to go on.
    pub(crate) async fn hear(&self, cursor: &mut Option<String>) -> Vec<Change> {
        let links = self.links.lock().unwrap().clone();
        self.tool
            .shared()
            .unwrap()
            .ours(links.into_iter().collect());
        let seen = self.tool.source().unwrap().observe(cursor.as_deref());
        match seen.await.unwrap() {
            Observation::Unchanged { cursor: next } => {
                if next.is_some() {
                    *cursor = next;
                }
                Vec::new()
            }
            Observation::Changes {
                changes,
                cursor: next,
            } => {
                *cursor = next;
                changes
            }
            other => panic!("{other:?}"),
        }
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

fn build(settings: &Value, kit: &Kit) -> Box<dyn Tool> {
    (CONNECTOR.build)(settings.clone(), kit).unwrap_or_else(|wrong| panic!("{wrong:?}"))
}

pub(crate) fn link_of(made: &Made, hash: Digest) -> Link {
    Link {
        external: made.applied.external.clone(),
        tag: made.applied.tag.clone(),
        hash,
        revision: 1,
        url: made.applied.url.clone(),
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

fn entity(kind: EntityKind, number: usize, usual: Value, fields: Value) -> Entity {
    let mut all: Fields = serde_json::from_value(usual).unwrap();
    let fields: Fields = serde_json::from_value(fields).unwrap();
    all.extend(fields);
    all.retain(|_, value| !value.is_null());
    Entity {
        id: EntityId::derive(&[kind.as_str().as_bytes(), number.to_string().as_bytes()]),
        kind,
        revision: 1,
        source: "programme-sheet".to_owned(),
        fields: all,
    }
}

pub(crate) fn ball() -> Entity {
    activity(1, json!({}))
}
