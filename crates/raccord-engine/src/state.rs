//! What a place is, right now: the projection of its log. Made by folding facts, and by nothing else.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use raccord_model::{
    Activity, ConnectorName, DeliveryId, Digest, Entity, EntityId, EntityKind, EventId, Failure,
    Fields, HoldId, Link, Rules, Status, Tab, Unread, Visibility, Words,
};
use serde::{Deserialize, Deserializer, Serialize};

use crate::fact::{AcceptedLine, DeliveryRef, Fact, Health, Hold, Said};
use crate::letters::Issue;

/// The state of a place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// How many commits were folded.
    pub commit: u64,
    /// The hour of the last commit.
    pub at: Option<Timestamp>,
    /// The rules.
    #[serde(with = "as_json")]
    pub rules: Option<Arc<Rules>>,
    /// All entities.
    #[serde(deserialize_with = "in_order")]
    pub entities: BTreeMap<EntityId, Record>,
    /// Who said a field last, where it was not the entity's own source.
    #[serde(with = "as_json")]
    pub said: BTreeMap<EntityId, BTreeMap<String, Said>>,
    /// The sources.
    pub sources: BTreeMap<ConnectorName, SourceState>,
    /// The sinks.
    pub sinks: BTreeMap<ConnectorName, SinkState>,
    /// What waits for a person.
    pub holds: BTreeMap<HoldId, Waiting>,
    /// Posted events that were taken (digest of sender and id).
    #[serde(deserialize_with = "in_order")]
    pub seen: BTreeSet<Digest>,
    /// Why nothing is sent, if so.
    pub muted: Option<Words>,
    /// Rules whose hold a person approved.
    pub approved_rules: Option<Digest>,
    /// Chains the burst breaker stopped.
    pub broken: BTreeSet<EventId>,
    /// Until when a tool that is down asked to be left alone.
    pub quiet: BTreeMap<ConnectorName, Timestamp>,
    /// When the log last went back in time: until then one that was lost may have made anything.
    pub restored: Option<Timestamp>,
    /// When a sink was last pointed elsewhere: what stands there is not known.
    pub relocated: BTreeMap<ConnectorName, Timestamp>,
    /// What lines of a source said before they were rewritten, the latest last: whoever undoes an
    /// edit finds their activity again.
    pub rewritten: BTreeMap<ConnectorName, VecDeque<(Digest, EntityId)>>,
    /// What people were told last: of what was announced, and, of round-ups, for which hour.
    pub told: BTreeMap<ConnectorName, BTreeMap<EntityId, Told>>,
    /// Codes by which somebody shows in a chat who they are: by digest, who, and until when.
    pub codes: BTreeMap<Digest, (EntityId, Timestamp)>,
    /// The credits that each sink was sent.
    pub sent: BTreeMap<ConnectorName, BTreeMap<EntityId, Sent>>,
    /// Letters that were prepared, by their round-up's saying, as long as somebody may get them.
    pub issues: BTreeMap<EntityId, Issue>,
}

/// A credit that a sink was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// How often it was sent again because the tool lost it.
    pub again: u32,
    /// Whether the sink confirmed it, and nobody said since that it is not there.
    pub confirmed: bool,
}

/// What people were told last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// How often they were told something.
    pub times: u32,
    /// What, as JSON.
    #[serde(with = "shared_bytes")]
    pub body: Arc<[u8]>,
}

/// An entity, encoded: a hundred thousand of them are alive at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// What it is.
    pub kind: EntityKind,
    /// Its revision.
    pub revision: u32,
    /// Who brought it.
    pub source: Arc<str>,
    /// Its family, where that is not itself.
    pub family: Option<EntityId>,
    /// The last event about it.
    pub event: EventId,
    /// Its fields as JSON, with slots in place of personal values.
    #[serde(with = "shared_bytes")]
    pub body: Arc<[u8]>,
}

/// A map or set that was written in its order is built at once, not value by value.
fn in_order<'de, C, D>(input: D) -> Result<C, D::Error>
where
    C: IntoIterator + FromIterator<C::Item>,
    C::Item: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Vec::<C::Item>::deserialize(input)?.into_iter().collect())
}

