//! A daemon at work on a place (or a folder of them), asked over HTTP and told of changed settings.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::place::Place;
use crate::process::Process;

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How long between two looks at what it does.
const POLL: Duration = Duration::from_millis(5);
/// What the daemon says once it has taken changed settings.
pub const TAKEN: &str = "the settings were read again";
/// The token that `post` shows.
pub const TOKEN: &str = "secret-of-the-test";

/// A daemon at work; it is killed when this is dropped.
pub struct Working {
    /// Its place.
    pub place: Place,
    daemon: Process,
    address: SocketAddr,
}

impl Working {
    /// Starts the daemon on the place that `make` makes, which listens at the address it is given,
    /// and waits until it works.
    ///
    /// # Errors
    /// When it cannot be started.
    ///
    /// # Panics
    /// When it does not work in time.
    pub fn start(make: impl FnOnce(SocketAddr) -> Result<Place>) -> Result<Self> {
        let free = TcpListener::bind("127.0.0.1:0")?;
        let address = free.local_addr()?;
        drop(free);
        Self::start_at(address, make(address)?)
    }

    /// Starts the daemon on a place that listens at `address`, and waits until it works.
    ///
    /// # Errors
    /// When it cannot be started.
    ///
    /// # Panics
    /// When it does not work in time.
    pub fn start_at(address: SocketAddr, place: Place) -> Result<Self> {
        let daemon = place.work()?;
        let working = Self {
            place,
            daemon,
            address,
        };
        working.until("it does not start", || {
            working.get("/readyz").is_ok_and(|(code, _)| code == 200)
        });
        Ok(working)
    }

    /// Waits until it is so.
    ///
    /// # Panics
    /// When it is not in time: with `what` and what the daemon said.
    pub fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let until = Instant::now() + PATIENCE;
        while !is_so() {
            assert!(Instant::now() < until, "{what}:\n{}", self.said());
            std::thread::park_timeout(POLL);
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The id of its process.
    pub fn pid(&self) -> u32 {
        self.daemon.id()
    }

    /// What the daemon said so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.place.path("daemon.log")).unwrap_or_default()
    }

    /// Changes a file, and waits until the daemon has said `told` once more.
    ///
    /// # Panics
    /// When the file cannot be read or written, or nothing is said.
    pub fn change(&self, file: &str, told: &str, change: impl FnOnce(String) -> String) {
        let times = self.said().matches(told).count();
        let config = std::fs::read_to_string(self.place.path(file)).expect("the file is there");
        self.place
            .save(file, change(config).as_bytes())
            .expect("the file can be written");
        self.until(told, || self.said().matches(told).count() > times);
    }

    /// Asks it to take its settings again, as `systemctl reload` does, and waits until it has.
    ///
    /// # Errors
    /// When it cannot be asked.
    ///
    /// # Panics
    /// When it does not.
    pub fn hang_up(&self) -> Result<()> {
        let times = self.said().matches(TAKEN).count();
        self.signal(rustix::process::Signal::HUP)?;
        self.until(TAKEN, || self.said().matches(TAKEN).count() > times);
        Ok(())
    }

    /// Stops its clock, as a machine that hangs does, until [`Working::goes_on`].
    ///
    /// # Errors
    /// When it cannot be stopped.
    pub fn hangs(&self) -> Result<()> {
        self.signal(rustix::process::Signal::STOP)
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub fn goes_on(&self) -> Result<()> {
        self.signal(rustix::process::Signal::CONT)
    }

    fn signal(&self, signal: rustix::process::Signal) -> Result<()> {
        self.daemon.signal(signal)
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Errors
    /// When it cannot be asked.
    ///
    /// # Panics
    /// When it does not end, or not well.
    pub fn stop(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        self.signal(rustix::process::Signal::TERM)?;
        let status = self.daemon.ends_within(PATIENCE)?;
        let Some(status) = status else {
            panic!("it does not end:\n{}", self.said());
        };
        assert!(status.success(), "{status}:\n{}", self.said());
        Ok(())
    }

    /// Kills it, and gives its place.
    pub fn killed(self) -> Place {
        let Self { place, daemon, .. } = self;
        drop(daemon);
        place
    }

    /// Ends it as [`Working::stop`] does, and gives its place.
    ///
    /// # Errors
    /// When it cannot be asked.
    ///
    /// # Panics
    /// When it does not end, or not well.
    pub fn leave(mut self) -> Result<Place> {
        self.end()?;
        Ok(self.place)
    }

    /// The status and the text behind `path`.
    ///
    /// # Errors
    /// When nobody answers.
    pub fn get(&self, path: &str) -> Result<(u16, String)> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n");
        talk(self.address, &request, PATIENCE)
    }

    /// Posts an activity called `Bal <subject>`; gives the status.
    ///
    /// # Errors
    /// When nobody answers.
    pub fn post(&self, path: &str, subject: &str) -> Result<u16> {
        let request = posted(path, subject);
        Ok(talk(self.address, &request, PATIENCE)?.0)
    }

    /// Calls `path` as a tool does that shows `secret`; gives the status.
    ///
    /// # Errors
    /// When nobody answers.
    pub fn call(&self, path: &str, secret: &str) -> Result<u16> {
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: t\r\nconnection: close\r\nauthorization: Bearer {secret}\r\n\
             content-length: 2\r\n\r\n{{}}"
        );
        Ok(talk(self.address, &request, PATIENCE)?.0)
    }

    /// Follows the events behind `path` from the first one on, until one holds `text`; gives all that
    /// was told.
    ///
    /// # Errors
    /// When nobody answers, or not in time.
    pub fn follow(&self, path: &str, text: &str) -> Result<String> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: t\r\nauthorization: Bearer {TOKEN}\r\nlast-event-id: 0\r\n\r\n"
        )?;
        let mut told = String::new();
        let mut stream = BufReader::new(stream);
        let until = Instant::now() + PATIENCE;
        while !told.contains(text) {
            // Signs of life come all the time.
            anyhow::ensure!(Instant::now() < until, "it is not told: {told}");
            let more = stream.read_line(&mut told)?;
            anyhow::ensure!(more > 0, "the stream ended: {told}");
        }
        Ok(told)
    }
}

/// The request that posts an activity called `Bal <subject>`.
pub(crate) fn posted(path: &str, subject: &str) -> String {
    let body = format!(
        "{{\"specversion\":\"1.0\",\"id\":\"{subject}\",\"source\":\"/load\",\"type\":\"org.raccord.activity.created.v1\",\
         \"subject\":\"{subject}\",\"data\":{{\"title\":\"Bal {subject}\",\"start\":\"2027-01-15T20:30\"}}}}"
    );
    format!(
        "POST {path} HTTP/1.1\r\nhost: t\r\nconnection: close\r\nauthorization: Bearer {TOKEN}\r\n\
         content-type: application/cloudevents+json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The status and the text of the answer to `request`; nobody is waited for longer than `limit`.
pub(crate) fn talk(address: SocketAddr, request: &str, limit: Duration) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(limit))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = BufReader::new(stream);
    let mut status = String::new();
    answer.read_line(&mut status)?;
    let mut text = String::new();
    answer.read_to_string(&mut text)?;
    let code = status.split(' ').nth(1).context("a status")?;
    Ok((code.parse()?, text))
}
