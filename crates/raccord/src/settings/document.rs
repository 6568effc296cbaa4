//! The file and the environment, laid over each other by the `config` crate, with the place of
//! every key. It knows nothing of what the keys mean.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use config::{Config, File, FileFormat, Map, Source, Value as Layered};
use raccord_kit::Finding;
use raccord_model::Words;
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::schema;
use crate::connectors;
use crate::locale::shown;
use crate::report::{error, file_finding};

/// The longest configuration that is read: one megabyte.
const LONGEST: u64 = 1 << 20;

/// The prefix of overriding variables.
const PREFIX: &str = "RACCORD__";

/// The configuration as a tree, and where each key stands.
#[derive(Clone, Debug)]
pub(super) struct Document {
    /// The layered tree.
    pub(super) tree: Value,
    /// Where its keys stand.
    pub(super) places: Places,
}

/// Where keys stand: in the file, or in the environment.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    file: String,
    lines: BTreeMap<Vec<String>, (usize, usize)>,
    variables: BTreeMap<Vec<String>, String>,
}

impl Places {
    /// `raccord.toml:12:3 (web.listen)`, for the key itself or the nearest table above it.
    pub(super) fn of(&self, path: &[String]) -> String {
        let key = path.join(".");
        if let Some((variable, _)) = self
            .variables
            .iter()
            .map(|(known, variable)| (variable, known))
            .find(|(_, known)| path.starts_with(known))
        {
            return format!("{variable} ({key})");
        }
        match self.line(path) {
            Some((line, column)) if key.is_empty() => format!("{}:{line}:{column}", self.file),
            Some((line, column)) => format!("{}:{line}:{column} ({key})", self.file),
            None if key.is_empty() => self.file.clone(),
            None => format!("{} ({key})", self.file),
        }
    }

    /// The line and column of a key, or of the nearest table above it.
    pub(super) fn line(&self, path: &[String]) -> Option<(usize, usize)> {
        (1..=path.len())
            .rev()
            .find_map(|length| self.lines.get(&path[..length]))
            .copied()
    }
}

/// Reads the file at `path` and lays the environment over it.
///
/// # Errors
/// Every fault of the file's writing (TOML), or why it cannot be read.
pub(super) fn read(path: &Path, env: &BTreeMap<String, String>) -> Result<Document, Vec<Finding>> {
    let text = text_of(path).map_err(|finding| vec![finding])?;
    parse(&path.display().to_string(), &text, env)
}

fn text_of(path: &Path) -> Result<String, Finding> {
    use std::io::Read as _;
    let unreadable = |cause: std::io::Error| {
        if cause.kind() == std::io::ErrorKind::NotFound {
            return error(
                path.display().to_string(),
                "configuration-missing",
                Words::new(
                    format!("Il n'y a pas de configuration ici : {}.", path.display()),
                    format!("There is no configuration here: {}.", path.display()),
                ),
                Words::new(
                    "Allez dans le dossier qui la contient, nommez-la avec --config, ou créez-la avec `raccord init`.",
                    "Go to the folder that holds it, name it with --config, or make one with `raccord init`.",
                ),
            );
        }
        file_finding(path, &cause)
    };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    let unusable = |fr: &str, en: &str| {
        error(
            path.display().to_string(),
            "configuration-unusable",
            Words::new(fr, en),
            Words::new(
                "Vérifiez que c'est bien le fichier raccord.toml.",
                "Check that it is the raccord.toml file.",
            ),
        )
    };
    if bytes.len() as u64 > LONGEST {
        return Err(unusable(
            "Ce fichier dépasse un mégaoctet.",
            "This file is over one megabyte.",
        ));
    }
    String::from_utf8(bytes).map_err(|_| {
        unusable(
            "Ce fichier n'est pas du texte UTF-8.",
            "This file is not UTF-8 text.",
        )
    })
}

