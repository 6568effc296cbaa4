//! What readings, programs and the people who decide tell the engine.

use std::collections::BTreeSet;

use raccord_engine::{Aim, HoldKind, Input, Order, Waiting};
use raccord_model::{
    Change, ConnectorName, Digest, EntityId, EntityKind, Fields, HoldId, Observation, Verb,
};
use serde_json::json;

use super::{Post, SECOND_LOOK, Sim, rules, source};
use crate::sheet::Row;
use crate::tools::{self, Canvas};

impl Sim {
    pub(crate) fn read(&mut self) {
        for &key in self.sheet.rows.keys() {
            self.missed.remove(&key);
            self.first_read.entry(format!("k{key}")).or_insert(self.now);
        }
        for &key in self.sheet.cut.keys() {
            let since = *self.missed.entry(key).or_insert(self.now);
            if self.now.duration_since(since) >= SECOND_LOOK {
                self.may_cancel.insert(format!("k{key}"));
            }
        }
        let cursor = self
            .engine
            .state()
            .sources
            .get(&source())
            .and_then(|state| state.cursor.clone());
        if let Observation::Complete(reading) = self.sheet.read(None) {
            let gone = self.sheet.cut.keys().chain(self.sheet.spilt.keys());
            self.lacking.insert(reading.digest, gone.copied().collect());
            self.refused = self.refused.filter(|refused| *refused == reading.digest);
        }
        let seen = Ok(self.sheet.read(cursor.as_deref()));
        self.input(Input::Observed {
            source: source(),
            seen,
        });
        let asked = |waiting: &Waiting| match waiting.hold.what {
            HoldKind::Reading { content, .. } => Some(content) == self.refused,
            _ => false,
        };
        if self.engine.state().holds.values().any(asked) {
            self.fail("a person who said no is asked again");
        }
        let state = self.engine.state().sources.get(&source());
        if state.is_some_and(|state| state.held.is_none()) {
            for (key, row) in &self.sheet.rows {
                if let Some(shown) = self.shown.get(key).filter(|shown| *shown != row) {
                    self.former.entry(*key).or_default().push(shown.clone());
                }
            }
            let rows = self.sheet.rows.iter();
            self.shown
                .extend(rows.map(|(&key, row)| (key, row.clone())));
        }
    }

    /// What a plan made now names: what a reading of the sheet would make at once.
    pub(crate) fn named(&self) -> BTreeSet<(ConnectorName, EntityId)> {
        let mut engine = self.engine.clone();
        let state = engine.state().sources.get(&source());
        let seen = self
            .sheet
            .read(state.and_then(|state| state.cursor.as_deref()));
        let input = Input::Observed {
            source: source(),
            seen: Ok(seen),
        };
        let step = engine.step(vec![input], self.now, [7; 16], &Canvas);
        engine
            .planned(&step.events, self.now, &Canvas)
            .into_iter()
            .filter(|planned| planned.due <= self.now)
            .map(|planned| (planned.connector, planned.entity))
            .collect()
    }

    /// Lines that are still to come.
    pub(crate) fn is_coming(&self, key: u32) -> bool {
        self.sheet
            .rows
            .get(&key)
            .is_some_and(|row| self.comes(&json!(row.fields(key))))
    }

    pub(super) fn post(&mut self, kind: EntityKind, subject: String, mut fields: Fields) {
        let n = self.posts.len() as u64;
        fields.insert("n".into(), json!(n));
        let change = Change {
            sender: "till".into(),
            id: format!("p{n}"),
            kind,
            verb: Verb::Updated,
            subject,
            fields,
            correlation: None,
            causation: None,
            hops: 0,
            trace: None,
        };
        self.posts.push(Post {
            change: change.clone(),
            n,
            confirmed: false,
            forgotten: false,
        });
        self.step(vec![Input::Posted(vec![change])], vec![n as usize]);
    }

    pub(crate) fn repost(&mut self, index: usize) {
        let change = self.posts[index].change.clone();
        self.step(vec![Input::Posted(vec![change])], vec![index]);
    }

    pub(crate) fn order(&mut self, order: Order) {
        self.input(Input::Order(order));
    }

