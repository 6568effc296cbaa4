//! SMS Gateway for Android (1.60), and its server: what they hold, and what they answer.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::{SignedDuration, Timestamp};
use raccord_kit::standin::{Play, Reply, Seen};
use raccord_kit::{Clock as _, ManualClock};
use serde_json::{Value, json};

use super::quirks::Quirk;

pub(crate) const PASSWORD: &str = "canary-pass";
/// What `sms:canary-pass` is in a header.
const BASIC: &str = "Basic c21zOmNhbmFyeS1wYXNz";
/// What `sms:fresh` is there.
pub(crate) const FRESH: &str = "Basic c21zOmZyZXNo";

/// A message on a phone.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) number: String,
    pub(crate) text: String,
    pub(crate) state: &'static str,
    pub(crate) at: Timestamp,
    until: Timestamp,
}

pub(crate) struct State {
    /// By phone and id.
    pub(crate) messages: BTreeMap<(String, String), Message>,
    pub(crate) devices: Vec<String>,
    /// Whether it is the server, with phones behind it, or the app itself.
    pub(crate) server: bool,
    /// The phone is off: nothing leaves.
    pub(crate) off: bool,
    /// The server takes no more.
    pub(crate) full: bool,
    /// Whoever asks is not let in.
    pub(crate) locked: bool,
    /// Who is let in, as the header says it.
    pub(crate) lets_in: &'static str,
    /// How every request is answered, where it is not as usual.
    pub(crate) always: Option<Reply>,
    /// A number that is refused.
    pub(crate) poisoned: Option<String>,
    /// What happens to the next posts.
    pub(crate) faults: VecDeque<Play>,
    turn: usize,
}

/// One phone, or one server; clones are the same.
#[derive(Clone)]
pub(crate) struct Phone {
    state: Arc<Mutex<State>>,
    pub(crate) clock: Arc<ManualClock>,
    lost: Option<Quirk>,
}

