//! Text that anybody may have written, made fit for the programme's page. Pure.

/// Trims a text and ends it with "…" where it is too long, between words if it has any. What
/// reorders or hides what stands around it is left out.
pub(super) fn cut(text: &str, most: usize) -> String {
    let shown = |c: &char| {
        let hidden = c.is_control() && *c != '\n'
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        !hidden
    };
    let text: String = text.trim().chars().filter(shown).take(most + 1).collect();
    if text.chars().count() <= most {
        return text;
    }
    let short: String = text.chars().take(most).collect();
    let kept = short
        .rsplit_once(char::is_whitespace)
        .map_or(short.as_str(), |(kept, _)| kept);
    format!("{}…", kept.trim_end_matches([' ', ',', ';', '.', '\n']))
}

/// The address, if it leads to a web page.
pub(super) fn web_address(text: &str) -> Option<String> {
    let text = text.trim();
    let (scheme, rest) = text.split_once("://")?;
    let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let plain = !rest.is_empty()
        && text.len() <= 2000
        && !text
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '\\'));
    (web && plain).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_become_links() {
        for good in ["https://example.org/a?b#c", " HTTP://x "] {
            assert!(web_address(good).is_some(), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "java\nscript://x",
            "data:text/html,x",
            "//x",
            "https://",
            "https://a b",
            "https://a\"b",
            "",
            "ftp://x",
        ] {
            assert!(web_address(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn long_and_tricky_texts_are_cut_between_words() {
        assert_eq!(cut("  un  ", 10), "un");
        assert_eq!(cut("un deux, trois", 9), "un deux…");
        assert_eq!(cut("aaaaaaaa", 3), "aaa…");
        assert_eq!(cut("a\u{202e}b\u{0}c\nd", 10), "abc\nd");
        assert_eq!(cut(&"é".repeat(1_000_000), 5), "ééééé…");
    }
}
