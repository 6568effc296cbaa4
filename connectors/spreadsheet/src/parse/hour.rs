//! Hours as people write them: `18h30`, `18:30`, `9-12h`, `20h30 > minuit`, `6:30 pm`, `journée`.
//!
//! An hour that could be two hours ("vers 18h", "le soir", "18h5") is not read.

use jiff::civil::Time;

use crate::text;

/// A minute of the day, 0 to 1440: 24:00 is a time to end at.
pub(crate) type Minute = u16;

/// What an hours cell says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hours {
    /// The whole day.
    AllDay,
    /// From a time, perhaps to another. An end not after the start is the next day's.
    Span {
        /// The start.
        start: Minute,
        /// The end, where it is said.
        end: Option<Minute>,
    },
}

/// Whether an hours cell says which half of the day it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Halves {
    /// It need not: it can only be read in one way (`18:30`, `9h`, `09:00`, `midi`).
    Needless,
    /// It does not, where others write am and pm (`6:30`, `6-8`).
    Unsaid,
    /// It does.
    Said,
}

/// Whether an hours cell says which half of the day it means.
pub(crate) fn halves(text: &str) -> Halves {
    let plain = text::plain(text);
    let mut rest = strip_lead(plain.trim());
    let whole = rest;
    let Some(first) = Token::take(&mut rest) else {
        return Halves::Needless;
    };
    let written = &whole[..whole.len() - rest.len()];
    let second = strip_link(rest.trim_start()).and_then(|mut rest| Token::take(&mut rest));
    let half = |token: &Token| token.half.is_some();
    if half(&first) || second.as_ref().is_some_and(half) {
        return Halves::Said;
    }
    let figures_only = !written.contains(char::is_alphabetic);
    if figures_only && !written.starts_with('0') && (1..12).contains(&first.hour) {
        Halves::Unsaid
    } else {
        Halves::Needless
    }
}

/// The time of day of a minute; 24:00 is midnight.
pub(crate) fn time(minute: Minute) -> Time {
    let minute = minute % 1440;
    Time::new((minute / 60) as i8, (minute % 60) as i8, 0, 0)
        .expect("a minute under 1440 is a time")
}

/// Reads what stands in an hours column.
pub(crate) fn read(text: &str) -> Option<Hours> {
    let plain = text::plain(text);
    if is_all_day(&plain) {
        return Some(Hours::AllDay);
    }
    let mut rest = strip_lead(plain.trim());
    let first = Token::take(&mut rest)?;
    rest = rest.trim_start();
    if rest.is_empty() {
        return first.alone().map(|start| Hours::Span { start, end: None });
    }
    rest = strip_link(rest)?;
    if rest.is_empty() || matches!(rest, "?" | "??" | "..." | "…" | "fin" | "la fin") {
        return first.alone().map(|start| Hours::Span { start, end: None });
    }
    let second = Token::take(&mut rest)?;
    if !rest.trim().is_empty() {
        return None;
    }
    let end = second.end()?;
    let start = first.before(second)?;
    Some(Hours::Span {
        start,
        end: Some(end),
    })
}

/// Reads what stands in a column for the end only.
pub(crate) fn read_end(text: &str) -> Option<Minute> {
    let plain = text::plain(text);
    let mut rest = plain.trim();
    for lead in [
        "jusqu'a ", "jusque ", "a ", "to ", "until ", "till ", "-", ">",
    ] {
        rest = rest.strip_prefix(lead).unwrap_or(rest).trim_start();
    }
    let token = Token::take(&mut rest)?;
    rest.trim().is_empty().then(|| token.end()).flatten()
}

/// Reads a duration, in minutes: `2h`, `1h30`, `90 min`, `2 heures`, `1:30`.
pub(crate) fn duration(text: &str) -> Option<u32> {
    let compact: String = text::plain(text).chars().filter(|c| *c != ' ').collect();
    let number = |text: &str| {
        (!text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse::<u32>().ok())
            .flatten()
    };
    for unit in ["minutes", "minute", "mins", "min", "mn"] {
        if let Some(minutes) = compact.strip_suffix(unit).and_then(number) {
            return (1..=10_080).contains(&minutes).then_some(minutes);
        }
    }
    let (hours, rest) = compact.split_once(['h', ':'])?;
    let rest = ["ours", "our", "eures", "eure", "rs", "r"]
        .iter()
        .find_map(|unit| rest.strip_prefix(unit))
        .unwrap_or(rest);
    let rest = rest.trim_end_matches("min").trim_end_matches("mn");
    let minutes = if let Some((whole, "5")) = hours.split_once([',', '.']) {
        if !rest.is_empty() {
            return None;
        }
        number(whole)? * 60 + 30
    } else {
        let minutes = if rest.is_empty() {
            0
        } else {
            number(rest).filter(|m| rest.len() == 2 && *m < 60)?
        };
        number(hours)? * 60 + minutes
    };
    (1..=10_080).contains(&minutes).then_some(minutes)
}

