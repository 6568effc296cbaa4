//! How each tool writes: Markdown of two flavours, and HTML beside plain text.
//!
//! Every word is written so that it stays a word: it opens no mark, names nobody, and notifies
//! nobody, in any of the ways its tool knows.

use raccord_look::clean;

use crate::fit::{Limit, Unit};
use crate::message::Written;
use crate::rich::{Block, Inline, Rich};

/// A word joiner: invisible, without width, no space in any program's eyes. After `@` it makes a
/// name nobody's. U+FEFF would not do: JavaScript takes it for white space.
const JOINER: char = '\u{2060}';

/// The markup of one tool.
pub trait Dialect: Send + Sync {
    /// Writes it in full.
    fn write(&self, rich: &Rich) -> Written;

    /// The most that a message may hold.
    fn limit(&self) -> Limit;

    /// How much of the limit a text takes.
    fn measure(&self, written: &Written) -> usize {
        self.limit().unit.of(&written.text)
    }
}

/// `text` with everything defused that could name or notify: joined after `@`, after `#` and `~`
/// where a word begins, after `<` before `!` and `@`.
pub fn quiet(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(c);
        let next = chars.peek().copied();
        let defuse = match c {
            '@' | '＠' => true,
            '#' | '~' => !before.is_alphanumeric() && next.is_some_and(char::is_alphanumeric),
            '<' => matches!(next, Some('!' | '@' | '#')),
            _ => false,
        };
        if defuse {
            out.push(JOINER);
        }
        before = c;
    }
    out
}

/// A Markdown, as a tool reads it.
#[derive(Clone, Debug)]
pub struct Markdown {
    /// Around bold words.
    pub bold: &'static str,
    /// Around stressed words.
    pub italic: &'static str,
    /// Around struck words.
    pub strike: &'static str,
    /// Before a heading; none where headings are bold lines.
    pub heading: &'static str,
    /// The characters that a backslash makes words.
    pub escaped: &'static str,
    /// Characters that mean something only before or after another, and know no backslash: a joiner
    /// is put after them.
    pub joined: &'static str,
    /// Around an address that stands for itself.
    pub angle: bool,
    /// The most that a message may hold.
    pub limit: Limit,
}

impl Markdown {
    /// Mattermost's: CommonMark with struck words. 16 383 characters unless the server says other.
    pub const MATTERMOST: Self = Self {
        bold: "**",
        italic: "_",
        strike: "~~",
        heading: "#### ",
        escaped: r"\`*_~[]()<>|!#+-",
        joined: "",
        angle: true,
        limit: Limit {
            most: 16_383,
            unit: Unit::Characters,
        },
    };

    /// Rocket.Chat's: its parser knows the backslash before a few characters only, and no table.
    /// 5 000 UTF-16 units unless the server says other.
    pub const ROCKETCHAT: Self = Self {
        bold: "**",
        italic: "_",
        strike: "~~",
        heading: "",
        escaped: "`*_~#",
        joined: "[]<|$>-+",
        angle: false,
        limit: Limit {
            most: 5_000,
            unit: Unit::Utf16,
        },
    };

    fn words(&self, text: &str, out: &mut String) {
        let text = quiet(text);
        let line_start = out.is_empty() || out.ends_with('\n');
        let digits = text.chars().take_while(char::is_ascii_digit).count();
        for (index, c) in text.chars().enumerate() {
            if self.escaped.contains(c) {
                out.push('\\');
            }
            // `1.` and `1)` at the start of a line begin a list.
            let lists = line_start && index == digits && digits > 0 && matches!(c, '.' | ')');
            if lists {
                out.push(JOINER);
            }
            out.push(c);
            if self.joined.contains(c) {
                out.push(JOINER);
            }
        }
    }

    fn inline(&self, words: &[Inline], out: &mut String) {
        for word in words {
            match word {
                Inline::Text(text) => self.words(text, out),
                Inline::Bold(inner) => self.around(self.bold, inner, out),
                Inline::Italic(inner) => self.around(self.italic, inner, out),
                Inline::Strike(inner) => self.around(self.strike, inner, out),
                Inline::Code(text) => {
                    let inner: String = text.chars().filter(|c| *c != '`').collect();
                    out.push('`');
                    out.push_str(&quiet(&inner));
                    out.push('`');
                }
                Inline::Link { label, url } if label.is_empty() => {
                    let (open, close) = if self.angle { ("<", ">") } else { ("", "") };
                    out.push_str(open);
                    out.push_str(url);
                    out.push_str(close);
                }
                Inline::Link { label, url } => {
                    out.push('[');
                    self.inline(label, out);
                    out.push_str("](");
                    out.push_str(&in_parentheses(url));
                    out.push(')');
                }
                Inline::Break => out.push('\n'),
            }
        }
    }

