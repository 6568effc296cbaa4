//! The life of a sheet: saves, each made of a few edits, with which line is which activity all
//! along.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::blocks;
use crate::edit::Edit;
use crate::lines::{self, At};
use crate::place::{self, Kind};
use crate::referee::{Seen, is_coming, without_copies};
use crate::rng::Rng;
use crate::sheet::{Book, Row};
use crate::truth::{same_words, undone, words};

use jiff::ToSpan;
use jiff::civil::DateTime;

/// One save of the sheet.
#[derive(Clone, Debug)]
pub struct Step {
    /// What was done since the save before.
    pub edits: Vec<Edit>,
    /// The sheet as saved.
    pub book: Book,
    /// Whether a second look follows before the next save.
    pub settled: bool,
    /// Whether it is an accident: asked, a person says no and undoes it.
    pub accident: bool,
    /// Minutes since the save before.
    pub minutes: i64,
}

/// A whole life.
#[derive(Clone, Debug)]
pub struct History {
    /// Its seed.
    pub seed: u64,
    /// Whose sheet it is.
    pub kind: Kind,
    /// The saves, the first being the first reading.
    pub steps: Vec<Step>,
}

/// Edits of one line anywhere, and how often they are made.
const SINGLE: [(Edit, usize); 13] = [
    (Edit::Typo, 10),
    (Edit::CaseAccentsEmoji, 5),
    (Edit::RetitleMore, 6),
    (Edit::RetitleWhole, 4),
    (Edit::MoveDate, 8),
    (Edit::MoveHours, 7),
    (Edit::MoveRoom, 6),
    (Edit::MoveDateHours, 4),
    (Edit::SeveralFields, 4),
    (Edit::Describe, 6),
    (Edit::CancelByStatus, 4),
    (Edit::Replace, 4),
    (Edit::Delete, 6),
];

const SERIES: [Edit; 5] = [
    Edit::DeleteOccurrence,
    Edit::CancelOccurrence,
    Edit::AddOccurrence,
    Edit::MoveOccurrence,
    Edit::ShiftSeries,
];

const MANY: [(Edit, usize); 21] = [
    (Edit::SwapPositions, 5),
    (Edit::SwapTitles, 2),
    (Edit::SwapDates, 3),
    (Edit::DuplicateEdited, 6),
    (Edit::Split, 3),
    (Edit::Merge, 3),
    (Edit::Sort, 7),
    (Edit::Insert, 8),
    (Edit::InsertMany, 5),
    (Edit::BlockToTab, 6),
    (Edit::RenameColumns, 4),
    (Edit::ReorderColumns, 4),
    (Edit::InsertColumn, 4),
    (Edit::DropColumn, 2),
    (Edit::Formats, 4),
    (Edit::Sections, 4),
    (Edit::BulkRoom, 2),
    (Edit::DragDown, 4),
    (Edit::PasteLastMonthEdited, 2),
    (Edit::RenameTab, 2),
    (Edit::YearRolled, 1),
];

fn weighted(list: &[(Edit, usize)], rng: &mut Rng) -> Edit {
    let total: usize = list.iter().map(|(_, weight)| weight).sum();
    let mut left = rng.below(total);
    for (edit, weight) in list {
        if left < *weight {
            return *edit;
        }
        left -= weight;
    }
    list[0].0
}

struct Maker {
    kind: Kind,
    rng: Rng,
    book: Book,
    steps: Vec<Step>,
    /// Whether the clock stays where a second look has not come yet.
    soon: bool,
    now: DateTime,
    /// The lines of the last save that was no accident, copies left out.
    seen: Vec<Seen>,
    /// What said what, and is gone.
    graves: BTreeMap<String, u32>,
}

impl Maker {
    fn save(&mut self, edits: Vec<Edit>, settled: bool, accident: bool) {
        let rolled = edits.contains(&Edit::YearRolled);
        let forward = edits.contains(&Edit::RollForward);
        let minutes = if rolled {
            // Nobody does that before the year is over.
            345 * 24 * 60
        } else if forward {
            self.rng.between(12, 30) * 24 * 60
        } else if self.soon {
            0
        } else {
            self.rng.between(20, 3_000)
        };
        self.now = self.now.saturating_add(minutes.minutes());
        if forward {
            self.roll_forward();
        }
        if let Some(before) = self.steps.iter().rev().find(|step| !step.accident).cloned() {
            if edits.contains(&Edit::Undo) {
                undone(&before.book, &self.seen, &mut self.book, self.now);
            } else {
                same_words(&before.book, &self.seen, &mut self.book, self.now);
            }
            self.remember(&before.book);
            self.back_from_the_past();
            // Whose line became that of one that came back is gone as well.
            self.remember(&before.book);
        }
        if !accident {
            self.seen = without_copies(&self.book.seen(), &self.seen);
        }
        self.soon = !settled;
        self.steps.push(Step {
            edits,
            book: self.book.clone(),
            settled,
            accident,
            minutes,
        });
    }

