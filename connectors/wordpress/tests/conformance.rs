//! The rules of the quality scale that can be played by a test.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;
use std::time::Duration;

use common::server::{Fault, PASSWORD};
use common::{Stage, activity, ball, settings};
use raccord_connector_wordpress::CONNECTOR;
use raccord_kit::conformance::{self, Given, HOSTILE, QualityLevel, Reasons, STATUSES};
use raccord_kit::standin::{Play, Reply, Standin};
use raccord_kit::testing::{Logs, kit};
use raccord_kit::{Job, Level, Tool};
use raccord_model::{Blame, Class, Digest, EntityKind, Found, Link, Mode, Rendered, Schemas, Verb};
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
    let one = &manifest.handles[0];
    assert_eq!(
        (one.entity, one.mode, one.class, one.read_back),
        (EntityKind::Activity, Mode::Mirror, Class::Find, true)
    );
}

#[test]
fn b02_broken_settings_are_refused_by_their_key() {
    let given = Given(settings("https://lieu.example.org"));
    let mut in_a_file = given.without("password");
    in_a_file["password_file"] = json!("secrets/wordpress");
    conformance::b02_config(
        &CONNECTOR,
        &[
            settings("https://lieu.example.org/blog/"),
            given.with("posts", json!("draft")),
            given.with("category", json!("Agenda")),
            given.without("posts"),
            in_a_file,
        ],
        &[
            (given.without("url"), "url"),
            (given.without("user"), "user"),
            (given.with("url", json!("lieu.example.org")), "url"),
            (
                given.with("url", json!("https://a:b@lieu.example.org/")),
                "url",
            ),
            (given.with("posts", json!("all")), "posts"),
            (given.with("every", json!("5s")), "every"),
            (given.with("categorie", json!("x")), "categorie"),
            (given.with("password_file", json!("x")), "password"),
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
        "no interface",
        &tool(settings(&plain.url("/"))).check().await,
    );
    plain.always(Reply::status(403).body("<html>blocked"));
    reasons.tells("a firewall", &tool(settings(&plain.url("/"))).check().await);

    let findings = async |change: fn(&mut Value), server: fn(&Stage)| {
        let stage = Stage::with(None, change).await;
        server(&stage);
        let found = stage.tool.check().await;
        assert!(stage.standin.writes().is_empty(), "check wrote");
        found
    };
    let drop_password = |all: &mut Value| drop(all.as_object_mut().unwrap().remove("password"));
    reasons.tells("no password", &findings(drop_password, |_| ()).await);
    reasons.tells(
        "a wrong password",
        &findings(|all| all["password"] = json!("x"), |_| ()).await,
    );
    let fewer = |stage: &Stage| {
        stage.server.state().capabilities = vec!["edit_posts", "delete_posts"];
    };
    reasons.tells("a contributor", &findings(|_| (), fewer).await);
    let no_publish = |stage: &Stage| {
        stage
            .server
            .state()
            .capabilities
            .retain(|one| *one != "publish_posts");
    };
    reasons.tells("no right to publish", &findings(|_| (), no_publish).await);
    let drafts = findings(|all| all["posts"] = json!("draft"), no_publish).await;
    assert_eq!(drafts, [], "drafts need less");
    let category = findings(|all| all["category"] = json!("Concerts"), |_| ()).await;
    assert!(category[0].mend.en.contains("Agenda & co"), "{category:?}");
    reasons.tells("a category that is not there", &category);
    let admin = findings(
        |_| (),
        |stage| stage.server.state().capabilities.push("manage_options"),
    );
    let admin = admin.await;
    assert_eq!(admin[0].level, Level::Warning);
    reasons.tells("more rights than needed", &admin);
}

#[tokio::test]
async fn b04_what_is_told_is_valid_whatever_is_written() {
    let stage = Stage::open().await;
    let id = stage.write(&ball()).await.unwrap().applied.external;
    for number in 0..1_000 {
        let text = HOSTILE[number % HOSTILE.len()].repeat(number % 7);
        stage.server.edits(&id, number % 2 == 0, |post| {
            let inside = post.content.find("<p class").unwrap_or_default();
            post.title = format!("{text}{number}");
            post.content.insert_str(inside, &text);
            post.content.truncate(20_000);
        });
        for edit in stage.read(&mut None).await.unwrap().edits {
            let mut fields = serde_json::to_value(&edit.fields).unwrap();
            fields
                .as_object_mut()
                .unwrap()
                .retain(|_, value| !value.is_null());
            let kind = EntityKind::Activity;
            let faults = Schemas::shared().check_posted(kind, Verb::Updated, &fields);
            assert!(faults.is_empty(), "{fields}: {faults:?}");
        }
    }
}

#[tokio::test]
async fn b05_an_edit_names_its_activity_and_the_same_one_is_told_the_same() {
    let mut stage = Stage::open().await;
    let id = stage.write(&ball()).await.unwrap().applied.external;
    stage.write(&activity(2, json!({}))).await.unwrap();
    let mut cursor = None;
    let first = stage.read(&mut cursor).await.unwrap();
    assert!(first.lines.is_empty() && first.edits.iter().all(|edit| edit.fields.is_empty()));
    stage.restart();
    assert!(
        stage.read(&mut cursor).await.is_none(),
        "read again: nothing"
    );
    stage.pass(1);
    stage
        .server
        .edits(&id, false, |post| post.title = "Grand bal".to_owned());
    let read = stage.read(&mut cursor).await.unwrap();
    let edit = read
        .edits
        .iter()
        .find(|edit| edit.entity == ball().id)
        .unwrap();
    assert_eq!(edit.fields["title"], "Grand bal");
    stage.server.state().posts.reverse();
    assert!(stage.read(&mut cursor).await.is_none(), "shuffled: nothing");
}

#[tokio::test]
async fn b06_the_same_post_ten_times_is_one_post() {
    let stage = Stage::open().await;
    stage.write(&ball()).await.unwrap();
    let sink = stage.tool.sink().unwrap();
    let job = stage.job(&ball());
    let all = futures_util::future::join_all((0..9).map(|_| sink.apply(&job))).await;
    assert!(all.iter().all(|made| made.as_ref().unwrap().unchanged));
    assert_eq!(stage.server.titles(), ["Bal 1"]);
    stage.write(&activity(2, json!({}))).await.unwrap();
    assert_eq!(stage.server.titles(), ["Bal 1", "Bal 2"]);
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
    assert_eq!(found.external, stage.server.post("Bal 1").id.to_string());
    // Whoever repeats all the same makes no second one.
    assert!(stage.write(&ball()).await.unwrap().unchanged);
    assert_eq!(stage.server.titles(), ["Bal 1"]);
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
    // A change of a post we know may be repeated.
    let later = activity(1, json!({ "room": "Cour" }));
    assert!(
        matches!(stage.find(&later).await, Found::No { .. }),
        "that shows something else"
    );
    for fault in [Fault::Reset, Fault::LoseAnswer] {
        stage.server.fault(fault);
        let failure = stage.write(&later).await.unwrap_err();
        assert_eq!(failure.blame, Blame::Transient);
    }
    stage.write(&later).await.unwrap();
    assert_eq!(stage.server.titles(), ["Bal 1"]);
}

#[tokio::test]
async fn b09_doubt_is_an_error_and_never_a_removal() {
    let stage = Stage::open().await;
    stage.write(&ball()).await.unwrap();
    let mut cursor = None;
    stage.read(&mut cursor).await.unwrap();
    let server = stage.server.clone();
    for doubt in [
        Play::from(Reply::status(500)),
        Reply::status(502).body("<html>").into(),
        Reply::login_page().into(),
        Reply::ok("").into(),
        Reply::ok("null").into(),
        Reply::ok("{\"posts\":[]}").into(),
        Play::CutBody(Reply::ok("[]"), 1),
        Play::Garbage,
        Play::Reset,
    ] {
        let (server, play) = (server.clone(), doubt.clone());
        stage.standin.direct(move |seen| {
            if seen.path.contains("posts") {
                play.clone()
            } else {
                server.answer(seen)
            }
        });
        let read = stage.tool.source().unwrap().observe(cursor.as_deref());
        assert!(read.await.is_err(), "{doubt:?}");
    }
    // Nor does a list without ours say anything of the activities.
    let server = stage.server.clone();
    stage.standin.direct(move |seen| server.answer(seen));
    stage.server.state().posts.clear();
    let read = stage.read(&mut cursor).await.unwrap();
    assert!(read.edits.is_empty() && read.remarks.len() == 1);
}

#[tokio::test]
async fn b10_what_we_wrote_ourselves_is_no_news() {
    let stage = Stage::open().await;
    stage.write(&ball()).await.unwrap();
    stage.pass(1);
    stage
        .write(&activity(
            1,
            json!({ "title": "Grand bal", "description": null }),
        ))
        .await
        .unwrap();
    let read = stage.read(&mut None).await.unwrap();
    assert!(
        read.edits.iter().all(|edit| edit.fields.is_empty()),
        "{read:?}"
    );
    assert!(read.remarks.is_empty());
}

#[tokio::test]
async fn b11_the_password_is_shown_to_the_server_and_to_nobody_else() {
    let logs = Logs::listen();
    let stage = Stage::open().await;
    stage.write(&ball()).await.unwrap();
    stage.server.state().password = "other".to_owned();
    let failure = stage.write(&activity(2, json!({}))).await.unwrap_err();
    let findings = stage.tool.check().await;
    let shown = (&failure, &findings, stage.tool.describe(), logs.text());
    conformance::b11_secrets(PASSWORD, &[&shown]);
    for seen in stage.standin.seen() {
        assert!(!seen.path.contains("canary"), "{}", seen.path);
        assert!(!String::from_utf8_lossy(&seen.body).contains("canary"));
    }
}

#[tokio::test]
async fn b12_a_server_that_drips_or_never_ends_is_given_up() {
    let stage = Stage::open().await;
    let source = stage.tool.source().unwrap();
    source.observe(None).await.unwrap();
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
        stage.server.fault(Fault::Refuse(Reply::status(*status)));
        let failure = stage.write(&ball()).await.unwrap_err();
        let expected = match status {
            // It may have been made all the same.
            500 | 502 | 504 => Blame::Unknown,
            _ => *blame,
        };
        assert_eq!(failure.blame, expected, "{status}: {failure:?}");
        assert_eq!(stage.standin.writes().len(), 1, "{status}");
        assert!(!failure.mend.fr.is_empty() && failure.mend.fr != failure.mend.en);
    }
}

