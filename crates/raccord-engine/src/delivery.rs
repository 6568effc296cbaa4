//! Deliveries: what is owed to tools, when it is tried, and what an outcome means.

use jiff::{SignedDuration, Timestamp};
use raccord_model::{
    Action, Applied, Blame, Class, ConnectorName, Context, DeliveryId, Entity, EntityId, Failure,
    Fields, Found, Handling, Item, Link, Mode, Outcome, Payload, Policy, Rendered, Route, Status,
    Subject, Words, Work,
};

use crate::deciding::{Deciding, zone_of};
use crate::fact::{DeliveryRef, Fact, Health, OwedFact, sets_aside};
use crate::flight::{Sent, backoff};
use crate::routing;
use crate::state::{Progress, Spot};

/// How many events of one lane are handed over at once.
const BATCH: usize = 64;
/// How long an attempt that must not be repeated may take to start.
const START_WITHIN: SignedDuration = SignedDuration::from_secs(30);
/// How many failures in a row, whatever the lane, mean that the tool is down.
const DOWN_AFTER: u32 = 3;

/// An object as its route, rules and today's entity make it.
pub(crate) struct Wish {
    pub(crate) rendered: Rendered,
    pub(crate) family: EntityId,
    pub(crate) key: Option<String>,
    pub(crate) revision: u64,
    pub(crate) fields: Fields,
    pub(crate) rule: String,
    pub(crate) grace: SignedDuration,
    pub(crate) best_before: Option<Timestamp>,
    pub(crate) class: Class,
    pub(crate) settle: SignedDuration,
    pub(crate) policy: Policy,
    pub(crate) announce: bool,
    /// Why an announcement that was not made yet should not be made any more.
    pub(crate) pointless: Option<Words>,
}

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

    /// What `sink` should hold for an entity or a publication; `None` where it handles neither.
    pub(crate) fn wish(&self, sink: &ConnectorName, id: EntityId) -> Option<Wish> {
        let rules = self.rules();
        let rule = rules.sinks.get(sink)?;
        let Some(entity) = self.entity(id) else {
            let key = self.state.sinks.get(sink)?.targets.get(&id)?.key.clone()?;
            return crate::publication::wish(self, sink, rule, id, &key);
        };
        let handling = routing::object_handling(rule, &entity)?;
        let route = routing::route(&rules, sink, &entity);
        let parent_id = self
            .state
            .entities
            .get(&id)
            .and_then(|record| record.family);
        let parent = parent_id.and_then(|parent| self.entity(parent));
        let rendered = match route {
            None => Rendered::Nothing,
            Some(route) => {
                let context = self.context(&rules, route);
                self.render.render(
                    sink,
                    Subject::Entity {
                        entity: &entity,
                        parent: parent.as_ref(),
                    },
                    &context,
                )
            }
        };
        let route = route.flatten();
        let announce = handling.mode == Mode::Announce;
        let over = self.over_instant(parent.as_ref().unwrap_or(&entity));
        let pointless = announce.then(|| self.pointless(&entity, over)).flatten();
        Some(Wish {
            rendered,
            family: parent_id.unwrap_or(id),
            key: None,
            revision: entity.revision,
            rule: routing::rule_name(sink, route, &rules),
            grace: grace(handling, route),
            best_before: announce.then_some(over).flatten(),
            class: handling.class,
            settle: handling.settle(),
            policy: route
                .and_then(|route| route.policy)
                .unwrap_or(handling.policy),
            announce,
            pointless,
            fields: if handling.read_back {
                entity.fields
            } else {
                Fields::new()
            },
        })
    }

    pub(crate) fn context<'c>(
        &self,
        rules: &'c raccord_model::Rules,
        route: Option<&'c Route>,
    ) -> Context<'c> {
        Context {
            place: &rules.place,
            lang: route
                .and_then(|route| route.lang)
                .unwrap_or(rules.place.lang),
            today: self.civil_now().date(),
            route,
        }
    }

    fn over_instant(&self, entity: &Entity) -> Option<Timestamp> {
        let over = self.state.entities.get(&entity.id)?.when().over_at()?;
        zone_of(self.state.rules())
            .to_ambiguous_timestamp(over)
            .compatible()
            .ok()
    }

    fn pointless(&self, entity: &Entity, over: Option<Timestamp>) -> Option<Words> {
        if over.is_some_and(|over| self.now >= over) {
            return Some(Words::new("c'était déjà passé", "it was already over"));
        }
        if entity.fields.get("status") == Some(&serde_json::json!(Status::Cancelled)) {
            return Some(Words::new(
                "c'était annulé avant d'avoir été annoncé",
                "it was cancelled before it was announced",
            ));
        }
        None
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
        let wanted = match &wish.rendered {
            Rendered::Nothing => None,
            Rendered::Object(desired) => Some(desired.hash),
        };
        if let Some(owed) = &owed {
            let under_way = self.flight.is_busy(sink, wish.family, owed.delivery);
            if under_way || owed.progress != Progress::Pending {
                return; // Its outcome brings us back here.
            }
        }
        let settled = wanted == link.as_ref().map(|link| link.hash);
        let of = |delivery| DeliveryRef {
            connector: sink.clone(),
            family: wish.family,
            id: delivery,
        };
        if settled {
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
            family: wish.family,
            key: wish.key,
            due,
            best_before: wish.best_before,
            hash: wanted,
            cause,
            rule: wish.rule,
        };
        self.record(Fact::Owed(Box::new(fact)));
        if due <= self.now {
            self.flight.wake(sink, wish.family);
        } else {
            self.flight
                .sinks
                .entry(sink.clone())
                .or_default()
                .wake_at(due, wish.family);
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

    /// The work that can start now. What must not be repeated blindly is recorded as running.
    pub(crate) fn schedule(&mut self) -> Vec<Work> {
        let mut work = Vec::new();
        if self.state.muted.is_some() {
            return work;
        }
        let rules = self.rules();
        for (name, rule) in &rules.sinks {
            if !self.state.sinks.contains_key(name) {
                continue;
            }
            self.flight
                .sinks
                .entry(name.clone())
                .or_default()
                .ring(self.now);
            match &self.state.sinks[name].health {
                Health::Refused(_) | Health::Off(_) => {}
                Health::Down(_) => {
                    let flight = self.flight.sinks.get_mut(name).expect("entered above");
                    let may =
                        flight.busy.is_empty() && flight.probe_at.is_none_or(|at| at <= self.now);
                    if !may {
                        continue;
                    }
                    while let Some(family) = self
                        .flight
                        .sinks
                        .get_mut(name)
                        .expect("entered above")
                        .probe_lane()
                    {
                        if let Some(mut lane) = self.lane_work(name, family) {
                            lane.items.truncate(1);
                            self.take_off(name, &lane);
                            work.push(lane);
                            break;
                        }
                    }
                }
                Health::Up => loop {
                    let flight = self.flight.sinks.get_mut(name).expect("entered above");
                    if flight.busy.len() >= usize::from(rule.parallel.max(1)) {
                        break;
                    }
                    let Some(family) = flight.next_lane() else {
                        break;
                    };
                    if let Some(lane) = self.lane_work(name, family) {
                        self.take_off(name, &lane);
                        work.push(lane);
                    }
                },
            }
        }
        work
    }

    /// Marks the items of a lane as under way.
    fn take_off(&mut self, name: &ConnectorName, lane: &Work) {
        for item in &lane.items {
            let sent = match &item.payload {
                Payload::Event(_) => Sent::Event,
                Payload::Remove { .. } => Sent::Removal,
                Payload::Write {
                    entity, desired, ..
                } => {
                    let (revision, written) = self.wrote(name, *entity);
                    Sent::Object {
                        entity: *entity,
                        hash: desired.hash,
                        revision,
                        written,
                    }
                }
                Payload::Find {
                    entity,
                    event,
                    desired,
                } => {
                    let (revision, written) = self.wrote(name, *entity);
                    let entity = event.is_none().then_some(*entity);
                    Sent::Look {
                        entity,
                        hash: desired.as_ref().map(|desired| desired.hash),
                        revision,
                        written,
                    }
                }
            };
            let flight = self.flight.sinks.entry(name.clone()).or_default();
            flight
                .busy
                .entry(lane.family)
                .or_default()
                .insert(item.delivery, sent);
            if !item.class.repeatable() && !matches!(item.payload, Payload::Find { .. }) {
                let of = DeliveryRef {
                    connector: name.clone(),
                    family: lane.family,
                    id: item.delivery,
                };
                let latest = item.latest.unwrap_or(self.now);
                self.record(Fact::Running {
                    of,
                    attempt: item.attempt,
                    latest,
                });
            }
        }
    }

    fn wrote(&self, sink: &ConnectorName, entity: EntityId) -> (u64, Fields) {
        self.wish(sink, entity)
            .map(|wish| (wish.revision, wish.fields))
            .unwrap_or_default()
    }

    /// The next work of one lane, if any can start now.
    fn lane_work(&mut self, name: &ConnectorName, family: EntityId) -> Option<Work> {
        let lane = self.state.sinks.get(name)?.lanes.get(&family)?;
        if !lane.queue.is_empty() {
            return self.queue_work(name, family);
        }
        // Parents before children: the family's own object first.
        let mut objects: Vec<EntityId> = lane.objects.iter().copied().collect();
        objects.sort_by_key(|&entity| (entity != family, entity));
        for entity in objects {
            if entity != family && self.parent_is_owed(name, family) {
                continue;
            }
            if let Some(item) = self.object_work(name, family, entity) {
                return Some(Work {
                    connector: name.clone(),
                    family,
                    items: vec![item],
                });
            }
        }
        None
    }

    fn parent_is_owed(&self, name: &ConnectorName, family: EntityId) -> bool {
        self.state.sinks[name]
            .targets
            .get(&family)
            .is_some_and(|parent| parent.link.is_none() && parent.owed.is_some())
    }

    fn queue_work(&mut self, name: &ConnectorName, family: EntityId) -> Option<Work> {
        let rules = self.rules();
        let mut items = Vec::new();
        let mut index = 0;
        while items.len() < BATCH {
            let Some(queued) = self.state.sinks[name]
                .lanes
                .get(&family)
                .and_then(|lane| lane.queue.get(index))
            else {
                break;
            };
            let Some(mut event) = crate::fold::decode(&queued.event) else {
                break;
            };
            let Some(handling) = rules.sinks[name]
                .handling(event.kind)
                .find(|h| h.mode == Mode::Each)
            else {
                break;
            };
            let (class, policy) = (handling.class, handling.policy);
            let queued = queued.clone();
            let of = DeliveryRef {
                connector: name.clone(),
                family,
                id: queued.delivery,
            };
            match self.readiness(&of, &queued.progress, class, policy) {
                Readiness::Go => {}
                Readiness::Skip => {
                    index += 1;
                    continue;
                }
                Readiness::Look => {
                    if items.is_empty() {
                        self.vault.reveal(&mut event.data);
                        let entity = event.entity;
                        items.push(Item {
                            delivery: queued.delivery,
                            attempt: queued.progress.attempt(),
                            class,
                            payload: Payload::Find {
                                entity,
                                event: Some(Box::new(event)),
                                desired: None,
                            },
                            latest: None,
                        });
                    }
                    break;
                }
            }
            self.vault.reveal(&mut event.data);
            items.push(self.item(
                name,
                queued.delivery,
                class,
                Payload::Event(Box::new(event)),
            ));
            if !class.repeatable() {
                break;
            }
            index += 1;
        }
        (!items.is_empty()).then(|| Work {
            connector: name.clone(),
            family,
            items,
        })
    }

    fn item(
        &self,
        name: &ConnectorName,
        delivery: DeliveryId,
        class: Class,
        payload: Payload,
    ) -> Item {
        let failed = self
            .flight
            .sinks
            .get(name)
            .and_then(|sink| sink.failed.get(&delivery))
            .copied()
            .unwrap_or(0);
        let latest = (!class.repeatable())
            .then(|| self.now.saturating_add(START_WITHIN).unwrap_or(self.now));
        Item {
            delivery,
            attempt: failed + 1,
            class,
            payload,
            latest,
        }
    }

    /// Whether a delivery may be tried, and what its recorded progress forbids.
    fn readiness(
        &mut self,
        of: &DeliveryRef,
        progress: &Progress,
        class: Class,
        policy: Policy,
    ) -> Readiness {
        match progress {
            Progress::Pending => Readiness::Go,
            Progress::Held { .. } => Readiness::Skip,
            Progress::Running { latest, .. } => {
                // Nobody here is making it: whoever was, died. It may have been sent until now.
                let sent = (*latest).min(self.now);
                self.record(Fact::Unknown {
                    of: of.clone(),
                    sent,
                });
                self.doubt(of, class, policy)
            }
            Progress::Unknown { .. } => self.doubt(of, class, policy),
        }
    }

    fn doubt(&mut self, of: &DeliveryRef, class: Class, policy: Policy) -> Readiness {
        match class {
            Class::Address | Class::Key => {
                self.record(Fact::Again { of: of.clone() });
                Readiness::Go
            }
            Class::Find => Readiness::Look,
            Class::Blind => self.give_in(of, policy),
        }
    }

    /// Nobody can tell whether it took effect: send again, or ask a person.
    fn give_in(&mut self, of: &DeliveryRef, policy: Policy) -> Readiness {
        match policy {
            Policy::NeverLost => {
                self.record(Fact::Again { of: of.clone() });
                Readiness::Go
            }
            Policy::NeverTwice => {
                crate::hold::unknown_outcome(self, of);
                Readiness::Skip
            }
        }
    }

    fn object_work(
        &mut self,
        name: &ConnectorName,
        family: EntityId,
        entity: EntityId,
    ) -> Option<Item> {
        let target = self.state.sinks.get(name)?.targets.get(&entity)?;
        let owed = target.owed.clone()?;
        let link = target.link.clone();
        let of = DeliveryRef {
            connector: name.clone(),
            family,
            id: owed.delivery,
        };
        if owed.due > self.now {
            let flight = self.flight.sinks.entry(name.clone()).or_default();
            flight.wake_at(owed.due, family);
            return None;
        }
        let wish = self.wish(name, entity);
        let Some(wish) = wish else {
            // The rules do not send it there any more; what the tool holds is left alone.
            let why = Words::new(
                "la configuration ne l'envoie plus là",
                "the configuration no longer sends it there",
            );
            self.record(Fact::Skipped { of, why });
            return None;
        };
        if wish.announce
            && link.is_none()
            && owed.progress == Progress::Pending
            && let Some(why) = wish.pointless.clone()
        {
            self.record(Fact::Skipped { of, why });
            return None;
        }
        match self.readiness(&of, &owed.progress, wish.class, wish.policy) {
            Readiness::Go => {}
            Readiness::Skip => return None,
            Readiness::Look => {
                let desired = match wish.rendered {
                    Rendered::Object(desired) => Some(desired),
                    Rendered::Nothing => None,
                };
                return Some(Item {
                    delivery: owed.delivery,
                    attempt: owed.progress.attempt(),
                    class: wish.class,
                    payload: Payload::Find {
                        entity,
                        event: None,
                        desired,
                    },
                    latest: None,
                });
            }
        }
        let payload = match (wish.rendered, link) {
            (Rendered::Nothing, None) => {
                let why = Words::new(
                    "il n'y a plus rien à montrer",
                    "there is nothing left to show",
                );
                self.record(Fact::Skipped { of, why });
                return None;
            }
            (Rendered::Nothing, Some(link)) => Payload::Remove { entity, link },
            (Rendered::Object(desired), link) => {
                let action = action(link.as_ref(), self.is_cancelled(entity));
                Payload::Write {
                    entity,
                    action,
                    desired,
                    link,
                }
            }
        };
        Some(self.item(name, owed.delivery, wish.class, payload))
    }

    fn is_cancelled(&self, entity: EntityId) -> bool {
        self.state
            .entities
            .get(&entity)
            .is_some_and(|record| record.when().status == Status::Cancelled)
    }

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
        let Some(sent) = busy.remove(&delivery) else {
            return;
        };
        let lane_free = busy.is_empty();
        if lane_free {
            flight.busy.remove(&family);
        }
        let class = self.class_of(&of);
        match outcome {
            Outcome::Done(applied) => self.done(&of, sent, applied),
            Outcome::NotStarted => {
                if !class.repeatable() && !matches!(sent, Sent::Look { .. }) {
                    self.record(Fact::Again { of: of.clone() });
                }
            }
            Outcome::Looked(found) => self.looked(&of, sent, found),
            Outcome::Failed(failure) => self.failed(&of, class, &sent, failure),
        }
        if lane_free
            && self
                .state
                .sinks
                .get(connector)
                .is_some_and(|sink| sink.lanes.contains_key(&family))
        {
            let flight = self.flight.sinks.entry(connector.clone()).or_default();
            let later = flight.failed.keys().any(|id| *id == delivery);
            if !later {
                flight.wake(family);
            }
        }
    }

    fn class_of(&self, of: &DeliveryRef) -> Class {
        let rules = self.state.rules();
        let Some(rule) = rules.sinks.get(&of.connector) else {
            return Class::Blind;
        };
        let kind = match self.state.find(of) {
            Some(Spot::Queue { family, index }) => {
                let queued = &self.state.sinks[&of.connector].lanes[&family].queue[index];
                crate::fold::decode(&queued.event).map(|event| event.kind)
            }
            Some(Spot::Object { entity, .. }) => {
                self.state.entities.get(&entity).map(|record| record.kind)
            }
            None => None,
        };
        match kind {
            Some(kind) => rule
                .handling(kind)
                .map(|handling| handling.class)
                .next()
                .unwrap_or(Class::Address),
            None => Class::Address,
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

    fn done(&mut self, of: &DeliveryRef, sent: Sent, applied: Applied) {
        self.answered(&of.connector);
        self.flight
            .sinks
            .entry(of.connector.clone())
            .or_default()
            .failed
            .remove(&of.id);
        match sent {
            Sent::Event => self.record(Fact::Done {
                of: of.clone(),
                link: None,
                written: Fields::new(),
            }),
            Sent::Removal | Sent::Look { entity: None, .. } => {
                let entity = self.object_of(of);
                self.record(Fact::Done {
                    of: of.clone(),
                    link: None,
                    written: Fields::new(),
                });
                if let Some(entity) = entity {
                    self.review(&of.connector, entity);
                }
            }
            Sent::Object {
                entity,
                hash,
                revision,
                written,
            }
            | Sent::Look {
                entity: Some(entity),
                hash: Some(hash),
                revision,
                written,
            } => {
                let Applied { external, tag, url } = applied;
                let link = Link {
                    external,
                    tag,
                    hash,
                    revision,
                    url,
                };
                self.record(Fact::Done {
                    of: of.clone(),
                    link: Some(link),
                    written,
                });
                self.review(&of.connector, entity);
                // Children waited for this link.
                self.flight.wake(&of.connector, of.family);
            }
            Sent::Look {
                entity: Some(entity),
                hash: None,
                ..
            } => {
                self.record(Fact::Done {
                    of: of.clone(),
                    link: None,
                    written: Fields::new(),
                });
                self.review(&of.connector, entity);
            }
        }
    }

    fn object_of(&self, of: &DeliveryRef) -> Option<EntityId> {
        match self.state.find(of)? {
            Spot::Object { entity, .. } => Some(entity),
            Spot::Queue { .. } => None,
        }
    }

    fn looked(&mut self, of: &DeliveryRef, sent: Sent, found: Found) {
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
            Found::Yes(applied) => self.done(of, sent, applied),
            Found::No { listed } => {
                self.answered(&of.connector);
                let settled = last_byte.saturating_add(settle).unwrap_or(Timestamp::MAX);
                if listed >= settled {
                    self.record(Fact::Again { of: of.clone() });
                } else {
                    self.look_again(of, settled);
                }
            }
            Found::CannotTell => {
                if self.give_in(of, policy) == Readiness::Go {
                    self.flight.wake(&of.connector, of.family);
                }
            }
        }
    }

    fn look_again(&mut self, of: &DeliveryRef, at: Timestamp) {
        let at = at.max(self.now);
        let flight = self.flight.sinks.entry(of.connector.clone()).or_default();
        flight.failed.insert(of.id, 1);
        flight.wake_at(at, of.family);
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
                Some((queued.progress.clone(), handling.settle(), handling.policy))
            }
            Spot::Object { entity, .. } => {
                let progress = sink.targets.get(&entity)?.owed.as_ref()?.progress.clone();
                let wish = self.wish(&of.connector, entity)?;
                Some((progress, wish.settle, wish.policy))
            }
        }
    }

    fn failed(&mut self, of: &DeliveryRef, class: Class, sent: &Sent, failure: Failure) {
        let looking = matches!(sent, Sent::Look { .. });
        if failure.gone {
            self.release(of, class, looking);
            self.switch(of, Health::Off(Box::new(failure.clone())), "gone", &failure);
            return;
        }
        match failure.blame {
            Blame::Access => {
                self.release(of, class, looking);
                self.switch(
                    of,
                    Health::Refused(Box::new(failure.clone())),
                    "access",
                    &failure,
                );
            }
            Blame::Unknown if !class.repeatable() && !looking => {
                self.record(Fact::Unknown {
                    of: of.clone(),
                    sent: self.now,
                });
                self.flight.wake(&of.connector, of.family);
            }
            Blame::Transient | Blame::Unknown => {
                self.release(of, class, looking);
                self.try_later(of, &failure);
            }
            blame => {
                debug_assert!(sets_aside(blame));
                self.answered(&of.connector);
                self.set_aside(of, &failure);
            }
        }
    }

    /// It is certain that the attempt did nothing.
    fn release(&mut self, of: &DeliveryRef, class: Class, looking: bool) {
        if !class.repeatable() && !looking {
            self.record(Fact::Again { of: of.clone() });
        }
        let flight = self.flight.sinks.entry(of.connector.clone()).or_default();
        *flight.failed.entry(of.id).or_default() += 1;
        flight.park(of.family);
    }

    fn switch(&mut self, of: &DeliveryRef, health: Health, code: &str, failure: &Failure) {
        let known = self.state.sinks.get(&of.connector).map(|sink| &sink.health);
        if known
            .is_some_and(|known| std::mem::discriminant(known) == std::mem::discriminant(&health))
        {
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
        flight.streak += 1;
        let failures = flight.failed.get(&of.id).copied().unwrap_or(1);
        let mut wait = backoff(failures, of.id.as_bytes());
        if let Some(asked) = failure.retry_after_ms {
            wait = wait.max(SignedDuration::from_millis(asked));
        }
        let at = self.now.saturating_add(wait).unwrap_or(Timestamp::MAX);
        flight.wake_at(at, of.family);
        let down = matches!(
            self.state.sinks.get(&of.connector).map(|sink| &sink.health),
            Some(Health::Down(_))
        );
        if down || flight.streak >= DOWN_AFTER || failure.retry_after_ms.is_some() {
            flight.probe_at = Some(at);
            if !down {
                self.switch(
                    of,
                    Health::Down(Box::new(failure.clone())),
                    "outage",
                    failure,
                );
            }
        }
    }

    pub(crate) fn set_aside(&mut self, of: &DeliveryRef, failure: &Failure) {
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
            .failed
            .remove(&of.id);
        self.record(Fact::Dead {
            of: of.clone(),
            failure: Box::new(failure.clone()),
        });
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Readiness {
    Go,
    Look,
    Skip,
}

fn grace(handling: &Handling, route: Option<&Route>) -> SignedDuration {
    SignedDuration::from_secs(
        route
            .and_then(|route| route.grace_s)
            .unwrap_or(handling.grace_s),
    )
}

fn action(link: Option<&Link>, cancelled: bool) -> Action {
    match link {
        None => Action::Create,
        Some(_) if cancelled => Action::Cancel,
        Some(_) => Action::Update,
    }
}
