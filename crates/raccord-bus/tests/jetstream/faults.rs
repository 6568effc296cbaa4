//! What goes wrong between a node and its servers, and on either of them.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use raccord_bus::jetstream::servers::{Server, Version, free_port};
use raccord_bus::jetstream::{ClusterError, Jetstream, JetstreamLog, JetstreamReader, Settings};
use raccord_bus::{Log as _, LogError, LogRead as _, Reader as _, SlotWrite};

use crate::world::{RUNTIME, World, at, copy, place, plain, read, settings, signal};

fn numbers(log: &dyn raccord_bus::LogRead) -> Vec<u64> {
    let commits = log.commits(log.floor().number + 1, usize::MAX).unwrap();
    commits.iter().map(|commit| commit.number).collect()
}

/// Stands between a node and a server, and swallows what the server says when told to.
struct Proxy {
    port: u16,
    deaf: Arc<AtomicBool>,
}

impl Proxy {
    fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let deaf = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&deaf);
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(("127.0.0.1", server)) else {
                    continue;
                };
                let (near_too, far_too) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                std::thread::spawn(move || pass(near, far, &AtomicBool::new(false)));
                let told = Arc::clone(&told);
                std::thread::spawn(move || pass(far_too, near_too, &told));
            }
        });
        Self { port, deaf }
    }

    fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }
}

/// Hands bytes on until one side ends; while `swallow`, the connection is cut instead.
fn pass(mut from: TcpStream, mut to: TcpStream, swallow: &AtomicBool) {
    let mut bytes = [0; 1 << 14];
    while let Ok(size @ 1..) = from.read(&mut bytes) {
        if swallow.swap(false, Ordering::SeqCst) || to.write_all(&bytes[..size]).is_err() {
            break;
        }
    }
    from.shutdown(Shutdown::Both).ok();
    to.shutdown(Shutdown::Both).ok();
}

#[test]
fn a_lost_acknowledgement_is_settled_by_reading_and_nothing_is_there_twice() {
    let world = World::new();
    let proxy = Proxy::before(world.server.port());
    let link = Jetstream::connect(RUNTIME.handle().clone(), &settings([proxy.url()])).unwrap();
    let mut log = world.open(&link, "one");
    for number in 1..=6 {
        // Every second time the server's very next word is lost, and the connection with it.
        proxy.deaf.store(number % 2 == 0, Ordering::SeqCst);
        let value = SlotWrite {
            slot: format!("slot{}", number % 4),
            value: Some(number.to_string()),
        };
        let head = log.append(at(number), b"x", &[value]).unwrap();
        assert_eq!(head.number, number as u64);
    }
    log.forget(&["slot1".to_owned()]).unwrap();
    proxy.deaf.store(true, Ordering::SeqCst);
    log.put_snapshot(6, vec![7; 3 << 20]).unwrap();
    drop(log);
    let direct = world.connect();
    let log = world.open(&direct, "another node");
    assert_eq!(log.head().number, 6);
    assert_eq!(log.snapshot(6).unwrap().body, vec![7; 3 << 20]);
    assert_eq!(log.slots().unwrap().len(), 3);
}

#[test]
fn a_killed_server_comes_back_with_everything_it_confirmed() {
    let mut world = World::new();
    let link = world.connect();
    let mut log = world.open(&link, "one");
    for number in 1..=20 {
        log.append(at(number), b"x", &[]).unwrap();
        if number % 7 == 0 {
            world.server.kill();
            world.server.run();
        }
    }
    assert_eq!(log.head().number, 20);
    assert_eq!(numbers(&read(&link)), (1..=20).collect::<Vec<_>>());
}

#[test]
fn one_of_three_servers_may_die_at_any_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut servers = Server::start_three(Version::Present, folder.path());
    let settings = Settings {
        replicas: 3,
        patience: Duration::from_secs(30),
        ..settings(servers.iter().map(Server::url))
    };
    let link = Jetstream::connect(RUNTIME.handle().clone(), &settings).unwrap();
    let node = folder.path().join("node");
    let mut log = JetstreamLog::open(&link, &node, &place()).unwrap().log;
    for number in 1..=30 {
        log.append(at(number), b"x", &[]).unwrap();
        if number % 10 == 5 {
            servers[number as usize / 10].kill();
        }
        if number % 10 == 9 {
            servers[number as usize / 10].run();
        }
    }
    drop(log);
    let other = folder.path().join("other");
    let opened = JetstreamLog::open(&link, &other, &place()).unwrap();
    assert!(!opened.restored);
    assert_eq!(numbers(&opened.log), (1..=30).collect::<Vec<_>>());
}

