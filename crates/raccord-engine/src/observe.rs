//! A source was looked at: which line is which, what changed, and whether it looks like an accident.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use raccord_model::{
    Cause, Change, ConnectorName, Digest, EntityId, EntityKind, Failure, Fields, HoldId, Line,
    Observation, Reading, Remark, Verb, Words, column_letters,
};
use serde_json::json;

use crate::deciding::{Deciding, Draft, changed_fields};
use crate::fact::{AcceptedLine, Closing, Fact, HeldEffect, Hold, HoldKind, ReadFact, Said};
use crate::faults::{Fault, planted};
use crate::identity::{Candidate, Features, Question, match_lines};
use crate::state::SourceState;

/// The code of a line that stands twice.
const DUPLICATE: &str = "duplicate-line";
/// How many effects a hold lists.
const LISTED: usize = 1_000;
/// Up to this many lines that merely stand elsewhere are recorded with their new place.
const MOVED: usize = 2_000;

pub(crate) fn observed(
    deciding: &mut Deciding<'_>,
    source: &ConnectorName,
    seen: Result<Observation, Failure>,
) {
    match seen {
        Err(failure) => unreadable(deciding, source, failure),
        Ok(Observation::Changes { changes, cursor }) => {
            changes_of(deciding, changes);
            deciding.record(Fact::Same {
                source: source.clone(),
                cursor,
            });
            readable_again(deciding, source);
        }
        Ok(Observation::Unchanged { cursor }) => {
            unchanged(deciding, source, cursor);
            readable_again(deciding, source);
        }
        Ok(Observation::Complete(reading)) => {
            complete(deciding, source, &reading);
            readable_again(deciding, source);
        }
    }
}

fn changes_of(deciding: &mut Deciding<'_>, changes: Vec<Change>) {
    for change in changes {
        // One that cannot be taken does not stop the others.
        crate::posted::take(deciding, vec![change]);
    }
}

fn unreadable(deciding: &mut Deciding<'_>, source: &ConnectorName, failure: Failure) {
    let known = deciding
        .state
        .sources
        .get(source)
        .and_then(|state| state.failing.as_ref());
    if known.is_some_and(|(_, known)| known.code == failure.code) {
        return;
    }
    let text = Words::new(
        format!(
            "La source « {source} » ne peut pas être lue : {}. Rien n'est annulé, le dernier état connu reste.",
            failure.text.fr
        ),
        format!(
            "The source “{source}” cannot be read: {}. Nothing is cancelled, the last known state stays.",
            failure.text.en
        ),
    );
    let mend = failure.mend.clone();
    deciding.record(Fact::Unreadable {
        source: source.clone(),
        failure: Box::new(failure),
    });
    crate::notice::tell(deciding, "unreadable", source.as_str(), &text, &mend);
}

fn readable_again(deciding: &mut Deciding<'_>, source: &ConnectorName) {
    crate::notice::settle(deciding, "unreadable", source.as_str());
    crate::notice::settle(deciding, "silent", source.as_str());
}

/// A reading that finds the source unchanged is a complete reading: second looks count.
fn unchanged(deciding: &mut Deciding<'_>, source: &ConnectorName, cursor: Option<String>) {
    let state = deciding.state.sources.get(source);
    let held = state.is_some_and(|state| state.held.is_some());
    deciding.record(Fact::Same {
        source: source.clone(),
        cursor,
    });
    if !held && !planted(Fault::NoSecondLook) {
        let overdue = overdue(deciding, source);
        if !overdue.is_empty() {
            let state = &deciding.state.sources[source];
            let read = ReadFact {
                source: source.clone(),
                digest: state.digest.unwrap_or_default(),
                cursor: state.cursor.clone(),
                dropped: overdue.iter().map(|(entity, _)| *entity).collect(),
                ..empty_read(source)
            };
            cancel_missing(deciding, source, &overdue);
            deciding.record(Fact::Read(Box::new(read)));
        }
    }
}

fn empty_read(source: &ConnectorName) -> ReadFact {
    ReadFact {
        source: source.clone(),
        digest: Digest::default(),
        cursor: None,
        tabs: None,
        lines: Vec::new(),
        dropped: Vec::new(),
        missed: Vec::new(),
        back: Vec::new(),
        unread: None,
        remarks: Vec::new(),
        held: None,
    }
}

