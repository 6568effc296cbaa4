//! A process of the cluster: it joins the nodes, takes the place when it is free, opens the log,
//! decides with the engine, and lets out what the log has accepted. The node, the log and the engine
//! are the real ones; only what the program itself puts around them is played here.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::select;
use raccord_bus::jetstream::carrier::Carrier as _;
use raccord_bus::jetstream::{Jetstream, JetstreamLog, Node};
use raccord_bus::{Log as _, LogError, LogRead, SlotWrite, Upkeep};
use raccord_engine::{Engine, HoldKind, Input, Order, Spot, Step};
use raccord_model::{DeliveryId, Outcome, PlaceId, Words, Work};

use super::ShellFault;
use super::link::Process;
use super::tools::{Canvas, rules};
use super::world::{Life, Mail, Shared};

/// How often a log that broke is opened again.
const REOPEN: Duration = Duration::from_secs(5);
/// How often the nodes are looked at.
const LOOK: Duration = Duration::from_millis(700);
/// A quiet place tidies up.
const QUIET: Duration = Duration::from_secs(5);
/// After so many commits a snapshot is worth its writing, so that short stories have some.
const TAIL: u64 = 12;

/// A process.
#[derive(Clone)]
pub struct Shell {
    process: Process,
    place: PlaceId,
    fault: Option<ShellFault>,
}

/// What is thrown away when the log fails.
struct Held {
    log: JetstreamLog,
    engine: Engine,
    /// How many commits stand after the newest snapshot.
    tail: u64,
    upkeep: bool,
    shift: u64,
    /// Whether it went back in time: then this machine keeps no copy until it is opened again.
    restored: bool,
}

impl Shell {
    /// The process `life`.
    pub fn new(world: &Shared, life: Life, fault: Option<ShellFault>) -> Self {
        Self {
            process: Process {
                world: world.clone(),
                life,
            },
            place: super::PLACE.parse().expect("a plain name"),
            fault,
        }
    }

    fn is_over(&self) -> bool {
        let world = self.process.world.lock();
        world.is_dead(self.process.life)
    }

    fn sleep(&self, time: Duration) {
        let until = self.process.now() + time;
        self.process.wait(self.process.sleep_until(until));
    }

    fn note(&self, what: impl FnOnce() -> String) {
        let machine = self.process.life.machine;
        let mut world = self.process.world.lock();
        world.note(|| format!("node {machine}: {}", what()));
    }

    /// Lives until it is killed, or asked to end.
    pub fn live(self) {
        let link = self.process.connection();
        while !self.is_over() {
            match self.serve(&link) {
                Ok(()) => return,
                Err(error) => {
                    self.note(|| format!("does not come in: {error}"));
                    self.sleep(REOPEN);
                }
            }
        }
    }

    fn serve(&self, link: &Jetstream) -> Result<(), LogError> {
        let node = Node::join(link, &format!("node{}", self.process.life.machine))?;
        let node = Arc::new(node);
        node.serves([&self.place])?;
        while !self.is_over() {
            if self.ends() {
                return Ok(());
            }
            if node.claim(&self.place).unwrap_or_default() {
                self.note(|| "holds the place".to_owned());
                self.work(link, &node);
                self.wait_for_lanes();
                if let Err(error) = node.release(&self.place) {
                    self.note(|| format!("does not let go: {error}"));
                }
                self.note(|| "holds the place no more".to_owned());
            }
            self.sleep(LOOK);
        }
        Ok(())
    }

    fn ends(&self) -> bool {
        let machine = self.process.life.machine;
        self.process.world.lock().machines[machine].ends
    }

    /// Works for the place as long as it is ours.
    fn work(&self, link: &Jetstream, node: &Arc<Node>) {
        while self.keeps(node) && !self.is_over() && !self.ends() {
            let Some(mut held) = self.open(link, node) else {
                self.sleep(REOPEN);
                continue;
            };
            while self.keeps(node) && !self.is_over() && !self.ends() {
                if let Err(error) = self.turn(&mut held, node) {
                    self.note(|| format!("the log cannot be written: {error}"));
                    break;
                }
            }
            self.let_go(held);
        }
    }