/// Reads `text`, called `file` in what is told about it.
///
/// # Errors
/// Every fault of its writing.
pub(super) fn parse(
    file: &str,
    text: &str,
    env: &BTreeMap<String, String>,
) -> Result<Document, Vec<Finding>> {
    let (root, faults) = DeTable::parse_recoverable(text);
    if !faults.is_empty() {
        return Err(faults
            .iter()
            .take(50)
            .map(|fault| syntax_finding(file, text, fault))
            .collect());
    }
    let mut places = Places {
        file: file.to_owned(),
        ..Places::default()
    };
    note_table(root.get_ref(), text, &mut Vec::new(), &mut places.lines);
    let plain =
        layered(text, Overrides(Map::new())).map_err(|cause| vec![cause_of(file, &cause)])?;
    let mut overrides = Map::new();
    let ours = schema::ours().to_value();
    for (variable, value) in env {
        let Some(name) = variable.strip_prefix(PREFIX) else {
            continue;
        };
        let (path, value) = place_override(&ours, &plain, env, name, value);
        overrides.insert(expression(&plain, &path), Layered::new(None, value));
        places.variables.insert(path, variable.clone());
    }
    let tree = layered(text, Overrides(overrides)).map_err(|cause| vec![cause_of(file, &cause)])?;
    Ok(Document { tree, places })
}

fn layered(text: &str, overrides: Overrides) -> Result<Value, config::ConfigError> {
    Config::builder()
        .add_source(File::from_str(text, FileFormat::Toml))
        .add_source(overrides)
        .build()?
        .try_deserialize()
}

/// What the environment sets, by the path of the `config` crate.
#[derive(Clone, Debug)]
struct Overrides(Map<String, Layered>);

impl Source for Overrides {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }
    fn collect(&self) -> Result<Map<String, Layered>, config::ConfigError> {
        Ok(self.0.clone())
    }
}

/// Which key `RACCORD__<name>` sets, and to what: text where the key takes text, else the value
/// as TOML writes it.
fn place_override(
    ours: &Value,
    plain: &Value,
    env: &BTreeMap<String, String>,
    name: &str,
    value: &str,
) -> (Vec<String>, config::ValueKind) {
    let mut path: Vec<String> = Vec::new();
    let mut here = plain;
    let mut root = ours.clone();
    let mut rules = root.clone();
    for segment in name.to_lowercase().split("__") {
        let key = known_key(segment, here, &rules, path.first().map(String::as_str));
        here = match here {
            Value::Array(items) => key
                .parse::<usize>()
                .ok()
                .and_then(|index| items.get(index))
                .unwrap_or(&Value::Null),
            table => &table[key.as_str()],
        };
        path.push(key.clone());
        rules = schema::child(&root, &rules, &key).clone();
        if let [section, instance] = path.as_slice()
            && section == "connectors"
        {
            let variable = format!(
                "{PREFIX}CONNECTORS__{}__KIND",
                instance.to_uppercase().replace('-', "_")
            );
            let kind = env
                .get(&variable)
                .map(String::as_str)
                .or_else(|| here["kind"].as_str());
            if let Some(connector) = kind.and_then(connectors::of_kind) {
                root = connector.settings.schema().to_value();
                root["properties"]["kind"] = serde_json::json!({ "type": "string" });
                rules = root.clone();
            }
        }
    }
    let text = || config::ValueKind::String(value.to_owned());
    let value = if rules.is_null() || schema::takes_text(&rules) {
        text()
    } else {
        let wrapped = format!("value = {value}");
        layered(&wrapped, Overrides(Map::new()))
            .ok()
            .and_then(|tree| {
                let [(_, value)]: [_; 1] =
                    <[_; 1]>::try_from(tree.as_object()?.iter().collect::<Vec<_>>()).ok()?;
                Some(kind_of(value))
            })
            .unwrap_or_else(text)
    };
    (path, value)
}

/// The key a segment means: as it stands where such a key is there or known, else the one that
/// differs by `-` for `_`.
fn known_key(segment: &str, here: &Value, rules: &Value, section: Option<&str>) -> String {
    let mut known: Vec<&str> = here
        .as_object()
        .map(|table| table.keys().map(String::as_str).collect())
        .unwrap_or_default();
    if let Some(properties) = rules["properties"].as_object() {
        known.extend(properties.keys().map(String::as_str));
    }
    if known.contains(&segment) {
        return segment.to_owned();
    }
    let alike = |key: &&&str| key.replace('-', "_") == segment;
    match known.iter().find(alike) {
        Some(key) => (*key).to_owned(),
        // A connector's name has no `_`.
        None if section == Some("connectors") && rules["properties"].is_null() => {
            segment.replace('_', "-")
        }
        None => segment.to_owned(),
    }
}

