//! `printed`: which edition of a month's programme hangs on the wall, and what stands on it.
//!
//! The edition that was made last is known to the engine; an older one is read from the log, as the
//! place was when it was made.

use std::collections::BTreeMap;
use std::sync::Arc;

use raccord_bus::{Commit, LogRead};
use raccord_engine::{Fact, Printable, Printed, State, decode_commit};
use raccord_model::{ConnectorName, Desired, Digest, EntityId, Lang, Words};

use super::hands::Ready;
use super::load::{self, Shown};
use super::renderer::Rendering;
use crate::cli::{Session, Wall};
use crate::report::Problem;

/// The programme that `wall` names, with what stands on it.
///
/// # Errors
/// When there is none of that month, more than one, or its edition is not known any more.
pub(crate) fn find(session: &Session, loaded: &mut Shown, wall: &Wall) -> Result<Printed, Problem> {
    let ready = Ready::of(session, loaded.engine.state().at)?;
    let rendering = Rendering(Arc::clone(&ready.tools));
    let now = ready.clock.now();
    let programmes = loaded.engine.printables(&wall.month, now, &rendering);
    let programmes = programmes
        .into_iter()
        .map(|programme| (programme.connector.clone(), programme))
        .collect();
    let programme =
        the_one(programmes, wall)?.ok_or_else(|| none_made(wall, loaded.engine.state()))?;
    let edition = wall.edition.unwrap_or(programme.edition);
    let desired = if programme.current && edition == programme.edition {
        programme.desired.clone()
    } else {
        of_the_past(&*loaded.log, &programme, edition, wall, now, &rendering)
            .map_err(|error| error.at(&loaded.home))?
            .ok_or_else(|| unknown_edition(&programme, edition))?
    };
    let tool = ready.tools.get(&programme.connector);
    let sink = tool.and_then(|tool| tool.sink());
    let shown = sink
        .and_then(|sink| sink.printed(&desired))
        .ok_or_else(|| too_many(&programme))?;
    Ok(Printed {
        connector: programme.connector,
        key: wall.month.clone(),
        edition,
        title: programme.desired.title,
        shown,
    })
}

/// What hangs on the wall for the month that `wall` names: its connector and its title.
///
/// # Errors
/// When nothing does, or more than one.
pub(crate) fn hanging(state: &State, wall: &Wall) -> Result<(ConnectorName, String), Problem> {
    let marks = raccord_engine::hanging(state)
        .into_iter()
        .filter(|(_, mark)| mark.text("period") == wall.month)
        .map(|(connector, mark)| {
            (
                connector.clone(),
                (connector, mark.text("title").to_owned()),
            )
        })
        .collect();
    let month = &wall.month;
    the_one(marks, wall)?.ok_or_else(|| {
        Problem::failed(
            month.clone(),
            "reference-unknown",
            Words::new(
                format!("Rien n'est au mur pour « {month} »."),
                format!("Nothing is on the wall for “{month}”."),
            ),
            Words::new(
                "Il n'y a rien à décrocher : rien n'a changé.",
                "There is nothing to take down: nothing was changed.",
            ),
        )
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

/// The one that `wall` means among `found`, if any.
fn the_one<T>(mut found: BTreeMap<ConnectorName, T>, wall: &Wall) -> Result<Option<T>, Problem> {
    if let Some(connector) = &wall.connector {
        return Ok(found.remove(connector));
    }
    if found.len() > 1 {
        let names: Vec<&str> = found.keys().map(ConnectorName::as_str).collect();
        let names = names.join(", ");
        return Err(Problem::usage(
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
        ));
    }
    Ok(found.into_values().next())
}

fn too_many(programme: &Printable) -> Problem {
    let title = &programme.desired.title;
    Problem::failed(
        programme.connector.to_string(),
        "printed-too-much",
        Words::new(
            format!("« {title} » a trop d'activités pour être suivi une fois au mur."),
            format!("“{title}” has too many activities to be followed once it is on the wall."),
        ),
        Words::new(
            "Réimprimez-le quand il change : son numéro d'édition est au bas de la feuille.",
            "Print it again when it changes: its edition's number is at the foot of the sheet.",
        ),
    )
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
    let (title, last) = (&programme.desired.title, programme.edition);
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

/// What an older edition was made of.
fn of_the_past(
    log: &dyn LogRead,
    programme: &Printable,
    edition: u32,
    wall: &Wall,
    now: jiff::Timestamp,
    rendering: &Rendering,
) -> Result<Option<Desired>, load::FoldError> {
    let Some(commit) = decided_at(log, programme, edition)? else {
        return Ok(None);
    };
    let (mut then, _) = load::fold_until(log, commit)?;
    Ok(then.composed(programme, &wall.month, now, rendering))
}

/// The commit that decided what edition `edition` shows.
fn decided_at(
    log: &dyn LogRead,
    programme: &Printable,
    edition: u32,
) -> Result<Option<u64>, load::FoldError> {
    let tag = edition.to_string();
    let ours = |id: EntityId, connector: &ConnectorName| {
        id == programme.id && *connector == programme.connector
    };
    let mut owed: Vec<(Digest, u64)> = Vec::new();
    let mut decided = None;
    for commit in load::commits(log, log.floor().number) {
        let Commit { number, body, .. } = commit?;
        let facts = decode_commit(&body);
        for fact in facts.map_err(|source| load::FoldError::Commit { number, source })? {
            match fact {
                Fact::Owed(fact) if ours(fact.entity, &fact.connector) => {
                    owed.extend(fact.hash.map(|hash| (hash, number)));
                }
                Fact::Done { of, link, .. } if ours(of.family, &of.connector) => {
                    let link = link.filter(|link| link.tag.as_deref() == Some(&tag));
                    let made = link
                        .and_then(|link| owed.iter().rev().find(|(hash, _)| *hash == link.hash));
                    decided = made.map(|&(_, commit)| commit).or(decided);
                }
                _ => {}
            }
        }
    }
    Ok(decided)
}
