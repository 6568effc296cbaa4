//! What all files of a site have in common: the place, its address, and what replaces our look.

use raccord_look::{LETTERS, LETTERS_FILE, Tint};
use raccord_model::{Digest, Entity, EntityId, Lang, Place, When};
use url::Url;

use crate::template::Template;

/// The most bytes a page has with all it needs.
const PAGE: usize = 49_500;
/// The most and the least bytes of its HTML.
const MOST: usize = 30_000;
const LEAST: usize = 15_000;

/// The picture that social networks show.
pub(crate) const PICTURE: &str = "social.png";

/// A site, apart from what it shows.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// The place it is about.
    pub(crate) place: Place,
    /// Its public address with a trailing slash, where one is configured.
    pub(crate) base_url: Option<Url>,
    /// What replaces our look.
    pub(crate) template: Template,
    /// The place's own colour.
    pub(crate) tint: Tint,
    /// What is offered to the network without being marked.
    pub(crate) shared_by: Option<When>,
    /// Where the place is, for maps.
    pub(crate) map: Option<crate::map::Settings>,
}

impl Site {
    /// The full address of one of its files, where the site's own is known.
    pub(crate) fn address(&self, path: &str) -> Option<String> {
        let address = self.base_url.as_ref()?.join(path).ok()?;
        Some(address.into())
    }

    /// The full address of an activity's page.
    pub(crate) fn page(&self, id: EntityId) -> Option<String> {
        self.address(&page_path(id))
    }

    /// The calendar's address in the scheme that calendar programs take as "subscribe".
    pub(crate) fn webcal(&self) -> Option<String> {
        let address = self.address("calendar.ics")?;
        let (_, rest) = address.split_once("://")?;
        Some(format!("webcal://{rest}"))
    }

    /// Whether an activity is offered to the network: as its line says, else as the settings do.
    pub(crate) fn shares(&self, entity: &Entity, marked: Option<bool>) -> bool {
        let by_rule = || {
            self.shared_by
                .as_ref()
                .is_some_and(|when| when.fits(entity))
        };
        marked.unwrap_or_else(by_rule)
    }

    /// The style sheet, for a page from which the letters are at `letters`.
    pub(crate) fn style(&self, letters: &str) -> String {
        self.template.style(&self.tint, letters)
    }

    /// The name by which pages ask for the style, so that a changed one is fetched again.
    pub(crate) fn version(&self) -> String {
        Digest::of(self.style(LETTERS_FILE).as_bytes()).to_string()[..8].to_owned()
    }

    /// The most bytes of HTML a page may have, so that with its style and letters it stays light.
    pub(crate) fn budget(&self) -> usize {
        let rest = self.style(LETTERS_FILE).len() + LETTERS.len();
        PAGE.saturating_sub(rest).clamp(LEAST, MOST)
    }

    /// The address of the picture that social networks show, where the site's own is known.
    pub(crate) fn picture(&self) -> Option<String> {
        self.address(PICTURE)
    }

    /// What the look of every page depends on besides its subject.
    pub(crate) fn look(&self, lang: Lang) -> serde_json::Value {
        let mut look = serde_json::json!({
            "lang": lang,
            "name": self.place.name,
            "zone": self.place.zone,
            "base_url": self.base_url.as_ref().map(Url::as_str),
            "template": self.template.digest(),
        });
        if let Some(map) = crate::map::write(self) {
            look["map"] = serde_json::json!(map);
        }
        if self.tint != Tint::default() {
            look["tint"] = serde_json::json!(self.tint.light);
        }
        look
    }
}

/// Where an activity's page lies in the site.
pub(crate) fn page_path(id: EntityId) -> String {
    format!("activities/{id}.html")
}

/// Where an activity's own calendar file lies in the site.
pub(crate) fn calendar_path(id: EntityId) -> String {
    format!("activities/{id}.ics")
}
