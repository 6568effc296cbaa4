//! What Rocket.Chat calls to say: let in by the token of its integration, and never answered with
//! nothing.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::Stage;
use common::server::BOT;
use raccord_kit::hook::{Heard, Unheard};
use raccord_kit::testing::NOON;
use raccord_model::Call;
use serde_json::{Value, json};

async fn stage() -> Stage {
    Stage::with(None, |all| all["hook_secret"] = json!("hook-token")).await
}

fn hear(stage: &Stage, body: &str) -> Result<Heard, Unheard> {
    stage.tool.hook().unwrap().hear(&Call {
        at: NOON,
        query: String::new(),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.as_bytes().to_vec(),
    })
}

#[tokio::test]
async fn p06_only_what_shows_the_token_is_heard_and_nothing_without_one() {
    let stage = stage().await;
    assert!(hear(&stage, &json!({ "token": "hook-token" }).to_string()).is_ok());
    for forged in [
        "",
        "{",
        "[]",
        "null",
        "{}",
        "{\"token\":7}",
        "{\"token\":\"guess\"}",
        "{\"token\":\"\"}",
    ] {
        assert_eq!(hear(&stage, forged), Err(Unheard::Forged), "{forged}");
    }
    assert!(Stage::open().await.tool.hook().is_none());
}

#[tokio::test]
async fn a_question_that_is_told_is_the_one_that_is_read_and_counts_once() {
    let stage = stage().await;
    let mut cursor = stage.listen().await;
    let id = stage.server.says("anna", "chantiers", "!qui samedi");
    let told: Vec<Value> = stage.server.state().heard.clone();
    let heard = hear(&stage, &told[0].to_string()).unwrap();
    assert!(heard.hint);
    let read = stage.hear(&mut cursor).await;
    assert_eq!((read.len(), heard.changes.len()), (1, 1));
    assert_eq!(read[0].id, heard.changes[0].id);
    assert_eq!(read[0].subject, heard.changes[0].subject);
    assert_eq!(read[0].fields["thread"], json!(id));
    assert_eq!(heard.changes[0].fields["thread"], json!(id));

    let mut edited = told[0].clone();
    edited["isEdited"] = json!(true);
    assert_eq!(hear(&stage, &edited.to_string()).unwrap(), Heard::hint());
    let mut plain = told[0].clone();
    plain["text"] = json!("bonjour");
    assert_eq!(hear(&stage, &plain.to_string()).unwrap(), Heard::hint());
}

#[tokio::test]
async fn what_we_said_ourselves_is_not_heard_when_it_comes_back() {
    let stage = stage().await;
    let body = json!({
        "token": "hook-token", "channel_id": stage.room("chantiers"), "message_id": "raccord0",
        "user_id": BOT, "text": "!programme",
    });
    assert_eq!(hear(&stage, &body.to_string()).unwrap(), Heard::default());
}

#[tokio::test]
async fn nonsense_that_shows_a_token_changes_nothing() {
    let stage = stage().await;
    let long = "x".repeat(250_000);
    for body in [
        json!({ "token": "hook-token", "text": "!qui", "message_id": "a b", "channel_id": "../" }),
        json!({ "token": "hook-token", "text": "!qui", "message_id": long, "channel_id": "a", "user_id": "b" }),
    ] {
        let heard = hear(&stage, &body.to_string()).unwrap();
        assert!(heard.changes.is_empty(), "{heard:?}");
    }
}
