//! `RACCORD_NOW`: the clock set at the start of the process, for checks, demos and rehearsals.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use raccord_kit::{Clock as _, SystemClock};
use raccord_model::Words;

use crate::locale::shown;
use crate::report::Problem;

/// The clock of this process.
#[derive(Clone, Debug)]
pub struct Time {
    /// What everything reads the time from.
    pub clock: Arc<SystemClock>,
    /// The instant `RACCORD_NOW` asked for, where it is set: said at start-up and in `/healthz`.
    pub set_to: Option<Timestamp>,
}

/// The machine's clock, or the one `RACCORD_NOW` asks for.
///
/// # Errors
/// Bad usage, when `RACCORD_NOW` is no RFC 3339 instant.
pub fn from_environment(env: &BTreeMap<String, String>) -> Result<Time, Problem> {
    let Some(text) = env.get("RACCORD_NOW").filter(|text| !text.is_empty()) else {
        return Ok(Time {
            clock: Arc::new(SystemClock::default()),
            set_to: None,
        });
    };
    let now: Timestamp = text.parse().map_err(|_| {
        Problem::usage(
            "RACCORD_NOW",
            "now-unreadable",
            Words::new(
                format!(
                    "RACCORD_NOW vaut « {} », ce n'est pas un instant.",
                    shown(text)
                ),
                format!("RACCORD_NOW is “{}”, which is no instant.", shown(text)),
            ),
            Words::new(
                "Écrivez par exemple RACCORD_NOW=2027-01-02T08:00:00Z, ou retirez-le.",
                "Write for example RACCORD_NOW=2027-01-02T08:00:00Z, or leave it out.",
            ),
        )
    })?;
    let shift: SignedDuration = now.duration_since(SystemClock::default().now());
    Ok(Time {
        clock: Arc::new(SystemClock::shifted(shift)),
        set_to: Some(now),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_clock_starts_where_it_is_told_and_runs_on() {
        let env = [("RACCORD_NOW".to_owned(), "2027-01-02T08:00:00Z".to_owned())].into();
        let time = from_environment(&env).unwrap();
        let now = time.clock.now();
        let set = time.set_to.unwrap();
        assert!(
            now >= set && now < set + SignedDuration::from_mins(1),
            "{now}"
        );
    }

    #[test]
    fn an_unreadable_clock_is_bad_usage() {
        for wrong in ["tomorrow", "2027-01-02", "2027-01-02T08:00:00"] {
            let env = [("RACCORD_NOW".to_owned(), wrong.to_owned())].into();
            assert_eq!(
                from_environment(&env).unwrap_err().exit,
                crate::report::Exit::Usage,
                "{wrong}"
            );
        }
    }
}
