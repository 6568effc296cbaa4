//! A model of JetStream: what it does, and what it does to those who trust it.
//!
//! Streams take messages in one order and refuse one that does not follow the message it was to
//! follow. Nothing else is promised: what was acknowledged can be lost, the last messages or one in
//! between, an older state can come back, and a server that is no longer the leader answers with
//! what it knew.

use std::collections::BTreeMap;

use raccord_bus::jetstream::broker::{Bytes, Found, HeaderMap, Message, Only, Told};

/// The stream of the logs.
pub const LOGS: &str = "raccord";
/// The stream of the nodes.
pub const NODES: &str = "raccord-nodes";
const SNAPSHOTS: &str = "raccord-snapshots";
const SLOTS: &str = "KV_raccord-slots";
const METAS: &str = "KV_raccord-metas";

/// Every stream, and how many messages of a subject it keeps.
const STREAMS: [(&str, usize); 5] = [
    (LOGS, usize::MAX),
    (SNAPSHOTS, usize::MAX),
    (SLOTS, 64),
    (METAS, 64),
    (NODES, 1),
];

/// All streams.
#[derive(Clone, Debug)]
pub struct Servers(BTreeMap<&'static str, Stream>);

#[derive(Clone, Debug, Default)]
struct Stream {
    messages: BTreeMap<u64, Kept>,
    last: u64,
    /// As many messages of a subject are kept.
    most: usize,
}

#[derive(Clone, Debug)]
struct Kept {
    found: Found,
    /// When it was taken, in nanoseconds by the servers' clock.
    at: i128,
}

/// Why a message was not taken: another one came before it.
#[derive(Debug)]
pub struct WrongLast;

impl Default for Servers {
    fn default() -> Self {
        let stream = |(name, most)| {
            let stream = Stream {
                most,
                ..Stream::default()
            };
            (name, stream)
        };
        Self(STREAMS.into_iter().map(stream).collect())
    }
}

impl Servers {
    fn stream(&self, name: &str) -> &Stream {
        &self.0[name]
    }

    fn stream_mut(&mut self, name: &str) -> &mut Stream {
        self.0.get_mut(name).expect("every stream is there")
    }

    /// Takes a message: which stream, and its sequence.
    ///
    /// # Errors
    /// Where another one came first.
    pub fn take(&mut self, message: &Message, at: i128) -> Result<(&'static str, u64), WrongLast> {
        let name = home_of(&message.subject);
        let stream = self.stream_mut(name);
        if let Only::After(expected) = message.only
            && stream.last_on(&message.subject) != expected
        {
            return Err(WrongLast);
        }
        stream.last += 1;
        let sequence = stream.last;
        let found = Found {
            subject: message.subject.clone(),
            sequence,
            headers: message.headers.clone(),
            payload: message.payload.clone(),
        };
        stream.messages.insert(sequence, Kept { found, at });
        stream.trim(&message.subject);
        Ok((name, sequence))
    }

    /// The last message on a subject.
    pub fn last(&self, stream: &str, subject: &str) -> Option<Found> {
        let mut messages = self.stream(stream).messages.values().rev();
        messages
            .find(|kept| matches(subject, &kept.found.subject))
            .map(|kept| kept.found.clone())
    }

    /// The first message on a subject after a sequence.
    pub fn next(&self, stream: &str, subject: &str, after: u64) -> Option<Found> {
        let mut messages = self.stream(stream).messages.range(after + 1..);
        messages
            .find(|(_, kept)| matches(subject, &kept.found.subject))
            .map(|(_, kept)| kept.found.clone())
    }

    /// All messages on a subject after a sequence and up to another.
    pub fn between(&self, stream: &str, subject: &str, after: u64, until: u64) -> Vec<Found> {
        let messages = self.stream(stream).messages.range(after + 1..);
        let messages = messages.take_while(|(sequence, _)| **sequence <= until);
        messages
            .filter(|(_, kept)| matches(subject, &kept.found.subject))
            .map(|(_, kept)| kept.found.clone())
            .collect()
    }

    /// The last sequence of a stream.
    pub fn reached(&self, stream: &str) -> u64 {
        self.stream(stream).last
    }

    /// Overwrites a message.
    pub fn erase(&mut self, stream: &str, sequence: u64) {
        self.stream_mut(stream).messages.remove(&sequence);
    }

    /// Takes messages away.
    pub fn purge(&mut self, stream: &str, subject: &str, before: Option<u64>) {
        self.stream_mut(stream).messages.retain(|sequence, kept| {
            !matches(subject, &kept.found.subject)
                || before.is_some_and(|before| *sequence >= before)
        });
    }

    /// The last message of each subject, in their order.
    pub fn last_of_each(&self, stream: &str) -> Vec<Told> {
        let mut last = BTreeMap::new();
        for kept in self.stream(stream).messages.values() {
            last.insert(kept.found.subject.clone(), kept.told());
        }
        let mut told: Vec<Told> = last.into_values().collect();
        told.sort_by_key(|told| told.sequence);
        for (left, told) in told.iter_mut().rev().enumerate() {
            told.left = left as u64;
        }
        told
    }

    /// A message, as it is told.
    pub fn told(&self, stream: &str, sequence: u64) -> Option<Told> {
        let kept = self.stream(stream).messages.get(&sequence)?;
        Some(kept.told())
    }

    /// Somebody else's messages in the stream of the logs move the sequences on.
    pub fn chatter(&mut self, count: u64, at: i128) {
        for _ in 0..count {
            let message = Message {
                subject: "raccord.elsewhere.log".to_owned(),
                headers: HeaderMap::new(),
                payload: Bytes::from_static(b"of another place"),
                only: Only::Always,
            };
            // Without a condition it is taken.
            self.take(&message, at).ok();
        }
    }

    /// The last messages of a stream are lost, as after a power cut; their sequences are given again.
    pub fn lose_last(&mut self, stream: &str, count: u64) {
        let stream = self.stream_mut(stream);
        stream.last = stream.last.saturating_sub(count);
        let last = stream.last;
        stream.messages.retain(|sequence, _| *sequence <= last);
    }

    /// One message of the log is lost, so many before the last.
    pub fn lose_one(&mut self, subject: &str, back: u64) {
        let stream = self.stream_mut(LOGS);
        let ours = stream.messages.iter().rev();
        let mut ours = ours.filter(|(_, kept)| kept.found.subject == subject);
        if let Some(sequence) = ours.nth(back as usize).map(|(sequence, _)| *sequence) {
            stream.messages.remove(&sequence);
        }
    }

    /// An older state comes back: of everything, of the logs alone, or of all but the logs.
    pub fn put_back(&mut self, older: &Self, which: Which) {
        for (name, stream) in &older.0 {
            let comes = match which {
                Which::All => true,
                Which::Logs => *name == LOGS,
                Which::Values => matches!(*name, SLOTS | METAS),
            };
            if comes {
                self.0.insert(name, stream.clone());
            }
        }
    }
}

/// Which streams an older state comes back of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// The logs.
    Logs,
    /// The buckets.
    Values,
}

