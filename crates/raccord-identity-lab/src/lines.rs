//! Edits of single lines: what changes in a title, a date, a room.

use crate::edit::Edit;
use crate::place::{Kind, single, weeks_later};
use crate::rng::Rng;
use crate::sheet::{Book, Col, Item, Row, Tongue};
use crate::words::{description, menu};

use jiff::ToSpan;

/// Where a line stands: tab, index.
pub type At = (usize, usize);

/// A typing mistake made or mended: a letter lost, doubled, changed or two exchanged.
pub fn typo(title: &str, rng: &mut Rng) -> String {
    let mut chars: Vec<char> = title.chars().collect();
    let letters: Vec<usize> = (1..chars.len())
        .filter(|&i| chars[i].is_alphabetic())
        .collect();
    if letters.len() < 3 {
        return format!("{title}s");
    }
    let at = *rng.pick(&letters);
    match rng.below(4) {
        0 => {
            chars.remove(at);
        }
        1 => chars.insert(at, chars[at]),
        2 => chars[at] = *rng.pick(&['a', 'e', 'i', 'n', 'r', 's', 't', 'o']),
        _ if at + 1 < chars.len() => chars.swap(at, at + 1),
        _ => chars.push('s'),
    }
    chars.into_iter().collect()
}

fn dressed(title: &str, rng: &mut Rng) -> String {
    match rng.below(5) {
        0 => title.to_uppercase(),
        1 => title.to_lowercase(),
        2 => {
            use unicode_normalization::UnicodeNormalization;
            let plain: String = title
                .nfd()
                .filter(|c| !unicode_normalization::char::is_combining_mark(*c))
                .collect();
            plain.replace('’', "'")
        }
        3 => format!("{} {title}", rng.pick(&["🎵", "🌱", "🚲", "🎉", "⭐"])),
        _ => format!("{title} {}", rng.pick(&["🎶", "🍲", "✂️", "!", "🎪"])),
    }
}

fn completed(title: &str, tongue: Tongue, rng: &mut Rng) -> String {
    let more = match tongue {
        Tongue::Fr => [
            " (avec les voisins)",
            " – deuxième partie",
            " et goûter partagé",
            " : les bases",
            " en famille",
        ],
        Tongue::En => [
            " (all ages)",
            " – part two",
            " and shared tea",
            ": the basics",
            " with friends",
        ],
    };
    format!("{title}{}", rng.pick(&more))
}

fn other_title(now: &Item, kind: Kind, tongue: Tongue, rng: &mut Rng) -> String {
    for _ in 0..20 {
        let other = single(kind, tongue, now.date, rng).title;
        if strsim::normalized_levenshtein(&other.to_lowercase(), &now.title.to_lowercase()) < 0.4 {
            return other;
        }
    }
    "Scène ouverte".to_owned()
}

/// Moves it, but not onto another line of its series: that would make them one.
fn move_date(book: &Book, item: &mut Item, rng: &mut Rng) {
    let from = item.date;
    let taken: Vec<_> = book
        .lines()
        .into_iter()
        .map(|at| book.item(at))
        .filter(|other| other.title == item.title)
        .map(|other| other.date)
        .collect();
    for _ in 0..20 {
        let days = *rng.pick(&[1, 2, 3, 7, 7, 7, 14, -1, -2, -7, 21, 28]);
        let to = from.saturating_add(i64::from(days).days());
        if !taken.contains(&to) {
            item.date = to;
            return;
        }
    }
}

fn move_hours(item: &mut Item, rng: &mut Rng) {
    let by = *rng.pick(&[30_i32, 60, -30, -60, 120]);
    let moved = |minutes: u16| ((i32::from(minutes) + by).rem_euclid(24 * 60)) as u16;
    match item.start {
        Some(_) => {
            item.start = item.start.map(moved);
            item.end = item.end.map(moved);
        }
        None => item.start = Some(19 * 60),
    }
}

fn other_room(book: &Book, now: &Item, rng: &mut Rng) -> String {
    loop {
        let room = *rng.pick(menu(book.tongue).rooms);
        if room != now.room {
            return room.to_owned();
        }
    }
}

