//! The few requests of CalDAV that are made, and what their answers mean on the servers that were
//! tried: Nextcloud 32, Radicale 3.9, Xandikos 0.4. Only this folder knows addresses.

pub(crate) mod discover;
pub(crate) mod trash;
pub(crate) mod xml;

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use raccord_dav::xml::Row;
use raccord_dav::{Dav, encoded, etag};
use raccord_kit::http::Request;
use raccord_model::Failure;

const CALENDAR: HeaderValue = HeaderValue::from_static("text/calendar; charset=utf-8");
/// How long one entry may be.
const ENTRY: u64 = 1_000_000;
/// How many texts are asked for at once.
const LOT: usize = 50;
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

/// The way to the calendars of one account.
pub(crate) struct Caldav {
    pub(crate) server: Dav,
}

impl Caldav {
    /// The entry at a decoded path, if there is one.
    pub(crate) async fn get(&self, path: &str) -> Result<Option<Object>, Failure> {
        let request = Request::get(&self.server.target(path)?).size(ENTRY);
        let answer = self.server.send(request).await?;
        match answer.status {
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(None),
            StatusCode::OK => {
                if answer
                    .media_type()
                    .is_some_and(|media| media == "text/html")
                {
                    return Err(self.server.says().odd_answer());
                }
                let etag = etag(answer.header(&header::ETAG).unwrap_or_default());
                Ok(Some(Object {
                    path: path.to_owned(),
                    etag,
                    bytes: answer.body,
                }))
            }
            _ => Err(self.server.refusal(&answer)),
        }
    }

    /// The texts at these decoded paths, in lots; what is not there any more is left out.
    pub(crate) async fn texts(
        &self,
        calendar: &str,
        paths: &[String],
    ) -> Result<Vec<Object>, Failure> {
        let mut found = Vec::with_capacity(paths.len());
        let target = self.server.target(calendar)?;
        for lot in paths.chunks(LOT) {
            let encoded: Vec<String> = lot.iter().map(|path| encoded(path)).collect();
            let body = xml::multiget(encoded.iter().map(String::as_str));
            let answer = self.server.ask("REPORT", &target, "1", body).await?;
            let rows = self.server.rows(&answer)?.rows;
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
        let target = self.server.target(calendar)?;
        let body = xml::by_uid(component, uid);
        let answer = self.server.ask("REPORT", &target, "1", body).await?;
        let rows = self.server.rows(&answer)?.rows;
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
        let request = Request::new(Method::PUT, &self.server.target(path)?)
            .header(header::CONTENT_TYPE, CALENDAR)
            .body(bytes);
        let request = match etag {
            Some(etag) => request.header(header::IF_MATCH, etag),
            None => request.header(header::IF_NONE_MATCH, "*"),
        };
        let answer = self.server.send(request).await?;
        let text = String::from_utf8_lossy(&answer.body);
        let new = etag.is_none();
        let doubt = || Put::MaybeUid(Box::new(self.server.refusal(&answer)));
        Ok(match answer.status.as_u16() {
            200..=299 => {
                let given = answer.header(&header::ETAG).map(raccord_dav::etag);
                Put::Done(given.filter(|etag| !etag.is_empty()))
            }
            403 if text.contains("supported-calendar-component") => Put::WrongKind,
            403 | 412 if new && text.contains("no-uid-conflict") => doubt(),
            412 => Put::Changed,
            404 => Put::NoCalendar,
            409 if !text.contains("no-uid-conflict") => Put::NoCalendar,
            400 if raccord_dav::is_untrusted(&answer.body) => {
                return Err(self.server.refusal(&answer));
            }
            400 | 409 | 500 if new => doubt(),
            _ => return Err(self.server.refusal(&answer)),
        })
    }

    /// Deletes the text with this ETag. Whether it is gone; false where something else stands there.
    pub(crate) async fn delete(&self, path: &str, etag: &str) -> Result<bool, Failure> {
        let mut request = Request::new(Method::DELETE, &self.server.target(path)?).discard_body();
        if !etag.is_empty() {
            request = request.header(header::IF_MATCH, etag);
        }
        let answer = self.server.send(request).await?;
        match answer.status.as_u16() {
            200..=299 | 404 | 410 => Ok(true),
            412 => Ok(false),
            _ => Err(self.server.refusal(&answer)),
        }
    }
}

/// The entry a row holds, if it holds one.
pub(crate) fn object(row: Row) -> Option<Object> {
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

/// The UID of an entry, read from its lines.
pub(crate) fn uid_of(bytes: &[u8]) -> Option<String> {
    let lines = crate::ical::lines::Lines::read(bytes)?;
    let component = lines.master("VEVENT").or_else(|| lines.master("VTODO"))?;
    Some(lines.get(component, "UID")?.value().trim().to_owned())
}
