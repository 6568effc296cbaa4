//! WebDAV (RFC 4918) as connectors need it: rows of properties, files read and written under
//! conditions, and what the refusals of a server, Nextcloud first of all, mean to people.
//!
//! One [`Dav`] is one account of one server. It writes nothing without a condition, follows no path
//! to another host, and shows no password a second time that was refused: Nextcloud locks a whole
//! address out for half an hour after ten refusals. It refuses to retry, to wait, to lock files, and
//! to know what is in them. Tried with Nextcloud 32, Radicale 3.9 and Xandikos 0.4.

mod address;
mod diagnosis;
mod file;
mod output;
mod shelf;
#[cfg(feature = "testing")]
pub mod standin;
pub mod xml;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use raccord_kit::http::{Answer, Http, Request, Target};
use raccord_kit::secret::SecretSource;
use raccord_kit::{Clock, Kit};
use raccord_model::{Digest, Failure};
use secrecy::ExposeSecret as _;

pub use address::{encoded, etag, path_of, slashed};
pub use diagnosis::{Diagnosis, Keys, is_untrusted};
pub use file::{Entry, Fetched, File, Over, Stored};
pub use output::{LONGEST, Login, Output};
pub use shelf::Shelf;
use xml::Multistatus;

const DEPTH: HeaderName = HeaderName::from_static("depth");
const XML: HeaderValue = HeaderValue::from_static("application/xml; charset=utf-8");
/// How long an answer with many rows may be, in bytes.
const LISTS: u64 = 32_000_000;
/// A refused password is tried again after this long only: it may have been right all along.
const REFUSED: SignedDuration = SignedDuration::from_mins(60);
/// For so long after an answer a password is taken for good, and many requests may show it at once.
const GOOD: SignedDuration = SignedDuration::from_secs(10);
/// How long a person waits for a check.
pub const LOOK: Duration = Duration::from_secs(10);

/// What is known of a password, and since when.
type Known = Mutex<Option<(Digest, Timestamp)>>;

fn locked(known: &Known) -> MutexGuard<'_, Option<(Digest, Timestamp)>> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The way to one account of a server.
pub struct Dav {
    http: Http,
    base: Target,
    user: String,
    password: Option<SecretSource>,
    clock: Arc<dyn Clock>,
    says: Diagnosis,
    /// The password that was refused, and when.
    refused: Known,
    /// The password that was taken, and when.
    taken: Known,
    /// One request at a time shows a password of which neither is known.
    first: tokio::sync::Mutex<()>,
}

impl Dav {
    /// The account `user` at the address of the settings; without a password nobody logs in. `keys`
    /// are what failures call the settings.
    ///
    /// # Errors
    /// As [`Http::new`].
    pub fn new(
        keys: Keys,
        base: Target,
        user: impl Into<String>,
        password: Option<SecretSource>,
        kit: &Kit,
    ) -> Result<Self, Failure> {
        Ok(Self {
            http: Http::new(keys.kind, kit)?,
            says: Diagnosis::new(keys, base.host()),
            base,
            user: user.into(),
            password,
            clock: Arc::clone(&kit.clock),
            refused: Mutex::default(),
            taken: Mutex::default(),
            first: tokio::sync::Mutex::default(),
        })
    }

    /// The client, for what is no WebDAV.
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// The address of the settings.
    pub fn base(&self) -> &Target {
        &self.base
    }

    /// Who logs in.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Its host, for people.
    pub fn host(&self) -> &str {
        self.base.host()
    }

    /// Where its password comes from.
    pub fn password(&self) -> Option<&SecretSource> {
        self.password.as_ref()
    }

    /// The words for what goes wrong here.
    pub fn says(&self) -> &Diagnosis {
        &self.says
    }

    /// The address of a decoded path of this server.
    ///
    /// # Errors
    /// When it would lead to another host: whoever answers does not choose who sees the password.
    pub fn target(&self, path: &str) -> Result<Target, Failure> {
        if !path.starts_with('/') || path.starts_with("//") {
            return Err(self.says.odd_answer());
        }
        self.base.join(&encoded(path))
    }

