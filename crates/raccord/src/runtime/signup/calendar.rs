//! Somebody's own sign-ups as a calendar that their agenda subscribes to (RFC 5545).

use jiff::Timestamp;
use jiff::tz::TimeZone;
use raccord_engine::{Commitment, Engine};
use raccord_model::{Civil, Entity, EntityId, EntityKind};

/// The longest line, in bytes, without its end (RFC 5545, section 3.1).
const LINE: usize = 75;

/// The calendar of `person`.
pub(super) fn of(
    engine: &Engine,
    person: EntityId,
    name: &str,
    zone: &TimeZone,
    now: Timestamp,
) -> String {
    let mut out = String::new();
    let mut line = |text: &str| fold(text, &mut out);
    line("BEGIN:VCALENDAR");
    line("VERSION:2.0");
    line("PRODID:-//Raccord//sign-ups//EN");
    line("METHOD:PUBLISH");
    line(&format!("X-WR-CALNAME:{}", escaped(name)));
    for own in engine.sign_ups_of(person) {
        let stands = matches!(own.standing, Commitment::Registered | Commitment::Attended);
        let Some(known) = engine.entity(own.subject).filter(|_| stands) else {
            continue;
        };
        let of = known.text("activity").parse().ok();
        let of = of.and_then(|of| engine.entity(of));
        let timed = of.as_ref().unwrap_or(&known);
        let start = timed
            .text("start")
            .parse()
            .or_else(|_| known.text("due").parse());
        let Ok(start) = start else {
            continue;
        };
        let end: Option<Civil> = timed.text("end").parse().ok();
        line("BEGIN:VEVENT");
        line(&format!("UID:{}@raccord", own.registration));
        line(&format!("DTSTAMP:{}", utc(now)));
        for text in times(start, end, zone) {
            line(&text);
        }
        line(&format!(
            "SUMMARY:{}",
            escaped(&summary(&known, of.as_ref()))
        ));
        let room = Some(known.text("room")).filter(|room| !room.is_empty());
        let room = room.unwrap_or_else(|| timed.text("room"));
        if !room.is_empty() {
            line(&format!("LOCATION:{}", escaped(room)));
        }
        let off = timed.text("status") == "cancelled" || known.text("state") == "cancelled";
        line(if off {
            "STATUS:CANCELLED"
        } else {
            "STATUS:CONFIRMED"
        });
        line("END:VEVENT");
    }
    line("END:VCALENDAR");
    out
}

fn summary(known: &Entity, of: Option<&Entity>) -> String {
    match of {
        Some(of) if known.kind == EntityKind::Task => {
            format!("{} – {}", known.text("title"), of.text("title"))
        }
        _ => known.text("title").to_owned(),
    }
}

/// Start and end: hours as instants, so that no zone has to be described.
fn times(start: Civil, end: Option<Civil>, zone: &TimeZone) -> Vec<String> {
    let instant = |at: jiff::civil::DateTime| zone.to_ambiguous_timestamp(at).compatible().ok();
    match start {
        Civil::Day(first) => {
            let last = end.map_or(first, Civil::date).max(first);
            let after = last.tomorrow().unwrap_or(last);
            vec![
                format!("DTSTART;VALUE=DATE:{}", first.strftime("%Y%m%d")),
                format!("DTEND;VALUE=DATE:{}", after.strftime("%Y%m%d")),
            ]
        }
        Civil::Minute(start) => {
            let end = end.and_then(|end| match end {
                Civil::Minute(end) => (end > start).then_some(end),
                Civil::Day(_) => None,
            });
            let named = [("DTSTART", Some(start)), ("DTEND", end)];
            named
                .into_iter()
                .filter_map(|(name, at)| Some(format!("{name}:{}", utc(instant(at?)?))))
                .collect()
        }
    }
}

fn utc(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// A text as a value (RFC 5545, section 3.3.11).
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in raccord_look::clean::line(text, 500).chars() {
        if matches!(c, '\\' | ';' | ',') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A line, broken between characters where it is too long.
fn fold(text: &str, out: &mut String) {
    let mut room = LINE;
    for c in text.chars() {
        if c.len_utf8() > room {
            out.push_str("\r\n ");
            room = LINE - 1;
        }
        out.push(c);
        room -= c.len_utf8();
    }
    out.push_str("\r\n");
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_people_write_ends_a_line_or_a_value() {
        let mut out = String::new();
        fold(
            &format!("SUMMARY:{}", escaped("a;b\\c,d\r\nBEGIN:VALARM")),
            &mut out,
        );
        assert_eq!(out, "SUMMARY:a\\;b\\\\c\\,d BEGIN:VALARM\r\n");
        let mut out = String::new();
        fold(&"é".repeat(200), &mut out);
        assert!(out.split("\r\n").all(|line| line.len() <= LINE));
        assert_eq!(out.replace("\r\n ", "").trim_end(), "é".repeat(200));
    }

    #[test]
    fn hours_are_instants_and_whole_days_end_after_the_last() {
        let zone = TimeZone::get("Indian/Reunion").unwrap();
        let read = |text: &str| text.parse::<Civil>().unwrap();
        let shown = |start, end: Option<&str>| times(read(start), end.map(read), &zone);
        assert_eq!(
            shown("2027-01-15T20:00", Some("2027-01-16T00:30")),
            ["DTSTART:20270115T160000Z", "DTEND:20270115T203000Z"]
        );
        assert_eq!(
            shown("2027-01-15", Some("2027-01-16")),
            ["DTSTART;VALUE=DATE:20270115", "DTEND;VALUE=DATE:20270117"]
        );
        assert_eq!(
            shown("2027-01-15T20:00", None),
            ["DTSTART:20270115T160000Z"]
        );
    }
}
