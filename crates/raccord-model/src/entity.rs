//! Entities: what the bus speaks of.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Digest, EntityId};

/// The fields of an entity, by name. Absent means not known; null is never kept.
pub type Fields = BTreeMap<String, Value>;

/// The kinds of entity, as in the design's table of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntityKind {
    /// An item of the programme.
    Activity,
    /// Work to be done, with or without an activity.
    Task,
    /// Somebody.
    Person,
    /// A person's sign-up for an activity or a task.
    Registration,
    /// Units granted to, or taken back from, a person.
    Credit,
    /// A chat message.
    Message,
    /// A thread in a forum or a mailing list.
    Discussion,
    /// A composed output for a period.
    Publication,
    /// Something organisers or sysadmins must know.
    Notice,
}

impl EntityKind {
    /// All kinds, in the order of the design's table.
    pub const ALL: [Self; 9] = [
        Self::Activity,
        Self::Task,
        Self::Person,
        Self::Registration,
        Self::Credit,
        Self::Message,
        Self::Discussion,
        Self::Publication,
        Self::Notice,
    ];

    /// The name used in event types and subjects.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Activity => "activity",
            Self::Task => "task",
            Self::Person => "person",
            Self::Registration => "registration",
            Self::Credit => "credit",
            Self::Message => "message",
            Self::Discussion => "discussion",
            Self::Publication => "publication",
            Self::Notice => "notice",
        }
    }
}

impl fmt::Display for EntityKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EntityKind {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("no entity is called {text:?}"))
    }
}

/// An entity as it is now: what `render` sees.
#[derive(Clone, Debug, PartialEq)]
pub struct Entity {
    /// Its id.
    pub id: EntityId,
    /// What it is.
    pub kind: EntityKind,
    /// How many times it was created or changed, from 1.
    pub revision: u64,
    /// The connector or sender it belongs to.
    pub source: String,
    /// Its fields; personal values are in clear here.
    pub fields: Fields,
}

impl Entity {
    /// The text of a field, or `""`.
    pub fn text(&self, field: &str) -> &str {
        self.fields
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Whether another place offers it.
    pub fn is_foreign(&self) -> bool {
        self.fields.contains_key(ORIGIN)
    }
}

/// The field that names the place something was offered by. What has it is not ours: no rule takes
/// it that does not name this field (see [`crate::When`]).
pub const ORIGIN: &str = "origin";

/// The fields that hold personal values: a commit names a slot in their place (design, section 6).
pub const PERSONAL: &[(EntityKind, &[&str])] = &[
    (EntityKind::Activity, &["contact"]),
    (
        EntityKind::Person,
        &["name", "email", "phone", "identities", "letters"],
    ),
    (EntityKind::Registration, &["name", "email", "comment"]),
    (EntityKind::Credit, &["card", "email"]),
    (EntityKind::Message, &["author", "text", "words", "reacted"]),
    (EntityKind::Discussion, &["author", "text"]),
];

/// The name of a place in the side table where a personal value lies.
pub type Slot = String;

/// The stand-in for a personal value in a commit: `{"$slot": "..."}`.
pub fn slot_value(slot: &str) -> Value {
    serde_json::json!({ "$slot": slot })
}

/// The slot a value stands for, if it is a stand-in.
pub fn slot_of(value: &Value) -> Option<&str> {
    let object = value.as_object()?;
    (object.len() == 1).then(|| object.get("$slot")?.as_str())?
}

/// The bytes of `fields` with all object keys sorted: equal fields have equal bytes.
pub fn canonical(fields: &Fields) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    out.push(b'{');
    for (index, (key, value)) in fields.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_text(&mut out, key);
        out.push(b':');
        write_sorted(&mut out, value);
    }
    out.push(b'}');
    out
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a string always serialises into memory");
}

fn write_sorted(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            out.push(b'{');
            for (index, (key, value)) in entries.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_text(out, key);
                out.push(b':');
                write_sorted(out, value);
            }
            out.push(b'}');
        }
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_sorted(out, item);
            }
            out.push(b']');
        }
        plain => serde_json::to_writer(out, plain).expect("a plain value always serialises"),
    }
}

/// The digest of fields, whatever the order they came in.
pub fn digest_of(fields: &Fields) -> Digest {
    Digest::of(&canonical(fields))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn key_order_does_not_change_the_digest() {
        let one: Fields =
            serde_json::from_str(r#"{"a":{"x":1,"y":[{"p":1,"q":2}]},"b":2}"#).unwrap();
        let two: Fields =
            serde_json::from_str(r#"{"b":2,"a":{"y":[{"q":2,"p":1}],"x":1}}"#).unwrap();
        assert_eq!(digest_of(&one), digest_of(&two));
    }

    #[test]
    fn only_a_lone_slot_key_is_a_stand_in() {
        assert_eq!(slot_of(&slot_value("k")), Some("k"));
        assert_eq!(slot_of(&json!({"$slot": "k", "more": 1})), None);
        assert_eq!(slot_of(&json!("k")), None);
    }
}
