//! Somebody, known by their address; what is known of them, and who asked to be forgotten: their values leave every entity, and
//! do not come back with the next reading. The values themselves lie beside the log, and are emptied
//! there.

use raccord_model::{Cause, ConnectorName, Digest, EntityId, EntityKind, Slot, Verb};
use serde_json::{Value, json};

use crate::deciding::{Deciding, Draft};
use crate::engine::Engine;
use crate::input::Who;
use crate::notice::RACCORD;
use crate::state::State;
use crate::vault::{as_read, personal, words};

/// The most characters of a name.
const LONGEST_NAME: usize = 200;
/// The longest address (RFC 5321, section 4.5.3.1.3, without its brackets).
const LONGEST_EMAIL: usize = 254;

/// What such an event says was done.
pub(crate) const DID: &str = "forget";

/// A field in which somebody stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mentioned {
    /// The entity.
    pub entity: EntityId,
    /// What people call it.
    pub title: String,
    /// Its field.
    pub field: String,
    /// Whether the field is kept apart as a personal value; others are part of the log.
    pub personal: bool,
    /// The line it comes from: source, tab and row.
    pub line: Option<(ConnectorName, String, u32)>,
    /// What stands there, as people read it.
    pub value: String,
}

/// Every field in which the address `email` stands as a word of its own, by title.
pub fn mentions(engine: &Engine, email: &str) -> Vec<Mentioned> {
    let state = engine.state();
    let mut found: Vec<Mentioned> = Vec::new();
    for (&id, record) in &state.entities {
        if record.kind == EntityKind::Notice {
            continue;
        }
        let mut entity = record.entity(id);
        engine.vault().reveal(&mut entity.fields);
        let title = entity.fields.get("title").and_then(Value::as_str);
        let title = title.unwrap_or_default().to_owned();
        for (field, value) in &entity.fields {
            let value = as_read(value);
            if is_about(&value, email) {
                found.push(Mentioned {
                    entity: id,
                    title: title.clone(),
                    personal: personal(entity.kind).contains(&field.as_str()),
                    field: field.clone(),
                    line: line_of(state, id),
                    value,
                });
            }
        }
    }
    found.sort_by(|a, b| (&a.title, a.entity, &a.field).cmp(&(&b.title, b.entity, &b.field)));
    found
}

/// The slots of values in which the address `email` stands.
pub fn slots_of(engine: &Engine, email: &str) -> Vec<Slot> {
    engine.vault().slots_of(|text| is_about(text, email))
}

fn is_about(text: &str, email: &str) -> bool {
    let email = email.trim().to_lowercase();
    words(&text.to_lowercase()).any(|word| word == email)
}

/// The line an entity comes from, where that is a sheet's.
fn line_of(state: &State, id: EntityId) -> Option<(ConnectorName, String, u32)> {
    state.sources.iter().find_map(|(name, source)| {
        let line = source.lines.get(&id)?;
        let tab = source.tabs.get(usize::from(line.tab));
        let tab = tab.map(|tab| tab.name.clone()).unwrap_or_default();
        Some((name.clone(), tab, line.row))
    })
}

/// Updates every entity that holds a value of somebody who was forgotten.
pub(crate) fn forget(deciding: &mut Deciding<'_>) {
    let with_people: Vec<EntityId> = deciding
        .state
        .entities
        .iter()
        .filter(|(_, record)| !personal(record.kind).is_empty())
        .map(|(&id, _)| id)
        .collect();
    for id in with_people {
        let Some(record) = deciding.state.entities.get(&id) else {
            continue;
        };
        let family = record.family.unwrap_or(id);
        let Some(entity) = deciding.entity(id) else {
            continue;
        };
        let mut left = entity.fields.clone();
        deciding.vault.strip(entity.kind, &mut left);
        if left == entity.fields {
            continue;
        }
        deciding.emit(Draft {
            kind: entity.kind,
            verb: Verb::Updated,
            entity: id,
            fields: left,
            source: &entity.source,
            family,
            cause: Cause::Person {
                did: DID.to_owned(),
            },
            causation: None,
        });
    }
}

impl Deciding<'_> {
    /// The person with an address, made where nobody has it yet. Nothing for what is no address, and
    /// for somebody who asked to be forgotten.
    pub(crate) fn person(&mut self, who: &Who, source: &str, cause: &Cause) -> Option<EntityId> {
        let email = who.email.trim().to_lowercase();
        if !is_address(&email) {
            return None;
        }
        let known = self.vault.slot_for(&json!(email));
        let known = known.and_then(|slot| self.flight.roll.with_email(slot));
        let before = known.and_then(|id| self.entity(id));
        let mut fields = before
            .as_ref()
            .map(|known| known.fields.clone())
            .unwrap_or_default();
        fields.insert("email".into(), json!(email));
        let name: String = who.name.trim().chars().take(LONGEST_NAME).collect();
        // Who is known by a name keeps it: another program may know them by another.
        if !name.is_empty() && (source == RACCORD || !fields.contains_key("name")) {
            fields.insert("name".into(), json!(name));
        }
        if let Some(shown) = who.shown {
            fields.insert("shown".into(), json!(shown));
        }
        if let Some(lang) = who.lang {
            fields.insert("language".into(), json!(lang));
        }
        self.vault.strip(EntityKind::Person, &mut fields);
        fields.get("email")?;
        let id = known.unwrap_or_else(|| {
            let commit = self.state.commit.to_be_bytes();
            let drawn = Digest::of(self.entropy.slot().as_bytes());
            EntityId::derive(&[b"person", &drawn.0, &commit])
        });
        let source = before
            .as_ref()
            .map_or(source, |known| known.source.as_str());
        self.emit(Draft {
            kind: EntityKind::Person,
            verb: if known.is_some() {
                Verb::Updated
            } else {
                Verb::Created
            },
            entity: id,
            fields,
            source,
            family: id,
            cause: cause.clone(),
            causation: None,
        });
        Some(id)
    }
}

/// Whether mail could be sent there at all.
fn is_address(email: &str) -> bool {
    let plain = email.len() <= LONGEST_EMAIL
        && !email.contains(|c: char| c.is_whitespace() || c.is_control() || "<>,;\"".contains(c));
    let parts = email.rsplit_once('@');
    plain && parts.is_some_and(|(name, host)| !name.is_empty() && host.len() > 2)
}
