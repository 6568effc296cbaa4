//! The calendar people subscribe to (RFC 5545, with RFC 7986's name and refresh interval): one
//! VEVENT per activity, whose UID never changes.
//!
//! SEQUENCE is the revision less one. DTSTAMP and LAST-MODIFIED are the instant the site first
//! showed the activity as it is (see [`crate::stamps`]): the same facts give the same bytes.

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use raccord_model::{Lang, Status};

use crate::clean;
use crate::item::Item;
use crate::site::Site;
use crate::words::{self, Span};
use raccord_kit::folded::Folded;

/// The longest description a calendar carries; the rest is on the page.
const DESCRIPTION: usize = 4_000;

/// How a calendar is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    /// To subscribe to: it has a name and asks to be read again every hour.
    Subscription,
    /// What other places may show, the same way.
    Shared,
    /// One activity, to be added once.
    Single,
}

impl Offer {
    /// Where the calendar is read again.
    const fn path(self) -> Option<&'static str> {
        match self {
            Self::Subscription => Some("calendar.ics"),
            Self::Shared => Some("shared.ics"),
            Self::Single => None,
        }
    }
}

/// The calendar of `items`, each with the instant it was last changed.
pub(crate) fn write<'a>(
    site: &Site,
    lang: Lang,
    offer: Offer,
    items: impl Iterator<Item = (&'a Item, Timestamp)> + Clone,
) -> String {
    let mut out = Folded::default();
    out.line("BEGIN", "VCALENDAR");
    out.line("VERSION", "2.0");
    out.line("PRODID", "-//Raccord//website//EN");
    out.line("CALSCALE", "GREGORIAN");
    out.line("METHOD", "PUBLISH");
    if let Some(path) = offer.path() {
        let name = clean::line(&site.place.name, 200);
        out.text("NAME", &name);
        out.text("X-WR-CALNAME", &name);
        out.text("X-WR-TIMEZONE", &site.place.zone);
        out.line("REFRESH-INTERVAL;VALUE=DURATION", "PT1H");
        out.line("X-PUBLISHED-TTL", "PT1H");
        if let Some(address) = site.address(path) {
            out.line("SOURCE;VALUE=URI", &address);
        }
    }
    for (name, zone) in zones(site, items.clone().map(|(item, _)| item)) {
        crate::zone::write(&mut out, &name, &zone.zone, zone.first, zone.last);
    }
    for (item, changed) in items {
        event(&mut out, site, lang, item, changed);
    }
    out.line("END", "VCALENDAR");
    out.finish()
}

/// A zone and the instants it is used between.
struct Used {
    zone: TimeZone,
    first: Timestamp,
    last: Timestamp,
}

fn zones<'a>(site: &Site, items: impl Iterator<Item = &'a Item>) -> BTreeMap<String, Used> {
    let mut used: BTreeMap<String, Used> = BTreeMap::new();
    for item in items {
        let Span::Hours(start, end) = item.span() else {
            continue;
        };
        let Some((name, zone)) = item.zone(&site.place) else {
            continue;
        };
        // A day on each side, so that no offset can put a moment outside.
        let day = SignedDuration::from_hours(24);
        let instant = |at: DateTime| {
            zone.to_ambiguous_zoned(at)
                .compatible()
                .map(|at| at.timestamp())
        };
        let (Ok(first), Ok(last)) = (instant(start), instant(end.unwrap_or(start))) else {
            continue;
        };
        let first = first.saturating_sub(day).unwrap_or(first);
        let last = last.saturating_add(day).unwrap_or(last);
        used.entry(name)
            .and_modify(|used| {
                used.first = used.first.min(first);
                used.last = used.last.max(last);
            })
            .or_insert(Used { zone, first, last });
    }
    used
}

