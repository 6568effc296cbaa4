//! The Atom feed (RFC 4287): what is to come, the latest changes first.

use askama::Template as _;
use jiff::Timestamp;
use raccord_model::{EntityId, Lang, Status};

use crate::clean;
use crate::item::Item;
use crate::site::{Site, page_path};
use crate::words;

/// More entries than this no reader shows.
const MOST: usize = 100;

#[derive(askama::Template)]
#[template(path = "feed.xml")]
struct Feed<'a> {
    lang: Lang,
    id: EntityId,
    title: String,
    place: String,
    updated: Timestamp,
    own: Option<String>,
    site: String,
    base: Option<&'a str>,
    entries: Vec<Entry>,
}

struct Entry {
    id: EntityId,
    title: String,
    href: String,
    updated: Timestamp,
    kind: String,
    summary: String,
}

/// The feed called `id`, of `items` with the instant each was last changed; `generated` is its own
/// where it has no entry.
pub(crate) fn write(
    site: &Site,
    lang: Lang,
    id: EntityId,
    items: &[(&Item, Timestamp)],
    generated: Timestamp,
) -> Result<String, askama::Error> {
    let mut latest: Vec<&(&Item, Timestamp)> = items.iter().collect();
    latest.sort_by_key(|(_, changed)| std::cmp::Reverse(*changed));
    let entries: Vec<Entry> = latest
        .into_iter()
        .take(MOST)
        .map(|(item, changed)| entry(site, lang, item, *changed))
        .collect();
    let place = clean::line(&site.place.name, 200);
    Feed {
        lang,
        id,
        title: format!("{place} – {}", words::labels(lang).programme),
        place,
        updated: entries.first().map_or(generated, |entry| entry.updated),
        own: site.address("feed.xml"),
        site: site
            .address("index.html")
            .unwrap_or_else(|| "index.html".to_owned()),
        base: site.base_url.as_ref().map(url::Url::as_str),
        entries,
    }
    .render()
}

fn entry(site: &Site, lang: Lang, item: &Item, updated: Timestamp) -> Entry {
    let activity = &item.activity;
    let title = clean::line(&activity.title, 300);
    let word = words::mark(lang, activity.status);
    let title = match (activity.status, word) {
        (Status::Cancelled, Some(word)) if lang == Lang::Fr => format!("{word}\u{a0}: {title}"),
        (Status::Cancelled, Some(word)) => format!("{word}: {title}"),
        (_, Some(word)) => format!("{title} ({word})"),
        (_, None) => title,
    };
    let facts = [
        words::when(lang, item.span()),
        clean::line(&activity.room, 200),
        clean::line(&activity.organiser, 200),
    ]
    .into_iter()
    .filter(|fact| !fact.is_empty())
    .collect::<Vec<_>>()
    .join(" · ");
    let (description, _) = clean::prose(&activity.description, 600);
    Entry {
        id: activity.id,
        title,
        href: site
            .page(activity.id)
            .unwrap_or_else(|| page_path(activity.id)),
        updated,
        kind: clean::line(&activity.kind, 100),
        summary: if description.is_empty() {
            facts
        } else {
            format!("{facts}\n{description}")
        },
    }
}
