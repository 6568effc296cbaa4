//! From the log to the engine: the newest snapshot, then the commits after it.

use std::path::Path;

use raccord_bus::{Commit, LogError, LogRead, Opened, SqliteLog, SqliteReader};
use raccord_engine::{CommitError, Engine};
use raccord_model::{PlaceId, Words};

use super::people;
use crate::report::Problem;

/// How many bytes of commits are read at once.
const CHUNK: usize = 8 << 20;

/// A log and the engine folded from it.
pub(crate) struct Loaded<L> {
    /// The log.
    pub(crate) log: L,
    /// The engine, nothing in the air.
    pub(crate) engine: Engine,
    /// How many bytes of commits stand after the newest snapshot.
    pub(crate) tail: usize,
    /// Why it must not send, if so: the file is a copy, or was restored.
    pub(crate) muted: Option<Words>,
}

/// A log that is open for writing and not folded yet.
pub(crate) struct Unread {
    log: SqliteLog,
    muted: Option<Words>,
}

/// Opens the log for writing.
///
/// # Errors
/// As the log refuses, with the mend.
pub(crate) fn open(data: &Path, place: &PlaceId) -> Result<Unread, Problem> {
    let Opened {
        log,
        copied,
        restored,
    } = SqliteLog::open(data, place).map_err(|error| refused(data, &error))?;
    let muted = muted(copied, restored);
    Ok(Unread { log, muted })
}

impl Unread {
    /// Folds it.
    ///
    /// # Errors
    /// As [`fold`], with the mend.
    pub(crate) fn fold(self) -> Result<Loaded<SqliteLog>, Problem> {
        let Self { log, muted } = self;
        let (mut engine, tail) = fold(&log).map_err(|error| error.at(log.folder()))?;
        people::refuse(&mut engine, log.folder())?;
        Ok(Loaded {
            log,
            engine,
            tail,
            muted,
        })
    }
}

/// Opens the log for writing, and folds it.
///
/// # Errors
/// As the log refuses, with the mend.
pub(crate) fn open_writer(data: &Path, place: &PlaceId) -> Result<Loaded<SqliteLog>, Problem> {
    open(data, place)?.fold()
}

fn muted(copied: bool, restored: bool) -> Option<Words> {
    if restored {
        return Some(Words::new(
            "Ce journal vient d'une sauvegarde : rien n'est envoyé avant que vous ne disiez « raccord unmute --moved » (il remplace l'ancien) ou « raccord unmute --copy » (une répétition).",
            "This log comes from a backup: nothing is sent until you say `raccord unmute --moved` (it replaces the former one) or `raccord unmute --copy` (a rehearsal).",
        ));
    }
    copied.then(|| {
        Words::new(
            "Ce dossier est une copie d'un autre : rien n'est envoyé avant que vous ne disiez « raccord unmute --moved » (il remplace l'ancien) ou « raccord unmute --copy » (une répétition).",
            "This folder is a copy of another: nothing is sent until you say `raccord unmute --moved` (it replaces the former one) or `raccord unmute --copy` (a rehearsal).",
        )
    })
}

/// Folds the log for a reading command; a place that never ran has an empty one (`None`).
///
/// # Errors
/// As the log refuses, with the mend.
pub(crate) fn load_reader(
    data: &Path,
    place: &PlaceId,
) -> Result<Option<Loaded<SqliteReader>>, Problem> {
    let log = match SqliteReader::open(data, place) {
        Ok(log) => log,
        Err(LogError::Missing { .. }) => return Ok(None),
        Err(error) => return Err(refused(data, &error)),
    };
    let (mut engine, tail) = fold(&log).map_err(|error| error.at(data))?;
    people::refuse(&mut engine, data)?;
    let copied = log.is_copied().unwrap_or(false);
    let restored = log.is_restored().unwrap_or(false);
    Ok(Some(Loaded {
        log,
        engine,
        tail,
        muted: muted(copied, restored),
    }))
}

/// Where the salt of credentials' digests is kept.
const KEY: &str = "credentials-salt";

/// The salt as a reading handle sees it.
pub(crate) fn known_salt(log: &dyn LogRead) -> String {
    log.meta(KEY).ok().flatten().unwrap_or_default()
}

/// The salt of credentials' digests, drawn once and kept with the log.
///
/// # Errors
/// When it cannot be stored.
pub(crate) fn salt_of(log: &mut SqliteLog) -> Result<String, LogError> {
    use raccord_bus::Log as _;
    if let Some(salt) = log.meta(KEY)? {
        return Ok(salt);
    }
    let salt = raccord_model::Digest(super::writer::entropy()).to_string();
    log.set_meta(KEY, Some(&salt))?;
    Ok(salt)
}

/// What the log refused, as people read it.
pub(crate) fn refused(data: &Path, error: &LogError) -> Problem {
    Problem::failed(
        data.display().to_string(),
        error.code(),
        error.text(),
        error.mend(),
    )
}

