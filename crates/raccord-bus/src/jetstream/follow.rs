//! What is told while it happens: which logs have grown, to whoever follows them; and single events,
//! to other programs.

use async_nats::HeaderMap;
use bytes::Bytes;
use futures_util::StreamExt as _;
use raccord_model::PlaceId;

use super::broker::{Failure, Running, Since};
use super::error::ClusterError;
use super::link::Jetstream;
use super::streams;
use crate::LogError;

/// As many events are on their way at once.
const IN_FLIGHT: usize = 256;

/// The header by which the cluster knows an event that comes twice.
const ID: &str = "Nats-Msg-Id";

/// The header that says where an event stands in its place's log.
const POSITION: &str = "Raccord-Position";

/// A log has grown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// Whose.
    pub place: PlaceId,
    /// The message's sequence in the stream of all logs.
    pub sequence: u64,
}

/// Tells which logs grow, from when it was made on: one for all places of a node.
pub struct Follower(Running);

/// An event for other programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventOut {
    /// Its id: the same event published twice is known as one, within the hour.
    pub id: String,
    /// The kind of thing it is about, such as `activity`.
    pub entity: String,
    /// What happened to it, such as `created`.
    pub verb: String,
    /// Where it stands in the log, in the words of whoever publishes.
    pub position: String,
    /// The event itself.
    pub body: Vec<u8>,
}

impl Jetstream {
    /// Follows the logs of all places.
    ///
    /// # Errors
    /// As the cluster refuses.
    pub async fn follow(&self) -> Result<Follower, LogError> {
        let running = self.broker().follow(streams::LOGS, Since::Now).await;
        Ok(Follower(running.map_err(Failure::reason)?))
    }

    /// Publishes events, in their order, durable when this returns. Whoever publishes from the log
    /// remembers up to which commit it got, and after a crash begins there again.
    ///
    /// # Errors
    /// [`ClusterError::Refused`] for a name that is no word; otherwise as the cluster refuses.
    pub fn publish_events(&self, place: &PlaceId, events: &[EventOut]) -> Result<(), LogError> {
        let is_word = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        if let Some(bad) = events
            .iter()
            .find(|event| !is_word(&event.entity) || !is_word(&event.verb) || !is_word(&event.id))
        {
            return Err(LogError::Cluster(ClusterError::Refused {
                step: "publish an event",
                why: format!("{:?} {:?} {:?}", bad.entity, bad.verb, bad.id),
            }));
        }
        for batch in events.chunks(IN_FLIGHT) {
            let messages = batch.iter().map(|event| {
                let mut headers = HeaderMap::new();
                headers.insert(ID, event.id.as_str());
                headers.insert(POSITION, event.position.as_str());
                let subject = streams::event(place, &event.entity, &event.verb);
                (subject, headers, Bytes::from(event.body.clone()))
            });
            self.wait(self.put_all(streams::EVENTS, messages.collect()))?;
        }
        Ok(())
    }
}

impl Jetstream {
    /// Where the last event of `place` that other programs can read stood in its log.
    ///
    /// # Errors
    /// As the cluster refuses.
    pub fn published(&self, place: &PlaceId) -> Result<Option<String>, LogError> {
        let all = streams::events(place);
        let last = self.wait(self.last(streams::EVENTS, &all))?;
        let position = last.and_then(|last| last.headers.get(POSITION).map(ToString::to_string));
        Ok(position)
    }
}

impl Follower {
    /// Waits for the next message of any log. After a lost connection it goes on by itself.
    ///
    /// # Errors
    /// As the cluster refuses: make another one then, and look at every log once.
    pub async fn next(&mut self) -> Result<News, LogError> {
        loop {
            let Some(message) = self.0.next().await else {
                return Err(LogError::Cluster(ClusterError::Unreachable {
                    why: "the connection was closed".to_owned(),
                }));
            };
            let message = message?;
            let sequence = message.sequence;
            let mut tokens = message.subject.split('.').skip(1);
            if let Some(place) = tokens.next().and_then(|place| place.parse().ok()) {
                return Ok(News { place, sequence });
            }
        }
    }
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Follower")
    }
}
