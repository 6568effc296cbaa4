//! Writing: one transaction per group, and nothing more after a doubt.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::SqliteLog;
use super::chain::Chain;
use super::kept;
use super::read::pack;
use crate::log::{check_entries, link};
use crate::{Entry, Head, LogError};

impl SqliteLog {
    /// Runs a write; one that fails after it was begun is the last of this handle. A failed fsync
    /// is never tried again: the system may have dropped the very pages it reports as written.
    pub(super) fn writing<T>(
        &mut self,
        write: impl FnOnce(&mut Self) -> Result<T, LogError>,
    ) -> Result<T, LogError> {
        if let Some(first) = self.poisoned {
            return Err(LogError::Poisoned { first });
        }
        let outcome = write(self);
        if let Err(error) = &outcome
            && !error.harmless()
        {
            tracing::error!(error.code = error.code(), %error, "log.write-failed");
            self.poisoned = Some(error.code());
        }
        outcome
    }

    /// Runs `change` in one durable transaction, with the chain's record as it will be.
    pub(super) fn transaction<T>(
        &mut self,
        change: impl FnOnce(&Connection, &mut Chain) -> rusqlite::Result<T>,
    ) -> Result<T, LogError> {
        let store = &mut self.store;
        let mut chain = store.chain;
        let run = || -> rusqlite::Result<T> {
            let transaction = Transaction::new(&mut store.conn, TransactionBehavior::Immediate)?;
            let done = change(&transaction, &mut chain)?;
            if chain != store.chain {
                chain.store(&transaction)?;
            }
            transaction.commit()?;
            Ok(done)
        };
        let done = run().map_err(|source| super::refused(&store.path, source))?;
        store.chain = chain;
        self.tidy = false;
        Ok(done)
    }

    pub(super) fn write_commits(&mut self, entries: &[Entry<'_>]) -> Result<Head, LogError> {
        check_entries(self.store.chain.head, entries)?;
        let term = self.term;
        self.transaction(|conn, chain| {
            let mut insert = conn.prepare_cached(
                "INSERT INTO commits (n, term, at, hash, size, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            for entry in entries {
                let number = chain.head.number + 1;
                let hash = link(number, term, entry.at, chain.head.hash, entry.body);
                let (size, body) = pack(entry.body);
                insert.execute((
                    number as i64,
                    term as i64,
                    entry.at.as_nanosecond() as i64,
                    hash.0,
                    size,
                    body.as_ref(),
                ))?;
                for write in entry.slots {
                    kept::SLOTS.put(conn, chain, &write.slot, write.value.as_deref())?;
                }
                chain.head = Head {
                    number,
                    term,
                    at: entry.at,
                    hash,
                };
            }
            Ok(chain.head)
        })
    }

    pub(super) fn write_meta(&mut self, key: &str, value: Option<&str>) -> Result<(), LogError> {
        self.transaction(|conn, chain| kept::META.put(conn, chain, key, value))
    }
}
