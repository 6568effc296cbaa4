//! Single changes: events posted by other programs, and members' edits read back from tools.

use std::collections::BTreeMap;

use raccord_model::{
    Authority, Cause, Change, ConnectorName, Digest, EntityId, EntityKind, Fields, HoldId, Link,
    UNDATED, Verb, Words, usual_authority,
};
use serde_json::{Value, json};

use crate::deciding::{Deciding, Draft, HOP_LIMIT, Thread, changed_fields};
use crate::fact::{Fact, HeldEffect, Hold, HoldKind, Said};
use crate::faults::{Fault, planted};
use crate::input::{Refusal, Reply};
use crate::moments;

/// How many events a chain that Raccord continued may bring before it is stopped.
const BURST: u32 = 100;

/// Takes all changes, or none.
pub(crate) fn take(deciding: &mut Deciding<'_>, changes: Vec<Change>) -> Reply {
    let refusals = refusals(deciding, &changes);
    if !refusals.is_empty() {
        return Reply::Refused(refusals);
    }
    for change in changes {
        take_one(deciding, change);
    }
    Reply::Taken
}

fn refusals(deciding: &Deciding<'_>, changes: &[Change]) -> Vec<Refusal> {
    // What changes before this one in the batch say of an activity's moments.
    let mut in_batch: BTreeMap<EntityId, Fields> = BTreeMap::new();
    let mut credits = crate::credits::Batch::default();
    let mut refusals = Vec::new();
    for (index, change) in changes.iter().enumerate() {
        let entity = entity_of(deciding, change);
        let known = deciding.state.entities.contains_key(&entity) || in_batch.contains_key(&entity);
        let ends = matches!(change.verb, Verb::Cancelled | Verb::Removed);
        if !known && ends || is_repeat(deciding, change) {
            continue;
        }
        let needed: &[&str] = match change.kind {
            EntityKind::Activity if change.fields.get(UNDATED) == Some(&json!(true)) => &["title"],
            EntityKind::Activity => &["title", "start"],
            EntityKind::Task => &["title"],
            EntityKind::Credit => &["person", "amount"],
            _ => &[],
        };
        for name in needed
            .iter()
            .filter(|name| change.fields.get(**name).is_some_and(Value::is_null))
        {
            refusals.push(Refusal {
                index,
                pointer: format!("/data/{name}"),
                detail: Words::new("ne peut pas être vidé", "cannot be taken back"),
            });
        }
        // What has no date yet must go on saying so.
        let stays_undated = || {
            let known = deciding.state.entity(entity);
            known.is_none_or(|known| !known.fields.contains_key("start"))
        };
        if change.kind == EntityKind::Activity
            && known
            && change
                .fields
                .get(UNDATED)
                .is_some_and(|said| said != &json!(true))
            && !change.fields.contains_key("start")
            && stays_undated()
        {
            refusals.push(Refusal {
                index,
                pointer: format!("/data/{UNDATED}"),
                detail: Words::new(
                    "il n’y a pas encore de date : dites aussi start",
                    "there is no date yet: say start too",
                ),
            });
        }
        if change.kind == EntityKind::Credit {
            let faults = crate::credits::faults(deciding, entity, change, &mut credits);
            refusals.extend(faults.into_iter().map(|(name, detail)| Refusal {
                index,
                pointer: format!("/data/{name}"),
                detail,
            }));
        }
        let before = in_batch.remove(&entity);
        let when = when_of(deciding, entity, change, before);
        if change.kind == EntityKind::Activity {
            refusals.extend(moments::faults(&when, &change.fields).into_iter().map(
                |(name, detail)| Refusal {
                    index,
                    pointer: format!("/data/{name}"),
                    detail,
                },
            ));
        }
        in_batch.insert(entity, when);
        if let Some(detail) = crate::elsewhere::refused(deciding, change, entity) {
            refusals.push(Refusal {
                index,
                pointer: "/data/state".to_owned(),
                detail,
            });
        }
        if known || ends {
            continue;
        }
        let for_nothing = change.kind == EntityKind::Registration
            && ["activity", "task"]
                .iter()
                .all(|name| said_nothing(change, name));
        let needed: &[&str] = if for_nothing { &["activity"] } else { needed };
        for name in needed
            .iter()
            .filter(|name| !change.fields.contains_key(**name))
        {
            refusals.push(Refusal {
                index,
                pointer: format!("/data/{name}"),
                detail: Words::new(
                    format!("il faut {name} à ce qui est nouveau ({})", change.kind),
                    format!("a new {} needs {name}", change.kind),
                ),
            });
        }
    }
    refusals
}

