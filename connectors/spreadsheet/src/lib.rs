//! Reads the lines of a spreadsheet (CSV, XLSX, ODS), from disk or over http, as people write
//! them: French and English, with their own words, dates and hours.
//!
//! A line it can read becomes the fields of an activity; a cell it cannot read is told in words,
//! and never stops the rest; a document it cannot read says nothing about what it held before. It
//! never writes to the sheet, and never decides which line is which activity: that is the engine's.
//!
//! Written from ODF 1.3, ECMA-376 and RFC 4180, and from what LibreOffice 7.4 and openpyxl write.

#![allow(
    clippy::result_large_err,
    reason = "a Failure carries words for people; it is rare, and never on a fast path"
)]

mod config;
mod cursor;
mod decode;
mod document;
mod error;
mod field;
mod grid;
mod header;
mod kinds;
mod limits;
mod memo;
mod messages;
mod parse;
mod source;
mod table;
mod text;
mod when;
mod words;

use std::io::{Read, Seek};

use raccord_kit::secret::SecretSource;
use raccord_kit::settings::settings;
use raccord_kit::{Connector, Kit, Tool};
use raccord_model::{Failure, Reading};
use serde_json::Value;

use config::Settings;
use header::Chosen;
use source::Spreadsheet;
use table::Rules;

/// The connector, for the program's table.
pub const CONNECTOR: Connector = Connector {
    kind: KIND,
    version: env!("CARGO_PKG_VERSION"),
    card: include_str!("../connector.toml"),
    settings: || schemars::schema_for!(Settings),
    build,
};

const KIND: &str = "spreadsheet";

fn build(value: Value, kit: &Kit) -> Result<Box<dyn Tool>, Failure> {
    let settings: Settings = settings(value)?;
    let chosen = Chosen::of(&settings.columns).map_err(|key| {
        let known: Vec<&str> = field::Field::ALL.iter().map(|field| field.name()).collect();
        error::settings(
            &format!("columns.{key}"),
            &format!(
                "ce n’est pas un champ ; il y a {}, et extra.<nom>",
                known.join(", ")
            ),
            &format!(
                "it is no field; there are {}, and extra.<name>",
                known.join(", ")
            ),
        )
    })?;
    if settings.every.get() < std::time::Duration::from_secs(1) {
        return Err(error::settings(
            "every",
            "au moins une seconde, par exemple \"30s\"",
            "at least a second, for example \"30s\"",
        ));
    }
    let password = SecretSource::new(
        "password",
        settings.password,
        settings.password_file.as_deref(),
        kit,
    )?;
    Ok(Box::new(Spreadsheet {
        location: source::locate(&settings.location, settings.user, password, kit)?,
        every: settings.every.get(),
        rules: Rules {
            chosen,
            sheet: settings.sheet,
            year: settings.year,
            today: None,
        },
        kit: kit.clone(),
    }))
}

/// Reads a document called `name` as the connector does without settings: for measurements and
/// fuzzing.
///
/// # Errors
/// When it is no sheet that can be read.
pub fn read<R: Read + Seek>(document: &mut R, name: &str) -> Result<Reading, Failure> {
    document::read(document, name, &Rules::default()).map(|(reading, _)| reading)
}
