//! A tool says that it is gone, or refuses: what a person reads then, and the command that lifts it.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::Place;
use raccord::report::Exit;
use raccord_kit::standin::Reply;
use serde_json::{Value, json};

#[test]
fn a_receiver_that_is_gone_is_named_and_its_queue_goes_once_it_is_switched_on_again() {
    let place = Place::new();
    place.receiver.script([Reply::status(410)]);
    let (exit, said) = place.run(&["sync"]);
    assert_eq!(exit, Exit::Done, "{said}");
    assert!(said.contains("“hook” is switched off"), "{said}");
    assert!(said.contains("raccord retry hook"), "{said}");
    let (_, said) = place.run(&["sync"]);
    assert_eq!(place.receiver.writes().len(), 1, "it was asked again");
    assert!(said.contains("raccord retry hook"), "{said}");
    let (exit, said) = place.run(&["check"]);
    assert_eq!(exit, Exit::Done, "{said}");
    assert!(said.contains("raccord retry hook"), "{said}");
    let plan = place.json(&["plan"]);
    assert_eq!(plan["warnings"][0]["code"], "connector-off", "{plan}");
    assert_eq!(place.received(), 0);

    let (exit, said) = place.run(&["retry", "hook"]);
    assert_eq!(exit, Exit::Done, "{said}");
    assert!(said.contains("“hook” is used again"), "{said}");
    assert_eq!(place.received(), 1, "{said}");
    assert_eq!(place.json(&["plan"])["warnings"], Value::Null);
    assert_eq!(place.json(&["check"]), json!([]));
}

#[test]
fn a_refusal_ends_when_check_finds_the_tool_well_again() {
    let place = Place::new();
    place.receiver.script([Reply::status(403)]);
    let (_, said) = place.run(&["sync"]);
    assert!(said.contains("raccord retry hook"), "{said}");
    let found = place.json(&["check"]);
    assert_eq!(found[0]["code"], "connector-lifted", "{found}");
    assert_eq!(place.json(&["check"]), json!([]));
    let (exit, said) = place.run(&["sync"]);
    assert_eq!((exit, place.received()), (Exit::Done, 1), "{said}");
}

#[test]
fn only_a_tool_that_is_written_can_be_switched_on() {
    let place = Place::new();
    for (name, why) in [("sheet", "is only read"), ("nothing", "knows nothing")] {
        let (exit, said) = place.run(&["retry", name]);
        assert_eq!(exit, Exit::Failed, "{said}");
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn a_place_that_is_not_mute_is_left_as_it_is() {
    let place = Place::new();
    place.run(&["sync"]);
    let (exit, said) = place.run(&["unmute", "--moved"]);
    assert_eq!(exit, Exit::Done);
    assert!(said.contains("was not mute"), "{said}");
    assert_eq!(place.json(&["plan"])["effects"], json!([]));
}
