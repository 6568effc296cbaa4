//! What is in the air right now: attempts under way, lanes that can go, when to try again.
//!
//! None of it is recorded. After a crash it is empty, and the state alone tells what is owed and
//! what may have happened.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp, civil::Date};
use raccord_model::{Class, ConnectorName, DeliveryId, Digest, EntityId, Fields};

use crate::fact::DeliveryRef;
use crate::roll::Roll;
use crate::state::State;

/// Everything in the air.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flight {
    pub(crate) sinks: BTreeMap<ConnectorName, SinkFlight>,
    /// Derived entities, by the activity they were derived from.
    pub(crate) children: BTreeMap<EntityId, BTreeSet<EntityId>>,
    /// Who is on what.
    pub(crate) roll: Roll,
    /// The ledger.
    pub(crate) ledger: crate::credits::Ledger,
    /// The civil day publications were last looked at.
    pub(crate) published: Option<Date>,
    /// The civil day everybody who likes something was last looked at.
    pub(crate) weekly: Option<Date>,
    /// When this process began: silence is counted from here.
    pub(crate) started: Option<Timestamp>,
    /// Sources that were read and found as they were, and when: not worth a word in the log.
    pub(crate) same: BTreeMap<ConnectorName, Timestamp>,
    /// Effects are decided, and none is started yet.
    pub(crate) withheld: bool,
    /// Continued chains: how many events each brought lately.
    pub(crate) bursts: BTreeMap<raccord_model::EventId, u32>,
    /// Letters whose answers were lost, by their issue: asked about before the step ends.
    pub(crate) doubted: BTreeMap<(ConnectorName, EntityId), Vec<(DeliveryRef, EntityId)>>,
    /// When questions were asked lately, by connector and room.
    pub(crate) asked: BTreeMap<(ConnectorName, String), VecDeque<Timestamp>>,
}

/// What is in the air towards one sink.
#[derive(Clone, Debug, Default)]
pub(crate) struct SinkFlight {
    /// Lanes with attempts under way.
    pub(crate) busy: BTreeMap<EntityId, BTreeMap<DeliveryId, Underway>>,
    /// Lanes that can go.
    ready: VecDeque<EntityId>,
    queued: BTreeSet<EntityId>,
    /// Lanes that can go from an instant on.
    timers: BTreeSet<(Timestamp, EntityId)>,
    /// Attempts that failed and will be made again: how often, and not before.
    failed: BTreeMap<DeliveryId, (u32, Timestamp)>,
    /// Objects of which an attempt started in this process, until they are done.
    pub(crate) tried: BTreeSet<DeliveryId>,
    /// Looks that could not tell yet: not again before.
    looks: BTreeMap<DeliveryId, Timestamp>,
    /// Failures since the last answer.
    pub(crate) streak: u32,
    /// When the tool may be tried again while it is down.
    pub(crate) probe_at: Option<Timestamp>,
    /// Attempts that failed and are made again, since this process began.
    pub(crate) retried: u64,
    /// Lanes that wait because the tool was down.
    parked: BTreeSet<EntityId>,
}

/// An attempt under way.
#[derive(Clone, Debug)]
pub(crate) struct Underway {
    /// How it is made once.
    pub(crate) class: Class,
    /// What it sent.
    pub(crate) sent: Sent,
}

/// What an attempt under way sent.
#[derive(Clone, Debug)]
pub(crate) enum Sent {
    /// An event.
    Event,
    /// An object.
    Object {
        entity: EntityId,
        hash: Digest,
        revision: u64,
        written: Fields,
    },
    /// A removal.
    Removal,
    /// A question after an earlier attempt.
    Look,
}

impl SinkFlight {
    pub(crate) fn wake(&mut self, family: EntityId) {
        if !self.busy.contains_key(&family) && self.queued.insert(family) {
            self.ready.push_back(family);
        }
    }

    pub(crate) fn wake_at(&mut self, at: Timestamp, family: EntityId) {
        self.timers.insert((at, family));
    }

    /// Waits until the tool answers again.
    pub(crate) fn park(&mut self, family: EntityId) {
        self.parked.insert(family);
    }

    /// The tool answers: everything that waited for it can go.
    pub(crate) fn unpark(&mut self) {
        for family in std::mem::take(&mut self.parked) {
            self.wake(family);
        }
        for (_, not_before) in self.failed.values_mut() {
            *not_before = Timestamp::MIN;
        }
        self.streak = 0;
        self.probe_at = None;
    }

