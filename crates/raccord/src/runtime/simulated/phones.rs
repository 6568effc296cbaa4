//! Short messages over hours and days: a phone that is away, refuses, is asked for much at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;
use raccord_engine::{Choice, Order, Reply, SignUp, Telling, Who};
use raccord_kit::standin::{Reply as Answer, Standin};
use raccord_model::{EntityId, EntityKind, Way};

use super::sms::phone::{FRESH, PASSWORD, Phone};
use super::world::{BEGIN, World};
use super::{listen, said_about};

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// A phone, and a place that tells people by it.
struct Stage {
    standin: Standin,
    phone: Phone,
    world: World,
}

impl std::ops::Deref for Stage {
    type Target = World;
    fn deref(&self) -> &World {
        &self.world
    }
}

/// So many activities, from `first` on; each in this room, or called off.
fn sheet(lines: usize, first: &str, room: &str, status: &str) -> String {
    let first: jiff::civil::Date = first.parse().unwrap();
    let line = |n: usize| {
        let day = first.saturating_add(jiff::ToSpan::days(n as i64 / 10));
        format!("Bal {n},{day},20:30,{room},{status}\n")
    };
    let head = "Titre,Date,Début,Salle,Statut\n".to_owned();
    std::iter::once(head).chain((0..lines).map(line)).collect()
}

impl Stage {
    /// Somebody has signed up for each of so many activities, and chose short messages.
    async fn open(name: &str, people: usize, first: &str) -> Self {
        let standin = Standin::start().await;
        let clock = raccord_kit::ManualClock::at(BEGIN.parse().unwrap());
        let mut phone = Phone::new(Arc::new(clock), None);
        let config = format!(
            "[connectors.sheet]\nkind = 'spreadsheet'\nlocation = 'programme.csv'\nevery = '10s'\n\
             [connectors.{name}]\nkind = 'sms'\nsystem = 'android'\nurl = '{}'\nuser = 'sms'\npassword_file = 'secret'\nper_day = 1000\n\
             [[routes]]\nto = '{name}'\ndigest = 'reminder'\nat = []\n\
             [guards]\nchange_count = 10000\ncancel_count = 10000\n",
            standin.url("/")
        );
        let lines = sheet(people, first, "Halle", "");
        let files = [("programme.csv", lines.as_str()), ("secret", PASSWORD)];
        let world = World::start(&config, &files).await;
        phone.clock = Arc::clone(&world.clock);
        let behind = phone.clone();
        standin.direct(move |seen| behind.answer(seen));
        world.pass(MINUTE, SECOND * 5).await;
        let stage = Self {
            standin,
            phone,
            world,
        };
        let activities = stage.activities().await;
        assert_eq!(activities.len(), people);
        for (n, subject) in activities.into_iter().enumerate() {
            let who = Who {
                email: format!("p{n}@example.org"),
                ..Who::default()
            };
            let choice = Choice {
                who: who.clone(),
                told: Some(Telling::By(Way::Sms)),
                phone: Some(number(n)),
                ..Choice::default()
            };
            stage.order(Order::Choose(Box::new(choice))).await;
            let asked = SignUp {
                subject,
                who,
                places: 1,
                comment: String::new(),
            };
            let reply = stage.asks(Order::SignUp(Box::new(asked))).await;
            assert!(matches!(reply, Reply::SignedUp { .. }), "{reply:?}");
        }
        stage.pass(MINUTE * 8, SECOND * 5).await;
        assert_eq!(stage.phone.left().len(), 0, "they know what they did");
        stage
    }

    async fn activities(&self) -> Vec<EntityId> {
        self.state(|engine| {
            let all = engine.state().entities.iter();
            let activities = all.filter(|(_, record)| record.kind == EntityKind::Activity);
            let mut named: Vec<(usize, EntityId)> = activities
                .map(|(&id, record)| {
                    let title = record.fields()["title"].as_str().unwrap().to_owned();
                    (title[4..].parse().unwrap(), id)
                })
                .collect();
            named.sort_unstable();
            named.into_iter().map(|(_, id)| id).collect()
        })
        .await
    }

    /// To whom messages left.
    fn numbers(&self) -> Vec<String> {
        let left = self.phone.left().into_iter();
        left.map(|message| message.number).collect()
    }
}

