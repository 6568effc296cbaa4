//! Prints how well lines keep their identity: the engine beside simpler methods, by kind of edit
//! and of place, on what thresholds were chosen on and on what they were not.

#![allow(clippy::print_stdout, reason = "a report for whoever runs the measure")]

use std::process::ExitCode;

use clap::Parser;
use raccord_identity_lab::report::{Report, measure};

/// Measures the identity of lines on invented histories.
#[derive(Parser)]
struct Args {
    /// How many histories.
    #[arg(long, default_value_t = 1_000)]
    histories: u64,
    /// The seed of the first.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// How many threads play.
    #[arg(long, default_value_t = 2)]
    threads: u64,
    /// Leave the simpler methods out.
    #[arg(long)]
    alone: bool,
    /// Tell what went wrong, at most so many times.
    #[arg(long, default_value_t = 0)]
    tell: usize,
    /// Tell only what begins with these words.
    #[arg(long, default_value = "")]
    about: String,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let report: Report = measure(args.from, args.histories, args.threads, !args.alone);
    print!("{}", report.tables());
    let told = report
        .notes
        .iter()
        .filter(|note| note.contains(&args.about));
    for note in told.take(args.tell) {
        println!("{note}");
    }
    if report.holds() {
        println!("The targets hold.");
        ExitCode::SUCCESS
    } else {
        println!("The targets do not hold.");
        ExitCode::FAILURE
    }
}
