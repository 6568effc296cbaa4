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
