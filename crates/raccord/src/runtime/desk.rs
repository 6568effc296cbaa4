//! The way to the writer: what it can be asked, and what it answers once that is durable.
//!
//! It decides and writes nothing; whoever has a desk may wait, and is told when there is no hope.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use raccord_bus::Log;
use raccord_engine::{Engine, Input, Planned, Reply, Standing};
use raccord_model::{ConnectorName, DeliveryId, EntityId, Event, Outcome, Remark};
use tokio::sync::{mpsc, oneshot, watch};

use super::writer::Set;
use crate::report::Problem;

/// A look at the engine and the log, between two groups.
pub(super) type Ask = Box<dyn FnOnce(&mut Engine, &mut dyn Log) + Send>;

/// What the writer is asked.
pub(crate) enum Command {
    Input {
        input: Input,
        reply: oneshot::Sender<Result<Reply, Broken>>,
    },
    Outcome {
        connector: ConnectorName,
        family: EntityId,
        delivery: DeliveryId,
        outcome: Outcome,
        unchanged: bool,
        /// During which opening of the log it was started.
        opening: u64,
    },
    Ask(Ask),
    /// The same for our own needs: nobody will ask again soon.
    Peek(Ask),
    BeginPass,
    EndPass(oneshot::Sender<Report>),
    WhenQuiet(oneshot::Sender<()>),
    Change(Box<Set>, oneshot::Sender<()>),
}

/// The writer cannot make anything durable.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the log cannot be written")]
pub(crate) struct Broken(pub(crate) Problem);

/// What happened between the beginning and the end of a pass.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Events, notices left out.
    pub(crate) events: u64,
    /// Events about notices.
    pub(crate) notices: u64,
    /// The first events, for what changed.
    pub(crate) told: Vec<Event>,
    /// Remarks of readings.
    pub(crate) remarks: Vec<(ConnectorName, Remark)>,
    /// Effects that were handed to tools, by delivery.
    pub(crate) tried: BTreeMap<DeliveryId, Planned>,
    /// The ones that were made, in order.
    pub(crate) done: Vec<DeliveryId>,
    /// Those among them whose tool held exactly that already.
    pub(crate) unchanged: BTreeSet<DeliveryId>,
}

/// How every source stands.
pub(crate) type Standings = BTreeMap<ConnectorName, Standing>;

/// How far the writer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pulse {
    /// The last commit.
    pub(crate) commit: u64,
    /// Attempts that were made again leave no commit, and are shown all the same.
    pub(crate) retried: u64,
    /// Engine and log were let go until somebody needs them.
    pub(crate) asleep: bool,
}

/// When sources were read and found as known, which nobody has to decide about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Same(Arc<Mutex<BTreeMap<ConnectorName, Timestamp>>>);

impl Same {
    /// The source was found as known.
    pub(crate) fn found(&self, source: &ConnectorName, at: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(source.clone(), at);
    }

    /// When each was.
    pub(crate) fn known(&self) -> BTreeMap<ConnectorName, Timestamp> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }
}

/// The way to the writer.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(super) tell: mpsc::Sender<Command>,
    pub(super) status: watch::Receiver<Option<Problem>>,
    pub(super) standings: watch::Receiver<Standings>,
    pub(super) pulse: watch::Receiver<Pulse>,
    pub(super) same: Same,
}

impl Desk {
    /// Hands in an input; resolves once what was decided is durable.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub(crate) async fn input(&self, input: Input) -> Result<Reply, Broken> {
        let (reply, answer) = oneshot::channel();
        self.tell
            .send(Command::Input { input, reply })
            .await
            .map_err(|_| stopped())?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// As [`Desk::input`], but refuses at once when too many wait already (`Ok(None)`).
    ///
    /// # Errors
    /// When the log cannot be written.
    pub(crate) async fn try_input(&self, input: Input) -> Result<Option<Reply>, Broken> {
        let (reply, answer) = oneshot::channel();
        match self.tell.try_send(Command::Input { input, reply }) {
            Ok(()) => answer.await.unwrap_or_else(|_| Err(stopped())).map(Some),
            Err(mpsc::error::TrySendError::Full(_)) => Ok(None),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(stopped()),
        }
    }

