//! A chat with one team and one channel (Mattermost, version 4 of its API, as 10.7 answers).
//!
//! It keeps what is posted once, changes and deletes it as its author asks, and lists it. It knows no
//! WebSocket, no threads of members, no files and no search: who asks for these is told that there is
//! no such call.

use std::collections::BTreeMap;

use http::StatusCode;
use raccord_model::Digest;
use serde_json::{Map, Value, json};

use crate::wire::{Answer, Asked, json as reply, method_of, shows, typed};

/// The team, as it stands in addresses.
pub const TEAM: &str = "demo";
/// The channel.
pub const CHANNEL: &str = "agenda";
/// How many characters a message may have.
const LONGEST: usize = 16_383;
/// How long a `pending_post_id` is known, in milliseconds.
const PENDING: i64 = 30_000;
/// How many rows a page has at most, and how many `since` gives.
const PAGE: usize = 200;
const SINCE: usize = 1_000;

/// The server.
#[derive(Debug)]
pub struct Chat {
    credentials: String,
    bot: String,
    team: String,
    channel: String,
    /// Oldest first, with the rows that hold earlier texts.
    posts: Vec<Post>,
    /// What each `pending_post_id` led to, and when.
    pending: BTreeMap<String, (i64, String)>,
    counter: u64,
}

/// One row: a message, or an earlier text of one. Times are milliseconds, 0 for never.
#[derive(Clone, Debug, Default)]
struct Post {
    id: String,
    create_at: i64,
    update_at: i64,
    edit_at: i64,
    delete_at: i64,
    root_id: String,
    original_id: String,
    message: String,
    props: Map<String, Value>,
    pinned: bool,
}

/// A message as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its text, in Markdown.
    pub text: String,
    /// Whether it was changed since it was posted.
    pub edited: bool,
}

impl Chat {
    /// A server for whoever shows the token of its only bot.
    pub fn new(token: &str) -> Self {
        let mut chat = Self {
            credentials: format!("Bearer {token}"),
            bot: String::new(),
            team: String::new(),
            channel: String::new(),
            posts: Vec::new(),
            pending: BTreeMap::new(),
            counter: 0,
        };
        (chat.bot, chat.team, chat.channel) = (chat.id(), chat.id(), chat.id());
        chat
    }

    /// What stands in the channel, oldest first.
    pub fn standing(&self) -> Vec<Said> {
        let standing = self.posts.iter().filter(|post| post.stands());
        standing
            .map(|post| Said {
                text: post.message.clone(),
                edited: post.edit_at > 0,
            })
            .collect()
    }

    /// How many messages were ever posted.
    pub fn made(&self) -> usize {
        let all = self.posts.iter();
        all.filter(|post| post.original_id.is_empty()).count()
    }

    /// What is answered at `now`, in milliseconds since 1970.
    pub fn answer(&mut self, asked: &Asked, now: i64) -> Answer {
        let Some(path) = asked.uri().path().strip_prefix("/api/v4/") else {
            // The web application answers whatever it does not know.
            return typed(
                StatusCode::OK,
                "text/html; charset=utf-8",
                "<!doctype html><title>Mattermost</title>",
            );
        };
        if !shows(asked, &self.credentials) {
            let id = "api.context.session_expired.app_error";
            return error(StatusCode::UNAUTHORIZED, id);
        }
        let path: Vec<&str> = path.split('/').collect();
        self.route(asked, &path, now)
    }

