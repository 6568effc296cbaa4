//! What is heard: messages that changed since the last look, in the rooms of the settings, page by page
//! as the server's cursor leads, and what was deleted, in a second pass.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use raccord_chat::heard::{self, Hear, Heard, What};
use raccord_chat::{Reached, Rooms};
use raccord_kit::{BoxFuture, Source};
use raccord_model::{Failure, Observation};

use crate::api::Kind;
use crate::message::{Changed, Cursor, Message, PREFIX};
use crate::{Instance, RocketChat};

/// How many pages are read in one look; the next look goes on from there.
const PAGES: usize = 100;

impl Source for Instance {
    fn observe<'a>(
        &'a self,
        cursor: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Observation, Failure>> {
        Box::pin(async move {
            let heard = self.account().hear(cursor).await;
            self.account().kept(heard).await
        })
    }

    fn news<'a>(&'a self, cursor: Option<&'a str>) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            // Where listening has not begun there is nothing to be told of yet.
            if cursor.is_some() {
                let account = self.account();
                account.live.news(account).await;
            }
            true
        })
    }

    fn every(&self) -> (Duration, Option<PathBuf>) {
        (self.account().settings.every.get(), None)
    }
}

impl RocketChat {
    /// Whether there is anything to listen to.
    pub(crate) fn listens(&self) -> bool {
        !self.settings.listen.is_empty() && self.settings.hear != Hear::None
    }

    async fn hear(&self, cursor: Option<&str>) -> Result<Observation, Failure> {
        // What cannot be read any more begins anew.
        let before: Rooms = cursor
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let (mut after, mut changes) = (Rooms::new(), Vec::new());
        for name in &self.settings.listen {
            let room = self.room(name).await?;
            let Some(reached) = before.get(&room.id) else {
                let begun = Reached::beginning(self.newest_in(name).await?);
                after.insert(room.id.clone(), begun);
                continue;
            };
            let since = reached.since();
            let (read, newest) = self.room_since(&room.id, since).await?;
            let mut heard = self.news(&room.id, &read, since);
            heard.extend(self.signing_up(&room.id, &read).await?);
            let (fresh, next) = reached.go_on(heard, newest);
            for heard in &fresh {
                changes.extend(heard::change(&self.kit, self.settings.hear, heard));
            }
            after.insert(room.id.clone(), next);
        }
        if changes.is_empty() && after == before {
            return Ok(Observation::Unchanged { cursor: None });
        }
        Ok(Observation::Changes {
            changes,
            cursor: serde_json::to_string(&after).ok(),
        })
    }

    /// When something happened in a room last, by the server's clock, which may be another than ours.
    async fn newest_in(&self, name: &str) -> Result<i64, Failure> {
        let room = self.api.room(name).await?.unwrap_or_default();
        let at = room.updated_at.unwrap_or_else(|| self.kit.clock.now());
        Ok(at.as_millisecond())
    }

    /// What changed in a room after a moment, oldest first, and up to when it was read.
    async fn room_since(&self, room: &str, since: i64) -> Result<(Changed, Option<i64>), Failure> {
        let (mut all, mut cut) = (Changed::default(), None::<i64>);
        for kind in [Kind::Updated, Kind::Deleted] {
            let mut after = since;
            let mut pages = 0;
            loop {
                let page = self.api.page(room, after, kind).await?;
                let next = page.cursor.as_ref().and_then(Cursor::millisecond);
                all.updated.extend(page.updated);
                all.deleted.extend(page.deleted);
                pages += 1;
                after = match next {
                    // The page ends inside a millisecond: what else bears it comes again, or would
                    // be missed. A page of nothing but that millisecond is left behind.
                    Some(next) if next - 1 > after => next - 1,
                    Some(next) if next > after => next,
                    _ => break,
                };
                if pages == PAGES {
                    cut = Some(cut.map_or(after, |cut| cut.min(after)));
                    break;
                }
            }
        }
        all.updated
            .sort_by_key(|message| (message.updated_at, message.id.clone()));
        all.updated
            .dedup_by(|one, other| one.id == other.id && one.updated_at == other.updated_at);
        all.deleted.sort_by_key(|gone| (gone.at, gone.id.clone()));
        all.deleted.dedup_by(|one, other| one.id == other.id);
        let reached = cut.or_else(|| newest(&all));
        Ok((all, reached))
    }

    /// What was not heard before. The whole of a message comes again at every change: a reaction, a
    /// pin, a reply.
    fn news(&self, room: &str, read: &Changed, since: i64) -> Vec<Heard> {
        let theirs = |message: &&Message| {
            let ours = message.id.starts_with(PREFIX) || message.u.id == self.api.user;
            !(ours || message.bot.is_some())
        };
        let changed = read.updated.iter().filter(theirs);
        let mut all: Vec<Heard> = changed
            .flat_map(|message| of_message(room, message, since))
            .collect();
        let gone = read.deleted.iter();
        let gone = gone.filter(|gone| !gone.id.starts_with(PREFIX));
        all.extend(gone.map(|gone| Heard {
            room: room.to_owned(),
            message: gone.id.clone(),
            id: format!("{} deleted", gone.id),
            author: String::new(),
            at: gone.at.unwrap_or_default(),
            what: What::TakenAway,
        }));
        all
    }
}

/// What a message says that was not said before.
fn of_message(room: &str, message: &Message, since: i64) -> Vec<Heard> {
    let heard = |id: String, at: Timestamp, what: What| Heard {
        room: room.to_owned(),
        message: message.id.clone(),
        id,
        author: message.u.id.clone(),
        at,
        what,
    };
    let (id, updated) = (&message.id, message.updated_at.unwrap_or_default());
    match message.t.as_deref() {
        None => {}
        Some("rm") => return vec![heard(format!("{id} deleted"), updated, What::TakenAway)],
        // Somebody came, left, pinned: the server says so, and nobody wrote it.
        Some(_) => return Vec::new(),
    }
    let after = |at: Option<Timestamp>| at.filter(|at| at.as_millisecond() > since);
    let (new, edited) = (after(message.ts), after(message.edited_at));
    let mut all = Vec::new();
    all.extend(new.map(|at| {
        let (text, thread) = (message.msg.clone(), message.tmid.clone());
        heard(id.clone(), at, What::Said { text, thread })
    }));
    all.extend(edited.map(|at| {
        let text = message.msg.clone();
        let name = format!("{id} {}", at.as_millisecond());
        heard(name, at, What::Edited { text })
    }));
    let reactions: Vec<(String, u64)> = message
        .reactions
        .iter()
        .flatten()
        .map(|(name, who)| {
            (
                name.trim_matches(':').to_owned(),
                who.usernames.len() as u64,
            )
        })
        .collect();
    if !reactions.is_empty() || all.is_empty() {
        let name = format!("{id} r{}", updated.as_millisecond());
        all.push(heard(name, updated, What::Reactions(reactions)));
    }
    all
}

/// The latest moment of what was read.
fn newest(read: &Changed) -> Option<i64> {
    let updated = read.updated.iter().filter_map(|message| message.updated_at);
    let deleted = read.deleted.iter().filter_map(|gone| gone.at);
    updated.chain(deleted).max().map(Timestamp::as_millisecond)
}
