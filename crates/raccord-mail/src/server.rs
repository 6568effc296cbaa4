//! Where mail is handed over, as an address says it.

use lettre::transport::smtp::client::{Certificate, TlsParameters, TlsParametersBuilder};
use raccord_model::{Blame, Failure, Words};
use url::{Host, Url};

/// How the way to a server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// `STARTTLS`, which must be offered.
    StartTls,
    /// None: the server is on this machine, and its certificate is for its name outside.
    Local,
    /// None: the settings want it so.
    None,
}

/// A server that takes mail.
#[derive(Clone, Debug)]
pub struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) security: Security,
    pub(crate) roots: Vec<Certificate>,
}

impl Server {
    /// The server that key `key` of the configuration names: `smtps://host[:465]`,
    /// `smtp://host[:587]` (with `STARTTLS`; of this machine only with `?tls=starttls`), or
    /// `smtp://host[:25]?tls=none`.
    ///
    /// # Errors
    /// A failure of blame `data` that names the key.
    pub fn configured(key: &str, address: &str) -> Result<Self, Failure> {
        let wrong = || {
            Failure::new(
                Blame::Data,
                "settings.address",
                Words::new(
                    format!("La clé « {key} » ne contient pas l’adresse d’un serveur de courrier."),
                    format!("The key “{key}” does not hold the address of a mail server."),
                ),
                Words::new(
                    "Écrivez par exemple \"smtps://mail.example.org\" ou \"smtp://mail.example.org:587\" ; nom et mot de passe ont leurs propres clés.",
                    "Write for example \"smtps://mail.example.org\" or \"smtp://mail.example.org:587\"; name and password have keys of their own.",
                ),
            )
        };
        let url = Url::parse(address.trim()).map_err(|_| wrong())?;
        let named = url.username().is_empty() && url.password().is_none();
        let bare = matches!(url.path(), "" | "/") && url.fragment().is_none();
        let host = url
            .host_str()
            .filter(|host| !host.is_empty() && named && bare);
        let host = host.ok_or_else(wrong)?.to_owned();
        // The parser knows hosts of web addresses only.
        let host = Host::parse(&host).map_err(|_| wrong())?;
        let here = match &host {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(ip) => ip.is_loopback(),
            Host::Ipv6(ip) => ip.is_loopback(),
        };
        let security = match (url.scheme(), url.query()) {
            ("smtps", None) => Security::Tls,
            ("smtp", None) if here => Security::Local,
            ("smtp", None | Some("tls=starttls")) => Security::StartTls,
            ("smtp", Some("tls=none")) => Security::None,
            _ => return Err(wrong()),
        };
        let usual = match security {
            Security::Tls => 465,
            Security::StartTls => 587,
            Security::Local | Security::None => 25,
        };
        Ok(Self {
            host: match host {
                Host::Ipv6(ip) => ip.to_string(),
                other => other.to_string(),
            },
            port: url.port().unwrap_or(usual),
            security,
            roots: Vec::new(),
        })
    }

    /// The same, whose certificate may also be signed by one of those in `pem`.
    ///
    /// # Errors
    /// When that holds no certificate.
    pub fn trusting(mut self, pem: &[u8]) -> Result<Self, Failure> {
        const BEGINS: &[u8] = b"-----BEGIN CERTIFICATE-----";
        let holds = pem.windows(BEGINS.len()).any(|part| part == BEGINS);
        let read = Certificate::from_pem(pem).ok().filter(|_| holds);
        self.roots.push(read.ok_or_else(|| {
            Failure::new(
                Blame::Data,
                "mail.certificate",
                Words::new(
                    "Ce fichier ne peut pas être lu, ou ne contient pas de certificat (PEM).",
                    "This file cannot be read, or holds no certificate (PEM).",
                ),
                Words::new(
                    "Donnez le certificat de l’autorité qui a signé celui du serveur.",
                    "Give the certificate of the authority that signed the server's.",
                ),
            )
        })?);
        Ok(self)
    }

    /// How it is protected.
    pub fn security(&self) -> Security {
        self.security
    }

    /// `mail.example.org:587`, as it may be shown to people.
    pub fn shown(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    pub(crate) fn tls(&self) -> Option<TlsParameters> {
        let mut tls = TlsParametersBuilder::new(self.host.clone());
        for root in &self.roots {
            tls = tls.add_root_certificate(root.clone());
        }
        tls.build().ok()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_where_and_how_protected() {
        for (text, shown, security) in [
            (
                "smtps://mail.example.org",
                "mail.example.org:465",
                Security::Tls,
            ),
            (
                "smtp://mail.example.org",
                "mail.example.org:587",
                Security::StartTls,
            ),
            (
                "smtp://mail.example.org:25?tls=none",
                "mail.example.org:25",
                Security::None,
            ),
            ("smtp://localhost", "localhost:25", Security::Local),
            ("smtp://127.0.0.1:2525", "127.0.0.1:2525", Security::Local),
            ("smtp://[::1]:2525", "[::1]:2525", Security::Local),
        ] {
            let server = Server::configured("url", text).unwrap();
            assert_eq!(
                (server.shown().as_str(), server.security()),
                (shown, security)
            );
        }
        for wrong in [
            "",
            "mail.example.org",
            "https://mail.example.org",
            "smtp://user:canary@mail.example.org",
            "smtp://mail.example.org/x",
            "smtp://mail.example.org?tls=maybe",
            "smtps://mail.example.org?tls=none",
            "smtp://",
        ] {
            let failure = Server::configured("url", wrong).unwrap_err();
            assert!(!format!("{failure:?}").contains("canary"));
            assert!(failure.text.en.contains("url"), "{wrong}");
        }
    }
}
