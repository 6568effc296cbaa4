//! A Mattermost that behaves as its source says (10.7 and 11.x), surprises included, and what tests do
//! with it.

#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    reason = "tests use what they need of it"
)]

pub(crate) mod events;
pub(crate) mod mentions;
pub(crate) mod posts;
pub(crate) mod quirks;
pub(crate) mod server;

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use http::{Method, header};
use raccord_chat::testing::{Instance, Others, noon};
pub(crate) use raccord_chat::testing::{activity, concert};
use raccord_connector_mattermost::CONNECTOR;
use raccord_kit::http::{Answer, Http, Request, Target};
use raccord_kit::standin::{Play, Reply, Seen, Standin};
use serde_json::{Value, json};

use quirks::Quirk;
use server::{Fault, Server, TOKEN};

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

impl Others for Server {
    fn id(&self, person: &str) -> String {
        self.state().user(person)
    }

    fn standing(&self, room: &str) -> Vec<String> {
        let posts = Self::standing(self, room).into_iter();
        posts.map(|post| post.message).collect()
    }

    fn alone(&self) -> Vec<String> {
        let state = self.state();
        let two = |id: &str| state.channels.get(id).is_some_and(|of| of.kind == 'D');
        let posts = state.posts.iter().filter(|post| two(&post.channel_id));
        posts.map(|post| post.message.clone()).collect()
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
        let mut state = self.state();
        let person = state.user(person);
        if stands {
            state.reacts(message, &person, sign);
        } else {
            state.reacts_no_more(message, &person, sign);
        }
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
        let mut state = self.state();
        let anna = state.user("anna");
        state.reacts(message, &anna, "+1");
    }

    fn restarts(&self) {
        self.restart();
    }

    fn goes_deaf(&self) {
        self.state().events.all_deaf();
    }

    fn answers(&self) -> Box<dyn FnMut(&Seen) -> Play + Send> {
        let server = self.clone();
        Box::new(move |seen| server.answer(seen))
    }
}
