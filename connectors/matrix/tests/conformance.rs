//! The rules of the quality scale that can be played by a test.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use common::house::{ME, refusal};
use common::{Stage, TOKEN, activity, desired, settings};
use raccord_connector_matrix::CONNECTOR;
use raccord_kit::conformance::{self, HOSTILE, QualityLevel, STATUSES};
use raccord_kit::standin::{Play, Reply, Seen, Standin};
use raccord_kit::testing::{Logs, kit};
use raccord_kit::{Job, Level};
use raccord_model::{Blame, EntityKind, Found, Mode, Observation, Period, Schemas, Way};
use serde_json::{Value, json};

#[test]
fn the_claims_of_quality_toml_are_true() {
    let quality = conformance::quality(Path::new(".")).unwrap();
    assert_eq!(quality.level, QualityLevel::Silver);
}

#[test]
fn b01_the_card_says_what_the_connector_does() {
    let tool = (CONNECTOR.build)(settings("http://h/"), &kit()).unwrap();
    let manifest = tool.describe();
    conformance::card(&CONNECTOR, &manifest).unwrap();
    let handles: Vec<_> = manifest
        .handles
        .iter()
        .map(|one| (one.entity, one.mode))
        .collect();
    assert_eq!(
        handles,
        [
            (EntityKind::Activity, Mode::Announce),
            (EntityKind::Notice, Mode::Announce),
            (EntityKind::Person, Mode::Tell(Way::Chat)),
            (EntityKind::Activity, Mode::Publication(Period::Month)),
        ]
    );
    assert_eq!(tool.sink().unwrap().approvers(), ["@lou:example.org"]);
}

#[test]
fn b02_broken_settings_are_refused_by_their_key() {
    let with = |key: &str, value: Value| {
        let mut all = settings("https://matrix.example.org");
        all[key] = value;
        all
    };
    let without = |key: &str| {
        let mut all = settings("https://matrix.example.org");
        all.as_object_mut().unwrap().remove(key);
        all
    };
    let mut in_a_file = without("token");
    in_a_file["token_file"] = json!("secrets/matrix");
    conformance::b02_config(
        &CONNECTOR,
        &[
            settings("https://matrix.example.org/"),
            with("hear", json!("all")),
            with("hear", json!("none")),
            without("channel"),
            in_a_file,
        ],
        &[
            (without("url"), "url"),
            (with("url", json!("matrix.example.org")), "url"),
            (with("url", json!("https://a:b@matrix.example.org/")), "url"),
            (with("chanel", json!("x")), "chanel"),
            (with("channel", json!("")), "channel"),
            (with("hear", json!("some")), "hear"),
            (with("approvers", json!("@lou:x")), "approvers"),
            (with("token_file", json!("x")), "token"),
        ],
    );
}

#[tokio::test]
async fn check_tells_every_reason_apart_and_writes_nothing() {
    let stage = Stage::open().await;
    stage.house.state().joined = true;
    assert!(stage.tool.check().await.is_empty());
    let mut codes = BTreeSet::new();
    let mut told = |name: &str, findings: Vec<raccord_kit::Finding>| {
        let new = findings
            .iter()
            .any(|found| codes.insert(found.code.clone()));
        assert!(new, "{name} is not told apart: {findings:?}");
        assert!(
            findings
                .iter()
                .all(|found| found.text.fr != found.text.en && found.mend.fr != found.mend.en)
        );
    };
    let of = |url: &str| (CONNECTOR.build)(settings(url), &kit()).unwrap();
    told("a wrong host", of(&Standin::nobody().await).check().await);
    let tls = Standin::start_tls().await;
    told("a wrong certificate", of(&tls.url("/")).check().await);
    let insecure = stage.standin.url("/").replace("http:", "https:");
    told("a server without https", of(&insecure).check().await);
    stage.answers(|_| Some(Reply::login_page().into()));
    told("a web page", stage.tool.check().await);
    stage.answers(|_| None);
    stage.house.state().token = "another".into();
    told("a token that is refused", stage.tool.check().await);
    stage.house.state().token = TOKEN.into();
    stage.house.state().encrypted = true;
    told("an encrypted room", stage.tool.check().await);
    stage.house.state().encrypted = false;
    stage.house.state().power = 0;
    told("no right to pin", stage.tool.check().await);
    stage.house.state().power = 50;
    stage.house.state().joined = false;
    let away = stage.tool.check().await;
    assert!(
        away.iter().all(|found| found.level == Level::Warning),
        "it enters by itself"
    );
    told("not in the room", away);
    let nowhere = Stage::with(|all| all["channel"] = json!("#nowhere:example.org")).await;
    told("no such room", nowhere.tool.check().await);
    let none = Stage::with(|all| {
        all.as_object_mut().unwrap().remove("token");
    });
    told("no token", none.await.tool.check().await);
    assert!(stage.standin.writes().is_empty() && nowhere.standin.writes().is_empty());
}