/// What is known of an activity's moments with what a change says of them; nothing where it says
/// nothing.
fn when_of(
    deciding: &Deciding<'_>,
    entity: EntityId,
    change: &Change,
    before: Option<Fields>,
) -> Fields {
    let mut when = before.unwrap_or_default();
    if !moments::WHEN
        .iter()
        .any(|name| change.fields.contains_key(*name))
    {
        return when;
    }
    if when.is_empty()
        && let Some(known) = deciding.state.entity(entity)
    {
        when = known.fields;
    }
    for name in moments::WHEN {
        if let Some(value) = change.fields.get(name) {
            when.insert(name.to_owned(), value.clone());
        }
    }
    when
}

fn said_nothing(change: &Change, name: &str) -> bool {
    let value = change.fields.get(name);
    value.is_none_or(|value| value.is_null() || value == "")
}

fn seen_key(change: &Change) -> Digest {
    Digest::of(&[change.sender.as_bytes(), &[0], change.id.as_bytes()].concat())
}

pub(crate) fn is_repeat(deciding: &Deciding<'_>, change: &Change) -> bool {
    deciding.state.seen.contains(&seen_key(change)) || is_echo(deciding, change)
}

/// Our own event coming back.
fn is_echo(deciding: &Deciding<'_>, change: &Change) -> bool {
    let ours = format!("/places/{}/", deciding.state.rules().place.id);
    change.sender.starts_with(&ours)
}

/// The entity a sender's subject names: one of ours by its id, else derived from sender and subject.
pub(crate) fn entity_of(deciding: &Deciding<'_>, change: &Change) -> EntityId {
    named(deciding, change.kind, &change.sender, &change.subject)
}

pub(crate) fn named(
    deciding: &Deciding<'_>,
    kind: EntityKind,
    sender: &str,
    subject: &str,
) -> EntityId {
    let place = &deciding.state.rules().place.id;
    let id = EntityId::derive(&[
        place.as_str().as_bytes(),
        b"posted",
        kind.as_str().as_bytes(),
        sender.as_bytes(),
        subject.as_bytes(),
    ]);
    // What several tools told of is one.
    deciding.flight.roll.called(id)
}

fn take_one(deciding: &mut Deciding<'_>, change: Change) {
    if is_repeat(deciding, &change) && !planted(Fault::RepeatPosted) {
        return;
    }
    deciding.record(Fact::Seen(seen_key(&change)));
    if change.hops >= HOP_LIMIT || stops_burst(deciding, &change) {
        let text = Words::new(
            format!(
                "Une boucle a été arrêtée : {} renvoie à Raccord ce que Raccord lui envoie.",
                change.sender
            ),
            format!(
                "A loop was stopped: {} sends back to Raccord what Raccord sends it.",
                change.sender
            ),
        );
        let mend = Words::new(
            "Vérifiez que l'outil ne republie pas les événements qu'il reçoit.",
            "Check that the tool does not publish again the events it receives.",
        );
        crate::notice::tell(deciding, "loop", &change.sender.clone(), &text, &mend);
        return;
    }
    let entity = entity_of(deciding, &change);
    if change.kind == EntityKind::Registration {
        deciding.take_sign_up(change, entity);
        return;
    }
    let before = deciding.entity(entity);
    let mut fields = before
        .as_ref()
        .map(|known| known.fields.clone())
        .unwrap_or_default();
    let verb = match change.verb {
        Verb::Cancelled | Verb::Removed if before.is_none() => return,
        // What went goes once, whoever else tells of it.
        Verb::Removed
            if before
                .as_ref()
                .is_some_and(|known| deciding.was_last(known, Verb::Removed)) =>
        {
            return;
        }
        Verb::Cancelled => {
            take_in(&mut fields, change.fields);
            fields.insert(status_field(change.kind).into(), json!("cancelled"));
            Verb::Cancelled
        }
        Verb::Removed => Verb::Removed,
        Verb::Created | Verb::Updated => {
            let dated = !said_nothing(&change, "start");
            take_in(&mut fields, change.fields);
            if change.kind == EntityKind::Activity {
                moments::choose(&mut fields, dated);
            }
            set_zone(deciding, change.kind, &mut fields);
            let cancelled = |fields: &Fields| fields.get("status") == Some(&json!("cancelled"));
            match &before {
                None => Verb::Created,
                Some(known) if cancelled(&fields) && !cancelled(&known.fields) => Verb::Cancelled,
                Some(_) => Verb::Updated,
            }
        }
        other => {
            take_in(&mut fields, change.fields);
            other
        }
    };
    let unchanged = before
        .as_ref()
        .is_some_and(|known| changed_fields(Some(&known.fields), &fields).is_empty());
    // An entry stands once, whatever it is called when it is posted again.
    let again =
        matches!(verb, Verb::Updated | Verb::Cancelled) || change.kind == EntityKind::Credit;
    if unchanged && again {
        return;
    }
    let family = family_of(change.kind, &fields).unwrap_or(entity);
    let name = |text: &Option<String>| text.as_deref().and_then(|id| id.parse().ok());
    let correlation = name(&change.correlation);
    let causation = name(&change.causation).map(|id| (id, correlation.unwrap_or(id), change.hops));
    deciding.thread = Thread {
        correlation,
        trace: change.trace.map(Box::new),
    };
    deciding.emit(Draft {
        kind: change.kind,
        verb,
        entity,
        fields,
        source: &change.sender,
        family,
        cause: Cause::Posted { id: change.id },
        causation,
    });
    deciding.thread = Thread::default();
}

