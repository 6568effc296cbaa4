//! A tool was compared with what it was sent: what it lost is sent again once a person said yes, what
//! else differs is told, and nothing is repaired by itself.

use raccord_model::{
    Cause, ConnectorName, Difference, EntityId, EntityKind, Event, EventId, Fields, HoldId, Verb,
    Words,
};
use serde_json::json;

use crate::deciding::Deciding;
use crate::engine::Engine;
use crate::fact::{Closing, Fact, HeldEffect, Hold, HoldKind};
use crate::state::{Sent, State};

/// The code of what is told where a tool holds something else than it was sent.
const DRIFT: &str = "credit-drift";
/// How many differences are told in one notice.
const TOLD: usize = 20;
/// The field by which what is sent again is told from what was sent before.
const AGAIN: &str = "again";

/// All credits, with whether each was sent to `connector` and confirmed by it.
pub fn sent_to(engine: &Engine, connector: &ConnectorName) -> Vec<(Event, bool)> {
    let state = engine.state();
    let all = state.sent.get(connector);
    let credits = state.entities.iter();
    let credits = credits.filter(|(_, record)| record.kind == EntityKind::Credit);
    credits
        .filter_map(|(&id, _)| {
            let sent = all.and_then(|all| all.get(&id));
            let sent = sent.copied().unwrap_or_default();
            let mut event = event_of(state, id, sent)?;
            engine.vault().reveal(&mut event.data);
            Some((event, sent.confirmed))
        })
        .collect()
}

/// A credit as it is sent, with slots in place of personal values.
fn event_of(state: &State, id: EntityId, sent: Sent) -> Option<Event> {
    let record = state.entities.get(&id)?;
    let mut data = record.fields();
    let mut own = record.event;
    if sent.again > 0 {
        data.insert(AGAIN.into(), json!(sent.again));
        own = EventId::derive(&[own.as_bytes(), b"again", &sent.again.to_be_bytes()]);
    }
    Some(Event {
        id: own,
        kind: EntityKind::Credit,
        verb: Verb::Granted,
        entity: id,
        revision: 1,
        changed: Vec::new(),
        source: record.source.to_string(),
        time: state.at.unwrap_or_default(),
        family: record.family.unwrap_or(id),
        correlation: record.event,
        causation: Some(record.event),
        hops: 0,
        trace: None,
        cause: Cause::Time,
        data,
    })
}

/// What differs between a tool and what it was sent.
pub(crate) fn compared(
    deciding: &mut Deciding<'_>,
    connector: &ConnectorName,
    all: Vec<Difference>,
) {
    let (lost, rest): (Vec<Difference>, Vec<Difference>) =
        all.into_iter().partition(|one| one.lacks.is_some());
    ask(deciding, connector, &lost);
    tell(deciding, connector, &rest);
}

fn hold_id(connector: &ConnectorName) -> HoldId {
    HoldId::derive(&[b"lost", connector.as_str().as_bytes()])
}

/// What a tool lost, as a question.
fn ask(deciding: &mut Deciding<'_>, connector: &ConnectorName, lost: &[Difference]) {
    let mut credits: Vec<EntityId> = lost.iter().filter_map(|one| one.lacks).collect();
    credits.sort_unstable();
    if credits.is_empty() {
        crate::hold::close(deciding, hold_id(connector), Closing::Moot);
        return;
    }
    let effects = credits.iter().filter_map(|&credit| {
        let known = deciding.entity(credit)?;
        let amount = known.fields.get("amount")?.clone();
        Some(HeldEffect {
            connector: None,
            entity: credit,
            action: "send".into(),
            title: known.text("reason").to_owned(),
            before: Fields::new(),
            after: Fields::from([("amount".to_owned(), amount)]),
        })
    });
    let many = credits.len();
    let hold = Hold {
        id: hold_id(connector),
        reason: Words::new(
            format!(
                "« {connector} » n’a pas ce qu’il avait confirmé ({many}). Oui : l’envoyer encore une fois. Non : le laisser ainsi, parce que c’est réglé à la main."
            ),
            format!(
                "“{connector}” does not have what it had confirmed ({many}). Yes: send it once more. No: leave it so, because it was settled by hand."
            ),
        ),
        opened: deciding.now,
        effects: effects.collect(),
        more: 0,
        what: HoldKind::Lost {
            connector: connector.clone(),
            credits,
        },
    };
    crate::hold::open(deciding, hold);
}

/// What a person has to look at in the tool.
fn tell(deciding: &mut Deciding<'_>, connector: &ConnectorName, rest: &[Difference]) {
    if rest.is_empty() {
        crate::notice::settle(deciding, DRIFT, connector.as_str());
        return;
    }
    let list = |say: fn(&Words) -> &String| {
        let first = rest.iter().take(TOLD);
        let first: Vec<&str> = first.map(|one| say(&one.text).as_str()).collect();
        first.join("\n")
    };
    let many = rest.len();
    let text = Words::new(
        format!(
            "« {connector} » contient autre chose que ce qui y a été envoyé ({many}) :\n{}",
            list(|words| &words.fr)
        ),
        format!(
            "“{connector}” holds something else than what was sent there ({many}):\n{}",
            list(|words| &words.en)
        ),
    );
    let mend = Words::new(
        "Regardez chaque ligne dans l'outil, et corrigez-la là-bas : Raccord n'y change rien de lui-même. « raccord ledger --compare » montre tout.",
        "Look at each line in the tool, and correct it there: Raccord changes nothing of it by itself. `raccord ledger --compare` shows them all.",
    );
    crate::notice::tell(deciding, DRIFT, connector.as_str(), &text, &mend);
}

/// A person said what becomes of what a tool lost.
pub(crate) fn decided(
    deciding: &mut Deciding<'_>,
    connector: &ConnectorName,
    credits: Vec<EntityId>,
    yes: bool,
) {
    if !yes {
        deciding.record(Fact::WrittenOff {
            connector: connector.clone(),
            credits,
        });
        return;
    }
    for credit in credits {
        let all = deciding.state.sent.get(connector);
        let sent = all.and_then(|all| all.get(&credit)).copied();
        // Only what is still known as confirmed: a yes that was said twice sends once.
        let Some(sent) = sent.filter(|sent| sent.confirmed) else {
            continue;
        };
        let next = Sent {
            again: sent.again + 1,
            confirmed: false,
        };
        let Some(event) = event_of(deciding.state, credit, next) else {
            continue;
        };
        let family = event.family;
        deciding.record(Fact::Resent {
            connector: connector.clone(),
            event: Box::new(event),
        });
        deciding.flight.wake(connector, family);
    }
}
