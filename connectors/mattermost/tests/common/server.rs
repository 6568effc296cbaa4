//! The server: people, teams, channels, its limits and its refusals. What becomes of posts stands in
//! `posts.rs`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use http::Method;
use jiff::SignedDuration;
use raccord_kit::standin::{Line, Play, Reply, Seen};
use raccord_kit::{Clock as _, ManualClock};
use raccord_model::Digest;
use serde_json::{Value, json};

use super::events::Events;
use super::posts::{Pending, Post};
use super::quirks::Quirk;

pub(crate) const TOKEN: &str = "token-canary-of-mattermost";

/// What goes wrong with the next request that asks for a change.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// It is done, and nobody is told.
    LoseAnswer,
    /// It is not done, and the connection breaks.
    Reset,
    /// A new post is still being made when the connection breaks; it is there at the next
    /// [`Server::finish`].
    Hang,
    /// It is answered with this, and not done.
    Refuse(Reply),
}

#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) bot: bool,
    /// Whether `@all` and its like notify when it is this one who writes.
    pub(crate) may_mention_all: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) team: String,
    pub(crate) name: String,
    pub(crate) kind: char,
    pub(crate) archived: i64,
    pub(crate) members: BTreeSet<String>,
    pub(crate) header: String,
}

/// How often a caller may come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RateLimit {
    pub(crate) per_second: i64,
    pub(crate) burst: i64,
}

pub(crate) struct State {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) lost: Option<Quirk>,
    pub(crate) users: BTreeMap<String, User>,
    /// Whose each token is.
    pub(crate) tokens: BTreeMap<String, String>,
    /// Ids by names.
    pub(crate) teams: BTreeMap<String, String>,
    pub(crate) team_members: BTreeSet<String>,
    pub(crate) channels: BTreeMap<String, Channel>,
    /// Oldest first, with the rows that hold earlier texts.
    pub(crate) posts: Vec<Post>,
    /// Files that no post has yet, with their channel.
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) pending: BTreeMap<String, Pending>,
    /// Posts that are still being made, with their keys.
    pub(crate) hanging: Vec<(String, Post)>,
    pub(crate) max_post: usize,
    /// In seconds; below zero for none.
    pub(crate) edit_limit: i64,
    pub(crate) rate: Option<RateLimit>,
    /// What is left to the caller, in thousandths of a call, and since when.
    bucket: (i64, i64),
    /// The language of the account's error texts.
    pub(crate) french: bool,
    /// Who was notified by what.
    pub(crate) notified: Vec<(String, String)>,
    /// The posts that outgoing webhooks heard of.
    pub(crate) heard: Vec<String>,
    pub(crate) online: bool,
    pub(crate) events: Events,
    pub(crate) faults: VecDeque<Fault>,
    /// How many requests of each kind came.
    pub(crate) counts: BTreeMap<String, usize>,
    counter: u64,
}

/// A handle; clones are the same server.
#[derive(Clone)]
pub(crate) struct Server(Arc<Mutex<State>>);

