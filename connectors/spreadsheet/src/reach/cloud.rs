//! A file of Nextcloud: by its path, by its number, or behind a public link. Run against
//! Nextcloud 32.0.1.
//!
//! - Its ETag is made of date, size and place: two contents of one length written within a second
//!   share one. It is believed only once the same bytes were read again later, and every hour all
//!   bytes are read anyway.
//! - A folder answers GET with an empty page: what a path leads to is asked first.
//! - A public link that is gone answers 503, and counts as a wrong password.

use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use raccord_dav::{Dav, path_of, slashed, xml};
use raccord_kit::http::{Answer, Request, Target};
use raccord_kit::secret::SecretSource;
use raccord_kit::{Clock, Kit};
use raccord_model::{Digest, Failure};

use super::{Document, Found, News, TIME};
use crate::cursor::{self, Cursor};
use crate::error::Limit;
use crate::{error, limits, refusals};

/// Who comes through a public link: the server looks at the password only.
const NOBODY: &str = "anonymous";
/// Files written within one second may share an ETag; one that is older than this does not change
/// under it.
const SETTLED: SignedDuration = SignedDuration::from_secs(2);
/// How long an ETag is believed at all: programs that set a file's date keep it too.
const BELIEVED: SignedDuration = SignedDuration::from_hours(1);
/// How long an answer with a folder's files may be, in bytes.
const LISTS: u64 = 8_000_000;
/// What the name of a sheet ends with.
const SHEETS: [&str; 6] = [".ods", ".fods", ".xlsx", ".xlsm", ".csv", ".tsv"];

const DEPTH: HeaderName = HeaderName::from_static("depth");
const XML: HeaderValue = HeaderValue::from_static("application/xml; charset=utf-8");
/// A server that shares nothing with other servers lets only its own pages look into a public link.
const REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");
const PAGE: HeaderValue = HeaderValue::from_static("XMLHttpRequest");

/// Where on a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Spot {
    /// A decoded path.
    Path(String),
    /// The number Nextcloud gave the file; it stays when the file is moved.
    Number(String),
    /// A public link, and the decoded path below it.
    Share {
        token: String,
        inside: Option<String>,
    },
}

pub(super) struct Cloud {
    dav: Dav,
    spot: Spot,
    /// The decoded path of the server; it ends with a slash.
    root: String,
    clock: Arc<dyn Clock>,
    /// Where the file was found: its decoded path.
    found: Mutex<Option<String>>,
    seen: Mutex<Option<Seen>>,
}

/// What was read last, and under which mark.
#[derive(Clone)]
struct Seen {
    etag: String,
    bytes: Digest,
    /// When it was read first, and when all of it was read last.
    first: Timestamp,
    last: Timestamp,
}

impl Cloud {
    pub(super) fn new(
        server: &Target,
        spot: Spot,
        user: Option<String>,
        password: Option<SecretSource>,
        kit: &Kit,
    ) -> Result<Self, Failure> {
        let user = user.unwrap_or_else(|| NOBODY.to_owned());
        Ok(Self {
            dav: Dav::new(refusals::KEYS, server.clone(), user, password, kit)?,
            spot,
            root: slashed(&path_of(server.url().path())),
            clock: Arc::clone(&kit.clock),
            found: Mutex::default(),
            seen: Mutex::default(),
        })
    }

    pub(super) fn password(&self) -> Option<&SecretSource> {
        self.dav.password()
    }

    pub(super) async fn read(&self, before: Option<&Cursor>, name: &str) -> Result<Found, Failure> {
        let known = lock(&self.found).clone();
        if let Some(path) = known {
            if let Some(found) = self.fetch(&path, before, name).await? {
                return Ok(found);
            }
            // Moved or renamed: a number still finds it.
            *lock(&self.found) = None;
        }
        let path = self.locate().await?;
        let found = self.fetch(&path, before, name).await?;
        let found = found.ok_or_else(|| self.missing(&path))?;
        *lock(&self.found) = Some(path);
        Ok(found)
    }

    /// The file's decoded path.
    async fn locate(&self) -> Result<String, Failure> {
        match &self.spot {
            Spot::Path(path) => self.settle(path).await,
            Spot::Number(number) => {
                let path = self.by_number(number).await?;
                self.settle(&path).await
            }
            Spot::Share { token, inside } => {
                let link = format!("{}public.php/dav/files/{token}", self.root);
                match inside {
                    None => self.settle(&link).await,
                    Some(inside) => self.settle(&format!("{link}{inside}")).await,
                }
            }
        }
    }

