//! The way to a server: one connection, one login, and then letters.

use std::fmt;
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use raccord_kit::secret::SecretSource;
use raccord_kit::{Finding, Level};
use raccord_model::{Failure, Words};
use secrecy::ExposeSecret as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::bytes::{Bounded, Covered};
use crate::{Letter, Mailbox, Refusal, Security, Server};

/// How long a server may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// To connect, and to answer a command.
    pub step: Duration,
    /// To answer a letter: servers look at it first (RFC 5321, section 4.5.3.2.6, would wait longer).
    pub letter: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            step: Duration::from_secs(30),
            letter: Duration::from_secs(120),
        }
    }
}

/// How to log in.
#[derive(Debug)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password, read anew for each connection.
    pub password: SecretSource,
}

/// A server, and how to log in there.
#[derive(Debug)]
pub struct Post {
    server: Server,
    login: Option<Login>,
    hello: ClientId,
    limits: Limits,
}

impl Post {
    /// The way to `server`, for letters from `from`.
    pub fn new(server: Server, login: Option<Login>, from: &Mailbox, limits: Limits) -> Self {
        Self {
            server,
            login,
            // Some servers refuse a name that is no domain; this one is ours.
            hello: ClientId::Domain(from.domain().to_owned()),
            limits,
        }
    }

    /// The server, as it may be shown to people.
    pub fn server(&self) -> String {
        self.server.shown()
    }

    /// The password's source, where there is one.
    pub fn password(&self) -> Option<&SecretSource> {
        self.login.as_ref().map(|login| &login.password)
    }

    /// Connects, protects the way and logs in.
    ///
    /// # Errors
    /// As [`Refusal::failure`] tells it, or that the password cannot be read.
    pub async fn open(&self) -> Result<Session, Failure> {
        let credentials = match &self.login {
            Some(_) if self.server.security == Security::None => {
                return Err(Refusal::InClear.failure(&self.server.shown()));
            }
            Some(login) => Some(Credentials::new(
                login.user.clone(),
                login.password.read()?.expose_secret().to_owned(),
            )),
            None => None,
        };
        let opened = self.connected(credentials.as_ref()).await;
        let line = opened.map_err(|refusal| refusal.failure(&self.server.shown()))?;
        Ok(Session {
            line: Some(line),
            limits: self.limits,
        })
    }

    async fn connected(
        &self,
        credentials: Option<&Credentials>,
    ) -> Result<Box<AsyncSmtpConnection>, Refusal> {
        let step = self.limits.step;
        let mut line = timeout(step, self.line())
            .await
            .map_err(|_| Refusal::Unreachable)??;
        if self.server.security == Security::StartTls {
            if !line.can_starttls() {
                return Err(Refusal::Insecure);
            }
            let protected = timeout(step, line.starttls(self.tls()?, &self.hello)).await;
            let protected = protected.map_err(|_| Refusal::Unreachable)?;
            protected.map_err(|error| before(&error, |_| Refusal::Insecure))?;
        }
        if let Some(credentials) = credentials {
            const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];
            let knows =
                |mechanism: &Mechanism| line.server_info().supports_auth_mechanism(*mechanism);
            if !MECHANISMS.iter().any(knows) {
                return Err(Refusal::NoLogin);
            }
            let admitted = timeout(step, line.auth(&MECHANISMS, credentials)).await;
            let admitted = admitted.map_err(|_| Refusal::Unreachable)?;
            admitted.map_err(|error| before(&error, Refusal::Login))?;
        }
        Ok(line)
    }

    /// A connection, greeted; under TLS where that begins with the first byte.
    async fn line(&self) -> Result<Box<AsyncSmtpConnection>, Refusal> {
        let address = (self.server.host.as_str(), self.server.port);
        let line = TcpStream::connect(address).await;
        let line = Bounded::new(line.map_err(|_| Refusal::Unreachable)?);
        let greeted = if self.server.security == Security::Tls {
            let covered = Covered::over(line, self.tls()?).await;
            let covered = covered.map_err(|error| before(&error, Refusal::Sender))?;
            AsyncSmtpConnection::connect_with_transport(Box::new(covered), &self.hello).await
        } else {
            AsyncSmtpConnection::connect_with_transport(Box::new(line), &self.hello).await
        };
        let greeted = greeted.map_err(|error| before(&error, Refusal::Sender))?;
        Ok(Box::new(greeted))
    }

    fn tls(&self) -> Result<TlsParameters, Refusal> {
        self.server.tls().ok_or(Refusal::Insecure)
    }

    /// Sends one letter.
    ///
    /// # Errors
    /// As [`Post::open`] and [`Session::send`].
    pub async fn send(&self, letter: &Letter) -> Result<(), Failure> {
        let mut session = self.open().await?;
        let sent = session.send(letter).await;
        session.close().await;
        sent.map_err(|refusal| refusal.failure(&self.server.shown()))
    }

    /// What `check` says: connects, logs in and asks whether we may write from `from`. Sends nothing.
    pub async fn check(&self, from: &Mailbox) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Some(password) = self.password() {
            findings.extend(password.findings());
        }
        if findings.iter().any(|finding| finding.level == Level::Error) {
            return findings;
        }
        if self.server.security == Security::None {
            findings.push(in_clear(&self.server.shown()));
        }
        match self.open().await {
            Err(failure) => findings.push(Finding::of(key_of(&failure), &failure)),
            Ok(mut session) => {
                if let Err(refusal) = session.may_write_from(from).await {
                    let failure = refusal.failure(&self.server.shown());
                    findings.push(Finding::of(key_of(&failure), &failure));
                }
                session.close().await;
            }
        }
        findings
    }
}

