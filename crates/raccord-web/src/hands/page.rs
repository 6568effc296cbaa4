//! How these pages look. Pure: what is shown was decided by the place.

use std::fmt::Write as _;

use askama::Template;
use qrcodegen::{QrCode, QrCodeEcc};
use raccord_model::{Lang, Place};

use super::counter::Counter;
use super::view::{List, Mine, Offer, Own, Screen, Shows};

#[derive(Template)]
#[template(path = "hands.html")]
struct Page<'a> {
    screen: &'a Screen,
    place: &'a Place,
    root: &'a str,
    path: &'a str,
    chosen: Option<Lang>,
    style: &'a str,
    lang: Lang,
}

/// The page that shows `screen`, as seen from `path`, whose way up to the place's own root is `root`.
pub(super) fn render(
    screen: &Screen,
    place: &Place,
    root: &str,
    path: &str,
    chosen: Option<Lang>,
    style: &str,
) -> String {
    let page = Page {
        screen,
        place,
        root,
        path,
        chosen,
        style,
        lang: screen.lang,
    };
    page.render()
        .expect("the page is written to memory and none of its parts can fail")
}

/// The address of the page `to`, in the language that was chosen.
pub(super) fn address(root: &str, to: &str, chosen: Option<Lang>) -> String {
    let slash = if to.is_empty() { "" } else { "/" };
    let lang = chosen.map(|lang| format!("?lang={lang}"));
    format!("{root}hands{slash}{to}{}", lang.unwrap_or_default())
}

