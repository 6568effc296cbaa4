//! A source was looked at: which line is which, what changed, and whether it looks like an accident.

mod accept;
mod compare;
mod guard;
mod held;
mod questions;
mod recount;
pub(crate) mod shared;
mod taken;
mod told;

use jiff::{SignedDuration, Timestamp};
use raccord_model::{
    Change, ConnectorName, Digest, EntityId, EntityKind, Failure, Observation, Reading, Remark,
    Rules, Verb,
};

use accept::{Gone, apply, cancel_missing, leaves_silently, restrict};
use compare::{compare, protect_unreadable};
use guard::{Alarm, guard};
use held::{close_readings, hold_reading};
use questions::{About, ask};
use told::{DUPLICATE, readable_again, remarks, tell_unread, unreadable};

use crate::deciding::Deciding;
use crate::fact::{Fact, ReadFact};
use crate::faults::{Fault, planted};
use crate::identity::Question;
use crate::input::Reply;

pub(crate) use accept::PARTED;
pub(crate) use told::remark_digest;

/// Up to this many questions are asked beside a reading that is held.
const ASKED: usize = 20;

pub(crate) fn observed(
    deciding: &mut Deciding<'_>,
    source: &ConnectorName,
    seen: Result<Observation, Failure>,
) {
    match seen {
        Err(failure) => unreadable(deciding, source, failure),
        Ok(Observation::Changes { changes, cursor }) => {
            changes_of(deciding, source, changes);
            deciding.record(Fact::Same {
                source: source.clone(),
                cursor,
            });
            readable_again(deciding, source);
        }
        Ok(Observation::Recount {
            changes,
            cursor,
            standing,
        }) => {
            changes_of(deciding, source, changes);
            recount::gone(deciding, source, &standing);
            deciding.record(Fact::Same {
                source: source.clone(),
                cursor,
            });
            readable_again(deciding, source);
        }
        Ok(Observation::Unchanged { cursor }) => {
            unchanged(deciding, source, cursor);
            readable_again(deciding, source);
        }
        Ok(Observation::Complete(_)) if shared::waits_for_others(deciding.state, source) => {}
        Ok(Observation::Complete(mut reading)) => {
            let changes = std::mem::take(&mut reading.changes);
            if shared::is_shared(deciding.state, source) {
                let known = deciding.state.sources.get(source).cloned();
                let known = known.unwrap_or_default();
                let theirs = shared::take_ours(deciding, source, &known, &reading);
                complete(deciding, source, &theirs);
            } else {
                complete(deciding, source, &reading);
            }
            changes_of(deciding, source, changes);
            readable_again(deciding, source);
        }
    }
}

fn changes_of(deciding: &mut Deciding<'_>, source: &ConnectorName, changes: Vec<Change>) {
    for change in changes {
        // One that cannot be taken does not stop the others.
        called(deciding, source, vec![change]);
    }
}

/// Takes what a tool tells by itself; what is asked there is answered.
pub(crate) fn called(
    deciding: &mut Deciding<'_>,
    connector: &ConnectorName,
    mut changes: Vec<Change>,
) -> Reply {
    let (mut asked, mut reacted) = (Vec::new(), Vec::new());
    for change in &mut changes {
        change.sender = connector.to_string();
    }
    changes.retain(|change| !crate::answers::is_silence(deciding, change));
    for change in &changes {
        if change.kind != EntityKind::Message || crate::posted::is_repeat(deciding, change) {
            continue;
        }
        let message = crate::posted::entity_of(deciding, change);
        if change.verb == Verb::Created {
            asked.push(message);
        } else if change.fields.contains_key("reacted") {
            let before = crate::answers::known_reactions(deciding, message);
            reacted.push((message, change.subject.clone(), before));
        }
    }
    let reply = crate::posted::take(deciding, changes);
    if reply == Reply::Taken {
        for message in asked {
            crate::answers::heard(deciding, connector, message);
        }
        for (message, external, before) in reacted {
            crate::answers::reactions(deciding, connector, &external, &before, message);
        }
    }
    reply
}

/// A reading that finds the source unchanged is a complete reading: second looks count.
fn unchanged(deciding: &mut Deciding<'_>, source: &ConnectorName, cursor: Option<String>) {
    let state = deciding.state.sources.get(source);
    let held = state.is_some_and(|state| state.held.is_some());
    deciding.record(Fact::Same {
        source: source.clone(),
        cursor,
    });
    if !held && !planted(Fault::NoSecondLook) {
        let overdue = overdue(deciding, source);
        if !overdue.is_empty() {
            let state = &deciding.state.sources[source];
            let read = ReadFact {
                source: source.clone(),
                digest: state.digest.unwrap_or_default(),
                cursor: state.cursor.clone(),
                dropped: overdue.iter().map(|(entity, _)| *entity).collect(),
                ..empty_read(source)
            };
            cancel_missing(deciding, source, &overdue, Gone::Missing);
            deciding.record(Fact::Read(Box::new(read)));
        }
    }
}

