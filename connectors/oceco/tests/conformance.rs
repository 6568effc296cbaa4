//! The rules of the quality scale that can be played by a test.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;
use std::time::Duration;

use common::server::{ANNA, BOB, Fault, ORGANIZATION, PASSWORD, STRANGER, Socket, TOKEN};
use common::{Stage, ball, people, settings, task};
use raccord_connector_oceco::CONNECTOR;
use raccord_kit::conformance::{self, Given, HOSTILE, QualityLevel, Reasons, STATUSES};
use raccord_kit::standin::{Play, Reply};
use raccord_kit::testing::{Logs, kit};
use raccord_kit::{Job, Level, Tool};
use raccord_model::{Blame, Class, EntityKind, Found, Link, Mode, Rendered, Schemas, Verb};
use serde_json::{Value, json};

fn tool(settings: Value) -> Box<dyn Tool> {
    (CONNECTOR.build)(settings, &kit()).unwrap()
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
    let said: Vec<_> = manifest
        .handles
        .iter()
        .map(|one| (one.entity, one.mode, one.class))
        .collect();
    assert_eq!(said, [(EntityKind::Task, Mode::Mirror, Class::Find)]);
    assert!(tool(settings("http://h/")).source().unwrap().counts());
}

#[test]
fn b02_broken_settings_are_refused_by_their_key() {
    let given = Given(settings("https://oce.co.tools"));
    let mut blind = given.without("email");
    blind.as_object_mut().unwrap().remove("password");
    conformance::b02_config(
        &CONNECTOR,
        &[
            settings("https://oce.co.tools/"),
            given.without("project"),
            given.with("chat", json!("oceco")),
            blind,
        ],
        &[
            (given.without("url"), "url"),
            (given.with("url", json!("oce.co.tools")), "url"),
            (given.without("user"), "user"),
            (given.with("user", json!("anna")), "user"),
            (
                given.with("organization", json!("la-raffinerie")),
                "organization",
            ),
            (given.with("project", json!("x".repeat(24))), "project"),
            (given.without("people_file"), "people_file"),
            (given.without("password"), "email"),
            (given.with("chat", json!("both")), "chat"),
            (given.with("every", json!("5s")), "every"),
            (given.with("tokn", json!("x")), "tokn"),
            (given.with("token_file", json!("x")), "token"),
            (given.with("password_file", json!("x")), "password"),
        ],
    );
}

#[tokio::test]
async fn b03_check_tells_every_reason_apart_and_writes_nothing() {
    let mut reasons = Reasons::default();
    let calm = Stage::open().await;
    assert_eq!(calm.tool.check().await, []);

    let at = async |url: String| {
        let stage = Stage::with(None, move |all| all["url"] = json!(url)).await;
        stage.tool.check().await
    };
    reasons.at_the_door(at).await;

    let findings = async |change: fn(&mut Value), server: fn(&Stage)| {
        let stage = Stage::with(None, change).await;
        server(&stage);
        let found = stage.tool.check().await;
        assert!(stage.makings().is_empty(), "check made something");
        found
    };
    let remove = |all: &mut Value, keys: &[&str]| {
        for key in keys {
            all.as_object_mut().unwrap().remove(*key);
        }
    };
    reasons.tells(
        "a wrong token",
        &findings(|all| all["token"] = json!("x"), |_| ()).await,
    );
    let none = Stage::with(None, |all| remove(all, &["token"])).await;
    reasons.tells("no token", &none.tool.check().await);
    let nobody = |stage: &Stage| stage.server.state().people.clear();
    reasons.tells("an account nobody has", &findings(|_| (), nobody).await);
    let gone = |stage: &Stage| stage.server.state().projects.clear();
    reasons.tells("no such project", &findings(|_| (), gone).await);
    let wrong = |stage: &Stage| stage.server.state().password = "x".to_owned();
    reasons.tells("a wrong password", &findings(|_| (), wrong).await);
    let member = |stage: &Stage| stage.server.state().admin = false;
    reasons.tells(
        "an account that administers nothing",
        &findings(|_| (), member).await,
    );
    let posts = |stage: &Stage| stage.server.state().notifies = true;
    reasons.tells("a chat told twice", &findings(|_| (), posts).await);
    reasons.tells(
        "a chat told by nobody",
        &findings(|all| all["chat"] = json!("oceco"), |_| ()).await,
    );
    let blind = Stage::with(None, |all| remove(all, &["email", "password"])).await;
    let blind = blind.tool.check().await;
    assert!(blind.iter().all(|one| one.level == Level::Warning));
    reasons.tells("nobody reads validations", &blind);
    reasons.tells(
        "no file of people",
        &findings(|all| all["people_file"] = json!("none"), |_| ()).await,
    );
    let scribbled = |stage: &Stage| stage.knows("anna anna@example.org\n");
    reasons.tells(
        "a file of people that says nothing",
        &findings(|_| (), scribbled).await,
    );
    // The project is gone from the list of what is known: the organisation holds the actions then.
    let alone = Stage::with(None, |all| all["organization"] = json!("f".repeat(24))).await;
    let unknown = alone.tool.check().await;
    assert_eq!(unknown[0].place, "organization", "{unknown:?}");
}

