//! The rules of the quality scale that can be played by a test.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;
use std::time::Duration;

use common::server::{Fault, TOKEN};
use common::{Stage, activity, concert, settings};
use raccord_connector_mattermost::CONNECTOR;
use raccord_kit::conformance::{self, HOSTILE, QualityLevel, STATUSES};
use raccord_kit::standin::{Play, Reply, Standin};
use raccord_kit::testing::{Logs, kit};
use raccord_kit::{Finding, Level, Tool};
use raccord_model::{Blame, Class, EntityKind, Found, Mode, Schemas, Verb};
use serde_json::{Value, json};

fn tool(settings: Value) -> Box<dyn Tool> {
    (CONNECTOR.build)(settings, &kit()).unwrap()
}

fn codes(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|one| one.code.as_str()).collect()
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
    let with = |key: &str, value: Value| {
        let mut all = settings("https://chat.example.org");
        all[key] = value;
        all
    };
    let without = |key: &str| {
        let mut all = settings("https://chat.example.org");
        all.as_object_mut().unwrap().remove(key);
        all
    };
    let mut in_a_file = without("token");
    in_a_file["token_file"] = json!("secrets/mattermost");
    conformance::b02_config(
        &CONNECTOR,
        &[
            settings("https://example.org/chat/"),
            with("month", json!("town-square")),
            with("approvers", json!(["jb8rgdm7k3dxfmy1m5hkkq5zqh"])),
            with("hear", json!("none")),
            with("every", json!("1m")),
            with("hook_secret", json!("a b")),
            in_a_file,
        ],
        &[
            (without("url"), "url"),
            (without("team"), "team"),
            (with("url", json!("chat.example.org")), "url"),
            (with("url", json!("https://a:b@chat.example.org/")), "url"),
            (with("team", json!("")), "team"),
            (with("chanel", json!("x")), "chanel"),
            (with("hear", json!("some")), "hear"),
            (with("every", json!("1s")), "every"),
            (with("token_file", json!("x")), "token"),
        ],
    );
}

