//! What holds for the log in one file besides the conformance suite: who may open it, where it may
//! lie, what it says of its past, and what is left after forgetting.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use raccord_bus::{
    FILE, Forgotten, Log, LogError, LogRead, Opened, Reader as _, SlotWrite, SqliteLog,
    SqliteReader, Upkeep, backup, restore,
};
use raccord_model::PlaceId;
use tempfile::TempDir;

fn place() -> PlaceId {
    "raffinerie".parse().unwrap()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn open(data: &Path) -> Opened {
    SqliteLog::open(data, &place()).unwrap()
}

fn refusal(data: &Path) -> LogError {
    SqliteLog::open(data, &place()).unwrap_err()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn fill(log: &mut SqliteLog, count: usize) {
    for _ in 0..count {
        let number = log.head().number + 1;
        log.append(
            at(number as i64),
            format!("decision {number}").as_bytes(),
            &[],
        )
        .unwrap();
    }
}

fn slot(name: &str, value: &str) -> SlotWrite {
    SlotWrite {
        slot: name.to_owned(),
        value: Some(value.to_owned()),
    }
}

fn size(data: &Path, name: &str) -> u64 {
    std::fs::metadata(data.join(name)).map_or(0, |metadata| metadata.len())
}

#[test]
fn two_daemons_on_one_folder_are_refused_and_told_who_holds_it() {
    let data = folder();
    let first = open(data.path());
    let error = refusal(data.path());
    let LogError::Locked { pid, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(*pid, Some(std::process::id()));
    let own = std::process::id().to_string();
    assert!(error.text().fr.contains(&own) && error.text().en.contains(&own));
    drop(first);
    open(data.path());
}

#[test]
fn a_lock_file_that_was_deleted_by_hand_does_not_let_a_second_one_in_unnoticed() {
    let data = folder();
    let first = open(data.path());
    drop(first);
    std::fs::remove_file(data.path().join("lock")).unwrap();
    let again = open(data.path());
    assert!(
        !again.past.copied,
        "birth times tell, the lock does not matter"
    );
    assert!(matches!(refusal(data.path()), LogError::Locked { .. }));
}

#[test]
fn a_reader_beside_the_writer_keeps_its_picture_until_it_is_refreshed() {
    let data = folder();
    let mut log = open(data.path()).log;
    fill(&mut log, 3);
    let mut reader = SqliteReader::open(data.path(), &place()).unwrap();
    fill(&mut log, 2);
    assert_eq!(reader.head().number, 3);
    assert_eq!(reader.commits(1, 10_000).unwrap().len(), 3);
    assert_eq!(reader.refresh().unwrap(), log.head());
    assert_eq!(reader.commits(4, 10_000).unwrap().len(), 2);
    assert_eq!(reader.slots().unwrap().len(), 0);
}

#[test]
fn readers_see_whole_commits_while_the_writer_appends_snapshots_and_lets_go() {
    let data = folder();
    let mut log = open(data.path()).log;
    fill(&mut log, 1);
    let done = AtomicBool::new(false);
    let looks = std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let mut looks = 0_u32;
            while !done.load(Ordering::Relaxed) || looks == 0 {
                let reader = SqliteReader::open(data.path(), &place()).unwrap();
                let (floor, head) = (reader.floor().number, reader.head().number);
                let commits = reader
                    .commits(floor + 1, usize::MAX)
                    .map_or(0, |all| all.len());
                assert_eq!(commits as u64, head - floor);
                if let Some(count) = reader.slot("count").unwrap() {
                    assert_eq!(count, head.to_string(), "the value of the same picture");
                }
                if floor > 0 {
                    assert_eq!(reader.snapshot(floor).unwrap().body, vec![1; 2 << 20]);
                }
                looks += 1;
            }
            looks
        });
        for _ in 0..150 {
            let number = log.head().number + 1;
            let writes = [slot("count", &number.to_string())];
            log.append(at(number as i64), &vec![3; 2000], &writes)
                .unwrap();
            if number.is_multiple_of(30) {
                log.begin_snapshot(number, vec![1; 2 << 20]).unwrap();
            }
            log.upkeep().unwrap();
            if number % 30 == 20
                && let Some(last) = log.snapshots().unwrap().last()
            {
                log.forget_before(last.head.number + 1).unwrap();
            }
        }
        done.store(true, Ordering::Relaxed);
        reading.join().unwrap()
    });
    assert!(looks > 1);
}

#[test]
fn reading_a_place_that_has_no_log_yet_makes_none() {
    let data = folder();
    let told = SqliteReader::open(data.path(), &place());
    assert!(matches!(told, Err(LogError::Missing { .. })));
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0);
}

