//! Who writes, and to whom.

use std::fmt;
use std::str::FromStr;

use lettre::Address;

/// The most characters of a name.
const LONGEST_NAME: usize = 200;

/// Somebody's address, with the name that is shown beside it.
#[derive(Clone, PartialEq, Eq)]
pub struct Mailbox(pub(crate) lettre::message::Mailbox);

impl Mailbox {
    /// An address alone, with `name` beside it where that is not empty.
    ///
    /// # Errors
    /// When it is no address.
    pub fn new(name: &str, address: &str) -> Result<Self, NotAMailbox> {
        let address: Address = address.trim().parse().map_err(|_| NotAMailbox)?;
        let name: String = plain(name).chars().take(LONGEST_NAME).collect();
        let name = (!name.is_empty()).then_some(name);
        Ok(Self(lettre::message::Mailbox::new(name, address)))
    }

    /// The address alone.
    pub fn address(&self) -> &str {
        self.0.email.as_ref()
    }

    /// Its part after the `@`.
    pub fn domain(&self) -> &str {
        self.0.email.domain()
    }
}

impl FromStr for Mailbox {
    type Err = NotAMailbox;

    /// `ana@example.org`, or `La Raffinerie <bonjour@example.org>`.
    fn from_str(text: &str) -> Result<Self, NotAMailbox> {
        let text = text.trim();
        match text
            .strip_suffix('>')
            .and_then(|rest| rest.rsplit_once('<'))
        {
            Some((name, address)) => Self::new(name.trim().trim_matches('"'), address),
            None => Self::new("", text),
        }
    }
}

impl fmt::Debug for Mailbox {
    /// Without the address: it is personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mailbox(..)")
    }
}

/// A text is no address that mail can be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct NotAMailbox;

/// A text for one line: what would end the line, or command a terminal, is a space.
pub(crate) fn plain(text: &str) -> String {
    let words = text.split(|c: char| c.is_control() || c.is_whitespace());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_with_and_without_a_name() {
        for (text, address) in [
            ("ana@example.org", "ana@example.org"),
            (" Ana <ana@example.org> ", "ana@example.org"),
            ("\"La, Raffinerie\" <a@example.org>", "a@example.org"),
        ] {
            assert_eq!(text.parse::<Mailbox>().unwrap().address(), address);
        }
        for wrong in [
            "",
            "ana",
            "ana@",
            "@example.org",
            "ana@example.org\r\nBcc: x@example.org",
            "ana@exa mple.org",
            "Ana <ana@example.org",
            "a@b@c",
        ] {
            assert!(wrong.parse::<Mailbox>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn an_address_is_not_shown_by_a_debug_print() {
        let mailbox: Mailbox = "Ana <ana@example.org>".parse().unwrap();
        assert!(!format!("{mailbox:?}").contains("ana"));
    }
}