#[tokio::test]
async fn s07_an_unchanged_look_is_one_small_request() {
    let stage = Stage::open().await;
    for number in 1..=60 {
        stage.write(&activity(number, json!({}))).await.unwrap();
    }
    let mut cursor = None;
    stage.read(&mut cursor).await.unwrap();
    let before = stage.standin.seen().len();
    assert!(stage.read(&mut cursor).await.is_none());
    let seen = stage.standin.seen();
    assert_eq!(seen.len(), before + 1);
    let Play::Answer(answer) = stage.server.answer(&seen[before]) else {
        panic!("it answers");
    };
    assert!(answer.bytes().len() < 5_000, "{}", answer.bytes().len());
}

#[tokio::test]
async fn s13_clock_changes_whole_days_and_nights_are_written_as_they_were_said() {
    let stage = Stage::open().await;
    let paris =
        |start: &str, end: Value| json!({ "zone": "Europe/Paris", "start": start, "end": end });
    for (number, fields, said) in [
        (
            1,
            paris("2027-03-28T02:30", json!("2027-03-28T04:00")),
            "dimanche 28 mars 2027",
        ),
        (
            2,
            paris("2027-10-31T02:30", json!("2027-10-31T04:00")),
            "dimanche 31 octobre 2027",
        ),
        (
            3,
            paris("2027-02-01", json!("2027-02-03")),
            "du lundi 1er février au mercredi 3 février 2027",
        ),
        (4, paris("2027-02-01", Value::Null), "toute la journée"),
        (
            5,
            paris("2027-02-06T22:00", json!("2027-02-07T03:00")),
            "samedi 6 février 2027",
        ),
    ] {
        stage.write(&activity(number, fields)).await.unwrap();
        let content = stage.server.post(&format!("Bal {number}")).content;
        assert!(content.replace('\u{a0}', " ").contains(said), "{content}");
    }
}

