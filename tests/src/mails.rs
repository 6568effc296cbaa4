//! `kill -9` at random moments while people sign up, sign off and are promoted, and the mail server
//! misbehaves: in the end each mail was sent once, or waits for a person by its name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::place::Place;
use crate::process::Process;
use crate::sheet::Dice;
use crate::smtp::{Server, Taken, Tls};
use crate::wire;
use crate::working::{PATIENCE, TOKEN};

/// What the mail server does between two lives of the program, and what it is called.
const TROUBLES: [(&str, &[&str]); 7] = [
    ("nothing", &[]),
    ("put off", &["--at", "rcpt", "450", "2"]),
    ("closed", &["--at", "connect", "421", "4"]),
    ("cut before the letter", &["--at", "data", "cut", "1"]),
    ("cut at the letter", &["--at", "content", "cut", "1"]),
    ("taken and cut", &["--at", "content", "taken-cut", "1"]),
    ("hangs", &["--at", "content", "hang", "1"]),
];

/// What a campaign saw.
#[derive(Debug, Default)]
pub struct Report {
    /// How often the program was killed.
    pub kills: usize,
    /// How often it was talking to the mail server at that moment.
    pub in_flight: usize,
    /// What the mail server did beside, and how often.
    pub troubles: BTreeMap<&'static str, usize>,
    /// How many letters were taken, each once.
    pub letters: usize,
    /// How many mails a person was asked about, by their name.
    pub asked: usize,
    /// How many people heard of their sign-up in none that arrived, each asked about.
    pub silent: usize,
    /// How many sign-ups there were.
    pub sign_ups: usize,
    /// How long it took.
    pub took: Duration,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kills,
            in_flight,
            letters,
            asked,
            silent,
            sign_ups,
            ..
        } = self;
        let seconds = self.took.as_secs();
        writeln!(
            f,
            "{kills} kills in {seconds} s, {in_flight} while a mail was under way"
        )?;
        for (what, times) in &self.troubles {
            writeln!(f, "  {times} times the server: {what}")?;
        }
        writeln!(
            f,
            "{sign_ups} sign-ups; {letters} letters, none twice; {asked} asked about by name, {silent} of which were somebody's only one"
        )
    }
}

/// Kills the program `kills` times, then checks what the mail server took.
///
/// # Errors
/// What was lost, or sent twice.
pub fn run(kills: usize, seed: u64) -> Result<Report> {
    let began = Instant::now();
    let mut mail = Server::start()?;
    let port = mail.port().to_string();
    let web = {
        let free = std::net::TcpListener::bind("127.0.0.1:0")?;
        free.local_addr()?
    };
    let place = Place::new(&config(web, mail.port()))?;
    place.save("token", TOKEN.as_bytes())?;
    let mut dice = Dice(seed);
    let mut report = Report::default();
    let mut taken: Vec<Taken> = Vec::new();
    let mut people = 0;
    for round in 0..kills {
        taken.extend(mail.taken()?);
        drop(mail);
        let (what, words) = TROUBLES[usize::try_from(dice.below(TROUBLES.len() as u64))?];
        *report.troubles.entry(what).or_default() += 1;
        let words = [&["--port", port.as_str()], words].concat();
        mail = Server::with(Tls::None, &words)?;
        let mut daemon = Process::of(place.start()?);
        ready(web.port())?;
        let until = Instant::now() + Duration::from_millis(200 + dice.below(600));
        while Instant::now() < until {
            post(web.port(), round, &mut people, &mut dice)?;
            std::thread::park_timeout(Duration::from_millis(30 + dice.below(120)));
        }
        // One in four at whatever moment it is.
        if round % 4 != 0 {
            let before = mail.heard("mail");
            let until = Instant::now() + Duration::from_secs(2);
            while mail.heard("mail") == before && Instant::now() < until {
                std::thread::park_timeout(Duration::from_millis(1));
            }
            report.in_flight += usize::from(mail.heard("mail") > before);
        }
        daemon.kill()?;
        report.kills += 1;
    }
    taken.extend(mail.taken()?);
    drop(mail);
    let mail = Server::with(Tls::None, &["--port", &port])?;
    let asked = settle(&place)?;
    taken.extend(mail.taken()?);
    check(&place, &taken, &asked, &mut report)?;
    report.took = began.elapsed();
    Ok(report)
}

fn config(web: std::net::SocketAddr, port: u16) -> String {
    format!(
        "[place]\nid = \"lieu\"\nname = \"Le lieu\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\ndata = \"data\"\n\
         [web]\nlisten = \"{web}\"\npublic_url = \"http://{web}\"\nadmin_token_file = \"token\"\n\
         [connectors.hands]\nkind = \"signup\"\nurl = \"smtp://127.0.0.1:{port}\"\nfrom = \"Le lieu <lieu@example.org>\"\n"
    )
}

