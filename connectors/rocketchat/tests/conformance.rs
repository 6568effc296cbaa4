//! The rules of the quality scale that can be played by a test.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;
use std::time::Duration;

use common::server::{BOT, Fault, TOKEN};
use common::{Stage, activity, concert, settings};
use raccord_chat::testing::{ROOM, said};
use raccord_connector_rocketchat::CONNECTOR;
use raccord_kit::Tool;
use raccord_kit::conformance::{self, Given, QualityLevel, Reasons, STATUSES};
use raccord_kit::standin::{Play, Reply, Standin};
use raccord_kit::testing::{Logs, kit};
use raccord_model::{Blame, Class, EntityKind, Mode};
use serde_json::{Value, json};

fn tool(settings: Value) -> Box<dyn Tool> {
    (CONNECTOR.build)(settings, &kit()).unwrap()
}

/// Whether a message is within the server's limit.
fn fits(text: &str) -> bool {
    text.encode_utf16().count() <= 5_000
}

#[test]
fn the_claims_of_quality_toml_are_true() {
    let quality = conformance::quality(Path::new(".")).unwrap();
    assert_eq!(quality.level, QualityLevel::Silver);
}

#[test]
fn b01_the_card_says_what_the_connector_does() {
    let manifest = tool(settings("http://h/")).describe();
    conformance::card(&CONNECTOR, &manifest).unwrap();
    assert!(manifest.source);
    let said: Vec<(EntityKind, Mode)> = manifest
        .handles
        .iter()
        .map(|one| (one.entity, one.mode))
        .collect();
    assert!(said.contains(&(EntityKind::Activity, Mode::Announce)));
    assert!(
        manifest
            .handles
            .iter()
            .all(|one| one.class == Class::Address)
    );
    let mut deaf = settings("http://h/");
    deaf["listen"] = json!([]);
    let deaf = tool(deaf);
    assert!(!deaf.describe().source && deaf.source().is_none());
}

