//! A message as a tool gets it.

use raccord_model::{Digest, EntityId, Lang};
use serde::{Deserialize, Serialize};

/// What every repeat of a message has in common, and no other message: derived from the place, the
/// connector, and what the message is about. 32 characters of 0-9a-f, for tools that let us choose
/// an id, and the marker in those that carry one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(String);

impl Key {
    /// The key of message `turn` about `about`.
    pub fn new(place: &str, connector: &str, about: EntityId, turn: u32) -> Self {
        let text = format!("{place}\0{connector}\0{about}\0{turn}");
        Self(Digest::of(text.as_bytes()).to_string()[..32].to_owned())
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text in a tool's own markup, already within its limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The text, in the tool's markup; without any where `html` carries it.
    pub text: String,
    /// The same as HTML, for tools that want both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
}

/// What kind of message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// An announcement: one per entity, changed in place.
    Announcement,
    /// The month's programme: one per month, changed in place and pinned.
    Month,
    /// A reply in the announcement's thread that says what moved.
    Reply,
    /// A round-up at its hour.
    Roundup,
    /// The answer to somebody's question.
    Answer,
    /// What concerns one person, for them alone.
    Direct,
}

/// A message, as `render` hands it to `apply` ([`raccord_model::Desired::body`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    /// What kind of message.
    pub kind: Kind,
    /// Where: a room as the configuration names it, or as the tool does ([`Posted::room`]) for
    /// replies and answers; for what is direct, the tool's id of the person.
    ///
    /// [`Posted::room`]: crate::Posted::room
    pub room: String,
    /// The tool's id of the message that starts the thread it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    /// Its key.
    pub key: Key,
    /// The language it is in.
    pub lang: Lang,
    /// What it says.
    pub written: Written,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_tells_messages_apart_and_is_the_same_each_time() {
        let about = EntityId::derive(&[b"x"]);
        let key = Key::new("lieu", "chat", about, 1);
        assert_eq!(key, Key::new("lieu", "chat", about, 1));
        assert_eq!(key.as_str().len(), 32);
        let others = [
            Key::new("lieu", "chat", about, 2),
            Key::new("lieu", "autre", about, 1),
            Key::new("ailleurs", "chat", about, 1),
            Key::new("lieu", "chat", EntityId::derive(&[b"y"]), 1),
        ];
        assert!(others.iter().all(|other| *other != key));
    }
}
