//! What is said besides templates, in French and in English.

use jiff::civil::Date;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use raccord_look::{clean, dates};
use raccord_model::Lang;

/// The most characters of a text that is shared: what phones take in an address.
const SHARED: usize = 1_500;

/// What stands unescaped in a query (RFC 3986, section 2.3).
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The address that offers `text` to somebody's own WhatsApp groups: they choose which.
pub(crate) fn share_link(text: &str) -> String {
    let text = clean::prose(text, SHARED).0;
    format!("https://wa.me/?text={}", utf8_percent_encode(&text, QUERY))
}

/// Whether a number takes the plural.
pub(crate) const fn is_many(lang: Lang, count: i64) -> bool {
    match lang {
        Lang::Fr => count.abs() >= 2,
        Lang::En => count != 1,
    }
}

/// A day as seen from `today`: "aujourd’hui", "demain", "samedi", "samedi 16 janvier".
pub(crate) fn relative(lang: Lang, today: Date, day: Date) -> String {
    let days = (day - today).get_days();
    match (days, lang) {
        (-1, Lang::Fr) => "hier".to_owned(),
        (-1, Lang::En) => "yesterday".to_owned(),
        (0, Lang::Fr) => "aujourd’hui".to_owned(),
        (0, Lang::En) => "today".to_owned(),
        (1, Lang::Fr) => "demain".to_owned(),
        (1, Lang::En) => "tomorrow".to_owned(),
        (2..=6, _) => lang.weekday(day.weekday()).to_owned(),
        _ => dates::day(lang, day),
    }
}

/// What a field is called where its change is told.
pub(crate) fn moved(lang: Lang, field: &str) -> &'static str {
    match (field, lang) {
        ("room", Lang::Fr) => "Lieu",
        ("room", Lang::En) => "Where",
        ("status", Lang::Fr) => "État",
        ("status", Lang::En) => "Status",
        (_, Lang::Fr) => "Quand",
        (_, Lang::En) => "When",
    }
}

/// A status as people say it.
pub(crate) fn status(lang: Lang, status: &str) -> &'static str {
    match (status, lang) {
        ("cancelled", Lang::Fr) => "annulé",
        ("cancelled", Lang::En) => "cancelled",
        ("tentative", Lang::Fr) => "à confirmer",
        ("tentative", Lang::En) => "to be confirmed",
        ("full", Lang::Fr) => "complet",
        ("full", Lang::En) => "full",
        (_, Lang::Fr) => "confirmé",
        (_, Lang::En) => "confirmed",
    }
}

/// The label of the link under what was cut.
pub(crate) const fn the_rest(lang: Lang) -> &'static str {
    match lang {
        Lang::Fr => "La suite",
        Lang::En => "The rest",
    }
}

/// The headings of lists.
pub(crate) fn heading(lang: Lang, of: Heading, today: Date) -> String {
    match (of, lang) {
        (Heading::Week, Lang::Fr) => format!(
            "Les sept jours qui viennent, dès {}",
            dates::day(lang, today)
        ),
        (Heading::Week, Lang::En) => {
            format!("The coming seven days, from {}", dates::day(lang, today))
        }
        (Heading::Hands, Lang::Fr) => "On cherche encore des mains".to_owned(),
        (Heading::Hands, Lang::En) => "Hands still missing".to_owned(),
        (Heading::Month, Lang::Fr) => format!("Programme de {}", dates::month_year(lang, today)),
        (Heading::Month, Lang::En) => format!("Programme of {}", dates::month_year(lang, today)),
        (Heading::Coming, Lang::Fr) => "Ce qui vient".to_owned(),
        (Heading::Coming, Lang::En) => "What is coming".to_owned(),
        (Heading::Signup, Lang::Fr) => "Où s’inscrire".to_owned(),
        (Heading::Signup, Lang::En) => "Where to sign up".to_owned(),
        (Heading::Who, Lang::Fr) => "Qui fait quoi".to_owned(),
        (Heading::Who, Lang::En) => "Who does what".to_owned(),
        (Heading::Liked, Lang::Fr) => "Des mains manquent à ce que vous aimez faire".to_owned(),
        (Heading::Liked, Lang::En) => "Hands missing in what you like to do".to_owned(),
    }
}

/// The lists that have a heading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heading {
    Week,
    Hands,
    Month,
    Coming,
    Signup,
    Who,
    Liked,
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_shared_text_stands_in_its_address_as_it_is() {
        assert_eq!(
            share_link("Bal & fête\n20 h"),
            "https://wa.me/?text=Bal%20%26%20f%C3%AAte%0A20%20h"
        );
        assert!(share_link(&"é".repeat(30_000)).len() < 10_000);
    }

    #[test]
    fn days_are_said_as_seen_from_today() {
        let today = date(2027, 1, 2);
        for (day, fr, en) in [
            (date(2027, 1, 1), "hier", "yesterday"),
            (date(2027, 1, 2), "aujourd’hui", "today"),
            (date(2027, 1, 3), "demain", "tomorrow"),
            (date(2027, 1, 8), "vendredi", "Friday"),
            (
                date(2027, 1, 9),
                "samedi 9\u{a0}janvier",
                "Saturday 9\u{a0}January",
            ),
        ] {
            assert_eq!(relative(Lang::Fr, today, day), fr);
            assert_eq!(relative(Lang::En, today, day), en);
        }
    }

    #[test]
    fn the_plural_begins_at_two_in_french_and_beside_one_in_english() {
        assert!(!is_many(Lang::Fr, 0) && !is_many(Lang::Fr, 1) && is_many(Lang::Fr, 2));
        assert!(is_many(Lang::En, 0) && !is_many(Lang::En, 1) && is_many(Lang::En, 2));
    }
}
