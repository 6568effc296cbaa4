//! The settings, and nothing else.

use std::path::PathBuf;

use raccord_kit::secret::Inline;
use schemars::JsonSchema;
use serde::Deserialize;

/// Posts every event to an address.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The address events are posted to.
    #[schemars(example = "https://outil.example.org/raccord")]
    pub(crate) url: String,
    /// The shared secret, as `whsec_` and base64. Better in a file.
    #[serde(default)]
    pub(crate) secret: Option<Inline>,
    /// A file that holds the shared secret and nothing else.
    #[serde(default)]
    #[schemars(example = "secrets/webhook")]
    pub(crate) secret_file: Option<PathBuf>,
}
