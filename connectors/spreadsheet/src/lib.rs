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

mod answers;
mod config;
mod cursor;
mod decode;
mod document;
mod error;
mod field;
mod grid;
mod header;
mod hook;
mod kinds;
mod limits;
mod memo;
mod messages;
mod parse;
mod reach;
mod refusals;
#[cfg(test)]
mod said;
mod source;
mod table;
mod text;
mod when;
mod words;

use std::io::{Read, Seek};

use bytes::Bytes;
use raccord_kit::secret::SecretSource;
use raccord_kit::settings::{Gathered, settings};
use raccord_kit::{Connector, Finding, Kit, Tool};
use raccord_model::{Failure, Reading};
use serde_json::Value;

use config::Settings;
use header::Chosen;
use reach::{Document, Table};
use source::{Account, Answering, Spreadsheet};
use table::Rules;

/// The connector, for the program's table.
pub const CONNECTOR: Connector = Connector {
    kind: KIND,
    version: env!("CARGO_PKG_VERSION"),
    card: include_str!("../connector.toml"),
    settings: raccord_kit::settings::Shape::of::<Settings>(),
    build,
};

const KIND: &str = "spreadsheet";

fn build(value: Value, kit: &Kit) -> Result<Box<dyn Tool>, Vec<Finding>> {
    let settings: Settings = settings(value)?;
    let mut wrong = Gathered::default();
    let answers = settings
        .answers
        .as_ref()
        .map(|given| answering(given, &settings));
    let (chosen, unknown) = match &answers {
        Some((_, unknown, _)) => (Chosen::default(), unknown.clone()),
        None => Chosen::of(&settings.columns),
    };
    for key in unknown {
        let failure = match answers {
            Some(_) => error::no_answer_field(&key),
            None => error::no_field(&key),
        };
        wrong.take::<()>(&format!("columns.{key}"), Err(failure));
    }
    if let Some((_, _, Err(failure))) = &answers {
        wrong.take::<()>("answers.date", Err(failure.clone()));
    }
    let every = settings.every.get();
    if every < std::time::Duration::from_secs(1) {
        wrong.take::<()>("every", Err(error::too_often()));
    }
    let file = settings.password_file.as_deref();
    let locked = settings.password.is_some() || file.is_some();
    let password = SecretSource::new("password", settings.password, file, kit);
    let account = Account {
        user: settings.user,
        password: wrong.take("password", password).flatten(),
        locked,
    };
    let sheet = settings.sheet.as_deref();
    let location = source::locate(&settings.location, sheet, account, kit)
        .map_err(|(key, failure)| wrong.take::<()>(key, Err(failure)))
        .ok();
    let file = settings.hook_secret_file.as_deref();
    let hook_secret = SecretSource::new("hook_secret", settings.hook_secret, file, kit);
    let hook_secret = wrong.take("hook_secret", hook_secret).flatten();
    let found = wrong.findings();
    match location {
        Some(location) if found.is_empty() => Ok(Box::new(Spreadsheet {
            location,
            hook_secret,
            every,
            rules: Rules {
                chosen,
                sheet: settings.sheet,
                tasks: settings.tasks,
                year: settings
                    .year
                    .and_then(|year| i16::try_from(year.get()).ok()),
                today: None,
                answers: None,
            },
            answers: answers.map(|(answering, ..)| answering),
            kit: kit.clone(),
        })),
        _ => Err(found),
    }
}

/// How answers are read; also the keys of columns that are none, and what is wrong with the day.
fn answering(
    given: &config::Answers,
    settings: &Settings,
) -> (Answering, Vec<String>, Result<(), Failure>) {
    let (chosen, unknown) = answers::Chosen::of(&settings.columns);
    let date = given.date.as_deref().map(str::parse).transpose();
    let wrong = date.as_ref().map(|_| ()).map_err(|_| error::no_day());
    let named = answers::Named {
        activity: given.activity.clone().map(raccord_kit::settings::Text::get),
        date: date.ok().flatten(),
    };
    let answering = Answering {
        chosen,
        named,
        offered: std::sync::Mutex::default(),
    };
    (answering, unknown, wrong)
}

/// Reads a document called `name` as the connector does without settings: for measurements and
/// fuzzing.
///
/// # Errors
/// When it is no sheet that can be read.
pub fn read<R: Read + Seek>(document: &mut R, name: &str) -> Result<Reading, Failure> {
    document::read(document, name, &Rules::default()).map(|(reading, _)| reading)
}

/// Reads a room of EtherCalc, as its server saves it, as the connector does without settings: for
/// measurements and fuzzing.
///
/// # Errors
/// When it is no room that can be read.
pub fn read_room(text: &[u8], name: &str) -> Result<Reading, Failure> {
    let rooms = vec![(name.to_owned(), Bytes::copy_from_slice(text))];
    document::read_parts(&Document::Rooms(rooms), &Rules::default()).map(|(reading, _)| reading)
}

/// Reads a table of Grist from what is said of its columns and records, as the connector does
/// without settings: for measurements and fuzzing.
///
/// # Errors
/// When these are no columns and records, or none that can be read.
pub fn read_table(columns: &[u8], records: &[u8], name: &str) -> Result<Reading, Failure> {
    let tables = vec![Table {
        name: name.to_owned(),
        mark: name.to_owned(),
        columns: Bytes::copy_from_slice(columns),
        records: Bytes::copy_from_slice(records),
    }];
    document::read_parts(&Document::Tables(tables), &Rules::default()).map(|(reading, _)| reading)
}

/// Reads a document called `name` as the answers of a form for `activity`, with what one can sign up
/// for: for fuzzing.
///
/// # Errors
/// When it is no sheet of answers that can be read.
pub fn read_answers<R: Read + Seek>(
    document: &mut R,
    name: &str,
    activity: Option<String>,
    offered: Vec<raccord_model::Offered>,
) -> Result<Reading, Failure> {
    let now = jiff::civil::DateTime::constant(2027, 1, 2, 12, 0, 0, 0);
    let answers = answers::Rules {
        sheet: None,
        chosen: answers::Chosen::default(),
        named: answers::Named {
            activity,
            date: None,
        },
        offered,
        now,
        zone: jiff::tz::TimeZone::UTC,
        told: answers::Told::default(),
    };
    let rules = Rules {
        answers: Some(std::sync::Arc::new(answers)),
        ..Rules::default()
    };
    document::read(document, name, &rules).map(|(reading, _)| reading)
}

/// Looks at an address as people paste it, as the connector does: for fuzzing. The host that would
/// be asked.
///
/// # Errors
/// When it is none, or certainly leads to no sheet.
pub fn host_of(location: &str) -> Result<String, Failure> {
    reach::address::recognise(location).map(|address| address.host().to_owned())
}