impl Server {
    /// A server with the team `raffinerie`, the bot `raccord` in its channels `town-square` and
    /// `chantiers`, the member `anna`, and the private channel `bureau` where the bot is not.
    pub(crate) fn new(clock: Arc<ManualClock>, lost: Option<Quirk>) -> Self {
        let mut state = State {
            clock,
            lost,
            users: BTreeMap::new(),
            tokens: BTreeMap::new(),
            teams: BTreeMap::new(),
            team_members: BTreeSet::new(),
            channels: BTreeMap::new(),
            posts: Vec::new(),
            files: BTreeMap::new(),
            pending: BTreeMap::new(),
            hanging: Vec::new(),
            max_post: 16_383,
            edit_limit: -1,
            rate: None,
            bucket: (0, 0),
            french: true,
            notified: Vec::new(),
            heard: Vec::new(),
            online: false,
            events: Events::default(),
            faults: VecDeque::new(),
            counts: BTreeMap::new(),
            counter: 0,
        };
        if lost == Some(Quirk::NoLimitByDefault) {
            state.rate = Some(RateLimit {
                per_second: 10,
                burst: 10,
            });
        }
        let team = state.id();
        state.teams.insert("raffinerie".to_owned(), team.clone());
        let bot = state.add_user("raccord", true);
        let anna = state.add_user("anna", false);
        state.team_members.insert(bot.clone());
        state.tokens.insert(TOKEN.to_owned(), bot.clone());
        state
            .tokens
            .insert("token-of-anna".to_owned(), anna.clone());
        for (name, kind) in [("town-square", 'O'), ("chantiers", 'O'), ("bureau", 'P')] {
            let channel = state.add_channel(&team, name, kind);
            let channel = state.channels.get_mut(&channel).unwrap();
            channel.members.insert(anna.clone());
            if kind == 'O' {
                channel.members.insert(bot.clone());
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

    /// What was still being made is there.
    pub(crate) fn finish(&self) {
        let mut state = self.state();
        let hanging = std::mem::take(&mut state.hanging);
        for (key, mut post) in hanging {
            post.create_at = state.now();
            post.update_at = post.create_at;
            post.pending_post_id.clear();
            let made = state.add_post(post);
            state.settle_pending(&key, &made);
        }
    }

    /// The process ends and another begins: what was only in memory is forgotten.
    pub(crate) fn restart(&self) {
        let mut state = self.state();
        if state.has(Quirk::PendingForgottenAtRestart) {
            state.pending.clear();
        }
        state.events.all_end();
        state.bucket = (0, 0);
    }

    pub(crate) fn answer(&self, seen: &Seen) -> Play {
        self.state().answer(seen)
    }

    /// A member writes.
    pub(crate) fn says(&self, user: &str, channel: &str, text: &str) -> String {
        self.replies(user, channel, text, "")
    }

    pub(crate) fn replies(&self, user: &str, channel: &str, text: &str, root: &str) -> String {
        let mut state = self.state();
        let mut post = Post::new(state.id(), state.user(user), state.channel(channel), text);
        root.clone_into(&mut post.root_id);
        post.create_at = state.now();
        post.update_at = post.create_at;
        let id = post.id.clone();
        state.add_post(post);
        id
    }

    /// A member changes what was written.
    pub(crate) fn edits(&self, post: &str, text: &str) {
        self.state().edit(post, Some(text), None, None);
    }

    /// A member, or whoever keeps the channel, takes it away.
    pub(crate) fn deletes(&self, post: &str) {
        self.state().delete(post);
    }

    /// What stands in a channel, oldest first.
    pub(crate) fn standing(&self, channel: &str) -> Vec<Post> {
        let state = self.state();
        let channel = state.channel(channel);
        let stands = |post: &&Post| {
            post.channel_id == channel && post.delete_at == 0 && post.original_id.is_empty()
        };
        state.posts.iter().filter(stands).cloned().collect()
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
}

/// The parts of a request that is being answered.
pub(crate) struct Call<'a> {
    pub(crate) user: User,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) body: &'a [u8],
}

impl Call<'_> {
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(self.body).ok()
    }

    pub(crate) fn number(&self, key: &str) -> Option<i64> {
        self.query.get(key)?.parse().ok()
    }
}

