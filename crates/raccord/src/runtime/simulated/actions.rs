//! OCECO over hours and days: away, closed, full of what cannot be taken; who takes actions there, and
//! whose are validated.

use raccord_engine::Order;
use raccord_kit::standin::Reply;

use super::listen;
use super::oceco::makes;
use super::oceco::server::{
    ANNA, BOT, EMAIL, ORGANIZATION, PASSWORD, PROJECT, STRANGER, Server, TOKEN,
};
use super::stage::{MINUTE, SECOND, Stage, balls, is_paced, set_aside, standings};
use super::world::World;

type Oceco = Stage<Server>;

async fn oceco() -> Oceco {
    Stage::open(|clock| Server::new(clock, None), Server::answer).await
}

async fn world(stage: &Oceco, name: &str, sheet: &str) -> World {
    let config = format!(
        "[connectors.sheet]\nkind = 'spreadsheet'\nlocation = 'programme.csv'\nevery = '10s'\n\
         [connectors.{name}]\nkind = 'oceco'\nurl = '{}'\ntoken_file = 'secret'\nuser = '{BOT}'\n\
         organization = '{ORGANIZATION}'\nproject = '{PROJECT}'\npeople_file = 'people'\n\
         email = '{EMAIL}'\npassword = '{PASSWORD}'\nevery = '1m'\n\
         [guards]\nchange_count = 1000\n",
        stage.standin.url("/")
    );
    let people = super::oceco::people();
    let files = [
        ("programme.csv", sheet),
        ("secret", TOKEN),
        ("people", &*people),
    ];
    World::start(&config, &files).await
}

/// Lines that each want two at the bar.
fn sheet(lines: usize, bar: &str) -> String {
    let rest = format!("20:30,Halle,{bar} 2");
    balls("Titre,Date,Début,Salle,Bénévoles", lines, &rest)
}

#[tokio::test(start_paused = true)]
async fn an_oceco_that_is_away_for_26_hours_has_everything_in_the_end_and_it_is_said_twice() {
    listen();
    let stage = oceco().await;
    let world = world(&stage, "oceco-absent", &sheet(1, "bar")).await;
    stage.pass(&world, MINUTE * 2, SECOND * 5).await;
    assert_eq!(stage.server.names().len(), 1);

    stage
        .is_away(&world, "oceco-absent", &sheet(40, "bar"), SECOND * 20)
        .await;
    assert_eq!(stage.server.names().len(), 40);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn one_task_of_a_hundred_that_oceco_refuses_is_set_aside_and_made_once_it_is_taken() {
    let stage = oceco().await;
    stage.answers(|seen| {
        let poisoned = String::from_utf8_lossy(&seen.body).contains("Bal 17");
        let refusal = "{\"error\":\"validation-error\",\"reason\":\"Name is invalid\"}";
        (makes(seen) && poisoned).then(|| Reply::status(400).body(refusal).into())
    });
    let world = world(&stage, "actions", &sheet(100, "bar")).await;
    stage.pass(&world, MINUTE * 10, SECOND).await;
    assert_eq!(stage.server.names().len(), 99);
    let (delivery, failure) = set_aside(&world).await;
    assert!(
        failure.text.en.contains("validation-error Name is invalid"),
        "{failure:?}"
    );
    assert_eq!(world.told("dead"), ["open"]);

    stage.answers(|_| None);
    world.order(Order::Retry(delivery)).await;
    stage.pass(&world, MINUTE * 2, SECOND).await;
    assert_eq!(stage.server.names().len(), 100);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn in_oceco_an_older_state_never_stands_after_a_newer_one() {
    let stage = oceco().await;
    stage.answers(|seen| makes(seen).then(|| Reply::status(503).into()));
    let world = world(&stage, "actions", &sheet(1, "bar")).await;
    stage.pass(&world, MINUTE * 10, SECOND * 5).await;
    world.write("programme.csv", &sheet(1, "buvette"));
    stage.pass(&world, MINUTE * 30, SECOND * 10).await;
    assert_eq!(stage.server.names(), [""; 0]);
    stage.answers(|_| None);
    stage.pass(&world, MINUTE * 10, SECOND * 2).await;
    let names = stage.server.names();
    assert_eq!(names.len(), 1, "{names:?}");
    assert!(names[0].to_lowercase().contains("buvette"), "{names:?}");
    // What was made and changed since is asked about, once.
    world.write(
        "programme.csv",
        &sheet(1, "buvette").replace("20:30", "21:30"),
    );
    stage.pass(&world, MINUTE * 5, SECOND).await;
    assert_eq!(stage.server.names(), names, "nothing was done");
    assert_eq!(world.told("hold"), ["open"]);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_token_that_oceco_replaced_is_shown_seldom_and_its_successor_is_noticed() {
    let stage = oceco().await;
    let world = world(&stage, "actions", &sheet(1, "bar")).await;
    stage.pass(&world, MINUTE * 2, SECOND * 5).await;
    stage.server.state().token = "fresh".to_owned();
    let before = stage.standin.seen().len();
    world.write("programme.csv", &sheet(5, "bar"));
    stage.pass(&world, MINUTE * 55, SECOND * 10).await;
    let shown = stage.standin.seen().len() - before;
    assert!((1..=3).contains(&shown), "shown {shown} times in an hour");
    assert_eq!(world.told("access"), ["open"], "it is told once");
    world.write("secret", "fresh");
    stage.pass(&world, MINUTE * 5, SECOND * 2).await;
    assert_eq!(stage.server.names().len(), 5, "nothing is lost");
    assert_eq!(world.told("access"), ["open", "closed"]);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_hundred_at_once_reach_oceco_no_faster_than_was_said() {
    let stage = oceco().await;
    let world = world(&stage, "actions", &sheet(100, "bar")).await;
    stage.pass(&world, MINUTE * 5, SECOND / 2).await;
    assert_eq!(stage.server.names().len(), 100);
    // Two deliveries a second, as it says of itself, and a reading among them.
    is_paced(&world, "actions", 3);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn who_takes_an_action_is_signed_up_and_who_is_validated_came_once() {
    let stage = oceco().await;
    let today = "Titre,Date,Début,Salle,Bénévoles\nBal,2027-01-02,10:00,Halle,bar 2\n";
    let world = world(&stage, "actions", today).await;
    stage.pass(&world, MINUTE * 3, SECOND).await;
    let names = stage.server.names();
    let action = stage.server.action(&names[0]).id;
    stage.server.takes(&action, ANNA);
    stage.server.takes(&action, STRANGER);
    stage.pass(&world, MINUTE * 3, SECOND).await;
    assert_eq!(standings(&world).await, ["registered"]);
    assert_eq!(world.told("oceco.unknown-people"), ["open"]);
    for _ in 0..2 {
        stage.server.validates(&action, ANNA);
        stage.pass(&world, MINUTE * 3, SECOND).await;
    }
    assert_eq!(standings(&world).await, ["attended"]);
    assert_eq!(world.told("oceco.validated-twice"), ["open"]);
    // The stranger is somebody: their validation of before counts, once.
    stage.server.validates(&action, STRANGER);
    stage.pass(&world, MINUTE * 3, SECOND).await;
    assert_eq!(standings(&world).await, ["attended"]);
    let known = format!("{}{STRANGER} chloe@example.org\n", super::oceco::people());
    world.write("people", &known);
    stage.pass(&world, MINUTE * 3, SECOND).await;
    assert_eq!(standings(&world).await, ["attended", "attended"]);
    assert_eq!(world.told("oceco.unknown-people"), ["open", "closed"]);
    world.end().await;
}
