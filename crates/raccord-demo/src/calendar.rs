//! A calendar server with one account (`CalDAV`, RFC 4791; changes since a token, RFC 6578).
//!
//! It keeps conditions, refuses what a calendar server refuses, and counts what was made. It knows no
//! sharing, no invitations, no access rules, and no times: who asks for a period is refused.

mod query;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use raccord_model::Digest;

use crate::wire::{Answer, Asked, empty, header_of, method_of, shows, typed};
use query::{Query, decoded};

/// The account.
pub const USER: &str = "raccord";
/// Where its calendars stand.
const HOME: &str = "/raccord/";
const XML: &str = "application/xml; charset=utf-8";
const NAMES: &str = "xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\" xmlns:cs=\"http://calendarserver.org/ns/\"";
const TOKEN: &str = "urn:raccord:demo/";
/// How long one entry may be.
const LONGEST: usize = 1_000_000;

/// The server.
#[derive(Debug)]
pub struct Calendar {
    credentials: String,
    calendars: BTreeMap<String, Shelf>,
    /// How many entries were made where none stood.
    made: usize,
}

/// One calendar.
#[derive(Debug, Default)]
struct Shelf {
    title: String,
    takes: Vec<String>,
    entries: BTreeMap<String, Entry>,
    /// The number of the last change of each path, deletions among them.
    changes: BTreeMap<String, u64>,
    state: u64,
}

#[derive(Debug)]
struct Entry {
    text: Bytes,
    etag: String,
}

/// What a person sees of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its title.
    pub title: String,
    /// When it begins, as it is written.
    pub start: String,
    /// Where it is.
    pub place: String,
    /// Whether it is cancelled.
    pub cancelled: bool,
    /// What is said of it.
    pub description: String,
}

impl Calendar {
    /// A server without calendars, for whoever knows the password.
    pub fn new(password: &str) -> Self {
        let pair = STANDARD.encode(format!("{USER}:{password}"));
        Self {
            credentials: format!("Basic {pair}"),
            calendars: BTreeMap::new(),
            made: 0,
        }
    }

    /// The entries of all calendars, by when they begin.
    pub fn entries(&self) -> Vec<Shown> {
        let all = self
            .calendars
            .values()
            .flat_map(|shelf| shelf.entries.values());
        let mut shown: Vec<Shown> = all.map(|entry| shown(&entry.text)).collect();
        shown.sort_by(|one, other| (&one.start, &one.title).cmp(&(&other.start, &other.title)));
        shown
    }

    /// How many entries were made where none stood.
    pub fn made(&self) -> usize {
        self.made
    }

    /// What is answered.
    pub fn answer(&mut self, asked: &Asked) -> Answer {
        let path = decoded(asked.uri().path());
        let method = method_of(asked);
        if path == "/.well-known/caldav" {
            let mut answer = empty(StatusCode::MOVED_PERMANENTLY);
            let headers = answer.headers_mut();
            headers.insert(header::LOCATION, HeaderValue::from_static("/"));
            return answer;
        }
        if !shows(asked, &self.credentials) {
            let mut answer = empty(StatusCode::UNAUTHORIZED);
            let realm = HeaderValue::from_static("Basic realm=\"demo\"");
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
            return answer;
        }
        match method {
            "PROPFIND" => self.properties(asked, &path),
            "MKCALENDAR" => self.make(asked, path),
            "REPORT" => self.report(asked, &path),
            "GET" => self.get(&path),
            "PUT" => self.put(asked, &path),
            "DELETE" => self.delete(asked, &path),
            _ => empty(StatusCode::METHOD_NOT_ALLOWED),
        }
    }

    /// The calendar that a path is in.
    fn shelf(&mut self, path: &str) -> Option<&mut Shelf> {
        let end = path.rfind('/')?;
        self.calendars.get_mut(&path[..=end])
    }

