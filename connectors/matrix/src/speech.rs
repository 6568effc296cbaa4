//! What is said: events as members see them, and how one of ours is found again.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use raccord_chat::dialect::{Dialect, Html};
use raccord_chat::{Chat, Edited, Kind, Outgoing, Posted, Sought};
use raccord_kit::{BoxFuture, Clock};
use raccord_model::{Digest, Failure};
use serde_json::{Value, json};

use crate::api::{Api, Event, segment};
use crate::failure;

/// Where a message's key stands in it.
const KEY: &str = "org.raccord.key";
/// Where its kind stands.
const KIND: &str = "org.raccord.kind";
/// How far back a message is looked for, in pages of a hundred of our own.
const PAGES: usize = 20;
/// What was sent longer ago than this is not looked for any more: no outage of ours lasts so long.
const LONG_AGO: i64 = 60 * 86_400_000;

/// The account that speaks.
pub(crate) struct Speech {
    pub(crate) api: Api,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Speech {
    /// What a message says, and nothing of whom it concerns: without `m.mentions` nobody is
    /// notified, whatever its text holds.
    fn content(message: &Outgoing) -> Value {
        json!({
            "msgtype": "m.notice",
            "body": message.written.text,
            "format": "org.matrix.custom.html",
            "formatted_body": message.written.html,
            "m.mentions": {},
            KEY: message.key.as_str(),
            KIND: message.kind,
        })
    }

    /// The room a message is for.
    async fn room_of(&self, message: &Outgoing) -> Result<String, Failure> {
        match message.kind {
            Kind::Direct => self.api.direct(&message.room).await,
            _ => self.api.room(&message.room).await,
        }
    }

    async fn say(&self, message: &Outgoing) -> Result<Posted, Failure> {
        let room = self.room_of(message).await?;
        let mut content = Self::content(message);
        if let Some(root) = &message.thread {
            content["m.relates_to"] = json!({
                "rel_type": "m.thread",
                "event_id": root,
                "is_falling_back": true,
                "m.in_reply_to": { "event_id": root },
            });
        }
        let id = self
            .api
            .event(&room, "m.room.message", message.key.as_str(), &content)
            .await?;
        Ok(posted(room, id))
    }

    async fn change(&self, posted: &Posted, message: &Outgoing) -> Result<Edited, Failure> {
        let Some(event) = self.api.get(&posted.room, &posted.id).await? else {
            return Ok(Edited::Gone);
        };
        if event.is_redacted() {
            return Ok(Edited::Gone);
        }
        let content = Self::content(message);
        if says(shown(&event), &content) {
            return Ok(Edited::Unchanged);
        }
        let mut edit = content.clone();
        edit["body"] = json!(format!("* {}", message.written.text));
        edit["m.new_content"] = content;
        edit["m.relates_to"] = json!({ "rel_type": "m.replace", "event_id": posted.id });
        // The same words again, after others in between, are another change.
        let before = shown(&event).to_string();
        let transaction = digest(&[&posted.id, &before, &edit.to_string()]);
        self.api
            .event(&posted.room, "m.room.message", &transaction, &edit)
            .await?;
        Ok(Edited::Done)
    }

    /// Looks through what we said in the room, newest first.
    async fn search(&self, message: &Outgoing) -> Result<Sought, Failure> {
        let listed = self.clock.now();
        let room = self.room_of(message).await?;
        let me = self.api.me().await?.user_id;
        let filter = json!({ "senders": [me], "types": ["m.room.message"] });
        let mut from: Option<String> = None;
        for _ in 0..PAGES {
            let page = self.api.past(&room, from.as_deref(), None, &filter).await?;
            for event in &page.chunk {
                if is(event, message) {
                    let posted = posted(room, event.id.clone());
                    return Ok(if event.is_redacted() {
                        Sought::Gone(posted)
                    } else {
                        Sought::There(posted)
                    });
                }
            }
            let oldest = page.chunk.last().map(|event| event.origin_server_ts);
            if oldest.is_some_and(|at| at < listed.as_millisecond() - LONG_AGO) {
                return Ok(Sought::Absent(listed));
            }
            match page.end {
                Some(end) if from.as_ref() != Some(&end) => from = Some(end),
                _ => return Ok(Sought::Absent(listed)),
            }
        }
        Ok(Sought::CannotTell)
    }

    /// Our latest announcements in a room: of one of these a reaction was taken back.
    pub(crate) async fn announced(&self, room: &str) -> Result<Vec<String>, Failure> {
        let me = self.api.me().await?.user_id;
        let filter = json!({ "senders": [me], "types": ["m.room.message"] });
        let page = self.api.past(room, None, None, &filter).await?;
        let announcement = json!(Kind::Announcement);
        let ours = page.chunk.iter().filter(|event| {
            let change = event.content["m.relates_to"]["rel_type"] == "m.replace";
            event.content[KIND] == announcement && !change && !event.is_redacted()
        });
        Ok(ours.map(|event| event.id.clone()).collect())
    }

    async fn away(&self, posted: &Posted) -> Result<(), Failure> {
        match self.api.get(&posted.room, &posted.id).await? {
            None => Ok(()),
            Some(event) if event.is_redacted() => Ok(()),
            Some(_) => {
                let transaction = digest(&["redact", &posted.id]);
                self.api
                    .redact(&posted.room, &posted.id, &transaction)
                    .await
                    .map(drop)
            }
        }
    }

    /// Pins a message, in place of what we pinned before; the pins of others stay.
    async fn set_pin(&self, posted: &Posted, pinned: bool) -> Result<(), Failure> {
        const PINS: &str = "m.room.pinned_events";
        let state = self.api.state(&posted.room, PINS).await?;
        let known: Vec<String> = state
            .as_ref()
            .and_then(|state| state["pinned"].as_array())
            .into_iter()
            .flatten()
            .filter_map(|id| Some(id.as_str()?.to_owned()))
            .collect();
        let me = self.api.me().await?.user_id;
        let mut pins = Vec::new();
        for id in known.iter().filter(|id| **id != posted.id) {
            let event = self.api.get(&posted.room, id).await?;
            let ours = event.is_some_and(|event| event.sender == me);
            if !ours {
                pins.push(id.clone());
            }
        }
        if pinned {
            pins.push(posted.id.clone());
        }
        if pins == known {
            return Ok(());
        }
        let set = self
            .api
            .set_state(&posted.room, PINS, &json!({ "pinned": pins }))
            .await;
        set.map_err(|failure| match failure.code.as_str() {
            "matrix.not-a-member" => failure::cannot_pin(&posted.room),
            _ => failure,
        })
    }
}

/// Where people see an event.
fn posted(room: String, id: String) -> Posted {
    let url = format!("https://matrix.to/#/{}/{}", segment(&room), segment(&id));
    Posted {
        room,
        id,
        url: Some(url),
    }
}

/// What an event says now, after its changes.
fn shown(event: &Event) -> &Value {
    let newest = &event.unsigned["m.relations"]["m.replace"]["content"]["m.new_content"];
    if newest.is_object() {
        newest
    } else {
        &event.content
    }
}

/// Whether one content says what the other does.
fn says(one: &Value, other: &Value) -> bool {
    ["body", "formatted_body"]
        .iter()
        .all(|name| one[name] == other[name])
}

/// Whether an event is this message itself, not a change of it. What was taken away lost its words,
/// but its sender is still told under which transaction it was sent.
fn is(event: &Event, message: &Outgoing) -> bool {
    let key = Some(message.key.as_str());
    let change = event.content["m.relates_to"]["rel_type"] == "m.replace";
    !change
        && (event.content[KEY].as_str() == key || event.unsigned["transaction_id"].as_str() == key)
}

fn digest(parts: &[&str]) -> String {
    Digest::of(parts.join("\0").as_bytes()).to_string()[..32].to_owned()
}

/// Whether an event was made by a program that speaks like us.
pub(crate) fn is_ours(content: &Value) -> bool {
    !content[KEY].is_null()
}

impl Chat for Speech {
    fn dialect(&self) -> &dyn Dialect {
        &Html::MATRIX
    }

