//! Many histories, added up: by kind of edit, by kind of place, and by what thresholds were chosen
//! on.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::baseline::Method;
use crate::edit::Edit;
use crate::history::history;
use crate::place::Kind;
use crate::play::{Outcome, play, play_baseline};
use crate::score::Score;

/// The least F1 of identity.
pub const LEAST_F1: f64 = 0.995;
/// The most needless questions in two hundred clear edits.
pub const MOST_NEEDLESS: f64 = 1.0;

/// What the measure found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The engine, on everything.
    pub all: Score,
    /// On kinds of places and edits that thresholds were chosen on.
    pub train: Score,
    /// On the others.
    pub test: Score,
    /// By kind of edit, and saves of several edits.
    pub by_edit: BTreeMap<String, Score>,
    /// By kind of place.
    pub by_place: BTreeMap<Kind, Score>,
    /// The simpler methods, on everything.
    pub baselines: BTreeMap<Method, Score>,
    /// What went wrong.
    pub notes: Vec<String>,
    /// How many histories, and how many lines were read.
    pub histories: u64,
}

/// Which row of the table a save belongs to.
fn row(edits: &[Edit]) -> &'static str {
    match edits {
        [] => "first reading",
        [one] => one.name(),
        _ => "several edits between two readings",
    }
}

impl Report {
    fn add(&mut self, kind: Kind, outcome: &Outcome) {
        self.all += outcome.score;
        let train = kind.is_train() && outcome.edits.iter().all(|edit| edit.is_train());
        if train {
            self.train += outcome.score;
        } else {
            self.test += outcome.score;
        }
        *self
            .by_edit
            .entry(row(&outcome.edits).to_owned())
            .or_default() += outcome.score;
        *self.by_place.entry(kind).or_default() += outcome.score;
        self.notes.extend(outcome.notes.iter().cloned());
    }

    fn merge(&mut self, other: Self) {
        self.all += other.all;
        self.train += other.train;
        self.test += other.test;
        for (name, score) in other.by_edit {
            *self.by_edit.entry(name).or_default() += score;
        }
        for (kind, score) in other.by_place {
            *self.by_place.entry(kind).or_default() += score;
        }
        for (method, score) in other.baselines {
            *self.baselines.entry(method).or_default() += score;
        }
        self.notes.extend(other.notes);
        self.histories += other.histories;
    }

    /// Whether the targets hold, on everything and on the test split.
    pub fn holds(&self) -> bool {
        [&self.all, &self.test].iter().all(|score| {
            score.wrong_cancel == 0
                && score.wrong_merge == 0
                && score.f1() >= LEAST_F1
                && score.needless_per_200() <= MOST_NEEDLESS
        })
    }

    /// The tables, in Markdown.
    pub fn tables(&self) -> String {
        let mut out = String::new();
        let head = "| | saves | precision | recall | F1, changed lines | F1, all lines | wrong cancellations | wrong merges | clear edits | needless questions | per 200 | unclear saves: asked | right unasked | wrong unasked |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n";
        let line = |out: &mut String, name: &str, score: &Score| {
            let wrong = score.unclear_saves - score.unclear_asked - score.unclear_right;
            writeln!(
                out,
                "| {name} | {} | {:.4} | {:.4} | {:.4} | {:.5} | {} | {} | {} | {} | {:.2} | {}/{} | {} | {wrong} |",
                score.saves,
                score.precision(),
                score.recall(),
                score.f1(),
                score.f1_all(),
                score.wrong_cancel,
                score.wrong_merge,
                score.clear_edits,
                score.needless,
                score.needless_per_200(),
                score.unclear_asked,
                score.unclear_saves,
                score.unclear_right,
            )
            .expect("a string takes every line");
        };
        writeln!(out, "{} histories\n", self.histories).expect("a string takes every line");
        out.push_str(head);
        line(&mut out, "**Raccord**", &self.all);
        line(&mut out, "Raccord, thresholds chosen here", &self.train);
        line(&mut out, "Raccord, the rest", &self.test);
        for (method, score) in &self.baselines {
            line(&mut out, method.name(), score);
        }
        out.push_str("\nBy kind of place\n\n");
        out.push_str(head);
        for (kind, score) in &self.by_place {
            line(&mut out, kind.name(), score);
        }
        out.push_str("\nBy kind of edit\n\n");
        out.push_str(head);
        for (name, score) in &self.by_edit {
            line(&mut out, name, score);
        }
        writeln!(
            out,
            "\n{} activities were kept although their line was gone.",
            self.all.kept
        )
        .expect("a string takes every line");
        out
    }
}

/// Plays the histories of some seeds.
pub fn measure(from: u64, histories: u64, threads: u64, baselines: bool) -> Report {
    let threads = threads.max(1);
    let one = |thread: u64| {
        let mut report = Report::default();
        let mut seed = from + thread;
        while seed < from + histories {
            let history = history(seed);
            for outcome in play(&history) {
                report.add(history.kind, &outcome);
            }
            if baselines {
                for method in Method::ALL {
                    let total = report.baselines.entry(method).or_default();
                    for outcome in play_baseline(&history, method) {
                        *total += outcome.score;
                    }
                }
            }
            report.histories += 1;
            seed += threads;
        }
        report
    };
    let parts: Vec<Report> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || one(thread)))
            .collect();
        handles
            .into_iter()
            .map(|handle| handle.join().expect("no history panics"))
            .collect()
    });
    let mut report = Report::default();
    for part in parts {
        report.merge(part);
    }
    report
}
