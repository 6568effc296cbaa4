//! A room of EtherCalc, as its server saves it: lines of `SocialCalc`, in the parts of one message.
//!
//! That text, and not the CSV of the same server: the CSV tells neither days from numbers nor what
//! is hidden. Written from the format's description in `SocialCalc` 2.3 and from what EtherCalc
//! 0.20200127 sends.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use raccord_model::Failure;

use super::{Cell, Merges, Meter, Row, Rows, TabStart, Value, serial};
use crate::error::{self, Limit, Other};
use crate::limits;

/// The most lines a sheet has in any program.
const LAST_ROW: u32 = 1_048_576;

/// Pushes the lines of a room into `rows`, as one tab called `name`.
pub(crate) fn read(
    text: &str,
    name: &str,
    meter: &mut Meter,
    rows: &mut dyn Rows,
) -> Result<(), Failure> {
    let sheet = sheet_of(text)?;
    let room = Room::read(sheet)?;
    meter.tab()?;
    let wanted = rows.tab(TabStart {
        name: name.to_owned(),
        hidden: false,
        hidden_columns: room.hidden_columns.iter().map(|&at| (at, at)).collect(),
    })?;
    if wanted {
        room.push(meter, rows)?;
    }
    rows.end()
}

/// The part that holds the sheet, of a message that is whole.
fn sheet_of(text: &str) -> Result<&str, Failure> {
    if text.trim().is_empty() {
        return Err(error::empty());
    }
    if !text.starts_with("socialcalc:") {
        return Err(error::not_a_sheet(Other::Data));
    }
    let boundary = text
        .lines()
        .take(10)
        .find_map(|line| line.split_once("boundary=").map(|(_, name)| name.trim()))
        .filter(|name| !name.is_empty())
        .ok_or_else(error::damaged)?;
    let mark = format!("--{boundary}");
    // Whatever was cut has lost its last mark.
    if !text.trim_end().ends_with(&format!("{mark}--")) {
        return Err(error::truncated());
    }
    // No cell's text begins a line: its line breaks are written otherwise. The first part after the
    // head names the others, in their order.
    let cut = format!("\n{mark}");
    let mut parts = text.split(cut.as_str()).skip(1);
    let named = parts.next().unwrap_or_default().lines();
    let mut named = named.filter_map(|line| line.strip_prefix("part:"));
    let at = named.position(|name| name.trim() == "sheet");
    at.and_then(|at| parts.nth(at)).ok_or_else(error::damaged)
}

/// What stands in a room.
#[derive(Default)]
struct Room<'t> {
    cells: BTreeMap<u32, BTreeMap<usize, Held<'t>>>,
    hidden_rows: BTreeSet<u32>,
    hidden_columns: BTreeSet<u32>,
}

/// One cell, and how many lines it covers.
struct Held<'t> {
    cell: Cell<'t>,
    lines: u32,
}

impl<'t> Room<'t> {
    fn read(sheet: &'t str) -> Result<Self, Failure> {
        let mut room = Self::default();
        for line in sheet.lines() {
            let mut parts = line.trim_end_matches('\r').split(':');
            match parts.next() {
                Some("cell") => room.cell(parts)?,
                Some("row") => {
                    let number = parts.next().and_then(|number| number.parse::<u32>().ok());
                    if hides(parts) {
                        room.hidden_rows.extend(number);
                    }
                }
                Some("col") => {
                    let column = parts.next().and_then(column);
                    if hides(parts) {
                        room.hidden_columns
                            .extend(column.and_then(|at| u32::try_from(at).ok()));
                    }
                }
                _ => {}
            }
        }
        Ok(room)
    }

    fn cell(&mut self, mut parts: std::str::Split<'t, char>) -> Result<(), Failure> {
        let Some((column, row)) = parts.next().and_then(coordinates) else {
            return Err(error::damaged());
        };
        if column >= limits::COLUMNS {
            return Err(error::too_large(Limit::Columns));
        }
        let held = held(parts)?;
        if held.cell.value == Value::Empty && held.lines <= 1 {
            return Ok(());
        }
        self.cells.entry(row).or_default().insert(column, held);
        Ok(())
    }

    fn push(self, meter: &mut Meter, rows: &mut dyn Rows) -> Result<(), Failure> {
        let mut merges = Merges::default();
        for (number, held) in self.cells {
            meter.row()?;
            let width = held.last_key_value().map_or(0, |(last, _)| last + 1);
            let mut cells: Vec<Cell<'_>> = Vec::new();
            cells.resize_with(width, Cell::default);
            for (column, held) in held {
                if held.lines > 1 {
                    let below = Cell {
                        value: held.cell.value.clone().into_owned(),
                        ..Cell::default()
                    };
                    let last = number.saturating_add(held.lines - 1);
                    merges.open(column, last, below);
                }
                cells[column] = held.cell;
            }
            merges.fill(number, &mut cells);
            rows.row(Row {
                number,
                hidden: self.hidden_rows.contains(&number),
                native: None,
                cells: &cells,
            })?;
        }
        Ok(())
    }
}

/// Whether the attributes of a line or column hide it.
fn hides<'t>(parts: impl Iterator<Item = &'t str>) -> bool {
    let parts: Vec<&str> = parts.collect();
    parts
        .chunks(2)
        .any(|pair| matches!(pair, ["hide", said] if *said == "yes"))
}

