//! Tools where people sign up, played after their sources by the stand-ins of their connectors, in this
//! process: they live on when the program is killed.

mod lespass;
mod oceco;

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, ensure};
use raccord_kit::standin::Seen;
use serde_json::Value;

use crate::played::{Played, each_once};
use crate::sheet::Dice;

/// How many lines the sheet has at the end.
const LINES: usize = 20;

/// Where people sign up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// A Lespass.
    Lespass,
    /// An OCECO.
    Oceco,
}

/// Such a tool.
trait Register: Clone + Send + Sync + 'static {
    /// How many objects it makes of a line.
    const OBJECTS: usize;
    /// Whether it can change what it holds, while nobody has signed up.
    const CHANGES: bool;

    /// Whether something is made.
    fn makes(seen: &Seen) -> bool;

    /// What is called there, by name.
    fn names(&self) -> Vec<String>;

    /// Somebody takes a place of line `line`; false where that is not there yet, or they have one.
    fn takes(&self, line: usize, who: usize) -> bool;
}

/// What a campaign saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How often the program was killed.
    pub kills: usize,
    /// Calls that made something.
    pub made: usize,
    /// Objects that stand there in the end, each once.
    pub standing: usize,
    /// Sign-ups made there, each known once here.
    pub sign_ups: usize,
}

/// Kills the program at random while lines come and change and people sign up there.
///
/// # Errors
/// What is there twice or not at all, or is not known once.
pub fn torture(kind: Kind, kills: usize, seed: u64) -> Result<Report> {
    tokio::runtime::Runtime::new()?.block_on(async {
        match kind {
            Kind::Lespass => campaign(lespass::open().await?, kills, seed),
            Kind::Oceco => campaign(oceco::open().await?, kills, seed),
        }
    })
}

/// A plan makes nothing there, and the pass after it exactly what it lists. Where somebody signs up
/// between the two, what they would lose is asked about.
///
/// # Errors
/// What is otherwise.
pub fn planned(kind: Kind) -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        match kind {
            Kind::Lespass => plan_and_pass(lespass::open().await?),
            Kind::Oceco => plan_and_pass(oceco::open().await?),
        }
    })
}

fn plan_and_pass<S: Register>(mut stage: Played<S>) -> Result<()> {
    let five = |room: &str| {
        (0..5)
            .map(move |line| (line, room.to_owned()))
            .collect::<Vec<_>>()
    };
    let effects = |plan: &Value| plan["effects"].as_array().map(Vec::len);
    sheet(&stage, five("Halle").into_iter())?;
    let plan = stage.run(&["plan"])?;
    ensure!(made(&stage) == 0, "a plan made something");
    ensure!(effects(&plan) == Some(5 * S::OBJECTS), "{plan}");
    stage.run(&["sync"])?;
    ensure!(each_once(&stage.server.names()) == 5 * S::OBJECTS);
    stage.later(1);
    let again = stage.run(&["plan"])?;
    ensure!(effects(&again) == Some(0), "{again}");
    if !S::CHANGES {
        return Ok(());
    }
    sheet(&stage, five("Cour").into_iter())?;
    stage.run(&["plan"])?;
    ensure!(stage.server.takes(0, 0), "nobody can sign up");
    stage.run(&["sync"])?;
    let holds = tokio::task::block_in_place(|| stage.place.run(&["holds"]))?;
    let holds = holds.json.to_string();
    let asked = holds.contains(&title(0)) && holds.contains("tool-cannot");
    ensure!(asked, "nobody is asked: {holds}");
    stage.later(1);
    stage.run(&["sync"])?;
    ensure!(each_once(&stage.server.names()) == 5 * S::OBJECTS);
    Ok(())
}

fn campaign<S: Register>(mut stage: Played<S>, kills: usize, seed: u64) -> Result<Report> {
    stage.answers_slowly(S::makes);
    let mut dice = Dice(seed);
    let mut sheet = Sheet(vec![0; 3]);
    let mut taken = BTreeSet::new();
    for number in 0..kills {
        while sheet.0.len() < LINES.min(3 + LINES * number / kills.max(1)) {
            sheet.0.push(0);
        }
        // Nobody signs up for a line that changes: what that would lose is asked about.
        if S::CHANGES {
            let line = dice.below(sheet.0.len() as u64 / 2) as usize * 2;
            sheet.0[line] += 1;
        }
        sheet.save(&stage)?;
        let (line, who) = (dice.below(LINES as u64 / 2) as usize * 2 + 1, number % 40);
        if stage.server.takes(line, who) {
            taken.insert((line, who));
        }
        let enough = made(&stage) + dice.below(4) as usize;
        let wait = Duration::from_millis(dice.below(300));
        stage.kill_after(|| made(&stage) >= enough, wait)?;
    }
    sheet.0.resize(LINES, 0);
    sheet.save(&stage)?;
    stage.comes_to_rest()?;
    let standing = each_once(&stage.server.names());
    ensure!(standing == LINES * S::OBJECTS, "{standing} stand there");
    ensure!(!taken.is_empty() || kills < LINES, "nobody signed up");
    known(&stage, taken.len())?;
    Ok(Report {
        kills,
        made: made(&stage),
        standing,
        sign_ups: taken.len(),
    })
}

/// How often something was made.
fn made<S: Register>(stage: &Played<S>) -> usize {
    let seen = stage.standin.seen();
    seen.iter().filter(|seen| S::makes(seen)).count()
}

/// The lines, by how often each was changed.
struct Sheet(Vec<u32>);

impl Sheet {
    fn save<S: Register>(&self, stage: &Played<S>) -> Result<()> {
        let lines = self.0.iter().enumerate();
        let lines = lines.map(|(line, changed)| (line, format!("Salle {changed}")));
        sheet(stage, lines)
    }
}

/// Writes the sheet: a ball for each line, in its room.
fn sheet<S>(stage: &Played<S>, lines: impl Iterator<Item = (usize, String)>) -> Result<()> {
    let first = jiff::civil::date(2027, 1, 20);
    let head = "Titre,Date,Début,Salle,Description,Bénévoles\n".to_owned();
    let lines = lines.map(|(line, room)| {
        let day = first.saturating_add(jiff::ToSpan::days(line as i64));
        format!(
            "{},{day},20:30,{room},On danse : {room},bar 2\n",
            title(line)
        )
    });
    let text: String = std::iter::once(head).chain(lines).collect();
    stage.place.save("programme.csv", text.as_bytes())
}

/// What a line is called.
fn title(line: usize) -> String {
    format!("Bal numéro {line}")
}

/// Every sign-up is known once here, and none was taken back.
fn known<S>(stage: &Played<S>, taken: usize) -> Result<()> {
    let events = tokio::task::block_in_place(|| stage.place.events())?;
    let of = |verb: &str| {
        let kind = format!("org.raccord.registration.{verb}.v1");
        let all = events.iter().filter(move |event| event["type"] == kind);
        all.map(|event| event["subject"].to_string())
            .collect::<Vec<String>>()
    };
    let created = of("created");
    let different: BTreeSet<&String> = created.iter().collect();
    ensure!(
        (created.len(), different.len()) == (taken, taken),
        "{taken} signed up, {} are known, {} of them different",
        created.len(),
        different.len()
    );
    ensure!(of("cancelled").is_empty(), "somebody was signed off");
    Ok(())
}
