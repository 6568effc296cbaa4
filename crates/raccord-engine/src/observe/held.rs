//! Holds on a whole reading, and what a held line would change.

use raccord_model::{
    ConnectorName, Digest, EntityId, EntityKind, Fields, HoldId, Line, Reading, Words,
};
use serde_json::json;

use super::accept::{first_id, leaves_silently};
use super::compare::{Compared, source_fields};
use crate::deciding::{Deciding, changed_fields};
use crate::fact::{Closing, HeldEffect, Hold, HoldKind};

/// How many effects a hold lists.
const LISTED: usize = 1_000;

fn reading_hold_id(source: &ConnectorName, content: Digest) -> HoldId {
    HoldId::derive(&[b"reading", source.as_str().as_bytes(), &content.0])
}

/// Holds on other readings of this source are no longer true.
pub(super) fn close_readings(
    deciding: &mut Deciding<'_>,
    source: &ConnectorName,
    but: Option<Digest>,
) {
    let moot: Vec<HoldId> = deciding
        .state
        .holds
        .values()
        .filter(|waiting| match &waiting.hold.what {
            HoldKind::Reading {
                source: of,
                content,
            } => of == source && Some(*content) != but,
            _ => false,
        })
        .map(|waiting| waiting.hold.id)
        .collect();
    for hold in moot {
        crate::hold::close(deciding, hold, Closing::Moot);
    }
}

pub(super) fn hold_reading(
    deciding: &mut Deciding<'_>,
    source: &ConnectorName,
    content: Digest,
    reason: Words,
    reading: &Reading,
    compared: &Compared,
) {
    // What leaves without a word is no effect of a yes.
    let now = deciding.civil_now();
    let missing: Vec<EntityId> = compared
        .missing
        .iter()
        .copied()
        .filter(|entity| !leaves_silently(deciding.state, *entity, now))
        .collect();
    let known = || compared.changed.iter().chain(&compared.taken);
    let total = missing.len() + known().count() + compared.added.len();
    let room = |listed: usize| LISTED.saturating_sub(listed);
    let mut effects: Vec<HeldEffect> = missing
        .iter()
        .take(LISTED)
        .map(|&entity| held_cancel(deciding, entity))
        .collect();
    for (index, entity) in known().take(room(effects.len())) {
        effects.push(held_update(deciding, &reading.lines[*index], *entity));
    }
    for &index in compared.added.iter().take(room(effects.len())) {
        effects.push(held_create(deciding, source, &reading.lines[index]));
    }
    let more = u32::try_from(total - effects.len()).unwrap_or(u32::MAX);
    let hold = Hold {
        id: reading_hold_id(source, content),
        what: HoldKind::Reading {
            source: source.clone(),
            content,
        },
        reason,
        opened: deciding.now,
        effects,
        more,
    };
    crate::hold::open(deciding, hold);
}

fn title_in(fields: &Fields) -> String {
    fields
        .get("title")
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn held_cancel(deciding: &Deciding<'_>, entity: EntityId) -> HeldEffect {
    let known = deciding.entity(entity);
    let (title, status) = known.map_or_else(Default::default, |mut known| {
        let title = known.text("title").to_owned();
        (title, known.fields.remove("status"))
    });
    let before = status.unwrap_or_else(|| json!("confirmed"));
    HeldEffect {
        connector: None,
        entity,
        action: "cancel".into(),
        title,
        before: Fields::from([("status".to_owned(), before)]),
        after: Fields::from([("status".to_owned(), json!("cancelled"))]),
    }
}

pub(super) fn held_update(deciding: &Deciding<'_>, line: &Line, entity: EntityId) -> HeldEffect {
    let before = source_fields(deciding.state, deciding.vault, entity).unwrap_or_default();
    let mut after = line.decode();
    crate::posted::set_zone(deciding, line.kind, &mut after);
    let title = title_in(&before);
    let (before, after) = difference(line.kind, &before, &after);
    HeldEffect {
        connector: None,
        entity,
        action: "update".into(),
        title,
        before,
        after,
    }
}

/// What a yes would do to an entry of a shared tool: it says then what the activity says.
pub(super) fn twin_effect(deciding: &Deciding<'_>, line: &Line, entity: EntityId) -> HeldEffect {
    let ours = deciding.entity(entity).map(|known| known.fields);
    let ours = ours.unwrap_or_default();
    let mut theirs = line.decode();
    crate::posted::set_zone(deciding, line.kind, &mut theirs);
    let title = title_in(&ours);
    let (before, after) = difference(line.kind, &theirs, &ours);
    HeldEffect {
        connector: None,
        entity,
        action: "adopt".into(),
        title,
        before,
        after,
    }
}

fn held_create(deciding: &Deciding<'_>, source: &ConnectorName, line: &Line) -> HeldEffect {
    let fields = line.decode();
    let entity = first_id(deciding, source, line);
    let title = title_in(&fields);
    let (before, after) = difference(line.kind, &Fields::new(), &fields);
    HeldEffect {
        connector: None,
        entity,
        action: "create".into(),
        title,
        before,
        after,
    }
}

/// The fields that differ, before and after, without personal ones.
pub(super) fn difference(kind: EntityKind, before: &Fields, after: &Fields) -> (Fields, Fields) {
    let hidden = crate::vault::personal(kind);
    let names = changed_fields(Some(before), after);
    let pick = |fields: &Fields| -> Fields {
        names
            .iter()
            .filter(|name| !hidden.contains(&name.as_str()))
            .filter_map(|name| Some((name.clone(), fields.get(name)?.clone())))
            .collect()
    };
    (pick(before), pick(after))
}
