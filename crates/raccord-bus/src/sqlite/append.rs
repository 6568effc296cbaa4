//! Writing: one transaction per group, and nothing more after a doubt.

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::SqliteLog;
use super::chain::Chain;
use super::kept;
use super::read::pack;
use crate::log::{check_entries, link, remember_failure};
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
        remember_failure(&mut self.poisoned, outcome)
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
            for entry in entries {
                put_commit(conn, chain, term, entry.at, entry.body)?;
                for write in entry.slots {
                    kept::SLOTS.put(conn, chain, &write.slot, write.value.as_deref())?;
                }
            }
            Ok(chain.head)
        })
    }

    pub(super) fn write_meta(&mut self, key: &str, value: Option<&str>) -> Result<(), LogError> {
        self.transaction(|conn, chain| kept::META.put(conn, chain, key, value))
    }
}

/// Writes the next commit of `chain`, within the caller's transaction.
pub(super) fn put_commit(
    conn: &Connection,
    chain: &mut Chain,
    term: u64,
    at: Timestamp,
    body: &[u8],
) -> rusqlite::Result<()> {
    let number = chain.head.number + 1;
    let hash = link(number, term, at, chain.head.hash, body);
    let (size, bytes) = pack(body);
    conn.prepare_cached(
        "INSERT INTO commits (n, term, at, hash, size, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute((
        number as i64,
        term as i64,
        at.as_nanosecond() as i64,
        hash.0,
        size,
        bytes.as_ref(),
    ))?;
    chain.head = Head {
        number,
        term,
        at,
        hash,
    };
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use raccord_model::PlaceId;

    use super::*;
    use crate::{Log as _, LogRead as _, SlotWrite};

    #[test]
    fn a_full_disk_stops_the_writer_and_loses_nothing_acknowledged() {
        let data = tempfile::tempdir().unwrap();
        let place: PlaceId = "raffinerie".parse().unwrap();
        let mut log = SqliteLog::open(data.path(), &place).unwrap().log;
        // A file that may not grow is to SQLite what a full disk is.
        log.store
            .conn
            .pragma_update_and_check(None, "max_page_count", 60, |_| Ok(()))
            .unwrap();
        let slots = |number: u64| {
            [SlotWrite {
                slot: "counter".to_owned(),
                value: Some(number.to_string()),
            }]
        };
        let mut acknowledged = 0_u64;
        let told = loop {
            let number = acknowledged + 1;
            let body = number.to_be_bytes().repeat(100);
            match log.append(Timestamp::UNIX_EPOCH, &body, &slots(number)) {
                Ok(head) => acknowledged = head.number,
                Err(told) => break told,
            }
        };
        assert!(matches!(told, LogError::Full { .. }), "{told:?}");
        assert!(acknowledged > 10);
        for told in [
            log.append(Timestamp::UNIX_EPOCH, b"small", &[])
                .unwrap_err(),
            log.set_meta("mute", None).unwrap_err(),
            log.begin_snapshot(1, vec![]).unwrap_err(),
            log.upkeep().unwrap_err(),
            log.forget(&[]).unwrap_err(),
        ] {
            assert!(
                matches!(told, LogError::Poisoned { first: "log.full" }),
                "{told:?}"
            );
        }
        drop(log);
        let mut log = SqliteLog::open(data.path(), &place).unwrap().log;
        assert_eq!(log.head().number, acknowledged);
        assert_eq!(log.slot("counter").unwrap(), Some(acknowledged.to_string()));
        log.append(Timestamp::UNIX_EPOCH, b"there is room again", &[])
            .unwrap();
    }

    #[test]
    fn somebody_elses_lock_on_the_file_delays_the_writer_and_does_not_stop_it() {
        let data = tempfile::tempdir().unwrap();
        let place: PlaceId = "raffinerie".parse().unwrap();
        let mut log = SqliteLog::open(data.path(), &place).unwrap().log;
        log.store
            .conn
            .busy_timeout(std::time::Duration::ZERO)
            .unwrap();
        let curious = Connection::open(data.path().join(crate::FILE)).unwrap();
        curious.execute_batch("BEGIN IMMEDIATE").unwrap();
        let told = log.append(Timestamp::UNIX_EPOCH, b"x", &[]).unwrap_err();
        assert!(matches!(told, LogError::Busy { .. }), "{told:?}");
        curious.execute_batch("ROLLBACK").unwrap();
        assert_eq!(
            log.append(Timestamp::UNIX_EPOCH, b"x", &[]).unwrap().number,
            1
        );
    }
}
