//! A tool that is written and read: what people made of what is ours, and what of theirs is ours too.
//!
//! On the way in, a line that stands for one of our objects is no news. One that may be an activity
//! the tool is about to get is that activity's object from now on (it is adopted), or a person is
//! asked, and nothing is made meanwhile. All else is a line like others.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use raccord_model::{Civil, ConnectorName, Digest, EntityId, EntityKind, Link, Reading, Rendered};

use super::questions::{self, About, is_of_twins};
use crate::deciding::Deciding;
use crate::fact::{Fact, HoldKind};
use crate::identity::{Candidate, Features, Heard, Matching, Standing, match_lines};
use crate::state::{Progress, SourceState, State};

/// Whether `source` is written too, and read back.
pub(crate) fn is_shared(state: &State, source: &ConnectorName) -> bool {
    state
        .rules
        .as_ref()
        .is_some_and(|rules| rules.is_shared(source))
}

/// Whether a shared tool was never read: nothing is made there before it is known what stands there.
pub(crate) fn is_unknown(state: &State, name: &ConnectorName) -> bool {
    let rules = state.rules.as_ref();
    rules.is_some_and(|rules| rules.sources.contains_key(name))
        && is_shared(state, name)
        && state
            .sources
            .get(name)
            .is_none_or(|source| source.applied_at.is_none())
}

/// Whether the first reading of a shared tool must wait: what it holds is compared with what the
/// other sources say, and one of them was not read yet.
pub(crate) fn waits_for_others(state: &State, source: &ConnectorName) -> bool {
    is_unknown(state, source)
        && state.rules().sources.keys().any(|other| {
            other != source
                && !is_shared(state, other)
                && state
                    .sources
                    .get(other)
                    .is_none_or(|known| known.applied_at.is_none())
        })
}

/// Whether a person is asked if an entity stands in a shared tool already.
pub(crate) fn is_asked(state: &State, sink: &ConnectorName, entity: EntityId) -> bool {
    state
        .holds
        .values()
        .any(|waiting| match &waiting.hold.what {
            HoldKind::Question { source, pairs } => {
                source == sink && pairs.iter().any(|(_, asked)| *asked == entity)
            }
            _ => false,
        })
        || is_theirs(state, sink, entity)
}

/// Whether a person said that it does: the next reading takes it over.
fn is_theirs(state: &State, sink: &ConnectorName, entity: EntityId) -> bool {
    let answers = state.sources.get(sink).map(|source| &source.answers);
    let mut answers = answers.into_iter().flatten();
    answers.any(|((_, asked), same)| *asked == entity && *same)
}

/// Takes in what is ours; gives the reading that is left, of other people's lines.
pub(super) fn take_ours(
    deciding: &mut Deciding<'_>,
    source: &ConnectorName,
    known: &SourceState,
    reading: &Reading,
) -> Reading {
    for edit in &reading.edits {
        crate::posted::edited(deciding, source, edit.entity, &edit.fields);
    }
    let linked = linked(deciding.state, source);
    let mut rest = Reading {
        edits: Vec::new(),
        ..reading.clone()
    };
    rest.lines.retain(|line| {
        !line
            .native
            .as_ref()
            .is_some_and(|native| linked.contains(native))
    });
    let accepted: BTreeSet<&str> = known
        .lines
        .values()
        .chain(known.gone.values())
        .filter_map(|line| line.native.as_deref())
        .collect();
    let is_new = |index: &usize| {
        let native = rest.lines[*index].native.as_deref();
        native.is_some_and(|native| !accepted.contains(native))
    };
    let fresh: Vec<usize> = (0..rest.lines.len()).filter(is_new).collect();
    let matching = twins(deciding, source, known, &rest, &fresh);
    let mut taken: BTreeSet<usize> = BTreeSet::new();
    for (index, entity) in &matching.pairs {
        taken.insert(*index);
        let native = rest.lines[*index].native.clone().unwrap_or_default();
        deciding.record(Fact::Adopted {
            connector: source.clone(),
            entity: *entity,
            link: Link {
                external: native,
                ..Link::nameless(Digest::default())
            },
        });
        deciding.touched.insert(*entity);
        // It may have waited for an answer.
        deciding.wake_object(source, *entity);
    }
    let there: BTreeSet<Digest> = rest.lines.iter().map(|line| line.digest).collect();
    for (line, entity) in known
        .answers
        .iter()
        .filter(|(_, same)| **same)
        .map(|(pair, _)| *pair)
    {
        // What it was said to be is not there any more, or was rewritten: it is asked anew.
        if !there.contains(&line) && is_of_twins(deciding.state, source, &[(line, entity)]) {
            deciding.record(Fact::Answered {
                source: source.clone(),
                line,
                entity,
                same: false,
            });
            deciding.wake_object(source, entity);
        }
    }
    questions::ask(deciding, source, &rest, &matching.questions, About::Twin);
    let asked = matching
        .questions
        .iter()
        .flat_map(|question| &question.pairs);
    taken.extend(asked.map(|(index, _)| *index));
    // What is over and was never known is no news.
    let now = deciding.civil_now();
    let over = |index: &usize| {
        let fields = rest.lines[*index].decode();
        let moment = |name: &str| -> Option<Civil> { fields.get(name)?.as_str()?.parse().ok() };
        moment("start").is_some_and(|start| raccord_model::over_at(start, moment("end")) <= now)
    };
    taken.extend(fresh.iter().copied().filter(over));
    let mut index = 0;
    rest.lines.retain(|_| {
        index += 1;
        !taken.contains(&(index - 1))
    });
    rest
}

