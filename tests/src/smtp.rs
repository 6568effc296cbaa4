//! A mail server that is not ours, aiosmtpd: it keeps what it takes, and misbehaves when told to.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::wire;

const PROGRAM: &str = include_str!("smtp.py");

/// How it protects the way to it.
#[derive(Clone, Copy, Debug)]
pub enum Tls<'a> {
    /// Not at all.
    None,
    /// It offers `STARTTLS`: certificate and key.
    Start(&'a Path, &'a Path),
    /// From the first byte: certificate and key.
    First(&'a Path, &'a Path),
}

/// A server at work; it is killed when this is dropped.
pub struct Server {
    child: Child,
    port: u16,
    folder: TempDir,
}

/// A letter that it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// For whom.
    pub to: String,
    /// As it came.
    pub data: String,
    /// The way it came was protected.
    pub encrypted: bool,
}

impl Taken {
    /// The value of a header, as it is written.
    pub fn header(&self, name: &str) -> Option<&str> {
        let head = self.data.split("\r\n\r\n").next()?;
        head.split("\r\n")
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// What it says, put back from its transfer encoding.
    pub fn text(&self) -> String {
        let body = self
            .data
            .split_once("\r\n\r\n")
            .map_or("", |(_, body)| body);
        let joined = body.replace("=\r\n", "");
        let mut bytes = Vec::new();
        let mut rest = joined.bytes();
        let quoted = self.header("Content-Transfer-Encoding") == Some("quoted-printable");
        while let Some(byte) = rest.next() {
            let digits = (byte == b'=' && quoted).then(|| [rest.next(), rest.next()]);
            match digits {
                Some([Some(high), Some(low)]) => {
                    let text = [high, low].map(char::from).iter().collect::<String>();
                    bytes.push(u8::from_str_radix(&text, 16).unwrap_or(b'?'));
                }
                _ => bytes.push(byte),
            }
        }
        String::from_utf8_lossy(&bytes).replace("\r\n", "\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Server {
    /// Starts one that takes everything, on a free port.
    ///
    /// # Errors
    /// When it is not installed, or does not start.
    pub fn start() -> Result<Self> {
        Self::with(Tls::None, &[])
    }

    /// Starts one that does `act` at `step` the first `times` times: see `smtp.py`.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn that(step: &str, act: &str, times: u32) -> Result<Self> {
        Self::with(Tls::None, &["--at", step, act, &times.to_string()])
    }

    /// Starts one that is protected like this, and is given more words.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn with(tls: Tls<'_>, words: &[&str]) -> Result<Self> {
        let python = wire::python("smtp", "mails")?;
        let folder = tempfile::tempdir()?;
        let program = folder.path().join("server.py");
        std::fs::write(&program, PROGRAM)?;
        let mut command = Command::new(python);
        command.arg(&program).arg(folder.path()).args(words);
        match tls {
            Tls::None => {}
            Tls::Start(certificate, key) => {
                command
                    .args(["--tls", "starttls"])
                    .arg(certificate)
                    .arg(key);
            }
            Tls::First(certificate, key) => {
                command.args(["--tls", "smtps"]).arg(certificate).arg(key);
            }
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let said = child.stdout.take().context("it has an output")?;
        let mut line = String::new();
        BufReader::new(said).read_line(&mut line)?;
        let port = line
            .trim()
            .parse()
            .context("the mail server does not start")?;
        Ok(Self {
            child,
            port,
            folder,
        })
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The letters it took, in order.
    ///
    /// # Errors
    /// When what it wrote cannot be read.
    pub fn taken(&self) -> Result<Vec<Taken>> {
        let text = std::fs::read_to_string(self.folder.path().join("taken")).unwrap_or_default();
        // The last one may still be being written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole
            .lines()
            .map(|line| {
                let letter: Value = serde_json::from_str(line)?;
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                Ok(Taken {
                    to: text(&letter["to"][0]),
                    data: text(&letter["data"]),
                    encrypted: letter["encrypted"] == true,
                })
            })
            .collect()
    }

    /// How many letters it took.
    pub fn count(&self) -> usize {
        let counted = std::fs::metadata(self.folder.path().join("count"));
        counted.map_or(0, |file| file.len() as usize)
    }

    /// The same once there are `count`, or an error when that takes too long.
    ///
    /// # Errors
    /// When there are fewer after a minute.
    pub fn took(&self, count: usize) -> Result<Vec<Taken>> {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let taken = self.taken()?;
            if taken.len() >= count {
                return Ok(taken);
            }
            ensure!(Instant::now() < until, "{} letters came", taken.len());
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// How often it heard a command of this step.
    pub fn heard(&self, step: &str) -> usize {
        let text = std::fs::read_to_string(self.folder.path().join("heard")).unwrap_or_default();
        text.lines().filter(|line| *line == step).count()
    }
}
