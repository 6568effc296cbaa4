//! G02: every sentence a connector can say, in both languages and in plain words.
//!
//! The list of sentences is the connector's own; that nothing is missing from it is read in its
//! sources: every code and every piece of text that stands there must have been said.

use std::collections::BTreeSet;
use std::path::Path;

use raccord_model::Words;

/// Who reads a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Who fills the sheet: no word of the trade.
    Organiser,
    /// Who keeps Raccord running: may be told of a key, a right or an address.
    Sysadmin,
}

/// One sentence, as it is said with some values in it.
#[derive(Clone, Debug)]
pub struct Sentence {
    /// The code it is said under, without the connector's name; empty where it has none.
    pub code: String,
    /// Who reads it.
    pub to: Reader,
    /// What is said.
    pub words: Words,
}

/// Words of the trade, as they begin, in both languages.
const JARGON: &[&str] = &[
    "api",
    "array",
    "backend",
    "boolean",
    "booléen",
    "buffer",
    "bug",
    "byte",
    "cache",
    "callback",
    "commit",
    "crash",
    "curseur",
    "cursor",
    "daemon",
    "debug",
    "digest",
    "dns",
    "dump",
    "encodage",
    "encoding",
    "endpoint",
    "entity",
    "entité",
    "exception",
    "fallback",
    "frontend",
    "hash",
    "http",
    "idempotent",
    "integer",
    "invalid",
    "invalide",
    "jeton",
    "json",
    "log",
    "logs",
    "null",
    "oauth",
    "octet",
    "panic",
    "parse",
    "parsed",
    "parser",
    "parsing",
    "payload",
    "query",
    "regex",
    "request",
    "requête",
    "retry",
    "schema",
    "schéma",
    "sink",
    "socket",
    "stderr",
    "string",
    "syntax",
    "syntaxe",
    "thread",
    "timeout",
    "tls",
    "token",
    "undefined",
    "url",
    "utf",
    "uuid",
    "webhook",
    "xml",
];

/// Words that only English has.
const ENGLISH: &[&str] = &[
    "and", "are", "because", "cannot", "for", "from", "has", "is", "it", "must", "not", "of",
    "should", "that", "the", "there", "this", "to", "was", "were", "with", "write", "you", "your",
];

/// Words that only French has.
const FRENCH: &[&str] = &[
    "aucune", "avec", "cette", "dans", "des", "elle", "est", "les", "mais", "ne", "par", "pas",
    "pour", "sont", "sur", "une", "votre", "vous", "écrivez",
];

