//! What hands a line asks for, as people write it: "bar 3, accueil 2", "2 bar + 1 vestiaire",
//! "accueil: 2", or one number for all.
//!
//! A part without a number may be the name of whoever said yes already, so it asks for nothing.

use crate::text;

/// The most tasks one cell asks for.
const MOST: usize = 50;
/// The most characters of a task.
const LONGEST: usize = 200;
/// The most people one task asks for.
const CROWD: u32 = 10_000;

/// What a cell asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hands {
    /// What the recipes say, no more and no less.
    Usual,
    /// These tasks, each for so many people; an empty list wants nobody at all.
    These(Vec<(String, u32)>),
}

/// Reads a cell; nothing where a part of it cannot be read.
pub(crate) fn read(raw: &str) -> Option<Hands> {
    let tidy = text::paragraphs(raw);
    match text::key(&tidy).as_str() {
        "" | "oui" | "yes" | "x" | "ok" | "comme d habitude" | "as usual" => {
            return Some(Hands::Usual);
        }
        "non" | "no" | "0" | "aucun" | "aucune" | "none" | "nobody" | "personne" | "pas besoin" => {
            return Some(Hands::These(Vec::new()));
        }
        _ if crate::words::nothing(&tidy) => return Some(Hands::Usual),
        _ => {}
    }
    let (label, list) = match tidy.split_once(':') {
        // "Bénévoles : bar 3, accueil 2"
        Some((label, list)) if is_label(label) => (label.trim(), list),
        _ => ("", &*tidy),
    };
    let mut tasks: Vec<(String, u32)> = Vec::new();
    for part in list.split([',', ';', '\n', '+', '/', '|']) {
        let part = text::line(part);
        if part.is_empty() {
            continue;
        }
        let (title, people) = part_of(&part)?;
        let title = match (title.as_str(), label) {
            ("", "") => "Bénévoles".to_owned(),
            ("", label) => label.to_owned(),
            _ => title,
        };
        let known = |(told, _): &(String, u32)| text::key(told) == text::key(&title);
        if tasks.len() >= MOST || tasks.iter().any(known) {
            return None;
        }
        tasks.push((title, people));
    }
    (!tasks.is_empty()).then_some(Hands::These(tasks))
}

fn is_label(text: &str) -> bool {
    matches!(
        text::key(text).as_str(),
        "benevoles" | "benevole" | "besoin" | "besoins" | "volunteers" | "hands" | "help"
    )
}

/// One task and its number, before or after its words.
fn part_of(part: &str) -> Option<(String, u32)> {
    let mut people = None;
    let mut words = Vec::new();
    for word in part.split([' ', ':', '(', ')', '=', '\u{a0}']) {
        let bare = word.trim_matches(['x', '×', '*', '.']);
        let digits = !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_digit());
        if digits {
            let count = bare.parse().ok().filter(|count| *count <= CROWD)?;
            if people.replace(count).is_some() {
                return None;
            }
        } else if !matches!(
            text::key(word).as_str(),
            "" | "pers"
                | "personne"
                | "personnes"
                | "people"
                | "benevole"
                | "benevoles"
                | "volunteer"
                | "volunteers"
                | "x"
        ) {
            words.push(word);
        }
    }
    let title = words.join(" ");
    let title = title.trim_matches(|c: char| !c.is_alphanumeric() && c != '\'' && c != '’');
    if title.chars().count() > LONGEST {
        return None;
    }
    Some((title.to_owned(), people?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn these(tasks: &[(&str, u32)]) -> Hands {
        let tasks = tasks
            .iter()
            .map(|(title, people)| ((*title).to_owned(), *people));
        Hands::These(tasks.collect())
    }

    #[test]
    fn a_cell_says_which_hands_and_how_many() {
        for text in [
            "bar 3, accueil 2",
            "3 bar ; 2 accueil",
            "bar: 3\naccueil: 2",
            "bar x3 + accueil x2",
            "bar (3 pers.), accueil (2)",
            "Bénévoles : bar 3, accueil 2",
        ] {
            assert_eq!(
                read(text),
                Some(these(&[("bar", 3), ("accueil", 2)])),
                "{text}"
            );
        }
        assert_eq!(read("4"), Some(these(&[("Bénévoles", 4)])));
        assert_eq!(read("4 bénévoles"), Some(these(&[("Bénévoles", 4)])));
        assert_eq!(
            read("tenir le bar 2, accueil 0"),
            Some(these(&[("tenir le bar", 2), ("accueil", 0)]))
        );
    }

    #[test]
    fn nothing_and_nobody_are_told_apart() {
        for text in ["", " ", "-", "oui"] {
            assert_eq!(read(text), Some(Hands::Usual), "{text}");
        }
        for text in ["0", "aucun", "non"] {
            assert_eq!(read(text), Some(these(&[])), "{text}");
        }
    }

    #[test]
    fn what_may_be_names_or_hours_asks_for_nothing() {
        for text in [
            "Ann, Bob",
            "bar 2 ou 3",
            "bar 3, Ann",
            "bar 2, BAR 3",
            "bar 99999",
            "bar 18h30",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
