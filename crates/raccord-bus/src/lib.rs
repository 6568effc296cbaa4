//! The log of a place: one trait, its backends, one conformance suite.
//!
//! A log is a snapshot followed by commits, and the only truth: everything else is made again from
//! it. The crate keeps opaque bodies and personal values; it decides nothing and calls no tool.
//!
//! ```
//! use raccord_bus::{Log as _, LogRead as _, SqliteLog};
//!
//! let data = tempfile::tempdir()?;
//! let place = "raffinerie".parse()?;
//! let mut log = SqliteLog::open(data.path(), &place)?.log;
//! let now = "2027-01-02T08:00:00Z".parse()?;
//! log.append(now, b"what the engine decided", &[])?;
//! drop(log);
//!
//! let log = SqliteLog::open(data.path(), &place)?.log;
//! assert_eq!(log.commits(1, 1 << 20)?[0].body, b"what the engine decided");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "testing")]
pub mod conformance;
mod error;
#[cfg(all(feature = "jetstream", raccord_faults))]
pub mod faults;
#[cfg(all(feature = "jetstream", not(raccord_faults)))]
mod faults;
mod forgotten;
#[cfg(feature = "jetstream")]
pub mod jetstream;
mod log;
mod memory;
mod sqlite;

pub use error::{LogError, Part};
pub use forgotten::Forgotten;
pub use log::{
    Commit, Entry, Hash32, Head, Log, LogRead, MAX_BODY, MAX_SNAPSHOT, MOVED, Past, Reader,
    SlotWrite, Snapshot, SnapshotInfo, Upkeep,
};
pub use memory::{Fault, MemoryDisk, MemoryLog};
pub use sqlite::{FILE, Opened, Restored, SqliteLog, SqliteReader, adopt, backup, restore};
