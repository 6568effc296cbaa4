//! Numbers and bytes in and out of messages: big-endian, bounded, closed by a checksum.

use jiff::Timestamp;
use twox_hash::XxHash3_64;

use crate::{Hash32, Head};

/// Bytes that end with a checksum over all of them and over whose they are, so that what was
/// written for one subject is never taken for another's.
pub(super) struct Wire(Vec<u8>);

impl Wire {
    pub(super) fn new(version: u8) -> Self {
        Self(vec![version])
    }
    pub(super) fn byte(&mut self, value: u8) {
        self.0.push(value);
    }
    pub(super) fn short(&mut self, value: u16) {
        self.raw(&value.to_be_bytes());
    }
    pub(super) fn word(&mut self, value: u32) {
        self.raw(&value.to_be_bytes());
    }
    pub(super) fn long(&mut self, value: u64) {
        self.raw(&value.to_be_bytes());
    }
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
    pub(super) fn head(&mut self, head: &Head) {
        self.long(head.number);
        self.long(head.term);
        self.raw(&head.at.as_nanosecond().to_be_bytes());
        self.raw(&head.hash.0);
    }
    /// Closes the bytes for the subject `of`.
    pub(super) fn seal(mut self, of: &str) -> Vec<u8> {
        let sum = sum(of, &self.0);
        self.long(sum);
        self.0
    }
}

/// A checksum: it finds accidents, not malice.
pub(super) fn sum(of: &str, bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot_with_seed(XxHash3_64::oneshot(of.as_bytes()), bytes)
}

/// What is left to read. Every reading is checked against it, so nothing is reserved that is not
/// there.
#[derive(Clone, Copy)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    /// Opens bytes that were sealed for `of`, and reads their version.
    pub(super) fn open(bytes: &'a [u8], of: &str) -> Option<(u8, Self)> {
        let (inside, found) = bytes.split_last_chunk()?;
        let (version, rest) = inside.split_first()?;
        (sum(of, inside) == u64::from_be_bytes(*found)).then_some((*version, Self(rest)))
    }
    pub(super) fn take(&mut self, size: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(size)?;
        self.0 = rest;
        Some(taken)
    }
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }
    pub(super) fn byte(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }
    pub(super) fn short(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }
    pub(super) fn word(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }
    pub(super) fn long(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }
    pub(super) fn at(&mut self) -> Option<Timestamp> {
        Timestamp::from_nanosecond(i128::from_be_bytes(self.array()?)).ok()
    }
    pub(super) fn head(&mut self) -> Option<Head> {
        Some(Head {
            number: self.long()?,
            term: self.long()?,
            at: self.at()?,
            hash: Hash32(self.array()?),
        })
    }
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
