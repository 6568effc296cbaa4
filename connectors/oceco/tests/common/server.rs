//! The server: people, actions, the log of credits, what it posts in a chat.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;
use raccord_kit::standin::{Play, Reply, Seen};
use raccord_kit::{Clock as _, ManualClock};
use raccord_model::{Digest, EntityId};
use serde_json::{Map, Value, json};

use super::quirks::Quirk;

pub(crate) const TOKEN: &str = "token-canary-of-oceco";
pub(crate) const PASSWORD: &str = "password-canary-of-oceco";
pub(crate) const EMAIL: &str = "raccord@example.org";
/// The account as which we act, and by which the log is read.
pub(crate) const BOT: &str = "5e736fd6b6ebaf0d00000001";
pub(crate) const ANNA: &str = "5e736fd6b6ebaf0d000000aa";
pub(crate) const BOB: &str = "5e736fd6b6ebaf0d000000bb";
/// Somebody whom the file of people does not name.
pub(crate) const STRANGER: &str = "5e736fd6b6ebaf0d000000ff";
pub(crate) const ORGANIZATION: &str = "5de9df6d064fca0d00000001";
pub(crate) const PROJECT: &str = "5f1e5c3eb0b8ca1d00000001";
const ROOM: &str = "5f1e5c3eb0b8ca1d0000000a";

/// What goes wrong with the next request to make an action.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// It is done, and nobody is told.
    LoseAnswer,
    /// It is not done, and the connection breaks.
    Reset,
    /// It is done, and answered as an accident.
    Stumble,
    /// It is answered with this, and not done.
    Refuse(Reply),
}

#[derive(Clone, Debug)]
pub(crate) struct Action {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) start: Option<Timestamp>,
    pub(crate) end: Option<Timestamp>,
    pub(crate) credits: i64,
    pub(crate) min: Option<i64>,
    pub(crate) max: Option<i64>,
    pub(crate) tags: Vec<String>,
    pub(crate) parent: String,
    pub(crate) author: String,
    pub(crate) status: &'static str,
    /// Who took it; nothing before anybody did.
    pub(crate) contributors: Option<Vec<String>>,
    pub(crate) finished: BTreeMap<String, &'static str>,
    /// Whether it was saved by a form.
    pub(crate) by_form: bool,
}

/// A row of the log of credits.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) user: String,
    pub(crate) action: String,
    pub(crate) credits: i64,
    pub(crate) at: Timestamp,
}

/// What ails the conversations over DDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Socket {
    Sound,
    /// The publication of the log is not answered.
    HidesTheLog,
    /// The connection of the next one who signs in breaks.
    BreaksAtLogin,
}

pub(crate) struct State {
    clock: Arc<ManualClock>,
    lost: Option<Quirk>,
    pub(crate) token: String,
    pub(crate) password: String,
    pub(crate) people: Vec<String>,
    /// Whether our account administers the organisation and its project.
    pub(crate) admin: bool,
    pub(crate) projects: Vec<String>,
    pub(crate) actions: Vec<Action>,
    pub(crate) log: Vec<Row>,
    pub(crate) wallets: BTreeMap<String, i64>,
    /// What OCECO posted in the organisation's chat.
    pub(crate) notifies: bool,
    pub(crate) posted: Vec<String>,
    /// The tokens of those who signed in.
    pub(crate) sessions: Vec<String>,
    pub(crate) passwords_shown: usize,
    pub(crate) socket: Socket,
    faults: VecDeque<Fault>,
    counter: u64,
}

/// A handle; clones are the same server.
#[derive(Clone)]
pub(crate) struct Server(Arc<Mutex<State>>);

