//! Calls to the tools: what may leave, what becomes of it, what arrives late.

use jiff::{SignedDuration, Timestamp};
use raccord_engine::Input;
use raccord_model::{
    Action, Blame, ConnectorName, EntityKind, Failure, Item, Outcome, Payload, Work,
};

use super::{Call, GRACE, Sim, failure};
use crate::act::Fate;
use crate::tools::{self, Late};

/// How long a tool asks to be left alone.
const QUIET: SignedDuration = SignedDuration::from_secs(120);

impl Sim {
    /// Laws about what may leave at all.
    pub(super) fn check_release(&mut self, work: &Work) {
        let name = &work.connector;
        if self.muted {
            self.fail(format!("a mute place sends to {name}"));
        }
        if let Some(fate) = self.stopped.get(name) {
            self.fail(format!("{name} is used although it answered {fate:?}"));
        }
        if let Some(until) = self.quiet.get(name)
            && self.now < *until
        {
            self.fail(format!("{name} is used although it asked to be left alone"));
        }
        for item in &work.items {
            let Payload::Write {
                action: Action::Create,
                desired,
                ..
            } = &item.payload
            else {
                continue;
            };
            if name.as_str() != "chat" || desired.body.get("title").is_none() {
                continue;
            }
            let key = desired.body["key"].as_str().unwrap_or_default();
            let start: Option<raccord_model::Civil> = desired.body["start"]
                .as_str()
                .and_then(|text| text.parse().ok());
            let today = jiff::tz::TimeZone::UTC.to_datetime(self.now);
            if desired.body["cancelled"] == true
                || start.is_some_and(|start| raccord_model::over_at(start, None) <= today)
            {
                self.fail(format!(
                    "{key} is announced although it is over or cancelled"
                ));
            }
            let early = self
                .first_read
                .get(key)
                .is_none_or(|first| self.now < first.saturating_add(GRACE).unwrap_or(*first));
            if early {
                self.fail(format!("{key} is announced before its grace was over"));
            }
        }
    }

    pub(super) fn send_late(&mut self, connector: &ConnectorName, item: Item) {
        if matches!(item.payload, Payload::Find { .. }) {
            return;
        }
        let wait = tools::settle(connector.as_str()).as_secs() * 3 / 4;
        let at = self
            .now
            .saturating_add(SignedDuration::from_secs(wait))
            .unwrap_or(self.now);
        let base = self.tools[connector].version_of(&item);
        self.late.push(Late {
            at,
            connector: connector.clone(),
            item,
            base,
        });
    }

    pub(super) fn make(&mut self, connector: &ConnectorName, item: &Item) -> Outcome {
        if let Some(made) = &mut self.made {
            let entity = match &item.payload {
                Payload::Event(event) => event.entity,
                Payload::Write { entity, .. }
                | Payload::Remove { entity, .. }
                | Payload::Find { entity, .. } => *entity,
            };
            made.insert((connector.clone(), entity));
        }
        if let Payload::Write { desired, .. } = &item.payload {
            let key = desired.body["key"].as_str().unwrap_or_default();
            let title = desired.body.get("title").is_some();
            if title && desired.body["cancelled"] == true && !self.may_cancel.contains(key) {
                self.fail(format!(
                    "{key} is cancelled in {connector}, and nobody cancelled it"
                ));
            }
            if let Some(parent) = desired.body["parent"].as_str()
                && connector.as_str() == "calendar"
                && self.died.is_empty()
                && !self.tools[connector]
                    .objects
                    .iter()
                    .any(|object| object.body["key"] == parent)
            {
                self.fail(format!("{key} stands in {connector} before {parent}"));
            }
        }
        self.tell_reader(|| format!("  {connector} makes {item:?}"));
        let now = self.now;
        let tool = self
            .tools
            .get_mut(connector)
            .expect("every sink has its tool");
        let Some(applied) = tool.make(item, now) else {
            let mut absent = failure(Blame::Data, "absent");
            absent.absent = true;
            return Outcome::Failed(absent);
        };
        Outcome::Done(applied)
    }

    pub(super) fn ring_late(&mut self) {
        let now = self.now;
        let (due, later): (Vec<Late>, Vec<Late>) = std::mem::take(&mut self.late)
            .into_iter()
            .partition(|late| late.at <= now);
        self.late = later;
        for late in due {
            // A conditional write finds that somebody was faster.
            let by_address = late.item.class.repeatable();
            let is_event = matches!(late.item.payload, Payload::Event(_));
            let creates = matches!(&late.item.payload, Payload::Write { link: None, .. });
            if !is_event
                && (by_address || !creates)
                && self.tools[&late.connector].version_of(&late.item) != late.base
            {
                continue;
            }
            // It took effect when it arrived, however much time passed at once.
            self.now = late.at;
            self.make(&late.connector, &late.item);
            self.now = now;
        }
    }

