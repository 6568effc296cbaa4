//! Tasks beside their activities: which activity a task of a sheet belongs to, who is on it, and
//! what a change of the activity means for those who signed up. Nobody's word is lost on the way:
//! what no longer fits is told, and waits for a person.

use std::collections::BTreeMap;

use raccord_model::{
    Cause, Civil, Entity, EntityId, EntityKind, EventId, Fields, Hands, HoldId, Verb, Words,
    fold_word, over_at,
};
use serde_json::{Value, json};

use crate::deciding::{Deciding, Draft};
use crate::fact::{Closing, HeldEffect, Hold, HoldKind};
use crate::recipes::RECIPES;
use crate::roll::Commitment;

/// The source name of tasks that people kept although no rule wants them any more.
const KEPT: &str = "kept";
/// The priority of a task that has none: in the middle of 1 to 9.
const ORDINARY: u64 = 5;
/// Why a task belongs to an activity since.
pub(crate) const PLACED: &str = "task-placed";
/// Why a task says who is on it.
pub(crate) const REFRESHED: &str = "hands";
/// The code of what is told about a task whose activity is not found.
const WITHOUT: &str = "task-without-activity";
/// The code of what is told about people who signed up for something that is another now.
const SIGNED_UP: &str = "signed-up";

/// Lays what is known of a task of a sheet, and is not the sheet's to say, over what its line says.
pub(crate) fn lay(deciding: &Deciding<'_>, task: EntityId, fields: &mut Fields) {
    if let Some(known) = deciding.entity(task) {
        if known.fields.get("of") == fields.get("of") {
            keep(&known.fields, "activity", fields);
        }
        keep(&known.fields, "people", fields);
        if fields.get("state") == Some(&json!("open")) && known.text("state") == "taken" {
            keep(&known.fields, "state", fields);
        }
    }
}

/// A task changed: where it names an activity that is not found yet, that is looked for.
pub(crate) fn task_changed(
    deciding: &mut Deciding<'_>,
    task: EntityId,
    before: Option<&Fields>,
    now: &Fields,
) {
    let looks = |fields: &Fields| {
        let gone = fields.get("state") == Some(&json!("cancelled"));
        fields.contains_key("of") && !fields.contains_key("activity") && !gone
    };
    if looks(now) {
        deciding.unplaced.insert(task);
    } else if before.is_some_and(looks) {
        crate::notice::settle(deciding, WITHOUT, &task.to_string());
    }
}

fn keep(known: &Fields, name: &str, fields: &mut Fields) {
    if let Some(value) = known.get(name) {
        fields.insert(name.to_owned(), value.clone());
    }
}

/// The tasks of an activity that stand, the most urgent first; of a task itself.
pub(crate) fn of(deciding: &Deciding<'_>, entity: &Entity) -> Vec<Hands> {
    let hands = |task: Entity| {
        let people = || task.fields.get("people")?.as_array().map(Vec::len);
        let taken = match deciding.flight.roll.seats(task.id) {
            Some(seats) => seats.taken,
            None => people().unwrap_or(0) as u64,
        };
        Hands { task, taken }
    };
    if entity.kind == EntityKind::Task {
        return vec![hands(entity.clone())];
    }
    let mut all: Vec<Hands> = tasks_of(deciding, entity.id)
        .filter_map(|task| deciding.entity(task))
        .filter(|task| task.text("state") != "cancelled")
        .map(hands)
        .collect();
    all.sort_by_cached_key(|one| {
        let priority = one.task.fields.get("priority").and_then(Value::as_u64);
        let title = one.task.text("title").to_owned();
        (priority.unwrap_or(ORDINARY), title, one.task.id)
    });
    all
}

/// The tasks of an activity.
fn tasks_of<'d>(
    deciding: &'d Deciding<'_>,
    activity: EntityId,
) -> impl Iterator<Item = EntityId> + 'd {
    let children = deciding.flight.children.get(&activity);
    children.into_iter().flatten().copied().filter(|child| {
        let record = deciding.state.entities.get(child);
        record.is_some_and(|record| record.kind == EntityKind::Task)
    })
}

