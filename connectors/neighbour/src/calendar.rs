//! A calendar in iCalendar's form, as many sites publish one: each of its entries is offered, as if
//! that place had listed it. Pure, and for whatever anybody may have written.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use raccord_ical::entry::{self, Entry};
use raccord_model::{Civil, Failure, Status, over_at};
use serde_json::{Map, Value, json};

use crate::error;

/// How far ahead an entry that repeats is followed, in days.
const AHEAD: i32 = 120;
/// The most entries that are looked at, of those that are not long past.
const LOOKED_AT: usize = 4_000;
/// What begins so many days ago and does not repeat is taken to be over: calendars keep years.
const LONG_PAST: i32 = 400;
/// The most bytes of descriptions of zones: they go with every entry.
const ZONES: usize = 16_000;
/// The most bytes of an entry with its exceptions.
const LONGEST: usize = 100_000;
/// The most occurrences of one entry.
const REPEATED: usize = 60;

/// An id, and what it says in the form of a shared list; nothing where that cannot be understood.
pub(crate) type Offered = (String, Option<Map<String, Value>>);

/// Whether these bytes are a calendar, whole or not.
pub(crate) fn is_one(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let begins = bytes.trim_ascii_start();
    let word = b"BEGIN:VCALENDAR";
    begins.len() >= word.len() && begins[..word.len()].eq_ignore_ascii_case(word)
}

/// Whether the calendar at this path is an Agorakit's, by the addresses that all of them have.
pub(crate) fn is_agorakit(path: &str) -> bool {
    let users = path.contains("/users/") && path.ends_with("/ical");
    users || path.ends_with("/calendarevents/ical") || path.ends_with("/calendar/ical")
}

/// What an Agorakit's entry is known by: it calls them by the name of their group and a number, and
/// groups are renamed.
fn lasting(uid: &str) -> String {
    let number = uid.rsplit('-').next().unwrap_or_default();
    let plain = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    if plain {
        format!("calendarevent-{number}")
    } else {
        uid.to_owned()
    }
}

/// What a calendar offers. Moments are told in `zone`.
///
/// # Errors
/// When its end is missing.
pub(crate) fn entries(
    bytes: &[u8],
    zone: &TimeZone,
    yesterday: Date,
    agorakit: bool,
) -> Result<Vec<Offered>, Failure> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}').trim();
    if !text.to_ascii_uppercase().ends_with("END:VCALENDAR") {
        return Err(error::not_a_list());
    }
    let Parts { zones, events } = Parts::of(text);
    let until = yesterday.saturating_add(AHEAD.days());
    let mut all = Vec::new();
    let current = events
        .into_iter()
        .filter(|(_, event)| !is_long_past(event, yesterday));
    for (uid, event) in current.take(LOOKED_AT) {
        // One more than is looked at says that there were more.
        if all.len() > crate::list::LOOKED_AT {
            break;
        }
        let uid = if agorakit { lasting(&uid) } else { uid };
        let object = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{zones}{event}END:VCALENDAR\r\n");
        let read = match event.len() {
            0..=LONGEST => entry::occurrences(&object, zone, yesterday, until).ok(),
            _ => None,
        };
        let Some(read) = read else {
            all.push((uid, None));
            continue;
        };
        let is_coming = |entry: &Entry| over_at(entry.start, entry.end).date() >= yesterday;
        let seen = read
            .into_iter()
            .filter(|(_, entry)| !entry.private && is_coming(entry));
        for (at, entry) in seen.take(REPEATED) {
            let id = match at {
                None => uid.clone(),
                Some(at) => format!("{uid}#{at}"),
            };
            all.push((id, Some(said(&entry, zone))));
        }
    }
    Ok(all)
}

/// Whether an entry, or its last exception, began long ago and does not repeat.
fn is_long_past(event: &str, yesterday: Date) -> bool {
    let limit = yesterday.saturating_sub(LONG_PAST.days());
    let limit = limit.strftime("%Y%m%d").to_string();
    let mut last = None;
    for line in event.lines() {
        let upper = line.to_ascii_uppercase();
        if upper.starts_with("RRULE") || upper.starts_with("RDATE") {
            return false;
        }
        if upper.starts_with("DTSTART") {
            let digits = upper.rsplit(':').next().and_then(|value| value.get(..8));
            last = last.max(digits.map(str::to_owned));
        }
    }
    let dated = |day: &String| day.bytes().all(|b| b.is_ascii_digit());
    last.filter(dated).is_some_and(|day| day < limit)
}

/// A calendar taken apart: the zones it describes, and its entries by their UID, each with its
/// exceptions.
struct Parts {
    zones: String,
    events: BTreeMap<String, String>,
}

impl Parts {
    fn of(text: &str) -> Self {
        let mut parts = Self {
            zones: String::new(),
            events: BTreeMap::new(),
        };
        let mut open: Option<(&str, String, String)> = None;
        let mut in_uid = false;
        for line in text.lines() {
            let line = line.trim_end_matches('\r');
            if let Some((name, block, uid)) = &mut open {
                block.push_str(line);
                block.push_str("\r\n");
                // A long UID goes on in the next line.
                if let Some(rest) = line.strip_prefix([' ', '\t']).filter(|_| in_uid) {
                    uid.push_str(rest);
                    continue;
                }
                let upper = line.to_ascii_uppercase();
                in_uid = uid.is_empty() && upper.starts_with("UID");
                if in_uid && let Some((_, value)) = line.split_once(':') {
                    uid.push_str(value.trim());
                }
                if upper.strip_prefix("END:").map(str::trim) == Some(*name) {
                    let (name, block, uid) = open.take().unwrap_or_default();
                    if name == "VEVENT" {
                        parts.events.entry(uid).or_default().push_str(&block);
                    } else if parts.zones.len() + block.len() <= ZONES {
                        parts.zones.push_str(&block);
                    }
                }
                continue;
            }
            for name in ["VEVENT", "VTIMEZONE"] {
                let begins = line.trim().to_ascii_uppercase();
                if begins.strip_prefix("BEGIN:") == Some(name) {
                    open = Some((name, format!("{line}\r\n"), String::new()));
                    in_uid = false;
                }
            }
        }
        // What nobody gave a name cannot be known again.
        parts.events.remove("");
        parts
    }
}

/// What an entry says, as a shared list would.
fn said(entry: &Entry, zone: &TimeZone) -> Map<String, Value> {
    let mut map = Map::new();
    let mut say = |name: &str, value: Value| {
        map.insert(name.to_owned(), value);
    };
    say("title", json!(entry.title));
    say("start", json!(entry.start));
    say("zone", json!(zone.iana_name().unwrap_or("Etc/UTC")));
    if let Some(end) = entry.end {
        say("end", json!(end));
    }
    say("all_day", json!(matches!(entry.start, Civil::Day(_))));
    for (name, text) in [
        ("room", &entry.room),
        ("description", &entry.description),
        ("url", &entry.url),
    ] {
        say(name, json!(text));
    }
    if entry.status != Status::Confirmed {
        say("status", json!(entry.status));
    }
    say("tags", json!(entry.categories));
    map
}
