//! The engine: a state, what is in the air, and one function that moves both.

use jiff::{SignedDuration, Timestamp};
use raccord_model::{ConnectorName, Entity, EntityId, EntityKind, Event, Render, Rules, Work};

use crate::commit::{CommitError, decode_commit, encode_commit};
use crate::deciding::{Deciding, Entropy, Thread, zone_of};
use crate::fact::{DeliveryRef, Fact, Health};
use crate::flight::{Flight, SinkFlight};
use crate::input::{Input, Reply, Step};
use crate::plan::Planned;
use crate::rest::silences;
use crate::state::State;
use crate::vault::Vault;
use crate::{
    credits, guides, hands, hold, letters, lost, observe, orphans, places, plan, posted, rules,
};

/// The version of the snapshot's encoding; a snapshot of another version is left aside and the
/// commits are folded instead.
const SNAPSHOT: u8 = 9;
/// The oldest version that is read still, and how much each since then added at the end: maps that
/// are empty and instants that are none, a zero each.
const OLDEST: u8 = 2;
const ADDED: [usize; (SNAPSHOT - OLDEST) as usize] = [1, 2, 1, 1, 1, 1, 1];

/// The state machine of one place.
#[derive(Clone, Debug, Default)]
pub struct Engine {
    pub(crate) state: State,
    vault: Vault,
    pub(crate) flight: Flight,
}

/// A source that must be read again, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The source.
    pub source: ConnectorName,
    /// When.
    pub at: Timestamp,
}

impl Engine {
    /// An engine without a past.
    pub fn new() -> Self {
        Self::default()
    }

    /// An engine as a snapshot left it; `None` when the snapshot is of another version.
    pub fn from_snapshot(bytes: &[u8]) -> Option<Self> {
        let (&version, body) = bytes.split_first()?;
        let state = match version {
            SNAPSHOT => postcard::from_bytes(body).ok()?,
            OLDEST..SNAPSHOT => {
                let added: usize = ADDED[usize::from(version - OLDEST)..].iter().sum();
                let body = [body, &vec![0; added]].concat();
                postcard::from_bytes(&body).ok()?
            }
            _ => return None,
        };
        Some(Self {
            state,
            ..Self::default()
        })
    }

    /// The state as bytes: equal states have equal bytes.
    pub fn snapshot(&self) -> Vec<u8> {
        let mut bytes = vec![SNAPSHOT];
        bytes =
            postcard::to_extend(&self.state, bytes).expect("a state always serialises into memory");
        bytes
    }

    /// Folds one commit of the log.
    ///
    /// # Errors
    /// When it cannot be read; the state is then as before.
    pub fn fold(&mut self, number: u64, at: Timestamp, body: &[u8]) -> Result<(), CommitError> {
        for fact in decode_commit(body)? {
            self.state.apply(&fact, at);
        }
        self.state.commit = number;
        self.state.at = Some(at);
        Ok(())
    }

    /// Gives the engine its personal values: slot and JSON value.
    pub fn remember(&mut self, slots: impl IntoIterator<Item = (String, String)>) {
        for (slot, json) in slots {
            self.vault.put(slot, &json);
        }
    }

    /// These values are kept no more, whoever brings them.
    pub fn refuse(&mut self, forgotten: std::sync::Arc<dyn crate::Forgotten>) {
        self.vault.refuse(forgotten);
    }

