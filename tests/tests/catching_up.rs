//! A sheet that was kept for years is read for the first time, by a program that is killed over it.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use jiff::ToSpan as _;
use jiff::civil::date;
use raccord_tests::place::Place;
use raccord_tests::receiver::Receiver;
use serde_json::Value;

/// Lines before and after the day the program is first started, one a day.
const EACH: i32 = 150;

fn sheet() -> String {
    let today = date(2026, 12, 20);
    let mut text = String::from("Date,Début,Titre,Salle\n");
    for day in -EACH..EACH {
        let day = today.checked_add((day + 1).days()).unwrap();
        writeln!(text, "{day},20:30,Rencontre du {day},Halle").unwrap();
    }
    text
}

fn config(receiver: &Receiver) -> String {
    format!(
        "[place]\nid = \"reprise\"\nname = \"Reprise\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\ndata = \"data\"\n\
         [web]\nlisten = \"127.0.0.1:0\"\n\
         [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"programme.csv\"\n\
         [connectors.site]\nkind = \"website\"\noutput = \"out/site\"\n\
         [connectors.hook]\nkind = \"webhook\"\nurl = \"http://{}/in\"\n",
        receiver.address
    )
}

/// How often each activity appeared in the log.
fn appeared(place: &Place) -> BTreeMap<String, usize> {
    let mut count = BTreeMap::new();
    for event in place.events().unwrap() {
        assert!(
            event["type"]
                .as_str()
                .unwrap()
                .ends_with("activity.created.v1"),
            "{event}"
        );
        let title = event["data"]["title"].as_str().unwrap().to_owned();
        *count.entry(title).or_default() += 1;
    }
    count
}

#[test]
fn a_first_reading_that_is_killed_and_made_again_gives_each_event_once_and_tells_nothing_of_the_past()
 {
    let receiver = Receiver::start().unwrap();
    let place = Place::new(&config(&receiver)).unwrap();
    place.save("programme.csv", sheet().as_bytes()).unwrap();
    // Some at their start, some over the reading, some with deliveries under way.
    receiver.slow(Duration::from_millis(100));
    for (arrived, most) in [
        (0, 30),
        (0, 120),
        (0, 400),
        (1, 5_000),
        (40, 5_000),
        (90, 5_000),
    ] {
        let mut daemon = place.start().unwrap();
        receiver.wait(Duration::from_millis(most), |received| {
            arrived > 0 && received.len() >= arrived
        });
        daemon.kill().unwrap();
        daemon.wait().unwrap();
    }
    receiver.slow(Duration::ZERO);
    let arrived = receiver.received().len();
    assert!(
        (1..2 * EACH as usize).contains(&arrived),
        "{arrived}: no kill fell into it"
    );

    let mut passes = Vec::new();
    for _ in 0..3 {
        let pass = place.run(&["sync", "--wait", "60s"]).unwrap();
        assert_eq!(pass.code, 0, "{}", pass.stderr);
        passes.push((appeared(&place), receiver.received()));
    }
    let (count, received) = &passes[0];
    assert!(
        passes.iter().all(|pass| pass == &passes[0]),
        "a later pass did something"
    );
    assert_eq!(count.len(), 2 * EACH as usize);
    assert!(count.values().all(|times| *times == 1), "{count:?}");
    // What came twice came under its one id, with the same bytes.
    assert_eq!(received.len(), count.len());
    for bodies in received.values() {
        assert!(bodies.iter().all(|body| body == &bodies[0]));
        let event: Value = serde_json::from_slice(&bodies[0]).unwrap();
        assert!(
            !event["type"].as_str().unwrap().contains("notice"),
            "{event}"
        );
    }
    // And the page for people shows what comes, beside the days of this month, and nothing older.
    let page = std::fs::read_to_string(place.path("out/site/activities.json")).unwrap();
    let page: Value = serde_json::from_str(&page).unwrap();
    let shown = page["activities"].as_array().unwrap();
    let start = |one: &Value| one["start"].as_str().unwrap().to_owned();
    assert!(shown.iter().all(|one| start(one).as_str() >= "2026-12-01"));
    let coming = shown
        .iter()
        .filter(|one| start(one).as_str() >= "2026-12-20");
    assert_eq!(coming.count(), EACH as usize + 1);
}
