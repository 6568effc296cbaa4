//! What an accepted reading changes: lines created, changed, come back, and gone.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use raccord_model::{
    Cause, Civil, ConnectorName, EntityId, EntityKind, Fields, Line, Reading, Remark, Verb,
    column_letters,
};
use serde_json::{Value, json};

use super::compare::{Compared, source_fields};
use super::held::difference;
use super::questions::{About, ask};
use super::shared::is_shared;
use super::taken::{doubt, take_over};
use super::told::tab;
use crate::deciding::{Deciding, Draft, changed_fields};
use crate::fact::{AcceptedLine, Fact, ReadFact, Said};
use crate::faults::{Fault, planted};
use crate::hands;
use crate::state::{SourceState, State};

/// The code of a source of other places' offers that the settings name no more.
pub(crate) const PARTED: &str = "neighbour-parted";

/// Up to this many lines that merely stand elsewhere are recorded with their new place.
const MOVED: usize = 2_000;

/// Only what a person said yes to.
pub(super) fn restrict(
    deciding: &Deciding<'_>,
    source: &ConnectorName,
    reading: &Reading,
    compared: &mut Compared,
    only: &BTreeSet<EntityId>,
) {
    compared.changed.retain(|(_, entity)| only.contains(entity));
    compared.taken.retain(|(_, entity)| only.contains(entity));
    compared.missing.retain(|entity| only.contains(entity));
    compared
        .added
        .retain(|&index| only.contains(&first_id(deciding, source, &reading.lines[index])));
    compared.questions.clear();
    compared.doubts.clear();
}

/// The id of the entity a line describes, when it is accepted for the first time.
pub(super) fn first_id(deciding: &Deciding<'_>, source: &ConnectorName, line: &Line) -> EntityId {
    let place = deciding.state.rules().place.id.clone();
    let native = line.native.as_deref().unwrap_or_default();
    (0..=u32::MAX)
        .map(|turn| {
            EntityId::derive(&[
                place.as_str().as_bytes(),
                source.as_str().as_bytes(),
                native.as_bytes(),
                &line.digest.0,
                &turn.to_be_bytes(),
            ])
        })
        .find(|id| !deciding.state.entities.contains_key(id))
        .expect("four thousand million ids of one line are not all taken")
}

#[expect(
    clippy::too_many_arguments,
    reason = "one call, and every part has its name"
)]
pub(super) fn apply(
    deciding: &mut Deciding<'_>,
    source: &ConnectorName,
    state: &SourceState,
    reading: &Reading,
    compared: &Compared,
    unread: Option<Vec<raccord_model::Unread>>,
    remarks: Vec<Remark>,
    approved: bool,
) {
    let mut read = ReadFact {
        digest: reading.digest,
        cursor: reading.cursor.clone(),
        tabs: (state.tabs != reading.tabs).then(|| reading.tabs.clone()),
        unread,
        remarks,
        ..super::empty_read(source)
    };
    let accepted = |line: &Line| AcceptedLine {
        native: line.native.clone(),
        tab: line.tab,
        row: line.row,
        digest: line.digest,
    };
    let mut moved = Vec::new();
    for (index, entity) in &compared.same {
        let line = accepted(&reading.lines[*index]);
        if state.lines.get(entity) != Some(&line) {
            moved.push((*entity, line));
        }
        if state.missing.contains_key(entity) {
            read.back.push(*entity);
        }
    }
    if moved.len() <= MOVED {
        read.lines.extend(moved);
    }
    for (index, entity) in compared.changed.iter().chain(&compared.revived) {
        let line = &reading.lines[*index];
        read.lines.push((*entity, accepted(line)));
        if state.missing.contains_key(entity) {
            read.back.push(*entity);
        }
        change(deciding, source, reading, line, *entity);
    }
    for (index, entity) in &compared.taken {
        let line = &reading.lines[*index];
        read.lines.push((*entity, accepted(line)));
        take_over(deciding, source, *entity);
        change(deciding, source, reading, line, *entity);
    }
    for &index in &compared.added {
        let line = &reading.lines[index];
        let entity = first_id(deciding, source, line);
        let mut fields = line.decode();
        crate::posted::set_zone(deciding, line.kind, &mut fields);
        let cause = cell(
            deciding.state,
            source,
            reading,
            line,
            fields.keys().map(String::as_str),
            Fields::new(),
        );
        read.lines.push((entity, accepted(line)));
        if line.kind == EntityKind::Task {
            hands::lay(deciding, entity, &mut fields);
        }
        deciding.emit(Draft {
            kind: line.kind,
            verb: Verb::Created,
            entity,
            fields,
            source: source.as_str(),
            family: entity,
            cause,
            causation: None,
        });
    }
    leave(
        deciding,
        source,
        state,
        &compared.missing,
        approved,
        &mut read,
    );
    ask(
        deciding,
        source,
        reading,
        &compared.questions,
        About::Change,
    );
    doubt(deciding, source, reading, &compared.doubts);
    deciding.record(Fact::Read(Box::new(read)));
}

