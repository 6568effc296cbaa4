//! What becomes of sends that a receiver does not take, told from what it received in the end.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::BTreeSet;

use common::{Place, lines};
use raccord::report::Exit;
use raccord_kit::standin::Reply;

fn titles(place: &Place) -> BTreeSet<String> {
    let events = place.events();
    let title = |event: &serde_json::Value| event["data"]["title"].as_str().unwrap().to_owned();
    events.iter().map(title).collect()
}

#[test]
fn one_poisoned_event_is_set_aside_the_others_arrive_and_it_goes_once_it_can() {
    let place = Place::new();
    place.sheet(&lines(100));
    place.receiver.direct(|seen| {
        let event: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
        let poisoned = event["data"]["title"] == "Atelier vélo 42";
        Reply::status(if poisoned { 422 } else { 204 }).into()
    });
    let (exit, said) = place.run(&["sync"]);
    assert_eq!((exit, place.received()), (Exit::Attention, 99), "{said}");
    let dead = place.json(&["dead"]);
    assert_eq!(dead.as_array().unwrap().len(), 1, "{dead}");
    assert_eq!(dead[0]["failure"], "data");
    let (_, french) = place.run(&["dead", "--lang", "fr"]);
    assert!(french.contains("Atelier vélo 42"), "{french}");
    assert!(french.contains("raccord retry"), "{french}");

    place.receiver.always(Reply::status(204));
    let (exit, said) = place.run(&["retry", dead[0]["id"].as_str().unwrap()]);
    assert_eq!((exit, place.received()), (Exit::Done, 100), "{said}");
    assert_eq!(titles(&place).len(), 100);
    assert_eq!(place.json(&["dead"]), serde_json::json!([]));
}

#[test]
fn what_is_said_about_one_activity_arrives_in_the_order_it_happened() {
    let place = Place::new();
    for hour in ["18:00", "19:00", "20:00"] {
        place.receiver.always(Reply::status(503));
        place.sheet(&[format!("Bal,2027-01-09,{hour},Halle")]);
        place.run(&["sync"]);
    }
    place.receiver.always(Reply::status(204));
    let (_, said) = place.run(&["sync", "--wait", "90s"]);
    let told: Vec<(u64, String)> = place
        .events()
        .iter()
        .map(|event| {
            let data = &event["data"];
            let start = data["start"].as_str().unwrap().to_owned();
            (data["revision"].as_u64().unwrap(), start)
        })
        .collect();
    let expected = [(1, "18:00"), (2, "19:00"), (3, "20:00")];
    let expected = expected.map(|(revision, hour)| (revision, format!("2027-01-09T{hour}")));
    assert_eq!(told, expected, "{said}");
}

#[test]
fn a_refused_secret_is_not_tried_again_until_it_is_replaced() {
    let place = Place::new();
    place.receiver.always(Reply::status(401));
    for n in 1..10 {
        place.sheet(&lines(n));
        let (exit, said) = place.run(&["sync"]);
        assert_eq!(exit, Exit::Done, "{said}");
    }
    let tried = place.receiver.writes().len();
    assert!(tried <= 3, "it was asked {tried} times");
    place.receiver.always(Reply::status(204));
    place.write("secret", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
    let (exit, said) = place.run(&["sync"]);
    assert_eq!((exit, place.received()), (Exit::Done, 9), "{said}");
    assert_eq!(titles(&place).len(), 9);
}

#[test]
fn why_leads_from_what_was_sent_to_the_cell_behind_it() {
    let place = Place::new();
    place.sheet(&lines(3));
    place.run(&["sync"]);
    place.sheet(&[
        lines(3)[0].replace("Halle", "Grand hangar"),
        lines(3)[1].clone(),
        lines(3)[2].clone(),
    ]);
    let sync = place.json(&["sync"]);
    let delivery = sync["effects"][0]["delivery"].as_str().unwrap();
    let why = place.json(&["why", delivery]);
    let chain = why["chain"].as_array().unwrap();
    let kinds: Vec<&str> = chain
        .iter()
        .map(|step| step["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds.first(), Some(&"effect"), "{why}");
    assert_eq!(kinds.last(), Some(&"cell"), "{why}");
    let cell = chain.last().unwrap()["text"].as_str().unwrap();
    for said in ["Halle", "Grand hangar", "D2"] {
        assert!(cell.contains(said), "{cell}");
    }
    let (exit, _) = place.run(&["why", "https://elsewhere.example.org/7"]);
    assert_eq!(exit, Exit::Failed);
}