#[test]
fn a_leader_that_hangs_and_wakes_up_again_misleads_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let servers = Server::start_three(Version::Present, folder.path());
    let with = |servers: &[Server]| Settings {
        replicas: 3,
        patience: Duration::from_secs(40),
        ..settings(servers.iter().map(Server::url))
    };
    let connect =
        |settings: &Settings| Jetstream::connect(RUNTIME.handle().clone(), settings).unwrap();
    let link = connect(&with(&servers));
    let node = folder.path().join("node");
    let mut log = JetstreamLog::open(&link, &node, &place()).unwrap().log;
    for number in 1..=5 {
        log.append(at(number), b"x", &[]).unwrap();
    }
    let client = plain(&servers[0].url());
    let leader = RUNTIME.block_on(async {
        let stream = client.get_stream("raccord").await.unwrap();
        let cluster = stream.cached_info().cluster.clone().unwrap();
        cluster.leader.unwrap()
    });
    let hung = ["one", "two", "three"]
        .iter()
        .position(|name| *name == leader)
        .unwrap();
    signal(&servers[hung], "-STOP");
    for number in 6..=9 {
        log.append(at(number), b"y", &[]).unwrap();
    }
    signal(&servers[hung], "-CONT");
    // Asked at once, and alone, it may still take itself for the leader.
    let woken = connect(&with(&servers[hung..=hung]));
    let opened = JetstreamLog::open(&woken, &folder.path().join("other"), &place()).unwrap();
    assert!(!opened.restored);
    assert_eq!(numbers(&opened.log), (1..=9).collect::<Vec<_>>());
    let told = log.append(at(10), b"z", &[]).unwrap_err();
    assert!(matches!(
        told,
        LogError::Cluster(ClusterError::Replaced { .. })
    ));
}

#[test]
fn servers_that_are_gone_are_told_and_the_log_goes_on_once_they_are_back() {
    let mut world = World::new();
    let settings = Settings {
        patience: Duration::from_secs(2),
        ..world.settings()
    };
    let link = Jetstream::connect(RUNTIME.handle().clone(), &settings).unwrap();
    let mut log = world.open(&link, "one");
    log.append(at(1), b"x", &[]).unwrap();
    world.server.kill();
    let told = log.append(at(2), b"y", &[]).unwrap_err();
    assert!(
        matches!(&told, LogError::Cluster(error) if error.is_transient()),
        "{told:?}"
    );
    assert!(matches!(
        log.append(at(3), b"z", &[]),
        Err(LogError::Poisoned { .. })
    ));
    drop(log);
    world.server.run();
    let mut log = world.open(&link, "one");
    // What was answered with an error may stand, or not.
    let stood = log.head().number;
    assert!(stood == 1 || stood == 2);
    log.append(at(3), b"z", &[]).unwrap();
    assert_eq!(log.head().number, stood + 1);
}

/// Fills a log, copies what the server keeps, goes on, and puts the copy back.
fn restored(after: u64) -> World {
    let mut world = World::new();
    let link = world.connect();
    let mut log = world.open(&link, "one");
    for number in 1..=5 {
        log.append(at(number), b"x", &[]).unwrap();
    }
    log.put_snapshot(5, b"state".to_vec()).unwrap();
    let backup = world.folder.path().join("backup");
    world.server.kill();
    copy(&world.server.store(), &backup);
    world.server.run();
    for number in 6..6 + after as i64 {
        log.append(at(number), b"y", &[]).unwrap();
    }
    drop(log);
    world.server.kill();
    std::fs::remove_dir_all(world.server.store()).unwrap();
    copy(&backup, &world.server.store());
    world.server.run();
    world
}

