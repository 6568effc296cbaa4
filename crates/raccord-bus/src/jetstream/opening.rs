//! Opening a log: from the copy on this machine, or the newest snapshot, up to the last message; and
//! seeing whether the cluster went back in time.

use std::path::Path;

use raccord_model::PlaceId;

use super::cache::{Cache, Mark};
use super::error::ClusterError;
use super::fold::Fold;
use super::link::Jetstream;
use super::record::Record;
use super::shared::Core;
use super::shelf::{Fill, Shelf};
use super::{store, streams};
use crate::faults::{Fault, planted};
use crate::{Head, LogError, LogRead as _, Part};

/// The remark that a log went back in time, until a person says what it is.
pub const RESTORED: &str = "log.restored";

/// The remark for which message of the bucket of values that was said already.
pub(super) const MISSED: &str = "log.values-missed";

/// What opening found of the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Past {
    /// Nothing speaks against it.
    Whole,
    /// The cluster knows less than was known here, or than it knew itself.
    WentBack,
}

impl Core {
    /// Reads the log of `place` up to its last message. With a folder, the copy there is used, and
    /// kept up; without, the copy goes with the handle.
    pub(super) fn open(
        link: &Jetstream,
        folder: Option<&Path>,
        place: &PlaceId,
    ) -> Result<(Self, Past), LogError> {
        link.check_version()?;
        let (mut record, record_at) = read_record(link, place)?;
        let subject = streams::log(place);
        let found = link.wait(link.last(streams::LOGS, &subject))?;
        let last = found.as_ref().map_or(0, |last| last.sequence);
        let another = record.reaches() > last;
        if another {
            record.forget_places();
        }
        let known = match folder {
            Some(folder) => Cache::open(folder, place)?,
            None => None,
        };
        let (known, mut past) = match known {
            Some(cache) => match continues(link, &subject, &cache, &record)? {
                // Two answers may come from two servers, one of which is behind: the copy may have
                // read no further than either says. What is true shows once the marker stands.
                Known::Yes if cache.mark().sequence <= last => (Some(cache), Past::Whole),
                Known::Ahead if planted(Fault::TrustCopy) => (Some(cache), Past::Whole),
                Known::LetGo => (None, Past::Whole),
                Known::Yes | Known::Ahead => (None, Past::WentBack),
            },
            None => (None, Past::Whole),
        };
        if another {
            past = Past::WentBack;
        }
        let (cache, fold) = if let Some(mut cache) = known {
            let head = cache
                .mirror()
                .map_or_else(|| Head::genesis(place), |mirror| mirror.read().head());
            let fold = Fold::from(head, cache.mark().term);
            (cache, fold)
        } else {
            // A copy that knew more stays until the log says so itself.
            let folder = folder.filter(|_| past == Past::Whole);
            newest(link, folder, place, &record)?
        };
        let mut core = Self::over(link, place, (record, record_at), cache, fold);
        core.begin_at(found.as_ref());
        core.read_on(last)?;
        if core.went_back() {
            // A writer may just be opening it: what it wrote first was read first.
            (core.record, core.record_at) = read_record(link, place)?;
            core.catch_up()?;
            if another {
                core.record.forget_places();
            }
            if core.went_back() {
                past = Past::WentBack;
            }
        }
        Ok((core, past))
    }

    /// Whether what is there is less than the log's own record knew.
    fn went_back(&mut self) -> bool {
        if self.fold.beyond().is_some() {
            // Not back: something is missing in between.
            return false;
        }
        let (known, found) = (self.record.head, self.fold.head());
        if known.number > found.number || self.fold.term() > self.record.term {
            return true;
        }
        let at = self.copied_head(known.number);
        at.is_some_and(|at| at != known)
    }
}

