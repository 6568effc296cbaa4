//! One world: servers, a network, machines, tools and the programs that post. Everything happens at
//! an hour of one virtual clock, in an order that follows from the seed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use raccord_bus::jetstream::ClusterError;
use raccord_bus::jetstream::broker::{Ack, Failure, Found, Message, Since, Told};
use raccord_bus::jetstream::carrier::Task;
use raccord_model::{ConnectorName, DeliveryId, EntityId, Item, Outcome};
use tokio::time::Instant;

use super::laws::Laws;
use super::servers::Servers;
use super::tools::Tools;
use crate::rng::Rng;

/// How long an answer is waited for.
pub const ANSWER: Duration = Duration::from_secs(2);

/// How long a call to a tool is waited for.
const TOOL_ANSWER: Duration = Duration::from_secs(3);

/// A process on a machine: which machine, and its how-manieth process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Life {
    /// The machine.
    pub machine: usize,
    /// Which of its processes.
    pub number: u64,
}

/// Says that a task may go on.
#[derive(Debug, Default)]
pub struct Flag(AtomicBool);

impl Flag {
    /// Whether it was said, once.
    pub fn lowered(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }

    /// Whether it is said.
    pub fn is_up(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Says so.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.raise();
    }
}

/// A machine.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a trait of its own")]
pub struct Machine {
    /// The process on it.
    pub life: u64,
    /// Whether there is one.
    pub alive: bool,
    /// Whether it stands still.
    pub paused: bool,
    /// Since when its clock stands still as well: it sleeps.
    pub asleep: Option<u64>,
    /// For how long it slept.
    pub slept: u64,
    /// Whether the servers cannot be reached from it.
    pub cut: bool,
    /// How far its calendar clock is off.
    pub skew: SignedDuration,
    /// Where its copy lies.
    pub folder: PathBuf,
    /// What its process is to look at.
    pub mail: VecDeque<Mail>,
    mail_waker: Option<Waker>,
    /// Which writer of its process listens.
    pub shift: u64,
    /// How many lanes were started and have not ended.
    pub lanes: u64,
    /// Which of them are at work.
    pub at_work: BTreeSet<(ConnectorName, EntityId)>,
    /// The last commit that its copy surely holds: its number and its hash.
    pub knows: Option<(u64, [u8; 32])>,
    /// Whether it is to end.
    pub ends: bool,
}

/// What a process is to look at.
#[derive(Clone, Debug)]
pub enum Mail {
    /// A program posts: which of the posts.
    Post(usize),
    /// A call ended.
    Outcome {
        /// The shift of the writer that started it.
        shift: u64,
        /// The tool.
        connector: ConnectorName,
        /// The lane.
        family: EntityId,
        /// The delivery.
        delivery: DeliveryId,
        /// How.
        outcome: Outcome,
    },
    /// A person looks at what waits for one.
    Person,
}

/// A question on its way.
#[derive(Clone, Debug)]
pub enum Ask {
    /// Take this message.
    Send(Message),
    /// The last on a subject.
    Last(String, String),
    /// The next on a subject.
    Next(String, String, u64),
    /// How far a stream got.
    Reached(String),
    /// Messages up to one.
    Read(String, String, u64, u64),
    /// Overwrite one.
    Erase(String, u64),
    /// Take some away.
    Purge(String, String, Option<u64>),
    /// Tell what comes.
    Follow(&'static str, Since),
    /// A tool's work, by the version of the object it was made for.
    Tool(ConnectorName, Box<Item>, Option<u64>),
}

/// An answer.
#[derive(Debug)]
pub enum Reply {
    /// It was taken.
    Taken(Ack),
    /// What was found.
    Found(Option<Found>),
    /// A sequence.
    Number(u64),
    /// Messages, and whether these were all.
    Batch(Vec<Found>, bool),
    /// It was done.
    Done,
    /// A follower of this number.
    Follows(u64),
    /// How a call of a tool ended.
    Made(Outcome),
    /// None.
    Failed(Failure),
}

pub(super) enum Event {
    Arrive {
        call: u64,
        life: Life,
        ask: Ask,
    },
    Answer {
        call: u64,
        reply: Reply,
    },
    /// Nothing came in time.
    Silence {
        call: u64,
        reply: Reply,
    },
    Wake(Waker),
    Tell {
        follower: u64,
        told: Told,
    },
    Effect {
        connector: ConnectorName,
        item: Box<Item>,
        base: Option<u64>,
    },
    Post,
}

#[derive(Debug)]
pub(super) struct Call {
    life: Life,
    pub(super) reply: Option<Reply>,
    waker: Option<Waker>,
}

/// Somebody who is told what comes.
#[derive(Debug)]
pub struct Follower {
    pub(super) life: Life,
    pub(super) stream: &'static str,
    /// What it was told and did not look at yet.
    pub ready: VecDeque<Told>,
    /// Whether something was missed: it ends.
    pub missed: bool,
    /// Not before then.
    pub(super) after: u64,
    /// Who waits.
    pub waker: Option<Waker>,
}

/// What is usual in this world.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    /// Percent of questions that are lost.
    pub lost: u64,
    /// Percent of answers that are lost.
    pub unanswered: u64,
    /// Percent of messages that take seconds.
    pub slow: u64,
    /// Percent of the tools' calls that end in doubt or later.
    pub trouble: u64,
}

