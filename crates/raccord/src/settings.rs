//! The settings of a place: `raccord.toml` and the environment over it, checked as a whole.
//!
//! All mistakes are found at once, each with its key, file, line and mend. Nothing is sent and
//! nothing is written here; secrets are read only to tell whether they changed.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipnet::IpNet;
use jiff::tz::TimeZone;
use raccord_kit::{Connector, Finding, secret};
use raccord_model::{ConnectorName, Failure, Guards, Lang, Place, Recipe, Route};
use secrecy::SecretString;
use serde_json::Value;

mod alone;
mod clock;
pub mod cluster;
mod document;
pub mod env;
mod mistakes;
pub mod places;
mod raw;
mod read;
mod rules;
mod schema;
mod trial;
mod when;

#[cfg(test)]
mod tests;

pub use clock::{Time, from_environment as clock};
pub(crate) use rules::credentials;
pub use rules::rules;
pub use schema::whole as schema;

/// What a place is set to.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The configuration file.
    pub file: PathBuf,
    /// Its folder: relative paths start there.
    pub base: PathBuf,
    /// The place.
    pub place: Place,
    /// Its own colour, `#rrggbb`; empty where none is configured.
    pub colour: String,
    /// Its zone.
    pub zone: TimeZone,
    /// The folder of its log, or of what this machine keeps of it.
    pub data: PathBuf,
    /// The cluster of its log, where that is not the folder.
    pub cluster: Option<cluster::Cluster>,
    /// How a cluster would be reached, without its servers.
    reach: cluster::Cluster,
    /// Web pages and the event endpoint.
    pub web: Web,
    /// The configured tools.
    pub connectors: BTreeMap<ConnectorName, Instance>,
    /// Rules that derive tasks.
    pub recipes: Vec<Recipe>,
    /// Which entities go where.
    pub routes: Vec<Route>,
    /// The accident guard.
    pub guards: Guards,
    /// What an hour of volunteering stands for, where the place says.
    pub hour: Option<HourValue>,
    places: document::Places,
}

/// What an hour of volunteering stands for in the accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HourValue {
    /// Hundredths of the currency.
    pub value: i64,
    /// Its sign or name.
    pub currency: String,
}

impl Settings {
    /// Where to listen.
    pub fn listen(&self) -> SocketAddr {
        self.web.listen.unwrap_or(read::LISTEN)
    }

    /// Where its log lies: the servers, or the folder.
    pub fn address(&self) -> String {
        match &self.cluster {
            Some(cluster) => cluster.address(),
            None => self.data.display().to_string(),
        }
    }

    /// The same with its log elsewhere: at servers (`nats://…`), or in a folder.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub fn elsewhere(&self, to: &str) -> Result<Self, Finding> {
        if !to.contains("://") {
            return Ok(Self {
                data: self.base.join(to),
                cluster: None,
                ..self.clone()
            });
        }
        let cluster = self.reach.at(to);
        let cluster = cluster.map_err(|cluster::Wrong(code, text, mend)| {
            crate::report::error(to, code, text, mend)
        })?;
        Ok(Self {
            cluster: Some(cluster),
            ..self.clone()
        })
    }

    /// Where a key stands: `raccord.toml:12:3 (web.listen)`.
    pub fn where_is(&self, path: &[&str]) -> String {
        let path: Vec<String> = path.iter().map(|&part| part.to_owned()).collect();
        self.places.of(&path)
    }

    /// Where what a tool found about itself stands: a key of its settings, or its own table with
    /// what it named.
    pub fn where_in_tool(&self, name: &ConnectorName, found: &str) -> String {
        let first = found.split('.').next().unwrap_or_default();
        let is_key = !found.is_empty()
            && found
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.'));
        let known = self.connectors.get(name).is_some_and(|instance| {
            let schema = instance.connector.settings.schema();
            schema
                .get("properties")
                .is_some_and(|keys| keys.get(first).is_some())
        });
        let table = ["connectors", name.as_str()];
        if is_key && known {
            let keys: Vec<&str> = table.into_iter().chain(found.split('.')).collect();
            return self.where_is(&keys);
        }
        match found {
            "" => self.where_is(&table),
            other => format!("{}, {other}", self.where_is(&table)),
        }
    }
}

/// One configured tool.
#[derive(Clone)]
pub struct Instance {
    /// Its kind.
    pub kind: String,
    /// The connector of that kind.
    pub connector: &'static Connector,
    /// The keys besides `kind`, checked by the connector's schema.
    pub value: Value,
    /// `raccord.toml:12:1 (connectors.public-site)`.
    pub place: String,
    /// The line it starts at; 0 where it comes from the environment.
    pub at: usize,
}

impl std::fmt::Debug for Instance {
    /// Without the settings: a secret may stand in them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instance")
            .field("kind", &self.kind)
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

/// Web pages and the event endpoint.
#[derive(Clone, Debug)]
pub struct Web {
    /// Where to listen, where it says so.
    pub listen: Option<SocketAddr>,
    /// The bearer token of `/v1`, where one is configured.
    pub admin_token: Option<Token>,
    /// Address ranges that addresses from data may reach although they are private.
    pub allow_private: Arc<[String]>,
    /// Whose `X-Forwarded-For` is believed besides this machine's own.
    pub trusted_proxies: Arc<[IpNet]>,
}

impl Web {
    /// Whether the machine at `peer` says whom it speaks for.
    pub fn is_proxy(&self, peer: IpAddr) -> bool {
        let mut named = self.trusted_proxies.iter();
        peer.is_loopback() || named.any(|range| range.contains(&peer))
    }
}

/// Where a token or a password comes from.
#[derive(Clone, Debug)]
pub enum Token {
    /// The configuration, or the environment.
    Inline(SecretString),
    /// A file.
    File(PathBuf),
}

impl Token {
    /// The token as it is now; `key` names it where it cannot be read.
    ///
    /// # Errors
    /// When its file cannot be read or holds no token.
    pub fn read(&self, key: &'static str) -> Result<SecretString, Failure> {
        match self {
            Self::Inline(token) => Ok(token.clone()),
            Self::File(path) => secret::read_file(key, path),
        }
    }
}

/// Settings that could not be taken: every mistake, and the language to tell them in where the
/// file says one.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The mistakes, by file and line.
    pub findings: Vec<Finding>,
    /// The place's language, as far as it could be read.
    pub lang: Option<Lang>,
}

/// Reads the settings at `file`, with `env` over them.
///
/// # Errors
/// Every mistake that was found.
pub fn load(file: &Path, env: &BTreeMap<String, String>) -> Result<Settings, Refused> {
    let document = document::read(file, env).map_err(|findings| Refused {
        findings,
        lang: None,
    })?;
    let lang = document.tree["place"]["language"]
        .as_str()
        .and_then(|text| text.parse().ok());
    read::read(file, &document).map_err(|findings| Refused { findings, lang })
}
