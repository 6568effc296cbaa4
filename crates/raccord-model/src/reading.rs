//! What a connector saw in its tool: a complete collection, or single changes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Digest, EntityId, EntityKind, Fields, Trace, Verb, Words};

/// What one look at a tool brought.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    /// Nothing changed since the cursor. Counts as a complete reading of the same lines.
    Unchanged {
        /// The new cursor, where the tool gave one (a new ETag for the same content).
        cursor: Option<String>,
    },
    /// Everything the tool holds.
    Complete(Reading),
    /// Single changes (a webhook, a change feed), oldest first.
    Changes {
        /// The changes.
        changes: Vec<Change>,
        /// The new cursor.
        cursor: Option<String>,
    },
    /// The same, from a tool that could not tell everything that went since the cursor: what still
    /// stands was counted instead.
    Recount {
        /// The changes.
        changes: Vec<Change>,
        /// The new cursor.
        cursor: Option<String>,
        /// What stands.
        standing: Vec<Standing>,
    },
}

/// The messages of others that stand in a room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The room, as their field `channel` says it.
    pub channel: String,
    /// All that were said from this moment on are counted,
    pub from: Timestamp,
    /// and until this one.
    pub until: Timestamp,
    /// Their subjects, as [`Change::subject`] says them. What was said meanwhile and is not among them
    /// is gone.
    pub subjects: BTreeSet<String>,
}

/// Everything a line source holds, as read at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// The digest of what was read (the file's bytes, not the lines'): equal digests are the same
    /// reading, and an approval of a held reading names it.
    pub digest: Digest,
    /// The tool's mark of this state, handed back at the next `observe`.
    pub cursor: Option<String>,
    /// The tabs that hold lines, in the document's order. [`Line::tab`] points here.
    pub tabs: Vec<Tab>,
    /// The lines, in the document's order.
    pub lines: Vec<Line>,
    /// What could not be read, for the person who wrote it.
    pub unread: Vec<Unread>,
    /// What was read but deserves a word (an unknown column), told once.
    pub remarks: Vec<Remark>,
    /// What single lines say of things that are no lines of a programme (the answers of a form),
    /// oldest first.
    pub changes: Vec<Change>,
    /// What people made of objects of ours, which are no lines (tools that are written to as well).
    pub edits: Vec<Edit>,
}

/// What people made of an object of ours.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// Of what.
    pub entity: EntityId,
    /// The fields they said otherwise than we wrote them; null where they emptied one. None at all
    /// where they say again what we wrote.
    pub fields: Fields,
}

/// One tab of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tab {
    /// Its name (for a CSV file, the file's name).
    pub name: String,
    /// For each field, the zero-based columns it is read from.
    pub columns: BTreeMap<String, Vec<u16>>,
}

/// One line that describes one entity.
///
/// A hundred thousand of these are alive at once, so the fields travel encoded.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The tool's own stable id of the line, where it has one.
    pub native: Option<String>,
    /// What the line describes.
    pub kind: EntityKind,
    /// Index into [`Reading::tabs`].
    pub tab: u16,
    /// The line's number as its program shows it (from 1).
    pub row: u32,
    /// Digest of `fields`: equal lines have equal digests.
    pub digest: Digest,
    /// The normalised fields, canonical JSON (see [`crate::canonical`]).
    pub fields: Box<[u8]>,
}

impl Line {
    /// Encodes `fields` into a line.
    pub fn new(kind: EntityKind, tab: u16, row: u32, fields: &Fields) -> Self {
        let fields = crate::canonical(fields).into_boxed_slice();
        Self {
            native: None,
            kind,
            tab,
            row,
            digest: Digest::of(&fields),
            fields,
        }
    }

    /// The fields, decoded.
    pub fn decode(&self) -> Fields {
        serde_json::from_slice(&self.fields).expect("a line's fields are canonical JSON of Fields")
    }
}

/// One thing a tool says changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The sender (a connector's name, or the `source` of a posted event).
    pub sender: String,
    /// The sender's own id of this change: the same sender and id again changes nothing.
    pub id: String,
    /// What the change is about.
    pub kind: EntityKind,
    /// What happened.
    pub verb: Verb,
    /// The sender's own id of the entity.
    pub subject: String,
    /// The fields the sender knows.
    pub fields: Fields,
    /// `correlationid`, where the sender carried one.
    pub correlation: Option<String>,
    /// `causationid`, where the sender carried one.
    pub causation: Option<String>,
    /// How many times Raccord already continued this chain.
    pub hops: u8,
    /// `traceparent` and `tracestate`, where the sender carried them.
    pub trace: Option<Trace>,
}

/// A cell, line or document that cannot be read, told to the person who can mend it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unread {
    /// The tab.
    pub sheet: String,
    /// The line's number, from 1; 0 when it is about the whole tab or document.
    pub row: u32,
    /// The column as letters (`"D"`), or `""` when it is about the line.
    pub column: String,
    /// A stable code (`date-unreadable`).
    pub code: String,
    /// What was found, as written (cut to 200 characters).
    pub found: String,
    /// What to write instead, as a full sentence.
    pub write: Words,
}

/// Something worth a word that changes nothing: an unknown column, a line that stands twice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Remark {
    /// The tab.
    pub sheet: String,
    /// The line, or 0.
    pub row: u32,
    /// A stable code (`unknown-column`, `duplicate-line`).
    pub code: String,
    /// The sentence.
    pub text: Words,
}

/// A zero-based column as spreadsheet programs name it: 0 is `A`, 26 is `AA`.
pub fn column_letters(mut index: u16) -> String {
    let mut letters = Vec::new();
    loop {
        letters.push(b'A' + (index % 26) as u8);
        if index < 26 {
            break;
        }
        index = index / 26 - 1;
    }
    letters.iter().rev().map(|&b| b as char).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_named_as_spreadsheets_do() {
        for (index, letters) in [
            (0, "A"),
            (25, "Z"),
            (26, "AA"),
            (51, "AZ"),
            (52, "BA"),
            (701, "ZZ"),
            (702, "AAA"),
        ] {
            assert_eq!(column_letters(index), letters);
        }
    }
}
