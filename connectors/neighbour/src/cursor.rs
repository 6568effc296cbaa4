//! What is remembered between two looks: what the list was, and how it was read.

use raccord_model::Digest;
use serde::{Deserialize, Serialize};

/// The longest mark that is kept.
const LONGEST_MARK: usize = 1_000;

/// The cursor, as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// Digest of the bytes.
    pub(crate) digest: Digest,
    /// How they were read: another reader or other settings make another reading of the same bytes.
    pub(crate) how: Digest,
    /// The address's own mark of this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) etag: Option<String>,
    /// The address's own date of this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) modified: Option<String>,
}

impl Cursor {
    /// Reads a cursor; one that cannot be read is none, and the list is read again.
    pub(crate) fn parse(text: Option<&str>) -> Option<Self> {
        serde_json::from_str(text?).ok()
    }

    pub(crate) fn text(&self) -> String {
        serde_json::to_string(self).expect("a cursor is plain data")
    }
}

/// A mark of a server, if it can be sent back.
pub(crate) fn mark(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty() && text.len() <= LONGEST_MARK)
        .map(str::to_owned)
}
