//! Workbooks that somebody made to harm: what they unpack to, refer to or claim costs no more than a
//! programme may, and ends in an error with a code or in a bounded reading.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fmt::Write as _;
use std::io::Write as _;

use common::{archive, code, read_bytes};

const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const HEADER: &str =
    "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"s\"><v>1</v></c></row>";
const WORDS: &str = "<si><t>Date</t></si><si><t>Titre</t></si><si><t>Chorale</t></si>";

fn rows(rows: &str) -> String {
    format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{HEADER}{rows}</sheetData></worksheet>")
}

fn words(words: &str) -> String {
    format!("<sst xmlns=\"{MAIN}\">{words}</sst>")
}

fn row(number: &str, day: &str, title: &str) -> String {
    format!(
        "<row r=\"{number}\"><c r=\"A{number}\" t=\"inlineStr\"><is><t>{day}</t></is></c>\
         <c r=\"B{number}\" t=\"inlineStr\"><is><t>{title}</t></is></c></row>"
    )
}

fn parts<'a>(sheet: &'a [u8], strings: &'a [u8]) -> Vec<(&'static str, &'a [u8])> {
    const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
    let types = format!(
        "<Types xmlns=\"{PACKAGE}/content-types\"><Default Extension=\"xml\" ContentType=\"application/xml\"/></Types>"
    );
    let roots = format!(
        "<Relationships xmlns=\"{PACKAGE}/relationships\"><Relationship Id=\"r1\" Type=\"{RELATIONS}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
    );
    let book = format!(
        "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{RELATIONS}\"><sheets><sheet name=\"T\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
    );
    let links = format!(
        "<Relationships xmlns=\"{PACKAGE}/relationships\"><Relationship Id=\"r1\" Type=\"{RELATIONS}/worksheet\" Target=\"worksheets/sheet1.xml\"/>\
         <Relationship Id=\"r2\" Type=\"{RELATIONS}/sharedStrings\" Target=\"sharedStrings.xml\"/></Relationships>"
    );
    let text = |text: String| -> &'static [u8] { text.leak().as_bytes() };
    vec![
        ("[Content_Types].xml", text(types)),
        ("_rels/.rels", text(roots)),
        ("xl/workbook.xml", text(book)),
        ("xl/_rels/workbook.xml.rels", text(links)),
        ("xl/worksheets/sheet1.xml", sheet),
        ("xl/sharedStrings.xml", strings),
    ]
}

fn workbook(sheet: &str, strings: &str) -> Vec<u8> {
    archive(&parts(sheet.as_bytes(), strings.as_bytes()))
}

#[test]
fn a_plain_workbook_is_read_so_that_the_others_fail_for_what_they_are() {
    let book = workbook(&rows(&row("2", "2027-01-02", "Chorale")), &words(WORDS));
    let reading = read_bytes("p.xlsx", &book).unwrap();
    assert_eq!(reading.lines.len(), 1);
    assert_eq!(reading.lines[0].decode()["title"], "Chorale");
}

#[test]
fn entities_that_multiply_are_not_expanded() {
    let mut entities = "<!ENTITY a0 \"aaaaaaaaaa\">".to_owned();
    for level in 1..12 {
        let ten = format!("&a{};", level - 1).repeat(10);
        write!(entities, "<!ENTITY a{level} \"{ten}\">").unwrap();
    }
    let strings = format!(
        "<?xml version=\"1.0\"?><!DOCTYPE sst [{entities}]>{}",
        words("<si><t>Date</t></si><si><t>Titre</t></si><si><t>&a11;</t></si>")
    );
    let bomb = workbook(
        &rows(
            "<row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>2027-01-02</t></is></c><c r=\"B2\" t=\"s\"><v>2</v></c></row>",
        ),
        &strings,
    );
    bounded(&bomb);
    let outside = "<!DOCTYPE sst [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>";
    let strings = format!("{outside}{}", words(&format!("{WORDS}<si><t>&x;</t></si>")));
    let book = workbook(
        &rows(
            "<row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>2027-01-02</t></is></c><c r=\"B2\" t=\"s\"><v>3</v></c></row>",
        ),
        &strings,
    );
    bounded(&book);
}

