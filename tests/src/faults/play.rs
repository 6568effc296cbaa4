//! Lets things go wrong as they were planned, and heals them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use raccord_bus::jetstream::servers::Version;
use rustix::process::Signal;

use super::nodes::{NODES, Node, wait_until};
use super::plan::{Fault, Group, Kind};
use super::servers::{Servers, THREE};
use super::{PLACES, pause};
use crate::proxy::Link;

/// How long places may be without a node before a fault is taken for one that is not survived.
const LONGEST: Duration = Duration::from_secs(60);

/// Servers and nodes, and what went wrong so far.
pub(super) struct Stage {
    pub(super) servers: Servers,
    pub(super) nodes: Vec<Node>,
    began: Instant,
    diary: Mutex<Vec<String>>,
    pub(super) times: Mutex<BTreeMap<Kind, usize>>,
    /// How long places were without a node, where nothing else was wrong.
    pub(super) taken_over: Mutex<Vec<Duration>>,
}

impl Stage {
    pub(super) fn new(servers: Servers, nodes: Vec<Node>) -> Self {
        Self {
            servers,
            nodes,
            began: Instant::now(),
            diary: Mutex::default(),
            times: Mutex::default(),
            taken_over: Mutex::default(),
        }
    }

    /// What happened, with the seconds since the beginning.
    pub(super) fn diary(&self) -> Vec<String> {
        held(&self.diary).clone()
    }

