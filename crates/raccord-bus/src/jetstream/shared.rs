//! What a writing and a reading handle on a place's log have in common: how far the subject was read,
//! what was accepted, and the copy on this machine.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use raccord_model::PlaceId;
use tokio::time::Instant;

use super::broker::Found;
use super::cache::{Cache, Mark};
use super::fold::{Fold, Skip, Took};
use super::frame::Frame;
use super::link::Jetstream;
use super::record::Record;
use super::shelf::Shelf;
use super::{store, streams};
use crate::{Commit, Head, LogError, LogRead as _, Part, Snapshot};

/// How many groups' places in the stream are remembered, for snapshots of commits that are not the
/// last.
const PLACES: usize = 4096;

/// Within this time after a message was sent the servers cannot have taken it, lost it, and taken
/// another writer's in its place. To lose what was confirmed, servers are started again without it, or
/// one is chosen that never had it: it has missed its leader for four seconds
/// (`minElectionTimeoutDefault` in nats-server's raft.go). A server that hands over to another chooses
/// one that has it. And the other writer has to open the log in that time.
const MOMENT: Duration = Duration::from_millis(500);

/// The state of a handle.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) link: Jetstream,
    pub(super) place: PlaceId,
    pub(super) subject: String,
    pub(super) record: Record,
    /// The sequence of the record; 0 before the first.
    pub(super) record_at: u64,
    pub(super) fold: Fold,
    /// The last message of the subject that was read.
    pub(super) at: u64,
    /// Its checksum; none where it is not known.
    sum: Option<u64>,
    /// Our own last message that the servers took: its sequence, and the hours before it was sent, by
    /// the clock that stands still while the machine sleeps and by the one that goes on.
    taken: Option<(u64, Instant, Duration)>,
    /// How often something had to be read.
    pub(super) readings: u64,
    /// The first message of a group whose parts are being read.
    group: Option<u64>,
    /// The last commit of each group, and its first message.
    places: Vec<(u64, u64)>,
    cache: RefCell<Cache>,
    slots: RefCell<Option<Shelf>>,
    metas: RefCell<Option<Shelf>>,
}

impl Core {
    /// A handle that has read what `cache` holds.
    pub(super) fn over(
        link: &Jetstream,
        place: &PlaceId,
        (record, record_at): (Record, u64),
        cache: Cache,
        fold: Fold,
    ) -> Self {
        Self {
            link: link.clone(),
            place: place.clone(),
            subject: streams::log(place),
            record,
            record_at,
            at: cache.mark().sequence,
            sum: Some(cache.mark().sum).filter(|sum| *sum != 0),
            taken: None,
            readings: 0,
            places: vec![(fold.head().number, cache.mark().group)],
            fold,
            group: None,
            cache: RefCell::new(cache),
            slots: RefCell::new(None),
            metas: RefCell::new(None),
        }
    }

    /// Commit `number` without its body, as the copy has it.
    pub(super) fn copied_head(&mut self, number: u64) -> Option<Head> {
        self.cache.get_mut().mirror()?.head_at(number).ok()
    }

    /// Begins at `floor` a log of which nothing is there yet.
    pub(super) fn start_at(
        &mut self,
        floor: Head,
        snapshot: Option<&Snapshot>,
    ) -> Result<(), LogError> {
        self.fold = Fold::from(floor, floor.term);
        self.places = vec![(floor.number, 0)];
        self.cache = RefCell::new(Cache::make(None, &self.place, snapshot)?);
        Ok(())
    }

    /// Whether there is no log yet.
    pub(super) fn is_new(&self) -> bool {
        self.record_at == 0 && self.at == 0
    }

    /// Reads on up to the message `until`.
    pub(super) fn read_on(&mut self, until: u64) -> Result<(), LogError> {
        self.read_until(until, &[]).map(drop)
    }

    /// Reads on up to the message `until`. Whether one among them is `ours`.
    pub(super) fn read_until(&mut self, until: u64, ours: &[u8]) -> Result<bool, LogError> {
        let (link, subject) = (self.link.clone(), self.subject.clone());
        self.readings += 1;
        let after = self.at;
        let mut found_ours = false;
        link.wait(link.feed(streams::LOGS, &subject, after, until, |found| {
            found_ours |= !ours.is_empty() && found.payload == ours;
            let frame = Frame::decode(&found.payload, &self.subject);
            self.take_frame(found.sequence, &found.payload, frame);
            Ok(())
        }))?;
        Ok(found_ours)
    }

