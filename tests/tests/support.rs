//! A support bundle is made beside the daemon, which goes on.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use raccord_tests::place::Place;
use raccord_tests::receiver::Receiver;
use serde_json::{Value, json};

#[test]
fn a_bundle_is_made_beside_the_daemon() {
    let receiver = Receiver::start().unwrap();
    let place = Place::new(&format!(
        "[place]\nid = \"lieu\"\nname = \"Le lieu\"\ntimezone = \"Europe/Paris\"\ndata = \"data\"\n\
         [web]\nlisten = \"127.0.0.1:0\"\n\
         [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"programme.csv\"\n\
         [connectors.hook]\nkind = \"webhook\"\nurl = \"http://{}/in\"\n",
        receiver.address
    ))
    .unwrap();
    place
        .save("programme.csv", b"Titre,Date\nBal,2027-01-09\n")
        .unwrap();
    let mut daemon = place.start().unwrap();
    assert!(receiver.wait(Duration::from_secs(30), |received| !received.is_empty()));
    let file = place.path("bundle.json");
    let answer = place.run(&["support", file.to_str().unwrap()]).unwrap();
    let alive = daemon.try_wait().unwrap().is_none();
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    assert!(answer.code == 0 && alive, "{answer:?}");
    let told: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(told["log"]["daemon"], json!(true), "{told:#}");
    assert_eq!(told["log"]["place"]["activities"], 1, "{told:#}");
}
