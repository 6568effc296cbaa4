//! A cloud's files, for tests: folders, conditions, and each surprise of Nextcloud 32 by its name.
//! Taken from recorded exchanges with 32.0.1 (PHP 8.2, SQLite) and seen again on a running one.

#![allow(
    clippy::unwrap_used,
    clippy::missing_errors_doc,
    reason = "for tests: what goes wrong here is a test that fails"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use raccord_kit::standin::{Play, Reply, Seen};
use raccord_model::Digest;

/// Where the files of the account `raccord` stand.
pub const HOME: &str = "/remote.php/dav/files/raccord/";

/// A file as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// What it holds.
    pub bytes: Vec<u8>,
    /// When it was written, in seconds.
    pub at: i64,
    /// How often.
    pub times: u64,
}

/// What the cloud holds, and how it behaves.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a surprise of its own"
)]
pub struct State {
    /// Files by their decoded paths below [`HOME`].
    pub files: BTreeMap<String, Stored>,
    /// Folders below it, with a slash at their ends.
    pub folders: BTreeSet<String>,
    /// The hour, in seconds.
    pub now: i64,
    /// A PUT is answered without an ETag.
    pub silent: bool,
    /// ETags tell every writing apart: Nextcloud's do not, being made of the date and the length.
    pub exact: bool,
    /// Addresses are encoded with capital letters: Nextcloud's are not.
    pub capitals: bool,
    /// Files that somebody holds: 423.
    pub locked: BTreeSet<String>,
    /// There is no room: 507.
    pub full: bool,
    /// Nothing may be written.
    pub read_only: bool,
    /// Somebody writes this between our look and our write.
    pub race: Option<(String, Vec<u8>)>,
    /// How many requests of each method came.
    pub counts: BTreeMap<String, usize>,
}

/// A handle; clones are the same cloud.
#[derive(Clone, Debug, Default)]
pub struct Files(Arc<Mutex<State>>);

impl Files {
    /// A cloud with no files, at an hour.
    pub fn at(now: Timestamp) -> Self {
        let files = Self::default();
        files.state().now = now.as_second();
        files
    }

    /// What it holds.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Somebody puts a file there, at the hour it is.
    pub fn somebody_puts(&self, path: &str, bytes: &[u8]) {
        self.state().put(path, bytes.to_vec());
    }

    /// Somebody makes a folder.
    pub fn somebody_makes(&self, folder: &str) {
        self.state().folders.insert(folder.to_owned());
    }

    /// What a file holds.
    pub fn bytes(&self, path: &str) -> Option<Vec<u8>> {
        self.state().files.get(path).map(|file| file.bytes.clone())
    }

    /// How many requests of a method came.
    pub fn count(&self, method: &str) -> usize {
        self.state().counts.get(method).copied().unwrap_or_default()
    }

    /// How the cloud answers.
    pub fn answer(&self, seen: &Seen) -> Play {
        let mut state = self.state();
        let method = seen.method.as_str().to_owned();
        *state.counts.entry(method.clone()).or_default() += 1;
        let path = seen.path.split('?').next().unwrap_or_default();
        let path = percent_decode_str(path).decode_utf8_lossy().into_owned();
        let Some(path) = path.strip_prefix(HOME) else {
            return Reply::status(404).into();
        };
        if method == "PUT"
            && let Some((path, bytes)) = state.race.take()
        {
            state.put(&path, bytes);
        }
        match method.as_str() {
            "PROPFIND" => state.list(path, seen.header("depth") == "1").into(),
            "GET" => state.get(path, seen).into(),
            "PUT" => state.store(path, seen),
            "DELETE" => state.delete(path, seen),
            "MKCOL" => state.make(path),
            _ => Reply::status(405).into(),
        }
    }
}

impl State {
    fn put(&mut self, path: &str, bytes: Vec<u8>) {
        let times = self.files.get(path).map_or(0, |file| file.times) + 1;
        let at = self.now;
        let file = Stored { bytes, at, times };
        self.files.insert(path.to_owned(), file);
    }

    /// The ETag of a file, without its quotes.
    pub fn etag(&self, path: &str) -> Option<String> {
        let file = self.files.get(path)?;
        let times = if self.exact { file.times } else { 0 };
        let text = format!("{path} {} {} {times}", file.at, file.bytes.len());
        Some(Digest::of(text.as_bytes()).to_string()[..32].to_owned())
    }

    fn is_there(&self, path: &str) -> bool {
        path.is_empty()
            || self.folders.contains(&slash(path))
            || self.files.contains_key(path.trim_end_matches('/'))
    }

    /// The folder a path lies in, with a slash at its end; empty for the uppermost.
    fn above(path: &str) -> &str {
        let path = path.trim_end_matches('/');
        path.rfind('/').map_or("", |at| &path[..=at])
    }

    /// Whether the conditions of a request hold.
    fn may(&self, path: &str, seen: &Seen) -> bool {
        let etag = self.etag(path).map(|etag| format!("\"{etag}\""));
        let wanted = seen.header("if-match");
        (wanted.is_empty() || etag.as_deref() == Some(wanted))
            && (seen.header("if-none-match") != "*" || etag.is_none())
    }

