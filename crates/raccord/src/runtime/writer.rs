//! The log's only writer: one thread that decides, makes durable, and only then lets anything out.
//!
//! What waits is taken as one group: one commit, one sync of the disk. Where nothing is to do for a
//! while there is no thread, no engine and no open log, until somebody asks for something.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use raccord_bus::{Log, SlotWrite, Upkeep};
use raccord_engine::{DeliveryRef, Engine, Input, Reply, Rest, Step, Vault};
use raccord_kit::Clock;
use raccord_model::{ConnectorName, EntityKind, Event, Outcome, Remark, Rules};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::desk::{Broken, Command, Desk, Pulse, Report, Same, Standings, stopped};
use super::effects::Effects;
use super::figures::Figures;
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
/// Who only looked may look again: so long it stays awake for that.
const GLANCE: Duration = Duration::from_secs(5);
/// A place that was only woken by the hour sleeps again this soon.
const NAP: Duration = Duration::from_millis(50);
/// It is not worth falling asleep for less.
const WORTHWHILE: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);
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
    /// Whether it falls asleep, and when.
    pub(crate) sleep: Option<Sleep>,
    /// Its turn to be awake.
    pub(crate) turn: Option<OwnedSemaphorePermit>,
}

/// When a place falls asleep, and how it is woken.
#[derive(Clone, Debug)]
pub(crate) struct Sleep {
    /// When nothing was handed in for so long.
    pub(crate) after: Duration,
    /// So many of the process's places are awake at once without being asked for anything: at
    /// midnight, and at the start, all of them are woken.
    pub(crate) turns: Arc<Semaphore>,
}

impl Sleep {
    /// Waits for its turn to be awake.
    pub(crate) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        // It is never closed.
        Arc::clone(&self.turns).acquire_owned().await.ok()
    }
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

/// The writer.
pub(crate) struct Writer {
    task: JoinHandle<()>,
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
        let (standings, standings_seen) = watch::channel(Standings::new());
        let (pulse, pulse_seen) = watch::channel(Pulse::default());
        let same = Same::default();
        let start = options.start;
        let mut thread = Thread {
            home: loaded.home,
            options,
            effects,
            hear,
            first: None,
            tell: tell.downgrade(),
            status,
            standings,
            pulse,
            same: same.clone(),
            handle: Handle::current(),
            pass: (start == Start::OnRelease).then(Report::default),
            quiet: Vec::new(),
            tail: loaded.tail,
            snapshot_size: 0,
            upkeep: false,
            awake_until: Timestamp::MIN,
            rested: None,
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
        thread.stays_awake(NAP);
        let task = tokio::spawn(thread.live(held));
        let desk = Desk {
            tell,
            status: status_seen,
            standings: standings_seen,
            pulse: pulse_seen,
            same,
        };
        Ok((Self { task }, desk))
    }

    /// Resolves when the writer has finished; every [`Desk`] must be gone by then. Gives whether it
    /// ended cleanly.
    pub(crate) async fn ended(self) -> bool {
        let ended = self.task.await.is_ok();
        if !ended {
            tracing::error!("the writer panicked");
        }
        ended
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
    /// What woke it, and was not looked at yet.
    first: Option<Command>,
    tell: mpsc::WeakSender<Command>,
    status: watch::Sender<Option<Problem>>,
    standings: watch::Sender<Standings>,
    pulse: watch::Sender<Pulse>,
    same: Same,
    handle: Handle,
    pass: Option<Report>,
    quiet: Vec<oneshot::Sender<()>>,
    tail: usize,
    snapshot_size: usize,
    upkeep: bool,
    /// It does not fall asleep before.
    awake_until: Timestamp,
    /// What was kept of it while it slept.
    rested: Option<Rest>,
}

/// Why the thread ended.
enum End {
    /// Nobody will ask for anything any more.
    Ended,
    /// There is nothing to do for a while.
    Asleep(Rest),
}

impl Thread {
    /// Works, sleeps and is woken, until nobody is left who could ask for anything.
    async fn live(mut self, held: Held) {
        let mut held = Some(held);
        loop {
            let (end, back) = self.on_a_thread(held.take()).await;
            self = back;
            let End::Asleep(rest) = end else { return };
            if !self.sleep(rest).await {
                return;
            }
        }
    }

    /// Runs on a thread of its own, and gives itself back. The threads are kept for the next ones: an
    /// allocator leaves behind what little each of a thousand threads still owns.
    async fn on_a_thread(mut self, held: Option<Held>) -> (End, Self) {
        let run = move || (self.run(held), self);
        let ended = tokio::task::spawn_blocking(run).await;
        ended.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }

    /// Sleeps until somebody asks for something, or something is due. Gives `false` when nobody can
    /// ask any more.
    async fn sleep(&mut self, mut rest: Rest) -> bool {
        self.options.turn = None;
        self.pulse.send_modify(|pulse| pulse.asleep = true);
        self.first = loop {
            for (source, at) in self.same.known() {
                rest.same(&source, at);
            }
            let left = rest.until().map(|at| self.left(at));
            if left.is_some_and(|left| left.is_zero()) {
                break None;
            }
            let wait = left.unwrap_or(Duration::MAX).min(Duration::from_hours(1));
            match tokio::time::timeout(wait, self.hear.recv()).await {
                Ok(None) => return false,
                Ok(Some(command)) => break Some(command),
                Err(_) => {}
            }
        };
        if let Some(sleep) = &self.options.sleep {
            self.options.turn = sleep.turn().await;
        }
        self.pulse.send_modify(|pulse| pulse.asleep = false);
        self.stays_awake(NAP);
        self.rested = Some(rest);
        true
    }

