//! The places of a process, as the files of their settings say: one that is saved is taken, one that
//! comes is started, one that goes is ended. Asked to (SIGHUP), all take their settings again, with
//! changed templates.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::{StreamExt as _, future, stream};
use raccord_model::{Digest, PlaceId};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{info, warn};

use super::among::Among;
use super::daemon::AT_ONCE;
use super::elsewhere::Elsewhere;
use super::home::Home;
use super::load::{self, Unread};
use super::node::{Process, Slot};
use super::running::{Running, Shared, tell};
use super::testimony::testify;
use super::watching::Watched;
use crate::cli::{Session, Work};
use crate::report::Problem;
use crate::settings;

/// The places of this process.
pub(super) struct Places<'a> {
    work: &'a Work,
    node: Arc<Process>,
    shared: Shared,
    running: BTreeMap<PlaceId, Running>,
    /// Those whose logs lie in clusters: this process works for some of them.
    among: Among,
    /// The files, as they were looked at last, and what was watched before they were.
    files: BTreeMap<PlaceId, (PathBuf, Option<Digest>)>,
    watched: Watched,
}

/// A place which callers know of, and whose log may be open.
pub(super) struct Announced<'s> {
    session: &'s Session,
    unread: Option<Unread>,
    slot: Arc<Slot>,
}

impl<'a> Places<'a> {
    pub(super) fn new(work: &'a Work, node: Arc<Process>, shared: Shared) -> Self {
        let watched = shared.watching.nothing();
        let mut places = Self {
            work,
            node,
            shared,
            running: BTreeMap::new(),
            among: Among::default(),
            files: BTreeMap::new(),
            watched,
        };
        // Watched before it is looked at, so that nothing is missed in between.
        places.watched = places.watch();
        places.files = places.there();
        places
    }

    /// A place that cannot start.
    pub(super) fn hindered(&self, session: &Session, problem: &Problem) {
        self.node.adds(&session.settings).does_not_start(problem);
    }

