//! Writes sites of the sample programme, the program's own pages and letters, and has every kind of
//! page read in a real browser: by axe-core, from the keyboard, on narrow screens, with large text.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::step::status;
use crate::workspace::{cargo, root};

/// Where the pictures that were looked at are kept.
const PICTURES: &str = "connectors/website/tests/pictures";
/// And those of letters.
const LETTERS: &str = "connectors/newsletter/tests/pictures";

#[derive(clap::Args, Default)]
pub(crate) struct Args {
    /// Takes the pictures that were looked at once more; `git diff` then tells which changed.
    #[arg(long)]
    pictures: bool,
}

/// A site: its folder, and language, day, address, number of lines, colour, and how many activities
/// another place offers.
const SITES: [(&str, [&str; 6]); 5] = [
    (
        "sample",
        [
            "fr",
            "2027-01-02",
            "https://programme.example.org",
            "",
            "",
            "",
        ],
    ),
    ("tinted", ["en", "2027-01-12", "", "", "#ffd400", "9"]),
    ("long", ["fr", "2027-01-02", "", "120", "#0b6b53", ""]),
    ("short", ["fr", "2027-01-02", "", "5", "", ""]),
    ("empty", ["fr", "2027-01-02", "", "0", "", ""]),
];

pub(crate) fn run(args: &Args) -> Result<()> {
    let browser = crate::browser::chromium()?;
    let python = crate::python::interpreter()?;
    let out = crate::cache::folder()?.join("pages");
    if out.exists() {
        std::fs::remove_dir_all(&out)?;
    }
    for (name, words) in SITES {
        let folder = out.join(name);
        std::fs::create_dir_all(&folder)?;
        example("raccord-connector-website", "sample_site", &folder, &words)?;
    }
    for name in ["sample", "long", "empty"] {
        let list = out.join(name).join("activities.json");
        let own = out.join(format!("{name}-own")).display().to_string();
        example("raccord-web", "sample_pages", &list, &[&own])?;
    }
    let mut read = Command::new(&python);
    read.arg(root().join("connectors/website/tests/check_pages.py"))
        .arg(&browser);
    if args.pictures {
        read.arg("--pictures").arg(root().join(PICTURES));
    }
    read.args(pages(&out)?);
    status(read)?;
    let letters = out.join("letters");
    example(
        "raccord-connector-newsletter",
        "sample_letter",
        &letters,
        &[],
    )?;
    let mut read = Command::new(python);
    read.arg(root().join("connectors/newsletter/tests/check_letters.py"))
        .arg(browser);
    if args.pictures {
        read.arg("--pictures").arg(root().join(LETTERS));
    }
    read.args(["week.html", "month.html", "week-en.html"].map(|name| letters.join(name)));
    status(read)
}

/// Runs an example of a package with a path and more words.
fn example(package: &str, name: &str, path: &Path, words: &[&str]) -> Result<()> {
    let mut run = cargo();
    run.args(["run", "--quiet", "--locked", "-p", package])
        .args(["--example", name, "--"])
        .arg(path)
        .args(words);
    status(run)
}

/// Every kind of page, some tinted, some in English; of a folder its first page.
const PAGES: [&str; 16] = [
    "sample/index.html",
    "sample/2027-01.html",
    "sample/404.html",
    "sample/weeks",
    "sample/kinds",
    "sample/activities",
    "sample-own/programme.html",
    "sample-own/embed.html",
    "tinted/index.html",
    "tinted/activities",
    "tinted/around.html",
    "long/index.html",
    "long/2027-01.html",
    "long-own/embed-2.html",
    "short/index.html",
    "empty/index.html",
];

fn pages(out: &Path) -> Result<Vec<PathBuf>> {
    let html = |path: &PathBuf| path.extension().is_some_and(|end| end == "html");
    let page = |name: &&str| {
        let path = out.join(name);
        if path.is_dir() {
            let entries = std::fs::read_dir(&path)?.collect::<std::io::Result<Vec<_>>>()?;
            let first = entries
                .iter()
                .map(std::fs::DirEntry::path)
                .filter(html)
                .min();
            first.with_context(|| format!("{name} holds no page"))
        } else {
            ensure!(path.exists(), "{name} was not written");
            Ok(path)
        }
    };
    let mut all: Vec<PathBuf> = PAGES.iter().map(page).collect::<Result<_>>()?;
    all.extend(sign_up_pages(out)?);
    Ok(all)
}

/// Every page on which people sign up, in both languages.
fn sign_up_pages(out: &Path) -> Result<Vec<PathBuf>> {
    let mut pages: Vec<PathBuf> = std::fs::read_dir(out.join("sample-own"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    pages.retain(|path| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with("hands-"))
    });
    pages.sort();
    ensure!(!pages.is_empty(), "no sign-up page was written");
    Ok(pages)
}
