//! The clock of a place: never before the log's last commit when it was set by hand.

use std::sync::Arc;
use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};
use raccord_kit::Clock;

/// A clock that never goes back, shifted forward at the start when it was set before the log's
/// last commit.
pub(crate) struct Steady {
    inner: Arc<dyn Clock>,
    state: Mutex<(SignedDuration, Timestamp)>,
}

impl Steady {
    /// `inner`, which never shows an instant before `floor`: from there it runs on.
    pub(crate) fn from(inner: Arc<dyn Clock>, floor: Option<Timestamp>) -> Self {
        let now = inner.now();
        let floor = floor.unwrap_or(Timestamp::MIN);
        let shift = if now < floor {
            floor.duration_since(now)
        } else {
            SignedDuration::ZERO
        };
        Self {
            inner,
            state: Mutex::new((shift, floor)),
        }
    }
}

impl Clock for Steady {
    fn now(&self) -> Timestamp {
        let mut state = self
            .state
            .lock()
            .expect("nothing panics while it holds the clock");
        let now = self
            .inner
            .now()
            .saturating_add(state.0)
            .unwrap_or(Timestamp::MAX);
        state.1 = state.1.max(now);
        state.1
    }
}
