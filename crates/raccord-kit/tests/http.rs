//! The HTTP client against a server that misbehaves.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderName, Method, header};
use raccord_kit::http::{Answer, Fault, Http, HttpError, Request, Target};
use raccord_kit::standin::{Play, Reply, Standin};
use raccord_kit::testing::kit;
use raccord_model::{Blame, Failure};

const SHORT: Duration = Duration::from_millis(300);

fn client() -> Http {
    Http::new("test", &kit()).unwrap()
}

fn target(url: &str) -> Target {
    Target::configured("url", url).unwrap()
}

async fn post(url: &str) -> Result<Answer, HttpError> {
    client()
        .call(Request::post(&target(url), "body").time(SHORT))
        .await
}

async fn get(url: &str) -> Result<Answer, HttpError> {
    client().call(Request::get(&target(url)).time(SHORT)).await
}

#[tokio::test]
async fn s01_every_status_has_its_blame() {
    let standin = Standin::start().await;
    for (status, blame) in [
        (400, Blame::Data),
        (401, Blame::Access),
        (403, Blame::Access),
        (404, Blame::Data),
        (405, Blame::Data),
        (407, Blame::Access),
        (408, Blame::Transient),
        (409, Blame::Data),
        (410, Blame::Data),
        (413, Blame::Data),
        (415, Blame::Data),
        (422, Blame::Data),
        (425, Blame::Transient),
        (429, Blame::Transient),
        (500, Blame::Transient),
        (502, Blame::Transient),
        (503, Blame::Transient),
        (504, Blame::Transient),
        (507, Blame::Transient),
    ] {
        standin.script([Reply::status(status)]);
        let failure = Failure::from(post(&standin.url("/")).await.unwrap_err());
        assert_eq!(failure.blame, blame, "{status}");
        assert_eq!(failure.gone, status == 410, "{status}");
        assert!(failure.text.fr.contains(&status.to_string()));
        assert!(failure.text.en.contains(&status.to_string()));
    }
    assert_eq!(standin.seen().len(), 19, "nothing was repeated");
}

#[tokio::test]
async fn s01_a_server_fault_after_a_write_that_must_not_be_repeated_is_unknown() {
    let standin = Standin::start().await;
    for (status, blame) in [
        (500, Blame::Unknown),
        (502, Blame::Unknown),
        (503, Blame::Transient),
        (504, Blame::Unknown),
        (429, Blame::Transient),
    ] {
        standin.script([Reply::status(status)]);
        let request = Request::post(&target(&standin.url("/")), "once").once();
        let error = client().call(request).await.unwrap_err();
        assert_eq!(error.blame(), blame, "{status}");
    }
}

#[tokio::test]
async fn s01_what_was_never_sent_is_transient() {
    let refused = post(&Standin::nobody().await).await.unwrap_err();
    assert_eq!(refused.fault(), Fault::Unreachable);
    assert_eq!(refused.blame(), Blame::Transient);
    let nowhere = Request::post(&target("http://no-such-name.invalid/"), "body");
    let unresolved = client().call(nowhere).await.unwrap_err();
    assert_eq!(unresolved.blame(), Blame::Transient);
    assert_eq!(unresolved.fault(), Fault::Unresolved);
}

#[tokio::test]
async fn s01_a_lost_answer_is_unknown_for_a_write_and_transient_for_a_read() {
    let slow = Duration::from_millis(50);
    for play in [
        Play::DoneThenReset,
        Play::Reset,
        Play::Silent,
        Play::Garbage,
        Play::Drip(Reply::ok("slow"), slow),
        Play::CutBody(Reply::ok("only a half of it"), 5),
    ] {
        let standin = Standin::start().await;
        standin.script([play.clone(), play.clone()]);
        let write = post(&standin.url("/")).await.unwrap_err();
        assert_eq!(write.fault(), Fault::Lost, "{play:?}");
        assert_eq!(write.blame(), Blame::Unknown, "{play:?}");
        let read = get(&standin.url("/")).await.unwrap_err();
        assert_eq!(read.blame(), Blame::Transient, "{play:?}");
        assert_eq!(standin.seen().len(), 2, "{play:?} was repeated");
    }
}

#[tokio::test]
async fn s01_a_server_that_cannot_prove_who_it_is_gets_nothing() {
    let standin = Standin::start_tls().await;
    let untrusted = post(&standin.url("/")).await.unwrap_err();
    assert_eq!(untrusted.fault(), Fault::Certificate);
    assert_eq!(untrusted.blame(), Blame::Transient);

    let trusting = Http::trusting("test", &kit(), standin.roots()).unwrap();
    let wrong_name = standin.url("/").replace("localhost", "127.0.0.1");
    let other = trusting
        .call(Request::post(&target(&wrong_name), "x"))
        .await
        .unwrap_err();
    assert_eq!(other.fault(), Fault::Certificate);
    assert_eq!(standin.seen().len(), 0);

    let right = trusting
        .call(Request::post(&target(&standin.url("/")), "x"))
        .await
        .unwrap();
    assert_eq!(right.status, 204);

    let plain = Standin::start().await;
    let no_tls = post(&plain.url("/").replace("http:", "https:"))
        .await
        .unwrap_err();
    assert_eq!(no_tls.fault(), Fault::Insecure);
}

