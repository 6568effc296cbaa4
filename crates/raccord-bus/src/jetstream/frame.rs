//! The messages on a place's log subject: a term's marker, or a group of commits, whole or in parts.
//!
//! A group is packed once and cut where a message would grow too large; it counts when its last
//! part is in. Reading is strict and bounded: hostile bytes are refused, never a reason to panic or
//! to reserve memory that nothing stands behind.

use jiff::Timestamp;

use super::wire::{Bytes, Wire};
use crate::{Commit, Entry, Hash32, Head, MAX_BODY};

/// The format this program writes.
const VERSION: u8 = 1;

const TERM: u8 = 0;
const GROUP: u8 = 1;

/// What a message holds of a packed group at most, so that it stays below 512 kB whole.
pub(super) const PART: usize = 480 << 10;

/// What the commits of one group hold at most, unless there is only one.
pub(super) const GROUP_BYTES: usize = 32 << 20;

/// Beyond its body, what a commit or a name costs in a group.
const BESIDE: usize = 64;

/// The largest group before it is packed: one commit as large as a log takes, and names.
const MAX_GROUP: usize = MAX_BODY + (16 << 20);

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) term: u64,
    pub(super) content: Content,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// From here on this term writes. Drawn bytes tell two markers of the same term apart.
    Term([u8; 16]),
    Part(Part),
}

/// A group, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The commit the group extends.
    pub(super) after: u64,
    pub(super) previous: Hash32,
    /// Which part, of how many.
    pub(super) index: u16,
    pub(super) count: u16,
    /// The size of the whole group before it was packed.
    pub(super) size: u32,
    pub(super) bytes: Vec<u8>,
}

/// What a group says once it is unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) commits: Vec<Commit>,
    /// The slots these commits empty: values go after the commit, so this is what a crash may leave
    /// to do.
    pub(super) emptied: Vec<String>,
    /// The message that holds the last value these commits fill, in the bucket's stream; 0 where
    /// they fill none. Who comes later knows by it that the bucket is whole.
    pub(super) values: u64,
}

impl Part {
    /// As many bytes as the group can have, were it to grow in packing.
    pub(super) fn most(&self) -> usize {
        lz4_flex::block::get_maximum_output_size(self.size as usize)
    }

    /// What the part says of its group.
    pub(super) fn without_bytes(&self) -> Self {
        Self {
            bytes: Vec::new(),
            ..*self
        }
    }
}

impl Frame {
    pub(super) fn encode(&self, subject: &str) -> Vec<u8> {
        let mut wire = Wire::new(VERSION);
        match &self.content {
            Content::Term(drawn) => {
                wire.byte(TERM);
                wire.long(self.term);
                wire.raw(drawn);
            }
            Content::Part(part) => {
                wire.byte(GROUP);
                wire.long(self.term);
                wire.long(part.after);
                wire.raw(&part.previous.0);
                wire.short(part.index);
                wire.short(part.count);
                wire.word(part.size);
                wire.raw(&part.bytes);
            }
        }
        wire.seal(subject)
    }

    pub(super) fn decode(bytes: &[u8], subject: &str) -> Option<Self> {
        let (VERSION, mut bytes) = Bytes::open(bytes, subject)? else {
            return None;
        };
        let kind = bytes.byte()?;
        let term = bytes.long()?;
        let content = match kind {
            TERM => Content::Term(bytes.array()?),
            GROUP => {
                let mut part = Part {
                    after: bytes.long()?,
                    previous: Hash32(bytes.array()?),
                    index: bytes.short()?,
                    count: bytes.short()?,
                    size: bytes.word()?,
                    bytes: Vec::new(),
                };
                let fits = part.index < part.count && part.size as usize <= MAX_GROUP;
                part.bytes = fits.then(|| bytes.take(bytes.0.len()))??.to_vec();
                Content::Part(part)
            }
            _ => return None,
        };
        // A number in a log is a SQLite integer too.
        let fits = i64::try_from(term).is_ok();
        (bytes.is_empty() && fits).then_some(Self { term, content })
    }
}

