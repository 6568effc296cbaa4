//! Keeps one source read: when its file changes, when its period is over, when the engine wants a
//! second look, when a person asks.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{RecursiveMode, Watcher as _};
use raccord_engine::Input;
use raccord_kit::Clock;
use raccord_model::ConnectorName;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::desk::Desk;
use super::pace::Pace;
use crate::connectors::Tools;

/// A save is several writes: it is read once they have paused this long.
const SETTLE: Duration = Duration::from_millis(150);

/// The least time between two looks that nobody asked for.
const PAUSE: Duration = Duration::from_millis(200);

pub(crate) struct SourceTask {
    pub(crate) name: ConnectorName,
    pub(crate) tools: Arc<Tools>,
    pub(crate) desk: Desk,
    pub(crate) clock: Arc<dyn Clock>,
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
        let changed = Arc::new(Notify::new());
        let _watch = file.as_deref().and_then(|file| watch(file, &changed));
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
                () = changed.notified() => settled(&changed, &self.stop).await,
                looked = looks.changed(), if !failing => if looked.is_err() { return },
                Ok(()) = replaced.changed(), if failing => {}
            }
        }
    }

    /// One reading, decided about and durable. Gives how long the source is then left alone.
    async fn read(&self, pace: &mut Pace) -> Duration {
        let Some(source) = self.tools.get(&self.name).and_then(|tool| tool.source()) else {
            return pace.every();
        };
        let name = self.name.clone();
        let cursor = self
            .desk
            .ask(move |engine, _| {
                engine
                    .state()
                    .sources
                    .get(&name)
                    .and_then(|known| known.cursor.clone())
            })
            .await;
        let Ok(cursor) = cursor else {
            return pace.every();
        };
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

/// Waits until what changes has paused.
pub(super) async fn settled(changed: &Notify, stop: &CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(SETTLE) => return,
            () = changed.notified() => {}
        }
    }
}

/// Watches the folder of `file`: programs save by putting a new file in the old one's place.
pub(super) fn watch(file: &Path, changed: &Arc<Notify>) -> Option<notify::RecommendedWatcher> {
    let folder: PathBuf = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
        .into();
    let name = file.file_name()?.to_owned();
    let changed = Arc::clone(changed);
    let heard = move |event: notify::Result<notify::Event>| {
        let about_us = event.is_ok_and(|event| {
            !event.kind.is_access()
                && event
                    .paths
                    .iter()
                    .any(|path| path.file_name() == Some(&name))
        });
        if about_us {
            changed.notify_one();
        }
    };
    let mut watcher = notify::recommended_watcher(heard)
        .inspect_err(|error| warn!(%error, "files cannot be watched; they are read periodically"))
        .ok()?;
    watcher
        .watch(&folder, RecursiveMode::NonRecursive)
        .inspect_err(
            |error| warn!(%error, "the folder cannot be watched; the file is read periodically"),
        )
        .ok()?;
    Some(watcher)
}
