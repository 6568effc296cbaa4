//! The pages of the programme: the one people arrive on, and those of each month, week, kind, room
//! and theme.

use askama::Template as _;
use jiff::civil::Date;
use raccord_look::Marks;
use raccord_model::{Digest, Lang, Status, Undated};

use super::fit::{EXCERPTS, fitting};
use super::groups::{Group, Sort, groups};
use super::list::{
    Chip, Chips, Heading, Link, ListPage, Past, Rows, Subscribe, mixed, monday, shapes, week_path,
};
use super::names::AROUND;
use super::undated::ToDate;
use super::{Page, Shell, shell};
use crate::clean;
use crate::item::Item;
use crate::site::Site;
use crate::words::{self, Labels};

/// How many of what is already over the front page names.
const OVER: usize = 60;

/// What is on, by start.
pub(crate) struct On<'a> {
    /// What is ours.
    pub(crate) items: &'a [Item],
    /// What other places offer.
    pub(crate) around: &'a [Item],
    /// What has no date yet.
    pub(crate) undated: &'a [Undated],
}

/// What the pages of the programme are made of.
pub(crate) struct Programme<'a> {
    site: &'a Site,
    lang: Lang,
    today: Date,
    mark: Digest,
    items: &'a [Item],
    around: &'a [Item],
    undated: &'a [Undated],
    coming: Vec<Item>,
    marks: Marks,
    groups: Vec<Group>,
    months: Vec<Link>,
    /// The months, and what others offer.
    links: Vec<Link>,
    budget: usize,
}

/// A page that may go on to a second one.
struct Listing<'a> {
    path: &'a dyn Fn(usize) -> String,
    heading: Heading,
    intro: Option<&'static str>,
    title: String,
    /// The shapes of its kinds, where they are not those of the programme.
    marks: Option<Marks>,
    items: &'a [Item],
    /// What began before and goes on, on the first page.
    ongoing: Vec<&'a Item>,
    by_month: bool,
    week_links: bool,
    /// The pages before and after, where they are not parts of this one.
    around: [Option<Link>; 2],
}

impl<'a> Programme<'a> {
    /// The programme of what is `on`, as it is on `today`; pages are marked with
    /// `mark`, made of exactly this.
    pub(crate) fn new(site: &'a Site, lang: Lang, today: Date, mark: Digest, on: &On<'a>) -> Self {
        let &On {
            items,
            around,
            undated,
        } = on;
        let coming: Vec<Item> = items
            .iter()
            .filter(|item| !item.over_before(today))
            .cloned()
            .collect();
        let marks = Marks::among(items.iter().map(|item| item.activity.kind.as_str()));
        let of_sort = |sort| groups(sort, &coming, &marks, lang);
        let groups = Sort::ALL.into_iter().flat_map(of_sort).collect();
        let months: Vec<Link> = items
            .chunk_by(same_month)
            .map(|of_month| {
                let first = of_month[0].first();
                Link::to(month_path(first, 0), words::month_year(lang, first))
            })
            .collect();
        let theirs = Link::to(numbered(AROUND, 0), words::labels(lang).around);
        let theirs = (!around.is_empty()).then_some(theirs);
        Self {
            site,
            lang,
            today,
            mark,
            items,
            around,
            undated,
            marks,
            groups,
            links: months.iter().cloned().chain(theirs).collect(),
            months,
            coming,
            budget: site.budget(),
        }
    }

    /// All its pages; `index.html` is the last one.
    pub(crate) fn pages(&self) -> Result<Vec<Page>, askama::Error> {
        let mut pages = Vec::new();
        for of_month in self.items.chunk_by(same_month) {
            self.month(of_month, &mut pages)?;
        }
        let weeks: Vec<&[Item]> = self
            .items
            .chunk_by(|one, other| monday(one.first()) == monday(other.first()))
            .collect();
        for (index, of_week) in weeks.iter().enumerate() {
            let before = index.checked_sub(1).map(|index| weeks[index]);
            self.week(of_week, [before, weeks.get(index + 1).copied()], &mut pages)?;
        }
        for group in &self.groups {
            self.group(group, &mut pages)?;
        }
        self.neighbours(&mut pages)?;
        pages.push(self.index()?);
        Ok(pages)
    }

