//! The configuration is handed in at every start: what a changed rule touches.

use std::collections::BTreeSet;

use raccord_model::{Digest, EntityId, Fields, HoldId, Rules, Words};

use crate::deciding::Deciding;
use crate::fact::{Closing, Fact, Health, HeldEffect, Hold, HoldKind};

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
    let withdrawn = withdrawn_tasks(deciding, &rules);
    let total = open_tasks(deciding);
    let guards = &before.guards;
    let share = if total == 0 {
        0.0
    } else {
        withdrawn.len() as f64 / total as f64
    };
    let alarming =
        withdrawn.len() >= guards.cancel_count.max(1) as usize && share > guards.cancel_share;
    if alarming && deciding.state.approved_rules != Some(digest) {
        close_others(deciding, Some(hold));
        ask(deciding, hold, digest, &withdrawn);
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
            crate::recipes::derive(deciding, activity, because);
        }
    }
    deciding.touched.extend(coming);
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
}

fn digest(rules: &Rules) -> Digest {
    Digest::of(&serde_json::to_vec(rules).expect("rules always serialise into memory"))
}

fn open_tasks(deciding: &Deciding<'_>) -> usize {
    deciding
        .flight
        .children
        .values()
        .flatten()
        .filter(|task| is_open_task(deciding, **task))
        .count()
}

fn is_open_task(deciding: &Deciding<'_>, task: EntityId) -> bool {
    deciding.state.entities.get(&task).is_some_and(|record| {
        &*record.source == crate::recipes::RECIPES
            && record.fields().get("state") != Some(&serde_json::json!("cancelled"))
    })
}

/// Tasks of coming activities that the new rules would take back.
fn withdrawn_tasks(deciding: &Deciding<'_>, rules: &Rules) -> Vec<EntityId> {
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

fn ask(deciding: &mut Deciding<'_>, id: HoldId, digest: Digest, withdrawn: &[EntityId]) {
    let effects = withdrawn
        .iter()
        .take(1_000)
        .map(|&entity| HeldEffect {
            entity,
            action: "cancel".into(),
            title: deciding.title(entity),
            before: Fields::new(),
            after: Fields::new(),
        })
        .collect();
    let count = withdrawn.len();
    let reason = Words::new(
        format!(
            "La configuration a changé et retirerait {count} tâches d'un coup. L'ancienne configuration reste en vigueur tant que personne n'a dit oui."
        ),
        format!(
            "The configuration changed and would take back {count} tasks at once. The former configuration stays in force until a person says yes."
        ),
    );
    let more = u32::try_from(count.saturating_sub(1_000)).unwrap_or(u32::MAX);
    let hold = Hold {
        id,
        what: HoldKind::Rules { digest },
        reason,
        opened: deciding.now,
        effects,
        more,
    };
    crate::hold::open(deciding, hold);
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
