//! A sheet that somebody edits all the time, at random and the same way for the same seed.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// A small generator of its own: the same seed makes the same campaign.
#[derive(Clone, Debug)]
pub struct Dice(pub u64);

impl Dice {
    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// One line: its title is its own, and its room counts how often it was edited.
#[derive(Clone, Debug)]
pub struct Line {
    /// What it is called.
    pub title: String,
    day: u32,
    hour: u32,
    edits: u32,
    /// Whether everybody may know.
    pub public: bool,
}

impl Line {
    /// When it begins, as events tell it.
    pub fn start(&self) -> String {
        format!("2027-01-{:02}T{:02}:00", self.day, self.hour)
    }

    /// Where it is: says which edit of it this is.
    pub fn room(&self) -> String {
        format!("Salle {}", self.edits)
    }
}

/// The lines, and one random edit after the other.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// What stands in it.
    pub lines: Vec<Line>,
    most: usize,
}

/// A title like no other: of two that resemble each other, edited at once, a person would be asked
/// which is which.
fn title(number: u32) -> String {
    const SYLLABLES: [&str; 16] = [
        "ba", "co", "du", "fé", "gui", "jo", "ka", "lu", "mi", "no", "pa", "ri", "so", "té", "vu",
        "zi",
    ];
    let mut dice = Dice(u64::from(number) << 20);
    let mut word = || -> String { (0..4).map(|_| SYLLABLES[dice.below(16) as usize]).collect() };
    format!("Fête {} {} {number}", word(), word())
}

impl Sheet {
    /// A sheet of `lines` lines, to which edits add until there are `most`.
    pub fn new(lines: usize, most: usize) -> Self {
        let mut sheet = Self {
            lines: Vec::new(),
            most,
        };
        while sheet.lines.len() < lines {
            sheet.add();
        }
        sheet
    }

    /// One line more, at the end.
    pub fn add(&mut self) {
        let made = self.lines.len() as u32 + 1;
        self.lines.push(Line {
            title: title(made),
            day: 1 + made % 28,
            hour: 9 + made % 10,
            edits: 0,
            public: !made.is_multiple_of(4),
        });
    }

    /// The line at this place is in another room.
    pub fn moves(&mut self, at: usize) {
        self.lines[at].edits += 1;
    }

    /// One edit: a line more, another hour, another order, another day.
    pub fn edit(&mut self, dice: &mut Dice) {
        let at = dice.below(self.lines.len() as u64) as usize;
        match dice.below(4) {
            0 if self.lines.len() < self.most => self.add(),
            2 => {
                let line = self.lines.remove(at);
                self.lines.insert(0, line);
            }
            kind => {
                let line = &mut self.lines[at];
                line.edits += 1;
                if kind == 1 {
                    line.hour = 9 + dice.below(10) as u32;
                } else {
                    line.day = 1 + dice.below(28) as u32;
                }
            }
        }
    }

    /// As it is saved.
    pub fn csv(&self) -> String {
        let mut text = String::from("Date,Début,Titre,Salle,Public/Interne\n");
        for line in &self.lines {
            let seen = if line.public { "Public" } else { "Interne" };
            let (day, hour, title, room) = (line.day, line.hour, &line.title, line.room());
            writeln!(text, "2027-01-{day:02},{hour:02}:00,{title},{room},{seen}")
                .expect("memory takes every write");
        }
        text
    }

    /// What everybody may know of.
    pub fn public_titles(&self) -> BTreeSet<String> {
        let public = self.lines.iter().filter(|line| line.public);
        public.map(|line| line.title.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_told_apart() {
        let words: BTreeSet<String> = (1..=500)
            .flat_map(|number| {
                let title = title(number);
                let words = title.split(' ').skip(1).take(2).map(str::to_owned);
                words.collect::<Vec<_>>()
            })
            .collect();
        assert!(words.len() > 980, "{}", words.len());
    }
}
