//! A cluster on which something is wrong all the time, while people edit and tools are told.
//!
//! Three servers, three nodes that share six places, every way between them led through our hands.
//! Faults are drawn from a seed; what happens between them is up to real processes. At the end all is
//! healed, and the histories that the tools kept are held against what the sheets say: nothing of the
//! program itself is asked.

mod check;
mod nodes;
mod plan;
mod play;
mod report;
mod servers;
mod site;
mod village;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use raccord_bus::jetstream::servers::Version;

use crate::sheet::Dice;
use check::{Verdict, judge};
use nodes::{NODES, Node, Shared, wait_until};
use play::Stage;
pub use report::Report;
use servers::{Servers, THREE};
use village::Village;

/// The places.
const PLACES: [&str; 6] = ["atelier", "cafe", "fournil", "halle", "jardin", "verger"];

/// How long everything may take to be told once all is healed.
const HEALING: Duration = Duration::from_secs(120);

/// A campaign.
#[derive(Clone, Copy, Debug)]
pub struct Campaign {
    /// How many faults; the last is a restore of all streams from an older backup.
    pub faults: usize,
    /// What they are drawn from.
    pub seed: u64,
    /// Whether the servers begin as the oldest version a cluster may have, and are upgraded one by one.
    pub upgrade: bool,
}

/// Runs a campaign.
///
/// # Errors
/// What was lost, doubled, out of order or not told, with the seed, the faults and where the logs and
/// histories are kept.
pub fn run(campaign: &Campaign) -> Result<Report> {
    let began = Instant::now();
    let folder = tempfile::Builder::new()
        .prefix("raccord-faults-")
        .tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let village = Village::new(folder.path())?;
    let version = if campaign.upgrade {
        Version::Oldest
    } else {
        Version::Present
    };
    let servers = Servers::new(folder.path(), version, runtime.handle())?;
    let node = |(at, name): (usize, &&'static str)| {
        let shared = Shared {
            folder: folder.path(),
            receivers: village.receivers(),
            servers: servers.urls(at),
        };
        Node::new(name, &shared)
    };
    let nodes = NODES.iter().enumerate().map(node).collect::<Result<_>>()?;
    let stage = Stage::new(servers, nodes);
    let played = play(campaign, &stage, &village, folder.path());
    let report = played.map(|played| report::of(campaign, &stage, &played, began.elapsed()));
    match report {
        Ok(report) if report.broken.is_empty() => Ok(report),
        other => {
            let kept = folder.keep();
            report::keep(&kept, &stage, &village.known())?;
            let seen = match other {
                Ok(report) => report.to_string(),
                Err(error) => format!("{error:#}"),
            };
            let diary = stage.diary().join("\n");
            anyhow::bail!(
                "{campaign:?}:\n{diary}\n{seen}\nlogs and histories: {}",
                kept.display()
            )
        }
    }
}

/// What a campaign came to.
struct Played {
    verdict: Verdict,
    /// How often a tool was slow, silent or refusing.
    tools: usize,
    /// How long everything took to be told after the last fault.
    healed: Duration,
    /// How long after the streams were put back every place was mute; none where that was not tried.
    mute: Option<Duration>,
}

