//! Backup: any log, while it is written, into one compact file; and back from it.
//!
//! Both copy row by row, so every link of the chain and every sum is checked on the way: a damaged
//! log is never handed on as a backup. What was restored remembers that it was.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use raccord_model::PlaceId;
use rusqlite::{Connection, OpenFlags};

use super::append::put_commit;
use super::lock::WriterLock;
use super::open::{begin, beside, compose, connect, io, put_in_place, remove, settle};
use super::snapshot::put_snapshot;
use super::{Chain, FILE, SqliteReader, identity, kept, refused, schema};
use crate::{Forgotten, Head, LogError, LogRead, Part};

/// Remembers in a restored log that it went back in time.
pub(super) const RESTORED: &str = "log.restored";

/// How much is read at once.
const BATCH: usize = 8 << 20;

/// What a log was restored to.
#[derive(Debug)]
pub struct Restored {
    /// The last commit.
    pub head: Head,
    /// The slots left out, because their values were forgotten after the backup was made.
    pub dropped: Vec<String>,
}

/// Writes a backup of `log` to the file `to`: whole or not at all. An older backup of that name is
/// replaced; any other file is refused. It holds personal values: keep it as safe as the log.
///
/// # Errors
/// [`LogError::Damaged`] when the log is; [`LogError::Exists`] for the file of a live log;
/// [`LogError::NotALog`] for a file that is no backup.
pub fn backup(log: &dyn LogRead, to: &Path) -> Result<(), LogError> {
    check_target(to)?;
    let part = beside(to, ".part");
    copy(log, &part, |_, _| true, |_, _| Ok(()))?;
    put_in_place(&part, to)
}

/// Makes `data` the log of `place` as it was in the backup `from`. With `replace`, a log that is
/// there is given up for it.
///
/// # Errors
/// [`LogError::Locked`] while a writer runs, [`LogError::Exists`] without `replace`, and all that can
/// be wrong with the backup; what was there is untouched then.
pub fn restore(
    from: &Path,
    data: &Path,
    place: &PlaceId,
    replace: bool,
) -> Result<Restored, LogError> {
    let backup = SqliteReader::open_file(from, place)?;
    let data = settle(data)?;
    let _lock = WriterLock::take(&data)?;
    let path = data.join(FILE);
    let holds = std::fs::metadata(&path).is_ok_and(|metadata| metadata.len() > 0);
    if holds && !replace {
        return Err(LogError::Exists { path });
    }
    let forgotten = Forgotten::open(&data)?;
    let part = beside(&path, ".restoring");
    let mut dropped = Vec::new();
    let keep = |slot: &str, value: &str| {
        let kept = !forgotten.has_slot(slot) && !forgotten.has_value(value);
        if !kept {
            dropped.push(slot.to_owned());
        }
        kept
    };
    copy(&backup, &part, keep, |conn, chain| {
        // The file keeps its inode and its birth when it is put in place.
        let present = identity::remark(&part, &data)?;
        kept::META
            .put(conn, chain, RESTORED, Some("yes"))
            .and_then(|()| kept::META.put(conn, chain, identity::KEY, Some(&present)))
            .map_err(|source| refused(&part, source))
    })?;
    drop_journal(&path)?;
    put_in_place(&part, &path)?;
    Ok(Restored {
        head: backup.head(),
        dropped,
    })
}

/// Makes `data` hold the very log that `log` is, which is not to be written elsewhere any more: its
/// move to this machine. With `replace`, a log that is there is given up for it.
///
/// # Errors
/// [`LogError::Locked`] while a writer runs, [`LogError::Exists`] without `replace`, and all that can
/// be wrong with `log`; what was there is untouched then.
pub fn adopt(log: &dyn LogRead, data: &Path, replace: bool) -> Result<Head, LogError> {
    let data = settle(data)?;
    let _lock = WriterLock::take(&data)?;
    let path = data.join(FILE);
    let holds = std::fs::metadata(&path).is_ok_and(|metadata| metadata.len() > 0);
    if holds && !replace {
        return Err(LogError::Exists { path });
    }
    let part = beside(&path, ".moving");
    copy(
        log,
        &part,
        |_, _| true,
        |conn, chain| {
            let present = identity::remark(&part, &data)?;
            kept::META
                .put(conn, chain, identity::KEY, Some(&present))
                .map_err(|source| refused(&part, source))
        },
    )?;
    drop_journal(&path)?;
    put_in_place(&part, &path)?;
    Ok(log.head())
}

