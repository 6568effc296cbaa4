//! Each surprise is played by a stand-in, and noticed once it is not.
//!
//! A story is told twice: with the surprise it ends well, without it it must not.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;
use std::sync::Arc;

use common::quirks::Quirk;
use common::spool::Spool;
use common::{Bench, NUMBER, Stage, settings};
use raccord_kit::conformance::{self, noticed};
use raccord_kit::http::{Http, Request, Target};
use raccord_kit::standin::Play;
use raccord_model::{Blame, Found};
use serde_json::json;

#[test]
fn every_quirk_is_told_and_every_one_that_is_told_is_played() {
    let told = conformance::quirks(Path::new("."), Quirk::NAMES);
    assert_eq!(told, Quirk::NAMES.len());
}

async fn story<F>(quirk: Quirk, tell: impl Fn(Stage) -> F + Copy + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    noticed(quirk.name(), |lost| async move {
        let stage = Stage::with(lost.then_some(quirk), |_| {}).await;
        let standin = Arc::clone(&stage.standin);
        tell(stage).await;
        drop(standin);
    })
    .await;
}

async fn of_spool<F>(quirk: Quirk, tell: impl Fn(Spool) -> F + Copy + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    noticed(quirk.name(), |lost| async move {
        tell(Spool::new(lost.then_some(quirk))).await;
    })
    .await;
}

