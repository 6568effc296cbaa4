//! Text as people mean it: one form for what looks the same, and a folded form to compare by.
//!
//! Refuses to interpret: whether a text is a date, an hour or a name is decided elsewhere.

use std::borrow::Cow;

use unicode_normalization::char::{decompose_compatible, is_combining_mark};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Spaces of every width, tabs and line breaks.
fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{a0}' | '\u{2007}' | '\u{202f}' | '\u{2060}')
}

/// What nobody sees and nobody meant: control characters, byte order marks, zero-width spaces,
/// soft hyphens, and the overrides that turn a text around.
fn is_noise(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{feff}' | '\u{200b}' | '\u{ad}' | '\u{202d}' | '\u{202e}' | '\u{fffe}' | '\u{ffff}'
        )
}

/// The text on one line: NFC, plain single spaces, no outer spaces.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    if is_tidy(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    push_line(text, &mut out);
    Cow::Owned(out)
}

fn is_tidy(text: &str) -> bool {
    let mut before = b' ';
    let mut ascii = true;
    for &byte in text.as_bytes() {
        if byte == b' ' && before == b' ' || byte < b' ' || byte == 0x7f {
            return false;
        }
        ascii &= byte < 0x80;
        before = byte;
    }
    if !text.is_empty() && before == b' ' {
        return false;
    }
    ascii
        || !text
            .chars()
            .any(|c| !c.is_ascii() && (is_space(c) || is_noise(c)))
            && is_nfc_quick(text.chars()) == IsNormalized::Yes
}

fn push_line(text: &str, out: &mut String) {
    let start = out.len();
    let mut gap = false;
    for c in text.nfc() {
        if is_space(c) {
            gap = true;
        } else if !is_noise(c) {
            if gap && out.len() > start {
                out.push(' ');
            }
            gap = false;
            out.push(c);
        }
    }
}

/// The text with its paragraphs: each line as [`line()`], at most one empty line in a row.
pub(crate) fn paragraphs(text: &str) -> Cow<'_, str> {
    if !text.contains(['\n', '\r', '\u{2028}', '\u{2029}']) {
        return line(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut empty = 0;
    for part in text.split(['\n', '\u{2028}', '\u{2029}']) {
        for part in part.trim_end_matches('\r').split('\r') {
            let tidy = line(part);
            if tidy.is_empty() {
                empty += 1;
                continue;
            }
            if !out.is_empty() {
                out.push_str(if empty > 0 { "\n\n" } else { "\n" });
            }
            empty = 0;
            out.push_str(&tidy);
        }
    }
    Cow::Owned(out)
}

/// The text to parse: lower case, no accents, straight quotes, one kind of dash, single spaces.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut gap = false;
    let mut push = |c: char| {
        if c == ' ' || !c.is_ascii_graphic() && is_space(c) {
            gap = true;
            return;
        }
        if !c.is_ascii_graphic() && (is_noise(c) || is_combining_mark(c)) {
            return;
        }
        if gap && !out.is_empty() {
            out.push(' ');
        }
        gap = false;
        match c {
            '’' | '‘' | 'ʼ' | '`' | '´' => out.push('\''),
            '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => out.push('-'),
            'œ' | 'Œ' => out.push_str("oe"),
            'æ' | 'Æ' => out.push_str("ae"),
            'ß' => out.push_str("ss"),
            other if other.is_ascii() => out.push(other.to_ascii_lowercase()),
            other => out.extend(other.to_lowercase()),
        }
    };
    for c in text.chars() {
        if c.is_ascii() {
            push(c);
        } else {
            // Compatibility forms too: ordinal º, full-width digits, ligatures. Marks are
            // dropped, so their order does not matter.
            decompose_compatible(c, &mut push);
        }
    }
    out
}

/// The words of the text and nothing else: [`plain`], punctuation as spaces.
pub(crate) fn key(text: &str) -> String {
    let plain = plain(text);
    let mut out = String::with_capacity(plain.len());
    for word in plain
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
    {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// At most `most` characters of `text`, told by an ellipsis.
pub(crate) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_looks_the_same_is_the_same() {
        for (raw, tidy) in [
            ("Atelier\u{a0}vélo\u{a0}: freins", "Atelier vélo : freins"),
            ("  Rangement  de rentrée \t", "Rangement de rentrée"),
            ("E\u{301}quipe", "Équipe"),
            ("deux\r\nlignes", "deux lignes"),
            ("\u{feff}Date", "Date"),
            ("a\u{202e}b\u{0}c", "abc"),
            ("", ""),
            ("👩‍🌾 jardin", "👩‍🌾 jardin"),
        ] {
            assert_eq!(line(raw), tidy);
        }
    }

    #[test]
    fn a_description_keeps_its_paragraphs() {
        assert_eq!(
            paragraphs("- chaînes\r\n- cassettes "),
            "- chaînes\n- cassettes"
        );
        assert_eq!(paragraphs("un\n\n\n\ndeux\n"), "un\n\ndeux");
        assert_eq!(paragraphs("un\rdeux"), "un\ndeux");
    }

    #[test]
    fn keys_forget_case_accents_and_punctuation() {
        assert_eq!(key(" Où ? "), "ou");
        assert_eq!(key("Intitulé de l’évènement"), "intitule de l evenement");
        assert_eq!(plain("18H30 – 20H30"), "18h30 - 20h30");
    }

    proptest::proptest! {
        #[test]
        fn tidying_twice_changes_nothing(text in ".{0,60}") {
            let once = line(&text).into_owned();
            proptest::prop_assert_eq!(line(&once), once.as_str());
            let once = paragraphs(&text).into_owned();
            proptest::prop_assert_eq!(paragraphs(&once).into_owned(), once);
        }
    }
}
