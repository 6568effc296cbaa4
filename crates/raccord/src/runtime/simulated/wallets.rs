//! A Lespass and its Fedow over hours and days: away, closed, and with much to credit.

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use raccord_engine::{Fact, Input, Reply, decode_commit};
use raccord_kit::standin::{Reply as Said, Standin};
use raccord_model::{Change, EntityKind, Event, Trace, Verb};
use serde_json::{Value, json};

use super::purse::{ASSET, Purse, SECRET, Trouble};
use super::world::World;
use super::{listen, said_about};

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Both servers behind one address, and the place that credits there.
struct Stage {
    standin: Standin,
    purse: Arc<Mutex<Purse>>,
    world: World,
    task: String,
}

impl Stage {
    /// A place with one task worth 1.5; the connector is called `name`.
    async fn open(name: &str) -> Self {
        let standin = Standin::start().await;
        let url = standin.url("/");
        let config = format!(
            "[connectors.{name}]\nkind = 'cashless'\nsystem = 'lespass'\nurl = '{url}'\nkey_file = 'secret'\n\
             asset = '{ASSET}'\nfedow_url = '{url}'\nfedow_key = 'fedow.key'\n"
        );
        let world = World::start(&config, &[("secret", SECRET)]).await;
        let mut stage = Self {
            standin,
            purse: Arc::default(),
            world,
            task: String::new(),
        };
        stage.is_well();
        let task = json!({ "title": "Vaisselle", "due": "2027-01-20", "credits": 150 });
        stage
            .post(vec![change(EntityKind::Task, "vaisselle", task)])
            .await;
        stage.task = stage.events(EntityKind::Task)[0].entity.to_string();
        stage
    }

    fn is_well(&self) {
        let purse = Arc::clone(&self.purse);
        self.standin
            .direct(move |seen| purse.lock().unwrap().answer(seen, || Trouble::None));
    }

    async fn post(&self, changes: Vec<Change>) {
        let reply = self.world.desk.input(Input::Posted(changes)).await.unwrap();
        assert_eq!(reply, Reply::Taken);
        self.world.settle().await;
    }

    fn came(&self, who: usize) -> Change {
        let email = format!("p{who}@example.org");
        let came = json!({ "task": self.task, "email": email, "state": "attended" });
        change(EntityKind::Registration, &email, came)
    }

    /// So many people more did the task.
    async fn come(&self, who: std::ops::Range<usize>) {
        self.post(who.map(|who| self.came(who)).collect()).await;
    }

    fn credited(&self) -> usize {
        let purse = self.purse.lock().unwrap();
        for made in &purse.credited {
            assert_eq!(purse.balance(&made.email), 150, "{}", made.email);
        }
        purse.credited.len()
    }

    fn events(&self, kind: EntityKind) -> Vec<Event> {
        let events = self.world.events.lock().unwrap();
        let ours = events.iter().filter(|event| event.kind == kind);
        ours.cloned().collect()
    }

    /// A figure of the connector, as Prometheus scrapes it.
    async fn figure(&self, name: &str, connector: &str) -> String {
        let (_, scrape) = self.world.get("/metrics").await;
        let start = format!("{name}{{place=\"lieu\",connector=\"{connector}\"}} ");
        let line = scrape.lines().find_map(|line| line.strip_prefix(&start));
        line.unwrap_or_else(|| panic!("no {start} in {scrape}"))
            .to_owned()
    }
}

