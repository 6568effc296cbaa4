//! What two lines are compared by.

use raccord_model::{Civil, Digest, Fields, fold_word};
use serde_json::Value;

/// A line reduced to what tells it from others.
#[derive(Clone, Debug, Default)]
pub struct Features {
    /// The title, folded.
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

/// From here on letters say that a title is the same but for a slip of the hand.
const SLIP: f64 = 0.8;
/// How alike a title and the same title with more words are taken to be.
const COMPLETED: f64 = 0.7;
/// A word of so many letters is a genre even with a slip of the hand in it.
const LONG_GENRE: usize = 6;
/// A description of this many groups of three letters is a story of its own.
const STORY: usize = 15;
/// Titles are compared letter by letter up to here.
const LONGEST: usize = 100;

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
        let title = text("title");
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
            start: civil("start"),
            end: civil("end"),
            room: text("room"),
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

    /// What it says of itself but for the moment, where that is long enough to be told from
    /// others.
    pub(super) fn story(&self) -> Option<Digest> {
        (self.description.len() >= STORY).then_some(self.timeless)
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
    fn completes(&self, other: &Self) -> bool {
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

    /// Whether nothing but the title differs, and what stands beside it could hardly be another's.
    pub fn only_title_differs(&self, other: &Self) -> bool {
        self.start.is_some() && self.rest == other.rest && self.spoken >= 2
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
        if !self.description.is_empty() && !other.description.is_empty() {
            for_it += if dice(&self.description, &other.description) >= 0.7 {
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

/// The title without its genre, and whether anything is left of it.
fn without_kind(title: &str, kind: &str) -> (String, bool) {
    let generic = |word: &str| {
        GENRES.contains(&word)
            || kind.split(' ').any(|part| part == word)
            || GENRES.iter().any(|genre| is_slip(word, genre))
    };
    let rest: Vec<&str> = title
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty() && !generic(word))
        .collect();
    if rest.is_empty() {
        (title.to_owned(), false)
    } else {
        (rest.join(" "), true)
    }
}

/// Whether a long word is a genre with a slip of the hand in it; what begins and ends otherwise is
/// not looked at.
fn is_slip(word: &str, genre: &str) -> bool {
    let (one, other) = (word.as_bytes(), genre.as_bytes());
    one.len() >= LONG_GENRE
        && one.len().abs_diff(other.len()) <= 1
        && (one.first() == other.first() || one.last() == other.last())
        && slips(word, genre) >= SLIP
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

/// One less the share of letters that must be changed, left out, put in or exchanged with their
/// neighbour to make one title the other; 0 where that is more than a slip or two.
fn slips(a: &str, b: &str) -> f64 {
    let (a, b): (Vec<char>, Vec<char>) = (
        a.chars().take(LONGEST).collect(),
        b.chars().take(LONGEST).collect(),
    );
    let longer = a.len().max(b.len());
    if longer == 0 || a.len().abs_diff(b.len()) > 2 {
        return 0.0;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut next = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let changed = row[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            next[j] = changed.min(row[j] + 1).min(next[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                next[j] = next[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut row, next);
    }
    let slips = row[b.len()];
    if slips > 2 {
        return 0.0;
    }
    1.0 - slips as f64 / longer as f64
}

/// Words that name a genre and tell no two activities apart (folded).
const GENRES: &[&str] = &[
    "concert",
    "atelier",
    "reunion",
    "projection",
    "debat",
    "formation",
    "cour",
    "stage",
    "film",
    "cine",
    "spectacle",
    "soiree",
    "repa",
    "permanence",
    "chantier",
    "rencontre",
    "visite",
    "exposition",
    "expo",
    "conference",
    "fete",
    "bal",
    "workshop",
    "meeting",
    "screening",
    "class",
    "course",
    "talk",
    "party",
    "de",
    "du",
    "la",
    "le",
    "les",
    "l",
    "d",
    "un",
    "une",
    "the",
    "a",
    "of",
    "and",
    "et",
    "au",
    "aux",
    "en",
];

/// The groups of three letters of a text, sorted, each once; a letter takes 21 bits.
type Grams = Box<[u64]>;

fn grams(text: &str) -> Grams {
    if text.is_empty() {
        return Grams::default();
    }
    let padded: Vec<u64> = std::iter::once(' ')
        .chain(text.chars())
        .chain([' '])
        .map(u64::from)
        .collect();
    let mut grams: Vec<u64> = padded
        .windows(3)
        .map(|letters| letters[0] << 42 | letters[1] << 21 | letters[2])
        .collect();
    grams.sort_unstable();
    grams.dedup();
    grams.into()
}

/// Twice what both share, of what both have.
fn dice(a: &[u64], b: &[u64]) -> f64 {
    if a.is_empty() && b.is_empty() {
        return 1.0;
    }
    let (mut shared, mut left, mut right) = (0_usize, 0, 0);
    while let (Some(one), Some(other)) = (a.get(left), b.get(right)) {
        shared += usize::from(one == other);
        left += usize::from(one <= other);
        right += usize::from(other <= one);
    }
    2.0 * shared as f64 / (a.len() + b.len()) as f64
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
