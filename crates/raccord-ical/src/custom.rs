//! Zones that an entry brings itself, under a name nobody knows (Outlook's "Customized Time Zone"):
//! the rules of its VTIMEZONE (RFC 5545, section 3.6.5), from 1970 to 2099. What is no rule of a
//! clock, or is not plain, is not guessed.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime, Weekday, date};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan as _};

/// The years whose changes of the clock are worked out.
const FIRST: i16 = 1970;
const LAST: i16 = 2099;
/// How many changes a zone may have: twice a year, and as many by decree.
const CHANGES: usize = 1_000;

/// The zone that VTIMEZONE `name` of an unfolded text describes.
pub fn zone(text: &str, name: &str) -> Option<TimeZone> {
    let mut within = None;
    let mut known = Vec::new();
    let mut is_it = false;
    for line in text.lines() {
        let Some((key, value)) = line.split_once(':') else {
            continue;
        };
        let (key, parameters) = key.split_once(';').unwrap_or((key, ""));
        let key = key.to_ascii_uppercase();
        let upper = value.trim().to_ascii_uppercase();
        match (key.as_str(), upper.as_str()) {
            ("BEGIN", "VTIMEZONE") => (is_it, known) = (false, Vec::new()),
            ("BEGIN", "STANDARD") => within = Some(Observance::default()),
            ("BEGIN", "DAYLIGHT") => {
                within = Some(Observance {
                    summer: true,
                    ..Observance::default()
                });
            }
            ("END", "STANDARD" | "DAYLIGHT") => known.extend(within.take()),
            ("END", "VTIMEZONE") if is_it => return of(&known),
            ("TZID", _) if within.is_none() => is_it = value.trim() == name,
            _ => {
                if let Some(observance) = &mut within {
                    observance.says(&key, parameters, &upper);
                }
            }
        }
    }
    None
}

/// One way the clock is set.
#[derive(Debug, Default)]
struct Observance {
    summer: bool,
    from: Option<Offset>,
    to: Option<Offset>,
    start: Option<DateTime>,
    dates: Vec<DateTime>,
    rule: Option<String>,
    /// It says something that is not understood here.
    odd: bool,
}

impl Observance {
    fn says(&mut self, key: &str, parameters: &str, value: &str) {
        match key {
            "TZOFFSETFROM" => self.from = offset(value),
            "TZOFFSETTO" => self.to = offset(value),
            "DTSTART" => self.start = local(value),
            "RRULE" => {
                self.odd |= self.rule.is_some();
                self.rule = Some(value.to_owned());
            }
            "RDATE" => {
                let listed: Option<Vec<DateTime>> = value.split(',').map(local).collect();
                self.odd |= listed.is_none() || !parameters.is_empty();
                self.dates.extend(listed.unwrap_or_default());
            }
            "EXDATE" | "EXRULE" => self.odd = true,
            _ => {}
        }
    }

    /// The instants it begins at.
    fn onsets(&self) -> Option<Vec<Timestamp>> {
        let (start, from) = (self.start?, self.from?);
        if self.odd {
            return None;
        }
        let mut local: BTreeSet<DateTime> = self.dates.iter().copied().collect();
        local.insert(start);
        if let Some(rule) = &self.rule {
            let rule = Rule::read(rule, start)?;
            let years = start.year().max(FIRST)..=LAST;
            let days = years.flat_map(|year| rule.days(year));
            let at = days.map(|day| day.to_datetime(start.time()));
            let until = |at: &DateTime| rule.until.is_none_or(|until| until.holds(*at, from));
            local.extend(at.filter(|at| *at >= start && until(at)).take(CHANGES));
        }
        let instants = local.into_iter().map(|at| from.to_timestamp(at).ok());
        instants.collect()
    }
}

/// The last onset of a rule.
#[derive(Clone, Copy, Debug)]
enum Until {
    Instant(Timestamp),
    Local(DateTime),
}

