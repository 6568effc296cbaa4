//! What is heard: everything since the token of the last reading, gaps included.

use std::sync::PoisonError;
use std::time::Duration;

use raccord_chat::heard::{Hear, Heard, What, change};
use raccord_kit::{BoxFuture, Source};
use raccord_model::{Change, Failure, Observation};
use serde_json::{Value, json};

use crate::Matrix;
use crate::api::Event;
use crate::speech::{instant, is_ours};

/// How often rooms are read where nothing calls for it.
const EVERY: Duration = Duration::from_secs(60);
/// How long the server keeps the question open whether there is something new.
const OPEN: Duration = Duration::from_secs(25);
/// How many ways there are to write the same question.
const BLANKS: i64 = 97;
/// How far a gap in a room is read back, in pages of a hundred.
const PAGES: usize = 200;

impl Source for Matrix {
    fn observe<'a>(
        &'a self,
        cursor: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Observation, Failure>> {
        Box::pin(self.listen(cursor))
    }

    fn news<'a>(&'a self, cursor: Option<&'a str>) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let Some(cursor) = cursor else {
                return true;
            };
            let api = &self.speaker.chat().api;
            let Ok(me) = api.me().await else {
                return false;
            };
            let filter = self.filter(&me.user_id).to_string();
            let since = self.since(cursor);
            let Ok(answer) = api.sync(Some(&since), &filter, OPEN).await else {
                return false;
            };
            let rooms = answer["rooms"]["join"].as_object();
            let fresh = rooms.is_some_and(|rooms| !rooms.is_empty());
            if !fresh {
                self.pass(cursor, next(&answer));
            }
            fresh
        })
    }

    fn every(&self) -> (Duration, Option<std::path::PathBuf>) {
        (EVERY, None)
    }
}

