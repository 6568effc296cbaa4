//! Who asked to be forgotten, as salted hashes in a file beside the log: backups never hold it, and
//! `restore` reads it first, so that an old backup does not bring anybody back.
//!
//! It keeps no value and cannot give one back; whoever holds the file can still try guesses against
//! it, so it is readable by its owner only.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::sqlite::{io, sync_folder};
use crate::{Hash32, LogError, Part};

/// The file's name in the data folder.
const NAME: &str = "forgotten";

/// What a slot and a value are hashed as.
const SLOT: &[u8] = b"slot";
const VALUE: &[u8] = b"value";

/// What the first line of a list starts with.
const MAGIC: &str = "raccord forgotten 1 ";

/// The list of a data folder. Each machine hashes with a salt of its own, so what was joined from
/// others stands beside it.
#[derive(Debug)]
pub struct Forgotten {
    path: PathBuf,
    salt: Hash32,
    lists: BTreeMap<Hash32, BTreeSet<Hash32>>,
}

impl Forgotten {
    /// Reads the list of the folder `data`; where there is none, it is empty.
    ///
    /// # Errors
    /// [`LogError::Damaged`] when it is not a list: nothing must be restored then.
    pub fn open(data: &Path) -> Result<Self, LogError> {
        let path = data.join(NAME);
        let lists = match std::fs::read_to_string(&path) {
            Ok(text) => parse(&text).ok_or_else(|| LogError::damaged(Part::Forgotten))?,
            Err(source) if source.kind() == ErrorKind::NotFound => Vec::new(),
            Err(source) if source.kind() == ErrorKind::InvalidData => {
                return Err(LogError::damaged(Part::Forgotten));
            }
            Err(source) => return Err(io("read", &path, source)),
        };
        let salt = match lists.first() {
            Some((salt, _)) => *salt,
            None => draw(&path)?,
        };
        Ok(Self {
            path,
            salt,
            lists: lists.into_iter().collect(),
        })
    }

    /// Joins the list of another machine, as [`Forgotten::text`] gave it; in memory only.
    ///
    /// # Errors
    /// [`LogError::Damaged`] when it is not a list.
    pub fn join(&mut self, text: &str) -> Result<(), LogError> {
        for (salt, hashes) in parse(text).ok_or_else(|| LogError::damaged(Part::Forgotten))? {
            self.lists.entry(salt).or_default().extend(hashes);
        }
        Ok(())
    }

    /// The whole list, as it is written.
    pub fn text(&self) -> String {
        // Our own salt first: it is the one that new values are hashed with.
        let own = self.lists.get_key_value(&self.salt);
        let others = self.lists.iter().filter(|(salt, _)| **salt != self.salt);
        let mut text = String::new();
        for (salt, hashes) in own.into_iter().chain(others) {
            text.push_str(MAGIC);
            for hash in std::iter::once(salt).chain(hashes) {
                text.push_str(&hash.to_string());
                text.push('\n');
            }
        }
        text
    }

    /// Adds slots, and values that may stand in other slots of older backups (an address, a card
    /// number, a full name); durable when this returns. To be called before they are emptied.
    ///
    /// # Errors
    /// As the machine refuses; the list is then as it was.
    pub fn add<'a>(
        &mut self,
        slots: impl IntoIterator<Item = &'a str>,
        values: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), LogError> {
        let slots = slots.into_iter().map(|slot| hash(self.salt, SLOT, slot));
        let values = values
            .into_iter()
            .map(|value| hash(self.salt, VALUE, &plain(value)));
        let fresh: Vec<Hash32> = slots.chain(values).collect();
        let before = self.lists.clone();
        self.lists.entry(self.salt).or_default().extend(fresh);
        let written = replace(&self.path, self.text().as_bytes());
        if written.is_err() {
            self.lists = before;
        }
        written
    }

    /// Writes the list into another folder, in place of the one there.
    ///
    /// # Errors
    /// As the machine refuses.
    pub fn write_to(&self, data: &Path) -> Result<(), LogError> {
        std::fs::create_dir_all(data).map_err(|source| io("make", data, source))?;
        replace(&data.join(NAME), self.text().as_bytes())
    }

    /// Whether nobody was forgotten.
    pub fn is_empty(&self) -> bool {
        self.lists.values().all(BTreeSet::is_empty)
    }

    /// Whether this value was forgotten; case and outer spaces do not count.
    pub fn has_value(&self, value: &str) -> bool {
        self.has(VALUE, &plain(value))
    }

    /// Whether this slot was forgotten.
    pub fn has_slot(&self, slot: &str) -> bool {
        self.has(SLOT, slot)
    }

    fn has(&self, kind: &[u8], text: &str) -> bool {
        let mut lists = self.lists.iter();
        lists.any(|(salt, hashes)| hashes.contains(&hash(*salt, kind, text)))
    }
}

