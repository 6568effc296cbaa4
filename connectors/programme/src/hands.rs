//! The hands an activity needs: its tasks, as they are printed. Pure.
//!
//! Tasks are entities of their own: a recipe derives them from an activity, or a tool brings them.
//! Only those that everyone may see are printed, with how many people each takes. Who is on them
//! stays where it is: a programme is not a new edition whenever somebody puts a name down.

use std::collections::BTreeMap;

use raccord_model::{Entity, EntityId, EntityKind, Lang, fold_word};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::typography as set;

/// Of a longer title, the beginning is printed.
const TITLE: usize = 60;
/// Tasks beyond this many characters are counted, not named.
const NAMED: usize = 76;
/// A sheet to sign on lists no more.
const LISTED: usize = 12;
/// Numbers beyond this are mistakes.
const MOST_HANDS: u32 = 1_000;
const MOST_CREDITS: i64 = 100_000;
/// The priority of a task that has none: in the middle of 1 to 9.
const ORDINARY: u64 = 5;

/// Whether `kind` is work done together, whose places are hands that are needed.
pub(crate) fn wanted_for(kind: &str) -> bool {
    let kind = fold_word(kind);
    ["chantier", "work party", "coup de main"]
        .iter()
        .any(|prefix| kind.starts_with(prefix))
}

/// The tasks of each activity.
pub(crate) type Tasks = BTreeMap<EntityId, Vec<Task>>;

/// A task as it is printed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Task {
    /// What is to be done.
    pub title: String,
    /// "2 personnes"; empty where the task does not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hands: String,
    /// "2 crédits".
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub credits: String,
    /// How many people it takes.
    #[serde(skip)]
    wanted: Wanted,
}

/// How many people a task takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Wanted {
    /// Whoever comes takes part: it is no work that would stay undone.
    #[default]
    Nobody,
    /// It brings credits, and does not say how many people it takes.
    Some,
    /// So many.
    Count(u32),
}

/// The tasks of each activity among `members`, the most urgent first.
pub(crate) fn by_activity(members: &[Entity], lang: Lang) -> Tasks {
    let mut tasks: BTreeMap<EntityId, Vec<(u64, Task)>> = BTreeMap::new();
    for entity in members {
        let Some(activity) = entity.text("activity").parse().ok() else {
            continue;
        };
        if entity.kind != EntityKind::Task || !is_shown(entity) {
            continue;
        }
        let priority = entity.fields.get("priority").and_then(Value::as_u64);
        let entry = (priority.unwrap_or(ORDINARY), task(entity, lang));
        tasks.entry(activity).or_default().push(entry);
    }
    tasks
        .into_iter()
        .map(|(activity, mut tasks)| {
            tasks.sort_by(|a, b| (a.0, &a.1.title).cmp(&(b.0, &b.1.title)));
            let tasks = tasks.into_iter().map(|(_, task)| task);
            (activity, tasks.collect())
        })
        .collect()
}

fn is_shown(task: &Entity) -> bool {
    let visibility = task.text("visibility");
    matches!(visibility, "" | "public")
        && !matches!(task.text("state"), "cancelled" | "done")
        && !task.text("title").trim().is_empty()
}

fn task(entity: &Entity, lang: Lang) -> Task {
    let capacity = entity.fields.get("capacity").and_then(Value::as_u64);
    let capacity = capacity.map(|count| u32::try_from(count).unwrap_or(u32::MAX));
    let credits = entity.fields.get("credits").and_then(Value::as_i64);
    let credits = credits.filter(|hundredths| (1..=MOST_CREDITS).contains(hundredths));
    let wanted = match capacity.filter(|count| (1..=MOST_HANDS).contains(count)) {
        Some(capacity) => Wanted::Count(capacity),
        None if credits.is_some() && capacity.is_none() => Wanted::Some,
        None => Wanted::Nobody,
    };
    Task {
        title: set::line(entity.text("title"), lang, TITLE),
        hands: match wanted {
            Wanted::Count(count) => set::people(count, lang),
            Wanted::Some | Wanted::Nobody => String::new(),
        },
        credits: credits
            .map(|hundredths| raccord_look::credits(hundredths, lang))
            .unwrap_or_default(),
        wanted,
    }
}

/// "3 coups de main : accueil (2), bar"; empty where nobody is looked for.
pub(crate) fn wanted(tasks: &[Task], lang: Lang) -> String {
    let open: Vec<&Task> = tasks
        .iter()
        .filter(|task| task.wanted != Wanted::Nobody)
        .collect();
    if open.is_empty() {
        return String::new();
    }
    let all: Option<u32> = open
        .iter()
        .map(|task| match task.wanted {
            Wanted::Count(count) => Some(count),
            Wanted::Some | Wanted::Nobody => None,
        })
        .sum();
    let who = match (lang, all) {
        (_, Some(count)) => set::hands(count, lang),
        (Lang::Fr, None) => "Coups de main".to_owned(),
        (Lang::En, None) => "Helpers".to_owned(),
    };
    let mut names = String::new();
    let mut unnamed = 0;
    for task in &open {
        let many = match task.wanted {
            Wanted::Count(count) if count > 1 && open.len() > 1 => format!("\u{a0}({count})"),
            _ => String::new(),
        };
        let long = names.chars().count() + task.title.chars().count() > NAMED;
        if unnamed > 0 || (long && !names.is_empty()) {
            unnamed += 1;
            continue;
        }
        if !names.is_empty() {
            names.push_str(", ");
        }
        names.push_str(&task.title);
        names.push_str(&many);
    }
    if unnamed > 0 {
        names.push(' ');
        names.push_str(&others(unnamed, lang));
    }
    let colon = match lang {
        Lang::Fr => "\u{a0}:",
        Lang::En => ":",
    };
    format!("{who}{colon} {names}")
}

