//! Lespass over hours and days: away, closed, full of what cannot be taken; who signs up there, and
//! what a webhook that switched itself off loses.

use raccord_engine::{Commitment, Order};
use raccord_kit::standin::{Reply, Seen};

use super::lespass::server::{KEY, SCANNER, Server};
use super::listen;
use super::stage::{MINUTE, SECOND, Stage, balls, is_paced, set_aside, standings};
use super::world::World;

type Lespass = Stage<Server>;

async fn lespass() -> Lespass {
    Stage::open(|clock| Server::new(clock, None), Server::answer).await
}

async fn world(stage: &Lespass, name: &str, sheet: &str) -> World {
    let config = format!(
        "[connectors.sheet]\nkind = 'spreadsheet'\nlocation = 'programme.csv'\nevery = '10s'\n\
         [connectors.{name}]\nkind = 'lespass'\nurl = '{}'\nkey_file = 'secret'\nscan_key = '{SCANNER}'\n\
         every = '1m'\nhook_secret = 'hook-canary'\n\
         [guards]\nchange_count = 1000\n",
        stage.standin.url("/")
    );
    World::start(&config, &[("programme.csv", sheet), ("secret", KEY)]).await
}

fn sheet(lines: usize, hour: &str) -> String {
    let rest = format!("{hour},Halle,2");
    balls("Titre,Date,Début,Salle,Places", lines, &rest)
}

fn makes(seen: &Seen) -> bool {
    seen.method == "POST" && seen.path.ends_with("/events/")
}

