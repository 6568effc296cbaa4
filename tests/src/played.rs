//! A place that keeps a tool up to date which is played in this process: passes, hours, and kills.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use jiff::SignedDuration;
use raccord_kit::standin::{Play, Seen, Standin};
use raccord_kit::{Clock as _, ManualClock};
use serde_json::Value;

use crate::place::Place;

/// The hour at which it begins.
const BEGIN: &str = "2027-01-02T08:00:00Z";
/// How long a life of the program has to do what it is killed for.
const PATIENCE: Duration = Duration::from_secs(3);

/// A tool that is played, and the place that writes to it.
pub struct Played<S> {
    /// What the program reaches.
    pub standin: Standin,
    /// The tool.
    pub server: S,
    /// The place.
    pub place: Place,
    clock: Arc<ManualClock>,
    answer: fn(&S, &Seen) -> Play,
}

impl<S: Clone + Send + Sync + 'static> Played<S> {
    /// A tool made with a clock, which answers like this, and a place with these settings; they are told
    /// the address of the tool.
    ///
    /// # Errors
    /// When the place cannot be written.
    pub async fn open(
        make: impl FnOnce(Arc<ManualClock>) -> S,
        answer: fn(&S, &Seen) -> Play,
        tool: impl FnOnce(&str) -> String,
    ) -> Result<Self> {
        let clock = Arc::new(ManualClock::at(BEGIN.parse()?));
        let server = make(Arc::clone(&clock));
        let standin = Standin::start().await;
        let config = format!(
            "[place]\nid = \"raffinerie\"\nname = \"La Raffinerie\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\n\
             [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"programme.csv\"\n\
             [guards]\nchange_count = 1000\n{}",
            tool(&standin.url("/"))
        );
        let played = Self {
            standin,
            server,
            place: Place::new(&config)?.at(BEGIN),
            clock,
            answer,
        };
        played.answers_at_once();
        Ok(played)
    }

    /// Every answer to what `makes` something takes its time, so that a kill meets one under way.
    pub fn answers_slowly(&self, makes: fn(&Seen) -> bool) {
        let (server, answer) = (self.server.clone(), self.answer);
        self.standin
            .direct(move |seen| match answer(&server, seen) {
                Play::Answer(reply) if makes(seen) => Play::Drip(reply, Duration::from_millis(1)),
                other => other,
            });
    }

    /// It answers as soon as it can.
    pub fn answers_at_once(&self) {
        let (server, answer) = (self.server.clone(), self.answer);
        self.standin.direct(move |seen| answer(&server, seen));
    }

    /// So many hours later, for the tool and for the program.
    pub fn later(&mut self, hours: i64) {
        self.clock.advance(SignedDuration::from_hours(hours));
        self.place.is_at(&self.clock.now().to_string());
    }

    /// Runs a command.
    ///
    /// # Errors
    /// When it fails, or answers with no object.
    pub fn run(&self, arguments: &[&str]) -> Result<Value> {
        let answer = tokio::task::block_in_place(|| self.place.run(arguments))?;
        ensure!(answer.code <= 3 && answer.json.is_object(), "{answer:?}");
        Ok(answer.json)
    }

    /// Starts the daemon, and kills it so long after it did `enough`.
    ///
    /// # Errors
    /// When it does not start.
    pub fn kill_after(&self, enough: impl Fn() -> bool, wait: Duration) -> Result<()> {
        tokio::task::block_in_place(|| {
            let mut running = self.place.start()?;
            let until = Instant::now() + PATIENCE;
            while !enough() && Instant::now() < until {
                std::thread::park_timeout(Duration::from_millis(10));
            }
            std::thread::park_timeout(wait);
            running.kill()?;
            running.wait()?;
            Ok(())
        })
    }

    /// Lets it do what it still owes, which is then nothing, and nobody is asked anything.
    ///
    /// # Errors
    /// When something is left.
    pub fn comes_to_rest(&mut self) -> Result<()> {
        self.answers_at_once();
        for _ in 0..3 {
            self.later(1);
            self.run(&["sync"])?;
        }
        self.later(1);
        let last = self.run(&["sync"])?;
        ensure!(last["done"] == 0, "it still does something: {last}");
        ensure!(last["holds"] == serde_json::json!([]), "it asks: {last}");
        Ok(())
    }
}

/// How many there are, each by another name.
///
/// # Panics
/// When two have the same.
pub fn each_once(names: &[String]) -> usize {
    let different: BTreeSet<&String> = names.iter().collect();
    assert_eq!(names.len(), different.len(), "{names:?}");
    names.len()
}
