//! The daemon: sources are read, effects are made, pages are served, commands are answered, until
//! the process is asked to stop.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use raccord_engine::Order;
use raccord_model::Words;
use raccord_web::{Face, Feed, Limits};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::desk::Desk;
use super::face::{self, Here};
use super::figures::Counted;
use super::hands::{self, Ready};
use super::load;
use super::local;
use super::node::Process;
use super::observe::{lost, written};
use super::pass::{Pass, PassOptions, one_pass};
use super::printed;
use super::secrets;
use super::socket::{self, Answer, Asked, Request};
use super::sources::SourceTask;
use super::told;
use super::writer::Start;
use crate::cli::{Session, Unmute};
use crate::connectors::Tools;
use crate::locale::View;
use crate::report::Problem;
use crate::shapes::{Deed, DeedShape};

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
    let face = Face::new(node.clone(), limits.clone(), stop.clone());
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { face.serve(listener).await });

    let folding = tokio::task::spawn_blocking(|| unread.fold());
    let tools = Arc::new(session.tools()?);
    let loaded = folding.await.map_err(|_| hands::writer_lost())??;
    let ready = Ready::with(tools, session, loaded.engine.state().at)?;
    let feed = Feed::new(face::FEED);
    let counted = Arc::new(Counted::of(settings.connectors.keys()));
    let publish = publisher(&feed, &counted, settings.place.id.clone());
    let start = (Start::AtOnce, Some(publish));
    let (writer, desk) = hands::start(session, loaded, &ready, stop.clone(), start)?;
    let door = door(&settings.data)?;
    let here = Arc::new(Here {
        settings: settings.clone(),
        place: Arc::new(settings.place.clone()),
        desk: desk.clone(),
        feed,
        counted,
        clock: Arc::clone(&ready.clock),
        shown: RwLock::default(),
        limit: limits.activities,
    });
    here.refresh().await;
    node.runs(here.clone());
    if let Some(set) = set {
        info!(%set, "the clock was set by RACCORD_NOW");
    }
    info!(listen = %settings.web.listen, place = %settings.place.id, "Raccord is at work");

    restore_lost(&ready.tools, &desk).await;
    tasks.spawn(here.clone().keep_fresh(stop.clone()));
    let (watch, replaced) = secrets::watch(
        session.settings.clone(),
        Arc::clone(&ready.tools),
        desk.clone(),
        stop.clone(),
    );
    tasks.spawn(watch);
    for (name, tool) in ready.tools.iter() {
        if tool.source().is_none() {
            continue;
        }
        let task = SourceTask {
            name: name.clone(),
            tools: Arc::clone(&ready.tools),
            desk: desk.clone(),
            clock: Arc::clone(&ready.clock),
            stop: stop.clone(),
            replaced: replaced.clone(),
        };
        tasks.spawn(task.run());
    }
    let ready = Arc::new(ready);
    let commands = Commands {
        desk: desk.clone(),
        ready,
        zone: settings.zone.clone(),
    };
    tasks.spawn(commands.serve(door, stop.clone()));

    asked_to_stop().await;
    info!("stopping");
    stop.cancel();
    let ended = tokio::time::timeout(DEADLINE, async {
        while tasks.join_next().await.is_some() {}
    })
    .await;
    if ended.is_err() {
        warn!("something did not end in time; the log knows what is owed");
        tasks.abort_all();
        while tasks.join_next().await.is_some() {}
    }
    drop(std::fs::remove_file(socket::path(&settings.data)));
    drop((node, here, desk));
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

/// What somebody deleted while nobody was at work is made again.
async fn restore_lost(tools: &Arc<Tools>, desk: &Desk) {
    let Ok(written) = desk.ask(|engine, _| written(engine.state())).await else {
        return; // The log refuses: the writer says so, and tries again.
    };
    for input in lost(tools, written).await {
        if desk.input(input).await.is_err() {
            return;
        }
    }
}

/// Hands the events of each durable commit to followers, personal values in place.
pub(super) fn publisher(
    feed: &Feed,
    counted: &Arc<Counted>,
    place: raccord_model::PlaceId,
) -> super::writer::Publish {
    let (feed, counted) = (feed.clone(), Arc::clone(counted));
    Box::new(move |commit, events, vault| {
        counted.count(events);
        if feed.followers() == 0 {
            return;
        }
        for (index, event) in events.iter().enumerate() {
            let mut event = event.clone();
            vault.reveal(&mut event.data);
            feed.publish(face::entry(commit, index, &event, &place));
        }
    })
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

/// The door for commands: only the owner of the folder may use it.
fn door(data: &Path) -> Result<UnixListener, Problem> {
    let path = socket::path(data);
    if path.exists() {
        // We hold the log's lock, so whoever made it is gone.
        std::fs::remove_file(&path).map_err(|cause| Problem::file(&path, &cause))?;
    }
    let door = UnixListener::bind(&path).map_err(|cause| Problem::file(&path, &cause))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))
        .map_err(|cause| Problem::file(&path, &cause))?;
    Ok(door)
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