/// What another program posted.
#[derive(Clone, Debug)]
pub struct Post {
    /// What.
    pub change: raccord_model::Change,
    /// Whether it was told that it is taken.
    pub confirmed: bool,
    /// Which commit holds it, as the writer said.
    pub commit: Option<(u64, [u8; 32])>,
    /// Whether the servers lost commits while nobody had confirmed it: one of them may have held it.
    pub doubtful: bool,
}

/// The world.
pub struct World {
    /// Nanoseconds since it began.
    pub now: u64,
    queue: BTreeMap<(u64, u64, u64), Event>,
    pub(super) serial: u64,
    /// What decides.
    pub rng: Rng,
    base: Instant,
    /// The servers.
    pub servers: Servers,
    /// What a server knew that is the leader no more, and until when it answers.
    pub deposed: Option<(Servers, u64)>,
    /// Until when the servers take nothing.
    pub leaderless: u64,
    /// The same after they lost something: that takes an election, or a start.
    pub recovering: u64,
    /// How far the servers' clock is off.
    pub servers_skew: SignedDuration,
    /// What was kept aside of the servers.
    pub backup: Option<Servers>,
    /// What is usual.
    pub weather: Weather,
    pub(super) calls: BTreeMap<u64, Call>,
    /// Followers.
    pub followers: BTreeMap<u64, Follower>,
    /// The machines.
    pub machines: Vec<Machine>,
    /// Tasks that begin.
    pub spawned: Vec<(Life, Task)>,
    /// The flag of what runs now.
    pub running: Option<Arc<Flag>>,
    /// The tools.
    pub tools: Tools,
    /// What was posted.
    pub posts: Vec<Post>,
    /// What must hold.
    pub laws: Laws,
    /// How often what happened.
    pub counts: BTreeMap<&'static str, u64>,
    /// What happened, for whoever reads it.
    pub told: Option<Vec<String>>,
    /// A digest of all that happened.
    pub trace: u64,
    /// Whether whoever works for the place says that nothing is owed.
    pub calm: bool,
}

/// The world, as all hold it. One thread plays it.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<World>>);

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

impl Shared {
    /// A world for all.
    pub fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    /// The world.
    pub fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Milliseconds, in nanoseconds.
pub const fn ms(milliseconds: u64) -> u64 {
    milliseconds * 1_000_000
}

fn nanos(duration: Duration) -> u64 {
    duration.as_nanos() as u64
}

impl World {
    /// A world on its first morning.
    pub fn new(seed: u64, weather: Weather, folders: Vec<PathBuf>) -> Self {
        let machine = |folder| Machine {
            life: 0,
            alive: false,
            paused: false,
            asleep: None,
            slept: 0,
            cut: false,
            skew: SignedDuration::ZERO,
            folder,
            mail: VecDeque::new(),
            mail_waker: None,
            shift: 0,
            lanes: 0,
            at_work: BTreeSet::new(),
            knows: None,
            ends: false,
        };
        Self {
            now: 0,
            queue: BTreeMap::new(),
            serial: 0,
            rng: Rng::new(seed),
            base: Instant::now(),
            servers: Servers::default(),
            deposed: None,
            leaderless: 0,
            recovering: 0,
            servers_skew: SignedDuration::ZERO,
            backup: None,
            weather,
            calls: BTreeMap::new(),
            followers: BTreeMap::new(),
            machines: folders.into_iter().map(machine).collect(),
            spawned: Vec::new(),
            running: None,
            tools: Tools::default(),
            posts: Vec::new(),
            laws: Laws::default(),
            counts: BTreeMap::new(),
            told: None,
            trace: 0,
            calm: false,
        }
    }

    /// The true hour.
    pub fn hour(&self) -> Timestamp {
        let start: Timestamp = "2026-12-01T08:00:00Z".parse().expect("an instant");
        let passed = SignedDuration::from_nanos(self.now as i64);
        start.saturating_add(passed).unwrap_or(start)
    }

    /// The hour by a machine's calendar clock.
    pub fn hour_of(&self, machine: usize) -> Timestamp {
        let hour = self.hour();
        let skew = self.machines[machine].skew;
        hour.saturating_add(skew).unwrap_or(hour)
    }