/// The path as the `config` crate writes it: `routes[0].to`.
fn expression(plain: &Value, path: &[String]) -> String {
    let mut out = String::new();
    let mut here = plain;
    for segment in path {
        if let (Value::Array(items), Ok(index)) = (here, segment.parse::<usize>()) {
            write!(out, "[{index}]").expect("a String takes every text");
            here = items.get(index).unwrap_or(&Value::Null);
        } else {
            if !out.is_empty() {
                out.push('.');
            }
            out.push_str(segment);
            here = &here[segment.as_str()];
        }
    }
    out
}

fn kind_of(value: &Value) -> config::ValueKind {
    use config::ValueKind as Kind;
    match value {
        Value::Null => Kind::Nil,
        Value::Bool(truth) => Kind::Boolean(*truth),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Kind::I64(whole),
            (None, Some(float)) => Kind::Float(float),
            (None, None) => Kind::Nil,
        },
        Value::String(text) => Kind::String(text.clone()),
        Value::Array(items) => Kind::Array(
            items
                .iter()
                .map(|item| Layered::new(None, kind_of(item)))
                .collect(),
        ),
        Value::Object(table) => Kind::Table(
            table
                .iter()
                .map(|(key, item)| (key.clone(), Layered::new(None, kind_of(item))))
                .collect(),
        ),
    }
}

fn note_table(
    table: &DeTable<'_>,
    text: &str,
    path: &mut Vec<String>,
    lines: &mut BTreeMap<Vec<String>, (usize, usize)>,
) {
    for (key, value) in table {
        path.push(key.get_ref().to_string());
        lines.insert(path.clone(), line_of(text, key.span().start));
        note_value(value, text, path, lines);
        path.pop();
    }
}

fn note_value(
    value: &Spanned<DeValue<'_>>,
    text: &str,
    path: &mut Vec<String>,
    lines: &mut BTreeMap<Vec<String>, (usize, usize)>,
) {
    match value.get_ref() {
        DeValue::Table(table) => note_table(table, text, path, lines),
        DeValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(index.to_string());
                lines.insert(path.clone(), line_of(text, item.span().start));
                note_value(item, text, path, lines);
                path.pop();
            }
        }
        _ => {}
    }
}

/// The line and column, from 1, of the byte at `offset`.
fn line_of(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (
        before.matches('\n').count() + 1,
        before[start..].chars().count() + 1,
    )
}

fn syntax_finding(file: &str, text: &str, fault: &toml::de::Error) -> Finding {
    let (line, column) = line_of(text, fault.span().map_or(0, |span| span.start));
    let place = format!("{file}:{line}:{column}");
    if fault.message().starts_with("duplicate key") {
        let name = fault
            .span()
            .and_then(|span| text.get(span))
            .map(shown)
            .unwrap_or_default();
        return error(
            place,
            "configuration-duplicate",
            Words::new(
                format!("« {name} » est écrit deux fois."),
                format!("“{name}” is written twice."),
            ),
            Words::new(
                "Gardez-en un seul, ou donnez un autre nom au second.",
                "Keep one of them, or give the second another name.",
            ),
        );
    }
    let detail = shown(fault.message());
    error(
        place,
        "configuration-unreadable",
        Words::new(
            format!("Cette ligne ne peut pas être lue comme du TOML ({detail})."),
            format!("This line cannot be read as TOML ({detail})."),
        ),
        Words::new(
            "Vérifiez les guillemets, les crochets et le signe = de cette ligne et de la précédente.",
            "Check the quotes, brackets and the = sign of this line and the one before.",
        ),
    )
}

fn cause_of(file: &str, cause: &config::ConfigError) -> Finding {
    let detail = shown(&cause.to_string());
    error(
        file,
        "configuration-unreadable",
        Words::new(
            format!("Cette configuration ne peut pas être lue ({detail})."),
            format!("This configuration cannot be read ({detail})."),
        ),
        Words::new("Vérifiez ce fichier.", "Check this file."),
    )
}
