//! Prints what the log in a cluster can take on this machine, with servers it starts itself:
//! `cargo run --release -p raccord-bus --example cluster [FOLDER]`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program that prints figures"
)]

mod packed;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use packed::text;
use raccord_bus::jetstream::servers::{Server, Version};
use raccord_bus::jetstream::{Jetstream, JetstreamLog, JetstreamReader, Node, Settings};
use raccord_bus::{Entry, Log, LogRead, Upkeep};
use raccord_model::PlaceId;
use tokio::runtime::Runtime;

/// The size of a small commit.
const SMALL: usize = 300;

/// How many senders wait for one group.
const SENDERS: usize = 32;

/// How many places write at once.
const PLACES: usize = 100;

/// How long each rate is measured, in turns of this length.
const TURN: Duration = Duration::from_millis(500);
const TURNS: usize = 8;

fn main() {
    let scratch = tempfile::tempdir_in(
        std::env::args()
            .nth(1)
            .map_or_else(std::env::temp_dir, PathBuf::from),
    )
    .unwrap();
    let runtime = Runtime::new().unwrap();
    let alone = Server::start(Version::Present, &scratch.path().join("alone"), "");
    world(&runtime, scratch.path(), "one server", &[alone], 1);
    let three = Server::start_three(Version::Present, &scratch.path().join("three"));
    world(&runtime, scratch.path(), "three servers", &three, 3);
}

fn world(runtime: &Runtime, folder: &Path, name: &str, servers: &[Server], replicas: usize) {
    let settings = Settings {
        replicas,
        ..Settings::new(servers.iter().map(Server::url))
    };
    let link = Jetstream::connect(runtime.handle().clone(), &settings).unwrap();
    println!("{name}:");
    let folder = folder.join(format!("nodes of {name}"));
    rates(runtime, &folder, servers, &link);
    places(runtime, &folder, servers, &link);
    let another = Jetstream::connect(runtime.handle().clone(), &settings).unwrap();
    take_over(&folder, &link, &another);
    opening(&folder, &link);
}

/// Bare publishes, commits one by one and in groups, in turn: all three meet the same minutes.
fn rates(runtime: &Runtime, folder: &Path, servers: &[Server], link: &Jetstream) {
    let client = runtime.block_on(async {
        async_nats::jetstream::new(async_nats::connect(servers[0].url()).await.unwrap())
    });
    let node = folder.join("rates");
    let mut log = open(link, &node, "rates");
    let body = text(SMALL);
    let entry = Entry {
        at: Timestamp::UNIX_EPOCH,
        body: &body,
        slots: &[],
    };
    let (mut bare, mut single, mut grouped) = (0, 0, 0);
    for _ in 0..TURNS {
        bare += turn(|| {
            // What a commit of this size is once it is packed and framed.
            let payload = text(SMALL);
            runtime.block_on(async {
                let sent = client.publish("raccord.bare.log", payload.into()).await;
                sent.unwrap().await.unwrap();
            });
        });
        single += turn(|| {
            log.append_all(&[entry]).unwrap();
        });
        grouped += turn(|| {
            log.append_all(&[entry; SENDERS]).unwrap();
        });
    }
    let seconds = TURN.as_secs_f64() * TURNS as f64;
    let rate = |count: u64| count as f64 / seconds;
    println!(
        "  bare publishes, one after the other   {:>8.0}/s",
        rate(bare)
    );
    println!(
        "  commits of {SMALL} B, one after the other {:>8.0}/s, {:.0} % of it",
        rate(single),
        100.0 * rate(single) / rate(bare)
    );
    println!(
        "  of {SENDERS} waiting senders, in groups       {:>8.0}/s, {:.1} times the commits",
        rate(grouped) * SENDERS as f64,
        rate(grouped) * SENDERS as f64 / rate(single)
    );
    log.append(Timestamp::UNIX_EPOCH, b"so that it ends", &[])
        .unwrap();
}

