//! The life of a sheet: eighteen versions, and the change each must bring, in CSV and in ODS.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use raccord_tests::place::Place;
use serde_json::Value;

const CONFIG: &str = r#"
[place]
id = "edits"
name = "Edits"
timezone = "Indian/Reunion"
language = "fr"
data = "data"
[connectors.sheet]
kind = "spreadsheet"
location = "programme.EXT"
[guards]
second_look = "0s"
"#;

#[test]
fn every_edit_in_csv_brings_its_change_and_nothing_else() {
    live("csv");
}

#[test]
fn every_edit_in_ods_brings_its_change_and_nothing_else() {
    live("ods");
}

fn live(ext: &str) {
    let place = Place::new(&CONFIG.replace("EXT", ext)).unwrap();
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    let mut told = 0;
    for version in versions() {
        let expected: Value = serde_json::from_slice(&sample(&version, "json")).unwrap();
        place
            .save(&format!("programme.{ext}"), &sample(&version, ext))
            .unwrap();
        let answer = place.run(&["sync"]).unwrap();
        let events: Vec<Value> = place
            .events()
            .unwrap()
            .into_iter()
            .filter(is_activity)
            .collect();
        check(
            &version,
            &expected["expected"],
            &answer.json,
            answer.code,
            &events[told..],
            &mut known,
        );
        told = events.len();
    }
}

fn is_activity(event: &Value) -> bool {
    event["type"]
        .as_str()
        .is_some_and(|kind| kind.contains(".activity."))
}

fn versions() -> Vec<String> {
    let mut versions: Vec<String> = std::fs::read_dir("samples")
        .unwrap()
        .filter_map(|entry| {
            entry
                .unwrap()
                .file_name()
                .to_str()?
                .strip_suffix(".json")
                .map(str::to_owned)
        })
        .collect();
    versions.sort();
    assert_eq!(versions.len(), 18);
    versions
}

fn sample(version: &str, ext: &str) -> Vec<u8> {
    std::fs::read(Path::new("samples").join(format!("{version}.{ext}"))).unwrap()
}

fn check(
    version: &str,
    expected: &Value,
    sync: &Value,
    code: i32,
    events: &[Value],
    known: &mut BTreeMap<String, String>,
) {
    let list = |name: &str| expected[name].as_array().cloned().unwrap_or_default();
    let of = |verb: &str| -> Vec<&Value> {
        events
            .iter()
            .filter(|event| {
                event["type"]
                    .as_str()
                    .unwrap()
                    .ends_with(&format!("{verb}.v1"))
            })
            .collect()
    };
    assert_eq!(
        of("created").len(),
        list("added").len(),
        "{version}: created"
    );
    assert_eq!(
        of("cancelled").len(),
        list("cancelled").len(),
        "{version}: cancelled"
    );
    assert_eq!(
        of("updated").len(),
        list("changed").len(),
        "{version}: updated"
    );
    for (event, change) in of("updated").iter().zip(list("changed")) {
        let fields: BTreeSet<&str> = event["data"]["changed"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pointer| pointer.as_str().unwrap())
            .collect();
        for field in change["fields"].as_array().unwrap() {
            let field = field["field"].as_str().unwrap();
            let pointer = if field == "date" {
                "/start".to_owned()
            } else {
                format!("/{field}")
            };
            assert!(
                fields.contains(pointer.as_str()),
                "{version}: {field} is not among {fields:?}"
            );
        }
        let name = change["event"].as_str().unwrap();
        let subject = event["subject"].as_str().unwrap();
        // The same activity keeps its id through the whole life of the sheet.
        assert_eq!(
            known
                .entry(name.to_owned())
                .or_insert_with(|| subject.to_owned()),
            subject,
            "{version}: {name}"
        );
    }
    let held = expected["held"].as_bool().unwrap();
    assert_eq!(
        sync["holds"].as_array().map(|holds| !holds.is_empty()),
        Some(held),
        "{version}: held"
    );
    assert_eq!(code, if held { 3 } else { 0 }, "{version}: exit code");
    let warned: Vec<&str> = sync["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| warning["code"].as_str().unwrap())
        .collect();
    for warning in list("warnings") {
        assert!(
            warned.contains(&warning["code"].as_str().unwrap()),
            "{version}: {warning} is not among {warned:?}"
        );
    }
}
