//! What changed since the edition that hangs on the wall: one sheet to pin beside it. Pure.
//!
//! The mark of what hangs there is an entity like others, a publication with the lines it showed;
//! this only compares. Changes that nobody could notice on paper are not told.

use std::collections::BTreeMap;

use raccord_model::{Entity, EntityKind, Fields, Lang, Notice, Words};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::cut;
use crate::document::{Document, Week};
use crate::item::Item;
use crate::month::Month;
use crate::qr::Code;
use crate::template::Sheet;
use crate::words::FixedWords;

/// What one page holds; beyond it, the programme is better printed again.
const MOST: usize = 13;
/// So many changes are named to organisers.
const TOLD: usize = 5;
/// How many bytes a mark keeps at most, and how long the texts of its lines may be for that.
const KEPT_BYTES: usize = 60_000;
const KEPT_TEXTS: [usize; 3] = [usize::MAX - 1, 160, 0];

/// What hangs on the wall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wall {
    edition: u32,
    lines: BTreeMap<String, (String, Item)>,
}

/// The part of a document that a mark keeps.
#[derive(Deserialize)]
struct Shown {
    #[serde(default)]
    weeks: Vec<ShownWeek>,
}

#[derive(Deserialize)]
struct ShownWeek {
    days: Vec<ShownDay>,
}

#[derive(Deserialize)]
struct ShownDay {
    label: String,
    items: Vec<Item>,
}

impl Wall {
    /// The mark for `month` among `members`, where one was set.
    pub(crate) fn of(members: &[Entity], month: Month) -> Option<Self> {
        let mark = members.iter().find(|entity| {
            entity.kind == EntityKind::Publication
                && entity.text("kind") == "programme"
                && entity.text("period") == month.key()
                && !entity.text("printed").is_empty()
        })?;
        let edition = mark.fields.get("edition").and_then(Value::as_u64)?;
        let shown = mark.fields.get("extra")?.clone();
        let shown: Shown = serde_json::from_value(shown).ok()?;
        let edition = u32::try_from(edition).ok()?;
        let days = shown.weeks.into_iter().flat_map(|week| week.days);
        Some(Self::new(edition, days.map(|day| (day.label, day.items))))
    }

    /// A wall that shows `weeks`.
    pub(crate) fn showing(edition: u32, weeks: &[Week]) -> Self {
        let days = weeks.iter().flat_map(|week| &week.days);
        Self::new(
            edition,
            days.map(|day| (day.label.clone(), day.items.clone())),
        )
    }

    fn new(edition: u32, days: impl Iterator<Item = (String, Vec<Item>)>) -> Self {
        let lines = days.flat_map(|(label, items)| {
            items
                .into_iter()
                .map(move |item| (item.key.clone(), (label.clone(), item)))
        });
        Self {
            edition,
            lines: lines.collect(),
        }
    }
}

/// The sheet's data.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Since {
    /// `fr` or `en`.
    pub lang: Lang,
    /// "Depuis l’édition 3".
    pub heading: String,
    /// The document's title, with the month.
    pub title: String,
    /// "Janvier 2027".
    pub month: String,
    /// The place's name.
    pub place: String,
    /// Where more is to be read.
    pub address: String,
    /// What to do with the sheet.
    pub lead: String,
    /// What changed, in the order of the month.
    pub changes: Vec<Change>,
    /// Said where there is more than fits.
    pub beyond: String,
    /// Addresses for telephones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<Code>,
    /// Fixed words.
    pub words: &'static FixedWords,
}

/// One activity that is not as the wall says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Change {
    /// `new`, `gone` or `changed`.
    pub state: &'static str,
    /// The same in words.
    pub word: &'static str,
    /// "Samedi 16 janvier".
    pub day: String,
    /// The activity as it is now, or as it was.
    pub item: Item,
    /// What is not as it was.
    pub fields: Vec<Field>,
}

/// A field that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Field {
    /// "Salle".
    pub name: &'static str,
    /// As the wall says; empty where it says nothing.
    pub old: String,
    /// As it is; empty where there is nothing any more.
    pub new: String,
}

