//! Content lines of RFC 5545: CRLF, folded at 75 octets between characters, text values escaped.
//!
//! Written here rather than taken from a crate: those at hand read the machine's clock for DTSTAMP.
//! `cargo xtask calendars` has what is written read by two independent readers.

/// Content lines under construction.
#[derive(Debug, Default)]
pub struct Folded(String);

impl Folded {
    /// A line whose value needs no escaping (dates, numbers, keywords, addresses).
    pub fn line(&mut self, name: &str, value: &str) {
        let mut room = 75;
        let push = |out: &mut String, room: &mut usize, c: char| {
            if c.len_utf8() > *room {
                out.push_str("\r\n ");
                *room = 74;
            }
            out.push(c);
            *room -= c.len_utf8();
        };
        for c in name.chars().chain([':']).chain(value.chars()) {
            // A line break in a value would begin another property.
            if !c.is_control() {
                push(&mut self.0, &mut room, c);
            }
        }
        self.0.push_str("\r\n");
    }

    /// A line with a text value.
    pub fn text(&mut self, name: &str, value: &str) {
        self.line(name, &escaped(value));
    }

    /// A line with a list of text values.
    pub fn texts<'a>(&mut self, name: &str, values: impl Iterator<Item = &'a str>) {
        let values: Vec<String> = values.map(escaped).collect();
        self.line(name, &values.join(","));
    }

    /// What was written.
    pub fn finish(self) -> String {
        self.0
    }
}

/// A text value as it stands in a line (RFC 5545, section 3.3.11).
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fold_between_characters_and_unfold_to_what_they_were() {
        let text = format!("a,b;c\\d\n{}🎉{}", "é".repeat(60), "ض".repeat(60));
        let mut out = Folded::default();
        out.text("DESCRIPTION", &text);
        let folded = out.finish();
        for line in folded.split("\r\n") {
            assert!(line.len() <= 75, "{line}");
        }
        assert_eq!(
            folded.replace("\r\n ", ""),
            format!(
                "DESCRIPTION:a\\,b\\;c\\\\d\\n{}🎉{}\r\n",
                "é".repeat(60),
                "ض".repeat(60)
            )
        );
    }

    #[test]
    fn a_line_break_cannot_begin_another_property() {
        let mut out = Folded::default();
        out.line("URL", "https://example.org/\r\nATTENDEE:x");
        assert_eq!(out.finish(), "URL:https://example.org/ATTENDEE:x\r\n");
    }
}