    fn route(&mut self, asked: &Asked, path: &[&str], now: i64) -> Answer {
        let ok = |body: &Value| reply(StatusCode::OK, body);
        let (bot, team, channel) = (&self.bot, &self.team, &self.channel);
        match (method_of(asked), path) {
            ("GET", ["users", id]) if *id == "me" || id == bot => ok(&self.account()),
            ("GET", ["users", "username", "raccord"]) => ok(&self.account()),
            ("GET", ["users", "me", "teams"]) => ok(&json!([self.team()])),
            ("GET", ["teams", "name", TEAM]) => ok(&self.team()),
            ("GET", ["users", "me", "teams", id, "channels"]) if id == team => {
                ok(&json!([self.room()]))
            }
            ("GET", ["config", "client"]) => ok(&json!({
                "Version": "10.7.0", "MaxPostSize": LONGEST.to_string(), "PostEditTimeLimit": "-1",
            })),
            ("GET", ["teams", "name", TEAM, "channels", "name", CHANNEL]) => ok(&self.room()),
            ("GET", ["channels", id, "members", "me"]) if id == channel => ok(&json!({
                "channel_id": channel, "user_id": bot, "roles": "channel_user",
            })),
            ("GET", ["channels", id, "posts"]) if id == channel => self.list(asked),
            ("POST", ["posts"]) => self.create(asked, now),
            ("PUT", ["posts", id, "patch"]) => self.patch(id, asked, now),
            ("DELETE", ["posts", id]) => self.delete(id, now),
            ("POST", ["posts", id, action @ ("pin" | "unpin")]) => {
                self.pin(id, *action == "pin", now)
            }
            ("GET", ["teams", "name", TEAM, ..]) => {
                missing("app.channel.get_by_name.missing.app_error")
            }
            ("GET", ["teams", "name", ..]) => missing("app.team.get_by_name.missing.app_error"),
            ("GET", ["users", ..]) => missing("app.user.missing_account.const"),
            _ => missing("api.context.404.app_error"),
        }
    }

    /// 26 lower-case letters and digits.
    fn id(&mut self) -> String {
        self.counter += 1;
        Digest::of(&self.counter.to_be_bytes()).to_string()[..26].to_owned()
    }

    fn account(&self) -> Value {
        json!({
            "id": self.bot, "username": "raccord", "is_bot": true, "roles": "system_user",
            "first_name": "", "last_name": "", "locale": "fr", "delete_at": 0,
        })
    }

    fn team(&self) -> Value {
        json!({ "id": self.team, "name": TEAM, "display_name": TEAM, "type": "O", "delete_at": 0 })
    }

    fn room(&self) -> Value {
        json!({
            "id": self.channel, "team_id": self.team, "name": CHANNEL, "display_name": CHANNEL,
            "type": "O", "header": "", "purpose": "", "delete_at": 0,
        })
    }

    fn create(&mut self, asked: &Asked, now: i64) -> Answer {
        let Some(body) = body(asked) else {
            return bad("api.context.invalid_body_param.app_error");
        };
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        if text("channel_id") != self.channel {
            return bad("api.context.invalid_param.app_error");
        }
        let key = text("pending_post_id");
        self.pending.retain(|_, (since, _)| now - *since < PENDING);
        if let Some(known) = self.pending.get(&key).and_then(|(_, id)| self.find(id)) {
            // The post that was made first, with the key that was sent.
            let mut again = self.shown(known);
            again["pending_post_id"] = json!(key);
            return reply(StatusCode::CREATED, &again);
        }
        let root = text("root_id");
        let begins = |post: &Post| post.stands() && post.root_id.is_empty();
        if !root.is_empty() && !self.find(&root).is_some_and(begins) {
            return bad("api.post.create_post.root_id.app_error");
        }
        if text("message").chars().count() > LONGEST {
            return bad("model.post.is_valid.message_length.app_error");
        }
        let mut props = body["props"].as_object().cloned().unwrap_or_default();
        props.insert("from_bot".to_owned(), json!("true"));
        let post = Post {
            id: self.id(),
            create_at: now,
            update_at: now,
            root_id: root,
            message: text("message"),
            props,
            ..Post::default()
        };
        if !key.is_empty() {
            self.pending.insert(key.clone(), (now, post.id.clone()));
        }
        let mut made = self.shown(&post);
        made["pending_post_id"] = json!(key);
        self.posts.push(post);
        reply(StatusCode::CREATED, &made)
    }

    fn patch(&mut self, id: &str, asked: &Asked, now: i64) -> Answer {
        let Some(body) = body(asked) else {
            return bad("api.context.invalid_body_param.app_error");
        };
        let message = body["message"].as_str();
        if message.is_some_and(|message| message.chars().count() > LONGEST) {
            return bad("model.post.is_valid.message_length.app_error");
        }
        let history = self.id();
        let Some(post) = self.standing_mut(id) else {
            return missing("app.post.get.app_error");
        };
        let mut before = post.clone();
        if let Some(props) = body["props"].as_object() {
            props.clone_into(&mut post.props);
        }
        post.update_at = now;
        let edited = message.filter(|message| **message != *post.message);
        if let Some(message) = edited {
            message.clone_into(&mut post.message);
            post.edit_at = now;
        }
        let changed = post.clone();
        if edited.is_some() {
            (before.id, before.original_id) = (history, id.to_owned());
            (before.update_at, before.delete_at) = (now, now);
            self.posts.push(before);
        }
        reply(StatusCode::OK, &self.shown(&changed))
    }

