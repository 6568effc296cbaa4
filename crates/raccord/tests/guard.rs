//! What looks like an accident in a sheet: two looks, and the question that waits for a yes.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Place, lines};
use raccord::report::Exit;
use serde_json::{Value, json};

const AT_ONCE: &str = "[guards]\nsecond_look = '0s'\n";

fn count(answer: &Value, key: &str) -> usize {
    answer[key].as_array().unwrap().len()
}

#[test]
fn an_emptied_sheet_waits_for_a_yes_and_an_undo_closes_the_question() {
    let place = Place::with(AT_ONCE);
    place.sheet(&lines(40));
    place.run(&["sync"]);
    assert_eq!(place.received(), 40);
    // Two lines are left: a sheet with none is no reading at all.
    place.sheet(&lines(2));
    let held = place.json(&["sync"]);
    assert_eq!((count(&held, "effects"), count(&held, "holds")), (0, 1));
    place.sheet(&lines(40));
    let undone = place.json(&["sync"]);
    assert_eq!((count(&undone, "effects"), count(&undone, "holds")), (0, 0));
    assert_eq!(place.received(), 40);

    place.sheet(&lines(2));
    let held = place.json(&["sync"]);
    assert_eq!(count(&held["holds"][0], "effects"), 38);
    let (exit, said) = place.run(&["approve", held["holds"][0]["id"].as_str().unwrap()]);
    assert_eq!((exit, place.received()), (Exit::Done, 78), "{said}");
    let events = place.events();
    let cancelled = events.iter().skip(40);
    assert!(
        cancelled
            .map(|event| &event["type"])
            .all(|kind| *kind == "org.raccord.activity.cancelled.v1")
    );
}

#[test]
fn a_line_is_cancelled_by_the_second_look_that_misses_it() {
    let place = Place::new();
    place.sheet(&lines(10));
    place.run(&["sync"]);
    place.sheet(&lines(9));
    let first = place.json(&["sync"]);
    assert_eq!((count(&first, "effects"), count(&first, "missing")), (0, 1));
    place.sheet(&lines(10));
    let back = place.json(&["sync"]);
    assert_eq!((count(&back, "effects"), count(&back, "missing")), (0, 0));
    place.sheet(&lines(9));
    place.run(&["sync"]);
    place.at("2027-01-02T08:05:00Z");
    let second = place.json(&["sync"]);
    assert_eq!(
        second["effects"][0]["title"],
        json!("Chorale 9"),
        "{second}"
    );
    assert_eq!(place.received(), 11);
}
