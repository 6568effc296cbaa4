//! The HTML pages: the programme, those of months, weeks, kinds, rooms and themes, one per activity,
//! and those for addresses that lead nowhere or to what is over.
//!
//! No page carries a script, and none is heavier than the budget with its style: what does not fit
//! goes on to the next page. Everything that people wrote is escaped by the templates.

use askama::Template as _;
use raccord_look::LETTERS_FILE;
use raccord_model::{Digest, Lang, Status};

use crate::clean;
use crate::site::Site;
use crate::words::{self, Labels};

mod activity;
mod fit;
mod groups;
mod list;
mod names;
mod programme;
mod undated;

pub(crate) use activity::activity;
pub(crate) use names::{FOLDERS, begins, is_around, is_list_page};
pub(crate) use programme::{On, Programme};

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
    /// The picture that social networks show.
    picture: Option<String>,
    /// The colour of the icon, as it stands in an address.
    icon: String,
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
    let absolute = |path: &str| site.address(path);
    let letters = absolute(LETTERS_FILE).unwrap_or_else(|| format!("/{LETTERS_FILE}"));
    Ok(Page {
        path: "404.html".to_owned(),
        html: GonePage {
            lang,
            words: words::labels(lang),
            place: &clean::line(&site.place.name, 200),
            home: absolute("index.html").unwrap_or_else(|| "/".to_owned()),
            style: site.style(&letters).replace("</", "<\\/"),
        }
        .render()?,
    })
}

#[derive(askama::Template)]
#[template(path = "past.html", whitespace = "minimize")]
struct PastPage<'a> {
    shell: Shell<'a>,
}

/// What stays at the address of a month or a week when nothing more is to come in it: activities,
/// paper and other sites lead there.
pub(crate) fn past(site: &Site, lang: Lang, path: &str) -> Result<Page, askama::Error> {
    let title = words::labels(lang).past;
    let mark = Digest::of(path.as_bytes());
    let mut shell = shell(site, lang, path, title, String::new(), mark);
    shell.canonical = None;
    Ok(Page {
        html: PastPage { shell }.render()?,
        path: path.to_owned(),
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
        style: site.version(),
        picture: site.picture(),
        icon: site.tint.light.replace('#', "%23"),
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
