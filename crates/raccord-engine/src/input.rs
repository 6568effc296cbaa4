//! What the engine is told, and what it answers.

use std::collections::BTreeSet;

use raccord_model::{
    Change, ConnectorName, DeliveryId, Difference, EntityId, Failure, Fields, HoldId, Lang,
    Observation, Outcome, Rules, Way, Words, Work,
};
use serde::{Deserialize, Serialize};

use crate::roll::Commitment;

/// Something the engine is told.
#[derive(Clone, Debug)]
pub enum Input {
    /// The configuration, at every start and at every change.
    Configure(Box<Rules>),
    /// A source was read, or could not be.
    Observed {
        /// The source.
        source: ConnectorName,
        /// What it saw.
        seen: Result<Observation, Failure>,
    },
    /// Another program posted changes; all of them are taken, or none.
    Posted(Vec<Change>),
    /// The tool of a connector called to tell changes; all of them are taken, or none.
    Heard {
        /// The connector.
        connector: ConnectorName,
        /// The changes; each is the connector's, whatever its sender says.
        changes: Vec<Change>,
    },
    /// A member edited our object in a tool.
    Edited {
        /// The connector that read it back.
        connector: ConnectorName,
        /// The entity.
        entity: EntityId,
        /// What the tool holds now, for the fields the connector reads back.
        theirs: Fields,
    },
    /// Objects we made are not in their tool any more, as far as can be seen without asking it.
    Lost {
        /// The connector.
        connector: ConnectorName,
        /// The entities and publications.
        entities: BTreeSet<EntityId>,
    },
    /// An attempt ended.
    Outcome {
        /// The connector.
        connector: ConnectorName,
        /// The lane.
        family: EntityId,
        /// The delivery.
        delivery: DeliveryId,
        /// How.
        outcome: Outcome,
    },
    /// The addresses of guides were looked at ([`crate::guides()`]).
    Guides {
        /// Those where no such page is.
        missing: BTreeSet<String>,
        /// Those where one is.
        found: BTreeSet<String>,
    },
    /// A tool was compared with what it was sent.
    Compared {
        /// The connector.
        connector: ConnectorName,
        /// Everything that differs.
        drift: Vec<Difference>,
    },
    /// A person decided something.
    Order(Order),
    /// Time passed.
    Tick,
}

/// What a person can decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Yes to a hold, wholly or for some entities.
    Approve {
        /// The hold.
        hold: HoldId,
        /// Only these entities.
        only: Option<BTreeSet<EntityId>>,
    },
    /// No to a hold.
    Reject(HoldId),
    /// Try a dead delivery again.
    Retry(DeliveryId),
    /// Give a dead delivery up.
    Drop(DeliveryId),
    /// Use a connector again that was refused, or switched itself off.
    SwitchOn(ConnectorName),
    /// The same, and try everything again that was set aside for it.
    RetryAll(ConnectorName),
    /// A printed copy hangs on the wall.
    Printed(Box<Printed>),
    /// It hangs there no more.
    TakenDown {
        /// The connector that made it.
        connector: ConnectorName,
        /// Its period's key.
        key: String,
    },
    /// Somebody showed that an address is theirs, or says something else of themselves.
    Introduce(Box<Who>),
    /// Somebody signs up for an activity or a task.
    SignUp(Box<SignUp>),
    /// Somebody does not come after all.
    SignOff(EntityId),
    /// Somebody was there, or was not.
    Attendance {
        /// Their registration.
        registration: EntityId,
        /// Whether they came; nothing where what was noted was a mistake.
        came: Option<bool>,
        /// How long they worked, in minutes, where somebody says so.
        minutes: Option<u32>,
        /// Who says so.
        by: Attested,
    },
    /// The same, said by somebody: whether they may is decided by the engine.
    Vouch(Box<Vouching>),
    /// Somebody pays at a till of the place.
    Spend(Box<Spending>),
    /// That payment was a mistake: the credit it made.
    GiveBack(EntityId),
    /// A code for whoever has an address, by which they show in a chat who they are. It is good once,
    /// and for a day.
    Code(Box<Who>),
    /// Somebody chose how they are told what concerns them.
    Choose(Box<Choice>),
    /// Somebody confirmed that they want a letter.
    Subscribe {
        /// Who: whoever has this address.
        who: Box<Who>,
        /// The connector that sends it.
        list: ConnectorName,
    },
    /// Somebody leaves a letter.
    Leave {
        /// Who.
        person: EntityId,
        /// What stands in their letters, and nowhere else.
        key: String,
    },
    /// Take away everywhere the values of those who were forgotten ([`crate::Vault::refuse`]).
    Forget,
    /// Send nothing until further notice.
    Mute(Words),
    /// Send again; `look_first` after the log went back in time.
    Unmute {
        /// Whether objects must be looked for before they are made again.
        look_first: bool,
    },
}

