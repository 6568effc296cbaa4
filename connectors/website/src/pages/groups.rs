//! What a reader can look for: the kinds, rooms and themes that have something to come, each with
//! a page of its own. Links, not scripts: they work in every browser, and from the keyboard.

use std::collections::BTreeMap;

use raccord_look::Marks;
use raccord_model::{Digest, Lang, fold_word};

use crate::clean;
use crate::item::Item;

/// The most groups of one sort that get a page; the largest ones.
const MOST: usize = 24;
/// The longest name of a group.
const NAME: usize = 60;

/// A sort of group, by the folder its pages are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Kind,
    Room,
    Tag,
}

impl Sort {
    pub(super) const ALL: [Self; 3] = [Self::Kind, Self::Room, Self::Tag];

    pub(super) const fn folder(self) -> &'static str {
        match self {
            Self::Kind => "kinds",
            Self::Room => "rooms",
            Self::Tag => "tags",
        }
    }

    fn names(self, item: &Item) -> &[String] {
        let activity = &item.activity;
        match self {
            Self::Kind => std::slice::from_ref(&activity.kind),
            Self::Room => std::slice::from_ref(&activity.room),
            Self::Tag => &activity.tags,
        }
    }
}

/// Activities that have a kind, a room or a theme in common.
pub(super) struct Group {
    pub(super) sort: Sort,
    pub(super) name: String,
    /// Its page in the site, without `.html`.
    pub(super) path: String,
    /// The shape of a kind.
    pub(super) shape: Option<&'static str>,
    /// Its members, by start.
    pub(super) items: Vec<Item>,
}

/// The groups among `items`: those of most members, by name.
pub(super) fn groups(sort: Sort, items: &[Item], marks: &Marks, lang: Lang) -> Vec<Group> {
    let mut found: BTreeMap<String, Group> = BTreeMap::new();
    for item in items {
        for name in sort.names(item).iter().take(20) {
            let shown = clean::line(name, NAME);
            let key = fold_word(&shown);
            if key.is_empty() {
                continue;
            }
            let group = found.entry(key.clone()).or_insert_with(|| Group {
                sort,
                name: raccord_look::set(&shown, lang),
                path: format!("{}/{}", sort.folder(), slug(&key)),
                shape: (sort == Sort::Kind).then(|| marks.of(name)),
                items: Vec::new(),
            });
            let again = group.items.last().is_some_and(|last| last == item);
            if !again {
                group.items.push(item.clone());
            }
        }
    }
    let mut groups: Vec<Group> = found.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.items.len()));
    groups.truncate(MOST);
    groups.sort_by_cached_key(|group| (fold_word(&group.name), group.name.clone()));
    // A single one would leave nothing out.
    if groups.len() < 2 && groups.iter().all(|group| group.items.len() == items.len()) {
        groups.clear();
    }
    groups
}

/// A file name made of a folded name: its plain letters and digits, and a short digest where
/// others were left out, so that no two names share a file.
fn slug(key: &str) -> String {
    let mut out = String::new();
    for c in key.chars().take(40) {
        if c.is_ascii_alphanumeric() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || c == ' ';
    let out = out.trim_end_matches('-');
    if key.chars().all(plain) && key.chars().count() <= 40 {
        return out.to_owned();
    }
    let digest = Digest::of(key.as_bytes()).to_string();
    let dash = if out.is_empty() { "" } else { "-" };
    format!("{out}{dash}{}", &digest[..6])
}

/// Whether `name` is one a group's page has: `atelier.html`, `atelier_2.html`.
pub(crate) fn is_group_page(name: &str) -> bool {
    let Some(name) = name.strip_suffix(".html") else {
        return false;
    };
    let (slug, number) = name.split_once('_').unwrap_or((name, "2"));
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=60).contains(&slug.len())
        && slug.bytes().all(plain)
        && (1..=5).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_files_that_no_other_name_has() {
        assert_eq!(slug("atelier"), "atelier");
        assert_eq!(slug("repa partage"), "repa-partage");
        assert_ne!(slug("a b"), slug("a-b"));
        for odd in ["../../etc/passwd", "مرحبا", "🎉", "a/b", &"x".repeat(500)] {
            let name = format!("{}.html", slug(odd));
            assert!(is_group_page(&name), "{name}");
        }
    }

    #[test]
    fn only_group_pages_are_taken_for_group_pages() {
        for yes in ["atelier.html", "repa-partage_2.html"] {
            assert!(is_group_page(yes), "{yes}");
        }
        for no in ["Atelier.html", "a_b.html", "a.htm", ".html", "a_2_3.html"] {
            assert!(!is_group_page(no), "{no}");
        }
    }
}