mod shared_bytes {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &Arc<[u8]>, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_bytes(bytes)
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Arc<[u8]>, D::Error> {
        let bytes: &[u8] = Deserialize::deserialize(input)?;
        Ok(bytes.into())
    }
}

/// Values that `postcard` cannot carry (untyped or sparse ones) travel as JSON text.
mod as_json {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};

    pub(super) fn serialize<T: Serialize, S: Serializer>(
        value: &T,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        out.serialize_str(&serde_json::to_string(value).map_err(serde::ser::Error::custom)?)
    }
    pub(super) fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(
        input: D,
    ) -> Result<T, D::Error> {
        let text: &str = Deserialize::deserialize(input)?;
        serde_json::from_str(text).map_err(serde::de::Error::custom)
    }
}

impl Record {
    /// The fields, with slots in place of personal values.
    pub fn fields(&self) -> Fields {
        serde_json::from_slice(&self.body).expect("a record's body was encoded by fold")
    }

    /// The title, read without the rest.
    pub fn title(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Titled {
            title: Option<String>,
        }
        let read: Titled = serde_json::from_slice(&self.body).ok()?;
        read.title
    }

    /// The part of an activity that decides when and where it shows.
    pub fn when(&self) -> Shown {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// The part of an activity that decides when and where it shows, read without the rest.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Shown {
    /// Civil start.
    #[serde(default)]
    pub start: Option<raccord_model::Civil>,
    /// Civil end.
    #[serde(default)]
    pub end: Option<raccord_model::Civil>,
    /// Whether a date that is missing is yet to be chosen.
    #[serde(default)]
    undated: bool,
    /// Status.
    #[serde(default)]
    pub status: Status,
    /// Visibility.
    #[serde(default)]
    pub visibility: Visibility,
    /// The place that offers it, where it is not ours.
    #[serde(default)]
    pub origin: Option<String>,
    /// How far a task is.
    #[serde(default)]
    state: Option<String>,
    /// When a task is due.
    #[serde(default)]
    pub(crate) due: Option<raccord_model::Civil>,
}

impl Shown {
    /// The first civil minute after it is over; `None` where it has no start (a draft).
    pub fn over_at(&self) -> Option<jiff::civil::DateTime> {
        Some(raccord_model::over_at(self.start?, self.end))
    }

    /// Whether its date is yet to be chosen.
    pub fn is_undated(&self) -> bool {
        self.undated && self.start.is_none()
    }

    /// Whether it is a task that is done, taken back, or was due before `now`.
    pub(crate) fn is_settled(&self, now: jiff::civil::DateTime) -> bool {
        let state = self.state.as_deref();
        let due = self.due.map(|due| raccord_model::over_at(due, None));
        matches!(state, Some("done" | "cancelled")) || due.is_some_and(|over| over <= now)
    }

    /// Whether another place offers it.
    pub fn is_foreign(&self) -> bool {
        self.origin.is_some()
    }
}

/// A source, as last read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceState {
    /// Handed back at the next reading.
    pub cursor: Option<String>,
    /// The digest of the last complete reading.
    pub digest: Option<Digest>,
    /// The hour of the last complete reading.
    pub read_at: Option<Timestamp>,
    /// The hour of the last complete reading that was not held: what it says is what we know.
    pub applied_at: Option<Timestamp>,
    /// The tabs.
    pub tabs: Vec<Tab>,
    /// The lines followed, by the entity they describe.
    #[serde(deserialize_with = "in_order")]
    pub lines: BTreeMap<EntityId, AcceptedLine>,
    /// Lines missed by a reading and not yet cancelled, since when.
    pub missing: BTreeMap<EntityId, Timestamp>,
    /// Lines that were cancelled because they were gone: an undo brings them back.
    pub gone: BTreeMap<EntityId, AcceptedLine>,
    /// What could not be read.
    pub unread: Vec<Unread>,
    /// Remarks that were told.
    pub told: BTreeSet<Digest>,
    /// The content of the reading that is held.
    pub held: Option<Digest>,
    /// The content a person approved, and for which entities.
    pub approved: Option<(Digest, Option<BTreeSet<EntityId>>)>,
    /// The content a person refused.
    pub refused: Option<Digest>,
    /// Whether a line is an activity, as answered by a person.
    pub answers: BTreeMap<(Digest, EntityId), bool>,
    /// Why it cannot be read, since when.
    pub failing: Option<(Timestamp, Failure)>,
    /// It was silent for three periods, and that was told.
    pub silent: bool,
}

