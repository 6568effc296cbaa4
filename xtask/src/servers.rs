//! The NATS servers that tests start: the present one, from the Python registry, which carries the
//! program as it was released; and Debian's 2.9, unpacked and not installed.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::step::status;

/// What Debian's must be: a later one would not be the one that people have.
const DEBIANS: &str = "v2.9.";

pub(crate) fn run() -> Result<()> {
    let folder = crate::cache::folder()?.join("servers");
    std::fs::create_dir_all(&folder)?;
    let python = crate::python::interpreter()?;
    let installed = python.with_file_name("nats-server");
    put(&installed, &folder.join("nats-server"))?;
    let debians = folder.join("nats-server-2.9");
    if !version(&debians).is_ok_and(|found| found.contains(DEBIANS)) {
        unpack_debians(&folder, &debians)?;
    }
    for name in ["nats-server", "nats-server-2.9"] {
        let program = folder.join(name);
        println!("{}: {}", program.display(), version(&program)?.trim());
    }
    Ok(())
}

fn unpack_debians(folder: &Path, to: &Path) -> Result<()> {
    let scratch = folder.join("debian");
    if scratch.exists() {
        std::fs::remove_dir_all(&scratch)?;
    }
    std::fs::create_dir_all(&scratch)?;
    let download = || {
        let mut apt = Command::new("apt-get");
        apt.args(["-qq", "download", "nats-server"])
            .current_dir(&scratch);
        status(apt)
    };
    if download().is_err() {
        // A machine that never asked what there is.
        let mut update = Command::new("apt-get");
        update.args(["-qq", "update"]);
        status(update)
            .and_then(|()| download())
            .context("Debian's nats-server could not be fetched")?;
    }
    let package = std::fs::read_dir(&scratch)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|end| end == "deb"))
        .context("apt-get fetched no package")?;
    let mut unpack = Command::new("dpkg");
    unpack.arg("-x").arg(&package).arg(&scratch);
    status(unpack)?;
    put(&scratch.join("usr/sbin/nats-server"), to)?;
    std::fs::remove_dir_all(&scratch)?;
    let found = version(to)?;
    ensure!(
        found.contains(DEBIANS),
        "Debian's nats-server is {found}, and not {DEBIANS}"
    );
    Ok(())
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