    fn delete(&mut self, id: &str, now: i64) -> Answer {
        if self.standing_mut(id).is_none() {
            return missing("app.post.get.app_error");
        }
        let thread = |post: &&mut Post| post.id == id || post.root_id == id;
        let all = self.posts.iter_mut().filter(thread);
        for post in all.filter(|post| post.delete_at == 0) {
            (post.delete_at, post.update_at) = (now, now);
            post.message.clear();
        }
        reply(StatusCode::OK, &json!({ "status": "OK" }))
    }

    fn pin(&mut self, id: &str, pinned: bool, now: i64) -> Answer {
        let Some(post) = self.standing_mut(id) else {
            return missing("app.post.get.app_error");
        };
        (post.pinned, post.update_at) = (pinned, now);
        reply(StatusCode::OK, &json!({ "status": "OK" }))
    }

    fn list(&self, asked: &Asked) -> Answer {
        let query = asked.uri().query().unwrap_or_default();
        let query: BTreeMap<String, String> = url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let number = |key: &str| query.get(key).and_then(|text| text.parse::<i64>().ok());
        let mut rows: Vec<&Post> = match number("since") {
            Some(since) => {
                let all = self.posts.iter().filter(|post| post.update_at > since);
                all.take(SINCE).collect()
            }
            None => self.posts.iter().filter(|post| post.stands()).collect(),
        };
        rows.reverse();
        rows.sort_by_key(|post| std::cmp::Reverse(post.create_at));
        if number("since").is_none() {
            if let Some(before) = query.get("before") {
                let time = self.find(before).map_or(0, |post| post.create_at);
                rows.retain(|post| post.create_at < time);
            }
            let size = number("per_page").map_or(60, |size| size.max(0) as usize);
            rows.truncate(size.min(PAGE));
        }
        let order: Vec<&str> = rows.iter().map(|post| post.id.as_str()).collect();
        let roots = rows.iter().filter_map(|post| self.find(&post.root_id));
        let posts: BTreeMap<&str, Value> = rows
            .iter()
            .copied()
            .chain(roots)
            .map(|post| (post.id.as_str(), self.shown(post)))
            .collect();
        let list = json!({
            "order": order, "posts": posts, "next_post_id": "", "prev_post_id": "",
            "has_next": false,
        });
        reply(StatusCode::OK, &list)
    }

    fn find(&self, id: &str) -> Option<&Post> {
        self.posts.iter().find(|post| post.id == id)
    }

    fn standing_mut(&mut self, id: &str) -> Option<&mut Post> {
        let mut posts = self.posts.iter_mut();
        posts.find(|post| post.id == id && post.stands())
    }

    fn shown(&self, post: &Post) -> Value {
        json!({
            "id": post.id, "create_at": post.create_at, "update_at": post.update_at,
            "edit_at": post.edit_at, "delete_at": post.delete_at, "is_pinned": post.pinned,
            "user_id": self.bot, "channel_id": self.channel, "root_id": post.root_id,
            "original_id": post.original_id, "message": post.message, "type": "",
            "props": post.props, "hashtags": "", "file_ids": [], "pending_post_id": "",
            "metadata": {},
        })
    }
}

impl Post {
    fn stands(&self) -> bool {
        self.delete_at == 0 && self.original_id.is_empty()
    }
}

fn body(asked: &Asked) -> Option<Value> {
    let body: Value = serde_json::from_slice(asked.body()).ok()?;
    body.is_object().then_some(body)
}

/// A refusal: clients go by its name, its text is in the language of the account.
fn error(status: StatusCode, id: &str) -> Answer {
    let body = json!({
        "id": id, "message": "Refusé.", "detailed_error": "",
        "request_id": "k3ux9wqe5tbx8k4z1r7d6c2oma", "status_code": status.as_u16(),
    });
    reply(status, &body)
}

fn missing(id: &str) -> Answer {
    error(StatusCode::NOT_FOUND, id)
}

fn bad(id: &str) -> Answer {
    error(StatusCode::BAD_REQUEST, id)
}
