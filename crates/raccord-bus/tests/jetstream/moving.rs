//! From a file to a cluster and back, and events on their way to other programs.

use raccord_bus::jetstream::{ClusterError, EventOut, discard, to_cluster};
use raccord_bus::{Entry, Log, LogError, LogRead, SlotWrite, SqliteLog, SqliteReader, adopt};

use crate::world::{RUNTIME, World, at, place, plain, read};

/// A log with a past: terms, retention, snapshots, values, a commit of several parts.
fn live(log: &mut dyn Log, from: i64) {
    for number in from..from + 40 {
        let slots = [SlotWrite {
            slot: format!("slot.{}", number % 5),
            value: (number % 3 != 0).then(|| format!("valeur n° {number}")),
        }];
        let body = number.to_string().repeat(1 + number as usize * 20);
        log.append_all(&[
            Entry {
                at: at(number),
                body: body.as_bytes(),
                slots: &slots,
            },
            Entry {
                at: at(number),
                body: b"",
                slots: &[],
            },
        ])
        .unwrap();
    }
    let head = log.head().number;
    log.put_snapshot(head - 10, vec![3; 2 << 20]).unwrap();
    log.forget_before(head - 9).unwrap();
    log.put_snapshot(head, b"newest".to_vec()).unwrap();
    log.set_meta("salt", Some("abc")).unwrap();
    while log.upkeep().unwrap() == raccord_bus::Upkeep::More {}
}

fn same(one: &dyn LogRead, two: &dyn LogRead) {
    assert_eq!((one.head(), one.floor()), (two.head(), two.floor()));
    let from = one.floor().number + 1;
    let all = |log: &dyn LogRead| log.commits(from, usize::MAX).unwrap();
    assert!(all(one) == all(two));
    assert_eq!(one.snapshots().unwrap(), two.snapshots().unwrap());
    for info in one.snapshots().unwrap() {
        let number = info.head.number;
        assert!(one.snapshot(number).unwrap() == two.snapshot(number).unwrap());
    }
    assert_eq!(one.slots().unwrap(), two.slots().unwrap());
    assert_eq!(one.meta("salt").unwrap(), two.meta("salt").unwrap());
}

#[test]
fn a_log_moves_to_a_cluster_and_back_and_is_the_same_log() {
    let world = World::new();
    let link = world.connect();
    let data = world.node("data");
    for from in [1, 100] {
        let mut log = SqliteLog::open(&data, &place()).unwrap().log;
        live(&mut log, from);
    }
    let file = SqliteReader::open(&data, &place()).unwrap();
    assert_eq!(to_cluster(&file, &link).unwrap(), file.head());
    same(&file, &read(&link));
    assert!(matches!(
        to_cluster(&file, &link),
        Err(LogError::Cluster(ClusterError::Exists { .. }))
    ));

    // It lives on there, in a later term.
    let mut log = world.open(&link, "one");
    assert!(log.term() > file.head().term);
    same(&file, &log);
    live(&mut log, 200);
    drop(log);

    let back = world.node("back");
    let reader = read(&link);
    adopt(&reader, &back, false).unwrap();
    let opened = SqliteLog::open(&back, &place()).unwrap();
    assert!(
        !opened.past.copied && !opened.past.restored,
        "it was moved, not copied"
    );
    same(&reader, &opened.log);
    assert!(matches!(
        adopt(&reader, &back, true),
        Err(LogError::Locked { .. })
    ));
    drop(opened);
    assert!(matches!(
        adopt(&reader, &back, false),
        Err(LogError::Exists { .. })
    ));

    // What is left in the cluster can be taken away, and the log moved there once more.
    discard(&link, &place()).unwrap();
    let file = SqliteReader::open(&back, &place()).unwrap();
    to_cluster(&file, &link).unwrap();
    same(&file, &read(&link));
}

#[test]
fn events_reach_other_programs_once() {
    let world = World::new();
    let link = world.connect();
    let events: Vec<EventOut> = (0..600)
        .map(|number| EventOut {
            id: format!("event-{number}"),
            entity: "activity".to_owned(),
            verb: "created".to_owned(),
            position: number.to_string(),
            body: number.to_string().into_bytes(),
        })
        .collect();
    link.publish_events(&place(), &events[..400]).unwrap();
    // After a crash it begins again at the commit it remembers.
    link.publish_events(&place(), &events[300..]).unwrap();
    assert_eq!(link.published(&place()).unwrap().as_deref(), Some("599"));
    let other = "cafe".parse().unwrap();
    assert_eq!(link.published(&other).unwrap(), None);
    let client = plain(&world.server.url());
    RUNTIME.block_on(async {
        let mut stream = client.get_stream("raccord-events").await.unwrap();
        assert_eq!(stream.info().await.unwrap().state.messages, 600);
        let last = stream
            .get_last_raw_message_by_subject("raccord.raffinerie.events.activity.created")
            .await
            .unwrap();
        assert_eq!(last.payload.as_ref(), b"599");
    });
    let bad = EventOut {
        verb: "created.*".to_owned(),
        ..events[0].clone()
    };
    assert!(link.publish_events(&place(), &[bad]).is_err());
}