fn change(kind: EntityKind, subject: &str, fields: Value) -> Change {
    Change {
        sender: "/campaign".into(),
        id: format!("{subject} 1"),
        kind,
        verb: Verb::Updated,
        subject: subject.to_owned(),
        fields: serde_json::from_value(fields).unwrap(),
        correlation: None,
        causation: None,
        hops: 0,
        trace: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_wallet_that_is_away_for_26_hours_has_every_credit_in_the_end_and_it_is_said_twice() {
    const NAME: &str = "purse-away";
    listen();
    let stage = Stage::open(NAME).await;
    stage.come(0..1).await;
    stage.world.pass(MINUTE, SECOND * 5).await;
    assert_eq!(stage.credited(), 1);
    assert_eq!(stage.figure("raccord_connector_up", NAME).await, "1");

    stage
        .standin
        .direct(|_| Said::status(503).header("retry-after", "90").into());
    stage.come(1..20).await;
    let before = stage.world.asked(NAME).len();
    stage.world.pass(MINUTE * 26 * 60, SECOND * 30).await;
    assert_eq!(stage.world.told("outage"), ["open"]);
    assert_eq!(stage.world.told("dead"), [""; 0]);
    assert_eq!(stage.figure("raccord_connector_up", NAME).await, "0");
    assert_eq!(stage.figure("raccord_deliveries_open", NAME).await, "19");
    assert_eq!(stage.figure("raccord_effects_total", NAME).await, "1");
    for path in ["/healthz", "/readyz"] {
        assert_eq!(stage.world.get(path).await.0, 200, "{path}");
    }
    let asked = stage.world.asked(NAME);
    let waits = asked[before..]
        .windows(2)
        .map(|two| two[1].duration_since(two[0]));
    let hurried = waits.filter(|wait| wait.as_secs() < 60);
    assert!(
        hurried.count() <= 20,
        "it asks to be left alone for 90 s: {asked:?}"
    );

    stage.is_well();
    stage.world.pass(MINUTE * 20, SECOND * 2).await;
    assert_eq!(stage.credited(), 20);
    assert_eq!(stage.world.told("outage"), ["open", "closed"]);
    assert_eq!(stage.figure("raccord_connector_up", NAME).await, "1");
    assert_eq!(stage.figure("raccord_effects_total", NAME).await, "20");
    for said in [format!("connector=\"{NAME}\""), format!("connector={NAME}")] {
        let said = said_about(&said);
        assert!(said.len() <= 2, "{said:#?}");
    }
    stage.world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_key_of_the_wallet_that_was_revoked_is_shown_seldom_and_its_successor_is_noticed() {
    let stage = Stage::open("purse").await;
    stage.purse.lock().unwrap().fresh = Some("fresh.key");
    stage.come(0..30).await;
    stage.world.pass(MINUTE * 55, SECOND * 10).await;
    let shown = stage.standin.writes().len();
    assert!((1..=3).contains(&shown), "shown {shown} times in an hour");
    assert_eq!(stage.world.told("access"), ["open"], "it is told once");
    stage.world.write("secret", "fresh.key");
    stage.world.pass(MINUTE * 5, SECOND * 2).await;
    assert_eq!(stage.credited(), 30, "nothing is lost");
    assert_eq!(stage.world.told("access"), ["open", "closed"]);
    stage.world.end().await;
}

#[tokio::test(start_paused = true)]
async fn three_hundred_credits_at_once_reach_lespass_one_by_one_and_no_faster_than_was_said() {
    let stage = Stage::open("purse").await;
    stage.come(0..300).await;
    stage.world.pass(MINUTE * 3, SECOND / 4).await;
    assert_eq!(stage.credited(), 300);
    let asked = stage.world.asked("purse");
    for at in &asked {
        let second = |one: &&Timestamp| {
            let after = one.duration_since(*at);
            after >= SignedDuration::ZERO && after < SECOND
        };
        let within = asked.iter().filter(second).count();
        assert!(within <= 5, "{within} in the second from {at}");
    }
    assert_eq!(stage.world.told("outage"), [""; 0]);
    stage.world.end().await;
}

#[tokio::test(start_paused = true)]
async fn the_thread_of_causes_runs_from_another_program_through_the_ledger_to_the_wallet() {
    let stage = Stage::open("purse").await;
    let mut came = stage.came(0);
    let chain = "8a1f0f52-9c1e-5c0e-8f43-0f8a5f0a7b11";
    (came.correlation, came.causation) = (Some(chain.into()), Some(chain.into()));
    came.trace = Trace::of(TRACE, None);
    assert!(came.trace.is_some());
    stage.post(vec![came]).await;
    stage.world.pass(MINUTE, SECOND).await;
    assert_eq!(stage.credited(), 1);
    let credit = stage.events(EntityKind::Credit).pop().unwrap();
    let all = stage.events(EntityKind::Registration).into_iter();
    let mut all = all.filter(|event| Some(event.id) == credit.causation);
    let attended = all.next().expect("a credit knows what it is for");
    assert_eq!(attended.data["state"], "attended");
    assert_eq!(attended.correlation.to_string(), chain);
    assert_eq!(credit.correlation, attended.correlation);
    assert_eq!(credit.trace, attended.trace, "the trace goes on");
    assert!(credit.trace.is_some());
    // What was made in the wallet is recorded with the entry it was made for.
    let owed = stage.world.desk.ask(move |_, log| {
        let commits = log.commits(1, 100 << 20).unwrap();
        let facts = commits
            .iter()
            .flat_map(|commit| decode_commit(&commit.body).unwrap());
        let owed = facts.filter_map(|fact| match fact {
            Fact::Event { event, to } if event.kind == EntityKind::Credit => {
                Some((event.id, to.len()))
            }
            _ => None,
        });
        owed.collect::<Vec<_>>()
    });
    assert_eq!(owed.await.unwrap(), [(credit.id, 1)]);
    let named = format!("{}", credit.data["grant"]);
    let key = stage.purse.lock().unwrap().credited[0].key.clone().unwrap();
    assert!(
        key.contains(&stage.task) && key.ends_with(&format!(":{named}")),
        "{key}"
    );
    stage.world.end().await;
}
