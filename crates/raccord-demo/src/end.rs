//! When to end: nothing of a demo outlives it.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::Error;

/// What ends the demo: Ctrl-C, a request to end, a terminal that is closed.
pub(crate) struct End([Signal; 3]);

impl End {
    pub(crate) fn listen() -> Result<Self, Error> {
        let hear = |kind| signal(kind).map_err(Error::file("signal"));
        Ok(Self([
            hear(SignalKind::interrupt())?,
            hear(SignalKind::terminate())?,
            hear(SignalKind::hangup())?,
        ]))
    }

    /// Waits until one of them comes.
    pub(crate) async fn comes(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
