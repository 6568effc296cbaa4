//! The engine with one sheet and a virtual clock, and a person who answers its questions truly.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use raccord_engine::{Engine, HoldKind, Input, Order};
use raccord_model::{
    ConnectorName, Context, Digest, EntityId, Failure, Guards, HoldId, Lang, Observation, Place,
    Reading, Render, Rendered, Rules, SourceRule, Subject,
};

/// Nothing is shown anywhere: only identity is looked at.
struct Blank;

impl Render for Blank {
    fn render(&self, _: &ConnectorName, _: Subject<'_>, _: &Context<'_>) -> Rendered {
        Rendered::Nothing
    }
}

fn source() -> ConnectorName {
    "sheet".parse().expect("a plain name")
}

/// A question, as opened by a reading.
#[derive(Clone, Debug)]
pub enum Asked {
    /// About the whole reading.
    Reading(HoldId),
    /// About lines that may be known activities.
    Lines(HoldId, Vec<(Digest, EntityId)>),
}

impl Asked {
    /// The name of the question.
    pub fn hold(&self) -> HoldId {
        match self {
            Self::Reading(hold) | Self::Lines(hold, _) => *hold,
        }
    }
}

/// A place with one sheet.
pub struct Lab {
    engine: Engine,
    /// The hour.
    pub now: Timestamp,
    turn: u64,
}

impl Lab {
    /// Before the first reading.
    pub fn new() -> Self {
        let mut lab = Self {
            engine: Engine::new(),
            now: "2027-01-04T08:00:00Z".parse().expect("an instant"),
            turn: 0,
        };
        let rules = Rules {
            place: Place {
                id: "lab".parse().expect("a plain name"),
                name: "Lab".into(),
                zone: "UTC".into(),
                lang: Lang::Fr,
                public_url: String::new(),
            },
            sources: [(
                source(),
                SourceRule {
                    kind: "spreadsheet".into(),
                    version: String::new(),
                    every_s: 60,
                    foreign: false,
                    counts: false,
                },
            )]
            .into(),
            sinks: BTreeMap::new(),
            recipes: Vec::new(),
            routes: Vec::new(),
            guards: Guards::default(),
        };
        lab.step(Input::Configure(Box::new(rules)));
        lab
    }

    fn step(&mut self, input: Input) {
        self.turn += 1;
        let mut seed = [0; 16];
        seed[..8].copy_from_slice(&self.turn.to_be_bytes());
        self.engine.step(vec![input], self.now, seed, &Blank);
    }

    /// Time passes.
    pub fn wait(&mut self, seconds: i64) {
        let later = self.now.saturating_add(SignedDuration::from_secs(seconds));
        self.now = later.expect("a history takes weeks, not millennia");
    }

    /// The sheet is read.
    pub fn read(&mut self, seen: Result<Reading, Failure>) {
        self.step(Input::Observed {
            source: source(),
            seen: seen.map(Observation::Complete),
        });
    }

    /// The sheet is looked at again and has not changed.
    pub fn look_again(&mut self) {
        self.step(Input::Observed {
            source: source(),
            seen: Ok(Observation::Unchanged { cursor: None }),
        });
    }

    /// What waits for a person.
    pub fn asked(&self) -> Vec<Asked> {
        let holds = self.engine.state().holds.iter();
        holds
            .filter_map(|(id, waiting)| match &waiting.hold.what {
                HoldKind::Reading { .. } => Some(Asked::Reading(*id)),
                HoldKind::Question { pairs, .. } => Some(Asked::Lines(*id, pairs.clone())),
                _ => None,
            })
            .collect()
    }

    /// A person says yes, to all or to some.
    pub fn approve(&mut self, hold: HoldId, only: Option<BTreeSet<EntityId>>) {
        self.step(Input::Order(Order::Approve { hold, only }));
    }

    /// A person says no.
    pub fn reject(&mut self, hold: HoldId) {
        self.step(Input::Order(Order::Reject(hold)));
    }

    /// Which line of the reading is which entity. A line about which a question waits is none.
    pub fn names(&self, reading: &Reading) -> Vec<Option<EntityId>> {
        let state = &self.engine.state().sources[&source()];
        let by_place: BTreeMap<(u16, u32), (EntityId, Digest)> = state
            .lines
            .iter()
            .filter(|(entity, _)| !state.missing.contains_key(*entity))
            .map(|(entity, line)| ((line.tab, line.row), (*entity, line.digest)))
            .collect();
        reading
            .lines
            .iter()
            .map(|line| {
                by_place
                    .get(&(line.tab, line.row))
                    .filter(|(_, digest)| *digest == line.digest)
                    .map(|(entity, _)| *entity)
            })
            .collect()
    }

    /// Whether the entity is cancelled.
    pub fn is_cancelled(&self, entity: EntityId) -> bool {
        let record = self.engine.state().entities.get(&entity);
        record.is_some_and(|record| record.when().status == raccord_model::Status::Cancelled)
    }

    /// Whether the entity is followed: its line stands, or is missed since the last look.
    pub fn is_followed(&self, entity: EntityId) -> bool {
        self.engine.state().sources[&source()]
            .lines
            .contains_key(&entity)
    }
}

impl Default for Lab {
    fn default() -> Self {
        Self::new()
    }
}
