//! What a server refuses, told apart, each with what to click. Nextcloud's own answers are told by
//! the words in them, any other server's by the status.

use raccord_kit::http::{Answer, Http};
use raccord_model::{Blame, Failure, Words};

/// How long a server that counts failed logins is left alone: it forgets them after half an hour.
const WALL_MS: i64 = 10 * 60 * 1_000;
/// How long a server under maintenance is left alone.
const MAINTENANCE_MS: i64 = 60 * 1_000;
/// How long one without room is left alone.
const FULL_MS: i64 = 10 * 60 * 1_000;
/// How long a file that somebody holds is left alone.
const LOCKED_MS: i64 = 60 * 1_000;

/// What a connector's settings call things, for the words of its failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The connector's kind, which stands before the codes.
    pub kind: &'static str,
    /// The key of the address.
    pub address: &'static str,
    /// The key of the password's file.
    pub password: &'static str,
}

/// The words for what goes wrong with one server.
#[derive(Clone, Debug)]
pub struct Diagnosis {
    keys: Keys,
    host: String,
}

/// Whether a page says that the server does not answer to the name it was called by.
pub fn is_untrusted(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body).to_ascii_lowercase();
    text.contains("trusted domain")
        || text.contains("trusted_domains")
        || text.contains("untrusted domain")
}

impl Diagnosis {
    /// The words for the server called `host`.
    pub fn new(keys: Keys, host: &str) -> Self {
        Self {
            keys,
            host: host.to_owned(),
        }
    }

    /// What the settings call things.
    pub fn keys(&self) -> Keys {
        self.keys
    }

    /// A failure of this connector.
    pub fn of(&self, blame: Blame, code: &str, text: Words, mend: Words) -> Failure {
        Failure::new(blame, format!("{}.{code}", self.keys.kind), text, mend)
    }

    /// The failure a refusal amounts to.
    pub fn refusal(&self, http: &Http, answer: &Answer) -> Failure {
        let body = String::from_utf8_lossy(&answer.body);
        let usual: Failure = http.refusal(answer, false).into();
        // A server that says how long it wants to be left alone knows best.
        let patient = |mut failure: Failure| {
            failure.retry_after_ms = usual.retry_after_ms.or(failure.retry_after_ms);
            failure
        };
        match answer.status.as_u16() {
            401 if body.contains("PasswordLoginForbidden")
                || body.contains("password login forbidden") =>
            {
                self.app_password()
            }
            401 => self.credentials(),
            400 if is_untrusted(&answer.body) => self.untrusted(),
            423 => patient(self.locked()),
            429 if usual.retry_after_ms.is_none() => self.throttled(),
            503 if body.contains("ServerMaintenanceMode") || body.contains("maintenance") => {
                patient(self.maintenance())
            }
            507 => patient(self.full()),
            _ => usual,
        }
    }