/// Makes an edit of one line; `false` when this sheet has no place for it.
pub fn apply(edit: Edit, book: &mut Book, at: At, kind: Kind, rng: &mut Rng) -> bool {
    let tongue = book.tongue;
    let has = |book: &Book, col| book.tabs[at.0].has(col);
    let now = book.item(at).clone();
    let mut next = now.clone();
    match edit {
        Edit::Typo => next.title = typo(&now.title, rng),
        Edit::CaseAccentsEmoji => next.title = dressed(&now.title, rng),
        Edit::RetitleMore => next.title = completed(&now.title, tongue, rng),
        Edit::RetitleWhole => next.title = other_title(&now, kind, tongue, rng),
        Edit::MoveDate | Edit::MoveOccurrence => move_date(book, &mut next, rng),
        Edit::MoveHours => move_hours(&mut next, rng),
        Edit::MoveRoom if has(book, Col::Room) => next.room = other_room(book, &now, rng),
        Edit::MoveDateHours => {
            move_date(book, &mut next, rng);
            move_hours(&mut next, rng);
        }
        Edit::SeveralFields => {
            move_hours(&mut next, rng);
            if has(book, Col::Room) {
                next.room = other_room(book, &now, rng);
            }
            if rng.chance(50) {
                (*rng.pick(menu(tongue).people)).clone_into(&mut next.organiser);
            }
        }
        Edit::Describe if has(book, Col::Description) => {
            let menu = menu(tongue);
            next.description = description(menu, &now.title, rng) + " " + menu.sentences[1];
        }
        Edit::CancelByStatus | Edit::CancelOccurrence => {
            let (word, front) = match tongue {
                Tongue::Fr => ("Annulé", "ANNULÉ - "),
                Tongue::En => ("Cancelled", "CANCELLED - "),
            };
            if has(book, Col::Status) {
                word.clone_into(&mut next.status);
            } else {
                next.title = format!("{front}{}", now.title);
            }
        }
        Edit::Replace => {
            let other = single(kind, tongue, now.date, rng);
            let who = book.fresh();
            next = Item {
                title: other_title(&now, kind, tongue, rng),
                description: other.description,
                organiser: other.organiser,
                contact: other.contact,
                kind: other.kind,
                start: now.start,
                end: now.end,
                room: now.room.clone(),
                ..other
            };
            book.set_who(at, who);
        }
        _ => return false,
    }
    if next == now {
        return false;
    }
    *book.item_mut(at) = next;
    true
}

/// Lines that share their title, hours and room with others: the occurrences of series.
pub fn series(book: &Book, rng: &mut Rng) -> Option<Vec<At>> {
    let lines = book.lines();
    if lines.is_empty() {
        return None;
    }
    let start = rng.below(lines.len());
    for step in 0..lines.len() {
        let first = book.item(lines[(start + step) % lines.len()]);
        let mut same: Vec<At> = lines
            .iter()
            .copied()
            .filter(|at| book.item(*at).title == first.title)
            .collect();
        if same.len() >= 3 {
            same.sort_by_key(|at| book.item(*at).date);
            return Some(same);
        }
    }
    None
}

/// Edits of an occurrence of a series, or of all of them.
pub fn apply_series(edit: Edit, book: &mut Book, kind: Kind, rng: &mut Rng) -> bool {
    let Some(all) = series(book, rng) else {
        return false;
    };
    match edit {
        Edit::DeleteOccurrence => {
            let at = *rng.pick(&all);
            book.tabs[at.0].rows.remove(at.1);
        }
        Edit::CancelOccurrence | Edit::MoveOccurrence => {
            let at = *rng.pick(&all);
            return apply(edit, book, at, kind, rng);
        }
        Edit::AddOccurrence => {
            let last = all[all.len() - 1];
            let mut item = book.item(last).clone();
            item.date = weeks_later(item.date, 1);
            let who = book.fresh();
            book.tabs[last.0].rows.insert(
                last.1 + 1,
                Row::Line {
                    who,
                    item: Box::new(item),
                },
            );
        }
        Edit::ShiftSeries => {
            for at in all {
                let item = book.item_mut(at);
                item.date = weeks_later(item.date, 1);
            }
        }
        _ => return false,
    }
    true
}
