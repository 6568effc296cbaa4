//! Where a long text is cut: after a sentence or a word that can stand last, never between a number
//! and what it counts. Pure.

use unicode_segmentation::UnicodeSegmentation;

/// At most `most` characters as people count them, with "…": after a sentence where one ends late
/// enough, else after a word that can stand last.
pub(crate) fn cut(text: &str, most: usize) -> String {
    let graphemes: Vec<&str> = text.graphemes(true).take(most + 1).collect();
    if graphemes.len() <= most {
        return text.to_owned();
    }
    let sentences = graphemes[..most.saturating_sub(2)].concat();
    if let Some(end) = last_sentence(&sentences)
        && end > sentences.len() / 2
    {
        return format!("{}\u{a0}…", &sentences[..end]);
    }
    let room = most.saturating_sub(1);
    let kept = graphemes[..room].concat();
    // A word longer than a third of the room is cut inside: better than losing the line.
    let whole = graphemes[room] == " " || kept.ends_with(' ');
    let kept = match kept.rfind(' ') {
        Some(space) if !whole && space > kept.len() * 2 / 3 => &kept[..space],
        _ => kept.as_str(),
    };
    format!("{}…", standing(kept))
}

/// Where the last sentence of `text` that is followed by more ends.
fn last_sentence(text: &str) -> Option<usize> {
    text.char_indices()
        .rfind(|(at, c)| {
            let after = &text[at + c.len_utf8()..];
            let before = text[..*at].rsplit(' ').next().unwrap_or_default();
            let ends = match c {
                // "M. Payet", "n. 5", "1. Accueil": no sentence ends there.
                '.' => {
                    before.chars().count() > 2 && !before.starts_with(|c: char| c.is_ascii_digit())
                }
                '!' | '?' | '…' => true,
                _ => false,
            };
            ends && after.starts_with(' ')
        })
        .map(|(at, c)| at + c.len_utf8())
}

/// Words that announce another and never stand last, in French and English.
const ANNOUNCING: &[&str] = &[
    "le", "la", "les", "l’", "l'", "un", "une", "des", "du", "de", "d’", "d'", "au", "aux", "à",
    "ce", "cet", "cette", "ces", "mon", "ma", "mes", "ton", "ta", "tes", "son", "sa", "ses", "nos",
    "vos", "notre", "votre", "leur", "leurs", "en", "et", "ou", "où", "sur", "sous", "par", "pour",
    "avec", "sans", "dans", "chez", "vers", "entre", "que", "qui", "dont", "ne", "se", "si",
    "très", "plus", "n°", "the", "a", "an", "of", "to", "and", "or", "for", "with", "in", "on",
    "at", "by", "from", "your", "our", "their", "its", "is", "are", "no",
];

/// `text` without what cannot stand last: a number whose noun or sign is gone, an article, an opening
/// mark, punctuation that waits for more.
fn standing(text: &str) -> &str {
    let waits = [
        ' ', ',', ';', ':', '.', '-', '–', '—', '(', '[', '«', '“', '/', '+', '&', '•',
    ];
    let least = text.len() / 2;
    let mut kept = text.trim_end_matches(waits);
    loop {
        let start = kept.rfind(' ').map_or(0, |space| space + 1);
        let word = kept[start..].trim_start_matches(['(', '[', '«', '“', '"']);
        let number = word.starts_with(|c: char| c.is_ascii_digit())
            && !word
                .contains(|c: char| c.is_alphabetic() || matches!(c, '€' | '%' | '$' | '£' | '°'));
        // "18 h" of "18 h 30" is another hour.
        let hour = word == "h"
            && kept[..start]
                .trim_end()
                .ends_with(|c: char| c.is_ascii_digit());
        let announces = ANNOUNCING.contains(&word.to_lowercase().as_str());
        if start <= least || !(number || hour || announces || word.is_empty()) {
            return kept;
        }
        kept = kept[..start].trim_end_matches(waits);
    }
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn a_long_text_is_cut_after_a_whole_word() {
        assert_eq!(cut("On remet la halle en ordre", 19), "On remet la halle…");
        assert_eq!(cut("On remet la halle, en ordre", 20), "On remet la halle…");
        assert_eq!(cut("court", 5), "court");
        let family = "👩‍👩‍👧‍👦".repeat(4);
        assert_eq!(cut(&family, 3), "👩‍👩‍👧‍👦👩‍👩‍👧‍👦…");
    }

    #[test]
    fn no_number_article_or_opening_mark_is_left_alone_at_the_end() {
        for (text, most, kept) in [
            (
                "Repas partagé, prix libre à partir de 5 € pour tout le monde",
                40,
                "Repas partagé, prix libre à partir…",
            ),
            (
                "Repas partagé, prix libre à partir de 5 € pour tout le monde",
                43,
                "Repas partagé, prix libre à partir de 5 €…",
            ),
            (
                "Repas partagé, prix libre dès 5€ pour tout le monde",
                34,
                "Repas partagé, prix libre dès 5€…",
            ),
            (
                "Ouverture des portes à 18 h 30 et concert",
                26,
                "Ouverture des portes…",
            ),
            (
                "Venez avec vos outils et la bonne humeur",
                28,
                "Venez avec vos outils…",
            ),
            (
                "Initiation à la soudure (dès 12 ans)",
                33,
                "Initiation à la soudure (dès…",
            ),
            (
                "Bring your tools and the good mood along",
                26,
                "Bring your tools…",
            ),
        ] {
            assert_eq!(cut(text, most), kept, "{text} {most}");
        }
    }

    #[test]
    fn a_sentence_that_ends_late_enough_is_kept_whole_with_its_sign() {
        for (text, most, kept) in [
            (
                "Gants fournis, venez nombreux ! On remet la halle en ordre",
                45,
                "Gants fournis, venez nombreux !\u{a0}…",
            ),
            (
                "On remet la halle en ordre. Gants fournis par la coordination",
                50,
                "On remet la halle en ordre.\u{a0}…",
            ),
            (
                "Oui. On remet la halle en ordre avec toute la coordination",
                40,
                "Oui. On remet la halle en ordre…",
            ),
            (
                "Conférence de M. Payet sur les oiseaux de la rivière",
                26,
                "Conférence de M. Payet…",
            ),
        ] {
            assert_eq!(cut(text, most), kept, "{text}");
        }
    }
}
