//! The connections of this process to clusters: one for each, this process among the nodes behind it,
//! and what it works for there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use raccord_bus::LogError;
use raccord_bus::jetstream::{self, Copy, Jetstream, Node, View};
use raccord_model::PlaceId;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::home::refused;
use crate::report::Problem;
use crate::settings::cluster::Cluster;

/// The connections of this process, one for each cluster its places name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clusters(Arc<Mutex<Vec<(String, Link)>>>);

/// A connection, this process among the nodes behind it, and what carries both.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) jetstream: Jetstream,
    name: Arc<str>,
    node: Arc<Mutex<Option<Arc<Node>>>>,
    claims: Claims,
    /// Where this machine keeps its copies.
    copies: Arc<Mutex<BTreeMap<PlaceId, PathBuf>>>,
    // Dropped last.
    _carrier: Arc<Carrier>,
}

impl Link {
    /// This process among the nodes; it joins them when it is first asked for.
    pub(super) fn node(&self) -> Result<Arc<Node>, LogError> {
        let mut known = self.node.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(node) = &*known {
            return Ok(Arc::clone(node));
        }
        let mut node = Node::join(&self.jetstream, &self.name)?;
        let (copies, claims) = (Arc::clone(&self.copies), Arc::clone(&self.claims));
        node.bears_witness(move |place| {
            let copies = copies.lock().unwrap_or_else(PoisonError::into_inner);
            let folder = copies.get(place).cloned()?;
            // While a place is claimed the list of claims is in use: then it is as good as claimed.
            let claims = claims.try_lock();
            let in_use = claims.map_or(true, |claims| claims.get(place).is_some_and(lives));
            Some(Copy { folder, in_use })
        });
        let node = Arc::new(node);
        let kept = keep(Arc::downgrade(&node), node.view(), Arc::clone(&self.claims));
        self.jetstream.beside(kept);
        *known = Some(Arc::clone(&node));
        Ok(node)
    }
}

/// This process works for the place, as long as this lives and the others hear of it.
#[derive(Debug)]
pub(super) struct Claim {
    node: Arc<Node>,
    place: PlaceId,
    /// Whether another node has taken it.
    lost: AtomicBool,
    // To let go, it has to be connected still.
    link: Link,
}

/// What this process works for.
type Claims = Arc<Mutex<BTreeMap<PlaceId, Weak<Claim>>>>;

/// Takes what this process works for again whenever it was silent for long, where no other node has
/// taken it.
async fn keep(node: Weak<Node>, mut view: watch::Receiver<View>, claims: Claims) {
    let mut kept = None;
    while view.changed().await.is_ok() {
        let Some(life) = node.upgrade().map(|node| node.life()) else {
            return;
        };
        if life.is_none() || life == kept {
            continue;
        }
        let claims = Arc::clone(&claims);
        // The last of a claim lets go, and waits for that: not on this thread.
        let renewed = tokio::task::spawn_blocking(move || renew(&claims)).await;
        if matches!(renewed, Ok(true)) {
            kept = life;
        }
    }
}

/// Whether all is known again.
fn renew(claims: &Claims) -> bool {
    let all: Vec<Arc<Claim>> = {
        let claims = claims.lock().unwrap_or_else(PoisonError::into_inner);
        claims.values().filter_map(Weak::upgrade).collect()
    };
    let mut known = true;
    for claim in all {
        match claim.node.renews(&claim.place) {
            Ok(true) => {}
            Ok(false) => claim.lost.store(true, Ordering::SeqCst),
            Err(_) => known = false,
        }
    }
    known
}

fn lives(claim: &Weak<Claim>) -> bool {
    claim.strong_count() > 0
}

impl Link {
    /// This machine keeps its copy of `place` in `folder`.
    pub(super) fn keeps_copy(&self, place: &PlaceId, folder: &Path) {
        let mut copies = self.copies.lock().unwrap_or_else(PoisonError::into_inner);
        copies.insert(place.clone(), folder.to_owned());
    }

    /// Claims `place` by `claim`; none where another node holds it, or this process still ends what
    /// it did for it.
    pub(super) fn claimed(
        &self,
        place: &PlaceId,
        claim: impl FnOnce(&Node, &PlaceId) -> Result<bool, LogError>,
    ) -> Result<Option<Arc<Claim>>, LogError> {
        let node = self.node()?;
        let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        // What this process still ends is not begun again before it has ended.
        if claims.get(place).is_some_and(lives) || !claim(&node, place)? {
            return Ok(None);
        }
        let made = Arc::new(Claim {
            node,
            place: place.clone(),
            lost: AtomicBool::new(false),
            link: self.clone(),
        });
        claims.insert(place.clone(), Arc::downgrade(&made));
        Ok(Some(made))
    }
}

impl Claim {
    /// Whether this process may work for the place: nobody else can have taken it.
    pub(super) fn is_ours(&self) -> bool {
        self.node.holds(&self.place)
    }

    /// Whether another node has taken it.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let claims = Arc::clone(&self.link.claims);
        let mut claims = claims.lock().unwrap_or_else(PoisonError::into_inner);
        if claims.get(&self.place).is_some_and(lives) {
            // It was claimed anew since this one ended.
            return;
        }
        claims.remove(&self.place);
        if let Err(error) = self.node.release(&self.place) {
            tracing::warn!(place = %self.place, error.code = error.code(), %error, "the place is not let go yet");
        }
    }
}

/// The thread of a connection: calls that wait for an answer never wait for one another.
#[derive(Debug)]
struct Carrier(Option<Runtime>);

impl Drop for Carrier {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // It may be dropped on a thread of another runtime, which must not wait.
            runtime.shutdown_background();
        }
    }
}

impl Clusters {
    /// Those of this process.
    pub(crate) fn ours() -> Self {
        static OURS: LazyLock<Clusters> = LazyLock::new(Clusters::default);
        OURS.clone()
    }

    /// The connection to `cluster`, made when it is first asked for.
    ///
    /// # Errors
    /// When it cannot be reached, or refuses.
    pub(super) fn link(&self, cluster: &Cluster) -> Result<Link, Problem> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = format!("{cluster:?}");
        if let Some((_, link)) = known.iter().find(|(other, _)| *other == key) {
            return Ok(link.clone());
        }
        let settings = cluster.connection().map_err(|failure| {
            Problem::failed(cluster.address(), &failure.code, failure.text, failure.mend)
        })?;
        let name = cluster.node.clone().unwrap_or_else(machine);
        let link = connect(&settings, &name);
        let link = link.map_err(|error| refused(&cluster.address(), &error))?;
        known.push((key, link.clone()));
        Ok(link)
    }
}

/// What this machine is called.
fn machine() -> String {
    let known = rustix::system::uname();
    known.nodename().to_string_lossy().into_owned()
}

fn connect(settings: &jetstream::Settings, name: &str) -> Result<Link, LogError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("cluster")
        .enable_all()
        .build()
        .map_err(|source| LogError::Io {
            step: "start a thread for",
            path: settings.servers.join(",").into(),
            source,
        })?;
    let handle = runtime.handle().clone();
    let carrier = Arc::new(Carrier(Some(runtime)));
    Ok(Link {
        jetstream: Jetstream::connect(handle, settings)?,
        name: name.into(),
        node: Arc::default(),
        claims: Arc::default(),
        copies: Arc::default(),
        _carrier: carrier,
    })
}
