//! The list as a whole: what in it counts, and what it says of itself. Pure.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use raccord_model::{
    Civil, Digest, EntityKind, Failure, Fields, Line, Reading, Remark, SHARED_FORMAT, SharedFeed,
    Tab, Unread, over_at,
};
use serde_json::{Map, Value};

use crate::activity::{self, Entry, From};
use crate::calendar::{self, Offered};
use crate::error;

/// The longest id of an activity.
const ID: usize = 200;
/// The most entries that are looked at.
pub(crate) const LOOKED_AT: usize = 2_000;
/// The most entries that are told as not understood.
const TOLD: usize = 20;

/// What a list is read with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How<'a> {
    /// The name the settings give the place.
    pub(crate) name: &'a str,
    /// Where its site is, if the list does not say so.
    pub(crate) site: &'a str,
    /// Our own place.
    pub(crate) ours: &'a str,
    /// The most activities that are taken.
    pub(crate) most: usize,
    /// What was over before this day is not taken.
    pub(crate) yesterday: Date,
}

/// Reads a list: a reading without digest and cursor.
///
/// # Errors
/// When it is no list, another form of one, our own, or empty without saying so.
pub(crate) fn read(bytes: &[u8], how: How<'_>) -> Result<Reading, Failure> {
    let list: SharedFeed<Value> = match serde_json::from_slice(bytes) {
        Ok(list) => list,
        Err(_) => return Err(no_list(bytes)),
    };
    if list.format != SHARED_FORMAT {
        return Err(error::other_form());
    }
    if list.place.id == how.ours {
        return Err(error::ourselves());
    }
    if list.activities.is_empty() && !list.shares_nothing {
        return Err(error::empty());
    }
    let site = activity::web(&list.place.url).unwrap_or(how.site);
    let from = From {
        name: how.name,
        site,
    };
    let entries = list.activities.iter().map(|entry| {
        let entry = entry.as_object();
        match entry.and_then(|entry| Some((id(entry)?, entry))) {
            Some((id, entry)) => (id.to_owned(), Some(entry.clone())),
            None => (String::new(), None),
        }
    });
    Ok(offered(entries, from, how))
}

/// Reads a calendar: a reading without digest and cursor.
///
/// # Errors
/// When its end is missing.
pub(crate) fn read_calendar(
    bytes: &[u8],
    how: How<'_>,
    zone: &TimeZone,
    agorakit: bool,
) -> Result<Reading, Failure> {
    let entries = calendar::entries(bytes, zone, how.yesterday, agorakit)?;
    let from = From {
        name: how.name,
        site: how.site,
    };
    let entries = entries.into_iter().map(|(id, entry)| {
        if fits(&id) {
            (id, entry)
        } else {
            (String::new(), None)
        }
    });
    Ok(offered(entries, from, how))
}

/// What of these entries, each with its id, is offered and coming. Without an id, or without what it
/// says, one is not understood.
fn offered(entries: impl Iterator<Item = Offered>, from: From<'_>, how: How<'_>) -> Reading {
    let mut reading = Reading {
        tabs: vec![Tab {
            name: how.name.to_owned(),
            ..Tab::default()
        }],
        ..Reading::default()
    };
    let mut offered: Vec<(Civil, String, Fields)> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut many = 0;
    for (id, entry) in entries {
        many += 1;
        if many > LOOKED_AT {
            break;
        }
        let Some(entry) = entry else {
            not_understood(&mut reading, how.name, &id);
            continue;
        };
        if !seen.insert(id.clone()) {
            continue; // The first one counts.
        }
        match activity::read(&entry, from) {
            Entry::Offered(fields) => {
                if let Some(start) = coming(&fields, how.yesterday) {
                    offered.push((start, id, fields));
                }
            }
            Entry::NotOffered => {}
            Entry::NotUnderstood => not_understood(&mut reading, how.name, &id),
        }
    }
    offered.sort_by(|(a, x, _), (b, y, _)| (a.date(), a, x).cmp(&(b.date(), b, y)));
    if offered.len() > how.most || many > LOOKED_AT {
        reading.remarks.push(Remark {
            sheet: how.name.to_owned(),
            row: 0,
            code: "more-shared".to_owned(),
            text: error::more(how.most),
        });
        offered.truncate(how.most);
    }
    let line = |(_, id, fields): (Civil, String, Fields)| Line {
        native: Some(id.clone()),
        ..Line::new(EntityKind::Activity, 0, row(&id), &fields)
    };
    reading.lines = offered.into_iter().map(line).collect();
    reading
}