    /// The key a failure is about, for a finding of `check`.
    pub fn key_of(&self, failure: &Failure) -> &'static str {
        let ends = |code: &str| failure.code.ends_with(code);
        if ends(".credentials") || ends(".app-password") {
            self.keys.password
        } else {
            self.keys.address
        }
    }

    /// The account's name or password is wrong. It is not tried again: more than ten wrong logins
    /// lock the whole address out for half an hour.
    pub fn credentials(&self) -> Failure {
        let host = &self.host;
        self.of(
            Blame::Access,
            "credentials",
            Words::new(
                format!(
                    "{host} n’accepte pas le nom ou le mot de passe (401). Raccord n’essaie plus\u{a0}: dix refus bloqueraient toute votre adresse une demi-heure."
                ),
                format!(
                    "{host} does not accept the name or the password (401). Raccord tries no more: ten refusals would lock out your whole address for half an hour."
                ),
            ),
            self.new_app_password(),
        )
    }

    /// The account's own password, where only an application's may log in.
    pub fn app_password(&self) -> Failure {
        let host = &self.host;
        self.of(
            Blame::Access,
            "app-password",
            Words::new(
                format!(
                    "{host} veut un mot de passe d’application\u{a0}: ce compte a la double authentification, ou ne se connecte qu’ainsi."
                ),
                format!(
                    "{host} wants an app password: this account has two-factor login, or logs in that way only."
                ),
            ),
            self.new_app_password(),
        )
    }

    fn new_app_password(&self) -> Words {
        let (host, key) = (&self.host, self.keys.password);
        Words::new(
            format!(
                "Sur {host}, avec le compte de Raccord\u{a0}: Paramètres personnels, Sécurité, «\u{a0}Créer un nouveau mot de passe d’application\u{a0}»\u{202f}; mettez-le dans le fichier de «\u{a0}{key}\u{a0}». Raccord reprend de lui-même."
            ),
            format!(
                "On {host}, with Raccord’s account: Personal settings, Security, “Create new app password”; put it into the file of “{key}”. Raccord resumes by itself."
            ),
        )
    }

    /// The server does not know itself by this name.
    pub fn untrusted(&self) -> Failure {
        let name = self.host.split(':').next().unwrap_or(&self.host);
        let key = self.keys.address;
        self.of(
            Blame::Transient,
            "untrusted-domain",
            Words::new(
                format!("Ce Nextcloud ne se connaît pas sous le nom {name} (400)."),
                format!("This Nextcloud does not know itself by the name {name} (400)."),
            ),
            Words::new(
                format!(
                    "Écrivez dans «\u{a0}{key}\u{a0}» l’adresse que vos membres utilisent, ou demandez à l’administrateur\u{a0}: occ config:system:set trusted_domains 1 --value={name}"
                ),
                format!(
                    "Write in “{key}” the address your members use, or ask the administrator: occ config:system:set trusted_domains 1 --value={name}"
                ),
            ),
        )
    }

    /// Too many refused logins came from this machine's address, ours or not.
    pub fn throttled(&self) -> Failure {
        let host = &self.host;
        let mut failure = self.of(
            Blame::Transient,
            "throttled",
            Words::new(
                format!(
                    "{host} bloque pour un moment toutes les connexions venant de votre adresse (429)\u{a0}: il y a eu trop de mots de passe refusés."
                ),
                format!(
                    "{host} blocks all logins from your address for a while (429): there were too many refused passwords."
                ),
            ),
            Words::new(
                "Attendez une demi-heure, Raccord reprend de lui-même\u{202f}; cherchez quel appareil a gardé un ancien mot de passe. L’administrateur peut lever le blocage\u{a0}: occ security:bruteforce:reset ADRESSE",
                "Wait half an hour, Raccord resumes by itself; look for the device that kept an old password. The administrator can lift the block: occ security:bruteforce:reset ADDRESS",
            ),
        );
        failure.retry_after_ms = Some(WALL_MS);
        failure
    }

    /// The administrator is at work on it.
    pub fn maintenance(&self) -> Failure {
        let host = &self.host;
        let mut failure = self.of(
            Blame::Transient,
            "maintenance",
            Words::new(
                format!("{host} est en maintenance (503)."),
                format!("{host} is under maintenance (503)."),
            ),
            Words::new(
                "Rien à faire, Raccord reprend de lui-même. Si cela dure, l’administrateur peut taper\u{a0}: occ maintenance:mode --off",
                "Nothing to do, Raccord resumes by itself. If it lasts, the administrator can type: occ maintenance:mode --off",
            ),
        );
        failure.retry_after_ms = Some(MAINTENANCE_MS);
        failure
    }

    /// The account may hold no more.
    pub fn full(&self) -> Failure {
        let host = &self.host;
        let mut failure = self.of(
            Blame::Transient,
            "quota",
            Words::new(
                format!("Il n’y a plus de place pour ce compte sur {host} (507)."),
                format!("There is no room left for this account on {host} (507)."),
            ),
            Words::new(
                "Avec ce compte, videz la corbeille de l’application Fichiers, ou demandez à l’administrateur\u{a0}: Comptes, la ligne du compte, «\u{a0}Quota\u{a0}». Raccord reprend de lui-même.",
                "With this account, empty the trash bin of the Files app, or ask the administrator: Accounts, the account’s line, “Quota”. Raccord resumes by itself.",
            ),
        );
        failure.retry_after_ms = Some(FULL_MS);
        failure
    }

    /// Somebody has it open, and holds it.
    pub fn locked(&self) -> Failure {
        let host = &self.host;
        let mut failure = self.of(
            Blame::Transient,
            "locked",
            Words::new(
                format!("Quelqu’un tient ce fichier ouvert sur {host} (423)."),
                format!("Somebody holds this file open on {host} (423)."),
            ),
            Words::new(
                "Rien à faire, Raccord réessaie de lui-même. Si cela dure, dans l’application Fichiers, ouvrez le menu «\u{a0}…\u{a0}» du fichier et choisissez «\u{a0}Déverrouiller\u{a0}».",
                "Nothing to do, Raccord tries again by itself. If it lasts, open the file’s “…” menu in the Files app and choose “Unlock file”.",
            ),
        );
        failure.retry_after_ms = Some(LOCKED_MS);
        failure
    }

    /// No WebDAV at this address.
    pub fn no_dav(&self) -> Failure {
        let (host, key) = (&self.host, self.keys.address);
        self.of(
            Blame::Transient,
            "no-dav",
            Words::new(
                format!("{host} ne donne pas de fichiers à cette adresse."),
                format!("{host} gives no files at this address."),
            ),
            Words::new(
                format!(
                    "Ouvrez l’application Fichiers, «\u{a0}Paramètres de Fichiers\u{a0}» en bas à gauche, copiez l’adresse WebDAV, et mettez-la dans «\u{a0}{key}\u{a0}»."
                ),
                format!(
                    "Open the Files app, “Files settings” at the bottom left, copy the WebDAV address, and put it into “{key}”."
                ),
            ),
        )
    }

    /// What should be at a decoded path is not there for this account.
    pub fn missing(&self, path: &str) -> Failure {
        let (host, key) = (&self.host, self.keys.address);
        self.of(
            Blame::Transient,
            "missing",
            Words::new(
                format!("Ce compte ne trouve pas {path} sur {host} (404)."),
                format!("This account does not find {path} on {host} (404)."),
            ),
            Words::new(
                format!(
                    "Vérifiez le nom dans «\u{a0}{key}\u{a0}», et dans l’application Fichiers que cela est partagé avec le compte de Raccord\u{a0}: «\u{a0}Partager\u{a0}», et son nom."
                ),
                format!(
                    "Check the name in “{key}”, and in the Files app that it is shared with Raccord’s account: “Share”, and its name."
                ),
            ),
        )
    }

    /// What is at a decoded path may only be read.
    pub fn read_only(&self, path: &str) -> Failure {
        let host = &self.host;
        self.of(
            Blame::Access,
            "read-only",
            Words::new(
                format!("Le compte de Raccord ne peut que lire {path} sur {host}."),
                format!("Raccord’s account may only read {path} on {host}."),
            ),
            Words::new(
                "Dans l’application Fichiers, qui possède ce dossier ouvre «\u{a0}Partager\u{a0}» et choisit «\u{a0}Autoriser la modification\u{a0}» pour le compte de Raccord.",
                "In the Files app, whoever owns the folder opens “Share” and chooses “Allow editing” for Raccord’s account.",
            ),
        )
    }

    /// What answered is not what was asked for.
    pub fn odd_answer(&self) -> Failure {
        let (host, key) = (&self.host, self.keys.address);
        self.of(
            Blame::Transient,
            "odd-answer",
            Words::new(
                format!(
                    "{host} a répondu autre chose que ce qui lui était demandé\u{a0}: une page de connexion, peut-être."
                ),
                format!(
                    "{host} answered something else than it was asked for: a login page, perhaps."
                ),
            ),
            Words::new(
                format!(
                    "Vérifiez l’adresse dans «\u{a0}{key}\u{a0}», et qu’aucune page de connexion ne se trouve devant elle\u{202f}; Raccord réessaie de lui-même."
                ),
                format!(
                    "Check the address in “{key}”, and that no login page stands in front of it; Raccord tries again by itself."
                ),
            ),
        )
    }

    /// A fault of ours.
    pub fn bug(&self, what: &str) -> Failure {
        self.of(
            Blame::Bug,
            "bug",
            Words::new(
                format!(
                    "Raccord n’a pas pu travailler avec {}\u{a0}: {what}.",
                    self.host
                ),
                format!("Raccord could not work with {}: {what}.", self.host),
            ),
            Words::new(
                "C’est une erreur de Raccord\u{a0}: signalez-la.",
                "This is a fault of Raccord: report it.",
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use raccord_kit::conformance::{Reader, Sentence, g02_plain_words};

    #[test]
    fn g02_what_a_server_refuses_is_plain_in_both_languages() {
        let keys = Keys {
            kind: "tested",
            address: "url",
            password: "password_file",
        };
        let says = Diagnosis::new(keys, "nuage.example");
        let all = [
            says.credentials(),
            says.app_password(),
            says.untrusted(),
            says.throttled(),
            says.maintenance(),
            says.full(),
            says.locked(),
            says.no_dav(),
            says.missing("/Programmation/"),
            says.read_only("/Programmation/"),
            says.odd_answer(),
            says.bug("MOVE"),
        ];
        let sentences: Vec<Sentence> = all
            .into_iter()
            .flat_map(|failure| {
                [failure.text, failure.mend].map(|words| Sentence {
                    code: String::new(),
                    to: Reader::Sysadmin,
                    words,
                })
            })
            .collect();
        g02_plain_words(&sentences, &[]);
    }
}
