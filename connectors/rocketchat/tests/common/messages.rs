//! What becomes of messages: kept once, changed, deleted, listed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use raccord_kit::standin::Reply;
use serde_json::{Value, json};

use super::quirks::Quirk;
use super::server::{Call, State, refusal, reply, success};

/// What a repeated `_id`, and a message an app took away, are answered with.
pub(crate) const TYPE_ERROR: &str = "Cannot read properties of undefined (reading 'starred')";
/// How long it takes to keep a message, in milliseconds.
const KEPT: i64 = 3;
/// How long an upload waits to be confirmed, in milliseconds.
const MEDIA: i64 = 86_400_000;

/// A message.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) rid: String,
    pub(crate) user: String,
    pub(crate) text: String,
    pub(crate) at: i64,
    pub(crate) updated: i64,
    pub(crate) edited: Option<i64>,
    pub(crate) tmid: Option<String>,
    /// Set for what the server itself writes.
    pub(crate) kind: Option<String>,
    pub(crate) pinned: bool,
    pub(crate) reactions: BTreeMap<String, BTreeSet<String>>,
    pub(crate) files: usize,
}

/// An upload.
#[derive(Clone, Debug)]
pub(crate) struct Media {
    rid: String,
    at: i64,
    confirmed: usize,
}

impl Message {
    pub(crate) fn new(id: String, user: String, rid: String, text: &str) -> Self {
        Self {
            id,
            rid,
            user,
            text: text.to_owned(),
            ..Self::default()
        }
    }
}

pub(crate) fn iso(ms: i64) -> String {
    let moment = Timestamp::from_millisecond(ms).unwrap();
    format!("{moment:.3}")
}

/// The names that raw text mentions, as `MentionsParser.ts` finds them: at the start of a line, after
/// white space (as JavaScript has it) or after `>`.
pub(crate) fn mentioned(text: &str, state: &State) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut before = '\n';
    let mut fenced = false;
    for (at, c) in text.char_indices() {
        if text[at..].starts_with("```") && !state.has(Quirk::FenceDoesNotProtect) {
            fenced = !fenced;
        }
        let space = before.is_whitespace()
            || before == '>'
            || (before == '\u{feff}' && state.has(Quirk::ByteOrderMarkIsSpace))
            || (before == '\\' && !state.has(Quirk::BackslashProtects));
        if c == '@' && space && !fenced {
            let name: String = text[at + 1..]
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
                .collect();
            let name = name.trim_end_matches('.');
            names.insert(if state.has(Quirk::MentionsLowerCase) {
                name.to_owned()
            } else {
                name.to_lowercase()
            });
        }
        before = c;
    }
    names
}