/// What bytes are that are no list.
fn no_list(bytes: &[u8]) -> Failure {
    let begins = bytes.trim_ascii_start();
    if begins.is_empty() {
        return error::empty();
    }
    if begins.starts_with(b"<") {
        return error::web_page();
    }
    match serde_json::from_slice::<Map<String, Value>>(bytes) {
        Ok(object) if object.contains_key("format") && object["format"] != SHARED_FORMAT => {
            error::other_form()
        }
        _ => error::not_a_list(),
    }
}

fn id(entry: &Map<String, Value>) -> Option<&str> {
    let id = entry.get("id")?.as_str()?;
    fits(id).then_some(id)
}

fn fits(id: &str) -> bool {
    !id.trim().is_empty() && id.len() <= ID && !id.chars().any(char::is_control)
}

/// The start of what is not over yet.
fn coming(fields: &Fields, yesterday: Date) -> Option<Civil> {
    let civil = |name: &str| fields.get(name)?.as_str()?.parse::<Civil>().ok();
    let start = civil("start")?;
    (over_at(start, civil("end")).date() >= yesterday).then_some(start)
}

/// A list has no line numbers, and what stands where in it says nothing: a number of the id, so
/// that an activity that cannot be understood any more is known to be the one that was.
fn row(id: &str) -> u32 {
    let digest = Digest::of(id.as_bytes()).0;
    let bytes = [digest[0], digest[1], digest[2], digest[3]];
    (u32::from_be_bytes(bytes) % 900_000_000).saturating_add(1)
}