    /// A person decides, with what can be seen in the tools.
    pub(crate) fn decide(&mut self, hold: HoldId, yes: bool) {
        let Some(waiting) = self.engine.state().holds.get(&hold) else {
            return;
        };
        let mut only = None;
        let yes = match waiting.hold.what.clone() {
            HoldKind::Delivery { of } => {
                if !self.late.is_empty() || !self.pending.is_empty() {
                    return;
                }
                match self.engine.state().aim(&of) {
                    Aim::New => !self.is_there(&of),
                    Aim::Change(hash) => !self.shows(&of, hash),
                    Aim::Removal => self.is_there(&of),
                }
            }
            HoldKind::Reading { content, .. } => {
                if yes {
                    let gone = self.lacking.get(&content).into_iter().flatten();
                    self.may_cancel.extend(gone.map(|key| format!("k{key}")));
                }
                self.refused = (!yes).then_some(content);
                yes
            }
            HoldKind::Question { pairs, .. } => {
                only = Some(self.same_lines(&pairs));
                true
            }
            HoldKind::Field { entity, theirs, .. } => {
                let yes = yes && theirs.contains_key("title");
                let key = self.key_of(entity);
                if let (true, Some((key, row))) = (yes, key) {
                    self.taken.insert(format!("k{key}"), row.title);
                }
                yes
            }
            HoldKind::Task { .. } => {
                self.kept_tasks |= !yes;
                yes
            }
            HoldKind::Seats { subject } => {
                if !yes {
                    self.crowded.insert(subject);
                }
                yes
            }
            HoldKind::Rules { .. }
            | HoldKind::Blocked { .. }
            | HoldKind::Letters { .. }
            | HoldKind::Reversal { .. }
            | HoldKind::Lost { .. }
            | HoldKind::Credit { .. } => yes,
        };
        let order = if yes {
            Order::Approve { hold, only }
        } else {
            Order::Reject(hold)
        };
        self.order(order);
    }

    /// The line that an activity stands for.
    pub(super) fn key_of(&self, entity: EntityId) -> Option<(u32, Row)> {
        let organiser = self.engine.state().entity(entity)?;
        let key = organiser
            .text("organiser")
            .strip_prefix('k')?
            .parse()
            .ok()?;
        let sheet = &self.sheet;
        let away = || sheet.cut.get(&key).or(sheet.spilt.get(&key));
        let row = sheet.rows.get(&key).or_else(away)?;
        Some((key, row.clone()))
    }

    /// The activities that really are the line they are asked about with.
    pub(super) fn same_lines(&self, pairs: &[(Digest, EntityId)]) -> BTreeSet<EntityId> {
        let same = |(line, entity): &&(Digest, EntityId)| {
            let known = self.key_of(*entity).map(|(key, _)| key);
            known.is_some() && known == self.sheet.key_of(*line)
        };
        pairs
            .iter()
            .filter(same)
            .map(|(_, entity)| *entity)
            .collect()
    }

    /// Whether the tool shows an object as it should be.
    fn shows(&self, of: &raccord_engine::DeliveryRef, hash: Digest) -> bool {
        let Some(raccord_engine::Spot::Object { entity, .. }) = self.engine.state().find(of) else {
            return false;
        };
        let mut objects = self.tools[&of.connector].objects.iter();
        objects.any(|object| object.entity == entity && tools::hash(&object.body) == hash)
    }

    pub(super) fn is_there(&self, of: &raccord_engine::DeliveryRef) -> bool {
        use raccord_engine::Spot;
        let state = self.engine.state();
        let tool = &self.tools[&of.connector];
        match state.find(of) {
            Some(Spot::Object { entity, .. }) => {
                tool.objects.iter().any(|object| object.entity == entity)
            }
            Some(Spot::Queue { family, index }) => {
                let queued = &state.sinks[&of.connector].lanes[&family].queue[index];
                let event: serde_json::Value =
                    serde_json::from_slice(&queued.event).unwrap_or_default();
                tool.arrivals
                    .iter()
                    .any(|arrival| event["id"] == arrival.id.as_str())
            }
            None => false,
        }
    }

    pub(crate) fn switch_on(&mut self, name: &ConnectorName) {
        self.stopped.remove(name);
        self.quiet.remove(name);
        self.order(Order::SwitchOn(name.clone()));
    }

    /// A person tries everything again that was set aside, tool by tool.
    pub(crate) fn retry_all(&mut self) {
        let sinks = self.engine.state().sinks.iter();
        let names: Vec<ConnectorName> = sinks
            .filter(|(_, sink)| !sink.dead.is_empty())
            .map(|(name, _)| name.clone())
            .collect();
        for name in names {
            self.stopped.remove(&name);
            self.quiet.remove(&name);
            self.order(Order::RetryAll(name));
        }
    }

    pub(crate) fn unmute(&mut self) {
        if self.muted {
            self.muted = false;
            self.order(Order::Unmute {
                look_first: self.restored,
            });
        }
    }

    pub(crate) fn configure(&mut self) {
        self.input(Input::Configure(Box::new(rules(
            self.config,
            self.only.as_deref(),
        ))));
    }

    pub(crate) fn dead(&self) -> Vec<raccord_model::DeliveryId> {
        let sinks = self.engine.state().sinks.values();
        sinks.flat_map(|sink| sink.dead.keys().copied()).collect()
    }
}