    /// Reads on up to the last message there is.
    ///
    /// # Errors
    /// [`LogError::Damaged`] where what was read last is no longer what stands there.
    pub(super) fn catch_up(&mut self) -> Result<(), LogError> {
        let last = self
            .link
            .wait(self.link.last(streams::LOGS, &self.subject))?;
        match last {
            Some(last) if last.sequence > self.at => {
                if !self.goes_on()? {
                    return Err(LogError::damaged(Part::Chain));
                }
                self.read_on(last.sequence)
            }
            Some(last) if last.sequence == self.at && !self.is_last(&last) => {
                Err(LogError::damaged(Part::Chain))
            }
            _ => Ok(()),
        }
    }

    /// Begins to read after `last` at the latest: a copy may know more than is there.
    pub(super) fn begin_at(&mut self, last: Option<&Found>) {
        let at = last.map_or(0, |last| last.sequence);
        if self.at >= at {
            self.at = at;
            self.sum = last.map(|last| Mark::sum_of(&last.payload));
        }
    }

    /// Remembers that the servers took our message, which was sent after these hours.
    pub(super) fn took(&mut self, sequence: u64, (at, elapsed): (Instant, Duration)) {
        self.taken = Some((sequence, at, elapsed));
    }

    /// Whether the message that was read last still stands where it was. Servers that lost the end of
    /// a stream give its sequences again: what follows this one may then follow another's message.
    /// That takes longer than a moment: where the servers took that message from us just before, it
    /// stands.
    pub(super) fn goes_on(&self) -> Result<bool, LogError> {
        if self.at == 0 {
            return Ok(true);
        }
        let (now, elapsed) = (self.link.now(), self.link.elapsed());
        let fresh = |(sequence, at, slept): (u64, Instant, Duration)| {
            sequence == self.at && now < at + MOMENT && elapsed < slept + MOMENT
        };
        if self.taken.is_some_and(fresh) {
            return Ok(true);
        }
        let before = self.at - 1;
        let there = self
            .link
            .wait(self.link.after(streams::LOGS, &self.subject, before))?;
        Ok(there.is_some_and(|there| self.is_last(&there)) || self.at < self.record.floor_from)
    }

    fn is_last(&self, found: &Found) -> bool {
        let sum = Mark::sum_of(&found.payload);
        found.sequence == self.at && self.sum.is_none_or(|known| known == sum)
    }

    /// Judges one message.
    pub(super) fn take_frame(&mut self, sequence: u64, payload: &[u8], frame: Option<Frame>) {
        self.at = sequence;
        self.sum = Some(Mark::sum_of(payload));
        let took = self.fold.take(frame);
        if !self.fold.is_whole() {
            self.group.get_or_insert(sequence);
            if let Took::Skipped(skip) = took {
                self.tell(sequence, skip);
            }
            return;
        }
        let first = self.group.take().unwrap_or(sequence);
        if self.fold.beyond().is_some() {
            // Something before it is missing: whoever reads next has to see it again.
            self.tell(sequence, Skip::Gap);
            return;
        }
        let cache = self.cache.get_mut();
        let mut mark = Mark {
            sequence,
            sum: Mark::sum_of(payload),
            term: self.fold.term(),
            ..cache.mark().clone()
        };
        match took {
            Took::Group(group) => {
                mark.follow(first, &group);
                if self.places.len() >= PLACES {
                    self.places.drain(..PLACES / 2);
                }
                self.places.push((self.fold.head().number, first));
                cache.add(group.commits, mark);
            }
            took => {
                cache.add(Vec::new(), mark);
                if let Took::Skipped(skip) = took {
                    self.tell(sequence, skip);
                }
            }
        }
    }

    fn tell(&self, sequence: u64, skip: Skip) {
        tracing::warn!(place = %self.place, sequence, reason = ?skip, "cluster.message-skipped");
    }

    /// The message from which reading goes on after commit `number`, or one before it.
    pub(super) fn place_of(&self, number: u64) -> u64 {
        let index = self.places.partition_point(|(last, _)| *last < number);
        match self.places.get(index) {
            // What lies before the first group that was read here is only known by its end.
            Some((last, first)) if index > 0 || *last == number => *first,
            _ => self.record.floor_from,
        }
    }

