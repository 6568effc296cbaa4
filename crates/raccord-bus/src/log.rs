//! The log of a place: a snapshot followed by commits, each carrying the hash of the one before.
//!
//! The log keeps bodies it does not read: what they mean is the engine's. Its calls block, for they
//! are made by the one thread that writes; commands that only look open a second, reading handle.
//! It refuses to guess: what does not extend the chain is never handed out as if it did.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use raccord_model::PlaceId;
use sha2::{Digest as _, Sha256};

use crate::LogError;

/// The largest body of one commit, in bytes.
pub const MAX_BODY: usize = 128 << 20;

/// The largest body of one snapshot, in bytes.
pub const MAX_SNAPSHOT: usize = 2 << 30;

/// A SHA-256: one link of the chain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash32(pub [u8; 32]);

impl fmt::Display for Hash32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where a chain stands: its last commit, without the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The commit's number; 0 before the first.
    pub number: u64,
    /// Its writer's term; 0 before the first.
    pub term: u64,
    /// When it was made.
    pub at: Timestamp,
    /// Its hash; before the first, one that only this place's log starts from.
    pub hash: Hash32,
}

impl Head {
    /// Where the log of `place` starts, so that no commit extends another place's chain.
    pub fn genesis(place: &PlaceId) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(b"raccord log 1\0");
        hasher.update(place.as_str());
        Self {
            number: 0,
            term: 0,
            at: Timestamp::UNIX_EPOCH,
            hash: Hash32(hasher.finalize().into()),
        }
    }
}

/// One durable decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its number, from 1, without gaps.
    pub number: u64,
    /// Its writer's term.
    pub term: u64,
    /// When it was made, to the nanosecond.
    pub at: Timestamp,
    /// The hash of the commit before.
    pub previous: Hash32,
    /// What the engine decided, in its own encoding.
    pub body: Vec<u8>,
}

impl Commit {
    /// The hash the next commit names.
    pub fn hash(&self) -> Hash32 {
        link(self.number, self.term, self.at, self.previous, &self.body)
    }

    /// The commit without its body.
    pub fn head(&self) -> Head {
        Head {
            number: self.number,
            term: self.term,
            at: self.at,
            hash: self.hash(),
        }
    }
}

/// The hash of a commit made of these parts.
pub(crate) fn link(number: u64, term: u64, at: Timestamp, previous: Hash32, body: &[u8]) -> Hash32 {
    let mut hasher = Sha256::new();
    hasher.update(number.to_be_bytes());
    hasher.update(term.to_be_bytes());
    hasher.update(at.as_nanosecond().to_be_bytes());
    hasher.update(previous.0);
    hasher.update((body.len() as u64).to_be_bytes());
    hasher.update(body);
    Hash32(hasher.finalize().into())
}

/// A personal value, kept beside the commits that name its slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotWrite {
    /// The slot a commit names.
    pub slot: String,
    /// The value; none empties the slot.
    pub value: Option<String>,
}

/// What one commit is made from.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// When it was decided: not before the commit before it.
    pub at: Timestamp,
    /// What was decided.
    pub body: &'a [u8],
    /// The personal values it fills or empties, in the same durable step.
    pub slots: &'a [SlotWrite],
}

/// What is known of a snapshot without reading its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotInfo {
    /// The commit whose state it is.
    pub head: Head,
    /// The size of its body, in bytes.
    pub size: usize,
}

/// The state after a commit, in the engine's own encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The commit whose state it is.
    pub head: Head,
    /// The state.
    pub body: Vec<u8>,
}

/// Whether there is upkeep left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upkeep {
    /// Another call will do another piece.
    More,
    /// Nothing is left to do.
    Done,
}

/// What reading commands need of a log.
pub trait LogRead {
    /// The place whose log this is.
    fn place(&self) -> &PlaceId;

    /// The last durable commit; for a reading handle, the last when its picture was taken.
    fn head(&self) -> Head;

    /// What the kept commits follow: the genesis, or the last commit that retention took away.
    /// Where it is not the genesis, a snapshot of that very commit is kept.
    fn floor(&self) -> Head;

