//! How a cluster is reached: servers, who we are, what we trust. Printing it prints no secret.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// What is needed to reach a cluster.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The servers' addresses, such as `nats://nats1.example.org:4222` or `tls://…`.
    pub servers: Vec<String>,
    /// Who we are.
    pub identity: Identity,
    /// The certificate authorities the servers are trusted by, as PEM files; the system's where there
    /// is none.
    pub authorities: Vec<PathBuf>,
    /// Our own certificate and its key, as PEM files.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// On how many servers everything is kept: 1 or 3. Only looked at where a stream is made.
    pub replicas: usize,
    /// How long one answer is waited for.
    pub answer: Duration,
    /// How long a write whose answer did not come is followed up before it is given up.
    pub patience: Duration,
}

/// Who we are to the servers.
#[derive(Clone, Default)]
pub enum Identity {
    /// Nobody in particular.
    #[default]
    Anonymous,
    /// The file made by `nsc` or the operator, with a token and a key.
    CredentialsFile(PathBuf),
    /// A token all share.
    Token(String),
    /// A user and a password.
    User {
        /// The user's name.
        name: String,
        /// The password.
        password: String,
    },
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anonymous => "Anonymous",
            Self::CredentialsFile(_) => "CredentialsFile",
            Self::Token(_) => "Token",
            Self::User { .. } => "User",
        })
    }
}

impl Settings {
    /// One server or more, nobody in particular, one replica.
    pub fn new(servers: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            servers: servers.into_iter().map(Into::into).collect(),
            identity: Identity::Anonymous,
            authorities: Vec::new(),
            certificate: None,
            replicas: 1,
            answer: Duration::from_secs(2),
            patience: Duration::from_secs(15),
        }
    }
}
