//! What a process remembers of calendars between two readings.

use std::collections::BTreeMap;

use bytes::Bytes;
use raccord_model::{EntityId, Fields};

use crate::ical::entry::Odd;
use crate::merge::Base;

/// What is remembered between two readings of one process.
#[derive(Default)]
pub(crate) struct Memory {
    /// What is ours, by path.
    pub(super) ours: BTreeMap<String, (EntityId, Option<Base>)>,
    pub(super) calendars: BTreeMap<String, Seen>,
}

/// A calendar as it was read last.
#[derive(Clone, Default)]
pub(super) struct Seen {
    pub(super) token: String,
    pub(super) objects: BTreeMap<String, Held>,
}

/// An entry as it was read last.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) etag: String,
    /// Its text, kept where members may have changed what is ours.
    pub(super) bytes: Option<Bytes>,
    /// What it says, where it is not ours.
    pub(super) lines: Vec<(String, Fields)>,
    pub(super) odd: Option<(String, Odd)>,
}

impl Held {
    /// One that stands as we wrote it.
    pub(super) fn echo(etag: &str) -> Self {
        Self {
            etag: etag.to_owned(),
            bytes: None,
            lines: Vec::new(),
            odd: None,
        }
    }
}
