//! Which node lives, and who holds a place: taken once, let go, taken over after a death.

use std::time::{Duration, Instant};

use raccord_bus::jetstream::servers::{Server, Version};
use raccord_bus::jetstream::{Copy, Jetstream, Known, Node, Settings, has, outdoes};
use raccord_bus::{Log as _, LogRead as _};
use raccord_model::PlaceId;

use crate::world::{RUNTIME, World, at, copy, place, settings, signal};

/// Waits until `node` sees it so, and gives how long that took.
fn until(node: &Node, is_so: impl FnMut(&raccord_bus::jetstream::View) -> bool) -> Duration {
    let began = Instant::now();
    let mut view = node.view();
    RUNTIME
        .block_on(async {
            let seen = view.wait_for(is_so);
            tokio::time::timeout(Duration::from_secs(20), seen)
                .await
                .map(drop)
        })
        .unwrap();
    began.elapsed()
}

#[test]
fn a_place_is_held_by_one_node_and_free_once_that_lets_go_or_leaves() {
    let world = World::new();
    let (here, there) = (world.connect(), world.connect());
    let one = Node::join(&here, "north").unwrap();
    let other = Node::join(&there, "south").unwrap();
    let halle = place();
    one.serves([&halle]).unwrap();
    assert!(one.claim(&halle).unwrap());
    assert!(one.claim(&halle).unwrap(), "it is its own already");
    until(&other, |view| view.holder(&halle).is_some());
    assert!(!other.claim(&halle).unwrap());
    let seen = other.view().borrow().clone();
    let living: Vec<&str> = seen.living().map(|(node, _)| node).collect();
    assert_eq!(living, [one.id(), other.id()], "by name");
    assert!(
        seen.living()
            .any(|(node, serves)| node == one.id() && serves.contains(&halle))
    );

    one.release(&halle).unwrap();
    until(&other, |view| view.holder(&halle).is_none());
    assert!(other.claim(&halle).unwrap());
    until(&one, |view| view.holder(&halle).is_some());
    let left = other.id().to_owned();
    other.leave();
    until(&one, |view| view.holder(&halle).is_none());
    assert!(one.view().borrow().living().all(|(node, _)| node != left));
    assert!(one.claim(&halle).unwrap());
}

#[test]
fn of_many_who_claim_at_once_one_gets_it() {
    let world = World::new();
    let link = world.connect();
    let nodes: Vec<Node> = (0..6).map(|_| Node::join(&link, "node").unwrap()).collect();
    for round in 0..10 {
        let place: PlaceId = format!("place-{round}").parse().unwrap();
        let won = std::thread::scope(|scope| {
            let claims: Vec<_> = nodes
                .iter()
                .map(|node| scope.spawn(|| node.claim(&place).unwrap()))
                .collect();
            claims
                .into_iter()
                .map(|claim| claim.join().unwrap())
                .filter(|won| *won)
                .count()
        });
        assert_eq!(won, 1);
    }
}

#[test]
fn a_node_that_fell_silent_is_dead_to_the_others_within_four_seconds_and_to_itself_before() {
    let world = World::new();
    let (here, there) = (world.connect(), world.connect());
    let one = Node::join(&here, "north").unwrap();
    let halle = place();
    assert!(one.claim(&halle).unwrap());
    let other = Node::join(&there, "south").unwrap();
    assert_eq!(other.view().borrow().holder(&halle), Some(one.id()));
    assert!(!other.claim(&halle).unwrap());
    let until_then = one.lives_until().unwrap();
    drop(one);
    let took = until(&other, |view| view.holder(&halle).is_none());
    assert!(
        tokio::time::Instant::now() >= until_then,
        "it was safe until then"
    );
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(other.claim(&halle).unwrap());
}