#[tokio::test]
async fn b04_what_is_told_is_valid_whatever_is_written() {
    let stage = Stage::open().await;
    let (action, mut cursor) = stage.bar().await;
    let mut known = String::new();
    for number in 0..1_000 {
        let account = format!("5e736fd6b6ebaf0d{number:08x}");
        known += &*format!("{account} p{number}@example.org\n");
        let text = HOSTILE[number % HOSTILE.len()];
        stage
            .server
            .takes(&action, if number % 3 == 0 { text } else { &account });
        stage.server.state().people.push(account.clone());
        if number % 7 == 0 {
            stage.server.validates(&action, &account);
        }
    }
    stage.knows(&known);
    stage.server.state().find(&action).status = "todo";
    stage.is_at("2027-01-12T15:00:00Z");
    for round in 0..2 {
        let changes = stage.hear(&mut cursor).await;
        assert_eq!(changes.is_empty(), round == 1);
        for change in changes {
            let fields = serde_json::to_value(&change.fields).unwrap();
            let faults = Schemas::shared().check_posted(change.kind, change.verb, &fields);
            assert!(faults.is_empty(), "{fields}: {faults:?}");
        }
    }
}

#[tokio::test]
async fn b05_a_sign_up_keeps_its_name_whatever_becomes_of_it() {
    let mut stage = Stage::open().await;
    let (action, mut cursor) = stage.bar().await;
    stage.server.takes(&action, ANNA);
    stage.server.takes(&action, BOB);
    let created = stage.hear(&mut cursor).await;
    assert_eq!(created.len(), 2);
    stage.restart();
    assert_eq!(stage.hear(&mut cursor).await, [], "read again: nothing");
    stage
        .server
        .state()
        .find(&action)
        .contributors
        .as_mut()
        .unwrap()
        .reverse();
    stage
        .server
        .edits("Bar 1 – Bal", |one| one.name = "Autre".to_owned());
    assert_eq!(
        stage.hear(&mut cursor).await,
        [],
        "shuffled, renamed: nothing"
    );
    stage.server.leaves(&action, ANNA);
    let cancelled = stage.hear(&mut cursor).await;
    assert_eq!(cancelled[0].verb, Verb::Cancelled);
    assert_eq!(cancelled[0].fields["email"], "anna@example.org");
    assert!(
        created
            .iter()
            .any(|one| one.subject == cancelled[0].subject)
    );
    // Nothing that is kept or told as a name says who they are.
    let kept = cursor.unwrap();
    let names = created.iter().flat_map(|one| [&one.subject, &one.id]);
    for text in names.chain([&kept]) {
        assert!(!text.contains("anna") && !text.contains(ANNA), "{text}");
    }
}

#[tokio::test]
async fn b06_the_same_event_ten_times_is_one_action() {
    let stage = Stage::open().await;
    stage.write(&task(1, json!({}))).await.unwrap();
    let sink = stage.tool.sink().unwrap();
    let job = stage.job(&task(1, json!({})), Some(&ball(json!({}))));
    let all = futures_util::future::join_all((0..9).map(|_| sink.apply(&job))).await;
    assert!(all.iter().all(|made| made.as_ref().unwrap().unchanged));
    stage.write(&task(2, json!({}))).await.unwrap();
    assert_eq!(stage.server.names(), ["Bar 1 – Bal", "Bar 2 – Bal"]);
}

