//! Addresses, read once at the door: where they lead, and who wrote them.

use std::fmt;
use std::sync::Arc;

use http::{HeaderValue, Uri, uri::PathAndQuery};
use raccord_model::{Blame, Failure, Words};
use url::{Host, Position, Url};

use super::guard::Trust;

/// The longest address that is taken, in bytes.
const LONGEST: usize = 8 * 1024;

/// An http or https address, ready to be called. Cheap to clone: keep it, do not parse it again.
///
/// ```
/// use raccord_kit::http::Target;
/// let target = Target::configured("url", "https://chat.example.org/api/").unwrap();
/// assert_eq!(target.host(), "chat.example.org");
/// assert_eq!(target.join("v4/posts").unwrap().url().path(), "/api/v4/posts");
/// ```
#[derive(Clone)]
pub struct Target(Arc<Inner>);

struct Inner {
    url: Url,
    origin: Arc<Origin>,
    path: Uri,
    host: HeaderValue,
}

/// Where connections lead.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    pub(crate) tls: bool,
    pub(crate) host: Host<String>,
    pub(crate) port: u16,
    pub(crate) trust: Trust,
}

/// Why a text is no address to call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddressError {
    #[error("not an http or https address")]
    NotHttp,
    #[error("the address holds a user or a password")]
    Userinfo,
}

impl Target {
    /// The address that key `key` of the configuration holds: it may be private.
    ///
    /// # Errors
    /// A failure of blame `data` that names the key.
    pub fn configured(key: &str, address: &str) -> Result<Self, Failure> {
        Self::parse(address, Trust::Configured).map_err(|error| {
            let (fr, en, mend) = match error {
                AddressError::NotHttp => (
                    "ne contient pas une adresse qui commence par http:// ou https://",
                    "does not hold an address that starts with http:// or https://",
                    Words::new(
                        "Écrivez par exemple \"https://outil.example.org/\".",
                        "Write for example \"https://tool.example.org/\".",
                    ),
                ),
                AddressError::Userinfo => (
                    "contient un nom ou un mot de passe dans l’adresse",
                    "holds a name or a password inside the address",
                    Words::new(
                        "Écrivez-les dans leurs propres clés ; le mot de passe dans un fichier.",
                        "Write them under their own keys; the password in a file.",
                    ),
                ),
            };
            Failure::new(
                Blame::Data,
                "settings.address",
                Words::new(
                    format!("La clé « {key} » {fr}."),
                    format!("The key “{key}” {en}."),
                ),
                mend,
            )
        })
    }

    /// An address that came from data: a cell, an event, a feed. It may not be private.
    ///
    /// # Errors
    /// A failure of blame `data`.
    pub fn from_data(address: &str) -> Result<Self, Failure> {
        Self::parse(address, Trust::Data).map_err(|_| not_http())
    }

    /// An address under this one. A text that leads to another host counts as data.
    ///
    /// # Errors
    /// A failure of blame `data`.
    pub fn join(&self, relative: &str) -> Result<Self, Failure> {
        let url = self.0.url.join(relative).map_err(|_| not_http())?;
        self.beside(url).map_err(|_| not_http())
    }

    /// Adds a pair to the query.
    #[must_use]
    pub fn query(&self, name: &str, value: &str) -> Self {
        let mut url = self.0.url.clone();
        url.query_pairs_mut().append_pair(name, value);
        self.beside(url)
            .expect("a query does not change where an address leads")
    }

    /// The host, as it may be shown to people; with the port where it is not the usual one.
    pub fn host(&self) -> &str {
        &self.0.url[Position::BeforeHost..Position::AfterPort]
    }

    /// Whether what is secret for the other address may go to this one: the same host, and never
    /// from https to http.
    pub fn may_know_what(&self, other: &Self) -> bool {
        self.host() == other.host() && !self.downgrades(other)
    }

    /// Whether who goes from the other address to this one leaves https.
    pub(crate) fn downgrades(&self, other: &Self) -> bool {
        other.origin().tls && !self.origin().tls
    }

    /// The whole address. It may hold a token in its query: not for logs, not for people.
    pub fn url(&self) -> &Url {
        &self.0.url
    }

    /// Where a redirect to `location` leads.
    pub(crate) fn redirect(&self, location: &str) -> Result<Self, AddressError> {
        if location.len() > LONGEST {
            return Err(AddressError::NotHttp);
        }
        let mut url = self
            .0
            .url
            .join(location)
            .map_err(|_| AddressError::NotHttp)?;
        // Whoever answers does not choose whom we log in as.
        if url.set_username("").is_err() || url.set_password(None).is_err() {
            return Err(AddressError::NotHttp);
        }
        self.beside(url)
    }

    pub(crate) fn origin(&self) -> &Arc<Origin> {
        &self.0.origin
    }

    /// Path and query, as the first line of a request wants them.
    pub(crate) fn path(&self) -> &Uri {
        &self.0.path
    }

    pub(crate) fn host_header(&self) -> &HeaderValue {
        &self.0.host
    }

