//! Reading many messages of a stream in order, up to one that is known to be there.

use super::broker::{Found, Span};
use super::error::ClusterError;
use super::link::Jetstream;
use crate::LogError;

/// As many are asked for one by one before they are asked for together: most tails are short.
const SINGLES: usize = 24;

impl Jetstream {
    /// Hands `take` every message on `subject` after sequence `after` and up to `until`, in order.
    /// What was let go meanwhile is not there; nothing else is ever left out.
    pub(super) async fn feed(
        &self,
        stream: &str,
        subject: &str,
        after: u64,
        until: u64,
        mut take: impl FnMut(Found) -> Result<(), LogError>,
    ) -> Result<(), LogError> {
        let mut at = after;
        for _ in 0..SINGLES {
            if at >= until {
                return Ok(());
            }
            let Some(found) = self.after(stream, subject, at).await? else {
                if self.is_gone(stream, subject, until).await? {
                    return Ok(());
                }
                break;
            };
            at = found.sequence;
            if at > until {
                return Ok(());
            }
            take(found)?;
        }
        let mut patience = self.patience();
        while at < until {
            let before = at;
            let span = Span {
                stream,
                subject,
                after: at,
                until,
            };
            let mut take = |found: Found| {
                at = found.sequence;
                take(found)
            };
            match self.broker().read(span, &mut take).await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(LogError::Cluster(error)) if error.is_transient() => {
                    tracing::debug!(%error, subject, "cluster.feed-interrupted");
                }
                Err(error) => return Err(error),
            }
            if at > before {
                patience.renew();
            } else if patience.is_over() {
                return Err(LogError::Cluster(ClusterError::Unreachable {
                    why: "no messages came".to_owned(),
                }));
            } else if self.is_gone(stream, subject, until).await?
                && self.after(stream, subject, at).await?.is_none()
            {
                return Ok(());
            }
            patience.before_next().await;
        }
        Ok(())
    }

    /// Whether a message that was there is there no more. A server that has just become the leader
    /// may not know the last ones yet: what is asked for twice is not there.
    async fn is_gone(
        &self,
        stream: &str,
        subject: &str,
        sequence: u64,
    ) -> Result<bool, ClusterError> {
        let found = self
            .after(stream, subject, sequence.saturating_sub(1))
            .await?;
        Ok(found.is_none_or(|found| found.sequence != sequence)
            && self.last_of(stream).await? >= sequence)
    }
}