/// Sources of other places' offers that are configured no more: all they brought has left.
pub(crate) fn part(deciding: &mut Deciding<'_>, before: &Rules) {
    let rules = deciding.rules();
    let gone = before
        .sources
        .iter()
        .filter(|(name, rule)| rule.foreign && !rules.sources.contains_key(*name));
    for (name, _) in gone {
        let Some(state) = deciding.state.sources.get(name) else {
            continue;
        };
        let read = ReadFact {
            dropped: state.lines.keys().copied().collect(),
            ..empty_read(name)
        };
        let now = deciding.civil_now();
        let coming = read
            .dropped
            .iter()
            .filter(|entity| !leaves_silently(deciding.state, **entity, now));
        let coming: Vec<_> = coming.map(|entity| (*entity, deciding.now)).collect();
        cancel_missing(deciding, name, &coming, Gone::Parted);
        deciding.record(Fact::Read(Box::new(read)));
        readable_again(deciding, name);
    }
}

fn empty_read(source: &ConnectorName) -> ReadFact {
    ReadFact {
        source: source.clone(),
        digest: Digest::default(),
        cursor: None,
        tabs: None,
        lines: Vec::new(),
        dropped: Vec::new(),
        missed: Vec::new(),
        back: Vec::new(),
        unread: None,
        remarks: Vec::new(),
        held: None,
    }
}

/// Missing lines whose second look is due now, with the hour of the first.
fn overdue(deciding: &Deciding<'_>, source: &ConnectorName) -> Vec<(EntityId, Timestamp)> {
    let look = SignedDuration::from_secs(deciding.state.rules().guards.second_look_s);
    deciding.state.sources[source]
        .missing
        .iter()
        .filter(|(_, since)| since.saturating_add(look).unwrap_or(Timestamp::MAX) <= deciding.now)
        .map(|(&entity, &since)| (entity, since))
        .collect()
}

fn complete(deciding: &mut Deciding<'_>, source: &ConnectorName, reading: &Reading) {
    let state = deciding
        .state
        .sources
        .get(source)
        .cloned()
        .unwrap_or_default();
    let content = content_digest(reading);
    let mut compared = compare(deciding, source, &state, reading);
    protect_unreadable(deciding, &mut compared, &state, reading);
    taken::look(deciding, source, &state, reading, &mut compared);

    let approved = state
        .approved
        .as_ref()
        .filter(|(digest, _)| *digest == content);
    let only = approved.and_then(|(_, only)| only.clone());
    let refused = state.refused == Some(content);
    let alarm = guard(deciding, source, reading, &compared).filter(|_| !planted(Fault::NoGuard));
    let unread = (state.unread != reading.unread).then(|| reading.unread.clone());
    let remarks = remarks(reading, &compared);
    let fresh: Vec<Remark> = remarks
        .iter()
        .filter(|remark| !state.told.contains(&remark_digest(remark)))
        .cloned()
        .collect();
    // An unknown column is told once; two identical lines as long as they stand.
    let standing = remarks
        .iter()
        .filter(|remark| remark.code == DUPLICATE || fresh.contains(remark));
    deciding
        .remarks
        .extend(standing.map(|remark| (source.clone(), remark.clone())));
    if let Some(alarm) = &alarm {
        let text = alarm.reason.clone();
        let remark = Remark {
            sheet: String::new(),
            row: 0,
            code: alarm.code.into(),
            text,
        };
        deciding.remarks.push((source.clone(), remark));
    }

    let refused = refused && !planted(Fault::RefusedApplies);
    if refused || (approved.is_none() && alarm.is_some()) {
        let read = ReadFact {
            digest: reading.digest,
            cursor: reading.cursor.clone(),
            held: Some(content),
            unread: unread.clone(),
            remarks: fresh.clone(),
            ..empty_read(source)
        };
        deciding.record(Fact::Read(Box::new(read)));
        tell_unread(deciding, source, reading);
        if let (Some(Alarm { reason, .. }), false) = (alarm, refused) {
            close_readings(deciding, source, Some(content));
            hold_reading(deciding, source, content, reason, reading, &compared);
        }
        // What is asked about a few lines is asked with it, not after it; where a whole sheet moved
        // a person decides about that first. A reading somebody said no to asks nothing more.
        let asks = !refused && compared.questions.len() <= ASKED;
        let open: &[Question] = if asks { &compared.questions } else { &[] };
        ask(deciding, source, reading, open, About::Change);
        let asks = !refused && compared.doubts.len() <= ASKED;
        let open: &[Question] = if asks { &compared.doubts } else { &[] };
        taken::doubt(deciding, source, reading, open);
        if !planted(Fault::ApplyHeld) {
            return;
        }
    }
    if !planted(Fault::KeepHold) {
        close_readings(deciding, source, None);
    }
    if let Some(only) = &only {
        restrict(deciding, source, reading, &mut compared, only);
    }
    apply(
        deciding,
        source,
        &state,
        reading,
        &compared,
        unread,
        fresh,
        approved.is_some(),
    );
    tell_unread(deciding, source, reading);
}

/// The digest of what a reading says, whatever file it came in.
fn content_digest(reading: &Reading) -> Digest {
    let mut bytes = Vec::with_capacity(reading.lines.len() * 16);
    for line in &reading.lines {
        bytes.extend_from_slice(&line.digest.0);
    }
    Digest::of(&bytes)
}
