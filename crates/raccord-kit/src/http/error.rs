//! What can go wrong with a call, whom it concerns, and how it is told.
//!
//! | what happened | blame |
//! | --- | --- |
//! | name not found, no connection, no secure connection, too slow before anything was sent | transient |
//! | wrong certificate | transient: nothing was sent, and it mends itself the day it is renewed |
//! | the answer was lost, cut, too late or unreadable, and the call may have changed something | unknown |
//! | the same for a call that only reads | transient |
//! | 408, 423, 425, 429, 5xx | transient (a write marked [`once`](super::Request::once): 500, 502 and 504 are unknown) |
//! | 401, 403, 407, 511 | access |
//! | 410 | data, and `gone` |
//! | other 4xx, a write that is told to go elsewhere, an answer too large, a private address from data | data |

use std::error::Error;
use std::fmt;
use std::net::IpAddr;

use http::StatusCode;
use jiff::SignedDuration;
use raccord_model::{Blame, Failure, Words};

/// Why a call did not succeed.
#[derive(Debug)]
pub struct HttpError {
    pub(super) connector: &'static str,
    pub(super) host: String,
    pub(super) fault: Fault,
    pub(super) source: Option<Box<dyn Error + Send + Sync>>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The name leads nowhere.
    Unresolved,
    /// The name leads to an address that addresses from data may not reach.
    Private(IpAddr),
    /// No connection.
    Unreachable,
    /// A connection, but not a secure one.
    Insecure,
    /// A secure connection to somebody who cannot prove to be that host.
    Certificate,
    /// The time was up, or the connection was closed, before anything was sent.
    Unsent,
    /// A call that only reads was not answered in time, or not to the end.
    Unread,
    /// A call that may have changed something was not answered in time, or not to the end.
    Lost,
    /// The answer is longer than this.
    TooLarge(u64),
    /// The answer is compressed although that was not asked for.
    Encoded,
    /// Sent on too often, or to no address.
    Astray,
    /// Sent on from a secure address to one that is not.
    Downgraded,
    /// A call that changes something was told to go elsewhere.
    Moved(StatusCode),
    /// The server said no.
    Status {
        /// How.
        status: StatusCode,
        /// For how long it wants to be left alone.
        retry_after: Option<SignedDuration>,
        /// Whether it may have acted all the same.
        doubtful: bool,
    },
}

impl HttpError {
    /// What happened.
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// Who can do something about it.
    pub fn blame(&self) -> Blame {
        match self.fault {
            Fault::Unresolved
            | Fault::Unreachable
            | Fault::Insecure
            | Fault::Certificate
            | Fault::Unsent
            | Fault::Unread => Blame::Transient,
            Fault::Lost => Blame::Unknown,
            Fault::Private(_)
            | Fault::TooLarge(_)
            | Fault::Encoded
            | Fault::Astray
            | Fault::Downgraded
            | Fault::Moved(_) => Blame::Data,
            Fault::Status {
                status, doubtful, ..
            } => match status.as_u16() {
                500 | 502 | 504 if doubtful => Blame::Unknown,
                401 | 403 | 407 | 511 => Blame::Access,
                408 | 423 | 425 | 429 | 500.. => Blame::Transient,
                400..=499 => Blame::Data,
                // Neither yes nor no (1xx, 3xx where none was asked for).
                _ if doubtful => Blame::Unknown,
                _ => Blame::Data,
            },
        }
    }