#[tokio::test]
async fn b07_a_lost_answer_is_unknown_and_what_came_of_it_is_found() {
    let mut stage = Stage::open().await;
    let bar = task(1, json!({}));
    stage.server.fault(Fault::LoseAnswer);
    assert_eq!(stage.write(&bar).await.unwrap_err().blame, Blame::Unknown);
    stage.restart();
    let Found::Yes(found) = stage.find(&bar).await else {
        panic!("it is there");
    };
    assert_eq!(found.external, stage.server.action("Bar 1 – Bal").id);
    assert!(found.url.unwrap().contains(&found.external));
    let other = task(2, json!({}));
    stage.server.fault(Fault::Reset);
    assert_eq!(stage.write(&other).await.unwrap_err().blame, Blame::Unknown);
    let Found::No { listed } = stage.find(&other).await else {
        panic!("it is not there");
    };
    assert_eq!(listed, raccord_kit::Clock::now(&*stage.clock));
    let seek = Job::Seek { entity: bar.id };
    let sink = stage.tool.sink().unwrap();
    assert!(matches!(sink.find(&seek).await, Ok(Found::Yes(_))));
    // What it should say by now is another thing: that was not made.
    let edited = task(1, json!({ "capacity": 9 }));
    assert!(matches!(stage.find(&edited).await, Found::No { .. }));
}

#[tokio::test]
async fn b09_doubt_is_an_error_and_never_a_cancellation() {
    let stage = Stage::open().await;
    let (action, mut cursor) = stage.bar().await;
    stage.server.takes(&action, ANNA);
    assert_eq!(stage.hear(&mut cursor).await.len(), 1);
    for doubt in [
        Play::from(Reply::status(500)),
        Reply::status(502).body("<html>").into(),
        Reply::login_page().into(),
        Reply::ok("").into(),
        Reply::ok("null").into(),
        Reply::ok("[]").into(),
        Reply::ok("{\"status\":false}").into(),
        Reply::ok("{\"status\":true,\"actions\":[{}]}").into(),
        Play::CutBody(Reply::ok("{\"status\":true,\"actions\":[]}"), 10),
        Play::Garbage,
        Play::Reset,
    ] {
        stage.standin.script([doubt.clone()]);
        let read = stage.tool.source().unwrap().observe(cursor.as_deref());
        let read = read.await;
        assert!(read.is_err(), "{doubt:?}: {read:?}");
    }
    // A file that says who is who and is gone is no reason to sign anybody off, nor is an empty list.
    let kept = std::mem::take(&mut stage.server.state().actions);
    assert_eq!(stage.hear(&mut cursor).await, []);
    stage.server.state().actions = kept;
    stage.knows("");
    assert_eq!(
        stage.hear(&mut cursor).await.len(),
        1,
        "a notice that nobody knows who that is"
    );
    stage.knows(&people());
    let told = stage.hear(&mut cursor).await;
    assert_eq!(told.len(), 1, "which is taken back: {told:?}");
    assert_eq!(told[0].kind, EntityKind::Notice);
}

#[tokio::test]
async fn b10_what_we_made_ourselves_and_what_others_made_is_not_told() {
    let stage = Stage::open().await;
    let (_, mut cursor) = stage.bar().await;
    stage.write(&task(2, json!({}))).await.unwrap();
    let body = json!({ "name": "À eux", "parentId": ORGANIZATION, "parentType": "organizations" });
    stage.ask(ANNA, "create", &body).await;
    let theirs = stage.server.action("À eux").id;
    stage.server.takes(&theirs, ANNA);
    stage.server.validates(&theirs, ANNA);
    stage.is_at("2027-01-12T17:00:00Z");
    assert_eq!(stage.hear(&mut cursor).await, []);
}

#[tokio::test]
async fn b11_the_secrets_are_shown_to_the_server_and_to_nobody_else() {
    let logs = Logs::listen();
    let stage = Stage::open().await;
    let (action, mut cursor) = stage.bar().await;
    stage.knows(&format!("{ANNA} canary-person@example.org\n"));
    stage.server.takes(&action, ANNA);
    stage.is_at("2027-01-12T17:00:00Z");
    stage.hear(&mut cursor).await;
    stage.server.state().password = "x".to_owned();
    stage.server.state().sessions.clear();
    let findings = stage.tool.check().await;
    stage.server.state().token = "x".to_owned();
    let failure = stage.write(&task(2, json!({}))).await.unwrap_err();
    for canary in [TOKEN, PASSWORD, "canary-person"] {
        let shown = (
            &failure,
            &findings,
            stage.tool.describe(),
            &cursor,
            logs.text(),
        );
        conformance::b11_secrets(canary, &[&shown]);
    }
    for seen in stage.standin.seen() {
        assert!(!seen.path.contains("canary"), "{}", seen.path);
        assert!(!String::from_utf8_lossy(&seen.body).contains("canary"));
        let token = if seen.path == "/websocket" { "" } else { TOKEN };
        assert_eq!(seen.header("x-access-token"), token);
    }
}

