//! What is told at once: over the streams, whatever becomes of it.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::quirks::Quirk;
use common::{Stage, concert};
use raccord_chat::testing::{ROOM, told};
use raccord_kit::conformance::noticed;
use raccord_kit::http::{Came, Http, Request, Socket, Target};
use serde_json::{Value, json};

/// Tells a story with a surprise and without it.
async fn story<F>(quirk: Quirk, tell: impl Fn(Stage) -> F + Copy + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    noticed(quirk.name(), |lost| async move {
        let stage = Stage::without(quirk, lost).await;
        let standin = Arc::clone(&stage.standin);
        tell(stage).await;
        drop(standin);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_said_changed_taken_away_and_reacted_to_is_told_within_two_seconds() {
    let stage = Stage::open().await;
    told::everything_is_told_within_two_seconds(&stage, &stage.server, ROOM).await;
}

#[tokio::test(start_paused = true)]
async fn what_we_say_ourselves_and_what_is_said_elsewhere_wakes_nobody() {
    let stage = Stage::open().await;
    let cursor = stage.attend().await;
    let link = stage.put(&concert(), None).await;
    stage.remove(&concert(), &link).await.unwrap();
    stage.server.says("anna", "general", "ailleurs");
    // Its deletion says only which message it was: that is read once, and is nothing.
    assert!(stage.told(&cursor).await);
    assert_eq!(stage.hear(&mut cursor.clone()).await, []);
    assert!(!stage.told(&cursor).await, "nothing is to be read");
}

#[tokio::test(start_paused = true)]
async fn a_restarted_server_is_connected_to_again_and_what_was_said_meanwhile_is_heard() {
    let stage = Stage::open().await;
    told::a_restart_is_read_up(&stage, &stage.server, ROOM).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_opens_no_socket_is_asked_seldom() {
    let stage = Stage::open().await;
    told::a_refused_socket_is_asked_for_seldom(&stage, &stage.server).await;
}

#[tokio::test(start_paused = true)]
async fn a_busy_room_is_read_no_more_than_once_a_second() {
    let stage = Stage::open().await;
    told::a_busy_room_is_read_once_a_second(&stage, &stage.server, ROOM).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_answers_no_question_is_given_up() {
    let stage = Stage::open().await;
    told::a_deaf_connection_is_given_up(&stage, &stage.server, ROOM).await;
    assert_eq!(
        stage.server.state().streams.logins,
        2,
        "who we are is said again"
    );
}

#[tokio::test(start_paused = true)]
async fn a_quiet_connection_stays() {
    let stage = Stage::open().await;
    let cursor = stage.attend().await;
    for _ in 0..10 {
        assert!(!stage.told(&cursor).await);
    }
    assert_eq!(stage.server.state().streams.logins, 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_refused_there_is_shown_once() {
    let stage = Stage::open().await;
    let cursor = stage.listen().await;
    stage.server.state().tokens.clear();
    for _ in 0..30 {
        assert!(!stage.told(&cursor).await);
    }
    let seen = stage.standin.seen();
    let asked = seen.iter().filter(|one| one.path.ends_with("/websocket"));
    assert!(asked.count() <= 1);
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_put_off_stops_nothing_else() {
    let stage = Stage::open().await;
    let cursor = stage.listen().await;
    stage.server.state().streams.busy = true;
    assert!(!stage.told(&cursor).await);
    stage.put(&concert(), None).await;
    stage.server.state().streams.busy = false;
    assert!(stage.told(&cursor).await || stage.told(&cursor).await);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_answer_a_ping_is_left() {
    story(Quirk::StreamPings, |stage| async move {
        let cursor = stage.attend().await;
        for _ in 0..3 {
            stage.server.asks_who_is_there();
            assert!(!stage.told(&cursor).await);
        }
        let state = stage.server.state();
        assert_eq!((state.streams.pongs, state.streams.logins), (3, 1));
    })
    .await;
}

/// A socket on which nothing was said yet.
async fn socket(stage: &Stage) -> Socket {
    let http = Http::new("raw", &stage.kit).unwrap();
    let target = Target::configured("url", &stage.standin.url("/websocket")).unwrap();
    http.socket(Request::get(&target)).await.unwrap()
}

async fn next(socket: &mut Socket) -> Value {
    let wait = Duration::from_secs(1);
    match tokio::time::timeout(wait, socket.next()).await.unwrap() {
        Some(Came::Text(text)) => serde_json::from_str(&text).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// Says something, and gives the answer that has a `msg`.
async fn ask(socket: &mut Socket, text: &Value) -> Value {
    socket.say(text.to_string()).await.unwrap();
    loop {
        let answer = next(socket).await;
        if answer.get("msg").is_some() {
            return answer;
        }
    }
}

async fn sub(stage: &Stage, socket: &mut Socket) -> Value {
    let params = json!([stage.room("chantiers"), false]);
    let ask_for =
        json!({ "msg": "sub", "id": "s", "name": "stream-room-messages", "params": params });
    ask(socket, &ask_for).await
}

#[tokio::test(start_paused = true)]
async fn a_new_socket_knows_nobody() {
    story(Quirk::StreamForgetsTheLogin, |stage| async move {
        let mut socket = socket(&stage).await;
        assert_eq!(sub(&stage, &mut socket).await["msg"], "nosub");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_socket_greets_without_a_msg() {
    story(Quirk::StreamGreetsWithoutMsg, |stage| async move {
        let mut socket = socket(&stage).await;
        socket
            .say(json!({ "msg": "connect" }).to_string())
            .await
            .unwrap();
        assert!(next(&mut socket).await.get("msg").is_none());
    })
    .await;
}

/// A socket that is told of the room.
async fn listening(stage: &Stage) -> Socket {
    let mut socket = socket(stage).await;
    let resume = json!([{ "resume": common::server::TOKEN }]);
    let login = json!({ "msg": "method", "method": "login", "id": "1", "params": resume });
    assert_eq!(ask(&mut socket, &login).await["msg"], "result");
    assert_eq!(sub(stage, &mut socket).await["msg"], "ready");
    socket
}

#[tokio::test(start_paused = true)]
async fn every_event_is_of_the_same_document() {
    story(Quirk::StreamDocumentIsCalledId, |stage| async move {
        let mut socket = listening(&stage).await;
        stage.server.says("anna", "chantiers", "bonjour");
        assert_eq!(next(&mut socket).await["id"], "id");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn times_of_a_stream_are_objects() {
    story(Quirk::StreamTimesAreObjects, |stage| async move {
        let mut socket = listening(&stage).await;
        stage.server.says("anna", "chantiers", "bonjour");
        let told = next(&mut socket).await;
        assert!(told["fields"]["args"][0]["ts"]["$date"].is_i64());
    })
    .await;
}
