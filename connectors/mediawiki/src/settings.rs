//! The settings, and nothing else.

use std::path::PathBuf;

use raccord_kit::secret::Inline;
use raccord_kit::settings::Text;
use schemars::JsonSchema;
use serde::Deserialize;

/// Keeps the programme of each month on a page of a wiki (MediaWiki).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The address of the wiki.
    #[schemars(example = &"https://wiki.example.org")]
    pub(crate) url: String,
    /// The name of a bot password: the account, an at sign, what it was called there.
    #[schemars(example = &"Raccord@programme")]
    pub(crate) user: Text<255>,
    /// The bot password. Better in a file.
    #[serde(default)]
    pub(crate) password: Option<Inline>,
    /// A file that holds the bot password and nothing else.
    #[serde(default)]
    #[schemars(example = &"secrets/wiki")]
    pub(crate) password_file: Option<PathBuf>,
    /// The page under which each month has its own, called like `2027-01`.
    #[serde(default = "programme")]
    #[schemars(example = &"La Raffinerie/Programme")]
    pub(crate) page: Text<200>,
}

fn programme() -> Text<200> {
    Text::try_from("Programme".to_owned()).expect("nine letters are fewer than two hundred")
}