impl Until {
    fn read(text: &str) -> Option<Self> {
        if let Some(utc) = text.strip_suffix('Z') {
            return Offset::UTC
                .to_timestamp(local(utc)?)
                .ok()
                .map(Self::Instant);
        }
        if let Some(at) = local(text) {
            return Some(Self::Local(at));
        }
        let day = Date::strptime("%Y%m%d", text).ok()?;
        Some(Self::Local(day.at(23, 59, 59, 0)))
    }

    fn holds(self, at: DateTime, from: Offset) -> bool {
        match self {
            Self::Local(until) => at <= until,
            Self::Instant(until) => from.to_timestamp(at).is_ok_and(|at| at <= until),
        }
    }
}

/// A day of each year, as changes of the clock are ruled.
#[derive(Debug)]
struct Rule {
    month: i8,
    /// Which weekday of the month, from the end where below zero; or any one.
    weekday: Option<(Option<i8>, Weekday)>,
    days: Vec<i8>,
    until: Option<Until>,
}

impl Rule {
    fn read(text: &str, start: DateTime) -> Option<Self> {
        let mut rule = Self {
            month: start.month(),
            weekday: None,
            days: Vec::new(),
            until: None,
        };
        for part in text.split(';').filter(|part| !part.is_empty()) {
            match part.split_once('=')? {
                ("FREQ", "YEARLY") | ("INTERVAL", "1") | ("WKST", _) => {}
                ("BYMONTH", value) => rule.month = value.parse().ok()?,
                ("BYDAY", value) => rule.weekday = Some(weekday(value)?),
                ("BYMONTHDAY", value) => {
                    let days: Option<_> = value.split(',').map(|day| day.parse().ok()).collect();
                    rule.days = days?;
                }
                ("UNTIL", value) => rule.until = Some(Until::read(value)?),
                _ => return None,
            }
        }
        if rule.weekday.is_none() && rule.days.is_empty() {
            rule.days.push(start.day());
        }
        let plain = match rule.weekday {
            Some((nth, _)) => nth.is_none() != rule.days.is_empty(),
            None => true,
        };
        ((1..=12).contains(&rule.month) && plain).then_some(rule)
    }

    /// Its days in a year: one, unless it lists several.
    fn days(&self, year: i16) -> Vec<Date> {
        let Ok(first) = Date::new(year, self.month, 1) else {
            return Vec::new();
        };
        if let Some((Some(nth), weekday)) = self.weekday {
            let day = first.nth_weekday_of_month(nth, weekday).ok();
            return day.into_iter().collect();
        }
        let in_month = |day: &i8| match *day {
            day if day > 0 => Date::new(year, self.month, day).ok(),
            day => first.last_of_month().checked_add((day + 1).days()).ok(),
        };
        let days = self.days.iter().filter_map(in_month);
        days.filter(|day| self.weekday.is_none_or(|(_, one)| day.weekday() == one))
            .collect()
    }
}

fn of(known: &[Observance]) -> Option<TimeZone> {
    // Before the first change the clock is as that one found it.
    let mut changes: Vec<(Timestamp, Offset, Offset, bool)> = Vec::new();
    for one in known {
        for at in one.onsets()? {
            changes.push((at, one.from?, one.to?, one.summer));
        }
    }
    changes.sort_by_key(|(at, ..)| *at);
    changes.dedup_by_key(|(at, ..)| *at);
    let (_, before, ..) = *changes.first()?;
    if changes.len() > CHANGES {
        return None;
    }
    // Of what was before, the last change only: some rules begin in 1601.
    let begin = date(FIRST, 1, 1).to_zoned(TimeZone::UTC).ok()?.timestamp();
    let old = changes.iter().rposition(|(at, ..)| *at < begin);
    let changes = &changes[old.unwrap_or(0)..];
    TimeZone::tzif("", &tzif(before, changes)).ok()
}

