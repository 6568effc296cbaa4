//! The followers of `examples/followers`, run as they are: a server, a place at work on it, and two
//! programs that hear what happened, and then only what came since.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::step::status;
use crate::watched;
use crate::workspace::root;

/// The sheet, line by line: what the followers are to say of each.
const LINES: [(&str, &str); 3] = [
    ("Concert,02/01/2027,18h30", "activity created: Concert"),
    ("Marché,03/01/2027,9h", "activity created: Marché"),
    ("Bal,04/01/2027,20h", "activity created: Bal"),
];

/// How long a follower has to hear what happened.
const PATIENCE: Duration = Duration::from_mins(2);

/// A process that ends with its handle.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

pub(crate) fn run() -> Result<()> {
    let cache = crate::cache::folder()?;
    let work = cache.join("followers");
    if work.exists() {
        std::fs::remove_dir_all(&work)?;
    }
    std::fs::create_dir_all(&work)?;
    let python = crate::python::interpreter()?;
    let script = install(&work)?;
    let (port, web) = (free()?, free()?);
    let address = format!("nats://127.0.0.1:{port}");
    let config = format!(
        "listen: \"127.0.0.1:{port}\"\njetstream {{ store_dir: \"{}\" }}\n",
        work.join("store").display()
    );
    std::fs::write(work.join("nats.conf"), config)?;
    let mut server = Command::new(cache.join("servers/nats-server"));
    server.arg("-c").arg(work.join("nats.conf"));
    let _server = until(server, "Server is ready")?;

    std::fs::write(work.join("raccord.toml"), place(&address, web))?;
    write_sheet(&work, 2)?;
    let mut program = Command::new(program()?);
    program
        .arg("--config")
        .arg(work.join("raccord.toml"))
        .args(["--json", "run"])
        .env("RACCORD_NOW", "2026-12-20T08:00:00Z");
    let _place = until(program, "Raccord is at work")?;

    let followers = || {
        let mut one = Command::new(&python);
        one.arg(root().join("examples/followers/follow.py"));
        let mut other = Command::new("node");
        other.arg(&script);
        [one, other]
    };
    for mut follower in followers() {
        heard(follower.args([&address, "halle", "2"]), &LINES[..2])?;
    }
    write_sheet(&work, 3)?;
    for mut follower in followers() {
        heard(follower.args([&address, "halle", "1"]), &LINES[2..])?;
    }
    println!("both followers heard of 3 events, once each");
    Ok(())
}

/// The script with what it needs, beside neither the sources nor the lock of the example.
fn install(work: &Path) -> Result<PathBuf> {
    for name in ["follow.mjs", "package.json", "package-lock.json"] {
        std::fs::copy(
            root().join("examples/followers").join(name),
            work.join(name),
        )?;
    }
    let mut npm = Command::new("npm");
    npm.args([
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--silent",
    ])
    .current_dir(work);
    status(npm).context("npm and Node.js 20 or later are needed (Debian: apt install npm)")?;
    Ok(work.join("follow.mjs"))
}

fn place(address: &str, web: u16) -> String {
    format!(
        "[place]\nid = \"halle\"\nname = \"La halle\"\ntimezone = \"Europe/Paris\"\nlanguage = \"fr\"\nbus = \"{address}\"\n\
         [web]\nlisten = \"127.0.0.1:{web}\"\n\
         [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"programme.csv\"\n"
    )
}

fn write_sheet(work: &Path, lines: usize) -> Result<()> {
    let lines: Vec<&str> = LINES[..lines].iter().map(|(line, _)| *line).collect();
    let text = format!("Titre,Date,Heure\n{}\n", lines.join("\n"));
    std::fs::write(work.join("programme.part"), text)?;
    Ok(std::fs::rename(
        work.join("programme.part"),
        work.join("programme.csv"),
    )?)
}

/// The program, as the step before built it.
fn program() -> Result<PathBuf> {
    let here = std::env::current_exe()?;
    let folder = here.parent().context("a program lies in a folder")?;
    Ok(folder.join("raccord"))
}

fn free() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Starts a program, and waits until it says that it is ready.
fn until(mut program: Command, ready: &str) -> Result<Running> {
    let mut child = program
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{program:?} does not start"))?;
    let said = child.stderr.take().context("it is heard")?;
    let running = Running(child);
    let mut lines = BufReader::new(said).lines();
    let mut all = String::new();
    for line in lines.by_ref().map_while(Result::ok) {
        all.push_str(&line);
        all.push('\n');
        if line.contains(ready) {
            // It goes on being heard, or it would wait for somebody to.
            std::thread::spawn(move || lines.for_each(drop));
            return Ok(running);
        }
    }
    anyhow::bail!("{program:?} ended: {all}")
}

/// Runs a follower, which is to say these lines in any order.
fn heard(follower: &mut Command, lines: &[(&str, &str)]) -> Result<()> {
    let ended =
        watched::run(follower, PATIENCE).with_context(|| format!("{follower:?} does not start"))?;
    let mut said: Vec<&str> = ended.stdout.lines().collect();
    said.sort_unstable();
    let mut wanted: Vec<&str> = lines.iter().map(|(_, wanted)| *wanted).collect();
    wanted.sort_unstable();
    ensure!(
        ended.status.is_some_and(|status| status.success()) && said == wanted,
        "{follower:?} said {said:?}\n{}",
        ended.stderr
    );
    Ok(())
}
