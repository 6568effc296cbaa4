//! A page that lists activities by month, week and day: what its template is given.

use jiff::civil::{Date, Weekday};
use raccord_look::Marks;
use raccord_model::{Lang, Status};

use super::undated::ToDate;
use super::{Shell, class};
use crate::clean;
use crate::item::Item;
use crate::site::page_path;
use crate::words;

/// A link, and whether it leads to the page it is on.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) href: String,
    pub(super) text: String,
    pub(super) here: bool,
}

impl Link {
    pub(super) fn to(href: String, text: impl Into<String>) -> Self {
        Self {
            href,
            text: text.into(),
            here: false,
        }
    }
}

/// A link to what a reader can look for.
pub(super) struct Chip {
    pub(super) href: String,
    pub(super) name: String,
    pub(super) shape: Option<&'static str>,
    pub(super) count: usize,
    pub(super) here: bool,
}

/// Chips under a heading.
pub(super) struct Chips {
    pub(super) label: &'static str,
    pub(super) chips: Vec<Chip>,
}

/// A shape that the page draws.
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) path: &'static str,
}

pub(super) struct Month {
    pub(super) anchor: String,
    pub(super) name: &'static str,
    pub(super) year: i16,
    weeks: Vec<Week>,
}

struct Week {
    title: String,
    href: Option<String>,
    days: Vec<Day>,
}

struct Day {
    iso: String,
    weekday: &'static str,
    number: String,
    month: &'static str,
    weekend: bool,
    rows: Vec<Row>,
}

pub(super) struct Row {
    href: String,
    title: String,
    start: String,
    hours: String,
    kind: String,
    shape: &'static str,
    facts: Vec<String>,
    excerpt: String,
    cut: bool,
    mark: Option<&'static str>,
    class: &'static str,
    /// The place that offers it, where it is not ours.
    from: Option<Link>,
}

pub(super) struct Past {
    pub(super) href: String,
    pub(super) title: String,
    pub(super) iso: String,
    pub(super) day: String,
    pub(super) class: &'static str,
}

pub(super) struct Subscribe {
    pub(super) webcal: Option<String>,
    pub(super) address: String,
}

/// What stands above the list.
pub(super) struct Heading {
    pub(super) text: String,
    /// Set in the other ink.
    pub(super) year: Option<i16>,
    pub(super) shape: Option<&'static str>,
}

#[derive(askama::Template)]
#[template(path = "list.html", whitespace = "minimize")]
pub(super) struct ListPage<'a> {
    pub(super) shell: Shell<'a>,
    pub(super) heading: &'a Heading,
    /// A sentence under it.
    pub(super) intro: Option<&'static str>,
    /// Whether months have headings, days then being one level lower.
    pub(super) by_month: bool,
    pub(super) home: bool,
    pub(super) nav: &'a [Link],
    pub(super) kinds: Option<Chips>,
    pub(super) others: Vec<Chips>,
    /// Whether something is full or cancelled, and can be left out.
    pub(super) open_only: bool,
    pub(super) shapes: Vec<Shape>,
    pub(super) earlier: Option<Link>,
    pub(super) later: Option<Link>,
    pub(super) ongoing: Vec<Row>,
    pub(super) months: Vec<Month>,
    /// What has no date yet.
    pub(super) undated: Vec<ToDate>,
    pub(super) past: Vec<Past>,
    pub(super) past_link: Option<Link>,
    pub(super) more: &'a [Link],
    pub(super) subscribe: Option<Subscribe>,
}

impl ListPage<'_> {
    /// The level of the days' headings, below those of weeks and months where these are there.
    fn level(&self) -> u8 {
        let weeks = self
            .months
            .iter()
            .flat_map(|month| &month.weeks)
            .any(|week| week.href.is_some());
        2 + u8::from(weeks) + u8::from(self.by_month)
    }
}

/// How rows are written.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) lang: Lang,
    /// From the page to the site's root.
    pub(super) root: &'static str,
    pub(super) marks: &'a Marks,
    /// The longest excerpt of a description.
    pub(super) excerpt: usize,
    /// Whether weeks lead to their pages.
    pub(super) week_links: bool,
}

