//! The rules of the quality scale that can be played by a test.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;
use std::time::Duration;

use common::phone::PASSWORD;
use common::spool::Spool;
use common::{Bench, NUMBER, Stage, activity, entity, settings};
use raccord_connector_sms::CONNECTOR;
use raccord_kit::conformance::{self, HOSTILE, Reasons, STATUSES};
use raccord_kit::standin::{Play, Reply, Standin};
use raccord_kit::testing::{Logs, kit};
use raccord_kit::{Level, Proof, Tool};
use raccord_model::{Blame, Class, EntityKind, Found, Lang, Mode, Saying, Way, told_of};
use serde_json::{Value, json};

fn tool(settings: Value) -> Box<dyn Tool> {
    (CONNECTOR.build)(settings, &kit()).unwrap()
}

#[test]
fn the_claims_of_quality_toml_are_true() {
    conformance::quality(Path::new(".")).unwrap();
}

#[test]
fn b01_the_card_says_what_the_connector_does() {
    let spool = Spool::new(None);
    for settings in [settings("http://h/"), spool.settings()] {
        let manifest = tool(settings).describe();
        conformance::card(&CONNECTOR, &manifest).unwrap();
        let told = &manifest.handles[0];
        assert_eq!(
            (told.entity, told.mode, told.class),
            (EntityKind::Person, Mode::Tell(Way::Sms), Class::Find)
        );
    }
}

#[test]
fn b02_broken_settings_are_refused_by_their_key() {
    let android = |key: &str, value: Value| {
        let mut all = settings("https://sms.example.org/3rdparty/v1");
        all[key] = value;
        all
    };
    let gammu = json!({ "system": "gammu", "outbox": "o", "sent": "s", "errors": "e" });
    let of_gammu = |key: &str, value: Value| {
        let mut all = gammu.clone();
        all[key] = value;
        all
    };
    let without = |mut all: Value, key: &str| {
        all.as_object_mut().unwrap().remove(key);
        all
    };
    let mut in_a_file = without(settings("http://192.168.1.20:8080"), "password");
    in_a_file["password_file"] = json!("secrets/sms");
    conformance::b02_config(
        &CONNECTOR,
        &[
            settings("http://192.168.1.20:8080"),
            android("device", json!("PyDmBQZZXYmyxMwED8Fzy")),
            android("per_day", json!(10)),
            in_a_file,
            gammu.clone(),
            of_gammu("country", json!("+33")),
        ],
        &[
            (without(gammu.clone(), "system"), "system"),
            (android("system", json!("pigeon")), "system"),
            (without(android("x", json!(1)), "url"), "x"),
            (without(android("device", json!("a")), "url"), "url"),
            (without(android("device", json!("a")), "user"), "user"),
            (android("url", json!("sms.example.org")), "url"),
            (android("url", json!("https://a:b@sms.example.org/")), "url"),
            (android("outbox", json!("o")), "outbox"),
            (android("country", json!("FR")), "country"),
            (android("per_day", json!(0)), "per_day"),
            (android("password_file", json!("x")), "password"),
            (without(gammu.clone(), "errors"), "errors"),
            (of_gammu("url", json!("http://h/")), "url"),
            (of_gammu("sent", json!("o")), "sent"),
            (of_gammu("errors", json!("s")), "errors"),
        ],
    );
}

#[tokio::test]
async fn b03_check_tells_every_reason_apart_and_writes_nothing() {
    let mut reasons = Reasons::default();
    let calm = Stage::open().await;
    assert_eq!(calm.tool.check().await, []);
    reasons
        .at_the_door(async |url| tool(settings(&url)).check().await)
        .await;
    let findings = async |change: fn(&mut Value), server: fn(&Stage)| {
        let stage = Stage::with(None, change).await;
        server(&stage);
        let found = stage.tool.check().await;
        assert!(stage.standin.writes().is_empty(), "check wrote");
        found
    };
    let locked = findings(|_| (), |stage| stage.phone.state().locked = true);
    reasons.tells("a wrong password", &locked.await);
    let none = findings(
        |all| drop(all.as_object_mut().unwrap().remove("password")),
        |_| (),
    );
    reasons.tells("no password", &none.await);
    let two = findings(
        |_| (),
        |stage| stage.phone.state().devices.push("phone-2".to_owned()),
    );
    reasons.tells("two phones", &two.await);
    let other = findings(|all| all["device"] = json!("phone-9"), |_| ());
    reasons.tells("a phone that is not there", &other.await);
    let no_phone = findings(|_| (), |stage| stage.phone.state().devices.clear());
    reasons.tells("no phone", &no_phone.await);

    let failed = Stage::open().await;
    failed.phone.state().off = true;
    failed.send(1).await.unwrap();
    failed.pass(13 * 3_600);
    failed.phone.state().off = false;
    // It was given to it yesterday: only today's are told.
    assert_eq!(failed.tool.check().await, []);
    failed.send(2).await.unwrap();
    for message in failed.phone.state().messages.values_mut() {
        message.state = "Failed";
    }
    reasons.tells("one that did not go out", &failed.tool.check().await);

    let spool = Spool::new(None);
    assert_eq!(tool(spool.settings()).check().await, []);
    for (name, key) in [("outbox", "outbox"), ("sent", "sent"), ("error", "errors")] {
        let spool = Spool::new(None);
        std::fs::remove_dir(spool.path(name)).unwrap();
        let found = tool(spool.settings()).check().await;
        assert_eq!(found[0].place, key);
        reasons.tells(name, &found);
    }
    let mut spool = Spool::new(None);
    let bench = Bench::new(spool.settings());
    bench.send(1).await.unwrap();
    assert_eq!(bench.tool.check().await, []);
    bench.pass(3_600);
    reasons.tells("a daemon that takes nothing", &bench.tool.check().await);
    spool.broke = true;
    spool.works();
    let found = bench.tool.check().await;
    assert_eq!(found[0].code, "sms.failed");
    assert_eq!(found[0].level, Level::Warning);
}

