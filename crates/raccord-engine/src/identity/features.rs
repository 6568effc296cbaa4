//! What two lines are compared by.

use raccord_model::{Civil, Digest, Fields, fold_word};
use serde_json::Value;

use super::words::{Grams, LONG_GENRE, SLIP, dice, fold_title, grams, slips, without_kind};

/// A line reduced to what tells it from others.
#[derive(Clone, Debug, Default)]
pub struct Features {
    /// The title, folded: its words.
    pub title: String,
    /// The title without the words of its kind ("concert", "atelier") and without numbers' dressing.
    own_title: String,
    title_grams: Grams,
    own_grams: Grams,
    description: Grams,
    /// The start.
    pub start: Option<Civil>,
    /// The end.
    pub end: Option<Civil>,
    /// The room, folded.
    pub room: String,
    kind: String,
    organiser: String,
    /// Whether the title says more than its genre.
    telling: bool,
    /// All that is neither title nor status, and how many of its parts tell activities apart.
    rest: Digest,
    spoken: usize,
    /// All that is neither moment nor status.
    timeless: Digest,
    /// What it says of its taking place.
    status: String,
}

/// How much each part weighs. They add up to one.
const TITLE: f64 = 0.34;
const DESCRIPTION: f64 = 0.16;
const DATE: f64 = 0.17;
const START: f64 = 0.09;
const END: f64 = 0.05;
const KIND: f64 = 0.06;
const ORGANISER: f64 = 0.07;
const ROOM: f64 = 0.06;

/// How alike a title and the same title with more words are taken to be.
const COMPLETED: f64 = 0.7;
/// A description of this many groups of three letters is a story of its own.
const STORY: usize = 15;
/// From here on two descriptions tell one story: what a house says of all its evenings is shared.
const TOLD_ALIKE: f64 = 0.85;

impl Features {
    /// The features of a line's fields.
    pub fn of(fields: &Fields) -> Self {
        let text =
            |name: &str| fold_word(fields.get(name).and_then(Value::as_str).unwrap_or_default());
        let civil = |name: &str| {
            fields
                .get(name)
                .and_then(Value::as_str)
                .and_then(|text| text.parse().ok())
        };
        let title = fields.get("title").and_then(Value::as_str);
        let title = fold_title(title.unwrap_or_default());
        let kind = text("kind");
        let (own_title, telling) = without_kind(&title, &kind);
        let (rest, spoken) = rest(fields);
        let timeless = digest_without(fields, &["start", "end", "all_day", "status", "zone"]);
        let description: String = text("description").chars().take(600).collect();
        Self {
            title_grams: grams(&title),
            own_grams: grams(&own_title),
            description: grams(&description),
            title,
            own_title,
            start: civil("start").or_else(|| civil("due")),
            end: civil("end"),
            // A task stands where its activity is.
            room: Some(text("of"))
                .filter(|of| !of.is_empty())
                .unwrap_or_else(|| text("room")),
            kind,
            organiser: text("organiser"),
            telling,
            rest,
            spoken,
            timeless,
            status: text("status"),
        }
    }

    /// How many days apart they start; none where one of them has no day.
    pub(super) fn days_to(&self, other: &Self) -> u32 {
        match (self.day(), other.day()) {
            (Some(one), Some(other)) => (other - one).get_days().unsigned_abs(),
            _ => 0,
        }
    }

    /// Whether both take place, or neither does.
    pub(super) fn same_status(&self, other: &Self) -> bool {
        self.status == other.status
    }

    /// Whether it was called off.
    pub(super) fn is_off(&self) -> bool {
        self.status == "cancelled"
    }

    /// What it says of itself but for the moment, where that is long enough to be told from
    /// others.
    pub(super) fn story(&self) -> Option<Digest> {
        (self.description.len() >= STORY).then_some(self.timeless)
    }

    /// What is told about it, as it is compared.
    pub(super) fn told(&self) -> &[u64] {
        &self.description
    }

    /// The civil day it starts.
    pub fn day(&self) -> Option<jiff::civil::Date> {
        self.start.map(Civil::date)
    }

