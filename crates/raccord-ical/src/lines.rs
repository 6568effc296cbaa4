//! An iCalendar text as the lines it is made of, each with the bytes it came in.
//!
//! What is not replaced is written back byte for byte: folding, line ends, spelling, order, and
//! properties nobody here knows. It works on bytes, for some programs fold inside a character.

use std::borrow::Cow;

use raccord_kit::folded::Folded;

/// How many content lines a text may have: one entry with a thousand attendees is far below.
const MOST: usize = 50_000;

/// A content line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// As it stood, with its folds and its line end.
    raw: Vec<u8>,
    /// Unfolded, without the line end.
    text: String,
    /// How long the name is, in bytes of `text`.
    name: usize,
    /// Where the value begins, in bytes of `text`.
    value: usize,
}

impl Line {
    fn read(raw: &[u8]) -> Self {
        let text = unfold(raw);
        let (mut name, mut value, mut quoted) = (None, None, false);
        for (at, c) in text.bytes().enumerate() {
            match c {
                b'"' => quoted = !quoted,
                b';' | b':' if name.is_none() => {
                    name = Some(at);
                    if c == b':' {
                        value = Some(at + 1);
                        break;
                    }
                }
                b':' if !quoted => {
                    value = Some(at + 1);
                    break;
                }
                _ => {}
            }
        }
        Self {
            raw: raw.to_vec(),
            name: name.unwrap_or(text.len()),
            value: value.unwrap_or(text.len()),
            text,
        }
    }

    /// Whether it is the property `name`, in whatever case.
    pub fn is(&self, name: &str) -> bool {
        self.text[..self.name].eq_ignore_ascii_case(name)
    }

    /// The value, unfolded, as it is written.
    pub fn value(&self) -> &str {
        &self.text[self.value..]
    }

    /// Everything before the value's colon.
    fn head(&self) -> &str {
        let end = if self.value > self.name {
            self.value - 1
        } else {
            self.name
        };
        &self.text[..end]
    }

    /// The parameters, as they are written.
    fn parameters(&self) -> Vec<&str> {
        let mut list = Vec::new();
        let rest = &self.head()[self.name..];
        let (mut from, mut quoted) = (0, false);
        for (at, c) in rest.bytes().enumerate() {
            match c {
                b'"' => quoted = !quoted,
                b';' if !quoted => {
                    list.push(&rest[from..at]);
                    from = at + 1;
                }
                _ => {}
            }
        }
        list.push(&rest[from..]);
        list.retain(|parameter| !parameter.is_empty());
        list
    }

    /// The value of parameter `name`, without quotes.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters().into_iter().find_map(|parameter| {
            let (key, value) = parameter.split_once('=')?;
            key.eq_ignore_ascii_case(name)
                .then(|| value.trim_matches('"'))
        })
    }
}

/// The bytes of one content line without its folds and its line end.
fn unfold(raw: &[u8]) -> String {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
        let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
        out.extend_from_slice(line);
        rest = &rest[end + 1..];
        rest = match rest.split_first() {
            Some((b' ' | b'\t', more)) => more,
            _ => rest,
        };
    }
    out.extend_from_slice(rest);
    match String::from_utf8_lossy(&out) {
        Cow::Borrowed(_) => String::from_utf8(out).unwrap_or_default(),
        Cow::Owned(text) => text,
    }
}

/// A whole text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines(Vec<Line>);

/// Where a component stands among the lines: from its BEGIN to its END.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Component {
    first: usize,
    last: usize,
}