/// Whether a remark speaks of the file a log lies in, and not of the log.
#[cfg(feature = "jetstream")]
pub(crate) fn is_file_remark(key: &str) -> bool {
    key == identity::KEY || key == super::open::PLACE
}

/// Copies a log into a new file, checking all of it on the way.
fn copy(
    log: &dyn LogRead,
    to: &Path,
    mut keep: impl FnMut(&str, &str) -> bool,
    finish: impl FnOnce(&Connection, &mut Chain) -> Result<(), LogError>,
) -> Result<(), LogError> {
    compose(to, |conn| {
        let refused = |source| refused(to, source);
        let mut chain = begin(conn, log.floor(), log.place()).map_err(refused)?;
        let mut next = log.floor().number + 1;
        loop {
            let commits = log.commits(next, BATCH)?;
            let Some(last) = commits.last() else {
                break;
            };
            next = last.number + 1;
            for commit in &commits {
                put_commit(conn, &mut chain, commit.term, commit.at, &commit.body)
                    .map_err(refused)?;
            }
        }
        if chain.head != log.head() {
            return Err(LogError::damaged(Part::Chain));
        }
        for (id, info) in (1..).zip(log.snapshots()?) {
            let snapshot = log.snapshot(info.head.number)?;
            put_snapshot(conn, &mut chain, id, &snapshot).map_err(refused)?;
        }
        for (slot, value) in log.slots()? {
            if keep(&slot, &value) {
                kept::SLOTS
                    .put(conn, &mut chain, &slot, Some(&value))
                    .map_err(refused)?;
            }
        }
        for (key, value) in log.metas()? {
            // Which file it was says nothing of the copy.
            if key != identity::KEY {
                kept::META
                    .put(conn, &mut chain, &key, Some(&value))
                    .map_err(refused)?;
            }
        }
        finish(conn, &mut chain)?;
        chain.store(conn).map_err(refused)
    })
}

/// Checks that nothing but an older backup would be replaced.
fn check_target(to: &Path) -> Result<(), LogError> {
    // The file of a live log is not even opened: closing it would drop SQLite's locks.
    let named = to.canonicalize().ok();
    if named.is_some_and(|path| path.file_name().is_some_and(|name| name == FILE)) {
        return Err(LogError::Exists {
            path: to.to_owned(),
        });
    }
    let mut start = [0; 72];
    match File::open(to).and_then(|mut file| file.read_exact(&mut start)) {
        Err(source) if source.kind() == ErrorKind::NotFound => Ok(()),
        Ok(()) if start[68..] == schema::APPLICATION.to_be_bytes()[4..] => Ok(()),
        Ok(()) => Err(LogError::NotALog {
            path: to.to_owned(),
        }),
        Err(source) if source.kind() == ErrorKind::UnexpectedEof => Err(LogError::NotALog {
            path: to.to_owned(),
        }),
        Err(source) => Err(io("read", to, source)),
    }
}

/// Takes the journal of a log that is given up away, or SQLite would play it into the new file.
fn drop_journal(path: &Path) -> Result<(), LogError> {
    // What the journal holds is brought into the old file first, so that a crash before the rename
    // leaves it whole. A file too damaged for that loses nothing that could have been read.
    if let Ok(old) = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE) {
        old.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .ok();
    }
    remove(&beside(path, "-wal"))?;
    remove(&beside(path, "-shm"))
}
