//! Reading many messages of a stream in order, up to one that is known to be there.

use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy};
use futures_util::StreamExt as _;
use std::time::Duration;
use tokio::time::Instant;

use super::error::ClusterError;
use super::link::{Found, Jetstream, Pause, refused};
use crate::LogError;

/// As many are asked for one by one before a consumer is made: most tails are short.
const SINGLES: usize = 24;

/// How many messages are asked for at once: they may be large.
const BATCH: usize = 64;

/// After how long the server may forget a consumer nobody asks.
const IDLE: Duration = Duration::from_secs(30);

impl Jetstream {
    /// Hands `take` every message on `subject` after sequence `after` and up to `until`, in order.
    /// What was let go meanwhile is not there; nothing else is ever left out.
    pub(super) async fn feed(
        &self,
        stream: &str,
        subject: &str,
        after: u64,
        until: u64,
        mut take: impl FnMut(Found) -> Result<(), LogError>,
    ) -> Result<(), LogError> {
        let mut at = after;
        for _ in 0..SINGLES {
            if at >= until {
                return Ok(());
            }
            let Some(found) = self.after(stream, subject, at).await? else {
                if self.is_gone(stream, subject, until).await? {
                    return Ok(());
                }
                break;
            };
            at = found.sequence;
            if at > until {
                return Ok(());
            }
            take(found)?;
        }
        let deadline_after = || self.deadline();
        let mut deadline = deadline_after();
        let mut pause = Pause::new();
        while at < until {
            let before = at;
            let ended = self
                .consume(stream, subject, &mut at, until, &mut take)
                .await;
            match ended {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(LogError::Cluster(error)) if error.is_transient() => {
                    tracing::debug!(%error, subject, "cluster.feed-interrupted");
                }
                Err(error) => return Err(error),
            }
            if at > before {
                deadline = deadline_after();
            } else if Instant::now() >= deadline {
                return Err(LogError::Cluster(ClusterError::Unreachable {
                    why: "no messages came".to_owned(),
                }));
            } else if self.is_gone(stream, subject, until).await?
                && self.after(stream, subject, at).await?.is_none()
            {
                return Ok(());
            }
            pause.before_next().await;
        }
        Ok(())
    }

    /// Whether a message that was there is there no more. A server that has just become the leader
    /// may not know the last ones yet: what is asked for twice is not there.
    async fn is_gone(
        &self,
        stream: &str,
        subject: &str,
        sequence: u64,
    ) -> Result<bool, ClusterError> {
        let found = self
            .after(stream, subject, sequence.saturating_sub(1))
            .await?;
        Ok(found.is_none_or(|found| found.sequence != sequence)
            && self.last_of(stream).await? >= sequence)
    }

    /// Reads by a consumer of its own, as far as it gets. Whether that was all.
    async fn consume(
        &self,
        stream: &str,
        subject: &str,
        at: &mut u64,
        until: u64,
        take: &mut impl FnMut(Found) -> Result<(), LogError>,
    ) -> Result<bool, LogError> {
        let stream = self.stream(stream).await?;
        let config = Config {
            deliver_policy: DeliverPolicy::ByStartSequence {
                start_sequence: *at + 1,
            },
            ack_policy: AckPolicy::None,
            filter_subject: subject.to_owned(),
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
            while let Some(message) = batch.next().await {
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
                if sequence > until {
                    break 'read true;
                }
                *at = sequence;
                let (message, _) = message.split();
                take(Found {
                    subject: message.subject.into_string(),
                    sequence,
                    headers: message.headers.unwrap_or_default(),
                    payload: message.payload,
                })?;
                if sequence == until {
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
}
