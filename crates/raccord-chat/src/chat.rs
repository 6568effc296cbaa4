//! The calls of one tool: what a chat connector brings.

use jiff::{SignedDuration, Timestamp};
use raccord_kit::BoxFuture;
use raccord_model::Failure;

use crate::dialect::Dialect;
use crate::message::Outgoing;

/// A refused token is shown again after this long only: it may have been right all along. Another one
/// is shown at once.
pub const REFUSED: SignedDuration = SignedDuration::from_mins(30);

/// A message that stands in a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// The tool's id of the room, without spaces.
    pub room: String,
    /// The tool's id of the message, without spaces.
    pub id: String,
    /// Where people can see it.
    pub url: Option<String>,
}

impl Posted {
    /// As a link keeps it: room and id with a space between them.
    pub fn external(&self) -> String {
        format!("{} {}", self.room, self.id)
    }

    /// From what a link keeps; nothing where it is not one of ours.
    pub fn read(external: &str) -> Option<Self> {
        let (room, id) = external.split_once(' ')?;
        Some(Self {
            room: room.to_owned(),
            id: id.to_owned(),
            url: None,
        })
    }
}

/// What came of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edited {
    /// It says that now.
    Done,
    /// It said exactly that already.
    Unchanged,
    /// Somebody took the message away. It stays away: who moderates a room has the last word.
    Gone,
}

/// What came of a look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sought {
    /// It is there.
    There(Posted),
    /// It was there, and somebody took it away.
    Gone(Posted),
    /// It is not in a complete listing made at this instant.
    Absent(Timestamp),
    /// Nobody can tell: the room's past reaches back no further than our look.
    CannotTell,
}

/// The calls of one tool. Each makes one effect and never repeats it by itself; what may have
/// reached the tool unanswered is of blame `unknown`.
pub trait Chat: Send + Sync {
    /// How it writes, and how long a message may be.
    fn dialect(&self) -> &dyn Dialect;

    /// Server and account, for [`raccord_kit::Sink::target`].
    fn target(&self) -> String;

    /// Posts a message. What the tool offers against doubles is used with [`Outgoing::key`].
    ///
    /// # Errors
    /// As any call.
    fn post<'a>(&'a self, message: &'a Outgoing) -> BoxFuture<'a, Result<Posted, Failure>>;

    /// Looks for a message that was posted under this key, in its room.
    ///
    /// # Errors
    /// As any call.
    fn seek<'a>(&'a self, message: &'a Outgoing) -> BoxFuture<'a, Result<Sought, Failure>>;

    /// Changes what a message says. A repeat is harmless.
    ///
    /// # Errors
    /// As any call.
    fn edit<'a>(
        &'a self,
        posted: &'a Posted,
        message: &'a Outgoing,
    ) -> BoxFuture<'a, Result<Edited, Failure>>;

    /// Takes a message away; one that is not there any more is done.
    ///
    /// # Errors
    /// As any call.
    fn take_away<'a>(&'a self, posted: &'a Posted) -> BoxFuture<'a, Result<(), Failure>>;

    /// Pins a message, or takes the pin off. A repeat is harmless.
    ///
    /// # Errors
    /// As any call.
    fn pin<'a>(&'a self, posted: &'a Posted, pinned: bool) -> BoxFuture<'a, Result<(), Failure>>;
}