/// Somebody's word that somebody was there, or was not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouching {
    /// Who says so; nothing where the place itself does, and no person.
    pub who: Option<EntityId>,
    /// The registration of whom they say it.
    pub registration: EntityId,
    /// Whether they came; nothing where what was noted was a mistake.
    pub came: Option<bool>,
    /// How long they worked, in minutes, where somebody says so.
    pub minutes: Option<u32>,
    /// As what they say so.
    pub by: Attested,
}

/// A payment at a till of the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spending {
    /// Who pays.
    pub person: EntityId,
    /// Hundredths, above zero.
    pub amount: i64,
    /// The till: the connector that brings it.
    pub till: ConnectorName,
    /// What the payer reads.
    pub reason: String,
    /// The same key at the same till pays once.
    pub key: String,
}

/// A sign-up that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignUp {
    /// The activity or the task.
    pub subject: EntityId,
    /// Who asks.
    pub who: Who,
    /// For how many people, from 1 to 1000.
    pub places: u32,
    /// What they add; may be empty.
    pub comment: String,
}

/// Somebody, as they say of themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// Their address: whoever has the same one is the same person.
    pub email: String,
    /// What they are called; may be empty.
    pub name: String,
    /// Whether their name may be shown in public; nothing leaves it as it is.
    pub shown: Option<bool>,
    /// The language they read; nothing leaves it as it is.
    pub lang: Option<Lang>,
}

/// How somebody wants to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Who: whoever has this address.
    pub who: Who,
    /// How; nothing leaves it as it is.
    pub told: Option<Telling>,
    /// The kinds of work they want to hear of, once a week; `*` for all. Nothing leaves it as it
    /// is.
    pub likes: Option<Vec<String>>,
    /// Their number, for short messages; empty takes it back, and nothing leaves it as it is.
    pub phone: Option<String>,
}

/// Whether somebody is told what concerns them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// They are, by this way.
    By(Way),
    /// They are told nothing.
    Nothing,
}

/// Who says that somebody was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attested {
    /// Whoever runs it.
    Organiser,
    /// They themselves.
    Own,
    /// A code that was read at the door.
    Scan,
    /// The line of a sheet.
    Sheet,
    /// Another tool.
    Tool,
}

impl Attested {
    /// The name in a registration's `attested`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Organiser => "organiser",
            Self::Own => "self",
            Self::Scan => "scan",
            Self::Sheet => "sheet",
            Self::Tool => "tool",
        }
    }
}

/// A copy on a wall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Printed {
    /// The connector that made it.
    pub connector: ConnectorName,
    /// Its period's key (`2027-01`).
    pub key: String,
    /// Which edition it is.
    pub edition: u32,
    /// What it is called.
    pub title: String,
    /// What stands on it, as the connector said when it was marked.
    pub shown: Fields,
}

/// What the engine answers to one input.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// It was taken.
    Taken,
    /// How a sign-up stands now.
    SignedUp {
        /// The registration.
        registration: EntityId,
        /// How it stands.
        standing: Commitment,
        /// The place on the waiting list, from 1.
        position: Option<u32>,
    },
    /// Who somebody is.
    Known(EntityId),
    /// A code was drawn.
    Code {
        /// As people write it: `7K2M-9QXD`.
        code: String,
        /// It is no good from this instant on.
        until: jiff::Timestamp,
    },
    /// Posted changes cannot be taken.
    Refused(Vec<Refusal>),
    /// What a person asked for cannot be done.
    Cannot(Words),
}

/// Why one posted change cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which of the posted changes.
    pub index: usize,
    /// JSON Pointer into its data.
    pub pointer: String,
    /// What is wrong.
    pub detail: Words,
}

/// What one step decided.
#[derive(Debug, Default)]
pub struct Step {
    /// One reply per input, in order. They may leave the process once the commit is durable.
    pub replies: Vec<Reply>,
    /// The commit to append; `None` when nothing is to be recorded.
    pub commit: Option<Vec<u8>>,
    /// Personal values to store with it: slot and JSON value.
    pub slots: Vec<(String, String)>,
    /// Work to start once the commit is durable.
    pub work: Vec<Work>,
    /// The ids of the events of this commit, in order.
    pub events: Vec<raccord_model::Event>,
    /// Remarks of readings in this step, told now or before.
    pub remarks: Vec<(ConnectorName, raccord_model::Remark)>,
}
