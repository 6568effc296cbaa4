//! A commit's body: a list of facts as JSON, compressed when it is long.
//!
//! Short bodies stay readable with any SQLite shell; long ones (the first reading of a large
//! sheet) are LZ4 frames, told apart by their magic number.

use std::io::Read;

use crate::fact::Fact;

/// Bodies longer than this are compressed.
const PLAIN_LIMIT: usize = 64 * 1024;
const LZ4_MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];
/// No commit is longer than this, unpacked.
const UNPACKED_LIMIT: u64 = 2 * 1024 * 1024 * 1024;

/// Why a commit's body cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// It does not unpack.
    #[error("the commit does not unpack")]
    Packed(#[source] std::io::Error),
    /// It is no list of facts this version knows.
    #[error("the commit holds a fact this version does not know")]
    Unknown(#[source] serde_json::Error),
}

/// Encodes facts.
pub fn encode_commit(facts: &[Fact]) -> Vec<u8> {
    let plain = serde_json::to_vec(facts).expect("facts always serialise into memory");
    if plain.len() <= PLAIN_LIMIT {
        return plain;
    }
    let mut packer = lz4_flex::frame::FrameEncoder::new(Vec::with_capacity(plain.len() / 4));
    std::io::Write::write_all(&mut packer, &plain).expect("memory takes every write");
    packer.finish().expect("memory takes every write")
}

/// Decodes facts.
///
/// # Errors
/// When the body does not unpack, or holds what this version does not know.
pub fn decode_commit(body: &[u8]) -> Result<Vec<Fact>, CommitError> {
    if body.starts_with(&LZ4_MAGIC) {
        let mut plain = Vec::new();
        lz4_flex::frame::FrameDecoder::new(body)
            .take(UNPACKED_LIMIT)
            .read_to_end(&mut plain)
            .map_err(CommitError::Packed)?;
        return serde_json::from_slice(&plain).map_err(CommitError::Unknown);
    }
    serde_json::from_slice(body).map_err(CommitError::Unknown)
}