#[tokio::test]
async fn b12_a_server_that_drips_or_never_ends_is_given_up() {
    let stage = Stage::open().await;
    let source = stage.tool.source().unwrap();
    for status in [200, 500] {
        let huge = Play::Huge(Reply::status(status), 1_000_000_000);
        stage.standin.script([huge]);
        let start = std::time::Instant::now();
        source.observe(None).await.unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(20));
    }
    source.observe(None).await.unwrap();
    tokio::time::pause();
    let start = tokio::time::Instant::now();
    let reply = Reply::ok("x".repeat(1_000));
    stage
        .standin
        .script([Play::Drip(reply, Duration::from_secs(1))]);
    source.observe(None).await.unwrap_err();
    let waited = start.elapsed();
    assert!(waited <= raccord_kit::http::TIME + Duration::from_secs(1));
    // A conversation that says nothing ends, and sign-ups are told all the same.
    let (action, mut cursor) = stage.bar().await;
    stage.is_at("2027-01-12T17:00:00Z");
    stage.server.state().socket = Socket::HidesTheLog;
    stage.server.takes(&action, ANNA);
    let start = tokio::time::Instant::now();
    let told = stage.hear(&mut cursor).await;
    assert!(start.elapsed() <= Duration::from_secs(61));
    tokio::time::resume();
    let kinds: Vec<_> = told.iter().map(|one| one.kind).collect();
    assert_eq!(kinds, [EntityKind::Registration, EntityKind::Notice]);
}

#[test]
fn b14_the_guide_is_complete_in_both_languages() {
    conformance::b14_guide(include_str!("../README.md"));
}

#[tokio::test]
async fn s01_every_refusal_has_its_blame_and_is_not_repeated() {
    for (status, blame) in STATUSES {
        let stage = Stage::open().await;
        stage.server.fault(Fault::Refuse(Reply::status(*status)));
        let failure = stage.write(&task(1, json!({}))).await.unwrap_err();
        let expected = match status {
            // It may have been made all the same.
            500 | 502 | 504 => Blame::Unknown,
            // There is no such status there: something else answers.
            404 => Blame::Transient,
            _ => *blame,
        };
        assert_eq!(failure.blame, expected, "{status}: {failure:?}");
        assert_eq!(stage.makings().len(), 1, "{status}");
        assert!(!failure.mend.fr.is_empty() && failure.mend.fr != failure.mend.en);
    }
}

#[tokio::test]
async fn s05_a_refused_token_rests_and_its_successor_is_tried_at_once() {
    let stage = Stage::open().await;
    stage.server.state().token = "another".to_owned();
    for _ in 0..20 {
        let failure = stage.write(&task(1, json!({}))).await.unwrap_err();
        assert_eq!(failure.blame, Blame::Access);
        stage.pass(1);
    }
    assert_eq!(stage.standin.seen().len(), 1);
    stage.pass(30);
    stage.write(&task(1, json!({}))).await.unwrap_err();
    assert_eq!(stage.standin.seen().len(), 2);
}

#[tokio::test]
async fn s13_hours_are_those_of_the_place() {
    let stage = Stage::open().await;
    for (number, fields, start, end) in [
        (
            1,
            json!({ "zone": "Europe/Paris", "start": "2027-03-28T02:30", "end": "2027-03-28T04:00" }),
            "2027-03-28T01:30:00Z",
            "2027-03-28T02:00:00Z",
        ),
        (
            2,
            json!({ "zone": "Europe/Paris", "start": "2027-10-31T02:30", "end": "2027-10-31T04:00" }),
            "2027-10-31T00:30:00Z",
            "2027-10-31T03:00:00Z",
        ),
        (
            3,
            json!({ "zone": "", "start": "2027-02-01", "end": "2027-02-03" }),
            "2027-01-31T20:00:00Z",
            "2027-02-03T19:59:00Z",
        ),
    ] {
        let bar = task(number, json!({}));
        stage.write_of(&bar, Some(&ball(fields))).await.unwrap();
        let action = stage.server.action(&format!("Bar {number} – Bal"));
        assert_eq!(action.start.unwrap().to_string(), start, "{number}");
        assert_eq!(action.end.unwrap().to_string(), end, "{number}");
    }
}

