//! Steps, one after the other, and the table of how long each took.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::suite::Tally;

/// One thing to do.
pub(crate) struct Step {
    /// What the table calls it.
    pub(crate) name: &'static str,
    /// What is done.
    pub(crate) work: Work,
}

/// How a step is done.
pub(crate) enum Work {
    /// By a function of this program.
    Here(fn() -> Result<()>),
    /// By `cargo` with these arguments and this environment.
    Cargo(
        &'static [&'static str],
        &'static [(&'static str, &'static str)],
    ),
    /// The tests of all crates; what passed and failed is counted.
    Tests,
    /// By a program of the machine.
    Program(&'static str, &'static [&'static str]),
}

/// What became of a step.
pub(crate) struct Line {
    name: &'static str,
    took: Duration,
    tests: Tally,
    fault: Option<String>,
}

/// Runs all steps, also after a failed one, so that one run tells everything.
pub(crate) fn run_all<'a>(steps: impl Iterator<Item = &'a Step>) -> Vec<Line> {
    steps
        .map(|step| {
            println!("\n== {}", step.name);
            let start = Instant::now();
            let mut tests = Tally::default();
            let fault = run(&step.work, &mut tests)
                .err()
                .map(|error| format!("{error:#}"));
            if let Some(fault) = &fault {
                println!("== {}: {fault}", step.name);
            }
            Line {
                name: step.name,
                took: start.elapsed(),
                tests,
                fault,
            }
        })
        .collect()
}

/// Prints the table and, as last line, how many tests passed; fails when a step did.
pub(crate) fn report(lines: &[Line]) -> Result<()> {
    println!("\n{:<28} {:>9}  result", "step", "seconds");
    let mut tests = Tally::default();
    for line in lines {
        let result = if line.fault.is_some() { "FAILED" } else { "ok" };
        let took = line.took.as_secs_f64();
        println!("{:<28} {took:>9.1}  {result}", line.name);
        tests.passed += line.tests.passed;
        tests.failed += line.tests.failed;
    }
    if tests.passed + tests.failed > 0 {
        println!("\n{} passed, {} failed", tests.passed, tests.failed);
    }
    let failed: Vec<&str> = lines
        .iter()
        .filter(|line| line.fault.is_some())
        .map(|line| line.name)
        .collect();
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}

fn run(work: &Work, tests: &mut Tally) -> Result<()> {
    match *work {
        Work::Here(function) => function(),
        Work::Cargo(args, environment) => {
            let mut command = crate::workspace::cargo();
            command.args(args).envs(environment.iter().copied());
            status(command)
        }
        Work::Tests => crate::suite::run(tests),
        Work::Program(program, args) => {
            let mut command = Command::new(program);
            command.args(args).current_dir(crate::workspace::root());
            status(command)
        }
    }
}

/// Runs a command and fails when it does, naming it.
pub(crate) fn status(mut command: Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command
        .status()
        .with_context(|| format!("cannot start {name}"))?;
    ensure!(status.success(), "{name} ended with {status}");
    Ok(())
}
