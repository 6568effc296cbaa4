//! Which line is which activity, when a sheet was saved.
//!
//! The truth follows the hand that edits, but for what no hand shows. Where a line announces, after
//! a save, what another line announced before (title, day and hour), or says all it said but for day
//! and hours, it is that activity: people come to what is announced, not to a row. And one gone, one
//! come, with nothing but the moment between them, is a move: the design says so, and nobody who
//! reads the sheet could tell.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::DateTime;

use crate::lines::At;
use crate::place;
use crate::referee::{Seen, fold, is_coming, titles, without_copies};
use crate::sheet::{Book, Item};

/// What the line there says, as text.
pub fn words(book: &Book, at: At) -> String {
    say(&book.tabs[at.0].shown(book.item(at)))
}

/// What a line says, as text: two lines that say the same are told apart by nobody.
pub fn say(item: &Item) -> String {
    format!("{item:?}")
}

/// The title as it is announced: that it is cancelled is said of it, and is no part of it.
fn named(item: &Item) -> String {
    let title = fold(&item.title);
    let bare = ["annule ", "cancelled "]
        .iter()
        .find_map(|word| title.strip_prefix(word));
    bare.map_or_else(|| title.clone(), str::to_owned)
}

/// What is announced: title, day and hour.
fn announced(book: &Book, at: At) -> String {
    let item = book.tabs[at.0].shown(book.item(at));
    format!("{}|{}|{:?}", named(&item), item.date, item.start)
}

/// What is announced, to the letter.
fn announced_exactly(book: &Book, at: At) -> String {
    format!("{}|{}", book.item(at).title, announced(book, at))
}

/// What is announced, whatever the hour.
fn announced_day(book: &Book, at: At) -> String {
    let item = book.item(at);
    format!("{}|{}", named(item), item.date)
}

/// All a line says but its day and hours.
fn undated(book: &Book, at: At) -> String {
    undated_item(&book.tabs[at.0].shown(book.item(at)))
}

/// All a line says but its title, of which the beginning is enough: a slip of the hand, or some
/// words more.
fn titled_alike(book: &Book, at: At) -> String {
    let mut item = book.tabs[at.0].shown(book.item(at));
    item.title = fold(&item.title).chars().take(1).collect();
    say(&item)
}

/// Whoever undoes brings back the lines of then, and no hand took another's words; but what stands
/// word for word as it stood is whom it was.
pub fn undone(before: &Book, seen: &[Seen], after: &mut Book, now: DateTime) {
    take_over(before, seen, after, words, &BTreeSet::new(), now);
}

/// Gives lines the names of those whose words they took over.
pub fn same_words(before: &Book, seen: &[Seen], after: &mut Book, now: DateTime) {
    let mut standing = BTreeSet::new();
    for tell in [
        words,
        announced_exactly,
        announced,
        announced_day,
        titled_alike,
        undated,
    ] {
        take_over(before, seen, after, tell, &standing, now);
        let said: BTreeMap<u32, String> = originals(before, seen)
            .into_iter()
            .map(|at| (before.who(at), tell(before, at)))
            .collect();
        standing.extend(
            after
                .lines()
                .into_iter()
                .filter(|at| said.get(&after.who(*at)) == Some(&tell(after, *at)))
                .map(|at| after.who(at)),
        );
    }
    unrecognisable(before, after);
    for tell in [undated_item, undated_alike, slot_alike] {
        one_for_one(before, seen, after, now, tell);
    }
    had_their_turn(before, after, now);
}

/// An occurrence that is over and gets a day to come is another occurrence; anything that is over
/// and comes again months later is another too.
fn had_their_turn(before: &Book, after: &mut Book, now: DateTime) {
    let mut titles: BTreeMap<String, usize> = BTreeMap::new();
    let mut over: BTreeMap<u32, jiff::civil::Date> = BTreeMap::new();
    for at in before.lines() {
        let item = before.item(at);
        *titles.entry(named(item)).or_default() += 1;
        if !is_coming(item, now) {
            over.insert(before.who(at), item.date);
        }
    }
    for at in after.lines() {
        let item = after.item(at);
        let Some(then) = over.get(&after.who(at)) else {
            continue;
        };
        let later = item.date > *then && is_coming(item, now);
        let series = titles.get(&named(item)).is_some_and(|count| *count > 1);
        let long = item.date > then.saturating_add(90.days());
        if later && (series || long) {
            let who = after.fresh();
            after.set_who(at, who);
        }
    }
}

/// The lines but those that say word for word what another one says: of the activities `seen`.
fn originals(book: &Book, seen: &[Seen]) -> Vec<At> {
    let activities: BTreeSet<u32> = seen.iter().map(|(who, _, _)| *who).collect();
    let mut lines = book.lines();
    lines.retain(|at| activities.contains(&book.who(*at)));
    lines
}

