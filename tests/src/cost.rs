//! What a process costs, as `/proc` says.

use anyhow::{Context as _, Result};

/// What a process costs, by its id.
#[derive(Clone, Copy, Debug)]
pub struct Cost(pub u32);

impl Cost {
    /// What of it is in memory, in MB.
    ///
    /// # Errors
    /// When it is gone.
    pub fn resident(self) -> Result<f64> {
        self.megabytes("VmRSS:")
    }

    /// The most of it that was ever in memory, in MB.
    ///
    /// # Errors
    /// When it is gone.
    pub fn peak(self) -> Result<f64> {
        self.megabytes("VmHWM:")
    }

    /// Seconds of CPU it has used.
    ///
    /// # Errors
    /// When it is gone.
    pub fn cpu(self) -> Result<f64> {
        let text = std::fs::read_to_string(self.file("stat"))?;
        let after = text.rsplit(')').next().unwrap_or_default();
        let fields: Vec<&str> = after.split_whitespace().collect();
        let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
        Ok(ticks / 100.0)
    }

    /// How many threads it has.
    ///
    /// # Errors
    /// When it is gone.
    pub fn threads(self) -> Result<usize> {
        Ok(std::fs::read_dir(self.file("task"))?.count())
    }

    /// How many descriptors it holds.
    ///
    /// # Errors
    /// When it is gone.
    pub fn descriptors(self) -> Result<usize> {
        Ok(std::fs::read_dir(self.file("fd"))?.count())
    }

    fn megabytes(self, name: &str) -> Result<f64> {
        let text = std::fs::read_to_string(self.file("status"))?;
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let value = line.and_then(|line| line.split_whitespace().next());
        let kilobytes: f64 = value.context("a line of /proc/PID/status")?.parse()?;
        Ok(kilobytes / 1024.0)
    }

    fn file(self, name: &str) -> String {
        format!("/proc/{}/{name}", self.0)
    }
}
