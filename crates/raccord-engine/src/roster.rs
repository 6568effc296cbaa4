//! Who is on what, for those who look: pages, and the mails that tell people how they stand. Read from
//! the roll, with personal values in place.

use std::collections::HashMap;

use raccord_model::{
    ABOUT, ConnectorName, Context, Entity, EntityId, EntityKind, Fields, Render, Rendered, Subject,
    Words,
};

use serde_json::{Value, json};

use crate::deciding::Deciding;
use crate::engine::Engine;
use crate::roll::{Commitment, subject_of, turn_of};

/// The sign-ups for one activity or task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// How many places are taken.
    pub taken: u64,
    /// Who has a place, in the order of their numbers.
    pub on: Vec<EntityId>,
    /// Who waits for one, in that order.
    pub waiting: Vec<EntityId>,
    /// Who had a place and was not there.
    pub absent: Vec<EntityId>,
}

/// How the sign-up of somebody stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standpoint {
    /// The registration.
    pub registration: EntityId,
    /// What it is for.
    pub subject: EntityId,
    /// How it stands.
    pub standing: Commitment,
    /// The number drawn for it.
    pub turn: u64,
    /// The place on the waiting list, from 1.
    pub position: Option<u32>,
}

impl Engine {
    /// An entity with its personal values; what was forgotten is not there.
    pub fn entity(&self, id: EntityId) -> Option<Entity> {
        let mut entity = self.state().entity(id)?;
        self.vault().reveal(&mut entity.fields);
        Some(entity)
    }

    /// The sign-ups for an activity or a task.
    pub fn sheet(&self, subject: EntityId) -> Sheet {
        let Some(seats) = self.flight.roll.seats(subject) else {
            return Sheet::default();
        };
        let mut absent: Vec<(u64, EntityId)> = seats
            .people()
            .filter_map(|(_, registration)| {
                let known = self.state().entity(registration)?;
                let missed = Commitment::of(&known.fields) == Some(Commitment::Absent);
                missed.then(|| (turn_of(&known.fields), registration))
            })
            .collect();
        absent.sort_unstable();
        let ids = |all: &std::collections::BTreeSet<(u64, EntityId)>| {
            all.iter().map(|&(_, registration)| registration).collect()
        };
        Sheet {
            taken: seats.taken,
            on: ids(&seats.on),
            waiting: ids(&seats.list),
            absent: absent.into_iter().map(|(_, id)| id).collect(),
        }
    }

    /// How many places are taken, and how many people wait.
    pub fn taken(&self, subject: EntityId) -> (u64, usize) {
        let seats = self.flight.roll.seats(subject);
        seats.map_or((0, 0), |seats| (seats.taken, seats.list.len()))
    }

    /// The people who have a place, in the order of their numbers.
    pub fn people_on(&self, subject: EntityId) -> Vec<EntityId> {
        let Some(seats) = self.flight.roll.seats(subject) else {
            return Vec::new();
        };
        let who: HashMap<EntityId, EntityId> =
            seats.people().map(|(who, what)| (what, who)).collect();
        let on = seats.on.iter();
        on.filter_map(|(_, registration)| who.get(registration).copied())
            .collect()
    }

    /// The tasks of an activity that are not cancelled.
    pub fn tasks_of(&self, activity: EntityId) -> Vec<EntityId> {
        let state = self.state();
        let children = self.flight.children.get(&activity).into_iter().flatten();
        let is_task = |id: &EntityId| {
            state
                .entity(*id)
                .is_some_and(|it| it.kind == EntityKind::Task && it.text("state") != "cancelled")
        };
        children.copied().filter(is_task).collect()
    }

    /// Every sign-up of a person.
    pub fn sign_ups_of(&self, person: EntityId) -> Vec<Standpoint> {
        let all = self.flight.roll.sign_ups_of(person);
        all.filter_map(|(subject, registration)| self.standpoint(subject, registration))
            .collect()
    }

    /// The sign-up of a person for an activity or a task.
    pub fn sign_up_of(&self, subject: EntityId, person: EntityId) -> Option<Standpoint> {
        let registration = self.flight.roll.sign_up(subject, person)?;
        self.standpoint(subject, registration)
    }

