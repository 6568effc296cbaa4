//! The month as it will stand on paper: public activities, grouped by week and day, every word
//! ready to print. Pure.
//!
//! A template only lays this out. Nothing is in it that is not meant for everyone: internal
//! activities, drafts, cancelled ones and contacts never get here.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::{Date, Time};
use raccord_model::{
    Activity, Civil, Digest, Entity, EntityKind, Lang, Place, Status, Visibility, fold_word,
};
use serde::Serialize;

use crate::marks;
use crate::typography as set;

/// Of what is longer, the beginning is printed.
const TITLE: usize = 140;
const NAME: usize = 60;
const KIND: usize = 32;
const DESCRIPTION: usize = 170;
/// A month with room tells more, a crowded one less.
const DESCRIPTION_ROOMY: usize = 420;
const DESCRIPTION_CROWDED: usize = 90;
/// How many activities a roomy month has at most, and a crowded one more than.
const ROOMY: usize = 14;
const CROWDED: usize = 60;
/// Numbers beyond these are mistakes, and would not fit their column.
const MOST_PLACES: u32 = 100_000;
const MOST_CREDITS: i64 = 100_000;
/// Kinds beyond these are not in the legend, to keep it to two lines.
const LEGEND: usize = 12;

/// The document a template sees as `data.json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Document {
    /// `fr` or `en`.
    pub lang: Lang,
    /// The document's title: "Programme de janvier 2027".
    pub title: String,
    /// "Programme".
    pub heading: String,
    /// The place's name.
    pub place: String,
    /// Where more is to be read, without `https://`; empty where there is no such page.
    pub address: String,
    /// "Janvier".
    pub month: String,
    /// "2027".
    pub year: String,
    /// How many activities there are.
    pub count: usize,
    /// Kinds with their shapes, the most frequent first.
    pub kinds: Vec<Kind>,
    /// Every day of the month, for a view at a glance.
    pub glance: Vec<Glance>,
    /// The weeks that have activities.
    pub weeks: Vec<Week>,
    /// Fixed words.
    pub words: FixedWords,
}

/// A kind of activity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Kind {
    /// In the place's own words.
    pub name: String,
    /// Its shape.
    pub mark: &'static str,
}

/// One day in the view at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Glance {
    /// The day of the month.
    pub day: i8,
    /// The first letter of the weekday.
    pub letter: String,
    /// Whether it is a Saturday or Sunday.
    pub weekend: bool,
    /// The shape of each activity that takes place.
    pub marks: Vec<&'static str>,
}

/// A week of the month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Week {
    /// "Du 4 au 10 janvier".
    pub label: String,
    /// Its days that have activities.
    pub days: Vec<Day>,
}

/// A day of the month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Day {
    /// The day of the month.
    pub number: i8,
    /// "lundi".
    pub weekday: String,
    /// "lundi 4 janvier".
    pub label: String,
    /// Whether it is a Saturday or Sunday.
    pub weekend: bool,
    /// What takes place, earliest first.
    pub items: Vec<Item>,
}

/// An activity. Empty texts are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Item {
    /// "18 h 30", "toute la journée".
    pub from: String,
    /// "20 h 30".
    #[serde(skip_serializing_if = "String::is_empty")]
    pub to: String,
    /// "jusqu’au dim. 14", for what ends on a later day.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub until: String,
    /// What it is called.
    pub title: String,
    /// Its kind.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Its kind's shape.
    pub mark: &'static str,
    /// The room.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub room: String,
    /// Who runs it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub organiser: String,
    /// What it is about.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// "20 places".
    #[serde(skip_serializing_if = "String::is_empty")]
    pub places: String,
    /// "2 crédits".
    #[serde(skip_serializing_if = "String::is_empty")]
    pub credits: String,
    /// Whether nobody more can come.
    pub full: bool,
    /// Whether it may not take place.
    pub tentative: bool,
}

/// Words a template prints that do not come from the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FixedWords {
    full: &'static str,
    tentative: &'static str,
    continued: &'static str,
    page: &'static str,
    credits: &'static str,
    glance: &'static str,
    edition: &'static str,
}

