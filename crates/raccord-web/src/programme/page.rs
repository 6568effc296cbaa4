//! What the programme's page shows, and how much of it goes on one page. Pure.

use askama::Template;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use raccord_look::Marks;
use raccord_model::{Activity, Lang, Place, Status, Undated};

use super::speech::{PageWords, Speech};
use super::text::{cut, web_address};

/// A title is shown up to here, a fact and a description up to there, in characters.
const TITLE: usize = 200;
const FACT: usize = 100;
const DESCRIPTION: usize = 400;
/// The most activities without a date that are shown.
const UNDATED: usize = 20;
/// The most bytes the activities of one page take, so that with its style and letters it stays
/// under 50 kB.
const ROWS: usize = 26_000;
/// About what an activity takes besides its own words, and a day or a month.
const ROW: usize = 420;
const DAY: usize = 260;

#[derive(Template)]
#[template(path = "programme.html")]
struct Page<'a> {
    lang: Lang,
    name: String,
    words: &'static PageWords,
    style: &'a str,
    address: &'a str,
    embedded: bool,
    shapes: Vec<(&'static str, &'static str)>,
    months: Vec<Month>,
    earlier: Option<usize>,
    later: Option<usize>,
    more: Option<String>,
    undated: Vec<ToDate>,
}

/// What has no date yet.
struct ToDate {
    title: String,
    url: Option<String>,
    facts: Vec<String>,
    poll: Option<String>,
}

struct Month {
    of: Date,
    name: &'static str,
    year: i16,
    days: Vec<Day>,
}

struct Day {
    date: Date,
    number: String,
    weekday: &'static str,
    month: &'static str,
    weekend: bool,
    today: bool,
    items: Vec<Item>,
}

struct Item {
    on: Date,
    when: String,
    title: String,
    url: Option<String>,
    kind: String,
    shape: &'static str,
    mark: Option<&'static str>,
    class: &'static str,
    facts: Vec<String>,
    description: String,
}

/// What is on, as a place handed it in, and where it is shown.
pub(super) struct Shown<'a> {
    pub(super) place: &'a Place,
    pub(super) now: Timestamp,
    pub(super) activities: Vec<Activity>,
    /// How many more there are.
    pub(super) more: usize,
    /// What has no date yet.
    pub(super) undated: Vec<Undated>,
    /// In a frame of another site.
    pub(super) embedded: bool,
    /// Which page, from 0 on.
    pub(super) page: usize,
    pub(super) style: &'a str,
}

/// The page; nothing where there are not so many.
pub(super) fn render(shown: Shown<'_>) -> Option<String> {
    let Shown { place, now, .. } = shown;
    let speech = Speech(place.lang);
    let zone = zone_of(&place.zone);
    let today = now.to_zoned(zone.clone()).date();
    let mut activities: Vec<Activity> = shown
        .activities
        .into_iter()
        .filter(|activity| activity.is_public() && !activity.is_foreign())
        .filter(|activity| {
            let here = if activity.zone.is_empty() || activity.zone == place.zone {
                now.to_zoned(zone.clone())
            } else {
                now.to_zoned(zone_of(&activity.zone))
            };
            here.datetime() < activity.over_at()
        })
        .collect();
    activities.sort_by(|a, b| {
        let key = |it: &Activity| (it.start.date(), it.start.time());
        (key(a), &a.title, a.id).cmp(&(key(b), &b.title, b.id))
    });
    let marks = Marks::among(activities.iter().map(|activity| activity.kind.as_str()));
    let items = activities
        .iter()
        .map(|activity| item(speech, activity, today, &marks));
    let mut pages = pages(items);
    let last = pages.len().saturating_sub(1);
    if shown.page > last {
        return None;
    }
    let months = if pages.is_empty() {
        Vec::new()
    } else {
        months(speech, pages.swap_remove(shown.page), today)
    };
    let page = Page {
        lang: place.lang,
        name: cut(&place.name, TITLE),
        words: speech.words(),
        style: shown.style,
        address: &place.public_url,
        embedded: shown.embedded,
        shapes: marks
            .shapes()
            .into_iter()
            .map(|shape| (shape, raccord_look::path(shape)))
            .collect(),
        months,
        // The reader counts from 1.
        earlier: (shown.page > 0).then_some(shown.page),
        later: (shown.page < last).then_some(shown.page + 2),
        undated: if shown.page == last {
            to_date(&shown.undated, place.lang)
        } else {
            Vec::new()
        },
        more: (shown.page == last && shown.more > 0).then(|| speech.more(shown.more)),
    };
    Some(
        page.render()
            .expect("the page is written to memory and none of its parts can fail"),
    )
}

