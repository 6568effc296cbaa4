//! The configuration is handed in at every start: what a changed rule touches.

use std::collections::BTreeSet;

use raccord_model::{Digest, EntityId, EntityKind, HoldId, Rules};

use crate::deciding::Deciding;
use crate::fact::{Closing, Fact, Health, HoldKind};
use crate::withdrawn::Withdrawn;

pub(crate) fn configure(deciding: &mut Deciding<'_>, rules: Rules) {
    let Some(before) = deciding.state.rules.clone() else {
        deciding.record(Fact::Rules(Box::new(rules)));
        return;
    };
    let digest = digest(&rules);
    let hold = HoldId::derive(&[b"rules", &digest.0]);
    if *before == rules {
        close_others(deciding, None);
        return;
    }
    let withdrawn = Withdrawn::by(deciding, &before, &rules);
    if withdrawn.is_alarming(&before.guards) && deciding.state.approved_rules != Some(digest) {
        close_others(deciding, Some(hold));
        withdrawn.ask(deciding, hold, digest);
        return;
    }
    close_others(deciding, None);
    let recipes_changed = before.recipes != rules.recipes;
    let credentials: Vec<_> = rules
        .sinks
        .iter()
        .filter(|(name, sink)| {
            before
                .sinks
                .get(*name)
                .is_some_and(|known| known.credentials != sink.credentials)
        })
        .map(|(name, _)| name.clone())
        .collect();
    let elsewhere: Vec<_> = rules
        .sinks
        .iter()
        .filter(|(name, sink)| {
            before.sinks.get(*name).is_some_and(|known| {
                known.target != sink.target && known.target != Digest::default()
            })
        })
        .map(|(name, _)| name.clone())
        .collect();
    deciding.record(Fact::Rules(Box::new(rules)));
    crate::observe::part(deciding, &before);
    crate::elsewhere::part(deciding, &before);
    for name in elsewhere {
        deciding.relocated(&name);
    }
    for name in credentials {
        let refused = deciding
            .state
            .sinks
            .get(&name)
            .is_some_and(|sink| matches!(sink.health, Health::Refused(_)));
        if refused {
            crate::hold::switch_on(deciding, &name);
        }
    }
    let now = deciding.civil_now();
    let coming: Vec<EntityId> = deciding
        .state
        .activities()
        .filter(|(_, record)| record.when().over_at().is_none_or(|over| over > now))
        .map(|(id, _)| id)
        .collect();
    if recipes_changed {
        for &activity in &coming {
            let because = deciding.state.entities[&activity].event;
            crate::recipes::derive(deciding, activity, because, true);
        }
    }
    deciding.touched.extend(coming);
    // A tool may take tasks from now on that it did not take before.
    let entities = deciding.state.entities.iter();
    let tasks = entities.filter(|(_, record)| record.kind == EntityKind::Task);
    let tasks = tasks.filter(|(id, record)| {
        let task = record.entity(**id);
        let settled = matches!(task.text("state"), "done" | "cancelled");
        !settled && !crate::hands::is_over(deciding, &task)
    });
    let tasks: Vec<EntityId> = tasks.map(|(&id, _)| id).collect();
    deciding.touched.extend(tasks);
    let linked: BTreeSet<EntityId> = deciding
        .state
        .sinks
        .values()
        .flat_map(|sink| sink.targets.keys().copied())
        .collect();
    let linked = linked.into_iter().filter(|&id| !deciding.is_over(id));
    let linked: Vec<EntityId> = linked.collect();
    deciding.touched.extend(linked);
    deciding.republish = true;
    deciding.flight.weekly = None;
}

fn digest(rules: &Rules) -> Digest {
    Digest::of(&serde_json::to_vec(rules).expect("rules always serialise into memory"))
}

fn close_others(deciding: &mut Deciding<'_>, but: Option<HoldId>) {
    let moot: Vec<HoldId> = deciding
        .state
        .holds
        .values()
        .filter(|waiting| {
            matches!(waiting.hold.what, HoldKind::Rules { .. }) && Some(waiting.hold.id) != but
        })
        .map(|waiting| waiting.hold.id)
        .collect();
    for hold in moot {
        crate::hold::close(deciding, hold, Closing::Moot);
    }
}
