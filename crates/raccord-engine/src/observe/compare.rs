//! Which line is which: one reading, matched with what was accepted before.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use raccord_model::{ConnectorName, Digest, EntityId, EntityKind, Fields, Line, Reading};
use serde_json::json;

use crate::deciding::Deciding;
use crate::identity::{
    Candidate, Features, Heard, Matching, Question, Standing, fold_title, match_lines,
};
use crate::parallel;
use crate::state::{SourceState, State};
use crate::vault::Vault;

/// How many activities of one name a line that came back is compared with.
const LOOKED_AT: usize = 64;

/// One reading, matched with what was accepted before.
#[derive(Default)]
pub(super) struct Compared {
    /// Line index and known entity, where the content differs.
    pub(super) changed: Vec<(usize, EntityId)>,
    /// Line index and known entity, where nothing differs.
    pub(super) same: Vec<(usize, EntityId)>,
    /// Lines of new entities.
    pub(super) added: Vec<usize>,
    /// Known entities without a line.
    pub(super) missing: Vec<EntityId>,
    /// Known entities that are asked about.
    pub(super) questions: Vec<Question>,
    /// Lines that stand twice: the later one and the first.
    pub(super) copies: Vec<(usize, usize)>,
    /// Lines of entities that were cancelled because they were gone.
    pub(super) revived: Vec<(usize, EntityId)>,
    /// Lines that say what people put into a shared tool before.
    pub(super) taken: Vec<(usize, EntityId)>,
    /// Lines that may say so.
    pub(super) doubts: Vec<Question>,
}

pub(super) fn compare(
    deciding: &Deciding<'_>,
    source: &ConnectorName,
    state: &SourceState,
    reading: &Reading,
) -> Compared {
    let mut compared = Compared::default();
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
    let rewritten = deciding.state.rewritten.get(source);
    let earlier = rewritten.map_or_else(BTreeMap::new, |all| earlier(all, reading, &left));
    if lost.is_empty() || left.is_empty() && compared.revived.is_empty() {
        compared.added = left;
        compared.missing = lost;
        come_back(&mut compared, state, &earlier);
        return compared;
    }
    let now = deciding.civil_now();
    let (world, vault) = (&*deciding.state, &*deciding.vault);
    let known = |entity: &EntityId| {
        let line = &state.lines[entity];
        let record = world.entities.get(entity)?;
        let candidate = Candidate {
            native: line.native.clone(),
            digest: line.digest,
            features: Features::of(&source_fields(world, vault, *entity)?),
            rank: u32::from(line.tab) * 1_000_000 + line.row,
            over: record.when().over_at().is_some_and(|over| over <= now),
        };
        Some((*entity, candidate))
    };
    let known: BTreeMap<EntityId, Candidate> =
        parallel::map(&lost, known).into_iter().flatten().collect();
    let line = |index: &usize| {
        let line = &reading.lines[*index];
        let features = Features::of(&line.decode());
        let start = features.start;
        let over = start.is_some_and(|start| raccord_model::over_at(start, features.end) <= now);
        let candidate = Candidate {
            native: line.native.clone(),
            digest: line.digest,
            features,
            rank: u32::from(line.tab) * 1_000_000 + line.row,
            over,
        };
        (*index, candidate)
    };
    let mut lines: BTreeMap<usize, Candidate> = parallel::map(&left, line).into_iter().collect();
    let back = disputed(&mut compared, reading, &known);
    let disputed: Vec<usize> = back.keys().copied().collect();
    lines.extend(parallel::map(&disputed, line));
    let standing = standing(deciding, &compared, &known, &lines);
    let heard = Heard {
        answers: &state.answers,
        earlier: &earlier,
        back: &back,
    };
    let mut matching = by_kind(deciding, reading, (&known, &lines), &standing, heard);
    matching.added.retain(|index| {
        let back = back.get(index).map(|entity| (*index, *entity));
        compared.revived.extend(back);
        back.is_none()
    });
    compared.changed = matching.pairs;
    compared.added = matching.added;
    compared.missing = matching.missing;
    compared.questions = matching.questions;
    come_back(&mut compared, state, &earlier);
    compared
}

/// Matches activities with activities, and tasks with tasks.
fn by_kind(
    deciding: &Deciding<'_>,
    reading: &Reading,
    (known, lines): (&BTreeMap<EntityId, Candidate>, &BTreeMap<usize, Candidate>),
    standing: &Standing,
    heard: Heard<'_>,
) -> Matching {
    let task = |entity: &EntityId| {
        let record = deciding.state.entities.get(entity);
        record.is_some_and(|record| record.kind == EntityKind::Task)
    };
    let task_line = |index: usize| reading.lines[index].kind == EntityKind::Task;
    if !known.keys().any(task) && !lines.keys().any(|index| task_line(*index)) {
        return match_lines(known, lines, standing, heard);
    }
    let mut all = Matching::default();
    for tasks in [false, true] {
        let known = known.iter().filter(|(entity, _)| task(entity) == tasks);
        let known = known.map(|(entity, one)| (*entity, one.clone())).collect();
        let lines = lines
            .iter()
            .filter(|(index, _)| task_line(**index) == tasks);
        let lines = lines.map(|(index, one)| (*index, one.clone())).collect();
        let found = match_lines(&known, &lines, standing, heard);
        all.pairs.extend(found.pairs);
        all.added.extend(found.added);
        all.missing.extend(found.missing);
        all.questions.extend(found.questions);
    }
    all
}

