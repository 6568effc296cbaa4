//! What a message says, before it is written in a tool's markup: blocks of marked words.
//!
//! Templates are written in a small Markdown: `**bold**`, `_italic_`, `~~struck~~`, `` `code` ``,
//! `[label](address)`, `- item`, `# heading`, `> quote`; a line break is a line break. What comes
//! from a sheet is [escaped](escape) before it meets a template, so that it can only ever be words.

use raccord_look::clean::{self, Piece};
use serde::{Deserialize, Serialize};

/// How deep marks may stand in marks.
const DEPTH: u8 = 4;

/// Marked words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Inline {
    /// Words.
    Text(String),
    /// Words that stand out.
    Bold(Vec<Self>),
    /// Words that are stressed.
    Italic(Vec<Self>),
    /// Words that hold no more.
    Strike(Vec<Self>),
    /// Words to be typed as they stand.
    Code(String),
    /// An address (http, https or mailto) and what is shown for it.
    Link {
        /// What is shown; the address itself where it is empty.
        label: Vec<Self>,
        /// The address.
        url: String,
    },
    /// A line break.
    Break,
}

/// Words that belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Block {
    /// A title.
    Heading(Vec<Inline>),
    /// A paragraph.
    Paragraph(Vec<Inline>),
    /// A line of a list.
    Item(Vec<Inline>),
    /// What somebody else said.
    Quote(Vec<Inline>),
}

impl Block {
    /// Its words.
    pub fn words(&self) -> &[Inline] {
        match self {
            Self::Heading(words)
            | Self::Paragraph(words)
            | Self::Item(words)
            | Self::Quote(words) => words,
        }
    }

    pub(crate) fn with(&self, words: Vec<Inline>) -> Self {
        match self {
            Self::Heading(_) => Self::Heading(words),
            Self::Paragraph(_) => Self::Paragraph(words),
            Self::Item(_) => Self::Item(words),
            Self::Quote(_) => Self::Quote(words),
        }
    }
}

/// What a message says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rich(pub Vec<Block>);

/// `text` as it must stand in a template to be nothing but words.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        if c.is_ascii_punctuation() || c == '\n' {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// What a line begins, and its words.
type Begun<'a> = (fn(Vec<Inline>) -> Block, &'a str);

/// Reads what a template gave. What is no mark is words: nothing is an error.
pub fn parse(markup: &str) -> Rich {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Option<Vec<Inline>> = None;
    for line in lines(markup) {
        let text = line.trim();
        let block: Option<Begun<'_>> = if text.is_empty() {
            None
        } else if let Some(rest) = text.strip_prefix("- ") {
            Some((Block::Item, rest))
        } else if let Some(rest) = text.strip_prefix("# ") {
            Some((Block::Heading, rest))
        } else if let Some(rest) = text.strip_prefix("> ") {
            Some((Block::Quote, rest))
        } else {
            let words = inlines(text);
            match &mut open {
                Some(before) => {
                    before.push(Inline::Break);
                    before.extend(words);
                }
                None => open = Some(words),
            }
            continue;
        };
        blocks.extend(open.take().map(Block::Paragraph));
        blocks.extend(block.map(|(make, rest)| make(inlines(rest))));
    }
    blocks.extend(open.map(Block::Paragraph));
    Rich(blocks)
}

