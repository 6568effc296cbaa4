//! A place in a temporary folder, and the program run on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::process::Process;

/// The hour the samples are read at.
pub const DECEMBER: &str = "2026-12-20T08:00:00Z";

/// A place in a temporary folder.
pub struct Place {
    folder: TempDir,
    /// What `--config` names in it.
    config: &'static str,
    now: String,
}

/// What a command answered.
#[derive(Debug)]
pub struct Answer {
    /// Its exit code.
    pub code: i32,
    /// What it printed, read as JSON; null where it printed none.
    pub json: Value,
    /// What it said on standard error.
    pub stderr: String,
}

/// The program, as the workspace's build left it.
///
/// # Errors
/// When it was not built.
pub fn program() -> Result<PathBuf> {
    let here = std::env::current_exe().context("the test knows where it is")?;
    let found = here
        .ancestors()
        .skip(1)
        .take(3)
        .map(|folder| folder.join("raccord"))
        .find(|file| file.is_file());
    found.context("the program is not built: run `cargo build -p raccord` first")
}

impl Place {
    /// A place configured by `config`, its clock set to December 2026.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn new(config: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("raccord.toml"), config)?;
        Ok(Self {
            folder,
            config: "raccord.toml",
            now: DECEMBER.to_owned(),
        })
    }

    /// A folder `places` with these files of settings.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn several(files: &[(&str, String)]) -> Result<Self> {
        let place = Self {
            folder: tempfile::tempdir()?,
            config: "places",
            now: DECEMBER.to_owned(),
        };
        fs::create_dir(place.path("places"))?;
        for (name, text) in files {
            fs::write(place.path("places").join(name), text)?;
        }
        Ok(place)
    }

    /// The same place at another hour.
    #[must_use]
    pub fn at(mut self, now: &str) -> Self {
        now.clone_into(&mut self.now);
        self
    }

    /// From now on it is this hour.
    pub fn is_at(&mut self, now: &str) {
        now.clone_into(&mut self.now);
    }

    /// Changes its configuration.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn configure(&self, change: impl FnOnce(String) -> String) -> Result<()> {
        let path = self.path("raccord.toml");
        let config = fs::read_to_string(&path)?;
        Ok(fs::write(path, change(config))?)
    }

    /// A path in its folder.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts `bytes` into a file, in one step as programs save.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let part = self.path(format!("{name}.part"));
        fs::write(&part, bytes)?;
        fs::rename(part, self.path(name))?;
        Ok(())
    }

    /// A command on this place, not started yet.
    ///
    /// # Errors
    /// When the program was not built.
    pub fn command(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = Command::new(program()?);
        command
            .arg("--config")
            .arg(self.path(self.config))
            .args(arguments)
            .env("RACCORD_NOW", &self.now)
            .env("RUST_LOG", "warn")
            .env("LANG", "fr_FR.UTF-8")
            .stdin(Stdio::null());
        Ok(command)
    }

    /// Runs a command with `--json`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(&self, arguments: &[&str]) -> Result<Answer> {
        let output = self.command(arguments)?.arg("--json").output()?;
        Ok(Answer {
            code: output.status.code().unwrap_or(-1),
            json: serde_json::from_slice(&output.stdout).unwrap_or_default(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs a command for people.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn say(&self, arguments: &[&str]) -> Result<String> {
        let output = self.command(arguments)?.output()?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Starts the daemon.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&self) -> Result<Child> {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path("daemon.log"))?;
        Ok(self
            .command(&["run"])?
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?)
    }

    /// The same, killed with its handle.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn work(&self) -> Result<Process> {
        self.start().map(Process::of)
    }

    /// The events of the log, oldest first.
    ///
    /// # Errors
    /// When the command fails.
    pub fn events(&self) -> Result<Vec<Value>> {
        let output = self.command(&["log", "--json"])?.output()?;
        ensure!(
            output.status.success(),
            "log: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout)?;
        text.lines()
            .map(|line| Ok(serde_json::from_str(line)?))
            .collect()
    }
}

/// Copies a folder with all that is in it.
///
/// # Errors
/// When a file cannot be read or written.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