#[test]
fn a_stream_restored_from_an_older_backup_is_seen_by_a_node_that_knew_more() {
    let world = restored(3);
    let link = world.connect();
    let opened = JetstreamLog::open(&link, &world.node("one"), &place()).unwrap();
    assert!(opened.restored, "the copy on this machine knew commit 8");
    assert_eq!(opened.log.head().number, 5);
    drop(opened);
    // It stays so, on every node, until a person says what it is.
    let opened = JetstreamLog::open(&link, &world.node("another"), &place()).unwrap();
    assert!(opened.restored);
    let mut log = opened.log;
    assert!(read(&link).past().unwrap().restored);
    log.settle_past().unwrap();
    log.append(at(9), b"z", &[]).unwrap();
    drop(log);
    assert_eq!(world.open(&link, "one").head().number, 6);
}

#[test]
fn a_log_stream_put_back_alone_is_seen_even_without_any_copy() {
    let mut world = World::new();
    let link = world.connect();
    let mut log = world.open(&link, "one");
    for number in 1..=5 {
        log.append(at(number), b"x", &[]).unwrap();
    }
    while log.upkeep().unwrap() == raccord_bus::Upkeep::More {}
    drop(log);
    // The log's messages are gone, the buckets are not.
    let client = plain(&world.server.url());
    RUNTIME.block_on(async {
        let stream = client.get_stream("raccord").await.unwrap();
        stream.purge().await.unwrap();
    });
    world.server.kill();
    world.server.run();
    let opened = JetstreamLog::open(&link, &world.node("another"), &place()).unwrap();
    assert!(opened.restored);
}

#[test]
fn a_bucket_of_values_put_back_alone_is_seen_once_and_the_rest_is_read() {
    let world = World::new();
    let link = Jetstream::connect(
        RUNTIME.handle().clone(),
        &Settings {
            patience: Duration::from_secs(1),
            ..world.settings()
        },
    )
    .unwrap();
    let mut log = world.open(&link, "one");
    let value = SlotWrite {
        slot: "a".to_owned(),
        value: Some("Ana".to_owned()),
    };
    log.append(at(1), b"x", std::slice::from_ref(&value))
        .unwrap();
    drop(log);
    let client = plain(&world.server.url());
    RUNTIME
        .block_on(client.delete_stream("KV_raccord-slots"))
        .unwrap();
    world.connect();
    let opened = JetstreamLog::open(&link, &world.node("another"), &place()).unwrap();
    assert!(opened.restored);
    let mut log = opened.log;
    assert_eq!(log.slot("a").unwrap(), None);
    log.settle_past().unwrap();
    drop(log);
    let mut log = world.open(&link, "another");
    log.append(at(2), b"y", &[value]).unwrap();
    drop(log);
    assert_eq!(
        world.open(&link, "third").slot("a").unwrap().as_deref(),
        Some("Ana")
    );
}

#[test]
fn a_log_stream_made_anew_goes_on_from_the_snapshot_and_is_mute() {
    let world = World::new();
    let link = world.connect();
    let mut log = world.open(&link, "one");
    for number in 1..=50 {
        log.append(at(number), b"x", &[]).unwrap();
    }
    log.put_snapshot(40, b"state".to_vec()).unwrap();
    log.forget_before(41).unwrap();
    while log.upkeep().unwrap() == raccord_bus::Upkeep::More {}
    drop(log);
    let client = plain(&world.server.url());
    RUNTIME.block_on(client.delete_stream("raccord")).unwrap();
    // Whoever connects makes the streams that are missing.
    let link = world.connect();
    let opened = JetstreamLog::open(&link, &world.node("another"), &place()).unwrap();
    assert!(opened.restored);
    let mut log = opened.log;
    assert_eq!(log.head().number, 40);
    assert_eq!(log.latest_snapshot().unwrap().unwrap().body, b"state");
    log.append(at(51), b"y", &[]).unwrap();
    drop(log);
    // Its messages have lower numbers now, and are found all the same.
    for node in ["one", "another", "third"] {
        let opened = JetstreamLog::open(&link, &world.node(node), &place()).unwrap();
        assert!(opened.restored);
        assert_eq!(numbers(&opened.log), [41], "{node}");
    }
}

