//! Lespass, played after its source: the whole program makes each event once, whatever happens to it,
//! and knows who signed up there. And the answers of a form: each is one sign-up.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::time::Duration;

use raccord_tests::place::Place;
use raccord_tests::registers::{Kind, planned, torture};
use serde_json::Value;

const BEGIN: &str = "2027-01-02T08:00:00Z";

#[test]
fn a_lespass_holds_each_activity_once_however_often_the_program_is_killed() {
    let report = torture(Kind::Lespass, 10, 7).unwrap();
    assert!(report.made > 0 && report.sign_ups > 0, "{report:?}");
}

#[test]
fn a_plan_makes_nothing_in_lespass_and_the_pass_after_it_makes_exactly_that() {
    planned(Kind::Lespass).unwrap();
}

#[test]
fn each_answer_of_a_form_is_one_sign_up_however_often_the_program_is_killed() {
    const ANSWERS: usize = 60;
    let config = "[place]\nid = \"raffinerie\"\nname = \"La Raffinerie\"\ntimezone = \"Indian/Reunion\"\n\
                  [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"programme.csv\"\n\
                  [connectors.answers]\nkind = \"spreadsheet\"\nlocation = \"answers.csv\"\nevery = \"1s\"\n\
                  answers = { activity = \"Bal\" }\n";
    let place = Place::new("").unwrap().at(BEGIN);
    place.save("raccord.toml", config.as_bytes()).unwrap();
    let programme = "Titre,Date,Début,Salle,Places\nBal,20/01/2027,20:30,Halle,25\n";
    place.save("programme.csv", programme.as_bytes()).unwrap();
    let answers = |many: usize| {
        let line = |n: usize| format!("{n},2027-01-01 10:{n:02}:00,person{n}@example.org,P{n}\n");
        let head = "ID,Horodatage,E-mail,Nom\n".to_owned();
        let text: String = std::iter::once(head).chain((0..many).map(line)).collect();
        place.save("answers.csv", text.as_bytes()).unwrap();
    };
    for turn in 1..=6 {
        answers(turn * ANSWERS / 6);
        let mut running = place.start().unwrap();
        std::thread::park_timeout(Duration::from_millis(150 * turn as u64));
        running.kill().unwrap();
        running.wait().unwrap();
    }
    for _ in 0..3 {
        place.run(&["sync"]).unwrap();
    }
    let events = place.events().unwrap();
    let of = |verb: &str| {
        let kind = format!("org.raccord.registration.{verb}.v1");
        let all = events.iter().filter(move |event| event["type"] == kind);
        all.cloned().collect::<Vec<Value>>()
    };
    let created = of("created");
    let people: BTreeSet<String> = created
        .iter()
        .map(|event| event["data"]["person"].to_string())
        .collect();
    assert_eq!((created.len(), people.len()), (ANSWERS, ANSWERS));
    assert_eq!(of("cancelled"), [Value::Null; 0]);
    // Twenty-five places, in the order of the answers.
    let seated = created
        .iter()
        .filter(|one| one["data"]["state"] == "registered");
    let turns: BTreeSet<u64> = seated
        .filter_map(|one| one["data"]["turn"].as_u64())
        .collect();
    assert_eq!(turns, (1..=25).collect());
}
