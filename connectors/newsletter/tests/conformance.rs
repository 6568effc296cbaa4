//! The rules of the quality scale that can be played by a test.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;

use common::{kit, list, smtp, tool};
use raccord_connector_newsletter::CONNECTOR;
use raccord_kit::conformance;
use serde_json::{Value, json};

#[test]
fn the_claims_of_quality_toml_are_true() {
    conformance::quality(Path::new(".")).unwrap();
}

#[test]
fn b01_the_card_says_what_the_connector_does() {
    for settings in [smtp(), list()] {
        conformance::card(&CONNECTOR, &tool(settings, &kit()).describe()).unwrap();
    }
}

#[test]
fn b02_broken_settings_are_refused_by_their_key() {
    let with = |of: fn() -> Value, key: &str, value: Value| {
        let mut settings = of();
        settings[key] = value;
        settings
    };
    // The conformance test knows no public address: only a list does without one.
    conformance::b02_config(
        &CONNECTOR,
        &[
            list(),
            with(list, "connections", json!(1)),
            with(list, "per_second", json!(0)),
        ],
        &[
            (with(list, "url", json!("https://mail.example.org")), "url"),
            (with(list, "from", json!("no address")), "from"),
            (with(list, "list", json!("no address")), "list"),
            (with(list, "system", json!("pigeon")), "system"),
            (with(list, "user", json!("a")), "password_file"),
            (with(list, "connections", json!(0)), "connections"),
            (with(list, "per_second", json!(-1)), "per_second"),
            (with(list, "sender", json!("a@example.org")), "sender"),
            (with(smtp, "list", json!("a@example.org")), "list"),
            (
                json!({ "system": "mailing-list", "list": "a@example.org" }),
                "url",
            ),
        ],
    );
}

#[test]
fn readers_of_ours_need_a_public_address_to_leave_at() {
    let mut kit = kit();
    kit.place.public_url.clear();
    let findings = (CONNECTOR.build)(smtp(), &kit).err().unwrap();
    assert_eq!(findings[0].code, "newsletter.no-public-url");
    assert!((CONNECTOR.build)(list(), &kit).is_ok());
}

#[test]
fn b05_the_name_of_a_mail_is_the_same_for_ever_and_each_readers_own() {
    use raccord_mail::{Mailbox, Sheet};
    let kit = kit();
    let tool = tool(smtp(), &kit);
    let of = raccord_model::RoundupOf::Week;
    let letter = || common::letter(&*tool, &kit, of, raccord_model::Lang::Fr, &common::sample());
    let (one, other) = (letter().unwrap(), letter().unwrap());
    assert_eq!(one, other, "prepared again it is the same");
    let sheet = Sheet::read(one.body["sheet"].as_str().unwrap());
    let from: Mailbox = "lettre@example.org".parse().unwrap();
    let ana = Mailbox::new("", "ana@example.org").unwrap();
    let to = |key: &str| sheet.letter(key, &from, &ana, "").id().to_owned();
    assert_eq!(to("a"), to("a"));
    assert_ne!(to("a"), to("b"));
}

#[test]
fn b14_the_guide_is_complete_in_both_languages() {
    conformance::b14_guide(include_str!("../README.md"));
}
