//! Folding: recorded facts become state. Nothing is decided here, and nothing can fail: a fact
//! about something that is not there (any more) changes nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use raccord_model::{ConnectorName, DeliveryId, Digest, EntityId, EntityKind, Event};

use crate::fact::{Closing, DeliveryRef, Fact, Health, HoldKind, OwedFact, ReadFact};
use crate::faults::{Fault, planted};
use crate::letters::Issue;
use crate::sayings::About;
use crate::state::{
    Aside, Owed, Progress, Queued, Record, SinkState, Spot, State, Target, Waiting,
};

/// How many rewritten lines of a source are remembered as they were.
const REWRITTEN: usize = 10_000;

pub(crate) fn fold(state: &mut State, fact: &Fact, at: Timestamp) {
    match fact {
        Fact::Rules(rules) => {
            if planted(Fault::EmptyQueue) {
                for sink in state.sinks.values_mut() {
                    sink.lanes.values_mut().for_each(|lane| lane.queue.clear());
                    sink.lanes.retain(|_, lane| !lane.is_empty());
                }
            }
            for name in rules.sinks.keys() {
                state.sinks.entry(name.clone()).or_default();
            }
            for name in rules.sources.keys() {
                state.sources.entry(name.clone()).or_default();
            }
            state.rules = Some(Arc::new((**rules).clone()));
        }
        Fact::Event { event, to } => fold_event(state, event, to, at),
        Fact::Seen(digest) => {
            state.seen.insert(*digest);
        }
        Fact::Read(read) => fold_read(state, read, at),
        Fact::Same { source, cursor } => {
            let source = state.sources.entry(source.clone()).or_default();
            if cursor.is_some() {
                source.cursor.clone_from(cursor);
            }
            if source.applied_at == source.read_at {
                source.applied_at = Some(at);
            }
            source.read_at = Some(at);
            source.failing = None;
            source.silent = false;
        }
        Fact::Unreadable { source, failure } => {
            let source = state.sources.entry(source.clone()).or_default();
            let since = source.failing.as_ref().map_or(at, |(since, _)| *since);
            source.failing = Some((since, (**failure).clone()));
        }
        Fact::Silent { source } => state.sources.entry(source.clone()).or_default().silent = true,
        Fact::Override { entity, said } => {
            if said.is_empty() {
                state.said.remove(entity);
            } else {
                state.said.insert(*entity, said.clone());
            }
        }
        Fact::Owed(owed) => fold_owed(state, owed, at),
        Fact::Running {
            of,
            attempt,
            latest,
        } => {
            set_progress(state, of, |_| Progress::Running {
                attempt: *attempt,
                latest: *latest,
            });
        }
        Fact::Unknown { of, sent } => {
            set_progress(state, of, |before| Progress::Unknown {
                attempt: before.attempt(),
                sent: *sent,
            });
        }
        Fact::Again { of } => {
            set_progress(state, of, |_| Progress::Pending);
        }
        Fact::Done { of, link, written } => {
            crate::letters::fold_ended(state, of);
            let Some((entity, event)) = take(state, of) else {
                return;
            };
            let Some(sink) = state.sinks.get_mut(&of.connector) else {
                return;
            };
            sink.done += 1;
            sink.done_at = Some(at);
            match event {
                Some(queued) => confirm(state, of, entity, &queued),
                None => {
                    if let Some(target) = sink.targets.get_mut(&entity) {
                        target.link.clone_from(link);
                        target.written.clone_from(written);
                        if target.link.is_none() {
                            sink.targets.remove(&entity);
                        }
                    }
                }
            }
        }
        Fact::Skipped { of, .. } => {
            crate::letters::fold_ended(state, of);
            if let Some((entity, None)) = take(state, of)
                && let Some(sink) = state.sinks.get_mut(&of.connector)
                && sink
                    .targets
                    .get(&entity)
                    .is_some_and(|target| target.link.is_none())
            {
                sink.targets.remove(&entity);
            }
        }
        Fact::Dead { of, failure } => {
            let spot = state.find(of);
            let (family, entity) = match spot {
                Some(Spot::Queue { family, .. }) => (family, None),
                Some(Spot::Object { family, entity }) => (family, Some(entity)),
                None => return,
            };
            let hash = entity.and_then(|entity| {
                state
                    .sinks
                    .get(&of.connector)?
                    .targets
                    .get(&entity)?
                    .owed
                    .as_ref()?
                    .hash
            });
            let queued = take(state, of);
            let Some(sink) = state.sinks.get_mut(&of.connector) else {
                return;
            };
            let (entity, event) = match queued {
                Some((entity, event)) => (entity, event),
                None => (entity.unwrap_or(family), None),
            };
            let aside = Aside {
                entity,
                family,
                failure: (**failure).clone(),
                since: at,
                event,
                hash,
            };
            sink.dead.insert(of.id, aside);
        }
        Fact::Revived { of } => {
            let Some(sink) = state.sinks.get_mut(&of.connector) else {
                return;
            };
            let Some(aside) = sink.dead.remove(&of.id) else {
                return;
            };
            if let Some(mut queued) = aside.event
                && !planted(Fault::ForgetRevival)
            {
                queued.progress = Progress::Pending;
                sink.lanes
                    .entry(aside.family)
                    .or_default()
                    .queue
                    .push_front(queued);
            }
        }
        Fact::Dropped { of } => {
            crate::letters::fold_ended(state, of);
            take(state, of);
            if let Some(sink) = state.sinks.get_mut(&of.connector) {
                sink.dead.remove(&of.id);
            }
        }
        Fact::Health {
            connector,
            state: health,
        } => {
            let sink = state.sinks.entry(connector.clone()).or_default();
            sink.health = health.clone();
            sink.since = Some(at);
            if *health == Health::Up {
                state.quiet.remove(connector);
            }
        }
        Fact::Quiet { connector, until } => {
            state.quiet.insert(connector.clone(), *until);
        }
        Fact::Held(hold) => {
            if let HoldKind::Delivery { of }
            | HoldKind::Blocked { of }
            | HoldKind::Reversal { of, .. } = &hold.what
            {
                let id = hold.id;
                set_progress(state, of, |before| Progress::Held {
                    attempt: before.attempt(),
                    hold: id,
                });
            }
            if let HoldKind::Letters { of } = &hold.what {
                for (of, _) in of {
                    let id = hold.id;
                    set_progress(state, of, |before| Progress::Held {
                        attempt: before.attempt(),
                        hold: id,
                    });
                }
            }
            state.holds.insert(
                hold.id,
                Waiting {
                    hold: (**hold).clone(),
                    told: at,
                },
            );
        }
        Fact::Reminded(hold) => {
            if let Some(waiting) = state.holds.get_mut(hold) {
                waiting.told = at;
            }
        }
        Fact::Closed { hold, how } => {
            let Some(waiting) = state.holds.remove(hold) else {
                return;
            };
            if let HoldKind::Reading { source, content } = &waiting.hold.what
                && let Some(source) = state.sources.get_mut(source)
            {
                // A newer reading may be held by now.
                source.held.take_if(|held| held == content);
                if *how != Closing::Moot {
                    // The reading must be seen again: what a person said is applied to it.
                    source.cursor = None;
                }
            }
            if let (HoldKind::Rules { digest }, Closing::Approved) = (&waiting.hold.what, how) {
                state.approved_rules = Some(*digest);
            }
            if let HoldKind::Question { source, .. } = &waiting.hold.what
                && *how != Closing::Moot
                && let Some(source) = state.sources.get_mut(source)
            {
                source.cursor = None;
            }
        }
        Fact::Approved {
            source,
            content,
            only,
        } => {
            let source = state.sources.entry(source.clone()).or_default();
            source.approved = Some((*content, only.clone()));
            source.refused = None;
        }
        Fact::Refused { source, content } => {
            let source = state.sources.entry(source.clone()).or_default();
            source.refused = Some(*content);
            source.approved = None;
        }
        Fact::Answered {
            source,
            line,
            entity,
            same,
        } => {
            let source = state.sources.entry(source.clone()).or_default();
            source.answers.insert((*line, *entity), *same);
        }
        Fact::Muted(why) => state.muted = Some(why.clone()),
        Fact::Unmuted { look_first } => {
            state.muted = None;
            if *look_first {
                state.restored = Some(at);
            }
            if let Some(rules) = state.rules.clone() {
                // Sinks this log has not used yet may have been used by the one that was lost.
                for name in rules.sinks.keys() {
                    state.sinks.entry(name.clone()).or_default();
                }
            }
            for sink in state.sinks.values_mut() {
                sink.look_first = look_first.then_some(at);
                if !look_first {
                    continue;
                }
                // What we remember of the tool's objects may be older than they are.
                for link in sink.targets.values_mut().filter_map(|t| t.link.as_mut()) {
                    link.hash = Digest::default();
                    link.tag = None;
                }
            }
        }
        Fact::CaughtUp => {
            for sink in state.sinks.values_mut() {
                sink.look_first = None;
            }
        }
        Fact::Vanished { connector, entity } => {
            if let Some(target) = target_mut(state, connector, *entity) {
                target.link = None;
            }
        }
        Fact::Relocated { connector } => {
            state.sent.remove(connector);
            state.sinks.entry(connector.clone()).or_default().look_first = Some(at);
            state.relocated.insert(connector.clone(), at);
        }
        Fact::Drifted { connector, entity } => {
            if let Some(link) =
                target_mut(state, connector, *entity).and_then(|target| target.link.as_mut())
            {
                link.hash = Digest::default();
            }
        }
        Fact::Resent { connector, event } => {
            let all = state.sent.entry(connector.clone()).or_default();
            let sent = all.entry(event.entity).or_default();
            sent.again += 1;
            sent.confirmed = false;
            queue(state, connector, event, encode(event), at);
        }
        Fact::WrittenOff { connector, credits } => {
            let all = state.sent.entry(connector.clone()).or_default();
            for credit in credits {
                all.entry(*credit).or_default().confirmed = false;
            }
        }
        Fact::Adopted {
            connector,
            entity,
            link,
        } => {
            let sink = state.sinks.entry(connector.clone()).or_default();
            let target = sink.targets.entry(*entity).or_default();
            target.link = Some(link.clone());
        }
        Fact::Insisted { connector, entity } => {
            if let Some(link) =
                target_mut(state, connector, *entity).and_then(|target| target.link.as_mut())
            {
                link.hash = Digest::default();
                link.revision = 0;
            }
        }
        Fact::Told {
            connector,
            entity,
            fields,
        } => {
            let body = serde_json::to_vec(fields).expect("fields always serialise into memory");
            crate::sayings::fold_told(state, connector, *entity, body);
        }
        Fact::Code {
            code,
            person,
            until,
        } => {
            state.codes.retain(|_, (_, until)| *until > at);
            state.codes.insert(*code, (*person, *until));
        }
        Fact::Prepared { issue, body } => {
            let prepared = Issue {
                body: body.clone(),
                left: 0,
            };
            state.issues.insert(*issue, prepared);
        }
        Fact::Addressed { issue, readers } => {
            if let Some(known) = state.issues.get_mut(issue) {
                known.left = *readers;
            }
        }
        Fact::CodeUsed(code) => {
            state.codes.remove(code);
        }
        Fact::Taken {
            entity,
            source,
            from,
        } => {
            if let Some(record) = state.entities.get_mut(entity) {
                record.source = source.as_str().into();
            }
            if let Some(from) = state.sources.get_mut(from) {
                // Not among those that are gone: it is the tool's no more, and comes back as ours.
                from.lines.remove(entity);
                from.missing.remove(entity);
            }
        }
        Fact::Broken { correlation } => {
            state.broken.insert(*correlation);
            for sink in state.sinks.values_mut() {
                for lane in sink.lanes.values_mut() {
                    lane.queue.retain(|queued| {
                        decode(&queued.event).is_none_or(|event| event.correlation != *correlation)
                    });
                }
                sink.lanes.retain(|_, lane| !lane.is_empty());
            }
        }
    }
}

