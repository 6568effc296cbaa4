//! Three servers that keep everything three times, each behind ways of its own: from every node to
//! every server, and from every server to every other.

use std::fs::{self, File};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use raccord_bus::jetstream::servers::{Version, free_port};
use rustix::process::Signal;
use tokio::runtime::Handle;

use super::pause;
use crate::place::copy;
use crate::process::Process;
use crate::proxy::Link;

/// How many servers and how many nodes there are.
pub(super) const THREE: usize = 3;

/// What the servers are called.
pub(super) const SERVERS: [&str; THREE] = ["one", "two", "three"];

/// How long a server may take to listen.
const START: Duration = Duration::from_secs(20);

/// The servers.
pub(super) struct Servers {
    folder: PathBuf,
    three: [Mutex<Server>; THREE],
    /// From each node to each server.
    pub(super) from_nodes: [[Link; THREE]; THREE],
    /// From each server to each other.
    pub(super) between: [[Link; THREE]; THREE],
}

struct Server {
    version: Version,
    process: Option<Process>,
}

impl Servers {
    /// Three servers of `version`, not started yet.
    pub(super) fn new(folder: &Path, version: Version, runtime: &Handle) -> Result<Self> {
        let folder = folder.join("servers");
        for name in SERVERS {
            fs::create_dir_all(folder.join(name))?;
        }
        let server = |_| {
            let process = None;
            Mutex::new(Server { version, process })
        };
        Ok(Self {
            folder,
            three: [0; THREE].map(server),
            from_nodes: links(runtime)?,
            between: links(runtime)?,
        })
    }

    /// The addresses that a node reaches them by.
    pub(super) fn urls(&self, node: usize) -> String {
        self.from_nodes[node].each_ref().map(Link::url).join(",")
    }

    /// Starts one, and waits until it listens.
    pub(super) fn start(&self, at: usize) -> Result<()> {
        let mut server = self.server(at);
        let until = Instant::now() + START;
        // The port it is given may be taken in between; then it ends at once.
        while Instant::now() < until {
            let port = self.spawn(at, &mut server)?;
            while Instant::now() < until && !has_ended(&mut server)? {
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return Ok(());
                }
                pause(Duration::from_millis(20));
            }
        }
        anyhow::bail!("the server {} does not start", SERVERS[at])
    }

    fn spawn(&self, at: usize, server: &mut Server) -> Result<u16> {
        let (port, between) = (free_port(), free_port());
        for node in 0..THREE {
            self.from_nodes[node][at].leads_to(port);
            self.between[node][at].leads_to(between);
        }
        let config = self.folder.join(format!("{}.conf", SERVERS[at]));
        fs::write(&config, self.config(at, port, between))?;
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.join(format!("{}.log", SERVERS[at])))?;
        let child = Command::new("env")
            // A full disk is played by a limit on the size of files, which must not end it.
            .arg("--block-signal=XFSZ")
            .arg(server.version.program())
            .arg("-c")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        server.process = Some(Process::of(child));
        Ok(port)
    }

    fn config(&self, at: usize, port: u16, between: u16) -> String {
        let others = (0..THREE).filter(|other| *other != at);
        let routes = others.map(|other| format!("\"{}\"", self.between[at][other].url()));
        let routes: Vec<String> = routes.collect();
        // Nobody is told of an address that leads past the ways above.
        format!(
            "server_name: {}\nlisten: \"127.0.0.1:{port}\"\n\
             lame_duck_duration: \"30s\"\nlame_duck_grace_period: \"1s\"\n\
             jetstream {{ store_dir: \"{}\", max_file: 8G, max_mem: 64M }}\n\
             cluster {{ name: raccord, listen: \"127.0.0.1:{between}\", advertise: \"127.0.0.1:1\", \
             no_advertise: true, routes: [{}] }}\n",
            SERVERS[at],
            self.store(at).display(),
            routes.join(", ")
        )
    }

    /// Kills one.
    pub(super) fn kill(&self, at: usize) -> Result<()> {
        match self.server(at).process.take() {
            Some(mut process) => process.kill(),
            None => Ok(()),
        }
    }

    /// Sends one a signal.
    pub(super) fn signal(&self, at: usize, signal: Signal) -> Result<()> {
        let server = self.server(at);
        server.process.as_ref().context("it runs")?.signal(signal)
    }

    /// None of its files grows, or they do again.
    pub(super) fn disk_is_full(&self, at: usize, full: bool) -> Result<()> {
        let server = self.server(at);
        let process = server.process.as_ref().context("it runs")?;
        process.disk_is_full(full)
    }

    /// Sends its clients away and ends, as it is asked to before an upgrade.
    pub(super) fn leave(&self, at: usize) -> Result<()> {
        self.signal(at, Signal::USR2)?;
        let mut server = self.server(at);
        let process = server.process.as_mut().context("it runs")?;
        let ended = process.ends_within(START)?;
        ensure!(ended.is_some(), "{} does not leave", SERVERS[at]);
        server.process = None;
        Ok(())
    }

    /// The version it is started with from now on.
    pub(super) fn upgrade(&self, at: usize, version: Version) {
        self.server(at).version = version;
    }

    /// Copies what all of them keep, as a snapshot of their disks at one moment does.
    pub(super) fn back_up(&self, backup: &Path) -> Result<()> {
        (0..THREE).try_for_each(|at| self.signal(at, Signal::STOP))?;
        for (at, name) in SERVERS.iter().enumerate() {
            copy(&self.store(at), &backup.join(name))?;
        }
        (0..THREE).try_for_each(|at| self.signal(at, Signal::CONT))
    }

    /// Puts such a copy back. They are killed for it, and started.
    pub(super) fn restore(&self, backup: &Path) -> Result<()> {
        (0..THREE).try_for_each(|at| self.kill(at))?;
        for (at, name) in SERVERS.iter().enumerate() {
            fs::remove_dir_all(self.store(at))?;
            copy(&backup.join(name), &self.store(at))?;
        }
        (0..THREE).try_for_each(|at| self.start(at))
    }

    fn store(&self, at: usize) -> PathBuf {
        self.folder.join(SERVERS[at]).join("store")
    }

    fn server(&self, at: usize) -> MutexGuard<'_, Server> {
        self.three[at]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn has_ended(server: &mut Server) -> Result<bool> {
    let process = server.process.as_mut().context("it was started")?;
    Ok(process.ended()?.is_some())
}

fn links(runtime: &Handle) -> Result<[[Link; THREE]; THREE]> {
    let row = || -> Result<[Link; THREE]> {
        Ok([
            Link::open(runtime)?,
            Link::open(runtime)?,
            Link::open(runtime)?,
        ])
    };
    Ok([row()?, row()?, row()?])
}
