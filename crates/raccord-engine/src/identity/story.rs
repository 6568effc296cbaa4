//! Lines that say at length, word for word, what one activity said on another day.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::civil::Date;
use raccord_model::{Civil, Digest, EntityId};

use super::certain::{Found, LOOKED_AT, Places, renamed};
use super::verdict::{FAR_DAYS, OWN};
use super::{Candidate, Features};

/// Lines that say of themselves at length what one known activity said, and no other does, on
/// another day: it was moved. What is over does not come again, nothing moves very far without a
/// question, and what stands in its place under another title may be it as well. Of several of one
/// name, all that is missing and new moved so, told apart by what is told about them, and kept its
/// order. Where a line of nearly its title stands on its day, or one of nearly that title is gone from
/// the line's day, the story may have moved instead: it is asked, unless that one surely moved as
/// well, in step.
pub(super) fn same_story(
    known: &BTreeMap<EntityId, Candidate>,
    lines: &BTreeMap<usize, Candidate>,
    free_known: &BTreeSet<EntityId>,
    free_lines: &BTreeSet<usize>,
) -> Found {
    let places = Places::of(known, lines, free_known, free_lines);
    let mut pairs = told_once(known, lines, free_known, free_lines);
    pairs.retain(|(line, entity)| {
        let (old, new) = (&known[entity], &lines[line]);
        let near = match (old.features.day(), new.features.day()) {
            (Some(then), Some(now)) => (now - then).get_days().abs() <= FAR_DAYS,
            _ => false,
        };
        let taken = || places.is_taken(old, *line, free_lines);
        near && old.over == new.over && !renamed(old, new) && !taken()
    });
    let pairs = in_step(pairs, known, lines, free_known, free_lines);
    if pairs.is_empty() {
        return Found::default();
    }
    let numbered = || pairs.iter().enumerate();
    let of_line: HashMap<usize, usize> = numbered().map(|(at, (line, _))| (*line, at)).collect();
    let of_entity: HashMap<EntityId, usize> = numbered().map(|(at, (_, of))| (*of, at)).collect();
    let come = free_lines.iter().map(|line| {
        let pair = of_line.get(line).copied();
        ((&lines[line].features, pair), &lines[line])
    });
    let stood = known.iter().map(|(entity, candidate)| {
        let pair = of_entity.get(entity).copied();
        ((&candidate.features, pair), candidate)
    });
    let sides: Vec<_> = pairs
        .iter()
        .map(|(line, entity)| (&known[entity].features, &lines[line].features))
        .collect();
    let starts = sides.iter().map(|(old, new)| (old.start, new.start));
    let moved = Moved {
        starts: starts.collect(),
        sides,
        come: Days::of(come),
        stood: Days::of(stood),
    };
    let doubtful = moved.doubtful();
    let mut found = Found::default();
    for (at, pair) in pairs.into_iter().enumerate() {
        if doubtful.contains(&at) {
            found.asked.push(pair);
        } else {
            found.sure.push(pair);
        }
    }
    found
}

/// Stories that exactly one known activity told, and that exactly one line tells.
fn told_once(
    known: &BTreeMap<EntityId, Candidate>,
    lines: &BTreeMap<usize, Candidate>,
    free_known: &BTreeSet<EntityId>,
    free_lines: &BTreeSet<usize>,
) -> Vec<(usize, EntityId)> {
    let mut by: HashMap<Digest, (Vec<EntityId>, Vec<usize>)> = HashMap::new();
    for entity in free_known {
        if let Some(story) = known[entity].features.story() {
            by.entry(story).or_default().0.push(*entity);
        }
    }
    for line in free_lines {
        let story = lines[line].features.story();
        if let Some(told) = story.and_then(|story| by.get_mut(&story)) {
            told.1.push(*line);
        }
    }
    by.into_values()
        .filter_map(|told| match (told.0.as_slice(), told.1.as_slice()) {
            ([entity], [line]) => Some((*line, *entity)),
            _ => None,
        })
        .collect()
}

