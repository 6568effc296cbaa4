//! How words, hours and numbers are set on paper, in French and in English. Pure.

use std::borrow::Cow;

use jiff::civil::{Date, Time, Weekday};
use raccord_model::Lang;
use unicode_segmentation::UnicodeSegmentation;

use crate::cut::cut;

/// A narrow space at which no line breaks (before ; ! ? » and around the h of hours).
const NARROW: char = '\u{202f}';
/// A space at which no line breaks (before :, between a number and its noun).
const FIXED: char = '\u{a0}';

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
    let text = match lang {
        Lang::Fr => french(&quoted(&text, '«', '»')),
        Lang::En => english(&quoted(&text, '“', '”')),
    };
    (breakable(&text), more)
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

/// Straight quotation marks that come in pairs, as the language has them.
fn quoted(text: &str, opening: char, closing: char) -> Cow<'_, str> {
    let marks = text.matches('"').count();
    if marks == 0 || marks % 2 == 1 {
        return Cow::Borrowed(text);
    }
    let mut open = false;
    let set = |c: char| match c {
        '"' => {
            open = !open;
            if open { opening } else { closing }
        }
        other => other,
    };
    Cow::Owned(text.chars().map(set).collect())
}

/// Apostrophes as they are printed.
fn english(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let letter = |index: Option<usize>| {
        index.is_some_and(|index| chars.get(index).is_some_and(|c| c.is_alphabetic()))
    };
    let set = |(index, &c): (usize, &char)| {
        let inside = letter(index.checked_sub(1)) && letter(Some(index + 1));
        if c == '\'' && inside { '’' } else { c }
    };
    chars.iter().enumerate().map(set).collect()
}

/// Typewriter habits turned into French typography: ’ and …, narrow spaces before ; ! ? and inside
/// « », a fixed one before a colon and a sign of money, 19 h 30 for 19h30. Hours like 18:30 and
/// addresses stay as they are.
fn french(text: &str) -> String {
    let text = text.replace("...", "…");
    let text: Vec<_> = text.split(' ').map(french_hour).collect();
    let text = text.join(" ");
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len() + 16);
    for (index, &c) in chars.iter().enumerate() {
        let before = index.checked_sub(1).map(|i| chars[i]);
        let after = chars.get(index + 1).copied();
        match c {
            '\'' if before.is_some_and(char::is_alphabetic)
                && after.is_some_and(char::is_alphabetic) =>
            {
                out.push('’');
            }
            ';' | '!' | '?' | '»' | ':' if before == Some(' ') => {
                out.pop();
                out.push(if c == ':' { FIXED } else { NARROW });
                out.push(c);
            }
            // Left out where a word ends; within an address or an hour nothing is missing.
            ';' | '!' | '?' | ':'
                if before.is_some_and(|b| b.is_alphanumeric() || matches!(b, ')' | '»'))
                    && after.is_none_or(char::is_whitespace) =>
            {
                out.push(if c == ':' { FIXED } else { NARROW });
                out.push(c);
            }
            '€' | '%' if before.is_some_and(|b| b.is_ascii_digit()) => {
                out.push(FIXED);
                out.push(c);
            }
            '»' if before.is_some_and(|b| !b.is_whitespace() && b != '«') => {
                out.push(NARROW);
                out.push(c);
            }
            ' ' if before == Some('«') => out.push(NARROW),
            '€' | '%' if before == Some(' ') => {
                out.pop();
                out.push(FIXED);
                out.push(c);
            }
            _ => out.push(c),
        }
        if c == '«' && after.is_some_and(|a| !a.is_whitespace()) {
            out.push(NARROW);
        }
    }
    out
}

/// `19h30,` as `19 h 30,` and `20h` as `20 h`; any other word as it is.
fn french_hour(word: &str) -> Cow<'_, str> {
    let bare = word.trim_end_matches([',', '.', ';', ':', ')', '…']);
    let parts = bare.split_once('h').filter(|(hour, minute)| {
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        matches!(hour.len(), 1 | 2)
            && digits(hour)
            && matches!(minute.len(), 0 | 2)
            && digits(minute)
    });
    let after = &word[bare.len()..];
    match parts {
        None => Cow::Borrowed(word),
        Some((hour, "")) => Cow::Owned(format!("{hour}{NARROW}h{after}")),
        Some((hour, minute)) => Cow::Owned(format!("{hour}{NARROW}h{NARROW}{minute}{after}")),
    }
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

