//! A real browser: Chromium, the machine's own or, for who may install it, Debian's.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::step::status;

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// The name of a browser that starts; one is installed where that is allowed.
pub(crate) fn chromium() -> Result<String> {
    if let Some(found) = found() {
        return Ok(found);
    }
    // Root alone may; elsewhere it is somebody's own machine, and their choice.
    let root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    if !root {
        bail!("Chromium is needed (Debian: apt install chromium), or its name in CHROMIUM");
    }
    println!("installing Chromium, once ...");
    for words in [
        &["update", "-qq"][..],
        &[
            "install",
            "-y",
            "-qq",
            "--no-install-recommends",
            "chromium",
        ],
    ] {
        let mut apt = Command::new("apt-get");
        apt.args(words)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdout(Stdio::null());
        status(apt).context("Chromium is needed and could not be installed")?;
    }
    found().context("Chromium was installed and does not start")
}

fn found() -> Option<String> {
    let own = std::env::var("CHROMIUM").ok();
    own.into_iter()
        .chain(NAMES.map(str::to_owned))
        .find(|name| {
            Command::new(name)
                .arg("--version")
                .output()
                .is_ok_and(|output| output.status.success())
        })
}
