//! The zip around a workbook, opened with suspicion: bounded parts, bounded sizes whatever the
//! directory claims, no entity expansion, no piece of XML larger than a cell may be.

use std::io::{self, BufRead, BufReader, Read, Seek};

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use raccord_model::Failure;
use zip::ZipArchive;
use zip::result::ZipError;

use crate::error::{self, Limit, Other};
use crate::limits;

/// The largest single piece of XML (a text between two tags, a tag with its attributes).
const PIECE: u64 = 4 * 1024 * 1024;

/// What a reading limit says inside an [`io::Error`].
#[derive(Debug, thiserror::Error)]
enum Passed {
    #[error("unpacked too much")]
    Unpacked,
    #[error("one piece too long")]
    Piece,
}

/// The kinds of workbook a zip may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Workbook {
    Ods,
    Xlsx,
}

/// An opened archive.
pub(crate) struct Archive<R> {
    zip: ZipArchive<R>,
    /// Bytes that may still be unpacked.
    left: u64,
}

impl<R: Read + Seek> Archive<R> {
    pub(crate) fn open(reader: R) -> Result<Self, Failure> {
        let zip = ZipArchive::new(reader).map_err(|error| of_zip(&error))?;
        if zip.len() > limits::PARTS {
            return Err(error::too_large(Limit::Unpacked));
        }
        if zip.has_duplicate_names() {
            return Err(error::damaged());
        }
        Ok(Self {
            zip,
            left: limits::UNPACKED,
        })
    }

    /// What kind of workbook it is.
    pub(crate) fn kind(&mut self) -> Result<Workbook, Failure> {
        let has = |name: &str| self.zip.index_for_name(name).is_some();
        if has("encrypted-package") {
            return Err(error::encrypted());
        }
        if has("content.xml") {
            let mut mimetype = String::new();
            if let Ok(part) = self.zip.by_name("mimetype") {
                // A part that is no text is no mimetype either.
                drop(part.take(200).read_to_string(&mut mimetype));
            }
            if mimetype.is_empty() || mimetype.contains("opendocument.spreadsheet") {
                return Ok(Workbook::Ods);
            }
            return Err(error::not_a_sheet(Other::Document));
        }
        if has("xl/workbook.bin") {
            return Err(error::old_format());
        }
        if has("[Content_Types].xml")
            && self
                .zip
                .file_names_raw()
                .any(|name| name.starts_with(b"xl/"))
        {
            return Ok(Workbook::Xlsx);
        }
        Err(error::not_a_sheet(Other::Archive))
    }

    /// The part's exact name, whatever the case it was asked in.
    pub(crate) fn find(&self, name: &str) -> Option<String> {
        let name = name.trim_start_matches('/');
        if self.zip.index_for_name(name).is_some() {
            return Some(name.to_owned());
        }
        self.zip
            .file_names_raw()
            .filter_map(|known| std::str::from_utf8(known).ok())
            .find(|known| known.replace('\\', "/").eq_ignore_ascii_case(name))
            .map(str::to_owned)
    }

    /// Reads one part, event by event, until `each` says that it has seen enough.
    pub(crate) fn events(
        &mut self,
        name: &str,
        mut each: impl FnMut(&Event<'_>) -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let part = self.zip.by_name(name).map_err(|error| of_zip(&error))?;
        if part.encrypted() {
            return Err(error::encrypted());
        }
        let bounded = Bounded {
            inner: BufReader::with_capacity(64 * 1024, part),
            left: self.left,
            piece: PIECE,
        };
        let mut reader = Reader::from_reader(bounded);
        // Names are checked by us where they matter; a missing end tag shows as an early end.
        reader.config_mut().allow_dangling_amp = true;
        let mut buffer = Vec::with_capacity(8 * 1024);
        let mut depth = 0_u32;
        let result = loop {
            buffer.clear();
            if buffer.capacity() > 1024 * 1024 {
                buffer.shrink_to(64 * 1024);
            }
            reader.get_mut().piece = PIECE;
            match reader.read_event_into(&mut buffer) {
                Ok(Event::Eof) if depth == 0 => break Ok(()),
                // DTDs define entities; no workbook program writes one.
                Ok(Event::Eof | Event::DocType(_)) => break Err(error::damaged()),
                Ok(event) => {
                    match event {
                        Event::Start(_) => depth += 1,
                        Event::End(_) => depth = depth.saturating_sub(1),
                        _ => {}
                    }
                    if depth > 256 {
                        break Err(error::damaged());
                    }
                    match each(&event) {
                        Ok(true) => {}
                        Ok(false) => break Ok(()),
                        Err(failure) => break Err(failure),
                    }
                }
                Err(quick_xml::Error::Io(error)) => break Err(of_io(&error)),
                Err(_) => break Err(error::damaged()),
            }
        };
        self.left = reader.get_mut().left;
        result
    }

    /// Walks a part without looking at it: within limits, and well formed.
    pub(crate) fn vet(&mut self, name: &str, most: u64) -> Result<(), Failure> {
        let before = self.left;
        self.events(name, |_| Ok(true))?;
        if before - self.left > most {
            return Err(error::too_large(Limit::Unpacked));
        }
        Ok(())
    }
}

/// A reader that stops at the limits, whatever the zip's directory promised.
struct Bounded<R> {
    inner: R,
    left: u64,
    piece: u64,
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let there = self.fill_buf()?;
        let size = there.len().min(buffer.len());
        buffer[..size].copy_from_slice(&there[..size]);
        self.consume(size);
        Ok(size)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Err(io::Error::other(Passed::Unpacked));
        }
        if self.piece == 0 {
            return Err(io::Error::other(Passed::Piece));
        }
        let most = self.left.min(self.piece);
        let there = self.inner.fill_buf()?;
        let size = there.len().min(usize::try_from(most).unwrap_or(usize::MAX));
        Ok(&there[..size])
    }

    fn consume(&mut self, size: usize) {
        self.left = self.left.saturating_sub(size as u64);
        self.piece = self.piece.saturating_sub(size as u64);
        self.inner.consume(size);
    }
}

