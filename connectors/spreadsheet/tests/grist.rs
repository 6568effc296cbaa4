//! Sheets kept in Grist: answers as its source makes them, with records that carry their own ids.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use common::{brief, fields, tool, unread};
use proptest::prelude::*;
use raccord_kit::Tool;
use raccord_kit::standin::{Play, Reply, Seen, Standin};
use raccord_model::{Blame, Failure, Observation, Reading};
use serde_json::{Value, json};

const KEY: &str = "canary-grist-key";
const PAGE: &str = "/o/lieu/sXsBGDTKau1F/Programme/p/2";

/// A document: what each of its addresses answers, below `/o/lieu/api/docs/sXsBGDTKau1F/`.
struct Grist {
    standin: Standin,
    document: Arc<Mutex<Value>>,
}

fn tables() -> Value {
    json!({ "tables": [
        { "id": "Programme", "fields": { "tableRef": 3, "summarySourceTable": 0, "onDemand": false } },
        { "id": "Salles", "fields": { "tableRef": 4, "summarySourceTable": 0 } },
        { "id": "Programme_summary_Genre", "fields": { "tableRef": 9, "summarySourceTable": 3 } },
    ] })
}

fn column(id: &str, number: i64, label: &str, kind: &str, place: f64, shown: i64) -> Value {
    json!({ "id": id, "fields": {
        "colRef": number, "label": label, "type": kind, "parentPos": place, "displayCol": shown,
        "isFormula": false, "widgetOptions": "",
    } })
}

fn columns() -> Value {
    json!({ "columns": [
        column("manualSort", 1, "manualSort", "ManualSortPos", 1.0, 0),
        column("Titre", 2, "Titre", "Text", 3.0, 0),
        column("Quand", 3, "Date", "Date", 2.0, 0),
        column("Debut", 4, "Début", "Text", 4.0, 0),
        column("Salle", 5, "Salle", "Ref:Salles", 5.0, 9),
        column("Genre", 6, "Type", "Choice", 6.0, 0),
        column("Etiquettes", 7, "Mots-clés", "ChoiceList", 7.0, 0),
        column("Places", 8, "Jauge", "Int", 8.0, 0),
        column("gristHelper_Display", 9, "gristHelper_Display", "Any", 9.0, 0),
    ] })
}

fn record(id: i64, place: f64, title: &str, seconds: i64) -> Value {
    json!({ "id": id, "fields": {
        "manualSort": place, "Titre": title, "Quand": seconds, "Debut": "20h30", "Salle": 2,
        "Genre": "Concert", "Etiquettes": ["L", "danse", "plein air"], "Places": 80,
        "gristHelper_Display": "Grande halle",
    } })
}

/// 4 January 2027.
const JANUARY_4: i64 = 1_799_020_800;
const DAY: i64 = 86_400;

impl Grist {
    async fn start() -> Self {
        let standin = Standin::start().await;
        let document = Arc::new(Mutex::new(json!({
            "tables": tables(),
            "tables/Programme/columns": columns(),
            "tables/Programme/records": { "records": [
                record(7, 2.0, "Film", JANUARY_4 + DAY),
                record(2, 1.0, "Bal", JANUARY_4),
            ] },
            "tables/Salles/columns": { "columns": [column("Nom", 20, "Nom", "Text", 1.0, 0)] },
            "tables/Salles/records": { "records": [{ "id": 2, "fields": { "Nom": "Grande halle" } }] },
        })));
        let shared = Arc::clone(&document);
        standin.direct(move |seen| answer(&shared.lock().unwrap(), seen));
        Self { standin, document }
    }

    fn set(&self, path: &str, value: Value) {
        self.document.lock().unwrap()[path] = value;
    }

    fn records(&self, records: &[Value]) {
        self.set("tables/Programme/records", json!({ "records": records }));
    }

    fn tool(&self) -> Box<dyn Tool> {
        tool(json!({ "location": self.standin.url(PAGE), "password": KEY }))
    }
}

fn answer(document: &Value, seen: &Seen) -> Play {
    // Any other scheme is refused.
    if seen.header("authorization") != format!("Bearer {KEY}") {
        return Reply::status(401)
            .body("{\"error\":\"Bad request: invalid API key\"}")
            .into();
    }
    let Some(path) = seen.path.strip_prefix("/o/lieu/api/docs/sXsBGDTKau1F/") else {
        return Reply::status(404)
            .body("{\"error\":\"document not found\"}")
            .into();
    };
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    assert_eq!(query == "hidden=true", path != "tables", "{}", seen.path);
    let Some(value) = document.get(path) else {
        return Reply::status(404)
            .body("{\"error\":\"Table not found\"}")
            .into();
    };
    let body = value.to_string();
    let mark = format!(
        "W/\"{:x}-{}\"",
        body.len(),
        raccord_model::Digest::of(body.as_bytes())
    );
    if seen.header("if-none-match") == mark {
        return Reply::status(304).header("etag", &mark).into();
    }
    Reply::ok(body)
        .header("content-type", "application/json; charset=utf-8")
        .header("etag", &mark)
        .into()
}