/// Missing lines whose second look is due now, with the hour of the first.
fn overdue(deciding: &Deciding<'_>, source: &ConnectorName) -> Vec<(EntityId, Timestamp)> {
    let look = SignedDuration::from_secs(deciding.state.rules().guards.second_look_s);
    deciding.state.sources[source]
        .missing
        .iter()
        .filter(|(_, since)| since.saturating_add(look).unwrap_or(Timestamp::MAX) <= deciding.now)
        .map(|(&entity, &since)| (entity, since))
        .collect()
}

/// One reading, matched with what was accepted before.
struct Compared {
    /// Line index and known entity, where the content differs.
    changed: Vec<(usize, EntityId)>,
    /// Line index and known entity, where nothing differs.
    same: Vec<(usize, EntityId)>,
    /// Lines of new entities.
    added: Vec<usize>,
    /// Known entities without a line.
    missing: Vec<EntityId>,
    /// Known entities that are asked about.
    questions: Vec<Question>,
    /// Lines that stand twice: the later one and the first.
    copies: Vec<(usize, usize)>,
    /// Lines of entities that were cancelled because they were gone.
    revived: Vec<(usize, EntityId)>,
}

fn complete(deciding: &mut Deciding<'_>, source: &ConnectorName, reading: &Reading) {
    let state = deciding
        .state
        .sources
        .get(source)
        .cloned()
        .unwrap_or_default();
    let content = content_digest(reading);
    let mut compared = compare(deciding, &state, reading);
    protect_unreadable(deciding, &mut compared, &state, reading);

    let approved = state
        .approved
        .as_ref()
        .filter(|(digest, _)| *digest == content);
    let only = approved.and_then(|(_, only)| only.clone());
    let refused = state.refused == Some(content);
    let alarm = guard(deciding, reading, &compared).filter(|_| !planted(Fault::NoGuard));
    let unread = (state.unread != reading.unread).then(|| reading.unread.clone());
    let remarks = remarks(reading, &compared);
    let fresh: Vec<Remark> = remarks
        .iter()
        .filter(|remark| !state.told.contains(&remark_digest(remark)))
        .cloned()
        .collect();
    // An unknown column is told once; two identical lines as long as they stand.
    let standing = remarks
        .iter()
        .filter(|remark| remark.code == DUPLICATE || fresh.contains(remark));
    deciding
        .remarks
        .extend(standing.map(|remark| (source.clone(), remark.clone())));
    if let Some(alarm) = &alarm {
        let text = alarm.reason.clone();
        let remark = Remark {
            sheet: String::new(),
            row: 0,
            code: alarm.code.into(),
            text,
        };
        deciding.remarks.push((source.clone(), remark));
    }

    let refused = refused && !planted(Fault::RefusedApplies);
    if refused || (approved.is_none() && alarm.is_some()) {
        let read = ReadFact {
            digest: reading.digest,
            cursor: reading.cursor.clone(),
            held: Some(content),
            unread: unread.clone(),
            remarks: fresh.clone(),
            ..empty_read(source)
        };
        deciding.record(Fact::Read(Box::new(read)));
        tell_unread(deciding, source, reading);
        if let (Some(Alarm { reason, .. }), false) = (alarm, refused) {
            close_readings(deciding, source, Some(content));
            hold_reading(deciding, source, content, reason, reading, &compared);
        }
        if !planted(Fault::ApplyHeld) {
            return;
        }
    }
    if !planted(Fault::KeepHold) {
        close_readings(deciding, source, None);
    }
    if let Some(only) = &only {
        restrict(deciding, source, reading, &mut compared, only);
    }
    apply(
        deciding,
        source,
        &state,
        reading,
        &compared,
        unread,
        fresh,
        approved.is_some(),
    );
    tell_unread(deciding, source, reading);
}

/// The digest of what a reading says, whatever file it came in.
fn content_digest(reading: &Reading) -> Digest {
    let mut bytes = Vec::with_capacity(reading.lines.len() * 16);
    for line in &reading.lines {
        bytes.extend_from_slice(&line.digest.0);
    }
    Digest::of(&bytes)
}

pub(crate) fn remark_digest(remark: &Remark) -> Digest {
    Digest::of(
        format!(
            "{}\u{0}{}\u{0}{}",
            remark.code, remark.sheet, remark.text.fr
        )
        .as_bytes(),
    )
}

