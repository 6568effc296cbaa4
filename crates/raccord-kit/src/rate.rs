//! How often and how many at once: what a connector declares in its manifest, kept.
//!
//! Calls are spaced evenly: there is no burst that could exceed the rate in any window. This
//! module waits; it never decides what is sent or drops anything.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use raccord_model::Manifest;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// The limits of one connector instance.
#[derive(Debug)]
pub struct Rate {
    parallel: Semaphore,
    pace: Option<Pace>,
}

#[derive(Debug)]
struct Pace {
    gap: Duration,
    next: Mutex<Option<Instant>>,
}

/// The right to make one call; given back when it is dropped.
#[derive(Debug)]
pub struct Turn<'a> {
    _permit: SemaphorePermit<'a>,
}

impl Rate {
    /// The limits that `manifest` declares; at least one call at a time.
    pub fn of(manifest: &Manifest) -> Self {
        Self::new(manifest.parallel, manifest.per_second)
    }

    /// At most `parallel` calls at once and `per_second` calls per second (0 for no limit).
    pub fn new(parallel: u16, per_second: u16) -> Self {
        Self {
            parallel: Semaphore::new(usize::from(parallel.max(1))),
            pace: (per_second > 0).then(|| Pace {
                gap: Duration::from_secs(1) / u32::from(per_second),
                next: Mutex::new(None),
            }),
        }
    }

    /// Waits for a turn; turns are given in the order they were asked for.
    pub async fn turn(&self) -> Turn<'_> {
        let permit = self
            .parallel
            .acquire()
            .await
            .expect("this semaphore is never closed");
        if let Some(pace) = &self.pace {
            tokio::time::sleep_until(pace.book()).await;
        }
        Turn { _permit: permit }
    }
}

impl Pace {
    /// Books the next moment a call may start.
    fn book(&self) -> Instant {
        let now = Instant::now();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let start = next.map_or(now, |next| next.max(now));
        *next = Some(start + self.gap);
        start
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn s07_a_long_backlog_never_exceeds_the_declared_rate() {
        let rate = Rate::new(100, 50);
        let start = Instant::now();
        let mut moments = Vec::new();
        for _ in 0..500 {
            let _turn = rate.turn().await;
            moments.push(start.elapsed());
        }
        let second = Duration::from_secs(1);
        for (first, moment) in moments.iter().enumerate() {
            let within = moments[first..]
                .iter()
                .take_while(|other| **other < *moment + second)
                .count();
            assert!(
                within <= 50,
                "{within} calls in the second after {moment:?}"
            );
        }
        assert!(start.elapsed() < 11 * second);
    }

    #[tokio::test(start_paused = true)]
    async fn s07_no_more_calls_at_once_than_declared() {
        let rate = Arc::new(Rate::new(3, 0));
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let (rate, now, most) = (rate.clone(), now.clone(), most.clone());
            tasks.spawn(async move {
                let _turn = rate.turn().await;
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(5)).await;
                now.fetch_sub(1, Ordering::SeqCst);
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        assert_eq!(most.load(Ordering::SeqCst), 3);
    }
}
