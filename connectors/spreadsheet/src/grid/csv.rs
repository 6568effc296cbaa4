//! CSV with any of the usual separators, streamed.
//!
//! Line numbers are those a spreadsheet program shows: a quoted line break does not count, an
//! empty line does. A short line is short; it never shifts columns.

use std::borrow::Cow;
use std::io::{Read, Seek, SeekFrom};

use ::csv::{ByteRecord, Reader, ReaderBuilder, Terminator};
use raccord_model::Failure;

use super::{Cell, Meter, Row, Rows, TabStart, Value};
use crate::decode::{Look, Utf8Reader};
use crate::error::{self, Limit};
use crate::limits;

/// How much of the text is looked at to choose the separator.
const SAMPLE: u64 = 64 * 1024;

/// How many headings of a line are known.
pub(crate) type Known<'k> = &'k dyn Fn(&[(u16, &str)]) -> usize;

/// Pushes the lines into `rows`, as one tab called `name`.
pub(crate) fn read<R: Read + Seek>(
    reader: &mut R,
    name: &str,
    look: &Look,
    known: Known<'_>,
    rows: &mut dyn Rows,
) -> Result<(), Failure> {
    if look.cut {
        return Err(error::truncated());
    }
    let rewind = |reader: &mut R| {
        reader
            .seek(SeekFrom::Start(0))
            .map_err(|error| error::disk(name, &error))
    };
    rewind(reader)?;
    let mut sample = Vec::new();
    Utf8Reader::new(&mut *reader, look.encoding)
        .take(SAMPLE)
        .read_to_end(&mut sample)
        .map_err(|error| error::disk(name, &error))?;
    let (separator, declared) = separator(&sample, known);
    rewind(reader)?;

    let mut meter = Meter::default();
    meter.tab()?;
    rows.tab(TabStart {
        name: name.to_owned(),
        ..TabStart::default()
    })?;
    let mut lines = Lines::new(Utf8Reader::new(&mut *reader, look.encoding), separator);
    let mut widths = Widths::default();
    let mut skip_first = declared;
    while let Some(number) = lines.next(name)? {
        if std::mem::take(&mut skip_first) {
            continue;
        }
        let record = &lines.record;
        if record.iter().all(<[u8]>::is_empty) {
            continue;
        }
        meter.row()?;
        let mut cells: Vec<Cell<'_>> = Vec::with_capacity(record.len());
        for (column, field) in record.iter().enumerate() {
            if field.len() > limits::CELL_BYTES {
                return Err(error::too_large(Limit::Cell));
            }
            // The reader below hands out UTF-8 only; a separator never splits a character.
            let text = std::str::from_utf8(field).unwrap_or_default();
            let value = if text.is_empty() {
                Value::Empty
            } else if column >= limits::COLUMNS {
                return Err(error::too_large(Limit::Columns));
            } else {
                Value::Text(Cow::Borrowed(text))
            };
            if column < limits::COLUMNS {
                cells.push(Cell {
                    value,
                    ..Cell::default()
                });
            }
        }
        widths.add(record, lines.breaks);
        rows.row(Row {
            number,
            hidden: false,
            native: None,
            cells: &cells,
        })?;
    }
    if widths.cut(look) {
        return Err(error::truncated());
    }
    rows.end()
}

struct Lines<R> {
    reader: Reader<R>,
    record: ByteRecord,
    number: u32,
    /// Line breaks inside the cells of the last line.
    breaks: u64,
}

impl<R: Read> Lines<R> {
    fn new(reader: R, separator: u8) -> Self {
        Self {
            reader: ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .delimiter(separator)
                .terminator(Terminator::Any(b'\n'))
                .buffer_capacity(64 * 1024)
                .from_reader(reader),
            record: ByteRecord::new(),
            number: 0,
            breaks: 0,
        }
    }

    /// Reads the next line; its number as a spreadsheet program shows it.
    fn next(&mut self, name: &str) -> Result<Option<u32>, Failure> {
        let more = self
            .reader
            .read_byte_record(&mut self.record)
            .map_err(|error| match error.into_kind() {
                ::csv::ErrorKind::Io(error) => error::disk(name, &error),
                _ => error::damaged(),
            })?;
        if !more {
            return Ok(None);
        }
        let before = self.record.position().map_or(0, ::csv::Position::line);
        let consumed = self.reader.position().line().saturating_sub(before);
        // No line break was taken but the one that ends it: none is inside.
        let inside = if consumed <= 1 {
            0
        } else {
            self.record
                .iter()
                .map(|field| field.split(|b| *b == b'\n').count() as u64 - 1)
                .sum()
        };
        self.breaks = inside;
        let empty = consumed.saturating_sub(inside + 1);
        self.number = self
            .number
            .saturating_add(1)
            .saturating_add(u32::try_from(empty).unwrap_or(u32::MAX));
        Ok(Some(self.number))
    }
}

