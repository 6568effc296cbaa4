//! From what the validator says to what the sender reads: a place and a sentence, never the value.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;

use super::{FAULTS, Fault};

/// Appends what `error` means to `found`.
pub(super) fn of(error: &ValidationError<'_>, found: &mut Vec<Fault>) {
    if found.len() >= FAULTS {
        return;
    }
    let place = error.instance_path().as_str();
    let mut say = |pointer: String, detail: String| found.push(Fault { pointer, detail });
    match error.kind() {
        Kind::Required { property } => say(
            below(place, property.as_str().unwrap_or_default()),
            "is missing".into(),
        ),
        Kind::AdditionalProperties { unexpected } => {
            for name in unexpected.iter().take(FAULTS) {
                let detail = if place.is_empty() {
                    "no such field; what the shared fields do not know belongs in extra"
                } else {
                    "no such field here"
                };
                say(below(place, name), detail.into());
            }
        }
        // The first way is the usual one ("an address, or nothing"): what it lacks is what helps.
        Kind::AnyOf { context } => match context.first() {
            Some(errors) if !errors.is_empty() => {
                for error in errors {
                    of(error, found);
                }
            }
            _ => say(place.to_owned(), "fits none of the accepted forms".into()),
        },
        Kind::Format { format } if format == "civil" => say(
            place.to_owned(),
            "is no civil moment: write 2027-01-02 or 2027-01-02T18:30".into(),
        ),
        Kind::Format { format } => say(place.to_owned(), format!("is no {format}")),
        _ => say(
            place.to_owned(),
            error.masked_with("what stands here").to_string(),
        ),
    }
}

/// The pointer to `name` in the object at `place`.
fn below(place: &str, name: &str) -> String {
    let cut: String = name.chars().take(200).collect();
    format!("{place}/{}", cut.replace('~', "~0").replace('/', "~1"))
}
