//! XLSX, by calamine, cell by cell.
//!
//! Every part was walked within limits before calamine opens the file; should it panic all the
//! same on a file made to hurt, that is a damaged workbook and nothing more.

use std::borrow::Cow;
use std::io::{Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, Reader as _, SheetType, SheetVisible, Xlsx, XlsxError};
use raccord_model::Failure;

use super::archive::Archive;
use super::xlsx_marks::{self, Marks};
use super::{Cell, Merges, Meter, Row, Rows, TabStart, Value, rounded, serial};
use crate::error::{self, Limit};
use crate::limits;

/// Pushes the workbook's lines into `rows`.
pub(crate) fn read<R: Read + Seek>(mut reader: R, rows: &mut dyn Rows) -> Result<(), Failure> {
    let marks = {
        let mut archive = Archive::open(&mut reader)?;
        xlsx_marks::read(&mut archive)?
    };
    reader
        .seek(SeekFrom::Start(0))
        .map_err(|_| error::damaged())?;
    catch_unwind(AssertUnwindSafe(|| read_with(reader, marks, rows)))
        .unwrap_or_else(|_| Err(error::damaged()))
}

fn read_with<R: Read + Seek>(
    reader: R,
    mut marks: std::collections::BTreeMap<String, Marks>,
    rows: &mut dyn Rows,
) -> Result<(), Failure> {
    let mut workbook = Xlsx::new(reader).map_err(|error| of_calamine(&error))?;
    let sheets = workbook.sheets_metadata().to_vec();
    let mut meter = Meter::default();
    for sheet in sheets {
        if sheet.typ != SheetType::WorkSheet {
            continue;
        }
        let Some(marks) = marks.remove(&sheet.name) else {
            return Err(error::damaged());
        };
        meter.tab()?;
        let wanted = rows.tab(TabStart {
            name: sheet.name.clone(),
            hidden: sheet.visible != SheetVisible::Visible,
            hidden_columns: marks.hidden_columns.clone(),
        })?;
        if wanted {
            read_sheet(&mut workbook, &sheet.name, &marks, &mut meter, rows)?;
        }
        rows.end()?;
    }
    Ok(())
}

fn read_sheet<R: Read + Seek>(
    workbook: &mut Xlsx<R>,
    name: &str,
    marks: &Marks,
    meter: &mut Meter,
    rows: &mut dyn Rows,
) -> Result<(), Failure> {
    let mut cells = workbook
        .worksheet_cells_reader(name)
        .map_err(|error| of_calamine(&error))?;
    let mut line = Line {
        marks,
        merges: Merges::default(),
        next_merge: 0,
        number: None,
        cells: Vec::new(),
    };
    let struck: Vec<bool> = cells
        .styles()
        .iter()
        .map(|style| {
            style
                .font
                .as_ref()
                .is_some_and(calamine::Font::has_strikethrough)
        })
        .collect();
    while let Some((cell, style)) = cells
        .next_cell_with_style_id()
        .map_err(|error| of_calamine(&error))?
    {
        let (row, column) = cell.get_position();
        let value = value(cell.get_value());
        let text_struck = marks
            .struck
            .get(&(row, column))
            .or_else(|| struck.get(style))
            .copied()
            .unwrap_or_default();
        if line.number != Some(row) {
            if line.number.is_some_and(|before| row < before) {
                return Err(error::damaged());
            }
            line.flush(meter, rows)?;
            line.number = Some(row);
        }
        if value.is_empty() {
            continue;
        }
        let column = column as usize;
        if column >= limits::COLUMNS {
            return Err(error::too_large(Limit::Columns));
        }
        if line.cells.len() <= column {
            line.cells.resize_with(column + 1, Cell::default);
        }
        line.cells[column] = Cell {
            value,
            struck: text_struck,
            ..Cell::default()
        };
    }
    line.flush(meter, rows)
}

/// The line being read.
struct Line<'m, 'a> {
    marks: &'m Marks,
    merges: Merges,
    /// The first merged area that does not begin above this line.
    next_merge: usize,
    /// Zero-based.
    number: Option<u32>,
    cells: Vec<Cell<'a>>,
}

impl Line<'_, '_> {
    fn flush(&mut self, meter: &mut Meter, rows: &mut dyn Rows) -> Result<(), Failure> {
        let Some(row) = self.number.take() else {
            return Ok(());
        };
        let some = self.cells.iter().any(|cell| !cell.value.is_empty());
        while let Some(&(first, left, last, right)) = self.marks.merges.get(self.next_merge)
            && first <= row
        {
            self.next_merge += 1;
            if first == row
                && let Some(cell) = self.cells.get_mut(left as usize)
            {
                cell.wide = right > left;
                if last > first {
                    let above = Cell {
                        value: std::mem::take(&mut cell.value).into_owned(),
                        ..*cell
                    };
                    cell.value = above.value.clone();
                    self.merges.open(left as usize, last + 1, above);
                }
            }
        }
        if some {
            meter.row()?;
            self.merges.fill(row + 1, &mut self.cells);
            rows.row(Row {
                number: row + 1,
                hidden: self.marks.hides(row),
                native: None,
                cells: &self.cells,
            })?;
        }
        self.cells.clear();
        Ok(())
    }
}

fn value<'a>(data: &DataRef<'a>) -> Value<'a> {
    match data {
        DataRef::Empty => Value::Empty,
        DataRef::String(text) => Value::Text(Cow::Owned(text.clone())),
        DataRef::SharedString(text) => Value::Text(Cow::Borrowed(text)),
        DataRef::Int(number) => Value::Number(*number as f64),
        DataRef::Float(number) => Value::Number(*number),
        DataRef::Bool(said) => Value::Bool(*said),
        DataRef::Error(error) => Value::Error(error.to_string()),
        DataRef::DateTime(at) => {
            let number = at.as_f64();
            if at.is_duration() || (0.0..1.0).contains(&number) {
                return Value::Minutes((number * 1440.0).round() as i64);
            }
            // `to_ymd_hms_milli` knows both epochs; the serial form knows only one.
            let (year, month, day, hour, minute, second, milli) = at.to_ymd_hms_milli();
            jiff::civil::DateTime::new(
                year as i16,
                month as i8,
                day as i8,
                hour as i8,
                minute as i8,
                second as i8,
                i32::from(milli) * 1_000_000,
            )
            .ok()
            .map(rounded)
            .map_or_else(
                || serial(number).unwrap_or(Value::Number(number)),
                |at| {
                    if at.time() == jiff::civil::Time::midnight() {
                        Value::Date(at.date())
                    } else {
                        Value::DateTime(at)
                    }
                },
            )
        }
        DataRef::DateTimeIso(text) => {
            super::ods::date_value(text).unwrap_or_else(|| Value::Text(Cow::Owned(text.clone())))
        }
        DataRef::DurationIso(text) => {
            super::ods::time_value(text).unwrap_or_else(|| Value::Text(Cow::Owned(text.clone())))
        }
    }
}

fn of_calamine(error: &XlsxError) -> Failure {
    match error {
        XlsxError::Password => error::encrypted(),
        _ => error::damaged(),
    }
}