/// Lines that say word for word what one activity alone said earlier, where all that is new was
/// said earlier: edits were undone. One line that was never said, and people went on instead.
fn earlier(
    rewritten: &VecDeque<(Digest, EntityId)>,
    reading: &Reading,
    left: &[usize],
) -> BTreeMap<usize, EntityId> {
    let mut said: HashMap<Digest, BTreeSet<EntityId>> = HashMap::new();
    for &index in left {
        let line = &reading.lines[index];
        // A line with an id of its own is what its id says.
        if line.native.is_none() {
            said.entry(line.digest).or_default();
        }
    }
    for (digest, entity) in rewritten {
        if let Some(known) = said.get_mut(digest) {
            known.insert(*entity);
        }
    }
    if said.values().any(BTreeSet::is_empty) {
        return BTreeMap::new();
    }
    let alone = |index: &usize| {
        let known = said.get(&reading.lines[*index].digest)?;
        let one = known.first().filter(|_| known.len() == 1)?;
        Some((*index, *one))
    };
    left.iter().filter_map(alone).collect()
}

/// New lines that say what an activity said before it was rewritten and then cancelled because its
/// line was gone are that activity, come back.
fn come_back(compared: &mut Compared, state: &SourceState, earlier: &BTreeMap<usize, EntityId>) {
    let back: BTreeSet<EntityId> = compared.revived.iter().map(|(_, entity)| *entity).collect();
    let found = |index: &usize| {
        let entity = *earlier.get(index)?;
        (state.gone.contains_key(&entity) && !back.contains(&entity)).then_some((*index, entity))
    };
    let revived: BTreeMap<EntityId, usize> = compared
        .added
        .iter()
        .filter_map(found)
        .map(|(index, entity)| (entity, index))
        .collect();
    let lines: BTreeSet<usize> = revived.values().copied().collect();
    compared.added.retain(|index| !lines.contains(index));
    let revived = revived.into_iter().map(|(entity, index)| (index, entity));
    compared.revived.extend(revived);
}

/// Lines that say what a cancelled activity said, where one that stood until now was announced
/// under that title on that day, or may have moved there: it may be either. They are taken out of
/// those that came back.
fn disputed(
    compared: &mut Compared,
    reading: &Reading,
    known: &BTreeMap<EntityId, Candidate>,
) -> BTreeMap<usize, EntityId> {
    let mut back = BTreeMap::new();
    if compared.revived.is_empty() {
        return back;
    }
    let mut announced: HashMap<&str, Vec<&Candidate>> = HashMap::new();
    for known in known.values() {
        let title = known.features.title.as_str();
        announced.entry(title).or_default().push(known);
    }
    compared.revived.retain(|(index, entity)| {
        let line = &reading.lines[*index];
        if line.native.is_some() {
            return true;
        }
        let says = Features::of(&line.decode());
        let there = announced.get(says.title.as_str()).into_iter().flatten();
        let mut there = there.take(LOOKED_AT);
        let either = there.any(|known| {
            let then = &known.features;
            then.day() == says.day() || !known.over && then.same_but_moment(&says)
        });
        if either {
            back.insert(*index, *entity);
        }
        !either
    });
    back
}

/// How often the titles of leftover lines stand among all lines, and at which moments among those
/// that say what they said.
fn standing(
    deciding: &Deciding<'_>,
    compared: &Compared,
    known: &BTreeMap<EntityId, Candidate>,
    lines: &BTreeMap<usize, Candidate>,
) -> Standing {
    let mut standing = Standing::default();
    let counts = &mut standing.titles;
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
        let Some(title) = record.title().map(|title| fold_title(&title)) else {
            continue;
        };
        if let Some(count) = counts.get_mut(&title) {
            *count += 1;
            let shown = record.when();
            // Where one was called off, another may take its place.
            let on = shown.status != raccord_model::Status::Cancelled;
            if let Some(start) = shown.start.filter(|_| on) {
                standing.moments.insert((title, start.to_string()));
            }
        }
    }
    standing
}

/// The fields as the source itself said them last: other people's words set aside, the zone that
/// the place added taken away.
pub(super) fn source_fields(world: &State, vault: &Vault, entity: EntityId) -> Option<Fields> {
    let mut fields = world.entity(entity)?.fields;
    vault.reveal(&mut fields);
    if let Some(said) = world.said.get(&entity) {
        for (name, said) in said {
            match &said.base {
                Some(base) => fields.insert(name.clone(), base.clone()),
                None => fields.remove(name),
            };
        }
    }
    // That hands were found is no word of the source.
    if fields.get("state") == Some(&json!("taken")) {
        fields.insert("state".into(), json!("open"));
    }
    Some(fields)
}

/// A line that cannot be read any more is not a line that is gone.
pub(super) fn protect_unreadable(
    deciding: &Deciding<'_>,
    compared: &mut Compared,
    state: &SourceState,
    reading: &Reading,
) {
    if reading.unread.is_empty() {
        return;
    }
    // Line 0 is the whole tab.
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
        !broken.contains(&(tab, line.row)) && !broken.contains(&(tab, 0))
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
