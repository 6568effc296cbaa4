//! Lines of a source that say what people had put into a tool by hand, before the source did.
//!
//! The tool is written too, so the activity would stand there twice, and everywhere else. Instead
//! the line is that activity from now on, under its id, and the entry people made is its object: it
//! is adopted. A doubt is asked, and nothing is made of the line meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use raccord_model::{
    ConnectorName, Digest, Entity, EntityId, EntityKind, Line, Link, Reading, Rendered, Status,
    Subject,
};

use super::compare::Compared;
use super::questions::{About, ask};
use super::shared::{alike, is_shared};
use crate::deciding::Deciding;
use crate::fact::Fact;
use crate::identity::Question;
use crate::routing;
use crate::state::{SourceState, State};

/// Takes such lines out of those that are new.
pub(super) fn look(
    deciding: &Deciding<'_>,
    source: &ConnectorName,
    state: &SourceState,
    reading: &Reading,
    compared: &mut Compared,
) {
    // What a shared tool holds is compared from its own side.
    if compared.added.is_empty() || is_shared(deciding.state, source) {
        return;
    }
    for (tool, wanted) in brought(deciding) {
        let goes_there = |index: &usize| goes_to(deciding, source, tool, &reading.lines[*index]);
        let new: Vec<usize> = compared.added.iter().copied().filter(goes_there).collect();
        let found = alike(deciding, &wanted, reading, &new, &state.answers);
        let asked = found.questions.iter().flat_map(|question| &question.pairs);
        let spoken = found.pairs.iter().chain(asked);
        let spoken: BTreeSet<usize> = spoken.map(|(index, _)| *index).collect();
        compared.added.retain(|index| !spoken.contains(index));
        compared.taken.extend(found.pairs);
        compared.doubts.extend(found.questions);
    }
}

/// The coming activities that people put into shared tools, by tool.
fn brought<'d>(deciding: &'d Deciding<'_>) -> BTreeMap<&'d ConnectorName, Vec<EntityId>> {
    let now = deciding.civil_now();
    let state = &*deciding.state;
    let mut brought: BTreeMap<&ConnectorName, Vec<EntityId>> = BTreeMap::new();
    for (name, source) in &state.sources {
        if !is_shared(state, name) {
            continue;
        }
        let stands = |entity: &EntityId| {
            !source.missing.contains_key(entity)
                && state.entities.get(entity).is_some_and(|record| {
                    let shown = record.when();
                    record.kind == EntityKind::Activity
                        && *record.source == *name.as_str()
                        && shown.status != Status::Cancelled
                        && shown.over_at().is_some_and(|over| over > now)
                })
        };
        let all: Vec<EntityId> = source.lines.keys().copied().filter(stands).collect();
        if !all.is_empty() {
            brought.insert(name, all);
        }
    }
    brought
}

/// Whether `tool` would hold an activity that says what this line says.
fn goes_to(
    deciding: &Deciding<'_>,
    source: &ConnectorName,
    tool: &ConnectorName,
    line: &Line,
) -> bool {
    if line.kind != EntityKind::Activity {
        return false;
    }
    let rules = deciding.rules();
    let mut fields = line.decode();
    crate::posted::set_zone(deciding, line.kind, &mut fields);
    let entity = Entity {
        id: EntityId::derive(&[b"line", &line.digest.0]),
        kind: line.kind,
        revision: 1,
        source: source.to_string(),
        fields,
    };
    let Some(route) = routing::route(&rules, tool, &entity) else {
        return false;
    };
    let subject = Subject::Entity {
        entity: &entity,
        parent: None,
        tasks: &[],
    };
    let context = deciding.context(&rules, route);
    let handled = rules
        .sinks
        .get(tool)
        .is_some_and(|rule| routing::object_handling(rule, &entity).is_some());
    handled
        && matches!(
            deciding.render.render(tool, subject, &context),
            Rendered::Object(_)
        )
}

/// Opens the questions about such lines, and closes those that no longer stand.
pub(super) fn doubt(
    deciding: &mut Deciding<'_>,
    source: &ConnectorName,
    reading: &Reading,
    questions: &[Question],
) {
    // A shared tool asks about its own lines before.
    if !is_shared(deciding.state, source) {
        ask(deciding, source, reading, questions, About::Taken);
    }
}

/// Whose line an activity is, and what the tool calls it that brought it.
pub(super) fn take_over(deciding: &mut Deciding<'_>, source: &ConnectorName, entity: EntityId) {
    let Some((from, native)) = stands_in(deciding.state, entity) else {
        return;
    };
    deciding.record(Fact::Taken {
        entity,
        source: source.clone(),
        from: from.clone(),
    });
    deciding.record(Fact::Adopted {
        connector: from,
        entity,
        link: Link {
            external: native,
            ..Link::nameless(Digest::default())
        },
    });
    deciding.touched.insert(entity);
}

/// The shared tool that brought an activity, and what it calls it.
fn stands_in(state: &State, entity: EntityId) -> Option<(ConnectorName, String)> {
    let name = &*state.entities.get(&entity)?.source;
    let (name, source) = state
        .sources
        .iter()
        .find(|(known, _)| known.as_str() == name)?;
    let native = source.lines.get(&entity)?.native.clone()?;
    Some((name.clone(), native))
}
