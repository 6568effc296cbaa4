//! OCECO over hours and days: away, closed, full of what cannot be taken; who takes actions there, and
//! whose are validated.

use std::sync::Arc;

use jiff::SignedDuration;
use raccord_engine::Order;
use raccord_kit::ManualClock;
use raccord_kit::standin::{Play, Reply, Seen, Standin};
use raccord_model::EntityKind;

use super::oceco::makes;
use super::oceco::server::{
    ANNA, BOT, EMAIL, ORGANIZATION, PASSWORD, PROJECT, STRANGER, Server, TOKEN,
};
use super::world::World;
use super::{listen, said_about};

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// An OCECO, and what it does to requests before it answers them.
struct Stage {
    standin: Standin,
    server: Server,
    clock: Arc<ManualClock>,
}

impl Stage {
    async fn open() -> Self {
        let clock = Arc::new(ManualClock::at(super::world::BEGIN.parse().unwrap()));
        let stage = Self {
            standin: Standin::start().await,
            server: Server::new(clock.clone(), None),
            clock,
        };
        stage.answers(|_| None);
        stage
    }

    /// Answers as the server does, but for what `first` answers itself.
    fn answers(&self, first: impl Fn(&Seen) -> Option<Play> + Send + 'static) {
        let server = self.server.clone();
        self.standin
            .direct(move |seen| first(seen).unwrap_or_else(|| server.answer(seen)));
    }

    async fn world(&self, name: &str, sheet: &str) -> World {
        let config = format!(
            "[connectors.sheet]\nkind = 'spreadsheet'\nlocation = 'programme.csv'\nevery = '10s'\n\
             [connectors.{name}]\nkind = 'oceco'\nurl = '{}'\ntoken_file = 'secret'\nuser = '{BOT}'\n\
             organization = '{ORGANIZATION}'\nproject = '{PROJECT}'\npeople_file = 'people'\n\
             email = '{EMAIL}'\npassword = '{PASSWORD}'\nevery = '1m'\n\
             [guards]\nchange_count = 1000\n",
            self.standin.url("/")
        );
        let people = super::oceco::people();
        let files = [
            ("programme.csv", sheet),
            ("secret", TOKEN),
            ("people", &*people),
        ];
        World::start(&config, &files).await
    }

    /// Lets time pass, for the server too.
    async fn pass(&self, world: &World, time: SignedDuration, step: SignedDuration) {
        world.pass(time, step).await;
        let late = world
            .now()
            .duration_since(raccord_kit::Clock::now(&*self.clock));
        self.clock.advance(late);
    }
}

/// Lines that each want two at the bar.
fn sheet(lines: usize, bar: &str) -> String {
    let first = jiff::civil::date(2027, 2, 1);
    let line = |n: usize| {
        let day = first.saturating_add(jiff::ToSpan::days(i64::try_from(n).unwrap()));
        format!("Bal {n},{day},20:30,Halle,{bar} 2\n")
    };
    let head = "Titre,Date,Début,Salle,Bénévoles\n".to_owned();
    std::iter::once(head).chain((0..lines).map(line)).collect()
}

/// How every sign-up stands.
async fn standings(world: &World) -> Vec<String> {
    world
        .state(|engine| {
            let entities = engine.state().entities.values();
            let all = entities.filter(|one| one.kind == EntityKind::Registration);
            let state = all.map(|one| one.fields()["state"].as_str().unwrap().to_owned());
            state.collect()
        })
        .await
}

#[tokio::test(start_paused = true)]
async fn an_oceco_that_is_away_for_26_hours_has_everything_in_the_end_and_it_is_said_twice() {
    listen();
    let stage = Stage::open().await;
    let world = stage.world("oceco-absent", &sheet(1, "bar")).await;
    stage.pass(&world, MINUTE * 2, SECOND * 5).await;
    assert_eq!(stage.server.names().len(), 1);

    stage.answers(|_| Some(Reply::status(502).into()));
    world.write("programme.csv", &sheet(40, "bar"));
    stage.pass(&world, MINUTE * 26 * 60, SECOND * 20).await;
    assert_eq!(world.told("outage"), ["open"]);
    assert_eq!(world.told("dead"), [""; 0]);

    stage.answers(|_| None);
    stage.pass(&world, MINUTE * 20, SECOND).await;
    assert_eq!(stage.server.names().len(), 40);
    assert_eq!(world.told("outage"), ["open", "closed"]);
    for said in ["connector=\"oceco-absent\"", "connector=oceco-absent"] {
        let said = said_about(said);
        assert!(said.len() <= 2, "{said:#?}");
    }
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn one_task_of_a_hundred_that_oceco_refuses_is_set_aside_and_made_once_it_is_taken() {
    let stage = Stage::open().await;
    stage.answers(|seen| {
        let poisoned = String::from_utf8_lossy(&seen.body).contains("Bal 17");
        let refusal = "{\"error\":\"validation-error\",\"reason\":\"Name is invalid\"}";
        (makes(seen) && poisoned).then(|| Reply::status(400).body(refusal).into())
    });
    let world = stage.world("actions", &sheet(100, "bar")).await;
    stage.pass(&world, MINUTE * 10, SECOND).await;
    assert_eq!(stage.server.names().len(), 99);
    let dead = world
        .state(|engine| {
            let sinks = engine.state().sinks.values();
            let dead = sinks.flat_map(|sink| &sink.dead);
            dead.map(|(id, aside)| (*id, aside.failure.clone()))
                .collect::<Vec<_>>()
        })
        .await;
    let [(delivery, failure)] = &dead[..] else {
        panic!("{dead:?}");
    };
    assert!(
        failure.text.en.contains("validation-error Name is invalid"),
        "{failure:?}"
    );
    assert_eq!(world.told("dead"), ["open"]);

    stage.answers(|_| None);
    world.order(Order::Retry(*delivery)).await;
    stage.pass(&world, MINUTE * 2, SECOND).await;
    assert_eq!(stage.server.names().len(), 100);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn in_oceco_an_older_state_never_stands_after_a_newer_one() {
    let stage = Stage::open().await;
    stage.answers(|seen| makes(seen).then(|| Reply::status(503).into()));
    let world = stage.world("actions", &sheet(1, "bar")).await;
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
    let stage = Stage::open().await;
    let world = stage.world("actions", &sheet(1, "bar")).await;
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
    let stage = Stage::open().await;
    let world = stage.world("actions", &sheet(100, "bar")).await;
    stage.pass(&world, MINUTE * 5, SECOND / 2).await;
    assert_eq!(stage.server.names().len(), 100);
    // Two deliveries a second, as it says of itself, and a reading among them.
    let asked = world.asked("actions");
    for at in &asked {
        let second = |one: &&jiff::Timestamp| {
            let after = one.duration_since(*at);
            after >= SignedDuration::ZERO && after < SECOND
        };
        let within = asked.iter().filter(second).count();
        assert!(within <= 3, "{within} in the second from {at}");
    }
    assert_eq!(world.told("outage"), [""; 0]);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn who_takes_an_action_is_signed_up_and_who_is_validated_came_once() {
    let stage = Stage::open().await;
    let today = "Titre,Date,Début,Salle,Bénévoles\nBal,2027-01-02,10:00,Halle,bar 2\n";
    let world = stage.world("actions", today).await;
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
