//! From when to when an activity is, for tools that know moments only. Pure.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use raccord_model::{Activity, Civil};

/// The last minute of a day.
const LAST: Time = Time::constant(23, 59, 0, 0);

/// From when to when, in the activity's own zone or else in `place`'s. What lasts whole days begins at
/// the first midnight and ends in the last minute. No end where none is known, or none after the start.
pub fn moments(activity: &Activity, place: &str) -> Option<(Timestamp, Option<Timestamp>)> {
    let zone = TimeZone::get(&activity.zone)
        .or_else(|_| TimeZone::get(place))
        .unwrap_or(TimeZone::UTC);
    let at = |moment: DateTime| zone.to_ambiguous_timestamp(moment).compatible().ok();
    let midnight = |day: Date| day.to_datetime(Time::midnight());
    if activity.all_day || matches!(activity.start, Civil::Day(_)) {
        let last = activity.end.unwrap_or(activity.start).date();
        let last = at(last.to_datetime(LAST));
        return Some((at(midnight(activity.start.date()))?, last));
    }
    let moment = |civil: Civil| match civil {
        Civil::Day(day) => day.to_datetime(LAST),
        Civil::Minute(minute) => minute,
    };
    let start = at(moment(activity.start))?;
    let end = activity.end.and_then(|end| at(moment(end)));
    Some((start, end.filter(|end| *end > start)))
}
