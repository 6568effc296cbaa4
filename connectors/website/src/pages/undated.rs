//! What is announced without a date yet, as the front page shows it.

use raccord_model::{Lang, Undated};

use crate::clean;

/// The most of what is said of it.
const ABOUT: usize = 200;

/// An activity whose date is yet to be chosen.
pub(super) struct ToDate {
    pub(super) title: String,
    /// Its own page elsewhere; empty where it has none.
    pub(super) href: String,
    pub(super) facts: Vec<String>,
    pub(super) about: String,
    /// Where its date is chosen; empty where nobody asks.
    pub(super) poll: String,
    /// Where one signs up for it; empty where that is not elsewhere.
    pub(super) register: String,
}

impl ToDate {
    pub(super) fn of(activity: &Undated, lang: Lang) -> Self {
        let address = |text: &str| clean::address(text).unwrap_or_default().to_owned();
        let facts = [&activity.kind, &activity.room, &activity.organiser];
        let facts = facts.map(|text| clean::set(text, 80, lang));
        Self {
            title: clean::set(&activity.title, 200, lang),
            href: address(&activity.url),
            facts: facts.into_iter().filter(|fact| !fact.is_empty()).collect(),
            about: clean::set(&activity.description, ABOUT, lang),
            poll: address(&activity.poll),
            register: address(&activity.register),
        }
    }
}
