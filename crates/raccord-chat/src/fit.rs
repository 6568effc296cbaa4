//! Cuts what is too long for a tool: at a word, with a link to the rest.

use unicode_segmentation::UnicodeSegmentation as _;

use crate::dialect::Dialect;
use crate::message::Written;
use crate::rich::{Block, Inline, Rich};

/// What a tool counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Unicode characters (runes).
    Characters,
    /// UTF-16 units, as JavaScript counts.
    Utf16,
    /// Bytes.
    Bytes,
}

impl Unit {
    /// How many of them a text has.
    pub fn of(self, text: &str) -> usize {
        match self {
            Self::Characters => text.chars().count(),
            Self::Utf16 => text.encode_utf16().count(),
            Self::Bytes => text.len(),
        }
    }
}

/// The most that a message may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How many.
    pub most: usize,
    /// Of what.
    pub unit: Unit,
}

/// Writes `rich`, cut so that it fits; `more` is the address of the whole, where there is one, and
/// `label` what is shown for it.
pub fn fit(dialect: &dyn Dialect, rich: &Rich, more: &str, label: &str) -> Written {
    let most = dialect.limit().most;
    let whole = dialect.write(rich);
    if dialect.measure(&whole) <= most {
        return whole;
    }
    let (mut fits, mut breaks) = (0, words_in(rich));
    let mut best = Written::default();
    while fits + 1 < breaks {
        let half = usize::midpoint(fits, breaks);
        let written = dialect.write(&cut(rich, half, more, label));
        if dialect.measure(&written) <= most {
            (fits, best) = (half, written);
        } else {
            breaks = half;
        }
    }
    best
}

/// What may be cut between: words, and characters of what has no words.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(char::is_whitespace).flat_map(|word| {
        // A word nobody would write is cut where a reader sees a character end.
        let long = word.len() > 100;
        let whole = (!long).then_some(word).into_iter();
        let parts = if long { word } else { "" };
        whole.chain(parts.graphemes(true))
    })
}

fn words_in(rich: &Rich) -> usize {
    fn count(words: &[Inline]) -> usize {
        words
            .iter()
            .map(|word| match word {
                Inline::Text(text) | Inline::Code(text) => pieces(text).count(),
                Inline::Bold(inner) | Inline::Italic(inner) | Inline::Strike(inner) => count(inner),
                Inline::Link { .. } | Inline::Break => 1,
            })
            .sum()
    }
    rich.0.iter().map(|block| 1 + count(block.words())).sum()
}

/// The first `left` pieces, an ellipsis, and the link.
fn cut(rich: &Rich, mut left: usize, more: &str, label: &str) -> Rich {
    let mut out = Rich::default();
    for block in &rich.0 {
        if left <= 1 {
            break;
        }
        left -= 1;
        let mut words = taken(block.words(), &mut left);
        if left == 0 {
            while matches!(words.last(), Some(Inline::Break)) {
                words.pop();
            }
            words.push(Inline::Text("…".to_owned()));
        }
        out.0.push(block.with(words));
    }
    if !more.is_empty() {
        out.0.push(Block::Paragraph(vec![Inline::Link {
            label: vec![Inline::Text(label.to_owned())],
            url: more.to_owned(),
        }]));
    }
    out
}

fn taken(words: &[Inline], left: &mut usize) -> Vec<Inline> {
    let mut out = Vec::new();
    for word in words {
        if *left == 0 {
            break;
        }
        out.push(match word {
            Inline::Text(text) => Inline::Text(first(text, left)),
            Inline::Code(text) => Inline::Code(first(text, left)),
            Inline::Bold(inner) => Inline::Bold(taken(inner, left)),
            Inline::Italic(inner) => Inline::Italic(taken(inner, left)),
            Inline::Strike(inner) => Inline::Strike(taken(inner, left)),
            other => {
                *left -= 1;
                other.clone()
            }
        });
    }
    out
}

fn first(text: &str, left: &mut usize) -> String {
    let mut out = String::new();
    let mut all = true;
    for piece in pieces(text) {
        if *left == 0 {
            all = false;
            break;
        }
        *left -= 1;
        out.push_str(piece);
    }
    if !all {
        out.truncate(out.trim_end().len());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{Html, Markdown};
    use crate::rich::{escape, parse};

    #[test]
    fn thirty_thousand_characters_end_at_a_word_with_a_link() {
        let long = format!("**T** {}", escape(&"mot_ @all ".repeat(3_000)));
        let rich = parse(&long);
        let dialects: [&dyn Dialect; 3] =
            [&Markdown::MATTERMOST, &Markdown::ROCKETCHAT, &Html::MATRIX];
        for dialect in dialects {
            let written = fit(dialect, &rich, "https://example.org/a", "La suite");
            let size = dialect.measure(&written);
            let most = dialect.limit().most;
            assert!(size <= most && size > most - most / 10, "{size} of {most}");
            assert!(written.text.contains("La suite"));
            let before = written.text.split('…').next().unwrap_or_default();
            assert!(
                before.trim_end().ends_with(['l', '_']),
                "{}",
                &before[before.len() - 20..]
            );
        }
    }

    #[test]
    fn a_word_without_end_is_cut_between_characters_people_see() {
        let rich = parse(&"👨‍👩‍👧‍👦".repeat(4_000));
        let written = fit(&Markdown::ROCKETCHAT, &rich, "", "");
        assert!(Unit::Utf16.of(&written.text) <= 5_000);
        let body = written.text.trim_end_matches('…');
        assert!(body.replace("👨‍👩‍👧‍👦", "").is_empty());
    }

    #[test]
    fn what_fits_is_left_alone() {
        let written = fit(
            &Markdown::MATTERMOST,
            &parse("court"),
            "https://x.org",
            "suite",
        );
        assert_eq!(written.text, "court");
    }
}
