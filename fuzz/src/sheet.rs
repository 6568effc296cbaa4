//! A whole document.

use std::io::{Cursor, Write as _};

use raccord_connector_spreadsheet::read;
use raccord_kit::conformance::holds_together;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The reader of spreadsheets. The first byte says what the others are: a text, an archive, or
/// one part of a workbook whose other parts are in order (a changed byte in an archive is found
/// by its checksum, and nothing behind that would ever be reached).
pub fn sheet(data: &[u8]) {
    let Some((&what, rest)) = data.split_first() else {
        return;
    };
    let part = |name: &str| -> Vec<u8> {
        let ods = name.ends_with("content.xml") || name == "styles.xml";
        let others: &[(&str, &str)] = if ods { &ODS } else { &XLSX };
        let mut parts: Vec<(&str, &[u8])> = others
            .iter()
            .filter(|(other, _)| *other != name)
            .map(|&(other, text)| (other, text.as_bytes()))
            .collect();
        parts.push((name, rest));
        archive(&parts)
    };
    let (name, bytes) = match what {
        b'o' => ("p.ods", part("content.xml")),
        b'y' => ("p.ods", part("styles.xml")),
        b'x' => ("p.xlsx", part("xl/worksheets/sheet1.xml")),
        b's' => ("p.xlsx", part("xl/sharedStrings.xml")),
        b't' => ("p.xlsx", part("xl/styles.xml")),
        b'w' => ("p.xlsx", part("xl/workbook.xml")),
        b'a' => ("p.ods", rest.to_vec()),
        b'b' => ("p.xlsx", rest.to_vec()),
        _ => ("p.csv", rest.to_vec()),
    };
    match read(&mut Cursor::new(bytes), name) {
        Ok(reading) => holds_together(&reading),
        Err(failure) => {
            assert!(failure.code.starts_with("spreadsheet."), "{failure:?}");
            assert!(!failure.text.fr.is_empty() && !failure.mend.fr.is_empty());
        }
    }
}

fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        zip.start_file(*name, stored).expect("memory takes it");
        zip.write_all(bytes).expect("memory takes it");
    }
    zip.finish().expect("memory takes it").into_inner()
}

/// A small workbook of OpenDocument.
const ODS: [(&str, &str); 2] = [
    ("content.xml", include_str!("../parts/content.xml")),
    ("styles.xml", include_str!("../parts/styles.xml")),
];

/// A small workbook of Office Open XML.
const XLSX: [(&str, &str); 7] = [
    (
        "[Content_Types].xml",
        include_str!("../parts/content-types.xml"),
    ),
    ("_rels/.rels", include_str!("../parts/rels.xml")),
    ("xl/workbook.xml", include_str!("../parts/workbook.xml")),
    (
        "xl/_rels/workbook.xml.rels",
        include_str!("../parts/workbook-rels.xml"),
    ),
    (
        "xl/worksheets/sheet1.xml",
        include_str!("../parts/sheet1.xml"),
    ),
    (
        "xl/sharedStrings.xml",
        include_str!("../parts/shared-strings.xml"),
    ),
    ("xl/styles.xml", include_str!("../parts/xlsx-styles.xml")),
];
