//! Effects: what is owed to a tool, how it is made once, and what came of it.

use jiff::{SignedDuration, Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    ConnectorName, DeliveryId, Digest, Entity, EntityId, EntityKind, Event, Lang, Place, RoundupOf,
    Route, Saying, Way, Words,
};

/// The means a tool offers to make an effect happen once (design, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum Class {
    /// 1: a deterministic address, the write may be repeated.
    Address,
    /// 2: a key the receiver honours.
    Key,
    /// 3: find before repeat.
    Find,
    /// 4: none.
    Blind,
}

impl Class {
    /// Whether a repeat of the same effect is harmless.
    pub const fn repeatable(self) -> bool {
        matches!(self, Self::Address | Self::Key)
    }
}

impl From<Class> for u8 {
    fn from(class: Class) -> u8 {
        match class {
            Class::Address => 1,
            Class::Key => 2,
            Class::Find => 3,
            Class::Blind => 4,
        }
    }
}

impl TryFrom<u8> for Class {
    type Error = String;
    fn try_from(number: u8) -> Result<Self, String> {
        Ok(match number {
            1 => Self::Address,
            2 => Self::Key,
            3 => Self::Find,
            4 => Self::Blind,
            other => return Err(format!("effect classes are 1 to 4, not {other}")),
        })
    }
}

/// How a sink takes entities of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Every event is sent, in lane order, never skipped and never merged (webhooks, credits).
    Each,
    /// The tool holds one object per entity, brought to the newest revision (calendar, site).
    Mirror,
    /// A mirror whose first writing people notice: it waits out its grace, and is skipped once
    /// the activity is over or cancelled (chat).
    Announce,
    /// The tool holds one object composed of many entities (a month's programme).
    Publication(Period),
    /// The tool tells people one by one what concerns them, by this way, where they chose it. Said
    /// of the entity `person`; its effects are [sayings](Saying), each made once.
    Tell(Way),
    /// The tool sends round-ups as letters. Each is prepared once, at its hour, and is from then on
    /// what it is; it leaves after its grace, in which a person can stop it.
    Letter(Readers),
}

/// Who knows the readers of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Readers {
    /// The tool does: a letter is one effect.
    Theirs,
    /// They chose it here (a person's `letters`): a letter is an effect for each of them.
    Ours,
}

/// The code of a failure that says that nobody reads mail at an address: no letter goes there any
/// more.
pub const NO_SUCH_ADDRESS: &str = "mail.recipient";

/// The period a publication covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Period {
    /// One per calendar month, from the current one on, that has public activities not yet over.
    /// Its key is `2027-01`.
    Month,
    /// One for all public activities of the current month and later. Its key is `all`.
    All,
}

/// What to do when a tool may or may not have acted and cannot tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// Hold it, and ask a person.
    #[default]
    NeverTwice,
    /// Send again.
    NeverLost,
}

/// How a sink handles one kind of entity: part of what `describe` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handling {
    /// The kind of entity.
    pub entity: EntityKind,
    /// How it is taken.
    pub mode: Mode,
    /// How it is made once.
    pub class: Class,
    /// How long after the last byte was sent a complete listing that lacks the effect proves
    /// that it was not made, in seconds.
    #[serde(default)]
    pub settle_s: i64,
    /// How long the effect waits before it is made, in seconds, unless a route says otherwise.
    #[serde(default)]
    pub grace_s: i64,
    /// What happens to an unknown outcome, unless a route says otherwise.
    #[serde(default)]
    pub policy: Policy,
    /// Whether members' edits in the tool are read back.
    #[serde(default)]
    pub read_back: bool,
}

impl Handling {
    /// The settle time.
    pub const fn settle(&self) -> SignedDuration {
        SignedDuration::from_secs(self.settle_s)
    }
}

/// What a connector says of itself: the verb `describe`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The `kind` in the configuration.
    pub kind: String,
    /// Whether it reads.
    pub source: bool,
    /// What it writes, by entity; empty for a pure source.
    pub handles: Vec<Handling>,
    /// How many calls it stands at once.
    pub parallel: u16,
    /// How many calls it stands per second; 0 for no limit of its own.
    pub per_second: u16,
    /// The rights it needs in the tool, for the sysadmin.
    pub rights: Words,
}

