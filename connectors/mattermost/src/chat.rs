//! What is said: posts, looked for, changed, taken away, pinned.

use jiff::SignedDuration;
use raccord_chat::dialect::{Dialect, Markdown};
use raccord_chat::{Chat, Edited, Kind, Outgoing, Posted, Sought};
use raccord_kit::BoxFuture;
use raccord_model::{Digest, Failure};
use secrecy::ExposeSecret as _;

use crate::api::{NewPost, PAGE, SINCE};
use crate::post::{self, Post};
use crate::{Mattermost, failure};

/// How far back a post of ours is looked for: no outage is longer.
const BACK: SignedDuration = SignedDuration::from_hours(60 * 24);
/// How many pages are walked through at most.
const PAGES: usize = 100;

impl Chat for Mattermost {
    fn dialect(&self) -> &dyn Dialect {
        &Markdown::MATTERMOST
    }

    fn target(&self) -> String {
        format!("{} {}", self.api.site(), &*self.settings.team)
    }

    fn post<'a>(&'a self, message: &'a Outgoing) -> BoxFuture<'a, Result<Posted, Failure>> {
        Box::pin(async move { self.kept(self.say(message).await).await })
    }

    fn seek<'a>(&'a self, message: &'a Outgoing) -> BoxFuture<'a, Result<Sought, Failure>> {
        Box::pin(async move { self.kept(self.look_for(message).await).await })
    }

    fn edit<'a>(
        &'a self,
        posted: &'a Posted,
        message: &'a Outgoing,
    ) -> BoxFuture<'a, Result<Edited, Failure>> {
        Box::pin(async move {
            let props = post::props(message.key.as_str());
            let changed = self.api.patch(&posted.id, &message.written.text, &props);
            match changed.await {
                Ok(_) => Ok(Edited::Done),
                Err(failure) if failure.absent => Ok(Edited::Gone),
                Err(failure) => self.kept(Err(failure)).await,
            }
        })
    }

    fn take_away<'a>(&'a self, posted: &'a Posted) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move { self.kept(self.api.delete(&posted.id).await).await })
    }

    fn pin<'a>(&'a self, posted: &'a Posted, pinned: bool) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move { self.kept(self.api.pin(&posted.id, pinned).await).await })
    }
}

impl Mattermost {
    /// What was made of a call; what is known of the server is asked again after a failure.
    async fn kept<T>(&self, made: Result<T, Failure>) -> Result<T, Failure> {
        if made.is_err() {
            self.forget().await;
        }
        made
    }

    /// The id of the room a message is for.
    async fn room_of(&self, message: &Outgoing) -> Result<String, Failure> {
        match message.kind {
            // The tool named it itself.
            Kind::Reply | Kind::Answer => Ok(message.room.clone()),
            Kind::Direct => Ok(self.alone_with(&message.room).await?.id.clone()),
            _ => Ok(self.channel(&message.room).await?.id.clone()),
        }
    }

    async fn say(&self, message: &Outgoing) -> Result<Posted, Failure> {
        let me = self.me().await?;
        let room = self.room_of(message).await?;
        let (key, text) = (message.key.as_str(), message.written.text.as_str());
        let pending = self.pending(&me.id, key)?;
        let props = post::props(key);
        let made = self
            .api
            .create(&NewPost {
                channel: &room,
                message: text,
                root: message.thread.as_deref().unwrap_or_default(),
                props: &props,
                pending: &pending,
            })
            .await?;
        if made.key() != Some(key) || made.user_id != me.id || made.channel_id != room {
            return Err(failure::not_ours(self.api.host()));
        }
        // A repeat is answered with what was posted first.
        if made.message != text {
            self.api.patch(&made.id, text, &props).await?;
        }
        Ok(self.posted(&made))
    }

    /// What the server knows a post by for half a minute. The name space is that of the whole server:
    /// nobody else may guess one.
    fn pending(&self, me: &str, key: &str) -> Result<String, Failure> {
        let token = self.api.secret()?;
        let secret = format!("{}\0{key}", token.expose_secret());
        let digest = Digest::of(secret.as_bytes()).to_string();
        Ok(format!("{me}:{}", &digest[..32]))
    }

    fn posted(&self, post: &Post) -> Posted {
        Posted {
            room: post.channel_id.clone(),
            id: post.id.clone(),
            url: self.api.permalink(&self.settings.team, &post.id),
        }
    }

    /// Looks through a channel: its search does not know props, so its posts are listed.
    async fn look_for(&self, message: &Outgoing) -> Result<Sought, Failure> {
        let me = self.me().await?;
        let room = self.room_of(message).await?;
        let now = self.kit.clock.now();
        let is_it = |post: &&Post| {
            post.key() == Some(message.key.as_str())
                && post.user_id == me.id
                && post.original_id.is_empty()
        };
        let since = now.saturating_sub(BACK).unwrap_or(now).as_millisecond();
        let rows = self.api.since(&room, since).await?;
        if let Some(found) = rows.iter().find(is_it) {
            let posted = self.posted(found);
            return Ok(if found.delete_at > 0 {
                Sought::Gone(posted)
            } else {
                Sought::There(posted)
            });
        }
        if rows.len() < SINCE {
            return Ok(Sought::Absent(now));
        }
        let mut before = None;
        for _ in 0..PAGES {
            let page = self.api.page(&room, before.as_deref()).await?;
            if let Some(found) = page.iter().find(is_it) {
                return Ok(Sought::There(self.posted(found)));
            }
            match next_page(&page) {
                Some(next) if page.last().is_some_and(|last| last.create_at > since) => {
                    before = Some(next);
                }
                _ => return Ok(Sought::Absent(now)),
            }
        }
        Ok(Sought::CannotTell)
    }
}

/// The post before which the next page is to begin. What has the same millisecond as a post is not
/// before it, thus the last of them that is older than the one above is taken.
pub(crate) fn next_page(page: &[Post]) -> Option<String> {
    if page.len() < PAGE {
        return None;
    }
    let oldest = page.last()?.create_at;
    let above = page.iter().rev().find(|post| post.create_at > oldest);
    above.or(page.last()).map(|post| post.id.clone())
}
