//! `activities.json`: the public activities as data, without contacts, in the bus's own words.

use jiff::Timestamp;
use raccord_model::{Fields, Undated, canonical};
use serde_json::{Value, json};

use crate::item::Item;

/// An activity as it stands in the list, without its instant.
pub(crate) fn activity(item: &Item) -> Value {
    serde_json::to_value(&item.activity).unwrap_or_default()
}

/// The list. Each activity stands on a line of its own, so that two versions compare well.
///
/// What has no date yet stands in a list of its own: whoever reads activities counts on their days.
pub(crate) fn write(
    generated: Timestamp,
    activities: &[(Value, Timestamp)],
    undated: &[Undated],
) -> String {
    let mut out = format!("{{\"generated\":{},\"activities\":[", json!(generated));
    for (index, (activity, changed)) in activities.iter().enumerate() {
        out.push_str(if index == 0 { "\n" } else { ",\n" });
        let mut fields: Fields = match activity {
            Value::Object(map) => map.clone().into_iter().collect(),
            _ => Fields::new(),
        };
        fields.insert("updated".to_owned(), json!(changed));
        // Keys in one order, whatever features the JSON library was built with.
        out.push_str(&String::from_utf8_lossy(&canonical(&fields)));
    }
    out.push_str("\n]");
    for (index, activity) in undated.iter().enumerate() {
        out.push_str(if index == 0 {
            ",\"undated\":[\n"
        } else {
            ",\n"
        });
        let fields: Fields = match json!(activity) {
            Value::Object(map) => map.into_iter().collect(),
            _ => Fields::new(),
        };
        out.push_str(&String::from_utf8_lossy(&canonical(&fields)));
    }
    if !undated.is_empty() {
        out.push_str("\n]");
    }
    out.push_str("}\n");
    out
}
