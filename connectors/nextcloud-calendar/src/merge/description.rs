//! DESCRIPTION, which members write in too: our lines are known by their digests, every other line
//! is theirs and stays, before ours or after them as it stood.

use raccord_kit::folded::escaped;
use raccord_model::Authority;

use super::Before;
use super::base::{Base, digest};
use crate::ical::lines::{Component, Lines, unescaped};
use crate::shown::Shown;

/// Brings our lines into the description; `before` is what we wrote last, and whether we insist.
/// False where members' words were left to stand for ours.
pub(super) fn write(
    lines: &mut Lines,
    component: &mut Component,
    shown: &Shown,
    before: Before<'_>,
) -> bool {
    let told = prose(lines, component, shown, before);
    hands(lines, component, shown, before);
    told
}

/// Brings in the description, and what is said below it.
fn prose(lines: &mut Lines, component: &mut Component, shown: &Shown, before: Before<'_>) -> bool {
    let ours = whole(shown);
    let theirs = standing(lines, *component);
    let fresh: Vec<String> = ours.iter().map(|line| digest(line)).collect();
    let known: Vec<String> = match before {
        Before::Standing(Some(base), _) => {
            base.text().iter().chain(base.notes()).cloned().collect()
        }
        // What an entry we never wrote says already need not be said twice.
        _ => fresh.clone(),
    };
    if let Before::Standing(base, insist) = before {
        let filled = |list: &[String]| -> Vec<String> {
            let blank = digest("");
            list.iter().filter(|one| **one != blank).cloned().collect()
        };
        let unchanged = filled(&fresh) == filled(&known);
        let whole = in_order(&theirs, &known);
        if unchanged && whole {
            return true;
        }
        let ours_counts = match shown.authority("description") {
            Authority::Ours => true,
            Authority::Ask => whole || insist || base.is_none(),
            Authority::Theirs => whole && base.is_some(),
        };
        if !ours_counts {
            return false;
        }
    }
    let (first, last) = apart(&theirs, &known);
    let parts = [first, ours, last];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(|part| part.join("\n"))
        .collect();
    put(lines, component, &parts.join("\n\n"));
    true
}

/// Brings in the tasks: they are told where they were told before, whatever stands around them.
/// Whose lines a member took out altogether wants none.
fn hands(lines: &mut Lines, component: &mut Component, shown: &Shown, before: Before<'_>) {
    let fresh: Vec<String> = shown.hands.iter().map(|line| digest(line)).collect();
    let known: &[String] = match before {
        Before::Standing(Some(base), _) => base.hands(),
        // What an entry we never wrote says already need not be said twice.
        Before::Standing(None, _) | Before::New => &fresh,
    };
    let told = matches!(before, Before::Standing(Some(_), _));
    if told && known == fresh {
        return;
    }
    let mut all = standing(lines, *component);
    let Some(at) = all.iter().position(|line| known.contains(&digest(line))) else {
        if shown.hands.is_empty() || told && !known.is_empty() {
            return;
        }
        if !all.is_empty() {
            all.push(String::new());
        }
        all.extend(shown.hands.iter().cloned());
        return put(lines, component, &all.join("\n"));
    };
    let after = all.split_off(at);
    let mut after: Vec<String> = after
        .into_iter()
        .filter(|line| !known.contains(&digest(line)))
        .collect();
    if shown.hands.is_empty() && after.iter().all(|line| line.trim().is_empty()) {
        // The gap above went with them.
        after.clear();
        all.pop_if(|line| line.trim().is_empty());
    }
    all.extend(shown.hands.iter().cloned());
    all.append(&mut after);
    put(lines, component, &all.join("\n"));
}

fn put(lines: &mut Lines, component: &mut Component, text: &str) {
    if text.is_empty() {
        lines.remove(component, "DESCRIPTION");
    } else {
        lines.set(component, "DESCRIPTION", &[], &["ALTREP"], &escaped(text));
    }
}

/// What members made of our description, where they changed what we wrote: without the lines below
/// it that are ours.
pub(super) fn edited(lines: &Lines, base: &Base) -> Option<String> {
    let component = lines.master("VEVENT").or_else(|| lines.master("VTODO"))?;
    let theirs = standing(lines, component);
    if in_order(&theirs, base.text()) {
        return None;
    }
    let blank = digest("");
    let said: Vec<&str> = theirs
        .iter()
        .map(String::as_str)
        .filter(|line| {
            let digest = digest(line);
            let ours = base.notes().contains(&digest) || base.hands().contains(&digest);
            digest == blank || !ours
        })
        .collect();
    Some(said.join("\n").trim().to_owned())
}

/// All our lines: the description, and what is said below it.
fn whole(shown: &Shown) -> Vec<String> {
    let gap = !shown.text.is_empty() && !shown.notes.is_empty();
    let blank = gap.then(String::new);
    shown
        .text
        .iter()
        .cloned()
        .chain(blank)
        .chain(shown.notes.iter().cloned())
        .collect()
}

/// The lines that stand there.
fn standing(lines: &Lines, component: Component) -> Vec<String> {
    let Some(line) = lines.get(component, "DESCRIPTION") else {
        return Vec::new();
    };
    let text = unescaped(line.value());
    if text.is_empty() {
        return Vec::new();
    }
    text.split('\n').map(str::to_owned).collect()
}

/// Whether every line we wrote stands there still, in its order; blank ones do not count.
fn in_order(theirs: &[String], ours: &[String]) -> bool {
    let blank = digest("");
    let mut there = theirs.iter().map(|line| digest(line));
    ours.iter()
        .filter(|one| **one != blank)
        .all(|one| there.any(|line| line == *one))
}

/// The lines of members before ours, and those after; without blank ones at either end.
fn apart(theirs: &[String], ours: &[String]) -> (Vec<String>, Vec<String>) {
    let blank = digest("");
    let (mut first, mut last) = (Vec::new(), Vec::new());
    let is_ours = |line: &str| {
        let digest = digest(line);
        digest != blank && ours.contains(&digest)
    };
    let begins = theirs.iter().position(|line| is_ours(line));
    for (at, line) in theirs.iter().enumerate() {
        if is_ours(line) {
            continue;
        }
        if begins.is_some_and(|begins| at < begins) {
            first.push(line.clone());
        } else {
            last.push(line.clone());
        }
    }
    (trimmed(first), trimmed(last))
}

fn trimmed(mut lines: Vec<String>) -> Vec<String> {
    let filled = |line: &String| !line.trim().is_empty();
    let Some(end) = lines.iter().rposition(filled) else {
        return Vec::new();
    };
    lines.truncate(end + 1);
    let begin = lines.iter().position(filled).unwrap_or(0);
    lines.split_off(begin)
}