/// The key of the settings that a failure is about.
fn key_of(failure: &Failure) -> &'static str {
    match failure.code.as_str() {
        "mail.login" | "mail.no-login" | "mail.password-in-clear" => "user",
        "mail.sender" => "from",
        "secret.unreadable" | "secret.unusable" => "password_file",
        _ => "url",
    }
}

fn in_clear(server: &str) -> Finding {
    Finding {
        place: "url".to_owned(),
        code: "mail.in-clear".to_owned(),
        level: Level::Warning,
        text: Words::new(
            format!("Les lettres vont en clair jusqu’à {server} : qui écoute le réseau les lit."),
            format!("Letters go to {server} in clear: whoever listens on the network reads them."),
        ),
        mend: Words::new(
            "Retirez « ?tls=none » dès que le serveur offre STARTTLS.",
            "Take “?tls=none” away as soon as the server offers STARTTLS.",
        ),
    }
}

/// An open connection, over which letters go one after the other.
pub struct Session {
    /// None once it is not to be used any more.
    line: Option<Box<AsyncSmtpConnection>>,
    limits: Limits,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("open", &self.is_open())
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Whether another letter can go over it.
    pub fn is_open(&self) -> bool {
        self.line.is_some()
    }

    /// Hands one letter over. After a refusal of the letter or its recipient the session goes on; after
    /// any other it is closed.
    ///
    /// # Errors
    /// What the server refused, and [`Refusal::Lost`] when the letter was handed over and nobody knows
    /// whether it was taken.
    pub async fn send(&mut self, letter: &Letter) -> Result<(), Refusal> {
        let sent = self.hand_over(letter).await;
        match sent {
            Ok(()) => {}
            Err(Refusal::Recipient(_) | Refusal::Content(_) | Refusal::Foreign) => {
                self.reset().await;
            }
            // "Not this one, not now" leaves the line as it is, unless the server hangs up itself.
            Err(Refusal::Later(code)) if code != 421 => self.reset().await,
            // No word of farewell: it may be what nobody answers.
            Err(_) => self.line = None,
        }
        sent
    }

