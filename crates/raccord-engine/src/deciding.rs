//! One step being decided: every fact is folded the moment it is recorded, so that what is decided
//! next sees it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use raccord_model::{
    Cause, ConnectorName, Digest, Entity, EntityId, EntityKind, Event, EventId, Fields, Remark,
    Render, Rules, Slot, Trace, Verb, Words, digest_of,
};

use crate::fact::Fact;
use crate::flight::Flight;
use crate::state::State;
use crate::vault::{Vault, masked};

/// How many times Raccord continues a chain of events.
pub(crate) const HOP_LIMIT: u8 = 8;

pub(crate) struct Deciding<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) vault: &'a mut Vault,
    pub(crate) flight: &'a mut Flight,
    pub(crate) render: &'a dyn Render,
    pub(crate) now: Timestamp,
    pub(crate) entropy: Entropy,
    pub(crate) facts: Vec<Fact>,
    pub(crate) slots: Vec<(Slot, String)>,
    pub(crate) events: Vec<Event>,
    pub(crate) remarks: Vec<(ConnectorName, Remark)>,
    /// Entities whose objects in tools must be looked at again.
    pub(crate) touched: BTreeSet<EntityId>,
    /// What the change that is being taken came with; events that follow from it carry it on.
    pub(crate) thread: Thread,
    /// Activities and tasks whose places must be looked at again.
    pub(crate) reseat: BTreeMap<EntityId, Reseat>,
    /// Tasks whose activity must be found.
    pub(crate) unplaced: BTreeSet<EntityId>,
    /// Whose work may have earned something else: person and subject, with the sign-up and the event
    /// that touched it.
    pub(crate) uncredited: BTreeMap<(EntityId, EntityId), (EntityId, EventId)>,
    /// Whether an activity changed, so that publications must be looked at again.
    pub(crate) republish: bool,
}

/// Why places are looked at again.
#[derive(Clone, Copy, Default)]
pub(crate) struct Reseat {
    /// The event that led to it.
    pub(crate) because: Option<EventId>,
    /// Whether there are more or fewer places now.
    pub(crate) recount: bool,
}

/// Names for slots, drawn from the entropy of the step.
pub(crate) struct Entropy {
    seed: [u8; 16],
    drawn: u32,
}

impl Entropy {
    pub(crate) fn new(seed: [u8; 16]) -> Self {
        Self { seed, drawn: 0 }
    }

    pub(crate) fn slot(&mut self) -> Slot {
        self.drawn += 1;
        Digest::of(&[&self.seed[..], &self.drawn.to_be_bytes()].concat()).to_string()
    }
}

/// What an event of another program hands on to those that follow from it.
#[derive(Default)]
pub(crate) struct Thread {
    /// Its `correlationid`, where that is one of ours.
    pub(crate) correlation: Option<EventId>,
    /// Its trace context.
    pub(crate) trace: Option<Box<Trace>>,
}

/// An event about to be decided.
pub(crate) struct Draft<'a> {
    pub(crate) kind: EntityKind,
    pub(crate) verb: Verb,
    pub(crate) entity: EntityId,
    /// The whole entity after the change, personal values in clear.
    pub(crate) fields: Fields,
    pub(crate) source: &'a str,
    pub(crate) family: EntityId,
    pub(crate) cause: Cause,
    /// The event of ours that led to this one.
    pub(crate) causation: Option<(EventId, EventId, u8)>,
}

