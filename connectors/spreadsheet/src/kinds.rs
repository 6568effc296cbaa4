//! One spelling for each kind of activity: "REUNION", "réunion" and "Réunion" are one kind.
//!
//! Only case and accents are evened out, and a few short forms where the same document writes the
//! long one too. Kinds that merely look alike stay apart.

use std::collections::BTreeMap;

#[cfg(test)]
use raccord_model::EntityKind;
use raccord_model::Line;
use serde_json::Value;

use crate::text;
use crate::words::{KINDS, KINDS_SHORT};

/// The most spellings that are kept apart.
const SPELLINGS: usize = 10_000;

/// The spellings met in a document.
#[derive(Debug, Default)]
pub(crate) struct Kinds {
    /// As written, to as it is kept while reading, and how often.
    known: BTreeMap<String, (String, u32)>,
}

impl Kinds {
    /// The spelling to keep for now.
    pub(crate) fn spell(&mut self, written: &str) -> String {
        if let Some((kept, count)) = self.known.get_mut(written) {
            *count += 1;
            return kept.clone();
        }
        if self.known.len() >= SPELLINGS {
            return written.to_owned();
        }
        let key = text::key(written);
        let kept = KINDS
            .iter()
            .find(|kind| text::key(kind) == key)
            .map_or(written, |kind| kind)
            .to_owned();
        self.known.insert(written.to_owned(), (kept.clone(), 1));
        kept
    }

    /// The spellings kept, by folded kind, and how often each.
    fn spellings(&self) -> BTreeMap<String, BTreeMap<&str, u32>> {
        let mut out: BTreeMap<String, BTreeMap<&str, u32>> = BTreeMap::new();
        for (kept, count) in self.known.values() {
            *out.entry(text::key(kept))
                .or_default()
                .entry(kept)
                .or_default() += count;
        }
        out
    }

    /// Once all lines are read: gives lines of one kind one spelling.
    pub(crate) fn even_out(&self, lines: &mut [Line]) {
        let all = self.spellings();
        let mut changes = BTreeMap::new();
        for (key, spellings) in &all {
            let short = KINDS_SHORT
                .iter()
                .find(|(short, _)| short == key)
                .map(|(_, long)| *long)
                .filter(|long| all.contains_key(&text::key(long)));
            let best = short.or_else(|| {
                spellings
                    .iter()
                    .max_by_key(|(spelling, count)| (care(spelling), **count))
                    .map(|(spelling, _)| *spelling)
            });
            let Some(best) = best else { continue };
            for spelling in spellings.keys().filter(|spelling| **spelling != best) {
                changes.insert(*spelling, best);
            }
        }
        if changes.is_empty() {
            return;
        }
        for line in lines {
            let mut fields = line.decode();
            let better = fields
                .get("kind")
                .and_then(Value::as_str)
                .and_then(|kind| changes.get(kind));
            if let Some(better) = better {
                fields.insert("kind".to_owned(), Value::from(*better));
                *line = Line::new(line.kind, line.tab, line.row, &fields);
            }
        }
    }
}

/// How carefully a spelling was written: accents, not all capitals, a capital first.
fn care(spelling: &str) -> (usize, bool, bool) {
    (
        spelling.chars().filter(|c| !c.is_ascii()).count(),
        spelling.chars().any(char::is_lowercase),
        spelling.starts_with(char::is_uppercase),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn spelled(kinds: &[&str]) -> Vec<String> {
        let mut all = Kinds::default();
        let mut lines: Vec<Line> = kinds
            .iter()
            .map(|kind| {
                let fields = [("kind".to_owned(), Value::from(all.spell(kind)))].into();
                Line::new(EntityKind::Activity, 0, 1, &fields)
            })
            .collect();
        all.even_out(&mut lines);
        lines
            .iter()
            .map(|line| line.decode()["kind"].as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn a_kind_has_one_spelling() {
        assert_eq!(spelled(&["REUNION", "réunion"]), ["Réunion", "Réunion"]);
        assert_eq!(
            spelled(&["bal folk", "Bal Folk", "BAL FOLK"]),
            ["Bal Folk"; 3]
        );
        assert_eq!(
            spelled(&["Fete des voisins", "Fête des voisins"]),
            ["Fête des voisins"; 2]
        );
        assert_eq!(spelled(&["bal folk"]), ["bal folk"]);
    }

    #[test]
    fn kinds_that_only_look_alike_stay_apart() {
        assert_eq!(
            spelled(&["Atelier", "Atelier vélo"]),
            ["Atelier", "Atelier vélo"]
        );
        assert_eq!(spelled(&["chantier"]), ["chantier"]);
        assert_eq!(
            spelled(&["chantier", "Chantier participatif"]),
            ["Chantier participatif"; 2]
        );
    }
}
