//! How many hands are missing: said once, for chats, letters and pages alike.

use serde_json::Value;

use crate::{Entity, EntityKind};

/// How many people a task still needs while `taken` are on it: up to its `minimum`, else its
/// `capacity`, else one. What is done or cancelled needs nobody; nor does what is no task.
pub fn hands_missing(task: &Entity, taken: u64) -> u64 {
    if task.kind != EntityKind::Task || matches!(task.text("state"), "done" | "cancelled") {
        return 0;
    }
    let number = |name: &str| task.fields.get(name).and_then(Value::as_u64);
    let needed = number("minimum").or_else(|| number("capacity"));
    needed.unwrap_or(1).saturating_sub(taken)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::EntityId;

    #[test]
    fn a_task_needs_whom_it_lacks_until_it_is_done_or_cancelled() {
        let lacks = |kind, fields: Value, taken| {
            let task = Entity {
                id: EntityId::derive(&[b"task"]),
                kind,
                revision: 1,
                source: String::new(),
                fields: serde_json::from_value(fields).unwrap_or_default(),
            };
            hands_missing(&task, taken)
        };
        for (fields, taken, missing) in [
            (json!({}), 0, 1),
            (json!({}), 1, 0),
            (json!({ "capacity": 3 }), 1, 2),
            (json!({ "capacity": 3 }), 5, 0),
            (json!({ "minimum": 2, "capacity": 5 }), 1, 1),
            (json!({ "minimum": 0, "capacity": 5 }), 0, 0),
            (json!({ "state": "open" }), 0, 1),
            // Somebody has it; two were wanted.
            (json!({ "state": "taken", "capacity": 2 }), 1, 1),
            (json!({ "state": "done", "capacity": 2 }), 0, 0),
            (json!({ "state": "cancelled" }), 0, 0),
        ] {
            let said = fields.to_string();
            assert_eq!(lacks(EntityKind::Task, fields, taken), missing, "{said}");
        }
        assert_eq!(lacks(EntityKind::Activity, json!({ "capacity": 80 }), 0), 0);
    }
}