fn others(count: usize, lang: Lang) -> String {
    match (lang, count) {
        (Lang::Fr, 1) => "et une autre tâche".to_owned(),
        (Lang::Fr, n) => format!("et {n} autres tâches"),
        (Lang::En, 1) => "and one more task".to_owned(),
        (Lang::En, n) => format!("and {n} more tasks"),
    }
}

/// The tasks a sheet to sign on lists: all of them, or the first and how many more there are.
pub(crate) fn listed(tasks: &[Task], lang: Lang) -> Vec<Task> {
    let beyond = tasks.len().saturating_sub(LISTED);
    let rest = (beyond > 0).then(|| Task {
        title: others(beyond, lang),
        ..Task::default()
    });
    tasks.iter().take(LISTED).cloned().chain(rest).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    const ACTIVITY: &str = "0193e9a0-0000-7000-8000-000000000001";

    fn tasks(of: &[Value], lang: Lang) -> Vec<Task> {
        let members: Vec<Entity> = of
            .iter()
            .map(|fields| {
                let mut fields = fields.clone();
                fields["activity"] = ACTIVITY.into();
                Entity {
                    id: EntityId::derive(&[fields.to_string().as_bytes()]),
                    kind: EntityKind::Task,
                    revision: 1,
                    source: "recipes".into(),
                    fields: serde_json::from_value(fields).unwrap(),
                }
            })
            .collect();
        by_activity(&members, lang)
            .remove(&ACTIVITY.parse().unwrap())
            .unwrap_or_default()
    }

    fn said(of: &[Value], lang: Lang) -> String {
        wanted(&tasks(of, lang), lang).replace('\u{a0}', " ")
    }

    #[test]
    fn the_hands_an_activity_needs_are_counted_and_named() {
        let bar = json!({"title": "Bar", "capacity": 1});
        let welcome = json!({"title": "Accueil", "capacity": 2, "priority": 1});
        let (both, one) = ([bar.clone(), welcome], [bar]);
        for (of, lang, text) in [
            (&both[..], Lang::Fr, "3 coups de main : Accueil (2), Bar"),
            (&both[..], Lang::En, "3 helpers: Accueil (2), Bar"),
            (&one[..], Lang::Fr, "1 coup de main : Bar"),
            (&one[..], Lang::En, "1 helper: Bar"),
        ] {
            assert_eq!(said(of, lang), text);
        }
        let found =
            json!({"title": "Accueil", "capacity": 2, "people": [ACTIVITY], "state": "taken"});
        assert_eq!(
            said(&[found], Lang::Fr),
            "2 coups de main : Accueil",
            "paper says what it takes, not who came forward"
        );
        let paid = json!({"title": "Vaisselle", "credits": 100});
        assert_eq!(said(&[paid], Lang::Fr), "Coups de main : Vaisselle");
    }

    #[test]
    fn who_only_comes_is_not_looked_for() {
        for task in [
            json!({"title": "Participer à la réunion"}),
            json!({"title": "Bar", "capacity": 2, "state": "cancelled"}),
            json!({"title": "Bar", "capacity": 2, "state": "done"}),
            json!({"title": "Bar", "capacity": 2, "visibility": "internal"}),
            json!({"title": "  ", "capacity": 2}),
            json!({"title": "Bar", "capacity": 0}),
            json!({"title": "Bar", "capacity": "deux"}),
        ] {
            assert_eq!(said(std::slice::from_ref(&task), Lang::Fr), "", "{task}");
        }
    }

    #[test]
    fn many_tasks_stay_on_a_line_or_two() {
        let many: Vec<Value> = (1..=40)
            .map(|n| json!({"title": format!("Monter la scène numéro {n:02}"), "capacity": 2}))
            .collect();
        let text = said(&many, Lang::Fr);
        assert!(
            text.starts_with("80 coups de main : Monter la scène numéro 01 (2), "),
            "{text}"
        );
        assert!(text.ends_with(" et 38 autres tâches"), "{text}");
        assert!(text.chars().count() < 130, "{text}");
        let listed = listed(&tasks(&many, Lang::Fr), Lang::Fr);
        assert_eq!(listed.len(), LISTED + 1);
        assert_eq!(listed[LISTED].title, "et 28 autres tâches");
    }

    #[test]
    fn a_task_has_its_hands_and_its_credits() {
        let task = json!({"title": "Animer la réunion", "capacity": 1, "credits": 200});
        let task = tasks(&[task], Lang::Fr).remove(0);
        assert_eq!(task.title, "Animer la réunion");
        assert_eq!(task.hands, "1\u{a0}personne");
        assert_eq!(task.credits, "2\u{a0}crédits");
    }
}
