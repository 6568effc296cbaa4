//! Facts: what a commit records. Folding them never decides anything again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use raccord_model::{
    Blame, ConnectorName, DeliveryId, Digest, EntityId, Event, EventId, Failure, Fields, HoldId,
    Link, Remark, Rules, Tab, Unread, Words,
};
use serde::{Deserialize, Serialize};

/// One recorded fact. A commit is a list of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact {
    /// The rules of the place changed.
    Rules(Box<Rules>),
    /// An entity changed; the event is owed to each connector in `to`.
    Event {
        /// The event, with slots in place of personal values.
        event: Box<Event>,
        /// Connectors that get every event ([`raccord_model::Mode::Each`]).
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        to: Vec<ConnectorName>,
    },
    /// The same posted event (sender and id) changes nothing from now on.
    Seen(Digest),
    /// A complete reading was accepted.
    Read(Box<ReadFact>),
    /// A complete reading found what was already known; only its cursor and hour are new.
    Same {
        /// The source.
        source: ConnectorName,
        /// The new cursor, where there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    },
    /// A source could not be read (recorded when it starts and when its reason changes).
    Unreadable {
        /// The source.
        source: ConnectorName,
        /// Why.
        failure: Box<Failure>,
    },
    /// A source was not read for three of its periods.
    Silent {
        /// The source.
        source: ConnectorName,
    },
    /// Whose word counts for fields that somebody other than the source said last.
    Override {
        /// The entity.
        entity: EntityId,
        /// Who said which field last; a field that is not listed is the source's again.
        said: BTreeMap<String, Said>,
    },
    /// An object is owed to a tool, or what is owed changed.
    Owed(Box<OwedFact>),
    /// An attempt that must not be repeated blindly may start (durable before its first byte).
    Running {
        /// The delivery.
        of: DeliveryRef,
        /// Which attempt.
        attempt: u32,
        /// Past this instant it must not start.
        latest: Timestamp,
    },
    /// Nobody knows whether the attempt took effect.
    Unknown {
        /// The delivery.
        of: DeliveryRef,
        /// When the last byte may have been sent.
        sent: Timestamp,
    },
    /// It is certain that the attempt did not take effect: it may be made again.
    Again {
        /// The delivery.
        of: DeliveryRef,
    },
    /// A delivery ended: the effect is there.
    Done {
        /// The delivery.
        of: DeliveryRef,
        /// What the tool holds now (objects only; absent after a removal).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        link: Option<Link>,
        /// The fields as we wrote them, for sinks that are read back.
        #[serde(default, skip_serializing_if = "Fields::is_empty")]
        written: Fields,
    },
    /// A delivery ended without an effect, rightly.
    Skipped {
        /// The delivery.
        of: DeliveryRef,
        /// Why.
        why: Words,
    },
    /// A delivery was set aside: the tool cannot take it.
    Dead {
        /// The delivery.
        of: DeliveryRef,
        /// Why.
        failure: Box<Failure>,
    },
    /// A dead delivery was put back by a person.
    Revived {
        /// The delivery.
        of: DeliveryRef,
    },
    /// A dead or held delivery was given up by a person.
    Dropped {
        /// The delivery.
        of: DeliveryRef,
    },
    /// A connector stopped or started to answer.
    Health {
        /// The connector.
        connector: ConnectorName,
        /// Its state from now on.
        state: Health,
    },
    /// A tool that is down asked to be left alone.
    Quiet {
        /// The connector.
        connector: ConnectorName,
        /// It is not tried before this instant.
        until: Timestamp,
    },
    /// Something waits for a person's yes.
    Held(Box<Hold>),
    /// A hold was told again.
    Reminded(HoldId),
    /// A hold ended.
    Closed {
        /// The hold.
        hold: HoldId,
        /// How it ended.
        how: Closing,
    },
    /// A person approved a reading, wholly or for some entities.
    Approved {
        /// The source.
        source: ConnectorName,
        /// The reading's content.
        content: Digest,
        /// Only these entities, where a person said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        only: Option<BTreeSet<EntityId>>,
    },
    /// A person refused a reading: it stays unapplied and is not asked again.
    Refused {
        /// The source.
        source: ConnectorName,
        /// The reading's content.
        content: Digest,
    },
    /// A person said whether a line is a known activity.
    Answered {
        /// The source.
        source: ConnectorName,
        /// The line.
        line: Digest,
        /// The activity asked about.
        entity: EntityId,
        /// Whether they are the same.
        same: bool,
    },
    /// The place reads and plans but sends nothing, with the reason.
    Muted(Words),
    /// A person let the place send again.
    Unmuted {
        /// Whether objects must be looked for before they are made again.
        look_first: bool,
    },
    /// After the log went back in time, every source was read again: what is owed from now on is
    /// new.
    CaughtUp,
    /// The object of a tool that a link named is not there: deleted by hand, or it never was.
    Vanished {
        /// The connector.
        connector: ConnectorName,
        /// The entity or publication.
        entity: EntityId,
    },
    /// A sink was pointed elsewhere: what is owed there may have been made before, and is looked
    /// for until every source was read again.
    Relocated {
        /// The connector.
        connector: ConnectorName,
    },
    /// A tool does not hold what we last wrote there.
    Drifted {
        /// The connector.
        connector: ConnectorName,
        /// The entity or publication.
        entity: EntityId,
    },
    /// An object that other people made in a tool is an entity's from now on.
    Adopted {
        /// The connector.
        connector: ConnectorName,
        /// The entity.
        entity: EntityId,
        /// What the tool calls it.
        link: Link,
    },
    /// A person said that the tool is to say what the source says: our next write counts more than
    /// what stands there.
    Insisted {
        /// The connector.
        connector: ConnectorName,
        /// The entity.
        entity: EntityId,
    },
    /// People were told what an announcement, or a reply to it, says.
    Told {
        /// The connector.
        connector: ConnectorName,
        /// The entity.
        entity: EntityId,
        /// What they were told ([`raccord_model::TOLD`]).
        fields: Fields,
    },
    /// A code was drawn by which somebody shows in a chat who they are.
    Code {
        /// Its digest.
        code: Digest,
        /// Who they are.
        person: EntityId,
        /// It is no good from this instant on.
        until: Timestamp,
    },
    /// A code was used.
    CodeUsed(Digest),
    /// A letter was prepared: from now on it is what it is.
    Prepared {
        /// The round-up's saying.
        issue: EntityId,
        /// What is sent, a [`raccord_model::Desired`] as JSON.
        body: String,
    },
    /// A letter leaves, to so many readers.
    Addressed {
        /// The round-up's saying.
        issue: EntityId,
        /// How many are owed it.
        readers: u32,
    },
    /// A chain of events was stopped by the burst breaker.
    Broken {
        /// The chain's `correlationid`.
        correlation: EventId,
    },
    /// A source says what people had put into a tool by hand: it is the source's from now on.
    Taken {
        /// The entity.
        entity: EntityId,
        /// Whose it is now.
        source: ConnectorName,
        /// The tool that brought it.
        from: ConnectorName,
    },
    /// A credit that its tool lost is owed to it once more.
    Resent {
        /// The connector.
        connector: ConnectorName,
        /// What is sent, with slots in place of personal values.
        event: Box<Event>,
    },
    /// A person said to leave it so that a tool does not hold these credits.
    WrittenOff {
        /// The connector.
        connector: ConnectorName,
        /// The credits.
        credits: Vec<EntityId>,
    },
}

