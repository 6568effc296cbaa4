//! Calendar servers that are not ours, Radicale and Xandikos, and a member who edits what they hold
//! with a program of their own.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;

use crate::wire;

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Radicale 3, with a password.
    Radicale,
    /// Xandikos, open to this machine.
    Xandikos,
}

/// A server at work; it is killed when this is dropped.
pub struct Server {
    kind: Kind,
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Server {
    /// Starts one on a free port, with an account `raccord`, and waits until it answers.
    ///
    /// # Errors
    /// When it is not installed, or does not start.
    pub fn start(kind: Kind) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let child = launch(kind, folder.path(), port)?;
        let server = Self {
            kind,
            child,
            port,
            folder,
        };
        let until = Instant::now() + PATIENCE;
        while server.call("GET", "/", &[], b"").is_err() {
            ensure!(
                Instant::now() < until,
                "{kind:?} does not start: {}",
                server.said()
            );
            std::thread::park_timeout(Duration::from_millis(50));
        }
        Ok(server)
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// The section of a configuration that points `name` at it.
    ///
    /// # Errors
    /// When the password cannot be written beside the place.
    pub fn section(&self, name: &str, password: &Path) -> Result<String> {
        std::fs::write(password, "secret")?;
        let shown = password.display();
        Ok(format!(
            "[connectors.{name}]\nkind = \"nextcloud-calendar\"\nurl = \"http://127.0.0.1:{}/\"\nuser = \"raccord\"\npassword_file = \"{shown}\"\ncalendar = \"programme\"\n",
            self.port
        ))
    }

    /// The path of the programme's calendar.
    pub fn calendar(&self) -> &'static str {
        match self.kind {
            Kind::Radicale => "/raccord/programme/",
            Kind::Xandikos => "/raccord/calendars/programme/",
        }
    }

    /// Makes that calendar, as a member would.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn make_calendar(&self) -> Result<()> {
        let (status, _) = self.call("MKCALENDAR", self.calendar(), &[], b"")?;
        ensure!(status == 201, "the calendar was not made: {status}");
        Ok(())
    }

    /// The names of its entries.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn files(&self) -> Result<Vec<String>> {
        let body = b"<?xml version=\"1.0\"?><d:propfind xmlns:d=\"DAV:\"><d:prop><d:getetag/></d:prop></d:propfind>";
        let headers = [("Depth", "1"), ("Content-Type", "application/xml")];
        let (status, text) = self.call("PROPFIND", self.calendar(), &headers, body)?;
        ensure!(status == 207, "the calendar is not listed: {status}");
        let text = String::from_utf8(text)?;
        let mut names: Vec<String> = text
            .split("href>")
            .filter_map(|part| part.split('<').next())
            .filter(|path| Path::new(path).extension().is_some_and(|end| end == "ics"))
            .filter_map(|path| path.rsplit('/').next())
            .map(str::to_owned)
            .collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// The text of an entry.
    ///
    /// # Errors
    /// When it is not there.
    pub fn text(&self, file: &str) -> Result<String> {
        let path = format!("{}{file}", self.calendar());
        let (status, body) = self.call("GET", &path, &[], b"")?;
        ensure!(status == 200, "{file} is not there: {status}");
        Ok(String::from_utf8(body)?)
    }

    /// The entry with this title: its name and text.
    ///
    /// # Errors
    /// When there is none.
    pub fn entry(&self, title: &str) -> Result<(String, String)> {
        for file in self.files()? {
            let text = self.text(&file)?;
            if unfolded(&text).contains(&format!("SUMMARY:{title}\r\n")) {
                return Ok((file, text));
            }
        }
        bail!("no entry is called {title}")
    }

    /// Writes an entry, as a member's program does.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn put(&self, file: &str, text: &str) -> Result<()> {
        let path = format!("{}{file}", self.calendar());
        let headers = [("Content-Type", "text/calendar; charset=utf-8")];
        let (status, _) = self.call("PUT", &path, &headers, text.as_bytes())?;
        ensure!((200..300).contains(&status), "{file} was refused: {status}");
        Ok(())
    }

    /// Deletes an entry, as a member does.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn delete(&self, file: &str) -> Result<()> {
        let path = format!("{}{file}", self.calendar());
        let (status, _) = self.call("DELETE", &path, &[], b"")?;
        ensure!((200..300).contains(&status), "{file} was kept: {status}");
        Ok(())
    }

    fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<(u16, Vec<u8>)> {
        // raccord:secret
        let basic = ("Authorization", "Basic cmFjY29yZDpzZWNyZXQ=");
        let headers = [&[basic], headers].concat();
        wire::call(self.port, method, path, &headers, body)
    }
}

/// A text without its folds.
pub fn unfolded(text: &str) -> String {
    text.replace("\r\n ", "")
}

fn launch(kind: Kind, folder: &Path, port: u16) -> Result<Child> {
    let python = wire::python("python", "calendars")?;
    let log = std::fs::File::create(folder.join("log"))?;
    let mut server = match kind {
        Kind::Radicale => {
            std::fs::write(folder.join("users"), "raccord:secret\n")?;
            let config = format!(
                "[server]\nhosts = 127.0.0.1:{port}\n[auth]\ntype = htpasswd\nhtpasswd_filename = {0}/users\nhtpasswd_encryption = plain\ndelay = 0\n[storage]\nfilesystem_folder = {0}/store\n[logging]\nlevel = warning\n",
                folder.display()
            );
            std::fs::write(folder.join("config"), config)?;
            let mut server = Command::new(python);
            server
                .args(["-m", "radicale", "--config"])
                .arg(folder.join("config"));
            server
        }
        Kind::Xandikos => {
            let mut server = Command::new(python);
            server
                .args(["-m", "xandikos", "serve", "--defaults", "-d"])
                .arg(folder.join("store"))
                .args(["--listen-address", "127.0.0.1", "-p", &port.to_string()])
                .args(["--current-user-principal", "/raccord/"]);
            server
        }
    };
    server
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .with_context(|| format!("{kind:?} does not start"))
}
