//! The assignment: from certain to likely, and what must be asked.

use std::collections::{BTreeMap, BTreeSet};

use raccord_model::{Digest, EntityId};

use super::Features;
use super::certain::{
    Found, Places, native_pairs, near_title_and_slot, same_title_and_day, undone,
};
use super::doubt::{Ranked, called_off, crossed, entangled, joined, rivals, waiting};
use super::series::series;
use super::story::{Days, same_story};
use super::verdict::{ODD, Score, Verdict, scores};

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

/// What stands as it stood.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// How often a folded title stands among all known lines; 0 where it is new.
    pub titles: BTreeMap<String, usize>,
    /// Titles of leftover lines with the moments at which lines stand that say what they said, but
    /// for those called off.
    pub moments: BTreeSet<(String, String)>,
}

impl Standing {
    /// Whether a line of this title stands at this moment.
    pub(super) fn has(&self, line: &Features) -> bool {
        line.start.is_some_and(|start| {
            let key = (line.title.clone(), start.to_string());
            self.moments.contains(&key)
        })
    }
}

/// What was heard of leftover lines before.
#[derive(Clone, Copy, Debug)]
pub struct Heard<'h> {
    /// What a person answered.
    pub answers: &'h BTreeMap<(Digest, EntityId), bool>,
    /// Lines that say what an entity said before it was rewritten.
    pub earlier: &'h BTreeMap<usize, EntityId>,
    /// Lines that say what an entity said whose line is gone.
    pub back: &'h BTreeMap<usize, EntityId>,
}

/// One way to see that a line is an activity, asked of those that are left.
type Rule<'r> = &'r dyn Fn(&BTreeSet<EntityId>, &BTreeSet<usize>) -> Found;

impl Heard<'_> {
    /// Whether another, whose line is gone, said this very line.
    fn otherwise(&self, line: usize, entity: EntityId) -> bool {
        self.back.get(&line).is_some_and(|other| *other != entity)
    }
}

/// Matches leftover lines with leftover known entities.
pub fn match_lines(
    known: &BTreeMap<EntityId, Candidate>,
    lines: &BTreeMap<usize, Candidate>,
    standing: &Standing,
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
    let days = Days::of(known.iter().map(|(entity, candidate)| (*entity, candidate)));
    let mut doubtful: Vec<Question> = Vec::new();
    let mut ask = |line: usize,
                   entity: EntityId,
                   known: &mut BTreeSet<EntityId>,
                   lines: &mut BTreeSet<usize>| {
        known.remove(&entity);
        lines.remove(&line);
        doubtful.push(Question {
            pairs: vec![(line, entity)],
        });
    };
    let rules: [Rule<'_>; 4] = [
        // Before all that a single line says: an undo is seen in all of them.
        &|free_known, free_lines| undone(known, lines, heard.earlier, free_known, free_lines),
        // What all of a name say of themselves moved with them, even to where another one stood.
        &|free_known, free_lines| same_story(known, lines, free_known, free_lines),
        &|free_known, free_lines| same_title_and_day(known, lines, free_known, free_lines),
        &|free_known, free_lines| Found {
            sure: near_title_and_slot(known, lines, free_known, free_lines),
            asked: Vec::new(),
        },
    ];
    for rule in rules {
        let found = rule(&free_known, &free_lines);
        let sure = found.sure.into_iter().map(|found| (found, true));
        let asked = found.asked.into_iter().map(|found| (found, false));
        for ((line, entity), sure) in sure.chain(asked) {
            if answers.get(&(lines[&line].digest, entity)) == Some(&false) {
                continue;
            }
            if sure && !heard.otherwise(line, entity) {
                pair(line, entity, &mut free_known, &mut free_lines);
            } else {
                ask(line, entity, &mut free_known, &mut free_lines);
            }
        }
    }
    // So far nothing was left over but what was paired.
    let certain = known.len() - free_known.len();
    let series = series(known, lines, &free_known, &free_lines, standing, answers);
    for (line, entity) in series.moved {
        if heard.otherwise(line, entity) {
            ask(line, entity, &mut free_known, &mut free_lines);
        } else {
            pair(line, entity, &mut free_known, &mut free_lines);
        }
    }

    // What is asked about is scored as well: what else it may be waits for the answer.
    let (mut open_known, mut open_lines) = (free_known.clone(), free_lines.clone());
    for (line, entity) in doubtful.iter().flat_map(|question| &question.pairs) {
        open_known.insert(*entity);
        open_lines.insert(*line);
    }
    let mut scored = scores(known, lines, &open_known, &open_lines, &standing.titles);
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
    // What waits with a series is not decided before it.
    let waits = |score: &Score| {
        series.waiting_lines.contains(&score.line)
            || series.waiting_entities.contains(&score.entity)
            || heard.back.contains_key(&score.line)
    };
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
                        // It moved to a day where another of nearly its title stood, or says
                        // nothing else that it said.
                        let other = !score.same_day
                            && (days.names(known, new, score.entity)
                                || old.features.differences(&new.features) >= ODD);
                        (moved || other || waits(score)).then(|| Question {
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
    let with = (&series.waiting_lines, &series.waiting_entities);
    let (waiting_lines, waiting_entities) = waiting(&matching.questions, with, &scored);
    free_lines.retain(|line| !waiting_lines.contains(line));
    free_known.retain(|entity| !waiting_entities.contains(entity));
    matching.added = free_lines.into_iter().collect();
    matching.missing = free_known.into_iter().collect();
    matching
}
