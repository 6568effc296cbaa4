//! A table of Grist: what its columns are, and its records, as its programming interface says them.
//!
//! Written from `gristlabs/grist-core` of August 2026 (`DocApi.ts`, `GristData.ts`): a day is the
//! seconds of its midnight since 1970, a reference a number that a hidden column shows in words, a
//! formula that failed is null with its error beside the fields.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use raccord_model::Failure;
use serde::Deserialize;
use serde_json::Value as Json;

use super::{Cell, Meter, Row, Rows, TabStart, Value, rounded};
use crate::error::{self, Limit};
use crate::limits;

/// The hidden column that keeps the order people gave the records.
const ORDER: &str = "manualSort";
/// What the names of the columns begin with that Grist makes for itself.
const HELPER: &str = "gristHelper_";

#[derive(Deserialize)]
struct Columns {
    columns: Vec<Column>,
}

#[derive(Deserialize)]
struct Column {
    id: String,
    #[serde(default)]
    fields: About,
}

/// What is said of a column.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct About {
    col_ref: i64,
    label: String,
    r#type: String,
    /// The column that shows a reference in words; 0 where there is none.
    display_col: i64,
    parent_pos: Option<f64>,
}

#[derive(Deserialize)]
struct Records {
    records: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    id: i64,
    #[serde(default)]
    fields: BTreeMap<String, Json>,
    #[serde(default)]
    errors: BTreeMap<String, Json>,
}

/// Pushes the records into `rows`, as one tab called `name`; `mark` stands before each record's
/// number in its own id. Nothing where these are no columns and records.
pub(crate) fn read(
    (columns, records): (&[u8], &[u8]),
    (name, mark): (&str, &str),
    meter: &mut Meter,
    rows: &mut dyn Rows,
) -> Result<Option<()>, Failure> {
    let Ok(Columns { mut columns }) = serde_json::from_slice(columns) else {
        return Ok(None);
    };
    let Ok(Records { mut records }) = serde_json::from_slice(records) else {
        return Ok(None);
    };
    let shown: BTreeMap<i64, String> = columns
        .iter()
        .map(|column| (column.fields.col_ref, column.id.clone()))
        .collect();
    columns.retain(|column| column.id != ORDER && !column.id.starts_with(HELPER));
    columns.sort_by(|a, b| in_order(a.fields.parent_pos, b.fields.parent_pos));
    if columns.len() > limits::COLUMNS {
        return Err(error::too_large(Limit::Columns));
    }
    let place = |record: &Record| record.fields.get(ORDER).and_then(Json::as_f64);
    records.sort_by(|a, b| in_order(place(a), place(b)).then(a.id.cmp(&b.id)));

    meter.tab()?;
    let start = TabStart {
        name: name.to_owned(),
        ..TabStart::default()
    };
    if rows.tab(start)? {
        push(&columns, &shown, &records, mark, meter, rows)?;
    }
    rows.end()?;
    Ok(Some(()))
}

fn push(
    columns: &[Column],
    shown: &BTreeMap<i64, String>,
    records: &[Record],
    mark: &str,
    meter: &mut Meter,
    rows: &mut dyn Rows,
) -> Result<(), Failure> {
    let header: Vec<Cell<'_>> = columns.iter().map(|column| text(column.title())).collect();
    rows.row(Row {
        number: 0,
        hidden: false,
        native: None,
        cells: &header,
    })?;
    for (number, record) in (1..).zip(records) {
        meter.row()?;
        let cells: Vec<Cell<'_>> = columns
            .iter()
            .map(|column| Cell {
                value: value(column, shown, record),
                ..Cell::default()
            })
            .collect();
        let longest = cells.iter().map(|cell| match &cell.value {
            Value::Text(text) => text.len(),
            _ => 0,
        });
        if longest.max().unwrap_or_default() > limits::CELL_BYTES {
            return Err(error::too_large(Limit::Cell));
        }
        rows.row(Row {
            number,
            hidden: false,
            native: Some(&format!("{mark}:{}", record.id)),
            cells: &cells,
        })?;
    }
    Ok(())
}

impl Column {
    /// What people call it.
    fn title(&self) -> &str {
        match self.fields.label.trim() {
            "" => &self.id,
            label => label,
        }
    }
}

fn text(text: &str) -> Cell<'_> {
    Cell {
        value: Value::Text(Cow::Borrowed(text)),
        ..Cell::default()
    }
}

