//! The pages that list: the one people arrive on, and one or more for each month.

use askama::Template as _;
use jiff::civil::Date;
use raccord_model::{Digest, Lang, Status};

use super::{Page, Shell, class, shell};
use crate::clean;
use crate::item::Item;
use crate::site::{Site, page_path};
use crate::words;

/// The most bytes of HTML a list page has; with our style it stays under 50 kB.
const BUDGET: usize = 40_000;
/// The excerpts of descriptions in a list, the longest that lets the page fit.
const EXCERPTS: [usize; 3] = [220, 90, 0];

struct Link {
    href: String,
    text: String,
    here: bool,
}

struct Month {
    anchor: String,
    title: String,
    weeks: Vec<Week>,
}

struct Week {
    title: String,
    days: Vec<Day>,
}

struct Day {
    iso: String,
    weekday: &'static str,
    number: String,
    month: &'static str,
    rows: Vec<Row>,
}

struct Row {
    href: String,
    title: String,
    start: String,
    hours: String,
    facts: Vec<String>,
    excerpt: String,
    cut: bool,
    mark: Option<&'static str>,
    class: &'static str,
}

struct Past {
    href: String,
    title: String,
    iso: String,
    day: String,
    class: &'static str,
}

struct Subscribe {
    webcal: Option<String>,
    address: String,
}

#[derive(askama::Template)]
#[template(path = "list.html", whitespace = "minimize")]
struct ListPage<'a> {
    shell: Shell<'a>,
    heading: &'a str,
    home: bool,
    nav: &'a [Link],
    months: Vec<Month>,
    past: Vec<Past>,
    past_link: Option<&'a Link>,
    earlier: Option<Link>,
    later: Option<Link>,
    more: &'a [Link],
    subscribe: Option<Subscribe>,
}

/// What the pages of the programme are made of.
pub(crate) struct Programme<'a> {
    /// The site.
    pub(crate) site: &'a Site,
    /// The language.
    pub(crate) lang: Lang,
    /// The day it is.
    pub(crate) today: Date,
    /// The digest that marks the pages as made of exactly this.
    pub(crate) mark: Digest,
    /// What is on, by start.
    pub(crate) items: &'a [Item],
}

