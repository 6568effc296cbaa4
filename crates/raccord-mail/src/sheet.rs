//! A letter to many: formatted once, with gaps for what differs from reader to reader.
//!
//! What is formatted once can be kept before it is sent, so that every reader, and every repeat, gets
//! the same bytes, whatever program sends them by then.

use std::fmt::Write as _;
use std::time::SystemTime;

use jiff::Timestamp;
use lettre::message::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use raccord_model::{Digest, Lang};

use crate::address::{Mailbox, plain};
use crate::letter::{Letter, Unfit, id_of};

/// The largest letter, in bytes.
const LARGEST: usize = 400_000;
/// The longest line of an encoded part, without its end (RFC 2045, section 6.7).
const LINE: usize = 76;

/// Where the head of each letter goes: to whom, its name, how to leave. No formatted byte is zero.
const HEAD: &str = "\0head\0";
/// Where a reader's own way to leave stands in the parts.
const LEAVE: &str = "\0leave\0";

/// What a letter to many is made from.
#[derive(Clone, Debug)]
pub struct Text<'a> {
    /// What it is called, for ever.
    pub key: &'a str,
    /// Who writes.
    pub from: &'a Mailbox,
    /// In one line.
    pub subject: &'a str,
    /// For programs that show HTML.
    pub html: &'a str,
    /// For all others.
    pub text: &'a str,
    /// The language of both.
    pub lang: Lang,
    /// The hour it bears.
    pub date: Timestamp,
    /// The list's name, for programs that sort by it; empty where the list's own server says it.
    pub list: &'a str,
    /// What stands in both parts for a reader's own address to leave; empty where they have none.
    pub leave: &'a str,
}

/// A letter to many, formatted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet(String);

impl Sheet {
    /// Formats it.
    ///
    /// # Errors
    /// When it is too long.
    pub fn compose(text: &Text<'_>) -> Result<Self, Unfit> {
        let mut out = head(text)?;
        let boundary = format!(
            "raccord-{}",
            &Digest::of(format!("boundary\0{}", text.key).as_bytes()).to_string()[..32]
        );
        out.push_str(HEAD);
        let mut line = |text: &str| {
            out.push_str(text);
            out.push_str("\r\n");
        };
        line("MIME-Version: 1.0");
        line("Content-Type: multipart/alternative;");
        line(&format!(" boundary=\"{boundary}\""));
        for (kind, part) in [("plain", text.text), ("html", text.html)] {
            line("");
            line(&format!("--{boundary}"));
            line(&format!("Content-Type: text/{kind}; charset=utf-8"));
            line("Content-Transfer-Encoding: quoted-printable");
            line("");
            line(&encoded(part, text.leave));
        }
        line("");
        line(&format!("--{boundary}--"));
        if out.len() > LARGEST {
            return Err(Unfit);
        }
        Ok(Self(out))
    }

    /// As it is kept.
    pub fn kept(&self) -> &str {
        &self.0
    }

    /// As it was kept.
    pub fn read(kept: &str) -> Self {
        Self(kept.to_owned())
    }

    /// What it says, as text and as HTML; where each reader has their own way to leave stands `leave`.
    pub fn parts(&self, leave: &str) -> Option<(String, String)> {
        let mut parts = self.0.split("\r\n\r\n--raccord-").filter_map(|part| {
            let (_, body) = part.rsplit_once("quoted-printable\r\n\r\n")?;
            Some(read(body).replace(LEAVE, leave))
        });
        let text = parts.next()?;
        Some((text, parts.next()?))
    }

    /// The letter to one reader: `key` is what it is called, for ever; `leave` the address by which
    /// they leave at once (RFC 8058), where they have one.
    pub fn letter(&self, key: &str, from: &Mailbox, to: &Mailbox, leave: &str) -> Letter {
        let id = id_of(key, from);
        let mut head = format!("To: {}\r\nMessage-ID: {id}\r\n", to.address());
        let leave = plain(leave);
        if !leave.is_empty() {
            // Writing into a text does not fail.
            let _infallible = write!(
                head,
                "List-Unsubscribe: <{leave}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
            );
        }
        // A soft line break before and after: the encoding goes on as if nothing stood between.
        let way = format!("=\r\n{}=\r\n", encoded(&leave, ""));
        let bytes = self.0.replacen(HEAD, &head, 1).replace(LEAVE, &way);
        Letter {
            to: to.0.email.clone(),
            from: from.0.email.clone(),
            id,
            bytes: bytes.into_bytes(),
        }
    }
}

/// The part of the head that is the same for all.
fn head(text: &Text<'_>) -> Result<String, Unfit> {
    let raw = |name: &'static str, value: String| {
        HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
    };
    let subject: String = plain(text.subject).chars().take(250).collect();
    let mut message = Message::builder()
        .from(text.from.0.clone())
        // Asked for, and replaced by each reader.
        .to(text.from.0.clone())
        .date(SystemTime::from(text.date))
        .subject(subject)
        .raw_header(raw("Auto-Submitted", "auto-generated".to_owned()))
        .raw_header(raw("Content-Language", text.lang.to_string()));
    if !text.list.is_empty() {
        let list = format!("<{}.{}>", text.list, text.from.domain());
        message = message
            .raw_header(raw("List-Id", list))
            .raw_header(raw("Precedence", "bulk".to_owned()));
    }
    let formatted = message.body(String::new()).map_err(|_| Unfit)?.formatted();
    let formatted = String::from_utf8(formatted).map_err(|_| Unfit)?;
    let (head, _) = formatted.split_once("\r\n\r\n").ok_or(Unfit)?;
    let mut out = String::new();
    let mut dropped = false;
    for line in head.split("\r\n") {
        let folded = line.starts_with([' ', '\t']);
        if !folded {
            let (name, _) = line.split_once(':').unwrap_or_default();
            let ours = [
                "to",
                "mime-version",
                "content-transfer-encoding",
                "content-type",
            ];
            dropped = ours.contains(&name.to_ascii_lowercase().as_str());
        }
        if !dropped {
            out.push_str(line);
            out.push_str("\r\n");
        }
    }
    Ok(out)
}

