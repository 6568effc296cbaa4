//! Edits of many lines at once: sorting, blocks, columns, formats, last month pasted below.

use jiff::ToSpan;

use crate::edit::Edit;
use crate::lines::{At, typo};
use crate::place::{Kind, single};
use crate::rng::Rng;
use crate::sheet::{Book, Col, DateStyle, HourStyle, Item, Row, Tab, Tongue, header, headers};
use crate::words::{description, menu};

fn line(who: u32, item: Item) -> Row {
    Row::Line {
        who,
        item: Box::new(item),
    }
}

fn two(book: &Book, rng: &mut Rng) -> Option<(At, At)> {
    let lines = book.lines();
    if lines.len() < 2 {
        return None;
    }
    let a = rng.below(lines.len());
    let b = (a + 1 + rng.below(lines.len() - 1)) % lines.len();
    Some((lines[a.min(b)], lines[a.max(b)]))
}

/// Makes the edit; `false` when this sheet has no place for it.
pub fn apply(edit: Edit, book: &mut Book, kind: Kind, rng: &mut Rng) -> bool {
    let lines = book.lines();
    if lines.is_empty() {
        return false;
    }
    let at = *rng.pick(&lines);
    let tongue = book.tongue;
    match edit {
        Edit::SwapPositions => {
            let Some((a, b)) = two(book, rng) else {
                return false;
            };
            if a.0 != b.0 {
                return false;
            }
            book.tabs[a.0].rows.swap(a.1, b.1);
        }
        Edit::SwapTitles | Edit::SwapDates => {
            let Some((a, b)) = two(book, rng) else {
                return false;
            };
            let (mut one, mut other) = (book.item(a).clone(), book.item(b).clone());
            if edit == Edit::SwapTitles {
                std::mem::swap(&mut one.title, &mut other.title);
            } else {
                std::mem::swap(&mut one.date, &mut other.date);
            }
            if one == *book.item(a) {
                return false;
            }
            *book.item_mut(a) = one;
            *book.item_mut(b) = other;
        }
        Edit::Duplicate | Edit::DuplicateEdited => {
            let mut item = book.item(at).clone();
            if edit == Edit::DuplicateEdited {
                rework(&mut item, kind, tongue, rng);
            }
            let who = book.fresh();
            book.tabs[at.0].rows.insert(at.1 + 1, line(who, item));
        }
        Edit::Split => {
            let now = book.item(at).clone();
            let (Some(start), Some(end)) = (now.start, now.end) else {
                return false;
            };
            if end < start + 90 {
                return false;
            }
            let middle = start + (end - start) / 60 * 30;
            let part = match tongue {
                Tongue::Fr => " (suite)",
                Tongue::En => " (continued)",
            };
            book.item_mut(at).end = Some(middle);
            let second = Item {
                start: Some(middle),
                title: format!("{}{part}", now.title),
                ..now
            };
            let who = book.fresh();
            book.tabs[at.0].rows.insert(at.1 + 1, line(who, second));
        }
        Edit::Merge => {
            let Some((a, b)) = two(book, rng) else {
                return false;
            };
            let gone = book.item(b).clone();
            let kept = book.item_mut(a);
            kept.title = format!("{} + {}", kept.title, gone.title);
            book.tabs[b.0].rows.remove(b.1);
        }
        Edit::Sort => {
            let how = rng.below(5);
            let tab = rng.below(book.tabs.len());
            book.tabs[tab].rows.sort_by_key(|row| match row {
                Row::Other(_) => (1, String::new()),
                Row::Line { item, .. } => (
                    0,
                    match how {
                        0 => format!("{} {:?}", item.date, item.start),
                        1 => item.title.clone(),
                        2 => item.room.clone(),
                        3 => format!("{} {}", item.kind, item.title),
                        _ => format!("{:?}", item.start),
                    },
                ),
            });
            if rng.chance(20) {
                book.tabs[tab].rows.reverse();
            }
        }
        Edit::Insert | Edit::InsertMany => {
            let count = if edit == Edit::Insert {
                1
            } else {
                rng.between(2, 6)
            };
            for _ in 0..count {
                let near = *rng.pick(&book.lines());
                let day = book
                    .item(near)
                    .date
                    .saturating_add(rng.between(-3, 10).days());
                let item = single(kind, tongue, day, rng);
                let who = book.fresh();
                let rows = &mut book.tabs[near.0].rows;
                let place = match rng.below(3) {
                    0 => 0,
                    1 => near.1 + 1,
                    _ => rows.len(),
                };
                rows.insert(place, line(who, item));
            }
        }
        Edit::Delete => {
            book.tabs[at.0].rows.remove(at.1);
        }
        Edit::BlockToTab => return block(book, rng),
        Edit::RenameColumns => {
            for _ in 0..rng.between(1, 3) {
                let tab = rng.below(book.tabs.len());
                let which = rng.below(book.tabs[tab].columns.len());
                let col = book.tabs[tab].columns[which].0;
                book.tabs[tab].columns[which].1 = header(col, tongue, rng);
            }
        }
        Edit::ReorderColumns => {
            let mut order: Vec<usize> = (0..book.tabs[0].columns.len()).collect();
            rng.shuffle(&mut order);
            for tab in &mut book.tabs {
                if tab.columns.len() == order.len() {
                    tab.columns = order.iter().map(|&i| tab.columns[i].clone()).collect();
                }
            }
        }
        Edit::InsertColumn => return insert_column(book, kind, rng),
        Edit::DropColumn => {
            let droppable = [
                Col::Kind,
                Col::Organiser,
                Col::Contact,
                Col::Capacity,
                Col::Note,
                Col::Number,
            ];
            let col = *rng.pick(&droppable);
            if !book.tabs.iter().any(|tab| tab.has(col)) {
                return false;
            }
            for tab in &mut book.tabs {
                tab.columns.retain(|(known, _)| *known != col);
            }
        }
        Edit::Formats => {
            let styles = [
                DateStyle::Iso,
                DateStyle::Slash,
                DateStyle::Weekday,
                DateStyle::Words,
                DateStyle::NoYear,
            ];
            let dates = *rng.pick(&styles);
            let hours = *rng.pick(&[HourStyle::Colon, HourStyle::H, HourStyle::Long]);
            for tab in &mut book.tabs {
                tab.dates = dates;
                tab.hours = if tongue == Tongue::En {
                    HourStyle::Colon
                } else {
                    hours
                };
                tab.separator = if tab.separator == b',' { b';' } else { b',' };
            }
        }
        Edit::Sections => {
            for _ in 0..rng.between(1, 4) {
                let tab = rng.below(book.tabs.len());
                let rows = &mut book.tabs[tab].rows;
                let place = rng.below(rows.len() + 1);
                let text = *rng.pick(&["", "", "* * *", "— à compléter —"]);
                rows.insert(place, Row::Other(text.to_owned()));
            }
        }
        Edit::BulkRoom => {
            let from = book.item(at).room.clone();
            if from.is_empty() || !book.tabs[at.0].has(Col::Room) {
                return false;
            }
            for at in lines {
                let item = book.item_mut(at);
                if item.room == from {
                    item.room = format!("{from} (1er étage)");
                }
            }
        }
        Edit::DragDown => return drag(book, at, rng),
        Edit::PasteLastMonth | Edit::PasteLastMonthEdited => {
            let Some(first) = lines.iter().map(|at| book.item(*at).date).max() else {
                return false;
            };
            let (y, m) = (first.year(), first.month());
            let copies: Vec<Item> = lines
                .iter()
                .map(|at| book.item(*at).clone())
                .filter(|item| (item.date.year(), item.date.month()) == (y, m))
                .take(40)
                .collect();
            let tab = book.tabs.len() - 1;
            for mut item in copies {
                if edit == Edit::PasteLastMonthEdited {
                    next_month(&mut item, rng);
                }
                let who = book.fresh();
                book.tabs[tab].rows.push(line(who, item));
            }
        }
        Edit::RenameTab => {
            let tab = rng.below(book.tabs.len());
            let name = &mut book.tabs[tab].name;
            if name.contains(" (") {
                return false;
            }
            name.push_str(" (v2)");
        }
        Edit::Empty => {
            for tab in &mut book.tabs {
                tab.rows.clear();
            }
        }
        Edit::HalfLost => {
            let keep = lines.len() / 2;
            for at in lines.iter().skip(keep).rev() {
                book.tabs[at.0].rows.remove(at.1);
            }
        }
        Edit::YearRolled => {
            // Last year's sheet, saved under its name: every line becomes next year's.
            for at in lines {
                let item = book.item_mut(at);
                item.date = item.date.saturating_add((7 * 52).days());
                let who = book.fresh();
                book.set_who(at, who);
            }
        }
        _ => return false,
    }
    true
}