const FRENCH: FixedWords = FixedWords {
    full: "Complet",
    tentative: "À confirmer",
    continued: "suite",
    page: "page",
    credits: "Les crédits remercient celles et ceux qui donnent un coup de main.",
    glance: "Le mois d’un coup d’œil",
    edition: "Édition du",
};

const ENGLISH: FixedWords = FixedWords {
    full: "Full",
    tentative: "To be confirmed",
    continued: "continued",
    page: "page",
    credits: "Credits thank everyone who lends a hand.",
    glance: "The month at a glance",
    edition: "Edition of",
};

/// A month of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Month {
    /// Its first day.
    pub first: Date,
}

impl Month {
    /// Reads a publication's key, `2027-01`.
    pub(crate) fn of_key(key: &str) -> Option<Self> {
        let fits = key.len() == 7 && key.is_ascii();
        let first = fits.then(|| format!("{key}-01").parse().ok())??;
        Some(Self { first })
    }

    fn last(self) -> Date {
        self.first.last_of_month()
    }

    /// "Programme de janvier 2027".
    pub(crate) fn title(self, lang: Lang) -> String {
        let year = self.first.year();
        let number = self.first.month();
        match lang {
            Lang::Fr => format!("Programme {} {year}", set::of_month(number)),
            Lang::En => format!("Programme for {} {year}", lang.month(number)),
        }
    }

    /// The name of its file.
    pub(crate) fn file(self) -> String {
        format!(
            "programme-{:04}-{:02}.pdf",
            self.first.year(),
            self.first.month()
        )
    }
}

/// What may be printed of `members`: public activities that take place in `month`, by their first day
/// in it, then whole days, then the hour, title and id.
pub(crate) fn printable(members: &[Entity], month: Month) -> Vec<Activity> {
    let mut activities: Vec<Activity> = members
        .iter()
        .filter(|entity| entity.kind == EntityKind::Activity)
        .filter_map(Activity::of)
        .filter(|activity| activity.visibility == Visibility::Public)
        .filter(|activity| !matches!(activity.status, Status::Draft | Status::Cancelled))
        .filter(|activity| {
            let begins = month.first.to_datetime(Time::midnight());
            activity.start.date() <= month.last() && activity.over_at() > begins
        })
        .collect();
    activities.sort_by(|a, b| {
        let key = |each: &Activity| (shown_on(each, month), each.start.time(), each.start);
        key(a)
            .cmp(&key(b))
            .then_with(|| a.title.cmp(&b.title))
            .then_with(|| a.id.cmp(&b.id))
    });
    activities
}

/// The day it stands under: what began earlier stands under the month's first day.
fn shown_on(activity: &Activity, month: Month) -> Date {
    activity.start.date().max(month.first)
}

/// The document of `activities` (as [`printable`] gives them), in the words of `lang`.
pub(crate) fn compose(
    activities: &[Activity],
    month: Month,
    place: &Place,
    lang: Lang,
) -> Document {
    let shapes = marks::assign(activities.iter().map(|activity| activity.kind.as_str()));
    let mark = |activity: &Activity| shapes[&fold_word(&activity.kind)];
    let longest = match activities.len() {
        few if few <= ROOMY => DESCRIPTION_ROOMY,
        many if many > CROWDED => DESCRIPTION_CROWDED,
        _ => DESCRIPTION,
    };

    let mut days: BTreeMap<Date, Vec<Item>> = BTreeMap::new();
    for activity in activities {
        let item = item(activity, mark(activity), longest, month, lang);
        days.entry(shown_on(activity, month))
            .or_default()
            .push(item);
    }

    Document {
        lang,
        title: month.title(lang),
        heading: "Programme".into(),
        place: set::line(&place.name, lang, NAME),
        address: address(&place.public_url),
        month: capital(lang.month(month.first.month())),
        year: month.first.year().to_string(),
        count: activities.len(),
        kinds: kinds(activities, &shapes, lang),
        glance: glance(activities, month, lang, mark),
        weeks: weeks(days, month, lang),
        words: match lang {
            Lang::Fr => FRENCH,
            Lang::En => ENGLISH,
        },
    }
}

