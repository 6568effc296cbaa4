//! Occurrences that share a title: what moved, and what must be asked.

use std::collections::{BTreeMap, BTreeSet};

use raccord_model::{Digest, EntityId};

use super::certain::{Slots, renamed};
use super::verdict::{ALL_PAIRS, FAR_DAYS};
use super::{Candidate, Question};

/// Occurrences that share their title: a move is taken as one only where exactly one known
/// occurrence is missing, exactly one new one appears, and nothing but the moment differs. Two
/// classes of one name are told apart by all they say but the day. What is over does not come
/// again: it had its turn.
///
/// Gives what moved, and what is asked.
pub(super) fn series(
    known: &BTreeMap<EntityId, Candidate>,
    lines: &BTreeMap<usize, Candidate>,
    free_known: &BTreeSet<EntityId>,
    free_lines: &BTreeSet<usize>,
    titles: &BTreeMap<String, usize>,
    answers: &BTreeMap<(Digest, EntityId), bool>,
) -> (Vec<(usize, EntityId)>, Vec<Question>) {
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
    let (mut moved, mut questions) = (Vec::new(), Vec::new());
    for (title, (mut entities, mut new)) in by_title {
        let series = titles.get(title).copied().unwrap_or(0) > 1 || new.len() > 1;
        if !series {
            continue;
        }
        let coming = |line: &usize| !lines[line].over;
        if new.iter().any(coming) {
            entities.retain(|entity| !known[entity].over);
        }
        let fits = |line: usize, entity: EntityId, hours: bool| {
            let (then, now) = (&known[&entity].features, &lines[&line].features);
            let apart = match (then.day(), now.day()) {
                (Some(then), Some(now)) => (now - then).get_days().abs(),
                _ => 0,
            };
            then.same_but_moment(now)
                && apart <= FAR_DAYS
                && (!hours || then.same_hour(now))
                && !answers.contains_key(&(lines[&line].digest, entity))
                && !renamed(&known[&entity], &lines[&line])
                && !slots.taken_over(known, lines, (line, entity))
                && !taken.contains(&then.slot())
        };
        let settled = if entities.len() * new.len() > ALL_PAIRS {
            Vec::new()
        } else {
            settle(&entities, &new, fits)
        };
        // All of them, or none: one more or one less, and any of them may be another.
        if settled.len() == entities.len() && settled.len() == new.len() {
            moved.extend(settled);
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
        entities.sort_by_key(|entity| known[entity].features.start);
        new.sort_by_key(|line| lines[line].features.start);
        let answered =
            |line: &usize, entity: &EntityId| answers.contains_key(&(lines[line].digest, *entity));
        let pairs: Vec<(usize, EntityId)> = new
            .iter()
            .copied()
            .zip(entities.iter().copied())
            .filter(|(line, entity)| !answered(line, entity))
            .collect();
        if !pairs.is_empty() {
            questions.push(Question { pairs });
        }
    }
    (moved, questions)
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
