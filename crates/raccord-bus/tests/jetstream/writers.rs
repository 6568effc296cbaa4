//! Who may write, and what becomes of those who no longer may.

use jiff::Timestamp;
use raccord_bus::jetstream::{ClusterError, JetstreamLog};
use raccord_bus::{Entry, Log as _, LogError, LogRead as _, SlotWrite, Upkeep};

use crate::world::{RUNTIME, World, at, plain, read};

fn bodies(log: &dyn raccord_bus::LogRead) -> Vec<String> {
    log.commits(1, usize::MAX)
        .unwrap()
        .into_iter()
        .map(|commit| String::from_utf8(commit.body).unwrap())
        .collect()
}

fn replaced(outcome: Result<impl std::fmt::Debug, LogError>) {
    match outcome {
        Err(LogError::Cluster(ClusterError::Replaced { .. })) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn who_opens_later_writes_and_who_wrote_before_is_told() {
    let world = World::new();
    let (one, two) = (world.connect(), world.connect());
    let mut first = world.open(&one, "one");
    first.append(at(1), b"first", &[]).unwrap();
    let mut second = world.open(&two, "two");
    assert!(second.term() > first.term());
    second.append(at(2), b"second", &[]).unwrap();
    replaced(first.append(at(3), b"too late", &[]));
    assert!(matches!(
        first.append(at(4), b"still", &[]),
        Err(LogError::Poisoned {
            first: "cluster.replaced"
        })
    ));
    second.append(at(5), b"third", &[]).unwrap();
    assert_eq!(bodies(&second), ["first", "second", "third"]);
    assert_eq!(bodies(&read(&one)), ["first", "second", "third"]);
}

#[test]
fn a_writer_who_was_away_changes_nothing_beside_the_log_either() {
    let world = World::new();
    let link = world.connect();
    let mut first = world.open(&link, "one");
    first.set_meta("mute", Some("restored")).unwrap();
    let value = SlotWrite {
        slot: "a".to_owned(),
        value: Some("Ana".to_owned()),
    };
    first.append(at(1), b"first", &[value]).unwrap();
    first.put_snapshot(1, b"state".to_vec()).unwrap();
    let mut second = world.open(&link, "two");
    replaced(first.set_meta("mute", None));
    let mut third = world.open(&link, "three");
    replaced(second.put_snapshot(1, b"another".to_vec()));
    drop(second);
    let mut fourth = world.open(&link, "two");
    replaced(third.forget(&["a".to_owned()]));
    assert_eq!(fourth.meta("mute").unwrap().as_deref(), Some("restored"));
    assert_eq!(fourth.snapshot(1).unwrap().body, b"state");
    assert_eq!(fourth.slot("a").unwrap().as_deref(), Some("Ana"));
    fourth.append(at(2), b"second", &[]).unwrap();
}

#[test]
fn a_writer_that_was_replaced_sweeps_nothing_of_the_next_one_away() {
    let world = World::new();
    let link = world.connect();
    let value = |slot: &str| SlotWrite {
        slot: slot.to_owned(),
        value: Some("Ana".to_owned()),
    };
    let mut first = world.open(&link, "one");
    first.append(at(1), b"first", &[value("a")]).unwrap();
    let mut second = world.open(&link, "two");
    second.append(at(2), b"second", &[value("b")]).unwrap();
    second.put_snapshot(2, b"state".to_vec()).unwrap();
    let swept = loop {
        match first.upkeep() {
            Ok(Upkeep::More) => {}
            ended => break ended.map(drop),
        }
    };
    replaced(swept);
    drop(second);
    let third = world.open(&link, "three");
    assert_eq!(third.snapshot(2).unwrap().body, b"state");
    assert_eq!(third.slot("b").unwrap().as_deref(), Some("Ana"));
}

#[test]
fn many_who_open_at_once_all_have_a_term_of_their_own_and_the_last_one_writes() {
    let world = World::new();
    let link = world.connect();
    let logs: Vec<JetstreamLog> = std::thread::scope(|scope| {
        let opening: Vec<_> = (0..6)
            .map(|node| {
                let (world, link) = (&world, &link);
                scope.spawn(move || world.open(link, &format!("node{node}")))
            })
            .collect();
        opening
            .into_iter()
            .map(|opening| opening.join().unwrap())
            .collect()
    });
    let mut terms: Vec<u64> = logs.iter().map(JetstreamLog::term).collect();
    terms.sort_unstable();
    assert!(terms.is_sorted_by(|one, two| one < two), "{terms:?}");
    let mut wrote = 0;
    for mut log in logs {
        let last = log.term() == terms[5];
        let outcome = log.append(at(1), b"mine", &[]);
        assert_eq!(outcome.is_ok(), last, "{outcome:?}");
        wrote += u32::from(outcome.is_ok());
    }
    assert_eq!(wrote, 1);
}

#[test]
fn what_others_put_on_the_subject_is_skipped_and_the_writer_goes_on() {
    let world = World::new();
    let link = world.connect();
    let mut log = world.open(&link, "one");
    log.append(at(1), b"first", &[]).unwrap();
    let stranger = plain(&world.server.url());
    let ours: Vec<u8> = RUNTIME.block_on(async {
        let stream = stranger.get_stream("raccord").await.unwrap();
        let last = stream
            .get_last_raw_message_by_subject("raccord.raffinerie.log")
            .await
            .unwrap();
        last.payload.to_vec()
    });
    let say = |bytes: Vec<u8>| {
        RUNTIME.block_on(async {
            let sent = stranger.publish("raccord.raffinerie.log", bytes.into());
            sent.await.unwrap().await.unwrap();
        });
    };
    let mut flipped = ours.clone();
    flipped[20] ^= 1;
    for bytes in [
        vec![],
        b"hello".to_vec(),
        vec![0xff; 400_000],
        flipped,
        ours,
    ] {
        say(bytes);
        log.append(at(2), b"next", &[]).unwrap();
    }
    say(b"the last word".to_vec());
    assert_eq!(log.head().number, 6);
    drop(log);
    let log = world.open(&link, "another node");
    assert_eq!(log.head().number, 6);
    assert_eq!(bodies(&log)[1..], ["next"; 5]);
}

#[test]
fn a_commit_of_many_parts_is_there_whole_or_not_at_all() {
    let world = World::new();
    let link = world.connect();
    let mut log = world.open(&link, "one");
    log.append(at(1), b"small", &[]).unwrap();
    let large = noise(12 << 20);
    log.append(at(2), &large, &[]).unwrap();
    let entries = [b"a".as_slice(), &large, b"b"].map(|body| Entry {
        at: at(3),
        body,
        slots: &[],
    });
    log.append_all(&entries).unwrap();
    drop(log);
    let log = world.open(&link, "another node");
    assert_eq!(log.head().number, 5);
    let read = log.commits(1, usize::MAX).unwrap();
    assert!(read[1].body == large && read[3].body == large);
}

#[test]
fn parts_without_their_last_are_nothing_and_the_next_writer_goes_on_before_them() {
    let world = World::new();
    let link = world.connect();
    let mut log = world.open(&link, "one");
    log.append(at(1), b"small", &[]).unwrap();
    let before = sequence(&world);
    log.append(at(2), &noise(3 << 20), &[]).unwrap();
    drop(log);
    // As if the machine had died after some parts: the rest never came, nor was it known anywhere.
    let last = sequence(&world);
    assert!(last - before >= 5);
    delete(&world, last - 2..=last);
    std::fs::remove_dir_all(world.node("one")).unwrap();
    let mut log = world.open(&link, "one");
    assert_eq!(log.head().number, 1);
    log.append(at(3), b"goes on", &[]).unwrap();
    assert_eq!(bodies(&log), ["small", "goes on"]);
    drop(log);
    let log = world.open(&link, "another node");
    assert_eq!(bodies(&log), ["small", "goes on"]);
}

#[test]
fn personal_values_of_a_commit_that_never_came_are_nobodys() {
    let world = World::new();
    let link = world.connect();
    let mut log = world.open(&link, "one");
    let value = |value: &str| SlotWrite {
        slot: "a".to_owned(),
        value: Some(value.to_owned()),
    };
    log.append(at(1), b"x", &[value("Ana")]).unwrap();
    let later = world.open(&link, "two");
    // Its values are durable before the commit, which is refused.
    replaced(log.append(at(2), b"y", &[value("never said")]));
    drop(later);
    let log = world.open(&link, "three");
    assert_eq!(log.slot("a").unwrap().as_deref(), Some("Ana"));
}

#[test]
fn a_clock_far_away_and_a_long_name_write_nothing() {
    let world = World::new();
    let link = world.connect();
    let mut log = world.open(&link, "one");
    let told = log.append(Timestamp::MAX, b"x", &[]).unwrap_err();
    assert!(matches!(told, LogError::TimeRange { .. }), "{told:?}");
    log.append(at(1), b"x", &[]).unwrap();
}

/// Bytes that do not pack.
fn noise(size: usize) -> Vec<u8> {
    let mut word = 7_u64;
    std::iter::repeat_with(|| {
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        (word >> 32) as u8
    })
    .take(size)
    .collect()
}

fn sequence(world: &World) -> u64 {
    let client = plain(&world.server.url());
    RUNTIME.block_on(async {
        let stream = client.get_stream("raccord").await.unwrap();
        stream.cached_info().state.last_sequence
    })
}

fn delete(world: &World, sequences: std::ops::RangeInclusive<u64>) {
    let client = plain(&world.server.url());
    RUNTIME.block_on(async {
        let stream = client.get_stream("raccord").await.unwrap();
        for sequence in sequences {
            stream.delete_message(sequence).await.unwrap();
        }
    });
}
