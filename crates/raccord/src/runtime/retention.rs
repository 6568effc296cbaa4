//! What the log keeps: the newest snapshot, the first of each month, and thirteen months of commits.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use raccord_bus::{Log, LogError, LogRead as _, SqliteLog};

/// How long commits are kept: thirteen months.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 396);

/// Lets go of snapshots in between, and of what is older than the retention.
///
/// # Errors
/// As the log refuses; what could not be let go stays.
pub(crate) fn apply(log: &mut SqliteLog, now: Timestamp) -> Result<(), LogError> {
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
    match old {
        Some(number) => log.forget_before(number + 1),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use raccord_bus::SqliteLog;

    #[test]
    fn a_year_of_daily_snapshots_leaves_one_a_month_and_the_newest() {
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
                apply(&mut log, day(n)).unwrap();
            }
        }
        let kept = log.snapshots().unwrap().len();
        assert!((13..=16).contains(&kept), "{kept} snapshots are kept");
        let floor = log.floor();
        assert!(
            day(499).duration_since(floor.at) < SignedDuration::from_hours(24 * 430),
            "{floor:?}"
        );
        assert!(floor.number > 0, "nothing was let go");
    }
}