    fn labels(&self) -> &'static Labels {
        words::labels(self.lang)
    }

    fn month(&self, items: &[Item], pages: &mut Vec<Page>) -> Result<(), askama::Error> {
        let first = items[0].first().first_of_month();
        let listing = Listing {
            path: &|number| month_path(first, number),
            heading: Heading {
                text: self.lang.month(first.month()).to_owned(),
                year: Some(first.year()),
                shape: None,
            },
            intro: None,
            title: words::month_year(self.lang, first),
            marks: None,
            items,
            ongoing: Vec::new(),
            by_month: false,
            week_links: true,
            around: [None, None],
        };
        self.listed(&listing, pages)
    }

    fn week(
        &self,
        items: &[Item],
        around: [Option<&[Item]>; 2],
        pages: &mut Vec<Page>,
    ) -> Result<(), askama::Error> {
        let first = monday(items[0].first());
        let ongoing = self.items.iter().filter(|item| {
            item.first() < first
                && item.activity.over_at() > first.to_datetime(jiff::civil::Time::midnight())
                && item.lasts()
        });
        let link = |items: &[Item]| {
            let first = monday(items[0].first());
            Link::to(
                format!("../{}.html", week_path(first)),
                words::week(self.lang, first),
            )
        };
        let title = words::week(self.lang, first);
        let listing = Listing {
            path: &|number| numbered(&week_path(first), number),
            heading: Heading {
                text: title.clone(),
                year: None,
                shape: None,
            },
            intro: None,
            title,
            marks: None,
            items,
            ongoing: ongoing.collect(),
            by_month: false,
            week_links: false,
            around: around.map(|items| items.map(link)),
        };
        self.listed(&listing, pages)
    }

    fn group(&self, group: &Group, pages: &mut Vec<Page>) -> Result<(), askama::Error> {
        let listing = Listing {
            path: &|number| numbered(&group.path, number),
            heading: Heading {
                text: group.name.clone(),
                year: None,
                shape: group.shape,
            },
            intro: None,
            title: group.name.clone(),
            marks: None,
            items: &group.items,
            ongoing: Vec::new(),
            by_month: true,
            week_links: true,
            around: [None, None],
        };
        self.listed(&listing, pages)
    }

    /// What other places offer.
    fn neighbours(&self, pages: &mut Vec<Page>) -> Result<(), askama::Error> {
        let labels = self.labels();
        let kinds = self.around.iter().map(|item| item.activity.kind.as_str());
        let listing = Listing {
            path: &|number| numbered(AROUND, number),
            heading: Heading {
                text: labels.around.to_owned(),
                year: None,
                shape: None,
            },
            intro: Some(labels.around_intro),
            title: labels.around.to_owned(),
            marks: Some(Marks::among(kinds)),
            items: self.around,
            ongoing: Vec::new(),
            by_month: true,
            week_links: false,
            around: [None, None],
        };
        self.listed(&listing, pages)
    }

    /// The pages of a listing, as many as its items need.
    fn listed(&self, listing: &Listing<'_>, pages: &mut Vec<Page>) -> Result<(), askama::Error> {
        let first = (listing.path)(0);
        let root = root_of(&first);
        let nav = self.nav(&first);
        let marks = listing.marks.as_ref().unwrap_or(&self.marks);
        // Who looks at what others offer does not choose among what is ours.
        let own = listing.marks.is_none();
        let mut rest = listing.items;
        let mut number = 0;
        while !rest.is_empty() {
            let path = (listing.path)(number);
            let (taken, html) = fitting(self.budget, rest.len(), |count, excerpt| {
                let rows = Rows {
                    marks,
                    ..self.rows(root, excerpt, listing.week_links)
                };
                let part =
                    |to: usize, text: &str| Link::to(format!("{root}{}", (listing.path)(to)), text);
                let [before, after] = listing.around.clone();
                let labels = self.labels();
                ListPage {
                    shell: self.shell(&path, &listing.title, listing.title.clone()),
                    heading: &listing.heading,
                    intro: listing.intro,
                    by_month: listing.by_month,
                    home: false,
                    nav: &nav,
                    kinds: self.kinds(&first).filter(|_| own),
                    others: if own { self.others(&first) } else { Vec::new() },
                    open_only: mixed(&rest[..count]),
                    shapes: shapes(marks),
                    earlier: match number {
                        0 => before,
                        number => Some(part(number - 1, labels.earlier)),
                    },
                    later: if count < rest.len() {
                        Some(part(number + 1, labels.later))
                    } else {
                        after
                    },
                    ongoing: listing
                        .ongoing
                        .iter()
                        .take(if number == 0 { 12 } else { 0 })
                        .map(|item| rows.row(item, words::when(self.lang, item.span())))
                        .collect(),
                    months: rows.months(&rest[..count]),
                    undated: Vec::new(),
                    past: Vec::new(),
                    past_link: None,
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
    fn index(&self) -> Result<Page, askama::Error> {
        let past: Vec<&Item> = self
            .items
            .iter()
            .filter(|item| item.over_before(self.today))
            .collect();
        let heading = Heading {
            text: self.labels().programme.to_owned(),
            year: None,
            shape: None,
        };
        let over_month = past.first().map(|item| month_path(item.first(), 0));
        let past_link = over_month.map(|path| Link::to(path, self.labels().over));
        let lang = self.lang;
        let render = |count: usize, excerpt: usize, with_past: bool| {
            let rows = self.rows("", excerpt, true);
            let past: Vec<Past> = if with_past {
                past.iter().map(|item| rows.past(item)).collect()
            } else {
                Vec::new()
            };
            ListPage {
                shell: self.shell("index.html", self.labels().programme, self.summary()),
                heading: &heading,
                intro: None,
                by_month: true,
                home: true,
                nav: &self.links,
                kinds: self.kinds("index.html"),
                others: self.others("index.html"),
                open_only: mixed(&self.coming[..count]),
                shapes: shapes(&self.marks),
                earlier: None,
                later: None,
                ongoing: Vec::new(),
                months: rows.months(&self.coming[..count]),
                undated: self.undated.iter().map(|it| ToDate::of(it, lang)).collect(),
                past,
                past_link: past_link.clone().filter(|_| !with_past),
                more: if count < self.coming.len() {
                    &self.months
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
        let mut whole = None;
        for excerpt in &EXCERPTS[..2] {
            if past.len() <= OVER && whole.is_none() && self.coming.len() < self.budget / 200 {
                let html = render(self.coming.len(), *excerpt, true)?;
                whole = Some(html).filter(|html| html.len() <= self.budget);
            }
        }
        let html = if let Some(html) = whole {
            html
        } else {
            let part = |count, excerpt| render(count, excerpt, false);
            fitting(self.budget, self.coming.len(), part)?.1
        };
        Ok(Page {
            path: "index.html".to_owned(),
            html,
        })
    }

    fn rows(&self, root: &'static str, excerpt: usize, week_links: bool) -> Rows<'_> {
        Rows {
            lang: self.lang,
            root,
            marks: &self.marks,
            excerpt,
            week_links,
        }
    }

    /// The months and what others offer, as seen from the page at `path`.
    fn nav(&self, path: &str) -> Vec<Link> {
        let root = root_of(path);
        let seen = |link: &Link| Link {
            href: format!("{root}{}", link.href),
            text: link.text.clone(),
            here: link.href == path,
        };
        self.links.iter().map(seen).collect()
    }

    fn kinds(&self, path: &str) -> Option<Chips> {
        self.chips(Sort::Kind, path)
    }

    fn others(&self, path: &str) -> Vec<Chips> {
        let sorts = [Sort::Room, Sort::Tag];
        sorts
            .into_iter()
            .filter_map(|sort| self.chips(sort, path))
            .collect()
    }

    /// The groups of a sort, as seen from the page at `path`.
    fn chips(&self, sort: Sort, path: &str) -> Option<Chips> {
        let root = root_of(path);
        let chips: Vec<Chip> = self
            .groups
            .iter()
            .filter(|group| group.sort == sort)
            .map(|group| {
                let own = numbered(&group.path, 0);
                Chip {
                    href: format!("{root}{own}"),
                    name: group.name.clone(),
                    shape: group.shape,
                    count: group.items.len(),
                    here: own == path,
                }
            })
            .collect();
        let label = match sort {
            Sort::Kind => self.labels().by_kind,
            Sort::Room => self.labels().by_room,
            Sort::Tag => self.labels().by_tag,
        };
        (!chips.is_empty()).then_some(Chips { label, chips })
    }

    fn summary(&self) -> String {
        let titles: Vec<String> = self
            .coming
            .iter()
            .filter(|item| item.activity.status != Status::Cancelled)
            .take(3)
            .map(|item| {
                format!(
                    "{} ({})",
                    clean::set(&item.activity.title, 60, self.lang),
                    words::day_month(self.lang, item.first())
                )
            })
            .collect();
        titles.join(", ")
    }

    fn shell(&self, path: &str, title: &str, description: String) -> Shell<'_> {
        shell(self.site, self.lang, path, title, description, self.mark)
    }
}

fn same_month(one: &Item, other: &Item) -> bool {
    one.first().first_of_month() == other.first().first_of_month()
}

/// From a page to the site's root.
fn root_of(path: &str) -> &'static str {
    if path.contains('/') { "../" } else { "" }
}

fn month_path(day: Date, number: usize) -> String {
    let month = day.strftime("%Y-%m");
    match number {
        0 => format!("{month}.html"),
        number => format!("{month}-{}.html", number + 1),
    }
}

/// The file of the part `number` of a page.
fn numbered(path: &str, number: usize) -> String {
    match number {
        0 => format!("{path}.html"),
        number => format!("{path}_{}.html", number + 1),
    }
}
