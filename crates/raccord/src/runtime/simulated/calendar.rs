//! The members' calendar over hours and days: away, locked, full of what cannot be taken.

use jiff::SignedDuration;
use raccord_engine::Order;
use raccord_kit::standin::{Play, Reply, Seen, Standin};
use raccord_model::Blame;

use super::cloud::Cloud;
use super::world::World;
use super::{listen, said_about};

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// A cloud, and what it does to requests before it answers them.
struct Stage {
    standin: Standin,
    cloud: Cloud,
}

impl Stage {
    async fn open() -> Self {
        let standin = Standin::start().await;
        let cloud = Cloud::new("secret");
        cloud.state().calendar("programme");
        let stage = Self { standin, cloud };
        stage.answers(|_| None);
        stage
    }

    /// Answers as the cloud does, but for what `first` answers itself.
    fn answers(&self, first: impl Fn(&Seen) -> Option<Play> + Send + 'static) {
        let cloud = self.cloud.clone();
        self.standin
            .direct(move |seen| first(seen).unwrap_or_else(|| cloud.answer(seen)));
    }

    async fn world(&self, name: &str, sheet: &str) -> World {
        self.world_with(name, sheet, "every = '1m'").await
    }

    async fn world_with(&self, name: &str, sheet: &str, more: &str) -> World {
        let config = format!(
            "[connectors.sheet]\nkind = 'spreadsheet'\nlocation = 'programme.csv'\nevery = '10s'\n\
             [connectors.{name}]\nkind = 'nextcloud-calendar'\nurl = '{}'\nuser = 'raccord'\n\
             password_file = 'secret'\ncalendar = 'programme'\n{more}\n[guards]\nchange_count = 1000\n",
            self.standin.url("/")
        );
        let files = [("programme.csv", sheet), ("secret", "secret")];
        World::start(&config, &files).await
    }

