//! Plays a story: who may go on does, then the next thing happens, and between the acts the laws are
//! looked at.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Waker};

use jiff::SignedDuration;
use raccord_bus::jetstream::carrier::Task;
use raccord_model::{Change, EntityId, EntityKind, Verb};
use serde_json::json;

use super::fiber::Fiber;
use super::shell::Shell;
use super::story::{Act, MACHINES, Story};
use super::world::{Flag, Life, Mail, Shared, World, ms};
use super::{Played, ShellFault};

/// How long a healed cluster may take until nothing is owed any more, in seconds.
const HEALING: u64 = 900;

/// After so many acts the laws are looked at.
const LOOK: usize = 8;

/// Every stream but that of the nodes loses its last messages.
const LOSERS: [&str; 5] = [
    "raccord",
    "raccord",
    "raccord",
    "KV_raccord-slots",
    "KV_raccord-metas",
];

enum Work {
    Thread(Fiber),
    Beside(Task),
}

struct Running {
    life: Life,
    flag: Arc<Flag>,
    work: Work,
}

struct Run {
    world: Shared,
    fault: Option<ShellFault>,
    running: BTreeMap<u64, Running>,
    serial: u64,
}

/// Plays a story; tells what happens, where somebody reads it.
pub fn play(story: &Story, fault: Option<ShellFault>, tell: bool) -> Played {
    let here = Path::new("/dev/shm");
    let here = if here.is_dir() {
        here.to_owned()
    } else {
        std::env::temp_dir()
    };
    let root = tempfile::tempdir_in(here).expect("a folder for the copies");
    let folder = |machine: u64| {
        let folder = root.path().join(machine.to_string());
        std::fs::create_dir(&folder).expect("a folder for a copy");
        folder
    };
    let folders = (0..MACHINES).map(folder).collect();
    let mut world = World::new(story.seed, story.weather, folders);
    world.told = tell.then(Vec::new);
    let mut run = Run {
        world: Shared::new(world),
        fault,
        running: BTreeMap::new(),
        serial: 0,
    };
    for (number, act) in story.acts.iter().enumerate() {
        run.act(*act);
        if number % LOOK == 0 {
            run.world.lock().look();
        }
        if run.world.lock().laws.broken.is_some() {
            break;
        }
    }
    if run.world.lock().laws.broken.is_none() {
        run.heal();
    }
    for machine in 0..MACHINES as usize {
        run.kill(machine);
    }
    let mut world = run.world.lock();
    Played {
        broken: world.laws.broken.take(),
        counts: std::mem::take(&mut world.counts),
        told: world.told.take().unwrap_or_default(),
        trace: world.trace,
        seconds: world.now / 1_000_000_000,
    }
}

impl Run {
    fn machine(pick: u64) -> usize {
        (pick % MACHINES) as usize
    }

    fn act(&mut self, act: Act) {
        self.world.lock().note(|| format!("{act:?}"));
        let waits = matches!(act, Act::Wait(_));
        match act {
            Act::Wait(milliseconds) => self.pass(ms(milliseconds)),
            Act::Credit(pick) => self.post(EntityKind::Credit, pick, ""),
            Act::SignUp(pick) => self.post(EntityKind::Registration, pick, ""),
            Act::Big(pick) => {
                let mut rng = crate::rng::Rng::new(pick);
                // More than a message holds, and nothing that packs.
                let mut noise = String::new();
                for _ in 0..40_000 {
                    use std::fmt::Write as _;
                    write!(noise, "{:016x}", rng.draw()).expect("a text takes all");
                }
                self.post(EntityKind::Registration, pick, &noise);
            }
            Act::Kill(machine) => self.kill(Self::machine(machine)),
            Act::Start(machine) => self.start(Self::machine(machine)),
            Act::End(machine) => self.world.lock().machines[Self::machine(machine)].ends = true,
            Act::LoseCopy(machine) => {
                let machine = Self::machine(machine);
                self.kill(machine);
                let folder = self.world.lock().machines[machine].folder.clone();
                empty(&folder);
                self.world.lock().machines[machine].knows = None;
            }
            Act::Pause(machine) => self.stop(Self::machine(machine), false),
            Act::Sleep(machine) => self.stop(Self::machine(machine), true),
            Act::Resume(machine) => self.resume(Self::machine(machine)),
            Act::Person => self.person(),
            _ => self.nature(act),
        }
        if !waits {
            let mut world = self.world.lock();
            world.count(name_of(act));
        }
    }

