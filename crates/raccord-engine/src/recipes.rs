//! Recipes: entities derived from entities ("Réunion" gives two tasks).

use std::collections::BTreeMap;

use raccord_model::{
    Cause, Entity, EntityId, EntityKind, EventId, Fields, Rules, TaskTemplate, Verb, fold_word,
};
use serde_json::{Value, json};

use crate::deciding::{Deciding, Draft};
use crate::hands;

/// The source name of derived entities.
pub(crate) const RECIPES: &str = "recipes";

/// What recipes say of a task.
const OURS: [&str; 11] = [
    "title",
    "activity",
    "kind",
    "capacity",
    "minimum",
    "lead",
    "validators",
    "credits",
    "guide",
    "priority",
    "due",
];

/// Derives the tasks of an activity that just changed: makes new ones, changes known ones,
/// cancels those whose recipe no longer applies.
///
/// `asks` tells whether its own line may ask for hands.
pub(crate) fn derive(
    deciding: &mut Deciding<'_>,
    activity: EntityId,
    because: EventId,
    asks: bool,
) {
    let rules = deciding.rules();
    if rules.recipes.is_empty() && !has_tasks(deciding, activity) && !asks {
        return;
    }
    let wanted = tasks_of(deciding, &rules, activity);
    let (cause_id, chain, hops) = deciding.chain(because);
    if hops >= crate::deciding::HOP_LIMIT {
        return;
    }
    let off = deciding
        .state
        .entity(activity)
        .is_some_and(|known| is_off(&known));
    for task in derived_from(deciding, activity) {
        if wanted.contains_key(&task) {
            continue;
        }
        let Some(entity) = deciding.entity(task) else {
            continue;
        };
        // Who signed up for what is cancelled with its activity counts again when that comes back.
        if entity.text("state") == "cancelled" || !off && !hands::may_go(deciding, &entity) {
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
    for (task, (mut fields, rule)) in wanted {
        hands::wanted(deciding, task);
        let known = deciding.entity(task);
        let verb = match known {
            None => Verb::Created,
            Some(_) => Verb::Updated,
        };
        if let Some(known) = known {
            // What people did to the task stays; only what the recipe says is ours.
            for (name, value) in known.fields {
                if name == "state" && value != json!("cancelled") {
                    fields.insert(name, value);
                } else if !OURS.contains(&name.as_str()) {
                    fields.entry(name).or_insert(value);
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

fn is_off(activity: &Entity) -> bool {
    matches!(activity.text("status"), "cancelled" | "draft")
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
    if is_off(&entity) {
        return tasks;
    }
    let mut wanted: Vec<Wanted> = Vec::new();
    for (index, recipe) in rules.recipes.iter().enumerate() {
        if !recipe.when.fits(&entity) {
            continue;
        }
        for template in &recipe.tasks {
            let rule = format!("[[recipes]] {} « {} »", index + 1, template.title);
            wanted.retain(|known| known.name != template.title);
            wanted.push(Wanted {
                name: template.title.clone(),
                fields: fields_of(template),
                rule,
            });
        }
    }
    // Another place asks nobody here for hands.
    let asked = entity.fields.get("hands").filter(|_| !entity.is_foreign());
    if let Some(asked) = asked.and_then(Value::as_array) {
        ask_for(&mut wanted, asked);
    }
    for Wanted {
        name,
        mut fields,
        rule,
    } in wanted
    {
        fields.insert("activity".to_owned(), json!(activity));
        fields.insert("state".to_owned(), json!("open"));
        if let Some(day) = entity.text("start").get(..10) {
            fields.insert("due".to_owned(), json!(day));
        }
        tasks.insert(task_id(rules, activity, &name), (fields, rule));
    }
    tasks
}

/// A task to derive.
struct Wanted {
    /// What names it beside its activity.
    name: String,
    fields: Fields,
    rule: String,
}

fn fields_of(template: &TaskTemplate) -> Fields {
    let text = |text: &str| (!text.is_empty()).then(|| json!(text));
    let validators = &template.validators;
    [
        ("title", text(&template.title)),
        ("kind", text(&template.kind)),
        ("capacity", template.capacity.map(Value::from)),
        ("minimum", template.minimum.map(Value::from)),
        ("lead", template.lead.map(Value::from)),
        (
            "validators",
            (!validators.is_empty()).then(|| json!(validators)),
        ),
        ("credits", template.credits.map(Value::from)),
        ("priority", template.priority.map(Value::from)),
        ("guide", text(&template.guide)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .collect()
}

/// Lays what the activity's own line asks for ("bar 3, accueil 2") over what recipes give: it says
/// how many, or none, of a task of theirs, or names one of its own. An empty list wants no task.
fn ask_for(wanted: &mut Vec<Wanted>, asked: &[Value]) {
    if asked.is_empty() {
        wanted.clear();
    }
    for ask in asked {
        let title = ask.get("title").and_then(Value::as_str);
        let title = title.unwrap_or_default();
        let people = ask.get("capacity").and_then(Value::as_u64);
        let at = if let Some(at) = named(wanted, title) {
            at
        } else {
            wanted.push(Wanted {
                name: fold_word(title),
                fields: Fields::from([("title".to_owned(), json!(title))]),
                rule: format!("« {title} »"),
            });
            wanted.len() - 1
        };
        match people {
            Some(0) => {
                wanted.remove(at);
            }
            Some(people) => {
                let fields = &mut wanted[at].fields;
                fields.insert("capacity".to_owned(), json!(people));
                let least = fields.get("minimum").and_then(Value::as_u64);
                if least.is_some_and(|least| least > people) {
                    fields.insert("minimum".to_owned(), json!(people));
                }
            }
            None => {}
        }
    }
}

/// The task that is called so, or the only one whose title has these words in it.
fn named(wanted: &[Wanted], title: &str) -> Option<usize> {
    let folded = |title: &str| format!(" {} ", fold_word(title));
    let asked = folded(title);
    let titles: Vec<String> = wanted.iter().map(|known| folded(&known.name)).collect();
    if let Some(at) = titles.iter().position(|known| *known == asked) {
        return Some(at);
    }
    let mut with = titles
        .iter()
        .enumerate()
        .filter(|(_, known)| known.contains(&asked));
    with.next()
        .filter(|_| with.next().is_none())
        .map(|(at, _)| at)
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
