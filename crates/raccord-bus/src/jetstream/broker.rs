//! What we ask of JetStream: single questions, each with one answer, or none in time.
//!
//! How often to ask again, and what to make of a write that nobody confirmed, is decided above, in
//! `link`. What is promised here is as little as JetStream keeps: a write that was
//! acknowledged may be lost, a question may be answered by a server that is behind.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

pub use async_nats::{Client, HeaderMap};
pub use bytes::Bytes;
use futures_util::Stream;

use super::error::ClusterError;
use crate::LogError;

/// An answer to come.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

/// Messages to come.
pub type Running = Pin<Box<dyn Stream<Item = Result<Told, ClusterError>> + Send>>;

/// Why a question has no answer.
#[derive(Debug)]
pub enum Failure {
    /// It may well be answered later: nobody heard it, no leader, the answer was lost. Whether a
    /// write stands is not known.
    Passing(ClusterError),
    /// It would be refused again.
    Final(ClusterError),
}

impl Failure {
    /// The reason, whichever it is.
    pub fn reason(self) -> ClusterError {
        match self {
            Self::Passing(error) | Self::Final(error) => error,
        }
    }
}

/// A message to be written.
#[derive(Clone, Debug)]
pub struct Message {
    /// Where to.
    pub subject: String,
    /// Words beside it.
    pub headers: HeaderMap,
    /// What it says.
    pub payload: Bytes,
    /// What it asks for.
    pub only: Only,
}

/// When a message is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Only {
    /// In any case.
    Always,
    /// By this stream.
    In(&'static str),
    /// As the next one on its subject after this sequence.
    After(u64),
}

/// What a server says of a message it took.
#[derive(Clone, Debug)]
pub struct Ack {
    /// The stream that has it.
    pub stream: String,
    /// Its sequence there.
    pub sequence: u64,
    /// Whether the server takes it for one it had already.
    pub duplicate: bool,
}

/// A message as it lies in a stream.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its subject.
    pub subject: String,
    /// Its sequence.
    pub sequence: u64,
    /// The words beside it.
    pub headers: HeaderMap,
    /// What it says.
    pub payload: Bytes,
}

/// A message that is told while it comes.
#[derive(Clone, Debug)]
pub struct Told {
    /// Its subject.
    pub subject: String,
    /// Its sequence.
    pub sequence: u64,
    /// When the servers took it, by their clock, in nanoseconds.
    pub at: i128,
    /// How many are still to come of those that stood when it was sent.
    pub left: u64,
    /// What it says, where that was asked for.
    pub payload: Bytes,
}

/// Which messages of a stream are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// Those that come from now on, without what they say.
    Now,
    /// The last one of each subject below these words, then all that come.
    LastOfEach(&'static str),
}

/// Which messages are read: those after one, up to another that is known to be there.
#[derive(Clone, Copy, Debug)]
pub struct Span<'a> {
    /// In this stream.
    pub stream: &'a str,
    /// On this subject.
    pub subject: &'a str,
    /// After this sequence.
    pub after: u64,
    /// Up to this sequence.
    pub until: u64,
}

/// Takes messages one by one.
pub type Take<'a> = &'a mut dyn FnMut(Found) -> Result<(), LogError>;

/// JetStream, as far as we need it.
pub trait Broker: fmt::Debug + Send + Sync {
    /// Refuses servers that could accept two writers, or too little.
    ///
    /// # Errors
    /// What is wrong with the server that is connected now.
    fn check(&self) -> Result<(), ClusterError>;

    /// Sends a message; the first answer is that it is on its way, the second that it is taken.
    fn send(&self, message: Message) -> Answer<'_, Answer<'static, Ack>>;

    /// The last message on `subject`, as the stream's leader has it.
    fn last<'a>(&'a self, stream: &'a str, subject: &'a str) -> Answer<'a, Option<Found>>;

    /// The first message on `subject` after a sequence, as the stream's leader has it.
    fn next<'a>(
        &'a self,
        stream: &'a str,
        subject: &'a str,
        after: u64,
    ) -> Answer<'a, Option<Found>>;

    /// The sequence of the last message a stream ever took, whether it is still there or not.
    fn reached<'a>(&'a self, stream: &'a str) -> Answer<'a, u64>;

    /// Hands over messages in order, as far as it gets. Whether that was all.
    fn read<'a>(
        &'a self,
        span: Span<'a>,
        take: Take<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<bool, LogError>> + 'a>>;

    /// Deletes a message so that its bytes are overwritten; one that is gone already is fine.
    fn erase<'a>(&'a self, stream: &'a str, sequence: u64) -> Answer<'a, ()>;

    /// Takes the messages on `subject` before a sequence away; all where it is none.
    fn purge<'a>(
        &'a self,
        stream: &'a str,
        subject: &'a str,
        before: Option<u64>,
    ) -> Answer<'a, ()>;

    /// Tells messages while they come. After a lost connection it goes on by itself, or ends.
    fn follow(&self, stream: &'static str, since: Since) -> Answer<'_, Running>;

    /// The connection itself, for what nodes ask one another; none where nobody is asked.
    fn client(&self) -> Option<Client>;
}
