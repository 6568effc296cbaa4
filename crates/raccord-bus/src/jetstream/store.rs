//! Snapshots in the cluster: packed pieces on a subject of their own, each a message, which count
//! once the log's record lists them.

use std::collections::BTreeMap;

use async_nats::HeaderMap;
use bytes::Bytes;
use raccord_model::PlaceId;

use super::link::Jetstream;
use super::record::Stored;
use super::streams;
use super::wire::{self, Wire};
use crate::{Head, LogError, Part, Snapshot};

const VERSION: u8 = 1;

/// The size of a piece before it is packed: packed, it fits a message in any case.
const PIECE: usize = 448 << 10;

/// How many pieces are written at a time: between two such steps, appends go on.
const AT_ONCE: usize = 4;

/// A snapshot that is being written.
#[derive(Debug)]
pub(super) struct Pending {
    stored: Stored,
    body: Vec<u8>,
}

impl Pending {
    /// Starts writing a snapshot; `from` is where reading goes on after it.
    pub(super) fn new(head: Head, body: Vec<u8>, from: u64, name: String) -> Self {
        Self {
            stored: Stored {
                head,
                size: body.len(),
                from,
                name,
                pieces: 0,
                sum: 0,
            },
            body,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.stored.name
    }

    pub(super) fn number(&self) -> u64 {
        self.stored.head.number
    }

    /// Writes some pieces, durably. What the record is to list, once that was all.
    pub(super) fn write(
        &mut self,
        link: &Jetstream,
        place: &PlaceId,
    ) -> Result<Option<Stored>, LogError> {
        let subject = format!("{}.{}", streams::snapshots(place), self.stored.name);
        let first = self.stored.pieces as usize;
        let mut messages = Vec::new();
        for piece in self.body.chunks(PIECE).skip(first).take(AT_ONCE) {
            let mut wire = Wire::new(VERSION);
            wire.word(self.stored.pieces);
            wire.word(piece.len() as u32);
            wire.raw(&lz4_flex::block::compress(piece));
            let bytes = wire.seal(&subject);
            self.stored.sum = self.stored.sum.wrapping_add(wire::sum("", &bytes));
            self.stored.pieces += 1;
            messages.push((subject.clone(), HeaderMap::new(), Bytes::from(bytes)));
        }
        if messages.is_empty() {
            return Ok(Some(self.stored.clone()));
        }
        link.wait(link.put_all(streams::SNAPSHOTS, messages))?;
        Ok(None)
    }

    /// The snapshot itself, for the copy on this machine.
    pub(super) fn into_snapshot(self) -> Snapshot {
        Snapshot {
            head: self.stored.head,
            body: self.body,
        }
    }
}

/// Reads a snapshot, each piece checked.
pub(super) fn read(
    link: &Jetstream,
    place: &PlaceId,
    stored: &Stored,
) -> Result<Snapshot, LogError> {
    let subject = format!("{}.{}", streams::snapshots(place), stored.name);
    let damaged = || LogError::damaged(Part::Snapshot(stored.head.number));
    let mut body = Vec::new();
    let mut sums = 0_u64;
    let mut next = 0;
    // Pieces sent once more after a lost answer may be there twice, or late.
    let mut early = BTreeMap::new();
    if let Some(last) = link.wait(link.last(streams::SNAPSHOTS, &subject))? {
        link.wait(
            link.feed(streams::SNAPSHOTS, &subject, 0, last.sequence, |found| {
                let Some((VERSION, mut bytes)) = wire::Bytes::open(&found.payload, &subject) else {
                    return Err(damaged());
                };
                let (number, size) = bytes.word().zip(bytes.word()).ok_or_else(damaged)?;
                if number < next || early.contains_key(&number) {
                    return Ok(());
                }
                let piece = (number < stored.pieces && size as usize <= PIECE)
                    .then(|| lz4_flex::block::decompress(bytes.0, size as usize).ok())
                    .flatten()
                    .filter(|piece| piece.len() == size as usize)
                    .ok_or_else(damaged)?;
                sums = sums.wrapping_add(wire::sum("", &found.payload));
                early.insert(number, piece);
                while let Some(piece) = early.remove(&next) {
                    body.extend_from_slice(&piece);
                    next += 1;
                }
                Ok(())
            }),
        )?;
    }
    let whole = body.len() == stored.size && next == stored.pieces && sums == stored.sum;
    whole
        .then_some(Snapshot {
            head: stored.head,
            body,
        })
        .ok_or_else(damaged)
}

/// Takes one snapshot away that no record lists and nobody is writing, if there is one. What a writer
/// of a later term than `term` wrote is its own: whoever sweeps may have been replaced by now.
pub(super) fn sweep(
    link: &Jetstream,
    place: &PlaceId,
    kept: &[&str],
    term: u64,
) -> Result<bool, LogError> {
    let prefix = streams::snapshots(place);
    let mut at = 0;
    let all = format!("{prefix}.*");
    // Snapshots are few, and each is one step on: from its first piece to the next one's.
    loop {
        let Some(found) = link.wait(link.after(streams::SNAPSHOTS, &all, at))? else {
            return Ok(false);
        };
        let name = found.subject.strip_prefix(&prefix).unwrap_or_default();
        let name = name.trim_start_matches('.');
        if !kept.contains(&name) && term_of(name) <= term {
            link.wait(link.purge(streams::SNAPSHOTS, &found.subject, None))?;
            return Ok(true);
        }
        let last = link.wait(link.last(streams::SNAPSHOTS, &found.subject))?;
        at = last.map_or(found.sequence, |last| last.sequence);
    }
}

/// The term of the writer that named a snapshot: number, term, how-manieth.
fn term_of(name: &str) -> u64 {
    let term = name.split('-').nth(1).and_then(|term| term.parse().ok());
    term.unwrap_or_default()
}