impl Matrix {
    /// The kinds of event that are read.
    fn kinds(&self) -> &'static [&'static str] {
        match self.hear {
            Hear::Questions if self.signs_up() => {
                &["m.room.message", "m.room.redaction", "m.reaction"]
            }
            Hear::All => &["m.room.message", "m.room.redaction", "m.reaction"],
            _ => &["m.room.message"],
        }
    }

    /// Whether a route takes a reaction for a sign-up.
    pub(crate) fn signs_up(&self) -> bool {
        !self.speaker.kit().signups.is_empty()
    }

    /// Everything but what our own account did: that wakes nobody.
    fn filter(&self, me: &str) -> Value {
        json!({
            "presence": { "types": [] },
            "account_data": { "types": [] },
            "room": {
                "timeline": { "limit": 100, "types": self.kinds(), "not_senders": [me] },
                "state": { "types": [], "lazy_load_members": true },
                "ephemeral": { "types": [] },
                "account_data": { "types": [] },
            },
        })
    }

    /// Where to go on from, where the log knows `cursor`. The same token is not asked about twice: a
    /// server may keep its answer for minutes.
    fn since(&self, cursor: &str) -> String {
        let passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        match &*passed {
            Some((from, to)) if from == cursor => to.clone(),
            _ => cursor.to_owned(),
        }
    }

    /// Nothing was worth telling from `cursor` to `next`.
    fn pass(&self, cursor: &str, next: Option<String>) {
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        *passed = next.map(|next| (cursor.to_owned(), next));
    }

    /// A filter as it was not written before: a server keeps its answer to a question for minutes
    /// (Synapse: two), and a process that was just started asks what the one before it asked.
    fn anew(&self, filter: &Value) -> String {
        let now = self.speaker.kit().clock.now().as_millisecond();
        let blanks = usize::try_from(now.rem_euclid(BLANKS)).unwrap_or_default();
        format!("{filter}{:blanks$}", "")
    }

    async fn listen(&self, cursor: Option<&str>) -> Result<Observation, Failure> {
        let api = &self.speaker.chat().api;
        let me = api.me().await?.user_id;
        let filter = self.filter(&me);
        let Some(since) = cursor else {
            // What was said before we came is nobody's question to us.
            let answer = api.sync(None, &self.anew(&filter), Duration::ZERO).await?;
            return Ok(Observation::Changes {
                changes: Vec::new(),
                cursor: next(&answer),
            });
        };
        let cursor = since;
        let since = &self.since(cursor);
        let question = self.anew(&filter);
        let answer = api.sync(Some(since), &question, Duration::ZERO).await?;
        let mut changes = Vec::new();
        for (room, news) in answer["rooms"]["join"].as_object().into_iter().flatten() {
            let timeline = &news["timeline"];
            let mut events = Vec::new();
            if timeline["limited"] == true {
                let from = timeline["prev_batch"].as_str();
                events = self.missed(room, from, since, &filter).await?;
            }
            let newest = timeline["events"].as_array().into_iter().flatten();
            events.extend(newest.filter_map(|event| serde_json::from_value(event.clone()).ok()));
            events.retain(|event| event.sender != me);
            changes.extend(events.iter().filter_map(|event| self.told(room, event)));
            changes.extend(self.reacted_to(room, &events, &me).await?);
        }
        Ok(match next(&answer) {
            // The log need not know a newer token for nothing: the old one leads here as well.
            next if changes.is_empty() => {
                self.pass(cursor, next);
                Observation::Unchanged { cursor: None }
            }
            cursor => Observation::Changes { changes, cursor },
        })
    }

    /// What the answer left out of a room, oldest first: from `from` back to the last reading.
    async fn missed(
        &self,
        room: &str,
        from: Option<&str>,
        since: &str,
        filter: &Value,
    ) -> Result<Vec<Event>, Failure> {
        let api = &self.speaker.chat().api;
        let filter = &filter["room"]["timeline"];
        let mut from = from.map(str::to_owned);
        let mut events = Vec::new();
        for _ in 0..PAGES {
            let page = api.past(room, from.as_deref(), Some(since), filter).await?;
            events.extend(page.chunk);
            match page.end {
                Some(end) if from.as_ref() != Some(&end) => from = Some(end),
                _ => break,
            }
        }
        events.reverse();
        Ok(events)
    }

    /// The change an event is by itself, where it is to be heard.
    fn told(&self, room: &str, event: &Event) -> Option<Change> {
        let (message, what) = self.what(event)?;
        let heard = Heard {
            room: room.to_owned(),
            message,
            id: event.id.clone(),
            author: event.sender.clone(),
            at: instant(event, self.speaker.kit().clock.now()),
            what,
        };
        change(self.speaker.kit(), self.hear, &heard)
    }

    fn what(&self, event: &Event) -> Option<(String, What)> {
        let relates = &event.content["m.relates_to"];
        let related = relates["event_id"].as_str().map(str::to_owned);
        let relation = relates["rel_type"].as_str();
        match (event.kind.as_str(), relation) {
            ("m.room.message", _) if is_program(&event.content) => None,
            ("m.room.message", Some("m.replace")) => {
                let text = words(&event.content["m.new_content"]);
                related.map(|message| (message, What::Edited { text }))
            }
            ("m.room.message", _) => {
                let thread = related.filter(|_| relation == Some("m.thread"));
                let text = words(&event.content);
                Some((event.id.clone(), What::Said { text, thread }))
            }
            ("m.room.redaction", _) if self.hear == Hear::All => {
                let message = event.takes_away().map(str::to_owned);
                message.map(|message| (message, What::TakenAway))
            }
            _ => None,
        }
    }
}

/// Where the next reading begins.
fn next(answer: &Value) -> Option<String> {
    answer["next_batch"].as_str().map(str::to_owned)
}

/// Programs speak in notices, and do not listen to each other's: two that did would never end.
fn is_program(content: &Value) -> bool {
    content["msgtype"] == "m.notice" || is_ours(content)
}

/// The words of a message, without those of the message it answers (old clients put them before).
fn words(content: &Value) -> String {
    let body = content["body"].as_str().unwrap_or_default();
    if content["m.relates_to"]["m.in_reply_to"].is_null() || !body.starts_with("> ") {
        return body.to_owned();
    }
    let own = body.lines().skip_while(|line| line.starts_with('>'));
    let own: Vec<&str> = own.skip_while(|line| line.is_empty()).collect();
    own.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_somebody_answers_are_not_theirs() {
        let reply = json!({
            "body": "> <@a:x> !programme\n> deux\n\nnon merci",
            "m.relates_to": { "m.in_reply_to": { "event_id": "$1" } },
        });
        assert_eq!(words(&reply), "non merci");
        assert_eq!(words(&json!({ "body": "> cité" })), "> cité");
    }
}
