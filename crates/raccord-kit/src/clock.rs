//! Time, injected.

use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};

/// Where a connector reads the time.
pub trait Clock: Send + Sync {
    /// The instant it is.
    fn now(&self) -> Timestamp;
}

/// The machine's clock, shifted by a fixed amount (`RACCORD_NOW`).
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock {
    shift: SignedDuration,
}

impl SystemClock {
    /// The machine's clock, `shift` later.
    pub fn shifted(shift: SignedDuration) -> Self {
        Self { shift }
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the machine's clock is read"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now()
            .saturating_add(self.shift)
            .unwrap_or(Timestamp::MAX)
    }
}

/// A clock that tests set.
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock that stands at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(Mutex::new(now))
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: SignedDuration) {
        let mut now = self
            .0
            .lock()
            .expect("no test panics while it holds the clock");
        *now = now.saturating_add(by).unwrap_or(Timestamp::MAX);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self
            .0
            .lock()
            .expect("no test panics while it holds the clock")
    }
}
