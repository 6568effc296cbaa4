//! Snapshots: written in pieces between appends, valid with the last one, read at once.

use std::sync::mpsc;
use std::thread;

use rusqlite::{Connection, OptionalExtension as _};
use twox_hash::XxHash3_64;

use super::chain::{Chain, decode, encode, sum};
use super::{SqliteLog, SqliteReader};
use crate::{Head, LogError, MAX_SNAPSHOT, Part, Snapshot, SnapshotInfo};

/// The size of a piece before it is packed.
const PIECE: usize = 1 << 20;

/// A snapshot's pieces have the ids from its own, shifted, on.
const SHIFT: u32 = 20;

/// How many threads unpack, and how many pieces are read ahead for each.
const UNPACKERS: usize = 2;
const AHEAD: usize = 2;

/// A snapshot that is being written.
#[derive(Debug)]
pub(super) struct Pending {
    id: i64,
    head: Head,
    body: Vec<u8>,
    written: i64,
}

/// A row of the list.
struct Listed {
    id: i64,
    info: SnapshotInfo,
    parts: i64,
    sum: i64,
}

fn row_sum(id: i64, head: &[u8], size: i64, parts: i64) -> i64 {
    sum(&[
        &id.to_be_bytes(),
        head,
        &size.to_be_bytes(),
        &parts.to_be_bytes(),
    ])
}

fn piece_sum(id: i64, size: i64, bytes: &[u8]) -> i64 {
    XxHash3_64::oneshot_with_seed((id ^ (size << 40)).cast_unsigned(), bytes).cast_signed()
}

/// The first id of a snapshot's pieces, and the first past them.
fn range(id: i64) -> (i64, i64) {
    (id << SHIFT, (id + 1) << SHIFT)
}

impl SqliteReader {
    pub(super) fn list_snapshots(&self) -> Result<Vec<SnapshotInfo>, LogError> {
        Ok(self
            .listed()?
            .into_iter()
            .map(|listed| listed.info)
            .collect())
    }

    /// The list, oldest first, of a snapshot of each commit the newest.
    fn listed(&self) -> Result<Vec<Listed>, LogError> {
        let mut tally = 0;
        let mut read = || -> rusqlite::Result<Option<Vec<Listed>>> {
            let mut query = self
                .conn
                .prepare_cached("SELECT id, head, size, parts, sum FROM snapshots ORDER BY id")?;
            let mut rows = query.query([])?;
            let mut list = Vec::new();
            while let Some(row) = rows.next()? {
                let (id, size, parts): (i64, i64, i64) = (row.get(0)?, row.get(2)?, row.get(3)?);
                let head = row.get_ref(1)?.as_blob()?;
                let sum: i64 = row.get(4)?;
                let (Some(info), true) = (
                    decode(head).map(|head| SnapshotInfo {
                        head,
                        size: size as usize,
                    }),
                    sum == row_sum(id, head, size, parts),
                ) else {
                    return Ok(None);
                };
                tally ^= sum;
                list.push(Listed {
                    id,
                    info,
                    parts,
                    sum,
                });
            }
            Ok(Some(list))
        };
        let list = read().map_err(|source| match self.refused(source) {
            LogError::Damaged { .. } => LogError::damaged(Part::Snapshots),
            other => other,
        })?;
        let mut list = list
            .filter(|_| tally == self.chain.snapshots)
            .ok_or_else(|| LogError::damaged(Part::Snapshots))?;
        list.sort_by_key(|listed| (listed.info.head.number, listed.id));
        Ok(list)
    }

    /// An id that no snapshot and no piece of one has.
    pub(super) fn free_snapshot_id(&self) -> Result<i64, LogError> {
        self.conn
            .query_row(
                "SELECT 1 + max(coalesce((SELECT max(id) FROM snapshots), 0), \
                 coalesce((SELECT max(id) >> ?1 FROM parts), 0))",
                [SHIFT],
                |row| row.get(0),
            )
            .map_err(|source| self.refused(source))
    }

    fn find(&self, number: u64) -> Result<Option<Listed>, LogError> {
        Ok(self
            .listed()?
            .into_iter()
            .rfind(|listed| listed.info.head.number == number))
    }

    pub(super) fn read_snapshot(&self, number: u64) -> Result<Snapshot, LogError> {
        let listed = self.find(number)?.ok_or(LogError::NoSnapshot { number })?;
        let damaged = || LogError::damaged(Part::Snapshot(number));
        let body = self
            .unpack(&listed)
            .map_err(|source| match self.refused(source) {
                LogError::Damaged { .. } => damaged(),
                other => other,
            })?;
        let body = body.ok_or_else(damaged)?;
        if let Some(hash) = self.hash_of(number)?
            && hash != listed.info.head.hash
        {
            return Err(damaged());
        }
        Ok(Snapshot {
            head: listed.info.head,
            body,
        })
    }

