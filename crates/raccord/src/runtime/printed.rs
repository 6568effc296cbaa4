//! `printed`: which edition of a month's programme hangs on the wall, and what stands on it.
//!
//! The edition that was made last is known to the engine; an older one is read from the log, as the
//! place was when it was made.

use std::sync::Arc;

use raccord_bus::LogRead;
use raccord_engine::{Fact, Printable, Printed, State, decode_commit};
use raccord_model::{Digest, Fields, Lang, Words};

use super::hands::Ready;
use super::load::{self, Loaded};
use super::renderer::Rendering;
use crate::cli::{Session, Wall};
use crate::report::Problem;

/// How many bytes of commits are read at once.
const CHUNK: usize = 8 << 20;

/// The programme that `wall` names, with what stands on it.
///
/// # Errors
/// When there is none of that month, more than one, or its edition is not known any more.
pub(crate) fn find<L: LogRead>(
    session: &Session,
    loaded: &mut Loaded<L>,
    wall: &Wall,
) -> Result<Printed, Problem> {
    let ready = Ready::of(session, loaded.engine.state().at)?;
    let rendering = Rendering(Arc::clone(&ready.tools));
    let now = ready.clock.now();
    let programmes = loaded.engine.printables(&wall.month, now, &rendering);
    let programme = the_one(programmes, wall, loaded.engine.state())?;
    let edition = wall.edition.unwrap_or(programme.edition);
    let known = programme.shown.clone();
    let known = known.filter(|_| edition == programme.edition);
    let shown = match known {
        Some(shown) => shown,
        None => of_the_past(&loaded.log, &programme, edition, wall, now, &rendering)
            .map_err(|error| error.at(&session.settings.data))?
            .ok_or_else(|| unknown_edition(&programme, edition))?,
    };
    Ok(Printed {
        connector: programme.connector,
        key: wall.month.clone(),
        edition,
        title: programme.title,
        shown,
    })
}

/// What a deed about `printed` is told of.
pub(crate) fn name(printed: &Printed, lang: Lang) -> String {
    let Printed { title, edition, .. } = printed;
    let said = Words::new(
        format!("{title}, édition {edition}"),
        format!("{title}, edition {edition}"),
    );
    said.get(lang).to_owned()
}

fn the_one(
    mut programmes: Vec<Printable>,
    wall: &Wall,
    state: &State,
) -> Result<Printable, Problem> {
    if let Some(connector) = &wall.connector {
        programmes.retain(|programme| programme.connector == *connector);
    }
    match (programmes.pop(), programmes.is_empty()) {
        (Some(programme), true) => Ok(programme),
        (None, _) => Err(none_made(wall, state)),
        (Some(last), false) => {
            let names = programmes.iter().chain([&last]);
            let names: Vec<&str> = names.map(|each| each.connector.as_str()).collect();
            let names = names.join(", ");
            Err(Problem::usage(
                "--connector",
                "printed-which",
                Words::new(
                    format!("Plusieurs connecteurs impriment ce mois : {names}."),
                    format!("Several connectors print this month: {names}."),
                ),
                Words::new(
                    "Dites lequel : `--connector NOM`.",
                    "Say which: `--connector NAME`.",
                ),
            ))
        }
    }
}

fn none_made(wall: &Wall, state: &State) -> Problem {
    let sinks = state.sinks.values();
    let made = sinks.flat_map(|sink| sink.targets.values());
    let made = made.filter(|target| target.link.as_ref().is_some_and(|link| link.tag.is_some()));
    let mut months: Vec<&str> = made.filter_map(|target| target.key.as_deref()).collect();
    months.sort_unstable();
    months.dedup();
    let month = &wall.month;
    let mend = if months.is_empty() {
        Words::new(
            "`raccord sync` fait les programmes ; un connecteur de sorte `programme` doit être configuré.",
            "`raccord sync` makes the programmes; a connector of kind `programme` must be configured.",
        )
    } else {
        let months = months.join(", ");
        Words::new(
            format!("Ceux qui existent : {months}."),
            format!("Those there are: {months}."),
        )
    };
    Problem::failed(
        month.clone(),
        "reference-unknown",
        Words::new(
            format!("Aucun programme n'a été fait pour « {month} »."),
            format!("No programme was made for “{month}”."),
        ),
        mend,
    )
}

fn unknown_edition(programme: &Printable, edition: u32) -> Problem {
    let (title, last) = (&programme.title, programme.edition);
    Problem::failed(
        programme.connector.to_string(),
        "reference-unknown",
        Words::new(
            format!("« {title} » : l'édition {edition} n'est pas (ou plus) dans le journal."),
            format!("“{title}”: edition {edition} is not (or no longer) in the log."),
        ),
        Words::new(
            format!(
                "Le numéro est imprimé au bas de la feuille ; la dernière est l'édition {last}."
            ),
            format!(
                "The number is printed at the foot of the sheet; the last one is edition {last}."
            ),
        ),
    )
}

/// What stood on an older edition.
fn of_the_past(
    log: &dyn LogRead,
    programme: &Printable,
    edition: u32,
    wall: &Wall,
    now: jiff::Timestamp,
    rendering: &Rendering,
) -> Result<Option<Fields>, load::FoldError> {
    let Some(commit) = decided_at(log, programme, edition)? else {
        return Ok(None);
    };
    let (mut then, _) = load::fold_until(log, commit)?;
    Ok(then.shown(programme, &wall.month, now, rendering))
}

/// The commit that decided what edition `edition` shows.
fn decided_at(
    log: &dyn LogRead,
    programme: &Printable,
    edition: u32,
) -> Result<Option<u64>, load::FoldError> {
    let tag = edition.to_string();
    let mut owed: Vec<(Digest, u64)> = Vec::new();
    let mut decided = None;
    let mut number = log.floor().number;
    loop {
        let commits = log.commits(number + 1, CHUNK)?;
        let Some(last) = commits.last() else {
            return Ok(decided);
        };
        number = last.number;
        for commit in &commits {
            let facts = decode_commit(&commit.body).map_err(|source| load::FoldError::Commit {
                number: commit.number,
                source,
            })?;
            for fact in facts {
                match fact {
                    Fact::Owed(fact)
                        if fact.entity == programme.id && fact.connector == programme.connector =>
                    {
                        owed.extend(fact.hash.map(|hash| (hash, commit.number)));
                    }
                    Fact::Done {
                        of,
                        link: Some(link),
                        ..
                    } if of.family == programme.id
                        && of.connector == programme.connector
                        && link.tag.as_deref() == Some(&tag) =>
                    {
                        let made = owed.iter().rev().find(|(hash, _)| *hash == link.hash);
                        decided = made.map(|&(_, commit)| commit).or(decided);
                    }
                    _ => {}
                }
            }
        }
    }
}