/// `18 h 30`, `18 h`, `minuit`; `18:30`.
pub(crate) fn hour(time: Time, lang: Lang) -> String {
    let (hour, minute) = (time.hour(), time.minute());
    match lang {
        Lang::Fr if hour == 0 && minute == 0 => "minuit".into(),
        Lang::Fr if minute == 0 => format!("{hour}{NARROW}h"),
        Lang::Fr => format!("{hour}{NARROW}h{NARROW}{minute:02}"),
        Lang::En => format!("{hour}:{minute:02}"),
    }
}

/// `2 crédits`, `1,5 crédit` (the French plural begins at two); `1.5 credits`.
pub(crate) fn credits(hundredths: i64, lang: Lang) -> String {
    let (whole, part) = (hundredths / 100, hundredths % 100);
    let mut number = whole.to_string();
    if part != 0 {
        let digits = format!("{part:02}");
        number.push(if lang == Lang::Fr { ',' } else { '.' });
        number.push_str(digits.trim_end_matches('0'));
    }
    let many = match lang {
        Lang::Fr => hundredths >= 200,
        Lang::En => hundredths != 100,
    };
    let noun = match (lang, many) {
        (Lang::Fr, true) => "crédits",
        (Lang::Fr, false) => "crédit",
        (Lang::En, true) => "credits",
        (Lang::En, false) => "credit",
    };
    format!("{number}{FIXED}{noun}")
}

/// `20 places`, `1 place`: the same in both languages.
pub(crate) fn places(count: u32) -> String {
    let noun = if count < 2 { "place" } else { "places" };
    format!("{count}{FIXED}{noun}")
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
    use jiff::civil::{date, time};

    #[test]
    fn hours_read_as_the_french_write_them() {
        for (at, fr, en) in [
            (time(18, 30, 0, 0), "18 h 30", "18:30"),
            (time(10, 0, 0, 0), "10 h", "10:00"),
            (time(9, 5, 0, 0), "9 h 05", "9:05"),
            (time(0, 0, 0, 0), "minuit", "0:00"),
            (time(0, 30, 0, 0), "0 h 30", "0:30"),
        ] {
            assert_eq!(hour(at, Lang::Fr).replace(NARROW, " "), fr);
            assert_eq!(hour(at, Lang::En), en);
        }
    }

    #[test]
    fn credits_agree_in_number() {
        for (hundredths, fr, en) in [
            (100, "1 crédit", "1 credit"),
            (150, "1,5 crédit", "1.5 credits"),
            (200, "2 crédits", "2 credits"),
            (25, "0,25 crédit", "0.25 credits"),
            (1005, "10,05 crédits", "10.05 credits"),
        ] {
            assert_eq!(credits(hundredths, Lang::Fr).replace(FIXED, " "), fr);
            assert_eq!(credits(hundredths, Lang::En).replace(FIXED, " "), en);
        }
    }

    #[test]
    fn french_spaces_are_set_and_hours_and_addresses_left_alone() {
        let set = |text: &str| {
            line(text, Lang::Fr, 200)
                .replace(NARROW, "_")
                .replace(FIXED, "~")
        };
        assert_eq!(
            set("Permanence d'accueil : venez !"),
            "Permanence d’accueil~: venez_!"
        );
        assert_eq!(set("« Les communs » ; 5 €..."), "«_Les communs_»_; 5~€…");
        assert_eq!(set("«Les communs»"), "«_Les communs_»");
        assert_eq!(set("dès 19h30, jusqu'à 23h."), "dès 19_h_30, jusqu’à 23_h.");
        assert_eq!(
            set("à 18:30, https://a.example/?b"),
            "à 18:30, https://a.example/?b"
        );
        assert_eq!(
            set("\"Grand débat\": à qui est la rue? 5€, 20%!"),
            "«_Grand débat_»~: à qui est la rue_? 5~€, 20~%!"
        );
        assert_eq!(set("écran de 5\""), "écran de 5\"");
        assert_eq!(
            line("What? \"No\" : don't", Lang::En, 200),
            "What? “No” : don’t"
        );
    }

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
