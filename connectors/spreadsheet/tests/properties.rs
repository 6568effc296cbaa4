//! Whatever the bytes, reading ends, without a panic, in a reading that holds together or in an
//! error with a code.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::io::Cursor;
use std::sync::LazyLock;

use calamine::{Data, Reader as _};
use common::samples;
use proptest::prelude::*;
use raccord_connector_spreadsheet::read;
use raccord_kit::conformance::holds_together;

static SAMPLES: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    [
        "programme-excel-fr.csv",
        "programme.csv",
        "programme.ods",
        "programme.xlsx",
        "programme-messy.ods",
        "programme-messy.xlsx",
    ]
    .map(|name| {
        (
            name.to_owned(),
            std::fs::read(samples().join(name)).unwrap(),
        )
    })
    .into()
});

fn read_any(bytes: Vec<u8>, name: &str) {
    match read(&mut Cursor::new(bytes), name) {
        Ok(reading) => holds_together(&reading),
        Err(failure) => assert!(failure.code.starts_with("spreadsheet.")),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        read_any(bytes, "p.csv");
    }

    #[test]
    fn random_cells_under_a_real_header_never_panic(
        cells in proptest::collection::vec("\\PC{0,20}|[0-9/:h .-]{0,12}|(sam|lun|mar)\\. [0-9]{1,2}/[0-9]{1,2}", 0..80)
    ) {
        let mut text = "Date;Fin;Date de fin;Horaires;Titre;Type;Jauge;Crédits;Public;Statut\n".to_owned();
        for line in cells.chunks(10) {
            text.push_str(&line.join(";").replace(['\n', '"'], " "));
            text.push('\n');
        }
        read_any(text.into_bytes(), "p.csv");
    }

    #[test]
    fn samples_with_changed_bytes_never_panic(
        which in 0_usize..6,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let (name, bytes) = &SAMPLES[which];
        let mut bytes = bytes.clone();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        read_any(bytes, name);
    }

    #[test]
    fn a_content_with_changed_xml_never_panics(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), "[<>/=\"a-z0-9 &;-]{1,3}"), 1..6),
    ) {
        let mut content = CONTENT.clone();
        for (at, with) in changes {
            let mut at = at.index(content.len());
            while !content.is_char_boundary(at) {
                at -= 1;
            }
            content.insert_str(at, &with);
        }
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("content.xml", zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut zip, content.as_bytes()).unwrap();
        read_any(zip.finish().unwrap().into_inner(), "p.ods");
    }
}

static CONTENT: LazyLock<String> = LazyLock::new(|| {
    let mut zip = zip::ZipArchive::new(Cursor::new(&SAMPLES[2].1)).unwrap();
    std::io::read_to_string(zip.by_name("content.xml").unwrap()).unwrap()
});

/// Our own pass over ODS and calamine, which reads values only, agree on every title, kind, room
/// and description of every ODS sample.
#[test]
fn our_pass_over_ods_agrees_with_calamine() {
    let mut files: Vec<_> = std::fs::read_dir(samples().join("programme-edits"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "ods"))
        .collect();
    files.push(samples().join("programme.ods"));
    let mut compared = 0;
    for path in files {
        let reading = common::read_file(&path).unwrap();
        let mut workbook: calamine::Ods<_> = calamine::open_workbook(&path).unwrap();
        for line in &reading.lines {
            let tab = &reading.tabs[usize::from(line.tab)];
            let range = workbook.worksheet_range(&tab.name).unwrap();
            let fields = line.decode();
            for name in [
                "title",
                "kind",
                "room",
                "description",
                "organiser",
                "contact",
                "guide",
            ] {
                let theirs = range.get_value((line.row - 1, u32::from(tab.columns[name][0])));
                let ours = fields.get(name).and_then(|value| value.as_str());
                match theirs {
                    Some(Data::String(theirs)) => assert_eq!(ours, Some(theirs.as_str())),
                    other => assert_eq!((ours, other), (None, Some(&Data::Empty))),
                }
                compared += 1;
            }
        }
    }
    assert!(compared > 2_000);
}
