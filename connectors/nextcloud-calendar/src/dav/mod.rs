//! The few requests of CalDAV that are made, and what their answers mean on the servers that were
//! tried: Nextcloud 32, Radicale 3.9, Xandikos 0.4. Only this folder knows addresses.

pub(crate) mod discover;
pub(crate) mod trash;
pub(crate) mod xml;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use raccord_kit::Clock;
use raccord_kit::http::{Answer, Http, Request, Target};
use raccord_kit::secret::SecretSource;
use raccord_model::{Digest, Failure};
use secrecy::ExposeSecret as _;

use crate::failure;
use xml::Multistatus;

const DEPTH: HeaderName = HeaderName::from_static("depth");
const XML: HeaderValue = HeaderValue::from_static("application/xml; charset=utf-8");
const CALENDAR: HeaderValue = HeaderValue::from_static("text/calendar; charset=utf-8");
/// How long an answer with many texts may be.
const LISTS: u64 = 32_000_000;
/// How long one entry may be.
const ENTRY: u64 = 1_000_000;
/// How many texts are asked for at once.
const LOT: usize = 50;
/// A refused password is tried again after this long only: it may have been right all along.
const REFUSED: SignedDuration = SignedDuration::from_mins(60);

/// What a path may not hold as it is.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A decoded path as it is sent.
pub(crate) fn encoded(path: &str) -> String {
    utf8_percent_encode(path, PATH).to_string()
}

/// One entry as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    /// Its decoded path.
    pub(crate) path: String,
    /// Its ETag, with its quotes.
    pub(crate) etag: String,
    pub(crate) bytes: Bytes,
}

/// What came of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// It stands there; with its ETag, unless the server changed the text.
    Done(Option<String>),
    /// Something else stands there.
    Changed,
    /// There is no such calendar (any more).
    NoCalendar,
    /// The calendar takes no such components.
    WrongKind,
    /// Refused for a reason that may be the UID: one that stands elsewhere, or lies in the trash.
    MaybeUid(Box<Failure>),
}

/// The way to one account of a server.
pub(crate) struct Dav {
    pub(crate) http: Http,
    /// The address of the settings.
    pub(crate) base: Target,
    user: String,
    password: Option<SecretSource>,
    clock: Arc<dyn Clock>,
    /// The password that was refused, and when.
    refused: Mutex<Option<(Digest, Timestamp)>>,
}