    /// The stable code, without the connector's name.
    pub fn code(&self) -> &'static str {
        match self.fault {
            Fault::Unresolved => "unresolved",
            Fault::Private(_) => "private-address",
            Fault::Unreachable => "unreachable",
            Fault::Insecure => "insecure",
            Fault::Certificate => "certificate",
            Fault::Unsent => "unsent",
            Fault::Unread => "unread",
            Fault::Lost => "lost-answer",
            Fault::TooLarge(_) => "too-large",
            Fault::Encoded => "encoded",
            Fault::Astray => "astray",
            Fault::Downgraded => "downgraded",
            Fault::Moved(_) => "moved",
            Fault::Status { status, .. } => match status.as_u16() {
                401 | 407 | 511 => "credentials",
                403 => "forbidden",
                404 => "not-found",
                408 | 423 | 425 | 429 => "busy",
                410 => "gone",
                413 => "too-long",
                500.. => "unwell",
                _ => "rejected",
            },
        }
    }

    /// What happened and the next thing to do, with nothing of the address but its host.
    fn words(&self) -> (Words, Words) {
        let host = &self.host;
        let by_itself = || {
            Words::new(
                format!("Vérifiez que {host} marche\u{202f}; Raccord réessaie de lui-même."),
                format!("Check that {host} works; Raccord tries again by itself."),
            )
        };
        let address = || {
            Words::new(
                "Vérifiez l’adresse dans la configuration.",
                "Check the address in the configuration.",
            )
        };
        let (fr, en, mend): (String, String, Words) = match self.fault {
            Fault::Unresolved => (
                format!("Le nom {host} est introuvable."),
                format!("The name {host} cannot be found."),
                Words::new(
                    "Vérifiez le nom dans la configuration, et que la machine a accès au réseau\u{202f}; Raccord réessaie de lui-même.",
                    "Check the name in the configuration, and that the machine has network access; Raccord tries again by itself.",
                ),
            ),
            Fault::Private(_) => (
                format!("{host} est une adresse privée, et elle ne vient pas de la configuration."),
                format!(
                    "{host} is a private address, and it does not come from the configuration."
                ),
                Words::new(
                    "Si cela est voulu, ajoutez sa plage d’adresses à «\u{a0}web.allow_private\u{a0}».",
                    "If this is meant, add its address range to “web.allow_private”.",
                ),
            ),
            Fault::Unreachable => (
                format!("{host} ne répond pas\u{a0}: aucune connexion."),
                format!("{host} does not answer: no connection."),
                by_itself(),
            ),
            Fault::Insecure => (
                format!("Aucune connexion sûre avec {host}."),
                format!("No secure connection to {host}."),
                Words::new(
                    format!("Vérifiez que {host} parle bien https à ce port."),
                    format!("Check that {host} speaks https on this port."),
                ),
            ),
            Fault::Certificate => (
                format!("{host} n’a pas de certificat valable\u{a0}: rien ne lui a été envoyé."),
                format!("{host} has no valid certificate: nothing was sent to it."),
                Words::new(
                    format!(
                        "Renouvelez le certificat de {host}, ou vérifiez l’adresse\u{202f}; Raccord réessaie de lui-même."
                    ),
                    format!(
                        "Renew the certificate of {host}, or check the address; Raccord tries again by itself."
                    ),
                ),
            ),
            Fault::Unsent => (
                format!("La connexion avec {host} s’est fermée avant l’envoi."),
                format!("The connection to {host} closed before anything was sent."),
                by_itself(),
            ),
            Fault::Unread => (
                format!("{host} n’a pas répondu à temps, ou pas jusqu’au bout."),
                format!("{host} did not answer in time, or not to the end."),
                by_itself(),
            ),
            Fault::Lost => (
                format!(
                    "La réponse de {host} s’est perdue\u{a0}: peut-être a-t-il reçu l’envoi, peut-être pas."
                ),
                format!(
                    "The answer of {host} was lost: it may have received what was sent, or not."
                ),
                by_itself(),
            ),
            Fault::TooLarge(limit) => {
                let limit = crate::settings::Size::bytes(limit);
                (
                    format!("La réponse de {host} dépasse {limit}."),
                    format!("The answer of {host} is longer than {limit}."),
                    address(),
                )
            }
            Fault::Encoded => (
                format!(
                    "La réponse de {host} est compressée d’une façon que Raccord n’a pas demandée."
                ),
                format!("The answer of {host} is compressed in a way Raccord did not ask for."),
                address(),
            ),
            Fault::Astray => (
                format!("{host} renvoie sans fin vers d’autres adresses."),
                format!("{host} sends on to other addresses without end."),
                address(),
            ),
            Fault::Downgraded => (
                format!(
                    "{host} renvoie d’une adresse sûre (https) vers une adresse qui ne l’est pas."
                ),
                format!("{host} sends on from a secure address (https) to one that is not."),
                address(),
            ),
            Fault::Moved(status) => (
                format!(
                    "{host} a déménagé\u{a0}: il renvoie vers une autre adresse ({}).",
                    status.as_u16()
                ),
                format!(
                    "{host} has moved: it sends on to another address ({}).",
                    status.as_u16()
                ),
                Words::new(
                    "Écrivez la nouvelle adresse dans la configuration.",
                    "Write the new address in the configuration.",
                ),
            ),
            Fault::Status { status, .. } => {
                let number = status.as_u16();
                match number {
                    401 | 407 | 511 => (
                        format!("{host} n’accepte pas le mot de passe ou le jeton ({number})."),
                        format!("{host} does not accept the password or token ({number})."),
                        Words::new(
                            "Remplacez le secret\u{202f}; Raccord reprend de lui-même.",
                            "Replace the secret; Raccord resumes by itself.",
                        ),
                    ),
                    403 => (
                        format!("{host} ne donne pas le droit de faire cela (403)."),
                        format!("{host} does not give the right to do this (403)."),
                        Words::new(
                            format!(
                                "Donnez ce droit au compte de Raccord dans {host}, puis tapez\u{a0}: raccord check"
                            ),
                            format!(
                                "Give Raccord’s account this right in {host}, then type: raccord check"
                            ),
                        ),
                    ),
                    404 => (
                        format!("{host} ne connaît pas cette adresse (404)."),
                        format!("{host} does not know this address (404)."),
                        address(),
                    ),
                    410 => (
                        format!("{host} ne veut plus rien recevoir à cette adresse (410)."),
                        format!("{host} wants nothing more at this address (410)."),
                        Words::new(
                            "Demandez à qui s’occupe de cet outil\u{202f}; l’envoi reste éteint jusqu’à ce que vous le rallumiez avec\u{a0}: raccord retry NOM",
                            "Ask whoever keeps this tool; sending stays off until you switch it on again with: raccord retry NAME",
                        ),
                    ),
                    413 => (
                        format!("{host} trouve l’envoi trop long (413)."),
                        format!("{host} finds what was sent too long (413)."),
                        Words::new(
                            format!("Raccourcissez le texte, ou augmentez la limite dans {host}."),
                            format!("Shorten the text, or raise the limit in {host}."),
                        ),
                    ),
                    408 | 423 | 425 | 429 => (
                        format!("{host} est occupé et demande d’attendre ({number})."),
                        format!("{host} is busy and asks to wait ({number})."),
                        Words::new(
                            "Rien à faire\u{a0}: Raccord attend et réessaie de lui-même.",
                            "Nothing to do: Raccord waits and tries again by itself.",
                        ),
                    ),
                    500.. => (
                        format!("{host} ne va pas bien ({number})."),
                        format!("{host} is not well ({number})."),
                        by_itself(),
                    ),
                    _ => (
                        format!("{host} refuse cet envoi ({number})."),
                        format!("{host} refuses this ({number})."),
                        Words::new(
                            format!(
                                "Regardez le journal de {host} pour savoir ce qui ne lui va pas."
                            ),
                            format!("Look at the log of {host} for what it dislikes."),
                        ),
                    ),
                }
            }
        };
        (Words::new(fr, en), mend)
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.code(), self.host)
    }
}