    pub(crate) fn next_late(&self) -> Option<Timestamp> {
        self.late.iter().map(|late| late.at).min()
    }

    pub(super) fn tell(&mut self, call: usize, outcome: Outcome) {
        self.tell_reader(|| format!("  answer {outcome:?}"));
        let work = &mut self.calls[call].work;
        let item = work.items.remove(0);
        let (connector, family) = (work.connector.clone(), work.family);
        if work.items.is_empty() {
            self.calls.remove(call);
        }
        let taken = |failure: &Failure| failure.blame == Blame::Data && !failure.gone;
        let answered = match &outcome {
            Outcome::Done(_) | Outcome::Looked(_) => true,
            Outcome::Failed(failure) => taken(failure),
            Outcome::NotStarted | Outcome::ByHand(_) => false,
        };
        match &outcome {
            Outcome::Failed(failure) if failure.retry_after_ms.is_some() => {
                let until = self.now.saturating_add(QUIET).unwrap_or(self.now);
                self.quiet.insert(connector.clone(), until);
            }
            _ if answered => {
                self.quiet.remove(&connector);
            }
            _ => {}
        }
        if answered && self.stopped.get(&connector) == Some(&Fate::Access) {
            self.stopped.remove(&connector);
        }
        self.answers
            .push((connector.clone(), family, item.delivery, outcome.clone()));
        if self.answers.len() > 8 {
            self.answers.remove(0);
        }
        let refused_notice = matches!(&item.payload, Payload::Event(event) if event.kind == EntityKind::Notice)
            && matches!(&outcome, Outcome::Failed(failure) if taken(failure));
        let notices = refused_notice.then(|| self.notices());
        self.input(Input::Outcome {
            connector: connector.clone(),
            family,
            delivery: item.delivery,
            outcome,
        });
        if notices.is_some_and(|before| self.notices() > before) {
            self.fail(format!(
                "{connector} refused a notice, and the next one was made of it"
            ));
        }
    }

    /// How many notices there are.
    fn notices(&self) -> usize {
        let records = self.engine.state().entities.values();
        records
            .filter(|record| record.kind == EntityKind::Notice)
            .count()
    }

    pub(crate) fn answer(&mut self, pick: u64, fate: Fate) {
        if self.calls.is_empty() {
            return;
        }
        let call = (pick % self.calls.len() as u64) as usize;
        let Call { work, failed } = &self.calls[call];
        let (connector, failed) = (work.connector.clone(), *failed);
        let item = work.items[0].clone();
        let looking = matches!(item.payload, Payload::Find { .. });
        let late = item.latest.is_some_and(|latest| self.now > latest);
        if failed || late || fate == Fate::NotStarted {
            self.calls[call].failed = true;
            self.tell(call, Outcome::NotStarted);
            return;
        }
        let outcome = match fate {
            Fate::CannotTell if looking => Outcome::Looked(raccord_model::Found::CannotTell),
            Fate::Good | Fate::OldListing | Fate::Twice if looking => {
                let back = if fate == Fate::OldListing { 60 } else { 0 };
                let listed = self.now.saturating_sub(SignedDuration::from_secs(back));
                let listed = listed.unwrap_or(self.now);
                Outcome::Looked(self.tools[&connector].find(&item, listed))
            }
            Fate::Twice if item.class.repeatable() => {
                self.make(&connector, &item);
                self.make(&connector, &item)
            }
            Fate::Good | Fate::OldListing | Fate::CannotTell | Fate::Twice | Fate::NotStarted => {
                self.make(&connector, &item)
            }
            Fate::AnswerLost => {
                if !looking {
                    self.make(&connector, &item);
                }
                Outcome::Failed(failure(Blame::Unknown, "lost"))
            }
            Fate::Lost => Outcome::Failed(failure(Blame::Unknown, "lost")),
            Fate::Late => {
                self.send_late(&connector, item);
                Outcome::Failed(failure(Blame::Unknown, "lost"))
            }
            Fate::Busy => Outcome::Failed(failure(Blame::Transient, "busy")),
            Fate::Quiet => {
                let mut quiet = failure(Blame::Transient, "quiet");
                quiet.retry_after_ms = i64::try_from(QUIET.as_millis()).ok();
                Outcome::Failed(quiet)
            }
            Fate::Access => {
                self.stopped
                    .entry(connector.clone())
                    .or_insert(Fate::Access);
                Outcome::Failed(failure(Blame::Access, "access"))
            }
            Fate::Data => {
                self.died.insert(connector.clone());
                Outcome::Failed(failure(Blame::Data, "data"))
            }
            Fate::Gone => {
                self.stopped.insert(connector.clone(), Fate::Gone);
                let mut gone = failure(Blame::Data, "gone");
                gone.gone = true;
                Outcome::Failed(gone)
            }
        };
        if !matches!(outcome, Outcome::Done(_)) {
            self.calls[call].failed = true;
        }
        self.tell(call, outcome);
    }
}