    fn refuses(&self, path: &str) -> Option<u16> {
        match () {
            () if self.read_only => Some(403),
            () if self.locked.contains(path) => Some(423),
            () => None,
        }
    }

    fn dated(&self, reply: Reply, file: &Stored) -> Reply {
        reply
            .header("Last-Modified", &date(file.at))
            .header("Date", &date(self.now))
    }

    fn get(&self, path: &str, seen: &Seen) -> Reply {
        let (Some(file), Some(etag)) = (self.files.get(path), self.etag(path)) else {
            return Reply::status(404);
        };
        let etag = format!("\"{etag}\"");
        let reply = if seen.header("if-none-match") == etag {
            Reply::status(304)
        } else {
            Reply::ok(file.bytes.clone())
        };
        self.dated(reply.header("ETag", &etag), file)
    }

    fn store(&mut self, path: &str, seen: &Seen) -> Play {
        let above = Self::above(path);
        if !above.is_empty() && !self.folders.contains(above) {
            return Reply::status(404).into();
        }
        if let Some(status) = self.refuses(path) {
            return Reply::status(status).into();
        }
        if !self.may(path, seen) {
            return Reply::status(412).into();
        }
        if self.full {
            return Reply::status(507).into();
        }
        let status = if self.files.contains_key(path) {
            204
        } else {
            201
        };
        self.put(path, seen.body.to_vec());
        let reply = Reply::status(status);
        Play::Answer(match self.etag(path).filter(|_| !self.silent) {
            Some(etag) => reply.header("ETag", &format!("\"{etag}\"")),
            None => reply,
        })
    }

    fn delete(&mut self, path: &str, seen: &Seen) -> Play {
        if !self.files.contains_key(path) {
            return Reply::status(404).into();
        }
        if let Some(status) = self.refuses(path) {
            return Reply::status(status).into();
        }
        if !self.may(path, seen) {
            return Reply::status(412).into();
        }
        self.files.remove(path);
        Play::Answer(Reply::status(204))
    }

    fn make(&mut self, path: &str) -> Play {
        if self.is_there(path) {
            return Reply::status(405).into();
        }
        if !self.is_there(Self::above(path)) {
            return Reply::status(409).into();
        }
        if self.read_only {
            return Reply::status(403).into();
        }
        self.folders.insert(slash(path));
        Play::Answer(Reply::status(201))
    }

    fn list(&self, path: &str, deep: bool) -> Reply {
        if !self.is_there(path) {
            return Reply::status(404);
        }
        let file = path.trim_end_matches('/');
        let mut rows = String::new();
        if self.files.contains_key(file) {
            self.row(&mut rows, file);
        } else {
            let folder = if file.is_empty() {
                String::new()
            } else {
                slash(file)
            };
            self.row(&mut rows, &folder);
            let within = |one: &&String| deep && Self::above(one) == folder;
            for one in self.folders.iter().filter(within) {
                self.row(&mut rows, one);
            }
            for one in self.files.keys().filter(within) {
                self.row(&mut rows, one);
            }
        }
        let body = format!(
            "<?xml version=\"1.0\"?><d:multistatus xmlns:d=\"DAV:\" xmlns:oc=\"http://owncloud.org/ns\">{rows}</d:multistatus>"
        );
        Reply::status(207).body(body)
    }

    fn row(&self, rows: &mut String, path: &str) {
        let whole = format!("{HOME}{path}");
        let parts = whole.split('/');
        let mut href: String = parts
            .map(|part| utf8_percent_encode(part, NON_ALPHANUMERIC).to_string())
            .collect::<Vec<_>>()
            .join("/");
        if !self.capitals {
            href = lower(&href);
        }
        let rights = if self.read_only { "RG" } else { "RGDNVWCK" };
        let kind = match self.etag(path) {
            Some(etag) => {
                let size = self.files[path].bytes.len();
                format!(
                    "<d:resourcetype/><d:getcontentlength>{size}</d:getcontentlength><d:getetag>&quot;{etag}&quot;</d:getetag>"
                )
            }
            None => "<d:resourcetype><d:collection/></d:resourcetype>".to_owned(),
        };
        write!(
            rows,
            "<d:response><d:href>{href}</d:href><d:propstat><d:prop>{kind}<oc:permissions>{rights}</oc:permissions></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
        )
        .unwrap();
    }
}

fn slash(path: &str) -> String {
    format!("{}/", path.trim_end_matches('/'))
}

/// The letters of percent-encoding as Nextcloud writes them.
fn lower(href: &str) -> String {
    let mut out = String::new();
    let mut rest = href;
    while let Some(at) = rest.find('%') {
        let (before, code) = rest.split_at(at);
        let (code, after) = code.split_at(3);
        out.push_str(before);
        out.push_str(&code.to_ascii_lowercase());
        rest = after;
    }
    out + rest
}

fn date(second: i64) -> String {
    let at = Timestamp::from_second(second).unwrap();
    DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&at)
        .unwrap()
}
