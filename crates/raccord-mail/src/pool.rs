//! Open connections, used for one letter after the other.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use raccord_model::Failure;

use crate::{Letter, Post, Refusal, Session};

/// A connection that rested for longer is let go: the server may have hung up.
const RESTS: SignedDuration = SignedDuration::from_secs(20);
/// So many letters go over one connection; many servers take no more.
const LETTERS: u32 = 100;

/// The way to a server, and the connections to it that are open.
#[derive(Debug)]
pub struct Pool {
    post: Post,
    idle: Mutex<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    session: Session,
    since: Timestamp,
    sent: u32,
}

impl Pool {
    /// No connection is opened before there is a letter.
    pub fn new(post: Post) -> Self {
        Self {
            post,
            idle: Mutex::default(),
        }
    }

    /// The way to the server.
    pub fn post(&self) -> &Post {
        &self.post
    }

    /// Sends one letter; `now` is the hour.
    ///
    /// # Errors
    /// As [`Post::send`].
    pub async fn send(&self, letter: &Letter, now: Timestamp) -> Result<(), Failure> {
        if let Some(mut idle) = self.take(now) {
            // One that was hung up meanwhile, or ends with 421, took nothing: there is another.
            match idle.session.send(letter).await {
                Err(Refusal::Unreachable | Refusal::Later(421)) => {}
                sent => {
                    self.put(idle.session, now, idle.sent + 1).await;
                    return sent.map_err(|refusal| refusal.failure(&self.post.server()));
                }
            }
        }
        let mut session = self.post.open().await?;
        let sent = session.send(letter).await;
        self.put(session, now, 1).await;
        sent.map_err(|refusal| refusal.failure(&self.post.server()))
    }

    fn take(&self, now: Timestamp) -> Option<Idle> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|one| now.duration_since(one.since) < RESTS);
        idle.pop()
    }

    async fn put(&self, session: Session, now: Timestamp, sent: u32) {
        if !session.is_open() {
            return;
        }
        if sent >= LETTERS {
            session.close().await;
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(Idle {
            session,
            since: now,
            sent,
        });
    }
}