/// What shows a task, or shows something of it, is looked at again: its activity (and the one it
/// belonged to before), or of an activity its tasks.
pub(crate) fn touch(
    deciding: &mut Deciding<'_>,
    entity: EntityId,
    kind: EntityKind,
    before: Option<EntityId>,
) {
    match kind {
        EntityKind::Task => {
            let record = deciding.state.entities.get(&entity);
            let now = record.and_then(|record| record.family);
            deciding.touched.extend(before.into_iter().chain(now));
        }
        EntityKind::Activity => {
            let tasks: Vec<EntityId> = tasks_of(deciding, entity).collect();
            deciding.touched.extend(tasks);
        }
        _ => {}
    }
}

/// The family of a task with these fields.
pub(crate) fn family(task: EntityId, fields: &Fields) -> EntityId {
    crate::posted::family_of(EntityKind::Task, fields).unwrap_or(task)
}

/// Whether its time has passed.
pub(crate) fn is_over(deciding: &Deciding<'_>, entity: &Entity) -> bool {
    let now = deciding.civil_now();
    let activity = match entity.kind {
        EntityKind::Task => entity.text("activity").parse().ok(),
        _ => Some(entity.id),
    };
    let record = activity.and_then(|activity| deciding.state.entities.get(&activity));
    let over = match record {
        Some(record) => record.when().over_at(),
        None => entity
            .text("due")
            .parse()
            .ok()
            .map(|due: Civil| over_at(due, None)),
    };
    over.is_some_and(|over| over <= now)
}

/// Finds the activities of tasks that name theirs by its title.
pub(crate) fn place(deciding: &mut Deciding<'_>) {
    let tasks = std::mem::take(&mut deciding.unplaced);
    if tasks.is_empty() {
        return;
    }
    let mut titled: BTreeMap<String, Vec<(Civil, EntityId)>> = BTreeMap::new();
    let now = deciding.civil_now();
    for (id, record) in deciding.state.activities() {
        let shown = record.when();
        let coming = shown.over_at().is_some_and(|over| over > now);
        let on = shown.status != raccord_model::Status::Cancelled && !shown.is_foreign();
        if let (Some(start), Some(title), true) = (shown.start, record.title(), coming && on) {
            titled
                .entry(fold_word(&title))
                .or_default()
                .push((start, id));
        }
    }
    for all in titled.values_mut() {
        all.sort_unstable();
    }
    for task in tasks {
        let Some(known) = deciding.entity(task) else {
            continue;
        };
        if known.text("state") == "cancelled" || known.fields.contains_key("activity") {
            continue;
        }
        let all = titled.get(&fold_word(known.text("of")));
        let all = all.map(Vec::as_slice).unwrap_or_default();
        let due: Option<Civil> = known.text("due").parse().ok();
        match (all, due) {
            (&[(_, only)], _) => belongs(deciding, known, only),
            // Of several, the first from its day on: what is due the day before is for the next one.
            (all, Some(due)) if !all.is_empty() => {
                let next = all.iter().find(|(start, _)| start.date() >= due.date());
                match next {
                    Some(&(_, next)) => belongs(deciding, known, next),
                    None => tell_lost(deciding, &known, 0),
                }
            }
            (all, _) => tell_lost(deciding, &known, all.len()),
        }
    }
}

fn belongs(deciding: &mut Deciding<'_>, task: Entity, activity: EntityId) {
    let event = deciding.state.entities[&task.id].event;
    let mut fields = task.fields;
    fields.insert("activity".into(), json!(activity));
    deciding.emit(Draft {
        kind: EntityKind::Task,
        verb: Verb::Updated,
        entity: task.id,
        fields,
        source: &task.source,
        family: activity,
        cause: Cause::Noticed {
            code: PLACED.to_owned(),
        },
        causation: Some(deciding.chain(event)),
    });
}

