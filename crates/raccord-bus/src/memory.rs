//! The log in memory, for simulations and for tests of what builds on a log: a disk that outlives the
//! handles on it, and fails when told to.
//!
//! Keeps the same promises as the real ones, so it passes the same conformance suite.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use raccord_model::PlaceId;

use crate::log::check_entries;
use crate::{
    Commit, Entry, Head, Log, LogError, LogRead, MAX_SNAPSHOT, Part, Snapshot, SnapshotInfo, Upkeep,
};

/// What happens to the next write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails, and nothing of it stands.
    Before,
    /// It fails, and all of it stands: the answer was lost.
    After,
}

/// What lies on the disk of a simulated machine. Clones are the same disk.
#[derive(Clone, Debug)]
pub struct MemoryDisk {
    place: PlaceId,
    disk: Arc<Mutex<Disk>>,
}

#[derive(Clone, Debug)]
struct Disk {
    stored: Stored,
    fault: Option<Fault>,
    /// Counts the handles: only the newest may write.
    handle: u64,
}

#[derive(Clone, Debug)]
struct Stored {
    floor: Head,
    head: Head,
    /// Commit `floor + 1` and those after it.
    commits: Vec<(Commit, Head)>,
    snapshots: BTreeMap<u64, Snapshot>,
    slots: BTreeMap<String, String>,
    meta: BTreeMap<String, String>,
}

/// The log on a [`MemoryDisk`], in the hands of its writer.
#[derive(Debug)]
pub struct MemoryLog {
    on: MemoryDisk,
    term: u64,
    handle: u64,
    head: Head,
    floor: Head,
    poisoned: bool,
    pending: Option<Snapshot>,
}

impl MemoryDisk {
    /// An empty disk for the log of `place`.
    pub fn new(place: PlaceId) -> Self {
        let genesis = Head::genesis(&place);
        let stored = Stored {
            floor: genesis,
            head: genesis,
            commits: Vec::new(),
            snapshots: BTreeMap::new(),
            slots: BTreeMap::new(),
            meta: BTreeMap::new(),
        };
        let disk = Disk {
            stored,
            fault: None,
            handle: 0,
        };
        Self {
            place,
            disk: Arc::new(Mutex::new(disk)),
        }
    }

    /// Opens the log for writing. A handle opened before writes no more, as after a crash.
    pub fn open(&self) -> MemoryLog {
        let mut disk = self.lock();
        disk.handle += 1;
        MemoryLog {
            on: self.clone(),
            term: disk.stored.head.term + 1,
            handle: disk.handle,
            head: disk.stored.head,
            floor: disk.stored.floor,
            poisoned: false,
            pending: None,
        }
    }

    /// The process dies: what was not durable is gone, and handles write no more.
    pub fn crash(&self) {
        let mut disk = self.lock();
        disk.handle += 1;
        disk.fault = None;
    }

    /// Makes the next write fail.
    pub fn fail_next(&self, fault: Fault) {
        self.lock().fault = Some(fault);
    }

    /// A disk with the same content that goes its own way: a copy, or a backup to go back to.
    #[must_use]
    pub fn copy(&self) -> Self {
        let disk = self.lock().clone();
        Self {
            place: self.place.clone(),
            disk: Arc::new(Mutex::new(disk)),
        }
    }

