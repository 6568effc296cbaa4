//! What Mattermost calls to say: let in by the token it drew, understood, and answered as it wants it.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::Stage;
use raccord_kit::hook::{Heard, Unheard};
use raccord_kit::testing::NOON;
use raccord_model::Call;
use serde_json::{Value, json};

const FORM: &str = "application/x-www-form-urlencoded";

fn call(kind: &str, headers: &[(&str, &str)], body: &str) -> Call {
    let own = [("content-type", kind)];
    Call {
        at: NOON,
        query: String::new(),
        headers: headers
            .iter()
            .chain(&own)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        body: body.as_bytes().to_vec(),
    }
}

fn form(pairs: &[(&str, &str)]) -> String {
    let mut out = url::form_urlencoded::Serializer::new(String::new());
    out.extend_pairs(pairs);
    out.finish()
}

async fn stage() -> Stage {
    Stage::with(None, |all| all["hook_secret"] = json!("first\nsecond\n")).await
}

fn hear(stage: &Stage, call: &Call) -> Result<Heard, Unheard> {
    stage.tool.hook().unwrap().hear(call)
}

fn command<'a>(stage: &Stage, word: &'a str, text: &'a str) -> String {
    let (channel, anna) = (
        stage.channel("chantiers"),
        stage.server.state().user("anna"),
    );
    form(&[
        ("token", "second"),
        ("command", word),
        ("text", text),
        ("channel_id", &channel),
        ("user_id", &anna),
        ("trigger_id", "drawn-1"),
    ])
}

#[tokio::test]
async fn p06_only_what_shows_one_of_the_tokens_is_heard_and_nothing_without_any() {
    let stage = stage().await;
    for token in ["first", "second"] {
        let body = form(&[("token", token), ("text", "x")]);
        assert!(hear(&stage, &call(FORM, &[], &body)).is_ok());
        let json = json!({ "token": token }).to_string();
        assert!(hear(&stage, &call("application/json", &[], &json)).is_ok());
    }
    let header = [("authorization", "Token first")];
    assert!(hear(&stage, &call(FORM, &header, "")).is_ok());
    for (headers, body) in [
        (&[][..], ""),
        (&[], "token="),
        (&[], "token=first%0Asecond"),
        (&[], "token=third&token=x"),
        (&[("authorization", "Bearer first")], ""),
        (&[("authorization", "Token third")], ""),
    ] {
        let forged = call(FORM, headers, body);
        assert_eq!(hear(&stage, &forged), Err(Unheard::Forged), "{body}");
    }
    assert_eq!(
        hear(&stage, &call("application/json", &[], "{\"token\"")),
        Err(Unheard::Forged)
    );
    assert!(Stage::open().await.tool.hook().is_none());
}

#[tokio::test]
async fn a_command_is_a_question_and_its_repeat_the_same_one() {
    let stage = stage().await;
    let heard = hear(&stage, &call(FORM, &[], &command(&stage, "/qui", "samedi"))).unwrap();
    let [change] = &heard.changes[..] else {
        panic!("{heard:?}")
    };
    assert_eq!(change.fields["ask"], "who");
    assert_eq!(change.fields["words"], "samedi");
    assert!(!change.fields.contains_key("thread"));
    assert_eq!(
        change.fields["author"],
        json!(stage.server.state().user("anna"))
    );
    assert_eq!(heard.answer.as_ref().unwrap()["response_type"], "ephemeral");
    let again = hear(&stage, &call(FORM, &[], &command(&stage, "/qui", "samedi"))).unwrap();
    assert_eq!(again.changes[0].id, change.id);
    // One command for all, with the question as its words.
    let all = hear(
        &stage,
        &call(FORM, &[], &command(&stage, "/raccord", "programme")),
    )
    .unwrap();
    assert_eq!(all.changes[0].fields["ask"], "programme");
    let odd = hear(
        &stage,
        &call(FORM, &[], &command(&stage, "/raccord", "café")),
    )
    .unwrap();
    assert!(odd.changes.is_empty());
    let told = odd.answer.unwrap()["text"].as_str().unwrap().to_owned();
    assert!(told.contains("programme"), "{told}");
}

#[tokio::test]
async fn an_outgoing_webhook_is_a_hint_and_a_question_where_it_asks() {
    let stage = stage().await;
    let (channel, anna) = (
        stage.channel("chantiers"),
        stage.server.state().user("anna"),
    );
    let id = stage.server.says("anna", "chantiers", "!programme");
    let told = |text: &str| {
        json!({
            "token": "first", "channel_id": channel, "user_id": anna, "post_id": id,
            "text": text, "timestamp": 1_798_876_800_000_i64, "file_ids": "",
        })
        .to_string()
    };
    let heard = hear(&stage, &call("application/json", &[], &told("!programme"))).unwrap();
    assert!(heard.hint && heard.answer.is_none());
    // What is read in the channel is the same change, so that it counts once.
    let mut cursor = Some(json!({ channel.clone(): { "at": 0 } }).to_string());
    let read = stage.hear(&mut cursor).await;
    let same = read
        .iter()
        .find(|one| one.id == heard.changes[0].id)
        .unwrap();
    assert_eq!(same.subject, heard.changes[0].subject);
    assert_eq!(same.fields["ask"], heard.changes[0].fields["ask"]);
    let plain = hear(&stage, &call("application/json", &[], &told("bonjour"))).unwrap();
    assert_eq!(plain, Heard::hint());
}

#[tokio::test]
async fn nonsense_that_shows_a_token_changes_nothing() {
    let stage = stage().await;
    let long = "x".repeat(250_000);
    for body in [
        json!({ "token": "first" }),
        json!({ "token": "first", "text": "!qui", "post_id": "../../x", "channel_id": 7 }),
        json!({ "token": "first", "text": "!qui", "post_id": long, "channel_id": "a b", "user_id": "" }),
        json!({ "token": "first", "command": Value::Null, "text": [[[[]]]] }),
    ] {
        let heard = hear(&stage, &call("application/json", &[], &body.to_string())).unwrap();
        assert!(heard.changes.is_empty(), "{heard:?}");
    }
}
