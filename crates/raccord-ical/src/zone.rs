//! VTIMEZONE components with the zone's rules as they are now, from 1970 on: the form that Apple's,
//! Google's and Mozilla's programs write themselves, and that stays right when a member moves our
//! entry to another season or makes it repeat.
//!
//! The rules are read off the zone database; where they do not repeat by month and weekday (Morocco's
//! summer time makes way for Ramadan), the changes of the years around the entry are listed.

use jiff::civil::{Date, DateTime, Weekday, date};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan as _};

/// How many years of changes a rule is read off, and listed where there is no rule.
const YEARS: i32 = 6;

/// One way the clock is set, with the local times at which it begins.
struct Observance {
    summer: bool,
    from: Offset,
    to: Offset,
    name: String,
    onsets: Vec<DateTime>,
}

/// The VTIMEZONE of `zone`, called `name`, for an entry at `around`.
pub fn component(name: &str, zone: &TimeZone, around: Timestamp) -> String {
    let mut out = format!("BEGIN:VTIMEZONE\r\nTZID:{name}\r\n");
    let changes = changes(zone, around);
    let rules: Option<Vec<String>> = match changes.len() {
        2 => changes.iter().map(rule).collect(),
        _ => None,
    };
    if changes.is_empty() {
        let info = zone.to_offset_info(around);
        let only = Observance {
            summer: false,
            from: info.offset(),
            to: info.offset(),
            name: info.abbreviation().to_owned(),
            onsets: Vec::new(),
        };
        let start = date(1970, 1, 1).at(0, 0, 0, 0);
        observance(&mut out, &only, start, None);
    } else if let Some(rules) = rules {
        for (change, rule) in changes.iter().zip(rules) {
            observance(&mut out, change, in_1970(change), Some(&rule));
        }
    } else {
        for change in &changes {
            let more: Vec<String> = change.onsets.iter().skip(1).map(|at| local(*at)).collect();
            let list = (!more.is_empty()).then(|| format!("RDATE:{}", more.join(",")));
            observance(&mut out, change, change.onsets[0], list.as_deref());
        }
    }
    out.push_str("END:VTIMEZONE\r\n");
    out
}

fn changes(zone: &TimeZone, around: Timestamp) -> Vec<Observance> {
    let year = around.to_zoned(zone.clone()).year();
    let begin = |year: i16| {
        let day = Date::new(year, 1, 1).unwrap_or(date(1970, 1, 1));
        zone.to_ambiguous_timestamp(day.at(0, 0, 0, 0))
            .compatible()
            .unwrap_or(around)
    };
    let first = begin(year.saturating_sub(1));
    let last = begin(year.saturating_add(YEARS as i16 - 1));
    let mut found: Vec<Observance> = Vec::new();
    for change in zone
        .following(first)
        .take_while(|change| change.timestamp() < last)
        .take(64)
    {
        let second = change.timestamp().checked_sub(1.second());
        let from = zone.to_offset(second.unwrap_or(change.timestamp()));
        let onset = from.to_datetime(change.timestamp());
        let known = found.iter_mut().find(|known| {
            known.summer == change.dst().is_dst()
                && known.from == from
                && known.to == change.offset()
                && known.name == change.abbreviation()
        });
        match known {
            Some(known) => known.onsets.push(onset),
            None => found.push(Observance {
                summer: change.dst().is_dst(),
                from,
                to: change.offset(),
                name: change.abbreviation().to_owned(),
                onsets: vec![onset],
            }),
        }
    }
    // A zone that once changed for good has no rule: what came before is told by the list.
    found
}

/// The rule by month and weekday that all onsets follow, if there is one.
fn rule(change: &Observance) -> Option<String> {
    let first = change.onsets.first().filter(|_| change.onsets.len() >= 4)?;
    let alike = change.onsets.iter().all(|at| {
        at.month() == first.month() && at.weekday() == first.weekday() && at.time() == first.time()
    });
    if !alike {
        return None;
    }
    let nth = ordinal(&change.onsets)?;
    let day = match first.weekday() {
        Weekday::Monday => "MO",
        Weekday::Tuesday => "TU",
        Weekday::Wednesday => "WE",
        Weekday::Thursday => "TH",
        Weekday::Friday => "FR",
        Weekday::Saturday => "SA",
        Weekday::Sunday => "SU",
    };
    let month = first.month();
    Some(format!(
        "RRULE:FREQ=YEARLY;BYMONTH={month};BYDAY={nth}{day}"
    ))
}