/// `text` as quoted-printable, with a gap for each `gap` in it.
fn encoded(text: &str, gap: &str) -> String {
    if gap.is_empty() {
        return quoted(text);
    }
    let parts: Vec<String> = text.split(gap).map(quoted).collect();
    parts.join(LEAVE)
}

/// What an encoded part says.
fn read(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let whole = part.replace("=\r\n", "").replace("\r\n", "\n");
    let mut rest = whole.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'=' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        if let (Some(high), Some(low)) = (digit(), digit()) {
            bytes.extend(u8::try_from(high * 16 + low));
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Quoted-printable (RFC 2045, section 6.7).
fn quoted(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut room = LINE - 1;
    let mut bytes = text.bytes().filter(|byte| *byte != b'\r').peekable();
    while let Some(byte) = bytes.next() {
        if byte == b'\n' {
            out.push_str("\r\n");
            room = LINE - 1;
            continue;
        }
        let ends = bytes.peek().is_none_or(|next| *next == b'\n');
        let plain = matches!(byte, b'!'..=b'~') && byte != b'=' || byte == b' ' && !ends;
        let width = if plain { 1 } else { 3 };
        if room < width {
            out.push_str("=\r\n");
            room = LINE - 1;
        }
        if plain {
            out.push(char::from(byte));
        } else {
            out.push('=');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
        room -= width;
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn sheet(html: &str, subject: &str) -> Sheet {
        let from: Mailbox = "La Raffinerie <lettre@example.org>".parse().unwrap();
        Sheet::compose(&Text {
            key: "k",
            from: &from,
            subject,
            html,
            text: "Là : https://leave.invalid/\n",
            lang: Lang::Fr,
            date: Timestamp::UNIX_EPOCH,
            list: "lettre",
            leave: "https://leave.invalid/",
        })
        .unwrap()
    }

    fn letter(sheet: &Sheet, to: &str, leave: &str) -> String {
        let from: Mailbox = "La Raffinerie <lettre@example.org>".parse().unwrap();
        let to = Mailbox::new("", to).unwrap();
        let letter = sheet.letter("k/ana", &from, &to, leave);
        String::from_utf8(letter.bytes().to_vec()).unwrap()
    }

    #[test]
    fn a_letter_is_the_same_bytes_every_time_also_once_it_was_kept() {
        let html = format!(
            "<a href=\"https://leave.invalid/\">é</a>{}",
            "x ".repeat(300)
        );
        let sheet = sheet(&html, "Programme de février");
        let way = format!(
            "https://lieu.example.org/newsletter/leave?k={}",
            "z".repeat(90)
        );
        let first = letter(&sheet, "ana@example.org", &way);
        assert_eq!(
            letter(&Sheet::read(sheet.kept()), "ana@example.org", &way),
            first
        );
        assert_eq!(first.matches("Message-ID: <").count(), 1);
        let said = read(&first);
        assert_eq!(
            first.matches(&way).count(),
            1,
            "the head, in which nothing is quoted"
        );
        assert_eq!(said.matches(&way).count(), 2, "both parts");
        assert!(!said.contains("leave.invalid") && !first.contains('\0'));
        let parts = said.split("quoted-printable").nth(2).unwrap();
        assert!(parts.contains(&html.replace("https://leave.invalid/", &way)));
        let (text, shown) = sheet.parts("https://leave.invalid/").unwrap();
        assert_eq!(text.trim_end(), "Là : https://leave.invalid/");
        assert_eq!(shown.trim_end(), html.trim_end());
    }

    #[test]
    fn every_line_is_ascii_and_short_and_nothing_becomes_a_header() {
        for evil in ["x\r\nBcc: eve@example.org", "é\n\nBcc: eve@example.org"] {
            let sheet = sheet(&format!("{evil}{}", "é\t ".repeat(500)), evil);
            let letter = letter(&sheet, "ana@example.org", "https://a.example/\r\nBcc: x");
            let (head, body) = letter.split_once("\r\n\r\n").unwrap();
            assert!(
                !head
                    .lines()
                    .any(|line| line.to_lowercase().starts_with("bcc"))
            );
            assert!(letter.is_ascii());
            for line in body.split("\r\n") {
                assert!(line.len() <= LINE && !line.contains(['\r', '\n']), "{line}");
                assert!(!line.ends_with([' ', '\t']), "{line:?}");
            }
            assert_eq!(head.matches("Content-Type:").count(), 1, "{head}");
        }
    }

    #[test]
    fn a_letter_to_a_list_says_nothing_of_leaving() {
        let sheet = sheet("<p>x</p>", "s");
        let letter = letter(&sheet, "list@example.org", "");
        assert!(!letter.contains("List-Unsubscribe"));
        assert!(letter.contains("To: list@example.org\r\n"));
    }
}