/// What a mark keeps of the `weeks` of a sheet: all lines, with shorter texts where there are many,
/// for the schema's limit on an entity's `extra`; `None` where even without texts they are too many.
pub(crate) fn kept(weeks: &Value) -> Option<Fields> {
    let cut = |most: usize| {
        let mut weeks = weeks.clone();
        for week in weeks.as_array_mut()? {
            for day in week["days"].as_array_mut()? {
                for item in day["items"].as_array_mut()? {
                    shorten(item.as_object_mut()?, most);
                }
            }
        }
        Some(weeks)
    };
    let fits = |weeks: &Value| weeks.to_string().len() <= KEPT_BYTES;
    let weeks = KEPT_TEXTS.into_iter().filter_map(cut).find(fits)?;
    Some([("weeks".to_owned(), weeks)].into_iter().collect())
}

fn shorten(item: &mut Map<String, Value>, most: usize) {
    for name in ["description", "brief"] {
        if let Some(Value::String(text)) = item.get_mut(name) {
            *text = cut::cut(text, most);
        }
    }
}

/// What organisers are told when the wall does not say what `since` says.
pub(crate) fn outdated(since: &Since, wall: &Wall, month: Month) -> Notice {
    let (edition, key) = (wall.edition, month.key());
    let file = Sheet::Since.file(&key);
    let (fr, en) = (
        said(&since.changes, Lang::Fr),
        said(&since.changes, Lang::En),
    );
    Notice {
        text: Words::new(
            format!(
                "{}, édition\u{a0}{edition}\u{a0}: ce qui est au mur n’est plus à jour. {fr}",
                month.title(Lang::Fr)
            ),
            format!(
                "{}, edition\u{a0}{edition}: what hangs on the wall is no longer true. {en}",
                month.title(Lang::En)
            ),
        ),
        mend: Words::new(
            format!(
                "Imprimez {file} et épinglez cette feuille à côté. Ou affichez le programme d’aujourd’hui, puis dites «\u{a0}raccord printed {key}\u{a0}»."
            ),
            format!(
                "Print {file} and pin that sheet beside it. Or put up today’s programme, then say `raccord printed {key}`."
            ),
        ),
    }
}

/// The first changes, each in a sentence.
fn said(changes: &[Change], lang: Lang) -> String {
    let sentence = |change: &Change| match (lang, change.state) {
        (Lang::Fr, "new") => format!("«\u{a0}{}\u{a0}» s’ajoute.", change.item.title),
        (Lang::Fr, "gone") => format!("«\u{a0}{}\u{a0}» n’a plus lieu.", change.item.title),
        (Lang::Fr, _) => format!("«\u{a0}{}\u{a0}» a changé.", change.item.title),
        (Lang::En, "new") => format!("“{}” is new.", change.item.title),
        (Lang::En, "gone") => format!("“{}” no longer takes place.", change.item.title),
        (Lang::En, _) => format!("“{}” has changed.", change.item.title),
    };
    let mut sentences: Vec<String> = changes.iter().take(TOLD).map(sentence).collect();
    if changes.len() > TOLD {
        sentences.push(match lang {
            Lang::Fr => "Et d’autres encore.".to_owned(),
            Lang::En => "And more.".to_owned(),
        });
    }
    sentences.join(" ")
}

/// The sheet for `document`, where anything changed since `wall`.
pub(crate) fn since(wall: &Wall, document: &Document) -> Option<Since> {
    let lang = document.lang;
    let mut changes = changes(wall, &document.weeks, lang);
    if changes.is_empty() {
        return None;
    }
    let beyond = changes.len().saturating_sub(MOST);
    changes.truncate(MOST);
    let edition = wall.edition;
    let month = format!("{} {}", document.month, document.year);
    let (heading, lead) = match lang {
        Lang::Fr => (
            format!("Depuis l’édition\u{a0}{edition}"),
            format!(
                "À épingler à côté du programme, édition\u{a0}{edition}. Ce qui n’est pas ici n’a pas changé."
            ),
        ),
        Lang::En => (
            format!("Since edition\u{a0}{edition}"),
            format!(
                "To pin beside the programme, edition\u{a0}{edition}. What is not here has not changed."
            ),
        ),
    };
    let beyond = match (lang, beyond) {
        (_, 0) => String::new(),
        (Lang::Fr, n) => {
            format!("Et encore {n} changements\u{a0}: mieux vaut imprimer à nouveau le programme.")
        }
        (Lang::En, n) => format!("And {n} more changes: better print the programme again."),
    };
    Some(Since {
        lang,
        title: format!("{heading} · {month}"),
        heading,
        month,
        place: document.place.clone(),
        address: document.address.clone(),
        lead,
        changes,
        beyond,
        codes: document.codes.clone(),
        words: document.words,
    })
}

