//! A hundred lives of sheets, played through the reader and the engine: what a place would miss.

#![expect(
    clippy::unwrap_used,
    clippy::format_push_string,
    reason = "a test stops at the first thing that is not as it should be, and builds small files"
)]

use std::io::{Cursor, Write as _};

use raccord_identity_lab::history::history;
use raccord_identity_lab::read::reading;
use raccord_identity_lab::report::{LEAST_F1, MOST_NEEDLESS, measure};
use raccord_identity_lab::sheet::Book;
use zip::write::SimpleFileOptions;

#[test]
fn a_hundred_sheets_keep_their_activities_and_ask_only_what_must_be_asked() {
    let report = measure(0, 100, 2, false);
    let wrong: Vec<&String> = report
        .notes
        .iter()
        .filter(|note| note.contains(": wrong ") || note.contains(" read, "))
        .collect();
    assert_eq!(report.all.wrong_cancel, 0, "{wrong:#?}");
    assert_eq!(report.all.wrong_merge, 0, "{wrong:#?}");
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(report.all.kept, 0, "what was taken out is cancelled");
    assert!(report.all.f1() >= LEAST_F1, "F1 is {:.4}", report.all.f1());
    let needless = report.all.needless_per_200();
    assert!(
        needless <= MOST_NEEDLESS,
        "{needless:.2} needless questions"
    );
    // The measure itself must have had something to measure.
    assert!(report.all.clear_edits > 900 && report.all.unclear_saves > 40);
}

/// Weekly series that move again and again, so that old answers would fit new lines; and two where
/// only a person knows which occurrence was called off.
#[test]
fn an_answer_is_about_the_lines_a_person_saw() {
    for seed in [759, 790, 814, 982] {
        let report = measure(seed, 1, 1, false);
        let wrong = report.all.wrong_cancel + report.all.wrong_merge;
        assert_eq!(wrong, 0, "seed {seed}: {:#?}", report.notes);
    }
}

#[test]
fn the_same_seed_is_the_same_history() {
    for seed in [3, 17, 61] {
        let (one, other) = (history(seed), history(seed));
        let books = |history: &raccord_identity_lab::history::History| -> Vec<Book> {
            history.steps.iter().map(|step| step.book.clone()).collect()
        };
        assert_eq!(books(&one), books(&other));
    }
}

#[test]
fn a_workbook_of_tabs_reads_as_its_tabs_one_by_one() {
    let mut compared = 0;
    for seed in 0..28 {
        let history = history(seed);
        let book = &history.steps[history.steps.len() / 2].book;
        if book.tabs.len() < 2 {
            continue;
        }
        let apart = reading(book).unwrap();
        let whole =
            raccord_connector_spreadsheet::read(&mut Cursor::new(workbook(book)), "programme.xlsx")
                .unwrap();
        assert_eq!(apart.lines, whole.lines, "seed {seed}");
        assert_eq!(apart.tabs, whole.tabs, "seed {seed}");
        compared += 1;
    }
    assert!(compared > 5, "only {compared} sheets of several tabs");
}

/// The book as a workbook, every cell a text.
fn workbook(book: &Book) -> Vec<u8> {
    let escape = |text: &str| {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('"', "&quot;")
    };
    let mut sheets = String::new();
    let mut relations = String::new();
    let mut parts = Vec::new();
    for (index, tab) in book.tabs.iter().enumerate() {
        let number = index + 1;
        let name = escape(&tab.name);
        sheets += &format!(r#"<sheet name="{name}" sheetId="{number}" r:id="rId{number}"/>"#);
        relations += &format!(
            r#"<Relationship Id="rId{number}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet{number}.xml"/>"#
        );
        let mut rows = String::new();
        for (row, cells) in tab.cells(book.tongue).iter().enumerate() {
            rows += &format!(r#"<row r="{}">"#, row + 1);
            for (column, text) in cells
                .iter()
                .enumerate()
                .filter(|(_, text)| !text.is_empty())
            {
                let at = raccord_model::column_letters(u16::try_from(column).unwrap());
                rows += &format!(
                    r#"<c r="{at}{}" t="inlineStr"><is><t xml:space="preserve">{}</t></is></c>"#,
                    row + 1,
                    escape(text)
                );
            }
            rows += "</row>";
        }
        parts.push((
            format!("xl/worksheets/sheet{number}.xml"),
            format!(
                r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>"#
            ),
        ));
    }
    parts.push((
        "[Content_Types].xml".into(),
        r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"#.into(),
    ));
    parts.push((
        "_rels/.rels".into(),
        r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#.into(),
    ));
    parts.push((
        "xl/workbook.xml".into(),
        format!(
            r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>{sheets}</sheets></workbook>"#
        ),
    ));
    parts.push((
        "xl/_rels/workbook.xml.rels".into(),
        format!(
            r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{relations}</Relationships>"#
        ),
    ));
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        archive
            .start_file(name, SimpleFileOptions::default())
            .unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}