impl Lines {
    /// Takes a text apart; nothing where it has more lines than any entry has.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut lines = Vec::new();
        let mut from = 0;
        let mut at = 0;
        while at < bytes.len() {
            let end = bytes[at..]
                .iter()
                .position(|&byte| byte == b'\n')
                .map_or(bytes.len(), |end| at + end + 1);
            let folded = matches!(bytes.get(end), Some(b' ' | b'\t'));
            if !folded {
                if lines.len() == MOST {
                    return None;
                }
                lines.push(Line::read(&bytes[from..end]));
                from = end;
            }
            at = end;
        }
        if from < bytes.len() {
            lines.push(Line::read(&bytes[from..]));
        }
        Some(Self(lines))
    }

    /// The text, byte for byte where nothing was replaced.
    pub fn bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|line| &line.raw).copied().collect()
    }

    /// The text as it reads: unfolded first, for some programs fold inside a character.
    pub fn text(&self) -> String {
        let lines = self.0.iter().flat_map(|line| [line.text.as_str(), "\r\n"]);
        lines.collect()
    }

    /// The components called `name` directly inside the calendar, in order.
    pub fn components(&self, name: &str) -> Vec<Component> {
        let mut found = Vec::new();
        let mut open: Vec<(usize, &str)> = Vec::new();
        for (at, line) in self.0.iter().enumerate() {
            if line.is("BEGIN") {
                open.push((at, line.value().trim()));
            } else if line.is("END") {
                // What is never closed properly is not ours to write in.
                let Some((first, begun)) = open.pop() else {
                    return Vec::new();
                };
                if !begun.eq_ignore_ascii_case(line.value().trim()) {
                    return Vec::new();
                }
                if open.len() == 1 && begun.eq_ignore_ascii_case(name) {
                    found.push(Component { first, last: at });
                }
            }
        }
        if open.is_empty() { found } else { Vec::new() }
    }

    /// The entry itself, not one of its occurrences that were changed.
    pub fn master(&self, name: &str) -> Option<Component> {
        let all = self.components(name);
        let changed = |component: &Component| self.get(*component, "RECURRENCE-ID").is_some();
        let master = all.iter().find(|component| !changed(component));
        master.or(all.first()).copied()
    }

    /// The numbers of the component's own lines, those of nested components left out.
    fn own(&self, component: Component) -> impl Iterator<Item = usize> + '_ {
        let mut depth = 0_usize;
        (component.first + 1..component.last).filter(move |&at| {
            let line = &self.0[at];
            if line.is("BEGIN") {
                depth += 1;
                return false;
            }
            if line.is("END") {
                depth = depth.saturating_sub(1);
                return false;
            }
            depth == 0
        })
    }

    /// The first property `name` of a component.
    pub fn get(&self, component: Component, name: &str) -> Option<&Line> {
        self.own(component)
            .map(|at| &self.0[at])
            .find(|line| line.is(name))
    }

    /// Every property `name` of a component.
    pub fn all<'l>(
        &'l self,
        component: Component,
        name: &'l str,
    ) -> impl Iterator<Item = &'l Line> + 'l {
        self.own(component)
            .map(|at| &self.0[at])
            .filter(move |line| line.is(name))
    }

    /// Makes `name` say `value` with these parameters, where it stands or at the end of the
    /// component's properties. Parameters it has besides are kept, but for those in `dropped`.
    /// Every further one of that name goes. What says so already keeps its bytes.
    pub fn set(
        &mut self,
        component: &mut Component,
        name: &str,
        parameters: &[(&str, &str)],
        dropped: &[&str],
        value: &str,
    ) {
        let stand: Vec<usize> = self
            .own(*component)
            .filter(|&at| self.0[at].is(name))
            .collect();
        let known = stand.first().map(|&at| &self.0[at]);
        let mut head =
            known.map_or_else(|| name.to_owned(), |line| line.text[..line.name].to_owned());
        for (key, value) in parameters {
            head.extend([";", key, "=", value]);
        }
        let kept = known.into_iter().flat_map(Line::parameters);
        for parameter in kept {
            let key = parameter.split('=').next().unwrap_or_default();
            let ours = parameters.iter().map(|(key, _)| key).chain(dropped);
            if !ours.into_iter().any(|ours| ours.eq_ignore_ascii_case(key)) {
                head.push(';');
                head.push_str(parameter);
            }
        }
        let raw = self.written(&head, value);
        if let Some((&at, more)) = stand.split_first() {
            let same = self.0[at].value() == value && same_parameters(&self.0[at], &raw);
            if !same {
                self.0[at] = raw;
            }
            for &at in more.iter().rev() {
                self.0.remove(at);
                component.last -= 1;
            }
        } else {
            let end = self.end_of_properties(*component);
            self.0.insert(end, raw);
            component.last += 1;
        }
    }

    /// Gives every property `name` of a component, which keeps its parameters, another value.
    pub fn rewrite(
        &mut self,
        component: Component,
        name: &str,
        value: impl Fn(&str) -> Option<String>,
    ) {
        let stand: Vec<usize> = self
            .own(component)
            .filter(|&at| self.0[at].is(name))
            .collect();
        for at in stand {
            let line = &self.0[at];
            if let Some(value) = value(line.value()).filter(|value| value != line.value()) {
                let head = line.head().to_owned();
                self.0[at] = self.written(&head, &value);
            }
        }
    }

    /// Takes every property `name` of a component away.
    pub fn remove(&mut self, component: &mut Component, name: &str) {
        let stand: Vec<usize> = self
            .own(*component)
            .filter(|&at| self.0[at].is(name))
            .collect();
        for at in stand.into_iter().rev() {
            self.0.remove(at);
            component.last -= 1;
        }
    }

    /// Puts whole lines before the first component of the calendar.
    pub fn prepend(&mut self, component: &mut Component, text: &str) {
        let Some(added) = Self::read(&self.ended(text.as_bytes().to_vec())) else {
            return;
        };
        let begins = self.0.iter().skip(1).position(|line| line.is("BEGIN"));
        let at = begins.map_or(component.first, |at| at + 1);
        let count = added.0.len();
        self.0.splice(at..at, added.0);
        if component.first >= at {
            component.first += count;
            component.last += count;
        }
    }

    /// Where a new property goes: after the others, before nested components.
    fn end_of_properties(&self, component: Component) -> usize {
        (component.first + 1..component.last)
            .find(|&at| self.0[at].is("BEGIN"))
            .unwrap_or(component.last)
    }

    fn written(&self, head: &str, value: &str) -> Line {
        let mut out = Folded::default();
        out.line(head, value);
        Line::read(&self.ended(out.finish().into_bytes()))
    }

    /// Text with our line ends, with those of this text.
    fn ended(&self, text: Vec<u8>) -> Vec<u8> {
        let crlf = self
            .0
            .first()
            .is_none_or(|line| line.raw.ends_with(b"\r\n"));
        if crlf {
            text
        } else {
            text.into_iter().filter(|&byte| byte != b'\r').collect()
        }
    }
}

