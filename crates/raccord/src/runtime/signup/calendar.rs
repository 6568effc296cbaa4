//! Somebody's own sign-ups as a calendar that their agenda subscribes to (RFC 5545).

use jiff::Timestamp;
use jiff::tz::TimeZone;
use raccord_engine::{Commitment, Engine};
use raccord_kit::folded::Folded;
use raccord_look::clean;
use raccord_model::{Civil, Entity, EntityId, EntityKind};

/// The most characters of a text.
const LONGEST: usize = 500;

/// The calendar of `person`.
pub(super) fn of(
    engine: &Engine,
    person: EntityId,
    name: &str,
    zone: &TimeZone,
    now: Timestamp,
) -> String {
    let mut out = Folded::default();
    out.line("BEGIN", "VCALENDAR");
    out.line("VERSION", "2.0");
    out.line("PRODID", "-//Raccord//sign-ups//EN");
    out.line("METHOD", "PUBLISH");
    out.text("X-WR-CALNAME", &clean::line(name, LONGEST));
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
        out.line("BEGIN", "VEVENT");
        out.line("UID", &format!("{}@raccord", own.registration));
        out.line("DTSTAMP", &utc(now));
        for (name, value) in times(start, end, zone) {
            out.line(name, &value);
        }
        out.text(
            "SUMMARY",
            &clean::line(&summary(&known, of.as_ref()), LONGEST),
        );
        let room = Some(known.text("room")).filter(|room| !room.is_empty());
        let room = room.unwrap_or_else(|| timed.text("room"));
        if !room.is_empty() {
            out.text("LOCATION", &clean::line(room, LONGEST));
        }
        let off = timed.text("status") == "cancelled" || known.text("state") == "cancelled";
        out.line("STATUS", if off { "CANCELLED" } else { "CONFIRMED" });
        out.line("END", "VEVENT");
    }
    out.line("END", "VCALENDAR");
    out.finish()
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
fn times(start: Civil, end: Option<Civil>, zone: &TimeZone) -> Vec<(&'static str, String)> {
    let instant = |at: jiff::civil::DateTime| zone.to_ambiguous_timestamp(at).compatible().ok();
    match start {
        Civil::Day(first) => {
            let last = end.map_or(first, Civil::date).max(first);
            let after = last.tomorrow().unwrap_or(last);
            vec![
                ("DTSTART;VALUE=DATE", first.strftime("%Y%m%d").to_string()),
                ("DTEND;VALUE=DATE", after.strftime("%Y%m%d").to_string()),
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
                .filter_map(|(name, at)| Some((name, utc(instant(at?)?))))
                .collect()
        }
    }
}

fn utc(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn hours_are_instants_and_whole_days_end_after_the_last() {
        let zone = TimeZone::get("Indian/Reunion").unwrap();
        let read = |text: &str| text.parse::<Civil>().unwrap();
        let shown = |start, end: Option<&str>| -> Vec<String> {
            let times = times(read(start), end.map(read), &zone).into_iter();
            times
                .map(|(name, value)| format!("{name}:{value}"))
                .collect()
        };
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
