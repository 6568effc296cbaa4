//! A place that keeps what it is given, a face before it on a real socket, and a caller that
//! sends any bytes.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(unreachable_pub, reason = "shared by several test programs")]
#![allow(clippy::unnecessary_literal_bound, reason = "the trait's signature")]

pub mod screens;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::stream;
use jiff::Timestamp;
use raccord_model::{Activity, Call, Change, Lang, Words};
use raccord_web::hands::{self, Visit};
use raccord_web::{
    BoxFuture, Entry, Exposition, Face, Feed, Follow, FollowError, HookError, Kind, Limits, Node,
    Place, Position, PostError, Programme, Readiness, Reason, Token,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub const TOKEN: &str = "jeton-de-test";

pub struct FakePlace {
    pub place: Arc<raccord_model::Place>,
    pub colour: Mutex<String>,
    pub token: Option<Token>,
    pub posted: Mutex<Vec<Change>>,
    pub seen: Mutex<BTreeSet<(String, String)>>,
    pub answer: Mutex<Option<PostError>>,
    pub silent: Mutex<bool>,
    pub starting: watch::Sender<bool>,
    pub past: Mutex<Vec<Entry>>,
    pub feed: Feed,
    pub reasons: Mutex<Vec<Reason>>,
    pub notes: Mutex<Vec<Reason>>,
    pub programme: Mutex<Programme>,
    pub calls: Mutex<Vec<Call>>,
    pub hook_answer: Mutex<Option<HookError>>,
}

impl FakePlace {
    pub fn new(id: &str, lang: Lang) -> Arc<Self> {
        Arc::new(Self {
            place: Arc::new(raccord_model::Place {
                id: id.parse().unwrap(),
                name: "La Raffinerie".into(),
                zone: "Indian/Reunion".into(),
                lang,
                public_url: "https://programme.example.org".into(),
            }),
            colour: Mutex::default(),
            token: Token::new(TOKEN),
            posted: Mutex::default(),
            seen: Mutex::default(),
            answer: Mutex::default(),
            silent: Mutex::default(),
            starting: watch::Sender::default(),
            past: Mutex::default(),
            feed: Feed::new(16),
            reasons: Mutex::default(),
            notes: Mutex::default(),
            programme: Mutex::default(),
            calls: Mutex::default(),
            hook_answer: Mutex::default(),
        })
    }

    pub fn posted(&self) -> Vec<Change> {
        self.posted.lock().unwrap().clone()
    }

    /// Makes an event durable and publishes it, as a running place does.
    pub fn happen(&self, commit: u64) {
        let entry = entry(commit);
        self.past.lock().unwrap().push(entry.clone());
        self.feed.publish(&entry);
    }
}

pub fn entry(commit: u64) -> Entry {
    Entry {
        position: Position { commit, index: 0 },
        json: Bytes::from(json!({ "specversion": "1.0", "id": commit.to_string() }).to_string()),
    }
}

impl Place for FakePlace {
    fn visit(&self, visit: Visit) -> BoxFuture<'_, hands::Answer> {
        let screen = screens::screen(&visit.key, visit.lang);
        let answer = match visit.key.as_str() {
            "late" => return Box::pin(std::future::pending()),
            "closed" => hands::Answer::Closed,
            "out" => hands::Answer::Go {
                to: String::new(),
                cookie: Some(hands::Cookie {
                    value: String::new(),
                    seconds: 0,
                }),
            },
            "busy" => hands::Answer::Busy,
            "too-many" => hands::Answer::TooMany(300),
            _ => screen.map_or(hands::Answer::Nothing, |screen| {
                hands::Answer::Page(Box::new(screen))
            }),
        };
        Box::pin(std::future::ready(answer))
    }
    fn place(&self) -> Arc<raccord_model::Place> {
        self.place.clone()
    }
    fn colour(&self) -> String {
        self.colour.lock().unwrap().clone()
    }

    fn token(&self) -> Option<Token> {
        self.token
    }
    fn post(&self, changes: Vec<Change>) -> BoxFuture<'_, Result<(), PostError>> {
        Box::pin(async move {
            if *self.silent.lock().unwrap() {
                std::future::pending::<()>().await;
            }
            if let Some(error) = self.answer.lock().unwrap().clone() {
                return Err(error);
            }
            let mut seen = self.seen.lock().unwrap();
            let mut posted = self.posted.lock().unwrap();
            for change in changes {
                if seen.insert((change.sender.clone(), change.id.clone())) {
                    posted.push(change);
                }
            }
            Ok(())
        })
    }
    fn hook<'a>(
        &'a self,
        connector: &'a str,
        call: Call,
    ) -> BoxFuture<'a, Result<Value, HookError>> {
        Box::pin(async move {
            if connector != "calendar" {
                return Err(HookError::Unknown);
            }
            if *self.silent.lock().unwrap() {
                std::future::pending::<()>().await;
            }
            if let Some(error) = self.hook_answer.lock().unwrap().clone() {
                return Err(error);
            }
            self.calls.lock().unwrap().push(call);
            Ok(json!({ "ok": true }))
        })
    }
    fn follow(&self, after: Option<Position>) -> Result<Follow, FollowError> {
        let past = self.past.lock().unwrap().clone();
        let newest = past.last().map_or(Position::START, |entry| entry.position);
        if after.is_some_and(|after| after > newest) {
            return Err(FollowError::Gone);
        }
        Ok(self.feed.follow(move || {
            stream::iter(
                past.into_iter()
                    .filter(move |entry| after.is_some_and(|after| after < entry.position)),
            )
        }))
    }
    fn readiness(&self) -> Readiness {
        Readiness {
            reasons: self.reasons.lock().unwrap().clone(),
            notes: self.notes.lock().unwrap().clone(),
        }
    }
    fn metrics(&self, out: &mut Exposition) {
        out.add("raccord_fake_total", Kind::Counter, "Fake.", &[], 3.0);
    }
    fn programme(&self, _: Timestamp, limit: usize) -> BoxFuture<'_, Option<Programme>> {
        Box::pin(async move {
            if *self.starting.borrow() {
                return None;
            }
            let programme = self.programme.lock().unwrap().clone();
            let more = programme.more + programme.activities.len().saturating_sub(limit);
            Some(Programme {
                activities: programme.activities.into_iter().take(limit).collect(),
                more,
                undated: programme.undated,
            })
        })
    }
}

