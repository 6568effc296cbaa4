//! What two lines are compared by.

use std::collections::BTreeSet;

use raccord_model::{Civil, Fields, fold_word};
use serde_json::Value;

/// A line reduced to what tells it from others.
#[derive(Clone, Debug, Default)]
pub struct Features {
    /// The title, folded.
    pub title: String,
    /// The title without the words of its kind ("concert", "atelier") and without numbers' dressing.
    own_title: String,
    title_grams: BTreeSet<[char; 3]>,
    own_grams: BTreeSet<[char; 3]>,
    description: BTreeSet<[char; 3]>,
    /// The start.
    pub start: Option<Civil>,
    /// The end.
    pub end: Option<Civil>,
    /// The room, folded.
    pub room: String,
    kind: String,
    organiser: String,
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
        let own_title = without_kind(&title, &kind);
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
        }
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
            1.0
        } else {
            dice(&self.title_grams, &other.title_grams)
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
        let alike = dice(&self.own_grams, &other.own_grams);
        // "Cours 3" and "Cours 4" are alike to the letter and are not the same course.
        if numbers(&self.own_title) == numbers(&other.own_title) {
            alike
        } else {
            alike.min(0.4)
        }
    }

    /// Whether nothing but the moment differs.
    pub fn same_but_moment(&self, other: &Self) -> bool {
        self.title == other.title
            && self.room == other.room
            && self.kind == other.kind
            && self.organiser == other.organiser
            && self.description == other.description
    }

    /// Whether the civil moments are the same.
    pub fn same_moment(&self, other: &Self) -> bool {
        self.start == other.start && self.end == other.end
    }
}

fn without_kind(title: &str, kind: &str) -> String {
    let generic: BTreeSet<&str> = kind.split(' ').chain(GENRES.iter().copied()).collect();
    let rest: Vec<&str> = title
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty() && !generic.contains(word))
        .collect();
    if rest.is_empty() {
        title.to_owned()
    } else {
        rest.join(" ")
    }
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

fn grams(text: &str) -> BTreeSet<[char; 3]> {
    let padded: Vec<char> = std::iter::once(' ')
        .chain(text.chars())
        .chain([' '])
        .collect();
    if text.is_empty() {
        return BTreeSet::new();
    }
    padded.windows(3).map(|w| [w[0], w[1], w[2]]).collect()
}

fn dice(a: &BTreeSet<[char; 3]>, b: &BTreeSet<[char; 3]>) -> f64 {
    if a.is_empty() && b.is_empty() {
        return 1.0;
    }
    2.0 * a.intersection(b).count() as f64 / (a.len() + b.len()) as f64
}

type Grams = BTreeSet<[char; 3]>;

fn both<'g>(a: &'g Grams, b: &'g Grams) -> Option<(&'g Grams, &'g Grams)> {
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
