//! The webhook against a receiver that misbehaves: the rules of the quality scale.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::sync::Arc;

use jiff::SignedDuration;
use raccord_connector_webhook::CONNECTOR;
use raccord_kit::conformance::{self, HOSTILE, HttpSink, QualityLevel};
use raccord_kit::standin::{Play, Reply, Seen, Standin};
use raccord_kit::testing::{Logs, NOON, kit};
use raccord_kit::{Job, Kit, ManualClock, Tool};
use raccord_model::{
    Blame, Cause, Class, Digest, EntityId, EntityKind, Envelope, Event, EventId, Found, Link, Mode,
    Verb,
};
use serde_json::{Value, json};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn settings(url: &str) -> Value {
    json!({ "url": url, "secret": SECRET })
}

fn tool(settings: Value, kit: &Kit) -> Box<dyn Tool> {
    (CONNECTOR.build)(settings, kit).unwrap()
}

fn event(number: usize, title: &str) -> Event {
    let entity = EntityId::derive(&[b"activity", number.to_string().as_bytes()]);
    let id = EventId::derive(&[b"event", number.to_string().as_bytes(), title.as_bytes()]);
    let data = json!({ "title": title, "start": "2027-01-02T18:30" });
    Event {
        id,
        kind: EntityKind::Activity,
        verb: Verb::Created,
        entity,
        revision: 1,
        changed: vec!["/title".to_owned(), "/start".to_owned()],
        source: "programme-sheet".to_owned(),
        time: NOON,
        family: entity,
        correlation: id,
        causation: None,
        hops: 0,
        trace: None,
        cause: Cause::Time,
        data: serde_json::from_value(data).unwrap(),
    }
}

fn job_of(event: Event) -> Job {
    let envelope = Envelope::of(&event, &"raffinerie".parse().unwrap());
    let body = serde_json::to_vec(&envelope).unwrap();
    Job::Send {
        event: Box::new(event),
        body,
    }
}

fn job(number: usize) -> Job {
    job_of(event(number, "Concert"))
}

fn webhook_id(seen: &Seen) -> String {
    seen.header("webhook-id").to_owned()
}

fn played() -> HttpSink<'static> {
    HttpSink {
        connector: &CONNECTOR,
        settings: &settings,
        job: &job,
        key: &webhook_id,
        yes: Reply::status(204),
    }
}

#[test]
fn the_claims_of_quality_toml_are_true() {
    let quality = conformance::quality(Path::new(".")).unwrap();
    assert_eq!(quality.level, QualityLevel::Bronze);
}

#[test]
fn b01_the_card_says_what_the_connector_does() {
    let manifest = tool(settings("http://h/"), &kit()).describe();
    conformance::card(&CONNECTOR, &manifest).unwrap();
    for kind in EntityKind::ALL {
        let handling = manifest
            .handles
            .iter()
            .find(|handling| handling.entity == kind)
            .unwrap();
        assert_eq!((handling.mode, handling.class), (Mode::Each, Class::Key));
    }
}

#[test]
fn b02_broken_settings_are_refused_by_their_key() {
    conformance::b02_config(
        &CONNECTOR,
        &[
            json!({ "url": "http://127.0.0.1:9000/in" }),
            settings("https://tool.example.org/in"),
            json!({ "url": "https://tool.example.org/in", "secret_file": "secrets/webhook" }),
        ],
        &[
            (json!({}), "url"),
            (json!({ "url": 80 }), "url"),
            (json!({ "url": "tool.example.org" }), "url"),
            (json!({ "url": "ftp://tool.example.org/" }), "url"),
            (json!({ "url": "https://a:b@tool.example.org/" }), "url"),
            (
                json!({ "url": "http://h/", "secret_fil": "x" }),
                "secret_fil",
            ),
            (
                json!({ "url": "http://h/", "secret_file": 3 }),
                "secret_file",
            ),
            (
                json!({ "url": "http://h/", "secret": SECRET, "secret_file": "x" }),
                "secret",
            ),
        ],
    );
}

