//! One activity of the list, made fit: pure, and for whatever anybody may have written.

use jiff::tz::TimeZone;
use raccord_look::clean;
use raccord_model::{Civil, Fields, ORIGIN};
use serde_json::{Map, Value, json};

/// The longest texts that are taken, in characters.
const TITLE: usize = 200;
const KIND: usize = 60;
const ROOM: usize = 100;
const DESCRIPTION: usize = 2_000;
const TAG: usize = 50;
/// The most labels.
const TAGS: usize = 10;
/// The longest address, in bytes.
const ADDRESS: usize = 500;

/// What one entry of the list comes to.
#[derive(Debug, PartialEq)]
pub(crate) enum Entry {
    /// It is offered.
    Offered(Fields),
    /// It is not: cancelled, a draft, or somebody else's.
    NotOffered,
    /// Nobody can tell.
    NotUnderstood,
}

/// Who offers it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct From<'a> {
    /// The name the settings give that place.
    pub(crate) name: &'a str,
    /// Its site.
    pub(crate) site: &'a str,
}

/// Reads an entry.
pub(crate) fn read(entry: &Map<String, Value>, from: From<'_>) -> Entry {
    let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
    // What came to that place from a third is not that place's to offer.
    if entry.contains_key(ORIGIN) {
        return Entry::NotOffered;
    }
    let status = match text("status") {
        "" | "confirmed" => None,
        known @ ("tentative" | "full") => Some(known),
        "cancelled" | "draft" => return Entry::NotOffered,
        _ => return Entry::NotUnderstood,
    };
    let title = clean::line(text("title"), TITLE);
    let (Ok(start), Some(zone)) = (text("start").parse::<Civil>(), zone(text("zone"))) else {
        return Entry::NotUnderstood;
    };
    if title.is_empty() {
        return Entry::NotUnderstood;
    }
    let mut fields = Fields::from([
        ("title".to_owned(), json!(title)),
        ("start".to_owned(), json!(start)),
        ("zone".to_owned(), json!(zone)),
        ("room".to_owned(), json!(room(from.name, text("room")))),
        (ORIGIN.to_owned(), json!(from.name)),
    ]);
    let mut put = |name: &str, text: &str| {
        if !text.is_empty() {
            fields.insert(name.to_owned(), json!(text));
        }
    };
    put("kind", &clean::line(text("kind"), KIND));
    put(
        "description",
        &clean::prose(text("description"), DESCRIPTION).0,
    );
    put("status", status.unwrap_or_default());
    put("url", web(text("url")).unwrap_or_default());
    put("origin_url", from.site);
    let whole_day = matches!(start, Civil::Day(_));
    if whole_day || entry.get("all_day") == Some(&Value::Bool(true)) {
        fields.insert("all_day".to_owned(), json!(true));
    }
    let end = text("end").parse::<Civil>().ok();
    if let Some(end) = end.filter(|end| *end != start && is_after(start, *end)) {
        fields.insert("end".to_owned(), json!(end));
    }
    let tags = tags(entry.get("tags"));
    if !tags.is_empty() {
        fields.insert("tags".to_owned(), json!(tags));
    }
    Entry::Offered(fields)
}

/// Whether something may end then: in the same terms, and not before it starts.
fn is_after(start: Civil, end: Civil) -> bool {
    match (start, end) {
        (Civil::Day(first), Civil::Day(last)) => last >= first,
        (Civil::Minute(from), Civil::Minute(to)) => to > from,
        _ => false,
    }
}

/// Where it takes place, for whoever reads it elsewhere: first of all not here.
fn room(place: &str, room: &str) -> String {
    match clean::line(room, ROOM - ROOM / 4) {
        room if room.is_empty() => place.to_owned(),
        room => format!("{place} · {room}"),
    }
}

/// A zone of the database.
fn zone(name: &str) -> Option<&str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-' | b'+');
    let known = (1..=64).contains(&name.len())
        && name.as_bytes()[0].is_ascii_alphabetic()
        && name.bytes().all(plain)
        && TimeZone::get(name).is_ok();
    known.then_some(name)
}

