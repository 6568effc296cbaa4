//! Credits and the plan: what it lists is what the pass then sends to the wallets, and nothing before.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../connectors/cashless/tests/common/purse.rs"]
#[allow(dead_code, reason = "shared with the connector's tests")]
mod purse;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use purse::{ASSET, Purse, SECRET, Trouble};
use raccord_kit::standin::{Reply, Standin};
use raccord_tests::place::Place;
use raccord_tests::wire;
use raccord_tests::working::{TOKEN, Working};
use serde_json::{Value, json};

struct Stage {
    standin: Standin,
    purse: Arc<Mutex<Purse>>,
    address: SocketAddr,
    place: Option<Place>,
}

impl Stage {
    async fn open() -> Self {
        let standin = Standin::start().await;
        let url = standin.url("/");
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        let place = Place::new(&format!(
            "[place]\nid = \"lieu\"\nname = \"Le lieu\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\ndata = \"data\"\n\
             [web]\nlisten = \"{address}\"\nadmin_token = \"{TOKEN}\"\n\
             [connectors.purse]\nkind = \"cashless\"\nsystem = \"lespass\"\nurl = \"{url}\"\nkey = \"{SECRET}\"\n\
             asset = \"{ASSET}\"\nfedow_url = \"{url}\"\nfedow_key = \"fedow.key\"\n"
        ))
        .unwrap()
        .at("2027-01-02T08:00:00Z");
        Self {
            standin,
            purse: Arc::default(),
            address,
            place: Some(place),
        }
    }

    /// Somebody speaks to the daemon while the wallets are away.
    fn told(&mut self, events: &[(&str, &str, Value)]) {
        self.standin.always(Reply::status(503));
        let place = self.place.take().unwrap();
        let address = self.address;
        self.place = Some(tokio::task::block_in_place(|| {
            let working = Working::start_at(address, place).unwrap();
            for (kind, subject, data) in events {
                post(address, kind, subject, data);
            }
            // A call that is under way while it stops would have to be looked for.
            let away = "raccord_connector_up{place=\"lieu\",connector=\"purse\"} 0\n";
            let credits = events.iter().any(|(kind, ..)| *kind == "registration");
            working.until("the wallets answer", || {
                let figures = working.get("/metrics").unwrap().1;
                !credits || figures.contains(away)
            });
            working.leave().unwrap()
        }));
    }

    /// The wallets are there again, and it is as many hours past eight.
    fn is_well(&mut self, hours: u8) {
        let purse = Arc::clone(&self.purse);
        self.standin
            .direct(move |seen| purse.lock().unwrap().answer(seen, || Trouble::None));
        let place = self.place.as_mut().unwrap();
        place.is_at(&format!("2027-01-02T{:02}:00:00Z", 8 + hours));
    }

    fn run(&self, arguments: &[&str]) -> (i32, Value) {
        let place = self.place.as_ref().unwrap();
        let answer = tokio::task::block_in_place(|| place.run(arguments).unwrap());
        (answer.code, answer.json)
    }

    fn task(&self) -> String {
        let events = self.place.as_ref().unwrap().events().unwrap();
        let made = events.iter().find(|event| event["data"]["title"] == "Bar");
        made.unwrap()["subject"].as_str().unwrap().to_owned()
    }

    /// What the wallets hold, by address.
    fn credited(&self) -> Vec<(String, i64)> {
        let purse = self.purse.lock().unwrap();
        let all = purse.credited.iter();
        let mut all: Vec<_> = all.map(|made| (made.email.clone(), made.amount)).collect();
        all.sort();
        all
    }
}

