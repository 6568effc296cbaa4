//! Files and folders: read when they changed, written over what was read and nothing else.

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};
use raccord_kit::http::{Answer, Request};
use raccord_model::Failure;

use crate::address::{etag, slashed};
use crate::{Dav, xml};

/// ETags are made of dates in whole seconds: in less than this a file can change and keep its own.
const FRESH: SignedDuration = SignedDuration::from_secs(2);

/// What is asked of a file or folder.
const LIST: [&str; 6] = [
    "d:getetag",
    "d:getcontentlength",
    "d:getlastmodified",
    "d:resourcetype",
    "oc:fileid",
    "oc:permissions",
];

/// A file or folder, as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its decoded path; a folder's ends with a slash.
    pub path: String,
    /// Its ETag, with its quotes; empty where the server has none. Nextcloud's is no hash of the
    /// content: two contents of one length written within a second may share one.
    pub etag: String,
    /// Its length in bytes.
    pub size: Option<u64>,
    /// When it was changed, as the server writes it.
    pub modified: Option<String>,
    /// Nextcloud's number for it, which stays when it is moved.
    pub id: Option<String>,
    /// Nextcloud's letters for what may be done with it.
    pub rights: Option<String>,
    /// Whether it is a folder.
    pub folder: bool,
}

impl Entry {
    fn read(row: &xml::Row) -> Option<Self> {
        if !row.is_found() {
            return None;
        }
        let folder = row.has("resourcetype", "collection");
        let text = |name| {
            row.text(name)
                .map(str::trim)
                .filter(|text| !text.is_empty())
        };
        Some(Self {
            path: if folder {
                slashed(&row.path)
            } else {
                row.path.clone()
            },
            etag: etag(text("getetag").unwrap_or_default()),
            size: text("getcontentlength").and_then(|text| text.parse().ok()),
            modified: text("getlastmodified").map(str::to_owned),
            id: text("fileid").map(str::to_owned),
            rights: text("permissions").map(str::to_owned),
            folder,
        })
    }

    /// The last part of its path.
    pub fn name(&self) -> &str {
        let path = self.path.trim_end_matches('/');
        path.rsplit('/').next().unwrap_or_default()
    }

    /// Whether it may be written (a file), or files may be made in it (a folder), as far as the
    /// server says.
    pub fn writable(&self) -> bool {
        let wanted = if self.folder { 'C' } else { 'W' };
        let says = |rights: &String| rights.contains(wanted);
        self.rights.as_ref().is_none_or(says)
    }
}

/// A file as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its ETag, with its quotes; empty where the server gave none.
    pub etag: String,
    /// What it holds.
    pub bytes: Bytes,
    /// Its media type, in lower case and without parameters.
    pub media: Option<String>,
    /// When it was changed, and when that was said, by the server's clock.
    pub dates: Option<(Timestamp, Timestamp)>,
}

impl File {
    /// Whether its ETag stands for these bytes and no others: not one of a file that was changed just
    /// now, and could be changed again without getting another.
    pub fn is_settled(&self) -> bool {
        self.dates
            .is_some_and(|(changed, said)| said.duration_since(changed) > FRESH)
    }
}

/// What came of a reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// It stands there.
    File(File),
    /// It has the ETag that was known.
    Same,
    /// It does not stand there.
    Missing,
}

/// What may be written over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over<'a> {
    /// Nothing: there must be no such file.
    Nothing,
    /// The text with this ETag.
    This(&'a str),
}

/// What came of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It stands there; with its ETag where the server gave one. One that gives none may have
    /// changed what it was given.
    Done(Option<String>),
    /// Something else stands there.
    Changed,
    /// The folder is not there.
    NoFolder,
}

impl Dav {
    /// What stands at a decoded path, and with depth `1` in it (itself too); nothing where nothing
    /// does.
    ///
    /// # Errors
    /// When the server does not say.
    pub async fn list(
        &self,
        path: &str,
        depth: &'static str,
    ) -> Result<Option<Vec<Entry>>, Failure> {
        let target = self.target(path)?;
        let body = xml::propfind(&LIST);
        let answer = self.ask("PROPFIND", &target, depth, body).await?;
        if is_missing(answer.status) {
            return Ok(None);
        }
        if answer.status == StatusCode::BAD_REQUEST {
            return Err(self.why_bad(&answer).await);
        }
        if answer.status == StatusCode::METHOD_NOT_ALLOWED {
            return Err(self.says().no_dav());
        }
        let rows = self.rows(&answer)?.rows;
        Ok(Some(rows.iter().filter_map(Entry::read).collect()))
    }

