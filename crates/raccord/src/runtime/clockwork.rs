//! The clock of a place: never before the log's last commit when it was set by hand, and running on
//! where the machine's is put back.

use std::sync::Arc;
use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};
use raccord_kit::Clock;

/// A clock that never goes back, shifted forward at the start when it was set before the log's
/// last commit. Where the machine's is put back while it runs, it goes at half the pace until both
/// show the same: standing still, nothing would come due for as long.
pub(crate) struct Steady {
    inner: Arc<dyn Clock>,
    state: Mutex<State>,
}

struct State {
    /// How far the clock is ahead of the machine's, for good.
    shift: SignedDuration,
    /// What the machine's clock showed last, shifted.
    machine: Timestamp,
    /// What was shown last.
    shown: Timestamp,
}

impl Steady {
    /// `inner`, which never shows an instant before `floor`: from there it runs on.
    pub(crate) fn from(inner: Arc<dyn Clock>, floor: Option<Timestamp>) -> Self {
        let now = inner.now();
        let shown = floor.map_or(now, |floor| floor.max(now));
        let state = State {
            shift: shown.duration_since(now),
            machine: shown,
            shown,
        };
        Self {
            inner,
            state: Mutex::new(state),
        }
    }
}

impl Clock for Steady {
    fn now(&self) -> Timestamp {
        let mut state = self
            .state
            .lock()
            .expect("nothing panics while it holds the clock");
        let machine = self.inner.now().saturating_add(state.shift);
        let machine = machine.unwrap_or(Timestamp::MAX);
        let passed = machine.duration_since(state.machine);
        let passed = passed.max(SignedDuration::ZERO);
        let slow = state.shown.saturating_add(passed / 2);
        state.machine = machine;
        state.shown = machine.max(slow.unwrap_or(Timestamp::MAX));
        state.shown
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    struct Machine(Mutex<Timestamp>);

    impl Clock for Machine {
        fn now(&self) -> Timestamp {
            *self.0.lock().unwrap()
        }
    }

    #[test]
    fn a_clock_that_is_put_back_runs_on_and_is_right_again_later() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let machine = Arc::new(Machine(Mutex::new(at(1_000))));
        let clock = Steady::from(Arc::clone(&machine) as Arc<dyn Clock>, None);
        let shows = |second| {
            *machine.0.lock().unwrap() = at(second);
            clock.now().as_second()
        };
        assert_eq!(shows(1_000), 1_000);
        assert_eq!(shows(4_600), 4_600, "an hour too far");
        assert_eq!(shows(1_000), 4_600, "put right: it does not go back");
        assert_eq!(shows(1_100), 4_650, "it runs on");
        assert_eq!(shows(8_100), 8_150);
        assert_eq!(shows(8_200), 8_200, "right again");
        assert_eq!(shows(8_300), 8_300);
    }

    #[test]
    fn a_clock_set_before_the_log_goes_on_from_there() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let machine = Arc::new(Machine(Mutex::new(at(1_000))));
        let clock = Steady::from(Arc::clone(&machine) as Arc<dyn Clock>, Some(at(5_000)));
        assert_eq!(clock.now(), at(5_000));
        *machine.0.lock().unwrap() = at(1_010);
        assert_eq!(clock.now(), at(5_010));
    }
}
