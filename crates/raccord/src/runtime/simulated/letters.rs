//! A letter to many over hours and days: its server away, refusing one mail of many, refusing the
//! password; the pace it keeps, the hours it leaves at, and where it leads back to.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use raccord_engine::{Fact, Order, Reply, Who, decode_commit};
use raccord_model::{Blame, Cause, EntityKind};

use super::office::{Act, Office};
use super::world::World;
use super::{listen, said_about};

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A place with so many readers, with more settings of its letter and then its route. It begins on a
/// Saturday at nine.
async fn world(name: &str, office: &Office, readers: usize, settings: &str) -> World {
    let config = format!(
        "[web]\npublic_url = 'https://lieu.example.org'\n\
         [connectors.sheet]\nkind = 'spreadsheet'\nlocation = 'programme.csv'\nevery = '10s'\n\
         [connectors.{name}]\nkind = 'newsletter'\nsystem = 'smtp'\nurl = '{}'\nfrom = 'Le lieu <lieu@example.org>'\n\
         user = 'lieu'\npassword_file = 'secret'\n{settings}\n",
        office.address()
    );
    office.wants("lieu", "secret");
    let sheet =
        "Titre,Date,Début\nBal,2027-01-04,20:30\nFête,2027-03-30,20:30\nKabar,2027-11-02,20:30\n";
    let world = World::start(&config, &[("programme.csv", sheet), ("secret", "secret")]).await;
    world.pass(SECOND * 30, SECOND * 5).await;
    for number in 0..readers {
        let who = Who {
            email: format!("r{number}@example.org"),
            ..Who::default()
        };
        let order = Order::Subscribe {
            who: Box::new(who),
            list: name.parse().unwrap(),
        };
        assert!(matches!(world.asks(order).await, Reply::Known(_)));
    }
    world
}

const AT_NOON: &str =
    "[[routes]]\nto = 'lettre'\ngrace = '0s'\ndigest = 'week'\nat = ['saturday 12:00']";

/// To how many different people letters came, and how many letters.
fn came(office: &Office) -> (usize, usize) {
    let mut to: Vec<String> = office.taken().into_iter().map(|it| it.to).collect();
    let all = to.len();
    to.sort();
    to.dedup();
    (to.len(), all)
}