/// Chains Raccord itself continued (they carry its `causationid`) are counted, others are not.
fn stops_burst(deciding: &mut Deciding<'_>, change: &Change) -> bool {
    if change.causation.is_none() {
        return false;
    }
    let Some(chain) = change.correlation.as_deref().and_then(|id| id.parse().ok()) else {
        return false;
    };
    if deciding.state.broken.contains(&chain) {
        return true;
    }
    let count = deciding.flight.bursts.entry(chain).or_default();
    *count += 1;
    if *count <= BURST {
        return false;
    }
    deciding.flight.bursts.remove(&chain);
    deciding.record(Fact::Broken { correlation: chain });
    true
}

/// Lays what a sender says over what is known; null takes a field back.
pub(crate) fn take_in(fields: &mut Fields, said: Fields) {
    for (name, value) in said {
        if value.is_null() {
            fields.remove(&name);
        } else {
            fields.insert(name, value);
        }
    }
}

pub(crate) fn status_field(kind: EntityKind) -> &'static str {
    match kind {
        EntityKind::Task | EntityKind::Registration | EntityKind::Notice | EntityKind::Credit => {
            "state"
        }
        _ => "status",
    }
}

/// What people plan carries the place's zone unless its source knows better.
pub(crate) fn set_zone(deciding: &Deciding<'_>, kind: EntityKind, fields: &mut Fields) {
    if kind == EntityKind::Activity && fields.contains_key("start") && !fields.contains_key("zone")
    {
        fields.insert("zone".into(), json!(deciding.state.rules().place.zone));
    }
}

/// Tasks and registrations travel with their activity.
pub(crate) fn family_of(kind: EntityKind, fields: &Fields) -> Option<EntityId> {
    let parent = match kind {
        EntityKind::Task | EntityKind::Registration | EntityKind::Message => "activity",
        EntityKind::Credit => "person",
        _ => return None,
    };
    fields.get(parent)?.as_str()?.parse().ok()
}

/// A member edited our object in a tool: three-way against what we last wrote.
pub(crate) fn edited(
    deciding: &mut Deciding<'_>,
    connector: &ConnectorName,
    entity: EntityId,
    theirs: &Fields,
) {
    let rules = deciding.rules();
    let Some(target) = deciding
        .state
        .sinks
        .get(connector)
        .and_then(|sink| sink.targets.get(&entity))
    else {
        return;
    };
    let written = target.written.clone();
    // A person decided already, and the write that follows is on its way.
    let insisted = target.link.as_ref().is_some_and(is_insisted);
    let Some(known) = deciding.entity(entity) else {
        return;
    };
    if insisted || deciding.is_over(entity) {
        return;
    }
    let route = crate::routing::route(&rules, connector, &known).flatten();
    let (mut ask, mut take, mut ours) = (Fields::new(), Fields::new(), Vec::new());
    let hidden = crate::vault::personal(known.kind);
    for (name, value) in theirs {
        if hidden.contains(&name.as_str()) {
            continue; // Never compared: what was written of it is not in the log.
        }
        let wrote = written.get(name).unwrap_or(&Value::Null);
        if value == wrote || known.fields.get(name) == Some(value) {
            continue; // Not edited there, or both sides say the same.
        }
        let authority = route.map_or_else(|| usual_authority(name), |route| route.authority(name));
        match authority {
            Authority::Ours => ours.push(name.as_str()),
            Authority::Ask => {
                ask.insert(name.clone(), value.clone());
            }
            Authority::Theirs => {
                take.insert(name.clone(), value.clone());
            }
        }
    }
    if !take.is_empty() {
        take_over(deciding, connector, entity, &take, edit_in(connector));
    }
    if !ours.is_empty() {
        tell_restored(deciding, connector, &known, &ours);
        owe_again(deciding, connector, entity);
    }
    let hold_id = HoldId::derive(&[b"field", connector.as_str().as_bytes(), entity.as_bytes()]);
    if ask.is_empty() {
        crate::hold::close(deciding, hold_id, crate::fact::Closing::Moot);
        return;
    }
    let title = known.text("title").to_owned();
    let before: Fields = ask
        .keys()
        .filter_map(|name| Some((name.clone(), known.fields.get(name)?.clone())))
        .collect();
    let hold = Hold {
        id: hold_id,
        what: HoldKind::Field {
            connector: connector.clone(),
            entity,
            theirs: ask.clone(),
        },
        reason: Words::new(
            format!(
                "Quelqu'un a changé « {title} » dans « {connector} ». Oui : garder son changement. Non : remettre ce que dit la source."
            ),
            format!(
                "Somebody changed “{title}” in “{connector}”. Yes: keep their change. No: put back what the source says."
            ),
        ),
        opened: deciding.now,
        effects: vec![HeldEffect {
            connector: None,
            entity,
            action: "update".into(),
            title,
            before,
            after: ask,
        }],
        more: 0,
    };
    crate::hold::open(deciding, hold);
}

