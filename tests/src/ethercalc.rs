//! An EtherCalc that is not ours, and people who type into its rooms.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

use crate::wire::{call, installed};

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server at work; it is killed when this is dropped.
pub struct EtherCalc {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Drop for EtherCalc {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl EtherCalc {
    /// Starts one on a free port, and waits until it answers.
    ///
    /// # Errors
    /// When it is not installed, or does not start.
    pub fn start() -> Result<Self> {
        let program = installed("ethercalc/node_modules/ethercalc/bin/ethercalc")
            .context("no EtherCalc: run `cargo xtask rooms` first")?;
        let folder = tempfile::tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let log = std::fs::File::create(folder.path().join("log"))?;
        let child = Command::new("node")
            .arg(program)
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("Node.js does not start")?;
        let server = Self {
            child,
            port,
            folder,
        };
        let until = Instant::now() + PATIENCE;
        while server.exists("a-room").is_err() {
            let said = std::fs::read_to_string(server.folder.path().join("log"));
            ensure!(
                Instant::now() < until,
                "it does not start: {}",
                said.unwrap_or_default()
            );
            std::thread::park_timeout(Duration::from_millis(50));
        }
        Ok(server)
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Whether anything was ever written in a room.
    ///
    /// # Errors
    /// When the server does not say.
    pub fn exists(&self, room: &str) -> Result<bool> {
        let (status, said) = call(self.port, "GET", &format!("/_exists/{room}"), &[], b"")?;
        ensure!(status == 200, "it does not say: {status}");
        Ok(said == b"true")
    }

    /// What the server keeps of a room.
    ///
    /// # Errors
    /// When there is no such room.
    pub fn saved(&self, room: &str) -> Result<String> {
        let (status, text) = call(self.port, "GET", &format!("/_/{room}"), &[], b"")?;
        ensure!(status == 200, "there is no such room: {status}");
        Ok(String::from_utf8(text)?)
    }

    /// Lets somebody type into a room, in the program's own commands (`set A1 text t Date`).
    ///
    /// # Errors
    /// When the server refuses.
    pub fn types(&self, room: &str, commands: &[&str]) -> Result<()> {
        let headers = [("Content-Type", "application/json")];
        for command in commands {
            let body = serde_json::json!({ "command": command }).to_string();
            let path = format!("/_/{room}");
            let (status, _) = call(self.port, "POST", &path, &headers, body.as_bytes())?;
            ensure!(status == 202, "{command} was refused: {status}");
        }
        Ok(())
    }

    /// Writes a whole room, in the form the server saves.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn write(&self, room: &str, saved: &str) -> Result<()> {
        let headers = [("Content-Type", "text/x-socialcalc")];
        let path = format!("/_/{room}");
        let (status, _) = call(self.port, "PUT", &path, &headers, saved.as_bytes())?;
        ensure!(status == 201, "the room was refused: {status}");
        Ok(())
    }

    /// Wipes a room, as anybody may.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn wipe(&self, room: &str) -> Result<()> {
        let (status, _) = call(self.port, "DELETE", &format!("/_/{room}"), &[], b"")?;
        ensure!((200..300).contains(&status), "it was kept: {status}");
        Ok(())
    }
}