#[tokio::test]
async fn b05_a_message_keeps_its_id_and_the_next_has_another() {
    let stage = Stage::open().await;
    let concert = activity(1, &json!({}));
    let first = stage.desired(NUMBER, &concert);
    assert_eq!(first, stage.desired(NUMBER, &concert));
    let mut ids = std::collections::BTreeSet::new();
    let sign_up = entity(
        EntityKind::Registration,
        9,
        &json!({ "state": "registered" }),
    );
    let before = told_of(&activity(1, &json!({ "room": "Jardin" })));
    for times in 1..4 {
        let saying = Saying::Mine {
            to: NUMBER,
            registration: &sign_up,
            subject: &concert,
            activity: None,
            before: Some(&before),
            position: None,
            times,
        };
        let desired = stage.say(sign_up.id, saying, Lang::Fr).unwrap();
        ids.insert(desired.body["id"].as_str().unwrap().to_owned());
    }
    ids.insert(first.body["id"].as_str().unwrap().to_owned());
    assert_eq!(ids.len(), 4);
}

#[tokio::test]
async fn b06_the_same_message_ten_times_at_once_is_one() {
    let stage = Stage::open().await;
    let mut spool = Spool::new(None);
    let gammu = Bench::new(spool.settings());
    for bench in [&stage.bench, &gammu] {
        let job = bench.job(NUMBER, 1);
        let sink = bench.tool.sink().unwrap();
        sink.apply(&job).await.unwrap();
        let all = futures_util::future::join_all((0..9).map(|_| sink.apply(&job))).await;
        assert!(all.iter().all(Result::is_ok));
        bench.send(2).await.unwrap();
    }
    assert_eq!(stage.phone.left().len(), 2);
    spool.works();
    gammu.send(1).await.unwrap();
    spool.works();
    assert_eq!(spool.left.len(), 2, "one that was sent is known too");
}

#[tokio::test]
async fn b07_a_lost_answer_is_unknown_and_what_came_of_it_is_found() {
    let mut stage = Stage::open().await;
    stage.phone.state().faults.push_back(Play::DoneThenReset);
    let failure = stage.send(1).await.unwrap_err();
    assert_eq!(failure.blame, Blame::Unknown);
    stage.bench.restart();
    let Found::Yes(found) = stage.find(1).await else {
        panic!("it is there");
    };
    assert_eq!(found.external, stage.id(1));
    stage.phone.state().faults.push_back(Play::Reset);
    assert_eq!(stage.send(2).await.unwrap_err().blame, Blame::Unknown);
    stage.pass(60);
    let Found::No { listed } = stage.find(2).await else {
        panic!("it is not there");
    };
    assert_eq!(listed, stage.kit.clock.now());

    let mut spool = Spool::new(None);
    let gammu = Bench::new(spool.settings());
    assert!(matches!(gammu.find(1).await, Found::No { .. }));
    gammu.send(1).await.unwrap();
    for folder in ["outbox", "sent"] {
        assert_eq!(spool.names(folder).len(), 1, "{folder}");
        assert!(matches!(gammu.find(1).await, Found::Yes(_)), "{folder}");
        spool.works();
    }
    spool.broke = true;
    gammu.send(2).await.unwrap();
    spool.works();
    assert!(matches!(gammu.find(2).await, Found::Yes(_)), "it failed");
}

