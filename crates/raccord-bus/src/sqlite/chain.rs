//! The one row that says where the chain starts and ends and what stands beside it, so that rows
//! which vanish are missed.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};
use twox_hash::XxHash3_64;

use crate::{Hash32, Head, LogError, Part};

/// The record, kept in memory by every handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chain {
    /// What the kept commits follow.
    pub(super) floor: Head,
    /// The last commit.
    pub(super) head: Head,
    /// The tallies of the tables beside the chain: the sums of their rows, by exclusive or.
    pub(super) slots: i64,
    pub(super) meta: i64,
    pub(super) snapshots: i64,
}

const HEAD: usize = 8 + 8 + 16 + 32;

/// A head as bytes.
pub(super) fn encode(head: &Head) -> [u8; HEAD] {
    let mut bytes = [0; HEAD];
    bytes[..8].copy_from_slice(&head.number.to_be_bytes());
    bytes[8..16].copy_from_slice(&head.term.to_be_bytes());
    bytes[16..32].copy_from_slice(&head.at.as_nanosecond().to_be_bytes());
    bytes[32..].copy_from_slice(&head.hash.0);
    bytes
}

/// A head from its bytes.
pub(super) fn decode(bytes: &[u8]) -> Option<Head> {
    let (number, rest) = bytes.split_first_chunk()?;
    let (term, rest) = rest.split_first_chunk()?;
    let (at, rest) = rest.split_first_chunk()?;
    Some(Head {
        number: u64::from_be_bytes(*number),
        term: u64::from_be_bytes(*term),
        at: Timestamp::from_nanosecond(i128::from_be_bytes(*at)).ok()?,
        hash: Hash32(rest.try_into().ok()?),
    })
}

/// A checksum over `parts`, each preceded by its length: it finds accidents, not malice.
pub(super) fn sum(parts: &[&[u8]]) -> i64 {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    XxHash3_64::oneshot(&bytes).cast_signed()
}

impl Chain {
    /// The record of an empty log that starts from `genesis`.
    pub(super) fn empty(genesis: Head) -> Self {
        Self {
            floor: genesis,
            head: genesis,
            slots: 0,
            meta: 0,
            snapshots: 0,
        }
    }

    fn sum(&self) -> i64 {
        sum(&[
            &encode(&self.floor),
            &encode(&self.head),
            &self.slots.to_be_bytes(),
            &self.meta.to_be_bytes(),
            &self.snapshots.to_be_bytes(),
        ])
    }

    /// Writes the record, within the caller's transaction.
    pub(super) fn store(&self, conn: &Connection) -> rusqlite::Result<()> {
        conn.prepare_cached(
            "INSERT OR REPLACE INTO chain (id, floor, head, slots, meta, snapshots, sum) \
             VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((
            encode(&self.floor),
            encode(&self.head),
            self.slots,
            self.meta,
            self.snapshots,
            self.sum(),
        ))
        .map(drop)
    }

    /// Reads the record, and checks that it agrees with the commits it speaks of.
    pub(super) fn load(conn: &Connection) -> Result<Option<Self>, rusqlite::Error> {
        let row = conn
            .prepare_cached("SELECT floor, head, slots, meta, snapshots, sum FROM chain")?
            .query_row([], |row| {
                let chain = decode(row.get_ref(0)?.as_blob()?)
                    .zip(decode(row.get_ref(1)?.as_blob()?))
                    .map(|(floor, head)| {
                        Ok::<_, rusqlite::Error>(Self {
                            floor,
                            head,
                            slots: row.get(2)?,
                            meta: row.get(3)?,
                            snapshots: row.get(4)?,
                        })
                    })
                    .transpose()?;
                let sum: i64 = row.get(5)?;
                Ok(chain.filter(|chain| chain.sum() == sum))
            })
            .optional()?;
        Ok(row.flatten())
    }

    /// Checks that the last commit in the table is the head.
    pub(super) fn check_head(&self, conn: &Connection) -> Result<(), LogError> {
        let last = conn
            .prepare_cached("SELECT n, hash FROM commits ORDER BY n DESC LIMIT 1")
            .and_then(|mut query| {
                query
                    .query_row([], |row| {
                        Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
                    })
                    .optional()
            })
            .map_err(|_| LogError::damaged(Part::Chain))?;
        let agrees = match last {
            Some((number, hash)) => {
                number.cast_unsigned() == self.head.number && hash == self.head.hash.0
            }
            None => self.head == self.floor,
        };
        if agrees {
            Ok(())
        } else {
            Err(LogError::damaged(Part::Chain))
        }
    }
}