    fn entries(&self) -> usize {
        self.cloud.files("programme").len()
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

#[tokio::test(start_paused = true)]
async fn a_calendar_that_is_away_for_26_hours_is_whole_in_the_end_and_said_so_twice() {
    listen();
    let stage = Stage::open().await;
    let world = stage.world("agenda-absent", &sheet(1, "Halle")).await;
    world.pass(MINUTE * 3, SECOND * 5).await;
    assert_eq!(stage.entries(), 1);

    stage.answers(|_| Some(Reply::status(502).into()));
    world.write("programme.csv", &sheet(40, "Halle"));
    let before = world.asked("agenda-absent").len();
    world.pass(MINUTE * 26 * 60, SECOND * 10).await;
    assert_eq!(world.told("outage"), ["open"]);
    assert_eq!(world.told("dead"), [""; 0]);
    // Each half asks about once a minute, after the first few attempts.
    let asked = world.asked("agenda-absent").len() - before;
    assert!(
        (1_300..3_950).contains(&asked),
        "{asked} requests in 26 hours"
    );

    stage.answers(|_| None);
    world.pass(MINUTE * 3, SECOND).await;
    assert_eq!(stage.entries(), 40);
    assert_eq!(world.told("outage"), ["open", "closed"]);
    let said = said_about("connector=\"agenda-absent\"");
    let halves = said_about("connector=agenda-absent");
    assert!(said.len() <= 2 && halves.len() <= 2, "{said:#?}{halves:#?}");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn one_entry_of_a_hundred_that_is_refused_is_set_aside_and_made_once_it_is_taken() {
    let stage = Stage::open().await;
    stage.answers(|seen| {
        let poisoned = String::from_utf8_lossy(&seen.body).contains("SUMMARY:Bal 42\r\n");
        (seen.method == "PUT" && poisoned).then(|| Reply::status(415).into())
    });
    let world = stage.world("agenda", &sheet(100, "Halle")).await;
    world.pass(MINUTE * 4, SECOND * 5).await;
    assert_eq!(stage.entries(), 99);
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
    assert_eq!(stage.entries(), 100);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_call_of_the_cloud_is_one_look_however_often_it_comes_and_a_false_one_none() {
    let stage = Stage::open().await;
    let more = "every = '1h'\nhook_secret = 'canary'";
    let world = stage.world_with("agenda", &sheet(1, "Halle"), more).await;
    world.pass(MINUTE * 3, SECOND * 5).await;
    let looks = || stage.cloud.count("PROPFIND");
    let before = looks();
    for _ in 0..5 {
        assert_eq!(world.call("agenda", "wrong").await.0, 401);
    }
    world.pass(SECOND * 10, SECOND).await;
    assert_eq!(looks(), before);

    // A member's program writes, and the cloud calls for it, and again, and again.
    stage.cloud.member_puts(
        "programme",
        "own.ics",
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:own\r\nDTSTAMP:20270101T000000Z\r\nDTSTART;TZID=Europe/Paris:20270301T190000\r\nSUMMARY:Permanence\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    );
    for _ in 0..20 {
        let (status, answer) = world.call("agenda", "canary").await;
        assert_eq!(status, 200);
        assert!(answer.ends_with("{\"ok\":true}"), "{answer}");
    }
    world.pass(SECOND * 10, SECOND).await;
    let known = world
        .state(|engine| engine.state().activities().count())
        .await;
    assert_eq!(known, 2, "the entry is known long before the hour is over");
    assert!(
        (1..=3).contains(&(looks() - before)),
        "{}",
        looks() - before
    );

    // A call that is lost costs a delay, and nothing else; what comes back is known at the next look.
    stage.cloud.member_deletes("programme", "own.ics");
    stage.cloud.member_puts(
        "programme",
        "other.ics",
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:other\r\nDTSTAMP:20270101T000000Z\r\nDTSTART;TZID=Europe/Paris:20270401T190000\r\nSUMMARY:Chorale\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    );
    world.pass(MINUTE * 62, SECOND * 30).await;
    let known = world
        .state(|engine| engine.state().activities().count())
        .await;
    assert_eq!(known, 3);

    // While the password is refused, no call makes it be shown again.
    stage.cloud.state().set_password("fresh");
    world.call("agenda", "canary").await;
    world.pass(SECOND * 10, SECOND).await;
    for _ in 0..20 {
        world.call("agenda", "canary").await;
        world.pass(SECOND * 5, SECOND).await;
    }
    assert_eq!(stage.cloud.state().refused, 1);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_entry_never_goes_back_to_an_older_room() {
    let stage = Stage::open().await;
    let world = stage.world("agenda", &sheet(1, "Halle")).await;
    world.pass(MINUTE * 3, SECOND * 5).await;
    stage.answers(|seen| (seen.method == "PUT").then(|| Reply::status(503).into()));
    world.write("programme.csv", &sheet(1, "Cour"));
    world.pass(MINUTE * 30, SECOND * 10).await;
    world.write("programme.csv", &sheet(1, "Jardin"));
    world.pass(MINUTE * 30, SECOND * 10).await;
    let puts = stage.cloud.count("PUT");
    stage.answers(|_| None);
    world.pass(MINUTE * 3, SECOND).await;
    let file = &stage.cloud.files("programme")[0];
    let text = stage.cloud.text("programme", file);
    assert!(text.contains("LOCATION:Jardin"), "{text}");
    assert_eq!(
        stage.cloud.count("PUT"),
        puts + 1,
        "the older one is never written"
    );
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_password_that_is_wrong_by_now_locks_nobody_out_and_its_successor_is_noticed() {
    let stage = Stage::open().await;
    let world = stage.world("agenda", &sheet(1, "Halle")).await;
    world.pass(MINUTE * 3, SECOND * 5).await;
    stage.cloud.state().set_password("fresh");
    world.write("programme.csv", &sheet(5, "Halle"));
    world.pass(MINUTE * 55, SECOND * 10).await;
    let refused = stage.cloud.state().refused;
    assert!((1..=3).contains(&refused), "{refused} refusals in an hour");
    assert_eq!(world.told("access"), ["open"], "it is told once");
    world.write("secret", "fresh");
    world.pass(MINUTE * 3, SECOND * 5).await;
    assert_eq!(stage.entries(), 5, "nothing is lost");
    assert_eq!(world.told("access"), ["open", "closed"]);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn entries_of_members_that_vanish_at_once_wait_for_a_yes_and_one_that_is_gone_is_looked_for_twice()
 {
    let stage = Stage::open().await;
    let entry = |n: usize| {
        format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:own-{n}\r\nDTSTAMP:20270101T000000Z\r\nDTSTART;TZID=Europe/Paris:202703{:02}T190000\r\nSUMMARY:Permanence {}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
            n + 1,
            n + 100
        )
    };
    for n in 0..20 {
        stage
            .cloud
            .member_puts("programme", &format!("own-{n}.ics"), &entry(n));
    }
    let world = stage.world("agenda", &sheet(1, "Halle")).await;
    world.pass(MINUTE * 4, SECOND * 5).await;
    let cancelled = |engine: &mut raccord_engine::Engine| {
        let all = engine.state().activities();
        all.filter(|(_, record)| record.when().status == raccord_model::Status::Cancelled)
            .count()
    };
    let titles = |engine: &mut raccord_engine::Engine| -> Vec<String> {
        let all = engine.state().activities();
        all.filter_map(|(_, record)| record.title()).collect()
    };
    // A machine that is busy answers late.
    for _ in 0..10 {
        if world.state(titles).await.len() < 21 {
            world.pass(MINUTE, SECOND * 5).await;
        }
    }
    let known = world.state(titles).await;
    assert_eq!(known.len(), 21, "{known:?}");

    // One goes: marked at the first look, cancelled at the second. Its deletion undone: it is back.
    stage.cloud.member_deletes("programme", "own-3.ics");
    world.pass(MINUTE * 4, SECOND * 5).await;
    assert_eq!(world.state(cancelled).await, 1);
    stage.cloud.member_puts("programme", "own-3.ics", &entry(3));
    world.pass(MINUTE * 4, SECOND * 5).await;
    assert_eq!(world.state(cancelled).await, 0);
    assert_eq!(
        world
            .state(|engine| engine.state().activities().count())
            .await,
        21
    );

    // Half of them go at once: nobody is told that they do not take place.
    for n in 0..10 {
        stage
            .cloud
            .member_deletes("programme", &format!("own-{n}.ics"));
    }
    world.pass(MINUTE * 10, SECOND * 5).await;
    assert_eq!(world.state(cancelled).await, 0);
    let holds = |engine: &mut raccord_engine::Engine| engine.state().holds.len();
    assert_eq!(world.state(holds).await, 1);
    for n in 0..10 {
        stage
            .cloud
            .member_puts("programme", &format!("own-{n}.ics"), &entry(n));
    }
    world.pass(MINUTE * 4, SECOND * 5).await;
    assert_eq!(world.state(holds).await, 0, "it closes by itself");
    world.end().await;
}