impl State {
    pub(crate) fn json(&self, message: &Message) -> Value {
        let user = &self.users[&message.user];
        let author = json!({ "_id": user.id, "username": user.name, "name": user.name });
        let mut all = json!({
            "_id": message.id, "rid": message.rid, "msg": message.text, "ts": iso(message.at),
            "u": author, "_updatedAt": iso(message.updated), "mentions": [], "channels": [],
            "urls": [], "md": [],
        });
        if let Some(edited) = message.edited {
            all["editedAt"] = json!(iso(edited));
            all["editedBy"] = author;
        }
        if let Some(tmid) = &message.tmid {
            all["tmid"] = json!(tmid);
        }
        if let Some(kind) = &message.kind {
            all["t"] = json!(kind);
        }
        if message.pinned {
            all["pinned"] = json!(true);
        }
        if !message.reactions.is_empty() {
            let reactions = message.reactions.iter();
            let each =
                reactions.map(|(emoji, names)| (emoji.clone(), json!({ "usernames": names })));
            all["reactions"] = Value::Object(each.collect());
        }
        all
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Message> {
        self.messages.iter().find(|message| message.id == id)
    }

    fn find_mut(&mut self, id: &str) -> Option<&mut Message> {
        self.messages.iter_mut().find(|message| message.id == id)
    }

    /// Keeps a message, and tells the streams and the outgoing webhooks.
    pub(crate) fn add(&mut self, mut message: Message) -> Message {
        message.at = self.now();
        // The one is noted when a message is made, the other when it is kept.
        message.updated = message.at + KEPT;
        self.messages.push(message.clone());
        if message.kind.is_none() {
            self.tell(&message, "new");
            for name in mentioned(&message.text, self) {
                let known = self.users.values().any(|user| user.name == name);
                if known || name == "all" || name == "here" {
                    self.notified.push((message.id.clone(), name));
                }
            }
        }
        message
    }

    fn tell(&mut self, message: &Message, how: &'static str) {
        self.stream_message(message);
        self.told.push((message.id.clone(), how));
        let user = self.users[&message.user].clone();
        let ours = user.roles.contains("bot");
        if how == "reaction" || (ours && !self.has(Quirk::HooksHearOurMessages)) {
            return;
        }
        self.heard.push(json!({
            "token": "hook-token", "bot": ours, "channel_id": message.rid,
            "channel_name": self.rooms[&message.rid].name, "message_id": message.id,
            "timestamp": iso(message.at), "user_id": user.id, "user_name": user.name,
            "text": message.text, "siteUrl": "https://chat.example.org", "isEdited": how == "edited",
        }));
    }

    /// Whether a text may be said, and by whom.
    fn fit(&self, text: &str, call: &Call<'_>) -> Result<(), Reply> {
        let length = if self.has(Quirk::SizeInUtf16) {
            text.encode_utf16().count()
        } else {
            text.chars().count()
        };
        if length > self.longest {
            let kind = "error-message-size-exceeded";
            return Err(refusal(
                &format!("Message size exceeds Message_MaxAllowedSize [{kind}]"),
                kind,
            ));
        }
        Ok(()).and_then(|()| self.fit_mentions(text, call))
    }

    fn fit_mentions(&self, text: &str, call: &Call<'_>) -> Result<(), Reply> {
        let named = mentioned(text, self);
        for (name, permission) in [("all", "mention-all"), ("here", "mention-here")] {
            let refuses = self.has(Quirk::MentionAllRefused);
            if named.contains(name) && !call.user.may(permission) && refuses {
                let kind = "error-action-not-allowed";
                let text = format!("Notify {name} in this room not allowed [{kind}]");
                return Err(refusal(&text, kind));
            }
        }
        Ok(())
    }

    /// The room a message may go to.
    fn open(&self, rid: &str, call: &Call<'_>) -> Result<(), Reply> {
        let Some(room) = self.rooms.get(rid) else {
            return Err(refusal("error-invalid-room", ""));
        };
        let kind = "error-not-allowed";
        if !room.members.contains(&call.user.id) {
            return Err(refusal(&format!("Not allowed [{kind}]"), kind));
        }
        if room.archived {
            return Err(refusal("room_is_archived", ""));
        }
        if room.encrypted && self.has(Quirk::EncryptedRefuses) {
            let text =
                format!("Not allowed to send un-encrypted messages in an encrypted room [{kind}]");
            return Err(refusal(&text, kind));
        }
        Ok(())
    }

    /// Nothing was kept, and the answer is made of it all the same.
    fn nothing() -> Reply {
        refusal(TYPE_ERROR, "")
    }

    pub(crate) fn send(&mut self, call: &Call<'_>) -> Reply {
        match self.try_send(call) {
            Ok(message) => success(json!({ "message": self.json(&message) })),
            Err(refusal) => refusal,
        }
    }

    fn try_send(&mut self, call: &Call<'_>) -> Result<Message, Reply> {
        let body = call.json();
        let known = ["message", "previewUrls"];
        self.only(&body, &known)?;
        let wanted = &body["message"];
        let text = |key: &str| wanted[key].as_str().map(str::to_owned);
        let mut rid = text("rid").ok_or_else(|| refusal("invalid-params", "invalid-params"))?;
        if wanted.get("ts").is_some() && self.has(Quirk::OwnClockRefused) {
            return Err(refusal("error-message-ts-out-of-sync", ""));
        }
        let mut root = text("tmid");
        if let Some(parent) = root.as_deref().and_then(|root| self.find(root)) {
            let (parent_room, above) = (parent.rid.clone(), parent.tmid.clone());
            if self.has(Quirk::RootRoomWins) {
                rid = parent_room;
            }
            if self.has(Quirk::ReplyGoesToRoot) {
                root = above.or(root);
            }
        }
        self.open(&rid, call)?;
        let said = text("msg").unwrap_or_default();
        let alias = wanted.get("alias").is_some() || wanted.get("avatar").is_some();
        if alias && !call.user.may("message-impersonate") {
            return Err(refusal("Not enough permission", ""));
        }
        let fields = wanted.get("customFields").is_some() && !self.custom_fields;
        if fields && self.has(Quirk::CustomFieldsRefused) {
            return Err(refusal("Custom fields not enabled", ""));
        }
        self.fit(&said, call)?;
        if self.vetoed {
            return Err(if self.has(Quirk::VetoLooksTheSame) {
                Self::nothing()
            } else {
                refusal("Message vetoed by an app", "error-app-prevented")
            });
        }
        let id = text("_id").unwrap_or_else(|| self.id());
        if let Some(known) = self.find(&id).cloned() {
            if !self.has(Quirk::IdsAreGlobal) && known.rid != rid {
                // Goes on as if it were free.
            } else if self.has(Quirk::RepeatIsTypeError) {
                if !self.has(Quirk::RepeatIsSilent) {
                    self.tell(&known, "new");
                }
                return Err(Self::nothing());
            } else {
                return Ok(known);
            }
        }
        let mut message = Message::new(id, call.user.id.clone(), rid, &said);
        message.tmid = root;
        Ok(self.add(message))
    }

    /// A body with other keys than these is refused.
    fn only(&self, body: &Value, known: &[&str]) -> Result<(), Reply> {
        let keys = body.as_object().into_iter().flat_map(|all| all.keys());
        let strange = keys.filter(|key| !known.contains(&key.as_str())).count();
        if strange > 0 && self.has(Quirk::UnknownKeysRefused) {
            let text = "must NOT have additional properties [invalid-params]";
            return Err(refusal(text, "invalid-params"));
        }
        Ok(())
    }

    pub(crate) fn post(&mut self, call: &Call<'_>) -> Reply {
        let body = call.json();
        let known = [
            "roomId",
            "channel",
            "text",
            "alias",
            "emoji",
            "avatar",
            "attachments",
            "parseUrls",
            "tmid",
            "customFields",
        ];
        if let Err(refusal) = self.only(&body, &known) {
            return refusal;
        }
        let rid = body["roomId"].as_str().unwrap_or_default().to_owned();
        if let Err(refusal) = self.open(&rid, call) {
            return refusal;
        }
        let text = body["text"].as_str().unwrap_or_default();
        let message = Message::new(self.id(), call.user.id.clone(), rid, text);
        let made = self.add(message);
        success(json!({ "ts": made.at, "channel": made.rid, "message": self.json(&made) }))
    }

    /// A message that is not there is a bad request, and says nothing of why.
    fn absent(&self) -> Reply {
        if self.has(Quirk::MissingMessageIs400) {
            reply(400, &json!({ "success": false }))
        } else {
            reply(
                404,
                &json!({ "success": false, "error": "Resource not found" }),
            )
        }
    }

    pub(crate) fn one(&self, call: &Call<'_>) -> Reply {
        let Some(message) = self.find(call.ask("msgId")) else {
            return self.absent();
        };
        let Some(room) = self.rooms.get(&message.rid) else {
            return self.absent();
        };
        let seen = room.kind == 'c' || room.members.contains(&call.user.id);
        if !seen && self.has(Quirk::HiddenMessageIsNotAllowed) {
            return refusal("Not allowed [error-not-allowed]", "error-not-allowed");
        }
        if !seen {
            return self.absent();
        }
        success(json!({ "message": self.json(message) }))
    }

    pub(crate) fn edit(&mut self, id: &str, text: &str) {
        let (now, marks) = (self.now(), self.has(Quirk::UpdateMarksEdited));
        let message = self.find_mut(id).unwrap();
        text.clone_into(&mut message.text);
        message.updated = now;
        if marks {
            message.edited = Some(now);
        }
        let message = message.clone();
        self.tell(&message, "edited");
    }

    pub(crate) fn update(&mut self, call: &Call<'_>) -> Reply {
        let body = call.json();
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        let (id, room) = (text("msgId"), text("roomId"));
        let Some(message) = self.find(&id).cloned() else {
            return refusal(&format!("No message found with the id of \"{id}\"."), "");
        };
        if message.rid != room && self.has(Quirk::UpdateInWrongRoom) {
            return refusal(
                "The room id provided does not match where the message is from.",
                "",
            );
        }
        let kind = "error-action-not-allowed";
        let late = self.edit_limit > 0 && self.now() - message.at > self.edit_limit * 60_000;
        if !self.editing || message.user != call.user.id || late {
            let text = if late {
                "Message editing is blocked"
            } else {
                "Message editing not allowed"
            };
            return refusal(&format!("{text} [{kind}]"), kind);
        }
        if let Err(refusal) = self.fit(&text("text"), call) {
            return refusal;
        }
        self.edit(&id, &text("text"));
        success(json!({ "message": self.json(self.find(&id).unwrap()) }))
    }

    /// Takes a message away, or leaves a mark where it stood.
    pub(crate) fn erase(&mut self, id: &str) {
        let now = self.now();
        let message = self.find(id).unwrap().clone();
        if self.tombstones && self.has(Quirk::TombstoneKeepsTheId) {
            let message = self.find_mut(id).unwrap();
            message.kind = Some("rm".to_owned());
            message.text.clear();
            message.updated = now;
            return;
        }
        if self.has(Quirk::DeletedFreesTheId) || self.tombstones {
            self.messages.retain(|message| message.id != id);
        } else {
            // The row stays, for nobody to see.
            let message = self.find_mut(id).unwrap();
            "GRAVE".clone_into(&mut message.rid);
        }
        self.stream_deletion(&message.rid, &message.id);
        self.trash.push((message.id, message.rid, now));
    }

    pub(crate) fn delete(&mut self, call: &Call<'_>) -> Reply {
        let body = call.json();
        let id = body["msgId"].as_str().unwrap_or_default().to_owned();
        let Some(message) = self.find(&id).cloned() else {
            return if self.has(Quirk::DeletedTwiceIs400) {
                refusal(&format!("No message found with the id of \"{id}\"."), "")
            } else {
                success(json!({ "_id": id }))
            };
        };
        if body["roomId"] != message.rid.as_str() {
            return refusal(
                "The room id provided does not match where the message is from.",
                "",
            );
        }
        if message.user != call.user.id {
            return refusal(
                "Not allowed [error-action-not-allowed]",
                "error-action-not-allowed",
            );
        }
        self.erase(&id);
        let ts = if self.has(Quirk::DeleteTimeIsText) {
            json!(self.now().to_string())
        } else {
            json!(self.now())
        };
        success(json!({ "_id": id, "ts": ts }))
    }

    pub(crate) fn react(&mut self, call: &Call<'_>) -> Reply {
        let body = call.json();
        let id = body["messageId"].as_str().unwrap_or_default();
        let emoji = body["emoji"].as_str().unwrap_or_default();
        if self.find(id).is_none() {
            let kind = "error-message-not-found";
            return refusal(
                &format!(
                    "The provided \"messageId\" does not match any existing message. [{kind}]"
                ),
                kind,
            );
        }
        let name = call.user.name.clone();
        self.reacts(id, &name, emoji, body["shouldReact"].as_bool());
        success(json!({}))
    }

    /// A reaction, or its end: without a word on which of them, the other one than before.
    pub(crate) fn reacts(&mut self, id: &str, name: &str, emoji: &str, wanted: Option<bool>) {
        let (now, toggles) = (self.now(), self.has(Quirk::ReactToggles));
        let sends = self.has(Quirk::ReactionSendsAll);
        let emoji = format!(":{}:", emoji.trim_matches(':'));
        let message = self.find_mut(id).unwrap();
        let names = message.reactions.entry(emoji.clone()).or_default();
        let there = names.contains(name);
        if wanted.unwrap_or(!(there && toggles)) {
            names.insert(name.to_owned());
        } else {
            names.remove(name);
        }
        message.reactions.retain(|_, names| !names.is_empty());
        if sends {
            message.updated = now;
            let message = message.clone();
            self.tell(&message, "reaction");
        }
    }

    pub(crate) fn pin(&mut self, call: &Call<'_>, pinned: bool) -> Reply {
        let id = call.json()["messageId"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let now = self.now();
        let Some(message) = self.find_mut(&id) else {
            let kind = "error-message-not-found";
            return refusal(
                &format!(
                    "The provided \"messageId\" does not match any existing message. [{kind}]"
                ),
                kind,
            );
        };
        message.pinned = pinned;
        message.updated = now;
        let rid = message.rid.clone();
        let mut told = Message::new(self.id(), call.user.id.clone(), rid, "");
        told.kind = Some("message_pinned".to_owned());
        if pinned && self.has(Quirk::PinMakesAMessage) {
            told = self.add(told);
        }
        success(json!({ "message": { "_id": told.id } }))
    }

    pub(crate) fn sync(&self, call: &Call<'_>) -> Reply {
        let rid = call.ask("roomId");
        let Some(room) = self.rooms.get(rid) else {
            let kind = "error-roomId-param-not-provided";
            return refusal(
                &format!("The required \"roomId\" query param is missing. [{kind}]"),
                kind,
            );
        };
        if room.kind != 'c' && !room.members.contains(&call.user.id) {
            return refusal("Not allowed [error-not-allowed]", "error-not-allowed");
        }
        let (next, since) = (call.ask("next"), call.ask("lastUpdate"));
        if !next.is_empty() && !since.is_empty() && self.has(Quirk::EitherCursorOrDate) {
            let text = "The \"lastUpdate\" parameter cannot be used with \"next\" or \"previous\" [error-cursor-conflict]";
            return refusal(text, "error-cursor-conflict");
        }
        if next.is_empty() {
            return self.sync_since(rid, since);
        }
        self.sync_cursor(rid, call)
    }

    /// Everything since a moment, however much.
    fn sync_since(&self, rid: &str, since: &str) -> Reply {
        let Ok(since) = since.parse::<Timestamp>() else {
            let kind = "error-lastUpdate-param-invalid";
            return refusal(
                &format!("The \"lastUpdate\" query parameter must be a valid date. [{kind}]"),
                kind,
            );
        };
        let since = since.as_millisecond();
        let mut updated: Vec<&Message> = self
            .messages
            .iter()
            .filter(|message| message.rid == rid && message.updated > since)
            .collect();
        if self.has(Quirk::SyncNewestFirst) {
            updated.reverse();
            updated.sort_by_key(|message| std::cmp::Reverse(message.at));
        }
        if !self.has(Quirk::SyncHasNoPages) {
            updated.truncate(50);
        }
        let updated: Vec<Value> = updated
            .into_iter()
            .map(|message| self.json(message))
            .collect();
        let deleted = self.deleted_after(rid, since);
        let deleted: Vec<Value> = deleted.into_iter().map(|(_, json)| json).collect();
        success(json!({ "result": { "updated": updated, "deleted": deleted } }))
    }

    fn deleted_after(&self, rid: &str, since: i64) -> Vec<(i64, Value)> {
        let trash = self.trash.iter();
        let here = trash.filter(|(_, room, at)| room == rid && *at > since);
        let mut all: Vec<(i64, Value)> = here
            .map(|(id, _, at)| (*at, json!({ "_id": id, "_deletedAt": iso(*at) })))
            .collect();
        all.sort_by_key(|(at, _)| *at);
        all
    }

    /// A page of what changed after a millisecond, oldest first.
    fn sync_cursor(&self, rid: &str, call: &Call<'_>) -> Reply {
        let next: i64 = call.ask("next").parse().unwrap_or_default();
        let count = call.ask("count").parse().unwrap_or(20_usize).min(100);
        let kind = call.ask("type");
        if kind != "UPDATED" && kind != "DELETED" {
            let kind = "error-type-param-not-supported";
            return refusal(
                &format!("The \"type\" parameter must be UPDATED or DELETED [{kind}]"),
                kind,
            );
        }
        let after = |at: i64| {
            if self.has(Quirk::CursorIsStrict) {
                at > next
            } else {
                at >= next
            }
        };
        let mut rows: Vec<(i64, Value)> = if kind == "UPDATED" {
            let here = self.messages.iter();
            here.filter(|message| message.rid == rid && after(message.updated))
                .map(|message| (message.updated, self.json(message)))
                .collect()
        } else {
            self.deleted_after(rid, next)
        };
        rows.sort_by_key(|(at, _)| *at);
        let more = rows.len() > count;
        rows.truncate(count);
        let cursor = rows.last().map(|(at, _)| at.to_string()).filter(|_| more);
        let listed: Vec<Value> = rows.into_iter().map(|(_, json)| json).collect();
        let mut result =
            json!({ "updated": [], "deleted": [], "cursor": { "next": cursor, "previous": null } });
        result[if kind == "UPDATED" {
            "updated"
        } else {
            "deleted"
        }] = json!(listed);
        if kind == "UPDATED" && !self.has(Quirk::CursorWithoutDeletions) {
            let deleted = self.deleted_after(rid, next).into_iter();
            result["deleted"] = json!(deleted.map(|(_, json)| json).collect::<Vec<_>>());
        }
        success(json!({ "result": result }))
    }

    pub(crate) fn upload(&mut self, rid: &str, call: &Call<'_>) -> Reply {
        if let Err(refusal) = self.open(rid, call) {
            return refusal;
        }
        let id = self.id();
        let media = Media {
            rid: rid.to_owned(),
            at: self.now(),
            confirmed: 0,
        };
        self.media.insert(id.clone(), media);
        if !self.has(Quirk::MediaInTwoSteps) {
            self.confirm(&format!("{rid}/{id}"), call);
        }
        success(json!({ "file": { "_id": id, "url": format!("/file-upload/{id}/programme.pdf") } }))
    }

    pub(crate) fn confirm(&mut self, path: &str, call: &Call<'_>) -> Reply {
        let (now, vanishes) = (self.now(), self.has(Quirk::MediaVanishes));
        let twice = self.has(Quirk::ConfirmedTwiceIsTwo);
        let (rid, id) = path.split_once('/').unwrap_or_default();
        let gone = || refusal("invalid-file", "");
        let Some(media) = self.media.get_mut(id).filter(|media| media.rid == rid) else {
            return gone();
        };
        if vanishes && now - media.at > MEDIA {
            return gone();
        }
        media.confirmed += 1;
        if media.confirmed > 1 && !twice {
            return success(json!({ "message": {} }));
        }
        let body = call.json();
        let text = body["msg"].as_str().unwrap_or_default();
        let mut message = Message::new(self.id(), call.user.id.clone(), rid.to_owned(), text);
        message.tmid = body["tmid"].as_str().map(str::to_owned);
        message.files = 1;
        let made = self.add(message);
        success(json!({ "message": self.json(&made) }))
    }
}
