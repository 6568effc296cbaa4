//! From what the cells of a line say about days and hours to a start and an end.

use jiff::civil::Date;
use raccord_model::Civil;

use crate::parse::hour::{Hours, Minute, time};

/// The hours of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Times {
    /// Whole days.
    Days,
    /// From a minute, perhaps to another, or for some minutes.
    Span {
        start: Minute,
        end: Option<Minute>,
        lasts: Option<u32>,
    },
    /// They are there and cannot be read: only the day is known.
    Unknown,
}

impl From<Hours> for Times {
    fn from(hours: Hours) -> Self {
        match hours {
            Hours::AllDay => Self::Days,
            Hours::Span { start, end } => Self::Span {
                start,
                end,
                lasts: None,
            },
        }
    }
}

/// When an activity takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct When {
    pub(crate) start: Civil,
    pub(crate) end: Option<Civil>,
    pub(crate) all_day: bool,
    /// It lasts several days and nobody says at what time the last one ends.
    pub(crate) end_hour_missing: bool,
}

/// From `first` to `last` (the same, mostly). An end that is not after the start on the same day
/// is the next day's.
pub(crate) fn when(first: Date, last: Date, times: Times) -> When {
    match times {
        Times::Days => When {
            start: Civil::Day(first),
            end: (last > first).then_some(Civil::Day(last)),
            all_day: true,
            end_hour_missing: false,
        },
        Times::Unknown => When {
            start: Civil::Day(first),
            end: None,
            all_day: false,
            end_hour_missing: false,
        },
        Times::Span { start, end, lasts } => {
            let from = first.to_datetime(time(start));
            let to = match (end, lasts) {
                (Some(end), _) => {
                    let next = end == 1440 || last == first && end <= start;
                    let day = if next {
                        last.tomorrow().ok()
                    } else {
                        Some(last)
                    };
                    day.map(|day| day.to_datetime(time(end)))
                }
                (None, Some(minutes)) => from
                    .checked_add(jiff::Span::new().minutes(i64::from(minutes)))
                    .ok(),
                (None, None) => None,
            };
            When {
                start: Civil::Minute(from),
                end: to.map(Civil::Minute),
                all_day: false,
                end_hour_missing: to.is_none() && last > first,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn show(first: Date, last: Date, times: Times) -> String {
        let when = when(first, last, times);
        let end = when
            .end
            .map_or_else(|| "-".to_owned(), |end| end.to_string());
        format!("{} {end} {}", when.start, when.all_day)
    }

    #[test]
    fn an_end_that_is_not_after_the_start_is_the_next_days() {
        let day = date(2027, 1, 15);
        let span = |start, end| Times::Span {
            start,
            end,
            lasts: None,
        };
        assert_eq!(
            show(day, day, span(1230, Some(30))),
            "2027-01-15T20:30 2027-01-16T00:30 false"
        );
        assert_eq!(
            show(day, day, span(1230, Some(1440))),
            "2027-01-15T20:30 2027-01-16T00:00 false"
        );
        assert_eq!(
            show(day, day, span(600, Some(720))),
            "2027-01-15T10:00 2027-01-15T12:00 false"
        );
        assert_eq!(show(day, day, span(600, None)), "2027-01-15T10:00 - false");
        assert_eq!(
            show(day, date(2027, 1, 16), span(1230, Some(30))),
            "2027-01-15T20:30 2027-01-16T00:30 false"
        );
        assert_eq!(
            show(day, date(2027, 1, 17), span(540, Some(1020))),
            "2027-01-15T09:00 2027-01-17T17:00 false"
        );
        let lasting = Times::Span {
            start: 1380,
            end: None,
            lasts: Some(120),
        };
        assert_eq!(
            show(day, day, lasting),
            "2027-01-15T23:00 2027-01-16T01:00 false"
        );
        assert_eq!(
            show(day, date(2027, 1, 17), Times::Days),
            "2027-01-15 2027-01-17 true"
        );
        assert_eq!(show(day, day, Times::Days), "2027-01-15 - true");
    }
}
