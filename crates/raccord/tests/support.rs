//! The support bundle: safe to post in public, and made where things are broken.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fmt::Write as _;

use common::Place;
use raccord::report::Exit;
use raccord_kit::standin::Reply;
use serde_json::{Value, json};

/// What must not leave the place, as it stands in its files.
const CANARIES: [&str; 9] = [
    "canari",
    "whsec_",
    "jeton-secret",
    "0692 12 34 56",
    "0692123456",
    "ruche",
    "halle aux",
    "bal des",
    "example.org",
];

fn place() -> Place {
    let place = Place::with(
        "[guards]\nsecond_look = '0s'\n\
         [connectors.site-de-canari]\nkind = 'website'\noutput = 'out/canari'\nbase_url = 'https://canari.example.org/'\n\
         [[recipes]]\nwhen = { entity = 'activity', kind = 'Réunion de Canari' }\ntasks = [{ title = 'Appeler Canari' }]\n\
         [web]\nadmin_token = 'jeton-secret-canari'\n",
    );
    configure(&place, |config| {
        config
            .replace("'lieu'", "'la-ruche'")
            .replace("'Le lieu'", "'La Ruche de Canari'")
            .replace("[connectors.sheet]", "[connectors.tableau-de-canari]")
            .replace("[connectors.hook]", "[connectors.chez-canari]")
            .replace("'programme.csv'", "'Canari Payet.csv'")
    });
    sheet(&place, 12);
    place
}

fn configure(place: &Place, change: impl FnOnce(String) -> String) {
    let path = place.folder.path().join("raccord.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, change(config)).unwrap();
}

fn sheet(place: &Place, lines: u32) {
    let mut text =
        String::from("Titre,Date,Début,Salle,Organisateur,Contact,Colonne de Canari,Jauge\n");
    for day in 1..=lines {
        writeln!(
            text,
            "Bal des Canaris {day},2027-02-{day:02},20:30,Halle aux Canaris,Canari Payet,canari@example.org 0692 12 34 56,x,beaucoup de Canaris"
        )
        .unwrap();
    }
    place.write("Canari Payet.csv", &text);
}

/// Makes a bundle, and looks for canaries in it.
fn bundle(place: &Place, name: &str) -> (Value, String) {
    let path = place.folder.path().join(name);
    let (exit, said) = place.run(&["support", path.to_str().unwrap()]);
    assert_eq!(exit, Exit::Done, "{said}");
    let text = std::fs::read_to_string(path).unwrap();
    let lower = text.to_lowercase();
    for canary in CANARIES {
        assert!(!lower.contains(canary), "{canary}: {text}");
    }
    (serde_json::from_str(&text).unwrap(), said)
}

#[test]
fn g10_a_bundle_tells_how_the_place_is_and_nothing_anybody_wrote() {
    let place = place();
    let (bundle_before, _) = bundle(&place, "before.json");
    assert_eq!(bundle_before["log"]["empty"], json!(true));
    // One effect is refused for good, cells cannot be read, and a question waits.
    place.receiver.script([Reply::status(400)]);
    place.run(&["sync"]);
    sheet(&place, 2);
    place.run(&["sync"]);

    let (told, said) = bundle(&place, "bundle.json");
    assert!(said.contains("read it through"), "{said}");
    assert_eq!(told["program"]["version"], env!("CARGO_PKG_VERSION"));
    let settings = &told["configuration"]["connectors"];
    assert_eq!(settings["spreadsheet-1"]["location"], "text ending in .csv");
    assert_eq!(settings["website-1"]["base_url"], "https address");
    assert_eq!(told["configuration"]["recipes"], 1);
    let log = &told["log"];
    assert_eq!(log["daemon"], json!(false));
    assert!(log["log"]["entries"].as_u64().unwrap() > 1 && log["bytes"].as_u64().unwrap() > 1000);
    assert_eq!(log["place"]["activities"], 12);
    let (source, hook) = (
        &log["connectors"]["spreadsheet-1"],
        &log["connectors"]["webhook-1"],
    );
    assert_eq!(source["holds"], 1, "{log:#}");
    assert_eq!(source["unread"]["capacity-unreadable"], 2, "{log:#}");
    assert_eq!(hook["health"], "up");
    assert_eq!(hook["dead"]["webhook.rejected"], 1, "{log:#}");

    // A tool that is away, and a source that is gone.
    std::fs::remove_file(place.folder.path().join("Canari Payet.csv")).unwrap();
    place.run(&["sync"]);
    let (told, _) = bundle(&place, "gone.json");
    let source = &told["log"]["connectors"]["spreadsheet-1"];
    assert_eq!(source["failing"]["code"], "spreadsheet.missing", "{told:#}");

    let path = place.folder.path().join("bundle.json");
    let (exit, said) = place.run(&["--lang", "fr", "support", path.to_str().unwrap()]);
    assert_eq!(exit, Exit::Failed);
    assert!(said.contains("rien n’est écrasé"), "{said}");
}

#[test]
fn g10_a_bundle_is_made_of_a_broken_configuration_and_of_a_damaged_log() {
    let place = place();
    place.run(&["sync"]);
    let data = place.folder.path().join("data");
    let log = std::fs::read_dir(&data)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .max_by_key(|path| path.metadata().unwrap().len())
        .unwrap();
    let whole = std::fs::read(&log).unwrap();
    let mut damaged = whole.clone();
    let middle = damaged.len() / 4;
    damaged[..middle].fill(0x55);
    std::fs::write(&log, damaged).unwrap();
    let (told, _) = bundle(&place, "damaged.json");
    assert!(told["log"]["cannot_be_read"].is_object(), "{told:#}");
    std::fs::write(&log, whole).unwrap();

    configure(&place, |config| {
        config + "\n[canari-payet]\ncanari = 'Canari'\n"
    });
    let (told, _) = bundle(&place, "broken.json");
    assert_eq!(told["configuration"]["taken"], json!(false));
    assert_eq!(
        told["configuration"]["mistakes"]["key-unknown"], 1,
        "{told:#}"
    );
    place.write(
        "raccord.toml",
        "canari = = 'https://canari:secret@example.org'\n",
    );
    let (told, _) = bundle(&place, "unreadable.json");
    assert_eq!(told["configuration"]["taken"], json!(false));
}
