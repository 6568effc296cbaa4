//! A home server that behaves as Synapse does towards one account in one room: transactions, changes,
//! things taken away, tokens of a past, questions that are kept open.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use raccord_kit::standin::{Play, Reply, Seen};
use serde_json::{Value, json};

pub(crate) const ROOM: &str = "!room:example.org";
pub(crate) const ALIAS: &str = "#programme:example.org";
pub(crate) const ME: &str = "@raccord:example.org";
/// How many events an answer brings at once, whatever is asked for.
const TIMELINE: usize = 100;

/// The server.
#[derive(Clone)]
pub(crate) struct House(Arc<Mutex<State>>);

/// What it holds.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of its own"
)]
pub(crate) struct State {
    pub(crate) token: String,
    pub(crate) joined: bool,
    pub(crate) invited: bool,
    pub(crate) encrypted: bool,
    /// The power of our account.
    pub(crate) power: i64,
    pub(crate) events: Vec<Value>,
    pub(crate) pinned: Vec<String>,
    sent: BTreeMap<String, String>,
    /// What was answered to which question is kept, for minutes, where `keeps` says so: tests have no
    /// minutes.
    synced: BTreeMap<String, Value>,
    pub(crate) keeps: bool,
}

impl House {
    pub(crate) fn new(token: &str) -> Self {
        Self(Arc::new(Mutex::new(State {
            token: token.to_owned(),
            joined: false,
            invited: true,
            encrypted: false,
            power: 50,
            events: Vec::new(),
            pinned: Vec::new(),
            sent: BTreeMap::new(),
            synced: BTreeMap::new(),
            keeps: false,
        })))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody else does something; gives the event's id.
    pub(crate) fn member(&self, author: &str, kind: &str, content: Value) -> String {
        self.state().add(author, kind, content, None)
    }

    /// Somebody else says something.
    pub(crate) fn says(&self, author: &str, text: &str) -> String {
        let content = json!({ "msgtype": "m.text", "body": text });
        self.member(author, "m.room.message", content)
    }

    /// Somebody takes an event away.
    pub(crate) fn takes_away(&self, author: &str, event: &str) {
        let mut state = self.state();
        state.redact(author, event);
    }

    /// The messages we said that stand there: what each says now.
    pub(crate) fn messages(&self) -> Vec<String> {
        let state = self.state();
        let ours = state.events.iter().filter(|event| {
            event["sender"] == ME
                && event["type"] == "m.room.message"
                && event["content"]["m.relates_to"]["rel_type"] != "m.replace"
                && event["unsigned"].get("redacted_because").is_none()
        });
        ours.map(|event| {
            let new = &event["unsigned"]["m.relations"]["m.replace"]["content"]["m.new_content"];
            let shown = if new.is_object() {
                new
            } else {
                &event["content"]
            };
            shown["body"].as_str().unwrap_or_default().to_owned()
        })
        .collect()
    }

    /// The server forgets which transactions it saw, as Synapse does after a day.
    pub(crate) fn forgets_transactions(&self) {
        let mut state = self.state();
        state.sent.clear();
        for event in &mut state.events {
            if let Some(unsigned) = event["unsigned"].as_object_mut() {
                unsigned.remove("transaction_id");
            }
        }
    }

    /// Answers as the server does.
    pub(crate) fn answer(&self, seen: &Seen) -> Play {
        let mut state = self.state();
        if seen.header("authorization") != format!("Bearer {}", state.token) {
            return refusal(401, "M_UNKNOWN_TOKEN");
        }
        let path = seen
            .path
            .split("/_matrix/client/")
            .nth(1)
            .unwrap_or_default();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let parts: Vec<String> = path.split('/').map(decoded).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let query: BTreeMap<String, String> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), decoded(value)))
            .collect();
        let body: Value = serde_json::from_slice(&seen.body).unwrap_or_default();
        match (seen.method.as_str(), &parts[..]) {
            ("GET", ["v3", "account", "whoami"]) => {
                yes(&json!({ "user_id": ME, "device_id": "D" }))
            }
            ("GET", ["v3", "joined_rooms"]) => {
                let rooms: &[&str] = if state.joined { &[ROOM] } else { &[] };
                yes(&json!({ "joined_rooms": rooms }))
            }
            ("GET", ["v3", "directory", "room", alias]) if *alias == ALIAS => {
                yes(&json!({ "room_id": ROOM, "servers": ["example.org"] }))
            }
            ("POST", ["v3", "rooms", ROOM, "join"]) if state.invited || state.joined => {
                state.joined = true;
                yes(&json!({ "room_id": ROOM }))
            }
            ("POST", ["v3", "rooms", _, "join"]) => refusal(403, "M_FORBIDDEN"),
            ("GET", ["v3", "sync"]) => {
                let known = state.synced.get(&seen.path).cloned();
                let known = known.filter(|_| state.keeps);
                let answer = known.or_else(|| state.sync(&query));
                let Some(answer) = answer else {
                    // The question stays open.
                    return Play::Silent;
                };
                state.synced.insert(seen.path.clone(), answer.clone());
                yes(&answer)
            }
            (_, ["v1" | "v3", "rooms", ROOM, rest @ ..]) if state.joined => {
                state.room(seen.method.as_str(), rest, &query, &body, path)
            }
            (_, ["v3", "rooms", ..]) => refusal(403, "M_FORBIDDEN"),
            _ => refusal(404, "M_NOT_FOUND"),
        }
    }
}

