//! The rules of the quality scale that can be played by a test.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use raccord_connector_signup::CONNECTOR;
use raccord_kit::conformance;
use raccord_kit::testing::kit;
use serde_json::json;

#[test]
fn the_claims_of_quality_toml_are_true() {
    conformance::quality(Path::new(".")).unwrap();
}

#[test]
fn b01_the_card_says_what_the_connector_does() {
    let settings = json!({ "url": "smtp://127.0.0.1:2525", "from": "Lieu <lieu@example.org>" });
    let tool = (CONNECTOR.build)(settings, &kit()).unwrap();
    conformance::card(&CONNECTOR, &tool.describe()).unwrap();
}

#[test]
fn b02_broken_settings_are_refused_by_their_key() {
    let with = |key: &str, value: serde_json::Value| {
        let mut settings = json!({ "url": "smtps://mail.example.org", "from": "a@example.org" });
        settings[key] = value;
        settings
    };
    conformance::b02_config(
        &CONNECTOR,
        &[
            json!({}),
            json!({ "organisers": ["ana@example.org"] }),
            json!({ "url": "smtps://mail.example.org", "from": "Lieu <a@example.org>" }),
        ],
        &[
            (with("url", json!("https://mail.example.org")), "url"),
            (with("url", json!(3)), "url"),
            (with("from", json!("no address")), "from"),
            (with("user", json!("a")), "password_file"),
            (with("password", json!("a")), "user"),
            (with("organisers", json!(["no address"])), "organisers"),
            (with("sender", json!("a@example.org")), "sender"),
            (json!({ "url": "smtps://mail.example.org" }), "from"),
            (json!({ "from": "a@example.org" }), "url"),
        ],
    );
}

#[test]
fn b14_the_guide_is_complete_in_both_languages() {
    conformance::b14_guide(include_str!("../README.md"));
}

#[tokio::test]
async fn without_a_mail_server_it_says_what_cannot_be_done() {
    let tool = (CONNECTOR.build)(json!({}), &kit()).unwrap();
    assert!(tool.sink().is_none());
    assert!(!tool.welcome().unwrap().sends());
    let findings = tool.check().await;
    assert_eq!(findings[0].code, "signup.no-mail");
}