    fn keeps(&self, node: &Node) -> bool {
        let renewed = || node.renews(&self.place).unwrap_or_default();
        self.holds(node) || (renewed() && self.holds(node))
    }

    fn holds(&self, node: &Node) -> bool {
        node.holds(&self.place)
    }

    /// The log in good order: what it accepted is in this machine's copy.
    fn let_go(&self, held: Held) {
        let head = held.log.head();
        let copied = !held.restored;
        drop(held);
        let Life { machine, .. } = self.process.life;
        let mut world = self.process.world.lock();
        if copied && !world.is_dead(self.process.life) {
            world.machines[machine].knows = Some((head.number, head.hash.0));
        }
    }

    fn wait_for_lanes(&self) {
        let lanes = || {
            let machine = self.process.life.machine;
            self.process.world.lock().machines[machine].lanes
        };
        while lanes() > 0 && !self.is_over() {
            self.sleep(LOOK);
        }
    }

    fn open(&self, link: &Jetstream, node: &Arc<Node>) -> Option<Held> {
        let life = self.process.life;
        let (folder, opening) = {
            let mut world = self.process.world.lock();
            let folder = world.machines[life.machine].folder.clone();
            (folder, world.opens(life.machine))
        };
        let opened = JetstreamLog::open(link, &folder, &self.place);
        let mut opened = match opened {
            Ok(opened) => opened,
            Err(error) => {
                self.note(|| format!("does not open the log: {error}"));
                return None;
            }
        };
        let (head, term) = (opened.log.head(), opened.log.term());
        self.note(|| {
            format!(
                "opens at {} in term {term}, restored {}",
                head.number, opened.restored
            )
        });
        if let Err(error) = opened.log.append_all(&[]) {
            self.note(|| format!("it opens for reading only: {error}"));
            self.process
                .world
                .lock()
                .count("a log opened for reading only");
            return None;
        }
        {
            let mut world = self.process.world.lock();
            world.opened(&opening, opened.restored);
        }
        let loaded = fold(&opened.log);
        let Ok((mut engine, tail)) = loaded else {
            self.note(|| format!("does not read the log: {:?}", loaded.err()));
            return None;
        };
        engine.start();
        let shift = {
            let mut world = self.process.world.lock();
            world.machines[life.machine].shift += 1;
            world.machines[life.machine].shift
        };
        let mut held = Held {
            log: opened.log,
            engine,
            tail,
            upkeep: false,
            shift,
            restored: opened.restored,
        };
        let mut inputs = vec![Input::Configure(Box::new(rules()))];
        if opened.restored {
            inputs.push(Input::Order(Order::Mute(Words::same("restored"))));
        }
        match self.step(&mut held, inputs, &[]) {
            Ok(step) => {
                let mute = held.engine.state().muted.is_some();
                if opened.restored && !mute {
                    let mut world = self.process.world.lock();
                    world.fail("a place that went back in time is not mute");
                }
                self.let_out(&held, node, step);
                Some(held)
            }
            Err(error) => {
                self.note(|| format!("the log cannot be written: {error}"));
                self.let_go(held);
                None
            }
        }
    }

