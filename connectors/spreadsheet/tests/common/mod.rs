//! What the tests of the spreadsheet connector share.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses its own part; tests"
)]

use std::path::{Path, PathBuf};

use raccord_connector_spreadsheet::CONNECTOR;
use raccord_kit::testing::kit;
use raccord_kit::{Kit, Tool};
use raccord_model::{Failure, Fields, Observation, Reading};
use serde_json::{Value, json};

/// The folder of the samples.
pub(crate) fn samples() -> PathBuf {
    PathBuf::from("tests/samples")
}

/// A connector with these settings.
pub(crate) fn tool(settings: Value) -> Box<dyn Tool> {
    tool_in(settings, &kit())
}

pub(crate) fn tool_in(settings: Value, kit: &Kit) -> Box<dyn Tool> {
    (CONNECTOR.build)(settings, kit).unwrap()
}

/// One look.
pub(crate) fn observe(tool: &dyn Tool, cursor: Option<&str>) -> Result<Observation, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(tool.source().unwrap().observe(cursor))
}

/// A whole reading of a file.
pub(crate) fn read_file(path: &Path) -> Result<Reading, Failure> {
    read_with(path, json!({}))
}

pub(crate) fn read_with(path: &Path, mut settings: Value) -> Result<Reading, Failure> {
    settings["location"] = json!(path.to_str().unwrap());
    match observe(&*tool(settings), None)? {
        Observation::Complete(reading) => Ok(reading),
        other => panic!("a first look is a whole reading: {other:?}"),
    }
}

/// A whole reading of these bytes, as a file of that name.
pub(crate) fn read_bytes(name: &str, bytes: &[u8]) -> Result<Reading, Failure> {
    read_bytes_with(name, bytes, json!({}))
}

pub(crate) fn read_bytes_with(
    name: &str,
    bytes: &[u8],
    settings: Value,
) -> Result<Reading, Failure> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    read_with(&path, settings)
}

/// A whole reading of a CSV.
pub(crate) fn csv(text: &str) -> Reading {
    read_bytes("programme.csv", text.as_bytes()).unwrap()
}

/// The fields of each line.
pub(crate) fn fields(reading: &Reading) -> Vec<Fields> {
    reading
        .lines
        .iter()
        .map(raccord_model::Line::decode)
        .collect()
}

/// One line as `title | start | end | status`, with `-` for what is absent.
pub(crate) fn brief(reading: &Reading) -> Vec<String> {
    fields(reading)
        .iter()
        .map(|fields| {
            ["title", "start", "end", "status"]
                .map(|name| fields.get(name).and_then(Value::as_str).unwrap_or("-"))
                .join(" | ")
        })
        .collect()
}

/// What could not be read, as `A2 code`.
pub(crate) fn unread(reading: &Reading) -> Vec<String> {
    reading
        .unread
        .iter()
        .map(|unread| format!("{}{} {}", unread.column, unread.row, unread.code))
        .collect()
}

/// Remarks, as `row code`.
pub(crate) fn remarks(reading: &Reading) -> Vec<String> {
    reading
        .remarks
        .iter()
        .map(|remark| format!("{} {}", remark.row, remark.code))
        .collect()
}

/// The code of an error, which says in both languages what to do.
pub(crate) fn code(result: Result<Reading, raccord_model::Failure>) -> String {
    match result {
        Err(failure) => {
            assert!(!failure.text.fr.is_empty() && !failure.text.en.is_empty());
            assert!(!failure.mend.fr.is_empty() && !failure.mend.en.is_empty());
            failure.code
        }
        Ok(reading) => panic!("read {} lines", reading.lines.len()),
    }
}

/// A compressed archive of these parts.
pub(crate) fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        std::io::Write::write_all(&mut zip, content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}
