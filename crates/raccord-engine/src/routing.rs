//! Which entities go to which connector, and under which rule.

use raccord_model::{ConnectorName, Entity, Handling, Mode, Route, Rules, SinkRule};

/// The route that brings `entity` to `sink`: `None` when it does not go there, `Some(None)` when
/// the sink has no route and takes what suits it.
///
/// What another place offers is brought only by routes that name its origin. Where there is none,
/// it goes to a page made for that, and nowhere else. Such routes say nothing about what is ours.
#[expect(
    clippy::option_option,
    reason = "not sent there, sent without a route, sent by a route"
)]
pub(crate) fn route<'r>(
    rules: &'r Rules,
    sink: &ConnectorName,
    entity: &Entity,
) -> Option<Option<&'r Route>> {
    // What a tool brought stands there already.
    if entity.source == sink.as_str() {
        return None;
    }
    let foreign = entity.is_foreign();
    let mut routed = foreign && !rules.sinks.get(sink).is_some_and(|rule| rule.around);
    let about = |route: &&Route| {
        route.to == *sink && route.roundup.is_none() && route.when.names_origin() == foreign
    };
    for route in rules.routes.iter().filter(about) {
        routed = true;
        if route.when.fits(entity) {
            return Some(Some(route));
        }
    }
    (!routed).then_some(None)
}

/// Whether something another place offered is offered no more: it leaves the tools, where what is
/// ours would be shown as cancelled.
pub(crate) fn has_left(entity: &Entity) -> bool {
    entity.is_foreign() && entity.text("status") == "cancelled"
}

/// Connectors that get every event about `entity`.
pub(crate) fn every_event(rules: &Rules, entity: &Entity) -> Vec<ConnectorName> {
    rules
        .sinks
        .iter()
        .filter(|(name, sink)| {
            sink.handling(entity.kind)
                .any(|handling| handling.mode == Mode::Each)
                && route(rules, name, entity).is_some()
        })
        .map(|(name, _)| name.clone())
        .collect()
}

/// How `sink` keeps one object per entity of the entity's kind, if it does.
pub(crate) fn object_handling<'r>(sink: &'r SinkRule, entity: &Entity) -> Option<&'r Handling> {
    sink.handling(entity.kind)
        .find(|handling| matches!(handling.mode, Mode::Mirror | Mode::Announce))
}

/// The name of the rule that brought something to a sink, for `why`.
pub(crate) fn rule_name(sink: &ConnectorName, route: Option<&Route>, rules: &Rules) -> String {
    match route.and_then(|route| {
        rules
            .routes
            .iter()
            .position(|known| std::ptr::eq(known, route))
    }) {
        Some(index) => format!("[[routes]] {} -> {sink}", index + 1),
        None => format!("[connectors.{sink}]"),
    }
}
