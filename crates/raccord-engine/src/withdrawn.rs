//! What new rules would take back at once: tasks that no recipe gives any more, and what a tool
//! shows and would show no longer. Above the accident guard's share a person is asked.
//!
//! Each tool is counted for itself, against what it shows of what is still to come; cancelled
//! activities are nobody's loss.

use std::collections::BTreeSet;

use raccord_model::{
    ConnectorName, Digest, Entity, EntityId, EntityKind, Fields, Guards, HoldId, Mode, Rules,
    SinkRule, Status, Visibility, Words,
};
use serde_json::json;

use crate::deciding::Deciding;
use crate::fact::{HeldEffect, Hold, HoldKind};
use crate::routing;
use crate::state::{Shown, SinkState};

/// How many effects a hold lists.
const LISTED: usize = 1_000;

/// What new rules would take back.
pub(crate) struct Withdrawn {
    tasks: Vec<EntityId>,
    /// How many tasks there are.
    open: usize,
    sinks: Vec<FromSink>,
}

/// What one tool would no longer show.
struct FromSink {
    name: ConnectorName,
    gone: Vec<EntityId>,
    /// How much it shows.
    shown: usize,
}

impl Withdrawn {
    /// What `rules` would take back that `before` gave.
    pub(crate) fn by(deciding: &Deciding<'_>, before: &Rules, rules: &Rules) -> Self {
        let sinks = if before.routes == rules.routes {
            Vec::new()
        } else {
            from_sinks(deciding, before, rules)
        };
        Self {
            tasks: tasks(deciding, rules),
            open: open_tasks(deciding),
            sinks,
        }
    }

    /// Whether that looks like an accident.
    pub(crate) fn is_alarming(&self, guards: &Guards) -> bool {
        is_alarming(guards, self.tasks.len(), self.open) || self.alarming(guards).next().is_some()
    }

    fn alarming<'w>(&'w self, guards: &'w Guards) -> impl Iterator<Item = &'w FromSink> {
        self.sinks
            .iter()
            .filter(|sink| is_alarming(guards, sink.gone.len(), sink.shown))
    }

    /// Asks a person.
    pub(crate) fn ask(&self, deciding: &mut Deciding<'_>, id: HoldId, digest: Digest) {
        let guards = deciding.state.rules().guards.clone();
        let (mut fr, mut en) = (Vec::new(), Vec::new());
        if is_alarming(&guards, self.tasks.len(), self.open) {
            let (tasks, open) = (self.tasks.len(), self.open);
            fr.push(format!("{tasks} tâches sur {open}"));
            en.push(format!("{tasks} of {open} tasks"));
        }
        for FromSink { name, gone, shown } in self.alarming(&guards) {
            let gone = gone.len();
            fr.push(format!("{gone} éléments sur {shown} de « {name} »"));
            en.push(format!("{gone} of {shown} items from “{name}”"));
        }
        let reason = Words::new(
            format!(
                "La configuration a changé et retirerait d'un coup {}. L'ancienne configuration reste en vigueur tant que personne n'a dit oui.",
                fr.join(", et ")
            ),
            format!(
                "The configuration changed and would take back at once {}. The former configuration stays in force until a person says yes.",
                en.join(", and ")
            ),
        );
        let effect = |connector: Option<&ConnectorName>, entity| HeldEffect {
            connector: connector.cloned(),
            entity,
            action: if connector.is_some() {
                "remove"
            } else {
                "cancel"
            }
            .into(),
            title: deciding.title(entity),
            before: Fields::new(),
            after: Fields::new(),
        };
        let from_sinks = self
            .sinks
            .iter()
            .flat_map(|sink| sink.gone.iter().map(|&entity| (Some(&sink.name), entity)));
        let tasks = self.tasks.iter().map(|&entity| (None, entity));
        let all: Vec<_> = tasks.chain(from_sinks).collect();
        let more = u32::try_from(all.len().saturating_sub(LISTED)).unwrap_or(u32::MAX);
        let hold = Hold {
            id,
            what: HoldKind::Rules { digest },
            reason,
            opened: deciding.now,
            effects: all
                .into_iter()
                .take(LISTED)
                .map(|(connector, entity)| effect(connector, entity))
                .collect(),
            more,
        };
        crate::hold::open(deciding, hold);
    }
}