/// G02: `sentences` are whole, plain and well set in both languages, and they are all there are:
/// `sources` are the texts of the files in which the connector says something.
///
/// # Panics
/// When the rule does not hold, with everything that is wrong.
pub fn g02_plain_words(sentences: &[Sentence], sources: &[&str]) {
    let mut wrong = Vec::new();
    for sentence in sentences {
        let (code, words) = (&sentence.code, &sentence.words);
        let faults = [faults(sentence), missing_space(&words.fr)].concat();
        wrong.extend(
            faults
                .iter()
                .map(|fault| format!("{code}: {fault}: {words:?}")),
        );
    }
    let said: BTreeSet<&str> = sentences.iter().map(|one| one.code.as_str()).collect();
    let all: String = sentences
        .iter()
        .flat_map(|one| [one.words.fr.as_str(), "\n", one.words.en.as_str(), "\n"])
        .collect();
    let mut known = codes_of(sources);
    known.insert(String::new());
    for source in sources {
        let source = before_tests(source);
        let literals = literals(source);
        for text in literals.iter().filter(|literal| literal.is_prose()) {
            wrong.extend(
                text.pieces()
                    .filter(|piece| !all.contains(piece))
                    .map(|piece| format!("nobody says {piece:?}, and it stands in the sources")),
            );
        }
    }
    for code in &known {
        if !code.is_empty() && !said.contains(code.as_str()) {
            wrong.push(format!("the code {code:?} of the sources is never said"));
        }
    }
    for code in said {
        if !known.contains(code) {
            wrong.push(format!("the code {code:?} is said and not in the sources"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The codes that stand in the sources of a connector.
pub fn codes_of(sources: &[&str]) -> BTreeSet<String> {
    let of_one = |source: &&str| {
        let source = before_tests(source).to_owned();
        let codes = literals(&source).into_iter();
        codes
            .filter(|literal| literal.is_code(&source))
            .map(|literal| literal.text)
            .collect::<Vec<_>>()
    };
    sources.iter().flat_map(of_one).collect()
}

/// The texts of a source, each with what stands before it.
pub(super) fn literals_of(source: &str) -> impl Iterator<Item = (&str, String)> {
    let source = before_tests(source);
    let before = |at: usize| {
        source[..at]
            .trim_end()
            .trim_end_matches("return")
            .trim_end()
    };
    literals(source)
        .into_iter()
        .map(move |literal| (before(literal.start), literal.text))
}

/// No file under `folder` says anything to people, except those `named`.
///
/// # Panics
/// When another one does.
pub fn says_nothing_else(folder: &Path, named: &[&str]) {
    let entries = std::fs::read_dir(folder).expect("the sources can be read");
    for path in entries.map(|entry| entry.expect("the sources can be read").path()) {
        let name = path.file_name().and_then(|name| name.to_str());
        if path.is_dir() {
            says_nothing_else(&path, named);
        } else if !name.is_some_and(|name| named.contains(&name)) {
            let source = std::fs::read_to_string(&path).expect("the sources can be read");
            let source = before_tests(&source).replace("-> Failure {", "");
            for says in ["Words::", "Words {", "Failure::new", "Failure {"] {
                assert!(!source.contains(says), "{} says something", path.display());
            }
        }
    }
}

/// What is wrong with one sentence.
pub(super) fn faults(sentence: &Sentence) -> Vec<String> {
    let (fr, en) = (&sentence.words.fr, &sentence.words.en);
    let mut wrong = Vec::new();
    for (name, text) in [("French", fr), ("English", en)] {
        if text.trim().is_empty() || text.trim() != text {
            wrong.push(format!("the {name} is empty or has spaces around it"));
        }
        if text.contains(['"', '\'']) && sentence.to == Reader::Organiser {
            wrong.push(format!("a straight quotation mark in {name}"));
        }
        if text.contains("...") || text.contains("..") {
            wrong.push(format!("dots for … in {name}"));
        }
    }
    if fr == en {
        wrong.push("the same in both languages".to_owned());
    }
    if sentence.to == Reader::Organiser {
        let trade = |text: &String| {
            words_of(&without_addresses(text)).find(|word| JARGON.contains(&singular(word)))
        };
        wrong.extend([fr, en].into_iter().filter_map(|text| {
            let word = trade(text)?;
            Some(format!("{word:?} is a word of the trade"))
        }));
    }
    let foreign = |text: &str, quotes: [char; 2], words: &[&str]| {
        let own = outside(text, quotes);
        words_of(&own).find(|word| words.contains(&word.as_str()))
    };
    if let Some(word) = foreign(fr, ['«', '»'], ENGLISH) {
        wrong.push(format!("{word:?} is English left in French"));
    }
    if let Some(word) = foreign(en, ['“', '”'], FRENCH) {
        wrong.push(format!("{word:?} is French left in English"));
    }
    wrong
}

/// French marks without the space at which no line breaks.
fn missing_space(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let fixed = |at: Option<&char>| at.is_some_and(|c| matches!(c, '\u{a0}' | '\u{202f}'));
    let mut wrong = Vec::new();
    for (index, c) in chars.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|at| chars.get(at));
        let after = chars.get(index + 1);
        let ends = after.is_none_or(|c| c.is_whitespace());
        let lacks = match c {
            '«' => !fixed(after),
            '»' => !fixed(before),
            // Within an hour, an address or a key nothing is missing.
            ';' | ':' | '!' | '?' => ends && !fixed(before),
            _ => false,
        };
        if lacks {
            wrong.push(format!("no fixed space at {c}"));
        }
    }
    wrong
}

fn words_of(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

fn singular(word: &str) -> &str {
    word.strip_suffix('s').unwrap_or(word)
}

/// What stands neither between the quotation marks nor in an address.
fn outside(text: &str, [open, close]: [char; 2]) -> String {
    let mut depth = 0_u32;
    let own: String = text
        .chars()
        .filter(|c| {
            depth += u32::from(*c == open);
            let own = depth == 0;
            depth -= u32::from(*c == close && depth > 0);
            own
        })
        .collect();
    without_addresses(&own)
}

fn without_addresses(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').filter(|word| !word.contains('/')).collect();
    words.join(" ")
}

/// A text between quotation marks in a source, and where it stands.
struct Literal {
    text: String,
    start: usize,
    end: usize,
}

impl Literal {
    /// Whether it is text for people: it has a space, and no reason is given by it to a compiler.
    fn is_prose(&self) -> bool {
        self.text.trim().contains([' ', '\u{a0}'])
    }

    /// The pieces between the values that are put into it.
    fn pieces(&self) -> impl Iterator<Item = &str> {
        self.text
            .split(['{', '}'])
            .enumerate()
            .filter(|(index, _)| index % 2 == 0)
            .map(|(_, piece)| piece.trim())
            .filter(|piece| piece.chars().any(char::is_alphabetic))
    }

    /// Whether it is a code: it stands after a blame, or before its words.
    fn is_code(&self, source: &str) -> bool {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
        let after = source[self.end..].trim_start_matches(',').trim_start();
        let before = source[..self.start].trim_end().trim_end_matches(',');
        let blamed = before
            .rsplit(|c: char| !c.is_alphanumeric() && c != ':')
            .next()
            .is_some_and(|word| word.starts_with("Blame::"));
        self.text.bytes().all(plain)
            && !self.text.is_empty()
            && (after.starts_with("Words::new(") || blamed)
    }
}

fn before_tests(source: &str) -> &str {
    source
        .find("#[cfg(test)]")
        .map_or(source, |at| &source[..at])
}

/// The texts of a source, without those in comments and those that reasons of lints are.
fn literals(source: &str) -> Vec<Literal> {
    let mut found = Vec::new();
    let bytes = source.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at = source[at..].find('\n').map_or(bytes.len(), |n| at + n);
            }
            b'\'' if bytes.get(at + 1) == Some(&b'"') => at += 3,
            b'"' => {
                let start = at;
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                let reason = source[..start].trim_end().ends_with("reason =");
                if !reason {
                    found.push(Literal {
                        text: unescaped(&source[start + 1..at.min(bytes.len())]),
                        start,
                        end: (at + 1).min(bytes.len()),
                    });
                }
                at += 1;
            }
            _ => at += 1,
        }
    }
    found
}

/// The text a literal stands for.
fn unescaped(literal: &str) -> String {
    let mut out = String::with_capacity(literal.len());
    let mut chars = literal.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('u') => {
                let hex: String = chars.by_ref().skip(1).take_while(|c| *c != '}').collect();
                out.extend(u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32));
            }
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('\n') => while chars.next_if(|c| c.is_whitespace()).is_some() {},
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(code: &str, fr: &str, en: &str) -> Sentence {
        Sentence {
            code: code.to_owned(),
            to: Reader::Organiser,
            words: Words::new(fr, en),
        }
    }

    fn refused(fr: &str, en: &str) -> bool {
        let one = sentence("", fr, en);
        !faults(&one).is_empty() || !missing_space(fr).is_empty()
    }

    #[test]
    fn what_people_should_not_have_to_read_is_refused() {
        assert!(!refused(
            "«\u{a0}25h\u{a0}» n’est pas une heure\u{a0}: écrivez 18:30.",
            "“25h” is not a time: write 18:30.",
        ));
        for (fr, en) in [
            ("", "Nothing."),
            ("Pareil", "Pareil"),
            ("Le payload est vide.", "It is empty."),
            ("Les jetons manquent.", "They are missing."),
            ("Il est vide.", "The JSON is null."),
            ("L'heure manque.", "The time is missing."),
            ("Il dit \"non\".", "It says no."),
            ("Quelle heure ?", "What time?"),
            ("«Bal» est là.", "“Ball” is there."),
            ("La date is missing.", "The date is missing."),
            ("La date manque.", "The date ne manque pas."),
        ] {
            assert!(refused(fr, en), "{fr:?} and {en:?} are taken");
        }
    }

    const SOURCE: &str = r#"
        // "A comment says nothing."
        failure(Blame::Data, "gone", "Il n’est plus là.", "It is gone.");
        said("odd", Words::new(format!("«\u{a0}{found}\u{a0}» est drôle."), format!("“{found}” is odd.")));
        #[cfg(test)]
        mod tests { const X: &str = "A test says nothing."; }
    "#;

    fn all() -> Vec<Sentence> {
        vec![
            sentence("gone", "Il n’est plus là.", "It is gone."),
            sentence("odd", "«\u{a0}x\u{a0}» est drôle.", "“x” is odd."),
        ]
    }

    #[test]
    fn a_list_that_says_everything_is_taken() {
        g02_plain_words(&all(), &[SOURCE]);
    }

    #[test]
    #[should_panic(expected = "the code \"odd\" of the sources is never said")]
    fn a_code_that_is_left_out_is_found() {
        g02_plain_words(&all()[..1], &[SOURCE]);
    }

    #[test]
    #[should_panic(expected = "est drôle.\", and it stands in the sources")]
    fn a_sentence_that_is_left_out_is_found() {
        let mut all = all();
        all[1].words = Words::new("C’est étrange.", "It is odd.");
        g02_plain_words(&all, &[SOURCE]);
    }
}