#[tokio::test]
async fn b11_neither_password_nor_number_is_shown_to_anybody() {
    let logs = Logs::listen();
    let stage = Stage::open().await;
    stage.send(1).await.unwrap();
    let mut shown: Vec<String> = Vec::new();
    for (status, text) in [(400, NUMBER), (500, NUMBER), (403, "no")] {
        let reply = Reply::status(status).body(json!({ "message": text }).to_string());
        stage.phone.state().faults.push_back(reply.into());
        shown.push(format!("{:?}", stage.send(2).await.unwrap_err()));
    }
    shown.push(format!("{:?}", stage.send_to("0692 12 34 5x", 3).await));
    stage.phone.state().locked = true;
    shown.push(format!("{:?}", stage.send(4).await.unwrap_err()));
    shown.push(format!("{:?}", stage.tool.check().await));
    shown.push(format!("{:?}", stage.tool.describe()));
    let desired = stage.desired(NUMBER, &activity(1, &json!({})));
    shown.push(format!("{} {:?}", desired.title, desired.text));
    shown.push(logs.text());
    for canary in [PASSWORD, NUMBER, "692123456", "0692 12"] {
        let shown: Vec<&dyn std::fmt::Debug> = shown.iter().map(|one| one as _).collect();
        conformance::b11_secrets(canary, &shown);
    }
    for seen in stage.standin.seen() {
        assert!(!seen.path.contains("692") && !seen.path.contains(PASSWORD));
    }
}

#[tokio::test]
async fn b12_a_phone_that_drips_or_never_ends_is_given_up() {
    let stage = Stage::open().await;
    for status in [202, 500] {
        let huge = Play::Huge(Reply::status(status), 1_000_000_000);
        stage.phone.state().faults.push_back(huge);
        let start = std::time::Instant::now();
        stage.send(1).await.unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(20));
    }
    stage.send(1).await.unwrap();
    tokio::time::pause();
    let start = tokio::time::Instant::now();
    let drip = Play::Drip(Reply::ok("x".repeat(1_000)), Duration::from_secs(1));
    stage.phone.state().faults.push_back(drip);
    let failure = stage.send(2).await.unwrap_err();
    let waited = start.elapsed();
    tokio::time::resume();
    assert_eq!(failure.blame, Blame::Unknown, "{failure:?}");
    assert!(waited <= raccord_kit::http::TIME * 2 + Duration::from_secs(1));
}

#[test]
fn b14_the_guide_is_complete_in_both_languages() {
    conformance::b14_guide(include_str!("../README.md"));
}

#[tokio::test]
async fn s01_every_refusal_has_its_blame_and_is_not_repeated() {
    let stage = Stage::open().await;
    for (status, usual) in STATUSES {
        let blame = match status {
            // The phone may have taken it.
            500 | 502 | 504 => Blame::Unknown,
            _ => *usual,
        };
        if [401, 409].contains(status) {
            continue;
        }
        let before = stage.standin.writes().len();
        stage
            .phone
            .state()
            .faults
            .push_back(Reply::status(*status).into());
        let failure = stage.send(1).await.unwrap_err();
        assert_eq!(failure.blame, blame, "{status}: {failure:?}");
        assert_eq!(stage.standin.writes().len(), before + 1, "{status}");
    }
    for play in [
        Play::DoneThenReset,
        Play::Reset,
        Play::Garbage,
        Reply::ok("{}").into(),
        Reply::login_page().into(),
    ] {
        let before = stage.standin.writes().len();
        stage.phone.state().faults.push_back(play.clone());
        let failure = stage.send(2).await.unwrap_err();
        assert_eq!(failure.blame, Blame::Unknown, "{play:?}: {failure:?}");
        assert_eq!(stage.standin.writes().len(), before + 1, "{play:?}");
    }
    let known = Reply::status(409);
    stage.phone.state().faults.push_back(known.into());
    stage.send(3).await.unwrap();
    let tls = Standin::start_tls().await;
    for url in [
        Standin::nobody().await,
        tls.url("/"),
        "http://no-such-name.invalid/".to_owned(),
    ] {
        let bench = Bench::new(settings(&url));
        let failure = bench.send(1).await.unwrap_err();
        assert_eq!(failure.blame, Blame::Transient, "{failure:?}");
    }
    let failure = stage.send_to("call me", 4).await.unwrap_err();
    assert_eq!(
        (failure.blame, failure.code.as_str()),
        (Blame::Data, "sms.no-number")
    );

    let spool = Spool::new(None);
    let gammu = Bench::new(spool.settings());
    std::fs::remove_dir(spool.path("sent")).unwrap();
    let failure = gammu.send(1).await.unwrap_err();
    assert_eq!(
        (failure.blame, failure.code.as_str()),
        (Blame::Access, "sms.no-sent")
    );
    assert_eq!(spool.names("outbox"), [""; 0], "nothing is sent blindly");
}

