//! How dates and hours are said, in French and in English. Pure.

use jiff::civil::{Date, Time};
use raccord_model::{Activity, Civil, Lang};

use crate::hour;

/// What stands in place of hours where there are none.
const fn whole_day(lang: Lang) -> &'static str {
    match lang {
        Lang::Fr => "toute la journée",
        Lang::En => "all day",
    }
}

/// "janvier 2027".
pub fn month_year(lang: Lang, date: Date) -> String {
    format!("{}\u{a0}{}", lang.month(date.month()), date.year())
}

/// "2", and "1er" for the first in French.
pub fn ordinal(lang: Lang, date: Date) -> String {
    match (lang, date.day()) {
        (Lang::Fr, 1) => "1er".to_owned(),
        (_, day) => day.to_string(),
    }
}

/// "2 janvier".
pub fn day_month(lang: Lang, date: Date) -> String {
    format!("{}\u{a0}{}", ordinal(lang, date), lang.month(date.month()))
}

/// "samedi 2 janvier".
pub fn day(lang: Lang, date: Date) -> String {
    format!("{} {}", lang.weekday(date.weekday()), day_month(lang, date))
}

/// "samedi 2 janvier 2027".
pub fn day_year(lang: Lang, date: Date) -> String {
    format!("{} {}", day(lang, date), date.year())
}

/// What stands in place of a date that is yet to be chosen.
pub const fn undated(lang: Lang) -> &'static str {
    match lang {
        Lang::Fr => "date à fixer",
        Lang::En => "date to be chosen",
    }
}

/// "Du 4 au 10 janvier", as on the printed page; "4–10 January".
pub fn week(lang: Lang, monday: Date) -> String {
    let sunday = monday
        .checked_add(jiff::Span::new().days(6))
        .unwrap_or(monday);
    let one_month = monday.month() == sunday.month();
    let from = if one_month {
        ordinal(lang, monday)
    } else {
        day_month(lang, monday)
    };
    let to = day_month(lang, sunday);
    match lang {
        Lang::Fr => format!("Du\u{a0}{from} au\u{a0}{to}"),
        Lang::En if one_month => format!("{from}–{to}"),
        Lang::En => format!("{from} – {to}"),
    }
}

/// When an activity takes place, as it is shown: whole days, or hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// Whole days, the last one inclusive.
    Days(Date, Date),
    /// From a minute on, to another where it is known.
    Hours(jiff::civil::DateTime, Option<jiff::civil::DateTime>),
}

impl Span {
    /// The span of an activity. An end that is not after the start is not shown.
    pub fn of(activity: &Activity) -> Self {
        match activity.start {
            Civil::Minute(start) if !activity.all_day => {
                let end = match activity.end {
                    Some(Civil::Minute(end)) => Some(end),
                    Some(Civil::Day(last)) => last
                        .tomorrow()
                        .ok()
                        .map(|next| next.to_datetime(Time::midnight())),
                    None => None,
                };
                Self::Hours(start, end.filter(|end| *end > start))
            }
            start => {
                let first = start.date();
                let last = match activity.end {
                    // Until midnight is until the end of the day before.
                    Some(Civil::Minute(end)) if end.time() == Time::midnight() => {
                        end.date().yesterday().unwrap_or(first)
                    }
                    Some(end) => end.date(),
                    None => first,
                };
                Self::Days(first, last.max(first))
            }
        }
    }

    /// The day it begins.
    pub fn first(self) -> Date {
        match self {
            Self::Days(first, _) => first,
            Self::Hours(start, _) => start.date(),
        }
    }
}

/// The hours beside an activity in a day's list.
pub fn hours(lang: Lang, span: Span) -> String {
    match span {
        Span::Days(first, last) if first == last => whole_day(lang).to_owned(),
        Span::Days(_, last) => until(lang, &day(lang, last)),
        Span::Hours(start, None) => hour(start.time(), lang),
        Span::Hours(start, Some(end)) if same_evening(start, end) => format!(
            "{}\u{a0}– {}",
            hour(start.time(), lang),
            hour(end.time(), lang)
        ),
        Span::Hours(start, Some(end)) => {
            // Midnight belongs to the day it ends.
            let last = if end.time() == Time::midnight() {
                end.date().yesterday().unwrap_or(end.date())
            } else {
                end.date()
            };
            let moment = format!("{}, {}", day(lang, last), hour(end.time(), lang));
            format!("{}, {}", hour(start.time(), lang), until(lang, &moment))
        }
    }
}

