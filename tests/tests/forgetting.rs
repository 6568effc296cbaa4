//! Somebody asks to be forgotten: what was known is shown, then no byte of it is left, no reading and no
//! old backup brings it back, and receivers are told.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::path::Path;

use raccord_tests::place::Place;
use raccord_tests::receiver::{Received, Receiver};
use raccord_tests::working::{PATIENCE, Working};
use serde_json::Value;

const EMAIL: &str = "canary.ana@example.org";
const PHONE: &str = "0692998877";

fn sheet(title: &str) -> String {
    format!(
        "Titre,Date,Heure,Contact,Description\n\
         {title},02/01/2027,18h30,Ana Canari <Canary.Ana@example.org> {PHONE},Venez\n\
         Bal,03/01/2027,20h,Bob <bob@example.org>,Dansez\n"
    )
}

fn working(receiver: &Receiver) -> Working {
    Working::start(|address| {
        let place = Place::new(&format!(
            "[place]\nid = \"lieu\"\nname = \"Le lieu\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\ndata = \"data\"\n\
             [web]\nlisten = \"{address}\"\n\
             [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"p.csv\"\n\
             [connectors.hook]\nkind = \"webhook\"\nurl = \"http://{}/in\"\n\
             [guards]\nsecond_look = \"0s\"\n",
            receiver.address
        ))?;
        place.save("p.csv", sheet("Chorale").as_bytes())?;
        Ok(place)
    })
    .unwrap()
}

/// What the receiver knows last of the activity whose title starts so.
fn last(received: &Received, title: &str) -> Option<Value> {
    let events = received
        .values()
        .map(|bodies| -> Value { serde_json::from_slice(&bodies[0]).unwrap() });
    events
        .filter(|event| {
            event["data"]["title"]
                .as_str()
                .is_some_and(|it| it.starts_with(title))
        })
        .max_by_key(|event| event["data"]["revision"].as_u64())
}

/// Files under `folder` in which one of these stands, whatever its case.
fn files_with(folder: &Path, needles: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, needles));
        } else if let Ok(bytes) = std::fs::read(&path) {
            let bytes = bytes.to_ascii_lowercase();
            let holds = |needle: &&&str| {
                let needle = needle.to_lowercase();
                bytes
                    .windows(needle.len())
                    .any(|part| part == needle.as_bytes())
            };
            let held = needles.iter().filter(holds);
            found.extend(held.map(|needle| format!("{}: {needle}", path.display())));
        }
    }
    found
}

#[test]
fn who_asks_to_be_forgotten_leaves_no_byte_and_does_not_come_back() {
    let receiver = Receiver::start().unwrap();
    let working = working(&receiver);
    let place = &working.place;
    // Each has a lane of its own: either may be the first.
    let all = |received: &Received| {
        ["Bal", "Chorale"].map(|it| last(received, it).is_some()) == [true; 2]
    };
    assert!(receiver.wait(PATIENCE, all));
    let known = |received: &Received| {
        let event = last(received, "Chorale")?;
        Some(event["data"].get("contact").is_some())
    };
    assert_eq!(known(&receiver.received()), Some(true));
    let old = place.path("old.backup").display().to_string();
    let saved = place.run(&["backup", &old]).unwrap();
    assert_eq!(saved.code, 0, "{}", saved.stderr);
    let data = place.path("data");
    assert!(!files_with(&data, &[EMAIL]).is_empty(), "the test can see");

    let export = place.run(&["person", "export", EMAIL]).unwrap();
    let listed = &export.json["known"][0];
    assert_eq!(
        (listed["title"].as_str(), listed["field"].as_str()),
        (Some("Chorale"), Some("contact"))
    );
    assert!(listed["value"].as_str().unwrap().contains(PHONE));
    assert_eq!(
        export.json["known"].as_array().unwrap().len(),
        1,
        "{}",
        export.json
    );
    assert_eq!(
        place
            .run(&["person", "export", "nobody@example.org"])
            .unwrap()
            .code,
        1
    );
    assert_eq!(
        place.run(&["person", "forget", "Ana"]).unwrap().code,
        2,
        "no address"
    );

    let forgotten = place.run(&["person", "forget", EMAIL]).unwrap();
    assert_eq!(forgotten.code, 0, "{}", forgotten.stderr);
    assert!(
        receiver.wait(PATIENCE, |received| known(received) == Some(false)),
        "they are told"
    );
    assert_eq!(place.run(&["person", "export", EMAIL]).unwrap().code, 1);
    let bob = place.run(&["person", "export", "bob@example.org"]).unwrap();
    assert_eq!(bob.code, 0, "nobody else is forgotten");

    // The line changes otherwise, and still says who.
    place
        .save("p.csv", sheet("Chorale du soir").as_bytes())
        .unwrap();
    let renamed = |received: &Received| last(received, "Chorale du soir").is_some();
    assert!(receiver.wait(PATIENCE, renamed));
    assert_eq!(known(&receiver.received()), Some(false));
    let fresh = data.join("fresh.backup").display().to_string();
    let saved = place.run(&["backup", &fresh]).unwrap();
    assert_eq!(saved.code, 0, "{}", saved.stderr);
    std::fs::copy(place.path("daemon.log"), data.join("daemon.log")).unwrap();
    let bytes = files_with(&data, &[EMAIL, PHONE, "Ana Canari"]);
    assert!(bytes.is_empty(), "{bytes:?}");
    std::fs::remove_file(fresh).unwrap();
    std::fs::remove_file(data.join("daemon.log")).unwrap();

    // Not even a backup from before.
    let place = working.leave().unwrap();
    let restored = place.run(&["restore", &old]).unwrap();
    assert_eq!(restored.code, 0, "{}", restored.stderr);
    assert_eq!(place.run(&["person", "export", EMAIL]).unwrap().code, 1);
    let bytes = files_with(&data, &[EMAIL, PHONE, "Ana Canari"]);
    assert!(bytes.is_empty(), "{bytes:?}");
}

#[test]
fn forgetting_works_without_a_daemon_and_says_what_is_left_to_do() {
    let place = Place::new(
        "[place]\nid = \"lieu\"\nname = \"Le lieu\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\ndata = \"data\"\n\
         [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"p.csv\"\n\
         [guards]\nsecond_look = \"0s\"\n",
    )
    .unwrap();
    let text = sheet("Chorale").replace("Venez", "Venez avec canary.ana@example.org !");
    place.save("p.csv", text.as_bytes()).unwrap();
    assert_eq!(place.run(&["sync"]).unwrap().code, 0);
    let said = place.say(&["person", "forget", EMAIL]).unwrap();
    for part in [
        "contact",
        "description",
        "effacez-y",
        "journal",
        "sauvegardes",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains(PHONE), "{said}");
    let export = place.run(&["person", "export", EMAIL]).unwrap();
    let fields = export.json["known"].as_array().unwrap();
    assert_eq!(
        fields.len(),
        1,
        "what is public stays until the sheet is corrected"
    );
    assert_eq!(fields[0]["field"], "description");
    let nobody = place
        .say(&["person", "forget", "nobody@example.org"])
        .unwrap();
    assert!(nobody.contains("on ne savait rien"), "{nobody}");
}