fn changes(wall: &Wall, weeks: &[Week], lang: Lang) -> Vec<Change> {
    let (new, gone, changed) = match lang {
        Lang::Fr => ("Nouveau", "N’a plus lieu", "Changé"),
        Lang::En => ("New", "No longer takes place", "Changed"),
    };
    let mut before = wall.lines.clone();
    let mut changes = Vec::new();
    let days = weeks.iter().flat_map(|week| &week.days);
    for (day, item) in days.flat_map(|day| day.items.iter().map(move |item| (day, item))) {
        let (state, word, fields) = match before.remove(&item.key) {
            None => ("new", new, Vec::new()),
            Some((label, old)) => {
                let fields = fields((&label, &old), (&day.label, item), lang);
                if fields.is_empty() {
                    continue;
                }
                ("changed", changed, fields)
            }
        };
        changes.push((
            order(&day.label),
            Change {
                state,
                word,
                day: day.label.clone(),
                item: item.clone(),
                fields,
            },
        ));
    }
    for (day, item) in before.into_values() {
        changes.push((
            order(&day),
            Change {
                state: "gone",
                word: gone,
                day,
                item,
                fields: Vec::new(),
            },
        ));
    }
    changes.sort_by_key(|(day, _)| *day);
    changes.into_iter().map(|(_, change)| change).collect()
}

/// The day of the month that a label names: all of them are of one month.
fn order(label: &str) -> u32 {
    let digits: String = label
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().unwrap_or(0)
}

fn fields(old: (&str, &Item), new: (&str, &Item), lang: Lang) -> Vec<Field> {
    let names: [&'static str; 10] = match lang {
        Lang::Fr => [
            "Jour",
            "Heures",
            "Titre",
            "Genre",
            "Salle",
            "Avec",
            "Places",
            "Crédits",
            "Coups de main",
            "État",
        ],
        Lang::En => [
            "Day", "Hours", "Title", "Kind", "Room", "With", "Places", "Credits", "Hands", "State",
        ],
    };
    let words = FixedWords::of(lang);
    let said = |(day, item): (&str, &Item)| {
        let state = match (item.full, item.tentative) {
            (true, _) => words.full,
            (_, true) => words.tentative,
            _ => "",
        };
        [
            day.to_owned(),
            item.hours(),
            item.title.clone(),
            item.kind.clone(),
            item.room.clone(),
            item.organiser.clone(),
            item.places.clone(),
            item.credits.clone(),
            item.hands.clone(),
            state.to_owned(),
        ]
    };
    let text = |item: &Item| match item.brief.as_str() {
        "" => item.description.clone(),
        brief => brief.to_owned(),
    };
    // Texts that differ may be cut alike.
    let texts = (!same_text(&old.1.description, &new.1.description)).then(|| Field {
        name: match lang {
            Lang::Fr => "Texte",
            Lang::En => "Text",
        },
        old: text(old.1),
        new: text(new.1),
    });
    std::iter::zip(said(old), said(new))
        .zip(names)
        .filter(|((old, new), _)| old != new)
        .map(|((old, new), name)| Field { name, old, new })
        .chain(texts)
        .collect()
}

/// Whether two printed texts are one, however much room there was for either.
fn same_text(one: &str, other: &str) -> bool {
    let begins = |whole: &str, cut: &str| {
        cut.strip_suffix('…')
            .is_some_and(|cut| whole.starts_with(cut.trim_end()))
    };
    one == other || begins(one, other) || begins(other, one)
}