    /// Reads commits from number `from` on, each checked against the chain: at least one where there
    /// is one, then as many as their bodies fit in `limit_bytes`. Empty past the head.
    ///
    /// # Errors
    /// [`LogError::Forgotten`] at or before the floor; [`LogError::Damaged`] when the commit `from`
    /// itself is not the one that was written (good ones before a damaged one are handed out first).
    fn commits(&self, from: u64, limit_bytes: usize) -> Result<Vec<Commit>, LogError>;

    /// Finds the number of the first kept commit made at or after `at`; one past the head where there
    /// is none. Commits before it may be let go when only what is younger than `at` has to be kept.
    ///
    /// # Errors
    /// [`LogError::Damaged`] when the commits cannot be read.
    fn first_since(&self, at: Timestamp) -> Result<u64, LogError>;

    /// Lists the kept snapshots, oldest first.
    ///
    /// # Errors
    /// [`LogError::Damaged`] when the list is not the one that was written.
    fn snapshots(&self) -> Result<Vec<SnapshotInfo>, LogError>;

    /// Reads the snapshot of commit `number`.
    ///
    /// # Errors
    /// [`LogError::NoSnapshot`] when there is none; [`LogError::Damaged`] when it is not the one that
    /// was written.
    fn snapshot(&self, number: u64) -> Result<Snapshot, LogError>;

    /// Reads the newest snapshot, if there is any: folding starts there, or at the genesis.
    ///
    /// # Errors
    /// As [`LogRead::snapshot`].
    fn latest_snapshot(&self) -> Result<Option<Snapshot>, LogError> {
        self.snapshots()?
            .last()
            .map(|info| self.snapshot(info.head.number))
            .transpose()
    }

    /// Reads all personal values by slot.
    ///
    /// # Errors
    /// [`LogError::Damaged`] when they are not the ones that were written.
    fn slots(&self) -> Result<BTreeMap<String, String>, LogError>;

    /// Reads one personal value.
    ///
    /// # Errors
    /// [`LogError::Damaged`] when it is not the one that was written.
    fn slot(&self, slot: &str) -> Result<Option<String>, LogError>;

    /// Reads all remarks about the log itself (why it is mute, a salt), by key.
    ///
    /// # Errors
    /// [`LogError::Damaged`] when they are not the ones that were written.
    fn metas(&self) -> Result<BTreeMap<String, String>, LogError>;

    /// Reads a remark about the log itself.
    ///
    /// # Errors
    /// [`LogError::Damaged`] when it is not the one that was written.
    fn meta(&self, key: &str) -> Result<Option<String>, LogError>;
}

/// What a log's own marks say of its past.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// It is a copy: it does not lie where it was last written to.
    pub copied: bool,
    /// It was restored from a backup, or went back in time otherwise.
    pub restored: bool,
    /// It goes on elsewhere: where to.
    pub moved: Option<String>,
}

/// Remembers in a log that it goes on elsewhere, and where.
pub const MOVED: &str = "log.moved";

/// A log that is only read, beside its writer.
///
/// It shows one picture, taken when it was opened or last refreshed.
pub trait Reader: LogRead + Send {
    /// Takes a new picture.
    ///
    /// # Errors
    /// [`LogError::Damaged`] when the log is no longer as it was written.
    fn refresh(&mut self) -> Result<Head, LogError>;

    /// What its marks say of its past, as long as nobody has said what it is for.
    ///
    /// # Errors
    /// [`LogError::Damaged`] when the log's remarks cannot be read.
    fn past(&self) -> Result<Past, LogError>;
}

/// The log of one place, in the hands of its only writer.
///
/// After an error that leaves a doubt about what is on the disk, every further write is refused with
/// [`LogError::Poisoned`]: throw the state in memory away, drop the handle, open the log again and
/// read what stands. What was answered with `Ok` stands; what was answered with an error may.
pub trait Log: LogRead + Send {
    /// This writer's term: greater than that of every writer before.
    fn term(&self) -> u64;

