//! What can be wrong with calendars, each with what to click. What every WebDAV server can say
//! stands in [`raccord_dav::Diagnosis`].

use raccord_dav::Keys;
use raccord_model::{Blame, Failure, Words};

/// What failures call the settings.
pub(crate) const KEYS: Keys = Keys {
    kind: crate::KIND,
    address: "url",
    password: "password_file",
};

/// A failure of this connector.
pub(crate) fn of(blame: Blame, code: &str, text: Words, mend: Words) -> Failure {
    Failure::new(blame, format!("nextcloud-calendar.{code}"), text, mend)
}

/// The account may have no more of them.
pub(crate) fn too_many_calendars(host: &str) -> Failure {
    of(
        Blame::Data,
        "too-many-calendars",
        Words::new(
            format!("{host} ne permet pas de créer un agenda de plus (403)."),
            format!("{host} does not allow one more calendar to be made (403)."),
        ),
        Words::new(
            "Effacez un agenda inutile de ce compte, ou créez celui-ci à la main dans l’application Agenda.",
            "Delete a calendar of this account that nobody needs, or make this one by hand in the Calendar app.",
        ),
    )
}

/// No CalDAV at this address.
pub(crate) fn no_caldav(host: &str) -> Failure {
    of(
        Blame::Transient,
        "no-caldav",
        Words::new(
            format!("{host} ne propose pas d’agendas à cette adresse."),
            format!("{host} offers no calendars at this address."),
        ),
        Words::new(
            "Ouvrez l’application Agenda, «\u{a0}Paramètres de l’agenda\u{a0}», «\u{a0}Copier l’adresse CalDAV principale\u{a0}», et mettez cette adresse dans «\u{a0}url\u{a0}».",
            "Open the Calendar app, “Calendar settings”, “Copy primary CalDAV address”, and put that address into “url”.",
        ),
    )
}

/// The calendar is not there, and may not be made.
pub(crate) fn no_calendar(name: &str, host: &str) -> Failure {
    of(
        Blame::Data,
        "no-calendar",
        Words::new(
            format!(
                "L’agenda «\u{a0}{name}\u{a0}» n’existe pas sur {host} pour ce compte, et il n’a pas pu être créé."
            ),
            format!(
                "The calendar “{name}” does not exist on {host} for this account, and it could not be made."
            ),
        ),
        Words::new(
            "Créez-le dans l’application Agenda («\u{a0}+ Nouvel agenda\u{a0}»), ou videz la corbeille de l’agenda s’il y a été jeté\u{202f}; «\u{a0}raccord check\u{a0}» dit quels agendas ce compte voit.",
            "Make it in the Calendar app (“+ New calendar”), or empty the calendar’s trash bin if it was thrown there; `raccord check` tells which calendars this account sees.",
        ),
    )
}

/// The calendar may only be read.
pub(crate) fn read_only(name: &str, host: &str) -> Failure {
    of(
        Blame::Access,
        "read-only",
        Words::new(
            format!(
                "Le compte de Raccord ne peut que lire l’agenda «\u{a0}{name}\u{a0}» sur {host}."
            ),
            format!("Raccord’s account may only read the calendar “{name}” on {host}."),
        ),
        Words::new(
            "Dans l’application Agenda, son propriétaire ouvre le partage de cet agenda et coche «\u{a0}peut modifier\u{a0}» pour le compte de Raccord.",
            "In the Calendar app, its owner opens the sharing of that calendar and ticks “can edit” for Raccord’s account.",
        ),
    )
}

/// It holds no entries of this kind.
pub(crate) fn no_tasks(name: &str) -> Failure {
    of(
        Blame::Data,
        "no-tasks",
        Words::new(
            format!("L’agenda «\u{a0}{name}\u{a0}» ne prend pas de tâches."),
            format!("The calendar “{name}” takes no tasks."),
        ),
        Words::new(
            "Nommez dans une route un agenda qui en prend (l’application Tâches en crée), ou écrivez «\u{a0}tasks = \"description\"\u{a0}»\u{a0}: elles sont alors dites dans la description des activités.",
            "Name in a route a calendar that takes them (the Tasks app makes some), or write `tasks = \"description\"`: they are then told in the description of activities.",
        ),
    )
}

/// An entry that nobody can read any more.
pub(crate) fn unreadable(title: &str) -> Failure {
    of(
        Blame::Data,
        "unreadable-entry",
        Words::new(
            format!(
                "L’entrée «\u{a0}{title}\u{a0}» de l’agenda ne peut plus être lue\u{a0}: Raccord n’y touche pas."
            ),
            format!(
                "The entry “{title}” of the calendar can be read no more: Raccord leaves it alone."
            ),
        ),
        Words::new(
            "Ouvrez-la dans l’application Agenda et enregistrez-la de nouveau, ou effacez-la\u{202f}; Raccord la refait alors.",
            "Open it in the Calendar app and save it again, or delete it; Raccord then makes it anew.",
        ),
    )
}

/// Somebody else keeps changing it.
pub(crate) fn contended(title: &str) -> Failure {
    of(
        Blame::Transient,
        "contended",
        Words::new(
            format!("Quelqu’un modifie «\u{a0}{title}\u{a0}» en ce moment."),
            format!("Somebody is changing “{title}” right now."),
        ),
        Words::new(
            "Rien à faire\u{a0}: Raccord réessaie de lui-même.",
            "Nothing to do: Raccord tries again by itself.",
        ),
    )
}

/// More than a third of what we wrote is gone at once.
pub(crate) fn emptied(gone: usize, of_all: usize) -> Failure {
    of(
        Blame::Data,
        "emptied",
        Words::new(
            format!(
                "{gone} des {of_all} entrées de Raccord ont disparu de l’agenda d’un coup\u{a0}: rien n’en est conclu."
            ),
            format!(
                "{gone} of Raccord’s {of_all} entries vanished from the calendar at once: nothing is concluded from it."
            ),
        ),
        Words::new(
            "Si c’est une erreur, restaurez l’agenda depuis sa corbeille. Sinon, donnez à «\u{a0}calendar\u{a0}» le nom d’un autre agenda.",
            "If this is a mistake, restore the calendar from its trash bin. If not, give “calendar” the name of another calendar.",
        ),
    )
}

/// A fault of ours.
pub(crate) fn bug(what: &str) -> Failure {
    of(
        Blame::Bug,
        "bug",
        Words::new(
            format!("L’agenda n’a pas pu être écrit\u{a0}: {what}."),
            format!("The calendar could not be written: {what}."),
        ),
        Words::new(
            "C’est une erreur de Raccord\u{a0}: signalez-la.",
            "This is a fault of Raccord: report it.",
        ),
    )
}

/// The calendar would be read without a pause.
pub(crate) fn too_often() -> Failure {
    of(
        Blame::Data,
        "too-often",
        Words::new(
            "La clé «\u{a0}every\u{a0}» lirait l’agenda sans arrêt.",
            "The key “every” would read the calendar all the time.",
        ),
        Words::new(
            "Écrivez dix secondes ou plus, par exemple \"2m\".",
            "Write ten seconds or more, for example \"2m\".",
        ),
    )
}
