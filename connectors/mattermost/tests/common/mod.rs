//! A Mattermost that behaves as its source says (10.7 and 11.x), surprises included, and what tests do
//! with it.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "tests use what they need of it"
)]

pub(crate) mod mentions;
pub(crate) mod posts;
pub(crate) mod quirks;
pub(crate) mod server;

use std::sync::Arc;

use http::{Method, header};
use jiff::SignedDuration;
use raccord_connector_mattermost::CONNECTOR;
use raccord_kit::http::{Answer, Http, Request, Target};
use raccord_kit::standin::Standin;
use raccord_kit::testing::{NOON, kit};
use raccord_kit::{Job, Kit, Made, ManualClock, Tool};
use raccord_model::{
    Change, Context, Desired, Entity, EntityId, EntityKind, Failure, Fields, Found, Lang, Link,
    Observation, Rendered, Subject,
};
use serde_json::{Value, json};

use quirks::Quirk;
use server::{Server, TOKEN};

/// A server, its stand-in, and a connector that is pointed at it.
pub(crate) struct Stage {
    pub(crate) standin: Arc<Standin>,
    pub(crate) server: Server,
    pub(crate) kit: Kit,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) tool: Box<dyn Tool>,
    settings: Value,
}

pub(crate) fn settings(url: &str) -> Value {
    json!({
        "url": url, "team": "raffinerie", "token": TOKEN, "channel": "chantiers",
        "listen": ["chantiers"], "hear": "all",
    })
}

/// An answer to a raw request.
pub(crate) struct Raw {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) text: String,
    answer: Answer,
}

impl Raw {
    pub(crate) fn header(&self, name: &'static str) -> &str {
        let name = http::HeaderName::from_static(name);
        self.answer.header(&name).unwrap_or_default()
    }

    /// The stable name of a refusal.
    pub(crate) fn id(&self) -> &str {
        self.body["id"].as_str().unwrap_or_default()
    }
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
            settings,
        }
    }

    /// The same connector in a new process.
    pub(crate) fn restart(&mut self) {
        self.tool = build(&self.settings, &self.kit);
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// What should stand there for `entity`.
    pub(crate) fn desired(&self, entity: &Entity) -> Desired {
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
        match self.tool.sink().unwrap().render(subject, &context) {
            Rendered::Object(desired) => desired,
            Rendered::Nothing => panic!("nothing is said of it"),
        }
    }

    pub(crate) fn job(&self, entity: &Entity, link: Option<Link>) -> Job {
        Job::Write {
            entity: entity.id,
            desired: self.desired(entity),
            link,
        }
    }

    pub(crate) async fn write(&self, entity: &Entity, link: Option<Link>) -> Result<Made, Failure> {
        let job = self.job(entity, link);
        self.tool.sink().unwrap().apply(&job).await
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
            hash: self.desired(entity).hash,
            revision: entity.revision,
            url: made.applied.url,
        }
    }

    pub(crate) async fn find(&self, entity: &Entity) -> Found {
        let job = self.job(entity, None);
        self.tool.sink().unwrap().find(&job).await.unwrap()
    }

    pub(crate) async fn remove(&self, entity: &Entity, link: &Link) -> Result<Made, Failure> {
        let job = Job::Remove {
            entity: entity.id,
            link: link.clone(),
        };
        self.tool.sink().unwrap().apply(&job).await
    }

    /// Listens: what was heard, and where to go on.
    pub(crate) async fn hear(&self, cursor: &mut Option<String>) -> Vec<Change> {
        let heard = self.tool.source().unwrap().observe(cursor.as_deref());
        match heard.await.unwrap() {
            Observation::Unchanged { .. } => Vec::new(),
            Observation::Changes {
                changes,
                cursor: next,
            } => {
                *cursor = next;
                changes
            }
            Observation::Complete(reading) => panic!("{reading:?}"),
        }
    }

    /// Begins to listen.
    pub(crate) async fn listen(&self) -> Option<String> {
        let mut cursor = None;
        assert_eq!(self.hear(&mut cursor).await, []);
        self.pass(60);
        cursor
    }

    /// A request as the bot would make it.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: &Value) -> Raw {
        self.ask_as(TOKEN, method, path, body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Raw {
        self.ask(Method::GET, path, &Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Raw {
        self.ask(Method::POST, path, body).await
    }

    pub(crate) async fn ask_as(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Raw {
        let http = Http::new("raw", &self.kit).unwrap();
        let url = self.standin.url(&format!("/api/v4/{path}"));
        let target = Target::configured("url", &url).unwrap();
        let mut request = Request::new(method, &target).bearer(&token.to_owned().into());
        request = request.size(80_000_000);
        if !body.is_null() {
            request = request
                .header(header::CONTENT_TYPE, "application/json")
                .body(body.to_string());
        }
        let answer = http.send(request).await.unwrap();
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        Raw {
            status: answer.status.as_u16(),
            body: serde_json::from_str(&text).unwrap_or_default(),
            text,
            answer,
        }
    }

    /// A post by a raw request.
    pub(crate) async fn raw_post(&self, text: &str, more: &Value) -> Raw {
        let mut body = json!({ "channel_id": self.channel("chantiers"), "message": text });
        for (key, value) in more.as_object().into_iter().flatten() {
            body[key] = value.clone();
        }
        self.post("posts", &body).await
    }

    pub(crate) fn channel(&self, name: &str) -> String {
        self.server.state().channel(name)
    }
}

fn build(settings: &Value, kit: &Kit) -> Box<dyn Tool> {
    (CONNECTOR.build)(settings.clone(), kit).unwrap_or_else(|wrong| panic!("{wrong:?}"))
}

pub(crate) fn activity(number: usize, fields: Value) -> Entity {
    let mut all: Fields = serde_json::from_value(json!({
        "title": format!("Concert {number}"),
        "start": "2027-01-12T20:00",
        "end": "2027-01-12T22:00",
        "zone": "Indian/Reunion",
        "room": "Grande salle",
    }))
    .unwrap();
    let fields: Fields = serde_json::from_value(fields).unwrap();
    all.extend(fields);
    Entity {
        id: EntityId::derive(&[b"chat", number.to_string().as_bytes()]),
        kind: EntityKind::Activity,
        revision: 1,
        source: "programme-sheet".to_owned(),
        fields: all,
    }
}

pub(crate) fn concert() -> Entity {
    activity(1, json!({}))
}
