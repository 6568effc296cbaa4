//! Prints what the log in SQLite can take on this machine:
//! `cargo run --release -p raccord-bus --example bench [FOLDER]`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program that prints figures"
)]

mod packed;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use packed::text;
use raccord_bus::{Entry, FILE, Log, LogRead, SlotWrite, SqliteLog, SqliteReader, Upkeep};
use raccord_model::PlaceId;

fn main() {
    let scratch = tempfile::tempdir_in(
        std::env::args()
            .nth(1)
            .map_or_else(std::env::temp_dir, PathBuf::from),
    )
    .unwrap();
    let place: PlaceId = "bench".parse().unwrap();
    let folder = scratch.path().join("data");
    let mut log = SqliteLog::open(&folder, &place).unwrap().log;

    one_by_one(&mut log, 300);
    one_by_one(&mut log, 4_000);
    for (group, size) in [(32, 300), (1_000, 300), (1_000, 1_000)] {
        in_groups(&mut log, group, size);
    }
    personal_values(&mut log);
    for size in [60, 300] {
        snapshot(&mut log, size << 20);
    }
    let head = log.head().number;
    let bytes = std::fs::metadata(folder.join(FILE)).unwrap().len();
    println!("file {} MB after {head} commits", bytes >> 20);
    drop(log);

    let start = Instant::now();
    let log = SqliteLog::open(&folder, &place).unwrap().log;
    println!("open for writing {:.1?}", start.elapsed());
    let start = Instant::now();
    let reader = SqliteReader::open(&folder, &place).unwrap();
    println!("open for reading {:.1?}", start.elapsed());
    let start = Instant::now();
    let mut from = 1;
    while let Some(last) = reader.commits(from, 8 << 20).unwrap().last() {
        from = last.number + 1;
    }
    let took = start.elapsed();
    println!(
        "read and check {head} commits {took:.1?}, {:.0}/s",
        head as f64 / took.as_secs_f64()
    );
    drop(log);
}

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn one_by_one(log: &mut SqliteLog, size: usize) {
    let body = text(size);
    let mut times: Vec<Duration> = (0..2_000)
        .map(|_| {
            let start = Instant::now();
            log.append(now(), &body, &[]).unwrap();
            start.elapsed()
        })
        .collect();
    let sum: Duration = times.iter().sum();
    times.sort();
    println!(
        "append {size} B, one sync each: {:.0}/s, median {:.2?}, p99 {:.2?}, worst {:.2?}",
        2_000.0 / sum.as_secs_f64(),
        times[1_000],
        times[1_980],
        times[1_999]
    );
}

fn in_groups(log: &mut SqliteLog, group: usize, size: usize) {
    let body = text(size);
    let entry = Entry {
        at: now(),
        body: &body,
        slots: &[],
    };
    let entries = vec![entry; group];
    let rounds = 40_000 / group;
    let start = Instant::now();
    for _ in 0..rounds {
        log.append_all(&entries).unwrap();
    }
    let took = start.elapsed().as_secs_f64();
    println!(
        "append {size} B in groups of {group}: {:.0} commits/s",
        (rounds * group) as f64 / took
    );
}

fn personal_values(log: &mut SqliteLog) {
    let writes: Vec<_> = (0..20_000)
        .map(|number| SlotWrite {
            slot: format!("{number:032x}"),
            value: Some(format!("someone.{number}@example.org")),
        })
        .collect();
    let start = Instant::now();
    for writes in writes.chunks(1_000) {
        log.append(now(), b"people", writes).unwrap();
    }
    let took = start.elapsed().as_secs_f64();
    println!(
        "personal values in groups of 1000: {:.0}/s",
        20_000.0 / took
    );
    let start = Instant::now();
    let count = log.slots().unwrap().len();
    println!("read {count} personal values {:.1?}", start.elapsed());
}

fn snapshot(log: &mut SqliteLog, size: usize) {
    let body = text(size);
    let number = log.head().number;
    let start = Instant::now();
    log.begin_snapshot(number, body.clone()).unwrap();
    let mut worst = Duration::ZERO;
    loop {
        let piece = Instant::now();
        let upkeep = log.upkeep().unwrap();
        if upkeep == Upkeep::Done {
            break;
        }
        worst = worst.max(piece.elapsed());
    }
    println!(
        "snapshot {} MB written in {:.0?}, longest piece {worst:.1?}",
        size >> 20,
        start.elapsed()
    );
    let read = (0..5).map(|_| {
        let start = Instant::now();
        assert!(log.snapshot(number).unwrap().body == body);
        start.elapsed()
    });
    println!(
        "snapshot {} MB read and compared in {:.1?}, the best of 5",
        size >> 20,
        read.min().unwrap()
    );
}
