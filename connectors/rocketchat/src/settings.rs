//! The settings, and nothing else.

use std::path::PathBuf;

use raccord_chat::heard::Hear;
use raccord_kit::secret::Inline;
use raccord_kit::settings::{Span, Text};
use schemars::JsonSchema;
use serde::Deserialize;

/// Says the programme in rooms of Rocket.Chat, and hears what is said there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The address of Rocket.Chat.
    #[schemars(example = &"https://chat.example.org")]
    pub(crate) url: String,
    /// The id of the bot's account, as Rocket.Chat shows it beside the token.
    #[schemars(example = &"rbAXPnMktTFbNpwtJ")]
    pub(crate) user_id: Text<64>,
    /// Its personal access token. Better in a file.
    #[serde(default)]
    pub(crate) token: Option<Inline>,
    /// A file that holds the personal access token and nothing else.
    #[serde(default)]
    #[schemars(example = &"secrets/rocketchat")]
    pub(crate) token_file: Option<PathBuf>,
    /// The room where no route names one, by its name.
    #[serde(default)]
    #[schemars(example = &"general")]
    pub(crate) channel: Option<Text<100>>,
    /// The room in which the month's programme is kept pinned; none otherwise.
    #[serde(default)]
    #[schemars(example = &"general")]
    pub(crate) month: Option<Text<100>>,
    /// Who may approve and reject what waits for a yes, by their ids in Rocket.Chat.
    #[serde(default)]
    #[schemars(example = &["rbAXPnMktTFbNpwtJ"])]
    pub(crate) approvers: Vec<Text<64>>,
    /// What of these rooms is heard: nothing, questions to Raccord, or all that is said.
    #[serde(default)]
    pub(crate) hear: Hear,
    /// The rooms that are read, by their names.
    #[serde(default)]
    #[schemars(example = &["chantiers"])]
    pub(crate) listen: Vec<Text<100>>,
    /// The tokens of the outgoing webhooks that call Raccord, with spaces between them. Better in a file.
    #[serde(default)]
    pub(crate) hook_secret: Option<Inline>,
    /// A file that holds these tokens, each on a line of its own.
    #[serde(default)]
    #[schemars(example = &"secrets/rocketchat-hook")]
    pub(crate) hook_secret_file: Option<PathBuf>,
    /// How often these are read where nothing calls for it: the server tells at once what is said, unless a proxy does not let it.
    #[serde(default = "minute")]
    pub(crate) every: Span,
}

fn minute() -> Span {
    Span::new(std::time::Duration::from_secs(60))
}
