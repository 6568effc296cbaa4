//! What must hold, read from the servers' streams and from what the tools received.
//!
//! The streams are read at quiet moments by a fresh reading handle that keeps nothing and whose
//! questions are all answered at once: what it accepts is the log.

use std::collections::{BTreeMap, BTreeSet};

use raccord_bus::{Head, LogRead as _};
use raccord_model::{Class, ConnectorName, EntityKind};

use super::servers::Servers;
use super::still;
use super::tools::NAMES;
use super::world::{World, ms};

/// A commit: its number and its hash.
pub type Known = (u64, [u8; 32]);

/// What is remembered for the laws.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a trait of its own")]
pub struct Laws {
    /// The law that was broken first.
    pub broken: Option<String>,
    /// The commits that were read at quiet moments, and those that a writer acted on.
    stand: BTreeMap<u64, BTreeSet<[u8; 32]>>,
    /// The commits that the servers lost.
    lost: BTreeSet<Known>,
    /// How often commits were lost, and how many of these times somebody was told, or nobody could be.
    losses: u64,
    settled: u64,
    /// Whether anything was lost.
    any_lost: bool,
    /// Whether something was lost where nothing was left that could tell.
    silent: bool,
    /// Whether something was lost behind a hole: which commits these were is not known then.
    unsure: bool,
    /// Whether the servers went back at all: then the log's own record may be an older one, which
    /// says that it begins where it does no more.
    went_back: bool,
}

/// What was known when a writer began to open the log.
#[derive(Debug)]
pub struct Opening {
    /// The last commit of this machine's copy, where the servers had lost it.
    lost: Option<Known>,
    losses: u64,
}

/// The log, as the servers have it.
pub struct Truth {
    /// The commits after the floor.
    pub chain: BTreeMap<u64, [u8; 32]>,
    floor: u64,
    /// Whether all of it can be read.
    pub whole: bool,
}

/// Reads the log as anybody would who comes new.
///
/// # Errors
/// Why it cannot be read, or where its chain is broken.
pub fn truth(servers: &Servers) -> Result<Truth, String> {
    let Some(log) = still::read(servers).map_err(|error| error.to_string())? else {
        return Ok(Truth {
            chain: BTreeMap::new(),
            floor: 0,
            whole: true,
        });
    };
    let mut before = log.floor();
    let mut truth = Truth {
        chain: BTreeMap::new(),
        floor: before.number,
        whole: true,
    };
    while before.number < log.head().number {
        let Ok(commits) = log.commits(before.number + 1, 1 << 20) else {
            truth.whole = false;
            return Ok(truth);
        };
        for commit in &commits {
            let head = commit.head();
            if commit.previous != before.hash
                || commit.number != before.number + 1
                || commit.term < before.term
            {
                return Err(format!("commit {} is out of the chain", commit.number));
            }
            before = head;
            truth.chain.insert(head.number, head.hash.0);
        }
    }
    let more = log.commits(before.number + 1, 0);
    truth.whole = more.is_ok_and(|more| more.is_empty());
    Ok(truth)
}

impl Truth {
    /// The number of its last commit.
    fn end(&self) -> u64 {
        self.chain.keys().next_back().copied().unwrap_or(self.floor)
    }

    /// Whether it holds a commit, or let it go on purpose.
    fn holds(&self, (number, hash): Known) -> bool {
        number <= self.floor || self.chain.get(&number) == Some(&hash)
    }
}

impl World {
    /// A writer acts on the commit `head`, which its own reading accepted after `before`.
    pub fn acts_on(&mut self, machine: usize, before: Head, head: Head) {
        let known = (head.number, head.hash.0);
        if self.laws.unsure || self.laws.lost.contains(&known) {
            return;
        }
        if head.number != before.number + 1 {
            self.fail(format!("commit {} follows {}", head.number, before.number));
        }
        let others = self.laws.stand.entry(head.number).or_default();
        others.insert(head.hash.0);
        let lost = &self.laws.lost;
        let standing = others
            .iter()
            .filter(|hash| !lost.contains(&(head.number, **hash)));
        if standing.count() > 1 {
            self.fail(format!(
                "two writers act on a commit {}, one of them on node {machine}",
                head.number
            ));
        }
        self.count("a commit was accepted");
    }