fn is_all_day(plain: &str) -> bool {
    matches!(
        text::key(plain).as_str(),
        "journee"
            | "la journee"
            | "toute la journee"
            | "journee entiere"
            | "journee complete"
            | "en journee"
            | "all day"
            | "allday"
            | "whole day"
            | "the whole day"
            | "full day"
            | "toute la journee entiere"
            | "24h 24"
    )
}

fn strip_lead(mut rest: &str) -> &str {
    for lead in [
        "@",
        "a partir de ",
        "a compter de ",
        "a ",
        "de ",
        "des ",
        "from ",
        "at ",
        "entre ",
        "between ",
        "starting at ",
        "starts at ",
        "debut ",
        "debut : ",
        "rdv ",
        "rdv a ",
    ] {
        if let Some(after) = rest.strip_prefix(lead) {
            rest = after.trim_start();
            break;
        }
    }
    rest
}

/// What stands between two times.
fn strip_link(rest: &str) -> Option<&str> {
    const LINKS: &[&str] = &[
        "jusqu'a",
        "jusqu a",
        "jusque vers",
        "jusque",
        "until",
        "till",
        "->",
        "=>",
        "-->",
        "→",
        "➜",
        "➡",
        "»",
        ">",
        "--",
        "-",
        "/",
        "...",
        "…",
        "..",
        "~",
        "to ",
        "a ",
        "au ",
        "et ",
        "and ",
        "&",
    ];
    if rest == "a" {
        return Some("");
    }
    LINKS
        .iter()
        .find_map(|link| rest.strip_prefix(link))
        .map(str::trim)
}

/// One time as written.
#[derive(Clone, Copy, Debug)]
struct Token {
    hour: u16,
    minute: u16,
    half: Option<Half>,
    /// "midi", "minuit": a word, not figures.
    word: Option<Word>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    Morning,
    Afternoon,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Noon,
    Midnight,
}

impl Token {
    fn take(rest: &mut &str) -> Option<Self> {
        for (name, word) in [
            ("midnight", Word::Midnight),
            ("minuit", Word::Midnight),
            ("midi", Word::Noon),
            ("noon", Word::Noon),
        ] {
            if let Some(after) = rest.strip_prefix(name) {
                if after.starts_with(char::is_alphanumeric) {
                    return None;
                }
                *rest = after;
                return Some(Self {
                    hour: 0,
                    minute: 0,
                    half: None,
                    word: Some(word),
                });
            }
        }
        let figures = digits(rest);
        let (hour, mut minute, mut after): (u16, u16, &str) = match figures.len() {
            1 | 2 => (figures.parse().ok()?, 0, &rest[figures.len()..]),
            // "1830"
            4 => (
                figures[..2].parse().ok()?,
                figures[2..].parse().ok()?,
                &rest[4..],
            ),
            _ => return None,
        };
        if figures.len() < 4 {
            (minute, after) = Self::take_minutes(after)?;
        }
        let mut half = None;
        let trimmed = after.trim_start();
        for (name, is) in [
            ("a.m.", Half::Morning),
            ("p.m.", Half::Afternoon),
            ("a.m", Half::Morning),
            ("p.m", Half::Afternoon),
            ("am", Half::Morning),
            ("pm", Half::Afternoon),
        ] {
            if let Some(behind) = trimmed.strip_prefix(name)
                && !behind.starts_with(char::is_alphanumeric)
            {
                half = Some(is);
                after = behind;
                break;
            }
        }
        if minute > 59
            || hour > 24
            || hour == 24 && minute > 0
            || half.is_some() && !(1..=12).contains(&hour)
        {
            return None;
        }
        *rest = after;
        Some(Self {
            hour,
            minute,
            half,
            word: None,
        })
    }

