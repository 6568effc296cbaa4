//! What is told at once, whatever becomes of the connection.

use std::time::Duration;

use raccord_kit::standin::Reply;
use raccord_model::Verb;
use tokio::time::Instant;

use super::{Instance, Others};

/// Words, edits, reactions and deletions are told within two seconds, and then read.
pub async fn everything_is_told_within_two_seconds(
    stage: &Instance,
    others: &dyn Others,
    room: &str,
) {
    let mut cursor = stage.attend().await;
    let mut verbs = Vec::new();
    let said = others.says(room, "bonjour");
    for step in 0..4 {
        match step {
            1 => others.edits(&said, "bonsoir"),
            2 => others.reacts(&said),
            3 => others.deletes(&said),
            _ => {}
        }
        let asked = Instant::now();
        assert!(stage.told(&cursor).await, "step {step}");
        assert!(asked.elapsed() <= Duration::from_secs(2));
        verbs.extend(
            stage
                .hear(&mut cursor)
                .await
                .iter()
                .map(|change| change.verb),
        );
        stage.pass(60);
    }
    assert_eq!(
        verbs,
        [Verb::Created, Verb::Updated, Verb::Updated, Verb::Removed]
    );
}

/// After a restart of the server there is a new connection, and what was said meanwhile is heard.
pub async fn a_restart_is_read_up(stage: &Instance, others: &dyn Others, room: &str) {
    let mut cursor = stage.attend().await;
    others.restarts();
    others.says(room, "pendant l'absence");
    assert!(stage.told(&cursor).await);
    assert_eq!(stage.hear(&mut cursor).await.len(), 1);
    others.says(room, "après");
    assert!(
        stage.told(&cursor).await,
        "the new connection tells as well"
    );
    assert_eq!(stage.hear(&mut cursor).await.len(), 1);
}

/// A connection that carries nothing any more is asked, and given up.
pub async fn a_deaf_connection_is_given_up(stage: &Instance, others: &dyn Others, room: &str) {
    let mut cursor = stage.attend().await;
    others.goes_deaf();
    others.says(room, "dans le vide");
    let asked = Instant::now();
    assert!(stage.told(&cursor).await || stage.told(&cursor).await);
    let waited = asked.elapsed();
    assert!(waited >= Duration::from_secs(60), "asked, and waited for");
    assert_eq!(stage.hear(&mut cursor).await.len(), 1);
}

/// A server that has no such address, or a proxy that lets no socket through, is asked seldom.
pub async fn a_refused_socket_is_asked_for_seldom(stage: &Instance, others: &dyn Others) {
    let mut answers = others.answers();
    stage.standin.direct(move |seen| {
        if seen.path.ends_with("/websocket") {
            Reply::status(404).into()
        } else {
            answers(seen)
        }
    });
    let cursor = stage.listen().await;
    for _ in 0..60 {
        assert!(!stage.told(&cursor).await);
    }
    let seen = stage.standin.seen();
    let asked = seen.iter().filter(|one| one.path.ends_with("/websocket"));
    let asked = asked.count();
    assert!((8..=20).contains(&asked), "{asked} times in an hour");
}

/// However much is said, it is read once a second.
pub async fn a_busy_room_is_read_once_a_second(stage: &Instance, others: &dyn Others, room: &str) {
    let mut cursor = stage.attend().await;
    let began = Instant::now();
    let mut heard = 0;
    for _ in 0..5 {
        for _ in 0..20 {
            others.says(room, "encore");
        }
        assert!(stage.told(&cursor).await);
        heard += stage.hear(&mut cursor).await.len();
        stage.pass(10);
    }
    assert_eq!(heard, 100);
    assert!(began.elapsed() >= Duration::from_secs(4));
}