    /// What stood and no longer does.
    fn remember(&mut self, before: &Book) {
        let stood: BTreeSet<u32> = self.seen.iter().map(|(who, _, _)| *who).collect();
        let stand = self.activities();
        for at in before.lines() {
            let who = before.who(at);
            if stood.contains(&who) && !stand.contains(&who) {
                self.graves.insert(words(before, at), before.who(at));
            }
        }
    }

    /// The names of the lines but copies: those are no activities.
    fn activities(&self) -> BTreeSet<u32> {
        let lines = without_copies(&self.book.seen(), &self.seen);
        lines.into_iter().map(|(who, _, _)| who).collect()
    }

    /// A line that says word for word what one said that is gone is that one, come back.
    fn back_from_the_past(&mut self) {
        let known: BTreeMap<u32, String> = self.steps.last().map_or_else(BTreeMap::new, |step| {
            let lines = step.book.lines().into_iter();
            lines
                .map(|at| (step.book.who(at), words(&step.book, at)))
                .collect()
        });
        let mut stand = self.activities();
        for at in self.book.lines() {
            let text = words(&self.book, at);
            if known.get(&self.book.who(at)) == Some(&text) {
                continue;
            }
            if let Some(&who) = self.graves.get(&text)
                && stand.insert(who)
            {
                self.book.rename(at, who);
            }
        }
    }

    /// The lines of the past are taken out, and what comes every week gets its next dates.
    fn roll_forward(&mut self) {
        let now = self.now;
        for tab in &mut self.book.tabs {
            tab.rows.retain(|row| match row {
                Row::Line { item, .. } => is_coming(item, now),
                Row::Other(_) => true,
            });
        }
        for _ in 0..self.rng.between(1, 4) {
            lines::apply_series(
                Edit::AddOccurrence,
                &mut self.book,
                self.kind,
                &mut self.rng,
            );
        }
    }

    fn single(&mut self, edit: Edit) -> bool {
        let all = self.book.lines();
        if all.is_empty() {
            return false;
        }
        let at = *self.rng.pick(&all);
        if edit == Edit::Delete {
            return blocks::apply(edit, &mut self.book, self.kind, &mut self.rng);
        }
        lines::apply(edit, &mut self.book, at, self.kind, &mut self.rng)
    }

    fn any(&mut self) -> Option<Edit> {
        for _ in 0..10 {
            let (edit, done) = match self.rng.below(10) {
                0..=4 => {
                    let edit = weighted(&SINGLE, &mut self.rng);
                    (edit, self.single(edit))
                }
                5 | 6 => {
                    let edit = *self.rng.pick(&SERIES);
                    let done = lines::apply_series(edit, &mut self.book, self.kind, &mut self.rng);
                    (edit, done)
                }
                _ => {
                    let edit = weighted(&MANY, &mut self.rng);
                    let done = blocks::apply(edit, &mut self.book, self.kind, &mut self.rng);
                    (edit, done)
                }
            };
            if done {
                return Some(edit);
            }
        }
        None
    }

    /// One save, or the few saves of one story.
    fn next(&mut self) {
        match self.rng.below(100) {
            0..=5 => self.cut_and_paste(),
            6..=10 => self.copy_then_edit(),
            11..=13 => self.accident(Edit::Empty),
            14..=15 => self.accident(Edit::HalfLost),
            16..=17 => self.last_month(),
            18..=20 => self.undo(),
            21..=22 => {
                if self
                    .steps
                    .last()
                    .is_some_and(|step| !step.accident && step.settled)
                {
                    self.save(vec![Edit::RollForward], true, false);
                }
            }
            _ => {
                let count = match self.rng.below(20) {
                    0..=12 => 1,
                    13..=16 => 2,
                    17 | 18 => 3,
                    _ => self.rng.between(4, 6),
                };
                let edits: Vec<Edit> = (0..count).filter_map(|_| self.any()).collect();
                if !edits.is_empty() {
                    self.save(edits, true, false);
                }
            }
        }
    }

    fn cut_and_paste(&mut self) {
        let all = self.book.lines();
        if all.len() < 4 {
            return;
        }
        let at = *self.rng.pick(&all);
        let row = self.book.tabs[at.0].rows.remove(at.1);
        // Back before the second look, or long after it.
        let late = self.rng.chance(25);
        self.save(vec![Edit::Cut], late, false);
        let tabs = self.book.tabs.len();
        let to = if tabs > 1 && self.rng.chance(50) {
            (at.0 + 1) % tabs
        } else {
            at.0
        };
        let rows = &mut self.book.tabs[to].rows;
        let place = self.rng.below(rows.len() + 1);
        rows.insert(place, row);
        let edit = match (late, to == at.0) {
            (true, _) => Edit::PasteAfterLong,
            (false, true) => Edit::PasteWithin,
            (false, false) => Edit::PasteElsewhere,
        };
        self.save(vec![edit], true, false);
    }

