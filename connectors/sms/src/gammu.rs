//! The folders of gammu-smsd (its files backend, 1.42): a message is a file, whose name is ours.
//!
//! The daemon takes files from its outbox in the order of their names, and moves each to the folder of
//! what was sent, or of what failed. So a message is looked for in all three before it is written, in
//! the order in which a file can move.

use std::fs;
use std::path::PathBuf;

use jiff::civil::{Date, DateTime};
use raccord_kit::files;
use raccord_model::Failure;

use crate::failure;

/// The letter of its priority; `A` goes first.
const PRIORITY: char = 'C';
/// How many characters of a name tell its day: `OUTC20270115`.
const DAY: std::ops::Range<usize> = 4..12;
/// How many tell the moment it was handed over, and how.
const AT: std::ops::Range<usize> = 4..19;
const MOMENT: &str = "%Y%m%d_%H%M%S";

/// Where a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spot {
    Waiting,
    Sent,
    Failed,
}

impl Spot {
    /// In the order in which a message moves: it cannot be missed by looking so.
    const ALL: [Self; 3] = [Self::Waiting, Self::Sent, Self::Failed];
}

/// One gammu-smsd.
pub(crate) struct Gammu {
    pub(crate) outbox: PathBuf,
    pub(crate) sent: PathBuf,
    pub(crate) errors: PathBuf,
}

impl Gammu {
    pub(crate) fn folder(&self, spot: Spot) -> (&'static str, &PathBuf) {
        match spot {
            Spot::Waiting => ("outbox", &self.outbox),
            Spot::Sent => ("sent", &self.sent),
            Spot::Failed => ("errors", &self.errors),
        }
    }

    pub(crate) fn folders(&self) -> impl Iterator<Item = (&'static str, &PathBuf)> {
        Spot::ALL.iter().map(|spot| self.folder(*spot))
    }

    /// The names of ours in a folder.
    fn ours(&self, spot: Spot) -> Result<Vec<String>, Failure> {
        let (key, folder) = self.folder(spot);
        let unreadable = |_| failure::unreadable(key, folder);
        let mut names = Vec::new();
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name();
            if let Some(name) = name.to_str().filter(|name| is_ours(name)) {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    /// Where the message with an id is, if anywhere.
    pub(crate) fn seek(&self, id: &str) -> Result<Option<Spot>, Failure> {
        let end = ending(id);
        for spot in Spot::ALL {
            if self.ours(spot)?.iter().any(|name| name.ends_with(&end)) {
                return Ok(Some(spot));
            }
        }
        Ok(None)
    }

    /// How many of ours were handed over on a day.
    pub(crate) fn handed_over(&self, day: Date) -> Result<u64, Failure> {
        let day = day.strftime("%Y%m%d").to_string();
        let mut count = 0;
        for spot in Spot::ALL {
            let names = self.ours(spot)?;
            let of_day = names.iter().filter(|name| name.get(DAY) == Some(&day));
            count += of_day.count() as u64;
        }
        Ok(count)
    }

    /// Hands a message over, unless it was before.
    pub(crate) fn put(
        &self,
        id: &str,
        number: &str,
        text: &str,
        now: DateTime,
    ) -> Result<(), Failure> {
        if self.seek(id)?.is_some() {
            return Ok(());
        }
        // OUT<priority><date>_<time>_<serial>_<recipient>_<note>.txt
        let at = now.strftime(MOMENT);
        let name = format!("OUT{PRIORITY}{at}_00_{number}_{}", ending(id));
        // The daemon reads what has no mark in the letters of its locale: in UTF-16 it cannot err.
        let mut content = vec![0xfe, 0xff];
        content.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
        files::write(&self.outbox.join(name), &content)?;
        Ok(())
    }

    /// How many of ours have waited in the outbox since before a moment.
    pub(crate) fn stuck(&self, since: DateTime) -> Result<usize, Failure> {
        let since = since.strftime(MOMENT).to_string();
        let names = self.ours(Spot::Waiting)?;
        let old = names.iter().filter(|name| {
            let handed_over = name.get(AT);
            handed_over.is_some_and(|at| at < since.as_str())
        });
        Ok(old.count())
    }

    /// How many of ours failed on a day.
    pub(crate) fn failed(&self, day: Date) -> Result<usize, Failure> {
        let day = day.strftime("%Y%m%d").to_string();
        let names = self.ours(Spot::Failed)?;
        let of_day = names.iter().filter(|name| name.get(DAY) == Some(&day));
        Ok(of_day.count())
    }
}

/// How the names of the message with an id end.
fn ending(id: &str) -> String {
    format!("raccord-{id}.txt")
}

fn is_ours(name: &str) -> bool {
    name.starts_with("OUT") && name.contains("_raccord-")
}