    /// How alike two lines are, 0 to 1. What neither line has an opinion on does not count.
    pub fn likeness(&self, other: &Self) -> f64 {
        let (mut sum, mut weight) = (0.0, 0.0);
        let mut add = |share: f64, likeness: Option<f64>| {
            if let Some(likeness) = likeness {
                sum += share * likeness;
                weight += share;
            }
        };
        add(TITLE, Some(self.title_likeness(other)));
        add(
            DESCRIPTION,
            both(&self.description, &other.description).map(|(a, b)| dice(a, b)),
        );
        add(DATE, near_days(self.day(), other.day()));
        let time = |of: Option<Civil>| of.and_then(Civil::time);
        add(START, same(time(self.start), time(other.start)));
        add(END, same(time(self.end), time(other.end)));
        add(KIND, same_text(&self.kind, &other.kind));
        add(ORGANISER, same_text(&self.organiser, &other.organiser));
        add(ROOM, same_text(&self.room, &other.room));
        if weight == 0.0 { 0.0 } else { sum / weight }
    }

    /// How alike the titles are.
    pub fn title_likeness(&self, other: &Self) -> f64 {
        if self.title == other.title {
            return 1.0;
        }
        let alike = dice(&self.title_grams, &other.title_grams);
        let own = self.own_likeness(other);
        if own >= COMPLETED {
            alike.max(own)
        } else {
            alike
        }
    }

