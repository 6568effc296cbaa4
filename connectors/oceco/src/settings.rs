//! The settings, and nothing else.

use std::path::PathBuf;

use raccord_kit::secret::Inline;
use raccord_kit::settings::{Span, Text};
use schemars::JsonSchema;
use serde::Deserialize;

/// Keeps tasks as actions of OCECO (Communecter), and knows who took them and whose were validated.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The address of OCECO.
    #[schemars(example = &"https://oce.co.tools")]
    pub(crate) url: String,
    /// OCECO's token for programs (`ocecoApiToken`), one for the whole server: it can act as anybody.
    /// Better in a file.
    #[serde(default)]
    pub(crate) token: Option<Inline>,
    /// A file that holds OCECO's token and nothing else.
    #[serde(default)]
    #[schemars(example = &"secrets/oceco")]
    pub(crate) token_file: Option<PathBuf>,
    /// The Communecter account as which actions are made, by its identifier.
    #[schemars(example = &"5e736fd6b6ebaf0d008b4579")]
    pub(crate) user: Text<24>,
    /// The organisation that uses OCECO, by its Communecter identifier.
    #[schemars(example = &"5de9df6d064fca0d008b4568")]
    pub(crate) organization: Text<24>,
    /// The project of the organisation that holds the actions, by its identifier; without it, the
    /// organisation itself does.
    #[serde(default)]
    #[schemars(example = &"5f1e5c3eb0b8ca1d008b4567")]
    pub(crate) project: Option<Text<24>>,
    /// A file that says which Communecter account is whose: on each line an identifier, a space and an
    /// address. Nobody else's actions are sign-ups here.
    #[schemars(example = &"secrets/oceco-people")]
    pub(crate) people_file: PathBuf,
    /// The address by which an administrator of the organisation signs in, to read whose actions were
    /// validated.
    #[serde(default)]
    #[schemars(example = &"raccord@example.org")]
    pub(crate) email: Option<Text<254>>,
    /// The password of that account. Better in a file.
    #[serde(default)]
    pub(crate) password: Option<Inline>,
    /// A file that holds the password of that account and nothing else.
    #[serde(default)]
    #[schemars(example = &"secrets/oceco-password")]
    pub(crate) password_file: Option<PathBuf>,
    /// Who tells a chat of actions: Raccord, by its routes, or OCECO, which can post in Rocket.Chat
    /// itself. The check says where both would.
    #[serde(default)]
    pub(crate) chat: Chat,
    /// How often sign-ups and validations are read.
    #[serde(default = "five_minutes")]
    pub(crate) every: Span,
}

/// Who tells a chat of actions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Chat {
    /// Raccord.
    #[default]
    Raccord,
    /// OCECO.
    Oceco,
}

fn five_minutes() -> Span {
    Span::new(std::time::Duration::from_secs(300))
}
