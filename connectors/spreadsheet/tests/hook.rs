//! What a tool calls to say: let in by its secret, a hint where it may concern a sheet.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::tool;
use raccord_kit::hook::{Heard, Unheard};
use raccord_kit::testing::NOON;
use raccord_model::Call;
use serde_json::{Value, json};

fn call(secret: &str, body: &Value) -> Call {
    Call {
        at: NOON,
        query: String::new(),
        headers: vec![("authorization".to_owned(), format!("Bearer {secret}"))],
        body: body.to_string().into_bytes(),
    }
}

#[test]
fn p06_only_who_knows_the_secret_is_heard_and_nobody_without_one() {
    let location = "https://docs.getgrist.com/sXsBGDTKau1F/Programme";
    let heard = tool(json!({ "location": location, "hook_secret": "hook-canary" }));
    let hook = heard.hook().unwrap();
    let records = json!([{ "id": 7, "Titre": "Bal" }]);
    assert_eq!(hook.hear(&call("hook-canary", &records)), Ok(Heard::hint()));
    for forged in [
        call("wrong", &records),
        call("", &records),
        Call {
            headers: Vec::new(),
            ..call("hook-canary", &records)
        },
    ] {
        assert_eq!(hook.hear(&forged), Err(Unheard::Forged));
    }
    assert!(tool(json!({ "location": location })).hook().is_none());
}

#[test]
fn a_call_about_a_calendar_is_no_hint_and_never_a_change() {
    let heard = tool(json!({ "location": "p.csv", "hook_secret": "hook-canary" }));
    let hook = heard.hook().unwrap();
    let of = |class: &str| json!({ "event": { "class": class, "node": { "id": 104, "path": "/bot/files/p.csv" } } });
    for (body, hint) in [
        (of("OCP\\Files\\Events\\Node\\NodeWrittenEvent"), true),
        (
            of("OCP\\Calendar\\Events\\CalendarObjectUpdatedEvent"),
            false,
        ),
        (json!([]), true),
        (json!("read now"), true),
        (json!({ "event": 3 }), true),
    ] {
        let heard = hook.hear(&call("hook-canary", &body)).unwrap();
        assert_eq!(heard.hint, hint, "{body}");
        assert!(heard.changes.is_empty() && heard.answer.is_none());
    }
}
