//! The settings, and nothing else.

use std::path::PathBuf;

use raccord_kit::secret::Inline;
use raccord_kit::settings::{Span, Text};
use schemars::JsonSchema;
use serde::Deserialize;

/// Keeps the programme in Lespass (TiBillet), and knows who signed up there and who came.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The address of the place's Lespass.
    #[schemars(example = &"https://lieu.tibillet.coop")]
    pub(crate) url: String,
    /// The API key, with the rights "event" and "reservation". Better in a file.
    #[serde(default)]
    pub(crate) key: Option<Inline>,
    /// A file that holds the API key and nothing else.
    #[serde(default)]
    #[schemars(example = &"secrets/lespass")]
    pub(crate) key_file: Option<PathBuf>,
    /// The key of a scanner, to know who came. Better in a file.
    #[serde(default)]
    pub(crate) scan_key: Option<Inline>,
    /// A file that holds the key of a scanner and nothing else.
    #[serde(default)]
    #[schemars(example = &"secrets/lespass-scan")]
    pub(crate) scan_key_file: Option<PathBuf>,
    /// What tasks become: volunteer actions of their activity's event, or nothing.
    #[serde(default)]
    pub(crate) tasks: Tasks,
    /// The products that are linked to each event, by their identifiers: without one, nobody can book
    /// an event. Actions need none.
    #[serde(default)]
    #[schemars(example = &["3f6c0a52-9a3e-4a0e-8a53-2f6f1f0b7c11"])]
    pub(crate) products: Vec<Text<64>>,
    /// How often sign-ups and attendance are read.
    #[serde(default = "five_minutes")]
    pub(crate) every: Span,
    /// What Lespass shows when it calls: the part behind `?key=` in the address of its webhook. Better in a file.
    #[serde(default)]
    pub(crate) hook_secret: Option<Inline>,
    /// A file that holds what Lespass shows when it calls, and nothing else.
    #[serde(default)]
    #[schemars(example = &"secrets/lespass-hook")]
    pub(crate) hook_secret_file: Option<PathBuf>,
}

/// What becomes of tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Tasks {
    /// Volunteer actions.
    #[default]
    Actions,
    /// Nothing.
    None,
}

fn five_minutes() -> Span {
    Span::new(std::time::Duration::from_secs(300))
}