    /// Lets go of the values in these slots, once they were emptied beside the log.
    pub fn empty<'a>(&mut self, slots: impl IntoIterator<Item = &'a str>) {
        slots.into_iter().for_each(|slot| self.vault.forget(slot));
    }

    /// Called once the log is folded: nothing is in the air, every open lane can go.
    pub fn start(&mut self) {
        self.flight = Flight::of(&self.state);
    }

    /// Starts no effect until [`Engine::release`]: a pass reads its sources first, so that what
    /// leaves is what is true then.
    pub fn withhold(&mut self) {
        self.flight.withheld = true;
    }

    /// What is due may start, from the next step on.
    pub fn release(&mut self) {
        self.flight.withheld = false;
    }

    /// The state.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The personal values.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Decides about `inputs` at `now`. `seed` is fresh randomness, for the names of slots.
    ///
    /// What the step gives may leave the process only once its commit is durable. When appending
    /// fails the engine must be thrown away, for it is ahead of the log.
    pub fn step(
        &mut self,
        inputs: Vec<Input>,
        now: Timestamp,
        seed: [u8; 16],
        render: &dyn Render,
    ) -> Step {
        let mut deciding = self.looking(now, render);
        deciding.entropy = Entropy::new(seed);
        deciding.flight.started.get_or_insert(now);
        let replies = inputs
            .into_iter()
            .map(|input| take(&mut deciding, input))
            .collect();
        let work = settle(&mut deciding);
        let Deciding {
            facts,
            slots,
            events,
            remarks,
            ..
        } = deciding;
        let commit = (!facts.is_empty()).then(|| encode_commit(&facts));
        if commit.is_some() {
            self.state.commit += 1;
            self.state.at = Some(now);
        }
        Step {
            replies,
            commit,
            slots,
            work,
            events,
            remarks,
        }
    }

    /// When the engine wants a [`Input::Tick`], if nothing else happens.
    pub fn wake(&self) -> Option<Timestamp> {
        let silences = silences(&self.state, &self.flight).map(|(_, at)| at);
        let attempt = self.next_attempt().into_iter();
        attempt.chain(self.next_date()).chain(silences).min()
    }

    /// The next hour at which something is due by the calendar: a reminder, the first instant of a day.
    pub(crate) fn next_date(&self) -> Option<Timestamp> {
        let rules = self.state.rules.as_ref()?;
        let holds = self.state.holds.values();
        let reminders = holds.map(|waiting| hold::remind_at(waiting.told));
        let midnight = next_midnight(rules, self.flight.published);
        reminders.chain(midnight).min()
    }

    /// Sources that must be looked at again although nothing was said to have changed: second
    /// looks, and readings a person decided about.
    pub fn looks(&self) -> Vec<Look> {
        let Some(rules) = self.state.rules.as_ref() else {
            return Vec::new();
        };
        let wait = SignedDuration::from_secs(rules.guards.second_look_s);
        // What waited for the other sources to be read need wait no longer.
        let first = rules.sources.keys().filter(|name| {
            observe::shared::is_unknown(&self.state, name)
                && !observe::shared::waits_for_others(&self.state, name)
        });
        let first = first.map(|name| Look {
            source: name.clone(),
            at: Timestamp::MIN,
        });
        let again = self
            .state
            .sources
            .iter()
            .filter(|(name, _)| rules.sources.contains_key(*name))
            .filter_map(|(name, source)| {
                if source.held.is_some() {
                    return None;
                }
                let due = source
                    .missing
                    .values()
                    .filter_map(|since| since.saturating_add(wait).ok())
                    .min();
                let again = source
                    .cursor
                    .is_none()
                    .then_some(Timestamp::MIN)
                    .filter(|_| source.digest.is_some());
                due.into_iter().chain(again).min().map(|at| Look {
                    source: name.clone(),
                    at,
                })
            });
        first.chain(again).collect()
    }

    /// Every open delivery, in words; `events` are those of the pass.
    pub fn planned(
        &mut self,
        events: &[Event],
        now: Timestamp,
        render: &dyn Render,
    ) -> Vec<Planned> {
        let deciding = self.looking(now, render);
        plan::planned(&deciding, events)
    }

    /// One open delivery, in words.
    pub fn describe(
        &mut self,
        of: &DeliveryRef,
        events: &[Event],
        now: Timestamp,
        render: &dyn Render,
    ) -> Option<Planned> {
        let spot = self.state.find(of)?;
        let deciding = self.looking(now, render);
        plan::describe(&deciding, &of.connector, spot, events)
    }

    /// How many lanes have effects under way.
    pub fn in_flight(&self) -> usize {
        self.flight.sinks.values().map(|sink| sink.busy.len()).sum()
    }

    /// How many attempts towards `connector` failed and are made again, since this process began.
    pub fn retried(&self, connector: &ConnectorName) -> u64 {
        self.flight
            .sinks
            .get(connector)
            .map_or(0, |sink| sink.retried)
    }

    /// How many deliveries are open.
    pub fn open_deliveries(&self) -> usize {
        self.state
            .sinks
            .values()
            .flat_map(|sink| sink.lanes.values())
            .map(|lane| lane.queue.len() + lane.objects.len())
            .sum()
    }

    /// When an open delivery is tried next, as far as that is known.
    pub fn next_attempt(&self) -> Option<Timestamp> {
        if self.state.muted.is_some() || self.flight.withheld {
            return None;
        }
        let next = |(name, sink)| self.next_attempt_of(name, sink);
        self.flight.sinks.iter().filter_map(next).min()
    }

    fn next_attempt_of(&self, name: &ConnectorName, sink: &SinkFlight) -> Option<Timestamp> {
        if !self.state.rules.as_ref()?.sinks.contains_key(name) {
            return None;
        }
        match &self.state.sinks.get(name)?.health {
            Health::Refused(_) | Health::Off(_) => None,
            // The probe that is under way comes back by itself.
            Health::Down(_) if !sink.busy.is_empty() => None,
            Health::Down(_) if sink.has_waiting() => sink.probe_at,
            Health::Down(_) => sink.next_timer().map(|at| Some(at).max(sink.probe_at))?,
            Health::Up => sink.next_timer(),
        }
    }

    /// The ledger's accounts.
    pub fn book(&self) -> &raccord_credits::Book {
        &self.flight.ledger.book
    }

    /// The ledger's months (`2027-01`), each with its entries and their hashes, in their order.
    pub fn months_of_ledger(
        &self,
    ) -> &std::collections::BTreeMap<String, Vec<(EntityId, raccord_credits::Chain)>> {
        &self.flight.ledger.months
    }

    /// Every credit.
    pub fn credits(&self) -> Vec<(EntityId, Entity)> {
        self.state
            .entities
            .iter()
            .filter(|(_, record)| record.kind == EntityKind::Credit)
            .map(|(&id, record)| (id, record.entity(id)))
            .collect()
    }

    /// The name of a person, where it is known and kept.
    pub fn name_of(&self, person: EntityId) -> String {
        let Some(mut entity) = self.state.entity(person) else {
            return String::new();
        };
        self.vault.reveal(&mut entity.fields);
        entity.text("name").to_owned()
    }

    pub(crate) fn looking<'a>(
        &'a mut self,
        now: Timestamp,
        render: &'a dyn Render,
    ) -> Deciding<'a> {
        Deciding {
            state: &mut self.state,
            vault: &mut self.vault,
            flight: &mut self.flight,
            render,
            now,
            entropy: Entropy::new([0; 16]),
            facts: Vec::new(),
            slots: Vec::new(),
            events: Vec::new(),
            remarks: Vec::new(),
            touched: std::collections::BTreeSet::new(),
            reseat: std::collections::BTreeMap::new(),
            unplaced: std::collections::BTreeSet::new(),
            uncredited: std::collections::BTreeMap::new(),
            thread: Thread::default(),
            republish: false,
        }
    }
}

