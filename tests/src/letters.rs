//! A letter to many readers, killed on the way: nobody gets it twice, and whoever is in doubt is named.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::cost::Cost;
use crate::place::Place;
use crate::process::Process;
use crate::sheet::Dice;
use crate::smtp::{Server, Taken};
use crate::wire;
use crate::working::TOKEN;

/// Before the letter is due, and once it leaves.
const BEFORE: &str = "2027-01-04T07:00:00Z";
const AT: &str = "2027-01-04T08:00:01Z";
/// How long a campaign may take.
const PATIENCE: Duration = Duration::from_secs(900);
/// How many connections the place has.
const CONNECTIONS: usize = 4;

/// What a campaign saw.
#[derive(Debug, Default)]
pub struct Report {
    /// How many read the letter.
    pub readers: usize,
    /// How often the process was killed.
    pub kills: usize,
    /// How many of these kills fell while mails were going out.
    pub on_the_way: usize,
    /// How many readers were in doubt in the end.
    pub in_doubt: usize,
    /// How many of those had the letter after all.
    pub had_it: usize,
    /// From the first mail to the last, without the time between two lives.
    pub sending: Duration,
    /// The most memory that a life of it had, in megabytes.
    pub resident: f64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            readers,
            kills,
            on_the_way,
            in_doubt,
            had_it,
            sending,
            resident,
        } = self;
        let pace = *readers as f64 / sending.as_secs_f64().max(0.001);
        writeln!(
            f,
            "{readers} readers, {kills} kills ({on_the_way} on the way): {in_doubt} in doubt, {had_it} of them had it; nobody twice; {pace:.0} mails a second, {resident:.0} MB"
        )
    }
}

/// A place with so many readers, whose letter is due at nine.
///
/// # Errors
/// When it cannot be made.
pub fn place(mail: &Server, readers: usize) -> Result<Place> {
    let free = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let place = Place::new(&format!(
        "[place]\nid = \"lieu\"\nname = \"Le lieu\"\ntimezone = \"Europe/Paris\"\nlanguage = \"fr\"\ndata = \"data\"\n\
         [web]\nlisten = \"{free}\"\npublic_url = \"http://{free}\"\nadmin_token_file = \"token\"\n\
         [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"p.csv\"\n\
         [connectors.lettre]\nkind = \"newsletter\"\nsystem = \"smtp\"\nurl = \"smtp://127.0.0.1:{}\"\nfrom = \"Le lieu <lettre@example.org>\"\n\
         connections = {CONNECTIONS}\nper_second = 0\n\
         [[routes]]\nto = \"lettre\"\ndigest = \"week\"\nat = [\"monday 09:00\"]\ngrace = \"0s\"\n",
        mail.port()
    ))?
    .at(BEFORE);
    place.save("token", TOKEN.as_bytes())?;
    place.save("p.csv", "Titre,Date,Heure\nBal,08/01/2027,20h\n".as_bytes())?;
    let mut daemon = place.work()?;
    let port = free.port();
    ready(port)?;
    let all: Vec<usize> = (0..readers).collect();
    for some in all.chunks(500) {
        let batch: Vec<Value> = some.iter().map(|number| subscribed(*number)).collect();
        let body = serde_json::to_vec(&batch)?;
        let token = format!("Bearer {TOKEN}");
        let headers = [
            ("Authorization", token.as_str()),
            ("Content-Type", "application/cloudevents-batch+json"),
        ];
        let (status, _, text) = wire::exchange(port, "POST", "/v1/events", &headers, &body)?;
        ensure!(
            status == 202,
            "{status}: {}",
            String::from_utf8_lossy(&text)
        );
    }
    daemon.kill()?;
    Ok(place.at(AT))
}

fn subscribed(number: usize) -> Value {
    json!({
        "specversion": "1.0", "id": format!("s{number}"), "source": "/tests", "subject": format!("r{number}"),
        "type": "org.raccord.person.created.v1",
        "data": {
            "email": format!("r{number}@example.org"),
            "letters": { "lettre": { "since": "2027-01-01T08:00:00Z", "key": format!("key-of-reader-number-{number:06}") } },
        },
    })
}