    async fn hand_over(&mut self, letter: &Letter) -> Result<(), Refusal> {
        let Limits { step, letter: wait } = self.limits;
        let line = self.line.as_mut().ok_or(Refusal::Unreachable)?;
        let plain = |address: &lettre::Address| AsRef::<str>::as_ref(address).is_ascii();
        let foreign = !(plain(&letter.to) && plain(&letter.from));
        let takes_foreign = line.server_info().supports_feature(Extension::SmtpUtfEight);
        if foreign && !takes_foreign {
            return Err(Refusal::Foreign);
        }
        let parameters = if foreign {
            vec![MailParameter::SmtpUtfEight]
        } else {
            Vec::new()
        };
        let from = Mail::new(Some(letter.from.clone()), parameters);
        answered(timeout(step, line.command(from)).await, Refusal::Sender)?;
        let to = Rcpt::new(letter.to.clone(), Vec::new());
        let known = timeout(step, line.command(to)).await;
        let refused = match &known {
            // Many servers wait with what they think of the sender until they hear the recipient.
            Ok(Err(error)) if is_about_us(error) => Refusal::Sender,
            // A policy does not say that nobody reads there.
            Ok(Err(error)) if said(error).starts_with("5.7.") => Refusal::Content,
            _ => Refusal::Recipient,
        };
        answered(known, refused)?;
        answered(timeout(step, line.command(Data)).await, Refusal::Content)?;
        // The line that ends a letter begins with a line break of its own.
        let bytes = letter.bytes();
        let bytes = bytes.strip_suffix(b"\r\n").unwrap_or(bytes);
        // From here on the server may have all of it.
        match timeout(wait, line.message(bytes)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(match code_of(&error) {
                Some(code) => by_code(code, Refusal::Content),
                None => Refusal::Lost,
            }),
            Err(_) => Err(Refusal::Lost),
        }
    }

    /// Whether letters may come from `from`; none is begun.
    ///
    /// # Errors
    /// What the server refuses.
    pub async fn may_write_from(&mut self, from: &Mailbox) -> Result<(), Refusal> {
        let line = self.line.as_mut().ok_or(Refusal::Unreachable)?;
        let ask = Mail::new(Some(from.0.email.clone()), Vec::new());
        let asked = timeout(self.limits.step, line.command(ask)).await;
        let may = answered(asked, Refusal::Sender);
        self.reset().await;
        may
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        if let Some(mut line) = self.line.take() {
            // What was sent is sent, whatever becomes of this.
            drop(timeout(self.limits.step, line.quit()).await);
        }
    }

    /// Forgets a letter that was begun.
    async fn reset(&mut self) {
        let Some(line) = self.line.as_mut() else {
            return;
        };
        let reset = timeout(self.limits.step, line.command(Rset)).await;
        if !matches!(reset, Ok(Ok(_))) {
            self.line = None;
        }
    }
}

fn answered<T>(
    asked: Result<Result<T, Error>, tokio::time::error::Elapsed>,
    refused: fn(u16) -> Refusal,
) -> Result<(), Refusal> {
    match asked {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(before(&error, refused)),
        Err(_) => Err(Refusal::Unreachable),
    }
}

/// What an error means before anything of a letter was handed over.
fn before(error: &Error, refused: fn(u16) -> Refusal) -> Refusal {
    match code_of(error) {
        Some(code) => by_code(code, refused),
        None if error.is_tls() || is_about_certificates(error) => Refusal::Insecure,
        None => Refusal::Unreachable,
    }
}

/// 4xx is for later, whatever it is about; 530 to 538 want a (better) login.
fn by_code(code: u16, refused: fn(u16) -> Refusal) -> Refusal {
    match code {
        400..=499 => Refusal::Later(code),
        530 | 534 | 535 | 538 => Refusal::Login(code),
        _ => refused(code),
    }
}

/// Whether the refusal of a recipient is about who writes: the sender's address (RFC 3463, X.1.7 and
/// X.1.8), a policy (X.7) under a code that is not the mailbox's own (550): `553` for a sender that
/// is not the account's, `554` for whoever may not have their letters passed on; or, in so many words
/// where a server has no code of its own for that, relaying. What is about the mailbox (X.1) may name
/// one that is called so.
fn is_about_us(error: &Error) -> bool {
    let said = said(error);
    let is = |begins: &str| said.starts_with(begins);
    let policy = matches!(code_of(error), Some(553 | 554)) && is("5.7.");
    let relay = !is("5.1.") && said.to_ascii_lowercase().contains("relay");
    policy || relay || is("5.1.7 ") || is("5.1.8 ")
}

/// What the server said after its code.
fn said(error: &Error) -> String {
    let said = std::error::Error::source(error).map(ToString::to_string);
    said.unwrap_or_default()
}

fn code_of(error: &Error) -> Option<u16> {
    error.status().map(u16::from)
}

/// Whether TLS itself failed: rustls tells it as an error of the stream, of kind `InvalidData`.
fn is_about_certificates(error: &Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let io = inner.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::InvalidData) {
            return true;
        }
        cause = inner.source();
    }
    false
}
