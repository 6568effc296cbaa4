//! Occurrences that share a title: what moved, and what must be asked.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use raccord_model::{Digest, EntityId};

use super::certain::{Slots, renamed};
use super::verdict::{ALL_PAIRS, FAR_DAYS};
use super::{Candidate, Question, Standing};

/// What else than the moment differs counts as so many days.
const ODD_DAYS: u32 = 30;

/// An occurrence that moved by no more than this is still the one of that week.
const NUDGE_DAYS: u32 = 2;

/// What was found among occurrences.
#[derive(Debug, Default)]
pub(super) struct Series {
    /// Lines, and the occurrence each is.
    pub(super) moved: Vec<(usize, EntityId)>,
    /// What a person must say.
    pub(super) questions: Vec<Question>,
    /// Lines that are not added before a person said which is which ...
    pub(super) waiting_lines: BTreeSet<usize>,
    /// ... and occurrences that are not missed before.
    pub(super) waiting_entities: BTreeSet<EntityId>,
}

/// Occurrences that share their title: a move is taken as one only where exactly one known
/// occurrence is missing, exactly one new one appears, and nothing but the moment differs. Two
/// classes of one name are told apart by all they say but the day. What is over does not come
/// again: it had its turn. Nothing moves to where one of its name stands already.
pub(super) fn series(
    known: &BTreeMap<EntityId, Candidate>,
    lines: &BTreeMap<usize, Candidate>,
    free_known: &BTreeSet<EntityId>,
    free_lines: &BTreeSet<usize>,
    standing: &Standing,
    answers: &BTreeMap<(Digest, EntityId), bool>,
) -> Series {
    let mut by_title: BTreeMap<&str, (Vec<EntityId>, Vec<usize>)> = BTreeMap::new();
    for entity in free_known {
        by_title
            .entry(&known[entity].features.title)
            .or_default()
            .0
            .push(*entity);
    }
    for line in free_lines {
        by_title
            .entry(&lines[line].features.title)
            .or_default()
            .1
            .push(*line);
    }
    let slots = Slots::of(known, free_known);
    let taken: BTreeSet<(String, String)> = free_lines
        .iter()
        .map(|line| lines[line].features.slot())
        .collect();
    let mut found = Series::default();
    for (title, (mut entities, mut new)) in by_title {
        let series = standing.titles.get(title).copied().unwrap_or(0) > 1 || new.len() > 1;
        if !series {
            continue;
        }
        let coming = |line: &usize| !lines[line].over;
        if new.iter().any(coming) {
            entities.retain(|entity| !known[entity].over);
        }
        let fits = |line: usize, entity: EntityId, hours: bool| {
            let (then, now) = (&known[&entity].features, &lines[&line].features);
            then.same_but_moment(now)
                && then.days_to(now) <= FAR_DAYS.unsigned_abs()
                && (!hours || then.same_hour(now))
                && !answers.contains_key(&(lines[&line].digest, entity))
                && !renamed(&known[&entity], &lines[&line])
                && !slots.taken_over(known, lines, (line, entity))
                && !taken.contains(&then.slot())
                && !standing.has(now)
        };
        let settled = if entities.len() * new.len() > ALL_PAIRS {
            Vec::new()
        } else {
            settle(&entities, &new, fits)
        };
        // All of them, or none: one more or one less, and any of them may be another.
        if settled.len() == entities.len() && settled.len() == new.len() {
            found.moved.extend(settled);
            continue;
        }
        if entities.is_empty() || new.is_empty() {
            continue;
        }
        // Where one took another's place, titles may have been exchanged: that is weighed below.
        if entities.len() == 1
            && new.len() == 1
            && slots.taken_over(known, lines, (new[0], entities[0]))
        {
            continue;
        }
        // What a person said no to leaves the others that it may be.
        let apart = |line: usize, entity: EntityId| {
            let (then, now) = (&known[&entity].features, &lines[&line].features);
            let days = then.days_to(now);
            let odd = if fits(line, entity, true) {
                0
            } else {
                ODD_DAYS
            };
            (!answers.contains_key(&(lines[&line].digest, entity))).then_some(days + odd)
        };
        let near = |line: usize, entity: EntityId| {
            let (then, now) = (&known[&entity].features, &lines[&line].features);
            let odd = usize::from(entities.len() == 1 && new.len() == 1);
            let alike = then.differences(now) <= odd
                && !renamed(&known[&entity], &lines[&line])
                && !slots.taken_over(known, lines, (line, entity))
                && !taken.contains(&then.slot())
                && !standing.has(now);
            (!answers.contains_key(&(lines[&line].digest, entity)))
                .then_some((!alike, then.days_to(now)))
        };
        if let Some((line, entity)) = nudged(&entities, &new, near) {
            found.moved.push((line, entity));
            continue;
        }
        entities.sort_by_key(|entity| known[entity].features.start);
        new.sort_by_key(|line| lines[line].features.start);
        let pairs = aligned(&entities, &new, apart);
        if !pairs.is_empty() {
            found.waiting_lines.extend(new);
            found.waiting_entities.extend(entities);
            found.questions.push(Question { pairs });
        }
    }
    found
}

