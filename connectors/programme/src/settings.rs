//! The settings: where the files go, and what they look like.

use std::path::PathBuf;

use raccord_kit::secret::Inline;
use raccord_kit::settings::{Text, WebAddress};
use schemars::JsonSchema;
use serde::Deserialize;

/// The keys besides `kind`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The folder the programmes are written to, from the folder of `raccord.toml`. Or the address of
    /// a folder in a cloud (Nextcloud, any WebDAV server), as the Files app shows it.
    #[schemars(extend("examples" = ["out", "https://cloud.example.org/apps/files/?dir=/Programme"], "x-alone" = true))]
    pub output: Text<4096>,
    /// The account that writes there, where `output` is an address.
    #[serde(default)]
    #[schemars(extend("examples" = ["raccord"]))]
    pub user: Option<Text<256>>,
    /// Its app password. Better in a file.
    #[serde(default)]
    pub password: Option<Inline>,
    /// A file that holds the app password and nothing else.
    #[serde(default)]
    #[schemars(extend("examples" = ["secrets/nextcloud"]))]
    pub password_file: Option<PathBuf>,
    /// A Typst file that replaces the look of the A4 programme.
    #[serde(default)]
    pub template: Option<PathBuf>,
    /// A Typst file that replaces the look of the leaflet.
    #[serde(default)]
    pub leaflet_template: Option<PathBuf>,
    /// A picture (SVG, PNG or JPEG) that stands beside the place's name.
    #[serde(default)]
    pub logo: Option<PathBuf>,
    /// The shape of the paper.
    #[serde(default)]
    pub layout: Layout,
    /// The page of the month on the web, `{month}` standing for `2027-01`; without it, the place's
    /// `public_url`.
    #[serde(default)]
    #[schemars(extend("examples" = ["https://programme.example.org/{month}.html"]))]
    pub page: Option<WebAddress>,
    /// Where people sign up.
    #[serde(default)]
    #[schemars(extend("examples" = ["https://inscriptions.example.org/"]))]
    pub signup: Option<WebAddress>,
    /// Whether sheets to sign on, one for each activity, are made for the table at the entrance.
    #[serde(default)]
    pub signup_sheets: bool,
}

/// The shape of the paper.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub(crate) enum Layout {
    /// A4, upright, to pin on a wall.
    #[default]
    #[serde(rename = "a4")]
    A4,
    /// A4, printed on both sides and folded to A5, to pass around.
    #[serde(rename = "a5-leaflet")]
    A5Leaflet,
    /// Both.
    #[serde(rename = "both")]
    Both,
}
