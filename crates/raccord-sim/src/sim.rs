//! One place, its tools and its people, driven act by act on a virtual clock.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use raccord_engine::{Engine, HoldKind, Input, Order};
use raccord_model::{
    Action, Blame, Change, ConnectorName, Digest, EntityId, EntityKind, Failure, Fields, Guards,
    HoldId, Item, Lang, Observation, Outcome, Payload, Place, Recipe, Rules, SourceRule,
    TaskTemplate, Verb, When, Words, Work,
};
use serde_json::json;

use crate::act::{Act, Fate};
use crate::coverage::Coverage;
use crate::sheet::{Row, Sheet};
use crate::tools::{self, Canvas, Late, Tool};

/// How long a missing line must be missing.
pub const SECOND_LOOK: SignedDuration = SignedDuration::from_secs(60);
/// What a member writes over a title.
pub(crate) const MEMBERS: &str = "a member wrote this";
const GRACE: SignedDuration = SignedDuration::from_secs(300);

/// A law that was broken, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken(pub String);

impl Broken {
    /// The law without the names that differ from story to story.
    pub fn law(&self) -> String {
        let plain = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || c == ',');
        let words: Vec<&str> = self.0.split_whitespace().filter(plain).collect();
        words.join(" ")
    }
}

/// Faults of the shell around the engine, which the laws must find as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShellFault {
    /// A post is confirmed before its commit is durable.
    AckBeforeCommit,
    /// Work leaves before its commit is durable.
    WorkBeforeCommit,
    /// A snapshot is kept, the commits after it are not folded.
    ForgetTail,
}

/// What another program posted.
#[derive(Clone, Debug)]
pub struct Post {
    pub(crate) change: Change,
    pub(crate) n: u64,
    pub(crate) confirmed: bool,
    pub(crate) forgotten: bool,
}

#[derive(Clone, Debug)]
struct Step {
    at: Timestamp,
    commit: Option<Vec<u8>>,
    slots: Vec<(String, String)>,
    work: Vec<Work>,
    posts: Vec<usize>,
}

/// A call under way: a lane's items, the first of which was started.
#[derive(Clone, Debug)]
pub struct Call {
    work: Work,
    failed: bool,
}

/// The place.
#[derive(Clone, Debug)]
pub struct Sim {
    pub(crate) engine: Engine,
    pub(crate) now: Timestamp,
    log: Vec<(Timestamp, Vec<u8>)>,
    slots: Vec<(String, String)>,
    pending: Vec<Step>,
    /// How long the log was when a backup was made, and which lines were missed then.
    backup: Option<(usize, BTreeMap<u32, Timestamp>)>,
    /// The tools.
    pub tools: BTreeMap<ConnectorName, Tool>,
    pub(crate) calls: Vec<Call>,
    pub(crate) late: Vec<Late>,
    answers: Vec<(ConnectorName, EntityId, raccord_model::DeliveryId, Outcome)>,
    pub(crate) sheet: Sheet,
    pub(crate) posts: Vec<Post>,
    pub(crate) config: u8,
    pub(crate) muted: bool,
    pub(crate) restored: bool,
    pub(crate) died: BTreeSet<ConnectorName>,
    first_read: BTreeMap<String, Timestamp>,
    missed: BTreeMap<u32, Timestamp>,
    /// The lines as an accepted reading last showed them.
    pub(crate) shown: BTreeMap<u32, Row>,
    may_cancel: BTreeSet<String>,
    /// The same, as far as it is durable.
    kept: BTreeMap<u32, Row>,
    /// What somebody deleted from the chat by hand.
    pub(crate) deleted: BTreeSet<String>,
    /// What a member wrote into the calendar and an organiser took over, by line.
    pub(crate) taken: BTreeMap<String, u32>,
    /// What was made, where somebody counts.
    pub(crate) made: Option<BTreeSet<(ConnectorName, EntityId)>>,
    stopped: BTreeMap<ConnectorName, Fate>,
    /// What was reached.
    pub coverage: Coverage,
    /// The law that was broken first.
    pub broken: Option<Broken>,
    /// A fault of the shell, where one is planted.
    pub shell: Option<ShellFault>,
    /// A digest of every commit.
    pub trace: Digest,
    only: Option<Vec<&'static str>>,
    /// How many rounds the healing took.
    pub healing: u32,
    /// What happened, for whoever reads a story that broke a law.
    pub told: Option<Vec<String>>,
}

