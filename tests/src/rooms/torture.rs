//! `kill -9` at random moments while a sheet is edited, people talk, answers get lost and the chat's
//! server restarts: in the end each announcement stands once, with its last words.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Chat, Kind, Said};
use crate::place::{DECEMBER, Place};
use crate::process::Process;
use crate::sheet::{Dice, Line, Sheet};

/// Between two lives of the program: what moved becomes due to be said, digests of a minute pass.
const BETWEEN: SignedDuration = SignedDuration::from_mins(20);
/// The most lines of the sheet.
const MOST: usize = 120;

/// A delivery that was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// What people call it.
    pub title: String,
    /// Its reason.
    pub code: String,
}

/// What a campaign saw.
#[derive(Debug, Default)]
pub struct Report {
    /// How often the program was killed.
    pub kills: usize,
    /// How often it was asking the chat for something at that moment.
    pub in_flight: usize,
    /// What went wrong beside, and how often.
    pub troubles: BTreeMap<&'static str, usize>,
    /// How many announcements stood in the end, each once and with its last words.
    pub announcements: usize,
    /// How many replies said what moved.
    pub replies: usize,
    /// How many messages of people were heard, each once.
    pub heard: usize,
    /// What was set aside with its reason, until a person had it sent anew.
    pub held: Vec<Held>,
    /// How long it took.
    pub took: Duration,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kills,
            in_flight,
            announcements,
            replies,
            heard,
            held,
            ..
        } = self;
        let seconds = self.took.as_secs();
        writeln!(
            f,
            "{kills} kills in {seconds} s, {in_flight} while something was being said"
        )?;
        for (what, times) in &self.troubles {
            writeln!(f, "  {times} times {what}")?;
        }
        writeln!(
            f,
            "{announcements} announcements, each once and with its last words; {replies} replies, none twice; {} set aside with a reason and said when a person asked for it",
            held.len()
        )?;
        for Held { title, code } in held {
            writeln!(f, "  {title}: {code}")?;
        }
        writeln!(f, "{heard} messages of people heard, each once")
    }
}

/// Kills the program `kills` times, then checks what stands in the room and what was heard.
///
/// # Errors
/// What was lost, doubled or left with older words.
pub fn run(kind: Kind, kills: usize, seed: u64) -> Result<Report> {
    let began = Instant::now();
    let mut now: Timestamp = DECEMBER.parse()?;
    let mut chat = kind.open(now)?;
    let mut place = Place::new(&config(&*chat))?;
    let mut sheet = Sheet::new(12, MOST);
    let mut people = People::default();
    let mut dice = Dice(seed);
    let mut report = Report::default();
    place.save("programme.csv", sheet.csv().as_bytes())?;
    // It begins to listen.
    let begun = place.run(&["sync"])?;
    ensure!(matches!(begun.code, 0 | 3), "{}", begun.stderr);
    for round in 0..kills {
        now = now.saturating_add(BETWEEN)?;
        place.is_at(&now.to_string());
        chat.is_at(now);
        let daemon = Process::of(place.start()?);
        let mut edits = |chat: &dyn Chat, dice: &mut Dice| -> Result<()> {
            let until = Instant::now() + Duration::from_millis(200 + dice.below(500));
            while Instant::now() < until {
                sheet.edit(dice);
                place.save("programme.csv", sheet.csv().as_bytes())?;
                people.talk(chat, dice)?;
                std::thread::park_timeout(Duration::from_millis(40 + dice.below(160)));
            }
            Ok(())
        };
        edits(&*chat, &mut dice)?;
        let trouble = chat.trouble(&mut dice)?;
        *report.troubles.entry(trouble).or_default() += 1;
        edits(&*chat, &mut dice)?;
        // One in four at whatever moment it is.
        let patience = match round % 4 {
            0 => Duration::ZERO,
            _ => Duration::from_secs(3),
        };
        report.in_flight += usize::from(kill(&*chat, daemon, patience)?);
        report.kills += 1;
        chat.calm()?;
    }
    report.held = settle(&mut place, &mut *chat, &mut now, &sheet)?;
    let standing = chat.standing()?;
    (report.announcements, report.replies) = check(&standing, &sheet)?;
    report.heard = people.check(&place)?;
    report.took = began.elapsed();
    Ok(report)
}

/// The settings of a place with a sheet and this chat.
pub(super) fn config(chat: &dyn Chat) -> String {
    format!(
        "[place]\nid = \"torture\"\nname = \"Torture\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\ndata = \"data\"\n\
         [web]\nlisten = \"127.0.0.1:0\"\n\
         [guards]\nsecond_look = \"0s\"\nchange_count = 1000\n\
         [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"programme.csv\"\n{}",
        chat.settings()
    )
}