    /// A writer is about to open the log.
    pub fn opens(&mut self, machine: usize) -> Opening {
        // An opening that fails half way may have told it already, and let the copy go.
        let knew = self.machines[machine].knows.take();
        let lost = &self.laws.lost;
        Opening {
            lost: knew.filter(|knew| lost.contains(knew) && !self.laws.unsure),
            losses: self.laws.losses,
        }
    }

    /// It has opened it, and was told that the log went back in time, or not. What is lost meanwhile is
    /// for the next one to see.
    pub fn opened(&mut self, opening: &Opening, restored: bool) {
        self.count("a log was opened");
        let untold = opening.losses > self.laws.settled;
        if restored {
            if untold {
                self.count("a loss was told");
            }
            self.laws.settled = opening.losses;
            return;
        }
        let truth = truth(&self.servers);
        if truth.as_ref().is_ok_and(|truth| !truth.whole) {
            // Whoever has no copy finds the hole; this machine's copy fills it.
            return;
        }
        if let Some(lost) = opening.lost
            && !truth.is_ok_and(|truth| truth.holds(lost))
        {
            self.fail("commits were lost that this machine's copy knows, and nobody is told");
        }
        if untold {
            self.laws.settled = opening.losses;
            self.laws.silent = true;
            self.count("a loss of which nothing was left that could tell");
        }
    }

    /// The servers lose something, or bring back something old.
    pub fn servers_lose(&mut self, lose: impl FnOnce(&mut Servers)) {
        let before = truth(&self.servers);
        self.laws.went_back = true;
        self.laws.unsure |= !before.as_ref().is_ok_and(|before| before.whole);
        lose(&mut self.servers);
        self.recovering = self.now + ms(600);
        self.break_followers(|_| true);
        let Ok(after) = truth(&self.servers) else {
            // What cannot be read at all goes on for nobody.
            self.commits_were_lost();
            if let Ok(before) = before {
                self.laws.lost.extend(before.chain);
            }
            return;
        };
        let stood = self.laws.stand.iter();
        let stood = stood.flat_map(|(number, all)| all.iter().map(|hash| (*number, *hash)));
        let mut gone: BTreeSet<Known> = stood.collect();
        let mut shorter = false;
        if let Ok(before) = before {
            shorter = after.end() < before.end();
            gone.extend(before.chain);
        }
        let back = |(number, hash): &Known| after.chain.get(number) == Some(hash);
        // The log's own record may say that it begins where it does no more.
        gone.retain(|known| !back(known) && (shorter || !after.holds(*known)));
        let before = self.laws.lost.len();
        self.laws.lost.extend(gone);
        // What came back is lost no more.
        self.laws.lost.retain(|known| !back(known));
        if self.laws.lost.len() > before {
            self.commits_were_lost();
            self.count("commits were lost");
        }
    }

    fn commits_were_lost(&mut self) {
        self.laws.any_lost = true;
        self.laws.losses += 1;
        for post in self.posts.iter_mut().filter(|post| !post.confirmed) {
            post.doubtful = true;
        }
    }

    /// A quiet moment: what stood still stands.
    pub fn look(&mut self) {
        let truth = match truth(&self.servers) {
            Ok(truth) => truth,
            Err(error) => {
                if !self.laws.went_back {
                    self.fail(format!("the log cannot be read: {error}"));
                }
                return;
            }
        };
        if !truth.whole || self.laws.unsure {
            if !self.laws.went_back {
                self.fail("the log has a hole, and nothing was lost");
            }
            return;
        }
        let stood = self.laws.stand.iter();
        let mut stood = stood.flat_map(|(number, all)| all.iter().map(|hash| (*number, *hash)));
        let missing = stood.find(|known| !self.laws.lost.contains(known) && !truth.holds(*known));
        if let Some((number, _)) = missing {
            self.fail(format!(
                "commit {number} was accepted, the servers did not lose it, and it is not in the log"
            ));
        }
        for (number, hash) in truth.chain {
            self.laws.stand.entry(number).or_default().insert(hash);
        }
    }

    /// Whether everything may have come to rest: what was posted is taken.
    pub fn all_confirmed(&self) -> bool {
        self.posts.iter().all(|post| post.confirmed)
    }