    /// Looks at the engine and the log, between two groups.
    ///
    /// # Errors
    /// When the log cannot be written, or the writer stopped.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut Engine, &mut dyn Log) -> T + Send + 'static,
    ) -> Result<T, Broken> {
        self.look(Command::Ask, look).await
    }

    /// The same for our own needs: it does not keep a place awake.
    ///
    /// # Errors
    /// When the log cannot be written, or the writer stopped.
    pub(crate) async fn peek<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut Engine, &mut dyn Log) -> T + Send + 'static,
    ) -> Result<T, Broken> {
        self.look(Command::Peek, look).await
    }

    async fn look<T: Send + 'static>(
        &self,
        how: fn(Ask) -> Command,
        look: impl FnOnce(&mut Engine, &mut dyn Log) -> T + Send + 'static,
    ) -> Result<T, Broken> {
        let (reply, answer) = oneshot::channel();
        let look = Box::new(move |engine: &mut Engine, log: &mut dyn Log| {
            // Nobody waits any more when this fails.
            drop(reply.send(look(engine, log)));
        });
        self.tell.send(how(look)).await.map_err(|_| stopped())?;
        answer
            .await
            .map_err(|_| self.problem().map_or_else(stopped, Broken))
    }

    /// Begins to gather what happens.
    pub(crate) async fn begin_pass(&self) {
        drop(self.tell.send(Command::BeginPass).await);
    }

    /// Lets effects start that a pass withheld until its sources were read.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub(crate) async fn release(&self) -> Result<(), Broken> {
        self.ask(|engine, _| engine.release()).await?;
        self.input(Input::Tick).await.map(drop)
    }

    /// Sets the place anew. What is under way with the tools of before ends first, and nothing is
    /// started meanwhile; what is handed in is taken all the time.
    ///
    /// # Errors
    /// When the writer stopped.
    pub(crate) async fn change(&self, set: Set) -> Result<(), Broken> {
        // A log that cannot be written starts nothing either.
        if self.ask(|engine, _| engine.withhold()).await.is_ok() {
            drop(self.when_quiet().await);
        }
        let (reply, answer) = oneshot::channel();
        self.tell
            .send(Command::Change(Box::new(set), reply))
            .await
            .map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?;
        // Opened again, it withholds nothing.
        drop(self.release().await);
        Ok(())
    }

    /// What happened since the pass began.
    ///
    /// # Errors
    /// When the writer stopped.
    pub(crate) async fn end_pass(&self) -> Result<Report, Broken> {
        let (reply, answer) = oneshot::channel();
        self.tell
            .send(Command::EndPass(reply))
            .await
            .map_err(|_| stopped())?;
        answer
            .await
            .map_err(|_| self.problem().map_or_else(stopped, Broken))
    }

    /// Resolves once no effect is under way and none can start now.
    ///
    /// # Errors
    /// When the writer stopped.
    pub(crate) async fn when_quiet(&self) -> Result<(), Broken> {
        let (reply, answer) = oneshot::channel();
        self.tell
            .send(Command::WhenQuiet(reply))
            .await
            .map_err(|_| stopped())?;
        answer
            .await
            .map_err(|_| self.problem().map_or_else(stopped, Broken))
    }

    /// Why nothing can be made durable, if so.
    pub(crate) fn problem(&self) -> Option<Problem> {
        self.status.borrow().clone()
    }

    /// How the sources stand, as of the last group; known before anybody hears that it was decided.
    pub(crate) fn standings(&self) -> watch::Receiver<Standings> {
        self.standings.clone()
    }

    /// How far the writer is.
    pub(crate) fn pulse(&self) -> watch::Receiver<Pulse> {
        self.pulse.clone()
    }

    /// Where it is noted that a source was found as known.
    pub(crate) fn same(&self) -> &Same {
        &self.same
    }
}

/// Nobody writes any more.
pub(super) fn stopped() -> Broken {
    Broken(Problem::failed(
        "",
        "writer-stopped",
        raccord_model::Words::new("Raccord est en train de s'arrêter.", "Raccord is stopping."),
        raccord_model::Words::new(
            "Relancez la commande ensuite.",
            "Run the command again afterwards.",
        ),
    ))
}
