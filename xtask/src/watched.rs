//! A program that is given so much time and no more.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::process::{Pid, Signal, kill_process_group};

/// How often it is asked whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// What a program did.
#[derive(Debug)]
pub(crate) struct Ended {
    /// How it ended; nothing where it did not.
    pub(crate) status: Option<ExitStatus>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a program until it ends, or for `limit`.
///
/// It writes to files and not to pipes: a pipe ends only with the last of the programs that it
/// started itself, which may be never. Those of them that it leaves behind are ended with it.
///
/// # Errors
/// When it cannot be started, or the folder for temporary files cannot be written to.
pub(crate) fn run(command: &mut Command, limit: Duration) -> Result<Ended> {
    let (stdout, stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(stdout.try_clone()?)
        .stderr(stderr.try_clone()?)
        .process_group(0)
        .spawn()?;
    let status = wait(&mut child, limit);
    if let Some(group) = Pid::from_raw(child.id().cast_signed()) {
        // Usually nobody is left.
        kill_process_group(group, Signal::KILL).unwrap_or_default();
    }
    child.wait()?;
    Ok(Ended {
        status: status?,
        stdout: text(stdout)?,
        stderr: text(stderr)?,
    })
}

fn text(mut file: File) -> Result<String> {
    let mut text = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
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

    fn shell(script: &str, limit: Duration) -> Ended {
        let mut command = Command::new("sh");
        run(command.args(["-c", script]), limit).expect("a shell")
    }

    #[test]
    fn what_is_said_on_both_ways_is_heard_and_the_end_is_told() {
        let patient = Duration::from_mins(1);
        let ended = shell("echo one; echo two >&2; exit 3", patient);
        assert_eq!((&*ended.stdout, &*ended.stderr), ("one\n", "two\n"));
        assert_eq!(ended.status.and_then(|status| status.code()), Some(3));
    }

    #[test]
    fn who_does_not_end_is_ended_and_what_it_said_is_kept() {
        let ended = shell("echo one; sleep 600", Duration::from_millis(300));
        assert_eq!((&*ended.stdout, ended.status), ("one\n", None));
    }

    #[test]
    fn what_it_leaves_behind_keeps_nobody_waiting_and_is_ended() {
        let patient = Duration::from_mins(1);
        let ended = shell("sleep 600 & echo $!", patient);
        assert!(ended.status.is_some_and(|status| status.success()));
        let left = std::path::Path::new("/proc").join(ended.stdout.trim());
        let left = left.join("cmdline");
        let until = Instant::now() + patient;
        // One that has ended may stay in the list of processes for a moment, without its words.
        while !std::fs::read(&left).unwrap_or_default().is_empty() {
            assert!(Instant::now() < until, "it lives on");
            std::thread::yield_now();
        }
    }
}
