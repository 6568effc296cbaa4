//! A member's card, and the till of whoever serves. Pure: what is shown was decided by the place.

use askama::Template;
use raccord_model::Lang;
use serde::{Deserialize, Serialize};

use super::page::outline;

/// A card, or the till, in words of the page's language.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Counter {
    /// Somebody's own card.
    Card(Card),
    /// The till's form: a card's number and an amount.
    Till {
        /// The card that was read or typed.
        card: String,
        /// The amount that was typed.
        amount: String,
        /// Where credits are spent.
        spend_at: String,
    },
    /// Is it so?
    Ask(Payment),
    /// It was paid.
    Paid(Paid),
}

/// Somebody's card.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Card {
    /// Whose.
    pub name: String,
    /// Its number, as people type it.
    pub number: String,
    /// What the till's telephone reads: the number, signed.
    pub code: String,
    /// What is on it.
    pub balance: String,
    /// Where it can be spent.
    pub spend_at: String,
    /// The latest movements, newest first.
    pub lines: Vec<Line>,
    /// How many more there are.
    pub more: usize,
}

/// One movement.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Line {
    /// When.
    pub day: String,
    /// What for.
    pub reason: String,
    /// How many.
    pub amount: String,
}

/// A payment that is not made yet.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Payment {
    /// Who pays.
    pub name: String,
    /// How much.
    pub amount: String,
    /// What is on the card.
    pub balance: String,
    /// The card, as its form names it.
    pub card: String,
    /// The amount, in hundredths.
    pub hundredths: i64,
    /// What makes it once.
    pub once: String,
}

/// A payment that was made.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Paid {
    /// Its id.
    pub id: String,
    /// Who paid.
    pub name: String,
    /// How much.
    pub amount: String,
    /// What is left on the card.
    pub balance: String,
    /// Whether it can be taken back here.
    pub can_undo: bool,
    /// Whether it was.
    pub undone: bool,
}

#[derive(Template)]
#[template(path = "counter.html")]
struct Part<'a> {
    counter: &'a Counter,
    lang: Lang,
    token: &'a str,
    at: &'a dyn Fn(&str) -> String,
}

/// What stands on the page.
pub(super) fn drawn(
    counter: &Counter,
    lang: Lang,
    token: &str,
    at: &dyn Fn(&str) -> String,
) -> String {
    let part = Part {
        counter,
        lang,
        token,
        at,
    };
    part.render()
        .expect("the page is written to memory and none of its parts can fail")
}

impl Part<'_> {
    fn say<'t>(&self, fr: &'t str, en: &'t str) -> &'t str {
        match self.lang {
            Lang::Fr => fr,
            Lang::En => en,
        }
    }

    fn to(&self, path: &str) -> String {
        (self.at)(path)
    }
}

impl Counter {
    /// The page's heading.
    pub(super) fn heading(&self, lang: Lang) -> &'static str {
        let (fr, en) = match self {
            Self::Card(_) => ("Ma carte", "My card"),
            Self::Till { .. } => ("Caisse", "Till"),
            Self::Ask(_) => ("Est-ce juste ?", "Is this right?"),
            Self::Paid(paid) if paid.undone => ("C’est annulé", "It was taken back"),
            Self::Paid(_) => ("C’est payé", "It is paid"),
        };
        match lang {
            Lang::Fr => fr,
            Lang::En => en,
        }
    }
}

impl Card {
    fn square(&self) -> Option<(String, i32)> {
        outline(&self.code)
    }
}