/// Whether two lines have the same parameters, in whatever order.
fn same_parameters(one: &Line, other: &Line) -> bool {
    let sorted = |line: &Line| {
        let mut list: Vec<String> = line
            .parameters()
            .into_iter()
            .map(|parameter| match parameter.split_once('=') {
                Some((key, value)) => {
                    format!("{}={}", key.to_ascii_uppercase(), value.trim_matches('"'))
                }
                None => parameter.to_ascii_uppercase(),
            })
            .collect();
        list.sort();
        list
    };
    sorted(one) == sorted(other)
}

/// A text value as people wrote it.
pub fn unescaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            other => out.push(other),
        }
    }
    out
}

/// A list of text values.
pub fn list(value: &str) -> Vec<String> {
    let mut out = Vec::new();
    let (mut from, mut escaped) = (0, false);
    for (at, c) in value.char_indices() {
        match c {
            '\\' => escaped = !escaped,
            ',' if !escaped => {
                out.push(unescaped(&value[from..at]));
                from = at + 1;
            }
            _ => escaped = false,
        }
    }
    out.push(unescaped(&value[from..]));
    out.retain(|item| !item.trim().is_empty());
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const APPLE: &[u8] = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Apple Inc.//macOS 15.1//EN\r\nBEGIN:VEVENT\r\nUID:a\r\nSUMMARY;LANGUAGE=fr:R\xc3\xa9\r\n \xc3\r\n \xa9union\r\nX-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE=\"Salle: 3;b\":geo:48.8,2.3\r\nBEGIN:VALARM\r\nSUMMARY:no\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    #[test]
    fn only_what_is_replaced_changes_and_the_rest_keeps_its_bytes() {
        let mut lines = Lines::read(APPLE).unwrap();
        let mut event = lines.master("VEVENT").unwrap();
        let summary = lines.get(event, "SUMMARY").unwrap();
        assert_eq!(summary.value(), "Réé\u{75}nion");
        let structured = lines.get(event, "x-apple-structured-location").unwrap();
        assert_eq!(structured.value(), "geo:48.8,2.3");
        assert_eq!(structured.parameter("x-title"), Some("Salle: 3;b"));
        lines.set(&mut event, "SUMMARY", &[], &[], "Bal");
        lines.set(&mut event, "LOCATION", &[], &[], "Cour");
        let text = String::from_utf8_lossy(&lines.bytes()).into_owned();
        assert!(
            text.contains("SUMMARY;LANGUAGE=fr:Bal\r\nX-APPLE"),
            "{text}"
        );
        assert!(
            text.contains("geo:48.8,2.3\r\nLOCATION:Cour\r\nBEGIN:VALARM\r\nSUMMARY:no\r\n"),
            "{text}"
        );
    }

    #[test]
    fn what_says_so_already_keeps_its_folds() {
        let mut lines = Lines::read(APPLE).unwrap();
        let mut event = lines.master("VEVENT").unwrap();
        lines.set(&mut event, "SUMMARY", &[], &[], "Rééunion");
        assert_eq!(lines.bytes(), APPLE);
    }

    #[test]
    fn a_text_with_plain_line_ends_keeps_them() {
        let plain: Vec<u8> = APPLE
            .iter()
            .copied()
            .filter(|&byte| byte != b'\r')
            .collect();
        let mut lines = Lines::read(&plain).unwrap();
        let mut event = lines.master("VEVENT").unwrap();
        lines.set(&mut event, "LOCATION", &[], &[], &"é".repeat(80));
        assert!(!lines.bytes().contains(&b'\r'));
    }

    #[test]
    fn components_that_are_not_closed_are_nobodys() {
        for broken in [
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n",
            "END:VEVENT\n",
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\n",
        ] {
            let lines = Lines::read(broken.as_bytes()).unwrap();
            assert_eq!(lines.master("VEVENT"), None, "{broken}");
        }
    }

    #[test]
    fn lists_and_texts_are_unescaped() {
        assert_eq!(list(r"a\,b,c\\,d\;e,"), ["a,b", "c\\", "d;e"]);
        assert_eq!(unescaped(r"a\nb\Nc\"), "a\nb\nc\\");
    }

    proptest! {
        #[test]
        fn any_bytes_come_out_as_they_went_in(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let lines = Lines::read(&bytes).unwrap();
            prop_assert_eq!(lines.bytes(), bytes);
        }

        #[test]
        fn calendar_like_text_comes_out_as_it_went_in(text in "(BEGIN:|END:|VEVENT|\r\n|\n| |;|:|\"|X-A=|é|UID){0,60}") {
            let lines = Lines::read(text.as_bytes()).unwrap();
            prop_assert_eq!(lines.bytes(), text.as_bytes());
            prop_assert!(lines.master("VEVENT").is_none_or(|one| one.first < one.last));
        }
    }
}
