//! A log that went back in time, and may send again: what is owed now may have been made already,
//! by attempts this log does not know of.
//!
//! Effects that must not be repeated blindly begin as unknown: they are looked for, or wait for a
//! person. This lasts until every source was read again, for only their readings can bring back
//! what the lost part of the log had brought.

use jiff::Timestamp;
use raccord_model::{Class, ConnectorName, EntityId, Event, Mode};

use crate::deciding::Deciding;
use crate::fact::{DeliveryRef, Fact};
use crate::faults::{Fault, planted};
use crate::state::{Aside, Progress};

impl Deciding<'_> {
    /// A person lets the place send again.
    pub(crate) fn unmute(&mut self, look_first: bool) {
        let look_first = look_first && !planted(Fault::NoLookFirst);
        self.record(Fact::Unmuted { look_first });
        if !look_first {
            return;
        }
        for of in self.open_and_blind() {
            self.record(Fact::Unknown { of, sent: self.now });
        }
        let now = self.civil_now();
        let mut linked: Vec<EntityId> = self
            .state
            .sinks
            .values()
            .flat_map(|sink| sink.targets.keys().copied())
            .collect();
        linked.retain(|id| {
            let record = self.state.entities.get(id);
            record.is_none_or(|record| record.when().over_at().is_none_or(|over| over > now))
        });
        self.touched.extend(linked);
        self.republish = true;
    }

    /// Open deliveries that a repeat would double: whatever this log knows of them, a later attempt
    /// may be on its way.
    fn open_and_blind(&self) -> Vec<DeliveryRef> {
        let rules = self.state.rules();
        let mut open = Vec::new();
        for (connector, sink) in &self.state.sinks {
            let Some(rule) = rules.sinks.get(connector) else {
                continue;
            };
            for (&family, lane) in &sink.lanes {
                let of = |id| DeliveryRef {
                    connector: connector.clone(),
                    family,
                    id,
                };
                for queued in &lane.queue {
                    let doubles = crate::fold::decode(&queued.event).is_some_and(|event| {
                        rule.handling(event.kind).any(|handling| {
                            handling.mode == Mode::Each && !handling.class.repeatable()
                        })
                    });
                    if doubles && !matches!(queued.progress, Progress::Held { .. }) {
                        open.push(of(queued.delivery));
                    }
                }
                for entity in &lane.objects {
                    let Some(target) = sink.targets.get(entity) else {
                        continue;
                    };
                    let (None, Some(owed)) = (&target.link, &target.owed) else {
                        continue;
                    };
                    let doubles = self
                        .wish(connector, *entity)
                        .is_some_and(|wish| !wish.class.repeatable());
                    if doubles && !matches!(owed.progress, Progress::Held { .. }) {
                        open.push(of(owed.delivery));
                    }
                }
            }
        }
        open
    }

    /// An event that is owed while the place catches up may have been sent before.
    pub(crate) fn doubt_event(&mut self, connector: &ConnectorName, event: &Event) {
        let of = DeliveryRef {
            connector: connector.clone(),
            family: event.family,
            id: crate::fold::send_id(connector, event),
        };
        let class = self.class_of_each(connector, event);
        let since = self.looks_since(connector);
        self.doubt_once(&of, class, since);
    }

    /// How `connector` is sent events like this one.
    pub(crate) fn class_of_each(&self, connector: &ConnectorName, event: &Event) -> Option<Class> {
        let rules = self.state.rules();
        let mut handlings = rules.sinks.get(connector)?.handling(event.kind);
        let each = handlings.find(|handling| handling.mode == Mode::Each)?;
        Some(each.class)
    }

    /// Since when what is owed to `connector` may have been made already.
    pub(crate) fn looks_since(&self, connector: &ConnectorName) -> Option<Timestamp> {
        self.state.sinks.get(connector)?.look_first
    }

    /// Until when a new object of `connector` may have been made already. To look once more costs
    /// little, so objects that can be found are looked for even after the place has caught up: a
    /// line may have been away just then.
    pub(crate) fn unknown_until(
        &self,
        connector: &ConnectorName,
        class: Class,
    ) -> Option<Timestamp> {
        match class {
            Class::Find => self.state.unknown_until(connector),
            _ => self.looks_since(connector),
        }
    }

    /// Until when a log that was lost may have tried again what was set aside.
    pub(crate) fn tried_until(&self, aside: &Aside) -> Option<Timestamp> {
        let restored = self.state.restored?;
        (aside.since <= restored && !planted(Fault::TrustRevival)).then_some(restored)
    }

    /// What is owed now, and may have been made until `since`, is looked for or asked about where a
    /// repeat would double it.
    pub(crate) fn doubt_once(
        &mut self,
        of: &DeliveryRef,
        class: Option<Class>,
        since: Option<Timestamp>,
    ) {
        if let Some(sent) = since
            && class.is_some_and(|class| !class.repeatable())
        {
            self.record(Fact::Unknown {
                of: of.clone(),
                sent,
            });
        }
    }

    /// Once every source was read again, and no line is missed, what is owed is new.
    pub(crate) fn catch_up(&mut self) {
        let Some(since) = self.state.sinks.values().find_map(|sink| sink.look_first) else {
            return;
        };
        let rules = self.rules();
        let read = rules.sources.keys().all(|name| {
            self.state.sources.get(name).is_some_and(|source| {
                source.applied_at.is_some_and(|at| at > since)
                    && source.applied_at == source.read_at
                    && source.failing.is_none()
                    && source.missing.is_empty()
            })
        });
        if read {
            self.record(Fact::CaughtUp);
        }
    }
}
