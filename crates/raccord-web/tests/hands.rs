//! The pages on which people sign up, when there is nothing to show.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::World;
use raccord_web::Limits;

const HTML: &str = "text/html; charset=utf-8";

#[tokio::test]
async fn what_is_not_there_is_a_page_for_people_and_a_problem_for_programs() {
    let world = World::new().await;
    let gone = world.get("/hands/no-such-thing?lang=fr").await;
    assert_eq!(gone.status, 404);
    assert_eq!(gone.header("content-type"), Some(HTML));
    assert!(gone.body.contains("Rien ici") && gone.body.contains("Coups de main"));
    for path in ["/hands/calendar/a.0.x", "/hands?k=closed"] {
        let problem = world.get(path).await;
        assert_eq!(problem.status, 404);
        let kind = problem.header("content-type");
        assert_eq!(kind, Some("application/problem+json"), "{path}");
    }
}

#[tokio::test]
async fn a_crowd_is_not_the_visitors_fault() {
    let world = World::new().await;
    let busy = world.get("/hands?k=busy&lang=en").await;
    assert_eq!((busy.status, busy.header("retry-after")), (503, Some("2")));
    assert_eq!(busy.header("content-type"), Some(HTML));
    assert!(
        busy.body.contains("Many people at the same time"),
        "{}",
        busy.body
    );
    let own = world.get("/hands?k=too-many&lang=en").await;
    assert_eq!((own.status, own.header("retry-after")), (429, Some("300")));
    assert!(own.body.contains("That is a lot in little time"));
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_told_in_a_page() {
    let limits = Limits {
        post_time: Duration::from_millis(50),
        ..Limits::default()
    };
    let world = World::with(limits).await;
    let late = world.get("/hands?k=late&lang=en").await;
    assert_eq!((late.status, late.header("retry-after")), (503, Some("5")));
    assert_eq!(late.header("content-type"), Some(HTML));
    assert!(late.body.contains("No answer in time"), "{}", late.body);
}

#[tokio::test]
async fn who_signs_out_leaves_nothing_in_the_browser() {
    let world = World::new().await;
    let out = world.get("/hands?k=out").await;
    assert_eq!(out.status, 303);
    assert_eq!(out.header("clear-site-data"), Some("\"cache\""));
    let cookie = out.header("set-cookie").unwrap();
    for part in ["__Host-", "Max-Age=0", "Secure", "HttpOnly", "SameSite=Lax"] {
        assert!(cookie.contains(part), "{part}: {cookie}");
    }
    // No page of somebody is kept by anybody in between either.
    let page = world.get("/hands?k=mine").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn a_place_that_is_reached_by_https_is_reached_so_from_then_on() {
    let world = World::new().await;
    for path in ["/", "/hands", "/nothing", "/v1/events", "/healthz"] {
        let answer = world.get(path).await;
        assert_eq!(
            answer.header("strict-transport-security"),
            Some("max-age=31536000"),
            "{path}"
        );
    }
}
