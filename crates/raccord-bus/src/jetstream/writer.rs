//! Writing: a term is taken, groups are published one after the other, and each counts once our own
//! reading has accepted it.

use bytes::Bytes;
use raccord_model::PlaceId;
use std::collections::BTreeMap;
use std::path::Path;

use super::error::ClusterError;
use super::frame::{Content, Frame, PART, measure, pack};
use super::link::{Jetstream, Put};
use super::opening::{MISSED, Past, RESTORED, read_record, remark, values_are_older};
use super::record::{Record, Stored};
use super::shared::Core;
use super::shelf::{Fill, check_name};
use super::store::{self, Pending};
use super::{JetstreamLog, Opened, streams};
use crate::faults::{Fault, planted};
use crate::log::check_entries;
use crate::sqlite::Mirror;
use crate::{Entry, Head, LogError, MAX_SNAPSHOT, Upkeep};

/// How often others may come first before opening or writing is given up: each time, something new
/// was read.
const ROUNDS: usize = 64;

impl JetstreamLog {
    /// Opens the log of `place` for writing and takes a new term: whoever wrote before writes no
    /// more. The log is made where there is none. `folder` holds the copy on this machine.
    ///
    /// # Errors
    /// [`LogError::Cluster`] as the cluster refuses, and all that can be wrong with the folder.
    pub fn open(link: &Jetstream, folder: &Path, place: &PlaceId) -> Result<Opened, LogError> {
        for _ in 0..ROUNDS {
            let (mut core, past) = Core::open(link, Some(folder), place)?;
            if let Some(beyond) = core.fold.beyond() {
                tracing::error!(%place, last = beyond.number, "cluster.hole");
                let missing = core.fold.head().number + 1;
                let log = Self::over(core, Some(ClusterError::Hole { missing }.code()));
                return Ok(Opened {
                    log,
                    restored: false,
                });
            }
            let went_back = past == Past::WentBack;
            let known = core.fold.term().max(core.record.term);
            if planted(Fault::NoTerm) && known > 0 {
                return Self::over(core, None).settled(folder, past == Past::WentBack);
            }
            let term = known + 1;
            let head = core.fold.head();
            let record = Record {
                term,
                // What the record knew stays until the log itself says that it went back.
                head: if went_back { core.record.head } else { head },
                ..core.record.clone()
            };
            let before = core.readings;
            if !put_record(&mut core, record)? || !announce(&mut core, term)? {
                continue;
            }
            if went_back && core.readings != before {
                // There was more than a server that is no longer the leader had told.
                continue;
            }
            return Self::over(core, None).settled(folder, went_back);
        }
        Err(ClusterError::Unconfirmed.into())
    }

    /// Finishes what a crash may have left, and says what is known of the past.
    fn settled(mut self, folder: &Path, mut went_back: bool) -> Result<Opened, LogError> {
        let (link, place) = (self.core.link.clone(), self.core.place.clone());
        let mark = self.core.mark();
        if values_are_older(&link, mark.values)? {
            let missed = mark.values.to_string();
            if self.core.meta(MISSED)?.as_ref() != Some(&missed) {
                went_back = true;
                self.write_meta(MISSED, Some(&missed))?;
            }
        }
        if went_back {
            tracing::warn!(%place, "cluster.went-back");
            remark(&link, &place)?;
            self.core.drop_values();
            if !self.core.has_folder() {
                Mirror::discard(folder)?;
            }
            // It is said: from now on, what is there is what is known.
            self.change_record(|_| {})?;
        }
        if !mark.emptied.is_empty() {
            self.empty_slots(&mark.emptied)?;
        }
        // What this opening saw counts, even where the remark of it was lost with the rest.
        let restored = self.core.meta(RESTORED)?.is_some() || went_back;
        let restored = restored && !planted(Fault::ForgetPast);
        Ok(Opened {
            log: self,
            restored,
        })
    }

    fn over(core: Core, poisoned: Option<&'static str>) -> Self {
        Self {
            term: core.fold.term(),
            core,
            poisoned,
            pending: None,
            drawn: 0,
            tidy: false,
            swept: false,
            combed: false,
        }
    }