fn tell_lost(deciding: &mut Deciding<'_>, task: &Entity, namesakes: usize) {
    let (title, of) = (task.text("title"), task.text("of"));
    let (text, mend) = if namesakes > 1 {
        (
            Words::new(
                format!("Tâche « {title} » : {namesakes} activités à venir s'appellent « {of} »."),
                format!("Task “{title}”: {namesakes} coming activities are called “{of}”."),
            ),
            Words::new(
                "Écrivez aussi la date de la bonne dans la ligne de la tâche.",
                "Write the date of the right one on the task's line, too.",
            ),
        )
    } else {
        (
            Words::new(
                format!("Tâche « {title} » : aucune activité à venir ne s'appelle « {of} »."),
                format!("Task “{title}”: no coming activity is called “{of}”."),
            ),
            Words::new(
                "Écrivez le titre de l'activité comme dans le programme, ou videz cette case : la tâche existe alors par elle-même.",
                "Write the activity's title as in the programme, or clear that cell: the task then stands on its own.",
            ),
        )
    };
    crate::notice::tell(deciding, WITHOUT, &task.id.to_string(), &text, &mend);
}

/// An activity changed: tasks that waited for it are placed, and where people signed up for what is
/// another now, that is told.
pub(crate) fn activity_changed(
    deciding: &mut Deciding<'_>,
    activity: EntityId,
    before: Option<&Entity>,
) {
    if before.is_none() && !deciding.flight.roll.has_unplaced() {
        return;
    }
    let Some(now) = deciding.state.entity(activity) else {
        return;
    };
    let waiting: Vec<EntityId> = deciding
        .flight
        .roll
        .waiting_for(now.text("title"))
        .collect();
    deciding.unplaced.extend(waiting);
    let Some(before) = before else {
        return;
    };
    let about = activity.to_string();
    let off = |entity: &Entity| matches!(entity.text("status"), "cancelled" | "draft");
    deciding.touch_sign_ups(activity);
    let people = signed_up(deciding, activity);
    if people == 0 || is_over(deciding, &now) {
        return;
    }
    let title = now.text("title");
    if off(&now) && !off(before) {
        let text = Words::new(
            format!("« {title} » est annulée, et {people} inscriptions y étaient prises."),
            format!("“{title}” is cancelled, and {people} sign-ups stood for it."),
        );
        let mend = Words::new(
            "Prévenez ces personnes. Leurs inscriptions restent notées : elles valent de nouveau si l'activité revient.",
            "Tell those people. Their sign-ups are kept: they count again if the activity comes back.",
        );
        crate::notice::tell(deciding, SIGNED_UP, &about, &text, &mend);
    } else if off(before) && !off(&now) {
        crate::notice::settle(deciding, SIGNED_UP, &about);
    } else if ["start", "end", "room"]
        .iter()
        .any(|name| before.fields.get(*name) != now.fields.get(*name))
    {
        let text = Words::new(
            format!(
                "« {title} » a changé d'heure ou de lieu, et {people} inscriptions y sont prises."
            ),
            format!("“{title}” has another time or place, and {people} sign-ups stand for it."),
        );
        let mend = Words::new(
            "Prévenez ces personnes : qui ne peut plus venir se désinscrit, et la liste d'attente avance.",
            "Tell those people: whoever cannot come signs off, and the waiting list moves on.",
        );
        crate::notice::tell(deciding, SIGNED_UP, &about, &text, &mend);
    }
}

/// How many sign-ups stand for an activity and its tasks.
fn signed_up(deciding: &Deciding<'_>, activity: EntityId) -> usize {
    let roll = &deciding.flight.roll;
    let tasks = deciding
        .flight
        .children
        .get(&activity)
        .into_iter()
        .flatten();
    let tasks: usize = tasks.map(|task| roll.active(*task)).sum();
    roll.active(activity) + tasks
}

fn hold_id(task: EntityId) -> HoldId {
    HoldId::derive(&[b"task", task.as_bytes()])
}

/// Whether a task may go: nobody is on it. Otherwise a person is asked, and it stays until then.
pub(crate) fn may_go(deciding: &mut Deciding<'_>, task: &Entity) -> bool {
    let people = deciding.flight.roll.active(task.id);
    if people == 0 {
        wanted(deciding, task.id);
        return true;
    }
    let title = task.text("title").to_owned();
    let activity = task.text("activity").parse().map(|id| deciding.title(id));
    let of = activity.unwrap_or_default();
    let hold = Hold {
        id: hold_id(task.id),
        what: HoldKind::Task { task: task.id },
        reason: Words::new(
            format!(
                "Plus rien ne demande la tâche « {title} » ({of}), et {people} inscriptions y sont prises. Oui : la tâche et ces inscriptions sont annulées. Non : la tâche reste."
            ),
            format!(
                "Nothing asks for the task “{title}” ({of}) any more, and {people} sign-ups stand for it. Yes: the task and these sign-ups are cancelled. No: the task stays."
            ),
        ),
        opened: deciding.now,
        effects: vec![HeldEffect {
            connector: None,
            entity: task.id,
            action: "cancel".into(),
            title,
            before: Fields::from([("state".to_owned(), json!(task.text("state")))]),
            after: Fields::from([("state".to_owned(), json!("cancelled"))]),
        }],
        more: 0,
    };
    crate::hold::open(deciding, hold);
    false
}

