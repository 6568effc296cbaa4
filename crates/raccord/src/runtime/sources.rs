//! Keeps one source read: when its file changes, when its period is over, when the engine wants a
//! second look, when a person asks.

use std::sync::Arc;
use std::time::Duration;

use raccord_engine::Input;
use raccord_kit::Clock;
use raccord_model::ConnectorName;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::desk::Desk;
use super::observe::links;
use super::pace::Pace;
use super::watching::{Watched, Watching};
use crate::connectors::Tools;

/// The least time between two looks that nobody asked for.
const PAUSE: Duration = Duration::from_millis(200);

pub(crate) struct SourceTask {
    pub(crate) name: ConnectorName,
    pub(crate) tools: Arc<Tools>,
    pub(crate) desk: Desk,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) watching: Arc<Watching>,
    pub(crate) stop: CancellationToken,
    /// Moves when a secret was replaced.
    pub(crate) replaced: watch::Receiver<u64>,
}

impl SourceTask {
    /// Reads the source until the process stops.
    pub(crate) async fn run(self) {
        let Some(source) = self.tools.get(&self.name).and_then(|tool| tool.source()) else {
            return;
        };
        let (every, file) = source.every();
        let watched = file
            .as_deref()
            .map(|file| self.watching.nothing().and_file(file));
        let mut looks = self.desk.looks();
        let mut pace = Pace::of(self.name.clone(), every);
        let mut replaced = self.replaced.clone();
        loop {
            replaced.borrow_and_update();
            let rest = self.read(&mut pace).await;
            if self.stop.is_cancelled() {
                return;
            }
            // A source that fails is left alone for as long as it takes, whatever the engine would
            // like to see again; one that has no cursor to give is not read without a pause.
            let failing = pace.is_failing();
            let look = self
                .until_look(&looks.borrow_and_update())
                .filter(|_| !failing);
            let wait = look.map_or(rest, |look| look.max(PAUSE).min(rest));
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
                () = saved(watched.as_ref()) => {}
                looked = looks.changed(), if !failing => if looked.is_err() { return },
                Ok(()) = replaced.changed(), if failing => {}
            }
        }
    }

    /// One reading, decided about and durable. Gives how long the source is then left alone.
    async fn read(&self, pace: &mut Pace) -> Duration {
        let Some(tool) = self.tools.get(&self.name) else {
            return pace.every();
        };
        let Some(source) = tool.source() else {
            return pace.every();
        };
        let name = self.name.clone();
        let shared = tool.shared();
        let is_shared = shared.is_some();
        let known = self
            .desk
            .ask(move |engine, _| {
                let state = engine.state();
                let known = state.sources.get(&name);
                let links = is_shared.then(|| links(state, &name));
                (known.and_then(|known| known.cursor.clone()), links)
            })
            .await;
        let Ok((cursor, ours)) = known else {
            return pace.every();
        };
        if let (Some(shared), Some(ours)) = (shared, ours) {
            shared.ours(ours);
        }
        let seen = source.observe(cursor.as_deref()).await;
        let before = pace.is_failing();
        let rest = pace.after(seen.as_ref().err());
        match &seen {
            Ok(_) if before => info!(connector = %self.name, "the source can be read again"),
            Err(failure) if !before => {
                warn!(connector = %self.name, error.code = %failure.code, "the source cannot be read");
            }
            _ => debug!(connector = %self.name, "the source was read"),
        }
        let observed = Input::Observed {
            source: self.name.clone(),
            seen,
        };
        if self.desk.input(observed).await.is_err() {
            debug!(connector = %self.name, "the reading could not be kept; it is made again");
        }
        rest
    }

    /// How long until the engine wants this source looked at again.
    fn until_look(&self, looks: &[raccord_engine::Look]) -> Option<Duration> {
        let at = looks.iter().find(|look| look.source == self.name)?.at;
        Some(Duration::try_from(at.duration_since(self.clock.now())).unwrap_or_default())
    }
}

/// Resolves when what is watched was saved; never where nothing is.
async fn saved(watched: Option<&Watched>) {
    match watched {
        Some(watched) => watched.saved().await,
        None => std::future::pending().await,
    }
}