/// Why a log cannot be folded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FoldError {
    /// The log refused.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The log begins with a snapshot that this version does not know; without it nothing can be
    /// folded.
    #[error("the snapshot of commit {0}")]
    Snapshot(u64),
    /// A commit holds what this version does not know.
    #[error("commit {number}")]
    Commit {
        /// Its number.
        number: u64,
        /// Why.
        #[source]
        source: CommitError,
    },
}

impl FoldError {
    /// The error as people read it.
    pub(crate) fn at(&self, data: &Path) -> Problem {
        match self {
            Self::Log(error) => refused(data, error),
            Self::Commit { number, .. } | Self::Snapshot(number) => Problem::failed(
                data.display().to_string(),
                "log.unknown-fact",
                Words::new(
                    format!("Le passage {number} du journal ne peut pas être compris."),
                    format!("Entry {number} of the log cannot be understood."),
                ),
                Words::new(
                    "Il a sans doute été écrit par une version plus récente : reprenez-la. Sinon, restaurez une sauvegarde.",
                    "It was probably written by a later version: use that one again. Otherwise restore a backup.",
                ),
            ),
        }
    }
}

/// Folds a log: the engine, and how many bytes of commits stand after the snapshot.
///
/// # Errors
/// When the log, or what is in it, cannot be read.
pub(crate) fn fold(log: &dyn LogRead) -> Result<(Engine, usize), FoldError> {
    let snapshot = log.latest_snapshot()?;
    let from_snapshot = snapshot.and_then(|snapshot| {
        Engine::from_snapshot(&snapshot.body).map(|engine| (engine, snapshot.head.number))
    });
    match from_snapshot {
        Some((engine, number)) => fold_from(log, engine, number, u64::MAX),
        None => fold_all(log),
    }
}

/// Folds every commit from the log's beginning, whatever newer snapshots there are.
///
/// # Errors
/// When the log, or what is in it, cannot be read.
pub(crate) fn fold_all(log: &dyn LogRead) -> Result<(Engine, usize), FoldError> {
    fold_until(log, u64::MAX)
}

/// Folds the commits from the log's beginning up to commit `last`: the place as it was then.
///
/// # Errors
/// When the log, or what is in it, cannot be read.
pub(crate) fn fold_until(log: &dyn LogRead, last: u64) -> Result<(Engine, usize), FoldError> {
    let floor = log.floor();
    if floor.number == 0 {
        return fold_from(log, Engine::new(), 0, last);
    }
    let snapshot = log.snapshot(floor.number)?;
    let engine = Engine::from_snapshot(&snapshot.body).ok_or(FoldError::Snapshot(floor.number))?;
    fold_from(log, engine, floor.number, last)
}

/// The commits after commit `number`, oldest first; an error is the last of them.
pub(crate) fn commits(
    log: &dyn LogRead,
    mut number: u64,
) -> impl Iterator<Item = Result<Commit, LogError>> + '_ {
    let mut ended = false;
    std::iter::from_fn(move || {
        let read = (!ended).then(|| log.commits(number + 1, CHUNK))?;
        ended = read.as_ref().map_or(true, Vec::is_empty);
        Some(match read {
            Ok(commits) => {
                number = commits.last().map_or(number, |last| last.number);
                commits.into_iter().map(Ok).collect()
            }
            Err(error) => vec![Err(error)],
        })
    })
    .flatten()
}

fn fold_from(
    log: &dyn LogRead,
    mut engine: Engine,
    number: u64,
    last: u64,
) -> Result<(Engine, usize), FoldError> {
    let mut tail = 0;
    for commit in commits(log, number) {
        let commit = commit?;
        if commit.number > last {
            break;
        }
        tail += commit.body.len();
        let number = commit.number;
        engine
            .fold(number, commit.at, &commit.body)
            .map_err(|source| FoldError::Commit { number, source })?;
    }
    engine.remember(log.slots()?);
    engine.start();
    Ok((engine, tail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use raccord_bus::Log as _;

    #[test]
    fn a_log_that_begins_with_a_snapshot_of_another_version_is_refused_and_not_taken_for_empty() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let mut log = SqliteLog::open(&data, &"test".parse().unwrap())
            .unwrap()
            .log;
        for _ in 0..2 {
            log.append(jiff::Timestamp::UNIX_EPOCH, b"[]", &[]).unwrap();
        }
        log.put_snapshot(1, vec![u8::MAX]).unwrap();
        log.forget_before(2).unwrap();
        let Err(error) = fold(&log) else {
            panic!("it was folded without what the snapshot holds");
        };
        assert!(matches!(error, FoldError::Snapshot(1)), "{error:?}");
        let told = error.at(&data);
        assert_eq!(told.findings[0].code, "log.unknown-fact");
    }
}
