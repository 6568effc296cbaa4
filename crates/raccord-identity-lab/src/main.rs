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
    /// Print the history of one seed instead: every save, every line, and which activity it is.
    #[arg(long)]
    show: Option<u64>,
    /// Tell only what contains these words.
    #[arg(long, default_value = "")]
    about: String,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(seed) = args.show {
        print!("{}", raccord_identity_lab::history::told(seed));
        return ExitCode::SUCCESS;
    }
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