fn play(campaign: &Campaign, stage: &Stage, village: &Village, folder: &Path) -> Result<Played> {
    let mut dice = Dice(campaign.seed);
    let backup = folder.join("backup");
    begin(stage, village, &backup)?;
    let upgrades = if campaign.upgrade {
        plan::rolling(&mut dice)
    } else {
        Vec::new()
    };
    let mut groups = plan::plan(
        campaign.faults.saturating_sub(1 + upgrades.len()),
        &mut dice,
    );
    let middle = groups.len() / 3;
    groups.splice(middle..middle, upgrades);
    let (edits, posts, tools) = (
        dice.below(1 << 30),
        dice.below(1 << 30),
        dice.below(1 << 30),
    );
    let (tools, healed) = std::thread::scope(|scope| {
        // Also where something here panics: the threads are waited for.
        let _end = village.ends_with_this();
        let visits = scope.spawn(|| village.visits());
        let edits = scope.spawn(move || village.edits(Dice(edits)));
        let posts = scope.spawn(|| village.posts(&stage.nodes, Dice(posts)));
        let tools = scope.spawn(move || village.misbehaves(Dice(tools)));
        let played = groups.iter().try_for_each(|group| {
            stage.play(group)?;
            pause(Duration::from_millis(500 + dice.below(1_000)));
            nobody_ended(stage)
        });
        village.rest();
        let ended = "a thread of the village ended well";
        let people = played
            .and_then(|()| edits.join().expect(ended))
            .and_then(|()| posts.join().expect(ended));
        let tools = tools.join().expect(ended);
        let healed = people.map(|()| heal(stage, village));
        village.end();
        visits.join().expect(ended)?;
        healed.map(|healed| (tools, healed))
    })?;
    let mut verdict = judge(&village.known());
    let printed = folder.join("printed/programme-2027-01.pdf");
    if let Err(error) = crate::torture::check_pdf(&printed) {
        verdict.broken.push(format!("{error:#}"));
    }
    let mute = match verdict.broken.as_slice() {
        [] => Some(restore(stage, village, &backup, &mut dice)?),
        _ => None,
    };
    Ok(Played {
        verdict,
        tools,
        healed,
        mute,
    })
}

/// Starts everything, and takes the backup that is put back at the end.
fn begin(stage: &Stage, village: &Village, backup: &Path) -> Result<()> {
    for at in 0..THREE {
        stage.servers.start(at)?;
    }
    stage.nodes.iter().try_for_each(Node::start)?;
    let first = wait_until(HEALING, || village.told() >= 6 * PLACES.len());
    ensure!(
        first.is_some(),
        "the first lines were not told: {}",
        village.told()
    );
    ensure!(stage.is_whole(HEALING), "the nodes do not share the places");
    stage.servers.back_up(backup)?;
    stage.notes("everything is at work");
    Ok(())
}

fn nobody_ended(stage: &Stage) -> Result<()> {
    for (node, name) in stage.nodes.iter().zip(NODES) {
        if let Some(status) = node.ended()? {
            anyhow::bail!("{name} ended by itself: {status}");
        }
    }
    Ok(())
}

/// Waits until the tools know everything, and then whether they are told anything more.
fn heal(stage: &Stage, village: &Village) -> Duration {
    stage.notes("everything is healed");
    let began = Instant::now();
    // Looking costs the machine what the nodes could use.
    let all = || {
        pause(Duration::from_millis(500));
        judge(&village.known()).broken.is_empty()
    };
    let healed = wait_until(HEALING, all);
    stage.notes(&format!("everything was told: {healed:?}"));
    pause(Duration::from_secs(3));
    healed.unwrap_or_else(|| began.elapsed())
}

/// Puts all streams back to an earlier moment, under nodes at work: whoever opens a log then, what one
/// of the machines has read tells. Each place says so, and tells its tools nothing.
fn restore(stage: &Stage, village: &Village, backup: &Path, dice: &mut Dice) -> Result<Duration> {
    ensure!(stage.is_whole(HEALING), "the nodes do not share the places");
    // What was just taken may be told again under its id.
    pause(Duration::from_secs(1));
    stage.notes("the streams are put back to an older backup");
    let before = village.told();
    let began = Instant::now();
    stage.servers.restore(backup)?;
    // A place that rests sees it when it has something to write, or is opened again.
    for at in 0..PLACES.len() {
        village.edit(at, dice)?;
    }
    let mut mute = BTreeSet::new();
    let all = wait_until(HEALING, || {
        let held = stage.nodes.iter().filter_map(Node::holds);
        mute = held.flat_map(|(_, mute)| mute).collect();
        mute.len() == PLACES.len()
    });
    ensure!(all.is_some(), "only {mute:?} are mute");
    let seen = began.elapsed();
    stage.notes(&format!("all places are mute after {seen:?}"));
    for at in 0..PLACES.len() {
        village.edit(at, dice)?;
    }
    pause(Duration::from_secs(3));
    let told = village.told() - before;
    ensure!(
        told == 0,
        "{told} bodies were sent from a log that went back"
    );
    Ok(seen)
}

/// Waits.
fn pause(time: Duration) {
    let until = Instant::now() + time;
    while let Some(left) = until.checked_duration_since(Instant::now()) {
        std::thread::park_timeout(left);
    }
}
