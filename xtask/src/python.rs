//! Pythons with the packages of a list, in the cache folder: for checks by programs that are not
//! ours.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::step::status;

const WANTED: &str = include_str!("../requirements.txt");

/// The interpreter with what most checks need.
pub(crate) fn interpreter() -> Result<PathBuf> {
    with("python", WANTED)
}

/// The interpreter of environment `name`, which is made, or made again when `wanted`, its list of
/// packages, changed.
pub(crate) fn with(name: &str, wanted: &str) -> Result<PathBuf> {
    let home = crate::cache::folder()?.join(name);
    let python = home.join("bin/python");
    let stamp = home.join("requirements.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) {
        return Ok(python);
    }
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(&home);
    status(make).context("python3 with venv is needed (Debian: apt install python3-venv)")?;
    let list = home.join("wanted.txt");
    std::fs::write(&list, wanted)?;
    let mut install = Command::new(&python);
    install
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--only-binary=:all:",
            "--require-hashes",
            "-r",
        ])
        .arg(&list);
    status(install).context("cannot install the Python packages the checks need")?;
    std::fs::rename(&list, &stamp)?;
    Ok(python)
}
