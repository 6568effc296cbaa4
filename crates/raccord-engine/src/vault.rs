//! Personal values: a commit names a random slot, the value lies beside the log.

use std::collections::HashMap;
use std::sync::Arc;

use raccord_model::{EntityKind, Fields, PERSONAL, Slot, slot_of, slot_value};
use serde_json::Value;

/// The personal values of a place, by slot and back.
#[derive(Clone, Debug, Default)]
pub struct Vault {
    by_slot: HashMap<Slot, Arc<str>>,
    by_value: HashMap<Arc<str>, Slot>,
}

impl Vault {
    /// Puts a value, encoded as JSON, into a slot.
    pub fn put(&mut self, slot: Slot, json: &str) {
        let json: Arc<str> = json.into();
        self.by_value.insert(json.clone(), slot.clone());
        self.by_slot.insert(slot, json);
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
}
