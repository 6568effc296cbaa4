//! Mistakes in settings, gathered with their place.

use raccord_kit::Finding;
use raccord_kit::settings::{Mistake, nearest};
use raccord_model::Words;
use serde_json::Value;

use super::document::Places;
use crate::locale::shown;
use crate::report::error;

/// The mistakes found so far.
pub(super) struct Mistakes<'a> {
    places: &'a Places,
    found: Vec<(Vec<String>, Finding)>,
}

impl<'a> Mistakes<'a> {
    /// None yet.
    pub(super) fn new(places: &'a Places) -> Self {
        Self {
            places,
            found: Vec::new(),
        }
    }

    /// Whether there are any.
    pub(super) fn any(&self) -> bool {
        !self.found.is_empty()
    }

    /// Notes a mistake at `path`.
    pub(super) fn add(&mut self, path: &[&str], code: &str, text: Words, mend: Words) {
        let path: Vec<String> = path.iter().map(|&part| part.to_owned()).collect();
        let finding = error(self.places.of(&path), code, text, mend);
        if !self.found.iter().any(|(_, known)| *known == finding) {
            self.found.push((path, finding));
        }
    }

    /// Notes that `key` stands beside `better`, which says the same.
    pub(super) fn twice(&mut self, path: &[&str], key: &str, better: &str) {
        self.add(
            path,
            "settings.twice",
            Words::new(
                format!("« {key} » et « {better} » sont donnés tous les deux."),
                format!("“{key}” and “{better}” are both given."),
            ),
            Words::new(format!("Gardez « {better} »."), format!("Keep “{better}”.")),
        );
    }

    /// Notes what a schema found in the table at `path`.
    pub(super) fn schema(&mut self, path: &[&str], mistakes: Vec<Mistake>) {
        for mistake in mistakes {
            let below = mistake.key.split('.').filter(|part| !part.is_empty());
            let full: Vec<&str> = path.iter().copied().chain(below).collect();
            self.add(&full, mistake.code, mistake.text, mistake.mend);
        }
    }

    /// Whether something at or below `path` was already told.
    pub(super) fn told(&self, path: &[&str]) -> bool {
        self.found
            .iter()
            .any(|(known, _)| known.iter().zip(path).filter(|(a, b)| a == b).count() == path.len())
    }

    /// Takes what was told below `path` out of its table `here`.
    pub(super) fn take_out(&self, path: &[&str], here: &mut Value) {
        for (told, _) in &self.found {
            if told.len() <= path.len() || !told.iter().zip(path).all(|(a, b)| a == b) {
                continue;
            }
            let Some((last, between)) = told[path.len()..].split_last() else {
                continue;
            };
            let pointer: String = between
                .iter()
                .flat_map(|part| ["/".to_owned(), part.replace('~', "~0").replace('/', "~1")])
                .collect();
            if let Some(Value::Object(table)) = here.pointer_mut(&pointer) {
                table.remove(last);
            }
        }
    }

    /// The findings, in the order of the file.
    pub(super) fn findings(mut self) -> Vec<Finding> {
        let places = self.places;
        self.found.sort_by_key(|(path, _)| places.line(path));
        self.found.into_iter().map(|(_, finding)| finding).collect()
    }
}

/// "Did you mean …?", or what is possible.
pub(super) fn did_you_mean(found: &str, known: &[&str]) -> Words {
    if let Some(near) = nearest(found, known) {
        return Words::new(
            format!("Vouliez-vous écrire « {near} » ?"),
            format!("Did you mean “{near}”?"),
        );
    }
    let some = known
        .iter()
        .take(20)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    Words::new(
        format!("Les possibilités : {some}."),
        format!("What is possible: {some}."),
    )
}

/// « found » fr / “found” en, with what is said about it.
pub(super) fn about(found: &str, fr: &str, en: &str) -> Words {
    let found = shown(found);
    Words::new(format!("« {found} » {fr}"), format!("“{found}” {en}"))
}