impl State {
    fn room(
        &mut self,
        method: &str,
        rest: &[&str],
        query: &BTreeMap<String, String>,
        body: &Value,
        path: &str,
    ) -> Play {
        match (method, rest) {
            ("GET", ["state", "m.room.encryption"]) if self.encrypted => {
                yes(&json!({ "algorithm": "m.megolm.v1.aes-sha2" }))
            }
            ("GET", ["state", "m.room.power_levels"]) => {
                yes(&json!({ "users": { ME: self.power }, "state_default": 50 }))
            }
            ("GET", ["state", "m.room.name"]) => yes(&json!({ "name": "Programme" })),
            ("GET", ["state", "m.room.canonical_alias"]) => yes(&json!({ "alias": ALIAS })),
            ("GET", ["state", "m.room.pinned_events"]) if !self.pinned.is_empty() => {
                yes(&json!({ "pinned": self.pinned }))
            }
            ("PUT", ["state", "m.room.pinned_events"]) if self.power < 50 => {
                refusal(403, "M_FORBIDDEN")
            }
            ("PUT", ["state", "m.room.pinned_events"]) => {
                let pinned = body["pinned"].as_array().into_iter().flatten();
                self.pinned = pinned
                    .filter_map(|id| Some(id.as_str()?.to_owned()))
                    .collect();
                yes(&json!({ "event_id": "$state" }))
            }
            ("PUT", ["send", kind, transaction]) => {
                if body.to_string().len() > 65_536 {
                    return refusal(413, "M_TOO_LARGE");
                }
                let known = self.sent.get(path).cloned();
                let id =
                    known.unwrap_or_else(|| self.add(ME, kind, body.clone(), Some(transaction)));
                self.sent.insert(path.to_owned(), id.clone());
                yes(&json!({ "event_id": id }))
            }
            ("PUT", ["redact", event, _]) => {
                self.redact(ME, event);
                yes(&json!({ "event_id": "$redaction" }))
            }
            ("GET", ["event", id]) => {
                match self.events.iter().find(|event| event["event_id"] == **id) {
                    Some(event) => yes(event),
                    None => refusal(404, "M_NOT_FOUND"),
                }
            }
            ("GET", ["messages"]) => self.past(query),
            ("GET", ["relations", of, ..]) => self.related(of, query),
            _ => refusal(404, "M_NOT_FOUND"),
        }
    }

    fn add(
        &mut self,
        author: &str,
        kind: &str,
        content: Value,
        transaction: Option<&str>,
    ) -> String {
        let id = format!("${}", self.events.len());
        let relates = content["m.relates_to"].clone();
        let mut event = json!({
            "event_id": id, "sender": author, "type": kind,
            "origin_server_ts": 1_798_876_800_000_i64, "unsigned": { "age": 5 },
        });
        event["content"] = content;
        if let Some(transaction) = transaction {
            event["unsigned"]["transaction_id"] = transaction.into();
        }
        if relates["rel_type"] == "m.replace" {
            let of = |known: &&mut Value| known["event_id"] == relates["event_id"];
            if let Some(known) = self.events.iter_mut().find(of) {
                known["unsigned"]["m.relations"]["m.replace"] = event.clone();
            }
        }
        self.events.push(event);
        id
    }

