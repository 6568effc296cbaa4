//! The settings, and nothing else.

use std::path::PathBuf;

use raccord_kit::secret::Inline;
use raccord_kit::settings::{Span, Text};
use schemars::JsonSchema;
use serde::Deserialize;

/// Keeps the programme as posts of a WordPress site, and hears what people edit there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The address of the site.
    #[schemars(example = &"https://lieu.example.org")]
    pub(crate) url: String,
    /// The account that writes, made for Raccord alone, with the role Author.
    #[schemars(example = &"raccord")]
    pub(crate) user: Text<60>,
    /// Its application password. Better in a file.
    #[serde(default)]
    pub(crate) password: Option<Inline>,
    /// A file that holds the application password and nothing else.
    #[serde(default)]
    #[schemars(example = &"secrets/wordpress")]
    pub(crate) password_file: Option<PathBuf>,
    /// What a new post is: a draft that somebody of the site publishes, or published at once.
    #[serde(default)]
    pub(crate) posts: Posts,
    /// The category of new posts, by its name; it must exist. The site's own usual one otherwise.
    #[serde(default)]
    #[schemars(example = &"Agenda")]
    pub(crate) category: Option<Text<200>>,
    /// How often the site is asked what people edited.
    #[serde(default = "five_minutes")]
    pub(crate) every: Span,
}

/// What a new post is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Posts {
    /// A draft.
    #[default]
    Draft,
    /// Published.
    Published,
}

fn five_minutes() -> Span {
    Span::new(std::time::Duration::from_secs(300))
}
