//! The audit of dependencies, by cargo-deny and `deny.toml`.
//!
//! Licences, sources, bans and duplicates need nothing from outside and are always checked.
//! Advisories need their database: where it cannot be reached this says so, in plain words, and
//! `--advisories` makes that a failure.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::step::status;
use crate::workspace::{cargo, root};

/// The version everybody uses: its verdicts change between versions.
const VERSION: &str = "0.20.2";

#[derive(clap::Args, Default)]
pub(crate) struct Args {
    /// Fail when the advisories cannot be checked.
    #[arg(long)]
    advisories: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let program = program()?;
    check(
        &program,
        &["--hide-inclusion-graph", "licenses", "sources", "bans"],
    )?;
    let fetched = Command::new(&program)
        .args(["--locked", "fetch", "db"])
        .current_dir(root())
        .env("GIT_TERMINAL_PROMPT", "0")
        .output()
        .context("cannot start cargo-deny")?;
    if fetched.status.success() {
        return check(&program, &["--disable-fetch", "advisories"]);
    }
    println!(
        "advisories NOT checked: their database cannot be reached from here. \
         Run `cargo xtask deny --advisories` where it can."
    );
    anyhow::ensure!(!args.advisories, "the advisories could not be checked");
    Ok(())
}

fn check(program: &Path, what: &[&str]) -> Result<()> {
    let mut command = Command::new(program);
    command
        .args(["--locked", "check"])
        .args(what)
        .current_dir(root());
    status(command)
}

/// cargo-deny of the right version: the machine's own, or the cached one, built if missing.
fn program() -> Result<PathBuf> {
    let fits = |program: &Path| {
        Command::new(program)
            .arg("--version")
            .output()
            .is_ok_and(|output| {
                String::from_utf8_lossy(&output.stdout)
                    .trim()
                    .ends_with(VERSION)
            })
    };
    let own = PathBuf::from("cargo-deny");
    if fits(&own) {
        return Ok(own);
    }
    let home = crate::cache::folder()?.join(format!("cargo-deny-{VERSION}"));
    let cached = home.join("bin/cargo-deny");
    if !fits(&cached) {
        println!("building cargo-deny {VERSION}, once ...");
        let mut install = cargo();
        // Unoptimised: it runs for a second and would otherwise be built for minutes.
        install
            .args([
                "install",
                "--quiet",
                "--locked",
                "--debug",
                "cargo-deny",
                "--version",
                VERSION,
            ])
            .arg("--root")
            .arg(&home)
            .arg("--target-dir")
            .arg(home.join("build"))
            .env("CARGO_PROFILE_DEV_DEBUG", "0");
        status(install)?;
        std::fs::remove_dir_all(home.join("build")).context("cannot clear the build folder")?;
    }
    Ok(cached)
}
