//! The tests of all crates: built once, then several of their programs at a time, for many of them
//! wait for a server or a clock and not for the processor.

use std::collections::{BTreeSet, VecDeque};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::watched;

/// How many programs run at once. Each runs as many tests at once as there are processors.
const LANES: usize = 3;

/// How long a program may take: five times what the longest one takes on two processors. One that is
/// stuck is then known by its name, instead of the whole run ending without a word.
const LIMIT: Duration = Duration::from_mins(15);

/// The package whose programs take longest begins, so that nothing long is left for the end.
const FIRST: &str = "/tests/Cargo.toml";

/// Tests that passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

/// A program of tests that was built.
struct Program {
    name: String,
    path: PathBuf,
    /// Where cargo would run it.
    folder: PathBuf,
}

/// What running programs came to.
#[derive(Default)]
struct Outcome {
    tally: Tally,
    /// Those that did not end well.
    failed: Vec<String>,
}

/// Builds and runs every test of the workspace, also after one failed, and prints what they print.
pub(crate) fn run(tally: &mut Tally) -> Result<()> {
    let programs = build()?;
    ensure!(!programs.is_empty(), "cargo built no test");
    let mut outcome = run_programs(programs);
    run_examples(&mut outcome)?;
    *tally = outcome.tally;
    ensure!(tally.passed > 0, "no test ran");
    ensure!(
        outcome.failed.is_empty(),
        "failed: {}",
        outcome.failed.join(", ")
    );
    Ok(())
}

/// Builds the programs, in the order in which they are to run.
fn build() -> Result<VecDeque<Program>> {
    let mut child = crate::workspace::cargo()
        .args(["test", "--locked", "--workspace", "--no-run"])
        .arg("--message-format=json-render-diagnostics")
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start cargo test")?;
    let stdout = child.stdout.take().context("cargo test has an output")?;
    let mut programs = VecDeque::new();
    for line in BufReader::new(stdout).lines() {
        let Some((program, first)) = built(&line?) else {
            continue;
        };
        if first {
            programs.push_front(program);
        } else {
            programs.push_back(program);
        }
    }
    let status = child.wait()?;
    ensure!(status.success(), "cargo test ended with {status}");
    Ok(programs)
}

/// Reads a line of `--message-format=json`: a program of tests, and whether it is one of the first.
fn built(line: &str) -> Option<(Program, bool)> {
    let message: Value = serde_json::from_str(line).ok()?;
    let is_test = message["profile"]["test"].as_bool() == Some(true);
    let path = message["executable"].as_str().filter(|_| is_test)?;
    let manifest = message["manifest_path"].as_str()?;
    let folder = PathBuf::from(manifest).parent()?.to_owned();
    let package = folder.file_name()?.to_string_lossy().into_owned();
    let target = message["target"]["name"].as_str()?;
    let program = Program {
        name: format!("{package}: {target}"),
        path: path.into(),
        folder,
    };
    Some((program, manifest.ends_with(FIRST)))
}

fn run_programs(programs: VecDeque<Program>) -> Outcome {
    let waiting = Mutex::new(programs);
    let outcome = Mutex::new(Outcome::default());
    let next = || {
        waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    };
    std::thread::scope(|scope| {
        for _ in 0..LANES {
            scope.spawn(|| {
                while let Some(program) = next() {
                    let ran = run_program(&program);
                    let mut outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
                    outcome.note(&program.name, ran);
                }
            });
        }
    });
    outcome.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Runs one program; everything it printed, and the fault if it did not end well.
fn run_program(program: &Program) -> Result<(String, Option<String>)> {
    let began = Instant::now();
    let ended = watched::run(&mut program.command(), LIMIT)
        .with_context(|| format!("cannot run {}", program.path.display()))?;
    let took = began.elapsed().as_secs_f64();
    let said = [ended.stdout, ended.stderr].concat();
    let text = format!("\n     Running {} ({took:.1} s)\n{said}", program.name);
    let fault = match ended.status {
        Some(status) if status.success() => None,
        Some(status) => Some(format!("{} ended with {status}", program.name)),
        None => Some(program.stuck(&said)),
    };
    Ok((text, fault))
}

impl Program {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command
            .current_dir(&self.folder)
            .env("CARGO_MANIFEST_DIR", &self.folder);
        command
    }

    /// What did not end, by the tests that had not said how they ended.
    fn stuck(&self, said: &str) -> String {
        let all = self.command().args(["--list", "--format=terse"]).output();
        let all = all.map(|output| output.stdout).unwrap_or_default();
        let open = unfinished(&String::from_utf8_lossy(&all), said).join(", ");
        let minutes = LIMIT.as_secs() / 60;
        format!("{}: not over after {minutes} minutes: {open}", self.name)
    }
}

