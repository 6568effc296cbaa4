//! A mail server on loopback (SMTP, RFC 5321) that brings every letter to one heap, for everybody here
//! to read. It forwards nothing, and speaks no TLS.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// How long a letter may be, and one line of a command.
const LONGEST: usize = 1_000_000;
const LINE: u64 = 2_000;
/// How many letters are kept, and how many addresses one may have.
const MOST: usize = 1_000;
const ADDRESSES: usize = 100;

/// A letter that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// For whom.
    pub to: String,
    /// What it is about.
    pub subject: String,
    /// What it says.
    pub text: String,
}

/// The heap of letters; clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Mailbox(Arc<Mutex<Vec<Letter>>>);

impl Mailbox {
    fn heap(&self) -> MutexGuard<'_, Vec<Letter>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The letters, oldest first.
    pub fn letters(&self) -> Vec<Letter> {
        self.heap().clone()
    }

    /// The letters for an address, oldest first.
    pub fn of(&self, address: &str) -> Vec<Letter> {
        let heap = self.heap();
        let own = heap.iter().filter(|letter| letter.to == address);
        own.cloned().collect()
    }

    /// Takes letters for as long as it is polled.
    pub async fn serve(self, listener: TcpListener) {
        let mut open = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    if let Ok((stream, _)) = accepted {
                        let mailbox = self.clone();
                        // Who breaks off has sent nothing.
                        open.spawn(async move { drop(mailbox.talk(stream).await) });
                    }
                }
                Some(_) = open.join_next() => {}
            }
        }
    }

    async fn talk(&self, stream: TcpStream) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        let mut to: Vec<String> = Vec::new();
        let mut begun = false;
        say(&mut stream, "220 demo ready").await?;
        while let Some(line) = line(&mut stream).await? {
            let word = line.split([' ', ':']).next().unwrap_or_default();
            let reply = match word.to_ascii_uppercase().as_str() {
                "EHLO" => "250-demo\r\n250-8BITMIME\r\n250 SMTPUTF8",
                "HELO" | "NOOP" => "250 demo",
                "RSET" => {
                    (begun, to) = (false, Vec::new());
                    "250 forgotten"
                }
                "MAIL" => {
                    (begun, to) = (true, Vec::new());
                    "250 from there"
                }
                "RCPT" if !begun => "503 from whom?",
                "RCPT" if to.len() == ADDRESSES => "452 too many",
                "RCPT" => match between(&line) {
                    Some(address) => {
                        to.push(address);
                        "250 to there"
                    }
                    None => "501 to whom?",
                },
                "DATA" if to.is_empty() => "503 to whom?",
                "DATA" => {
                    say(&mut stream, "354 go on").await?;
                    let Some(text) = data(&mut stream).await? else {
                        say(&mut stream, "552 too long").await?;
                        return Ok(());
                    };
                    begun = false;
                    self.keep(&std::mem::take(&mut to), &text);
                    "250 taken"
                }
                "QUIT" => {
                    say(&mut stream, "221 bye").await?;
                    return Ok(());
                }
                _ => "502 not here",
            };
            say(&mut stream, reply).await?;
        }
        Ok(())
    }

    fn keep(&self, to: &[String], data: &str) {
        let (head, body) = data.split_once("\r\n\r\n").unwrap_or((data, ""));
        let head = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        let header = |name: &str| {
            let mut lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
            let found = lines.find(|(known, _)| known.eq_ignore_ascii_case(name));
            found.map_or("", |(_, value)| value.trim())
        };
        let letter = Letter {
            to: String::new(),
            subject: words(header("Subject")),
            text: plain(header("Content-Transfer-Encoding"), body).replace("\r\n", "\n"),
        };
        let mut heap = self.heap();
        for to in to {
            if heap.len() == MOST {
                heap.remove(0);
            }
            let to = to.clone();
            heap.push(Letter {
                to,
                ..letter.clone()
            });
        }
    }
}

async fn say(stream: &mut BufReader<TcpStream>, text: &str) -> io::Result<()> {
    stream.write_all(format!("{text}\r\n").as_bytes()).await
}

/// A command; nothing once the other side has gone.
async fn line(stream: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    stream.take(LINE).read_until(b'\n', &mut bytes).await?;
    let whole = bytes.ends_with(b"\n");
    Ok(whole.then(|| String::from_utf8_lossy(&bytes).trim_end().to_owned()))
}

/// A letter up to the dot that ends it; nothing where it is too long.
async fn data(stream: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut all = Vec::new();
    loop {
        let mut line = Vec::new();
        let room = (LONGEST - all.len()) as u64;
        stream.take(room).read_until(b'\n', &mut line).await?;
        if line == b".\r\n" {
            return Ok(Some(String::from_utf8_lossy(&all).into_owned()));
        }
        if !line.ends_with(b"\n") {
            return Ok(None);
        }
        // A line that begins with a dot was given one more.
        let rest = line.strip_prefix(b".").unwrap_or(&line);
        all.extend_from_slice(rest);
    }
}

/// The address between the angles.
fn between(line: &str) -> Option<String> {
    let inside = line.split_once('<')?.1.split_once('>')?.0.trim();
    (!inside.is_empty()).then(|| inside.to_owned())
}

