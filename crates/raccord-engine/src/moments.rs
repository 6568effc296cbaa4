//! Whether the moments of an activity fit together, also where one of them was posted long before
//! the other.

use jiff::tz::TimeZone;
use raccord_model::{Civil, Fields, UNDATED, Words};
use serde_json::Value;

/// The fields that say when.
pub(crate) const WHEN: [&str; 4] = ["start", "end", "all_day", "zone"];

/// The date of an activity is chosen once a start is said, and yet to be chosen once that is: what was
/// said last of the two holds, and nothing of the other stays.
pub(crate) fn choose(fields: &mut Fields, said_start: bool) {
    if fields.get(UNDATED) != Some(&Value::Bool(true)) {
        return;
    }
    if said_start {
        fields.remove(UNDATED);
    } else {
        for name in WHEN {
            fields.remove(name);
        }
    }
}

/// What does not fit in `when`, an activity's whole [`WHEN`], of which `posted` was just said: the
/// field to mend, and why. What cannot be read at all is another's to tell.
pub(crate) fn faults(when: &Fields, posted: &Fields) -> Vec<(&'static str, Words)> {
    let moment = |name: &str| -> Option<Civil> { when.get(name)?.as_str()?.parse().ok() };
    let (start, end) = (moment("start"), moment("end"));
    // The fault stands where the sender can mend it.
    let said = |names: [&'static str; 2]| {
        let [first, other] = names;
        if posted.contains_key(first) {
            first
        } else {
            other
        }
    };
    let mut found = Vec::new();
    match (start, end) {
        (Some(Civil::Day(_)), Some(Civil::Minute(_)))
        | (Some(Civil::Minute(_)), Some(Civil::Day(_))) => found.push((
            said(["end", "start"]),
            Words::new(
                "début et fin doivent avoir une heure tous les deux, ou aucun des deux",
                "start and end must both have an hour, or neither",
            ),
        )),
        (Some(start), Some(end)) if end < start => found.push((
            said(["end", "start"]),
            Words::new("la fin est avant le début", "the end is before the start"),
        )),
        _ => {}
    }
    let hour = [("start", start), ("end", end)]
        .into_iter()
        .find(|(_, moment)| matches!(moment, Some(Civil::Minute(_))));
    if let Some((name, _)) = hour
        && when.get("all_day") == Some(&Value::Bool(true))
    {
        found.push((
            said([name, "all_day"]),
            Words::new(
                "dure des jours entiers, sans heure : écrivez par exemple 2027-01-02",
                "takes whole days, without an hour: write for example 2027-01-02",
            ),
        ));
    }
    let zone = when.get("zone").and_then(Value::as_str);
    if zone.is_some_and(|name| !name.is_empty() && TimeZone::get(name).is_err()) {
        found.push((
            "zone",
            Words::new(
                "n’est pas un fuseau horaire connu : écrivez par exemple Europe/Paris",
                "is no known time zone: write for example Europe/Paris",
            ),
        ));
    }
    found
}
