//! How words, numbers and days are set on paper, in French and in English. Pure. What paper shares
//! with pages stands in [`raccord_look`].

use std::borrow::Cow;

use jiff::civil::{Date, Weekday};
use raccord_look::FIXED;
use raccord_model::Lang;
use unicode_segmentation::UnicodeSegmentation;

use crate::cut::cut;

/// The most characters of a word that cannot be broken; longer ones may break anywhere.
const WORD: usize = 24;

/// `text` as one line of running text: spaces single, nothing invisible that could turn or hide
/// what stands around it, at most `most` characters, and in French with French spaces.
pub(crate) fn line(text: &str, lang: Lang, most: usize) -> String {
    beginning(text, lang, most).0
}

/// The same, and whether there was more.
pub(crate) fn beginning(text: &str, lang: Lang, most: usize) -> (String, bool) {
    let whole = plain(text);
    let text = cut(&whole, most);
    let more = text != whole;
    (breakable(&raccord_look::set(&text, lang)), more)
}

/// Spaces single, line breaks and controls gone, and with them the marks that reorder or hide text.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let reorders = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}');
        let hides = matches!(c, '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{ad}' | '\u{fff9}'..='\u{fffb}')
            || matches!(c as u32, 0xe000..=0xf8ff | 0xf_0000..=0x10_ffff);
        if reorders || hides || (c.is_control() && !c.is_whitespace()) {
            continue;
        }
        if !c.is_whitespace() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Lets very long words (addresses, or somebody leaning on a key) break inside.
fn breakable(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let graphemes: Vec<&str> = word.graphemes(true).collect();
        if graphemes.len() <= WORD {
            return Cow::Borrowed(word);
        }
        let parts: Vec<String> = graphemes.chunks(WORD / 3).map(<[&str]>::concat).collect();
        Cow::Owned(parts.join("\u{200b}"))
    });
    words.collect::<Vec<_>>().join(" ")
}

/// `20 places`, `1 place`: the same in both languages.
pub(crate) fn places(count: u32) -> String {
    let noun = if count < 2 { "place" } else { "places" };
    format!("{count}{FIXED}{noun}")
}

/// `sur inscription`.
pub(crate) fn sign_up(lang: Lang) -> String {
    match lang {
        Lang::Fr => format!("sur{FIXED}inscription"),
        Lang::En => format!("sign{FIXED}up first"),
    }
}

/// `15 coups de main`, for what lives by people who lend a hand; `15 helpers`.
pub(crate) fn hands(count: u32, lang: Lang) -> String {
    let noun = match (lang, count) {
        (Lang::Fr, 0 | 1) => "coup de main",
        (Lang::Fr, _) => "coups de main",
        (Lang::En, 1) => "helper",
        (Lang::En, _) => "helpers",
    };
    format!("{count}{FIXED}{}", noun.replace(' ', &FIXED.to_string()))
}

/// `2 personnes`; `2 people`.
pub(crate) fn people(count: u32, lang: Lang) -> String {
    let noun = match (lang, count) {
        (Lang::Fr, 0 | 1) => "personne",
        (Lang::Fr, _) => "personnes",
        (Lang::En, 1) => "person",
        (Lang::En, _) => "people",
    };
    format!("{count}{FIXED}{noun}")
}

/// `lun.`; `Mon`.
pub(crate) fn weekday_short(day: Weekday, lang: Lang) -> String {
    let short = &lang.weekday(day)[..3];
    match lang {
        Lang::Fr => format!("{short}."),
        Lang::En => short.to_owned(),
    }
}

/// `de janvier`, `d’avril`.
pub(crate) fn of_month(number: i8) -> String {
    let name = Lang::Fr.month(number);
    if name.starts_with(['a', 'o']) {
        format!("d’{name}")
    } else {
        format!("de {name}")
    }
}

/// `1er`, `2`; `1`, `2`.
pub(crate) fn day_number(date: Date, lang: Lang) -> String {
    match (lang, date.day()) {
        (Lang::Fr, 1) => "1er".into(),
        (_, day) => day.to_string(),
    }
}

/// `1er décembre 2026`; `1 December 2026`.
pub(crate) fn long_date(date: Date, lang: Lang) -> String {
    format!(
        "{}{FIXED}{}{FIXED}{}",
        day_number(date, lang),
        lang.month(date.month()),
        date.year()
    )
}

/// `mercredi 14`, with the month where it is not `shown`.
pub(crate) fn day_of(date: Date, shown: Date, lang: Lang) -> String {
    let name = weekday_short(date.weekday(), lang);
    let number = day_number(date, lang);
    if date.first_of_month() == shown.first_of_month() {
        format!("{name}{FIXED}{number}")
    } else {
        format!("{name}{FIXED}{number}{FIXED}{}", lang.month(date.month()))
    }
}

/// `Du 4 au 10 janvier`; `4–10 January`. Both days are of one month.
pub(crate) fn days(first: Date, last: Date, lang: Lang) -> String {
    let name = lang.month(first.month());
    let (from, to) = (day_number(first, lang), day_number(last, lang));
    match (lang, first == last) {
        (Lang::Fr, true) => format!("Le{FIXED}{from}{FIXED}{name}"),
        (Lang::En, true) => format!("{from}{FIXED}{name}"),
        (Lang::Fr, false) => format!("Du{FIXED}{from} au{FIXED}{to}{FIXED}{name}"),
        (Lang::En, false) => format!("{from}–{to}{FIXED}{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn what_turns_or_hides_text_does_not_get_through() {
        assert_eq!(
            line("a\u{202e}b\u{200b}c\u{7}\r\n\td\u{feff}", Lang::En, 50),
            "abc d"
        );
        assert_eq!(line("\u{f8ff}\u{10fffd}", Lang::En, 50), "");
    }

    #[test]
    fn a_word_without_end_may_break() {
        let word = "x".repeat(100);
        let set = line(&word, Lang::Fr, 120);
        assert!(set.split('\u{200b}').all(|part| part.len() <= WORD));
        assert_eq!(set.replace('\u{200b}', ""), word);
    }

    #[test]
    fn dates_are_said_as_people_say_them() {
        let plain = |text: String| text.replace(FIXED, " ");
        let first = date(2027, 1, 1);
        assert_eq!(plain(long_date(first, Lang::Fr)), "1er janvier 2027");
        assert_eq!(
            plain(days(first, date(2027, 1, 3), Lang::Fr)),
            "Du 1er au 3 janvier"
        );
        assert_eq!(
            plain(days(first, date(2027, 1, 3), Lang::En)),
            "1–3 January"
        );
        assert_eq!(plain(days(first, first, Lang::Fr)), "Le 1er janvier");
        assert_eq!(plain(day_of(date(2027, 1, 17), first, Lang::Fr)), "dim. 17");
        assert_eq!(
            plain(day_of(date(2027, 2, 1), first, Lang::En)),
            "Mon 1 February"
        );
        assert_eq!(of_month(4), "d’avril");
        assert_eq!(of_month(8), "d’août");
        assert_eq!(of_month(1), "de janvier");
    }
}