    /// Makes a request with the account's name. One refusal, and the same password is not shown
    /// again for an hour; another one is tried at once. Of many requests after a silence the others
    /// wait for what the first one is told.
    ///
    /// # Errors
    /// When there is no whole answer, or the password was refused before.
    pub async fn send(&self, request: Request) -> Result<Answer, Failure> {
        let Some(source) = &self.password else {
            return Ok(self.http.send(request).await?);
        };
        let secret = source.read()?;
        let password = Digest::of(secret.expose_secret().as_bytes());
        let within = |known: &Known, time| {
            locked(known).is_some_and(|(it, at)| {
                it == password && self.clock.now().duration_since(at) < time
            })
        };
        let _alone = if within(&self.taken, GOOD) {
            None
        } else {
            Some(self.first.lock().await)
        };
        if within(&self.refused, REFUSED) {
            return Err(self.says.credentials());
        }
        let answer = self.http.send(request.basic(&self.user, &secret)).await?;
        let known = match answer.status {
            StatusCode::UNAUTHORIZED => Some(&self.refused),
            status if status.is_success() => Some(&self.taken),
            _ => None,
        };
        if let Some(known) = known {
            *locked(known) = Some((password, self.clock.now()));
        }
        Ok(answer)
    }

    /// The failure that `answer` amounts to.
    pub fn refusal(&self, answer: &Answer) -> Failure {
        self.says.refusal(&self.http, answer)
    }

    /// Why a request was called bad: a server that does not know its name says so on its status
    /// page, where it does not say it at once.
    pub async fn why_bad(&self, answer: &Answer) -> Failure {
        let failure = self.refusal(answer);
        if answer.status != StatusCode::BAD_REQUEST || failure.code.ends_with("untrusted-domain") {
            return failure;
        }
        let Ok(page) = self.base.join("/status.php") else {
            return failure;
        };
        match self.http.send(Request::get(&page).time(LOOK)).await {
            Ok(status)
                if status.status == StatusCode::BAD_REQUEST && is_untrusted(&status.body) =>
            {
                self.says.untrusted()
            }
            _ => failure,
        }
    }

    /// A question whose answer has many rows.
    ///
    /// # Errors
    /// As [`Dav::send`].
    pub async fn ask(
        &self,
        method: &str,
        target: &Target,
        depth: &'static str,
        body: String,
    ) -> Result<Answer, Failure> {
        let request = Request::new(self.method(method)?, target)
            .header(DEPTH, depth)
            .header(header::CONTENT_TYPE, XML)
            .size(LISTS)
            .body(body);
        self.send(request).await
    }

    /// A method of WebDAV.
    fn method(&self, name: &str) -> Result<Method, Failure> {
        Method::from_bytes(name.as_bytes()).map_err(|_| self.says.bug("a method that is none"))
    }

    /// The rows of a good answer.
    ///
    /// # Errors
    /// What a refusal amounts to; one that says so where a page came instead of rows.
    pub fn rows(&self, answer: &Answer) -> Result<Multistatus, Failure> {
        if answer.status != StatusCode::MULTI_STATUS {
            if answer.status.is_success() {
                return Err(self.says.odd_answer());
            }
            return Err(self.refusal(answer));
        }
        xml::multistatus(&answer.body).ok_or_else(|| self.says.odd_answer())
    }

    /// Asks for properties at a decoded path.
    ///
    /// # Errors
    /// When there are no rows.
    pub async fn propfind(
        &self,
        path: &str,
        depth: &'static str,
        properties: &[&str],
    ) -> Result<Multistatus, Failure> {
        let target = self.target(path)?;
        let body = xml::propfind(properties);
        self.rows(&self.ask("PROPFIND", &target, depth, body).await?)
    }
}
