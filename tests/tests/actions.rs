//! OCECO, played after its source: the whole program makes each action once, whatever happens to it.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../connectors/oceco/tests/common/mod.rs"]
mod oceco;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use oceco::makes;
use oceco::server::{BOT, EMAIL, ORGANIZATION, PASSWORD, PROJECT, Server, TOKEN};
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
             [connectors.actions]\nkind = \"oceco\"\nurl = \"{}\"\ntoken = \"{TOKEN}\"\nuser = \"{BOT}\"\n\
             organization = \"{ORGANIZATION}\"\nproject = \"{PROJECT}\"\npeople_file = \"people\"\n\
             email = \"{EMAIL}\"\npassword = \"{PASSWORD}\"\n\
             [guards]\nchange_count = 1000\n",
            standin.url("/")
        );
        let place = Place::new("").unwrap().at(BEGIN);
        place.save("raccord.toml", config.as_bytes()).unwrap();
        place.save("people", oceco::people().as_bytes()).unwrap();
        Self {
            standin,
            server,
            clock,
            place,
        }
    }

    fn sheet(&self, lines: usize) {
        let first = jiff::civil::date(2027, 1, 20);
        let line = |n: usize| {
            let day = first.saturating_add(jiff::ToSpan::days(n as i64));
            format!("Bal numéro {n},{day},20:30,Halle,\"bar 2, accueil 1\"\n")
        };
        let head = "Titre,Date,Début,Salle,Bénévoles\n".to_owned();
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

    fn makings(&self) -> usize {
        self.standin
            .seen()
            .iter()
            .filter(|seen| makes(seen))
            .count()
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
async fn an_oceco_holds_each_task_once_however_often_the_program_is_killed() {
    let mut stage = Stage::open().await;
    // Every answer to what is made takes its time, so that a kill meets one under way.
    let server = stage.server.clone();
    stage.standin.direct(move |seen| match server.answer(seen) {
        Play::Answer(reply) if makes(seen) => Play::Drip(reply, Duration::from_millis(2)),
        other => other,
    });
    stage.sheet(10);
    for turn in 0..8 {
        let enough = stage.makings() + 1 + turn % 2;
        tokio::task::block_in_place(|| {
            let mut running = stage.place.start().unwrap();
            for _ in 0..500 {
                if stage.makings() >= enough {
                    break;
                }
                std::thread::park_timeout(Duration::from_millis(10));
            }
            std::thread::park_timeout(Duration::from_millis(25 * turn as u64));
            running.kill().unwrap();
            running.wait().unwrap();
        });
    }
    let server = stage.server.clone();
    stage.standin.direct(move |seen| server.answer(seen));
    assert!(!stage.server.names().is_empty(), "something was under way");
    for _ in 0..3 {
        stage.later(1);
        stage.run(&["sync"]);
    }
    stage.later(1);
    let last = stage.run(&["sync"]);
    assert_eq!(last["done"], 0, "{last}");
    assert_eq!(last["holds"].as_array().unwrap().len(), 0, "{last}");
    assert_eq!(stage.standing(), 20, "two tasks for each of ten");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_makes_nothing_in_oceco_and_the_pass_after_it_makes_exactly_that() {
    let mut stage = Stage::open().await;
    stage.sheet(3);
    let plan = stage.run(&["plan"]);
    assert_eq!(stage.makings(), 0, "a plan makes nothing");
    let planned = plan["effects"].as_array().map_or(0, Vec::len);
    assert_eq!(planned, 6, "{plan}");
    stage.run(&["sync"]);
    assert_eq!(stage.standing(), 6);
    stage.later(1);
    let again = stage.run(&["plan"]);
    assert_eq!(
        again["effects"].as_array().map_or(0, Vec::len),
        0,
        "{again}"
    );
}