/// A sink: what it holds and what it is owed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SinkState {
    /// Whether its tool answers.
    pub health: Health,
    /// Since when it is in this health.
    pub since: Option<Timestamp>,
    /// Since the log went back in time, or the sink was pointed elsewhere: what is owed now may
    /// have been made already.
    pub look_first: Option<Timestamp>,
    /// What it holds or should hold, by entity or publication.
    #[serde(deserialize_with = "in_order")]
    pub targets: BTreeMap<EntityId, Target>,
    /// What is owed, by family; a family without an open delivery has no entry.
    pub lanes: BTreeMap<EntityId, Lane>,
    /// Deliveries that were set aside.
    pub dead: BTreeMap<DeliveryId, Aside>,
    /// How many effects were made.
    pub done: u64,
    /// When the last one was made.
    pub done_at: Option<Timestamp>,
}

/// One object of a tool.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// What the tool holds, as far as we know.
    pub link: Option<Link>,
    /// The fields as we last wrote them, for sinks that are read back.
    #[serde(with = "as_json")]
    pub written: Fields,
    /// The family it travels with.
    pub family: Option<EntityId>,
    /// A publication's period key.
    pub key: Option<String>,
    /// What is owed.
    pub owed: Option<Owed>,
}

/// An object that is owed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Owed {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Not before.
    pub due: Timestamp,
    /// Pointless from then on.
    pub best_before: Option<Timestamp>,
    /// What the tool should hold; `None` for a removal.
    pub hash: Option<Digest>,
    /// The event that made it owed.
    pub cause: Option<EventId>,
    /// The rule that sent it there.
    pub rule: String,
    /// How far the attempts are.
    pub progress: Progress,
    /// Since when.
    pub since: Timestamp,
}

/// How far the attempts of a delivery are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Progress {
    /// It can be tried.
    #[default]
    Pending,
    /// An attempt that must not be repeated blindly may have started.
    Running {
        /// Which one.
        attempt: u32,
        /// It must not start past this instant.
        latest: Timestamp,
    },
    /// Nobody knows whether it took effect.
    Unknown {
        /// Which attempt.
        attempt: u32,
        /// When the last byte may have been sent.
        sent: Timestamp,
    },
    /// It waits for a person.
    Held {
        /// Which attempt.
        attempt: u32,
        /// The hold.
        hold: HoldId,
    },
}

impl Progress {
    /// How many attempts were recorded.
    pub fn attempt(&self) -> u32 {
        match self {
            Self::Pending => 0,
            Self::Running { attempt, .. }
            | Self::Unknown { attempt, .. }
            | Self::Held { attempt, .. } => *attempt,
        }
    }
}

/// What is owed to a sink about one family, in order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Lane {
    /// Events, oldest first.
    pub queue: VecDeque<Queued>,
    /// Entities whose object is owed.
    pub objects: BTreeSet<EntityId>,
}

impl Lane {
    /// Whether nothing is owed.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.objects.is_empty()
    }
}

/// An event that is owed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Queued {
    /// The delivery.
    pub delivery: DeliveryId,
    /// How far the attempts are.
    pub progress: Progress,
    /// Since when.
    pub since: Timestamp,
    /// The event as JSON, with slots in place of personal values.
    #[serde(with = "shared_bytes")]
    pub event: Arc<[u8]>,
}

/// A delivery that was set aside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Aside {
    /// The entity or publication.
    pub entity: EntityId,
    /// Its lane.
    pub family: EntityId,
    /// Why.
    pub failure: Failure,
    /// Since when.
    pub since: Timestamp,
    /// The event, for sinks that get every event.
    pub event: Option<Queued>,
    /// What the tool should have held, for objects: the same is not tried again by itself.
    pub hash: Option<Digest>,
}

