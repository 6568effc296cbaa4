//! Files that are watched: one watcher for the whole process, however many places and sheets it keeps,
//! since a machine has few of them to give.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;
use tracing::warn;

/// A save is over once its writes have paused this long.
const SETTLE: Duration = Duration::from_millis(150);

/// The watcher. Without one, what is watched is read periodically.
pub(crate) struct Watching {
    watcher: Mutex<Option<RecommendedWatcher>>,
    heard: Arc<Heard>,
}

/// Who wants to hear of which folder: of one file in it, or of all.
#[derive(Default)]
struct Heard(Mutex<BTreeMap<PathBuf, Vec<Listener>>>);

struct Listener {
    name: Option<OsString>,
    changed: Arc<Notify>,
}

/// What is watched for as long as this is kept.
pub(crate) struct Watched {
    watching: Arc<Watching>,
    folders: Vec<PathBuf>,
    changed: Arc<Notify>,
}

impl Watching {
    /// A watcher that watches nothing yet.
    pub(crate) fn start() -> Arc<Self> {
        let heard = Arc::new(Heard::default());
        let tell = Arc::clone(&heard);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if let Ok(event) = event
                && !event.kind.is_access()
            {
                event.paths.iter().for_each(|path| tell.tell(path));
            }
        });
        let watcher = watcher
            .inspect_err(|error| {
                warn!(%error, "files cannot be watched; they are read periodically");
            })
            .ok();
        Arc::new(Self {
            watcher: Mutex::new(watcher),
            heard,
        })
    }

    /// Nothing yet.
    pub(crate) fn nothing(self: &Arc<Self>) -> Watched {
        Watched {
            watching: Arc::clone(self),
            folders: Vec::new(),
            changed: Arc::default(),
        }
    }
}

impl Watched {
    /// A file as well: by its folder, since programs save by putting a new file in the old one's place.
    pub(crate) fn and_file(self, file: &Path) -> Self {
        let folder = file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        self.listen(folder, file.file_name().map(ToOwned::to_owned))
    }

    /// Whatever changes in a folder as well.
    pub(crate) fn and_folder(self, folder: &Path) -> Self {
        self.listen(folder, None)
    }

    fn listen(mut self, folder: &Path, name: Option<OsString>) -> Self {
        // One at a time: nobody leaves a folder while another comes.
        let mut watcher = lock(&self.watching.watcher);
        let mut listeners = lock(&self.watching.heard.0);
        let those = listeners.entry(folder.to_owned()).or_default();
        those.push(Listener {
            name,
            changed: Arc::clone(&self.changed),
        });
        let first = those.len() == 1;
        drop(listeners);
        if first && let Some(watcher) = watcher.as_mut() {
            let watched = watcher.watch(folder, RecursiveMode::NonRecursive);
            if let Err(error) = watched {
                warn!(%error, "a folder cannot be watched; what is in it is read periodically");
            }
        }
        drop(watcher);
        self.folders.push(folder.to_owned());
        self
    }
}

impl Heard {
    fn tell(&self, path: &Path) {
        let Some(folder) = path.parent() else { return };
        let listeners = lock(&self.0);
        for listener in listeners.get(folder).into_iter().flatten() {
            if listener.name.is_none() || listener.name.as_deref() == path.file_name() {
                listener.changed.notify_one();
            }
        }
    }
}

impl Watched {
    /// Resolves once something changed since this was asked last, and has paused: a save is several
    /// writes. What never pauses is not waited for for ever.
    pub(crate) async fn saved(&self) {
        self.changed.notified().await;
        let paused = async {
            while tokio::time::timeout(SETTLE, self.changed.notified())
                .await
                .is_ok()
            {}
        };
        drop(tokio::time::timeout(SETTLE * 20, paused).await);
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let mut watcher = lock(&self.watching.watcher);
        for folder in &self.folders {
            let mut listeners = lock(&self.watching.heard.0);
            let Some(those) = listeners.get_mut(folder) else {
                continue;
            };
            those.retain(|listener| !Arc::ptr_eq(&listener.changed, &self.changed));
            if !those.is_empty() {
                continue;
            }
            listeners.remove(folder);
            drop(listeners);
            if let Some(watcher) = watcher.as_mut() {
                // A folder that is gone is watched no more anyway.
                drop(watcher.unwatch(folder));
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    async fn told(watched: &Watched) -> bool {
        tokio::time::timeout(Duration::from_secs(20), watched.saved())
            .await
            .is_ok()
    }

    #[tokio::test]
    async fn each_listener_hears_of_its_own_file_until_it_leaves() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let watching = Watching::start();
        let file = |name| watching.nothing().and_file(&path(name));
        let (one, other) = (file("one"), file("other"));
        let all = watching.nothing().and_folder(folder.path());
        std::fs::write(path("one"), "1").unwrap();
        assert!(told(&one).await && told(&all).await);
        drop(one);
        std::fs::write(path("other"), "1").unwrap();
        assert!(told(&other).await, "who stays is still told");
        // Saved as programs do: a new file in its place.
        std::fs::write(path("part"), "2").unwrap();
        std::fs::rename(path("part"), path("other")).unwrap();
        assert!(told(&other).await);
        drop((other, all));
        assert!(lock(&watching.heard.0).is_empty());
    }
}
