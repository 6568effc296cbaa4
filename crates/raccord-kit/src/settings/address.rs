//! Addresses of pages, as people write them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// The address of a page, `http://` or `https://`; parts of it may be places to fill in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct WebAddress(String);

impl WebAddress {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What does not read as a [`WebAddress`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an address like https://programme.example.org/")]
pub struct NotAnAddress;

impl TryFrom<String> for WebAddress {
    type Error = NotAnAddress;
    fn try_from(text: String) -> Result<Self, NotAnAddress> {
        ["http://", "https://"]
            .iter()
            .find_map(|scheme| text.strip_prefix(scheme))
            .filter(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
            .ok_or(NotAnAddress)?;
        Ok(Self(text))
    }
}

impl JsonSchema for WebAddress {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "WebAddress".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": r"^https?://\S+$" })
    }
}
