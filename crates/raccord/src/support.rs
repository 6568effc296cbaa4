//! What a support bundle may tell in public: versions, shapes, counts and codes. Nothing that
//! anybody wrote, neither in the configuration nor in a sheet, and no name: connectors are called
//! by their kind and a number.

use std::collections::BTreeMap;

use raccord_kit::Finding;
use raccord_model::{Blame, ConnectorName, Failure};
use serde_json::{Map, Value, json};

use crate::connectors::CONNECTORS;
use crate::settings::{Instance, Refused, Settings};

/// What this program is, and what it runs on.
pub fn program() -> Value {
    let connectors: Map<String, Value> = CONNECTORS
        .iter()
        .map(|connector| (connector.kind.to_owned(), json!(connector.version)))
        .collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "connectors": connectors,
        "system": std::env::consts::OS,
        "machine": std::env::consts::ARCH,
        "threads": std::thread::available_parallelism().map_or(0, usize::from),
        "checked": cfg!(debug_assertions),
    })
}

/// How connectors are called in a bundle: `spreadsheet-1`; what is no longer configured is
/// `gone-1`.
#[derive(Debug)]
pub struct Aliases(BTreeMap<ConnectorName, String>);

impl Aliases {
    /// For the configured connectors.
    pub fn of(settings: &Settings) -> Self {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let named = settings.connectors.iter().map(|(name, instance)| {
            let kind = instance.connector.kind;
            let count = counts.entry(kind).or_default();
            *count += 1;
            (name.clone(), format!("{kind}-{count}"))
        });
        Self(named.collect())
    }

    /// The alias of one.
    pub fn get(&mut self, name: &ConnectorName) -> String {
        if let Some(known) = self.0.get(name) {
            return known.clone();
        }
        let gone = self.0.values().filter(|one| one.starts_with("gone-"));
        let alias = format!("gone-{}", gone.count() + 1);
        self.0.insert(name.clone(), alias.clone());
        alias
    }
}

/// The configuration that was taken.
pub fn configuration(settings: &Settings) -> Value {
    let mut aliases = Aliases::of(settings);
    let connectors: Map<String, Value> = settings
        .connectors
        .iter()
        .map(|(name, instance)| (aliases.get(name), instance_of(instance)))
        .collect();
    json!({
        "taken": true,
        "language": settings.place.lang,
        "web": {
            "public": !settings.place.public_url.is_empty(),
            "token": settings.web.admin_token.is_some(),
            "allow_private": settings.web.allow_private.len(),
            "trusted_proxies": settings.web.trusted_proxies.len(),
        },
        "connectors": connectors,
        "recipes": settings.recipes.len(),
        "routes": settings.routes.len(),
        "guards": settings.guards,
    })
}

/// The configuration that was refused: which mistakes, and how many of each.
pub fn refused(refused: &Refused) -> Value {
    json!({ "taken": false, "mistakes": codes(&refused.findings) })
}

/// The keys of one connector that its schema knows, each with the shape of its value.
fn instance_of(instance: &Instance) -> Value {
    let schema = instance.connector.settings.schema();
    let known = schema.get("properties").and_then(Value::as_object);
    let keys: Map<String, Value> = instance
        .value
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, _)| known.is_some_and(|known| known.contains_key(*key)))
        .map(|(key, value)| (key.clone(), shape(value)))
        .collect();
    Value::Object(keys)
}

/// What a value looks like, without what it says.
fn shape(value: &Value) -> Value {
    let short = |text: &str| text.len() <= 8 && text.starts_with(|c: char| c.is_ascii_digit());
    match value {
        Value::Bool(_) => value.clone(),
        Value::String(text) if text.starts_with("https://") => json!("https address"),
        Value::String(text) if text.starts_with("http://") => json!("http address"),
        // A span of time or a size: `30s`, `20MB`.
        Value::String(text) if short(text) && UNITS.iter().any(|unit| is_span(text, unit)) => {
            value.clone()
        }
        Value::String(text) => {
            let end = text.rsplit_once('.').map(|(_, end)| end);
            match end.filter(|end| FILES.contains(end)) {
                Some(end) => json!(format!("text ending in .{end}")),
                None => json!("text"),
            }
        }
        Value::Number(_) => json!("number"),
        Value::Array(items) => json!(format!("list of {}", items.len())),
        Value::Object(items) => json!(format!("table of {}", items.len())),
        Value::Null => Value::Null,
    }
}

const UNITS: [&str; 8] = ["ms", "s", "m", "h", "d", "kB", "MB", "GB"];
const FILES: [&str; 7] = ["csv", "ods", "xlsx", "typ", "html", "toml", "txt"];

fn is_span(text: &str, unit: &str) -> bool {
    text.strip_suffix(unit)
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// How often each code was found.
pub fn codes(findings: &[Finding]) -> Value {
    counted(findings.iter().map(|finding| finding.code.as_str()))
}

/// How often each code stands among these.
pub fn counted<'a>(codes: impl Iterator<Item = &'a str>) -> Value {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for one in codes {
        *counts.entry(code(one)).or_default() += 1;
    }
    json!(counts)
}

/// A failure: its code, and who can do something about it.
pub fn failure(failure: &Failure) -> Value {
    json!({ "code": code(&failure.code), "blame": blame(failure.blame) })
}

fn blame(blame: Blame) -> Value {
    serde_json::to_value(blame).unwrap_or_default()
}

/// A code of ours. A log may hold what only looks like one: it is not repeated.
fn code(text: &str) -> String {
    let ours = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-');
    if text.len() <= 60 && text.bytes().all(ours) {
        text.to_owned()
    } else {
        "not a code".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_told_by_its_shape_alone() {
        for (value, told) in [
            (json!("30s"), json!("30s")),
            (json!("20MB"), json!("20MB")),
            (json!("0612345678"), json!("text")),
            (json!("06123456s"), json!("text")),
            (json!("s"), json!("text")),
            (json!("Marie Payet.ods"), json!("text ending in .ods")),
            (json!("marie.payet"), json!("text")),
            (
                json!("https://marie:x@example.org/p.ods"),
                json!("https address"),
            ),
            (json!({ "title": "Marie" }), json!("table of 1")),
            (json!(["Marie"]), json!("list of 1")),
            (json!(262_693), json!("number")),
            (json!(true), json!(true)),
        ] {
            assert_eq!(shape(&value), told, "{value}");
        }
    }

    #[test]
    fn what_only_looks_like_a_code_is_not_repeated() {
        let told = counted(["spreadsheet.missing", "Marie Payet", "a@b.re"].into_iter());
        assert_eq!(told, json!({ "spreadsheet.missing": 1, "not a code": 2 }));
    }
}