#[test]
fn the_log_is_its_owners_alone() {
    let data = folder();
    let folder = data.path().join("new/data");
    let mut log = open(&folder).log;
    fill(&mut log, 1);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for file in std::fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn another_places_log_is_refused() {
    let data = folder();
    fill(&mut open(data.path()).log, 1);
    let other: PlaceId = "other".parse().unwrap();
    let told = SqliteLog::open(data.path(), &other).unwrap_err();
    assert!(matches!(told, LogError::OtherPlace { found, .. } if found == "raffinerie"));
}

#[test]
fn a_log_of_a_newer_version_is_left_alone() {
    let data = folder();
    fill(&mut open(data.path()).log, 1);
    let path = data.path().join(FILE);
    let conn = rusqlite::Connection::open(&path).unwrap();
    conn.pragma_update(None, "user_version", 99).unwrap();
    conn.close().unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(
        refusal(data.path()),
        LogError::Newer { found: 99, .. }
    ));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn what_is_no_log_is_refused_and_left_alone() {
    for content in [
        &b"date;title\n2027-01-02;Repas\n".repeat(200),
        &b"x".to_vec(),
    ] {
        let data = folder();
        std::fs::write(data.path().join(FILE), content).unwrap();
        assert!(matches!(refusal(data.path()), LogError::NotALog { .. }));
        assert_eq!(&std::fs::read(data.path().join(FILE)).unwrap(), content);
    }
    let data = folder();
    std::fs::write(data.path().join(FILE), "").unwrap();
    assert!(
        matches!(refusal(data.path()), LogError::Damaged { .. }),
        "an emptied log is never taken for a new one"
    );
    let conn = rusqlite::Connection::open(data.path().join(FILE)).unwrap();
    conn.execute_batch("CREATE TABLE theirs (x)").unwrap();
    drop(conn);
    assert!(matches!(refusal(data.path()), LogError::NotALog { .. }));
}

#[test]
fn a_journal_without_its_log_is_not_played_into_a_new_one() {
    let data = folder();
    std::fs::write(data.path().join(format!("{FILE}-wal")), "the last hours").unwrap();
    assert!(matches!(refusal(data.path()), LogError::Damaged { .. }));
}

#[test]
fn a_folder_that_may_not_be_written_is_told() {
    let told = refusal(Path::new("/sys/raccord"));
    assert!(matches!(told, LogError::ReadOnly { .. }), "{told:?}");
}

#[test]
fn a_synchronised_folder_is_refused_before_anything_is_written() {
    let home = folder();
    std::fs::write(home.path().join(".sync_0a1b2c.db"), "").unwrap();
    let data = home.path().join("data");
    let told = refusal(&data);
    assert!(matches!(told, LogError::SyncedFolder { .. }), "{told:?}");
    assert_eq!(std::fs::read_dir(&data).unwrap().count(), 0);
}

#[test]
fn moving_the_folder_is_no_copy_but_copying_it_is() {
    let home = folder();
    let [first, moved, copied] = ["first", "moved", "copied"].map(|name| home.path().join(name));
    fill(&mut open(&first).log, 3);
    assert!(!open(&first).past.copied, "opened again");
    std::fs::rename(&first, &moved).unwrap();
    assert!(!open(&moved).past.copied, "moved");
    std::fs::create_dir(&copied).unwrap();
    for name in [FILE, "lock"] {
        std::fs::copy(moved.join(name), copied.join(name)).unwrap();
    }
    assert!(
        SqliteReader::open(&copied, &place())
            .unwrap()
            .past()
            .unwrap()
            .copied
    );
    let mut opened = open(&copied);
    assert!(opened.past.copied, "copied");
    fill(&mut opened.log, 1);
    drop(opened);
    let mut opened = open(&copied);
    assert!(
        opened.past.copied,
        "and it stays one until a person has spoken"
    );
    opened.log.settle_past().unwrap();
    drop(opened);
    assert!(!open(&copied).past.copied);
    assert!(!open(&moved).past.copied, "the original never was");
}

#[test]
fn a_backup_is_one_file_made_while_the_log_is_written_and_comes_back_mute() {
    let home = folder();
    let [data, elsewhere] = ["data", "elsewhere"].map(|name| home.path().join(name));
    let file = home.path().join("monday.backup");
    let mut log = open(&data).log;
    fill(&mut log, 300);
    log.put_snapshot(200, vec![7; 3 << 20]).unwrap();
    log.forget_before(201).unwrap();
    log.append(at(301), b"people", &[slot("a", "Ana"), slot("b", "Béa")])
        .unwrap();
    log.set_meta("note", Some("kept")).unwrap();
    let reader = SqliteReader::open(&data, &place()).unwrap();
    let head = log.head();
    fill(&mut log, 100);
    backup(&reader, &file).unwrap();
    assert!(!home.path().join("monday.backup-wal").exists());
    backup(&log, &home.path().join("tuesday.backup")).unwrap();
    backup(&reader, &file).unwrap();

    let restored = restore(&file, &elsewhere, &place(), false).unwrap();
    assert_eq!((restored.head, restored.dropped.len()), (head, 0));
    let mut opened = open(&elsewhere);
    assert!(opened.past.restored && !opened.past.copied);
    assert_eq!((opened.log.head(), opened.log.floor().number), (head, 200));
    assert_eq!(opened.log.slots().unwrap().len(), 2);
    assert_eq!(opened.log.meta("note").unwrap().as_deref(), Some("kept"));
    assert_eq!(
        opened.log.latest_snapshot().unwrap(),
        log.latest_snapshot().unwrap()
    );
    assert_eq!(
        opened.log.commits(201, usize::MAX).unwrap(),
        log.commits(201, usize::MAX).unwrap()[..101]
    );
    opened.log.settle_past().unwrap();
    drop(opened);
    assert!(!open(&elsewhere).past.restored);
}

#[test]
fn a_restore_refuses_what_it_would_destroy_and_then_replaces_it_whole() {
    let home = folder();
    let data = home.path().join("data");
    let file = home.path().join("b");
    let mut log = open(&data).log;
    fill(&mut log, 5);
    backup(&log, &file).unwrap();
    fill(&mut log, 5);
    let told = restore(&file, &data, &place(), true).unwrap_err();
    assert!(matches!(told, LogError::Locked { .. }), "{told:?}");
    drop(log);
    let told = restore(&file, &data, &place(), false).unwrap_err();
    assert!(matches!(told, LogError::Exists { .. }), "{told:?}");
    let other: PlaceId = "other".parse().unwrap();
    let told = restore(&file, &data, &other, true).unwrap_err();
    assert!(matches!(told, LogError::OtherPlace { .. }), "{told:?}");
    assert_eq!(open(&data).log.head().number, 10);
    // A killed writer leaves its journal behind: it must not be played into the restored file.
    let wal = data.join(format!("{FILE}-wal"));
    let mut log = open(&data).log;
    fill(&mut log, 1);
    let journal = std::fs::read(&wal).unwrap();
    drop(log);
    std::fs::write(&wal, journal).unwrap();
    restore(&file, &data, &place(), true).unwrap();
    let opened = open(&data);
    assert_eq!(opened.log.head().number, 5);
    assert_eq!(opened.log.commits(1, 10_000).unwrap().len(), 5);
}

#[test]
fn a_backup_never_replaces_a_file_that_is_none() {
    let home = folder();
    let data = home.path().join("data");
    let log = open(&data).log;
    let sheet = home.path().join("programme.csv");
    std::fs::write(&sheet, "date;title").unwrap();
    assert!(matches!(
        backup(&log, &sheet),
        Err(LogError::NotALog { .. })
    ));
    assert_eq!(std::fs::read(&sheet).unwrap(), b"date;title");
    let live = data.join(FILE);
    assert!(matches!(backup(&log, &live), Err(LogError::Exists { .. })));
    let alias = home.path().join("alias");
    std::os::unix::fs::symlink(&live, &alias).unwrap();
    assert!(matches!(backup(&log, &alias), Err(LogError::Exists { .. })));
    let nowhere = home.path().join("no/such/folder/b");
    assert!(matches!(backup(&log, &nowhere), Err(LogError::Io { .. })));
}

/// Whether `needle` stands in any byte of any file of the folder.
fn holds(folder: &Path, needle: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|file| {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        bytes
            .windows(needle.len())
            .any(|window| window == needle.as_bytes())
    })
}

