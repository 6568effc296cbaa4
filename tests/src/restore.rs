//! A log that went back in time: a backup, twenty more changes of every kind, the backup restored.
//! And a copy of the data folder, started elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::place::{Answer, Place};
use crate::receiver::{Received, Receiver};

/// One line of the sheet.
#[derive(Clone)]
struct Line {
    date: &'static str,
    start: &'static str,
    title: &'static str,
    room: &'static str,
    seen: &'static str,
    said: &'static str,
}

impl Line {
    fn new(title: &'static str, date: &'static str) -> Self {
        Self {
            date,
            start: "18:30",
            title,
            room: "Halle",
            seen: "Public",
            said: "",
        }
    }
}

const TITLES: [&str; 16] = [
    "Atelier vélo",
    "Chorale du jeudi",
    "Permanence numérique",
    "Repas partagé",
    "Réunion du conseil",
    "Couture pour débutants",
    "Projection au jardin",
    "Distribution de paniers",
    "Jeux de société",
    "Ménage de printemps",
    "Lecture à voix haute",
    "Concert de maloya",
    "Initiation au tai-chi",
    "Troc de plantes",
    "Café des langues",
    "Sieste musicale",
];

const DAYS: [&str; 16] = [
    "2027-01-04",
    "2027-01-05",
    "2027-01-06",
    "2027-01-07",
    "2027-01-08",
    "2027-01-09",
    "2027-01-11",
    "2027-01-12",
    "2027-01-13",
    "2027-01-14",
    "2027-01-15",
    "2027-01-16",
    "2027-01-18",
    "2027-01-19",
    "2027-01-20",
    "2027-01-21",
];

/// One change an organiser makes.
type Change = fn(&mut Vec<Line>);

/// Twenty changes of every kind: some lines are touched once, some several times.
const CHANGES: [Change; 20] = [
    |lines| lines.push(Line::new("Bal folk", "2027-01-22")),
    |lines| lines[0].title = "Atelier vélo et trottinette",
    |lines| lines[1].date = "2027-01-28",
    |lines| lines[2].start = "10:00",
    |lines| lines[3].room = "Cuisine",
    |lines| lines[5].seen = "Interne",
    |lines| lines[6].said = "Apporter un coussin.",
    |lines| lines.retain(|line| line.title != "Distribution de paniers"),
    |lines| lines.rotate_left(3),
    |lines| at(lines, "Concert").title = "Concert de maloya en plein air",
    |lines| at(lines, "Concert").start = "20:00",
    |lines| at(lines, "Concert").room = "Grande halle",
    |lines| lines.push(Line::new("Fête des voisins", "2027-01-23")),
    |lines| at(lines, "Fête").date = "2027-01-24",
    |lines| lines.push(Line::new("Essai", "2027-01-25")),
    |lines| lines.retain(|line| line.title != "Essai"),
    |lines| at(lines, "Troc").date = "2027-01-26",
    |lines| at(lines, "Troc").date = "2027-01-19",
    |lines| at(lines, "Réunion").seen = "Public",
    |lines| at(lines, "Café").said = "Langues : créole, portugais, arabe.",
];

fn at<'a>(lines: &'a mut [Line], title: &str) -> &'a mut Line {
    lines
        .iter_mut()
        .find(|line| line.title.starts_with(title))
        .expect("the line is in the sheet")
}

fn csv(lines: &[Line]) -> String {
    let mut text = String::from("Date,Début,Titre,Salle,Public/Interne,Description\n");
    for line in lines {
        let Line {
            date,
            start,
            title,
            room,
            seen,
            said,
        } = line;
        writeln!(text, "{date},{start},{title},{room},{seen},\"{said}\"")
            .expect("memory takes every write");
    }
    text
}

fn place(receiver: &Receiver) -> Result<Place> {
    Place::new(&format!(
        "[place]\nid = \"restored\"\nname = \"Restored\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\ndata = \"data\"\n\
         [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"programme.csv\"\n\
         [connectors.site]\nkind = \"website\"\noutput = \"out/site\"\n\
         [connectors.hook]\nkind = \"webhook\"\nurl = \"http://{}/in\"\n\
         [guards]\nsecond_look = \"0s\"\n",
        receiver.address
    ))
}

/// What the receiver was told last of each subject, without what only counts.
type Known = BTreeMap<String, Value>;