fn plain(value: &str) -> String {
    value.trim().to_lowercase()
}

fn hash(salt: Hash32, kind: &[u8], text: &str) -> Hash32 {
    let mut hasher = Sha256::new();
    hasher.update(salt.0);
    hasher.update(kind);
    hasher.update([0]);
    hasher.update(text);
    Hash32(hasher.finalize().into())
}

fn draw(path: &Path) -> Result<Hash32, LogError> {
    let mut salt = [0; 32];
    rustix::rand::getrandom(&mut salt, rustix::rand::GetRandomFlags::empty())
        .map_err(|errno| io("draw a salt for", path, errno.into()))?;
    Ok(Hash32(salt))
}

/// Every list in the text, each a salt and its hashes.
fn parse(text: &str) -> Option<Vec<(Hash32, BTreeSet<Hash32>)>> {
    let mut lists: Vec<(Hash32, BTreeSet<Hash32>)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix(MAGIC), lists.last_mut()) {
            (Some(salt), _) => lists.push((unhex(salt)?, BTreeSet::new())),
            (None, Some((_, hashes))) => {
                hashes.insert(unhex(line)?);
            }
            (None, None) => return None,
        }
    }
    // A file that was cut short must not be taken for an empty list.
    (!lists.is_empty() && text.ends_with('\n')).then_some(lists)
}

fn unhex(text: &str) -> Option<Hash32> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(Hash32(bytes))
}

/// Replaces a small file: whole before, whole after.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), LogError> {
    let new = path.with_extension("new");
    let write = |mut file: File| {
        file.write_all(bytes)?;
        file.sync_all()
    };
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)
        .and_then(write)
        .and_then(|()| std::fs::rename(&new, path))
        .map_err(|source| io("write", path, source))?;
    path.parent().map_or(Ok(()), sync_folder)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn who_was_forgotten_stays_so_and_is_not_named() {
        let data = tempfile::tempdir().unwrap();
        let mut list = Forgotten::open(data.path()).unwrap();
        assert!(!list.has_value("ana@example.org"));
        list.add(["s1"], ["Ana@example.org "]).unwrap();
        list.add([], ["4 011"]).unwrap();
        let list = Forgotten::open(data.path()).unwrap();
        assert!(list.has_value("ana@example.org") && list.has_value("4 011"));
        assert!(list.has_slot("s1") && !list.has_slot("s2") && !list.has_value("s1"));
        let text = std::fs::read_to_string(data.path().join(NAME)).unwrap();
        assert!(!text.to_lowercase().contains("ana"));
    }

    #[test]
    fn what_another_machine_knows_is_known_here_and_stays_with_its_salt() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut one = Forgotten::open(here.path()).unwrap();
        one.add(["s1"], ["ana@example.org"]).unwrap();
        let mut other = Forgotten::open(there.path()).unwrap();
        other.add([], ["bo@example.org"]).unwrap();
        other.join(&one.text()).unwrap();
        assert!(other.has_value("Ana@example.org") && other.has_slot("s1"));
        assert!(other.has_value("bo@example.org"));
        other.add([], ["cleo@example.org"]).unwrap();
        one.join(&other.text()).unwrap();
        one.write_to(here.path()).unwrap();
        let one = Forgotten::open(here.path()).unwrap();
        for gone in ["ana@example.org", "bo@example.org", "cleo@example.org"] {
            assert!(one.has_value(gone), "{gone}");
        }
        assert!(one.text().starts_with(&format!("{MAGIC}{}\n", one.salt)));
    }

    #[test]
    fn a_list_that_cannot_be_read_is_never_taken_for_an_empty_one() {
        let data = tempfile::tempdir().unwrap();
        Forgotten::open(data.path())
            .unwrap()
            .add(["s1"], [])
            .unwrap();
        let path = data.path().join(NAME);
        let text = std::fs::read_to_string(&path).unwrap();
        for wrong in ["", "x", &text[..text.len() - 9], &text.replace('1', "g")] {
            std::fs::write(&path, wrong).unwrap();
            let told = Forgotten::open(data.path());
            assert!(matches!(told, Err(LogError::Damaged { .. })), "{wrong:?}");
        }
    }
}
