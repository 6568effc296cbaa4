//! The server: people, rooms, its limits and its refusals. What becomes of messages stands in
//! `messages.rs`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use raccord_kit::standin::{Play, Reply, Seen};
use raccord_kit::{Clock as _, ManualClock};
use raccord_model::Digest;
use serde_json::{Map, Value, json};

use super::messages::{Media, Message};
use super::quirks::Quirk;
use super::streams::Streams;

pub(crate) const TOKEN: &str = "token-canary-of-rocketchat";
/// The id of the bot's account.
pub(crate) const BOT: &str = "rbAXPnMktTFbNpwtJ";
/// Calls per minute, route and address.
const LIMIT: usize = 10;
const MINUTE: i64 = 60_000;

/// What goes wrong with the next request that asks for a change.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// It is done, and nobody is told.
    LoseAnswer,
    /// It is not done, and the connection breaks.
    Reset,
    /// An installed app takes the message away before it is kept.
    Veto,
    /// It is answered with this, and not done.
    Refuse(Reply),
}

#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) roles: BTreeSet<String>,
}

impl User {
    /// The permissions that the default table gives to its roles.
    pub(crate) fn may(&self, permission: &str) -> bool {
        let roles: &[&str] = match permission {
            "api-bypass-rate-limit" => &["admin", "bot", "app"],
            "message-impersonate" => &["bot"],
            "mention-all" | "mention-here" => &["admin", "owner", "moderator", "user"],
            _ => &[],
        };
        roles.iter().any(|role| self.roles.contains(*role))
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Room {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: char,
    pub(crate) members: BTreeSet<String>,
    pub(crate) archived: bool,
    pub(crate) encrypted: bool,
    pub(crate) read_only: bool,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of its own"
)]
pub(crate) struct State {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) lost: Option<Quirk>,
    pub(crate) users: BTreeMap<String, User>,
    /// Whose each token is, and until when it is good.
    pub(crate) tokens: BTreeMap<String, (String, i64)>,
    pub(crate) rooms: BTreeMap<String, Room>,
    /// Oldest first.
    pub(crate) messages: Vec<Message>,
    /// What was deleted: message, room, when.
    pub(crate) trash: Vec<(String, String, i64)>,
    pub(crate) media: BTreeMap<String, Media>,
    pub(crate) longest: usize,
    pub(crate) custom_fields: bool,
    pub(crate) editing: bool,
    /// In minutes; 0 for none.
    pub(crate) edit_limit: i64,
    /// Whether what is deleted leaves a mark in its place.
    pub(crate) tombstones: bool,
    pub(crate) version: &'static str,
    calls: BTreeMap<String, VecDeque<i64>>,
    /// Who was notified by what.
    pub(crate) notified: Vec<(String, String)>,
    /// What the streams and the outgoing webhooks were told: message and how.
    pub(crate) told: Vec<(String, &'static str)>,
    pub(crate) heard: Vec<Value>,
    pub(crate) streams: Streams,
    pub(crate) faults: VecDeque<Fault>,
    pub(crate) vetoed: bool,
    /// How many requests of each kind came.
    pub(crate) counts: BTreeMap<String, usize>,
    counter: u64,
}

/// A handle; clones are the same server.
#[derive(Clone)]
pub(crate) struct Server(Arc<Mutex<State>>);

/// The parts of a request that is being answered.
pub(crate) struct Call<'a> {
    pub(crate) user: User,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) body: &'a [u8],
}

impl Call<'_> {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(self.body).unwrap_or_default()
    }

    pub(crate) fn ask(&self, key: &str) -> &str {
        self.query.get(key).map(String::as_str).unwrap_or_default()
    }
}

