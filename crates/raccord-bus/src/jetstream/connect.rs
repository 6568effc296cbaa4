//! Getting in: addresses, who we are, certificates, and what the servers say to that.

use std::time::Duration;

use async_nats::{ConnectErrorKind, ConnectOptions};

use raccord_model::Words;

use super::error::ClusterError;
use super::link::chain;
use super::settings::{Identity, Settings};

pub(super) async fn connect(settings: &Settings) -> Result<async_nats::Client, ClusterError> {
    let setting = |name, fr: &str, en: &str| ClusterError::Setting {
        name,
        why: Words::new(fr, en),
    };
    if !matches!(settings.replicas, 1 | 3 | 5) {
        return Err(setting("replicas", "1, 3 ou 5", "1, 3 or 5"));
    }
    let servers = settings
        .servers
        .iter()
        .map(|server| {
            let server: async_nats::ServerAddr = server.parse().map_err(|_| {
                setting(
                    "servers",
                    "il faut des adresses comme nats://machine:4222",
                    "addresses such as nats://host:4222 are needed",
                )
            })?;
            if server.has_user_pass() {
                return Err(setting(
                    "servers",
                    "un mot de passe n’a pas sa place dans une adresse",
                    "a password does not belong in an address",
                ));
            }
            Ok(server)
        })
        .collect::<Result<Vec<_>, _>>()?;
    if servers.is_empty() {
        return Err(setting("servers", "la liste est vide", "the list is empty"));
    }
    let mut options = ConnectOptions::new()
        .name("raccord")
        .connection_timeout(settings.patience.min(Duration::from_secs(5)))
        .request_timeout(Some(settings.answer))
        // A server that hangs is left for another after two that were not answered.
        .ping_interval(settings.answer)
        .event_callback(|event| async move {
            tracing::info!(%event, "cluster.connection");
        });
    options = match &settings.identity {
        Identity::Anonymous => options,
        Identity::Token(token) => options.token(token.clone()),
        Identity::User { name, password } => {
            options.user_and_password(name.clone(), password.clone())
        }
        Identity::CredentialsFile(path) => options.credentials_file(path).await.map_err(|_| {
            setting(
                "credentials",
                "le fichier ne peut pas être lu",
                "the file cannot be read",
            )
        })?,
    };
    for authority in &settings.authorities {
        options = options.add_root_certificates(authority.clone());
    }
    if let Some((certificate, key)) = &settings.certificate {
        options = options.add_client_certificate(certificate.clone(), key.clone());
    }
    if !settings.authorities.is_empty() || settings.certificate.is_some() {
        options = options.require_tls(true);
    }
    options.connect(servers).await.map_err(|error| {
        let why = chain(&error);
        match error.kind() {
            ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
                ClusterError::Credentials
            }
            ConnectErrorKind::Tls => ClusterError::Tls { why },
            _ => ClusterError::Unreachable { why },
        }
    })
}

/// Whether a version such as `2.9.10` is at least `major.minor`.
pub(super) fn at_least(version: &str, major: u32, minor: u32) -> bool {
    let mut numbers = version
        .split(['.', '-'])
        .map(|number| number.parse::<u32>().ok());
    let found = (numbers.next().flatten(), numbers.next().flatten());
    matches!(found, (Some(a), Some(b)) if (a, b) >= (major, minor))
}

#[cfg(test)]
mod tests {
    use super::at_least;

    #[test]
    fn versions_are_compared_by_number() {
        assert!(at_least("2.11.0", 2, 11));
        assert!(at_least("2.15.1-beta.2", 2, 11));
        assert!(at_least("3.0.0", 2, 11));
        assert!(!at_least("2.9.10", 2, 11));
        assert!(!at_least("2", 2, 11));
        assert!(!at_least("", 2, 11));
    }
}