/// These changes as a file of the zone database (RFC 9636), which is what zones are made from.
fn tzif(before: Offset, changes: &[(Timestamp, Offset, Offset, bool)]) -> Vec<u8> {
    let mut kinds = vec![(before, false)];
    let mut marks = Vec::with_capacity(changes.len());
    for (_, _, to, summer) in changes {
        let known = kinds.iter().position(|kind| *kind == (*to, *summer));
        marks.push(known.unwrap_or_else(|| {
            kinds.push((*to, *summer));
            kinds.len() - 1
        }));
    }
    let head = |changes: usize, kinds: usize| {
        let counts = [0, 0, 0, changes, kinds, 1];
        let counts = counts
            .iter()
            .flat_map(|count| (*count as u32).to_be_bytes());
        let mut head = b"TZif2".to_vec();
        head.extend([0; 15]);
        head.extend(counts);
        head
    };
    // The first part, of 32 bits, is read by nobody who reads the second.
    let mut file = head(0, 1);
    file.extend([0; 7]);
    file.extend(head(changes.len(), kinds.len()));
    file.extend(
        changes
            .iter()
            .flat_map(|(at, ..)| at.as_second().to_be_bytes()),
    );
    file.extend(marks.iter().map(|mark| *mark as u8));
    for (offset, summer) in &kinds {
        file.extend(offset.seconds().to_be_bytes());
        file.extend([u8::from(*summer), 0]);
    }
    // One name for all, which is none, and no rule for what comes after.
    file.extend(b"\0\n\n");
    file
}

/// `20270328T020000`.
fn local(value: &str) -> Option<DateTime> {
    DateTime::strptime("%Y%m%dT%H%M%S", value).ok()
}

/// `+0530`, with seconds where a zone has some.
fn offset(text: &str) -> Option<Offset> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let is_one = matches!(digits.len(), 4 | 6) && digits.bytes().all(|b| b.is_ascii_digit());
    let part = |at: usize| {
        digits
            .get(at..at + 2)
            .map_or(Some(0), |two| two.parse::<i32>().ok())
    };
    if !is_one {
        return None;
    }
    let seconds = part(0)? * 3600 + part(2)? * 60 + part(4)?;
    Offset::from_seconds(sign * seconds).ok()
}

