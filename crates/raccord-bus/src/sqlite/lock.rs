//! The writer's lock: a file in the data folder, held by the system for as long as the process
//! lives, so that a killed one leaves nothing to clean up.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::open::io;
use crate::LogError;

/// The file's name.
pub(super) const NAME: &str = "lock";

/// The lock, held until dropped.
#[derive(Debug)]
pub(super) struct WriterLock {
    held: File,
}

impl Drop for WriterLock {
    fn drop(&mut self) {
        // A child process that is just being started has the file open too, until it is another
        // program: closing alone would leave the lock to it.
        if let Err(error) = flock(&self.held, FlockOperation::Unlock) {
            tracing::warn!(%error, "lock.kept");
        }
    }
}

impl WriterLock {
    /// Takes the lock of `folder`.
    pub(super) fn take(folder: &Path) -> Result<Self, LogError> {
        let path = folder.join(NAME);
        loop {
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(&path)
                .map_err(|source| io("open", &path, source))?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => {
                    return Err(LogError::Locked {
                        folder: folder.to_owned(),
                        pid: pid(&mut file),
                    });
                }
                Err(errno) => return Err(io("lock", &path, errno.into())),
            }
            // Somebody may have removed the file between our opening and our locking it: then what
            // we hold keeps nobody out.
            let held = file
                .metadata()
                .map_err(|source| io("look at", &path, source))?;
            if std::fs::metadata(&path).is_ok_and(|there| there.ino() == held.ino()) {
                file.set_len(0)
                    .and_then(|()| writeln!(file, "{}", std::process::id()))
                    .map_err(|source| io("write", &path, source))?;
                return Ok(Self { held: file });
            }
        }
    }
}

fn pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
