//! The EtherCalc that tests read from: the program as its authors last gave it to the npm registry,
//! with the packages of `ethercalc/package-lock.json`, in the cache folder.

use std::process::Command;

use anyhow::{Context, Result};

use crate::step::status;

const PACKAGE: &str = include_str!("../ethercalc/package.json");
const LOCK: &str = include_str!("../ethercalc/package-lock.json");

pub(crate) fn run() -> Result<()> {
    let home = crate::cache::folder()?.join("ethercalc");
    let stamp = home.join("installed.json");
    let program = home.join("node_modules/ethercalc/bin/ethercalc");
    if !std::fs::read_to_string(&stamp).is_ok_and(|made| made == LOCK) || !program.is_file() {
        if home.exists() {
            std::fs::remove_dir_all(&home)?;
        }
        std::fs::create_dir_all(&home)?;
        std::fs::write(home.join("package.json"), PACKAGE)?;
        std::fs::write(home.join("package-lock.json"), LOCK)?;
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .arg("--silent")
            .current_dir(&home);
        status(npm).context("npm and Node.js are needed (Debian: apt install npm)")?;
        // It looks for the program of its sheets below itself, where npm no longer puts it.
        let own = home.join("node_modules/ethercalc/node_modules");
        std::fs::create_dir_all(&own)?;
        if !own.join("socialcalc").exists() {
            std::os::unix::fs::symlink("../../socialcalc", own.join("socialcalc"))?;
        }
        std::fs::write(&stamp, LOCK)?;
    }
    println!("{}", program.display());
    Ok(())
}