    fn redact(&mut self, author: &str, id: &str) {
        let known = |event: &&mut Value| event["event_id"] == id;
        if let Some(event) = self.events.iter_mut().find(known) {
            event["content"] = json!({});
            event["unsigned"]["redacted_because"] = json!({ "sender": author });
        }
        self.add(author, "m.room.redaction", json!({ "redacts": id }), None);
    }

    fn allowed(filter: &Value, event: &Value) -> bool {
        let lists = |name: &str, value: &Value| {
            filter[name]
                .as_array()
                .is_none_or(|all| all.contains(value))
        };
        let refused = filter["not_senders"].as_array();
        lists("types", &event["type"])
            && lists("senders", &event["sender"])
            && refused.is_none_or(|all| !all.contains(&event["sender"]))
    }

    /// A page of the past: from `from` (or now) back to `to`, newest first.
    fn past(&self, query: &BTreeMap<String, String>) -> Play {
        let token = |name: &str| {
            query
                .get(name)
                .and_then(|token| token[1..].parse::<usize>().ok())
        };
        let filter: Value = query
            .get("filter")
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let (from, to) = (
            token("from").unwrap_or(self.events.len()),
            token("to").unwrap_or(0),
        );
        let mut chunk = Vec::new();
        let mut at = from;
        while at > to && chunk.len() < TIMELINE {
            at -= 1;
            let event = &self.events[at];
            if Self::allowed(&filter, event) {
                chunk.push(event);
            }
        }
        let mut page = json!({ "chunk": chunk, "start": format!("s{from}") });
        if at > to {
            page["end"] = format!("s{at}").into();
        }
        yes(&page)
    }

    /// A page of what relates to an event, newest first.
    fn related(&self, of: &str, query: &BTreeMap<String, String>) -> Play {
        let related = |event: &&Value| event["content"]["m.relates_to"]["event_id"] == of;
        let all: Vec<&Value> = self.events.iter().rev().filter(related).collect();
        let number = |name: &str| query.get(name).and_then(|text| text.parse::<usize>().ok());
        let from = number("from").unwrap_or(0).min(all.len());
        let to = all
            .len()
            .min(from + number("limit").unwrap_or(5).min(TIMELINE));
        let mut page = json!({ "chunk": all[from..to] });
        if to < all.len() {
            page["next_batch"] = to.to_string().into();
        }
        yes(&page)
    }

    fn sync(&self, query: &BTreeMap<String, String>) -> Option<Value> {
        let next = format!("s{}", self.events.len());
        let Some(since) = query
            .get("since")
            .and_then(|token| token[1..].parse::<usize>().ok())
        else {
            return Some(json!({ "next_batch": next }));
        };
        let filter: Value = query
            .get("filter")
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let filter = &filter["room"]["timeline"];
        let fresh: Vec<(usize, &Value)> = self
            .events
            .iter()
            .enumerate()
            .skip(since)
            .filter(|(_, event)| self.joined && Self::allowed(filter, event))
            .collect();
        let waits = query.get("timeout").is_some_and(|timeout| timeout != "0");
        if fresh.is_empty() {
            return (!waits).then(|| json!({ "next_batch": next }));
        }
        let first = fresh.len().saturating_sub(TIMELINE);
        let events: Vec<&Value> = fresh[first..].iter().map(|(_, event)| *event).collect();
        let timeline = json!({
            "events": events, "limited": first > 0, "prev_batch": format!("s{}", fresh[first].0),
        });
        Some(json!({ "next_batch": next, "rooms": { "join": { ROOM: { "timeline": timeline } } } }))
    }
}

fn yes(body: &Value) -> Play {
    Reply::ok(body.to_string()).into()
}

/// As the server refuses.
pub(crate) fn refusal(status: u16, code: &str) -> Play {
    let body = json!({ "errcode": code, "error": "No" });
    Reply::status(status).body(body.to_string()).into()
}

fn decoded(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let hex: Vec<u8> = bytes.by_ref().take(2).collect();
                let hex = std::str::from_utf8(&hex).unwrap_or_default();
                out.push(u8::from_str_radix(hex, 16).unwrap_or(b'?'));
            }
            b'+' => out.push(b' '),
            other => out.push(other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