/// A task that was to go is wanted again, or is gone.
pub(crate) fn wanted(deciding: &mut Deciding<'_>, task: EntityId) {
    crate::hold::close(deciding, hold_id(task), Closing::Moot);
}

/// A person said whether a task that people are on may go.
pub(crate) fn decided(deciding: &mut Deciding<'_>, task: EntityId, goes: bool) {
    let Some(known) = deciding.entity(task) else {
        return;
    };
    let did = if goes { "approve" } else { "reject" };
    let mut fields = known.fields;
    let verb = if goes {
        crate::places::sign_all_off(deciding, task);
        fields.insert("state".into(), json!("cancelled"));
        fields.remove("people");
        Verb::Cancelled
    } else {
        // What it was derived from has no word any more.
        fields.insert("extra".into(), with_kept(fields.get("extra")));
        Verb::Updated
    };
    deciding.emit(Draft {
        kind: EntityKind::Task,
        verb,
        entity: task,
        family: family(task, &fields),
        fields,
        source: if goes { &known.source } else { KEPT },
        cause: Cause::Person {
            did: did.to_owned(),
        },
        causation: None,
    });
}

/// What its source knew beyond the shared fields, and that people kept it.
fn with_kept(extra: Option<&Value>) -> Value {
    let mut extra = extra
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    extra.insert(KEPT.into(), json!(true));
    Value::Object(extra)
}

/// Writes into a task who is on it, and how far it is.
pub(crate) fn refresh(deciding: &mut Deciding<'_>, task: EntityId, because: Option<EventId>) {
    let (Some(known), Some(seats)) = (deciding.entity(task), deciding.flight.roll.seats(task))
    else {
        return;
    };
    if known.text("state") == "cancelled" {
        return;
    }
    let taken = seats.taken;
    let waited = !seats.list.is_empty();
    let on: Vec<Fields> = seats
        .on
        .iter()
        .filter_map(|(_, id)| Some(deciding.state.entity(*id)?.fields))
        .collect();
    let mut fields = known.fields.clone();
    let people: Vec<&Value> = on
        .iter()
        .filter_map(|fields| fields.get("person"))
        .collect();
    if people.is_empty() {
        fields.remove("people");
    } else {
        fields.insert("people".into(), json!(people));
    }
    let number = |name: &str| fields.get(name).and_then(Value::as_u64);
    let needed = number("capacity")
        .or_else(|| number("minimum"))
        .unwrap_or(1);
    let enough = taken >= needed.max(1);
    let came = |fields: &Fields| Commitment::of(fields) == Some(Commitment::Attended);
    let all_came = !on.is_empty() && on.iter().all(came) && !waited;
    let derived = known.source == RECIPES || known.source == KEPT;
    let said = deciding.state.said.get(&task);
    let said = said.is_some_and(|said| said.contains_key("state"));
    let state = if said || known.text("state") == "done" && !derived {
        known.text("state")
    } else if derived && all_came && (enough || is_over(deciding, &known)) {
        "done"
    } else if enough {
        "taken"
    } else {
        "open"
    };
    fields.insert("state".into(), json!(state));
    deciding.emit(Draft {
        kind: EntityKind::Task,
        verb: Verb::Updated,
        entity: task,
        family: family(task, &fields),
        fields,
        source: &known.source,
        cause: Cause::Noticed {
            code: REFRESHED.to_owned(),
        },
        causation: because.map(|event| deciding.chain(event)),
    });
    // Nobody is on it any more: what was asked is no question now.
    let asked = deciding.state.holds.contains_key(&hold_id(task));
    if asked && deciding.flight.roll.active(task) == 0 {
        wanted(deciding, task);
        decided(deciding, task, true);
    }
}
