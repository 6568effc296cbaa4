//! What OCECO says of an action, in whatever form: identifiers as text or as objects, numbers as text,
//! moments as text or as milliseconds.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// An action, as `listElement` shows it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Action {
    #[serde(rename = "_id", deserialize_with = "object_id")]
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) description: Option<String>,
    #[serde(default, deserialize_with = "number")]
    pub(crate) credits: Option<i64>,
    #[serde(default, deserialize_with = "number")]
    pub(crate) min: Option<i64>,
    #[serde(default, deserialize_with = "number")]
    pub(crate) max: Option<i64>,
    #[serde(default, deserialize_with = "moment")]
    pub(crate) start_date: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    pub(crate) end_date: Option<Timestamp>,
    #[serde(default)]
    pub(crate) tags: Option<Vec<String>>,
    /// The room of Communecter it stands in: a part of its page's address.
    #[serde(default)]
    pub(crate) id_parent_room: Option<String>,
    #[serde(default)]
    links: Option<Links>,
}

#[derive(Clone, Debug, Deserialize)]
struct Links {
    #[serde(default)]
    contributors: Option<BTreeMap<String, Value>>,
}

impl Action {
    /// Who took it; nothing where it is not said, which proves nothing.
    pub(crate) fn contributors(&self) -> Option<BTreeSet<&str>> {
        let all = self.links.as_ref()?.contributors.as_ref()?;
        Some(all.keys().map(String::as_str).collect())
    }

    /// Whether it bears this tag.
    pub(crate) fn bears(&self, mark: &str) -> bool {
        let mut tags = self.tags.iter().flatten();
        tags.any(|tag| tag == mark)
    }
}

/// An identifier: text, or an object around it (`_str` of Meteor, `$id` of PHP, `$value` of DDP).
pub(crate) fn id_of(value: &Value) -> Option<&str> {
    let inside = ["_str", "$id", "$oid", "$value"]
        .into_iter()
        .find_map(|key| value.get(key)?.as_str());
    let id = value.as_str().or(inside)?;
    (!id.is_empty() && id.len() <= 64).then_some(id)
}

/// A whole number, or the text of one.
pub(crate) fn whole(value: &Value) -> Option<i64> {
    let text = |value: &Value| value.as_str()?.trim().parse().ok();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a cast of a float saturates; the place counts in hundreds"
    )]
    let rounded = |value: &Value| Some(value.as_f64()? as i64);
    value
        .as_i64()
        .or_else(|| text(value))
        .or_else(|| rounded(value))
}

/// A moment: text with an offset, or milliseconds (`$date` of DDP).
pub(crate) fn instant(value: &Value) -> Option<Timestamp> {
    let millis = value.get("$date").unwrap_or(value).as_i64();
    match (value.as_str(), millis) {
        (Some(text), _) => text.parse().ok(),
        (None, Some(millis)) => Timestamp::from_millisecond(millis).ok(),
        (None, None) => None,
    }
}

fn object_id<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let value = Value::deserialize(from)?;
    let id = id_of(&value).map(str::to_owned);
    id.ok_or_else(|| serde::de::Error::custom("an identifier"))
}

fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    Ok(whole(&Value::deserialize(from)?))
}

fn moment<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(instant(&Value::deserialize(from)?))
}