impl Phone {
    pub(crate) fn new(clock: Arc<ManualClock>, lost: Option<Quirk>) -> Self {
        let state = State {
            messages: BTreeMap::new(),
            devices: vec!["phone-1".to_owned()],
            server: false,
            off: false,
            full: false,
            locked: false,
            lets_in: BASIC,
            always: None,
            poisoned: None,
            faults: VecDeque::new(),
            turn: 0,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            clock,
            lost,
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn has(&self, quirk: Quirk) -> bool {
        self.lost != Some(quirk)
    }

    /// What left the phones, in the order of their ids.
    pub(crate) fn left(&self) -> Vec<Message> {
        self.works();
        let state = self.state();
        let left = state.messages.values().filter(|one| one.state == "Sent");
        left.cloned().collect()
    }

    /// The phones send what waits, and clean up what is old.
    pub(crate) fn works(&self) {
        let now = self.clock.now();
        let mut state = self.state();
        let off = state.off;
        for message in state.messages.values_mut() {
            let late = now > message.until;
            if message.state == "Pending" && !off {
                message.state = if late && self.has(Quirk::TooLateIsFailed) {
                    "Failed"
                } else {
                    "Sent"
                };
            }
        }
        if self.has(Quirk::OldFreesTheId) {
            let old = now - SignedDuration::from_hours(30 * 24);
            let kept = |message: &Message| message.at > old || message.state == "Pending";
            state.messages.retain(|_, message| kept(message));
        }
    }

    pub(crate) fn answer(&self, seen: &Seen) -> Play {
        let posts = seen.method == "POST";
        if posts {
            let fault = self.state().faults.pop_front();
            match fault {
                Some(Play::DoneThenReset) => {
                    drop(self.reply(seen));
                    return Play::DoneThenReset;
                }
                Some(fault) => return fault,
                None => {}
            }
        }
        self.reply(seen).into()
    }

    fn reply(&self, seen: &Seen) -> Reply {
        {
            let state = self.state();
            if let Some(reply) = &state.always {
                return reply.clone();
            }
            if seen.header("authorization") != state.lets_in || state.locked {
                return Reply::status(401);
            }
        }
        self.works();
        let path = seen.path.split('?').next().unwrap_or_default();
        match (seen.method.as_str(), path) {
            ("GET", "/device") if self.has(Quirk::OneDevice) && self.state().server => not_found(),
            ("GET", "/devices") if self.has(Quirk::OneDevice) && !self.state().server => {
                not_found()
            }
            ("GET", "/device" | "/devices") => {
                let devices = self.state().devices.clone();
                let all = devices
                    .iter()
                    .map(|id| json!({ "id": id, "name": format!("Fairphone/{id}") }));
                Reply::ok(Value::Array(all.collect()).to_string())
            }
            ("GET", "/messages") => self.list(&seen.path),
            ("GET", one) => self.one(one.rsplit('/').next().unwrap_or_default()),
            ("POST", "/messages") => self.take(&serde_json::from_slice(&seen.body).unwrap()),
            _ => not_found(),
        }
    }

    fn list(&self, path: &str) -> Reply {
        let query = |name: &str| {
            let all = path.split_once('?').map(|(_, all)| all).unwrap_or_default();
            let found = all
                .split('&')
                .find_map(|one| one.strip_prefix(name)?.strip_prefix('='));
            found.map(|value| value.replace("%3A", ":"))
        };
        let from: Timestamp = query("from").unwrap().parse().unwrap();
        let state = query("state");
        let inner = self.state();
        let fits = |message: &&Message| {
            message.at >= from && state.as_ref().is_none_or(|state| message.state == state)
        };
        let count = inner.messages.values().filter(fits).count();
        // Never more than asked for, and never what they say.
        let shown = vec![json!({ "id": "other", "state": "Sent" }); count.min(1)];
        let reply = Reply::ok(Value::Array(shown).to_string());
        if self.has(Quirk::TotalInHeader) {
            reply.header("x-total-count", &count.to_string())
        } else {
            reply
        }
    }

    fn one(&self, id: &str) -> Reply {
        let state = self.state();
        let mut all = state.messages.iter();
        match all.find(|((_, known), _)| known == id) {
            Some((_, message)) => Reply::ok(shown(id, message).to_string()),
            None => not_found(),
        }
    }

    fn take(&self, body: &Value) -> Reply {
        let refuse = |status: u16, text: &str| {
            Reply::status(status).body(json!({ "message": text }).to_string())
        };
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let id = text("id");
        let mut state = self.state();
        if self.has(Quirk::IdOf36) && id.len() > 36 {
            return refuse(
                400,
                "Key: 'Message.ID' Error:Field validation for 'ID' failed",
            );
        }
        if state.full && self.has(Quirk::FullIs503) {
            return refuse(503, "queue limits exceeded");
        }
        let number = body["phoneNumbers"][0].as_str().unwrap_or_default();
        if state.poisoned.as_deref() == Some(number) {
            return refuse(415, "no");
        }
        if !number.starts_with('+') {
            return refuse(400, &format!("failed to use phone in row 1: {number}"));
        }
        let device = match body["deviceId"].as_str() {
            Some(device) if state.devices.iter().any(|known| known == device) => device.to_owned(),
            Some(_) => return refuse(400, "Invalid device ID"),
            // Whichever comes next.
            None => {
                let at = state.turn % state.devices.len();
                state.turn += 1;
                state.devices[at].clone()
            }
        };
        let known = state.messages.keys().any(|(phone, known)| {
            *known == id && (*phone == device || !self.has(Quirk::IdsPerPhone))
        });
        if known && self.has(Quirk::RepeatIsConflict) {
            return refuse(409, "Message with the same ID already exists");
        }
        let now = self.clock.now();
        let ttl = SignedDuration::from_secs(body["ttl"].as_i64().unwrap_or(i64::from(u32::MAX)));
        let message = Message {
            number: number.to_owned(),
            text: body["textMessage"]["text"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            state: if self.has(Quirk::AcceptedIsNotSent) {
                "Pending"
            } else {
                "Sent"
            },
            at: now,
            until: now + ttl,
        };
        let mut name = id.clone();
        if known {
            // Without the surprise the same id is another message.
            name.push('+');
        }
        let reply = shown(&id, &message);
        state.messages.insert((device, name), message);
        Reply::status(202).body(reply.to_string())
    }
}

fn shown(id: &str, message: &Message) -> Value {
    json!({
        "id": id, "state": message.state, "isHashed": false, "isEncrypted": false,
        "recipients": [{ "phoneNumber": message.number, "state": message.state }],
        "textMessage": { "text": message.text }, "states": {},
    })
}

fn not_found() -> Reply {
    Reply::status(404).body("")
}
