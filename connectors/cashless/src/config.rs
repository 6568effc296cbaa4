//! The settings, and nothing else.

use std::path::PathBuf;

use raccord_kit::secret::Inline;
use raccord_kit::settings::Text;
use schemars::JsonSchema;
use serde::Deserialize;

/// Brings volunteer credits to where people spend them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Where credits stand: "ledger" for Raccord's own ledger, which needs nothing else, or
    /// "lespass" for a wallet of TiBillet.
    pub(crate) system: System,
    /// The address of the place in Lespass.
    #[serde(default)]
    #[schemars(with = "String", example = &"https://lieu.example.org")]
    pub(crate) url: Option<String>,
    /// The key made in Lespass for refills of one asset. Better in a file.
    #[serde(default)]
    pub(crate) key: Option<Inline>,
    /// A file that holds that key and nothing else.
    #[serde(default)]
    #[schemars(example = &"secrets/lespass")]
    pub(crate) key_file: Option<PathBuf>,
    /// The UUID of the asset that the key credits.
    #[serde(default)]
    #[schemars(example = &"7f5be2a8-6a0e-4f0c-8f53-2f6f0a8f2d11")]
    pub(crate) asset: Option<Text<36>>,
    /// The address of Fedow, where a lost answer can be looked for.
    #[serde(default)]
    #[schemars(with = "String", example = &"https://fedow.example.org")]
    pub(crate) fedow_url: Option<String>,
    /// The place's key for Fedow. Better in a file.
    #[serde(default)]
    pub(crate) fedow_key: Option<Inline>,
    /// A file that holds that key and nothing else.
    #[serde(default)]
    #[schemars(example = &"secrets/fedow")]
    pub(crate) fedow_key_file: Option<PathBuf>,
    /// For the place's own ledger: the addresses of those who take payments at its till.
    #[serde(default)]
    #[schemars(extend("examples" = [["ana@example.org"]]))]
    pub(crate) serves: Vec<Text<254>>,
    /// For the place's own ledger: where credits can be spent, as people call it.
    #[serde(default)]
    #[schemars(extend("examples" = ["le bar"]))]
    pub(crate) spend_at: Option<Text<200>>,
}

/// Where credits stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum System {
    /// In Raccord's own ledger.
    Ledger,
    /// In a wallet of TiBillet, credited through Lespass.
    Lespass,
}
