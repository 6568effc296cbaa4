//! The cluster's stories from the command line.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use raccord_sim::cluster::play;
use raccord_sim::cluster::story::{Story, shrink, story};

use crate::Args;

/// What one thread played.
#[derive(Default)]
struct Tally {
    played: u64,
    seconds: u64,
    counts: BTreeMap<&'static str, u64>,
    broken: Option<(u64, Story, String)>,
}

/// Plays seed after seed.
pub(crate) fn campaign(args: &Args, started: Instant, time: Option<Duration>) -> ExitCode {
    let threads = args.threads.max(1);
    let tallies: Vec<Tally> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || tally(args, started, time, thread)))
            .collect();
        let joined = handles.into_iter();
        joined
            .map(|handle| handle.join().expect("no story panics"))
            .collect()
    });
    let mut all = Tally::default();
    for one in tallies {
        all.played += one.played;
        all.seconds += one.seconds;
        for (what, count) in one.counts {
            *all.counts.entry(what).or_default() += count;
        }
        all.broken = all.broken.or(one.broken);
    }
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{} schedules in {seconds:.1} s ({:.0}/s), {} h of the cluster's own time",
        all.played,
        all.played as f64 / seconds,
        all.seconds / 3600,
    );
    if args.report {
        for (what, count) in &all.counts {
            println!("{count:>12}  {what}");
        }
    }
    let Some((seed, story, law)) = all.broken else {
        return ExitCode::SUCCESS;
    };
    println!("seed {seed} breaks a law: {law}");
    let short = shrink(&story, None);
    let played = play(&short, None, args.tell);
    println!(
        "{} acts: {:?}\n{:?}\n{:?}",
        short.acts.len(),
        played.broken,
        short.weather,
        short.acts
    );
    for line in played.told {
        println!("{line}");
    }
    ExitCode::FAILURE
}

fn tally(args: &Args, started: Instant, time: Option<Duration>, thread: u64) -> Tally {
    let mut tally = Tally::default();
    let mut seed = args.from + thread;
    while seed < args.from + args.seeds && time.is_none_or(|time| started.elapsed() < time) {
        let story = story(seed);
        let played = play(&story, None, false);
        tally.played += 1;
        tally.seconds += played.seconds;
        for (what, count) in played.counts {
            *tally.counts.entry(what).or_default() += count;
        }
        let again = || play(&story, None, false).trace;
        let law = if seed.is_multiple_of(64) && again() != played.trace {
            Some("same seed, another run".to_owned())
        } else {
            played.broken
        };
        if let Some(law) = law {
            tally.broken = Some((seed, story, law));
            return tally;
        }
        seed += args.threads.max(1);
    }
    tally
}

#[cfg(not(raccord_faults))]
pub(crate) fn faults(_: &Args, _: Duration) -> ExitCode {
    eprintln!("build with RUSTFLAGS=\"--cfg raccord_faults\" to plant faults");
    ExitCode::FAILURE
}

/// Plants each fault in turn, and says how soon it is found.
#[cfg(raccord_faults)]
pub(crate) fn faults(args: &Args, time: Duration) -> ExitCode {
    use raccord_bus::faults::Fault;
    use raccord_sim::cluster::ShellFault;

    let log = Fault::ALL
        .iter()
        .map(|&(fault, text)| (Some(fault), None, text));
    let shell = [(
        None,
        Some(ShellFault::ActBeforeAccepted),
        "a post is confirmed before the log has accepted its commit",
    )];
    let (mut missed, mut count) = (0, 0);
    let named = log
        .chain(shell)
        .filter(|(.., text)| text.contains(&args.about));
    for (fault, shell, text) in named {
        count += 1;
        match hunt(fault, shell, args, time) {
            Some((seeds, seconds, law)) => {
                println!("found   {seeds:>5} seeds {seconds:>7.2} s  {text}: {law:.90}");
            }
            None => {
                missed += 1;
                println!("MISSED  {text}");
            }
        }
    }
    println!("{} of {count} faults found", count - missed);
    if missed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Plays seed after seed with a fault until it breaks a law that holds without it: after how many
/// seeds, how many seconds, which law.
#[cfg(raccord_faults)]
fn hunt(
    fault: Option<raccord_bus::faults::Fault>,
    shell: Option<raccord_sim::cluster::ShellFault>,
    args: &Args,
    time: Duration,
) -> Option<(u64, f64, String)> {
    use raccord_bus::faults::plant;

    let started = Instant::now();
    let mut seed = args.from;
    while started.elapsed() < time {
        let story = story(seed);
        plant(fault);
        let broken = play(&story, shell, false).broken;
        plant(None);
        seed += 1;
        if let Some(law) = broken
            && play(&story, None, false).broken.is_none()
        {
            return Some((seed - args.from, started.elapsed().as_secs_f64(), law));
        }
    }
    None
}
