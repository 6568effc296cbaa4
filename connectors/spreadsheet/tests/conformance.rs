//! The rules of the quality scale that can be played by a test.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;

use common::{brief, csv, tool};
use raccord_connector_spreadsheet::CONNECTOR;
use raccord_kit::conformance;
use raccord_kit::testing::kit;
use serde_json::json;

#[test]
fn the_claims_of_quality_toml_are_true() {
    conformance::quality(Path::new(".")).unwrap();
}

#[test]
fn b01_the_card_says_what_the_connector_does() {
    let manifest = tool(json!({ "location": "p.csv" })).describe();
    conformance::card(&CONNECTOR, &manifest).unwrap();
    assert!(manifest.source && manifest.handles.is_empty());
}

#[test]
fn b02_broken_settings_are_refused_by_their_key() {
    conformance::b02_config(
        &CONNECTOR,
        &[
            json!({ "location": "programme.ods" }),
            json!({ "location": "https://cloud.example.org/dav/p.ods", "user": "lieu", "password_file": "secrets/p", "every": "5m" }),
            json!({ "location": "r.csv", "answers": {}, "columns": { "email": "Où t’écrire ?" } }),
            json!({ "location": "r.csv", "answers": { "activity": "Bal folk", "date": "2027-02-01" } }),
            json!({ "location": "p.xlsx", "sheet": "Janvier", "columns": { "title": "Intitulé", "extra.tech": "Technique" }, "year": 2027 }),
        ],
        &[
            (json!({}), "location"),
            (json!({ "location": 3 }), "location"),
            (json!({ "location": "ftp://example.org/p.csv" }), "location"),
            (
                json!({ "location": "https://a:b@example.org/p.csv" }),
                "location",
            ),
            (json!({ "location": "p.csv", "evry": "30s" }), "evry"),
            (json!({ "location": "p.csv", "every": "often" }), "every"),
            (json!({ "location": "p.csv", "every": "0s" }), "every"),
            (
                json!({ "location": "p.csv", "columns": { "titel": "Intitulé" } }),
                "columns.titel",
            ),
            (
                json!({ "location": "p.csv", "columns": "title" }),
                "columns",
            ),
            (json!({ "location": "p.csv", "year": 27 }), "year"),
            (json!({ "location": "r.csv", "answers": true }), "answers"),
            (
                json!({ "location": "r.csv", "answers": { "date": "demain" } }),
                "answers.date",
            ),
            (
                json!({ "location": "https://example.org/p.csv", "user": "lieu" }),
                "password_file",
            ),
            (
                json!({ "location": "https://example.org/p.csv", "password": "x" }),
                "user",
            ),
        ],
    );
}

#[test]
fn b14_the_guide_is_complete_in_both_languages() {
    conformance::b14_guide(include_str!("../README.md"));
}

#[test]
fn s13_hours_and_days_are_civil_and_whole_days_stay_whole() {
    let reading = csv("Date,Heure,Titre\n\
         28/03/2027,2h30,Heure qui n’existe pas à Paris\n\
         31/10/2027,2h30,Heure qui existe deux fois à Paris\n\
         02/01/2027,19h30,Soir\n\
         03/01/2027,,Jour\n");
    assert_eq!(
        brief(&reading),
        [
            "Heure qui n’existe pas à Paris | 2027-03-28T02:30 | - | -",
            "Heure qui existe deux fois à Paris | 2027-10-31T02:30 | - | -",
            "Soir | 2027-01-02T19:30 | - | -",
            "Jour | 2027-01-03 | - | -",
        ]
    );
    assert!(
        reading
            .lines
            .iter()
            .all(|line| !line.decode().contains_key("zone"))
    );
}

#[test]
fn relative_paths_start_at_the_configuration() {
    let mut kit = kit();
    kit.base = common::samples();
    let tool = common::tool_in(json!({ "location": "programme.csv" }), &kit);
    assert!(common::observe(&*tool, None).is_ok());
}
