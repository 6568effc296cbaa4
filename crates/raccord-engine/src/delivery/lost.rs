//! Objects that are not where a link says: the sink was pointed elsewhere, or somebody deleted them.
//!
//! What is still to come is made again, or looked for first where a repeat would double it. What
//! is over stays away, and a message that nobody can take back is not sent a second time.

use std::collections::BTreeSet;

use raccord_model::{Class, ConnectorName, EntityId, Mode};

use crate::deciding::Deciding;
use crate::fact::Fact;

impl Deciding<'_> {
    /// Objects of `connector` are gone, as far as can be seen without asking the tool.
    pub(crate) fn lost(&mut self, connector: &ConnectorName, entities: &BTreeSet<EntityId>) {
        let Some(sink) = self.state.sinks.get(connector) else {
            return;
        };
        let gone: Vec<EntityId> = entities
            .iter()
            .copied()
            .filter(|entity| {
                // The outcome of what is owed tells more.
                let target = sink.targets.get(entity);
                target.is_some_and(|target| target.link.is_some() && target.owed.is_none())
            })
            .collect();
        for entity in gone {
            self.record(Fact::Vanished {
                connector: connector.clone(),
                entity,
            });
            if !self.is_over(entity) {
                self.touched.insert(entity);
            }
        }
    }

    /// `connector` writes to another place from now on: nothing of ours is there, as far as this
    /// log knows.
    pub(crate) fn relocated(&mut self, connector: &ConnectorName) {
        let Some(sink) = self.state.sinks.get(connector) else {
            return;
        };
        let linked: Vec<EntityId> = sink
            .targets
            .iter()
            .filter(|(_, target)| target.link.is_some())
            .map(|(&entity, _)| entity)
            .collect();
        for entity in linked {
            let wish = self.wish(connector, entity);
            if wish.is_none_or(|wish| wish.class != Class::Blind) {
                self.record(Fact::Vanished {
                    connector: connector.clone(),
                    entity,
                });
            }
        }
        let rules = self.rules();
        let looks = rules.sinks.get(connector).is_some_and(|rule| {
            let mut objects = rule.handles.iter().filter(|each| each.mode != Mode::Each);
            objects.any(|each| each.class == Class::Find)
        });
        if looks {
            self.record(Fact::Relocated {
                connector: connector.clone(),
            });
        }
        let down = matches!(
            self.state.sinks[connector].health,
            crate::fact::Health::Down(_)
        );
        if down {
            crate::hold::switch_on(self, connector);
        }
    }

    /// Whether an activity, or what is told for a month, is over.
    pub(crate) fn is_over(&self, id: EntityId) -> bool {
        if let Some(record) = self.state.entities.get(&id) {
            let now = self.civil_now();
            return record.when().over_at().is_some_and(|over| over <= now);
        }
        let sinks = self.state.sinks.values();
        let mut targets = sinks.filter_map(|sink| sink.targets.get(&id));
        let key = targets.find_map(|target| target.key.as_deref());
        key.is_some_and(|key| crate::publication::is_past(self, key))
    }
}
