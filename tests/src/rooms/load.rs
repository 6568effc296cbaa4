//! What many messages cost: memory while they wait for a chat that is out of reach, and how fast they
//! are said once it is back.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use jiff::Timestamp;

use super::Kind;
use super::torture::config;
use crate::cost::Cost;
use crate::place::{DECEMBER, Place};
use crate::process::Process;
use crate::sheet::Sheet;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// What was measured.
#[derive(Debug)]
pub struct Load {
    /// Messages that waited.
    pub queued: usize,
    /// Memory with nothing to say, in MB.
    pub idle: f64,
    /// With all of them waiting, once they were accepted.
    pub waiting: f64,
    /// The most there ever was.
    pub peak: f64,
    /// Messages that were then said, and how long that took.
    pub said: usize,
    /// See there.
    pub took: Duration,
    /// CPU the program used meanwhile, in seconds.
    pub cpu: f64,
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per_second = self.said as f64 / self.took.as_secs_f64();
        let each = self.cpu * 1_000.0 / self.said as f64;
        writeln!(
            f,
            "{} queued: {:.1} MB resident ({:.1} MB with nothing to say), peak {:.1} MB",
            self.queued, self.waiting, self.idle, self.peak
        )?;
        writeln!(
            f,
            "{} said: {per_second:.1} a second, {each:.1} ms of CPU each",
            self.said
        )
    }
}

/// Measures it: at least `queued` messages wait, `said` of them are said.
///
/// # Errors
/// When the program does not do what it should.
pub fn load(kind: Kind, queued: usize, said: usize) -> Result<Load> {
    let now: Timestamp = DECEMBER.parse()?;
    let mut chat = kind.open(now)?;
    let settings = config(&*chat).replace("change_count = 1000", "change_count = 1000000");
    let place = Place::new(&settings)?;
    place.save("programme.csv", Sheet::new(1, 1).csv().as_bytes())?;
    let daemon = Process::of(place.start()?);
    let cost = Cost(daemon.id());
    until("the first message", || Ok(!chat.standing()?.is_empty()))?;
    std::thread::park_timeout(Duration::from_secs(2));
    let idle = cost.resident()?;

    chat.cut_off(true);
    // One in four is not for everybody.
    let lines = queued * 4 / 3 + 4;
    let sheet = Sheet::new(lines, lines);
    place.save("programme.csv", sheet.csv().as_bytes())?;
    until("the lines", || Ok(place.events()?.len() >= lines))?;
    std::thread::park_timeout(Duration::from_secs(3));
    let (waiting, peak) = (cost.resident()?, cost.peak()?);

    chat.cut_off(false);
    let before = chat.standing()?.len();
    until("the chat", || Ok(chat.standing()?.len() > before))?;
    let (from, began, cpu) = (chat.standing()?.len(), Instant::now(), cost.cpu()?);
    until("the messages", || Ok(chat.standing()?.len() >= from + said))?;
    let result = Load {
        queued: sheet.public_titles().len() - before,
        idle,
        waiting,
        peak,
        said,
        took: began.elapsed(),
        cpu: cost.cpu()? - cpu,
    };
    drop(daemon);
    Ok(result)
}

fn until(what: &str, so: impl Fn() -> Result<bool>) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    while !so()? {
        ensure!(Instant::now() < until, "{what} did not come");
        std::thread::park_timeout(Duration::from_millis(50));
    }
    Ok(())
}
