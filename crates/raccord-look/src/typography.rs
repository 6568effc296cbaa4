//! How words and hours are set, in French and in English. Pure.

use std::borrow::Cow;

use jiff::civil::Time;
use raccord_model::Lang;

/// A narrow space at which no line breaks (before ; ! ? » and around the h of hours).
pub const NARROW: char = '\u{202f}';
/// A space at which no line breaks (before :, between a number and its noun).
pub const FIXED: char = '\u{a0}';

/// What people typed, as it is printed in `lang`: quotation marks, apostrophes and, in French,
/// spaces and hours. Line breaks stay; addresses and hours like 18:30 stay as they are.
pub fn set(text: &str, lang: Lang) -> String {
    match lang {
        Lang::Fr => french(&quoted(text, '«', '»')),
        Lang::En => english(&quoted(text, '“', '”')),
    }
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

/// `18 h 30`, `18 h`, `minuit`; `18:30`, `midnight`.
pub fn hour(time: Time, lang: Lang) -> String {
    let (hour, minute) = (time.hour(), time.minute());
    match lang {
        Lang::Fr if hour == 0 && minute == 0 => "minuit".into(),
        Lang::Fr if minute == 0 => format!("{hour}{NARROW}h"),
        Lang::Fr => format!("{hour}{NARROW}h{NARROW}{minute:02}"),
        Lang::En if hour == 0 && minute == 0 => "midnight".into(),
        Lang::En => format!("{hour}:{minute:02}"),
    }
}

/// `2 crédits`, `1,5 crédit` (the French plural begins at two); `1.5 credits`. In hundredths.
pub fn credits(hundredths: i64, lang: Lang) -> String {
    let many = match lang {
        Lang::Fr => hundredths.abs() >= 200,
        Lang::En => hundredths != 100,
    };
    let noun = match (lang, many) {
        (Lang::Fr, true) => "crédits",
        (Lang::Fr, false) => "crédit",
        (Lang::En, true) => "credits",
        (Lang::En, false) => "credit",
    };
    format!("{}{FIXED}{noun}", amount(hundredths, lang))
}

/// `2`, `1,5`; `1.5`.
fn amount(hundredths: i64, lang: Lang) -> String {
    let sign = if hundredths < 0 { "−" } else { "" };
    let (whole, part) = (
        hundredths.unsigned_abs() / 100,
        hundredths.unsigned_abs() % 100,
    );
    let point = match lang {
        Lang::Fr => ',',
        Lang::En => '.',
    };
    match part {
        0 => format!("{sign}{whole}"),
        part if part % 10 == 0 => format!("{sign}{whole}{point}{}", part / 10),
        part => format!("{sign}{whole}{point}{part:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::time;

    #[test]
    fn hours_read_as_people_write_them() {
        for (at, fr, en) in [
            (time(18, 30, 0, 0), "18 h 30", "18:30"),
            (time(10, 0, 0, 0), "10 h", "10:00"),
            (time(9, 5, 0, 0), "9 h 05", "9:05"),
            (time(0, 0, 0, 0), "minuit", "midnight"),
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
            (-50, "−0,5 crédit", "−0.5 credits"),
        ] {
            assert_eq!(credits(hundredths, Lang::Fr).replace(FIXED, " "), fr);
            assert_eq!(credits(hundredths, Lang::En).replace(FIXED, " "), en);
        }
    }

    #[test]
    fn french_spaces_are_set_and_hours_and_addresses_left_alone() {
        let shown = |text: &str| set(text, Lang::Fr).replace(NARROW, "_").replace(FIXED, "~");
        for (typed, printed) in [
            (
                "Permanence d'accueil : venez !",
                "Permanence d’accueil~: venez_!",
            ),
            ("« Les communs » ; 5 €...", "«_Les communs_»_; 5~€…"),
            ("«Les communs»", "«_Les communs_»"),
            ("dès 19h30, jusqu'à 23h.", "dès 19_h_30, jusqu’à 23_h."),
            (
                "à 18:30, https://a.example/?b",
                "à 18:30, https://a.example/?b",
            ),
            (
                "\"Grand débat\": à qui est la rue? 5€, 20%!",
                "«_Grand débat_»~: à qui est la rue_? 5~€, 20~%!",
            ),
            ("écran de 5\"", "écran de 5\""),
            (
                "Apportez :\n- gants ;\n- envie !",
                "Apportez~:\n- gants_;\n- envie_!",
            ),
        ] {
            assert_eq!(shown(typed), printed);
            let once = set(typed, Lang::Fr);
            assert_eq!(set(&once, Lang::Fr), once, "set twice");
        }
        assert_eq!(set("What? \"No\" : don't", Lang::En), "What? “No” : don’t");
    }
}