#[tokio::test]
async fn s15_text_stays_text_and_fits() {
    let stage = Stage::open().await;
    let long = conformance::very_long();
    let texts = HOSTILE.iter().copied().chain([&*long]);
    for (number, text) in texts.enumerate() {
        let one = task(
            number,
            json!({ "title": text, "description": text, "guide": text }),
        );
        if let Rendered::Nothing = stage.render(&one, None) {
            continue;
        }
        stage.write_of(&one, None).await.unwrap();
        assert!(
            stage.write_of(&one, None).await.unwrap().unchanged,
            "{text}"
        );
    }
    for name in stage.server.names() {
        assert!(name.chars().count() <= 200 && !name.contains(['\n', '\r', '\u{202e}']));
    }
}

#[tokio::test]
async fn what_is_not_for_everybody_and_what_is_off_is_not_there() {
    let stage = Stage::open().await;
    let bar = task(1, json!({}));
    for fields in [
        json!({ "visibility": "internal" }),
        json!({ "status": "cancelled" }),
        json!({ "status": "draft" }),
        json!({ "origin": "Le Jardin" }),
    ] {
        let evening = ball(fields);
        assert_eq!(stage.render(&bar, Some(&evening)), Rendered::Nothing);
    }
    for fields in [
        json!({ "state": "cancelled" }),
        json!({ "state": "done" }),
        json!({ "visibility": "internal" }),
    ] {
        assert_eq!(stage.render(&task(1, fields), None), Rendered::Nothing);
    }
    assert_eq!(stage.render(&ball(json!({})), None), Rendered::Nothing);
    // On its own, a task has no hours.
    stage.write_of(&bar, None).await.unwrap();
    assert_eq!(stage.server.action("Bar 1").start, None);
}

#[tokio::test]
async fn what_is_over_is_not_made_late_and_what_was_never_named_is_found_to_remove() {
    let stage = Stage::open().await;
    let old = ball(json!({ "start": "2026-12-01T20:00", "end": null }));
    let bar = task(1, json!({}));
    assert!(stage.write_of(&bar, Some(&old)).await.unwrap().unchanged);
    assert_eq!(stage.makings().len(), 0);
    stage.remove(&bar).await.unwrap();
    stage.links.lock().unwrap().clear();
    stage.write(&bar).await.unwrap();
    let job = Job::Remove {
        entity: bar.id,
        link: Link::nameless(raccord_model::Digest::default()),
    };
    let failure = stage.tool.sink().unwrap().apply(&job).await.unwrap_err();
    assert!(failure.asks && failure.code == "oceco.goes", "{failure:?}");
}

#[tokio::test]
async fn who_is_not_confirmed_is_counted_and_told_of_once_known() {
    let mut stage = Stage::open().await;
    let (action, mut cursor) = stage.bar().await;
    stage.server.takes(&action, STRANGER);
    let told = stage.hear(&mut cursor).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].subject, "unknown-people");
    assert!(
        !format!("{told:?}").contains(STRANGER),
        "who it is is nobody's business"
    );
    // A check knows nothing but what stands there.
    stage.restart();
    let findings = stage.tool.check().await;
    assert!(findings[0].mend.en.contains(STRANGER), "{findings:?}");
    stage.is_at("2027-01-12T17:00:00Z");
    stage.server.validates(&action, STRANGER);
    assert_eq!(
        stage.hear(&mut cursor).await.len(),
        1,
        "no coming, no credit"
    );
    // Somebody makes sure who it is: what was validated before counts.
    stage.knows(&format!("{}{STRANGER} chloe@example.org\n", people()));
    let told = stage.hear(&mut cursor).await;
    let told: Vec<_> = told
        .iter()
        .filter(|one| one.kind == EntityKind::Registration)
        .collect();
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].verb, &told[0].fields["email"]),
        (Verb::Attended, &json!("chloe@example.org"))
    );
}

#[tokio::test]
async fn sixty_days_after_an_action_nothing_is_told_of_it_any_more() {
    let stage = Stage::open().await;
    let (action, mut cursor) = stage.bar().await;
    stage.server.takes(&action, ANNA);
    stage.hear(&mut cursor).await;
    stage.is_at("2027-03-12T08:00:00Z");
    stage.server.validates(&action, ANNA);
    assert_eq!(stage.hear(&mut cursor).await[0].verb, Verb::Attended);
    stage.is_at("2027-03-14T08:00:00Z");
    stage.server.validates(&action, BOB);
    assert_eq!(stage.hear(&mut cursor).await, []);
    assert!(!cursor.unwrap().contains(&action), "nothing is kept of it");
}