/// Which weekday of the month it is each year: -1 for the last, else from 1.
fn ordinal(onsets: &[DateTime]) -> Option<i8> {
    let first = onsets.first()?;
    let nth = |at: &DateTime| (at.day() - 1) / 7 + 1;
    if onsets.iter().all(|at| at.day() + 7 > at.days_in_month()) {
        Some(-1)
    } else if onsets.iter().all(|at| nth(at) == nth(first)) {
        Some(nth(first))
    } else {
        None
    }
}

/// The day a rule would have begun on in 1970.
fn in_1970(change: &Observance) -> DateTime {
    let first = change.onsets[0];
    let nth = ordinal(&change.onsets).unwrap_or(-1);
    date(1970, first.month(), 1)
        .nth_weekday_of_month(nth, first.weekday())
        .map_or(first, |day| day.to_datetime(first.time()))
}

fn observance(out: &mut String, change: &Observance, start: DateTime, repeats: Option<&str>) {
    let kind = if change.summer {
        "DAYLIGHT"
    } else {
        "STANDARD"
    };
    let mut lines = raccord_kit::folded::Folded::default();
    lines.line("BEGIN", kind);
    lines.line("TZNAME", &change.name);
    lines.line("TZOFFSETFROM", &offset(change.from));
    lines.line("TZOFFSETTO", &offset(change.to));
    lines.line("DTSTART", &local(start));
    if let Some((name, value)) = repeats.and_then(|repeats| repeats.split_once(':')) {
        lines.line(name, value);
    }
    lines.line("END", kind);
    out.push_str(&lines.finish());
}

fn local(at: DateTime) -> String {
    at.strftime("%Y%m%dT%H%M%S").to_string()
}

/// `+0400`, with seconds only where a zone has some.
fn offset(offset: Offset) -> String {
    let seconds = offset.seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let all = seconds.unsigned_abs();
    let (hours, minutes, rest) = (all / 3600, all / 60 % 60, all % 60);
    match rest {
        0 => format!("{sign}{hours:02}{minutes:02}"),
        rest => format!("{sign}{hours:02}{minutes:02}{rest:02}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn of(name: &str) -> String {
        let zone = TimeZone::get(name).unwrap();
        component(name, &zone, "2027-01-02T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn paris_is_written_as_every_calendar_program_writes_it() {
        assert_eq!(
            of("Europe/Paris"),
            "BEGIN:VTIMEZONE\r\nTZID:Europe/Paris\r\n\
             BEGIN:DAYLIGHT\r\nTZNAME:CEST\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n\
             DTSTART:19700329T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nEND:DAYLIGHT\r\n\
             BEGIN:STANDARD\r\nTZNAME:CET\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\n\
             DTSTART:19701025T030000\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\n\
             END:VTIMEZONE\r\n"
        );
    }

    #[test]
    fn a_zone_without_summer_time_has_one_observance() {
        assert_eq!(
            of("Indian/Reunion"),
            "BEGIN:VTIMEZONE\r\nTZID:Indian/Reunion\r\nBEGIN:STANDARD\r\nTZNAME:+04\r\n\
             TZOFFSETFROM:+0400\r\nTZOFFSETTO:+0400\r\nDTSTART:19700101T000000\r\nEND:STANDARD\r\n\
             END:VTIMEZONE\r\n"
        );
    }

    #[test]
    fn the_second_sunday_and_lists_where_there_is_no_rule() {
        assert!(of("America/New_York").contains("BYMONTH=3;BYDAY=2SU"));
        let morocco = of("Africa/Casablanca");
        assert!(
            morocco.contains("RDATE:") && !morocco.contains("RRULE"),
            "{morocco}"
        );
        assert!(morocco.lines().all(|line| line.len() <= 75));
    }
}
