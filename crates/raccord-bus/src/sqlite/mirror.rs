//! A copy of a log that lives elsewhere, on this machine's disk: so that most of it is read here.
//!
//! It holds commits and snapshots, never a personal value. It may be deleted at any time and is never
//! mended: what is damaged is thrown away and fetched anew. Nothing is synced.

use std::path::{Path, PathBuf};

use raccord_model::PlaceId;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::append::put_commit;
use super::chain::Chain;
use super::lock::WriterLock;
use super::open::{begin, beside, compose, connect, put_in_place, remove, settle};
use super::snapshot::{put_snapshot, unlist_before};
use super::{SqliteReader, kept, refused, schema};
use crate::{Commit, Head, LogError, LogRead as _, Snapshot};

/// The file's name: never that of a log that is the truth.
const FILE: &str = "mirror.db";

/// Remembers up to where the other log was read.
const MARK: &str = "mirror.mark";

/// The copy.
#[derive(Debug)]
pub(crate) struct Mirror {
    store: SqliteReader,
    // Dropped last: the connection is closed while the lock still holds.
    _lock: Option<WriterLock>,
}

impl Mirror {
    /// Opens the copy in `folder`; none where there is none that is good.
    pub(crate) fn open(folder: &Path, place: &PlaceId) -> Result<Option<Self>, LogError> {
        let folder = settle(folder)?;
        let lock = WriterLock::take(&folder)?;
        let path = folder.join(FILE);
        if !path.exists() {
            return Ok(None);
        }
        let open = || -> Result<SqliteReader, LogError> {
            let conn = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            unsynced(&conn).map_err(|source| refused(&path, source))?;
            SqliteReader::over(conn, path.clone(), place)
        };
        match open() {
            Ok(store) => Ok(Some(Self {
                store,
                _lock: Some(lock),
            })),
            Err(error) => {
                tracing::warn!(error.code = error.code(), %error, "mirror.thrown-away");
                throw_away(&path)?;
                Ok(None)
            }
        }
    }

    /// Makes the copy in `folder` anew, in place of any other; without a folder, where it is gone
    /// with this handle. It starts at the genesis, or at a snapshot.
    pub(crate) fn make(
        folder: Option<&Path>,
        place: &PlaceId,
        from: Option<&Snapshot>,
    ) -> Result<Self, LogError> {
        let fill = |conn: &Connection| -> rusqlite::Result<()> {
            let floor = from.map_or_else(|| Head::genesis(place), |snapshot| snapshot.head);
            let mut chain = begin(conn, floor, place)?;
            if let Some(snapshot) = from {
                put_snapshot(conn, &mut chain, 1, snapshot)?;
            }
            chain.store(conn)
        };
        let Some(folder) = folder else {
            let path = PathBuf::from(FILE);
            let refused = |source| refused(&path, source);
            let mut conn = Connection::open("").map_err(refused)?;
            let transaction =
                Transaction::new(&mut conn, TransactionBehavior::Immediate).map_err(refused)?;
            schema::migrate(&transaction, 0)
                .and_then(|()| fill(&transaction))
                .and_then(|()| transaction.commit())
                .and_then(|()| unsynced(&conn))
                .map_err(refused)?;
            let store = SqliteReader::over(conn, path, place)?;
            return Ok(Self { store, _lock: None });
        };
        let folder = settle(folder)?;
        let lock = WriterLock::take(&folder)?;
        let path = folder.join(FILE);
        throw_away(&path)?;
        let part = beside(&path, ".new");
        compose(&part, |conn| {
            fill(conn).map_err(|source| refused(&part, source))
        })?;
        put_in_place(&part, &path)?;
        let conn = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        unsynced(&conn).map_err(|source| refused(&path, source))?;
        Ok(Self {
            store: SqliteReader::over(conn, path, place)?,
            _lock: Some(lock),
        })
    }

    /// Takes the copy in `folder` away.
    pub(crate) fn discard(folder: &Path) -> Result<(), LogError> {
        let folder = settle(folder)?;
        let _lock = WriterLock::take(&folder)?;
        throw_away(&folder.join(FILE))
    }

    /// The copy, for reading.
    pub(crate) fn read(&self) -> &SqliteReader {
        &self.store
    }

    /// Commit `number` without its body.
    pub(crate) fn head_at(&self, number: u64) -> Result<Head, LogError> {
        self.store.head_at(number)
    }

    /// What [`Mirror::append`] was last told.
    pub(crate) fn mark(&self) -> Result<Option<String>, LogError> {
        self.store.meta(MARK)
    }

    /// Adds commits that extend the chain, and what is to be remembered with them.
    pub(crate) fn append(&mut self, commits: &[Commit], mark: &str) -> Result<(), LogError> {
        self.transaction(|conn, chain| {
            for commit in commits {
                put_commit(conn, chain, commit.term, commit.at, &commit.body)?;
            }
            kept::META.put(conn, chain, MARK, Some(mark))
        })
    }

    /// Keeps a snapshot beside the others.
    pub(crate) fn keep(&mut self, snapshot: &Snapshot) -> Result<(), LogError> {
        let id = self.store.free_snapshot_id()?;
        self.transaction(|conn, chain| put_snapshot(conn, chain, id, snapshot))
    }

    /// Lets go of what lies before the snapshot of `head`, which is kept here.
    pub(crate) fn rebase(&mut self, head: Head) -> Result<(), LogError> {
        self.transaction(|conn, chain| {
            chain.floor = head;
            unlist_before(conn, chain, head.number)?;
            conn.execute("DELETE FROM commits WHERE n <= ?1", [head.number as i64])
                .map(drop)
        })
    }

    fn transaction(
        &mut self,
        change: impl FnOnce(&Connection, &mut Chain) -> rusqlite::Result<()>,
    ) -> Result<(), LogError> {
        let store = &mut self.store;
        let mut chain = store.chain;
        let run = || -> rusqlite::Result<()> {
            let transaction = Transaction::new(&mut store.conn, TransactionBehavior::Immediate)?;
            change(&transaction, &mut chain)?;
            chain.store(&transaction)?;
            transaction.commit()
        };
        run().map_err(|source| refused(&store.path, source))?;
        store.chain = chain;
        Ok(())
    }
}

fn unsynced(conn: &Connection) -> rusqlite::Result<()> {
    conn.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    conn.pragma_update(None, "synchronous", "off")
}

fn throw_away(path: &Path) -> Result<(), LogError> {
    remove(path)?;
    remove(&beside(path, "-wal"))?;
    remove(&beside(path, "-shm"))
}
