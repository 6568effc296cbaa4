//! ODS, in one pass over `content.xml`: values, strikethrough, merges, hidden lines and columns
//! together, so that they cannot disagree on where a line is.
//!
//! Repeated lines and cells are counted, not written out: a small file cannot become a large one.
//! (calamine reads values only, and expands repeats; the tests compare this pass with it.)

use std::borrow::Cow;
use std::io::{Read, Seek};

use jiff::civil::{Date, DateTime};
use quick_xml::events::{BytesStart, Event};
use raccord_model::Failure;

use super::archive::{Archive, qualified, reference};
use super::ods_styles::Styles;
use super::{Cell, Merges, Meter, Row, Rows, TabStart, Value, rounded};
use crate::error::{self, Limit};
use crate::limits;

/// The most lines a sheet has in any program.
const LAST_ROW: u32 = 1_048_576;

/// Pushes the document's lines into `rows`.
pub(crate) fn read<R: Read + Seek>(
    archive: &mut Archive<R>,
    rows: &mut dyn Rows,
) -> Result<(), Failure> {
    if let Some(manifest) = archive.find("META-INF/manifest.xml") {
        let mut encrypted = false;
        archive.events(&manifest, |event| {
            if let Event::Start(tag) | Event::Empty(tag) = event {
                encrypted |= tag.local_name().as_ref() == "encryption-data";
            }
            Ok(!encrypted)
        })?;
        if encrypted {
            return Err(error::encrypted());
        }
    }
    let mut styles = Styles::default();
    if let Some(path) = archive.find("styles.xml") {
        archive.events(&path, |event| {
            styles.event(event);
            Ok(true)
        })?;
    }
    let mut document = Document {
        styles,
        rows,
        meter: Meter::default(),
        body: false,
        seen: false,
        skip: 0,
        tab: None,
        row: None,
        cell: None,
    };
    archive.events("content.xml", |event| document.event(event))?;
    if document.seen {
        Ok(())
    } else {
        Err(error::damaged())
    }
}

struct Document<'r> {
    styles: Styles,
    rows: &'r mut dyn Rows,
    meter: Meter,
    /// Inside `office:spreadsheet`.
    body: bool,
    seen: bool,
    /// Depth inside something that is not the sheet: a comment, a drawing, tracked changes.
    skip: u32,
    tab: Option<Tab>,
    row: Option<OpenRow>,
    cell: Option<OpenCell>,
}

/// The tab being read.
struct Tab {
    start: Option<TabStart>,
    wanted: bool,
    /// The number of the next line, zero-based.
    next: u32,
    next_column: u32,
    /// Default styles of columns: last column, struck.
    struck_columns: Vec<(u32, u32)>,
    merges: Merges,
    /// Depth of row groups that are folded away.
    folded: u32,
}

struct OpenRow {
    repeated: u32,
    hidden: bool,
    struck: bool,
    column: usize,
    cells: Vec<Cell<'static>>,
    /// Cells merged downwards: column, lines below, and the cell.
    spans: Vec<(usize, u32)>,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "independent marks of one cell"
)]
struct OpenCell {
    covered: bool,
    repeated: u32,
    rows_spanned: u32,
    wide: bool,
    struck: bool,
    typed: Option<Value<'static>>,
    error: bool,
    text: String,
    paragraphs: u32,
    /// Struck, not, or not said, for each open `text:span`.
    spans: Vec<Option<bool>>,
    plain: bool,
    crossed: bool,
    in_paragraph: bool,
}

