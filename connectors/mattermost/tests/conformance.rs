//! The rules of the quality scale that can be played by a test.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;
use std::time::Duration;

use common::server::{Fault, TOKEN};
use common::{Stage, activity, concert, settings};
use raccord_chat::testing::{ROOM, said};
use raccord_connector_mattermost::CONNECTOR;
use raccord_kit::Tool;
use raccord_kit::conformance::{self, Given, QualityLevel, Reasons, STATUSES};
use raccord_kit::standin::{Play, Reply, Standin};
use raccord_kit::testing::{Logs, kit};
use raccord_model::{Blame, Class, EntityKind, Found, Mode};
use serde_json::{Value, json};

fn tool(settings: Value) -> Box<dyn Tool> {
    (CONNECTOR.build)(settings, &kit()).unwrap()
}

/// Whether a message is within the server's limit.
fn fits(text: &str) -> bool {
    text.chars().count() <= 16_383
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
    assert!(manifest.handles.iter().all(|one| one.class == Class::Find));
    let mut deaf = settings("http://h/");
    deaf["listen"] = json!([]);
    let deaf = tool(deaf);
    assert!(!deaf.describe().source && deaf.source().is_none());
}

#[test]
fn b02_broken_settings_are_refused_by_their_key() {
    let given = Given(settings("https://chat.example.org"));
    let mut in_a_file = given.without("token");
    in_a_file["token_file"] = json!("secrets/mattermost");
    conformance::b02_config(
        &CONNECTOR,
        &[
            settings("https://example.org/chat/"),
            given.with("month", json!("town-square")),
            given.with("approvers", json!(["jb8rgdm7k3dxfmy1m5hkkq5zqh"])),
            given.with("hear", json!("none")),
            given.with("every", json!("1m")),
            given.with("hook_secret", json!("a b")),
            in_a_file,
        ],
        &[
            (given.without("url"), "url"),
            (given.without("team"), "team"),
            (given.with("url", json!("chat.example.org")), "url"),
            (
                given.with("url", json!("https://a:b@chat.example.org/")),
                "url",
            ),
            (given.with("team", json!("")), "team"),
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
        "a wrong team",
        &findings(|all| all["team"] = json!("ailleurs"), |_| ()).await,
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
                let bot = stage.server.state().user("raccord");
                stage
                    .server
                    .state()
                    .channel_mut("chantiers")
                    .members
                    .remove(&bot);
            },
        )
        .await,
    );
    reasons.tells(
        "an archived channel",
        &findings(
            |_| (),
            |stage| stage.server.state().channel_mut("chantiers").archived = 1,
        )
        .await,
    );
    reasons.tells(
        "a limit to editing",
        &findings(|_| (), |stage| stage.server.state().edit_limit = 60).await,
    );
    reasons.tells(
        "short posts",
        &findings(|_| (), |stage| stage.server.state().max_post = 4_000).await,
    );
    let person = findings(
        |all| all["token"] = json!("token-of-anna"),
        |stage| {
            let anna = stage.server.state().user("anna");
            stage.server.state().team_members.insert(anna);
        },
    );
    reasons.tells("a person's token", &person.await);
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
    let post = server.standing(ROOM).remove(0);
    assert_eq!(found.external, format!("{} {}", post.channel_id, post.id));
    let url = found.url.unwrap();
    assert!(
        url.ends_with(&format!("/raffinerie/pl/{}", post.id)),
        "{url}"
    );
}

#[tokio::test]
async fn a_lost_answer_is_found_behind_more_than_the_server_gives_at_once() {
    let stage = Stage::open().await;
    stage.server.fault(Fault::LoseAnswer);
    stage.write(&concert(), None).await.unwrap_err();
    for number in 0..2_000 {
        stage.server.says("anna", "chantiers", &format!("{number}"));
        if number % 3 == 0 {
            stage.pass(1);
        }
    }
    assert!(matches!(stage.find(&concert()).await, Found::Yes(_)));
    assert!(matches!(
        stage.find(&activity(2, json!({}))).await,
        Found::No { .. }
    ));
}

#[tokio::test]
async fn b09_doubt_is_an_error_and_never_a_deletion() {
    let stage = Stage::open().await;
    let cut = Play::CutBody(Reply::ok("{\"order\":[],\"posts\":{}}"), 9);
    said::doubt_is_an_error(&stage, &stage.server, "/posts", vec![cut]).await;
}

