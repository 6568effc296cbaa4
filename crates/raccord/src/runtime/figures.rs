//! What is counted of each connector. `docs/metrics.md` lists every name, and a test compares.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use jiff::Timestamp;
use raccord_engine::{Engine, Health, Progress, SinkState, State};
use raccord_model::{ConnectorName, Event};
use raccord_web::{Exposition, Kind};

use super::desk::Same;
use super::told;

/// How many changes each source brought since the process began.
#[derive(Debug, Default)]
pub(crate) struct Counted(RwLock<BTreeMap<String, AtomicU64>>);

impl Counted {
    /// For these connectors: whoever posts events names itself, and is not counted here.
    pub(crate) fn of<'a>(names: impl Iterator<Item = &'a ConnectorName>) -> Self {
        let counted = Self::default();
        counted.also(names);
        counted
    }

    /// Counts these as well, from now on.
    pub(crate) fn also<'a>(&self, names: impl Iterator<Item = &'a ConnectorName>) {
        let mut counts = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for name in names {
            counts.entry(name.to_string()).or_default();
        }
    }

    /// Counts the events of a durable commit.
    pub(crate) fn count(&self, events: &[Event]) {
        let counts = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            if let Some(count) = counts.get(&event.source) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn read(&self, source: &ConnectorName) -> u64 {
        let counts = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let count = counts.get(source.as_str());
        count.map_or(0, |count| count.load(Ordering::Relaxed))
    }
}

/// The figures of all connectors, as the engine stood.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    sinks: Vec<Sink>,
    sources: Vec<Source>,
    /// Open holds, by connector.
    held: BTreeMap<ConnectorName, usize>,
}

#[derive(Debug)]
struct Sink {
    name: ConnectorName,
    up: bool,
    open: usize,
    dead: usize,
    done: u64,
    done_at: Option<Timestamp>,
    retried: u64,
    /// Since when the oldest of what is owed could have been made.
    oldest: Option<Timestamp>,
}

#[derive(Debug)]
struct Source {
    name: ConnectorName,
    readable: bool,
    read_at: Option<Timestamp>,
}

impl Figures {
    /// As the engine stands.
    pub(crate) fn of(engine: &Engine) -> Self {
        let state = engine.state();
        let Some(rules) = &state.rules else {
            return Self::default();
        };
        let mut held = BTreeMap::new();
        for waiting in state.holds.values() {
            if let Some(about) = told::about(&waiting.hold) {
                *held.entry(about.clone()).or_default() += 1;
            }
        }
        let never = SinkState::default();
        let sink = |name: &ConnectorName| {
            let sink = state.sinks.get(name).unwrap_or(&never);
            Sink {
                name: name.clone(),
                up: sink.health == Health::Up,
                open: sink
                    .lanes
                    .values()
                    .map(|lane| lane.queue.len() + lane.objects.len())
                    .sum(),
                dead: sink.dead.len(),
                done: sink.done,
                done_at: sink.done_at,
                retried: engine.retried(name),
                oldest: oldest(sink),
            }
        };
        let source = |name: &ConnectorName| {
            let known = state.sources.get(name);
            Source {
                name: name.clone(),
                readable: known.is_none_or(|known| known.failing.is_none() && !known.silent),
                read_at: engine.read_at(name),
            }
        };
        Self {
            sinks: rules.sinks.keys().map(sink).collect(),
            sources: rules.sources.keys().map(source).collect(),
            held,
        }
    }

    /// How many attempts were made again, over all.
    pub(crate) fn retried(state: &State, engine: &Engine) -> u64 {
        state.sinks.keys().map(|name| engine.retried(name)).sum()
    }

    /// Writes them.
    pub(crate) fn expose(
        &self,
        (counted, same): (&Counted, &Same),
        now: Timestamp,
        out: &mut Exposition,
    ) {
        let same = same.known();
        let flag = |yes: bool| if yes { 1.0 } else { 0.0 };
        for sink in &self.sinks {
            let labels = [("connector", sink.name.as_str())];
            let mut add = |name, kind, help, value| out.add(name, kind, help, &labels, value);
            let gauge = Kind::Gauge;
            add(
                "raccord_connector_up",
                gauge,
                "Whether the tool answers.",
                flag(sink.up),
            );
            add(
                "raccord_deliveries_open",
                gauge,
                "Effects that are owed.",
                sink.open as f64,
            );
            add(
                "raccord_deliveries_dead",
                gauge,
                "Effects that were set aside.",
                sink.dead as f64,
            );
            let lag = sink.oldest.map_or(0.0, |oldest| {
                now.duration_since(oldest).as_secs_f64().max(0.0)
            });
            add(
                "raccord_delivery_lag_seconds",
                gauge,
                "How long the oldest effect that could be made has been waiting.",
                lag,
            );
            add(
                "raccord_effects_total",
                Kind::Counter,
                "Effects that were made.",
                sink.done as f64,
            );
            add(
                "raccord_retries_total",
                Kind::Counter,
                "Attempts that failed and are made again.",
                sink.retried as f64,
            );
            if let Some(at) = sink.done_at {
                let help = "When the last effect was made.";
                add("raccord_effect_last_seconds", gauge, help, seconds(at));
            }
        }
        for source in &self.sources {
            let labels = [("connector", source.name.as_str())];
            let mut add = |name, kind, help, value| out.add(name, kind, help, &labels, value);
            add(
                "raccord_source_readable",
                Kind::Gauge,
                "Whether the source can be read.",
                flag(source.readable),
            );
            add(
                "raccord_changes_total",
                Kind::Counter,
                "Changes the source brought.",
                counted.read(&source.name) as f64,
            );
            let same = same.get(&source.name).copied();
            if let Some(at) = source.read_at.max(same) {
                let help = "When the source was last read.";
                add(
                    "raccord_source_last_read_seconds",
                    Kind::Gauge,
                    help,
                    seconds(at),
                );
            }
        }
        let sinks = self.sinks.iter().map(|sink| &sink.name);
        let sources = self.sources.iter().map(|source| &source.name);
        for name in sinks.chain(sources) {
            let held = self.held.get(name).copied().unwrap_or_default();
            out.add(
                "raccord_connector_holds",
                Kind::Gauge,
                "Questions about it that wait for a person.",
                &[("connector", name.as_str())],
                held as f64,
            );
        }
    }
}

fn seconds(at: Timestamp) -> f64 {
    at.as_second() as f64
}

/// Since when the oldest of what is owed could have been made. What a person holds up does not lag.
fn oldest(sink: &SinkState) -> Option<Timestamp> {
    let waits = |progress: &Progress| !matches!(progress, Progress::Held { .. });
    let queued = sink.lanes.values().flat_map(|lane| &lane.queue);
    let events = queued
        .filter(|queued| waits(&queued.progress))
        .map(|queued| queued.since);
    let objects = sink.lanes.values().flat_map(|lane| &lane.objects);
    let owed = objects
        .filter_map(|entity| sink.targets.get(entity)?.owed.as_ref())
        .filter(|owed| waits(&owed.progress))
        .map(|owed| owed.due.max(owed.since));
    events.chain(owed).min()
}