pub struct FakeNode {
    pub now: Timestamp,
    pub set: bool,
    pub places: Vec<Arc<FakePlace>>,
}

impl Node for FakeNode {
    fn version(&self) -> &str {
        "9.9.9"
    }
    fn now(&self) -> Timestamp {
        self.now
    }
    fn clock_is_set(&self) -> bool {
        self.set
    }
    fn root(&self) -> Option<Arc<dyn Place>> {
        Some(self.places.first()?.clone())
    }
    fn find(&self, id: &str) -> Option<Arc<dyn Place>> {
        let place = self
            .places
            .iter()
            .find(|place| place.place.id.as_str() == id)?;
        Some(place.clone())
    }
    fn places(&self) -> Vec<Arc<dyn Place>> {
        self.places
            .iter()
            .map(|place| place.clone() as Arc<dyn Place>)
            .collect()
    }
    fn started(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            for place in &self.places {
                let mut starting = place.starting.subscribe();
                drop(starting.wait_for(|starting| !starting).await);
            }
        })
    }
}

pub struct World {
    pub address: SocketAddr,
    pub place: Arc<FakePlace>,
    pub other: Arc<FakePlace>,
    pub stop: CancellationToken,
    pub served: tokio::task::JoinHandle<()>,
}

pub fn face(
    limits: Limits,
    lang: Lang,
    set: bool,
) -> (Face, Arc<FakePlace>, Arc<FakePlace>, CancellationToken) {
    let place = FakePlace::new("raffinerie", lang);
    let other = FakePlace::new("autre", Lang::En);
    let node = FakeNode {
        now: "2027-01-02T08:00:00Z".parse().unwrap(),
        set,
        places: vec![place.clone(), other.clone()],
    };
    let stop = CancellationToken::new();
    (
        Face::new(Arc::new(node), limits, stop.clone()),
        place,
        other,
        stop,
    )
}

impl World {
    pub async fn new() -> Self {
        Self::with(Limits::default()).await
    }

    pub async fn with(limits: Limits) -> Self {
        let (face, place, other, stop) = face(limits, Lang::Fr, true);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let served = tokio::spawn(async move { face.serve(listener).await });
        Self {
            address,
            place,
            other,
            stop,
            served,
        }
    }

