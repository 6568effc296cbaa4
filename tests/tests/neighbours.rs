//! Two real places: what one marks as shared is seen around the other, as the first one's, for as long
//! as it is shared, and nowhere it was not asked for.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::collections::BTreeSet;
use std::time::Duration;

use raccord_tests::place::Place;
use raccord_tests::receiver::Receiver;
use raccord_tests::shown::Shown;
use serde_json::Value;

const HEADER: &str = "Date,Heure,Titre,Type,Salle,Contact,Statut,Public,Partagé\n";

fn settings(id: &str, name: &str, more: &str) -> String {
    format!(
        "[place]\nid = \"{id}\"\nname = \"{name}\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\ndata = \"data\"\n\
         [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"p.csv\"\n\
         [connectors.site]\nkind = \"website\"\noutput = \"site\"\nbase_url = \"https://{id}.example.org/\"\n\
         [connectors.paper]\nkind = \"programme\"\noutput = \"paper\"\n\
         [guards]\nsecond_look = \"0s\"\n{more}"
    )
}

fn neighbour(shown: &Shown) -> String {
    format!(
        "[connectors.le-jardin]\nkind = \"neighbour\"\nname = \"Le Jardin\"\nurl = \"{}\"\n",
        shown.url("shared.json")
    )
}

fn write(place: &Place, lines: &[&str]) {
    place
        .save(
            "p.csv",
            format!("{HEADER}{}\n", lines.join("\n")).as_bytes(),
        )
        .unwrap();
}

fn sync(place: &Place) -> Value {
    let answer = place.run(&["sync"]).unwrap();
    assert_eq!(answer.code, 0, "{} {}", answer.json, answer.stderr);
    answer.json
}

fn read(place: &Place, path: &str) -> String {
    std::fs::read_to_string(place.path(path)).unwrap_or_default()
}

/// Everything a place shows but its page around, in which `text` stands.
fn elsewhere(place: &Place, text: &str) -> BTreeSet<String> {
    let site = place.path("site");
    let mut found = BTreeSet::new();
    let mut folders = vec![site.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if String::from_utf8_lossy(&std::fs::read(&path).unwrap()).contains(text) {
                found.insert(path.strip_prefix(&site).unwrap().display().to_string());
            }
        }
    }
    found
}

const BAL: &str = "09/01/2027,18h30,Bal du Jardin,Concert,Serre,canari@example.org,,Public,oui";
const ATELIER: &str = "10/01/2027,10h,Atelier du Jardin,Atelier,,,,Public,x";
const REUNION: &str = "11/01/2027,18h,Réunion du Jardin,Réunion,,,,Public,";

/// Le Jardin with its site on the web, and La Raffinerie, which reads what it shares.
fn two() -> (Place, Shown, Place) {
    let jardin = Place::new(&settings("jardin", "Le Grand Jardin des Autres", "")).unwrap();
    write(&jardin, &[BAL, ATELIER, REUNION]);
    sync(&jardin);
    let shown = Shown::start(&jardin.path("site")).unwrap();
    let ours = Place::new(&settings("raffinerie", "La Raffinerie", &neighbour(&shown))).unwrap();
    write(
        &ours,
        &["12/01/2027,20h,Chorale,Concert,Halle,,,Public,oui"],
    );
    (jardin, shown, ours)
}

