//! Settings of a connector: durations, sizes, bounds, and mistakes named by their key.
//!
//! Every mistake is found at once, with the key, what was expected there and the nearest known
//! key. The value itself is never shown: it could be a secret in the wrong place.

mod address;
mod bounds;
mod mistakes;
#[cfg(test)]
mod tests;
mod units;

use raccord_model::{Failure, Words};
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use self::address::{NotAnAddress, WebAddress};
pub use self::bounds::{Number, OutOfBounds, Text, Whole};
pub use self::mistakes::{Mistake, by_schema, nearest, without};
pub use self::units::{Size, Span, UnitError};
use crate::Finding;

/// What settings look like: their schema, and the type that reads them.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    schema: fn() -> Schema,
    takes: fn(&Value) -> bool,
}

impl Shape {
    /// The shape of `T`, which takes nothing that its schema refuses: no unknown key, no value out
    /// of bounds. `conformance::b02_config` tries it.
    pub const fn of<T: DeserializeOwned + JsonSchema>() -> Self {
        Self {
            schema: || schemars::schema_for!(T),
            takes: |value| read::<T>(value).is_some(),
        }
    }

    /// The JSON Schema.
    pub fn schema(&self) -> Schema {
        (self.schema)()
    }

    /// Whether the type takes `value`.
    pub fn takes(&self, value: &Value) -> bool {
        (self.takes)(value)
    }

    /// Every mistake in `value`; at most 50. The schema is only asked about what the type does not
    /// take: compiling it costs a start more than everything else that is read.
    pub fn mistakes(&self, value: &Value) -> Vec<Mistake> {
        if self.takes(value) {
            return Vec::new();
        }
        by_schema(&self.schema(), value)
    }
}

/// `value` as a `T`, where its schema would take it.
pub fn read<T: DeserializeOwned + JsonSchema>(value: &Value) -> Option<T> {
    let read = T::deserialize(value).ok()?;
    let schema = schemars::schema_for!(T);
    let root = schema.as_value();
    has_tables(root, root, value).then_some(read)
}

/// Whether tables stand where the schema wants tables: serde takes a list of values for a struct.
fn has_tables(root: &Value, rules: &Value, value: &Value) -> bool {
    let rules = resolved(root, rules);
    match value {
        Value::Array(_) if rules["type"] == "object" => false,
        Value::Array(items) => items
            .iter()
            .all(|item| has_tables(root, &rules["items"], item)),
        Value::Object(table) => table.iter().all(|(key, value)| {
            let named = &rules["properties"][key];
            let rules = if named.is_null() {
                &rules["additionalProperties"]
            } else {
                named
            };
            has_tables(root, rules, value)
        }),
        _ => true,
    }
}

/// What a `$ref` in a schema leads to; other rules as they are.
pub(crate) fn resolved<'s>(root: &'s Value, rules: &'s Value) -> &'s Value {
    rules["$ref"]
        .as_str()
        .and_then(|reference| root.pointer(reference.strip_prefix('#')?))
        .unwrap_or(rules)
}

/// Reads settings.
///
/// # Errors
/// Every wrong key, with what was expected there.
pub fn settings<T: DeserializeOwned + JsonSchema>(value: Value) -> Result<T, Vec<Finding>> {
    if let Some(settings) = read(&value) {
        return Ok(settings);
    }
    let told = by_schema(&schemars::schema_for!(T), &value);
    if !told.is_empty() {
        return Err(told.into_iter().map(Finding::from).collect());
    }
    serde_path_to_error::deserialize(value).map_err(|error| {
        let key = error.path().to_string();
        // A rule that the schema does not tell; its message comes from our own types, which do
        // not repeat the value.
        let detail = error.into_inner().to_string();
        vec![Finding::from(Mistake {
            code: "value-wrong",
            text: Words::new(
                format!("La clé « {key} » n’est pas comprise : {detail}."),
                format!("The key “{key}” is not understood: {detail}."),
            ),
            mend: mistakes::correct_it(),
            nearest: None,
            key,
        })]
    })
}

/// What a connector cannot take of its settings, gathered, so that one mistake hides no other.
///
/// ```
/// use raccord_kit::{http::Target, settings::Gathered};
/// let mut wrong = Gathered::default();
/// let one = wrong.take("url", Target::configured("url", "not an address"));
/// let other = wrong.take("page", Target::configured("page", "https://example.org/"));
/// assert!(one.is_none() && other.is_some());
/// assert_eq!(wrong.findings()[0].place, "url");
/// ```
#[derive(Debug, Default)]
pub struct Gathered(Vec<Finding>);

impl Gathered {
    /// What was made of key `key`; what is wrong with it is kept under that key.
    pub fn take<T>(&mut self, key: &str, made: Result<T, Failure>) -> Option<T> {
        made.map_err(|failure| self.0.push(Finding::of(key, &failure)))
            .ok()
    }

    /// What is wrong, with the key of each as its place.
    pub fn findings(self) -> Vec<Finding> {
        self.0
    }
}
