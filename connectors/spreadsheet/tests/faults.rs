//! What is not a sheet, or only half of one, is an error with a code, never an empty reading.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{archive, code, observe, read_bytes, read_bytes_with, read_with, samples, tool};
use raccord_model::{Blame, Observation};
use serde_json::json;

/// An ODS of one tab with these rows (XML).
fn ods(rows: &str) -> Vec<u8> {
    let content = format!(
        "<?xml version=\"1.0\"?><office:document-content xmlns:office=\"o\" xmlns:table=\"t\" xmlns:text=\"x\">\
         <office:body><office:spreadsheet><table:table table:name=\"T\">{rows}</table:table>\
         </office:spreadsheet></office:body></office:document-content>"
    );
    archive(&[
        (
            "mimetype",
            b"application/vnd.oasis.opendocument.spreadsheet",
        ),
        ("content.xml", content.as_bytes()),
    ])
}

fn cell(text: &str) -> String {
    format!(
        "<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>"
    )
}

fn row(cells: &[&str]) -> String {
    let cells: String = cells.iter().map(|text| cell(text)).collect();
    format!("<table:table-row>{cells}</table:table-row>")
}

#[test]
fn what_is_not_a_sheet_is_told_apart() {
    let mut encrypted = vec![0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
    encrypted.resize(70_000, 0);
    encrypted.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
    let old = [
        &[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1][..],
        &[0; 600],
    ]
    .concat();
    let locked = archive(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", b"\x01\x02\x03"),
        ("META-INF/manifest.xml", b"<manifest:manifest xmlns:manifest=\"m\"><manifest:file-entry><manifest:encryption-data/></manifest:file-entry></manifest:manifest>"),
    ]);
    for (wanted, bytes) in [
        ("spreadsheet.empty", b"".to_vec()),
        ("spreadsheet.empty", b"\xEF\xBB\xBF \r\n\n".to_vec()),
        (
            "spreadsheet.web-page",
            b"<!DOCTYPE html><html><body>Log in</body></html>".to_vec(),
        ),
        (
            "spreadsheet.web-page",
            b"\n  <HTML><title>Sign in</title>".to_vec(),
        ),
        (
            "spreadsheet.web-page",
            b"<?xml version=\"1.0\"?><html xmlns=\"http://www.w3.org/1999/xhtml\">".to_vec(),
        ),
        (
            "spreadsheet.not-a-sheet",
            b"<?xml version=\"1.0\"?><feed/>".to_vec(),
        ),
        (
            "spreadsheet.not-a-sheet",
            b"{\"error\": \"not found\"}".to_vec(),
        ),
        ("spreadsheet.not-a-sheet", b"%PDF-1.7\n".to_vec()),
        (
            "spreadsheet.not-a-sheet",
            b"\x7fELF\0\0\0\0\x01\x02\x03\0".to_vec(),
        ),
        ("spreadsheet.not-a-sheet", archive(&[("photo.jpg", b"x")])),
        (
            "spreadsheet.not-a-sheet",
            archive(&[
                ("mimetype", b"application/vnd.oasis.opendocument.text"),
                ("content.xml", b"<a/>"),
            ]),
        ),
        (
            "spreadsheet.header-lost",
            b"2027-01-02,10:00,12:00,Rangement\n".to_vec(),
        ),
        (
            "spreadsheet.header-lost",
            b"Salle;Jauge\nHalle;150\n".to_vec(),
        ),
        ("spreadsheet.header-lost", ods(&row(&["un", "deux"]))),
        ("spreadsheet.encrypted", encrypted),
        ("spreadsheet.encrypted", locked),
        ("spreadsheet.old-format", old),
        (
            "spreadsheet.damaged",
            b"PK\x03\x04 and nothing more".to_vec(),
        ),
        (
            "spreadsheet.damaged",
            archive(&[(
                "content.xml",
                b"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"bb\">]><a>&b;</a>",
            )]),
        ),
        (
            "spreadsheet.damaged",
            archive(&[("content.xml", b"<a><b></a>")]),
        ),
        (
            "spreadsheet.damaged",
            archive(&[
                ("[Content_Types].xml", b"<Types/>"),
                ("xl/workbook.xml", b"<workbook/>"),
            ]),
        ),
    ] {
        assert_eq!(
            code(read_bytes("programme", &bytes)),
            wanted,
            "{:?}",
            String::from_utf8_lossy(&bytes[..bytes.len().min(60)])
        );
    }
}

#[test]
fn files_that_are_not_there_or_not_ours_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let failure = read_with(&folder.path().join("absent.csv"), json!({})).unwrap_err();
    assert_eq!(
        (failure.code.as_str(), failure.blame),
        ("spreadsheet.missing", Blame::Transient)
    );
    let failure = read_with(folder.path(), json!({})).unwrap_err();
    assert_eq!(
        (failure.code.as_str(), failure.blame),
        ("spreadsheet.folder", Blame::Data)
    );
    assert_eq!(
        code(read_with(std::path::Path::new("/dev/zero"), json!({}))),
        "spreadsheet.not-a-sheet"
    );
}

