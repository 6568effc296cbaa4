//! Pairs that need no scoring: the tool's own id, the same title on the same day, nearly the same
//! title in the same slot.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use raccord_model::{Digest, EntityId};

use super::Candidate;
use super::verdict::{FAR_DAYS, OWN};

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

/// Lines that say the same title on the same day, where no other does.
pub(super) fn same_title_and_day(
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

/// Lines that say word for word what one activity said before it was rewritten, where no other line
/// does: the edit was undone. What is over does not come again.
pub(super) fn undone(
    known: &BTreeMap<EntityId, Candidate>,
    lines: &BTreeMap<usize, Candidate>,
    earlier: &BTreeMap<usize, EntityId>,
    free_known: &BTreeSet<EntityId>,
    free_lines: &BTreeSet<usize>,
) -> Vec<(usize, EntityId)> {
    let mut by_entity: BTreeMap<EntityId, Vec<usize>> = BTreeMap::new();
    for (line, entity) in earlier {
        let free = free_lines.contains(line) && free_known.contains(entity);
        if free && known[entity].native.is_none() && known[entity].over == lines[line].over {
            by_entity.entry(*entity).or_default().push(*line);
        }
    }
    by_entity
        .into_iter()
        .filter_map(|(entity, lines)| match lines.as_slice() {
            [line] => Some((*line, entity)),
            _ => None,
        })
        .collect()
}

/// Lines that say of themselves at length what one known activity said, and no other does, on
/// another day: it was moved. What is over does not come again, nothing moves very far without a
/// question, and what stands in its place under another title may be it as well.
pub(super) fn same_story(
    known: &BTreeMap<EntityId, Candidate>,
    lines: &BTreeMap<usize, Candidate>,
    free_known: &BTreeSet<EntityId>,
    free_lines: &BTreeSet<usize>,
) -> Vec<(usize, EntityId)> {
    let places = Places::of(known, lines, free_known, free_lines);
    let mut by: HashMap<Digest, (Vec<EntityId>, Vec<usize>)> = HashMap::new();
    for entity in free_known {
        if let Some(story) = known[entity].features.story() {
            by.entry(story).or_default().0.push(*entity);
        }
    }
    for line in free_lines {
        if let Some(told) = lines[line]
            .features
            .story()
            .and_then(|story| by.get_mut(&story))
        {
            told.1.push(*line);
        }
    }
    let mut pairs: Vec<(usize, EntityId)> = by
        .into_values()
        .filter_map(
            |(entities, new)| match (entities.as_slice(), new.as_slice()) {
                ([entity], [line]) => Some((*line, *entity)),
                _ => None,
            },
        )
        .filter(|(line, entity)| {
            let (old, new) = (&known[entity], &lines[line]);
            let near = match (old.features.day(), new.features.day()) {
                (Some(then), Some(now)) => (now - then).get_days().abs() <= FAR_DAYS,
                _ => false,
            };
            let taken = || places.is_taken(old, *line, free_lines);
            near && old.over == new.over && !renamed(old, new) && !taken()
        })
        .collect();
    pairs.sort_unstable();
    pairs
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