#[test]
fn a_node_without_servers_takes_itself_for_dead_and_then_holds_only_what_it_takes_again() {
    let mut world = World::new();
    let link = world.connect();
    let one = Node::join(&link, "north").unwrap();
    let halle = place();
    assert!(one.claim(&halle).unwrap());
    assert!(one.holds(&halle));
    assert!(one.lives_until().is_some());
    world.server.kill();
    let began = Instant::now();
    while one.lives_until().is_some() {
        assert!(began.elapsed() < Duration::from_secs(10));
        std::thread::park_timeout(Duration::from_millis(20));
    }
    world.server.run();
    let began = Instant::now();
    while one.lives_until().is_none() {
        assert!(began.elapsed() < Duration::from_secs(20), "it lives again");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    // Another node may have taken it meanwhile, and the word of that be on its way.
    assert!(!one.holds(&halle));
    assert!(one.renews(&halle).unwrap());
    assert!(one.holds(&halle));
}

#[test]
fn what_another_machine_has_read_is_heard_once() {
    let world = World::new();
    let (here, there) = (world.connect(), world.connect());
    let mut log = world.open(&here, "one");
    for second in 1..=3 {
        log.append(at(second), b"x", &[]).unwrap();
    }
    let head: Known = log.head().into();
    let mut one = Node::join(&here, "north").unwrap();
    let found = Copy {
        folder: world.node("one"),
        in_use: false,
    };
    one.bears_witness(move |asked| (*asked == place()).then(|| found.clone()));
    let other = Node::join(&there, "south").unwrap();
    // Nobody waits for long for a copy that is in use.
    assert_eq!(other.others_know(&place()), []);
    drop(log);
    let known = other.others_know(&place());
    assert_eq!(known, [(one.id().to_owned(), head)]);
    let mut log = world.open(&there, "two");
    log.append(at(4), b"y", &[]).unwrap();
    assert!(has(&log, &head).unwrap());
    let wrong = |number, hash| !has(&log, &Known { number, hash }).unwrap();
    assert!(wrong(9, head.hash), "more than there is");
    assert!(wrong(3, [7; 32]) && wrong(4, [7; 32]), "another log");
    assert_eq!(outdoes(&here, &world.node("one"), &place()).unwrap(), None);
    other.told(one.id(), &place(), &head);
    assert_eq!(other.others_know(&place()), [], "it is gone");
}

#[test]
fn nodes_go_on_among_servers_that_were_put_back_to_an_earlier_hour() {
    let folder = tempfile::tempdir().unwrap();
    let mut servers = Server::start_three(Version::Present, folder.path());
    let settings = Settings {
        replicas: 3,
        patience: Duration::from_secs(40),
        ..settings(servers.iter().map(Server::url))
    };
    let connect = || Jetstream::connect(RUNTIME.handle().clone(), &settings).unwrap();
    let (here, there) = (connect(), connect());
    let one = Node::join(&here, "north").unwrap();
    let other = Node::join(&there, "south").unwrap();
    let backup = |server: &Server| folder.path().join(server.port().to_string());
    for server in &servers {
        signal(server, "-STOP");
    }
    for server in &servers {
        copy(&server.store(), &backup(server));
    }
    for server in &servers {
        signal(server, "-CONT");
    }
    // As many words as they say in minutes.
    let halle = place();
    for _ in 0..500 {
        one.serves([&halle]).unwrap();
    }
    for server in &mut servers {
        server.kill();
        std::fs::remove_dir_all(server.store()).unwrap();
        copy(&backup(server), &server.store());
    }
    for server in &mut servers {
        server.run();
    }
    one.serves([&halle]).unwrap();
    for node in [&one, &other] {
        until(node, |view| {
            view.serves(one.id()).is_some_and(|it| it.len() == 1) && view.living().count() == 2
        });
    }
    // Silent until the servers take its word, it takes nothing.
    let began = Instant::now();
    while !other.claim(&halle).unwrap() {
        assert!(began.elapsed() < Duration::from_secs(20));
        std::thread::park_timeout(Duration::from_millis(20));
    }
    until(&one, |view| view.holder(&halle) == Some(other.id()));
    assert!(!one.claim(&halle).unwrap());
}