impl Manifest {
    /// Whether it says such a round-up where a route asks for it. A short message is for what cannot
    /// wait, a letter for a programme.
    pub fn says(&self, of: RoundupOf) -> bool {
        self.handles.iter().any(|handling| {
            let activities = handling.entity == EntityKind::Activity;
            match (handling.mode, of) {
                (Mode::Announce, RoundupOf::Week | RoundupOf::Month | RoundupOf::Hands) => {
                    activities
                }
                (Mode::Letter(_), RoundupOf::Week | RoundupOf::Month)
                | (Mode::Tell(Way::Chat | Way::Mail), RoundupOf::Liked)
                | (Mode::Tell(_), RoundupOf::Reminder) => true,
                _ => false,
            }
        })
    }
}

/// What a pure `render` may look at besides its subject.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// The place.
    pub place: &'a Place,
    /// The language to write in.
    pub lang: Lang,
    /// The civil day it is at the place.
    pub today: Date,
    /// The route that brought the subject here, where one did.
    pub route: Option<&'a Route>,
}

/// What is rendered.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// One entity.
    Entity {
        /// The entity.
        entity: &'a Entity,
        /// The activity it belongs to, for tasks and registrations.
        parent: Option<&'a Entity>,
        /// Of an activity its tasks, the most urgent first, but for those that were cancelled; of a
        /// task the task itself.
        tasks: &'a [Hands],
    },
    /// A composed output.
    Publication {
        /// Its id, derived from place, connector and key.
        id: EntityId,
        /// Its period's key (`2027-01`, `all`).
        key: &'a str,
        /// What it is composed of, by start, then title, then id; then, for a month, a credit that is
        /// the fingerprint (`root`) of the ledger of an earlier `month`; last, where a printed copy
        /// hangs on a wall, the mark of that.
        members: &'a [Entity],
    },
    /// A message that is said once.
    Saying {
        /// Its id, derived from the place, the connector and what it is about. The same for every
        /// reply about one thing: [`Saying::Moved`] counts them.
        id: EntityId,
        /// What it says.
        saying: Saying<'a>,
    },
}

/// A task, and how many people are on it. Who they are is nobody's business here.
#[derive(Clone, Debug, PartialEq)]
pub struct Hands {
    /// The task.
    pub task: Entity,
    /// How many of its places are taken.
    pub taken: u64,
}

/// What `render` made of a subject.
#[derive(Clone, Debug, PartialEq)]
pub enum Rendered {
    /// The tool should hold nothing for it (a draft, an internal activity on a public site).
    Nothing,
    /// The tool should hold this.
    Object(Desired),
}

/// The object a tool should hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Desired {
    /// Digest of all that makes a difference in the tool.
    pub hash: Digest,
    /// The connector's own description of the object, handed back to `apply`.
    pub body: Value,
    /// What people call it ("Programme de janvier 2027").
    pub title: String,
    /// What will be seen, in a few lines.
    pub text: Words,
    /// For what hangs printed on a wall and says something else by now: what organisers are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outdated: Option<Box<Notice>>,
}

/// Something to tell: what happened, and the one next thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What happened.
    pub text: Words,
    /// What to do.
    pub mend: Words,
}

/// The pure half of all sinks, as the engine sees it. Must depend on nothing but its arguments.
pub trait Render {
    /// What `connector` should hold for `subject`.
    fn render(
        &self,
        connector: &ConnectorName,
        subject: Subject<'_>,
        context: &Context<'_>,
    ) -> Rendered;
}

/// Entity (or publication) to tool object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The tool's id of the object (a path, a UID, a message id). Empty where the object may or
    /// does exist and nobody was told its name: an answer was lost, or a person vouched for it.
    pub external: String,
    /// The tool's version tag, where it has one (ETag); of what is printed, its edition.
    #[serde(default)]
    pub tag: Option<String>,
    /// Hash of what we last wrote.
    pub hash: Digest,
    /// The entity's revision we last wrote (0 for publications).
    pub revision: u64,
    /// Where people can see it.
    #[serde(default)]
    pub url: Option<String>,
}

impl Link {
    /// The link to an object whose name in its tool nobody knows.
    pub fn nameless(hash: Digest) -> Self {
        Self {
            external: String::new(),
            tag: None,
            hash,
            revision: 0,
            url: None,
        }
    }

    /// Whether nobody knows the object's name in its tool.
    pub fn is_nameless(&self) -> bool {
        self.external.is_empty()
    }
}