/// The value and spans among a cell's attributes.
fn held<'t>(mut parts: impl Iterator<Item = &'t str>) -> Result<Held<'t>, Failure> {
    let mut held = Held {
        cell: Cell::default(),
        lines: 1,
    };
    let mut wrong = None;
    while let Some(name) = parts.next() {
        let mut next = || parts.next().unwrap_or_default();
        match name {
            "v" => held.cell.value = number(next()),
            "t" => held.cell.value = written(next())?,
            "vt" => held.cell.value = typed(next(), next())?,
            // The value, and then what was typed or reckoned: what people see is the value.
            "vtf" | "vtc" => {
                held.cell.value = typed(next(), next())?;
                next();
            }
            "e" => wrong = Some(decoded(next()).into_owned()).filter(|text| !text.is_empty()),
            "rowspan" => held.lines = next().parse().unwrap_or(1),
            "colspan" => held.cell.wide = next().parse::<u32>().is_ok_and(|wide| wide > 1),
            "b" => (0..4).for_each(|_| {
                next();
            }),
            // Every other attribute has one value.
            _ => {
                next();
            }
        }
    }
    if let Some(wrong) = wrong {
        held.cell.value = Value::Error(wrong);
    }
    Ok(held)
}

/// A value by its type: the first letter says what it is, the rest which kind of it.
fn typed<'t>(kind: &str, text: &'t str) -> Result<Value<'t>, Failure> {
    if let Some(error) = kind.strip_prefix('e') {
        return Ok(Value::Error(decoded(error).into_owned()));
    }
    if kind.starts_with('t') {
        return written(text);
    }
    let value = number(text);
    let Value::Number(count) = value else {
        return Ok(value);
    };
    Ok(match kind {
        "nd" | "ndt" => serial(count).unwrap_or(value),
        "nt" if (0.0..=1.0).contains(&count) => Value::Minutes((count * 1440.0).round() as i64),
        "nl" => Value::Bool(count != 0.0),
        _ => value,
    })
}

fn number(text: &str) -> Value<'_> {
    match text.trim().parse::<f64>() {
        Ok(number) if number.is_finite() => Value::Number(number),
        _ if text.trim().is_empty() => Value::Empty,
        _ => Value::Text(decoded(text)),
    }
}

fn written(text: &str) -> Result<Value<'_>, Failure> {
    if text.len() > limits::CELL_BYTES {
        return Err(error::too_large(Limit::Cell));
    }
    Ok(if text.is_empty() {
        Value::Empty
    } else {
        Value::Text(decoded(text))
    })
}

/// A text as it was written: colons, line breaks and backslashes stand as two letters.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('c') => out.push(':'),
            Some('n') => out.push('\n'),
            Some('b') | None => out.push('\\'),
            Some(other) => out.extend(['\\', other]),
        }
    }
    Cow::Owned(out)
}

/// `AB12` as column 27 and line 12.
fn coordinates(name: &str) -> Option<(usize, u32)> {
    let digits = name.find(|c: char| c.is_ascii_digit())?;
    let (letters, number) = name.split_at(digits);
    let row = number
        .parse()
        .ok()
        .filter(|row| (1..=LAST_ROW).contains(row))?;
    Some((column(letters)?, row))
}

/// `AB` as 27.
fn column(letters: &str) -> Option<usize> {
    if letters.is_empty() || letters.len() > 3 {
        return None;
    }
    let count = letters.bytes().try_fold(0, |sum: usize, letter| {
        letter
            .is_ascii_uppercase()
            .then(|| sum * 26 + usize::from(letter - b'A') + 1)
    })?;
    count.checked_sub(1)
}

/// The tabs of a room of several sheets, as its list names them: the room of each, as it stands in
/// an address, and its title.
pub(crate) fn tabs(text: &str) -> Result<Vec<(String, String)>, Failure> {
    let room = Room::read(sheet_of(text)?)?;
    let mut tabs = Vec::new();
    for held in room.cells.into_values() {
        let shown = |column| match held.get(&column).map(|held| &held.cell.value) {
            Some(Value::Text(text)) => text.trim().to_owned(),
            _ => String::new(),
        };
        let (link, title) = (shown(0), shown(1));
        // The first line names the columns: `#url`, `#title`.
        if let Some(room) = link.strip_prefix('/').filter(|room| is_room(room)) {
            tabs.push((room.to_owned(), title));
        }
        if tabs.len() > limits::TABLES {
            return Err(error::too_large(Limit::Tables));
        }
    }
    Ok(tabs)
}

/// Whether a text can be the name of a room, as it stands in an address: it leads nowhere else.
fn is_room(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('.')
        && !text.contains(['/', '\\', '?', '#', ':', ' ', '\n'])
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn cells_are_named_as_spreadsheets_do() {
        assert_eq!(coordinates("A1"), Some((0, 1)));
        assert_eq!(coordinates("AB12"), Some((27, 12)));
        assert_eq!(coordinates("ZZ3"), Some((701, 3)));
        for wrong in ["", "A", "1", "a1", "A0", "A-1", "ABCD1", "A1B", "A99999999"] {
            assert_eq!(coordinates(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn texts_come_back_as_they_were_written() {
        assert_eq!(decoded("18\\c30"), "18:30");
        assert_eq!(decoded("a\\nb\\bc\\cd"), "a\nb\\c:d");
        assert_eq!(decoded("\\x \\"), "\\x \\");
    }

    #[test]
    fn a_link_to_elsewhere_is_no_tab() {
        for room in ["prog.1", "prog-2027.12", "programme%20d%27été.1"] {
            assert!(is_room(room), "{room}");
        }
        for elsewhere in [
            "",
            "/other.example/x",
            "..",
            "a/b",
            "a?b",
            "a#b",
            "https://x",
        ] {
            assert!(!is_room(elsewhere), "{elsewhere}");
        }
    }
}
