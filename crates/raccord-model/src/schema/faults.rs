//! From what the validator says to what the sender reads: a place and a sentence, never the value.

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

use super::{FAULTS, Fault};
use crate::Words;

/// Appends what `error` means to `found`.
pub(super) fn of(error: &ValidationError<'_>, found: &mut Vec<Fault>) {
    if found.len() >= FAULTS {
        return;
    }
    let place = error.instance_path().as_str();
    let mut say = |pointer: String, detail: Words| found.push(Fault { pointer, detail });
    match error.kind() {
        Kind::Required { property } => say(
            below(place, property.as_str().unwrap_or_default()),
            Words::new("manque", "is missing"),
        ),
        Kind::AdditionalProperties { unexpected } => {
            for name in unexpected.iter().take(FAULTS) {
                let detail = if place.is_empty() {
                    Words::new(
                        "n’est pas un champ connu ; ce que les champs communs ne connaissent pas se met dans extra",
                        "no such field; what the shared fields do not know belongs in extra",
                    )
                } else {
                    Words::new("n’est pas un champ connu ici", "no such field here")
                };
                say(below(place, name), detail);
            }
        }
        // The first way is the usual one ("an address, or nothing"): what it lacks is what helps.
        Kind::AnyOf { context } => match context.first() {
            Some(errors) if !errors.is_empty() => {
                for error in errors {
                    of(error, found);
                }
            }
            _ => say(place.to_owned(), unfit()),
        },
        // A name that is wrong: what is wrong with it, where it stands.
        Kind::PropertyNames { error: inner } => say(
            below(place, inner.instance().as_str().unwrap_or_default()),
            expected(inner.kind()),
        ),
        kind => say(place.to_owned(), expected(kind)),
    }
}

/// What is expected where something else stands.
fn expected(kind: &Kind) -> Words {
    let limits = |fr: &str, limit: &dyn std::fmt::Display, en: &str| {
        let at = |text: &str| text.replace("{}", &limit.to_string());
        Words::new(at(fr), at(en))
    };
    match kind {
        Kind::Format { format } if format == "civil" => Words::new(
            "n’est pas un jour ni un jour avec son heure : écrivez 2027-01-02 ou 2027-01-02T18:30",
            "is no civil moment: write 2027-01-02 or 2027-01-02T18:30",
        ),
        Kind::Format { format } => limits("n’est pas du format {}", format, "is no {}"),
        Kind::Pattern { .. } => Words::new(
            "n’a pas la forme attendue",
            "does not have the form it should",
        ),
        Kind::Type { kind } => match kind {
            TypeKind::Single(one) => type_of(*one),
            TypeKind::Multiple(_) => unfit(),
        },
        Kind::Enum { options } => {
            let listed: Vec<&str> = options
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let listed = listed.join(", ");
            limits(
                "n’est aucun de ces mots : {}",
                &listed,
                "is none of these words: {}",
            )
        }
        Kind::MinLength { limit: 1 } => Words::new("est vide", "is empty"),
        Kind::MinLength { limit } => limits(
            "a moins de {} caractères",
            limit,
            "has fewer than {} characters",
        ),
        Kind::MaxLength { limit } => limits(
            "a plus de {} caractères",
            limit,
            "has more than {} characters",
        ),
        Kind::Minimum { limit } => limits("est au-dessous de {}", limit, "is below {}"),
        Kind::Maximum { limit } => limits("est au-dessus de {}", limit, "is above {}"),
        Kind::MinItems { limit } => {
            limits("a moins de {} éléments", limit, "has fewer than {} items")
        }
        Kind::MaxItems { limit } => {
            limits("a plus de {} éléments", limit, "has more than {} items")
        }
        Kind::MaxProperties { limit } => {
            limits("a plus de {} champs", limit, "has more than {} fields")
        }
        Kind::UniqueItems => Words::new(
            "contient deux fois le même élément",
            "holds the same item twice",
        ),
        _ => unfit(),
    }
}

fn unfit() -> Words {
    Words::new(
        "n’est d’aucune des formes acceptées",
        "fits none of the accepted forms",
    )
}

fn type_of(kind: JsonType) -> Words {
    let (fr, en) = match kind {
        JsonType::Array => ("n’est pas une liste", "is no list"),
        JsonType::Boolean => ("n’est ni true ni false", "is neither true nor false"),
        JsonType::Integer => ("n’est pas un nombre entier", "is no whole number"),
        JsonType::Null => ("n’est pas null", "is not null"),
        JsonType::Number => ("n’est pas un nombre", "is no number"),
        JsonType::Object => ("n’est pas un objet", "is no object"),
        JsonType::String => ("n’est pas un texte", "is no text"),
    };
    Words::new(fr, en)
}

/// The pointer to `name` in the object at `place`.
fn below(place: &str, name: &str) -> String {
    let cut: String = name.chars().take(200).collect();
    format!("{place}/{}", cut.replace('~', "~0").replace('/', "~1"))
}
