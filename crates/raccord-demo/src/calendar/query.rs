//! What is asked of the calendar: the bodies of WebDAV and CalDAV, as far as they are served here.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// How deep a body may be nested.
const DEEPEST: usize = 16;

/// A body, by the last part of each name.
#[derive(Debug, Default)]
pub(super) struct Query {
    /// What it is: `propfind`, `calendar-multiget`, …
    pub(super) kind: String,
    /// The properties it names.
    pub(super) properties: BTreeSet<String>,
    /// The decoded paths it names.
    pub(super) paths: Vec<String>,
    /// The component it is about, besides `VCALENDAR`.
    pub(super) component: Option<String>,
    /// The components a new calendar takes.
    pub(super) takes: BTreeSet<String>,
    /// The text to find in a UID.
    pub(super) uid: Option<String>,
    /// The state since which changes are wanted.
    pub(super) token: String,
    /// What a new calendar is to be called.
    pub(super) title: Option<String>,
}

/// Reads a body; nothing where it is none.
pub(super) fn read(body: &[u8]) -> Option<Query> {
    let text = std::str::from_utf8(body).ok()?;
    let mut reader = Reader::from_str(text);
    let mut query = Query::default();
    let mut open: Vec<String> = Vec::new();
    let mut said = String::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => {
                query.begins(&open, &tag);
                open.push(tag.local_name().as_ref().to_owned());
                said.clear();
                if open.len() > DEEPEST {
                    return None;
                }
            }
            Event::Empty(tag) => query.begins(&open, &tag),
            Event::Text(text) => {
                said.push_str(&text.xml_content(quick_xml::XmlVersion::Explicit1_0));
            }
            Event::GeneralRef(reference) => {
                let resolved = reference.resolve_char_ref().ok().flatten();
                let named = || quick_xml::escape::resolve_predefined_entity(reference.as_ref());
                match resolved {
                    Some(c) => said.push(c),
                    None => said.push_str(named()?),
                }
            }
            Event::End(_) => {
                let name = open.pop()?;
                query.ends(&name, &said);
                said.clear();
            }
            Event::Eof => break,
            _ => {}
        }
    }
    (open.is_empty() && !query.kind.is_empty()).then_some(query)
}

impl Query {
    fn begins(&mut self, open: &[String], tag: &BytesStart<'_>) {
        let name = tag.local_name().as_ref().to_owned();
        let Some(parent) = open.last() else {
            self.kind = name;
            return;
        };
        let called = || {
            let mut all = tag.attributes();
            let mut all = all.with_checks(false).flatten();
            let value = all.find(|one| one.key.as_ref() == "name")?;
            let value = value.normalized_value(quick_xml::XmlVersion::Explicit1_0);
            Some(value.ok()?.to_ascii_uppercase())
        };
        match name.as_str() {
            "comp-filter" => {
                let wanted = called().filter(|component| component != "VCALENDAR");
                self.component = wanted.or(self.component.take());
            }
            "comp" => self.takes.extend(called()),
            _ if parent == "prop" => {
                self.properties.insert(name);
            }
            _ => {}
        }
    }

    fn ends(&mut self, name: &str, said: &str) {
        let said = said.trim();
        match name {
            "href" => self.paths.push(decoded(said)),
            "text-match" => self.uid = Some(said.to_owned()),
            "sync-token" => said.clone_into(&mut self.token),
            "displayname" if !said.is_empty() => self.title = Some(said.to_owned()),
            _ => {}
        }
    }
}

/// A path, or the path of an address, decoded.
pub(super) fn decoded(address: &str) -> String {
    let path = match address.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => address,
    };
    percent_decode_str(path).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_read_whatever_its_prefixes() {
        let body = "<?xml version=\"1.0\"?><x:calendar-query xmlns:x=\"urn:ietf:params:xml:ns:caldav\" xmlns=\"DAV:\"><prop><getetag/><x:calendar-data/></prop><x:filter><x:comp-filter name=\"VCALENDAR\"><x:comp-filter name=\"vevent\"><x:prop-filter name=\"UID\"><x:text-match>a&amp;b</x:text-match></x:prop-filter></x:comp-filter></x:comp-filter></x:filter></x:calendar-query>";
        let query = read(body.as_bytes()).unwrap();
        assert_eq!(query.kind, "calendar-query");
        assert!(query.properties.contains("getetag"));
        assert!(query.properties.contains("calendar-data"));
        assert_eq!(query.component.as_deref(), Some("VEVENT"));
        assert_eq!(query.uid.as_deref(), Some("a&b"));
    }

    #[test]
    fn what_is_no_question_is_none() {
        let deep = format!("<propfind>{}", "<a>".repeat(100));
        for odd in ["", "words", "<propfind>", "<a></b>", "<a>&what;</a>", &deep] {
            assert!(read(odd.as_bytes()).is_none(), "{odd}");
        }
    }

    #[test]
    fn paths_are_compared_decoded() {
        assert_eq!(decoded("/c/caf%C3%A9.ics"), "/c/café.ics");
        assert_eq!(decoded("http://h:1/c/a.ics"), "/c/a.ics");
    }
}