    /// Reads a file of at most `size` bytes, unless it has the ETag that is known.
    ///
    /// # Errors
    /// When it cannot be read. What begins like a web page is handed out: only who asked knows
    /// whether that is one.
    pub async fn fetch(
        &self,
        path: &str,
        known: Option<&str>,
        size: u64,
    ) -> Result<Fetched, Failure> {
        let mut request = Request::get(&self.target(path)?).size(size);
        if let Some(known) = known.filter(|known| !known.is_empty()) {
            request = request.header(header::IF_NONE_MATCH, known);
        }
        let answer = self.send(request).await?;
        match answer.status {
            status if is_missing(status) => Ok(Fetched::Missing),
            StatusCode::NOT_MODIFIED => Ok(Fetched::Same),
            StatusCode::OK => Ok(Fetched::File(File {
                etag: etag(answer.header(&header::ETAG).unwrap_or_default()),
                media: answer.media_type(),
                dates: dates(&answer),
                bytes: answer.body,
            })),
            StatusCode::BAD_REQUEST => Err(self.why_bad(&answer).await),
            _ => Err(self.refusal(&answer)),
        }
    }

    /// Writes a file, over nothing but what was read.
    ///
    /// # Errors
    /// When the server refuses for another reason; `unknown` where it may have been written.
    pub async fn store(
        &self,
        path: &str,
        over: Over<'_>,
        media: HeaderValue,
        bytes: impl Into<Bytes>,
    ) -> Result<Stored, Failure> {
        let request = Request::new(Method::PUT, &self.target(path)?)
            .header(header::CONTENT_TYPE, media)
            .body(bytes);
        let request = match over {
            Over::This(etag) => request.header(header::IF_MATCH, etag),
            Over::Nothing => request.header(header::IF_NONE_MATCH, "*"),
        };
        let answer = self.send(request).await?;
        match answer.status.as_u16() {
            200..=299 => {
                let given = answer.header(&header::ETAG).map(etag);
                Ok(Stored::Done(given.filter(|etag| !etag.is_empty())))
            }
            412 => Ok(Stored::Changed),
            404 | 409 => Ok(Stored::NoFolder),
            400 => Err(self.why_bad(&answer).await),
            _ => Err(self.refusal(&answer)),
        }
    }

    /// Deletes the file with this ETag. Whether it is gone; false where something else stands
    /// there.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn discard(&self, path: &str, known: &str) -> Result<bool, Failure> {
        let request = Request::new(Method::DELETE, &self.target(path)?)
            .header(header::IF_MATCH, known)
            .discard_body();
        let answer = self.send(request).await?;
        match answer.status.as_u16() {
            200..=299 | 404 | 410 => Ok(true),
            412 => Ok(false),
            _ => Err(self.refusal(&answer)),
        }
    }

    /// Makes a folder, with those above it that are missing, down from `root` (which must be
    /// there). Decoded paths.
    ///
    /// # Errors
    /// When one of them cannot be made.
    pub async fn make_folder(&self, root: &str, path: &str) -> Result<(), Failure> {
        let root = slashed(root);
        let Some(below) = path.strip_prefix(&root) else {
            return Err(self.says().bug("a folder outside"));
        };
        // As a rule only the last one is missing.
        if self.mkcol(&slashed(path)).await? {
            return Ok(());
        }
        let mut folder = root.clone();
        for part in below.split('/').filter(|part| !part.is_empty()) {
            folder = format!("{folder}{part}/");
            if !self.mkcol(&folder).await? {
                return Err(self.says().missing(&root));
            }
        }
        Ok(())
    }

    /// Makes one folder; false where the one above it is missing.
    async fn mkcol(&self, path: &str) -> Result<bool, Failure> {
        let request = Request::new(self.method("MKCOL")?, &self.target(path)?);
        let answer = self.send(request).await?;
        match answer.status.as_u16() {
            // 405: it is there already.
            200..=299 | 405 => Ok(true),
            404 | 409 => Ok(false),
            400 => Err(self.why_bad(&answer).await),
            _ => Err(self.refusal(&answer)),
        }
    }
}

/// When a file was changed and when that was said, where both are.
fn dates(answer: &Answer) -> Option<(Timestamp, Timestamp)> {
    let date = |name| {
        let text = answer.header(name)?.trim();
        DateTimeParser::new().parse_timestamp(text).ok()
    };
    Some((date(&header::LAST_MODIFIED)?, date(&header::DATE)?))
}

fn is_missing(status: StatusCode) -> bool {
    matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE)
}
