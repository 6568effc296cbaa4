//! Why what a place shares cannot be read, in words for the person who can mend it.
//!
//! Every one of these keeps the last good state: what that place shared stays as it was.

use raccord_model::{Blame, Failure, Words};

fn failure(blame: Blame, code: &str, text: (&str, &str), mend: (&str, &str)) -> Failure {
    Failure::new(
        blame,
        format!("neighbour.{code}"),
        Words::new(text.0, text.1),
        Words::new(mend.0, mend.1),
    )
}

pub(crate) fn web_page() -> Failure {
    failure(
        Blame::Access,
        "web-page",
        (
            "À la place de ce que le lieu partage est venue une page web.",
            "Instead of what the place shares came a web page.",
        ),
        (
            "Vérifiez «\u{a0}url\u{a0}»\u{a0}: il faut l’adresse du fichier shared.json de ce lieu, ou de son agenda (iCal), pas celle de son site.",
            "Check “url”: it must be the address of the file shared.json of that place, or of its calendar (iCal), not of its site.",
        ),
    )
}

pub(crate) fn empty() -> Failure {
    failure(
        Blame::Data,
        "empty",
        (
            "La liste de ce lieu est vide, sans dire que c’est voulu.",
            "The list of that place is empty, and does not say that this is meant.",
        ),
        (
            "Si ce lieu ne partage plus rien, sa liste doit le dire (shares_nothing)\u{a0}; s’il a quitté le réseau, retirez-le de la configuration.",
            "If that place shares nothing any more, its list must say so (shares_nothing); if it left the network, take it out of the configuration.",
        ),
    )
}

pub(crate) fn not_a_list() -> Failure {
    failure(
        Blame::Data,
        "not-a-list",
        (
            "Ce qui est à cette adresse n’est ni une liste d’activités partagées ni un agenda, ou il en manque la fin.",
            "What is at that address is no list of shared activities and no calendar, or its end is missing.",
        ),
        (
            "Vérifiez «\u{a0}url\u{a0}», ou demandez à ce lieu l’adresse de son shared.json.",
            "Check “url”, or ask that place for the address of its shared.json.",
        ),
    )
}

pub(crate) fn other_form() -> Failure {
    failure(
        Blame::Data,
        "other-form",
        (
            "La liste de ce lieu est d’une forme que ce Raccord ne connaît pas.",
            "The list of that place has a form that this Raccord does not know.",
        ),
        (
            "Mettez Raccord à jour, ici ou là-bas.",
            "Bring Raccord up to date, here or there.",
        ),
    )
}

pub(crate) fn ourselves() -> Failure {
    failure(
        Blame::Data,
        "ourselves",
        (
            "Cette liste est celle de votre propre lieu.",
            "This list is that of your own place.",
        ),
        (
            "Écrivez dans «\u{a0}url\u{a0}» l’adresse d’un autre lieu.",
            "Write the address of another place in “url”.",
        ),
    )
}

pub(crate) fn partial() -> Failure {
    failure(
        Blame::Transient,
        "truncated",
        (
            "Seul un morceau de la liste est arrivé.",
            "Only a piece of the list arrived.",
        ),
        (
            "Rien à faire si cela ne dure pas\u{a0}: Raccord réessaie.",
            "Nothing to do if it passes: Raccord tries again.",
        ),
    )
}

/// A name that shows nothing.
pub(crate) fn no_name() -> Failure {
    settings("name", "il ne s’y lit rien", "nothing can be read in it")
}

/// Read too often.
pub(crate) fn too_often() -> Failure {
    settings(
        "every",
        "au moins une minute, par exemple «\u{a0}15m\u{a0}»\u{a0}: c’est la machine d’un autre",
        "at least a minute, for example “15m”: it is somebody else's machine",
    )
}

fn settings(key: &str, fr: &str, en: &str) -> Failure {
    failure(
        Blame::Data,
        "settings",
        (
            &format!("«\u{a0}{key}\u{a0}»\u{a0}: {fr}."),
            &format!("“{key}”: {en}."),
        ),
        (
            "Corrigez cette clé dans la configuration.",
            "Correct this key in the configuration.",
        ),
    )
}

/// What is told of an activity that cannot be understood.
pub(crate) fn not_understood() -> Words {
    Words::new(
        "Une activité partagée par ce lieu n’est pas comprise\u{202f}; ce qui en était connu reste. C’est à ce lieu de la corriger.",
        "An activity that place shares is not understood; what was known of it stays. It is for that place to mend.",
    )
}

/// What is told of a list that is longer than what is taken.
pub(crate) fn more(most: usize) -> Words {
    Words::new(
        format!(
            "Ce lieu partage plus de {most} activités\u{a0}: seules les {most} premières à venir sont montrées."
        ),
        format!(
            "That place shares more than {most} activities: only the {most} first to come are shown."
        ),
    )
}

/// What it must be allowed to do.
pub(crate) fn rights() -> Words {
    Words::new(
        "Lire une adresse publique, rien de plus.",
        "To read a public address, nothing more.",
    )
}