impl Rows<'_> {
    /// The months of `items`, which are by start.
    pub(super) fn months(&self, items: &[Item]) -> Vec<Month> {
        items
            .chunk_by(|one, other| one.first().first_of_month() == other.first().first_of_month())
            .map(|of_month| Month {
                anchor: of_month[0].first().strftime("m-%Y-%m").to_string(),
                name: self.lang.month(of_month[0].first().month()),
                year: of_month[0].first().year(),
                weeks: of_month
                    .chunk_by(|one, other| monday(one.first()) == monday(other.first()))
                    .map(|of_week| self.week(of_week))
                    .collect(),
            })
            .collect()
    }

    fn week(&self, items: &[Item]) -> Week {
        let monday = monday(items[0].first());
        Week {
            title: words::week(self.lang, monday),
            href: self
                .week_links
                .then(|| format!("{}{}.html", self.root, week_path(monday))),
            days: items
                .chunk_by(|one, other| one.first() == other.first())
                .map(|of_day| self.day(of_day))
                .collect(),
        }
    }

    fn day(&self, items: &[Item]) -> Day {
        let first = items[0].first();
        Day {
            iso: first.to_string(),
            weekday: self.lang.weekday(first.weekday()),
            number: words::ordinal(self.lang, first),
            month: self.lang.month(first.month()),
            weekend: matches!(first.weekday(), Weekday::Saturday | Weekday::Sunday),
            rows: items
                .iter()
                .map(|item| self.row(item, words::hours(self.lang, item.span())))
                .collect(),
        }
    }

    /// The row of an item, with its `hours`.
    pub(super) fn row(&self, item: &Item, hours: String) -> Row {
        let (lang, activity) = (self.lang, &item.activity);
        let about = if self.excerpt == 0 {
            String::new()
        } else {
            clean::line(&activity.description, self.excerpt)
        };
        Row {
            cut: about.ends_with('…') && !activity.description.trim_end().ends_with('…'),
            href: self.href(item),
            from: activity.is_foreign().then(|| {
                let site = clean::address(&activity.origin_url).unwrap_or_default();
                Link::to(site.to_owned(), clean::set(&activity.origin, 100, lang))
            }),
            title: clean::set(&activity.title, 160, lang),
            start: activity.start.to_string(),
            hours,
            kind: clean::set(&activity.kind, 60, lang),
            shape: self.marks.of(&activity.kind),
            facts: [&activity.room, &activity.organiser]
                .into_iter()
                .map(|fact| clean::set(fact, 60, lang))
                .filter(|fact| !fact.is_empty())
                .collect(),
            excerpt: raccord_look::set(&about, lang),
            mark: words::mark(lang, activity.status),
            class: class(activity.status),
        }
    }

    /// Where a row leads: to its page here, or to the place that offers it.
    fn href(&self, item: &Item) -> String {
        let activity = &item.activity;
        if activity.is_foreign() {
            let there = clean::address(&activity.url);
            let site = || clean::address(&activity.origin_url);
            return there.or_else(site).unwrap_or_default().to_owned();
        }
        format!("{}{}", self.root, page_path(activity.id))
    }

    /// What is over, on one line.
    pub(super) fn past(&self, item: &Item) -> Past {
        Past {
            href: format!("{}{}", self.root, page_path(item.activity.id)),
            title: clean::set(&item.activity.title, 120, self.lang),
            iso: item.first().to_string(),
            day: words::day(self.lang, item.first()),
            class: class(item.activity.status),
        }
    }
}

/// The drawings of `marks`.
pub(super) fn shapes(marks: &Marks) -> Vec<Shape> {
    let path = |name| Shape {
        name,
        path: raccord_look::path(name),
    };
    marks.shapes().into_iter().map(path).collect()
}

/// Whether something among `items` is full or cancelled, and something else is not.
pub(super) fn mixed(items: &[Item]) -> bool {
    let open = |item: &&Item| !matches!(item.activity.status, Status::Full | Status::Cancelled);
    let open = items.iter().filter(open).count();
    open > 0 && open < items.len()
}

/// The Monday of a day's week.
pub(crate) fn monday(day: Date) -> Date {
    let back = day.weekday().to_monday_zero_offset();
    day.checked_sub(jiff::Span::new().days(back)).unwrap_or(day)
}

/// Where the page of a week lies in the site, without `.html`: `weeks/2026-W53`.
pub(crate) fn week_path(monday: Date) -> String {
    let week = monday.iso_week_date();
    format!("weeks/{:04}-W{:02}", week.year(), week.week())
}