impl Server {
    pub(crate) fn new(clock: Arc<ManualClock>, lost: Option<Quirk>) -> Self {
        let people = [BOT, ANNA, BOB, STRANGER].map(str::to_owned);
        Self(Arc::new(Mutex::new(State {
            clock,
            lost,
            token: TOKEN.to_owned(),
            password: PASSWORD.to_owned(),
            people: people.into(),
            admin: true,
            projects: vec![PROJECT.to_owned()],
            actions: Vec::new(),
            log: Vec::new(),
            wallets: BTreeMap::new(),
            notifies: false,
            posted: Vec::new(),
            sessions: Vec::new(),
            passwords_shown: 0,
            socket: Socket::Sound,
            faults: VecDeque::new(),
            counter: 0,
        })))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn fault(&self, fault: Fault) {
        self.state().faults.push_back(fault);
    }

    /// All actions that are not disabled, by name.
    pub(crate) fn names(&self) -> Vec<String> {
        let state = self.state();
        let shown = state.actions.iter().filter(|one| one.status != "disabled");
        let mut names: Vec<String> = shown.map(|one| one.name.clone()).collect();
        names.sort();
        names
    }

    pub(crate) fn action(&self, name: &str) -> Action {
        let state = self.state();
        let found = state.actions.iter().find(|one| one.name == name);
        found.unwrap_or_else(|| panic!("no action {name}")).clone()
    }

    /// Somebody edits an action by its form.
    pub(crate) fn edits(&self, name: &str, change: impl FnOnce(&mut Action)) {
        let mut state = self.state();
        let action = state.actions.iter_mut().find(|one| one.name == name);
        let action = action.unwrap();
        change(action);
        action.by_form = true;
    }

    /// Somebody takes an action.
    pub(crate) fn takes(&self, action: &str, who: &str) {
        let mut state = self.state();
        let known = state.find(action);
        known
            .contributors
            .get_or_insert_default()
            .push(who.to_owned());
    }

    /// Somebody leaves an action.
    pub(crate) fn leaves(&self, action: &str, who: &str) {
        let mut state = self.state();
        let known = state.find(action);
        known
            .contributors
            .get_or_insert_default()
            .retain(|one| one != who);
    }

    /// Somebody says that they did it.
    pub(crate) fn finishes(&self, action: &str, who: &str) {
        let mut state = self.state();
        let says = state.lost == Some(Quirk::FinishedIsNotValidated);
        state
            .find(action)
            .finished
            .insert(who.to_owned(), "toModerate");
        if says {
            state.validate(action, who);
        }
    }

    /// An administrator validates somebody: OCECO's `ValidateAction`.
    pub(crate) fn validates(&self, action: &str, who: &str) {
        self.state().validate(action, who);
    }

    /// An administrator pays somebody back: `refundAdminAction`.
    pub(crate) fn refunds(&self, action: &str, who: &str) {
        let mut state = self.state();
        let known = state.find(action);
        known.finished.remove(who);
        known
            .contributors
            .get_or_insert_default()
            .retain(|one| one != who);
        let mut theirs = state.log.iter();
        let theirs = theirs.find(|row| row.action == action && row.user == who);
        let credits = theirs.unwrap().credits;
        if state.has(Quirk::RefundIsARow) {
            state.row(action, who, -credits);
        }
        *state.wallets.entry(who.to_owned()).or_default() -= credits;
    }

    pub(crate) fn answer(&self, seen: &Seen) -> Play {
        if seen.path == "/websocket" {
            return Play::Socket(self.line());
        }
        let mut state = self.state();
        let makes = seen.path == "/api/action/create";
        match makes.then(|| state.faults.pop_front()).flatten() {
            Some(Fault::Reset) => return Play::Reset,
            Some(Fault::Refuse(reply)) => return reply.into(),
            Some(Fault::LoseAnswer) => {
                state.serve(seen);
                return Play::DoneThenReset;
            }
            Some(Fault::Stumble) => {
                if state.has(Quirk::MadeAnd500) {
                    state.serve(seen);
                }
                return accident().into();
            }
            None => {}
        }
        state.serve(seen).into()
    }
}

impl State {
    pub(crate) fn has(&self, quirk: Quirk) -> bool {
        self.lost != Some(quirk)
    }

    fn id(&mut self) -> String {
        self.counter += 1;
        let digest = Digest::of(&self.counter.to_be_bytes()).to_string();
        digest.chars().take(24).collect()
    }

    pub(crate) fn find(&mut self, action: &str) -> &mut Action {
        let found = self.actions.iter_mut().find(|one| one.id == action);
        found.unwrap_or_else(|| panic!("no action {action}"))
    }

    fn row(&mut self, action: &str, who: &str, credits: i64) {
        let row = Row {
            id: self.id(),
            user: who.to_owned(),
            action: action.to_owned(),
            credits,
            // Its clock has seconds.
            at: Timestamp::from_second(self.clock.now().as_second()).unwrap(),
        };
        self.log.push(row);
    }

