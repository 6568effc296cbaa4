//! Writes the site of the sample programme, twice, and entries of every sort for the members'
//! calendar, and has them read by two programs that are not ours. The same Python holds the
//! calendar servers of the end-to-end tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::step::status;
use crate::workspace::{cargo, root};

/// Language, day and address of the sites that are read.
const SITES: [[&str; 3]; 2] = [
    ["fr", "2027-01-02", "https://programme.example.org"],
    ["en", "2027-01-20", ""],
];

pub(crate) fn run() -> Result<()> {
    let python = crate::python::interpreter()?;
    let out = crate::cache::folder()?.join("calendars");
    if out.exists() {
        std::fs::remove_dir_all(&out)?;
    }
    let mut calendars = Vec::new();
    for (index, [lang, day, address]) in SITES.into_iter().enumerate() {
        let folder = out.join(index.to_string());
        std::fs::create_dir_all(&folder)?;
        let mut write = cargo();
        write
            .args([
                "run",
                "--quiet",
                "--locked",
                "-p",
                "raccord-connector-website",
            ])
            .args(["--example", "sample_site", "--"])
            .arg(&folder)
            .args([lang, day]);
        if !address.is_empty() {
            write.arg(address);
        }
        status(write)?;
        calendars.extend(found(&folder)?);
    }
    ensure!(!calendars.is_empty(), "the site has no calendar");
    let entries = out.join("entries");
    std::fs::create_dir_all(&entries)?;
    let mut write = cargo();
    write
        .args(["run", "--quiet", "--locked", "-p"])
        .arg("raccord-connector-nextcloud-calendar")
        .args(["--example", "sample_entries", "--"])
        .arg(&entries);
    status(write)?;
    calendars.extend(found(&entries)?);
    let mut read = Command::new(python);
    read.arg(root().join("connectors/website/tests/check_calendar.py"))
        .args(&calendars)
        .stdout(std::process::Stdio::null());
    status(read)?;
    println!(
        "{} calendars read alike by icalendar and vobject",
        calendars.len()
    );
    Ok(())
}

/// Every `.ics` file below `folder`.
fn found(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(found(&path)?);
        } else if path.extension().is_some_and(|end| end == "ics") {
            files.push(path);
        }
    }
    Ok(files)
}
