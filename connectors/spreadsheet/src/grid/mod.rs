//! The document as a grid: tabs, lines, cells with their value and the marks people see.
//!
//! Each format pushes its lines, one at a time, into a [`Rows`]; none holds a whole document.
//! Nothing here knows what a line means.

pub(crate) mod archive;
pub(crate) mod csv;
pub(crate) mod ods;
pub(crate) mod ods_styles;
pub(crate) mod room;
pub(crate) mod table;
pub(crate) mod xlsx;
pub(crate) mod xlsx_marks;

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};
use raccord_model::Failure;

use crate::{error, limits};

/// What a cell holds, as its program typed it.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) enum Value<'a> {
    /// Nothing.
    #[default]
    Empty,
    /// Text as written.
    Text(Cow<'a, str>),
    /// A number.
    Number(f64),
    /// A day.
    Date(Date),
    /// A day and a minute.
    DateTime(DateTime),
    /// A time of day or a duration, in minutes.
    Minutes(i64),
    /// True or false.
    Bool(bool),
    /// An error of the program (`#REF!`).
    Error(String),
}

impl Value<'_> {
    pub(crate) fn into_owned(self) -> Value<'static> {
        match self {
            Self::Empty => Value::Empty,
            Self::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Self::Number(number) => Value::Number(number),
            Self::Date(date) => Value::Date(date),
            Self::DateTime(at) => Value::DateTime(at),
            Self::Minutes(minutes) => Value::Minutes(minutes),
            Self::Bool(said) => Value::Bool(said),
            Self::Error(error) => Value::Error(error),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Text(text) => text.trim().is_empty(),
            _ => false,
        }
    }
}

/// One cell.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct Cell<'a> {
    pub(crate) value: Value<'a>,
    /// Struck through.
    pub(crate) struck: bool,
    /// Shows the value of a cell above it that is merged over several lines.
    pub(crate) inherited: bool,
    /// Merged over several columns.
    pub(crate) wide: bool,
}

/// One line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'r, 'a> {
    /// Its number as its program shows it, from 1.
    pub(crate) number: u32,
    /// Hidden by a person (not by a filter).
    pub(crate) hidden: bool,
    /// Its own id in its program, where that has one.
    pub(crate) native: Option<&'r str>,
    /// Its cells, from column A on.
    pub(crate) cells: &'r [Cell<'a>],
}

/// One tab, before its lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct TabStart {
    pub(crate) name: String,
    pub(crate) hidden: bool,
    /// Hidden columns, zero-based, as ranges of first and last.
    pub(crate) hidden_columns: Vec<(u32, u32)>,
}

/// Where the lines of a document go.
pub(crate) trait Rows {
    /// A tab begins; whether its lines are wanted.
    fn tab(&mut self, tab: TabStart) -> Result<bool, Failure>;
    /// One line of the tab, in order. Lines that hold nothing may be left out.
    fn row(&mut self, row: Row<'_, '_>) -> Result<(), Failure>;
    /// The tab is over.
    fn end(&mut self) -> Result<(), Failure>;
}

/// Counts lines and columns against the limits.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    rows: u32,
    tabs: usize,
}

impl Meter {
    pub(crate) fn tab(&mut self) -> Result<(), Failure> {
        self.tabs += 1;
        if self.tabs > limits::TABS {
            return Err(error::too_large(error::Limit::Tabs));
        }
        Ok(())
    }

    pub(crate) fn row(&mut self) -> Result<(), Failure> {
        self.rows += 1;
        if self.rows > limits::ROWS {
            return Err(error::too_large(error::Limit::Rows));
        }
        Ok(())
    }
}

/// Cells merged over several lines, filled into the lines below their first.
#[derive(Debug, Default)]
pub(crate) struct Merges {
    /// By column: the last line, and what it shows.
    open: BTreeMap<usize, (u32, Cell<'static>)>,
}

impl Merges {
    /// The cell at `column` reaches down to line `last`.
    pub(crate) fn open(&mut self, column: usize, last: u32, cell: Cell<'static>) {
        self.open.insert(column, (last, cell));
    }

    /// Fills line `number` with what reaches down into it.
    pub(crate) fn fill(&mut self, number: u32, cells: &mut Vec<Cell<'_>>) {
        if self.open.is_empty() {
            return;
        }
        self.open.retain(|_, (last, _)| *last >= number);
        for (&column, (_, above)) in &self.open {
            if cells.len() <= column {
                cells.resize_with(column + 1, Cell::default);
            }
            let cell = &mut cells[column];
            if cell.value.is_empty() {
                *cell = Cell {
                    inherited: true,
                    ..above.clone()
                };
            }
        }
    }
}

/// A moment of a typed cell, rounded to the minute: programs keep 18:30 as a fraction that falls
/// a hair beside it.
pub(crate) fn rounded(at: DateTime) -> DateTime {
    let seconds = i64::from(at.second()) * 1_000_000_000 + i64::from(at.subsec_nanosecond());
    let whole = at
        .with()
        .second(0)
        .subsec_nanosecond(0)
        .build()
        .unwrap_or(at);
    if seconds >= 30_000_000_000 {
        whole
            .checked_add(jiff::Span::new().minutes(1))
            .unwrap_or(whole)
    } else {
        whole
    }
}

/// A day count since 1899-12-30, with the time as its fraction.
pub(crate) fn serial(number: f64) -> Option<Value<'static>> {
    if !(0.0..2_958_466.0).contains(&number) {
        return None;
    }
    let minutes = (number * 1440.0).round() as i64;
    let (days, minute) = (minutes / 1440, minutes % 1440);
    let date = jiff::civil::date(1899, 12, 30)
        .checked_add(jiff::Span::new().days(days))
        .ok()?;
    Some(if minute == 0 {
        Value::Date(date)
    } else {
        Value::DateTime(
            date.at(0, 0, 0, 0)
                .checked_add(jiff::Span::new().minutes(minute))
                .ok()?,
        )
    })
}