fn take(deciding: &mut Deciding<'_>, input: Input) -> Reply {
    match input {
        Input::Configure(new) => {
            rules::configure(deciding, *new);
            orphans::tell(deciding);
            Reply::Taken
        }
        Input::Observed { source, seen } => {
            observe::observed(deciding, &source, seen);
            Reply::Taken
        }
        Input::Posted(changes) => crate::elsewhere::forged(deciding, &changes)
            .unwrap_or_else(|| posted::take(deciding, changes)),
        Input::Heard { connector, changes } if letters::is_letter(deciding, &connector) => {
            letters::heard(deciding, &connector, &changes)
        }
        Input::Heard { connector, changes } => observe::called(deciding, &connector, changes),
        Input::Edited {
            connector,
            entity,
            theirs,
        } => {
            posted::edited(deciding, &connector, entity, &theirs);
            Reply::Taken
        }
        Input::Lost {
            connector,
            entities,
        } => {
            deciding.lost(&connector, &entities);
            Reply::Taken
        }
        Input::Outcome {
            connector,
            family,
            delivery,
            outcome,
        } => {
            deciding.outcome(&connector, family, delivery, outcome);
            Reply::Taken
        }
        Input::Guides { missing, found } => {
            guides::looked(deciding, &missing, &found);
            Reply::Taken
        }
        Input::Compared { connector, drift } => {
            lost::compared(deciding, &connector, drift);
            Reply::Taken
        }
        Input::Order(order) => hold::order(deciding, order),
        Input::Tick => {
            tick(deciding);
            Reply::Taken
        }
    }
}

