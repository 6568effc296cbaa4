//! Sheets that are kept elsewhere than on the disk, read by the whole program: activities come out,
//! a change keeps its activity, and what goes wrong over there cancels nothing.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::{Arc, Mutex};

use raccord_kit::standin::{Play, Reply, Seen, Standin};
use raccord_tests::ethercalc::EtherCalc;
use raccord_tests::place::Place;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// One line of a sheet: its record's number where the tool has one, its day in January, its title.
type Line = (u32, u32, &'static str);

/// A tool that keeps a sheet.
trait Keeper {
    /// The section of the sheet, but for its name.
    fn section(&self) -> String;
    fn hold(&self, lines: &[Line]);
    /// The tool is away, or somebody emptied it.
    fn away(&self);
    /// How the program calls that.
    fn trouble(&self) -> &'static str;
    /// How often somebody was asked to change something.
    fn writes(&self) -> usize;
}

fn place(keeper: &dyn Keeper) -> Place {
    let place = Place::new("").unwrap();
    place.save("key", b"secret\n").unwrap();
    let config = format!(
        "[place]\nid = \"raffinerie\"\nname = \"La Raffinerie\"\ntimezone = \"Europe/Paris\"\nlanguage = \"fr\"\n\
         [connectors.site]\nkind = \"website\"\noutput = \"out\"\n\
         [connectors.sheet]\nkind = \"spreadsheet\"\n{}\n",
        keeper.section()
    );
    place.save("raccord.toml", config.as_bytes()).unwrap();
    place
}

fn is_activity(event: &Value) -> bool {
    event["type"]
        .as_str()
        .is_some_and(|kind| kind.contains(".activity."))
}

/// The activities' events of one pass: the last part but one of each type, its subject and title.
fn pass(place: &Place) -> (Value, Vec<(String, String, String)>) {
    let before = place.events().map_or(0, |events| events.len());
    let answer = place.run(&["sync"]).unwrap();
    assert!(answer.json.is_object(), "{answer:?}");
    let events = place.events().unwrap().split_off(before);
    let said = |event: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let verb = text(&event["type"]);
        let verb = verb.split('.').rev().nth(1).unwrap_or_default().to_owned();
        (verb, text(&event["subject"]), text(&event["data"]["title"]))
    };
    // A notice of what went wrong is an event too.
    let activities = events.iter().filter(|event| is_activity(event));
    (answer.json, activities.map(said).collect())
}