    /// Appends commits in order, durable when this returns. A backend may keep a beginning of the
    /// group when it fails, never a part without what comes before it.
    ///
    /// # Errors
    /// [`LogError::ClockBack`] when an instant lies before the commit before it, and
    /// [`LogError::TooLarge`], both before anything is written; otherwise the handle is poisoned.
    fn append_all(&mut self, entries: &[Entry<'_>]) -> Result<Head, LogError>;

    /// Appends one commit, durable when this returns.
    ///
    /// # Errors
    /// As [`Log::append_all`].
    fn append(
        &mut self,
        at: Timestamp,
        body: &[u8],
        slots: &[SlotWrite],
    ) -> Result<Head, LogError> {
        self.append_all(&[Entry { at, body, slots }])
    }

    /// Starts writing a snapshot of commit `number`. [`Log::upkeep`] writes it piece by piece, so that
    /// appends are never kept waiting; until its last piece is durable the snapshots of before hold.
    /// A snapshot that was still being written is given up for this one.
    ///
    /// # Errors
    /// [`LogError::Forgotten`] before the floor, [`LogError::NoCommit`] past the head,
    /// [`LogError::TooLarge`].
    fn begin_snapshot(&mut self, number: u64, body: Vec<u8>) -> Result<(), LogError>;

    /// Does one small piece of what is left to do: a piece of a snapshot, the removal of what is no
    /// longer needed, bringing the journal back to nothing. To be called between groups while a
    /// snapshot is written, and otherwise once nobody has waited for some seconds: it costs syncs.
    ///
    /// # Errors
    /// As the backend fails; a failed write poisons the handle.
    fn upkeep(&mut self) -> Result<Upkeep, LogError>;

    /// Writes a snapshot at once.
    ///
    /// # Errors
    /// As [`Log::begin_snapshot`] and [`Log::upkeep`].
    fn put_snapshot(&mut self, number: u64, body: Vec<u8>) -> Result<(), LogError> {
        self.begin_snapshot(number, body)?;
        while self.upkeep()? == Upkeep::More {}
        Ok(())
    }

    /// Lets go of the snapshot of commit `number`, if there is one and it is not the floor's.
    ///
    /// # Errors
    /// [`LogError::Needed`] for the floor's.
    fn drop_snapshot(&mut self, number: u64) -> Result<(), LogError>;

    /// Lets go of all commits and snapshots before commit `number`: the log then starts with the
    /// snapshot of the commit before it, which must be there. The space is given back by
    /// [`Log::upkeep`].
    ///
    /// # Errors
    /// [`LogError::NoSnapshot`] without that snapshot.
    fn forget_before(&mut self, number: u64) -> Result<(), LogError>;

    /// Empties `slots` and makes sure that no byte of theirs, nor of any slot emptied before, is left
    /// behind. Slow: for when a person asks to be forgotten. Values of a backup are not reached.
    ///
    /// # Errors
    /// [`LogError::Busy`] while a reading handle keeps an old picture: the slots are empty, but bytes
    /// may be left; call again.
    fn forget(&mut self, slots: &[String]) -> Result<(), LogError>;

    /// Writes, or with none removes, a remark about the log itself, durable when this returns.
    ///
    /// # Errors
    /// As the backend fails; a failed write poisons the handle.
    fn set_meta(&mut self, key: &str, value: Option<&str>) -> Result<(), LogError>;

    /// Takes the log for what it is from now on, and its past as settled: after a person has said
    /// what a copy, or a log that went back in time, is for.
    ///
    /// # Errors
    /// As a write fails.
    fn settle_past(&mut self) -> Result<(), LogError>;
}

/// Remembers in `poisoned` a write that failed after it was begun: it is the last of its handle.
pub(crate) fn remember_failure<T>(
    poisoned: &mut Option<&'static str>,
    outcome: Result<T, LogError>,
) -> Result<T, LogError> {
    if let Err(error) = &outcome
        && !error.harmless()
    {
        tracing::error!(error.code = error.code(), %error, "log.write-failed");
        *poisoned = Some(error.code());
    }
    outcome
}

/// Checks a group against the head it is to extend.
pub(crate) fn check_entries(head: Head, entries: &[Entry<'_>]) -> Result<(), LogError> {
    // The genesis has no hour of its own.
    let mut last = (head.number > 0).then_some(head.at);
    for entry in entries {
        if let Some(last) = last.filter(|last| entry.at < *last) {
            return Err(LogError::ClockBack { last, at: entry.at });
        }
        if i64::try_from(entry.at.as_nanosecond()).is_err() {
            return Err(LogError::TimeRange { at: entry.at });
        }
        if entry.body.len() > MAX_BODY {
            return Err(LogError::TooLarge {
                size: entry.body.len(),
                limit: MAX_BODY,
            });
        }
        last = Some(entry.at);
    }
    Ok(())
}
