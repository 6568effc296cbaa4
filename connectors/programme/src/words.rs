//! The words on the page that do not come from the data, in French and in English.

use raccord_model::Lang;
use serde::Serialize;

/// Words a template prints that do not come from the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FixedWords {
    pub full: &'static str,
    pub tentative: &'static str,
    continued: &'static str,
    page: &'static str,
    credits: &'static str,
    glance: &'static str,
    more: &'static str,
    pub online: &'static str,
    pub signup: &'static str,
    edition: &'static str,
    inside: &'static str,
    name: &'static str,
    task: &'static str,
    arrived: &'static str,
    left: &'static str,
    here: &'static str,
    keep: &'static str,
}

impl FixedWords {
    pub(crate) fn of(lang: Lang) -> &'static Self {
        match lang {
            Lang::Fr => &FRENCH,
            Lang::En => &ENGLISH,
        }
    }
}

static FRENCH: FixedWords = FixedWords {
    full: "Complet",
    tentative: "À confirmer",
    continued: "suite",
    page: "page",
    credits: "Les crédits remercient celles et ceux qui donnent un coup de main.",
    glance: "Le mois d’un coup d’œil",
    more: "suite en ligne",
    online: "Le programme à jour",
    signup: "S’inscrire",
    edition: "Édition",
    inside: "À glisser dans le dépliant",
    name: "Nom ou prénom",
    task: "Ce que je fais",
    arrived: "Arrivée",
    left: "Départ",
    here: "Présent·e",
    keep: "Cette feuille reste au lieu et n’est pas publiée.",
};

static ENGLISH: FixedWords = FixedWords {
    full: "Full",
    tentative: "To be confirmed",
    continued: "continued",
    page: "page",
    credits: "Credits thank everyone who lends a hand.",
    glance: "The month at a glance",
    more: "more online",
    online: "The latest programme",
    signup: "Sign up",
    edition: "Edition",
    inside: "To slip into the leaflet",
    name: "Name",
    task: "What I do",
    arrived: "Arrived",
    left: "Left",
    here: "Present",
    keep: "This sheet stays at the place and is not published.",
};
