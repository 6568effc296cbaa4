//! The one HTTP client: limits on time, size and redirects; an address guard; honest errors.
//!
//! - A call ends within its time limit, whatever the server does; an answer longer than its limit
//!   is not read on.
//! - Where an address comes from is part of the address ([`Target`]): data never reaches a private
//!   network, also not through a redirect or a name that changes.
//! - A call that changes something never follows a redirect: a login page is not a success.
//! - What may have reached the server and was not answered is `unknown`, and nothing else is.
//!
//! It refuses to retry, to keep cookies, to cache, to use proxies from the environment, and to
//! ask for compressed answers (which could grow without end).

pub mod ddp;
mod error;
mod guard;
mod patience;
mod socket;
mod target;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use http_body_util::Full;
use raccord_model::Failure;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{Clock, Kit};

pub use error::{Fault, HttpError};
#[cfg(feature = "testing")]
pub(crate) use socket::accepted;
pub use socket::{Came, Socket};
pub use target::Target;

use guard::Guard;
use wire::{BodyEnd, Connection, Gathered, NoConnection, Pool};

/// How long a call may take, unless it says otherwise.
pub const TIME: Duration = Duration::from_secs(30);
/// How long an answer may be, in bytes, unless the call says otherwise.
pub const SIZE: u64 = 5_000_000;
/// How often a call may be sent on.
pub const HOPS: usize = 5;

/// How much of an answer that nobody wants is read, to use the connection again.
const DRAIN: u64 = 64 * 1024;
/// How long that may take.
const DRAIN_TIME: Duration = Duration::from_secs(1);

const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("raccord/", env!("CARGO_PKG_VERSION")));

/// The client. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Http {
    connector: &'static str,
    clock: Arc<dyn Clock>,
    pool: Arc<Pool>,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http")
            .field("connector", &self.connector)
            .finish_non_exhaustive()
    }
}

impl Http {
    /// A client for connector kind `connector`, which stands before the codes of its failures.
    ///
    /// # Errors
    /// A failure of blame `data` when the place's allowed ranges are no ranges.
    pub fn new(connector: &'static str, kit: &Kit) -> Result<Self, Failure> {
        Ok(Self {
            connector,
            clock: Arc::clone(&kit.clock),
            pool: Arc::new(Pool::new(Guard::new(&kit.allow_private)?)),
        })
    }

    /// A client that trusts `roots` and nobody else, for tests.
    ///
    /// # Errors
    /// As [`Http::new`].
    #[cfg(feature = "testing")]
    pub fn trusting(
        connector: &'static str,
        kit: &Kit,
        roots: rustls::RootCertStore,
    ) -> Result<Self, Failure> {
        Ok(Self {
            pool: Arc::new(Pool::trusting(Guard::new(&kit.allow_private)?, roots)),
            ..Self::new(connector, kit)?
        })
    }

    /// Makes a call and takes any answer.
    ///
    /// # Errors
    /// When there is no whole answer.
    pub async fn send(&self, request: Request) -> Result<Answer, HttpError> {
        let sent = AtomicBool::new(false);
        let host = request.target.clone();
        let reads = request.reads();
        match tokio::time::timeout(request.time, self.follow(request, &sent)).await {
            Ok(answer) => answer,
            Err(elapsed) => {
                let fault = interrupted(reads, &sent);
                Err(self.error(&host, fault, Some(elapsed.into())))
            }
        }
    }

    /// Makes a call and takes only a good answer: 2xx, or 304 where the call asked for news.
    ///
    /// # Errors
    /// When there is no whole answer, or the server said no.
    pub async fn call(&self, request: Request) -> Result<Answer, HttpError> {
        let asked_for_news = request.headers.contains_key(header::IF_NONE_MATCH)
            || request.headers.contains_key(header::IF_MODIFIED_SINCE);
        let once = request.once;
        let answer = self.send(request).await?;
        let status = answer.status;
        if status.is_success() || (status == StatusCode::NOT_MODIFIED && asked_for_news) {
            return Ok(answer);
        }
        Err(self.refusal(&answer, once))
    }

    /// The error that an answer amounts to when it is not the wanted one; `once` as
    /// [`Request::once`].
    pub fn refusal(&self, answer: &Answer, once: bool) -> HttpError {
        let fault = Fault::Status {
            status: answer.status,
            retry_after: patience::retry_after(&answer.headers, self.clock.now()),
            doubtful: once,
        };
        self.error(&answer.target, fault, None)
    }

