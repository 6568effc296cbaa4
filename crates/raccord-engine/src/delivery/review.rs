//! What is owed: what a tool should hold, compared with what it holds.

use jiff::Timestamp;
use raccord_model::{ConnectorName, DeliveryId, EntityId, EntityKind, Link, Words};

use crate::deciding::Deciding;
use crate::fact::{DeliveryRef, Fact, OwedFact};
use crate::sayings::About;
use crate::state::{Aside, Progress};

impl Deciding<'_> {
    /// Looks again at every object of the touched entities, and at publications.
    pub(crate) fn review_touched(&mut self) {
        let rules = self.rules();
        let touched = std::mem::take(&mut self.touched);
        for name in rules.sinks.keys() {
            for &entity in &touched {
                self.review(name, entity);
                self.review_moved(name, entity);
            }
        }
        let entities = &self.state.entities;
        let is_person = |entity: &EntityId| {
            let record = entities.get(entity);
            record.is_some_and(|record| record.kind == EntityKind::Person)
        };
        let people: Vec<EntityId> = touched.iter().copied().filter(is_person).collect();
        for entity in touched {
            crate::personal::review(self, entity);
        }
        let today = self.civil_now().date();
        if self.republish || self.flight.published != Some(today) {
            self.republish = false;
            // The reading that is waited for may bring nothing that would call for it: then the next
            // step looks again.
            let time = crate::publication::is_time(self);
            self.flight.published = time.then_some(today);
            if time {
                crate::publication::review_all(self);
            }
        }
        crate::personal::review_chosen(self, &people);
    }

    /// Compares what `sink` should hold with what it holds, and owes the difference.
    pub(crate) fn review(&mut self, sink: &ConnectorName, id: EntityId) {
        self.review_tried(sink, id, None);
    }

    /// [`Deciding::review`] of what a log that was lost may have made until `lost`.
    pub(crate) fn review_tried(
        &mut self,
        sink: &ConnectorName,
        id: EntityId,
        lost: Option<Timestamp>,
    ) {
        let Some(wish) = self.wish(sink, id) else {
            return;
        };
        let target = self
            .state
            .sinks
            .get(sink)
            .and_then(|state| state.targets.get(&id));
        let link = target.and_then(|target| target.link.clone());
        let owed = target.and_then(|target| target.owed.clone());
        // What is owed stays in its lane, even when the entity moved to another family.
        let family = target
            .filter(|target| target.owed.is_some())
            .and_then(|target| target.family)
            .unwrap_or(wish.family);
        let wanted = wish.wanted();
        if let Some(owed) = &owed {
            let under_way = self.flight.is_busy(sink, family, owed.delivery);
            let asked = DeliveryRef {
                connector: sink.clone(),
                family,
                id: owed.delivery,
            };
            if owed.hash != wanted && crate::hold::unblock(self, &asked) {
                self.review_tried(sink, id, lost);
                return;
            }
            if under_way || owed.progress != Progress::Pending {
                return; // Its outcome brings us back here.
            }
        }
        // What was tried may stand in the tool: only a write makes sure that it does not.
        let tried = owed.as_ref().is_some_and(|owed| self.tried(sink, owed))
            && (link.is_some() || wish.by_address());
        let settled = wanted == link.as_ref().map(|link| link.hash) && !tried;
        let of = |delivery| DeliveryRef {
            connector: sink.clone(),
            family,
            id: delivery,
        };
        // After a move backwards a lost attempt may have made it: it is looked for before it is let
        // go, so that it is owed as a removal.
        let unsure = owed.as_ref().is_some_and(|owed| owed.hash.is_some())
            && link.is_none()
            && (self.state.muted.is_some() || self.looks_since(sink).is_some());
        if settled && !unsure {
            if let Some(owed) = owed {
                let why = wish.pointless.clone().unwrap_or_else(|| {
                    Words::new(
                        "l'outil montre déjà ce qu'il faut",
                        "the tool already shows what it should",
                    )
                });
                self.record(Fact::Skipped {
                    of: of(owed.delivery),
                    why,
                });
            }
            crate::paper::compare(self, sink, &wish);
            return;
        }
        if owed.is_none() && crate::delivery::needless(&wish, link.as_ref(), false).is_some() {
            return;
        }
        let dead = self.dead_of(sink, id);
        if dead.iter().any(|(_, aside)| aside.hash == wanted) {
            return;
        }
        let lost = dead
            .iter()
            .map(|(_, aside)| self.tried_until(aside))
            .fold(lost, Option::max);
        self.replace_dead(dead);
        if owed.as_ref().is_some_and(|owed| owed.hash == wanted) {
            return;
        }
        let delivery = match &owed {
            Some(owed) => owed.delivery,
            None => self.object_id(sink, id, wanted, link.as_ref()),
        };
        let first = link.is_none();
        let about = self.about(sink, id);
        let graced = self.now.saturating_add(wish.grace).unwrap_or(self.now);
        let due = match &owed {
            // What could wait may not wait any more, or the other way round.
            Some(owed) if matches!(about, Some(About::Mine(_))) => owed.due.min(graced),
            Some(owed) => owed.due,
            None if wish.announce && !first => self.now,
            None => graced,
        };
        let due = wish.not_before.map_or(due, |earliest| due.max(earliest));
        let about = match about {
            Some(About::Moved(entity) | About::Mine(entity) | About::Reminder(entity, _)) => entity,
            _ => id,
        };
        let cause = self.state.entities.get(&about).map(|record| record.event);
        let fact = OwedFact {
            connector: sink.clone(),
            entity: id,
            delivery,
            family,
            key: wish.key,
            due,
            best_before: wish.best_before,
            hash: wanted,
            cause,
            rule: wish.rule,
        };
        self.record(Fact::Owed(Box::new(fact)));
        if owed.is_none() && first {
            let since = lost.max(self.unknown_until(sink, wish.class));
            self.doubt_once(&of(delivery), Some(wish.class), since);
        }
        if due <= self.now {
            self.flight.wake(sink, family);
        } else {
            self.flight
                .sinks
                .entry(sink.clone())
                .or_default()
                .wake_at(due, family);
        }
    }

    /// Dead deliveries of an object: the same is not tried again, a newer wish takes their place.
    fn dead_of(&self, sink: &ConnectorName, entity: EntityId) -> Vec<(DeliveryRef, Aside)> {
        let dead = self.state.sinks.get(sink).map(|state| &state.dead);
        dead.into_iter()
            .flatten()
            .filter(|(_, aside)| aside.entity == entity && aside.event.is_none())
            .map(|(&id, aside)| {
                let of = DeliveryRef {
                    connector: sink.clone(),
                    family: aside.family,
                    id,
                };
                (of, aside.clone())
            })
            .collect()
    }

    fn replace_dead(&mut self, dead: Vec<(DeliveryRef, Aside)>) {
        for (of, _) in dead {
            let id = of.id;
            self.record(Fact::Dropped { of });
            crate::notice::settle(self, "dead", &id.to_string());
        }
    }

    fn object_id(
        &self,
        sink: &ConnectorName,
        entity: EntityId,
        wanted: Option<raccord_model::Digest>,
        link: Option<&Link>,
    ) -> DeliveryId {
        let wanted = wanted.map(|hash| hash.0).unwrap_or_default();
        let held = link.map(|link| link.hash.0).unwrap_or_default();
        let commit = self.state.commit.to_be_bytes();
        DeliveryId::derive(&[
            sink.as_str().as_bytes(),
            entity.as_bytes(),
            &wanted,
            &held,
            &commit,
        ])
    }
}
