//! What an attempt's end means.

use jiff::{SignedDuration, Timestamp};
use raccord_model::{
    Applied, Blame, Class, ConnectorName, DeliveryId, Digest, EntityId, EntityKind, Failure,
    Fields, Found, Link, Mode, Outcome, Policy, Words,
};

use super::schedule::later;
use crate::deciding::Deciding;
use crate::fact::{DeliveryRef, Fact, Health, sets_aside};
use crate::faults::{Fault, planted};
use crate::flight::{Sent, Underway, backoff};
use crate::state::{Progress, Spot};

/// How many failures in a row, whatever the lane, mean that the tool is down.
const DOWN_AFTER: u32 = 3;
/// Credits are never taken for lost before this.
const CREDITS_SETTLE: SignedDuration = SignedDuration::from_mins(2);

impl Deciding<'_> {
    /// What an attempt's end means.
    pub(crate) fn outcome(
        &mut self,
        connector: &ConnectorName,
        family: EntityId,
        delivery: DeliveryId,
        outcome: Outcome,
    ) {
        let of = DeliveryRef {
            connector: connector.clone(),
            family,
            id: delivery,
        };
        let flight = self.flight.sinks.entry(connector.clone()).or_default();
        let Some(busy) = flight.busy.get_mut(&family) else {
            return;
        };
        let Some(Underway { class, sent }) = busy.remove(&delivery) else {
            return;
        };
        let lane_free = busy.is_empty();
        if lane_free {
            flight.busy.remove(&family);
        }
        match outcome {
            Outcome::Done(applied) => self.done(&of, sent, applied),
            Outcome::NotStarted => self.not_started(&of, class, &sent),
            Outcome::Looked(found) => self.looked(&of, found),
            // The tool was not asked, so nothing is learnt of it.
            Outcome::ByHand(why) => crate::credits::by_hand(self, &of, why),
            Outcome::Failed(failure) => self.failed(&of, class, &sent, &failure),
        }
        if lane_free {
            self.flight.wake(connector, family);
        }
    }

    fn not_started(&mut self, of: &DeliveryRef, class: Class, sent: &Sent) {
        if planted(Fault::SkipInBatch) && matches!(sent, Sent::Event) {
            self.ended(of, None, Fields::new());
        } else if !class.repeatable() && !matches!(sent, Sent::Look) {
            self.record(Fact::Again { of: of.clone() });
        }
    }

    fn answered(&mut self, connector: &ConnectorName) {
        let was_down = matches!(
            self.state.sinks.get(connector).map(|sink| &sink.health),
            Some(Health::Down(_) | Health::Refused(_))
        );
        if was_down {
            self.record(Fact::Health {
                connector: connector.clone(),
                state: Health::Up,
            });
            crate::notice::settle(self, "outage", connector.as_str());
            crate::notice::settle(self, "access", connector.as_str());
        }
        self.flight
            .sinks
            .entry(connector.clone())
            .or_default()
            .unpark();
    }

    fn ended(&mut self, of: &DeliveryRef, link: Option<Link>, written: Fields) {
        self.flight
            .sinks
            .entry(of.connector.clone())
            .or_default()
            .forget(of.id);
        self.record(Fact::Done {
            of: of.clone(),
            link,
            written,
        });
    }

    fn done(&mut self, of: &DeliveryRef, sent: Sent, applied: Applied) {
        self.answered(&of.connector);
        match sent {
            Sent::Event | Sent::Look => self.ended(of, None, Fields::new()),
            Sent::Removal => {
                let entity = self.object_of(of);
                self.ended(of, None, Fields::new());
                self.paged(&of.connector, entity);
                self.review_after(of, entity);
            }
            Sent::Object {
                entity,
                hash,
                revision,
                written,
            } => {
                if planted(Fault::SkipLink) {
                    self.ended(of, None, Fields::new());
                    return;
                }
                if let Some(about) = self.about(&of.connector, entity) {
                    self.ended(of, None, Fields::new());
                    self.said(&of.connector, about, written);
                    return;
                }
                let (written, told) = self.written_or_told(of, entity, written);
                self.ended(of, Some(link(applied, hash, revision)), written);
                self.paged(&of.connector, Some(entity));
                self.review_after(of, Some(entity));
                self.announced(&of.connector, entity, told);
            }
        }
    }

    /// What a write brought is compared with what the tool holds, or was told to people.
    fn written_or_told(
        &self,
        of: &DeliveryRef,
        entity: EntityId,
        brought: Fields,
    ) -> (Fields, Fields) {
        match self.tells(&of.connector, entity) {
            Some(_) => (Fields::new(), brought),
            None => (brought, Fields::new()),
        }
    }

    /// The object may be owed again: it changed while the effect was under way.
    fn review_after(&mut self, of: &DeliveryRef, entity: Option<EntityId>) {
        if let Some(entity) = entity
            && !planted(Fault::DropNewer)
        {
            self.review(&of.connector, entity);
        }
    }

    fn object_of(&self, of: &DeliveryRef) -> Option<EntityId> {
        match self.state.find(of)? {
            Spot::Object { entity, .. } => Some(entity),
            Spot::Queue { .. } => None,
        }
    }

    fn looked(&mut self, of: &DeliveryRef, found: Found) {
        let Some((progress, settle, policy)) = self.doubt_about(of) else {
            return;
        };
        let Progress::Unknown {
            sent: last_byte, ..
        } = progress
        else {
            return;
        };
        match found {
            Found::Yes(_) if planted(Fault::FoundIsNothing) => {
                self.answered(&of.connector);
                self.record(Fact::Again { of: of.clone() });
            }
            Found::Yes(applied) => self.found(of, applied, last_byte),
            Found::No { listed } => {
                self.answered(&of.connector);
                let settled = last_byte.saturating_add(settle).unwrap_or(Timestamp::MAX);
                if listed >= settled || planted(Fault::ForgetSettle) {
                    self.made_again(of);
                } else {
                    let again = settled.max(self.now.saturating_add(LOOK_AGAIN).unwrap_or(settled));
                    let flight = self.flight.sinks.entry(of.connector.clone()).or_default();
                    flight.look_at(of.id, again);
                }
            }
            Found::CannotTell => {
                self.give_in(of, policy);
            }
        }
    }

    /// The effect is not there: it is made again, as if never before.
    pub(crate) fn made_again(&mut self, of: &DeliveryRef) {
        if let Some(entity) = self.object_of(of) {
            let target = self.state.sinks[&of.connector].targets.get(&entity);
            if target.is_some_and(|target| target.link.as_ref().is_some_and(Link::is_nameless)) {
                self.vanished(of, entity);
            }
        }
        self.record(Fact::Again { of: of.clone() });
    }

    fn vanished(&mut self, of: &DeliveryRef, entity: EntityId) {
        self.record(Fact::Vanished {
            connector: of.connector.clone(),
            entity,
        });
    }

    /// Somebody took the object out of the tool: a removal is done, and what is still wanted is
    /// made anew. Where a log that was lost may have done so already, its object is looked for.
    fn absent(&mut self, of: &DeliveryRef, class: Class, sent: &Sent) {
        self.answered(&of.connector);
        let entity = self.object_of(of);
        let lost = self.unknown_until(&of.connector, class);
        let goes_on = match sent {
            Sent::Object { .. } => true,
            Sent::Removal => class == Class::Find && lost.is_some(),
            Sent::Event | Sent::Look => false,
        };
        match entity.filter(|_| goes_on) {
            Some(entity) => {
                self.vanished(of, entity);
                self.release(of, class, false);
                self.doubt_once(of, Some(class), lost);
            }
            None => self.ended(of, None, Fields::new()),
        }
        self.review_after(of, entity);
    }

    /// An earlier attempt, sent by `last_byte`, took effect: the tool holds what was owed then,
    /// whatever is wanted now.
    fn found(&mut self, of: &DeliveryRef, applied: Applied, last_byte: Timestamp) {
        self.answered(&of.connector);
        let Some(entity) = self.object_of(of) else {
            self.ended(of, None, Fields::new());
            return;
        };
        let sink = &self.state.sinks[&of.connector];
        let owed = sink.targets[&entity].owed.as_ref();
        // An attempt this log does not know of may have written anything; so may those of the part
        // that a log brought back has lost.
        let lost = self.state.unknown_until(&of.connector);
        let hash = owed
            .filter(|owed| owed.progress.attempt() > 0 && Some(last_byte) > lost)
            .and_then(|owed| owed.hash)
            .unwrap_or_default();
        let hash = if planted(Fault::FoundIsNewest) {
            self.wish(&of.connector, entity)
                .and_then(|wish| wish.wanted())
                .unwrap_or_default()
        } else {
            hash
        };
        let (revision, written) = self.wrote(&of.connector, entity);
        if let Some(about) = self.about(&of.connector, entity) {
            self.ended(of, None, Fields::new());
            self.said(&of.connector, about, written);
            return;
        }
        let (written, told) = self.written_or_told(of, entity, written);
        self.ended(of, Some(link(applied, hash, revision)), written);
        self.paged(&of.connector, Some(entity));
        self.review_after(of, Some(entity));
        self.announced(&of.connector, entity, told);
    }

    fn doubt_about(&self, of: &DeliveryRef) -> Option<(Progress, SignedDuration, Policy)> {
        let rules = self.state.rules();
        let rule = rules.sinks.get(&of.connector)?;
        let sink = self.state.sinks.get(&of.connector)?;
        match self.state.find(of)? {
            Spot::Queue { family, index } => {
                let queued = sink.lanes.get(&family)?.queue.get(index)?;
                let event = crate::fold::decode(&queued.event)?;
                let handling = rule
                    .handling(event.kind)
                    .find(|handling| handling.mode == Mode::Each)?;
                let least = match event.kind {
                    EntityKind::Credit => CREDITS_SETTLE,
                    _ => SignedDuration::ZERO,
                };
                let settle = handling.settle().max(least);
                Some((queued.progress.clone(), settle, handling.policy))
            }
            Spot::Object { entity, .. } => {
                let progress = sink.targets.get(&entity)?.owed.as_ref()?.progress.clone();
                let wish = self.wish(&of.connector, entity)?;
                Some((progress, wish.settle, wish.policy))
            }
        }
    }

    fn failed(&mut self, of: &DeliveryRef, class: Class, sent: &Sent, failure: &Failure) {
        let looking = matches!(sent, Sent::Look);
        if failure.absent && matches!(sent, Sent::Object { .. } | Sent::Removal) {
            self.absent(of, class, sent);
            return;
        }
        if failure.gone && !planted(Fault::GoneGoesOn) {
            self.release(of, class, looking);
            self.park(of);
            self.switch(of, Health::Off(Box::new(failure.clone())), "gone", failure);
            return;
        }
        if failure.asks
            && failure.blame == Blame::Data
            && let Some(entity) = self.object_of(of)
        {
            self.answered(&of.connector);
            let flight = self.flight.sinks.entry(of.connector.clone()).or_default();
            flight.forget(of.id);
            crate::hold::blocked(self, of, entity, failure);
            // It may have changed while this was under way.
            self.review(&of.connector, entity);
            return;
        }
        match failure.blame {
            Blame::Access if !planted(Fault::AccessGoesOn) => {
                self.release(of, class, looking);
                self.park(of);
                self.switch(
                    of,
                    Health::Refused(Box::new(failure.clone())),
                    "access",
                    failure,
                );
            }
            Blame::Unknown if !class.repeatable() && !looking => {
                if planted(Fault::UnknownSettled) {
                    self.ended(of, None, Fields::new());
                    return;
                }
                self.record(Fact::Unknown {
                    of: of.clone(),
                    sent: self.now,
                });
                self.count_failure(of, failure, self.now);
            }
            Blame::Unknown if !looking && self.first_trouble(of) => {
                // An idle connection closed just as the request left: no outage, once.
                let flight = self.flight.sinks.entry(of.connector.clone()).or_default();
                flight.fail(of.id, self.now);
            }
            Blame::Transient if planted(Fault::TransientDies) => self.set_aside(of, failure),
            Blame::Transient | Blame::Unknown | Blame::Access => {
                if planted(Fault::OutageLoses) {
                    self.record(Fact::Dropped { of: of.clone() });
                    return;
                }
                self.release(of, class, looking);
                self.try_later(of, failure);
            }
            blame => {
                debug_assert!(sets_aside(blame));
                self.answered(&of.connector);
                if looking {
                    // The tool does not understand the question: nobody can tell.
                    if let Some((_, _, policy)) = self.doubt_about(of) {
                        self.give_in(of, policy);
                    }
                } else if !self.has_no_reader(of, failure) {
                    self.set_aside(of, failure);
                }
            }
        }
    }

    fn first_trouble(&self, of: &DeliveryRef) -> bool {
        let up = self
            .state
            .sinks
            .get(&of.connector)
            .is_some_and(|sink| sink.health == Health::Up);
        let calm = self
            .flight
            .sinks
            .get(&of.connector)
            .is_some_and(|flight| flight.streak == 0 && flight.failures(of.id) == 0);
        up && calm
    }

    /// It is certain that the attempt did nothing.
    fn release(&mut self, of: &DeliveryRef, class: Class, looking: bool) {
        if !class.repeatable() && !looking {
            self.record(Fact::Again { of: of.clone() });
        }
    }

    /// Its lane waits until the tool answers again.
    fn park(&mut self, of: &DeliveryRef) {
        let flight = self.flight.sinks.entry(of.connector.clone()).or_default();
        flight.park(of.family);
    }

    /// A connector that is off stays off until a person says otherwise, and refused credentials
    /// are worse than an outage.
    fn switch(&mut self, of: &DeliveryRef, health: Health, code: &str, failure: &Failure) {
        let rank = |health: &Health| match health {
            Health::Up => 0,
            Health::Down(_) => 1,
            Health::Refused(_) => 2,
            Health::Off(_) => 3,
        };
        let known = self.state.sinks.get(&of.connector).map(|sink| &sink.health);
        if known.is_some_and(|known| rank(known) >= rank(&health)) {
            return;
        }
        self.record(Fact::Health {
            connector: of.connector.clone(),
            state: health,
        });
        crate::notice::tell(
            self,
            code,
            of.connector.as_str(),
            &failure.text,
            &failure.mend,
        );
    }

    fn try_later(&mut self, of: &DeliveryRef, failure: &Failure) {
        let flight = self.flight.sinks.entry(of.connector.clone()).or_default();
        let failures = flight.failures(of.id).max(flight.streak) + 1;
        let mut wait = backoff(failures, of.id.as_bytes());
        if let Some(asked) = failure.retry_after_ms {
            wait = wait.max(SignedDuration::from_millis(asked));
        }
        let at = self.now.saturating_add(wait).unwrap_or(Timestamp::MAX);
        flight.fail(of.id, at);
        flight.park(of.family);
        self.count_failure(of, failure, at);
    }

    /// Enough failures in a row are an outage of the tool, whatever the lane.
    fn count_failure(&mut self, of: &DeliveryRef, failure: &Failure, at: Timestamp) {
        let flight = self.flight.sinks.entry(of.connector.clone()).or_default();
        flight.streak += 1;
        let streak = flight.streak;
        let down = matches!(
            self.state.sinks.get(&of.connector).map(|sink| &sink.health),
            Some(Health::Down(_))
        );
        if !down && streak < DOWN_AFTER && failure.retry_after_ms.is_none() {
            return;
        }
        let wait = backoff(streak, of.connector.as_str().as_bytes());
        let at = later(self.now.saturating_add(wait).ok(), at);
        let flight = self.flight.sinks.entry(of.connector.clone()).or_default();
        // Whoever asked for quiet longest is heard.
        let probe_at = later(flight.probe_at, at);
        flight.probe_at = Some(probe_at);
        let known = self.state.quiet.get(&of.connector);
        if failure.retry_after_ms.is_some()
            && known.is_none_or(|known| *known < probe_at)
            && !planted(Fault::ForgetQuiet)
        {
            self.record(Fact::Quiet {
                connector: of.connector.clone(),
                until: probe_at,
            });
        }
        self.switch(
            of,
            Health::Down(Box::new(failure.clone())),
            "outage",
            failure,
        );
    }

    pub(crate) fn set_aside(&mut self, of: &DeliveryRef, failure: &Failure) {
        let object = self.object_of(of);
        let entity = match self.state.find(of) {
            Some(Spot::Object { entity, .. }) => entity,
            Some(Spot::Queue { family, index }) => {
                let queued = &self.state.sinks[&of.connector].lanes[&family].queue[index];
                crate::fold::decode(&queued.event).map_or(family, |event| event.entity)
            }
            None => return,
        };
        let title = self.title(entity);
        self.flight
            .sinks
            .entry(of.connector.clone())
            .or_default()
            .forget(of.id);
        if let Some(entity) = object {
            self.doubt_link(&of.connector, entity);
        }
        self.record(Fact::Dead {
            of: of.clone(),
            failure: Box::new(failure.clone()),
        });
        // A notice that cannot be told is not told about: the next would be refused as well.
        if !self.is_notice(entity) || planted(Fault::NoticeOfNotice) {
            self.tell_dead(of, &title, failure);
        }
        // It may have changed while this was under way: the newer one is tried.
        if let Some(entity) = object
            && !planted(Fault::StaleAfterDead)
        {
            self.review(&of.connector, entity);
        }
    }

    /// What is given up may have reached the tool in an earlier attempt whose answer was lost: what
    /// it holds is known again after the next write only.
    pub(crate) fn doubt_link(&mut self, connector: &ConnectorName, entity: EntityId) {
        let target = self
            .state
            .sinks
            .get(connector)
            .and_then(|sink| sink.targets.get(&entity));
        if target.is_some_and(|target| target.link.is_some()) && !planted(Fault::TrustAfterDead) {
            self.record(Fact::Drifted {
                connector: connector.clone(),
                entity,
            });
        }
    }

    fn is_notice(&self, entity: EntityId) -> bool {
        self.state
            .entities
            .get(&entity)
            .is_some_and(|record| record.kind == EntityKind::Notice)
    }

    fn tell_dead(&mut self, of: &DeliveryRef, title: &str, failure: &Failure) {
        let text = Words::new(
            format!(
                "« {title} » n'a pas pu aller vers {} : {}",
                of.connector, failure.text.fr
            ),
            format!(
                "“{title}” could not go to {}: {}",
                of.connector, failure.text.en
            ),
        );
        crate::notice::tell(self, "dead", &of.id.to_string(), &text, &failure.mend);
    }
}

/// A listing is not asked for more often than this.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(1);

fn link(applied: Applied, hash: Digest, revision: u64) -> Link {
    let Applied { external, tag, url } = applied;
    Link {
        external,
        tag,
        hash,
        revision,
        url,
    }
}