fn to_date(undated: &[Undated], lang: Lang) -> Vec<ToDate> {
    let set = |text: &str, most| raccord_look::set(&cut(text, most), lang);
    let of = |it: &Undated| ToDate {
        title: set(&it.title, TITLE),
        url: web_address(&it.url),
        facts: [&it.kind, &it.room, &it.organiser]
            .into_iter()
            .map(|fact| set(fact, FACT))
            .filter(|fact| !fact.is_empty())
            .collect(),
        poll: web_address(&it.poll),
    };
    let public = undated.iter().filter(|it| it.is_public());
    public.take(UNDATED).map(of).collect()
}

/// Items in pages that are light enough.
fn pages(items: impl Iterator<Item = Item>) -> Vec<Vec<Item>> {
    let mut pages: Vec<Vec<Item>> = Vec::new();
    let mut full = ROWS;
    for item in items {
        let same_day = pages
            .last()
            .and_then(|page| page.last())
            .is_some_and(|last| last.on == item.on);
        let weight = item.weight() + if same_day { 0 } else { DAY };
        full += weight;
        if full > ROWS {
            pages.push(Vec::new());
            full = item.weight() + DAY;
        }
        if let Some(page) = pages.last_mut() {
            page.push(item);
        }
    }
    pages
}

impl Item {
    /// About how many bytes it takes on the page.
    fn weight(&self) -> usize {
        let escaped = |text: &String| -> usize {
            text.chars()
                .map(|c| {
                    if "<>&\"'".contains(c) {
                        5
                    } else {
                        c.len_utf8()
                    }
                })
                .sum()
        };
        let words = [&self.when, &self.title, &self.kind, &self.description];
        let words = words.into_iter().chain(&self.facts).chain(&self.url);
        ROW + words.map(escaped).sum::<usize>()
    }
}

fn months(speech: Speech, items: Vec<Item>, today: Date) -> Vec<Month> {
    let lang = speech.0;
    let mut months: Vec<Month> = Vec::new();
    for item in items {
        let date = item.on;
        let of = date.first_of_month();
        if months.last().is_none_or(|month| month.of != of) {
            months.push(Month {
                of,
                name: lang.month(date.month()),
                year: date.year(),
                days: Vec::new(),
            });
        }
        let Some(month) = months.last_mut() else {
            continue;
        };
        if month.days.last().is_none_or(|day| day.date != date) {
            month.days.push(Day {
                date,
                number: speech.number(date),
                weekday: lang.weekday(date.weekday()),
                month: lang.month(date.month()),
                weekend: Speech::weekend(date),
                today: date == today,
                items: Vec::new(),
            });
        }
        if let Some(day) = month.days.last_mut() {
            day.items.push(item);
        }
    }
    months
}

fn item(speech: Speech, activity: &Activity, today: Date, marks: &Marks) -> Item {
    let words = speech.words();
    let set = |text: &str, most| raccord_look::set(&cut(text, most), speech.0);
    let (mark, class) = match activity.status {
        Status::Tentative => (Some(words.tentative), "tentative"),
        Status::Full => (Some(words.full), "full"),
        Status::Cancelled => (Some(words.cancelled), "cancelled"),
        Status::Confirmed | Status::Draft => (None, ""),
    };
    Item {
        // What began before today stands under today for as long as it lasts.
        on: activity.start.date().max(today),
        when: speech.when(activity, today),
        title: set(&activity.title, TITLE),
        url: web_address(&activity.url),
        kind: set(&activity.kind, FACT),
        shape: marks.of(&activity.kind),
        mark,
        class,
        facts: [&activity.room, &activity.organiser]
            .into_iter()
            .map(|fact| set(fact, FACT))
            .filter(|fact| !fact.is_empty())
            .collect(),
        description: set(&activity.description, DESCRIPTION),
    }
}

fn zone_of(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}
