//! The log's only writer: one thread that decides, makes durable, and only then lets anything out.
//!
//! What waits is taken as one group: one commit, one sync of the disk.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use raccord_bus::{Log, SlotWrite, Upkeep};
use raccord_engine::{DeliveryRef, Engine, Input, Reply, Step, Vault};
use raccord_kit::Clock;
use raccord_model::{ConnectorName, EntityKind, Event, Outcome, Remark, Rules};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};

use super::desk::{Broken, Command, Desk, Report, stopped};
use super::effects::Effects;
use super::home::Home;
use super::load::{Written, open_writer};
use super::{renderer::Rendering, told};
use crate::report::Problem;

/// How many inputs one group takes.
const GROUP: usize = 1_024;
/// How many inputs may wait for the writer.
const WAITING: usize = 16_384;
/// From this many bytes of commits on, a snapshot is worth its writing.
const TAIL: usize = 4 << 20;
/// A quiet place makes its next start fast.
const QUIET_TAIL: usize = 64 << 10;
/// How long a place must be quiet for that.
const QUIET: Duration = Duration::from_secs(5);
/// How often a broken log is opened again.
const REOPEN: Duration = Duration::from_secs(5);
/// How many events of a pass are kept for telling what changed.
const TOLD: usize = 5_000;

/// What the writer is given.
pub(crate) struct WriterOptions {
    /// What its settings say.
    pub(crate) set: Set,
    /// The clock.
    pub(crate) clock: Arc<dyn Clock>,
    /// Called with the events of every durable commit.
    pub(crate) publish: Option<Publish>,
    /// When the first effect may start.
    pub(crate) start: Start,
}

/// What the settings of a place say; another whenever they change.
pub(crate) struct Set {
    /// The rules, given the salt of credentials' digests.
    pub(crate) rules: Box<dyn Fn(&str) -> Rules + Send>,
    /// The tools, which render.
    pub(crate) tools: Rendering,
}

/// When the first effect may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// At once.
    AtOnce,
    /// When [`Desk::release`] says so. A pass begins with the writer, so that what the first step
    /// decides is told as well.
    OnRelease,
}

/// Takes the events of a durable commit: its number, the events, and the personal values.
pub(crate) type Publish = Box<dyn Fn(u64, &[Event], &Vault) + Send>;

/// The writer's thread.
pub(crate) struct Writer {
    thread: std::thread::JoinHandle<()>,
}

impl Writer {
    /// Starts the writer on an open log.
    ///
    /// # Errors
    /// When the first commit, the configuration's, cannot be written.
    pub(crate) fn start(
        loaded: Written,
        options: WriterOptions,
        effects: Effects,
    ) -> Result<(Self, Desk), Problem> {
        let (tell, hear) = mpsc::channel(WAITING);
        let (status, status_seen) = watch::channel(None);
        let (looks, looks_seen) = watch::channel(Vec::new());
        let start = options.start;
        let mut thread = Thread {
            home: loaded.home,
            options,
            effects,
            hear,
            tell: tell.downgrade(),
            status,
            looks,
            handle: Handle::current(),
            pass: (start == Start::OnRelease).then(Report::default),
            quiet: Vec::new(),
            tail: loaded.tail,
            snapshot_size: 0,
            upkeep: false,
        };
        let mut held = Held {
            engine: loaded.engine,
            log: loaded.log,
        };
        if start == Start::OnRelease {
            held.engine.withhold();
        }
        let muted = loaded.muted;
        thread.configure(&mut held, muted)?;
        let thread = std::thread::Builder::new()
            .name("writer".into())
            .spawn(move || thread.run(held))
            .map_err(|error| Problem::file(std::path::Path::new("thread"), &error))?;
        Ok((
            Self { thread },
            Desk {
                tell,
                status: status_seen,
                looks: looks_seen,
            },
        ))
    }

    /// Waits until the writer has finished; every [`Desk`] must be gone by then.
    pub(crate) fn join(self) {
        if self.thread.join().is_err() {
            tracing::error!("the writer panicked");
        }
    }
}

/// What is thrown away when the log fails.
struct Held {
    engine: Engine,
    log: Box<dyn Log>,
}

