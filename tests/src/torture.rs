//! `kill -9` at random moments while edits flow to a site, a programme and a webhook receiver.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::place::Place;
use crate::receiver::Receiver;
use crate::sheet::{Dice, Sheet};

/// What a campaign saw.
#[derive(Debug, Default)]
pub struct Report {
    /// How often the process was killed.
    pub kills: usize,
    /// How often a send was under way at that moment.
    pub in_flight: usize,
    /// Events of the log at the end.
    pub events: usize,
    /// Bodies that came more than once, always under their id and with the same bytes.
    pub repeats: usize,
    /// How long the campaign took.
    pub took: Duration,
}

/// Kills the daemon `kills` times, then checks that every effect is there, each exactly once.
///
/// # Errors
/// What was lost, doubled or half-written.
pub fn run(kills: usize, seed: u64) -> Result<Report> {
    let began = Instant::now();
    let receiver = Receiver::start()?;
    receiver.slow(Duration::from_millis(40));
    let place = Place::new(&config(&receiver))?;
    let mut sheet = Sheet::new(12, usize::MAX);
    let mut dice = Dice(seed);
    place.save("programme.csv", sheet.csv().as_bytes())?;
    let mut report = Report::default();
    for round in 0..kills {
        let daemon = place.start()?;
        let moment = Duration::from_millis(300 + dice.below(1_200));
        edit_until(&place, &mut sheet, &mut dice, moment)?;
        // One in three at whatever moment it is.
        let patience = match round % 3 {
            0 => Duration::ZERO,
            _ => Duration::from_secs(2),
        };
        report.in_flight += usize::from(kill(&receiver, daemon, patience)?);
        report.kills += 1;
    }
    ensure!(
        report.in_flight * 3 >= kills,
        "only {} of {kills} kills fell into a send",
        report.in_flight
    );
    receiver.slow(Duration::ZERO);
    settle(&place)?;
    check_webhooks(&place, &receiver, &mut report)?;
    check_files(&place, &sheet)?;
    report.took = began.elapsed();
    Ok(report)
}

fn config(receiver: &Receiver) -> String {
    format!(
        "[place]\nid = \"torture\"\nname = \"Torture\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\ndata = \"data\"\n\
         [web]\nlisten = \"127.0.0.1:0\"\n\
         [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"programme.csv\"\n\
         [connectors.site]\nkind = \"website\"\noutput = \"out/site\"\n\
         [connectors.printed]\nkind = \"programme\"\noutput = \"out\"\n\
         [connectors.hook]\nkind = \"webhook\"\nurl = \"http://{}/in\"\n\
         [guards]\nsecond_look = \"0s\"\n",
        receiver.address
    )
}

/// Edits the sheet at random for a while.
fn edit_until(place: &Place, sheet: &mut Sheet, dice: &mut Dice, moment: Duration) -> Result<()> {
    let until = Instant::now() + moment;
    while Instant::now() < until {
        sheet.edit(dice);
        place.save("programme.csv", sheet.csv().as_bytes())?;
        std::thread::park_timeout(Duration::from_millis(20 + dice.below(120)));
    }
    Ok(())
}

/// Kills it once a send is under way, or out of patience. Says whether one was.
fn kill(receiver: &Receiver, mut daemon: Child, patience: Duration) -> Result<bool> {
    let until = Instant::now() + patience;
    while receiver.in_flight() == 0 && Instant::now() < until {
        std::thread::park_timeout(Duration::from_millis(1));
    }
    let sending = receiver.in_flight() > 0;
    daemon.kill()?; // SIGKILL on Unix.
    daemon.wait()?;
    Ok(sending)
}

