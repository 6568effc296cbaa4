//! A tool of the demo behind the stand-in that connectors' tests talk to.

#![allow(
    clippy::unwrap_used,
    dead_code,
    reason = "tests use what they need of it"
)]

use std::sync::{Arc, Mutex};

use raccord_demo::wire::{Answer, Asked};
use raccord_kit::standin::{Play, Reply, Seen, Standin};

/// The request as the demo's tools take it.
pub(crate) fn asked(seen: &Seen) -> Asked {
    let mut asked = http::Request::new(seen.body.clone());
    *asked.method_mut() = seen.method.clone();
    *asked.uri_mut() = seen.path.parse().unwrap();
    *asked.headers_mut() = seen.headers.clone();
    asked
}

/// The answer as the stand-in gives it.
pub(crate) fn reply(answer: Answer) -> Reply {
    let (head, body) = answer.into_parts();
    let mut reply = Reply::status(head.status.as_u16()).body(body);
    for (name, value) in &head.headers {
        reply = reply.header(name.as_str(), value.to_str().unwrap());
    }
    reply
}

/// What becomes of the next call that changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Heard,
    Unheard,
}

/// A tool behind a stand-in, whose next answer to a change can be lost.
pub(crate) async fn behind<T: Send + 'static>(
    tool: T,
    mut answer: impl FnMut(&mut T, &Asked) -> Answer + Send + 'static,
) -> (Arc<Standin>, Arc<Mutex<T>>, Arc<Mutex<Next>>) {
    let standin = Arc::new(Standin::start().await);
    let (tool, next) = (
        Arc::new(Mutex::new(tool)),
        Arc::new(Mutex::new(Next::Heard)),
    );
    let (theirs, lost) = (Arc::clone(&tool), Arc::clone(&next));
    standin.direct(move |seen| {
        let made = reply(answer(&mut theirs.lock().unwrap(), &asked(seen)));
        let mut next = lost.lock().unwrap();
        if seen.writes() && std::mem::replace(&mut *next, Next::Heard) == Next::Unheard {
            return Play::DoneThenReset;
        }
        made.into()
    });
    (standin, tool, next)
}
