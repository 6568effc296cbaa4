//! A place at rest: what must be known of it while its engine is let go, so that whoever watches its
//! sources need not ask, and nothing that is due is missed.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use raccord_model::{ConnectorName, Failure, Observation};

use crate::engine::Engine;
use crate::flight::Flight;
use crate::state::State;

/// What is kept of an engine that was let go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rest {
    /// The next hour at which something is due by the calendar.
    date: Option<Timestamp>,
    /// When each source was read last, and how long it may be silent.
    patience: BTreeMap<ConnectorName, (Timestamp, SignedDuration)>,
    /// How many attempts were made again, by sink.
    retried: BTreeMap<ConnectorName, u64>,
    /// When the process began.
    started: Option<Timestamp>,
}

impl Rest {
    /// The source was read at `at`, and was as known.
    pub fn same(&mut self, source: &ConnectorName, at: Timestamp) {
        if let Some((last, _)) = self.patience.get_mut(source) {
            *last = (*last).max(at);
        }
    }

    /// When the engine is needed again, if nothing else happens: something is due, or a source is
    /// silent for too long.
    pub fn until(&self) -> Option<Timestamp> {
        let silences = self.patience.values();
        let silences = silences.filter_map(|(last, wait)| last.saturating_add(*wait).ok());
        silences.chain(self.date).min()
    }
}

/// How a source stands, for whoever reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Where it was left.
    pub cursor: Option<String>,
    /// When it must be looked at again although nothing was said to have changed.
    pub look: Option<Timestamp>,
    /// Why it cannot be read, if so: the failure's code.
    failing: Option<String>,
    /// Nothing waits for its next reading.
    rests: bool,
}

impl Standing {
    /// Whether a reading brings nothing that is not known: then nobody has to decide about it.
    pub fn knows(&self, seen: &Result<Observation, Failure>) -> bool {
        match seen {
            Ok(Observation::Unchanged { cursor }) => {
                let same = cursor.is_none() || *cursor == self.cursor;
                same && self.rests && self.failing.is_none()
            }
            Ok(_) => false,
            Err(failure) => self.failing.as_ref() == Some(&failure.code),
        }
    }
}

impl Engine {
    /// What to keep of an engine that may be let go now and folded again later: none while something
    /// is under way, was tried in vain, or is withheld. What is only due later can wait.
    pub fn rest(&self) -> Option<Rest> {
        let next = self.next_attempt();
        let troubled = self.flight.sinks.values().any(|sink| !sink.is_calm());
        let busy = self.flight.withheld || self.in_flight() > 0 || next.is_some() && troubled;
        let retried = self.flight.sinks.iter();
        (!busy).then(|| Rest {
            date: self.next_date().into_iter().chain(next).min(),
            patience: patience(&self.state, &self.flight).collect(),
            retried: retried
                .map(|(name, sink)| (name.clone(), sink.retried))
                .collect(),
            started: self.flight.started,
        })
    }

    /// Goes on after a rest; called once the log was folded again.
    pub fn resume(&mut self, rest: Rest) {
        self.flight.started = rest.started;
        for (name, (last, _)) in rest.patience {
            self.flight.same.insert(name, last);
        }
        for (name, retried) in rest.retried {
            self.flight.sinks.entry(name).or_default().retried = retried;
        }
    }

    /// The source was read at `at`, and was as known: nothing to decide, but it is not silent.
    pub fn same(&mut self, source: &ConnectorName, at: Timestamp) {
        self.flight.same.insert(source.clone(), at);
    }

    /// When the source was read last, as far as this process knows.
    pub fn read_at(&self, source: &ConnectorName) -> Option<Timestamp> {
        let known = self.state.sources.get(source);
        let known = known.and_then(|known| known.read_at);
        known.max(self.flight.same.get(source).copied())
    }

    /// How every source stands.
    pub fn standings(&self) -> BTreeMap<ConnectorName, Standing> {
        let sinks = self.state.sinks.values();
        // After a stay elsewhere, what is owed waits until every source was read again.
        let caught_up = sinks.into_iter().all(|sink| sink.look_first.is_none());
        let looks = self.looks();
        let sources = self.state.sources.iter();
        let standing = sources.map(|(name, source)| {
            let missing = source.held.is_none() && !source.missing.is_empty();
            let look = looks.iter().find(|look| look.source == *name);
            let failing = source.failing.as_ref();
            let standing = Standing {
                cursor: source.cursor.clone(),
                look: look.map(|look| look.at),
                failing: failing.map(|(_, failure)| failure.code.clone()),
                rests: caught_up && !missing && !source.silent && source.read_at.is_some(),
            };
            (name.clone(), standing)
        });
        standing.collect()
    }
}

/// Sources that will have been silent for three of their periods, and when.
pub(crate) fn silences(
    state: &State,
    flight: &Flight,
) -> impl Iterator<Item = (ConnectorName, Timestamp)> {
    patience(state, flight)
        .filter_map(|(name, (last, wait))| Some((name, last.saturating_add(wait).ok()?)))
}

/// When each source was read last, and how long it may be silent after that.
fn patience(
    state: &State,
    flight: &Flight,
) -> impl Iterator<Item = (ConnectorName, (Timestamp, SignedDuration))> {
    let started = flight.started;
    let rules = state.rules.clone();
    // One that cannot be read is not silent: why it cannot was told.
    let known: Vec<(ConnectorName, Option<Timestamp>, bool)> = state
        .sources
        .iter()
        .map(|(name, source)| {
            let told = source.silent || source.failing.is_some();
            let last = source.read_at.max(flight.same.get(name).copied());
            (name.clone(), last, told)
        })
        .collect();
    known.into_iter().filter_map(move |(name, read_at, told)| {
        let rule = rules.as_ref()?.sources.get(&name)?;
        if told || rule.every_s <= 0 {
            return None;
        }
        let last = read_at.max(started)?;
        let wait = SignedDuration::from_secs(rule.every_s.max(20).saturating_mul(3));
        Some((name, (last, wait)))
    })
}