async fn look(tool: &dyn Tool, cursor: Option<&str>) -> Result<Observation, Failure> {
    tool.source().unwrap().observe(cursor).await
}

async fn reading(tool: &dyn Tool, cursor: Option<&str>) -> Reading {
    match look(tool, cursor).await.unwrap() {
        Observation::Complete(reading) => reading,
        other => panic!("not a whole reading: {other:?}"),
    }
}

fn natives(reading: &Reading) -> Vec<String> {
    let ids = reading
        .lines
        .iter()
        .map(|line| line.native.clone().unwrap_or_default());
    ids.map(|id| {
        id.split_once(':')
            .map_or(String::new(), |(_, id)| id.to_owned())
    })
    .collect()
}

#[tokio::test]
async fn a_document_is_read_as_people_see_it_with_its_own_ids() {
    let grist = Grist::start().await;
    let tool = grist.tool();
    let reading = reading(&*tool, None).await;
    // In the order people gave them, and not in that of their numbers.
    assert_eq!(
        brief(&reading),
        [
            "Bal | 2027-01-04T20:30 | - | -",
            "Film | 2027-01-05T20:30 | - | -"
        ]
    );
    assert_eq!(natives(&reading), ["3:2", "3:7"]);
    let first = &fields(&reading)[0];
    assert_eq!(first["room"], json!("Grande halle"), "and not the number 2");
    assert_eq!(first["tags"], json!(["danse", "plein air"]));
    assert_eq!(
        (&first["capacity"], &first["kind"]),
        (&json!(80), &json!("Concert"))
    );
    assert_eq!(reading.tabs[0].name, "Programme");
    assert_eq!(reading.unread, []);
    assert!(grist.standin.writes().is_empty());
    raccord_kit::conformance::b11_secrets(KEY, &[&reading]);
}

#[tokio::test]
async fn a_record_keeps_its_id_whatever_becomes_of_it() {
    let grist = Grist::start().await;
    let tool = grist.tool();
    let before = natives(&reading(&*tool, None).await);
    // Another title on another day, between two new ones, in a table of another name.
    let mut renamed = tables();
    renamed["tables"][0]["id"] = json!("Agenda");
    grist.set("tables", renamed);
    grist.set("tables/Agenda/columns", columns());
    grist.set(
        "tables/Agenda/records",
        json!({ "records": [
            record(2, 2.0, "Fest-noz", JANUARY_4 + 9 * DAY),
            record(11, 1.0, "Atelier", JANUARY_4),
            record(12, 3.0, "Repas", JANUARY_4),
        ] }),
    );
    let after = natives(&reading(&*tool, None).await);
    assert_eq!(before[0], "3:2");
    assert_eq!(after, ["3:11", "3:2", "3:12"]);
    // In another document the same numbers are other records.
    let one = reading(&*tool, None).await.lines[0].native.clone().unwrap();
    assert!(one.len() > "3:11".len(), "{one}");
}

#[tokio::test]
async fn the_days_of_one_record_are_told_apart_by_what_they_say() {
    let grist = Grist::start().await;
    let mut several = record(2, 1.0, "Atelier", JANUARY_4);
    several["fields"]["Quand"] = json!("2 et 16 janvier 2027");
    grist.records(&[several, record(7, 2.0, "Film", JANUARY_4)]);
    let tool = grist.tool();
    let reading = reading(&*tool, None).await;
    assert_eq!(
        reading.lines.len(),
        3,
        "{:?} {:?}",
        brief(&reading),
        reading.unread
    );
    assert_eq!(natives(&reading), ["", "", "3:7"]);
}

