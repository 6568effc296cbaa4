//! `plan` shows and touches nothing; the pass after it does exactly what it showed.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Place, lines};
use raccord::report::Exit;
use serde_json::Value;

const SITE: &str = "[connectors.site]\nkind = 'website'\noutput = 'out/site'\n";

/// What each effect is, without the names its delivery gets.
fn told(answer: &Value) -> Vec<String> {
    let mut list: Vec<String> = answer["effects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|effect| {
            let of = |key: &str| effect[key].as_str().unwrap_or_default().to_owned();
            [of("connector"), of("entity"), of("action"), of("title")].join(" ")
        })
        .collect();
    list.sort();
    list
}

#[test]
fn a_plan_writes_and_asks_nothing_and_the_pass_after_it_does_exactly_that() {
    let place = Place::with(SITE);
    let mut sheet = lines(6);
    for edit in 0..3 {
        place.sheet(&sheet);
        let (files, asked) = (place.files(), place.receiver.seen().len());
        let plan = place.json(&["plan"]);
        assert!(!told(&plan).is_empty());
        assert!(place.files() == files, "the plan wrote a file");
        assert_eq!(
            place.receiver.seen().len(),
            asked,
            "the plan asked the tool"
        );
        assert_eq!(told(&place.json(&["sync"])), told(&plan), "edit {edit}");
        assert_eq!(told(&place.json(&["plan"])), Vec::<String>::new());
        sheet[edit] = sheet[edit].replace("20:30", "19:00");
    }
}

#[test]
fn a_plan_that_was_kept_stops_when_something_moved_meanwhile() {
    let place = Place::with(SITE);
    let file = place.folder.path().join("plan.json");
    let file = file.to_str().unwrap();
    place.sheet(&lines(3));
    place.run(&["plan", "--out", file]);
    place.sheet(&lines(4));
    let (exit, said) = place.run(&["sync", "--plan", file]);
    assert_eq!((exit, place.received()), (Exit::Failed, 0), "{said}");
    assert!(
        said.contains("“Ciné-club 3”") || said.contains("Ciné-club 3"),
        "{said}"
    );
    place.sheet(&lines(3));
    let (exit, said) = place.run(&["sync", "--plan", file]);
    assert_eq!((exit, place.received()), (Exit::Done, 3), "{said}");
}