impl Error for HttpError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}

impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Self {
        let (text, mend) = error.words();
        let code = format!("{}.{}", error.connector, error.code());
        let mut failure = Failure::new(error.blame(), code, text, mend);
        if let Fault::Status {
            status,
            retry_after,
            ..
        } = error.fault
        {
            failure.gone = status == StatusCode::GONE;
            failure.retry_after_ms =
                retry_after.and_then(|wait| i64::try_from(wait.as_millis()).ok());
        }
        failure
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{Reader, Sentence, g02_plain_words};

    /// Every way a call can end, with a host and each status that has words of its own.
    fn all() -> Vec<HttpError> {
        let statuses = [401, 403, 404, 410, 413, 422, 429, 503].map(|number| Fault::Status {
            status: StatusCode::from_u16(number).unwrap_or_default(),
            retry_after: None,
            doubtful: false,
        });
        let others = [
            Fault::Unresolved,
            Fault::Private(IpAddr::from([10, 0, 0, 1])),
            Fault::Unreachable,
            Fault::Insecure,
            Fault::Certificate,
            Fault::Unsent,
            Fault::Unread,
            Fault::Lost,
            Fault::TooLarge(64_000_000),
            Fault::Encoded,
            Fault::Astray,
            Fault::Downgraded,
            Fault::Moved(StatusCode::FOUND),
        ];
        let of = |fault| HttpError {
            connector: "spreadsheet",
            host: "nuage.example".to_owned(),
            fault,
            source: None,
        };
        others.into_iter().chain(statuses).map(of).collect()
    }

    #[test]
    fn g02_what_every_tool_can_say_at_an_address_is_plain_in_both_languages() {
        let sentences: Vec<Sentence> = all()
            .iter()
            .flat_map(|error| <[Words; 2]>::from(error.words()))
            .map(|words| Sentence {
                code: String::new(),
                to: Reader::Sysadmin,
                words,
            })
            .collect();
        g02_plain_words(&sentences, &[include_str!("error.rs")]);
    }
}