impl Page<'_> {
    fn say<'t>(&self, fr: &'t str, en: &'t str) -> &'t str {
        match self.lang {
            Lang::Fr => fr,
            Lang::En => en,
        }
    }

    fn at(&self, to: &str) -> String {
        address(self.root, to, self.chosen)
    }

    fn of(&self, id: &str, what: &str) -> String {
        self.at(&format!("{id}{what}"))
    }

    /// The same page in the other language.
    fn other(&self) -> (String, Lang, &'static str) {
        let (lang, name) = match self.lang {
            Lang::Fr => (Lang::En, "English"),
            Lang::En => (Lang::Fr, "Français"),
        };
        (address(self.root, self.path, Some(lang)), lang, name)
    }

    /// The other language is offered where the page is the same when it is asked for again.
    fn can_change(&self) -> bool {
        matches!(
            self.screen.shows,
            Shows::Needs(_)
                | Shows::Who(_)
                | Shows::Item(_)
                | Shows::Mine(_)
                | Shows::Ways(_)
                | Shows::SignIn { .. }
                | Shows::Counter(_)
        )
    }

    /// A card or the till, drawn in a template of its own.
    fn counter(&self, counter: &Counter) -> String {
        super::counter::drawn(counter, self.lang, self.token(), &|to| self.at(to))
    }

    fn has_card(&self) -> bool {
        let visitor = self.screen.visitor.as_ref();
        visitor.is_some_and(|visitor| visitor.card)
    }

    fn serves(&self) -> bool {
        let visitor = self.screen.visitor.as_ref();
        visitor.is_some_and(|visitor| visitor.serves)
    }

    fn token(&self) -> &str {
        let visitor = self.screen.visitor.as_ref();
        visitor.map_or("", |visitor| visitor.token.as_str())
    }

    fn heading(&self) -> String {
        match &self.screen.shows {
            Shows::Needs(_) => self.say("Coups de main", "Hands needed").to_owned(),
            Shows::Who(_) => self.say("Qui fait quoi", "Who is on what").to_owned(),
            Shows::Item(item) => item.offer.title.clone(),
            Shows::Mine(_) => self.say("Mes inscriptions", "My sign-ups").to_owned(),
            Shows::Ways(_) => self
                .say("Comment être prévenu·e", "How to be told")
                .to_owned(),
            Shows::Sent => self
                .say("Regardez vos courriels", "Look at your mail")
                .to_owned(),
            Shows::SignIn { .. } | Shows::Enter { .. } => self.say("Entrer", "Sign in").to_owned(),
            Shows::Attendance(_) => self.say("Qui est là ?", "Who is here?").to_owned(),
            Shows::Arrived { .. } => self.say("Quelqu’un arrive", "Somebody arrives").to_owned(),
            Shows::Counter(counter) => counter.heading(self.lang).to_owned(),
            // It has a page of its own.
            Shows::Newsletter(_) => String::new(),
            Shows::Refused if self.screen.status == 404 => {
                self.say("Rien ici", "Nothing here").to_owned()
            }
            Shows::Refused => self.say("Rien n’a été fait", "Nothing was done").to_owned(),
        }
    }

    /// "3 places sur 5 prises", "il manque 2 personnes".
    fn places(&self, offer: &Offer) -> String {
        let Offer {
            taken,
            missing,
            waiting,
            ..
        } = offer;
        let mut parts = Vec::new();
        match (self.lang, offer.capacity) {
            (Lang::Fr, Some(most)) => parts.push(format!("{taken} sur {most}")),
            (Lang::En, Some(most)) => parts.push(format!("{taken} of {most}")),
            (Lang::Fr, None) if *taken == 0 => parts.push("personne encore".to_owned()),
            (Lang::En, None) if *taken == 0 => parts.push("nobody yet".to_owned()),
            (Lang::Fr, None) => parts.push(format!("{taken} inscrit·es")),
            (Lang::En, None) => parts.push(format!("{taken} signed up")),
        }
        match (self.lang, missing) {
            (_, 0) => {}
            (Lang::Fr, 1) => parts.push("il manque une personne".to_owned()),
            (Lang::Fr, n) => parts.push(format!("il manque {n} personnes")),
            (Lang::En, 1) => parts.push("one person is missing".to_owned()),
            (Lang::En, n) => parts.push(format!("{n} people are missing")),
        }
        match (self.lang, waiting) {
            (_, 0) => {}
            (Lang::Fr, n) => parts.push(format!("{n} en attente")),
            (Lang::En, n) => parts.push(format!("{n} waiting")),
        }
        parts.join(", ")
    }

    /// Who is on it: names of those who agreed, and how many others.
    fn people(&self, offer: &Offer) -> String {
        let mut parts = offer.people.clone();
        match (self.lang, offer.unnamed, parts.is_empty()) {
            (_, 0, _) => {}
            (Lang::Fr, 1, true) => parts.push("une personne".to_owned()),
            (Lang::Fr, 1, false) => parts.push("une autre personne".to_owned()),
            (Lang::Fr, n, true) => parts.push(format!("{n} personnes")),
            (Lang::Fr, n, false) => parts.push(format!("{n} autres")),
            (Lang::En, 1, true) => parts.push("one person".to_owned()),
            (Lang::En, 1, false) => parts.push("one more".to_owned()),
            (Lang::En, n, true) => parts.push(format!("{n} people")),
            (Lang::En, n, false) => parts.push(format!("{n} more")),
        }
        parts.join(", ")
    }

    fn standing(&self, own: &Own) -> String {
        match (own.state.as_str(), own.position, self.lang) {
            ("waitlisted", Some(n), Lang::Fr) => format!("En attente, au rang {n}"),
            ("waitlisted", Some(n), Lang::En) => format!("Waiting, number {n}"),
            ("waitlisted", None, _) => self.say("En attente", "Waiting").to_owned(),
            ("attended", ..) => self.say("Présence notée", "You were there").to_owned(),
            ("absent", ..) => self.say("Absence notée", "You were not there").to_owned(),
            _ => self.say("Inscrit·e", "Signed up").to_owned(),
        }
    }
}

impl Own {
    /// Whether the sign-up can still be taken back.
    fn can_leave(&self) -> bool {
        matches!(self.state.as_str(), "registered" | "waitlisted")
    }

    /// The code as the outline of its dark squares, on a field of so many.
    fn drawn(&self) -> Option<(String, i32)> {
        outline(&self.code)
    }
}

/// A text as a square that a telephone reads: the outline of its dark squares, on a field of so many.
pub(super) fn outline(text: &str) -> Option<(String, i32)> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let size = code.size();
    let squares = (0..size).flat_map(|y| (0..size).map(move |x| (x, y)));
    let dark = squares.filter(|&(x, y)| code.get_module(x, y));
    let path = dark.fold(String::new(), |mut path, (x, y)| {
        // Writing into memory cannot fail.
        write!(path, "M{},{}h1v1h-1z", x + 4, y + 4).ok();
        path
    });
    Some((path, size + 8))
}

impl List {
    fn has_waiting(&self) -> bool {
        self.rows.iter().any(|row| row.state == "waitlisted")
    }
}

impl Mine {
    fn is_empty(&self) -> bool {
        self.coming.is_empty() && self.past.is_empty()
    }
}
