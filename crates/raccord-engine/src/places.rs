//! Places: how many are left, who gets one that became free, and what happens where there are fewer
//! than people who have one.

use raccord_model::{Cause, Entity, EntityId, EntityKind, EventId, Fields, HoldId, Words};
use serde_json::{Value, json};

use crate::deciding::Deciding;
use crate::fact::{Closing, HeldEffect, Hold, HoldKind};
use crate::hands;
use crate::roll::{Commitment, places_of};
use crate::signups::Decision;

/// Why a sign-up on the list got a place.
pub(crate) const PLACE_FREE: &str = "place-free";

impl Deciding<'_> {
    /// Why nobody can sign up for it any more.
    pub(crate) fn closed(&self, subject: EntityId) -> Option<Words> {
        let entity = self.state.entity(subject);
        let entity = entity.filter(|entity| {
            let kind = matches!(entity.kind, EntityKind::Activity | EntityKind::Task);
            kind && !entity.is_foreign()
        });
        let Some(entity) = entity else {
            return Some(Words::new(
                format!("on ne s'inscrit pas à {subject} ici"),
                format!("one does not sign up for {subject} here"),
            ));
        };
        let activity = crate::asked::activity_of(&entity).and_then(|id| self.state.entity(id));
        let of = activity.as_ref().map(|activity| activity.text("status"));
        let standing = match entity.kind {
            EntityKind::Task => of
                .filter(|status| matches!(*status, "cancelled" | "draft"))
                .unwrap_or_else(|| entity.text("state")),
            _ => entity.text("status"),
        };
        match standing {
            "cancelled" => Some(Words::new("c'est annulé", "it is cancelled")),
            "done" => Some(Words::new("c'est déjà fait", "it is done already")),
            "draft" => Some(Words::new(
                "ce n'est pas encore sûr",
                "it is not certain yet",
            )),
            _ if hands::is_over(self, &entity) => Some(Words::new("c'est passé", "it is over")),
            _ => None,
        }
    }

    pub(crate) fn capacity(&self, subject: EntityId) -> Option<u64> {
        self.state.entity(subject)?.fields.get("capacity")?.as_u64()
    }

    /// How many places are free; none where the organiser says that it is full.
    pub(crate) fn free(&self, subject: EntityId) -> u64 {
        let Some(entity) = self.state.entity(subject) else {
            return u64::MAX;
        };
        if entity.text("status") == "full" {
            return 0;
        }
        let taken = self
            .flight
            .roll
            .seats(subject)
            .map_or(0, |seats| seats.taken);
        let most = entity.fields.get("capacity").and_then(Value::as_u64);
        most.map_or(u64::MAX, |most| most.saturating_sub(taken))
    }

    /// Whether there are places for somebody who comes now.
    pub(crate) fn ask(&self, subject: EntityId, places: u64) -> Commitment {
        let waited = self
            .flight
            .roll
            .seats(subject)
            .is_some_and(|seats| !seats.list.is_empty());
        if !waited && self.free(subject) >= places {
            Commitment::Registered
        } else {
            Commitment::Waitlisted
        }
    }
}

/// Places that became free are given to whoever waits longest; tasks say who is on them; where there
/// are fewer places than people, a person is asked.
pub(crate) fn settle(deciding: &mut Deciding<'_>) {
    while let Some((subject, reseat)) = deciding.reseat.pop_first() {
        let Some(entity) = deciding.state.entity(subject) else {
            continue;
        };
        recount(deciding, &entity, reseat.recount);
        deciding.filled(subject);
        if deciding.closed(subject).is_none() && deciding.keeper(subject).is_none() {
            fill(deciding, subject, reseat.because);
        }
        if entity.kind == EntityKind::Task {
            hands::refresh(deciding, subject, reseat.because);
        }
    }
}

