//! The settings: where the files go, and what they look like.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

/// The keys besides `kind`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The folder the programmes are written to, from the folder of `raccord.toml`.
    pub output: PathBuf,
    /// A Typst file that replaces the look of the programme.
    #[serde(default)]
    pub template: Option<PathBuf>,
    /// The shape of the paper. A folded A5 leaflet is not made yet.
    #[serde(default)]
    pub layout: Layout,
}

/// The shape of the paper.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub(crate) enum Layout {
    /// A4, upright, to pin on a wall.
    #[default]
    #[serde(rename = "a4")]
    A4,
    /// A5, folded: refused for now, with a clear word.
    #[serde(rename = "a5-leaflet")]
    A5Leaflet,
}
