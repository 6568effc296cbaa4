//! What an entry says besides what organisers wrote, in French and in English.

use raccord_model::{Civil, Lang, Status};

/// A label in both languages.
pub(crate) type Label = (&'static str, &'static str);

pub(crate) const ORGANISER: Label = ("Organisé par", "Run by");
pub(crate) const REGISTER: Label = ("Inscription", "Sign up");
pub(crate) const GUIDE: Label = ("Mode d’emploi", "How to");
pub(crate) const FOR: Label = ("Pour", "For");
pub(crate) const HANDS: Label = ("Coups de main", "Helping hands");
pub(crate) const SIGN_UPS: Label = ("Inscriptions", "Sign-ups");

/// `label: text`, as it is set in `lang`.
pub(crate) fn labelled(lang: Lang, label: Label, text: &str) -> String {
    said(lang, worded(lang, label), text)
}

/// `what: how`, as it is set in `lang`.
pub(crate) fn said(lang: Lang, what: &str, how: &str) -> String {
    match lang {
        Lang::Fr => format!("{what}\u{a0}: {how}"),
        Lang::En => format!("{what}: {how}"),
    }
}

/// A label with nothing beside it.
pub(crate) fn heading(lang: Lang, label: Label) -> String {
    match lang {
        Lang::Fr => format!("{}\u{a0}:", label.0),
        Lang::En => format!("{}:", label.1),
    }
}

fn worded(lang: Lang, label: Label) -> &'static str {
    match lang {
        Lang::Fr => label.0,
        Lang::En => label.1,
    }
}

/// How many people are on a task, of how many it takes.
pub(crate) fn taken(lang: Lang, taken: u64, places: Option<u64>) -> String {
    match (lang, places, taken) {
        (Lang::Fr, Some(places), _) => format!("{taken} sur {places}"),
        (Lang::En, Some(places), _) => format!("{taken} of {places}"),
        (Lang::Fr, None, 0) => "personne encore".to_owned(),
        (Lang::En, None, 0) => "nobody yet".to_owned(),
        (Lang::Fr, None, 1) => "1 personne".to_owned(),
        (Lang::En, None, 1) => "1 person".to_owned(),
        (Lang::Fr, None, _) => format!("{taken} personnes"),
        (Lang::En, None, _) => format!("{taken} people"),
    }
}

/// What is said of a task that is done.
pub(crate) fn done(lang: Lang) -> &'static str {
    match lang {
        Lang::Fr => "fait",
        Lang::En => "done",
    }
}

/// That a task is due on another day than its activity.
pub(crate) fn by(lang: Lang, due: Civil) -> String {
    let day = when(lang, Civil::Day(due.date()), None);
    match lang {
        Lang::Fr => format!(" (pour le {day})"),
        Lang::En => format!(" (by {day})"),
    }
}

/// So many tasks that are not named.
pub(crate) fn more(lang: Lang, more: usize) -> String {
    match (lang, more) {
        (Lang::Fr, 1) => "… et une autre tâche".to_owned(),
        (Lang::Fr, _) => format!("… et {more} autres tâches"),
        (Lang::En, 1) => "… and one more task".to_owned(),
        (Lang::En, _) => format!("… and {more} more tasks"),
    }
}

/// What is said of an activity that does not simply take place: many programs hide STATUS.
pub(crate) fn mark(lang: Lang, status: Status) -> Option<&'static str> {
    let (fr, en) = match status {
        Status::Cancelled => ("Annulé.", "Cancelled."),
        Status::Tentative => ("À confirmer.", "To be confirmed."),
        Status::Full => ("Complet.", "Full."),
        Status::Confirmed | Status::Draft => return None,
    };
    Some(match lang {
        Lang::Fr => fr,
        Lang::En => en,
    })
}

/// A moment as people read it in a plan.
pub(crate) fn when(lang: Lang, start: Civil, end: Option<Civil>) -> String {
    let one = |civil: Civil| {
        let date = civil.date();
        let day = match lang {
            Lang::Fr => date.strftime("%d/%m/%Y"),
            Lang::En => date.strftime("%Y-%m-%d"),
        };
        match civil.time() {
            Some(time) => format!("{day} {:02}:{:02}", time.hour(), time.minute()),
            None => day.to_string(),
        }
    };
    match end {
        Some(end) => format!("{} – {}", one(start), one(end)),
        None => one(start),
    }
}
