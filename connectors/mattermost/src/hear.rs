//! What is heard: rows that changed since the last look, in the channels of the settings.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use raccord_chat::heard::{self, Hear, Heard, What};
use raccord_chat::{Reached, Rooms, reaction};
use raccord_kit::{BoxFuture, Source};
use raccord_model::{Failure, Observation, Standing};

use crate::api::SINCE;
use crate::chat::next_page;
use crate::post::{Post, Reaction};
use crate::{Instance, Mattermost, failure};

/// How many pages are walked through at most after an outage: 40 000 posts.
const PAGES: usize = 200;

/// How many posts somebody may delete while the pages are read.
const DELETED: usize = 20;

/// What a channel was asked for.
struct Read {
    /// The rows that changed, newest first.
    rows: Vec<Post>,
    /// Up to when all that changed is among them.
    newest: Option<i64>,
    /// What stands there, where the server told some of more only.
    standing: Option<Standing>,
}

impl Source for Instance {
    fn observe<'a>(
        &'a self,
        cursor: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Observation, Failure>> {
        Box::pin(async move {
            let heard = self.account().hear(cursor).await;
            if heard.is_err() {
                self.account().forget().await;
            }
            heard
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

impl Mattermost {
    /// Whether there is anything to listen to.
    pub(crate) fn listens(&self) -> bool {
        !self.settings.listen.is_empty() && self.settings.hear != Hear::None
    }

    async fn hear(&self, cursor: Option<&str>) -> Result<Observation, Failure> {
        // What cannot be read any more begins anew.
        let before: Rooms = cursor
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let me = self.me().await?;
        let (mut after, mut changes, mut standing) = (Rooms::new(), Vec::new(), Vec::new());
        for name in &self.settings.listen {
            let channel = self.channel(name).await?;
            let Some(reached) = before.get(&channel.id) else {
                let page = self.api.page(&channel.id, None).await?;
                let newest = page.iter().map(|post| post.update_at).max();
                let begun = Reached::beginning(newest.unwrap_or_default());
                after.insert(channel.id.clone(), begun);
                continue;
            };
            let read = self.changed(&channel.id, reached.since()).await?;
            let rows = &read.rows;
            standing.extend(read.standing);
            let theirs = |post: &&Post| {
                let ours = post.key().is_some() || post.user_id == me.id;
                !(ours || post.is_automatic() || post.is_no_message())
            };
            let news = rows.iter().rev().filter(theirs);
            let heard = news.flat_map(|post| of_post(post, reached.since()));
            let signing = rows
                .iter()
                .rev()
                .filter_map(|post| self.signing_up(post, &me.id));
            let heard = heard.chain(signing).collect();
            let (fresh, next) = reached.go_on(heard, read.newest);
            for heard in &fresh {
                changes.extend(heard::change(&self.kit, self.settings.hear, heard));
            }
            after.insert(channel.id.clone(), next);
        }
        if changes.is_empty() && after == before {
            return Ok(Observation::Unchanged { cursor: None });
        }
        let cursor = serde_json::to_string(&after).ok();
        Ok(if standing.is_empty() {
            Observation::Changes { changes, cursor }
        } else {
            Observation::Recount {
                changes,
                cursor,
                standing,
            }
        })
    }

    /// Who reacted to a post of ours in a way that signs up.
    fn signing_up(&self, post: &Post, me: &str) -> Option<Heard> {
        let ours = post.key().is_some() && post.user_id == me && post.delete_at == 0;
        if !ours || post.is_no_message() {
            return None;
        }
        let mut all: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for reaction in post.metadata.reactions.iter().flatten() {
            let people = all.entry(&reaction.emoji_name).or_default();
            people.extend(Some(reaction.user_id.clone()).filter(|id| id != me));
        }
        let all: Vec<(String, Vec<String>)> = all
            .into_iter()
            .map(|(name, people)| (name.to_owned(), people))
            .collect();
        Some(Heard {
            room: post.channel_id.clone(),
            message: post.id.clone(),
            id: format!("{} h{}", post.id, post.update_at),
            author: String::new(),
            at: Timestamp::from_millisecond(post.update_at).unwrap_or_default(),
            what: reaction::signing_up(&self.kit, &all)?,
        })
    }

    /// What changed in a channel after a moment.
    async fn changed(&self, channel: &str, since: i64) -> Result<Read, Failure> {
        let mut rows = self.api.since(channel, since).await?;
        let newest = |rows: &[Post]| rows.iter().map(|post| post.update_at).max();
        if rows.len() < SINCE {
            return Ok(Read {
                newest: newest(&rows),
                rows,
                standing: None,
            });
        }
        // These are some of more, whichever: the whole channel is read page by page, for what was said
        // long ago may have been changed since. Pages do not tell what is gone, but what is not.
        let mut page = self.api.page(channel, None).await?;
        // What changes while the further pages are read is read again.
        let until = newest(&rows).max(newest(&page));
        let mut standing = Standing {
            channel: channel.to_owned(),
            until: Timestamp::from_millisecond(until.unwrap_or_default()).unwrap_or_default(),
            ..Standing::default()
        };
        for pages in 1.. {
            let before = next_page(&page);
            let oldest = page.last().map_or(0, |post| post.create_at);
            let subjects = page.iter().map(|post| format!("{channel} {}", post.id));
            standing.subjects.extend(subjects);
            rows.extend(page.into_iter().filter(|post| post.update_at > since));
            let Some(before) = before else {
                break;
            };
            if pages == PAGES {
                // Of what is older nobody knows.
                standing.from = Timestamp::from_millisecond(oldest + 1).unwrap_or_default();
                break;
            }
            page = self.api.page(channel, Some(&before)).await?;
        }
        self.is_whole(&standing, &rows)?;
        rows.sort_by(|one, other| {
            let key = |post: &Post| (post.create_at, post.id.clone(), post.update_at);
            key(other).cmp(&key(one))
        });
        rows.dedup_by(|one, other| one.id == other.id && one.update_at == other.update_at);
        let all = self.settings.hear == Hear::All;
        Ok(Read {
            rows,
            newest: until,
            standing: all.then_some(standing),
        })
    }
}

impl Mattermost {
    /// Pages that leave out what was told a moment before prove nothing about the rest.
    fn is_whole(&self, standing: &Standing, rows: &[Post]) -> Result<(), Failure> {
        let from = standing.from.as_millisecond();
        let stands = |post: &&Post| {
            post.delete_at == 0 && post.original_id.is_empty() && post.create_at >= from
        };
        let counted = |post: &&Post| {
            let subject = format!("{} {}", standing.channel, post.id);
            standing.subjects.contains(&subject)
        };
        let missing = rows.iter().filter(stands).filter(|post| !counted(post));
        if missing.count() > DELETED {
            return Err(failure::no_mattermost(self.api.host()));
        }
        Ok(())
    }
}

/// What a row says that was not said before.
fn of_post(post: &Post, since: i64) -> Vec<Heard> {
    let heard = |id: String, at: i64, what: What| Heard {
        room: post.channel_id.clone(),
        message: post.id.clone(),
        id,
        author: post.user_id.clone(),
        at: Timestamp::from_millisecond(at).unwrap_or_default(),
        what,
    };
    let id = &post.id;
    if post.delete_at > 0 {
        let name = format!("{id} {}", post.delete_at);
        return vec![heard(name, post.delete_at, What::TakenAway)];
    }
    let mut all = Vec::new();
    if post.create_at > since {
        let thread = Some(post.root_id.clone()).filter(|root| !root.is_empty());
        let text = post.message.clone();
        all.push(heard(
            id.clone(),
            post.create_at,
            What::Said { text, thread },
        ));
    }
    if post.edit_at > since {
        let text = post.message.clone();
        let name = format!("{id} {}", post.edit_at);
        all.push(heard(name, post.edit_at, What::Edited { text }));
    }
    let reactions = counted(post.metadata.reactions.as_deref().unwrap_or_default());
    if !reactions.is_empty() || all.is_empty() {
        let name = format!("{id} r{}", post.update_at);
        all.push(heard(name, post.update_at, What::Reactions(reactions)));
    }
    all
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
