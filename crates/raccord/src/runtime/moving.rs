//! `migrate`, and `restore` into a cluster: a whole log goes from where it lies to another place.
//!
//! What is copied is the log itself: same commits, same terms, same hashes. Broken off, it is begun
//! again; where something else lies, nothing is touched.

use std::io::ErrorKind;
use std::path::Path;

use raccord_bus::{Forgotten, Head, LogError, LogRead, MOVED, SqliteReader};
use raccord_model::Words;

use super::clusters::Clusters;
use super::hands::{LOCKED, held};
use super::home::Home;
use super::local::{deed, not_restored, stop_it_first};
use super::{load, socket};
use crate::cli::Session;
use crate::report::Problem;
use crate::settings::Settings;
use crate::shapes::{Deed, DeedShape};

/// Moves the log of the place to the servers or the folder `to`, where it goes on from then on.
///
/// # Errors
/// While a daemon is at work on it; where another log lies already; as either side refuses.
pub(super) fn migrate(session: &Session, to: &str) -> Result<DeedShape, Problem> {
    let clusters = Clusters::ours();
    let target = session.settings.elsewhere(to);
    let target = target.map_err(|finding| Problem::configuration(vec![finding]))?;
    let (from, to) = (
        Home::of(&session.settings, &clusters)?,
        Home::of(&target, &clusters)?,
    );
    if from.address() == to.address() {
        return Err(same(&from));
    }
    let from = alone(&session.settings, &from)?;
    let to = alone(&target, &to)?;
    let mut opened = from.open().map_err(|error| match &error {
        error if error.code() == LOCKED => stop_it_first(from.address(), error),
        error => from.refused(error),
    })?;
    let head = opened.log.head();
    let there = to.read().map_err(|error| to.refused(&error))?;
    // Marked, it is whole there already.
    let done = there.is_some() && opened.past.moved.as_deref() == Some(to.address());
    if !done {
        if opened.past.copied || opened.past.moved.is_some() {
            return Err(mute(&from, load::muted(&opened.past)));
        }
        if let Some(there) = there {
            let copy = is_copy(&*there, &*opened.log).map_err(|error| from.refused(&error))?;
            if !copy {
                return Err(another(&to));
            }
        }
        let arrived = to.take_in(&*opened.log);
        arrived.map_err(|error| to.refused(&error))?;
    }
    // From here on it is the other one that counts; what stays here is mute.
    opened
        .log
        .set_meta(MOVED, Some(to.address()))
        .map_err(|error| from.refused(&error))?;
    Ok(DeedShape {
        reference: to.address().to_owned(),
        commits: Some(head.number),
        ..deed(Deed::Migrated)
    })
}

/// Makes the cluster's log what the backup `file` holds.
///
/// # Errors
/// While a node works for the place, and all that can be wrong with the backup.
pub(super) fn restore(session: &Session, file: &Path) -> Result<Head, Problem> {
    let settings = &session.settings;
    let home = alone(settings, &Home::of(settings, &Clusters::ours())?)?;
    let refused = |error: &LogError| home.refused(error);
    let folder = settings.data.join("restoring");
    let known = home.read().and_then(|log| match log {
        Some(log) => home.forgotten(&*log),
        // The servers lost it, or never had it: what this machine knows is all there is.
        None => Forgotten::open(&settings.data),
    });
    let known = known.map_err(|error| refused(&error))?;
    let unpacked = || -> Result<SqliteReader, LogError> {
        // Who was forgotten must not come back; and the log that is given up may be all that says so.
        if !known.is_empty() {
            known.write_to(&settings.data)?;
            known.write_to(&folder)?;
        }
        raccord_bus::restore(file, &folder, home.place(), true)?;
        SqliteReader::open(&folder, home.place())
    };
    let reader = unpacked().map_err(|error| not_restored(file, &folder, &error));
    let head = reader.and_then(|reader| home.take_back(&reader).map_err(|error| refused(&error)));
    // It holds personal values, and was needed for this only.
    if let Err(cause) = std::fs::remove_dir_all(&folder)
        && cause.kind() != ErrorKind::NotFound
    {
        return Err(Problem::file(&folder, &cause));
    }
    let head = head?;
    // Machines that have no list of their own hear it from the log.
    let mut opened = home.open().map_err(|error| refused(&error))?;
    let told = home.tell_forgotten(&mut *opened.log, &known);
    told.map_err(|error| refused(&error))?;
    Ok(head)
}

/// The same, while nobody else works for the place.
fn alone(settings: &Settings, home: &Home) -> Result<Home, Problem> {
    if settings.cluster.is_some() && socket::answers(&settings.data) {
        return Err(held(home));
    }
    home.clone().claimed_soon()?.ok_or_else(|| held(home))
}

/// Whether `there` is what `log` was at some time.
fn is_copy(there: &dyn LogRead, log: &dyn LogRead) -> Result<bool, LogError> {
    let head = there.head();
    if head == log.head() || head.number == 0 {
        return Ok(true);
    }
    if head.number > log.head().number || head.number <= log.floor().number {
        return Ok(head == log.floor());
    }
    let commits = log.commits(head.number, 0)?;
    Ok(commits.first().is_some_and(|commit| commit.head() == head))
}

/// What is moved must be the place's own log: nobody would know of a copy what it is.
fn mute(home: &Home, why: Option<Words>) -> Problem {
    Problem::failed(
        home.address(),
        "mute",
        why.unwrap_or_default(),
        Words::new(
            "Dites d'abord « raccord unmute --moved », s'il est bien celui qui compte.",
            "Say `raccord unmute --moved` first, if it is the one that counts.",
        ),
    )
}

fn same(home: &Home) -> Problem {
    Problem::usage(
        home.address(),
        "migrate-same",
        Words::new("Le journal est déjà là.", "The log is there already."),
        Words::new(
            "Donnez une autre adresse (nats://…) ou un autre dossier.",
            "Give another address (nats://…) or another folder.",
        ),
    )
}

fn another(home: &Home) -> Problem {
    Problem::failed(
        home.address(),
        "migrate-another",
        Words::new(
            format!(
                "Un autre journal du lieu « {} » s'y trouve déjà ; rien n'a été changé.",
                home.place()
            ),
            format!(
                "Another log of the place “{}” lies there already; nothing was changed.",
                home.place()
            ),
        ),
        Words::new(
            "Choisissez une autre destination, ou sauvegardez ce journal-là (`raccord backup`) puis retirez-le.",
            "Choose another destination, or save that log (`raccord backup`) and take it away.",
        ),
    )
}
