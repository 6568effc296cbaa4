//! How often something may be done: so many times in a while, for each of whom it is about.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// The most of whom is remembered; beyond, nobody new may.
const MOST: usize = 20_000;

/// So many times in so many seconds.
#[derive(Debug)]
pub(crate) struct Rate {
    times: usize,
    seconds: i64,
    known: Mutex<HashMap<String, VecDeque<i64>>>,
}

impl Rate {
    pub(crate) fn new(times: usize, seconds: i64) -> Self {
        Self {
            times,
            seconds,
            known: Mutex::default(),
        }
    }

    /// Whether `who` may once more at `now`, in seconds since 1970; it then counts.
    pub(crate) fn allows(&self, who: &str, now: i64) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let since = now.saturating_sub(self.seconds);
        if known.len() >= MOST && !known.contains_key(who) {
            known.retain(|_, times| times.back().is_some_and(|last| *last > since));
            if known.len() >= MOST {
                return false;
            }
        }
        let times = known.entry(who.to_owned()).or_default();
        while times.front().is_some_and(|first| *first <= since) {
            times.pop_front();
        }
        let may = times.len() < self.times;
        if may {
            times.push_back(now);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_times_in_a_while_for_each() {
        let rate = Rate::new(2, 60);
        assert!(rate.allows("a", 0) && rate.allows("a", 10));
        assert!(!rate.allows("a", 59));
        assert!(rate.allows("b", 59), "another is another");
        assert!(rate.allows("a", 60), "the first one is forgotten");
        assert!(!rate.allows("a", 69));
    }

    #[test]
    fn a_flood_of_names_takes_no_more_memory_than_is_planned() {
        let rate = Rate::new(1, 60);
        for n in 0..MOST {
            assert!(rate.allows(&n.to_string(), 0));
        }
        assert!(!rate.allows("one more", 1));
        assert!(rate.allows("one more", 61));
    }
}
