//! What a text meant the last time: sheets say the same few things in thousands of lines.
//!
//! Bounded in number and length, so that a sheet that never repeats itself costs nothing.

use std::collections::HashMap;

/// How many meanings are kept.
const MOST: usize = 4_096;
/// The longest text whose meaning is kept.
const LONGEST: usize = 100;

/// Meanings by text.
#[derive(Debug)]
pub(crate) struct Memo<V>(HashMap<Box<str>, V>);

impl<V> Default for Memo<V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<V: Clone> Memo<V> {
    /// The meaning of `text`, made by `read` where it is not known yet.
    pub(crate) fn of(&mut self, text: &str, read: impl FnOnce(&str) -> V) -> V {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let value = read(text);
        if self.0.len() < MOST && text.len() <= LONGEST {
            self.0.insert(text.into(), value.clone());
        }
        value
    }
}
