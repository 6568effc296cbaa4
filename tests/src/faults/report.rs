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
    kinds.push(("older backup restored".to_owned(), 1));
    let taken_over = stage.taken_over.lock();
    let mut taken_over = taken_over.unwrap_or_else(PoisonError::into_inner).clone();
    taken_over.sort_unstable();
    let verdict = &played.verdict;
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
        took,
        broken: verdict.broken.clone(),
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
        if let (Some(longest), middle) = (self.taken_over.last(), self.taken_over.len() / 2) {
            let middle = self.taken_over[middle];
            let count = self.taken_over.len();
            writeln!(
                f,
                "taken over {count} times: half within {middle:.1?}, all within {longest:.1?}"
            )?;
        }
        writeln!(f, "all told {:.1?} after the last fault", self.healed)?;
        for broken in &self.broken {
            writeln!(f, "BROKEN {broken}")?;
        }
        Ok(())
    }
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
