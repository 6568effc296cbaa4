//! One activity as it is printed: its hours, its words, and how much of them there is room for. Pure.

use jiff::civil::{Date, Time};
use raccord_look::{credits, hour};
use raccord_model::{Activity, Civil, Lang, Status};
use serde::{Deserialize, Serialize};

use crate::hands::{self, Task, Tasks};
use crate::month::Month;
use crate::qr;
use crate::typography as set;
use crate::words::FixedWords;

/// Of what is longer, the beginning is printed.
const TITLE: usize = 140;
pub(crate) const NAME: usize = 60;
pub(crate) const KIND: usize = 32;
const DESCRIPTION: usize = 170;
/// A month with room tells more, a crowded one less.
const DESCRIPTION_ROOMY: usize = 420;
const DESCRIPTION_CROWDED: usize = 90;
/// What stands on one line of the closest setting, with and without the words that it goes on.
const BRIEF: usize = 66;
const BRIEF_CUT: usize = 46;
/// How many activities a roomy month has at most, and a crowded one more than.
const ROOMY: usize = 14;
const CROWDED: usize = 60;
/// Numbers beyond these are mistakes, and would not fit their column.
const MOST_PLACES: u32 = 100_000;
const MOST_CREDITS: i64 = 100_000;

/// How long a description may be in a month of `count` activities.
pub(crate) fn room_for_text(count: usize) -> usize {
    match count {
        few if few <= ROOMY => DESCRIPTION_ROOMY,
        many if many > CROWDED => DESCRIPTION_CROWDED,
        _ => DESCRIPTION,
    }
}

/// An activity. Empty texts are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Item {
    /// Which activity it is: never printed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// "18 h 30", "toute la journée".
    pub from: String,
    /// "20 h 30".
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub to: String,
    /// "jusqu’au dim. 14", for what ends on a later day.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub until: String,
    /// What it is called.
    pub title: String,
    /// Its kind.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Its kind's shape.
    #[serde(default)]
    pub mark: String,
    /// The room.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub room: String,
    /// Who runs it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub organiser: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The same on one line, where that is less.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub brief: String,
    /// Whether the description goes on elsewhere.
    #[serde(default, skip_serializing_if = "is_false")]
    pub more: bool,
    /// "20 places"; for a work party "15 coups de main".
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub places: String,
    /// "2 crédits".
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub credits: String,
    /// "2 coups de main : accueil, bar".
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hands: String,
    /// What is to be done, for the sheet to sign on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<Task>,
    /// How many people can come, for the sheet to sign on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// Whether nobody more can come.
    pub full: bool,
    /// Whether it may not take place.
    pub tentative: bool,
}

impl Item {
    /// "18 h 30 – 20 h", "toute la journée, jusqu’au dim. 14".
    pub(crate) fn hours(&self) -> String {
        let mut hours = self.from.clone();
        if !self.to.is_empty() {
            hours.push_str(" – ");
            hours.push_str(&self.to);
        }
        if !self.until.is_empty() {
            hours.push_str(", ");
            hours.push_str(&self.until);
        }
        hours
    }
}

/// The month in a few lines of plain text, for a person who wants to know what will be printed.
pub(crate) fn listing(activities: &[Activity], tasks: &Tasks, month: Month, lang: Lang) -> String {
    let mut text = month.title(lang);
    for activity in activities {
        let item = item(activity, tasks, "", DESCRIPTION, month, lang);
        text.push('\n');
        text.push_str(&set::day_of(month.shown_on(activity), month.first, lang));
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
        let words = FixedWords::of(lang);
        for (is, word) in [(item.full, words.full), (item.tentative, words.tentative)] {
            if is {
                text.push_str(" · ");
                text.push_str(word);
            }
        }
        if !item.hands.is_empty() {
            text.push_str(" · ");
            text.push_str(&item.hands);
        }
    }
    text.replace('\u{200b}', "")
}

/// The item of `activity`, its description at most `longest` characters.
pub(crate) fn item(
    activity: &Activity,
    tasks: &Tasks,
    mark: &str,
    longest: usize,
    month: Month,
    lang: Lang,
) -> Item {
    let (from, to, until) = hours(activity, month, lang);
    let tasks = tasks.get(&activity.id).map_or(&[][..], Vec::as_slice);
    let capacity = activity
        .capacity
        .filter(|count| (1..=MOST_PLACES).contains(count));
    let title = set::line(&activity.title, lang, TITLE);
    let (description, more) = set::beginning(&activity.description, lang, longest);
    let brief = match set::beginning(&activity.description, lang, BRIEF) {
        (_, false) => String::new(),
        (_, true) => set::beginning(&activity.description, lang, BRIEF_CUT).0,
    };
    let hands = hands::wanted(tasks, lang);
    // Where its tasks are named, its places are those of all who come.
    let lives_by_hands = hands.is_empty() && hands::wanted_for(&activity.kind);
    Item {
        key: activity.id.to_string(),
        from,
        to,
        until,
        title: if title.is_empty() {
            "…".into()
        } else {
            title
        },
        kind: set::line(&activity.kind, lang, KIND),
        mark: mark.to_owned(),
        room: set::line(&activity.room, lang, NAME),
        organiser: set::line(&activity.organiser, lang, NAME),
        description,
        brief,
        more,
        places: places(activity, capacity, lives_by_hands, lang),
        credits: activity
            .credits
            .filter(|hundredths| (1..=MOST_CREDITS).contains(hundredths))
            .map(|hundredths| credits(hundredths, lang))
            .unwrap_or_default(),
        hands,
        tasks: hands::listed(tasks, lang),
        capacity,
        full: activity.status == Status::Full,
        tentative: activity.status == Status::Tentative,
    }
}

/// "20 places, sur inscription": paper leads nowhere, but says that one signs up.
fn places(activity: &Activity, capacity: Option<u32>, by_hands: bool, lang: Lang) -> String {
    let count = capacity.map(|count| {
        if by_hands {
            set::hands(count, lang)
        } else {
            set::places(count)
        }
    });
    let signs_up = qr::is_address(&activity.register).then(|| set::sign_up(lang));
    let parts: Vec<String> = count.into_iter().chain(signs_up).collect();
    parts.join(", ")
}

/// Whether it is left out: most descriptions are printed whole.
#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature serde asks for"
)]
fn is_false(value: &bool) -> bool {
    !*value
}

/// An evening that ends before this hour of the next morning is one evening.
pub(crate) const MORNING: Time = Time::constant(6, 0, 0, 0);

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
        Civil::Minute(at) => hour(at.time(), lang),
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
                (from, hour(end.time(), lang), nothing)
            } else {
                let last = format!("{}, {}", until(end.date()), hour(end.time(), lang));
                (from, nothing, last)
            }
        }
        (_, end) if end.date() > first => (from, nothing, until(end.date())),
        _ => (from, nothing.clone(), nothing),
    }
}