#[tokio::test]
async fn b04_what_a_thousand_messages_say_is_valid() {
    let stage = Stage::with(|all| all["hear"] = json!("all")).await;
    stage.house.state().joined = true;
    let (_, start) = stage.hear(None).await;
    for number in 0..1_000 {
        let text = HOSTILE[number % HOSTILE.len()].repeat(1 + number % 3);
        let text = if number % 50 == 0 {
            conformance::very_long()
        } else {
            text
        };
        match number % 5 {
            0 => stage.house.member("@a:x", "m.room.message", json!({ "body": number })),
            1 => stage.house.member("@a:x", "m.reaction", json!({ "m.relates_to": { "rel_type": "m.annotation", "event_id": "$1", "key": text } })),
            2 => stage.house.member("@a:x", "m.room.message", json!({ "body": text, "m.relates_to": { "rel_type": "m.replace", "event_id": "$2" }, "m.new_content": { "body": text } })),
            _ => stage.house.says("@a:x", &text),
        };
    }
    let (changes, _) = stage.hear(start.as_deref()).await;
    assert!(changes.len() > 700, "{}", changes.len());
    for change in changes {
        let data = serde_json::to_value(&change.fields).unwrap();
        let faults = Schemas::shared().check_posted(change.kind, change.verb, &data);
        assert!(faults.is_empty(), "{data}: {faults:?}");
        assert!(!change.id.is_empty() && change.sender == "tested");
    }
}

#[tokio::test]
async fn b05_a_message_keeps_its_name_through_edits_gaps_and_second_readings() {
    let stage = Stage::with(|all| all["hear"] = json!("all")).await;
    stage.house.state().joined = true;
    let (_, start) = stage.hear(None).await;
    let id = stage.house.says("@a:x", "un");
    stage.house.member("@a:x", "m.room.message", json!({ "body": "* deux", "m.relates_to": { "rel_type": "m.replace", "event_id": id }, "m.new_content": { "body": "deux" } }));
    for number in 0..450 {
        stage.house.says("@b:x", &format!("bruit {number}"));
    }
    let (changes, next) = stage.hear(start.as_deref()).await;
    assert_eq!(changes.len(), 452, "the gap is read back");
    assert_eq!(
        changes[0].subject, changes[1].subject,
        "an edit is of the same message"
    );
    assert_ne!(changes[0].id, changes[1].id, "and another change");
    let (again, _) = stage.hear(start.as_deref()).await;
    let ids = |changes: &[raccord_model::Change]| {
        changes.iter().map(|one| one.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&again), ids(&changes), "read again it is the same");
    assert!(stage.hear(next.as_deref()).await.0.is_empty());
}

#[tokio::test]
async fn b06_the_same_change_ten_times_at_once_is_one_message() {
    let stage = Stage::open().await;
    let job = stage.job(&activity(0, "Bal"), None);
    let many: Vec<_> = (0..10).map(|_| stage.write(&job)).collect();
    for made in futures_util::future::join_all(many).await {
        made.unwrap();
    }
    assert_eq!(stage.house.messages().len(), 1);
    stage
        .write(&stage.job(&activity(1, "Concert"), None))
        .await
        .unwrap();
    assert_eq!(stage.house.messages().len(), 2);
}

#[tokio::test]
async fn b07_a_lost_answer_is_unknown_and_found_even_when_the_server_forgot_the_repeat() {
    let stage = Stage::open().await;
    let job = stage.job(&activity(0, "Bal"), None);
    assert!(matches!(
        stage.tool.sink().unwrap().find(&job).await.unwrap(),
        Found::No { .. }
    ));
    let house = stage.house.clone();
    stage.standin.direct(move |seen| {
        let play = house.answer(seen);
        if sends(seen) {
            Play::DoneThenReset
        } else {
            play
        }
    });
    let failure = stage.write(&job).await.unwrap_err();
    assert_eq!(failure.blame, Blame::Unknown);
    stage.answers(|_| None);
    stage.house.forgets_transactions();
    for _ in 0..150 {
        stage.house.says("@a:x", "bruit");
    }
    let found = stage.tool.sink().unwrap().find(&job).await.unwrap();
    let Found::Yes(applied) = found else {
        panic!("{found:?}")
    };
    assert_eq!(applied.external, "!room:example.org $0");
    assert_eq!(stage.house.messages().len(), 1);
}

