//! Editions: a month's programme is numbered each time what can be read on it changes.
//!
//! The number goes with the link to the file, which is in the log; the file itself says it too, for
//! the time when its answer was lost. The same content is never a new edition,
//! also where a sheet of changes is made beside it.

use raccord_model::{Digest, Link};
use serde_json::{Value, json};

/// How much of a digest is printed: enough to tell two sheets apart.
const SHORT: usize = 6;

/// What is written into the file's properties, so that it can be known again.
pub(crate) fn keyword(hash: Digest) -> String {
    format!("raccord:{hash}")
}

/// The same for what can be read on the programme, whatever is made beside it.
fn content(print: Digest) -> String {
    format!("raccord-content:{print}")
}

const EDITION: &str = "raccord-edition:";

/// Puts the number and the keywords into the data of a sheet: `hash` of all that is owed, `print`
/// of what can be read on the programme itself.
pub(crate) fn stamp(data: &mut Value, hash: Digest, print: Digest, number: u32) {
    let short: String = print.to_string().chars().take(SHORT).collect();
    let date = data["made"].clone();
    data["edition"] = json!({"number": number, "date": date, "hash": short});
    data["keywords"] = json!([keyword(hash), content(print), format!("{EDITION}{number}")]);
}

/// The number of the edition of `hash` and `print`, given the last one that is known of.
pub(crate) fn number(link: Option<&Link>, file: Option<&Kept>, hash: Digest, print: Digest) -> u32 {
    let linked = link.and_then(|link| Some((link.hash == hash, link.tag.as_ref()?.parse().ok()?)));
    let kept = file.map(|kept| (kept.shows(print), kept.edition()));
    match (linked, kept) {
        (Some((true, number)), _) | (None, Some((true, number))) => number.max(1),
        (Some((false, number)), Some((true, said))) if said == number => number.max(1),
        (Some((false, number)), _) | (None, Some((false, number))) => number.saturating_add(1),
        (None, None) => 1,
    }
}

/// A file of an earlier edition.
pub(crate) struct Kept(Vec<u8>);

impl Kept {
    /// A file that stands there.
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Whether it is an edition we made at all.
    pub(crate) fn is_ours(&self) -> bool {
        self.edition() > 0
    }

    /// Whether it is what `hash` stands for.
    pub(crate) fn carries(&self, hash: Digest) -> bool {
        self.after(&keyword(hash)).is_some()
    }

    /// Whether what can be read on it is what `print` stands for.
    pub(crate) fn shows(&self, print: Digest) -> bool {
        self.after(&content(print)).is_some()
    }

    /// The number it says, or 0.
    pub(crate) fn edition(&self) -> u32 {
        let digits = self.after(EDITION).unwrap_or_default();
        let end = digits.iter().position(|byte| !byte.is_ascii_digit());
        let digits = &digits[..end.unwrap_or(digits.len()).min(9)];
        std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| digits.parse().ok())
            .unwrap_or(0)
    }

    fn after(&self, word: &str) -> Option<&[u8]> {
        let at = self
            .0
            .windows(word.len())
            .position(|part| part == word.as_bytes())?;
        self.0.get(at + word.len()..)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn link(tag: Option<&str>, hash: Digest) -> Link {
        Link {
            tag: tag.map(str::to_owned),
            ..Link::nameless(hash)
        }
    }

    #[test]
    fn what_reads_the_same_is_the_same_edition_and_anything_else_the_next() {
        let (old, new) = (Digest::of(b"old"), Digest::of(b"new"));
        assert_eq!(number(None, None, new, new), 1);
        assert_eq!(number(Some(&link(Some("3"), old)), None, new, new), 4);
        assert_eq!(number(Some(&link(Some("3"), new)), None, new, new), 3);
    }

    #[test]
    fn where_an_answer_was_lost_the_file_says_the_number() {
        let (old, new) = (Digest::of(b"old"), Digest::of(b"new"));
        let kept = file(old, 7);
        assert_eq!(number(None, Some(&kept), old, old), 7);
        assert_eq!(number(None, Some(&kept), new, new), 8);
        assert_eq!(number(Some(&link(None, old)), Some(&kept), new, new), 8);
        // A file of before editions, or something else altogether.
        let other = Kept(b"%PDF-".to_vec());
        assert_eq!(number(None, Some(&other), new, new), 1);
    }

    #[test]
    fn a_sheet_of_changes_beside_it_makes_no_new_edition() {
        let (print, alone, beside) = (
            Digest::of(b"what is read"),
            Digest::of(b"alone"),
            Digest::of(b"with a sheet"),
        );
        let link = link(Some("4"), alone);
        let of = |kept: Option<Kept>| number(Some(&link), kept.as_ref(), beside, print);
        assert_eq!(of(Some(file(print, 4))), 4);
        // The file is not the one that the log knows.
        assert_eq!(of(Some(file(print, 2))), 5);
        assert_eq!(of(None), 5);
    }

    fn file(print: Digest, number: u32) -> Kept {
        let keywords = [keyword(print), content(print), format!("{EDITION}{number}")];
        Kept(format!("/Keywords ({})", keywords.join(", ")).into_bytes())
    }
}
