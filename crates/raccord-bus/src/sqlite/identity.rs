//! Which file this log lives in: a copied log must not send what the original sends.
//!
//! The log remembers its file's inode and birth time. Both survive `mv` within a file system, a
//! reboot, an upgrade and a new container on the same volume; `cp`, `rsync` and a restored archive
//! change at least one. Device numbers are left out: they change at a reboot. Where the file system
//! keeps no birth time, the inode of the lock beside it stands in for it: a copied folder would need
//! the same two inodes by chance. A disk cloned block by block is not noticed by either.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, StatxFlags, statx};

use super::backup::RESTORED;
use super::open::io;
use super::{SqliteLog, SqliteReader, kept, lock};
use crate::{LogError, LogRead as _, MOVED, Past};

/// Where it is remembered.
pub(super) const KEY: &str = "log.file";

/// What tells a file from its copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    inode: u64,
    born: Option<(i64, u32)>,
    lock: Option<u64>,
}

impl Identity {
    fn of(path: &Path, lock: Option<u64>) -> Result<Self, LogError> {
        // By path: a descriptor on the database, once closed, would drop SQLite's locks.
        let stat = statx(
            CWD,
            path,
            AtFlags::empty(),
            StatxFlags::INO | StatxFlags::BTIME,
        )
        .map_err(|errno| io("look at", path, errno.into()))?;
        let known = StatxFlags::from_bits_retain(stat.stx_mask).contains(StatxFlags::BTIME);
        Ok(Self {
            inode: stat.stx_ino,
            born: known.then_some((stat.stx_btime.tv_sec, stat.stx_btime.tv_nsec)),
            lock,
        })
    }

    fn write(self) -> String {
        let born = self
            .born
            .map_or_else(|| "-".to_owned(), |(s, ns)| format!("{s}.{ns}"));
        let lock = self
            .lock
            .map_or_else(|| "-".to_owned(), |lock| lock.to_string());
        format!("{} {born} {lock}", self.inode)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let inode = words.next()?.parse().ok()?;
        let born = match words.next()? {
            "-" => None,
            born => {
                let (s, ns) = born.split_once('.')?;
                Some((s.parse().ok()?, ns.parse().ok()?))
            }
        };
        let lock = match words.next()? {
            "-" => None,
            lock => Some(lock.parse().ok()?),
        };
        Some(Self { inode, born, lock })
    }

    /// Whether both are the same file.
    fn same(self, other: Self) -> bool {
        self.inode == other.inode
            && match (self.born, other.born) {
                (Some(one), Some(two)) => one == two,
                // A file system that came to know birth times is another one, and so is the file.
                (None, None) => self.lock.is_some() && self.lock == other.lock,
                _ => false,
            }
    }
}

/// What a log in the file at `path` of the folder `data` remembers.
pub(super) fn remark(path: &Path, data: &Path) -> Result<String, LogError> {
    let lock = std::fs::metadata(data.join(lock::NAME))
        .ok()
        .map(|metadata| metadata.ino());
    Identity::of(path, lock).map(Identity::write)
}

impl SqliteLog {
    pub(super) fn adopt_file(&mut self) -> Result<(), LogError> {
        let present = remark(&self.store.path, self.folder())?;
        self.transaction(|conn, chain| {
            kept::META.put(conn, chain, KEY, Some(&present))?;
            kept::META.put(conn, chain, MOVED, None)?;
            kept::META.put(conn, chain, RESTORED, None)
        })
    }
}

impl SqliteReader {
    pub(super) fn read_past(&self) -> Result<Past, LogError> {
        let known = self.meta(KEY)?.as_deref().and_then(Identity::parse);
        let present = remark(&self.path, self.folder())?;
        let same = known
            .zip(Identity::parse(&present))
            .is_some_and(|(known, present)| known.same(present));
        Ok(Past {
            copied: !same,
            restored: self.meta(RESTORED)?.is_some(),
            moved: self.meta(MOVED)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Identity = Identity {
        inode: 12,
        born: Some((1_700_000_000, 5)),
        lock: Some(13),
    };

    #[test]
    fn what_is_remembered_reads_back() {
        for identity in [
            HERE,
            Identity { born: None, ..HERE },
            Identity { lock: None, ..HERE },
        ] {
            assert_eq!(Identity::parse(&identity.write()), Some(identity));
        }
        assert_eq!(Identity::parse("twelve"), None);
    }

    #[test]
    fn the_lock_may_change_where_birth_times_are_known() {
        assert!(HERE.same(Identity { lock: None, ..HERE }));
        assert!(!HERE.same(Identity {
            born: Some((1_700_000_000, 6)),
            ..HERE
        }));
        assert!(!HERE.same(Identity { inode: 14, ..HERE }));
    }

    #[test]
    fn without_birth_times_the_lock_decides() {
        let here = Identity { born: None, ..HERE };
        assert!(here.same(here));
        assert!(!here.same(Identity {
            lock: Some(14),
            ..here
        }));
        assert!(!Identity { lock: None, ..here }.same(Identity { lock: None, ..here }));
    }
}