/// An address on the web that can be shown: no name or password in it.
pub(crate) fn web(text: &str) -> Option<&str> {
    let address = clean::address(text)?;
    let (scheme, rest) = address.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let shown = matches!(scheme, "http" | "https")
        && !host.is_empty()
        && !host.contains('@')
        && address.len() <= ADDRESS;
    shown.then_some(address)
}

fn tags(value: Option<&Value>) -> Vec<String> {
    let all = value.and_then(Value::as_array).into_iter().flatten();
    let mut tags: Vec<String> = all
        .filter_map(Value::as_str)
        .map(|tag| clean::line(tag, TAG))
        .filter(|tag| !tag.is_empty())
        .take(TAGS)
        .collect();
    tags.dedup();
    tags
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::needless_pass_by_value, reason = "tests")]
mod tests {
    use super::*;

    const JARDIN: From<'_> = From {
        name: "Le Jardin",
        site: "https://jardin.example.org/",
    };

    fn of(changes: Value) -> Entry {
        let mut entry = json!({
            "id": "x", "title": "Bal", "start": "2027-01-02T18:30", "zone": "Indian/Reunion",
        });
        let entry = entry.as_object_mut().unwrap();
        for (key, value) in changes.as_object().unwrap() {
            entry.insert(key.clone(), value.clone());
        }
        read(entry, JARDIN)
    }

    fn fields(changes: Value) -> Fields {
        match of(changes) {
            Entry::Offered(fields) => fields,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn it_says_whose_it_is_whatever_it_claims() {
        let plain = fields(json!({}));
        assert_eq!(plain["origin"], "Le Jardin");
        assert_eq!(plain["room"], "Le Jardin");
        assert_eq!(plain["origin_url"], "https://jardin.example.org/");
        let room = fields(json!({ "room": "Grande salle" }));
        assert_eq!(room["room"], "Le Jardin · Grande salle");
        assert_eq!(of(json!({ "origin": "La Raffinerie" })), Entry::NotOffered);
    }

    #[test]
    fn only_what_a_passer_by_may_know_is_taken() {
        let taken = fields(json!({
            "contact": "camille@example.org", "organiser": "Camille", "visibility": "internal",
            "credits": 150, "guide": "https://x", "extra": { "secret": 1 }, "shared": true,
        }));
        assert_eq!(taken, fields(json!({})));
    }

    #[test]
    fn what_does_not_take_place_is_not_offered_and_what_is_unclear_is_told() {
        for status in ["cancelled", "draft"] {
            assert_eq!(of(json!({ "status": status })), Entry::NotOffered);
        }
        for unclear in [
            json!({ "status": "sold out" }),
            json!({ "start": "tomorrow" }),
            json!({ "start": 3 }),
            json!({ "zone": "Moon/Sea" }),
            json!({ "zone": "../../etc/passwd" }),
            json!({ "title": "\u{202e}\u{0}" }),
        ] {
            assert_eq!(of(unclear.clone()), Entry::NotUnderstood, "{unclear}");
        }
    }

    #[test]
    fn texts_are_bounded_and_addresses_lead_to_the_web() {
        let long = "mot ".repeat(100_000);
        let taken = fields(json!({
            "title": long, "kind": long, "room": long, "description": long,
            "tags": vec![long.clone(); 100],
        }));
        let bytes = raccord_model::canonical(&taken).len();
        assert!(bytes < 4_000, "{bytes}");
        for bad in [
            "javascript:alert(1)",
            "mailto:a@example.org",
            "https://admin:pw@example.org/",
            "https://",
            "data:text/html,x",
        ] {
            assert!(!fields(json!({ "url": bad })).contains_key("url"), "{bad}");
        }
        assert!(fields(json!({ "url": "https://example.org/a" })).contains_key("url"));
    }

    #[test]
    fn an_end_before_the_start_is_left_out() {
        for end in ["2027-01-02T18:00", "2027-01-02", "x"] {
            assert!(!fields(json!({ "end": end })).contains_key("end"), "{end}");
        }
        let days = fields(json!({ "start": "2027-01-02", "end": "2027-01-03" }));
        assert_eq!(
            (&days["end"], &days["all_day"]),
            (&json!("2027-01-03"), &json!(true))
        );
    }
}