#[tokio::test]
async fn s15_text_stays_text() {
    let stage = Stage::open().await;
    let long = conformance::very_long();
    for (number, text) in HOSTILE.iter().copied().chain([long.as_str()]).enumerate() {
        let hostile = activity(
            number,
            json!({
                "title": format!("{number} {text}"), "room": text, "organiser": text,
                "description": text, "url": text, "register": text,
            }),
        );
        stage.write(&hostile).await.unwrap();
        let sent = stage.standin.writes().pop().unwrap();
        let body: Value = serde_json::from_slice(&sent.body).unwrap();
        let content = body["content"].as_str().unwrap();
        // Only what we write is markup.
        for tag in content.split('<').skip(1) {
            let name = tag.split([' ', '>']).next().unwrap();
            assert!(
                [
                    "!--", "div", "/div", "p", "/p", "strong", "/strong", "br", "a", "/a"
                ]
                .contains(&name),
                "{name}: {content}"
            );
        }
        assert!(!content.contains("javascript:alert(1)\""), "{content}");
        assert!(!body["title"].as_str().unwrap().contains(['<', '\n']));
        assert!(stage.write(&hostile).await.unwrap().unchanged, "{text}");
    }
}

#[tokio::test]
async fn a_post_is_a_draft_where_the_settings_say_so_and_stays_what_people_made_of_it() {
    let stage = Stage::with(None, |all| {
        all.as_object_mut().unwrap().remove("posts");
        all["category"] = json!("agenda & CO");
    })
    .await;
    let made = stage.write(&ball()).await.unwrap().applied;
    assert_eq!(
        (stage.server.post("Bal 1").status.as_str(), made.url),
        ("draft", None)
    );
    assert_eq!(stage.server.post("Bal 1").categories, [5]);
    stage.server.edits(&made.external, false, |post| {
        post.status = "publish".to_owned();
        post.categories = vec![1];
    });
    let made = stage
        .write(&activity(1, json!({ "room": "Cour" })))
        .await
        .unwrap();
    let post = stage.server.post("Bal 1");
    assert_eq!(
        (post.status.as_str(), post.categories),
        ("publish", vec![1])
    );
    assert!(made.applied.url.is_some(), "visitors can open it by now");
}

