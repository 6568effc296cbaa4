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

/// From here on two lines are taken to be the same activity.
const SAME: f64 = 0.62;
/// Below this they are taken to be different; between, the day decides or a person is asked.
const MAYBE: f64 = 0.54;
/// A title that nothing else bears says who it is, from this likeness on.
const ALONE: f64 = 0.42;
/// The same story under another title and on another day is asked about from here on.
const STORY: f64 = 0.45;
/// Below this two titles have nothing to do with each other.
const UNLIKE: f64 = 0.4;
/// When the day differs, what the titles say beyond their genre must be this alike.
const OWN: f64 = 0.6;
/// Two assignments that score within this of each other are both possible.
const MARGIN: f64 = 0.02;
/// Two ways to pair two lines with two activities are both possible when their sums are this near.
const CROSSED: f64 = 0.2;
/// What is over and stands again so many days later is another one.
const AGAIN_DAYS: i32 = 90;
/// What is still to come does not move this far without a question.
const FAR_DAYS: i32 = 300;
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
    let (moved, asked) = series(known, lines, &free_known, &free_lines, titles, answers);
    for (line, entity) in moved {
        pair(line, entity, &mut free_known, &mut free_lines);
    }

    let mut scored = scores(known, lines, &free_known, &free_lines, titles);
    scored.retain(|score| answers.get(&(lines[&score.line].digest, score.entity)) != Some(&false));
    for question in &asked {
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
    let mut doubtful: Vec<Question> = Vec::new();
    for score in &scored {
        if !free_known.contains(&score.entity) || !free_lines.contains(&score.line) {
            continue;
        }
        match score.verdict {
            Verdict::Same => {
                let rivals = rivals(&scored, score, &free_known, &free_lines)
                    .or_else(|| crossed(&scored, score, &free_known, &free_lines));
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

/// How the title of a new line stands among all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Called {
    /// As the known line, and as nothing else.
    Alone,
    /// As other lines too.
    Series,
    /// As nothing known.
    Anew,
    /// As nothing known, where the known line is one of a series.
    AnewInSeries,
}

#[derive(Clone, Copy, Debug)]
struct Score {
    line: usize,
    entity: EntityId,
    likeness: f64,
    /// How far the line is from where the entity last stood: settles ties.
    gap: u32,
    verdict: Verdict,
    /// Nothing but the title differs.
    only_title: bool,
    same_day: bool,
}

fn scores(
    known: &BTreeMap<EntityId, Candidate>,
    lines: &BTreeMap<usize, Candidate>,
    free_known: &BTreeSet<EntityId>,
    free_lines: &BTreeSet<usize>,
    titles: &BTreeMap<String, usize>,
) -> Vec<Score> {
    let mut new_titles: HashMap<&str, usize> = HashMap::new();
    for line in free_lines {
        *new_titles.entry(&lines[line].features.title).or_default() += 1;
    }
    let called = |old: &Features, new: &Features| {
        let standing = titles.get(&new.title).copied().unwrap_or(0);
        if old.title != new.title {
            let series = titles.get(&old.title).copied().unwrap_or(0) > 1;
            return match (standing > 0, series) {
                (true, _) => Called::Series,
                (false, true) => Called::AnewInSeries,
                (false, false) => Called::Anew,
            };
        }
        if standing == 1 && new_titles.get(new.title.as_str()) == Some(&1) {
            Called::Alone
        } else {
            Called::Series
        }
    };
    let score = |line: usize, entity: EntityId| {
        let (old, new) = (&known[&entity], &lines[&line]);
        let likeness = old.features.likeness(&new.features);
        let verdict = if renamed(old, new) {
            Verdict::Different
        } else {
            verdict(old, new, likeness, called(&old.features, &new.features))
        };
        Score {
            line,
            entity,
            likeness,
            gap: old.rank.abs_diff(new.rank),
            verdict,
            only_title: old.features.only_title_differs(&new.features),
            same_day: old.features.day() == new.features.day(),
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

fn verdict(old: &Candidate, line: &Candidate, likeness: f64, called: Called) -> Verdict {
    let (known, new) = (&old.features, &line.features);
    let days = match (known.day(), new.day()) {
        (Some(then), Some(now)) => Some((now - then).get_days()),
        _ => None,
    };
    // It had its turn: another occurrence, next year's, or put off, which nobody can tell.
    let again = old.over && days.is_some_and(|days| days > AGAIN_DAYS)
        || old.over && !line.over && days.is_some_and(|days| days > 0);
    if again && (days.is_some_and(|days| days > AGAIN_DAYS) || called == Called::Series) {
        return Verdict::Different;
    }
    let alone = called == Called::Alone;
    let own = known.own_likeness(new);
    let found = if days == Some(0) {
        on_the_day(known, new, likeness, own)
    } else if own < OWN {
        // Room, hours, organisers and boilerplate can all be shared by two concerts; a story told
        // at length, hardly.
        if known.same_story(new) && likeness >= STORY {
            Verdict::Maybe
        } else {
            Verdict::Different
        }
    } else if likeness >= SAME || alone && likeness >= ALONE {
        Verdict::Same
    } else if likeness >= MAYBE && own >= 0.8 || alone {
        Verdict::Maybe
    } else {
        Verdict::Different
    };
    let far = days.is_some_and(|days| days.abs() > FAR_DAYS);
    let stray = days != Some(0) && called == Called::AnewInSeries;
    if (far || again || stray) && found == Verdict::Same {
        return Verdict::Maybe;
    }
    found
}

/// Two lines on the same day.
fn on_the_day(known: &Features, new: &Features, likeness: f64, own: f64) -> Verdict {
    if own >= OWN && likeness >= SAME {
        return Verdict::Same;
    }
    // Quite another title: the same only where all the rest is, and is enough.
    if known.only_title_differs(new) || known.same_story(new) && likeness >= SAME {
        return Verdict::Same;
    }
    let words = if own < UNLIKE { -1 } else { 0 };
    if known.same_slot(new) + words >= 0 {
        return Verdict::Maybe;
    }
    Verdict::Different
}

/// Lines that say the same title on the same day, where no other does.
fn same_title_and_day(
    known: &BTreeMap<EntityId, Candidate>,
    lines: &BTreeMap<usize, Candidate>,
    free_known: &BTreeSet<EntityId>,
    free_lines: &BTreeSet<usize>,
) -> Vec<(usize, EntityId)> {
    type Key<'k> = (&'k str, Option<jiff::civil::Date>);
    let mut by: BTreeMap<Key<'_>, (Vec<EntityId>, Vec<usize>)> = BTreeMap::new();
    for entity in free_known {
        let features = &known[entity].features;
        let key = (features.title.as_str(), features.day());
        by.entry(key).or_default().0.push(*entity);
    }
    for line in free_lines {
        let features = &lines[line].features;
        let key = (features.title.as_str(), features.day());
        by.entry(key).or_default().1.push(*line);
    }
    by.into_iter()
        .filter(|((_, day), _)| day.is_some())
        .filter_map(
            |(_, (entities, new))| match (entities.as_slice(), new.as_slice()) {
                ([entity], [line]) if !renamed(&known[entity], &lines[line]) => {
                    Some((*line, *entity))
                }
                _ => None,
            },
        )
        .collect()
}

/// Lines that stand in the slot of a known one under nearly its title, where no other does: a
/// slip of the hand, or a title that was completed.
fn near_title_and_slot(
    known: &BTreeMap<EntityId, Candidate>,
    lines: &BTreeMap<usize, Candidate>,
    free_known: &BTreeSet<EntityId>,
    free_lines: &BTreeSet<usize>,
) -> Vec<(usize, EntityId)> {
    let slots = Slots::of(known, free_known);
    let mut near: BTreeMap<EntityId, Vec<usize>> = BTreeMap::new();
    for line in free_lines {
        let features = &lines[line].features;
        let there = features
            .start
            .and_then(|_| slots.0.get(&features.slot()))
            .into_iter()
            .flatten();
        let alike: Vec<EntityId> = there
            .copied()
            .filter(|entity| known[entity].features.own_likeness(features) >= OWN)
            .filter(|entity| !renamed(&known[entity], &lines[line]))
            .take(2)
            .collect();
        if let [entity] = alike.as_slice() {
            near.entry(*entity).or_default().push(*line);
        }
    }
    near.into_iter()
        .filter_map(|(entity, lines)| match lines.as_slice() {
            [line] => Some((*line, entity)),
            _ => None,
        })
        .collect()
}

/// Who stood in which slot (moment and room).
struct Slots(BTreeMap<(String, String), BTreeSet<EntityId>>);

impl Slots {
    fn of(known: &BTreeMap<EntityId, Candidate>, free: &BTreeSet<EntityId>) -> Self {
        let mut slots: BTreeMap<_, BTreeSet<EntityId>> = BTreeMap::new();
        for entity in free {
            let slot = known[entity].features.slot();
            slots.entry(slot).or_default().insert(*entity);
        }
        Self(slots)
    }

    /// Whether the line stands where another stood, and not where this one did: then the titles
    /// may have been exchanged instead.
    fn taken_over(
        &self,
        known: &BTreeMap<EntityId, Candidate>,
        lines: &BTreeMap<usize, Candidate>,
        (line, entity): (usize, EntityId),
    ) -> bool {
        let slot = lines[&line].features.slot();
        slot != known[&entity].features.slot()
            && self
                .0
                .get(&slot)
                .is_some_and(|there| there.iter().any(|other| *other != entity))
    }
}

/// Whether a tool that names its lines gave this one another name: then it is another line, unless
/// it was cut and pasted as it stood.
fn renamed(old: &Candidate, new: &Candidate) -> bool {
    old.native.is_some() && new.native.is_some() && old.digest != new.digest
}

/// Occurrences that share their title: a move is taken as one only where exactly one known
/// occurrence is missing, exactly one new one appears, and nothing but the moment differs. Two
/// classes of one name are told apart by all they say but the day. What is over does not come
/// again: it had its turn.
///
/// Gives what moved, and what is asked.
fn series(
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
        let mut settled: Vec<(usize, EntityId)> = Vec::new();
        for hours in [true, false] {
            let free = |line: usize, entity: EntityId| {
                settled.iter().all(|(l, e)| *l != line && *e != entity) && fits(line, entity, hours)
            };
            let alone: Vec<(usize, EntityId)> = new
                .iter()
                .flat_map(|&line| entities.iter().map(move |&entity| (line, entity)))
                .filter(|&(line, entity)| {
                    free(line, entity)
                        && new.iter().filter(|&&other| free(other, entity)).count() == 1
                        && entities.iter().filter(|&&other| free(line, other)).count() == 1
                })
                .collect();
            settled.extend(alone);
        }
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

/// Another assignment of the same lines that is as good: both are possible, so it is asked.
fn rivals(
    scored: &[Score],
    best: &Score,
    free_known: &BTreeSet<EntityId>,
    free_lines: &BTreeSet<usize>,
) -> Option<Question> {
    let rival = scored.iter().find(|other| {
        (other.line == best.line) != (other.entity == best.entity)
            && free_known.contains(&other.entity)
            && free_lines.contains(&other.line)
            && best.likeness - other.likeness < MARGIN
    })?;
    // With a partner of its own that fits as well, the rival is no rival.
    let crossed = scored.iter().any(|third| {
        (third.line != best.line && third.entity != best.entity)
            && (third.line == rival.line || third.entity == rival.entity)
            && free_known.contains(&third.entity)
            && free_lines.contains(&third.line)
            && third.likeness > rival.likeness + MARGIN
    });
    if crossed {
        return None;
    }
    // What would be left to the rival waits with it.
    let partner = scored
        .iter()
        .filter(|other| other.line != best.line && other.entity != best.entity)
        .filter(|other| other.line == rival.line || other.entity == rival.entity)
        .filter(|other| free_known.contains(&other.entity) && free_lines.contains(&other.line))
        .max_by(|a, b| a.likeness.total_cmp(&b.likeness));
    let mut pairs = vec![(best.line, best.entity)];
    pairs.extend(partner.map(|other| (other.line, other.entity)));
    Some(Question { pairs })
}

/// Two activities that may have exchanged what they say: both ways to pair them are possible.
fn crossed(
    scored: &[Score],
    best: &Score,
    free_known: &BTreeSet<EntityId>,
    free_lines: &BTreeSet<usize>,
) -> Option<Question> {
    let free =
        |score: &&Score| free_known.contains(&score.entity) && free_lines.contains(&score.line);
    let of_line = || {
        scored
            .iter()
            .filter(|other| other.line == best.line && other.entity != best.entity)
            .filter(free)
    };
    let of_entity = || {
        scored
            .iter()
            .filter(|other| other.entity == best.entity && other.line != best.line)
            .filter(free)
    };
    for line in of_line() {
        for entity in of_entity() {
            let straight = scored
                .iter()
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
