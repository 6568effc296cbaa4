//! Pairs that need no scoring: the tool's own id, what was said before an edit was undone, the same
//! title on the same day, nearly the same title in the same slot. Where something speaks as clearly
//! for another pair, it is asked.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::civil::Time;
use raccord_model::{Civil, Digest, EntityId};

use super::Candidate;
use super::verdict::{NEAR_DAYS, OWN};

/// How many others a pair is compared with before it is taken.
pub(super) const LOOKED_AT: usize = 64;

/// What one rule found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// What it decides.
    pub(super) sure: Vec<(usize, EntityId)>,
    /// What it would decide, did nothing speak for another.
    pub(super) asked: Vec<(usize, EntityId)>,
}

/// Lines that carry the tool's own id. The same id twice is the line most like the known one.
pub(super) fn native_pairs(
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

/// Lines that say the same title on the same day, where no other does. At another hour, one that
/// is gone from another day at this hour may have come there instead.
pub(super) fn same_title_and_day(
    known: &BTreeMap<EntityId, Candidate>,
    lines: &BTreeMap<usize, Candidate>,
    free_known: &BTreeSet<EntityId>,
    free_lines: &BTreeSet<usize>,
) -> Found {
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
    let mut found = Found::default();
    let mut other_hour = Vec::new();
    // By title and hour: those that are not settled by their day.
    let mut gone: HashMap<(&str, Option<Time>), Vec<EntityId>> = HashMap::new();
    for ((title, day), (entities, new)) in by {
        let hour = |entity: &EntityId| known[entity].features.start.and_then(Civil::time);
        match (entities.as_slice(), new.as_slice()) {
            ([entity], [line]) if day.is_some() && !renamed(&known[entity], &lines[line]) => {
                if known[entity].features.same_hour(&lines[line].features) {
                    found.sure.push((*line, *entity));
                    continue;
                }
                other_hour.push((*line, *entity));
            }
            _ => {}
        }
        for entity in entities {
            gone.entry((title, hour(&entity))).or_default().push(entity);
        }
    }
    let mut doubtful: BTreeSet<EntityId> = BTreeSet::new();
    for (line, entity) in &other_hour {
        let new = &lines[line];
        let hour = new.features.start.and_then(Civil::time);
        let there = gone.get(&(new.features.title.as_str(), hour));
        let others = there.into_iter().flatten().take(LOOKED_AT);
        let others = others.filter(|other| {
            let old = &known[*other];
            *other != entity && old.over <= new.over && old.features.same_but_moment(&new.features)
        });
        for other in others {
            doubtful.extend([*entity, *other]);
        }
    }
    let asked = |(_, entity): &(usize, EntityId)| doubtful.contains(entity);
    let (asked, sure): (Vec<_>, Vec<_>) = other_hour.into_iter().partition(asked);
    found.sure.extend(sure);
    found.asked = asked;
    found
}

/// Lines that say word for word what one activity said before it was rewritten, where no other line
/// does: the edit was undone. What is over does not come again, unless it was put there by mistake.
pub(super) fn undone(
    known: &BTreeMap<EntityId, Candidate>,
    lines: &BTreeMap<usize, Candidate>,
    earlier: &BTreeMap<usize, EntityId>,
    free_known: &BTreeSet<EntityId>,
    free_lines: &BTreeSet<usize>,
) -> Found {
    let mut by_entity: BTreeMap<EntityId, Vec<usize>> = BTreeMap::new();
    for (line, entity) in earlier {
        let free = free_lines.contains(line) && free_known.contains(entity);
        if free && known[entity].native.is_none() && known[entity].over >= lines[line].over {
            by_entity.entry(*entity).or_default().push(*line);
        }
    }
    // A series that moves by a step again and again says what others of it said, and one is left.
    let left: HashSet<&str> = free_known
        .iter()
        .filter(|entity| !by_entity.contains_key(entity) && !known[entity].over)
        .map(|entity| known[entity].features.title.as_str())
        .collect();
    let moved = |line: &usize, entity: &EntityId| {
        let (old, new) = (&known[entity].features, &lines[line].features);
        old.day() != new.day() && left.contains(old.title.as_str())
    };
    let mut found = Found::default();
    for (entity, said) in by_entity {
        match said.as_slice() {
            [line] if moved(line, &entity) => found.asked.push((*line, entity)),
            [line] if known[&entity].over == lines[line].over => found.sure.push((*line, entity)),
            [line] if is_near(&known[&entity], &lines[line]) => found.asked.push((*line, entity)),
            _ => {}
        }
    }
    found
}

fn is_near(old: &Candidate, new: &Candidate) -> bool {
    old.features.days_to(&new.features) <= NEAR_DAYS.unsigned_abs()
}

/// Lines that stand in the slot of a known one under nearly its title, where no other does: a
/// slip of the hand, or a title that was completed.
pub(super) fn near_title_and_slot(
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
            .filter(|entity| !known[entity].features.told_otherwise(features))
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

/// Lines and known ones by where and how they stand: all they say but their title.
pub(super) struct Places {
    lines: HashMap<Digest, Vec<usize>>,
    known: HashMap<Digest, Vec<EntityId>>,
}

impl Places {
    pub(super) fn of(
        known: &BTreeMap<EntityId, Candidate>,
        lines: &BTreeMap<usize, Candidate>,
        free_known: &BTreeSet<EntityId>,
        free_lines: &BTreeSet<usize>,
    ) -> Self {
        let mut places = Self {
            lines: HashMap::new(),
            known: HashMap::new(),
        };
        for line in free_lines {
            if let Some(place) = lines[line].features.place() {
                places.lines.entry(place).or_default().push(*line);
            }
        }
        for entity in free_known {
            if let Some(place) = known[entity].features.place() {
                places.known.entry(place).or_default().push(*entity);
            }
        }
        places
    }

    /// Whether another line says all the known one said but its title: it may be retitled.
    pub(super) fn is_taken(
        &self,
        known: &Candidate,
        line: usize,
        free_lines: &BTreeSet<usize>,
    ) -> bool {
        let there = known.features.place().and_then(|at| self.lines.get(&at));
        there.is_some_and(|there| {
            let mut others = there.iter().filter(|other| **other != line);
            others.any(|other| free_lines.contains(other))
        })
    }

    /// Whether the line says all that another known one said but its title.
    pub(super) fn takes(
        &self,
        line: &Candidate,
        entity: EntityId,
        free_known: &BTreeSet<EntityId>,
    ) -> bool {
        let there = line.features.place().and_then(|at| self.known.get(&at));
        there.is_some_and(|there| {
            let mut others = there.iter().filter(|other| **other != entity);
            others.any(|other| free_known.contains(other))
        })
    }
}

/// Who stood in which slot (moment and room).
pub(super) struct Slots(BTreeMap<(String, String), BTreeSet<EntityId>>);

impl Slots {
    pub(super) fn of(known: &BTreeMap<EntityId, Candidate>, free: &BTreeSet<EntityId>) -> Self {
        let mut slots: BTreeMap<_, BTreeSet<EntityId>> = BTreeMap::new();
        for entity in free {
            let slot = known[entity].features.slot();
            slots.entry(slot).or_default().insert(*entity);
        }
        Self(slots)
    }

    /// Whether the line stands where another stood, and not where this one did: then the titles
    /// may have been exchanged instead.
    pub(super) fn taken_over(
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
pub(super) fn renamed(old: &Candidate, new: &Candidate) -> bool {
    old.native.is_some() && new.native.is_some() && old.digest != new.digest
}
