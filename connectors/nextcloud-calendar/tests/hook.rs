//! What the cloud calls to say: let in by its secret, a hint where it may concern us.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::Stage;
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

async fn stage() -> Stage {
    Stage::with(|settings| {
        settings["hook_secret"] = json!("hook-canary");
        settings["calendars"] = json!(["salle-1", "Réunions (Marie)"]);
    })
    .await
}

/// The call of Nextcloud 32 for an entry that changed in calendar `uri`.
fn changed(uri: &str, title: &str) -> Value {
    json!({
        "event": {
            "calendarId": 6,
            "calendarData": { "id": 6, "uri": uri, "{DAV:}displayname": title },
            "objectData": { "uri": "x.ics", "calendardata": "BEGIN:VCALENDAR\r\n" },
            "class": "OCP\\Calendar\\Events\\CalendarObjectUpdatedEvent"
        },
        "user": { "uid": "marie", "displayName": "Marie" },
        "time": 1_795_312_411
    })
}

#[tokio::test]
async fn p06_only_who_knows_the_secret_is_heard_and_nobody_without_one() {
    let stage = stage().await;
    let hook = stage.tool.hook().unwrap();
    let told = changed("programme", "Programme");
    assert_eq!(hook.hear(&call("hook-canary", &told)), Ok(Heard::hint()));
    for forged in [
        call("wrong", &told),
        call("", &told),
        Call {
            headers: Vec::new(),
            ..call("hook-canary", &told)
        },
    ] {
        assert_eq!(hook.hear(&forged), Err(Unheard::Forged));
    }
    assert!(Stage::open().await.tool.hook().is_none());
}

#[tokio::test]
async fn a_call_about_somebody_elses_calendar_is_no_hint() {
    let stage = stage().await;
    let hook = stage.tool.hook().unwrap();
    let hints = |body: &Value| hook.hear(&call("hook-canary", body)).unwrap().hint;
    for ours in [
        changed("programme", "La Raffinerie"),
        changed("xyz", "Programme"),
        changed("salle-1", "x"),
        // Shared by Marie, who calls hers so.
        changed("reunions-1", "Réunions"),
        // Nobody can tell: looked at.
        json!({}),
        json!("read now"),
        json!({ "event": { "class": "OCP\\Calendar\\Events\\CalendarUpdatedEvent" } }),
    ] {
        assert!(hints(&ours), "{ours}");
    }
    for theirs in [
        changed("personal", "Personnel"),
        json!({ "event": {
            "node": { "id": 104, "path": "/bot/files/programme.csv" },
            "class": "OCP\\Files\\Events\\Node\\NodeWrittenEvent"
        } }),
    ] {
        assert!(!hints(&theirs), "{theirs}");
    }
    assert!(stage.standin.seen().is_empty(), "it asks nobody");
}
