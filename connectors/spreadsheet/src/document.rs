//! Which kind of document the bytes are, and its reading. Names and content types do not count:
//! only what stands in the bytes.

use std::io::{Cursor, Read, Seek, SeekFrom};

use raccord_model::{Digest, Failure, Reading};
use sha2::{Digest as _, Sha256};

use crate::answers::{self, Told};
use crate::error::Other;
use crate::grid::archive::{Archive, Workbook};
use crate::grid::{Meter, Rows, csv, ods, room, table, xlsx};
use crate::reach::Document;
use crate::table::{Collector, Rules};
use crate::{decode, error, header, refusals};

/// What stands beside the lines of a document.
#[derive(Default)]
pub(crate) struct Beside {
    /// The names of all its tabs that are not hidden.
    pub(crate) names: Vec<String>,
    /// What is told now of its answers.
    pub(crate) told: Told,
}

/// Reads a document called `name`.
pub(crate) fn read<R: Read + Seek>(
    reader: &mut R,
    name: &str,
    rules: &Rules,
) -> Result<(Reading, Beside), Failure> {
    if let Some(answers) = &rules.answers {
        let mut collector = answers::Collector::new(answers);
        let known = |cells: &[(u16, &str)]| answers::recognised(cells, &answers.chosen);
        grid(reader, name, &known, &mut collector)?;
        let (reading, names, told) = collector.finish()?;
        return Ok((reading, Beside { names, told }));
    }
    let mut collector = Collector::new(rules);
    let known = |cells: &[(u16, &str)]| header::known(cells, &rules.chosen);
    grid(reader, name, &known, &mut collector)?;
    programme(collector)
}

fn programme(collector: Collector<'_>) -> Result<(Reading, Beside), Failure> {
    let (reading, names) = collector.finish()?;
    let told = Told::default();
    Ok((reading, Beside { names, told }))
}

/// Pushes the lines of a document into `rows`.
fn grid<R: Read + Seek>(
    reader: &mut R,
    name: &str,
    known: csv::Known<'_>,
    rows: &mut dyn Rows,
) -> Result<(), Failure> {
    let disk = |error: std::io::Error| error::disk(name, &error);
    let mut head = Vec::with_capacity(4096);
    reader.seek(SeekFrom::Start(0)).map_err(disk)?;
    reader
        .by_ref()
        .take(4096)
        .read_to_end(&mut head)
        .map_err(disk)?;
    reader.seek(SeekFrom::Start(0)).map_err(disk)?;
    match magic(&head) {
        Magic::Zip => {
            let kind = Archive::open(&mut *reader)?.kind()?;
            reader.seek(SeekFrom::Start(0)).map_err(disk)?;
            match kind {
                Workbook::Ods => ods::read(&mut Archive::open(&mut *reader)?, rows),
                Workbook::Xlsx => xlsx::read(&mut *reader, rows),
            }
        }
        Magic::Compound => Err(compound(reader, disk)?),
        Magic::WebPage => Err(error::web_page()),
        Magic::Other(other) => Err(error::not_a_sheet(other)),
        Magic::Text => {
            let look = decode::look(reader).map_err(disk)?;
            if look.blank {
                return Err(error::empty());
            }
            if look.binary {
                return Err(error::not_a_sheet(Other::Binary));
            }
            csv::read(reader, name, &look, known, rows)
        }
    }
}

/// Reads what came in several answers.
pub(crate) fn read_parts(document: &Document, rules: &Rules) -> Result<(Reading, Beside), Failure> {
    if let Document::File { name, bytes } = document {
        return read(&mut Cursor::new(bytes), name, rules);
    }
    if let Some(answers) = &rules.answers {
        let mut collector = answers::Collector::new(answers);
        parts(document, &mut collector)?;
        let (reading, names, told) = collector.finish()?;
        return Ok((reading, Beside { names, told }));
    }
    let mut collector = Collector::new(rules);
    parts(document, &mut collector)?;
    programme(collector)
}

fn parts(document: &Document, rows: &mut dyn Rows) -> Result<(), Failure> {
    let mut meter = Meter::default();
    match document {
        Document::File { .. } => {}
        Document::Rooms(rooms) => {
            for (name, text) in rooms {
                let text = String::from_utf8_lossy(text);
                room::read(&text, name, &mut meter, rows)?;
            }
        }
        Document::Tables(tables) => {
            for one in tables {
                let parts = (&*one.columns, &*one.records);
                let names = (one.name.as_str(), one.mark.as_str());
                let read = table::read(parts, names, &mut meter, rows)?;
                read.ok_or_else(|| refusals::odd_answer("Grist"))?;
            }
        }
    }
    Ok(())
}

/// The digest of what came in several answers, and of how it will be read.
pub(crate) fn digest(document: &Document, how: Digest) -> Digest {
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    match document {
        Document::File { bytes, .. } => add(bytes),
        Document::Rooms(rooms) => rooms.iter().for_each(|(name, text)| {
            add(name.as_bytes());
            add(text);
        }),
        Document::Tables(tables) => tables.iter().for_each(|table| {
            add(table.name.as_bytes());
            add(table.mark.as_bytes());
            add(&table.columns);
            add(&table.records);
        }),
    }
    add(&how.0);
    let mut short = [0; 16];
    short.copy_from_slice(&hash.finalize()[..16]);
    Digest(short)
}

enum Magic {
    Zip,
    Compound,
    WebPage,
    Other(Other),
    Text,
}

fn magic(head: &[u8]) -> Magic {
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Magic::Zip;
    }
    if head.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
        return Magic::Compound;
    }
    if head.starts_with(b"%PDF") {
        return Magic::Other(Other::Pdf);
    }
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    let text = text.trim_ascii_start();
    let begins = |with: &str| {
        text.get(..with.len())
            .is_some_and(|there| there.eq_ignore_ascii_case(with.as_bytes()))
    };
    if [
        "<!doctype html",
        "<html",
        "<head",
        "<body",
        "<script",
        "<!--",
        "<div",
    ]
    .iter()
    .any(|tag| begins(tag))
    {
        return Magic::WebPage;
    }
    if begins("<?xml") || begins("<") {
        let html = text
            .windows(5)
            .any(|window| window.eq_ignore_ascii_case(b"<html"));
        return if html {
            Magic::WebPage
        } else {
            Magic::Other(Other::Data)
        };
    }
    if matches!(text, [b'{', ..]) || matches!(text, [b'[', b'{' | b'[' | b'"', ..]) {
        return Magic::Other(Other::Data);
    }
    Magic::Text
}

/// The old container of Microsoft: an encrypted workbook, or an .xls.
fn compound<R: Read>(
    reader: &mut R,
    disk: impl Fn(std::io::Error) -> Failure,
) -> Result<Failure, Failure> {
    let needle: Vec<u8> = "EncryptedPackage"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let mut carry: Vec<u8> = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = reader.read(&mut buffer).map_err(&disk)?;
        if read == 0 {
            return Ok(error::old_format());
        }
        carry.extend_from_slice(&buffer[..read]);
        if carry.windows(needle.len()).any(|window| window == needle) {
            return Ok(error::encrypted());
        }
        let keep = carry.len().min(needle.len());
        carry.drain(..carry.len() - keep);
    }
}
