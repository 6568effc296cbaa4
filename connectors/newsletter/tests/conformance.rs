//! The rules of the quality scale that can be played by a test.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;

use common::office::{Act, Office};
use common::{kit, list, smtp, tool};
use raccord_connector_newsletter::CONNECTOR;
use raccord_kit::Job;
use raccord_kit::conformance;
use raccord_model::{Blame, EntityId, Lang, RoundupOf, Saying, Subject};
use serde_json::{Value, json};

#[test]
fn the_claims_of_quality_toml_are_true() {
    let quality = conformance::quality(Path::new(".")).unwrap();
    assert_eq!(quality.level, conformance::QualityLevel::Silver);
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

/// The mail to one reader.
fn mail(tool: &dyn raccord_kit::Tool, kit: &raccord_kit::Kit, to: &str) -> Job {
    let issue = common::letter(tool, kit, RoundupOf::Week, Lang::Fr, &common::sample()).unwrap();
    let id = EntityId::derive(&[to.as_bytes()]);
    let saying = Saying::Letter {
        issue: &issue,
        to,
        leave: "person.key",
    };
    let desired =
        common::rendered(None, tool, kit, Lang::Fr, Subject::Saying { id, saying }).unwrap();
    Job::Write {
        entity: id,
        desired,
        link: None,
    }
}

#[tokio::test]
async fn b06_the_same_mail_asked_for_ten_times_at_once_is_one_mail() {
    let office = Office::open(None).await;
    let mut settings = smtp();
    settings["url"] = json!(office.address());
    let kit = kit();
    let tool = tool(settings, &kit);
    let sink = tool.sink().unwrap();
    let ana = mail(&*tool, &kit, "ana@example.org");
    let all = futures_util::future::join_all((0..10).map(|_| sink.apply(&ana))).await;
    let sent = all.into_iter().map(Result::unwrap);
    assert_eq!(sent.filter(|made| !made.unchanged).count(), 1);
    assert_eq!(office.taken().len(), 1);
    // One that was put off is handed over when it is asked for again.
    let mut once = true;
    office.plays(move |at, _| {
        let first = at == "RCPT" && std::mem::take(&mut once);
        first.then_some(Act::Say("450 4.2.0 not now"))
    });
    let bob = mail(&*tool, &kit, "bob@example.org");
    assert_eq!(sink.apply(&bob).await.unwrap_err().blame, Blame::Transient);
    sink.apply(&bob).await.unwrap();
    assert_eq!(office.taken().len(), 2);
}

#[test]
fn s13_hours_are_those_of_the_place_as_the_sheet_says_them() {
    let kit = kit();
    let tool = tool(smtp(), &kit);
    for (start, end, day, said) in [
        (
            "2027-01-03T19:30",
            "2027-01-03T22:00",
            "Dimanche 3 janvier",
            "19 h 30",
        ),
        // Past midnight, and whole days.
        (
            "2027-01-04T22:00",
            "2027-01-05T03:00",
            "Lundi 4 janvier",
            "22 h",
        ),
        ("2027-01-06", "2027-01-06", "Mercredi 6 janvier", "journée"),
    ] {
        for zone in ["Europe/Paris", "Indian/Reunion"] {
            let fields = json!({ "title": "Bal", "start": start, "end": end, "zone": zone });
            let one = common::entity(raccord_model::EntityKind::Activity, "bal", fields);
            let letter = common::letter(&*tool, &kit, RoundupOf::Week, Lang::Fr, &[one]).unwrap();
            let (text, html) = common::parts(&letter);
            for part in [text, html] {
                let part = part.replace(['\u{a0}', '\u{202f}'], " ").to_lowercase();
                assert!(
                    part.contains(&day.to_lowercase()) && part.contains(said),
                    "{part}"
                );
            }
        }
    }
}

#[test]
fn b14_the_guide_is_complete_in_both_languages() {
    conformance::b14_guide(include_str!("../README.md"));
}
