//! Plays a history through the engine or a baseline, and compares with the truth.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use raccord_model::{Digest, Reading};

use crate::baseline::{Baseline, Method};
use crate::edit::Edit;
use crate::engine::{Asked, Lab};
use crate::history::{History, Step};
use crate::read::reading;
use crate::referee::{Seen, Verdict, is_coming, judge, without_copies};
use crate::score::Score;
use crate::truth::say;

/// What one save came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was done.
    pub edits: Vec<Edit>,
    /// What is counted.
    pub score: Score,
    /// What went wrong, for whoever looks.
    pub notes: Vec<String>,
}

/// What is remembered from save to save: who was called what.
struct Memory<N> {
    /// The last accepted lines.
    seen: Vec<Seen>,
    /// For each activity, what it was called last.
    name_of: BTreeMap<u32, N>,
    /// For each name, which activity bore it last.
    bearer: BTreeMap<N, u32>,
}

impl<N: Ord + Copy + std::fmt::Debug> Memory<N> {
    fn new() -> Self {
        Self {
            seen: Vec::new(),
            name_of: BTreeMap::new(),
            bearer: BTreeMap::new(),
        }
    }

    /// Compares what the lines are called now with the truth.
    fn compare(
        &self,
        seen: &[Seen],
        names: &BTreeMap<u32, N>,
        verdict: &Verdict,
        score: &mut Score,
    ) {
        for (who, _, _) in seen {
            let then = self.name_of.get(who);
            let now = names.get(who);
            let before = now.and_then(|name| self.bearer.get(name));
            let touched = verdict.touched.contains(who);
            let (hit, false_pair, lost) = if touched {
                (&mut score.hit, &mut score.false_pair, &mut score.lost)
            } else {
                (
                    &mut score.still_hit,
                    &mut score.still_false,
                    &mut score.still_lost,
                )
            };
            if then.is_some() && then == now {
                *hit += 1;
            } else if then.is_some() {
                *lost += 1;
            }
            if before.is_some_and(|before| before != who) {
                *false_pair += 1;
            }
        }
    }

    fn remember(&mut self, all: &[Seen], seen: Vec<Seen>, names: &BTreeMap<u32, N>) {
        // A line that says what another says is no activity; what it becomes is a new one.
        for (who, _, _) in all {
            if seen.iter().all(|(id, _, _)| id != who) {
                self.name_of.remove(who);
            }
        }
        for (who, name) in names {
            self.name_of.insert(*who, *name);
            self.bearer.insert(*name, *who);
        }
        self.seen = seen;
    }
}

fn title(seen: &[Seen], who: u32) -> String {
    let found = seen.iter().find(|(id, _, _)| *id == who);
    found.map_or_else(
        || format!("#{who}"),
        |(_, place, item)| {
            format!(
                "#{who} {place:?} {} {} {:?}",
                item.title, item.date, item.start
            )
        },
    )
}

/// Names by activity, of lines that are activities.
fn by_truth<N: Copy>(seen: &[Seen], reading: &Reading, names: &[Option<N>]) -> BTreeMap<u32, N> {
    let at: BTreeMap<(u16, u32), N> = reading
        .lines
        .iter()
        .zip(names)
        .filter_map(|(line, name)| Some(((line.tab, line.row), (*name)?)))
        .collect();
    seen.iter()
        .filter_map(|(who, place, _)| Some((*who, *at.get(place)?)))
        .collect()
}

/// A line that says what another says may be the one that bears the name.
fn with_copies<N: Copy>(
    all: &[Seen],
    seen: &[Seen],
    reading: &Reading,
    names: &[Option<N>],
) -> BTreeMap<u32, N> {
    let mut found = by_truth(seen, reading, names);
    let everyone = by_truth(all, reading, names);
    let mut by_words: BTreeMap<String, N> = BTreeMap::new();
    for (who, _, item) in all {
        if let Some(name) = everyone.get(who) {
            by_words.entry(say(item)).or_insert(*name);
        }
    }
    for (who, _, item) in seen {
        if !found.contains_key(who)
            && let Some(name) = by_words.get(&say(item))
        {
            found.insert(*who, *name);
        }
    }
    found
}

/// Plays a history through the engine.
pub fn play(history: &History) -> Vec<Outcome> {
    let mut lab = Lab::new();
    let mut memory = Memory::new();
    let mut out = Vec::new();
    for step in &history.steps {
        lab.wait(if step.minutes == 0 {
            30
        } else {
            step.minutes * 60
        });
        out.push(save(&mut lab, &mut memory, step, history));
    }
    out
}

fn civil(lab: &Lab) -> DateTime {
    TimeZone::UTC.to_datetime(lab.now)
}