    fn around(&self, mark: &str, inner: &[Inline], out: &mut String) {
        let mut text = String::new();
        self.inline(inner, &mut text);
        let bare = text.trim();
        if bare.is_empty() {
            out.push_str(&text);
            return;
        }
        // A mark holds only where no space stands between it and its words.
        let lead = &text[..text.len() - text.trim_start().len()];
        let trail = &text[text.trim_end().len()..];
        for part in [lead, mark, bare, mark, trail] {
            out.push_str(part);
        }
    }
}

/// An address that stands between parentheses.
fn in_parentheses(url: &str) -> String {
    url.replace('(', "%28").replace(')', "%29")
}

impl Dialect for Markdown {
    fn write(&self, rich: &Rich) -> Written {
        let mut text = String::new();
        let mut list = false;
        for block in &rich.0 {
            let item = matches!(block, Block::Item(_));
            if !text.is_empty() {
                text.push_str(if item && list { "\n" } else { "\n\n" });
            }
            list = item;
            let start = text.len();
            match block {
                Block::Paragraph(words) => self.inline(words, &mut text),
                Block::Item(words) => {
                    text.push_str("- ");
                    self.inline(words, &mut text);
                }
                Block::Heading(words) if self.heading.is_empty() => {
                    self.around(self.bold, words, &mut text);
                }
                Block::Heading(words) => {
                    text.push_str(self.heading);
                    self.inline(words, &mut text);
                }
                Block::Quote(words) => {
                    let mut quoted = String::new();
                    self.inline(words, &mut quoted);
                    text.push_str("> ");
                    text.push_str(&quoted.replace('\n', "\n> "));
                }
            }
            if text.len() == start {
                text.truncate(text.trim_end().len());
            }
        }
        Written { text, html: None }
    }

    fn limit(&self) -> Limit {
        self.limit
    }
}

/// Plain text with the same as HTML beside it: Matrix.
#[derive(Clone, Debug)]
pub struct Html {
    /// The most that both may take, as [`Dialect::measure`] counts.
    pub limit: Limit,
}

impl Html {
    /// Matrix: an event may have 65 536 bytes with all that belongs to it, and one that changes
    /// another holds its text twice.
    pub const MATRIX: Self = Self {
        limit: Limit {
            most: 60_000,
            unit: Unit::Bytes,
        },
    };
}

impl Dialect for Html {
    fn write(&self, rich: &Rich) -> Written {
        let (mut text, mut html) = (String::new(), String::new());
        let mut list = false;
        for block in &rich.0 {
            let item = matches!(block, Block::Item(_));
            if !text.is_empty() {
                text.push_str(if item && list { "\n" } else { "\n\n" });
            }
            if item != list {
                html.push_str(if item { "<ul>" } else { "</ul>" });
            }
            list = item;
            let (before, tag) = match block {
                Block::Paragraph(_) => ("", "p"),
                Block::Heading(_) => ("", "h4"),
                Block::Item(_) => ("• ", "li"),
                Block::Quote(_) => ("> ", "blockquote"),
            };
            text.push_str(before);
            plain(block.words(), &mut text);
            tagged(tag, block.words(), &mut html);
        }
        if list {
            html.push_str("</ul>");
        }
        Written {
            text: quiet(&text),
            html: Some(html),
        }
    }

    fn limit(&self) -> Limit {
        self.limit
    }

    fn measure(&self, written: &Written) -> usize {
        let bytes = |text: &str| serde_json::to_string(text).map_or(text.len(), |json| json.len());
        2 * (bytes(&written.text) + bytes(written.html.as_deref().unwrap_or_default()))
    }
}

fn plain(words: &[Inline], out: &mut String) {
    for word in words {
        match word {
            Inline::Text(text) | Inline::Code(text) => out.push_str(text),
            Inline::Bold(inner) | Inline::Italic(inner) | Inline::Strike(inner) => {
                plain(inner, out);
            }
            Inline::Link { label, url } if label.is_empty() => out.push_str(url),
            Inline::Link { label, url } => {
                plain(label, out);
                out.push_str(" (");
                out.push_str(url);
                out.push(')');
            }
            Inline::Break => out.push('\n'),
        }
    }
}