fn is_alarming(guards: &Guards, gone: usize, of: usize) -> bool {
    gone >= guards.cancel_count.max(1) as usize && gone as f64 / of as f64 > guards.cancel_share
}

fn from_sinks(deciding: &Deciding<'_>, before: &Rules, rules: &Rules) -> Vec<FromSink> {
    let now = deciding.civil_now();
    let coming: Vec<(Entity, Shown)> = deciding
        .state
        .entities
        .iter()
        .map(|(&id, record)| (id, record, record.when()))
        .filter(|(_, _, shown)| {
            shown.status != Status::Cancelled && shown.over_at().is_some_and(|over| over > now)
        })
        .map(|(id, record, shown)| (record.entity(id), shown))
        .collect();
    let nothing = SinkState::default();
    rules
        .sinks
        .iter()
        .filter_map(|(name, rule)| {
            let former = before.sinks.get(name)?;
            // Elsewhere nothing of ours is there yet, so nothing is taken away.
            if former.target != rule.target {
                return None;
            }
            let state = deciding.state.sinks.get(name).unwrap_or(&nothing);
            let shows = coming.iter().filter(|(entity, shown)| {
                shows(state, former, entity, shown)
                    && routing::route(before, name, entity).is_some()
            });
            let (mut gone, mut shown) = (Vec::new(), 0);
            for (entity, _) in shows {
                shown += 1;
                if routing::route(rules, name, entity).is_none() {
                    gone.push(entity.id);
                }
            }
            Some(FromSink {
                name: name.clone(),
                gone,
                shown,
            })
        })
        .collect()
}

/// Whether people find an entity in a tool: as an object of its own, or in what is composed.
fn shows(state: &SinkState, rule: &SinkRule, entity: &Entity, shown: &Shown) -> bool {
    let target = state.targets.get(&entity.id);
    let own = target.is_some_and(|target| target.link.is_some());
    let composed = || {
        let composes = |mode: &Mode| matches!(mode, Mode::Publication(_));
        entity.kind == EntityKind::Activity
            && shown.visibility == Visibility::Public
            && shown.status != Status::Draft
            && rule
                .handling(entity.kind)
                .any(|handling| composes(&handling.mode))
    };
    own || composed()
}

fn open_tasks(deciding: &Deciding<'_>) -> usize {
    let children = deciding.flight.children.values().flatten();
    children
        .filter(|task| is_open_task(deciding, **task))
        .count()
}

fn is_open_task(deciding: &Deciding<'_>, task: EntityId) -> bool {
    deciding.state.entities.get(&task).is_some_and(|record| {
        &*record.source == crate::recipes::RECIPES
            && record.fields().get("state") != Some(&json!("cancelled"))
    })
}

/// Tasks of coming activities that the new rules would take back.
fn tasks(deciding: &Deciding<'_>, rules: &Rules) -> Vec<EntityId> {
    let now = deciding.civil_now();
    deciding
        .flight
        .children
        .iter()
        .filter(|(activity, _)| {
            deciding
                .state
                .entities
                .get(activity)
                .is_some_and(|record| record.when().over_at().is_none_or(|over| over > now))
        })
        .flat_map(|(&activity, children)| {
            let wanted: BTreeSet<EntityId> = crate::recipes::tasks_of(deciding, rules, activity)
                .into_keys()
                .collect();
            children
                .iter()
                .copied()
                .filter(move |task| !wanted.contains(task))
        })
        .filter(|task| is_open_task(deciding, *task))
        .collect()
}