/// Those without a place come last.
fn in_order(a: Option<f64>, b: Option<f64>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

fn value<'r>(column: &Column, shown: &BTreeMap<i64, String>, record: &'r Record) -> Value<'r> {
    if let Some(wrong) = record.errors.get(&column.id) {
        return Value::Error(wrong.as_str().unwrap_or_default().to_owned());
    }
    let kind = column.fields.r#type.as_str();
    let held = record.fields.get(&column.id).unwrap_or(&Json::Null);
    if kind.starts_with("Ref") {
        // The number of another record says nothing to anybody: what is shown for it does.
        let words = shown.get(&column.fields.display_col);
        let words = words.and_then(|helper| record.fields.get(helper));
        return match words {
            Some(words) => plain(words),
            None => match held {
                Json::Number(_) | Json::Array(_) => Value::Empty,
                other => plain(other),
            },
        };
    }
    let zone = kind.strip_prefix("DateTime:");
    match (kind, held) {
        ("Date", Json::Number(seconds)) => moment(seconds, "UTC"),
        (_, Json::Number(seconds)) if zone.is_some() || kind == "DateTime" => {
            moment(seconds, zone.unwrap_or("UTC"))
        }
        _ => plain(held),
    }
}

/// A value that says itself what it is.
fn plain(held: &Json) -> Value<'_> {
    match held {
        Json::Null | Json::Object(_) => Value::Empty,
        Json::Bool(said) => Value::Bool(*said),
        Json::Number(number) => number
            .as_f64()
            .filter(|number| number.is_finite())
            .map_or(Value::Empty, Value::Number),
        Json::String(text) if text.is_empty() => Value::Empty,
        Json::String(text) => Value::Text(Cow::Borrowed(text)),
        Json::Array(parts) => coded(parts),
    }
}

/// A value in a list, whose first letter says what the others are.
fn coded(parts: &[Json]) -> Value<'_> {
    let Some((code, rest)) = parts.split_first() else {
        return Value::Empty;
    };
    match (code.as_str().unwrap_or_default(), rest) {
        ("d", [Json::Number(seconds)]) => moment(seconds, "UTC"),
        ("D", [Json::Number(seconds), zone]) => moment(seconds, zone.as_str().unwrap_or("UTC")),
        ("E", [name, ..]) => Value::Error(name.as_str().unwrap_or_default().to_owned()),
        ("L", items) => listed(items),
        ("U", [Json::String(text)]) => Value::Text(Cow::Borrowed(text)),
        // Hidden from this account, pending, references without words: nothing to read.
        _ => Value::Empty,
    }
}

/// Several choices, as a person would write them into one cell.
fn listed(items: &[Json]) -> Value<'static> {
    let words: Vec<String> = items
        .iter()
        .filter_map(|item| match plain(item) {
            Value::Text(text) => Some(text.into_owned()),
            Value::Number(number) => Some(number.to_string()),
            Value::Date(date) => Some(date.strftime("%d/%m/%Y").to_string()),
            _ => None,
        })
        .filter(|word| !word.is_empty())
        .collect();
    if words.is_empty() {
        Value::Empty
    } else {
        Value::Text(Cow::Owned(words.join(", ")))
    }
}

/// Seconds since 1970, as a clock in that zone shows them. Midnight is a day; a year that no other
/// sheet can hold is a mistake.
fn moment(seconds: &serde_json::Number, zone: &str) -> Value<'static> {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let whole = seconds.as_f64().filter(|seconds| seconds.abs() < 1e11);
    let at = whole.and_then(|seconds| Timestamp::from_second(seconds.round() as i64).ok());
    let civil = at.map(|at| rounded(at.to_zoned(zone).datetime()));
    let Some(civil) = civil.filter(|civil| (1..=9999).contains(&civil.year())) else {
        return Value::Error(String::new());
    };
    if civil.time() == jiff::civil::Time::midnight() {
        Value::Date(civil.date())
    } else {
        Value::DateTime(civil)
    }
}

/// The tables of a document, as its list names them: the number that stays when a table is renamed,
/// and the name. Nothing where this is no such list.
pub(crate) fn tables(list: &[u8]) -> Option<Vec<(i64, String)>> {
    #[derive(Deserialize)]
    struct Tables {
        tables: Vec<Table>,
    }
    #[derive(Deserialize)]
    struct Table {
        id: String,
        #[serde(default)]
        fields: Fields,
    }
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Fields {
        table_ref: i64,
        /// Of a summary: the table it sums up.
        summary_source_table: i64,
    }
    let Tables { tables } = serde_json::from_slice(list).ok()?;
    let own = tables
        .into_iter()
        .filter(|table| table.fields.summary_source_table == 0);
    Some(
        own.map(|table| (table.fields.table_ref, table.id))
            .collect(),
    )
}