/// Gives free places in the order of the list: nobody overtakes.
fn fill(deciding: &mut Deciding<'_>, subject: EntityId, because: Option<EventId>) {
    loop {
        let seats = deciding.flight.roll.seats(subject);
        let Some(&(_, first)) = seats.and_then(|seats| seats.list.first()) else {
            return;
        };
        let Some(known) = deciding.entity(first) else {
            return;
        };
        if places_of(&known.fields) > deciding.free(subject) {
            return;
        }
        let source = known.source.clone();
        let decision = Decision {
            registration: first,
            fields: known.fields.clone(),
            before: Some(known),
            standing: Commitment::Registered,
        };
        let cause = Cause::Noticed {
            code: PLACE_FREE.to_owned(),
        };
        let causation = because.map(|event| deciding.chain(event));
        deciding.decided(decision, &source, cause, causation);
    }
}

fn hold_id(subject: EntityId) -> HoldId {
    HoldId::derive(&[b"seats", subject.as_bytes()])
}

/// Fewer places than people who have one: asked once, when that becomes so.
fn recount(deciding: &mut Deciding<'_>, entity: &Entity, asks: bool) {
    let beyond = beyond(deciding, entity.id);
    if beyond.is_empty() || deciding.keeper(entity.id).is_some() {
        crate::hold::close(deciding, hold_id(entity.id), Closing::Moot);
        return;
    }
    let open = deciding.state.holds.contains_key(&hold_id(entity.id));
    if !asks && !open {
        return;
    }
    let title = entity.text("title").to_owned();
    let seats = deciding.flight.roll.seats(entity.id);
    let on = seats.map_or(0, |seats| seats.taken);
    let most = deciding.capacity(entity.id).unwrap_or(on);
    let hold = Hold {
        id: hold_id(entity.id),
        what: HoldKind::Seats { subject: entity.id },
        reason: Words::new(
            format!(
                "« {title} » : {on} places sont prises, et il n'y en a plus que {most}. Oui : les dernières inscriptions passent en tête de la liste d'attente. Non : tout le monde garde sa place."
            ),
            format!(
                "“{title}”: {on} places are taken, and there are only {most} now. Yes: the last sign-ups go to the head of the waiting list. No: everybody keeps their place."
            ),
        ),
        opened: deciding.now,
        effects: beyond
            .into_iter()
            .map(|registration| HeldEffect {
                connector: None,
                entity: registration,
                action: "update".into(),
                title: title.clone(),
                before: state_field(Commitment::Registered),
                after: state_field(Commitment::Waitlisted),
            })
            .collect(),
        more: 0,
    };
    crate::hold::open(deciding, hold);
}

fn state_field(standing: Commitment) -> Fields {
    Fields::from([("state".to_owned(), json!(standing.as_str()))])
}

/// The last of those who have a place where there are too few, last first. Who was there was there.
fn beyond(deciding: &Deciding<'_>, subject: EntityId) -> Vec<EntityId> {
    let (Some(most), Some(seats)) = (
        deciding.capacity(subject),
        deciding.flight.roll.seats(subject),
    ) else {
        return Vec::new();
    };
    let mut taken = seats.taken;
    let mut last = Vec::new();
    for &(_, id) in seats.on.iter().rev() {
        if taken <= most {
            break;
        }
        let Some(known) = deciding.state.entity(id) else {
            continue;
        };
        if Commitment::of(&known.fields) == Some(Commitment::Registered) {
            taken -= places_of(&known.fields);
            last.push(id);
        }
    }
    last
}

/// A person said yes: who came last waits.
pub(crate) fn make_wait(deciding: &mut Deciding<'_>, subject: EntityId) {
    for registration in beyond(deciding, subject) {
        if let Some(known) = deciding.entity(registration) {
            deciding.stands(known, Commitment::Waitlisted, "approve");
        }
    }
}

/// Signs everybody off what a person took away.
pub(crate) fn sign_all_off(deciding: &mut Deciding<'_>, subject: EntityId) {
    let seats = deciding
        .flight
        .roll
        .seats(subject)
        .cloned()
        .unwrap_or_default();
    for (_, registration) in seats.on.into_iter().chain(seats.list) {
        let known = deciding.entity(registration);
        let attended = |known: &Entity| Commitment::of(&known.fields) == Some(Commitment::Attended);
        if let Some(known) = known.filter(|known| !attended(known)) {
            deciding.stands(known, Commitment::Cancelled, "approve");
        }
    }
}
