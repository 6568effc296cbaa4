//! A process's thread, as one of many on a single real one: it runs until it waits.

use generator::{Generator, Gn};

/// The stack of a thread, in words of eight bytes.
const STACK: usize = 128 << 10;

/// A thread.
pub struct Fiber(Generator<'static, (), ()>);

impl Fiber {
    /// A thread that does `work`.
    pub fn new(work: impl FnOnce() + Send + 'static) -> Self {
        Self(Gn::new_opt(STACK, work))
    }

    /// Runs it until it waits. Whether it is over.
    pub fn run(&mut self) -> bool {
        self.0.resume();
        self.0.is_done()
    }
}

/// Leaves the thread that runs, until it is run again.
#[expect(
    deprecated,
    reason = "the newer way needs a handle, which the calls of a log that blocks cannot carry"
)]
pub fn leave() {
    generator::yield_with(());
}
