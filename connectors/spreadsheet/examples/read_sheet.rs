//! Shows how a sheet is read: `cargo run --example read_sheet FILE`.

#![allow(clippy::print_stdout, reason = "an answer for people to read")]

use std::fs::File;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("which file?")?;
    let name = path.rsplit('/').next().unwrap_or(&path);
    let reading = raccord_connector_spreadsheet::read(&mut File::open(&path)?, name)?;
    for line in &reading.lines {
        let tab = &reading.tabs[usize::from(line.tab)];
        println!(
            "{} {}: {}",
            tab.name,
            line.row,
            String::from_utf8_lossy(&line.fields)
        );
    }
    for unread in &reading.unread {
        println!(
            "! {} {}{} {}: {} / {}",
            unread.sheet, unread.column, unread.row, unread.code, unread.write.fr, unread.write.en
        );
    }
    for remark in &reading.remarks {
        println!(
            "? {} {} {}: {}",
            remark.sheet, remark.row, remark.code, remark.text.fr
        );
    }
    Ok(())
}
