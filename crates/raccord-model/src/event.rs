//! Events: an entity changed.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{EntityId, EntityKind, EventId, Fields, Trace};

/// What happened to the entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// Seen for the first time.
    Created,
    /// Some fields changed.
    Updated,
    /// It will not take place.
    Cancelled,
    /// Taken away by retention or forgetting.
    Removed,
    /// Credits were given.
    Granted,
    /// Credits were taken back.
    Reversed,
    /// The person was there.
    Attended,
}

impl Verb {
    /// The verbs an entity kind has.
    pub const fn of(kind: EntityKind) -> &'static [Self] {
        use Verb::{Attended, Cancelled, Created, Granted, Removed, Reversed, Updated};
        match kind {
            EntityKind::Credit => &[Created, Updated, Cancelled, Removed, Granted, Reversed],
            EntityKind::Registration => &[Created, Updated, Cancelled, Removed, Attended],
            _ => &[Created, Updated, Cancelled, Removed],
        }
    }

    /// The name used in event types.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Cancelled => "cancelled",
            Self::Removed => "removed",
            Self::Granted => "granted",
            Self::Reversed => "reversed",
            Self::Attended => "attended",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Verb {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        [
            Self::Created,
            Self::Updated,
            Self::Cancelled,
            Self::Removed,
            Self::Granted,
            Self::Reversed,
            Self::Attended,
        ]
        .into_iter()
        .find(|verb| verb.as_str() == text)
        .ok_or_else(|| format!("no event verb is called {text:?}"))
    }
}

/// What made the engine decide an event: recorded with it, so that `why` never has to guess.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Cause {
    /// A line of a sheet.
    Cell {
        /// The sheet's tab.
        sheet: String,
        /// The line, as the spreadsheet program numbers it.
        row: u32,
        /// The columns the changed fields come from, as letters.
        columns: Vec<String>,
        /// What the changed fields held before, by field (absent for a new line).
        #[serde(default, skip_serializing_if = "Fields::is_empty")]
        before: Fields,
    },
    /// A line that is not there any more.
    Missing {
        /// The tab it was last seen on.
        sheet: String,
        /// The line it was last seen at.
        row: u32,
        /// The first reading that missed it.
        since: Timestamp,
        /// What the changed fields held before, by field.
        #[serde(default, skip_serializing_if = "Fields::is_empty")]
        before: Fields,
    },
    /// An event posted by another program.
    Posted {
        /// The id the sender gave it.
        id: String,
    },
    /// A rule of the configuration derived it from another entity.
    Recipe {
        /// The entity it was derived from.
        from: EntityId,
        /// The rule, in the words of the configuration.
        rule: String,
    },
    /// A person decided it.
    Person {
        /// What the person did (`approve`, `reject`, `restore` ...).
        did: String,
    },
    /// Time passed.
    Time,
    /// Raccord itself noticed it.
    Noticed {
        /// The stable code of what was noticed.
        code: String,
    },
}

/// One change of one entity, as the log keeps it.
///
/// `data` is the whole entity after the change, without `id`, `revision` and `changed` (they
/// stand beside it), with slots in place of personal values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Derived from subject, revision and content.
    pub id: EventId,
    /// The kind of entity.
    pub kind: EntityKind,
    /// What happened to it.
    pub verb: Verb,
    /// The entity.
    pub entity: EntityId,
    /// Its revision after the change.
    pub revision: u64,
    /// JSON Pointers to what changed in `data`.
    pub changed: Vec<String>,
    /// The connector or sender that brought it.
    pub source: String,
    /// When it was decided.
    pub time: Timestamp,
    /// The family it travels with: `partitionkey`.
    pub family: EntityId,
    /// The event that started the chain: `correlationid`.
    pub correlation: EventId,
    /// The event that caused this one: `causationid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation: Option<EventId>,
    /// How many times Raccord continued this chain.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub hops: u8,
    /// The trace of the program that started the chain, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Box<Trace>>,
    /// What made the engine decide it.
    pub cause: Cause,
    /// The whole entity after the change.
    pub data: Fields,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(hops: &u8) -> bool {
    *hops == 0
}

impl Event {
    /// The event type, `org.raccord.activity.created.v1`.
    pub fn type_name(&self) -> String {
        format!("org.raccord.{}.{}.v1", self.kind, self.verb)
    }
}
