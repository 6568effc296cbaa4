//! Events in, through a real socket.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::{BATCH, STRUCTURED, World, bearer, event, request};
use raccord_model::{EntityKind, Verb, Words};
use raccord_web::{EventFault, Limits, PostError};
use serde_json::{Value, json};

#[tokio::test]
async fn a_structured_event_is_taken_and_told_only_once_it_is_kept() {
    let world = World::new().await;
    let mut sent = event("1");
    sent["data"]["revision"] = json!(7);
    sent["data"]["id"] = json!("theirs");
    sent["data"]["changed"] = json!(["/title"]);
    sent["data"]["room"] = Value::Null;
    sent["data"]["extra"] = json!({"deep": [1, null]});
    sent["correlationid"] = json!("c-1");
    sent["causationid"] = json!("k-1");
    sent["hops"] = json!(2);
    sent["traceparent"] = json!("dropped");
    let answer = world.post_one(&sent).await;
    assert_eq!(
        (answer.status, answer.json()),
        (202, json!({"accepted": 1}))
    );
    assert_eq!(answer.header("content-type"), Some("application/json"));

    let [change] = world.place.posted().try_into().unwrap();
    assert_eq!(change.sender, "https://agenda.example.org");
    assert_eq!(
        (change.id.as_str(), change.subject.as_str()),
        ("1", "concert-12")
    );
    assert_eq!(
        (change.kind, change.verb),
        (EntityKind::Activity, Verb::Created)
    );
    assert_eq!(
        json!(change.fields),
        json!({"title": "Concert", "start": "2027-01-09T20:00", "room": null, "extra": {"deep": [1, null]}})
    );
    assert_eq!(change.correlation.as_deref(), Some("c-1"));
    assert_eq!(change.causation.as_deref(), Some("k-1"));
    assert_eq!(change.hops, 2);
}

