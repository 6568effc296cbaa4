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

#[test]
fn a_hold_lists_what_its_reason_counts() {
    let place = Place::with(AT_ONCE);
    let mut sheet = lines(12);
    place.sheet(&sheet);
    place.run(&["sync"]);
    // One that is cancelled already goes without a word.
    sheet.remove(11);
    place.sheet(&sheet);
    place.run(&["sync"]);
    sheet.insert(0, "Déjà passé,2026-12-01,20:30,Halle".to_owned());
    place.sheet(&sheet);
    place.run(&["sync"]);
    place.sheet(&sheet[9..]);
    let held = place.json(&["sync"]);
    let hold = &held["holds"][0];
    let listed = count(hold, "effects");
    assert!(
        hold["reason"]
            .as_str()
            .unwrap()
            .starts_with(&format!("{listed} of ")),
        "{hold:#}"
    );
    assert_eq!(listed, 8);
}

#[test]
fn questions_open_together_with_the_hold_and_close_with_an_undo() {
    let place = Place::with(AT_ONCE);
    let sheet = include_str!("../../../tests/samples/programme.csv");
    place.write("programme.csv", sheet);
    place.run(&["sync"]);
    // A week later: some meetings of a series could be one another.
    let later = sheet.lines().map(|line| {
        let moved = line.split_once(',').and_then(|(day, rest)| {
            let day: jiff::civil::Date = day.parse().ok()?;
            let day = day.saturating_add(jiff::ToSpan::days(7));
            Some(format!("{day},{rest}"))
        });
        moved.unwrap_or_else(|| line.to_owned())
    });
    place.write("programme.csv", &later.collect::<Vec<_>>().join("\n"));
    let held = place.json(&["sync"]);
    assert_eq!(count(&held, "effects"), 0);
    let holds = count(&held, "holds");
    let mass = held["holds"]
        .as_array()
        .unwrap()
        .iter()
        .find(|hold| hold["code"] == "accident-guard")
        .unwrap()
        .clone();
    let told = format!("To accept here: {};", count(&mass, "effects"));
    assert!(mass["reason"].as_str().unwrap().contains(&told), "{mass:#}");
    assert!(holds > 1, "{held:#}");
    place.run(&["approve", mass["id"].as_str().unwrap()]);
    let after = place.json(&["holds"]);
    assert_eq!(
        after.as_array().unwrap().len(),
        holds - 1,
        "{held:#}\n{after:#}"
    );
    place.write("programme.csv", sheet);
    place.run(&["sync"]);
    for hold in place.json(&["holds"]).as_array().unwrap() {
        assert_ne!(hold["code"], "same-activity", "{hold:#}");
    }
}