#[tokio::test]
async fn b03_check_tells_mistakes_apart_and_writes_nothing() {
    played()
        .b03_check(&[
            ("a wrong secret", Reply::status(401).into()),
            ("a missing right", Reply::status(403).into()),
            ("no such address", Reply::status(404).into()),
            (
                "an address that moved",
                Reply::redirect(308, "http://127.0.0.1/").into(),
            ),
            (
                "something that takes no events",
                Reply::status(200).header("allow", "GET, HEAD").into(),
            ),
            ("a receiver that left", Reply::status(410).into()),
            ("a receiver that is not well", Reply::status(503).into()),
            ("something else than a web server", Play::Garbage),
        ])
        .await;
}

#[tokio::test]
async fn b03_a_receiver_that_only_knows_posts_is_healthy() {
    let standin = Standin::start().await;
    for reply in [
        Reply::status(405).header("allow", "POST"),
        Reply::status(405),
        Reply::status(501),
        Reply::status(204).header("allow", "OPTIONS, POST"),
    ] {
        standin.script([reply]);
        let findings = tool(settings(&standin.url("/")), &kit()).check().await;
        assert_eq!(findings, []);
    }
}

#[tokio::test]
async fn check_says_when_events_are_not_signed_or_the_secret_is_no_good() {
    let standin = Standin::start().await;
    let folder = tempfile::tempdir().unwrap();
    let url = standin.url("/");
    let missing = folder.path().join("missing");
    for (settings, code) in [
        (json!({ "url": url }), "webhook.unsigned"),
        (
            json!({ "url": url, "secret": "whsec_c2hvcnQ=" }),
            "webhook.short-secret",
        ),
        (json!({ "url": url, "secret": "hunter2" }), "webhook.secret"),
        (
            json!({ "url": url, "secret_file": missing }),
            "secret.unreadable",
        ),
    ] {
        let findings = tool(settings, &kit()).check().await;
        let codes: Vec<_> = findings.iter().map(|found| found.code.as_str()).collect();
        assert_eq!(codes, [code]);
    }
}

#[tokio::test]
async fn b06_ten_deliveries_of_an_event_are_one_event_for_the_receiver() {
    played().b06_idempotent().await;
}

#[tokio::test]
async fn b07_a_lost_answer_is_one_event_for_the_receiver() {
    played().b07_lost_answer().await;
    let tool = tool(settings("http://127.0.0.1:9/"), &kit());
    let found = tool.sink().unwrap().find(&job(0)).await.unwrap();
    assert_eq!(found, Found::CannotTell);
}

#[tokio::test]
async fn b11_the_secret_is_never_shown() {
    let logs = Logs::listen();
    let standin = Standin::start().await;
    standin.always(Reply::status(401).body(SECRET));
    let tool = tool(settings(&standin.url(&format!("/{SECRET}"))), &kit());
    let failure = tool.sink().unwrap().apply(&job(0)).await.unwrap_err();
    let findings = tool.check().await;
    assert!(!findings.is_empty());
    conformance::b11_secrets(SECRET, &[&failure, &findings, &tool.describe()]);
    conformance::b11_secrets(SECRET, &[&standin.seen()[0].headers, &logs.text()]);
    assert!(logs.text().contains("webhook"), "the failure was logged");
}

#[tokio::test]
async fn b12_no_answer_holds_or_fills_it() {
    played().b12_bounded().await;
}

#[test]
fn b14_the_guide_is_complete_in_both_languages() {
    conformance::b14_guide(include_str!("../README.md"));
}

#[tokio::test]
async fn s01_every_failure_has_its_blame() {
    played().s01_error_classes(&[]).await;
}

#[tokio::test]
async fn s02_the_receiver_s_wish_to_wait_is_handed_on() {
    played().s02_retry_after().await;
}

