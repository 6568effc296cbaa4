//! OCECO, played after its source: the whole program makes each action once, whatever happens to it.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../connectors/oceco/tests/common/mod.rs"]
mod oceco;

use std::time::Duration;

use oceco::makes;
use oceco::server::{BOT, EMAIL, ORGANIZATION, PASSWORD, PROJECT, Server, TOKEN};
use raccord_tests::played::{Played, each_once};

async fn open() -> Played<Server> {
    let make = |clock| Server::new(clock, None);
    let stage = Played::open(make, Server::answer, |url| {
        format!(
            "[connectors.actions]\nkind = \"oceco\"\nurl = \"{url}\"\ntoken = \"{TOKEN}\"\nuser = \"{BOT}\"\n\
             organization = \"{ORGANIZATION}\"\nproject = \"{PROJECT}\"\npeople_file = \"people\"\n\
             email = \"{EMAIL}\"\npassword = \"{PASSWORD}\"\n"
        )
    });
    let stage = stage.await.unwrap();
    stage
        .place
        .save("people", oceco::people().as_bytes())
        .unwrap();
    stage
}

fn sheet(stage: &Played<Server>, lines: usize) {
    let first = jiff::civil::date(2027, 1, 20);
    let line = |n: usize| {
        let day = first.saturating_add(jiff::ToSpan::days(n as i64));
        format!("Bal numéro {n},{day},20:30,Halle,\"bar 2, accueil 1\"\n")
    };
    let head = "Titre,Date,Début,Salle,Bénévoles\n".to_owned();
    let text: String = std::iter::once(head).chain((0..lines).map(line)).collect();
    stage.place.save("programme.csv", text.as_bytes()).unwrap();
}

fn makings(stage: &Played<Server>) -> usize {
    let seen = stage.standin.seen();
    seen.iter().filter(|seen| makes(seen)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oceco_holds_each_task_once_however_often_the_program_is_killed() {
    let mut stage = open().await;
    stage.answers_slowly(makes);
    sheet(&stage, 10);
    for turn in 0..8 {
        let enough = makings(&stage) + 1 + turn % 2;
        let wait = Duration::from_millis(25 * turn as u64);
        stage
            .kill_after(|| makings(&stage) >= enough, wait)
            .unwrap();
    }
    assert!(!stage.server.names().is_empty(), "something was under way");
    stage.comes_to_rest().unwrap();
    let standing = each_once(&stage.server.names());
    assert_eq!(standing, 20, "two tasks for each of ten");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_makes_nothing_in_oceco_and_the_pass_after_it_makes_exactly_that() {
    let mut stage = open().await;
    sheet(&stage, 3);
    let plan = stage.run(&["plan"]).unwrap();
    assert_eq!(makings(&stage), 0, "a plan makes nothing");
    assert_eq!(plan["effects"].as_array().unwrap().len(), 6, "{plan}");
    stage.run(&["sync"]).unwrap();
    assert_eq!(each_once(&stage.server.names()), 6);
    stage.later(1);
    let again = stage.run(&["plan"]).unwrap();
    assert_eq!(again["effects"].as_array().unwrap().len(), 0, "{again}");
}
