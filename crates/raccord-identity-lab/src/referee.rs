//! What a careful person, shown a sheet before and after, would call clear.
//!
//! The referee knows the truth and asks only whether it shows: whether a line that stayed looks
//! more like itself than like any other, and whether one that went or came looks like nothing
//! else. Written before the matcher was read, and not after its measure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::DateTime;
use raccord_model::{Civil, over_at};
use unicode_normalization::UnicodeNormalization;

use crate::sheet::{Item, Place};
use crate::truth::say;

/// A line as seen: which activity it is, where it stands, what it says.
pub type Seen = (u32, Place, Item);

/// What the referee says of one save.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Activities of which a careful person would ask.
    pub unclear: BTreeSet<u32>,
    /// Activities that changed, came or went.
    pub touched: BTreeSet<u32>,
    /// Whether so much changed at once that the guard asks, whatever is clear.
    pub guarded: bool,
}

/// Leaves out lines that say word for word what another one says: they are no activity yet. The
/// one that said so before stays, or the oldest.
pub fn without_copies(lines: &[Seen], before: &[Seen]) -> Vec<Seen> {
    let said: BTreeMap<u32, String> = before
        .iter()
        .map(|(who, _, item)| (*who, say(item)))
        .collect();
    let mut first: BTreeMap<String, (bool, u32)> = BTreeMap::new();
    for (who, _, item) in lines {
        let words = say(item);
        let rank = (said.get(who) != Some(&words), *who);
        let least = first.entry(words).or_insert(rank);
        *least = (*least).min(rank);
    }
    lines
        .iter()
        .filter(|(who, _, item)| first[&say(item)].1 == *who)
        .cloned()
        .collect()
}

/// Letters and digits, without case and accents.
pub fn fold(text: &str) -> String {
    let plain: String = text
        .nfd()
        .filter(|c| !unicode_normalization::char::is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How much two folded titles speak for one activity.
pub fn titles(a: &str, b: &str) -> i32 {
    if a == b {
        return 3;
    }
    let short = a.chars().count().min(b.chars().count());
    let inside = short >= 5 && (a.contains(b) || b.contains(a));
    let alike = strsim::normalized_levenshtein(a, b);
    if inside || alike >= 0.75 {
        2
    } else if alike < 0.4 {
        -1
    } else {
        0
    }
}

/// What speaks for two lines being one activity.
#[derive(Clone, Copy, Debug)]
struct Likeness {
    title: i32,
    date: bool,
    told: bool,
    sum: i32,
}

impl Likeness {
    fn of((a, a_title): (&Item, &str), (b, b_title): (&Item, &str)) -> Self {
        let title = titles(a_title, b_title);
        let date = a.date == b.date;
        let mut sum = title + if date { 2 } else { 0 };
        let both = |x: &str, y: &str| !x.is_empty() && !y.is_empty();
        sum += i32::from(a.start.is_some() && a.start == b.start);
        sum += i32::from(both(&a.room, &b.room) && a.room == b.room);
        if both(&a.organiser, &b.organiser) {
            sum += if a.organiser == b.organiser { 1 } else { -1 };
        }
        let mut told = false;
        if both(&a.description, &b.description) {
            told = a.description.contains(&b.description) || b.description.contains(&a.description);
            sum += if told { 2 } else { -1 };
        }
        Self {
            title,
            date,
            told,
            sum,
        }
    }

    /// Whether one would say, without hesitation, that it is the same.
    fn is_same(self) -> bool {
        self.sum >= if self.title >= 2 { 2 } else { 4 }
    }

    /// Whether one might think that it is the same.
    fn may_be_same(self) -> bool {
        if self.title >= 2 {
            return self.sum >= 2;
        }
        (self.date || self.told) && self.sum >= 2
    }
}

fn minute(day: jiff::civil::Date, minutes: u16) -> Civil {
    let time = jiff::civil::time((minutes / 60 % 24) as i8, (minutes % 60) as i8, 0, 0);
    Civil::Minute(day.to_datetime(time))
}

/// Whether it is still to come.
pub fn is_coming(item: &Item, now: DateTime) -> bool {
    let start = item
        .start
        .map_or(Civil::Day(item.date), |start| minute(item.date, start));
    let end = item.start.zip(item.end).map(|(start, end)| {
        // What ends before it starts ends the next day.
        let day = if end <= start {
            item.date.tomorrow().unwrap_or(item.date)
        } else {
            item.date
        };
        minute(day, end)
    });
    over_at(start, end) > now
}

/// Judges a save: the lines last accepted, and the lines now, copies left out of both.
pub fn judge(old: &[Seen], new: &[Seen], now_is: DateTime) -> Verdict {
    let before: BTreeMap<u32, &Item> = old.iter().map(|(who, _, item)| (*who, item)).collect();
    let after: BTreeMap<u32, &Item> = new.iter().map(|(who, _, item)| (*who, item)).collect();
    let mut verdict = Verdict::default();
    // What did not stay as it was: only these can be taken for one another.
    let moved_old: Vec<(u32, &Item, String)> = before
        .iter()
        .filter(|(who, item)| after.get(who).is_none_or(|now| say(now) != say(item)))
        .map(|(who, item)| (*who, *item, fold(&item.title)))
        .collect();
    let moved_new: Vec<(u32, &Item, String)> = after
        .iter()
        .filter(|(who, item)| before.get(who).is_none_or(|then| say(then) != say(item)))
        .map(|(who, item)| (*who, *item, fold(&item.title)))
        .collect();
    verdict.touched = moved_old
        .iter()
        .chain(&moved_new)
        .map(|(who, _, _)| *who)
        .collect();
    let own: BTreeMap<u32, Likeness> = moved_old
        .iter()
        .filter_map(|(who, then, title)| {
            let now = after.get(who)?;
            Some((*who, Likeness::of((then, title), (now, &fold(&now.title)))))
        })
        .collect();
    for (who, then, then_title) in &moved_old {
        for (other, now, now_title) in &moved_new {
            let alike = Likeness::of((then, then_title), (now, now_title));
            if who == other {
                // What is over and gets a day to come was put off, or is the next of its kind.
                let again = !is_coming(then, now_is) && is_coming(now, now_is);
                if !alike.is_same() || again {
                    verdict.unclear.insert(*who);
                }
                continue;
            }
            // What is over and was taken out is nobody's past.
            let over = !is_coming(then, now_is) && !after.contains_key(who);
            if over && now.date > then.date {
                continue;
            }
            // Each of the two has a line of its own, or has none.
            let stronger = [who, other]
                .into_iter()
                .filter_map(|id| own.get(id))
                .map(|own| own.sum)
                .max();
            let rival = match stronger {
                Some(own) => alike.may_be_same() && alike.sum + 2 > own,
                None => alike.may_be_same(),
            };
            if rival {
                verdict.unclear.extend([*who, *other]);
            }
        }
    }
    let coming = old
        .iter()
        .filter(|(_, _, item)| is_coming(item, now_is))
        .count();
    let missing = old
        .iter()
        .filter(|(who, _, item)| is_coming(item, now_is) && !after.contains_key(who))
        .count();
    let key = |item: &Item| {
        (
            item.date,
            item.start,
            item.end,
            item.room.clone(),
            item.title.clone(),
        )
    };
    let changed = moved_old
        .iter()
        .filter(|(who, then, _)| after.get(who).is_some_and(|now| key(now) != key(then)))
        .count();
    verdict.guarded = missing >= 3 && missing * 4 > coming
        || changed >= 10 && changed * 2 > old.len().min(coming.max(1) * 2);
    verdict
}
