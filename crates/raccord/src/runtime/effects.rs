//! Makes effects: one lane's items, one after the other, stopping at the first that fails.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use raccord_kit::rate::Rate;
use raccord_kit::{Clock, Job, Made, Sink, Tool};
use raccord_model::{
    Blame, ConnectorName, EntityId, Envelope, Failure, Item, Outcome, Payload, PlaceId, Words, Work,
};
use tokio::sync::{OwnedMutexGuard, mpsc};
use tokio_util::sync::CancellationToken;

use super::desk::Command;
use super::home::Home;
use crate::connectors::Tools;

/// How soon a place that nobody may work for now is looked at again.
const NOT_OURS: Duration = Duration::from_secs(1);

/// What every lane needs.
#[derive(Clone)]
pub(crate) struct Effects {
    pub(crate) tools: Arc<Tools>,
    pub(crate) rates: Arc<BTreeMap<ConnectorName, Arc<Rate>>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) home: Home,
    pub(crate) stop: CancellationToken,
    /// How often the log was opened before: what an effect of an earlier time came to says nothing of
    /// the attempts of this one.
    pub(crate) opening: u64,
    /// The same, as it is now.
    present: Arc<AtomicU64>,
    lanes: Arc<Lanes>,
}

/// The lanes at work. Within one opening of the log the engine starts a lane once; an effect that
/// outlives the opening it belongs to is waited for, so that what it writes does not come last.
#[derive(Default)]
struct Lanes(Mutex<BTreeMap<(ConnectorName, EntityId), Arc<Turn>>>);

type Turn = tokio::sync::Mutex<()>;

impl Lanes {
    async fn enter(&self, lane: &(ConnectorName, EntityId)) -> OwnedMutexGuard<()> {
        let turn = {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(lane.clone()).or_default())
        };
        turn.lock_owned().await
    }

    fn leave(&self, lane: &(ConnectorName, EntityId), turn: OwnedMutexGuard<()>) {
        drop(turn);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known
            .get(lane)
            .is_some_and(|turn| Arc::strong_count(turn) == 1)
        {
            known.remove(lane);
        }
    }
}

impl Effects {
    pub(crate) fn new(
        tools: Arc<Tools>,
        clock: Arc<dyn Clock>,
        home: Home,
        stop: CancellationToken,
    ) -> Self {
        let rates = tools
            .iter()
            .map(|(name, tool)| (name.clone(), Arc::new(Rate::of(&tool.describe()))))
            .collect();
        Self {
            tools,
            rates: Arc::new(rates),
            clock,
            home,
            stop,
            opening: 0,
            present: Arc::default(),
            lanes: Arc::default(),
        }
    }

    /// The same with other tools. One that stands as many calls as before keeps its pace.
    pub(crate) fn with(&self, tools: Arc<Tools>) -> Self {
        let pace = |tool: &dyn Tool| {
            let manifest = tool.describe();
            (manifest.parallel, manifest.per_second)
        };
        let mut fresh = Self::new(
            tools,
            Arc::clone(&self.clock),
            self.home.clone(),
            self.stop.clone(),
        );
        fresh.opening = self.opening;
        fresh.present = Arc::clone(&self.present);
        fresh.lanes = Arc::clone(&self.lanes);
        let rates = Arc::make_mut(&mut fresh.rates);
        for (name, rate) in rates {
            let (before, now) = (self.tools.get(name), fresh.tools.get(name));
            if before.map(|tool| pace(&**tool)) == now.map(|tool| pace(&**tool))
                && let Some(known) = self.rates.get(name)
            {
                *rate = Arc::clone(known);
            }
        }
        fresh
    }

    /// The log was opened again: lanes of before start nothing more.
    pub(crate) fn opens_again(&mut self) {
        self.opening += 1;
        self.present.store(self.opening, Ordering::SeqCst);
    }

    /// Whether nothing is to be started any more.
    pub(crate) fn is_ending(&self) -> bool {
        self.stop.is_cancelled()
    }

    fn is_past(&self) -> bool {
        self.present.load(Ordering::SeqCst) != self.opening
    }