    /// The file itself where a path leads to one; the only sheet of a folder.
    async fn settle(&self, path: &str) -> Result<String, Failure> {
        let target = self.dav.target(path)?;
        let body = xml::propfind(&["d:resourcetype", "d:getcontentlength"]);
        let request = Request::new(self.method("PROPFIND")?, &target)
            .header(DEPTH, HeaderValue::from_static("1"))
            .header(header::CONTENT_TYPE, XML)
            .size(LISTS)
            .body(body);
        let answer = self.send(request).await?;
        if is_missing(answer.status) {
            return Err(self.missing(path));
        }
        let rows = self.rows(&answer).await?;
        let bare = |path: &str| path.trim_end_matches('/').to_owned();
        let here = rows.iter().find(|row| bare(&row.path) == bare(path));
        let Some(here) = here.filter(|row| row.is_found()) else {
            return Err(self.dav.says().odd_answer());
        };
        if !here.has("resourcetype", "collection") {
            return Self::not_too_large(here).map(|()| bare(path));
        }
        let sheets: Vec<&xml::Row> = rows
            .iter()
            .filter(|row| row.is_found() && !row.has("resourcetype", "collection"))
            .filter(|row| is_sheet(&row.path))
            .collect();
        if let [only] = sheets[..] {
            return Self::not_too_large(only).map(|()| only.path.clone());
        }
        let names = sheets.iter().map(|row| name_of(&row.path).to_owned());
        Err(refusals::which_file(&names.collect::<Vec<_>>()))
    }

    fn not_too_large(row: &xml::Row) -> Result<(), Failure> {
        let size = row.text("getcontentlength");
        let size: u64 = size.and_then(|size| size.trim().parse().ok()).unwrap_or(0);
        if size > limits::BYTES {
            return Err(error::too_large(Limit::Bytes));
        }
        Ok(())
    }

    /// The decoded path of the file with this number, among all that the account sees.
    async fn by_number(&self, number: &str) -> Result<String, Failure> {
        let dav = format!("{}remote.php/dav/", self.root);
        let user = self.own_name(&dav).await?;
        let request = Request::new(self.method("SEARCH")?, &self.dav.target(&dav)?)
            .header(header::CONTENT_TYPE, XML)
            .size(LISTS)
            .body(search(&user, number));
        let answer = self.send(request).await?;
        let rows = self.rows(&answer).await?;
        let found = rows.into_iter().find(xml::Row::is_found);
        found
            .map(|row| row.path)
            .ok_or_else(|| refusals::number_missing(self.dav.host(), number))
    }

    /// What the server calls the account in addresses: not always what it logs in with.
    async fn own_name(&self, dav: &str) -> Result<String, Failure> {
        let request = Request::new(self.method("PROPFIND")?, &self.dav.target(dav)?)
            .header(DEPTH, HeaderValue::from_static("0"))
            .header(header::CONTENT_TYPE, XML)
            .size(LISTS)
            .body(xml::propfind(&["d:current-user-principal"]));
        let answer = self.send(request).await?;
        if is_missing(answer.status) {
            return Err(self.dav.says().no_dav());
        }
        let rows = self.rows(&answer).await?;
        let principal = rows
            .iter()
            .find_map(|row| row.text("current-user-principal"))
            .map(|principal| name_of(principal).to_owned());
        principal
            .filter(|name| !name.is_empty())
            .ok_or_else(|| self.dav.says().no_dav())
    }

    /// Reads the file; nothing where it is not there.
    async fn fetch(
        &self,
        path: &str,
        before: Option<&Cursor>,
        name: &str,
    ) -> Result<Option<Found>, Failure> {
        let now = self.clock.now();
        let seen = lock(&self.seen).clone();
        let believed = seen
            .as_ref()
            .is_some_and(|seen| now.duration_since(seen.last) < BELIEVED);
        let mark = before.and_then(|before| before.etag.as_deref());
        let mut request = Request::get(&self.dav.target(path)?)
            .time(TIME)
            .size(limits::BYTES);
        if let Some(mark) = mark.filter(|_| believed) {
            request = request.header(header::IF_NONE_MATCH, mark);
        }
        let answer = self.send(request).await?;
        match answer.status {
            status if is_missing(status) => Ok(None),
            StatusCode::NOT_MODIFIED => Ok(Some(Found::Same)),
            // A folder, since we looked: its page holds nothing.
            StatusCode::OK if answer.body.is_empty() && super::is_page(&answer) => Ok(None),
            StatusCode::OK if super::is_page(&answer) => Err(error::web_page()),
            StatusCode::OK if answer.body.is_empty() => Err(error::empty()),
            StatusCode::OK => Ok(Some(self.found(path, &answer, seen, now, name))),
            status if status.is_success() => Err(error::partial()),
            _ => Err(self.refusal(&answer).await),
        }
    }

