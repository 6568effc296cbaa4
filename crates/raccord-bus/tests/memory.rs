//! The disk in memory fails as real ones do.

#![allow(clippy::unwrap_used, reason = "tests")]

use jiff::Timestamp;
use raccord_bus::{Fault, Log, LogError, LogRead, MemoryDisk};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn disk() -> MemoryDisk {
    MemoryDisk::new("raffinerie".parse().unwrap())
}

#[test]
fn a_failed_write_leaves_nothing_and_stops_the_writer() {
    let disk = disk();
    let mut log = disk.open();
    log.append(NOW, b"one", &[]).unwrap();
    disk.fail_next(Fault::Before);
    assert!(matches!(
        log.append(NOW, b"two", &[]),
        Err(LogError::Storage)
    ));
    assert!(matches!(
        log.append(NOW, b"two", &[]),
        Err(LogError::Poisoned { .. })
    ));
    assert_eq!(disk.open().head().number, 1);
}

#[test]
fn a_lost_answer_leaves_the_commit_and_stops_the_writer() {
    let disk = disk();
    let mut log = disk.open();
    disk.fail_next(Fault::After);
    assert!(log.append(NOW, b"one", &[]).is_err());
    assert!(log.append(NOW, b"two", &[]).is_err());
    assert_eq!(
        log.head().number,
        0,
        "the handle knows of nothing that was not answered"
    );
    assert_eq!(disk.open().commits(1, 100).unwrap().len(), 1);
}

#[test]
fn after_a_crash_the_old_handle_writes_no_more_and_half_a_snapshot_is_gone() {
    let disk = disk();
    let mut log = disk.open();
    log.append(NOW, b"one", &[]).unwrap();
    log.begin_snapshot(1, b"state".to_vec()).unwrap();
    disk.crash();
    assert!(log.upkeep().is_err());
    assert!(log.append(NOW, b"two", &[]).is_err());
    let log = disk.open();
    assert_eq!((log.head().number, log.snapshots().unwrap().len()), (1, 0));
}

#[test]
fn whoever_opens_the_log_takes_it_over() {
    let disk = disk();
    let (mut first, mut second) = (disk.open(), disk.open());
    assert!(first.append(NOW, b"late", &[]).is_err());
    assert_eq!(second.append(NOW, b"mine", &[]).unwrap().number, 1);
}

#[test]
fn a_copy_goes_its_own_way() {
    let disk = disk();
    disk.open().append(NOW, b"one", &[]).unwrap();
    let backup = disk.copy();
    disk.open().append(NOW, b"two", &[]).unwrap();
    assert_eq!(backup.open().head().number, 1);
    assert_eq!(disk.open().head().number, 2);
}
