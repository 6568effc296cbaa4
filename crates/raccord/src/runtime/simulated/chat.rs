//! A chat over hours and days: away, refusing the token, refusing one message of many.

use jiff::SignedDuration;
use raccord_engine::Order;
use raccord_kit::standin::{Play, Reply, Seen, Standin};
use raccord_model::Blame;

use super::house::{House, refusal};
use super::world::World;
use super::{listen, said_about};

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// A home server, and what it does to requests before it answers them.
struct Stage {
    standin: Standin,
    house: House,
}

impl Stage {
    async fn open() -> Self {
        let standin = Standin::start().await;
        let house = House::new("secret");
        let stage = Self { standin, house };
        stage.answers(|_| None);
        stage
    }

    /// Answers as the server does, but for what `first` answers itself.
    fn answers(&self, first: impl Fn(&Seen) -> Option<Play> + Send + 'static) {
        let house = self.house.clone();
        self.standin
            .direct(move |seen| first(seen).unwrap_or_else(|| house.answer(seen)));
    }

    async fn world(&self, name: &str, lines: usize) -> World {
        let config = format!(
            "[connectors.sheet]\nkind = 'spreadsheet'\nlocation = 'programme.csv'\nevery = '10s'\n\
             [connectors.{name}]\nkind = 'matrix'\nurl = '{}'\ntoken_file = 'secret'\nchannel = '#programme:example.org'\nhear = 'none'\n\
             [[routes]]\nto = '{name}'\nwhen = {{ entity = 'activity' }}\ngrace = '0s'\n[guards]\nchange_count = 1000\n",
            self.standin.url("/")
        );
        let text = sheet(lines, "Halle");
        let files = [("programme.csv", text.as_str()), ("secret", "secret")];
        World::start(&config, &files).await
    }

    fn said(&self) -> usize {
        self.house.messages().len()
    }
}

fn sheet(lines: usize, room: &str) -> String {
    let first = jiff::civil::date(2027, 2, 9);
    let line = |n: usize| {
        let day = first.saturating_add(jiff::ToSpan::days(n as i64));
        format!("Bal {n},{day},20:30,{room}\n")
    };
    let head = "Titre,Date,Début,Salle\n".to_owned();
    std::iter::once(head).chain((0..lines).map(line)).collect()
}

fn sends(seen: &Seen) -> bool {
    seen.method == "PUT" && seen.path.contains("/send/")
}

#[tokio::test(start_paused = true)]
async fn a_room_that_is_away_for_26_hours_hears_everything_once_and_it_is_said_twice() {
    listen();
    let stage = Stage::open().await;
    let world = stage.world("salon-absent", 1).await;
    world.pass(MINUTE * 3, SECOND * 5).await;
    assert_eq!(stage.said(), 1);

    stage.answers(|_| Some(Reply::status(502).into()));
    world.write("programme.csv", &sheet(40, "Halle"));
    let before = world.asked("salon-absent").len();
    world.pass(MINUTE * 26 * 60, SECOND * 10).await;
    assert_eq!(world.told("outage"), ["open"]);
    assert_eq!(world.told("dead"), [""; 0]);
    let asked = world.asked("salon-absent").len() - before;
    assert!(
        (1_300..2_000).contains(&asked),
        "{asked} requests in 26 hours"
    );

    stage.answers(|_| None);
    world.pass(MINUTE * 5, SECOND).await;
    assert_eq!(stage.said(), 40);
    assert_eq!(world.told("outage"), ["open", "closed"]);
    let said = said_about("connector=\"salon-absent\"");
    assert!(said.len() <= 2, "{said:#?}");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn one_message_of_a_hundred_that_is_refused_is_set_aside_and_said_once_it_is_taken() {
    let stage = Stage::open().await;
    stage.answers(|seen| {
        let poisoned = String::from_utf8_lossy(&seen.body).contains("Bal 42");
        (sends(seen) && poisoned).then(|| refusal(413, "M_TOO_LARGE"))
    });
    let world = stage.world("salon", 100).await;
    world.pass(MINUTE * 4, SECOND * 5).await;
    assert_eq!(stage.said(), 99);
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

    stage.answers(|_| None);
    world.order(Order::Retry(*delivery)).await;
    world.pass(SECOND * 10, SECOND).await;
    assert_eq!(stage.said(), 100);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_message_never_goes_back_to_an_older_room() {
    let stage = Stage::open().await;
    let world = stage.world("salon", 1).await;
    world.pass(MINUTE * 3, SECOND * 5).await;
    stage.answers(|seen| sends(seen).then(|| Reply::status(503).into()));
    world.write("programme.csv", &sheet(1, "Cour"));
    world.pass(MINUTE * 30, SECOND * 10).await;
    world.write("programme.csv", &sheet(1, "Jardin"));
    world.pass(MINUTE * 30, SECOND * 10).await;
    stage.answers(|_| None);
    world.pass(MINUTE * 3, SECOND).await;
    let messages = stage.house.messages();
    assert!(messages[0].contains("Jardin"), "{messages:?}");
    let events = stage.house.state().events.clone();
    let older = events
        .iter()
        .filter(|event| event.to_string().contains("Cour"));
    assert_eq!(older.count(), 0, "the older one is never said");
    assert_eq!(
        messages.len(),
        2,
        "and what moved is said once: {messages:?}"
    );
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_refused_is_shown_no_more_and_its_successor_is_noticed() {
    let stage = Stage::open().await;
    let world = stage.world("salon", 1).await;
    world.pass(MINUTE * 3, SECOND * 5).await;
    "fresh".clone_into(&mut stage.house.state().token);
    let before = world.asked("salon").len();
    world.write("programme.csv", &sheet(5, "Halle"));
    world.pass(MINUTE * 55, SECOND * 10).await;
    let asked = world.asked("salon").len() - before;
    assert!((1..=3).contains(&asked), "{asked} requests in an hour");
    assert_eq!(world.told("access"), ["open"], "it is told once");
    world.write("secret", "fresh");
    world.pass(MINUTE * 3, SECOND * 5).await;
    assert_eq!(stage.said(), 5, "nothing is lost");
    assert_eq!(world.told("access"), ["open", "closed"]);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn five_hundred_at_once_all_arrive_in_a_room() {
    let stage = Stage::open().await;
    let world = stage.world("salon", 500).await;
    world.pass(MINUTE * 12, SECOND / 2).await;
    let messages = stage.house.messages();
    let different: std::collections::BTreeSet<&String> = messages.iter().collect();
    assert_eq!((messages.len(), different.len()), (500, 500));
    assert_eq!(world.told("outage"), [""; 0], "nobody was refused");
    world.end().await;
}
