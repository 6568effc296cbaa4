//! Tools that call: who is let through, how much, and what they are answered.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::World;
use raccord_model::Words;
use raccord_web::{HookError, Limits};
use serde_json::json;

#[tokio::test]
async fn a_call_reaches_its_place_as_it_came_and_is_answered() {
    let world = World::new().await;
    let headers = [("authorization", "Bearer s"), ("x-odd", "é")];
    let path = "/p/autre/hooks/calendar?a=1&b";
    let answer = world.ask("POST", path, &headers, b"\xff{}").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json(), json!({ "ok": true }));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(world.place.calls.lock().unwrap().is_empty());
    let calls = world.other.calls.lock().unwrap().clone();
    assert_eq!(calls[0].body, b"\xff{}");
    assert_eq!(calls[0].query, "a=1&b");
    assert_eq!(calls[0].header("authorization"), Some("Bearer s"));
    assert_eq!(calls[0].at.to_string(), "2027-01-02T08:00:00Z");
    let answer = world.ask("POST", "/hooks/calendar", &[], "").await;
    assert_eq!((answer.status, answer.body.is_empty()), (200, false));
    assert_eq!(world.place.calls.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_not_there_and_what_is_refused_says_little() {
    let world = World::new().await;
    for nowhere in [
        "/hooks/unknown",
        "/hooks/",
        "/hooks",
        "/hooks/calendar/x",
        "/p/x/hooks/calendar",
    ] {
        assert_eq!(
            world.ask("POST", nowhere, &[], "x").await.status,
            404,
            "{nowhere}"
        );
    }
    assert_eq!(world.get("/hooks/calendar").await.status, 405);
    let wait = Duration::from_millis(1500);
    let why = Words::new("illisible", "unreadable");
    for (error, status) in [
        (HookError::Forged, 401),
        (HookError::Unfit(why.clone()), 422),
        (HookError::Overloaded { retry_after: wait }, 429),
        (HookError::NotReady { why }, 503),
    ] {
        *world.place.hook_answer.lock().unwrap() = Some(error);
        let answer = world.ask("POST", "/hooks/calendar", &[], "x").await;
        assert_eq!(answer.status, status);
        if status == 429 {
            assert_eq!(answer.header("retry-after"), Some("2"));
        }
    }
    let metrics = world.get("/metrics").await.body;
    assert!(
        metrics.contains("raccord_http_requests_total{route=\"/hooks/\",status=\"401\"} 1"),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_call_that_is_too_long_or_not_answered_in_time_is_told_so() {
    let world = World::with(Limits {
        hook_body: 100,
        hook_time: Duration::from_millis(50),
        ..Limits::default()
    })
    .await;
    let long = "x".repeat(101);
    assert_eq!(
        world
            .ask("POST", "/hooks/calendar", &[], &long)
            .await
            .status,
        413
    );
    *world.place.silent.lock().unwrap() = true;
    let answer = world.ask("POST", "/hooks/calendar", &[], "x").await;
    assert_eq!(answer.status, 503);
    assert!(answer.header("retry-after").is_some());
}