fn ready(port: u16) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    while !wire::call(port, "GET", "/readyz", &[], b"").is_ok_and(|(status, _)| status == 200) {
        ensure!(Instant::now() < until, "it does not start");
        std::thread::park_timeout(Duration::from_millis(5));
    }
    Ok(())
}

/// Somebody signs up for one of a few things with three places, or signs off again.
fn post(port: u16, round: usize, people: &mut usize, dice: &mut Dice) -> Result<()> {
    let bearer = format!("Bearer {TOKEN}");
    let headers = [
        ("Content-Type", "application/cloudevents+json"),
        ("Authorization", bearer.as_str()),
    ];
    let subject = format!("bal{}", round / 5);
    let mut events = vec![serde_json::json!({
        "specversion": "1.0", "id": subject, "source": "/t", "subject": subject,
        "type": "org.raccord.activity.created.v1",
        "data": { "title": format!("Bal {}", round / 5), "start": "2027-01-15T20:30", "capacity": 3 },
    })];
    let who = if *people > 0 && dice.below(4) == 0 {
        let who = usize::try_from(dice.below(*people as u64))?;
        (who, "updated", "cancelled")
    } else {
        *people += 1;
        (*people - 1, "created", "registered")
    };
    let (n, verb, state) = who;
    let id = format!("{n}-{state}");
    events.push(serde_json::json!({
        "specversion": "1.0", "id": id, "source": "/t", "subject": format!("r{n}"),
        "type": format!("org.raccord.registration.{verb}.v1"),
        "data": { "activity": subject, "email": format!("p{n}@example.org"), "state": state },
    }));
    for event in events {
        let body = event.to_string();
        let (status, said) = wire::call(port, "POST", "/v1/events", &headers, body.as_bytes())?;
        ensure!(
            status == 202,
            "{status}: {}",
            String::from_utf8_lossy(&said)
        );
    }
    Ok(())
}

/// Passes until nothing is owed; gives the mails a person was asked about.
fn settle(place: &Place) -> Result<Vec<Value>> {
    let mut asked = Vec::new();
    for _ in 0..40 {
        let answer = place.run(&["sync", "--wait", "90s"])?;
        ensure!(
            matches!(answer.code, 0 | 3),
            "the last pass ended with {}: {}",
            answer.code,
            answer.stderr
        );
        ensure!(
            answer.json["dead"] == Value::Array(vec![]),
            "{}",
            answer.json["dead"]
        );
        let holds = place.run(&["holds"])?.json;
        let holds = holds.as_array().context("holds")?;
        for hold in holds {
            ensure!(hold["code"] == "unknown-outcome", "{hold}");
            let id = hold["id"].as_str().context("an id")?;
            asked.push(hold.clone());
            // "Leave it": nothing is sent again unasked.
            let said = place.run(&["reject", id])?;
            ensure!(said.code == 0, "reject {id}: {}", said.stderr);
        }
        if holds.is_empty() && answer.json["later"] == Value::Array(vec![]) {
            return Ok(asked);
        }
    }
    anyhow::bail!("something is owed after forty passes")
}

fn check(place: &Place, taken: &[Taken], asked: &[Value], report: &mut Report) -> Result<()> {
    let mut names = BTreeSet::new();
    for letter in taken {
        let name = letter.header("Message-ID").context("a name")?;
        ensure!(names.insert(name.to_owned()), "{name} was sent twice");
    }
    report.letters = taken.len();
    report.asked = asked.len();
    // Whoever signed up heard of it, or a person was asked about just their sign-up.
    let told: BTreeSet<&str> = taken.iter().map(|letter| letter.to.as_str()).collect();
    let about: BTreeSet<&str> = asked
        .iter()
        .filter_map(|hold| hold["effects"][0]["entity"].as_str())
        .collect();
    let events = place.events()?;
    let of_kind = |kind: &'static str| events.iter().filter(move |it| it["type"] == kind);
    let emails: BTreeMap<&str, &str> = of_kind("org.raccord.person.created.v1")
        .filter_map(|it| Some((it["subject"].as_str()?, it["data"]["email"].as_str()?)))
        .collect();
    for sign_up in of_kind("org.raccord.registration.created.v1") {
        let id = sign_up["subject"].as_str().context("a sign-up")?;
        let person = sign_up["data"]["person"].as_str().context("a person")?;
        let email = emails.get(person).context("an address")?;
        if !told.contains(email) {
            ensure!(
                about.contains(id),
                "{email} heard nothing, and nobody is asked"
            );
            report.silent += 1;
        }
        report.sign_ups += 1;
    }
    ensure!(report.sign_ups > 0, "nobody signed up");
    Ok(())
}
