//! The two small tables beside the chain, personal values and remarks about the log: each row with
//! its sum, and all of them with their tally in the chain's record.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _};

use super::SqliteReader;
use super::chain::{Chain, sum};
use crate::{LogError, Part};

/// One such table.
pub(super) struct Kept {
    part: Part,
    one: &'static str,
    all: &'static str,
    put: &'static str,
    remove: &'static str,
    tally: fn(&mut Chain) -> &mut i64,
}

/// The personal values.
pub(super) const SLOTS: Kept = Kept {
    part: Part::Slots,
    one: "SELECT value, sum FROM slots WHERE name = ?1",
    all: "SELECT name, value, sum FROM slots",
    put: "INSERT OR REPLACE INTO slots (name, value, sum) VALUES (?1, ?2, ?3)",
    remove: "DELETE FROM slots WHERE name = ?1",
    tally: |chain| &mut chain.slots,
};

/// The remarks about the log.
pub(super) const META: Kept = Kept {
    part: Part::Meta,
    one: "SELECT value, sum FROM meta WHERE name = ?1",
    all: "SELECT name, value, sum FROM meta",
    put: "INSERT OR REPLACE INTO meta (name, value, sum) VALUES (?1, ?2, ?3)",
    remove: "DELETE FROM meta WHERE name = ?1",
    tally: |chain| &mut chain.meta,
};

fn row_sum(name: &str, value: &str) -> i64 {
    sum(&[name.as_bytes(), value.as_bytes()])
}

impl Kept {
    /// Reads one value.
    pub(super) fn one(&self, store: &SqliteReader, name: &str) -> Result<Option<String>, LogError> {
        let row: Option<(String, i64)> = store
            .conn
            .prepare_cached(self.one)
            .and_then(|mut query| {
                query
                    .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()
            })
            .map_err(|source| self.misread(store, source))?;
        match row {
            Some((value, found)) if row_sum(name, &value) == found => Ok(Some(value)),
            Some(_) => Err(LogError::damaged(self.part)),
            None => Ok(None),
        }
    }

    /// Reads all values, and misses those that have vanished.
    pub(super) fn all(&self, store: &SqliteReader) -> Result<BTreeMap<String, String>, LogError> {
        let mut values = BTreeMap::new();
        let mut tally = 0;
        let mut read = || -> rusqlite::Result<bool> {
            let mut query = store.conn.prepare_cached(self.all)?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                let (name, value, found): (String, String, i64) =
                    (row.get(0)?, row.get(1)?, row.get(2)?);
                if row_sum(&name, &value) != found {
                    return Ok(false);
                }
                tally ^= found;
                values.insert(name, value);
            }
            Ok(true)
        };
        let whole = read().map_err(|source| self.misread(store, source))?;
        let mut chain = store.chain;
        if whole && tally == *(self.tally)(&mut chain) {
            Ok(values)
        } else {
            Err(LogError::damaged(self.part))
        }
    }

    /// Writes a value, or with none removes it, within the caller's transaction.
    pub(super) fn put(
        &self,
        conn: &Connection,
        chain: &mut Chain,
        name: &str,
        value: Option<&str>,
    ) -> rusqlite::Result<()> {
        let before: Option<i64> = conn
            .prepare_cached(self.one)?
            .query_row([name], |row| row.get(1))
            .optional()?;
        let tally = (self.tally)(chain);
        if let Some(before) = before {
            *tally ^= before;
        }
        if let Some(value) = value {
            let sum = row_sum(name, value);
            *tally ^= sum;
            conn.prepare_cached(self.put)?.execute((name, value, sum))?;
        } else if before.is_some() {
            conn.prepare_cached(self.remove)?.execute([name])?;
        }
        Ok(())
    }

    fn misread(&self, store: &SqliteReader, source: rusqlite::Error) -> LogError {
        match store.refused(source) {
            LogError::Damaged { .. } => LogError::damaged(self.part),
            other => other,
        }
    }
}
