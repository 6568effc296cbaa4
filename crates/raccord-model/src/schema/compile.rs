//! From the text of a schema to something that checks.

use std::fmt::Arguments;

use jsonschema::{PatternOptions, Registry, ValidationError, Validator};
use serde_json::Value;

use super::Schemas;
use crate::{Civil, EntityKind};

/// Compiles an embedded schema about `kind`: it may refer to its entity and to the common shapes.
pub(super) fn embedded(kind: EntityKind, name: Arguments<'_>) -> Validator {
    let parse = |name: &str| -> Value {
        let text = Schemas::text(name).expect("the catalogue holds every schema (a test walks it)");
        serde_json::from_str(text).expect("embedded schemas are JSON (a test walks them)")
    };
    let near = [parse("common/v1"), parse(&format!("{kind}/v1"))];
    with(&parse(&name.to_string()), near).expect(
        "embedded schemas refer to their entity and to the common shapes (a test walks them)",
    )
}

/// Compiles `schema`, which may refer to `near` and to nothing else: no network, no files.
pub(super) fn with(
    schema: &Value,
    near: impl IntoIterator<Item = Value>,
) -> Result<Validator, ValidationError<'static>> {
    let mut registry = Registry::new();
    for resource in near {
        let id = resource["$id"].as_str().unwrap_or_default().to_owned();
        registry = registry.add(id, resource)?;
    }
    let registry = registry.prepare()?;
    jsonschema::options()
        .offline()
        .with_registry(&registry)
        .with_pattern_options(PatternOptions::regex())
        .should_validate_formats(true)
        .with_format("civil", |text: &str| text.parse::<Civil>().is_ok())
        .build(schema)
}
