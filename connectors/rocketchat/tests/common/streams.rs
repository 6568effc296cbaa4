//! What the server tells over DDP, to whoever logged in and asked for it, on each connection anew.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use raccord_kit::standin::{Line, Word};
use serde_json::{Value, json};

use super::messages::Message;
use super::quirks::Quirk;
use super::server::{Server, State};

/// The connections there are.
#[derive(Default)]
pub(crate) struct Streams {
    listeners: Vec<Listener>,
    /// How often somebody logged in.
    pub(crate) logins: usize,
    /// How often somebody said that they are there.
    pub(crate) pongs: usize,
    /// How many coming events do not reach anybody.
    pub(crate) dropped: usize,
    /// The server takes no logins now: too many at once.
    pub(crate) busy: bool,
}

struct Listener {
    line: Line,
    session: Arc<Mutex<Session>>,
}

/// What one connection knows.
#[derive(Default)]
struct Session {
    user: Option<String>,
    subs: BTreeSet<String>,
    /// Whether the last ping was not answered.
    asked: bool,
}

impl Server {
    /// A connection on which nobody is logged in.
    pub(crate) fn stream(&self) -> Line {
        let session = Arc::new(Mutex::new(Session::default()));
        let (server, known) = (self.clone(), Arc::clone(&session));
        let line = Line::new(move |line, text| {
            let asked: Value = serde_json::from_str(text).unwrap_or_default();
            for answer in server.state().ddp(&mut known.lock().unwrap(), &asked) {
                line.says(Word::Text(answer.to_string()));
            }
        });
        let mut state = self.state();
        if state.has(Quirk::StreamGreetsWithoutMsg) {
            line.says(Word::Text(json!({ "server_id": "0" }).to_string()));
        }
        let listener = Listener {
            line: line.clone(),
            session,
        };
        state.streams.listeners.push(listener);
        line
    }

    /// Every connection ends, as when the server restarts.
    pub(crate) fn streams_end(&self) {
        for listener in self.state().streams.listeners.drain(..) {
            listener.line.says(Word::Break);
        }
    }

    /// Every connection stays, and carries nothing any more.
    pub(crate) fn streams_go_deaf(&self) {
        for listener in self.state().streams.listeners.drain(..) {
            listener.line.says(Word::Deaf);
        }
    }

    /// Asks every connection whether somebody is there; ends those that said nothing since the last time.
    pub(crate) fn asks_who_is_there(&self) {
        let mut state = self.state();
        if !state.has(Quirk::StreamPings) {
            return;
        }
        state.streams.listeners.retain(|listener| {
            let mut session = listener.session.lock().unwrap();
            if session.asked {
                listener.line.says(Word::Break);
                return false;
            }
            session.asked = true;
            listener
                .line
                .says(Word::Text(json!({ "msg": "ping" }).to_string()));
            true
        });
    }
}

impl State {
    fn ddp(&mut self, session: &mut Session, asked: &Value) -> Vec<Value> {
        let id = &asked["id"];
        match asked["msg"].as_str().unwrap_or_default() {
            "connect" => vec![json!({ "msg": "connected", "session": "s" })],
            "ping" => vec![json!({ "msg": "pong", "id": id })],
            "pong" => {
                session.asked = false;
                self.streams.pongs += 1;
                Vec::new()
            }
            "method" if asked["method"] == "login" && self.streams.busy => {
                let error = json!({ "error": "too-many-requests", "reason": "Error, too many requests. Please slow down." });
                vec![json!({ "msg": "result", "id": id, "error": error })]
            }
            "method" if asked["method"] == "login" => {
                let token = asked["params"][0]["resume"].as_str().unwrap_or_default();
                let now = self.now();
                let known = self.tokens.get(token).filter(|(_, until)| *until > now);
                match known.cloned() {
                    None => vec![
                        json!({ "msg": "result", "id": id, "error": { "error": 403, "reason": "You've been logged out by the server. Please log in again." } }),
                    ],
                    Some((user, _)) => {
                        self.streams.logins += 1;
                        session.user = Some(user.clone());
                        vec![
                            json!({ "msg": "result", "id": id, "result": { "id": user, "type": "resume" } }),
                        ]
                    }
                }
            }
            "sub" => {
                if session.user.is_none() && self.has(Quirk::StreamForgetsTheLogin) {
                    return vec![
                        json!({ "msg": "nosub", "id": id, "error": { "error": "error-invalid-user" } }),
                    ];
                }
                let event = asked["params"][0].as_str().unwrap_or_default();
                session.subs.insert(format!(
                    "{} {event}",
                    asked["name"].as_str().unwrap_or_default()
                ));
                vec![json!({ "msg": "ready", "subs": [id] })]
            }
            _ => Vec::new(),
        }
    }

    /// Tells whoever asked for this event of this stream.
    fn stream(&mut self, stream: &str, event: &str, arg: &Value) {
        if self.streams.dropped > 0 {
            self.streams.dropped -= 1;
            return;
        }
        let id = if self.has(Quirk::StreamDocumentIsCalledId) {
            "id"
        } else {
            event
        };
        let told = json!({
            "msg": "changed", "collection": stream, "id": id,
            "fields": { "eventName": event, "args": [arg] },
        });
        let wanted = format!("{stream} {event}");
        for listener in &self.streams.listeners {
            if listener.session.lock().unwrap().subs.contains(&wanted) {
                listener.line.says(Word::Text(told.to_string()));
            }
        }
    }

    /// The whole of a message, whatever of it changed.
    pub(crate) fn stream_message(&mut self, message: &Message) {
        let mut all = self.json(message);
        if self.has(Quirk::StreamTimesAreObjects) {
            for (key, at) in [("ts", message.at), ("_updatedAt", message.updated)] {
                all[key] = json!({ "$date": at });
            }
            if let Some(edited) = message.edited {
                all["editedAt"] = json!({ "$date": edited });
            }
        }
        self.stream("stream-room-messages", &message.rid.clone(), &all);
    }

    pub(crate) fn stream_deletion(&mut self, room: &str, message: &str) {
        let event = format!("{room}/deleteMessage");
        self.stream("stream-notify-room", &event, &json!({ "_id": message }));
    }
}