/// The lines of a markup; a break that was escaped ends none.
fn lines(markup: &str) -> Vec<&str> {
    let (mut start, mut escaped, mut lines) = (0, false, Vec::new());
    for (at, c) in markup.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' => {
                lines.push(&markup[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    lines.push(&markup[start..]);
    lines
}

fn inlines(text: &str) -> Vec<Inline> {
    let chars: Vec<char> = text.chars().collect();
    Parser {
        chars: &chars,
        hopeless: Vec::new(),
    }
    .read(0, chars.len(), 0, true)
}

struct Parser<'a> {
    chars: &'a [char],
    /// Marks that nothing closes from here to the end.
    hopeless: Vec<&'static str>,
}

/// A mark, and what it makes of the words it stands around.
type Mark = (&'static str, fn(Vec<Inline>) -> Inline);

const MARKS: [Mark; 4] = [
    ("**", Inline::Bold),
    ("~~", Inline::Strike),
    ("_", Inline::Italic),
    ("*", Inline::Italic),
];

impl Parser<'_> {
    /// The words between two places; `links` where addresses may become links.
    fn read(&mut self, from: usize, to: usize, depth: u8, links: bool) -> Vec<Inline> {
        let (mut out, mut text, mut at) = (Vec::new(), String::new(), from);
        while at < to {
            match self.chars[at] {
                '\\' if at + 1 < to => {
                    at += 1;
                    if self.chars[at] == '\n' {
                        flush(&mut text, &mut out, links);
                        out.push(Inline::Break);
                    } else {
                        text.push(self.chars[at]);
                    }
                }
                '`' => match self.closing("`", at + 1, to) {
                    Some(end) => {
                        flush(&mut text, &mut out, links);
                        out.push(Inline::Code(self.plain(at + 1, end)));
                        at = end;
                    }
                    None => text.push('`'),
                },
                '[' if links && depth < DEPTH => match self.link(at, to) {
                    Some((label, address, end)) => {
                        flush(&mut text, &mut out, links);
                        let words = self.read(label.0, label.1, depth + 1, false);
                        match clean::address(&self.plain(address.0, address.1)) {
                            Some(url) => out.push(Inline::Link {
                                label: words,
                                url: url.to_owned(),
                            }),
                            // Nowhere a reader may be sent to: its words stay.
                            None => out.extend(words),
                        }
                        at = end;
                    }
                    None => text.push('['),
                },
                c => match self.marked(at, to, depth) {
                    Some((make, inner, end)) => {
                        flush(&mut text, &mut out, links);
                        let words = self.read(inner.0, inner.1, depth + 1, links);
                        out.push(make(words));
                        at = end;
                    }
                    None => text.push(c),
                },
            }
            at += 1;
        }
        flush(&mut text, &mut out, links);
        out
    }

    /// What is marked from `at` on: how, the words' place, and the last place of the mark.
    #[expect(clippy::type_complexity, reason = "read once, right above")]
    fn marked(
        &mut self,
        at: usize,
        to: usize,
        depth: u8,
    ) -> Option<(fn(Vec<Inline>) -> Inline, (usize, usize), usize)> {
        if depth >= DEPTH {
            return None;
        }
        let (mark, make) = MARKS.into_iter().find(|(mark, _)| self.is_at(mark, at))?;
        let start = at + mark.len();
        let end = self.closing(mark, start, to)?;
        (end > start).then_some((make, (start, end), end + mark.len() - 1))
    }

    /// The label, the address and the last place of a link that begins at `at`.
    #[expect(clippy::type_complexity, reason = "read once, right above")]
    fn link(&mut self, at: usize, to: usize) -> Option<((usize, usize), (usize, usize), usize)> {
        let label = self.closing("]", at + 1, to)?;
        if self.chars.get(label + 1) != Some(&'(') || label + 1 >= to {
            return None;
        }
        let address = self.closing(")", label + 2, to)?;
        Some(((at + 1, label), (label + 2, address), address))
    }

    /// Where `mark` stands next, not escaped.
    fn closing(&mut self, mark: &'static str, from: usize, to: usize) -> Option<usize> {
        if self.hopeless.contains(&mark) {
            return None;
        }
        let mut at = from;
        while at < to {
            if self.chars[at] == '\\' {
                at += 1;
            } else if self.is_at(mark, at) && at + mark.len() <= to {
                return Some(at);
            }
            at += 1;
        }
        if to == self.chars.len() {
            self.hopeless.push(mark);
        }
        None
    }

    fn is_at(&self, mark: &str, at: usize) -> bool {
        mark.chars()
            .enumerate()
            .all(|(offset, c)| self.chars.get(at + offset) == Some(&c))
    }

    /// The characters themselves, escapes taken away.
    fn plain(&self, from: usize, to: usize) -> String {
        let mut escaped = false;
        let keep = |c: &&char| {
            escaped = **c == '\\' && !escaped;
            !escaped
        };
        self.chars[from..to].iter().filter(keep).collect()
    }
}

/// Ends a run of words; addresses that stand in them are links.
fn flush(text: &mut String, out: &mut Vec<Inline>, links: bool) {
    if text.is_empty() {
        return;
    }
    let text = std::mem::take(text);
    if !links || !text.contains("://") {
        out.push(Inline::Text(text));
        return;
    }
    out.extend(clean::pieces(&text).into_iter().map(|piece| match piece {
        Piece::Text(text) => Inline::Text(text),
        Piece::Link(url) => Inline::Link {
            label: Vec::new(),
            url,
        },
    }));
}

impl Rich {
    /// Adds a paragraph.
    pub fn paragraph(&mut self, words: Vec<Inline>) {
        self.0.push(Block::Paragraph(words));
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|block| block.words().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(text: &str) -> Inline {
        Inline::Text(text.to_owned())
    }

    #[test]
    fn marks_lists_and_links_are_read() {
        let rich =
            parse("# T\n**a _b_** ~~c~~ `d*`\nsecond\n\n- [l](https://example.org/a_b)\n> q");
        let expected = vec![
            Block::Heading(vec![text("T")]),
            Block::Paragraph(vec![
                Inline::Bold(vec![text("a "), Inline::Italic(vec![text("b")])]),
                text(" "),
                Inline::Strike(vec![text("c")]),
                text(" "),
                Inline::Code("d*".into()),
                Inline::Break,
                text("second"),
            ]),
            Block::Item(vec![Inline::Link {
                label: vec![text("l")],
                url: "https://example.org/a_b".into(),
            }]),
            Block::Quote(vec![text("q")]),
        ];
        assert_eq!(rich.0, expected);
    }

    #[test]
    fn a_link_that_leads_nowhere_good_is_its_words() {
        assert_eq!(
            parse("[x](javascript:alert)").0,
            vec![Block::Paragraph(vec![text("x")])]
        );
    }

    #[test]
    fn ten_thousand_marks_that_nothing_closes_are_words_at_once() {
        for mark in ["**", "_", "~~", "`", "[", "[x]("] {
            let start = std::time::Instant::now();
            assert!(!parse(&mark.repeat(10_001)).is_empty());
            assert!(start.elapsed().as_secs() < 5, "{mark}");
        }
    }

    proptest! {
        #[test]
        fn what_is_escaped_is_nothing_but_words(value in "[ -~\néà]{0,60}") {
            prop_assume!(!value.contains("://"));
            let value = clean::prose(&value, 1_000).0;
            let rich = parse(&format!("a{}z", escape(&value)));
            let words = rich.0.iter().flat_map(|block| block.words().iter());
            let mut said = String::new();
            for word in words {
                match word {
                    Inline::Text(text) => said.push_str(text),
                    Inline::Break => said.push('\n'),
                    other => panic!("{other:?}"),
                }
            }
            prop_assert_eq!(said, format!("a{value}z"));
        }

        #[test]
        fn nothing_panics(markup in ".{0,200}") {
            parse(&markup);
        }
    }
}
