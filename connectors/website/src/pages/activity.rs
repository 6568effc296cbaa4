//! The page of one activity, with everything the place says about it in public.

use askama::Template as _;
use raccord_model::{Digest, Lang, Status};

use super::list::{Link, monday, week_path};
use super::{Page, Shell, class, shell};
use crate::clean::{self, Piece};
use crate::item::Item;
use crate::jsonld;
use crate::site::{Site, calendar_path, page_path};
use crate::words;

/// The longest description on a page of its own.
const DESCRIPTION: usize = 30_000;
/// The longest description on a page of its own, in bytes once escaped.
const DESCRIPTION_BYTES: usize = 32_000;
struct Fact {
    label: &'static str,
    text: String,
    href: Option<String>,
}

#[derive(askama::Template)]
#[template(path = "activity.html", whitespace = "minimize")]
struct ActivityPage<'a> {
    shell: Shell<'a>,
    title: String,
    kind: String,
    when: String,
    start: String,
    mark: Option<&'static str>,
    why: Option<&'static str>,
    class: &'static str,
    facts: Vec<Fact>,
    paragraphs: Vec<Vec<Vec<Piece>>>,
    cut: bool,
    calendar: Option<String>,
    json: String,
    shape: Option<&'static str>,
    week: Link,
}

/// The page of one activity, marked with `mark`.
pub(crate) fn activity(
    site: &Site,
    lang: Lang,
    item: &Item,
    mark: Digest,
) -> Result<Page, askama::Error> {
    let activity = &item.activity;
    let labels = words::labels(lang);
    let path = page_path(activity.id);
    let title = clean::set(&activity.title, 500, lang);
    let when = words::when(lang, item.span());
    let (description, cut) = described(&activity.description);
    let summary = [
        when.clone(),
        clean::set(&activity.room, 80, lang),
        clean::set(&description, 150, lang),
    ]
    .into_iter()
    .filter(|part| !part.is_empty())
    .collect::<Vec<_>>()
    .join(" · ");
    let html = ActivityPage {
        shell: shell(site, lang, &path, &clean::line(&title, 120), summary, mark),
        kind: clean::set(&activity.kind, 100, lang),
        start: item.instant(activity.start, &site.place),
        mark: words::mark(lang, activity.status),
        why: match activity.status {
            Status::Cancelled => Some(labels.cancelled_why),
            Status::Tentative => Some(labels.tentative_why),
            Status::Full => Some(labels.full_why),
            Status::Confirmed | Status::Draft => None,
        },
        class: class(activity.status),
        facts: facts(site, lang, item),
        paragraphs: printed(paragraphs(&description), lang),
        cut,
        calendar: (activity.status != Status::Cancelled)
            .then(|| format!("../{}", calendar_path(activity.id))),
        json: jsonld::write(site, lang, item),
        shape: raccord_look::usual(&activity.kind).map(raccord_look::path),
        week: Link::to(
            format!("../{}.html", week_path(monday(item.first()))),
            words::week(lang, monday(item.first())),
        ),
        title,
        when,
    }
    .render()?;
    Ok(Page { path, html })
}

fn facts(site: &Site, lang: Lang, item: &Item) -> Vec<Fact> {
    let activity = &item.activity;
    let labels = words::labels(lang);
    let mut facts = Vec::new();
    let mut put = |label, text: String, href: Option<&str>| {
        if !text.is_empty() {
            facts.push(Fact {
                label,
                text,
                href: href.map(str::to_owned),
            });
        }
    };
    let place = [&activity.room, &site.place.name]
        .map(|text| clean::set(text, 200, lang))
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join(", ");
    put(labels.room, place, None);
    put(
        labels.organiser,
        clean::set(&activity.organiser, 300, lang),
        None,
    );
    if let Some(capacity) = activity.capacity {
        put(labels.capacity, capacity.to_string(), None);
    }
    if let Some(credits) = activity.credits.filter(|credits| *credits != 0) {
        put(labels.credits, raccord_look::credits(credits, lang), None);
    }
    if let Some(series) = &activity.series {
        let of = match series.count {
            Some(count) => format!("{}\u{a0}/\u{a0}{count}", series.index),
            None => series.index.to_string(),
        };
        put(labels.series, of, None);
    }
    // Nobody signs up for what does not take place.
    let register = clean::address(&activity.register);
    if let Some(page) = register.filter(|_| activity.status != Status::Cancelled) {
        put(labels.register, clean::line(page, 80), Some(page));
    }
    if let Some(url) = clean::address(&activity.url) {
        put(labels.elsewhere, clean::line(url, 80), Some(url));
    }
    if let Some(guide) = clean::address(&activity.guide) {
        put(labels.guide, labels.guide_link.to_owned(), Some(guide));
    }
    facts
}

/// The description as far as its page can carry it, and whether its end is missing.
fn described(text: &str) -> (String, bool) {
    let (mut kept, mut cut) = clean::prose(text, DESCRIPTION);
    loop {
        let weight = weight(&kept);
        if weight <= DESCRIPTION_BYTES {
            break;
        }
        // Letters of several bytes, much to escape, many links: fewer fit.
        let fewer = kept.chars().count() * DESCRIPTION_BYTES / weight;
        kept = clean::prose(&kept, fewer.saturating_sub(1)).0;
        cut = true;
    }
    (kept, cut)
}

/// About how many bytes of HTML a description becomes.
fn weight(description: &str) -> usize {
    let escaped = |text: &str| -> usize {
        text.chars()
            .map(|c| match c {
                '<' | '>' | '&' | '"' | '\'' => 5,
                other => other.len_utf8(),
            })
            .sum()
    };
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => escaped(text),
        Piece::Link(link) => 2 * escaped(link) + 48,
    };
    paragraphs(description)
        .iter()
        .map(|lines| {
            let line = |line: &Vec<Piece>| 5 + line.iter().map(piece).sum::<usize>();
            25 + lines.iter().map(line).sum::<usize>()
        })
        .sum()
}

/// The words of a text as they are printed; its addresses as they are.
fn printed(mut text: Vec<Vec<Vec<Piece>>>, lang: Lang) -> Vec<Vec<Vec<Piece>>> {
    for piece in text.iter_mut().flatten().flatten() {
        if let Piece::Text(words) = piece {
            *words = raccord_look::set(words, lang);
        }
    }
    text
}

fn paragraphs(description: &str) -> Vec<Vec<Vec<Piece>>> {
    description
        .split("\n\n")
        .filter(|paragraph| !paragraph.trim().is_empty())
        .map(|paragraph| paragraph.trim().lines().map(clean::pieces).collect())
        .collect()
}