fn of_io(error: &io::Error) -> Failure {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Passed>())
    {
        Some(Passed::Unpacked) => error::too_large(Limit::Unpacked),
        Some(Passed::Piece) => error::too_large(Limit::Cell),
        None => error::damaged(),
    }
}

fn of_zip(error: &ZipError) -> Failure {
    match error {
        ZipError::UnsupportedArchive(_) | ZipError::InvalidPassword => error::encrypted(),
        _ => error::damaged(),
    }
}

/// An attribute's value by local name, unescaped.
pub(crate) fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    tag.attributes()
        .with_checks(false)
        .flatten()
        .find(|attribute| attribute.key.local_name().as_ref() == name)
        .and_then(|attribute| {
            attribute
                .normalized_value(XmlVersion::Explicit1_0)
                .ok()
                .map(std::borrow::Cow::into_owned)
        })
}

/// An attribute's value by its whole name (`table:style-name`).
pub(crate) fn qualified(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    tag.attributes()
        .with_checks(false)
        .flatten()
        .find(|attribute| attribute.key.as_ref() == name)
        .and_then(|attribute| {
            attribute
                .normalized_value(XmlVersion::Explicit1_0)
                .ok()
                .map(std::borrow::Cow::into_owned)
        })
}

/// The character a reference stands for; unknown entities stand for nothing.
pub(crate) fn reference(event: &quick_xml::events::BytesRef<'_>) -> Option<char> {
    if let Ok(Some(c)) = event.resolve_char_ref() {
        return Some(c);
    }
    match event.as_ref() {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::{Cursor, Write as _};

    use zip::write::SimpleFileOptions;

    use super::*;

    fn archive(content: &str) -> Archive<Cursor<Vec<u8>>> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("content.xml", SimpleFileOptions::default())
            .unwrap();
        zip.write_all(content.as_bytes()).unwrap();
        Archive::open(Cursor::new(zip.finish().unwrap().into_inner())).unwrap()
    }

    #[test]
    fn unpacking_stops_at_the_limit_over_all_parts() {
        let mut open = archive(&format!("<a>{}</a>", "<b/>".repeat(1_000)));
        open.left = 10_000;
        open.events("content.xml", |_| Ok(true)).unwrap();
        open.events("content.xml", |_| Ok(true)).unwrap();
        let failure = open.events("content.xml", |_| Ok(true)).unwrap_err();
        assert_eq!(failure.code, "spreadsheet.too-large");
    }

    #[test]
    fn one_endless_piece_is_refused_before_it_is_held() {
        let mut open = archive(&format!("<a>{}</a>", " ".repeat(20_000_000)));
        let failure = open.events("content.xml", |_| Ok(true)).unwrap_err();
        assert_eq!(failure.code, "spreadsheet.too-large");
        assert!(limits::UNPACKED - open.left <= 2 * PIECE);
    }

    #[test]
    fn entities_are_not_expanded_and_nesting_is_bounded() {
        for content in [
            "<!DOCTYPE a [<!ENTITY b \"x\">]><a>&b;</a>".to_owned(),
            "<a>".repeat(300),
            "<a>".to_owned(),
        ] {
            let failure = archive(&content)
                .events("content.xml", |_| Ok(true))
                .unwrap_err();
            assert_eq!(failure.code, "spreadsheet.damaged");
        }
    }
}
