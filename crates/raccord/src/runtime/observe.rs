//! Reading sources.

use futures_util::future::join_all;
use raccord_engine::State;
use raccord_model::{ConnectorName, Failure, Observation};

use crate::connectors::Tools;

/// What each source saw.
pub(crate) type Observed = Vec<(ConnectorName, Result<Observation, Failure>)>;

/// Reads every source once, all at the same time.
pub(crate) async fn observe_all(tools: &Tools, state: &State) -> Observed {
    let readings = tools.iter().filter_map(|(name, tool)| {
        let source = tool.source()?;
        let cursor = state
            .sources
            .get(name)
            .and_then(|known| known.cursor.clone());
        Some(async move { (name.clone(), source.observe(cursor.as_deref()).await) })
    });
    join_all(readings).await
}
