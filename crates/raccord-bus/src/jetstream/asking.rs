//! One node asks the node that holds a place: one message there, one message back, packed.
//!
//! Nothing of this is kept. Whoever gets no answer does not know whether the question was taken.

use std::time::Duration;

use async_nats::{Client, Request, RequestErrorKind, Subject, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt as _;
use raccord_model::PlaceId;

use super::error::ClusterError;
use super::link::refused;
use super::nodes::{Node, name};
use crate::LogError;

/// The most that a packed question or answer unpacks to, in bytes.
const MOST: usize = 64 << 20;

/// Questions about one place that this node holds.
#[derive(Debug)]
pub struct Questions {
    asked: Subscriber,
    client: Client,
}

/// A question of another node.
#[derive(Debug)]
pub struct Question {
    /// What is asked.
    pub text: Vec<u8>,
    reply: Subject,
    client: Client,
}

impl Node {
    /// Asks the node that holds `place`, and waits for its answer.
    ///
    /// # Errors
    /// [`ClusterError::Silent`] when nobody holds it, or its holder does not answer in time;
    /// [`ClusterError::Refused`] for what is too large.
    pub async fn ask(
        &self,
        place: &PlaceId,
        question: &[u8],
        wait: Duration,
    ) -> Result<Vec<u8>, LogError> {
        let holder = self.view().borrow().holder(place).map(str::to_owned);
        let holder = holder.unwrap_or_default();
        let silent = || ClusterError::Silent {
            node: name(&holder).to_owned(),
        };
        if holder.is_empty() {
            return Err(silent().into());
        }
        let request = Request::new().payload(pack(question)).timeout(Some(wait));
        let client = self.client().ok_or_else(silent)?;
        let answer = client
            .send_request(subject(&holder, place), request)
            .await
            .map_err(|error| match error.kind() {
                RequestErrorKind::TimedOut | RequestErrorKind::NoResponders => silent(),
                _ => refused("ask a node", &error),
            })?;
        Ok(unpack(&answer.payload)?)
    }

    /// Hears what other nodes ask about `place`, which this one holds.
    ///
    /// # Errors
    /// As the cluster refuses.
    pub async fn questions(&self, place: &PlaceId) -> Result<Questions, LogError> {
        let nobody = || ClusterError::Silent {
            node: name(self.id()).to_owned(),
        };
        let client = self.client().ok_or_else(nobody)?;
        let asked = client
            .subscribe(subject(self.id(), place))
            .await
            .map_err(|error| refused("hear other nodes", &error))?;
        Ok(Questions { asked, client })
    }
}

impl Questions {
    /// The next question; none once the connection is over.
    pub async fn next(&mut self) -> Option<Question> {
        loop {
            let message = self.asked.next().await?;
            if let (Some(reply), Ok(text)) = (message.reply, unpack(&message.payload)) {
                return Some(Question {
                    text,
                    reply,
                    client: self.client.clone(),
                });
            }
        }
    }
}

impl Question {
    /// Answers. Whether the other side still waits is not known.
    ///
    /// # Errors
    /// As the cluster refuses.
    pub async fn answer(self, text: &[u8]) -> Result<(), LogError> {
        let sent = self.client.publish(self.reply, pack(text)).await;
        sent.map_err(|error| refused("answer a node", &error).into())
    }
}

/// Outside the streams: nothing of it is kept.
fn subject(node: &str, place: &PlaceId) -> String {
    format!("raccord-ask.{node}.{place}")
}

fn pack(text: &[u8]) -> Bytes {
    lz4_flex::compress_prepend_size(text).into()
}

fn unpack(packed: &[u8]) -> Result<Vec<u8>, ClusterError> {
    let wrong = |why: &str| ClusterError::Refused {
        step: "read what a node says",
        why: why.to_owned(),
    };
    let size = packed.first_chunk().map(|size| u32::from_le_bytes(*size));
    match size {
        Some(size) if size as usize <= MOST => {
            lz4_flex::decompress_size_prepended(packed).map_err(|error| wrong(&error.to_string()))
        }
        _ => Err(wrong("too large")),
    }
}
