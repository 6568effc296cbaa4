//! Where two ways to pair lines with activities are possible, neither is chosen: it is asked.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use raccord_model::EntityId;

use super::verdict::Score;
use super::{Candidate, Matching, Question};

/// Two assignments that score within this of each other are both possible.
const MARGIN: f64 = 0.02;
/// Two ways to pair two lines with two activities are both possible when their sums are this near.
const CROSSED: f64 = 0.3;

/// Scores, the best first, found by their line and by their entity.
pub(super) struct Ranked {
    scores: Vec<Score>,
    by_line: HashMap<usize, Vec<usize>>,
    by_entity: HashMap<EntityId, Vec<usize>>,
}

impl Ranked {
    pub(super) fn of(scores: Vec<Score>) -> Self {
        let mut by_line: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut by_entity: HashMap<EntityId, Vec<usize>> = HashMap::new();
        for (at, score) in scores.iter().enumerate() {
            by_line.entry(score.line).or_default().push(at);
            by_entity.entry(score.entity).or_default().push(at);
        }
        Self {
            scores,
            by_line,
            by_entity,
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Score> {
        self.scores.iter()
    }

    /// Those about `line` or about `entity`, the best first, each once.
    fn touching(&self, line: usize, entity: EntityId) -> impl Iterator<Item = &Score> {
        let of_line = self.by_line.get(&line).into_iter().flatten();
        let of_entity = self.by_entity.get(&entity).into_iter().flatten();
        let at: BTreeSet<usize> = of_line.chain(of_entity).copied().collect();
        at.into_iter().map(|at| &self.scores[at])
    }
}

/// Another assignment of the same lines that is as good: both are possible, so it is asked.
pub(super) fn rivals(
    scored: &Ranked,
    best: &Score,
    free_known: &BTreeSet<EntityId>,
    free_lines: &BTreeSet<usize>,
) -> Option<Question> {
    let rival = scored.touching(best.line, best.entity).find(|other| {
        (other.line == best.line) != (other.entity == best.entity)
            && free_known.contains(&other.entity)
            && free_lines.contains(&other.line)
            && best.likeness - other.likeness < MARGIN
    })?;
    // With a partner of its own that fits as well, the rival is no rival.
    let crossed = scored.touching(rival.line, rival.entity).any(|third| {
        (third.line != best.line && third.entity != best.entity)
            && free_known.contains(&third.entity)
            && free_lines.contains(&third.line)
            && third.likeness > rival.likeness + MARGIN
    });
    if crossed {
        return None;
    }
    // What would be left to the rival waits with it.
    let partner = scored
        .touching(rival.line, rival.entity)
        .filter(|other| other.line != best.line && other.entity != best.entity)
        .filter(|other| free_known.contains(&other.entity) && free_lines.contains(&other.line))
        .max_by(|a, b| a.likeness.total_cmp(&b.likeness));
    let mut pairs = vec![(best.line, best.entity)];
    pairs.extend(partner.map(|other| (other.line, other.entity)));
    Some(Question { pairs })
}

/// Two activities that may have exchanged what they say: both ways to pair them are possible.
pub(super) fn crossed(
    scored: &Ranked,
    best: &Score,
    free_known: &BTreeSet<EntityId>,
    free_lines: &BTreeSet<usize>,
) -> Option<Question> {
    let free =
        |score: &&Score| free_known.contains(&score.entity) && free_lines.contains(&score.line);
    let of_line = || {
        scored
            .touching(best.line, best.entity)
            .filter(|other| other.entity != best.entity)
            .filter(free)
    };
    let of_entity = || {
        scored
            .touching(best.line, best.entity)
            .filter(|other| other.line != best.line)
            .filter(free)
    };
    for line in of_line() {
        for entity in of_entity() {
            let straight = scored
                .touching(entity.line, line.entity)
                .find(|other| other.entity == line.entity && other.line == entity.line);
            let sum = best.likeness + straight.map_or(0.0, |score| score.likeness);
            let sure = best.only_title && !(line.same_day && entity.same_day);
            if !sure && line.likeness + entity.likeness + CROSSED >= sum {
                let mut pairs = vec![(best.line, best.entity)];
                pairs.extend(straight.map(|score| (score.line, score.entity)));
                return Some(Question { pairs });
            }
        }
    }
    None
}

/// Questions of which one leaves the slot that another one enters are one exchange, and one
/// question for a person.
pub(super) fn joined(
    matching: &mut Matching,
    known: &BTreeMap<EntityId, Candidate>,
    lines: &BTreeMap<usize, Candidate>,
) {
    let (mut left, mut taken) = (HashMap::new(), HashMap::new());
    let mut joined: Vec<Question> = Vec::new();
    for question in std::mem::take(&mut matching.questions) {
        let slots = |(line, entity): &(usize, EntityId)| {
            let (was, is) = (&known[entity].features, &lines[line].features);
            (
                was.start.and(Some(was.slot())),
                is.start.and(Some(is.slot())),
            )
        };
        let same = question.pairs.iter().map(slots).find_map(|(was, is)| {
            let entered = was.and_then(|was| taken.get(&was).copied());
            entered.or_else(|| is.and_then(|is| left.get(&is).copied()))
        });
        let at = same.unwrap_or_else(|| {
            joined.push(Question { pairs: Vec::new() });
            joined.len() - 1
        });
        for (was, is) in question.pairs.iter().map(slots) {
            left.extend(was.map(|was| (was, at)));
            taken.extend(is.map(|is| (is, at)));
        }
        joined[at].pairs.extend(question.pairs);
    }
    matching.questions = joined;
}

/// What moved into the slot of an activity that is asked about, or out of the slot that its line
/// stands in now, waits for the same answer: whoever exchanged one exchanged the other. The first
/// `certain` pairs are beyond doubt.
pub(super) fn entangled(
    matching: &mut Matching,
    certain: usize,
    known: &BTreeMap<EntityId, Candidate>,
    lines: &BTreeMap<usize, Candidate>,
) {
    let was = |entity: &EntityId| known[entity].features.slot();
    let is = |line: &usize| lines[line].features.slot();
    let mut left: BTreeMap<_, usize> = BTreeMap::new();
    let mut taken: BTreeMap<_, usize> = BTreeMap::new();
    for (question, Question { pairs }) in matching.questions.iter().enumerate() {
        for (line, entity) in pairs {
            left.insert(was(entity), question);
            taken.insert(is(line), question);
        }
    }
    if left.is_empty() {
        return;
    }
    let mut sure = matching.pairs.split_off(certain.min(matching.pairs.len()));
    loop {
        let before = sure.len();
        sure.retain(|(line, entity)| {
            let (from, to) = (was(entity), is(line));
            if from == to {
                return true;
            }
            let Some(&question) = left.get(&to).or_else(|| taken.get(&from)) else {
                return true;
            };
            matching.questions[question].pairs.push((*line, *entity));
            left.insert(from, question);
            taken.insert(to, question);
            false
        });
        if sure.len() == before {
            break;
        }
    }
    matching.pairs.append(&mut sure);
}

/// Lines that may be an activity that is asked about, or that waits with one, and activities that
/// such a line may be: they wait for the answer.
pub(super) fn waiting(
    questions: &[Question],
    with: (&BTreeSet<usize>, &BTreeSet<EntityId>),
    scored: &Ranked,
) -> (BTreeSet<usize>, BTreeSet<EntityId>) {
    let (mut lines, mut entities) = (with.0.clone(), with.1.clone());
    for (line, entity) in questions.iter().flat_map(|question| &question.pairs) {
        lines.insert(*line);
        entities.insert(*entity);
    }
    let of_lines = lines.iter().filter_map(|line| scored.by_line.get(line));
    let of_entities = entities.iter().filter_map(|of| scored.by_entity.get(of));
    let touched: Vec<usize> = of_lines.chain(of_entities).flatten().copied().collect();
    for at in touched {
        lines.insert(scored.scores[at].line);
        entities.insert(scored.scores[at].entity);
    }
    (lines, entities)
}

/// An occurrence that was called off, or takes place after all, while another of its name is asked
/// about, changed the other way, or moved farther than if it were the one, may be that other. The
/// pairs of `alike` are so by what they say, not by name or by a person's word; those after them
/// moved.
pub(super) fn called_off(
    matching: &mut Matching,
    alike: Range<usize>,
    known: &BTreeMap<EntityId, Candidate>,
    lines: &BTreeMap<usize, Candidate>,
    free_lines: &BTreeSet<usize>,
) {
    let mut by_title: BTreeMap<&str, Turned> = BTreeMap::new();
    for (at, (line, entity)) in matching.pairs.iter().enumerate().skip(alike.start) {
        let (then, now) = (&known[entity].features, &lines[line].features);
        let turned = by_title.entry(&then.title).or_default();
        if at >= alike.end {
            turned.moved.push(at);
        } else if !then.same_status(now) {
            turned.called.push(at);
        }
    }
    for line in free_lines {
        if let Some(turned) = by_title.get_mut(lines[line].features.title.as_str()) {
            turned.come.push(*line);
        }
    }
    let mut asked_about: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, question) in matching.questions.iter().enumerate() {
        for (_, entity) in &question.pairs {
            asked_about
                .entry(&known[entity].features.title)
                .or_insert(at);
        }
    }
    let mut waiting: BTreeMap<usize, usize> = BTreeMap::new();
    for (title, turned) in by_title {
        let asked = asked_about.get(title).copied();
        let doubtful = match asked {
            Some(_) => turned.called,
            None => turned.exchanged(&matching.pairs, known, lines),
        };
        if doubtful.is_empty() {
            continue;
        }
        let question = asked.unwrap_or_else(|| {
            matching.questions.push(Question { pairs: Vec::new() });
            matching.questions.len() - 1
        });
        waiting.extend(doubtful.into_iter().map(|at| (at, question)));
    }
    for (at, pair) in std::mem::take(&mut matching.pairs).into_iter().enumerate() {
        match waiting.get(&at) {
            Some(&question) => matching.questions[question].pairs.push(pair),
            None => matching.pairs.push(pair),
        }
    }
}

/// What became of the occurrences of one name.
#[derive(Default)]
struct Turned {
    /// Pairs of which only one side takes place.
    called: Vec<usize>,
    /// Pairs on other days.
    moved: Vec<usize>,
    /// Lines that are new.
    come: Vec<usize>,
}

impl Turned {
    /// Those that may as well have exchanged their lines.
    fn exchanged(
        &self,
        pairs: &[(usize, EntityId)],
        known: &BTreeMap<EntityId, Candidate>,
        lines: &BTreeMap<usize, Candidate>,
    ) -> Vec<usize> {
        let line = |at: usize| &lines[&pairs[at].0].features;
        let was = |at: usize| &known[&pairs[at].1].features;
        let mut doubtful = BTreeSet::new();
        for &one in &self.called {
            for &other in &self.moved {
                let straight = was(other).days_to(line(other));
                let crossed = was(other)
                    .days_to(line(one))
                    .max(was(one).days_to(line(other)));
                let kept = was(one).same_status(line(other)) && was(other).same_status(line(one));
                if kept && crossed < straight {
                    doubtful.extend([one, other]);
                }
            }
            // It takes place after all, and a new one does not: all of them may have moved by one.
            let off = |line: &usize| lines[line].features.is_off();
            if was(one).is_off() && self.come.iter().any(off) && !self.moved.is_empty() {
                doubtful.insert(one);
                doubtful.extend(&self.moved);
            }
        }
        doubtful.into_iter().collect()
    }
}