    /// The hour by the servers' clock, in nanoseconds.
    pub fn hour_of_servers(&self) -> i128 {
        let hour = self.hour();
        let shifted = hour.saturating_add(self.servers_skew).unwrap_or(hour);
        shifted.as_nanosecond()
    }

    /// A machine's clock that never goes back. It stands still while the machine sleeps.
    pub fn instant_of(&self, machine: usize) -> Instant {
        let machine = &self.machines[machine];
        let until = machine.asleep.unwrap_or(self.now);
        self.base + Duration::from_nanos(until - machine.slept)
    }

    /// Counts something.
    pub fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// Notes what happened.
    pub fn note(&mut self, what: impl FnOnce() -> String) {
        let seconds = self.now as f64 / 1e9;
        if let Some(told) = &mut self.told {
            told.push(format!("{seconds:>9.4} {}", what()));
        }
    }

    /// A law is broken.
    pub fn fail(&mut self, what: impl Into<String>) {
        let what = what.into();
        self.note(|| format!("BROKEN {what}"));
        self.laws.broken.get_or_insert(what);
    }

    /// Whether a process is no more.
    pub fn is_dead(&self, life: Life) -> bool {
        let machine = &self.machines[life.machine];
        !machine.alive || machine.life != life.number
    }

    pub(super) fn at(&mut self, after: u64, event: Event) {
        let tie = self.rng.draw();
        self.serial += 1;
        self.queue
            .insert((self.now + after, tie, self.serial), event);
    }

    /// Wakes somebody at an hour.
    pub fn wake_after(&mut self, after: u64, waker: Waker) {
        self.at(after, Event::Wake(waker));
    }

    /// How long a message is on its way.
    pub(super) fn way(&mut self) -> u64 {
        let slow = self.weather.slow;
        if self.rng.chance(slow) {
            let most = [200, 1_500, 7_000][self.rng.below(3) as usize];
            return ms(1) + self.rng.below(ms(most));
        }
        100_000 + self.rng.below(ms(4))
    }

    /// A question leaves a process.
    pub fn ask(&mut self, life: Life, ask: Ask) -> u64 {
        self.serial += 1;
        let call = self.serial;
        let dead = self.is_dead(life);
        let reply = dead.then(|| Reply::Failed(Failure::Final(unreachable())));
        self.calls.insert(
            call,
            Call {
                life,
                reply,
                waker: None,
            },
        );
        if dead {
            return call;
        }
        let silence = match &ask {
            Ask::Tool(..) => (
                TOOL_ANSWER,
                Reply::Made(Outcome::Failed(super::tools::lost())),
            ),
            Ask::Send(_) | Ask::Erase(..) | Ask::Purge(..) => {
                let unconfirmed = ClusterError::Unconfirmed;
                (ANSWER, Reply::Failed(Failure::Passing(unconfirmed)))
            }
            _ => (ANSWER, Reply::Failed(Failure::Passing(unreachable()))),
        };
        self.at(
            nanos(silence.0),
            Event::Silence {
                call,
                reply: silence.1,
            },
        );
        if matches!(ask, Ask::Tool(..)) {
            let way = self.way();
            self.at(way, Event::Arrive { call, life, ask });
            return call;
        }
        let lost = self.weather.lost;
        if self.machines[life.machine].cut || self.rng.chance(lost) {
            self.count("a question was lost");
            return call;
        }
        let way = self.way();
        self.at(way, Event::Arrive { call, life, ask });
        call
    }

    /// The answer to a question, once it is there.
    pub fn answered(&mut self, call: u64, waker: &Waker) -> Option<Reply> {
        let known = self.calls.get_mut(&call)?;
        if known.reply.is_none() && self.machines[known.life.machine].life != known.life.number {
            known.reply = Some(Reply::Failed(Failure::Final(unreachable())));
        }
        if let Some(reply) = known.reply.take() {
            self.calls.remove(&call);
            return Some(reply);
        }
        known.waker = Some(waker.clone());
        None
    }

    /// Nobody waits for it any more.
    pub fn forget(&mut self, call: u64) {
        self.calls.remove(&call);
    }

    /// A process is over: whatever it waits for fails.
    pub fn dies(&mut self, life: Life) {
        self.machines[life.machine].alive = false;
        let calls = self.calls.values_mut().filter(|call| call.life == life);
        for call in calls {
            call.reply = Some(Reply::Failed(Failure::Final(unreachable())));
            if let Some(waker) = call.waker.take() {
                waker.wake();
            }
        }
        self.followers.retain(|_, follower| follower.life != life);
        let machine = &mut self.machines[life.machine];
        machine.mail.clear();
        if let Some(waker) = machine.mail_waker.take() {
            waker.wake();
        }
    }

