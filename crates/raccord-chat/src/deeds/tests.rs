//! What somebody is told of their sign-up.

#![allow(clippy::unwrap_used, reason = "tests")]

use jiff::civil::date;
use serde_json::json;

use super::*;

fn entity(kind: EntityKind, fields: Value) -> Entity {
    Entity {
        id: EntityId::derive(&[kind.as_str().as_bytes()]),
        kind,
        revision: 1,
        source: "test".to_owned(),
        fields: serde_json::from_value(fields).unwrap(),
    }
}

/// What is said of a sign-up for the bar on Saturday, by when it is due now, and what moved.
fn said(state: &str, due: &str, before: Value, position: Option<u32>) -> (String, Value) {
    let place = raccord_kit::testing::kit().place;
    let context = Context {
        place: &place,
        lang: Lang::Fr,
        today: date(2027, 1, 2),
        route: None,
    };
    let registration = entity(EntityKind::Registration, json!({ "state": state }));
    let party = entity(
        EntityKind::Activity,
        json!({ "title": "Bal", "start": "2027-01-09T20:00", "zone": "Indian/Reunion" }),
    );
    let bar = entity(EntityKind::Task, json!({ "title": "Bar", "due": due }));
    let before: Fields = serde_json::from_value(before).unwrap();
    let view = mine(
        &Saying::Mine {
            to: "anna",
            registration: &registration,
            subject: &bar,
            activity: Some(&party),
            before: Some(&before).filter(|before| !before.is_empty()),
            position,
            times: 1,
        },
        &context,
    )
    .unwrap();
    (
        view["said"].as_str().unwrap().to_owned(),
        view["changes"].clone(),
    )
}

/// What was told before of a sign-up in this state.
fn told(state: &str) -> Value {
    json!({
        "state": state, "status": "confirmed", "start": "2027-01-09T20:00",
        "due": "2027-01-09T18:00",
    })
}

#[test]
fn who_signed_off_and_comes_again_is_told_as_if_for_the_first_time() {
    let (said_again, changes) = said("registered", "2027-01-09T18:00", told("cancelled"), None);
    assert_eq!(said_again, "Vous avez une place\u{a0}:");
    assert_eq!(changes, json!([]));
    let (waits, _) = said("waitlisted", "2027-01-09T18:00", told("cancelled"), Some(2));
    assert_eq!(
        waits,
        "Vous êtes sur la liste d’attente, en position 2\u{a0}:"
    );
}

#[test]
fn a_place_on_the_list_that_nobody_counted_is_not_called_the_first() {
    let (waits, _) = said("waitlisted", "", json!({}), None);
    assert_eq!(waits, "Vous êtes sur la liste d’attente\u{a0}:");
}

#[test]
fn when_a_task_is_due_otherwise_both_hours_are_said() {
    let (changed, changes) = said("registered", "2027-01-09T17:00", told("registered"), None);
    assert_eq!(changed, "Cela a changé\u{a0}:");
    let [change] = &changes.as_array().unwrap()[..] else {
        panic!("{changes}")
    };
    assert_eq!(change["what"], "Quand");
    let (before, after) = (change["before"].to_string(), change["after"].to_string());
    assert!(before.contains("18") && after.contains("17"), "{changes}");
    assert_ne!(before, after);
}
