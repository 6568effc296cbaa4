//! Days as people write them: `2027-01-02`, `02/01`, `sam. 2 janv.`, `1er février`, `12-14/01`,
//! `du 30 décembre au 2 janvier`, `tous les mardis`, `Sat 2 January 2027`.
//!
//! Day comes before month, never the other way round. What is missing (a year, a month) comes
//! from the sheet or stays missing; a weekday that does not go with its date is an error, for one
//! of the two is wrong and nobody here knows which.

mod grammar;
mod names;

use jiff::civil::{Date, Weekday, date};

pub(crate) use grammar::read;
pub(crate) use names::{about, weekday};

/// A day as written: what is not written is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Day {
    pub(crate) weekday: Option<Weekday>,
    /// Of the month.
    pub(crate) number: i8,
    pub(crate) month: Option<i8>,
    pub(crate) year: Option<i16>,
}

/// What a date cell says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One day.
    One(Day),
    /// From a day to another, both included.
    Range(Day, Day),
    /// Several days, each on its own.
    Several(Vec<Day>),
    /// Every such weekday of a month, or between two days.
    Weekly {
        weekdays: Vec<Weekday>,
        month: Option<(i8, Option<i16>)>,
        between: Option<(Day, Day)>,
    },
}

/// Why a date cell means no day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It is written in a way that is not understood.
    Unreadable,
    /// There is no such day (`32/01`, `30 février`).
    NoSuchDay,
    /// The weekday and the date do not go together: what the date really is.
    Weekday { said: Weekday, date: Date },
    /// The year is nowhere to be found.
    NoYear,
    /// The month is nowhere to be found.
    NoMonth,
    /// It can be read in two ways (`05-07`).
    Ambiguous,
    /// The last day is before the first.
    Backwards,
    /// A weekly date without month or last day.
    Endless,
    /// Some days of a series, but which (`un samedi sur deux`).
    SomeOf,
}

/// What the sheet around a date says about its month and year.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Around {
    /// The month the tab or the section is about.
    pub(crate) month: Option<i8>,
    /// The year the tab, the title or the settings name.
    pub(crate) year: Option<i16>,
    /// The second year, where a season is named (`2026-2027`).
    pub(crate) season: Option<i16>,
    /// Whole dates written in the same tab, in order of lines: (line, date).
    pub(crate) neighbours: Vec<(u32, Date)>,
    /// The line the date stands on.
    pub(crate) row: u32,
    /// The day it is, as a last resort to choose a year that a weekday confirms.
    pub(crate) today: Option<Date>,
}

/// The days a cell means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Days {
    /// One activity from a day to another (the same, mostly).
    Span(Date, Date),
    /// One activity on each.
    Each(Vec<Date>),
}

/// The longest series that is written out.
const LONGEST_SERIES: usize = 400;

impl Shape {
    /// Whether a year has to come from around.
    pub(crate) fn wants_year(&self) -> bool {
        match self {
            Self::One(day) => day.year.is_none(),
            Self::Range(first, last) => first.year.is_none() && last.year.is_none(),
            Self::Several(days) => days.iter().any(|day| day.year.is_none()),
            Self::Weekly { month, between, .. } => match (between, month) {
                (Some((first, last)), _) => first.year.is_none() && last.year.is_none(),
                (None, Some((_, year))) => year.is_none(),
                (None, None) => true,
            },
        }
    }

    /// The whole date, when one day is written with all its parts, and they agree.
    pub(crate) fn whole(&self) -> Option<Date> {
        let Self::One(Day {
            weekday,
            number,
            month: Some(month),
            year: Some(year),
        }) = *self
        else {
            return None;
        };
        let date = Date::new(year, month, number).ok()?;
        weekday
            .is_none_or(|said| said == date.weekday())
            .then_some(date)
    }