    fn found(
        &self,
        path: &str,
        answer: &Answer,
        seen: Option<Seen>,
        now: Timestamp,
        name: &str,
    ) -> Found {
        let etag = raccord_dav::etag(answer.header(&header::ETAG).unwrap_or_default());
        let bytes = Digest::of(&answer.body);
        let again = seen.filter(|seen| seen.etag == etag && seen.bytes == bytes);
        let first = again.map_or(now, |seen| seen.first);
        let settled = now.duration_since(first) >= SETTLED;
        *lock(&self.seen) = Some(Seen {
            etag: etag.clone(),
            bytes,
            first,
            last: now,
        });
        let public = matches!(self.spot, Spot::Share { inside: None, .. });
        let file = name_of(path);
        Found::News(Box::new(News {
            etag: cursor::mark(Some(&etag)).filter(|_| settled),
            ..News::of(Document::File {
                // The last part of a public link is its secret.
                name: if public && !is_sheet(file) {
                    name.to_owned()
                } else {
                    file.to_owned()
                },
                bytes: answer.body.clone(),
            })
        }))
    }

    async fn send(&self, request: Request) -> Result<Answer, Failure> {
        let request = if self.is_public() {
            request.header(REQUESTED_WITH, PAGE)
        } else {
            request
        };
        // What was refused before is not even asked.
        let refused = format!("{}.credentials", crate::KIND);
        self.dav.send(request).await.map_err(|failure| {
            if self.is_public() && failure.code == refused {
                refusals::share_password(self.dav.host(), true)
            } else {
                failure
            }
        })
    }

    async fn rows(&self, answer: &Answer) -> Result<Vec<xml::Row>, Failure> {
        if answer.status.is_success() {
            return Ok(self.dav.rows(answer)?.rows);
        }
        Err(self.refusal(answer).await)
    }

    /// What a refusal amounts to.
    async fn refusal(&self, answer: &Answer) -> Failure {
        let host = self.dav.host();
        match answer.status {
            StatusCode::UNAUTHORIZED if self.is_public() => {
                refusals::share_password(host, self.dav.password().is_some())
            }
            StatusCode::SERVICE_UNAVAILABLE if self.is_public() && says_gone(&answer.body) => {
                refusals::share_gone(host)
            }
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => {
                self.dav.says().no_dav()
            }
            StatusCode::BAD_REQUEST => self.dav.why_bad(answer).await,
            _ => self.dav.refusal(answer),
        }
    }

    /// What it means that nothing stands at a decoded path.
    fn missing(&self, path: &str) -> Failure {
        match &self.spot {
            Spot::Share { inside: None, .. } => refusals::share_gone(self.dav.host()),
            Spot::Share { .. } => refusals::file_missing(self.dav.host(), name_of(path)),
            Spot::Path(_) | Spot::Number(_) => self.dav.says().missing(path),
        }
    }

    fn is_public(&self) -> bool {
        matches!(self.spot, Spot::Share { .. })
    }

    fn method(&self, name: &str) -> Result<Method, Failure> {
        Method::from_bytes(name.as_bytes())
            .map_err(|_| self.dav.says().bug("a method that is none"))
    }
}

/// Whether the server says that there is no such link: it wraps one refusal into another.
fn says_gone(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    text.contains("ServiceUnavailable") && text.contains("NotFound")
}

fn is_missing(status: StatusCode) -> bool {
    matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE)
}

fn is_sheet(path: &str) -> bool {
    let name = path.to_lowercase();
    // What a program keeps beside a sheet while it is open: `.~lock.programme.ods#`, `~$programme.xlsx`.
    let beside = name_of(&name).starts_with(['.', '~']);
    !beside && SHEETS.iter().any(|end| name.ends_with(end))
}

/// The last part of a path.
fn name_of(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.rsplit('/').next().unwrap_or_default()
}

/// The question for the file with a number, below what a user sees. Both stand escaped: they come
/// from an address and from a server.
fn search(user: &str, number: &str) -> String {
    let scope = raccord_dav::encoded(&format!("/files/{user}"));
    let scope = scope.replace('&', "&amp;").replace('<', "&lt;");
    let number: String = number.chars().filter(char::is_ascii_digit).collect();
    format!(
        "<?xml version=\"1.0\"?><d:searchrequest xmlns:d=\"DAV:\" xmlns:oc=\"http://owncloud.org/ns\">\
         <d:basicsearch><d:select><d:prop><d:resourcetype/></d:prop></d:select>\
         <d:from><d:scope><d:href>{scope}</d:href><d:depth>infinity</d:depth></d:scope></d:from>\
         <d:where><d:eq><d:prop><oc:fileid/></d:prop><d:literal>{number}</d:literal></d:eq></d:where>\
         </d:basicsearch></d:searchrequest>"
    )
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
