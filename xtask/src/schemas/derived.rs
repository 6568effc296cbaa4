//! The schemas derived from an entity's: one per event type, and one for what others post.
//!
//! An event's data is the whole entity with `revision` and `changed`. What retention or forgetting
//! took away (`removed`) may lack any field but those. Posted data has the same fields, none
//! required: a sender says what it knows.

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::Entity;

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// Where schema ids live. Nothing is ever fetched from there.
pub(super) const BASE: &str = "https://schemas.raccord.org";
/// Fields that stand in events only; on the way in they are ignored, whatever they hold.
const IGNORED: [&str; 3] = ["id", "revision", "changed"];

/// Name and text of each schema derived from `entity`.
pub(super) fn of(entity: &Entity) -> Result<Vec<(String, Value)>> {
    let mut schemas = Vec::new();
    for verb in &entity.verbs {
        let name = format!("{}.{verb}/v1", entity.name);
        let schema = event(entity, verb)?;
        schemas.push((name, schema));
    }
    schemas.push((format!("{}.posted/v1", entity.name), posted(entity)?));
    Ok(schemas)
}

fn event(entity: &Entity, verb: &str) -> Result<Value> {
    let name = &entity.name;
    let mut schema = head(
        &format!("{name}.{verb}"),
        &format!("Data of org.raccord.{name}.{verb}.v1: {}.", meaning(verb)),
    );
    if verb == "removed" {
        schema.insert("type".into(), json!("object"));
        schema.insert("properties".into(), Value::Object(references(entity)?));
        schema.insert("additionalProperties".into(), json!(false));
    } else {
        schema.insert(
            "allOf".into(),
            json!([{ "$ref": format!("{BASE}/{name}/v1.json") }]),
        );
    }
    schema.insert("required".into(), json!(["id", "revision", "changed"]));
    if let Some((field, word)) = settled(entity, verb) {
        schema.insert(
            "required".into(),
            json!(["id", "revision", "changed", field]),
        );
        let properties = schema
            .entry("properties")
            .or_insert_with(|| json!({}))
            .as_object_mut()
            .context("properties are an object")?;
        properties.insert(field.into(), json!({ "const": word }));
    }
    Ok(Value::Object(schema))
}

/// The field that says the same as the verb, where the entity has such a field.
fn settled<'a>(entity: &Entity, verb: &'a str) -> Option<(&'static str, &'a str)> {
    if !matches!(verb, "cancelled" | "attended") {
        return None;
    }
    ["status", "state"].into_iter().find_map(|field| {
        let words = entity.schema["properties"][field]["enum"].as_array()?;
        words
            .iter()
            .any(|word| word == verb)
            .then_some((field, verb))
    })
}

fn posted(entity: &Entity) -> Result<Value> {
    let name = &entity.name;
    let mut schema = head(
        &format!("{name}.posted"),
        &format!(
            "Data of a posted org.raccord.{name} event: what the sender knows. An empty text or null takes \
             a field back; id, revision and changed are ignored; unknown fields belong in extra."
        ),
    );
    let required: Vec<&str> = entity.schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut properties = references(entity)?;
    for (field, reference) in &mut properties {
        if IGNORED.contains(&field.as_str()) {
            *reference = json!(true);
        } else if !required.contains(&field.as_str()) && is_text(entity, field) {
            *reference = json!({ "anyOf": [reference.clone(), { "const": "" }] });
        }
    }
    schema.insert("type".into(), json!("object"));
    schema.insert("properties".into(), Value::Object(properties));
    schema.insert("additionalProperties".into(), json!(false));
    Ok(Value::Object(schema))
}

/// The entity's fields, each as a reference to where it is described.
fn references(entity: &Entity) -> Result<Map<String, Value>> {
    let fields = entity.schema["properties"]
        .as_object()
        .with_context(|| format!("{} has no properties", entity.name))?;
    Ok(fields
        .keys()
        .map(|field| {
            let address = format!("{BASE}/{}/v1.json#/properties/{field}", entity.name);
            (field.clone(), json!({ "$ref": address }))
        })
        .collect())
}

/// Whether a field is text, so that it can be emptied.
fn is_text(entity: &Entity, field: &str) -> bool {
    const TEXTS: [&str; 6] = ["id", "text", "moment", "instant", "zone", "link"];
    let schema = &entity.schema["properties"][field];
    let common = schema["$ref"]
        .as_str()
        .and_then(|address| address.strip_prefix(&format!("{BASE}/common/v1.json#/$defs/")));
    schema["type"] == "string" || common.is_some_and(|name| TEXTS.contains(&name))
}

fn head(name: &str, description: &str) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("$schema".into(), json!(DIALECT));
    schema.insert("$id".into(), json!(format!("{BASE}/{name}/v1.json")));
    schema.insert("title".into(), json!(name));
    schema.insert("description".into(), json!(description));
    schema
}

/// What a verb says, in words.
pub(super) fn meaning(verb: &str) -> &'static str {
    match verb {
        "created" => "it was seen for the first time",
        "updated" => "some of its fields changed",
        "cancelled" => "it will not take place",
        "removed" => "retention or forgetting took it away; what is left of it stands here",
        "granted" => "the credits were given",
        "reversed" => "the credits were taken back",
        "attended" => "the person was there",
        _ => "it changed",
    }
}
