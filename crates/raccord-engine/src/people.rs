//! Who asked to be forgotten: their values leave every entity, and do not come back with the next
//! reading. The values themselves lie beside the log, and are emptied there.

use raccord_model::{Cause, EntityId, Verb};

use crate::deciding::{Deciding, Draft};
use crate::vault::personal;

/// What such an event says was done.
pub(crate) const DID: &str = "forget";

/// Updates every entity that holds a value of somebody who was forgotten.
pub(crate) fn forget(deciding: &mut Deciding<'_>) {
    let with_people: Vec<EntityId> = deciding
        .state
        .entities
        .iter()
        .filter(|(_, record)| !personal(record.kind).is_empty())
        .map(|(&id, _)| id)
        .collect();
    for id in with_people {
        let Some(record) = deciding.state.entities.get(&id) else {
            continue;
        };
        let family = record.family.unwrap_or(id);
        let Some(entity) = deciding.entity(id) else {
            continue;
        };
        let mut left = entity.fields.clone();
        deciding.vault.strip(entity.kind, &mut left);
        if left == entity.fields {
            continue;
        }
        deciding.emit(Draft {
            kind: entity.kind,
            verb: Verb::Updated,
            entity: id,
            fields: left,
            source: &entity.source,
            family,
            cause: Cause::Person {
                did: DID.to_owned(),
            },
            causation: None,
        });
    }
}
