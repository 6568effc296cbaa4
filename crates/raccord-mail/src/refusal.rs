//! Why a letter was not sent, or nobody knows.

use raccord_model::{Blame, Failure, NO_SUCH_ADDRESS, Words};

/// Why a letter was not sent, by the step at which it came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no connection, or it was cut before the letter was handed over.
    #[error("the mail server cannot be reached")]
    Unreachable,
    /// The server asked to come back later.
    #[error("the mail server said {0}")]
    Later(u16),
    /// No TLS where there must be, or a certificate that is not the server's.
    #[error("the way to the mail server is not protected")]
    Insecure,
    /// A password would go in clear to another machine.
    #[error("a password is not shown in clear")]
    InClear,
    /// The server knows no way to log in that we do.
    #[error("the mail server offers no login")]
    NoLogin,
    /// User or password are refused, or needed.
    #[error("the mail server refuses the login: {0}")]
    Login(u16),
    /// We may not write from this address, or at all.
    #[error("the mail server refuses the sender: {0}")]
    Sender(u16),
    /// This one address is refused.
    #[error("the mail server refuses the recipient: {0}")]
    Recipient(u16),
    /// The letter itself is refused.
    #[error("the mail server refuses the letter: {0}")]
    Content(u16),
    /// The address has letters that this server does not take.
    #[error("the mail server takes no such address")]
    Foreign,
    /// The letter was handed over, and no answer came.
    #[error("the mail server's answer was lost")]
    Lost,
}

impl Refusal {
    /// Who can do something about it.
    pub const fn blame(self) -> Blame {
        match self {
            Self::Unreachable | Self::Later(_) => Blame::Transient,
            Self::Insecure | Self::InClear | Self::NoLogin | Self::Login(_) | Self::Sender(_) => {
                Blame::Access
            }
            Self::Recipient(_) | Self::Content(_) | Self::Foreign => Blame::Data,
            Self::Lost => Blame::Unknown,
        }
    }

    /// The same as people read it; `server` is its name for them.
    pub fn failure(self, server: &str) -> Failure {
        let (code, text, mend) = self.words(server);
        Failure::new(self.blame(), code, text, mend)
    }

    fn words(self, server: &str) -> (&'static str, Words, Words) {
        let wait = Words::new(
            "Rien à faire : Raccord réessaie. Si cela dure, regardez ce serveur.",
            "Nothing to do: Raccord tries again. If it lasts, look at that server.",
        );
        match self {
            Self::Unreachable => (
                "mail.unreachable",
                Words::new(
                    format!("Le serveur de courrier {server} ne répond pas."),
                    format!("The mail server {server} does not answer."),
                ),
                wait,
            ),
            Self::Later(code) => (
                "mail.later",
                Words::new(
                    format!("Le serveur de courrier {server} demande d’attendre ({code})."),
                    format!("The mail server {server} asks to wait ({code})."),
                ),
                wait,
            ),
            Self::Insecure => (
                "mail.insecure",
                Words::new(
                    format!(
                        "Le chemin vers {server} n’est pas protégé : pas de TLS, ou un certificat qui n’est pas le sien."
                    ),
                    format!(
                        "The way to {server} is not protected: no TLS, or a certificate that is not its own."
                    ),
                ),
                Words::new(
                    "Vérifiez le nom du serveur dans « url » ; s’il a sa propre autorité, donnez-la dans « ca_file ».",
                    "Check the server's name in “url”; if it has an authority of its own, give that in “ca_file”.",
                ),
            ),
            Self::InClear => (
                "mail.password-in-clear",
                Words::new(
                    format!(
                        "Le mot de passe irait en clair jusqu’à {server} : il n’est pas envoyé."
                    ),
                    format!("The password would go to {server} in clear: it is not sent."),
                ),
                Words::new(
                    "Retirez « ?tls=none », ou « user » et « password_file ».",
                    "Take “?tls=none” away, or “user” and “password_file”.",
                ),
            ),
            Self::NoLogin => (
                "mail.no-login",
                Words::new(
                    format!("{server} n’offre pas d’entrer par un nom et un mot de passe."),
                    format!("{server} offers no login by a name and a password."),
                ),
                Words::new(
                    "Écrivez le port qui prend les lettres de ses comptes (587 ou 465), et « ?tls=starttls » si le serveur est sur cette machine ; ou retirez « user » et « password_file ».",
                    "Write the port that takes the letters of its accounts (587 or 465), and “?tls=starttls” if the server is on this machine; or take “user” and “password_file” away.",
                ),
            ),
            Self::Login(code) => (
                "mail.login",
                Words::new(
                    format!("{server} refuse le nom ou le mot de passe ({code})."),
                    format!("{server} refuses the name or the password ({code})."),
                ),
                Words::new(
                    "Corrigez « user » et le fichier de « password_file ».",
                    "Correct “user” and the file of “password_file”.",
                ),
            ),
            Self::Sender(code) => (
                "mail.sender",
                Words::new(
                    format!("{server} ne laisse pas écrire depuis l’adresse de « from » ({code})."),
                    format!("{server} does not let us write from the address of “from” ({code})."),
                ),
                Words::new(
                    "Écrivez dans « from » une adresse de ce compte, ou demandez ce droit à qui tient le serveur.",
                    "Write an address of this account into “from”, or ask whoever runs the server for that right.",
                ),
            ),
            Self::Recipient(code) => (
                NO_SUCH_ADDRESS,
                Words::new(
                    format!("{server} ne connaît pas cette adresse, ou n’en veut pas ({code})."),
                    format!("{server} does not know this address, or does not take it ({code})."),
                ),
                Words::new(
                    "Demandez son adresse à la personne, puis abandonnez cet envoi.",
                    "Ask the person for their address, then drop this delivery.",
                ),
            ),
            Self::Content(code) => (
                "mail.content",
                Words::new(
                    format!("{server} refuse cette lettre ({code})."),
                    format!("{server} refuses this letter ({code})."),
                ),
                Words::new(
                    "Demandez à qui tient le serveur ce qu’il lui reproche, puis réessayez.",
                    "Ask whoever runs the server what is wrong with it, then try again.",
                ),
            ),
            Self::Foreign => (
                "mail.foreign",
                Words::new(
                    format!("{server} ne prend pas d’adresse avec ces lettres."),
                    format!("{server} takes no address with these letters."),
                ),
                Words::new(
                    "Demandez à la personne une autre adresse.",
                    "Ask the person for another address.",
                ),
            ),
            Self::Lost => (
                "mail.lost",
                Words::new(
                    format!(
                        "{server} a reçu la lettre et n’a pas répondu : elle est partie, ou non."
                    ),
                    format!(
                        "{server} was handed the letter and did not answer: it was sent, or not."
                    ),
                ),
                Words::new(
                    "Demandez à la personne, ou regardez le journal du serveur, puis dites si c’est fait.",
                    "Ask the person, or look at the server's log, then say whether it is done.",
                ),
            ),
        }
    }
}