    /// Whether the log can go on: not where a commit is missing in between, until a person mends it.
    pub fn can_go_on(&self) -> bool {
        truth(&self.servers).is_ok_and(|truth| truth.whole)
    }

    /// What the tools must hold once everything healed.
    pub fn judge(&mut self) {
        self.look();
        for (name, class) in NAMES {
            if self.laws.broken.is_some() {
                return;
            }
            let name: ConnectorName = name.parse().expect("a plain name");
            if class == Class::Address {
                self.shows_the_newest(&name);
            } else {
                self.sent_once(&name, class);
                self.in_order(&name, class);
            }
        }
    }

    /// Whether nothing can be said of a post: the commit that held it was lost.
    fn is_lost(&self, post: &super::world::Post) -> bool {
        match post.commit {
            _ if self.laws.unsure => true,
            Some(known) => self.laws.lost.contains(&known),
            None => self.laws.any_lost,
        }
    }

    fn sent_once(&mut self, name: &ConnectorName, class: Class) {
        let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
        for arrival in &self.tools.of(name).arrivals {
            let n = arrival.data["n"].as_u64().unwrap_or(u64::MAX);
            *counts.entry(n).or_default() += 1;
        }
        let mut wrong = None;
        let signs_up = |it: &&crate::tools::Arrival| it.kind == EntityKind::Registration;
        let mut sent = self.tools.of(name).arrivals.iter().filter(signs_up);
        // A server that is behind may not have the value yet, and says that there is none.
        let sure = !self.laws.went_back && self.deposed.is_none();
        if sure && sent.any(|it| !it.data["name"].is_string()) {
            wrong = Some(format!(
                "{name} was sent a sign-up without its personal value"
            ));
        }
        for (n, post) in self.posts.iter().enumerate() {
            let takes = class != Class::Blind || post.change.kind == EntityKind::Registration;
            let count = counts.get(&(n as u64)).copied().unwrap_or_default();
            // A commit that was lost took with it that the post was known already.
            let known = !self.laws.silent && !self.is_lost(post) && !post.doubtful;
            if count > 1 && known && !(self.laws.any_lost && class == Class::Blind) {
                wrong = Some(format!("{name} was sent post {n} {count} times"));
            }
            if takes && count == 0 && post.confirmed && !self.is_lost(post) && !self.laws.silent {
                wrong = Some(format!(
                    "{name} was never sent post {n}, which was confirmed"
                ));
            }
        }
        if let Some(wrong) = wrong {
            self.fail(wrong);
        }
    }

    /// What is about one thing arrives in its order.
    fn in_order(&mut self, name: &ConnectorName, class: Class) {
        if self.laws.any_lost || class == Class::Blind {
            return;
        }
        let mut last = BTreeMap::new();
        let mut wrong = None;
        for arrival in &self.tools.of(name).arrivals {
            let before = last.insert(arrival.entity, arrival.revision);
            if before.is_some_and(|before| before >= arrival.revision) {
                wrong = Some(format!(
                    "{name} was sent revision {} late",
                    arrival.revision
                ));
            }
        }
        if let Some(wrong) = wrong {
            self.fail(wrong);
        }
    }

    /// What is written by address shows what was sent last.
    fn shows_the_newest(&mut self, name: &ConnectorName) {
        if self.laws.any_lost {
            return;
        }
        let hook: ConnectorName = "hook".parse().expect("a plain name");
        let mut newest = BTreeMap::new();
        for arrival in &self.tools.of(&hook).arrivals {
            if arrival.kind == EntityKind::Registration {
                newest.insert(arrival.entity, arrival.data["n"].clone());
            }
        }
        let mut wrong = None;
        for (entity, n) in newest {
            let objects = self.tools.of(name).objects.iter();
            let shown: Vec<_> = objects.filter(|it| it.entity == entity).collect();
            match shown.as_slice() {
                [one] if one.body["n"] == n => {}
                [one] => wrong = Some(format!("{name} shows {} instead of {n}", one.body)),
                all => wrong = Some(format!("{name} holds an entry {} times", all.len())),
            }
        }
        if let Some(wrong) = wrong {
            self.fail(wrong);
        }
    }
}
