//! Text from tools, made fit for a page: as [`raccord_kit::clean`] leaves it, set as it is printed.

pub(crate) use raccord_kit::clean::{address, line, prose};
use raccord_model::Lang;

/// `text` on one line, at most `max` characters, as it is printed in `lang`.
pub(crate) fn set(text: &str, max: usize, lang: Lang) -> String {
    raccord_look::set(&line(text, max), lang)
}

/// A piece of a line of prose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Words.
    Text(String),
    /// An address standing in the text.
    Link(String),
}

/// A line of prose, its http(s) addresses told apart.
pub(crate) fn pieces(line: &str) -> Vec<Piece> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