/// A hold that is open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    /// The hold.
    #[serde(with = "as_json")]
    pub hold: Hold,
    /// When it was last told.
    pub told: Timestamp,
}

impl State {
    /// The rules.
    ///
    /// # Panics
    /// Before the first configuration: the shell configures before anything else.
    pub fn rules(&self) -> &Arc<Rules> {
        self.rules
            .as_ref()
            .expect("the first input of a log is its configuration")
    }

    /// An entity with slots in place of personal values.
    pub fn entity(&self, id: EntityId) -> Option<Entity> {
        self.entities.get(&id).map(|record| record.entity(id))
    }

    /// Every activity.
    pub fn activities(&self) -> impl Iterator<Item = (EntityId, &Record)> {
        self.entities
            .iter()
            .filter(|(_, record)| record.kind == EntityKind::Activity)
            .map(|(&id, record)| (id, record))
    }

    /// Where an open delivery is.
    pub fn find(&self, of: &DeliveryRef) -> Option<Spot> {
        let sink = self.sinks.get(&of.connector)?;
        let family = of.family;
        let lane = sink.lanes.get(&family)?;
        if let Some(index) = lane
            .queue
            .iter()
            .position(|queued| queued.delivery == of.id)
        {
            return Some(Spot::Queue { family, index });
        }
        lane.objects
            .iter()
            .copied()
            .find(|entity| {
                sink.targets
                    .get(entity)
                    .and_then(|target| target.owed.as_ref())
                    .is_some_and(|owed| owed.delivery == of.id)
            })
            .map(|entity| Spot::Object { family, entity })
    }

    /// What an open delivery is to do in its tool.
    pub fn aim(&self, of: &DeliveryRef) -> Aim {
        let Some(Spot::Object { entity, .. }) = self.find(of) else {
            return Aim::New;
        };
        let target = &self.sinks[&of.connector].targets[&entity];
        let hash = target.owed.as_ref().and_then(|owed| owed.hash);
        match (hash, &target.link) {
            (None, _) => Aim::Removal,
            (Some(hash), Some(_)) => Aim::Change(hash),
            (Some(_), None) => Aim::New,
        }
    }

    /// Until when objects of `connector` that this log does not know of may have been made.
    pub fn unknown_until(&self, connector: &ConnectorName) -> Option<Timestamp> {
        self.restored.max(self.relocated.get(connector).copied())
    }

    /// An open or dead delivery by its id alone (a person named it).
    pub fn search(&self, delivery: DeliveryId) -> Option<DeliveryRef> {
        self.sinks.iter().find_map(|(connector, sink)| {
            let at = |family| DeliveryRef {
                connector: connector.clone(),
                family,
                id: delivery,
            };
            if let Some(aside) = sink.dead.get(&delivery) {
                return Some(at(aside.family));
            }
            sink.lanes
                .keys()
                .map(|&family| at(family))
                .find(|of| self.find(of).is_some())
        })
    }

    /// Folds one fact.
    pub fn apply(&mut self, fact: &Fact, at: Timestamp) {
        crate::fold::fold(self, fact, at);
    }
}

impl Record {
    /// The entity, with slots in place of personal values.
    pub fn entity(&self, id: EntityId) -> Entity {
        Entity {
            id,
            kind: self.kind,
            revision: u64::from(self.revision),
            source: self.source.to_string(),
            fields: self.fields(),
        }
    }

    /// The activity, where it can be read as one.
    pub fn activity(&self, id: EntityId) -> Option<Activity> {
        (self.kind == EntityKind::Activity).then(|| Activity::of(&self.entity(id)))?
    }
}

/// What a delivery is to do in its tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// Something new is told or made.
    New,
    /// What is there becomes what has this digest.
    Change(Digest),
    /// What is there goes.
    Removal,
}

/// Where an open delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot {
    /// In a lane's queue of events.
    Queue {
        /// The lane.
        family: EntityId,
        /// Its place, from the front.
        index: usize,
    },
    /// An owed object.
    Object {
        /// The lane.
        family: EntityId,
        /// The entity or publication.
        entity: EntityId,
    },
}
