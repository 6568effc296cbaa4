//! One place at work: its writer, its tools, its sources kept read. Its settings can change while it
//! works, and nothing is lost or made twice by that.

use std::net::SocketAddr;
use std::sync::Arc;

use raccord_engine::Input;
use raccord_kit::Clock;
use raccord_model::Words;
use raccord_web::Feed;
use tokio::sync::{Mutex, OwnedSemaphorePermit, RwLock, RwLockReadGuard};
use tokio::task::JoinSet;

use super::desk::Desk;
use super::face::{self, Here};
use super::figures::Counted;
use super::hands::{self, Begin, Ready};
use super::home::Home;
use super::hooks::Hooks;
use super::load::Written;
use super::observe::{self, written};
use super::running::Shared;
use super::secrets;
use super::sources::SourceTask;
use super::writer::Writer;
use crate::cli::Session;
use crate::connectors::Tools;
use crate::report::Problem;

/// A place at work.
pub(super) struct AtWork {
    /// The place as its pages see it.
    pub(super) here: Arc<Here>,
    /// The way to its writer.
    pub(super) desk: Desk,
    /// Its clock.
    pub(super) clock: Arc<dyn Clock>,
    /// Where its log lies.
    pub(super) home: Home,
    /// What it works with: read for as long as a command takes, written when the settings change.
    set: RwLock<Set>,
    /// The tasks that read its sources.
    reading: Mutex<JoinSet<()>>,
    shared: Shared,
}

/// What its settings made.
pub(super) struct Set {
    session: Session,
    /// The tools.
    pub(super) tools: Arc<Tools>,
}

impl Set {
    /// The settings.
    pub(super) fn settings(&self) -> &crate::settings::Settings {
        &self.session.settings
    }

    /// The place's zone.
    pub(super) fn zone(&self) -> &jiff::tz::TimeZone {
        &self.session.settings.zone
    }
}

impl AtWork {
    /// Starts the writer on the log that was read. The stop that is shared is this place's.
    ///
    /// # Errors
    /// When the clock is behind the log, or the first commit cannot be written.
    pub(super) async fn start(
        session: &Session,
        loaded: Written,
        (tools, turn): (Arc<Tools>, Option<OwnedSemaphorePermit>),
        shared: Shared,
    ) -> Result<(Arc<Self>, Writer), Problem> {
        let ready = Ready::with(tools, session, loaded.engine.state().at)?;
        let settings = &session.settings;
        let feed = Feed::new(face::FEED);
        let counted = Arc::new(Counted::of(settings.connectors.keys()));
        let publish = publisher(&feed, &counted, settings.place.id.clone());
        let home = loaded.home.clone();
        let begin = Begin::Daemon {
            publish,
            sleep: shared.sleep.clone(),
            turn,
        };
        let (writer, desk) = hands::start(session, loaded, &ready, shared.stop.clone(), begin)?;
        let Ready { tools, clock } = ready;
        let here = Here::new(
            settings.clone(),
            home.clone(),
            desk.clone(),
            Arc::clone(&clock),
            (feed, counted),
            shared.activities,
        );
        here.refresh().await;
        let place = Self {
            home,
            here: Arc::new(here),
            desk,
            clock,
            set: RwLock::new(Set {
                session: session.clone(),
                tools,
            }),
            reading: Mutex::default(),
            shared,
        };
        Ok((Arc::new(place), writer))
    }

