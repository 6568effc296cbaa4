//! The organisers' sheet: what people write, and what a reading of it sees.

use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use raccord_model::{Digest, EntityKind, Fields, Line, Observation, Reading, Tab};
use serde_json::json;

/// A line as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// How often its title was changed.
    pub title: u32,
    /// How many days after the first day it is.
    pub day: i32,
    /// Whether its status says cancelled.
    pub cancelled: bool,
    /// Whether it is only for members.
    pub internal: bool,
    /// Whether most of it was written anew.
    pub reworked: bool,
}

/// Words that tell lines apart.
const WORDS: [&str; 24] = [
    "Potager",
    "Chorale",
    "Vélo",
    "Tricot",
    "Échecs",
    "Forge",
    "Lecture",
    "Cuisine",
    "Théâtre",
    "Yoga",
    "Céramique",
    "Radio",
    "Couture",
    "Astronomie",
    "Débat",
    "Troc",
    "Menuiserie",
    "Samba",
    "Photo",
    "Herbier",
    "Crêpes",
    "Marché",
    "Ciné",
    "Bal",
];

/// The sheet.
#[derive(Clone, Debug, Default)]
pub struct Sheet {
    /// The lines, by key.
    pub rows: BTreeMap<u32, Row>,
    /// Lines somebody took out, as they were.
    pub cut: BTreeMap<u32, Row>,
    /// Lines an accident took out, as they were.
    pub spilt: BTreeMap<u32, Row>,
    /// The next key.
    pub next: u32,
    /// Whether its lines have no ids of their own.
    pub nameless: bool,
}

/// The first day of the story.
pub const FIRST: Date = date(2026, 12, 1);

impl Row {
    fn words(&self, key: u32) -> String {
        let word = |at: u32| WORDS[(at % 24) as usize];
        let ending = "!".repeat(self.title as usize % 5);
        if self.reworked {
            format!("{} autrement {key}{ending}", word(key * 7 + 5))
        } else {
            format!("{} {} {key}{ending}", word(key), word(key * 5 + 3))
        }
    }

    /// What the line says.
    pub fn fields(&self, key: u32) -> Fields {
        let day = FIRST.saturating_add(jiff::Span::new().days(self.day));
        let mut fields: Fields = [
            ("title".to_owned(), json!(self.words(key))),
            (
                "kind".to_owned(),
                json!(if key.is_multiple_of(2) {
                    "Réunion"
                } else {
                    "Concert"
                }),
            ),
            ("organiser".to_owned(), json!(format!("k{key}"))),
            ("start".to_owned(), json!(format!("{day}T18:30"))),
            (
                "contact".to_owned(),
                json!(format!("canary{key}@example.org")),
            ),
        ]
        .into();
        if self.cancelled {
            fields.insert("status".into(), json!("cancelled"));
        }
        if self.internal {
            fields.insert("visibility".into(), json!("internal"));
        }
        fields
    }
}

impl Sheet {
    /// What a complete reading sees.
    pub fn read(&self, cursor: Option<&str>) -> Observation {
        let lines: Vec<Line> = self
            .rows
            .iter()
            .enumerate()
            .map(|(index, (&key, row))| {
                let mut line =
                    Line::new(EntityKind::Activity, 0, index as u32 + 2, &row.fields(key));
                line.native = (!self.nameless).then(|| format!("n{key}"));
                line
            })
            .collect();
        let bytes: Vec<u8> = lines.iter().flat_map(|line| line.digest.0).collect();
        let digest = Digest::of(&bytes);
        let mark = digest.to_string();
        if cursor == Some(mark.as_str()) {
            return Observation::Unchanged { cursor: Some(mark) };
        }
        let tab = Tab {
            name: "Programme".into(),
            columns: BTreeMap::new(),
        };
        Observation::Complete(Reading {
            digest,
            cursor: Some(mark),
            tabs: vec![tab],
            lines,
            unread: Vec::new(),
            remarks: Vec::new(),
            edits: Vec::new(),
            changes: Vec::new(),
        })
    }

    /// The key of the line with a digest.
    pub fn key_of(&self, digest: Digest) -> Option<u32> {
        let lines = self.rows.iter().chain(&self.cut).chain(&self.spilt);
        lines
            .into_iter()
            .find(|(key, row)| {
                Line::new(EntityKind::Activity, 0, 0, &row.fields(**key)).digest == digest
            })
            .map(|(&key, _)| key)
    }

    /// The key of the `pick`-th line, counted round.
    pub fn pick(&self, pick: u64) -> Option<u32> {
        let len = self.rows.len() as u64;
        self.rows
            .keys()
            .nth((pick.checked_rem(len)?) as usize)
            .copied()
    }
}