#[test]
fn what_a_place_shares_is_seen_around_it_and_leaves_when_it_is_taken_back() {
    let (jardin, shown, ours) = two();
    sync(&ours);
    let around = read(&ours, "site/around.html");
    for part in [
        "Bal du Jardin",
        "Atelier du Jardin",
        "Le Jardin · Serre",
        "https://jardin.example.org/activities/",
    ] {
        assert!(around.contains(part), "{part}: {around}");
    }
    for not in ["Réunion du Jardin", "Chorale", "canari", "Autres"] {
        assert!(!around.contains(not), "{not}");
    }
    assert_eq!(
        elsewhere(&ours, "du Jardin"),
        BTreeSet::from(["around.html".to_owned()])
    );
    assert!(
        read(&ours, "site/shared.json").contains("Chorale"),
        "what we share is ours"
    );
    let printed = ours.run(&["plan"]).unwrap();
    assert_eq!(printed.json["effects"].as_array().map(Vec::len), Some(0));

    // Where it came from.
    let shared: Vec<Value> = ours.events().unwrap();
    let bal = shared
        .iter()
        .find(|event| event["data"]["title"] == "Bal du Jardin")
        .unwrap();
    assert!(bal["data"].get("contact").is_none());
    let why = ours
        .say(&["why", bal["subject"].as_str().unwrap()])
        .unwrap();
    assert!(why.contains("le partage avec son réseau"), "{why}");
    assert!(
        why.contains("https://jardin.example.org/activities/"),
        "{why}"
    );

    let there = bal["data"]["url"].as_str().unwrap();
    let by_address = ours.say(&["why", there]).unwrap();
    let chain = |text: &str| text.split_once('\n').unwrap().1.to_owned();
    assert_eq!(
        chain(&by_address),
        chain(&why),
        "as the link on the page names it"
    );

    // Nothing new is not sent again.
    let before = shown.sent();
    sync(&ours);
    assert_eq!(shown.sent(), (before.0, before.1 + 1));

    let leaves = |lines: &[&str], title: &str| {
        write(&jardin, &[BAL, ATELIER, REUNION]);
        sync(&jardin);
        sync(&ours);
        assert!(read(&ours, "site/around.html").contains(title));
        write(&jardin, lines);
        sync(&jardin);
        sync(&ours);
        let around = read(&ours, "site/around.html");
        assert!(!around.contains(title), "{title}: {lines:?}");
        assert_eq!(
            around.contains("Atelier"),
            lines.iter().any(|line| line.ends_with(",x"))
        );
    };
    let unmarked = BAL.replace(",oui", ",non");
    let internal = BAL.replace("Public", "Interne");
    let cancelled = BAL.replace(",,Public", ",Annulé,Public");
    for changed in [&unmarked, &internal, &cancelled] {
        leaves(&[changed, ATELIER, REUNION], "Bal du Jardin");
    }
    leaves(&[ATELIER, REUNION], "Bal du Jardin");
    // The last ones too: then the list says that it means it.
    leaves(
        &[&unmarked, &ATELIER.replace(",x", ","), REUNION],
        "Bal du Jardin",
    );
    assert!(!ours.path("site/around.html").exists());
}

#[test]
fn a_neighbour_in_trouble_changes_nothing_and_fails_nothing() {
    let (_jardin, shown, ours) = two();
    // Before anything was ever read of it, our own site is made all the same.
    shown.gone(true);
    let answer = sync(&ours);
    assert!(
        answer["unread"].as_array().is_none_or(Vec::is_empty),
        "{answer}"
    );
    assert!(
        answer["warnings"].to_string().contains("le-jardin"),
        "{answer}"
    );
    assert!(read(&ours, "site/index.html").contains("Chorale"));
    shown.gone(false);
    sync(&ours);
    let known = read(&ours, "site/around.html");
    assert!(known.contains("Bal du Jardin"));
    let empty = "{\"format\":\"raccord-shared-1\",\"place\":{\"id\":\"jardin\",\"name\":\"x\"},\
                 \"generated\":\"2027-01-01T00:00:00Z\",\"activities\":[]}";
    for trouble in [
        ("200 OK", ""),
        ("200 OK", "<!doctype html><title>Connexion</title>"),
        ("200 OK", empty),
        ("200 OK", "{\"format\":\"raccord-shared-1\",\"activ"),
        ("200 OK", "{\"format\":\"raccord-shared-9\"}"),
        ("404 Not Found", ""),
        ("410 Gone", ""),
        ("503 Service Unavailable", ""),
    ] {
        shown.instead(Some(trouble));
        sync(&ours);
        sync(&ours);
        assert_eq!(read(&ours, "site/around.html"), known, "{trouble:?}");
    }
}

