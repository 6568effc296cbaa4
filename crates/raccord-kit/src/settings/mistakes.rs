//! Mistakes in settings, told by their schema.

use raccord_model::Words;
use schemars::Schema;
use serde_json::Value;

use super::resolved;
use crate::{Finding, Level};

/// One mistake in settings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// The key, with those above it: `columns.title`. Empty for the whole.
    pub key: String,
    /// What kind of mistake: `key-unknown`, `key-missing` or `value-wrong`.
    pub code: &'static str,
    /// What is wrong.
    pub text: Words,
    /// What was expected.
    pub mend: Words,
    /// For an unknown key: the known one that looks most like it.
    pub nearest: Option<String>,
}

impl From<Mistake> for Finding {
    fn from(mistake: Mistake) -> Self {
        Self {
            place: mistake.key,
            code: mistake.code.to_owned(),
            level: Level::Error,
            text: mistake.text,
            mend: mistake.mend,
        }
    }
}

/// `value` without its `mistakes`, for a look at the rest: a key that is nearly right stands under
/// its right name, what must be there but is wrong or missing is the schema's example.
#[must_use]
pub fn without(schema: &Schema, value: &Value, mistakes: &[Mistake]) -> Value {
    let mut value = value.clone();
    let Some(table) = value.as_object_mut() else {
        return value;
    };
    for mistake in mistakes {
        let path: Vec<&str> = mistake.key.split('.').collect();
        match path.as_slice() {
            [key] => {
                let wrong = table.remove(*key);
                if let (Some(near), Some(wrong)) = (&mistake.nearest, wrong) {
                    table.entry(near.clone()).or_insert(wrong);
                }
            }
            [above @ .., key] => {
                let first = table.get_mut(above[0]);
                let inner = above[1..]
                    .iter()
                    .try_fold(first, |here, part| Some(here?.get_mut(*part)))
                    .flatten();
                if let Some(Value::Object(inner)) = inner {
                    inner.remove(*key);
                }
            }
            [] => {}
        }
    }
    let rules = schema.as_value();
    for key in rules["required"].as_array().into_iter().flatten() {
        if let Some(key) = key.as_str()
            && let Some(example) = rules["properties"][key]["examples"].get(0)
        {
            table.entry(key).or_insert_with(|| example.clone());
        }
    }
    value
}

/// Every mistake in `value`, by `schema` ([`crate::Connector::settings`]); at most 50.
pub fn by_schema(schema: &Schema, value: &Value) -> Vec<Mistake> {
    let root = schema.as_value();
    let Ok(validator) = jsonschema::options().offline().build(root) else {
        return vec![Mistake {
            key: String::new(),
            code: "value-wrong",
            text: Words::new(
                "Le schéma de ce connecteur est faux.",
                "The schema of this connector is wrong.",
            ),
            mend: Words::new(
                "Signalez-le à qui s’occupe du connecteur.",
                "Report it to whoever keeps the connector.",
            ),
            nearest: None,
        }];
    };
    let mut mistakes = Vec::new();
    for error in validator.iter_errors(value).take(50) {
        explain(root, &error, &mut mistakes);
    }
    mistakes.sort();
    mistakes.dedup();
    mistakes
}

pub(super) fn correct_it() -> Words {
    Words::new("Corrigez cette clé.", "Correct this key.")
}

