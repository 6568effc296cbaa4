//! The HTML pages: the programme, one page per month, one per activity, and the one for addresses
//! that lead nowhere.
//!
//! No page carries a script, and none is heavier than the budget with its style: what does not fit
//! goes on to the next page. Everything that people wrote is escaped by the templates.

use askama::Template as _;
use raccord_model::{Digest, Lang, Status};

use crate::clean;
use crate::site::Site;
use crate::words::{self, Labels};

mod activity;
mod list;

pub(crate) use activity::activity;
pub(crate) use list::{Programme, is_month_page};

/// A file of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// Its path in the site.
    pub(crate) path: String,
    /// What it holds.
    pub(crate) html: String,
}

/// What every page has around its content.
struct Shell<'a> {
    lang: Lang,
    words: &'static Labels,
    /// From this page to the site's root: empty or `../`.
    root: &'static str,
    place: &'a str,
    title: String,
    description: String,
    canonical: Option<String>,
    style: String,
    header: Option<String>,
    footer: Option<String>,
    mark: Digest,
}

#[derive(askama::Template)]
#[template(path = "404.html", whitespace = "minimize")]
struct GonePage<'a> {
    lang: Lang,
    words: &'static Labels,
    place: &'a str,
    home: String,
    style: String,
}

/// The page for addresses that lead nowhere. It carries its style, for nobody knows from where it
/// is shown.
pub(crate) fn gone(site: &Site, lang: Lang) -> Result<Page, askama::Error> {
    Ok(Page {
        path: "404.html".to_owned(),
        html: GonePage {
            lang,
            words: words::labels(lang),
            place: &clean::line(&site.place.name, 200),
            home: site.address("index.html").unwrap_or_else(|| "/".to_owned()),
            style: site.template.style().replace("</", "<\\/"),
        }
        .render()?,
    })
}

fn shell<'a>(
    site: &'a Site,
    lang: Lang,
    path: &str,
    title: &str,
    description: String,
    mark: Digest,
) -> Shell<'a> {
    let root = if path.contains('/') { "../" } else { "" };
    Shell {
        lang,
        words: words::labels(lang),
        root,
        place: &site.place.name,
        title: title.to_owned(),
        description,
        canonical: site.address(path),
        style: site.template.version(),
        header: site.template.header(root),
        footer: site.template.footer(root),
        mark,
    }
}

const fn class(status: Status) -> &'static str {
    match status {
        Status::Cancelled => "cancelled",
        Status::Tentative => "tentative",
        Status::Full => "full",
        Status::Confirmed | Status::Draft => "",
    }
}
