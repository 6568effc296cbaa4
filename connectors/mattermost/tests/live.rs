//! What is told at once: over the WebSocket, whatever becomes of it.

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
    stage.server.says("anna", "town-square", "ailleurs");
    let waked = stage.told(&cursor).await;
    assert!(!waked, "nothing is to be read");
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
async fn a_gap_in_the_numbers_is_read_up() {
    story(Quirk::SocketCountsWhatIsLost, |stage| async move {
        let mut cursor = stage.attend().await;
        stage.server.state().events.dropped = 1;
        stage.server.says("anna", "chantiers", "perdu en route");
        let channel = stage.channel("chantiers");
        // Somebody types: nothing to read by itself.
        stage.server.state().tell(&channel, "typing", &json!({}));
        assert!(stage.told(&cursor).await);
        assert_eq!(stage.hear(&mut cursor).await.len(), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_answers_no_question_is_given_up() {
    let stage = Stage::open().await;
    told::a_deaf_connection_is_given_up(&stage, &stage.server, ROOM).await;

    story(Quirk::SocketAnswersPings, |stage| async move {
        let cursor = stage.attend().await;
        for _ in 0..10 {
            assert!(!stage.told(&cursor).await, "a quiet connection stays");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_post_of_an_event_is_a_text() {
    story(Quirk::SocketPostIsText, |stage| async move {
        let cursor = stage.attend().await;
        stage.server.says("anna", "chantiers", "bonjour");
        assert!(stage.told(&cursor).await);
    })
    .await;
}

/// A socket as the bot would open it.
async fn socket(stage: &Stage) -> Socket {
    let http = Http::new("raw", &stage.kit).unwrap();
    let target = Target::configured("url", &stage.standin.url("/api/v4/websocket")).unwrap();
    let request = Request::get(&target).bearer(&common::server::TOKEN.to_owned().into());
    http.socket(request).await.unwrap()
}

async fn next(socket: &mut Socket) -> Value {
    let wait = Duration::from_secs(1);
    match tokio::time::timeout(wait, socket.next()).await.unwrap() {
        Some(Came::Text(text)) => serde_json::from_str(&text).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_socket_begins_with_a_hello() {
    story(Quirk::SocketSaysHello, |stage| async move {
        let hello = next(&mut socket(&stage).await).await;
        assert_eq!(hello["event"], "hello");
        assert_eq!(hello["seq"], 0);
        assert!(hello["data"]["connection_id"].is_string());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_told_of_a_deletion_is_the_post_before() {
    story(Quirk::SocketDeletedIsBefore, |stage| async move {
        let said = stage.server.says("anna", "chantiers", "bientôt effacé");
        let mut socket = socket(&stage).await;
        next(&mut socket).await;
        stage.server.deletes(&said);
        let told = next(&mut socket).await;
        let post: Value = serde_json::from_str(told["data"]["post"].as_str().unwrap()).unwrap();
        assert_eq!(
            (&post["delete_at"], &post["message"]),
            (&json!(0), &json!("bientôt effacé"))
        );
    })
    .await;
}