    /// Puts something into a process's mail.
    pub fn post_mail(&mut self, machine: usize, mail: Mail) {
        let machine = &mut self.machines[machine];
        if machine.alive {
            machine.mail.push_back(mail);
            if let Some(waker) = machine.mail_waker.take() {
                waker.wake();
            }
        }
    }

    /// Whether there is mail; if not, somebody waits for it.
    pub fn has_mail(&mut self, machine: usize, waker: &Waker) -> bool {
        let machine = &mut self.machines[machine];
        if machine.mail.is_empty() {
            machine.mail_waker = Some(waker.clone());
            return false;
        }
        true
    }

    /// Everybody who follows the servers has to begin again.
    pub fn break_followers(&mut self, which: impl Fn(usize) -> bool) {
        for follower in self.followers.values_mut() {
            if which(follower.life.machine) {
                follower.missed = true;
                if let Some(waker) = follower.waker.take() {
                    waker.wake();
                }
            }
        }
    }

    /// When the next thing happens.
    pub fn next_hour(&self) -> Option<u64> {
        self.queue.first_key_value().map(|((at, ..), _)| *at)
    }

    /// The next thing happens.
    pub fn step(&mut self) {
        let Some(((at, tie, _), event)) = self.queue.pop_first() else {
            return;
        };
        self.now = self.now.max(at);
        self.trace = self.trace.rotate_left(7) ^ at ^ tie;
        match event {
            Event::Wake(waker) => waker.wake(),
            Event::Arrive { call, life, ask } => self.arrives(call, life, ask),
            Event::Answer { call, reply } => {
                let cut = self.calls.get(&call);
                let cut = cut.is_some_and(|call| self.machines[call.life.machine].cut);
                if !cut || matches!(reply, Reply::Made(_)) {
                    self.answer(call, reply);
                }
            }
            Event::Silence { call, reply } => self.answer(call, reply),
            Event::Tell { follower, told } => {
                let Some(follower) = self.followers.get_mut(&follower) else {
                    return;
                };
                if self.machines[follower.life.machine].cut {
                    follower.missed = true;
                } else if !follower.missed {
                    follower.ready.push_back(told);
                    if let Some(waker) = follower.waker.take() {
                        waker.wake();
                    }
                }
            }
            Event::Effect {
                connector,
                item,
                base,
            } => {
                let hour = self.hour();
                self.note(|| format!("  {connector} makes late {:.12}", item.delivery.to_string()));
                self.tools.make_late(&connector, &item, base, hour);
            }
            Event::Post => self.programs_post(),
        }
    }

    fn answer(&mut self, call: u64, reply: Reply) {
        let Some(call) = self.calls.get_mut(&call) else {
            return;
        };
        if call.reply.is_none() {
            call.reply = Some(reply);
            if let Some(waker) = call.waker.take() {
                waker.wake();
            }
        }
    }

    fn arrives(&mut self, call: u64, life: Life, ask: Ask) {
        if let Ask::Tool(connector, item, base) = ask {
            self.tool_hears(call, &connector, item, base);
            return;
        }
        let Some(reply) = self.servers_answer(life, &ask) else {
            return;
        };
        let unanswered = self.weather.unanswered;
        if self.rng.chance(unanswered) {
            self.count("an answer was lost");
            return;
        }
        let way = self.way();
        self.at(way, Event::Answer { call, reply });
    }

    /// Whether nothing is on its way to a tool.
    pub fn tools_are_quiet(&self) -> bool {
        let under_way = |event: &Event| {
            matches!(
                event,
                Event::Effect { .. }
                    | Event::Arrive {
                        ask: Ask::Tool(..),
                        ..
                    }
            )
        };
        !self.queue.values().any(under_way)
    }

    /// A program posts something new.
    pub fn program_posts(&mut self, change: raccord_model::Change) {
        self.posts.push(Post {
            change,
            confirmed: false,
            commit: None,
            doubtful: false,
        });
        self.at(0, Event::Post);
    }

    /// Programs post what was not confirmed to any machine, again and again.
    fn programs_post(&mut self) {
        let open = (0..self.posts.len()).filter(|post| !self.posts[*post].confirmed);
        let open: BTreeSet<usize> = open.collect();
        for post in &open {
            let machine = self.rng.below(self.machines.len() as u64) as usize;
            if !self.machines[machine].paused {
                self.post_mail(machine, Mail::Post(*post));
            }
        }
        if !open.is_empty()
            && !self
                .queue
                .values()
                .any(|event| matches!(event, Event::Post))
        {
            let after = ms(300) + self.rng.below(ms(900));
            self.at(after, Event::Post);
        }
    }
}

/// What a process hears that has no connection.
pub fn unreachable() -> ClusterError {
    ClusterError::Unreachable {
        why: "nobody answers".to_owned(),
    }
}
