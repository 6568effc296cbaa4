//! How long a source is left alone after a look. Pure: it waits for nothing and asks no clock.

use std::time::Duration;

use jiff::SignedDuration;
use raccord_model::{Blame, ConnectorName, Failure};

/// Refused credentials are tried again after this, for a refusal may be an accident of the tool.
const REFUSED_ONCE: Duration = Duration::from_mins(5);
/// From then on this seldom: what helps is another secret, and that is noticed by itself.
const REFUSED: Duration = Duration::from_mins(30);

/// How one source was lately.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    name: ConnectorName,
    every: Duration,
    /// Looks in a row that failed, and those among them that were refused.
    failures: u32,
    refusals: u32,
    /// Whether the tool has to be left alone: it is away, or refuses us.
    patient: bool,
}

impl Pace {
    /// A source that is read every so often while it is well.
    pub(crate) fn of(name: ConnectorName, every: Duration) -> Self {
        Self {
            name,
            every,
            failures: 0,
            refusals: 0,
            patient: false,
        }
    }

    /// How often it is read while it is well.
    pub(crate) fn every(&self) -> Duration {
        self.every
    }

    /// Whether the last look failed.
    pub(crate) fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// Whether it has to be left alone, whatever it calls to say.
    pub(crate) fn is_patient(&self) -> bool {
        self.patient
    }

    /// How long to wait after a look that ended so: what the tool asked for is heard, an outage is
    /// met with growing patience, a refusal with much, and a mistake in the document with none.
    pub(crate) fn after(&mut self, failure: Option<&Failure>) -> Duration {
        let Some(failure) = failure else {
            (self.failures, self.refusals) = (0, 0);
            self.patient = false;
            return self.every;
        };
        self.failures = self.failures.saturating_add(1);
        self.patient =
            !matches!(failure.blame, Blame::Data | Blame::Bug) || failure.retry_after_ms.is_some();
        let wait = match failure.blame {
            Blame::Access => {
                self.refusals = self.refusals.saturating_add(1);
                let patience = match self.refusals {
                    1 => REFUSED_ONCE,
                    _ => REFUSED,
                };
                patience.max(self.every)
            }
            Blame::Transient | Blame::Unknown => {
                let salt = self.name.as_str().as_bytes();
                let wait = raccord_engine::backoff(self.failures, salt);
                Duration::try_from(wait).unwrap_or(self.every)
            }
            Blame::Data | Blame::Bug => self.every,
        };
        let asked = failure.retry_after_ms.map(SignedDuration::from_millis);
        let asked = asked.and_then(|asked| Duration::try_from(asked).ok());
        asked.map_or(wait, |asked| wait.max(asked))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use raccord_model::Words;

    use super::*;

    fn failure(blame: Blame, retry_after_ms: Option<i64>) -> Failure {
        Failure {
            retry_after_ms,
            ..Failure::new(blame, "x", Words::default(), Words::default())
        }
    }

    #[test]
    fn a_source_that_is_well_or_badly_written_is_read_at_its_own_pace() {
        let mut pace = Pace::of("sheet".parse().unwrap(), Duration::from_secs(30));
        assert_eq!(pace.after(None), Duration::from_secs(30));
        let wait = pace.after(Some(&failure(Blame::Data, None)));
        assert_eq!((wait, pace.is_failing()), (Duration::from_secs(30), true));
        assert!(!pace.is_patient(), "a call may say that it was mended");
        assert_eq!(pace.after(None), Duration::from_secs(30));
        assert!(!pace.is_failing());
    }

    #[test]
    fn an_outage_is_met_with_growing_patience_and_a_wish_for_quiet_is_heard() {
        let mut pace = Pace::of("sheet".parse().unwrap(), Duration::from_secs(30));
        let down = failure(Blame::Transient, None);
        let waits: Vec<Duration> = (0..20).map(|_| pace.after(Some(&down))).collect();
        assert!(pace.is_patient());
        assert!(waits[0] <= Duration::from_secs(1) && waits[3] > waits[0]);
        assert!(waits.iter().all(|wait| *wait <= Duration::from_mins(1)));
        assert!(waits[19] >= Duration::from_secs(48));
        let quiet = failure(Blame::Transient, Some(7_200_000));
        assert_eq!(pace.after(Some(&quiet)), Duration::from_hours(2));
    }
}