/// What makes a copied line another activity: its day, and often its title and more.
pub fn rework(item: &mut Item, kind: Kind, tongue: Tongue, rng: &mut Rng) {
    item.date = item
        .date
        .saturating_add((*rng.pick(&[1_i64, 3, 7, 7, 14, 5])).days());
    if rng.chance(70) {
        let other = single(kind, tongue, item.date, rng);
        item.title = other.title;
        item.description = other.description;
    }
    if rng.chance(30) {
        (*rng.pick(menu(tongue).rooms)).clone_into(&mut item.room);
    }
}

/// A pasted line gets its day of the next month, and now and then another topic.
pub fn next_month(item: &mut Item, rng: &mut Rng) {
    item.date = item
        .date
        .saturating_add((*rng.pick(&[28_i64, 28, 28, 35])).days());
    if rng.chance(10) {
        item.title = typo(&item.title, rng);
    }
}

fn block(book: &mut Book, rng: &mut Rng) -> bool {
    let from = rng.below(book.tabs.len());
    let count = book.tabs[from].rows.len();
    if count < 6 {
        return false;
    }
    let to = if book.tabs.len() > 1 && rng.chance(60) {
        (from + 1 + rng.below(book.tabs.len() - 1)) % book.tabs.len()
    } else {
        let name = match book.tongue {
            Tongue::Fr => "Suite 2027",
            Tongue::En => "More 2027",
        };
        if book.tabs.iter().any(|tab| tab.name == name) {
            return false;
        }
        let tab = Tab {
            name: name.to_owned(),
            rows: Vec::new(),
            ..book.tabs[from].clone()
        };
        book.tabs.push(tab);
        book.tabs.len() - 1
    };
    if book.tabs[from]
        .columns
        .iter()
        .map(|(col, _)| col)
        .ne(book.tabs[to].columns.iter().map(|(col, _)| col))
    {
        return false;
    }
    let length = rng.between(2, 12.min(count as i64 - 2)) as usize;
    let start = rng.below(count - length);
    let moved: Vec<Row> = book.tabs[from].rows.drain(start..start + length).collect();
    let place = rng.below(book.tabs[to].rows.len() + 1);
    book.tabs[to].rows.splice(place..place, moved);
    true
}