impl State {
    pub(crate) fn has(&self, quirk: Quirk) -> bool {
        self.lost != Some(quirk)
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    /// 26 lower-case letters and digits.
    pub(crate) fn id(&mut self) -> String {
        self.counter += 1;
        Digest::of(&self.counter.to_be_bytes()).to_string()[..26].to_owned()
    }

    pub(crate) fn add_user(&mut self, name: &str, bot: bool) -> String {
        let id = self.id();
        let user = User {
            id: id.clone(),
            name: name.to_owned(),
            bot,
            may_mention_all: true,
        };
        self.users.insert(id.clone(), user);
        id
    }

    pub(crate) fn add_channel(&mut self, team: &str, name: &str, kind: char) -> String {
        let id = self.id();
        let channel = Channel {
            id: id.clone(),
            team: team.to_owned(),
            name: name.to_owned(),
            kind,
            archived: 0,
            members: BTreeSet::new(),
            header: String::new(),
        };
        self.channels.insert(id.clone(), channel);
        id
    }

    pub(crate) fn user(&self, name: &str) -> String {
        let mut users = self.users.values();
        users.find(|user| user.name == name).unwrap().id.clone()
    }

    pub(crate) fn channel(&self, name: &str) -> String {
        let mut channels = self.channels.values();
        let found = channels.find(|channel| channel.name == name);
        found.unwrap().id.clone()
    }

    pub(crate) fn channel_mut(&mut self, name: &str) -> &mut Channel {
        let id = self.channel(name);
        self.channels.get_mut(&id).unwrap()
    }

    fn answer(&mut self, seen: &Seen) -> Play {
        let (path, query) = seen.path.split_once('?').unwrap_or((&seen.path, ""));
        let query = url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let Some(path) = path.strip_prefix("/api/v4/") else {
            // The web application answers whatever it does not know.
            return Reply::login_page().into();
        };
        let path: Vec<&str> = path.split('/').collect();
        *self
            .counts
            .entry(format!("{} {}", seen.method, path.join("/")))
            .or_default() += 1;
        if let Some(refusal) = self.too_often() {
            return refusal.into();
        }
        if path == ["system", "ping"] {
            return json_reply(200, &json!({ "status": "OK" })).into();
        }
        let token = seen.header("authorization").strip_prefix("Bearer ");
        let user = token.and_then(|token| self.users.get(self.tokens.get(token)?));
        let Some(user) = user.cloned() else {
            let id = if self.has(Quirk::DeadTokenIsExpiredSession) {
                "api.context.session_expired.app_error"
            } else {
                "api.context.invalid_token.error"
            };
            return self.error(401, id, "Session invalide ou expirée").into();
        };
        if seen.body.len() > 300_000 && path[0] != "files" && self.has(Quirk::BodyLimit) {
            let id = "api.context.request_body_too_large.app_error";
            return self.error(413, id, "Contenu trop volumineux").into();
        }
        if path == ["websocket"] {
            return Play::Socket(self.connect(&user.id));
        }
        let fault = seen.writes().then(|| self.faults.pop_front()).flatten();
        match fault {
            Some(Fault::Refuse(reply)) => return reply.into(),
            Some(Fault::Reset) => return Play::Reset,
            _ => {}
        }
        let call = Call {
            user,
            query,
            body: &seen.body,
        };
        if matches!(fault, Some(Fault::Hang)) {
            self.hang(&call);
            return Play::Reset;
        }
        let reply = self.route(&seen.method, &path, &call);
        match fault {
            Some(Fault::LoseAnswer) => Play::DoneThenReset,
            _ => reply.into(),
        }
    }

    fn route(&mut self, method: &Method, path: &[&str], call: &Call<'_>) -> Reply {
        match (method.as_str(), path) {
            ("GET", ["users", "me"]) => json_reply(200, &self.user_json(&call.user)),
            ("GET", ["users", "username", name]) => self.find_user(name),
            ("GET", ["users", "email", mail]) => {
                let name = mail.split(['@', '%']).next().unwrap_or_default();
                self.find_user(name)
            }
            ("POST", ["users", "ids"]) => self.users_by_id(call),
            ("GET", ["users", "me", "teams"]) => {
                let mine = self.team_members.contains(&call.user.id);
                let teams = self.teams.iter().filter(|_| mine);
                let all: Vec<Value> = teams.map(|(name, id)| team_json(name, id)).collect();
                json_reply(200, &json!(all))
            }
            ("GET", ["users", "me", "teams", team, "channels"]) => {
                let mine = self.channels.values().filter(|channel| {
                    channel.team == *team && channel.members.contains(&call.user.id)
                });
                let all: Vec<Value> = mine.map(channel_json).collect();
                json_reply(200, &json!(all))
            }
            ("GET", ["config", "client"]) => json_reply(200, &self.config_json()),
            ("GET", ["teams", "name", name]) => match self.teams.get(*name) {
                Some(id) => json_reply(200, &team_json(name, id)),
                None => self.missing("app.team.get_by_name.missing.app_error"),
            },
            ("GET", ["teams", "name", team, "channels", "name", name]) => {
                match self.teams.get(*team).cloned() {
                    Some(team) => self.channel_by_name(&team, name, call),
                    None => self.missing("app.team.get_by_name.missing.app_error"),
                }
            }
            ("GET", ["teams", team, "channels", "name", name]) => {
                self.channel_by_name(team, name, call)
            }
            ("POST", ["teams", _, "posts", "search"]) => self.search(call),
            ("POST", ["channels", "direct"]) => self.direct(call),
            ("GET", ["channels", id]) => match self.readable(id, call) {
                Ok(channel) => json_reply(200, &channel_json(&channel)),
                Err(refusal) => refusal,
            },
            ("GET", ["channels", id, "members", "me"]) => self.membership(id, call),
            ("PUT", ["channels", id, "patch"]) => self.patch_channel(id, call),
            ("GET", ["channels", id, "posts"]) => self.list(id, call),
            ("GET", ["channels", id, "pinned"]) => self.pinned(id, call),
            ("POST", ["files"]) => self.upload(call),
            ("POST", ["posts"]) => self.create(call),
            ("GET", ["posts", id]) => self.one(id, call),
            ("DELETE", ["posts", id]) => self.remove(id, call),
            ("PUT", ["posts", id, "patch"]) => self.patch(id, call),
            ("POST", ["posts", id, action @ ("pin" | "unpin")]) => {
                self.pin(id, *action == "pin", call)
            }
            ("POST", ["reactions"]) => self.react(call),
            _ => self.missing("api.context.404.app_error"),
        }
    }

    /// Somebody listens from now on.
    fn connect(&mut self, user: &str) -> Line {
        let (greets, pongs) = (
            self.has(Quirk::SocketSaysHello),
            self.has(Quirk::SocketAnswersPings),
        );
        let id = self.id();
        self.events.connect(&id, user, greets, pongs)
    }

    /// An error body. Its text is in the language of the account, thus nothing to go by.
    pub(crate) fn error(&self, status: u16, id: &str, text: &str) -> Reply {
        let french = self.french && self.has(Quirk::ErrorsInTheUsersLanguage);
        let message = if french {
            text
        } else {
            "Something went wrong."
        };
        json_reply(
            status,
            &json!({
                "id": id, "message": message, "detailed_error": "",
                "request_id": "k3ux9wqe5tbx8k4z1r7d6c2oma", "status_code": status,
            }),
        )
    }

    pub(crate) fn missing(&self, id: &str) -> Reply {
        self.error(404, id, "Introuvable")
    }

    pub(crate) fn forbidden(&self) -> Reply {
        let id = "api.context.permissions.app_error";
        self.error(403, id, "Vous n'avez pas les permissions")
    }

    /// The refusal of a caller who comes too often.
    fn too_often(&mut self) -> Option<Reply> {
        let limit = self.rate?;
        let now = self.now();
        let (used, since) = self.bucket;
        let used = (used - (now - since) * limit.per_second).max(0);
        if used + 1_000 > limit.burst * 1_000 {
            self.bucket = (used, now);
            let wait = SignedDuration::from_millis(1_000 / limit.per_second);
            let wait = (wait.as_millis() + 999) / 1_000;
            let reset = if self.has(Quirk::ResetInSeconds) {
                wait
            } else {
                i128::from(now) + wait * 1_000
            };
            let reply = Reply::status(429)
                .header("x-ratelimit-limit", &limit.burst.to_string())
                .header("x-ratelimit-remaining", "0")
                .header("x-ratelimit-reset", &reset.to_string())
                .header("retry-after", &wait.to_string());
            return Some(if self.has(Quirk::PlainText429) {
                reply
                    .header("content-type", "text/plain; charset=utf-8")
                    .body("limit exceeded\n")
            } else {
                reply
                    .header("content-type", "application/json")
                    .body("{\"id\":\"api.context.rate_limit\"}")
            });
        }
        self.bucket = (used + 1_000, now);
        None
    }

    /// A channel that the caller may read.
    pub(crate) fn readable(&self, id: &str, call: &Call<'_>) -> Result<Channel, Reply> {
        let Some(channel) = self.channels.get(id) else {
            return Err(self.missing("app.channel.get.existing.app_error"));
        };
        let inside = channel.members.contains(&call.user.id);
        if inside || (channel.kind == 'O' && self.team_members.contains(&call.user.id)) {
            Ok(channel.clone())
        } else {
            Err(self.forbidden())
        }
    }

    fn channel_by_name(&self, team: &str, name: &str, call: &Call<'_>) -> Reply {
        let mut channels = self.channels.values();
        let found = channels.find(|channel| channel.team == team && channel.name == name);
        let unseen =
            |channel: &&Channel| channel.kind == 'P' && !channel.members.contains(&call.user.id);
        match found {
            Some(channel) if unseen(&channel) && !self.has(Quirk::PrivateIsUnknown) => {
                self.forbidden()
            }
            Some(channel) if !unseen(&channel) => json_reply(200, &channel_json(channel)),
            _ => self.missing("app.channel.get_by_name.missing.app_error"),
        }
    }

    fn membership(&self, id: &str, call: &Call<'_>) -> Reply {
        match self.readable(id, call) {
            Err(refusal) => refusal,
            Ok(channel) if channel.members.contains(&call.user.id) => json_reply(
                200,
                &json!({ "channel_id": id, "user_id": call.user.id, "roles": "channel_user" }),
            ),
            Ok(_) => self.missing("app.channel.get_member.missing.app_error"),
        }
    }

    fn direct(&mut self, call: &Call<'_>) -> Reply {
        let ids: Vec<String> = call
            .json()
            .and_then(|body| serde_json::from_value(body).ok())
            .unwrap_or_default();
        let both: BTreeSet<String> = ids.into_iter().collect();
        if both.len() != 2 || !both.iter().all(|id| self.users.contains_key(id)) {
            return self.error(
                400,
                "api.context.invalid_param.app_error",
                "Paramètre invalide",
            );
        }
        let known = self
            .channels
            .values()
            .find(|channel| channel.kind == 'D' && channel.members == both)
            .cloned();
        if let Some(known) = known.filter(|_| self.has(Quirk::DirectIsOne)) {
            return json_reply(201, &channel_json(&known));
        }
        let name = both.iter().cloned().collect::<Vec<_>>().join("__");
        let id = self.add_channel("", &name, 'D');
        let channel = self.channels.get_mut(&id).unwrap();
        channel.members = both;
        json_reply(201, &channel_json(channel))
    }

    fn patch_channel(&mut self, id: &str, call: &Call<'_>) -> Reply {
        let channel = match self.readable(id, call) {
            Ok(channel) => channel,
            Err(refusal) => return refusal,
        };
        let header = call.json().and_then(|body| {
            let text = body.get("header")?.as_str()?;
            Some(text.to_owned())
        });
        if let Some(header) = header {
            self.channels.get_mut(id).unwrap().header = header;
            if self.has(Quirk::HeaderMakesAPost) {
                let mut post = Post::new(self.id(), call.user.id.clone(), channel.id, "header");
                "system_header_change".clone_into(&mut post.kind);
                post.create_at = self.now();
                post.update_at = post.create_at;
                self.add_post(post);
            }
        }
        json_reply(200, &channel_json(&self.channels[id]))
    }

    fn find_user(&self, name: &str) -> Reply {
        let mut users = self.users.values();
        match users.find(|user| user.name == name) {
            Some(user) => json_reply(200, &self.user_json(user)),
            None => self.missing("app.user.missing_account.const"),
        }
    }

    fn users_by_id(&self, call: &Call<'_>) -> Reply {
        let ids: Vec<String> = call
            .json()
            .and_then(|body| serde_json::from_value(body).ok())
            .unwrap_or_default();
        let users = ids.iter().filter_map(|id| self.users.get(id));
        let all: Vec<Value> = users.map(|user| self.user_json(user)).collect();
        json_reply(200, &json!(all))
    }

    fn user_json(&self, user: &User) -> Value {
        json!({
            "id": user.id, "username": user.name, "is_bot": user.bot,
            "roles": "system_user", "first_name": "", "last_name": "",
            "locale": if self.french { "fr" } else { "en" }, "delete_at": 0,
        })
    }

    /// What a client may know of the configuration: every value is a text.
    fn config_json(&self) -> Value {
        let max: Value = if self.has(Quirk::LimitsAreTexts) {
            json!(self.max_post.to_string())
        } else {
            json!(self.max_post)
        };
        json!({
            "Version": "10.7.0", "MaxPostSize": max,
            "PostEditTimeLimit": self.edit_limit.to_string(),
            "EnableBotAccountCreation": "true", "SiteURL": "https://chat.example.org",
        })
    }
}

pub(crate) fn json_reply(status: u16, body: &Value) -> Reply {
    Reply::status(status)
        .header("content-type", "application/json")
        .body(body.to_string())
}

fn team_json(name: &str, id: &str) -> Value {
    json!({ "id": id, "name": name, "display_name": name, "type": "O", "delete_at": 0 })
}

fn channel_json(channel: &Channel) -> Value {
    json!({
        "id": channel.id, "team_id": channel.team, "name": channel.name,
        "display_name": channel.name, "type": channel.kind.to_string(),
        "header": channel.header, "purpose": "", "delete_at": channel.archived,
    })
}
