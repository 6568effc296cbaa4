//! What people ask of Raccord in a chat: `!programme`, `/inscription`, `!qui`, `!oui 3f2a1b4c`.

use raccord_look::clean;

/// What somebody asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// What, as the message's schema names it.
    pub what: &'static str,
    /// The words after it.
    pub words: String,
}

/// The trigger words, in both languages.
const WORDS: [(&str, &[&str]); 8] = [
    ("programme", &["programme", "program", "agenda"]),
    ("signup", &["inscription", "inscriptions", "signup"]),
    ("signoff", &["désinscription", "desinscription", "signoff"]),
    ("who", &["qui", "who"]),
    ("me", &["moi", "me"]),
    ("tell", &["prévenir", "prevenir", "notify"]),
    ("approve", &["oui", "yes", "approuver", "approve"]),
    ("reject", &["non", "no", "rejeter", "reject"]),
];

/// What a message asks: its first word, with `!` or `/` right before it; nothing else is a question.
pub fn read(text: &str) -> Option<Ask> {
    let text = text.trim_start();
    let rest = text.strip_prefix(['!', '/'])?;
    let (word, words) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    of(word, words)
}

/// The same, where the tool itself tells the word from the rest (a slash command).
pub fn of(word: &str, words: &str) -> Option<Ask> {
    let word = word.to_lowercase();
    let (what, _) = WORDS
        .iter()
        .find(|(_, known)| known.contains(&word.as_str()))?;
    Some(Ask {
        what,
        words: clean::line(words, 200),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_first_word_with_its_sign_asks() {
        for (text, what) in [
            ("!programme", "programme"),
            (" /Inscription samedi", "signup"),
            ("!qui", "who"),
            ("!oui 3f2a", "approve"),
            ("!NO 3f2a", "reject"),
            ("!désinscription bar", "signoff"),
            ("/Prévenir chat bar", "tell"),
            ("!moi 7K2M-9QXD", "me"),
        ] {
            assert_eq!(read(text).map(|ask| ask.what), Some(what), "{text}");
        }
        assert_eq!(
            read("!oui  3f2a ").map(|ask| ask.words),
            Some("3f2a".into())
        );
        for text in [
            "programme",
            "le !programme",
            "! programme",
            "!programmes!",
            "!",
            "",
            "//qui",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
