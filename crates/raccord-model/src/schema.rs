//! The shared JSON Schemas (2020-12), embedded from `schemas/`, and checks against them.
//!
//! Nothing is ever fetched: a reference must lead to another embedded schema.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jsonschema::Validator;
use serde::Serialize;
use serde_json::Value;

use crate::{EntityKind, Verb};

mod catalogue;
pub use catalogue::CATALOGUE;

/// One way in which data breaks its schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    /// JSON Pointer to the value.
    pub pointer: String,
    /// What is wrong, for the developer who sent it.
    pub detail: String,
}

/// The embedded schemas, compiled when first needed.
#[derive(Debug, Default)]
pub struct Schemas {
    compiled: BTreeMap<(EntityKind, Verb), OnceLock<Validator>>,
}

impl Schemas {
    /// All schemas, none compiled yet.
    pub fn new() -> Self {
        let compiled = EntityKind::ALL
            .into_iter()
            .flat_map(|kind| {
                Verb::of(kind)
                    .iter()
                    .map(move |&verb| ((kind, verb), OnceLock::new()))
            })
            .collect();
        Self { compiled }
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

    /// Every fault of `data` against the schema of its event type; empty when it is valid.
    /// At most 50 are listed.
    pub fn check(&self, kind: EntityKind, verb: Verb, data: &Value) -> Vec<Fault> {
        let Some(cell) = self.compiled.get(&(kind, verb)) else {
            return vec![Fault {
                pointer: String::new(),
                detail: format!("{kind} has no verb {verb}"),
            }];
        };
        let validator = cell.get_or_init(|| compile(kind, verb));
        if validator.is_valid(data) {
            return Vec::new();
        }
        let mut faults: Vec<Fault> = validator
            .iter_errors(data)
            .take(50)
            .map(|error| Fault {
                pointer: error.instance_path().to_string(),
                detail: error.to_string(),
            })
            .collect();
        faults.sort();
        faults.dedup();
        faults
    }
}

fn compile(kind: EntityKind, verb: Verb) -> Validator {
    let parse = |text: &str| -> Value {
        serde_json::from_str(text)
            .expect("embedded schemas are valid JSON (checked by xtask schemas)")
    };
    let name = format!("{kind}.{verb}/v1");
    let schema = parse(
        Schemas::text(&name).expect("every event type has a schema (checked by xtask schemas)"),
    );
    let mut registry = jsonschema::Registry::new();
    for (_, text) in CATALOGUE {
        let value = parse(text);
        if let Some(id) = value.get("$id").and_then(Value::as_str).map(str::to_owned) {
            registry = registry
                .add(id, value)
                .expect("embedded schemas have ids (checked by xtask schemas)");
        }
    }
    let registry = registry
        .prepare()
        .expect("embedded schemas refer to each other only");
    jsonschema::options()
        .offline()
        .with_registry(&registry)
        .build(&schema)
        .expect("embedded schemas compile (checked by xtask schemas)")
}
