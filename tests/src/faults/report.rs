//! What a campaign saw, for people.

use std::fmt::{self, Write as _};
use std::path::Path;
use std::sync::PoisonError;
use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::play::Stage;
use super::village::Known;
use super::{Campaign, Played};

/// Within how long a node's places are taken over, mostly: three seconds of silence, and what opening a
/// log takes on a machine with much to do.
const PROMISED: Duration = Duration::from_secs(8);

/// Fewer take-overs than these tell nothing about how long they take.
const FEW: usize = 5;

/// What a campaign saw.
#[derive(Debug)]
pub struct Report {
    campaign: Campaign,
    /// The faults that were played, by kind.
    kinds: Vec<(String, usize)>,
    /// How many faults were played.
    pub faults: usize,
    tools: usize,
    /// How many effects the tools were told, each counted once.
    pub effects: usize,
    repeats: usize,
    late_repeats: usize,
    versions: usize,
    older: usize,
    /// How long places were without a node where nothing else was wrong, shortest first.
    pub taken_over: Vec<Duration>,
    healed: Duration,
    mute: Option<Duration>,
    took: Duration,
    /// What must not be.
    pub broken: Vec<String>,
}

pub(super) fn of(campaign: &Campaign, stage: &Stage, played: &Played, took: Duration) -> Report {
    let times = stage.times.lock().unwrap_or_else(PoisonError::into_inner);
    let mut kinds: Vec<_> = times
        .iter()
        .map(|(kind, times)| (kind.to_string(), *times))
        .collect();
    if played.mute.is_some() {
        kinds.push(("older backup restored".to_owned(), 1));
    }
    let taken_over = stage.taken_over.lock();
    let mut taken_over = taken_over.unwrap_or_else(PoisonError::into_inner).clone();
    taken_over.sort_unstable();
    let verdict = &played.verdict;
    let mut broken = verdict.broken.clone();
    if let Some(middle) = middle(&taken_over)
        && middle > PROMISED
    {
        broken.push(format!("half of the take-overs took {middle:.1?} and more"));
    }
    Report {
        campaign: *campaign,
        faults: kinds.iter().map(|(_, times)| times).sum(),
        kinds,
        tools: played.tools,
        effects: verdict.effects,
        repeats: verdict.repeats,
        late_repeats: verdict.late_repeats,
        versions: verdict.versions,
        older: verdict.older,
        taken_over,
        healed: played.healed,
        mute: played.mute,
        took,
        broken,
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Campaign { seed, .. } = self.campaign;
        writeln!(
            f,
            "{} faults in {:.0?}, seed {seed}",
            self.faults, self.took
        )?;
        for (kind, times) in &self.kinds {
            writeln!(f, "  {kind:<22} {times:>4}")?;
        }
        writeln!(
            f,
            "  tools slow, silent after the deed or refusing: {} times",
            self.tools
        )?;
        writeln!(
            f,
            "class 2, webhooks: {} effects; {} came again under their id, {} of them after a newer one",
            self.effects, self.repeats, self.late_repeats
        )?;
        writeln!(
            f,
            "class 1, sites: {} versions seen, {} times an older one after a newer one",
            self.versions, self.older
        )?;
        if let Some((middle, longest)) = middle(&self.taken_over).zip(self.taken_over.last()) {
            let count = self.taken_over.len();
            writeln!(
                f,
                "taken over {count} times: half within {middle:.1?}, all within {longest:.1?}"
            )?;
        }
        writeln!(f, "all told {:.1?} after the last fault", self.healed)?;
        if let Some(mute) = self.mute {
            writeln!(
                f,
                "all places mute {mute:.1?} after an older backup was put back"
            )?;
        }
        for broken in &self.broken {
            writeln!(f, "BROKEN {broken}")?;
        }
        Ok(())
    }
}

/// The one in the middle; none where there are too few to say.
fn middle(sorted: &[Duration]) -> Option<Duration> {
    let middle = sorted.get(sorted.len() / 2)?;
    (sorted.len() >= FEW).then_some(*middle)
}

/// Keeps what somebody needs to find out why: histories as lines of JSON, and the faults.
pub(super) fn keep(folder: &Path, stage: &Stage, known: &[Known]) -> Result<()> {
    std::fs::write(folder.join("faults.txt"), stage.diary().join("\n"))?;
    for place in known {
        let mut text = String::new();
        for taken in &place.history {
            let at = stage.since(taken.at).as_secs_f64();
            let body = String::from_utf8_lossy(&taken.body);
            writeln!(
                text,
                "{}",
                json!({ "at": at, "id": taken.id, "body": body })
            )?;
        }
        std::fs::write(folder.join(format!("{}.history", place.place)), text)?;
    }
    Ok(())
}
