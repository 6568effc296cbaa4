//! Several places in one process, from a folder of settings: each at its own address, one with a
//! mistake keeps nobody from work, one that comes is started, one that goes is ended.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::net::SocketAddr;

use raccord_tests::place::Place;
use raccord_tests::working::{TAKEN, TOKEN, Working};
use serde_json::{Value, json};

fn settings(id: &str, name: &str, more: &str) -> String {
    format!(
        "[place]\nid = \"{id}\"\nname = \"{name}\"\ntimezone = \"Europe/Paris\"\nlanguage = \"fr\"\ndata = \"../data/{id}\"\n\
         [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"../{id}.csv\"\n\
         [connectors.site]\nkind = \"website\"\noutput = \"../out/{id}\"\n\
         [guards]\nsecond_look = \"0s\"\n{more}"
    )
}

fn web(address: SocketAddr) -> String {
    format!("[web]\nlisten = \"{address}\"\nadmin_token_file = \"../token\"\n")
}

fn sheet(title: &str) -> String {
    format!("Titre,Date,Heure\n{title},02/01/2027,18h30\n")
}

/// A café and a hall at work, and a file that cannot be used.
fn working() -> Working {
    Working::start(|address| {
        let web = web(address);
        let place = Place::several(&[
            ("cafe.toml", settings("cafe", "Le café", &web)),
            ("halle.toml", settings("halle", "La halle", "")),
            ("broken.toml", "[place]\nid = 1\n".to_owned()),
            ("notes.md", "no place".to_owned()),
        ])?;
        place.save("token", TOKEN.as_bytes())?;
        for (id, title) in [
            ("cafe", "Concert"),
            ("halle", "Marché"),
            ("atelier", "Couture"),
            ("broken", "Baignade"),
        ] {
            place.save(&format!("{id}.csv"), sheet(title).as_bytes())?;
        }
        Ok(place)
    })
    .unwrap()
}

fn states(working: &Working) -> Value {
    let answer = working.place.run(&["places"]).unwrap();
    let state = |place: &Value| {
        (
            place["place"].as_str().unwrap().to_owned(),
            place["state"].clone(),
        )
    };
    answer.json.as_array().unwrap().iter().map(state).collect()
}

#[test]
fn places_live_side_by_side_and_come_and_go_with_their_files() {
    let working = working();
    let shows = |path: &str, text: &str| {
        working.until(&format!("{path} does not show {text}"), || {
            let (code, page) = working.get(path).unwrap();
            code == 200 && page.contains(text)
        });
    };
    shows("/p/cafe/", "Concert");
    shows("/p/halle/", "Marché");
    let page = working.get("/p/cafe/").unwrap().1;
    assert!(!page.contains("Marché"), "each shows its own");
    assert_eq!(working.get("/").unwrap().0, 404, "which one?");
    assert!(working.said().contains("broken.toml"), "{}", working.said());
    let all = json!({"broken": "refused", "cafe": "at-work", "halle": "at-work"});
    assert_eq!(states(&working), all);

    // Commands name the place; a post reaches its own.
    let which = working.place.run(&["sync"]).unwrap();
    assert_eq!(which.code, 2);
    assert!(which.stderr.contains("which-place"), "{}", which.stderr);
    let pass = working.place.run(&["sync", "--place", "halle"]).unwrap();
    assert_eq!(pass.code, 0, "{}", pass.stderr);
    assert_eq!(working.post("/p/cafe/v1/events", "un").unwrap(), 202);
    assert_ne!(
        working.post("/p/halle/v1/events", "un").unwrap(),
        202,
        "no token there"
    );
    shows("/p/cafe/", "Bal un");
    assert!(!working.get("/p/halle/").unwrap().1.contains("Bal un"));

    // One is mended, one comes, one goes.
    let mended = settings("broken", "La mare", "");
    working
        .place
        .save("places/broken.toml", mended.as_bytes())
        .unwrap();
    shows("/p/broken/", "Baignade");
    let atelier = settings("atelier", "L'atelier", "");
    working
        .place
        .save("places/atelier.toml", atelier.as_bytes())
        .unwrap();
    shows("/p/atelier/", "Couture");
    working.change("places/halle.toml", TAKEN, |text| {
        text.replace("La halle", "Les halles")
    });
    shows("/p/halle/", "Les halles");
    std::fs::rename(
        working.place.path("places/halle.toml"),
        working.place.path("halle.away"),
    )
    .unwrap();
    working.until("it does not go", || {
        working.get("/p/halle/").unwrap().0 == 404
    });
    assert_eq!(
        states(&working),
        json!({"atelier": "at-work", "broken": "at-work", "cafe": "at-work"})
    );

    // It comes back as it was.
    std::fs::rename(
        working.place.path("halle.away"),
        working.place.path("places/halle.toml"),
    )
    .unwrap();
    shows("/p/halle/", "Marché");
    let log = working
        .place
        .command(&["log", "--place", "halle", "--json"]);
    let log = log.unwrap().output().unwrap().stdout;
    let created = String::from_utf8(log).unwrap();
    assert_eq!(created.matches("activity.created").count(), 1, "{created}");
    working.stop().unwrap();
}

#[test]
fn places_that_cannot_live_together_are_told() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    let other = SocketAddr::from(([127, 0, 0, 1], 1));
    let place = Place::several(&[
        ("cafe.toml", settings("cafe", "Le café", &web(address))),
        ("halle.toml", settings("halle", "La halle", &web(other))),
    ])
    .unwrap();
    place.save("token", TOKEN.as_bytes()).unwrap();
    let answer = place.run(&["run"]).unwrap();
    assert_eq!(answer.code, 2);
    assert!(
        answer.stderr.contains("listen-differs"),
        "{}",
        answer.stderr
    );

    let empty = Place::several(&[]).unwrap().run(&["places"]).unwrap();
    assert_eq!((empty.code, empty.json), (0, json!([])));
}