    /// Minutes after the hour: `h30`, `:30`, `.30`, `:30:00`, ` h 30`, `h`.
    fn take_minutes(after: &str) -> Option<(u16, &str)> {
        let trimmed = after.trim_start();
        let unit = ["heures", "heure", "hrs", "hr", "hours", "hour", "h"]
            .iter()
            .find_map(|unit| trimmed.strip_prefix(unit));
        if let Some(behind) = unit {
            let inner = behind
                .strip_prefix([':', '.'])
                .unwrap_or(behind)
                .trim_start();
            let figures = digits(inner);
            return match figures.len() {
                0 if behind.starts_with(char::is_alphabetic) => None,
                0 => Some((0, behind)),
                2 => {
                    let mut behind = &inner[2..];
                    for unit in ["mins", "min", "mn"] {
                        behind = behind.strip_prefix(unit).unwrap_or(behind);
                    }
                    Some((figures.parse().ok()?, behind))
                }
                _ => None,
            };
        }
        for sign in [':', '.'] {
            let Some(behind) = after.strip_prefix(sign) else {
                continue;
            };
            let figures = digits(behind);
            if figures.is_empty() && sign == '.' {
                return Some((0, behind));
            }
            if figures.len() != 2 {
                return None;
            }
            let mut minute: u16 = figures.parse().ok()?;
            let mut behind = &behind[2..];
            if sign == ':'
                && let Some(seconds) = behind.strip_prefix(':')
            {
                let figures = digits(seconds);
                let second: u16 = figures.parse().ok()?;
                if figures.len() != 2 || second > 59 {
                    return None;
                }
                minute += u16::from(second >= 30 && minute < 59);
                behind = &seconds[2..];
                if let Some(part) = behind.strip_prefix(['.', ',']) {
                    behind = part.trim_start_matches(|c: char| c.is_ascii_digit());
                }
            }
            return Some((minute, behind.strip_prefix('h').unwrap_or(behind)));
        }
        Some((0, after))
    }

    fn minute_of_day(self, half: Option<Half>) -> Option<Minute> {
        match self.word {
            Some(Word::Noon) => Some(720),
            Some(Word::Midnight) => Some(1440),
            None => {
                let hour = match half {
                    Some(_) if !(1..=12).contains(&self.hour) => return None,
                    Some(Half::Morning) => self.hour % 12,
                    Some(Half::Afternoon) => self.hour % 12 + 12,
                    None => self.hour,
                };
                Some(hour * 60 + self.minute)
            }
        }
    }

    fn end(self) -> Option<Minute> {
        self.minute_of_day(self.half)
    }

    /// As a start with no end. Midnight as a start may be either end of the day: not read.
    fn alone(self) -> Option<Minute> {
        (self.word != Some(Word::Midnight))
            .then(|| self.minute_of_day(self.half))
            .flatten()
            .filter(|minute| *minute < 1440)
    }

    /// As a start before `second`, whose half of the day it shares ("6-8 pm", "11-1 pm").
    fn before(self, second: Self) -> Option<Minute> {
        if self.half.is_none()
            && self.word.is_none()
            && second.half == Some(Half::Afternoon)
            && self.hour <= 12
        {
            let end = second.end()?;
            return self
                .minute_of_day(Some(Half::Afternoon))
                .filter(|start| *start < end)
                .or_else(|| self.minute_of_day(Some(Half::Morning)));
        }
        if self.half.is_none() && second.half == Some(Half::Morning) {
            return self
                .minute_of_day((self.hour <= 12 && self.word.is_none()).then_some(Half::Morning));
        }
        self.alone()
    }
}

