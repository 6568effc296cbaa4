//! An activity whose date is yet to be chosen: announced, open for sign-ups, and on no day.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Entity, EntityId, EntityKind, Status, Visibility};

/// The field that says that the date is yet to be chosen.
pub const UNDATED: &str = "undated";

/// What is known of an activity whose date is yet to be chosen. It is no [`crate::Activity`]: nothing
/// that counts days can take it for one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undated {
    /// Its id, which it keeps once it has a date.
    pub id: EntityId,
    /// What it is called.
    pub title: String,
    /// The kind of activity, in the place's own words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// The room.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub room: String,
    /// Who runs it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub organiser: String,
    /// What it is about, plain text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Who may see it.
    #[serde(default)]
    pub visibility: Visibility,
    /// Whether it takes place at all.
    #[serde(default)]
    pub status: Status,
    /// The page on which its date is chosen.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub poll: String,
    /// Its own page elsewhere.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// The page on which one signs up for it, where that is not ours.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub register: String,
    /// The address of its how-to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub guide: String,
    /// How many people can come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
}

impl Undated {
    /// What an entity's fields say; nothing for what has a date, or whose date is missing without a
    /// word (a draft).
    pub fn of(entity: &Entity) -> Option<Self> {
        let undated = entity.fields.get(UNDATED) == Some(&Value::Bool(true));
        if entity.kind != EntityKind::Activity || !undated || entity.fields.contains_key("start") {
            return None;
        }
        let mut fields: serde_json::Map<String, Value> =
            entity.fields.clone().into_iter().collect();
        fields.insert("id".into(), Value::String(entity.id.to_string()));
        serde_json::from_value(Value::Object(fields)).ok()
    }

    /// Those of ours among `entities` that everyone may see, by title.
    pub fn public(entities: &[Entity]) -> Vec<Self> {
        let ours = entities.iter().filter(|entity| !entity.is_foreign());
        let mut all: Vec<Self> = ours.filter_map(Self::of).filter(Self::is_public).collect();
        all.sort_by(|a, b| (&a.title, a.id).cmp(&(&b.title, b.id)));
        all
    }

    /// Whether everyone may see it: what is off without ever having had a date is not announced.
    pub fn is_public(&self) -> bool {
        let on = !matches!(self.status, Status::Draft | Status::Cancelled);
        self.visibility == Visibility::Public && on
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_says_so_and_has_no_date_is_yet_to_be_dated() {
        let of = |fields: Value| {
            Undated::of(&Entity {
                id: EntityId::derive(&[b"bal"]),
                kind: EntityKind::Activity,
                revision: 1,
                source: "sheet".to_owned(),
                fields: serde_json::from_value(fields).expect("fields"),
            })
        };
        let poll = "https://framadate.org/bal";
        let bal = of(json!({ "title": "Bal", "undated": true, "poll": poll, "capacity": 30 }));
        let bal = bal.expect("its date is to be chosen");
        assert_eq!((bal.poll.as_str(), bal.capacity), (poll, Some(30)));
        assert!(bal.is_public());
        for (other, why) in [
            (json!({ "title": "Bal", "status": "draft" }), "a draft"),
            (
                json!({ "title": "Bal", "undated": true, "start": "2027-01-02" }),
                "it has a date",
            ),
            (json!({ "title": "Bal", "undated": "yes" }), "no word of it"),
        ] {
            assert_eq!(of(other), None, "{why}");
        }
        for hidden in [
            json!({ "status": "cancelled" }),
            json!({ "visibility": "internal" }),
        ] {
            let mut fields = json!({ "title": "Bal", "undated": true });
            let all = fields.as_object_mut().expect("an object");
            all.extend(hidden.as_object().cloned().expect("an object"));
            assert!(!of(fields).expect("undated").is_public());
        }
    }
}
