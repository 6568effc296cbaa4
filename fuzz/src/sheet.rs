//! A whole document.

use std::io::{Cursor, Write as _};

use raccord_connector_spreadsheet::{host_of, read, read_answers, read_room, read_table};
use raccord_kit::conformance::holds_together;
use raccord_model::{EntityId, EntityKind, Failure, Offered, Reading};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The reader of spreadsheets. The first byte says what the others are: a text, an archive, or
/// one part of a workbook whose other parts are in order (a changed byte in an archive is found
/// by its checksum, and nothing behind that would ever be reached); a room of EtherCalc; the columns
/// and the records of a table of Grist, with a zero between them; an address that somebody pasted;
/// the answers of a form, for one activity or for those they name.
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
    match what {
        b'r' => return read_or_told(read_room(rest, "room")),
        b'g' => {
            let mut halves = rest.splitn(2, |byte| *byte == 0);
            let columns = halves.next().unwrap_or_default();
            let records = halves.next().unwrap_or_default();
            return read_or_told(read_table(columns, records, "Table"));
        }
        b'f' | b'd' => {
            let activity = (what == b'f').then(|| "Bal folk".to_owned());
            let read = read_answers(&mut Cursor::new(rest), "r.csv", activity, offered());
            return read_or_told(read);
        }
        b'u' => return address(&String::from_utf8_lossy(rest)),
        _ => {}
    }
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
    read_or_told(read(&mut Cursor::new(bytes), name));
}

fn offered() -> Vec<Offered> {
    let one = |kind, title: &str| Offered {
        id: EntityId::derive(&[title.as_bytes()]),
        kind,
        title: title.to_owned(),
        activity: None,
        day: None,
        over: None,
        keeper: None,
    };
    vec![
        one(EntityKind::Activity, "Bal folk"),
        one(EntityKind::Task, "Bar"),
    ]
}

fn read_or_told(read: Result<Reading, Failure>) {
    match read {
        Ok(reading) => holds_together(&reading),
        Err(failure) => {
            assert!(failure.code.starts_with("spreadsheet."), "{failure:?}");
            assert!(!failure.text.fr.is_empty() && !failure.mend.fr.is_empty());
        }
    }
}

/// Whatever is pasted leads to the host that was pasted, or is refused in words.
fn address(pasted: &str) {
    match host_of(pasted) {
        Ok(host) => {
            let meant = url::Url::parse(pasted.trim()).expect("it was taken for an address");
            let meant = &meant[url::Position::BeforeHost..url::Position::AfterPort];
            assert_eq!(host, meant);
        }
        Err(failure) => assert!(!failure.text.fr.is_empty() && !failure.mend.fr.is_empty()),
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
