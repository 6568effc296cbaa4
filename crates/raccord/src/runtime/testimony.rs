//! What this machine has read of a place that another node works for: where the whole cluster was put
//! back to an earlier moment, that is all that tells.
//!
//! Whoever opens a log asks the machines that are there (`Home::open`). One that comes later speaks up
//! here.

use std::sync::Arc;
use std::time::Duration;

use raccord_bus::Past;
use raccord_bus::jetstream::{self, Known, Node, RESTORED};
use raccord_engine::{Input, Order};
use tokio_util::sync::CancellationToken;

use super::desk::Desk;
use super::elsewhere::{Ask, asked};
use super::home::Home;
use super::load;

/// How long the node that holds the place may take to look.
const PATIENCE: Duration = Duration::from_secs(10);
/// How soon it is told again, where it did not answer.
const AGAIN: Duration = Duration::from_secs(3);

/// Looks at this machine's copies of places that others work for, and tells them what they lack.
pub(super) async fn testify(places: Vec<(Home, Arc<Node>)>, ending: CancellationToken) {
    // Whoever takes one over asks for the copy, which is not to be in use just then.
    tokio::time::sleep(AGAIN).await;
    for (home, node) in places {
        tokio::select! {
            () = ending.cancelled() => return,
            () = speak(home, &node) => {}
        }
    }
}

async fn speak(home: Home, node: &Node) {
    let copy = home.clone();
    let known = match tokio::task::spawn_blocking(move || copy.knows_more()).await {
        Ok(Ok(Some(known))) => known,
        Ok(Ok(None)) | Err(_) => return,
        // In use, or not to be read: then it is compared when it is opened.
        Ok(Err(error)) => {
            tracing::debug!(place = %home.place(), error.code = error.code(), %error, "the copy is not compared");
            return;
        }
    };
    loop {
        let lacks = Ask::Lacks(known.to_string());
        match asked::<bool>(&home, node, &lacks, PATIENCE).await {
            Ok(true) => break,
            // It was only read from a server that is behind.
            Ok(false) => return,
            Err(_) => tokio::time::sleep(AGAIN).await,
        }
    }
    tracing::warn!(place = %home.place(), "this machine has read more of the log than there is; the place is mute");
    let forgotten = tokio::task::spawn_blocking(move || home.forget_copy(&known)).await;
    if let Ok(Err(error)) = forgotten {
        tracing::warn!(error.code = error.code(), %error, "the copy of another time is still there");
    }
}

/// Another machine says what it has read. Where the log lacks that, it went back in time, and the
/// place is mute from now on. Whether that is so.
pub(super) async fn heard(desk: &Desk, known: Known) -> bool {
    let lacks = desk.peek(move |engine, log| {
        let lacks = !jetstream::has(log, &known)?;
        if lacks {
            log.set_meta(RESTORED, Some("yes"))?;
        }
        Ok::<_, raccord_bus::LogError>((lacks, engine.state().muted.is_some()))
    });
    let Ok(Ok((true, mute))) = lacks.await else {
        return false;
    };
    let restored = Past {
        restored: true,
        ..Past::default()
    };
    match load::muted(&restored) {
        Some(why) if !mute => desk.input(Input::Order(Order::Mute(why))).await.is_ok(),
        _ => true,
    }
}
