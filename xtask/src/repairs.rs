//! `docs/repairing.md`: who can mend what, made of the `repair.toml` of the kit and of each
//! connector that has one.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};

use crate::workspace::{cargo, root};

const PAGE: &str = "docs/repairing.md";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only compare; fail if something would be written.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let page = made()?;
    let path = root().join(PAGE);
    let same = std::fs::read_to_string(&path).ok().as_ref() == Some(&page);
    if !args.check && !same {
        std::fs::write(&path, page).with_context(|| format!("cannot write {PAGE}"))?;
        println!("wrote {PAGE}");
        return Ok(());
    }
    ensure!(
        same,
        "{PAGE} is not what would be made: run `cargo xtask repairs`"
    );
    println!("{PAGE} is up to date");
    Ok(())
}

/// Compares the page with what it is made of.
pub(crate) fn check() -> Result<()> {
    run(&Args { check: true })
}

fn made() -> Result<String> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(root().join("connectors"))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("repair.toml").is_file())
        .collect();
    folders.sort();
    folders.push(root().join("crates/raccord-kit"));
    let output = cargo()
        .args(["run", "--quiet", "--locked", "--package", "raccord-kit"])
        .args(["--features", "testing", "--example", "repairs", "--"])
        .args(&folders)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    ensure!(output.status.success(), "the page cannot be made");
    String::from_utf8(output.stdout).context("the page is text")
}
