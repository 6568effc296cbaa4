//! A site as its visitors see it: each version that is on show, in order.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// A site, and what was seen on it.
#[derive(Clone)]
pub(super) struct Site {
    folder: PathBuf,
    bytes: Vec<u8>,
    /// By title: when it begins, and which edit of the line that is.
    pub(super) shown: BTreeMap<String, (String, u64)>,
    /// How many versions were seen.
    pub(super) versions: usize,
    /// How often an older version stood where a newer one had been.
    pub(super) older: usize,
}

impl Site {
    pub(super) fn at(folder: PathBuf) -> Self {
        Self {
            folder,
            bytes: Vec::new(),
            shown: BTreeMap::new(),
            versions: 0,
            older: 0,
        }
    }

    /// Looks at it once.
    ///
    /// # Errors
    /// When it is half-written.
    pub(super) fn visit(&mut self) -> Result<()> {
        let Ok(bytes) = std::fs::read(self.folder.join("activities.json")) else {
            // Nothing was written yet.
            return Ok(());
        };
        if bytes == self.bytes {
            return Ok(());
        }
        let text = || {
            format!(
                "{}: {}",
                self.folder.display(),
                String::from_utf8_lossy(&bytes)
            )
        };
        let told: Value = serde_json::from_slice(&bytes).with_context(text)?;
        let mut shown = BTreeMap::new();
        let coming = told["activities"].as_array().into_iter().flatten();
        for activity in coming.filter(|activity| activity["status"] != "cancelled") {
            let title = activity["title"].as_str().unwrap_or_default();
            let start = activity["start"].as_str().unwrap_or_default();
            let entry = (start.to_owned(), edit(&activity["room"]));
            shown.insert(title.to_owned(), entry);
        }
        let older = |(title, (_, edit)): (&String, &(String, u64))| {
            let before = self.shown.get(title);
            before.is_some_and(|(_, before)| before > edit)
        };
        self.older += usize::from(shown.iter().any(older));
        self.versions += 1;
        self.bytes = bytes;
        self.shown = shown;
        Ok(())
    }
}

/// Which edit of its line a room tells; the first, where it tells none.
pub(super) fn edit(room: &Value) -> u64 {
    let number = room.as_str().and_then(|room| room.split(' ').nth(1));
    number
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}
