//! The month as it will stand on paper: public activities, grouped by week and day, every word
//! ready to print. Pure.
//!
//! A template only lays this out. Nothing is in it that is not meant for everyone: internal
//! activities, drafts, cancelled ones and contacts never get here.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::{Date, Time, Weekday};
use raccord_kit::settings::WebAddress;
use raccord_look::Marks;
use raccord_model::{
    Activity, Civil, Digest, Entity, EntityKind, Lang, Place, Status, Undated, Visibility,
    fold_word,
};
use serde::Serialize;

use crate::hands::Tasks;
use crate::item::{Item, KIND, MORNING, NAME, item, room_for_text};
use crate::month::Month;
use crate::qr::{self, Code};
use crate::typography as set;
use crate::words::FixedWords;

/// Kinds beyond these are not in the legend, to keep it to two lines.
const LEGEND: usize = 12;
/// The longest line of what has no date yet.
const UNDATED: usize = 150;

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
    /// Where the rest of a text that was cut is found: "suite en ligne".
    pub more: &'static str,
    /// "Janvier".
    pub month: String,
    /// "2027".
    pub year: String,
    /// How many activities there are.
    pub count: usize,
    /// Kinds with their shapes, the most frequent first.
    pub kinds: Vec<Kind>,
    /// The first letter of each weekday, Monday first.
    pub weekdays: Vec<String>,
    /// Whether any activity brings credits.
    pub credited: bool,
    /// "Crédits de décembre 2026 : 1a2b …": what receipts are checked against.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub fingerprint: String,
    /// "Date à fixer : Bal de mai (Halle) · Stage": what has no date yet.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub undated: String,
    /// Every day of the month, for a view at a glance.
    pub glance: Vec<Glance>,
    /// The weeks that have activities.
    pub weeks: Vec<Week>,
    /// Addresses for telephones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<Code>,
    /// Fixed words.
    pub words: &'static FixedWords,
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
    /// Its place in the week, Monday 0.
    pub column: i8,
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
        let key = |each: &Activity| (month.shown_on(each), each.start.time(), each.start);
        key(a)
            .cmp(&key(b))
            .then_with(|| a.title.cmp(&b.title))
            .then_with(|| a.id.cmp(&b.id))
    });
    activities
}

/// The document of `activities` (as [`printable`] gives them), in the words of `lang`.
pub(crate) fn compose(
    activities: &[Activity],
    tasks: &Tasks,
    month: Month,
    place: &Place,
    links: &Links,
    lang: Lang,
) -> Document {
    let words = FixedWords::of(lang);
    let marks = Marks::among(activities.iter().map(|activity| activity.kind.as_str()));
    let mark = |activity: &Activity| marks.of(&activity.kind);
    let longest = room_for_text(activities.len());
    let address = links.address(month, place);

    let mut days: BTreeMap<Date, Vec<Item>> = BTreeMap::new();
    for activity in activities {
        let item = item(activity, tasks, mark(activity), longest, month, lang);
        days.entry(month.shown_on(activity)).or_default().push(item);
    }

    Document {
        lang,
        title: month.title(lang),
        heading: "Programme".into(),
        place: set::line(&place.name, lang, NAME),
        more: if address.is_empty() {
            words.more_here
        } else {
            words.more_online
        },
        address,
        month: capital(lang.month(month.first.month())),
        year: month.first.year().to_string(),
        count: activities.len(),
        kinds: kinds(activities, &marks, lang),
        weekdays: Weekday::Monday
            .cycle_forward()
            .take(7)
            .map(|day| letter(day, lang))
            .collect(),
        credited: activities
            .iter()
            .any(|activity| activity.credits.is_some_and(|amount| amount > 0)),
        fingerprint: String::new(),
        undated: String::new(),
        glance: glance(activities, month, lang, mark),
        weeks: weeks(days, month, lang),
        codes: links.codes(month, place, words),
        words,
    }
}

