//! The one connection of a process to the cluster, shared by the logs of all places, and the few
//! things they ask of it: how long an answer is waited for, and what a write that was refused or not
//! confirmed came to. Calls block; nothing of a place is kept here.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use futures_util::future::{AbortHandle, Either, abortable, select};
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::broker::{Ack, Answer, Broker, Failure, Found, Message, Only};
use super::carrier::{Carrier, Tokio};
use super::error::ClusterError;
use super::nats::Nats;
use super::settings::Settings;
use super::streams;
use crate::LogError;
use crate::faults::{Fault, planted};

/// A connection to a cluster. Clones are the same connection.
///
/// Its calls block the thread they are made on: threads of the runtime itself must not make them,
/// unless it has several.
#[derive(Clone, Debug)]
pub struct Jetstream(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    broker: Box<dyn Broker>,
    carrier: Arc<dyn Carrier>,
    patience: Duration,
}

/// What became of a message that was only to follow a certain one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// It stands, under this sequence.
    In(u64),
    /// Another one came first; this is the last.
    Other(u64),
}

impl Jetstream {
    /// Connects, and makes the streams that are missing. `runtime` carries the connection.
    ///
    /// # Errors
    /// [`LogError::Cluster`] with what is wrong: settings, servers, credentials, versions, streams.
    pub fn connect(runtime: Handle, settings: &Settings) -> Result<Self, LogError> {
        let carrier = Arc::new(Tokio(runtime));
        let nats = wait(&*carrier, Nats::connect(settings))?;
        nats.check()?;
        let patience = Patience::new(Arc::clone(&carrier) as _, settings.patience);
        wait(&*carrier, streams::settle(&nats, patience))?;
        Ok(Self::over(Box::new(nats), carrier, settings.patience))
    }

    /// A connection that was made already: `patience` is how long a write whose answer did not come
    /// is followed up.
    pub fn over(broker: Box<dyn Broker>, carrier: Arc<dyn Carrier>, patience: Duration) -> Self {
        Self(Arc::new(Inner {
            broker,
            carrier,
            patience,
        }))
    }

    pub(super) fn broker(&self) -> &dyn Broker {
        &*self.0.broker
    }

    /// Refuses servers that could accept two writers. The connection may have moved to another
    /// server since it was made, so every opening asks again.
    pub(super) fn check_version(&self) -> Result<(), ClusterError> {
        self.broker().check()
    }

    /// Blocks until `future` is done.
    pub(super) fn wait<F: Future>(&self, future: F) -> F::Output {
        wait(&*self.0.carrier, future)
    }

