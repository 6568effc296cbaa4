//! Who asks to be forgotten is: no byte of theirs is left in what the servers keep.

use std::path::Path;

use raccord_bus::jetstream::servers::{Server, Version};
use raccord_bus::jetstream::{Jetstream, JetstreamLog, Settings};
use raccord_bus::{Log as _, LogRead as _, SlotWrite};

use crate::world::{RUNTIME, World, at, place, settings};

const CANARY: &str = "Zéphyrine.Canari-Ducreux@example.org";
const OTHER: &str = "Barnabé reste parmi nous";

/// The files below `folder` that hold `text`.
fn holding(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, text));
        } else if let Ok(bytes) = std::fs::read(&path)
            && bytes
                .windows(text.len())
                .any(|window| window == text.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
    found
}

fn write(slot: &str, value: Option<&str>) -> SlotWrite {
    SlotWrite {
        slot: slot.to_owned(),
        value: value.map(str::to_owned),
    }
}

/// Values are written, replaced, emptied by a commit, and forgotten.
fn tell(log: &mut JetstreamLog) {
    let old = format!("{CANARY} before");
    log.append(
        at(1),
        b"x",
        &[write("a", Some(&old)), write("b", Some(OTHER))],
    )
    .unwrap();
    log.append(at(2), b"x", &[write("a", Some(CANARY))])
        .unwrap();
    log.append(at(3), b"x", &[write("c", Some(CANARY))])
        .unwrap();
    log.append(at(4), b"x", &[write("c", None)]).unwrap();
    assert_eq!(log.slots().unwrap().len(), 2);
}

fn alone(version: Version) {
    let world = World::with(version, "");
    let link = world.connect();
    let mut log = world.open(&link, "one");
    tell(&mut log);
    assert!(!holding(&world.server.store(), CANARY).is_empty());
    log.forget(&["a".to_owned()]).unwrap();
    assert_eq!(log.slot("a").unwrap(), None);
    assert_eq!(log.slot("b").unwrap().as_deref(), Some(OTHER));
    assert!(!holding(&world.server.store(), OTHER).is_empty());
    assert_eq!(holding(world.folder.path(), CANARY), Vec::<String>::new());
    drop(log);
    let log = world.open(&link, "one");
    assert_eq!(log.slots().unwrap().len(), 1);
}

#[test]
fn on_one_server_no_byte_is_left() {
    alone(Version::Present);
}

#[test]
fn on_debians_server_no_byte_is_left() {
    alone(Version::Debian);
}

#[test]
fn on_three_servers_no_byte_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let servers = Server::start_three(Version::Present, folder.path());
    let settings = Settings {
        replicas: 3,
        ..settings(servers.iter().map(Server::url))
    };
    let link = Jetstream::connect(RUNTIME.handle().clone(), &settings).unwrap();
    let node = folder.path().join("node");
    let mut log = JetstreamLog::open(&link, &node, &place()).unwrap().log;
    tell(&mut log);
    log.forget(&["a".to_owned()]).unwrap();
    let mut left = Vec::new();
    for _ in 0..100 {
        left = holding(folder.path(), CANARY);
        // What the servers replicate by, `$SYS`, is compacted by them within some minutes: no call
        // makes them do it sooner.
        left.retain(|path| !path.contains("$SYS"));
        if left.is_empty() {
            break;
        }
        // The two that only follow are a moment behind.
        log.set_meta("asked", Some("again")).unwrap();
    }
    assert_eq!(left, Vec::<String>::new());
}