#[tokio::test(start_paused = true)]
async fn a_lespass_that_is_away_for_26_hours_has_everything_in_the_end_and_it_is_said_twice() {
    listen();
    let stage = lespass().await;
    let world = world(&stage, "lespass-absent", &sheet(1, "20:30")).await;
    stage.pass(&world, MINUTE * 2, SECOND * 5).await;
    assert_eq!(stage.server.names().len(), 1);

    stage
        .is_away(&world, "lespass-absent", &sheet(40, "20:30"), SECOND * 20)
        .await;
    assert_eq!(stage.server.names().len(), 40);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn one_event_of_a_hundred_that_lespass_refuses_is_set_aside_and_made_once_it_is_taken() {
    let stage = lespass().await;
    stage.answers(|seen| {
        let poisoned = String::from_utf8_lossy(&seen.body).contains("Bal 42");
        (makes(seen) && poisoned).then(|| Reply::status(400).body("{}").into())
    });
    let world = world(&stage, "billets", &sheet(100, "20:30")).await;
    stage.pass(&world, MINUTE * 10, SECOND).await;
    assert_eq!(stage.server.names().len(), 99);
    let (delivery, _) = set_aside(&world).await;
    assert_eq!(world.told("dead"), ["open"]);

    stage.answers(|_| None);
    world.order(Order::Retry(delivery)).await;
    stage.pass(&world, MINUTE * 2, SECOND).await;
    assert_eq!(stage.server.names().len(), 100);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn in_lespass_an_older_hour_never_stands_after_a_newer_one() {
    let stage = lespass().await;
    let world = world(&stage, "billets", &sheet(1, "20:30")).await;
    stage.pass(&world, MINUTE * 2, SECOND * 5).await;
    stage.answers(|seen| seen.writes().then(|| Reply::status(503).into()));
    world.write("programme.csv", &sheet(1, "21:00"));
    stage.pass(&world, MINUTE * 30, SECOND * 10).await;
    world.write("programme.csv", &sheet(1, "22:00"));
    stage.pass(&world, MINUTE * 30, SECOND * 10).await;
    stage.answers(|_| None);
    stage.pass(&world, MINUTE * 10, SECOND * 2).await;
    assert_eq!(stage.server.names(), ["Bal 0"]);
    let start = stage.server.event("Bal 0").start.to_string();
    assert_eq!(start, "2027-02-01T21:00:00Z", "the newest, in winter");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_key_that_lespass_revoked_is_shown_seldom_and_its_successor_is_noticed() {
    let stage = lespass().await;
    let world = world(&stage, "billets", &sheet(1, "20:30")).await;
    stage.pass(&world, MINUTE * 2, SECOND * 5).await;
    let rights = stage.server.state().keys.remove(KEY).unwrap();
    stage.server.state().keys.insert("fresh".to_owned(), rights);
    let before = stage.standin.seen().len();
    world.write("programme.csv", &sheet(5, "20:30"));
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
async fn two_hundred_at_once_reach_lespass_no_faster_than_was_said() {
    let stage = lespass().await;
    let world = world(&stage, "billets", &sheet(200, "20:30")).await;
    stage.pass(&world, MINUTE * 5, SECOND / 2).await;
    assert_eq!(stage.server.names().len(), 200);
    // Four deliveries a second, as it says of itself, and a reading among them.
    is_paced(&world, "billets", 5);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn who_signs_up_in_lespass_is_known_here_and_a_changed_evening_is_asked_about() {
    let stage = lespass().await;
    let world = world(&stage, "billets", &sheet(1, "20:30")).await;
    stage.pass(&world, MINUTE * 3, SECOND).await;
    let event = stage.server.event("Bal 0").uuid;
    // Beyond the two places: Lespass counts, and its word is a fact.
    for who in ["anna", "bob", "chloe"] {
        stage.server.books(&event, who, 1);
    }
    stage.pass(&world, MINUTE * 3, SECOND).await;
    assert_eq!(standings(&world).await, ["registered"; 3]);
    let page = stage.server.event("Bal 0").url;
    let shown = world
        .state(|engine| {
            let state = engine.state();
            let (id, _) = state.activities().next().unwrap();
            state.entities[&id].fields()["register"].clone()
        })
        .await;
    assert_eq!(shown, page);

    world.write("programme.csv", &sheet(1, "21:30"));
    stage.pass(&world, MINUTE * 5, SECOND).await;
    assert_eq!(stage.server.event("Bal 0").uuid, event, "nothing was done");
    assert_eq!(world.told("hold"), ["open"]);
    assert_eq!(world.told("dead"), [""; 0]);
    // Done by hand there, and said so.
    let start = "2027-02-01T20:30:00Z".parse().unwrap();
    stage.server.edits("Bal 0", |event| event.start = start);
    let hold = world
        .state(|engine| *engine.state().holds.keys().next().unwrap())
        .await;
    world.order(Order::Approve { hold, only: None }).await;
    stage.pass(&world, MINUTE * 2, SECOND).await;
    assert_eq!(world.told("hold"), ["open", "closed"]);
    assert_eq!(stage.server.event("Bal 0").uuid, event);
    let last = standings(&world).await;
    assert_eq!(last, [Commitment::Registered.as_str(); 3]);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_call_of_lespass_is_answered_at_once_and_its_silence_loses_nobody() {
    let stage = lespass().await;
    stage.server.state().webhook = true;
    let world = world(&stage, "billets", &sheet(1, "20:30")).await;
    stage.pass(&world, MINUTE * 3, SECOND).await;
    let event = stage.server.event("Bal 0").uuid;
    stage.server.books(&event, "anna", 1);
    let body = stage.server.calls(true).unwrap();
    let kind = "application/x-www-form-urlencoded";
    let (status, answer) = world
        .call_with("billets?key=hook-canary", kind, &body)
        .await;
    assert_eq!(status, 200, "{answer}");
    stage.pass(&world, SECOND * 5, SECOND / 4).await;
    assert_eq!(
        standings(&world).await,
        ["registered"],
        "before the next minute"
    );
    let forged = world.call_with("billets?key=guess", kind, &body).await;
    assert_eq!(forged.0, 401);
    // It switches itself off: who signs up is found all the same, and it is said.
    stage.server.books(&event, "bob", 1);
    assert!(stage.server.calls(false).is_some());
    for who in ["chloe", "dan", "eve"] {
        stage.pass(&world, MINUTE * 2, SECOND).await;
        stage.server.books(&event, who, 1);
        assert_eq!(stage.server.calls(true), None);
    }
    stage.pass(&world, MINUTE * 4, SECOND).await;
    assert_eq!(standings(&world).await, ["registered"; 5]);
    assert_eq!(world.told("lespass.webhook-off"), ["open"]);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn answers_of_a_form_are_sign_ups_as_soon_as_the_programme_is_known() {
    let config = "[connectors.sheet]\nkind = 'spreadsheet'\nlocation = 'programme.csv'\nevery = '10s'\n\
                  [connectors.answers]\nkind = 'spreadsheet'\nlocation = 'answers.csv'\nevery = '10s'\n\
                  answers = {}\n";
    let head = "ID,Horodatage,E-mail,Nom,Activité,Je viens\n";
    let line = |n: usize, says: &str| {
        format!("{n},2027-01-01 10:0{n}:00,p{n}@example.org,P{n},Bal 0,{says}\n")
    };
    let all = |says: [&str; 3]| {
        let lines = says.iter().enumerate().map(|(n, says)| line(n, says));
        std::iter::once(head.to_owned())
            .chain(lines)
            .collect::<String>()
    };
    let answers = all(["oui", "oui", "oui"]);
    let files = [
        ("programme.csv", sheet(1, "20:30")),
        ("answers.csv", answers),
    ];
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    let world = World::start(config, &files).await;
    world.pass(MINUTE * 2, SECOND).await;
    // Two places: our writer gives them, in the order of the answers.
    let stood = standings(&world).await;
    assert_eq!(stood, ["registered", "registered", "waitlisted"]);
    world.write("answers.csv", &all(["non", "oui", "oui"]));
    world.pass(MINUTE, SECOND).await;
    let stood = standings(&world).await;
    assert_eq!(stood, ["cancelled", "registered", "registered"]);
    // Everything is cleared away: nobody is signed off by that, and it is said.
    world.write("answers.csv", head);
    world.pass(MINUTE * 3, SECOND).await;
    assert_eq!(standings(&world).await, stood);
    assert_eq!(world.told("spreadsheet.answers-gone"), ["open"]);
    // Called something else: who is signed up stays.
    world.write("answers.csv", &all(["non", "oui", "oui"]));
    world.write(
        "programme.csv",
        &sheet(1, "20:30").replace("Bal 0", "Grand bal"),
    );
    world.pass(MINUTE * 3, SECOND).await;
    assert_eq!(standings(&world).await, stood);
    assert_eq!(world.told("unread"), [""; 0]);
    world.end().await;
}
