//! Guides that are gone: the shell looks at their addresses once a week, the engine says which are
//! used by what, and tells what was found missing.

use std::collections::{BTreeMap, BTreeSet};

use raccord_model::{Cause, Digest, Entity, EntityId, EntityKind, Verb, Words};
use serde_json::{Value, json};

use crate::deciding::{Deciding, Draft};
use crate::notice::{self, LONGEST, RACCORD};
use crate::state::State;

/// The code of what is told.
const CODE: &str = "guide-missing";
/// How many activities and tasks are named.
const NAMED: usize = 10;

/// The addresses of the guides of what is still to come, with what uses each, at the place's civil
/// `now`.
pub fn guides(state: &State, now: jiff::civil::DateTime) -> BTreeMap<String, BTreeSet<EntityId>> {
    let mut used: BTreeMap<String, BTreeSet<EntityId>> = BTreeMap::new();
    for (&id, record) in &state.entities {
        if !matches!(record.kind, EntityKind::Activity | EntityKind::Task) {
            continue;
        }
        let shown = record.when();
        let off = shown.status == raccord_model::Status::Cancelled || shown.is_foreign();
        let over = shown.over_at().is_some_and(|over| over <= now) || shown.is_settled(now);
        if off || over {
            continue;
        }
        if let Some(Value::String(guide)) = record.fields().remove("guide") {
            used.entry(guide).or_default().insert(id);
        }
    }
    used
}

/// The addresses were looked at: those that are `missing` are told, again where that was told
/// before; those that were `found`, and those that nothing uses any more, are settled. What could
/// not be reached says nothing.
pub(crate) fn looked(
    deciding: &mut Deciding<'_>,
    missing: &BTreeSet<String>,
    found: &BTreeSet<String>,
) {
    let used = guides(deciding.state, deciding.civil_now());
    let about = |guide: &String| Digest::of(guide.as_bytes()).to_string();
    let unsure = used.keys().filter(|guide| !found.contains(*guide));
    let stays: BTreeSet<String> = unsure.map(about).collect();
    let open: Vec<String> = open(deciding)
        .into_iter()
        .filter(|id| !stays.contains(id))
        .collect();
    for guide in open {
        notice::settle(deciding, CODE, &guide);
    }
    for guide in missing {
        if let Some(users) = used.get(guide) {
            tell(deciding, guide, &about(guide), users);
        }
    }
}

/// What the open notices about guides are about.
fn open(deciding: &Deciding<'_>) -> Vec<String> {
    let entities = deciding.state.entities.values();
    let notices = entities.filter(|record| record.kind == EntityKind::Notice);
    let fields = notices.map(crate::state::Record::fields);
    let ours = fields.filter(|fields| {
        fields.get("code") == Some(&json!(CODE)) && fields.get("state") == Some(&json!("open"))
    });
    ours.filter_map(|fields| Some(fields.get("about")?.as_str()?.to_owned()))
        .collect()
}

fn tell(deciding: &mut Deciding<'_>, guide: &str, about: &str, users: &BTreeSet<EntityId>) {
    let named: BTreeSet<String> = users.iter().map(|id| activity_of(deciding, *id)).collect();
    let more = named.len().saturating_sub(NAMED);
    let mut names: Vec<String> = named.into_iter().take(NAMED).collect();
    if more > 0 {
        names.push(format!("… (+{more})"));
    }
    let names = names.join(", ");
    let text = Words::new(
        format!("Un mode d'emploi n'existe plus à son adresse ({guide}). Il sert à : {names}."),
        format!("A guide is not at its address any more ({guide}). It is used by: {names}."),
    );
    let mend = Words::new(
        "Corrigez l'adresse là où elle est écrite : dans le tableau, ou dans les recettes de la configuration.",
        "Correct the address where it is written: in the sheet, or in the recipes of the configuration.",
    );
    let known = deciding.entity(notice::id(&deciding.rules().place, CODE, about));
    let says = notice::both(&text, LONGEST);
    let same =
        |known: &Entity| known.text("state") == "open" && known.fields.get("text") == Some(&says);
    // Told again every week, as long as it lasts.
    let Some(told) = known.filter(same) else {
        notice::tell(deciding, CODE, about, &text, &mend);
        return;
    };
    let times = told
        .fields
        .get("extra")
        .and_then(|extra| extra.get("reminders"));
    let times = times.and_then(Value::as_u64).unwrap_or(0) + 1;
    let mut fields = told.fields;
    fields.insert("extra".into(), json!({ "reminders": times }));
    deciding.emit(Draft {
        kind: EntityKind::Notice,
        verb: Verb::Updated,
        entity: told.id,
        fields,
        source: RACCORD,
        family: told.id,
        cause: Cause::Time,
        causation: None,
    });
}

/// An activity by its title and day, or a task by its own or its activity's.
fn activity_of(deciding: &Deciding<'_>, id: EntityId) -> String {
    let Some(entity) = deciding.state.entity(id) else {
        return String::new();
    };
    let parent = entity.text("activity").parse().ok();
    let parent = parent.and_then(|parent| deciding.state.entity(parent));
    let entity = parent.unwrap_or(entity);
    let day = [entity.text("start"), entity.text("due")]
        .into_iter()
        .find_map(|at| at.get(..10))
        .unwrap_or_default();
    format!("{} {day}", entity.text("title"))
        .trim_end()
        .to_owned()
}
