//! A mail server after RFC 5321, with one surprise at a time, which does what it is told to.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "tests use what they need of it"
)]

pub(crate) mod quirks;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use quirks::Quirk;

/// What a server does instead of what it should.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Says this.
    Say(&'static str),
    /// Hangs up without a word.
    Cut,
}

/// A letter that it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) to: String,
    pub(crate) text: String,
}

impl Letter {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let head = self.text.split("\r\n\r\n").next()?;
        let mut lines = head.split("\r\n");
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// What it says, put back from quoted-printable.
    pub(crate) fn says(&self) -> String {
        let body = self.text.split_once("\r\n\r\n").map_or("", |it| it.1);
        let mut bytes = Vec::new();
        let mut rest = body.replace("=\r\n", "").into_bytes().into_iter();
        while let Some(byte) = rest.next() {
            let hex = (byte == b'=').then(|| [rest.next(), rest.next()]);
            match hex {
                Some([Some(a), Some(b)]) => {
                    let hex = [a, b].map(char::from).iter().collect::<String>();
                    bytes.push(u8::from_str_radix(&hex, 16).unwrap_or(b'?'));
                }
                _ => bytes.push(byte),
            }
        }
        String::from_utf8_lossy(&bytes).replace("\r\n", "\n")
    }
}

type Script = Box<dyn FnMut(&str, &str) -> Option<Act> + Send>;

struct State {
    taken: Vec<Letter>,
    heard: Vec<String>,
    greeted: BTreeSet<String>,
    script: Script,
    /// Name and password, where a login is needed.
    login: Option<(String, String)>,
    offers_login: bool,
}

/// The server.
#[derive(Clone)]
pub(crate) struct Office {
    state: Arc<Mutex<State>>,
    quirk: Option<Quirk>,
    port: u16,
}