fn save(
    lab: &mut Lab,
    memory: &mut Memory<raccord_model::EntityId>,
    step: &Step,
    history: &History,
) -> Outcome {
    let mut score = Score {
        saves: 1,
        ..Score::default()
    };
    let mut notes = Vec::new();
    let all = step.book.seen();
    let seen = without_copies(&all, &memory.seen);
    let now = civil(lab);
    let verdict = judge(&memory.seen, &seen, now);
    let first = memory.name_of.is_empty();
    let Ok(read) = reading(&step.book) else {
        lab.read(reading(&step.book));
        return Outcome {
            edits: step.edits.clone(),
            score,
            notes: vec![format!("seed {}: the sheet cannot be read", history.seed)],
        };
    };
    if read.lines.len() != all.len() {
        notes.push(format!(
            "seed {}: {} lines written, {} read, {:?}",
            history.seed,
            all.len(),
            read.lines.len(),
            read.unread.first()
        ));
    }
    let truth: BTreeMap<Digest, u32> = {
        let at: BTreeMap<(u16, u32), u32> =
            seen.iter().map(|(who, place, _)| (*place, *who)).collect();
        read.lines
            .iter()
            .filter_map(|line| Some((line.digest, *at.get(&(line.tab, line.row))?)))
            .collect()
    };
    let standing: BTreeSet<_> = lab.asked().iter().map(Asked::hold).collect();
    lab.read(Ok(read.clone()));
    let asked: Vec<Asked> = lab
        .asked()
        .into_iter()
        .filter(|asked| !standing.contains(&asked.hold()))
        .collect();
    let reading_asked = asked.iter().any(|asked| matches!(asked, Asked::Reading(_)));
    let about: BTreeSet<u32> = asked
        .iter()
        .flat_map(|asked| match asked {
            Asked::Reading(_) => Vec::new(),
            Asked::Lines(_, pairs) => pairs
                .iter()
                .flat_map(|(line, entity)| [truth.get(line), memory.bearer.get(entity)])
                .flatten()
                .copied()
                .collect(),
        })
        .collect();
    let say_all = |what: &str, ids: &mut dyn Iterator<Item = u32>| {
        let lines: Vec<String> = ids
            .map(|who| format!("    {} -> {}", title(&memory.seen, who), title(&seen, who)))
            .collect();
        format!(
            "seed {} {:?} {:?}: {what}\n{}",
            history.seed,
            history.kind,
            step.edits,
            lines.join("\n")
        )
    };
    for question in &asked {
        let needless = match question {
            Asked::Reading(_) => !verdict.guarded && !step.accident && verdict.unclear.is_empty(),
            Asked::Lines(_, pairs) => pairs.iter().all(|(line, entity)| {
                let ids = [truth.get(line), memory.bearer.get(entity)];
                ids.iter().flatten().all(|id| !verdict.unclear.contains(id))
            }),
        };
        if needless {
            score.needless += 1;
            notes.push(say_all("needless question", &mut about.iter().copied()));
        }
    }
    if step.accident && reading_asked {
        // A person says nothing, and undoes it in the sheet.
        if step.settled {
            lab.wait(120);
            lab.look_again();
        }
        return Outcome {
            edits: step.edits.clone(),
            score,
            notes,
        };
    }

    // What was decided without asking.
    let silent = with_copies(&all, &seen, &read, &lab.names(&read));
    if !reading_asked && !first {
        let wrong: Vec<u32> = seen
            .iter()
            .filter(|(who, _, _)| {
                let name = silent.get(who);
                name.and_then(|name| memory.bearer.get(name))
                    .is_some_and(|before| before != who)
            })
            .map(|(who, _, _)| *who)
            .collect();
        score.wrong_merge += wrong.len() as u64;
        let bearers: Vec<u32> = wrong
            .iter()
            .filter_map(|who| memory.bearer.get(silent.get(who)?).copied())
            .collect();
        if !wrong.is_empty() {
            notes.push(say_all(
                "wrong merge",
                &mut wrong.into_iter().chain(bearers),
            ));
        }
    }

    // A person answers, and the sheet is read again, until nothing waits.
    for _ in 0..20 {
        let asked = lab.asked();
        if asked.is_empty() {
            break;
        }
        for question in asked {
            match question {
                Asked::Reading(hold) => lab.approve(hold, None),
                Asked::Lines(hold, pairs) => {
                    let same: BTreeSet<_> = pairs
                        .iter()
                        .filter(|(line, entity)| {
                            truth.contains_key(line) && truth.get(line) == memory.bearer.get(entity)
                        })
                        .map(|(_, entity)| *entity)
                        .collect();
                    if same.is_empty() {
                        lab.reject(hold);
                    } else {
                        lab.approve(hold, Some(same));
                    }
                }
            }
        }
        lab.wait(10);
        lab.read(Ok(read.clone()));
    }
    if step.settled {
        lab.wait(120);
        lab.look_again();
    }
    let names = with_copies(&all, &seen, &read, &lab.names(&read));
    if !first {
        memory.compare(&seen, &names, &verdict, &mut score);
        let was_asked = |who: u32| reading_asked || about.contains(&who);
        for (who, _, item) in &seen {
            let Some(entity) = memory.name_of.get(who) else {
                continue;
            };
            let meant = crate::referee::fold(&item.status);
            let meant = meant.starts_with("annul") || meant.starts_with("cancel") || {
                let title = crate::referee::fold(&item.title);
                title.starts_with("annul") || title.starts_with("cancel")
            };
            if names.get(who) != Some(entity)
                && lab.is_cancelled(*entity)
                && !meant
                && !was_asked(*who)
            {
                score.wrong_cancel += 1;
                notes.push(say_all("wrong cancellation", &mut std::iter::once(*who)));
            }
        }
        if step.settled {
            let gone = memory.seen.iter().filter(|(who, _, item)| {
                !seen.iter().any(|(id, _, _)| id == who) && is_coming(item, now)
            });
            for (who, _, _) in gone {
                if let Some(entity) = memory.name_of.get(who)
                    && lab.is_followed(*entity)
                    && !was_asked(*who)
                    && !names.values().any(|name| name == entity)
                {
                    score.kept += 1;
                    notes.push(say_all("kept although gone", &mut std::iter::once(*who)));
                }
            }
        }
        let unclear = &verdict.unclear;
        if unclear.is_empty() {
            if !verdict.guarded && !step.accident {
                score.clear_edits += step.edits.len() as u64;
            }
        } else {
            score.unclear_saves += 1;
            if reading_asked || !about.is_disjoint(unclear) {
                score.unclear_asked += 1;
            } else if score.wrong_merge + score.wrong_cancel + score.lost + score.false_pair == 0 {
                score.unclear_right += 1;
            }
        }
        let mut lost = Vec::new();
        for (who, _, _) in &seen {
            if let Some(then) = memory.name_of.get(who)
                && names.get(who) != Some(then)
            {
                lost.push(*who);
            }
        }
        if !lost.is_empty() {
            let pairs: Vec<String> = asked
                .iter()
                .map(|asked| match asked {
                    Asked::Reading(_) => "reading".to_owned(),
                    Asked::Lines(_, pairs) => pairs
                        .iter()
                        .map(|(line, entity)| {
                            format!("{:?}={:?}", truth.get(line), memory.bearer.get(entity))
                        })
                        .collect::<Vec<_>>()
                        .join(" "),
                })
                .collect();
            let about = format!("lost (asked {pairs:?})");
            notes.push(say_all(&about, &mut lost.into_iter()));
        }
    }
    memory.remember(&all, seen, &names);
    Outcome {
        edits: step.edits.clone(),
        score,
        notes,
    }
}