fn source() -> ConnectorName {
    "sheet".parse().expect("a plain name")
}

fn rules(config: u8, only: Option<&[&'static str]>) -> Rules {
    let task = |title: &str| TaskTemplate {
        title: title.to_owned(),
        guide: format!("g{config}"),
        ..TaskTemplate::default()
    };
    let mut tasks = vec![task("Host"), task("Clean")];
    if config % 4 == 3 {
        tasks.pop();
    }
    Rules {
        place: Place {
            id: "sim".parse().expect("a plain name"),
            name: "Sim".into(),
            zone: "UTC".into(),
            lang: Lang::En,
            public_url: String::new(),
        },
        sources: [(
            source(),
            SourceRule {
                kind: "sheet".into(),
                every_s: 60,
            },
        )]
        .into(),
        sinks: tools::NAMES
            .iter()
            .filter(|name| only.is_none_or(|only| only.contains(name)))
            .map(|name| {
                (
                    name.parse().expect("a plain name"),
                    tools::rule(name, config),
                )
            })
            .collect(),
        recipes: vec![Recipe {
            when: When {
                entity: vec![EntityKind::Activity],
                fields: [("kind".to_owned(), vec!["Réunion".to_owned()])].into(),
            },
            tasks,
        }],
        routes: Vec::new(),
        guards: Guards::default(),
    }
}

fn failure(blame: Blame, code: &str) -> Failure {
    Failure::new(blame, code, Words::same(code), Words::same(code))
}

impl Sim {
    /// A place on its first morning.
    pub fn new(shell: Option<ShellFault>) -> Self {
        let mut sim = Self {
            engine: Engine::new(),
            now: "2026-12-01T08:00:00Z".parse().expect("an instant"),
            log: Vec::new(),
            slots: Vec::new(),
            pending: Vec::new(),
            backup: None,
            tools: tools::all(),
            calls: Vec::new(),
            late: Vec::new(),
            answers: Vec::new(),
            sheet: Sheet::default(),
            posts: Vec::new(),
            config: 0,
            muted: false,
            restored: false,
            died: BTreeSet::new(),
            first_read: BTreeMap::new(),
            missed: BTreeMap::new(),
            shown: BTreeMap::new(),
            may_cancel: BTreeSet::new(),
            kept: BTreeMap::new(),
            deleted: BTreeSet::new(),
            taken: BTreeMap::new(),
            made: None,
            stopped: BTreeMap::new(),
            coverage: Coverage::default(),
            broken: None,
            shell,
            trace: Digest::default(),
            only: None,
            healing: 0,
            told: None,
        };
        sim.input(Input::Configure(Box::new(rules(0, None))));
        sim.flush();
        sim
    }

    pub(crate) fn fail(&mut self, what: impl Into<String>) {
        if self.broken.is_none() {
            self.broken = Some(Broken(what.into()));
        }
    }

    /// Notes what happened, where somebody reads.
    pub(crate) fn tell_reader(&mut self, what: impl FnOnce() -> String) {
        let now = self.now;
        if let Some(told) = &mut self.told {
            told.push(format!("{now:.0} {}", what()));
        }
    }

    fn input(&mut self, input: Input) {
        self.step(vec![input], Vec::new());
    }

    fn step(&mut self, inputs: Vec<Input>, posts: Vec<usize>) {
        let mut seed = [0; 16];
        seed[..8].copy_from_slice(&(self.log.len() as u64).to_be_bytes());
        seed[8] = self.pending.len() as u8;
        let step = self.engine.step(inputs, self.now, seed, &Canvas);
        for work in &step.work {
            self.check_release(work);
        }
        if self.shell == Some(ShellFault::AckBeforeCommit) {
            for &post in &posts {
                self.posts[post].confirmed = true;
            }
        }
        let mut work = step.work;
        if self.shell == Some(ShellFault::WorkBeforeCommit) {
            let early = std::mem::take(&mut work);
            self.calls.extend(early.into_iter().map(|work| Call {
                work,
                failed: false,
            }));
        }
        self.pending.push(Step {
            at: self.now,
            commit: step.commit,
            slots: step.slots,
            work,
            posts,
        });
        if self.pending.len() > 3 {
            self.flush();
        }
    }

    /// Laws about what may leave at all.
    fn check_release(&mut self, work: &Work) {
        let name = &work.connector;
        if self.muted {
            self.fail(format!("a mute place sends to {name}"));
        }
        if let Some(fate) = self.stopped.get(name) {
            self.fail(format!("{name} is used although it answered {fate:?}"));
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

    /// What was decided becomes durable, and leaves.
    pub(crate) fn flush(&mut self) {
        self.kept.clone_from(&self.shown);
        for step in std::mem::take(&mut self.pending) {
            if let Some(commit) = step.commit {
                if commit.windows(6).any(|part| part == b"canary") {
                    let text = String::from_utf8_lossy(&commit);
                    let at = text.find("canary").unwrap_or_default();
                    let around: String = text
                        .chars()
                        .skip(at.saturating_sub(200))
                        .take(300)
                        .collect();
                    self.fail(format!("a personal value stands in a commit: {around}"));
                }
                self.trace = Digest::of(&[&self.trace.0[..], &commit].concat());
                self.coverage.commit(&commit);
                if self.told.is_some() {
                    for fact in raccord_engine::decode_commit(&commit).unwrap_or_default() {
                        self.tell_reader(|| format!("    {fact:?}"));
                    }
                }
                self.log.push((step.at, commit));
            }
            self.slots.extend(step.slots);
            for post in step.posts {
                self.posts[post].confirmed = true;
            }
            self.calls.extend(step.work.into_iter().map(|work| Call {
                work,
                failed: false,
            }));
        }
    }

    fn rebuilt(&mut self) -> Engine {
        let mut engine = Engine::new();
        let tail = usize::from(self.shell == Some(ShellFault::ForgetTail));
        let until = self.log.len().saturating_sub(tail).max(1);
        for (index, (at, body)) in self.log[..until].iter().enumerate() {
            // Half-way, the state goes through a snapshot.
            if index == until / 2
                && let Some(again) = Engine::from_snapshot(&engine.snapshot())
            {
                engine = again;
            }
            if engine.fold(index as u64 + 1, *at, body).is_err() {
                self.broken
                    .get_or_insert(Broken("a commit cannot be folded".into()));
            }
        }
        engine.remember(self.slots.iter().cloned());
        engine
    }

    /// The law of the log: folding it gives the same state, byte for byte.
    pub(crate) fn check_fold(&mut self) {
        if self.pending.is_empty() {
            let again = self.rebuilt();
            if again.snapshot() != self.engine.snapshot() {
                self.fail("folding the log does not give the state again");
            }
        }
    }

    fn crash(&mut self, bits: u64) {
        self.check_fold();
        self.pending.clear();
        self.shown.clone_from(&self.kept);
        for (index, call) in std::mem::take(&mut self.calls).into_iter().enumerate() {
            let Some(item) = call.work.items.into_iter().next().filter(|_| !call.failed) else {
                continue;
            };
            if item.latest.is_some_and(|latest| self.now > latest) {
                continue;
            }
            match (bits >> (2 * (index % 32))) & 3 {
                0 | 1 => {}
                2 => {
                    self.make(&call.work.connector, &item);
                }
                _ => self.send_late(&call.work.connector, item),
            }
        }
        self.engine = self.rebuilt();
        self.engine.start();
        self.coverage.restart(&self.engine);
        let health: BTreeSet<ConnectorName> = self
            .engine
            .state()
            .sinks
            .iter()
            .filter(|(_, sink)| {
                use raccord_engine::Health::{Off, Refused};
                matches!(sink.health, Off(_) | Refused(_))
            })
            .map(|(name, _)| name.clone())
            .collect();
        self.stopped.retain(|name, _| health.contains(name));
        self.muted = self.engine.state().muted.is_some();
        self.input(Input::Configure(Box::new(rules(
            self.config,
            self.only.as_deref(),
        ))));
    }

    fn send_late(&mut self, connector: &ConnectorName, item: Item) {
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

    fn make(&mut self, connector: &ConnectorName, item: &Item) -> Outcome {
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
        match tool.make(item, now) {
            Some(applied) => Outcome::Done(applied),
            None => {
                let mut absent = failure(Blame::Data, "absent");
                absent.absent = true;
                Outcome::Failed(absent)
            }
        }
    }

    fn ring_late(&mut self) {
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

    fn tell(&mut self, call: usize, outcome: Outcome) {
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
            Outcome::NotStarted => false,
        };
        if answered && self.stopped.get(&connector) == Some(&Fate::Access) {
            self.stopped.remove(&connector);
        }
        self.answers
            .push((connector.clone(), family, item.delivery, outcome.clone()));
        if self.answers.len() > 8 {
            self.answers.remove(0);
        }
        self.input(Input::Outcome {
            connector,
            family,
            delivery: item.delivery,
            outcome,
        });
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
                quiet.retry_after_ms = Some(120_000);
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
        let seen = Ok(self.sheet.read(cursor.as_deref()));
        self.input(Input::Observed {
            source: source(),
            seen,
        });
        let state = self.engine.state().sources.get(&source());
        if state.is_some_and(|state| state.held.is_none()) {
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

    fn post(&mut self, kind: EntityKind, subject: String, mut fields: Fields) {
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
                !self.is_there(&of)
            }
            HoldKind::Reading { .. } => {
                if yes {
                    let gone = self.sheet.cut.keys().chain(self.sheet.spilt.keys());
                    self.may_cancel.extend(gone.map(|key| format!("k{key}")));
                }
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
            HoldKind::Rules { .. } => yes,
        };
        let order = if yes {
            Order::Approve { hold, only }
        } else {
            Order::Reject(hold)
        };
        self.order(order);
    }

    /// The line that an activity stands for.
    fn key_of(&self, entity: EntityId) -> Option<(u32, Row)> {
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
    fn same_lines(&self, pairs: &[(Digest, EntityId)]) -> BTreeSet<EntityId> {
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

    fn is_there(&self, of: &raccord_engine::DeliveryRef) -> bool {
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
        self.order(Order::SwitchOn(name.clone()));
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

    pub(crate) fn wait(&mut self, until: Timestamp) {
        self.now = self.now.max(until);
        self.ring_late();
        self.input(Input::Tick);
    }

    pub(crate) fn next_late(&self) -> Option<Timestamp> {
        self.late.iter().map(|late| late.at).min()
    }

    pub(crate) fn paste(&mut self) {
        let cut = std::mem::take(&mut self.sheet.cut);
        self.sheet.rows.extend(cut);
    }

    pub(crate) fn unspill(&mut self) {
        let spilt = std::mem::take(&mut self.sheet.spilt);
        self.sheet.rows.extend(spilt);
    }

    pub(crate) fn add(&mut self, day: i32) {
        let key = self.sheet.next;
        self.sheet.next += 1;
        let row = Row {
            title: 0,
            day,
            cancelled: false,
            internal: false,
            reworked: false,
        };
        self.sheet.rows.insert(key, row);
    }

    /// The seconds since the first day began.
    fn today(&self) -> i32 {
        let days = self
            .now
            .duration_since("2026-12-01T00:00:00Z".parse().expect("an instant"));
        (days.as_secs() / 86_400) as i32
    }

    /// One act.
    pub fn act(&mut self, act: Act) {
        self.tell_reader(|| format!("{act:?}"));
        match act {
            Act::Add(ahead) => {
                let day = self.today() + i32::from(ahead % 40);
                self.add(day);
            }
            Act::Retitle(pick) => self.edit(pick, |row| row.title += 1),
            Act::Move(pick) => self.edit(pick, |row| row.day += 1),
            Act::Hide(pick) => self.edit(pick, |row| row.internal = !row.internal),
            Act::Cancel(pick) => {
                if let Some(key) = self.sheet.pick(pick) {
                    self.may_cancel.insert(format!("k{key}"));
                }
                self.edit(pick, |row| row.cancelled = !row.cancelled);
            }
            Act::Cut(pick) => {
                if let Some(key) = self.sheet.pick(pick)
                    && self.is_coming(key)
                    && let Some(row) = self.sheet.rows.remove(&key)
                {
                    self.sheet.cut.insert(key, row);
                }
            }
            Act::Paste => self.paste(),
            Act::Spill => self.spill(),
            Act::Unspill => self.unspill(),
            Act::Read => self.read(),
            Act::ReadFails => {
                let seen = Err::<Observation, _>(failure(Blame::Transient, "unreadable"));
                self.input(Input::Observed {
                    source: source(),
                    seen,
                });
            }
            Act::Credit(person) => {
                let person = EntityId::derive(&[b"person", &[person % 3]]);
                let fields = [
                    ("person".to_owned(), json!(person.to_string())),
                    ("amount".to_owned(), json!(150)),
                ];
                let subject = format!("c{}", self.posts.len());
                self.post(EntityKind::Credit, subject, fields.into());
            }
            Act::SignUp(who) => {
                let fields = [("name".to_owned(), json!(format!("canary{who}")))];
                self.post(
                    EntityKind::Registration,
                    format!("r{}", who % 3),
                    fields.into(),
                );
            }
            Act::Repost(pick) => {
                let durable: Vec<usize> = (0..self.posts.len())
                    .filter(|&index| self.posts[index].confirmed && !self.posts[index].forgotten)
                    .collect();
                if let Some(count) = std::num::NonZeroU64::new(durable.len() as u64) {
                    self.repost(durable[(pick % count) as usize]);
                }
            }
            Act::Answer(pick, fate) => self.answer(pick, fate),
            Act::AnswerAgain(pick) => {
                let count = self.answers.len().max(1) as u64;
                if let Some((connector, family, delivery, outcome)) =
                    self.answers.get((pick % count) as usize).cloned()
                    && !self
                        .calls
                        .iter()
                        .any(|call| call.work.items.iter().any(|item| item.delivery == delivery))
                    && self.pending.is_empty()
                {
                    self.input(Input::Outcome {
                        connector,
                        family,
                        delivery,
                        outcome,
                    });
                }
            }
            Act::Wait(seconds) => {
                let long = !self.sheet.spilt.is_empty();
                let seconds = if long { seconds.min(600) } else { seconds };
                let wait = SignedDuration::from_secs(i64::from(seconds));
                self.wait(self.now.saturating_add(wait).unwrap_or(self.now));
            }
            Act::Flush => self.flush(),
            Act::Crash(bits) => self.crash(bits),
            Act::Backup => {
                self.flush();
                self.backup = Some((self.log.len(), self.missed.clone()));
            }
            Act::Restore(bits) => self.restore(bits),
            Act::Unmute => self.unmute(),
            Act::Mute => {
                self.order(Order::Mute(Words::same("rest")));
                self.muted = true;
            }
            Act::Decide(pick, yes) => {
                let count = self.engine.state().holds.len().max(1) as u64;
                let hold = self
                    .engine
                    .state()
                    .holds
                    .keys()
                    .nth((pick % count) as usize)
                    .copied();
                if let Some(hold) = hold {
                    self.decide(hold, yes);
                }
            }
            Act::Retry(pick) => {
                let dead: Vec<_> = self.dead();
                if let Some(count) = std::num::NonZeroU64::new(dead.len() as u64) {
                    self.order(Order::Retry(dead[(pick % count) as usize]));
                }
            }
            Act::SwitchOn(pick) => {
                let name = tools::NAMES[(pick % tools::NAMES.len() as u64) as usize];
                self.switch_on(&name.parse().expect("a plain name"));
            }
            Act::Configure(config) => {
                self.config = config;
                self.configure();
            }
            Act::Edit(pick) => self.edited(pick),
            Act::Delete(pick) => self.delete(pick),
            Act::Nameless => self.sheet.nameless = true,
            Act::Rework(pick) => self.rework(pick),
        }
    }

    pub(crate) fn dead(&self) -> Vec<raccord_model::DeliveryId> {
        let sinks = self.engine.state().sinks.values();
        sinks.flat_map(|sink| sink.dead.keys().copied()).collect()
    }

    fn edit(&mut self, pick: u64, change: impl FnOnce(&mut Row)) {
        let Some(key) = self.sheet.pick(pick) else {
            return;
        };
        if let Some(row) = self.sheet.rows.get_mut(&key) {
            change(row);
        }
    }

    fn spill(&mut self) {
        self.flush();
        self.read();
        self.flush();
        let coming = self
            .sheet
            .rows
            .keys()
            .copied()
            .filter(|&key| self.is_coming(key))
            .collect::<Vec<_>>();
        let accepted = self
            .engine
            .state()
            .sources
            .get(&source())
            .is_some_and(|state| {
                state.held.is_none() && state.lines.len() >= self.sheet.rows.len()
            });
        let standing = coming
            .iter()
            .filter(|key| !self.sheet.rows[key].cancelled)
            .count();
        if standing < 6 || !accepted || !self.sheet.cut.is_empty() {
            return;
        }
        for key in coming.into_iter().skip(1) {
            if let Some(row) = self.sheet.rows.remove(&key) {
                self.sheet.spilt.insert(key, row);
            }
        }
    }

    fn restore(&mut self, bits: u64) {
        let Some((until, missed)) = self.backup.clone() else {
            return;
        };
        self.unspill();
        self.crash(bits);
        self.pending.clear();
        for post in &mut self.posts {
            post.forgotten = true;
        }
        self.log.truncate(until);
        self.missed = missed;
        self.restored = true;
        self.engine = self.rebuilt();
        self.engine.start();
        self.coverage.restart(&self.engine);
        self.stopped.clear();
        self.step(
            vec![
                Input::Order(Order::Mute(Words::same("restored"))),
                Input::Configure(Box::new(rules(self.config, self.only.as_deref()))),
            ],
            Vec::new(),
        );
        self.muted = true;
        self.flush();
    }

    /// A line of which nothing much is left may be taken for another one.
    fn rework(&mut self, pick: u64) {
        if let Some(key) = self.sheet.pick(pick) {
            self.may_cancel.insert(format!("k{key}"));
        }
        self.edit(pick, |row| {
            row.reworked = !row.reworked;
            row.day += 1;
        });
    }

    fn delete(&mut self, pick: u64) {
        let name: ConnectorName = "chat".parse().expect("a plain name");
        let tool = self.tools.get_mut(&name).expect("every sink has its tool");
        let count = tool.objects.len() as u64;
        if let Some(at) = pick.checked_rem(count)
            && self.late.is_empty()
        {
            let object = tool.objects.remove(at as usize);
            let key = object.body["key"].as_str().unwrap_or_default();
            self.deleted.insert(key.to_owned());
        }
    }

    fn edited(&mut self, pick: u64) {
        let name: ConnectorName = "calendar".parse().expect("a plain name");
        let tool = self.tools.get_mut(&name).expect("every sink has its tool");
        let count = tool.objects.len().max(1) as u64;
        let Some(object) = tool.objects.get_mut((pick % count) as usize) else {
            return;
        };
        if object.body.get("title").is_none() || !self.late.is_empty() {
            return;
        }
        let (field, value) = if pick & 256 == 0 {
            object.body["title"] = json!(MEMBERS);
            ("title", json!(MEMBERS))
        } else {
            ("room", json!("attic"))
        };
        object.version += 1;
        let entity = object.entity;
        let theirs = [(field.to_owned(), value)].into();
        // The edit is read back at every look, until it is known.
        self.input(Input::Edited {
            connector: name,
            entity,
            theirs,
        });
        self.flush();
    }
}

impl Sim {
    /// Leaves only some of the tools.
    pub(crate) fn keep_only(&mut self, names: &[&'static str]) {
        self.only = Some(names.to_vec());
        self.configure();
        self.flush();
    }

    /// What tells this state from others.
    pub(crate) fn digest(&self, faults: u8) -> Digest {
        let text = format!(
            "{:?}|{:?}|{:?}|{:?}|{:?}|{:?}|{:?}|{faults}",
            self.engine, self.now, self.tools, self.calls, self.late, self.sheet, self.pending
        );
        Digest::of(text.as_bytes())
    }
}

impl Sim {
    /// Whether this place has this tool.
    pub(crate) fn uses(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(&name))
    }
}