/// Those whose name no other of the missing and the new bears, or of whose name all moved and kept
/// their order, each with a description of its own. All else that shares a name is weighed together:
/// an occurrence is its day.
fn in_step(
    pairs: Vec<(usize, EntityId)>,
    known: &BTreeMap<EntityId, Candidate>,
    lines: &BTreeMap<usize, Candidate>,
    free_known: &BTreeSet<EntityId>,
    free_lines: &BTreeSet<usize>,
) -> Vec<(usize, EntityId)> {
    let mut bear: HashMap<&str, (usize, usize)> = HashMap::new();
    for entity in free_known {
        bear.entry(&known[entity].features.title).or_default().0 += 1;
    }
    for line in free_lines {
        bear.entry(&lines[line].features.title).or_default().1 += 1;
    }
    let mut by_title: BTreeMap<&str, Vec<(usize, EntityId)>> = BTreeMap::new();
    for (line, entity) in pairs {
        let title = known[&entity].features.title.as_str();
        by_title.entry(title).or_default().push((line, entity));
    }
    let mut kept = Vec::new();
    for (title, mut named) in by_title {
        named.sort_by_key(|(line, entity)| (known[entity].features.start, *line));
        let all = bear.get(title) == Some(&(named.len(), named.len()));
        let ordered = named.is_sorted_by_key(|(line, _)| lines[line].features.start);
        let told = named
            .iter()
            .map(|(_, entity)| known[entity].features.told());
        let told_apart = told.collect::<HashSet<_>>().len() == named.len();
        if all && ordered && told_apart {
            kept.extend(named);
        }
    }
    kept
}

/// What seems to have moved, and what stands around it.
struct Moved<'m> {
    /// What each said, and says now; when it started, and starts.
    sides: Vec<(&'m Features, &'m Features)>,
    starts: Vec<(Option<Civil>, Option<Civil>)>,
    /// Lines that are new by their days, with the pair each is of.
    come: Days<(&'m Features, Option<usize>)>,
    /// Activities by the days they stood on, with the pair each is of.
    stood: Days<(&'m Features, Option<usize>)>,
}

impl Moved<'_> {
    /// Those with a second explanation near, or beside one of those.
    fn doubtful(&self) -> BTreeSet<usize> {
        let doubted = |at: &usize| {
            let (old, new) = self.sides[*at];
            old.day() != new.day() && self.leans_on_other(*at)
        };
        let mut doubtful: BTreeSet<usize> = (0..self.sides.len()).filter(doubted).collect();
        let mut open: Vec<usize> = doubtful.iter().copied().collect();
        while let Some(at) = open.pop() {
            let fallen = self.beside(at).filter(|beside| doubtful.insert(*beside));
            open.extend(fallen);
        }
        doubtful
    }

    /// Whether one of nearly its title stands on the day it left, or stood on the day it came to,
    /// and did not move in step with it.
    fn leans_on_other(&self, at: usize) -> bool {
        let (old, new) = self.sides[at];
        // It is in step with itself.
        let apart = |pair: Option<usize>| pair.is_none_or(|other| !self.in_step(at, other));
        let mut come = self.come.on(old.day());
        let mut stood = self.stood.on(new.day());
        come.any(|(says, pair)| apart(pair) && old.own_likeness(says) >= OWN)
            || stood.any(|(said, pair)| apart(pair) && said.own_likeness(new) >= OWN)
    }

    /// Those of nearly its title that came to the day it left, or left the day it came to.
    fn beside(&self, at: usize) -> impl Iterator<Item = usize> {
        let (old, new) = self.sides[at];
        let came = self.come.on(old.day());
        let came = came.filter(|(says, _)| old.own_likeness(says) >= OWN);
        let left = self.stood.on(new.day());
        let left = left.filter(|(said, _)| said.own_likeness(new) >= OWN);
        let (came, left) = (came.map(|(_, pair)| pair), left.map(|(_, pair)| pair));
        came.chain(left).flatten()
    }

    /// Whether two moved without passing one another: a shift keeps the order, an exchange does not.
    fn in_step(&self, one: usize, other: usize) -> bool {
        let ((then, now), (other_then, other_now)) = (self.starts[one], self.starts[other]);
        then.cmp(&other_then) == now.cmp(&other_now)
    }
}

/// Who stands, or stood, on which day.
pub(super) struct Days<I>(HashMap<Date, Vec<I>>);

impl<I: Copy> Days<I> {
    pub(super) fn of<'c>(all: impl IntoIterator<Item = (I, &'c Candidate)>) -> Self {
        let mut days: HashMap<Date, Vec<I>> = HashMap::new();
        for (id, candidate) in all {
            if let Some(day) = candidate.features.day() {
                days.entry(day).or_default().push(id);
            }
        }
        Self(days)
    }

    /// The first so many of a day.
    fn on(&self, day: Option<Date>) -> impl Iterator<Item = I> {
        let there = day.and_then(|day| self.0.get(&day));
        there.into_iter().flatten().take(LOOKED_AT).copied()
    }
}

impl Days<EntityId> {
    /// Whether another than `entity` stood on the day of the line under nearly its title.
    pub(super) fn names(
        &self,
        known: &BTreeMap<EntityId, Candidate>,
        line: &Candidate,
        entity: EntityId,
    ) -> bool {
        self.on(line.features.day()).any(|other| {
            other != entity && known[&other].features.own_likeness(&line.features) >= OWN
        })
    }
}