/// What an organiser counts on, whatever the tool.
fn life(keeper: &dyn Keeper) {
    let mut place = place(keeper);
    keeper.hold(&[
        (1, 2, "Bal populaire"),
        (2, 5, "Atelier vélo"),
        (3, 9, "Film"),
    ]);
    let (_, created) = pass(&place);
    assert_eq!(created.len(), 3, "{created:?}");
    assert!(
        created.iter().all(|(verb, ..)| verb == "created"),
        "{created:?}"
    );
    let ball = created
        .iter()
        .find(|(.., title)| title == "Bal populaire")
        .unwrap();
    assert_eq!(pass(&place).1, [], "nothing is said twice");

    // A word more, and a line above: the same activity.
    keeper.hold(&[
        (4, 3, "Repas partagé"),
        (1, 2, "Bal populaire masqué"),
        (2, 5, "Atelier vélo"),
        (3, 9, "Film"),
    ]);
    let (_, mut changed) = pass(&place);
    changed.sort();
    let verbs: Vec<&str> = changed.iter().map(|(verb, ..)| verb.as_str()).collect();
    assert_eq!(verbs, ["created", "updated"], "{changed:?}");
    assert_eq!(changed[1].1, ball.1, "the ball is still the ball");

    // Away for hours, or emptied: nothing is cancelled, and the programme stays as it is.
    keeper.away();
    for hour in ["09", "12", "18"] {
        place.is_at(&format!("2026-12-20T{hour}:00:00Z"));
        let (answer, events) = pass(&place);
        assert_eq!(events, [], "{answer}");
    }
    let told = place.run(&["check"]).unwrap();
    let codes = told.json.to_string();
    assert!(codes.contains(keeper.trouble()), "{codes}");
    let programme = std::fs::read_to_string(place.path("out/activities.json")).unwrap();
    assert_eq!(programme.matches("\"title\"").count(), 4, "{programme}");
    assert!(programme.contains("Bal populaire masqué"));

    // Back, with a line less: that one is cancelled, once it was missed twice.
    keeper.hold(&[
        (4, 3, "Repas partagé"),
        (1, 2, "Bal populaire masqué"),
        (3, 9, "Film"),
    ]);
    place.is_at("2026-12-20T20:00:00Z");
    pass(&place);
    place.is_at("2026-12-20T20:05:00Z");
    let gone: Vec<_> = place
        .run(&["sync"])
        .map(|_| place.events().unwrap())
        .unwrap()
        .into_iter()
        .filter(|event| {
            is_activity(event) && event["type"].as_str().unwrap().contains(".cancelled.")
        })
        .map(|event| event["data"]["title"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(gone, ["Atelier vélo"]);
    assert_eq!(
        keeper.writes(),
        0,
        "an organiser's document is never written to"
    );
}

fn csv(lines: &[Line]) -> String {
    let rows = lines
        .iter()
        .map(|(_, day, title)| format!("{day:02}/01/2027,20h30,{title}\n"));
    format!("Date,Heure,Titre\n{}", rows.collect::<String>())
}

/// A stand-in that holds what a test gives it: a body, and none while it is away.
struct Played {
    standin: Standin,
    held: Arc<Mutex<Option<String>>>,
    section: String,
    trouble: &'static str,
    make: fn(&[Line]) -> String,
    /// Keeps the stand-in's server at work.
    _runtime: Runtime,
}

impl Played {
    fn new(
        section: fn(&Standin) -> String,
        trouble: &'static str,
        make: fn(&[Line]) -> String,
        answer: fn(&Seen, Option<&str>) -> Reply,
    ) -> Self {
        let runtime = Runtime::new().unwrap();
        let standin = runtime.block_on(Standin::start());
        let held = Arc::new(Mutex::new(None));
        let shared = Arc::clone(&held);
        standin.direct(move |seen| {
            let held = shared.lock().unwrap();
            Play::from(answer(seen, held.as_deref()))
        });
        Self {
            section: section(&standin),
            standin,
            held,
            trouble,
            make,
            _runtime: runtime,
        }
    }
}

impl Keeper for Played {
    fn section(&self) -> String {
        self.section.clone()
    }

    fn hold(&self, lines: &[Line]) {
        *self.held.lock().unwrap() = Some((self.make)(lines));
    }

    fn away(&self) {
        *self.held.lock().unwrap() = None;
    }

    fn trouble(&self) -> &'static str {
        self.trouble
    }

    fn writes(&self) -> usize {
        self.standin.writes().len()
    }
}

#[test]
fn a_public_link_of_nextcloud_lives_its_life() {
    let answer = |seen: &Seen, held: Option<&str>| {
        assert_eq!(seen.path, "/public.php/dav/files/ErFS6Q2BmmJqeQz");
        let xml = |status, body: &str| {
            Reply::status(status)
                .header("content-type", "application/xml; charset=utf-8")
                .body(body.to_owned())
        };
        let Some(held) = held else {
            // A link that is gone, as Nextcloud says it.
            return xml(
                503,
                "<d:error xmlns:d=\"DAV:\"><s:exception xmlns:s=\"s\">Sabre\\DAV\\Exception\\ServiceUnavailable</s:exception><s:message xmlns:s=\"s\">Sabre\\DAV\\Exception\\NotFound: </s:message></d:error>",
            );
        };
        if seen.method == "PROPFIND" {
            return xml(
                207,
                "<d:multistatus xmlns:d=\"DAV:\"><d:response><d:href>/public.php/dav/files/ErFS6Q2BmmJqeQz</d:href><d:propstat><d:prop><d:resourcetype/></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>",
            );
        }
        let etag = format!("\"{:x}\"", held.len());
        if seen.header("if-none-match") == etag {
            return Reply::status(304);
        }
        Reply::ok(held.to_owned())
            .header("content-type", "text/csv;charset=UTF-8")
            .header("etag", &etag)
    };
    life(&Played::new(
        |standin| format!("location = \"{}\"", standin.url("/s/ErFS6Q2BmmJqeQz")),
        "spreadsheet.share-gone",
        csv,
        answer,
    ));
}

#[test]
fn a_document_of_grist_lives_its_life() {
    let make = |lines: &[Line]| {
        let record = |&(id, day, title): &Line| {
            // 1 January 2027, in seconds.
            let seconds = 1_798_761_600 + 86_400 * i64::from(day - 1);
            json!({ "id": id, "fields": { "Quand": seconds, "Heure": "20h30", "Titre": title } })
        };
        let records: Vec<Value> = lines.iter().map(record).collect();
        json!({ "records": records }).to_string()
    };
    let answer = |seen: &Seen, held: Option<&str>| {
        assert_eq!(seen.header("authorization"), "Bearer secret");
        let Some(held) = held else {
            return Reply::status(404).body("{\"error\":\"document not found\"}");
        };
        let column = |id: &str, label: &str, kind: &str| json!({ "id": id, "fields": { "label": label, "type": kind } });
        let path = seen
            .path
            .strip_prefix("/o/lieu/api/docs/sXsBGDTKau1F/")
            .unwrap();
        let body = match path {
            "tables" => json!({ "tables": [{ "id": "Programme", "fields": { "tableRef": 1 } }] }).to_string(),
            "tables/Programme/columns?hidden=true" => json!({ "columns": [
                column("Quand", "Date", "Date"), column("Heure", "Heure", "Text"), column("Titre", "Titre", "Text"),
            ] })
            .to_string(),
            _ => held.to_owned(),
        };
        Reply::ok(body).header("content-type", "application/json; charset=utf-8")
    };
    life(&Played::new(
        |standin| {
            let url = standin.url("/o/lieu/sXsBGDTKau1F/Programme/p/2");
            format!("location = \"{url}\"\npassword_file = \"key\"")
        },
        "spreadsheet.grist-missing",
        make,
        answer,
    ));
}

#[test]
fn a_sheet_of_google_lives_its_life() {
    let answer = |seen: &Seen, held: Option<&str>| {
        let Some(held) = held else {
            // Nobody's any more: a page where one signs in.
            return Reply::login_page();
        };
        assert_eq!(
            seen.path,
            "/spreadsheets/d/1AbCdEfGhIjKl/export?format=csv&gid=7"
        );
        Reply::ok(held.to_owned()).header("content-type", "text/csv")
    };
    life(&Played::new(
        |standin| {
            let url = standin.url("/spreadsheets/d/1AbCdEfGhIjKl/edit?gid=7#gid=7");
            format!("location = \"{url}\"")
        },
        "spreadsheet.google-private",
        csv,
        answer,
    ));
}

/// A room of the real program.
struct Room(EtherCalc);

impl Keeper for Room {
    fn section(&self) -> String {
        format!("location = \"{}\"", self.0.url("/programme-2027"))
    }

    fn hold(&self, lines: &[Line]) {
        let mark = "--SocialCalcSpreadsheetControlSave";
        let mut cells = "cell:A1:t:Date\ncell:B1:t:Heure\ncell:C1:t:Titre\n".to_owned();
        for (row, (_, day, title)) in (2..).zip(lines) {
            // 1 January 2027, counted in days.
            let count = 46_388 + day - 1;
            let line = format!(
                "cell:A{row}:vtc:nd:{count}:2027-01-{day:02}\ncell:B{row}:vtc:nt:0.8541666667:20\\c30\ncell:C{row}:t:{title}\n"
            );
            cells.push_str(&line);
        }
        let saved = format!(
            "socialcalc:version:1.0\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=SocialCalcSpreadsheetControlSave\n{mark}\nContent-type: text/plain; charset=UTF-8\n\n# SocialCalc Spreadsheet Control Save\nversion:1.0\npart:sheet\n{mark}\nContent-type: text/plain; charset=UTF-8\n\nversion:1.5\n{cells}sheet:c:3:r:{}\n{mark}--\n",
            lines.len() + 1
        );
        self.0.write("programme-2027", &saved).unwrap();
    }

    fn away(&self) {
        self.0.wipe("programme-2027").unwrap();
    }

    fn trouble(&self) -> &'static str {
        "spreadsheet.room-missing"
    }

    fn writes(&self) -> usize {
        0
    }
}