fn number(n: usize) -> String {
    format!("+26269200{n:04}")
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_is_away_for_26_hours_has_everything_in_the_end_and_it_is_said_twice() {
    listen();
    let stage = Stage::open("phone-absent", 20, "2027-01-12").await;
    stage.phone.state().always = Some(Answer::status(502));
    stage.write("programme.csv", &sheet(20, "2027-01-12", "Halle", "Annulé"));
    stage.pass(MINUTE * 26 * 60, SECOND * 10).await;
    assert_eq!(stage.told("outage"), ["open"]);
    assert_eq!(stage.told("dead"), [""; 0]);
    stage.phone.state().always = None;
    stage.pass(MINUTE * 15, SECOND).await;
    let numbers = stage.numbers();
    let different: BTreeSet<&String> = numbers.iter().collect();
    assert_eq!((numbers.len(), different.len()), (20, 20));
    assert_eq!(stage.told("outage"), ["open", "closed"]);
    let said = said_about("connector=\"phone-absent\"");
    let halves = said_about("connector=phone-absent");
    assert!(said.len() <= 2 && halves.len() <= 2, "{said:#?}{halves:#?}");
    stage.world.end().await;
}

#[tokio::test(start_paused = true)]
async fn one_number_of_fifty_that_a_phone_refuses_is_set_aside_and_told_once_it_is_taken() {
    let stage = Stage::open("phone", 50, "2027-01-12").await;
    stage.phone.state().poisoned = Some(number(42));
    stage.write("programme.csv", &sheet(50, "2027-01-12", "Halle", "Annulé"));
    stage.pass(MINUTE * 10, SECOND).await;
    assert_eq!(stage.numbers().len(), 49);
    let dead = stage
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
    assert!(!failure.mend.fr.is_empty() && failure.mend.fr != failure.mend.en);
    assert!(!format!("{failure:?}").contains(&number(42)));
    assert_eq!(stage.told("dead"), ["open"]);
    stage.phone.state().poisoned = None;
    stage.order(Order::Retry(*delivery)).await;
    stage.pass(MINUTE * 8, SECOND).await;
    assert_eq!(stage.numbers().len(), 50);
    stage.world.end().await;
}

#[tokio::test(start_paused = true)]
async fn on_a_phone_an_older_room_is_never_said_after_a_newer_one() {
    let stage = Stage::open("phone", 1, "2027-01-03").await;
    stage.phone.state().full = true;
    stage.write("programme.csv", &sheet(1, "2027-01-03", "Cour", ""));
    stage.pass(MINUTE * 30, SECOND * 10).await;
    stage.write("programme.csv", &sheet(1, "2027-01-03", "Jardin", ""));
    stage.pass(MINUTE * 30, SECOND * 10).await;
    stage.phone.state().full = false;
    stage.pass(MINUTE * 10, SECOND).await;
    let left = stage.phone.left();
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].text.contains("Jardin"), "{left:?}");
    stage.world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_password_that_a_phone_refuses_is_shown_seldom_and_its_successor_is_noticed() {
    let stage = Stage::open("phone", 5, "2027-01-12").await;
    stage.phone.state().lets_in = FRESH;
    let before = stage.standin.seen().len();
    stage.write("programme.csv", &sheet(5, "2027-01-12", "Halle", "Annulé"));
    stage.pass(MINUTE * 55, SECOND * 10).await;
    let shown = stage.standin.seen().len() - before;
    assert!((1..=3).contains(&shown), "shown {shown} times in an hour");
    assert_eq!(stage.told("access"), ["open"], "it is told once");
    stage.write("secret", "fresh");
    stage.pass(MINUTE * 8, SECOND).await;
    assert_eq!(stage.numbers().len(), 5, "nothing is lost");
    assert_eq!(stage.told("access"), ["open", "closed"]);
    stage.world.end().await;
}

#[tokio::test(start_paused = true)]
async fn five_hundred_at_once_leave_one_a_second_and_all_arrive() {
    let stage = Stage::open("phone", 500, "2027-01-12").await;
    let before = stage.asked("phone").len();
    stage.write(
        "programme.csv",
        &sheet(500, "2027-01-12", "Halle", "Annulé"),
    );
    stage.pass(MINUTE * 20, SECOND / 2).await;
    let numbers = stage.numbers();
    let different: BTreeSet<&String> = numbers.iter().collect();
    assert_eq!((numbers.len(), different.len()), (500, 500));
    let asked = stage.asked("phone");
    let asked = &asked[before..];
    for pair in asked.windows(11) {
        let took = pair[10].duration_since(pair[0]);
        assert!(took >= SECOND * 9, "{took}: ten in less than ten seconds");
    }
    // Each message is one request; the day's count is asked for once.
    let requests = stage.standin.seen().len();
    assert!(requests <= 502, "{requests}");
    stage.world.end().await;
}