    /// Waits for something to do, and does it.
    fn turn(&self, held: &mut Held, node: &Arc<Node>) -> Result<(), LogError> {
        let machine = self.process.life.machine;
        let now = self.process.world.lock().hour_of(machine);
        let wait = held.engine.wake().map_or(QUIET, |at| {
            Duration::try_from(at.duration_since(now)).unwrap_or_default()
        });
        let idle = if held.upkeep { Duration::ZERO } else { LOOK };
        if !self.has_mail(wait.min(idle)) && wait > idle {
            return self.tidy(held);
        }
        let mail: Vec<Mail> = {
            let mut world = self.process.world.lock();
            world.machines[machine].mail.drain(..).collect()
        };
        let mut inputs = Vec::new();
        let mut posts = Vec::new();
        let mut person = false;
        for mail in mail {
            match mail {
                Mail::Post(post) => {
                    let change = self.process.world.lock().posts[post].change.clone();
                    inputs.push(Input::Posted(vec![change]));
                    posts.push(post);
                }
                Mail::Outcome {
                    shift,
                    connector,
                    family,
                    delivery,
                    outcome,
                } if shift == held.shift => inputs.push(Input::Outcome {
                    connector,
                    family,
                    delivery,
                    outcome,
                }),
                Mail::Outcome { .. } => {}
                Mail::Person => person = true,
            }
        }
        inputs.push(Input::Tick);
        let step = self.step(held, inputs, &posts)?;
        self.let_out(held, node, step);
        if person {
            for order in self.decisions(held)? {
                let step = self.step(held, vec![Input::Order(order)], &[])?;
                self.let_out(held, node, step);
            }
        }
        let state = held.engine.state();
        let idle = state.sinks.values().all(|sink| sink.lanes.is_empty());
        self.process.world.lock().calm = idle && state.holds.is_empty() && state.muted.is_none();
        if held.tail >= TAIL && !held.upkeep {
            let body = held.engine.snapshot();
            held.log.begin_snapshot(held.engine.state().commit, body)?;
            held.tail = 0;
            held.upkeep = true;
        }
        Ok(())
    }

    /// Whether mail comes within a time.
    fn has_mail(&self, within: Duration) -> bool {
        let Process { world, life } = &self.process;
        let mail = std::future::poll_fn(|context| {
            let mut world = world.lock();
            if world.is_dead(*life) || world.has_mail(life.machine, context.waker()) {
                return Poll::Ready(());
            }
            Poll::Pending
        });
        let until = self.process.now() + within;
        self.process
            .wait(select(pin!(mail), self.process.sleep_until(until)));
        !world.lock().machines[life.machine].mail.is_empty()
    }

    /// One step of the engine, accepted by the log when it returns.
    fn step(&self, held: &mut Held, inputs: Vec<Input>, posts: &[usize]) -> Result<Step, LogError> {
        let Life { machine, .. } = self.process.life;
        let (now, seed) = {
            let mut world = self.process.world.lock();
            let mut seed = [0; 16];
            seed[..8].copy_from_slice(&world.rng.draw().to_be_bytes());
            (world.hour_of(machine), seed)
        };
        // The clock of whoever wrote before may have been ahead of ours.
        let now = held.log.head().at.max(now);
        let mut step = held.engine.step(inputs, now, seed, &Canvas);
        let Some(body) = step.commit.take() else {
            self.confirm(posts, None);
            return Ok(step);
        };
        let slots: Vec<SlotWrite> = std::mem::take(&mut step.slots)
            .into_iter()
            .map(|(slot, value)| SlotWrite {
                slot,
                value: Some(value),
            })
            .collect();
        if self.fault == Some(ShellFault::ActBeforeAccepted) {
            self.confirm(posts, None);
        }
        let before = held.log.head();
        let head = held.log.append(now, &body, &slots)?;
        held.tail += 1;
        self.note(|| format!("commit {} {}", head.number, &head.hash.to_string()[..6]));
        {
            let mut world = self.process.world.lock();
            if !world.is_dead(self.process.life) {
                world.acts_on(machine, before, head);
            }
        }
        self.confirm(posts, Some((head.number, head.hash.0)));
        Ok(step)
    }

    /// Whoever posted is told that it is taken.
    fn confirm(&self, posts: &[usize], commit: Option<(u64, [u8; 32])>) {
        let mut world = self.process.world.lock();
        if world.is_dead(self.process.life) {
            return;
        }
        for post in posts {
            let post = &mut world.posts[*post];
            post.confirmed = true;
            post.commit = post.commit.or(commit);
        }
    }

    /// What is durable may leave the process.
    fn let_out(&self, held: &Held, node: &Arc<Node>, step: Step) {
        for work in step.work {
            let machine = self.process.life.machine;
            self.process.world.lock().machines[machine].lanes += 1;
            let (shell, node) = (self.clone(), Arc::clone(node));
            let lane = shell.lane(node, work, held.shift);
            self.process.spawn(Box::pin(lane));
        }
    }

