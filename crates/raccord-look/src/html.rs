//! HTML, both ways: our text made fit to stand in it, and what people read of somebody else's.
//!
//! Not a browser: tags fall away, blocks become lines, the few entities that editors write are read.
//! What comes out is text, never markup; whoever shows it escapes it again.

/// `text` as HTML says it, between tags and in quoted attributes alike.
pub fn escaped(text: &str) -> String {
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

/// Elements whose content nobody reads.
const UNREAD: [&str; 4] = ["script", "style", "template", "head"];
/// Elements that begin on a line of their own, after an empty one.
const PARAGRAPHS: [&str; 16] = [
    "p",
    "div",
    "ul",
    "ol",
    "blockquote",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "table",
    "section",
    "article",
    "figure",
    "pre",
];
/// Elements that begin on a line of their own.
const LINES: [&str; 4] = ["br", "li", "tr", "hr"];
/// The longest name of an entity.
const ENTITY: usize = 10;

/// What people read of `html`: its paragraphs, with an empty line between them.
pub fn text(html: &str) -> String {
    let mut out = Text::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        out.push(&rest[..at]);
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = after(comment, "-->");
            continue;
        }
        let inside = &rest[1..];
        let closing = inside.starts_with('/');
        let named = inside.trim_start_matches('/');
        let named_as = named
            .find(|c: char| !c.is_ascii_alphanumeric())
            .map_or(named, |end| &named[..end])
            .to_ascii_lowercase();
        // "a < b" is no tag.
        if named_as.is_empty() && !inside.starts_with(['/', '!', '?']) {
            out.push("<");
            rest = inside;
            continue;
        }
        rest = after(inside, ">");
        if PARAGRAPHS.contains(&&*named_as) {
            out.breaks(2);
        } else if LINES.contains(&&*named_as) && !(closing && named_as == "br") {
            out.breaks(1);
            if named_as == "li" && !closing {
                out.push("– ");
            }
        } else if !closing && UNREAD.contains(&&*named_as) {
            let end = format!("</{named_as}");
            rest = match find_folded(rest, &end) {
                Some(at) => &rest[at..],
                None => "",
            };
        }
    }
    out.push(rest);
    out.0.trim().to_owned()
}

/// What people read of `html`, on one line: two texts that read alike are equal.
pub fn words(html: &str) -> String {
    text(html).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What stands behind `end`; nothing where it does not come.
fn after<'a>(text: &'a str, end: &str) -> &'a str {
    match text.find(end) {
        Some(at) => &text[at + end.len()..],
        None => "",
    }
}

fn find_folded(text: &str, wanted: &str) -> Option<usize> {
    let (text, wanted) = (text.as_bytes(), wanted.as_bytes());
    text.windows(wanted.len())
        .position(|part| part.eq_ignore_ascii_case(wanted))
}

/// A text that grows, with one space between words and one empty line between paragraphs.
#[derive(Default)]
struct Text(String);

impl Text {
    fn push(&mut self, html: &str) {
        let mut rest = html;
        while let Some(at) = rest.find('&') {
            self.plain(&rest[..at]);
            rest = &rest[at..];
            let known = rest
                .bytes()
                .take(ENTITY + 2)
                .position(|b| b == b';')
                .and_then(|end| Some((entity(&rest[1..end])?, end + 1)));
            let (c, read) = known.unwrap_or(('&', 1));
            // A space that does not break is a character, not a gap.
            self.0.push(c);
            rest = &rest[read..];
        }
        self.plain(rest);
    }

    fn plain(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                ' ' | '\n' | '\r' | '\t' => {
                    if !self.0.is_empty() && !self.0.ends_with([' ', '\n']) {
                        self.0.push(' ');
                    }
                }
                other => self.0.push(other),
            }
        }
    }

    fn breaks(&mut self, lines: usize) {
        while self.0.ends_with(' ') {
            self.0.pop();
        }
        if self.0.is_empty() {
            return;
        }
        let there = self.0.len() - self.0.trim_end_matches('\n').len();
        for _ in there..lines {
            self.0.push('\n');
        }
    }
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).filter(|c| !c.is_control());
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "rsquo" => '’',
        "lsquo" => '‘',
        "ldquo" => '“',
        "rdquo" => '”',
        "laquo" => '«',
        "raquo" => '»',
        "hellip" => '…',
        "ndash" => '–',
        "mdash" => '—',
        "euro" => '€',
        "deg" => '°',
        "eacute" => 'é',
        "Eacute" => 'É',
        "egrave" => 'è',
        "ecirc" => 'ê',
        "euml" => 'ë',
        "agrave" => 'à',
        "Agrave" => 'À',
        "acirc" => 'â',
        "ccedil" => 'ç',
        "icirc" => 'î',
        "iuml" => 'ï',
        "ocirc" => 'ô',
        "ugrave" => 'ù',
        "ucirc" => 'û',
        "oelig" => 'œ',
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for said in [
            "a < b & c > \"d\" 'e' &amp;",
            "<script>x</script>",
            "🎉 l’été",
        ] {
            let html = escaped(said);
            assert!(!html.contains(['<', '>', '"', '\'']), "{html}");
            assert_eq!(text(&html), said);
        }
    }

    #[test]
    fn blocks_are_lines_and_tags_fall_away() {
        let html = "<div><p>Bal &amp; <b>buffet</b><br/>d&egrave;s 20&nbsp;h</p>\n\n<ul><li>a</li><li>b</li></ul></div>fin";
        assert_eq!(text(html), "Bal & buffet\ndès 20\u{a0}h\n\n– a\n– b\n\nfin");
        assert_eq!(words(html), "Bal & buffet dès 20 h – a – b fin");
    }

    #[test]
    fn what_nobody_reads_is_not_read_and_nothing_panics() {
        assert_eq!(
            text("a<script>alert('<p>')</SCRIPT>b<!-- c > d -->e<style>x"),
            "abe"
        );
        for odd in [
            "<",
            "a<",
            "<!--",
            "</",
            "<é>",
            "&",
            "&;",
            "&#;",
            "&#x110000;",
            "&#0;",
            "&#xD800;",
            "a < b",
            "<script",
            "<p",
            "&ééééééééééé;",
        ] {
            text(odd);
        }
        assert_eq!(text("1 < 2 &foo; &#233;"), "1 < 2 &foo; é");
    }

    #[test]
    fn a_megabyte_of_open_tags_takes_no_time() {
        for piece in ["<", "<p", "<script>", "&", "<!--", "&#"] {
            text(&piece.repeat(300_000));
        }
    }
}
