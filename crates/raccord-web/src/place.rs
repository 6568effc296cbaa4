//! What the face asks of the process and of the places it runs. The program implements both
//! traits; this crate knows neither log, engine nor configuration.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use raccord_model::{Activity, Call, Change, Undated, Words};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::hands::{Answer, Visit};
use crate::{EventFault, Exposition, Follow, Position, Token};

/// A boxed future, for traits used behind a pointer.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The process: its clock and the places it runs.
pub trait Node: Send + Sync + 'static {
    /// The program's version.
    fn version(&self) -> &str;
    /// The instant it is, for this process.
    fn now(&self) -> Timestamp;
    /// Whether the clock was set at the start (`RACCORD_NOW`) instead of read from the machine.
    fn clock_is_set(&self) -> bool;
    /// The place served without `/p/<place>` in front, where there is one.
    fn root(&self) -> Option<Arc<dyn Place>>;
    /// The place called `id`.
    fn find(&self, id: &str) -> Option<Arc<dyn Place>>;
    /// All places, in the order they are to be listed.
    fn places(&self) -> Vec<Arc<dyn Place>>;
    /// Resolves once its places have read their logs. Until then callers wait, those of
    /// `/healthz` and `/readyz` apart.
    fn started(&self) -> BoxFuture<'_, ()>;
}

/// One running place.
pub trait Place: Send + Sync + 'static {
    /// Its id, name, language, zone and public address, as they are now.
    fn place(&self) -> Arc<raccord_model::Place>;

    /// Its own colour, `#rrggbb`; empty where it has none.
    fn colour(&self) -> String;

    /// The bearer token of `/v1`; `None` where none is configured, and then nobody gets in.
    fn token(&self) -> Option<Token>;

    /// Whether the word of the machine at `peer` is taken for whom it speaks for (`X-Forwarded-For`).
    fn is_proxy(&self, peer: IpAddr) -> bool {
        peer.is_loopback()
    }

    /// Takes changes posted by other programs, all or none, in order. They passed their schemas.
    /// When it resolves with `Ok` they are durable (those that repeat an earlier `sender` and
    /// `id` were so already). A caller that goes away drops the future: its changes are then
    /// kept or not, and it asks again with the same ids.
    fn post(&self, changes: Vec<Change>) -> BoxFuture<'_, Result<(), PostError>>;

    /// A call of the tool that connector `connector` stands for. When it resolves with `Ok`, what it
    /// told is durable; the answer is a JSON text that is never empty.
    fn hook<'a>(
        &'a self,
        connector: &'a str,
        call: Call,
    ) -> BoxFuture<'a, Result<Value, HookError>>;

    /// The events after `after`, or those from now on; [`Position::START`] asks for the oldest
    /// kept. The stream ends when its follower falls too far behind ([`crate::Feed`] does this).
    ///
    /// # Errors
    /// When the events after `after` cannot be told.
    fn follow(&self, after: Option<Position>) -> Result<Follow, FollowError>;

    /// Whether it can take and make effects now.
    fn readiness(&self) -> Readiness;

    /// Writes its figures, under the names its own documentation lists.
    fn metrics(&self, out: &mut Exposition);

    /// Its activities that everyone may see and that are not over at `now`, by start; at most
    /// `limit` of them. `None` while the place is starting and does not know them yet.
    fn programme(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Option<Programme>>;

    /// Somebody looks at the pages on which people sign up, or sends one of their forms. A place
    /// without such pages has nothing there.
    fn visit(&self, _visit: Visit) -> BoxFuture<'_, Answer> {
        Box::pin(std::future::ready(Answer::Closed))
    }
}

/// Why posted changes were not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum PostError {
    /// Too much is waiting for the disk already.
    #[error("overloaded")]
    Overloaded {
        /// When to try again.
        retry_after: Duration,
    },
    /// The place cannot write now.
    #[error("not ready: {}", why.en)]
    NotReady {
        /// Why, without personal data, paths or secrets.
        why: Words,
    },
    /// The place's rules do not allow some of the changes.
    #[error("{} faults", .0.len())]
    Refused(Vec<EventFault>),
}

/// Why a tool's call was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum HookError {
    /// No tool calls here, or no secret is set for that.
    #[error("no such hook")]
    Unknown,
    /// The tool did not make it.
    #[error("forged")]
    Forged,
    /// It cannot be understood.
    #[error("unfit: {}", .0.en)]
    Unfit(Words),
    /// Too much at once.
    #[error("overloaded")]
    Overloaded {
        /// When to try again.
        retry_after: Duration,
    },
    /// The place cannot write now.
    #[error("not ready: {}", why.en)]
    NotReady {
        /// Why, without personal data, paths or secrets.
        why: Words,
    },
}

/// Why a follower cannot be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FollowError {
    /// The position is older than what is kept, or this log never reached it.
    #[error("the position is not in this log")]
    Gone,
    /// The place cannot read its log now.
    #[error("not ready")]
    NotReady,
}

/// Whether a place can take and make effects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// Why not; empty when it can.
    pub reasons: Vec<Reason>,
    /// What somebody must mend although the place works: a connector that its tool switched off.
    pub notes: Vec<Reason>,
}

/// One reason for not being ready, or one note. It holds neither personal data nor secrets nor paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// A stable code (`starting`, `log-unwritable`, `connector-not-started`, `mute`).
    pub code: &'static str,
    /// What it is about: a connector's name, or `""`.
    pub about: String,
    /// The sentence.
    pub text: Words,
}

/// What is on show.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Programme {
    /// The next activities, by start.
    pub activities: Vec<Activity>,
    /// How many more there are.
    pub more: usize,
    /// What is announced without a date yet, by title.
    #[serde(default)]
    pub undated: Vec<Undated>,
}

/// What callers are told of a place that is starting.
pub fn starting() -> Words {
    Words::new(
        "Raccord démarre : il relit son journal. Réessayez dans un instant.",
        "Raccord is starting: it reads its log. Try again in a moment.",
    )
}