struct Thread {
    home: Home,
    options: WriterOptions,
    effects: Effects,
    hear: mpsc::Receiver<Command>,
    tell: mpsc::WeakSender<Command>,
    status: watch::Sender<Option<Problem>>,
    looks: watch::Sender<Vec<raccord_engine::Look>>,
    handle: Handle,
    pass: Option<Report>,
    quiet: Vec<oneshot::Sender<()>>,
    tail: usize,
    snapshot_size: usize,
    upkeep: bool,
}

impl Thread {
    fn run(mut self, held: Held) {
        let mut held = Some(held);
        loop {
            let Some(open) = held.as_mut() else {
                match self.reopen() {
                    Some(again) => held = Some(again),
                    None => {
                        if self.refuse_until_reopen() {
                            return;
                        }
                    }
                }
                continue;
            };
            match self.hear_group(open) {
                Heard::Ended => {
                    self.leave(open);
                    return;
                }
                Heard::Group(group) => {
                    if let Err(problem) = self.decide(open, group) {
                        self.break_down(problem);
                        held = None;
                        continue;
                    }
                    if self.upkeep {
                        self.tidy(open);
                    } else if self.tail >= TAIL.max(self.snapshot_size / 4) {
                        self.begin_snapshot(open);
                    }
                }
            }
        }
    }

    /// Waits for inputs, for the engine's next hour, or for a quiet moment to tidy up.
    fn hear_group(&mut self, held: &mut Held) -> Heard {
        let mut group = Vec::new();
        let now = self.options.clock.now();
        let wait = held.engine.wake().map_or(Duration::from_hours(1), |at| {
            Duration::try_from(at.duration_since(now)).unwrap_or_default()
        });
        let idle = if self.upkeep { Duration::ZERO } else { QUIET };
        let first = self.hear_within(wait.min(idle));
        match first {
            Hear::Command(command) => group.push(command),
            Hear::Ended => return Heard::Ended,
            Hear::Nothing if wait <= idle => {}
            Hear::Nothing => {
                self.tidy(held);
                return Heard::Group(group);
            }
        }
        while group.len() < GROUP {
            match self.hear.try_recv() {
                Ok(command) => group.push(command),
                Err(_) => break,
            }
        }
        Heard::Group(group)
    }

    fn hear_within(&mut self, wait: Duration) -> Hear {
        if let Ok(command) = self.hear.try_recv() {
            return Hear::Command(command);
        }
        if wait.is_zero() {
            return Hear::Nothing;
        }
        let hear = &mut self.hear;
        match self
            .handle
            .block_on(async { tokio::time::timeout(wait, hear.recv()).await })
        {
            Ok(Some(command)) => Hear::Command(command),
            Ok(None) => Hear::Ended,
            Err(_) => Hear::Nothing,
        }
    }

    /// Decides about a group, makes it durable, lets it out.
    fn decide(&mut self, held: &mut Held, group: Vec<Command>) -> Result<(), Problem> {
        let mut inputs = Vec::with_capacity(group.len() + 1);
        let mut replies: Vec<Option<oneshot::Sender<Result<Reply, Broken>>>> = Vec::new();
        let mut after: Vec<Command> = Vec::new();
        for command in group {
            match command {
                Command::Input { input, reply } => {
                    inputs.push(input);
                    replies.push(Some(reply));
                }
                Command::Outcome {
                    connector,
                    family,
                    delivery,
                    outcome,
                    unchanged,
                } => {
                    if let (Some(pass), Outcome::Done(_)) = (&mut self.pass, &outcome) {
                        pass.done.push(delivery);
                        if unchanged {
                            pass.unchanged.insert(delivery);
                        }
                    }
                    inputs.push(Input::Outcome {
                        connector,
                        family,
                        delivery,
                        outcome,
                    });
                    replies.push(None);
                }
                Command::BeginPass => self.pass = Some(Report::default()),
                other => after.push(other),
            }
        }
        inputs.push(Input::Tick);
        replies.push(None);
        let approved = held.engine.state().approved_rules;
        let step = self.step(held, inputs).inspect_err(|problem| {
            for reply in replies.iter_mut().filter_map(Option::take) {
                drop(reply.send(Err(Broken(problem.clone()))));
            }
        })?;
        for (reply, answer) in replies.into_iter().zip(step.replies) {
            if let Some(reply) = reply {
                drop(reply.send(Ok(answer)));
            }
        }
        self.let_out(held, step.events, step.remarks, step.work);
        if held.engine.state().approved_rules != approved {
            // A person said yes to the rules that waited: they are in force from now on.
            self.configure(held, None)?;
        }
        for command in after {
            match command {
                Command::Ask(look) => look(&mut held.engine, &mut *held.log),
                Command::EndPass(reply) => {
                    drop(reply.send(self.pass.take().unwrap_or_default()));
                }
                Command::WhenQuiet(reply) => self.quiet.push(reply),
                Command::Change(set, reply) => {
                    self.change(*set);
                    let done = self.configure(held, None);
                    // In force in any case, once the log can be written; nobody else asked.
                    reply.send(()).ok();
                    done?;
                }
                Command::Input { .. } | Command::Outcome { .. } | Command::BeginPass => {}
            }
        }
        if held.engine.in_flight() == 0 {
            for reply in self.quiet.drain(..) {
                if reply.send(()).is_err() {
                    tracing::debug!("nobody waits for quiet any more");
                }
            }
        }
        self.looks.send_if_modified(|known| {
            let looks = held.engine.looks();
            let changed = *known != looks;
            *known = looks;
            changed
        });
        Ok(())
    }