    /// Runs a task beside the calls, until it is aborted or the connection's runtime ends.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        let (task, handle) = abortable(task);
        self.0.carrier.spawn(Box::pin(async move {
            task.await.ok();
        }));
        handle
    }

    /// Runs a task beside the calls, on what carries the connection.
    pub fn beside(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.carrier.spawn(Box::pin(task));
    }

    pub(super) fn now(&self) -> Instant {
        self.0.carrier.now()
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.0.carrier.elapsed()
    }

    pub(super) async fn sleep_until(&self, until: Instant) {
        self.0.carrier.sleep_until(until).await;
    }

    /// Waits for `future`, but not after `deadline`.
    pub(super) async fn by<F: Future>(&self, deadline: Instant, future: F) -> Option<F::Output> {
        match select(pin!(future), self.0.carrier.sleep_until(deadline)).await {
            Either::Left((output, _)) => Some(output),
            Either::Right(_) => None,
        }
    }

    /// Draws bytes that nobody else draws, for what stands at `subject`.
    pub(super) fn drawn<const N: usize>(&self, subject: &str) -> Result<[u8; N], LogError> {
        let mut drawn = [0; N];
        self.0.carrier.draw(subject, &mut drawn)?;
        Ok(drawn)
    }

    /// Until when something begun now is followed up.
    pub(super) fn patience(&self) -> Patience {
        Patience::new(Arc::clone(&self.0.carrier), self.0.patience)
    }

    /// Until when something begun now is waited for.
    pub(super) fn deadline(&self) -> Instant {
        self.now() + self.0.patience
    }

    /// The last message on `subject`, as the stream's leader has it.
    pub(super) async fn last(
        &self,
        stream: &str,
        subject: &str,
    ) -> Result<Option<Found>, ClusterError> {
        self.patiently(|| self.broker().last(stream, subject)).await
    }

    /// The sequence of the last message `stream` ever took, whether it is still there or not.
    pub(super) async fn last_of(&self, stream: &str) -> Result<u64, ClusterError> {
        let reached = self.broker().reached(stream).await;
        reached.map_err(Failure::reason)
    }

    /// The first message on `subject` after `sequence`, as the stream's leader has it.
    pub(super) async fn after(
        &self,
        stream: &str,
        subject: &str,
        sequence: u64,
    ) -> Result<Option<Found>, ClusterError> {
        self.patiently(|| self.broker().next(stream, subject, sequence))
            .await
    }

    /// Asks until there is an answer, or patience ends.
    async fn patiently<'a, T>(&self, ask: impl Fn() -> Answer<'a, T>) -> Result<T, ClusterError> {
        let mut patience = self.patience();
        loop {
            match ask().await {
                Ok(answer) => return Ok(answer),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Passing(error)) if patience.is_over() => return Err(error),
                Err(Failure::Passing(_)) => patience.before_next().await,
            }
        }
    }

    /// Publishes a message that may only follow the message `expected` of its subject. A refused or
    /// unconfirmed one is settled by reading the subject's last message, never by trying blindly.
    pub(super) async fn put_after(
        &self,
        stream: &str,
        subject: &str,
        expected: u64,
        payload: Bytes,
    ) -> Result<Put, ClusterError> {
        let mut patience = self.patience();
        let mut only = if planted(Fault::NoExpectation) {
            Only::Always
        } else {
            Only::After(expected)
        };
        loop {
            let sent = self.taken(Message {
                subject: subject.to_owned(),
                headers: HeaderMap::new(),
                payload: payload.clone(),
                only,
            });
            let doubt = match sent.await {
                Ok(ack) if ack.stream == stream && ack.sequence > expected && !ack.duplicate => {
                    return Ok(Put::In(ack.sequence));
                }
                // An answer that cannot be: what stands decides.
                Ok(_) => ClusterError::Unconfirmed,
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Passing(doubt)) => doubt,
            };
            tracing::debug!(%doubt, subject, "cluster.unconfirmed");
            if planted(Fault::BlindRetry) && !patience.is_over() {
                only = Only::Always;
                patience.before_next().await;
                continue;
            }
            match self.last(stream, subject).await? {
                Some(last) if last.sequence > expected => {
                    return Ok(if last.payload == payload {
                        Put::In(last.sequence)
                    } else {
                        Put::Other(last.sequence)
                    });
                }
                // The subject was emptied, or is an older one: nothing can be said of ours.
                None if expected > 0 => return Err(ClusterError::Unconfirmed),
                Some(last) if last.sequence < expected => return Err(ClusterError::Unconfirmed),
                _ if patience.is_over() => return Err(doubt),
                _ => patience.before_next().await,
            }
        }
    }

    /// Sends a message, and waits until it is taken.
    pub(super) async fn taken(&self, message: Message) -> Result<Ack, Failure> {
        self.broker().send(message).await?.await
    }

    /// Publishes messages that may be there twice without harm; durable when this returns.
    /// The sequences they got, and whether one may be there twice.
    pub(super) async fn put_all(
        &self,
        stream: &'static str,
        messages: Vec<(String, HeaderMap, Bytes)>,
    ) -> Result<(Vec<u64>, bool), ClusterError> {
        let mut patience = self.patience();
        let mut sequences = vec![0; messages.len()];
        let mut again = false;
        loop {
            let mut waiting = Vec::new();
            let missing = sequences.iter().enumerate().filter(|(_, at)| **at == 0);
            for index in missing.map(|(index, _)| index).collect::<Vec<_>>() {
                let (subject, headers, payload) = messages[index].clone();
                let sent = self.broker().send(Message {
                    subject,
                    headers,
                    payload,
                    only: Only::In(stream),
                });
                waiting.push((index, sent.await));
            }
            let mut failed = None;
            for (index, sent) in waiting {
                let answer = match sent {
                    Ok(taken) => taken.await,
                    Err(failure) => Err(failure),
                };
                match answer {
                    Ok(ack) if ack.stream == stream => sequences[index] = ack.sequence,
                    Ok(_) => return Err(ClusterError::Unconfirmed),
                    Err(Failure::Final(error)) => return Err(error),
                    Err(Failure::Passing(error)) => failed = Some(error),
                }
            }
            match failed {
                None => return Ok((sequences, again)),
                Some(error) if patience.is_over() => return Err(error),
                Some(error) => {
                    tracing::debug!(%error, "cluster.unconfirmed");
                    again = true;
                    patience.before_next().await;
                }
            }
        }
    }

    /// Deletes messages so that their bytes are overwritten; one that is gone already is fine.
    pub(super) async fn erase(&self, stream: &str, sequences: &[u64]) -> Result<(), ClusterError> {
        for sequence in sequences {
            self.patiently(|| self.broker().erase(stream, *sequence))
                .await?;
        }
        Ok(())
    }

    /// Takes all messages on `subject` before `sequence` away; all where it is none.
    pub(super) async fn purge(
        &self,
        stream: &str,
        subject: &str,
        before: Option<u64>,
    ) -> Result<(), ClusterError> {
        self.patiently(|| self.broker().purge(stream, subject, before))
            .await
    }
}

/// How long something is asked again, with pauses that grow between one try and the next.
pub(super) struct Patience {
    carrier: Arc<dyn Carrier>,
    most: Duration,
    deadline: Instant,
    pause: Duration,
}

impl Patience {
    fn new(carrier: Arc<dyn Carrier>, most: Duration) -> Self {
        Self {
            deadline: carrier.now() + most,
            most,
            carrier,
            pause: Duration::from_millis(10),
        }
    }

    /// Something came: it begins anew.
    pub(super) fn renew(&mut self) {
        self.deadline = self.carrier.now() + self.most;
    }

    pub(super) fn is_over(&self) -> bool {
        self.carrier.now() >= self.deadline
    }

    pub(super) async fn before_next(&mut self) {
        // Nothing tells when a cluster has chosen its leader: it has to be asked again.
        let until = self.carrier.now() + self.pause;
        self.carrier.sleep_until(until).await;
        self.pause = (self.pause * 2).min(Duration::from_millis(500));
    }
}

/// Blocks until `future` is done.
fn wait<F: Future>(carrier: &dyn Carrier, future: F) -> F::Output {
    let mut output = None;
    carrier.block_on(pin!(async { output = Some(future.await) }));
    output.expect("a carrier returns once the task is done")
}

pub(super) fn refused(step: &'static str, error: &dyn std::error::Error) -> ClusterError {
    ClusterError::Refused {
        step,
        why: chain(error),
    }
}

/// An error and what led to it, once each.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let why = error.to_string();
        if !text.contains(&why) {
            text.push_str(": ");
            text.push_str(&why);
        }
        source = error.source();
    }
    text
}
