//! The log in one SQLite file, `raccord.db`: the default backend.
//!
//! WAL with `synchronous=FULL`: what was answered is on the disk. One process writes (the lock),
//! others read beside it. No other file descriptor is ever opened on the database, for closing one
//! would drop SQLite's own locks.

mod append;
mod backup;
mod chain;
mod folder;
mod identity;
mod kept;
mod lock;
#[cfg(feature = "jetstream")]
mod mirror;
mod open;
mod read;
mod schema;
mod snapshot;
mod upkeep;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use raccord_model::PlaceId;
use rusqlite::{Connection, ErrorCode};

use crate::{
    Commit, Entry, Head, Log, LogError, LogRead, Part, Past, Reader, Snapshot, SnapshotInfo, Upkeep,
};
#[cfg(feature = "jetstream")]
pub(crate) use mirror::Mirror;
pub(crate) use open::{io, sync_folder};

#[cfg(feature = "jetstream")]
pub(crate) use backup::is_file_remark;
pub use backup::{Restored, adopt, backup, restore};
use chain::Chain;
use lock::WriterLock;
use snapshot::Pending;

/// The name of the database in the data folder.
pub const FILE: &str = "raccord.db";

/// A log that is only read, beside its writer.
///
/// While it keeps its picture, the writer's journal cannot shrink: drop it, or refresh it, soon.
#[derive(Debug)]
pub struct SqliteReader {
    conn: Connection,
    path: PathBuf,
    place: PlaceId,
    chain: Chain,
}

/// A log that is written, and the lock that makes this its only writer.
#[derive(Debug)]
pub struct SqliteLog {
    store: SqliteReader,
    term: u64,
    poisoned: Option<&'static str>,
    pending: Option<Pending>,
    tidy: bool,
    // Dropped last: the connection is closed while the lock still holds.
    _lock: WriterLock,
}

/// An open log, and what its file says of its past.
#[derive(Debug)]
pub struct Opened {
    /// The log.
    pub log: SqliteLog,
    /// Whether the file is not the one this log was last written to, or comes from a backup. Such a
    /// place must be mute until a person says what it is, and then [`Log::settle_past`] be called.
    pub past: Past,
}

/// What SQLite refused, in the log's own terms.
fn refused(path: &Path, source: rusqlite::Error) -> LogError {
    use rusqlite::Error as E;
    let path = path.to_owned();
    match &source {
        E::FromSqlConversionFailure(..)
        | E::IntegralValueOutOfRange(..)
        | E::InvalidColumnType(..)
        | E::Utf8Error(..) => LogError::damaged(Part::File),
        _ => match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => LogError::Full { path },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                LogError::ReadOnly { path }
            }
            Some(ErrorCode::NotADatabase) => LogError::NotALog { path },
            Some(ErrorCode::DatabaseCorrupt) => LogError::damaged(Part::File),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => LogError::Busy { path },
            _ => LogError::Database { path, source },
        },
    }
}

impl SqliteReader {
    fn refused(&self, source: rusqlite::Error) -> LogError {
        refused(&self.path, source)
    }
}

impl LogRead for SqliteReader {
    fn place(&self) -> &PlaceId {
        &self.place
    }
    fn head(&self) -> Head {
        self.chain.head
    }
    fn floor(&self) -> Head {
        self.chain.floor
    }
    fn commits(&self, from: u64, limit_bytes: usize) -> Result<Vec<Commit>, LogError> {
        self.read_commits(from, limit_bytes)
    }
    fn first_since(&self, at: Timestamp) -> Result<u64, LogError> {
        self.find_since(at)
    }
    fn snapshots(&self) -> Result<Vec<SnapshotInfo>, LogError> {
        self.list_snapshots()
    }
    fn snapshot(&self, number: u64) -> Result<Snapshot, LogError> {
        self.read_snapshot(number)
    }
    fn slots(&self) -> Result<BTreeMap<String, String>, LogError> {
        kept::SLOTS.all(self)
    }
    fn slot(&self, slot: &str) -> Result<Option<String>, LogError> {
        kept::SLOTS.one(self, slot)
    }
    fn metas(&self) -> Result<BTreeMap<String, String>, LogError> {
        kept::META.all(self)
    }
    fn meta(&self, key: &str) -> Result<Option<String>, LogError> {
        kept::META.one(self, key)
    }
}

impl Reader for SqliteReader {
    fn refresh(&mut self) -> Result<Head, LogError> {
        self.take_picture()
    }
    fn past(&self) -> Result<Past, LogError> {
        self.read_past()
    }
}

impl LogRead for SqliteLog {
    fn place(&self) -> &PlaceId {
        self.store.place()
    }
    fn head(&self) -> Head {
        self.store.head()
    }
    fn floor(&self) -> Head {
        self.store.floor()
    }
    fn commits(&self, from: u64, limit_bytes: usize) -> Result<Vec<Commit>, LogError> {
        self.store.commits(from, limit_bytes)
    }
    fn first_since(&self, at: Timestamp) -> Result<u64, LogError> {
        self.store.first_since(at)
    }
    fn snapshots(&self) -> Result<Vec<SnapshotInfo>, LogError> {
        self.store.snapshots()
    }
    fn snapshot(&self, number: u64) -> Result<Snapshot, LogError> {
        self.store.snapshot(number)
    }
    fn slots(&self) -> Result<BTreeMap<String, String>, LogError> {
        self.store.slots()
    }
    fn slot(&self, slot: &str) -> Result<Option<String>, LogError> {
        self.store.slot(slot)
    }
    fn metas(&self) -> Result<BTreeMap<String, String>, LogError> {
        self.store.metas()
    }
    fn meta(&self, key: &str) -> Result<Option<String>, LogError> {
        self.store.meta(key)
    }
}

impl Log for SqliteLog {
    fn term(&self) -> u64 {
        self.term
    }
    fn append_all(&mut self, entries: &[Entry<'_>]) -> Result<Head, LogError> {
        self.writing(|log| log.write_commits(entries))
    }
    fn begin_snapshot(&mut self, number: u64, body: Vec<u8>) -> Result<(), LogError> {
        self.writing(|log| log.queue_snapshot(number, body))
    }
    fn upkeep(&mut self) -> Result<Upkeep, LogError> {
        self.writing(Self::do_upkeep)
    }
    fn drop_snapshot(&mut self, number: u64) -> Result<(), LogError> {
        self.writing(|log| log.remove_snapshot(number))
    }
    fn forget_before(&mut self, number: u64) -> Result<(), LogError> {
        self.writing(|log| log.move_floor(number))
    }
    fn forget(&mut self, slots: &[String]) -> Result<(), LogError> {
        self.writing(|log| log.scrub(slots))
    }
    fn set_meta(&mut self, key: &str, value: Option<&str>) -> Result<(), LogError> {
        self.writing(|log| log.write_meta(key, value))
    }
    fn settle_past(&mut self) -> Result<(), LogError> {
        self.writing(Self::adopt_file)
    }
}
