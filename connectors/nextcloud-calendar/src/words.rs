//! What an entry says besides what organisers wrote, in French and in English.

use raccord_model::{Civil, Lang, Status};

/// A label in both languages.
pub(crate) type Label = (&'static str, &'static str);

pub(crate) const ORGANISER: Label = ("Organisé par", "Run by");
pub(crate) const REGISTER: Label = ("Inscription", "Sign up");
pub(crate) const GUIDE: Label = ("Mode d’emploi", "How to");
pub(crate) const FOR: Label = ("Pour", "For");

/// `label: text`, as it is set in `lang`.
pub(crate) fn labelled(lang: Lang, label: Label, text: &str) -> String {
    match lang {
        Lang::Fr => format!("{}\u{a0}: {text}", label.0),
        Lang::En => format!("{}: {text}", label.1),
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
