//! Measures a look at a large sheet: `cargo run --release --example large_sheet [FILE] [LINES]`.
//!
//! Without a file it writes one of 100,000 lines. Prints the time of a first look and of an
//! unchanged one, lines per second, and the most memory the process held after each.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement for people to read"
)]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use raccord_connector_spreadsheet::CONNECTOR;
use raccord_model::Observation;
use serde_json::json;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = tempfile::tempdir().unwrap();
    let given = arguments.next().filter(|file| file.parse::<u32>().is_err());
    let lines: u32 = arguments
        .next()
        .and_then(|n| n.parse().ok())
        .unwrap_or(100_000);
    let path = given.map_or_else(
        || {
            let path = folder.path().join("large.csv");
            std::fs::write(&path, made_up(lines)).unwrap();
            path
        },
        PathBuf::from,
    );
    let bytes = std::fs::metadata(&path).unwrap().len();
    let tool =
        (CONNECTOR.build)(json!({ "location": path }), &raccord_kit::testing::kit()).unwrap();
    let source = tool.source().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    println!("{} bytes, {} kB held before", bytes, most_memory());

    let started = Instant::now();
    let Observation::Complete(reading) = runtime.block_on(source.observe(None)).unwrap() else {
        unreachable!("a first look is a whole reading")
    };
    let took = started.elapsed();
    println!(
        "first look: {} lines in {took:.2?}, {:.0} lines/s, {} unread, {} kB held at most",
        reading.lines.len(),
        reading.lines.len() as f64 / took.as_secs_f64(),
        reading.unread.len(),
        most_memory(),
    );
    let cursor = reading.cursor.clone().unwrap();
    drop(reading);

    let started = Instant::now();
    let again = runtime.block_on(source.observe(Some(&cursor))).unwrap();
    assert!(matches!(again, Observation::Unchanged { .. }));
    println!("unchanged: {:.2?}", started.elapsed());
}

fn made_up(lines: u32) -> String {
    let mut out = String::from(
        "Date,Début,Fin,Titre,Type,Salle,Organisateur·ice,Contact e-mail,Description,Public/Interne,Jauge,Crédits,Lien doc,Statut\n",
    );
    for i in 0..lines {
        let (month, day, hour) = (i / 28 % 12 + 1, i % 28 + 1, 8 + i % 13);
        writeln!(
            out,
            "{}-{month:02}-{day:02},{hour:02}:00,{:02}:30,Atelier n° {},Atelier,Grande halle,Équipe lieu,lieu@example.org,Ligne {i}. Chacun·e apporte ce qu'il faut.,Public,{},\"1.5\",https://docs.example.org/guides/{},Confirmé",
            2027 + i / 336 % 50,
            hour + 1,
            i % 50,
            i % 90 + 5,
            i % 50
        )
        .unwrap();
    }
    out
}

/// The most memory held so far, in kB; 0 where the system does not say.
fn most_memory() -> u64 {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
            line.split_whitespace().nth(1)?.parse().ok()
        })
        .unwrap_or(0)
}