/// A delivery, with where it is found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeliveryRef {
    /// The connector.
    #[serde(rename = "c")]
    pub connector: ConnectorName,
    /// The lane.
    #[serde(rename = "f")]
    pub family: EntityId,
    /// The delivery.
    #[serde(rename = "d")]
    pub id: DeliveryId,
}

/// An accepted reading, as changes to the lines accepted before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReadFact {
    /// The source.
    pub source: ConnectorName,
    /// The digest of what was read.
    pub digest: Digest,
    /// Its cursor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// The tabs, where they changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tabs: Option<Vec<Tab>>,
    /// New, changed or moved lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<(EntityId, AcceptedLine)>,
    /// Lines that are no longer followed (cancelled, or over).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<EntityId>,
    /// Lines that were missed for the first time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<EntityId>,
    /// Lines that came back before they were cancelled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub back: Vec<EntityId>,
    /// What could not be read, where that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<Vec<Unread>>,
    /// What was told for the first time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Remark>,
    /// The reading is held: nothing of it was applied. Its content's digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Digest>,
}

/// A line of a source as last accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedLine {
    /// The tool's own id of the line.
    #[serde(default, rename = "i")]
    pub native: Option<String>,
    /// Index into the tabs.
    #[serde(rename = "t")]
    pub tab: u16,
    /// The line's number, from 1.
    #[serde(rename = "r")]
    pub row: u32,
    /// The digest of its fields.
    #[serde(rename = "d")]
    pub digest: Digest,
}