/// What the tool calls our objects.
fn linked(state: &State, sink: &ConnectorName) -> BTreeSet<String> {
    let targets = state.sinks.get(sink).map(|sink| &sink.targets);
    targets
        .into_iter()
        .flatten()
        .filter_map(|(_, target)| Some(target.link.as_ref()?.external.clone()))
        .filter(|external| !external.is_empty())
        .collect()
}

/// Which new lines are activities that the tool is to get and has not.
fn twins(
    deciding: &Deciding<'_>,
    source: &ConnectorName,
    known: &SourceState,
    reading: &Reading,
    fresh: &[usize],
) -> Matching {
    if fresh.is_empty() {
        return Matching::default();
    }
    let wanted = unmade(deciding, source);
    alike(deciding, &wanted, reading, fresh, &known.answers)
}

/// Which of these lines are which of these activities of another source, day by day: both stand, so
/// none is the other moved.
pub(super) fn alike(
    deciding: &Deciding<'_>,
    wanted: &[EntityId],
    reading: &Reading,
    fresh: &[usize],
    answers: &BTreeMap<(Digest, EntityId), bool>,
) -> Matching {
    let mut all = Matching::default();
    if wanted.is_empty() || fresh.is_empty() {
        return all;
    }
    let now = deciding.civil_now();
    let candidate = |digest, features: Features| {
        let start = features.start;
        let over = start.is_some_and(|start| raccord_model::over_at(start, features.end) <= now);
        Candidate {
            native: None,
            digest,
            // Both stand in the order of their hours, so that neighbours are neighbours.
            rank: start.and_then(Civil::time).map_or(0, |time| {
                u32::try_from(time.hour()).unwrap_or(0) * 60
                    + u32::try_from(time.minute()).unwrap_or(0)
            }),
            over,
            features,
        }
    };
    let mut standing = Standing::default();
    let mut days: BTreeMap<Option<Date>, Day> = BTreeMap::new();
    for &index in fresh {
        let line = &reading.lines[index];
        let line = candidate(line.digest, Features::of(&line.decode()));
        let title = line.features.title.clone();
        standing.titles.entry(title).or_insert(0);
        let day = days.entry(line.features.day()).or_default();
        day.lines.insert(index, line);
    }
    for &id in wanted {
        let Some(entity) = deciding.entity(id) else {
            continue;
        };
        let digest = raccord_model::digest_of(&entity.fields);
        let known = candidate(digest, Features::of(&entity.fields));
        let title = known.features.title.clone();
        *standing.titles.entry(title).or_default() += 1;
        if let Some(day) = days.get_mut(&known.features.day()) {
            day.known.insert(id, known);
        }
    }
    let (earlier, back) = (BTreeMap::new(), BTreeMap::new());
    let heard = Heard {
        answers,
        earlier: &earlier,
        back: &back,
    };
    for day in days.values().filter(|day| !day.known.is_empty()) {
        let found = match_lines(&day.known, &day.lines, &standing, heard);
        all.pairs.extend(found.pairs);
        all.questions.extend(found.questions);
    }
    all
}

/// What stands on one day, in two places.
#[derive(Default)]
struct Day {
    known: BTreeMap<EntityId, Candidate>,
    lines: BTreeMap<usize, Candidate>,
}

/// Activities the tool is to hold, and does not as far as is known.
fn unmade(deciding: &Deciding<'_>, sink: &ConnectorName) -> Vec<EntityId> {
    let targets = deciding.state.sinks.get(sink).map(|sink| &sink.targets);
    // Where nothing was ever read, nothing was ever tried.
    let first = is_unknown(deciding.state, sink);
    let free = |id: &EntityId| {
        let target = targets.and_then(|targets| targets.get(id));
        let Some(target) = target else {
            return true;
        };
        let untried = target.owed.as_ref().is_none_or(|owed| {
            owed.progress == Progress::Pending
                && (first || !deciding.tried(sink, owed) || is_asked(deciding.state, sink, *id))
        });
        target.link.is_none() && untried
    };
    let wanted = |id: &EntityId| {
        let wish = deciding.wish(sink, *id);
        wish.is_some_and(|wish| matches!(wish.rendered, Rendered::Object(_)))
    };
    let activities = deciding
        .state
        .entities
        .iter()
        .filter(|(_, record)| record.kind == EntityKind::Activity)
        .filter(|(_, record)| *record.source != *sink.as_str());
    activities
        .map(|(&id, _)| id)
        .filter(free)
        .filter(wanted)
        .collect()
}
