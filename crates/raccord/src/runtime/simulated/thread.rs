//! The thread of causes, from a cell through another program to every tool.

use std::collections::BTreeMap;

use axum::http::HeaderMap;
use jiff::SignedDuration;
use raccord_engine::{Fact, Input, Reply, decode_commit};
use raccord_kit::standin::Standin;
use raccord_model::{Cause, EntityKind, Event, EventId};
use serde_json::{Value, json};

use super::world::World;

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// The last event about an activity that the receiver took.
fn received(receiver: &Standin) -> Value {
    let bodies = receiver.writes();
    let events = bodies
        .iter()
        .map(|seen| serde_json::from_slice::<Value>(&seen.body).unwrap());
    let about = |event: &Value| {
        let kind = event["type"].as_str().unwrap();
        kind.starts_with("org.raccord.activity.")
    };
    events.filter(about).last().unwrap()
}

/// The events that effects were recorded with: the one that made it owed or, for what is composed
/// of many activities, those of the same commit.
async fn causes(world: &World, connector: &str) -> Vec<Event> {
    let connector = connector.to_owned();
    let look = move |log: &dyn raccord_bus::Log| {
        let commits = log.commits(1, 100 << 20).unwrap();
        let mut events = BTreeMap::new();
        let mut causes = Vec::new();
        for commit in commits {
            let mut here = Vec::new();
            for fact in decode_commit(&commit.body).unwrap() {
                match fact {
                    Fact::Event { event, .. } if event.kind == EntityKind::Activity => {
                        here.push(event.id);
                        events.insert(event.id, *event);
                    }
                    Fact::Owed(owed) if owed.connector.as_str() == connector => {
                        let known: Vec<EventId> = match owed.cause {
                            Some(cause) => vec![cause],
                            None => here.clone(),
                        };
                        assert!(!known.is_empty(), "nobody knows why: {owed:?}");
                        causes.extend(known);
                    }
                    _ => {}
                }
            }
        }
        assert!(!causes.is_empty());
        causes.into_iter().map(|id| events[&id].clone()).collect()
    };
    world.desk.ask(move |_, log| look(log)).await.unwrap()
}

/// Posts an event as another program does.
async fn post(world: &World, event: &Value) {
    let mut headers = HeaderMap::new();
    let media = "application/cloudevents+json".parse().unwrap();
    headers.insert("content-type", media);
    let form = raccord_web::form_of(&headers).unwrap();
    let changes = raccord_web::read(form, &serde_json::to_vec(event).unwrap(), 10).unwrap();
    let reply = world.desk.input(Input::Posted(changes)).await.unwrap();
    assert_eq!(reply, Reply::Taken);
    world.pass(SECOND * 20, SECOND).await;
}

fn config(receiver: &Standin) -> String {
    format!(
        "[connectors.hook]\nkind = 'webhook'\nurl = '{}'\nsecret_file = 'secret'\n\
         [connectors.site]\nkind = 'website'\noutput = 'site'\n\
         [connectors.print]\nkind = 'programme'\noutput = 'print'\n",
        receiver.url("/in")
    )
}

const SECRET: (&str, &str) = ("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");

#[tokio::test(start_paused = true)]
async fn one_thread_runs_from_the_cell_through_another_program_to_every_tool() {
    let receiver = Standin::start().await;
    let sheet =
        "[connectors.sheet]\nkind = 'spreadsheet'\nlocation = 'programme.csv'\nevery = '10s'\n";
    let config = config(&receiver) + sheet;
    let cells = ("programme.csv", "Titre,Date,Début\nBal,2027-01-09,20:30\n");
    let world = World::start(&config, &[SECRET, cells]).await;
    world.pass(SECOND * 20, SECOND).await;

    // From the cell to the receiver, the site and the printed month.
    let first = received(&receiver);
    assert_eq!(first["correlationid"], first["id"], "a chain begins here");
    assert_eq!(first.get("causationid"), None);
    assert_eq!(first.get("traceparent"), None, "nobody traces it");
    for tool in ["site", "print"] {
        for cause in causes(&world, tool).await {
            assert_eq!(json!(cause.id), first["id"]);
            assert!(matches!(cause.cause, Cause::Cell { row: 2, .. }));
        }
    }

    // The receiver makes something of it, in a trace of its own, and posts that.
    let answer = json!({
        "specversion": "1.0", "id": "7", "source": "/agenda", "subject": "a7",
        "type": "org.raccord.activity.created.v1",
        "correlationid": first["correlationid"], "causationid": first["id"],
        "traceparent": TRACE, "tracestate": "congo=t61rcWkgMzE", "elsewhere": "dropped",
        "data": { "title": "Répétition", "start": "2027-01-08T18:00" },
    });
    post(&world, &answer).await;
    let second = received(&receiver);
    assert_eq!(second["data"]["title"], "Répétition");
    assert_ne!(second["id"], first["id"]);
    for carried in ["correlationid", "causationid", "traceparent", "tracestate"] {
        assert_eq!(second[carried], answer[carried], "{carried}");
    }
    assert_eq!(second.get("elsewhere"), None);
    for tool in ["site", "print"] {
        let last = causes(&world, tool).await.pop().unwrap();
        assert_eq!(json!(last.id), second["id"]);
        assert!(matches!(&last.cause, Cause::Posted { id } if id == "7"));
        assert_eq!(
            json!(last.correlation),
            first["id"],
            "the whole chain is known"
        );
    }
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_chain_of_another_program_keeps_its_names_and_a_broken_trace_is_left_behind() {
    let receiver = Standin::start().await;
    let world = World::start(&config(&receiver), &[SECRET]).await;
    let chain = "8a1f0f52-9c1e-5c0e-8f43-0f8a5f0a7b11";
    let mut event = json!({
        "specversion": "1.0", "id": "1", "source": "/agenda", "subject": "a1",
        "type": "org.raccord.activity.created.v1", "correlationid": chain, "traceparent": TRACE,
        "data": { "title": "Bal", "start": "2027-01-08T18:00", "kind": "Réunion" },
    });
    post(&world, &event).await;
    let told = received(&receiver);
    assert_eq!(told["correlationid"], chain);
    assert_eq!(told["traceparent"], TRACE);

    event["id"] = json!("2");
    event["traceparent"] = json!("00-0-0-0");
    event["data"]["title"] = json!("Bal masqué");
    post(&world, &event).await;
    let told = received(&receiver);
    assert_eq!(told["data"]["title"], "Bal masqué");
    assert_eq!(told.get("traceparent"), None);
    world.end().await;
}