#[test]
fn who_is_forgotten_is_in_no_byte_of_the_folder_and_no_old_backup_brings_them_back() {
    let home = folder();
    let data = home.path().join("data");
    let old = home.path().join("old.backup");
    let canary = "canary.zanzibar@example.org";
    let mut log = open(&data).log;
    for number in 0..500 {
        let mut writes = vec![slot(
            &format!("s{number}"),
            &format!("person{number}@example.org"),
        )];
        if number % 50 == 0 {
            writes.push(slot(&format!("c{number}"), canary));
            writes.push(slot("moving", &format!("{canary}{}", "x".repeat(number))));
        }
        log.append(at(number as i64), b"x", &writes).unwrap();
    }
    backup(&log, &old).unwrap();
    assert!(holds(&data, canary));

    let gone: Vec<_> = log
        .slots()
        .unwrap()
        .into_iter()
        .filter(|(_, value)| value.starts_with(canary))
        .map(|(slot, _)| slot)
        .collect();
    let mut list = Forgotten::open(&data).unwrap();
    list.add(gone.iter().map(String::as_str), [canary]).unwrap();
    log.forget(&gone).unwrap();
    assert!(!holds(&data, "canary.zanzibar"));
    let new = home.path().join("new.backup");
    backup(&log, &new).unwrap();
    drop(log);
    let new = std::fs::read(new).unwrap();
    assert!(!new.windows(15).any(|window| window == b"canary.zanzibar"));

    let restored = restore(&old, &data, &place(), true).unwrap();
    assert_eq!(restored.dropped, gone);
    assert!(!holds(&data, "canary.zanzibar"));
    assert_eq!(open(&data).log.slots().unwrap().len(), 500);
}

