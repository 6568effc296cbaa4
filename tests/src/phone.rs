//! A phone-sized window of a real Chromium, touched by a finger.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::wire;

const PROGRAM: &str = include_str!("phone.py");
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// A phone; it is put away when this is dropped.
pub struct Phone {
    child: Child,
    tell: Option<ChildStdin>,
    hear: BufReader<ChildStdout>,
    _folder: TempDir,
}

/// What is on its screen.
#[derive(Clone, Debug)]
pub struct Screen {
    /// The path of the page.
    pub at: String,
    /// What can be read.
    pub text: String,
    /// How many pixels the page sticks out sideways.
    pub sideways: i64,
}

impl Drop for Phone {
    fn drop(&mut self) {
        // With its input at an end it closes the browser; a browser left alone would stay.
        self.tell = None;
        drop(self.child.wait());
    }
}

impl Phone {
    /// Takes one out.
    ///
    /// # Errors
    /// When the browser, or what drives it, is not installed.
    pub fn new() -> Result<Self> {
        let python = wire::python("python", "pages")?;
        let folder = tempfile::tempdir()?;
        let program = folder.path().join("phone.py");
        std::fs::write(&program, PROGRAM)?;
        let browser = Path::new(env!("CARGO_MANIFEST_DIR")).join("../connectors/website/tests");
        let mut child = Command::new(python)
            .arg(&program)
            .arg(chromium()?)
            .env("PYTHONPATH", browser)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let tell = child.stdin.take();
        let hear = BufReader::new(child.stdout.take().context("it has an output")?);
        let mut phone = Self {
            child,
            tell,
            hear,
            _folder: folder,
        };
        phone.answer().context("the browser does not start")?;
        Ok(phone)
    }

    fn answer(&mut self) -> Result<Value> {
        let mut line = String::new();
        self.hear.read_line(&mut line)?;
        let answer: Value = serde_json::from_str(&line)?;
        if let Some(wrong) = answer["wrong"].as_str() {
            bail!("{wrong}");
        }
        Ok(answer)
    }

    fn does(&mut self, words: &Value) -> Result<Screen> {
        let tell = self.tell.as_mut().context("it is at work")?;
        writeln!(tell, "{words}")?;
        tell.flush()?;
        let seen = self.answer().with_context(|| words.to_string())?;
        let text = |name: &str| seen[name].as_str().unwrap_or_default().to_owned();
        Ok(Screen {
            at: text("at"),
            text: text("text"),
            sideways: seen["sideways"].as_i64().unwrap_or_default(),
        })
    }

    /// Opens an address.
    ///
    /// # Errors
    /// When the browser cannot.
    pub fn open(&mut self, address: &str) -> Result<Screen> {
        self.does(&json!(["open", address]))
    }

    /// Presses a link or a button that says these words, and waits for the next page.
    ///
    /// # Errors
    /// When there is none, it is too small, or no page comes.
    pub fn press(&mut self, words: &str) -> Result<Screen> {
        self.does(&json!(["press", words]))
    }

    /// Writes into the field of this label.
    ///
    /// # Errors
    /// When there is none.
    pub fn write(&mut self, label: &str, text: &str) -> Result<Screen> {
        self.does(&json!(["write", label, text]))
    }

    /// Ticks the box of this label.
    ///
    /// # Errors
    /// When there is none.
    pub fn tick(&mut self, label: &str) -> Result<Screen> {
        self.does(&json!(["tick", label]))
    }

    /// Takes a picture of the page.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn picture(&mut self, file: &Path) -> Result<()> {
        self.does(&json!(["picture", file])).map(drop)
    }
}

/// A Chromium that starts.
fn chromium() -> Result<String> {
    let own = std::env::var_os("CHROMIUM").and_then(|name| name.into_string().ok());
    let starts = |name: &String| {
        let started = Command::new(name).arg("--version").output();
        started.is_ok_and(|output| output.status.success())
    };
    own.into_iter()
        .chain(BROWSERS.map(str::to_owned))
        .find(starts)
        .context("Chromium is needed: run `cargo xtask pages` first")
}
