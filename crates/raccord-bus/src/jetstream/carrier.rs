//! What carries our calls: a thread to wait on, tasks beside it, a clock, and chance.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::time::Instant;

use crate::LogError;

/// Something that runs by itself.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What carries our calls.
pub trait Carrier: fmt::Debug + Send + Sync {
    /// Waits on this thread until a task is done.
    fn block_on(&self, task: Pin<&mut dyn Future<Output = ()>>);

    /// Runs a task beside the calls.
    fn spawn(&self, task: Task);

    /// The hour of a clock that never goes back.
    fn now(&self) -> Instant;

    /// How much time has passed since some fixed hour, that included which a suspended machine slept.
    fn elapsed(&self) -> Duration;

    /// Resolves at that hour.
    fn sleep_until(&self, until: Instant) -> Task;

    /// Draws bytes that nobody else draws, for what stands at `subject`.
    ///
    /// # Errors
    /// When the system gives none.
    fn draw(&self, subject: &str, bytes: &mut [u8]) -> Result<(), LogError>;
}

/// A runtime of tokio, the system's clock and chance.
#[derive(Debug)]
pub(super) struct Tokio(pub(super) Handle);

impl Carrier for Tokio {
    fn block_on(&self, task: Pin<&mut dyn Future<Output = ()>>) {
        match Handle::try_current() {
            // Also where the runtime's own threads call.
            Ok(current) if current.runtime_flavor() == RuntimeFlavor::MultiThread => {
                tokio::task::block_in_place(|| self.0.block_on(task));
            }
            _ => self.0.block_on(task),
        }
    }

    fn spawn(&self, task: Task) {
        self.0.spawn(task);
    }

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn elapsed(&self) -> Duration {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    }

    fn sleep_until(&self, until: Instant) -> Task {
        // A timer knows its runtime from when it is made.
        let _inside = self.0.enter();
        Box::pin(tokio::time::sleep_until(until))
    }

    fn draw(&self, subject: &str, bytes: &mut [u8]) -> Result<(), LogError> {
        let flags = rustix::rand::GetRandomFlags::empty();
        rustix::rand::getrandom(bytes, flags)
            .map(drop)
            .map_err(|errno| LogError::Io {
                step: "draw bytes for",
                path: subject.into(),
                source: errno.into(),
            })
    }
}