#[tokio::test]
async fn b09_doubt_is_an_error_and_takes_nothing_away() {
    let stage = Stage::with(|all| all["hear"] = json!("all")).await;
    stage.house.state().joined = true;
    let (_, start) = stage.hear(None).await;
    stage.house.says("@a:x", "un");
    let doubts: [Play; 6] = [
        Reply::status(500).into(),
        Reply::status(404).into(),
        Reply::login_page().into(),
        Reply::ok("").into(),
        Play::CutBody(Reply::ok("{\"next_batch\":\"s9\"}".repeat(20)), 30),
        Play::Garbage,
    ];
    for play in doubts {
        let doubt = play.clone();
        stage.answers(move |seen| seen.path.contains("/sync").then(|| doubt.clone()));
        let seen = stage.read(start.as_deref()).await;
        assert!(seen.is_err(), "{play:?}: {seen:?}");
    }
    stage.answers(|_| None);
    assert_eq!(
        stage.hear(start.as_deref()).await.0.len(),
        1,
        "nothing was lost"
    );
}

#[tokio::test]
async fn b10_what_we_said_and_what_other_programs_say_is_not_heard() {
    let stage = Stage::with(|all| all["hear"] = json!("all")).await;
    stage.house.state().joined = true;
    let (_, start) = stage.hear(None).await;
    stage.say(&activity(0, "Bal"), None).await;
    stage.house.member(
        "@bot:x",
        "m.room.message",
        json!({ "msgtype": "m.notice", "body": "!programme" }),
    );
    stage.house.member(
        "@raccord:other",
        "m.room.message",
        json!({ "msgtype": "m.text", "body": "!programme", "org.raccord.key": "x" }),
    );
    let (changes, _) = stage.hear(start.as_deref()).await;
    assert!(changes.is_empty(), "{changes:?}");
}

#[tokio::test]
async fn b11_the_token_is_shown_to_the_server_and_to_nobody_else() {
    let logs = Logs::listen();
    let stage = Stage::open().await;
    let link = stage.say(&activity(0, "Bal"), None).await;
    stage.house.state().token = "another".into();
    let failure = stage
        .write(&stage.job(&activity(1, "Bal"), None))
        .await
        .unwrap_err();
    assert_eq!(
        (failure.blame, failure.code.as_str()),
        (Blame::Access, "matrix.token-refused")
    );
    let findings = stage.tool.check().await;
    let seen = stage.read(Some("s0")).await;
    let shown: [&dyn std::fmt::Debug; 6] = [
        &link,
        &failure,
        &findings,
        &seen,
        &stage.tool.describe(),
        &logs.text(),
    ];
    conformance::b11_secrets(TOKEN, &shown);
    assert!(
        stage
            .standin
            .seen()
            .iter()
            .all(|seen| !seen.path.contains(TOKEN))
    );
}

#[tokio::test]
async fn b12_a_server_that_drips_or_never_ends_is_given_up() {
    let stage = Stage::open().await;
    let job = stage.job(&activity(0, "Bal"), None);
    stage.write(&job).await.unwrap();
    let start = std::time::Instant::now();
    stage
        .standin
        .always(Play::Huge(Reply::status(200), 1_000_000_000));
    assert!(stage.read(Some("s0")).await.is_err());
    assert!(stage.write(&job).await.is_err());
    assert!(start.elapsed() < Duration::from_secs(20));
    tokio::time::pause();
    let start = tokio::time::Instant::now();
    let slow = Reply::ok("x".repeat(1_000));
    stage
        .standin
        .always(Play::Drip(slow, Duration::from_secs(1)));
    assert!(stage.read(Some("s0")).await.is_err());
    assert!(start.elapsed() <= raccord_kit::http::TIME + Duration::from_secs(1));
}

#[test]
fn b14_the_guide_is_complete_in_both_languages() {
    conformance::b14_guide(include_str!("../README.md"));
}

/// Whether a request says something.
fn sends(seen: &Seen) -> bool {
    seen.method == "PUT" && seen.path.contains("/send/")
}

