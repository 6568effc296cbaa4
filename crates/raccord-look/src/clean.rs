//! Text from tools, made fit to be shown: no control characters, no bidirectional overrides, bounded
//! lengths, and only addresses that a reader can follow without risk.
//!
//! It does not escape: each writer (HTML, iCalendar, Atom, JSON) escapes for its own format.

use raccord_model::Lang;

/// `text` on one line, at most `max` characters.
pub fn line(text: &str, max: usize) -> String {
    // What is cut later need not be walked: a cell may hold ten megabytes.
    let spare = max.saturating_mul(4).saturating_add(64);
    let mut out = String::new();
    for word in text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
    {
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.chars().filter(|&c| shown(c)).take(spare));
        if out.len() > spare {
            break;
        }
    }
    let (kept, cut) = cut(out.trim(), max);
    if cut {
        format!("{kept}…")
    } else {
        kept.to_owned()
    }
}

/// `text` on one line, at most `max` characters, as it is printed in `lang`.
pub fn set(text: &str, max: usize, lang: Lang) -> String {
    crate::set(&line(text, max), lang)
}

/// `text` with its line breaks, at most `max` characters, and whether something was cut.
pub fn prose(text: &str, max: usize) -> (String, bool) {
    let spare = max.saturating_mul(4).saturating_add(64);
    let mut out = String::with_capacity(text.len().min(spare));
    let mut chars = text.chars().peekable();
    let mut breaks = 0;
    while let Some(c) = chars.next() {
        let c = match c {
            '\r' if chars.peek() == Some(&'\n') => continue,
            '\r' | '\n' | '\u{2028}' | '\u{2029}' | '\u{b}' | '\u{c}' | '\u{85}' => '\n',
            '\t' => ' ',
            other => other,
        };
        if c == '\n' {
            breaks += 1;
            // A third empty line in a row says nothing more.
            if breaks <= 2 && !out.is_empty() {
                out.push('\n');
            }
        } else if shown(c) && !c.is_control() {
            breaks = 0;
            out.push(c);
        }
        if out.len() > spare {
            break;
        }
    }
    let (kept, cut) = cut(out.trim(), max);
    if cut {
        (format!("{kept}…"), true)
    } else {
        (kept.to_owned(), false)
    }
}

/// `text` if it is an address a reader may be sent to: http, https or mailto, in one piece.
pub fn address(text: &str) -> Option<&str> {
    let text = text.trim();
    let known = ["http://", "https://", "mailto:"].iter().any(|scheme| {
        text.len() > scheme.len()
            && text
                .get(..scheme.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    let plain =
        |c: char| !c.is_whitespace() && !c.is_control() && shown(c) && !r#"<>"\`"#.contains(c);
    (known && text.len() <= 2_000 && text.chars().all(plain)).then_some(text)
}

/// A piece of a line of prose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Words.
    Text(String),
    /// An address standing in the text.
    Link(String),
}

/// A line of prose, its http(s) addresses told apart.
pub fn pieces(line: &str) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut text = String::new();
    for part in line.split_inclusive(char::is_whitespace) {
        let word = part.trim_end();
        let bare = word.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '»', '…', '\'']);
        match address(bare) {
            Some(link) if !link.starts_with("mailto:") && !link.ends_with("//") => {
                if !text.is_empty() {
                    out.push(Piece::Text(std::mem::take(&mut text)));
                }
                out.push(Piece::Link(link.to_owned()));
                text.push_str(&part[bare.len()..]);
            }
            _ => text.push_str(part),
        }
    }
    if !text.is_empty() {
        out.push(Piece::Text(text));
    }
    out
}

/// Whether a character may stand in a public text: not those that turn the reading direction of
/// what follows, nor those no format can carry.
fn shown(c: char) -> bool {
    !matches!(c,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
        && (c as u32) & 0xfffe != 0xfffe
        && !matches!(c, '\u{fdd0}'..='\u{fdef}')
}

/// The first `max` characters of `text`, back to the end of a word where one is near.
fn cut(text: &str, max: usize) -> (&str, bool) {
    let Some((end, _)) = text.char_indices().nth(max) else {
        return (text, false);
    };
    let head = &text[..end];
    let word = head
        .rfind(char::is_whitespace)
        .filter(|&at| at * 4 >= end * 3)
        .unwrap_or(end);
    (head[..word].trim_end(), true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_stays_on_its_line_and_keeps_its_direction_to_itself() {
        assert_eq!(line(" a\r\n b\u{0}\u{202e}c ", 50), "a b c");
        assert_eq!(line("مرحبا 🎉", 50), "مرحبا 🎉");
    }

    #[test]
    fn a_cut_falls_between_words_where_it_can() {
        assert_eq!(line("un deux trois quatre", 15), "un deux trois…");
        assert_eq!(line(&"é".repeat(20), 5), "ééééé…");
        assert_eq!(prose("court", 5), ("court".to_owned(), false));
    }

    #[test]
    fn ten_megabytes_of_text_are_not_walked_twice() {
        let huge = "mot ".repeat(2_500_000);
        assert!(line(&huge, 100).len() <= 104);
        assert!(prose(&huge, 100).1);
    }

    #[test]
    fn only_addresses_a_reader_can_follow_are_links() {
        assert_eq!(
            address(" https://example.org/a "),
            Some("https://example.org/a")
        );
        assert!(address("MAILTO:a@example.org").is_some());
        for no in [
            "javascript:alert(1)",
            "data:text/html,x",
            "//example.org",
            "https://",
            "https://a b",
            "https://a\"onclick=x",
            "https://a\u{202e}b",
            "",
        ] {
            assert_eq!(address(no), None, "{no}");
        }
    }

    #[test]
    fn an_address_in_a_sentence_becomes_a_link_without_its_full_stop() {
        assert_eq!(
            pieces("Voir https://example.org/x. Merci"),
            vec![
                Piece::Text("Voir ".into()),
                Piece::Link("https://example.org/x".into()),
                Piece::Text(". Merci".into()),
            ]
        );
    }
}
