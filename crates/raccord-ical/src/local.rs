//! Moments that name or bound occurrences, brought into the zone in which an entry repeats.
//!
//! `calcard` follows a rule by the clock on the wall and knows no zones but those of the database. So
//! an UNTIL in UTC would end a series an hour early, and a day that is left out would not be found
//! where it is told in another zone, or in one that the entry brings itself.

use calcard::common::PartialDateTime;
use calcard::icalendar::{
    ICalendar, ICalendarParameter, ICalendarParameterName, ICalendarParameterValue,
    ICalendarProperty, ICalendarValue,
};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use raccord_model::Civil;

use super::entry::{Zones, civil, is_event};

/// Where the start of an entry that repeats stands.
pub(super) struct Home {
    /// The name its TZID has, if it has one.
    pub(super) name: Option<String>,
    pub(super) zone: TimeZone,
    /// Whether it is told in UTC.
    pub(super) utc: bool,
    /// Whether it has an hour.
    pub(super) hours: bool,
}

/// Brings them into the zone at `home`.
pub(super) fn settle(calendar: &mut ICalendar, home: &Home, zones: &Zones) {
    let events = calendar.components.iter_mut().filter(|one| is_event(one));
    for entry in events.flat_map(|event| &mut event.entries) {
        let names = match entry.name {
            ICalendarProperty::Exdate
            | ICalendarProperty::Rdate
            | ICalendarProperty::RecurrenceId => true,
            ICalendarProperty::Rrule => false,
            _ => continue,
        };
        if !names {
            for value in &mut entry.values {
                if let ICalendarValue::RecurrenceRule(rule) = value
                    && let Some(until) = &mut rule.until
                {
                    bound(until, home);
                }
            }
            continue;
        }
        let own = entry.tz_id().map(str::to_owned);
        let alike = |value| is_utc(value) == home.utc;
        if !home.hours || own == home.name && entry.values.iter().all(alike) {
            continue;
        }
        let zone = own.and_then(|name| zones.get(&name));
        for value in &mut entry.values {
            if let ICalendarValue::PartialDateTime(at) = value {
                let zone = if at.tz_hour.is_some() {
                    Some(&TimeZone::UTC)
                } else {
                    zone
                };
                if let Some(zone) = zone {
                    bring(at, zone, home);
                }
            }
        }
        entry
            .params
            .retain(|parameter| parameter.name != ICalendarParameterName::Tzid);
        entry
            .params
            .extend(home.name.clone().map(|name| ICalendarParameter {
                name: ICalendarParameterName::Tzid,
                value: ICalendarParameterValue::Text(name),
            }));
    }
}

/// The last moment of a rule: a day is all of it, and an instant the hour it is at home.
fn bound(until: &mut PartialDateTime, home: &Home) {
    if until.tz_hour.is_some() {
        bring(until, &TimeZone::UTC, home);
    } else if until.hour.is_none() && home.hours {
        (until.hour, until.minute, until.second) = (Some(23), Some(59), Some(59));
    }
}

fn is_utc(value: &ICalendarValue) -> bool {
    matches!(value, ICalendarValue::PartialDateTime(at) if at.tz_hour.is_some())
}

/// A moment of another zone as it is told at home; as it was where it is none.
fn bring(at: &mut PartialDateTime, from: &TimeZone, home: &Home) {
    // Offsets other than that of UTC are no moments of iCalendar.
    let plain = at.tz_hour.unwrap_or(0) == 0 && at.tz_minute.unwrap_or(0) == 0;
    let Some(Civil::Minute(local)) = civil(at).filter(|_| plain) else {
        return;
    };
    let Ok(instant) = from.to_ambiguous_timestamp(local).compatible() else {
        return;
    };
    let told: DateTime = home.zone.to_datetime(instant);
    let small = |value: i8| u8::try_from(value).ok();
    at.year = u16::try_from(told.year()).ok();
    at.month = small(told.month());
    at.day = small(told.day());
    at.hour = small(told.hour());
    at.minute = small(told.minute());
    let utc = home.utc.then_some(0);
    (at.tz_hour, at.tz_minute, at.tz_minus) = (utc, utc, false);
}