/// Many places that each commit one after the other, and as many bare publishes under way, in turn.
fn places(runtime: &Runtime, folder: &Path, servers: &[Server], link: &Jetstream) {
    let client = runtime.block_on(async {
        async_nats::jetstream::new(async_nats::connect(servers[0].url()).await.unwrap())
    });
    let name = |at: usize| format!("of-many{at}");
    let mut logs: Vec<JetstreamLog> = (0..PLACES)
        .map(|at| open(link, &folder.join(name(at)), &name(at)))
        .collect();
    let (mut bare, mut commits) = (0, 0);
    for _ in 0..TURNS {
        bare += runtime.block_on(async {
            let publish = |at: usize| {
                let (client, until) = (client.clone(), Instant::now() + TURN);
                async move {
                    let mut count = 0;
                    while Instant::now() < until {
                        let payload = text(SMALL).into();
                        let sent = client.publish(format!("raccord.bare{at}.log"), payload);
                        sent.await.unwrap().await.unwrap();
                        count += 1;
                    }
                    count
                }
            };
            let all = (0..PLACES).map(|at| tokio::spawn(publish(at)));
            let mut count = 0;
            for one in all.collect::<Vec<_>>() {
                count += one.await.unwrap();
            }
            count
        });
        commits += std::thread::scope(|scope| {
            let write = |log: &mut JetstreamLog| {
                let body = text(SMALL);
                turn(|| {
                    log.append(Timestamp::UNIX_EPOCH, &body, &[]).unwrap();
                })
            };
            let all = logs.iter_mut().map(|log| scope.spawn(move || write(log)));
            let all: Vec<_> = all.collect();
            all.into_iter().map(|one| one.join().unwrap()).sum::<u64>()
        });
    }
    let rate = |count: u64| count as f64 / (TURN.as_secs_f64() * TURNS as f64);
    println!(
        "  {PLACES} bare publishes under way          {:>8.0}/s",
        rate(bare)
    );
    println!(
        "  commits of {SMALL} B of {PLACES} places         {:>8.0}/s, {:.0} % of it",
        rate(commits),
        100.0 * rate(commits) / rate(bare)
    );
}

/// A node dies without a word; how long until another has written for its place.
fn take_over(folder: &Path, link: &Jetstream, another: &Jetstream) {
    let place: PlaceId = "taken-over".parse().unwrap();
    let dies = Node::join(link, "dies").unwrap();
    assert!(dies.claim(&place).unwrap());
    let mut log = open(link, &folder.join("dies"), place.as_str());
    log.append(Timestamp::UNIX_EPOCH, &text(SMALL), &[])
        .unwrap();
    let heir = Node::join(another, "heir").unwrap();
    let died = Instant::now();
    drop(dies);
    while !heir.claim_from_the_dead(&place).unwrap() {}
    let mut log = open(another, &folder.join("heir"), place.as_str());
    log.append(Timestamp::UNIX_EPOCH, &text(SMALL), &[])
        .unwrap();
    println!(
        "  after the death of a node, the next one's first commit {:>7.1?}",
        died.elapsed()
    );
}

/// How often `work` is done in one turn.
fn turn(mut work: impl FnMut()) -> u64 {
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < TURN {
        work();
        count += 1;
    }
    count
}

/// Logs of two lengths, each with a snapshot near its end: how long until the first commit.
fn opening(folder: &Path, link: &Jetstream) {
    for length in [1_000, 50_000] {
        let place = format!("long{length}");
        let node = folder.join(&place);
        let mut log = open(link, &node, &place);
        let body = text(SMALL);
        let entry = Entry {
            at: Timestamp::UNIX_EPOCH,
            body: &body,
            slots: &[],
        };
        let some = [entry; 10];
        while log.head().number < length - 100 {
            log.append_all(&some).unwrap();
        }
        log.put_snapshot(log.head().number, text(4 << 20)).unwrap();
        while log.head().number < length {
            log.append_all(&some).unwrap();
        }
        while log.upkeep().unwrap() == Upkeep::More {}
        drop(log);
        for (what, node) in [
            ("with its copy", node.clone()),
            ("on a new machine", folder.join(format!("{place}-new"))),
        ] {
            let start = Instant::now();
            let mut log = open(link, &node, &place);
            let opened = start.elapsed();
            log.latest_snapshot().unwrap().unwrap();
            let tail = log.commits(length - 99, usize::MAX).unwrap().len();
            log.append(Timestamp::UNIX_EPOCH, &body, &[]).unwrap();
            println!(
                "  {length:>6} commits, {what:<16} open {opened:>7.1?}, snapshot, {tail} commits and \
                 the next one {:>7.1?}",
                start.elapsed()
            );
        }
        let start = Instant::now();
        let place: PlaceId = place.parse().unwrap();
        let reader = JetstreamReader::open(link, None, &place).unwrap();
        let mut from = 1;
        while let Some(last) = reader.commits(from, 8 << 20).unwrap().last() {
            from = last.number + 1;
        }
        println!(
            "  {length:>6} commits read from the first on {:>7.1?}",
            start.elapsed()
        );
    }
}

fn open(link: &Jetstream, node: &Path, place: &str) -> JetstreamLog {
    let opened = JetstreamLog::open(link, node, &place.parse().unwrap()).unwrap();
    assert!(!opened.restored);
    opened.log
}