impl Stream {
    fn last_on(&self, subject: &str) -> u64 {
        let mut messages = self.messages.iter().rev();
        messages
            .find(|(_, kept)| kept.found.subject == subject)
            .map_or(0, |(sequence, _)| *sequence)
    }

    fn trim(&mut self, subject: &str) {
        if self.most == usize::MAX {
            return;
        }
        let on = self.messages.iter().rev();
        let on = on.filter(|(_, kept)| kept.found.subject == subject);
        if let Some(old) = on.map(|(sequence, _)| *sequence).nth(self.most) {
            self.messages.remove(&old);
        }
    }
}

impl Kept {
    fn told(&self) -> Told {
        Told {
            subject: self.found.subject.clone(),
            sequence: self.found.sequence,
            at: self.at,
            left: 0,
            payload: self.found.payload.clone(),
        }
    }
}

/// The stream that takes a subject.
fn home_of(subject: &str) -> &'static str {
    match subject.split('.').collect::<Vec<_>>().as_slice() {
        ["raccord-nodes", ..] => NODES,
        ["raccord", _, "log"] => LOGS,
        ["raccord", _, "snapshot", _] => SNAPSHOTS,
        ["$KV", "raccord-slots", ..] => SLOTS,
        ["$KV", "raccord-metas", ..] => METAS,
        _ => panic!("no stream takes {subject}"),
    }
}

/// Whether a subject is one that is asked for; `*` is one token.
fn matches(asked: &str, subject: &str) -> bool {
    if !asked.contains('*') {
        return asked == subject;
    }
    let (mut asked, mut tokens) = (asked.split('.'), subject.split('.'));
    loop {
        match (asked.next(), tokens.next()) {
            (None, None) => return true,
            (Some("*"), Some(_)) => {}
            (Some(one), Some(other)) if one == other => {}
            _ => return false,
        }
    }
}
