//! A Rocket.Chat that behaves as its source says (7.x and 8.x), surprises included, and what tests do
//! with it.

#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    reason = "tests use what they need of it"
)]

pub(crate) mod messages;
pub(crate) mod quirks;
pub(crate) mod server;
pub(crate) mod streams;

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use http::{Method, header};
use raccord_chat::testing::{Instance, Others, noon};
pub(crate) use raccord_chat::testing::{activity, concert};
use raccord_connector_rocketchat::CONNECTOR;
use raccord_kit::http::{Answer, Http, Request, Target};
use raccord_kit::standin::{Play, Reply, Seen, Standin};
use serde_json::{Value, json};

use quirks::Quirk;
use server::{BOT, Fault, Server, TOKEN};

/// A server, its stand-in, and a connector that is pointed at it.
pub(crate) struct Stage {
    pub(crate) server: Server,
    instance: Instance,
}

impl Deref for Stage {
    type Target = Instance;

    fn deref(&self) -> &Instance {
        &self.instance
    }
}

impl DerefMut for Stage {
    fn deref_mut(&mut self) -> &mut Instance {
        &mut self.instance
    }
}

pub(crate) fn settings(url: &str) -> Value {
    json!({
        "url": url, "user_id": BOT, "token": TOKEN, "channel": "chantiers",
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

    /// What a refusal says.
    pub(crate) fn error(&self) -> &str {
        self.body["error"].as_str().unwrap_or_default()
    }

    /// The type of a refusal.
    pub(crate) fn kind(&self) -> &str {
        self.body["errorType"].as_str().unwrap_or_default()
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
        let clock = noon();
        let server = Server::new(clock.clone(), lost);
        let behind = server.clone();
        standin.direct(move |seen| behind.answer(seen));
        let mut settings = settings(&standin.url("/"));
        change(&mut settings);
        let instance = Instance::new(&CONNECTOR, standin, clock, settings);
        Self { server, instance }
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
        let url = self.standin.url(&format!("/{path}"));
        let target = Target::configured("url", &url).unwrap();
        let user = match token {
            TOKEN => BOT.to_owned(),
            _ => self.server.state().user("anna"),
        };
        let mut request = Request::new(method, &target)
            .header(http::HeaderName::from_static("x-auth-token"), token)
            .header(http::HeaderName::from_static("x-user-id"), user)
            .size(80_000_000);
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

    /// A message by a raw request.
    pub(crate) async fn raw_send(&self, text: &str, more: &Value) -> Raw {
        let mut message = json!({ "rid": self.room("chantiers"), "msg": text });
        for (key, value) in more.as_object().into_iter().flatten() {
            message[key] = value.clone();
        }
        let body = json!({ "message": message });
        self.post("api/v1/chat.sendMessage", &body).await
    }

    /// A page of what changed.
    pub(crate) async fn page(&self, next: i64, kind: &str, count: usize) -> Raw {
        let room = self.room("chantiers");
        self.get(&format!(
            "api/v1/chat.syncMessages?roomId={room}&next={next}&type={kind}&count={count}"
        ))
        .await
    }

    pub(crate) fn room(&self, name: &str) -> String {
        self.server.state().room(name)
    }
}

impl Others for Server {
    fn id(&self, person: &str) -> String {
        self.state().user(person)
    }

    fn standing(&self, room: &str) -> Vec<String> {
        let messages = Self::standing(self, room).into_iter();
        messages.map(|message| message.text).collect()
    }

    fn alone(&self) -> Vec<String> {
        let state = self.state();
        let two = |id: &str| state.rooms.get(id).is_some_and(|room| room.kind == 'd');
        let messages = state.messages.iter().filter(|message| two(&message.rid));
        messages.map(|message| message.text.clone()).collect()
    }

    fn notified(&self) -> usize {
        self.state().notified.len()
    }

    fn loses_an_answer(&self) {
        self.fault(Fault::LoseAnswer);
    }

    fn breaks_off(&self) {
        self.fault(Fault::Reset);
    }

    fn refuses(&self, reply: Reply) {
        self.fault(Fault::Refuse(reply));
    }

    fn signs(&self, message: &str, person: &str, sign: &str, stands: bool) {
        self.state().reacts(message, person, sign, Some(stands));
    }

    fn says(&self, room: &str, text: &str) -> String {
        Self::says(self, "anna", room, text)
    }

    fn edits(&self, message: &str, text: &str) {
        Self::edits(self, message, text);
    }

    fn deletes(&self, message: &str) {
        Self::deletes(self, message);
    }

    fn reacts(&self, message: &str) {
        self.state().reacts(message, "anna", "+1", Some(true));
    }

    fn restarts(&self) {
        self.streams_end();
    }

    fn goes_deaf(&self) {
        self.streams_go_deaf();
    }

    fn answers(&self) -> Box<dyn FnMut(&Seen) -> Play + Send> {
        let server = self.clone();
        Box::new(move |seen| server.answer(seen))
    }
}
