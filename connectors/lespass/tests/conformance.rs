//! The rules of the quality scale that can be played by a test.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;
use std::time::Duration;

use common::server::{Fault, KEY, SCANNER};
use common::{Stage, activity, ball, settings, task};
use raccord_connector_lespass::CONNECTOR;
use raccord_kit::conformance::{self, Given, HOSTILE, QualityLevel, Reasons, STATUSES};
use raccord_kit::hook::Unheard;
use raccord_kit::standin::{Play, Reply, Standin};
use raccord_kit::testing::{Logs, kit};
use raccord_kit::{Job, Level, Tool};
use raccord_model::{Blame, Call, Class, EntityKind, Found, Link, Mode, Rendered, Schemas, Verb};
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
    let mirror = |entity| (entity, Mode::Mirror, Class::Find);
    assert_eq!(
        said,
        [mirror(EntityKind::Activity), mirror(EntityKind::Task)]
    );
    let mut alone = settings("http://h/");
    alone["tasks"] = json!("none");
    assert_eq!(tool(alone).describe().handles.len(), 1);
    assert!(tool(settings("http://h/")).source().unwrap().counts());
}

#[test]
fn b02_broken_settings_are_refused_by_their_key() {
    let given = Given(settings("https://lieu.tibillet.coop"));
    let mut in_a_file = given.without("key");
    in_a_file["key_file"] = json!("secrets/lespass");
    conformance::b02_config(
        &CONNECTOR,
        &[
            settings("https://lieu.tibillet.coop/"),
            given.with("products", json!(["3f6c0a52-9a3e-4a0e-8a53-2f6f1f0b7c11"])),
            given.with("tasks", json!("none")),
            given.with("every", json!("1h")),
            in_a_file,
        ],
        &[
            (given.without("url"), "url"),
            (given.with("url", json!("lieu.tibillet.coop")), "url"),
            (
                given.with("url", json!("https://a:b@lieu.tibillet.coop/")),
                "url",
            ),
            (given.with("tasks", json!("all")), "tasks"),
            (given.with("every", json!("5s")), "every"),
            (given.with("kee", json!("x")), "kee"),
            (given.with("key_file", json!("x")), "key"),
            (given.with("scan_key_file", json!("x")), "scan_key"),
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
    let plain = Standin::start().await;
    plain.always(Reply::status(404));
    reasons.tells(
        "an old version",
        &tool(settings(&plain.url("/"))).check().await,
    );

    let findings = async |change: fn(&mut Value), server: fn(&Stage)| {
        let stage = Stage::with(None, change).await;
        server(&stage);
        let found = stage.tool.check().await;
        let writes = stage.standin.writes();
        assert!(writes.is_empty(), "check wrote: {writes:?}");
        found
    };
    let rights = |stage: &Stage, left: &[&'static str]| {
        let left = left.iter().copied().collect();
        stage.server.state().keys.insert(KEY.to_owned(), left);
    };
    let reading = Stage::open().await;
    rights(&reading, &["reservation", "admin"]);
    reasons.tells("no right to events", &reading.tool.check().await);
    reasons.tells(
        "a wrong key",
        &findings(|all| all["key"] = json!("x"), |_| ()).await,
    );
    reasons.tells(
        "no key",
        &findings(
            |all| drop(all.as_object_mut().unwrap().remove("key")),
            |_| (),
        )
        .await,
    );
    let events = Stage::open().await;
    rights(&events, &["event"]);
    reasons.tells("no right to reservations", &events.tool.check().await);
    let booked = Stage::with(None, |all| all["products"] = json!(["x"])).await;
    let wrong = booked.tool.check().await;
    assert!(
        wrong[0].mend.en.contains(common::server::PRODUCT),
        "{wrong:?}"
    );
    reasons.tells("a product that is not there", &wrong);
    rights(&booked, &["event", "reservation", "admin"]);
    reasons.tells("no right to products", &booked.tool.check().await);
    reasons.tells(
        "a wrong scanner",
        &findings(|all| all["scan_key"] = json!("x"), |_| ()).await,
    );
    reasons.tells(
        "an archived scanner",
        &findings(|_| (), |stage| stage.server.state().archived = true).await,
    );
    let blind = findings(
        |all| drop(all.as_object_mut().unwrap().remove("scan_key")),
        |_| (),
    );
    let blind = blind.await;
    assert!(blind.iter().all(|one| one.level == Level::Warning));
    reasons.tells("no scanner", &blind);
}

#[tokio::test]
async fn b04_what_is_told_is_valid_whatever_is_written() {
    let stage = Stage::open().await;
    let (event, mut cursor) = stage.ball().await;
    for number in 0..1_000 {
        let text = HOSTILE[number % HOSTILE.len()];
        let who = format!("p{number}");
        let booked = stage.server.books(&event, &who, number % 5);
        let mut state = stage.server.state();
        let known = state.reservations.iter_mut().find(|one| one.uuid == booked);
        let known = known.unwrap();
        known
            .tickets
            .iter_mut()
            .for_each(|ticket| ticket.name = text.repeat(number % 30));
        known.status = ["V", "C", "R", "FA", "?"][number / 7 % 5];
    }
    stage.is_at("2027-01-12T15:00:00Z");
    for round in 0..2 {
        let changes = stage.hear(&mut cursor).await;
        assert_eq!(changes.is_empty(), round == 1);
        for change in changes {
            let mut fields = serde_json::to_value(&change.fields).unwrap();
            fields
                .as_object_mut()
                .unwrap()
                .retain(|_, value| !value.is_null());
            let faults = Schemas::shared().check_posted(change.kind, change.verb, &fields);
            assert!(faults.is_empty(), "{fields}: {faults:?}");
        }
    }
}

#[tokio::test]
async fn b05_a_sign_up_keeps_its_name_whatever_becomes_of_it() {
    let mut stage = Stage::open().await;
    let (event, mut cursor) = stage.ball().await;
    let anna = stage.server.books(&event, "anna", 1);
    stage.server.books(&event, "bob", 1);
    let created = stage.hear(&mut cursor).await;
    assert_eq!(created.len(), 2);
    stage.restart();
    assert_eq!(stage.hear(&mut cursor).await, [], "read again: nothing");
    stage.server.state().reservations.reverse();
    assert_eq!(stage.hear(&mut cursor).await, [], "shuffled: nothing");
    stage.pass(1);
    stage.server.becomes(&anna, "C");
    let cancelled = stage.hear(&mut cursor).await;
    assert_eq!(cancelled[0].verb, Verb::Cancelled);
    assert!(
        created
            .iter()
            .any(|one| one.subject == cancelled[0].subject)
    );
    // Nothing that is kept or told as a name says who they are.
    let kept = cursor.unwrap();
    for text in created
        .iter()
        .flat_map(|one| [&one.subject, &one.id])
        .chain([&kept])
    {
        assert!(!text.contains("anna") && !text.contains('@'), "{text}");
    }
}

#[tokio::test]
async fn b06_the_same_event_ten_times_is_one_event() {
    let stage = Stage::open().await;
    stage.write(&ball()).await.unwrap();
    let sink = stage.tool.sink().unwrap();
    let job = stage.job(&ball());
    let all = futures_util::future::join_all((0..9).map(|_| sink.apply(&job))).await;
    assert!(all.iter().all(|made| made.as_ref().unwrap().unchanged));
    assert_eq!(stage.server.names(), ["Bal 1"]);
    stage.write(&activity(2, json!({}))).await.unwrap();
    assert_eq!(stage.server.names(), ["Bal 1", "Bal 2"]);
}

#[tokio::test]
async fn b07_a_lost_answer_is_unknown_and_what_came_of_it_is_found() {
    let mut stage = Stage::open().await;
    stage.server.fault(Fault::LoseAnswer);
    let failure = stage.write(&ball()).await.unwrap_err();
    assert_eq!(failure.blame, Blame::Unknown);
    stage.restart();
    let Found::Yes(found) = stage.find(&ball()).await else {
        panic!("it is there");
    };
    assert_eq!(found.external, stage.server.event("Bal 1").uuid);
    // Whoever repeats all the same makes no second one.
    assert!(stage.write(&ball()).await.unwrap().unchanged);
    assert_eq!(stage.server.names(), ["Bal 1"]);
    // What was not done is not found, by a look that is as old as it says.
    let other = activity(2, json!({}));
    stage.server.fault(Fault::Reset);
    assert_eq!(stage.write(&other).await.unwrap_err().blame, Blame::Unknown);
    let Found::No { listed } = stage.find(&other).await else {
        panic!("it is not there");
    };
    assert_eq!(listed, raccord_kit::Clock::now(&*stage.clock));
    let seek = Job::Seek { entity: ball().id };
    let sink = stage.tool.sink().unwrap();
    assert!(matches!(sink.find(&seek).await, Ok(Found::Yes(_))));
    // What is changed is deleted first: whatever is lost, there is one, and it is the new one.
    let later = activity(1, json!({ "room": "Cour", "description": "Autre." }));
    for fault in [Fault::Reset, Fault::LoseAnswer] {
        stage.server.fault(fault);
        assert_eq!(
            stage.write(&later).await.unwrap_err().blame,
            Blame::Transient
        );
    }
    stage.write(&later).await.unwrap();
    assert_eq!(stage.server.names(), ["Bal 1"]);
    assert!(matches!(stage.find(&later).await, Found::Yes(_)));
    assert!(
        matches!(stage.find(&ball()).await, Found::No { .. }),
        "that was another"
    );
}

#[tokio::test]
async fn b09_doubt_is_an_error_and_never_a_cancellation() {
    let stage = Stage::open().await;
    let (event, mut cursor) = stage.ball().await;
    stage.server.books(&event, "anna", 1);
    assert_eq!(stage.hear(&mut cursor).await.len(), 1);
    let server = stage.server.clone();
    for doubt in [
        Play::from(Reply::status(500)),
        Reply::status(502).body("<html>").into(),
        Reply::login_page().into(),
        Reply::ok("").into(),
        Reply::ok("null").into(),
        Reply::ok("{\"results\":[]}").into(),
        Play::CutBody(Reply::ok("[]"), 1),
        Play::Garbage,
        Play::Reset,
    ] {
        let (server, play) = (server.clone(), doubt.clone());
        stage.standin.direct(move |seen| {
            if seen.path.contains("/reservations") {
                play.clone()
            } else {
                server.answer(seen)
            }
        });
        let read = stage.tool.source().unwrap().observe(cursor.as_deref());
        let read = read.await;
        assert!(read.is_err(), "{doubt:?}: {read:?}");
    }
    let server = stage.server.clone();
    stage.standin.direct(move |seen| server.answer(seen));
    // Nor does an empty list cancel anything.
    let kept = std::mem::take(&mut stage.server.state().reservations);
    assert_eq!(stage.hear(&mut cursor).await, []);
    stage.server.state().reservations = kept;
    assert_eq!(stage.hear(&mut cursor).await, []);
}

#[tokio::test]
async fn b10_what_we_made_ourselves_and_what_others_made_is_not_told() {
    let stage = Stage::open().await;
    let (_, mut cursor) = stage.ball().await;
    stage.write(&activity(2, json!({}))).await.unwrap();
    stage
        .write_of(&task(1, json!({})), Some(&ball()))
        .await
        .unwrap();
    stage.server.books("an-event-of-theirs", "anna", 1);
    assert_eq!(stage.hear(&mut cursor).await, []);
}

#[tokio::test]
async fn b11_the_keys_are_shown_to_the_server_and_to_nobody_else() {
    let logs = Logs::listen();
    let stage = Stage::open().await;
    let (event, mut cursor) = stage.ball().await;
    stage.server.books(&event, "canary-person", 1);
    stage.hear(&mut cursor).await;
    stage.server.state().keys.clear();
    stage.server.state().scanner = "x".to_owned();
    let failure = stage.write(&activity(2, json!({}))).await.unwrap_err();
    let findings = stage.tool.check().await;
    for canary in [KEY, SCANNER, "hook-canary", "canary-person"] {
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
        let key = if seen.path.contains("/scan/") {
            SCANNER
        } else {
            KEY
        };
        assert_eq!(seen.header("authorization"), format!("Api-Key {key}"));
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
    tokio::time::resume();
    assert!(waited <= raccord_kit::http::TIME + Duration::from_secs(1));
}

#[test]
fn b14_the_guide_is_complete_in_both_languages() {
    conformance::b14_guide(include_str!("../README.md"));
}

#[tokio::test]
async fn s01_every_refusal_has_its_blame_and_is_not_repeated() {
    for (status, blame) in STATUSES {
        let stage = Stage::open().await;
        let refusal = Reply::status(*status);
        stage.server.fault(Fault::Refuse(refusal));
        let failure = stage.write(&ball()).await.unwrap_err();
        let expected = match status {
            // It may have been made all the same.
            502 | 504 => Blame::Unknown,
            // The server answers and holds nothing of it: a person is asked.
            500 => Blame::Data,
            _ => *blame,
        };
        assert_eq!(failure.blame, expected, "{status}: {failure:?}");
        assert_eq!(stage.standin.writes().len(), 1, "{status}");
        assert!(!failure.mend.fr.is_empty() && failure.mend.fr != failure.mend.en);
    }
}

#[tokio::test]
async fn s05_a_refused_key_rests_and_its_successor_is_tried_at_once() {
    let stage = Stage::open().await;
    stage.server.state().keys.clear();
    for _ in 0..20 {
        let failure = stage.write(&ball()).await.unwrap_err();
        assert_eq!(failure.blame, Blame::Access);
        stage.pass(1);
    }
    assert_eq!(stage.standin.seen().len(), 1);
    stage.pass(30);
    stage.write(&ball()).await.unwrap_err();
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
            Some("2027-03-28T02:00:00Z"),
        ),
        (
            2,
            json!({ "zone": "Europe/Paris", "start": "2027-10-31T02:30", "end": "2027-10-31T04:00" }),
            "2027-10-31T00:30:00Z",
            Some("2027-10-31T03:00:00Z"),
        ),
        (
            3,
            json!({ "start": "2027-02-01T19:30", "end": null }),
            "2027-02-01T15:30:00Z",
            None,
        ),
        (
            4,
            json!({ "start": "2027-02-01", "end": "2027-02-03" }),
            "2027-01-31T20:00:00Z",
            Some("2027-02-03T19:59:00Z"),
        ),
        (
            5,
            json!({ "zone": "", "start": "2027-02-01T22:00", "end": "2027-02-02T02:00" }),
            "2027-02-01T18:00:00Z",
            Some("2027-02-01T22:00:00Z"),
        ),
    ] {
        stage.write(&activity(number, fields)).await.unwrap();
        let event = stage.server.event(&format!("Bal {number}"));
        assert_eq!(event.start.to_string(), start, "{number}");
        assert_eq!(
            event.end.map(|end| end.to_string()).as_deref(),
            end,
            "{number}"
        );
    }
}

#[tokio::test]
async fn s15_text_stays_text_and_fits() {
    let stage = Stage::open().await;
    for (number, text) in HOSTILE.iter().enumerate() {
        let one = activity(number, json!({ "title": text, "tags": [text] }));
        if let Rendered::Nothing = stage.render(&one, None) {
            continue;
        }
        stage.write(&one).await.unwrap();
        assert!(stage.write(&one).await.unwrap().unchanged, "{text}");
    }
    let long = conformance::very_long();
    let one = activity(99, json!({ "title": long, "description": long }));
    stage.write(&one).await.unwrap();
    assert!(stage.write(&one).await.unwrap().unchanged);
    for event in stage.server.names() {
        assert!(event.chars().count() <= 200 && !event.contains(['\n', '\r', '\u{202e}']));
    }
}

#[tokio::test]
async fn a_call_is_let_in_by_its_key_alone() {
    let stage = Stage::open().await;
    let hook = stage.tool.hook().unwrap();
    let call = |query: &str, body: &[u8]| Call {
        at: raccord_kit::testing::NOON,
        query: query.to_owned(),
        headers: Vec::new(),
        body: body.to_vec(),
    };
    let body: &[u8] = b"object=reservation&uuid=x&state=R";
    assert!(hook.hear(&call("key=hook-canary", body)).unwrap().hint);
    assert!(
        hook.hear(&call("key=hook-canary", &vec![0xff; 256_000]))
            .unwrap()
            .hint
    );
    let member = hook.hear(&call("key=hook-canary", b"{\"object\":\"membership\"}"));
    assert!(!member.unwrap().hint, "members are nobody's business here");
    for forged in [
        "",
        "key=",
        "key=x",
        "key=hook-canary&key=hook-canary",
        "other=hook-canary",
    ] {
        assert_eq!(
            hook.hear(&call(forged, body)),
            Err(Unheard::Forged),
            "{forged}"
        );
    }
    let mut none = settings("http://h/");
    none.as_object_mut().unwrap().remove("hook_secret");
    assert!(tool(none).hook().is_none());
}

#[tokio::test]
async fn what_is_not_for_everybody_and_what_is_off_is_not_there() {
    let stage = Stage::open().await;
    for fields in [
        json!({ "visibility": "internal" }),
        json!({ "status": "cancelled" }),
        json!({ "status": "draft" }),
        json!({ "origin": "Le Jardin" }),
    ] {
        let one = activity(1, fields);
        assert_eq!(stage.render(&one, None), Rendered::Nothing);
    }
    let bar = task(1, json!({}));
    assert_eq!(stage.render(&bar, None), Rendered::Nothing, "alone");
    let gone = task(1, json!({ "state": "cancelled" }));
    assert_eq!(stage.render(&gone, Some(&ball())), Rendered::Nothing);
    let ours = task(1, json!({ "visibility": "internal" }));
    assert_eq!(stage.render(&ours, Some(&ball())), Rendered::Nothing);
    // An action of an event that is not there has nowhere to go.
    let failure = stage.write_of(&bar, Some(&ball())).await.unwrap_err();
    assert_eq!(failure.code, "lespass.no-parent");
}

#[tokio::test]
async fn what_is_over_is_left_as_it_was_and_not_made_late() {
    let stage = Stage::open().await;
    stage.write(&ball()).await.unwrap();
    let old = activity(2, json!({ "start": "2026-12-01T20:00", "end": null }));
    let made = stage.write(&old).await.unwrap();
    assert!(made.unchanged);
    assert_eq!(stage.server.names(), ["Bal 1"], "nobody books the past");
    stage.remove(&old).await.unwrap();
    stage.is_at("2027-01-20T08:00:00Z");
    let edited = activity(1, json!({ "description": "Autre." }));
    assert!(stage.write(&edited).await.unwrap().unchanged);
    stage.remove(&edited).await.unwrap();
    assert_eq!(stage.server.names(), ["Bal 1"], "what took place stays");
}

#[tokio::test]
async fn what_is_gone_is_made_anew_and_what_was_never_named_is_found_to_remove() {
    let stage = Stage::open().await;
    stage.write(&ball()).await.unwrap();
    stage.server.state().events.clear();
    stage.write(&ball()).await.unwrap();
    assert_eq!(stage.server.names(), ["Bal 1"]);
    let job = Job::Remove {
        entity: ball().id,
        link: Link::nameless(raccord_model::Digest::default()),
    };
    let sink = stage.tool.sink().unwrap();
    sink.apply(&job).await.unwrap();
    assert_eq!(stage.server.names(), [""; 0]);
    sink.apply(&job).await.unwrap();
}

#[tokio::test]
async fn what_somebody_deleted_is_noticed_and_what_they_unpublished_is_there() {
    let stage = Stage::open().await;
    let (event, mut cursor) = stage.ball().await;
    let other = stage.write(&activity(2, json!({}))).await.unwrap();
    let far = activity(3, json!({ "start": "2029-01-12T20:00", "end": null }));
    let far = stage.write(&far).await.unwrap().applied.external;
    let old = activity(4, json!({ "start": "2026-12-01T20:00", "end": null }));
    let old = stage.write(&old).await.unwrap().applied.external;
    stage.hear(&mut cursor).await;
    stage.server.edits("Bal 2", |event| event.published = false);
    let all = [event.clone(), other.applied.external, far, old];
    let sink = stage.tool.sink().unwrap();
    assert_eq!(sink.missing(&all).await, [""; 0]);
    stage.server.state().events.retain(|one| one.uuid != event);
    assert_eq!(sink.missing(&all).await, [event]);
    stage.standin.always(Reply::status(502));
    assert_eq!(
        sink.missing(&all).await,
        [""; 0],
        "a server that is away lost nothing"
    );
    let seen = stage.standin.writes();
    assert_eq!(seen.len(), 3, "it writes nothing");
}

#[tokio::test]
async fn a_week_after_an_event_nothing_is_told_of_it_any_more() {
    let stage = Stage::open().await;
    let (event, mut cursor) = stage.ball().await;
    let anna = stage.server.books(&event, "anna", 1);
    assert_eq!(stage.hear(&mut cursor).await.len(), 1);
    stage.is_at("2027-01-18T08:00:00Z");
    stage.server.scans(&anna);
    assert_eq!(stage.hear(&mut cursor).await[0].verb, Verb::Attended);
    stage.is_at("2027-01-20T08:00:00Z");
    stage.server.books(&event, "bob", 1);
    assert_eq!(stage.hear(&mut cursor).await, []);
    assert!(!cursor.unwrap().contains("\"s\""), "nothing is kept of it");
}

#[tokio::test]
async fn tags_that_change_alone_arrive_and_those_of_members_stay() {
    let stage = Stage::open().await;
    stage.write(&ball()).await.unwrap();
    let tagged = activity(1, json!({ "tags": ["danse", "été"] }));
    stage.write(&tagged).await.unwrap();
    assert_eq!(stage.server.event("Bal 1").tags, ["danse", "été"]);
    let add = |event: &mut common::server::Event| event.tags.push("famille".to_owned());
    stage.server.edits("Bal 1", add);
    assert!(stage.write(&tagged).await.unwrap().unchanged);
}

#[tokio::test]
async fn an_activity_that_becomes_internal_is_taken_off_shared_agendas() {
    let stage = Stage::open().await;
    stage.write(&ball()).await.unwrap();
    let mut desired = stage.desired(&ball(), None);
    desired.body["private"] = json!(true);
    let link = stage.links.lock().unwrap().get(&ball().id).cloned();
    let entity = ball().id;
    let job = Job::Write {
        entity,
        desired,
        link,
    };
    stage.tool.sink().unwrap().apply(&job).await.unwrap();
    assert!(stage.server.event("Bal 1").private);
}

#[tokio::test]
async fn a_name_is_told_once_tickets_are_read_and_once_only() {
    let stage = Stage::open().await;
    let (event, mut cursor) = stage.ball().await;
    stage.server.books(&event, "anna", 1);
    let told = stage.hear(&mut cursor).await;
    assert_eq!(
        told[0].fields.get("name"),
        None,
        "days before, nothing says it"
    );
    stage.is_at("2027-01-12T14:00:00Z");
    let told = stage.hear(&mut cursor).await;
    assert_eq!(told[0].verb, Verb::Updated);
    assert_eq!(told[0].fields["name"], "anna");
    assert_eq!(stage.hear(&mut cursor).await, []);
}
