//! A disk that is full under what the daemon says.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs::File;
use std::process::Stdio;
use std::time::Duration;

use raccord_tests::place::Place;
use raccord_tests::process::Process;
use raccord_tests::receiver::Receiver;

#[test]
fn a_daemon_whose_words_cannot_be_written_works_on() {
    let receiver = Receiver::start().unwrap();
    let place = Place::new(&format!(
        "[place]\nid = \"lieu\"\nname = \"Le lieu\"\ntimezone = \"Europe/Paris\"\ndata = \"data\"\n\
         [web]\nlisten = \"127.0.0.1:0\"\n\
         [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"programme.csv\"\n\
         [connectors.hook]\nkind = \"webhook\"\nurl = \"http://{}/in\"\n",
        receiver.address
    ))
    .unwrap();
    let told = |times| receiver.wait(Duration::from_secs(30), |received| received.len() == times);
    place
        .save("programme.csv", b"Titre,Date\nBal,2027-01-09\n")
        .unwrap();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut command = place.command(&["run"]).unwrap();
    let child = command.stdout(Stdio::null()).stderr(full).spawn().unwrap();
    let mut daemon = Process::of(child);
    assert!(told(1));
    place
        .save(
            "programme.csv",
            b"Titre,Date\nBal,2027-01-09\nRepas,2027-01-10\n",
        )
        .unwrap();
    assert!(told(2));
    assert_eq!(daemon.ended().unwrap(), None);
}
