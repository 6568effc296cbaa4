//! The rules of the quality scale that can be played by a test.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use raccord_connector_website::CONNECTOR;
use raccord_kit::conformance;
use raccord_kit::testing::kit;
use serde_json::json;

#[test]
fn the_claims_of_quality_toml_are_true() {
    conformance::quality(Path::new(".")).unwrap();
}

#[test]
fn b01_the_card_says_what_the_connector_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut kit = kit();
    folder.path().clone_into(&mut kit.base);
    let tool = (CONNECTOR.build)(json!({ "output": "site" }), &kit).unwrap();
    conformance::card(&CONNECTOR, &tool.describe()).unwrap();
}

#[test]
fn b02_broken_settings_are_refused_by_their_key() {
    conformance::b02_config(
        &CONNECTOR,
        &[
            json!({ "output": "out/site" }),
            json!({ "output": "out/site", "base_url": "https://programme.example.org/agenda" }),
            json!({ "output": "out/site", "map": { "latitude": -21, "longitude": 55.27 } }),
        ],
        &[
            (json!({}), "output"),
            (json!({ "output": "" }), "output"),
            (json!({ "output": 3 }), "output"),
            (
                json!({ "output": "o", "base_url": "programme.example.org" }),
                "base_url",
            ),
            (json!({ "output": "o", "templates": "x" }), "templates"),
            (
                json!({ "output": "o", "map": { "latitude": 91, "longitude": 0 } }),
                "map",
            ),
            (json!({ "output": "o", "map": { "latitude": 9 } }), "map"),
        ],
    );
}

#[test]
fn b14_the_guide_is_complete_in_both_languages() {
    conformance::b14_guide(include_str!("../README.md"));
}
