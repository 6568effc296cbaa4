//! Recipes: entities derived from entities ("Réunion" gives two tasks).

use std::collections::BTreeMap;

use raccord_model::{Cause, EntityId, EntityKind, EventId, Fields, Rules, Verb};
use serde_json::{Value, json};

use crate::deciding::{Deciding, Draft};

/// The source name of derived entities.
pub(crate) const RECIPES: &str = "recipes";

/// Derives the tasks of an activity that just changed: makes new ones, changes known ones,
/// cancels those whose recipe no longer applies.
pub(crate) fn derive(deciding: &mut Deciding<'_>, activity: EntityId, because: EventId) {
    let rules = deciding.rules();
    if rules.recipes.is_empty() && !has_tasks(deciding, activity) {
        return;
    }
    let wanted = tasks_of(deciding, &rules, activity);
    let (cause_id, chain, hops) = deciding.chain(because);
    if hops >= crate::deciding::HOP_LIMIT {
        return;
    }
    let known: Vec<EntityId> = derived_from(deciding, activity);
    for task in known {
        if wanted.contains_key(&task) {
            continue;
        }
        let Some(entity) = deciding.entity(task) else {
            continue;
        };
        if entity.text("state") == "cancelled" {
            continue;
        }
        let mut fields = entity.fields;
        fields.insert("state".into(), json!("cancelled"));
        deciding.emit(Draft {
            kind: EntityKind::Task,
            verb: Verb::Cancelled,
            entity: task,
            fields,
            source: RECIPES,
            family: activity,
            cause: Cause::Recipe {
                from: activity,
                rule: "[[recipes]]".into(),
            },
            causation: Some((cause_id, chain, hops)),
        });
    }
    for (task, (fields, rule)) in wanted {
        let verb = match deciding.state.entities.get(&task) {
            None => Verb::Created,
            Some(_) => Verb::Updated,
        };
        let mut fields = fields;
        if let Some(known) = deciding.entity(task) {
            // What people did to the task stays; only what the recipe says is ours.
            for (name, value) in known.fields {
                let ours = [
                    "title", "activity", "capacity", "credits", "guide", "priority", "due",
                ];
                if !ours.contains(&name.as_str()) && name != "state" {
                    fields.entry(name).or_insert(value);
                } else if name == "state" && value != json!("cancelled") {
                    fields.insert(name, value);
                }
            }
        }
        deciding.emit(Draft {
            kind: EntityKind::Task,
            verb,
            entity: task,
            fields,
            source: RECIPES,
            family: activity,
            cause: Cause::Recipe {
                from: activity,
                rule,
            },
            causation: Some((cause_id, chain, hops)),
        });
    }
}

/// The tasks the rules derive from an activity: fields and the rule's name, by id.
pub(crate) fn tasks_of(
    deciding: &Deciding<'_>,
    rules: &Rules,
    activity: EntityId,
) -> BTreeMap<EntityId, (Fields, String)> {
    let mut tasks = BTreeMap::new();
    let Some(entity) = deciding.entity(activity) else {
        return tasks;
    };
    if matches!(entity.text("status"), "cancelled" | "draft") {
        return tasks;
    }
    for (index, recipe) in rules.recipes.iter().enumerate() {
        if !recipe.when.fits(&entity) {
            continue;
        }
        for template in &recipe.tasks {
            let id = task_id(rules, activity, &template.title);
            let mut fields: Fields = [
                ("title".to_owned(), json!(template.title)),
                ("activity".to_owned(), json!(activity)),
                ("state".to_owned(), json!("open")),
            ]
            .into();
            let mut set = |name: &str, value: Option<Value>| {
                if let Some(value) = value {
                    fields.insert(name.to_owned(), value);
                }
            };
            set("capacity", template.capacity.map(Value::from));
            set("credits", template.credits.map(Value::from));
            set("priority", template.priority.map(Value::from));
            set(
                "guide",
                (!template.guide.is_empty()).then(|| json!(template.guide)),
            );
            set("due", entity.text("start").get(..10).map(|day| json!(day)));
            tasks.insert(
                id,
                (
                    fields,
                    format!("[[recipes]] {} « {} »", index + 1, template.title),
                ),
            );
        }
    }
    tasks
}

fn task_id(rules: &Rules, activity: EntityId, title: &str) -> EntityId {
    EntityId::derive(&[
        rules.place.id.as_str().as_bytes(),
        b"task",
        activity.as_bytes(),
        title.as_bytes(),
    ])
}

fn has_tasks(deciding: &Deciding<'_>, activity: EntityId) -> bool {
    deciding.flight.children.contains_key(&activity)
}

/// Tasks that were derived from an activity.
fn derived_from(deciding: &Deciding<'_>, activity: EntityId) -> Vec<EntityId> {
    deciding
        .flight
        .children
        .get(&activity)
        .into_iter()
        .flatten()
        .copied()
        .filter(|child| {
            deciding
                .state
                .entities
                .get(child)
                .is_some_and(|record| &*record.source == RECIPES)
        })
        .collect()
}