/// The tool's values become the entity's.
pub(crate) fn take_over(
    deciding: &mut Deciding<'_>,
    connector: &ConnectorName,
    entity: EntityId,
    theirs: &Fields,
    cause: Cause,
) {
    let Some(known) = deciding.entity(entity) else {
        return;
    };
    let mut said: BTreeMap<String, Said> = deciding
        .state
        .said
        .get(&entity)
        .cloned()
        .unwrap_or_default();
    let mut fields = known.fields.clone();
    for (name, value) in theirs {
        let base = match said.get(name) {
            Some(earlier) => earlier.base.clone(),
            None => known.fields.get(name).cloned(),
        };
        said.insert(
            name.clone(),
            Said {
                by: connector.to_string(),
                base,
            },
        );
        fields.insert(name.clone(), value.clone());
    }
    let family = deciding
        .state
        .entities
        .get(&entity)
        .and_then(|record| record.family)
        .unwrap_or(entity);
    deciding.record(Fact::Override { entity, said });
    let off = |fields: &Fields| fields.get(status_field(known.kind)) == Some(&json!("cancelled"));
    let verb = if off(&fields) && !off(&known.fields) {
        Verb::Cancelled
    } else {
        Verb::Updated
    };
    deciding.emit(Draft {
        kind: known.kind,
        verb,
        entity,
        fields,
        source: &known.source,
        family,
        cause,
        causation: None,
    });
}

/// That somebody edited our object in a tool.
pub(crate) fn edit_in(connector: &ConnectorName) -> Cause {
    Cause::Person {
        did: format!("edit in {connector}"),
    }
}

/// A person said no to what stands in the tool: what the source says is written over it.
pub(crate) fn insist(deciding: &mut Deciding<'_>, connector: &ConnectorName, entity: EntityId) {
    deciding.record(Fact::Insisted {
        connector: connector.clone(),
        entity,
    });
    deciding.review(connector, entity);
}

/// Whether a write is on its way that a person insisted on.
fn is_insisted(link: &Link) -> bool {
    link.revision == 0 && link.tag.is_some() && link.hash == Digest::default()
}

/// A kind word to whoever changed in a tool what the source has the last word on.
fn tell_restored(
    deciding: &mut Deciding<'_>,
    connector: &ConnectorName,
    known: &raccord_model::Entity,
    fields: &[&str],
) {
    let title = known.text("title");
    let names: Vec<Words> = fields
        .iter()
        .map(|name| crate::why::field_name(name))
        .collect();
    let names = |lang| {
        let all: Vec<&str> = names.iter().map(|name| name.get(lang)).collect();
        all.join(", ")
    };
    let text = Words::new(
        format!(
            "« {title} » a été changée dans « {connector} » ({}) : la source a le dernier mot, son texte y est remis.",
            names(raccord_model::Lang::Fr)
        ),
        format!(
            "“{title}” was changed in “{connector}” ({}): the source has the last word, and its text is put back.",
            names(raccord_model::Lang::En)
        ),
    );
    let mend = Words::new(
        "Pour garder ce changement, faites-le dans la source, ou donnez à ce champ l'autorité « ask » ou « theirs » dans la route.",
        "To keep that change, make it in the source, or give the field the authority “ask” or “theirs” in the route.",
    );
    let subject = format!("{connector}/{}", known.id);
    crate::notice::tell(deciding, "restored", &subject, &text, &mend);
}

/// The tool does not hold what we last wrote: it is owed again.
pub(crate) fn owe_again(deciding: &mut Deciding<'_>, connector: &ConnectorName, entity: EntityId) {
    let linked = deciding
        .state
        .sinks
        .get(connector)
        .and_then(|sink| sink.targets.get(&entity))
        .is_some_and(|target| target.link.is_some());
    if linked {
        deciding.record(Fact::Drifted {
            connector: connector.clone(),
            entity,
        });
        deciding.review(connector, entity);
    }
}