fn compare(deciding: &Deciding<'_>, state: &SourceState, reading: &Reading) -> Compared {
    let mut compared = Compared {
        changed: Vec::new(),
        same: Vec::new(),
        added: Vec::new(),
        missing: Vec::new(),
        questions: Vec::new(),
        copies: Vec::new(),
        revived: Vec::new(),
    };
    let mut by_digest: HashMap<Digest, Vec<EntityId>> = HashMap::with_capacity(state.lines.len());
    for (&entity, line) in &state.lines {
        by_digest.entry(line.digest).or_default().push(entity);
    }
    let gone: HashMap<Digest, EntityId> = state
        .gone
        .iter()
        .map(|(&entity, line)| (line.digest, entity))
        .collect();
    let mut first_of: HashMap<Digest, usize> = HashMap::with_capacity(reading.lines.len());
    let mut found: HashSet<EntityId> = HashSet::with_capacity(state.lines.len());
    let mut left: Vec<usize> = Vec::new();
    for (index, line) in reading.lines.iter().enumerate() {
        // A line with an id of its own is what its id says, identical or not.
        let exact = by_digest.get_mut(&line.digest).and_then(|entities| {
            let fits = |entity: &EntityId| {
                line.native.is_none() || state.lines[entity].native == line.native
            };
            entities
                .iter()
                .position(fits)
                .map(|at| entities.swap_remove(at))
        });
        if let Some(entity) = exact {
            found.insert(entity);
            first_of.entry(line.digest).or_insert(index);
            compared.same.push((index, entity));
        } else if let Some(&first) = first_of.get(&line.digest).filter(|_| line.native.is_none()) {
            compared.copies.push((index, first));
        } else {
            first_of.insert(line.digest, index);
            left.push(index);
        }
    }
    let lost: Vec<EntityId> = state
        .lines
        .keys()
        .copied()
        .filter(|entity| !found.contains(entity))
        .collect();
    // The tool's own id says who came back, whatever the line says now; else it must say the same.
    let gone_native: HashMap<&str, EntityId> = state
        .gone
        .iter()
        .filter_map(|(&entity, line)| Some((line.native.as_deref()?, entity)))
        .collect();
    let known_native: HashSet<&str> = state
        .lines
        .values()
        .filter_map(|line| line.native.as_deref())
        .collect();
    left.retain(|&index| {
        let line = &reading.lines[index];
        let back = match line.native.as_deref() {
            Some(native) if known_native.contains(native) => None,
            Some(native) => gone_native.get(native),
            None => gone.get(&line.digest),
        };
        match back {
            Some(&entity) if found.insert(entity) => {
                compared.revived.push((index, entity));
                false
            }
            _ => true,
        }
    });
    if left.is_empty() || lost.is_empty() {
        compared.added = left;
        compared.missing = lost;
        return compared;
    }
    let now = deciding.civil_now();
    let known: BTreeMap<EntityId, Candidate> = lost
        .iter()
        .filter_map(|&entity| {
            let line = &state.lines[&entity];
            let fields = source_fields(deciding, entity)?;
            Some((
                entity,
                Candidate {
                    native: line.native.clone(),
                    digest: line.digest,
                    features: Features::of(&fields),
                    rank: u32::from(line.tab) * 1_000_000 + line.row,
                    over: deciding.state.entities.get(&entity).is_some_and(|record| {
                        record.when().over_at().is_some_and(|over| over <= now)
                    }),
                },
            ))
        })
        .collect();
    let lines: BTreeMap<usize, Candidate> = left
        .iter()
        .map(|&index| {
            let line = &reading.lines[index];
            let features = Features::of(&line.decode());
            let over = features
                .start
                .is_some_and(|start| raccord_model::over_at(start, features.end) <= now);
            (
                index,
                Candidate {
                    native: line.native.clone(),
                    digest: line.digest,
                    features,
                    rank: u32::from(line.tab) * 1_000_000 + line.row,
                    over,
                },
            )
        })
        .collect();
    let titles = count_titles(deciding, &compared, &known, &lines);
    let matching = match_lines(&known, &lines, &titles, &state.answers);
    compared.changed = matching.pairs;
    compared.added = matching.added;
    compared.missing = matching.missing;
    compared.questions = matching.questions;
    compared
}