#[tokio::test]
async fn a_message_that_is_known_is_refused_and_that_is_as_good() {
    story(Quirk::RepeatIsConflict, |stage| async move {
        stage.phone.state().faults.push_back(Play::DoneThenReset);
        let failure = stage.send(1).await.unwrap_err();
        assert_eq!(failure.blame, Blame::Unknown);
        stage.send(1).await.unwrap();
        assert_eq!(stage.phone.left().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_server_with_two_phones_would_send_the_same_message_from_both() {
    story(Quirk::IdsPerPhone, |stage| async move {
        {
            let mut state = stage.phone.state();
            state.server = true;
            state.devices.push("phone-2".to_owned());
        }
        let found = stage.tool.check().await;
        assert_eq!(found[0].code, "sms.which-device", "{found:?}");
        stage.send(1).await.unwrap();
        stage.send(1).await.unwrap();
        assert_eq!(stage.phone.left().len(), 2, "which is why one is named");
    })
    .await;
    let stage = Stage::with(None, |all| all["device"] = json!("phone-2")).await;
    stage.phone.state().devices.push("phone-2".to_owned());
    stage.send(1).await.unwrap();
    stage.send(1).await.unwrap();
    assert_eq!(stage.phone.left().len(), 1);
}

#[tokio::test]
async fn a_phone_that_is_off_has_accepted_and_not_sent() {
    story(Quirk::AcceptedIsNotSent, |stage| async move {
        stage.phone.state().off = true;
        stage.send(1).await.unwrap();
        assert_eq!(stage.phone.left().len(), 0);
        assert!(matches!(stage.find(1).await, Found::Yes(_)));
        stage.pass(3_600);
        stage.phone.state().off = false;
        assert_eq!(stage.phone.left().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_message_that_waited_too_long_is_not_sent_any_more() {
    story(Quirk::TooLateIsFailed, |stage| async move {
        stage.phone.state().off = true;
        stage.send(1).await.unwrap();
        stage.pass(13 * 3_600);
        stage.phone.state().off = false;
        assert_eq!(stage.phone.left().len(), 0, "it would be over");
    })
    .await;
}

#[tokio::test]
async fn how_many_went_out_today_stands_in_a_header() {
    story(Quirk::TotalInHeader, |mut stage| async move {
        stage.send(1).await.unwrap();
        stage.send(2).await.unwrap();
        // Another process, with a lower ceiling: it must hold all the same.
        let url = stage.standin.url("/");
        let mut low = settings(&url);
        low["per_day"] = json!(2);
        stage.bench = Bench::new(low);
        let failure = stage.send(3).await.unwrap_err();
        assert_eq!(failure.code, "sms.ceiling");
        assert_eq!(stage.phone.left().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn the_app_and_its_server_tell_their_phones_at_different_addresses() {
    story(Quirk::OneDevice, |stage| async move {
        for server in [false, true] {
            stage.phone.state().server = server;
            assert_eq!(stage.tool.check().await, []);
            let url = stage
                .standin
                .url(if server { "/device" } else { "/devices" });
            assert_eq!(raw(&stage, &url, None).await, 404);
        }
    })
    .await;
}

#[tokio::test]
async fn a_server_whose_phone_is_away_takes_nothing_more() {
    story(Quirk::FullIs503, |stage| async move {
        stage.phone.state().full = true;
        let failure = stage.send(1).await.unwrap_err();
        assert_eq!(
            (failure.blame, failure.code.as_str()),
            (Blame::Transient, "sms.phone-away")
        );
        stage.phone.state().full = false;
        stage.send(1).await.unwrap();
        assert_eq!(stage.phone.left().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_was_cleaned_up_is_not_known_any_more() {
    story(Quirk::OldFreesTheId, |stage| async move {
        stage.send(1).await.unwrap();
        assert!(matches!(stage.find(1).await, Found::Yes(_)));
        stage.pass(40 * 24 * 3_600);
        assert!(matches!(stage.find(1).await, Found::No { .. }));
    })
    .await;
}

#[tokio::test]
async fn an_id_has_36_characters_at_most() {
    story(Quirk::IdOf36, |stage| async move {
        stage.send(1).await.unwrap();
        assert!(stage.id(1).len() <= 36);
        let url = stage.standin.url("/messages");
        let body = json!({
            "id": "x".repeat(37), "phoneNumbers": [NUMBER], "textMessage": { "text": "x" },
        });
        assert_eq!(raw(&stage, &url, Some(body.to_string())).await, 400);
    })
    .await;
}

async fn raw(stage: &Stage, url: &str, body: Option<String>) -> u16 {
    let http = Http::new("raw", &stage.kit).unwrap();
    let target = Target::configured("url", url).unwrap();
    let request = match body {
        None => Request::get(&target),
        Some(body) => Request::post(&target, body),
    };
    let password = common::phone::PASSWORD.to_owned().into();
    let answer = http.send(request.basic("sms", &password)).await.unwrap();
    answer.status.as_u16()
}

#[tokio::test]
async fn one_folder_for_two_loses_what_was_sent() {
    of_spool(Quirk::SameFolderDeletes, |mut spool| async move {
        let mut settings = spool.settings();
        settings["sent"] = settings["outbox"].clone();
        let kit = raccord_kit::testing::kit();
        let refused = (raccord_connector_sms::CONNECTOR.build)(settings, &kit);
        let found = refused.err().unwrap();
        assert_eq!(found[0].code, "sms.same-folder");
        let bench = Bench::new(spool.settings());
        bench.send(1).await.unwrap();
        spool.works_into("outbox");
        assert!(matches!(bench.find(1).await, Found::No { .. }));
    })
    .await;
}

#[tokio::test]
async fn the_number_stands_in_the_name_of_the_file() {
    of_spool(Quirk::NameIsRecipient, |mut spool| async move {
        let bench = Bench::new(spool.settings());
        bench.send_to("0692 12 34 56", 1).await.unwrap();
        spool.works();
        assert_eq!(spool.left[0].number, NUMBER);
        assert!(!spool.left[0].text.contains("692"));
    })
    .await;
}

#[tokio::test]
async fn letters_with_accents_arrive_because_the_file_says_how_they_are_written() {
    of_spool(Quirk::MarkTellsLetters, |mut spool| async move {
        let bench = Bench::new(spool.settings());
        let mut job = bench.job(NUMBER, 1);
        let raccord_kit::Job::Write { desired, .. } = &mut job else {
            unreachable!("a message is written");
        };
        desired.body["text"] = json!("L'été, ça vient");
        bench.tool.sink().unwrap().apply(&job).await.unwrap();
        spool.works();
        assert_eq!(spool.left[0].text, "L'été, ça vient");
    })
    .await;
}

#[tokio::test]
async fn a_file_that_is_being_written_is_not_taken() {
    of_spool(Quirk::HiddenIsSkipped, |mut spool| async move {
        let half = ".OUTC20270102_120000_00_+262692123456_raccord-1.txt.raccord-unfinished";
        std::fs::write(spool.path("outbox").join(half), b"half").unwrap();
        spool.works();
        assert_eq!(spool.left, []);
    })
    .await;
}

#[tokio::test]
async fn what_was_handed_over_first_leaves_first() {
    of_spool(Quirk::InOrderOfNames, |mut spool| async move {
        let bench = Bench::new(spool.settings());
        for (n, number) in [(1, "+262692000001"), (2, "+262692000002")] {
            bench.send_to(number, n).await.unwrap();
            bench.pass(1);
        }
        spool.works();
        let numbers: Vec<&str> = spool.left.iter().map(|left| left.number.as_str()).collect();
        assert_eq!(numbers, ["+262692000001", "+262692000002"]);
    })
    .await;
}