    /// Whether the copy stays when the handle is gone.
    pub(super) fn has_folder(&self) -> bool {
        self.cache.borrow().folder().is_some()
    }

    /// What is to be known of what was read last.
    pub(super) fn mark(&self) -> Mark {
        self.cache.borrow().mark().clone()
    }

    /// Runs `read` on a copy that holds the commits after `from`, made anew where it is missing,
    /// does not reach back so far or is damaged.
    fn with_mirror<T>(
        &self,
        from: u64,
        read: impl Fn(&crate::SqliteReader) -> Result<T, LogError>,
    ) -> Result<T, LogError> {
        let mut cache = self.cache.borrow_mut();
        if let Some(mirror) = cache.mirror()
            && mirror.read().floor().number <= from
        {
            match read(mirror.read()) {
                Err(LogError::Damaged { part, .. }) => {
                    tracing::warn!(?part, place = %self.place, "mirror.thrown-away");
                }
                outcome => return outcome,
            }
        }
        let folder = cache.folder().map(Path::to_owned);
        cache.rest();
        let mut whole = match self.fetch(folder.as_deref()) {
            // Another process has come to use that folder meanwhile.
            Err(LogError::Locked { .. }) => self.fetch(None)?,
            outcome => outcome?,
        };
        let Some(mirror) = whole.mirror() else {
            return Err(LogError::damaged(Part::Chain));
        };
        let outcome = read(mirror.read());
        if mirror.read().head() == self.fold.head() {
            cache.replace(whole);
        }
        outcome
    }

    /// A copy of all that is kept of the log, from its floor on.
    fn fetch(&self, folder: Option<&Path>) -> Result<Cache, LogError> {
        let floor = self.record.floor;
        let snapshot = match self.record.find(floor.number) {
            Some(stored) if floor.number > 0 => Some(store::read(&self.link, &self.place, stored)?),
            _ => None,
        };
        let mut cache = Cache::make(folder, &self.place, snapshot.as_ref())?;
        let mut fold = Fold::from(floor, floor.term);
        let after = self.record.floor_from.saturating_sub(1);
        let mut mark = Mark::default();
        let mut first = None;
        self.link.wait(
            self.link
                .feed(streams::LOGS, &self.subject, after, self.at, |found| {
                    let took = fold.take(Frame::decode(&found.payload, &self.subject));
                    let start = *first.get_or_insert(found.sequence);
                    if !fold.is_whole() {
                        return Ok(());
                    }
                    first = None;
                    if fold.beyond().is_some() {
                        return Ok(());
                    }
                    mark.sequence = found.sequence;
                    mark.sum = Mark::sum_of(&found.payload);
                    mark.term = fold.term();
                    let mut commits = Vec::new();
                    if let Took::Group(group) = took {
                        mark.group = start;
                        mark.emptied = group.emptied;
                        commits = group.commits;
                    }
                    cache.add(commits, mark.clone());
                    Ok(())
                }),
        )?;
        Ok(cache)
    }

    pub(super) fn commits(&self, from: u64, limit: usize) -> Result<Vec<Commit>, LogError> {
        let (floor, head) = (self.record.floor.number, self.fold.head().number);
        if from <= floor {
            return Err(LogError::Forgotten {
                number: from,
                floor,
            });
        }
        let damaged = |number: u64| LogError::Damaged {
            part: Part::Commit(number),
            last_good: (number > floor + 1).then(|| number - 1),
        };
        if from > head {
            return match self.fold.beyond() {
                Some(_) => Err(damaged(head + 1)),
                None => Ok(Vec::new()),
            };
        }
        let found = self.with_mirror(from - 1, |mirror| mirror.commits(from, limit))?;
        if found.is_empty() {
            return Err(damaged(from));
        }
        Ok(found)
    }

    pub(super) fn first_since(&self, at: Timestamp) -> Result<u64, LogError> {
        let floor = self.record.floor.number;
        // A copy that starts later knows the answer where the answer lies in it.
        let start = {
            let mut cache = self.cache.borrow_mut();
            cache.mirror().map(|mirror| mirror.read().floor())
        };
        let from = match start {
            Some(start) if start.number > floor && start.at < at => start.number,
            _ => floor,
        };
        let found = self.with_mirror(from, |mirror| mirror.first_since(at))?;
        Ok(found.max(floor + 1))
    }