/// How often the titles of leftover lines stand among all lines.
fn count_titles(
    deciding: &Deciding<'_>,
    compared: &Compared,
    known: &BTreeMap<EntityId, Candidate>,
    lines: &BTreeMap<usize, Candidate>,
) -> BTreeMap<String, usize> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for candidate in lines.values() {
        counts.entry(candidate.features.title.clone()).or_insert(0);
    }
    for candidate in known.values() {
        *counts.entry(candidate.features.title.clone()).or_default() += 1;
    }
    for (_, entity) in &compared.same {
        let Some(record) = deciding.state.entities.get(entity) else {
            continue;
        };
        let title = record
            .fields()
            .get("title")
            .and_then(serde_json::Value::as_str)
            .map(raccord_model::fold_word);
        if let Some(count) = title.and_then(|title| counts.get_mut(&title)) {
            *count += 1;
        }
    }
    counts
}

/// The fields as the source itself said them last: other people's words set aside, the zone that
/// the place added taken away.
fn source_fields(deciding: &Deciding<'_>, entity: EntityId) -> Option<Fields> {
    let mut fields = deciding.entity(entity)?.fields;
    if let Some(said) = deciding.state.said.get(&entity) {
        for (name, said) in said {
            match &said.base {
                Some(base) => fields.insert(name.clone(), base.clone()),
                None => fields.remove(name),
            };
        }
    }
    Some(fields)
}

/// A line that cannot be read any more is not a line that is gone.
fn protect_unreadable(
    deciding: &Deciding<'_>,
    compared: &mut Compared,
    state: &SourceState,
    reading: &Reading,
) {
    if reading.unread.is_empty() {
        return;
    }
    let broken: BTreeSet<(&str, u32)> = reading
        .unread
        .iter()
        .map(|unread| (unread.sheet.as_str(), unread.row))
        .collect();
    compared.missing.retain(|entity| {
        let line = &state.lines[entity];
        let tab = state
            .tabs
            .get(usize::from(line.tab))
            .map(|tab| tab.name.as_str())
            .unwrap_or_default();
        !broken.contains(&(tab, line.row))
    });
    // A known activity whose new line cannot be read keeps the last state that could be.
    let drafted = |line: &Line| line.decode().get("status") == Some(&json!("draft"));
    let was_draft = |entity: &EntityId| {
        let record = deciding.state.entities.get(entity);
        record.is_some_and(|record| record.when().status == raccord_model::Status::Draft)
    };
    compared.changed.retain(|(index, entity)| {
        let line = &reading.lines[*index];
        let tab = reading
            .tabs
            .get(usize::from(line.tab))
            .map(|tab| tab.name.as_str())
            .unwrap_or_default();
        !broken.contains(&(tab, line.row)) || !drafted(line) || was_draft(entity)
    });
}

/// Why a reading looks like an accident.
struct Alarm {
    code: &'static str,
    reason: Words,
}

/// Whether the reading looks like an accident, and why.
fn guard(deciding: &Deciding<'_>, reading: &Reading, compared: &Compared) -> Option<Alarm> {
    let rules = deciding.state.rules();
    let guards = &rules.guards;
    let now = deciding.civil_now();
    let coming = |entity: &EntityId| {
        deciding.state.entities.get(entity).is_some_and(|record| {
            let shown = record.when();
            shown.status != raccord_model::Status::Cancelled
                && shown.over_at().is_some_and(|over| over > now)
        })
    };
    let followed = compared
        .same
        .iter()
        .chain(&compared.changed)
        .map(|(_, entity)| entity)
        .chain(&compared.missing)
        .chain(
            compared
                .questions
                .iter()
                .flat_map(|question| question.pairs.iter().map(|(_, entity)| entity)),
        );
    let total = followed.filter(|entity| coming(entity)).count();
    let missing = compared
        .missing
        .iter()
        .filter(|entity| coming(entity))
        .count();
    let share = |part: usize| {
        if total == 0 {
            0.0
        } else {
            part as f64 / total as f64
        }
    };
    if missing >= guards.cancel_count.max(1) as usize && share(missing) > guards.cancel_share {
        let reason = Words::new(
            format!(
                "{missing} activités à venir sur {total} ont disparu d'un coup. Rien n'est annulé tant que personne n'a dit oui."
            ),
            format!(
                "{missing} of {total} coming activities are gone at once. Nothing is cancelled until a person says yes."
            ),
        );
        return Some(Alarm {
            code: "mass-deletion",
            reason,
        });
    }
    let changed = compared
        .changed
        .iter()
        .filter(|(_, entity)| coming(entity))
        .filter(|(index, entity)| {
            let Some(before) = source_fields(deciding, *entity) else {
                return false;
            };
            let after = reading.lines[*index].decode();
            ["start", "end", "room", "title"]
                .iter()
                .any(|name| before.get(*name) != after.get(*name))
        })
        .count();
    let asked: usize = compared
        .questions
        .iter()
        .map(|question| question.pairs.len())
        .sum();
    let changed = changed + asked;
    if changed >= guards.change_count.max(1) as usize && share(changed) > guards.change_share {
        let reason = Words::new(
            format!(
                "{changed} activités à venir sur {total} changent d'un coup de date, d'heure, de lieu ou de titre. Rien ne bouge tant que personne n'a dit oui."
            ),
            format!(
                "{changed} of {total} coming activities change date, hours, room or title at once. Nothing moves until a person says yes."
            ),
        );
        return Some(Alarm {
            code: "mass-change",
            reason,
        });
    }
    None
}

