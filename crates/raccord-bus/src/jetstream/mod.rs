//! The log on NATS JetStream, for several machines: one stream per cluster, one subject per place.
//!
//! The broker is not trusted for order or for who may write: every group of commits says which one
//! it extends and in whose term, and what does not fit is skipped (`docs/adr/0009`). What this
//! machine keeps is a copy that can be deleted at any time, and holds no personal value.

mod asking;
pub mod broker;
mod cache;
pub mod carrier;
mod connect;
mod consumers;
mod copy;
mod error;
mod feed;
mod fold;
mod follow;
mod frame;
mod link;
mod nats;
mod nodes;
mod opening;
mod reader;
mod record;
#[cfg(feature = "testing")]
pub mod servers;
mod settings;
mod shared;
mod shelf;
mod store;
mod streams;
mod wire;
mod witness;
mod writer;

use std::collections::BTreeMap;

use jiff::Timestamp;
use raccord_model::PlaceId;

use crate::log::remember_failure;
use crate::{
    Commit, Entry, Head, Log, LogError, LogRead, MOVED, Past, Reader, Snapshot, SnapshotInfo,
    Upkeep,
};
pub use asking::{Question, Questions};
pub use copy::{discard, drop_copy, to_cluster};
pub use error::ClusterError;
pub use follow::{EventOut, Follower, News};
pub use link::Jetstream;
pub use nodes::{Node, View, name};
pub use opening::RESTORED;
pub use settings::{Identity, Settings};
use shared::Core;
use store::Pending;
pub use witness::{Copy, Known, copied, has, outdoes};

/// A log in a cluster, in the hands of its only writer.
///
/// Its values and its copy's file are let go when [`Log::upkeep`] has nothing left to do: a log at
/// rest costs no file and no task.
#[derive(Debug)]
pub struct JetstreamLog {
    core: Core,
    term: u64,
    poisoned: Option<&'static str>,
    pending: Option<Pending>,
    /// How many snapshots this handle began.
    drawn: u64,
    /// Whether upkeep has nothing left to do; whether nothing is left that nobody refers to; whether
    /// the values were looked through since the log was opened.
    tidy: bool,
    swept: bool,
    combed: bool,
}

/// A log in a cluster that is only read.
#[derive(Debug)]
pub struct JetstreamReader {
    core: Core,
    went_back: bool,
}

/// An open log, and what is known of its past.
#[derive(Debug)]
pub struct Opened {
    /// The log.
    pub log: JetstreamLog,
    /// Whether the cluster went back in time: restored from a backup, made anew, or without what it
    /// had confirmed. Such a place must be mute until a person says what it is, and then
    /// [`Log::settle_past`] be called.
    pub restored: bool,
}

impl JetstreamLog {
    /// Runs a write; one that fails after it was begun is the last of this handle.
    fn writing<T>(
        &mut self,
        write: impl FnOnce(&mut Self) -> Result<T, LogError>,
    ) -> Result<T, LogError> {
        if let Some(first) = self.poisoned {
            return Err(LogError::Poisoned { first });
        }
        let outcome = write(self);
        remember_failure(&mut self.poisoned, outcome)
    }
}

macro_rules! reads {
    ($handle:ty) => {
        impl LogRead for $handle {
            fn place(&self) -> &PlaceId {
                &self.core.place
            }
            fn head(&self) -> Head {
                self.core.fold.head()
            }
            fn floor(&self) -> Head {
                self.core.record.floor
            }
            fn commits(&self, from: u64, limit_bytes: usize) -> Result<Vec<Commit>, LogError> {
                self.core.commits(from, limit_bytes)
            }
            fn first_since(&self, at: Timestamp) -> Result<u64, LogError> {
                self.core.first_since(at)
            }
            fn snapshots(&self) -> Result<Vec<SnapshotInfo>, LogError> {
                let stored = &self.core.record.snapshots;
                Ok(stored.iter().map(record::Stored::info).collect())
            }
            fn snapshot(&self, number: u64) -> Result<Snapshot, LogError> {
                self.core.snapshot(number)
            }
            fn slots(&self) -> Result<BTreeMap<String, String>, LogError> {
                self.core.slots()
            }
            fn slot(&self, slot: &str) -> Result<Option<String>, LogError> {
                self.core.slot(slot)
            }
            fn metas(&self) -> Result<BTreeMap<String, String>, LogError> {
                self.core.metas()
            }
            fn meta(&self, key: &str) -> Result<Option<String>, LogError> {
                self.core.meta(key)
            }
        }
    };
}

reads!(JetstreamLog);
reads!(JetstreamReader);

impl Log for JetstreamLog {
    fn term(&self) -> u64 {
        self.term
    }
    fn append_all(&mut self, entries: &[Entry<'_>]) -> Result<Head, LogError> {
        self.writing(|log| log.write_commits(entries))
    }
    fn begin_snapshot(&mut self, number: u64, body: Vec<u8>) -> Result<(), LogError> {
        self.writing(|log| log.queue_snapshot(number, body))
    }
    fn upkeep(&mut self) -> Result<Upkeep, LogError> {
        self.writing(Self::do_upkeep)
    }
    fn drop_snapshot(&mut self, number: u64) -> Result<(), LogError> {
        self.writing(|log| log.remove_snapshot(number))
    }
    fn forget_before(&mut self, number: u64) -> Result<(), LogError> {
        self.writing(|log| log.move_floor(number))
    }
    fn forget(&mut self, slots: &[String]) -> Result<(), LogError> {
        self.writing(|log| log.scrub(slots))
    }
    fn set_meta(&mut self, key: &str, value: Option<&str>) -> Result<(), LogError> {
        self.writing(|log| log.write_meta(key, value))
    }
    fn settle_past(&mut self) -> Result<(), LogError> {
        self.writing(|log| {
            log.write_meta(MOVED, None)?;
            log.write_meta(opening::RESTORED, None)
        })
    }
}

impl Reader for JetstreamReader {
    fn refresh(&mut self) -> Result<Head, LogError> {
        self.read_on()
    }
    fn past(&self) -> Result<Past, LogError> {
        Ok(Past {
            copied: false,
            restored: self.went_back || self.core.meta(opening::RESTORED)?.is_some(),
            moved: self.core.meta(MOVED)?,
        })
    }
}
