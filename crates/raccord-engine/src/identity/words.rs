//! How alike words are: what a title is without its genre, and how many letters two texts share.

use raccord_model::fold_word;

/// From here on letters say that a title is the same but for a slip of the hand.
pub(super) const SLIP: f64 = 0.8;
/// A word of so many letters is a genre even with a slip of the hand in it.
pub(super) const LONG_GENRE: usize = 6;
/// Titles are compared letter by letter up to here.
const LONGEST: usize = 100;

/// A title as it is compared: its words, without case, accents, signs and pictures.
pub fn fold_title(title: &str) -> String {
    let folded = fold_word(title);
    let words: Vec<&str> = folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    if words.is_empty() {
        folded
    } else {
        words.join(" ")
    }
}

/// The title without its genre, and whether anything is left of it.
pub(super) fn without_kind(title: &str, kind: &str) -> (String, bool) {
    let generic = |word: &str| {
        GENRES.contains(&word)
            || kind.split(' ').any(|part| part == word)
            || GENRES.iter().any(|genre| is_slip(word, genre))
    };
    let rest: Vec<&str> = title
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty() && !generic(word))
        .collect();
    if rest.is_empty() {
        (title.to_owned(), false)
    } else {
        (rest.join(" "), true)
    }
}

/// Whether a long word is a genre with a slip of the hand in it; what begins and ends otherwise is
/// not looked at.
fn is_slip(word: &str, genre: &str) -> bool {
    let (one, other) = (word.as_bytes(), genre.as_bytes());
    one.len() >= LONG_GENRE
        && one.len().abs_diff(other.len()) <= 1
        && (one.first() == other.first() || one.last() == other.last())
        && slips(word, genre) >= SLIP
}

/// One less the share of letters that must be changed, left out, put in or exchanged with their
/// neighbour to make one title the other; 0 where that is more than a slip or two.
pub(super) fn slips(a: &str, b: &str) -> f64 {
    let (a, b): (Vec<char>, Vec<char>) = (
        a.chars().take(LONGEST).collect(),
        b.chars().take(LONGEST).collect(),
    );
    let longer = a.len().max(b.len());
    if longer == 0 || a.len().abs_diff(b.len()) > 2 {
        return 0.0;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut next = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let changed = row[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            next[j] = changed.min(row[j] + 1).min(next[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                next[j] = next[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut row, next);
    }
    let slips = row[b.len()];
    if slips > 2 {
        return 0.0;
    }
    1.0 - slips as f64 / longer as f64
}

/// Words that name a genre and tell no two activities apart (folded).
const GENRES: &[&str] = &[
    "concert",
    "atelier",
    "reunion",
    "projection",
    "debat",
    "formation",
    "cour",
    "stage",
    "film",
    "cine",
    "spectacle",
    "soiree",
    "repa",
    "permanence",
    "chantier",
    "rencontre",
    "visite",
    "exposition",
    "expo",
    "conference",
    "fete",
    "bal",
    "workshop",
    "meeting",
    "screening",
    "class",
    "course",
    "talk",
    "party",
    "de",
    "du",
    "la",
    "le",
    "les",
    "l",
    "d",
    "un",
    "une",
    "the",
    "a",
    "of",
    "and",
    "et",
    "au",
    "aux",
    "en",
];

/// The groups of three letters of a text, sorted, each once; a letter takes 21 bits.
pub(super) type Grams = Box<[u64]>;

pub(super) fn grams(text: &str) -> Grams {
    if text.is_empty() {
        return Grams::default();
    }
    let padded: Vec<u64> = std::iter::once(' ')
        .chain(text.chars())
        .chain([' '])
        .map(u64::from)
        .collect();
    let mut grams: Vec<u64> = padded
        .windows(3)
        .map(|letters| letters[0] << 42 | letters[1] << 21 | letters[2])
        .collect();
    grams.sort_unstable();
    grams.dedup();
    grams.into()
}

/// Twice what both share, of what both have.
pub(super) fn dice(a: &[u64], b: &[u64]) -> f64 {
    if a.is_empty() && b.is_empty() {
        return 1.0;
    }
    let (mut shared, mut left, mut right) = (0_usize, 0, 0);
    while let (Some(one), Some(other)) = (a.get(left), b.get(right)) {
        shared += usize::from(one == other);
        left += usize::from(one <= other);
        right += usize::from(other <= one);
    }
    2.0 * shared as f64 / (a.len() + b.len()) as f64
}
