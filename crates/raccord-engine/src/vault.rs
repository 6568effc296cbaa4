//! Personal values: a commit names a random slot, the value lies beside the log.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use raccord_model::{EntityKind, Fields, PERSONAL, Slot, slot_of, slot_value};
use serde_json::Value;

/// The personal values of a place, by slot and back.
#[derive(Clone, Debug, Default)]
pub struct Vault {
    by_slot: HashMap<Slot, Arc<str>>,
    by_value: HashMap<Arc<str>, Slot>,
    forgotten: Option<Arc<dyn Forgotten>>,
}

/// Who asked to be forgotten. It knows a value when it sees it, and names none.
pub trait Forgotten: fmt::Debug + Send + Sync {
    /// Whether this very value (an address, a card number, a whole text) was forgotten.
    fn has(&self, value: &str) -> bool;
}

impl Vault {
    /// Puts a value, encoded as JSON, into a slot.
    pub fn put(&mut self, slot: Slot, json: &str) {
        let json: Arc<str> = json.into();
        self.by_value.insert(json.clone(), slot.clone());
        self.by_slot.insert(slot, json);
    }

    /// From now on these values are kept no more, whoever brings them.
    pub fn refuse(&mut self, forgotten: Arc<dyn Forgotten>) {
        self.forgotten = Some(forgotten);
    }

    /// The slot that holds a value, if one does.
    pub(crate) fn slot_for(&self, value: &Value) -> Option<&Slot> {
        self.by_value.get(value.to_string().as_str())
    }

    /// The slots whose value, as text, is what `about` looks for.
    pub(crate) fn slots_of(&self, about: impl Fn(&str) -> bool) -> Vec<Slot> {
        let holds =
            |json: &str| serde_json::from_str(json).is_ok_and(|value| about(&as_read(&value)));
        let found = self.by_slot.iter().filter(|(_, json)| holds(json));
        found.map(|(slot, _)| slot.clone()).collect()
    }

    /// Takes away personal values in which somebody stands who was forgotten.
    pub(crate) fn strip(&self, kind: EntityKind, fields: &mut Fields) {
        let Some(forgotten) = &self.forgotten else {
            return;
        };
        for name in personal(kind) {
            let gone = |value: &Value| {
                let text = as_read(value);
                forgotten.has(&text) || words(&text).any(|word| forgotten.has(word))
            };
            if fields.get(*name).is_some_and(gone) {
                fields.remove(*name);
            }
        }
    }

    /// Empties a slot.
    pub fn forget(&mut self, slot: &str) {
        if let Some(json) = self.by_slot.remove(slot) {
            self.by_value.remove(&json);
        }
    }

    /// How many values are kept.
    pub fn len(&self) -> usize {
        self.by_slot.len()
    }

    /// Whether no value is kept.
    pub fn is_empty(&self) -> bool {
        self.by_slot.is_empty()
    }

    /// Puts personal values back in place of their slots; a slot that was emptied leaves no field.
    pub fn reveal(&self, fields: &mut Fields) {
        fields.retain(|_, value| match slot_of(value) {
            None => true,
            Some(slot) => match self
                .by_slot
                .get(slot)
                .and_then(|json| serde_json::from_str(json).ok())
            {
                Some(clear) => {
                    *value = clear;
                    true
                }
                None => false,
            },
        });
    }

    /// Puts slots in place of personal values. `draw` gives the name of a new slot; what is new is
    /// added to `written`.
    pub(crate) fn hide(
        &mut self,
        kind: EntityKind,
        fields: &mut Fields,
        mut draw: impl FnMut() -> Slot,
        written: &mut Vec<(Slot, String)>,
    ) {
        for name in personal(kind) {
            let Some(value) = fields.get_mut(*name) else {
                continue;
            };
            let json = value.to_string();
            let known = self.by_value.get(json.as_str()).cloned();
            let slot = known.unwrap_or_else(|| {
                let slot = draw();
                written.push((slot.clone(), json.clone()));
                self.put(slot.clone(), &json);
                slot
            });
            *value = slot_value(&slot);
        }
    }
}

/// A value as people read it.
pub(crate) fn as_read(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// What may be an address or a number in a text that people wrote.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    let between = |c: char| c.is_whitespace() || ",;<>()[]{}\"|/«»“”".contains(c);
    text.split(between).filter_map(move |word| {
        let word = word.trim_matches(|c: char| ".:!?'’".contains(c));
        let word = word.strip_prefix("mailto:").unwrap_or(word);
        (!word.is_empty()).then_some(word)
    })
}

/// The personal fields of a kind of entity.
pub(crate) fn personal(kind: EntityKind) -> &'static [&'static str] {
    PERSONAL
        .iter()
        .find(|(of, _)| *of == kind)
        .map_or(&[], |(_, names)| names)
}

/// The fields with every personal value replaced by `null`: what may be hashed into a name.
pub(crate) fn masked(kind: EntityKind, fields: &Fields) -> Fields {
    let mut out = fields.clone();
    for name in personal(kind) {
        if let Some(value) = out.get_mut(*name) {
            *value = Value::Null;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_is_hidden_found_again_and_forgotten() {
        let mut vault = Vault::default();
        let mut drawn = 0;
        let mut draw = || {
            drawn += 1;
            format!("s{drawn}")
        };
        let mut written = Vec::new();
        let clear: Fields = [
            ("contact".to_owned(), json!("a@example.org")),
            ("title".to_owned(), json!("x")),
        ]
        .into();
        let mut one = clear.clone();
        vault.hide(EntityKind::Activity, &mut one, &mut draw, &mut written);
        let mut two = clear.clone();
        vault.hide(EntityKind::Activity, &mut two, &mut draw, &mut written);
        assert_eq!(one, two, "the same value lies in one slot");
        assert_eq!(written, [("s1".to_owned(), "\"a@example.org\"".to_owned())]);
        assert!(!serde_json::to_string(&one).unwrap().contains("example.org"));
        vault.reveal(&mut one);
        assert_eq!(one, clear);
        vault.forget("s1");
        vault.reveal(&mut two);
        assert!(!two.contains_key("contact"));
    }

    #[derive(Debug)]
    struct Only(&'static str);

    impl Forgotten for Only {
        fn has(&self, value: &str) -> bool {
            value.eq_ignore_ascii_case(self.0)
        }
    }

    #[test]
    fn who_was_forgotten_is_recognised_in_what_people_write_and_nobody_else_is() {
        let mut vault = Vault::default();
        vault.refuse(Arc::new(Only("ana@example.org")));
        for (contact, stays) in [
            ("ana@example.org", false),
            ("Ana <ANA@example.org>, 0692", false),
            ("mailto:ana@example.org.", false),
            ("Ana : ana@example.org/bob@example.org", false),
            ("banana@example.org", true),
            ("ana@example.org.uk", true),
            ("Ana", true),
        ] {
            let mut fields: Fields = [
                ("contact".to_owned(), json!(contact)),
                ("title".to_owned(), json!("ana@example.org")),
            ]
            .into();
            vault.strip(EntityKind::Activity, &mut fields);
            assert_eq!(fields.contains_key("contact"), stays, "{contact}");
            assert!(fields.contains_key("title"), "only what is personal");
        }
    }
}
