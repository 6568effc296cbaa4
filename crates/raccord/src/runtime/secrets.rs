//! Notices secrets that were replaced, so that nobody has to restart anything.

use std::sync::Arc;
use std::time::Duration;

use raccord_engine::Input;
use raccord_model::Digest;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::desk::Desk;
use crate::connectors::Tools;
use crate::settings::{self, Settings};

/// How often secrets are compared with what they were.
const EVERY: Duration = Duration::from_secs(10);

/// The task that compares, and what moves each time a secret was replaced: a sink that refused the
/// former one is used again, a source that refused it is read again.
pub(crate) fn watch(
    settings: Settings,
    tools: Arc<Tools>,
    desk: Desk,
    stop: CancellationToken,
) -> (
    impl Future<Output = ()> + Send + 'static,
    watch::Receiver<u64>,
) {
    let (replaced, seen) = watch::channel(0);
    let task = async move {
        let Ok(salt) = desk.peek(|_, log| super::load::known_salt(&*log)).await else {
            return;
        };
        let digests = || settings::credentials(&settings, salt.as_bytes());
        let mut known: Vec<Digest> = digests();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
            let fresh = digests();
            if known == fresh {
                continue;
            }
            known = fresh;
            info!("a secret was replaced");
            let rules = settings::rules(&settings, &tools, salt.as_bytes());
            if desk.input(Input::Configure(Box::new(rules))).await.is_err() {
                return;
            }
            replaced.send_modify(|times| *times += 1);
        }
    };
    (task, seen)
}