/// The only new one, where it is the only one gone that it fits moved by a day or two. Which of two
/// that fit was taken out, or of two new ones added, only a person knows.
fn nudged(
    entities: &[EntityId],
    lines: &[usize],
    apart: impl Fn(usize, EntityId) -> Option<(bool, u32)>,
) -> Option<(usize, EntityId)> {
    let [line] = *lines else {
        return None;
    };
    let mut near: Vec<((bool, u32), EntityId)> = entities
        .iter()
        .filter_map(|&entity| Some((apart(line, entity)?, entity)))
        .collect();
    near.sort_unstable();
    match near.as_slice() {
        [((false, days), entity), others @ ..] if *days <= NUDGE_DAYS => {
            let alone = others.first().is_none_or(|((odd, _), _)| *odd);
            alone.then_some((line, *entity))
        }
        _ => None,
    }
}

/// As many pairs as there can be that keep the order, and of these the nearest. Those that `apart`
/// gives no distance for are none.
fn aligned(
    entities: &[EntityId],
    lines: &[usize],
    apart: impl Fn(usize, EntityId) -> Option<u32>,
) -> Vec<(usize, EntityId)> {
    if entities.len() * lines.len() > ALL_PAIRS {
        let pairs = lines.iter().copied().zip(entities.iter().copied());
        return pairs
            .filter(|&(line, entity)| apart(line, entity).is_some())
            .collect();
    }
    // From each corner on: how many pairs there can be, and how near they are.
    let width = lines.len() + 1;
    let mut best = vec![(0_usize, Reverse(0_u32)); (entities.len() + 1) * width];
    for (row, &entity) in entities.iter().enumerate().rev() {
        for (column, &line) in lines.iter().enumerate().rev() {
            let here = row * width + column;
            let skipped = best[here + 1].max(best[here + width]);
            let paired = apart(line, entity).map(|apart| {
                let (pairs, Reverse(far)) = best[here + width + 1];
                (pairs + 1, Reverse(far.saturating_add(apart)))
            });
            best[here] = paired.map_or(skipped, |paired| paired.max(skipped));
        }
    }
    let (mut row, mut column, mut pairs) = (0, 0, Vec::new());
    while row < entities.len() && column < lines.len() {
        let here = row * width + column;
        if best[here] == best[here + width] {
            row += 1;
        } else if best[here] == best[here + 1] {
            column += 1;
        } else {
            pairs.push((lines[column], entities[row]));
            (row, column) = (row + 1, column + 1);
        }
    }
    pairs
}

/// The pairs where a line fits one entity only and the entity that line only: first those at the
/// same hour, then of what is left those at any.
fn settle(
    entities: &[EntityId],
    lines: &[usize],
    fits: impl Fn(usize, EntityId, bool) -> bool,
) -> Vec<(usize, EntityId)> {
    let mut settled: Vec<(usize, EntityId)> = Vec::new();
    let mut free_entities: BTreeSet<EntityId> = entities.iter().copied().collect();
    let mut free_lines: BTreeSet<usize> = lines.iter().copied().collect();
    for hours in [true, false] {
        let (mut of_line, mut of_entity) = (BTreeMap::new(), BTreeMap::new());
        let mut fitting = Vec::new();
        for &line in &free_lines {
            for &entity in &free_entities {
                if fits(line, entity, hours) {
                    fitting.push((line, entity));
                    *of_line.entry(line).or_insert(0_usize) += 1;
                    *of_entity.entry(entity).or_insert(0_usize) += 1;
                }
            }
        }
        for (line, entity) in fitting {
            if of_line[&line] == 1 && of_entity[&entity] == 1 {
                free_lines.remove(&line);
                free_entities.remove(&entity);
                settled.push((line, entity));
            }
        }
    }
    settled
}
