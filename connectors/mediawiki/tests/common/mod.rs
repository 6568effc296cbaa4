//! A MediaWiki that behaves as Debian's 1.39.17 was seen to, surprises included, and what tests do
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

use jiff::SignedDuration;
use raccord_connector_mediawiki::CONNECTOR;
use raccord_kit::http::{Http, Request, Target};
use raccord_kit::standin::Standin;
use raccord_kit::testing::{NOON, entity, kit};
use raccord_kit::{Job, Kit, Made, ManualClock, Tool};
use raccord_model::{
    Context, Desired, Entity, EntityId, EntityKind, Failure, Found, Lang, Link, Rendered, Subject,
};
use serde_json::{Value, json};

use quirks::Quirk;
use server::{PASSWORD, Server, USER};

pub(crate) const MONTH: &str = "2027-01";
/// The page of that month.
pub(crate) const PAGE: &str = "Programme/2027-01";

/// A wiki, its stand-in, and a connector that is pointed at it.
pub(crate) struct Stage {
    pub(crate) standin: Arc<Standin>,
    pub(crate) server: Server,
    pub(crate) kit: Kit,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) tool: Box<dyn Tool>,
    pub(crate) links: Mutex<BTreeMap<String, Link>>,
    settings: Value,
}

pub(crate) fn settings(url: &str) -> Value {
    json!({ "url": url, "user": USER, "password": PASSWORD, "page": "programme" })
}

impl Stage {
    pub(crate) async fn open() -> Self {
        Self::with(None, |_| {}).await
    }

    /// The same with a wiki that has lost a quirk.
    pub(crate) async fn without(quirk: Quirk, lost: bool) -> Self {
        Self::with(lost.then_some(quirk), |_| {}).await
    }

    pub(crate) async fn with(lost: Option<Quirk>, change: impl FnOnce(&mut Value)) -> Self {
        let standin = Arc::new(Standin::start().await);
        let server = Server::new(lost);
        let behind = server.clone();
        standin.direct(move |seen| behind.answer(seen));
        let clock = Arc::new(ManualClock::at(NOON));
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

    pub(crate) fn render(&self, key: &str, members: &[Entity]) -> Rendered {
        let context = Context {
            place: &self.kit.place,
            lang: Lang::Fr,
            today: jiff::civil::date(2027, 1, 2),
            route: None,
        };
        let id = EntityId::derive(&[b"month", key.as_bytes()]);
        let subject = Subject::Publication { id, key, members };
        self.tool.sink().unwrap().render(subject, &context)
    }

    pub(crate) fn desired(&self, key: &str, members: &[Entity]) -> Desired {
        match self.render(key, members) {
            Rendered::Object(desired) => desired,
            Rendered::Nothing => panic!("nothing is shown of it"),
        }
    }

    pub(crate) fn job(&self, members: &[Entity]) -> Job {
        Job::Write {
            entity: EntityId::derive(&[b"month", MONTH.as_bytes()]),
            desired: self.desired(MONTH, members),
            link: self.links.lock().unwrap().get(MONTH).cloned(),
        }
    }

    /// Writes January.
    pub(crate) async fn write(&self, members: &[Entity]) -> Result<Made, Failure> {
        let made = self.tool.sink().unwrap().apply(&self.job(members)).await?;
        let link = Link {
            external: made.applied.external.clone(),
            tag: made.applied.tag.clone(),
            hash: self.desired(MONTH, members).hash,
            revision: 0,
            url: made.applied.url.clone(),
        };
        self.links.lock().unwrap().insert(MONTH.to_owned(), link);
        Ok(made)
    }

    pub(crate) async fn find(&self, members: &[Entity]) -> Found {
        let job = self.job(members);
        self.tool.sink().unwrap().find(&job).await.unwrap()
    }

    pub(crate) async fn remove(&self) -> Result<Made, Failure> {
        let link = self.links.lock().unwrap()[MONTH].clone();
        let entity = EntityId::derive(&[b"month", MONTH.as_bytes()]);
        let job = Job::Remove { entity, link };
        self.tool.sink().unwrap().apply(&job).await
    }

    /// A call as Raccord would make it, without a session.
    pub(crate) async fn ask(&self, form: &[(&str, &str)]) -> (u16, Value) {
        let http = Http::new("raw", &self.kit).unwrap();
        let target = Target::configured("url", &self.standin.url("/w/api.php")).unwrap();
        let body = encoded(form);
        let answer = http.send(Request::post(&target, body)).await.unwrap();
        let read = serde_json::from_slice(&answer.body).unwrap_or_default();
        (answer.status.as_u16(), read)
    }
}

fn encoded(form: &[(&str, &str)]) -> String {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form).finish()
}

fn build(settings: &Value, kit: &Kit) -> Box<dyn Tool> {
    (CONNECTOR.build)(settings.clone(), kit).unwrap_or_else(|wrong| panic!("{wrong:?}"))
}

pub(crate) fn activity(number: usize, fields: Value) -> Entity {
    let usual = json!({
        "title": format!("Bal {number}"),
        "start": format!("2027-01-{:02}T20:00", 10 + number % 20),
        "zone": "Indian/Reunion",
        "room": "Grande salle",
        "description": "Venez danser.",
    });
    entity(EntityKind::Activity, number, usual, fields)
}

/// Two balls.
pub(crate) fn january() -> Vec<Entity> {
    vec![activity(1, json!({})), activity(2, json!({}))]
}

/// Two balls, one of them elsewhere.
pub(crate) fn changed() -> Vec<Entity> {
    vec![
        activity(1, json!({ "room": "Cour" })),
        activity(2, json!({})),
    ]
}
