//! Many messages at once, by the consumers of JetStream: read up to one, or followed while they come.

use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::pull::{Config, OrderedConfig};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy};
use futures_util::StreamExt as _;
use tokio::time::timeout;

use super::broker::{Found, Running, Since, Span, Take, Told};
use super::error::ClusterError;
use super::link::refused;
use super::nats::Nats;
use crate::LogError;

/// How many messages are asked for at once: they may be large.
const BATCH: usize = 64;

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(5);

/// After how long the server may forget a consumer nobody asks.
const IDLE: Duration = Duration::from_secs(30);

/// Reads by a consumer of its own, as far as it gets. Whether that was all.
pub(super) async fn read(nats: &Nats, span: Span<'_>, take: Take<'_>) -> Result<bool, LogError> {
    let stream = nats.stream(span.stream).await?;
    let config = Config {
        deliver_policy: DeliverPolicy::ByStartSequence {
            start_sequence: span.after + 1,
        },
        ack_policy: AckPolicy::None,
        filter_subject: span.subject.to_owned(),
        inactive_threshold: IDLE,
        memory_storage: true,
        num_replicas: 1,
        ..Config::default()
    };
    let consumer = stream
        .create_consumer(config)
        .await
        .map_err(|error| refused("read a stream", &error))?;
    let mut expected = 1;
    let whole = 'read: loop {
        let mut batch = consumer
            .fetch()
            .max_messages(BATCH)
            .messages()
            .await
            .map_err(|error| refused("read a stream", &error))?;
        let mut got = 0;
        loop {
            // A consumer that went with its server is asked in vain: nobody refuses, nobody answers.
            let Ok(next) = timeout(ANSWER, batch.next()).await else {
                break 'read false;
            };
            let Some(message) = next else { break };
            let message = message.map_err(|error| refused("read a stream", &*error))?;
            let info = message
                .info()
                .map_err(|error| refused("read a stream", &*error))?;
            let (number, sequence) = (info.consumer_sequence, info.stream_sequence);
            // One was lost on the way to us: what came before stands, the rest is asked again.
            if number != expected {
                break 'read false;
            }
            expected += 1;
            got += 1;
            if sequence > span.until {
                break 'read true;
            }
            let (message, _) = message.split();
            take(Found {
                subject: message.subject.into_string(),
                sequence,
                headers: message.headers.unwrap_or_default(),
                payload: message.payload,
            })?;
            if sequence == span.until {
                break 'read true;
            }
        }
        if got == 0 {
            break false;
        }
    };
    let name = consumer.cached_info().name.clone();
    // The server forgets it by itself otherwise.
    stream.delete_consumer(&name).await.ok();
    Ok(whole)
}

/// Tells messages while they come.
pub(super) async fn follow(
    nats: &Nats,
    stream: &'static str,
    since: Since,
) -> Result<Running, ClusterError> {
    let config = match since {
        Since::Now => OrderedConfig {
            deliver_policy: DeliverPolicy::New,
            headers_only: true,
            ..OrderedConfig::default()
        },
        Since::LastOfEach(subjects) => OrderedConfig {
            deliver_policy: DeliverPolicy::LastPerSubject,
            // Without it the servers refuse that policy.
            filter_subject: subjects.to_owned(),
            ..OrderedConfig::default()
        },
    };
    let stream = nats.stream(stream).await?;
    let refuse = |error: &dyn std::error::Error| refused("follow a stream", error);
    let consumer = stream.create_consumer(config).await;
    let consumer = consumer.map_err(|error| refuse(&error))?;
    let messages = consumer.messages().await.map_err(|error| refuse(&error))?;
    let told = messages.map(|message| {
        let message = message.map_err(|error| refused("follow a stream", &error))?;
        told(&message)
    });
    Ok(Box::pin(told))
}

fn told(message: &Message) -> Result<Told, ClusterError> {
    let info = message
        .info()
        .map_err(|error| refused("follow a stream", &*error))?;
    Ok(Told {
        subject: message.subject.to_string(),
        sequence: info.stream_sequence,
        at: info.published.unix_timestamp_nanos(),
        left: info.pending,
        payload: message.payload.clone(),
    })
}