impl Dav {
    pub(crate) fn new(
        http: Http,
        base: Target,
        user: String,
        password: Option<SecretSource>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            http,
            base,
            user,
            password,
            clock,
            refused: Mutex::default(),
        }
    }

    pub(crate) fn host(&self) -> &str {
        self.base.host()
    }

    pub(crate) fn password(&self) -> Option<&SecretSource> {
        self.password.as_ref()
    }

    /// The address of a decoded path here.
    pub(crate) fn target(&self, path: &str) -> Result<Target, Failure> {
        self.base.join(&encoded(path))
    }

    /// Makes a request with the account's name. One refusal, and the same password is not shown
    /// again.
    pub(crate) async fn send(&self, request: Request) -> Result<Answer, Failure> {
        let mut shown = None;
        let request = match &self.password {
            None => request,
            Some(source) => {
                let secret = source.read()?;
                let digest = Digest::of(secret.expose_secret().as_bytes());
                let refused = self.lock();
                if let Some((known, at)) = *refused
                    && known == digest
                    && self.clock.now().duration_since(at) < REFUSED
                {
                    return Err(failure::credentials(self.host()));
                }
                drop(refused);
                shown = Some(digest);
                request.basic(&self.user, &secret)
            }
        };
        let answer = self.http.send(request).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            *self.lock() = shown.map(|digest| (digest, self.clock.now()));
        }
        Ok(answer)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Digest, Timestamp)>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The failure that `answer` amounts to.
    pub(crate) fn refusal(&self, answer: &Answer) -> Failure {
        failure::refusal(&self.http, answer, self.host())
    }

    /// A question whose answer has many rows.
    pub(crate) async fn ask(
        &self,
        method: &str,
        target: &Target,
        depth: &'static str,
        body: String,
    ) -> Result<Answer, Failure> {
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| failure::bug("a method that is none"))?;
        let request = Request::new(method, target)
            .header(DEPTH, depth)
            .header(header::CONTENT_TYPE, XML)
            .size(LISTS)
            .body(body);
        self.send(request).await
    }

    /// The rows of a good answer.
    pub(crate) fn rows(&self, answer: &Answer) -> Result<Multistatus, Failure> {
        if answer.status != StatusCode::MULTI_STATUS {
            if answer.status.is_success() {
                return Err(failure::odd_answer(self.host()));
            }
            return Err(self.refusal(answer));
        }
        xml::multistatus(&answer.body).ok_or_else(|| failure::odd_answer(self.host()))
    }

    /// Asks for properties at a decoded path.
    pub(crate) async fn propfind(
        &self,
        path: &str,
        depth: &'static str,
        properties: &[&str],
    ) -> Result<Multistatus, Failure> {
        let target = self.target(path)?;
        let body = xml::propfind(properties);
        self.rows(&self.ask("PROPFIND", &target, depth, body).await?)
    }

    /// The entry at a decoded path, if there is one.
    pub(crate) async fn get(&self, path: &str) -> Result<Option<Object>, Failure> {
        let request = Request::get(&self.target(path)?).size(ENTRY);
        let answer = self.send(request).await?;
        match answer.status {
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(None),
            StatusCode::OK => {
                if answer
                    .media_type()
                    .is_some_and(|media| media == "text/html")
                {
                    return Err(failure::odd_answer(self.host()));
                }
                let etag = etag(answer.header(&header::ETAG).unwrap_or_default());
                Ok(Some(Object {
                    path: path.to_owned(),
                    etag,
                    bytes: answer.body,
                }))
            }
            _ => Err(self.refusal(&answer)),
        }
    }

    /// The texts at these decoded paths, in lots; what is not there any more is left out.
    pub(crate) async fn texts(
        &self,
        calendar: &str,
        paths: &[String],
    ) -> Result<Vec<Object>, Failure> {
        let mut found = Vec::with_capacity(paths.len());
        let target = self.target(calendar)?;
        for lot in paths.chunks(LOT) {
            let encoded: Vec<String> = lot.iter().map(|path| encoded(path)).collect();
            let body = xml::multiget(encoded.iter().map(String::as_str));
            let answer = self.ask("REPORT", &target, "1", body).await?;
            let rows = self.rows(&answer)?.rows;
            let mut got: std::collections::BTreeMap<String, Object> = rows
                .into_iter()
                .filter_map(object)
                .map(|object| (object.path.clone(), object))
                .collect();
            for path in lot {
                match got.remove(path) {
                    Some(object) => found.push(object),
                    // Some servers leave out what they cannot give at once: it is asked for alone.
                    None => found.extend(self.get(path).await?),
                }
            }
        }
        Ok(found)
    }

    /// The entry of a calendar with this UID, wherever it stands there.
    pub(crate) async fn by_uid(
        &self,
        calendar: &str,
        component: &str,
        uid: &str,
    ) -> Result<Option<Object>, Failure> {
        let target = self.target(calendar)?;
        let body = xml::by_uid(component, uid);
        let answer = self.ask("REPORT", &target, "1", body).await?;
        let rows = self.rows(&answer)?.rows;
        // The filter may match a part of the UID.
        let is_it = |object: &Object| uid_of(&object.bytes).as_deref() == Some(uid);
        let found = rows.into_iter().filter_map(object).find(is_it);
        match found {
            // The bytes of a report went through XML: they are read again before they are edited.
            Some(object) => self.get(&object.path).await,
            None => Ok(None),
        }
    }

    /// Writes an entry: over the text with this ETag, or where there is none.
    pub(crate) async fn put(
        &self,
        path: &str,
        etag: Option<&str>,
        bytes: Vec<u8>,
    ) -> Result<Put, Failure> {
        let request = Request::new(Method::PUT, &self.target(path)?)
            .header(header::CONTENT_TYPE, CALENDAR)
            .body(bytes);
        let request = match etag {
            Some(etag) => request.header(header::IF_MATCH, etag),
            None => request.header(header::IF_NONE_MATCH, "*"),
        };
        let answer = self.send(request).await?;
        let text = String::from_utf8_lossy(&answer.body);
        let new = etag.is_none();
        let doubt = || Put::MaybeUid(Box::new(self.refusal(&answer)));
        Ok(match answer.status.as_u16() {
            200..=299 => {
                let etag = answer.header(&header::ETAG).map(self::etag);
                Put::Done(etag.filter(|etag| !etag.is_empty()))
            }
            403 if text.contains("supported-calendar-component") => Put::WrongKind,
            403 | 412 if new && text.contains("no-uid-conflict") => doubt(),
            412 => Put::Changed,
            404 => Put::NoCalendar,
            409 if !text.contains("no-uid-conflict") => Put::NoCalendar,
            400 if crate::failure::is_untrusted(&text) => return Err(self.refusal(&answer)),
            400 | 409 | 500 if new => doubt(),
            _ => return Err(self.refusal(&answer)),
        })
    }

    /// Deletes the text with this ETag. Whether it is gone; false where something else stands there.
    pub(crate) async fn delete(&self, path: &str, etag: &str) -> Result<bool, Failure> {
        let mut request = Request::new(Method::DELETE, &self.target(path)?).discard_body();
        if !etag.is_empty() {
            request = request.header(header::IF_MATCH, etag);
        }
        let answer = self.send(request).await?;
        match answer.status.as_u16() {
            200..=299 | 404 | 410 => Ok(true),
            412 => Ok(false),
            _ => Err(self.refusal(&answer)),
        }
    }
}

/// The entry a row holds, if it holds one.
pub(crate) fn object(row: xml::Row) -> Option<Object> {
    if !row.is_found() {
        return None;
    }
    let text = row.text.get("calendar-data")?;
    Some(Object {
        etag: etag(row.text("getetag").unwrap_or_default()),
        bytes: Bytes::from(text.clone().into_bytes()),
        path: row.path,
    })
}

/// An ETag as servers compare it: what proxies add when they compress is taken away.
pub(crate) fn etag(text: &str) -> String {
    let text = text.trim();
    let strong = text.strip_prefix("W/").unwrap_or(text);
    match strong.strip_suffix("-gzip\"") {
        Some(start) => format!("{start}\""),
        None => strong.to_owned(),
    }
}

/// The UID of an entry, read from its lines.
pub(crate) fn uid_of(bytes: &[u8]) -> Option<String> {
    let lines = crate::ical::lines::Lines::read(bytes)?;
    let component = lines.master("VEVENT").or_else(|| lines.master("VTODO"))?;
    Some(lines.get(component, "UID")?.value().trim().to_owned())
}

/// How long a person waits for a check.
pub(crate) const LOOK: Duration = Duration::from_secs(10);
