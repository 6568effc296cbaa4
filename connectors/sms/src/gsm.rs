//! The alphabet of short messages (3GPP TS 23.038), how many of them a text takes, and how it is made
//! to take fewer.

use unicode_normalization::UnicodeNormalization as _;

/// The letters that cost one place each.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Those that cost two.
const EXTENSION: &str = "^{}\\[~]|€\u{c}";

/// The places of one message, and of each of several that belong together: in the alphabet ...
const GSM: (usize, usize) = (160, 153);
/// ... and in UTF-16, which any other letter asks for.
const UCS2: (usize, usize) = (70, 67);

fn septets(c: char) -> Option<usize> {
    if BASIC.contains(c) {
        Some(1)
    } else {
        EXTENSION.contains(c).then_some(2)
    }
}

/// Whether all of it can be said in the alphabet.
pub(crate) fn is_gsm(text: &str) -> bool {
    text.chars().all(|c| septets(c).is_some())
}

/// How many messages a text takes. No letter is split between two.
pub(crate) fn parts(text: &str) -> usize {
    let gsm = is_gsm(text);
    let size = |c: char| match septets(c) {
        Some(places) if gsm => places,
        _ => c.len_utf16(),
    };
    let (alone, each) = if gsm { GSM } else { UCS2 };
    if text.chars().map(size).sum::<usize>() <= alone {
        return 1;
    }
    let (mut parts, mut left) = (1, each);
    for c in text.chars() {
        let places = size(c);
        if places > left {
            (parts, left) = (parts + 1, each);
        }
        left -= places;
    }
    parts
}

/// Signs of typography as plain ones, and one space between words.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    for c in text.chars() {
        let opened = std::mem::replace(&mut before, c) == '«';
        match c {
            '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2032}' => out.push('\''),
            // Inside its quotation marks French has spaces that plain ones do not.
            '»' => {
                out.truncate(out.trim_end().len());
                out.push('"');
            }
            '«' | '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{2033}' => out.push('"'),
            '\u{2010}'..='\u{2015}' | '\u{2212}' | '·' | '•' => out.push('-'),
            '…' => out.push_str("..."),
            'œ' => out.push_str("oe"),
            'Œ' => out.push_str("OE"),
            '→' => out.push_str("->"),
            '×' => out.push('x'),
            c if c.is_whitespace() => {
                if !opened && !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            c => out.push(c),
        }
    }
    out
}

/// Without the accents that the alphabet lacks.
fn bare(text: &str) -> String {
    let letter = |c: char| match septets(c) {
        Some(_) => c,
        None => c.nfd().next().unwrap_or(c),
    };
    text.chars().map(letter).collect()
}

/// A text as it is sent: accents stay where they cost no message more.
pub(crate) fn written(text: &str) -> String {
    let plain = plain(text);
    let bare = bare(&plain);
    if parts(&bare) < parts(&plain) {
        bare
    } else {
        plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_takes_as_many_messages_as_the_standard_says() {
        let many = |letter: &str, count: usize| parts(&letter.repeat(count));
        for (letter, alone, each) in [("a", 160, 153), ("é", 160, 153), ("ê", 70, 67)] {
            assert_eq!(many(letter, alone), 1, "{letter}");
            assert_eq!(many(letter, alone + 1), 2, "{letter}");
            assert_eq!(many(letter, each * 2), 2, "{letter}");
            assert_eq!(many(letter, each * 2 + 1), 3, "{letter}");
        }
        assert_eq!(many("€", 80), 1, "each costs two places");
        assert_eq!(many("€", 81), 2);
        assert_eq!(many("😀", 35), 1, "each costs two of UTF-16");
        assert_eq!(many("😀", 36), 2);
        // 152 places, and a sign of two: it goes to the next message whole.
        assert_eq!(
            parts(&format!("{}€{}", "a".repeat(152), "a".repeat(151))),
            2
        );
        assert_eq!(
            parts(&format!("{}€{}", "a".repeat(152), "a".repeat(152))),
            3
        );
        assert_eq!(parts(""), 1);
    }

    #[test]
    fn typography_costs_nothing_and_accents_only_where_they_are_free() {
        assert_eq!(
            written("L’été : « Bal » – 20\u{a0}h 30, cœur…"),
            "L'été : \"Bal\" - 20 h 30, coeur..."
        );
        assert_eq!(written("La fête"), "La fête", "one message in any case");
        let long = format!("La fête {}", "a".repeat(100));
        assert_eq!(written(&long), format!("La fete {}", "a".repeat(100)));
        assert!(is_gsm(&written(&long)));
        let foreign = "праздник ".repeat(10);
        assert_eq!(written(&foreign), foreign, "what has no plain letter stays");
    }
}