/// Backs up, makes twenty changes, restores, unmutes, syncs.
///
/// # Errors
/// What was sent while mute, what came twice without a way to tell, what is missing at the end.
pub fn backed_up_and_restored() -> Result<()> {
    let receiver = Receiver::start()?;
    let place = place(&receiver)?;
    let mut lines: Vec<Line> = TITLES
        .into_iter()
        .zip(DAYS)
        .map(|(title, date)| Line::new(title, date))
        .collect();
    lines[4].seen = "Interne";
    read(&place, &lines)?;
    done(&place, &["backup", "kept.raccord"])?;

    for change in CHANGES {
        change(&mut lines);
        read(&place, &lines)?;
    }
    let lived = receiver.received();
    let known = known(&place)?;
    let site = listed(&place)?;

    done(&place, &["restore", "kept.raccord"])?;
    let mute = place.run(&["sync"])?;
    ensure!(
        receiver.received() == lived,
        "a restored log sent something before it was unmuted: {}",
        mute.stderr
    );
    done(&place, &["unmute", "--moved"])?;
    settled(&place)?;

    let again: Received = receiver
        .received()
        .into_iter()
        .filter(|(id, bodies)| lived.get(id) != Some(bodies))
        .collect();
    for (id, bodies) in &again {
        for body in bodies.iter().skip(lived.get(id).map_or(0, Vec::len)) {
            let event: Value = serde_json::from_slice(body)?;
            // The same id, or word for word what it knows already. The subject may be another one:
            // of a line that was added and changed after the backup, nobody knows the first words.
            ensure!(
                lived.contains_key(id)
                    || is_notice(&event)
                    || known.values().any(|told| *told == content(&event)),
                "{id} tells something the receiver cannot recognise: {event}"
            );
        }
    }
    let shown = listed(&place)?;
    ensure!(
        shown == site,
        "the site shows {:?} more and {:?} less than before",
        shown.difference(&site).collect::<Vec<_>>(),
        site.difference(&shown).collect::<Vec<_>>()
    );
    let quiet = place.run(&["sync"])?;
    ensure!(
        quiet.json["events"] == 0,
        "one more pass still finds changes: {}",
        quiet.json
    );
    Ok(())
}

/// Copies the data folder and starts the copy elsewhere: nothing leaves it.
///
/// # Errors
/// What was sent by the copy.
pub fn copied() -> Result<()> {
    let receiver = Receiver::start()?;
    let first = place(&receiver)?;
    let mut lines: Vec<Line> = TITLES
        .into_iter()
        .zip(DAYS)
        .map(|(title, date)| Line::new(title, date))
        .collect();
    read(&first, &lines)?;
    let sent = receiver.received();

    let second = place(&receiver)?;
    fs::create_dir(second.path("data"))?;
    for file in fs::read_dir(first.path("data"))? {
        let file = file?;
        if file.file_type()?.is_file() {
            fs::copy(file.path(), second.path("data").join(file.file_name()))?;
        }
    }
    CHANGES[0](&mut lines);
    second.save("programme.csv", csv(&lines).as_bytes())?;
    let answer = second.run(&["sync"])?;
    ensure!(
        receiver.received() == sent,
        "the copy sent something: {}",
        answer.stderr
    );
    ensure!(
        !second.path("out/site").exists(),
        "the copy wrote a site: {}",
        answer.stderr
    );
    Ok(())
}

/// Saves the sheet and lets it be read: what is missing is cancelled by the second look.
fn read(place: &Place, lines: &[Line]) -> Result<()> {
    place.save("programme.csv", csv(lines).as_bytes())?;
    settled(place)
}

fn settled(place: &Place) -> Result<()> {
    for _ in 0..3 {
        let answer = place.run(&["sync", "--wait", "60s"])?;
        ensure!(
            answer.code == 0 && answer.json["holds"] == Value::Array(vec![]),
            "sync ended with {}: {} {}",
            answer.code,
            answer.json,
            answer.stderr
        );
        if answer.json["events"] == 0 {
            return Ok(());
        }
    }
    anyhow::bail!("three passes over the same sheet still find changes")
}

fn done(place: &Place, arguments: &[&str]) -> Result<Answer> {
    let file = place.path("kept.raccord");
    let file = file.to_str().context("a path of plain text")?;
    let arguments: Vec<&str> = arguments
        .iter()
        .map(|&word| if word == "kept.raccord" { file } else { word })
        .collect();
    let answer = place.run(&arguments)?;
    ensure!(answer.code == 0, "{arguments:?}: {}", answer.stderr);
    Ok(answer)
}

fn is_notice(event: &Value) -> bool {
    event["type"]
        .as_str()
        .is_some_and(|kind| kind.contains(".notice."))
}

/// What an event says of its subject, without what only counts changes.
fn content(event: &Value) -> Value {
    let mut data = event["data"].clone();
    if let Some(fields) = data.as_object_mut() {
        fields.remove("id");
        fields.remove("revision");
        fields.remove("changed");
    }
    data
}

/// What the last event about each subject said.
fn known(place: &Place) -> Result<Known> {
    let mut known = Known::new();
    for event in place.events()? {
        let subject = event["subject"].as_str().unwrap_or_default().to_owned();
        known.insert(subject, content(&event));
    }
    Ok(known)
}

/// What the site shows as taking place.
fn listed(place: &Place) -> Result<BTreeSet<String>> {
    let text = fs::read_to_string(place.path("out/site/activities.json"))?;
    let listed: Value = serde_json::from_str(&text)?;
    Ok(listed["activities"]
        .as_array()
        .context("a list of activities")?
        .iter()
        .filter(|activity| activity["status"] != "cancelled")
        .map(|activity| {
            ["title", "start", "room", "description"]
                .map(|name| activity[name].to_string())
                .join(" ")
        })
        .collect())
}