    /// What happens to the servers and between them and the machines.
    fn nature(&mut self, act: Act) {
        let mut world = self.world.lock();
        let world = &mut *world;
        match act {
            Act::Cut(machine) => world.machines[Self::machine(machine)].cut = true,
            Act::Join(machine) => Self::join(world, Self::machine(machine)),
            Act::Leaderless(milliseconds) => world.leaderless = world.now + ms(milliseconds),
            Act::Depose(milliseconds) => {
                world.deposed = Some((world.servers.clone(), world.now + ms(milliseconds)));
            }
            Act::Jump(machine, seconds) => {
                let machine = &mut world.machines[Self::machine(machine)];
                machine.skew += SignedDuration::from_secs(seconds);
            }
            Act::ServersJump(milliseconds) => {
                world.servers_skew = SignedDuration::from_millis(milliseconds);
            }
            Act::Chatter(count) => {
                let at = world.hour_of_servers();
                world.servers.chatter(count, at);
            }
            Act::LoseLast(which, count) => {
                let stream = LOSERS[(which % 5) as usize];
                world.servers_lose(|servers| servers.lose_last(stream, count));
            }
            Act::LoseOne(back) => {
                let subject = format!("raccord.{}.log", super::PLACE);
                world.servers_lose(|servers| servers.lose_one(&subject, back));
            }
            Act::Backup => world.backup = Some(world.servers.clone()),
            Act::Restore(which) => {
                if let Some(backup) = world.backup.clone() {
                    world.servers_lose(|servers| servers.put_back(&backup, which));
                }
            }
            _ => {}
        }
    }

    fn join(world: &mut World, machine: usize) {
        if std::mem::take(&mut world.machines[machine].cut) {
            // What was not heard has to be asked for again.
            world.break_followers(|other| other == machine);
        }
    }

    fn post(&mut self, kind: EntityKind, pick: u64, note: &str) {
        let mut world = self.world.lock();
        let n = world.posts.len() as u64;
        let mut fields: raccord_model::Fields = [("n".to_owned(), json!(n))].into();
        let subject = if kind == EntityKind::Credit {
            let person = EntityId::derive(&[b"person", &[(pick % 3) as u8]]);
            fields.insert("person".to_owned(), json!(person.to_string()));
            fields.insert("amount".to_owned(), json!(150));
            format!("c{n}")
        } else {
            let task = EntityId::derive(&[b"task"]);
            fields.insert("task".to_owned(), json!(task));
            fields.insert("name".to_owned(), json!(format!("canary{pick}")));
            format!("r{}", pick % 3)
        };
        if !note.is_empty() {
            fields.insert("note".to_owned(), json!(note));
        }
        world.program_posts(Change {
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
        });
    }

    fn start(&mut self, machine: usize) {
        let life = {
            let mut world = self.world.lock();
            let machine_ = &mut world.machines[machine];
            if machine_.alive {
                return;
            }
            machine_.alive = true;
            machine_.life += 1;
            machine_.lanes = 0;
            machine_.at_work.clear();
            machine_.paused = false;
            machine_.ends = false;
            Life {
                machine,
                number: machine_.life,
            }
        };
        let shell = Shell::new(&self.world, life, self.fault);
        self.begin(life, Work::Thread(Fiber::new(move || shell.live())));
    }

    fn begin(&mut self, life: Life, work: Work) {
        let flag = Arc::new(Flag::default());
        flag.raise();
        self.serial += 1;
        self.running
            .insert(self.serial, Running { life, flag, work });
    }

    /// Kills a process where it stands: what it had not written is not written.
    fn kill(&mut self, machine: usize) {
        self.resume(machine);
        let (life, folder) = {
            let world = self.world.lock();
            let it = &world.machines[machine];
            if !it.alive {
                return;
            }
            let life = Life {
                machine,
                number: it.life,
            };
            (life, it.folder.clone())
        };
        let files = read_all(&folder);
        self.world.lock().dies(life);
        let (gone, left) = std::mem::take(&mut self.running)
            .into_iter()
            .partition(|(_, running)| running.life == life);
        self.running = left;
        let gone: BTreeMap<u64, Running> = gone;
        for running in gone.into_values() {
            if let Work::Thread(mut fiber) = running.work {
                // Whatever it asks fails from now on, so it comes to its end, which nobody sees.
                self.world.lock().running = Some(running.flag);
                while !fiber.run() {}
            }
        }
        self.world
            .lock()
            .spawned
            .retain(|(other, _)| *other != life);
        empty(&folder);
        for (name, bytes) in files {
            std::fs::write(folder.join(name), bytes).expect("a copy is put back");
        }
    }

    fn stop(&mut self, machine: usize, clock_too: bool) {
        let mut world = self.world.lock();
        let now = world.now;
        let it = &mut world.machines[machine];
        if it.alive && !it.paused {
            it.paused = true;
            it.asleep = clock_too.then_some(now);
        }
    }

    fn resume(&mut self, machine: usize) {
        let mut world = self.world.lock();
        let now = world.now;
        let it = &mut world.machines[machine];
        it.paused = false;
        if let Some(since) = it.asleep.take() {
            it.slept += now - since;
        }
    }

    fn person(&mut self) {
        let mut world = self.world.lock();
        for machine in 0..MACHINES as usize {
            if !world.machines[machine].paused {
                world.post_mail(machine, Mail::Person);
            }
        }
    }

