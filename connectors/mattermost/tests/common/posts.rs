//! What becomes of posts: made once, changed, deleted, listed, searched.

use std::collections::BTreeMap;

use raccord_kit::standin::Reply;
use raccord_model::Digest;
use serde_json::{Map, Value, json};

use super::mentions;
use super::quirks::Quirk;
use super::server::{Call, State, json_reply};

/// How long a `pending_post_id` is known, in milliseconds.
const PENDING: i64 = 30_000;
/// How many rows `since` takes, in no order.
const SINCE: usize = 1_000;
const PAGE: usize = 200;

/// One row: a post, or an earlier text of one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Post {
    pub(crate) id: String,
    pub(crate) create_at: i64,
    pub(crate) update_at: i64,
    pub(crate) edit_at: i64,
    pub(crate) delete_at: i64,
    pub(crate) user_id: String,
    pub(crate) channel_id: String,
    pub(crate) root_id: String,
    pub(crate) original_id: String,
    pub(crate) message: String,
    pub(crate) kind: String,
    pub(crate) props: Map<String, Value>,
    pub(crate) file_ids: Vec<String>,
    pub(crate) pending_post_id: String,
    pub(crate) pinned: bool,
    pub(crate) reactions: Vec<(String, String)>,
}

/// What is known of a key.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    since: i64,
    /// The post, once it is made.
    post: Option<String>,
}

impl Post {
    pub(crate) fn new(id: String, user: String, channel: String, message: &str) -> Self {
        Self {
            id,
            user_id: user,
            channel_id: channel,
            message: message.to_owned(),
            ..Self::default()
        }
    }

    pub(crate) fn json(&self) -> Value {
        let reactions: Vec<Value> = self
            .reactions
            .iter()
            .map(|(user, emoji)| {
                json!({ "user_id": user, "post_id": self.id, "emoji_name": emoji, "create_at": self.update_at })
            })
            .collect();
        let metadata = if reactions.is_empty() {
            json!({})
        } else {
            json!({ "reactions": reactions })
        };
        json!({
            "id": self.id, "create_at": self.create_at, "update_at": self.update_at,
            "edit_at": self.edit_at, "delete_at": self.delete_at, "is_pinned": self.pinned,
            "user_id": self.user_id, "channel_id": self.channel_id, "root_id": self.root_id,
            "original_id": self.original_id, "message": self.message, "type": self.kind,
            "props": self.props, "hashtags": "", "file_ids": self.file_ids,
            "pending_post_id": self.pending_post_id, "metadata": metadata,
        })
    }
}

/// What a request wants posted.
struct Draft {
    post: Post,
    pending: String,
}

impl State {
    pub(crate) fn find(&self, id: &str) -> Option<&Post> {
        self.posts.iter().find(|post| post.id == id)
    }

    fn find_mut(&mut self, id: &str) -> Option<&mut Post> {
        self.posts.iter_mut().find(|post| post.id == id)
    }

    /// A post that is there and not deleted.
    fn standing(&self, id: &str) -> Option<Post> {
        let standing = |post: &&Post| post.delete_at == 0 && post.original_id.is_empty();
        self.find(id).filter(standing).cloned()
    }

    /// A new post: it is kept, told to outgoing webhooks, and notifies whom it mentions.
    pub(crate) fn add_post(&mut self, mut post: Post) -> Post {
        let author = self.users[&post.user_id].clone();
        if author.bot && self.has(Quirk::FromBotAdded) {
            post.props.insert("from_bot".to_owned(), json!("true"));
        }
        self.notify(&mut post);
        let channel = &self.channels[&post.channel_id];
        let heard = channel.kind == 'O' && post.kind.is_empty();
        if heard && (!author.bot || self.has(Quirk::HooksHearOurPosts)) {
            self.heard.push(post.id.clone());
        }
        self.posts.push(post.clone());
        self.tell_post("posted", &post);
        post
    }

