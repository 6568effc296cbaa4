//! The one connection of a process to the cluster, shared by the logs of all places, and the few
//! things they ask of it. Calls block; nothing of a place is kept here.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::Context;
use async_nats::jetstream::context::{ContextBuilder, PublishErrorKind};
use async_nats::jetstream::message::{PublishMessage, StreamMessage};
use async_nats::jetstream::stream::{LastRawMessageErrorKind, Stream};
use bytes::Bytes;
use raccord_model::Words;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::time::{Instant, timeout};

use super::connect::{at_least, connect};
use super::error::ClusterError;
use super::settings::Settings;
use super::streams;
use crate::LogError;

/// A connection to a cluster. Clones are the same connection.
///
/// Its calls block the thread they are made on: threads of the runtime itself must not make them,
/// unless it has several.
#[derive(Clone, Debug)]
pub struct Jetstream(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    runtime: Handle,
    context: Context,
    replicas: usize,
    patience: Duration,
}

/// What a message may hold at the least: the largest of ours, and its headers.
const LEAST: usize = 512 << 10;

/// A message as it lies in a stream.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) subject: String,
    pub(super) sequence: u64,
    pub(super) headers: HeaderMap,
    pub(super) payload: Bytes,
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
        let client = wait(&runtime, connect(settings))?;
        let context = wait(&runtime, async {
            ContextBuilder::new().timeout(settings.answer).build(client)
        });
        let link = Self(Arc::new(Inner {
            runtime,
            context,
            replicas: settings.replicas,
            patience: settings.patience,
        }));
        link.check_version()?;
        link.wait(streams::settle(&link))?;
        Ok(link)
    }

    /// Refuses servers that could accept two writers. The connection may have moved to another
    /// server since it was made, so every opening asks again.
    pub(super) fn check_version(&self) -> Result<(), ClusterError> {
        let info = self.context().client().server_info();
        if !info.jetstream {
            return Err(ClusterError::NoJetstream);
        }
        if info.max_payload < LEAST {
            return Err(ClusterError::Setting {
                name: "max_payload",
                why: Words::new(
                    "le serveur NATS doit accepter des messages de 512 ko",
                    "the NATS server must take messages of 512 kB",
                ),
            });
        }
        let several = self.0.replicas > 1 || info.cluster.is_some();
        if several && !at_least(&info.version, 2, 11) {
            return Err(ClusterError::TooOld {
                found: info.version,
            });
        }
        Ok(())
    }

    pub(super) fn wait<F: Future>(&self, future: F) -> F::Output {
        wait(&self.0.runtime, future)
    }

    /// Runs a task beside the calls, until it is aborted or the connection's runtime ends.
    pub(super) fn spawn(
        &self,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> tokio::task::AbortHandle {
        self.0.runtime.spawn(task).abort_handle()
    }

    pub(super) fn context(&self) -> &Context {
        &self.0.context
    }

    pub(super) fn replicas(&self) -> usize {
        self.0.replicas
    }

    /// Until when something begun now is followed up.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.0.patience
    }

    pub(super) async fn stream(&self, name: &str) -> Result<Stream<()>, ClusterError> {
        self.context()
            .get_stream_no_info(name)
            .await
            .map_err(|error| refused("find a stream", &error))
    }

    /// The last message on `subject`, as the stream's leader has it.
    pub(super) async fn last(
        &self,
        stream: &str,
        subject: &str,
    ) -> Result<Option<Found>, ClusterError> {
        let stream = self.stream(stream).await?;
        self.patiently(|| stream.raw_message_builder().last_by_subject(subject).send())
            .await
    }

    /// The sequence of the last message `stream` ever took, whether it is still there or not.
    pub(super) async fn last_of(&self, stream: &str) -> Result<u64, ClusterError> {
        let stream = self.stream(stream).await?;
        let info = stream.get_info().await;
        info.map(|info| info.state.last_sequence)
            .map_err(|error| refused("look at a stream", &error))
    }

    /// The first message on `subject` after `sequence`, as the stream's leader has it.
    pub(super) async fn after(
        &self,
        stream: &str,
        subject: &str,
        sequence: u64,
    ) -> Result<Option<Found>, ClusterError> {
        let stream = self.stream(stream).await?;
        self.patiently(|| {
            stream
                .raw_message_builder()
                .sequence(sequence + 1)
                .next_by_subject(subject)
                .send()
        })
        .await
    }

    /// Asks until there is an answer, or patience ends.
    async fn patiently<F>(&self, ask: impl Fn() -> F) -> Result<Option<Found>, ClusterError>
    where
        F: Future<
            Output = Result<StreamMessage, async_nats::jetstream::stream::LastRawMessageError>,
        >,
    {
        let deadline = self.deadline();
        let mut pause = Pause::new();
        loop {
            let error = match ask().await {
                Ok(message) => return Ok(Some(message.into())),
                Err(error) => error,
            };
            match error.kind() {
                LastRawMessageErrorKind::NoMessageFound => return Ok(None),
                LastRawMessageErrorKind::JetStream(reason)
                    if !streams::is_passing(reason.code()) =>
                {
                    return Err(refused("read a message", &reason));
                }
                LastRawMessageErrorKind::InvalidSubject => {
                    return Err(refused("read a message", &error));
                }
                _ if Instant::now() >= deadline => {
                    return Err(ClusterError::Unreachable { why: chain(&error) });
                }
                _ => pause.before_next().await,
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
        let deadline = self.deadline();
        let mut pause = Pause::new();
        loop {
            // Which stream took it stands in the answer.
            let message = PublishMessage::build()
                .payload(payload.clone())
                .expected_last_subject_sequence(expected);
            let answer = match self
                .context()
                .send_publish(subject.to_owned(), message)
                .await
            {
                Ok(acknowledged) => acknowledged.await,
                Err(error) => Err(error),
            };
            let doubt = match answer {
                Ok(ack) if ack.stream == stream && ack.sequence > expected && !ack.duplicate => {
                    return Ok(Put::In(ack.sequence));
                }
                // An answer that cannot be: what stands decides.
                Ok(_) => ClusterError::Unconfirmed,
                Err(error) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                    return Err(refused("take a message of this size", &error));
                }
                Err(error) => doubtful(&error),
            };
            tracing::debug!(%doubt, subject, "cluster.unconfirmed");
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
                _ if Instant::now() >= deadline => return Err(doubt),
                _ => pause.before_next().await,
            }
        }
    }

    /// Publishes messages that may be there twice without harm; durable when this returns.
    /// The sequences they got, and whether one may be there twice.
    pub(super) async fn put_all(
        &self,
        stream: &str,
        messages: Vec<(String, HeaderMap, Bytes)>,
    ) -> Result<(Vec<u64>, bool), ClusterError> {
        let deadline = self.deadline();
        let mut pause = Pause::new();
        let mut sequences = vec![0; messages.len()];
        let mut again = false;
        loop {
            let mut waiting = Vec::new();
            let missing = sequences.iter().enumerate().filter(|(_, at)| **at == 0);
            for index in missing.map(|(index, _)| index).collect::<Vec<_>>() {
                let (subject, headers, payload) = &messages[index];
                let message = PublishMessage::build()
                    .headers(headers.clone())
                    .payload(payload.clone())
                    .expected_stream(stream);
                let sent = self.context().send_publish(subject.clone(), message).await;
                waiting.push((index, sent));
            }
            let mut failed = None;
            for (index, sent) in waiting {
                let answer = match sent {
                    Ok(acknowledged) => acknowledged.await,
                    Err(error) => Err(error),
                };
                match answer {
                    Ok(ack) if ack.stream == stream => sequences[index] = ack.sequence,
                    Ok(_) => return Err(ClusterError::Unconfirmed),
                    Err(error) => failed = Some(error),
                }
            }
            match failed {
                None => return Ok((sequences, again)),
                Some(error) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                    return Err(refused("take a message of this size", &error));
                }
                Some(error) if Instant::now() >= deadline => return Err(doubtful(&error)),
                Some(error) => {
                    tracing::debug!(%error, "cluster.unconfirmed");
                    again = true;
                    pause.before_next().await;
                }
            }
        }
    }

    /// Deletes a message so that its bytes are overwritten; one that is gone already is fine.
    pub(super) async fn erase(&self, stream: &str, sequences: &[u64]) -> Result<(), ClusterError> {
        use async_nats::jetstream::stream::DeleteMessageErrorKind as Kind;
        let stream = self.stream(stream).await?;
        let deadline = self.deadline();
        for sequence in sequences {
            let mut pause = Pause::new();
            while let Err(error) = stream.delete_message(*sequence).await {
                match error.kind() {
                    // "no message found", "sequence not found": in some versions code 400 or 500.
                    Kind::JetStream(reason) if streams::is_gone(&reason) => break,
                    Kind::JetStream(reason) if !streams::is_passing(reason.code()) => {
                        return Err(refused("delete a message", &reason));
                    }
                    _ if Instant::now() >= deadline => return Err(ClusterError::Unconfirmed),
                    _ => pause.before_next().await,
                }
            }
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
        let stream = self.stream(stream).await?;
        let deadline = self.deadline();
        let mut pause = Pause::new();
        loop {
            let purge = stream.purge().filter(subject);
            let done = match before {
                Some(sequence) => purge.sequence(sequence).await,
                None => purge.await,
            };
            match done {
                Ok(_) => return Ok(()),
                Err(error) if Instant::now() >= deadline => {
                    return Err(refused("take messages away", &error));
                }
                Err(_) => pause.before_next().await,
            }
        }
    }
}