#[tokio::test]
async fn a_binary_event_has_its_attributes_in_percent_encoded_headers() {
    let world = World::new().await;
    let headers = [
        ("authorization", bearer()),
        ("content-type", "application/json; charset=UTF-8".into()),
        ("ce-specversion", "1.0".into()),
        ("ce-id", "\"caf%C3%A9 \\\"1\\\"\"".into()),
        ("CE-Source", "/agenda".into()),
        ("ce-type", "org.raccord.activity.updated.v1".into()),
        ("ce-subject", "f%C3%AAte%20%25".into()),
        ("ce-time", "2027-01-02T08:00:00Z".into()),
        ("ce-hops", "3".into()),
        ("ce-traceparent", "dropped".into()),
    ];
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let answer = world
        .ask("POST", "/v1/events", &headers, r#"{"title":"Fête"}"#)
        .await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let [change] = world.place.posted().try_into().unwrap();
    assert_eq!(change.id, "café \"1\"");
    assert_eq!(change.subject, "fête %");
    assert_eq!(change.verb, Verb::Updated);
    assert_eq!(change.hops, 3);
    assert_eq!(json!(change.fields), json!({"title": "Fête"}));
}

#[tokio::test]
async fn a_binary_cancellation_needs_no_body() {
    let world = World::new().await;
    let headers = [
        ("authorization", &*bearer()),
        ("ce-specversion", "1.0"),
        ("ce-id", "1"),
        ("ce-source", "/agenda"),
        ("ce-type", "org.raccord.activity.cancelled.v1"),
        ("ce-subject", "concert-12"),
    ];
    assert_eq!(
        world.ask("POST", "/v1/events", &headers, "").await.status,
        202
    );
    assert_eq!(world.place.posted()[0].verb, Verb::Cancelled);
    // With a body, its type must be said.
    assert_eq!(
        world.ask("POST", "/v1/events", &headers, "{}").await.status,
        415
    );
}

#[tokio::test]
async fn bad_binary_headers_are_named() {
    let world = World::new().await;
    let usual = [
        ("ce-specversion", "1.0"),
        ("ce-id", "1"),
        ("ce-source", "/agenda"),
        ("ce-type", "org.raccord.activity.created.v1"),
        ("ce-subject", "s"),
    ];
    for (change, pointer) in [
        (("ce-id", ""), "/id"),
        (("ce-id", "%FF"), "/id"),
        (("ce-source", "a b"), "/source"),
        (("ce-specversion", "0.3"), "/specversion"),
        (("ce-subject", "%00"), "/subject"),
        (("ce-time", "noon"), "/time"),
        (("ce-hops", "-1"), "/hops"),
        (("ce-type", "com.example.thing"), "/type"),
        (("content-type", "application/vnd.x+json"), "/data"),
    ] {
        let token = bearer();
        let mut headers = vec![
            ("authorization", token.as_str()),
            ("content-type", "application/json"),
        ];
        headers.extend(usual);
        match headers.iter_mut().find(|(name, _)| *name == change.0) {
            Some(found) => found.1 = change.1,
            None => headers.push(change),
        }
        let body = if pointer == "/data" { "[]" } else { "{}" };
        let answer = world.ask("POST", "/v1/events", &headers, body).await;
        assert_eq!(answer.faults(), [(0, pointer.to_owned())], "{change:?}");
    }
    let token = bearer();
    let mut twice = vec![("authorization", token.as_str()), ("ce-id", "2")];
    twice.extend(usual);
    let answer = world.ask("POST", "/v1/events", &twice, "").await;
    assert_eq!(answer.faults(), [(0, "/id".to_owned())]);
    assert!(world.place.posted().is_empty());
}

#[tokio::test]
async fn a_batch_is_all_or_nothing_and_repeats_are_counted() {
    let world = World::new().await;
    let mut bad = event("3");
    bad["data"]["start"] = json!("tomorrow");
    bad["data"]["capacity"] = json!(-1);
    let mut nameless = event("4");
    nameless.as_object_mut().unwrap().remove("subject");
    let batch = json!([event("1"), event("2"), bad, nameless]);
    let answer = world.post(BATCH, batch.to_string()).await;
    let mut faults = answer.faults();
    faults.sort();
    assert_eq!(
        faults,
        [
            (2, "/data/capacity".into()),
            (2, "/data/start".into()),
            (3, "/subject".into())
        ]
    );
    assert!(world.place.posted().is_empty());

    for _ in 0..2 {
        let batch = json!([event("1"), event("2"), event("1")]);
        let answer = world.post(BATCH, batch.to_string()).await;
        assert_eq!(
            (answer.status, answer.json()),
            (202, json!({"accepted": 3}))
        );
    }
    assert_eq!(world.place.posted().len(), 2);

    let answer = world.post(BATCH, "[]").await;
    assert_eq!(
        (answer.status, answer.json()),
        (202, json!({"accepted": 0}))
    );
    assert_eq!(world.post(BATCH, "{}").await.status, 422);
}

#[tokio::test]
async fn a_large_batch_is_taken_and_one_too_many_is_not() {
    let world = World::new().await;
    let batch = |count: usize| {
        json!(
            (0..count)
                .map(|n| event(&n.to_string()))
                .collect::<Vec<_>>()
        )
        .to_string()
    };
    assert_eq!(
        world.post(BATCH, batch(1000)).await.json(),
        json!({"accepted": 1000})
    );
    let answer = world.post(BATCH, batch(1001)).await;
    assert_eq!(answer.status, 413);
    assert!(answer.json()["detail"].as_str().unwrap().contains("1000"));
    assert_eq!(world.place.posted().len(), 1000);
}

#[tokio::test]
async fn nobody_gets_in_without_the_token() {
    let world = World::new().await;
    let body = event("1").to_string();
    let near = format!("Bearer {}", &common::TOKEN[1..]);
    for headers in [
        &[("content-type", STRUCTURED)][..],
        &[
            ("content-type", STRUCTURED),
            ("authorization", "Bearer wrong"),
        ],
        &[("content-type", STRUCTURED), ("authorization", &near)],
        &[("content-type", STRUCTURED), ("authorization", "Bearer ")],
        &[
            ("content-type", STRUCTURED),
            ("authorization", "Basic eDp5"),
        ],
    ] {
        let answer = world.ask("POST", "/v1/events", headers, &body).await;
        assert_eq!(answer.status, 401);
        assert_eq!(
            answer.header("www-authenticate"),
            Some("Bearer realm=\"raccord\"")
        );
        assert!(!answer.body.contains(common::TOKEN));
        let answer = world.ask("GET", "/v1/events", headers, "").await;
        assert_eq!(answer.status, 401);
    }
    assert!(world.place.posted().is_empty());
}

#[tokio::test]
async fn every_fault_of_the_envelope_and_of_the_data_is_told_in_the_callers_language() {
    let world = World::new().await;
    let mut bad = event("");
    bad["source"] = json!("");
    bad["time"] = json!("yesterday");
    bad["Bad"] = json!({});
    bad["data"] = json!({ "title": 5, "start": "x" });
    let token = bearer();
    let mut said = Vec::new();
    for lang in ["fr", "en"] {
        let headers = [
            ("authorization", &*token),
            ("content-type", STRUCTURED),
            ("accept-language", lang),
        ];
        let answer = world
            .ask("POST", "/v1/events", &headers, bad.to_string())
            .await;
        assert_eq!(answer.status, 422);
        let mut at: Vec<String> = answer.faults().into_iter().map(|(_, at)| at).collect();
        at.sort();
        assert_eq!(
            at,
            [
                "/Bad",
                "/data/start",
                "/data/title",
                "/id",
                "/source",
                "/time"
            ]
        );
        said.push(answer.json()["errors"].clone());
    }
    for (fr, en) in said[0]
        .as_array()
        .unwrap()
        .iter()
        .zip(said[1].as_array().unwrap())
    {
        assert_eq!(fr["pointer"], en["pointer"]);
        assert_ne!(fr["detail"], en["detail"]);
    }
    assert!(said[0].to_string().contains("ne doit pas être vide"));
}

#[tokio::test]
async fn null_reaches_the_place_for_a_field_there_is() {
    let world = World::new().await;
    let mut sent = event("1");
    sent["data"] = json!({ "room": null, "capacity": null, "id": null });
    assert_eq!(world.post_one(&sent).await.status, 202);
    assert_eq!(
        json!(world.place.posted()[0].fields),
        json!({ "room": null, "capacity": null })
    );
    sent["data"] = json!({ "rom": null });
    assert_eq!(
        world.post_one(&sent).await.faults(),
        [(0, "/data/rom".to_owned())]
    );
}

#[tokio::test]
async fn other_content_is_not_taken() {
    let world = World::new().await;
    for kind in [
        "text/plain",
        "application/cloudevents+xml",
        "application/cloudevents",
        "application/json",
        "application/cloudevents+json; charset=iso-8859-1",
    ] {
        let answer = world.post(kind, event("1").to_string()).await;
        assert_eq!(answer.status, 415, "{kind}");
    }
    let token = bearer();
    let packed = [
        ("authorization", &*token),
        ("content-type", STRUCTURED),
        ("content-encoding", "gzip"),
    ];
    assert_eq!(
        world.ask("POST", "/v1/events", &packed, "x").await.status,
        415
    );
}

#[tokio::test]
async fn a_body_too_large_gets_its_answer_announced_or_not() {
    let world = World::new().await;
    let body = vec![b' '; 2_000_000];
    let answer = world.post(STRUCTURED, &body).await;
    assert_eq!(answer.status, 413, "{answer:?}");

    let mut caller = world.connect().await;
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: {}\r\ncontent-type: {STRUCTURED}\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n",
        bearer(),
        body.len()
    );
    caller.send(head.as_bytes()).await;
    caller.send(&body).await;
    caller.send(b"\r\n0\r\n\r\n").await;
    assert_eq!(caller.answer().await.status, 413);
}

