//! `raccord demo`: the story that it tells by itself, in both languages, and a place to play with that
//! leaves nothing behind.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use raccord_tests::place::program;
use raccord_tests::process::Process;
use raccord_tests::visitor::Visitor;
use rustix::process::Signal;
use serde_json::Value;

fn demo(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(program().unwrap());
    command
        .args(["demo"])
        .args(words)
        .env("TMPDIR", folder)
        // What would change the place of whoever has it set.
        .env("RACCORD__PLACE__NAME", "Elsewhere")
        .stdin(Stdio::null());
    command
}

/// What it says, without what differs from run to run.
fn said(lang: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let words = ["--headless", "--lang", lang];
    let output = demo(folder.path(), &words).output().unwrap();
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{wrong}");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(steady).collect()
}

/// A line without ids, hours and how long it took.
fn steady(line: &str) -> String {
    let word = |word: &str| {
        let hex = word.chars().filter(char::is_ascii_hexdigit).count();
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let hour = bare.starts_with(|c: char| c.is_ascii_digit())
            && (bare.contains("\u{a0}h") || bare.contains("\u{202f}h") || bare.contains(':'));
        match bare {
            "" => word.to_owned(),
            _ if bare.len() == 36 && hex >= 32 => word.replace(bare, "ID"),
            _ if hour => word.replace(bare, "HOUR"),
            _ => word.to_owned(),
        }
    };
    let words: Vec<String> = line.split(' ').map(word).collect();
    let mut line = words.join(" ");
    for begins in ["En ", "In "] {
        if line.starts_with(begins)
            && let Some((_, rest)) = line.split_once("s. ")
        {
            line = format!("{begins}… {rest}");
        }
    }
    line.push('\n');
    line
}

fn told_as(lang: &str) {
    let file = Path::new("samples/demo").join(format!("{lang}.txt"));
    let said = said(lang);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &said).unwrap();
    }
    assert_eq!(said, std::fs::read_to_string(&file).unwrap());
}

#[test]
fn the_story_is_told_in_french() {
    told_as("fr");
}

#[test]
fn the_story_is_told_in_english() {
    told_as("en");
}

#[test]
fn machines_are_told_what_was_counted_and_the_folder_is_kept_where_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept");
    let words = ["--headless", "--json", "--keep", kept.to_str().unwrap()];
    let output = demo(folder.path(), &words).output().unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["done"], true, "{told}");
    assert_eq!(told["counted"]["credits"], 1);
    assert_eq!(told["counted"]["messages-made"], 5);
    let steps: Vec<_> = told["steps"].as_array().unwrap().iter().collect();
    assert!(steps.iter().all(|step| step["text"].is_string()));
    assert!(kept.join("programme.csv").is_file());

    // A folder that holds something is nobody's to fill.
    let output = demo(folder.path(), &words).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}

fn playing(folder: &Path) -> (Process, Value) {
    let mut child: Child = demo(folder, &["--json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let out = child.stdout.take().unwrap();
    BufReader::new(out).read_line(&mut line).unwrap();
    (Process::of(child), serde_json::from_str(&line).unwrap())
}

#[test]
fn a_line_that_somebody_adds_is_seen_on_the_page_and_nothing_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (mut process, told) = playing(folder.path());
    let of = |name: &str| told[name].as_str().unwrap().to_owned();
    let port = |address: &str| -> u16 {
        let end = address.rsplit(':').next().unwrap();
        end.trim_matches(|c: char| !c.is_ascii_digit())
            .parse()
            .unwrap()
    };
    let (page, site) = (port(&of("page")), port(&of("programme")));
    let (sheet, line) = (of("sheet"), of("line"));
    let title = line.split(',').nth(3).unwrap();
    let text = std::fs::read_to_string(&sheet).unwrap();
    std::fs::write(&sheet, format!("{text}{line}\n")).unwrap();
    let until = std::time::Instant::now() + Duration::from_secs(60);
    loop {
        let shown = Visitor::at(page).get("/").unwrap().text;
        // In the sheet, the calendar and the chat.
        if shown.matches(title).count() >= 4 && shown.contains("programme-") {
            break;
        }
        assert!(std::time::Instant::now() < until, "{shown}");
        std::thread::park_timeout(Duration::from_millis(50));
    }
    assert_eq!(Visitor::at(site).get("/hands").unwrap().status, 200);
    assert_eq!(
        Visitor::at(page)
            .get("/out/../raccord.toml")
            .unwrap()
            .status,
        404
    );
    process.signal(Signal::INT).unwrap();
    let ended = process.ends_within(Duration::from_secs(20)).unwrap();
    assert!(ended.is_some_and(|status| status.success()));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    assert!(Visitor::at(site).get("/").is_err(), "the daemon has ended");
}