/// The tests of a list that a run said nothing of.
fn unfinished<'a>(list: &'a str, said: &str) -> Vec<&'a str> {
    let over: BTreeSet<&str> = said
        .lines()
        .filter_map(|line| line.strip_prefix("test ")?.split_once(" ... "))
        .map(|(name, _)| name)
        .collect();
    list.lines()
        .filter_map(|line| line.strip_suffix(": test"))
        .filter(|name| !over.contains(name))
        .collect()
}

impl Outcome {
    fn note(&mut self, name: &str, ran: Result<(String, Option<String>)>) {
        match ran {
            Err(error) => self.failed.push(format!("{name}: {error:#}")),
            Ok((text, fault)) => {
                println!("{text}");
                text.lines().for_each(|line| self.add(line));
                self.failed.extend(fault);
            }
        }
    }

    fn add(&mut self, line: &str) {
        if let Some(one) = tally(line) {
            self.tally.passed += one.passed;
            self.tally.failed += one.failed;
        }
    }
}

/// Runs the examples of the documentation, which `cargo test` compiles by itself.
fn run_examples(outcome: &mut Outcome) -> Result<()> {
    let mut child = crate::workspace::cargo()
        .args(["test", "--locked", "--workspace", "--doc", "--no-fail-fast"])
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start cargo test")?;
    let Some(stdout) = child.stdout.take() else {
        bail!("cargo test has an output");
    };
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        println!("{line}");
        outcome.add(&line);
    }
    let status = child.wait()?;
    if !status.success() {
        outcome.failed.push(format!("examples ended with {status}"));
    }
    Ok(())
}

/// Reads `test result: ok. 12 passed; 0 failed; 0 ignored; ...`.
fn tally(line: &str) -> Option<Tally> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let count = |word: &str| {
        counts
            .split("; ")
            .find_map(|part| part.strip_suffix(word)?.trim().parse().ok())
    };
    Some(Tally {
        passed: count("passed")?,
        failed: count("failed")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runners_own_lines_are_added_up() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.01s";
        let read = tally(line).expect("the form cargo test prints");
        let wanted = Tally {
            passed: 12,
            failed: 3,
        };
        assert_eq!(read, wanted);
        assert!(tally("running 12 tests").is_none());
    }

    #[test]
    fn what_did_not_end_is_known_by_name() {
        let list = "a::one: test\ntwo: test\n\n2 tests, 0 benchmarks\n";
        let said =
            "running 2 tests\ntest a::one ... ok\ntest two has been running for over 60 seconds\n";
        assert_eq!(unfinished(list, said), ["two"]);
    }

    #[test]
    fn programs_of_tests_are_told_from_all_else_that_is_built() {
        let built_line = r#"{"reason":"compiler-artifact","manifest_path":"/x/tests/Cargo.toml","target":{"name":"kills"},"profile":{"test":true},"executable":"/t/kills-1"}"#;
        let (program, first) = built(built_line).expect("a program of tests");
        assert_eq!((program.name.as_str(), first), ("tests: kills", true));
        let library = built_line.replace("\"/t/kills-1\"", "null");
        assert!(built(&library).is_none());
        let plain = built_line.replace("\"test\":true", "\"test\":false");
        assert!(built(&plain).is_none(), "the program itself");
    }
}
