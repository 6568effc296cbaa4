//! What is heard: rows that changed since the last look, in the channels of the settings.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use raccord_chat::heard::{self, Heard, What};
use raccord_kit::{BoxFuture, Source};
use raccord_model::{Change, Failure, Observation};

use crate::Mattermost;
use crate::api::SINCE;
use crate::chat::next_page;
use crate::post::{Post, Reaction};

/// A row may be written a little after the time it bears: so much is read again.
const OVERLAP_MS: i64 = 5_000;
/// How many pages are walked through at most after an outage: 40 000 posts.
const PAGES: usize = 200;

/// The latest change that was read, in milliseconds, by channel.
type Cursor = BTreeMap<String, i64>;

impl Source for crate::Tool {
    fn observe<'a>(
        &'a self,
        cursor: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Observation, Failure>> {
        Box::pin(async move {
            let heard = self.chat().hear(cursor).await;
            if heard.is_err() {
                self.chat().forget().await;
            }
            heard
        })
    }

    fn every(&self) -> (Duration, Option<PathBuf>) {
        (self.chat().settings.every.get(), None)
    }
}

impl Mattermost {
    async fn hear(&self, cursor: Option<&str>) -> Result<Observation, Failure> {
        // What cannot be read any more begins anew.
        let before: Cursor = cursor
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let me = self.me().await?;
        let (mut after, mut changes) = (Cursor::new(), Vec::new());
        for name in &self.settings.listen {
            let channel = self.channel(name).await?;
            let Some(since) = before.get(&channel.id).copied() else {
                // What was said before anybody listened is not for us.
                let page = self.api.page(&channel.id, None).await?;
                let newest = page.iter().map(|post| post.update_at).max();
                after.insert(channel.id.clone(), newest.unwrap_or_default());
                continue;
            };
            let rows = self.rows(&channel.id, since - OVERLAP_MS).await?;
            let newest = rows.iter().map(|post| post.update_at).max();
            let newest = newest.unwrap_or(since).max(since);
            for post in rows.iter().rev() {
                let ours = post.key().is_some() || post.user_id == me.id;
                if !(ours || post.is_automatic() || post.is_no_message()) {
                    self.news(post, since - OVERLAP_MS, &mut changes);
                }
            }
            after.insert(channel.id.clone(), newest);
        }
        if changes.is_empty() && after == before {
            return Ok(Observation::Unchanged { cursor: None });
        }
        Ok(Observation::Changes {
            changes,
            cursor: serde_json::to_string(&after).ok(),
        })
    }

    /// The rows that changed after a moment, newest first.
    async fn rows(&self, channel: &str, since: i64) -> Result<Vec<Post>, Failure> {
        let mut rows = self.api.since(channel, since).await?;
        if rows.len() < SINCE {
            return Ok(rows);
        }
        // These are some of more, whichever: everything that was said since is read page by page.
        let mut before = None;
        for _ in 0..PAGES {
            let page = self.api.page(channel, before.as_deref()).await?;
            before = next_page(&page);
            let reached = page.last().is_none_or(|last| last.create_at <= since);
            rows.extend(page.into_iter().filter(|post| post.update_at > since));
            if before.is_none() || reached {
                break;
            }
        }
        rows.sort_by(|one, other| {
            let key = |post: &Post| (post.create_at, post.id.clone(), post.update_at);
            key(other).cmp(&key(one))
        });
        rows.dedup_by(|one, other| one.id == other.id && one.update_at == other.update_at);
        Ok(rows)
    }

    /// What a row says that was not said before.
    fn news(&self, post: &Post, since: i64, changes: &mut Vec<Change>) {
        let mut say = |id: String, at: i64, what: What| {
            let heard = Heard {
                room: post.channel_id.clone(),
                message: post.id.clone(),
                id,
                author: post.user_id.clone(),
                at: Timestamp::from_millisecond(at).unwrap_or_default(),
                what,
            };
            changes.extend(heard::change(&self.kit, self.settings.hear, &heard));
        };
        let id = &post.id;
        if post.delete_at > 0 {
            return say(
                format!("{id} {}", post.delete_at),
                post.delete_at,
                What::TakenAway,
            );
        }
        let (new, edited) = (post.create_at > since, post.edit_at > since);
        let text = || post.message.clone();
        if new {
            let root = Some(post.root_id.clone()).filter(|root| !root.is_empty());
            let said = What::Said {
                text: text(),
                thread: root,
            };
            say(id.clone(), post.create_at, said);
        }
        if edited {
            let edit = What::Edited { text: text() };
            say(format!("{id} {}", post.edit_at), post.edit_at, edit);
        }
        let reactions = counted(post.metadata.reactions.as_deref().unwrap_or_default());
        if !reactions.is_empty() || !(new || edited) {
            let reacted = What::Reactions(reactions);
            say(format!("{id} r{}", post.update_at), post.update_at, reacted);
        }
    }
}

/// How many people reacted, by reaction.
fn counted(reactions: &[Reaction]) -> Vec<(String, u64)> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for reaction in reactions {
        *counts.entry(&reaction.emoji_name).or_default() += 1;
    }
    counts
        .into_iter()
        .map(|(name, count)| (name.to_owned(), count))
        .collect()
}
