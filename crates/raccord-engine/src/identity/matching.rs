//! The assignment: from certain to likely, and what must be asked.

use std::collections::{BTreeMap, BTreeSet};

use raccord_model::{Digest, EntityId};

use super::Features;
use super::certain::{
    Places, native_pairs, near_title_and_slot, same_story, same_title_and_day, undone,
};
use super::doubt::{Ranked, called_off, crossed, entangled, joined, rivals, waiting};
use super::series::series;
use super::verdict::{Verdict, scores};

/// A known line or a new one, as matching sees it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The tool's own id of the line.
    pub native: Option<String>,
    /// The digest of its content.
    pub digest: Digest,
    /// What it is compared by.
    pub features: Features,
    /// Its place in the document: known lines by what was last accepted.
    pub rank: u32,
    /// Whether what it describes is over: the past does not move.
    pub over: bool,
}

/// What matching found among the lines that were not identical.
#[derive(Clone, Debug, Default)]
pub struct Matching {
    /// New line (by index) and the known entity it is.
    pub pairs: Vec<(usize, EntityId)>,
    /// New lines that are nobody we know.
    pub added: Vec<usize>,
    /// Known entities no line was found for.
    pub missing: Vec<EntityId>,
    /// What a person must say.
    pub questions: Vec<Question>,
}

/// Lines that may or may not be known activities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Lines (by index) and the entity each may be.
    pub pairs: Vec<(usize, EntityId)>,
}

/// What was heard of leftover lines before.
#[derive(Clone, Copy, Debug)]
pub struct Heard<'h> {
    /// What a person answered.
    pub answers: &'h BTreeMap<(Digest, EntityId), bool>,
    /// Lines that say what an entity said before it was rewritten.
    pub earlier: &'h BTreeMap<usize, EntityId>,
}

/// Matches leftover lines with leftover known entities. `titles` counts how often a folded title
/// stands among all known and new lines.
pub fn match_lines(
    known: &BTreeMap<EntityId, Candidate>,
    lines: &BTreeMap<usize, Candidate>,
    titles: &BTreeMap<String, usize>,
    heard: Heard<'_>,
) -> Matching {
    let answers = heard.answers;
    let mut matching = Matching::default();
    let mut free_known: BTreeSet<EntityId> = known.keys().copied().collect();
    let mut free_lines: BTreeSet<usize> = lines.keys().copied().collect();

    let mut pair = |line: usize,
                    entity: EntityId,
                    known: &mut BTreeSet<EntityId>,
                    lines: &mut BTreeSet<usize>| {
        known.remove(&entity);
        lines.remove(&line);
        matching.pairs.push((line, entity));
    };

    for (line, entity) in native_pairs(known, lines) {
        pair(line, entity, &mut free_known, &mut free_lines);
    }
    let said: BTreeMap<Digest, EntityId> = answers
        .iter()
        .rev() // Of several, the first one stands.
        .filter(|((_, entity), yes)| **yes && known.contains_key(entity))
        .map(|((digest, entity), _)| (*digest, *entity))
        .collect();
    for (&line, candidate) in lines {
        if let Some(&entity) = said
            .get(&candidate.digest)
            .filter(|entity| free_known.contains(entity) && free_lines.contains(&line))
        {
            pair(line, entity, &mut free_known, &mut free_lines);
        }
    }

    let named = known.len() - free_known.len();
    for (line, entity) in same_title_and_day(known, lines, &free_known, &free_lines) {
        if answers.get(&(lines[&line].digest, entity)) != Some(&false) {
            pair(line, entity, &mut free_known, &mut free_lines);
        }
    }
    for (line, entity) in near_title_and_slot(known, lines, &free_known, &free_lines) {
        if answers.get(&(lines[&line].digest, entity)) != Some(&false) {
            pair(line, entity, &mut free_known, &mut free_lines);
        }
    }
    for (line, entity) in undone(known, lines, heard.earlier, &free_known, &free_lines) {
        if answers.get(&(lines[&line].digest, entity)) != Some(&false) {
            pair(line, entity, &mut free_known, &mut free_lines);
        }
    }
    // After title and day: occurrences of one series tell one story, and may exchange it.
    for (line, entity) in same_story(known, lines, &free_known, &free_lines) {
        if answers.get(&(lines[&line].digest, entity)) != Some(&false) {
            pair(line, entity, &mut free_known, &mut free_lines);
        }
    }
    // So far nothing was left over but what was paired.
    let certain = known.len() - free_known.len();
    let series = series(known, lines, &free_known, &free_lines, titles, answers);
    for (line, entity) in series.moved {
        pair(line, entity, &mut free_known, &mut free_lines);
    }

    let mut scored = scores(known, lines, &free_known, &free_lines, titles);
    scored.retain(|score| answers.get(&(lines[&score.line].digest, score.entity)) != Some(&false));
    for question in &series.questions {
        for (line, entity) in &question.pairs {
            free_lines.remove(line);
            free_known.remove(entity);
        }
    }

    scored.sort_by(|a, b| {
        (a.verdict == Verdict::Maybe)
            .cmp(&(b.verdict == Verdict::Maybe))
            .then(b.likeness.total_cmp(&a.likeness))
            .then_with(|| (a.gap, a.line, a.entity).cmp(&(b.gap, b.line, b.entity)))
    });
    let scored = Ranked::of(scored);
    let places = Places::of(known, lines, &free_known, &free_lines);
    let mut doubtful: Vec<Question> = Vec::new();
    for score in scored.iter() {
        if !free_known.contains(&score.entity) || !free_lines.contains(&score.line) {
            continue;
        }
        match score.verdict {
            Verdict::Same => {
                let rivals = rivals(&scored, score, &free_known, &free_lines)
                    .or_else(|| crossed(&scored, score, &free_known, &free_lines))
                    .or_else(|| {
                        // It moved out of a place, or into one, that stays as it was but for its
                        // title: the title may have moved instead.
                        let (old, new) = (&known[&score.entity], &lines[&score.line]);
                        let moved = old.features.slot() != new.features.slot()
                            && (places.is_taken(old, score.line, &free_lines)
                                || places.takes(new, score.entity, &free_known));
                        moved.then(|| Question {
                            pairs: vec![(score.line, score.entity)],
                        })
                    });
                if let Some(rivals) = rivals {
                    for (line, entity) in &rivals.pairs {
                        free_lines.remove(line);
                        free_known.remove(entity);
                    }
                    doubtful.push(rivals);
                } else {
                    pair(score.line, score.entity, &mut free_known, &mut free_lines);
                }
            }
            Verdict::Maybe => {
                free_lines.remove(&score.line);
                free_known.remove(&score.entity);
                doubtful.push(Question {
                    pairs: vec![(score.line, score.entity)],
                });
            }
            Verdict::Different => {}
        }
    }
    matching.questions = series.questions;
    matching.questions.extend(doubtful);
    joined(&mut matching, known, lines);
    entangled(&mut matching, certain, known, lines);
    called_off(&mut matching, named..certain, known, lines, &free_lines);
    let (waiting_lines, waiting_entities) = waiting(&matching.questions, &scored);
    free_lines.retain(|line| !waiting_lines.contains(line));
    free_known.retain(|entity| !waiting_entities.contains(entity));
    free_lines.retain(|line| !series.waiting_lines.contains(line));
    free_known.retain(|entity| !series.waiting_entities.contains(entity));
    matching.added = free_lines.into_iter().collect();
    matching.missing = free_known.into_iter().collect();
    matching
}
