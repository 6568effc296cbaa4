//! How often every state and transition of deliveries, holds and links was reached.

use std::collections::BTreeMap;

use raccord_engine::{Engine, Fact, HoldKind, Progress, decode_commit};
use raccord_model::{DeliveryId, HoldId};

/// Counts, and what is needed to tell transitions apart.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// How often.
    pub counts: BTreeMap<String, u64>,
    deliveries: BTreeMap<DeliveryId, &'static str>,
    holds: BTreeMap<HoldId, &'static str>,
}

/// Every state and transition a campaign must reach often enough.
const REACHED: &[&str] = &[
    "connector down",
    "connector off",
    "connector refused",
    "connector up",
    "delivery dead -> dropped",
    "delivery dead -> pending",
    "delivery held -> done",
    "delivery held -> pending",
    "delivery held -> skipped",
    "delivery new -> pending",
    "delivery pending -> dead",
    "delivery pending -> done",
    "delivery pending -> pending",
    "delivery pending -> running",
    "delivery pending -> skipped",
    "delivery pending -> unknown",
    "delivery running -> dead",
    "delivery running -> done",
    "delivery running -> pending",
    "delivery running -> unknown",
    "delivery unknown -> done",
    "delivery unknown -> held",
    "delivery unknown -> pending",
    "delivery unknown -> unknown",
    "hold delivery approved",
    "hold delivery opened",
    "hold delivery rejected",
    "hold delivery told again",
    "hold field moot",
    "hold field opened",
    "hold field rejected",
    "hold field told again",
    "hold question approved",
    "hold question moot",
    "hold question opened",
    "hold question told again",
    "hold reading approved",
    "hold reading moot",
    "hold reading opened",
    "hold reading rejected",
    "hold reading told again",
    "hold seats approved",
    "hold seats opened",
    "hold task approved",
    "hold task opened",
    "hold rules approved",
    "hold rules moot",
    "hold rules opened",
    "hold rules rejected",
    "hold rules told again",
    "link caught up",
    "link doubted",
    "link drifted",
    "link vanished",
    "link vouched for",
    "link written",
];

fn kind(hold: &HoldKind) -> &'static str {
    match hold {
        HoldKind::Reading { .. } => "reading",
        HoldKind::Question { .. } => "question",
        HoldKind::Delivery { .. } => "delivery",
        HoldKind::Field { .. } => "field",
        HoldKind::Rules { .. } => "rules",
        HoldKind::Task { .. } => "task",
        HoldKind::Seats { .. } => "seats",
        HoldKind::Reversal { .. } => "reversal",
        HoldKind::Credit { .. } => "credit",
        HoldKind::Blocked { .. } => "blocked",
        HoldKind::Lost { .. } => "lost",
        HoldKind::Letters { .. } => "letters",
    }
}

impl Coverage {
    fn count(&mut self, what: String) {
        *self.counts.entry(what).or_default() += 1;
    }

    fn moved(&mut self, id: DeliveryId, to: &'static str) {
        let from = self.deliveries.insert(id, to).unwrap_or("new");
        self.count(format!("delivery {from} -> {to}"));
    }

    /// Counts what a durable commit holds.
    pub fn commit(&mut self, body: &[u8]) {
        for fact in decode_commit(body).unwrap_or_default() {
            self.fact(&fact);
        }
    }

    fn fact(&mut self, fact: &Fact) {
        match fact {
            Fact::Event { event, to } => {
                for connector in to {
                    let id =
                        DeliveryId::derive(&[connector.as_str().as_bytes(), event.id.as_bytes()]);
                    self.moved(id, "pending");
                }
            }
            Fact::Owed(owed) => self.moved(owed.delivery, "pending"),
            Fact::Running { of, .. } => self.moved(of.id, "running"),
            Fact::Unknown { of, .. } => self.moved(of.id, "unknown"),
            Fact::Again { of } | Fact::Revived { of } => self.moved(of.id, "pending"),
            Fact::Done { of, link, .. } => {
                self.moved(of.id, "done");
                if let Some(link) = link {
                    let how = if link.is_nameless() {
                        "vouched for"
                    } else {
                        "written"
                    };
                    self.count(format!("link {how}"));
                }
            }
            Fact::Skipped { of, .. } => self.moved(of.id, "skipped"),
            Fact::Dead { of, .. } => self.moved(of.id, "dead"),
            Fact::Dropped { of } => self.moved(of.id, "dropped"),
            Fact::Vanished { .. } => self.count("link vanished".into()),
            Fact::Drifted { .. } => self.count("link drifted".into()),
            Fact::Unmuted { look_first: true } => self.count("link doubted".into()),
            Fact::CaughtUp => self.count("link caught up".into()),
            Fact::Held(hold) => {
                let kind = kind(&hold.what);
                if let HoldKind::Delivery { of } = &hold.what {
                    self.moved(of.id, "held");
                }
                self.holds.insert(hold.id, kind);
                self.count(format!("hold {kind} opened"));
            }
            Fact::Reminded(id) => {
                let kind = self.holds.get(id).copied().unwrap_or("?");
                self.count(format!("hold {kind} told again"));
            }
            Fact::Closed { hold, how } => {
                let kind = self.holds.remove(hold).unwrap_or("?");
                self.count(format!("hold {kind} {how:?}").to_lowercase());
            }
            Fact::Health { state, .. } => {
                let name = format!("{state:?}");
                let name = name.split('(').next().unwrap_or_default().to_lowercase();
                self.count(format!("connector {name}"));
            }
            _ => {}
        }
    }

    /// A process starts: what it knows is what its state says.
    pub fn restart(&mut self, engine: &Engine) {
        self.deliveries.clear();
        self.holds.clear();
        let holds = engine.state().holds.iter();
        self.holds
            .extend(holds.map(|(&id, waiting)| (id, kind(&waiting.hold.what))));
        let name = |progress: &Progress| match progress {
            Progress::Pending => "pending",
            Progress::Running { .. } => "running",
            Progress::Unknown { .. } => "unknown",
            Progress::Held { .. } => "held",
        };
        for sink in engine.state().sinks.values() {
            for queued in sink.lanes.values().flat_map(|lane| &lane.queue) {
                self.deliveries
                    .insert(queued.delivery, name(&queued.progress));
            }
            for owed in sink
                .targets
                .values()
                .filter_map(|target| target.owed.as_ref())
            {
                self.deliveries.insert(owed.delivery, name(&owed.progress));
            }
            self.deliveries
                .extend(sink.dead.keys().map(|&id| (id, "dead")));
        }
    }

    /// The states and transitions reached less than `least` times.
    pub fn rarer_than(&self, least: u64) -> Vec<(&'static str, u64)> {
        let count = |what: &&'static str| self.counts.get(*what).copied().unwrap_or(0);
        REACHED
            .iter()
            .map(|what| (*what, count(what)))
            .filter(|(_, count)| *count < least)
            .collect()
    }

    /// Adds another story's counts.
    pub fn add(&mut self, other: &Self) {
        for (what, count) in &other.counts {
            *self.counts.entry(what.clone()).or_default() += count;
        }
    }
}
