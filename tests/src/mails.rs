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
use crate::visitor::Visitor;
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
    let mut people = {
        let _daemon = place.work()?;
        ready(web.port())?;
        signed_in(web.port(), &mail)?
    };
    for round in 0..kills {
        taken.extend(mail.taken()?);
        drop(mail);
        let (what, words) = TROUBLES[usize::try_from(dice.below(TROUBLES.len() as u64))?];
        *report.troubles.entry(what).or_default() += 1;
        let words = [&["--port", port.as_str()], words].concat();
        mail = Server::with(Tls::None, &words)?;
        let mut daemon = Process::of(place.start()?);
        ready(web.port())?;
        let subject = offer(web.port(), &place, &format!("Bal {}", round / 3))?;
        let until = Instant::now() + Duration::from_millis(200 + dice.below(600));
        while Instant::now() < until {
            let who = usize::try_from(dice.below(PEOPLE as u64))?;
            press(&mut people[who], &subject)?;
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

/// So many people there are; each asks for a link once.
const PEOPLE: usize = 20;

/// Somebody who signed in, and what their forms carry.
struct Person {
    visitor: Visitor,
    token: String,
}

/// People who signed in while the mail server was well.
fn signed_in(web: u16, mail: &Server) -> Result<Vec<Person>> {
    (0..PEOPLE)
        .map(|n| {
            let email = format!("p{n}@example.org");
            let mut visitor = Visitor::at(web);
            visitor.send("/hands/in", &[("email", &email)])?;
            let letters = mail.took(n + 1)?;
            let letter = letters.iter().find(|letter| letter.to == email);
            visitor.enter(letter.context("a link")?)?;
            let token = visitor.token()?;
            Ok(Person { visitor, token })
        })
        .collect()
}

/// Something with three places; gives its id.
fn offer(web: u16, place: &Place, title: &str) -> Result<String> {
    let bearer = format!("Bearer {TOKEN}");
    let headers = [
        ("Content-Type", "application/cloudevents+json"),
        ("Authorization", bearer.as_str()),
    ];
    let event = serde_json::json!({
        "specversion": "1.0", "id": title, "source": "/t", "subject": title,
        "type": "org.raccord.activity.created.v1",
        "data": { "title": title, "start": "2027-01-15T20:30", "capacity": 3 },
    });
    let body = event.to_string();
    let (status, said) = wire::call(web, "POST", "/v1/events", &headers, body.as_bytes())?;
    ensure!(
        status == 202,
        "{status}: {}",
        String::from_utf8_lossy(&said)
    );
    let events = place.events()?;
    let made = events.iter().find(|it| it["data"]["title"] == title);
    let id = made.and_then(|it| it["subject"].as_str());
    Ok(id.context("it is in the log")?.to_owned())
}

/// Somebody signs up, or off again.
fn press(person: &mut Person, subject: &str) -> Result<()> {
    let page = person.visitor.get(&format!("/hands/{subject}"))?;
    ensure!(page.status == 200, "{}: {}", page.status, page.text);
    let token = ("t", person.token.as_str());
    let done = if let Some(own) = page.field("registration") {
        let fields = [token, ("registration", own)];
        person.visitor.send("/hands/off", &fields)?
    } else {
        let fields = [token, ("subject", subject), ("name", "Ana")];
        person.visitor.send("/hands/up", &fields)?
    };
    ensure!(done.status == 303, "{}: {}", done.status, done.text);
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
    // Links to sign in are sent again by themselves: they are the same mail.
    let is_link = |letter: &&Taken| letter.text().contains("/hands/enter");
    let taken: Vec<&Taken> = taken.iter().filter(|letter| !is_link(letter)).collect();
    let mut names = BTreeSet::new();
    for letter in &taken {
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
