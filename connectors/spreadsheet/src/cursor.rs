//! What is remembered between two looks: what the sheet was, and how it was read.

use raccord_model::Digest;
use serde::{Deserialize, Serialize};

use crate::answers::Told;

/// The cursor, as it stands in the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// Digest of the bytes and of how they are read.
    pub(crate) digest: Digest,
    /// The address's own mark of this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) etag: Option<String>,
    /// The address's own date of this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) modified: Option<String>,
    /// How it was read: another reader or other settings make another reading of the same bytes.
    pub(crate) how: Digest,
    /// The tabs that held lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tabs: Vec<String>,
    /// What was told of answers.
    #[serde(default, skip_serializing_if = "Told::is_empty")]
    pub(crate) told: Told,
}

/// The longest mark that is kept.
const LONGEST_MARK: usize = 1_000;

impl Cursor {
    /// Reads a cursor; one that cannot be read is none, and the sheet is read again.
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_a_broken_one_is_none() {
        let cursor = Cursor {
            digest: Digest::of(b"a"),
            etag: Some("W/\"1\"".to_owned()),
            how: Digest::of(b"b"),
            tabs: vec!["Janvier".to_owned()],
            ..Cursor::default()
        };
        assert_eq!(Cursor::parse(Some(&cursor.text())).unwrap(), cursor);
        assert_eq!(Cursor::parse(Some("{")), None);
        assert_eq!(Cursor::parse(None), None);
    }
}
