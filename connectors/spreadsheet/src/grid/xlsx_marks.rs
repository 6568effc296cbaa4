//! What calamine does not tell of an XLSX: hidden lines and columns, filters, merges, text struck
//! through inside a cell. Also the first look at each part, before calamine holds any of it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

use quick_xml::events::{BytesStart, Event};
use raccord_model::Failure;

use super::archive::{Archive, attribute};
use crate::error::{self, Limit};
use crate::limits;

/// The most bytes of shared texts; calamine holds them all.
const SHARED: u64 = 128 * 1024 * 1024;
/// The most merged areas in a tab.
const MERGES: usize = 100_000;

/// An area of cells, zero-based and inclusive: first line, first column, last line, last column.
pub(crate) type Area = (u32, u32, u32, u32);

/// What people see of a tab besides its values.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    pub(crate) hidden_columns: Vec<(u32, u32)>,
    /// Zero-based.
    hidden_rows: BTreeSet<u32>,
    /// The lines a filter that is switched on may hide.
    filter: Option<(u32, u32)>,
    pub(crate) merges: Vec<Area>,
    /// Cells whose text says for itself whether it is struck through, over the cell's style.
    pub(crate) struck: BTreeMap<(u32, u32), bool>,
}

impl Marks {
    /// Whether a person hid this line. A filter is a way of looking, not a decision.
    pub(crate) fn hides(&self, row: u32) -> bool {
        self.hidden_rows.contains(&row)
            && !self
                .filter
                .is_some_and(|(first, last)| (first..=last).contains(&row))
    }
}

/// The marks of every tab, by name.
pub(crate) fn read<R: Read + Seek>(
    archive: &mut Archive<R>,
) -> Result<BTreeMap<String, Marks>, Failure> {
    let workbook = workbook_path(archive)?;
    let folder = workbook
        .rsplit_once('/')
        .map_or("", |(folder, _)| folder)
        .to_owned();
    let file = workbook
        .rsplit_once('/')
        .map_or(workbook.as_str(), |(_, file)| file);
    let targets = relations(archive, &format!("{folder}/_rels/{file}.rels"))?;

    let mut sheets = Vec::new();
    archive.events(&workbook, |event| {
        if let Event::Start(tag) | Event::Empty(tag) = event
            && tag.local_name().as_ref() == "sheet"
            && let (Some(name), Some(id)) = (attribute(tag, "name"), attribute(tag, "id"))
        {
            sheets.push((name, id));
        }
        if sheets.len() > limits::TABS {
            return Err(error::too_large(Limit::Tabs));
        }
        Ok(true)
    })?;

    let in_folder = |target: &str| {
        if target.starts_with('/') {
            target.to_owned()
        } else {
            format!("{folder}/{target}")
        }
    };
    let mut struck_texts = BTreeMap::new();
    for (kind, target) in targets.values() {
        match kind.as_str() {
            "sharedStrings" => {
                if let Some(path) = archive.find(&in_folder(target)) {
                    struck_texts = shared_struck(archive, &path)?;
                }
            }
            "styles" => {
                if let Some(path) = archive.find(&in_folder(target)) {
                    archive.vet(&path, SHARED)?;
                }
            }
            _ => {}
        }
    }

    let mut all = BTreeMap::new();
    let mut rows = 0;
    for (name, id) in sheets {
        let Some((kind, target)) = targets.get(&id) else {
            continue;
        };
        if kind != "worksheet" {
            continue;
        }
        let path = archive
            .find(&in_folder(target))
            .ok_or_else(error::damaged)?;
        all.insert(name, sheet(archive, &path, &struck_texts, &mut rows)?);
    }
    Ok(all)
}

fn workbook_path<R: Read + Seek>(archive: &mut Archive<R>) -> Result<String, Failure> {
    let mut named = None;
    if let Some(rels) = archive.find("_rels/.rels") {
        archive.events(&rels, |event| {
            if let Event::Start(tag) | Event::Empty(tag) = event
                && attribute(tag, "Type").is_some_and(|kind| kind.ends_with("/officeDocument"))
            {
                named = attribute(tag, "Target");
            }
            Ok(true)
        })?;
    }
    archive
        .find(named.as_deref().unwrap_or("xl/workbook.xml"))
        .ok_or_else(error::damaged)
}