/// Kills it in the moment in which it asks the chat for something, or out of patience. Says whether it
/// asked.
fn kill(chat: &dyn Chat, mut daemon: Process, patience: Duration) -> Result<bool> {
    let before = chat.asked();
    let until = Instant::now() + patience;
    while chat.asked() == before && Instant::now() < until {
        std::thread::park_timeout(Duration::from_millis(1));
    }
    let asking = chat.asked() > before;
    daemon.kill()?;
    Ok(asking)
}

/// Passes an hour apart, with a person who says yes to what waits, until nothing is due any more but
/// what was set aside: of that each has its reason, and whatever of the sheet is not announced is among
/// it. Then that person has it sent anew, until nothing is left. Gives what was set aside.
pub(super) fn settle(
    place: &mut Place,
    chat: &mut dyn Chat,
    now: &mut Timestamp,
    sheet: &Sheet,
) -> Result<Vec<Held>> {
    let (mut last, mut all) = (Value::Null, Vec::new());
    for _ in 0..12 {
        *now = now.saturating_add(SignedDuration::from_hours(1))?;
        place.is_at(&now.to_string());
        chat.is_at(*now);
        let answer = place.run(&["sync", "--wait", "90s"])?;
        ensure!(
            matches!(answer.code, 0 | 3),
            "the last pass ended with {}: {}",
            answer.code,
            answer.stderr
        );
        last = answer.json;
        if !approved(place, &last)? || is_due(&last, *now)? || last["done"] != 0 {
            continue;
        }
        let dead = place.run(&["dead"])?.json;
        let dead = dead.as_array().cloned().unwrap_or_default();
        let held: Vec<Held> = dead.iter().map(held).collect::<Result<_>>()?;
        accounted(&chat.standing()?, sheet, &held)?;
        if dead.is_empty() {
            return Ok(all);
        }
        for one in &dead {
            let again = place.run(&["retry", one["id"].as_str().unwrap_or_default()])?;
            ensure!(again.code == 0, "retry {one}: {}", again.stderr);
        }
        all.extend(held);
    }
    anyhow::bail!("after twelve hours something is still due: {last:#}")
}

/// Says yes to all that waits; whether nothing waited.
fn approved(place: &Place, pass: &Value) -> Result<bool> {
    let holds = pass["holds"].as_array().cloned().unwrap_or_default();
    for hold in holds.iter().filter_map(|hold| hold["id"].as_str()) {
        let said = place.run(&["approve", hold])?;
        // The yes before may have ended it as well.
        let ended = said.stderr.contains("reference-unknown");
        ensure!(said.code == 0 || ended, "approve {hold}: {}", said.stderr);
    }
    Ok(holds.is_empty())
}

/// Whether something is due soon. Next week's round-up has its time.
fn is_due(pass: &Value, now: Timestamp) -> Result<bool> {
    let tomorrow = now.saturating_add(SignedDuration::from_hours(24))?;
    let soon = |one: &Value| {
        let due = one["due"].as_str().and_then(|due| due.parse().ok());
        due.is_none_or(|due: Timestamp| due < tomorrow)
    };
    let later = pass["later"].as_array();
    Ok(later.is_some_and(|later| later.iter().any(soon)))
}

fn held(dead: &Value) -> Result<Held> {
    let text = |name: &str| dead[name].as_str().unwrap_or_default().to_owned();
    let (title, code) = (text("title"), text("code"));
    ensure!(!code.is_empty(), "set aside without a reason: {dead}");
    Ok(Held { title, code })
}

/// Whatever of the sheet is not announced was set aside.
fn accounted(standing: &[Said], sheet: &Sheet, held: &[Held]) -> Result<()> {
    let ours = |said: &&Said| said.ours && said.thread.is_none();
    for line in sheet.lines.iter().filter(|line| line.public) {
        let mut heads = standing.iter().filter(ours);
        let announced = heads.any(|said| is_about(said, line));
        let aside = held.iter().any(|held| held.title == line.title);
        ensure!(
            announced || aside,
            "{} is not announced, and was not set aside: {held:?}",
            line.title
        );
    }
    Ok(())
}

/// Each public line is announced once, with its last words, and nothing else is; no reply says the same
/// twice. Gives how many announcements and replies there are.
pub(super) fn check(standing: &[Said], sheet: &Sheet) -> Result<(usize, usize)> {
    let (replies, heads): (Vec<&Said>, Vec<&Said>) = standing
        .iter()
        .filter(|said| said.ours)
        .partition(|said| said.thread.is_some());
    let public: Vec<&Line> = sheet.lines.iter().filter(|line| line.public).collect();
    for line in &public {
        let about: Vec<&&Said> = heads.iter().filter(|said| is_about(said, line)).collect();
        let [said] = about[..] else {
            anyhow::bail!(
                "{} is announced {} times: {about:#?}",
                line.title,
                about.len()
            );
        };
        let room = said.text.split(&line.room()).nth(1);
        let whole = room.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()));
        ensure!(
            whole,
            "{} is in {} and is told as {said:?}",
            line.title,
            line.room()
        );
    }
    for said in &heads {
        ensure!(
            public.iter().any(|line| is_about(said, line)),
            "nobody wrote {said:?}"
        );
    }
    let mut seen = BTreeSet::new();
    for reply in &replies {
        ensure!(
            seen.insert((&reply.thread, &reply.text)),
            "said twice: {reply:?}"
        );
    }
    Ok((heads.len(), replies.len()))
}