fn marked(words: &[Inline], out: &mut String) {
    for word in words {
        let (tag, inner) = match word {
            Inline::Text(text) => {
                out.push_str(&html(&quiet(text)));
                continue;
            }
            Inline::Code(text) => {
                out.extend(["<code>", &html(&quiet(text)), "</code>"]);
                continue;
            }
            Inline::Link { label, url } => {
                let address = clean::address(url).unwrap_or_default();
                out.extend(["<a href=\"", &html(address), "\">"]);
                if label.is_empty() {
                    out.push_str(&html(url));
                } else {
                    marked(label, out);
                }
                out.push_str("</a>");
                continue;
            }
            Inline::Break => {
                out.push_str("<br>");
                continue;
            }
            Inline::Bold(inner) => ("strong", inner),
            Inline::Italic(inner) => ("em", inner),
            Inline::Strike(inner) => ("del", inner),
        };
        tagged(tag, inner, out);
    }
}

fn tagged(tag: &str, words: &[Inline], out: &mut String) {
    out.extend(["<", tag, ">"]);
    marked(words, out);
    out.extend(["</", tag, ">"]);
}

fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rich::{escape, parse};

    fn written(dialect: &dyn Dialect, markup: &str) -> Written {
        dialect.write(&parse(markup))
    }

    #[test]
    fn the_same_message_in_three_markups() {
        let markup = "# Cette semaine\n**Bal** _ce soir_ ~~20 h~~\n\n- [un](https://example.org/a_(b))\n- deux https://example.org/x_y";
        assert_eq!(
            written(&Markdown::MATTERMOST, markup).text,
            "#### Cette semaine\n\n**Bal** _ce soir_ ~~20 h~~\n\n- [un](https://example.org/a_%28b)\\)\n- deux <https://example.org/x_y>"
        );
        assert_eq!(
            written(&Markdown::ROCKETCHAT, markup).text,
            "**Cette semaine**\n\n**Bal** _ce soir_ ~~20 h~~\n\n- [un](https://example.org/a_%28b))\n- deux https://example.org/x_y"
        );
        let matrix = written(&Html::MATRIX, markup);
        assert_eq!(
            matrix.text,
            "Cette semaine\n\nBal ce soir 20 h\n\n• un (https://example.org/a_(b))\n• deux https://example.org/x_y"
        );
        assert_eq!(
            matrix.html.as_deref(),
            Some(
                "<h4>Cette semaine</h4><p><strong>Bal</strong> <em>ce soir</em> <del>20 h</del></p><ul><li><a href=\"https://example.org/a_(b\">un</a>)</li><li>deux <a href=\"https://example.org/x_y\">https://example.org/x_y</a></li></ul>"
            )
        );
    }

    #[test]
    fn nobody_is_named_by_what_a_sheet_says() {
        for text in [
            "@all",
            "@here @channel @room",
            "(@all)",
            "<!channel>",
            "<@U1>",
            "> @all",
            "＠all",
        ] {
            let markup = escape(text);
            let markups: [&dyn Dialect; 3] =
                [&Markdown::MATTERMOST, &Markdown::ROCKETCHAT, &Html::MATRIX];
            for dialect in markups {
                let Written { text, html } = written(dialect, &markup);
                for said in [Some(text), html].into_iter().flatten() {
                    for word in ["@all", "@here", "@channel", "@room", "<!", "<@", "＠all"] {
                        assert!(!said.contains(word), "{said:?} says {word}");
                    }
                }
            }
        }
    }

    #[test]
    fn no_mark_is_opened_by_what_a_sheet_says() {
        let hostile = escape("**a** _b_ `c` [d](https://e) # f\n1. g\n- h <b>i</b>");
        let mattermost = written(&Markdown::MATTERMOST, &hostile).text;
        assert!(
            mattermost.starts_with("\\*\\*a\\*\\* \\_b\\_ \\`c\\`"),
            "{mattermost}"
        );
        assert!(mattermost.contains("\n1\u{2060}. g\n\\- h"), "{mattermost}");
        let matrix = written(&Html::MATRIX, &hostile).html.unwrap_or_default();
        assert!(
            matrix.contains("&lt;b&gt;i&lt;/b&gt;") && !matrix.contains("<strong>"),
            "{matrix}"
        );
    }
}
