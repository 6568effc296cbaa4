//! The chain through all entries: what was changed, taken out or put elsewhere shows.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use raccord_model::{EntityId, Fields, PlaceId, canonical};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::book::{Book, Entry};

/// A SHA-256 value; written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Chain(pub [u8; 32]);

/// What the first entry is chained to.
pub const START: Chain = Chain([0; 32]);

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Chain {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(());
        }
        for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(drop)?;
        }
        Ok(Self(bytes))
    }
}

/// Fields that are not part of an entry's content: personal ones, which may be forgotten, and those
/// that follow from the rest.
const BESIDE: [&str; 4] = ["card", "email", "chain", "state"];

/// What an entry says, as bytes: JSON with sorted keys, its id and its place among them. The same
/// bytes are chained, hashed for the month's root, and signed in the receipt.
pub fn content(place: &PlaceId, id: EntityId, fields: &Fields) -> Vec<u8> {
    let mut said = fields.clone();
    for name in BESIDE {
        said.remove(name);
    }
    said.insert("id".into(), json!(id.to_string()));
    said.insert("place".into(), json!(place.as_str()));
    canonical(&said)
}

/// The chain value of an entry with this content.
pub fn next(before: Chain, content: &[u8]) -> Chain {
    let mut hash = Sha256::new();
    hash.update(before.0);
    hash.update(content);
    Chain(hash.finalize().into())
}

/// What is wrong with a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No entry has this number.
    Missing(u64),
    /// Several entries have this number.
    Twice(u64),
    /// The entry with this number, or one before it, is not what was entered.
    Changed(u64),
    /// A credit has no number, person or amount.
    Unreadable(EntityId),
    /// The sums do not balance from this entry on.
    Unbalanced(u64),
}

/// Checks a whole ledger. Each fault is told once: after an entry that was changed, those that
/// follow are chained to what they themselves say.
pub fn verify<'a>(
    place: &PlaceId,
    credits: impl IntoIterator<Item = (EntityId, &'a Fields)>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut all: BTreeMap<u64, (EntityId, &Fields, Entry)> = BTreeMap::new();
    for (id, fields) in credits {
        match Entry::read(id, fields) {
            None => faults.push(Fault::Unreadable(id)),
            Some(entry) => {
                let number = entry.number;
                if all.insert(number, (id, fields, entry)).is_some() {
                    faults.push(Fault::Twice(number));
                }
            }
        }
    }
    let mut book = Book::default();
    let mut before = START;
    let mut expected = 1;
    for (number, (id, fields, entry)) in all {
        faults.extend((expected..number).take(1_000).map(Fault::Missing));
        let said = fields.get("chain").and_then(Value::as_str);
        let said = said.and_then(|text| text.parse().ok());
        let now = next(before, &content(place, id, fields));
        if said != Some(now) {
            faults.push(Fault::Changed(number));
        }
        before = said.unwrap_or(now);
        if book.post(&entry).is_err() {
            faults.push(Fault::Unbalanced(number));
        }
        expected = number.saturating_add(1);
    }
    faults
}
