//! The shared JSON Schemas (2020-12), embedded from `schemas/`, and checks against them.
//!
//! Nothing is ever fetched: a reference must lead to another embedded schema. Nothing is repeated
//! either: what was found wrong is named by its place, and the value itself, which may be somebody's
//! address, never stands in a fault.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jsonschema::Validator;
use serde::Serialize;
use serde_json::Value;

use crate::{EntityKind, Verb, Words};

mod catalogue;
mod compile;
mod faults;
mod limits;
#[cfg(test)]
mod tests;

use catalogue::CATALOGUE;

/// At most so many faults are told at once.
const FAULTS: usize = 50;

/// One way in which data breaks its schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    /// JSON Pointer to the value; for a missing field, to where it should stand.
    pub pointer: String,
    /// What is wrong, for the developer who sent it.
    pub detail: Words,
}

/// The embedded schemas, each compiled when first needed.
///
/// A compiled schema takes memory: one instance, [`Schemas::shared`], serves a whole process.
#[derive(Debug, Default)]
pub struct Schemas {
    events: BTreeMap<(EntityKind, Verb), OnceLock<Validator>>,
    posted: BTreeMap<EntityKind, OnceLock<Validator>>,
}

impl Schemas {
    /// All schemas, none compiled yet.
    pub fn new() -> Self {
        let verbs = |kind| Verb::of(kind).iter().map(move |&verb| (kind, verb));
        Self {
            events: EntityKind::ALL
                .into_iter()
                .flat_map(verbs)
                .map(|key| (key, OnceLock::new()))
                .collect(),
            posted: EntityKind::ALL
                .into_iter()
                .map(|kind| (kind, OnceLock::new()))
                .collect(),
        }
    }

    /// The schemas of this process: what one place compiled serves the others too.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Schemas> = OnceLock::new();
        SHARED.get_or_init(Self::new)
    }

    /// The names of all schemas, as they stand under `schemas/` without `.json`.
    pub fn names() -> impl Iterator<Item = &'static str> {
        CATALOGUE.iter().map(|(name, _)| *name)
    }

    /// The text of a schema by the name it has under `schemas/` without `.json`
    /// (`activity/v1`, `activity.created/v1`), or by its event type.
    pub fn text(name: &str) -> Option<&'static str> {
        let name = match name.strip_prefix("org.raccord.") {
            Some(rest) => rest
                .rsplit_once('.')
                .map(|(entity, version)| format!("{entity}/{version}"))?,
            None => name.to_owned(),
        };
        CATALOGUE
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, text)| *text)
    }

    /// Whether data posted about an entity may hold a field of this name.
    pub fn has_field(kind: EntityKind, name: &str) -> bool {
        Self::text(&format!("{kind}.posted/v1"))
            .and_then(|text| serde_json::from_str::<Value>(text).ok())
            .is_some_and(|schema| schema["properties"].get(name).is_some())
    }

    /// Every fault of an event's `data` (the whole entity with `id`, `revision` and `changed`)
    /// against the schema of its type; empty when it is valid. At most 50 are listed.
    pub fn check(&self, kind: EntityKind, verb: Verb, data: &Value) -> Vec<Fault> {
        match self.events.get(&(kind, verb)) {
            None => vec![unknown(kind, verb)],
            Some(cell) => {
                let name = format_args!("{kind}.{verb}/v1");
                faults(cell.get_or_init(|| compile::embedded(kind, name)), data)
            }
        }
    }

    /// Every fault of the `data` another program posted about an entity: the fields it knows, of
    /// the same types as in events, none required. `id`, `revision` and `changed` may hold
    /// anything, an empty text takes an optional field back, and a field the entity does not have
    /// is a fault (it belongs in `extra`). At most 50 are listed.
    pub fn check_posted(&self, kind: EntityKind, verb: Verb, data: &Value) -> Vec<Fault> {
        match self.posted.get(&kind) {
            Some(cell) if Verb::of(kind).contains(&verb) => {
                let name = format_args!("{kind}.posted/v1");
                faults(cell.get_or_init(|| compile::embedded(kind, name)), data)
            }
            _ => vec![unknown(kind, verb)],
        }
    }
}

fn unknown(kind: EntityKind, verb: Verb) -> Fault {
    Fault {
        pointer: String::new(),
        detail: Words::new(
            format!("{kind} n’a pas de verbe {verb}"),
            format!("{kind} has no verb {verb}"),
        ),
    }
}

fn faults(validator: &Validator, data: &Value) -> Vec<Fault> {
    let mut found = Vec::new();
    if !validator.is_valid(data) {
        for error in validator.iter_errors(data).take(FAULTS) {
            faults::of(&error, &mut found);
        }
    }
    limits::check(data, &mut found);
    found.sort();
    // One sentence for each place: a second one rarely helps whoever sent it.
    found.dedup_by(|later, first| later.pointer == first.pointer);
    found.truncate(FAULTS);
    found
}
