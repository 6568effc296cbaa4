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

/// Looks at this machine's copies of places that others work for, and tells them what they lack:
/// again and again, as long as nobody answers for a place.
pub(super) async fn testify(mut places: Vec<(Home, Arc<Node>)>, ending: CancellationToken) {
    while !places.is_empty() {
        // Whoever takes a place over asks for the copy, which is not to be in use just then.
        tokio::select! {
            () = ending.cancelled() => return,
            () = tokio::time::sleep(AGAIN) => {}
        }
        let mut left = Vec::new();
        for (home, node) in places {
            let ours = node.view().borrow().holder(home.place()) == Some(node.id());
            if !ours && !is_settled(&home, &node).await {
                left.push((home, node));
            }
        }
        places = left;
    }
}

/// Whether there is nothing to tell about a place, or it was heard.
async fn is_settled(home: &Home, node: &Node) -> bool {
    let copy = home.clone();
    let known = match tokio::task::spawn_blocking(move || copy.knows_more()).await {
        Ok(Ok(Some(known))) => known,
        Ok(Ok(None)) | Err(_) => return true,
        // In use, or not to be read just now.
        Ok(Err(error)) => {
            tracing::debug!(place = %home.place(), error.code = error.code(), %error, "the copy is not compared yet");
            return false;
        }
    };
    let lacks = Ask::Lacks(known.to_string());
    match asked::<bool>(home, node, &lacks, PATIENCE).await {
        Ok(true) => {}
        // It was only read from a server that is behind.
        Ok(false) => return true,
        Err(_) => return false,
    }
    tracing::warn!(place = %home.place(), "this machine has read more of the log than there is; the place is mute");
    let heard = home.clone();
    let forgotten = tokio::task::spawn_blocking(move || heard.forget_copy(&known)).await;
    matches!(forgotten, Ok(Ok(())))
}

/// Another machine says what it has read. Where the log lacks that, it went back in time, and the
/// place is mute from now on. Whether that is so; none where it cannot be told now.
pub(super) async fn heard(desk: &Desk, known: Known) -> Option<bool> {
    let lacks = desk.peek(move |engine, log| {
        let lacks = !jetstream::has(log, &known)?;
        if lacks {
            log.set_meta(RESTORED, Some("yes"))?;
        }
        Ok::<_, raccord_bus::LogError>((lacks, engine.state().muted.is_some()))
    });
    let (lacks, mute) = lacks.await.ok()?.ok()?;
    if !lacks || mute {
        return Some(lacks);
    }
    let restored = Past {
        restored: true,
        ..Past::default()
    };
    let why = load::muted(&restored)?;
    desk.input(Input::Order(Order::Mute(why))).await.ok()?;
    Some(true)
}