/// More passes, waiting for what is due, with a person who says yes to what waits (on a slow
/// machine many edits are seen at once, and the accident guard asks): then nothing may be owed.
fn settle(place: &Place) -> Result<()> {
    let mut asked: Vec<Vec<Value>> = Vec::new();
    for _ in 0..5 {
        let answer = place.run(&["sync", "--wait", "90s"])?;
        ensure!(
            matches!(answer.code, 0 | 3),
            "the last pass ended with {}: {}",
            answer.code,
            answer.stderr
        );
        let holds = answer.json["holds"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        asked.push(holds.iter().map(|hold| hold["reason"].clone()).collect());
        for hold in holds.iter().filter_map(|hold| hold["id"].as_str()) {
            let said = place.run(&["approve", hold])?;
            // The yes before may have ended it as well.
            let ended = said.stderr.contains("reference-unknown");
            ensure!(said.code == 0 || ended, "approve {hold}: {}", said.stderr);
        }
        if !holds.is_empty() {
            continue;
        }
        for left in ["later", "dead"] {
            ensure!(
                answer.json[left] == Value::Array(vec![]),
                "{left}: {}",
                answer.json[left]
            );
        }
        return Ok(());
    }
    anyhow::bail!("something still waits for a person after five yeses: {asked:#?}")
}

fn check_webhooks(place: &Place, receiver: &Receiver, report: &mut Report) -> Result<()> {
    let received = receiver.received();
    for (id, bodies) in &received {
        ensure!(
            bodies.iter().all(|body| body == &bodies[0]),
            "{id} came with different bytes"
        );
        report.repeats += bodies.len() - 1;
    }
    let events = place.events()?;
    report.events = events.len();
    let ids: BTreeSet<&str> = events
        .iter()
        .filter_map(|event| event["id"].as_str())
        .collect();
    for id in &ids {
        ensure!(received.contains_key(*id), "event {id} never arrived");
    }
    for id in received.keys() {
        ensure!(ids.contains(id.as_str()), "{id} was sent and is in no log");
    }
    Ok(())
}

fn check_files(place: &Place, sheet: &Sheet) -> Result<()> {
    let text = std::fs::read_to_string(place.path("out/site/activities.json"))
        .context("activities.json")?;
    let listed: Value = serde_json::from_str(&text).context("activities.json is half-written")?;
    let titles: BTreeSet<String> = listed["activities"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|activity| activity["status"] != "cancelled")
        .filter_map(|activity| activity["title"].as_str().map(str::to_owned))
        .collect();
    ensure!(
        titles == sheet.public_titles(),
        "the site shows {titles:?}, the sheet {:?}",
        sheet.public_titles()
    );
    check_pdf(&place.path("out/programme-2027-01.pdf"))
}

pub(crate) fn check_pdf(path: &Path) -> Result<()> {
    let bytes = std::fs::read(path).context("the programme")?;
    let end = &bytes[bytes.len().saturating_sub(16)..];
    ensure!(bytes.starts_with(b"%PDF-"), "the programme is no PDF");
    ensure!(
        end.windows(5).any(|part| part == b"%%EOF"),
        "the programme is half-written"
    );
    Ok(())
}

/// The receiver refuses (503, then the connection), events are accepted, the process is killed and
/// started again, the receiver recovers: every event arrives within two minutes, none twice.
///
/// # Errors
/// What was lost or doubled.
pub fn refused_then_killed(lines: usize) -> Result<Duration> {
    let mut receiver = Receiver::start()?;
    receiver.refuse(true);
    let place = Place::new(&config(&receiver).replace(
        "[connectors.printed]\nkind = \"programme\"\noutput = \"out\"\n",
        "",
    ))?;
    let sheet = Sheet::new(lines, lines);
    place.save("programme.csv", sheet.csv().as_bytes())?;
    let mut daemon = place.start()?;
    let until = Instant::now() + Duration::from_secs(60);
    let activities = |place: &Place| -> usize {
        place.events().map_or(0, |events| {
            events
                .iter()
                .filter(|event| {
                    event["type"]
                        .as_str()
                        .is_some_and(|kind| kind.contains(".activity."))
                })
                .count()
        })
    };
    while activities(&place) < lines {
        ensure!(
            Instant::now() < until,
            "the lines were not accepted in a minute"
        );
        std::thread::park_timeout(Duration::from_millis(200));
    }
    receiver.leave()?;
    std::thread::park_timeout(Duration::from_secs(2));
    daemon.kill()?;
    daemon.wait()?;
    let mut daemon = place.start()?;
    std::thread::park_timeout(Duration::from_secs(4));
    receiver.refuse(false);
    receiver.come_back()?;
    let recovered = Instant::now();
    let wanted: BTreeSet<String> = place
        .events()?
        .iter()
        .filter_map(|event| event["id"].as_str().map(str::to_owned))
        .collect();
    let all = receiver.wait(Duration::from_secs(120), |received| {
        wanted.iter().all(|id| received.contains_key(id))
    });
    let took = recovered.elapsed();
    daemon.kill()?;
    daemon.wait()?;
    ensure!(all, "not every event arrived within two minutes");
    for (id, bodies) in receiver.received() {
        ensure!(bodies.len() == 1, "{id} came {} times", bodies.len());
    }
    Ok(took)
}