fn target_mut<'s>(
    state: &'s mut State,
    connector: &ConnectorName,
    entity: EntityId,
) -> Option<&'s mut Target> {
    state.sinks.get_mut(connector)?.targets.get_mut(&entity)
}

/// A credit was sent, and is there. What is told of it later brings nothing.
fn confirm(state: &mut State, of: &DeliveryRef, entity: EntityId, queued: &Queued) {
    let record = state.entities.get(&entity);
    if record.is_none_or(|record| record.kind != EntityKind::Credit) {
        return;
    }
    if decode(&queued.event).is_some_and(|event| event.revision == 1) {
        let all = state.sent.entry(of.connector.clone()).or_default();
        all.entry(entity).or_default().confirmed = true;
    }
}

/// The event a queued delivery carries.
pub(crate) fn decode(event: &[u8]) -> Option<Event> {
    serde_json::from_slice(event).ok()
}

fn fold_event(state: &mut State, event: &Event, to: &[ConnectorName], at: Timestamp) {
    let body: Arc<[u8]> = serde_json::to_vec(&event.data)
        .expect("fields always serialise into memory")
        .into();
    let source: Arc<str> = match state.entities.get(&event.entity) {
        Some(known) if *known.source == *event.source => known.source.clone(),
        _ => event.source.as_str().into(),
    };
    let record = Record {
        kind: event.kind,
        revision: u32::try_from(event.revision).unwrap_or(u32::MAX),
        source,
        family: (event.family != event.entity).then_some(event.family),
        event: event.id,
        body,
    };
    state.entities.insert(event.entity, record);
    if to.is_empty() {
        return;
    }
    let encoded = encode(event);
    for connector in to {
        queue(state, connector, event, encoded.clone(), at);
    }
}