    /// `url` with this one's trust while it stays with the same server (also when it only turns
    /// from http to https there), else as data.
    fn beside(&self, url: Url) -> Result<Self, AddressError> {
        let here = &self.0.origin;
        let usual = |url: &Url| url.port().is_none();
        let same_host = url.host() == self.0.url.host();
        let same_port = url.port_or_known_default() == Some(here.port);
        let same_scheme = (url.scheme() == "https") == here.tls;
        let secured = !here.tls && url.scheme() == "https" && usual(&url) && usual(&self.0.url);
        let trust = if same_host && ((same_scheme && same_port) || secured) {
            here.trust
        } else {
            Trust::Data
        };
        Self::of(url, trust)
    }

    fn parse(address: &str, trust: Trust) -> Result<Self, AddressError> {
        let address = address.trim();
        if address.len() > LONGEST {
            return Err(AddressError::NotHttp);
        }
        Self::of(
            Url::parse(address).map_err(|_| AddressError::NotHttp)?,
            trust,
        )
    }

    fn of(mut url: Url, trust: Trust) -> Result<Self, AddressError> {
        let tls = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(AddressError::NotHttp),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressError::Userinfo);
        }
        url.set_fragment(None);
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(AddressError::NotHttp);
        };
        let origin = Origin {
            tls,
            host: host.to_owned(),
            port,
            trust,
        };
        let path = PathAndQuery::try_from(&url[Position::BeforePath..Position::AfterQuery])
            .map_err(|_| AddressError::NotHttp)?;
        let shown = &url[Position::BeforeHost..Position::AfterPort];
        let host = HeaderValue::try_from(shown).map_err(|_| AddressError::NotHttp)?;
        Ok(Self(Arc::new(Inner {
            origin: Arc::new(origin),
            path: Uri::from(path),
            host,
            url,
        })))
    }
}

fn not_http() -> Failure {
    Failure::new(
        Blame::Data,
        "http.address",
        Words::new(
            "Ce n’est pas une adresse qui commence par http:// ou https://.",
            "This is not an address that starts with http:// or https://.",
        ),
        Words::new("Corrigez l’adresse.", "Correct the address."),
    )
}

impl fmt::Debug for Target {
    /// Without path and query, which may hold a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Target").field(&self.host()).finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn configured(address: &str) -> Target {
        Target::configured("url", address).unwrap()
    }

    #[test]
    fn b02_an_address_that_cannot_be_called_is_refused_by_its_key_and_never_shown() {
        for bad in [
            "",
            "ftp://canary.example",
            "//canary",
            "canary",
            "http://",
            "https://user:canary@host/",
            "javascript:canary",
        ] {
            let failure = Target::configured("url", bad).unwrap_err();
            assert!(failure.text.fr.contains("« url »"), "{bad}");
            assert!(!format!("{failure:?}").contains("canary"), "{bad}");
        }
        let long = format!("http://h/{}", "a".repeat(9000));
        assert!(Target::from_data(&long).is_err());
    }

    #[test]
    fn what_is_secret_stays_with_its_host_and_with_https() {
        let site = configured("https://lieu.example.org/");
        for (told, may) in [
            ("https://lieu.example.org/wp-json/", true),
            ("http://lieu.example.org/wp-json/", false),
            ("https://lieu.example.org:8443/", false),
            ("https://www.lieu.example.org/", false),
        ] {
            assert_eq!(configured(told).may_know_what(&site), may, "{told}");
        }
        let open = configured("http://lieu.example.org/");
        assert!(open.may_know_what(&open));
    }

    #[test]
    fn trust_in_a_configured_address_ends_at_its_host_and_port() {
        let start = configured("http://nas.local/a?t=1");
        for (to, trust) in [
            ("/b", Trust::Configured),
            ("http://nas.local/b", Trust::Configured),
            ("https://nas.local/b", Trust::Configured),
            ("http://nas.local:8080/b", Trust::Data),
            ("http://other.local/b", Trust::Data),
            ("//169.254.169.254/", Trust::Data),
        ] {
            assert_eq!(start.redirect(to).unwrap().origin().trust, trust, "{to}");
        }
        let secure = configured("https://nas.local/");
        let plain = secure.redirect("http://nas.local/").unwrap();
        assert_eq!(plain.origin().trust, Trust::Data);
    }

    #[test]
    fn a_redirect_cannot_choose_whom_we_log_in_as() {
        let next = configured("https://a.example/")
            .redirect("https://root:root@a.example/x#frag")
            .unwrap();
        assert_eq!(next.url().as_str(), "https://a.example/x");
    }

    #[test]
    fn nothing_but_the_host_is_shown() {
        let target = configured("https://a.example:8443/in?token=canary");
        assert_eq!(target.host(), "a.example:8443");
        assert!(!format!("{target:?}").contains("canary"));
    }

    #[test]
    fn the_first_line_holds_path_and_query_as_the_server_wants_them() {
        let target = configured("http://[::1]:9000/in d/?q=é#x").query("page", "2&3");
        assert_eq!(target.path().to_string(), "/in%20d/?q=%C3%A9&page=2%263");
        assert_eq!(target.host_header(), "[::1]:9000");
        assert_eq!(configured("http://a").path().to_string(), "/");
    }
}