/// A body as it was written, before it was encoded for its way.
fn plain(encoding: &str, body: &str) -> String {
    match encoding.to_ascii_lowercase().as_str() {
        "base64" => {
            let packed: String = body.split_whitespace().collect();
            let bytes = STANDARD.decode(packed).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        }
        "quoted-printable" => quoted(&body.replace("=\r\n", "")),
        _ => body.to_owned(),
    }
}

/// `=C3=A9` is é. What is no number stays as it is.
fn quoted(text: &str) -> String {
    let percents = text.replace('%', "%25").replace('=', "%");
    percent_decode_str(&percents)
        .decode_utf8_lossy()
        .into_owned()
}

/// A header with encoded words (RFC 2047): `=?utf-8?b?w6k=?=` is é. Spaces between two of them are
/// none.
fn words(text: &str) -> String {
    let mut out = String::new();
    let mut after_one = false;
    for word in text.split_inclusive(' ') {
        let bare = word.trim_end();
        let inside = bare
            .strip_prefix("=?")
            .and_then(|rest| rest.strip_suffix("?="));
        let mut parts = inside.unwrap_or_default().splitn(3, '?').skip(1);
        match (parts.next(), parts.next()) {
            (Some("b" | "B"), Some(packed)) => {
                let bytes = STANDARD.decode(packed).unwrap_or_default();
                joined(&mut out, after_one, &String::from_utf8_lossy(&bytes));
                after_one = true;
            }
            (Some("q" | "Q"), Some(packed)) => {
                joined(&mut out, after_one, &quoted(&packed.replace('_', " ")));
                after_one = true;
            }
            _ if bare.is_empty() => {}
            _ => {
                joined(&mut out, false, bare);
                after_one = false;
            }
        }
    }
    out
}

fn joined(out: &mut String, close: bool, word: &str) {
    if !out.is_empty() && !close {
        out.push(' ');
    }
    out.push_str(word);
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_for_its_way_is_read() {
        assert_eq!(quoted("caf=C3=A9 100 % =3D 1"), "café 100 % = 1");
        assert_eq!(
            words("Re: =?utf-8?b?w6l0w6k=?= =?utf-8?q?_=C3=A0_deux?= ici"),
            "Re: été à deux ici"
        );
        assert_eq!(plain("base64", "w6l0\r\nw6k=\r\n"), "été");
        assert_eq!(plain("7bit", "a=b"), "a=b");
    }

    /// What is answered to each line, by its code; a letter's lines are answered once, at the dot.
    async fn said(mailbox: &Mailbox, lines: &[&str]) -> Vec<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut work = JoinSet::new();
        work.spawn(mailbox.clone().serve(listener));
        let mut stream = BufReader::new(TcpStream::connect(address).await.unwrap());
        let mut codes = Vec::new();
        let mut greeting = String::new();
        stream.read_line(&mut greeting).await.unwrap();
        let mut writing = false;
        for line in lines {
            let line = format!("{line}\r\n");
            stream.write_all(line.as_bytes()).await.unwrap();
            if writing && line != ".\r\n" {
                continue;
            }
            let mut answer = String::new();
            while answer.as_bytes().get(3).is_none_or(|sign| *sign != b' ') {
                answer.clear();
                stream.read_line(&mut answer).await.unwrap();
            }
            writing = answer.starts_with("354");
            codes.push(answer[..3].to_owned());
        }
        codes
    }

    #[tokio::test]
    async fn a_letter_is_taken_in_the_order_of_the_protocol_and_in_no_other() {
        let mailbox = Mailbox::default();
        let lines = [
            "RCPT TO:<ana@example.org>",
            "DATA",
            "EHLO me",
            "STARTTLS",
            "MAIL FROM:<lieu@example.org>",
            "DATA",
            "RCPT TO:nobody",
            "RCPT TO:<ana@example.org> NOTIFY=NEVER",
            "DATA",
            "Subject: Un point",
            "",
            "..et la suite",
            ".",
            "RCPT TO:<ana@example.org>",
            "QUIT",
        ];
        let codes = said(&mailbox, &lines).await;
        let expected = [
            "503", "503", "250", "502", "250", "503", "501", "250", "354", "250", "503", "221",
        ];
        assert_eq!(codes, expected);
        let letters = mailbox.of("ana@example.org");
        assert_eq!(letters.len(), 1);
        assert_eq!(letters[0].subject, "Un point");
        assert_eq!(letters[0].text, ".et la suite\n");
    }

    #[test]
    fn letters_stay_apart() {
        let mailbox = Mailbox::default();
        let data = "Subject: =?utf-8?b?w6l0?=\r\n =?utf-8?b?w6k=?=\r\n\r\nOui.\r\n";
        mailbox.keep(&["ana@example.org".into(), "bob@example.org".into()], data);
        let own = mailbox.of("bob@example.org");
        assert_eq!(own.len(), 1);
        assert_eq!(
            (own[0].subject.as_str(), own[0].text.as_str()),
            ("été", "Oui.\n")
        );
    }
}