#[tokio::test]
async fn s01_every_refusal_of_a_message_has_its_blame_and_is_not_repeated() {
    let stage = Stage::open().await;
    stage.say(&activity(0, "Bal"), None).await;
    let job = stage.job(&activity(1, "Concert"), None);
    let count = |stage: &Stage| {
        stage
            .standin
            .seen()
            .iter()
            .filter(|seen| sends(seen))
            .count()
    };
    for (status, usual) in STATUSES {
        // After these the server may have acted all the same.
        let blame = if [500, 502, 504].contains(status) {
            Blame::Unknown
        } else {
            *usual
        };
        let status = *status;
        stage.answers(move |seen| sends(seen).then(|| Reply::status(status).into()));
        let before = count(&stage);
        let failure = stage.write(&job).await.unwrap_err();
        assert_eq!(failure.blame, blame, "{status}: {failure:?}");
        assert_eq!(failure.gone, status == 410, "{status}");
        assert_eq!(count(&stage), before + 1, "{status} was repeated");
    }
    for (status, code, blame) in [
        (403, "M_FORBIDDEN", Blame::Data),
        (403, "M_USER_DEACTIVATED", Blame::Access),
        (401, "M_UNKNOWN_TOKEN", Blame::Access),
        (413, "M_TOO_LARGE", Blame::Data),
        (429, "M_LIMIT_EXCEEDED", Blame::Transient),
    ] {
        stage.answers(move |seen| sends(seen).then(|| refusal(status, code)));
        assert_eq!(stage.write(&job).await.unwrap_err().blame, blame, "{code}");
    }
    for play in [Play::DoneThenReset, Play::Reset, Play::Garbage] {
        let lost = play.clone();
        stage.answers(move |seen| sends(seen).then(|| lost.clone()));
        assert_eq!(
            stage.write(&job).await.unwrap_err().blame,
            Blame::Unknown,
            "{play:?}"
        );
    }
    stage.answers(|seen| sends(seen).then(|| Reply::ok("<html>").into()));
    assert_eq!(stage.write(&job).await.unwrap_err().blame, Blame::Unknown);
    let tls = Standin::start_tls().await;
    for url in [
        Standin::nobody().await,
        tls.url("/"),
        "http://no-such-name.invalid/".to_owned(),
    ] {
        let tool = (CONNECTOR.build)(settings(&url), &kit()).unwrap();
        let failure = tool.sink().unwrap().apply(&job).await.unwrap_err();
        assert_eq!(failure.blame, Blame::Transient, "{url}");
    }
}