/// Whether nobody need hear of it when this line goes: it is over, or cancelled already.
pub(super) fn leaves_silently(world: &State, entity: EntityId, now: DateTime) -> bool {
    world.entities.get(&entity).is_none_or(|record| {
        let shown = record.when();
        shown.status == raccord_model::Status::Cancelled
            || shown.over_at().is_some_and(|over| over <= now)
            || shown.is_settled(now)
    })
}

/// Lines that are not there: marked at the first look, cancelled at the second; what is over
/// leaves silently.
fn leave(
    deciding: &mut Deciding<'_>,
    source: &ConnectorName,
    state: &SourceState,
    missing: &[EntityId],
    approved: bool,
    read: &mut ReadFact,
) {
    let look = SignedDuration::from_secs(deciding.state.rules().guards.second_look_s);
    let now = deciding.civil_now();
    let mut cancelled = Vec::new();
    for &entity in missing {
        if leaves_silently(deciding.state, entity, now) {
            read.dropped.push(entity);
            continue;
        }
        let since = state.missing.get(&entity).copied();
        let first = since.unwrap_or(deciding.now);
        let due = first.saturating_add(look).unwrap_or(Timestamp::MAX) <= deciding.now
            || planted(Fault::OneLook);
        if approved || due {
            cancelled.push((entity, first));
            read.dropped.push(entity);
        } else if since.is_none() {
            read.missed.push(entity);
        }
    }
    cancel_missing(deciding, source, &cancelled, Gone::Missing);
}

/// Why lines are not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gone {
    /// The source has them no more.
    Missing,
    /// The settings name the source no more.
    Parted,
}

pub(super) fn cancel_missing(
    deciding: &mut Deciding<'_>,
    source: &ConnectorName,
    gone: &[(EntityId, Timestamp)],
    why: Gone,
) {
    for &(entity, since) in gone {
        let Some(known) = deciding.entity(entity) else {
            continue;
        };
        let Some(line) = deciding.state.sources[source].lines.get(&entity).cloned() else {
            continue;
        };
        let sheet = deciding.state.sources[source]
            .tabs
            .get(usize::from(line.tab))
            .map(|tab| tab.name.clone())
            .unwrap_or_default();
        if known.kind == EntityKind::Task && !hands::may_go(deciding, &known) {
            continue;
        }
        let family = deciding.state.entities[&entity].family.unwrap_or(entity);
        let mut fields = known.fields;
        let field = crate::posted::status_field(known.kind);
        let usual = if known.kind == EntityKind::Task {
            "open"
        } else {
            "confirmed"
        };
        let old = fields.insert(field.into(), json!("cancelled"));
        let before = Fields::from([(field.to_owned(), old.unwrap_or_else(|| json!(usual)))]);
        deciding.emit(Draft {
            kind: known.kind,
            verb: Verb::Cancelled,
            entity,
            fields,
            source: source.as_str(),
            family,
            cause: match why {
                Gone::Missing => Cause::Missing {
                    sheet,
                    row: row(deciding.state, source, line.row),
                    since,
                    before,
                },
                Gone::Parted => Cause::Noticed {
                    code: PARTED.into(),
                },
            },
            causation: None,
        });
    }
}

