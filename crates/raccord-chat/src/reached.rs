//! Up to where a room was read, for tools that are asked what changed since a moment.
//!
//! A change may be written a little after the time it bears, thus the last seconds are read again; what
//! was heard in them is remembered, so that a quiet room is quiet.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::heard::Heard;

/// So much is read again, in milliseconds.
const OVERLAP: i64 = 5_000;
/// What is remembered of it at most. More than that is heard twice, and dropped by its id.
const MOST: usize = 500;

/// Up to where each room was read, by the tool's id of it: a source's cursor.
pub type Rooms = BTreeMap<String, Reached>;

/// Up to where one room was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// The latest change that was read, in milliseconds by the tool's clock.
    at: i64,
    /// What was heard in the last seconds before.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    seen: BTreeSet<String>,
}

impl Reached {
    /// The beginning of listening: what happened until `newest` is past.
    pub fn beginning(newest: i64) -> Self {
        Self {
            at: newest.saturating_add(OVERLAP),
            seen: BTreeSet::new(),
        }
    }

    /// From when on to read, in milliseconds, exclusive.
    pub fn since(&self) -> i64 {
        self.at.saturating_sub(OVERLAP)
    }

    /// What of `heard` is new, and up to where was read then: to `newest`, where there was anything.
    pub fn go_on(&self, heard: Vec<Heard>, newest: Option<i64>) -> (Vec<Heard>, Self) {
        let at = newest.map_or(self.at, |newest| newest.max(self.at));
        let mut next = Self {
            at,
            seen: BTreeSet::new(),
        };
        let recent = heard
            .iter()
            .filter(|one| one.at.as_millisecond() > next.since());
        next.seen = recent.map(|one| one.id.clone()).take(MOST).collect();
        let fresh = heard
            .into_iter()
            .filter(|one| !self.seen.contains(&one.id))
            .collect();
        (fresh, next)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::heard::What;

    fn heard(id: &str, at: i64) -> Heard {
        Heard {
            room: "r".into(),
            message: id.into(),
            id: id.into(),
            author: "a".into(),
            at: Timestamp::from_millisecond(at).unwrap(),
            what: What::TakenAway,
        }
    }

    #[test]
    fn the_last_seconds_are_read_again_and_heard_once() {
        let begun = Reached::beginning(100_000);
        assert_eq!(begun.since(), 100_000, "what was said before is past");
        let (new, then) = begun.go_on(vec![heard("a", 101_000)], Some(101_000));
        assert_eq!(new.len(), 1);
        assert_eq!(then.since(), 100_000);
        // One that bears an earlier time and was written later.
        let both = vec![heard("b", 100_500), heard("a", 101_000)];
        let (new, then) = then.go_on(both, Some(101_000));
        assert_eq!(new, [heard("b", 100_500)]);
        let (new, last) = then.go_on(vec![heard("a", 101_000)], Some(101_000));
        assert_eq!(new, []);
        let (new, after) = last.go_on(vec![heard("c", 200_000)], Some(200_000));
        assert_eq!((new.len(), after.since()), (1, 195_000));
        assert_eq!(after.seen.len(), 1, "what is long past is forgotten");
    }
}