    pub(super) fn write_commits(&mut self, entries: &[Entry<'_>]) -> Result<Head, LogError> {
        check_entries(self.core.fold.head(), entries)?;
        let mut left = entries;
        while !left.is_empty() {
            let (group, rest) = left.split_at(measure(left));
            self.write_group(group)?;
            left = rest;
        }
        self.tidy &= entries.is_empty();
        Ok(self.core.fold.head())
    }

    /// Personal values first, then the commits that name them, then what they emptied.
    fn write_group(&mut self, entries: &[Entry<'_>]) -> Result<(), LogError> {
        let head = self.core.fold.head();
        let mut writes = BTreeMap::new();
        for (number, entry) in (head.number + 1..).zip(entries) {
            for write in entry.slots {
                writes.insert(write.slot.as_str(), (number, write.value.as_deref()));
            }
        }
        let mut fills = Vec::new();
        let mut emptied = Vec::new();
        for (slot, (number, value)) in &writes {
            check_name(slot)?;
            match value {
                Some(value) => fills.push(Fill {
                    name: slot,
                    value,
                    commit: Some((*number, self.term)),
                }),
                None => emptied.push(*slot),
            }
        }
        let link = self.core.link.clone();
        let mut values = 0;
        if !fills.is_empty() {
            values = self.core.with_slots(|shelf| shelf.fill(&link, &fills))?;
        }
        let bodies = entries.iter().map(|entry| (entry.at, entry.body));
        for frame in pack(&head, self.term, bodies, (&emptied, values), PART) {
            self.publish(frame)?;
        }
        let expected = head.number + entries.len() as u64;
        if self.core.fold.head().number != expected {
            return Err(ClusterError::Unconfirmed.into());
        }
        if !writes.is_empty() {
            let gone: Vec<String> = emptied.iter().map(|slot| (*slot).to_owned()).collect();
            self.empty_slots(&gone)?;
        }
        Ok(())
    }

    /// Deletes the values of `slots`, and all that is replaced or belongs to no commit.
    fn empty_slots(&mut self, slots: &[String]) -> Result<(), LogError> {
        let link = self.core.link.clone();
        self.core.with_slots(|shelf| {
            shelf.empty(&link, slots.iter().map(String::as_str))?;
            shelf.tidy(&link, &self.core.fold)
        })
    }

    /// Publishes a message of ours, and reads it like anybody's.
    fn publish(&mut self, frame: Frame) -> Result<(), LogError> {
        let payload = Bytes::from(frame.encode(&self.core.subject));
        if put(&mut self.core, self.term, &payload, frame)? {
            return Ok(());
        }
        Err(ClusterError::Replaced {
            ours: self.term,
            theirs: self.core.fold.term(),
        }
        .into())
    }

    /// Makes sure, before something is written beside the log, that nobody has taken over.
    fn still_ours(&mut self) -> Result<(), LogError> {
        self.core.catch_up()?;
        let theirs = self.core.fold.term();
        if theirs > self.term {
            return Err(ClusterError::Replaced {
                ours: self.term,
                theirs,
            }
            .into());
        }
        Ok(())
    }

    pub(super) fn write_meta(&mut self, key: &str, value: Option<&str>) -> Result<(), LogError> {
        check_name(key)?;
        self.still_ours()?;
        let link = self.core.link.clone();
        self.core.with_metas(|shelf| {
            let Some(value) = value else {
                return shelf.empty(&link, [key]);
            };
            let fill = Fill {
                name: key,
                value,
                commit: None,
            };
            shelf.fill(&link, &[fill])?;
            shelf.tidy(&link, &self.core.fold)
        })
    }

    pub(super) fn scrub(&mut self, slots: &[String]) -> Result<(), LogError> {
        self.still_ours()?;
        // What others may have left there is seen only by looking.
        self.core.drop_values();
        self.empty_slots(slots)
    }

    pub(super) fn queue_snapshot(&mut self, number: u64, body: Vec<u8>) -> Result<(), LogError> {
        if body.len() > MAX_SNAPSHOT {
            return Err(LogError::TooLarge {
                size: body.len(),
                limit: MAX_SNAPSHOT,
            });
        }
        let head = self.core.head_at(number)?;
        let from = self.core.place_of(number);
        self.drawn += 1;
        let name = format!("{number}-{}-{}", self.term, self.drawn);
        self.pending = Some(Pending::new(head, body, from, name));
        self.tidy = false;
        self.swept = false;
        Ok(())
    }

    pub(super) fn remove_snapshot(&mut self, number: u64) -> Result<(), LogError> {
        if number == self.core.record.floor.number {
            return Err(LogError::Needed { number });
        }
        if self.core.record.find(number).is_some() {
            self.change_record(|record| {
                record
                    .snapshots
                    .retain(|stored| stored.head.number != number);
            })?;
        }
        Ok(())
    }

    pub(super) fn move_floor(&mut self, number: u64) -> Result<(), LogError> {
        let base = number.saturating_sub(1);
        if base <= self.core.record.floor.number {
            return Ok(());
        }
        let Some(stored) = self.core.record.find(base).cloned() else {
            return Err(LogError::NoSnapshot { number: base });
        };
        // First the record, durably; what lies before it goes in upkeep, now or after a crash.
        self.change_record(|record| {
            record.floor = stored.head;
            record.floor_from = stored.from;
            record.snapshots.retain(|other| other.head.number >= base);
        })?;
        self.core.rebase();
        Ok(())
    }

    fn change_record(&mut self, change: impl FnOnce(&mut Record)) -> Result<(), LogError> {
        let mut record = Record {
            term: self.term,
            head: self.core.fold.head(),
            ..self.core.record.clone()
        };
        change(&mut record);
        self.tidy = false;
        self.swept = false;
        if put_record(&mut self.core, record)? {
            return Ok(());
        }
        let theirs = self.core.record.term;
        Err(ClusterError::Replaced {
            ours: self.term,
            theirs,
        }
        .into())
    }

    pub(super) fn do_upkeep(&mut self) -> Result<Upkeep, LogError> {
        if let Some(mut pending) = self.pending.take() {
            match pending.write(&self.core.link, &self.core.place)? {
                None => self.pending = Some(pending),
                Some(stored) if pending.number() >= self.core.record.floor.number => {
                    self.list_snapshot(stored, pending)?;
                }
                Some(_) => {}
            }
            return Ok(Upkeep::More);
        }
        if self.tidy {
            return Ok(Upkeep::Done);
        }
        if !self.swept {
            self.swept = !self.sweep()?;
            return Ok(Upkeep::More);
        }
        if self.core.record.head != self.core.fold.head() {
            self.change_record(|_| {})?;
            self.swept = true;
        }
        self.core.rest();
        self.tidy = true;
        Ok(Upkeep::Done)
    }

    fn list_snapshot(&mut self, stored: Stored, pending: Pending) -> Result<(), LogError> {
        self.change_record(|record| {
            let number = stored.head.number;
            record.snapshots.retain(|other| other.head.number != number);
            let index = record
                .snapshots
                .partition_point(|other| other.head.number < number);
            record.snapshots.insert(index, stored);
        })?;
        self.core.keep(&pending.into_snapshot());
        Ok(())
    }

    /// Takes away what nothing refers to any more: some of it, if there is some.
    fn sweep(&mut self) -> Result<bool, LogError> {
        self.still_ours()?;
        if !self.combed {
            // Values whose commit never came, left by a writer that died.
            self.empty_slots(&[])?;
            self.combed = true;
        }
        let record = &self.core.record;
        let kept: Vec<&str> = record
            .snapshots
            .iter()
            .map(|stored| stored.name.as_str())
            .chain(self.pending.as_ref().map(Pending::name))
            .collect();
        let (link, place) = (&self.core.link, &self.core.place);
        if store::sweep(link, place, &kept, self.term)? {
            return Ok(true);
        }
        let from = record.floor_from;
        if from > 0 {
            let (stream, subject) = (streams::LOGS, &self.core.subject);
            let first = link.wait(link.after(stream, subject, 0))?;
            if first.is_some_and(|first| first.sequence < from) {
                link.wait(link.purge(stream, subject, Some(from)))?;
            }
        }
        Ok(false)
    }
}

/// Writes the log's record after the one that was read. Whether ours stands; if not, the other one
/// was read.
pub(super) fn put_record(core: &mut Core, record: Record) -> Result<bool, LogError> {
    let payload = Bytes::from(record.encode(&core.place));
    let subject = streams::record(&core.place);
    let link = core.link.clone();
    let put = link.wait(link.put_after(streams::METAS, &subject, core.record_at, payload))?;
    match put {
        Put::In(sequence) => {
            (core.record, core.record_at) = (record, sequence);
            Ok(true)
        }
        Put::Other(_) => {
            (core.record, core.record_at) = read_record(&link, &core.place)?;
            Ok(false)
        }
    }
}

/// Announces a term. Whether it is ours.
pub(super) fn announce(core: &mut Core, term: u64) -> Result<bool, LogError> {
    let frame = Frame {
        term,
        content: Content::Term(core.link.drawn(&core.subject)?),
    };
    let payload = Bytes::from(frame.encode(&core.subject));
    put(core, term - 1, &payload, frame)
}

/// Publishes `frame` after the last message that was read, and takes it like anybody's; again when
/// another message came first that changes nothing. Whether it stands: it does not once a term
/// later than `until` was announced by another.
pub(super) fn put(
    core: &mut Core,
    until: u64,
    payload: &Bytes,
    frame: Frame,
) -> Result<bool, LogError> {
    let link = core.link.clone();
    for _ in 0..ROUNDS {
        let before = core.fold.head();
        let sent = (link.now(), link.elapsed());
        let put = link.put_after(streams::LOGS, &core.subject, core.at, payload.clone());
        let put = link.wait(put)?;
        if !core.goes_on()? && !planted(Fault::AnswerCounts) {
            // It follows, or lies beside, what we never read: it may be in nobody's log but ours.
            return Err(ClusterError::Unconfirmed.into());
        }
        match put {
            Put::In(sequence) => {
                core.take_frame(sequence, payload, Some(frame));
                core.took(sequence, sent);
                return Ok(true);
            }
            Put::Other(sequence) => {
                if core.read_until(sequence, payload)? {
                    return Ok(true);
                }
                if core.fold.term() > until {
                    return Ok(false);
                }
                if core.fold.beyond().is_some() {
                    // Something is missing before what came first.
                    return Err(ClusterError::Unconfirmed.into());
                }
                let commits = matches!(frame.content, Content::Part(_));
                if commits && core.fold.head() != before {
                    // In our own term, and not ours. (A marker may follow whatever came.)
                    return Err(ClusterError::Unconfirmed.into());
                }
            }
        }
    }
    Err(ClusterError::Unconfirmed.into())
}
