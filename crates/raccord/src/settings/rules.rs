//! From settings to the rules the engine works by, with digests of what rendering and access
//! depend on.

use std::path::Path;

use raccord_model::{ConnectorName, Digest, Rules, SinkRule, SourceRule, canonical};
use serde_json::Value;

use super::{Instance, Settings, schema};
use crate::connectors::{self, Tools};

/// The most bytes of templates that a digest looks at: ten megabytes.
const MOST_TEMPLATE: u64 = 10_000_000;

/// The most files of a template folder that a digest looks at.
const MOST_FILES: usize = 500;

/// The rules of the place. `salt` is drawn once per place and kept with its log: without it the
/// digest of a short secret could be guessed.
pub fn rules(settings: &Settings, tools: &Tools, salt: &[u8]) -> Rules {
    let mut rules = Rules {
        place: settings.place.clone(),
        sources: std::collections::BTreeMap::new(),
        sinks: std::collections::BTreeMap::new(),
        recipes: settings.recipes.clone(),
        routes: settings.routes.clone(),
        guards: settings.guards.clone(),
    };
    for (name, tool) in tools {
        let Some(instance) = settings.connectors.get(name) else {
            continue;
        };
        let manifest = tool.describe();
        if let Some(source) = tool.source() {
            let (every, _) = source.every();
            rules.sources.insert(
                name.clone(),
                SourceRule {
                    kind: instance.kind.clone(),
                    version: instance.connector.version.to_owned(),
                    every_s: i64::try_from(every.as_secs()).unwrap_or(i64::MAX),
                    foreign: source.foreign(),
                    counts: source.counts(),
                },
            );
        }
        if let Some(sink) = tool.sink() {
            let own_schema = instance.connector.settings.schema().to_value();
            let secrets = schema::secrets(&own_schema);
            rules.sinks.insert(
                name.clone(),
                SinkRule {
                    kind: instance.kind.clone(),
                    version: instance.connector.version.to_owned(),
                    handles: manifest.handles,
                    parallel: manifest.parallel,
                    per_second: manifest.per_second,
                    settings: settings_digest(settings, name, instance, &secrets),
                    target: target_digest(&instance.kind, &sink.target()),
                    credentials: credentials_digest(instance, &secrets, &settings.base, salt),
                    around: sink.shows_around(),
                    approvers: sink.approvers().into_iter().collect(),
                },
            );
        }
    }
    rules
}

/// What tells the secrets of each instance from others, in the order of their names.
pub(crate) fn credentials(settings: &Settings, salt: &[u8]) -> Vec<Digest> {
    let of = |instance: &Instance| {
        let own_schema = instance.connector.settings.schema().to_value();
        let secrets = schema::secrets(&own_schema);
        credentials_digest(instance, &secrets, &settings.base, salt)
    };
    settings.connectors.values().map(of).collect()
}

/// The digest of where a sink's objects stand.
fn target_digest(kind: &str, target: &str) -> Digest {
    if target.is_empty() {
        return Digest::default();
    }
    Digest::of(format!("{kind}\0{target}").as_bytes())
}

/// The digest of the settings without secrets, and of the templates they name.
fn settings_digest(
    settings: &Settings,
    name: &ConnectorName,
    instance: &Instance,
    secrets: &[String],
) -> Digest {
    let mut fields: raccord_model::Fields = instance
        .value
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, _)| !secrets.contains(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if let Some(template) = instance.value["template"].as_str() {
        let digest = template_digest(&settings.base.join(template));
        fields.insert(
            "template content".to_owned(),
            Value::String(digest.to_string()),
        );
    }
    let routed = connectors::templates(settings, name);
    if routed.values().any(Option::is_some) {
        let text = serde_json::to_vec(&routed).unwrap_or_default();
        let digest = Digest::of(&text).to_string();
        fields.insert("routes' templates".to_owned(), Value::String(digest));
    }
    Digest::of(&canonical(&fields))
}

/// The digest of a template: a file's bytes, or a folder's files by path.
fn template_digest(path: &Path) -> Digest {
    let mut files = Vec::new();
    gather(path, 0, &mut files);
    files.sort();
    let mut bytes = Vec::new();
    let mut left = MOST_TEMPLATE;
    for file in files {
        bytes.extend_from_slice(file.to_string_lossy().as_bytes());
        bytes.push(0);
        let before = bytes.len();
        read_into(&file, left, &mut bytes);
        left = left.saturating_sub((bytes.len() - before) as u64);
    }
    Digest::of(&bytes)
}

fn gather(path: &Path, depth: u8, files: &mut Vec<std::path::PathBuf>) {
    if files.len() >= MOST_FILES || depth > 8 {
        return;
    }
    match std::fs::read_dir(path) {
        Ok(entries) => {
            for entry in entries.flatten() {
                gather(&entry.path(), depth + 1, files);
            }
        }
        Err(_) => files.push(path.to_owned()),
    }
}

/// The salted digest of the secrets themselves: a replaced secret changes it, nothing else does.
fn credentials_digest(instance: &Instance, secrets: &[String], base: &Path, salt: &[u8]) -> Digest {
    let mut bytes = salt.to_vec();
    for key in secrets {
        let Some(value) = instance.value[key.as_str()].as_str() else {
            continue;
        };
        bytes.push(0);
        bytes.extend_from_slice(key.as_bytes());
        bytes.push(0);
        if key.ends_with("_file") {
            read_into(&base.join(value), raccord_kit::secret::LONGEST, &mut bytes);
        } else {
            bytes.extend_from_slice(value.as_bytes());
        }
    }
    Digest::of(&bytes)
}

/// Appends at most `most` bytes of a file; one that cannot be read counts as empty, and its
/// connector says so itself.
fn read_into(path: &Path, most: u64, bytes: &mut Vec<u8>) {
    use std::io::Read as _;
    if path.metadata().is_ok_and(|metadata| metadata.is_file())
        && let Ok(file) = std::fs::File::open(path)
    {
        let start = bytes.len();
        if file.take(most).read_to_end(bytes).is_err() {
            bytes.truncate(start);
        }
    }
}
