//! What one can sign up for: told to sources that name it by its title, as the answers of a form do.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};
use raccord_model::{Civil, EntityId, EntityKind, Offered, Status, over_at};
use serde_json::Value;

use crate::state::State;

/// Every activity that is on and is ours, and every task that stands, whatever their day.
pub fn offered(state: &State) -> Vec<Offered> {
    let mut activities: BTreeMap<EntityId, (Date, Option<DateTime>)> = BTreeMap::new();
    let mut all = Vec::new();
    let keeper = |id| crate::elsewhere::keeper_of(state, id).map(ToString::to_string);
    for (id, record) in state.activities() {
        let shown = record.when();
        let off = matches!(shown.status, Status::Cancelled | Status::Draft);
        let (Some(start), Some(title), false) = (shown.start, record.title(), off) else {
            continue;
        };
        if shown.is_foreign() {
            continue;
        }
        activities.insert(id, (start.date(), shown.over_at()));
        all.push(Offered {
            id,
            kind: EntityKind::Activity,
            title,
            activity: None,
            day: Some(start.date()),
            over: shown.over_at(),
            keeper: keeper(id),
        });
    }
    for (&id, record) in &state.entities {
        if record.kind != EntityKind::Task {
            continue;
        }
        let task = record.fields();
        let text = |name: &str| {
            let text = task.get(name).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        if matches!(text("state").as_str(), "cancelled" | "done") {
            continue;
        }
        let activity: Option<EntityId> = text("activity").parse().ok();
        let due: Option<Civil> = text("due").parse().ok();
        let (day, over) = match activity.map(|activity| activities.get(&activity)) {
            // Of what is called off nobody takes a task any more.
            Some(None) => continue,
            Some(Some((day, over))) => (Some(*day), *over),
            None => (due.map(Civil::date), due.map(|due| over_at(due, None))),
        };
        all.push(Offered {
            id,
            kind: EntityKind::Task,
            title: text("title"),
            activity,
            day,
            over,
            keeper: keeper(id),
        });
    }
    all
}
