//! The people of the places and their tools: they edit the sheets and post events all the time,
//! and keep a history of what they were told. What they wrote is the truth of the campaign.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::nodes::Node;
use super::site::Site;
use super::{PLACES, pause};
use crate::receiver::{Receiver, Taken};
use crate::sheet::{Dice, Sheet};

/// Lines of each sheet at first, and at most.
const LINES: (usize, usize) = (6, 40);

/// The village.
pub(super) struct Village {
    folder: PathBuf,
    sheets: Vec<Mutex<Sheet>>,
    /// What was posted and taken, by place.
    posted: Vec<Mutex<BTreeSet<String>>>,
    receivers: Vec<Receiver>,
    sites: Vec<Mutex<Site>>,
    /// No more edits and posts.
    rests: AtomicBool,
    /// Nobody looks at the sites any more, either.
    ends: AtomicBool,
}

/// The truth about one place, and what its tools were told.
pub(super) struct Known {
    pub(super) place: &'static str,
    pub(super) sheet: Sheet,
    pub(super) posted: BTreeSet<String>,
    pub(super) history: Vec<Taken>,
    pub(super) site: Site,
}

/// Ends a village when it is dropped.
struct Ending<'a>(&'a Village);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Village {
    pub(super) fn new(folder: &Path) -> Result<Self> {
        let receivers = PLACES.iter().map(|_| Receiver::start());
        let site = |place| Mutex::new(Site::at(folder.join("sites").join(place)));
        let village = Self {
            folder: folder.to_owned(),
            sheets: PLACES
                .map(|_| Mutex::new(Sheet::new(LINES.0, LINES.1)))
                .into(),
            posted: PLACES.map(|_| Mutex::default()).into(),
            receivers: receivers.collect::<Result<_>>()?,
            sites: PLACES.map(site).into(),
            rests: AtomicBool::new(false),
            ends: AtomicBool::new(false),
        };
        (0..PLACES.len()).try_for_each(|at| village.save(at))?;
        Ok(village)
    }

    /// Where each place's tool listens.
    pub(super) fn receivers(&self) -> Vec<SocketAddr> {
        self.receivers.iter().map(|it| it.address).collect()
    }

    /// How many bodies the tools took so far.
    pub(super) fn told(&self) -> usize {
        self.receivers.iter().map(|it| it.history().len()).sum()
    }

    /// Edits one sheet after the other until the village rests.
    pub(super) fn edits(&self, mut dice: Dice) -> Result<()> {
        while !self.rests() {
            self.edit(dice.below(PLACES.len() as u64) as usize, &mut dice)?;
            pause(Duration::from_millis(100 + dice.below(300)));
        }
        Ok(())
    }

    /// One edit of one sheet.
    pub(super) fn edit(&self, at: usize, dice: &mut Dice) -> Result<()> {
        held(&self.sheets[at]).edit(dice);
        self.save(at)
    }

    fn save(&self, at: usize) -> Result<()> {
        let text = held(&self.sheets[at]).csv();
        let file = self.folder.join(format!("{}.csv", PLACES[at]));
        let part = file.with_extension("part");
        fs::write(&part, text)?;
        Ok(fs::rename(part, file)?)
    }

    /// Posts one event after the other until the village rests: each to one node after the other, until
    /// one takes it.
    pub(super) fn posts(&self, nodes: &[Node], mut dice: Dice) -> Result<()> {
        let mut number = 0;
        while !self.rests() {
            number += 1;
            let at = dice.below(PLACES.len() as u64) as usize;
            let from = dice.below(nodes.len() as u64) as usize;
            let subject = format!("{}-{number}", PLACES[at]);
            let until = Instant::now() + Duration::from_secs(180);
            let mut turn = nodes.iter().cycle().skip(from);
            // Whoever posts and hears no answer posts again: it is the same event.
            while let Some(node) = turn.next()
                && !node.post(PLACES[at], &subject)
            {
                anyhow::ensure!(Instant::now() < until, "nobody takes {subject}");
                pause(Duration::from_millis(200));
            }
            held(&self.posted[at]).insert(subject);
            pause(Duration::from_millis(1_500 + dice.below(1_500)));
        }
        Ok(())
    }

    /// The tools misbehave one after the other: slow, silent after the deed, refusing. Gives how often.
    pub(super) fn misbehaves(&self, mut dice: Dice) -> usize {
        let mut times = 0;
        while !self.rests() {
            let tool = &self.receivers[dice.below(PLACES.len() as u64) as usize];
            let lasts = Duration::from_millis(300 + dice.below(1_500));
            match dice.below(3) {
                0 => tool.slow(Duration::from_millis(100 + dice.below(600))),
                1 => tool.forgets_answers(true),
                _ => tool.refuse(true),
            }
            times += 1;
            pause(lasts);
            tool.slow(Duration::ZERO);
            tool.forgets_answers(false);
            tool.refuse(false);
            pause(Duration::from_millis(500 + dice.below(2_500)));
        }
        times
    }

    /// Looks at the sites again and again, until the end.
    pub(super) fn visits(&self) -> Result<()> {
        while !self.ends.load(Ordering::SeqCst) {
            self.sites.iter().try_for_each(|site| held(site).visit())?;
            pause(Duration::from_millis(30));
        }
        Ok(())
    }

    /// No more edits and posts.
    pub(super) fn rest(&self) {
        self.rests.store(true, Ordering::SeqCst);
    }

    fn rests(&self) -> bool {
        self.rests.load(Ordering::SeqCst)
    }

    /// Nobody looks any more.
    pub(super) fn end(&self) {
        self.rest();
        self.ends.store(true, Ordering::SeqCst);
    }

    /// Whatever happens, it ends once this is dropped.
    pub(super) fn ends_with_this(&self) -> impl Drop {
        Ending(self)
    }

    /// What is true, and what the tools know.
    pub(super) fn known(&self) -> Vec<Known> {
        let one = |at: usize| Known {
            place: PLACES[at],
            sheet: held(&self.sheets[at]).clone(),
            posted: held(&self.posted[at]).clone(),
            history: self.receivers[at].history(),
            site: held(&self.sites[at]).clone(),
        };
        (0..PLACES.len()).map(one).collect()
    }
}

fn held<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}
