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
use super::{FILE, Opened, SqliteLog, SqliteReader, folder, identity, kept, refused, schema};
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
pub(crate) fn io(step: &'static str, path: &Path, source: std::io::Error) -> LogError {
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
pub(crate) fn sync_folder(folder: &Path) -> Result<(), LogError> {
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
        let path = data.join(FILE);
        if !path.exists() {
            make(&path, place)?;
        }
        let mut conn = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        prepare(&mut conn, &path)?;
        let store = SqliteReader::over(conn, path, place)?;
        let log = Self {
            term: store.chain.head.term + 1,
            store,
            poisoned: None,
            pending: None,
            tidy: false,
            _lock: lock,
        };
        let past = log.store.read_past()?;
        Ok(Opened { log, past })
    }

    /// The folder the log lies in, without symbolic links.
    pub fn folder(&self) -> &Path {
        self.store.folder()
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
        if format(&conn, &path)? < schema::VERSION {
            // Only a writer may bring an older log to the present format.
            return Err(LogError::Older { path });
        }
        Self::over(conn, path, place)
    }

    pub(super) fn take_picture(&mut self) -> Result<Head, LogError> {
        self.conn
            .execute_batch("COMMIT; BEGIN")
            .map_err(|source| refused(&self.path, source))?;
        self.chain = load(&self.conn, &self.path)?;
        Ok(self.chain.head)
    }

    pub(super) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    /// A handle over an open connection, once all that can be checked at once is.
    pub(super) fn over(conn: Connection, path: PathBuf, place: &PlaceId) -> Result<Self, LogError> {
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

/// Makes the log of `place`, whole or not at all: an empty file is never a log.
fn make(path: &Path, place: &PlaceId) -> Result<(), LogError> {
    // A journal without its file: the log was taken away by hand, and may come back.
    if std::fs::metadata(beside(path, "-wal")).is_ok_and(|journal| journal.len() > 0) {
        return Err(LogError::damaged(Part::File));
    }
    let part = beside(path, ".new");
    let identity = || identity::remark(&part, path.parent().unwrap_or(path));
    compose(&part, |conn| {
        let refused = |source| refused(&part, source);
        let mut chain = begin(conn, Head::genesis(place), place).map_err(refused)?;
        kept::META
            .put(conn, &mut chain, identity::KEY, Some(&identity()?))
            .and_then(|()| chain.store(conn))
            .map_err(refused)
    })?;
    put_in_place(&part, path)
}

/// Writes a new file at `path` in one go, with the tables of the present format and what `fill` puts
/// into them, and makes it durable. Nobody looks at it before it is put in place.
pub(super) fn compose(
    path: &Path,
    fill: impl FnOnce(&Connection) -> Result<(), LogError>,
) -> Result<(), LogError> {
    remove(path)?;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|source| io("make", path, source))?;
    let mut conn = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let refused = |source| refused(path, source);
    conn.pragma_update(None, "page_size", PAGE)
        .map_err(refused)?;
    conn.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
        .map_err(refused)?;
    let transaction =
        Transaction::new(&mut conn, TransactionBehavior::Immediate).map_err(refused)?;
    schema::migrate(&transaction, 0).map_err(refused)?;
    fill(&transaction)?;
    transaction.commit().map_err(refused)?;
    conn.close().map_err(|(_, source)| refused(source))?;
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(|source| io("sync", path, source))
}

/// `path` with `suffix` after its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Renames a finished file, durably.
pub(super) fn put_in_place(part: &Path, to: &Path) -> Result<(), LogError> {
    std::fs::rename(part, to).map_err(|source| io("put in place", to, source))?;
    match to.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => sync_folder(folder),
        _ => sync_folder(Path::new(".")),
    }
}

/// Removes a file, if it is there.
pub(super) fn remove(path: &Path) -> Result<(), LogError> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != ErrorKind::NotFound => Err(io("remove", path, source)),
        _ => Ok(()),
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

/// The format of the file.
fn format(conn: &Connection, path: &Path) -> Result<i64, LogError> {
    let read = || -> rusqlite::Result<(i64, i64, i64)> {
        Ok((
            conn.pragma_query_value(None, "application_id", |row| row.get(0))?,
            schema::version(conn)?,
            conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?,
        ))
    };
    match read().map_err(|source| refused(path, source))? {
        // Cut down to nothing: SQLite takes the first bytes of a page for an empty database too.
        (0, 0, 0) if std::fs::metadata(path).is_ok_and(|metadata| metadata.len() == 0) => {
            Err(LogError::damaged(Part::File))
        }
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

/// Sets the writer's connection up, and brings the file to the present format.
fn prepare(conn: &mut Connection, path: &Path) -> Result<(), LogError> {
    let refused = |source| refused(path, source);
    let found = format(conn, path)?;
    let mode = settings(conn).map_err(refused)?;
    if mode != "wal" || conn.is_readonly("main").map_err(refused)? {
        return Err(LogError::ReadOnly {
            path: path.to_owned(),
        });
    }
    if found < schema::VERSION {
        let transaction =
            Transaction::new(conn, TransactionBehavior::Immediate).map_err(refused)?;
        schema::migrate(&transaction, found)
            .and_then(|()| transaction.commit())
            .map_err(refused)?;
    }
    Ok(())
}

fn settings(conn: &Connection) -> rusqlite::Result<String> {
    conn.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    let mode = conn.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    conn.pragma_update(None, "synchronous", "full")?;
    conn.pragma_update_and_check(None, "wal_autocheckpoint", JOURNAL_PAGES, |_| Ok(()))?;
    conn.pragma_update_and_check(None, "journal_size_limit", JOURNAL_BYTES, |_| Ok(()))?;
    Ok(mode)
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