    /// How often attempts of a delivery failed.
    pub(crate) fn failures(&self, delivery: DeliveryId) -> u32 {
        self.failed.get(&delivery).map_or(0, |(count, _)| *count)
    }

    /// An attempt failed; it is made again, not before `at`.
    pub(crate) fn fail(&mut self, delivery: DeliveryId, at: Timestamp) {
        self.retried += 1;
        let (count, not_before) = self.failed.entry(delivery).or_insert((0, at));
        *count += 1;
        *not_before = at;
    }

    /// The tool is asked again after an earlier attempt, not before `at`.
    pub(crate) fn look_at(&mut self, delivery: DeliveryId, at: Timestamp) {
        self.looks.insert(delivery, at);
    }

    /// Until when a delivery rests.
    pub(crate) fn rests_until(&self, delivery: DeliveryId) -> Option<Timestamp> {
        let failed = self.failed.get(&delivery).map(|(_, at)| *at);
        failed.max(self.looks.get(&delivery).copied())
    }

    /// A delivery ended.
    pub(crate) fn forget(&mut self, delivery: DeliveryId) {
        self.failed.remove(&delivery);
        self.looks.remove(&delivery);
        self.tried.remove(&delivery);
    }

    pub(crate) fn ring(&mut self, now: Timestamp) {
        while let Some(&(at, family)) = self.timers.first() {
            if at > now {
                break;
            }
            self.timers.pop_first();
            self.wake(family);
        }
    }

    pub(crate) fn next_lane(&mut self) -> Option<EntityId> {
        let family = self.ready.pop_front()?;
        self.queued.remove(&family);
        Some(family)
    }

    /// A lane to probe a tool with that is down: one that can go, else one that is parked.
    pub(crate) fn probe_lane(&mut self) -> Option<EntityId> {
        self.next_lane().or_else(|| self.parked.pop_first())
    }

    /// Whether nothing was tried in vain.
    pub(crate) fn is_calm(&self) -> bool {
        let nothing = self.failed.is_empty() && self.looks.is_empty() && self.tried.is_empty();
        nothing && self.parked.is_empty() && self.probe_at.is_none()
    }

    pub(crate) fn next_timer(&self) -> Option<Timestamp> {
        self.timers.first().map(|(at, _)| *at)
    }

    pub(crate) fn has_waiting(&self) -> bool {
        !self.ready.is_empty() || !self.parked.is_empty()
    }
}

impl Flight {
    /// What is in the air when a process starts: nothing, and every open lane can go.
    pub(crate) fn of(state: &State) -> Self {
        let mut flight = Self::default();
        for (connector, sink) in &state.sinks {
            let entry = flight.sinks.entry(connector.clone()).or_default();
            entry.probe_at = state.quiet.get(connector).copied();
            for &family in sink.lanes.keys() {
                entry.wake(family);
            }
        }
        for (&id, record) in &state.entities {
            if let Some(family) = record.family {
                flight.children.entry(family).or_default().insert(id);
            }
        }
        flight.roll = Roll::of(state);
        flight.ledger = crate::credits::ledger_of(state);
        flight
    }

    pub(crate) fn wake(&mut self, connector: &ConnectorName, family: EntityId) {
        self.sinks
            .entry(connector.clone())
            .or_default()
            .wake(family);
    }

    /// Whether an attempt of `delivery` is under way.
    pub(crate) fn is_busy(
        &self,
        connector: &ConnectorName,
        family: EntityId,
        delivery: DeliveryId,
    ) -> bool {
        self.sinks
            .get(connector)
            .and_then(|sink| sink.busy.get(&family))
            .is_some_and(|sent| sent.contains_key(&delivery))
    }
}

/// How long to wait after the `failures`-th failure in a row: doubling from a second to a minute,
/// spread by a fifth so that many do not come back at once.
pub fn backoff(failures: u32, salt: &[u8]) -> SignedDuration {
    let base = 1_000_i64 << failures.saturating_sub(1).min(6);
    let base = base.min(60_000);
    let spread = i64::from(Digest::of(&[salt, &failures.to_be_bytes()].concat()).0[0]);
    // Never above a minute, never below four fifths of the base.
    SignedDuration::from_millis(base - base * spread / (5 * 256))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_grows_to_a_minute_and_stays() {
        let waits: Vec<i64> = (1..12)
            .map(|n| backoff(n, b"x").as_millis() as i64)
            .collect();
        assert!(
            waits.iter().all(|&wait| (800..=60_000).contains(&wait)),
            "{waits:?}"
        );
        assert!(waits[0] <= 1_000 && waits[10] >= 48_000, "{waits:?}");
    }
}