/// The whole sentence: "samedi 2 janvier 2027, 10 h – 12 h".
pub fn when(lang: Lang, span: Span) -> String {
    match span {
        Span::Days(first, last) if first != last => {
            let (from, to) = (day(lang, first), day_year(lang, last));
            match lang {
                Lang::Fr => format!("du {from} au {to}"),
                Lang::En => format!("{from} to {to}"),
            }
        }
        other => format!("{}, {}", day_year(lang, span.first()), hours(lang, other)),
    }
}

fn until(lang: Lang, moment: &str) -> String {
    match lang {
        Lang::Fr => format!("jusqu’au {moment}"),
        Lang::En => format!("until {moment}"),
    }
}

/// A night that goes past midnight is still one evening.
pub fn same_evening(start: jiff::civil::DateTime, end: jiff::civil::DateTime) -> bool {
    start.date() == end.date()
        || (start.date().tomorrow().ok() == Some(end.date()) && end.hour() < 12)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn span(start: &str, end: &str) -> Span {
        let activity: Activity = serde_json::from_value(serde_json::json!({
            "id": "00000000-0000-0000-0000-000000000001", "title": "x", "start": start, "end": end,
        }))
        .unwrap();
        Span::of(&activity)
    }

    #[test]
    fn hours_read_as_people_say_them() {
        let evening = span("2027-01-15T20:30", "2027-01-16T00:30");
        assert_eq!(
            hours(Lang::Fr, evening),
            "20\u{202f}h\u{202f}30\u{a0}– 0\u{202f}h\u{202f}30"
        );
        assert_eq!(hours(Lang::En, evening), "20:30\u{a0}– 0:30");
        assert_eq!(
            when(Lang::Fr, span("2027-01-01", "2027-01-01")),
            "vendredi 1er\u{a0}janvier 2027, toute la journée"
        );
        assert_eq!(
            when(Lang::Fr, span("2027-01-12", "2027-01-14")),
            "du mardi 12\u{a0}janvier au jeudi 14\u{a0}janvier 2027"
        );
        assert_eq!(
            hours(Lang::Fr, span("2027-01-08T20:00", "2027-01-10T18:00")),
            "20\u{202f}h, jusqu’au dimanche 10\u{a0}janvier, 18\u{202f}h"
        );
    }

    #[test]
    fn an_end_before_the_start_is_not_shown() {
        assert_eq!(
            hours(Lang::En, span("2027-01-08T20:00", "2027-01-08T19:00")),
            "20:00"
        );
    }

    #[test]
    fn an_evening_ends_at_midnight_not_at_zero() {
        let evening = span("2027-01-15T20:30", "2027-01-16T00:00");
        assert_eq!(
            hours(Lang::Fr, evening),
            "20\u{202f}h\u{202f}30\u{a0}– minuit"
        );
        assert_eq!(hours(Lang::En, evening), "20:30\u{a0}– midnight");
        let days = span("2027-01-15T20:30", "2027-01-16");
        assert!(hours(Lang::Fr, days).ends_with("samedi 16\u{a0}janvier, minuit"));
    }

    #[test]
    fn a_week_names_both_months_where_it_spans_them() {
        assert_eq!(
            week(Lang::Fr, jiff::civil::date(2026, 12, 28)),
            "Du\u{a0}28\u{a0}décembre au\u{a0}3\u{a0}janvier"
        );
        assert_eq!(
            week(Lang::Fr, jiff::civil::date(2027, 1, 4)),
            "Du\u{a0}4 au\u{a0}10\u{a0}janvier"
        );
        assert_eq!(
            week(Lang::En, jiff::civil::date(2027, 1, 4)),
            "4–10\u{a0}January"
        );
    }
}