impl Deciding<'_> {
    pub(crate) fn record(&mut self, fact: Fact) {
        self.state.apply(&fact, self.now);
        self.facts.push(fact);
    }

    pub(crate) fn rules(&self) -> std::sync::Arc<Rules> {
        self.state.rules().clone()
    }

    /// The civil moment it is at the place.
    pub(crate) fn civil_now(&self) -> DateTime {
        self.civil(self.now)
    }

    /// The civil moment it is at the place at `at`.
    pub(crate) fn civil(&self, at: Timestamp) -> DateTime {
        zone_of(self.state.rules()).to_datetime(at)
    }

    /// An entity with personal values in clear.
    pub(crate) fn entity(&self, id: EntityId) -> Option<Entity> {
        let mut entity = self.state.entity(id)?;
        self.vault.reveal(&mut entity.fields);
        Some(entity)
    }

    /// The id of the event by which an entity came to be so.
    fn event_id(&self, entity: EntityId, revision: u64, verb: Verb, content: &Digest) -> EventId {
        EventId::derive(&[
            self.state.rules().place.id.as_str().as_bytes(),
            entity.as_bytes(),
            &revision.to_be_bytes(),
            verb.as_str().as_bytes(),
            &content.0,
        ])
    }

    /// Whether this is what happened to an entity last.
    pub(crate) fn was_last(&self, known: &Entity, verb: Verb) -> bool {
        let content = digest_of(&masked(known.kind, &known.fields));
        let event = self.event_id(known.id, known.revision, verb, &content);
        let record = self.state.entities.get(&known.id);
        record.is_some_and(|record| record.event == event)
    }

    /// Records an event, unless nothing changed. Gives its id.
    pub(crate) fn emit(&mut self, draft: Draft<'_>) -> Option<EventId> {
        let Draft {
            kind,
            verb,
            entity,
            mut fields,
            source,
            family,
            cause,
            causation,
        } = draft;
        // Absent means not known: null and empty texts are never kept.
        fields.retain(|_, value| !value.is_null() && value != "");
        self.vault.strip(kind, &mut fields);
        let before = self.entity(entity);
        if kind == EntityKind::Credit && before.is_none() {
            crate::credits::seal(self, entity, &mut fields);
        }
        let changed = changed_fields(before.as_ref().map(|entity| &entity.fields), &fields);
        if before.is_some() && changed.is_empty() && matches!(verb, Verb::Created | Verb::Updated) {
            return None;
        }
        let revision = before.as_ref().map_or(1, |entity| entity.revision + 1);
        let rules = self.rules();
        let content = digest_of(&masked(kind, &fields));
        let id = self.event_id(entity, revision, verb, &content);
        // What follows from an event goes on in its trace.
        let carried = causation.and_then(|(cause, ..)| {
            let mut known = self.events.iter().rev();
            known.find(|known| known.id == cause)?.trace.clone()
        });
        let (causation, correlation, hops) = match causation {
            Some((cause, chain, hops)) => (Some(cause), chain, hops + 1),
            None => (None, self.thread.correlation.unwrap_or(id), 0),
        };
        let whole = Entity {
            id: entity,
            kind,
            revision,
            source: source.to_owned(),
            fields,
        };
        let to = crate::routing::every_event(&rules, &whole);
        let mut data = whole.fields;
        let entropy = &mut self.entropy;
        self.vault
            .hide(kind, &mut data, || entropy.slot(), &mut self.slots);
        let event = Event {
            id,
            kind,
            verb,
            entity,
            revision,
            changed: changed
                .iter()
                .map(|name| format!("/{}", pointer_token(name)))
                .collect(),
            source: source.to_owned(),
            time: self.now,
            family,
            correlation,
            causation,
            hops,
            trace: self.thread.trace.clone().or(carried),
            cause,
            data,
        };
        let stood = self.stood(entity, kind);
        let belonged = self.state.entities.get(&entity);
        let belonged = belonged.and_then(|record| record.family);
        self.events.push(event.clone());
        self.record(Fact::Event {
            event: Box::new(event.clone()),
            to: to.clone(),
        });
        self.enrol(&event, stood.as_ref());
        for connector in &to {
            self.doubt_event(connector, &event);
            self.flight.wake(connector, family);
        }
        if let Some(old) = belonged.filter(|old| *old != family)
            && let Some(children) = self.flight.children.get_mut(&old)
        {
            children.remove(&entity);
        }
        if family != entity {
            self.flight
                .children
                .entry(family)
                .or_default()
                .insert(entity);
        }
        self.touched.insert(entity);
        crate::hands::touch(self, entity, kind, belonged);
        // Pages show activities, and the hands that each needs.
        self.republish |= matches!(kind, EntityKind::Activity | EntityKind::Task);
        if kind == EntityKind::Activity {
            let asks = event.data.contains_key("hands");
            crate::recipes::derive(self, entity, id, asks);
            crate::hands::activity_changed(self, entity, before.as_ref());
        }
        Some(id)
    }

    /// What the roll knew of an entity.
    fn stood(&self, entity: EntityId, kind: EntityKind) -> Option<Fields> {
        let known = self
            .flight
            .roll
            .takes(kind)
            .then(|| self.state.entity(entity));
        known.flatten().map(|known| known.fields)
    }

    /// Enters an event in the roll, and notes whose places it touches.
    fn enrol(&mut self, event: &Event, stood: Option<&Fields>) {
        let (entity, kind) = (event.entity, event.kind);
        if self.flight.roll.takes(kind) {
            self.flight
                .roll
                .change(entity, kind, stood, Some(&event.data));
        }
        let changed = |name: &str| {
            let mut all = event.changed.iter();
            all.any(|pointer| pointer.get(1..) == Some(name))
        };
        crate::credits::note(self, event, stood);
        match kind {
            EntityKind::Registration => {
                let subjects = [stood, Some(&event.data)].into_iter().flatten();
                for subject in subjects.filter_map(crate::roll::subject_of) {
                    self.note_places(subject, event.id, false);
                }
            }
            EntityKind::Activity | EntityKind::Task => {
                if kind == EntityKind::Task {
                    crate::hands::task_changed(self, entity, stood, &event.data);
                }
                let may_seat = ["capacity", "status", "state", "start", "end", "due"];
                if self.flight.roll.seats(entity).is_some() && may_seat.into_iter().any(changed) {
                    self.note_places(entity, event.id, changed("capacity"));
                }
            }
            _ => {}
        }
    }

    /// The places of `subject` are looked at again before the step ends.
    fn note_places(&mut self, subject: EntityId, because: EventId, recount: bool) {
        // How many places are taken is shown with a task and with its activity.
        self.touched.insert(subject);
        crate::hands::touch(self, subject, EntityKind::Task, None);
        let again = self.reseat.entry(subject).or_default();
        again.because = Some(because);
        again.recount |= recount;
    }

    /// Where a chain of events stands: its event, its origin, and how often we continued it.
    pub(crate) fn chain(&self, event: EventId) -> (EventId, EventId, u8) {
        self.events
            .iter()
            .rev()
            .find(|known| known.id == event)
            .map_or((event, event, 0), |known| {
                (known.id, known.correlation, known.hops)
            })
    }

    /// The words of a title for people: the entity's title, or its kind.
    pub(crate) fn title(&self, id: EntityId) -> String {
        let entity = self.entity(id);
        let called = |entity: &Entity| match entity.kind {
            EntityKind::Credit => entity.text("reason").to_owned(),
            _ => entity.text("title").to_owned(),
        };
        entity.as_ref().map(called).unwrap_or_default()
    }

    pub(crate) fn mute(&mut self, why: Words) {
        // It may be said anew why: a copy becomes a rehearsal.
        if self.state.muted.as_ref() != Some(&why) {
            self.record(Fact::Muted(why));
        }
    }
}

/// The zone of the place; UTC where its name is not known here (settings refuse such names).
pub(crate) fn zone_of(rules: &Rules) -> TimeZone {
    TimeZone::get(&rules.place.zone).unwrap_or(TimeZone::UTC)
}

/// The names of the fields that differ.
pub(crate) fn changed_fields(before: Option<&Fields>, after: &Fields) -> Vec<String> {
    let empty = Fields::new();
    let before = before.unwrap_or(&empty);
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .cloned()
        .collect()
}

/// A JSON Pointer token (RFC 6901, section 3).
fn pointer_token(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
