//! As much of Go's templates as campaigns of listmonk meet.

/// What a part is run as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Run {
    /// `html/template`, comments taken out or not.
    Html { comments_out: bool },
    /// `text/template`.
    Plain,
}

enum Piece<'a> {
    Said(&'a str),
    Run(&'a str),
}

/// The pieces of a template.
fn pieces(template: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut all = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.find("{{") {
        all.push(Piece::Said(&rest[..at]));
        let inside = &rest[at + 2..];
        let (mut quoted, mut escaped, mut end) = (false, false, None);
        for (place, letter) in inside.char_indices() {
            match letter {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                '}' if !quoted && inside[place..].starts_with("}}") => {
                    end = Some(place);
                    break;
                }
                _ => {}
            }
        }
        let end = end.ok_or("unclosed action")?;
        all.push(Piece::Run(inside[..end].trim()));
        rest = &inside[end + 2..];
    }
    all.push(Piece::Said(rest));
    Ok(all)
}

/// What is wrong with a template, if anything is.
pub(crate) fn compile(template: &str) -> Result<(), String> {
    for piece in pieces(template)? {
        if let Piece::Run(action) = piece {
            value(action)?;
        }
    }
    Ok(())
}

/// What a reader gets.
pub(crate) fn run(template: &str, how: Run) -> Result<String, String> {
    let mut out = String::new();
    let mut said = String::new();
    for piece in pieces(template)? {
        match piece {
            Piece::Said(text) => {
                said.push_str(text);
                out.push_str(text);
            }
            Piece::Run(action) => {
                let (text, safe) = value(action)?;
                // What actions print opens nothing, whatever it is; its place is kept.
                said.push('x');
                let escapes = how != Run::Plain && !safe;
                out.push_str(&if escapes {
                    escaped(&text)
                } else {
                    marked(&text)
                });
            }
        }
    }
    if let Run::Html { comments_out } = how {
        let mut open = without_comments(&said);
        while let (Some(from), Some(to)) = (open.find('<'), open.find('>')) {
            if to < from {
                open.replace_range(to..=to, "");
            } else {
                let script = open[from..].starts_with("<script");
                open.replace_range(from..=to, "");
                if script && !open.contains("</script") {
                    return Err("ends in a non-text context".to_owned());
                }
            }
        }
        if open.contains('<') {
            return Err("ends in a non-text context".to_owned());
        }
        if comments_out {
            out = without_comments(&out);
        }
    }
    Ok(out.replace(MARK, "<!--"))
}

/// Stands for the beginning of a comment that an action printed.
const MARK: &str = "\u{1}comment\u{1}";

fn marked(text: &str) -> String {
    text.replace("<!--", MARK)
}

fn without_comments(text: &str) -> String {
    let mut text = text.to_owned();
    while let Some(from) = text.find("<!--") {
        let to = text[from..]
            .find("-->")
            .map_or(text.len(), |to| from + to + 3);
        text.replace_range(from..to, "");
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&#34;")
}

/// What an action prints, and whether as it is.
fn value(action: &str) -> Result<(String, bool), String> {
    if let Some(text) = action.strip_prefix("Safe ") {
        return Ok((unquoted(text.trim())?, true));
    }
    if action.starts_with('"') {
        return Ok((unquoted(action)?, false));
    }
    let plain = match action {
        "UnsubscribeURL" => "https://listmonk.example.org/subscription/c/s",
        ".Subscriber.UUID" => "subscriber-uuid",
        ".Subscriber.Email" => "ana@example.org",
        "template \"content\" ." => return Ok(("\u{2}".to_owned(), true)),
        other => return Err(format!("function {other:?} not defined")),
    };
    Ok((plain.to_owned(), false))
}

fn unquoted(text: &str) -> Result<String, String> {
    let inside = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    let mut letters = inside.ok_or("unterminated quoted string")?.chars();
    let mut out = String::new();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('x') => {
                let hex: String = letters.by_ref().take(2).collect();
                let byte = u8::from_str_radix(&hex, 16).map_err(|_| "bad character")?;
                out.push(char::from(byte));
            }
            Some(other @ ('"' | '\\')) => out.push(other),
            _ => return Err("unknown escape".to_owned()),
        }
    }
    Ok(out)
}