fn ready(port: u16) -> Result<()> {
    let until = Instant::now() + Duration::from_secs(60);
    while !wire::exchange(port, "GET", "/readyz", &[], b"").is_ok_and(|(status, ..)| status == 200)
    {
        ensure!(Instant::now() < until, "the place does not start");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    Ok(())
}

/// Sends a letter to `readers`, kills the process `kills` times on the way, and looks at who got what.
///
/// # Errors
/// What was doubled, lost, changed, or in doubt without being named.
pub fn run(readers: usize, kills: usize, seed: u64) -> Result<Report> {
    let mail = Server::start()?;
    let place = place(&mail, readers)?;
    let mut dice = Dice(seed);
    let mut report = Report {
        readers,
        ..Report::default()
    };
    for _ in 0..kills {
        let mut daemon = place.start()?;
        let before = mail.count();
        let room = (readers - before.min(readers)) as u64 / (kills as u64 + 1);
        let moment = before + 1 + dice.below(room.max(1)) as usize;
        let began = Instant::now();
        while mail.count() < moment.min(readers) && began.elapsed() < Duration::from_secs(60) {
            std::thread::park_timeout(Duration::from_millis(1));
        }
        report.sending += began.elapsed();
        report.resident = report.resident.max(Cost(daemon.id()).resident()?);
        report.on_the_way += usize::from(mail.count() < readers);
        daemon.kill()?;
        daemon.wait()?;
        report.kills += 1;
    }
    let holds = finish(&place, &mail, readers, &mut report)?;
    judge(&mail.taken()?, holds.as_ref(), &mut report)?;
    answered(&place, &mail, holds.as_ref(), &report)?;
    Ok(report)
}

/// Lets it send what is left; gives who is in doubt, by their address, and the one question about them.
fn finish(
    place: &Place,
    mail: &Server,
    readers: usize,
    report: &mut Report,
) -> Result<Option<(String, BTreeSet<String>)>> {
    // It ends by itself once nothing is owed but what waits for a person.
    let wait = format!("{}s", PATIENCE.as_secs());
    let mut pass = place.command(&["sync", "--wait", &wait])?;
    let mut pass = Process::of(pass.stdout(Stdio::null()).spawn()?);
    let began = Instant::now();
    let mut last = (mail.count(), began);
    let status = loop {
        if let Some(status) = pass.ended()? {
            break status;
        }
        // It may have ended since.
        let resident = Cost(pass.id()).resident().unwrap_or_default();
        report.resident = report.resident.max(resident);
        if mail.count() != last.0 {
            last = (mail.count(), Instant::now());
        }
        std::thread::park_timeout(Duration::from_millis(10));
    };
    ensure!(
        matches!(status.code(), Some(0 | 3)),
        "it ended with {status}"
    );
    report.sending += last.1.duration_since(began);
    let holds = place.run(&["holds"])?;
    let holds = holds.json.as_array().cloned().context("a list of holds")?;
    ensure!(holds.len() <= 1, "more than one question: {holds:?}");
    let Some(hold) = holds.into_iter().next() else {
        return Ok(None);
    };
    let id = hold["id"].as_str().context("an id")?.to_owned();
    let effects = hold["effects"].as_array().context("effects")?;
    let named = effects.iter().filter_map(|effect| effect["title"].as_str());
    let named: BTreeSet<String> = named
        .filter_map(|title| title.split([' ', '<', '>']).find(|word| word.contains('@')))
        .map(str::to_owned)
        .collect();
    ensure!(named.len() == effects.len(), "not all are named: {hold}");
    ensure!(readers >= named.len(), "more are named than read it");
    Ok(Some((id, named)))
}

/// Everybody got it once; who did not is named; of those who are named no more than there were
/// connections, for each kill.
fn judge(
    taken: &[Taken],
    holds: Option<&(String, BTreeSet<String>)>,
    report: &mut Report,
) -> Result<()> {
    let mut got: BTreeMap<&str, usize> = BTreeMap::new();
    for letter in taken {
        *got.entry(letter.to.as_str()).or_default() += 1;
    }
    let twice: Vec<_> = got.iter().filter(|(_, count)| **count > 1).collect();
    ensure!(twice.is_empty(), "twice: {twice:?}");
    let none = BTreeSet::new();
    let named = holds.map_or(&none, |(_, named)| named);
    for number in 0..report.readers {
        let address = format!("r{number}@example.org");
        let has = got.contains_key(address.as_str());
        ensure!(
            has || named.contains(&address),
            "{address} got none and is not named"
        );
    }
    report.in_doubt = named.len();
    report.had_it = named
        .iter()
        .filter(|one| got.contains_key(one.as_str()))
        .count();
    let most = report.kills * CONNECTIONS;
    ensure!(
        named.len() <= most,
        "{} are in doubt after {} kills",
        named.len(),
        report.kills
    );
    Ok(())
}

/// A yes sends those who are named the very same mail.
fn answered(
    place: &Place,
    mail: &Server,
    holds: Option<&(String, BTreeSet<String>)>,
    report: &Report,
) -> Result<()> {
    let Some((id, named)) = holds else {
        return Ok(());
    };
    let first = mail.taken()?;
    place.run(&["approve", id])?;
    let pass = place.run(&["sync", "--wait", "60s"])?;
    ensure!(pass.code == 0, "after a yes: {} {}", pass.code, pass.stderr);
    let all = mail.taken()?;
    ensure!(
        all.len() == first.len() + named.len(),
        "{} of {} came",
        all.len() - first.len(),
        named.len()
    );
    for letter in &all[first.len()..] {
        ensure!(named.contains(&letter.to), "{} was not named", letter.to);
        let before = first.iter().find(|one| one.to == letter.to);
        ensure!(
            before.is_none_or(|one| one.data == letter.data),
            "the repeat is another mail"
        );
    }
    let got: BTreeSet<&str> = all.iter().map(|letter| letter.to.as_str()).collect();
    ensure!(
        got.len() == report.readers,
        "{} of {} have it",
        got.len(),
        report.readers
    );
    Ok(())
}
