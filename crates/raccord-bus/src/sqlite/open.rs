//! Opening a log: for writing, which makes it where there is none, or for reading beside its writer.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use raccord_model::PlaceId;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::chain::Chain;
use super::lock::WriterLock;
use super::{FILE, Opened, SqliteLog, SqliteReader, folder, kept, refused, schema};
use crate::{Head, LogError, LogRead as _, Part};

/// Whose log it is.
pub(super) const PLACE: &str = "log.place";

/// How long a write waits for a reader or a curious `sqlite3` to step aside.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Pages: a small commit touches two or three, the piece of a snapshot some hundred.
const PAGE: i64 = 4096;

/// The journal is brought into the file at this many pages, and cut down to so many bytes.
const JOURNAL_PAGES: i64 = 1000;
const JOURNAL_BYTES: i64 = 8 << 20;

/// What the machine refused, in the log's own terms.
pub(super) fn io(step: &'static str, path: &Path, source: std::io::Error) -> LogError {
    let path = path.to_owned();
    match source.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => LogError::ReadOnly { path },
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => LogError::Full { path },
        _ => LogError::Io { step, path, source },
    }
}

/// Makes `data` where it is missing, and finds where it really lies.
pub(super) fn settle(data: &Path) -> Result<PathBuf, LogError> {
    let missing = !data.exists();
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data)
        .map_err(|source| io("make", data, source))?;
    let data = data
        .canonicalize()
        .map_err(|source| io("find", data, source))?;
    if missing {
        data.parent().map_or(Ok(()), sync_folder)?;
    }
    folder::check(&data)?;
    Ok(data)
}

/// Makes the names in `folder` durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), LogError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| io("sync", folder, source))
}

impl SqliteLog {
    /// Opens the log of `place` in the folder `data` for writing, and makes both where they are
    /// missing.
    ///
    /// # Errors
    /// [`LogError::Locked`] while another process writes it, and all that can be wrong with a folder
    /// or a file; nothing has been changed then.
    pub fn open(data: &Path, place: &PlaceId) -> Result<Opened, LogError> {
        let data = settle(data)?;
        let lock = WriterLock::take(&data)?;
        Self::open_locked(&data, place, lock)
    }

    pub(super) fn open_locked(
        data: &Path,
        place: &PlaceId,
        lock: WriterLock,
    ) -> Result<Opened, LogError> {
        let path = data.join(FILE);
        create(&path)?;
        let mut conn = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let fresh = prepare(&mut conn, &path, place)?;
        let store = SqliteReader::over(conn, path, place)?;
        let mut log = Self {
            term: store.chain.head.term + 1,
            store,
            poisoned: None,
            pending: None,
            tidy: false,
            _lock: lock,
        };
        if fresh {
            log.adopt_file()?;
        }
        let copied = log.store.is_copied()?;
        Ok(Opened { log, copied })
    }

    /// The folder the log lies in, without symbolic links.
    pub fn folder(&self) -> &Path {
        self.store.path.parent().unwrap_or(&self.store.path)
    }

    /// The number of the first commit made at or after `at`: see [`SqliteReader::first_since`].
    ///
    /// # Errors
    /// [`LogError::Damaged`] when the commits cannot be read.
    pub fn first_since(&self, at: jiff::Timestamp) -> Result<u64, LogError> {
        self.store.first_since(at)
    }
}

impl SqliteReader {
    /// Opens the log of `place` in the folder `data` for reading, beside its writer if there is one.
    ///
    /// # Errors
    /// [`LogError::Missing`] where there is none, and all that can be wrong with a file.
    pub fn open(data: &Path, place: &PlaceId) -> Result<Self, LogError> {
        Self::open_file(&data.join(FILE), place)
    }