/// Whether a message announces a line: its number ends the title.
fn is_about(said: &Said, line: &Line) -> bool {
    let mut found = said.text.match_indices(&line.title);
    found
        .any(|(at, title)| !said.text[at + title.len()..].starts_with(|c: char| c.is_ascii_digit()))
}

/// What people said, and what became of it.
#[derive(Default)]
pub(super) struct People {
    said: Vec<Spoken>,
}

struct Spoken {
    id: String,
    first: String,
    last: String,
    gone: bool,
    /// Whether it was heard before it was changed or taken away.
    known: bool,
}

impl People {
    /// They say something; sometimes they change or take away what they said.
    pub(super) fn talk(&mut self, chat: &dyn Chat, dice: &mut Dice) -> Result<()> {
        let number = self.said.len();
        let text = format!("bonjour numéro {number} !");
        let id = chat.says(&text)?;
        self.said.push(Spoken {
            id,
            first: text.clone(),
            last: text,
            gone: false,
            known: false,
        });
        let chosen = dice.below(self.said.len() as u64) as usize;
        let spoken = &mut self.said[chosen];
        match dice.below(12) {
            0 if !spoken.gone => {
                chat.deletes(&spoken.id)?;
                spoken.gone = true;
            }
            1 | 2 if !spoken.gone => {
                spoken.last = format!("{} (corrigé {number})", spoken.first);
                chat.edits(&spoken.id, &spoken.last)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// All that was said so far was heard by now.
    pub(super) fn are_known(&mut self) {
        for spoken in &mut self.said {
            spoken.known = !spoken.gone;
        }
    }

    /// One of two that were known is changed, the other taken away.
    pub(super) fn think_again(&mut self, chat: &dyn Chat) -> Result<()> {
        let mut known = self
            .said
            .iter_mut()
            .filter(|spoken| spoken.known && !spoken.gone);
        if let Some(spoken) = known.next() {
            chat.deletes(&spoken.id)?;
            spoken.gone = true;
        }
        if let Some(spoken) = known.next_back() {
            spoken.last = format!("{} (à la réflexion)", spoken.first);
            chat.edits(&spoken.id, &spoken.last)?;
        }
        Ok(())
    }

    /// Each message that stands was heard once, and its last words are known; of each that was heard and
    /// does not stand any more it is known that it went. Gives how many were heard.
    pub(super) fn check(&self, place: &Place) -> Result<usize> {
        let mut created: BTreeMap<String, usize> = BTreeMap::new();
        let mut words: BTreeMap<String, String> = BTreeMap::new();
        let mut texts: BTreeMap<String, String> = BTreeMap::new();
        let mut removed = BTreeSet::new();
        for event in place.events()? {
            let kind = event["type"].as_str().unwrap_or_default();
            let Some(verb) = kind.strip_prefix("org.raccord.message.") else {
                continue;
            };
            let subject = event["subject"].as_str().context("a subject")?.to_owned();
            if let Some(text) = event["data"]["text"].as_str() {
                words.insert(subject.clone(), text.to_owned());
                texts.insert(text.to_owned(), subject.clone());
            }
            match verb {
                "created.v1" => *created.entry(subject).or_default() += 1,
                "removed.v1" => drop(removed.insert(subject)),
                _ => {}
            }
        }
        for (subject, times) in &created {
            ensure!(*times == 1, "{subject} was heard {times} times");
        }
        for spoken in &self.said {
            // Whatever was made of it, what was said first stands at its beginning.
            let subject = texts
                .range(spoken.first.clone()..)
                .next()
                .filter(|(text, _)| text.starts_with(&spoken.first))
                .map(|(_, subject)| subject);
            match subject {
                Some(subject) if spoken.gone => ensure!(
                    removed.contains(subject),
                    "nobody knows that {:?} was taken away",
                    spoken.last
                ),
                Some(subject) => ensure!(
                    words.get(subject) == Some(&spoken.last) && !removed.contains(subject),
                    "{:?} is known as {:?}",
                    spoken.last,
                    words.get(subject)
                ),
                // What was taken away before it was heard need not have been heard.
                None => ensure!(
                    spoken.gone && !spoken.known,
                    "{:?} was not heard",
                    spoken.last
                ),
            }
        }
        Ok(created.len())
    }
}