/// Turns one error of the validator into mistakes.
fn explain(root: &Value, error: &jsonschema::ValidationError<'_>, into: &mut Vec<Mistake>) {
    use jsonschema::error::ValidationErrorKind as Kind;
    let pointer = error.instance_path().to_string();
    let above = pointer.trim_start_matches('/').replace('/', ".");
    let child = |name: &str| match above.as_str() {
        "" => name.to_owned(),
        above => format!("{above}.{name}"),
    };
    let here = error.schema_path().to_string();
    let parent = here.rsplit_once('/').map_or("", |(parent, _)| parent);
    let rules = root.pointer(parent).unwrap_or(&Value::Null);
    match error.kind() {
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let known: Vec<&str> = rules["properties"]
                .as_object()
                .map(|known| known.keys().map(String::as_str).collect())
                .unwrap_or_default();
            for name in unexpected {
                let nearest = nearest(name, &known).map(str::to_owned);
                let mend = match &nearest {
                    Some(nearest) => Words::new(
                        format!("Vouliez-vous écrire « {nearest} » ?"),
                        format!("Did you mean “{nearest}”?"),
                    ),
                    None => Words::new(
                        format!("Les clés possibles ici : {}.", known.join(", ")),
                        format!("The keys possible here: {}.", known.join(", ")),
                    ),
                };
                let key = child(name);
                into.push(Mistake {
                    code: "key-unknown",
                    text: Words::new(
                        format!("La clé « {key} » est inconnue."),
                        format!("The key “{key}” is not known."),
                    ),
                    mend,
                    nearest,
                    key,
                });
            }
        }
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let key = child(name);
            into.push(Mistake {
                code: "key-missing",
                text: Words::new(
                    format!("Il manque la clé « {key} »."),
                    format!("The key “{key}” is missing."),
                ),
                mend: expected(root, &rules["properties"][name]),
                nearest: None,
                key,
            });
        }
        kind => {
            let key = above;
            // Where the text is there but does not look as it should, an example says more than
            // that a text is wanted.
            let example = rules["examples"].get(0).filter(|_| {
                matches!(kind, Kind::Pattern { .. } | Kind::Format { .. })
                    && error.instance().is_string()
            });
            let mend = match example {
                Some(example) => Words::new(
                    format!("Écrivez par exemple {example}."),
                    format!("Write for example {example}."),
                ),
                None => expected(root, rules),
            };
            into.push(Mistake {
                code: "value-wrong",
                text: Words::new(
                    format!("La clé « {key} » ne contient pas ce qu’il faut."),
                    format!("The key “{key}” does not hold what it should."),
                ),
                mend,
                nearest: None,
                key,
            });
        }
    }
}

/// What a part of a schema expects, with an example where it gives one.
fn expected(root: &Value, rules: &Value) -> Words {
    let rules = resolved(root, rules);
    // A key that may be left out: what it expects is the other half.
    if let Some([one, other]) = rules["anyOf"].as_array().map(Vec::as_slice)
        && other["type"] == "null"
    {
        return expected(root, one);
    }
    let values: Vec<&Value> = rules["enum"]
        .as_array()
        .into_iter()
        .flatten()
        .chain(
            ["oneOf", "anyOf"]
                .iter()
                .filter_map(|of| rules[*of].as_array())
                .flatten()
                .map(|one| &one["const"]),
        )
        .collect();
    let words: Vec<&str> = values.iter().filter_map(|value| value.as_str()).collect();
    let numbers: Vec<String> = values
        .iter()
        .filter_map(|value| value.as_i64())
        .map(|number| number.to_string())
        .collect();
    let (mut fr, mut en) = if !numbers.is_empty() {
        (
            format!("l’un de ces nombres : {}", numbers.join(", ")),
            format!("one of these numbers: {}", numbers.join(", ")),
        )
    } else if words.is_empty() {
        let kind = match &rules["type"] {
            Value::Array(kinds) => kinds.first().and_then(Value::as_str),
            kind => kind.as_str(),
        };
        let (fr, en) = match kind {
            Some("string") => ("un texte entre guillemets", "a text between quotes"),
            Some("integer") => ("un nombre entier", "a whole number"),
            Some("number") => ("un nombre", "a number"),
            Some("boolean") => ("true ou false", "true or false"),
            Some("array") => ("une liste entre crochets", "a list between brackets"),
            Some("object") => ("un groupe de clés", "a group of keys"),
            _ => return correct_it(),
        };
        (fr.to_owned(), en.to_owned())
    } else {
        (
            format!("l’un de ces mots : {}", words.join(", ")),
            format!("one of these words: {}", words.join(", ")),
        )
    };
    if let Some(example) = rules["examples"].get(0) {
        fr = format!("{fr}, par exemple {example}");
        en = format!("{en}, for example {example}");
    }
    for (limit, limit_fr, limit_en) in [
        ("minimum", "au moins", "at least"),
        ("maximum", "au plus", "at most"),
    ] {
        if let Some(number) = rules[limit].as_number() {
            fr = format!("{fr}, {limit_fr} {number}");
            en = format!("{en}, {limit_en} {number}");
        }
    }
    Words::new(format!("Écrivez {fr}."), format!("Write {en}."))
}

/// The known word that looks most like `word`, where one does.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace('_', "-");
    let word = plain(word);
    known
        .iter()
        .map(|candidate| (strsim::osa_distance(&word, &plain(candidate)), *candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.chars().count() / 4)
        .min()
        .map(|(_, candidate)| candidate)
}
