//! JetStream itself, asked by its own client.

use async_nats::jetstream::Context;
use async_nats::jetstream::context::{ContextBuilder, PublishError, PublishErrorKind};
use async_nats::jetstream::message::{PublishMessage, StreamMessage};
use async_nats::jetstream::stream::{
    DeleteMessageErrorKind, LastRawMessageError, LastRawMessageErrorKind, Stream,
};
use raccord_model::Words;
use std::future::Future;
use std::pin::Pin;

use super::broker::{
    Ack, Answer, Broker, Failure, Found, Message, Only, Running, Since, Span, Take,
};
use super::connect::{at_least, connect};
use super::error::ClusterError;
use super::link::{chain, refused};
use super::settings::Settings;
use super::{consumers, streams};
use crate::LogError;

/// What a message may hold at the least: the largest of ours, and its headers.
const LEAST: usize = 512 << 10;

/// A connection of the client.
#[derive(Debug)]
pub(super) struct Nats {
    context: Context,
    replicas: usize,
}

impl Nats {
    /// Connects. To be called where the connection is carried.
    pub(super) async fn connect(settings: &Settings) -> Result<Self, ClusterError> {
        let client = connect(settings).await?;
        let context = ContextBuilder::new().timeout(settings.answer).build(client);
        Ok(Self {
            context,
            replicas: settings.replicas,
        })
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    pub(super) fn replicas(&self) -> usize {
        self.replicas
    }

    pub(super) async fn stream(&self, name: &str) -> Result<Stream<()>, ClusterError> {
        let stream = self.context.get_stream_no_info(name).await;
        stream.map_err(|error| refused("find a stream", &error))
    }
}

impl Broker for Nats {
    fn check(&self) -> Result<(), ClusterError> {
        let info = self.context.client().server_info();
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
        let several = self.replicas > 1 || info.cluster.is_some();
        if several && !at_least(&info.version, 2, 11) {
            return Err(ClusterError::TooOld {
                found: info.version,
            });
        }
        Ok(())
    }

    fn send(&self, message: Message) -> Answer<'_, Answer<'static, Ack>> {
        Box::pin(async move {
            let mut publish = PublishMessage::build().payload(message.payload);
            if !message.headers.is_empty() {
                publish = publish.headers(message.headers);
            }
            match message.only {
                Only::Always => {}
                Only::In(stream) => publish = publish.expected_stream(stream),
                // Which stream took it stands in the answer.
                Only::After(sequence) => {
                    publish = publish.expected_last_subject_sequence(sequence);
                }
            }
            let sent = self.context.send_publish(message.subject, publish).await;
            let sent = sent.map_err(|error| unconfirmed(&error))?;
            let taken: Answer<'static, Ack> = Box::pin(async move {
                let ack = sent.await.map_err(|error| unconfirmed(&error))?;
                Ok(Ack {
                    stream: ack.stream,
                    sequence: ack.sequence,
                    duplicate: ack.duplicate,
                })
            });
            Ok(taken)
        })
    }

    fn last<'a>(&'a self, stream: &'a str, subject: &'a str) -> Answer<'a, Option<Found>> {
        Box::pin(async move {
            let stream = self.stream(stream).await.map_err(Failure::Final)?;
            let asked = stream.raw_message_builder().last_by_subject(subject);
            found(asked.send().await)
        })
    }

    fn next<'a>(
        &'a self,
        stream: &'a str,
        subject: &'a str,
        after: u64,
    ) -> Answer<'a, Option<Found>> {
        Box::pin(async move {
            let stream = self.stream(stream).await.map_err(Failure::Final)?;
            let asked = stream.raw_message_builder().sequence(after + 1);
            found(asked.next_by_subject(subject).send().await)
        })
    }

    fn reached<'a>(&'a self, stream: &'a str) -> Answer<'a, u64> {
        Box::pin(async move {
            let stream = self.stream(stream).await.map_err(Failure::Final)?;
            let info = stream.get_info().await;
            info.map(|info| info.state.last_sequence)
                .map_err(|error| Failure::Final(refused("look at a stream", &error)))
        })
    }

    fn read<'a>(
        &'a self,
        span: Span<'a>,
        take: Take<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<bool, LogError>> + 'a>> {
        Box::pin(consumers::read(self, span, take))
    }

    fn erase<'a>(&'a self, stream: &'a str, sequence: u64) -> Answer<'a, ()> {
        Box::pin(async move {
            let stream = self.stream(stream).await.map_err(Failure::Final)?;
            let Err(error) = stream.delete_message(sequence).await else {
                return Ok(());
            };
            match error.kind() {
                // "no message found", "sequence not found": in some versions code 400 or 500.
                DeleteMessageErrorKind::JetStream(reason) if streams::is_gone(&reason) => Ok(()),
                DeleteMessageErrorKind::JetStream(reason)
                    if !streams::is_passing(reason.code()) =>
                {
                    Err(Failure::Final(refused("delete a message", &reason)))
                }
                _ => Err(Failure::Passing(ClusterError::Unconfirmed)),
            }
        })
    }

    fn purge<'a>(
        &'a self,
        stream: &'a str,
        subject: &'a str,
        before: Option<u64>,
    ) -> Answer<'a, ()> {
        Box::pin(async move {
            let stream = self.stream(stream).await.map_err(Failure::Final)?;
            let purge = stream.purge().filter(subject);
            let done = match before {
                Some(sequence) => purge.sequence(sequence).await,
                None => purge.await,
            };
            done.map(drop)
                .map_err(|error| Failure::Passing(refused("take messages away", &error)))
        })
    }

    fn follow(&self, stream: &'static str, since: Since) -> Answer<'_, Running> {
        Box::pin(async move {
            let running = consumers::follow(self, stream, since).await;
            running.map_err(Failure::Passing)
        })
    }

    fn client(&self) -> Option<async_nats::Client> {
        Some(self.context.client())
    }
}

fn found(answer: Result<StreamMessage, LastRawMessageError>) -> Result<Option<Found>, Failure> {
    let error = match answer {
        Ok(message) => {
            return Ok(Some(Found {
                subject: message.subject.into_string(),
                sequence: message.sequence,
                headers: message.headers,
                payload: message.payload,
            }));
        }
        Err(error) => error,
    };
    match error.kind() {
        LastRawMessageErrorKind::NoMessageFound => Ok(None),
        LastRawMessageErrorKind::JetStream(reason) if !streams::is_passing(reason.code()) => {
            Err(Failure::Final(refused("read a message", &reason)))
        }
        LastRawMessageErrorKind::InvalidSubject => {
            Err(Failure::Final(refused("read a message", &error)))
        }
        _ => Err(Failure::Passing(ClusterError::Unreachable {
            why: chain(&error),
        })),
    }
}

/// What a write came to that was not confirmed: with the servers' reason, where they gave one (no
/// room, no leader), or without.
fn unconfirmed(error: &PublishError) -> Failure {
    match error.kind() {
        PublishErrorKind::MaxPayloadExceeded => {
            Failure::Final(refused("take a message of this size", error))
        }
        PublishErrorKind::Other | PublishErrorKind::StreamNotFound => {
            Failure::Passing(refused("take a write", error))
        }
        _ => Failure::Passing(ClusterError::Unconfirmed),
    }
}
