//! Reading commits, each checked against the one before.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row};

use super::SqliteReader;
use crate::{Commit, Hash32, Head, LogError, MAX_BODY, Part};

impl SqliteReader {
    pub(super) fn read_commits(
        &self,
        from: u64,
        limit_bytes: usize,
    ) -> Result<Vec<Commit>, LogError> {
        if from <= self.chain.floor.number {
            return Err(LogError::Forgotten {
                number: from,
                floor: self.chain.floor.number,
            });
        }
        let mut found = Vec::new();
        if from > self.chain.head.number {
            return Ok(found);
        }
        let damaged = |number: u64| LogError::Damaged {
            part: Part::Commit(number),
            last_good: (number > self.chain.floor.number + 1).then(|| number - 1),
        };
        let mut previous = self.hash_of(from - 1)?.ok_or_else(|| damaged(from - 1))?;
        let mut number = from;
        let mut bytes = 0;
        let mut read = || -> rusqlite::Result<()> {
            let mut query = self.conn.prepare_cached(
                "SELECT n, term, at, hash, size, body FROM commits WHERE n >= ?1 ORDER BY n",
            )?;
            let mut rows = query.query([from as i64])?;
            while number <= self.chain.head.number {
                let Some((commit, hash)) = rows
                    .next()?
                    .and_then(|row| checked(row, number, previous).transpose())
                    .transpose()?
                else {
                    return Ok(());
                };
                bytes += commit.body.len();
                if bytes > limit_bytes && !found.is_empty() {
                    return Ok(());
                }
                previous = hash;
                number += 1;
                found.push(commit);
            }
            Ok(())
        };
        match read() {
            // The good ones are handed out; whoever asks for the next one hears of the damage.
            _ if !found.is_empty() => {}
            Ok(()) => return Err(damaged(from)),
            Err(source) => {
                return Err(match self.refused(source) {
                    LogError::Damaged { .. } => damaged(from),
                    other => other,
                });
            }
        }
        let ended = number > self.chain.head.number;
        if ended && previous != self.chain.head.hash {
            return Err(damaged(self.chain.head.number));
        }
        Ok(found)
    }

    /// The hash of commit `number`, as far as the log goes back.
    pub(super) fn hash_of(&self, number: u64) -> Result<Option<Hash32>, LogError> {
        if number == self.chain.floor.number {
            return Ok(Some(self.chain.floor.hash));
        }
        let bytes: Option<Vec<u8>> = self
            .conn
            .prepare_cached("SELECT hash FROM commits WHERE n = ?1")
            .and_then(|mut query| {
                query
                    .query_row([number as i64], |row| row.get(0))
                    .optional()
            })
            .map_err(|source| self.refused(source))?;
        Ok(bytes.and_then(|bytes| bytes.try_into().ok()).map(Hash32))
    }

    /// Commit `number` without its body, as far as the log goes back.
    pub(super) fn head_at(&self, number: u64) -> Result<Head, LogError> {
        let (floor, head) = (self.chain.floor, self.chain.head);
        if number < floor.number {
            return Err(LogError::Forgotten {
                number,
                floor: floor.number,
            });
        }
        if number > head.number {
            return Err(LogError::NoCommit {
                number,
                head: head.number,
            });
        }
        if number == floor.number {
            return Ok(floor);
        }
        if number == head.number {
            return Ok(head);
        }
        // Read whole, so that a snapshot never names a commit that is not what was written.
        self.read_commits(number, 0)?
            .first()
            .map(Commit::head)
            .ok_or_else(|| LogError::damaged(Part::Commit(number)))
    }

    pub(super) fn find_since(&self, at: Timestamp) -> Result<u64, LogError> {
        let (mut low, mut high) = (self.chain.floor.number + 1, self.chain.head.number + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            let made: i64 = self
                .conn
                .prepare_cached("SELECT at FROM commits WHERE n = ?1")
                .and_then(|mut query| {
                    query
                        .query_row([middle as i64], |row| row.get(0))
                        .optional()
                })
                .map_err(|source| self.refused(source))?
                .ok_or_else(|| LogError::damaged(Part::Commit(middle)))?;
            if i128::from(made) < at.as_nanosecond() {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }
}

/// The commit of a row and its hash, if it is number `number` and follows `previous`.
fn checked(
    row: &Row<'_>,
    number: u64,
    previous: Hash32,
) -> rusqlite::Result<Option<(Commit, Hash32)>> {
    let (n, term, at): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let Ok(at) = Timestamp::from_nanosecond(i128::from(at)) else {
        return Ok(None);
    };
    let Some(body) = unpack(row.get(4)?, row.get_ref(5)?.as_blob()?) else {
        return Ok(None);
    };
    let commit = Commit {
        number: n.cast_unsigned(),
        term: term.cast_unsigned(),
        at,
        previous,
        body,
    };
    let hash = commit.hash();
    let good = commit.number == number && row.get_ref(3)?.as_blob()? == hash.0;
    Ok(good.then_some((commit, hash)))
}

/// Bodies from this size on are packed.
const WORTH_PACKING: usize = 1024;

/// A body as it is stored: its size, where it is packed, and its bytes.
pub(super) fn pack(body: &[u8]) -> (Option<i64>, std::borrow::Cow<'_, [u8]>) {
    if body.len() >= WORTH_PACKING {
        let packed = lz4_flex::block::compress(body);
        if packed.len() < body.len() {
            return (Some(body.len() as i64), packed.into());
        }
    }
    (None, body.into())
}

/// The body again; none when the bytes are not what [`pack`] made.
fn unpack(size: Option<i64>, bytes: &[u8]) -> Option<Vec<u8>> {
    let Some(size) = size else {
        return Some(bytes.to_vec());
    };
    // A block of n bytes never unpacks to more than 255 n: what a flipped size asks for is not
    // reserved blindly.
    let size = usize::try_from(size)
        .ok()
        .filter(|size| *size <= MAX_BODY && *size <= bytes.len().saturating_mul(256))?;
    lz4_flex::block::decompress(bytes, size)
        .ok()
        .filter(|body| body.len() == size)
}