    /// Commit `number` without its body.
    pub(super) fn head_at(&self, number: u64) -> Result<Head, LogError> {
        let (floor, head) = (self.record.floor, self.fold.head());
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
        if number == floor.number || number == head.number {
            return Ok(if number == floor.number { floor } else { head });
        }
        let found = self.commits(number, 0)?;
        let commit = found.first().map(Commit::head);
        commit.ok_or_else(|| LogError::damaged(Part::Commit(number)))
    }

    pub(super) fn snapshot(&self, number: u64) -> Result<Snapshot, LogError> {
        let stored = self
            .record
            .find(number)
            .ok_or(LogError::NoSnapshot { number })?;
        let here = {
            let mut cache = self.cache.borrow_mut();
            cache
                .mirror()
                .and_then(|mirror| mirror.read().snapshot(number).ok())
        };
        match here {
            Some(here) if here.head == stored.head && here.body.len() == stored.size => Ok(here),
            _ => store::read(&self.link, &self.place, stored),
        }
    }

    /// Keeps a snapshot in the copy too, where it can be read without a server.
    pub(super) fn keep(&mut self, snapshot: &Snapshot) {
        if let Some(mirror) = self.cache.get_mut().mirror()
            && let Err(error) = mirror.keep(snapshot)
        {
            tracing::warn!(error.code = error.code(), %error, "mirror.not-kept");
        }
    }

    /// Lets go of what the copy holds before the log's floor, where the copy has that snapshot.
    pub(super) fn rebase(&mut self) {
        let floor = self.record.floor;
        if let Some(mirror) = self.cache.get_mut().mirror()
            && mirror.read().floor().number < floor.number
            && mirror.read().snapshot(floor.number).is_ok()
            && let Err(error) = mirror.rebase(floor)
        {
            tracing::warn!(error.code = error.code(), %error, "mirror.not-rebased");
        }
    }

    /// Runs `read` on the personal values, read from the cluster where they are not in memory.
    pub(super) fn with_slots<T>(
        &self,
        read: impl FnOnce(&mut Shelf) -> Result<T, LogError>,
    ) -> Result<T, LogError> {
        let load = || Shelf::load(&self.link, streams::SLOTS, streams::slots(&self.place));
        with(&self.slots, load, read)
    }

    /// The same for remarks.
    pub(super) fn with_metas<T>(
        &self,
        read: impl FnOnce(&mut Shelf) -> Result<T, LogError>,
    ) -> Result<T, LogError> {
        let load = || Shelf::load(&self.link, streams::METAS, streams::metas(&self.place));
        with(&self.metas, load, read)
    }

    pub(super) fn slots(&self) -> Result<BTreeMap<String, String>, LogError> {
        self.with_slots(|shelf| Ok(shelf.all(&self.fold)))
    }

    pub(super) fn metas(&self) -> Result<BTreeMap<String, String>, LogError> {
        self.with_metas(|shelf| Ok(shelf.all(&self.fold)))
    }

    pub(super) fn slot(&self, slot: &str) -> Result<Option<String>, LogError> {
        self.with_slots(|shelf| Ok(shelf.one(slot, &self.fold).map(str::to_owned)))
    }

    pub(super) fn meta(&self, key: &str) -> Result<Option<String>, LogError> {
        self.with_metas(|shelf| Ok(shelf.one(key, &self.fold).map(str::to_owned)))
    }

    /// Forgets the values in memory: they are read again when they are needed.
    pub(super) fn drop_values(&self) {
        *self.slots.borrow_mut() = None;
        *self.metas.borrow_mut() = None;
    }

    /// Closes files and lets go of what can be read again.
    pub(super) fn rest(&self) {
        self.cache.borrow_mut().rest();
        self.drop_values();
    }
}

fn with<T>(
    shelf: &RefCell<Option<Shelf>>,
    load: impl FnOnce() -> Result<Shelf, LogError>,
    read: impl FnOnce(&mut Shelf) -> Result<T, LogError>,
) -> Result<T, LogError> {
    let mut shelf = shelf.borrow_mut();
    let mut loaded = match shelf.take() {
        Some(loaded) => loaded,
        None => load()?,
    };
    let outcome = read(&mut loaded);
    // After a failure, what lies there is read again.
    if outcome.is_ok() && !loaded.is_doubtful() {
        *shelf = Some(loaded);
    }
    outcome
}
