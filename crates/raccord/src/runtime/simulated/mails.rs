//! A mail server over hours and days: away, refusing one recipient of many, refusing the password.

use jiff::SignedDuration;
use raccord_engine::{Input, Order, Reply, SignUp, Who};
use raccord_model::{Blame, EntityId, EntityKind};

use super::office::{Act, Letter, Office};
use super::world::World;
use super::{listen, said_about};

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

async fn world(name: &str, office: &Office) -> World {
    let config = format!(
        "[connectors.sheet]\nkind = 'spreadsheet'\nlocation = 'programme.csv'\nevery = '10s'\n\
         [connectors.{name}]\nkind = 'signup'\nurl = '{}'\nfrom = 'Le lieu <lieu@example.org>'\nuser = 'lieu'\npassword_file = 'secret'\n\
         [[recipes]]\nwhen = {{ kind = 'Réunion' }}\ntasks = [{{ title = 'Participer' }}]\n\
         [guards]\nchange_count = 1000\nsecond_look = '0s'\n",
        office.address()
    );
    office.wants("lieu", "secret");
    let files = [
        ("programme.csv", sheet("18:30")),
        ("secret", "secret".into()),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (*a, b.as_str())).collect();
    let world = World::start(&config, &files).await;
    world.pass(SECOND * 30, SECOND * 5).await;
    world
}

fn sheet(hour: &str) -> String {
    format!("Titre,Date,Début,Type,Salle\nRentrée,2027-02-09,{hour},Réunion,Halle\n")
}

async fn task(world: &World) -> EntityId {
    world
        .state(|engine| {
            let mut all = engine.state().entities.iter();
            let task = all.find(|(_, record)| record.kind == EntityKind::Task);
            *task.unwrap().0
        })
        .await
}

async fn signs_up(world: &World, n: usize) {
    let subject = task(world).await;
    let asked = SignUp {
        subject,
        who: Who {
            email: format!("p{n}@example.org"),
            ..Who::default()
        },
        places: 1,
        comment: String::new(),
    };
    let order = Input::Order(Order::SignUp(Box::new(asked)));
    let reply = world.desk.input(order).await.unwrap();
    assert!(matches!(reply, Reply::SignedUp { .. }), "{reply:?}");
}

fn away(office: &Office) {
    office.plays(|at, _| (at == "GREET").then_some(Act::Say("421 4.3.2 come back later")));
}

#[tokio::test(start_paused = true)]
async fn a_mail_server_that_is_away_for_26_hours_gets_every_letter_once_and_it_is_said_twice() {
    listen();
    let office = Office::open(None).await;
    let world = world("poste-absente", &office).await;
    signs_up(&world, 0).await;
    world.pass(MINUTE, SECOND * 5).await;
    assert_eq!(office.taken().len(), 1);

    away(&office);
    for n in 1..=40 {
        signs_up(&world, n).await;
    }
    world.pass(MINUTE * 26 * 60, MINUTE * 5).await;
    assert_eq!(world.told("outage"), ["open"]);
    assert_eq!(world.told("dead"), [""; 0]);
    assert_eq!(office.taken().len(), 1);

    office.is_calm();
    world.pass(MINUTE * 20, SECOND).await;
    let mut to: Vec<String> = office.taken().into_iter().map(|it| it.to).collect();
    to.sort();
    to.dedup();
    assert_eq!((to.len(), office.taken().len()), (41, 41));
    assert_eq!(world.told("outage"), ["open", "closed"]);
    let said = said_about("connector=\"poste-absente\"");
    assert!(said.len() <= 2, "{said:#?}");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn one_letter_of_a_hundred_that_is_refused_is_set_aside_and_sent_once_it_is_taken() {
    let office = Office::open(None).await;
    let world = world("poste", &office).await;
    office.plays(|at, said| {
        let poisoned = at == "RCPT" && said.contains("<p42@example.org>");
        poisoned.then_some(Act::Say("550 5.1.1 no such user"))
    });
    for n in 0..100 {
        signs_up(&world, n).await;
    }
    world.pass(MINUTE * 3, SECOND).await;
    assert_eq!(office.taken().len(), 99);
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
    assert_eq!(failure.blame, Blame::Data);
    assert!(!failure.mend.fr.is_empty() && failure.mend.fr != failure.mend.en);
    assert_eq!(world.told("dead"), ["open"]);

    office.is_calm();
    world.order(Order::Retry(*delivery)).await;
    world.pass(MINUTE, SECOND).await;
    assert_eq!(office.taken().len(), 100);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_older_hour_is_never_mailed_after_a_newer_one() {
    let office = Office::open(None).await;
    let world = world("poste", &office).await;
    signs_up(&world, 0).await;
    world.pass(MINUTE, SECOND * 5).await;
    away(&office);
    for hour in ["20:00", "21:00", "22:00"] {
        world.write("programme.csv", &sheet(hour));
        world.pass(MINUTE * 20, SECOND * 5).await;
    }
    office.is_calm();
    world.pass(MINUTE * 10, SECOND).await;
    let says: Vec<String> = office.taken().iter().map(Letter::says).collect();
    let last = says.last().unwrap();
    let now = last.split("Avant").next().unwrap();
    assert!(
        now.contains("22\u{a0}h") || now.contains("22\u{202f}h"),
        "{says:#?}"
    );
    let newest = says
        .iter()
        .position(|it| it.contains("22\u{202f}h") || it.contains("22\u{a0}h"));
    assert_eq!(newest, Some(says.len() - 1), "{says:#?}");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_password_that_was_changed_is_shown_seldom_and_its_successor_is_noticed() {
    let office = Office::open(None).await;
    let world = world("poste", &office).await;
    signs_up(&world, 0).await;
    world.pass(MINUTE, SECOND * 5).await;
    office.wants("lieu", "fresh");
    let before = office.heard("AUTH");
    for n in 1..=5 {
        signs_up(&world, n).await;
    }
    world.pass(MINUTE * 55, SECOND * 10).await;
    let shown = office.heard("AUTH") - before;
    assert!((1..=3).contains(&shown), "shown {shown} times in an hour");
    assert_eq!(world.told("access"), ["open"], "it is told once");
    world.write("secret", "fresh");
    world.pass(MINUTE * 5, SECOND).await;
    assert_eq!(office.taken().len(), 6, "nothing is lost");
    assert_eq!(world.told("access"), ["open", "closed"]);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn two_hundred_letters_are_handed_over_no_faster_than_was_said() {
    let office = Office::open(None).await;
    let world = world("poste", &office).await;
    for n in 0..200 {
        signs_up(&world, n).await;
    }
    world.pass(MINUTE * 2, SECOND / 4).await;
    assert_eq!(office.taken().len(), 200);
    let asked = world.asked("poste");
    for at in &asked {
        let second = |one: &&jiff::Timestamp| {
            let after = one.duration_since(*at);
            after >= SignedDuration::ZERO && after < SECOND
        };
        let within = asked.iter().filter(second).count();
        assert!(within <= 5, "{within} in the second from {at}");
    }
    assert_eq!(world.told("outage"), [""; 0]);
    world.end().await;
}