impl Programme<'_> {
    /// All its pages; `index.html` is the last one.
    pub(crate) fn pages(&self) -> Result<Vec<Page>, askama::Error> {
        let mut pages = Vec::new();
        let mut months: Vec<Link> = Vec::new();
        for of_month in self
            .items
            .chunk_by(|one, other| one.first().first_of_month() == other.first().first_of_month())
        {
            let first = of_month[0].first().first_of_month();
            months.push(Link {
                href: month_path(first, 0),
                text: words::month_year(self.lang, first),
                here: false,
            });
        }
        for of_month in self
            .items
            .chunk_by(|one, other| one.first().first_of_month() == other.first().first_of_month())
        {
            self.month(of_month, &mut months, &mut pages)?;
        }
        pages.push(self.index(&months)?);
        Ok(pages)
    }

    /// The pages of one month, as many as its activities need.
    fn month(
        &self,
        items: &[Item],
        nav: &mut [Link],
        pages: &mut Vec<Page>,
    ) -> Result<(), askama::Error> {
        let first = items[0].first().first_of_month();
        let own = month_path(first, 0);
        for link in nav.iter_mut() {
            link.here = link.href == own;
        }
        let title = words::month_year(self.lang, first);
        let mut rest = items;
        let mut number = 0;
        while !rest.is_empty() {
            let path = month_path(first, number);
            let (taken, html) = fitting(rest.len(), |count, excerpt| {
                ListPage {
                    shell: self.shell(&path, &title, title.clone()),
                    heading: &title,
                    home: false,
                    nav,
                    months: months(self.lang, &rest[..count], excerpt),
                    past: Vec::new(),
                    past_link: None,
                    earlier: (number > 0).then(|| Link {
                        href: month_path(first, number - 1),
                        text: words::labels(self.lang).earlier.to_owned(),
                        here: false,
                    }),
                    later: (count < rest.len()).then(|| Link {
                        href: month_path(first, number + 1),
                        text: words::labels(self.lang).later.to_owned(),
                        here: false,
                    }),
                    more: &[],
                    subscribe: None,
                }
                .render()
            })?;
            pages.push(Page { path, html });
            rest = &rest[taken..];
            number += 1;
        }
        Ok(())
    }

    /// The page people arrive on: what is to come, then what is already over this month.
    fn index(&self, month_links: &[Link]) -> Result<Page, askama::Error> {
        let (over, coming): (Vec<Item>, Vec<Item>) = self
            .items
            .iter()
            .cloned()
            .partition(|item| item.over_before(self.today));
        let past: Vec<&Item> = over.iter().collect();
        let path = "index.html";
        let labels = words::labels(self.lang);
        let over_month = over
            .first()
            .map(|item| month_path(item.first().first_of_month(), 0));
        let past_link = month_links
            .iter()
            .find(|link| Some(&link.href) == over_month.as_ref());
        let render = |count: usize, excerpt: usize, with_past: bool| {
            // Months that stand on this page are a step away; the others are pages.
            let shown = months(self.lang, &coming[..count], excerpt);
            let nav: Vec<Link> = month_links
                .iter()
                .map(|link| Link {
                    href: shown
                        .iter()
                        .find(|month| month.title == link.text)
                        .map_or_else(|| link.href.clone(), |month| format!("#{}", month.anchor)),
                    text: link.text.clone(),
                    here: false,
                })
                .collect();
            ListPage {
                shell: self.shell(path, labels.programme, self.summary(&coming)),
                heading: labels.programme,
                home: true,
                nav: &nav,
                months: shown,
                past: if with_past {
                    past.iter().map(|item| self.past(item)).collect()
                } else {
                    Vec::new()
                },
                past_link: past_link.filter(|_| !with_past),
                earlier: None,
                later: None,
                more: if count < coming.len() {
                    month_links
                } else {
                    &[]
                },
                subscribe: Some(Subscribe {
                    webcal: self.site.webcal(),
                    address: self
                        .site
                        .address("calendar.ics")
                        .unwrap_or_else(|| "calendar.ics".to_owned()),
                }),
            }
            .render()
        };
        let whole = if past.len() <= 60 {
            Some(render(coming.len(), EXCERPTS[1], true)?).filter(|html| html.len() <= BUDGET)
        } else {
            None
        };
        let html = match whole {
            Some(short) => {
                let long = render(coming.len(), EXCERPTS[0], true)?;
                if long.len() <= BUDGET { long } else { short }
            }
            None => fitting(coming.len(), |count, excerpt| render(count, excerpt, false))?.1,
        };
        Ok(Page {
            path: path.to_owned(),
            html,
        })
    }

    fn summary(&self, coming: &[Item]) -> String {
        let titles: Vec<String> = coming
            .iter()
            .filter(|item| item.activity.status != Status::Cancelled)
            .take(3)
            .map(|item| {
                format!(
                    "{} ({})",
                    clean::line(&item.activity.title, 60),
                    words::day_month(self.lang, item.first())
                )
            })
            .collect();
        titles.join(", ")
    }

    fn past(&self, item: &Item) -> Past {
        Past {
            href: page_path(item.activity.id),
            title: clean::line(&item.activity.title, 120),
            iso: item.first().to_string(),
            day: words::day(self.lang, item.first()),
            class: class(item.activity.status),
        }
    }

    fn shell(&self, path: &str, title: &str, description: String) -> Shell<'_> {
        shell(self.site, self.lang, path, title, description, self.mark)
    }
}

