//! The bodies of WebDAV: what is asked, and what an answer says. Names are told apart by their last
//! part only, for every server has prefixes of its own.

use std::collections::{BTreeMap, BTreeSet};

use quick_xml::Reader;
use quick_xml::events::Event;

use crate::address::path_of;

/// How deep an answer may be nested.
const DEEPEST: usize = 32;
/// How many rows an answer may have.
const MOST: usize = 100_000;

/// An answer with many rows.
#[derive(Debug, Default)]
pub struct Multistatus {
    /// Its rows, in its order.
    pub rows: Vec<Row>,
    /// The token of a `sync-collection`.
    pub token: Option<String>,
}

/// What is said of one address.
#[derive(Debug, Default)]
pub struct Row {
    /// The decoded path.
    pub path: String,
    /// The status of the whole row, where it has one of its own.
    pub status: Option<u16>,
    /// The text of each property that was found.
    pub text: BTreeMap<String, String>,
    /// The names of the elements inside each property that was found.
    pub inside: BTreeMap<String, BTreeSet<String>>,
    /// The values of attributes called `name` inside a property (components of a calendar).
    pub named: BTreeMap<String, BTreeSet<String>>,
}

impl Row {
    /// The text of a property that was found.
    pub fn text(&self, property: &str) -> Option<&str> {
        self.text.get(property).map(String::as_str)
    }

    /// Whether element `name` stands inside a property.
    pub fn has(&self, property: &str, name: &str) -> bool {
        self.inside
            .get(property)
            .is_some_and(|all| all.contains(name))
    }

    /// Whether it is there.
    pub fn is_found(&self) -> bool {
        self.status.is_none_or(|status| status < 300)
    }
}

/// Reads an answer; nothing where it is none.
pub fn multistatus(body: &[u8]) -> Option<Multistatus> {
    let text = std::str::from_utf8(body).ok()?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<String> = Vec::new();
    let mut answer = Multistatus::default();
    let mut row = Row::default();
    let mut propstat = Row::default();
    let mut said = String::new();
    let mut is_one = false;
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => {
                let name = tag.local_name().as_ref().to_owned();
                is_one |= open.is_empty() && name == "multistatus";
                if open.len() == DEEPEST {
                    return None;
                }
                within(&open, &name, &tag, &mut propstat);
                match name.as_str() {
                    "response" => row = Row::default(),
                    "propstat" => propstat = Row::default(),
                    _ => {}
                }
                open.push(name);
                said.clear();
            }
            Event::Empty(tag) => {
                let name = tag.local_name().as_ref().to_owned();
                is_one |= open.is_empty() && name == "multistatus";
                within(&open, &name, &tag, &mut propstat);
                if open.last().is_some_and(|parent| parent == "prop") {
                    propstat.text.entry(name).or_default();
                }
            }
            Event::Text(text) => {
                said.push_str(&text.xml_content(quick_xml::XmlVersion::Explicit1_0));
            }
            Event::CData(text) => said.push_str(&text),
            Event::GeneralRef(reference) => said.extend(character(&reference)),
            Event::End(_) => {
                let name = open.pop()?;
                let parent = open.last().map(String::as_str);
                match (name.as_str(), parent) {
                    ("response", _) if answer.rows.len() == MOST => return None,
                    ("response", _) => answer.rows.push(std::mem::take(&mut row)),
                    ("href", Some("response")) => row.path = path_of(&said),
                    ("status", Some("response")) => row.status = status(&said),
                    ("status", Some("propstat")) => propstat.status = status(&said),
                    ("propstat", _) => {
                        let found = std::mem::take(&mut propstat);
                        if found.is_found() {
                            row.text.extend(found.text);
                            row.inside.extend(found.inside);
                            row.named.extend(found.named);
                        }
                    }
                    ("sync-token", Some("multistatus")) => {
                        answer.token = Some(said.trim().to_owned());
                    }
                    (_, Some("prop")) => {
                        let text = std::mem::take(&mut said);
                        propstat.text.entry(name).or_insert(text);
                    }
                    // An address inside a property stands for it.
                    ("href", Some(property))
                        if open.iter().rev().nth(1).is_some_and(|one| one == "prop") =>
                    {
                        let path = path_of(&said);
                        propstat.text.entry(property.to_owned()).or_insert(path);
                    }
                    _ => {}
                }
                said.clear();
            }
            Event::Eof => break,
            _ => {}
        }
    }
    (is_one && open.is_empty()).then_some(answer)
}

