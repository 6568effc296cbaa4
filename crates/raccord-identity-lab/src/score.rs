//! What is counted, and what follows from the counts.

use std::ops::AddAssign;

/// Counts of one method, for one kind of edit, of place, or all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// Saves.
    pub saves: u64,
    /// Edits in saves that a careful person would call clear.
    pub clear_edits: u64,
    /// Saves in which a careful person would ask about something.
    pub unclear_saves: u64,
    /// Of these, saves in which it was asked.
    pub unclear_asked: u64,
    /// Of these, saves in which nothing was asked and nothing went wrong.
    pub unclear_right: u64,
    /// Questions about what is clear.
    pub needless: u64,
    /// Pairs of consecutive versions of a line that changed, came back or stood for a new
    /// activity: found, and true.
    pub hit: u64,
    /// ... found, and false.
    pub false_pair: u64,
    /// ... true, and not found.
    pub lost: u64,
    /// The same for lines that said the same before and after.
    pub still_hit: u64,
    /// See `still_hit`.
    pub still_false: u64,
    /// See `still_hit`.
    pub still_lost: u64,
    /// Activities cancelled although their line stands, and nobody was asked.
    pub wrong_cancel: u64,
    /// Activities whose id was taken by another, and nobody was asked.
    pub wrong_merge: u64,
    /// Activities whose line went and that were not cancelled after the second look, unasked.
    pub kept: u64,
}

impl AddAssign for Score {
    fn add_assign(&mut self, other: Self) {
        self.saves += other.saves;
        self.clear_edits += other.clear_edits;
        self.unclear_saves += other.unclear_saves;
        self.unclear_asked += other.unclear_asked;
        self.unclear_right += other.unclear_right;
        self.needless += other.needless;
        self.hit += other.hit;
        self.false_pair += other.false_pair;
        self.lost += other.lost;
        self.still_hit += other.still_hit;
        self.still_false += other.still_false;
        self.still_lost += other.still_lost;
        self.wrong_cancel += other.wrong_cancel;
        self.wrong_merge += other.wrong_merge;
        self.kept += other.kept;
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        1.0
    } else {
        part as f64 / whole as f64
    }
}

impl Score {
    /// Of the pairs found among lines that changed, how many are true.
    pub fn precision(&self) -> f64 {
        ratio(self.hit, self.hit + self.false_pair)
    }

    /// Of the true pairs among lines that changed, how many were found.
    pub fn recall(&self) -> f64 {
        ratio(self.hit, self.hit + self.lost)
    }

    /// F1 among lines that changed: the harder of the two.
    pub fn f1(&self) -> f64 {
        ratio(2 * self.hit, 2 * self.hit + self.false_pair + self.lost)
    }

    /// F1 among all lines.
    pub fn f1_all(&self) -> f64 {
        let hit = 2 * (self.hit + self.still_hit);
        let wrong = self.false_pair + self.lost + self.still_false + self.still_lost;
        ratio(hit, hit + wrong)
    }

    /// Needless questions in two hundred clear edits.
    pub fn needless_per_200(&self) -> f64 {
        if self.clear_edits == 0 {
            0.0
        } else {
            self.needless as f64 * 200.0 / self.clear_edits as f64
        }
    }
}