/// What commands are answered with.
#[derive(Clone)]
struct Commands {
    desk: Desk,
    ready: Arc<Ready>,
    zone: jiff::tz::TimeZone,
}

impl Commands {
    async fn serve(self, door: UnixListener, stop: CancellationToken) {
        let mut open = JoinSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                accepted = door.accept() => {
                    if let Ok((stream, _)) = accepted {
                        open.spawn(self.clone().converse(stream));
                    }
                }
                Some(_) = open.join_next() => {}
            }
        }
    }

    async fn converse(self, stream: UnixStream) {
        let (read, mut write) = stream.into_split();
        let mut line = String::new();
        let mut read = BufReader::new(read.take(socket::MOST));
        if read.read_line(&mut line).await.is_err() {
            return;
        }
        let Ok(asked) = serde_json::from_str::<Asked>(&line) else {
            return;
        };
        let answer = self.answer(asked).await;
        let mut line = serde_json::to_vec(&answer).unwrap_or_default();
        line.push(b'\n');
        // Whoever asked may be gone; what was decided stands.
        drop(write.write_all(&line).await);
    }

    async fn answer(&self, asked: Asked) -> Answer {
        let now = self.ready.clock.now();
        let view = View {
            lang: asked.lang,
            zone: self.zone.clone(),
            now,
        };
        let pass = Pass {
            tools: &self.ready.tools,
            clock: &self.ready.clock,
            view: &view,
        };
        match asked.request {
            Request::Sync { plan, wait_ms } => {
                let wait = Duration::from_millis(wait_ms);
                let options = PassOptions {
                    wait,
                    plan: plan.map(|plan| *plan),
                    ..PassOptions::default()
                };
                Answer::of(one_pass(&pass, &self.desk, options).await)
            }
            Request::Approve { hold, only } => {
                let order = Order::Approve { hold, only };
                self.decide(&pass, order, Deed::Approved, hold.to_string())
                    .await
            }
            Request::Reject { hold } => {
                self.decide(&pass, Order::Reject(hold), Deed::Rejected, hold.to_string())
                    .await
            }
            Request::Retry { delivery } => {
                self.decide(
                    &pass,
                    Order::Retry(delivery),
                    Deed::Retried,
                    delivery.to_string(),
                )
                .await
            }
            Request::SwitchOn { connector } => {
                let reference = connector.to_string();
                let order = Order::RetryAll(connector);
                self.decide(&pass, order, Deed::SwitchedOn, reference).await
            }
            Request::Lift { connector } => Answer::of(self.lift(connector).await),
            Request::Drop { delivery } => {
                self.decide(
                    &pass,
                    Order::Drop(delivery),
                    Deed::Dropped,
                    delivery.to_string(),
                )
                .await
            }
            Request::Printed { printed } => {
                let name = printed::name(&printed, asked.lang);
                self.decide(&pass, Order::Printed(printed), Deed::Printed, name)
                    .await
            }
            Request::TakenDown {
                connector,
                key,
                title,
            } => {
                let order = Order::TakenDown { connector, key };
                self.decide(&pass, order, Deed::TakenDown, title).await
            }
            Request::Unmute { moved } => Answer::of(self.unmute(moved).await),
        }
    }

    async fn decide(&self, pass: &Pass<'_>, order: Order, did: Deed, reference: String) -> Answer {
        let options = PassOptions {
            orders: vec![order],
            ..PassOptions::default()
        };
        let shape = one_pass(pass, &self.desk, options).await;
        Answer::of(shape.map(|shape| DeedShape {
            did,
            reference,
            effects: shape.effects,
            commits: None,
            bytes: None,
        }))
    }

    async fn lift(&self, connector: raccord_model::ConnectorName) -> Result<(), Problem> {
        let order = raccord_engine::Input::Order(Order::SwitchOn(connector));
        let reply = self.desk.input(order).await.map_err(|broken| broken.0)?;
        told::refused(&reply)
    }

    async fn unmute(&self, moved: bool) -> Result<DeedShape, Problem> {
        let what = if moved { Unmute::Moved } else { Unmute::Copy };
        let mute = self.desk.ask(|engine, _| engine.state().muted.is_some());
        if moved && !mute.await.map_err(|broken| broken.0)? {
            return Ok(local::deed(Deed::NotMute));
        }
        let adopted = self
            .desk
            .ask(|_, log| log.adopt_file())
            .await
            .map_err(|broken| broken.0)?;
        adopted.map_err(|error| Problem::failed("", error.code(), error.text(), error.mend()))?;
        let order = raccord_engine::Input::Order(local::unmute_order(what));
        let reply = self.desk.input(order).await.map_err(|broken| broken.0)?;
        told::refused(&reply)?;
        Ok(local::unmuted(what))
    }
}
