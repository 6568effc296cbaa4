//! From a sheet to a reading, through the spreadsheet's own reader.
//!
//! Each tab is read as the CSV file its program would save, and the readings are put one after
//! the other: what a workbook gives, without the time it takes to zip and unzip it (a test
//! compares the two).

use std::io::Cursor;

use raccord_model::{Digest, Failure, Reading};

use crate::sheet::Book;

/// What the reader sees in the sheet.
///
/// # Errors
/// When a tab is no sheet that can be read.
pub fn reading(book: &Book) -> Result<Reading, Failure> {
    let mut whole = Reading::default();
    let mut bytes = Vec::new();
    for (index, tab) in book.tabs.iter().enumerate() {
        let csv = tab.csv(book.tongue);
        bytes.extend_from_slice(&csv);
        let mut one = raccord_connector_spreadsheet::read(&mut Cursor::new(csv), &tab.name)?;
        for line in &mut one.lines {
            line.tab = index as u16;
        }
        whole.lines.append(&mut one.lines);
        whole.tabs.append(&mut one.tabs);
        whole.unread.append(&mut one.unread);
        whole.remarks.append(&mut one.remarks);
    }
    whole.digest = Digest::of(&bytes);
    whole.cursor = Some(whole.digest.to_string());
    Ok(whole)
}
