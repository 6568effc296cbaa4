//! Where a change that waits for a yes would be noticed.

use std::collections::BTreeSet;

use raccord_model::{ConnectorName, Entity, EntityKind, Mode, Rules};
use serde_json::{Value, json};

use crate::fact::{Hold, HoldKind};
use crate::routing;
use crate::state::State;

/// The connectors in whose tools a yes to `hold` would be noticed. Empty where the hold's effects
/// name their connectors themselves.
pub fn noticed_in(state: &State, hold: &Hold) -> BTreeSet<ConnectorName> {
    let (HoldKind::Reading { source, .. } | HoldKind::Question { source, .. }) = &hold.what else {
        return BTreeSet::new();
    };
    let Some(rules) = &state.rules else {
        return BTreeSet::new();
    };
    let mut all = BTreeSet::new();
    for effect in &hold.effects {
        let before = state.entity(effect.entity);
        let mut after = before.clone().unwrap_or_else(|| Entity {
            id: effect.entity,
            kind: EntityKind::Activity,
            revision: 1,
            source: source.to_string(),
            fields: effect.before.clone(),
        });
        after.fields.extend(effect.after.clone());
        for entity in before.iter().chain([&after]) {
            all.extend(takers(rules, entity));
        }
    }
    all
}

/// Who gets something of an entity: every event of it, or, where it is shown, its object.
fn takers<'r>(rules: &'r Rules, entity: &'r Entity) -> impl Iterator<Item = ConnectorName> {
    let shown = |routed: bool| {
        let is = |name: &str, value: &str| entity.fields.get(name) == Some(&json!(value));
        let public = entity.fields.get("visibility").is_none_or(Value::is_null)
            || is("visibility", "public");
        (public || routed) && !is("status", "draft")
    };
    rules.sinks.iter().filter_map(move |(name, sink)| {
        let route = routing::route(rules, name, entity)?;
        sink.handling(entity.kind)
            .any(|handling| match handling.mode {
                Mode::Each => true,
                Mode::Mirror | Mode::Announce => shown(route.is_some()),
                Mode::Publication(_) => shown(false),
                // People are told nothing of what is held.
                Mode::Tell(_) | Mode::Letter(_) => false,
            })
            .then(|| name.clone())
    })
}