/// Plays a history through a simpler method.
pub fn play_baseline(history: &History, method: Method) -> Vec<Outcome> {
    let mut baseline = Baseline::new(method);
    let mut memory: Memory<u64> = Memory::new();
    let mut out = Vec::new();
    let mut now = Lab::new();
    for step in &history.steps {
        now.wait(if step.minutes == 0 {
            30
        } else {
            step.minutes * 60
        });
        let mut score = Score {
            saves: 1,
            ..Score::default()
        };
        if let (false, Ok(read)) = (step.accident, reading(&step.book)) {
            let all = step.book.seen();
            let seen = without_copies(&all, &memory.seen);
            let verdict = judge(&memory.seen, &seen, civil(&now));
            let first = memory.name_of.is_empty();
            let names: Vec<Option<u64>> = baseline.read(&read).into_iter().map(Some).collect();
            let names = with_copies(&all, &seen, &read, &names);
            if !first {
                memory.compare(&seen, &names, &verdict, &mut score);
                score.wrong_merge = score.false_pair + score.still_false;
                // The name went nowhere: what stands is announced as cancelled, and as new.
                let borne: BTreeSet<u64> = names.values().copied().collect();
                score.wrong_cancel = seen
                    .iter()
                    .filter_map(|(who, _, _)| memory.name_of.get(who))
                    .filter(|name| !borne.contains(name))
                    .count() as u64;
                if verdict.unclear.is_empty() && !verdict.guarded {
                    score.clear_edits = step.edits.len() as u64;
                } else if !verdict.unclear.is_empty() {
                    score.unclear_saves = 1;
                    score.unclear_right = u64::from(score.lost + score.false_pair == 0);
                }
            }
            memory.remember(&all, seen, &names);
        }
        out.push(Outcome {
            edits: step.edits.clone(),
            score,
            notes: Vec::new(),
        });
    }
    out
}