#[test]
fn a_place_that_parts_takes_its_offers_with_it() {
    let (_jardin, shown, ours) = two();
    sync(&ours);
    assert!(ours.path("site/around.html").exists());
    let section = neighbour(&shown);
    ours.configure(|config| config.replace(&section, ""))
        .unwrap();
    sync(&ours);
    assert!(!ours.path("site/around.html").exists());
    assert!(elsewhere(&ours, "du Jardin").is_empty());
}

#[test]
fn another_program_hears_of_it_once_a_route_names_where_it_comes_from() {
    let (jardin, _shown, ours) = two();
    let receiver = Receiver::start().unwrap();
    let hook = format!(
        "[connectors.hook]\nkind = \"webhook\"\nurl = \"http://{}/in\"\n",
        receiver.address
    );
    ours.configure(|config| config + &hook).unwrap();
    sync(&ours);
    let titles = || -> BTreeSet<String> {
        let received = receiver.received();
        let events = received.values().flatten();
        let events = events.map(|body| serde_json::from_slice::<Value>(body).unwrap());
        let activities =
            events.filter(|event| event["type"].as_str().unwrap().contains("activity"));
        activities
            .map(|event| event["data"]["title"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(titles(), BTreeSet::from(["Chorale".to_owned()]));
    let route =
        "[[routes]]\nto = \"hook\"\nwhen = { entity = \"activity\", origin = \"le jardin\" }\n";
    ours.configure(|config| config + route).unwrap();
    // What is told from now on.
    ours.save(
        "p.csv",
        format!("{HEADER}12/01/2027,21h,Chorale tardive,Concert,Halle,,,Public,\n").as_bytes(),
    )
    .unwrap();
    write(&jardin, &[&BAL.replace("18h30", "19h30"), ATELIER, REUNION]);
    sync(&jardin);
    sync(&ours);
    let expected = ["Bal du Jardin", "Chorale", "Chorale tardive"];
    assert_eq!(titles(), expected.map(str::to_owned).into());
}

#[test]
fn a_third_place_is_offered_nothing_that_came_from_another() {
    let (_jardin, _shown, ours) = two();
    sync(&ours);
    let relay = Shown::start(&ours.path("site")).unwrap();
    let third = Place::new(&settings(
        "friche",
        "La Friche",
        &format!(
            "[connectors.la-raffinerie]\nkind = \"neighbour\"\nname = \"La Raffinerie\"\nurl = \"{}\"\n",
            relay.url("shared.json")
        ),
    ))
    .unwrap();
    write(&third, &["12/01/2027,20h,Veillée,,,,,Public,"]);
    sync(&third);
    let around = read(&third, "site/around.html");
    assert!(
        around.contains("Chorale") && !around.contains("du Jardin"),
        "{around}"
    );
}

#[test]
fn kills_while_it_is_read_lose_nothing_and_double_nothing() {
    let (jardin, _shown, ours) = two();
    for round in 0..8_u64 {
        let moved = BAL.replace("18h30", &format!("{}h", 10 + round));
        write(&jardin, &[&moved, ATELIER, REUNION]);
        sync(&jardin);
        let mut daemon = ours.start().unwrap();
        std::thread::park_timeout(Duration::from_millis(60 + 70 * round));
        daemon.kill().unwrap();
        daemon.wait().unwrap();
    }
    sync(&ours);
    let around = read(&ours, "site/around.html");
    assert_eq!(around.matches("<p class=\"title\">").count(), 2, "{around}");
    assert!(around.contains("17\u{202f}h"), "the last hour it was given");
    let events = ours.events().unwrap();
    let created: Vec<&Value> = events
        .iter()
        .filter(|event| event["type"] == "org.raccord.activity.created.v1")
        .filter(|event| event["data"]["origin"] == "Le Jardin")
        .collect();
    assert_eq!(created.len(), 2, "each came once");
}
