//! Reading sources, and seeing whether what was written is still there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::join_all;
use raccord_engine::{Input, SourceState, State, offered};
use raccord_model::{ConnectorName, EntityId, Link, Offered};

use crate::connectors::Tools;

/// What each source saw, and what is lost.
pub(crate) type Observed = Vec<Input>;

/// What is known before a pass reads: where each source was left, and what tools hold of ours.
pub(crate) struct Known {
    cursors: BTreeMap<ConnectorName, String>,
    written: Written,
    links: BTreeMap<ConnectorName, Vec<(EntityId, Link)>>,
    offered: Vec<Offered>,
}

impl Known {
    /// As `state` knows it.
    pub(crate) fn of(state: &State) -> Self {
        let cursor = |(name, known): (&ConnectorName, &SourceState)| {
            Some((name.clone(), known.cursor.clone()?))
        };
        Self {
            cursors: state.sources.iter().filter_map(cursor).collect(),
            written: written(state),
            offered: offered(state),
            links: state
                .sinks
                .keys()
                .map(|name| (name.clone(), links(state, name)))
                .collect(),
        }
    }
}

/// Reads every source once, all at the same time, and looks for what was written.
pub(crate) async fn observe_all(tools: &Arc<Tools>, known: Known) -> Observed {
    let Known {
        cursors,
        written,
        mut links,
        offered,
    } = known;
    // A tool that is written too is compared with what the others say: it is taken last.
    let mut order: Vec<_> = tools.iter().collect();
    order.sort_by_key(|(_, tool)| tool.shared().is_some());
    let readings = order.into_iter().filter_map(|(name, tool)| {
        let source = tool.source()?;
        if let Some(shared) = tool.shared() {
            shared.ours(links.remove(name).unwrap_or_default());
        }
        if let Some(titles) = source.titles() {
            titles.offered(offered.clone());
        }
        let cursor = cursors.get(name).map(String::as_str);
        Some(async move {
            Input::Observed {
                source: name.clone(),
                seen: source.observe(cursor).await,
            }
        })
    });
    let (mut observed, lost, missing) = tokio::join!(
        join_all(readings),
        lost(tools, written.clone()),
        missing(tools, written)
    );
    observed.extend(lost.into_iter().chain(missing));
    observed
}

/// What `sink` holds of ours.
pub(crate) fn links(state: &State, sink: &ConnectorName) -> Vec<(EntityId, Link)> {
    let targets = state.sinks.get(sink).map(|sink| &sink.targets);
    let linked = targets.into_iter().flatten();
    linked
        .filter_map(|(&entity, target)| Some((entity, target.link.clone()?)))
        .collect()
}

/// What tools hold of ours: of which entity, and what they call it.
pub(crate) type Written = Vec<(ConnectorName, Vec<(EntityId, String)>)>;

/// What tools hold of ours, as far as we know.
pub(crate) fn written(state: &State) -> Written {
    let objects = |sink: &raccord_engine::SinkState| {
        let targets = sink.targets.iter();
        targets
            .filter_map(|(&entity, target)| Some((entity, target.link.as_ref()?.external.clone())))
            .filter(|(_, external)| !external.is_empty())
            .collect()
    };
    let sinks = state.sinks.iter();
    sinks
        .map(|(name, sink)| (name.clone(), objects(sink)))
        .collect()
}

/// What is not there any more. Folders are looked at on a thread of their own.
pub(crate) async fn lost(tools: &Arc<Tools>, written: Written) -> Vec<Input> {
    let tools = Arc::clone(tools);
    let look = move || {
        let gone = |(connector, objects): (ConnectorName, Vec<(EntityId, String)>)| {
            let lost = tools.get(&connector)?.sink()?.lost(&names(&objects));
            input(connector, objects, lost)
        };
        written.into_iter().filter_map(gone).collect()
    };
    tokio::task::spawn_blocking(look).await.unwrap_or_default()
}

/// The same of what only the tools themselves can tell, all at the same time.
pub(crate) async fn missing(tools: &Arc<Tools>, written: Written) -> Vec<Input> {
    let look = |(connector, objects): (ConnectorName, Vec<(EntityId, String)>)| async move {
        let sink = tools.get(&connector)?.sink()?;
        let lost = sink.missing(&names(&objects)).await;
        input(connector, objects, lost)
    };
    let all = join_all(written.into_iter().map(look)).await;
    all.into_iter().flatten().collect()
}

fn names(objects: &[(EntityId, String)]) -> Vec<String> {
    objects.iter().map(|(_, name)| name.clone()).collect()
}

/// That these of the objects are lost, where there are any.
fn input(
    connector: ConnectorName,
    objects: Vec<(EntityId, String)>,
    lost: Vec<String>,
) -> Option<Input> {
    let lost: BTreeSet<String> = lost.into_iter().collect();
    let of = objects.into_iter().filter(|(_, name)| lost.contains(name));
    let entities: BTreeSet<EntityId> = of.map(|(entity, _)| entity).collect();
    (!entities.is_empty()).then_some(Input::Lost {
        connector,
        entities,
    })
}
