//! The daemon: its places kept at work, their pages served, until the process is asked to stop.

use std::sync::Arc;
use std::time::Duration;

use raccord_model::Words;
use raccord_web::{Face, Limits};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::clusters::Clusters;
use super::home::Home;
use super::load;
use super::node::Process;
use super::places::Places;
use super::running::Shared;
use super::watching::Watching;
use super::writer::Sleep;
use crate::cli::Work;
use crate::report::Problem;

/// A place to which nothing was handed in for so long falls asleep.
const ASLEEP: Duration = Duration::from_secs(60);
/// How many places read their logs at once, or are awake without being asked for anything.
pub(super) const AT_ONCE: usize = 4;

/// Runs until asked to stop.
///
/// # Errors
/// When it cannot start: the only place, or every one of a folder.
pub(crate) async fn run(work: &Work) -> Result<(), Problem> {
    let ending = ends_when_asked();
    let clusters = Clusters::ours();
    let (shared_places, own): (Vec<_>, Vec<_>) = work
        .sessions
        .iter()
        .partition(|session| session.settings.cluster.is_some());
    // The port is opened with the log of the only place open; until it is read, callers are told so.
    // Those of a folder are opened one after the other: all at once, a thousand are too many.
    let mut opened = Vec::new();
    for session in own {
        let unread = match work.folder {
            Some(_) => None,
            None => Some(load::open(&Home::of(&session.settings, &clusters)?)?),
        };
        opened.push((session, unread));
    }
    let listener = TcpListener::bind(work.listen)
        .await
        .map_err(|cause| cannot_listen(work.listen, &cause))?;
    let stop = CancellationToken::new();
    let time = &work.sessions[0].time;
    let several = work.folder.is_some();
    let node = Process::new(time.clock.clone(), time.set_to.is_some(), several);
    let node = Arc::new(node);
    raise_descriptors();
    let limits = within_descriptors(Limits::default());
    let shared = Shared {
        stop: stop.clone(),
        ending,
        watching: Watching::start(),
        clusters,
        listen: work.listen,
        activities: limits.activities,
        sleep: Sleep {
            after: ASLEEP,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        },
    };
    let mut places = Places::new(work, node.clone(), shared);
    for session in shared_places {
        places.shares(session);
    }
    let announced = places.announce(opened);
    // Whoever calls from now on is told of every place how it stands.
    let face = Face::new(node.clone(), limits, stop.clone());
    let mut serving = JoinSet::new();
    serving.spawn(async move { face.serve(listener).await });

    let started = places.start(announced).await;
    if !places.shares_any() {
        started?;
    }
    places.share().await;
    node.has_begun();
    if let Some(set) = time.set_to {
        info!(%set, "the clock was set by RACCORD_NOW");
    }
    info!(listen = %work.listen, places = %places.names(), "Raccord is at work");

    places.keep().await;
    info!("stopping");
    stop.cancel();
    // Whoever is being answered holds a place; a writer ends once nobody does.
    while serving.join_next().await.is_some() {}
    places.end().await;
    Ok(())
}

/// As many descriptors as the system lets it have: it gives fewer to begin with.
fn raise_descriptors() {
    let given = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: given.maximum,
        ..given
    };
    if let Err(error) = setrlimit(Resource::Nofile, all) {
        info!(%error, "no more descriptors than the system gives to begin with");
    }
}

/// Half of what the process may open at most, so that the log and the tools always can be.
fn within_descriptors(mut limits: Limits) -> Limits {
    let may_open = getrlimit(Resource::Nofile).current;
    let half = may_open.map_or(usize::MAX, |most| {
        usize::try_from(most / 2).unwrap_or(usize::MAX)
    });
    limits.connections = limits.connections.min(half.max(1));
    limits
}

fn cannot_listen(address: std::net::SocketAddr, cause: &std::io::Error) -> Problem {
    Problem::failed(
        address.to_string(),
        "web.cannot-listen",
        Words::new(
            format!("Raccord ne peut pas écouter sur {address} : {cause}."),
            format!("Raccord cannot listen on {address}: {cause}."),
        ),
        Words::new(
            "Donnez une autre adresse dans web.listen, ou arrêtez le programme qui l'occupe.",
            "Give another address in web.listen, or stop the program that holds it.",
        ),
    )
}

/// Cancelled once the process is asked to end, from now on.
fn ends_when_asked() -> CancellationToken {
    let ending = CancellationToken::new();
    let asked = ending.clone();
    // Heard from this moment, and not only once somebody waits for it.
    let term = signal(SignalKind::terminate()).ok();
    let interrupt = signal(SignalKind::interrupt()).ok();
    tokio::spawn(async move {
        tokio::select! {
            () = hears(term) => {}
            () = hears(interrupt) => {}
        }
        asked.cancel();
    });
    ending
}

/// Resolves with the signal; never where it cannot be heard.
async fn hears(signal: Option<Signal>) {
    match signal {
        Some(mut signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}