fn post(address: SocketAddr, kind: &str, subject: &str, data: &Value) {
    let event = json!({
        "specversion": "1.0", "id": subject, "source": "/test", "subject": subject,
        "type": format!("org.raccord.{kind}.updated.v1"), "data": data,
    });
    let secret = format!("Bearer {TOKEN}");
    let headers = [
        ("Authorization", secret.as_str()),
        ("Content-Type", "application/cloudevents+json"),
    ];
    let (status, text) = wire::call(
        address.port(),
        "POST",
        "/v1/events",
        &headers,
        event.to_string().as_bytes(),
    )
    .unwrap();
    assert_eq!(status, 202, "{}", String::from_utf8_lossy(&text));
}

fn came(task: &str, who: &str) -> (&'static str, String, Value) {
    let email = format!("{who}@example.org");
    let data = json!({ "task": task, "email": email, "state": "attended" });
    ("registration", who.to_owned(), data)
}

fn effects(plan: &Value) -> &Vec<Value> {
    plan["effects"].as_array().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_credits_nobody_and_the_pass_after_it_sends_exactly_what_it_lists() {
    let mut stage = Stage::open().await;
    let bar = json!({ "title": "Bar", "due": "2027-01-02", "credits": 150 });
    stage.told(&[("task", "bar", bar)]);
    let task = stage.task();
    let all = ["ann", "bob", "eve"].map(|who| came(&task, who));
    let all = all
        .each_ref()
        .map(|(kind, who, data)| (*kind, who.as_str(), data.clone()));
    stage.told(&all);
    let calls = stage.standin.writes().len();
    stage.is_well(1);
    let agreed = stage.place.as_ref().unwrap().path("plan.json");
    let agreed = agreed.display().to_string();
    let (_, plan) = stage.run(&["plan", "--out", &agreed]);
    assert_eq!(stage.standin.writes().len(), calls, "a plan writes nothing");
    assert_eq!(effects(&plan).len(), 3, "{plan:#}");
    for effect in effects(&plan) {
        assert_eq!(effect["connector"], "purse");
        assert_eq!(effect["action"], "send");
        assert!(
            effect["title"].as_str().unwrap().contains("Bar"),
            "{effect}"
        );
    }
    let (code, passed) = stage.run(&["sync", "--plan", &agreed]);
    assert_eq!((code, passed["done"].as_u64()), (0, Some(3)), "{passed:#}");
    let everybody = ["ann", "bob", "eve"].map(|who| (format!("{who}@example.org"), 150));
    assert_eq!(stage.credited(), everybody);
    assert_eq!(stage.standin.writes().len() - calls, 3, "each once");
    let sale = ("ann@example.org", 40, "2027-01-02T09:30:00Z");
    stage.purse.lock().unwrap().spent.push(sale);
    let (code, told) = stage.run(&["ledger", "ann@example.org", "--wallet"]);
    assert_eq!((code, &told[0]["amount"]), (0, &json!(110)), "{told:#}");
    let (_, ledger) = stage.run(&["ledger", "ann@example.org"]);
    assert_eq!(ledger["balances"][0]["amount"], 150, "what was given");
    let (code, _) = stage.run(&["ledger", "nobody@example.org", "--wallet"]);
    assert_eq!(code, 1);

    // Somebody else came between a plan and its pass: it stops, says what moved, and sends nothing.
    let (kind, who, data) = came(&task, "leo");
    stage.told(&[(kind, &who, data)]);
    stage.is_well(2);
    stage.run(&["plan", "--out", &agreed]);
    let (kind, who, data) = came(&task, "zoe");
    stage.told(&[(kind, &who, data)]);
    stage.is_well(2);
    let calls = stage.standin.writes().len();
    let (code, said) = stage.run(&["sync", "--plan", &agreed]);
    assert_eq!(code, 1, "{said:#}");
    assert_eq!(stage.standin.writes().len(), calls);
    assert_eq!(stage.credited().len(), 3);
    stage.run(&["plan", "--out", &agreed]);
    stage.is_well(3);
    assert_eq!(stage.run(&["sync", "--plan", &agreed]).0, 0);
    stage.is_well(4);
    assert_eq!(stage.run(&["sync"]).0, 0);
    assert_eq!(stage.credited().len(), 5);
}