    /// The days, with what the sheet around says.
    pub(crate) fn resolve(&self, around: &Around) -> Result<Days, Trouble> {
        match self {
            Self::One(day) => day.resolve(around).map(|date| Days::Span(date, date)),
            Self::Range(first, last) => {
                let (first, last) = span(*first, *last, around)?;
                Ok(Days::Span(first, last))
            }
            Self::Several(days) => {
                let mut last = *days.last().ok_or(Trouble::Unreadable)?;
                let mut dates = Vec::with_capacity(days.len());
                for day in days.iter().rev() {
                    let day = Day {
                        month: day.month.or(last.month),
                        year: day.year.or(last.year),
                        ..*day
                    };
                    last = day;
                    dates.push(day.resolve(around)?);
                }
                dates.reverse();
                if dates.is_sorted_by(|a, b| a < b) {
                    Ok(Days::Each(dates))
                } else {
                    Err(Trouble::Backwards)
                }
            }
            Self::Weekly {
                weekdays,
                month,
                between,
            } => {
                let (first, last) = match between {
                    Some((first, last)) => span(*first, *last, around)?,
                    None => whole_month(*month, around)?,
                };
                let dates: Vec<Date> = first
                    .series(jiff::Span::new().days(1))
                    .take_while(|date| *date <= last)
                    .take(LONGEST_SERIES + 1)
                    .filter(|date| weekdays.contains(&date.weekday()))
                    .collect();
                if last.duration_since(first).as_hours() / 24 > LONGEST_SERIES as i64
                    || dates.is_empty()
                {
                    return Err(Trouble::Endless);
                }
                Ok(Days::Each(dates))
            }
        }
    }
}

fn whole_month(month: Option<(i8, Option<i16>)>, around: &Around) -> Result<(Date, Date), Trouble> {
    let (month, year) = match month {
        Some((month, year)) => (month, year),
        None => (around.month.ok_or(Trouble::Endless)?, None),
    };
    let first = Day {
        weekday: None,
        number: 1,
        month: Some(month),
        year,
    }
    .resolve(around)?;
    Ok((first, first.last_of_month()))
}

fn span(mut first: Day, mut last: Day, around: &Around) -> Result<(Date, Date), Trouble> {
    first.month = first.month.or(last.month);
    last.month = last.month.or(first.month);
    if last.year.is_none() && first.year.is_some() {
        last.year = first.year;
    }
    if last.year.is_some() && first.year.is_none() {
        // "du 30 décembre au 2 janvier 2027" begins the year before.
        let wraps = matches!((first.month, last.month), (Some(a), Some(b)) if a > b);
        first.year = last.year.map(|year| if wraps { year - 1 } else { year });
    }
    let first = first.resolve(around)?;
    if last.year.is_none() {
        last.year = Some(first.year());
        if last.month.is_some_and(|month| month < first.month()) {
            last.year = Some(first.year() + 1);
        }
    }
    let last = last.resolve(around)?;
    if last < first {
        Err(Trouble::Backwards)
    } else {
        Ok((first, last))
    }
}

impl Day {
    fn resolve(self, around: &Around) -> Result<Date, Trouble> {
        let month = self.month.or(around.month).ok_or(Trouble::NoMonth)?;
        if !possible(self.number, month) {
            return Err(Trouble::NoSuchDay);
        }
        let year = match self.year {
            Some(year) => year,
            None => self.year(month, around)?,
        };
        let date = Date::new(year, month, self.number).map_err(|_| Trouble::NoSuchDay)?;
        match self.weekday {
            Some(said) if said != date.weekday() => Err(Trouble::Weekday { said, date }),
            _ => Ok(date),
        }
    }