/// An error, or a reading whose texts are no longer than a cell may be and come from the workbook.
fn bounded(book: &[u8]) {
    if let Ok(reading) = read_bytes("p.xlsx", book) {
        for line in &reading.lines {
            let text = serde_json::to_string(&line.decode()).unwrap();
            assert!(text.len() < 40_000, "{} bytes", text.len());
            assert!(!text.contains("root:"), "a file of the machine was read");
        }
    }
}

#[test]
fn a_part_that_unpacks_without_end_is_refused_before_it_fills_the_memory() {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_level(Some(1));
    let strings = words(WORDS);
    for (name, content) in parts(b"", strings.as_bytes()) {
        zip.start_file(name, options).unwrap();
        if name.ends_with("sheet1.xml") {
            zip.write_all(rows("").as_bytes()).unwrap();
            let spaces = vec![b' '; 1024 * 1024];
            for _ in 0..16 {
                zip.write_all(&spaces).unwrap();
            }
        } else {
            zip.write_all(content).unwrap();
        }
    }
    let bomb = zip.finish().unwrap().into_inner();
    assert!(bomb.len() < 512 * 1024, "{}", bomb.len());
    assert_eq!(code(read_bytes("p.xlsx", &bomb)), "spreadsheet.too-large");
}

#[test]
fn what_a_sheet_claims_to_hold_costs_nothing() {
    let claimed = rows(&row("2", "2027-01-02", "Chorale")).replace(
        "<sheetData>",
        "<dimension ref=\"A1:XFD1048576\"/><sheetData>",
    );
    let reading = read_bytes("p.xlsx", &workbook(&claimed, &words(WORDS))).unwrap();
    assert_eq!(reading.lines.len(), 1);
    // One cell in the farthest corner is no million lines either.
    let far = row("2", "2027-01-02", "Chorale")
        + "<row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row>";
    match read_bytes("p.xlsx", &workbook(&rows(&far), &words(WORDS))) {
        Ok(reading) => assert!(reading.lines.len() <= 2),
        Err(failure) => assert_eq!(failure.code, "spreadsheet.too-large"),
    }
}

#[test]
fn numbers_of_lines_that_lie_end_in_a_reading_or_an_error() {
    for number in ["0", "-1", "99999999999999", "1048577", "A", ""] {
        let sheet = rows(&row(number, "2027-01-02", "Chorale"));
        bounded(&workbook(&sheet, &words(WORDS)));
    }
    let cell = "<row r=\"2\"><c r=\"ZZZZZZZZZZ2\" t=\"s\"><v>4000000000</v></c></row>";
    bounded(&workbook(&rows(cell), &words(WORDS)));
}

#[test]
fn lines_and_cells_beyond_what_a_programme_holds_are_refused() {
    let mut many = String::new();
    for number in 2..200_100 {
        write!(
            many,
            "<row r=\"{number}\"><c r=\"A{number}\"><v>1</v></c></row>"
        )
        .unwrap();
    }
    let many = workbook(&rows(&many), &words(WORDS));
    assert_eq!(code(read_bytes("p.xlsx", &many)), "spreadsheet.too-large");
    let long = workbook(
        &rows(&row("2", "2027-01-02", &"x".repeat(10_000_000))),
        &words(WORDS),
    );
    assert_eq!(code(read_bytes("p.xlsx", &long)), "spreadsheet.too-large");
}

#[test]
fn what_is_no_text_or_no_workbook_is_told_apart() {
    let mut strings = words(WORDS).into_bytes();
    let at = strings
        .windows(7)
        .position(|part| part == b"Chorale")
        .unwrap();
    strings[at..at + 2].copy_from_slice(&[0xff, 0xfe]);
    let sheet = rows(
        "<row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>2027-01-02</t></is></c><c r=\"B2\" t=\"s\"><v>2</v></c></row>",
    );
    let broken = archive(&parts(sheet.as_bytes(), &strings));
    assert_eq!(code(read_bytes("p.xlsx", &broken)), "spreadsheet.damaged");
    let inner = workbook(&rows(""), &words(WORDS));
    let nested = archive(&[("p.xlsx", inner.as_slice())]);
    assert_eq!(
        code(read_bytes("p.xlsx", &nested)),
        "spreadsheet.not-a-sheet"
    );
}