    /// Opens the file at `path`, such as a backup, for reading.
    ///
    /// # Errors
    /// As [`SqliteReader::open`].
    pub fn open_file(path: &Path, place: &PlaceId) -> Result<Self, LogError> {
        let path = path.canonicalize().map_err(|source| match source.kind() {
            ErrorKind::NotFound => LogError::Missing {
                path: path.to_owned(),
            },
            _ => io("find", path, source),
        })?;
        let conn = connect(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        conn.execute_batch("BEGIN")
            .map_err(|source| refused(&path, source))?;
        match format(&conn, &path)? {
            0 => Err(LogError::Missing { path }),
            schema::VERSION => Self::over(conn, path, place),
            // Only a writer may bring an older log to the present format.
            _ => Err(LogError::NotALog { path }),
        }
    }

    /// Takes a new picture.
    ///
    /// # Errors
    /// [`LogError::Damaged`] when the log is no longer as it was written.
    pub fn refresh(&mut self) -> Result<Head, LogError> {
        self.conn
            .execute_batch("COMMIT; BEGIN")
            .map_err(|source| refused(&self.path, source))?;
        self.chain = load(&self.conn, &self.path)?;
        Ok(self.chain.head)
    }

    /// A handle over an open connection, once all that can be checked at once is.
    fn over(conn: Connection, path: PathBuf, place: &PlaceId) -> Result<Self, LogError> {
        schema::check(&conn)?;
        let store = Self {
            chain: load(&conn, &path)?,
            conn,
            path,
            place: place.clone(),
        };
        // All at once, so that a remark that vanished is missed here and not months later.
        match store.metas()?.remove(PLACE) {
            Some(found) if found == place.as_str() => {}
            Some(found) => {
                return Err(LogError::OtherPlace {
                    found,
                    expected: place.to_string(),
                });
            }
            None => return Err(LogError::damaged(Part::Meta)),
        }
        store.chain.check_head(&store.conn)?;
        let floor = store.chain.floor.number;
        if floor > 0
            && !store
                .list_snapshots()?
                .iter()
                .any(|info| info.head == store.chain.floor)
        {
            return Err(LogError::damaged(Part::Snapshot(floor)));
        }
        Ok(store)
    }
}

/// Makes an empty file that nobody else may read.
fn create(path: &Path) -> Result<(), LogError> {
    match OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Ok(_) => Ok(()),
        Err(source) if source.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(io("make", path, source)),
    }
}

/// Opens the file, with what holds for every handle.
pub(super) fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, LogError> {
    let open = || -> rusqlite::Result<Connection> {
        let conn = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        conn.busy_timeout(PATIENCE)?;
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        conn.pragma_update(None, "cell_size_check", true)?;
        conn.set_prepared_statement_cache_capacity(32);
        Ok(conn)
    };
    open().map_err(|source| refused(path, source))
}

/// The format of the file; 0 for an empty one.
fn format(conn: &Connection, path: &Path) -> Result<i64, LogError> {
    let read = || -> rusqlite::Result<(i64, i64, i64)> {
        Ok((
            conn.pragma_query_value(None, "application_id", |row| row.get(0))?,
            schema::version(conn)?,
            conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?,
        ))
    };
    match read().map_err(|source| refused(path, source))? {
        (0, 0, 0) => Ok(0),
        (schema::APPLICATION, found, _) if found > schema::VERSION => Err(LogError::Newer {
            found,
            known: schema::VERSION,
        }),
        (schema::APPLICATION, found, _) if found > 0 => Ok(found),
        _ => Err(LogError::NotALog {
            path: path.to_owned(),
        }),
    }
}

/// Sets the writer's connection up, and brings the file to the present format. Whether it was empty.
fn prepare(conn: &mut Connection, path: &Path, place: &PlaceId) -> Result<bool, LogError> {
    let refused = |source| refused(path, source);
    if conn.is_readonly("main").map_err(refused)? {
        return Err(LogError::ReadOnly {
            path: path.to_owned(),
        });
    }
    let found = format(conn, path)?;
    let mode: String = settings(conn).map_err(refused)?;
    if mode != "wal" {
        return Err(LogError::ReadOnly {
            path: path.to_owned(),
        });
    }
    if found < schema::VERSION {
        upgrade(conn, found, place).map_err(refused)?;
    }
    Ok(found == 0)
}

fn settings(conn: &Connection) -> rusqlite::Result<String> {
    conn.pragma_update(None, "page_size", PAGE)?;
    conn.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    let mode = conn.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    conn.pragma_update(None, "synchronous", "full")?;
    conn.pragma_update_and_check(None, "wal_autocheckpoint", JOURNAL_PAGES, |_| Ok(()))?;
    conn.pragma_update_and_check(None, "journal_size_limit", JOURNAL_BYTES, |_| Ok(()))?;
    Ok(mode)
}

fn upgrade(conn: &mut Connection, from: i64, place: &PlaceId) -> rusqlite::Result<()> {
    let transaction = Transaction::new(conn, TransactionBehavior::Immediate)?;
    schema::migrate(&transaction, from)?;
    if from == 0 {
        begin(&transaction, Head::genesis(place), place)?;
    }
    transaction.commit()
}

/// Writes the first rows of a log that starts from `floor`, within the caller's transaction.
pub(super) fn begin(conn: &Connection, floor: Head, place: &PlaceId) -> rusqlite::Result<Chain> {
    let mut chain = Chain::empty(floor);
    kept::META.put(conn, &mut chain, PLACE, Some(place.as_str()))?;
    chain.store(conn)?;
    Ok(chain)
}

fn load(conn: &Connection, path: &Path) -> Result<Chain, LogError> {
    Chain::load(conn)
        .map_err(|source| match refused(path, source) {
            LogError::Damaged { .. } => LogError::damaged(Part::Chain),
            other => other,
        })?
        .ok_or_else(|| LogError::damaged(Part::Chain))
}