/// How wide the lines are: a file that was cut shows in its last one.
#[derive(Debug, Default)]
struct Widths {
    lines: u32,
    /// The width all lines but the last share, while they do.
    same: Option<usize>,
    differ: bool,
    last: usize,
    last_has_breaks: bool,
}

impl Widths {
    fn add(&mut self, record: &ByteRecord, breaks: u64) {
        if self.lines > 0 {
            match self.same {
                None => self.same = Some(self.last),
                Some(width) if width != self.last => self.differ = true,
                Some(_) => {}
            }
        }
        self.lines += 1;
        self.last = record.len();
        self.last_has_breaks = breaks > 0;
    }

    /// Whether the text stops in the middle of its last line: an open quotation, or one short line
    /// without a line break after lines that are all as wide as each other.
    fn cut(&self, look: &Look) -> bool {
        let short =
            !self.differ && self.lines > 2 && self.same.is_some_and(|width| self.last < width);
        !look.ended && short || look.odd_quotes && (!look.ended || self.last_has_breaks)
    }
}

/// The separator: as declared (`sep=;`), else the one under which a header is best recognised,
/// else the most frequent one of the first lines. Also whether it was declared.
fn separator(sample: &[u8], known: Known<'_>) -> (u8, bool) {
    let first = sample.split(|b| *b == b'\n').next().unwrap_or_default();
    let first = first.strip_suffix(b"\r").unwrap_or(first);
    if let [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', separator] = *first
        && (separator.is_ascii_punctuation() || separator == b'\t')
    {
        return (separator, true);
    }
    let mut best = (0, 0, b',');
    for separator in [b',', b';', b'\t', b'|'] {
        let mut lines = Lines::new(sample, separator);
        let mut most = 0;
        while most == 0
            && let Ok(Some(_)) = lines.next("")
        {
            let cells = lines
                .record
                .iter()
                .enumerate()
                .filter_map(|(column, field)| {
                    Some((
                        u16::try_from(column).ok()?,
                        std::str::from_utf8(field).ok()?,
                    ))
                });
            most = known(&cells.collect::<Vec<_>>());
        }
        let frequent = sample.split(|b| *b == separator).count();
        best = best.max((most, frequent, separator));
    }
    (best.2, false)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::header::{self, Chosen};

    fn numbers(text: &str) -> Vec<(u32, usize)> {
        let mut lines = Lines::new(Utf8Reader::new(text.as_bytes(), encoding_rs::UTF_8), b',');
        let mut out = Vec::new();
        while let Some(number) = lines.next("").unwrap() {
            out.push((number, lines.record.len()));
        }
        out
    }

    #[test]
    fn lines_are_numbered_as_spreadsheet_programs_do() {
        assert_eq!(numbers("a,b\n1,2\n3,4\n"), [(1, 2), (2, 2), (3, 2)]);
        assert_eq!(numbers("a,b\n\n\n1,2\n"), [(1, 2), (4, 2)]);
        assert_eq!(numbers("a,b\n\"x\ny\",2\n3,4"), [(1, 2), (2, 2), (3, 2)]);
        assert_eq!(numbers("a,b\r1,2\r\r3,4"), [(1, 2), (2, 2), (4, 2)]);
        assert_eq!(
            numbers("\r\na,b\r\n\"x\r\ny\",2\r\n\r\n3,4\r\n"),
            [(2, 2), (3, 2), (5, 2)]
        );
    }

    #[test]
    fn the_separator_is_the_one_that_makes_a_header() {
        let known = |cells: &[(u16, &str)]| header::known(cells, &Chosen::default());
        let of = |text: &str| separator(text.as_bytes(), &known);
        assert_eq!(of("Date,Titre\n2027-01-02,a;b;c;d;e;f\n").0, b',');
        assert_eq!(
            of("Programme, janvier, 2027\nDate;Titre;Crédits\n02/01/2027;x;1,5\n").0,
            b';'
        );
        assert_eq!(of("Date\tTitre\n").0, b'\t');
        assert_eq!(of("sep=|\nDate|Titre\n"), (b'|', true));
        assert_eq!(of("a;b;c\n").0, b';');
    }
}