/// The document's address: what differs in it differs on paper.
pub(crate) fn digest(document: &Document, template: Digest) -> Digest {
    let mut bytes = serde_json::to_vec(document).expect("a document always serialises into memory");
    bytes.extend_from_slice(&template.0);
    Digest::of(&bytes)
}

/// The month in a few lines of plain text, for a person who wants to know what will be printed.
pub(crate) fn listing(activities: &[Activity], month: Month, lang: Lang) -> String {
    let mut text = month.title(lang);
    for activity in activities {
        let item = item(activity, "", DESCRIPTION, month, lang);
        text.push('\n');
        text.push_str(&set::day_of(shown_on(activity, month), month.first, lang));
        text.push_str(", ");
        text.push_str(&item.from);
        if !item.to.is_empty() {
            text.push_str(" – ");
            text.push_str(&item.to);
        }
        if !item.until.is_empty() {
            text.push_str(" (");
            text.push_str(&item.until);
            text.push(')');
        }
        text.push_str(" · ");
        text.push_str(&item.title);
        if !item.room.is_empty() {
            text.push_str(" · ");
            text.push_str(&item.room);
        }
        let words = if lang == Lang::Fr { &FRENCH } else { &ENGLISH };
        for (is, word) in [(item.full, words.full), (item.tentative, words.tentative)] {
            if is {
                text.push_str(" · ");
                text.push_str(word);
            }
        }
    }
    text.replace('\u{200b}', "")
}

fn item(activity: &Activity, mark: &'static str, longest: usize, month: Month, lang: Lang) -> Item {
    let (from, to, until) = hours(activity, month, lang);
    let title = set::line(&activity.title, lang, TITLE);
    Item {
        from,
        to,
        until,
        title: if title.is_empty() {
            "…".into()
        } else {
            title
        },
        kind: set::line(&activity.kind, lang, KIND),
        mark,
        room: set::line(&activity.room, lang, NAME),
        organiser: set::line(&activity.organiser, lang, NAME),
        description: set::line(&activity.description, lang, longest),
        places: activity
            .capacity
            .filter(|count| (1..=MOST_PLACES).contains(count))
            .map(set::places)
            .unwrap_or_default(),
        credits: activity
            .credits
            .filter(|hundredths| (1..=MOST_CREDITS).contains(hundredths))
            .map(|hundredths| set::credits(hundredths, lang))
            .unwrap_or_default(),
        full: activity.status == Status::Full,
        tentative: activity.status == Status::Tentative,
    }
}

/// An evening that ends before this hour of the next morning is one evening.
const MORNING: Time = Time::constant(6, 0, 0, 0);

/// From, to, until. An end that is not after the start is not printed.
fn hours(activity: &Activity, month: Month, lang: Lang) -> (String, String, String) {
    let first = activity.start.date();
    let began_before = first < month.first;
    let since = || {
        let day = set::day_of(first, month.first, lang);
        match lang {
            Lang::Fr => format!("depuis le {day}"),
            Lang::En => format!("since {day}"),
        }
    };
    let until = |last: Date| {
        let day = set::day_of(last, month.first, lang);
        match lang {
            Lang::Fr => format!("jusqu’au {day}"),
            Lang::En => format!("until {day}"),
        }
    };
    let whole_day = || match lang {
        Lang::Fr => "toute la journée".to_owned(),
        Lang::En => "all day".to_owned(),
    };

    let from = match activity.start {
        _ if began_before => since(),
        Civil::Day(_) => whole_day(),
        Civil::Minute(at) => set::hour(at.time(), lang),
    };
    let nothing = String::new();
    let Some(end) = activity.end else {
        return (from, nothing.clone(), nothing);
    };
    match (activity.start, end) {
        (Civil::Minute(start), Civil::Minute(end)) if end > start => {
            let same_evening = end.date() == start.date()
                || (Some(end.date()) == start.date().tomorrow().ok() && end.time() <= MORNING);
            if same_evening && !began_before {
                (from, set::hour(end.time(), lang), nothing)
            } else {
                let last = format!("{}, {}", until(end.date()), set::hour(end.time(), lang));
                (from, nothing, last)
            }
        }
        (_, end) if end.date() > first => (from, nothing, until(end.date())),
        _ => (from, nothing.clone(), nothing),
    }
}