#[tokio::test(start_paused = true)]
async fn a_letter_whose_server_is_away_for_26_hours_reaches_everybody_once_and_it_is_said_twice() {
    listen();
    let office = Office::open(None).await;
    let absent = AT_NOON.replace("lettre", "lettre-absente");
    let world = world("lettre-absente", &office, 40, &absent).await;
    office.plays(|at, _| (at == "GREET").then_some(Act::Say("421 4.3.2 come back later")));
    // From nine until the next day at eleven: the letter of noon may still leave then.
    world.pass(HOUR * 26, MINUTE).await;
    assert_eq!(office.taken(), []);
    assert_eq!(world.told("outage"), ["open"]);
    assert_eq!(world.told("dead"), [""; 0]);

    office.is_calm();
    world.pass(MINUTE * 10, SECOND).await;
    assert_eq!(came(&office), (40, 40));
    assert_eq!(world.told("outage"), ["open", "closed"]);
    let said = said_about("connector=\"lettre-absente\"");
    assert!(said.len() <= 2, "{said:#?}");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_could_not_leave_for_a_day_is_not_sent_any_more() {
    let office = Office::open(None).await;
    let world = world("lettre", &office, 3, AT_NOON).await;
    office.plays(|at, _| (at == "GREET").then_some(Act::Say("421 4.3.2 come back later")));
    world.pass(HOUR * 28, MINUTE).await;
    office.is_calm();
    world.pass(HOUR, MINUTE).await;
    assert_eq!(office.taken(), []);
    assert_eq!(world.told("dead"), [""; 0]);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn one_mail_of_a_hundred_that_is_refused_is_set_aside_and_sent_once_it_is_taken() {
    let office = Office::open(None).await;
    let one_by_one = format!("connections = 1\n{AT_NOON}");
    let world = world("lettre", &office, 100, &one_by_one).await;
    let mut poisoned = false;
    office.plays(move |at, said| {
        if at == "RCPT" {
            poisoned = said.contains("<r42@example.org>");
        }
        (at == "DATA" && poisoned).then_some(Act::Say("554 5.6.0 not such a letter"))
    });
    world.pass(HOUR * 2 + MINUTE * 58, MINUTE).await;
    world.pass(MINUTE * 4, SECOND).await;
    assert_eq!(came(&office), (99, 99));
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
    assert_eq!(came(&office), (100, 100));
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_password_that_a_letter_is_refused_with_is_shown_seldom_and_its_successor_is_noticed() {
    let office = Office::open(None).await;
    let world = world("lettre", &office, 5, AT_NOON).await;
    office.wants("lieu", "fresh");
    world.pass(HOUR * 3 + MINUTE * 55, SECOND * 20).await;
    let shown = office.heard("AUTH");
    assert!((1..=3).contains(&shown), "shown {shown} times in an hour");
    assert_eq!(world.told("access"), ["open"], "it is told once");
    world.write("secret", "fresh");
    world.pass(MINUTE * 5, SECOND).await;
    assert_eq!(came(&office), (5, 5), "nothing is lost");
    assert_eq!(world.told("access"), ["open", "closed"]);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_letter_to_two_hundred_is_handed_over_no_faster_than_was_said() {
    let office = Office::open(None).await;
    let world = world("lettre", &office, 200, AT_NOON).await;
    world.pass(HOUR * 2 + MINUTE * 58, MINUTE).await;
    world.pass(MINUTE * 4, SECOND / 4).await;
    assert_eq!(came(&office), (200, 200));
    let asked = world.asked("lettre");
    for at in &asked {
        let second = |one: &&Timestamp| {
            let after = one.duration_since(*at);
            after >= SignedDuration::ZERO && after < SECOND
        };
        let within = asked.iter().filter(second).count();
        assert!(within <= 5, "{within} in the second from {at}");
    }
    assert_eq!(world.told("outage"), [""; 0]);
    world.end().await;
}

/// Lets time pass until shortly before a moment, in long steps.
async fn until(world: &World, moment: &str) {
    let moment: Timestamp = moment.parse().unwrap();
    let left = moment.duration_since(world.now());
    world.pass(left, HOUR * 6).await;
}

#[tokio::test(start_paused = true)]
async fn in_the_nights_the_clocks_change_a_letter_leaves_once() {
    let office = Office::open(None).await;
    let route = AT_NOON.replace("saturday 12:00", "sunday 02:30");
    let world = world("lettre", &office, 1, &route).await;
    // At half past two, which is left out in March and comes twice in October.
    for (eve, left) in [
        ("2027-03-27T23:00:00Z", "Sun, 28 Mar 2027 01:30:00 +0000"),
        ("2027-10-30T22:00:00Z", "Sun, 31 Oct 2027 00:30:00 +0000"),
    ] {
        until(&world, eve).await;
        let before = office.taken().len();
        world.pass(HOUR * 6, MINUTE).await;
        let taken = office.taken();
        assert_eq!(taken.len(), before + 1, "{eve}");
        assert_eq!(taken[before].header("Date"), Some(left));
    }
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_mail_leads_back_to_its_letter_the_letter_to_its_route_and_what_it_says_to_a_cell() {
    let office = Office::open(None).await;
    let world = world("lettre", &office, 2, AT_NOON).await;
    world.pass(HOUR * 3 + MINUTE * 5, SECOND * 30).await;
    assert_eq!(came(&office), (2, 2));
    let facts = world
        .desk
        .ask(|_, log| {
            let commits = log.commits(1, 100 << 20).unwrap();
            let facts = commits
                .iter()
                .flat_map(|one| decode_commit(&one.body).unwrap());
            facts.collect::<Vec<Fact>>()
        })
        .await
        .unwrap();
    let prepared = facts.iter().find_map(|fact| match fact {
        Fact::Prepared { issue, body } => Some((*issue, body.clone())),
        _ => None,
    });
    let (issue, body) = prepared.unwrap();
    let mails: BTreeSet<_> = facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Owed(owed) => owed.key.as_ref().map(|key| (key, &owed.rule)),
            _ => None,
        })
        .filter(|(key, _)| key.starts_with("letter/"))
        .collect();
    assert_eq!(mails.len(), 2);
    for (key, rule) in mails {
        assert!(key.contains(&issue.to_string()), "{key}");
        assert_eq!(rule, "[[routes]] 1 -> lettre");
    }
    let event = facts.iter().find_map(|fact| match fact {
        Fact::Event { event, .. } if event.kind == EntityKind::Activity => Some(event),
        _ => None,
    });
    let event = event.unwrap();
    assert!(matches!(event.cause, Cause::Cell { row: 2, .. }));
    assert!(body.contains(event.data["title"].as_str().unwrap()));
    world.end().await;
}
