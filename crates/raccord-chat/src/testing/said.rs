//! What is said and heard in a room: rules of the quality scale that hold for every chat.

use std::collections::BTreeSet;

use raccord_kit::conformance::{self, HOSTILE};
use raccord_kit::standin::{Play, Reply};
use raccord_kit::testing::NOON;
use raccord_kit::{Finding, Level};
use raccord_model::{Blame, EntityKind, Found, Schemas, Verb};
use serde_json::json;

use super::{Instance, Others, ROOM, activity, concert};

/// The codes of findings.
pub fn codes(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|one| one.code.as_str()).collect()
}

/// B04: whatever people write, what is heard of it is valid.
pub async fn what_is_heard_is_valid(stage: &Instance, server: &dyn Others) {
    let mut cursor = stage.listen().await;
    for number in 0..1_000 {
        let text = match number % 4 {
            0 => HOSTILE[number / 4 % HOSTILE.len()].to_owned(),
            1 => "é".repeat(number * 16),
            2 => format!("!qui {}", HOSTILE[number % HOSTILE.len()]),
            _ => String::new(),
        };
        server.says(ROOM, &text);
        stage.clock.advance(jiff::SignedDuration::from_millis(7));
    }
    let changes = stage.hear(&mut cursor).await;
    assert_eq!(changes.len(), 1_000);
    for change in changes {
        let fields = serde_json::to_value(&change.fields).expect("fields are JSON");
        let faults = Schemas::shared().check_posted(EntityKind::Message, change.verb, &fields);
        assert!(faults.is_empty(), "{fields}: {faults:?}");
    }
}

/// B05: a message keeps its name whatever becomes of it.
pub async fn a_message_keeps_its_name(stage: &Instance, server: &dyn Others) {
    let mut cursor = stage.listen().await;
    let said = server.says(ROOM, "un");
    let created = stage.hear(&mut cursor).await;
    stage.pass(60);
    assert_eq!(stage.hear(&mut cursor).await, [], "read again: nothing");
    server.edits(&said, "deux");
    let edited = stage.hear(&mut cursor).await;
    stage.pass(60);
    server.deletes(&said);
    let deleted = stage.hear(&mut cursor).await;
    let all = [created, edited, deleted].concat();
    let verbs: Vec<Verb> = all.iter().map(|one| one.verb).collect();
    assert_eq!(verbs, [Verb::Created, Verb::Updated, Verb::Removed]);
    assert!(all.iter().all(|one| one.subject == all[0].subject));
    let ids: BTreeSet<_> = all.iter().map(|one| &one.id).collect();
    assert_eq!(ids.len(), 3);
}