/// Where a line says by `tell` what one other line alone said before, and neither that one nor
/// itself says it still, they exchange names.
fn take_over(
    before: &Book,
    seen: &[Seen],
    after: &mut Book,
    tell: fn(&Book, At) -> String,
    standing: &BTreeSet<u32>,
    now: DateTime,
) {
    let mut old: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    let mut said: BTreeMap<u32, String> = BTreeMap::new();
    let mut over: BTreeSet<u32> = BTreeSet::new();
    for at in originals(before, seen) {
        let text = tell(before, at);
        let who = before.who(at);
        if !is_coming(before.item(at), now) {
            over.insert(who);
        }
        said.insert(who, text.clone());
        old.entry(text).or_default().push(who);
    }
    let lines = after.lines();
    let texts: Vec<String> = lines.iter().map(|at| tell(after, *at)).collect();
    let mut at_of: BTreeMap<u32, usize> = lines
        .iter()
        .enumerate()
        .map(|(index, at)| (after.who(*at), index))
        .collect();
    let stands =
        |who: u32, index: usize| standing.contains(&who) || said.get(&who) == Some(&texts[index]);
    for index in 0..lines.len() {
        let who = after.who(lines[index]);
        // Said twice, it is nobody's.
        let Some([owner]) = old.get(&texts[index]).map(Vec::as_slice) else {
            continue;
        };
        let owner = *owner;
        if owner == who || stands(who, index) {
            continue;
        }
        let other = at_of.get(&owner).copied();
        if other.map_or(over.contains(&owner), |other| stands(owner, other)) {
            continue;
        }
        after.set_who(lines[index], owner);
        at_of.insert(owner, index);
        if let Some(other) = other {
            after.set_who(lines[other], who);
            at_of.insert(who, other);
        } else {
            at_of.remove(&who);
        }
    }
}

/// All an item says but its day and hours.
fn undated_item(item: &Item) -> String {
    let mut item = item.clone();
    item.date = place::FIRST;
    (item.start, item.end) = (None, None);
    say(&item)
}

/// The same, but for a slip in the title or some words more.
fn undated_alike(item: &Item) -> String {
    let mut item = item.clone();
    item.date = place::FIRST;
    (item.start, item.end) = (None, None);
    item.title = fold(&item.title).chars().take(4).collect();
    say(&item)
}

/// Day and last word of the title, or nearly: what became of a line that was cut up.
fn slot_alike(item: &Item) -> String {
    let title = fold(&item.title);
    let core = title
        .trim_end_matches(" suite")
        .trim_end_matches(" continued");
    let tail: Vec<&str> = core.split(' ').rev().take(2).collect();
    format!("{} {}", item.date, tail.join(" "))
}

/// Quite another title and another day in one save, and no story that says it is the same: nobody
/// but the hand that wrote it can know, and it is another activity.
fn unrecognisable(before: &Book, after: &mut Book) {
    let known: BTreeMap<u32, Item> = before
        .lines()
        .into_iter()
        .map(|at| (before.who(at), before.tabs[at.0].shown(before.item(at))))
        .collect();
    for at in after.lines() {
        let now = after.tabs[at.0].shown(after.item(at));
        let Some(then) = known.get(&after.who(at)) else {
            continue;
        };
        let told = !then.description.is_empty() && then.description == now.description;
        let (a, b) = (fold(&then.title), fold(&now.title));
        let alike =
            a.contains(&b) || b.contains(&a) || strsim::normalized_levenshtein(&a, &b) >= 0.4;
        if then.date != now.date && !told && !alike {
            let who = after.fresh();
            after.set_who(at, who);
        }
    }
}

/// Whether the title is the one that activity had, or nearly.
fn named_alike(before: &Book, who: u32, now: &Item) -> bool {
    let then = before.lines().into_iter().find(|at| before.who(*at) == who);
    then.is_some_and(|at| titles(&named(before.item(at)), &named(now)) >= 2)
}

/// One line gone, one come, and nothing but the day and hours differs: nobody who was not there
/// can tell it from a move, and it is taken for one. What is over does not move.
fn one_for_one(
    before: &Book,
    seen: &[Seen],
    after: &mut Book,
    now: DateTime,
    tell: fn(&Item) -> String,
) {
    let cut = [before.clone(), after.clone()];
    let tell = |book: &Book, at: At| {
        let mut item = book.item(at).clone();
        // What a column says that came or went with this save is no difference.
        for tab in cut.iter().flat_map(|book| &book.tabs) {
            item = tab.shown(&item);
        }
        tell(&item)
    };
    // A line that says word for word what another says is no activity: it is not one that stands.
    let names = |lines: &[Seen]| -> BTreeSet<u32> { lines.iter().map(|line| line.0).collect() };
    let stood = names(seen);
    let stand = names(&without_copies(&after.seen(), seen));
    let words_of: BTreeSet<String> = before.lines().iter().map(|at| words(before, *at)).collect();
    let mut gone: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for at in before.lines() {
        let who = before.who(at);
        if stood.contains(&who) && !stand.contains(&who) && is_coming(before.item(at), now) {
            gone.entry(tell(before, at))
                .or_default()
                .push(before.who(at));
        }
    }
    let mut come: BTreeMap<String, Vec<At>> = BTreeMap::new();
    for at in after.lines() {
        let who = after.who(at);
        if stand.contains(&who) && !stood.contains(&who) && !words_of.contains(&words(after, at)) {
            come.entry(tell(after, at)).or_default().push(at);
        }
    }
    for (text, whos) in gone {
        if let ([who], Some([at])) = (whos.as_slice(), come.get(&text).map(Vec::as_slice))
            && named_alike(before, *who, after.item(*at))
        {
            after.rename(*at, *who);
        }
    }
}