/// Where a group of `entries` ends so that it stays within bounds: how many are taken.
pub(super) fn measure(entries: &[Entry<'_>]) -> usize {
    let mut bytes = 0;
    let cost = |entry: &Entry<'_>| {
        let names: usize = entry.slots.iter().map(|write| write.slot.len() + 2).sum();
        entry.body.len() + names + BESIDE
    };
    let fit = entries
        .iter()
        .take_while(|entry| {
            bytes += cost(entry);
            bytes <= GROUP_BYTES
        })
        .count();
    fit.max(1).min(entries.len())
}

/// The messages of a group that extends `head`, none larger than `limit` and a little.
pub(super) fn pack(
    head: &Head,
    term: u64,
    entries: impl ExactSizeIterator<Item = (Timestamp, impl AsRef<[u8]>)>,
    (emptied, values): (&[&str], u64),
    limit: usize,
) -> Vec<Frame> {
    let mut raw = Wire::new(VERSION);
    raw.word(entries.len() as u32);
    for (at, body) in entries {
        let body = body.as_ref();
        raw.raw(&at.as_nanosecond().to_be_bytes());
        raw.word(body.len() as u32);
        raw.raw(body);
    }
    raw.word(emptied.len() as u32);
    for slot in emptied {
        raw.short(slot.len() as u16);
        raw.raw(slot.as_bytes());
    }
    raw.long(values);
    let raw = raw.seal("");
    let packed = lz4_flex::block::compress(&raw);
    let count = packed.len().div_ceil(limit);
    packed
        .chunks(limit)
        .enumerate()
        .map(|(index, bytes)| Frame {
            term,
            content: Content::Part(Part {
                after: head.number,
                previous: head.hash,
                index: index as u16,
                count: count as u16,
                size: raw.len() as u32,
                bytes: bytes.to_vec(),
            }),
        })
        .collect()
}