#[tokio::test]
async fn who_asks_first_is_told_before_sending() {
    let world = World::new().await;
    let mut caller = world.connect().await;
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: {}\r\ncontent-type: {STRUCTURED}\r\ncontent-length: 2000000\r\nexpect: 100-continue\r\n\r\n",
        bearer()
    );
    caller.send(head.as_bytes()).await;
    assert_eq!(caller.answer().await.status, 413);
}

#[tokio::test]
async fn what_the_place_says_is_told_in_the_callers_words() {
    let world = World::new().await;
    let token = bearer();
    let headers = [
        ("authorization", &*token),
        ("content-type", STRUCTURED),
        ("accept-language", "en"),
    ];
    let body = event("1").to_string();

    *world.place.answer.lock().unwrap() = Some(PostError::Overloaded {
        retry_after: Duration::from_millis(1500),
    });
    let answer = world.ask("POST", "/v1/events", &headers, &body).await;
    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (429, Some("2"))
    );

    let why = Words::new("Le disque est plein.", "The disk is full.");
    *world.place.answer.lock().unwrap() = Some(PostError::NotReady { why });
    let answer = world.ask("POST", "/v1/events", &headers, &body).await;
    assert_eq!(
        (answer.status, answer.json()["detail"].clone()),
        (503, json!("The disk is full."))
    );
    assert_eq!(answer.header("content-language"), Some("en"));
    let answer = world.post_one(&event("1")).await;
    assert_eq!(answer.json()["detail"], json!("Le disque est plein."));

    *world.place.answer.lock().unwrap() = Some(PostError::Refused(vec![EventFault {
        index: 0,
        pointer: "/data/title".into(),
        detail: Words::same("a new subject needs a title"),
    }]));
    let answer = world.post_one(&event("1")).await;
    assert_eq!(answer.faults(), [(0, "/data/title".to_owned())]);
    assert_eq!(answer.json()["type"], json!("urn:raccord:problem:invalid"));
    assert_eq!(answer.json()["status"], json!(422));
}

