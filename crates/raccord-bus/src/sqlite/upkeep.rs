//! What is done when nobody waits: pieces of snapshots, removal, the journal's size; and forgetting.

use std::time::Duration;

use super::SqliteLog;
use super::kept;
use super::open::PATIENCE;
use crate::{LogError, Upkeep};

impl SqliteLog {
    pub(super) fn do_upkeep(&mut self) -> Result<Upkeep, LogError> {
        if let Some(pending) = self.pending.take() {
            self.write_piece(pending)?;
            return Ok(Upkeep::More);
        }
        if self.tidy {
            return Ok(Upkeep::Done);
        }
        if self.sweep()? {
            return Ok(Upkeep::More);
        }
        // A reader may keep an old picture: the journal is then cut another time.
        self.patiently(Duration::ZERO, Self::empty_journal)?;
        self.tidy = true;
        Ok(Upkeep::Done)
    }

    /// Brings the journal into the file and cuts it to nothing. Whether it could.
    fn empty_journal(&mut self) -> Result<bool, LogError> {
        self.store
            .conn
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .map(|busy: i64| busy == 0)
            .map_err(|source| self.store.refused(source))
    }

    /// Empties slots, then leaves no byte of any emptied slot in file or journal: the pages were
    /// overwritten when they were freed, and copies that moving rows about may have left go with the
    /// old file.
    pub(super) fn scrub(&mut self, slots: &[String]) -> Result<(), LogError> {
        self.transaction(|conn, chain| {
            slots
                .iter()
                .try_for_each(|slot| kept::SLOTS.put(conn, chain, slot, None))
        })?;
        self.need_empty_journal()?;
        self.store
            .conn
            .execute_batch("VACUUM")
            .map_err(|source| self.store.refused(source))?;
        self.need_empty_journal()
    }

    fn need_empty_journal(&mut self) -> Result<(), LogError> {
        if self.empty_journal()? {
            Ok(())
        } else {
            Err(LogError::Busy {
                path: self.store.path.clone(),
            })
        }
    }

    /// Runs `work` without a sync of its own: what it writes becomes durable with the next group.
    pub(super) fn unsynced<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, LogError>,
    ) -> Result<T, LogError> {
        self.synchronous("normal")?;
        let outcome = work(self);
        self.synchronous("full")?;
        outcome
    }

    fn synchronous(&self, how: &str) -> Result<(), LogError> {
        self.store
            .conn
            .pragma_update(None, "synchronous", how)
            .map_err(|source| self.store.refused(source))
    }

    /// Runs `work` with another patience.
    fn patiently<T>(
        &mut self,
        patience: Duration,
        work: impl FnOnce(&mut Self) -> Result<T, LogError>,
    ) -> Result<T, LogError> {
        let set = |log: &Self, patience| {
            log.store
                .conn
                .busy_timeout(patience)
                .map_err(|source| log.store.refused(source))
        };
        set(self, patience)?;
        let outcome = work(self);
        set(self, PATIENCE)?;
        outcome
    }
}
