//! What all files of a site have in common: the place, its address, and what replaces our look.

use raccord_model::{EntityId, Lang, Place};
use url::Url;

use crate::template::Template;

/// A site, apart from what it shows.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// The place it is about.
    pub(crate) place: Place,
    /// Its public address with a trailing slash, where one is configured.
    pub(crate) base_url: Option<Url>,
    /// What replaces our look.
    pub(crate) template: Template,
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

    /// What the look of every page depends on besides its subject.
    pub(crate) fn look(&self, lang: Lang) -> serde_json::Value {
        serde_json::json!({
            "lang": lang,
            "name": self.place.name,
            "zone": self.place.zone,
            "base_url": self.base_url.as_ref().map(Url::as_str),
            "template": self.template.digest(),
        })
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
