//! schema.org `Event` data for search engines, safe inside a `<script>` element.

use raccord_model::{Fields, Lang, Status, canonical};
use serde_json::{Value, json};

use crate::clean;
use crate::item::Item;
use crate::site::Site;
use crate::words::Span;

/// The longest description given to search engines.
const DESCRIPTION: usize = 1_000;

/// The data of one activity: no `<`, `>` or `&` stands in it, so that nothing can end the element.
pub(crate) fn write(site: &Site, lang: Lang, item: &Item) -> String {
    let activity = &item.activity;
    let mut event = Fields::new();
    let mut put = |key: &str, value: Value| event.insert(key.to_owned(), value);
    put("@context", json!("https://schema.org"));
    put("@type", json!("Event"));
    put("@id", json!(format!("urn:uuid:{}", activity.id)));
    put("name", json!(clean::line(&activity.title, 300)));
    put(
        "startDate",
        json!(item.instant(activity.start, &site.place)),
    );
    match (item.span(), activity.end) {
        (Span::Days(_, last), _) => {
            put("endDate", json!(last.to_string()));
        }
        (Span::Hours(_, Some(_)), Some(end)) => {
            put("endDate", json!(item.instant(end, &site.place)));
        }
        (Span::Hours(..), _) => {}
    }
    put(
        "eventStatus",
        json!(match activity.status {
            Status::Cancelled => "https://schema.org/EventCancelled",
            _ => "https://schema.org/EventScheduled",
        }),
    );
    put(
        "eventAttendanceMode",
        json!("https://schema.org/OfflineEventAttendanceMode"),
    );
    let place = clean::line(&site.place.name, 200);
    let room = clean::line(&activity.room, 200);
    put(
        "location",
        if room.is_empty() {
            json!({ "@type": "Place", "name": place })
        } else {
            json!({ "@type": "Place", "name": room,
                    "containedInPlace": { "@type": "Place", "name": place } })
        },
    );
    let organiser = clean::line(&activity.organiser, 200);
    put(
        "organizer",
        json!({ "@type": "Organization",
                "name": if organiser.is_empty() { &place } else { &organiser } }),
    );
    let (description, _) = clean::prose(&activity.description, DESCRIPTION);
    if !description.is_empty() {
        put("description", json!(description));
    }
    if let Some(url) = site.page(activity.id) {
        put("url", json!(url));
    }
    if let Some(url) = clean::address(&activity.url) {
        put("sameAs", json!(url));
    }
    if let Some(capacity) = activity.capacity {
        put("maximumAttendeeCapacity", json!(capacity));
    }
    put("inLanguage", json!(lang));
    harmless(&String::from_utf8_lossy(&canonical(&event)))
}

/// JSON in which no character means anything to an HTML parser.
fn harmless(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_end_the_script_element() {
        let json = harmless(&json!({ "a": "</script><script>alert(1)&amp;<!--" }).to_string());
        assert!(!json.contains(['<', '>', '&']));
        let back: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(back["a"], "</script><script>alert(1)&amp;<!--");
    }
}
