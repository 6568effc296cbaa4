//! The settings, and nothing else.

use std::path::PathBuf;

use raccord_chat::heard::Hear;
use raccord_kit::secret::Inline;
use raccord_kit::settings::{Span, Text};
use schemars::JsonSchema;
use serde::Deserialize;

/// Says the programme in channels of Mattermost, and hears what is said there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The address of Mattermost.
    #[schemars(example = &"https://chat.example.org")]
    pub(crate) url: String,
    /// The team, as it stands in addresses.
    #[schemars(example = &"raffinerie")]
    pub(crate) team: Text<64>,
    /// The token of the bot account. Better in a file.
    #[serde(default)]
    pub(crate) token: Option<Inline>,
    /// A file that holds the token of the bot account and nothing else.
    #[serde(default)]
    #[schemars(example = &"secrets/mattermost")]
    pub(crate) token_file: Option<PathBuf>,
    /// The channel where no route names one, as it stands in addresses.
    #[serde(default)]
    #[schemars(example = &"town-square")]
    pub(crate) channel: Option<Text<64>>,
    /// The channel in which the month's programme is kept pinned; none otherwise.
    #[serde(default)]
    #[schemars(example = &"town-square")]
    pub(crate) month: Option<Text<64>>,
    /// Who may approve and reject what waits for a yes, by their ids in Mattermost.
    #[serde(default)]
    #[schemars(example = &["jb8rgdm7k3dxfmy1m5hkkq5zqh"])]
    pub(crate) approvers: Vec<Text<64>>,
    /// What of these channels is heard: nothing, questions to Raccord, or all that is said.
    #[serde(default)]
    pub(crate) hear: Hear,
    /// The channels that are read, as they stand in addresses.
    #[serde(default)]
    #[schemars(example = &["chantiers"])]
    pub(crate) listen: Vec<Text<64>>,
    /// The tokens of the slash commands and outgoing webhooks that call Raccord, with spaces between them. Better in a file.
    #[serde(default)]
    pub(crate) hook_secret: Option<Inline>,
    /// A file that holds these tokens, each on a line of its own.
    #[serde(default)]
    #[schemars(example = &"secrets/mattermost-hook")]
    pub(crate) hook_secret_file: Option<PathBuf>,
    /// How often these are read where nothing calls for it: the server tells at once what is said, unless a proxy does not let it.
    #[serde(default = "minute")]
    pub(crate) every: Span,
}

fn minute() -> Span {
    Span::new(std::time::Duration::from_secs(60))
}
