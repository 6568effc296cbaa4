//! The cluster that keeps a place's log, where that is not a folder: its servers, who we are to
//! them, whom we trust.

use std::path::{Path, PathBuf};

use raccord_bus::jetstream::{self, Identity};
use raccord_model::{Failure, Words};
use secrecy::ExposeSecret as _;

use super::mistakes::{Mistakes, about};
use super::{Token, raw};

/// How a cluster is reached. Printing it prints no secret.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// The servers' addresses, as they were written.
    pub servers: Vec<String>,
    /// Who we are.
    pub user: User,
    /// The certificate authorities the servers are trusted by; the system's where there is none.
    pub authorities: Vec<PathBuf>,
    /// Our own certificate and its key.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// On how many servers everything is kept.
    pub replicas: usize,
    /// What this node is called.
    pub node: Option<String>,
}

/// Who we are to the servers.
#[derive(Clone, Debug)]
pub enum User {
    /// Nobody in particular.
    Anonymous,
    /// The file that the servers' operator gave.
    Credentials(PathBuf),
    /// A name and a password.
    Named(String, Token),
}

impl Cluster {
    /// What connecting needs, secrets read.
    ///
    /// # Errors
    /// When the password's file cannot be read.
    pub fn connection(&self) -> Result<jetstream::Settings, Failure> {
        let identity = match &self.user {
            User::Anonymous => Identity::Anonymous,
            User::Credentials(file) => Identity::CredentialsFile(file.clone()),
            User::Named(name, password) => Identity::User {
                name: name.clone(),
                password: password
                    .read("cluster.password")?
                    .expose_secret()
                    .to_owned(),
            },
        };
        Ok(jetstream::Settings {
            identity,
            authorities: self.authorities.clone(),
            certificate: self.certificate.clone(),
            replicas: self.replicas,
            ..jetstream::Settings::new(&self.servers)
        })
    }

    /// Its servers, as people read them.
    pub fn address(&self) -> String {
        self.servers.join(",")
    }
}

impl Cluster {
    /// The same with these servers, in one text.
    ///
    /// # Errors
    /// What is wrong with an address, and the mend.
    pub fn at(&self, servers: &str) -> Result<Self, Wrong> {
        let servers: Vec<String> = servers
            .split(',')
            .map(|one| one.trim().to_owned())
            .collect();
        match servers.iter().find_map(|server| wrong(server)) {
            Some(wrong) => Err(wrong),
            None => Ok(Self {
                servers,
                ..self.clone()
            }),
        }
    }
}

/// What is wrong with an address: a code, what it is, and the mend.
#[derive(Clone, Debug)]
pub struct Wrong(pub &'static str, pub Words, pub Words);

/// Reads the section beside `bus`; without servers.
pub(super) fn read(raw: Option<raw::Cluster>, base: &Path, mistakes: &mut Mistakes<'_>) -> Cluster {
    let raw = raw.unwrap_or_default();
    let path = |path: PathBuf| base.join(path);
    let certificate = match (raw.certificate, raw.key) {
        (Some(certificate), Some(key)) => Some((path(certificate), path(key))),
        (None, None) => None,
        (given, _) => {
            let (there, missing) = match given {
                Some(_) => ("certificate", "key"),
                None => ("key", "certificate"),
            };
            incomplete(there, missing, mistakes);
            None
        }
    };
    let password = match (raw.password, raw.password_file) {
        (Some(_), Some(_)) => {
            mistakes.twice(&["cluster", "password"], "password", "password_file");
            None
        }
        (Some(password), None) => Some(Token::Inline(password.into())),
        (None, file) => file.map(|file| Token::File(path(file))),
    };
    let user = match (raw.credentials, raw.user, password) {
        (Some(_), Some(_), _) => {
            mistakes.twice(&["cluster", "user"], "user", "credentials");
            User::Anonymous
        }
        (Some(file), None, _) => User::Credentials(path(file)),
        (None, Some(name), Some(password)) => User::Named(name, password),
        (None, Some(_), None) => {
            incomplete("user", "password_file", mistakes);
            User::Anonymous
        }
        (None, None, Some(_)) => {
            incomplete("password", "user", mistakes);
            User::Anonymous
        }
        (None, None, None) => User::Anonymous,
    };
    Cluster {
        servers: Vec::new(),
        user,
        authorities: raw.authorities.into_iter().map(path).collect(),
        certificate,
        replicas: raw.replicas.map_or(1, |replicas| usize::from(replicas.0)),
        node: raw.node,
    }
}

/// What is wrong with the address of a server. It holds no secret: addresses are shown.
fn wrong(server: &str) -> Option<Wrong> {
    let read = url::Url::parse(server).ok();
    let good = read
        .as_ref()
        .is_some_and(|url| matches!(url.scheme(), "nats" | "tls" | "ws" | "wss") && url.has_host());
    if !good {
        return Some(Wrong(
            "bus-wrong",
            about(
                server,
                "n'est pas l'adresse d'un serveur NATS.",
                "is no address of a NATS server.",
            ),
            Words::new(
                "Écrivez par exemple \"nats://127.0.0.1:4222\" ; plusieurs, séparées par des virgules.",
                "Write for example \"nats://127.0.0.1:4222\"; several, with commas between them.",
            ),
        ));
    }
    let secret = read.is_some_and(|url| !url.username().is_empty() || url.password().is_some());
    secret.then(|| {
        Wrong(
            "bus-with-secret",
            Words::new(
                "L'adresse du serveur NATS contient un nom ou un mot de passe, et les adresses se montrent.",
                "The address of the NATS server holds a name or a password, and addresses are shown.",
            ),
            Words::new(
                "Écrivez-les dans [cluster] : user et password_file, ou credentials.",
                "Write them in [cluster]: user and password_file, or credentials.",
            ),
        )
    })
}

fn incomplete(there: &str, missing: &str, mistakes: &mut Mistakes<'_>) {
    mistakes.add(
        &["cluster", there],
        "cluster-incomplete",
        Words::new(
            format!("« {there} » est donné sans « {missing} »."),
            format!("“{there}” is given without “{missing}”."),
        ),
        Words::new(
            format!("Ajoutez « {missing} » dans [cluster]."),
            format!("Add “{missing}” to [cluster]."),
        ),
    );
}
