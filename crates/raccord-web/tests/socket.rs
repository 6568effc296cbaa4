//! Callers that hold on, trickle, flood or send anything at all.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{STRUCTURED, World, bearer, face};
use proptest::prelude::*;
use raccord_model::Lang;
use raccord_web::{Form, Limits, form_of, read};
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn slow_headers_are_cut() {
    let world = World::new().await;
    let mut caller = world.connect().await;
    caller
        .send(b"POST /v1/events HTTP/1.1\r\nhost: x\r\nx-slow: ")
        .await;
    let before = Instant::now();
    caller.rest().await;
    assert!((15..=25).contains(&before.elapsed().as_secs()));
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_closed() {
    let world = World::new().await;
    let mut caller = world.connect().await;
    let before = Instant::now();
    assert!(caller.rest().await.is_empty());
    assert!((15..=25).contains(&before.elapsed().as_secs()));
}

#[tokio::test(start_paused = true)]
async fn a_slow_body_is_cut_and_told() {
    let world = World::new().await;
    let mut caller = world.connect().await;
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: {}\r\ncontent-type: {STRUCTURED}\r\ncontent-length: 500\r\n\r\n{{",
        bearer()
    );
    caller.send(head.as_bytes()).await;
    let before = Instant::now();
    assert_eq!(caller.answer().await.status, 408);
    assert!(before.elapsed().as_secs() <= 30);
}

#[tokio::test(start_paused = true)]
async fn a_body_without_token_is_not_waited_for_long() {
    let world = World::new().await;
    let mut caller = world.connect().await;
    caller
        .send(b"POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: 500\r\n\r\n{")
        .await;
    let before = Instant::now();
    assert_eq!(caller.answer().await.status, 401);
    assert!(before.elapsed().as_secs() <= 6);
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_closed() {
    let world = World::with(Limits {
        write_time: std::time::Duration::from_millis(50),
        ..Limits::default()
    })
    .await;
    let mut caller = world.connect().await;
    // Many answers asked for at once and none read: the socket's buffers fill, then writing waits.
    let one = common::request("GET", "/metrics", &[], b"", true);
    let many = one.repeat(40_000);
    // The server closing on us in the middle is what is to happen.
    drop(tokio::io::AsyncWriteExt::write_all(&mut caller.0, &many).await);
    let metrics = loop {
        let metrics = world.get("/metrics").await.body;
        if metrics.contains("raccord_http_connections 1\n") {
            break metrics;
        }
        tokio::task::yield_now().await;
    };
    assert!(metrics.contains("raccord_http_connections 1\n"));
}

#[tokio::test]
async fn one_connection_too_many_is_told_so() {
    let world = World::with(Limits {
        connections: 2,
        ..Limits::default()
    })
    .await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut caller = world.connect().await;
        caller
            .send(&common::request("GET", "/healthz", &[], b"", true))
            .await;
        caller.until("\"status\":\"ok\"").await;
        held.push(caller);
    }
    let answer = world.get("/healthz").await;
    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (503, Some("1"))
    );
    assert_eq!(answer.json()["status"], 503);
    held.pop();
    let mut caller = held.pop().unwrap();
    caller
        .send(&common::request("GET", "/metrics", &[], b"", false))
        .await;
    assert!(
        caller
            .answer()
            .await
            .body
            .contains("raccord_http_connections_refused_total 1\n")
    );
}

#[tokio::test]
async fn a_crowd_of_idle_connections_gives_its_seats_back() {
    let world = World::with(Limits {
        connections: 20,
        head_time: std::time::Duration::from_millis(200),
        ..Limits::default()
    })
    .await;
    let mut crowd = Vec::new();
    for _ in 0..300 {
        crowd.push(world.connect().await);
    }
    let mut refused = 0;
    loop {
        let mut caller = world.connect().await;
        let ask = common::request("GET", "/healthz", &[], b"", false);
        // In a crowd, the connection may be gone before the question is.
        drop(tokio::io::AsyncWriteExt::write_all(&mut caller.0, &ask).await);
        let answer = caller.rest().await;
        if answer.starts_with(b"HTTP/1.1 200") {
            break;
        }
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 503"));
        refused += 1;
    }
    assert!(refused > 0, "the crowd held every seat");
    drop(crowd);
}

#[tokio::test]
async fn heads_too_long_or_too_many_are_refused() {
    let world = World::new().await;
    let long = "x".repeat(20_000);
    let mut caller = world.connect().await;
    caller
        .send(format!("GET /{long} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes())
        .await;
    let status = caller.answer().await.status;
    assert!(matches!(status, 414 | 431), "{status}");
    let many = "a: b\r\n".repeat(100);
    let mut caller = world.connect().await;
    caller
        .send(format!("GET / HTTP/1.1\r\nhost: x\r\n{many}\r\n").as_bytes())
        .await;
    assert_eq!(caller.answer().await.status, 431);
    let mut caller = world.connect().await;
    caller.send(b"\x16\x03\x01 this is TLS\r\n\r\n").await;
    assert_eq!(caller.answer().await.status, 400);
    assert_eq!(world.get("/healthz").await.status, 200);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any bytes in any form are changes or a refusal, never a panic.
    #[test]
    fn any_body_is_answered(body in proptest::collection::vec(any::<u8>(), 0..400), form in 0..3) {
        let form = match form {
            0 => Form::Structured,
            1 => Form::Batch,
            _ => Form::Binary(serde_json::from_str(r#"{"specversion":"1.0","datacontenttype":"application/json"}"#).unwrap()),
        };
        prop_assert!(read(form, &body, 1000).is_err() || body.starts_with(b"["));
    }

    /// The same for texts that nearly are events.
    #[test]
    fn any_near_event_is_answered(
        key in "[a-z$~/]{0,6}|id|source|type|subject|data|hops|specversion|time",
        value in r#"null|true|-1|1e9|"[^"\\]{0,8}"|\[\]|\{"a":\{\}\}|9{1,30}|"org\.raccord\.[a-z]{0,8}\.created\.v1""#,
    ) {
        let text = format!(r#"{{"specversion":"1.0","id":"1","source":"/s","type":"org.raccord.task.created.v1","subject":"x","data":{{}},"{key}":{value}}}"#);
        let _answered = read(Form::Structured, text.as_bytes(), 1000);
        let batch = format!("[{text}]");
        let _answered = read(Form::Batch, batch.as_bytes(), 1000);
    }

    /// Any header values are a form or a refusal.
    #[test]
    fn any_headers_are_answered(kind in proptest::collection::vec(32_u8..=255, 0..40), id in proptest::collection::vec(32_u8..=255, 0..40)) {
        use axum::http::{HeaderMap, HeaderValue};
        let mut headers = HeaderMap::new();
        headers.insert("ce-specversion", HeaderValue::from_static("1.0"));
        if let (Ok(kind), Ok(id)) = (HeaderValue::from_bytes(&kind), HeaderValue::from_bytes(&id)) {
            headers.insert("ce-id", id);
            let _answered = form_of(&headers);
            headers.insert("content-type", kind);
            let _answered = form_of(&headers);
        }
    }
}

/// Any bytes on the wire after a good head: the server says 4xx or closes, and goes on serving.
#[tokio::test]
async fn any_bytes_on_the_wire_leave_the_server_well() {
    let world = World::new().await;
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..200 {
        let mut bytes = Vec::new();
        for _ in 0..64 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            bytes.push((seed >> 56) as u8);
        }
        let answer = world.post(STRUCTURED, &bytes).await;
        assert!((400..500).contains(&answer.status), "{answer:?}");
        let mut caller = world.connect().await;
        caller.send(&bytes).await;
        tokio::io::AsyncWriteExt::shutdown(&mut caller.0)
            .await
            .unwrap();
        let rest = caller.rest().await;
        assert!(
            rest.is_empty() || rest.starts_with(b"HTTP/1.1 400"),
            "{rest:?}"
        );
    }
    assert_eq!(world.get("/healthz").await.status, 200);
    drop(face(Limits::default(), Lang::En, false));
}
