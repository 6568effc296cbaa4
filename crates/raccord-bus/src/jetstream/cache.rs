//! What this machine keeps of a place's log so that most reading needs no server: the copy on its
//! disk, and the commits on their way there. All of it can be lost at any time.

use std::path::{Path, PathBuf};

use raccord_model::PlaceId;

use super::frame::Group;
use super::shelf::{token, untoken};
use super::wire;
use crate::sqlite::Mirror;
use crate::{Commit, Head, LogError, LogRead as _, Snapshot};

/// As many commits, or bytes of them, are gathered before they are written to the copy.
const GATHERED: usize = 512;
const GATHERED_BYTES: usize = 4 << 20;

/// Up to which message the log was read, and what has to be known of it to go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// The last message that was read; 0 before the first.
    pub(super) sequence: u64,
    /// Its checksum: another stream's message of that sequence has another.
    pub(super) sum: u64,
    /// The first message of the last group of commits.
    pub(super) group: u64,
    /// The highest term announced.
    pub(super) term: u64,
    /// The last message of the bucket of values that a group was known to have filled.
    pub(super) values: u64,
    /// The slots emptied by that group.
    pub(super) emptied: Vec<String>,
}

impl Mark {
    pub(super) fn sum_of(payload: &[u8]) -> u64 {
        wire::sum("mark", payload)
    }

    /// Moves on over a group whose first message is `first`.
    pub(super) fn follow(&mut self, first: u64, group: &Group) {
        self.group = first;
        self.emptied.clone_from(&group.emptied);
        if group.values > 0 {
            self.values = group.values;
        }
    }

    fn write(&self) -> String {
        let mut text = format!(
            "{} {} {} {} {}",
            self.sequence, self.sum, self.group, self.term, self.values
        );
        for slot in &self.emptied {
            text.push(' ');
            text.push_str(&token(slot));
        }
        text
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let mut number = || words.next()?.parse().ok();
        Some(Self {
            sequence: number()?,
            sum: number()?,
            group: number()?,
            term: number()?,
            values: number()?,
            emptied: words.map(untoken).collect::<Option<_>>()?,
        })
    }
}

/// The copy and what is on its way there.
#[derive(Debug)]
pub(super) struct Cache {
    place: PlaceId,
    /// Where the copy lies; none where it goes with this handle.
    folder: Option<PathBuf>,
    mirror: Option<Mirror>,
    gathered: Vec<Commit>,
    bytes: usize,
    /// Up to where `mirror` and `gathered` reach together.
    mark: Mark,
    /// Up to which commit the mirror alone reaches.
    stored: Head,
}

impl Cache {
    /// The copy in `folder`, where there is a good one that remembers how far it got.
    pub(super) fn open(folder: &Path, place: &PlaceId) -> Result<Option<Self>, LogError> {
        let Some(mirror) = Mirror::open(folder, place)? else {
            return Ok(None);
        };
        let mark = mirror.mark()?.as_deref().and_then(Mark::parse);
        Ok(mark.map(|mark| Self {
            place: place.clone(),
            folder: Some(folder.to_owned()),
            stored: mirror.read().head(),
            mirror: Some(mirror),
            gathered: Vec::new(),
            bytes: 0,
            mark,
        }))
    }

    /// A new one, from the genesis or a snapshot on.
    pub(super) fn make(
        folder: Option<&Path>,
        place: &PlaceId,
        from: Option<&Snapshot>,
    ) -> Result<Self, LogError> {
        let mirror = Mirror::make(folder, place, from)?;
        Ok(Self {
            place: place.clone(),
            folder: folder.map(Path::to_owned),
            stored: mirror.read().head(),
            mirror: Some(mirror),
            gathered: Vec::new(),
            bytes: 0,
            mark: Mark::default(),
        })
    }

    /// Says where reading goes on, before anything was read.
    pub(super) fn start_at(&mut self, mark: Mark) {
        self.mark = mark;
    }

    pub(super) fn mark(&self) -> &Mark {
        &self.mark
    }

    pub(super) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Gathers what was accepted, and where reading stands after it.
    pub(super) fn add(&mut self, commits: Vec<Commit>, mark: Mark) {
        self.bytes += commits
            .iter()
            .map(|commit| commit.body.len())
            .sum::<usize>();
        self.gathered.extend(commits);
        self.mark = mark;
        if self.gathered.len() >= GATHERED || self.bytes >= GATHERED_BYTES {
            self.flush();
        }
    }

    /// Brings what was gathered into the copy. A copy that cannot be written is given up: it is
    /// fetched anew when somebody reads.
    pub(super) fn flush(&mut self) {
        let gathered = std::mem::take(&mut self.gathered);
        self.bytes = 0;
        let Some(mirror) = self.reopened() else {
            return;
        };
        if gathered.is_empty() && mirror.mark().ok().flatten() == Some(self.mark.write()) {
            self.mirror = Some(mirror);
            return;
        }
        let mut mirror = mirror;
        match mirror.append(&gathered, &self.mark.write()) {
            Ok(()) => {
                self.stored = mirror.read().head();
                self.mirror = Some(mirror);
            }
            Err(error) => {
                tracing::warn!(error.code = error.code(), %error, "mirror.given-up");
                self.folder = None;
            }
        }
    }

    /// The copy, whole up to the last commit accepted; none where it has to be fetched anew.
    pub(super) fn mirror(&mut self) -> Option<&mut Mirror> {
        self.flush();
        self.mirror.as_mut()
    }

    /// Takes another copy in place of this one.
    pub(super) fn replace(&mut self, other: Self) {
        *self = other;
    }

    /// Closes the copy's file until it is needed again.
    pub(super) fn rest(&mut self) {
        self.flush();
        if self.folder.is_some() {
            self.mirror = None;
        }
    }

    /// The copy, opened again if it was closed and is still what it was.
    fn reopened(&mut self) -> Option<Mirror> {
        if let Some(mirror) = self.mirror.take() {
            return Some(mirror);
        }
        let opened = Mirror::open(self.folder.as_deref()?, &self.place);
        match opened {
            Ok(Some(mirror)) if mirror.read().head() == self.stored => Some(mirror),
            Ok(_) => None,
            Err(error) => {
                tracing::warn!(error.code = error.code(), %error, "mirror.given-up");
                self.folder = None;
                None
            }
        }
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_reads_back() {
        let mark = Mark {
            sequence: 7,
            sum: u64::MAX,
            group: 5,
            term: 3,
            values: 9,
            emptied: vec!["a b\n".to_owned(), String::new()],
        };
        assert_eq!(Mark::parse(&mark.write()), Some(mark));
        assert_eq!(Mark::parse("7 x"), None);
    }
}
