//! The settings, and nothing else.

use std::path::PathBuf;

use raccord_chat::heard::Hear;
use raccord_kit::secret::Inline;
use raccord_kit::settings::Text;
use schemars::JsonSchema;
use serde::Deserialize;

/// Announces the programme in Matrix rooms, keeps the announcements true, and answers there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The address of the home server.
    #[schemars(example = &"https://matrix.example.org")]
    pub(crate) url: String,
    /// The access token of the account, made for Raccord alone. Better in a file.
    #[serde(default)]
    pub(crate) token: Option<Inline>,
    /// A file that holds the access token and nothing else.
    #[serde(default)]
    #[schemars(example = &"secrets/matrix")]
    pub(crate) token_file: Option<PathBuf>,
    /// The room of what no route names one for: its address or its id.
    #[serde(default)]
    #[schemars(example = &"#programme:example.org")]
    pub(crate) channel: Option<Text<255>>,
    /// The room in which the month's programme is kept pinned; none otherwise.
    #[serde(default)]
    #[schemars(example = &"#programme:example.org")]
    pub(crate) month: Option<Text<255>>,
    /// Who may approve and reject what waits for a yes, by a message in a room.
    #[serde(default)]
    #[schemars(example = &["@lou:example.org"])]
    pub(crate) approvers: Vec<Text<255>>,
    /// What is heard in the rooms the account is in: none, questions to Raccord, or all.
    #[serde(default)]
    pub(crate) hear: Hear,
}