fn encode(event: &Event) -> Arc<[u8]> {
    serde_json::to_vec(event)
        .expect("an event always serialises into memory")
        .into()
}

/// An event is owed to a sink.
fn queue(
    state: &mut State,
    connector: &ConnectorName,
    event: &Event,
    encoded: Arc<[u8]>,
    at: Timestamp,
) {
    let queued = Queued {
        delivery: send_id(connector, event),
        progress: Progress::Pending,
        since: at,
        event: encoded,
    };
    let sink = state.sinks.entry(connector.clone()).or_default();
    let lane = sink.lanes.entry(event.family).or_default();
    lane.queue.push_back(queued);
}

/// The id of the delivery of `event` to `connector`.
pub(crate) fn send_id(connector: &ConnectorName, event: &Event) -> DeliveryId {
    DeliveryId::derive(&[connector.as_str().as_bytes(), event.id.as_bytes()])
}

fn fold_read(state: &mut State, read: &ReadFact, at: Timestamp) {
    let source = state.sources.entry(read.source.clone()).or_default();
    source.cursor.clone_from(&read.cursor);
    source.digest = Some(read.digest);
    source.read_at = Some(at);
    source.failing = None;
    source.silent = false;
    if let Some(unread) = &read.unread {
        source.unread.clone_from(unread);
    }
    for remark in &read.remarks {
        source.told.insert(crate::observe::remark_digest(remark));
    }
    if read.held.is_some() {
        source.held = read.held;
        return;
    }
    source.applied_at = Some(at);
    source.held = None;
    source.approved = None;
    if let Some(tabs) = &read.tabs {
        source.tabs.clone_from(tabs);
    }
    let mut rewritten = BTreeSet::new();
    let mut earlier = Vec::new();
    for (entity, line) in read.lines.iter().filter(|_| !planted(Fault::DropCursor)) {
        let stood = source.lines.insert(*entity, line.clone());
        let before = stood.or(source.gone.remove(entity));
        if let Some(before) = before.filter(|before| before.digest != line.digest) {
            if !source.answers.is_empty() {
                rewritten.insert(*entity);
            }
            earlier.push((before.digest, *entity));
        }
    }
    for entity in &read.missed {
        source.missing.insert(*entity, at);
    }
    for entity in &read.back {
        source.missing.remove(entity);
    }
    for entity in &read.dropped {
        source.missing.remove(entity);
        if let Some(line) = source.lines.remove(entity) {
            source.gone.insert(*entity, line);
        }
    }
    // A person answered about the lines they saw.
    source
        .answers
        .retain(|(_, entity), _| !rewritten.contains(entity) && !read.dropped.contains(entity));
    if source.answers.len() > 1_000 {
        source.answers.clear();
    }
    if !earlier.is_empty() {
        let all = state.rewritten.entry(read.source.clone()).or_default();
        all.extend(earlier);
        let many = all.len().saturating_sub(REWRITTEN);
        all.drain(..many);
    }
}

