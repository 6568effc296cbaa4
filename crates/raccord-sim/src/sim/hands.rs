//! People sign up for tasks, sign off, and are noted as present.

use std::collections::BTreeMap;

use raccord_engine::{Attested, Commitment, Order, Reply, SignUp, Who};
use raccord_model::{Entity, EntityId, EntityKind};
use serde_json::Value;

use super::Sim;

/// The sign-ups that people are answered with.
pub(super) fn sign_ups(replies: &[Reply]) -> Vec<EntityId> {
    let registration = |reply: &Reply| match reply {
        Reply::SignedUp { registration, .. } => Some(*registration),
        _ => None,
    };
    replies.iter().filter_map(registration).collect()
}

impl Sim {
    /// One of four people, alone or with a friend, signs up for a task.
    pub(super) fn join(&mut self, pick: u64) {
        let Some(subject) = self.one_of(EntityKind::Task, pick / 8) else {
            return;
        };
        self.order(Order::SignUp(Box::new(SignUp {
            subject,
            who: Who {
                email: format!("canary-helper{}@example.org", pick % 4),
                ..Who::default()
            },
            places: 1 + u32::from(pick & 4 != 0),
            comment: String::new(),
        })));
    }

    pub(super) fn leave(&mut self, pick: u64) {
        if let Some(registration) = self.one_of_ours(pick) {
            self.order(Order::SignOff(registration));
        }
    }

    pub(super) fn tick(&mut self, pick: u64) {
        if let Some(registration) = self.one_of_ours(pick / 4) {
            // Who came although no place was theirs was there all the same.
            let sign_up = self.engine.state().entity(registration);
            let stands = Commitment::Registered.as_str();
            let without = sign_up.filter(|one| one.text("state") != stands);
            let task: Option<EntityId> = without.and_then(|one| one.text("task").parse().ok());
            self.crowded.extend(task);
            self.order(Order::Attendance {
                registration,
                came: [Some(true), Some(false), None, Some(true)][(pick % 4) as usize],
                minutes: None,
                by: Attested::Organiser,
            });
        }
    }

    fn all(&self, kind: EntityKind) -> impl Iterator<Item = EntityId> + '_ {
        let entities = self.engine.state().entities.iter();
        entities
            .filter(move |(_, record)| record.kind == kind)
            .map(|(&id, _)| id)
    }

    fn one_of(&self, kind: EntityKind, pick: u64) -> Option<EntityId> {
        let count = self.all(kind).count() as u64;
        self.all(kind).nth(pick.checked_rem(count)? as usize)
    }

    /// A sign-up that was not posted: what programs post is theirs to change.
    fn one_of_ours(&self, pick: u64) -> Option<EntityId> {
        let state = self.engine.state();
        let ours = |id: &EntityId| !state.entities[id].fields().contains_key("n");
        let all: Vec<EntityId> = self.all(EntityKind::Registration).filter(ours).collect();
        let at = pick.checked_rem(all.len() as u64)?;
        all.get(at as usize).copied()
    }

    /// No place is given twice, none stays free while somebody waits who fits, and nobody who was
    /// answered is lost.
    pub(crate) fn places_are_right(&self, wrong: &mut Vec<String>) {
        let state = self.engine.state();
        for id in &self.promised {
            if !state.entities.contains_key(id) {
                wrong.push(format!("the sign-up {id} that was answered is not known"));
            }
        }
        let mut of_task: BTreeMap<String, Vec<Entity>> = BTreeMap::new();
        let sign_ups = self.all(EntityKind::Registration);
        for sign_up in sign_ups.filter_map(|id| state.entity(id)) {
            let task = sign_up.text("task").to_owned();
            of_task.entry(task).or_default().push(sign_up);
        }
        for id in self.all(EntityKind::Task) {
            let Some(task) = state.entity(id) else {
                continue;
            };
            let Some(capacity) = task.fields.get("capacity").and_then(Value::as_u64) else {
                continue;
            };
            let sign_ups = of_task.remove(&id.to_string()).unwrap_or_default();
            self.task_is_right(&task, id, capacity, &sign_ups, wrong);
        }
    }

    fn task_is_right(
        &self,
        task: &Entity,
        id: EntityId,
        capacity: u64,
        sign_ups: &[Entity],
        wrong: &mut Vec<String>,
    ) {
        let stands = |sign_up: &&Entity, as_: Commitment| sign_up.text("state") == as_.as_str();
        let sits = |sign_up: &&Entity| {
            stands(sign_up, Commitment::Registered) || stands(sign_up, Commitment::Attended)
        };
        let number = |sign_up: &Entity, name| sign_up.fields.get(name).and_then(Value::as_u64);
        let places = |sign_up: &Entity| number(sign_up, "places").unwrap_or(1);
        let taken: u64 = sign_ups.iter().filter(sits).map(places).sum();
        // Who was there was there, whatever the number of places is now.
        let comes = sign_ups
            .iter()
            .any(|sign_up| stands(&sign_up, Commitment::Registered));
        if taken > capacity && comes && !self.crowded.contains(&id) && !self.restored {
            wrong.push(format!("{taken} places of {capacity} are taken of a task"));
        }
        let waiting = sign_ups
            .iter()
            .filter(|sign_up| stands(sign_up, Commitment::Waitlisted));
        let head = waiting.min_by_key(|sign_up| number(sign_up, "turn"));
        let open = !["cancelled", "done"].contains(&task.text("state"));
        let over = {
            let record: Option<&raccord_engine::Record> = self.engine.state().entities.get(&id);
            let today = jiff::tz::TimeZone::UTC.to_datetime(self.now);
            record.is_some_and(|record| record.when().over_at().is_some_and(|over| over <= today))
        };
        if let Some(head) = head
            && open
            && !over
            && taken + places(head) <= capacity
        {
            wrong.push("a place is free while somebody waits who fits".to_owned());
        }
    }
}
