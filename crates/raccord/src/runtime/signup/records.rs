//! What was read of activities and tasks, kept until they change: a page that lists a thousand tasks
//! does not read them anew for each visitor. No personal value is in it.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::civil::DateTime;
use raccord_engine::Engine;
use raccord_model::{Civil, Entity, EntityId, EntityKind, over_at};

/// The most entities that are kept: those that come.
const MOST: usize = 4_000;
/// The most ends that are kept, of what comes and what was.
const MOST_ENDS: usize = 50_000;

/// What was read.
#[derive(Default)]
pub(super) struct Records {
    read: HashMap<EntityId, Kept<Arc<Entity>>>,
    ends: HashMap<EntityId, Kept<Option<DateTime>>>,
}

/// Read from these bytes. A record that changed has others, for these are kept as long as this is.
struct Kept<T> {
    body: Arc<[u8]>,
    value: T,
}

impl Records {
    /// An activity or a task, without personal values.
    pub(super) fn get(&mut self, engine: &Engine, id: EntityId) -> Option<Arc<Entity>> {
        let record = engine.state().entities.get(&id)?;
        if !matches!(record.kind, EntityKind::Activity | EntityKind::Task) {
            return None;
        }
        if let Some(kept) = self.read.get(&id)
            && Arc::ptr_eq(&kept.body, &record.body)
        {
            return Some(Arc::clone(&kept.value));
        }
        if self.read.len() >= MOST {
            self.read.clear();
        }
        let entity = Arc::new(record.entity(id));
        let kept = Kept {
            body: Arc::clone(&record.body),
            value: Arc::clone(&entity),
        };
        self.read.insert(id, kept);
        Some(entity)
    }

    /// Whether the time of an activity or a task has not passed; that of a task is its activity's.
    pub(super) fn comes(&mut self, engine: &Engine, id: EntityId, now: DateTime) -> bool {
        let entities = &engine.state().entities;
        let Some(record) = entities.get(&id) else {
            return false;
        };
        let activity = match record.kind {
            EntityKind::Activity => Some((id, record)),
            EntityKind::Task => record
                .family
                .and_then(|of| Some((of, entities.get(&of)?)))
                .filter(|(_, of)| of.kind == EntityKind::Activity),
            _ => return false,
        };
        let over = match activity {
            Some((id, activity)) => self.end(id, &activity.body, || activity.when().over_at()),
            None => self.end(id, &record.body, || {
                let due: Civil = record.entity(id).text("due").parse().ok()?;
                Some(over_at(due, None))
            }),
        };
        over.is_none_or(|over| over > now)
    }

    fn end(
        &mut self,
        id: EntityId,
        body: &Arc<[u8]>,
        read: impl FnOnce() -> Option<DateTime>,
    ) -> Option<DateTime> {
        if let Some(kept) = self.ends.get(&id)
            && Arc::ptr_eq(&kept.body, body)
        {
            return kept.value;
        }
        if self.ends.len() >= MOST_ENDS {
            self.ends.clear();
        }
        let value = read();
        let body = Arc::clone(body);
        self.ends.insert(id, Kept { body, value });
        value
    }
}
