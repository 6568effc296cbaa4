//! Sites over hours and days: away, closed, full of what cannot be taken.

use raccord_engine::Order;
use raccord_kit::standin::Reply;

use super::listen;
use super::mediawiki::server as wiki;
use super::stage::{MINUTE, SECOND, Stage, balls, set_aside};
use super::wordpress::server::{PASSWORD, Server, USER};
use super::world::World;

type Site = Stage<Server>;

async fn site() -> Site {
    Stage::open(|clock| Server::new(clock, None), Server::answer).await
}

async fn world(stage: &Site, name: &str, sheet: &str) -> World {
    let config = format!(
        "[connectors.sheet]\nkind = 'spreadsheet'\nlocation = 'programme.csv'\nevery = '10s'\n\
         [connectors.{name}]\nkind = 'wordpress'\nurl = '{}'\nuser = '{USER}'\npassword_file = 'secret'\n\
         every = '1m'\n[guards]\nchange_count = 1000\n",
        stage.standin.url("/")
    );
    World::start(&config, &[("programme.csv", sheet), ("secret", PASSWORD)]).await
}

fn sheet(lines: usize, hour: &str) -> String {
    balls("Titre,Date,Début,Salle", lines, &format!("{hour},Halle"))
}

#[tokio::test(start_paused = true)]
async fn a_site_that_is_away_for_26_hours_has_everything_in_the_end_and_it_is_said_twice() {
    listen();
    let stage = site().await;
    let world = world(&stage, "site-absent", &sheet(1, "20:30")).await;
    stage.pass(&world, MINUTE * 2, SECOND * 5).await;
    assert_eq!(stage.server.titles().len(), 1);

    stage
        .is_away(&world, "site-absent", &sheet(40, "20:30"), MINUTE)
        .await;
    assert_eq!(stage.server.titles().len(), 40);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn one_post_of_a_hundred_that_is_refused_is_set_aside_and_made_once_it_is_taken() {
    let stage = site().await;
    stage.answers(|seen| {
        let poisoned = String::from_utf8_lossy(&seen.body).contains("Bal 42");
        poisoned.then(|| Reply::status(400).body("{}").into())
    });
    let world = world(&stage, "site", &sheet(100, "20:30")).await;
    stage.pass(&world, MINUTE * 10, SECOND).await;
    assert_eq!(stage.server.titles().len(), 99);
    let (delivery, _) = set_aside(&world).await;
    assert_eq!(world.told("dead"), ["open"]);

    stage.answers(|_| None);
    world.order(Order::Retry(delivery)).await;
    stage.pass(&world, MINUTE * 2, SECOND).await;
    assert_eq!(stage.server.titles().len(), 100);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn on_a_site_an_older_hour_never_stands_after_a_newer_one() {
    let stage = site().await;
    let world = world(&stage, "site", &sheet(1, "20:30")).await;
    stage.pass(&world, MINUTE * 2, SECOND * 5).await;
    stage.answers(|seen| seen.writes().then(|| Reply::status(503).into()));
    world.write("programme.csv", &sheet(1, "21:00"));
    stage.pass(&world, MINUTE * 30, SECOND * 10).await;
    world.write("programme.csv", &sheet(1, "22:00"));
    stage.pass(&world, MINUTE * 30, SECOND * 10).await;
    stage.answers(|_| None);
    stage.pass(&world, MINUTE * 10, SECOND * 2).await;
    assert_eq!(stage.server.titles(), ["Bal 0"]);
    let content = raccord_look::html::words(&stage.server.post("Bal 0").content);
    assert!(content.contains("22 h"), "{content}");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_password_that_was_revoked_is_shown_seldom_and_its_successor_is_noticed() {
    let stage = site().await;
    let world = world(&stage, "site", &sheet(1, "20:30")).await;
    stage.pass(&world, MINUTE * 2, SECOND * 5).await;
    "fresh".clone_into(&mut stage.server.state().password);
    let before = stage.standin.seen().len();
    world.write("programme.csv", &sheet(5, "20:30"));
    stage.pass(&world, MINUTE * 55, SECOND * 10).await;
    let seen = stage.standin.seen().into_iter().skip(before);
    let shown = seen
        .filter(|seen| !seen.header("authorization").is_empty())
        .count();
    assert!((1..=3).contains(&shown), "shown {shown} times in an hour");
    assert_eq!(world.told("access"), ["open"], "it is told once");
    world.write("secret", "fresh");
    stage.pass(&world, MINUTE * 5, SECOND * 2).await;
    assert_eq!(stage.server.titles().len(), 5, "nothing is lost");
    assert_eq!(world.told("access"), ["open", "closed"]);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_somebody_of_the_site_changes_is_heard_and_what_they_take_away_is_asked_about() {
    let stage = site().await;
    let world = world(&stage, "site", &sheet(2, "20:30")).await;
    stage.pass(&world, MINUTE * 3, SECOND).await;
    let id = stage.server.post("Bal 0").id.to_string();
    // A title is ours unless a route says otherwise: it is put right at the next writing.
    stage
        .server
        .edits(&id, false, |post| "Grand bal".clone_into(&mut post.title));
    stage.pass(&world, MINUTE * 5, SECOND).await;
    assert_eq!(stage.server.titles(), ["Bal 0", "Bal 1"]);
    stage.server.trashes(&id);
    world.write("programme.csv", &sheet(2, "21:30"));
    stage.pass(&world, MINUTE * 5, SECOND).await;
    assert_eq!(stage.server.titles(), ["Bal 1"], "it is not made anew");
    assert_eq!(world.told("hold"), ["open"]);
    assert_eq!(world.told("dead"), [""; 0]);
    // Restored by hand there, and said so.
    stage
        .server
        .edits(&id, false, |post| "publish".clone_into(&mut post.status));
    let hold = world
        .state(|engine| *engine.state().holds.keys().next().unwrap())
        .await;
    world.order(Order::Approve { hold, only: None }).await;
    stage.pass(&world, MINUTE * 2, SECOND).await;
    assert_eq!(world.told("hold"), ["open", "closed"]);
    let content = raccord_look::html::words(&stage.server.post("Bal 0").content);
    assert!(content.contains("21 h 30"), "{content}");
    world.end().await;
}

type Wiki = Stage<wiki::Server>;

async fn a_wiki() -> Wiki {
    Stage::open(|_| wiki::Server::new(None), wiki::Server::answer).await
}

async fn wiki_world(stage: &Wiki, name: &str, sheet: &str) -> World {
    let config = format!(
        "[connectors.sheet]\nkind = 'spreadsheet'\nlocation = 'programme.csv'\nevery = '10s'\n\
         [connectors.{name}]\nkind = 'mediawiki'\nurl = '{}'\nuser = '{}'\npassword_file = 'secret'\n\
         [guards]\nchange_count = 1000\n",
        stage.standin.url("/"),
        wiki::USER,
    );
    let files = [("programme.csv", sheet), ("secret", wiki::PASSWORD)];
    World::start(&config, &files).await
}

fn pages(stage: &Wiki) -> usize {
    stage.server.state().pages.len()
}

/// One ball a month.
fn months(lines: i8, hour: &str) -> String {
    let first = jiff::civil::date(2027, 1, 10);
    let line = |n: i8| {
        let day = first.saturating_add(jiff::ToSpan::months(i64::from(n)));
        format!("Bal {n},{day},{hour},Halle\n")
    };
    let head = "Titre,Date,Début,Salle\n".to_owned();
    std::iter::once(head).chain((0..lines).map(line)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_wiki_that_is_away_for_26_hours_has_every_month_in_the_end_and_it_is_said_twice() {
    listen();
    let stage = a_wiki().await;
    let world = wiki_world(&stage, "wiki-absent", &months(1, "20:30")).await;
    stage.pass(&world, MINUTE * 2, SECOND * 5).await;
    assert_eq!(pages(&stage), 1);

    stage
        .is_away(&world, "wiki-absent", &months(10, "20:30"), MINUTE)
        .await;
    assert_eq!(pages(&stage), 10);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn one_month_that_is_refused_is_set_aside_and_written_once_it_is_taken() {
    let stage = a_wiki().await;
    stage.answers(|seen| {
        let said = String::from_utf8_lossy(&seen.body).into_owned();
        let poisoned = said.contains("action=edit") && said.contains("Bal+4");
        poisoned.then(|| Reply::ok("{\"error\":{\"code\":\"spamblacklist\"}}").into())
    });
    let world = wiki_world(&stage, "wiki", &months(10, "20:30")).await;
    stage.pass(&world, MINUTE * 5, SECOND).await;
    assert_eq!(pages(&stage), 9);
    let (delivery, _) = set_aside(&world).await;
    stage.answers(|_| None);
    world.order(Order::Retry(delivery)).await;
    stage.pass(&world, MINUTE * 2, SECOND).await;
    assert_eq!((pages(&stage), stage.server.versions()), (10, 10));
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn on_a_wiki_an_older_hour_never_stands_after_a_newer_one() {
    let stage = a_wiki().await;
    let world = wiki_world(&stage, "wiki", &months(1, "20:30")).await;
    stage.pass(&world, MINUTE * 2, SECOND * 5).await;
    stage.answers(|seen| {
        let edits = String::from_utf8_lossy(&seen.body).contains("action=edit");
        edits.then(|| Reply::status(503).into())
    });
    for hour in ["21:00", "22:00"] {
        world.write("programme.csv", &months(1, hour));
        stage.pass(&world, MINUTE * 30, SECOND * 10).await;
    }
    stage.answers(|_| None);
    stage.pass(&world, MINUTE * 10, SECOND * 2).await;
    let text = raccord_look::html::words(&stage.server.text("Programme/2027-01"));
    assert!(text.contains("22 h") && !text.contains("21 h"), "{text}");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_bot_password_that_was_revoked_is_shown_seldom_and_its_successor_is_noticed() {
    let stage = a_wiki().await;
    let world = wiki_world(&stage, "wiki", &months(1, "20:30")).await;
    stage.pass(&world, MINUTE * 2, SECOND * 5).await;
    {
        let mut state = stage.server.state();
        "fresh".clone_into(&mut state.password);
        state.session += 1;
        state.logins = 0;
    }
    world.write("programme.csv", &months(5, "20:30"));
    stage.pass(&world, MINUTE * 55, SECOND * 10).await;
    let shown = stage.server.state().logins;
    assert!((1..=3).contains(&shown), "shown {shown} times in an hour");
    assert_eq!(world.told("access"), ["open"], "it is told once");
    world.write("secret", "fresh");
    stage.pass(&world, MINUTE * 5, SECOND * 2).await;
    assert_eq!(pages(&stage), 5, "nothing is lost");
    assert_eq!(world.told("access"), ["open", "closed"]);
    world.end().await;
}