    /// The year of a day written without one: the tab's or the title's, else the one its
    /// neighbours have, else the only near one that makes the weekday right.
    fn year(self, month: i8, around: &Around) -> Result<i16, Trouble> {
        let fits = |year: i16| {
            Date::new(year, month, self.number)
                .is_ok_and(|date| self.weekday.is_none_or(|said| said == date.weekday()))
        };
        if let Some(year) = around.year {
            return match (around.season, around.month) {
                // A season runs from one autumn to the next summer.
                (Some(next), _) => match month {
                    9.. => Ok(year),
                    ..=6 => Ok(next),
                    _ if self.weekday.is_some() && fits(year) != fits(next) => {
                        Ok(if fits(year) { year } else { next })
                    }
                    _ => Err(Trouble::NoYear),
                },
                // A December day on the January tab is the December before.
                (None, Some(tab)) if month - tab > 6 => Ok(year - 1),
                (None, Some(tab)) if tab - month > 6 => Ok(year + 1),
                _ => Ok(year),
            };
        }
        if !around.neighbours.is_empty() {
            return self
                .year_of_neighbours(month, around)
                .ok_or(Trouble::NoYear);
        }
        if self.weekday.is_some()
            && let Some(today) = around.today
        {
            let mut near = (today.year() - 1..=today.year() + 1).filter(|year| fits(*year));
            if let (Some(year), None) = (near.next(), near.next()) {
                return Ok(year);
            }
        }
        Err(Trouble::NoYear)
    }

    fn year_of_neighbours(self, month: i8, around: &Around) -> Option<i16> {
        let at = around
            .neighbours
            .partition_point(|(row, _)| *row <= around.row);
        let (before, after) = around.neighbours.split_at(at);
        let nearest = |neighbour: &(u32, Date)| {
            let near = neighbour.1;
            (near.year() - 1..=near.year() + 1)
                .filter_map(|year| Date::new(year, month, self.number).ok())
                .min_by_key(|date| date.duration_since(near).as_hours().abs())
                .map(Date::year)
        };
        // One on each side, or the two next where the other side has none: a single date may be
        // the one whose year is wrong.
        let near = match (before, after) {
            ([.., one], [other, ..]) | ([.., other, one], []) | ([], [one, other, ..]) => {
                [one, other]
            }
            ([one], []) | ([], [one]) => [one, one],
            ([], []) => return None,
        };
        let [one, other] = near.map(nearest);
        one.filter(|_| one == other)
    }
}

