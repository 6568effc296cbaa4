//! Settings that change while the place is at work: what comes in is taken, what is owed arrives once,
//! and a file with a mistake changes nothing.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use raccord_tests::place::Place;
use raccord_tests::receiver::{Received, Receiver};
use raccord_tests::working::{PATIENCE, TAKEN, TOKEN, Working};
use serde_json::Value;

const REFUSED: &str = "the changed settings are not taken";

/// A place with a sheet and these tools.
fn start(tools: &str) -> Working {
    Working::start(|address| {
        let place = Place::new(&format!(
            "[place]\nid = \"reload\"\nname = \"Avant\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\ndata = \"data\"\n\
             [web]\nlisten = \"{address}\"\nadmin_token_file = \"token\"\n\
             [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"p.csv\"\n\
             [guards]\nsecond_look = \"0s\"\n{tools}"
        ))?;
        place.save("token", TOKEN.as_bytes())?;
        place.save("p.csv", sheet("Chorale").as_bytes())?;
        Ok(place)
    })
    .unwrap()
}

fn sheet(title: &str) -> String {
    format!("Titre,Date,Heure\n{title},02/01/2027,18h30\n")
}

fn hook(name: &str, receiver: &Receiver) -> String {
    format!(
        "[connectors.{name}]\nkind = \"webhook\"\nurl = \"http://{}/in\"\n",
        receiver.address
    )
}

/// Subjects of the events that were received, each once: the same thing under two ids would show.
fn titles(received: &Received) -> Vec<String> {
    let mut titles: Vec<String> = received
        .values()
        .map(|bodies| {
            assert_eq!(
                bodies.len(),
                1,
                "nothing fails here, so nothing is repeated"
            );
            let event: Value = serde_json::from_slice(&bodies[0]).unwrap();
            event["data"]["title"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .filter(|title| title.starts_with("Bal "))
        .collect();
    titles.sort();
    titles
}

#[test]
fn settings_change_under_load_and_every_event_arrives_once() {
    let (always, sometimes) = (Receiver::start().unwrap(), Receiver::start().unwrap());
    always.slow(Duration::from_millis(3));
    let working = start(&hook("always", &always));
    let (stop, accepted) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for sender in 0..3 {
            let (working, stop, accepted) = (&working, &stop, &accepted);
            scope.spawn(move || {
                for number in 0.. {
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                    assert_eq!(
                        working
                            .post("/v1/events", &format!("{sender}-{number:05}"))
                            .unwrap(),
                        202
                    );
                    accepted.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let before = |count| working.until("no load", || accepted.load(Ordering::SeqCst) > count);
        before(20);
        for round in 0..4 {
            let more = hook("sometimes", &sometimes);
            working.change("raccord.toml", TAKEN, |config| config + &more);
            before(accepted.load(Ordering::SeqCst) + 20);
            working.hang_up().unwrap();
            working.change("raccord.toml", TAKEN, |config| {
                config
                    .replace(&more, "")
                    .replace("0s", &format!("{}s", round % 2))
            });
            before(accepted.load(Ordering::SeqCst) + 20);
        }
        stop.store(true, Ordering::SeqCst);
    });
    let accepted = accepted.into_inner();
    assert!(accepted > 100);
    let all = |received: &Received| titles(received).len() >= accepted;
    assert!(always.wait(PATIENCE, all), "{}", working.said());
    let arrived = titles(&always.received());
    assert_eq!(arrived.len(), accepted);
    assert!(arrived.is_sorted_by(|a, b| a < b), "none twice");
    let also = titles(&sometimes.received());
    assert!(!also.is_empty() && also.is_sorted_by(|a, b| a < b));
    working.stop().unwrap();
}

#[test]
fn a_mistake_in_the_file_changes_nothing_and_is_told_until_it_is_mended() {
    let receiver = Receiver::start().unwrap();
    let working = start(&hook("always", &receiver));
    working.change("raccord.toml", REFUSED, |config| {
        config.replace("0s", "soon")
    });
    let (code, ready) = working.get("/readyz").unwrap();
    assert_eq!(code, 200, "the place works with what it knew");
    assert!(ready.contains("configuration-refused"), "{ready}");
    assert_eq!(working.post("/v1/events", "meanwhile").unwrap(), 202);
    assert!(receiver.wait(PATIENCE, |received| !titles(received).is_empty()));

    working.change("raccord.toml", REFUSED, |config| {
        config
            .replace("soon", "0s")
            .replace("id = \"reload\"", "id = \"another\"")
    });
    let said = working.said();
    assert!(said.contains("settings-need-restart"), "{said}");
    assert!(!said.contains(TOKEN));

    working.change("raccord.toml", TAKEN, |config| {
        config
            .replace("id = \"another\"", "id = \"reload\"")
            .replace("Avant", "Après")
    });
    let (_, ready) = working.get("/readyz").unwrap();
    assert!(!ready.contains("configuration-refused"), "{ready}");
    working.until("the page has another name", || {
        working.get("/").unwrap().1.contains("Après")
    });
}

#[test]
fn a_sheet_that_moves_is_read_at_its_new_place_and_keeps_its_activities() {
    let receiver = Receiver::start().unwrap();
    let working = start(&hook("always", &receiver));
    let all = |received: &Received| -> Vec<(String, String)> {
        let event =
            |bodies: &Vec<Vec<u8>>| -> Value { serde_json::from_slice(&bodies[0]).unwrap() };
        let of = |event: Value| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            (text(&event["subject"]), text(&event["data"]["title"]))
        };
        received.values().map(event).map(of).collect()
    };
    let has = |title: &'static str| {
        move |received: &Received| all(received).iter().any(|(_, found)| found == title)
    };
    assert!(receiver.wait(PATIENCE, has("Chorale")));
    let text = sheet("Chorale de quartier");
    working.place.save("moved.csv", text.as_bytes()).unwrap();
    working.change("raccord.toml", TAKEN, |config| {
        config.replace("p.csv", "moved.csv")
    });
    assert!(
        receiver.wait(PATIENCE, has("Chorale de quartier")),
        "{}",
        working.said()
    );
    let text = sheet("Chorale du quartier");
    working.place.save("moved.csv", text.as_bytes()).unwrap();
    assert!(
        receiver.wait(PATIENCE, has("Chorale du quartier")),
        "{}",
        working.said()
    );
    let mut subjects: Vec<String> = all(&receiver.received())
        .into_iter()
        .filter(|(_, title)| title.starts_with("Chorale"))
        .map(|(subject, _)| subject)
        .collect();
    subjects.dedup();
    assert_eq!(subjects.len(), 1, "one activity all along");
}
