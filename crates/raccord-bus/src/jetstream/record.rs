//! What a log says of itself beside its messages: where it starts, which snapshots it has, which
//! term was taken last and how far it was known to reach.
//!
//! One small message per place, in the bucket of remarks. It is written before the marker of a term
//! and at rest, so that a stream that went back in time is seen even where no copy is kept.

use raccord_model::PlaceId;

use super::streams;
use super::wire::{Bytes, Wire};
use crate::{Head, MAX_SNAPSHOT, SnapshotInfo};

const VERSION: u8 = 1;

/// As many snapshots as a record may list.
const MAX_LISTED: u32 = 4096;

/// What a log says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// What the kept commits follow.
    pub(super) floor: Head,
    /// No message before this sequence holds a commit after the floor.
    pub(super) floor_from: u64,
    /// The highest term that was asked for.
    pub(super) term: u64,
    /// The last commit, when the record was written.
    pub(super) head: Head,
    /// The snapshots, oldest first.
    pub(super) snapshots: Vec<Stored>,
}

/// A snapshot in the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) head: Head,
    /// The size of its body.
    pub(super) size: usize,
    /// No message before this sequence holds a commit after it.
    pub(super) from: u64,
    /// The last token of the subject its pieces lie on.
    pub(super) name: String,
    /// How many pieces there are.
    pub(super) pieces: u32,
    /// The checksum over all of them.
    pub(super) sum: u64,
}

impl Stored {
    pub(super) fn info(&self) -> SnapshotInfo {
        SnapshotInfo {
            head: self.head,
            size: self.size,
        }
    }
}

impl Record {
    /// The record of a log that starts at `floor`.
    pub(super) fn starting(floor: Head) -> Self {
        Self {
            floor,
            floor_from: 0,
            term: floor.term,
            head: floor,
            snapshots: Vec::new(),
        }
    }

    /// The last message it speaks of.
    pub(super) fn reaches(&self) -> u64 {
        let places = self.snapshots.iter().map(|stored| stored.from);
        places.fold(self.floor_from, u64::max)
    }

    /// Forgets where in the stream things lie: it is not the stream it was.
    pub(super) fn forget_places(&mut self) {
        self.floor_from = 0;
        for stored in &mut self.snapshots {
            stored.from = 0;
        }
    }

    pub(super) fn find(&self, number: u64) -> Option<&Stored> {
        self.snapshots
            .iter()
            .find(|stored| stored.head.number == number)
    }

    pub(super) fn encode(&self, place: &PlaceId) -> Vec<u8> {
        let mut wire = Wire::new(VERSION);
        wire.head(&self.floor);
        wire.long(self.floor_from);
        wire.long(self.term);
        wire.head(&self.head);
        wire.word(self.snapshots.len() as u32);
        for stored in &self.snapshots {
            wire.head(&stored.head);
            wire.long(stored.size as u64);
            wire.long(stored.from);
            wire.short(stored.name.len() as u16);
            wire.raw(stored.name.as_bytes());
            wire.word(stored.pieces);
            wire.long(stored.sum);
        }
        wire.seal(&streams::record(place))
    }

    pub(super) fn decode(bytes: &[u8], place: &PlaceId) -> Option<Self> {
        let (VERSION, mut bytes) = Bytes::open(bytes, &streams::record(place))? else {
            return None;
        };
        let mut record = Self {
            floor: bytes.head()?,
            floor_from: bytes.long()?,
            term: bytes.long().filter(|term| i64::try_from(*term).is_ok())?,
            head: bytes.head()?,
            snapshots: Vec::new(),
        };
        for _ in 0..bytes.word().filter(|count| *count <= MAX_LISTED)? {
            let head = bytes.head()?;
            let size = bytes.long()? as usize;
            let from = bytes.long()?;
            let length = usize::from(bytes.short()?);
            let name = str::from_utf8(bytes.take(length)?).ok()?.to_owned();
            let is_token = !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            if size > MAX_SNAPSHOT || !is_token {
                return None;
            }
            record.snapshots.push(Stored {
                head,
                size,
                from,
                name,
                pieces: bytes.word()?,
                sum: bytes.long()?,
            });
        }
        let sorted = record
            .snapshots
            .is_sorted_by(|one, two| one.head.number < two.head.number);
        let starts = record.floor.number == 0 || record.find(record.floor.number).is_some();
        (bytes.is_empty() && sorted && starts).then_some(record)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(place: &PlaceId) -> Record {
        let head = Head {
            number: 7,
            term: 2,
            ..Head::genesis(place)
        };
        let stored = Stored {
            head,
            size: 100,
            from: 12,
            name: "7-2-1".to_owned(),
            pieces: 1,
            sum: u64::MAX,
        };
        Record {
            floor: head,
            floor_from: 12,
            term: 3,
            head,
            snapshots: vec![stored],
        }
    }

    #[test]
    fn a_record_reads_back_and_a_floor_without_its_snapshot_does_not() {
        let place = "raffinerie".parse().unwrap();
        let mut record = record(&place);
        let bytes = record.encode(&place);
        assert_eq!(Record::decode(&bytes, &place).as_ref(), Some(&record));
        assert_eq!(Record::decode(&bytes, &"else".parse().unwrap()), None);
        record.snapshots.clear();
        assert_eq!(Record::decode(&record.encode(&place), &place), None);
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let place: PlaceId = "raffinerie".parse().unwrap();
            Record::decode(&bytes, &place);
            let mut wire = Wire::new(VERSION);
            wire.raw(&bytes);
            Record::decode(&wire.seal(&streams::record(&place)), &place);
        }
    }
}