    fn target(&self) -> String {
        self.api.base().url().to_string()
    }

    fn post<'a>(&'a self, message: &'a Outgoing) -> BoxFuture<'a, Result<Posted, Failure>> {
        Box::pin(async move { self.heed(self.say(message).await) })
    }

    fn seek<'a>(&'a self, message: &'a Outgoing) -> BoxFuture<'a, Result<Sought, Failure>> {
        Box::pin(async move { self.heed(self.search(message).await) })
    }

    fn edit<'a>(
        &'a self,
        posted: &'a Posted,
        message: &'a Outgoing,
    ) -> BoxFuture<'a, Result<Edited, Failure>> {
        Box::pin(async move { self.heed(self.change(posted, message).await) })
    }

    fn take_away<'a>(&'a self, posted: &'a Posted) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move { self.heed(self.away(posted).await) })
    }

    fn pin<'a>(&'a self, posted: &'a Posted, pinned: bool) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.set_pin(posted, pinned))
    }
}

impl Speech {
    /// Where something was refused, what is known of rooms may be wrong.
    fn heed<T>(&self, came: Result<T, Failure>) -> Result<T, Failure> {
        if came.is_err() {
            self.api.forget_rooms();
        }
        came
    }
}

/// When an event happened, as our clock goes: the server says how long ago that was, and its own
/// clock may be off.
pub(crate) fn instant(event: &Event, now: Timestamp) -> Timestamp {
    let age = event.unsigned["age"].as_i64().filter(|age| *age >= 0);
    age.and_then(|age| now.checked_sub(SignedDuration::from_millis(age)).ok())
        .or_else(|| Timestamp::from_millisecond(event.origin_server_ts).ok())
        .unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use raccord_chat::{Key, Written};
    use raccord_model::{EntityId, Lang};

    fn message() -> Outgoing {
        Outgoing {
            kind: Kind::Announcement,
            room: "#r:x".into(),
            thread: None,
            key: Key::new("lieu", "chat", EntityId::derive(&[b"x"]), 0),
            lang: Lang::Fr,
            written: Written {
                text: "un".into(),
                html: Some("<p>un</p>".into()),
            },
        }
    }

    #[test]
    fn a_message_names_nobody_and_carries_its_key() {
        let content = Speech::content(&message());
        assert_eq!(content["m.mentions"], json!({}));
        assert_eq!(content["msgtype"], "m.notice");
        assert!(is_ours(&content));
    }

    #[test]
    fn a_message_is_found_by_its_key_and_without_words_by_its_transaction() {
        let message = message();
        let event = |content: Value, unsigned: Value| Event {
            content,
            unsigned,
            ..Event::default()
        };
        assert!(is(&event(Speech::content(&message), Value::Null), &message));
        let gone = json!({ "transaction_id": message.key.as_str(), "redacted_because": {} });
        let gone = event(json!({}), gone);
        assert!(is(&gone, &message) && gone.is_redacted());
        let mut edit = Speech::content(&message);
        edit["m.relates_to"] = json!({ "rel_type": "m.replace" });
        assert!(!is(&event(edit, Value::Null), &message));
        assert!(!is(&event(json!({}), Value::Null), &message));
    }
}
