//! An OCECO that behaves as its source says (pixelhumain/oceco, October 2020), surprises included, and
//! what tests do with it.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "tests use what they need of it"
)]

mod ddp;
pub(crate) mod quirks;
pub(crate) mod server;

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use http::{HeaderName, Method};
use raccord_connector_oceco::CONNECTOR;
use raccord_kit::http::ddp::{Ddp, Told};
use raccord_kit::http::{Http, Request, Target};
use raccord_kit::standin::{Seen, Standin};
use raccord_kit::testing::{Bench, NOON, entity, kit};
use raccord_kit::{Made, ManualClock};
use raccord_model::{Entity, EntityKind, Failure, Found};
use serde_json::{Value, json};
use tempfile::TempDir;

use quirks::Quirk;
use server::{ANNA, BOB, BOT, EMAIL, ORGANIZATION, PASSWORD, PROJECT, Server, TOKEN};

/// A server, and a connector that is pointed at it.
pub(crate) struct Stage {
    pub(crate) server: Server,
    bench: Bench,
    folder: TempDir,
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
    json!({
        "url": url, "token": TOKEN, "user": BOT, "organization": ORGANIZATION, "project": PROJECT,
        "people_file": "people", "email": EMAIL, "password": PASSWORD, "every": "30s",
    })
}

/// Who is who.
pub(crate) fn people() -> String {
    format!("{ANNA} anna@example.org\n{BOB} bob@example.org # au bar\n")
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
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("people"), people()).unwrap();
        let mut kit = kit();
        folder.path().clone_into(&mut kit.base);
        let mut settings = settings(&standin.url("/"));
        change(&mut settings);
        Self {
            server,
            bench: Bench::new(CONNECTOR, settings, standin, kit, clock),
            folder,
        }
    }

    /// Somebody writes down who is who.
    pub(crate) fn knows(&self, text: &str) {
        std::fs::write(self.folder.path().join("people"), text).unwrap();
    }

    /// What was asked for that makes something.
    pub(crate) fn makings(&self) -> Vec<Seen> {
        let all = self.standin.seen().into_iter();
        all.filter(makes).collect()
    }

    /// Writes a task of the ball.
    pub(crate) async fn write(&self, task: &Entity) -> Result<Made, Failure> {
        self.write_of(task, Some(&ball(json!({})))).await
    }

    pub(crate) async fn find(&self, task: &Entity) -> Found {
        self.find_of(task, Some(&ball(json!({})))).await
    }

    /// An action that stands there, and where reading begins.
    pub(crate) async fn bar(&self) -> (String, Option<String>) {
        let made = self.write(&task(1, json!({}))).await.unwrap();
        let mut cursor = None;
        assert_eq!(self.hear(&mut cursor).await, []);
        (made.applied.external, cursor)
    }

    /// A conversation of another program with the password of our account.
    pub(crate) async fn sign_in(&self) -> Ddp {
        let http = Http::new("raw", &self.kit).unwrap();
        let target = Target::configured("url", &self.standin.url("/websocket")).unwrap();
        let socket = http.socket(Request::get(&target)).await.unwrap();
        let mut talk = Ddp::greet(socket).await.unwrap();
        let login = json!([{ "email": EMAIL, "pwd": PASSWORD }]);
        talk.call("login", &login).await.unwrap().unwrap();
        talk
    }

    /// How many rows of somebody the log shows to whoever names no number.
    pub(crate) async fn rows_unasked(&self, who: &str) -> usize {
        let mut talk = self.sign_in().await;
        let params = json!([ORGANIZATION, who, 0]);
        let id = talk.subscribe("listMembersDetailHistorique", &params).await;
        let mut rows = 0;
        let count = |told: Told| rows += usize::from(told.collection == "loguseractions");
        talk.told([id.unwrap()].into(), count).await.unwrap();
        rows
    }

    /// A request to a route, as somebody.
    pub(crate) async fn ask(&self, user: &str, route: &str, body: &Value) -> (u16, Value) {
        let http = Http::new("raw", &self.kit).unwrap();
        let url = self.standin.url(&format!("/api/action/{route}"));
        let target = Target::configured("url", &url).unwrap();
        let request = Request::new(Method::POST, &target)
            .secret(HeaderName::from_static("x-access-token"), &TOKEN.into())
            .header(HeaderName::from_static("x-user-id"), user)
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(body.to_string());
        let answer = http.send(request).await.unwrap();
        let read = serde_json::from_slice(&answer.body).unwrap_or_default();
        (answer.status.as_u16(), read)
    }
}

pub(crate) fn makes(seen: &Seen) -> bool {
    seen.path == "/api/action/create"
}

pub(crate) fn ball(fields: Value) -> Entity {
    let usual = json!({
        "title": "Bal", "start": "2027-01-12T20:00", "end": "2027-01-12T22:00",
        "zone": "Indian/Reunion", "room": "Grande salle",
    });
    entity(EntityKind::Activity, 1, usual, fields)
}

pub(crate) fn task(number: usize, fields: Value) -> Entity {
    let usual = json!({
        "title": format!("Bar {number}"), "capacity": 2, "state": "open", "credits": 200,
        "description": "Servir.\n\nRanger ensuite.",
    });
    entity(EntityKind::Task, number, usual, fields)
}
