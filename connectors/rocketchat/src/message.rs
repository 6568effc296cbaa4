//! What the server says, as far as we need it, and how a message of ours is named.

use std::collections::BTreeMap;

use jiff::Timestamp;
use raccord_model::Digest;
use serde::Deserialize;
use serde_json::Value;

/// What the id of every message of ours begins with.
pub(crate) const PREFIX: &str = "raccord";
/// How many names a message has, should somebody else's have one of them: ids belong to the whole
/// server, and whoever comes first keeps one.
pub(crate) const NAMES: u8 = 8;

/// The `number`th id a message is tried under: it follows from what it is about and the room alone.
/// 28 letters and digits.
pub(crate) fn id_of(parts: &[&str], number: u8) -> String {
    let mut bytes = vec![number];
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    let digest = Digest::of(&bytes).to_string();
    format!("{PREFIX}{}", &digest[..21])
}

/// The account that is logged in.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Me {
    pub(crate) username: String,
    #[serde(default)]
    pub(crate) roles: Vec<String>,
}

impl Me {
    /// Whether calls are not counted: the roles that bypass the limit, unless an administrator
    /// changed that.
    pub(crate) fn is_unlimited(&self) -> bool {
        let bypasses = |role: &String| ["bot", "admin", "app"].contains(&role.as_str());
        self.roles.iter().any(bypasses)
    }
}

/// The server's version.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Info {
    pub(crate) version: String,
}

/// Some settings.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Told {
    settings: Vec<Setting>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Setting {
    #[serde(rename = "_id")]
    id: String,
    value: Value,
}

impl Told {
    /// A setting's value; null where it is not told.
    pub(crate) fn get(&self, id: &str) -> &Value {
        let mut all = self.settings.iter();
        all.find(|setting| setting.id == id)
            .map_or(&Value::Null, |setting| &setting.value)
    }
}

/// A room of any kind.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Room {
    #[serde(rename = "_id")]
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) fname: Option<String>,
    /// `c` public, `p` private, `d` direct, `l` omnichannel.
    pub(crate) t: String,
    pub(crate) archived: bool,
    pub(crate) encrypted: bool,
    #[serde(rename = "ro")]
    pub(crate) read_only: bool,
    /// When something happened there last.
    #[serde(rename = "_updatedAt")]
    pub(crate) updated_at: Option<Timestamp>,
}

/// An answer that holds a room.
#[derive(Debug, Deserialize)]
pub(crate) struct OneRoom {
    pub(crate) room: Room,
}

/// The rooms an account is in.
#[derive(Debug, Deserialize)]
pub(crate) struct Rooms {
    pub(crate) update: Vec<Room>,
}

/// Whether an account is in a room.
#[derive(Debug, Deserialize)]
pub(crate) struct Subscribed {
    #[serde(default)]
    pub(crate) subscription: Option<Value>,
}

/// Who wrote something.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Author {
    #[serde(rename = "_id")]
    pub(crate) id: String,
    pub(crate) username: String,
}

/// A message.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Message {
    #[serde(rename = "_id")]
    pub(crate) id: String,
    pub(crate) rid: String,
    pub(crate) msg: String,
    pub(crate) ts: Option<Timestamp>,
    pub(crate) u: Author,
    #[serde(rename = "_updatedAt")]
    pub(crate) updated_at: Option<Timestamp>,
    #[serde(rename = "editedAt")]
    pub(crate) edited_at: Option<Timestamp>,
    /// The message that begins its thread.
    pub(crate) tmid: Option<String>,
    /// Set for what the server wrote itself, and for the mark of a deleted message.
    pub(crate) t: Option<String>,
    pub(crate) pinned: bool,
    pub(crate) reactions: Option<BTreeMap<String, Names>>,
    /// Set for what an integration wrote.
    pub(crate) bot: Option<Value>,
}

/// Who reacted.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Names {
    pub(crate) usernames: Vec<String>,
}

/// An answer that holds a message.
#[derive(Debug, Deserialize)]
pub(crate) struct OneMessage {
    pub(crate) message: Message,
}

/// What changed in a room.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Changed {
    pub(crate) updated: Vec<Message>,
    pub(crate) deleted: Vec<Deleted>,
    pub(crate) cursor: Option<Cursor>,
}

/// A message that was deleted.
#[derive(Debug, Deserialize)]
pub(crate) struct Deleted {
    #[serde(rename = "_id")]
    pub(crate) id: String,
    #[serde(rename = "_deletedAt")]
    pub(crate) at: Option<Timestamp>,
}

/// Where the next page begins; nowhere once all is read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Cursor {
    pub(crate) next: Option<Value>,
}

impl Cursor {
    /// The millisecond it stands at: versions differ in whether it is a number or a text.
    pub(crate) fn millisecond(&self) -> Option<i64> {
        match self.next.as_ref()? {
            Value::String(text) => text.parse().ok(),
            other => other.as_i64(),
        }
    }
}

/// An answer that holds changes.
#[derive(Debug, Deserialize)]
pub(crate) struct Sync {
    pub(crate) result: Changed,
}

/// Somebody.
#[derive(Debug, Deserialize)]
pub(crate) struct User {
    #[serde(rename = "_id")]
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) username: String,
}

/// An answer that holds somebody.
#[derive(Debug, Deserialize)]
pub(crate) struct OneUser {
    pub(crate) user: User,
}

/// What a refusal says of itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Refusal {
    #[serde(rename = "errorType")]
    pub(crate) kind: String,
    pub(crate) error: Value,
}

impl Refusal {
    /// Whether it names this kind, wherever this version says it.
    pub(crate) fn is(&self, kind: &str) -> bool {
        self.kind == kind || self.error.as_str().is_some_and(|text| text.contains(kind))
    }
}