#[tokio::test]
async fn bodies_on_their_way_share_a_bounded_room() {
    let world = World::with(Limits {
        in_flight: 20_000,
        ..Limits::default()
    })
    .await;
    *world.place.silent.lock().unwrap() = true;
    let mut large = event("1");
    large["data"]["description"] = json!("x".repeat(15_000));
    let token = bearer();
    let headers = [("authorization", &*token), ("content-type", STRUCTURED)];
    let mut waiting = world.connect().await;
    waiting
        .send(&request(
            "POST",
            "/v1/events",
            &headers,
            large.to_string().as_bytes(),
            true,
        ))
        .await;
    // Its head and body were read in one go, so once another request is answered it is inside.
    world.get("/healthz").await;
    assert_eq!(world.post_one(&large).await.status, 429);
    drop(waiting);
}

#[tokio::test]
async fn hostile_json_is_refused_where_it_stands() {
    let world = World::new().await;
    let with = |data: &str| {
        format!(
            r#"{{"specversion":"1.0","id":"1","source":"/s","type":"org.raccord.activity.created.v1","subject":"x","data":{data}}}"#
        )
    };
    let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
    for (data, pointer) in [
        (r#"{"title":"a","title":"b"}"#, "/data/title"),
        (r#"{"contact":{"$slot":"k"}}"#, "/data/contact/$slot"),
        ("[]", "/data"),
        ("7", "/data"),
        ("null", "/data"),
    ] {
        assert_eq!(
            world.post(STRUCTURED, with(data)).await.faults()[0].1,
            pointer,
            "{data}"
        );
    }
    let faults = world
        .post(STRUCTURED, with(&format!("{{\"extra\":{deep}}}")))
        .await
        .faults();
    assert!(faults[0].1.starts_with("/data/extra/0/0"));
    let in_batch = format!("[{},{}]", with("{}"), with(r#"{"a":{"$slot":"k"}}"#));
    assert_eq!(
        world.post(BATCH, in_batch).await.faults(),
        [(1, "/data/a/$slot".to_owned())]
    );
    for malformed in [
        &b"{"[..],
        b"",
        b"\xff\xfe",
        b"{\"id\":1e999}",
        b"nul",
        b"{\"a\":\"\xc3\"}",
    ] {
        let answer = world.post(STRUCTURED, malformed).await;
        assert_eq!(answer.status, 400, "{malformed:?}");
        assert_eq!(
            answer.json()["type"],
            json!("urn:raccord:problem:malformed")
        );
    }
    let mut long = event("1");
    long["subject"] = json!("x".repeat(2000));
    long["data"] = json!("text");
    let faults = world.post_one(&long).await.faults();
    assert_eq!(
        faults,
        [(0, "/subject".to_owned()), (0, "/data".to_owned())]
    );
    assert!(world.place.posted().is_empty());
}

#[tokio::test]
async fn each_place_has_its_own_door() {
    let world = World::new().await;
    let token = bearer();
    let headers = [("authorization", &*token), ("content-type", STRUCTURED)];
    let body = event("1").to_string();
    assert_eq!(
        world
            .ask("POST", "/p/autre/v1/events", &headers, &body)
            .await
            .status,
        202
    );
    assert_eq!(
        (world.place.posted().len(), world.other.posted().len()),
        (0, 1)
    );
    for nowhere in [
        "/p/nulle-part/v1/events",
        "/p//v1/events",
        "/p/..%2Fautre/v1/events",
        "/console",
        "/hooks/x",
    ] {
        assert_eq!(
            world.ask("POST", nowhere, &headers, &body).await.status,
            404,
            "{nowhere}"
        );
    }
    let answer = world.ask("PUT", "/v1/events", &headers, "").await;
    assert_eq!(answer.status, 405);
    assert!(answer.header("allow").unwrap().contains("POST"));
}

#[tokio::test]
async fn one_connection_serves_many_posts() {
    let world = World::new().await;
    let mut caller = world.connect().await;
    let token = bearer();
    let headers = [("authorization", &*token), ("content-type", STRUCTURED)];
    for n in 0..50 {
        let body = event(&n.to_string()).to_string();
        caller
            .send(&request(
                "POST",
                "/v1/events",
                &headers,
                body.as_bytes(),
                true,
            ))
            .await;
        let seen = caller.until("{\"accepted\":1}").await;
        assert!(seen.starts_with("HTTP/1.1 202"));
    }
    assert_eq!(world.place.posted().len(), 50);
}