    /// Makes them known: from now on callers are told that they are starting.
    pub(super) fn announce<'s>(
        &self,
        opened: Vec<(&'s Session, Option<Unread>)>,
    ) -> Vec<Announced<'s>> {
        let with_slot = |(session, unread): (&'s Session, Option<Unread>)| Announced {
            slot: self.node.adds(&session.settings),
            session,
            unread,
        };
        opened.into_iter().map(with_slot).collect()
    }

    /// A place that this process may work for, if no other node does.
    pub(super) fn shares(&mut self, session: &Session) {
        self.node.adds(&session.settings);
        self.among.shares(session);
    }

    /// Whether there are places that it may work for.
    pub(super) fn shares_any(&self) -> bool {
        self.among.any()
    }

    /// Works for those of the shared places that are its part, and for no other.
    pub(super) async fn share(&mut self) {
        let ours: Vec<PlaceId> = self.running.keys().cloned().collect();
        let turn = self.among.turn(&self.shared.clusters, &ours);
        let gone = turn.lost.iter().chain(&turn.give);
        let elsewhere = turn.compare.iter().chain(&turn.lost).cloned().collect();
        for id in gone {
            let Some(running) = self.running.remove(id) else {
                continue;
            };
            self.shows(id);
            running.end().await;
            if turn.lost.contains(id) {
                warn!(place = %id, "another node took the place over");
            } else {
                info!(place = %id, "the place is let go, for another node");
            }
        }
        for (id, problem) in &turn.hindered {
            if let Some(session) = self.among.session(id) {
                self.hindered(session, problem);
            }
        }
        for id in &turn.show {
            self.shows(id);
        }
        self.testifies(elsewhere);
        for id in turn.take {
            if !self.shared.ending.is_cancelled() {
                self.take(&id).await;
            }
        }
    }

    /// Tells whoever works for these places now what this machine has read of them.
    fn testifies(&self, ids: Vec<PlaceId>) {
        let known = |id: PlaceId| {
            let session = self.among.session(&id)?;
            let home = Home::of(&session.settings, &self.shared.clusters).ok()?;
            Some((home, self.among.node(&id)?))
        };
        let places: Vec<_> = ids.into_iter().filter_map(known).collect();
        if !places.is_empty() {
            tokio::spawn(testify(places, self.shared.ending.clone()));
        }
    }

    /// Shows a place as one that another node works for.
    fn shows(&self, id: &PlaceId) {
        let (Some(session), Some(node)) = (self.among.session(id), self.among.node(id)) else {
            return;
        };
        if let Ok(home) = Home::of(&session.settings, &self.shared.clusters) {
            let elsewhere = Elsewhere::new(session.settings.clone(), home, node);
            self.node.shows(&session.settings, elsewhere);
        }
    }

    /// Takes a shared place that is free.
    async fn take(&mut self, id: &PlaceId) {
        let Some(session) = self.among.session(id).cloned() else {
            return;
        };
        let home = Home::of(&session.settings, &self.shared.clusters);
        let opened = match home.and_then(Home::claimed) {
            Ok(None) => return,
            Ok(Some(home)) => load::open(&home),
            Err(problem) => Err(problem),
        };
        self.among.hides(id);
        match opened {
            Ok(unread) => {
                let announced = self.announce(vec![(&session, Some(unread))]);
                drop(self.start(announced).await);
            }
            Err(problem) => self.hindered(&session, &problem),
        }
        let works = self.running.contains_key(id);
        self.among.tried(id, works);
        if works {
            info!(place = %id, "the place is at work here");
        }
    }

    /// Starts these.
    ///
    /// # Errors
    /// When none can start.
    pub(super) async fn start(&mut self, announced: Vec<Announced<'_>>) -> Result<(), Problem> {
        let begin = announced.into_iter().map(async |place| {
            let Announced {
                session,
                unread,
                slot,
            } = place;
            let id = session.settings.place.id.clone();
            let started = Running::start(session, unread, &slot, &self.shared).await;
            (id, slot, started)
        });
        let begun: Vec<_> = stream::iter(begin)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let mut first = None;
        for (id, slot, started) in begun {
            match started {
                Ok(running) => {
                    self.running.insert(id, running);
                }
                Err(problem) => {
                    slot.does_not_start(&problem);
                    first.get_or_insert(problem);
                }
            }
        }
        match first {
            Some(problem) if self.running.is_empty() => Err(problem),
            _ => Ok(()),
        }
    }

    /// The ids, for the log.
    pub(super) fn names(&self) -> String {
        let names: Vec<&str> = self.running.keys().map(PlaceId::as_str).take(20).collect();
        match self.running.len() - names.len() {
            0 => names.join(", "),
            more => format!("{} and {more} more", names.join(", ")),
        }
    }

    /// Keeps them as their files say, until the process is to end. A place whose start or end has
    /// begun is finished with: nobody would end half a place.
    pub(super) async fn keep(&mut self) {
        let ending = self.shared.ending.clone();
        let mut asked = signal(SignalKind::hangup()).ok();
        loop {
            let all = tokio::select! {
                () = ending.cancelled() => return,
                () = self.watched.saved() => Some(false),
                () = hung_up(&mut asked) => Some(true),
                () = self.among.changed() => None,
            };
            if let Some(all) = all {
                self.watched = self.watch();
                self.look(all).await;
            }
            self.share().await;
        }
    }

    /// Ends all of them; the other nodes take what this one lets go.
    pub(super) async fn end(self) {
        self.among.serves_nothing();
        self.running.keys().for_each(|id| self.node.removes(id));
        future::join_all(self.running.into_values().map(Running::end)).await;
    }

    /// What may bring, change or take a place.
    fn watch(&self) -> Watched {
        let nothing = self.shared.watching.nothing();
        let Some(folder) = &self.work.folder else {
            let files = self.work.sessions.iter().map(|it| &it.settings.file);
            return files.fold(nothing, |watched, file| watched.and_file(file));
        };
        let mut watched = nothing.and_folder(folder);
        let inside = std::fs::read_dir(folder).into_iter().flatten().flatten();
        for entry in inside.filter(|entry| entry.path().is_dir()) {
            watched = watched.and_file(&entry.path().join(settings::places::OWN));
        }
        watched
    }

    /// The files of the places that there are now, with what stands in them.
    fn there(&self) -> BTreeMap<PlaceId, (PathBuf, Option<Digest>)> {
        let files = match &self.work.folder {
            None => self
                .work
                .sessions
                .iter()
                .map(|it| (it.settings.place.id.clone(), it.settings.file.clone()))
                .collect(),
            Some(folder) => match settings::places::files(folder) {
                Ok(files) => files,
                Err(error) => {
                    warn!(%error, "the folder of places cannot be read; they stay as they are");
                    return self.files.clone();
                }
            },
        };
        let digest = |file: &Path| std::fs::read(file).ok().map(|bytes| Digest::of(&bytes));
        let with = |(id, file): (PlaceId, PathBuf)| {
            let known = digest(&file);
            (id, (file, known))
        };
        files.into_iter().map(with).collect()
    }

    /// Compares the files with what they were, and follows them; `all` takes every one again.
    async fn look(&mut self, all: bool) {
        let there = self.there();
        let before = std::mem::replace(&mut self.files, there);
        for id in before.keys().filter(|id| !self.files.contains_key(id)) {
            self.node.removes(id);
            self.among.leaves(id);
            if let Some(running) = self.running.remove(id) {
                running.end().await;
                info!(place = %id, "the place left the folder; its log stays where it is");
            }
        }
        let known = |id: &PlaceId| before.get(id).map(|(_, digest)| digest);
        let (mut changed, mut came) = (Vec::new(), Vec::new());
        for (id, (file, digest)) in &self.files {
            if !all && known(id) == Some(digest) {
                continue;
            }
            match self.running.get(id) {
                Some(running) => changed.push(running.settings_changed()),
                None => came.push((id.clone(), file.clone())),
            }
        }
        // One whose tools are slow to end keeps no other from its settings.
        tokio::select! {
            _ = future::join_all(changed) => {}
            () = self.shared.ending.cancelled() => return,
        }
        for (id, (file, _)) in &self.files {
            // What another node may give back is taken as it is set by then.
            if self.among.session(id).is_some()
                && let Ok(session) = self.session(id, file)
            {
                self.among.sets(&session);
            }
        }
        for (id, file) in came {
            if !self.shared.ending.is_cancelled() {
                self.begin(&id, &file).await;
            }
        }
    }

    /// Starts a place whose file came or was mended.
    async fn begin(&mut self, id: &PlaceId, file: &Path) {
        let session = match self.session(id, file) {
            Ok(session) => session,
            Err(problem) => return tell("the place does not start", &problem),
        };
        if session.settings.cluster.is_some() {
            return self.shares(&session);
        }
        let announced = self.announce(vec![(&session, None)]);
        // What hinders it was told; the others work.
        drop(self.start(announced).await);
        if self.running.contains_key(id) {
            info!(place = %id, "the place is at work");
        }
    }

    fn session(&self, id: &PlaceId, file: &Path) -> Result<Session, Problem> {
        let like = &self.work.sessions[0];
        let read = settings::places::read_one(id, file);
        let settings = read.map_err(|refused| Problem::configuration(refused.findings))?;
        let others = self.running.iter().map(|(id, place)| (id, place.data()));
        settings::places::own_log(others, &settings)
            .and_then(|()| settings::places::listens_at(self.work.listen, &settings))
            .map_err(|finding| Problem::configuration(vec![finding]))?;
        Ok(Session::of(settings, like.time.clone(), like.json))
    }
}

async fn hung_up(asked: &mut Option<Signal>) {
    match asked {
        Some(asked) => drop(asked.recv().await),
        None => future::pending().await,
    }
}
