//! Somebody asks to be forgotten: what was known is shown, then no byte of it is left, no reading and no
//! old backup brings it back, and receivers are told.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::net::SocketAddr;
use std::path::Path;

use raccord_bus::jetstream::servers::{Server, Version, free_port};
use raccord_tests::place::Place;
use raccord_tests::receiver::{Received, Receiver};
use raccord_tests::wire;
use raccord_tests::working::{PATIENCE, TOKEN, Working};
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

/// What is known of one person beside their address.
const CANARIES: [&str; 6] = [
    EMAIL,
    PHONE,
    "Ana Canari",
    "CARD-77-CANARY",
    "canary_in_chat",
    "appelez Canary-la-douce",
];

/// Takes an event, as another program posts it.
fn post(working: &Working, kind: &str, subject: &str, data: &Value) {
    let event = serde_json::json!({
        "specversion": "1.0", "id": format!("{kind} {subject}"), "source": "/t",
        "type": format!("org.raccord.{kind}.v1"), "subject": subject, "data": data,
    });
    let bearer = format!("Bearer {TOKEN}");
    let headers = [
        ("Content-Type", "application/cloudevents+json"),
        ("Authorization", bearer.as_str()),
    ];
    let port = working.address().port();
    let body = event.to_string();
    // A node takes a moment until it works for a place.
    working.until("it is not taken", || {
        let call = wire::call(port, "POST", "/v1/events", &headers, body.as_bytes());
        let (status, said) = call.unwrap();
        let said = String::from_utf8_lossy(&said);
        assert!(matches!(status, 202 | 503), "{status}: {said}");
        status == 202
    });
}

/// A place with sign-ups whose log lies where `bus` says.
fn known_to_all(bus: &str, address: SocketAddr, receiver: &Receiver) -> anyhow::Result<Place> {
    Place::new(&format!(
        "[place]\nid = \"lieu\"\nname = \"Le lieu\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\ndata = \"data\"\n{bus}\
         [web]\nlisten = \"{address}\"\nadmin_token = \"{TOKEN}\"\n\
         [connectors.hands]\nkind = \"signup\"\n\
         [connectors.hook]\nkind = \"webhook\"\nurl = \"http://{}/in\"\n",
        receiver.address
    ))
}

/// Somebody is known by everything there is, and asks to be forgotten. `server` holds the log, where
/// the place's folder does not. Gives the place, at rest, and a backup from before.
fn leaves_no_byte(bus: &str, server: Option<&Path>) -> (Place, String) {
    let receiver = Receiver::start().unwrap();
    let working = Working::start(|address| known_to_all(bus, address, &receiver)).unwrap();
    let place = &working.place;
    post(
        &working,
        "person.created",
        "ana",
        &serde_json::json!({
            "email": EMAIL, "name": "Ana Canari", "phone": PHONE, "told": "mail", "likes": ["bar"],
            "identities": {
                "caisse": { "id": "CARD-77-CANARY", "confirmed": true },
                "salon": { "id": "canary_in_chat", "confirmed": true },
            },
        }),
    );
    let bal = serde_json::json!({ "title": "Bal", "start": "2026-12-19T20:00", "credits": 200 });
    post(&working, "activity.created", "bal", &bal);
    let events = place.events().unwrap();
    let made = events.iter().find(|it| it["data"]["title"] == "Bal");
    let bal = made.unwrap()["subject"].clone();
    let sign_up = serde_json::json!({
        "activity": bal, "email": EMAIL, "name": "Ana Canari", "state": "attended",
        "comment": "appelez Canary-la-douce",
    });
    post(&working, "registration.created", "r1", &sign_up);
    // Somebody else of the same name stays who they are.
    let other = serde_json::json!({ "email": "other@example.org", "name": "Ana Canari" });
    post(&working, "person.created", "other", &other);
    let told = receiver.wait(PATIENCE, |received| {
        let mut bodies = received.values().flatten();
        bodies.any(|body| String::from_utf8_lossy(body).contains("org.raccord.credit."))
    });
    assert!(told, "the credit was not given");

    // What is known is shown whole.
    let export = place.run(&["person", "export", EMAIL]).unwrap();
    let text = export.json.to_string();
    for part in CANARIES
        .into_iter()
        .chain(["told", "likes", "attended", "amount", "Bal"])
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let old = place.path("old.backup").display().to_string();
    assert_eq!(place.run(&["backup", &old]).unwrap().code, 0);
    let data = place.path("data");
    let log = server.unwrap_or(&data);
    assert!(!files_with(log, &CANARIES).is_empty(), "the test can see");

    let forgotten = place.run(&["person", "forget", EMAIL]).unwrap();
    assert_eq!(forgotten.code, 0, "{}", forgotten.stderr);
    assert_eq!(place.run(&["person", "export", EMAIL]).unwrap().code, 1);
    let other = place
        .run(&["person", "export", "other@example.org"])
        .unwrap();
    assert!(
        other.json.to_string().contains("Ana Canari"),
        "{}",
        other.json
    );
    // Their tool says the same once more: nothing of it is taken again.
    let again = serde_json::json!({ "activity": bal, "email": EMAIL, "state": "registered" });
    post(&working, "registration.updated", "r1", &again);
    let other = ["person", "forget", "other@example.org"];
    assert_eq!(place.run(&other).unwrap().code, 0);

    let fresh = data.join("fresh.backup").display().to_string();
    assert_eq!(place.run(&["backup", &fresh]).unwrap().code, 0);
    std::fs::copy(place.path("daemon.log"), data.join("daemon.log")).unwrap();
    let mut found = files_with(&data, &CANARIES);
    found.extend(
        server
            .map(|server| files_with(server, &CANARIES))
            .unwrap_or_default(),
    );
    assert!(found.is_empty(), "{found:#?}");
    std::fs::remove_file(fresh).unwrap();
    (working.leave().unwrap(), old)
}