/// Who said a field last, and what the source itself says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// The connector or person whose word counts.
    pub by: String,
    /// The source's own value, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<serde_json::Value>,
}

/// An object owed to a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OwedFact {
    /// The connector.
    pub connector: ConnectorName,
    /// The entity or publication.
    pub entity: EntityId,
    /// The delivery.
    pub delivery: DeliveryId,
    /// The lane.
    pub family: EntityId,
    /// A publication's period key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Not before this instant.
    pub due: Timestamp,
    /// Pointless from this instant on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_before: Option<Timestamp>,
    /// What the tool should hold then; absent for a removal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<Digest>,
    /// The event that made it owed, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<EventId>,
    /// The rule that sent it there.
    pub rule: String,
}

/// Whether a connector's tool answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// It does.
    #[default]
    Up,
    /// It does not; deliveries wait, one probe at a time.
    Down(Box<Failure>),
    /// It refused our credentials; nothing is tried until they change or `check` runs.
    Refused(Box<Failure>),
    /// It said it is gone; nothing is tried until a person switches it on.
    Off(Box<Failure>),
}

impl Health {
    /// The failure that led here.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Up => None,
            Self::Down(failure) | Self::Refused(failure) | Self::Off(failure) => Some(failure),
        }
    }
}

/// Changes that wait for a person's yes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hold {
    /// Its id.
    pub id: HoldId,
    /// What waits.
    pub what: HoldKind,
    /// Why it waits.
    pub reason: Words,
    /// When it was opened.
    pub opened: Timestamp,
    /// What a yes would do (at most a thousand are listed).
    pub effects: Vec<HeldEffect>,
    /// How many more effects there are.
    #[serde(default)]
    pub more: u32,
}

/// What a hold holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HoldKind {
    /// Letters of one issue whose answers were lost, each with its reader.
    Letters {
        /// The deliveries.
        of: Vec<(DeliveryRef, EntityId)>,
    },
    /// A reading of a source.
    Reading {
        /// The source.
        source: ConnectorName,
        /// The digest of its content.
        content: Digest,
    },
    /// Whether a new line is a known activity.
    Question {
        /// The source.
        source: ConnectorName,
        /// The line and the activity it may be, in pairs.
        pairs: Vec<(Digest, EntityId)>,
    },
    /// An effect whose outcome nobody knows.
    Delivery {
        /// The delivery.
        of: DeliveryRef,
    },
    /// A field that a member changed in a tool.
    Field {
        /// The connector.
        connector: ConnectorName,
        /// The entity.
        entity: EntityId,
        /// What the tool holds, by field.
        theirs: Fields,
    },
    /// A task that people are on, and that no rule wants any more.
    Task {
        /// The task.
        task: EntityId,
    },
    /// Fewer places than people who have one.
    Seats {
        /// The activity or the task.
        subject: EntityId,
    },
    /// Credits that a tool cannot take back: a person does it there, or leaves them.
    Reversal {
        /// The delivery.
        of: DeliveryRef,
        /// The entry that takes them back.
        credit: EntityId,
    },
    /// More credits for one day than the guard allows.
    Credit {
        /// Whose.
        person: EntityId,
        /// For which activity or task.
        subject: EntityId,
        /// The sign-up that earned them.
        registration: EntityId,
    },
    /// A change of the rules that takes back more than the guard allows.
    Rules {
        /// The digest of the rules that wait.
        digest: Digest,
    },
    /// An effect that its tool cannot make without harm to somebody. Nothing was done.
    Blocked {
        /// The delivery.
        of: DeliveryRef,
    },
    /// Credits that a tool confirmed, and does not hold.
    Lost {
        /// The connector.
        connector: ConnectorName,
        /// The credits.
        credits: Vec<EntityId>,
    },
}

/// One effect of a hold, for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldEffect {
    /// The connector it is about, where that is not the hold's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector: Option<ConnectorName>,
    /// The entity.
    pub entity: EntityId,
    /// `create`, `update`, `cancel`, `remove` or `send`.
    pub action: String,
    /// The entity's title.
    pub title: String,
    /// The fields that would change, as they are.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub before: Fields,
    /// The fields that would change, as they would be.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub after: Fields,
}

/// How a hold ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Closing {
    /// A person said yes.
    Approved,
    /// A person said no.
    Rejected,
    /// It is no longer true (an undo in the sheet, a found effect).
    Moot,
}

/// The blames of deliveries that were set aside.
pub(crate) fn sets_aside(blame: Blame) -> bool {
    matches!(blame, Blame::Data | Blame::Bug)
}