#[tokio::test]
async fn b12_no_server_makes_a_call_last_or_grow() {
    let standin = Standin::start().await;
    let start = Instant::now();
    standin.script([
        Play::Drip(Reply::ok("x".repeat(100)), Duration::from_secs(1)),
        Play::Huge(Reply::status(200), 1_000_000_000),
    ]);
    assert_eq!(
        get(&standin.url("/")).await.unwrap_err().fault(),
        Fault::Unread
    );
    let huge = Request::get(&target(&standin.url("/"))).size(20_000_000);
    let error = client().call(huge).await.unwrap_err();
    assert_eq!(error.fault(), Fault::TooLarge(20_000_000));
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn b12_who_wants_only_the_status_is_not_held_by_the_body() {
    let standin = Standin::start().await;
    for play in [
        Play::Huge(Reply::status(200), 1_000_000_000),
        Play::CutBody(Reply::ok("half of it"), 4),
    ] {
        standin.script([play]);
        let request = Request::post(&target(&standin.url("/")), "x").discard_body();
        assert_eq!(client().call(request).await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn s02_retry_after_reaches_the_failure_in_both_its_forms() {
    let standin = Standin::start().await;
    standin.script([
        Reply::status(503).header("retry-after", "120"),
        Reply::status(429)
            .header("date", "Sat, 02 Jan 2027 10:00:00 GMT")
            .header("retry-after", "Sat, 02 Jan 2027 10:00:45 GMT"),
        Reply::status(503),
    ]);
    for expected in [Some(120_000), Some(45_000), None] {
        let failure = Failure::from(post(&standin.url("/")).await.unwrap_err());
        assert_eq!(failure.retry_after_ms, expected);
    }
}

#[tokio::test]
async fn a_write_never_follows_a_redirect_so_a_login_page_is_no_success() {
    let standin = Standin::start().await;
    for status in [301, 302, 303, 307, 308] {
        standin.script([Reply::redirect(status, "/login"), Reply::login_page()]);
        let error = post(&standin.url("/in")).await.unwrap_err();
        assert_eq!(error.code(), "moved", "{status}");
        assert_eq!(error.blame(), Blame::Data);
        get(&standin.url("/")).await.unwrap();
    }
}

#[tokio::test]
async fn a_read_follows_redirects_and_says_so_but_not_for_ever() {
    let standin = Standin::start().await;
    standin.script([Reply::redirect(302, "/a"), Reply::ok("there")]);
    let answer = get(&standin.url("/")).await.unwrap();
    assert!(answer.redirected);
    assert_eq!(answer.target.url().path(), "/a");
    assert_eq!(answer.body, "there");

    standin.always(Reply::redirect(302, "/again"));
    let before = standin.seen().len();
    assert_eq!(
        get(&standin.url("/")).await.unwrap_err().fault(),
        Fault::Astray
    );
    assert_eq!(standin.seen().len() - before, 6);
}

#[tokio::test]
async fn p06_a_redirect_does_not_lead_into_the_private_network() {
    let (public, private) = (Standin::start().await, Standin::start().await);
    for to in [
        private.url("/admin"),
        private.url("/").replace("127.0.0.1", "localhost"),
        private.url("/").replace("127.0.0.1", "[::ffff:127.0.0.1]"),
        private.url("/").replace("127.0.0.1", "2130706433"),
        "http://169.254.169.254/latest/meta-data".to_owned(),
    ] {
        public.script([Reply::redirect(302, &to)]);
        let error = get(&public.url("/")).await.unwrap_err();
        assert!(
            matches!(error.fault(), Fault::Private(_)),
            "{to}: {error:?}"
        );
        assert_eq!(error.blame(), Blame::Data);
    }
    assert_eq!(private.seen().len(), 0);

    let data = Target::from_data(&private.url("/")).unwrap();
    let error = client().call(Request::get(&data)).await.unwrap_err();
    assert_eq!(error.code(), "private-address");

    let mut open = kit();
    open.allow_private = Arc::new(["127.0.0.0/8".to_owned()]);
    let open = Http::new("test", &open).unwrap();
    assert_eq!(open.call(Request::get(&data)).await.unwrap().status, 204);
}

#[tokio::test]
async fn credentials_stay_with_the_host_they_are_for() {
    let (first, second) = (Standin::start().await, Standin::start().await);
    let mut open = kit();
    open.allow_private = Arc::new(["127.0.0.0/8".to_owned()]);
    let http = Http::new("test", &open).unwrap();
    first.script([
        Reply::redirect(302, "/same"),
        Reply::redirect(302, &second.url("/")),
    ]);
    let request = Request::get(&target(&first.url("/")))
        .bearer(&"canary".to_owned().into())
        .secret(
            HeaderName::from_static("x-auth-token"),
            &"canary".to_owned().into(),
        )
        .header(header::COOKIE, "canary=1")
        .header(header::ACCEPT, "text/csv");
    http.call(request).await.unwrap();
    for seen in first.seen() {
        assert_eq!(seen.header("authorization"), "Bearer canary");
    }
    let [elsewhere] = &second.seen()[..] else {
        panic!("one request")
    };
    assert!(!format!("{elsewhere:?}").contains("canary"));
    assert_eq!(elsewhere.header("accept"), "text/csv");
}

#[tokio::test]
async fn credentials_never_go_from_https_to_http() {
    let (secure, plain) = (Standin::start_tls().await, Standin::start().await);
    let mut open = kit();
    open.allow_private = Arc::new(["127.0.0.0/8".to_owned(), "::1".to_owned()]);
    let http = Http::trusting("test", &open, secure.roots()).unwrap();
    secure.script([Reply::redirect(302, &plain.url("/"))]);
    let request = Request::get(&target(&secure.url("/"))).basic("ana", &"canary".to_owned().into());
    let error = http.call(request).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Downgraded);
    assert_eq!(plain.seen().len(), 0);
}

#[tokio::test]
async fn connections_are_used_again_and_a_closed_one_costs_a_read_nothing() {
    let standin = Standin::start().await;
    let http = client();
    let here = target(&standin.url("/"));
    for _ in 0..5 {
        http.call(Request::post(&here, "x")).await.unwrap();
    }
    let last = |seen: Vec<raccord_kit::standin::Seen>| seen.last().unwrap().connection;
    assert_eq!(last(standin.seen()), 0);
    standin.script([Play::AnswerAndClose(Reply::status(204))]);
    http.call(Request::get(&here)).await.unwrap();
    http.call(Request::get(&here)).await.unwrap();
    assert_eq!(last(standin.seen()), 1);
}

#[tokio::test]
async fn many_calls_at_once_all_get_their_own_answer() {
    let standin = Standin::start().await;
    standin.direct(|seen| Reply::ok(seen.body.clone()).into());
    let http = client();
    let here = target(&standin.url("/"));
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..200 {
        let (http, here) = (http.clone(), here.clone());
        calls.spawn(async move {
            let body = format!("{number}");
            let answer = http.call(Request::post(&here, body.clone())).await.unwrap();
            assert_eq!(answer.body, body);
        });
    }
    while let Some(done) = calls.join_next().await {
        done.unwrap();
    }
}

#[tokio::test]
async fn an_unchanged_read_is_an_answer_when_news_was_asked_for() {
    let standin = Standin::start().await;
    standin.always(Reply::status(304));
    let here = target(&standin.url("/"));
    let asked = Request::get(&here).header(header::IF_NONE_MATCH, "\"v1\"");
    assert_eq!(client().call(asked).await.unwrap().status, 304);
    assert!(client().call(Request::get(&here)).await.is_err());
}

#[tokio::test]
async fn the_client_says_honestly_who_it_is_and_asks_for_nothing_compressed() {
    let standin = Standin::start().await;
    get(&standin.url("/a?b=c")).await.unwrap();
    let [seen] = &standin.seen()[..] else {
        panic!("one request")
    };
    assert!(seen.header("user-agent").starts_with("raccord/"));
    assert_eq!(seen.header("accept-encoding"), "");
    assert_eq!(seen.header("host"), standin.url("").replace("http://", ""));
    assert_eq!(
        (seen.method.clone(), seen.path.as_str()),
        (Method::GET, "/a?b=c")
    );

    standin.script([Reply::ok("\x1f?").header("content-encoding", "gzip")]);
    assert_eq!(get(&standin.url("/")).await.unwrap_err().code(), "encoded");
}

#[tokio::test]
async fn b11_no_error_shows_more_than_the_host() {
    let standin = Standin::start().await;
    standin.always(Reply::status(500).body("canary"));
    let request = Request::post(&target(&standin.url("/canary?token=canary")), "canary")
        .bearer(&"canary".to_owned().into());
    assert!(!format!("{request:?}").contains("canary"));
    let error = client().call(request).await.unwrap_err();
    assert!(!format!("{error:?} {error}").contains("canary"));
    let failure = Failure::from(error);
    assert!(!format!("{failure:?}").contains("canary"));
    assert!(failure.text.en.contains("127.0.0.1"));
    assert_eq!(failure.code, "test.unwell");
}

#[tokio::test]
async fn a_value_with_a_line_break_makes_no_second_header() {
    let standin = Standin::start().await;
    let request = Request::get(&target(&standin.url("/")))
        .header(HeaderName::from_static("x-title"), "a\r\nx-evil: 1");
    client().call(request).await.unwrap();
    assert_eq!(standin.seen()[0].header("x-evil"), "");
}