fn possible(day: i8, month: i8) -> bool {
    (1..=12).contains(&month) && (1..=date(2028, month, 1).days_in_month()).contains(&day)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn january() -> Around {
        about("Janvier 2027")
    }

    fn show(text: &str, around: &Around) -> String {
        let (shape, rest) = match read(text) {
            Ok(read) => read,
            Err(trouble) => return format!("{trouble:?}"),
        };
        let days = match shape.resolve(around) {
            Ok(Days::Span(a, b)) if a == b => a.to_string(),
            Ok(Days::Span(a, b)) => format!("{a}..{b}"),
            Ok(Days::Each(days)) => days
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" "),
            Err(Trouble::Weekday { .. }) => return "Weekday".to_owned(),
            Err(trouble) => return format!("{trouble:?}"),
        };
        if rest.is_empty() {
            days
        } else {
            format!("{days} | {rest}")
        }
    }

    #[test]
    fn whole_dates_need_no_help() {
        for (text, day) in [
            ("2027-01-02", "2027-01-02"),
            ("2027/1/2", "2027-01-02"),
            ("02/01/2027", "2027-01-02"),
            ("2/1/27", "2027-01-02"),
            ("02-01-2027", "2027-01-02"),
            ("02.01.2027", "2027-01-02"),
            ("2 janvier 2027", "2027-01-02"),
            ("samedi 2 janvier 2027", "2027-01-02"),
            ("Sat 2 January 2027", "2027-01-02"),
            ("Saturday, January 2, 2027", "2027-01-02"),
            ("Jan 2nd 2027", "2027-01-02"),
            ("1er février 2027", "2027-02-01"),
            ("2nd of January 2027", "2027-01-02"),
            ("Mar 2, 2027", "2027-03-02"),
            ("mar. 2 mars 2027", "2027-03-02"),
            ("2 janv. 27", "2027-01-02"),
            ("2 août 2027", "2027-08-02"),
            ("2-janv-27", "2027-01-02"),
            ("Sat. 2 Jan. 2027", "2027-01-02"),
            ("le 2 janvier 2027", "2027-01-02"),
            ("29/02/2028", "2028-02-29"),
            ("2027-01-02T18:30", "2027-01-02 | 18:30"),
            ("2027-01-02 18:30:00", "2027-01-02 | 18:30:00"),
            ("02/01/2027 à 18h30", "2027-01-02 | a 18h30"),
            ("2 janvier 2027, 18h30-20h", "2027-01-02 | 18h30-20h"),
            ("12/01/2027 - 14/01/2027", "2027-01-12..2027-01-14"),
            ("du 30 décembre au 2 janvier 2027", "2026-12-30..2027-01-02"),
            ("Jan 2-4, 2027", "2027-01-02..2027-01-04"),
            ("12 au 14 janvier 2027", "2027-01-12..2027-01-14"),
            ("30/12/2026 au 2/1/2027", "2026-12-30..2027-01-02"),
            // What our own message says to write.
            (
                "2, 16 et 30 janvier 2027",
                "2027-01-02 2027-01-16 2027-01-30",
            ),
            (
                "2, 16 and 30 January 2027",
                "2027-01-02 2027-01-16 2027-01-30",
            ),
            ("2 janvier 2027, 18h et plus", "2027-01-02 | 18h et plus"),
            (
                "tous les mardis de janvier 2027",
                "2027-01-05 2027-01-12 2027-01-19 2027-01-26",
            ),
            (
                "tous les mardis du 5 au 12 janvier 2027",
                "2027-01-05 2027-01-12",
            ),
        ] {
            assert_eq!(show(text, &Around::default()), day, "{text}");
        }
    }

    #[test]
    fn the_sheet_around_gives_month_and_year() {
        for (text, day) in [
            ("sam. 02/01", "2027-01-02"),
            ("lundi 4 janvier", "2027-01-04"),
            ("vendredi 8", "2027-01-08"),
            ("ma 12/01", "2027-01-12"),
            ("12-14/01", "2027-01-12..2027-01-14"),
            ("sam 30 janv.", "2027-01-30"),
            ("dim. 31 janvier", "2027-01-31"),
            ("mar. 02/02", "2027-02-02"),
            ("8", "2027-01-08"),
            (
                "tous les mardis",
                "2027-01-05 2027-01-12 2027-01-19 2027-01-26",
            ),
            (
                "every Tuesday",
                "2027-01-05 2027-01-12 2027-01-19 2027-01-26",
            ),
            (
                "les mardis et jeudis du 5 au 14",
                "2027-01-05 2027-01-07 2027-01-12 2027-01-14",
            ),
            ("du 12 au 14", "2027-01-12..2027-01-14"),
            ("ven 15 - sam 16", "2027-01-15..2027-01-16"),
            ("30/12", "2026-12-30"),
            ("12 et 19 janvier", "2027-01-12 2027-01-19"),
            ("13-14", "2027-01-13..2027-01-14"),
            ("sam. 2 - 18h30", "2027-01-02 | 18h30"),
            ("2 janvier 18h30", "2027-01-02 | 18h30"),
            ("samedi 2 et dimanche 3 janvier", "2027-01-02 2027-01-03"),
            ("30/01 - 02/02", "2027-01-30..2027-02-02"),
        ] {
            assert_eq!(show(text, &january()), day, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_or_could_be_two_days_is_not_read() {
        for (text, trouble) in [
            ("sam. 13/01", "Weekday"),
            ("32/01", "NoSuchDay"),
            ("30 février", "NoSuchDay"),
            ("01/13/2027", "NoSuchDay"),
            ("bientôt", "Unreadable"),
            ("", "Unreadable"),
            ("05-07", "Ambiguous"),
            ("samedi", "Unreadable"),
            ("14-12/01", "Backwards"),
            ("29/02/2027", "NoSuchDay"),
            ("2027", "Unreadable"),
            ("1/1/1", "Unreadable"),
            ("tous les jours", "Unreadable"),
            ("01/02/20277", "Unreadable"),
        ] {
            assert_eq!(show(text, &january()), trouble, "{text}");
        }
        let nothing = Around::default();
        assert_eq!(show("02/01", &nothing), "NoYear");
        assert_eq!(show("vendredi 8", &nothing), "NoMonth");
        assert_eq!(show("tous les mardis", &nothing), "Endless");
    }

    #[test]
    fn the_year_comes_from_the_neighbours_or_from_a_weekday_that_confirms_it() {
        let mut around = Around {
            neighbours: vec![(3, date(2026, 12, 20)), (9, date(2027, 1, 9))],
            row: 5,
            ..Around::default()
        };
        assert_eq!(show("02/01", &around), "2027-01-02");
        assert_eq!(show("28/12", &around), "2026-12-28");
        around.neighbours = vec![(3, date(2026, 2, 1)), (9, date(2027, 2, 1))];
        assert_eq!(show("02/02", &around), "NoYear");
        let around = Around {
            today: Some(date(2026, 12, 1)),
            ..Around::default()
        };
        assert_eq!(show("sam. 02/01", &around), "2027-01-02");
        assert_eq!(show("02/01", &around), "NoYear");
    }

    #[test]
    fn tabs_and_titles_say_what_they_are_about() {
        let of = |name: &str| {
            let around = about(name);
            (around.month, around.year, around.season)
        };
        assert_eq!(of("JANVIER"), (Some(1), None, None));
        assert_eq!(of("février 27"), (Some(2), Some(2027), None));
        assert_eq!(
            of("🎉 PROGRAMME DE LA HALLE — JANVIER 2027 🎉"),
            (Some(1), Some(2027), None)
        );
        assert_eq!(
            of("à remplir AVANT le 20 du mois précédent — merci !!"),
            (None, None, None)
        );
        assert_eq!(of("à rendre avant le 20 janvier"), (None, None, None));
        assert_eq!(of("Saison 2026-2027"), (None, Some(2026), Some(2027)));
        assert_eq!(of("programme.csv"), (None, None, None));
        assert_eq!(of("Programme du mardi"), (None, None, None));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            if let Ok((shape, _)) = read(&text) {
                drop(shape.resolve(&january()));
            }
            about(&text);
        }

        #[test]
        fn what_looks_like_a_date_never_panics(text in "(sam|mar|tous|les|mardis|du|au|et|janv|mars|[0-9]{1,5}|[-/., ]){0,12}") {
            if let Ok((shape, _)) = read(&text) {
                drop(shape.resolve(&january()));
                drop(shape.resolve(&Around::default()));
            }
            about(&text);
        }

        #[test]
        fn a_written_date_reads_back(days in 0_i32..39_000, form in 0..7) {
            let day = date(1992, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
            const FR: [&str; 12] = ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"];
            const WEEK: [&str; 7] = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"];
            let (y, m, d) = (day.year(), day.month(), day.day());
            let month = FR[m as usize - 1];
            let weekday = WEEK[day.weekday().to_monday_zero_offset() as usize];
            let text = match form {
                0 => day.to_string(),
                1 => format!("{d:02}/{m:02}/{y}"),
                2 => format!("{d}.{m}.{y}"),
                3 => format!("{d} {month} {y}"),
                4 => format!("{weekday} {d} {month} {y}"),
                5 => format!("{}. {d:02}/{m:02}/{y}", &weekday[..3]),
                _ => format!("{}, {} {d}, {y}", day.strftime("%A"), day.strftime("%B")),
            };
            let (shape, rest) = read(&text).unwrap();
            proptest::prop_assert_eq!(rest, "");
            proptest::prop_assert_eq!(shape.resolve(&Around::default()), Ok(Days::Span(day, day)));
        }
    }
}