/// The log's own record, and its sequence.
pub(super) fn read_record(link: &Jetstream, place: &PlaceId) -> Result<(Record, u64), LogError> {
    match link.wait(link.last(streams::METAS, &streams::record(place)))? {
        Some(found) => Record::decode(&found.payload, place)
            .map(|record| (record, found.sequence))
            .ok_or_else(|| LogError::damaged(Part::Chain)),
        None => Ok((Record::starting(Head::genesis(place)), 0)),
    }
}

/// Whether the bucket of values is older than what was read of the log: it was put back by itself.
/// A server that has just become the leader may only be a moment behind.
pub(super) fn values_are_older(link: &Jetstream, known: u64) -> Result<bool, LogError> {
    if known == 0 {
        return Ok(false);
    }
    link.wait(async {
        let mut patience = link.patience();
        loop {
            if link.last_of(streams::SLOTS).await? >= known {
                return Ok(false);
            }
            if patience.is_over() {
                return Ok(true);
            }
            patience.before_next().await;
        }
    })
}

/// Whether the log goes on from where a copy stands.
enum Known {
    Yes,
    /// Retention took that part away.
    LetGo,
    /// The copy knows what the cluster does not.
    Ahead,
}

fn continues(
    link: &Jetstream,
    subject: &str,
    cache: &Cache,
    record: &Record,
) -> Result<Known, ClusterError> {
    let mark = cache.mark();
    if mark.sum == 0 {
        // Nothing had been read yet.
        return Ok(Known::LetGo);
    }
    let before = mark.sequence.saturating_sub(1);
    let there = link.wait(link.after(streams::LOGS, subject, before))?;
    Ok(match there {
        Some(there) if there.sequence == mark.sequence => {
            if Mark::sum_of(&there.payload) == mark.sum {
                Known::Yes
            } else {
                Known::Ahead
            }
        }
        _ if mark.sequence < record.floor_from => Known::LetGo,
        _ => Known::Ahead,
    })
}

/// Whether a copy has read what the cluster, as it answers, does not have.
pub(super) fn is_ahead(link: &Jetstream, place: &PlaceId, copy: &Cache) -> Result<bool, LogError> {
    let (record, _) = read_record(link, place)?;
    let known = continues(link, &streams::log(place), copy, &record)?;
    Ok(matches!(known, Known::Ahead))
}

/// Remembers in the cluster that the log went back in time.
pub(super) fn remark(link: &Jetstream, place: &PlaceId) -> Result<(), LogError> {
    let mut metas = Shelf::load(link, streams::METAS, streams::metas(place))?;
    let fill = Fill {
        name: RESTORED,
        value: "yes",
        commit: None,
    };
    metas.fill(link, &[fill]).map(drop)
}

/// A new copy that starts at the newest good snapshot, and where reading goes on from there.
fn newest(
    link: &Jetstream,
    folder: Option<&Path>,
    place: &PlaceId,
    record: &Record,
) -> Result<(Cache, Fold), LogError> {
    let mut failed = None;
    for stored in record.snapshots.iter().rev() {
        let snapshot = match store::read(link, place, stored) {
            Ok(snapshot) => snapshot,
            Err(error @ LogError::Damaged { .. }) => {
                tracing::warn!(%error, %place, "cluster.snapshot-damaged");
                failed = Some(error);
                continue;
            }
            Err(error) => return Err(error),
        };
        let mut cache = Cache::make(folder, place, Some(&snapshot))?;
        let mark = Mark {
            sequence: stored.from.saturating_sub(1),
            group: stored.from,
            term: stored.head.term,
            ..Mark::default()
        };
        cache.start_at(mark);
        return Ok((cache, Fold::from(stored.head, stored.head.term)));
    }
    match failed {
        // Without the snapshot it starts with, the log cannot be read.
        Some(error) if record.floor.number > 0 => Err(error),
        _ => {
            let cache = Cache::make(folder, place, None)?;
            let genesis = Head::genesis(place);
            Ok((cache, Fold::from(genesis, 0)))
        }
    }
}