    async fn follow(&self, request: Request, sent: &AtomicBool) -> Result<Answer, HttpError> {
        let Request {
            method,
            mut target,
            mut headers,
            body,
            size,
            discard,
            secret,
            once: _,
            time: _,
        } = request;
        let reads = reads(&method);
        headers.insert(header::USER_AGENT, USER_AGENT);
        let mut hops = 0;
        loop {
            // Only what may be sent on is kept for the next hop.
            let next = reads.then(|| headers.clone());
            let wanted = Wanted {
                reads,
                size,
                discard,
            };
            let answer = self
                .once(&method, &target, headers, body.clone(), &wanted, sent)
                .await?;
            if !(answer.status.is_redirection()
                && answer.headers.contains_key(header::LOCATION)
                && answer.status != StatusCode::NOT_MODIFIED)
            {
                return Ok(Answer {
                    redirected: hops > 0,
                    ..answer
                });
            }
            let Some(kept) = next else {
                return Err(self.error(&target, Fault::Moved(answer.status), None));
            };
            hops += 1;
            let astray = || self.error(&target, Fault::Astray, None);
            let location = answer.headers.get(header::LOCATION);
            let onward = location
                .and_then(|location| location.to_str().ok())
                .filter(|_| hops <= HOPS)
                .and_then(|location| target.redirect(location).ok())
                .ok_or_else(astray)?;
            if secret && onward.downgrades(&target) {
                return Err(self.error(&target, Fault::Downgraded, None));
            }
            headers = kept;
            if target.url().host() != onward.url().host()
                || target.origin().port != onward.origin().port
            {
                forget_credentials(&mut headers);
            }
            target = onward;
        }
    }

    /// One request, one answer.
    async fn once(
        &self,
        method: &Method,
        target: &Target,
        mut headers: HeaderMap,
        body: Bytes,
        wanted: &Wanted,
        sent: &AtomicBool,
    ) -> Result<Answer, HttpError> {
        headers.insert(header::HOST, target.host_header().clone());
        let mut request = http::Request::new(Full::new(body));
        *request.method_mut() = method.clone();
        *request.uri_mut() = target.path().clone();
        *request.headers_mut() = headers;

        let origin = target.origin();
        let (mut connection, used) = match self.pool.take(origin).await {
            Some(connection) => (connection, true),
            None => (self.connect(target).await?, false),
        };
        let again = used.then(|| request.clone());
        let mut answer = connection.exchange(request, sent).await;
        // A server may close an idle connection in the very moment it is used again.
        if let (Err(_), Some(request)) = (&answer, again)
            && (wanted.reads || !sent.load(Ordering::Relaxed))
        {
            connection = self.connect(target).await?;
            answer = connection.exchange(request, sent).await;
        }
        let answer = answer.map_err(|error| {
            self.error(target, interrupted(wanted.reads, sent), Some(error.into()))
        })?;
        let (head, body) = answer.into_parts();

        let good = head.status.is_success();
        let mut gathered = Gathered::default();
        let end = if wanted.discard || !good {
            // The status has said all that counts.
            let reading = connection.body(body, DRAIN.min(wanted.size), &mut gathered);
            tokio::time::timeout(DRAIN_TIME, reading)
                .await
                .unwrap_or(BodyEnd::Cut)
        } else {
            let end = connection.body(body, wanted.size, &mut gathered).await;
            match end {
                BodyEnd::Cut => {
                    return Err(self.error(target, interrupted(wanted.reads, sent), None));
                }
                BodyEnd::TooLarge => {
                    return Err(self.error(target, Fault::TooLarge(wanted.size), None));
                }
                BodyEnd::Whole => {}
            }
            if !plain(&head.headers) {
                return Err(self.error(target, Fault::Encoded, None));
            }
            end
        };
        if end == BodyEnd::Whole {
            self.pool.keep(origin, connection);
        }
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: gathered.finish(),
            target: target.clone(),
            redirected: false,
        })
    }

    async fn connect(&self, target: &Target) -> Result<Connection, HttpError> {
        let connection = self.pool.connect(target.origin()).await;
        connection.map_err(|NoConnection(fault, source)| self.error(target, fault, source))
    }

    fn error(
        &self,
        target: &Target,
        fault: Fault,
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    ) -> HttpError {
        let error = HttpError {
            connector: self.connector,
            host: target.host().to_owned(),
            fault,
            source,
        };
        tracing::debug!(
            connector = self.connector,
            error.code = error.code(),
            blame = ?error.blame(),
            host = error.host,
            cause = error.source.as_ref().map(tracing::field::display),
            "call failed"
        );
        error
    }
}

/// What a call wants of its answer.
struct Wanted {
    reads: bool,
    size: u64,
    discard: bool,
}

/// Whether `method` only reads.
fn reads(method: &Method) -> bool {
    method.is_safe() || matches!(method.as_str(), "PROPFIND" | "REPORT" | "SEARCH")
}

