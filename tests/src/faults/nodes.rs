//! Three nodes, each on a machine of its own: a folder, a clock that can be made to jump, and ways to
//! the servers.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use raccord_bus::jetstream::servers::{free_port, jumping_clock};
use rustix::process::Signal;
use serde_json::Value;

use super::PLACES;
use super::servers::THREE;
use crate::place::Place;
use crate::process::Process;
use crate::working::{TOKEN, posted, talk};

/// What the nodes are called.
pub(super) const NODES: [&str; THREE] = ["north", "south", "west"];

/// How long an answer is waited for.
const ANSWER: Duration = Duration::from_secs(3);

/// A node.
pub(super) struct Node {
    name: &'static str,
    place: Place,
    /// How far its clock is off, for `libfaketime`.
    clock: PathBuf,
    log: PathBuf,
    running: Mutex<Option<Running>>,
}

struct Running {
    process: Process,
    address: SocketAddr,
}

/// What all nodes share: where the sheets and the sites lie, who is told, which servers there are.
pub(super) struct Shared<'a> {
    pub(super) folder: &'a Path,
    pub(super) receivers: Vec<SocketAddr>,
    pub(super) servers: String,
}

impl Shared<'_> {
    fn settings(&self, node: &str) -> Vec<(String, String)> {
        let one = |(place, receiver): (&&str, &SocketAddr)| {
            let shared = self.folder.display();
            let mut text = format!(
                "[place]\nid = \"{place}\"\nname = \"{place}\"\ntimezone = \"Europe/Paris\"\nlanguage = \"fr\"\n\
                 data = \"../data/{place}\"\nbus = \"{}\"\n[cluster]\nnode = \"{node}\"\nreplicas = 3\n\
                 [web]\nlisten = \"LISTEN\"\nadmin_token = \"{TOKEN}\"\n\
                 [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"{shared}/{place}.csv\"\n\
                 [connectors.site]\nkind = \"website\"\noutput = \"{shared}/sites/{place}\"\n\
                 [connectors.hook]\nkind = \"webhook\"\nurl = \"http://{receiver}/in\"\n\
                 [guards]\nsecond_look = \"0s\"\ncancel_count = 10000\nchange_count = 10000\n",
                self.servers
            );
            if *place == PLACES[0] {
                // One place is enough of what costs most.
                write!(
                    text,
                    "[connectors.printed]\nkind = \"programme\"\noutput = \"{shared}/printed\"\n"
                )
                .expect("memory takes every write");
            }
            (format!("{place}.toml"), text)
        };
        PLACES.iter().zip(&self.receivers).map(one).collect()
    }
}

impl Node {
    /// A node, not started yet.
    pub(super) fn new(name: &'static str, shared: &Shared<'_>) -> Result<Self> {
        let files = shared.settings(name);
        let files: Vec<(&str, String)> = files
            .iter()
            .map(|(name, text)| (name.as_str(), text.clone()))
            .collect();
        let node = Self {
            name,
            place: Place::several(&files)?,
            clock: shared.folder.join(format!("{name}.clock")),
            log: shared.folder.join(format!("{name}.log")),
            running: Mutex::new(None),
        };
        node.clock_is_off(0)?;
        Ok(node)
    }