#[tokio::test]
async fn every_kind_of_cell_is_read_or_told() {
    let grist = Grist::start().await;
    let mut all = columns();
    for (id, label, kind) in [
        ("Debut2", "Début", "DateTime:Indian/Reunion"),
        ("Public", "Public ?", "Bool"),
        ("Texte", "Description", "Any"),
    ] {
        let list = all["columns"].as_array_mut().unwrap();
        let number = list.len() as i64 + 30;
        list.push(column(id, number, label, kind, number as f64, 0));
    }
    let list = all["columns"].as_array_mut().unwrap();
    list.retain(|column| column["id"] != "Debut");
    grist.set("tables/Programme/columns", all);
    let mut odd = record(2, 1.0, "Bal", JANUARY_4);
    // 20:30 in Saint-Denis, of that same day.
    odd["fields"]["Debut2"] = json!(JANUARY_4 + (16 * 60 + 30) * 60);
    odd["fields"]["Public"] = json!(false);
    odd["fields"]["Texte"] = json!(["E", "TypeError"]);
    odd["fields"]["Places"] = Value::Null;
    odd["errors"] = json!({ "Places": "ZeroDivisionError" });
    let mut text = record(7, 2.0, "Film", 0);
    // What is no date stays as it was typed.
    text["fields"]["Quand"] = json!("bientôt");
    let mut coded = record(8, 3.0, "Repas", 0);
    coded["fields"]["Quand"] = json!(["d", JANUARY_4]);
    coded["fields"]["Debut2"] = Value::Null;
    coded["fields"]["Texte"] = json!(["C"]);
    grist.records(&[odd, text, coded]);
    let tool = grist.tool();
    let reading = reading(&*tool, None).await;
    assert_eq!(
        brief(&reading),
        [
            "Bal | 2027-01-04T20:30 | - | -",
            "Film | - | - | draft",
            "Repas | 2027-01-04 | - | -",
        ]
    );
    assert_eq!(fields(&reading)[0]["visibility"], json!("internal"));
    let mut codes: Vec<String> = unread(&reading)
        .iter()
        .map(|told| told.split_once(' ').unwrap().1.to_owned())
        .collect();
    codes.sort();
    // The error in a text, and the one beside a number.
    assert_eq!(codes, ["cell-error", "cell-error", "date-unreadable"]);
}

#[tokio::test]
async fn the_settings_choose_a_table() {
    let grist = Grist::start().await;
    let location = grist.standin.url(PAGE);
    let tool = |sheet: &str| tool(json!({ "location": location, "password": KEY, "sheet": sheet }));
    assert_eq!(reading(&*tool("programme"), None).await.lines.len(), 2);
    let asked: Vec<String> = grist
        .standin
        .seen()
        .into_iter()
        .map(|seen| seen.path)
        .collect();
    assert!(
        asked.iter().all(|path| !path.contains("Salles")),
        "{asked:?}"
    );
    let failure = look(&*tool("Agenda"), None).await.unwrap_err();
    assert_eq!(failure.code, "spreadsheet.sheet-missing");
    assert!(
        failure.text.fr.contains("Programme, Salles"),
        "{}",
        failure.text.fr
    );
    let choices = grist.tool().choices().await.unwrap();
    assert_eq!(choices[0].value, "Programme");
}

#[tokio::test]
async fn an_unchanged_document_is_a_few_small_questions() {
    let grist = Grist::start().await;
    let tool = grist.tool();
    let first = reading(&*tool, None).await.cursor.unwrap();
    let asked = grist.standin.seen().len();
    assert_eq!(
        look(&*tool, Some(&first)).await.unwrap(),
        Observation::Unchanged { cursor: None }
    );
    let again = grist.standin.seen().split_off(asked);
    assert_eq!(again.len(), asked);
    assert!(
        again
            .iter()
            .all(|seen| !seen.header("if-none-match").is_empty())
    );
    // One record changes: all of it is read again.
    grist.records(&[record(2, 1.0, "Bal masqué", JANUARY_4)]);
    let second = reading(&*tool, Some(&first)).await;
    assert_eq!(brief(&second), ["Bal masqué | 2027-01-04T20:30 | - | -"]);
    // A cursor of before (the reading was not kept) is no reason to believe the new marks.
    let again = reading(&*tool, Some(&first)).await;
    assert_eq!(again.digest, second.digest);
}

