//! Which Communecter account is whose, as a person of the place wrote it down. Pure.

use std::collections::BTreeMap;

/// The most bytes of the file.
pub(crate) const LONGEST: u64 = 1_000_000;

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct People {
    /// The address of each account, by its identifier.
    pub(crate) known: BTreeMap<String, String>,
    /// The lines that say something else, from 1.
    pub(crate) unread: Vec<usize>,
}

impl People {
    /// Reads it: on each line an identifier and an address, `#` before what is for people only. Of an
    /// account that is said to be two people's, nothing is believed.
    pub(crate) fn read(text: &str) -> Self {
        let mut people = Self::default();
        let mut doubted = Vec::new();
        for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line
                .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'))
                .filter(|word| !word.is_empty());
            match (words.next(), words.next(), words.next()) {
                (None, ..) => {}
                (Some(account), Some(address), None)
                    if is_identifier(account) && is_address(address) =>
                {
                    let (account, address) = (account.to_lowercase(), address.to_lowercase());
                    let before = people.known.insert(account.clone(), address.clone());
                    if before.is_some_and(|before| before != address) {
                        people.unread.push(number + 1);
                        doubted.push(account);
                    }
                }
                _ => people.unread.push(number + 1),
            }
        }
        for account in doubted {
            people.known.remove(&account);
        }
        people
    }
}

/// Whether it is an identifier of Communecter's.
pub(crate) fn is_identifier(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_address(text: &str) -> bool {
    let parts = text.split_once('@');
    parts.is_some_and(|(user, host)| !user.is_empty() && host.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: &str = "5e736fd6b6ebaf0d008b4579";

    #[test]
    fn lines_are_read_and_what_is_none_is_told_by_its_number() {
        let text = format!(
            "\u{feff}# Qui est qui\n{ANNA}  Anna@Example.org # à l’accueil\r\n\nanna anna@example.org\n{ANNA}\n"
        );
        let people = People::read(&text);
        assert_eq!(people.known[ANNA], "anna@example.org");
        assert_eq!(people.unread, [4, 5]);
    }

    #[test]
    fn an_account_of_two_people_is_nobodys() {
        let text = format!("{ANNA};a@example.org\n{ANNA};b@example.org\n{ANNA};a@example.org\n");
        let people = People::read(&text);
        assert!(people.known.is_empty());
        assert_eq!(people.unread, [2, 3]);
    }

    #[test]
    fn s15_whatever_stands_there_is_no_panic() {
        for text in raccord_kit::conformance::HOSTILE {
            let _ = People::read(text);
        }
    }
}