fn reading_hold_id(source: &ConnectorName, content: Digest) -> HoldId {
    HoldId::derive(&[b"reading", source.as_str().as_bytes(), &content.0])
}

/// Holds on other readings of this source are no longer true.
fn close_readings(deciding: &mut Deciding<'_>, source: &ConnectorName, but: Option<Digest>) {
    let moot: Vec<HoldId> = deciding
        .state
        .holds
        .values()
        .filter(|waiting| match &waiting.hold.what {
            HoldKind::Reading {
                source: of,
                content,
            } => of == source && Some(*content) != but,
            _ => false,
        })
        .map(|waiting| waiting.hold.id)
        .collect();
    for hold in moot {
        crate::hold::close(deciding, hold, Closing::Moot);
    }
}

fn hold_reading(
    deciding: &mut Deciding<'_>,
    source: &ConnectorName,
    content: Digest,
    reason: Words,
    reading: &Reading,
    compared: &Compared,
) {
    let total = compared.missing.len() + compared.changed.len() + compared.added.len();
    let room = |listed: usize| LISTED.saturating_sub(listed);
    let mut effects: Vec<HeldEffect> = compared
        .missing
        .iter()
        .take(LISTED)
        .map(|&entity| held_cancel(deciding, entity))
        .collect();
    for (index, entity) in compared.changed.iter().take(room(effects.len())) {
        effects.push(held_update(deciding, &reading.lines[*index], *entity));
    }
    for &index in compared.added.iter().take(room(effects.len())) {
        effects.push(held_create(deciding, source, &reading.lines[index]));
    }
    let more = u32::try_from(total - effects.len()).unwrap_or(u32::MAX);
    let hold = Hold {
        id: reading_hold_id(source, content),
        what: HoldKind::Reading {
            source: source.clone(),
            content,
        },
        reason,
        opened: deciding.now,
        effects,
        more,
    };
    crate::hold::open(deciding, hold);
}

