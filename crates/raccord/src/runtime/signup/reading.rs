//! Looks at the engine for those who visit: no crowd of them keeps the writer from its work.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use raccord_engine::Engine;
use raccord_web::hands::Answer;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::super::desk::Desk;

/// So many looks wait for the writer at once; the others wait here.
const SEATS: usize = 16;
/// All looks together take at most one part in so many of the writer's time.
const SHARE: u32 = 4;
/// How long somebody waits for a seat before they are told that too many are there.
const PATIENCE: Duration = Duration::from_secs(3);
/// It is not worth waiting for less.
const WORTHWHILE: u64 = 1_000_000;

/// The seats of those who wait for the writer.
pub(super) struct Reading {
    seats: Arc<Semaphore>,
    /// What was looked for and not rested from yet, in nanoseconds.
    owed: Arc<AtomicU64>,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            seats: Arc::new(Semaphore::new(SEATS)),
            owed: Arc::default(),
        }
    }
}

impl Reading {
    /// A look at the engine, and how long it took by the clock that seats rest by; nothing where too
    /// many look already, or the place cannot answer.
    pub(super) async fn look<T: Send + 'static>(
        &self,
        desk: &Desk,
        see: impl FnOnce(&mut Engine) -> T + Send + 'static,
    ) -> Result<(T, Duration), Answer> {
        let seat = self.seat().await?;
        let desk = desk.clone();
        // Whoever goes away meanwhile keeps the seat until the writer has looked: else a crowd that
        // comes and goes would fill its queue.
        let looked = tokio::spawn(async move {
            let seen = desk.ask(move |engine, _| {
                let began = Instant::now();
                (see(engine), began.elapsed())
            });
            let seen = seen.await;
            if let Ok((_, took)) = &seen {
                seat.leaves_after(*took);
            }
            seen
        });
        match looked.await {
            Ok(Ok(seen)) => Ok(seen),
            _ => Err(Answer::NotReady),
        }
    }

    async fn seat(&self) -> Result<Seat, Answer> {
        let seat = timeout(PATIENCE, Arc::clone(&self.seats).acquire_owned()).await;
        match seat {
            Ok(Ok(permit)) => Ok(Seat {
                permit,
                owed: Arc::clone(&self.owed),
            }),
            _ => Err(Answer::Busy),
        }
    }
}

/// A seat, taken.
struct Seat {
    permit: OwnedSemaphorePermit,
    owed: Arc<AtomicU64>,
}

impl Seat {
    /// Leaves it empty until the share of a look is kept.
    fn leaves_after(self, took: Duration) {
        let more = took * SHARE * SEATS as u32;
        let more = u64::try_from(more.as_nanos()).unwrap_or(u64::MAX);
        let all = self.owed.fetch_add(more, Ordering::Relaxed);
        if all.saturating_add(more) < WORTHWHILE {
            return;
        }
        let all = Duration::from_nanos(self.owed.swap(0, Ordering::Relaxed));
        tokio::spawn(async move {
            tokio::time::sleep(all).await;
            drop(self.permit);
        });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn looks_leave_the_writer_three_quarters_of_its_time() {
        let reading = Reading::default();
        let began = Instant::now();
        for _ in 0..100 {
            let seat = reading.seat().await.unwrap();
            seat.leaves_after(Duration::from_millis(20));
        }
        // Two seconds of looks, of which the last ones are not rested from yet.
        assert!(began.elapsed() >= Duration::from_secs(6), "{began:?}");
        // Short ones count together.
        tokio::time::sleep(Duration::from_secs(5)).await;
        let began = Instant::now();
        for _ in 0..20_000 {
            let seat = reading.seat().await.unwrap();
            seat.leaves_after(Duration::from_micros(10));
        }
        assert!(began.elapsed() >= Duration::from_millis(750), "{began:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_would_wait_for_too_long_is_told_so() {
        let reading = Reading::default();
        for _ in 0..SEATS {
            let seat = reading.seat().await.unwrap();
            seat.leaves_after(Duration::from_millis(50));
        }
        let began = Instant::now();
        assert!(matches!(reading.seat().await, Err(Answer::Busy)));
        assert_eq!(began.elapsed(), PATIENCE);
        assert!(reading.seat().await.is_ok(), "in a moment");
    }
}
