//! From the log to the engine: the newest snapshot, then the commits after it.

use raccord_bus::{Commit, Log, LogError, LogRead, Past, Reader};
use raccord_engine::{CommitError, Engine};
use raccord_model::Words;

use super::home::Home;
use super::people;
use crate::report::Problem;

/// How many bytes of commits are read at once.
const CHUNK: usize = 8 << 20;

/// A log and the engine folded from it.
pub(crate) struct Loaded<L> {
    /// Where it lies.
    pub(crate) home: Home,
    /// The log.
    pub(crate) log: L,
    /// The engine, nothing in the air.
    pub(crate) engine: Engine,
    /// How many bytes of commits stand after the newest snapshot.
    pub(crate) tail: usize,
    /// Why it must not send, if so: the file is a copy, or was restored.
    pub(crate) muted: Option<Words>,
}

/// A log that is written, folded.
pub(crate) type Written = Loaded<Box<dyn Log>>;

/// A log that is read, folded.
pub(crate) type Shown = Loaded<Box<dyn Reader>>;

/// A log that is open for writing and not folded yet.
pub(crate) struct Unread {
    home: Home,
    log: Box<dyn Log>,
    muted: Option<Words>,
}

/// Opens the log for writing.
///
/// # Errors
/// As the log refuses, with the mend.
pub(crate) fn open(home: &Home) -> Result<Unread, Problem> {
    let opened = home.open().map_err(|error| home.refused(&error))?;
    Ok(Unread {
        home: home.clone(),
        log: opened.log,
        muted: muted(&opened.past),
    })
}

impl Unread {
    /// Folds it.
    ///
    /// # Errors
    /// As [`fold`], with the mend.
    pub(crate) fn fold(self) -> Result<Written, Problem> {
        let Self {
            home,
            mut log,
            muted,
        } = self;
        let (mut engine, tail) = fold(&*log).map_err(|error| error.at(&home))?;
        let list = people::refuse(&mut engine, &home, &*log)?;
        // A machine that knows more than the cluster, since that went back in time, tells it.
        home.tell_forgotten(&mut *log, &list)
            .map_err(|error| home.refused(&error))?;
        Ok(Loaded {
            home,
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
pub(crate) fn open_writer(home: &Home) -> Result<Written, Problem> {
    open(home)?.fold()
}

/// Why a log with such a past must not send, if so.
pub(super) fn muted(past: &Past) -> Option<Words> {
    if let Some(to) = &past.moved {
        return Some(Words::new(
            format!(
                "Ce journal continue ailleurs ({to}) : écrivez-le dans la configuration (bus, ou data). Rien n'est envoyé d'ici, à moins que vous ne disiez « raccord unmute --moved »."
            ),
            format!(
                "This log goes on elsewhere ({to}): write that in the configuration (bus, or data). Nothing is sent from here, unless you say `raccord unmute --moved`."
            ),
        ));
    }
    if past.restored {
        return Some(Words::new(
            "Ce journal vient d'une sauvegarde : rien n'est envoyé avant que vous ne disiez « raccord unmute --moved » (il remplace l'ancien) ou « raccord unmute --copy » (une répétition).",
            "This log comes from a backup: nothing is sent until you say `raccord unmute --moved` (it replaces the former one) or `raccord unmute --copy` (a rehearsal).",
        ));
    }
    past.copied.then(|| {
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
pub(crate) fn load_reader(home: &Home) -> Result<Option<Shown>, Problem> {
    let Some(log) = home.read().map_err(|error| home.refused(&error))? else {
        return Ok(None);
    };
    let (mut engine, tail) = fold(&*log).map_err(|error| error.at(home))?;
    drop(people::refuse(&mut engine, home, &*log)?);
    let muted = muted(&log.past().unwrap_or_default());
    Ok(Some(Loaded {
        home: home.clone(),
        log,
        engine,
        tail,
        muted,
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
pub(crate) fn salt_of(log: &mut dyn Log) -> Result<String, LogError> {
    if let Some(salt) = log.meta(KEY)? {
        return Ok(salt);
    }
    let salt = raccord_model::Digest(super::writer::entropy()).to_string();
    log.set_meta(KEY, Some(&salt))?;
    Ok(salt)
}

/// Where the key of receipts is kept: with the log, so that backups have it and all machines of a
/// cluster sign alike. Its file is for its owner alone.
const RECEIPTS: &str = "receipts-key";

/// What signs receipts, as a reading handle sees it; nothing before the place ran once.
pub(crate) fn known_signer(log: &dyn LogRead) -> Option<raccord_credits::Signer> {
    let text = log.meta(RECEIPTS).ok().flatten()?;
    let seed: raccord_credits::Chain = text.parse().ok()?;
    Some(raccord_credits::Signer::from_seed(&seed.0))
}

/// Draws the key of receipts, once.
///
/// # Errors
/// When it cannot be stored.
pub(crate) fn have_signer(log: &mut dyn Log) -> Result<(), LogError> {
    if log.meta(RECEIPTS)?.is_some() {
        return Ok(());
    }
    let mut seed = [0; 32];
    for half in seed.as_chunks_mut::<16>().0 {
        *half = super::writer::entropy();
    }
    let text = raccord_credits::Chain(seed).to_string();
    log.set_meta(RECEIPTS, Some(&text))
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
    pub(crate) fn at(&self, home: &Home) -> Problem {
        match self {
            Self::Log(error) => home.refused(error),
            Self::Commit { number, .. } | Self::Snapshot(number) => Problem::failed(
                home.address(),
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

    #[test]
    fn a_log_that_begins_with_a_snapshot_of_another_version_is_refused_and_not_taken_for_empty() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::folder(&"test".parse().unwrap(), &folder.path().join("data"));
        let mut log = home.open().unwrap().log;
        for _ in 0..2 {
            log.append(jiff::Timestamp::UNIX_EPOCH, b"[]", &[]).unwrap();
        }
        log.put_snapshot(1, vec![u8::MAX]).unwrap();
        log.forget_before(2).unwrap();
        let Err(error) = fold(&*log) else {
            panic!("it was folded without what the snapshot holds");
        };
        assert!(matches!(error, FoldError::Snapshot(1)), "{error:?}");
        let told = error.at(&home);
        assert_eq!(told.findings[0].code, "log.unknown-fact");
    }
}
