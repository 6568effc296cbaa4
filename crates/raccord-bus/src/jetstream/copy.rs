//! Moving a whole log into a cluster, and taking one out of it: same commits, same terms, same
//! hashes. The way back into a file is [`crate::adopt`].
//!
//! What was copied is compared by the head of its chain before it counts. The source may go on: what
//! came after its picture was taken is not in the copy.

use std::path::Path;

use bytes::Bytes;
use raccord_model::PlaceId;

use super::error::ClusterError;
use super::frame::{PART, pack};
use super::link::Jetstream;
use super::opening::Past;
use super::record::Record;
use super::shared::Core;
use super::shelf::{Fill, Shelf};
use super::store::Pending;
use super::streams;
use super::writer::{announce, put, put_record};
use crate::sqlite::{Mirror, is_file_remark};
use crate::{Commit, Head, LogError, LogRead, Part};

/// How much is read, and sent, at once.
const BATCH: usize = 4 << 20;

/// Copies `log` into the cluster, where the place must have none. A copy that was broken off is
/// continued by none: it is begun again, after what is there was taken away.
///
/// # Errors
/// [`ClusterError::Exists`] where there is a log; [`LogError::Damaged`] where `log` is, or where what
/// arrived is not what was sent.
pub fn to_cluster(log: &dyn LogRead, link: &Jetstream) -> Result<Head, LogError> {
    let place = log.place();
    let (mut core, past) = Core::open(link, None, place)?;
    if !core.is_new() || past == Past::WentBack {
        return Err(ClusterError::Exists {
            place: place.to_string(),
        }
        .into());
    }
    let floor = log.floor();
    let mut record = Record::starting(floor);
    let mut base = None;
    for (number, info) in log.snapshots()?.into_iter().enumerate() {
        let snapshot = log.snapshot(info.head.number)?;
        let name = format!("{}-{}-copy{number}", info.head.number, info.head.term);
        let mut pending = Pending::new(snapshot.head, snapshot.body, 0, name);
        let stored = loop {
            if let Some(stored) = pending.write(link, place)? {
                break stored;
            }
        };
        if floor.number > 0 && info.head == floor {
            base = Some(pending.into_snapshot());
        }
        record.snapshots.push(stored);
    }
    record.term = log.head().term;
    record.head = floor;
    if !put_record(&mut core, record)? {
        return Err(ClusterError::Unconfirmed.into());
    }
    core.start_at(floor, base.as_ref())?;
    let mut next = floor.number + 1;
    loop {
        let commits = log.commits(next, BATCH)?;
        let Some(last) = commits.last() else { break };
        next = last.number + 1;
        for run in commits.chunk_by(|one, two| one.term == two.term) {
            send(&mut core, run)?;
        }
    }
    let shelf = |(name, value): &(String, String)| (name.clone(), value.clone());
    let slots: Vec<_> = log.slots()?.into_iter().collect();
    let metas: Vec<_> = log.metas()?.into_iter().collect();
    for batch in slots.chunks(256) {
        let batch: Vec<_> = batch.iter().map(shelf).collect();
        core.with_slots(|shelf| shelf.fill(link, &fills(&batch)))?;
    }
    let metas: Vec<_> = metas
        .iter()
        .filter(|(key, _)| !is_file_remark(key))
        .map(shelf)
        .collect();
    core.with_metas(|shelf| shelf.fill(link, &fills(&metas)))?;
    // Read back as anybody would, from the cluster alone.
    let (read, past) = Core::open(link, None, place)?;
    if next > floor.number + 1 {
        read.commits(floor.number + 1, 0)?;
    }
    if read.fold.head() != log.head() || past == Past::WentBack || read.slots()? != log.slots()? {
        return Err(LogError::damaged(Part::Chain));
    }
    let record = Record {
        head: log.head(),
        ..core.record.clone()
    };
    if !put_record(&mut core, record)? {
        return Err(ClusterError::Unconfirmed.into());
    }
    Ok(log.head())
}

/// All of a batch belongs to commits that stand.
fn fills(batch: &[(String, String)]) -> Vec<Fill<'_>> {
    batch
        .iter()
        .map(|(name, value)| Fill {
            name,
            value,
            commit: None,
        })
        .collect()
}

/// Sends commits of one term as they are.
fn send(core: &mut Core, run: &[Commit]) -> Result<(), LogError> {
    let Some(first) = run.first() else {
        return Ok(());
    };
    if first.term > core.fold.term() && !announce(core, first.term)? {
        return Err(ClusterError::Unconfirmed.into());
    }
    let bodies = run.iter().map(|commit| (commit.at, &commit.body));
    let head = core.fold.head();
    for frame in pack(&head, first.term, bodies, (&[], 0), PART) {
        let payload = Bytes::from(frame.encode(&core.subject));
        if !put(core, first.term, &payload, frame)? {
            return Err(ClusterError::Unconfirmed.into());
        }
    }
    let arrived = run.last().map(Commit::head) == Some(core.fold.head());
    arrived
        .then_some(())
        .ok_or_else(|| LogError::damaged(Part::Chain))
}

/// Takes the log of `place` out of the cluster, with its values: what is left is nothing. For a copy
/// that was broken off, and for the source of one that was completed.
///
/// # Errors
/// As the cluster refuses; what was not taken away yet can be, by calling again.
pub fn discard(link: &Jetstream, place: &PlaceId) -> Result<(), LogError> {
    // The values first, and byte by byte; the record, without which nobody reads the rest, next.
    for (stream, prefix) in [
        (streams::SLOTS, streams::slots(place)),
        (streams::METAS, streams::metas(place)),
    ] {
        let mut shelf = Shelf::load(link, stream, prefix)?;
        shelf.clear(link)?;
    }
    for (stream, subject) in [
        (streams::METAS, streams::record(place)),
        (streams::LOGS, streams::log(place)),
        (
            streams::SNAPSHOTS,
            format!("{}.*", streams::snapshots(place)),
        ),
    ] {
        link.wait(link.purge(stream, &subject, None))?;
    }
    Ok(())
}

/// Throws away what the machine's `folder` keeps of a log: for one that was replaced on purpose, whose
/// copy would tell that it went back in time.
///
/// # Errors
/// [`LogError::Locked`] while it is used; as the machine refuses.
pub fn drop_copy(folder: &Path) -> Result<(), LogError> {
    Mirror::discard(folder)
}