#[test]
fn b02_broken_settings_are_refused_by_their_key() {
    let given = Given(settings("https://chat.example.org"));
    let mut in_a_file = given.without("token");
    in_a_file["token_file"] = json!("secrets/rocketchat");
    conformance::b02_config(
        &CONNECTOR,
        &[
            settings("https://example.org/chat/"),
            given.with("month", json!("general")),
            given.with("approvers", json!(["rbAXPnMktTFbNpwtJ"])),
            given.with("hear", json!("none")),
            given.with("every", json!("1m")),
            given.with("hook_secret", json!("a b")),
            in_a_file,
        ],
        &[
            (given.without("url"), "url"),
            (given.without("user_id"), "user_id"),
            (given.with("url", json!("chat.example.org")), "url"),
            (
                given.with("url", json!("https://a:b@chat.example.org/")),
                "url",
            ),
            (given.with("user_id", json!("")), "user_id"),
            (given.with("chanel", json!("x")), "chanel"),
            (given.with("hear", json!("some")), "hear"),
            (given.with("every", json!("1s")), "every"),
            (given.with("token_file", json!("x")), "token"),
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
    reasons.tells(
        "a wrong token",
        &findings(|all| all["token"] = json!("wrong"), |_| ()).await,
    );
    reasons.tells(
        "no token",
        &findings(
            |all| drop(all.as_object_mut().unwrap().remove("token")),
            |_| (),
        )
        .await,
    );
    reasons.tells(
        "a wrong channel",
        &findings(|all| all["channel"] = json!("nulle-part"), |_| ()).await,
    );
    reasons.tells(
        "no member",
        &findings(
            |_| (),
            |stage| {
                let mut state = stage.server.state();
                state.room_mut("chantiers").members.remove(BOT);
            },
        )
        .await,
    );
    reasons.tells(
        "an archived channel",
        &findings(
            |_| (),
            |stage| stage.server.state().room_mut("chantiers").archived = true,
        )
        .await,
    );
    reasons.tells(
        "a limit to editing",
        &findings(|_| (), |stage| stage.server.state().edit_limit = 1).await,
    );
    type Change = fn(&Stage);
    let changes: [(&str, Change); 5] = [
        ("short messages", |stage| {
            stage.server.state().longest = 4_000;
        }),
        ("no editing", |stage| stage.server.state().editing = false),
        ("an old server", |stage| {
            stage.server.state().version = "6.5.0";
        }),
        ("an encrypted room", |stage| {
            stage.server.state().room_mut("chantiers").encrypted = true;
        }),
        ("a read-only room", |stage| {
            stage.server.state().room_mut("chantiers").read_only = true;
        }),
    ];
    for (name, change) in changes {
        reasons.tells(name, &findings(|_| (), change).await);
    }
    reasons.tells(
        "no role",
        &findings(
            |_| (),
            |stage| stage.server.state().roles("raccord", &["user"]),
        )
        .await,
    );
    let named = findings(|all| all["approvers"] = json!(["anna"]), |_| ()).await;
    reasons.tells("an approver by name", &named);
    assert!(named[0].mend.en.contains("instead: "), "{named:?}");
}

#[tokio::test]
async fn b04_what_is_heard_is_valid_whatever_is_written() {
    let stage = Stage::open().await;
    said::what_is_heard_is_valid(&stage, &stage.server).await;
}

#[tokio::test]
async fn b05_a_message_keeps_its_name_whatever_becomes_of_it() {
    let stage = Stage::open().await;
    said::a_message_keeps_its_name(&stage, &stage.server).await;
}

#[tokio::test]
async fn b06_the_same_announcement_ten_times_at_once_is_one_message() {
    let stage = Stage::open().await;
    said::ten_times_at_once_is_once(&stage, &stage.server).await;
}

#[tokio::test]
async fn b07_a_lost_answer_is_unknown_and_what_came_of_it_is_found() {
    let mut stage = Stage::open().await;
    let server = stage.server.clone();
    let found = said::what_came_of_a_lost_answer_is_found(&mut stage, &server).await;
    let message = server.standing(ROOM).remove(0);
    assert_eq!(found.external, format!("{} {}", message.rid, message.id));
    let url = found.url.unwrap();
    let ends = format!("/channel/chantiers?msg={}", message.id);
    assert!(url.ends_with(&ends), "{url}");
}

#[tokio::test]
async fn b09_doubt_is_an_error_and_never_a_deletion() {
    let stage = Stage::open().await;
    let more = vec![
        Reply::ok("{\"result\":{}}").into(),
        Reply::ok("{\"success\":false}").into(),
        Play::CutBody(Reply::ok("{\"success\":true,\"result\":{}}"), 9),
    ];
    said::doubt_is_an_error(&stage, &stage.server, "syncMessages", more).await;
}

#[tokio::test]
async fn b10_what_we_said_ourselves_is_not_heard() {
    let stage = Stage::open().await;
    said::what_we_say_is_not_heard(&stage).await;
}

#[tokio::test]
async fn b11_the_token_is_shown_to_the_server_and_to_nobody_else() {
    let logs = Logs::listen();
    let stage = Stage::with(None, |all| all["hook_secret"] = json!(TOKEN)).await;
    stage.put(&concert(), None).await;
    stage.server.state().tokens.clear();
    let failure = stage
        .write(&activity(2, json!({})), None)
        .await
        .unwrap_err();
    let findings = stage.tool.check().await;
    conformance::b11_secrets(
        TOKEN,
        &[&failure, &findings, &stage.tool.describe(), &logs.text()],
    );
    for seen in stage.standin.seen() {
        assert!(!seen.path.contains(TOKEN), "{}", seen.path);
        assert!(!String::from_utf8_lossy(&seen.body).contains(TOKEN));
        let told = seen.header("x-auth-token");
        assert!(told == TOKEN, "it is shown to the server");
        assert_eq!(seen.header("x-user-id"), BOT);
    }
}

#[tokio::test]
async fn b12_a_server_that_drips_or_never_ends_is_given_up() {
    let stage = Stage::open().await;
    stage.put(&concert(), None).await;
    let other = activity(2, json!({}));
    for status in [200, 500] {
        stage
            .standin
            .script([Play::Huge(Reply::status(status), 1_000_000_000)]);
        let start = std::time::Instant::now();
        stage.write(&other, None).await.unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(20));
    }
    stage.write(&concert(), None).await.unwrap();
    tokio::time::pause();
    let start = tokio::time::Instant::now();
    let reply = Reply::ok("x".repeat(1_000));
    stage
        .standin
        .script([Play::Drip(reply, Duration::from_secs(1))]);
    let failure = stage.write(&other, None).await.unwrap_err();
    let waited = start.elapsed();
    tokio::time::resume();
    assert!(matches!(failure.blame, Blame::Unknown), "{failure:?}");
    assert!(waited <= raccord_kit::http::TIME + Duration::from_secs(1));
}

#[test]
fn b14_the_guide_is_complete_in_both_languages() {
    conformance::b14_guide(include_str!("../README.md"));
}

#[tokio::test]
async fn s01_every_refusal_of_a_message_has_its_blame_and_is_not_repeated() {
    let stage = Stage::open().await;
    stage.put(&concert(), None).await;
    for (number, (status, usual)) in STATUSES.iter().enumerate() {
        let blame = *usual;
        // A refused token is not shown again for a while.
        stage.pass(1_801);
        stage.server.fault(Fault::Refuse(Reply::status(*status)));
        let before = stage.standin.writes().len();
        let new = activity(number + 10, json!({}));
        let failure = stage.write(&new, None).await.unwrap_err();
        assert_eq!(failure.blame, blame, "{status}: {failure:?}");
        assert_eq!(failure.gone, *status == 410);
        assert_eq!(stage.standin.writes().len(), before + 1, "{status}");
    }
    stage.pass(1_801);
    for fault in [Fault::LoseAnswer, Fault::Reset] {
        stage.server.fault(fault);
        let failure = stage
            .write(&activity(50, json!({})), None)
            .await
            .unwrap_err();
        assert_eq!(failure.blame, Blame::Unknown);
    }
    let tls = Standin::start_tls().await;
    for url in [
        Standin::nobody().await,
        tls.url("/"),
        "http://no-such-name.invalid/".to_owned(),
    ] {
        let tool = tool(settings(&url));
        let failure = tool
            .sink()
            .unwrap()
            .apply(&stage.job(&concert(), None))
            .await;
        assert_eq!(failure.unwrap_err().blame, Blame::Transient, "{url}");
    }
    assert!(tls.seen().is_empty(), "nothing is shown to a stranger");
}

#[tokio::test]
async fn s01_a_change_may_be_repeated_after_a_lost_answer() {
    let stage = Stage::open().await;
    let link = stage.put(&concert(), None).await;
    let moved = activity(1, json!({ "room": "Jardin" }));
    for fault in [Fault::Reset, Fault::LoseAnswer] {
        stage.server.fault(fault);
        let failure = stage.write(&moved, Some(link.clone())).await.unwrap_err();
        assert_eq!(failure.blame, Blame::Unknown, "{failure:?}");
    }
    let made = stage.write(&moved, Some(link)).await.unwrap();
    assert!(made.unchanged, "it had arrived");
    let standing = stage.server.standing("chantiers");
    assert_eq!(standing.len(), 1);
    assert!(standing[0].text.contains("Jardin"));
}

#[tokio::test]
async fn what_may_have_been_said_and_is_not_wanted_any_more_is_taken_away_by_its_name() {
    let stage = Stage::open().await;
    stage.server.fault(Fault::LoseAnswer);
    stage.write(&concert(), None).await.unwrap_err();
    assert_eq!(stage.server.standing("chantiers").len(), 1);
    let nameless = raccord_model::Link::nameless(stage.desired(&concert()).hash);
    stage.remove(&concert(), &nameless).await.unwrap();
    assert_eq!(stage.server.standing("chantiers").len(), 0);
    stage.remove(&concert(), &nameless).await.unwrap();
}

#[tokio::test]
async fn s02_the_server_s_wish_to_wait_is_handed_on() {
    let stage = Stage::open().await;
    let now = stage.server.state().now();
    let until = (now + 25_000).to_string();
    let reset = |value| Reply::status(429).header("x-ratelimit-reset", value);
    let wishes = vec![
        (reset(&until), 25_000),
        (reset("7"), 60_000),
        (Reply::status(429), 60_000),
    ];
    said::the_wish_to_wait_is_handed_on(&stage, &stage.server, wishes).await;
}

#[tokio::test]
async fn s07_an_unchanged_poll_is_two_small_requests() {
    let stage = Stage::open().await;
    for number in 0..300 {
        stage.server.says("anna", "chantiers", &format!("{number}"));
        stage.pass(10);
    }
    let mut cursor = stage.listen().await;
    stage.hear(&mut cursor).await;
    let before = stage.standin.seen().len();
    assert_eq!(stage.hear(&mut cursor).await, []);
    let seen = stage.standin.seen();
    assert_eq!(seen.len(), before + 2, "what changed, and what was deleted");
    for one in &seen[before..] {
        let answer = stage.get(one.path.trim_start_matches('/')).await;
        assert!(answer.text.len() < 2_500, "{}", answer.text.len());
    }
}

#[tokio::test]
async fn s13_hours_are_said_as_the_sheet_says_them() {
    let stage = Stage::open().await;
    said::hours_are_said_as_the_sheet_says_them(&stage, &stage.server).await;
}

#[tokio::test]
async fn s15_text_stays_text_and_notifies_nobody() {
    let stage = Stage::open().await;
    said::text_stays_text(&stage, &stage.server, fits).await;
}

#[tokio::test]
async fn s15_thirty_thousand_characters_are_cut_at_a_word_with_a_link() {
    let mut stage = Stage::open().await;
    let server = stage.server.clone();
    said::a_long_text_is_cut(&mut stage, &server, fits).await;
}

#[tokio::test]
async fn rooms_to_pick_are_those_the_bot_is_in() {
    let stage = Stage::open().await;
    said::rooms_to_pick_are_those_it_is_in(&stage, ["chantiers", "general"]).await;
}

#[tokio::test]
async fn what_only_deserves_a_word_is_no_error() {
    let stage = Stage::open().await;
    stage.server.state().edit_limit = 1;
    said::is_only_a_word(&stage, "rocketchat.edit-limit").await;
}
