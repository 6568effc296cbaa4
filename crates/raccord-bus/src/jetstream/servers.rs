//! Real NATS servers for tests: started on free ports of this machine, in a folder of their own, and
//! killed with their handle.
//!
//! Which ones: `RACCORD_NATS_SERVER`, `RACCORD_NATS_SERVER_2_11` and `RACCORD_NATS_SERVER_2_9` name
//! the programs; without them, those that `cargo xtask servers` installed are taken. A server that is
//! not there or does not start is a test that fails.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "for tests: what goes wrong here is the failure it should be"
)]

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// How long a server may take to start.
const START: Duration = Duration::from_secs(20);

/// A version of the server that is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The present one.
    Present,
    /// The oldest that a cluster may have.
    Oldest,
    /// Debian's 2.9.
    Debian,
}

/// A running server, or one that was killed.
#[derive(Debug)]
pub struct Server {
    program: PathBuf,
    folder: PathBuf,
    config: PathBuf,
    environment: Vec<(String, String)>,
    port: u16,
    child: Option<Child>,
}

impl Version {
    /// The program.
    ///
    /// # Panics
    /// When it is not installed.
    pub fn program(self) -> PathBuf {
        match self {
            Self::Present => installed("RACCORD_NATS_SERVER", "nats-server"),
            Self::Oldest => installed("RACCORD_NATS_SERVER_2_11", "nats-server-2.11"),
            Self::Debian => installed("RACCORD_NATS_SERVER_2_9", "nats-server-2.9"),
        }
    }
}

/// The library that makes a program's clock jump (`libfaketime`), as `RACCORD_LIBFAKETIME` names it or
/// `cargo xtask servers` installed it.
///
/// # Panics
/// When it is not installed.
pub fn jumping_clock() -> PathBuf {
    installed("RACCORD_LIBFAKETIME", "libfaketime.so.1")
}

fn installed(name: &str, file: &str) -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let cache = || {
        set("RACCORD_CACHE")
            .map(PathBuf::from)
            .or_else(|| set("XDG_CACHE_HOME").map(|base| PathBuf::from(base).join("raccord")))
            .or_else(|| set("HOME").map(|home| PathBuf::from(home).join(".cache/raccord")))
            .map(|cache| cache.join("servers").join(file))
    };
    let found = set(name).map(PathBuf::from).or_else(cache);
    found
        .filter(|found| found.is_file())
        .unwrap_or_else(|| panic!("no {file}: run `cargo xtask servers`, or set {name}"))
}

/// A port nobody listens on.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

impl Server {
    /// Starts a server alone, with `more` in its configuration.
    pub fn start(version: Version, folder: &Path, more: &str) -> Self {
        Self::prepared(version, folder, "alone", free_port(), more)
    }

    /// Starts three that keep everything three times.
    pub fn start_three(version: Version, folder: &Path) -> [Self; 3] {
        let names = ["one", "two", "three"];
        let ports = names.map(|name| (name, free_port(), free_port()));
        let routes: String = ports
            .iter()
            .fold(String::new(), |mut routes, (_, _, port)| {
                write!(routes, "\"nats://127.0.0.1:{port}\", ").unwrap();
                routes
            });
        ports.map(|(name, port, between)| {
            let more = format!(
                "cluster {{ name: raccord, listen: \"127.0.0.1:{between}\", routes: [{routes}] }}"
            );
            Self::prepared(version, &folder.join(name), name, port, &more)
        })
    }

    fn prepared(version: Version, folder: &Path, name: &str, port: u16, more: &str) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let store = folder.join("store");
        let config = format!(
            "server_name: {name}\nlisten: \"127.0.0.1:{port}\"\n\
             jetstream {{ store_dir: \"{}\", max_file: 8G, max_mem: 64M }}\n{more}\n",
            store.display()
        );
        std::fs::write(folder.join("nats.conf"), config).unwrap();
        let mut server = Self {
            program: version.program(),
            folder: folder.to_owned(),
            config: folder.join("nats.conf"),
            environment: Vec::new(),
            port,
            child: None,
        };
        server.run();
        server
    }

    /// A server that `config` describes, which takes what differs from this environment and listens
    /// on `port`.
    pub fn configured(
        version: Version,
        folder: &Path,
        config: &Path,
        port: u16,
        environment: &[(&str, String)],
    ) -> Self {
        let own = |(name, value): &(&str, String)| ((*name).to_owned(), value.clone());
        Self {
            program: version.program(),
            folder: folder.to_owned(),
            config: config.to_owned(),
            environment: environment.iter().map(own).collect(),
            port,
            child: None,
        }
    }

    /// Starts it again, as it was.
    pub fn run(&mut self) {
        let mut child = Command::new(&self.program)
            .arg("-c")
            .arg(&self.config)
            .envs(self.environment.iter().cloned())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let (ready, wait) = mpsc::channel();
        // Reads on to its end, or the server would wait for somebody to.
        std::thread::spawn(move || {
            let mut said = String::new();
            for line in log.lines().map_while(Result::ok) {
                if line.contains("Server is ready") {
                    ready.send(Ok(())).ok();
                } else if said.len() < 1 << 16 {
                    said.push_str(&line);
                    said.push('\n');
                }
            }
            ready.send(Err(said)).ok();
        });
        match wait.recv_timeout(START) {
            Ok(Ok(())) => self.child = Some(child),
            ended => {
                child.kill().ok();
                child.wait().ok();
                panic!("the server did not start: {ended:?}");
            }
        }
    }

    /// Kills it, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its process.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Where everything it keeps lies.
    pub fn store(&self) -> PathBuf {
        self.folder.join("store")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}