fn digits(text: &str) -> &str {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn show(text: &str) -> String {
        let clock = |m: Minute| format!("{:02}:{:02}", m / 60, m % 60);
        match read(text) {
            None => "-".to_owned(),
            Some(Hours::AllDay) => "day".to_owned(),
            Some(Hours::Span { start, end: None }) => clock(start),
            Some(Hours::Span {
                start,
                end: Some(end),
            }) => format!("{} {}", clock(start), clock(end)),
        }
    }

    #[test]
    fn hours_are_read_as_people_write_them() {
        for (text, read) in [
            ("18h", "18:00"),
            ("18h30", "18:30"),
            ("18H30", "18:30"),
            ("18:30", "18:30"),
            ("18.30", "18:30"),
            ("18:30:00", "18:30"),
            ("18 h 30", "18:30"),
            ("8h", "08:00"),
            ("18 heures 30", "18:30"),
            ("18h30min", "18:30"),
            ("1830", "18:30"),
            ("18", "18:00"),
            ("6:30 pm", "18:30"),
            ("6pm", "18:00"),
            ("6.30 p.m.", "18:30"),
            ("12 pm", "12:00"),
            ("12am", "00:00"),
            ("9:00 AM", "09:00"),
            ("midi", "12:00"),
            ("noon", "12:00"),
            ("à 18h", "18:00"),
            ("dès 18h30", "18:30"),
            ("à partir de 18h", "18:00"),
            ("18h-", "18:00"),
            ("18h - ?", "18:00"),
            ("00:00", "00:00"),
            ("18:30:00.000", "18:30"),
            ("10h-12h", "10:00 12:00"),
            ("18h30 - 20h30", "18:30 20:30"),
            ("10h – 12h", "10:00 12:00"),
            ("14:00 à 17:00", "14:00 17:00"),
            ("9h30 -17h", "09:30 17:00"),
            ("9-12h", "09:00 12:00"),
            ("9h-12", "09:00 12:00"),
            ("9-12", "09:00 12:00"),
            ("19H00-21H30", "19:00 21:30"),
            ("20h30 > minuit", "20:30 24:00"),
            ("20h30-0h30", "20:30 00:30"),
            ("20h → 24h", "20:00 24:00"),
            ("de 10h à 12h", "10:00 12:00"),
            ("entre 10h et 12h", "10:00 12:00"),
            ("from 6 to 8 pm", "18:00 20:00"),
            ("6-8pm", "18:00 20:00"),
            ("11-1 pm", "11:00 13:00"),
            ("10am-12pm", "10:00 12:00"),
            ("10 am – 1 pm", "10:00 13:00"),
            ("9-11 am", "09:00 11:00"),
            ("midi - 14h", "12:00 14:00"),
            ("18h30/20h", "18:30 20:00"),
            ("10h jusqu’à 12h", "10:00 12:00"),
            ("journée", "day"),
            ("Toute la journée", "day"),
            ("All day", "day"),
        ] {
            assert_eq!(show(text), read, "{text}");
        }
    }

    #[test]
    fn what_could_be_two_hours_is_not_read() {
        for text in [
            "",
            "25h",
            "18h60",
            "18h5",
            "soir",
            "vers 18h",
            "minuit",
            "24:00",
            "10h 12h",
            "18h30 20h",
            "18:3",
            "13 pm",
            "0 pm",
            "10h-12h-14h",
            "10h ou 11h",
            "18h (ouverture 17h30)",
            "h",
            "-",
            "24h30",
            "123",
            "99:99",
            "10h-25h",
            "10heuresx",
            "٣h",
        ] {
            assert_eq!(show(text), "-", "{text}");
        }
    }

    #[test]
    fn an_end_may_be_midnight() {
        assert_eq!(read_end("minuit"), Some(1440));
        assert_eq!(read_end("24h"), Some(1440));
        assert_eq!(read_end("0h30"), Some(30));
        assert_eq!(read_end("à 20h"), Some(1200));
        assert_eq!(read_end("25:30"), None);
        assert_eq!(read_end("tard"), None);
    }

    #[test]
    fn durations_are_read() {
        for (text, minutes) in [
            ("2h", 120),
            ("1h30", 90),
            ("90 min", 90),
            ("1:30", 90),
            ("2 heures", 120),
            ("1,5h", 90),
            ("2 hours", 120),
        ] {
            assert_eq!(duration(text), Some(minutes), "{text}");
        }
        for text in ["", "2", "longtemps", "0h", "1h5", "99999 min"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,24}") {
            let _ = (read(&text), read_end(&text), duration(&text));
        }

        #[test]
        fn what_looks_like_hours_never_panics(text in "[0-9hH:. apmin>-]{0,14}") {
            let _ = (read(&text), read_end(&text), duration(&text));
        }

        #[test]
        fn a_written_span_reads_back(start in 0_u16..1440, end in 0_u16..=1440, form in 0..4) {
            let write = |m: u16| match form {
                0 => format!("{}h{:02}", m / 60, m % 60),
                1 => format!("{:02}:{:02}", m / 60, m % 60),
                2 => format!("{:02}.{:02}", m / 60, m % 60),
                _ => format!("{:02}:{:02}:00", m / 60, m % 60),
            };
            let text = format!("{} - {}", write(start), write(end));
            proptest::prop_assert_eq!(read(&text), Some(Hours::Span { start, end: Some(end) }));
        }
    }
}