    fn properties(&self, asked: &Asked, path: &str) -> Answer {
        let Some(query) = query::read(asked.body()) else {
            return empty(StatusCode::BAD_REQUEST);
        };
        let deep = header_of(asked, "depth") != "0";
        let mut rows = String::new();
        if path == "/" || path == HOME {
            rows.push_str(&row(path, &query, folder));
            let below = self.calendars.iter().filter(|_| deep && path == HOME);
            for (path, shelf) in below {
                rows.push_str(&row(path, &query, |name| shelf.property(name)));
            }
        } else if let Some(shelf) = self.calendars.get(path) {
            rows.push_str(&row(path, &query, |name| shelf.property(name)));
            for (path, entry) in shelf.entries.iter().filter(|_| deep) {
                rows.push_str(&row(path, &query, |name| entry.property(name)));
            }
        } else {
            return empty(StatusCode::NOT_FOUND);
        }
        multistatus(&rows, "")
    }

    fn make(&mut self, asked: &Asked, path: String) -> Answer {
        let name = path
            .strip_prefix(HOME)
            .and_then(|rest| rest.strip_suffix('/'));
        let Some(name) = name.filter(|name| !name.is_empty() && !name.contains('/')) else {
            return empty(StatusCode::FORBIDDEN);
        };
        if self.calendars.contains_key(&path) {
            return empty(StatusCode::METHOD_NOT_ALLOWED);
        }
        let query = query::read(asked.body()).unwrap_or_default();
        let mut shelf = Shelf {
            title: query.title.unwrap_or_else(|| name.to_owned()),
            takes: query.takes.into_iter().collect(),
            ..Shelf::default()
        };
        if shelf.takes.is_empty() {
            shelf.takes.push("VEVENT".to_owned());
        }
        self.calendars.insert(path, shelf);
        empty(StatusCode::CREATED)
    }

    fn report(&mut self, asked: &Asked, path: &str) -> Answer {
        let Some(query) = query::read(asked.body()) else {
            return empty(StatusCode::BAD_REQUEST);
        };
        let Some(shelf) = self.calendars.get(path) else {
            return empty(StatusCode::NOT_FOUND);
        };
        let mut rows = String::new();
        let mut token = String::new();
        match query.kind.as_str() {
            "calendar-multiget" => {
                for wanted in &query.paths {
                    rows.push_str(&shelf.row(wanted, &query));
                }
            }
            "calendar-query" => {
                let (Some(component), Some(uid)) = (&query.component, &query.uid) else {
                    return refused("supported-filter");
                };
                let begins = format!("BEGIN:{component}");
                let of = |entry: &Entry| {
                    let text = unfolded(&entry.text);
                    text.lines().any(|line| line == begins)
                        && field(&text, "UID").is_some_and(|it| it.contains(uid.as_str()))
                };
                let found = shelf.entries.iter().filter(|(_, entry)| of(entry));
                for (path, _) in found {
                    rows.push_str(&shelf.row(path, &query));
                }
            }
            "sync-collection" => {
                let known = query.token.strip_prefix(TOKEN);
                let since = match known.map(str::parse) {
                    _ if query.token.is_empty() => 0,
                    Some(Ok(since)) if since <= shelf.state => since,
                    _ => return refused("valid-sync-token"),
                };
                let changed = shelf.changes.iter();
                for (path, _) in changed.filter(|(_, number)| **number > since) {
                    rows.push_str(&shelf.row(path, &query));
                }
                token = format!("<d:sync-token>{}</d:sync-token>", shelf.token());
            }
            _ => return refused("supported-report"),
        }
        multistatus(&rows, &token)
    }

    fn get(&mut self, path: &str) -> Answer {
        let entry = self.shelf(path).and_then(|shelf| shelf.entries.get(path));
        let Some(entry) = entry else {
            return empty(StatusCode::NOT_FOUND);
        };
        let kind = "text/calendar; charset=utf-8";
        tagged(typed(StatusCode::OK, kind, entry.text.clone()), &entry.etag)
    }

