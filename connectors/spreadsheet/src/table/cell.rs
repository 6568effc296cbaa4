//! What a single cell says: as text, as a day, as hours, as an error of its program.

use std::borrow::Cow;

use jiff::civil::Date;

use crate::field::Field;
use crate::grid::{Cell, Row, Value};
use crate::header::Columns;
use crate::parse::date::{self, Day, Shape, Trouble};
use crate::parse::hour::{self, Hours, Minute};
use crate::words;

/// A line seen through its columns.
#[derive(Clone, Copy)]
pub(super) struct View<'r, 'a, 'c> {
    pub(super) columns: &'c Columns,
    pub(super) row: Row<'r, 'a>,
}

impl<'r, 'a> View<'r, 'a, '_> {
    pub(super) fn cell(&self, field: Field) -> Option<(u16, &'r Cell<'a>)> {
        let column = self.columns.get(field)?;
        Some((column, self.row.cells.get(usize::from(column))?))
    }

    /// The cells that hold something of their own.
    pub(super) fn own(&self) -> impl Iterator<Item = (u16, &'r Cell<'a>)> {
        self.row
            .cells
            .iter()
            .enumerate()
            .filter(|(_, cell)| !cell.inherited && !cell.value.is_empty())
            .map(|(column, cell)| (column as u16, cell))
    }

    pub(super) fn number(&self, field: Field) -> Option<f64> {
        match self.cell(field)?.1.value {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    pub(super) fn has_hours(&self) -> bool {
        [Field::Hours, Field::Start, Field::End]
            .iter()
            .any(|field| {
                self.cell(*field)
                    .is_some_and(|(_, cell)| !cell.value.is_empty())
            })
    }
}

/// What stands in the day's cell after the day.
#[derive(Clone, Debug)]
pub(super) enum Beside {
    Nothing,
    Minute(Minute),
    Text(String),
}

/// A cell as text, as a CSV of the same sheet would have it.
pub(crate) fn shown<'r>(value: &'r Value<'_>) -> Cow<'r, str> {
    match value {
        Value::Empty => Cow::Borrowed(""),
        Value::Text(text) => Cow::Borrowed(text),
        Value::Number(number) => Cow::Owned(number.to_string()),
        Value::Date(date) => Cow::Owned(date.to_string()),
        Value::DateTime(at) => Cow::Owned(raccord_model::Civil::Minute(*at).to_string()),
        Value::Minutes(minutes) => Cow::Owned(format!("{:02}:{:02}", minutes / 60, minutes % 60)),
        Value::Bool(said) => Cow::Borrowed(if *said { "oui" } else { "non" }),
        Value::Error(error) => Cow::Borrowed(error),
    }
}

pub(super) fn cell_error(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Error(error) => Some(if error.is_empty() {
            "#ERR".to_owned()
        } else {
            error.clone()
        }),
        Value::Text(text) if words::cell_error(text) => Some(text.trim().to_owned()),
        _ => None,
    }
}

pub(super) fn one(date: Date) -> Shape {
    Shape::One(Day {
        weekday: None,
        number: date.day(),
        month: Some(date.month()),
        year: Some(date.year()),
    })
}

/// The days a cell means and what stands beside them. `None` for an error of the program.
pub(super) fn day(value: &Value<'_>) -> Result<(Shape, Beside), Option<Trouble>> {
    if cell_error(value).is_some() {
        return Err(None);
    }
    match value {
        Value::Date(date) => Ok((one(*date), Beside::Nothing)),
        Value::DateTime(at) => Ok((
            one(at.date()),
            minute_of(at.time()).map_or(Beside::Nothing, Beside::Minute),
        )),
        Value::Number(number) => day_number(*number).ok_or(Some(Trouble::Unreadable)),
        Value::Text(text) => {
            let figures = text.trim();
            if figures.len() == 5
                && let Ok(number) = figures.parse::<f64>()
            {
                return day_number(number).ok_or(Some(Trouble::Unreadable));
            }
            let (shape, rest) = date::read(text).map_err(Some)?;
            // "02/01/2027 00:00" is how programs write a day out.
            let midnight = hour::read(&rest) == Some(span_from(0));
            let beside = if rest.is_empty() || midnight {
                Beside::Nothing
            } else {
                Beside::Text(rest)
            };
            Ok((shape, beside))
        }
        _ => Err(Some(Trouble::Unreadable)),
    }
}

/// A bare number where a day should be: a day of the month, or the day count some programs export
/// in place of a date.
pub(super) fn day_number(number: f64) -> Option<(Shape, Beside)> {
    if number.fract() == 0.0 && (1.0..=31.0).contains(&number) {
        return Some((
            Shape::One(Day {
                number: number as i8,
                ..Day::default()
            }),
            Beside::Nothing,
        ));
    }
    // 2000 to 2100.
    if !(36_526.0..73_051.0).contains(&number) {
        return None;
    }
    match crate::grid::serial(number)? {
        Value::Date(date) => Some((one(date), Beside::Nothing)),
        Value::DateTime(at) => Some((one(at.date()), Beside::Minute(minute_of(at.time())?))),
        _ => None,
    }
}

pub(super) fn minute_of(time: jiff::civil::Time) -> Option<Minute> {
    u16::try_from(i32::from(time.hour()) * 60 + i32::from(time.minute())).ok()
}

pub(super) fn span_from(start: Minute) -> Hours {
    Hours::Span { start, end: None }
}

/// The hours a typed cell means.
pub(super) fn hours_of(value: &Value<'_>) -> Option<Hours> {
    match value {
        Value::Text(text) => hour::read(text),
        Value::Minutes(minutes) => u16::try_from(*minutes)
            .ok()
            .filter(|m| *m < 1440)
            .map(span_from),
        // A fraction of a day, or a whole hour. "18,5" could be 18:30 or 18:50.
        Value::Number(number) if (0.0..1.0).contains(number) && *number > 0.0 => {
            Some(span_from((number * 1440.0).round().min(1439.0) as u16))
        }
        Value::Number(number) if number.fract() == 0.0 => hour::read(&format!("{number}")),
        _ => None,
    }
}

pub(super) fn agree(one: Hours, other: Hours) -> bool {
    match (one, other) {
        (Hours::AllDay, Hours::AllDay) => true,
        (Hours::Span { start: a, end: x }, Hours::Span { start: b, end: y }) => {
            a == b && (x.is_none() || y.is_none() || x == y)
        }
        _ => false,
    }
}

pub(super) fn merge(one: Hours, other: Hours) -> Hours {
    match (one, other) {
        (Hours::Span { start, end }, Hours::Span { end: more, .. }) => Hours::Span {
            start,
            end: end.or(more),
        },
        (kept, _) => kept,
    }
}