    fn validate(&mut self, action: &str, who: &str) {
        let again = self.has(Quirk::ValidateDoubles);
        let vanishes = self.has(Quirk::ValidatedVanishes);
        let silent = self.has(Quirk::NoRowForNoCredits);
        let known = self.find(action);
        let before = known.finished.insert(who.to_owned(), "validated");
        let credits = known.credits;
        let all = known.contributors.iter().flatten();
        if vanishes
            && all
                .clone()
                .all(|one| known.finished.get(one) == Some(&"validated"))
        {
            known.status = "done";
        }
        if before == Some("validated") && !again {
            return;
        }
        if credits != 0 || !silent {
            self.row(action, who, credits);
        }
        *self.wallets.entry(who.to_owned()).or_default() += credits;
    }

    fn serve(&mut self, seen: &Seen) -> Reply {
        let Some(route) = seen.path.strip_prefix("/api/action/") else {
            return self.page();
        };
        if let Some(refusal) = self.at_the_door(seen) {
            return refusal;
        }
        let body: Value = serde_json::from_slice(&seen.body).unwrap_or_default();
        match (seen.method.as_str(), route) {
            ("POST", "create") => self.create(seen.header("x-user-id"), &body),
            ("POST", "listElement") => self.list(&body),
            ("POST", "update") if !self.has(Quirk::NoUpdate) => {
                let name = body["name"].as_str().unwrap().to_owned();
                self.find(body["id"].as_str().unwrap()).name = name;
                ok(&json!({ "status": true }))
            }
            ("POST", "log") if !self.has(Quirk::LogOverDdpOnly) => ok(&json!({ "status": true })),
            _ => self.page(),
        }
    }

    /// The web page of the application.
    fn page(&self) -> Reply {
        if self.has(Quirk::UnknownIsAPage) {
            Reply::ok("<!DOCTYPE html><html><head><title>OCECO</title></head></html>")
                .header("content-type", "text/html; charset=utf-8")
        } else {
            Reply::status(404)
        }
    }

    fn at_the_door(&self, seen: &Seen) -> Option<Reply> {
        let refused = |status: u16, message: &str| {
            let body = json!({ "auth": false, "message": message });
            Some(Reply::status(status).body(body.to_string()))
        };
        let (token, user) = (seen.header("x-access-token"), seen.header("x-user-id"));
        if token.is_empty() {
            return refused(403, "No token provided.");
        }
        if token != self.token {
            let status = if self.has(Quirk::WrongTokenIs500) {
                500
            } else {
                401
            };
            return refused(status, "Failed to authenticate token.");
        }
        if !self.people.iter().any(|one| one == user) {
            let status = if self.has(Quirk::UnknownUserIs403) {
                403
            } else {
                404
            };
            return refused(status, "user not exist");
        }
        if !self.has(Quirk::TokenActsAsAnybody) && user != BOT {
            return refused(403, "not yours");
        }
        None
    }

    /// What Meteor refuses.
    fn refuses(&self, name: &str) -> Reply {
        if !self.has(Quirk::RefusedByName) {
            return Reply::status(403).body("{}");
        }
        let body = json!({ "error": name, "reason": "Internal server error" });
        Reply::status(400).body(body.to_string())
    }

    fn is_parent(&self, body: &Value) -> bool {
        let id = body["parentId"].as_str().unwrap_or_default();
        match body["parentType"].as_str() {
            Some("projects") => self.projects.iter().any(|one| one == id),
            Some("organizations") => id == ORGANIZATION,
            _ => false,
        }
    }

