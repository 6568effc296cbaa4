//! Somebody, known by their address; what is known of them, and who asked to be forgotten: their values leave every entity, and
//! do not come back with the next reading. The values themselves lie beside the log, and are emptied
//! there.

use std::collections::BTreeSet;

use raccord_model::{
    Cause, ConnectorName, Digest, Entity, EntityId, EntityKind, Fields, Slot, Verb, slot_of,
};
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

/// What an entity says by ids alone: of no use to whoever asks what is known of them.
const IDS: [&str; 5] = ["activity", "task", "person", "turn", "also"];

/// Every field in which the address `email` stands as a word of its own, by title; of the person who
/// has it also all that is known of them: themselves, their sign-ups, their credits.
pub fn mentions(engine: &Engine, email: &str) -> Vec<Mentioned> {
    let state = engine.state();
    let person = person_of(engine, email);
    let mut found: Vec<Mentioned> = Vec::new();
    for (&id, record) in &state.entities {
        if record.kind == EntityKind::Notice {
            continue;
        }
        let mut entity = record.entity(id);
        engine.vault().reveal(&mut entity.fields);
        let letters = entity.fields.get_mut("letters");
        let letters = letters.and_then(Value::as_object_mut).into_iter();
        for letter in letters.flat_map(serde_json::Map::values_mut) {
            // By it they leave: it stands in their letters alone.
            if let Some(letter) = letter.as_object_mut() {
                letter.remove("key");
            }
        }
        let theirs = person.is_some_and(|person| is_of(&entity, person));
        let title = title_of(state, &entity);
        for (field, value) in &entity.fields {
            let value = as_read(value);
            let tells = theirs && !IDS.contains(&field.as_str());
            if tells || is_about(&value, email) {
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

/// Who has an address.
fn person_of(engine: &Engine, email: &str) -> Option<EntityId> {
    let email = json!(email.trim().to_lowercase());
    let slot = engine.vault().slot_for(&email)?;
    engine.flight.roll.with_email(slot)
}

/// Whether an entity is a person, or one of theirs.
fn is_of(entity: &Entity, person: EntityId) -> bool {
    entity.id == person || entity.text("person").parse() == Ok(person)
}

/// What people call it; a sign-up and a credit are called by what they are for.
fn title_of(state: &State, entity: &Entity) -> String {
    let own = entity.text("title");
    let mut of = ["task", "activity"].into_iter().filter_map(|name| {
        let of = state.entity(entity.text(name).parse().ok()?)?;
        Some(of.text("title").to_owned())
    });
    if own.is_empty() {
        of.next().unwrap_or_default()
    } else {
        own.to_owned()
    }
}

/// The slots of values in which the address `email` stands; of the person who has it, also those of
/// what else is known of them and of nobody else, of their sign-ups and credits, and of what they wrote
/// in chats.
pub fn slots_of(engine: &Engine, email: &str) -> Vec<Slot> {
    let state = engine.state();
    let mut slots = engine.vault().slots_of(|text| is_about(text, email));
    let people: BTreeSet<EntityId> = state
        .entities
        .iter()
        .filter(|(_, record)| record.kind == EntityKind::Person)
        .filter(|(_, record)| {
            let known = record.fields();
            let email = known.get("email").and_then(slot_of);
            email.is_some_and(|slot| slots.iter().any(|known| known == slot))
        })
        .map(|(&id, _)| id)
        .collect();
    let theirs: BTreeSet<EntityId> = state
        .entities
        .iter()
        .filter(|(_, record)| !personal(record.kind).is_empty())
        .map(|(&id, record)| record.entity(id))
        .filter(|entity| people.iter().any(|person| is_of(entity, *person)))
        .map(|entity| entity.id)
        .collect();
    let mut names = BTreeSet::new();
    for id in &theirs {
        let Some(record) = state.entities.get(id) else {
            continue;
        };
        let mut known = record.fields();
        let own = known.values().filter_map(slot_of).map(str::to_owned);
        slots.extend(own.filter(|slot| is_only_in(state, slot, &theirs)));
        engine.vault().reveal(&mut known);
        names.extend(identities(&known).map(|(_, id)| id));
    }
    if !names.is_empty() {
        slots.extend(engine.vault().slots_of(|text| names.contains(text)));
        slots.extend(reactions_of(engine, &names));
    }
    slots.sort_unstable();
    slots.dedup();
    slots
}

/// Whether no entity but these holds the value of a slot: two people may have one name.
fn is_only_in(state: &State, slot: &str, theirs: &BTreeSet<EntityId>) -> bool {
    let holds = |body: &[u8]| {
        let mut windows = body.windows(slot.len());
        windows.any(|part| part == slot.as_bytes())
    };
    let others = state.entities.iter();
    let mut others = others.filter(|(other, _)| !theirs.contains(other));
    others.all(|(_, record)| personal(record.kind).is_empty() || !holds(&record.body))
}

/// The slots of lists of who reacted in which one of `names` stands.
fn reactions_of(engine: &Engine, names: &BTreeSet<String>) -> Vec<Slot> {
    let messages = engine.state().entities.values();
    let messages = messages.filter(|record| record.kind == EntityKind::Message);
    messages
        .filter_map(|record| {
            let mut fields = record.fields();
            let slot = slot_of(fields.get("reacted")?)?.to_owned();
            engine.vault().reveal(&mut fields);
            let all = fields.get("reacted")?.as_object()?.values();
            let mut all = all.filter_map(Value::as_array).flatten();
            all.any(|id| id.as_str().is_some_and(|id| names.contains(id)))
                .then_some(slot)
        })
        .collect()
}

/// What somebody is called in tools, by the connector's name.
fn identities(known: &Fields) -> impl Iterator<Item = (String, String)> + '_ {
    let all = known.get("identities").and_then(Value::as_object);
    all.into_iter()
        .flatten()
        .filter_map(|(connector, identity)| {
            let id = identity.get("id")?.as_str()?;
            Some((connector.clone(), id.to_owned()))
        })
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
    let (people, names) = forgotten(deciding);
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
        match entity.kind {
            EntityKind::Person | EntityKind::Registration | EntityKind::Credit
                if people.iter().any(|person| is_of(&entity, *person)) =>
            {
                for name in personal(entity.kind) {
                    left.remove(*name);
                }
            }
            EntityKind::Message => leave_out(&entity, &names, &mut left),
            _ => {}
        }
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

/// Those who are forgotten, and what they were called in tools.
fn forgotten(deciding: &Deciding<'_>) -> (BTreeSet<EntityId>, BTreeSet<(String, String)>) {
    let people = deciding.state.entities.iter();
    let people = people.filter(|(_, record)| record.kind == EntityKind::Person);
    let people = people.filter_map(|(&id, _)| deciding.entity(id));
    let gone: Vec<Entity> = people
        .filter(|person| {
            let mut left = person.fields.clone();
            deciding.vault.strip(EntityKind::Person, &mut left);
            left.get("email") != person.fields.get("email")
        })
        .collect();
    let names = gone.iter().flat_map(|person| identities(&person.fields));
    (
        gone.iter().map(|person| person.id).collect(),
        names.collect(),
    )
}

/// Takes people out of what is known of a message: who wrote it, and who reacted to it.
fn leave_out(message: &Entity, names: &BTreeSet<(String, String)>, left: &mut Fields) {
    let is = |id: &str| names.contains(&(message.source.clone(), id.to_owned()));
    if is(message.text("author")) {
        for name in personal(EntityKind::Message) {
            left.remove(*name);
        }
    }
    let reacted = left.get_mut("reacted").and_then(Value::as_object_mut);
    for people in reacted.into_iter().flat_map(serde_json::Map::values_mut) {
        if let Some(people) = people.as_array_mut() {
            people.retain(|id| id.as_str().is_none_or(|id| !is(id)));
        }
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