fn weeks(days: BTreeMap<Date, Vec<Item>>, month: Month, lang: Lang) -> Vec<Week> {
    let mut weeks: Vec<(Date, Week)> = Vec::new();
    for (date, items) in days {
        let back = i64::from(date.weekday().to_monday_zero_offset());
        let monday = date.checked_sub(back.days()).unwrap_or(date);
        if weeks.last().is_none_or(|(last, _)| *last != monday) {
            let sunday = monday.checked_add(6.days()).unwrap_or(date);
            let label = set::days(monday.max(month.first), sunday.min(month.last()), lang);
            weeks.push((
                monday,
                Week {
                    label,
                    days: Vec::new(),
                },
            ));
        }
        let weekday = lang.weekday(date.weekday());
        let day = Day {
            number: date.day(),
            weekday: weekday.to_owned(),
            label: format!(
                "{} {} {}",
                capital(weekday),
                set::day_number(date, lang),
                lang.month(date.month())
            ),
            weekend: is_weekend(date),
            items,
        };
        if let Some((_, week)) = weeks.last_mut() {
            week.days.push(day);
        }
    }
    weeks.into_iter().map(|(_, week)| week).collect()
}

fn kinds(
    activities: &[Activity],
    shapes: &BTreeMap<String, &'static str>,
    lang: Lang,
) -> Vec<Kind> {
    let mut counted: BTreeMap<String, (usize, &str)> = BTreeMap::new();
    for activity in activities {
        let entry = counted
            .entry(fold_word(&activity.kind))
            .or_insert((0, &activity.kind));
        entry.0 += 1;
    }
    let mut counted: Vec<_> = counted.into_iter().collect();
    counted.sort_by_key(|(_, (count, _))| Reverse(*count));
    counted
        .into_iter()
        .map(|(folded, (_, name))| Kind {
            name: set::line(name, lang, KIND),
            mark: shapes[&folded],
        })
        .filter(|kind| !kind.name.is_empty())
        .take(LEGEND)
        .collect()
}

fn glance(
    activities: &[Activity],
    month: Month,
    lang: Lang,
    mark: impl Fn(&Activity) -> &'static str,
) -> Vec<Glance> {
    let mut days: Vec<(Date, Glance)> = month
        .first
        .series(1.day())
        .take_while(|date| *date <= month.last())
        .map(|date| {
            let glance = Glance {
                day: date.day(),
                letter: capital(&lang.weekday(date.weekday())[..1]),
                weekend: is_weekend(date),
                marks: Vec::new(),
            };
            (date, glance)
        })
        .collect();
    for activity in activities {
        let first = shown_on(activity, month);
        let last = match (activity.start, activity.end) {
            (Civil::Minute(start), Some(Civil::Minute(end))) if end.time() <= MORNING => {
                // Past midnight is still the evening before.
                end.date()
                    .yesterday()
                    .unwrap_or(end.date())
                    .max(start.date())
            }
            (_, Some(end)) => end.date(),
            (_, None) => first,
        };
        for (date, day) in &mut days {
            if first <= *date && *date <= last.max(first) {
                day.marks.push(mark(activity));
            }
        }
    }
    days.into_iter().map(|(_, day)| day).collect()
}

fn is_weekend(date: Date) -> bool {
    date.weekday().to_monday_zero_offset() >= 5
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    first.chain(chars).collect()
}

/// An address as it is printed: without its scheme and last slash.
fn address(url: &str) -> String {
    let short = url
        .trim_start_matches("https://")
        .trim_start_matches("http://");
    set::line(short.trim_end_matches('/'), Lang::En, 2 * NAME)
}