/// What an effect does in the tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Makes a new object.
    Create,
    /// Changes an object.
    Update,
    /// Marks an object as cancelled.
    Cancel,
    /// Takes an object away.
    Remove,
    /// Sends an event.
    Send,
    /// Links an object that was already there.
    Adopt,
}

/// Work the engine hands to the shell: one lane's next effects, in order. The shell makes them one
/// after the other and stops at the first that fails.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    /// The connector.
    pub connector: ConnectorName,
    /// The lane: connector and family.
    pub family: EntityId,
    /// The effects, oldest first.
    pub items: Vec<Item>,
}

/// One effect to make now.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The delivery it settles.
    pub delivery: DeliveryId,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// How it is made once.
    pub class: Class,
    /// What to do.
    pub payload: Payload,
    /// Past this instant the attempt must not start (classes 3 and 4).
    pub latest: Option<Timestamp>,
}

/// What an [`Item`] asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// Send this event (personal values back in place).
    Event(Box<Event>),
    /// Bring the object to this state.
    Write {
        /// The entity or publication.
        entity: EntityId,
        /// Create, update or cancel.
        action: Action,
        /// What the tool should hold.
        desired: Desired,
        /// What it holds, as far as we know.
        link: Option<Link>,
    },
    /// Take the object away.
    Remove {
        /// The entity or publication.
        entity: EntityId,
        /// What it holds; [nameless](Link::is_nameless) where only its address tells which object
        /// that is, if there is one at all.
        link: Link,
    },
    /// Look whether an earlier attempt took effect.
    Find {
        /// The entity or publication.
        entity: EntityId,
        /// The event, for [`Mode::Each`].
        event: Option<Box<Event>>,
        /// The object that may be there, for mirrors.
        desired: Option<Desired>,
    },
}

/// The tool's answer to a write.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// The tool's id of the object.
    pub external: String,
    /// The tool's version tag.
    pub tag: Option<String>,
    /// Where people can see it.
    pub url: Option<String>,
}

/// The answer to a look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is there.
    Yes(Applied),
    /// It is not in a listing that is complete and uncached.
    No {
        /// When the listing was made.
        listed: Timestamp,
    },
    /// The tool cannot be asked, or the listing is not complete.
    CannotTell,
}

/// What came of one [`Item`].
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The tool confirmed it.
    Done(Applied),
    /// It did not succeed, or nobody knows.
    Failed(Failure),
    /// The tool has no way to do it: a person must, and says what became of it. For what reason.
    ByHand(Words),
    /// The answer to a [`Payload::Find`].
    Looked(Found),
    /// It was not started: an earlier item failed, the latest send time was past, or the process
    /// is stopping.
    NotStarted,
}

/// Who can do something about a failure. These five, everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Blame {
    /// It will pass: try again.
    Transient,
    /// Credentials or rights: stop until they change.
    Access,
    /// This delivery cannot be taken by the tool: set it aside.
    Data,
    /// A fault of ours: set it aside.
    Bug,
    /// The answer was lost, and the tool may have acted: look before repeating.
    Unknown,
}

/// Why a call to a tool did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}: {}", text.en)]
pub struct Failure {
    /// Who can do something about it.
    pub blame: Blame,
    /// A stable code (`webhook.refused`): logs, metrics, documentation anchors.
    pub code: String,
    /// What happened, in plain words, without secrets.
    pub text: Words,
    /// The one next thing to do.
    pub mend: Words,
    /// The tool asked to be left alone for that long, in milliseconds.
    #[serde(default)]
    pub retry_after_ms: Option<i64>,
    /// The tool is gone for good (HTTP 410): switch the connector off.
    #[serde(default)]
    pub gone: bool,
    /// The object to change or remove is not in the tool any more (HTTP 404 on its own address):
    /// a change makes it anew, a removal is done.
    #[serde(default)]
    pub absent: bool,
    /// The tool could not do it without harm to somebody (people signed up for what would have to
    /// go), and nothing was done: a person is asked with this text. Only with [`Blame::Data`], and
    /// only on its way from the tool: it is never kept.
    #[serde(skip)]
    pub asks: bool,
}

impl Failure {
    /// A failure of `blame` with its code, text and mend.
    pub fn new(blame: Blame, code: impl Into<String>, text: Words, mend: Words) -> Self {
        Self {
            blame,
            code: code.into(),
            text,
            mend,
            retry_after_ms: None,
            gone: false,
            absent: false,
            asks: false,
        }
    }
}
