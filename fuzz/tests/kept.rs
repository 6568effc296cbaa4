//! Every input that is kept is played again: what a fuzzer begins with, and what once broke
//! something.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests; the last input named is the one that failed"
)]

fn plays(name: &str, target: fn(&[u8])) {
    let folder = std::path::Path::new("corpus").join(name);
    let mut played = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        target(&std::fs::read(path).unwrap());
        played += 1;
    }
    assert!(played > 5);
}

#[test]
fn cells() {
    plays("cell", raccord_fuzz::cell);
}

#[test]
fn sheets() {
    plays("sheet", raccord_fuzz::sheet);
}

#[test]
fn events() {
    plays("event", raccord_fuzz::event);
}

#[test]
fn configurations() {
    plays("config", raccord_fuzz::config);
}

#[test]
fn entries() {
    plays("entry", raccord_fuzz::entry);
}

#[test]
fn answers() {
    plays("dav", raccord_fuzz::dav);
}