/// B06: the same announcement ten times, nine of them at once, is one message.
pub async fn ten_times_at_once_is_once(stage: &Instance, server: &dyn Others) {
    stage.put(&concert(), None).await;
    let job = stage.job(&concert(), None);
    let sink = stage.tool.sink().expect("tests have what they ask for");
    let all = futures_util::future::join_all((0..9).map(|_| sink.apply(&job))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(server.standing(ROOM).len(), 1);
    stage.put(&activity(2, json!({})), None).await;
    assert_eq!(server.standing(ROOM).len(), 2);
}

/// B07: after a lost answer and a restart, what was done is found, and what was not is not, by a look
/// that is as old as it says. Gives where it was found.
pub async fn what_came_of_a_lost_answer_is_found(
    stage: &mut Instance,
    server: &dyn Others,
) -> raccord_model::Applied {
    server.loses_an_answer();
    let failure = stage.write(&concert(), None).await;
    assert_eq!(failure.expect_err("it is lost").blame, Blame::Unknown);
    stage.pass(7_200);
    stage.restart();
    let Found::Yes(found) = stage.find(&concert()).await else {
        panic!("it is there");
    };
    let other = activity(2, json!({}));
    server.breaks_off();
    let failure = stage.write(&other, None).await;
    assert_eq!(failure.expect_err("it is lost").blame, Blame::Unknown);
    stage.pass(60);
    let Found::No { listed } = stage.find(&other).await else {
        panic!("it is not there");
    };
    let passed = jiff::SignedDuration::from_secs(7_260);
    assert_eq!(listed, NOON + passed);
    found
}

/// B09: doubt is an error, and never a deletion. `reads`: what is in the address of a reading; `cut`: an
/// answer to it that ends early.
pub async fn doubt_is_an_error(
    stage: &Instance,
    server: &dyn Others,
    reads: &'static str,
    more: Vec<Play>,
) {
    server.says(ROOM, "un");
    let mut cursor = stage.listen().await;
    let doubts = [
        Play::from(Reply::status(500)),
        Reply::status(502).body("<html>").into(),
        Reply::login_page().into(),
        Reply::ok("").into(),
        Reply::ok("null").into(),
        Reply::ok("[]").into(),
        Play::Garbage,
        Play::Reset,
    ];
    for doubt in doubts.into_iter().chain(more) {
        let (mut answers, play) = (server.answers(), doubt.clone());
        stage.standin.direct(move |seen| {
            if seen.path.contains(reads) {
                play.clone()
            } else {
                answers(seen)
            }
        });
        let source = stage.tool.source().expect("tests have what they ask for");
        let read = source.observe(cursor.as_deref()).await;
        assert!(read.is_err(), "{doubt:?}: {read:?}");
    }
    stage.standin.direct(server.answers());
    assert_eq!(stage.hear(&mut cursor).await, []);
}

/// B10: what we said ourselves is not heard.
pub async fn what_we_say_is_not_heard(stage: &Instance) -> Option<String> {
    let mut cursor = stage.listen().await;
    let link = stage.put(&concert(), None).await;
    let moved = activity(1, json!({ "room": "Jardin" }));
    stage.put(&moved, Some(link)).await;
    assert_eq!(stage.hear(&mut cursor).await, []);
    cursor
}

/// S02: the server's wish to wait is handed on, in milliseconds.
pub async fn the_wish_to_wait_is_handed_on(
    stage: &Instance,
    server: &dyn Others,
    wishes: Vec<(Reply, i64)>,
) {
    stage.put(&concert(), None).await;
    let date = Reply::status(503)
        .header("date", "Sat, 02 Jan 2027 10:00:00 GMT")
        .header("retry-after", "Sat, 02 Jan 2027 10:00:45 GMT");
    let known = [
        (Reply::status(429).header("retry-after", "120"), 120_000),
        (date, 45_000),
    ];
    for (reply, wait) in known.into_iter().chain(wishes) {
        server.refuses(reply);
        let refused = stage.write(&activity(2, json!({})), None).await;
        let failure = refused.expect_err("it is refused");
        assert_eq!(failure.retry_after_ms, Some(wait));
    }
}

/// S13: hours are said as the sheet says them, also where a clock is put forward or back.
pub async fn hours_are_said_as_the_sheet_says_them(stage: &Instance, server: &dyn Others) {
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
        let text = server.standing(ROOM).pop().unwrap_or_default();
        let text = text.replace(['\u{a0}', '\u{202f}'], " ");
        assert!(text.contains(said), "{text}");
    }
}

/// S15: text stays text, notifies nobody, and is within the limit that `fits` knows.
pub async fn text_stays_text(stage: &Instance, server: &dyn Others, fits: fn(&str) -> bool) {
    let long = conformance::very_long();
    let texts = HOSTILE.iter().copied().chain([long.as_str()]);
    for (number, text) in texts.enumerate() {
        let fields = ["title", "room", "description", "organiser"];
        for (field, more) in fields.iter().zip(0..) {
            let entity = activity(number * 10 + more, json!({ *field: text }));
            stage.put(&entity, None).await;
        }
    }
    assert_eq!(server.notified(), 0, "nobody is notified");
    for text in server.standing(ROOM) {
        assert!(fits(&text), "{}", text.len());
        for mark in ["<!", "](javascript:", "\u{202e}", "\u{feff}", "![x]"] {
            assert!(!text.contains(mark), "{text:?} holds {mark:?}");
        }
    }
}

/// S15: thirty thousand characters are cut at a word, with a link to the rest.
pub async fn a_long_text_is_cut(stage: &mut Instance, server: &dyn Others, fits: fn(&str) -> bool) {
    "https://programme.example.org".clone_into(&mut stage.kit.place.public_url);
    stage.restart();
    let long = "Une belle description @all de trente mille signes ".repeat(600);
    let entity = activity(1, json!({ "description": long }));
    stage.put(&entity, None).await;
    let text = server.standing(ROOM).remove(0);
    assert!(fits(&text) && text.contains('…'), "{}", text.len());
    let link = "https://programme.example.org";
    assert!(text.contains(link), "{}", &text[text.len() - 200..]);
    assert_eq!(server.notified(), 0);
}

/// The rooms to pick are those the account is in.
pub async fn rooms_to_pick_are_those_it_is_in(stage: &Instance, rooms: [&str; 2]) {
    let choices = stage.tool.choices().await;
    let choices = choices.expect("the server answers");
    let values: BTreeSet<&str> = choices.iter().map(|one| one.value.as_str()).collect();
    assert_eq!(values, rooms.into());
    assert!(choices.iter().all(|one| one.key == "channel"));
}

/// What only deserves a word is no error.
pub async fn is_only_a_word(stage: &Instance, code: &str) {
    let findings = stage.tool.check().await;
    assert_eq!(codes(&findings), [code]);
    assert_eq!(findings[0].level, Level::Warning);
}