    /// Changes a bit of the body of commit `number`, as a bad disk does. Whether there was one.
    pub fn damage(&self, number: u64) -> bool {
        let mut disk = self.lock();
        let floor = disk.stored.floor.number;
        let index = number.checked_sub(floor + 1).map(|index| index as usize);
        index
            .and_then(|index| disk.stored.commits.get_mut(index))
            .and_then(|(commit, _)| commit.body.first_mut())
            .map(|byte| *byte ^= 1)
            .is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Disk> {
        // A test that panicked leaves what it wrote; nothing here is ever half done.
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemoryLog {
    /// Runs a durable step, or fails as the disk was told to.
    fn write(&mut self, change: impl FnOnce(&mut Stored)) -> Result<(), LogError> {
        let on = self.on.clone();
        let mut disk = on.lock();
        if self.poisoned || disk.handle != self.handle {
            return Err(LogError::Poisoned {
                first: LogError::Storage.code(),
            });
        }
        let fault = disk.fault.take();
        if fault != Some(Fault::Before) {
            change(&mut disk.stored);
        }
        if fault.is_some() {
            self.poisoned = true;
            return Err(LogError::Storage);
        }
        (self.head, self.floor) = (disk.stored.head, disk.stored.floor);
        Ok(())
    }

    fn stored<T>(&self, read: impl FnOnce(&Stored) -> T) -> T {
        read(&self.on.lock().stored)
    }

    fn head_at(&self, number: u64) -> Result<Head, LogError> {
        let (floor, head) = (self.floor, self.head);
        if number < floor.number {
            return Err(LogError::Forgotten {
                number,
                floor: floor.number,
            });
        }
        if number > head.number {
            return Err(LogError::NoCommit {
                number,
                head: head.number,
            });
        }
        Ok(if number == floor.number {
            floor
        } else {
            self.stored(|stored| stored.commits[(number - floor.number - 1) as usize].1)
        })
    }
}

impl LogRead for MemoryLog {
    fn place(&self) -> &PlaceId {
        &self.on.place
    }

    fn head(&self) -> Head {
        self.head
    }

    fn floor(&self) -> Head {
        self.floor
    }

    fn commits(&self, from: u64, limit_bytes: usize) -> Result<Vec<Commit>, LogError> {
        let floor = self.floor.number;
        let Some(first) = from.checked_sub(floor + 1) else {
            return Err(LogError::Forgotten {
                number: from,
                floor,
            });
        };
        self.stored(|stored| {
            let mut found = Vec::new();
            let mut bytes = 0;
            for (commit, head) in stored.commits.iter().skip(first as usize) {
                bytes += commit.body.len();
                if bytes > limit_bytes && !found.is_empty() {
                    break;
                }
                if commit.hash() == head.hash {
                    found.push(commit.clone());
                } else if found.is_empty() {
                    return Err(LogError::Damaged {
                        part: Part::Commit(commit.number),
                        last_good: Some(commit.number - 1).filter(|last| *last > floor),
                    });
                } else {
                    break;
                }
            }
            Ok(found)
        })
    }

    fn first_since(&self, at: Timestamp) -> Result<u64, LogError> {
        let before = |(commit, _): &(Commit, Head)| commit.at < at;
        let older = self.stored(|stored| stored.commits.partition_point(before));
        Ok(self.floor.number + 1 + older as u64)
    }

    fn snapshots(&self) -> Result<Vec<SnapshotInfo>, LogError> {
        Ok(self.stored(|stored| {
            stored
                .snapshots
                .values()
                .map(|snapshot| SnapshotInfo {
                    head: snapshot.head,
                    size: snapshot.body.len(),
                })
                .collect()
        }))
    }

    fn snapshot(&self, number: u64) -> Result<Snapshot, LogError> {
        self.stored(|stored| stored.snapshots.get(&number).cloned())
            .ok_or(LogError::NoSnapshot { number })
    }

    fn slots(&self) -> Result<BTreeMap<String, String>, LogError> {
        Ok(self.stored(|stored| stored.slots.clone()))
    }

    fn slot(&self, slot: &str) -> Result<Option<String>, LogError> {
        Ok(self.stored(|stored| stored.slots.get(slot).cloned()))
    }

    fn metas(&self) -> Result<BTreeMap<String, String>, LogError> {
        Ok(self.stored(|stored| stored.meta.clone()))
    }

    fn meta(&self, key: &str) -> Result<Option<String>, LogError> {
        Ok(self.stored(|stored| stored.meta.get(key).cloned()))
    }
}

impl Log for MemoryLog {
    fn term(&self) -> u64 {
        self.term
    }

    fn append_all(&mut self, entries: &[Entry<'_>]) -> Result<Head, LogError> {
        if !self.poisoned {
            check_entries(self.head, entries)?;
        }
        let term = self.term;
        self.write(|stored| {
            for entry in entries {
                let commit = Commit {
                    number: stored.head.number + 1,
                    term,
                    at: entry.at,
                    previous: stored.head.hash,
                    body: entry.body.to_vec(),
                };
                stored.head = commit.head();
                stored.commits.push((commit, stored.head));
                for write in entry.slots {
                    put(&mut stored.slots, &write.slot, write.value.as_deref());
                }
            }
        })?;
        Ok(self.head)
    }

    fn begin_snapshot(&mut self, number: u64, body: Vec<u8>) -> Result<(), LogError> {
        if body.len() > MAX_SNAPSHOT {
            return Err(LogError::TooLarge {
                size: body.len(),
                limit: MAX_SNAPSHOT,
            });
        }
        let head = self.head_at(number)?;
        self.pending = Some(Snapshot { head, body });
        Ok(())
    }

    fn upkeep(&mut self) -> Result<Upkeep, LogError> {
        match self.pending.take() {
            Some(snapshot) if snapshot.head.number >= self.floor.number => {
                self.write(|stored| {
                    stored.snapshots.insert(snapshot.head.number, snapshot);
                })?;
                Ok(Upkeep::More)
            }
            _ => Ok(Upkeep::Done),
        }
    }

    fn drop_snapshot(&mut self, number: u64) -> Result<(), LogError> {
        if number == self.floor.number {
            return Err(LogError::Needed { number });
        }
        self.write(|stored| {
            stored.snapshots.remove(&number);
        })
    }

    fn forget_before(&mut self, number: u64) -> Result<(), LogError> {
        let base = number.saturating_sub(1);
        if base <= self.floor.number {
            return Ok(());
        }
        let Some(floor) =
            self.stored(|stored| stored.snapshots.get(&base).map(|snapshot| snapshot.head))
        else {
            return Err(LogError::NoSnapshot { number: base });
        };
        self.write(|stored| {
            stored.commits.retain(|(commit, _)| commit.number > base);
            stored.snapshots.retain(|number, _| *number >= base);
            stored.floor = floor;
        })
    }

    fn forget(&mut self, slots: &[String]) -> Result<(), LogError> {
        self.write(|stored| stored.slots.retain(|slot, _| !slots.contains(slot)))
    }

    fn set_meta(&mut self, key: &str, value: Option<&str>) -> Result<(), LogError> {
        self.write(|stored| put(&mut stored.meta, key, value))
    }

    fn settle_past(&mut self) -> Result<(), LogError> {
        // A disk in memory is never copied.
        self.write(|_| {})
    }
}

fn put(map: &mut BTreeMap<String, String>, key: &str, value: Option<&str>) {
    match value {
        Some(value) => map.insert(key.to_owned(), value.to_owned()),
        None => map.remove(key),
    };
}