/// `-1SU`, or `SU`.
fn weekday(text: &str) -> Option<(Option<i8>, Weekday)> {
    let (nth, day) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let nth = match nth {
        "" => None,
        nth => {
            let nth: i8 = nth.trim_start_matches('+').parse().ok()?;
            Some(nth)
                .filter(|nth| (1..=5).contains(&nth.abs()))
                .map(Some)?
        }
    };
    let days = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
    let day = (1..).zip(days).find(|(_, one)| *one == day)?.0;
    Some((nth, Weekday::from_monday_one_offset(day).ok()?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn text(name: &str, inner: &str) -> String {
        format!(
            "BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nTZID:{name}\r\n{inner}END:VTIMEZONE\r\nEND:VCALENDAR\r\n"
        )
    }

    const PARIS: &str = "BEGIN:STANDARD\r\nDTSTART:16010101T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\nDTSTART:16010101T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3\r\nEND:DAYLIGHT\r\n";

    /// Hour by hour through these two years.
    fn same(own: &TimeZone, other: &TimeZone, from: Date) {
        let begin = from.to_zoned(TimeZone::UTC).unwrap().timestamp();
        for hour in 0..2 * 366 * 24 {
            let at = begin + jiff::SignedDuration::from_hours(hour);
            assert_eq!(own.to_offset(at), other.to_offset(at), "{at}");
        }
    }

    #[test]
    fn rules_as_programs_write_them_are_the_zone_they_describe_on_both_sides_of_each_change() {
        let get = |name: &str| TimeZone::get(name).unwrap();
        let (paris, date) = ("Europe/Paris", |year| date(year, 1, 1));
        let from = |year: &str| PARIS.replace("1601", year);
        // Outlook's, which begins in 1601; and the same, by every other way to say it.
        for (inner, name, first) in [
            (PARIS.to_owned(), paris, date(2027)),
            (PARIS.to_owned(), paris, date(2098)),
            (from("2020"), paris, date(2027)),
            (format!("{PARIS}{PARIS}"), paris, date(2027)),
            (
                PARIS.replace("BYDAY=-1SU", "BYDAY=SU;BYMONTHDAY=25,26,27,28,29,30,31"),
                paris,
                date(2027),
            ),
            (
                PARIS.replace("BYDAY=-1SU", "BYDAY=SU;BYMONTHDAY=-1,-2,-3,-4,-5,-6,-7"),
                paris,
                date(2027),
            ),
            (
                PARIS.replace("RRULE:", "X-OWN:1\r\nTZNAME:HEURE\r\nRRULE:WKST=MO;"),
                paris,
                date(2027),
            ),
            // The rules of before 2007 end, and others begin.
            (
                "BEGIN:DAYLIGHT\r\nDTSTART:19870405T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=4;BYDAY=1SU;UNTIL=20060402T070000Z\r\nTZOFFSETFROM:-0500\r\nTZOFFSETTO:-0400\r\nEND:DAYLIGHT\r\nBEGIN:STANDARD\r\nDTSTART:19871025T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;UNTIL=20061029T060000Z\r\nTZOFFSETFROM:-0400\r\nTZOFFSETTO:-0500\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\nDTSTART:20070311T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU\r\nTZOFFSETFROM:-0500\r\nTZOFFSETTO:-0400\r\nEND:DAYLIGHT\r\nBEGIN:STANDARD\r\nDTSTART:20071104T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU\r\nTZOFFSETFROM:-0400\r\nTZOFFSETTO:-0500\r\nEND:STANDARD\r\n".to_owned(),
                "America/New_York",
                date(2006),
            ),
            // A list of days, as Ramadan rules Morocco's clock.
            (
                "BEGIN:STANDARD\r\nDTSTART:20270207T030000\r\nRDATE:20280123T030000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0000\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\nDTSTART:20270314T020000\r\nRDATE:20280305T020000\r\nTZOFFSETFROM:+0000\r\nTZOFFSETTO:+0100\r\nEND:DAYLIGHT\r\n".to_owned(),
                "Africa/Casablanca",
                date(2027),
            ),
        ] {
            let own = zone(&text("La nôtre", &inner), "La nôtre");
            same(&own.unwrap_or_else(|| panic!("{inner}")), &get(name), first);
        }
    }

    #[test]
    fn a_zone_without_summer_time_is_its_offset() {
        let inner = "BEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0400\r\nTZOFFSETTO:+0530\r\nEND:STANDARD\r\n";
        let own = zone(&text("Ici", inner), "Ici").unwrap();
        assert_eq!(own.to_offset(jiff::Timestamp::UNIX_EPOCH).seconds(), 19_800);
        assert!(zone(&text("Ici", inner), "Ailleurs").is_none());
    }

    #[test]
    fn what_is_no_plain_rule_of_a_clock_is_not_guessed() {
        for odd in [
            &PARIS.replace("RRULE:", "EXDATE:20271031T030000\r\nRRULE:"),
            &PARIS.replace(
                "RRULE:",
                "RDATE;VALUE=PERIOD:20270101T000000Z/PT1H\r\nRRULE:",
            ),
            &PARIS.replace("RRULE:", "RRULE:FREQ=YEARLY\r\nRRULE:"),
            &PARIS.replace("YEARLY", "MONTHLY"),
            &PARIS.replace("INTERVAL=1", "INTERVAL=2"),
            &PARIS.replace("BYMONTH=10", "BYMONTH=10;COUNT=3"),
            &PARIS.replace("BYMONTH=10", "BYMONTH=10;UNTIL=demain"),
            &PARIS.replace("BYMONTH=10", "BYMONTH=13"),
            &PARIS.replace("-1SU", "-6SU"),
            &PARIS.replace("-1SU", "SU"),
            &PARIS.replace("-1SU", "-1SU;BYMONTHDAY=25"),
            &PARIS.replace("+0100", "+1"),
            &PARIS.replace("DTSTART", "X-START"),
            &String::new(),
            &"BEGIN:STANDARD\r\n".repeat(3),
        ] {
            assert!(zone(&text("Z", odd), "Z").is_none(), "{odd}");
        }
    }
}