    /// One step of the engine, durable when it returns.
    fn step(&mut self, held: &mut Held, inputs: Vec<Input>) -> Result<Step, Problem> {
        let now = self.options.clock.now();
        let mut step = held
            .engine
            .step(inputs, now, entropy(), &self.options.set.tools);
        if let Some(body) = step.commit.take() {
            let slots: Vec<SlotWrite> = std::mem::take(&mut step.slots)
                .into_iter()
                .map(|(slot, value)| SlotWrite {
                    slot,
                    value: Some(value),
                })
                .collect();
            held.log
                .append(now, &body, &slots)
                .map_err(|error| self.home.refused(&error))?;
            self.tail += body.len();
        }
        Ok(step)
    }

    /// What is durable may leave the process.
    fn let_out(
        &mut self,
        held: &mut Held,
        events: Vec<Event>,
        remarks: Vec<(ConnectorName, Remark)>,
        work: Vec<raccord_model::Work>,
    ) {
        if let Some(publish) = &self.options.publish
            && !events.is_empty()
        {
            publish(held.engine.state().commit, &events, held.engine.vault());
        }
        for event in events
            .iter()
            .filter(|event| event.kind == EntityKind::Notice)
        {
            told::outage(event);
        }
        if let Some(pass) = &mut self.pass {
            for event in events {
                if event.kind == EntityKind::Notice {
                    pass.notices += 1;
                } else {
                    pass.events += 1;
                }
                if pass.told.len() < TOLD {
                    pass.told.push(event);
                }
            }
            pass.remarks.extend(remarks);
            let now = self.options.clock.now();
            for lane in &work {
                for item in &lane.items {
                    let of = DeliveryRef {
                        connector: lane.connector.clone(),
                        family: lane.family,
                        id: item.delivery,
                    };
                    let planned =
                        held.engine
                            .describe(&of, &pass.told, now, &self.options.set.tools);
                    if let Some(planned) = planned {
                        pass.tried.entry(item.delivery).or_insert(planned);
                    }
                }
            }
        }
        let Some(tell) = self.tell.upgrade() else {
            return;
        };
        for lane in work {
            self.handle
                .spawn(self.effects.clone().lane(lane, tell.clone()));
        }
    }

    /// From now on the place is set like this. Nothing is under way with the tools of before.
    fn change(&mut self, set: Set) {
        self.effects = self.effects.with(Arc::clone(&set.tools.0));
        self.options.set = set;
    }

    /// The first step after opening: the rules as configured, and silence where a person must speak.
    fn configure(
        &mut self,
        held: &mut Held,
        muted: Option<raccord_model::Words>,
    ) -> Result<(), Problem> {
        let salt =
            super::load::salt_of(&mut *held.log).map_err(|error| self.home.refused(&error))?;
        let rules = (self.options.set.rules)(&salt);
        let mut inputs = vec![Input::Configure(Box::new(rules))];
        if let Some(why) = muted {
            inputs.push(Input::Order(raccord_engine::Order::Mute(why)));
        }
        let step = self.step(held, inputs)?;
        let Step {
            events,
            remarks,
            work,
            ..
        } = step;
        self.let_out(held, events, remarks, work);
        self.looks.send_replace(held.engine.looks());
        Ok(())
    }