/// Relation id to its kind (the last word of its type) and target.
fn relations<R: Read + Seek>(
    archive: &mut Archive<R>,
    name: &str,
) -> Result<BTreeMap<String, (String, String)>, Failure> {
    let path = archive.find(name).ok_or_else(error::damaged)?;
    let mut out = BTreeMap::new();
    archive.events(&path, |event| {
        if let Event::Start(tag) | Event::Empty(tag) = event
            && let (Some(id), Some(kind), Some(target)) = (
                attribute(tag, "Id"),
                attribute(tag, "Type"),
                attribute(tag, "Target"),
            )
            && out.len() < limits::PARTS
        {
            let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
            out.insert(id, (kind, target));
        }
        Ok(true)
    })?;
    Ok(out)
}

/// Whether a text is struck through from its first character to its last.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent marks of one text"
)]
struct Crossing {
    /// The run being read is struck through.
    run: bool,
    /// The run says how it looks; one that does not looks like its cell.
    styled: bool,
    /// Some run is, some run is not, some run does not say.
    some: bool,
    other: bool,
    unsaid: bool,
    /// Inside the text of a run.
    text: bool,
}

impl Crossing {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(tag) | Event::Empty(tag) => match tag.local_name().as_ref() {
                "r" => (self.run, self.styled) = (false, false),
                "rPr" => self.styled = true,
                "strike" | "dstrike" => {
                    self.run = attribute(tag, "val").is_none_or(|v| v != "0" && v != "false");
                }
                "t" => self.text = true,
                _ => {}
            },
            Event::Text(content) if self.text && !content.trim().is_empty() => {
                self.some |= self.run;
                self.other |= self.styled && !self.run;
                self.unsaid |= !self.styled;
            }
            Event::End(tag) => match tag.local_name().as_ref() {
                "t" => self.text = false,
                "r" => self.run = false,
                _ => {}
            },
            _ => {}
        }
    }

    /// Whether all of it is, where the text says so itself.
    fn whole(&self) -> Option<bool> {
        if self.other {
            Some(false)
        } else {
            (self.some && !self.unsaid).then_some(true)
        }
    }
}

/// The shared texts that say for themselves whether they are struck through, by number.
fn shared_struck<R: Read + Seek>(
    archive: &mut Archive<R>,
    path: &str,
) -> Result<BTreeMap<u32, bool>, Failure> {
    let mut struck = BTreeMap::new();
    let (mut number, mut size) = (0_u32, 0_u64);
    let mut crossing = Crossing::default();
    archive.events(path, |event| {
        match event {
            Event::Start(tag) | Event::Empty(tag) if tag.local_name().as_ref() == "si" => {
                crossing = Crossing::default();
            }
            Event::Text(content) => {
                size += content.len() as u64;
                if size > SHARED {
                    return Err(error::too_large(Limit::Unpacked));
                }
            }
            Event::End(tag) if tag.local_name().as_ref() == "si" => {
                if let Some(whole) = crossing.whole() {
                    struck.insert(number, whole);
                }
                number = number.saturating_add(1);
            }
            _ => {}
        }
        crossing.event(event);
        Ok(true)
    })?;
    Ok(struck)
}

