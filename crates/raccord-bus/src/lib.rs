//! The log of a place: one trait, its backends, one conformance suite.
//!
//! A log is a snapshot followed by commits, and the only truth: everything else is made again from
//! it. The crate keeps opaque bodies and personal values; it decides nothing and calls no tool.

#[cfg(feature = "testing")]
pub mod conformance;
mod error;
mod forgotten;
mod log;
mod memory;
mod sqlite;

pub use error::{LogError, Part};
pub use forgotten::Forgotten;
pub use log::{
    Commit, Entry, Hash32, Head, Log, LogRead, MAX_BODY, MAX_SNAPSHOT, SlotWrite, Snapshot,
    SnapshotInfo, Upkeep,
};
pub use memory::{Fault, MemoryDisk, MemoryLog};
pub use sqlite::{FILE, Opened, Restored, SqliteLog, SqliteReader, backup, restore};