    pub async fn connect(&self) -> Caller {
        Caller(TcpStream::connect(self.address).await.unwrap())
    }

    /// One request on a connection of its own.
    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl AsRef<[u8]>,
    ) -> Answer {
        let mut caller = self.connect().await;
        caller
            .send(&request(method, path, headers, body.as_ref(), false))
            .await;
        caller.answer().await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "").await
    }

    /// Posts with the token.
    pub async fn post(&self, kind: &str, body: impl AsRef<[u8]>) -> Answer {
        self.ask(
            "POST",
            "/v1/events",
            &[("authorization", &bearer()), ("content-type", kind)],
            body,
        )
        .await
    }

    pub async fn post_one(&self, event: &Value) -> Answer {
        self.post(STRUCTURED, event.to_string()).await
    }
}

pub const STRUCTURED: &str = "application/cloudevents+json";
pub const BATCH: &str = "application/cloudevents-batch+json";

pub fn bearer() -> String {
    format!("Bearer {TOKEN}")
}

pub fn event(id: &str) -> Value {
    json!({
        "specversion": "1.0",
        "id": id,
        "source": "https://agenda.example.org",
        "type": "org.raccord.activity.created.v1",
        "subject": "concert-12",
        "data": { "title": "Concert", "start": "2027-01-09T20:00" },
    })
}

pub fn request(
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
    keep: bool,
) -> Vec<u8> {
    let mut out = format!("{method} {path} HTTP/1.1\r\nhost: x\r\n");
    if !keep {
        out.push_str("connection: close\r\n");
    }
    if !body.is_empty() || method == "POST" {
        write!(out, "content-length: {}\r\n", body.len()).unwrap();
    }
    for (name, value) in headers {
        write!(out, "{name}: {value}\r\n").unwrap();
    }
    out.push_str("\r\n");
    let mut out = out.into_bytes();
    out.extend_from_slice(body);
    out
}

pub struct Caller(pub TcpStream);

impl Caller {
    pub async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// All that comes until the other side closes.
    pub async fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // A reset after the answer is an end as well.
        drop(self.0.read_to_end(&mut bytes).await);
        bytes
    }

    pub async fn answer(&mut self) -> Answer {
        Answer::parse(&self.rest().await)
    }

    /// Reads until `mark` was seen; everything read.
    pub async fn until(&mut self, mark: &str) -> String {
        let mut seen = Vec::new();
        while !String::from_utf8_lossy(&seen).contains(mark) {
            let mut bytes = [0; 4096];
            let count = self.0.read(&mut bytes).await.unwrap();
            assert!(
                count > 0,
                "closed before {mark:?}: {}",
                String::from_utf8_lossy(&seen)
            );
            seen.extend_from_slice(&bytes[..count]);
        }
        String::from_utf8(seen).unwrap()
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text
            .split_once("\r\n\r\n")
            .unwrap_or_else(|| panic!("no answer: {text:?}"));
        let mut lines = head.lines();
        let status = lines
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        let headers = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Self {
            status,
            headers,
            body: body.to_owned(),
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// `(index, pointer)` of each fault.
    pub fn faults(&self) -> Vec<(u64, String)> {
        assert_eq!(self.status, 422, "{self:?}");
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        let problem = self.json();
        let errors = problem["errors"].as_array().unwrap().clone();
        errors
            .iter()
            .map(|error| {
                assert!(!error["detail"].as_str().unwrap().is_empty());
                (
                    error["index"].as_u64().unwrap(),
                    error["pointer"].as_str().unwrap().to_owned(),
                )
            })
            .collect()
    }
}

pub fn activity(fields: &Value) -> Activity {
    let mut all = json!({
        "id": "0b8f6f5e-0d3b-5c57-9f5e-000000000001",
        "title": "Concert",
        "start": "2027-01-09T20:00",
        "zone": "Indian/Reunion",
    });
    for (key, value) in fields.as_object().unwrap() {
        all[key] = value.clone();
    }
    serde_json::from_value(all).unwrap()
}

pub fn reason() -> Reason {
    Reason {
        code: "connector-not-started",
        about: "members-calendar".into(),
        text: Words::new(
            "Le connecteur n’a pas démarré.",
            "The connector has not started.",
        ),
    }
}
