//! Lespass, played after its source: the whole program makes each event once, whatever happens to it,
//! and knows who signed up there. And the answers of a form: each is one sign-up.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../connectors/lespass/tests/common/mod.rs"]
mod lespass;

use std::collections::BTreeSet;
use std::time::Duration;

use lespass::server::{KEY, SCANNER, Server};
use raccord_tests::place::Place;
use raccord_tests::played::{Played, each_once};
use serde_json::Value;

const BEGIN: &str = "2027-01-02T08:00:00Z";

async fn open() -> Played<Server> {
    let make = |clock| Server::new(clock, None);
    let stage = Played::open(make, Server::answer, |url| {
        format!(
            "[connectors.billets]\nkind = \"lespass\"\nurl = \"{url}\"\nkey = \"{KEY}\"\nscan_key = \"{SCANNER}\"\n"
        )
    });
    stage.await.unwrap()
}

fn sheet(stage: &Played<Server>, lines: usize, room: &str) {
    let first = jiff::civil::date(2027, 1, 20);
    let line = |n: usize| {
        let day = first.saturating_add(jiff::ToSpan::days(n as i64));
        format!("Bal numéro {n},{day},20:30,{room},\"Bénévoles au bar, {room}\",bar 2\n")
    };
    let head = "Titre,Date,Début,Salle,Description,Bénévoles\n".to_owned();
    let text: String = std::iter::once(head).chain((0..lines).map(line)).collect();
    stage.place.save("programme.csv", text.as_bytes()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lespass_holds_each_activity_once_however_often_the_program_is_killed() {
    let mut stage = open().await;
    sheet(&stage, 20, "Halle");
    stage.answers_slowly(|seen| seen.writes() && seen.path.ends_with("/events/"));
    for turn in 0..10 {
        if turn == 5 {
            // Everything changes meanwhile: each is deleted and made anew.
            sheet(&stage, 20, "Cour");
        }
        let written = || stage.standin.writes().len();
        let enough = written() + 1 + turn % 3;
        let wait = Duration::from_millis(40 * turn as u64);
        stage.kill_after(|| written() >= enough, wait).unwrap();
    }
    assert!(!stage.server.names().is_empty(), "something was under way");
    stage.comes_to_rest().unwrap();
    let standing = each_once(&stage.server.names());
    assert_eq!(standing, 40, "twenty events, twenty actions");
    let state = stage.server.state();
    let old = state
        .events
        .iter()
        .filter(|one| one.description.contains("Halle"));
    assert_eq!(old.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_makes_nothing_in_lespass_and_the_pass_after_it_makes_exactly_that() {
    let mut stage = open().await;
    sheet(&stage, 5, "Halle");
    let plan = stage.run(&["plan"]).unwrap();
    assert!(stage.standin.writes().is_empty(), "a plan writes nothing");
    assert_eq!(plan["effects"].as_array().unwrap().len(), 10, "{plan}");
    stage.run(&["sync"]).unwrap();
    assert_eq!(each_once(&stage.server.names()), 10);
    stage.later(1);
    let again = stage.run(&["plan"]).unwrap();
    assert_eq!(again["effects"].as_array().unwrap().len(), 0, "{again}");
    // Somebody signs up between a plan and its pass: what would be lost is asked about.
    sheet(&stage, 5, "Cour");
    stage.run(&["plan"]).unwrap();
    let event = stage.server.event("Bal numéro 0").uuid;
    stage.server.books(&event, "anna", 1);
    stage.run(&["sync"]).unwrap();
    assert_eq!(stage.server.event("Bal numéro 0").uuid, event);
    let holds = tokio::task::block_in_place(|| stage.place.run(&["holds"]).unwrap());
    let text = holds.json.to_string();
    assert!(
        text.contains("Bal numéro 0") && text.contains("tool-cannot"),
        "{text}"
    );
    stage.later(1);
    stage.run(&["sync"]).unwrap();
    assert_eq!(each_once(&stage.server.names()), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_answer_of_a_form_is_one_sign_up_however_often_the_program_is_killed() {
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
    tokio::task::block_in_place(|| {
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
    });
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
