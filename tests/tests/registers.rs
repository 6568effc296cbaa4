//! Lespass, played after its source: the whole program makes each event once, whatever happens to it,
//! and knows who signed up there. And the answers of a form: each is one sign-up.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../connectors/lespass/tests/common/mod.rs"]
mod lespass;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use lespass::server::{KEY, SCANNER, Server};
use raccord_kit::ManualClock;
use raccord_kit::standin::{Play, Standin};
use raccord_tests::place::Place;
use serde_json::Value;

const BEGIN: &str = "2027-01-02T08:00:00Z";

struct Stage {
    standin: Standin,
    server: Server,
    clock: Arc<ManualClock>,
    place: Place,
}

impl Stage {
    async fn open() -> Self {
        let clock = Arc::new(ManualClock::at(BEGIN.parse().unwrap()));
        let server = Server::new(clock.clone(), None);
        let standin = Standin::start().await;
        let behind = server.clone();
        standin.direct(move |seen| behind.answer(seen));
        let config = format!(
            "[place]\nid = \"raffinerie\"\nname = \"La Raffinerie\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\n\
             [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"programme.csv\"\n\
             [connectors.billets]\nkind = \"lespass\"\nurl = \"{}\"\nkey = \"{KEY}\"\nscan_key = \"{SCANNER}\"\n\
             [guards]\nchange_count = 1000\n",
            standin.url("/")
        );
        let place = Place::new("").unwrap().at(BEGIN);
        place.save("raccord.toml", config.as_bytes()).unwrap();
        Self {
            standin,
            server,
            clock,
            place,
        }
    }

    /// Every answer to what is made takes its time, so that a kill meets one under way.
    fn answers_slowly(&self) {
        let server = self.server.clone();
        self.standin.direct(move |seen| match server.answer(seen) {
            Play::Answer(reply) if seen.writes() && seen.path.ends_with("/events/") => {
                Play::Drip(reply, Duration::from_millis(1))
            }
            other => other,
        });
    }

    fn answers_at_once(&self) {
        let server = self.server.clone();
        self.standin.direct(move |seen| server.answer(seen));
    }

    fn sheet(&self, lines: usize, room: &str) {
        let first = jiff::civil::date(2027, 1, 20);
        let line = |n: usize| {
            let day = first.saturating_add(jiff::ToSpan::days(n as i64));
            format!("Bal numéro {n},{day},20:30,{room},\"Bénévoles au bar, {room}\",bar 2\n")
        };
        let head = "Titre,Date,Début,Salle,Description,Bénévoles\n".to_owned();
        let text: String = std::iter::once(head).chain((0..lines).map(line)).collect();
        self.place.save("programme.csv", text.as_bytes()).unwrap();
    }

    /// Hours later, for the server and for the program.
    fn later(&mut self, hours: i64) {
        self.clock.advance(SignedDuration::from_hours(hours));
        let now = raccord_kit::Clock::now(&*self.clock).to_string();
        self.place.is_at(&now);
    }

    fn run(&self, arguments: &[&str]) -> Value {
        let answer = tokio::task::block_in_place(|| self.place.run(arguments).unwrap());
        assert!(answer.code <= 3 && answer.json.is_object(), "{answer:?}");
        answer.json
    }

    /// What stands there, each once.
    fn standing(&self) -> usize {
        let names = self.server.names();
        let different: BTreeSet<&String> = names.iter().collect();
        assert_eq!(names.len(), different.len(), "{names:?}");
        names.len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lespass_holds_each_activity_once_however_often_the_program_is_killed() {
    let mut stage = Stage::open().await;
    stage.sheet(20, "Halle");
    stage.answers_slowly();
    for turn in 0..10 {
        if turn == 5 {
            // Everything changes meanwhile: each is deleted and made anew.
            stage.sheet(20, "Cour");
        }
        let enough = stage.standin.writes().len() + 1 + turn % 3;
        tokio::task::block_in_place(|| {
            let mut running = stage.place.start().unwrap();
            for _ in 0..500 {
                if stage.standin.writes().len() >= enough {
                    break;
                }
                std::thread::park_timeout(Duration::from_millis(10));
            }
            std::thread::park_timeout(Duration::from_millis(40 * turn as u64));
            running.kill().unwrap();
            running.wait().unwrap();
        });
    }
    stage.answers_at_once();
    assert!(!stage.server.names().is_empty(), "something was under way");
    for _ in 0..3 {
        stage.later(1);
        stage.run(&["sync"]);
    }
    stage.later(1);
    let last = stage.run(&["sync"]);
    assert_eq!(last["done"], 0, "{last}");
    assert_eq!(last["holds"].as_array().unwrap().len(), 0, "{last}");
    assert_eq!(stage.standing(), 40, "twenty events, twenty actions");
    let state = stage.server.state();
    let old = state
        .events
        .iter()
        .filter(|one| one.description.contains("Halle"));
    assert_eq!(old.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_makes_nothing_in_lespass_and_the_pass_after_it_makes_exactly_that() {
    let mut stage = Stage::open().await;
    stage.sheet(5, "Halle");
    let plan = stage.run(&["plan"]);
    assert!(stage.standin.writes().is_empty(), "a plan writes nothing");
    let planned = plan["effects"].as_array().map_or(0, Vec::len);
    assert_eq!(planned, 10, "{plan}");
    stage.run(&["sync"]);
    assert_eq!(stage.standing(), 10);
    stage.later(1);
    let again = stage.run(&["plan"]);
    assert_eq!(
        again["effects"].as_array().map_or(0, Vec::len),
        0,
        "{again}"
    );
    // Somebody signs up between a plan and its pass: what would be lost is asked about.
    stage.sheet(5, "Cour");
    stage.run(&["plan"]);
    let event = stage.server.event("Bal numéro 0").uuid;
    stage.server.books(&event, "anna", 1);
    stage.run(&["sync"]);
    assert_eq!(stage.server.event("Bal numéro 0").uuid, event);
    let holds = tokio::task::block_in_place(|| stage.place.run(&["holds"]).unwrap());
    let text = holds.json.to_string();
    assert!(
        text.contains("Bal numéro 0") && text.contains("tool-cannot"),
        "{text}"
    );
    stage.later(1);
    stage.run(&["sync"]);
    assert_eq!(stage.standing(), 10);
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