fn event(out: &mut Folded, site: &Site, lang: Lang, item: &Item, changed: Timestamp) {
    let activity = &item.activity;
    let stamp = changed.strftime("%Y%m%dT%H%M%SZ").to_string();
    out.line("BEGIN", "VEVENT");
    out.line("UID", &format!("{}@{}.raccord", activity.id, site.place.id));
    out.line("DTSTAMP", &stamp);
    out.line("LAST-MODIFIED", &stamp);
    out.line("SEQUENCE", &item.revision.saturating_sub(1).to_string());
    out.line(
        "STATUS",
        match activity.status {
            Status::Cancelled => "CANCELLED",
            Status::Tentative => "TENTATIVE",
            Status::Confirmed | Status::Full | Status::Draft => "CONFIRMED",
        },
    );
    times(out, site, item);
    out.text("SUMMARY", &clean::line(&activity.title, 1_000));
    let location: Vec<String> = [&activity.room, &site.place.name]
        .into_iter()
        .map(|text| clean::line(text, 300))
        .filter(|text| !text.is_empty())
        .collect();
    out.text("LOCATION", &location.join(", "));
    let description = description(site, lang, item);
    if !description.is_empty() {
        out.text("DESCRIPTION", &description);
    }
    let kinds: Vec<String> = [&activity.kind]
        .into_iter()
        .chain(&activity.tags)
        .take(20)
        .map(|text| clean::line(text, 100))
        .filter(|text| !text.is_empty())
        .collect();
    if !kinds.is_empty() {
        out.texts("CATEGORIES", kinds.iter().map(String::as_str));
    }
    let address = site
        .page(item.activity.id)
        .or_else(|| clean::address(&activity.url).map(str::to_owned));
    if let Some(address) = address {
        out.line("URL", &address);
    }
    out.line("END", "VEVENT");
}

fn times(out: &mut Folded, site: &Site, item: &Item) {
    match item.span() {
        Span::Days(first, last) => {
            let date = |day: jiff::civil::Date| day.strftime("%Y%m%d").to_string();
            out.line("DTSTART;VALUE=DATE", &date(first));
            // The end of whole days is exclusive: the morning after.
            if let Ok(after) = last.tomorrow() {
                out.line("DTEND;VALUE=DATE", &date(after));
            }
        }
        Span::Hours(start, end) => {
            let parameter = item
                .zone(&site.place)
                .map_or_else(String::new, |(name, _)| format!(";TZID={name}"));
            let minute = |at: DateTime| at.strftime("%Y%m%dT%H%M00").to_string();
            out.line(&format!("DTSTART{parameter}"), &minute(start));
            if let Some(end) = end {
                out.line(&format!("DTEND{parameter}"), &minute(end));
            }
        }
    }
}

fn description(site: &Site, lang: Lang, item: &Item) -> String {
    let activity = &item.activity;
    let labels = words::labels(lang);
    let mut parts: Vec<String> = Vec::new();
    match activity.status {
        Status::Cancelled => parts.push(labels.cancelled_why.to_owned()),
        Status::Tentative => parts.push(labels.tentative_why.to_owned()),
        Status::Full => parts.push(labels.full_why.to_owned()),
        Status::Confirmed | Status::Draft => {}
    }
    let (text, _) = clean::prose(&activity.description, DESCRIPTION);
    parts.push(text);
    let labelled = |label: &str, text: &str| match lang {
        Lang::Fr => format!("{label}\u{a0}: {text}"),
        Lang::En => format!("{label}: {text}"),
    };
    let organiser = clean::line(&activity.organiser, 300);
    if !organiser.is_empty() {
        parts.push(labelled(labels.organiser, &organiser));
    }
    if let Some(page) = clean::address(&activity.register) {
        parts.push(labelled(labels.register, page));
    }
    if let Some(guide) = clean::address(&activity.guide) {
        parts.push(labelled(labels.guide, guide));
    }
    if site.page(activity.id).is_some()
        && let Some(url) = clean::address(&activity.url)
    {
        parts.push(labelled(labels.elsewhere, url));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n")
}