#[tokio::test]
async fn b03_check_tells_every_reason_apart_and_writes_nothing() {
    let mut told = std::collections::BTreeSet::new();
    let mut new = |name: &str, findings: &[Finding]| {
        assert!(!findings.is_empty(), "{name} is not told");
        for found in findings {
            assert!(!found.text.fr.is_empty() && found.text.fr != found.text.en);
            assert!(!found.mend.fr.is_empty() && found.mend.fr != found.mend.en);
        }
        let fresh = findings.iter().filter(|one| told.insert(one.code.clone()));
        assert!(fresh.count() > 0, "{name} is not told apart: {findings:?}");
    };
    let calm = Stage::open().await;
    assert_eq!(calm.tool.check().await, []);

    new(
        "nobody there",
        &tool(settings(&Standin::nobody().await)).check().await,
    );
    let tls = Standin::start_tls().await;
    new(
        "a wrong certificate",
        &tool(settings(&tls.url("/"))).check().await,
    );
    let plain = Standin::start().await;
    let insecure = plain.url("/").replace("http:", "https:");
    new(
        "a server without https",
        &tool(settings(&insecure)).check().await,
    );
    plain.always(Reply::login_page());
    new(
        "another page",
        &tool(settings(&plain.url("/"))).check().await,
    );

    let findings = async |change: fn(&mut Value), server: fn(&Stage)| {
        let stage = Stage::with(None, change).await;
        server(&stage);
        let found = stage.tool.check().await;
        assert!(stage.standin.writes().is_empty(), "check wrote");
        found
    };
    new(
        "a wrong token",
        &findings(|all| all["token"] = json!("wrong"), |_| ()).await,
    );
    new(
        "no token",
        &findings(
            |all| drop(all.as_object_mut().unwrap().remove("token")),
            |_| (),
        )
        .await,
    );
    new(
        "a wrong team",
        &findings(|all| all["team"] = json!("ailleurs"), |_| ()).await,
    );
    new(
        "a wrong channel",
        &findings(|all| all["channel"] = json!("nulle-part"), |_| ()).await,
    );
    new(
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
    new(
        "an archived channel",
        &findings(
            |_| (),
            |stage| stage.server.state().channel_mut("chantiers").archived = 1,
        )
        .await,
    );
    new(
        "a limit to editing",
        &findings(|_| (), |stage| stage.server.state().edit_limit = 60).await,
    );
    new(
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
    new("a person's token", &person.await);
    let named = findings(|all| all["approvers"] = json!(["anna"]), |_| ()).await;
    new("an approver by name", &named);
    assert!(named[0].mend.en.contains("instead: "), "{named:?}");
}

#[tokio::test]
async fn b04_what_is_heard_is_valid_whatever_is_written() {
    let stage = Stage::open().await;
    let mut cursor = stage.listen().await;
    for number in 0..1_000 {
        let text = match number % 4 {
            0 => HOSTILE[number / 4 % HOSTILE.len()].to_owned(),
            1 => "é".repeat(number * 16),
            2 => format!("!qui {}", HOSTILE[number % HOSTILE.len()]),
            _ => String::new(),
        };
        stage.server.says("anna", "chantiers", &text);
        stage.clock.advance(jiff::SignedDuration::from_millis(7));
    }
    let changes = stage.hear(&mut cursor).await;
    assert_eq!(changes.len(), 1_000);
    for change in changes {
        let fields = serde_json::to_value(&change.fields).unwrap();
        let faults = Schemas::shared().check_posted(EntityKind::Message, change.verb, &fields);
        assert!(faults.is_empty(), "{fields}: {faults:?}");
    }
}

#[tokio::test]
async fn b05_a_message_keeps_its_name_whatever_becomes_of_it() {
    let stage = Stage::open().await;
    let mut cursor = stage.listen().await;
    let said = stage.server.says("anna", "chantiers", "un");
    let created = stage.hear(&mut cursor).await;
    stage.pass(60);
    assert_eq!(stage.hear(&mut cursor).await, [], "read again: nothing");
    stage.server.edits(&said, "deux");
    let edited = stage.hear(&mut cursor).await;
    stage.pass(60);
    stage.server.deletes(&said);
    let deleted = stage.hear(&mut cursor).await;
    let all = [created, edited, deleted].concat();
    let verbs: Vec<Verb> = all.iter().map(|one| one.verb).collect();
    assert_eq!(verbs, [Verb::Created, Verb::Updated, Verb::Removed]);
    assert!(all.iter().all(|one| one.subject == all[0].subject));
    let ids: std::collections::BTreeSet<_> = all.iter().map(|one| &one.id).collect();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn b06_the_same_announcement_ten_times_at_once_is_one_message() {
    let stage = Stage::open().await;
    stage.put(&concert(), None).await;
    let job = stage.job(&concert(), None);
    let sink = stage.tool.sink().unwrap();
    let all = futures_util::future::join_all((0..9).map(|_| sink.apply(&job))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(stage.server.standing("chantiers").len(), 1);
    stage.put(&activity(2, json!({})), None).await;
    assert_eq!(stage.server.standing("chantiers").len(), 2);
}

#[tokio::test]
async fn b07_a_lost_answer_is_unknown_and_what_came_of_it_is_found() {
    let mut stage = Stage::open().await;
    stage.server.fault(Fault::LoseAnswer);
    let failure = stage.write(&concert(), None).await.unwrap_err();
    assert_eq!(failure.blame, Blame::Unknown);
    stage.pass(7_200);
    stage.restart();
    let Found::Yes(found) = stage.find(&concert()).await else {
        panic!("it is there");
    };
    let post = stage.server.standing("chantiers").remove(0);
    assert_eq!(found.external, format!("{} {}", post.channel_id, post.id));
    assert!(
        found
            .url
            .unwrap()
            .ends_with(&format!("/raffinerie/pl/{}", post.id))
    );

    // What was not done is not found, by a look that is as old as it says.
    let other = activity(2, json!({}));
    stage.server.fault(Fault::Reset);
    assert_eq!(
        stage.write(&other, None).await.unwrap_err().blame,
        Blame::Unknown
    );
    stage.pass(60);
    let Found::No { listed } = stage.find(&other).await else {
        panic!("it is not there");
    };
    assert_eq!(listed.as_millisecond(), stage.server.state().now());
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
    stage.server.says("anna", "chantiers", "un");
    let cursor = stage.listen().await;
    let server = stage.server.clone();
    for doubt in [
        Play::from(Reply::status(500)),
        Reply::status(502).body("<html>").into(),
        Reply::login_page().into(),
        Reply::ok("").into(),
        Reply::ok("null").into(),
        Reply::ok("[]").into(),
        Play::CutBody(Reply::ok("{\"order\":[],\"posts\":{}}"), 9),
        Play::Garbage,
        Play::Reset,
    ] {
        let (server, play) = (server.clone(), doubt.clone());
        stage.standin.direct(move |seen| {
            if seen.path.contains("/posts") {
                play.clone()
            } else {
                server.answer(seen)
            }
        });
        let read = stage
            .tool
            .source()
            .unwrap()
            .observe(cursor.as_deref())
            .await;
        assert!(read.is_err(), "{doubt:?}: {read:?}");
    }
    let server = stage.server.clone();
    stage.standin.direct(move |seen| server.answer(seen));
    let mut cursor = cursor;
    assert_eq!(stage.hear(&mut cursor).await, []);
}

#[tokio::test]
async fn b10_what_we_said_ourselves_is_not_heard() {
    let stage = Stage::open().await;
    let mut cursor = stage.listen().await;
    let link = stage.put(&concert(), None).await;
    stage
        .put(&activity(1, json!({ "room": "Jardin" })), Some(link))
        .await;
    assert_eq!(stage.hear(&mut cursor).await, []);
    // Another program's messages are not people's either.
    let bot = stage.server.state().add_user("autre-robot", true);
    let channel = stage.channel("chantiers");
    stage
        .server
        .state()
        .channel_mut("chantiers")
        .members
        .insert(bot);
    stage.server.says("autre-robot", "chantiers", "!programme");
    assert!(!channel.is_empty());
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
    stage.put(&concert(), None).await;
    let date = Reply::status(503)
        .header("date", "Sat, 02 Jan 2027 10:00:00 GMT")
        .header("retry-after", "Sat, 02 Jan 2027 10:00:45 GMT");
    for (reply, wait) in [
        (Reply::status(429).header("retry-after", "120"), 120_000),
        (Reply::status(429).header("x-ratelimit-reset", "7"), 7_000),
        (
            Reply::status(429).header("x-ratelimit-reset", "1798876800000"),
            1_000,
        ),
        (date, 45_000),
    ] {
        stage.server.fault(Fault::Refuse(reply));
        let failure = stage
            .write(&activity(2, json!({})), None)
            .await
            .unwrap_err();
        assert_eq!(failure.retry_after_ms, Some(wait));
    }
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
    for (number, (fields, said)) in [
        (json!({ "start": "2027-03-28T02:30", "end": "2027-03-28T03:30", "zone": "Europe/Paris" }), "2 h 30"),
        (json!({ "start": "2027-10-31T02:30", "end": "2027-10-31T03:30", "zone": "Europe/Paris" }), "2 h 30"),
        (json!({ "start": "2027-01-12T20:00", "zone": "Indian/Reunion" }), "20 h"),
        (json!({ "start": "2027-01-12", "end": "2027-01-13", "all_day": true }), "12"),
    ]
    .into_iter()
    .enumerate()
    {
        stage.put(&activity(number, fields), None).await;
        let text = stage.server.standing("chantiers").pop().unwrap().message;
        let text = text.replace(['\u{a0}', '\u{202f}'], " ");
        assert!(text.contains(said), "{text}");
    }
}

#[tokio::test]
async fn s15_text_stays_text_and_notifies_nobody() {
    let stage = Stage::open().await;
    let long = conformance::very_long();
    let texts = HOSTILE.iter().copied().chain([long.as_str()]);
    for (number, text) in texts.enumerate() {
        for (field, more) in ["title", "room", "description", "organiser"]
            .iter()
            .zip(0..)
        {
            let entity = activity(number * 10 + more, json!({ *field: text }));
            stage.put(&entity, None).await;
        }
    }
    let state = stage.server.state();
    assert_eq!(state.notified, [], "nobody is notified");
    for post in &state.posts {
        let text = &post.message;
        assert!(text.chars().count() <= 16_383);
        for mark in ["<!", "](javascript:", "\u{202e}", "\u{feff}", "![x]"] {
            assert!(!text.contains(mark), "{text:?} holds {mark:?}");
        }
    }
}

#[tokio::test]
async fn s15_thirty_thousand_characters_are_cut_at_a_word_with_a_link() {
    let mut stage = Stage::open().await;
    stage.kit.place.public_url = "https://programme.example.org".to_owned();
    stage.restart();
    let long = "Une belle description @all de trente mille signes ".repeat(600);
    stage
        .put(&activity(1, json!({ "description": long })), None)
        .await;
    let text = stage.server.standing("chantiers").remove(0).message;
    assert!(
        text.chars().count() <= 16_383 && text.contains('…'),
        "{}",
        text.len()
    );
    assert!(
        text.contains("https://programme.example.org"),
        "{}",
        &text[text.len() - 200..]
    );
    assert_eq!(stage.server.state().notified, []);
}

#[tokio::test]
async fn what_somebody_took_away_stays_away() {
    let stage = Stage::open().await;
    let link = stage.put(&concert(), None).await;
    let id = link.external.split_once(' ').unwrap().1.to_owned();
    stage.server.deletes(&id);
    let moved = activity(1, json!({ "room": "Jardin" }));
    let gone = stage.put(&moved, Some(link)).await;
    assert_eq!(gone.tag.as_deref(), Some("gone"));
    stage.remove(&moved, &gone).await.unwrap();
    assert_eq!(stage.server.standing("chantiers").len(), 0);
}

#[tokio::test]
async fn channels_to_pick_are_those_the_bot_is_in() {
    let stage = Stage::open().await;
    let choices = stage.tool.choices().await.unwrap();
    let values: Vec<&str> = choices.iter().map(|one| one.value.as_str()).collect();
    let mut sorted = values.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, ["chantiers", "town-square"]);
    assert!(choices.iter().all(|one| one.key == "channel"));
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
    let findings = stage.tool.check().await;
    assert_eq!(codes(&findings), ["mattermost.edit-limit"]);
    assert_eq!(findings[0].level, Level::Warning);
}
