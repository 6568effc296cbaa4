//! Sign-ups by a reaction, however many react.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::house::refusal;
use common::{Stage, activity, settings};
use raccord_chat::testing::alone;
use raccord_connector_matrix::CONNECTOR;
use raccord_kit::standin::Reply;
use raccord_kit::testing::kit;
use raccord_model::Change;
use serde_json::{Value, json};

/// A connector that takes a ✅ for a sign-up, an announcement, and where to go on hearing from.
async fn announced() -> (Stage, String, Option<String>) {
    let mut stage = Stage::open().await;
    stage.house.state().joined = true;
    let mut kit = kit();
    kit.signups = ["✅".to_owned()].into();
    stage.tool = (CONNECTOR.build)(settings(&stage.standin.url("/")), &kit).unwrap();
    let (_, start) = stage.hear(None).await;
    let link = stage.say(&activity(1, "Concert"), None).await;
    let message = alone::message(&link);
    (stage, message, start)
}

fn reacts(stage: &Stage, number: usize, message: &str, key: &str) -> String {
    let content = json!({ "m.relates_to": {
        "rel_type": "m.annotation", "event_id": message, "key": key,
    } });
    let who = format!("@m{number}:example.org");
    stage.house.member(&who, "m.reaction", content)
}

/// The lists that were told of who signs up.
fn hands(heard: &[Change]) -> Vec<&Value> {
    let told = heard.iter();
    told.filter_map(|change| change.fields.get("reacted"))
        .collect()
}

/// How many requests had this in their path.
fn asked(stage: &Stage, what: &str) -> usize {
    let seen = stage.standin.seen();
    seen.iter().filter(|seen| seen.path.contains(what)).count()
}

#[tokio::test]
async fn whoever_reacted_first_stays_signed_up_however_many_follow() {
    let (stage, message, start) = announced().await;
    for number in 0..130 {
        reacts(&stage, number, &message, "✅");
        reacts(&stage, number, &message, "🎉");
    }
    let (heard, _) = stage.hear(start.as_deref()).await;
    let [all] = hands(&heard)[..] else {
        panic!("{heard:?}")
    };
    let all = all["✅"].as_array().unwrap();
    assert_eq!(all.len(), 130);
    assert!(all.contains(&json!("@m0:example.org")));
}

#[tokio::test]
async fn a_list_that_is_not_whole_signs_nobody_off() {
    let (stage, message, start) = announced().await;
    reacts(&stage, 1, &message, "✅");
    stage.answers(|seen| {
        let related = seen.path.contains("/relations/");
        related.then(|| refusal(404, "M_NOT_FOUND"))
    });
    let (heard, _) = stage.hear(start.as_deref()).await;
    assert!(hands(&heard).is_empty(), "{heard:?}");
    // Pages without end.
    stage.answers(|seen| {
        let related = seen.path.contains("/relations/");
        let next = seen.path.len();
        let page = json!({ "chunk": [], "next_batch": format!("{next}{}", seen.path.split("from=").nth(1).unwrap_or("")) });
        related.then(|| Reply::ok(page.to_string()).into())
    });
    let (heard, _) = stage.hear(start.as_deref()).await;
    assert!(hands(&heard).is_empty(), "{heard:?}");
    stage.answers(|_| None);
    reacts(&stage, 2, &message, "✅");
    let (heard, _) = stage.hear(start.as_deref()).await;
    let both = json!({ "✅": ["@m1:example.org", "@m2:example.org"] });
    assert_eq!(hands(&heard), [&both]);
}

#[tokio::test]
async fn a_message_is_looked_at_once_however_often_it_was_reacted_to() {
    let (stage, message, start) = announced().await;
    for number in 0..90 {
        reacts(&stage, number, &message, "✅");
    }
    let (heard, _) = stage.hear(start.as_deref()).await;
    assert_eq!(hands(&heard).len(), 1, "one list is told");
    assert_eq!(
        (asked(&stage, "/relations/"), asked(&stage, "/event/")),
        (1, 1)
    );
}

#[tokio::test]
async fn a_message_that_is_taken_away_is_no_reason_to_look_at_every_announcement() {
    let (stage, message, start) = announced().await;
    for number in 2..12 {
        stage.say(&activity(number, "Bal"), None).await;
    }
    let mine = reacts(&stage, 1, &message, "✅");
    let said = stage.house.says("@a:x", "bonjour");
    let (_, cursor) = stage.hear(start.as_deref()).await;
    let before = asked(&stage, "/relations/");
    stage.house.takes_away("@a:x", &said);
    let (heard, cursor) = stage.hear(cursor.as_deref()).await;
    assert!(heard.is_empty(), "{heard:?}");
    assert_eq!(asked(&stage, "/relations/"), before);
    let events = asked(&stage, "/event/");
    // Of many at once it is looked where they may have been, once each.
    let many: Vec<String> = (0..50)
        .map(|_| stage.house.says("@a:x", "encore"))
        .collect();
    for one in &many {
        stage.house.takes_away("@mod:x", one);
    }
    stage.house.takes_away("@m1:example.org", &mine);
    let (heard, _) = stage.hear(cursor.as_deref()).await;
    assert_eq!(asked(&stage, "/relations/"), before + 11);
    assert_eq!(asked(&stage, "/event/"), events, "what is ours is known");
    assert_eq!(hands(&heard), [&json!({ "✅": [] }); 11]);
}
