//! Events out: server-sent events through a real socket.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Caller, World, bearer};
use raccord_web::Limits;
use serde_json::json;

async fn follow(world: &World, last: Option<&str>) -> Caller {
    let mut caller = world.connect().await;
    let token = bearer();
    let mut headers = vec![("authorization", token.as_str())];
    headers.extend(last.map(|last| ("last-event-id", last)));
    caller
        .send(&common::request("GET", "/v1/events", &headers, b"", true))
        .await;
    caller
}

#[tokio::test]
async fn a_follower_sees_what_happens_and_resumes_where_it_was() {
    let world = World::new().await;
    world.place.happen(1);
    let mut caller = follow(&world, None).await;
    let head = caller.until(": raccord\n\n").await;
    assert!(head.starts_with("HTTP/1.1 200"));
    assert!(head.contains("content-type: text/event-stream"));
    assert!(head.contains("cache-control: no-store"));
    world.place.happen(2);
    let seen = caller.until("id: 2.0\ndata: {").await;
    assert!(!seen.contains("id: 1.0"), "it asked for news only");
    drop(caller);

    world.place.happen(3);
    let mut again = follow(&world, Some("2.0")).await;
    let seen = again.until("id: 3.0\n").await;
    assert!(!seen.contains("id: 2.0"));
    world.place.happen(4);
    again
        .until("id: 4.0\ndata: {\"id\":\"4\",\"specversion\":\"1.0\"}\n\n")
        .await;

    let mut all = follow(&world, Some("0")).await;
    let seen = all.until("id: 4.0\n").await;
    assert!(
        ["1.0", "2.0", "3.0"]
            .iter()
            .all(|id| seen.contains(&format!("id: {id}\n")))
    );
}

#[tokio::test]
async fn a_position_of_another_log_is_gone_and_a_strange_one_is_refused() {
    let world = World::new().await;
    for (last, status) in [("77.0", 410), ("yesterday", 400), ("-1", 400)] {
        let mut caller = follow(&world, Some(last)).await;
        let head = caller.until("\r\n\r\n").await;
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status}")),
            "{last}: {head}"
        );
    }
}

#[tokio::test]
async fn a_follower_that_reads_too_slowly_is_cut() {
    let world = World::new().await;
    let mut caller = follow(&world, None).await;
    caller.until(": raccord\n\n").await;
    // More than the feed keeps, in one go: the follower's task gets no turn in between.
    for commit in 1..=40 {
        world.place.happen(commit);
    }
    let rest = caller.until("0\r\n\r\n").await;
    assert!(!rest.contains("id: 40.0"));
    // And it comes back for all it missed.
    let mut again = follow(&world, Some("0")).await;
    let seen = again.until("id: 40.0\n").await;
    assert!(seen.contains("id: 1.0\n"));
}

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_gives_signs_of_life_with_its_position() {
    let world = World::new().await;
    world.place.happen(1);
    let mut caller = follow(&world, Some("0")).await;
    caller.until("data: ").await;
    let before = tokio::time::Instant::now();
    caller.until(": heartbeat\nid: 1.0\n\n").await;
    assert_eq!(before.elapsed().as_secs(), 15);
}

#[tokio::test]
async fn followers_are_bounded() {
    let world = World::with(Limits {
        followers: 1,
        ..Limits::default()
    })
    .await;
    let mut first = follow(&world, None).await;
    first.until(": raccord").await;
    let mut second = follow(&world, None).await;
    assert!(second.until("\r\n\r\n").await.starts_with("HTTP/1.1 429"));
    let metrics = world.get("/metrics").await;
    assert!(metrics.body.contains("raccord_http_followers 1\n"));
}

#[tokio::test]
async fn stopping_lets_followers_go_and_ends_the_server() {
    let world = World::new().await;
    let mut caller = follow(&world, None).await;
    caller.until(": raccord").await;
    world.stop.cancel();
    assert!(
        String::from_utf8(caller.rest().await)
            .unwrap()
            .ends_with("0\r\n\r\n")
    );
    world.served.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_request_that_never_ends_does_not_keep_the_server_for_ever() {
    let world = World::new().await;
    *world.place.silent.lock().unwrap() = true;
    let mut caller = world.connect().await;
    let token = bearer();
    let headers = [
        ("authorization", &*token),
        ("content-type", common::STRUCTURED),
    ];
    let body = common::event("1").to_string();
    caller
        .send(&common::request(
            "POST",
            "/v1/events",
            &headers,
            body.as_bytes(),
            true,
        ))
        .await;
    tokio::task::yield_now().await;
    let before = tokio::time::Instant::now();
    world.stop.cancel();
    world.served.await.unwrap();
    assert!(before.elapsed().as_secs() <= 8);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_in_time_says_send_again() {
    let world = World::new().await;
    *world.place.silent.lock().unwrap() = true;
    let answer = world.post_one(&common::event("1")).await;
    assert_eq!(answer.status, 503);
    assert_eq!(
        answer.json()["type"],
        json!("urn:raccord:problem:not-ready")
    );
    assert!(answer.header("retry-after").is_some());
}