#[test]
fn a_workbook_cut_anywhere_is_never_a_shorter_workbook() {
    for name in ["programme.ods", "programme.xlsx"] {
        let whole = std::fs::read(samples().join(name)).unwrap();
        for part in 1..40 {
            let cut = whole.len() * part / 40;
            let result = read_bytes(name, &whole[..cut]);
            assert!(result.is_err(), "{name} cut at {cut}");
        }
    }
}

#[test]
fn a_csv_cut_inside_a_line_is_seen() {
    let whole = std::fs::read(samples().join("programme.csv")).unwrap();
    let mut seen = 0;
    for cut in (400..whole.len()).step_by(53) {
        match read_bytes("programme.csv", &whole[..cut]) {
            Err(failure) => {
                assert_eq!(failure.code, "spreadsheet.truncated");
                seen += 1;
            }
            // Cut at the end of a line, or inside its last cell: nothing shows it.
            Ok(reading) => {
                let line = whole[..cut].rsplit(|b| *b == b'\n').next().unwrap();
                let commas = String::from_utf8_lossy(line).matches(',').count();
                assert!(
                    line.is_empty() || commas >= 13,
                    "cut at {cut}: {} lines",
                    reading.lines.len()
                );
            }
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn an_open_quotation_does_not_swallow_the_rest_of_the_sheet() {
    let text = "Date,Titre,Description\n2027-01-02,Un,a\n2027-01-03,Deux,\"b\n2027-01-04,Trois,c\n2027-01-05,Quatre,d\n";
    assert_eq!(
        code(read_bytes("p.csv", text.as_bytes())),
        "spreadsheet.truncated"
    );
}

#[test]
fn limits_hold_for_every_format() {
    let header = "Date,Titre\n";
    let long = format!("{header}2027-01-02,{}\n", "x".repeat(2_000_000));
    assert_eq!(
        code(read_bytes("p.csv", long.as_bytes())),
        "spreadsheet.too-large"
    );
    let wide = format!("{header}2027-01-02,Un{}x\n", ",".repeat(1_100));
    assert_eq!(
        code(read_bytes("p.csv", wide.as_bytes())),
        "spreadsheet.too-large"
    );
    let tall = format!("{header}{}", ",,x\n".repeat(200_001));
    assert_eq!(
        code(read_bytes("p.csv", tall.as_bytes())),
        "spreadsheet.too-large"
    );
    let big = vec![b'a'; 64 * 1024 * 1024 + 1];
    assert_eq!(code(read_bytes("p.csv", &big)), "spreadsheet.too-large");

    let headed = row(&["Date", "Titre"]);
    let tall = format!(
        "{headed}<table:table-row table:number-rows-repeated=\"1000000\">{}{}</table:table-row>",
        cell("x"),
        cell("")
    );
    assert_eq!(
        code(read_bytes("p.ods", &ods(&tall))),
        "spreadsheet.too-large"
    );
    let wide = format!(
        "{headed}<table:table-row><table:table-cell table:number-columns-repeated=\"16384\" office:value-type=\"string\"><text:p>x</text:p></table:table-cell></table:table-row>"
    );
    assert_eq!(
        code(read_bytes("p.ods", &ods(&wide))),
        "spreadsheet.too-large"
    );
    let deep = format!("{headed}{}", "<text:span>".repeat(300));
    assert_eq!(
        code(read_bytes("p.ods", &ods(&deep))),
        "spreadsheet.damaged"
    );
    let long = format!("{headed}{}", row(&["2027-01-02", &"x".repeat(10_000_000)]));
    assert_eq!(
        code(read_bytes("p.ods", &ods(&long))),
        "spreadsheet.too-large"
    );
}

#[test]
fn empty_repeats_cost_nothing() {
    let rows = format!(
        "{}{}<table:table-row table:number-rows-repeated=\"1048543\"><table:table-cell table:number-columns-repeated=\"16384\"/></table:table-row>",
        row(&["Date", "Titre"]),
        row(&["2027-01-02", "Un"])
    );
    assert_eq!(read_bytes("p.ods", &ods(&rows)).unwrap().lines.len(), 1);
}

#[test]
fn a_cell_longer_than_any_program_writes_is_left_out_and_told() {
    let text = format!(
        "Date,Titre,Description\n2027-01-02,Un,{}\n2027-01-03,Deux,b\n",
        "é".repeat(40_000)
    );
    let reading = read_bytes("p.csv", text.as_bytes()).unwrap();
    assert_eq!(reading.lines.len(), 2);
    assert_eq!(reading.lines[0].decode().get("description"), None);
    assert_eq!(common::unread(&reading), ["C2 cell-too-long"]);
    assert!(reading.unread[0].found.chars().count() <= 200);
}

#[test]
fn a_thousand_bad_cells_are_told_and_the_rest_counted() {
    let text = format!("Date,Titre\n{}", "bientôt,Un\n".repeat(5_000));
    let reading = read_bytes("p.csv", text.as_bytes()).unwrap();
    assert_eq!(reading.lines.len(), 5_000);
    assert_eq!(reading.unread.len(), 1_000);
    assert!(
        reading
            .remarks
            .iter()
            .any(|remark| remark.code == "more-unread" && remark.text.en.contains("4000"))
    );
}

#[test]
fn the_named_tab_is_read_and_its_absence_is_no_empty_sheet() {
    let path = samples().join("programme-messy.ods");
    let reading = read_with(&path, json!({ "sheet": "Février 27" })).unwrap();
    assert_eq!(reading.tabs.len(), 1);
    assert_eq!(reading.lines.len(), 2);
    let failure = read_with(&path, json!({ "sheet": "Mars" })).unwrap_err();
    assert_eq!(failure.code, "spreadsheet.sheet-missing");
    assert!(failure.text.fr.contains("JANVIER"));
    assert!(
        !failure.text.fr.contains("modèle"),
        "a hidden tab is not offered"
    );
    let failure = read_with(&path, json!({ "sheet": "Salles et contacts" })).unwrap_err();
    assert_eq!(failure.code, "spreadsheet.header-lost");
}

#[test]
fn an_unchanged_file_is_unchanged_and_a_touched_one_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.csv");
    std::fs::write(&path, "Date,Titre\n2027-01-02,Un\n").unwrap();
    let tool = tool(json!({ "location": path.to_str().unwrap() }));
    let Observation::Complete(first) = observe(&*tool, None).unwrap() else {
        panic!()
    };
    let cursor = first.cursor.clone().unwrap();
    assert_eq!(
        observe(&*tool, Some(&cursor)).unwrap(),
        Observation::Unchanged { cursor: None }
    );
    std::fs::write(&path, "Date,Titre\n2027-01-02,Un\n").unwrap();
    assert_eq!(
        observe(&*tool, Some(&cursor)).unwrap(),
        Observation::Unchanged { cursor: None }
    );
    std::fs::write(&path, "Date,Titre\n2027-01-02,Deux\n").unwrap();
    let Observation::Complete(second) = observe(&*tool, Some(&cursor)).unwrap() else {
        panic!()
    };
    assert_ne!(second.digest, first.digest);
    assert_eq!(tool.source().unwrap().every().1, Some(path));
}

#[test]
fn other_settings_read_the_same_bytes_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.csv");
    std::fs::write(&path, "Date,Titre,Bal\n02/01,Un,x\n").unwrap();
    let location = path.to_str().unwrap();
    let Observation::Complete(first) =
        observe(&*tool(json!({ "location": location })), None).unwrap()
    else {
        panic!()
    };
    let told = tool(json!({ "location": location, "year": 2027 }));
    let Observation::Complete(second) = observe(&*told, first.cursor.as_deref()).unwrap() else {
        panic!()
    };
    assert_ne!(first.digest, second.digest, "it is another reading");
    assert_ne!(first.lines, second.lines);
}

#[test]
fn a_tab_that_lost_its_header_holds_its_lines() {
    let sheet =
        |name: &str, rows: &str| format!("</table:table><table:table table:name=\"{name}\">{rows}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.ods");
    let header = row(&["Date", "Titre"]);
    let one = row(&["2027-01-02", "Un"]);
    std::fs::write(
        &path,
        ods(&format!(
            "{header}{one}{}",
            sheet("U", &format!("{header}{one}"))
        )),
    )
    .unwrap();
    let tool = tool(json!({ "location": path.to_str().unwrap() }));
    let Observation::Complete(first) = observe(&*tool, None).unwrap() else {
        panic!()
    };
    assert_eq!(first.lines.len(), 2);
    std::fs::write(&path, ods(&format!("{header}{one}{}", sheet("U", &one)))).unwrap();
    let failure = observe(&*tool, first.cursor.as_deref()).unwrap_err();
    assert_eq!(failure.code, "spreadsheet.header-lost");
    assert!(failure.text.fr.contains("«\u{a0}U\u{a0}»") || failure.text.fr.contains("« U »"));
    // A tab that is gone altogether is a reading: the guard decides.
    std::fs::write(&path, ods(&format!("{header}{one}"))).unwrap();
    let Observation::Complete(second) = observe(&*tool, first.cursor.as_deref()).unwrap() else {
        panic!()
    };
    assert_eq!(second.tabs.len(), 1);
}

#[test]
fn a_tab_given_by_name_is_read_even_when_others_are_broken() {
    let rows = format!("{}{}", row(&["Date", "Titre"]), row(&["2027-01-02", "Un"]));
    let both = format!(
        "{rows}</table:table><table:table table:name=\"U\">{}",
        row(&["n'importe quoi"])
    );
    let reading = read_bytes_with("p.ods", &ods(&both), json!({ "sheet": "t" })).unwrap();
    assert_eq!(reading.lines.len(), 1);
}
