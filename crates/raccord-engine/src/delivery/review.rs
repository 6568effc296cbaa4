//! What is owed: what a tool should hold, compared with what it holds.

use raccord_model::{ConnectorName, DeliveryId, EntityId, Link, Words};

use crate::deciding::Deciding;
use crate::fact::{DeliveryRef, Fact, OwedFact};
use crate::state::Progress;

impl Deciding<'_> {
    /// Looks again at every object of the touched entities, and at publications.
    pub(crate) fn review_touched(&mut self) {
        let rules = self.rules();
        let touched = std::mem::take(&mut self.touched);
        for name in rules.sinks.keys() {
            for &entity in &touched {
                self.review(name, entity);
            }
        }
        let today = self.civil_now().date();
        if self.republish || self.flight.published != Some(today) {
            self.republish = false;
            self.flight.published = Some(today);
            crate::publication::review_all(self);
        }
    }

    /// Compares what `sink` should hold with what it holds, and owes the difference.
    pub(crate) fn review(&mut self, sink: &ConnectorName, id: EntityId) {
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
        let sinks = &self.state.sinks;
        let unsure = owed.as_ref().is_some_and(|owed| owed.hash.is_some())
            && link.is_none()
            && (self.state.muted.is_some()
                || sinks
                    .get(sink)
                    .is_some_and(|state| state.look_first.is_some()));
        if settled && !unsure {
            if let Some(owed) = owed {
                let why = Words::new(
                    "l'outil montre déjà ce qu'il faut",
                    "the tool already shows what it should",
                );
                self.record(Fact::Skipped {
                    of: of(owed.delivery),
                    why,
                });
            }
            return;
        }
        if owed.is_none() && crate::delivery::needless(&wish, link.as_ref(), false).is_some() {
            return;
        }
        if self.superseded_dead(sink, id, wanted) {
            return;
        }
        if owed.as_ref().is_some_and(|owed| owed.hash == wanted) {
            return;
        }
        let delivery = match &owed {
            Some(owed) => owed.delivery,
            None => self.object_id(sink, id, wanted, link.as_ref()),
        };
        let first = link.is_none();
        let due = match &owed {
            Some(owed) => owed.due,
            None if wish.announce && !first => self.now,
            None => self.now.saturating_add(wish.grace).unwrap_or(self.now),
        };
        let cause = self.state.entities.get(&id).map(|record| record.event);
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
            self.doubt_object(&of(delivery), wish.class);
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

    /// A dead delivery of the same object stops the same from being tried again; a newer wish
    /// takes its place.
    fn superseded_dead(
        &mut self,
        sink: &ConnectorName,
        entity: EntityId,
        wanted: Option<raccord_model::Digest>,
    ) -> bool {
        let Some(state) = self.state.sinks.get(sink) else {
            return false;
        };
        let dead: Vec<(DeliveryId, EntityId, bool)> = state
            .dead
            .iter()
            .filter(|(_, aside)| aside.entity == entity && aside.event.is_none())
            .map(|(&id, aside)| (id, aside.family, aside.hash == wanted))
            .collect();
        if dead.iter().any(|(_, _, same)| *same) {
            return true;
        }
        for (id, family, _) in dead {
            self.record(Fact::Dropped {
                of: DeliveryRef {
                    connector: sink.clone(),
                    family,
                    id,
                },
            });
            crate::notice::settle(self, "dead", &id.to_string());
        }
        false
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
