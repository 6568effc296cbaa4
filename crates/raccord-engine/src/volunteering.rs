//! What people gave to the place in a year: every presence at a task, or at an activity that gives
//! credits, with its kind of work and its minutes. Money and words are for whoever shows it.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};
use raccord_model::{Civil, EntityId, EntityKind, Fields};
use serde_json::Value;

use crate::roll::{Commitment, places_of};
use crate::state::State;

/// What lasts longer is a stay, not one person's work: its hours say nothing of anybody's.
const LONGEST_SHIFT_MINUTES: i64 = 16 * 60;

/// Somebody was there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// The sign-up.
    pub registration: EntityId,
    /// Who; nobody's where a tool told of a sign-up without a person.
    pub person: Option<EntityId>,
    /// For how many people.
    pub people: u64,
    /// The kind of work in the place's words: that of the task, else of its activity.
    pub kind: Option<String>,
    /// The day of it, where the place is.
    pub day: Date,
    /// For how long, each: as it was noted, else as long as the activity lasted.
    pub minutes: Option<u32>,
    /// Whether the minutes were noted, not derived.
    pub noted: bool,
}

/// The presences of `year`, oldest first; days are those of `zone`.
pub fn volunteering(state: &State, year: i16, zone: &TimeZone) -> Vec<Presence> {
    let registrations = state
        .entities
        .iter()
        .filter(|(_, record)| record.kind == EntityKind::Registration);
    let mut found: Vec<Presence> = registrations
        .filter_map(|(&id, record)| presence(state, id, &record.fields(), zone))
        .filter(|presence| presence.day.year() == year)
        .collect();
    found.sort_by_key(|presence| (presence.day, presence.registration));
    found
}

fn presence(
    state: &State,
    registration: EntityId,
    fields: &Fields,
    zone: &TimeZone,
) -> Option<Presence> {
    if Commitment::of(fields) != Some(Commitment::Attended) {
        return None;
    }
    let of = |name: &str, fields: &Fields| -> Option<Fields> {
        let id: EntityId = fields.get(name)?.as_str()?.parse().ok()?;
        Some(state.entities.get(&id)?.fields())
    };
    let task = of("task", fields);
    let activity =
        of("activity", fields).or_else(|| task.as_ref().and_then(|task| of("activity", task)));
    let is_work = fields.contains_key("task") || activity.as_ref().is_some_and(gives_credits);
    if !is_work {
        return None;
    }
    let noted = fields
        .get("minutes")
        .and_then(Value::as_u64)
        .and_then(|minutes| u32::try_from(minutes).ok());
    let text = |fields: &Option<Fields>, name: &str| {
        let text = fields.as_ref()?.get(name)?.as_str()?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    Some(Presence {
        registration,
        person: fields
            .get("person")
            .and_then(Value::as_str)
            .and_then(|id| id.parse().ok()),
        people: places_of(fields),
        kind: text(&task, "kind").or_else(|| text(&activity, "kind")),
        day: task
            .as_ref()
            .and_then(|task| civil(task, "due"))
            .or_else(|| civil(activity.as_ref()?, "start"))
            .map(Civil::date)
            .or_else(|| signed_up(fields, zone))?,
        minutes: noted.or_else(|| lasted(activity.as_ref()?)),
        noted: noted.is_some(),
    })
}

fn gives_credits(fields: &Fields) -> bool {
    fields
        .get("credits")
        .and_then(Value::as_i64)
        .is_some_and(|credits| credits > 0)
}

fn civil(fields: &Fields, name: &str) -> Option<Civil> {
    fields.get(name)?.as_str()?.parse().ok()
}

fn signed_up(fields: &Fields, zone: &TimeZone) -> Option<Date> {
    let at: Timestamp = fields.get("registered")?.as_str()?.parse().ok()?;
    Some(at.to_zoned(zone.clone()).date())
}

/// How many minutes an activity lasted, where it says from when to when.
fn lasted(activity: &Fields) -> Option<u32> {
    let at = |name| {
        let civil = civil(activity, name)?;
        Some(civil.date().to_datetime(civil.time()?))
    };
    let span = at("start")?.until((Unit::Minute, at("end")?)).ok()?;
    let minutes = span.get_minutes();
    (1..=LONGEST_SHIFT_MINUTES)
        .contains(&minutes)
        .then(|| u32::try_from(minutes).ok())?
}
