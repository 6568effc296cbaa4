//! The rules of the quality scale that can be played by a test.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;

use common::tool;
use raccord_connector_neighbour::CONNECTOR;
use raccord_kit::conformance;
use serde_json::json;

const URL: &str = "https://jardin.example.org/shared.json";

#[test]
fn the_claims_of_quality_toml_are_true() {
    conformance::quality(Path::new(".")).unwrap();
}

#[test]
fn b01_the_card_says_what_the_connector_does() {
    let tool = tool(URL);
    conformance::card(&CONNECTOR, &tool.describe()).unwrap();
    let source = tool.source().unwrap();
    assert!(source.foreign(), "what it brings is never taken for ours");
    assert_eq!(source.every().0.as_secs(), 900);
}

#[test]
fn b02_broken_settings_are_refused_by_their_key() {
    conformance::b02_config(
        &CONNECTOR,
        &[
            json!({ "name": "Le Jardin", "url": URL }),
            json!({ "name": "Le Jardin", "url": "http://10.0.0.2/shared.json", "every": "1m", "most": 500 }),
        ],
        &[
            (json!({ "url": URL }), "name"),
            (json!({ "name": "Le Jardin" }), "url"),
            (json!({ "name": "\u{202e} ", "url": URL }), "name"),
            (json!({ "name": "a", "url": "jardin.example.org" }), "url"),
            (json!({ "name": "a", "url": "https://a:b@e.org/" }), "url"),
            (json!({ "name": "a", "url": URL, "every": "30s" }), "every"),
            (json!({ "name": "a", "url": URL, "most": 0 }), "most"),
            (json!({ "name": "a", "url": URL, "most": 501 }), "most"),
            (json!({ "name": "a", "url": URL, "trust": true }), "trust"),
        ],
    );
}

#[test]
fn b14_the_guide_is_complete_in_both_languages() {
    conformance::b14_guide(include_str!("../README.md"));
}