    fn stays_awake(&mut self, wait: Duration) {
        let until = self.options.clock.now().saturating_add(wait);
        self.awake_until = self.awake_until.max(until.unwrap_or(Timestamp::MAX));
    }

    fn left(&self, at: Timestamp) -> Duration {
        Duration::try_from(at.duration_since(self.options.clock.now())).unwrap_or_default()
    }

    fn run(&mut self, mut held: Option<Held>) -> End {
        loop {
            let Some(open) = held.as_mut() else {
                match self.reopen() {
                    Some(again) => held = Some(again),
                    None => {
                        if self.refuse_until_reopen() {
                            return End::Ended;
                        }
                    }
                }
                continue;
            };
            match self.hear_group(open) {
                Heard::Ended => {
                    self.leave(open);
                    return End::Ended;
                }
                Heard::Rest(rest) => return End::Asleep(rest),
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
        for (source, at) in self.same.known() {
            held.engine.same(&source, at);
        }
        let wake = held.engine.wake();
        let wait = wake.map_or(Duration::from_hours(1), |at| self.left(at));
        let drowsy = self.options.sleep.as_ref();
        let drowsy = drowsy.map(|_| self.left(self.awake_until));
        let idle = match drowsy {
            _ if self.upkeep => Duration::ZERO,
            Some(left) if !left.is_zero() => QUIET.min(left),
            _ => QUIET,
        };
        let first = self.hear_within(wait.min(idle));
        match first {
            Hear::Command(command) => {
                self.heard(&command);
                group.push(command);
            }
            Hear::Ended => return Heard::Ended,
            Hear::Nothing if wait <= idle => {}
            Hear::Nothing => {
                self.tidy(held);
                if let Some(rest) = self.may_sleep(held) {
                    return Heard::Rest(rest);
                }
                // It has work that takes its time.
                self.options.turn = None;
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

    /// Whoever asks keeps it awake for a while, and takes no turn from the others.
    fn heard(&mut self, command: &Command) {
        let Some(Sleep { after, .. }) = self.options.sleep else {
            return;
        };
        let awake = match command {
            Command::Peek(_) => NAP,
            Command::Ask(_) => GLANCE,
            _ => after,
        };
        self.stays_awake(awake);
        if awake > NAP {
            self.options.turn = None;
        }
    }

    /// What to keep of it, where it may sleep now.
    fn may_sleep(&self, held: &Held) -> Option<Rest> {
        self.options.sleep.as_ref()?;
        let busy = self.upkeep || self.pass.is_some() || !self.quiet.is_empty();
        if busy || !self.left(self.awake_until).is_zero() {
            return None;
        }
        let now = self.options.clock.now();
        let soon = |at: Timestamp| at.duration_since(now) < WORTHWHILE;
        let rest = held.engine.rest();
        rest.filter(|rest| !rest.until().is_some_and(soon))
    }

    fn hear_within(&mut self, wait: Duration) -> Hear {
        if let Some(command) = self.first.take() {
            return Hear::Command(command);
        }
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
        if self.home.is_lost() {
            return Err(self.home.taken_over());
        }
        let mut inputs = Vec::with_capacity(group.len() + 1);
        let mut replies: Vec<Option<oneshot::Sender<Result<Reply, Broken>>>> = Vec::new();
        let mut after: Vec<Command> = Vec::new();
        for command in group {
            match command {
                Command::Input { input, reply } => {
                    inputs.push(input);
                    replies.push(Some(reply));
                }
                // Whoever opened the log again does not know of that attempt, and made or doubts it anew.
                Command::Outcome { opening, .. } if opening != self.effects.opening => {}
                Command::Outcome {
                    connector,
                    family,
                    delivery,
                    outcome,
                    unchanged,
                    ..
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
        if self.effects.is_ending() {
            // What is owed stays owed: started now, it would end unbegun, and be started again.
            held.engine.withhold();
        }
        let approved = held.engine.state().approved_rules;
        let step = self.step(held, inputs).inspect_err(|problem| {
            for reply in replies.iter_mut().filter_map(Option::take) {
                drop(reply.send(Err(Broken(problem.clone()))));
            }
        })?;
        self.shows(held);
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
                Command::Ask(look) | Command::Peek(look) => {
                    look(&mut held.engine, &mut *held.log);
                }
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
        self.shows(held);
        Ok(())
    }

    /// Shows how far it is, before anybody hears of what was decided.
    fn shows(&self, held: &Held) {
        self.standings.send_if_modified(|known| {
            let standings = held.engine.standings();
            let changed = *known != standings;
            *known = standings;
            changed
        });
        let state = held.engine.state();
        let pulse = Pulse {
            commit: state.commit,
            retried: Figures::retried(state, &held.engine),
            asleep: false,
        };
        self.pulse.send_if_modified(|known| {
            let changed = *known != pulse;
            *known = pulse;
            changed
        });
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
        super::load::have_signer(&mut *held.log).map_err(|error| self.home.refused(&error))?;
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
        self.shows(held);
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
                // Others can be awake meanwhile.
                self.options.turn = None;
                self.status.send_replace(Some(problem));
                return None;
            }
        };
        self.effects.opens_again();
        let mut held = Held {
            engine: loaded.engine,
            log: loaded.log,
        };
        if let Some(rest) = &self.rested {
            held.engine.resume(rest.clone());
        }
        self.tail = loaded.tail;
        match self.configure(&mut held, loaded.muted) {
            Ok(()) => {
                self.rested = None;
                if self.status.send_replace(None).is_some() {
                    tracing::info!("the log can be written again");
                }
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
            let left = self.left(until);
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
    Rest(Rest),
    Ended,
}

/// Fresh randomness, for the names of slots.
pub(crate) fn entropy() -> [u8; 16] {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the system gives randomness");
    bytes
}
