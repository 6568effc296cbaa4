//! A bit flips anywhere in the file: the log says so, or the bit did not matter. It never reads as
//! something else, and never brings the program down.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use raccord_bus::{
    Commit, FILE, Log, LogError, LogRead, SlotWrite, Snapshot, SqliteLog, SqliteReader,
};
use raccord_model::PlaceId;

fn place() -> PlaceId {
    "raffinerie".parse().unwrap()
}

type Values = BTreeMap<String, String>;

/// Everything a log holds.
#[derive(Debug, PartialEq)]
struct Content(Vec<Commit>, Vec<Snapshot>, Values, Values);

fn content(log: &dyn LogRead) -> Result<Content, LogError> {
    let mut commits = Vec::new();
    let mut from = log.floor().number + 1;
    loop {
        let more = log.commits(from, 20_000)?;
        let Some(last) = more.last() else { break };
        from = last.number + 1;
        commits.extend(more);
    }
    let snapshots = log
        .snapshots()?
        .iter()
        .map(|info| log.snapshot(info.head.number))
        .collect::<Result<_, _>>()?;
    for (slot, value) in &log.slots()? {
        assert_eq!(log.slot(slot)?.as_ref(), Some(value));
    }
    Ok(Content(commits, snapshots, log.slots()?, log.metas()?))
}

fn sample(data: &Path) -> (Vec<u8>, Content) {
    let mut log = SqliteLog::open(data, &place()).unwrap().log;
    for number in 1..=120_u64 {
        let body = format!("decision {number};").repeat(1 + number as usize * 7 % 150);
        let slots = [SlotWrite {
            slot: format!("slot{number}"),
            value: (number % 3 > 0).then(|| format!("person{number}@example.org")),
        }];
        let at = Timestamp::from_second(number as i64).unwrap();
        log.append(at, body.as_bytes(), &slots).unwrap();
    }
    let state: Vec<u8> = (0..20_000_u32)
        .flat_map(|word| (word * word).to_le_bytes())
        .collect();
    log.put_snapshot(40, state.clone()).unwrap();
    log.put_snapshot(110, state).unwrap();
    log.forget_before(41).unwrap();
    log.set_meta("mute", Some("a rehearsal")).unwrap();
    let content = content(&log).unwrap();
    drop(log);
    (std::fs::read(data.join(FILE)).unwrap(), content)
}

#[test]
fn a_flipped_bit_is_told_or_did_not_matter() {
    let home = tempfile::tempdir().unwrap();
    let (bytes, expected) = sample(&home.path().join("data"));
    let path = home.path().join("flipped");
    let mut word = 20_270_102_u32;
    let mut random = || {
        word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (word >> 8) as usize
    };
    let (mut told, mut unharmed) = (0, 0);
    for round in 0..1000 {
        // The first pages hold the header, the tables' roots and the record of the chain.
        let place_of = if round % 3 == 0 {
            8 * 4096
        } else {
            bytes.len()
        };
        let index = random() % place_of.min(bytes.len());
        let mut flipped = bytes.clone();
        flipped[index] ^= 1 << (random() % 8);
        std::fs::write(&path, &flipped).unwrap();
        let read = SqliteReader::open_file(&path, &place()).and_then(|log| content(&log));
        match read {
            Ok(found) => {
                assert!(found == expected, "byte {index} changed what is read");
                unharmed += 1;
            }
            Err(error) => {
                assert!(!error.mend().fr.is_empty());
                told += 1;
            }
        }
    }
    assert!(told > 300, "{told} told, {unharmed} unharmed");
}

#[test]
fn a_writer_opens_a_damaged_file_only_where_it_still_reads_the_same() {
    let home = tempfile::tempdir().unwrap();
    let (bytes, expected) = sample(&home.path().join("data"));
    for index in (0..4096)
        .step_by(37)
        .chain((4096..bytes.len()).step_by(9973))
    {
        let data = tempfile::tempdir_in(home.path()).unwrap();
        let mut flipped = bytes.clone();
        flipped[index] ^= 0x10;
        std::fs::write(data.path().join(FILE), &flipped).unwrap();
        if let Ok(opened) = SqliteLog::open(data.path(), &place())
            && let Ok(found) = content(&opened.log)
        {
            assert!(found == expected, "byte {index} changed what is read");
        }
    }
}

#[test]
fn a_file_that_lost_its_end_is_told() {
    let home = tempfile::tempdir().unwrap();
    let (bytes, _) = sample(&home.path().join("data"));
    let path = home.path().join("cut");
    for keep in [
        1,
        50,
        100,
        4096,
        5000,
        bytes.len() / 2,
        bytes.len() - 4096,
        bytes.len() - 1,
    ] {
        std::fs::write(&path, &bytes[..keep]).unwrap();
        let read = SqliteReader::open_file(&path, &place()).and_then(|log| content(&log));
        assert!(read.is_err(), "{keep} bytes");
    }
}

#[test]
fn rows_that_vanish_are_missed() {
    for (table, gone) in [
        ("commits", "n = 120"),
        ("commits", "n = 80"),
        ("slots", "name = 'slot5'"),
        ("meta", "name = 'mute'"),
        ("snapshots", "id > 0"),
        ("parts", "id > 0"),
        ("chain", "id = 1"),
    ] {
        let home = tempfile::tempdir().unwrap();
        sample(home.path());
        let conn = rusqlite::Connection::open(home.path().join(FILE)).unwrap();
        let deleted = conn
            .execute(&format!("DELETE FROM {table} WHERE {gone}"), [])
            .unwrap();
        assert!(deleted > 0);
        drop(conn);
        let read = SqliteLog::open(home.path(), &place()).and_then(|opened| content(&opened.log));
        assert!(
            matches!(read, Err(LogError::Damaged { .. })),
            "{table} {gone}: {read:?}"
        );
    }
}