/// The fingerprint of an earlier month's credits, where `members` bring it.
pub(crate) fn fingerprint(members: &[Entity], lang: Lang) -> String {
    let mut credits = members.iter();
    let Some(mark) = credits.find(|entity| entity.kind == EntityKind::Credit) else {
        return String::new();
    };
    let root = mark.text("root");
    let fits = !root.is_empty() && root.chars().all(|c| c == ' ' || c.is_ascii_hexdigit());
    match Month::of_key(mark.text("month")).filter(|_| fits) {
        Some(month) => format!("{}{root}", month.credits(lang)),
        None => String::new(),
    }
}

/// What of `members` everyone may know and has no date yet, on one line.
pub(crate) fn undated(members: &[Entity], lang: Lang) -> String {
    let all = Undated::public(members);
    let named = all.iter().map(|one| {
        let title = set::line(&one.title, lang, NAME);
        match set::line(&one.room, lang, NAME) {
            room if room.is_empty() => title,
            room => format!("{title} ({room})"),
        }
    });
    let named: Vec<String> = named.collect();
    if named.is_empty() {
        return String::new();
    }
    let label = match lang {
        Lang::Fr => "Date à fixer\u{a0}: ",
        Lang::En => "Date to be chosen: ",
    };
    set::line(&format!("{label}{}", named.join(" · ")), lang, UNDATED)
}

/// The document's address: what differs in it differs on paper. Which line an activity is does not.
pub(crate) fn digest(document: &Document, look: Digest) -> Digest {
    let mut shown = document.clone();
    for item in items(&mut shown) {
        item.key.clear();
    }
    let mut bytes = serde_json::to_vec(&shown).expect("a document always serialises into memory");
    bytes.extend_from_slice(&look.0);
    Digest::of(&bytes)
}

/// Takes out what only a sheet to sign on shows: where none is made, it changes nothing on paper.
pub(crate) fn without_signup(document: &mut Document) {
    for item in items(document) {
        item.tasks.clear();
        item.capacity = None;
    }
}

fn items(document: &mut Document) -> impl Iterator<Item = &mut Item> {
    let days = document.weeks.iter_mut().flat_map(|week| &mut week.days);
    days.flat_map(|day| &mut day.items)
}

/// Where the page leads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Links {
    /// The month's page, `{month}` standing for its key; the place's own page without it.
    pub page: Option<WebAddress>,
    /// Where people sign up.
    pub signup: Option<WebAddress>,
}

impl Links {
    /// The address on the page, in words; empty where nothing is on line.
    fn address(&self, month: Month, place: &Place) -> String {
        let address = qr::short(&place.public_url);
        if address.is_empty() {
            qr::short(&self.page(month, place))
        } else {
            address
        }
    }

    fn page(&self, month: Month, place: &Place) -> String {
        match &self.page {
            Some(page) => page.as_str().replace("{month}", &month.key()),
            None => place.public_url.clone(),
        }
    }

    fn codes(&self, month: Month, place: &Place, words: &'static FixedWords) -> Vec<Code> {
        let page = self.page(month, place);
        let signup = self.signup.as_ref().map_or("", WebAddress::as_str);
        [(page.as_str(), words.online), (signup, words.signup)]
            .into_iter()
            .filter_map(|(url, caption)| qr::code(url, caption))
            .collect()
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

fn kinds(activities: &[Activity], marks: &Marks, lang: Lang) -> Vec<Kind> {
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
        .map(|(_, (_, name))| Kind {
            name: set::line(name, lang, KIND),
            mark: marks.of(name),
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
                column: date.weekday().to_monday_zero_offset(),
                letter: letter(date.weekday(), lang),
                weekend: is_weekend(date),
                marks: Vec::new(),
            };
            (date, glance)
        })
        .collect();
    for activity in activities {
        let first = month.shown_on(activity);
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

fn letter(day: Weekday, lang: Lang) -> String {
    capital(&lang.weekday(day)[..1])
}

fn is_weekend(date: Date) -> bool {
    date.weekday().to_monday_zero_offset() >= 5
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    first.chain(chars).collect()
}