    fn create(&mut self, user: &str, body: &Value) -> Reply {
        let text = |name: &str| body[name].as_str().map(str::trim);
        let moment = |name: &str| body[name].as_str().and_then(|at| at.parse().ok());
        let (start, end) = (moment("startDate"), moment("endDate"));
        let Some(name) = text("name").filter(|name| !name.is_empty()) else {
            return self.refuses("validation-error");
        };
        if start.is_some() != end.is_some() && self.has(Quirk::BothDatesOrNone) {
            return self.refuses("validation-error");
        }
        if !self.is_parent(body) {
            return self.refuses("scope-not-exist");
        }
        if !self.admin {
            return self.refuses("not-authorized admin projects");
        }
        let tags = body["tags"].as_array().into_iter().flatten();
        let tags: Vec<String> = tags
            .filter_map(|tag| Some(tag.as_str()?.to_owned()))
            .collect();
        let mut known = self.actions.iter();
        if !self.has(Quirk::CreatesTwice)
            && let Some(known) = known.find(|one| one.tags == tags)
        {
            return ok(&json!({ "status": true, "id": known.id }));
        }
        let usual = i64::from(self.has(Quirk::OneCreditUnasked));
        let id = self.id();
        self.actions.push(Action {
            id: id.clone(),
            name: name.to_owned(),
            description: text("description").unwrap_or_default().to_owned(),
            start,
            end,
            credits: body["credits"].as_i64().unwrap_or(usual),
            min: body["min"].as_i64(),
            max: body["max"].as_i64(),
            tags,
            parent: text("parentId").unwrap_or_default().to_owned(),
            author: user.to_owned(),
            status: "todo",
            contributors: (!self.has(Quirk::NobodyYetIsNotSaid)).then(Vec::new),
            finished: BTreeMap::new(),
            by_form: false,
        });
        if self.notifies && self.has(Quirk::PostsInChat) {
            self.posted.push(format!("Nouvelle action : {name}"));
        }
        let php = self.counter.is_multiple_of(2) && self.has(Quirk::NewIdIsPhps);
        let shown = if php { json!({ "$id": id }) } else { json!(id) };
        ok(&json!({ "status": true, "msg": "action created", "id": shown }))
    }

    fn list(&self, body: &Value) -> Reply {
        if !self.is_parent(body) {
            if !self.has(Quirk::StatusFalseIs200) {
                return Reply::status(404).body("{}");
            }
            return ok(&json!({ "status": false, "msg": "no element" }));
        }
        let now = self.clock.now();
        let parent = body["parentId"].as_str().unwrap_or_default();
        let shown = self.actions.iter().filter(|one| {
            let todo = one.status == "todo" || !self.has(Quirk::ListShowsTodo);
            let past = one.end.is_some_and(|end| end < now) && self.has(Quirk::ListForgetsThePast);
            let below = !self.has(Quirk::ListIsOfOneParent) && parent == ORGANIZATION;
            todo && !past && (one.parent == parent || below)
        });
        let all: Vec<Value> = shown.map(|one| self.shown(one)).collect();
        ok(&json!({ "status": true, "actions": all, "msg": "action element list" }))
    }

    fn shown(&self, action: &Action) -> Value {
        let text = action.by_form && self.has(Quirk::NumbersAsText);
        let number = |number: i64| {
            if text {
                json!(number.to_string())
            } else {
                json!(number)
            }
        };
        let id = if self.has(Quirk::IdsAreObjects) {
            json!({ "_str": action.id })
        } else {
            json!(action.id)
        };
        let mut shown = json!({
            "_id": id, "name": action.name, "description": action.description,
            "status": action.status, "credits": number(action.credits), "tags": action.tags,
            "parentId": action.parent, "parentType": "projects", "idParentRoom": ROOM,
            "idUserAuthor": action.author, "finishedBy": action.finished,
        });
        // As JavaScript writes moments.
        let written = |at: Timestamp| json!(at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string());
        for (key, value) in [
            ("startDate", action.start.map(written)),
            ("endDate", action.end.map(written)),
            ("min", action.min.map(number)),
            ("max", action.max.map(number)),
        ] {
            if let Some(value) = value {
                shown[key] = value;
            }
        }
        if let Some(all) = &action.contributors {
            let all = all
                .iter()
                .map(|one| (one.clone(), json!({ "type": "citoyens" })));
            shown["links"] = json!({ "contributors": all.collect::<Map<String, Value>>() });
        }
        shown
    }

    pub(crate) fn session(&mut self) -> String {
        self.counter += 1;
        EntityId::derive(&[b"session", &self.counter.to_be_bytes()]).to_string()
    }
}

fn accident() -> Reply {
    let body = json!({ "error": "internal-server-error", "reason": "Internal server error" });
    Reply::status(500).body(body.to_string())
}

fn ok(body: &Value) -> Reply {
    Reply::ok(body.to_string()).header("content-type", "application/json")
}
