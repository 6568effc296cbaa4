//! The roll: who is on what, found at once. Made of the entities and of nothing else, so it is
//! never recorded, and made again at every start.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use raccord_model::{EntityId, EntityKind, Fields, Slot, fold_word, slot_of};
use serde_json::Value;

use crate::state::State;

/// How a sign-up stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commitment {
    /// They have a place.
    Registered,
    /// They wait for one.
    Waitlisted,
    /// They do not come.
    Cancelled,
    /// They were there.
    Attended,
    /// They had a place and were not there.
    Absent,
}

impl Commitment {
    const ALL: [Self; 5] = [
        Self::Registered,
        Self::Waitlisted,
        Self::Cancelled,
        Self::Attended,
        Self::Absent,
    ];

    /// The name in a registration's `state`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Waitlisted => "waitlisted",
            Self::Cancelled => "cancelled",
            Self::Attended => "attended",
            Self::Absent => "absent",
        }
    }

    /// How the registration with these fields stands, where it says.
    pub(crate) fn of(fields: &Fields) -> Option<Self> {
        let said = fields.get("state")?.as_str()?;
        Self::ALL.into_iter().find(|known| known.as_str() == said)
    }

    /// Whether a place is taken by it.
    pub(crate) fn sits(self) -> bool {
        matches!(self, Self::Registered | Self::Attended)
    }
}

/// Who is on what.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roll {
    seats: BTreeMap<EntityId, Seats>,
    by_email: HashMap<Slot, EntityId>,
    identified: BTreeSet<EntityId>,
    also: HashMap<EntityId, EntityId>,
    unplaced: BTreeMap<String, BTreeSet<EntityId>>,
}

/// The sign-ups for one activity or task. Turns tell their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seats {
    /// How many places are taken.
    pub(crate) taken: u64,
    /// Who has a place.
    pub(crate) on: BTreeSet<(u64, EntityId)>,
    /// Who waits for one.
    pub(crate) list: BTreeSet<(u64, EntityId)>,
    /// Every sign-up of a person, whatever became of it.
    by_person: BTreeMap<EntityId, EntityId>,
    drawn: u64,
}

impl Seats {
    /// The place of a sign-up on the waiting list, from 1.
    pub(crate) fn position(&self, registration: EntityId) -> Option<u32> {
        let at = self.list.iter().position(|(_, id)| *id == registration)?;
        u32::try_from(at + 1).ok()
    }

    /// Every person with their sign-up, whatever became of it.
    pub(crate) fn people(&self) -> impl Iterator<Item = (EntityId, EntityId)> + '_ {
        self.by_person.iter().map(|(&who, &what)| (who, what))
    }

    /// Every sign-up, whatever became of it.
    pub(crate) fn all(&self) -> impl Iterator<Item = EntityId> + '_ {
        self.people().map(|(_, sign_up)| sign_up)
    }

    /// How many sign-ups would be lost with what they are for.
    pub(crate) fn active(&self) -> usize {
        self.on.len() + self.list.len()
    }
}

/// What a registration is for: its task, else its activity.
pub(crate) fn subject_of(fields: &Fields) -> Option<EntityId> {
    let id = |name: &str| fields.get(name)?.as_str()?.parse().ok();
    id("task").or_else(|| id("activity"))
}

fn person_of(fields: &Fields) -> Option<EntityId> {
    fields.get("person")?.as_str()?.parse().ok()
}

/// For how many people a registration is.
pub(crate) fn places_of(fields: &Fields) -> u64 {
    fields.get("places").and_then(Value::as_u64).unwrap_or(1)
}

/// The number drawn by a registration.
pub(crate) fn turn_of(fields: &Fields) -> u64 {
    fields.get("turn").and_then(Value::as_u64).unwrap_or(0)
}

impl Roll {
    /// The roll of a state.
    pub(crate) fn of(state: &State) -> Self {
        let mut roll = Self::default();
        for (&id, record) in &state.entities {
            if roll.takes(record.kind) {
                roll.change(id, record.kind, None, Some(&record.fields()));
            }
        }
        roll
    }

    /// Whether entities of this kind stand in it.
    #[expect(clippy::unused_self, reason = "asked of the roll")]
    pub(crate) fn takes(&self, kind: EntityKind) -> bool {
        matches!(
            kind,
            EntityKind::Registration | EntityKind::Person | EntityKind::Task
        )
    }