/// A known line says something new.
fn change(
    deciding: &mut Deciding<'_>,
    source: &ConnectorName,
    reading: &Reading,
    line: &Line,
    entity: EntityId,
) {
    let Some(known) = deciding.entity(entity) else {
        return;
    };
    let before = source_fields(deciding.state, deciding.vault, entity).unwrap_or_default();
    let mut fields = line.decode();
    crate::posted::set_zone(deciding, line.kind, &mut fields);
    keep_others_words(deciding, entity, &before, &mut fields);
    let status = crate::posted::status_field(line.kind);
    let cancelled = |fields: &Fields| fields.get(status) == Some(&json!("cancelled"));
    let mut family = entity;
    if line.kind == EntityKind::Task {
        hands::wanted(deciding, entity);
        hands::lay(deciding, entity, &mut fields);
        family = hands::family(entity, &fields);
    } else if cancelled(&known.fields) && !fields.contains_key(status) {
        fields.insert(status.into(), json!("confirmed"));
    }
    let verb = if cancelled(&fields) && !cancelled(&known.fields) {
        Verb::Cancelled
    } else {
        Verb::Updated
    };
    let names: Vec<String> = changed_fields(Some(&known.fields), &fields)
        .into_iter()
        .flat_map(|name| parts(&name, &known.fields, &fields))
        .collect();
    let (old, _) = difference(line.kind, &known.fields, &fields);
    let cause = cell(
        deciding.state,
        source,
        reading,
        line,
        names.iter().map(String::as_str),
        old,
    );
    deciding.emit(Draft {
        kind: line.kind,
        verb,
        entity,
        fields,
        source: source.as_str(),
        family,
        cause,
        causation: None,
    });
}

/// What somebody else said about a field stands until the source says something new about it.
fn keep_others_words(
    deciding: &mut Deciding<'_>,
    entity: EntityId,
    before: &Fields,
    fields: &mut Fields,
) {
    let Some(said) = deciding.state.said.get(&entity).cloned() else {
        return;
    };
    let Some(current) = deciding.entity(entity) else {
        return;
    };
    let mut kept: BTreeMap<String, Said> = BTreeMap::new();
    for (name, word) in said {
        if fields.get(&name) == before.get(&name) {
            match current.fields.get(&name) {
                Some(value) => fields.insert(name.clone(), value.clone()),
                None => fields.remove(&name),
            };
            kept.insert(name, word);
        }
    }
    deciding.record(Fact::Override { entity, said: kept });
}

/// The parts of a field that differ, by the names columns have: of a moment its day or its hour, of
/// `extra` its own fields.
fn parts(name: &str, before: &Fields, after: &Fields) -> Vec<String> {
    let of = |fields: &Fields| fields.get(name).cloned().unwrap_or_default();
    let (before, after) = (of(before), of(after));
    let moment = |value: &Value| value.as_str().and_then(|text| text.parse::<Civil>().ok());
    let mut parts = Vec::new();
    if let (Some(before), Some(after)) = (moment(&before), moment(&after)) {
        if before.date() != after.date() {
            parts.push(format!("{name}.day"));
        }
        if before.time() != after.time() {
            parts.push(format!("{name}.hour"));
        }
    } else if name == "extra" {
        let keys = |value: &Value| -> Vec<String> {
            let table = value.as_object();
            table
                .into_iter()
                .flat_map(|all| all.keys().cloned())
                .collect()
        };
        let all: BTreeSet<String> = keys(&before).into_iter().chain(keys(&after)).collect();
        parts.extend(
            all.into_iter()
                .filter(|key| before.get(key) != after.get(key))
                .map(|key| format!("extra.{key}")),
        );
    }
    if parts.is_empty() {
        parts.push(name.to_owned());
    }
    parts
}

/// The cells of a line that say `names`, and what they said before.
fn cell<'n>(
    state: &State,
    source: &ConnectorName,
    reading: &Reading,
    line: &Line,
    names: impl Iterator<Item = &'n str>,
    before: Fields,
) -> Cause {
    Cause::Cell {
        sheet: tab(reading, line),
        row: row(state, source, line.row),
        columns: columns(reading, line, names),
        before,
    }
}

/// The number of a line for people: a tool that is no sheet has none.
fn row(state: &State, source: &ConnectorName, row: u32) -> u32 {
    if is_shared(state, source) { 0 } else { row }
}

/// The letters of the columns the fields, or parts of them, come from.
fn columns<'n>(
    reading: &Reading,
    line: &Line,
    names: impl Iterator<Item = &'n str>,
) -> Vec<String> {
    let Some(tab) = reading.tabs.get(usize::from(line.tab)) else {
        return Vec::new();
    };
    let indexes: BTreeSet<u16> = names
        .filter_map(|name| {
            // A source that does not tell the halves of a moment apart names all of it.
            let whole = name.split('.').next().unwrap_or_default();
            tab.columns.get(name).or_else(|| tab.columns.get(whole))
        })
        .flatten()
        .copied()
        .collect();
    indexes.into_iter().map(column_letters).collect()
}