#[tokio::test]
async fn s05_a_replaced_secret_signs_the_next_event() {
    let standin = Standin::start().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("secrets")).unwrap();
    let file = folder.path().join("secrets/webhook");
    let mut kit = kit();
    kit.base = folder.path().to_owned();
    let tool = tool(
        json!({ "url": standin.url("/"), "secret_file": "secrets/webhook" }),
        &kit,
    );
    let sink = tool.sink().unwrap();
    for secret in [SECRET, "whsec_b3RoZXIgc2VjcmV0IG9mIHRoZSBzYW1lIGxlbmd0aA=="] {
        std::fs::write(&file, format!("{secret}\n")).unwrap();
        sink.apply(&job(0)).await.unwrap();
        let seen = standin.seen().pop().unwrap();
        let expected = standardwebhooks::Webhook::new(secret)
            .unwrap()
            .sign(&webhook_id(&seen), NOON.as_second(), &seen.body)
            .unwrap();
        assert_eq!(seen.header("webhook-signature"), expected);
    }
    std::fs::remove_file(&file).unwrap();
    let failure = sink.apply(&job(0)).await.unwrap_err();
    assert_eq!(failure.blame, Blame::Access);
    assert_eq!(
        standin.seen().len(),
        2,
        "nothing is sent unsigned by mistake"
    );
}

#[tokio::test]
async fn s15_hostile_text_arrives_as_the_text_it_is() {
    let standin = Standin::start().await;
    let tool = tool(settings(&standin.url("/")), &kit());
    let long = conformance::very_long();
    for title in HOSTILE.iter().copied().chain([long.as_str()]) {
        tool.sink()
            .unwrap()
            .apply(&job_of(event(0, title)))
            .await
            .unwrap();
        let seen = standin.seen().pop().unwrap();
        let read: Value = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!(read["data"]["title"], title);
        assert_eq!(seen.headers.len(), 7, "{:?}", seen.headers);
    }
}

#[tokio::test]
async fn a_repeat_has_the_same_id_and_bytes_under_a_fresh_timestamp_and_signature() {
    let standin = Standin::start().await;
    let clock = Arc::new(ManualClock::at(NOON));
    let mut kit = kit();
    kit.clock = clock.clone();
    let tool = tool(settings(&standin.url("/in?place=raffinerie")), &kit);
    let sink = tool.sink().unwrap();
    let job = job(0);
    let applied = sink.apply(&job).await.unwrap().applied;
    clock.advance(SignedDuration::from_hours(2));
    sink.apply(&job).await.unwrap();

    let [first, second] = &standin.seen()[..] else {
        panic!("two requests")
    };
    let Job::Send { event, body } = &job else {
        panic!("an event")
    };
    assert_eq!(webhook_id(first), event.id.to_string());
    assert_eq!(applied.external, event.id.to_string());
    assert_eq!(webhook_id(first), webhook_id(second));
    assert_eq!(first.body, second.body);
    assert_eq!(first.body, body);
    assert_eq!(first.path, "/in?place=raffinerie");
    assert_eq!(first.header("content-type"), "application/cloudevents+json");
    assert_eq!(first.header("webhook-timestamp"), "1798876800");
    assert_eq!(second.header("webhook-timestamp"), "1798884000");
    let reference = standardwebhooks::Webhook::new(SECRET).unwrap();
    for seen in [first, second] {
        let at = seen.header("webhook-timestamp").parse().unwrap();
        let expected = reference.sign(&webhook_id(seen), at, &seen.body).unwrap();
        assert_eq!(seen.header("webhook-signature"), expected);
    }
}

#[tokio::test]
async fn a_receiver_that_is_gone_switches_the_connector_off() {
    let standin = Standin::start().await;
    standin.script([Reply::status(410)]);
    let tool = tool(settings(&standin.url("/")), &kit());
    let failure = tool.sink().unwrap().apply(&job(0)).await.unwrap_err();
    assert!(failure.gone);
    assert_eq!(failure.code, "webhook.gone");
    assert!(failure.mend.fr.contains("rallumiez"));
}

#[tokio::test]
async fn nothing_but_events_is_ever_sent() {
    let standin = Standin::start().await;
    let tool = tool(settings(&standin.url("/")), &kit());
    let entity = EntityId::derive(&[b"x"]);
    let remove = Job::Remove {
        entity,
        link: Link {
            external: String::new(),
            tag: None,
            hash: Digest::of(b""),
            revision: 1,
            url: None,
        },
    };
    let failure = tool.sink().unwrap().apply(&remove).await.unwrap_err();
    assert_eq!(failure.blame, Blame::Bug);
    assert_eq!(standin.seen().len(), 0);
}