#[test]
fn a_reader_that_keeps_an_old_picture_makes_forgetting_wait_not_fail_for_good() {
    let data = folder();
    let mut log = open(data.path()).log;
    log.append(at(1), b"x", &[slot("a", "canary")]).unwrap();
    while log.upkeep().unwrap() == Upkeep::More {}
    let reader = SqliteReader::open(data.path(), &place()).unwrap();
    fill(&mut log, 1);
    let told = log.forget(&["a".to_owned()]);
    assert!(matches!(told, Err(LogError::Busy { .. })), "{told:?}");
    drop(reader);
    log.forget(&[]).unwrap();
    assert!(!holds(data.path(), "canary"));
    fill(&mut log, 1);
}

#[test]
fn the_journal_does_not_grow_without_bound_and_rests_empty() {
    let data = folder();
    let mut log = open(data.path()).log;
    let journal = format!("{FILE}-wal");
    let body = vec![1; 900];
    for _ in 0..40 {
        for _ in 0..100 {
            log.append(at(0), &body, &[]).unwrap();
        }
        assert!(size(data.path(), &journal) < 10 << 20);
    }
    while log.upkeep().unwrap() == Upkeep::More {}
    assert_eq!(size(data.path(), &journal), 0);
}

#[test]
fn snapshots_again_and_again_do_not_make_the_file_grow() {
    let data = folder();
    let mut log = open(data.path()).log;
    let mut sizes = Vec::new();
    for round in 0..6 {
        fill(&mut log, 10);
        let number = log.head().number;
        let mut word = round as u32 + 1;
        let body = std::iter::repeat_with(|| {
            word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (word >> 24) as u8
        });
        log.put_snapshot(number, body.take(4 << 20).collect())
            .unwrap();
        log.forget_before(number + 1).unwrap();
        while log.upkeep().unwrap() == Upkeep::More {}
        sizes.push(size(data.path(), FILE));
    }
    assert!(sizes[5] <= sizes[1] + (1 << 20), "{sizes:?}");
}

#[test]
fn every_refusal_is_told_in_both_languages_with_its_mend() {
    let path = || Path::new("/srv/data").to_owned();
    let io = || std::io::Error::from(std::io::ErrorKind::Other);
    let errors = [
        LogError::Locked {
            folder: path(),
            pid: None,
        },
        LogError::NetworkFolder {
            folder: path(),
            kind: "NFS".into(),
        },
        LogError::SyncedFolder {
            folder: path(),
            by: "Nextcloud".into(),
        },
        LogError::ReadOnly { path: path() },
        LogError::Full { path: path() },
        LogError::Newer { found: 2, known: 1 },
        LogError::Older { path: path() },
        LogError::OtherPlace {
            found: "a".into(),
            expected: "b".into(),
        },
        LogError::NotALog { path: path() },
        LogError::Missing { path: path() },
        LogError::Exists { path: path() },
        LogError::Damaged {
            part: raccord_bus::Part::Commit(4),
            last_good: Some(3),
        },
        LogError::ClockBack {
            last: at(2),
            at: at(1),
        },
        LogError::TimeRange { at: at(1) },
        LogError::TooLarge { size: 2, limit: 1 },
        LogError::Forgotten {
            number: 1,
            floor: 2,
        },
        LogError::NoCommit { number: 3, head: 2 },
        LogError::NoSnapshot { number: 3 },
        LogError::Needed { number: 3 },
        LogError::Poisoned { first: "log.full" },
        LogError::Busy { path: path() },
        LogError::Io {
            step: "open",
            path: path(),
            source: io(),
        },
        LogError::Database {
            path: path(),
            source: rusqlite::Error::QueryReturnedNoRows,
        },
        LogError::Storage,
    ];
    let mut codes: Vec<_> = errors.iter().map(LogError::code).collect();
    for error in &errors {
        for words in [error.text(), error.mend()] {
            assert!(
                words.fr.ends_with('.') && words.en.ends_with('.'),
                "{words:?}"
            );
            assert_ne!(words.fr, words.en);
        }
        assert!(error.code().starts_with("log."));
    }
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), errors.len());
}