    /// Makes the effects of a lane one after the other.
    async fn lane(self, node: Arc<Node>, work: Work, shift: u64) {
        let machine = self.process.life.machine;
        let Work {
            connector,
            family,
            items,
        } = work;
        let lane = (connector.clone(), family);
        // One of an earlier opening of the log may not have ended.
        while !self.process.world.lock().machines[machine]
            .at_work
            .insert(lane.clone())
        {
            self.process.sleep_until(self.process.now() + LOOK).await;
        }
        let mut failed = false;
        for item in items {
            let delivery: DeliveryId = item.delivery;
            let now = self.process.world.lock().hour_of(machine);
            let late = item.latest.is_some_and(|latest| now > latest);
            let outcome = if failed || late || !self.holds(&node) {
                Outcome::NotStarted
            } else {
                self.process.tool(&connector, item).await
            };
            failed |= matches!(outcome, Outcome::Failed(_) | Outcome::NotStarted);
            let mut world = self.process.world.lock();
            let connector = connector.clone();
            let mail = Mail::Outcome {
                shift,
                connector,
                family,
                delivery,
                outcome,
            };
            world.post_mail(machine, mail);
        }
        let mut world = self.process.world.lock();
        world.machines[machine].at_work.remove(&lane);
        world.machines[machine].lanes -= 1;
    }

    /// What a person decides, who sees what the tools hold.
    fn decisions(&self, held: &mut Held) -> Result<Vec<Order>, LogError> {
        let state = held.engine.state();
        let mut orders = Vec::new();
        if !self.process.world.lock().tools_are_quiet() {
            return Ok(orders);
        }
        for (id, waiting) in &state.holds {
            let HoldKind::Delivery { of } = &waiting.hold.what else {
                continue;
            };
            let there = match state.find(of) {
                Some(Spot::Queue { family, index }) => {
                    let queued = &state.sinks[&of.connector].lanes[&family].queue[index];
                    let event: serde_json::Value =
                        serde_json::from_slice(&queued.event).unwrap_or_default();
                    let world = self.process.world.lock();
                    let tool = world.tools.of(&of.connector);
                    tool.arrivals.iter().any(|it| event["id"] == it.id.as_str())
                }
                Some(Spot::Object { entity, .. }) => {
                    let world = self.process.world.lock();
                    let tool = world.tools.of(&of.connector);
                    tool.objects.iter().any(|it| it.entity == entity)
                }
                None => false,
            };
            orders.push(if there {
                Order::Reject(*id)
            } else {
                Order::Approve {
                    hold: *id,
                    only: None,
                }
            });
        }
        if state.muted.is_some() {
            held.log.settle_past()?;
            self.process
                .world
                .lock()
                .count("a person let a restored place go on");
            orders.push(Order::Unmute { look_first: true });
        }
        Ok(orders)
    }

    /// Snapshots, and the log's own tidying.
    fn tidy(&self, held: &mut Held) -> Result<(), LogError> {
        if !held.upkeep {
            return Ok(());
        }
        if held.log.upkeep()? == Upkeep::More {
            return Ok(());
        }
        held.upkeep = false;
        // Much sooner than in earnest: the snapshot before the last is where the log begins.
        let snapshots = held.log.snapshots()?;
        if let [.., before, _] = snapshots.as_slice()
            && before.head.number > held.log.floor().number
        {
            held.log.forget_before(before.head.number + 1)?;
            self.process.world.lock().count("old commits were let go");
            held.upkeep = true;
        }
        Ok(())
    }
}

/// The engine as a log says it is, and how many commits stand after the newest snapshot.
fn fold(log: &JetstreamLog) -> Result<(Engine, u64), LogError> {
    let snapshot = log.latest_snapshot()?;
    let mut from = 0;
    let mut engine = Engine::new();
    if let Some(snapshot) = snapshot {
        engine = Engine::from_snapshot(&snapshot.body).expect("a snapshot of this program");
        from = snapshot.head.number;
    }
    let mut next = from + 1;
    loop {
        let commits = log.commits(next, 1 << 20)?;
        let Some(last) = commits.last() else { break };
        next = last.number + 1;
        for commit in &commits {
            engine
                .fold(commit.number, commit.at, &commit.body)
                .expect("a commit of this program");
        }
    }
    engine.remember(log.slots()?);
    Ok((engine, next - 1 - from))
}
