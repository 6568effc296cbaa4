//! Zones that an entry brings itself, under a name nobody knows (Outlook's "Customized Time Zone"):
//! the rules of its VTIMEZONE, where they are the two that nearly all are (a standard time, and a
//! summer time by month and weekday) or none. What is more than that is not guessed.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

/// The zone that VTIMEZONE `name` of a text describes.
pub fn zone(text: &str, name: &str) -> Option<TimeZone> {
    let text = text
        .replace("\r\n ", "")
        .replace("\r\n\t", "")
        .replace("\n ", "");
    let lines = text.lines().map(|line| line.trim_end_matches('\r'));
    let mut within = None;
    let mut known = Vec::new();
    let mut is_it = false;
    for line in lines {
        let Some((key, value)) = line.split_once(':') else {
            continue;
        };
        let key = key
            .split(';')
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
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
                    observance.says(&key, value.trim());
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
    to: Option<Offset>,
    start: Option<DateTime>,
    rule: Option<String>,
    /// It says something that is not understood here.
    odd: bool,
}

impl Observance {
    fn says(&mut self, key: &str, value: &str) {
        match key {
            "TZOFFSETTO" => self.to = offset(value),
            "DTSTART" => self.start = DateTime::strptime("%Y%m%dT%H%M%S", value).ok(),
            "RRULE" => {
                self.odd |= self.rule.is_some();
                self.rule = Some(value.to_ascii_uppercase());
            }
            "RDATE" | "EXDATE" | "EXRULE" => self.odd = true,
            _ => {}
        }
    }

    /// When it begins each year, as POSIX writes it: `M3.5.0/2`.
    fn posix(&self) -> Option<String> {
        let start = self.start?;
        let (mut month, mut day) = (None, None);
        for part in self
            .rule
            .as_ref()?
            .split(';')
            .filter(|part| !part.is_empty())
        {
            match part.split_once('=')? {
                ("FREQ", "YEARLY") | ("INTERVAL", "1") | ("WKST", _) => {}
                ("BYMONTH", value) => month = value.parse::<u8>().ok(),
                ("BYDAY", value) => day = weekday(value),
                // An end, a day of the month: more than two rules that go on for ever.
                _ => return None,
            }
        }
        let month = month.filter(|month| (1..=12).contains(month))?;
        let (week, day) = day?;
        let at = start.time();
        Some(format!(
            "M{month}.{week}.{day}/{:02}:{:02}:{:02}",
            at.hour(),
            at.minute(),
            at.second()
        ))
    }
}

fn of(known: &[Observance]) -> Option<TimeZone> {
    if known.iter().any(|one| one.odd) {
        return None;
    }
    match known {
        [only] if only.rule.is_none() => Some(TimeZone::fixed(only.to?)),
        [one, other] if one.summer != other.summer => {
            let (standard, summer) = if one.summer {
                (other, one)
            } else {
                (one, other)
            };
            let rules = format!(
                "STD{}DST{},{},{}",
                posix(standard.to?),
                posix(summer.to?),
                summer.posix()?,
                standard.posix()?
            );
            TimeZone::posix(&rules).ok()
        }
        _ => None,
    }
}

/// An offset as POSIX writes it, west of Greenwich being more.
fn posix(offset: Offset) -> String {
    let seconds = offset.seconds();
    let sign = if seconds > 0 { '-' } else { '+' };
    let all = seconds.unsigned_abs();
    format!(
        "{sign}{:02}:{:02}:{:02}",
        all / 3600,
        all / 60 % 60,
        all % 60
    )
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

/// `-1SU` as week (5 for the last) and day (0 for Sunday).
fn weekday(text: &str) -> Option<(u8, u8)> {
    let (nth, day) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let week = match nth {
        "-1" => 5,
        nth => nth
            .trim_start_matches('+')
            .parse()
            .ok()
            .filter(|nth| (1..=4).contains(nth))?,
    };
    let days = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];
    let day = days.iter().position(|one| *one == day)?;
    Some((week, u8::try_from(day).ok()?))
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

    #[test]
    fn the_zone_outlook_makes_up_is_the_one_it_describes_on_both_sides_of_each_change() {
        let own = zone(&text("Customized Time Zone", PARIS), "Customized Time Zone").unwrap();
        let paris = TimeZone::get("Europe/Paris").unwrap();
        for hour in (0..2 * 366 * 24).step_by(1) {
            let at = jiff::Timestamp::from_second(1_798_761_600 + i64::from(hour) * 3600).unwrap();
            assert_eq!(own.to_offset(at), paris.to_offset(at), "{at}");
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
    fn what_is_more_than_two_rules_is_not_guessed() {
        for odd in [
            &PARIS.replace("RRULE:", "RDATE:20270101T000000\r\nRRULE:"),
            &PARIS.replace("BYMONTH=10", "BYMONTH=10;UNTIL=20200101T000000Z"),
            &PARIS.replace("-1SU", "-2SU"),
            &PARIS.replace("BYDAY=-1SU", "BYMONTHDAY=25"),
            &PARIS.replace("+0100", "+1"),
            &format!("{PARIS}{PARIS}"),
            &String::new(),
            &"BEGIN:STANDARD\r\n".repeat(3),
        ] {
            assert!(zone(&text("Z", odd), "Z").is_none(), "{odd}");
        }
    }
}
