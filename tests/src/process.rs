//! A process of the test: signalled, starved of its disk, and killed with its handle.

use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::process::{Pid, Resource, Rlimit, Signal};

/// How long between two looks at it.
const POLL: Duration = Duration::from_millis(5);

/// A process.
pub struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.kill());
    }
}

impl Process {
    /// The process that was started.
    pub fn of(child: Child) -> Self {
        Self(child)
    }

    /// Kills it, as a power cut would, and waits until it is gone.
    ///
    /// # Errors
    /// When that is refused.
    pub fn kill(&mut self) -> Result<()> {
        self.0.kill()?; // SIGKILL on Unix.
        self.0.wait()?;
        Ok(())
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// When it is gone.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        Ok(rustix::process::kill_process(self.pid(), signal)?)
    }

    /// How it ended, if it did.
    ///
    /// # Errors
    /// When that cannot be asked.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.0.try_wait()?)
    }

    /// Waits until it ends; gives how, or none when `limit` passed first.
    ///
    /// # Errors
    /// When that cannot be asked.
    pub fn ends_within(&mut self, limit: Duration) -> Result<Option<ExitStatus>> {
        let until = Instant::now() + limit;
        loop {
            let status = self.ended()?;
            if status.is_some() || Instant::now() > until {
                return Ok(status);
            }
            std::thread::park_timeout(POLL);
        }
    }

    /// From now on none of its files grows: each such write fails, as on a full disk (with `EFBIG`
    /// for `ENOSPC`). Or they grow again. It must have been started with `SIGXFSZ` ignored.
    ///
    /// # Errors
    /// When the machine does not allow it.
    pub fn disk_is_full(&self, full: bool) -> Result<()> {
        let current = full.then_some(0);
        let limit = Rlimit {
            current,
            maximum: None,
        };
        rustix::process::prlimit(Some(self.pid()), Resource::Fsize, limit)?;
        Ok(())
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }
}
