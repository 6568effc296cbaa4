//! A program that is given so much time and no more.

use std::io::{Read as _, Seek as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::process::{Pid, Signal, kill_process_group};

/// How often it is asked whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// Runs a program until it ends, or for `limit`; what it printed, and how it ended where it did.
///
/// It writes to a file and not to a pipe: a pipe ends only with the last of the programs that it
/// started itself, which may be never. Those of them that it leaves behind are ended with it.
///
/// # Errors
/// When it cannot be started, or the folder for temporary files cannot be written to.
pub(crate) fn run(command: &mut Command, limit: Duration) -> Result<(String, Option<ExitStatus>)> {
    let mut said = tempfile::tempfile()?;
    let mut child = command
        .stdout(said.try_clone()?)
        .stderr(said.try_clone()?)
        .process_group(0)
        .spawn()?;
    let end = wait(&mut child, limit);
    if let Some(group) = Pid::from_raw(child.id().cast_signed()) {
        // Usually nobody is left.
        kill_process_group(group, Signal::KILL).unwrap_or_default();
    }
    child.wait()?;
    let mut text = Vec::new();
    said.rewind()?;
    said.read_to_end(&mut text)?;
    Ok((String::from_utf8_lossy(&text).into_owned(), end?))
}

fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let until = Instant::now() + limit;
    loop {
        let end = child.try_wait()?;
        if end.is_some() || Instant::now() > until {
            return Ok(end);
        }
        std::thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> (String, Option<bool>) {
        let mut command = Command::new("sh");
        let (said, end) = run(command.args(["-c", script]), limit).expect("a shell");
        (said, end.map(|status| status.success()))
    }

    #[test]
    fn what_is_said_on_both_ways_is_heard_and_the_end_is_told() {
        let patient = Duration::from_mins(1);
        let (said, end) = shell("echo one; echo two >&2; exit 3", patient);
        assert_eq!((said.as_str(), end), ("one\ntwo\n", Some(false)));
    }

    #[test]
    fn who_does_not_end_is_ended_and_what_it_said_is_kept() {
        let (said, end) = shell("echo one; sleep 600", Duration::from_millis(300));
        assert_eq!((said.as_str(), end), ("one\n", None));
    }

    #[test]
    fn what_it_leaves_behind_keeps_nobody_waiting_and_is_ended() {
        let patient = Duration::from_mins(1);
        let (said, end) = shell("sleep 600 & echo $!", patient);
        assert_eq!(end, Some(true));
        let left = std::path::Path::new("/proc")
            .join(said.trim())
            .join("cmdline");
        let until = Instant::now() + patient;
        // One that has ended may stay in the list of processes for a moment, without its words.
        while !std::fs::read(&left).unwrap_or_default().is_empty() {
            assert!(Instant::now() < until, "it lives on");
            std::thread::yield_now();
        }
    }
}