#[tokio::test]
async fn cancelled_is_seen_and_nothing_visitors_saw_is_deleted() {
    let stage = Stage::open().await;
    let id = stage.write(&ball()).await.unwrap().applied.external;
    let off = activity(1, json!({ "status": "cancelled" }));
    stage.write(&off).await.unwrap();
    let post = stage.server.post("Annulé : Bal 1");
    assert!(post.content.contains("n’aura pas lieu"), "{}", post.content);
    stage.write(&ball()).await.unwrap();
    assert_eq!(
        stage.server.post("Bal 1").id.to_string(),
        id,
        "the same post"
    );
    stage.remove(&ball()).await.unwrap();
    assert_eq!(
        stage.server.post("Bal 1").status,
        "draft",
        "a published one is hidden"
    );
    // It is for everybody after all: the same post, where it was.
    stage.write(&ball()).await.unwrap();
    let post = stage.server.post("Bal 1");
    assert_eq!(
        (post.id.to_string(), post.status.as_str()),
        (id.clone(), "publish")
    );
    assert!(!post.content.contains("raccord-away"), "{}", post.content);
    stage.remove(&ball()).await.unwrap();
    // One that somebody hid by hand stays hidden.
    stage.server.edits(&id, false, |post| {
        post.content = post.content.replace("raccord-away ", "");
    });
    stage.write(&ball()).await.unwrap();
    assert_eq!(stage.server.post("Bal 1").status, "draft");
    // What was called off, or over, before anything was made of it is not made.
    let off = activity(2, json!({ "status": "cancelled" }));
    assert!(stage.write(&off).await.unwrap().unchanged);
    let over = activity(3, json!({ "start": "2026-12-01T20:00", "end": null }));
    assert!(stage.write(&over).await.unwrap().unchanged);
    stage.remove(&over).await.unwrap();
    assert_eq!(stage.server.titles(), ["Bal 1"]);
    stage.write(&activity(2, json!({}))).await.unwrap();
    assert_eq!(
        stage.server.titles(),
        ["Bal 1", "Bal 2"],
        "it takes place after all"
    );
    // What took place stays as it was.
    stage.pass(60 * 24 * 30);
    stage.remove(&activity(2, json!({}))).await.unwrap();
    assert_eq!(stage.server.post("Bal 2").status, "publish");
}

#[tokio::test]
async fn only_drafts_that_nobody_touched_are_thrown_away() {
    let stage = Stage::with(None, |all| all["posts"] = json!("draft")).await;
    stage.write(&ball()).await.unwrap();
    stage.remove(&ball()).await.unwrap();
    assert_eq!(stage.server.post("Bal 1").status, "trash");
    stage.remove_nameless().await;
    let touched = activity(2, json!({}));
    let id = stage.write(&touched).await.unwrap().applied.external;
    stage.pass(1);
    stage
        .server
        .edits(&id, false, |post| post.content.push_str("<p>Une photo</p>"));
    stage.remove(&touched).await.unwrap();
    assert_eq!(stage.server.post("Bal 2").status, "draft");
}

#[tokio::test]
async fn internal_ones_and_drafts_are_nothing_for_visitors() {
    let stage = Stage::open().await;
    for fields in [
        json!({ "visibility": "internal" }),
        json!({ "status": "draft" }),
    ] {
        assert_eq!(stage.render(&activity(1, fields)), Rendered::Nothing);
    }
}

