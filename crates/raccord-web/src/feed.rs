//! The stream of events to followers: first what the log holds, then what becomes durable.
//!
//! A feed keeps so many entries for each follower at most, and nothing while nobody follows. Who
//! falls further behind is cut, and comes back with the position it reached.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::sync::mpsc;

/// Where an event stands in its place's log: the commit's number, then the event's place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The commit's number.
    pub commit: u64,
    /// The event's place in the commit, from 0.
    pub index: u32,
}

impl Position {
    /// Before every event.
    pub const START: Self = Self {
        commit: 0,
        index: 0,
    };
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.commit, self.index)
    }
}

impl FromStr for Position {
    type Err = std::num::ParseIntError;
    /// Reads `12.3`; a lone `12` is the start of commit 12, so that `0` asks for everything.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (commit, index) = text.split_once('.').unwrap_or((text, "0"));
        Ok(Self {
            commit: commit.parse()?,
            index: index.parse()?,
        })
    }
}

/// One event for followers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it stands.
    pub position: Position,
    /// The CloudEvent in structured mode, serialised once for everybody.
    pub json: Bytes,
}

/// The entries for one follower; it ends when the follower is cut.
pub type Follow = BoxStream<'static, Entry>;

/// What becomes durable, handed to every follower.
#[derive(Clone, Debug)]
pub struct Feed {
    capacity: usize,
    followers: Arc<Mutex<Vec<mpsc::Sender<Entry>>>>,
}

impl Feed {
    /// A feed that keeps `capacity` entries for each of those who are behind.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            followers: Arc::default(),
        }
    }

    /// Hands on an entry, once it is durable, in the order of the log. Never waits: who is too far
    /// behind follows no more.
    pub fn publish(&self, entry: &Entry) {
        let hears = |follower: &mpsc::Sender<Entry>| follower.try_send(entry.clone()).is_ok();
        self.lock().retain(hears);
    }

    /// How many follow.
    pub fn followers(&self) -> usize {
        let mut followers = self.lock();
        followers.retain(|follower| !follower.is_closed());
        followers.len()
    }

    /// The entries `past` reads from the log, then those published since. `past` is called after
    /// the follower is on the feed, so nothing falls between the two, and what is in both comes
    /// once.
    pub fn follow<S>(&self, past: impl FnOnce() -> S) -> Follow
    where
        S: stream::Stream<Item = Entry> + Send + 'static,
    {
        struct State {
            past: Option<BoxStream<'static, Entry>>,
            live: mpsc::Receiver<Entry>,
            last: Option<Position>,
        }
        let (follower, live) = mpsc::channel(self.capacity);
        self.lock().push(follower);
        let state = State {
            past: Some(past().boxed()),
            live,
            last: None,
        };
        stream::unfold(state, |mut state| async move {
            if let Some(past) = &mut state.past {
                if let Some(entry) = past.next().await {
                    state.last = Some(entry.position);
                    return Some((entry, state));
                }
                state.past = None;
            }
            loop {
                // Being cut and the place's end both end the stream.
                let entry = state.live.recv().await?;
                if state.last.is_none_or(|last| last < entry.position) {
                    state.last = Some(entry.position);
                    return Some((entry, state));
                }
            }
        })
        .boxed()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<mpsc::Sender<Entry>>> {
        self.followers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(commit: u64) -> Entry {
        Entry {
            position: Position { commit, index: 0 },
            json: Bytes::from_static(b"{}"),
        }
    }

    #[test]
    fn positions_read_back_and_zero_is_the_start() {
        let position = Position {
            commit: 12,
            index: 3,
        };
        assert_eq!(position.to_string().parse(), Ok(position));
        assert_eq!("0".parse(), Ok(Position::START));
        for wrong in ["", ".", "1.", "-1", "1.2.3", "99999999999999999999"] {
            assert!(wrong.parse::<Position>().is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn past_and_present_meet_without_gap_or_repeat() {
        let feed = Feed::new(8);
        let publisher = feed.clone();
        let mut follow = feed.follow(move || {
            // Durable and published while the follower's past is being read.
            publisher.publish(&entry(2));
            publisher.publish(&entry(3));
            stream::iter([entry(1), entry(2)])
        });
        feed.publish(&entry(4));
        for commit in 1..=4 {
            assert_eq!(follow.next().await, Some(entry(commit)));
        }
    }

    #[tokio::test]
    async fn who_falls_behind_is_cut_and_nobody_else() {
        let feed = Feed::new(4);
        let mut slow = feed.follow(stream::empty);
        for commit in 1..=5 {
            feed.publish(&entry(commit));
        }
        for commit in 1..=4 {
            assert_eq!(slow.next().await, Some(entry(commit)));
        }
        assert_eq!(slow.next().await, None, "what is missing is never skipped");
        let mut quick = feed.follow(stream::empty);
        feed.publish(&entry(6));
        assert_eq!(quick.next().await, Some(entry(6)));
        drop((slow, quick));
        assert_eq!(feed.followers(), 0);
    }
}