/// The fault of a call that was interrupted.
fn interrupted(reads: bool, sent: &AtomicBool) -> Fault {
    match (sent.load(Ordering::Relaxed), reads) {
        (false, _) => Fault::Unsent,
        (true, true) => Fault::Unread,
        (true, false) => Fault::Lost,
    }
}

/// Whether an answer is not compressed.
fn plain(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_ENCODING)
        .is_none_or(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// Keeps only the headers that say nothing about who asks: a token may stand in any other.
fn forget_credentials(headers: &mut HeaderMap) {
    const HARMLESS: [HeaderName; 5] = [
        header::ACCEPT,
        header::ACCEPT_LANGUAGE,
        header::CONTENT_TYPE,
        header::IF_NONE_MATCH,
        header::IF_MODIFIED_SINCE,
    ];
    let kept = HARMLESS
        .into_iter()
        .chain([header::USER_AGENT, HeaderName::from_static("depth")])
        .filter_map(|name| headers.remove(&name).map(|value| (name, value)))
        .collect();
    *headers = kept;
}

/// A call.
///
/// ```
/// use raccord_kit::http::{Request, Target};
/// let target = Target::configured("url", "https://sheets.example.org/programme.ods")?;
/// let request = Request::get(&target)
///     .header(http::header::IF_NONE_MATCH, "\"v7\"")
///     .size(20_000_000);
/// # Ok::<(), raccord_model::Failure>(())
/// ```
pub struct Request {
    method: Method,
    target: Target,
    headers: HeaderMap,
    body: Bytes,
    time: Duration,
    size: u64,
    discard: bool,
    once: bool,
    secret: bool,
}

impl Request {
    /// A call of `method`.
    pub fn new(method: Method, target: &Target) -> Self {
        Self {
            method,
            target: target.clone(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            time: TIME,
            size: SIZE,
            discard: false,
            once: false,
            secret: false,
        }
    }

    /// Reads what is at `target`.
    pub fn get(target: &Target) -> Self {
        Self::new(Method::GET, target)
    }

    /// Posts `body` to `target`.
    pub fn post(target: &Target, body: impl Into<Bytes>) -> Self {
        Self::new(Method::POST, target).body(body)
    }

    /// What is sent.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets a header. A value that cannot stand in one is left out: a line break in it would make
    /// another header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: impl TryInto<HeaderValue>) -> Self {
        if let Ok(value) = value.try_into() {
            self.headers.insert(name, value);
        }
        self
    }

    /// Sets a header whose value is a secret.
    #[must_use]
    pub fn secret(mut self, name: HeaderName, value: &SecretString) -> Self {
        if let Ok(mut value) = HeaderValue::try_from(value.expose_secret()) {
            value.set_sensitive(true);
            self.headers.insert(name, value);
        }
        self.secret = true;
        self
    }

    /// Shows a token.
    #[must_use]
    pub fn bearer(self, token: &SecretString) -> Self {
        let text = format!("Bearer {}", token.expose_secret());
        self.secret(header::AUTHORIZATION, &text.into())
    }

    /// Shows a name and a password.
    #[must_use]
    pub fn basic(self, user: &str, password: &SecretString) -> Self {
        let pair = format!("{user}:{}", password.expose_secret());
        let text = format!(
            "Basic {}",
            base64::engine::general_purpose::STANDARD.encode(pair)
        );
        self.secret(header::AUTHORIZATION, &text.into())
    }

    /// How long the whole call may take; [`TIME`] otherwise.
    #[must_use]
    pub fn time(mut self, limit: Duration) -> Self {
        self.time = limit;
        self
    }

    /// How long the answer may be, in bytes; [`SIZE`] otherwise.
    #[must_use]
    pub fn size(mut self, limit: u64) -> Self {
        self.size = limit;
        self
    }

    /// Wants nothing of the answer but its head: how the body ends makes no difference.
    #[must_use]
    pub fn discard_body(mut self) -> Self {
        self.discard = true;
        self
    }

    /// Says that a repeat is not harmless: an answer 500, 502 or 504, after which the tool may
    /// have acted all the same, is then `unknown` and not `transient`.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.once = true;
        self
    }

    fn reads(&self) -> bool {
        reads(&self.method)
    }
}

impl fmt::Debug for Request {
    /// Without path, query, headers and body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, within its limit. Of a refusal, as much as was there in a second.
    pub body: Bytes,
    /// Who answered, after redirects.
    pub target: Target,
    /// Whether the call was sent on.
    pub redirected: bool,
}

impl Answer {
    /// The text of a header.
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The media type, in lower case and without parameters.
    pub fn media_type(&self) -> Option<String> {
        let text = self.header(&header::CONTENT_TYPE)?;
        let media = text.split(';').next().unwrap_or_default().trim();
        Some(media.to_ascii_lowercase())
    }
}
