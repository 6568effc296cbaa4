//! The daemon: a place at work, its pages served and its commands answered, until the process is
//! asked to stop.

use std::sync::Arc;
use std::time::Duration;

use raccord_model::Words;
use raccord_web::{Face, Limits};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::at_work::AtWork;
use super::commands::{self, Commands};
use super::hands;
use super::load;
use super::node::Process;
use super::{reload, socket};
use crate::cli::Session;
use crate::report::Problem;

/// How long what is under way may take to end.
const DEADLINE: Duration = Duration::from_secs(8);

/// Runs until asked to stop.
///
/// # Errors
/// When it cannot start.
pub(crate) async fn run(session: &Session) -> Result<(), Problem> {
    let settings = &session.settings;
    let stop = CancellationToken::new();
    let unread = load::open(&settings.data, &settings.place.id)?;
    // The port is opened only now, with the log open; until it is read, callers are told so.
    let listener = TcpListener::bind(settings.web.listen)
        .await
        .map_err(|cause| cannot_listen(settings.web.listen, &cause))?;
    let set = session.time.set_to;
    let node = Process::new(settings, session.time.clock.clone(), set.is_some());
    let node = Arc::new(node);
    let limits = within_descriptors(Limits::default());
    let activities = limits.activities;
    let face = Face::new(node.clone(), limits, stop.clone());
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { face.serve(listener).await });

    let folding = tokio::task::spawn_blocking(|| unread.fold());
    let tools = Arc::new(session.tools()?);
    let loaded = folding.await.map_err(|_| hands::writer_lost())??;
    let (place, writer) = AtWork::start(session, loaded, tools, activities, stop.clone()).await?;
    let door = commands::door(&settings.data)?;
    node.runs(place.here.clone());
    if let Some(set) = set {
        info!(%set, "the clock was set by RACCORD_NOW");
    }
    info!(listen = %settings.web.listen, place = %settings.place.id, "Raccord is at work");

    tasks.spawn(place.here.clone().keep_fresh(stop.clone()));
    place.read_sources().await;
    let answering = Commands {
        place: place.clone(),
    };
    tasks.spawn(answering.serve(door, stop.clone()));
    tasks.spawn(reload::follow(
        settings.file.clone(),
        place.clone(),
        stop.clone(),
    ));

    asked_to_stop().await;
    info!("stopping");
    stop.cancel();
    let ended = tokio::time::timeout(DEADLINE, async {
        while tasks.join_next().await.is_some() {}
        place.ended().await;
    })
    .await;
    if ended.is_err() {
        warn!("something did not end in time; the log knows what is owed");
        tasks.shutdown().await;
    }
    drop(std::fs::remove_file(socket::path(&settings.data)));
    drop((node, place));
    if tokio::task::spawn_blocking(move || writer.join())
        .await
        .is_err()
    {
        warn!("the writer did not end cleanly; the log knows what is owed");
    }
    Ok(())
}

/// Half of what the process may open at most, so that the log and the tools always can be.
fn within_descriptors(mut limits: Limits) -> Limits {
    let may_open = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
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

async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut term) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
