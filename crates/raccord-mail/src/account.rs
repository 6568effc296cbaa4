//! The keys by which settings name an account on a mail server, the same for every connector.

use std::path::PathBuf;

use raccord_kit::Kit;
use raccord_kit::secret::{Inline, SecretSource};
use raccord_kit::settings::Gathered;
use raccord_model::{Blame, Failure, Words};

use crate::{Limits, Login, Mailbox, Post, Server};

/// An account, as its keys say it: `url`, `from`, `user`, `password` or `password_file`, `ca_file`.
#[derive(Debug, Default)]
pub struct Account {
    /// The server.
    pub url: Option<String>,
    /// The address letters come from.
    pub from: Option<String>,
    /// The name to log in with.
    pub user: Option<String>,
    /// The password itself.
    pub password: Option<Inline>,
    /// Or the file that holds it.
    pub password_file: Option<PathBuf>,
    /// The certificate of the server's own authority.
    pub ca_file: Option<PathBuf>,
}

impl Account {
    /// The way to its server, and who writes; nothing where neither is named, and where something is
    /// wrong: that is gathered in `wrong`, by its key.
    pub fn open(self, kit: &Kit, wrong: &mut Gathered) -> Option<(Post, Mailbox)> {
        let file = self.password_file.as_deref();
        let password = SecretSource::new("password", self.password, file, kit);
        let password = wrong.take("password", password).flatten();
        let (url, from) = match (self.url, self.from) {
            (None, None) => return None,
            (None, Some(_)) => return wrong.take("url", Err(together("url", "from"))),
            (Some(_), None) => return wrong.take("from", Err(together("from", "url"))),
            (Some(url), Some(from)) => (url, from),
        };
        let server = wrong.take("url", Server::configured("url", &url));
        let server = match (server, &self.ca_file) {
            (Some(server), Some(file)) => {
                let pem = std::fs::read(kit.path(file)).unwrap_or_default();
                wrong.take("ca_file", server.trusting(&pem))
            }
            (server, _) => server,
        };
        let from: Option<Mailbox> =
            wrong.take("from", from.parse().map_err(|_| no_address("from")));
        let login = match (self.user, password) {
            (Some(user), Some(password)) => Some(Login { user, password }),
            (None, None) => None,
            (Some(_), None) => wrong.take("password_file", Err(together("password_file", "user"))),
            (None, Some(_)) => wrong.take("user", Err(together("user", "password_file"))),
        };
        let (server, from) = server.zip(from)?;
        Some((Post::new(server, login, &from, Limits::default()), from))
    }
}

/// What is told about a key that holds no address.
pub fn no_address(key: &str) -> Failure {
    Failure::new(
        Blame::Data,
        "settings.address",
        Words::new(
            format!("La clé « {key} » contient autre chose qu’une adresse électronique."),
            format!("The key “{key}” holds something that is no e-mail address."),
        ),
        Words::new(
            "Écrivez par exemple \"La Raffinerie <bonjour@example.org>\".",
            "Write for example \"La Raffinerie <hello@example.org>\".",
        ),
    )
}

fn together(missing: &str, given: &str) -> Failure {
    Failure::new(
        Blame::Data,
        "settings.missing",
        Words::new(
            format!("La clé « {missing} » manque : « {given} » ne sert à rien sans elle."),
            format!("The key “{missing}” is missing: “{given}” is of no use without it."),
        ),
        Words::new(
            format!("Ajoutez « {missing} »."),
            format!("Add “{missing}”."),
        ),
    )
}
