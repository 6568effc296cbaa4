//! The settings of a site, nothing else.

use std::collections::BTreeMap;
use std::path::PathBuf;

use raccord_kit::Finding;
use raccord_kit::secret::Inline;
use raccord_kit::settings::{Gathered, Text};
use raccord_model::{Blame, Failure, When, Words};
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

/// A static web site in a folder.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The folder the site is written to; it belongs to Raccord alone. Or the address of a folder in
    /// a cloud (Nextcloud, any WebDAV server), as the Files app shows it.
    #[schemars(extend("examples" = ["out/site", "https://cloud.example.org/apps/files/?dir=/site"], "x-alone" = true))]
    pub(crate) output: Text<4096>,
    /// The account that writes there, where `output` is an address.
    #[serde(default)]
    #[schemars(extend("examples" = ["raccord"]))]
    pub(crate) user: Option<Text<256>>,
    /// Its app password. Better in a file.
    #[serde(default)]
    pub(crate) password: Option<Inline>,
    /// A file that holds the app password and nothing else.
    #[serde(default)]
    #[schemars(extend("examples" = ["secrets/nextcloud"]))]
    pub(crate) password_file: Option<PathBuf>,
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
    /// What is offered to the other places of the network without being marked in the sheet:
    /// public activities whose fields hold one of these words, under the name of the field. What
    /// the sheet says of a line counts more.
    #[serde(default)]
    #[schemars(extend("examples" = [{ "kind": ["Concert", "Fête"] }]))]
    pub(crate) share: BTreeMap<String, Vec<Text<200>>>,
    /// Where the place is, for maps (GoGoCarto, Transiscope) that read the site's map.json; without
    /// it there is no such file.
    #[serde(default)]
    pub(crate) map: Option<crate::map::Settings>,
}

/// The fields that `share` can look at.
const SHARED_BY: [&str; 7] = [
    "kind",
    "organiser",
    "room",
    "status",
    "tags",
    "title",
    "visibility",
];

impl Settings {
    /// What is offered to the network unmarked: nothing where nothing is said.
    ///
    /// # Errors
    /// When a field is none, or has no word.
    pub(crate) fn shared_by(&self) -> Result<Option<When>, Vec<Finding>> {
        let mut wrong = Gathered::default();
        for (field, words) in &self.share {
            let known = SHARED_BY.contains(&field.as_str()) && !words.is_empty();
            let made = if known {
                Ok(())
            } else {
                Err(not_shared_by(field))
            };
            wrong.take(&format!("share.{field}"), made);
        }
        let findings = wrong.findings();
        if !findings.is_empty() {
            return Err(findings);
        }
        let words = |words: &[Text<200>]| words.iter().map(|word| word.to_string()).collect();
        let fields = self.share.iter();
        let fields = fields
            .map(|(field, all)| (field.clone(), words(all)))
            .collect();
        let when = When {
            entity: Vec::new(),
            fields,
        };
        Ok((!self.share.is_empty()).then_some(when))
    }
}

fn not_shared_by(field: &str) -> Failure {
    let known = SHARED_BY.join(", ");
    Failure::new(
        Blame::Data,
        "website.share",
        Words::new(
            format!(
                "La clé «\u{a0}share.{field}\u{a0}» n’est pas une liste de mots sous un champ connu."
            ),
            format!("The key “share.{field}” is no list of words under a known field."),
        ),
        Words::new(
            format!(
                "Écrivez par exemple share = {{ kind = [\"Concert\"] }}\u{a0}; les champs\u{a0}: {known}."
            ),
            format!("Write for example share = {{ kind = [\"Concert\"] }}; the fields: {known}."),
        ),
    )
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