#[test]
fn a_room_of_ethercalc_lives_its_life() {
    life(&Room(EtherCalc::start().unwrap()));
}

#[test]
fn what_people_type_and_hide_in_ethercalc_is_read_and_the_room_is_left_as_it_was() {
    let server = EtherCalc::start().unwrap();
    let typed = [
        "set A1 text t Date",
        "set B1 text t Heure",
        "set C1 text t Titre",
        "set D1 text t Code",
        // As the page sends what a French browser understood.
        "set A2 constant nd 46389 02/01/2027",
        "set B2 constant nt 0.7708333333333334 18:30",
        "set C2 text t Bal\\c l’hiver",
        "set D2 value n 1234",
        "set A3 formula A2+3",
        "set B3 text t 20h",
        "set C3 text t Film",
        "set A4 constant nd 46395 08/01/2027",
        "set C4 text t Surprise",
        "set 4 hide yes",
        "set D hide yes",
    ];
    server.types("lieu", &typed).unwrap();
    let room = Room(server);
    let place = place(&room);
    place
        .configure(|config| config.replace("/programme-2027", "/_/lieu"))
        .unwrap();
    let before = room.0.saved("lieu").unwrap();
    let (answer, created) = pass(&place);
    assert_eq!(created.len(), 3, "{answer} {created:?}");
    let events = place.events().unwrap();
    let shown = |title: &str| {
        let event = events.iter().find(|event| event["data"]["title"] == title);
        let data = &event.unwrap()["data"];
        (data["start"].clone(), data["status"].clone())
    };
    assert_eq!(
        shown("Bal: l’hiver"),
        (json!("2027-01-02T18:30"), Value::Null)
    );
    assert_eq!(shown("Film"), (json!("2027-01-05T20:00"), Value::Null));
    assert_eq!(shown("Surprise").1, json!("draft"), "hidden by somebody");
    assert!(!format!("{events:?}").contains("1234"), "so is the column");
    assert_eq!(room.0.saved("lieu").unwrap(), before);
}