fn fold_owed(state: &mut State, owed: &OwedFact, at: Timestamp) {
    // Each hour of a round-up is owed once, and to each person.
    let occurrence = owed.key.as_deref().and_then(About::read);
    if let Some((id, hour)) = occurrence.and_then(About::occurrence) {
        let body = serde_json::to_vec(&hour).expect("an hour always serialises into memory");
        crate::sayings::fold_told(state, &owed.connector, id, body);
    }
    let sink = state.sinks.entry(owed.connector.clone()).or_default();
    let target = sink.targets.entry(owed.entity).or_default();
    target.family = Some(owed.family);
    target.key.clone_from(&owed.key);
    let (progress, since) = match target.owed.take() {
        // What was started, or waits for a person, stays started: only what is wanted is newer.
        Some(before) if before.delivery == owed.delivery => (before.progress, before.since),
        _ => (Progress::Pending, at),
    };
    target.owed = Some(Owed {
        delivery: owed.delivery,
        due: owed.due,
        best_before: owed.best_before,
        hash: owed.hash,
        cause: owed.cause,
        rule: owed.rule.clone(),
        progress,
        since,
    });
    sink.lanes
        .entry(owed.family)
        .or_default()
        .objects
        .insert(owed.entity);
}

fn set_progress(state: &mut State, of: &DeliveryRef, next: impl FnOnce(&Progress) -> Progress) {
    let Some(spot) = state.find(of) else { return };
    let Some(sink) = state.sinks.get_mut(&of.connector) else {
        return;
    };
    let progress = match spot {
        Spot::Queue { family, index } => sink
            .lanes
            .get_mut(&family)
            .and_then(|lane| lane.queue.get_mut(index))
            .map(|queued| &mut queued.progress),
        Spot::Object { entity, .. } => sink
            .targets
            .get_mut(&entity)
            .and_then(|target| target.owed.as_mut())
            .map(|owed| &mut owed.progress),
    };
    if let Some(progress) = progress {
        *progress = next(progress);
    }
}

/// Takes a delivery out of its lane; gives the entity it was about and, for events, the event.
fn take(state: &mut State, of: &DeliveryRef) -> Option<(EntityId, Option<Queued>)> {
    let spot = state.find(of)?;
    let sink = state.sinks.get_mut(&of.connector)?;
    match spot {
        Spot::Queue { family, index } => {
            let lane = sink.lanes.get_mut(&family)?;
            let queued = lane.queue.remove(index)?;
            if lane.is_empty() {
                sink.lanes.remove(&family);
            }
            let entity = decode(&queued.event).map_or(family, |event| event.entity);
            Some((entity, Some(queued)))
        }
        Spot::Object { family, entity } => {
            close_object(sink, family, entity);
            Some((entity, None))
        }
    }
}

fn close_object(sink: &mut SinkState, family: EntityId, entity: EntityId) {
    if let Some(target) = sink.targets.get_mut(&entity) {
        target.owed = None;
    }
    if let Some(lane) = sink.lanes.get_mut(&family) {
        lane.objects.remove(&entity);
        if lane.is_empty() {
            sink.lanes.remove(&family);
        }
    }
}