    /// Reads the pieces while other threads unpack them: a large state is there in half the time.
    fn unpack(&self, listed: &Listed) -> rusqlite::Result<Option<Vec<u8>>> {
        let mut body = vec![0; listed.info.size];
        let mut pieces = body.chunks_mut(PIECE);
        let whole = thread::scope(|scope| {
            let (sends, unpackers): (Vec<_>, Vec<_>) = (0..UNPACKERS)
                .map(|_| {
                    let (send, receive) = mpsc::sync_channel::<Piece<'_>>(AHEAD);
                    let unpack = move || receive.into_iter().all(Piece::unpack);
                    (send, scope.spawn(unpack))
                })
                .unzip();
            let mut turns = sends.iter().cycle();
            let read = self.read_pieces(listed, |bytes| {
                pieces
                    .next()
                    .zip(turns.next())
                    .is_some_and(|(target, send)| send.send(Piece { bytes, target }).is_ok())
            });
            drop(sends);
            let good = unpackers
                .into_iter()
                .all(|unpacker| unpacker.join().is_ok_and(|good| good));
            read.map(|read| read && good)
        })?;
        let whole = whole && pieces.next().is_none();
        Ok(whole.then_some(body))
    }

    /// Hands out the packed pieces in order, each checked; whether they were good and wanted.
    fn read_pieces(
        &self,
        listed: &Listed,
        mut take: impl FnMut(Vec<u8>) -> bool,
    ) -> rusqlite::Result<bool> {
        let (first, past) = range(listed.id);
        let mut query = self.conn.prepare_cached(
            "SELECT id, size, sum, body FROM parts WHERE id >= ?1 AND id < ?2 ORDER BY id",
        )?;
        let mut rows = query.query([first, past])?;
        for expected in first..first + listed.parts {
            let Some(row) = rows.next()? else {
                return Ok(false);
            };
            let (id, size, sum): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let bytes = row.get_ref(3)?.as_blob()?;
            let good = id == expected && sum == piece_sum(id, size, bytes);
            if !good || !take(bytes.to_vec()) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// A packed piece, and where it belongs.
struct Piece<'a> {
    bytes: Vec<u8>,
    target: &'a mut [u8],
}

impl Piece<'_> {
    /// Whether the piece fills its place.
    fn unpack(self) -> bool {
        lz4_flex::block::decompress_into(&self.bytes, self.target)
            .is_ok_and(|size| size == self.target.len())
    }
}

/// Makes the pieces `id` a snapshot, within the caller's transaction.
fn list(
    conn: &Connection,
    chain: &mut Chain,
    id: i64,
    snapshot: &SnapshotInfo,
    parts: i64,
) -> rusqlite::Result<()> {
    let (head, size) = (encode(&snapshot.head), snapshot.size as i64);
    let sum = row_sum(id, &head, size, parts);
    chain.snapshots ^= sum;
    conn.prepare_cached(
        "INSERT INTO snapshots (id, head, size, parts, sum) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute((id, head, size, parts, sum))
    .map(drop)
}

/// Takes a snapshot off the list, within the caller's transaction.
fn unlist(conn: &Connection, chain: &mut Chain, listed: &Listed) -> rusqlite::Result<()> {
    chain.snapshots ^= listed.sum;
    conn.prepare_cached("DELETE FROM snapshots WHERE id = ?1")?
        .execute([listed.id])
        .map(drop)
}

/// Takes all snapshots before commit `number`, and their pieces, away, within the caller's
/// transaction.
#[cfg(feature = "jetstream")]
pub(super) fn unlist_before(
    conn: &Connection,
    chain: &mut Chain,
    number: u64,
) -> rusqlite::Result<()> {
    let mut query = conn.prepare_cached("SELECT id, head, sum FROM snapshots")?;
    let rows = query.query_map([], |row| {
        let head = decode(row.get_ref(1)?.as_blob()?);
        Ok((row.get::<_, i64>(0)?, head, row.get::<_, i64>(2)?))
    })?;
    for row in rows.collect::<rusqlite::Result<Vec<_>>>()? {
        let (id, Some(head), sum) = row else { continue };
        if head.number < number {
            chain.snapshots ^= sum;
            let (first, past) = range(id);
            conn.execute("DELETE FROM snapshots WHERE id = ?1", [id])?;
            conn.execute(
                "DELETE FROM parts WHERE id >= ?1 AND id < ?2",
                [first, past],
            )?;
        }
    }
    Ok(())
}

/// Writes piece `number` of the snapshot `id`, within the caller's transaction.
fn put_piece(conn: &Connection, id: i64, number: i64, piece: &[u8]) -> rusqlite::Result<()> {
    let bytes = lz4_flex::block::compress(piece);
    let (id, size) = (range(id).0 + number, piece.len() as i64);
    conn.prepare_cached("INSERT INTO parts (id, size, sum, body) VALUES (?1, ?2, ?3, ?4)")?
        .execute((id, size, piece_sum(id, size, &bytes), bytes))
        .map(drop)
}

/// Writes a whole snapshot under a free `id`, within the caller's transaction.
pub(super) fn put_snapshot(
    conn: &Connection,
    chain: &mut Chain,
    id: i64,
    snapshot: &Snapshot,
) -> rusqlite::Result<()> {
    let mut parts = 0;
    for piece in snapshot.body.chunks(PIECE) {
        put_piece(conn, id, parts, piece)?;
        parts += 1;
    }
    let info = SnapshotInfo {
        head: snapshot.head,
        size: snapshot.body.len(),
    };
    list(conn, chain, id, &info, parts)
}

impl SqliteLog {
    pub(super) fn queue_snapshot(&mut self, number: u64, body: Vec<u8>) -> Result<(), LogError> {
        if body.len() > MAX_SNAPSHOT {
            return Err(LogError::TooLarge {
                size: body.len(),
                limit: MAX_SNAPSHOT,
            });
        }
        let head = self.store.head_at(number)?;
        self.pending = Some(Pending {
            id: self.store.free_snapshot_id()?,
            head,
            body,
            written: 0,
        });
        Ok(())
    }

    /// Writes the next piece, or the row that makes the pieces a snapshot.
    pub(super) fn write_piece(&mut self, mut pending: Pending) -> Result<(), LogError> {
        let start = pending.written as usize * PIECE;
        if start < pending.body.len() {
            let piece = &pending.body[start..pending.body.len().min(start + PIECE)];
            self.unsynced(|log| {
                log.transaction(|conn, _| put_piece(conn, pending.id, pending.written, piece))
            })?;
            pending.written += 1;
            self.pending = Some(pending);
            return Ok(());
        }
        let number = pending.head.number;
        if number < self.store.chain.floor.number {
            return Ok(());
        }
        let listed = self.store.listed()?;
        let before = listed
            .iter()
            .filter(|listed| listed.info.head.number == number);
        let info = SnapshotInfo {
            head: pending.head,
            size: pending.body.len(),
        };
        // This transaction is synced, and with it all the frames before it in the same journal.
        self.transaction(|conn, chain| {
            list(conn, chain, pending.id, &info, pending.written)?;
            before
                .into_iter()
                .try_for_each(|listed| unlist(conn, chain, listed))
        })
    }

    pub(super) fn remove_snapshot(&mut self, number: u64) -> Result<(), LogError> {
        if number == self.store.chain.floor.number {
            return Err(LogError::Needed { number });
        }
        match self.store.find(number)? {
            Some(listed) => self.transaction(|conn, chain| unlist(conn, chain, &listed)),
            None => Ok(()),
        }
    }

    pub(super) fn move_floor(&mut self, number: u64) -> Result<(), LogError> {
        let base = number.saturating_sub(1);
        if base <= self.store.chain.floor.number {
            return Ok(());
        }
        let listed = self.store.listed()?;
        let Some(floor) = listed
            .iter()
            .rfind(|listed| listed.info.head.number == base)
        else {
            return Err(LogError::NoSnapshot { number: base });
        };
        let older = listed
            .iter()
            .filter(|listed| listed.info.head.number < base);
        self.transaction(|conn, chain| {
            chain.floor = floor.info.head;
            older
                .into_iter()
                .try_for_each(|listed| unlist(conn, chain, listed))
        })
    }

    /// Removes one row that nothing refers to any more, if there is one.
    pub(super) fn sweep(&mut self) -> Result<bool, LogError> {
        let floor = self.store.chain.floor.number as i64;
        let kept = self.pending.as_ref().map_or(-1, |pending| pending.id);
        self.unsynced(|log| {
            log.transaction(|conn, _| {
                let commits = conn
                    .prepare_cached(
                        "DELETE FROM commits WHERE n IN \
                         (SELECT n FROM commits WHERE n <= ?1 ORDER BY n LIMIT 200)",
                    )?
                    .execute([floor])?;
                if commits > 0 {
                    return Ok(true);
                }
                let part: Option<i64> = conn
                    .prepare_cached(
                        "SELECT id FROM parts WHERE id >> ?1 NOT IN (SELECT id FROM snapshots) \
                         AND id >> ?1 <> ?2 LIMIT 1",
                    )?
                    .query_row([i64::from(SHIFT), kept], |row| row.get(0))
                    .optional()?;
                if let Some(part) = part {
                    conn.prepare_cached("DELETE FROM parts WHERE id = ?1")?
                        .execute([part])?;
                }
                Ok(part.is_some())
            })
        })
    }
}
