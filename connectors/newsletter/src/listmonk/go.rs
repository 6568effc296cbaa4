//! Text as a Go template that says just that text.
//!
//! listmonk runs every part of a campaign through Go's templates: what people wrote into a sheet must
//! not become a part of them. Seen in its source (`models/campaigns.go`):
//!
//! - Body and text part are both `html/template`. It takes comments out of what it prints, and with them
//!   what Outlook reads of a letter; and it refuses a text part in which `<` opens something.
//! - Before that, `https://…@TrackLink` is made a link that follows people.
//! - A subject or a header is `text/template`, where it holds `{{` and `}}`.

/// The way to leave, in listmonk's words.
const LEAVES: &str = "{{ UnsubscribeURL }}";
const COMMENT: (&str, &str) = ("<!--", "-->");
const FOLLOWED: &str = "@TrackLink";

/// What is special in a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Html,
    Text,
    Line,
}

/// The HTML part; where `leave` stands each reader finds their own way to leave.
pub(super) fn html(html: &str, leave: &str) -> String {
    said(html, leave, Part::Html)
}

/// The text part, the same way.
pub(super) fn text(text: &str, leave: &str) -> String {
    said(text, leave, Part::Text)
}

/// A subject.
pub(super) fn line(line: &str) -> String {
    said(line, "", Part::Line)
}

fn said(text: &str, leave: &str, part: Part) -> String {
    let mut out = String::with_capacity(text.len() + 1_000);
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let (taken, written) = special(rest, leave, part).unwrap_or_else(|| {
            let length = next.len_utf8();
            (length, rest[..length].to_owned())
        });
        out.push_str(&written);
        rest = &rest[taken..];
    }
    out
}

/// What stands at the beginning of `rest` and is no plain letter: its length, and how it is written.
fn special(rest: &str, leave: &str, part: Part) -> Option<(usize, String)> {
    if !leave.is_empty() && rest.starts_with(leave) {
        return Some((leave.len(), LEAVES.to_owned()));
    }
    let braces = rest.len() - rest.trim_start_matches('{').len();
    // One alone is no template, unless we write one right after it.
    if braces > 1 || (braces == 1 && special(&rest[1..], leave, part).is_some()) {
        return Some((braces, format!("{{{{ \"{}\" }}}}", &rest[..braces])));
    }
    if rest.starts_with(FOLLOWED) {
        let at = match part {
            Part::Html => "&#64;",
            Part::Text | Part::Line => "{{ \"@\" }}",
        };
        return Some((1, at.to_owned()));
    }
    match part {
        Part::Html => {
            let inside = rest.strip_prefix(COMMENT.0)?;
            let end = COMMENT.0.len() + inside.find(COMMENT.1)? + COMMENT.1.len();
            Some((end, safe(&rest[..end])))
        }
        Part::Text => rest.starts_with('<').then(|| (1, safe("<"))),
        Part::Line => None,
    }
}

/// Printed as it is.
fn safe(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 20);
    for letter in text.chars() {
        match letter {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(letter);
            }
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            // What would end the action, or be one, for whoever reads it without Go's rules.
            '{' => quoted.push_str("\\x7b"),
            '}' => quoted.push_str("\\x7d"),
            other => quoted.push(other),
        }
    }
    format!("{{{{ Safe \"{quoted}\" }}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_special_to_go_is_said_and_not_run() {
        for (written, made) in [
            (
                "Bal {{ .Subscriber.Email }}",
                "Bal {{ \"{{\" }} .Subscriber.Email }}",
            ),
            ("{{{x", "{{ \"{{{\" }}x"),
            ("a { b } c", "a { b } c"),
            (
                "https://x.example@TrackLink",
                "https://x.example{{ \"@\" }}TrackLink",
            ),
            ("{@TrackLink", "{{ \"{\" }}{{ \"@\" }}TrackLink"),
        ] {
            assert_eq!(line(written), made);
        }
    }

    #[test]
    fn each_part_leaves_in_its_own_way() {
        assert_eq!(text("Bye: WAY\n", "WAY"), "Bye: {{ UnsubscribeURL }}\n");
        assert_eq!(text("a <b>", "WAY"), "a {{ Safe \"<\" }}b>");
        assert_eq!(html("{WAY", "WAY"), "{{ \"{\" }}{{ UnsubscribeURL }}");
        assert_eq!(
            html(
                "<p>a&lt;</p><!--[if \"x\"]>\n{<![endif]-->@TrackLink",
                "WAY"
            ),
            "<p>a&lt;</p>{{ Safe \"<!--[if \\\"x\\\"]>\\n\\x7b<![endif]-->\" }}&#64;TrackLink"
        );
        assert_eq!(html("é<!-- no end", "WAY"), "é<!-- no end");
    }
}