/// The group in `packed`, of which `first` was the first part.
pub(super) fn unpack(first: &Part, term: u64, packed: &[u8]) -> Option<Group> {
    // A block of n bytes never unpacks to more than 255 n: what a message claims is not reserved
    // blindly.
    let size = first.size as usize;
    if size > packed.len().saturating_mul(256) {
        return None;
    }
    let raw = lz4_flex::block::decompress(packed, size).ok()?;
    let (VERSION, mut bytes) = Bytes::open(&raw, "")? else {
        return None;
    };
    let mut group = Group {
        commits: Vec::new(),
        emptied: Vec::new(),
        values: 0,
    };
    let (mut number, mut previous) = (first.after, first.previous);
    for _ in 0..bytes.word()? {
        number = number.checked_add(1)?;
        let at = bytes
            .at()
            .filter(|at| i64::try_from(at.as_nanosecond()).is_ok())?;
        let size = bytes.word()? as usize;
        let body = bytes.take(size).filter(|body| body.len() <= MAX_BODY)?;
        let commit = Commit {
            number,
            term,
            at,
            previous,
            body: body.to_vec(),
        };
        previous = commit.hash();
        group.commits.push(commit);
    }
    for _ in 0..bytes.word()? {
        let size = usize::from(bytes.short()?);
        let slot = str::from_utf8(bytes.take(size)?).ok()?;
        group.emptied.push(slot.to_owned());
    }
    group.values = bytes.long()?;
    let whole = bytes.is_empty()
        && !group.commits.is_empty()
        && i64::try_from(number).is_ok()
        && group.commits.is_sorted_by(|one, two| one.at <= two.at);
    whole.then_some(group)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SUBJECT: &str = "raccord.raffinerie.log";

    fn genesis() -> Head {
        Head::genesis(&"raffinerie".parse().unwrap())
    }

    fn joined(frames: &[Frame]) -> (Part, Vec<u8>) {
        let parts: Vec<&Part> = frames
            .iter()
            .map(|frame| match &frame.content {
                Content::Part(part) => part,
                Content::Term(_) => panic!("a marker"),
            })
            .collect();
        let packed = parts.iter().flat_map(|part| part.bytes.clone()).collect();
        (parts[0].without_bytes(), packed)
    }

    proptest! {
        #[test]
        fn a_group_comes_back_whole_in_however_many_parts(
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..20),
            emptied in prop::collection::vec("[a-zé ]{0,10}", 0..5),
            term in 1_u64..1_000_000,
            limit in 1_usize..500,
        ) {
            let names: Vec<&str> = emptied.iter().map(String::as_str).collect();
            let entries: Vec<_> = bodies.iter().map(|body| (Timestamp::UNIX_EPOCH, body)).collect();
            let frames = pack(&genesis(), term, entries.into_iter(), (&names, 7), limit);
            for frame in &frames {
                let bytes = frame.encode(SUBJECT);
                prop_assert_eq!(Frame::decode(&bytes, SUBJECT), Some(frame.clone()));
                prop_assert_eq!(Frame::decode(&bytes, "raccord.else.log"), None);
            }
            let (first, packed) = joined(&frames);
            let group = unpack(&first, term, &packed).unwrap();
            prop_assert_eq!(group.commits[0].previous, genesis().hash);
            let read: Vec<_> = group.commits.iter().map(|commit| commit.body.clone()).collect();
            prop_assert_eq!(read, bodies);
            prop_assert_eq!(group.emptied, emptied);
            prop_assert_eq!(group.values, 7);
        }

        #[test]
        fn a_flipped_bit_is_no_message(
            body in prop::collection::vec(any::<u8>(), 0..200),
            at in any::<prop::sample::Index>(),
            bit in 0..8,
        ) {
            let frames = pack(&genesis(), 1, [(Timestamp::UNIX_EPOCH, body)].into_iter(), (&[], 0), PART);
            let mut bytes = frames[0].encode(SUBJECT);
            let at = at.index(bytes.len());
            bytes[at] ^= 1_u8 << bit;
            prop_assert_eq!(Frame::decode(&bytes, SUBJECT), None);
        }

        #[test]
        fn hostile_bytes_are_refused_without_a_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            size in any::<u32>(),
        ) {
            Frame::decode(&bytes, SUBJECT);
            // With a right checksum, too: whoever may write can compute one.
            let mut wire = Wire::new(VERSION);
            wire.raw(&bytes);
            let sealed = wire.seal(SUBJECT);
            Frame::decode(&sealed, SUBJECT);
            let first = Part {
                after: u64::from(size),
                previous: genesis().hash,
                index: 0,
                count: 1,
                size,
                bytes: Vec::new(),
            };
            unpack(&first, 1, &bytes);
            let mut inner = Wire::new(VERSION);
            inner.raw(&bytes);
            let inner = inner.seal("");
            let packed = lz4_flex::block::compress(&inner);
            unpack(&Part { size: inner.len() as u32, ..first }, 1, &packed);
        }
    }

    #[test]
    fn groups_are_cut_before_they_grow_too_large_and_never_to_nothing() {
        let body = vec![7; GROUP_BYTES / 2];
        let entry = Entry {
            at: Timestamp::UNIX_EPOCH,
            body: &body,
            slots: &[],
        };
        assert_eq!(measure(&[entry; 3]), 1);
        let huge = vec![7; GROUP_BYTES + 1];
        assert_eq!(
            measure(&[
                Entry {
                    body: &huge,
                    ..entry
                },
                entry
            ]),
            1
        );
        let small = Entry {
            body: b"x",
            ..entry
        };
        assert_eq!(measure(&[small; 100]), 100);
        assert_eq!(measure(&[]), 0);
    }
}