    /// An entity changed; its fields hold slots in place of personal values.
    pub(crate) fn change(
        &mut self,
        id: EntityId,
        kind: EntityKind,
        before: Option<&Fields>,
        after: Option<&Fields>,
    ) {
        match kind {
            EntityKind::Registration => {
                if let Some(before) = before {
                    self.take_out(id, before);
                }
                if let Some(after) = after {
                    self.put_in(id, after);
                }
            }
            EntityKind::Person => {
                let slot = |fields: &Fields| slot_of(fields.get("email")?).map(str::to_owned);
                if let Some(slot) = before.and_then(slot) {
                    self.by_email.remove(&slot);
                }
                if let Some(slot) = after.and_then(slot) {
                    self.by_email.insert(slot, id);
                }
                if after.is_some_and(|after| after.contains_key("identities")) {
                    self.identified.insert(id);
                } else {
                    self.identified.remove(&id);
                }
            }
            EntityKind::Task => {
                if let Some(key) = before.and_then(unplaced) {
                    let all = self.unplaced.entry(key.clone()).or_default();
                    all.remove(&id);
                    if all.is_empty() {
                        self.unplaced.remove(&key);
                    }
                }
                if let Some(key) = after.and_then(unplaced) {
                    self.unplaced.entry(key).or_default().insert(id);
                }
            }
            _ => {}
        }
    }

    fn take_out(&mut self, id: EntityId, fields: &Fields) {
        let Some(seats) = subject_of(fields).and_then(|subject| self.seats.get_mut(&subject))
        else {
            return;
        };
        let key = (turn_of(fields), id);
        if seats.on.remove(&key) {
            seats.taken -= places_of(fields);
        }
        seats.list.remove(&key);
        if let Some(person) = person_of(fields)
            && seats.by_person.get(&person) == Some(&id)
        {
            seats.by_person.remove(&person);
        }
    }

    fn put_in(&mut self, id: EntityId, fields: &Fields) {
        let named = fields.get("also").and_then(Value::as_array);
        let named = named.into_iter().flatten().filter_map(Value::as_str);
        for other in named.filter_map(|other| other.parse().ok()) {
            self.also.insert(other, id);
        }
        let Some(subject) = subject_of(fields) else {
            return;
        };
        let seats = self.seats.entry(subject).or_default();
        let turn = turn_of(fields);
        seats.drawn = seats.drawn.max(turn);
        match Commitment::of(fields) {
            Some(standing) if standing.sits() => {
                seats.on.insert((turn, id));
                seats.taken += places_of(fields);
            }
            Some(Commitment::Waitlisted) => {
                seats.list.insert((turn, id));
            }
            _ => {}
        }
        if let Some(person) = person_of(fields) {
            let known = seats.by_person.entry(person).or_insert(id);
            *known = id.min(*known);
        }
    }

    /// The sign-ups for an activity or a task.
    pub(crate) fn seats(&self, subject: EntityId) -> Option<&Seats> {
        self.seats.get(&subject)
    }

    /// How many sign-ups stand for it.
    pub(crate) fn active(&self, subject: EntityId) -> usize {
        self.seats.get(&subject).map_or(0, Seats::active)
    }

    /// The sign-up of a person, whatever became of it.
    pub(crate) fn sign_up(&self, subject: EntityId, person: EntityId) -> Option<EntityId> {
        self.seats.get(&subject)?.by_person.get(&person).copied()
    }

    /// Every sign-up of a person, whatever became of it, with what it is for.
    pub(crate) fn sign_ups_of(
        &self,
        person: EntityId,
    ) -> impl Iterator<Item = (EntityId, EntityId)> + '_ {
        self.seats
            .iter()
            .filter_map(move |(&subject, seats)| Some((subject, *seats.by_person.get(&person)?)))
    }

    /// The number for whoever signs up next.
    pub(crate) fn next_turn(&self, subject: EntityId) -> u64 {
        self.seats.get(&subject).map_or(0, |seats| seats.drawn) + 1
    }

    /// Who has the address in this slot.
    pub(crate) fn with_email(&self, slot: &str) -> Option<EntityId> {
        self.by_email.get(slot).copied()
    }

    /// Everybody who is known in a tool.
    pub(crate) fn with_identities(&self) -> impl Iterator<Item = EntityId> + '_ {
        self.identified.iter().copied()
    }

    /// The registration that goes by another id as well.
    pub(crate) fn called(&self, id: EntityId) -> EntityId {
        self.also.get(&id).copied().unwrap_or(id)
    }

    /// Whether a task waits for its activity.
    pub(crate) fn has_unplaced(&self) -> bool {
        !self.unplaced.is_empty()
    }

    /// Tasks that wait for an activity of this title.
    pub(crate) fn waiting_for(&self, title: &str) -> impl Iterator<Item = EntityId> + '_ {
        self.unplaced
            .get(&fold_word(title))
            .into_iter()
            .flatten()
            .copied()
    }
}

/// The title of the activity a task waits for.
fn unplaced(fields: &Fields) -> Option<String> {
    let title = fields.get("of")?.as_str()?;
    (!fields.contains_key("activity")).then(|| fold_word(title))
}