    fn break_down(&mut self, problem: Problem) {
        tracing::error!(code = %problem.findings.first().map_or("", |finding| finding.code.as_str()), "the log cannot be written; nothing is taken until it can");
        self.pass = None;
        self.quiet.clear();
        self.status.send_replace(Some(problem));
    }

    fn reopen(&mut self) -> Option<Held> {
        if !self.home.is_ours() {
            // Another node may work for it: it is not taken from that one.
            return None;
        }
        let loaded = match open_writer(&self.home) {
            Ok(loaded) => loaded,
            Err(problem) => {
                self.status.send_replace(Some(problem));
                return None;
            }
        };
        let mut held = Held {
            engine: loaded.engine,
            log: loaded.log,
        };
        self.tail = loaded.tail;
        match self.configure(&mut held, loaded.muted) {
            Ok(()) => {
                tracing::info!("the log can be written again");
                self.status.send_replace(None);
                Some(held)
            }
            Err(problem) => {
                self.status.send_replace(Some(problem));
                None
            }
        }
    }

    /// Answers everything with a refusal for a while. Gives `true` when the process is stopping.
    fn refuse_until_reopen(&mut self) -> bool {
        let until = self
            .options
            .clock
            .now()
            .saturating_add(REOPEN)
            .unwrap_or(Timestamp::MAX);
        loop {
            let left = Duration::try_from(until.duration_since(self.options.clock.now()))
                .unwrap_or_default();
            if left.is_zero() {
                return false;
            }
            match self.hear_within(left) {
                Hear::Ended => return true,
                Hear::Nothing => return false,
                Hear::Command(Command::Input { reply, .. }) => {
                    let problem = self.status.borrow().clone();
                    drop(reply.send(Err(problem.map_or_else(stopped, Broken))));
                }
                // In force once the log can be written again.
                Hear::Command(Command::Change(set, reply)) => {
                    self.change(*set);
                    reply.send(()).ok();
                }
                // The others are dropped: who waits for them learns that nobody answers.
                Hear::Command(_) => {}
            }
        }
    }

    /// Snapshots, and the log's own tidying, when nobody waits.
    fn tidy(&mut self, held: &mut Held) {
        if self.upkeep {
            match held.log.upkeep() {
                Ok(Upkeep::More) => {}
                Ok(Upkeep::Done) => {
                    self.upkeep = false;
                    if let Err(error) =
                        super::retention::apply(&mut *held.log, self.options.clock.now(), |body| {
                            raccord_engine::Engine::from_snapshot(body).is_some()
                        })
                    {
                        tracing::warn!(
                            code = error.code(),
                            "old entries of the log could not be let go"
                        );
                    }
                }
                Err(error) => {
                    tracing::warn!(code = error.code(), "the log could not be tidied");
                    self.upkeep = false;
                }
            }
            return;
        }
        if self.tail >= QUIET_TAIL {
            self.begin_snapshot(held);
        }
    }

    fn begin_snapshot(&mut self, held: &mut Held) {
        let body = held.engine.snapshot();
        self.snapshot_size = body.len();
        match held.log.begin_snapshot(held.engine.state().commit, body) {
            Ok(()) => {
                self.tail = 0;
                self.upkeep = true;
            }
            Err(error) => tracing::warn!(code = error.code(), "no snapshot could be written"),
        }
    }

    /// A clean end makes the next start fast.
    fn leave(&mut self, held: &mut Held) {
        if self.tail >= QUIET_TAIL {
            self.begin_snapshot(held);
        }
        while self.upkeep {
            self.tidy(held);
        }
    }
}

#[expect(
    clippy::large_enum_variant,
    reason = "there is one at a time, and it is taken apart at once"
)]
enum Hear {
    Command(Command),
    Nothing,
    Ended,
}

enum Heard {
    Group(Vec<Command>),
    Ended,
}

/// Fresh randomness, for the names of slots.
pub(crate) fn entropy() -> [u8; 16] {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the system gives randomness");
    bytes
}
