//! When each activity was last changed, as far as readers of the site are concerned.
//!
//! An entity carries no date of change, and `render` reads no clock. So `apply` compares what it
//! is about to publish with what `activities.json` says already: what is the same keeps its
//! instant, the rest gets the present one. Making the same effect again changes nothing, and a
//! site written anew in an empty folder is all new, which for its readers it is.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

/// The instants in what was published before.
#[derive(Debug, Default)]
pub(crate) struct Stamps {
    known: BTreeMap<String, (Value, Timestamp)>,
    /// When the list was made.
    pub(crate) generated: Option<Timestamp>,
}

impl Stamps {
    /// The instants in a list of activities; one that is not ours counts as empty.
    pub(crate) fn of_list(text: &[u8]) -> Self {
        Self::parse(text).unwrap_or_default()
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let mut list: Value = serde_json::from_slice(text).ok()?;
        let generated = list["generated"].as_str().and_then(|at| at.parse().ok());
        let mut known = BTreeMap::new();
        for activity in list["activities"].as_array_mut()? {
            let Some(object) = activity.as_object_mut() else {
                continue;
            };
            let changed = object
                .remove("updated")
                .and_then(|at| at.as_str()?.parse().ok());
            let id = object.get("id").and_then(Value::as_str).map(str::to_owned);
            if let (Some(id), Some(changed)) = (id, changed) {
                known.insert(id, (activity.take(), changed));
            }
        }
        Some(Self { known, generated })
    }

    /// The instant of an activity: the one it had if it is still the same, else `now`.
    pub(crate) fn of(&self, id: &str, activity: &Value, now: Timestamp) -> Timestamp {
        match self.known.get(id) {
            Some((known, changed)) if known == activity => *changed,
            _ => now,
        }
    }
}

/// The instant in a calendar file of one activity.
pub(crate) fn in_calendar(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("DTSTAMP:"))?;
    let civil = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", line.trim_end()).ok()?;
    Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

/// `at` without the part of a second: what the formats can carry.
pub(crate) fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
