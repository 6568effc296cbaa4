//! The demo's wallets answer as the connector's model of Lespass and Fedow, which was made from their
//! source; and the connector looks before it pays.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;
#[path = "../../../connectors/cashless/tests/common/purse.rs"]
#[allow(dead_code, reason = "shared with the connector's tests")]
mod purse;

use bytes::Bytes;
use common::{Next, behind};
use purse::{Purse, SECRET, Trouble};
use raccord_connector_cashless::CONNECTOR;
use raccord_demo::wallet::{ASSET, Wallet};
use raccord_demo::wire::Asked;
use raccord_kit::Job;
use raccord_kit::testing::{NOON, kit};
use raccord_model::{Cause, EntityId, EntityKind, Envelope, Event, EventId, Found, Verb};
use serde_json::{Value, json};

fn refill(secret: &str, key: &str, body: &Value) -> Asked {
    http::Request::post("/api/v2/wallet-refills/")
        .header("authorization", format!("Api-Key {secret}"))
        .header("idempotency-key", key)
        .body(Bytes::from(body.to_string()))
        .unwrap()
}

#[test]
fn it_answers_as_the_model_made_from_the_source() {
    assert_eq!(ASSET, purse::ASSET);
    let (mut theirs, mut ours) = (Purse::default(), Wallet::new(SECRET, "fedow"));
    let of = |email: &str, amount: i64| json!({ "email": email, "asset": ASSET, "amount": amount });
    let ana = of("Ana@example.org", 200);
    for (secret, key, body) in [
        ("another", "a", &ana),
        (SECRET, "a", &ana),
        (SECRET, "a", &ana),
        (SECRET, "a", &of("ana@example.org", 300)),
        (SECRET, "a", &of("bob@example.org", 200)),
        (SECRET, "b", &ana),
        (SECRET, "", &ana),
        (SECRET, "c", &of("ana@example.org", 10_001)),
        (
            SECRET,
            "d",
            &json!({ "email": "x", "asset": "y", "amount": 1 }),
        ),
        (SECRET, "e", &json!({ "email": "ana@example.org" })),
        (SECRET, "f", &of("bob@example.org", 10_000)),
    ] {
        let (status, said) = theirs.refill(secret, key, body, Trouble::None).unwrap();
        let answer = ours.answer(&refill(secret, key, body));
        assert_eq!(answer.status().as_u16(), status, "{key} {body}");
        if status < 300 {
            let body: Value = serde_json::from_slice(answer.body()).unwrap();
            assert_eq!(body, said, "{key}");
        }
    }
    assert_eq!(
        ours.balances()["ana@example.org"],
        theirs.balance("ana@example.org")
    );
    assert_eq!(ours.credited().len(), theirs.credited.len());
    let listing = |key: &str| {
        let asked = http::Request::get("/transaction/").header("authorization", key);
        asked.body(Bytes::new()).unwrap()
    };
    let listed = ours.answer(&listing("Api-Key fedow"));
    let listed: Value = serde_json::from_slice(listed.body()).unwrap();
    assert_eq!(listed, theirs.transactions());
    assert_eq!(
        ours.answer(&listing("Api-Key other")).status().as_u16(),
        403
    );
}

fn credit() -> Job {
    let entity = EntityId::derive(&[b"credit"]);
    let data = json!({
        "person": EntityId::derive(&[b"ana"]), "amount": 200, "reason": "Bar", "grant": 1,
        "task": EntityId::derive(&[b"task"]), "email": "ana@example.org",
    });
    let id = EventId::derive(&[b"event"]);
    let event = Event {
        id,
        kind: EntityKind::Credit,
        verb: Verb::Granted,
        entity,
        revision: 1,
        changed: Vec::new(),
        source: "raccord".to_owned(),
        time: NOON,
        family: entity,
        correlation: id,
        causation: None,
        hops: 0,
        trace: None,
        cause: Cause::Time,
        data: serde_json::from_value(data).unwrap(),
    };
    let body = serde_json::to_vec(&Envelope::of(&event, &kit().place.id)).unwrap();
    Job::Send {
        event: Box::new(event),
        body,
    }
}

#[tokio::test]
async fn the_connector_finds_what_was_paid_and_not_heard_of() {
    let (standin, wallet, next) = behind(Wallet::new("key", "fedow"), |wallet, asked| {
        wallet.answer(asked)
    })
    .await;
    let url = standin.url("/");
    let settings = json!({
        "system": "lespass", "url": url, "key": "key", "asset": ASSET, "fedow_url": url,
        "fedow_key": "fedow",
    });
    let tool = (CONNECTOR.build)(settings, &kit()).unwrap();
    let sink = tool.sink().unwrap();
    assert!(matches!(
        sink.find(&credit()).await.unwrap(),
        Found::No { .. }
    ));
    *next.lock().unwrap() = Next::Unheard;
    sink.apply(&credit()).await.unwrap_err();
    let Found::Yes(found) = sink.find(&credit()).await.unwrap() else {
        panic!("it is there");
    };
    assert_eq!(found.external, Wallet::id_of(0));
    assert_eq!(wallet.lock().unwrap().balances()["ana@example.org"], 200);
}
