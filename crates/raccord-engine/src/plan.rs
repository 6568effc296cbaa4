//! What every tool would receive: the open deliveries, in words.

use std::collections::BTreeSet;

use jiff::Timestamp;
use raccord_model::{
    Action, Cause, ConnectorName, DeliveryId, EntityId, EntityKind, Event, Fields, Mode, Rendered,
    Words,
};

use crate::deciding::Deciding;
use crate::sayings::About;
use crate::state::{Progress, Spot};

/// One effect that is owed.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The delivery.
    pub delivery: DeliveryId,
    /// The connector.
    pub connector: ConnectorName,
    /// The entity or publication.
    pub entity: EntityId,
    /// The kind of entity; `Publication` for composed outputs.
    pub kind: EntityKind,
    /// What it does in the tool.
    pub action: Action,
    /// Not before this instant, as far as that is known: its own hour, and when its tool is tried
    /// again.
    pub due: Timestamp,
    /// What people call it.
    pub title: String,
    /// The fields that change, as the tool holds them.
    pub before: Fields,
    /// The fields that change, as the tool will hold them.
    pub after: Fields,
    /// What will be seen, where the connector says.
    pub text: Option<Words>,
    /// What people will read, where it is a message to them.
    pub said: Option<Words>,
    /// How far the attempts are.
    pub progress: Progress,
    /// Since when it is owed.
    pub since: Timestamp,
}

/// What an event changed: fields before and after, without personal ones.
pub(crate) fn delta(event: &Event) -> (Fields, Fields) {
    let hidden = crate::vault::personal(event.kind);
    let changed = |name: &str| {
        event
            .changed
            .iter()
            .any(|pointer| pointer.get(1..) == Some(name))
    };
    let after = event
        .data
        .iter()
        .filter(|(name, _)| changed(name) && !hidden.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let mut before = match &event.cause {
        Cause::Cell { before, .. } | Cause::Missing { before, .. } => before.clone(),
        _ => Fields::new(),
    };
    if matches!(event.cause, Cause::Cell { .. }) && event.verb != raccord_model::Verb::Created {
        // An activity that says nothing of them takes place, for everyone.
        for (name, usual) in [("status", "confirmed"), ("visibility", "public")] {
            if event.kind == EntityKind::Activity && changed(name) && !before.contains_key(name) {
                before.insert(name.to_owned(), usual.into());
            }
        }
    }
    (before, after)
}

/// The action an event stands for in a tool that holds objects.
pub fn action_of(event: &Event) -> Action {
    match event.verb {
        raccord_model::Verb::Created => Action::Create,
        raccord_model::Verb::Cancelled => Action::Cancel,
        raccord_model::Verb::Removed => Action::Remove,
        _ => Action::Update,
    }
}

/// Every open delivery; `events` are those of the pass, for what changed.
pub(crate) fn planned(deciding: &Deciding<'_>, events: &[Event]) -> Vec<Planned> {
    let mut plan = Vec::new();
    let mut letters = BTreeSet::new();
    for (connector, sink) in &deciding.state.sinks {
        for (&family, lane) in &sink.lanes {
            for index in 0..lane.queue.len() {
                plan.extend(describe(
                    deciding,
                    connector,
                    Spot::Queue { family, index },
                    events,
                ));
            }
            for &entity in &lane.objects {
                // One line says of a letter to many that it leaves.
                if let Some(About::Letter(issue, _)) = deciding.about(connector, entity)
                    && !letters.insert(issue)
                {
                    continue;
                }
                plan.extend(describe(
                    deciding,
                    connector,
                    Spot::Object { family, entity },
                    events,
                ));
            }
        }
    }
    plan
}

/// One open delivery.
pub(crate) fn describe(
    deciding: &Deciding<'_>,
    connector: &ConnectorName,
    spot: Spot,
    events: &[Event],
) -> Option<Planned> {
    let sink = deciding.state.sinks.get(connector)?;
    match spot {
        Spot::Queue { family, index } => {
            let queued = sink.lanes.get(&family)?.queue.get(index)?;
            let event = crate::fold::decode(&queued.event)?;
            let (before, after) = delta(&event);
            let title = crate::why::title(&event);
            Some(Planned {
                delivery: queued.delivery,
                connector: connector.clone(),
                entity: event.entity,
                kind: event.kind,
                action: Action::Send,
                due: deciding
                    .not_before(connector, queued.delivery)
                    .max(queued.since),
                title,
                before,
                after,
                text: None,
                said: None,
                progress: queued.progress.clone(),
                since: queued.since,
            })
        }
        Spot::Object { family, entity } => {
            let target = sink.targets.get(&entity)?;
            let owed = target.owed.as_ref()?;
            let record = deciding.state.entities.get(&entity);
            let wish = deciding.wish(connector, entity);
            let needless = wish.as_ref().is_none_or(|wish| {
                crate::delivery::needless(
                    wish,
                    target.link.as_ref(),
                    deciding.tried(connector, owed),
                )
                .is_some()
            });
            if needless && owed.progress == Progress::Pending {
                return None; // It will be skipped.
            }
            let about = deciding.about(connector, entity);
            let cancelled = record
                .is_some_and(|record| record.when().status == raccord_model::Status::Cancelled);
            let (desired, action) = match (wish.map(|wish| wish.rendered), &target.link) {
                (Some(Rendered::Object(desired)), link) => {
                    let action = match about {
                        Some(_) => Action::Send,
                        None => crate::delivery::action(link.as_ref(), cancelled),
                    };
                    (Some(desired), action)
                }
                _ => (None, Action::Remove),
            };
            let (before, after) = events
                .iter()
                .rev()
                .find(|event| event.entity == entity)
                .map(delta)
                .unwrap_or_default();
            let (title, text) = match desired {
                Some(desired) => (desired.title, Some(desired.text)),
                None => (deciding.title(entity), None),
            };
            let rules = deciding.rules();
            let speaks = rules.sinks.get(connector).is_some_and(|rule| {
                let mut handles = rule.handles.iter();
                handles.any(|handling| matches!(handling.mode, Mode::Announce | Mode::Letter(_)))
            });
            let said = text.clone().filter(|_| speaks);
            let title = match (&target.key, title.is_empty()) {
                (Some(key), true) => key.clone(),
                _ => title,
            };
            Some(Planned {
                delivery: owed.delivery,
                connector: connector.clone(),
                entity,
                kind: match (record, about) {
                    (Some(record), _) => record.kind,
                    (None, Some(_)) => EntityKind::Message,
                    (None, None) => EntityKind::Publication,
                },
                action,
                due: owed
                    .due
                    .max(deciding.parent_due(connector, family, entity))
                    .max(deciding.not_before(connector, owed.delivery)),
                title,
                before,
                after,
                text,
                said,
                progress: owed.progress.clone(),
                since: owed.since,
            })
        }
    }
}
