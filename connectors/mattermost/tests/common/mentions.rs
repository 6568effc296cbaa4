//! Who a text notifies, as `mention_parser_standard.go` reads it: words of text nodes, cut at
//! anything that is no letter, digit or one of `: . - _ @`.

use std::collections::BTreeSet;

/// The names a text mentions, in lower case. `cut` are characters that end a word besides.
pub(crate) fn names(text: &str, any_case: bool) -> BTreeSet<String> {
    let text = without_code(text);
    let inside = |c: char| c.is_alphanumeric() || ":.-_@".contains(c);
    text.split(|c: char| !inside(c))
        .filter_map(|word| word.strip_prefix('@'))
        .map(|name| name.trim_end_matches([':', '.', '-', '_']))
        .filter(|name| !name.is_empty())
        .map(|name| {
            if any_case {
                name.to_lowercase()
            } else {
                name.to_owned()
            }
        })
        .collect()
}

/// A text without its fences and its code spans.
fn without_code(text: &str) -> String {
    let mut fenced = false;
    let mut kept = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    let mut out = String::new();
    let mut rest = kept.as_str();
    while let Some(open) = rest.find('`') {
        out.push_str(&rest[..open]);
        // An escaped back-tick opens nothing.
        if rest[..open].ends_with('\\') {
            rest = &rest[open + 1..];
            continue;
        }
        match rest[open + 1..].find('`') {
            Some(close) => rest = &rest[open + 1 + close + 1..],
            None => rest = &rest[open + 1..],
        }
        out.push(' ');
    }
    out.push_str(rest);
    out
}
