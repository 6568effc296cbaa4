//! Keeps one source read: when its file changes, when its period is over, when the engine wants a
//! second look, when a person asks.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use raccord_bus::Log;
use raccord_engine::{Engine, Input, offered};
use raccord_kit::{Clock, Shared, Source, Titles};
use raccord_model::ConnectorName;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::desk::{Broken, Desk, Standings};
use super::observe::links;
use super::pace::Pace;
use super::watching::{Watched, Watching};
use crate::connectors::Tools;

/// The least time between two looks that nobody asked for.
const PAUSE: Duration = Duration::from_millis(200);
/// The least time between two looks because the tool called: many calls at once are one look.
const HINTED: Duration = Duration::from_secs(2);
/// The time between two questions whether there is something new.
const ASKED_AGAIN: Duration = Duration::from_millis(500);

pub(crate) struct SourceTask {
    pub(crate) name: ConnectorName,
    pub(crate) tools: Arc<Tools>,
    pub(crate) desk: Desk,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) watching: Arc<Watching>,
    pub(crate) stop: CancellationToken,
    /// Moves when a secret was replaced.
    pub(crate) replaced: watch::Receiver<u64>,
    /// Moves when the tool called to say that something changed; none where it never calls.
    pub(crate) hinted: Option<watch::Receiver<u64>>,
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
        let mut standings = self.desk.standings();
        let mut pace = Pace::of(self.name.clone(), every);
        let mut replaced = self.replaced.clone();
        let mut hinted = self.hinted.clone();
        let mut told = None;
        loop {
            replaced.borrow_and_update();
            // A hint that comes during the reading is about what that may have missed.
            if let Some(hinted) = &mut hinted {
                hinted.borrow_and_update();
            }
            let rest = self.read(&mut pace, &mut told).await;
            let paused = Instant::now() + PAUSE;
            let rested = Instant::now() + rest;
            let hinted_from = Instant::now() + HINTED;
            let mut hint = false;
            let cursor = standings.borrow().get(&self.name).cloned();
            let cursor = cursor.and_then(|known| known.cursor);
            let mut news = Box::pin(news(source, cursor.as_deref()));
            let mut due = false;
            while !due {
                if self.stop.is_cancelled() {
                    return;
                }
                // A source that fails is left alone for as long as it takes, whatever the engine
                // would like to see again; one that has no cursor to give is not read without a
                // pause.
                let failing = pace.is_failing();
                let known = standings.borrow_and_update().get(&self.name).cloned();
                let look = known.and_then(|known| known.look).filter(|_| !failing);
                let until = look.map_or(rested, |at| self.instant_of(at).max(paused).min(rested));
                let until = if hint { until.min(hinted_from) } else { until };
                let patient = pace.is_patient();
                tokio::select! {
                    () = self.stop.cancelled() => return,
                    () = tokio::time::sleep_until(until) => due = true,
                    () = saved(watched.as_ref()) => due = true,
                    () = &mut news, if !failing => due = true,
                    moved = standings.changed() => if moved.is_err() { return },
                    Ok(()) = replaced.changed(), if failing => due = true,
                    () = called(&mut hinted), if !hint && !patient => hint = true,
                }
            }
        }
    }

    /// One reading, decided about and durable where it brings anything. Gives how long the source is
    /// then left alone.
    async fn read(&self, pace: &mut Pace, told: &mut Option<u64>) -> Duration {
        let Some(tool) = self.tools.get(&self.name) else {
            return pace.every();
        };
        let Some(source) = tool.source() else {
            return pace.every();
        };
        if let Some(shared) = tool.shared()
            && self.tell_ours(shared, told).await.is_err()
        {
            return pace.every();
        }
        if let Some(titles) = source.titles()
            && self.tell_offered(titles, told).await.is_err()
        {
            return pace.every();
        }
        let standings = self.desk.standings();
        let of = |standings: &Standings| standings.get(&self.name).cloned().unwrap_or_default();
        let known = of(&standings.borrow());
        let seen = source.observe(known.cursor.as_deref()).await;
        let before = pace.is_failing();
        let rest = pace.after(seen.as_ref().err());
        match &seen {
            Ok(_) if before => info!(connector = %self.name, "the source can be read again"),
            Err(failure) if !before => {
                warn!(connector = %self.name, error.code = %failure.code, "the source cannot be read");
            }
            _ => debug!(connector = %self.name, "the source was read"),
        }
        // Somebody else may have read it meanwhile.
        if known == of(&standings.borrow()) && known.knows(&seen) {
            if seen.is_ok() {
                self.desk.same().found(&self.name, self.clock.now());
            }
            return rest;
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

    /// Tells a tool that people edit too what of it is ours, where that may have changed since commit
    /// `told`.
    async fn tell_ours(&self, tool: &dyn Shared, told: &mut Option<u64>) -> Result<(), Broken> {
        if *told == Some(self.desk.pulse().borrow().commit) {
            return Ok(());
        }
        let name = self.name.clone();
        let look = move |engine: &mut Engine, _: &mut dyn Log| {
            let state = engine.state();
            (state.commit, links(state, &name))
        };
        let (commit, ours) = self.desk.peek(look).await?;
        tool.ours(ours);
        *told = Some(commit);
        Ok(())
    }

    /// Tells a source that names what one can sign up for by its title what there is, where that may
    /// have changed since commit `told`.
    async fn tell_offered(&self, tool: &dyn Titles, told: &mut Option<u64>) -> Result<(), Broken> {
        if *told == Some(self.desk.pulse().borrow().commit) {
            return Ok(());
        }
        let look = |engine: &mut Engine, _: &mut dyn Log| {
            let state = engine.state();
            (state.commit, offered(state))
        };
        let (commit, offered) = self.desk.peek(look).await?;
        tool.offered(offered);
        *told = Some(commit);
        Ok(())
    }

    /// When the engine wants this source looked at again.
    fn instant_of(&self, look: Timestamp) -> Instant {
        let wait = Duration::try_from(look.duration_since(self.clock.now())).unwrap_or_default();
        Instant::now() + wait
    }
}

/// Resolves when the tool called; never where it does not.
async fn called(hinted: &mut Option<watch::Receiver<u64>>) {
    if let Some(hinted) = hinted
        && hinted.changed().await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}

/// Resolves when the tool says that there is something new.
async fn news(source: &dyn Source, cursor: Option<&str>) {
    tokio::time::sleep(PAUSE).await;
    while !source.news(cursor).await {
        // It was closed in time, or could not be asked: no question follows the other at once.
        tokio::time::sleep(ASKED_AGAIN).await;
    }
}

/// Resolves when what is watched was saved; never where nothing is.
async fn saved(watched: Option<&Watched>) {
    match watched {
        Some(watched) => watched.saved().await,
        None => std::future::pending().await,
    }
}