#[tokio::test]
async fn s02_a_server_that_asks_for_quiet_is_heard_in_all_its_forms() {
    let stage = Stage::open().await;
    stage.say(&activity(0, "Bal"), None).await;
    let job = stage.job(&activity(1, "Concert"), None);
    let date = Reply::status(503)
        .header("date", "Sat, 02 Jan 2027 10:00:00 GMT")
        .header("retry-after", "Sat, 02 Jan 2027 10:00:45 GMT");
    let body = json!({ "errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 4_047 });
    for (reply, wait) in [
        (Reply::status(429).header("retry-after", "120"), 120_000),
        (date, 45_000),
        (
            Reply::status(429)
                .header("retry-after", "5")
                .body(body.to_string()),
            4_047,
        ),
    ] {
        stage.answers(move |seen| sends(seen).then(|| reply.clone().into()));
        let failure = stage.write(&job).await.unwrap_err();
        assert_eq!(
            (failure.blame, failure.retry_after_ms),
            (Blame::Transient, Some(wait))
        );
    }
}

#[tokio::test]
async fn s07_an_unchanged_poll_is_one_small_request() {
    let stage = Stage::open().await;
    stage.house.state().joined = true;
    let (_, start) = stage.hear(None).await;
    stage.hear(start.as_deref()).await;
    let before = stage.standin.seen().len();
    let seen = stage.read(start.as_deref()).await.unwrap();
    assert!(matches!(seen, Observation::Unchanged { .. }));
    let asked = &stage.standin.seen()[before..];
    assert_eq!(asked.len(), 1);
    let size: usize = asked
        .iter()
        .map(|seen| seen.path.len() + seen.body.len())
        .sum();
    assert!(size < 2_000, "{size}");
}

#[tokio::test]
async fn what_is_said_between_two_processes_is_heard_though_the_server_keeps_its_answers() {
    let mut stage = Stage::with(|all| all["hear"] = json!("all")).await;
    stage.house.state().joined = true;
    stage.house.state().keeps = true;
    let (_, start) = stage.hear(None).await;
    assert!(stage.hear(start.as_deref()).await.0.is_empty());
    stage.house.says("@a:x", "bonjour");
    let clock = std::sync::Arc::new(raccord_kit::ManualClock::at(raccord_kit::testing::NOON));
    clock.advance(jiff::SignedDuration::from_millis(1_234));
    let mut later = kit();
    later.clock = clock;
    let mut settings = settings(&stage.standin.url("/"));
    settings["hear"] = json!("all");
    stage.tool = (CONNECTOR.build)(settings, &later).unwrap();
    let (heard, _) = stage.hear(start.as_deref()).await;
    assert_eq!(heard.len(), 1);
}

#[tokio::test]
async fn s15_hostile_text_stays_text_and_names_nobody() {
    let stage = Stage::open().await;
    for (number, text) in HOSTILE.iter().enumerate() {
        let mut entity = activity(number, text);
        entity
            .fields
            .insert("description".into(), json!(format!("{text}\n{text}")));
        if desired_title(&stage, &entity) {
            stage.say(&entity, None).await;
        }
    }
    let mut long = activity(99, &conformance::very_long());
    long.fields
        .insert("description".into(), json!(conformance::very_long()));
    stage.say(&long, None).await;
    for event in &stage.house.state().events {
        let content = &event["content"];
        assert_eq!(content["m.mentions"], json!({}));
        assert_eq!(event["sender"], ME);
        let (body, html) = (
            content["body"].as_str().unwrap(),
            content["formatted_body"].as_str().unwrap(),
        );
        for text in [body, html] {
            for word in [
                "@all",
                "@here",
                "@channel",
                "@everyone",
                "<!",
                "<@",
                "@room",
                "\u{202e}",
            ] {
                assert!(!text.contains(word), "{text} says {word}");
            }
        }
        for tag in ["<script", "<img", "<svg", "</title", "href=\"javascript"] {
            assert!(!html.contains(tag), "{html}");
        }
    }
}

/// Whether there is something to say of it.
fn desired_title(stage: &Stage, entity: &raccord_model::Entity) -> bool {
    !desired(&*stage.tool, entity).title.trim().is_empty()
}

#[tokio::test]
async fn g07_one_message_through_change_cancellation_and_return() {
    let stage = Stage::open().await;
    let mut entity = activity(0, "Bal");
    let link = stage.say(&entity, None).await;
    entity.fields.insert("status".into(), json!("cancelled"));
    let link = stage.say(&entity, Some(link)).await;
    assert!(stage.house.messages()[0].starts_with("Annulé"));
    entity.fields.remove("status");
    let link = stage.say(&entity, Some(link)).await;
    assert!(stage.house.messages()[0].starts_with("Bal"));
    // Written again as it stands, nothing is sent.
    let before = stage.standin.writes().len();
    let made = stage
        .write(&stage.job(&entity, Some(link.clone())))
        .await
        .unwrap();
    assert!(made.unchanged && stage.standin.writes().len() == before);
    let job = Job::Remove {
        entity: entity.id,
        link: link.clone(),
    };
    stage.write(&job).await.unwrap();
    stage.write(&job).await.unwrap();
    assert!(stage.house.messages().is_empty());
    // What was taken away stays away.
    let made = stage.write(&stage.job(&entity, Some(link))).await.unwrap();
    assert_eq!(made.applied.tag.as_deref(), Some("gone"));
}

#[tokio::test]
async fn g11_rooms_to_pick_are_those_the_account_is_in() {
    let stage = Stage::open().await;
    stage.house.state().joined = true;
    let choices = stage.tool.choices().await.unwrap();
    assert_eq!(choices.len(), 1);
    assert_eq!(
        (choices[0].value.as_str(), choices[0].title.as_str()),
        ("#programme:example.org", "Programme")
    );
}

#[tokio::test]
async fn a_room_that_is_closed_encrypted_or_unknown_is_told_and_others_are_not_kept() {
    let stage = Stage::open().await;
    let job = stage.job(&activity(0, "Bal"), None);
    stage.house.state().invited = false;
    assert_eq!(
        stage.write(&job).await.unwrap_err().code,
        "matrix.not-a-member"
    );
    stage.house.state().invited = true;
    stage.house.state().encrypted = true;
    assert_eq!(
        stage.write(&job).await.unwrap_err().code,
        "matrix.encrypted"
    );
    stage.house.state().encrypted = false;
    stage.write(&job).await.unwrap();
    let nowhere = Stage::with(|all| all["channel"] = json!("#nowhere:example.org")).await;
    let job = nowhere.job(&activity(0, "Bal"), None);
    assert_eq!(
        nowhere.write(&job).await.unwrap_err().code,
        "matrix.no-room"
    );
    assert!(nowhere.standin.writes().is_empty());
}