    fn put(&mut self, asked: &Asked, path: &str) -> Answer {
        let Some(shelf) = self.shelf(path) else {
            return empty(StatusCode::CONFLICT);
        };
        if let Some(refusal) = shelf.condition(asked, path) {
            return refusal;
        }
        let text = unfolded(asked.body());
        let uid = field(&text, "UID");
        let Some(uid) = uid.filter(|_| text.starts_with("BEGIN:VCALENDAR")) else {
            return refused("valid-calendar-data");
        };
        if asked.body().len() > LONGEST {
            return refused("max-resource-size");
        }
        let taken = shelf.takes.iter().any(|component| {
            let begins = format!("BEGIN:{component}");
            text.lines().any(|line| line == begins)
        });
        if !taken {
            return refused("supported-calendar-component");
        }
        let twin = shelf.entries.iter().any(|(other, entry)| {
            other != path && field(&unfolded(&entry.text), "UID") == Some(uid.clone())
        });
        if twin {
            let mut refusal = refused("no-uid-conflict");
            *refusal.status_mut() = StatusCode::CONFLICT;
            return refusal;
        }
        let (fresh, etag) = shelf.keep(path, asked.body().clone());
        self.made += usize::from(fresh);
        let status = if fresh {
            StatusCode::CREATED
        } else {
            StatusCode::NO_CONTENT
        };
        tagged(empty(status), &etag)
    }

    fn delete(&mut self, asked: &Asked, path: &str) -> Answer {
        let Some(shelf) = self.shelf(path) else {
            return empty(StatusCode::NOT_FOUND);
        };
        if !shelf.entries.contains_key(path) {
            return empty(StatusCode::NOT_FOUND);
        }
        if let Some(refusal) = shelf.condition(asked, path) {
            return refusal;
        }
        shelf.entries.remove(path);
        shelf.changed(path);
        empty(StatusCode::NO_CONTENT)
    }
}

impl Shelf {
    /// The refusal of a condition that does not hold.
    fn condition(&self, asked: &Asked, path: &str) -> Option<Answer> {
        let there = self.entries.get(path).map(|entry| entry.etag.as_str());
        let over = header_of(asked, "if-match");
        let fresh = header_of(asked, "if-none-match");
        let holds = match there {
            Some(etag) => fresh != "*" && ["", "*", etag].contains(&over),
            None => over.is_empty(),
        };
        (!holds).then(|| empty(StatusCode::PRECONDITION_FAILED))
    }

    /// Keeps a text; gives whether none stood there, and its tag.
    fn keep(&mut self, path: &str, text: Bytes) -> (bool, String) {
        self.changed(path);
        let digest = Digest::of(&text).to_string();
        let etag = format!("\"{}-{}\"", self.state, &digest[..16]);
        let entry = Entry {
            text,
            etag: etag.clone(),
        };
        (self.entries.insert(path.to_owned(), entry).is_none(), etag)
    }

    fn changed(&mut self, path: &str) {
        self.state += 1;
        self.changes.insert(path.to_owned(), self.state);
    }

    fn token(&self) -> String {
        format!("{TOKEN}{}", self.state)
    }

    /// What a list says of an entry, or that it is not there.
    fn row(&self, path: &str, query: &Query) -> String {
        match self.entries.get(path) {
            Some(entry) => row(path, query, |name| entry.property(name)),
            None => format!(
                "<d:response><d:href>{}</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>",
                escaped(path)
            ),
        }
    }

    fn property(&self, name: &str) -> Option<String> {
        Some(match name {
            "displayname" => format!("<d:displayname>{}</d:displayname>", escaped(&self.title)),
            "resourcetype" => {
                "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>".to_owned()
            }
            "supported-calendar-component-set" => {
                let all = self.takes.iter();
                let all = all.map(|name| format!("<c:comp name=\"{name}\"/>"));
                let all = all.collect::<Vec<_>>().concat();
                format!("<c:supported-calendar-component-set>{all}</c:supported-calendar-component-set>")
            }
            "current-user-privilege-set" => "<d:current-user-privilege-set><d:privilege><d:all/></d:privilege></d:current-user-privilege-set>".to_owned(),
            "sync-token" => format!("<d:sync-token>{}</d:sync-token>", self.token()),
            "getctag" => format!("<cs:getctag>{}</cs:getctag>", self.token()),
            _ => return None,
        })
    }
}

