//! One place, its tools and its people, driven act by act on a virtual clock.

mod acts;
mod calls;
mod hands;
mod people;
mod restart;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use raccord_engine::{Engine, Input};
use raccord_model::{
    Blame, Change, ConnectorName, Digest, EntityId, EntityKind, Failure, Guards, Lang, Outcome,
    Place, Recipe, Rules, SourceRule, TaskTemplate, When, Words, Work,
};

use crate::act::Fate;
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
    /// The sign-ups that people were answered with.
    answered: Vec<EntityId>,
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
    /// Sign-ups that people know of.
    promised: BTreeSet<EntityId>,
    /// Tasks of which somebody said that all may keep their places.
    crowded: BTreeSet<EntityId>,
    /// Somebody kept a task that no rule makes any more.
    pub(crate) kept_tasks: bool,
    pub(crate) config: u8,
    pub(crate) muted: bool,
    pub(crate) restored: bool,
    pub(crate) died: BTreeSet<ConnectorName>,
    first_read: BTreeMap<String, Timestamp>,
    /// How many commits were folded when that was last done, and what they gave.
    folded: Option<(usize, Vec<u8>)>,
    /// Since when a line is missing.
    missed: BTreeMap<u32, Timestamp>,
    /// The same, as far as it is durable.
    missed_kept: BTreeMap<u32, Timestamp>,
    /// The lines as an accepted reading last showed them.
    pub(crate) shown: BTreeMap<u32, Row>,
    /// The reading somebody said no to, while the sheet stays as it is.
    refused: Option<Digest>,
    /// The lines each reading lacked, by its content.
    lacking: BTreeMap<Digest, Vec<u32>>,
    /// What lines showed before they were changed.
    pub(crate) former: BTreeMap<u32, Vec<Row>>,
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
    /// Until when tools asked to be left alone.
    quiet: BTreeMap<ConnectorName, Timestamp>,
    /// The same, as far as it is durable.
    quiet_kept: BTreeMap<ConnectorName, Timestamp>,
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
    tasks[0].capacity = Some(if config & 4 == 0 { 2 } else { 1 });
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
                version: String::new(),
                every_s: 60,
                foreign: false,
                counts: false,
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
            promised: BTreeSet::new(),
            crowded: BTreeSet::new(),
            kept_tasks: false,
            config: 0,
            muted: false,
            restored: false,
            died: BTreeSet::new(),
            first_read: BTreeMap::new(),
            folded: None,
            missed: BTreeMap::new(),
            missed_kept: BTreeMap::new(),
            shown: BTreeMap::new(),
            refused: None,
            lacking: BTreeMap::new(),
            former: BTreeMap::new(),
            may_cancel: BTreeSet::new(),
            kept: BTreeMap::new(),
            deleted: BTreeSet::new(),
            taken: BTreeMap::new(),
            made: None,
            stopped: BTreeMap::new(),
            quiet: BTreeMap::new(),
            quiet_kept: BTreeMap::new(),
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
        let answered = hands::sign_ups(&step.replies);
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
            answered,
        });
        if self.pending.len() > 3 {
            self.flush();
        }
    }

    /// What was decided becomes durable, and leaves.
    pub(crate) fn flush(&mut self) {
        self.kept.clone_from(&self.shown);
        self.missed_kept.clone_from(&self.missed);
        self.quiet_kept.clone_from(&self.quiet);
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
            self.promised.extend(step.answered);
            for post in step.posts {
                self.posts[post].confirmed = true;
            }
            self.calls.extend(step.work.into_iter().map(|work| Call {
                work,
                failed: false,
            }));
        }
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