    /// How alike the titles are once the words of their kind are left out: two concerts share
    /// "concert", and that says nothing.
    pub fn own_likeness(&self, other: &Self) -> f64 {
        if self.own_title == other.own_title {
            return 1.0;
        }
        let numbers = |text: &str| -> Vec<String> {
            text.split(|c: char| !c.is_ascii_digit())
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let mut alike = dice(&self.own_grams, &other.own_grams);
        // A slip of the hand in a short word leaves few of its letters side by side.
        if alike < SLIP {
            alike = alike.max(slips(&self.own_title, &other.own_title));
        }
        // A title that was completed is still that title.
        if alike < COMPLETED && self.completes(other) {
            alike = COMPLETED;
        }
        // "Cours 3" and "Cours 4" are alike to the letter and are not the same course.
        if numbers(&self.own_title) == numbers(&other.own_title) {
            alike
        } else {
            alike.min(0.4)
        }
    }

    /// Whether one title is the other and some words more.
    pub(super) fn completes(&self, other: &Self) -> bool {
        if !self.telling || !other.telling {
            return false;
        }
        let (short, long) = if self.own_title.len() < other.own_title.len() {
            (&self.own_title, &other.own_title)
        } else {
            (&other.own_title, &self.own_title)
        };
        short.chars().count() >= 3
            && (long.starts_with(&format!("{short} ")) || long.ends_with(&format!(" {short}")))
    }

    /// Whether nothing but the title differs, whatever the status, and what stands beside it could
    /// hardly be another's.
    pub fn only_title_differs(&self, other: &Self) -> bool {
        self.start.is_some() && self.rest == other.rest && self.spoken >= 2
    }

    /// Where and how it stands: all that is neither title nor status. Nothing without a moment.
    pub(super) fn place(&self) -> Option<Digest> {
        self.start.map(|_| self.rest)
    }

    /// Whether the title is the other but for a slip of the hand, or the other and some words more.
    pub(super) fn nearly_titled(&self, other: &Self) -> bool {
        slips(&self.title, &other.title) >= SLIP || self.goes_on(other)
    }

    /// Whether one whole title is the other and some words more.
    pub(super) fn goes_on(&self, other: &Self) -> bool {
        let (short, long) = if self.title.len() < other.title.len() {
            (&self.title, &other.title)
        } else {
            (&other.title, &self.title)
        };
        short.len() >= LONG_GENRE
            && long
                .strip_prefix(short.as_str())
                .is_some_and(|more| more.starts_with(' '))
    }

    /// How many of the hour, the room, who runs it, the kind and the description differ. What only
    /// one of them says is no difference.
    pub(super) fn differences(&self, other: &Self) -> usize {
        let differ = |a: &str, b: &str| !a.is_empty() && !b.is_empty() && a != b;
        let told = !self.description.is_empty()
            && !other.description.is_empty()
            && self.description != other.description;
        [
            !self.same_hour(other),
            differ(&self.room, &other.room),
            differ(&self.organiser, &other.organiser),
            differ(&self.kind, &other.kind),
            told,
        ]
        .into_iter()
        .filter(|differs| *differs)
        .count()
    }

    /// Whether two titles that share their words are told apart by what stands beside them: a slip
    /// of the hand, or some words more, change little else.
    pub(super) fn told_otherwise(&self, other: &Self) -> bool {
        let status = usize::from(!self.same_status(other));
        !self.nearly_titled(other) && self.differences(other) + status >= 2
    }

    /// Whether the same people run it in the same room.
    pub(super) fn same_hosts(&self, other: &Self) -> bool {
        !self.organiser.is_empty()
            && self.organiser == other.organiser
            && !self.room.is_empty()
            && self.room == other.room
    }

    /// Whether both say the same about themselves at length.
    pub fn same_story(&self, other: &Self) -> bool {
        self.description.len() >= STORY && dice(&self.description, &other.description) >= 0.9
    }

    /// Of two lines on the same day whose titles say little: what speaks for one activity, less
    /// what speaks against it.
    pub fn same_slot(&self, other: &Self) -> i32 {
        let both = |a: &str, b: &str| !a.is_empty() && !b.is_empty();
        let time = |of: &Self| of.start.and_then(Civil::time);
        let mut for_it = i32::from(time(self).is_some() && time(self) == time(other));
        for_it += i32::from(both(&self.room, &other.room) && self.room == other.room);
        if both(&self.organiser, &other.organiser) {
            for_it += if self.organiser == other.organiser {
                1
            } else {
                -1
            };
        }
        if both(&self.kind, &other.kind) && self.kind != other.kind {
            for_it -= 1;
        }
        if !self.description.is_empty() && !other.description.is_empty() {
            for_it += if dice(&self.description, &other.description) >= TOLD_ALIKE {
                2
            } else {
                -1
            };
        }
        for_it
    }

    /// Whether nothing but the moment differs. What only one of them says (a column came or went)
    /// is no difference.
    pub fn same_but_moment(&self, other: &Self) -> bool {
        let agree = |a: &str, b: &str| a == b || a.is_empty() || b.is_empty();
        self.title == other.title
            && agree(&self.room, &other.room)
            && agree(&self.kind, &other.kind)
            && agree(&self.organiser, &other.organiser)
            && (self.description == other.description
                || self.description.is_empty()
                || other.description.is_empty())
    }

    /// Where it stands in the programme: its moment and its room.
    pub fn slot(&self) -> (String, String) {
        let moment = self.start.map(|start| start.to_string());
        (moment.unwrap_or_default(), self.room.clone())
    }

    /// Whether they start at the same hour of whatever day.
    pub fn same_hour(&self, other: &Self) -> bool {
        self.start.and_then(Civil::time) == other.start.and_then(Civil::time)
    }

    /// Whether the civil moments are the same.
    pub fn same_moment(&self, other: &Self) -> bool {
        self.start == other.start && self.end == other.end
    }
}

/// The digest of all that is neither title nor status, and how much of it tells activities apart:
/// what is told about it most, for two lines may share a room and an organiser.
fn rest(fields: &Fields) -> (Digest, usize) {
    let said = |name: &&str| fields.contains_key(*name);
    let spoken = ["organiser", "kind", "contact", "capacity"]
        .iter()
        .filter(|name| said(name))
        .count()
        + if said(&"description") { 2 } else { 0 };
    (digest_without(fields, &["title", "status", "zone"]), spoken)
}

fn digest_without(fields: &Fields, left_out: &[&str]) -> Digest {
    let mut said = Vec::with_capacity(256);
    for (name, value) in fields {
        if !left_out.contains(&name.as_str()) {
            // Writing JSON into memory does not fail.
            drop(serde_json::to_writer(&mut said, &(name, value)));
        }
    }
    Digest::of(&said)
}

fn both<'g>(a: &'g [u64], b: &'g [u64]) -> Option<(&'g [u64], &'g [u64])> {
    (!a.is_empty() || !b.is_empty()).then_some((a, b))
}

fn same<T: PartialEq>(a: Option<T>, b: Option<T>) -> Option<f64> {
    match (a, b) {
        (None, None) => None,
        (a, b) => Some(if a == b { 1.0 } else { 0.0 }),
    }
}

fn same_text(a: &str, b: &str) -> Option<f64> {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => None,
        (true, false) | (false, true) => Some(0.3),
        (false, false) => Some(if a == b { 1.0 } else { 0.0 }),
    }
}

fn near_days(a: Option<jiff::civil::Date>, b: Option<jiff::civil::Date>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => {
            let days = (b - a).get_days().abs();
            Some(match days {
                0 => 1.0,
                1..=2 => 0.5,
                3..=14 => 0.25,
                _ => 0.0,
            })
        }
        (None, None) => None,
        _ => Some(0.0),
    }
}
