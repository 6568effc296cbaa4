//! A WordPress that behaves as Debian's 6.1.9 was seen to, surprises included, and what tests do
//! with it.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "tests use what they need of it"
)]

pub(crate) mod quirks;
pub(crate) mod server;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use http::{HeaderName, Method};
use jiff::SignedDuration;
use raccord_connector_wordpress::CONNECTOR;
use raccord_kit::http::{Http, Request, Target};
use raccord_kit::standin::Standin;
use raccord_kit::testing::{NOON, kit};
use raccord_kit::{Job, Kit, Made, ManualClock, Tool};
use raccord_model::{
    Context, Desired, Digest, Entity, EntityId, EntityKind, Failure, Fields, Found, Lang, Link,
    Observation, Reading, Rendered, Subject,
};
use serde_json::{Value, json};

use quirks::Quirk;
use server::{PASSWORD, Server, USER};

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

    pub(crate) fn render(&self, entity: &Entity) -> Rendered {
        let context = Context {
            place: &self.kit.place,
            lang: Lang::Fr,
            today: jiff::civil::date(2027, 1, 2),
            route: None,
        };
        let subject = Subject::Entity {
            entity,
            parent: None,
            tasks: &[],
        };
        self.tool.sink().unwrap().render(subject, &context)
    }

    /// What should stand there for `entity`.
    pub(crate) fn desired(&self, entity: &Entity) -> Desired {
        match self.render(entity) {
            Rendered::Object(desired) => desired,
            Rendered::Nothing => panic!("nothing is shown of it"),
        }
    }

    pub(crate) fn job(&self, entity: &Entity) -> Job {
        Job::Write {
            entity: entity.id,
            desired: self.desired(entity),
            link: self.links.lock().unwrap().get(&entity.id).cloned(),
        }
    }

    pub(crate) async fn write(&self, entity: &Entity) -> Result<Made, Failure> {
        let job = self.job(entity);
        let made = self.tool.sink().unwrap().apply(&job).await?;
        let link = Link {
            external: made.applied.external.clone(),
            tag: made.applied.tag.clone(),
            hash: self.desired(entity).hash,
            revision: 1,
            url: made.applied.url.clone(),
        };
        self.links.lock().unwrap().insert(entity.id, link);
        Ok(made)
    }

    /// A person said that ours counts: the link loses what it knew.
    pub(crate) fn insist(&self, entity: &Entity) {
        let mut links = self.links.lock().unwrap();
        let link = links.get_mut(&entity.id).unwrap();
        link.revision = 0;
        link.hash = Digest::default();
    }

    pub(crate) async fn find(&self, entity: &Entity) -> Found {
        let job = Job::Write {
            entity: entity.id,
            desired: self.desired(entity),
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

    /// Reads; nothing where nothing changed.
    pub(crate) async fn read(&self, cursor: &mut Option<String>) -> Option<Reading> {
        let links = self.links.lock().unwrap().clone();
        self.tool
            .shared()
            .unwrap()
            .ours(links.into_iter().collect());
        let seen = self.tool.source().unwrap().observe(cursor.as_deref());
        match seen.await.unwrap() {
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

fn build(settings: &Value, kit: &Kit) -> Box<dyn Tool> {
    (CONNECTOR.build)(settings.clone(), kit).unwrap_or_else(|wrong| panic!("{wrong:?}"))
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
    let mut all: Fields = serde_json::from_value(usual).unwrap();
    let fields: Fields = serde_json::from_value(fields).unwrap();
    all.extend(fields);
    all.retain(|_, value| !value.is_null());
    Entity {
        id: EntityId::derive(&[b"activity", number.to_string().as_bytes()]),
        kind: EntityKind::Activity,
        revision: 1,
        source: "programme-sheet".to_owned(),
        fields: all,
    }
}

pub(crate) fn ball() -> Entity {
    activity(1, json!({}))
}