fn tick(deciding: &mut Deciding<'_>) {
    hold::remind(deciding);
    let now = deciding.now;
    let silent: Vec<ConnectorName> = silences(deciding.state, deciding.flight)
        .filter(|(_, at)| *at <= now)
        .map(|(name, _)| name)
        .collect();
    for source in silent {
        deciding.record(Fact::Silent {
            source: source.clone(),
        });
        let text = raccord_model::Words::new(
            format!(
                "La source « {source} » n'a pas été lue depuis trop longtemps, sans qu'aucune erreur soit apparue."
            ),
            format!(
                "The source “{source}” has not been read for too long, although no error was seen."
            ),
        );
        let mend = raccord_model::Words::new(
            "Lancez « raccord check » et regardez ce qu'il dit de cette source.",
            "Run `raccord check` and look at what it says of this source.",
        );
        crate::notice::tell(deciding, "silent", source.as_str(), &text, &mend);
    }
}

/// The first instant of the day after publications were last looked at.
fn next_midnight(rules: &Rules, published: Option<jiff::civil::Date>) -> Option<Timestamp> {
    let tomorrow = published?.tomorrow().ok()?;
    zone_of(rules)
        .to_ambiguous_timestamp(tomorrow.to_datetime(jiff::civil::Time::midnight()))
        .compatible()
        .ok()
}

/// Publications, objects and work follow once all inputs are taken.
fn settle(deciding: &mut Deciding<'_>) -> Vec<Work> {
    if deciding.state.rules.is_none() {
        return Vec::new();
    }
    let mut work = Vec::new();
    loop {
        hands::place(deciding);
        places::settle(deciding);
        credits::settle(deciding);
        deciding.review_touched();
        work.extend(deciding.schedule());
        letters::ask(deciding);
        // A hold opened on the way is told, and what tells it is owed as well.
        if deciding.touched.is_empty() && !deciding.republish {
            break;
        }
    }
    deciding.catch_up();
    work
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_of_older_versions_are_still_read() {
        let engine = Engine::new();
        let mut old = engine.snapshot();
        for (version, added) in (OLDEST..SNAPSHOT).zip(ADDED).rev() {
            for _ in 0..added {
                assert_eq!(old.pop(), Some(0), "what was added is empty, at the end");
            }
            old[0] = version;
            let read = Engine::from_snapshot(&old);
            assert_eq!(read.map(|read| read.state), Some(engine.state.clone()));
        }
        for unknown in [OLDEST - 1, SNAPSHOT + 1] {
            old[0] = unknown;
            assert!(Engine::from_snapshot(&old).is_none());
        }
    }
}