fn sheet<R: Read + Seek>(
    archive: &mut Archive<R>,
    path: &str,
    struck_texts: &BTreeMap<u32, bool>,
    rows: &mut u32,
) -> Result<Marks, Failure> {
    let mut marks = Marks::default();
    let mut row = 0_u32;
    let mut shared: Option<(u32, u32)> = None;
    let mut value = false;
    let mut filter = None;
    let mut filled = false;
    // A text that stands in its cell instead of among the shared ones.
    let mut at = None;
    let mut inline: Option<Crossing> = None;
    archive.events(path, |event| {
        if let Some(crossing) = &mut inline {
            crossing.event(event);
        }
        match event {
            Event::Start(tag) | Event::Empty(tag) => match tag.local_name().as_ref() {
                "col" => hidden_column(tag, &mut marks),
                "row" => {
                    if let Some(number) = attribute(tag, "r") {
                        row = number
                            .parse()
                            .ok()
                            .filter(|row| (1..=1_048_576).contains(row))
                            .ok_or_else(error::damaged)?;
                    } else {
                        row += 1;
                    }
                    filled = false;
                    if on(tag, "hidden") {
                        marks.hidden_rows.insert(row - 1);
                    }
                }
                "c" => {
                    shared = None;
                    at = None;
                    if let Some(named) = attribute(tag, "r") {
                        let (line, column) = cell(&named).ok_or_else(error::damaged)?;
                        at = Some((line, column));
                        if attribute(tag, "t").as_deref() == Some("s") && !struck_texts.is_empty() {
                            shared = Some((line, column));
                        }
                    }
                }
                "v" | "is" => {
                    value = true;
                    if tag.local_name().as_ref() == "is" {
                        inline = Some(Crossing::default());
                    }
                    if !filled {
                        filled = true;
                        *rows += 1;
                        if *rows > limits::ROWS {
                            return Err(error::too_large(Limit::Rows));
                        }
                    }
                }
                "mergeCell" => {
                    if let Some(area) = attribute(tag, "ref").as_deref().and_then(area)
                        && marks.merges.len() < MERGES
                    {
                        marks.merges.push(area);
                    }
                }
                "autoFilter" => {
                    filter = attribute(tag, "ref")
                        .as_deref()
                        .and_then(area)
                        .map(|area| (area.0, area.2));
                }
                "filterColumn" => marks.filter = filter,
                _ => {}
            },
            Event::Text(content) if value => {
                if let Some(at) = shared
                    && let Ok(number) = content.trim().parse::<u32>()
                    && let Some(whole) = struck_texts.get(&number)
                {
                    marks.struck.insert(at, *whole);
                }
            }
            Event::End(tag) if matches!(tag.local_name().as_ref(), "v" | "is") => {
                value = false;
                if let (Some(at), Some(whole)) = (at, inline.take().and_then(|text| text.whole())) {
                    marks.struck.insert(at, whole);
                }
            }
            _ => {}
        }
        Ok(true)
    })?;
    marks.merges.sort_unstable();
    Ok(marks)
}

fn hidden_column(tag: &BytesStart<'_>, marks: &mut Marks) {
    let number = |name| attribute(tag, name).and_then(|value| value.parse::<u32>().ok());
    if on(tag, "hidden")
        && let (Some(first), Some(last)) = (number("min"), number("max"))
        && first > 0
        && marks.hidden_columns.len() < limits::COLUMNS
    {
        marks
            .hidden_columns
            .push((first - 1, last.saturating_sub(1)));
    }
}

fn on(tag: &BytesStart<'_>, name: &str) -> bool {
    attribute(tag, name).is_some_and(|value| value == "1" || value == "true")
}

fn area(text: &str) -> Option<Area> {
    let (first, last) = text.split_once(':').unwrap_or((text, text));
    let ((r1, c1), (r2, c2)) = (cell(first)?, cell(last)?);
    (r1 <= r2 && c1 <= c2).then_some((r1, c1, r2, c2))
}

/// `B12` as zero-based line and column, within what the format allows.
fn cell(text: &str) -> Option<(u32, u32)> {
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    if !(1..=3).contains(&letters) || text.len() > 10 {
        return None;
    }
    let column = text[..letters].bytes().fold(0_u32, |sum, b| {
        sum * 26 + u32::from(b.to_ascii_uppercase() - b'A') + 1
    });
    let row: u32 = text[letters..].parse().ok()?;
    ((1..=1_048_576).contains(&row) && column <= 16_384).then(|| (row - 1, column - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cell_names_are_bounded() {
        assert_eq!(cell("A1"), Some((0, 0)));
        assert_eq!(cell("XFD1048576"), Some((1_048_575, 16_383)));
        for wrong in [
            "",
            "A",
            "1",
            "A0",
            "XFE1",
            "ZZZZZZZ1",
            "A1048577",
            "A99999999999",
            "É1",
        ] {
            assert_eq!(cell(wrong), None, "{wrong}");
        }
        assert_eq!(area("A1:B2"), Some((0, 0, 1, 1)));
        assert_eq!(area("B2:A1"), None);
    }
}