#[test]
fn the_copy_on_this_machine_may_be_deleted_or_damaged_at_any_time() {
    let world = World::new();
    let link = world.connect();
    let mut log = world.open(&link, "one");
    for number in 1..=400 {
        log.append(at(number), &[7; 200], &[]).unwrap();
    }
    log.put_snapshot(300, b"state".to_vec()).unwrap();
    while log.upkeep().unwrap() == raccord_bus::Upkeep::More {}
    let file = world.node("one").join("mirror.db");
    // While the log is at rest, its file is closed.
    std::fs::remove_file(&file).unwrap();
    assert_eq!(log.commits(200, 0).unwrap()[0].number, 200);
    log.append(at(401), b"x", &[]).unwrap();
    drop(log);

    let whole = std::fs::read(&file).unwrap();
    let cases: [(&str, Vec<u8>); 4] = [
        ("empty", vec![]),
        ("cut", whole[..whole.len() / 2].to_vec()),
        ("another file", b"hello".repeat(1000)),
        ("flipped", {
            let mut bytes = whole.clone();
            let middle = bytes.len() - 3000;
            bytes[middle..middle + 200].fill(0xA5);
            bytes
        }),
    ];
    for (case, bytes) in cases {
        std::fs::write(&file, bytes).unwrap();
        let log = world.open(&link, "one");
        assert_eq!(log.head().number, 401, "{case}");
        assert_eq!(numbers(&log), (1..=401).collect::<Vec<_>>(), "{case}");
        assert_eq!(log.snapshot(300).unwrap().body, b"state", "{case}");
    }
    std::fs::remove_dir_all(world.node("one")).unwrap();
    assert_eq!(world.open(&link, "one").head().number, 401);
}

#[test]
fn a_copy_that_stayed_behind_what_retention_took_is_made_anew() {
    let world = World::new();
    let link = world.connect();
    let mut log = world.open(&link, "one");
    log.append(at(1), b"x", &[]).unwrap();
    drop(log);
    let mut log = world.open(&link, "two");
    for number in 2..=50 {
        log.append(at(number), b"x", &[]).unwrap();
    }
    log.put_snapshot(40, b"state".to_vec()).unwrap();
    log.forget_before(41).unwrap();
    while log.upkeep().unwrap() == raccord_bus::Upkeep::More {}
    drop(log);
    let log = world.open(&link, "one");
    assert_eq!((log.floor().number, log.head().number), (40, 50));
    assert_eq!(numbers(&log), (41..=50).collect::<Vec<_>>());
    assert_eq!(log.latest_snapshot().unwrap().unwrap().body, b"state");
}

#[test]
fn a_reader_beside_the_writer_sees_what_is_there_when_it_looks() {
    let world = World::new();
    let link = world.connect();
    let told = JetstreamReader::open(&link, None, &place()).unwrap_err();
    assert!(matches!(
        told,
        LogError::Cluster(ClusterError::Missing { .. })
    ));
    let mut log = world.open(&link, "one");
    log.append(at(1), b"x", &[]).unwrap();
    // In the very folder the writer's copy lies in, too.
    let mut reader = JetstreamReader::open(&link, Some(&world.node("one")), &place()).unwrap();
    let mut follower = RUNTIME.block_on(link.follow()).unwrap();
    log.append(at(2), b"y", &[]).unwrap();
    let news = RUNTIME.block_on(follower.next()).unwrap();
    assert_eq!(news.place, place());
    assert_eq!(reader.head().number, 1);
    assert_eq!(reader.refresh().unwrap().number, 2);
    assert_eq!(numbers(&reader), [1, 2]);
    reader.rest();
    assert_eq!(numbers(&reader), [1, 2]);
}

#[test]
fn several_servers_older_than_2_11_are_refused_with_the_reason() {
    let more = format!(
        "cluster {{ name: old, listen: \"127.0.0.1:{}\", routes: [\"nats://127.0.0.1:{}\"] }}",
        free_port(),
        free_port()
    );
    let world = World::with(Version::Debian, &more);
    let told = Jetstream::connect(RUNTIME.handle().clone(), &world.settings()).unwrap_err();
    match told {
        LogError::Cluster(ClusterError::TooOld { found }) => assert_eq!(found, "2.9.10"),
        other => panic!("{other:?}"),
    }
    let alone = World::with(Version::Debian, "");
    let three = Settings {
        replicas: 3,
        ..alone.settings()
    };
    let told = Jetstream::connect(RUNTIME.handle().clone(), &three).unwrap_err();
    assert!(matches!(
        told,
        LogError::Cluster(ClusterError::TooOld { .. })
    ));
}