/// Notes an element that stands somewhere inside a property.
fn within(
    open: &[String],
    name: &str,
    tag: &quick_xml::events::BytesStart<'_>,
    propstat: &mut Row,
) {
    let Some(at) = open.iter().position(|one| one == "prop") else {
        return;
    };
    let Some(property) = open.get(at + 1) else {
        return;
    };
    let inside = propstat.inside.entry(property.clone()).or_default();
    inside.insert(name.to_owned());
    for attribute in tag.attributes().with_checks(false).flatten() {
        if attribute.key.as_ref() != "name" {
            continue;
        }
        if let Ok(value) = attribute.normalized_value(quick_xml::XmlVersion::Explicit1_0) {
            let all = propstat.named.entry(property.clone()).or_default();
            all.insert(value.to_ascii_uppercase());
        }
    }
}

fn character(reference: &quick_xml::events::BytesRef<'_>) -> Option<char> {
    if let Ok(Some(c)) = reference.resolve_char_ref() {
        return Some(c);
    }
    match reference.as_ref() {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => None,
    }
}

/// `HTTP/1.1 200 OK`.
fn status(line: &str) -> Option<u16> {
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The prefixes of what is asked: `d` of WebDAV, `c` and `cs` of calendars, `oc` of Nextcloud's files.
pub const NAMES: &str = "xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\" xmlns:cs=\"http://calendarserver.org/ns/\" xmlns:oc=\"http://owncloud.org/ns\"";

/// Asks for properties, with the prefixes of [`NAMES`].
pub fn propfind(properties: &[&str]) -> String {
    let list = properties.join("/><");
    format!("<?xml version=\"1.0\"?><d:propfind {NAMES}><d:prop><{list}/></d:prop></d:propfind>")
}

/// A text as it may stand in a body.
pub fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_calendars_is_read_whatever_its_prefixes() {
        let body = r#"<?xml version="1.0"?><multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><response><href>/c/caf%c3%a9%20du%20matin/</href><propstat><prop><displayname>Café &amp; thé</displayname><resourcetype><collection/><C:calendar/></resourcetype><C:supported-calendar-component-set><C:comp name="vevent"/></C:supported-calendar-component-set></prop><status>HTTP/1.1 200 OK</status></propstat><propstat><prop><sync-token/></prop><status>HTTP/1.1 404 Not Found</status></propstat></response><response><href>https://h/gone.ics</href><status>HTTP/1.1 404 Not Found</status></response><sync-token>http://sabre.io/ns/sync/14</sync-token></multistatus>"#;
        let answer = multistatus(body.as_bytes()).unwrap();
        let row = &answer.rows[0];
        assert_eq!(row.path, "/c/café du matin/");
        assert_eq!(row.text("displayname"), Some("Café & thé"));
        assert!(row.has("resourcetype", "calendar"));
        assert!(row.named["supported-calendar-component-set"].contains("VEVENT"));
        assert_eq!(row.text("sync-token"), None);
        assert_eq!(answer.rows[1].path, "/gone.ics");
        assert!(!answer.rows[1].is_found());
        assert_eq!(answer.token.as_deref(), Some("http://sabre.io/ns/sync/14"));
    }

    #[test]
    fn what_is_no_list_is_none() {
        let deep = format!("<multistatus>{}", "<a>".repeat(100));
        for odd in ["", "<html></html>", "<multistatus>", "<a><b></a>", &deep] {
            assert!(multistatus(odd.as_bytes()).is_none(), "{odd}");
        }
    }
}