    /// Time passes, and everything that happens in it.
    fn pass(&mut self, nanoseconds: u64) {
        let until = self.world.lock().now + nanoseconds;
        loop {
            self.let_run();
            let mut world = self.world.lock();
            match world.next_hour() {
                Some(at) if at <= until && world.laws.broken.is_none() => world.step(),
                _ => {
                    world.now = world.now.max(until);
                    return;
                }
            }
        }
    }

    /// Everybody who may go on goes on, in an order that is drawn.
    fn let_run(&mut self) {
        loop {
            let spawned = std::mem::take(&mut self.world.lock().spawned);
            for (life, task) in spawned {
                self.begin(life, Work::Beside(task));
            }
            let ready: Vec<u64> = {
                let world = self.world.lock();
                let may = |running: &Running| {
                    running.flag.is_up() && !world.machines[running.life.machine].paused
                };
                let ready = self.running.iter().filter(|(_, running)| may(running));
                ready.map(|(number, _)| *number).collect()
            };
            if ready.is_empty() {
                return;
            }
            let drawn = self.world.lock().rng.below(ready.len() as u64);
            self.run(ready[drawn as usize]);
        }
    }

    fn run(&mut self, number: u64) {
        let Some(running) = self.running.get_mut(&number) else {
            return;
        };
        running.flag.lowered();
        let over = match &mut running.work {
            Work::Thread(fiber) => {
                self.world.lock().running = Some(Arc::clone(&running.flag));
                fiber.run()
            }
            Work::Beside(task) => {
                let waker = Waker::from(Arc::clone(&running.flag));
                let mut context = Context::from_waker(&waker);
                task.as_mut().poll(&mut context).is_ready()
            }
        };
        if !over {
            return;
        }
        if let Some(running) = self.running.remove(&number)
            && matches!(running.work, Work::Thread(_))
        {
            // It ended by itself, and what it spawned ends with it.
            let life = running.life;
            self.world.lock().dies(life);
            self.running.retain(|_, other| other.life != life);
        }
    }

    /// Everything is repaired, people look at what waits, until nothing is owed any more.
    fn heal(&mut self) {
        {
            let mut world = self.world.lock();
            world.note(|| "everything is repaired".to_owned());
            world.weather = super::world::Weather::default();
            world.leaderless = 0;
            if let Some((_, until)) = &mut world.deposed {
                *until = 0;
            }
            for machine in 0..MACHINES as usize {
                Self::join(&mut world, machine);
                world.machines[machine].ends = false;
            }
        }
        for machine in 0..MACHINES as usize {
            self.resume(machine);
            self.start(machine);
        }
        // What was under way with the tools ends first.
        self.pass(ms(30_000));
        for _ in 0..HEALING / 15 {
            self.person();
            self.pass(ms(15_000));
            let mut world = self.world.lock();
            world.look();
            if world.laws.broken.is_some() || !world.can_go_on() {
                return;
            }
            if world.all_confirmed() && world.calm && world.tools_are_quiet() {
                world.judge();
                return;
            }
        }
        self.world.lock().fail("it never comes to rest");
    }
}

fn name_of(act: Act) -> &'static str {
    match act {
        Act::Wait(_) => "time passed",
        Act::Credit(_) | Act::SignUp(_) => "a program posted",
        Act::Big(_) => "a program posted what takes several messages",
        Act::Kill(_) => "a process was killed",
        Act::Start(_) => "a process was started",
        Act::End(_) => "a process ended",
        Act::LoseCopy(_) => "a copy was lost",
        Act::Pause(_) => "a process was stopped",
        Act::Sleep(_) => "a machine slept",
        Act::Resume(_) => "a process went on",
        Act::Cut(_) => "a machine was cut off",
        Act::Join(_) => "a machine was joined again",
        Act::Leaderless(_) => "the servers had no leader",
        Act::Depose(_) => "a leader was deposed",
        Act::Jump(..) => "a machine's clock jumped",
        Act::ServersJump(_) => "the servers' clock jumped",
        Act::Chatter(_) => "others wrote",
        Act::LoseLast(..) => "the servers lost their last messages",
        Act::LoseOne(_) => "the servers lost a message in between",
        Act::Backup => "a copy of the servers was made",
        Act::Restore(_) => "an older copy of the servers came back",
        Act::Person => "a person looked",
    }
}

fn empty(folder: &Path) {
    for (name, _) in read_all(folder) {
        std::fs::remove_file(folder.join(name)).expect("a copy is taken away");
    }
}

fn read_all(folder: &Path) -> Vec<(std::ffi::OsString, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).expect("a copy's folder");
    let file = |entry: std::fs::DirEntry| {
        let bytes = std::fs::read(entry.path()).ok()?;
        Some((entry.file_name(), bytes))
    };
    entries.flatten().filter_map(file).collect()
}