fn not_understood(reading: &mut Reading, name: &str, id: &str) {
    if reading.unread.len() < TOLD || !id.is_empty() {
        reading.unread.push(Unread {
            sheet: name.to_owned(),
            row: if id.is_empty() { 0 } else { row(id) },
            column: String::new(),
            code: "not-understood".to_owned(),
            found: raccord_look::clean::line(id, 100),
            write: error::not_understood(),
        });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;
    use raccord_kit::conformance::holds_together;
    use raccord_model::{Schemas, Verb};
    use serde_json::json;

    use super::*;

    const HOW: How<'_> = How {
        name: "Le Jardin",
        site: "https://jardin.example.org",
        ours: "raffinerie",
        most: 100,
        yesterday: jiff::civil::date(2027, 1, 1),
    };

    fn whole() -> String {
        json!({
            "format": SHARED_FORMAT,
            "place": { "id": "jardin", "name": "Le Jardin" },
            "generated": "2027-01-01T08:00:00Z",
            "activities": [
                { "id": "a", "title": "Bal", "start": "2027-01-02T18:30", "zone": "Indian/Reunion" },
                { "id": "b", "title": "Film", "start": "2027-01-03", "zone": "Europe/Paris" },
            ],
        })
        .to_string()
    }

    /// Texts as people and their programs write them, and others.
    fn written() -> impl Strategy<Value = Value> {
        prop_oneof![
            ".{0,300}".prop_map(Value::from),
            Just(json!("2027-01-02")),
            Just(json!("2027-01-03T18:30")),
            Just(json!("Europe/Paris")),
            Just(json!("confirmed")),
            Just(json!("full")),
            Just(json!("https://jardin.example.org/a?b=c")),
            Just(json!(["a", "b", 3])),
            Just(json!(true)),
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
        ]
    }

    fn entry() -> impl Strategy<Value = Value> {
        let names = [
            "id",
            "title",
            "kind",
            "start",
            "end",
            "zone",
            "all_day",
            "room",
            "description",
            "status",
            "tags",
            "url",
            "origin",
            "contact",
        ];
        let good = json!({ "id": "a", "title": "Bal", "start": "2027-01-02T18:30", "zone": "Indian/Reunion" });
        proptest::collection::btree_map(proptest::sample::select(names.to_vec()), written(), 0..6)
            .prop_map(move |other| {
                let mut entry = good.clone();
                for (name, value) in other {
                    entry[name] = value;
                }
                entry
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn no_calendar_is_anything_but_lines_or_an_error(
            lines in proptest::collection::vec((0_usize..12, ".{0,40}"), 0..40),
            cut in 0_usize..4_000,
        ) {
            let known = ["BEGIN:VEVENT", "END:VEVENT", "UID:", "UID:a", "DTSTART:20270103T100000Z",
                "DTSTART;VALUE=DATE:20270104", "RRULE:FREQ=DAILY", "SUMMARY:", "BEGIN:VTIMEZONE",
                "END:VTIMEZONE", " ", "STATUS:"];
            let body: String = lines.iter().flat_map(|(at, rest)| [known[*at], rest, "\r\n"]).collect();
            let whole = format!("BEGIN:VCALENDAR\r\n{body}END:VCALENDAR\r\n");
            let zone = TimeZone::get("Indian/Reunion").unwrap();
            let reading = read_calendar(whole.as_bytes(), HOW, &zone, cut % 2 == 0).unwrap();
            holds_together(&reading);
            for line in &reading.lines {
                let mut data = json!(line.decode());
                data["id"] = json!(raccord_model::EntityId::derive(&[b"x"]));
                data["revision"] = json!(1);
                data["changed"] = json!(["/title"]);
                let faults = Schemas::shared().check(EntityKind::Activity, Verb::Created, &data);
                prop_assert!(faults.is_empty(), "{data}: {faults:?}");
            }
            let bytes = whole.as_bytes();
            drop(read_calendar(&bytes[..cut.min(bytes.len())], HOW, &zone, true));
        }

        #[test]
        fn every_line_makes_a_valid_event(entries in proptest::collection::vec(entry(), 1..6)) {
            let list = json!({
                "format": SHARED_FORMAT,
                "place": { "id": "jardin", "name": "Le Jardin" },
                "generated": "2027-01-01T08:00:00Z",
                "activities": entries,
            });
            let reading = read(list.to_string().as_bytes(), HOW).unwrap();
            holds_together(&reading);
            for line in &reading.lines {
                let mut data = json!(line.decode());
                data["id"] = json!(raccord_model::EntityId::derive(&[b"x"]));
                data["revision"] = json!(1);
                data["changed"] = json!(["/title"]);
                let faults = Schemas::shared().check(EntityKind::Activity, Verb::Created, &data);
                prop_assert!(faults.is_empty(), "{data}: {faults:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_bytes_come_a_reading_holds_together(
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
            at in 0..400_usize,
            cut in 0..400_usize,
        ) {
            let whole = whole().into_bytes();
            let (at, cut) = (at.min(whole.len()), cut.min(whole.len()));
            let spoiled = [&whole[..at], &bytes[..], &whole[cut.max(at)..]].concat();
            for bytes in [&bytes, &spoiled] {
                if let Ok(reading) = read(bytes, HOW) {
                    holds_together(&reading);
                    prop_assert!(reading.lines.len() <= HOW.most);
                }
            }
        }

        #[test]
        fn a_list_that_ends_too_early_says_nothing(cut in 1..300_usize) {
            let whole = whole();
            let cut = whole.len().saturating_sub(cut);
            prop_assume!(whole.is_char_boundary(cut));
            prop_assert!(read(&whole.as_bytes()[..cut], HOW).is_err());
        }
    }
}
