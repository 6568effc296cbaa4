//! What the log keeps: the newest snapshot, the first of each month, and thirteen months of commits.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use raccord_bus::{Log, LogError};

/// How long commits are kept: thirteen months.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 396);

/// Lets go of snapshots in between, and of what is older than the retention. Commits go only where
/// the snapshot that stands for them is `readable`.
///
/// # Errors
/// As the log refuses; what could not be let go stays.
pub(crate) fn apply(
    log: &mut dyn Log,
    now: Timestamp,
    readable: impl Fn(&[u8]) -> bool,
) -> Result<(), LogError> {
    let floor = log.floor().number;
    let snapshots = log.snapshots()?;
    let month = |at: Timestamp| {
        let at = at.to_zoned(TimeZone::UTC);
        (at.year(), at.month())
    };
    let mut last_month = None;
    let mut old = None;
    let newest = snapshots.last().map(|info| info.head.number);
    for info in &snapshots {
        let first_of_month = last_month != Some(month(info.head.at));
        last_month = Some(month(info.head.at));
        let number = info.head.number;
        if number == floor || Some(number) == newest {
            continue;
        }
        if !first_of_month {
            log.drop_snapshot(number)?;
        } else if now.duration_since(info.head.at) > KEPT {
            old = Some(number);
        }
    }
    let Some(number) = old else { return Ok(()) };
    if !readable(&log.snapshot(number)?.body) {
        tracing::error!(
            snapshot = number,
            "a snapshot cannot be read; the commits before it are kept"
        );
        return Ok(());
    }
    log.forget_before(number + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use raccord_bus::{Head, LogRead as _, SqliteLog};

    #[test]
    fn a_year_of_daily_snapshots_leaves_one_a_month_and_the_newest() {
        let (kept, floor, last) = year(|_| true);
        assert!((13..=16).contains(&kept), "{kept} snapshots are kept");
        assert!(
            last.duration_since(floor.at) < SignedDuration::from_hours(24 * 430),
            "{floor:?}"
        );
        assert!(floor.number > 0, "nothing was let go");
    }

    #[test]
    fn no_commit_goes_before_a_snapshot_that_cannot_be_read() {
        let (_, floor, _) = year(|body| body != b"state");
        assert_eq!(floor.number, 0);
    }

    /// How many snapshots a year and a half of days leaves, where the log begins, and the last day.
    fn year(readable: impl Fn(&[u8]) -> bool) -> (usize, Head, Timestamp) {
        let folder = tempfile::tempdir().unwrap();
        let place = "test".parse().unwrap();
        let mut log = SqliteLog::open(&folder.path().join("data"), &place)
            .unwrap()
            .log;
        let start: Timestamp = "2027-01-10T00:00:00Z".parse().unwrap();
        let day = |n: i64| start + SignedDuration::from_hours(24 * n);
        for n in 0..500 {
            let head = log.append(day(n), b"[]", &[]).unwrap();
            if n % 5 == 0 {
                log.put_snapshot(head.number, b"state".to_vec()).unwrap();
                apply(&mut log, day(n), &readable).unwrap();
            }
        }
        (log.snapshots().unwrap().len(), log.floor(), day(499))
    }
}