#[tokio::test]
async fn doubt_is_never_a_deletion_and_check_says_what_to_click() {
    let grist = Grist::start().await;
    let tool = grist.tool();
    let cursor = reading(&*tool, None).await.cursor.unwrap();
    let page = "<!doctype html><title>Sign in</title>";
    let mut codes = BTreeSet::new();
    for (play, code, blame) in [
        (Play::from(Reply::status(401)), "grist-key", Blame::Access),
        (Reply::status(403).into(), "grist-forbidden", Blame::Access),
        (Reply::status(404).into(), "grist-missing", Blame::Transient),
        (Reply::status(429).into(), "busy", Blame::Transient),
        (Reply::status(503).into(), "unwell", Blame::Transient),
        (Reply::ok("").into(), "odd-answer", Blame::Transient),
        (
            Reply::ok("{\"tables\": [").into(),
            "odd-answer",
            Blame::Transient,
        ),
        (Reply::ok("{\"tables\": []}").into(), "empty", Blame::Data),
        (
            Reply::ok(page).header("content-type", "text/html").into(),
            "web-page",
            Blame::Access,
        ),
        (Play::Reset, "unread", Blame::Transient),
    ] {
        grist.standin.direct(move |_| play.clone());
        let failure = look(&*tool, Some(&cursor)).await.unwrap_err();
        assert_eq!(
            (failure.code.as_str(), failure.blame),
            (format!("spreadsheet.{code}").as_str(), blame)
        );
        let findings = tool.check().await;
        assert_eq!(findings.len(), 1);
        codes.insert(findings[0].code.clone());
        raccord_kit::conformance::b11_secrets("sXsBGDTKau1F", &[&failure, &findings]);
    }
    assert_eq!(codes.len(), 9);
    let document = Arc::clone(&grist.document);
    grist
        .standin
        .direct(move |seen| answer(&document.lock().unwrap(), seen));
    // Records that are none, columns that are none, and a header that is lost.
    for (path, value, code) in [
        (
            "tables/Programme/records",
            json!({ "records": null }),
            "odd-answer",
        ),
        ("tables/Programme/columns", json!([]), "odd-answer"),
        (
            "tables/Programme/columns",
            json!({ "columns": [] }),
            "header-lost",
        ),
    ] {
        let was = grist.document.lock().unwrap()[path].clone();
        grist.set(path, value);
        let failure = look(&*tool, Some(&cursor)).await.unwrap_err();
        assert_eq!(failure.code, format!("spreadsheet.{code}"));
        grist.set(path, was);
    }
    assert_eq!(
        look(&*tool, Some(&cursor)).await.unwrap(),
        Observation::Unchanged { cursor: None }
    );
    assert!(grist.standin.writes().is_empty());
}

#[tokio::test]
async fn a_public_document_needs_no_key() {
    let standin = Standin::start().await;
    standin.direct(|seen| {
        assert_eq!(seen.header("authorization"), "");
        Reply::status(404).into()
    });
    let tool = tool(json!({ "location": standin.url("/api/docs/sXsBGDTKau1F") }));
    let failure = look(&*tool, None).await.unwrap_err();
    assert_eq!(failure.code, "spreadsheet.grist-missing");
}

proptest! {
    /// Whatever Grist answers, it is read, told or refused, and never panics.
    #[test]
    fn no_answer_is_too_odd(
        kind in "Date|DateTime:[A-Za-z/]{0,12}|Ref:X|RefList:X|Bool|Any|ChoiceList|Text|[A-Z]{0,3}",
        value in prop_oneof![
            Just("null".to_owned()), "-?[0-9]{1,17}(\\.[0-9]{1,3})?", "\"[a-z0-9/ ]{0,12}\"",
            "\\[\"[LDdECRrUPVX]\"(,(-?[0-9]{1,17}|\"[a-zA-Z/]{0,9}\"|null|\\[1\\])){0,3}\\]",
            "true|false|\\{\"a\":1\\}|\\[\\]",
        ],
        id in any::<i64>(),
    ) {
        let columns = format!("{{\"columns\":[{{\"id\":\"A\",\"fields\":{{\"label\":\"Date\",\"type\":\"{kind}\"}}}},{{\"id\":\"B\",\"fields\":{{\"label\":\"Titre\"}}}}]}}");
        let records = format!("{{\"records\":[{{\"id\":{id},\"fields\":{{\"A\":{value},\"B\":\"Bal\"}}}}]}}");
        match raccord_connector_spreadsheet::read_table(columns.as_bytes(), records.as_bytes(), "T") {
            Ok(reading) => {
                raccord_kit::conformance::holds_together(&reading);
                prop_assert_eq!(reading.lines.len(), 1);
            }
            Err(failure) => prop_assert!(failure.code.starts_with("spreadsheet.")),
        }
    }

    #[test]
    fn no_bytes_are_too_odd(columns in "[\\[\\]{}\":,a-z0-9. -]{0,60}", records in prop::collection::vec(any::<u8>(), 0..60)) {
        let read = raccord_connector_spreadsheet::read_table(columns.as_bytes(), &records, "T");
        if let Err(failure) = read {
            prop_assert!(failure.code.starts_with("spreadsheet."));
        }
    }
}