impl Document<'_> {
    fn event(&mut self, event: &Event<'_>) -> Result<bool, Failure> {
        if !self.body {
            if let Event::Start(tag) = event
                && tag.name().as_ref() == "office:spreadsheet"
            {
                self.body = true;
                self.seen = true;
            } else {
                self.styles.event(event);
            }
            return Ok(true);
        }
        if self.skip > 0 {
            match event {
                Event::Start(_) => self.skip += 1,
                Event::End(_) => self.skip -= 1,
                _ => {}
            }
            return Ok(true);
        }
        match event {
            Event::Start(tag) => self.start(tag)?,
            Event::Empty(tag) => {
                self.start(tag)?;
                if self.skip > 0 {
                    self.skip -= 1;
                } else {
                    self.end(tag.name().as_ref())?;
                }
            }
            Event::End(tag) => {
                if tag.name().as_ref() == "office:spreadsheet" {
                    return Ok(false);
                }
                self.end(tag.name().as_ref())?;
            }
            Event::Text(text) => self.text(&text.xml10_content())?,
            Event::CData(text) => self.text(&text.xml10_content())?,
            Event::GeneralRef(named) => {
                if let Some(c) = reference(named) {
                    self.text(c.encode_utf8(&mut [0; 4]))?;
                }
            }
            _ => {}
        }
        Ok(true)
    }

    fn start(&mut self, tag: &BytesStart<'_>) -> Result<(), Failure> {
        match tag.name().as_ref() {
            "table:table" if self.tab.is_none() => {
                self.meter.tab()?;
                let style_hidden = qualified(tag, "table:display").is_some_and(|d| d == "false");
                self.tab = Some(Tab {
                    start: Some(TabStart {
                        name: qualified(tag, "table:name").unwrap_or_default(),
                        // LibreOffice hides a tab by its style; the direct attribute is older.
                        hidden: style_hidden
                            || qualified(tag, "table:style-name")
                                .is_some_and(|s| self.styles.hides_table(&s)),
                        hidden_columns: Vec::new(),
                    }),
                    wanted: false,
                    next: 0,
                    next_column: 0,
                    struck_columns: Vec::new(),
                    merges: Merges::default(),
                    folded: 0,
                });
            }
            "table:table-column" => {
                if let Some(tab) = &mut self.tab {
                    let repeated = count(tag, "table:number-columns-repeated");
                    let first = tab.next_column;
                    tab.next_column = first.saturating_add(repeated);
                    let last = tab.next_column - 1;
                    if qualified(tag, "table:visibility").is_some_and(|v| v == "collapse")
                        && let Some(start) = &mut tab.start
                        && start.hidden_columns.len() < limits::COLUMNS
                    {
                        start.hidden_columns.push((first, last));
                    }
                    if qualified(tag, "table:default-cell-style-name")
                        .is_some_and(|s| self.styles.strikes(&s))
                        && tab.struck_columns.len() < limits::COLUMNS
                    {
                        tab.struck_columns.push((first, last));
                    }
                }
            }
            "table:table-row-group" => {
                if let Some(tab) = &mut self.tab {
                    let folded = qualified(tag, "table:display").is_some_and(|d| d == "false");
                    if folded || tab.folded > 0 {
                        tab.folded += 1;
                    }
                }
            }
            "table:table-row" => self.start_row(tag)?,
            "table:table-cell" | "table:covered-table-cell" => self.start_cell(tag),
            "text:p" | "text:h" => {
                if let Some(cell) = &mut self.cell {
                    if cell.paragraphs > 0 {
                        cell.text.push('\n');
                    }
                    cell.paragraphs += 1;
                    cell.in_paragraph = true;
                }
            }
            "text:span" => {
                let said =
                    qualified(tag, "text:style-name").and_then(|style| self.styles.says(&style));
                if let Some(cell) = &mut self.cell {
                    let outer = cell.spans.last().copied().flatten();
                    cell.spans.push(said.or(outer));
                }
            }
            "text:s" => {
                let spaces = count(tag, "text:c").min(100);
                self.text(&" ".repeat(spaces as usize))?;
            }
            "text:tab" => self.text("\t")?,
            "text:line-break" => self.text("\n")?,
            "text:a"
            | "table:table-row-groups"
            | "table:table-rows"
            | "table:table-header-rows"
            | "table:table-columns"
            | "table:table-header-columns"
            | "table:table-column-group"
            | "text:author-name"
            | "text:date"
            | "text:time"
            | "text:sheet-name"
            | "text:title" => {}
            // Comments, drawings, forms, tracked changes, nested tables: not the sheet's cells.
            _ => self.skip = 1,
        }
        Ok(())
    }

    fn start_row(&mut self, tag: &BytesStart<'_>) -> Result<(), Failure> {
        let Some(tab) = &mut self.tab else {
            return Ok(());
        };
        if let Some(start) = tab.start.take() {
            tab.wanted = self.rows.tab(start)?;
        }
        self.row = Some(OpenRow {
            repeated: count(tag, "table:number-rows-repeated"),
            // "filter" is a way of looking, not a decision.
            hidden: tab.folded > 0
                || qualified(tag, "table:visibility").is_some_and(|v| v == "collapse"),
            struck: qualified(tag, "table:default-cell-style-name")
                .is_some_and(|s| self.styles.strikes(&s)),
            column: 0,
            cells: Vec::new(),
            spans: Vec::new(),
        });
        Ok(())
    }

    fn start_cell(&mut self, tag: &BytesStart<'_>) {
        let (Some(tab), Some(row)) = (&self.tab, &self.row) else {
            return;
        };
        let column = row.column as u32;
        let struck = match qualified(tag, "table:style-name") {
            Some(style) => self.styles.strikes(&style),
            None => {
                row.struck
                    || tab
                        .struck_columns
                        .iter()
                        .any(|(first, last)| (*first..=*last).contains(&column))
            }
        };
        let kind = qualified(tag, "office:value-type").unwrap_or_default();
        let attribute = |name| qualified(tag, name);
        let typed = match kind.as_str() {
            "float" | "percentage" | "currency" => attribute("office:value")
                .and_then(|value| value.parse().ok())
                .filter(|number: &f64| number.is_finite())
                .map(Value::Number),
            "date" => attribute("office:date-value").and_then(|value| date_value(&value)),
            "time" => attribute("office:time-value").and_then(|value| time_value(&value)),
            "boolean" => {
                attribute("office:boolean-value").map(|value| Value::Bool(value == "true"))
            }
            _ => attribute("office:string-value")
                .filter(|text| text.len() <= limits::CELL_BYTES)
                .map(|text| Value::Text(Cow::Owned(text))),
        };
        self.cell = Some(OpenCell {
            covered: tag.name().as_ref() == "table:covered-table-cell",
            repeated: count(tag, "table:number-columns-repeated"),
            rows_spanned: count(tag, "table:number-rows-spanned"),
            wide: count(tag, "table:number-columns-spanned") > 1,
            struck,
            typed,
            error: attribute("calcext:value-type").is_some_and(|kind| kind == "error"),
            text: String::new(),
            paragraphs: 0,
            spans: Vec::new(),
            plain: false,
            crossed: false,
            in_paragraph: false,
        });
    }

    fn text(&mut self, text: &str) -> Result<(), Failure> {
        let Some(cell) = &mut self.cell else {
            return Ok(());
        };
        if !cell.in_paragraph {
            return Ok(());
        }
        if cell.text.len() + text.len() > limits::CELL_BYTES {
            return Err(error::too_large(Limit::Cell));
        }
        if !text.trim().is_empty() {
            if cell.spans.last().copied().flatten().unwrap_or(cell.struck) {
                cell.crossed = true;
            } else {
                cell.plain = true;
            }
        }
        cell.text.push_str(text);
        Ok(())
    }

    fn end(&mut self, name: &str) -> Result<(), Failure> {
        match name {
            "text:p" | "text:h" => {
                if let Some(cell) = &mut self.cell {
                    cell.in_paragraph = false;
                }
            }
            "text:span" => {
                if let Some(cell) = &mut self.cell {
                    cell.spans.pop();
                }
            }
            "table:table-cell" | "table:covered-table-cell" => self.end_cell()?,
            "table:table-row" => self.end_row()?,
            "table:table-row-group" => {
                if let Some(tab) = &mut self.tab {
                    tab.folded = tab.folded.saturating_sub(1);
                }
            }
            "table:table" => {
                if let Some(mut tab) = self.tab.take() {
                    if let Some(start) = tab.start.take() {
                        self.rows.tab(start)?;
                    }
                    self.rows.end()?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn end_cell(&mut self) -> Result<(), Failure> {
        let (Some(cell), Some(row)) = (self.cell.take(), &mut self.row) else {
            return Ok(());
        };
        let value = if cell.covered {
            Value::Empty
        } else if cell.error {
            Value::Error(cell.text)
        } else {
            match cell.typed {
                Some(value) => value,
                None if cell.text.is_empty() => Value::Empty,
                None => Value::Text(Cow::Owned(cell.text)),
            }
        };
        let repeated = cell.repeated as usize;
        if !value.is_empty() {
            if row.column + repeated > limits::COLUMNS {
                return Err(error::too_large(Limit::Columns));
            }
            row.cells.resize_with(row.column, Cell::default);
            let filled = Cell {
                value,
                struck: !cell.plain && (cell.crossed || cell.struck),
                inherited: false,
                wide: cell.wide,
            };
            if cell.rows_spanned > 1 {
                row.spans.push((row.column, cell.rows_spanned));
            }
            row.cells.resize(row.column + repeated, filled);
        }
        row.column = row.column.saturating_add(repeated);
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Failure> {
        let (Some(tab), Some(mut row)) = (&mut self.tab, self.row.take()) else {
            return Ok(());
        };
        let first = tab.next;
        tab.next = tab.next.saturating_add(row.repeated);
        if row.cells.iter().all(|cell| cell.value.is_empty()) || !tab.wanted {
            return Ok(());
        }
        if tab.next > LAST_ROW {
            return Err(error::too_large(Limit::Rows));
        }
        for (column, lines) in &row.spans {
            if let Some(cell) = row.cells.get(*column) {
                tab.merges
                    .open(*column, first.saturating_add(*lines), cell.clone());
            }
        }
        for number in first..tab.next {
            self.meter.row()?;
            tab.merges.fill(number + 1, &mut row.cells);
            self.rows.row(Row {
                number: number + 1,
                hidden: row.hidden,
                native: None,
                cells: &row.cells,
            })?;
        }
        Ok(())
    }
}

/// A count attribute: at least 1.
fn count(tag: &BytesStart<'_>, name: &str) -> u32 {
    qualified(tag, name)
        .and_then(|value| value.parse().ok())
        .unwrap_or(1)
        .max(1)
}

/// `2027-01-06`, `2027-01-23T09:30:00.5`
pub(crate) fn date_value(text: &str) -> Option<Value<'static>> {
    if let Ok(date) = text.parse::<Date>()
        && !text.contains('T')
    {
        return Some(Value::Date(date));
    }
    let at = rounded(text.parse::<DateTime>().ok()?);
    Some(if at.time() == jiff::civil::Time::midnight() {
        Value::Date(at.date())
    } else {
        Value::DateTime(at)
    })
}

/// `PT18H30M00S`, with fractions of seconds, rounded to the minute.
pub(crate) fn time_value(text: &str) -> Option<Value<'static>> {
    let mut rest = text.strip_prefix("PT")?;
    let mut seconds = 0.0;
    for (unit, factor) in [('H', 3600.0), ('M', 60.0), ('S', 1.0)] {
        if let Some((number, after)) = rest.split_once(unit) {
            let number: f64 = number.replace(',', ".").parse().ok()?;
            if !(0.0..1e8).contains(&number) {
                return None;
            }
            seconds += number * factor;
            rest = after;
        }
    }
    rest.is_empty()
        .then_some(Value::Minutes((seconds / 60.0).round() as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_moments_are_rounded_to_the_minute() {
        assert_eq!(time_value("PT18H30M00S"), Some(Value::Minutes(1110)));
        assert_eq!(time_value("PT18H29M59.999999S"), Some(Value::Minutes(1110)));
        assert_eq!(time_value("PT25H30M00S"), Some(Value::Minutes(1530)));
        assert_eq!(time_value("PT-1H"), None);
        assert_eq!(time_value("18:30"), None);
        let date = jiff::civil::date(2027, 1, 23);
        assert_eq!(date_value("2027-01-23"), Some(Value::Date(date)));
        assert_eq!(date_value("2027-01-23T00:00:00"), Some(Value::Date(date)));
        assert_eq!(
            date_value("2027-01-23T09:29:59.9999"),
            Some(Value::DateTime(date.at(9, 30, 0, 0)))
        );
        assert_eq!(date_value("demain"), None);
    }
}
