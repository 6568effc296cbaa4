//! The JSON Schema of the whole configuration, ours and every connector's, and walks through it.

use serde_json::{Map, Value, json};

use super::raw::Raw;
use crate::connectors::CONNECTORS;

/// The schema of the keys that are ours; connectors' settings are open in it.
pub(super) fn ours() -> schemars::Schema {
    schemars::schema_for!(Raw)
}

/// The schema of `raccord.toml` with all connectors of this build, for editors.
pub fn whole() -> Value {
    let mut root = ours().to_value();
    let mut rules = Vec::new();
    let mut definitions = Map::new();
    for connector in CONNECTORS {
        let mut schema = connector.settings.schema().to_value();
        take_definitions(connector.kind, &mut schema, &mut definitions);
        schema["properties"]["kind"] = json!({ "const": connector.kind });
        if let Some(object) = schema.as_object_mut() {
            object.remove("$schema");
        }
        let name = format!("connector.{}", connector.kind);
        rules.push(json!({
            "if": { "properties": { "kind": { "const": connector.kind } } },
            "then": { "$ref": format!("#/$defs/{name}") }
        }));
        definitions.insert(name, schema);
    }
    let kinds: Vec<&str> = CONNECTORS.iter().map(|connector| connector.kind).collect();
    let instance = &mut root["$defs"]["Connector"];
    instance["properties"]["kind"] = json!({ "enum": kinds });
    instance["allOf"] = Value::Array(rules);
    if let Some(all) = root["$defs"].as_object_mut() {
        all.append(&mut definitions);
    }
    root["title"] = json!("raccord.toml");
    root["$id"] = json!("https://schemas.raccord.org/config.json");
    root
}

/// Moves a connector's own definitions beside ours, under names that cannot clash.
fn take_definitions(kind: &str, schema: &mut Value, into: &mut Map<String, Value>) {
    rename_references(kind, schema);
    if let Some(Value::Object(own)) = schema.as_object_mut().and_then(|all| all.remove("$defs")) {
        for (name, definition) in own {
            into.insert(format!("{kind}.{name}"), definition);
        }
    }
}

fn rename_references(kind: &str, schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get_mut("$ref")
                && let Some(name) = reference.strip_prefix("#/$defs/")
            {
                *reference = format!("#/$defs/{kind}.{name}");
            }
            map.values_mut()
                .for_each(|value| rename_references(kind, value));
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|value| rename_references(kind, value)),
        _ => {}
    }
}

/// The part of `root` that describes what `rules` refers to.
pub(super) fn resolved<'a>(root: &'a Value, rules: &'a Value) -> &'a Value {
    rules["$ref"]
        .as_str()
        .and_then(|reference| root.pointer(reference.strip_prefix('#')?))
        .unwrap_or(rules)
}

/// What describes the value of `key` in a table (or the item of an array) that `rules` describes.
pub(super) fn child<'a>(root: &'a Value, rules: &'a Value, key: &str) -> &'a Value {
    let rules = resolved(root, rules);
    let inner = match &rules["properties"][key] {
        Value::Null if key.parse::<usize>().is_ok() => &rules["items"],
        Value::Null => &rules["additionalProperties"],
        known => known,
    };
    resolved(root, inner)
}

/// Whether a text may stand where `rules` describes the value.
pub(super) fn takes_text(rules: &Value) -> bool {
    let text = |kind: &Value| kind == "string";
    match &rules["type"] {
        Value::Array(kinds) => kinds.iter().any(text),
        Value::Null => rules["enum"]
            .as_array()
            .is_none_or(|words| words.iter().any(Value::is_string)),
        kind => text(kind),
    }
}

/// The keys of `schema` that hold secrets: `x` and `x_file` for every write-only `x`.
pub(super) fn secrets(schema: &Value) -> Vec<String> {
    let known = schema["properties"].as_object();
    known
        .into_iter()
        .flatten()
        .filter(|(key, rules)| {
            resolved(schema, rules)["writeOnly"] == true
                || key.ends_with("_file") && is_secret_file(schema, key)
        })
        .flat_map(|(key, _)| {
            let plain = key.strip_suffix("_file").unwrap_or(key).to_owned();
            [format!("{plain}_file"), plain]
        })
        .collect()
}

/// Whether `key` is the `x_file` of a secret `x` of the same schema, or of one that can only be
/// given as a file.
fn is_secret_file(schema: &Value, key: &str) -> bool {
    let plain = key.strip_suffix("_file").unwrap_or(key);
    match &schema["properties"][plain] {
        Value::Null => ["password", "token", "secret", "key"]
            .iter()
            .any(|word| plain.ends_with(word)),
        rules => resolved(schema, rules)["writeOnly"] == true,
    }
}