fn title_in(fields: &Fields) -> String {
    fields
        .get("title")
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn held_cancel(deciding: &Deciding<'_>, entity: EntityId) -> HeldEffect {
    let title = deciding.title(entity);
    HeldEffect {
        entity,
        action: "cancel".into(),
        title,
        before: Fields::new(),
        after: Fields::new(),
    }
}

fn held_update(deciding: &Deciding<'_>, line: &Line, entity: EntityId) -> HeldEffect {
    let before = source_fields(deciding, entity).unwrap_or_default();
    let mut after = line.decode();
    crate::posted::set_zone(deciding, line.kind, &mut after);
    let title = title_in(&before);
    let (before, after) = difference(line.kind, &before, &after);
    HeldEffect {
        entity,
        action: "update".into(),
        title,
        before,
        after,
    }
}

fn held_create(deciding: &Deciding<'_>, source: &ConnectorName, line: &Line) -> HeldEffect {
    let fields = line.decode();
    let entity = first_id(deciding, source, line);
    let title = title_in(&fields);
    let (before, after) = difference(line.kind, &Fields::new(), &fields);
    HeldEffect {
        entity,
        action: "create".into(),
        title,
        before,
        after,
    }
}

/// The fields that differ, before and after, without personal ones.
pub(crate) fn difference(kind: EntityKind, before: &Fields, after: &Fields) -> (Fields, Fields) {
    let hidden = crate::vault::personal(kind);
    let names = changed_fields(Some(before), after);
    let pick = |fields: &Fields| -> Fields {
        names
            .iter()
            .filter(|name| !hidden.contains(&name.as_str()))
            .filter_map(|name| Some((name.clone(), fields.get(name)?.clone())))
            .collect()
    };
    (pick(before), pick(after))
}

/// Only what a person said yes to.
fn restrict(
    deciding: &Deciding<'_>,
    source: &ConnectorName,
    reading: &Reading,
    compared: &mut Compared,
    only: &BTreeSet<EntityId>,
) {
    compared.changed.retain(|(_, entity)| only.contains(entity));
    compared.missing.retain(|entity| only.contains(entity));
    compared
        .added
        .retain(|&index| only.contains(&first_id(deciding, source, &reading.lines[index])));
    compared.questions.clear();
}

/// The id of the entity a line describes, when it is accepted for the first time.
fn first_id(deciding: &Deciding<'_>, source: &ConnectorName, line: &Line) -> EntityId {
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
fn apply(
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
        ..empty_read(source)
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
    for &index in &compared.added {
        let line = &reading.lines[index];
        let entity = first_id(deciding, source, line);
        let mut fields = line.decode();
        crate::posted::set_zone(deciding, line.kind, &mut fields);
        let columns = columns(reading, line, fields.keys().map(String::as_str));
        read.lines.push((entity, accepted(line)));
        deciding.emit(Draft {
            kind: line.kind,
            verb: Verb::Created,
            entity,
            fields,
            source: source.as_str(),
            family: entity,
            cause: Cause::Cell {
                sheet: tab(reading, line),
                row: line.row,
                columns,
                before: Fields::new(),
            },
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
    ask(deciding, source, reading, &compared.questions);
    deciding.record(Fact::Read(Box::new(read)));
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
        let over = deciding.state.entities.get(&entity).is_none_or(|record| {
            let shown = record.when();
            shown.status == raccord_model::Status::Cancelled
                || shown.over_at().is_some_and(|over| over <= now)
        });
        if over {
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
    cancel_missing(deciding, source, &cancelled);
}

fn cancel_missing(
    deciding: &mut Deciding<'_>,
    source: &ConnectorName,
    gone: &[(EntityId, Timestamp)],
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
        let mut fields = known.fields;
        let field = if known.kind == EntityKind::Task {
            "state"
        } else {
            "status"
        };
        fields.insert(field.into(), json!("cancelled"));
        deciding.emit(Draft {
            kind: known.kind,
            verb: Verb::Cancelled,
            entity,
            fields,
            source: source.as_str(),
            family: entity,
            cause: Cause::Missing {
                sheet,
                row: line.row,
                since,
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
    let before = source_fields(deciding, entity).unwrap_or_default();
    let mut fields = line.decode();
    crate::posted::set_zone(deciding, line.kind, &mut fields);
    keep_others_words(deciding, entity, &before, &mut fields);
    let cancelled = |fields: &Fields| fields.get("status") == Some(&json!("cancelled"));
    let revived = cancelled(&known.fields) && !fields.contains_key("status");
    if revived {
        fields.insert("status".into(), json!("confirmed"));
    }
    let verb = if cancelled(&fields) && !cancelled(&known.fields) {
        Verb::Cancelled
    } else {
        Verb::Updated
    };
    let names = changed_fields(Some(&known.fields), &fields);
    let columns = columns(reading, line, names.iter().map(String::as_str));
    let (old, _) = difference(line.kind, &known.fields, &fields);
    deciding.emit(Draft {
        kind: line.kind,
        verb,
        entity,
        fields,
        source: source.as_str(),
        family: entity,
        cause: Cause::Cell {
            sheet: tab(reading, line),
            row: line.row,
            columns,
            before: old,
        },
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

fn tab(reading: &Reading, line: &Line) -> String {
    reading
        .tabs
        .get(usize::from(line.tab))
        .map(|tab| tab.name.clone())
        .unwrap_or_default()
}

/// The letters of the columns the fields come from.
fn columns<'n>(
    reading: &Reading,
    line: &Line,
    names: impl Iterator<Item = &'n str>,
) -> Vec<String> {
    let Some(tab) = reading.tabs.get(usize::from(line.tab)) else {
        return Vec::new();
    };
    let indexes: BTreeSet<u16> = names
        .filter_map(|name| tab.columns.get(name))
        .flatten()
        .copied()
        .collect();
    indexes.into_iter().map(column_letters).collect()
}

fn remarks(reading: &Reading, compared: &Compared) -> Vec<Remark> {
    let mut remarks = reading.remarks.clone();
    for (copy, first) in &compared.copies {
        let (copy, first) = (&reading.lines[*copy], &reading.lines[*first]);
        let sheet = tab(reading, copy);
        remarks.push(Remark {
            row: copy.row,
            code: DUPLICATE.into(),
            text: Words::new(
                format!("Les lignes {} et {} de « {sheet} » sont identiques : une seule activité en est faite.", first.row, copy.row),
                format!("Lines {} and {} of “{sheet}” are identical: they make one activity.", first.row, copy.row),
            ),
            sheet,
        });
    }
    remarks
}

/// Opens the questions of this reading, and closes those that no longer stand.
fn ask(
    deciding: &mut Deciding<'_>,
    source: &ConnectorName,
    reading: &Reading,
    questions: &[Question],
) {
    let mut standing = BTreeSet::new();
    for question in questions {
        let pairs: Vec<(Digest, EntityId)> = question
            .pairs
            .iter()
            .map(|(index, entity)| (reading.lines[*index].digest, *entity))
            .collect();
        let mut name: Vec<&[u8]> = vec![b"question", source.as_str().as_bytes()];
        for (digest, entity) in &pairs {
            name.push(&digest.0);
            name.push(entity.as_bytes());
        }
        let id = HoldId::derive(&name);
        standing.insert(id);
        let effects: Vec<HeldEffect> = question
            .pairs
            .iter()
            .map(|(index, entity)| held_update(deciding, &reading.lines[*index], *entity))
            .collect();
        let rows: Vec<String> = question
            .pairs
            .iter()
            .map(|(index, _)| reading.lines[*index].row.to_string())
            .collect();
        let (rows, title) = (
            rows.join(", "),
            effects
                .first()
                .map(|effect| effect.title.clone())
                .unwrap_or_default(),
        );
        let reason = Words::new(
            format!(
                "Ligne {rows} : est-ce « {title} », modifiée ? Oui : c'est la même activité. Non : l'ancienne est annulée et c'en est une nouvelle."
            ),
            format!(
                "Line {rows}: is it “{title}”, changed? Yes: it is the same activity. No: the old one is cancelled and this is a new one."
            ),
        );
        let what = HoldKind::Question {
            source: source.clone(),
            pairs,
        };
        crate::hold::open(
            deciding,
            Hold {
                id,
                what,
                reason,
                opened: deciding.now,
                effects,
                more: 0,
            },
        );
    }
    let moot: Vec<HoldId> = deciding
        .state
        .holds
        .values()
        .filter(|waiting| matches!(&waiting.hold.what, HoldKind::Question { source: of, .. } if of == source))
        .map(|waiting| waiting.hold.id)
        .filter(|id| !standing.contains(id))
        .collect();
    for hold in moot {
        crate::hold::close(deciding, hold, Closing::Moot);
    }
}

/// What cannot be read is told where organisers look, as one notice per source.
fn tell_unread(deciding: &mut Deciding<'_>, source: &ConnectorName, reading: &Reading) {
    if reading.unread.is_empty() {
        crate::notice::settle(deciding, "unread", source.as_str());
        return;
    }
    let lines = |lang: raccord_model::Lang| -> String {
        let mut text: Vec<String> = reading
            .unread
            .iter()
            .take(20)
            .map(|unread| {
                let cell = format!("{}{}", unread.column, unread.row);
                match lang {
                    raccord_model::Lang::Fr => {
                        format!(
                            "{} {cell} : « {} ». {}",
                            unread.sheet, unread.found, unread.write.fr
                        )
                    }
                    raccord_model::Lang::En => {
                        format!(
                            "{} {cell}: “{}”. {}",
                            unread.sheet, unread.found, unread.write.en
                        )
                    }
                }
            })
            .collect();
        if reading.unread.len() > 20 {
            text.push(format!("… +{}", reading.unread.len() - 20));
        }
        text.join("\n")
    };
    let text = Words::new(
        lines(raccord_model::Lang::Fr),
        lines(raccord_model::Lang::En),
    );
    let mend = Words::new(
        "Corrigez ces cellules dans le document ; le reste du programme n'attend pas.",
        "Mend these cells in the document; the rest of the programme does not wait.",
    );
    crate::notice::tell(deciding, "unread", source.as_str(), &text, &mend);
}