    /// Starts it; it is not waited for.
    pub(super) fn start(&self) -> Result<()> {
        let mut running = self.running();
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        for place in PLACES {
            let file = self.place.path(format!("places/{place}.toml"));
            let text = fs::read_to_string(&file)?;
            let lines = text.lines().map(|line| match line.split_once(" = ") {
                Some(("listen", _)) => format!("listen = \"{address}\"\n"),
                _ => format!("{line}\n"),
            });
            fs::write(&file, lines.collect::<String>())?;
        }
        let log = File::options().create(true).append(true).open(&self.log)?;
        let program = self.place.command(&["run"])?;
        let mut command = Command::new("env");
        command
            // A full disk is played by a limit on the size of files, which must not end it.
            .arg("--ignore-signal=XFSZ")
            .arg(program.get_program())
            .args(program.get_args())
            .envs(
                program
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .env("LD_PRELOAD", jumping_clock())
            .env("FAKETIME_TIMESTAMP_FILE", &self.clock)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        *running = Some(Running {
            process: Process::of(command.spawn()?),
            address,
        });
        Ok(())
    }

    /// Kills it.
    pub(super) fn kill(&self) -> Result<()> {
        match self.running().take() {
            Some(mut running) => running.process.kill(),
            None => Ok(()),
        }
    }

    /// Asks it to end, and waits until it has.
    pub(super) fn leave(&self) -> Result<()> {
        // Whoever asks it something meanwhile is not kept waiting.
        let running = self.running().take();
        let mut running = running.context("it runs")?;
        running.process.signal(Signal::TERM)?;
        let status = running.process.ends_within(Duration::from_secs(60))?;
        let status = status.with_context(|| format!("{} does not end", self.name))?;
        // One that still starts does not listen yet: it ends at once, as if it were killed.
        let at_once = status.signal() == Some(Signal::TERM.as_raw());
        ensure!(
            status.success() || at_once,
            "{} ended with {status}",
            self.name
        );
        Ok(())
    }

    /// How it ended, where it did by itself.
    pub(super) fn ended(&self) -> Result<Option<String>> {
        match &mut *self.running() {
            Some(running) => Ok(running.process.ended()?.map(|status| status.to_string())),
            None => Ok(None),
        }
    }

    /// Sends it a signal.
    pub(super) fn signal(&self, signal: Signal) -> Result<()> {
        let running = self.running();
        running.as_ref().context("it runs")?.process.signal(signal)
    }

    /// None of its files grows, or they do again.
    pub(super) fn disk_is_full(&self, full: bool) -> Result<()> {
        let running = self.running();
        let running = running.as_ref().context("it runs")?;
        running.process.disk_is_full(full)
    }

    /// From now on its clock is off by so many seconds.
    pub(super) fn clock_is_off(&self, seconds: i64) -> Result<()> {
        let part = self.clock.with_extension("part");
        fs::write(&part, format!("{seconds:+}\n"))?;
        Ok(fs::rename(part, &self.clock)?)
    }

    /// Deletes everything it keeps; it must not run.
    pub(super) fn loses_its_folder(&self) -> Result<()> {
        match fs::remove_dir_all(self.place.path("data")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// The places it works for, and those of them that are mute; none where it does not answer.
    pub(super) fn holds(&self) -> Option<(BTreeSet<&'static str>, BTreeSet<&'static str>)> {
        let request = "GET /readyz HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n";
        let (_, text) = self.ask(request, Duration::from_millis(700)).ok()?;
        let (_, body) = text.split_once("\r\n\r\n")?;
        let told: Value = serde_json::from_str(body).ok()?;
        let said = |place: &str, list: &str, code: Option<&str>| {
            let said = told[list].as_array().into_iter().flatten();
            let mut of = said.filter(|it| it["place"] == place);
            of.any(|it| code.is_none_or(|code| it["code"] == code))
        };
        let works = |place: &&'static str| {
            !said(place, "reasons", None) && !said(place, "notes", Some("elsewhere"))
        };
        let mute = |place: &&'static str| {
            said(place, "notes", Some("mute")) || said(place, "reasons", Some("mute"))
        };
        let muted = PLACES.iter().copied().filter(mute).collect();
        let held = told["ready"].is_boolean();
        held.then(|| (PLACES.iter().copied().filter(works).collect(), muted))
    }

    /// Posts an activity; whether it was taken.
    pub(super) fn post(&self, place: &str, subject: &str) -> bool {
        let request = posted(&format!("/p/{place}/v1/events"), subject);
        self.ask(&request, ANSWER)
            .is_ok_and(|(code, _)| (200..300).contains(&code))
    }

    fn ask(&self, request: &str, limit: Duration) -> Result<(u16, String)> {
        let address = self.running().as_ref().map(|running| running.address);
        talk(address.context("it runs")?, request, limit)
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until it is so; gives how long that took, or none when `limit` passed first.
pub(super) fn wait_until(limit: Duration, mut is_so: impl FnMut() -> bool) -> Option<Duration> {
    let began = Instant::now();
    loop {
        if is_so() {
            return Some(began.elapsed());
        }
        if began.elapsed() > limit {
            return None;
        }
        super::pause(Duration::from_millis(50));
    }
}
