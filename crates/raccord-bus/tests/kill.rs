//! `kill -9` at random moments: every acknowledged commit is there, and nothing is half done.
//!
//! Its own program, for the child is the same program again.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use jiff::Timestamp;
use raccord_bus::{Log, LogRead, SlotWrite, SqliteLog};
use raccord_model::PlaceId;

const KILLS: u32 = 30;

fn main() {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    match &arguments[..] {
        [child, data] if child == "--child" => write_until_killed(Path::new(data)),
        // Runners that ask for the list first get it in their words.
        _ if has("--list") && !has("--ignored") => println!("nothing_acknowledged_is_lost: test"),
        _ if has("--list") => {}
        _ => nothing_acknowledged_is_lost(),
    }
}

fn place() -> PlaceId {
    "raffinerie".parse().unwrap()
}

fn body(number: u64) -> Vec<u8> {
    format!("decision {number};")
        .repeat(1 + number as usize * 31 % 900)
        .into_bytes()
}

fn state(number: u64) -> Vec<u8> {
    (0..400_000_u64)
        .flat_map(|word| (word * word * number).to_le_bytes())
        .collect()
}

/// Appends, and between appends writes snapshots and lets go of the past, as a daemon does.
fn write_until_killed(data: &Path) {
    let mut log = SqliteLog::open(data, &place()).unwrap().log;
    let mut out = std::io::stdout().lock();
    loop {
        let number = log.head().number + 1;
        let slots = [SlotWrite {
            slot: "counter".to_owned(),
            value: Some(number.to_string()),
        }];
        log.append(
            Timestamp::from_second(number as i64).unwrap(),
            &body(number),
            &slots,
        )
        .unwrap();
        writeln!(out, "{number}").unwrap();
        if number.is_multiple_of(40) {
            log.begin_snapshot(number, state(number)).unwrap();
        } else if number % 40 == 20
            && let Some(last) = log.snapshots().unwrap().last()
        {
            log.forget_before(last.head.number + 1).unwrap();
        }
        log.upkeep().unwrap();
    }
}

fn nothing_acknowledged_is_lost() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let mut word = 20_270_102_u32;
    let mut random = |below: u32| {
        word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (word >> 8) % below
    };
    let mut acknowledged = 0;
    let mut extra = 0;
    for round in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("--child")
            .arg(&data)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for line in lines.by_ref().take(1 + random(120) as usize) {
            acknowledged = line.unwrap().parse().unwrap();
        }
        // Somewhere within the next append or two.
        let now = std::time::Instant::now();
        let wait = std::time::Duration::from_micros(u64::from(random(3000)));
        while now.elapsed() < wait {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines {
            // A line that was cut by the kill was not an answer.
            acknowledged = line
                .unwrap()
                .parse()
                .unwrap_or(acknowledged)
                .max(acknowledged);
        }
        extra += check(&data, acknowledged, round);
    }
    println!("{KILLS} kills, {acknowledged} commits acknowledged, {extra} stood without an answer");
}

/// Checks what stands; how many commits stand that were not acknowledged.
fn check(data: &Path, acknowledged: u64, round: u32) -> u64 {
    let opened = SqliteLog::open(data, &place()).unwrap();
    assert!(!opened.past.copied);
    let log = opened.log;
    let head = log.head().number;
    assert!(
        head >= acknowledged,
        "round {round}: {acknowledged} was acknowledged, {head} stands"
    );
    assert!(head <= acknowledged + 1, "one append at a time");
    let mut next = log.floor().number + 1;
    loop {
        let commits = log.commits(next, 1 << 20).unwrap();
        if commits.is_empty() {
            break;
        }
        for commit in commits {
            assert_eq!(commit.number, next);
            assert!(commit.body == body(next), "round {round}, commit {next}");
            next += 1;
        }
    }
    assert_eq!(next, head + 1);
    assert_eq!(
        log.slot("counter").unwrap(),
        Some(head.to_string()),
        "with its commit"
    );
    for info in log.snapshots().unwrap() {
        let number = info.head.number;
        assert!(
            log.snapshot(number).unwrap().body == state(number),
            "round {round}"
        );
    }
    head - acknowledged
}