#[tokio::test]
async fn b10_what_we_said_ourselves_is_not_heard() {
    let stage = Stage::open().await;
    let mut cursor = said::what_we_say_is_not_heard(&stage).await;
    // Another program's messages are not people's either.
    let bot = stage.server.state().add_user("autre-robot", true);
    {
        let mut state = stage.server.state();
        state.channel_mut(ROOM).members.insert(bot);
    }
    stage.server.says("autre-robot", ROOM, "!programme");
    assert_eq!(stage.hear(&mut cursor).await, []);
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
        assert_eq!(seen.header("authorization"), format!("Bearer {TOKEN}"));
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
async fn s01_every_refusal_of_a_post_has_its_blame_and_is_not_repeated() {
    let stage = Stage::open().await;
    stage.put(&concert(), None).await;
    for (number, (status, usual)) in STATUSES.iter().enumerate() {
        // A post is no address: a server that broke may have kept it.
        let blame = match status {
            500 | 502 | 504 => Blame::Unknown,
            _ => *usual,
        };
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
async fn s01_a_change_of_what_we_know_may_be_repeated_after_a_lost_answer() {
    let stage = Stage::open().await;
    let link = stage.put(&concert(), None).await;
    let moved = activity(1, json!({ "room": "Jardin" }));
    for fault in [Fault::LoseAnswer, Fault::Reset] {
        stage.server.fault(fault);
        let failure = stage.write(&moved, Some(link.clone())).await.unwrap_err();
        assert_eq!(failure.blame, Blame::Transient, "{failure:?}");
    }
    for (status, blame) in [
        (500, Blame::Transient),
        (429, Blame::Transient),
        (401, Blame::Access),
    ] {
        stage.server.fault(Fault::Refuse(Reply::status(status)));
        let failure = stage.write(&moved, Some(link.clone())).await.unwrap_err();
        assert_eq!(failure.blame, blame, "{status}");
    }
    // The refused token is shown again after a while only.
    stage.pass(1_801);
    stage.put(&moved, Some(link)).await;
    let standing = stage.server.standing("chantiers");
    assert_eq!(standing.len(), 1);
    assert!(standing[0].message.contains("Jardin"));
}

#[tokio::test]
async fn s02_the_server_s_wish_to_wait_is_handed_on() {
    let stage = Stage::open().await;
    let reset = |value| Reply::status(429).header("x-ratelimit-reset", value);
    let wishes = vec![(reset("7"), 7_000), (reset("1798876800000"), 1_000)];
    said::the_wish_to_wait_is_handed_on(&stage, &stage.server, wishes).await;
}

#[tokio::test]
async fn s07_an_unchanged_poll_is_one_small_request() {
    let stage = Stage::open().await;
    for number in 0..300 {
        stage.server.says("anna", "chantiers", &format!("{number}"));
        stage.pass(10);
    }
    let mut cursor = stage.listen().await;
    stage.hear(&mut cursor).await;
    let before = stage.standin.seen().len();
    assert_eq!(stage.hear(&mut cursor).await, []);
    assert_eq!(stage.standin.seen().len(), before + 1);
    let path = stage.standin.seen().pop().unwrap().path;
    let answer = stage.get(path.strip_prefix("/api/v4/").unwrap()).await;
    assert!(answer.text.len() < 5_000, "{}", answer.text.len());
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
async fn channels_to_pick_are_those_the_bot_is_in() {
    let stage = Stage::open().await;
    said::rooms_to_pick_are_those_it_is_in(&stage, ["chantiers", "town-square"]).await;
}

#[tokio::test]
async fn five_hundred_at_once_stay_within_a_limit_that_is_switched_on() {
    let stage = Stage::open().await;
    stage.server.state().rate = Some(common::server::RateLimit {
        per_second: 10,
        burst: 100,
    });
    let manifest = stage.tool.describe();
    let gap = jiff::SignedDuration::from_millis(1_000 / i64::from(manifest.per_second));
    for number in 0..500 {
        stage.put(&activity(number, json!({})), None).await;
        stage.clock.advance(gap);
    }
    assert_eq!(stage.server.standing("chantiers").len(), 500);
}

#[tokio::test]
async fn what_only_deserves_a_word_is_no_error() {
    let stage = Stage::open().await;
    stage.server.state().edit_limit = 60;
    said::is_only_a_word(&stage, "mattermost.edit-limit").await;
}
