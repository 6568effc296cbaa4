//! Who reacts to a message now: looked at once in a reading, however often it changed meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use raccord_chat::heard::{Hear, Heard, What, change};
use raccord_chat::reaction;
use raccord_model::{Change, Failure};

use crate::Matrix;
use crate::api::{Event, Reactions};
use crate::speech::{instant, is_ours};

/// How many reactions are remembered; of others it is looked where they may have been.
const REACTED: usize = 10_000;
/// Of how many things that were taken away it is looked what they were, in one reading.
const LOOKED: usize = 20;

/// Which message of ours a reaction was about, for when it is taken back.
#[derive(Default)]
pub(crate) struct Reacted(Mutex<BTreeMap<String, String>>);

impl Reacted {
    fn note(&self, reaction: &str, message: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REACTED {
            known.clear();
        }
        known.insert(reaction.to_owned(), message.to_owned());
    }

    fn message(&self, reaction: &str) -> Option<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(reaction).cloned()
    }
}

/// The messages that people reacted to since the last reading, each with the last event of that.
#[derive(Default)]
struct Touched<'a> {
    /// Anybody's, by a reaction that is known.
    messages: BTreeMap<String, &'a Event>,
    /// Of what was taken away it is not known what it was.
    gone: Vec<&'a Event>,
}

impl Matrix {
    /// What became of reactions: how many there are to each message, and who signs up by one.
    pub(crate) async fn reacted_to(
        &self,
        room: &str,
        events: &[Event],
        me: &str,
    ) -> Result<Vec<Change>, Failure> {
        let counts = self.hear == Hear::All;
        if !counts && !self.signs_up() {
            return Ok(Vec::new());
        }
        let chat = self.speaker.chat();
        let mut touched = self.touched(events);
        let mut announced = BTreeSet::new();
        if self.signs_up()
            && let Some(last) = self.takes_back(room, &touched.gone).await?
        {
            announced.extend(chat.announced(room).await?);
            for message in &announced {
                touched.messages.entry(message.clone()).or_insert(last);
            }
        }
        let mut changes = Vec::new();
        for (message, last) in touched.messages {
            let ours = self.signs_up()
                && (announced.contains(&message)
                    || self.is_of_ours(room, &message, events, me).await?);
            if !ours && !counts {
                continue;
            }
            let Some(all) = chat.api.reactions(room, &message).await? else {
                continue;
            };
            let heard = |id: String, author: &str, what| Heard {
                room: room.to_owned(),
                message: message.clone(),
                id,
                author: author.to_owned(),
                at: instant(last, self.speaker.kit().clock.now()),
                what,
            };
            let mut said = Vec::new();
            if counts {
                let id = format!("{} {message} all", last.id);
                said.push(heard(id, &last.sender, counted(&all)));
            }
            if ours {
                let id = format!("{} {message}", last.id);
                let hands = reaction::signing_up(self.speaker.kit(), &others(all, me));
                said.extend(hands.map(|hands| heard(id, "", hands)));
            }
            let kit = self.speaker.kit();
            changes.extend(said.iter().filter_map(|one| change(kit, self.hear, one)));
        }
        Ok(changes)
    }

    /// What was reacted to, and what was taken away.
    fn touched<'a>(&self, events: &'a [Event]) -> Touched<'a> {
        let mut touched = Touched::default();
        for event in events {
            match event.kind.as_str() {
                "m.reaction" => {
                    touched
                        .messages
                        .extend(about(event).map(|message| (message.to_owned(), event)));
                }
                "m.room.redaction" => {
                    let known = event.takes_away().and_then(|gone| {
                        // It may have come and gone since the last reading.
                        let here = events.iter().find(|event| event.id == gone);
                        let here = here.and_then(about).map(str::to_owned);
                        here.or_else(|| self.reacted.message(gone))
                    });
                    match known {
                        Some(message) => drop(touched.messages.insert(message, event)),
                        None => touched.gone.push(event),
                    }
                }
                _ => {}
            }
        }
        touched
    }

    /// The last of those that may have taken back a reaction: it does not say any more what it was
    /// about, but still that it was one.
    async fn takes_back<'a>(
        &self,
        room: &str,
        gone: &[&'a Event],
    ) -> Result<Option<&'a Event>, Failure> {
        let last = gone.last().copied();
        if gone.len() > LOOKED {
            return Ok(last);
        }
        for event in gone {
            let id = event.takes_away().unwrap_or_default();
            let was = self.speaker.chat().api.get(room, id).await?;
            if was.is_none_or(|was| was.kind == "m.reaction") {
                return Ok(last);
            }
        }
        Ok(None)
    }

    /// Whether a message is one of ours; of one that is, its reactions are remembered.
    async fn is_of_ours(
        &self,
        room: &str,
        message: &str,
        events: &[Event],
        me: &str,
    ) -> Result<bool, Failure> {
        let known = self.speaker.chat().api.get(room, message).await?;
        let ours = known.is_some_and(|event| event.sender == me && is_ours(&event.content));
        if ours {
            let to_it = events.iter().filter(|event| about(event) == Some(message));
            to_it.for_each(|event| self.reacted.note(&event.id, message));
        }
        Ok(ours)
    }
}

/// Which message a reaction is about.
fn about(event: &Event) -> Option<&str> {
    let relates = &event.content["m.relates_to"];
    let annotates = event.kind == "m.reaction" && relates["rel_type"] == "m.annotation";
    relates["event_id"].as_str().filter(|_| annotates)
}

/// How many people reacted, by reaction.
fn counted(all: &Reactions) -> What {
    let counts = all.iter();
    let counts = counts.map(|(reaction, people)| (reaction.clone(), people.len() as u64));
    What::Reactions(counts.collect())
}

/// Everybody but us.
fn others(all: Reactions, me: &str) -> Reactions {
    let all = all.into_iter();
    all.map(|(name, people)| (name, people.into_iter().filter(|id| id != me).collect()))
        .collect()
}
