//! What every backend promises, as one suite that each of them runs.
//!
//! The suite speaks only to the trait and to a [`Fixture`]; it says nothing of speed, of files or of
//! who else may write.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use jiff::{SignedDuration, Timestamp};

use crate::{Entry, Head, Log, LogError, Part, SlotWrite, Upkeep};

/// The storage of one log, which outlives the handles on it.
pub trait Fixture {
    /// Opens the log for writing; the handle before has been dropped.
    fn open(&self) -> Box<dyn Log>;

    /// Changes one bit of the stored body of commit `number`, as a bad disk does.
    fn damage(&self, number: u64);
}

/// Runs the whole suite; `fresh` makes an empty storage each time.
///
/// # Panics
/// When a promise is not kept.
pub fn suite<F: Fixture>(fresh: impl Fn() -> F) {
    let laws: &[fn(&F)] = &[
        an_empty_log_starts_at_its_place,
        what_was_acknowledged_is_read_again,
        the_chain_names_the_commit_before,
        a_group_is_as_good_as_its_commits,
        readings_are_bounded_and_go_on_where_they_ended,
        commits_are_found_by_their_hour,
        every_writer_has_a_later_term,
        a_clock_that_goes_back_is_refused_and_forgiven,
        personal_values_come_and_go_with_their_commit,
        remarks_are_kept,
        a_snapshot_holds_only_once_it_is_whole,
        a_snapshot_given_up_half_way_leaves_the_old_one,
        appends_go_on_while_a_snapshot_is_written,
        large_snapshots_come_back_as_they_were,
        snapshots_are_dropped_but_for_the_one_the_log_starts_with,
        retention_moves_the_start_and_keeps_the_rest,
        a_damaged_commit_is_told_after_the_good_ones,
        forgetting_empties_slots_for_good,
        upkeep_comes_to_an_end,
    ];
    for law in laws {
        law(&fresh());
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
        + SignedDuration::from_nanos(123_456_789)
}

fn fill(log: &mut dyn Log, count: u64) {
    for number in log.head().number + 1..=log.head().number + count {
        log.append(at(number as i64), body(number).as_bytes(), &[])
            .unwrap();
    }
}

fn body(number: u64) -> String {
    format!("decision {number} ").repeat(1 + (number as usize * 37) % 400)
}

fn slot(name: &str, value: Option<&str>) -> SlotWrite {
    SlotWrite {
        slot: name.to_owned(),
        value: value.map(str::to_owned),
    }
}

fn all(log: &dyn Log) -> Vec<(u64, String)> {
    let mut found = Vec::new();
    let mut from = log.floor().number + 1;
    loop {
        let commits = log.commits(from, 10_000).unwrap();
        let Some(last) = commits.last() else {
            return found;
        };
        from = last.number + 1;
        for commit in commits {
            found.push((commit.number, String::from_utf8(commit.body).unwrap()));
        }
    }
}

fn an_empty_log_starts_at_its_place(storage: &impl Fixture) {
    let log = storage.open();
    assert_eq!(log.head(), Head::genesis(log.place()));
    assert_eq!(log.floor(), log.head());
    assert_eq!(log.commits(1, 1000).unwrap(), vec![]);
    assert_eq!(log.snapshots().unwrap(), vec![]);
    assert_eq!(log.latest_snapshot().unwrap(), None);
    assert!(log.slots().unwrap().is_empty());
}

fn what_was_acknowledged_is_read_again(storage: &impl Fixture) {
    let mut log = storage.open();
    fill(&mut *log, 30);
    let (head, read) = (log.head(), all(&*log));
    assert_eq!(head.number, 30);
    assert_eq!(head.at, at(30), "to the nanosecond");
    assert!(read.iter().all(|(number, text)| *text == body(*number)));
    drop(log);
    let log = storage.open();
    assert_eq!(log.head(), head);
    assert_eq!(all(&*log), read);
}

fn the_chain_names_the_commit_before(storage: &impl Fixture) {
    let mut log = storage.open();
    fill(&mut *log, 5);
    let mut previous = Head::genesis(log.place()).hash;
    for commit in log.commits(1, usize::MAX).unwrap() {
        assert_eq!(commit.previous, previous);
        previous = commit.hash();
    }
    assert_eq!(previous, log.head().hash);
}

fn a_group_is_as_good_as_its_commits(storage: &impl Fixture) {
    let mut log = storage.open();
    let slots = [slot("a", Some("Ana"))];
    let bodies: Vec<_> = (1..=100).map(body).collect();
    let entries: Vec<_> = bodies
        .iter()
        .map(|body| Entry {
            at: at(1),
            body: body.as_bytes(),
            slots: &slots,
        })
        .collect();
    assert_eq!(log.append_all(&entries).unwrap().number, 100);
    assert_eq!(log.append_all(&[]).unwrap(), log.head());
    assert!(all(&*log).iter().map(|(_, text)| text).eq(&bodies));
}

fn readings_are_bounded_and_go_on_where_they_ended(storage: &impl Fixture) {
    let mut log = storage.open();
    for _ in 0..10 {
        log.append(at(1), &[7; 100], &[]).unwrap();
    }
    assert_eq!(
        log.commits(1, 0).unwrap().len(),
        1,
        "always one, or nobody gets on"
    );
    assert_eq!(log.commits(1, 350).unwrap().len(), 3);
    let tail = log.commits(9, 10_000).unwrap();
    assert_eq!(
        tail.iter().map(|commit| commit.number).collect::<Vec<_>>(),
        [9, 10]
    );
    assert!(log.commits(11, 1).unwrap().is_empty());
    assert!(log.commits(400, 1).unwrap().is_empty());
    assert!(matches!(
        log.commits(0, 1),
        Err(LogError::Forgotten { floor: 0, .. })
    ));
}

fn commits_are_found_by_their_hour(storage: &impl Fixture) {
    let mut log = storage.open();
    assert_eq!(log.first_since(at(1)).unwrap(), 1);
    for second in [1, 1, 3, 3, 3, 7] {
        log.append(at(second), b"x", &[]).unwrap();
    }
    let found = [0, 1, 2, 3, 4, 7, 8].map(|second| log.first_since(at(second)).unwrap());
    assert_eq!(found, [1, 1, 3, 3, 6, 6, 7]);
    log.put_snapshot(4, vec![]).unwrap();
    log.forget_before(5).unwrap();
    assert_eq!(log.first_since(at(0)).unwrap(), 5);
}

fn every_writer_has_a_later_term(storage: &impl Fixture) {
    let mut terms = Vec::new();
    for _ in 0..3 {
        let mut log = storage.open();
        terms.push(log.term());
        fill(&mut *log, 1);
        assert_eq!(log.head().term, log.term());
    }
    assert!(
        terms[0] > 0 && terms.is_sorted_by(|one, two| one < two),
        "{terms:?}"
    );
}

fn a_clock_that_goes_back_is_refused_and_forgiven(storage: &impl Fixture) {
    let mut log = storage.open();
    log.append(at(50), b"first", &[]).unwrap();
    let refused = log.append(at(49), b"before", &[]);
    assert!(matches!(refused, Err(LogError::ClockBack { last, .. }) if last == at(50)));
    let entry = |second| Entry {
        at: at(second),
        body: b"group",
        slots: &[],
    };
    assert!(log.append_all(&[entry(60), entry(59)]).is_err());
    assert_eq!(log.head().number, 1, "nothing of it was written");
    log.append(at(50), b"the same instant is fine", &[])
        .unwrap();
}

fn personal_values_come_and_go_with_their_commit(storage: &impl Fixture) {
    let mut log = storage.open();
    let writes = [
        slot("a", Some("Ana")),
        slot("b", Some("Bo")),
        slot("b", Some("Béa")),
    ];
    log.append(at(1), b"x", &writes).unwrap();
    let writes = [slot("a", None), slot("never", None), slot("c", Some(""))];
    log.append(at(2), b"y", &writes).unwrap();
    drop(log);
    let log = storage.open();
    assert_eq!(log.slot("a").unwrap(), None);
    assert_eq!(log.slot("b").unwrap().as_deref(), Some("Béa"));
    assert_eq!(log.slot("c").unwrap().as_deref(), Some(""));
    assert_eq!(log.slots().unwrap().len(), 2);
}

fn remarks_are_kept(storage: &impl Fixture) {
    let mut log = storage.open();
    log.set_meta("mute", Some("restored")).unwrap();
    log.set_meta("salt", Some("abc")).unwrap();
    log.set_meta("salt", None).unwrap();
    drop(log);
    let log = storage.open();
    assert_eq!(log.meta("mute").unwrap().as_deref(), Some("restored"));
    assert_eq!(log.meta("salt").unwrap(), None);
    assert!(log.metas().unwrap().contains_key("mute"));
}

/// A state of some pieces that packs badly.
fn state(seed: u32, size: usize) -> Vec<u8> {
    let mut word = seed | 1;
    std::iter::repeat_with(|| {
        word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (word >> 24) as u8
    })
    .take(size)
    .collect()
}

fn a_snapshot_holds_only_once_it_is_whole(storage: &impl Fixture) {
    let mut log = storage.open();
    fill(&mut *log, 3);
    log.put_snapshot(0, b"the empty state".to_vec()).unwrap();
    log.put_snapshot(2, state(1, 10)).unwrap();
    fill(&mut *log, 2);
    log.put_snapshot(5, Vec::new()).unwrap();
    log.put_snapshot(2, state(2, 20)).unwrap();
    drop(log);
    let log = storage.open();
    let numbers: Vec<_> = log
        .snapshots()
        .unwrap()
        .iter()
        .map(|info| info.head.number)
        .collect();
    assert_eq!(numbers, [0, 2, 5]);
    assert_eq!(log.latest_snapshot().unwrap().unwrap().body, b"");
    let again = log.snapshot(2).unwrap();
    assert_eq!(
        again.body,
        state(2, 20),
        "the later of two of the same commit"
    );
    assert_eq!(again.head.hash, log.commits(3, 0).unwrap()[0].previous);
    assert!(matches!(
        log.snapshot(3),
        Err(LogError::NoSnapshot { number: 3 })
    ));
}

fn a_snapshot_given_up_half_way_leaves_the_old_one(storage: &impl Fixture) {
    let mut log = storage.open();
    fill(&mut *log, 2);
    log.put_snapshot(1, state(1, 100)).unwrap();
    log.begin_snapshot(2, state(2, 5 << 20)).unwrap();
    assert_eq!(log.snapshots().unwrap().len(), 1);
    drop(log);
    let mut log = storage.open();
    assert_eq!(log.latest_snapshot().unwrap().unwrap().body, state(1, 100));
    log.put_snapshot(2, state(3, 3 << 20)).unwrap();
    assert_eq!(
        log.latest_snapshot().unwrap().unwrap().body,
        state(3, 3 << 20)
    );
}

fn appends_go_on_while_a_snapshot_is_written(storage: &impl Fixture) {
    let mut log = storage.open();
    fill(&mut *log, 2);
    log.begin_snapshot(1, state(1, 3 << 20)).unwrap();
    loop {
        fill(&mut *log, 1);
        if log.upkeep().unwrap() == Upkeep::Done {
            break;
        }
    }
    let head = log.head();
    drop(log);
    let log = storage.open();
    assert_eq!(log.head(), head);
    assert_eq!(log.snapshot(1).unwrap().body, state(1, 3 << 20));
    assert_eq!(all(&*log).len() as u64, head.number);
}

fn large_snapshots_come_back_as_they_were(storage: &impl Fixture) {
    let mut log = storage.open();
    fill(&mut *log, 1);
    for size in [1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 7 << 20] {
        let mut body = state(9, size);
        body[size / 2..].fill(0);
        log.put_snapshot(1, body.clone()).unwrap();
        assert!(log.snapshot(1).unwrap().body == body, "{size}");
    }
    assert!(matches!(
        log.begin_snapshot(2, vec![]),
        Err(LogError::NoCommit { number: 2, head: 1 })
    ));
}

fn snapshots_are_dropped_but_for_the_one_the_log_starts_with(storage: &impl Fixture) {
    let mut log = storage.open();
    fill(&mut *log, 9);
    for number in [3, 6, 9] {
        log.put_snapshot(number, state(number as u32, 50)).unwrap();
    }
    log.forget_before(4).unwrap();
    log.drop_snapshot(6).unwrap();
    log.drop_snapshot(7).unwrap();
    assert!(matches!(
        log.drop_snapshot(3),
        Err(LogError::Needed { number: 3 })
    ));
    let numbers: Vec<_> = log
        .snapshots()
        .unwrap()
        .iter()
        .map(|info| info.head.number)
        .collect();
    assert_eq!(numbers, [3, 9]);
}

fn retention_moves_the_start_and_keeps_the_rest(storage: &impl Fixture) {
    let mut log = storage.open();
    fill(&mut *log, 600);
    let head = log.head();
    assert!(matches!(
        log.forget_before(401),
        Err(LogError::NoSnapshot { number: 400 })
    ));
    log.put_snapshot(300, state(3, 10)).unwrap();
    log.put_snapshot(400, state(4, 10)).unwrap();
    log.forget_before(401).unwrap();
    log.forget_before(100).unwrap();
    while log.upkeep().unwrap() == Upkeep::More {}
    drop(log);
    let mut log = storage.open();
    assert_eq!((log.floor().number, log.head()), (400, head));
    assert!(matches!(
        log.commits(400, 1),
        Err(LogError::Forgotten { floor: 400, .. })
    ));
    assert_eq!(all(&*log).len(), 200);
    assert_eq!(log.snapshots().unwrap().len(), 1);
    assert!(matches!(
        log.begin_snapshot(399, vec![]),
        Err(LogError::Forgotten { .. })
    ));
    log.put_snapshot(600, state(6, 10)).unwrap();
    log.forget_before(601).unwrap();
    drop(log);
    let mut log = storage.open();
    assert_eq!(
        (log.floor(), log.head()),
        (head, head),
        "nothing but a snapshot is left"
    );
    fill(&mut *log, 1);
    assert_eq!(all(&*log), [(601, body(601))]);
}

fn a_damaged_commit_is_told_after_the_good_ones(storage: &impl Fixture) {
    let mut log = storage.open();
    fill(&mut *log, 10);
    drop(log);
    storage.damage(6);
    let log = storage.open();
    assert_eq!(log.commits(1, usize::MAX).unwrap().len(), 5);
    let told = log.commits(6, usize::MAX);
    assert!(
        matches!(
            told,
            Err(LogError::Damaged {
                part: Part::Commit(6),
                last_good: Some(5)
            })
        ),
        "{told:?}"
    );
}

fn forgetting_empties_slots_for_good(storage: &impl Fixture) {
    let mut log = storage.open();
    let writes = [slot("a", Some("Ana")), slot("b", Some("Béa"))];
    log.append(at(1), b"x", &writes).unwrap();
    log.forget(&["a".to_owned(), "never".to_owned()]).unwrap();
    drop(log);
    let log = storage.open();
    assert_eq!(log.slot("a").unwrap(), None);
    assert_eq!(log.slot("b").unwrap().as_deref(), Some("Béa"));
    assert_eq!(log.head().number, 1, "the commits stay as they are");
}

fn upkeep_comes_to_an_end(storage: &impl Fixture) {
    let mut log = storage.open();
    fill(&mut *log, 10);
    log.put_snapshot(10, state(1, 2 << 20)).unwrap();
    log.drop_snapshot(10).unwrap();
    let pieces = std::iter::repeat_with(|| log.upkeep().unwrap())
        .take(1000)
        .take_while(|upkeep| *upkeep == Upkeep::More)
        .count();
    assert!(pieces < 1000);
    assert_eq!(log.upkeep().unwrap(), Upkeep::Done);
}