/// `place` takes its log back from the backup `old`, with what else was said then, and nobody who was
/// forgotten since: neither to be asked for, nor as a byte where it lies.
fn brings_nobody_back(place: &Place, old: &str, server: Option<&Path>) {
    let restored = place.run(&["restore", old]).unwrap();
    assert_eq!(restored.code, 0, "{}", restored.stderr);
    let events = place.events().unwrap();
    let bal = events.iter().any(|event| event["data"]["title"] == "Bal");
    assert!(bal, "nothing was restored: {events:?}");
    assert_eq!(place.run(&["person", "export", EMAIL]).unwrap().code, 1);
    let mut found = files_with(&place.path("data"), &CANARIES);
    found.extend(
        server
            .map(|server| files_with(server, &CANARIES))
            .unwrap_or_default(),
    );
    assert!(found.is_empty(), "after the old backup: {found:#?}");
}

#[test]
fn whoever_is_known_by_everything_is_forgotten_whole() {
    let (place, old) = leaves_no_byte("", None);
    brings_nobody_back(&place, &old, None);
}

/// The lines of a configuration that lay the log on these servers.
fn cluster(server: &Server, node: &str) -> String {
    let url = server.url();
    format!("bus = \"{url}\"\n[cluster]\nnode = \"{node}\"\n")
}

#[test]
fn whoever_is_known_by_everything_is_forgotten_whole_in_a_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("server");
    let server = Server::start(Version::Present, &store, "");
    let (north, old) = leaves_no_byte(&cluster(&server, "north"), Some(&store));

    // Another machine, which knows who was forgotten from the log alone, gives that log up for the
    // old one; then a third, which knows it from nobody else.
    let receiver = Receiver::start().unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let machine = |name| known_to_all(&cluster(&server, name), address, &receiver).unwrap();
    for place in ["south", "west"].map(machine) {
        brings_nobody_back(&place, &old, Some(&store));
    }

    // The servers are lost with everything on them: what this machine knows is enough.
    let store = folder.path().join("new server");
    let server = Server::start(Version::Present, &store, "");
    let url = format!("bus = \"{}\"", server.url());
    let moved = |config: String| {
        let lines = config.lines().map(|line| match line {
            line if line.starts_with("bus = ") => url.as_str(),
            line => line,
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    north.configure(moved).unwrap();
    brings_nobody_back(&north, &old, Some(&store));
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

#[test]
fn where_nobody_was_forgotten_a_backup_goes_back_to_a_cluster_whole() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Version::Present, &folder.path().join("server"), "");
    let place = Place::new(&format!(
        "[place]\nid = \"lieu\"\nname = \"Le lieu\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\ndata = \"data\"\n{}\
         [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"p.csv\"\n\
         [guards]\nsecond_look = \"0s\"\n",
        cluster(&server, "north")
    ))
    .unwrap();
    place.save("p.csv", sheet("Chorale").as_bytes()).unwrap();
    assert_eq!(place.run(&["sync"]).unwrap().code, 0);
    let saved = place.path("saved").display().to_string();
    assert_eq!(place.run(&["backup", &saved]).unwrap().code, 0);
    let restored = place.run(&["restore", &saved]).unwrap();
    assert_eq!(restored.code, 0, "{}", restored.stderr);
    assert_eq!(place.run(&["person", "export", EMAIL]).unwrap().code, 0);
    let left = place.path("data").join("restoring");
    assert!(!left.exists(), "values stay in the folder");
}
