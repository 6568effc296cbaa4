//! What can start now, lane by lane.

use jiff::{SignedDuration, Timestamp};
use raccord_model::{
    Action, Class, ConnectorName, DeliveryId, Digest, EntityId, Fields, Item, Link, Mode, Payload,
    Policy, Readers, Rendered, Status, Words, Work,
};

use super::Wish;
use crate::deciding::Deciding;
use crate::fact::{DeliveryRef, Fact, Health, OwedFact};
use crate::faults::{Fault, planted};
use crate::flight::{Sent, Underway};
use crate::letters;
use crate::sayings::About;
use crate::state::{Owed, Progress, Queued};

/// How many events of one lane are handed over at once.
const BATCH: usize = 64;
/// How long an attempt that must not be repeated may take to start.
const START_WITHIN: SignedDuration = SignedDuration::from_secs(30);

/// Whether a delivery may be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readiness {
    /// It may.
    Go,
    /// An earlier attempt must be looked for first.
    Look,
    /// It waits for a person.
    Skip,
}

impl Deciding<'_> {
    /// The work that can start now. What must not be repeated blindly is recorded as running.
    pub(crate) fn schedule(&mut self) -> Vec<Work> {
        let mut work = Vec::new();
        if self.flight.withheld || self.state.muted.is_some() && !planted(Fault::MuteSends) {
            return work;
        }
        let rules = self.rules();
        for (name, rule) in &rules.sinks {
            let Some(sink) = self.state.sinks.get(name) else {
                continue;
            };
            // What stands there is looked at before anything is made.
            if crate::observe::shared::is_unknown(self.state, name) {
                continue;
            }
            let flight = self.flight.sinks.entry(name.clone()).or_default();
            flight.ring(self.now);
            match &sink.health {
                Health::Refused(_) | Health::Off(_) => {}
                Health::Down(_) => {
                    let may =
                        flight.busy.is_empty() && flight.probe_at.is_none_or(|at| at <= self.now);
                    if may && !planted(Fault::ProbeNever) {
                        work.extend(self.probe(name));
                    }
                }
                Health::Up => self.start_lanes(name, usize::from(rule.parallel.max(1)), &mut work),
            }
        }
        work
    }

    /// One effect towards a tool that is down: the first that can go.
    fn probe(&mut self, name: &ConnectorName) -> Option<Work> {
        while let Some(family) = self.flight.sinks.get_mut(name)?.probe_lane() {
            if let Some(mut lane) = self.lane_work(name, family) {
                lane.items.truncate(1);
                self.take_off(name, &lane);
                return Some(lane);
            }
        }
        None
    }

    fn start_lanes(&mut self, name: &ConnectorName, parallel: usize, work: &mut Vec<Work>) {
        loop {
            let Some(flight) = self.flight.sinks.get_mut(name) else {
                return;
            };
            if flight.busy.len() >= parallel {
                return;
            }
            let Some(family) = flight.next_lane() else {
                return;
            };
            if let Some(lane) = self.lane_work(name, family) {
                self.take_off(name, &lane);
                work.push(lane);
            }
        }
    }

    /// Marks the items of a lane as under way.
    fn take_off(&mut self, name: &ConnectorName, lane: &Work) {
        for item in &lane.items {
            let sent = match &item.payload {
                Payload::Event(_) => Sent::Event,
                Payload::Remove { .. } => Sent::Removal,
                Payload::Find { .. } => Sent::Look,
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
            };
            let starts = !item.class.repeatable() && !matches!(sent, Sent::Look);
            if let Sent::Object { entity, .. } = &sent
                && let Some(About::Reminder(registration, at)) = self.about(name, *entity)
            {
                self.reminds_now(name, registration, at);
            }
            let flight = self.flight.sinks.entry(name.clone()).or_default();
            if matches!(sent, Sent::Object { .. } | Sent::Removal) {
                flight.tried.insert(item.delivery);
            }
            flight.busy.entry(lane.family).or_default().insert(
                item.delivery,
                Underway {
                    class: item.class,
                    sent,
                },
            );
            if starts && !planted(Fault::NoRunning) {
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

    /// The revision and fields a write brings: all, for sinks that are read back; those that people
    /// are told, for announcements and replies.
    pub(super) fn wrote(&self, sink: &ConnectorName, entity: EntityId) -> (u64, Fields) {
        let told = self.tells(sink, entity);
        let Some(record) = self.state.entities.get(&entity) else {
            return (0, told.unwrap_or_default());
        };
        if let Some(told) = told {
            return (u64::from(record.revision), told);
        }
        let read_back = self.state.rules().sinks.get(sink).is_some_and(|rule| {
            rule.handling(record.kind)
                .any(|handling| handling.read_back)
        });
        let fields = if read_back {
            // What is personal is never compared, for it may not stand in the log.
            let hidden = crate::vault::personal(record.kind);
            let mut fields = record.fields();
            fields.retain(|name, _| !hidden.contains(&name.as_str()));
            fields
        } else {
            Fields::new()
        };
        (u64::from(record.revision), fields)
    }

    /// The next work of one lane, if any can start now.
    fn lane_work(&mut self, name: &ConnectorName, family: EntityId) -> Option<Work> {
        if let Some(work) = self.queue_work(name, family) {
            return Some(work);
        }
        let lane = self.state.sinks.get(name)?.lanes.get(&family)?;
        // Parents before children: the family's own object first.
        let mut objects: Vec<EntityId> = lane.objects.iter().copied().collect();
        objects.sort_by_key(|&entity| (entity != family, entity));
        for entity in objects {
            if self.waits_for_parent(name, family, entity).is_some() && !planted(Fault::ChildFirst)
            {
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

    /// The parent's object, where it must be made before this one, or where a person is asked about
    /// it: what belongs to it is not changed under it.
    fn waits_for_parent(
        &self,
        name: &ConnectorName,
        family: EntityId,
        entity: EntityId,
    ) -> Option<&Owed> {
        let parent = self.state.sinks[name].targets.get(&family)?;
        let owed = parent.owed.as_ref()?;
        let first = parent.link.is_none() || crate::hold::is_blocked(self.state, &owed.progress);
        (entity != family && first).then_some(owed)
    }

    /// An object is not made before this instant, for its parent is not.
    pub(crate) fn parent_due(
        &self,
        name: &ConnectorName,
        family: EntityId,
        entity: EntityId,
    ) -> Timestamp {
        self.waits_for_parent(name, family, entity)
            .map_or(Timestamp::MIN, |parent| parent.due)
    }

    /// Before this instant a tool that is down, or an attempt that failed, is not tried again.
    pub(crate) fn not_before(&self, name: &ConnectorName, delivery: DeliveryId) -> Timestamp {
        let Some(flight) = self.flight.sinks.get(name) else {
            return Timestamp::MIN;
        };
        let down = self
            .state
            .sinks
            .get(name)
            .is_some_and(|sink| matches!(sink.health, Health::Down(_)));
        let probe = flight.probe_at.filter(|_| down);
        probe
            .max(flight.rests_until(delivery))
            .unwrap_or(Timestamp::MIN)
    }

    fn queue_work(&mut self, name: &ConnectorName, family: EntityId) -> Option<Work> {
        let rules = self.rules();
        let rule = rules.sinks.get(name)?;
        let mut items = Vec::new();
        let mut index = 0;
        while items.len() < BATCH {
            let lane = self.state.sinks.get(name)?.lanes.get(&family);
            let Some(queued) = lane.and_then(|lane| {
                let newest = lane.queue.len().checked_sub(index + 1)?;
                let at = if planted(Fault::LaneOrder) {
                    newest
                } else {
                    index
                };
                lane.queue.get(at)
            }) else {
                break;
            };
            let queued = queued.clone();
            let Some(mut event) = crate::fold::decode(&queued.event) else {
                break;
            };
            let Some(handling) = rule
                .handling(event.kind)
                .find(|handling| handling.mode == Mode::Each)
            else {
                break;
            };
            let (class, policy) = (handling.class, handling.policy);
            let of = DeliveryRef {
                connector: name.clone(),
                family,
                id: queued.delivery,
            };
            if self.rests(&of) {
                break;
            }
            match self.readiness(&of, &queued.progress, class, policy, false) {
                Readiness::Go => {}
                Readiness::Skip => {
                    index += 1;
                    continue;
                }
                Readiness::Look => {
                    if items.is_empty() {
                        self.vault.reveal(&mut event.data);
                        items.push(look_for(&queued, class, event));
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

    /// Whether a delivery rests after a failure or until a listing can tell; its lane is then
    /// woken in time.
    fn rests(&mut self, of: &DeliveryRef) -> bool {
        let now = self.now;
        let flight = self.flight.sinks.entry(of.connector.clone()).or_default();
        let Some(until) = flight.rests_until(of.id).filter(|until| *until > now) else {
            return false;
        };
        flight.wake_at(until, of.family);
        true
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
            .map_or(0, |sink| sink.failures(delivery));
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
        linked: bool,
    ) -> Readiness {
        match progress {
            Progress::Pending => Readiness::Go,
            Progress::Held { .. } => Readiness::Skip,
            Progress::Running { latest, .. } => {
                // Nobody here is making it: whoever was, died, or lost the place to us and may
                // still start it until `latest`.
                let sent = (*latest).max(self.now);
                self.record(Fact::Unknown {
                    of: of.clone(),
                    sent,
                });
                self.doubt(of, class, policy, linked)
            }
            Progress::Unknown { .. } => self.doubt(of, class, policy, linked),
        }
    }

    fn doubt(&mut self, of: &DeliveryRef, class: Class, policy: Policy, linked: bool) -> Readiness {
        if planted(Fault::RepeatUnknown) {
            self.record(Fact::Again { of: of.clone() });
            return Readiness::Go;
        }
        match class {
            Class::Address | Class::Key => {
                self.record(Fact::Again { of: of.clone() });
                Readiness::Go
            }
            // We know which object it is: bringing it to its state again is harmless.
            Class::Find if linked => {
                self.record(Fact::Again { of: of.clone() });
                Readiness::Go
            }
            Class::Find => Readiness::Look,
            Class::Blind => self.give_in(of, policy),
        }
    }

    /// Nobody can tell whether it took effect: send again, or ask a person.
    pub(super) fn give_in(&mut self, of: &DeliveryRef, policy: Policy) -> Readiness {
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
        let key = target.key.clone();
        let of = DeliveryRef {
            connector: name.clone(),
            family,
            id: owed.delivery,
        };
        if let Some(About::Roundup(_, at)) = self.about(name, entity)
            && owed.progress == Progress::Pending
            && let Some((_, readers)) = self
                .state
                .rules()
                .sinks
                .get(name)
                .and_then(letters::handling)
        {
            if !self.issue_leaves(&of, entity, at, &owed) {
                return None;
            }
            if readers == Readers::Ours {
                self.address_all(&of, entity, &owed);
                return None;
            }
        }
        if owed.due > self.now && !planted(Fault::NoGrace) {
            let flight = self.flight.sinks.entry(name.clone()).or_default();
            flight.wake_at(owed.due, family);
            return None;
        }
        if self.rests(&of) {
            return None;
        }
        let Some(wish) = self.wish(name, entity) else {
            // The rules do not send it there any more; what the tool holds is left alone.
            let why = Words::new(
                "la configuration ne l'envoie plus là",
                "the configuration no longer sends it there",
            );
            self.record(Fact::Skipped { of, why });
            return None;
        };
        let tried = self.tried(name, &owed);
        if owed.progress == Progress::Pending
            && let Some(why) = needless(&wish, link.as_ref(), tried)
        {
            self.record(Fact::Skipped { of, why });
            return None;
        }
        // A grace, a pause or an outage may have ended at night.
        if owed.progress == Progress::Pending
            && let Some(earliest) = wish.not_before.filter(|earliest| *earliest > self.now)
        {
            let flight = self.flight.sinks.entry(name.clone()).or_default();
            flight.wake_at(earliest, family);
            return None;
        }
        if link.is_none() && crate::observe::shared::is_asked(self.state, name, entity) {
            return None;
        }
        let linked = link.as_ref().is_some_and(|link| !link.is_nameless());
        if !linked && link.is_some() && wish.class == Class::Find {
            self.doubt_nameless(&of, &owed.progress);
        }
        let progress = self.progress(name, entity)?;
        match self.readiness(&of, &progress, wish.class, wish.policy, linked) {
            Readiness::Go => {}
            Readiness::Skip => return None,
            Readiness::Look => {
                let desired = match wish.rendered {
                    Rendered::Object(desired) => Some(desired),
                    Rendered::Nothing => None,
                };
                return Some(Item {
                    delivery: owed.delivery,
                    attempt: progress.attempt(),
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
        if let Some(why) = needless(&wish, link.as_ref(), tried) {
            self.record(Fact::Skipped { of, why });
            return None;
        }
        self.settle_wish(&of, entity, &owed, key, &wish);
        let payload = match (wish.rendered, link) {
            (Rendered::Nothing, link) => Payload::Remove {
                entity,
                link: link.unwrap_or_else(|| Link::nameless(Digest::default())),
            },
            (Rendered::Object(desired), link) => Payload::Write {
                entity,
                action: action(link.as_ref(), self.is_cancelled(entity)),
                desired,
                link: link.filter(|link| !link.is_nameless()),
            },
        };
        Some(self.item(name, owed.delivery, wish.class, payload))
    }

    /// A person vouched for an object whose name nobody knows: it is looked for before anything
    /// is done to it.
    fn doubt_nameless(&mut self, of: &DeliveryRef, progress: &Progress) {
        if *progress == Progress::Pending {
            self.record(Fact::Unknown {
                of: of.clone(),
                sent: self.now,
            });
        }
    }

    /// What kept an object from being made is over.
    pub(crate) fn wake_object(&mut self, sink: &ConnectorName, entity: EntityId) {
        let target = self
            .state
            .sinks
            .get(sink)
            .and_then(|sink| sink.targets.get(&entity));
        if let Some(family) = target.and_then(|target| target.family) {
            self.flight.wake(sink, family);
        }
    }

    fn progress(&self, sink: &ConnectorName, entity: EntityId) -> Option<Progress> {
        let target = self.state.sinks.get(sink)?.targets.get(&entity)?;
        Some(target.owed.as_ref()?.progress.clone())
    }

    /// What is sent is what is recorded as owed: a look must know later what it found.
    fn settle_wish(
        &mut self,
        of: &DeliveryRef,
        entity: EntityId,
        owed: &Owed,
        key: Option<String>,
        wish: &Wish,
    ) {
        if owed.hash == wish.wanted() {
            return;
        }
        self.record(Fact::Owed(Box::new(OwedFact {
            connector: of.connector.clone(),
            entity,
            delivery: owed.delivery,
            family: of.family,
            key,
            due: owed.due,
            best_before: wish.best_before,
            hash: wish.wanted(),
            cause: owed.cause,
            rule: wish.rule.clone(),
        })));
    }

    /// Whether an attempt of an owed object may have started, here or in a process before.
    pub(crate) fn tried(&self, sink: &ConnectorName, owed: &Owed) -> bool {
        let before = self
            .flight
            .started
            .is_none_or(|started| owed.since <= started);
        let flight = self.flight.sinks.get(sink);
        before || flight.is_some_and(|flight| flight.tried.contains(&owed.delivery))
    }

    fn is_cancelled(&self, entity: EntityId) -> bool {
        self.state
            .entities
            .get(&entity)
            .is_some_and(|record| record.when().status == Status::Cancelled)
    }
}

/// Why an owed object need not be made after all.
///
/// `tried`: an attempt may have started, so what the tool holds is not what the link says.
pub(crate) fn needless(wish: &Wish, link: Option<&Link>, tried: bool) -> Option<Words> {
    if wish.announce && link.is_none() && wish.pointless.is_some() {
        if planted(Fault::PointlessSends) {
            return None;
        }
        return wish.pointless.clone();
    }
    match (wish.wanted(), link) {
        // What was tried may be there, and its address follows from the entity.
        (None, None) if !(tried && wish.by_address()) => Some(Words::new(
            "il n'y a plus rien à montrer",
            "there is nothing left to show",
        )),
        (_, Some(link)) if link.is_nameless() && wish.class == Class::Blind => Some(Words::new(
            "personne ne sait de quel objet il s'agit dans l'outil",
            "nobody knows which object of the tool it is",
        )),
        (Some(wanted), Some(link)) if wanted == link.hash && !tried => Some(Words::new(
            "l'outil montre déjà ce qu'il faut",
            "the tool already shows what it should",
        )),
        _ => None,
    }
}

fn look_for(queued: &Queued, class: Class, event: raccord_model::Event) -> Item {
    Item {
        delivery: queued.delivery,
        attempt: queued.progress.attempt(),
        class,
        payload: Payload::Find {
            entity: event.entity,
            event: Some(Box::new(event)),
            desired: None,
        },
        latest: None,
    }
}

pub(crate) fn action(link: Option<&Link>, cancelled: bool) -> Action {
    match link {
        None => Action::Create,
        Some(link) if is_adopted(link) => Action::Adopt,
        Some(_) if cancelled => Action::Cancel,
        Some(_) => Action::Update,
    }
}

/// Whether an object is other people's work that we never wrote in.
fn is_adopted(link: &Link) -> bool {
    link.revision == 0
        && link.tag.is_none()
        && link.hash == Digest::default()
        && !link.is_nameless()
}

/// The later of two instants, where there are any.
pub(super) fn later(one: Option<Timestamp>, other: Timestamp) -> Timestamp {
    one.map_or(other, |one| one.max(other))
}
