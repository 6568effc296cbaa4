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
    pub more_online: &'static str,
    pub more_here: &'static str,
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
    to_do: &'static str,
    credits_each: &'static str,
    waiting: &'static str,
    spare: &'static str,
    notes: &'static str,
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
    more_online: "suite en ligne",
    more_here: "la suite sur place",
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
    to_do: "Ce qu’il y a à faire",
    credits_each: "par personne",
    waiting: "Liste d’attente",
    spare: "En plus",
    notes: "À noter",
};

static ENGLISH: FixedWords = FixedWords {
    full: "Full",
    tentative: "To be confirmed",
    continued: "continued",
    page: "page",
    credits: "Credits thank everyone who lends a hand.",
    glance: "The month at a glance",
    more_online: "more online",
    more_here: "more at the place",
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
    to_do: "What is to be done",
    credits_each: "per person",
    waiting: "Waiting list",
    spare: "More",
    notes: "Notes",
};
