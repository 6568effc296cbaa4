//! What people gave to the place in a year: every presence at a task, or at an activity that gives
//! credits, with its kind of work and its minutes. Money and words are for whoever shows it.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};
use raccord_model::{Civil, Entity, EntityId, EntityKind, Fields};
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
}

/// A presence, with what tells it from others of the same person.
struct Found {
    presence: Presence,
    /// What they signed up for: the task, else the activity.
    subject: Option<EntityId>,
    /// The activity whose length counts, where nobody noted any minutes.
    derived: Option<EntityId>,
}

/// The presences of `year`, oldest first; days are those of `zone`.
pub fn volunteering(state: &State, year: i16, zone: &TimeZone) -> Vec<Presence> {
    let registrations = state
        .entities
        .iter()
        .filter(|(_, record)| record.kind == EntityKind::Registration);
    let mut found: Vec<Found> = registrations
        .filter_map(|(&id, record)| presence(state, id, &record.fields(), zone))
        .filter(|found| found.presence.day.year() == year)
        .collect();
    // What was noted comes first of the same day.
    found.sort_by_key(
        |Found {
             presence, derived, ..
         }| { (presence.day, derived.is_some(), presence.registration) },
    );
    let (mut signed, mut lasted) = (BTreeSet::new(), BTreeSet::new());
    let once = found.into_iter().filter_map(|found| {
        let mut presence = found.presence;
        let Some(person) = presence.person else {
            return Some(presence);
        };
        // Two sign-ups of one person for one thing are one presence.
        if found
            .subject
            .is_some_and(|subject| !signed.insert((person, subject)))
        {
            return None;
        }
        // Whoever did several things at one activity was there once.
        if found
            .derived
            .is_some_and(|activity| !lasted.insert((person, activity)))
        {
            presence.minutes = Some(0);
        }
        Some(presence)
    });
    once.collect()
}

fn presence(
    state: &State,
    registration: EntityId,
    fields: &Fields,
    zone: &TimeZone,
) -> Option<Found> {
    if Commitment::of(fields) != Some(Commitment::Attended) {
        return None;
    }
    let of = |name: &str, fields: &Fields| -> Option<Entity> {
        state.entity(fields.get(name)?.as_str()?.parse().ok()?)
    };
    let task = of("task", fields);
    let through = |task: &Entity| of("activity", &task.fields);
    let activity = of("activity", fields).or_else(|| task.as_ref().and_then(through));
    let gives = activity.as_ref().is_some_and(gives_credits);
    let is_work = fields.contains_key("task") || gives;
    if !is_work {
        return None;
    }
    let noted = fields
        .get("minutes")
        .and_then(Value::as_u64)
        .and_then(|minutes| u32::try_from(minutes).ok());
    let text = |work: &Option<Entity>, name: &str| {
        let text = work.as_ref()?.text(name).trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let work = task.as_ref().or(activity.as_ref());
    let day = work.and_then(|work| crate::credits::work_day(state, work));
    let day = day.or_else(|| crate::credits::work_day(state, activity.as_ref()?));
    let derived = activity.as_ref().filter(|_| noted.is_none());
    let presence = Presence {
        registration,
        person: fields
            .get("person")
            .and_then(Value::as_str)
            .and_then(|id| id.parse().ok()),
        people: places_of(fields),
        kind: text(&task, "kind").or_else(|| text(&activity, "kind")),
        day: day.or_else(|| signed_up(fields, zone))?,
        minutes: noted.or_else(|| lasted(derived?)),
    };
    Some(Found {
        derived: derived.map(|activity| activity.id),
        subject: crate::roll::subject_of(fields),
        presence,
    })
}

fn gives_credits(activity: &Entity) -> bool {
    let credits = activity.fields.get("credits").and_then(Value::as_i64);
    credits.is_some_and(|credits| credits > 0)
}

fn signed_up(fields: &Fields, zone: &TimeZone) -> Option<Date> {
    let at: Timestamp = fields.get("registered")?.as_str()?.parse().ok()?;
    Some(at.to_zoned(zone.clone()).date())
}

/// How many minutes an activity lasted, where it says from when to when.
fn lasted(activity: &Entity) -> Option<u32> {
    let at = |name| {
        let civil: Civil = activity.text(name).parse().ok()?;
        Some(civil.date().to_datetime(civil.time()?))
    };
    let span = at("start")?.until((Unit::Minute, at("end")?)).ok()?;
    let minutes = span.get_minutes();
    (1..=LONGEST_SHIFT_MINUTES)
        .contains(&minutes)
        .then(|| u32::try_from(minutes).ok())?
}