#[tokio::test]
async fn a_password_that_was_refused_is_not_shown_again_for_a_while() {
    let stage = Stage::open().await;
    stage.phone.state().locked = true;
    for n in 1..20 {
        let failure = stage.send(n).await.unwrap_err();
        assert_eq!(failure.blame, Blame::Access);
    }
    assert_eq!(stage.standin.seen().len(), 1);
    stage.phone.state().locked = false;
    stage.pass(20 * 60);
    stage.send(1).await.unwrap();
}

#[tokio::test]
async fn beyond_the_ceiling_messages_wait_for_a_person_until_the_day_is_over() {
    let mut stage = Stage::with(None, |all| all["per_day"] = json!(3)).await;
    let spool = Spool::new(None);
    let mut of_gammu = spool.settings();
    of_gammu["per_day"] = json!(3);
    let mut gammu = Bench::new(of_gammu);
    for bench in [&mut stage.bench, &mut gammu] {
        for n in 1..=3 {
            bench.send(n).await.unwrap();
        }
        bench.restart();
        let failure = bench.send(4).await.unwrap_err();
        assert_eq!(
            (failure.blame, failure.code.as_str()),
            (Blame::Data, "sms.ceiling")
        );
        bench.send(2).await.unwrap();
        let proof = proof(NUMBER);
        let numbers = bench.tool.numbers().unwrap();
        let failure = numbers.send_code(&proof).await.unwrap_err();
        assert_eq!(failure.code, "sms.ceiling", "codes are counted too");
        // It is noon; the next day begins after twelve hours.
        bench.pass(13 * 3_600);
        bench.send(4).await.unwrap();
    }
    assert_eq!(stage.phone.left().len(), 4);
    assert_eq!(spool.names("outbox").len(), 4);
}

fn proof(number: &str) -> Proof {
    Proof {
        key: "one".to_owned(),
        number: number.to_owned(),
        code: "7K2M-9QXD".to_owned(),
        minutes: 20,
        lang: Lang::Fr,
    }
}

#[tokio::test]
async fn a_code_goes_to_a_number_once_and_in_one_message() {
    let stage = Stage::open().await;
    let numbers = stage.tool.numbers().unwrap();
    assert_eq!(numbers.number("0692 12 34 56").as_deref(), Some(NUMBER));
    assert_eq!(numbers.number("call me"), None);
    for _ in 0..2 {
        numbers.send_code(&proof("0692 12 34 56")).await.unwrap();
    }
    let left = stage.phone.left();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].number, NUMBER);
    assert_eq!(
        left[0].text,
        "La Raffinerie : votre code est 7K2M-9QXD. Il sert pendant 20 minutes. Si vous n'avez rien demandé, ne faites rien."
    );
}

#[tokio::test]
async fn s13_hours_are_said_as_the_sheet_says_them() {
    let stage = Stage::open().await;
    for (start, said) in [
        ("2027-03-28T02:30", "dimanche 28 mars 2 h 30"),
        ("2027-10-31T02:30", "dimanche 31 octobre 2 h 30"),
        ("2027-01-16", "samedi 16 janvier,"),
        ("2027-01-16T00:00", "samedi 16 janvier minuit"),
    ] {
        let desired = stage.desired(NUMBER, &activity(1, &json!({ "start": start })));
        assert!(desired.text.fr.contains(said), "{}", desired.text.fr);
    }
}

#[tokio::test]
async fn s15_text_stays_one_line_and_keeps_its_link_whatever_it_holds() {
    let stage = Stage::open().await;
    let long = conformance::very_long();
    for title in HOSTILE.iter().copied().chain([long.as_str()]) {
        let concert = activity(1, &json!({ "title": title, "room": title }));
        let desired = stage.desired(NUMBER, &concert);
        let text = desired.body["text"].as_str().unwrap();
        assert!(
            !text.contains(['\n', '\r', '\u{202e}', '\u{feff}', '\0']),
            "{text:?}"
        );
        assert!(
            text.ends_with(" https://lieu.example.org/hands/me"),
            "{text:?}"
        );
        assert!(text.encode_utf16().count() <= 306, "{text:?}");
    }
    let desired = stage.desired(NUMBER, &activity(1, &json!({ "title": long })));
    assert_eq!(
        desired.body["text"],
        "La Raffinerie: rappel, c'est demain: La très longue fete La très longue fete La très longue fete La très longue fete..., samedi 16 janvier 20 h 30, Cour. https://lieu.example.org/hands/me"
    );
}