impl Entry {
    fn property(&self, name: &str) -> Option<String> {
        Some(match name {
            "getetag" => format!("<d:getetag>{}</d:getetag>", escaped(&self.etag)),
            "resourcetype" => "<d:resourcetype/>".to_owned(),
            "calendar-data" => {
                let text = String::from_utf8_lossy(&self.text);
                format!("<c:calendar-data>{}</c:calendar-data>", escaped(&text))
            }
            _ => return None,
        })
    }
}

/// What is said of the front and of the account.
fn folder(name: &str) -> Option<String> {
    let home = |name: &str| format!("<{name}><d:href>{HOME}</d:href></{name}>");
    match name {
        "resourcetype" => Some("<d:resourcetype><d:collection/></d:resourcetype>".to_owned()),
        "current-user-principal" => Some(home("d:current-user-principal")),
        "calendar-home-set" => Some(home("c:calendar-home-set")),
        _ => None,
    }
}

/// What is said of one address: the properties it has, and those it has not.
fn row(path: &str, query: &Query, property: impl Fn(&str) -> Option<String>) -> String {
    let (mut found, mut missing) = (String::new(), false);
    for name in &query.properties {
        match property(name) {
            Some(text) => found.push_str(&text),
            None => missing = true,
        }
    }
    let mut row = format!("<d:response><d:href>{}</d:href>", escaped(path));
    if !found.is_empty() || !missing {
        write!(
            row,
            "<d:propstat><d:prop>{found}</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>"
        )
        .expect("a String takes every text");
    } else {
        row.push_str(
            "<d:propstat><d:prop/><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat>",
        );
    }
    row.push_str("</d:response>");
    row
}

fn multistatus(rows: &str, token: &str) -> Answer {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><d:multistatus {NAMES}>{rows}{token}</d:multistatus>"
    );
    typed(StatusCode::MULTI_STATUS, XML, text)
}

/// A refusal with its reason, which is a word of the two RFCs.
fn refused(reason: &str) -> Answer {
    let prefix = if reason.contains("sync") { "d" } else { "c" };
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><d:error {NAMES}><{prefix}:{reason}/></d:error>"
    );
    typed(StatusCode::FORBIDDEN, XML, text)
}

fn tagged(mut answer: Answer, etag: &str) -> Answer {
    let etag = HeaderValue::from_str(etag).expect("digits and quotes");
    answer.headers_mut().insert(header::ETAG, etag);
    answer
}

fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

/// A text without its folds.
fn unfolded(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.replace("\r\n", "\n")
        .replace("\n ", "")
        .replace("\n\t", "")
}

/// The first value of a property, as it is written.
fn field(unfolded: &str, name: &str) -> Option<String> {
    unfolded.lines().find_map(|line| {
        let rest = line.strip_prefix(name)?;
        let value = match rest.strip_prefix(';') {
            Some(more) => more.split_once(':')?.1,
            None => rest.strip_prefix(':')?,
        };
        Some(value.to_owned())
    })
}

fn shown(text: &[u8]) -> Shown {
    let all = unfolded(text);
    // What stands before is the zone, with times of its own.
    let at = all.find("BEGIN:VEVENT").unwrap_or(0);
    let event = &all[at..];
    let said = |name: &str| field(event, name).map_or_else(String::new, |text| plain(&text));
    Shown {
        title: said("SUMMARY"),
        start: said("DTSTART"),
        place: said("LOCATION"),
        cancelled: said("STATUS") == "CANCELLED",
        description: said("DESCRIPTION"),
    }
}

/// A text value without its backslashes.
fn plain(value: &str) -> String {
    let mut out = String::new();
    let mut signs = value.chars();
    while let Some(sign) = signs.next() {
        match sign {
            '\\' => match signs.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(other) => out.push(other),
                None => {}
            },
            other => out.push(other),
        }
    }
    out
}
