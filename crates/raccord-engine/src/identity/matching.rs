//! The assignment: from certain to likely, and what must be asked.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use raccord_model::{Digest, EntityId};

use super::Features;

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

/// From here on two lines are taken to be the same activity.
const SAME: f64 = 0.62;
/// Below this they are taken to be different; between, the day decides or a person is asked.
const MAYBE: f64 = 0.54;
/// When the day differs, what the titles say beyond their genre must be this alike.
const OWN: f64 = 0.6;
/// Two assignments that score within this of each other are both possible.
const MARGIN: f64 = 0.02;
/// Up to this many pairs everything is compared with everything.
const ALL_PAIRS: usize = 160_000;

/// Matches leftover lines with leftover known entities. `titles` counts how often a folded title
/// stands among all known and new lines; `answers` says what a person answered before.
pub fn match_lines(
    known: &BTreeMap<EntityId, Candidate>,
    lines: &BTreeMap<usize, Candidate>,
    titles: &BTreeMap<String, usize>,
    answers: &BTreeMap<(Digest, EntityId), bool>,
) -> Matching {
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
    for (&line, candidate) in lines {
        let said = known
            .keys()
            .find(|entity| answers.get(&(candidate.digest, **entity)) == Some(&true));
        if let Some(&entity) =
            said.filter(|entity| free_known.contains(entity) && free_lines.contains(&line))
        {
            pair(line, entity, &mut free_known, &mut free_lines);
        }
    }

    let mut scored = scores(known, lines, &free_known, &free_lines);
    scored.retain(|score| answers.get(&(lines[&score.line].digest, score.entity)) != Some(&false));

    let asked = series_questions(known, lines, &free_known, &free_lines, titles, answers);
    for question in &asked {
        for (line, entity) in &question.pairs {
            free_lines.remove(line);
            free_known.remove(entity);
        }
    }

    scored.sort_by(|a, b| {
        b.likeness
            .total_cmp(&a.likeness)
            .then_with(|| (a.gap, a.line, a.entity).cmp(&(b.gap, b.line, b.entity)))
    });
    let mut doubtful: Vec<Question> = Vec::new();
    for score in &scored {
        if !free_known.contains(&score.entity) || !free_lines.contains(&score.line) {
            continue;
        }
        match score.verdict {
            Verdict::Same => {
                if let Some(rivals) = rivals(&scored, score, &free_known, &free_lines) {
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
    matching.questions = asked;
    matching.questions.extend(doubtful);
    matching.added = free_lines.into_iter().collect();
    matching.missing = free_known.into_iter().collect();
    matching
}

/// Lines that carry the tool's own id. The same id twice is the line most like the known one.
fn native_pairs(
    known: &BTreeMap<EntityId, Candidate>,
    lines: &BTreeMap<usize, Candidate>,
) -> Vec<(usize, EntityId)> {
    let mut by_native: HashMap<&str, Vec<usize>> = HashMap::new();
    for (&index, line) in lines {
        if let Some(native) = &line.native {
            by_native.entry(native).or_default().push(index);
        }
    }
    let mut pairs = Vec::new();
    for (&entity, candidate) in known {
        let Some(native) = &candidate.native else {
            continue;
        };
        let Some(indexes) = by_native.get(native.as_str()) else {
            continue;
        };
        let best = indexes.iter().copied().max_by(|a, b| {
            let like = |index: &usize| lines[index].features.likeness(&candidate.features);
            like(a).total_cmp(&like(b)).then(b.cmp(a))
        });
        if let Some(line) = best {
            pairs.push((line, entity));
        }
    }
    pairs
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Same,
    Maybe,
    Different,
}

#[derive(Clone, Copy, Debug)]
struct Score {
    line: usize,
    entity: EntityId,
    likeness: f64,
    /// How far the line is from where the entity last stood: settles ties.
    gap: u32,
    verdict: Verdict,
}

fn scores(
    known: &BTreeMap<EntityId, Candidate>,
    lines: &BTreeMap<usize, Candidate>,
    free_known: &BTreeSet<EntityId>,
    free_lines: &BTreeSet<usize>,
) -> Vec<Score> {
    let score = |line: usize, entity: EntityId| {
        let (old, new) = (&known[&entity], &lines[&line]);
        let likeness = old.features.likeness(&new.features);
        // A tool that names its lines and gave another name says that it is another line, unless
        // the line was cut and pasted as it stood.
        let renamed = old.native.is_some() && new.native.is_some() && old.digest != new.digest;
        let verdict = if renamed {
            Verdict::Different
        } else {
            verdict(&old.features, &new.features, likeness)
        };
        Score {
            line,
            entity,
            likeness,
            gap: old.rank.abs_diff(new.rank),
            verdict,
        }
    };
    let wanted = |score: &Score| score.verdict != Verdict::Different;
    if free_known.len() * free_lines.len() <= ALL_PAIRS {
        return free_lines
            .iter()
            .flat_map(|&line| free_known.iter().map(move |&entity| (line, entity)))
            .map(|(line, entity)| score(line, entity))
            .filter(wanted)
            .collect();
    }
    // Too many to compare all: only lines that share a title, or day and room, can be the same.
    let mut buckets: HashMap<(u8, String), Vec<EntityId>> = HashMap::new();
    let keys = |candidate: &Candidate| {
        let day = candidate
            .features
            .day()
            .map(|day| day.to_string())
            .unwrap_or_default();
        [
            (0, candidate.features.title.clone()),
            (1, format!("{day} {}", candidate.features.room)),
        ]
    };
    for &entity in free_known {
        for key in keys(&known[&entity]) {
            buckets.entry(key).or_default().push(entity);
        }
    }
    let mut scored = Vec::new();
    for &line in free_lines {
        let mut seen = BTreeSet::new();
        for key in keys(&lines[&line]) {
            for &entity in buckets.get(&key).into_iter().flatten().take(64) {
                if seen.insert(entity) {
                    scored.push(score(line, entity));
                }
            }
        }
    }
    scored.retain(wanted);
    scored
}

fn verdict(old: &Features, new: &Features, likeness: f64) -> Verdict {
    let same_day = old.day().is_some() && old.day() == new.day();
    let own = old.own_likeness(new);
    if !same_day && own < OWN {
        // Room, hours, organisers and boilerplate can all be shared by two concerts.
        return Verdict::Different;
    }
    if likeness >= SAME {
        return Verdict::Same;
    }
    if likeness >= MAYBE && (same_day || own >= 0.8) {
        return Verdict::Maybe;
    }
    Verdict::Different
}

/// Occurrences that share their title: a move is taken as one only where exactly one known
/// occurrence is missing, exactly one new one appears, and nothing but the moment differs.
fn series_questions(
    known: &BTreeMap<EntityId, Candidate>,
    lines: &BTreeMap<usize, Candidate>,
    free_known: &BTreeSet<EntityId>,
    free_lines: &BTreeSet<usize>,
    titles: &BTreeMap<String, usize>,
    answers: &BTreeMap<(Digest, EntityId), bool>,
) -> Vec<Question> {
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
    let mut questions = Vec::new();
    for (title, (mut entities, mut new)) in by_title {
        // Same day: hours or room of one occurrence were changed, no doubt about which.
        let mut settled = Vec::new();
        for &entity in &entities {
            let day = known[&entity].features.day();
            let same_day: Vec<usize> = new
                .iter()
                .copied()
                .filter(|line| lines[line].features.day() == day)
                .collect();
            let twins = entities
                .iter()
                .filter(|other| known[*other].features.day() == day)
                .count();
            if same_day.len() == 1 && twins == 1 {
                settled.push((same_day[0], entity));
            }
        }
        entities.retain(|entity| settled.iter().all(|(_, done)| done != entity));
        new.retain(|line| settled.iter().all(|(done, _)| done != line));
        if entities.is_empty() || new.is_empty() {
            continue;
        }
        let series = titles.get(title).copied().unwrap_or(0) > entities.len().max(new.len());
        let one_of_each = entities.len() == 1 && new.len() == 1;
        if !series && one_of_each {
            continue;
        }
        if one_of_each
            && known[&entities[0]]
                .features
                .same_but_moment(&lines[&new[0]].features)
        {
            continue;
        }
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
    questions
}

/// Another assignment of the same lines that is as good: both are possible, so it is asked.
fn rivals(
    scored: &[Score],
    best: &Score,
    free_known: &BTreeSet<EntityId>,
    free_lines: &BTreeSet<usize>,
) -> Option<Question> {
    let rival = scored.iter().find(|other| {
        other.verdict == Verdict::Same
            && (other.line == best.line) != (other.entity == best.entity)
            && free_known.contains(&other.entity)
            && free_lines.contains(&other.line)
            && best.likeness - other.likeness < MARGIN
    })?;
    // With a partner of its own that fits as well, the rival is no rival.
    let crossed = scored.iter().any(|third| {
        third.verdict == Verdict::Same
            && (third.line != best.line && third.entity != best.entity)
            && (third.line == rival.line || third.entity == rival.entity)
            && free_known.contains(&third.entity)
            && free_lines.contains(&third.line)
            && third.likeness > rival.likeness + MARGIN
    });
    (!crossed).then(|| Question {
        pairs: vec![(best.line, best.entity)],
    })
}