    /// When that was, since the beginning.
    pub(super) fn since(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.began)
    }

    /// Writes something down.
    pub(super) fn notes(&self, what: &str) {
        let at = self.began.elapsed().as_secs_f64();
        held(&self.diary).push(format!("{at:8.2}  {what}"));
    }

    /// Waits until each place has one node that works for it; gives whether that came.
    pub(super) fn is_whole(&self, limit: Duration) -> bool {
        let all = || {
            let held = self.nodes.iter().filter_map(Node::holds);
            let held: Vec<&str> = held.flat_map(|(places, _)| places).collect();
            held.len() == PLACES.len() && PLACES.iter().all(|place| held.contains(place))
        };
        let whole = wait_until(limit, all).is_some();
        if !whole {
            self.notes(&format!("who works for what: {}", self.shares()));
        }
        whole
    }

    /// Who works for what.
    pub(super) fn shares(&self) -> String {
        let held = self.nodes.iter().zip(NODES);
        let held = held.map(|(node, name)| match node.holds() {
            Some((places, _)) => format!("{name} {places:?}"),
            None => format!("{name} does not answer"),
        });
        held.collect::<Vec<_>>().join(", ")
    }

    /// Plays faults that overlap, to their end.
    pub(super) fn play(&self, group: &Group) -> Result<()> {
        if let [fault] = group.as_slice() {
            return self.play_alone(fault);
        }
        std::thread::scope(|scope| {
            let playing = group.iter().map(|fault| {
                scope.spawn(move || {
                    pause(fault.after);
                    self.strike(fault, || pause(fault.lasts))
                })
            });
            let playing: Vec<_> = playing.collect();
            playing.into_iter().try_for_each(|it| {
                let ended = it.join();
                ended.map_err(|_| anyhow::anyhow!("a fault could not be played"))?
            })
        })
    }

    /// Plays a fault while nothing else is wrong: how long places are without a node is measured.
    fn play_alone(&self, fault: &Fault) -> Result<()> {
        let quiet = fault.kind.leaves_places() && self.is_whole(Duration::from_secs(20));
        let places = if quiet {
            self.nodes[fault.of].holds()
        } else {
            None
        };
        let Some((places, _)) = places else {
            return self.strike(fault, || pause(fault.lasts));
        };
        let began = Instant::now();
        let mut ours = Ok(());
        self.strike(fault, || {
            let others = || {
                self.nodes
                    .iter()
                    .enumerate()
                    .filter(|(at, _)| *at != fault.of)
            };
            let taken = wait_until(LONGEST, || {
                let held = others().filter_map(|(_, node)| node.holds());
                let held: Vec<&str> = held.flat_map(|(places, _)| places).collect();
                places.iter().all(|place| held.contains(place))
            });
            if let Some(took) = taken {
                held(&self.taken_over).push(took);
            } else {
                let left = format!("{places:?} were not taken over in {LONGEST:?}");
                ours = Err(anyhow::anyhow!("{left}: {}", self.shares()));
            }
            pause(fault.lasts.saturating_sub(began.elapsed()));
        })?;
        ours.with_context(|| format!("{fault}"))
    }

    /// Lets one thing go wrong, waits, and heals it.
    fn strike(&self, fault: &Fault, wait: impl FnOnce()) -> Result<()> {
        self.notes(&format!("{fault}"));
        *held(&self.times).entry(fault.kind).or_default() += 1;
        let struck = if fault.kind.is_a_nodes() {
            self.strike_node(fault, wait)
        } else {
            self.strike_server(fault, wait)
        };
        self.notes(&format!("{} is over", fault.kind));
        struck.with_context(|| format!("{fault}"))
    }

    fn strike_node(&self, fault: &Fault, wait: impl FnOnce()) -> Result<()> {
        let node = &self.nodes[fault.of];
        let ways = &self.servers.from_nodes[fault.of];
        match fault.kind {
            Kind::NodeHangs => {
                node.signal(Signal::STOP)?;
                wait();
                node.signal(Signal::CONT)?;
            }
            Kind::NodeCutOff => {
                each(ways, |way| way.cut(true));
                wait();
                each(ways, |way| way.cut(false));
            }
            Kind::AnswersLost => {
                each(ways, |way| way.deaf(true));
                wait();
                each(ways, |way| way.deaf(false));
            }
            Kind::NodeFarAway => {
                let late = Duration::from_millis(50 + fault.size / 4);
                each(ways, |way| way.late(late));
                wait();
                each(ways, |way| way.late(Duration::ZERO));
            }
            Kind::NodeSlowDisk => stutter(fault, |signal| node.signal(signal))?,
            Kind::NodeFullDisk => {
                node.disk_is_full(true)?;
                wait();
                node.disk_is_full(false)?;
            }
            Kind::ClockJumps => {
                // Up to half a day, on or back.
                node.clock_is_off((fault.size as i64 - 500) * 86)?;
                wait();
                node.clock_is_off(0)?;
            }
            Kind::NodeUpgraded => {
                node.leave()?;
                wait();
                node.start()?;
            }
            Kind::FolderLost => {
                node.kill()?;
                node.loses_its_folder()?;
                wait();
                node.start()?;
            }
            _ => {
                node.kill()?;
                wait();
                node.start()?;
            }
        }
        Ok(())
    }

    fn strike_server(&self, fault: &Fault, wait: impl FnOnce()) -> Result<()> {
        let (servers, of) = (&self.servers, fault.of);
        match fault.kind {
            Kind::ServerHangs => {
                servers.signal(of, Signal::STOP)?;
                wait();
                servers.signal(of, Signal::CONT)?;
            }
            Kind::ServerCutOff => {
                let cut = |cut| {
                    for other in 0..THREE {
                        servers.between[of][other].cut(cut);
                        servers.between[other][of].cut(cut);
                    }
                };
                cut(true);
                wait();
                cut(false);
            }
            Kind::ServersApart => {
                let other = (of + 1) % THREE;
                let ways = [&servers.between[of][other], &servers.between[other][of]];
                each(ways, |way| way.cut(true));
                wait();
                each(ways, |way| way.cut(false));
            }
            Kind::ServerSlowDisk => stutter(fault, |signal| servers.signal(of, signal))?,
            Kind::ServerFullDisk => {
                servers.disk_is_full(of, true)?;
                wait();
                servers.kill(of)?;
                servers.start(of)?;
            }
            Kind::ServerUpgraded => {
                servers.leave(of)?;
                servers.upgrade(of, Version::Present);
                wait();
                servers.start(of)?;
            }
            _ => {
                servers.kill(of)?;
                wait();
                servers.start(of)?;
            }
        }
        Ok(())
    }
}

/// Changes each of these ways.
fn each<'a>(ways: impl IntoIterator<Item = &'a Link>, change: impl Fn(&Link)) {
    for way in ways {
        change(way);
    }
}

/// Stops a process for most of the time, again and again, as one does that waits for its disk.
fn stutter(fault: &Fault, signal: impl Fn(Signal) -> Result<()>) -> Result<()> {
    let began = Instant::now();
    while began.elapsed() < fault.lasts {
        signal(Signal::STOP)?;
        pause(Duration::from_millis(100 + fault.size / 3));
        signal(Signal::CONT)?;
        pause(Duration::from_millis(60));
    }
    Ok(())
}

fn held<T>(it: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}
