//! Codes by which somebody shows in a chat who they are: drawn for an address, for whoever reads
//! mail there or stands before an organiser, and said once in the chat.
//!
//! The log keeps a digest. A code is good once and for a day, so that nobody who reads it later
//! becomes anybody by it.

use jiff::{SignedDuration, Timestamp};
use raccord_model::{Cause, ConnectorName, Digest, EntityId, EntityKind, Verb};
use serde_json::{Value, json};

use crate::deciding::{Deciding, Draft};
use crate::fact::Fact;
use crate::input::{Reply, Who};
use crate::notice::RACCORD;

/// What an event says was done.
pub(crate) const DREW: &str = "draw code";
/// What an event says was done by whoever said the code.
pub(crate) const CONFIRMED: &str = "confirm";
/// How long a code is good.
const GOOD: SignedDuration = SignedDuration::from_hours(24);
/// What a code is made of: nothing that looks like something else (Crockford's base 32).
const SIGNS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// How many signs: 40 bits. In a day nobody tries more than some ten thousand of them.
const LENGTH: usize = 8;

impl Deciding<'_> {
    /// Draws a code for whoever has an address.
    pub(crate) fn draw_code(&mut self, who: &Who) -> Reply {
        let cause = Cause::Person {
            did: DREW.to_owned(),
        };
        let Some(person) = self.person(who, RACCORD, &cause) else {
            return Reply::Cannot(crate::signups::not_kept());
        };
        let drawn = Digest::of(self.entropy.slot().as_bytes());
        let signs = drawn.0.iter().take(LENGTH);
        let code: String = signs
            .map(|byte| char::from(SIGNS[usize::from(byte % 32)]))
            .collect();
        let until = self.now.saturating_add(GOOD).unwrap_or(Timestamp::MAX);
        self.record(Fact::Code {
            code: self.digest_of_code(&code),
            person,
            until,
        });
        let (first, last) = code.split_at(LENGTH / 2);
        Reply::Code {
            code: format!("{first}-{last}"),
            until,
        }
    }

    fn digest_of_code(&self, code: &str) -> Digest {
        let place = self.state.rules().place.id.as_str();
        Digest::of(format!("{place}\0code\0{code}").as_bytes())
    }

    /// Somebody of a tool says a code: from now on it is known who that is there. Whether it was a
    /// good one.
    pub(crate) fn say_code(&mut self, connector: &ConnectorName, id: &str, said: &str) -> bool {
        let digest = self.digest_of_code(&plain(said));
        let known = self.state.codes.get(&digest).copied();
        let Some((person, _)) = known.filter(|(_, until)| self.now < *until) else {
            return false;
        };
        self.record(Fact::CodeUsed(digest));
        let told_by = self.teller(person);
        // One account is one person: what was shown last counts.
        if let Some(before) = self
            .person_of(connector, id)
            .filter(|known| *known != person)
        {
            self.set_identity(before, connector, None);
        }
        self.set_identity(person, connector, Some(id));
        self.knows_all(person, told_by.as_ref());
        true
    }

    fn set_identity(&mut self, person: EntityId, connector: &ConnectorName, id: Option<&str>) {
        let Some(known) = self.entity(person) else {
            return;
        };
        let mut fields = known.fields;
        let identities = fields.get("identities").and_then(Value::as_object);
        let mut identities = identities.cloned().unwrap_or_default();
        match id {
            Some(id) => identities.insert(
                connector.to_string(),
                json!({ "id": id, "confirmed": true }),
            ),
            None => identities.remove(connector.as_str()),
        };
        if identities.is_empty() {
            fields.remove("identities");
        } else {
            fields.insert("identities".into(), Value::Object(identities));
        }
        self.emit(Draft {
            kind: EntityKind::Person,
            verb: Verb::Updated,
            entity: person,
            fields,
            source: &known.source,
            family: person,
            cause: Cause::Person {
                did: CONFIRMED.to_owned(),
            },
            causation: None,
        });
    }

    /// Who somebody of a tool is, where they showed that it is them.
    pub(crate) fn person_of(&self, connector: &ConnectorName, id: &str) -> Option<EntityId> {
        let mut known = self.flight.roll.with_identities();
        known.find(|person| self.identity(*person, connector).as_deref() == Some(id))
    }

    /// What a person is called in a tool, where they showed that it is them.
    pub(crate) fn identity(&self, person: EntityId, connector: &ConnectorName) -> Option<String> {
        let person = self.entity(person)?;
        let identity = person.fields.get("identities")?.get(connector.as_str())?;
        let confirmed = identity.get("confirmed") == Some(&json!(true));
        let id = identity.get("id").filter(|_| confirmed)?;
        id.as_str().map(str::to_owned)
    }
}

/// A code as it was drawn, however somebody wrote it.
fn plain(said: &str) -> String {
    said.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect()
}