/// Whether `name` is one a month's page has: `2027-01.html`, `2027-01-2.html`.
pub(crate) fn is_month_page(name: &str) -> bool {
    let Some(name) = name.strip_suffix(".html") else {
        return false;
    };
    let mut parts = name.splitn(3, '-');
    let digits = |part: Option<&str>, lengths: std::ops::RangeInclusive<usize>| {
        part.is_some_and(|part| {
            lengths.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
        })
    };
    digits(parts.next(), 4..=4)
        && digits(parts.next(), 2..=2)
        && match parts.next() {
            None => true,
            part => digits(part, 1..=5),
        }
}

fn month_path(first: Date, number: usize) -> String {
    let month = first.strftime("%Y-%m");
    match number {
        0 => format!("{month}.html"),
        number => format!("{month}-{}.html", number + 1),
    }
}

/// The largest page that stays within the budget: how many items it takes, and its HTML.
fn fitting(
    count: usize,
    render: impl Fn(usize, usize) -> Result<String, askama::Error>,
) -> Result<(usize, String), askama::Error> {
    // Far too many cannot fit with any excerpt; they are not even tried.
    let mut taken = count.min(BUDGET / 200);
    if taken == count {
        for excerpt in EXCERPTS {
            let html = render(count, excerpt)?;
            if html.len() <= BUDGET {
                return Ok((count, html));
            }
        }
    }
    loop {
        let html = render(taken, EXCERPTS[1])?;
        if html.len() <= BUDGET || taken <= 1 {
            return Ok((taken, html));
        }
        taken = (taken * BUDGET / html.len()).clamp(1, taken - 1);
    }
}

fn months(lang: Lang, items: &[Item], excerpt: usize) -> Vec<Month> {
    let monday = |item: &Item| {
        let first = item.first();
        let back = first.weekday().to_monday_zero_offset();
        first
            .checked_sub(jiff::Span::new().days(back))
            .unwrap_or(first)
    };
    items
        .chunk_by(|one, other| one.first().first_of_month() == other.first().first_of_month())
        .map(|of_month| Month {
            anchor: of_month[0].first().strftime("m-%Y-%m").to_string(),
            title: words::month_year(lang, of_month[0].first()),
            weeks: of_month
                .chunk_by(|one, other| monday(one) == monday(other))
                .map(|of_week| Week {
                    title: words::week(lang, monday(&of_week[0])),
                    days: of_week
                        .chunk_by(|one, other| one.first() == other.first())
                        .map(|of_day| day(lang, of_day, excerpt))
                        .collect(),
                })
                .collect(),
        })
        .collect()
}

fn day(lang: Lang, items: &[Item], excerpt: usize) -> Day {
    let first = items[0].first();
    Day {
        iso: first.to_string(),
        weekday: lang.weekday(first.weekday()),
        number: words::ordinal(lang, first),
        month: lang.month(first.month()),
        rows: items.iter().map(|item| row(lang, item, excerpt)).collect(),
    }
}

fn row(lang: Lang, item: &Item, excerpt: usize) -> Row {
    let activity = &item.activity;
    let about = if excerpt == 0 {
        String::new()
    } else {
        clean::line(&activity.description, excerpt)
    };
    Row {
        cut: about.ends_with('…') && !activity.description.trim_end().ends_with('…'),
        href: page_path(activity.id),
        title: clean::line(&activity.title, 160),
        start: activity.start.to_string(),
        hours: words::hours(lang, item.span()),
        facts: [&activity.kind, &activity.room, &activity.organiser]
            .into_iter()
            .map(|fact| clean::line(fact, 60))
            .filter(|fact| !fact.is_empty())
            .collect(),
        excerpt: about,
        mark: words::mark(lang, activity.status),
        class: class(activity.status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_month_pages_are_taken_for_month_pages() {
        for yes in ["2027-01.html", "2027-12-3.html"] {
            assert!(is_month_page(yes), "{yes}");
        }
        for no in [
            "index.html",
            "2027.html",
            "2027-01-.html",
            "2027-01.htm",
            "a2027-01.html",
        ] {
            assert!(!is_month_page(no), "{no}");
        }
    }
}