impl Server {
    /// A server with the bot `raccord` in the public channels `general` and `chantiers`, the member
    /// `anna`, and the private room `bureau` where the bot is not.
    pub(crate) fn new(clock: Arc<ManualClock>, lost: Option<Quirk>) -> Self {
        let mut state = State {
            clock,
            lost,
            users: BTreeMap::new(),
            tokens: BTreeMap::new(),
            rooms: BTreeMap::new(),
            messages: Vec::new(),
            trash: Vec::new(),
            media: BTreeMap::new(),
            longest: 5_000,
            custom_fields: false,
            editing: true,
            edit_limit: 0,
            tombstones: false,
            version: "8.6.0",
            calls: BTreeMap::new(),
            notified: Vec::new(),
            told: Vec::new(),
            heard: Vec::new(),
            streams: Streams::default(),
            faults: VecDeque::new(),
            vetoed: false,
            counts: BTreeMap::new(),
            counter: 0,
        };
        let bot = state.add_user("raccord", &["bot"]);
        let mut robot = state.users.remove(&bot).unwrap();
        BOT.clone_into(&mut robot.id);
        let bot = BOT.to_owned();
        state.users.insert(bot.clone(), robot);
        let anna = state.add_user("anna", &["user"]);
        state
            .tokens
            .insert(TOKEN.to_owned(), (bot.clone(), i64::MAX));
        state
            .tokens
            .insert("token-of-anna".to_owned(), (anna.clone(), i64::MAX));
        for (name, kind) in [("general", 'c'), ("chantiers", 'c'), ("bureau", 'p')] {
            let room = state.add_room(name, kind);
            let room = state.rooms.get_mut(&room).unwrap();
            room.members.insert(anna.clone());
            if kind == 'c' {
                room.members.insert(bot.clone());
            }
        }
        Self(Arc::new(Mutex::new(state)))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Something goes wrong with the next request that asks for a change.
    pub(crate) fn fault(&self, fault: Fault) {
        self.state().faults.push_back(fault);
    }

    pub(crate) fn answer(&self, seen: &Seen) -> Play {
        if seen.path == "/websocket" {
            return Play::Socket(self.stream());
        }
        self.state().answer(seen)
    }

    /// A member writes.
    pub(crate) fn says(&self, user: &str, room: &str, text: &str) -> String {
        self.replies(user, room, text, None)
    }

    pub(crate) fn replies(&self, user: &str, room: &str, text: &str, root: Option<&str>) -> String {
        let mut state = self.state();
        let mut message = Message::new(state.id(), state.user(user), state.room(room), text);
        message.tmid = root.map(str::to_owned);
        let id = message.id.clone();
        state.add(message);
        id
    }

    pub(crate) fn edits(&self, message: &str, text: &str) {
        self.state().edit(message, text);
    }

    pub(crate) fn deletes(&self, message: &str) {
        self.state().erase(message);
    }

    /// What stands in a room, oldest first, without what the server itself wrote.
    pub(crate) fn standing(&self, room: &str) -> Vec<Message> {
        let state = self.state();
        let room = state.room(room);
        let stands = |message: &&Message| message.rid == room && message.kind.is_none();
        state.messages.iter().filter(stands).cloned().collect()
    }

    /// How many requests came whose kind starts so.
    pub(crate) fn count(&self, kind: &str) -> usize {
        let state = self.state();
        let counts = state.counts.iter();
        counts
            .filter(|(name, _)| name.starts_with(kind))
            .map(|(_, count)| count)
            .sum()
    }

    /// Tells an outgoing webhook what it heard of, as often as the server would; how often that was.
    pub(crate) fn deliver(&self, mut receiver: impl FnMut(&Value) -> (u16, String)) -> usize {
        const TRIES: usize = 6;
        let (heard, repeats) = {
            let mut state = self.state();
            let repeats = state.has(Quirk::EmptyAnswerIsRepeated);
            (std::mem::take(&mut state.heard), repeats)
        };
        let mut calls = 0;
        for body in heard {
            for _ in 0..TRIES {
                calls += 1;
                let (status, answer) = receiver(&body);
                let good = matches!(status, 200..=202) && (!answer.is_empty() || !repeats);
                if good || matches!(status, 410 | 500) {
                    break;
                }
            }
        }
        calls
    }
}

impl State {
    pub(crate) fn has(&self, quirk: Quirk) -> bool {
        self.lost != Some(quirk)
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    /// 17 letters and digits.
    pub(crate) fn id(&mut self) -> String {
        self.counter += 1;
        Digest::of(&self.counter.to_be_bytes()).to_string()[..17].to_owned()
    }

    pub(crate) fn add_user(&mut self, name: &str, roles: &[&str]) -> String {
        let id = self.id();
        let user = User {
            id: id.clone(),
            name: name.to_owned(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        };
        self.users.insert(id.clone(), user);
        id
    }

    pub(crate) fn add_room(&mut self, name: &str, kind: char) -> String {
        let id = self.id();
        let room = Room {
            id: id.clone(),
            name: name.to_owned(),
            kind,
            members: BTreeSet::new(),
            archived: false,
            encrypted: false,
            read_only: false,
        };
        self.rooms.insert(id.clone(), room);
        id
    }

    pub(crate) fn user(&self, name: &str) -> String {
        let mut users = self.users.values();
        users.find(|user| user.name == name).unwrap().id.clone()
    }

    pub(crate) fn room(&self, name: &str) -> String {
        let mut rooms = self.rooms.values();
        rooms.find(|room| room.name == name).unwrap().id.clone()
    }

    pub(crate) fn room_mut(&mut self, name: &str) -> &mut Room {
        let id = self.room(name);
        self.rooms.get_mut(&id).unwrap()
    }

    pub(crate) fn roles(&mut self, name: &str, roles: &[&str]) {
        let id = self.user(name);
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        self.users.get_mut(&id).unwrap().roles = roles;
    }

    fn answer(&mut self, seen: &Seen) -> Play {
        let (path, query) = seen.path.split_once('?').unwrap_or((&seen.path, ""));
        let query = url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let path = path.trim_start_matches('/');
        *self
            .counts
            .entry(format!("{} {path}", seen.method))
            .or_default() += 1;
        if path == "api/info" {
            return success(json!({ "version": self.version })).into();
        }
        if path.starts_with("hooks/") {
            return self.incoming(path).into();
        }
        let Some(route) = path.strip_prefix("api/v1/") else {
            return Reply::login_page().into();
        };
        if route == "login" {
            return self.login(seen).into();
        }
        let user = self.who(seen);
        let bypasses = user
            .as_ref()
            .is_some_and(|user| user.may("api-bypass-rate-limit"));
        if !(bypasses && self.has(Quirk::BotBypasses))
            && let Some(refusal) = self.too_often(route)
        {
            return refusal.into();
        }
        let Some(user) = user else {
            let text = "You must be logged in to do this.";
            let body =
                json!({ "success": false, "error": text, "status": "error", "message": text });
            return reply(401, &body).into();
        };
        let fault = seen.writes().then(|| self.faults.pop_front()).flatten();
        match fault {
            Some(Fault::Refuse(refusal)) => return refusal.into(),
            Some(Fault::Reset) => return Play::Reset,
            Some(Fault::Veto) => self.vetoed = true,
            _ => {}
        }
        let call = Call {
            user,
            query,
            body: &seen.body,
        };
        let answer = self.route(seen.method.as_str(), route, &call);
        self.vetoed = false;
        match fault {
            Some(Fault::LoseAnswer) => Play::DoneThenReset,
            _ => answer.into(),
        }
    }

    fn route(&mut self, method: &str, route: &str, call: &Call<'_>) -> Reply {
        let (route, rest) = route.split_once('/').unwrap_or((route, ""));
        match (method, route) {
            ("GET", "me") => me(&call.user),
            ("GET", "settings.public") => self.public_settings(call),
            ("GET", "rooms.info") => self.room_info(call),
            ("GET", "rooms.get") => self.my_rooms(call),
            ("GET", "subscriptions.getOne") => self.subscription(call),
            ("GET", "users.info") => self.user_info(call),
            ("POST", "im.create") => self.direct(call),
            ("POST", "chat.sendMessage") => self.send(call),
            ("POST", "chat.postMessage") => self.post(call),
            ("POST", "chat.update") => self.update(call),
            ("POST", "chat.delete") => self.delete(call),
            ("POST", "chat.react") => self.react(call),
            ("POST", "chat.pinMessage") => self.pin(call, true),
            ("POST", "chat.unPinMessage") => self.pin(call, false),
            ("GET", "chat.getMessage") => self.one(call),
            ("GET", "chat.syncMessages") => self.sync(call),
            ("POST", "rooms.media") => self.upload(rest, call),
            ("POST", "rooms.mediaConfirm") => self.confirm(rest, call),
            ("POST", "rooms.upload") if !self.has(Quirk::SingleStepIsGone) => {
                success(json!({ "message": {} }))
            }
            _ => reply(
                404,
                &json!({ "success": false, "error": "Resource not found" }),
            ),
        }
    }

    fn who(&self, seen: &Seen) -> Option<User> {
        let (token, id) = (seen.header("x-auth-token"), seen.header("x-user-id"));
        let (owner, until) = self.tokens.get(token)?;
        if *until <= self.now() && self.has(Quirk::SessionsExpire) {
            return None;
        }
        if owner != id && self.has(Quirk::BothHeadersNeeded) {
            return None;
        }
        self.users.get(owner).cloned()
    }

    /// The refusal of an address that asked one route too often.
    fn too_often(&mut self, route: &str) -> Option<Reply> {
        if !self.has(Quirk::TenAMinute) {
            return None;
        }
        let now = self.now();
        let per_route = self.has(Quirk::LimitPerRoute);
        let key = if per_route { route } else { "" };
        let calls = self.calls.entry(key.to_owned()).or_default();
        calls.retain(|call| now - call < MINUTE);
        if calls.len() < LIMIT {
            calls.push_back(now);
            return None;
        }
        let free = calls[0] + MINUTE;
        let reset = if self.has(Quirk::ResetIsAMoment) {
            free
        } else {
            (free - now) / 1_000
        };
        let seconds = (free - now) / 1_000;
        let refusal = reply(
            429,
            &json!({ "success": false, "error": format!("Error, too many requests. Please slow down. You must wait {seconds} seconds before trying this endpoint again. [error-too-many-requests]") }),
        )
        .header("x-ratelimit-limit", &LIMIT.to_string())
        .header("x-ratelimit-remaining", "0")
        .header("x-ratelimit-reset", &reset.to_string());
        Some(if self.has(Quirk::NoRetryAfter) {
            refusal
        } else {
            refusal.header("retry-after", &seconds.to_string())
        })
    }

    /// An incoming webhook: good for a text and nothing else, and limited for everybody.
    fn incoming(&mut self, path: &str) -> Reply {
        if self.has(Quirk::HooksNeverBypass)
            && let Some(refusal) = self.too_often(path)
        {
            return refusal;
        }
        success(json!({}))
    }

    /// A password for a token that ends one day.
    fn login(&mut self, seen: &Seen) -> Reply {
        let body: Value = serde_json::from_slice(&seen.body).unwrap_or_default();
        let name = body["user"].as_str().unwrap_or_default();
        if body["password"] != "password" || !self.users.values().any(|user| user.name == name) {
            let body =
                json!({ "status": "error", "error": "Unauthorized", "message": "Unauthorized" });
            return reply(401, &body);
        }
        let (id, token) = (self.user(name), self.id());
        let ends = self.now() + 90 * 86_400_000;
        self.tokens.insert(token.clone(), (id.clone(), ends));
        reply(
            200,
            &json!({ "status": "success", "data": { "userId": id, "authToken": token } }),
        )
    }

    fn public_settings(&self, call: &Call<'_>) -> Reply {
        let all = [
            ("Message_MaxAllowedSize", json!(self.longest)),
            ("Message_AllowEditing", json!(self.editing)),
            (
                "Message_AllowEditing_BlockEditInMinutes",
                json!(self.edit_limit),
            ),
            ("Message_AllowPinning", json!(true)),
        ];
        let wanted = call.ask("_id");
        let found: Vec<Value> = all
            .into_iter()
            .filter(|(id, _)| wanted.is_empty() || wanted.split(',').any(|one| one == *id))
            .map(|(id, value)| json!({ "_id": id, "value": value }))
            .collect();
        let count = found.len();
        success(json!({ "settings": found, "count": count, "offset": 0, "total": count }))
    }

    fn room_info(&self, call: &Call<'_>) -> Reply {
        let (name, id) = (call.ask("roomName"), call.ask("roomId"));
        let mut rooms = self.rooms.values();
        let found = rooms.find(|room| room.name == name || room.id == id);
        let Some(room) = found else {
            return if self.has(Quirk::MissingRoomIs400) {
                let text = "The required \"roomId\" or \"roomName\" param provided does not match any channel [error-room-not-found]";
                refusal(text, "error-room-not-found")
            } else {
                reply(
                    404,
                    &json!({ "success": false, "error": "Resource not found" }),
                )
            };
        };
        if room.kind != 'c' && !room.members.contains(&call.user.id) {
            return refusal("not-allowed", "Not Allowed");
        }
        let mut all = room_json(room);
        let here = self
            .messages
            .iter()
            .filter(|message| message.rid == room.id);
        let updated = here.map(|message| message.updated).max();
        all["_updatedAt"] = json!(super::messages::iso(updated.unwrap_or_default()));
        success(json!({ "room": all }))
    }

    fn my_rooms(&self, call: &Call<'_>) -> Reply {
        let mine = self.rooms.values();
        let mine = mine.filter(|room| room.members.contains(&call.user.id));
        let all: Vec<Value> = mine.map(room_json).collect();
        success(json!({ "update": all, "remove": [] }))
    }

    fn subscription(&self, call: &Call<'_>) -> Reply {
        let room = self.rooms.get(call.ask("roomId"));
        let inside = room.filter(|room| room.members.contains(&call.user.id));
        let found = inside.map(|room| json!({ "rid": room.id, "name": room.name }));
        success(json!({ "subscription": found }))
    }

    fn user_info(&self, call: &Call<'_>) -> Reply {
        let (name, id) = (call.ask("username"), call.ask("userId"));
        let mut users = self.users.values();
        match users.find(|user| user.name == name || user.id == id) {
            Some(user) => success(json!({ "user": { "_id": user.id, "username": user.name } })),
            None => refusal("User not found.", "error-invalid-user"),
        }
    }

    fn direct(&mut self, call: &Call<'_>) -> Reply {
        let name = call.json()["username"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let Some(other) = self.users.values().find(|user| user.name == name) else {
            return refusal("error-invalid-user", "error-invalid-user");
        };
        let both: BTreeSet<String> = [call.user.id.clone(), other.id.clone()].into();
        let known = self
            .rooms
            .values()
            .find(|room| room.kind == 'd' && room.members == both);
        let known = known.map(|room| room.id.clone());
        let id = known.unwrap_or_else(|| {
            let id = self.add_room("", 'd');
            self.rooms.get_mut(&id).unwrap().members = both;
            id
        });
        success(json!({ "room": { "_id": id, "rid": id, "t": "d" } }))
    }
}

pub(crate) fn reply(status: u16, body: &Value) -> Reply {
    Reply::status(status)
        .header("content-type", "application/json")
        .body(body.to_string())
}

pub(crate) fn success(body: Value) -> Reply {
    let mut all = match body {
        Value::Object(all) => all,
        _ => Map::new(),
    };
    all.insert("success".to_owned(), json!(true));
    reply(200, &Value::Object(all))
}

/// The usual no: 400, with a type where the server has one.
pub(crate) fn refusal(text: &str, kind: &str) -> Reply {
    let mut body = json!({ "success": false, "error": text });
    if !kind.is_empty() {
        body["errorType"] = json!(kind);
    }
    reply(400, &body)
}

fn me(user: &User) -> Reply {
    success(json!({
        "_id": user.id, "username": user.name, "name": user.name, "active": true,
        "roles": user.roles, "statusConnection": "offline",
    }))
}

fn room_json(room: &Room) -> Value {
    let mut all =
        json!({ "_id": room.id, "t": room.kind.to_string(), "usersCount": room.members.len() });
    if !room.name.is_empty() {
        all["name"] = json!(room.name);
    }
    for (key, set) in [
        ("archived", room.archived),
        ("encrypted", room.encrypted),
        ("ro", room.read_only),
    ] {
        if set {
            all[key] = json!(true);
        }
    }
    all
}
