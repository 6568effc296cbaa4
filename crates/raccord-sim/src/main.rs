//! The simulation from the command line: campaigns, exhaustive exploration, planted faults.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a report for whoever runs the campaign"
)]

mod clustered;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use raccord_sim::coverage::Coverage;
use raccord_sim::explore::explore;
use raccord_sim::laws::play;
use raccord_sim::story::{shrink, story};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Plays the engine against simulated tools.
#[derive(Parser)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
struct Args {
    /// How many seeds to play.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Stop after so many minutes, whatever the number of seeds.
    #[arg(long)]
    minutes: Option<f64>,
    /// Print how often each state and transition was reached.
    #[arg(long)]
    report: bool,
    /// Fail when a state or transition was reached less often than this.
    #[arg(long, default_value_t = 0)]
    least: u64,
    /// Print what happens in the shortest story that breaks a law.
    #[arg(long)]
    tell: bool,
    /// Explore small worlds exhaustively instead.
    #[arg(long)]
    exhaustive: bool,
    /// Plant each fault in turn, and say how soon it is found.
    #[arg(long)]
    faults: bool,
    /// Plant only the faults whose description contains these words.
    #[arg(long, default_value = "")]
    about: String,
    /// Play a cluster instead: several machines, and a model of JetStream.
    #[arg(long)]
    cluster: bool,
    /// How many threads play.
    #[arg(long, default_value_t = 2)]
    threads: u64,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let started = Instant::now();
    let time = args
        .minutes
        .map(|minutes| Duration::from_secs_f64(minutes * 60.0));
    if args.exhaustive {
        let found = explore(time.unwrap_or(Duration::from_mins(10)), started);
        println!(
            "{} states, {} steps, every way of {} acts",
            found.states, found.steps, found.depth
        );
        if let Some((way, law)) = found.broken {
            println!("broken: {law}\n{way:?}");
            return ExitCode::FAILURE;
        }
        return ExitCode::SUCCESS;
    }
    if args.faults {
        let time = time.unwrap_or(Duration::from_mins(5));
        if args.cluster {
            return clustered::faults(&args, time);
        }
        return faults::all(time, &args.about, args.threads.max(1));
    }
    if args.cluster {
        return clustered::campaign(&args, started, time);
    }
    campaign(&args, started, time)
}

fn campaign(args: &Args, started: Instant, time: Option<Duration>) -> ExitCode {
    let threads = args.threads.max(1);
    let one = |thread: u64| {
        let mut coverage = Coverage::default();
        let mut played = 0;
        let mut seed = args.from + thread;
        while seed < args.from + args.seeds && time.is_none_or(|time| started.elapsed() < time) {
            let acts = story(seed);
            let sim = play(&acts, None);
            coverage.add(&sim.coverage);
            played += 1;
            if let Some(broken) = sim.broken {
                return (coverage, played, Some((seed, acts, broken.0)));
            }
            if seed.is_multiple_of(16) && play(&acts, None).trace != sim.trace {
                return (
                    coverage,
                    played,
                    Some((seed, acts, "same seed, another run".into())),
                );
            }
            seed += threads;
        }
        (coverage, played, None)
    };
    let results: Vec<_> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || one(thread)))
            .collect();
        handles
            .into_iter()
            .map(|handle| handle.join().expect("no story panics"))
            .collect()
    });
    let mut coverage = Coverage::default();
    let (mut played, mut broken) = (0, None);
    for (one, count, failure) in results {
        coverage.add(&one);
        played += count;
        broken = broken.or(failure);
    }
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{played} stories in {seconds:.1} s ({:.0}/s)",
        f64::from(played) / seconds
    );
    if args.report {
        for (what, count) in &coverage.counts {
            println!("{count:>12}  {what}");
        }
    }
    let rare = coverage.rarer_than(args.least);
    for (what, count) in &rare {
        println!("too rare: {what}, {count} times instead of {}", args.least);
    }
    let Some((seed, acts, law)) = broken else {
        return if rare.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        };
    };
    println!("seed {seed} breaks a law: {law}");
    let short = shrink(&acts, None);
    let law = play(&short, None).broken;
    println!("{} acts: {law:?}\n{short:?}", short.len());
    if args.tell {
        for line in raccord_sim::laws::tell(&short, None) {
            println!("{line}");
        }
    }
    ExitCode::FAILURE
}

#[cfg(not(raccord_faults))]
mod faults {
    use std::process::ExitCode;
    use std::time::Duration;

    pub(super) fn all(_: Duration, _: &str, _: u64) -> ExitCode {
        eprintln!("build with RUSTFLAGS=\"--cfg raccord_faults\" to plant faults");
        ExitCode::FAILURE
    }
}

#[cfg(raccord_faults)]
mod faults {
    use std::process::ExitCode;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::{Duration, Instant};

    use raccord_engine::faults::{Fault, plant};
    use raccord_sim::laws::play;
    use raccord_sim::sim::ShellFault;
    use raccord_sim::story::story;

    /// Who broke a law under a planted fault: the seed, after how many seconds, which law.
    type Caught = (u64, f64, String);

    /// Plays seed after seed on every thread, until the planted fault breaks a law on one.
    fn hunt(
        fault: Option<Fault>,
        shell: Option<ShellFault>,
        time: Duration,
        threads: u64,
    ) -> Option<Caught> {
        let started = Instant::now();
        let caught = Mutex::new(None);
        let next = AtomicU64::new(0);
        let over = || started.elapsed() > time || caught.lock().is_ok_and(|it| it.is_some());
        let one = || {
            while !over() {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if let Some(law) = broken_by(fault, shell, seed) {
                    let seconds = started.elapsed().as_secs_f64();
                    caught
                        .lock()
                        .expect("no story panics")
                        .get_or_insert((seed, seconds, law));
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(one);
            }
        });
        caught.into_inner().expect("no story panics")
    }

    /// The law that breaks in the story of `seed` with the fault, and not without it.
    fn broken_by(fault: Option<Fault>, shell: Option<ShellFault>, seed: u64) -> Option<String> {
        let acts = story(seed);
        plant(fault);
        let broken = play(&acts, shell).broken;
        plant(None);
        let broken = broken?;
        if play(&acts, None).broken.is_some() {
            // A story that breaks a law by itself proves nothing about the fault.
            println!("seed {seed} breaks a law without any fault");
            return None;
        }
        Some(broken.0)
    }

    pub(super) fn all(time: Duration, about: &str, threads: u64) -> ExitCode {
        let engine = Fault::ALL
            .iter()
            .map(|&(fault, text)| (Some(fault), None, text));
        let shell = [
            (
                None,
                Some(ShellFault::AckBeforeCommit),
                "a post is confirmed before its commit is durable",
            ),
            (
                None,
                Some(ShellFault::WorkBeforeCommit),
                "work leaves before its commit is durable",
            ),
            (
                None,
                Some(ShellFault::ForgetTail),
                "the newest commit is not folded after a crash",
            ),
        ];
        let (mut missed, mut count) = (0, 0);
        let named = engine
            .chain(shell)
            .filter(|(.., text)| text.contains(about));
        for (fault, shell, text) in named {
            count += 1;
            match hunt(fault, shell, time, threads) {
                Some((seed, seconds, law)) => {
                    let law: String = law.chars().take(90).collect();
                    println!(
                        "found   {:>5} seeds {seconds:>7.2} s  {text}: {law}",
                        seed + 1
                    );
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
}
