//! Small worlds, every way through them: two entities, two tools, at most four faults.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use raccord_model::Digest;

use crate::act::{Act, Fate};
use crate::sim::Sim;

/// What was explored.
#[derive(Debug, Default)]
pub struct Explored {
    /// Different states reached.
    pub states: usize,
    /// Ways from one to another.
    pub steps: u64,
    /// How many acts the longest way that was explored wholly has.
    pub depth: u32,
    /// A way that breaks a law.
    pub broken: Option<(Vec<Act>, String)>,
}

const CALM: &[Act] = &[
    Act::Answer(0, Fate::Good),
    Act::Answer(1, Fate::Good),
    Act::Read,
    Act::Retitle(0),
    Act::Credit(0),
    Act::Flush,
    Act::Wait(130),
];
const FAULTS: &[Act] = &[
    Act::Answer(0, Fate::AnswerLost),
    Act::Answer(0, Fate::Lost),
    Act::Answer(0, Fate::Late),
    Act::Answer(0, Fate::Busy),
    Act::Crash(0),
    Act::Crash(0xaaaa),
    Act::Crash(0xffff),
];

/// Explores breadth first for `time`; every state is healed and judged.
pub fn explore(time: Duration, started: Instant) -> Explored {
    let mut found = Explored::default();
    let mut first = Sim::new(None);
    first.keep_only(&["calendar", "purse"]);
    first.act(Act::Add(5));
    first.act(Act::Read);
    first.act(Act::Credit(1));
    first.act(Act::Flush);
    let mut seen: HashSet<Digest> = HashSet::new();
    let mut layer: Vec<(Sim, Vec<Act>, u8)> = vec![(first, Vec::new(), 0)];
    loop {
        let mut next = Vec::new();
        for (sim, way, faults) in layer {
            let calm = CALM.iter().map(|&act| (act, faults));
            let faulty = FAULTS
                .iter()
                .filter(|_| faults < 4)
                .map(|&act| (act, faults + 1));
            for (act, faults) in calm.chain(faulty) {
                if started.elapsed() > time {
                    found.states = seen.len();
                    return found;
                }
                let mut after = sim.clone();
                after.act(act);
                found.steps += 1;
                if !seen.insert(after.digest(faults)) {
                    continue;
                }
                let way: Vec<Act> = way.iter().copied().chain([act]).collect();
                let mut healed = after.clone();
                healed.heal();
                healed.judge();
                if let Some(broken) = healed.broken {
                    found.broken = Some((way, broken.0));
                    found.states = seen.len();
                    return found;
                }
                next.push((after, way, faults));
            }
        }
        found.depth += 1;
        layer = next;
    }
}
