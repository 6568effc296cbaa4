//! What a change feed could not tell: messages that went while it told of too much else. What stands was
//! counted; what is known and not among it is gone.

use std::collections::BTreeSet;

use jiff::Timestamp;
use raccord_model::{Cause, ConnectorName, EntityId, EntityKind, Standing, Verb};

use crate::deciding::{Deciding, Draft};

pub(super) fn gone(deciding: &mut Deciding<'_>, source: &ConnectorName, standing: &[Standing]) {
    for room in standing {
        for entity in missing(deciding, source, room) {
            let Some(known) = deciding.entity(entity) else {
                continue;
            };
            // That it went was known.
            if deciding.was_last(&known, Verb::Removed) {
                continue;
            }
            let family = crate::posted::family_of(known.kind, &known.fields).unwrap_or(entity);
            deciding.emit(Draft {
                kind: known.kind,
                verb: Verb::Removed,
                entity,
                fields: known.fields,
                source: source.as_str(),
                family,
                cause: Cause::Posted {
                    id: format!("{entity} gone"),
                },
                causation: None,
            });
        }
    }
}

/// The messages that a source told of, and that do not stand in the room any more.
fn missing(deciding: &Deciding<'_>, source: &ConnectorName, room: &Standing) -> Vec<EntityId> {
    let kind = EntityKind::Message;
    let subjects = room.subjects.iter();
    let stands: BTreeSet<EntityId> = subjects
        .map(|subject| crate::posted::named(deciding, kind, source.as_str(), subject))
        .collect();
    let known = deciding.state.entities.iter();
    known
        .filter(|(id, record)| {
            record.kind == kind && &*record.source == source.as_str() && !stands.contains(id)
        })
        .filter(|(_, record)| {
            let fields = record.fields();
            let text = |name: &str| fields.get(name).and_then(|value| value.as_str());
            let sent = text("sent").and_then(|sent| sent.parse::<Timestamp>().ok());
            let counted = sent.is_some_and(|sent| (room.from..=room.until).contains(&sent));
            counted && text("channel") == Some(&room.channel)
        })
        .map(|(id, _)| *id)
        .collect()
}
