//! The program at work on the demo's folder, as everybody runs it: a process of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use jiff::Timestamp;
use raccord_model::Lang;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::error::Error;

/// How long a process that was asked to end may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// What the daemon says goes there.
pub(crate) const LOG: &str = "daemon.log";

/// The program, and how it is started.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its file.
    pub path: PathBuf,
    /// Variables of the environment that would change the place.
    pub unset: Vec<String>,
}

/// The daemon; it is killed when this is dropped.
pub(crate) struct Daemon(Child);

/// What a command answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) text: String,
}

impl Program {
    fn command(&self, folder: &Path, now: Option<Timestamp>) -> Command {
        let mut command = Command::new(&self.path);
        for name in &self.unset {
            command.env_remove(name);
        }
        if let Some(now) = now {
            command.env("RACCORD_NOW", now.to_string());
        }
        command
            .arg("--config")
            .arg(folder.join("raccord.toml"))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Starts the daemon on a folder; the clock is set where an hour is given.
    pub(crate) fn start(&self, folder: &Path, now: Option<Timestamp>) -> Result<Daemon, Error> {
        let path = folder.join(LOG);
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(Error::file(path))?;
        let mut command = self.command(folder, now);
        // Who presses Ctrl-C tells the demo, which tells the daemon.
        let child = command
            .arg("run")
            .process_group(0)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        child.map(Daemon).map_err(Error::file(&self.path))
    }

    /// Runs a command on a folder.
    pub(crate) async fn ask(
        &self,
        folder: &Path,
        now: Timestamp,
        lang: Lang,
        words: &[&str],
    ) -> Result<Answer, Error> {
        let mut command = self.command(folder, Some(now));
        command.args(["--lang", &lang.to_string()]).args(words);
        let output = command.output().await.map_err(Error::file(&self.path))?;
        Ok(Answer {
            code: output.status.code().unwrap_or(-1),
            text: String::from_utf8_lossy(&output.stdout).into_owned(),
        })
    }
}

impl Daemon {
    /// Kills it as a power cut would, and waits until it is gone.
    pub(crate) async fn kill(mut self) -> Result<(), Error> {
        self.0.kill().await.map_err(Error::file("kill"))
    }

    /// Asks it to end, and waits until it has; one that does not is killed.
    pub(crate) async fn stop(mut self) -> Result<(), Error> {
        let pid = self.0.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        if let Some(pid) = pid {
            // One that is gone need not be told.
            kill_process(pid, Signal::TERM).unwrap_or_default();
        }
        match timeout(PATIENCE, self.0.wait()).await {
            Ok(ended) => ended.map(drop).map_err(Error::file("wait")),
            Err(_) => self.kill().await,
        }
    }

    /// Waits until it ends by itself.
    pub(crate) async fn ended(&mut self) {
        drop(self.0.wait().await);
    }
}
