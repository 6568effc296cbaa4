//! Commands that only look: they read the log beside whoever writes it.

use raccord_bus::LogRead;
use raccord_engine::{Engine, Fact, Mention, decode_commit};
use raccord_model::{Envelope, Event, PlaceId};

use super::{load, told};
use crate::locale::View;
use crate::report::Problem;
use crate::shapes::{DeadListShape, HoldListShape, StepKind, StepShape, WhyShape};

/// Open holds.
pub(crate) fn holds(engine: &Engine, view: &View) -> HoldListShape {
    HoldListShape(told::holds(engine, view))
}

/// Deliveries that were set aside.
pub(crate) fn dead(engine: &Engine, view: &View) -> DeadListShape {
    DeadListShape(told::dead(engine, view))
}

/// The chain behind a reference.
///
/// # Errors
/// When the log cannot be read, or nothing in it has this name.
pub(crate) fn why(
    log: &dyn LogRead,
    engine: &Engine,
    reference: &str,
    view: &View,
) -> Result<WhyShape, Problem> {
    let search = |text: &str| mentions(log, text);
    let chain = raccord_engine::why(engine.state(), reference, &search, view)
        .filter(|chain| !chain.is_empty())
        .ok_or_else(|| Problem::not_ours(reference))?;
    let chain = chain
        .into_iter()
        .map(|link| StepShape {
            kind: match link.kind {
                "effect" => StepKind::Effect,
                "delivery" => StepKind::Delivery,
                "rule" => StepKind::Rule,
                "cell" => StepKind::Cell,
                "person" => StepKind::Person,
                _ => StepKind::Event,
            },
            at: Some(link.at),
            text: link.text.get(view.lang).to_owned(),
            reference: link.reference,
        })
        .collect();
    Ok(WhyShape {
        effect: reference.to_owned(),
        chain,
    })
}

/// Commits whose text holds `text`, oldest first. What cannot be read is left out: `why` tells
/// what it can.
fn mentions(log: &dyn LogRead, text: &str) -> Vec<Mention> {
    let mut found = Vec::new();
    let finder = memchr::memmem::Finder::new(text.as_bytes());
    for commit in load::commits(log, log.floor().number).map_while(Result::ok) {
        let plain = commit.body.first() == Some(&b'[');
        if plain && finder.find(&commit.body).is_none() {
            continue;
        }
        let Ok(mut facts) = decode_commit(&commit.body) else {
            continue;
        };
        if !plain {
            facts.retain(|fact| {
                serde_json::to_vec(fact).is_ok_and(|bytes| finder.find(&bytes).is_some())
            });
        }
        if !facts.is_empty() {
            found.push(Mention {
                at: commit.at,
                facts,
            });
        }
    }
    found
}

/// Events of the log after commit `number`, as CloudEvents with personal values in place; gives
/// the last commit's number.
///
/// # Errors
/// When the log cannot be read.
pub(crate) fn events_json(
    log: &dyn LogRead,
    engine: &Engine,
    place: &PlaceId,
    mut number: u64,
    mut each: impl FnMut(u64, usize, &Event, Envelope),
) -> Result<u64, raccord_bus::LogError> {
    for commit in load::commits(log, number) {
        let commit = commit?;
        number = commit.number;
        let Ok(facts) = decode_commit(&commit.body) else {
            continue;
        };
        let mut index = 0;
        for fact in facts {
            if let Fact::Event { mut event, .. } = fact {
                engine.vault().reveal(&mut event.data);
                let envelope = Envelope::of(&event, place);
                each(commit.number, index, &event, envelope);
                index += 1;
            }
        }
    }
    Ok(number)
}
