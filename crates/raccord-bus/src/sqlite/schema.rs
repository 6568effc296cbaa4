//! The tables of the log, and the steps that lead from one format to the next.
//!
//! The tables in the file must be, to the letter, the ones written here.

use rusqlite::Connection;

use crate::{LogError, Part};

/// Marks the file as ours for `file` and friends ("Racc").
pub(super) const APPLICATION: i64 = 0x5261_6363;

/// The format this program writes.
pub(super) const VERSION: i64 = STEPS.len() as i64;

/// `STEPS[n]` leads from format n to format n + 1.
const STEPS: &[&str] = &[FIRST];

const FIRST: &str = "\
CREATE TABLE chain (id INTEGER PRIMARY KEY CHECK (id = 1), floor BLOB NOT NULL, head BLOB NOT NULL, slots INTEGER NOT NULL, meta INTEGER NOT NULL, snapshots INTEGER NOT NULL, sum INTEGER NOT NULL) STRICT;
CREATE TABLE commits (n INTEGER PRIMARY KEY, term INTEGER NOT NULL, at INTEGER NOT NULL, hash BLOB NOT NULL, size INTEGER, body BLOB NOT NULL) STRICT;
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL, sum INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE parts (id INTEGER PRIMARY KEY, size INTEGER NOT NULL, sum INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE slots (name TEXT PRIMARY KEY, value TEXT NOT NULL, sum INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE snapshots (id INTEGER PRIMARY KEY, head BLOB NOT NULL, size INTEGER NOT NULL, parts INTEGER NOT NULL, sum INTEGER NOT NULL) STRICT;";

/// Reads the format of the file; 0 for an empty one.
pub(super) fn version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Brings the tables to the present format, within the caller's transaction.
pub(super) fn migrate(conn: &Connection, from: i64) -> rusqlite::Result<()> {
    for step in &STEPS[from as usize..] {
        conn.execute_batch(step)?;
    }
    conn.pragma_update(None, "application_id", APPLICATION)?;
    conn.pragma_update(None, "user_version", VERSION)
}

/// Checks that the tables are the ones of the present format.
pub(super) fn check(conn: &Connection) -> Result<(), LogError> {
    let read = || -> rusqlite::Result<Vec<String>> {
        conn.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")?
            .query_map([], |row| row.get(0))?
            .collect()
    };
    let found = read().map_err(|_| LogError::damaged(Part::Tables))?;
    let expected = FIRST.split(";\n").map(|sql| sql.trim_end_matches(';'));
    if expected.eq(found.iter().map(String::as_str)) {
        Ok(())
    } else {
        Err(LogError::damaged(Part::Tables))
    }
}