fn insert_column(book: &mut Book, kind: Kind, rng: &mut Rng) -> bool {
    let candidates = [
        Col::Note,
        Col::Number,
        Col::Description,
        Col::Organiser,
        Col::Capacity,
        Col::Kind,
    ];
    let col = *rng.pick(&candidates);
    if book.tabs.iter().any(|tab| tab.has(col)) {
        return false;
    }
    let tongue = book.tongue;
    let name = (*rng.pick(headers(col, tongue))).to_owned();
    for tab in &mut book.tabs {
        let place = rng.below(tab.columns.len() + 1);
        tab.columns.insert(place, (col, name.clone()));
    }
    // The new column is filled in, line by line.
    for at in book.lines() {
        let day = book.item(at).date;
        let other = single(kind, tongue, day, rng);
        let item = book.item_mut(at);
        match col {
            Col::Note => {
                item.note = if rng.chance(30) {
                    "oui".into()
                } else {
                    String::new()
                }
            }
            Col::Description => item.description = description(menu(tongue), &item.title, rng),
            Col::Organiser => item.organiser = other.organiser,
            Col::Capacity => item.capacity = other.capacity,
            Col::Kind => item.kind = other.kind,
            _ => {}
        }
    }
    true
}

fn drag(book: &mut Book, at: At, rng: &mut Rng) -> bool {
    let source = book.item(at).clone();
    let below: Vec<At> = book
        .lines()
        .into_iter()
        .filter(|other| other.0 == at.0 && other.1 > at.1)
        .take(rng.between(1, 4) as usize)
        .collect();
    if below.is_empty() {
        return false;
    }
    let what = rng.below(3);
    for other in below {
        let item = book.item_mut(other);
        match what {
            0 => item.room.clone_from(&source.room),
            1 => (item.start, item.end) = (source.start, source.end),
            _ => item.organiser.clone_from(&source.organiser),
        }
    }
    true
}