#[tokio::test]
async fn what_people_wrote_around_and_in_our_part_is_kept_and_told() {
    let stage = Stage::open().await;
    let id = stage.write(&ball()).await.unwrap().applied.external;
    stage.pass(1);
    stage.server.edits(&id, false, |post| {
        post.content = format!(
            "<p>Avant</p>{}<p>Après</p>",
            post.content.replace("Venez danser.", "Venez valser.")
        );
    });
    let edits = stage.edits_of(&ball()).await;
    assert_eq!(edits["description"], "Venez valser.\n\nBuvette sur place.");
    assert!(!edits.contains_key("title"));
    // The usual authority of a description is ours: it is written again, and what is around stays.
    stage.write(&ball()).await.unwrap();
    let content = stage.server.post("Bal 1").content;
    assert!(content.starts_with("<p>Avant</p>") && content.ends_with("<p>Après</p>"));
    assert!(content.contains("danser") && !content.contains("valser"));
}

#[tokio::test]
async fn a_date_that_somebody_changed_is_told_and_never_overwritten_without_asking() {
    let stage = Stage::open().await;
    let id = stage.write(&ball()).await.unwrap().applied.external;
    stage.pass(1);
    stage.server.edits(&id, true, |post| {
        post.content = post.content.replace("mardi 12", "mercredi 13");
    });
    let read = stage.read(&mut None).await.unwrap();
    assert_eq!(read.remarks[0].code, "post-moved");
    // Nothing of ours changed there: theirs stays.
    let texts = activity(1, json!({ "description": "Autre." }));
    stage.write(&texts).await.unwrap();
    assert!(stage.server.post("Bal 1").content.contains("mercredi"));
    // Ours changed, too: a person decides.
    let moved = activity(1, json!({ "start": "2027-01-14T20:00", "end": null }));
    let failure = stage.write(&moved).await.unwrap_err();
    assert!(
        failure.asks && failure.code == "wordpress.edited-by-hand",
        "{failure:?}"
    );
    stage.insist(&ball());
    stage.write(&moved).await.unwrap();
    assert!(stage.server.post("Bal 1").content.contains("jeudi 14"));
}

#[tokio::test]
async fn a_post_that_was_rewritten_is_theirs_until_somebody_says_otherwise() {
    let stage = Stage::open().await;
    let id = stage.write(&ball()).await.unwrap().applied.external;
    stage.pass(1);
    stage.server.edits(&id, false, |post| {
        "<p>Tout autre</p>".clone_into(&mut post.content);
    });
    let read = stage.read(&mut None).await.unwrap();
    assert_eq!(read.remarks[0].code, "post-rewritten");
    assert!(
        stage.write(&ball()).await.unwrap().unchanged,
        "we have nothing new to say"
    );
    let later = activity(1, json!({ "room": "Cour" }));
    let failure = stage.write(&later).await.unwrap_err();
    assert!(failure.asks && failure.code == "wordpress.rewritten-by-hand");
    stage.insist(&ball());
    stage.write(&later).await.unwrap();
    let content = stage.server.post("Bal 1").content;
    assert!(content.starts_with("<p>Tout autre</p>") && content.contains("Cour"));
}

#[tokio::test]
async fn what_somebody_put_in_the_trash_is_told_and_the_activity_takes_place() {
    let stage = Stage::open().await;
    let id = stage.write(&ball()).await.unwrap().applied.external;
    let mut cursor = None;
    assert!(stage.read(&mut cursor).await.unwrap().remarks.is_empty());
    stage.server.trashes(&id);
    let reading = stage.read(&mut cursor).await.unwrap();
    assert_eq!(reading.remarks[0].code, "post-removed");
    assert!(reading.edits.is_empty());
}

#[tokio::test]
async fn what_somebody_announced_already_is_asked_about() {
    let stage = Stage::open().await;
    let id = stage
        .server
        .writes("BAL 1", "<p>Le 12 janvier à la Raffinerie</p>");
    let failure = stage.write(&ball()).await.unwrap_err();
    assert!(
        failure.asks && failure.code == "wordpress.twin",
        "{failure:?}"
    );
    assert!(failure.text.fr.contains(&format!("?p={id}")));
    assert!(stage.standin.writes().is_empty());
    // The one of last year is another.
    stage.server.state().posts[0].content = "<p>Le 12 mars, c’était beau</p>".to_owned();
    stage.write(&ball()).await.unwrap();
    // With the same name, on the same day, ours are no twins of each other.
    stage
        .write(&activity(2, json!({ "title": "Bal 1", "room": "Cour" })))
        .await
        .unwrap();
    assert_eq!(stage.server.titles().len(), 3);
}

impl Stage {
    /// Takes away what nobody was told the name of; there may be none.
    async fn remove_nameless(&self) {
        let job = Job::Remove {
            entity: ball().id,
            link: Link::nameless(Digest::default()),
        };
        self.tool.sink().unwrap().apply(&job).await.unwrap();
    }
}
