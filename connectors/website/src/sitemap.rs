//! What search engines are told: the pages there are (sitemaps.org, protocol 0.9). Only for a site
//! that knows its own address.

use askama::Template as _;
use jiff::Timestamp;

use crate::item::Item;
use crate::site::Site;

/// Where the list lies in the site.
pub(crate) const SITEMAP: &str = "sitemap.xml";

#[derive(askama::Template)]
#[template(path = "sitemap.xml")]
struct Sitemap {
    addresses: Vec<(String, Option<Timestamp>)>,
}

/// The list: `pages` by their paths, and the page of each of `items` with the instant it was last
/// changed.
pub(crate) fn write<'p>(
    site: &Site,
    pages: impl Iterator<Item = &'p str>,
    items: &[(&Item, Timestamp)],
) -> Result<Option<String>, askama::Error> {
    if site.base_url.is_none() {
        return Ok(None);
    }
    let pages = pages.filter_map(|path| Some((site.address(path)?, None)));
    let items = items
        .iter()
        .filter_map(|(item, changed)| Some((site.page(item.activity.id)?, Some(*changed))));
    let addresses = pages.chain(items).collect();
    Sitemap { addresses }.render().map(Some)
}
