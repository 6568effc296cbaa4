//! Conditions: `when = { entity = "activity", kind = "Réunion" }`.

use std::collections::{BTreeMap, BTreeSet};

use raccord_model::{Entity, EntityId, EntityKind, Schemas, Verb, When, Words};
use serde_json::Value;

use super::mistakes::{Mistakes, about, did_you_mean};
use super::raw::{RawWhen, RawWords};

/// The longest pattern.
const LONGEST: usize = 200;

/// Reads a condition; what is wrong with it is noted at `path`.
pub(super) fn read(raw: &RawWhen, path: &[&str], mistakes: &mut Mistakes<'_>) -> When {
    let mut when = When::default();
    for (key, RawWords(words)) in &raw.0 {
        let here: Vec<&str> = path.iter().copied().chain([key.as_str()]).collect();
        if key == "entity" {
            for word in words {
                match word.parse::<EntityKind>() {
                    Ok(kind) => when.entity.push(kind),
                    Err(_) => mistakes.add(
                        &here,
                        "entity-unknown",
                        about(
                            word,
                            "n'est pas une sorte d'entité.",
                            "is no kind of entity.",
                        ),
                        did_you_mean(word, &EntityKind::ALL.map(EntityKind::as_str)),
                    ),
                }
            }
            continue;
        }
        for word in words {
            check_pattern(key, word, &here, mistakes);
        }
        when.fields.insert(key.clone(), words.clone());
    }
    check_fields(&when, path, mistakes);
    when
}

fn check_pattern(field: &str, pattern: &str, path: &[&str], mistakes: &mut Mistakes<'_>) {
    let alternatives = pattern
        .find('{')
        .and_then(|open| {
            pattern[open..]
                .find('}')
                .map(|close| &pattern[open..open + close])
        })
        .is_some_and(|inside| inside.contains(','));
    if pattern.trim().is_empty() || pattern.chars().count() > LONGEST {
        mistakes.add(
            path,
            "pattern-wrong",
            Words::new(
                "Un motif a de 1 à 200 caractères.",
                "A pattern has 1 to 200 characters.",
            ),
            Words::new(
                "Écrivez le mot cherché, ou retirez cette clé pour tout prendre.",
                "Write the word that is looked for, or leave this key out to take everything.",
            ),
        );
    } else if alternatives {
        mistakes.add(
            path,
            "pattern-wrong",
            about(
                pattern,
                "n'est pas un motif : seuls * et ? ont un sens particulier.",
                "is no pattern: only * and ? have a meaning of their own.",
            ),
            Words::new(
                "Écrivez une liste : [\"Réunion\", \"Atelier*\"].",
                "Write a list: [\"Réunion\", \"Atelier*\"].",
            ),
        );
    } else if let Some(words) = closed(field)
        && !words.iter().any(|word| can_be(field, pattern, word))
    {
        mistakes.add(
            path,
            "value-never-fits",
            about(
                pattern,
                "ne correspondra jamais à rien ici.",
                "will never fit anything here.",
            ),
            did_you_mean(pattern, words),
        );
    }
}

/// The words a field can hold, where they are a closed list.
fn closed(field: &str) -> Option<&'static [&'static str]> {
    match field {
        "visibility" => Some(&["public", "internal"]),
        "status" => Some(&["confirmed", "tentative", "full", "cancelled", "draft"]),
        _ => None,
    }
}

fn can_be(field: &str, pattern: &str, word: &str) -> bool {
    let when = When {
        entity: Vec::new(),
        fields: [(field.to_owned(), vec![pattern.to_owned()])].into(),
    };
    when.fits(&Entity {
        id: EntityId::derive(&[]),
        kind: EntityKind::Activity,
        revision: 1,
        source: String::new(),
        fields: [(field.to_owned(), Value::from(word))].into(),
    })
}

/// A field that none of the entities has is a slip of the pen.
fn check_fields(when: &When, path: &[&str], mistakes: &mut Mistakes<'_>) {
    let kinds: Vec<EntityKind> = if when.entity.is_empty() {
        EntityKind::ALL.into()
    } else {
        when.entity.clone()
    };
    let mut known = BTreeSet::new();
    for kind in kinds {
        let Some(fields) = fields_of(kind) else {
            // A schema that cannot be looked into refuses nothing.
            return;
        };
        known.extend(fields.into_keys());
    }
    known.insert("entity".to_owned());
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    for field in when.fields.keys() {
        let own = field
            .strip_prefix("extra.")
            .is_some_and(|name| !name.is_empty());
        let name = if own { "extra" } else { field.as_str() };
        if !known.contains(&name) {
            let here: Vec<&str> = path.iter().copied().chain([field.as_str()]).collect();
            mistakes.add(
                &here,
                "field-unknown",
                about(
                    field,
                    "n'est pas un champ de ces entités.",
                    "is no field of these entities.",
                ),
                did_you_mean(field, &known),
            );
        }
    }
}

/// The fields of an entity, from the shared schemas.
fn fields_of(kind: EntityKind) -> Option<BTreeMap<String, Value>> {
    let text = Schemas::text(&format!("{kind}/v1"))
        .or_else(|| Schemas::text(&format!("{kind}.{}/v1", Verb::Created)))?;
    let schema: Value = serde_json::from_str(text).ok()?;
    Some(
        schema
            .get("properties")?
            .as_object()?
            .iter()
            .map(|(key, rules)| (key.clone(), rules.clone()))
            .collect(),
    )
}