impl From<StreamMessage> for Found {
    fn from(message: StreamMessage) -> Self {
        Self {
            subject: message.subject.into_string(),
            sequence: message.sequence,
            headers: message.headers,
            payload: message.payload,
        }
    }
}

/// Pauses that grow, between one try and the next.
pub(super) struct Pause(Duration);

impl Pause {
    pub(super) fn new() -> Self {
        Self(Duration::from_millis(10))
    }
    pub(super) async fn before_next(&mut self) {
        // Nothing tells when a cluster has chosen its leader: it has to be asked again.
        timeout(self.0, std::future::pending::<()>()).await.ok();
        self.0 = (self.0 * 2).min(Duration::from_millis(500));
    }
}

/// Blocks until `future` is done, also where the runtime's own threads call.
fn wait<F: Future>(runtime: &Handle, future: F) -> F::Output {
    match Handle::try_current() {
        Ok(current) if current.runtime_flavor() == RuntimeFlavor::MultiThread => {
            tokio::task::block_in_place(|| runtime.block_on(future))
        }
        _ => runtime.block_on(future),
    }
}

pub(super) fn refused(step: &'static str, error: &dyn std::error::Error) -> ClusterError {
    ClusterError::Refused {
        step,
        why: chain(error),
    }
}

/// What a write came to that was not confirmed: with the servers' reason, where they gave one (no
/// room, no leader), or without.
fn doubtful(error: &async_nats::jetstream::context::PublishError) -> ClusterError {
    match error.kind() {
        PublishErrorKind::Other | PublishErrorKind::StreamNotFound => {
            refused("take a write", error)
        }
        _ => ClusterError::Unconfirmed,
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