impl Office {
    pub(crate) async fn open(quirk: Option<Quirk>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let office = Self {
            state: Arc::new(Mutex::new(State {
                taken: Vec::new(),
                heard: Vec::new(),
                greeted: BTreeSet::new(),
                script: Box::new(|_, _| None),
                login: None,
                offers_login: true,
            })),
            quirk,
            port: listener.local_addr().unwrap().port(),
        };
        let serving = office.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serving.clone();
                // Whoever hangs up ends their own line only.
                tokio::spawn(async move { drop(serving.talk(stream).await) });
            }
        });
        office
    }

    pub(crate) fn address(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn has(&self, quirk: Quirk) -> bool {
        self.quirk == Some(quirk)
    }

    /// From now on it does at each step (a verb, `GREET`, or `LETTER`) what `script` says.
    pub(crate) fn plays(&self, script: impl FnMut(&str, &str) -> Option<Act> + Send + 'static) {
        self.state().script = Box::new(script);
    }

    /// It does nothing out of the way any more.
    pub(crate) fn is_calm(&self) {
        self.plays(|_, _| None);
    }

    pub(crate) fn wants(&self, name: &str, password: &str) {
        self.state().login = Some((name.to_owned(), password.to_owned()));
    }

    pub(crate) fn offers_no_login(&self) {
        self.state().offers_login = false;
    }

    /// The letters it took, in order.
    pub(crate) fn taken(&self) -> Vec<Letter> {
        self.state().taken.clone()
    }

    /// How often it heard a verb.
    pub(crate) fn heard(&self, verb: &str) -> usize {
        self.state().heard.iter().filter(|it| *it == verb).count()
    }

    async fn talk(&self, stream: TcpStream) -> std::io::Result<()> {
        let (read, write) = stream.into_split();
        let mut line = Line {
            read: BufReader::new(read),
            write,
        };
        let greeting = "220-office.example.org ESMTP\r\n220-We do not like spam\r\n220 go on";
        if self.says(&mut line, "GREET", "", greeting).await?.is_none() {
            return Ok(());
        }
        let mut session = Session::default();
        while let Some(said) = line.next().await? {
            let (verb, rest) = said.split_once(' ').unwrap_or((&said, ""));
            let verb = verb.to_ascii_uppercase();
            self.state().heard.push(verb.clone());
            let usual = self.answer(&mut session, &verb, rest);
            let Some(answer) = self.says(&mut line, &verb, rest, &usual).await? else {
                return Ok(());
            };
            if verb == "QUIT" {
                return Ok(());
            }
            if answer.starts_with("354") {
                let text = line.letter().await?;
                let usual = self.takes(&mut session, text);
                if usual.is_empty() || self.says(&mut line, "LETTER", "", &usual).await?.is_none() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Says what is to be said at a step, and gives it; nothing once it has hung up.
    async fn says(
        &self,
        line: &mut Line,
        step: &str,
        rest: &str,
        usual: &str,
    ) -> std::io::Result<Option<String>> {
        let act = (self.state().script)(step, rest);
        let said = match act {
            Some(Act::Cut) => return Ok(None),
            Some(Act::Say(text)) => text,
            None => usual,
        };
        line.say(said).await?;
        Ok((!said.starts_with("421")).then(|| said.to_owned()))
    }

    fn answer(&self, session: &mut Session, verb: &str, rest: &str) -> String {
        let address = || rest.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        let login = self.state().login.clone();
        match verb {
            "EHLO" => self.greets(),
            "AUTH" if self.has(Quirk::LoginBroken) && self.heard("AUTH") == 1 => {
                "454 4.7.0 temporary authentication failure".to_owned()
            }
            "AUTH" => {
                let known = login.is_none_or(|(name, password)| rest == plain(&name, &password));
                session.admitted = known;
                let answer = if known {
                    "235 go on"
                } else {
                    "535 5.7.8 wrong"
                };
                answer.to_owned()
            }
            "MAIL" if login.is_some() && !session.admitted => {
                "530 5.7.0 Authentication required".to_owned()
            }
            "MAIL" if self.has(Quirk::LoginAskedAtTheSender) && !session.admitted => {
                "530 5.7.0 Must issue a STARTTLS or AUTH command first".to_owned()
            }
            "MAIL" if session.sent && self.has(Quirk::OneLetterAConnection) => {
                "421 4.7.0 one letter a connection".to_owned()
            }
            "MAIL" => {
                session.from = address();
                "250 2.1.0 fine".to_owned()
            }
            "RCPT" => {
                session.to = address();
                self.refuses(session)
                    .unwrap_or_else(|| "250 2.1.5 fine".to_owned())
            }
            "DATA" => "354 go on".to_owned(),
            "QUIT" => "221 bye".to_owned(),
            _ => "250 fine".to_owned(),
        }
    }

    fn greets(&self) -> String {
        let login = if self.state().offers_login {
            "250-AUTH PLAIN LOGIN\r\n"
        } else {
            ""
        };
        let beyond = if self.has(Quirk::NoLettersBeyondAscii) {
            ""
        } else {
            "250-SMTPUTF8\r\n250-8BITMIME\r\n"
        };
        format!("250-office.example.org\r\n{login}{beyond}250 PIPELINING")
    }

    /// What is wrong with a recipient.
    fn refuses(&self, session: &Session) -> Option<String> {
        let Session { from, to, .. } = session;
        match self.quirk? {
            Quirk::Greylists => {
                let pair = format!("{from} {to}");
                let first = self.state().greeted.insert(pair);
                first.then(|| "451 4.7.1 Greylisted, try again later".to_owned())
            }
            Quirk::SenderRefusedAtRecipient => Some(format!(
                "553 5.7.1 <{from}>: Sender address rejected: not owned by user"
            )),
            Quirk::RelayRefusedAtRecipient => {
                Some(format!("554 5.7.1 <{to}>: Relay access denied"))
            }
            Quirk::RepeatsTheAddress => Some(format!("550 5.1.1 <{to}>: no such user here")),
            _ => None,
        }
    }

    /// Takes a letter, or does not; an empty answer hangs up.
    fn takes(&self, session: &mut Session, text: String) -> String {
        session.sent = true;
        let letter = Letter {
            to: session.to.clone(),
            text,
        };
        let mut state = self.state();
        match self.quirk {
            Some(Quirk::RefusesAfterTheLetter) => {
                return "550 5.1.1 no such user, now that I look".to_owned();
            }
            Some(Quirk::NoRoomForNow) if state.greeted.insert(letter.to.clone()) => {
                return "452 4.2.2 mailbox full".to_owned();
            }
            Some(Quirk::TakesAndHangsUp) if state.taken.is_empty() => {
                state.taken.push(letter);
                return String::new();
            }
            // Without the quirk it knows what it had: servers do not.
            Some(Quirk::KeepsRepeats) => state.taken.push(letter),
            _ => {
                if !state.taken.contains(&letter) {
                    state.taken.push(letter);
                }
            }
        }
        "250 2.0.0 taken".to_owned()
    }
}

/// What is known of whoever is at the line.
#[derive(Default)]
struct Session {
    from: String,
    to: String,
    admitted: bool,
    sent: bool,
}

/// An initial response of `AUTH PLAIN` (RFC 4616).
fn plain(name: &str, password: &str) -> String {
    use base64::Engine as _;
    let said = format!("\0{name}\0{password}");
    let said = base64::engine::general_purpose::STANDARD.encode(said);
    format!("PLAIN {said}")
}

struct Line {
    read: BufReader<OwnedReadHalf>,
    write: OwnedWriteHalf,
}

impl Line {
    async fn next(&mut self) -> std::io::Result<Option<String>> {
        let mut line = String::new();
        let read = self.read.read_line(&mut line).await?;
        Ok((read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
    }

    async fn say(&mut self, text: &str) -> std::io::Result<()> {
        self.write.write_all(format!("{text}\r\n").as_bytes()).await
    }

    /// A letter, until the line with a dot alone; doubled dots are one.
    async fn letter(&mut self) -> std::io::Result<String> {
        let mut text = String::new();
        while let Some(line) = self.next().await? {
            if line == "." {
                break;
            }
            text.push_str(line.strip_prefix('.').unwrap_or(&line));
            text.push_str("\r\n");
        }
        Ok(text)
    }
}
