//! The settings of a site, nothing else.

use raccord_kit::settings::Text;
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

/// A static web site in a folder.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The folder the site is written to; it belongs to Raccord alone.
    #[schemars(extend("examples" = ["out/site"], "x-alone" = true))]
    pub(crate) output: Text<4096>,
    /// The public address of that folder: for links in the calendar and in the feed, and for the
    /// "subscribe" button.
    #[serde(default)]
    #[schemars(extend("pattern" = r"^https?://[^\s?#@]+$", "examples" = ["https://programme.example.org/"]))]
    pub(crate) base_url: Option<BaseUrl>,
    /// A folder with any of style.css, tint.css, header.html and footer.html, which replace or
    /// complete ours.
    #[serde(default)]
    #[schemars(extend("examples" = ["site-template"]))]
    pub(crate) template: Option<Text<4096>>,
}

/// The public address of the site, always with a slash at its end.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(crate) struct BaseUrl(pub(crate) Url);

impl TryFrom<String> for BaseUrl {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let refused = "write an address like https://programme.example.org/";
        let slash = if text.ends_with('/') { "" } else { "/" };
        let url = Url::parse(&format!("{text}{slash}")).map_err(|_| refused)?;
        let odd = |c: char| c.is_whitespace() || matches!(c, '?' | '#' | '@');
        let plain = ["http://", "https://"]
            .iter()
            .any(|scheme| text.starts_with(scheme) && text.len() > scheme.len());
        if plain && url.has_host() && !text.contains(odd) {
            Ok(Self(url))
        } else {
            Err(refused)
        }
    }
}
