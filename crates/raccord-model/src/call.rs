//! A call that a tool makes to us: its own webhook, its slash command. Only carried here; what it
//! means is its connector's to say.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A call as it came, with the exact bytes that a signature is over.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// When it came.
    pub at: Timestamp,
    /// What stands behind the `?` of its address.
    pub query: String,
    /// Its headers in their order, names in lower case. What is no text is left out.
    pub headers: Vec<(String, String)>,
    /// Its body.
    #[serde(with = "bytes")]
    pub body: Vec<u8>,
}

impl Call {
    /// The value of header `name` (in lower case), where it stands exactly once: what stands twice
    /// could be read in two ways.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter().filter(|(one, _)| one == name);
        match (all.next(), all.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }
}

impl fmt::Debug for Call {
    /// Without anything its caller wrote: tokens stand in any part of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("at", &self.at)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Bytes as a text of as many characters: nodes of a cluster hand calls on as JSON, and most bodies
/// are plain text anyhow.
mod bytes {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        let text: String = bytes.iter().copied().map(char::from).collect();
        to.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        let byte = |c: char| u8::try_from(c).map_err(|_| D::Error::custom("no byte"));
        text.chars().map(byte).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn call() -> Call {
        Call {
            at: Timestamp::UNIX_EPOCH,
            query: "canary".to_owned(),
            headers: vec![
                ("x-once".to_owned(), "canary".to_owned()),
                ("x-twice".to_owned(), "canary".to_owned()),
                ("x-twice".to_owned(), "canary".to_owned()),
            ],
            body: (0..=255).collect(),
        }
    }

    #[test]
    fn every_byte_comes_through_another_node() {
        let text = serde_json::to_string(&call()).unwrap();
        assert_eq!(serde_json::from_str::<Call>(&text).unwrap(), call());
    }

    #[test]
    fn a_header_that_stands_twice_is_none_and_nothing_is_shown() {
        assert_eq!(call().header("x-once"), Some("canary"));
        assert_eq!(call().header("x-twice"), None);
        assert_eq!(call().header("x-never"), None);
        assert!(!format!("{:?}", call()).contains("canary"));
    }
}