    fn copy_then_edit(&mut self) {
        if self.book.lines().is_empty()
            || !blocks::apply(Edit::Duplicate, &mut self.book, self.kind, &mut self.rng)
        {
            return;
        }
        let settled = self.rng.chance(50);
        self.save(vec![Edit::Duplicate], settled, false);
        if let Some(at) = self.copies().first().copied() {
            let tongue = self.book.tongue;
            blocks::rework(self.book.item_mut(at), self.kind, tongue, &mut self.rng);
            self.save(vec![Edit::EditCopy], true, false);
        }
    }

    /// Lines that say word for word what an older line says.
    fn copies(&self) -> Vec<At> {
        let mut first: BTreeMap<String, u32> = BTreeMap::new();
        let lines = self.book.lines();
        for at in &lines {
            let who = self.book.who(*at);
            let least = first.entry(words(&self.book, *at)).or_insert(who);
            *least = (*least).min(who);
        }
        lines
            .into_iter()
            .filter(|at| first[&words(&self.book, *at)] != self.book.who(*at))
            .collect()
    }

    fn accident(&mut self, edit: Edit) {
        let before = self.book.clone();
        if before.lines().len() < 6 {
            return;
        }
        if blocks::apply(edit, &mut self.book, self.kind, &mut self.rng) {
            let settled = self.rng.chance(70);
            self.save(vec![edit], settled, true);
            let next = self.book.next;
            self.book = before;
            self.book.next = next;
            self.save(vec![Edit::Undo], true, false);
        }
    }

    fn last_month(&mut self) {
        if !self.copies().is_empty()
            || self.book.lines().len() > 200
            || !blocks::apply(
                Edit::PasteLastMonth,
                &mut self.book,
                self.kind,
                &mut self.rng,
            )
        {
            return;
        }
        let settled = self.rng.chance(50);
        self.save(vec![Edit::PasteLastMonth], settled, false);
        for at in self.copies() {
            blocks::next_month(self.book.item_mut(at), &mut self.rng);
        }
        self.save(vec![Edit::EditPasted], true, false);
    }

    fn undo(&mut self) {
        // Whatever was saved last, or the save before that.
        let back = 2 + self.rng.below(2);
        let Some(at) = self.steps.len().checked_sub(back) else {
            return;
        };
        let final_ones = [Edit::YearRolled, Edit::RollForward];
        if self.steps[at..].iter().any(|step| {
            step.accident
                || !step.settled
                || step.edits.iter().any(|edit| final_ones.contains(edit))
        }) {
            return;
        }
        let next = self.book.next;
        self.book = self.steps[at].book.clone();
        self.book.next = next;
        self.save(vec![Edit::Undo], true, false);
    }
}

/// The history of a seed.
pub fn history(seed: u64) -> History {
    let mut rng = Rng::new(seed);
    let kind = Kind::ALL[(seed % Kind::ALL.len() as u64) as usize];
    let book = place::book(kind, &mut rng);
    let length = rng.between(5, 12) as usize;
    let mut maker = Maker {
        kind,
        rng,
        book,
        steps: Vec::new(),
        soon: false,
        now: place::FIRST.to_datetime(jiff::civil::time(8, 0, 0, 0)),
        seen: Vec::new(),
        graves: BTreeMap::new(),
    };
    maker.save(Vec::new(), true, false);
    for _ in 0..length * 2 {
        if maker.steps.len() > length {
            break;
        }
        maker.next();
    }
    History {
        seed,
        kind,
        steps: maker.steps,
    }
}

/// A history for people: every save, every line, and which activity it is.
pub fn told(seed: u64) -> String {
    let mut out = String::new();
    for step in history(seed).steps {
        let (edits, minutes) = (step.edits, step.minutes);
        writeln!(out, "{edits:?}, {minutes} minutes later").expect("a string takes every line");
        for (who, (tab, row), item) in step.book.seen() {
            let clock = |minutes: Option<u16>| {
                minutes.map_or_else(String::new, |m| format!("{:02}:{:02}", m / 60, m % 60))
            };
            let (from, to) = (clock(item.start), clock(item.end));
            let texts = [
                &item.title,
                &item.room,
                &item.organiser,
                &item.kind,
                &item.status,
                &item.description,
            ];
            let said = texts.map(String::as_str).join(" | ");
            writeln!(out, "  {tab}:{row} #{who} {} {from}-{to} {said}", item.date)
                .expect("a string takes every line");
        }
    }
    out
}