    fn notify(&mut self, post: &mut Post) {
        if post.kind.starts_with("system_") {
            return;
        }
        let author = self.users[&post.user_id].clone();
        let mut text = post.message.clone();
        if !self.has(Quirk::BackslashNotifies) {
            text = text.replace("\\@", "");
        }
        if !self.has(Quirk::BracketsNotify) {
            text = text.replace("(@", "");
        }
        for attachment in post
            .props
            .get("attachments")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            for key in ["pretext", "text"] {
                text.push('\n');
                text.push_str(attachment[key].as_str().unwrap_or_default());
            }
        }
        let named = mentions::names(&text, self.has(Quirk::MentionsAnyCase));
        for name in named {
            let all = ["all", "channel", "here"].contains(&name.as_str());
            if all && !author.may_mention_all {
                post.props
                    .insert("mentionHighlightDisabled".to_owned(), json!(true));
            } else if all || self.users.values().any(|user| user.name == name) {
                self.notified.push((post.id.clone(), name));
            }
        }
    }

    /// Whether a request may post at all, and what.
    fn draft(&mut self, call: &Call<'_>) -> Result<Draft, Reply> {
        let invalid = "api.context.invalid_body_param.app_error";
        let Some(body) = call.json().filter(Value::is_object) else {
            return Err(self.error(400, invalid, "Corps invalide"));
        };
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        if !text("id").is_empty() {
            return Err(self.error(400, invalid, "Identifiant de trop"));
        }
        let channel = text("channel_id");
        if !self.channels.contains_key(&channel) {
            let id = "api.context.invalid_param.app_error";
            return Err(self.error(400, id, "Paramètre invalide"));
        }
        let inside = self.channels[&channel].members.contains(&call.user.id);
        if !inside && self.has(Quirk::MembersOnly) {
            return Err(self.forbidden());
        }
        let mut post = Post::new(self.id(), call.user.id.clone(), channel, &text("message"));
        post.root_id = text("root_id");
        post.props = body["props"].as_object().cloned().unwrap_or_default();
        post.file_ids = serde_json::from_value(body["file_ids"].clone()).unwrap_or_default();
        post.pending_post_id = text("pending_post_id");
        let mut pending = text("pending_post_id");
        if !pending.is_empty() && !self.has(Quirk::PendingSharedByAll) {
            pending = format!("{} {pending}", call.user.id);
        }
        Ok(Draft { post, pending })
    }

    /// The answer to a key that is known.
    fn repeat(&mut self, key: &str) -> Option<Reply> {
        let now = self.now();
        let forgets = self.has(Quirk::PendingThirtySeconds);
        self.pending
            .retain(|_, known| !forgets || now - known.since < PENDING);
        let known = self.pending.get(key)?.clone();
        match known.post {
            None if self.has(Quirk::PendingInFlight) => {
                let id = "api.post.deduplicate_create_post.pending";
                Some(self.error(500, id, "Message en cours de création"))
            }
            None => None,
            Some(_) if !self.has(Quirk::PendingAnswersTheFirst) => None,
            Some(post) => {
                let mut post = self.find(&post)?.clone();
                if !self.has(Quirk::PendingNotEchoed) {
                    key.clone_into(&mut post.pending_post_id);
                }
                Some(json_reply(201, &post.json()))
            }
        }
    }

    pub(crate) fn create(&mut self, call: &Call<'_>) -> Reply {
        let draft = match self.draft(call) {
            Ok(draft) => draft,
            Err(refusal) => return refusal,
        };
        let key = draft.pending;
        if !key.is_empty() {
            if let Some(answer) = self.repeat(&key) {
                return answer;
            }
            let since = self.now();
            self.pending
                .insert(key.clone(), Pending { since, post: None });
        }
        match self.fit(draft.post) {
            Ok(mut post) => {
                if call.query.get("set_online").map(String::as_str) != Some("false")
                    && self.has(Quirk::PostingShowsOnline)
                {
                    self.online = true;
                }
                post.create_at = self.now();
                post.update_at = post.create_at;
                let echoed = std::mem::take(&mut post.pending_post_id);
                let mut made = self.add_post(post);
                self.settle_pending(&key, &made);
                made.pending_post_id = echoed;
                json_reply(201, &made.json())
            }
            Err(refusal) => {
                if self.has(Quirk::PendingFreedByFailure) {
                    self.pending.remove(&key);
                }
                refusal
            }
        }
    }

    /// The key of a post leads to it from now on.
    pub(crate) fn settle_pending(&mut self, key: &str, post: &Post) {
        if let Some(known) = self.pending.get_mut(key) {
            known.post = Some(post.id.clone());
        }
    }

    /// A post that is still being made when its sender goes away.
    pub(crate) fn hang(&mut self, call: &Call<'_>) {
        if let Ok(draft) = self.draft(call) {
            let since = self.now();
            let pending = Pending { since, post: None };
            self.pending.insert(draft.pending.clone(), pending);
            self.hanging.push((draft.pending, draft.post));
        }
    }

    /// The post as it may be kept.
    fn fit(&mut self, mut post: Post) -> Result<Post, Reply> {
        let archived = self.channels[&post.channel_id].archived > 0;
        if archived && self.has(Quirk::ArchivedRefuses) {
            let id = "api.post.create_post.can_not_post_to_deleted.error";
            return Err(self.error(400, id, "Canal archivé"));
        }
        if !post.root_id.is_empty() {
            let Some(root) = self.standing(&post.root_id) else {
                let id = "api.post.create_post.root_id.app_error";
                return Err(self.error(400, id, "Paramètre invalide"));
            };
            if root.channel_id != post.channel_id && self.has(Quirk::RootOfAnotherChannel) {
                let id = "api.post.create_post.channel_root_id.app_error";
                return Err(self.error(400, id, "Paramètre invalide"));
            }
            if !root.root_id.is_empty() && self.has(Quirk::NoReplyToReply) {
                let id = "api.post.create_post.root_id.app_error";
                return Err(self.error(400, id, "Paramètre invalide"));
            }
        }
        self.fit_text(&post.message)?;
        if !self.has(Quirk::MentionWithoutRightIsTaken) {
            let all = mentions::names(&post.message, true).contains("all");
            if all && !self.users[&post.user_id].may_mention_all {
                return Err(self.forbidden());
            }
        }
        if self.has(Quirk::StrangeFilesDropped) {
            let (files, channel) = (&self.files, &post.channel_id);
            post.file_ids.retain(|id| files.get(id) == Some(channel));
        }
        for id in &post.file_ids {
            self.files.remove(id);
        }
        Ok(post)
    }

    fn fit_text(&self, message: &str) -> Result<(), Reply> {
        let length = if self.has(Quirk::LengthInRunes) {
            message.chars().count()
        } else {
            message.len()
        };
        if length > self.max_post {
            let id = "model.post.is_valid.message_length.app_error";
            return Err(self.error(400, id, "Message trop long"));
        }
        Ok(())
    }

    /// Changes a post, and keeps what it said before in a row of its own.
    pub(crate) fn edit(
        &mut self,
        id: &str,
        message: Option<&str>,
        props: Option<Map<String, Value>>,
        pinned: Option<bool>,
    ) {
        let (now, replaces) = (self.now(), self.has(Quirk::PropsReplaced));
        let history_id = self.id();
        let post = self.find_mut(id).unwrap();
        let mut before = post.clone();
        let edited = message.is_some_and(|message| message != post.message);
        if let Some(message) = message {
            message.clone_into(&mut post.message);
        }
        match props {
            Some(props) if replaces => post.props = props,
            Some(props) => post.props.extend(props),
            None => {}
        }
        if let Some(pinned) = pinned {
            post.pinned = pinned;
        }
        post.update_at = now;
        if edited {
            post.edit_at = now;
            id.clone_into(&mut before.original_id);
            before.id = history_id;
            before.update_at = now;
            before.delete_at = now;
            self.posts.push(before);
            let mut post = self.find(id).unwrap().clone();
            self.notify(&mut post);
            self.tell_post("post_edited", &post);
        }
    }

    pub(crate) fn patch(&mut self, id: &str, call: &Call<'_>) -> Reply {
        let Some(post) = self.standing(id) else {
            return self.missing("app.post.get.app_error");
        };
        if post.user_id != call.user.id {
            return self.forbidden();
        }
        if self.channels[&post.channel_id].archived > 0 && self.has(Quirk::ArchivedRefuses) {
            let id = "api.post.update_post.can_not_update_post_in_deleted.error";
            return self.error(400, id, "Canal archivé");
        }
        let age = self.now() - post.create_at;
        if self.edit_limit >= 0 && age > self.edit_limit * 1_000 && self.has(Quirk::EditLimit) {
            let id = "api.post.update_post.permissions_time_limit.app_error";
            return self.error(400, id, "Modification trop tardive");
        }
        let Some(body) = call.json() else {
            let id = "api.context.invalid_body_param.app_error";
            return self.error(400, id, "Corps invalide");
        };
        let message = body["message"].as_str();
        if let Some(Err(refusal)) = message.map(|message| self.fit_text(message)) {
            return refusal;
        }
        let props = body["props"].as_object().cloned();
        self.edit(id, message, props, body["is_pinned"].as_bool());
        json_reply(200, &self.find(id).unwrap().json())
    }

    /// Marks a post as deleted, with its thread.
    pub(crate) fn delete(&mut self, id: &str) {
        let (now, thread) = (self.now(), self.has(Quirk::ThreadGoesWithRoot));
        let keyless = !self.has(Quirk::DeletedKeepsProps);
        if let Some(mut before) = self.standing(id) {
            if !self.has(Quirk::SocketDeletedIsBefore) {
                before.delete_at = now;
            }
            self.tell_post("post_deleted", &before);
        }
        for post in &mut self.posts {
            let gone = post.id == id || (thread && post.root_id == id);
            if gone && post.delete_at == 0 {
                post.delete_at = now;
                post.update_at = now;
                post.message.clear();
                if keyless {
                    post.props = Map::new();
                }
            }
        }
    }

    pub(crate) fn remove(&mut self, id: &str, call: &Call<'_>) -> Reply {
        let ok = json!({ "status": "OK" });
        match self.standing(id) {
            None if self.find(id).is_some() && !self.has(Quirk::DeletedTwiceIsUnknown) => {
                json_reply(200, &ok)
            }
            None => self.missing("app.post.get.app_error"),
            Some(post) if post.user_id != call.user.id => self.forbidden(),
            Some(_) => {
                self.delete(id);
                json_reply(200, &ok)
            }
        }
    }

    pub(crate) fn pin(&mut self, id: &str, pinned: bool, call: &Call<'_>) -> Reply {
        let Some(post) = self.standing(id) else {
            return self.missing("app.post.get.app_error");
        };
        if let Err(refusal) = self.readable(&post.channel_id, call) {
            return refusal;
        }
        if post.pinned == pinned && !self.has(Quirk::PinTwiceIsFine) {
            return self.error(400, "api.post.pin_unpin.app_error", "Déjà fait");
        }
        self.edit(id, None, None, Some(pinned));
        json_reply(200, &json!({ "status": "OK" }))
    }

    pub(crate) fn react(&mut self, call: &Call<'_>) -> Reply {
        let body = call.json().unwrap_or_default();
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        if text("user_id") != call.user.id {
            return self.forbidden();
        }
        self.reacts(&text("post_id"), &text("user_id"), &text("emoji_name"));
        json_reply(201, &body)
    }

    /// A reaction changes when a post was last changed.
    pub(crate) fn reacts(&mut self, post: &str, user: &str, emoji: &str) {
        let (now, moves) = (self.now(), self.has(Quirk::SinceReactions));
        let post = self.find_mut(post).unwrap();
        post.reactions.push((user.to_owned(), emoji.to_owned()));
        if moves {
            post.update_at = now;
        }
        let (post, channel) = (post.id.clone(), post.channel_id.clone());
        let reaction = json!({ "user_id": user, "post_id": post, "emoji_name": emoji });
        self.tell(
            &channel,
            "reaction_added",
            &json!({ "reaction": reaction.to_string() }),
        );
    }

    /// A reaction is taken back, which changes the post as much.
    pub(crate) fn reacts_no_more(&mut self, post: &str, user: &str, emoji: &str) {
        let (now, moves) = (self.now(), self.has(Quirk::SinceReactions));
        let post = self.find_mut(post).unwrap();
        post.reactions
            .retain(|(who, what)| who != user || what != emoji);
        if moves {
            post.update_at = now;
        }
    }

    pub(crate) fn one(&self, id: &str, call: &Call<'_>) -> Reply {
        match self.standing(id) {
            None => self.missing("app.post.get.app_error"),
            Some(post) => match self.readable(&post.channel_id, call) {
                Ok(_) => json_reply(200, &post.json()),
                Err(refusal) => refusal,
            },
        }
    }

    pub(crate) fn pinned(&self, channel: &str, call: &Call<'_>) -> Reply {
        if let Err(refusal) = self.readable(channel, call) {
            return refusal;
        }
        let pinned = |post: &&Post| post.channel_id == channel && post.pinned;
        let rows = self.posts.iter().filter(pinned).collect();
        self.post_list(rows)
    }

    pub(crate) fn list(&self, channel: &str, call: &Call<'_>) -> Reply {
        if let Err(refusal) = self.readable(channel, call) {
            return refusal;
        }
        if let Some(since) = call.number("since") {
            return self.since(channel, since);
        }
        let mut rows: Vec<&Post> = self
            .posts
            .iter()
            .filter(|post| post.channel_id == channel)
            .filter(|post| post.delete_at == 0 && post.original_id.is_empty())
            .rev()
            .collect();
        if let Some(before) = call.query.get("before") {
            // Whatever else has the same millisecond is not before it; a post that is gone still has
            // its time, and one that never was has none.
            let time = self.find(before).map_or(0, |post| post.create_at);
            let strict = self.has(Quirk::BeforeIsStrict);
            let at = rows.iter().position(|post| post.id == *before);
            rows = match at {
                Some(at) if !strict => rows.split_off(at + 1),
                _ => {
                    rows.retain(|post| post.create_at < time);
                    rows
                }
            };
        }
        let asked = call
            .number("per_page")
            .map_or(60, |asked| asked.max(0) as usize);
        let size = if self.has(Quirk::PageOfTwoHundred) {
            asked.min(PAGE)
        } else {
            asked
        };
        let page = call.number("page").map_or(0, |page| page.max(0) as usize);
        let rows = rows.into_iter().skip(page * size).take(size).collect();
        self.post_list(rows)
    }

    /// Rows by when they were last changed, whatever they are.
    fn since(&self, channel: &str, since: i64) -> Reply {
        let time = |post: &Post| {
            if self.has(Quirk::SinceByUpdate) {
                post.update_at
            } else {
                post.create_at
            }
        };
        let mut rows: Vec<&Post> = self
            .posts
            .iter()
            .filter(|post| post.channel_id == channel && time(post) > since)
            .filter(|post| self.has(Quirk::SinceHistory) || post.original_id.is_empty())
            .filter(|post| {
                self.has(Quirk::SinceDeleted) || post.delete_at == 0 || !post.original_id.is_empty()
            })
            .collect();
        if self.has(Quirk::SinceThousand) {
            // The database takes them as they come.
            rows.sort_by_key(|post| Digest::of(post.id.as_bytes()).to_string());
            rows.truncate(SINCE);
        }
        let order: BTreeMap<&str, usize> = self
            .posts
            .iter()
            .enumerate()
            .map(|(index, post)| (post.id.as_str(), index))
            .collect();
        rows.sort_by_key(|post| std::cmp::Reverse((post.create_at, order[post.id.as_str()])));
        self.post_list(rows)
    }

    /// Rows, newest first, with what their threads begin with beside them.
    fn post_list(&self, mut rows: Vec<&Post>) -> Reply {
        if !self.has(Quirk::OrderNewestFirst) {
            rows.reverse();
        }
        let order: Vec<&str> = rows.iter().map(|post| post.id.as_str()).collect();
        let mut posts: BTreeMap<&str, Value> = rows
            .iter()
            .map(|post| (post.id.as_str(), post.json()))
            .collect();
        if self.has(Quirk::PostsBeyondOrder) {
            for root in rows.iter().filter_map(|post| self.find(&post.root_id)) {
                posts.entry(&root.id).or_insert_with(|| root.json());
            }
        }
        let list = json!({
            "order": order, "posts": posts, "next_post_id": "", "prev_post_id": "",
            "has_next": false,
        });
        json_reply(200, &list)
    }

    pub(crate) fn search(&self, call: &Call<'_>) -> Reply {
        let body = call.json().unwrap_or_default();
        let terms: Vec<String> = body["terms"]
            .as_str()
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_lowercase)
            .collect();
        let fits = |post: &&Post| {
            let mut text = post.message.to_lowercase();
            if !self.has(Quirk::SearchIgnoresProps) {
                text.push_str(&serde_json::to_string(&post.props).unwrap());
            }
            post.delete_at == 0 && terms.iter().all(|term| text.contains(term))
        };
        let rows = self.posts.iter().filter(fits).rev().collect();
        self.post_list(rows)
    }

    pub(crate) fn upload(&mut self, call: &Call<'_>) -> Reply {
        let channel = call.query.get("channel_id").cloned().unwrap_or_default();
        if let Err(refusal) = self.readable(&channel, call) {
            return refusal;
        }
        let id = self.id();
        self.files.insert(id.clone(), channel);
        let name = call.query.get("filename").cloned().unwrap_or_default();
        let info = json!({
            "id": id, "user_id": call.user.id, "name": name, "size": call.body.len(),
            "extension": "pdf", "mime_type": "application/pdf", "create_at": self.now(),
        });
        json_reply(201, &json!({ "file_infos": [info], "client_ids": [] }))
    }
}