    /// What it works with, unchanged for as long as this is kept.
    pub(super) async fn set(&self) -> RwLockReadGuard<'_, Set> {
        self.set.read().await
    }

    /// Makes again what somebody deleted meanwhile, and keeps its sources read from now on.
    pub(super) async fn read_sources(&self) {
        let set = self.set.read().await;
        self.read_with(&set).await;
    }

    /// Changes the settings to those on the disk. What comes in is taken all the time; sources are
    /// read and effects made by the tools of before, or by the new ones, never by both.
    ///
    /// # Errors
    /// When the settings cannot be used: the place goes on as it was.
    pub(super) async fn settings_changed(&self) -> Result<(), Problem> {
        let fresh = self.set.read().await.session.again()?;
        let tools = Arc::new(fresh.tools()?);
        let mut set = self.set.write().await;
        only_at_the_start(&set.session, &fresh, self.shared.listen)?;
        self.reading.lock().await.shutdown().await;
        let changed = self.desk.change(hands::set(&fresh.settings, &tools)).await;
        changed.map_err(|broken| broken.0)?;
        self.here.change(fresh.settings.clone());
        *set = Set {
            session: fresh,
            tools,
        };
        self.read_with(&set).await;
        Ok(())
    }

    /// Waits until its sources are read no more: they end with the process.
    pub(super) async fn ended(&self) {
        let mut reading = self.reading.lock().await;
        while reading.join_next().await.is_some() {}
    }

    async fn read_with(&self, set: &Set) {
        let written = restore_lost(&set.tools, &self.desk).await;
        let mut reading = self.reading.lock().await;
        let (tools, desk) = (Arc::clone(&set.tools), self.desk.clone());
        reading.spawn(async move {
            let missing = observe::missing(&tools, written).await;
            make_again(&desk, missing).await;
        });
        let (watch, replaced) = secrets::watch(
            set.session.settings.clone(),
            Arc::clone(&set.tools),
            self.desk.clone(),
            self.shared.stop.clone(),
        );
        reading.spawn(watch);
        let hooks = Arc::new(Hooks::of(&set.tools, &self.here.hooks()));
        self.here.opens(Arc::clone(&hooks));
        self.here.sign_ups.follows(&set.tools);
        for (name, tool) in set.tools.iter() {
            if tool.source().is_none() {
                continue;
            }
            let task = SourceTask {
                name: name.clone(),
                tools: Arc::clone(&set.tools),
                desk: self.desk.clone(),
                clock: Arc::clone(&self.clock),
                watching: Arc::clone(&self.shared.watching),
                stop: self.shared.stop.clone(),
                replaced: replaced.clone(),
                hinted: hooks.hints(name),
            };
            reading.spawn(task.run());
        }
    }
}

/// Refuses what cannot change while the process works, which listens at `listen`.
fn only_at_the_start(before: &Session, fresh: &Session, listen: SocketAddr) -> Result<(), Problem> {
    let alone = fresh.alone;
    let (before, fresh) = (&before.settings, &fresh.settings);
    // One of several may leave it to the others.
    let elsewhere = match fresh.web.listen {
        None if !alone => false,
        _ => fresh.listen() != listen,
    };
    let key = if before.place.id != fresh.place.id {
        ["place", "id"]
    } else if before.data != fresh.data {
        ["place", "data"]
    } else if before.address() != fresh.address() {
        ["place", "bus"]
    } else if elsewhere {
        ["web", "listen"]
    } else {
        return Ok(());
    };
    let name = key.join(".");
    Err(Problem::failed(
        fresh.where_is(&key),
        "settings-need-restart",
        Words::new(
            format!("La clé {name} n'est lue qu'au démarrage : rien n'a été repris du fichier."),
            format!("The key {name} is read at the start only: nothing was taken from the file."),
        ),
        Words::new(
            "Redémarrez Raccord (systemctl restart raccord), ou remettez l'ancienne valeur.",
            "Restart Raccord (systemctl restart raccord), or put the former value back.",
        ),
    ))
}

/// What somebody deleted while nobody was at work is made again. Gives what may be missing where only
/// a tool can tell; nothing where the log refuses: the writer says so, and tries again.
async fn restore_lost(tools: &Arc<Tools>, desk: &Desk) -> observe::Written {
    let Ok(written) = desk.peek(|engine, _| written(engine.state())).await else {
        return Vec::new();
    };
    let lost = observe::lost(tools, written.clone()).await;
    make_again(desk, lost).await;
    written
}

async fn make_again(desk: &Desk, lost: Vec<Input>) {
    for input in lost {
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
            feed.publish(&face::entry(commit, index, &event, &place));
        }
    })
}