    /// Makes the items of one lane, and tells the writer how each ended.
    pub(crate) async fn lane(self, work: Work, tell: mpsc::Sender<Command>) {
        let lane = (work.connector.clone(), work.family);
        let turn = self.lanes.enter(&lane).await;
        let mut failed = false;
        for item in work.items {
            if self.is_past() {
                break; // Whoever opened the log again decided anew, and may be mute.
            }
            let delivery = item.delivery;
            let (outcome, unchanged) = if failed || self.is_ending() || self.is_late(&item) {
                (Outcome::NotStarted, false)
            } else {
                self.make(&work.connector, item).await
            };
            failed |= !matches!(outcome, Outcome::Done(_));
            let told = tell.send(Command::Outcome {
                connector: work.connector.clone(),
                family: work.family,
                delivery,
                outcome,
                unchanged,
                opening: self.opening,
            });
            if told.await.is_err() {
                break; // The writer is gone; the log tells the next one what is owed.
            }
        }
        self.lanes.leave(&lane, turn);
    }

    fn is_late(&self, item: &Item) -> bool {
        item.latest.is_some_and(|latest| self.clock.now() > latest)
    }

    /// How it ended, and whether the tool held exactly that already.
    async fn make(&self, connector: &ConnectorName, item: Item) -> (Outcome, bool) {
        let sink = self.tools.get(connector).and_then(|tool| tool.sink());
        let (Some(sink), Some(rate)) = (sink, self.rates.get(connector)) else {
            return (Outcome::NotStarted, false);
        };
        // Whoever ends does not wait for a turn.
        let Some(_turn) = self.stop.run_until_cancelled(rate.turn()).await else {
            return (Outcome::NotStarted, false);
        };
        // A process that was stopped for a while may find that another took over.
        if self.is_late(&item) || self.is_past() {
            return (Outcome::NotStarted, false);
        }
        if !self.home.is_ours() {
            // It is owed still, and would be tried again at once.
            let rest = tokio::time::sleep(NOT_OURS);
            self.stop.run_until_cancelled(rest).await;
            return (Outcome::NotStarted, false);
        }
        let looking = matches!(item.payload, Payload::Find { .. });
        match job(self.home.place(), item.payload) {
            Ok(job) if looking => (look(sink, &job).await, false),
            Ok(job) => match sink.by_hand(&job) {
                Some(why) => (Outcome::ByHand(why), false),
                None => apply(sink, &job).await,
            },
            Err(failure) => (Outcome::Failed(failure), false),
        }
    }
}

async fn look(sink: &dyn Sink, job: &Job) -> Outcome {
    let found = sink.find(job).await;
    found.map_or_else(Outcome::Failed, Outcome::Looked)
}

async fn apply(sink: &dyn Sink, job: &Job) -> (Outcome, bool) {
    match sink.apply(job).await {
        Ok(Made { applied, unchanged }) => (Outcome::Done(applied), unchanged),
        Err(failure) => (Outcome::Failed(failure), false),
    }
}

/// The job a payload stands for.
fn job(place: &PlaceId, payload: Payload) -> Result<Job, Failure> {
    Ok(match payload {
        Payload::Event(event)
        | Payload::Find {
            event: Some(event), ..
        } => {
            // The bytes follow from the event alone, so a repeat has the same.
            let body =
                serde_json::to_vec(&Envelope::of(&event, place)).map_err(|_| unsendable())?;
            Job::Send { event, body }
        }
        Payload::Write {
            entity,
            desired,
            link,
            ..
        } => Job::Write {
            entity,
            desired,
            link,
        },
        Payload::Remove { entity, link } => Job::Remove { entity, link },
        Payload::Find {
            entity,
            event: None,
            desired: Some(desired),
        } => Job::Write {
            entity,
            desired,
            link: None,
        },
        // Nothing is wanted any more: is there something to take away?
        Payload::Find {
            entity,
            event: None,
            desired: None,
        } => Job::Seek { entity },
    })
}

fn unsendable() -> Failure {
    Failure::new(
        Blame::Bug,
        "effect.unsendable",
        Words::new("cet envoi n'a pas de forme", "this delivery has no form"),
        Words::new(
            "C'est une faute de Raccord : signalez-la avec ce que montre « raccord why ».",
            "This is a fault of Raccord: report it with what `raccord why` shows.",
        ),
    )
}

#[cfg(test)]
#[path = "effects/tests.rs"]
mod tests;
