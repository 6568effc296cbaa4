//! A letter: composed once, the same bytes however often it is handed over.

use std::fmt;
use std::time::SystemTime;

use jiff::Timestamp;
use lettre::message::Message;
use lettre::message::header::{ContentType, HeaderName, HeaderValue, MIME_VERSION_1_0};
use raccord_model::{Digest, Lang};

use crate::address::{Mailbox, plain};

/// The most characters of a subject.
const LONGEST_SUBJECT: usize = 250;
/// The largest letter, in bytes.
const LARGEST: usize = 1_000_000;

/// What a letter is made from.
#[derive(Clone, Debug)]
pub struct Draft<'a> {
    /// What it is called, for ever: the same key is the same `Message-ID`.
    pub key: &'a str,
    /// Who writes.
    pub from: &'a Mailbox,
    /// To whom.
    pub to: &'a Mailbox,
    /// In one line.
    pub subject: &'a str,
    /// What it says, as plain text.
    pub text: &'a str,
    /// The language of that.
    pub lang: Lang,
    /// The hour it bears.
    pub date: Timestamp,
    /// The key of the letter it follows, in the same thread.
    pub follows: Option<&'a str>,
}

/// A letter, ready to be handed over.
#[derive(Clone)]
pub struct Letter {
    pub(crate) to: lettre::Address,
    pub(crate) from: lettre::Address,
    pub(crate) id: String,
    pub(crate) bytes: Vec<u8>,
}

impl Letter {
    /// Composes a letter.
    ///
    /// # Errors
    /// When it is too long.
    pub fn compose(draft: &Draft<'_>) -> Result<Self, Unfit> {
        let id = id_of(draft.key, draft.from);
        let subject: String = plain(draft.subject).chars().take(LONGEST_SUBJECT).collect();
        let mut message = Message::builder()
            .from(draft.from.0.clone())
            .to(draft.to.0.clone())
            .date(SystemTime::from(draft.date))
            .message_id(Some(id.clone()))
            .subject(subject)
            // No holiday reply, no bounce to a person, no loop (RFC 3834, section 5).
            .raw_header(raw("Auto-Submitted", "auto-generated"))
            .raw_header(raw("Content-Language", &draft.lang.to_string()));
        if let Some(key) = draft.follows {
            let first = id_of(key, draft.from);
            message = message.in_reply_to(first.clone()).references(first);
        }
        let message = message
            .header(MIME_VERSION_1_0)
            .header(ContentType::TEXT_PLAIN)
            .body(draft.text.to_owned())
            .map_err(|_| Unfit)?;
        let bytes = message.formatted();
        if bytes.len() > LARGEST {
            return Err(Unfit);
        }
        Ok(Self {
            to: draft.to.0.email.clone(),
            from: draft.from.0.email.clone(),
            id,
            bytes,
        })
    }

    /// Its `Message-ID`, in angle brackets.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The letter as it is handed over.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Letter {
    /// Without what stands in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letter")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A letter cannot be composed of this: it is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no letter can be made of this")]
pub struct Unfit;

/// The `Message-ID` of the letter called `key`: it tells nothing, and is the same every time.
pub(crate) fn id_of(key: &str, from: &Mailbox) -> String {
    let name = Digest::of(format!("raccord letter\0{key}").as_bytes());
    format!("<{name}@{}>", from.domain())
}

fn raw(name: &'static str, value: &str) -> HeaderValue {
    let name = HeaderName::new_from_ascii_str(name);
    HeaderValue::new(name, value.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn written(subject: &str, text: &str, name: &str) -> String {
        let from: Mailbox = "Raffinerie <hello@example.org>".parse().unwrap();
        let to = Mailbox::new(name, "ana@example.org").unwrap();
        let letter = Letter::compose(&Draft {
            key: "k",
            from: &from,
            to: &to,
            subject,
            text,
            lang: Lang::Fr,
            date: Timestamp::UNIX_EPOCH,
            follows: Some("before"),
        })
        .unwrap();
        String::from_utf8(letter.bytes().to_vec()).unwrap()
    }

    #[test]
    fn nothing_that_people_write_becomes_a_header() {
        for evil in [
            "Hello\r\nBcc: eve@example.org",
            "Hello\nBcc: eve@example.org\n\nbody",
            "é\r\n\r\nBcc: eve@example.org",
            "x\u{2028}Bcc: eve@example.org\u{85}y",
        ] {
            let letter = written(evil, "text", evil);
            let (head, _) = letter.split_once("\r\n\r\n").unwrap();
            assert!(
                !head
                    .lines()
                    .any(|line| line.to_lowercase().starts_with("bcc")),
                "{head}"
            );
            assert!(letter.ends_with("\r\n\r\ntext"), "{letter}");
        }
    }

    #[test]
    fn the_same_draft_is_the_same_bytes_and_another_key_is_another_id() {
        assert_eq!(written("a", "b", "c"), written("a", "b", "c"));
        let from: Mailbox = "hello@example.org".parse().unwrap();
        assert_ne!(id_of("a", &from), id_of("b", &from));
    }

    #[test]
    fn every_line_is_ascii_and_ends_as_mail_does() {
        let letter = written(
            "Inscription confirmée",
            &format!("Là\n.\n{}\n", "é".repeat(2_000)),
            "Zoé",
        );
        assert!(letter.is_ascii());
        for line in letter.split("\r\n") {
            assert!(!line.contains(['\r', '\n']) && line.len() <= 998);
        }
        for name in [
            "Date:",
            "Message-ID:",
            "MIME-Version: 1.0",
            "In-Reply-To:",
            "Auto-Submitted: auto-generated",
        ] {
            assert!(letter.contains(name), "{name}");
        }
    }

    #[test]
    fn a_letter_without_end_is_refused() {
        let from: Mailbox = "hello@example.org".parse().unwrap();
        let text = "a".repeat(LARGEST);
        let draft = Draft {
            key: "k",
            from: &from,
            to: &from,
            subject: "s",
            text: &text,
            lang: Lang::Fr,
            date: Timestamp::UNIX_EPOCH,
            follows: None,
        };
        assert_eq!(Letter::compose(&draft).unwrap_err(), Unfit);
    }
}