    fn standpoint(&self, subject: EntityId, registration: EntityId) -> Option<Standpoint> {
        let known = self.state().entity(registration)?;
        let seats = self.flight.roll.seats(subject);
        Some(Standpoint {
            registration,
            subject,
            standing: Commitment::of(&known.fields)?,
            turn: turn_of(&known.fields),
            position: seats.and_then(|seats| seats.position(registration)),
        })
    }

    /// Whether its time has passed at this instant.
    pub fn is_over(&mut self, subject: EntityId, now: jiff::Timestamp) -> bool {
        let deciding = self.looking(now, &Blank);
        let known = deciding.state.entity(subject);
        known.is_some_and(|known| crate::hands::is_over(&deciding, &known))
    }

    /// Why nobody can sign up for it at this instant.
    pub fn closed(&mut self, subject: EntityId, now: jiff::Timestamp) -> Option<Words> {
        self.looking(now, &Blank).closed(subject)
    }
}

/// Renders nothing: only looked at.
struct Blank;

impl Render for Blank {
    fn render(&self, _: &ConnectorName, _: Subject<'_>, _: &Context<'_>) -> Rendered {
        Rendered::Nothing
    }
}

/// What of an activity or a task whoever signed up for it is told.
const TOLD: [&str; 8] = [
    "title", "start", "end", "room", "status", "due", "undated", "poll",
];

impl Deciding<'_> {
    /// An entity as sinks see it. A sign-up brings along what it is for and where on the list it
    /// stands; with `personal`, also whom it tells: address, name, language and the way they chose.
    pub(crate) fn seen(&self, mut entity: Entity, personal: bool) -> Entity {
        if entity.kind != EntityKind::Registration {
            return entity;
        }
        let Some(subject) = subject_of(&entity.fields) else {
            return entity;
        };
        let known = |id: EntityId| self.state.entity(id);
        let of = entity.text("activity").parse().ok().and_then(known);
        let of = of.or_else(|| known(subject).filter(|it| it.kind == EntityKind::Activity));
        let task = known(subject).filter(|it| it.kind == EntityKind::Task);
        let mut about: Fields = of.iter().flat_map(told).collect();
        if let Some(task) = task {
            about.insert("task".into(), json!(task.text("title")));
            if of.is_none() {
                about.extend(
                    task.fields
                        .get("due")
                        .map(|due| ("start".into(), due.clone())),
                );
            }
            if task.text("state") == "cancelled" {
                about.insert("status".into(), json!("cancelled"));
            }
        }
        about.insert("id".into(), json!(of.map_or(subject, |of| of.id)));
        entity.fields.insert(ABOUT.into(), json!(about));
        let seats = self.flight.roll.seats(subject);
        if let Some(position) = seats.and_then(|seats| seats.position(entity.id)) {
            entity.fields.insert("position".into(), json!(position));
        }
        let person = entity.text("person").parse().ok().filter(|_| personal);
        if let Some(person) = person.and_then(|id| self.entity(id)) {
            for name in ["email", "name", "language", "told"] {
                if let Some(value) = person.fields.get(name) {
                    entity.fields.insert(name.to_owned(), value.clone());
                }
            }
        }
        entity
    }

    /// What an activity is for those who signed up changed: they may have to be told.
    pub(crate) fn touch_sign_ups(&mut self, activity: EntityId) {
        let tasks = self.flight.children.get(&activity).into_iter().flatten();
        let subjects = tasks.copied().chain([activity]);
        let active: Vec<EntityId> = subjects
            .filter_map(|subject| self.flight.roll.seats(subject))
            .flat_map(|seats| seats.on.iter().chain(&seats.list))
            .map(|&(_, registration)| registration)
            .collect();
        self.touched.extend(active);
    }
}

fn told(entity: &Entity) -> impl Iterator<Item = (String, Value)> + '_ {
    TOLD.into_iter()
        .filter_map(|name| Some((name.to_owned(), entity.fields.get(name)?.clone())))
}
