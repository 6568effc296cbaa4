//! `kill -9` at random moments while attendance is noted and corrected and the tool misbehaves: at each
//! quiet moment the tool holds what was decided less what open holds still say, and once a person
//! settled them, what was decided.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Cards, System};
use crate::place::{DECEMBER, Place};
use crate::process::Process;
use crate::sheet::Dice;
use crate::wire;
use crate::working::TOKEN;

/// Between two lives of the program: what nobody knows the end of can be looked for.
const BETWEEN: SignedDuration = SignedDuration::from_mins(20);
/// How many lives pass between two quiet moments.
const QUIET: usize = 10;
const PEOPLE: [&str; 6] = ["ann", "bob", "eve", "ida", "leo", "zoe"];
const TASKS: [&str; 24] = [
    "Accueil",
    "Affiches",
    "Bar",
    "Chantier",
    "Courses",
    "Cuisine",
    "Caisse",
    "Jardin",
    "Ménage",
    "Scène",
    "Serre",
    "Vaisselle",
    "Atelier",
    "Balades",
    "Bibliothèque",
    "Compost",
    "Couture",
    "Décor",
    "Loges",
    "Lumière",
    "Navette",
    "Parking",
    "Son",
    "Vestiaire",
];
/// What each task gives, in hundredths.
const CREDITS: i64 = 150;
/// The most quiet passes before something is taken for endless.
const PASSES: usize = 40;

/// What a campaign saw.
#[derive(Debug, Default)]
pub struct Report {
    /// How often the program was killed.
    pub kills: usize,
    /// How often it was asking the tool for credits at that moment.
    pub in_flight: usize,
    /// How often a word was on its way, of which nobody knew whether it was heard.
    pub unheard: usize,
    /// What went wrong beside, and how often.
    pub troubles: BTreeMap<&'static str, usize>,
    /// How often somebody's attendance was noted or corrected.
    pub words: usize,
    /// Entries of the ledger: grants, and what took them back or put them back.
    pub grants: usize,
    /// The others.
    pub corrections: usize,
    /// Quiet moments at which the law was checked to the hundredth.
    pub looks: usize,
    /// Grants of which nobody could tell whether they arrived.
    pub asked: usize,
    /// Reversals that a person made, or left.
    pub decided: usize,
    /// What people have in the end, in the ledger and in the tool.
    pub sum: i64,
    /// How long it took.
    pub took: Duration,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kills,
            in_flight,
            unheard,
            words,
            grants,
            corrections,
            looks,
            asked,
            decided,
            sum,
            ..
        } = self;
        let seconds = self.took.as_secs();
        writeln!(
            f,
            "{kills} kills in {seconds} s, {in_flight} while credits were on their way, {unheard} while somebody spoke; {words} words on who came"
        )?;
        for (what, times) in &self.troubles {
            writeln!(f, "  {times} times {what}")?;
        }
        writeln!(
            f,
            "{grants} grants, {asked} of them asked about; {corrections} corrections, {decided} decided by a person"
        )?;
        writeln!(
            f,
            "at {looks} quiet moments what is there = what was decided less open holds; in the end {sum} hundredths on both sides"
        )
    }
}

/// The place, the tool, and what people said.
struct Campaign {
    place: Place,
    address: SocketAddr,
    cards: Box<dyn Cards>,
    dice: Dice,
    now: Timestamp,
    tasks: Vec<String>,
    /// Who came to what, as it was said last.
    came: BTreeMap<(usize, usize), bool>,
    /// A word of which nobody knows whether it was heard.
    unheard: Option<Word>,
    report: Report,
}

/// Who came to what, or did not.
#[derive(Clone, Copy)]
struct Word {
    number: usize,
    who: usize,
    task: usize,
    came: bool,
}

/// One entry of the ledger, whose it is, and how it stands.
struct Entry {
    id: String,
    email: String,
    amount: i64,
    task: String,
    grant: bool,
    held: bool,
    /// The key that a tool knows it by.
    key: String,
}

/// Kills the program `kills` times, and looks at each account.
///
/// # Errors
/// What was lost, doubled or left otherwise than decided.
pub fn run(system: System, kills: usize, seed: u64) -> Result<Report> {
    let began = Instant::now();
    let mut campaign = Campaign::new(system, seed)?;
    for round in 1..=kills {
        campaign.live()?;
        if round % QUIET == 0 {
            campaign.rest()?;
            campaign.law()?;
            campaign.decide(2)?;
        }
    }
    campaign.end()?;
    campaign.report.took = began.elapsed();
    Ok(campaign.report)
}

impl Campaign {
    fn new(system: System, seed: u64) -> Result<Self> {
        let cards = system.open()?;
        let free = TcpListener::bind("127.0.0.1:0")?;
        let address = free.local_addr()?;
        drop(free);
        let config = format!(
            "[place]\nid = \"torture\"\nname = \"Torture\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\ndata = \"data\"\n\
             [web]\nlisten = \"{address}\"\nadmin_token = \"{TOKEN}\"\n\
             [guards]\ncredit_per_day = 100000\n\
             [connectors.purse]\n{}",
            cards.settings()
        );
        let mut campaign = Self {
            place: Place::new(&config)?,
            address,
            cards,
            dice: Dice(seed),
            now: DECEMBER.parse()?,
            tasks: Vec::new(),
            came: BTreeMap::new(),
            unheard: None,
            report: Report::default(),
        };
        let _daemon = campaign.wake()?;
        for title in TASKS {
            let data = json!({ "title": title, "due": "2026-12-19", "credits": CREDITS });
            campaign.post("task", title, title, &data)?;
        }
        for title in TASKS {
            let events = campaign.place.events()?;
            let made = events.iter().find(|event| event["data"]["title"] == title);
            let id = made.and_then(|made| made["subject"].as_str());
            campaign.tasks.push(id.context("a task")?.to_owned());
        }
        Ok(campaign)
    }

    fn later(&mut self, by: SignedDuration) -> Result<()> {
        self.now = self.now.saturating_add(by)?;
        self.place.is_at(&self.now.to_string());
        Ok(())
    }

    /// Starts the program, and waits until it listens.
    fn wake(&mut self) -> Result<Process> {
        self.later(BETWEEN)?;
        let daemon = self.place.work()?;
        let until = Instant::now() + Duration::from_secs(30);
        let ready = |port| wire::call(port, "GET", "/readyz", &[], b"");
        while !ready(self.address.port()).is_ok_and(|(status, _)| status == 200) {
            let said = || std::fs::read_to_string(self.place.path("daemon.log"));
            ensure!(Instant::now() < until, "it does not start: {:?}", said());
            std::thread::park_timeout(Duration::from_millis(5));
        }
        Ok(daemon)
    }

    /// Posts an event; an error where nobody knows whether it was taken.
    fn post(&self, kind: &str, subject: &str, id: &str, data: &Value) -> Result<()> {
        post(self.address, kind, subject, id, data)
    }

    /// Says what was not heard before, or something new.
    fn word(&mut self) -> Word {
        self.unheard.take().unwrap_or_else(|| {
            self.report.words += 1;
            let who = self.dice.below(PEOPLE.len() as u64) as usize;
            let task = self.dice.below(TASKS.len() as u64) as usize;
            Word {
                number: self.report.words,
                who,
                task,
                came: self.dice.below(4) > 0,
            }
        })
    }

    fn said(&self, word: Word) -> (String, String, Value) {
        let (who, task) = (PEOPLE[word.who], &self.tasks[word.task]);
        let state = if word.came { "attended" } else { "absent" };
        let data = json!({
            "task": task, "name": who, "email": format!("{who}@example.org"), "state": state,
        });
        (
            format!("{who} {}", TASKS[word.task]),
            format!("word {}", word.number),
            data,
        )
    }

    fn speak(&mut self) -> Result<()> {
        let word = self.word();
        let (subject, id, data) = self.said(word);
        self.post("registration", &subject, &id, &data)?;
        self.came.insert((word.who, word.task), word.came);
        Ok(())
    }

    /// One life of the program: people speak, something goes wrong, they speak on, and it is killed.
    fn live(&mut self) -> Result<()> {
        let mut daemon = self.wake()?;
        for _ in 0..=self.dice.below(4) {
            self.speak()?;
        }
        let trouble = self.cards.trouble(&mut self.dice);
        *self.report.troubles.entry(trouble).or_default() += 1;
        let before = self.cards.asked();
        // The last word is on its way while it is killed.
        let word = self.word();
        let (subject, id, data) = self.said(word);
        let address = self.address;
        let speaking =
            std::thread::spawn(move || post(address, "registration", &subject, &id, &data));
        // One in three at whatever moment it is.
        let patience = match self.report.kills % 3 {
            0 => self.dice.below(30),
            _ => 250,
        };
        let moment = Duration::from_millis(patience);
        let until = Instant::now() + moment;
        while Instant::now() < until && self.cards.asked() == before {
            std::thread::park_timeout(Duration::from_micros(200));
        }
        self.report.in_flight += usize::from(self.cards.asked() > before);
        daemon.kill()?;
        self.report.kills += 1;
        if let Ok(Ok(())) = speaking.join() {
            self.came.insert((word.who, word.task), word.came);
        } else {
            self.unheard = Some(word);
            self.report.unheard += 1;
        }
        self.cards.calm();
        Ok(())
    }

    /// Passes an hour apart until nothing is due.
    fn rest(&mut self) -> Result<()> {
        if self.unheard.is_some() {
            let _daemon = self.wake()?;
            self.speak()?;
        }
        let mut last = Value::Null;
        for _ in 0..PASSES {
            self.later(SignedDuration::from_hours(1))?;
            let answer = self.place.run(&["sync"])?;
            let fine = matches!(answer.code, 0 | 3);
            ensure!(fine, "a pass ended with {}: {}", answer.code, answer.stderr);
            let none = |name: &str| answer.json[name].as_array().is_none_or(Vec::is_empty);
            ensure!(none("dead"), "set aside: {:#}", answer.json["dead"]);
            // What has no hour waits for a person.
            let later = answer.json["later"].as_array();
            let due = later.is_some_and(|all| all.iter().any(|one| one.get("due").is_some()));
            if answer.json["done"] == 0 && !due {
                return Ok(());
            }
            last = answer.json;
        }
        anyhow::bail!("it never comes to rest: {last:#}")
    }

    /// Every entry of everybody.
    fn entries(&self) -> Result<Vec<Entry>> {
        let mut events = BTreeMap::new();
        for event in self.place.events()? {
            let kind = event["type"].as_str().unwrap_or_default();
            if kind.starts_with("org.raccord.credit.") {
                let id = event["subject"].as_str().context("a subject")?.to_owned();
                let again = events.insert(id, event["data"].clone());
                ensure!(again.is_none(), "entered twice: {event:#}");
            }
        }
        let mut all = Vec::new();
        for who in PEOPLE {
            let email = format!("{who}@example.org");
            let ledger = self.place.run(&["ledger", &email])?;
            let entries = ledger.json["entries"].as_array().cloned();
            for entry in entries.unwrap_or_default() {
                let id = entry["id"].as_str().context("an id")?.to_owned();
                let said = events.get(&id).context("an entry without its event")?;
                let state = entry["state"].as_str().unwrap_or_default();
                ensure!(!matches!(state, "pending" | "dead"), "at rest? {entry:#}");
                let text = |name: &str| said[name].as_str().unwrap_or_default();
                let amount = entry["amount"].as_i64().context("an amount")?;
                all.push(Entry {
                    email: email.clone(),
                    amount,
                    task: text("task").to_owned(),
                    grant: amount > 0 && said.get("reverses").is_none(),
                    held: state == "held",
                    key: format!(
                        "raccord:torture:{}:{}:{}",
                        text("person"),
                        text("task"),
                        said["grant"]
                    ),
                    id,
                });
            }
        }
        ensure!(all.len() == events.len(), "somebody's entry is nowhere");
        Ok(all)
    }

    /// What is there is what was decided, less what open holds say: to the hundredth, for everybody.
    fn law(&mut self) -> Result<i64> {
        let whole = self.place.run(&["ledger", "--check"])?;
        ensure!(whole.code == 0, "the ledger is not whole: {whole:?}");
        let entries = self.entries()?;
        let mut expected: BTreeMap<String, i64> = BTreeMap::new();
        for entry in &entries {
            let times = self.cards.times(&entry.key);
            ensure!(times <= 1, "{} was credited {times} times", entry.key);
            // What a hold says is still open: to be taken back, or, where it did not arrive, to come.
            let open = entry.held && (!entry.grant || times == 0);
            let amount = if open { 0 } else { entry.amount };
            *expected.entry(entry.email.clone()).or_default() += amount;
        }
        if let Some(there) = self.cards.balances() {
            for who in PEOPLE {
                let email = format!("{who}@example.org");
                let (there, expected) = (there.get(&email), expected.get(&email));
                let (there, expected) = (there.unwrap_or(&0), expected.unwrap_or(&0));
                ensure!(there == expected, "{who} has {there}, and not {expected}");
            }
        }
        self.report.looks += 1;
        self.report.grants = entries.iter().filter(|entry| entry.grant).count();
        self.report.corrections = entries.len() - self.report.grants;
        Ok(expected.values().sum())
    }

    /// A person looks into the tool, and says what became of it; all of it, or one in `share`.
    fn decide(&mut self, share: usize) -> Result<bool> {
        let entries = self.entries()?;
        let holds = self.place.run(&["holds"])?.json;
        let holds = holds.as_array().cloned().unwrap_or_default();
        for hold in holds.iter().step_by(share) {
            let id = hold["id"].as_str().context("a hold")?;
            let about = hold["effects"][0]["entity"].as_str().unwrap_or_default();
            let entry = entries.iter().find(|entry| entry.id == about);
            let entry = entry.with_context(|| format!("a hold of nothing: {hold:#}"))?;
            let yes = if !entry.grant {
                self.report.decided += 1;
                let done = self.dice.below(2) == 0;
                if done {
                    self.cards.by_hand(None, &entry.email, entry.amount);
                }
                done
            } else if self.cards.times(&entry.key) > 0 {
                self.report.asked += 1;
                false
            } else {
                // By hand: a server that keeps it as begun would never credit it.
                self.report.asked += 1;
                let (email, amount) = (&entry.email, entry.amount);
                self.cards.by_hand(Some(&entry.key), email, amount);
                false
            };
            let word = if yes { "approve" } else { "reject" };
            let said = self.place.run(&[word, id])?;
            ensure!(said.code == 0, "{word}: {}", said.stderr);
        }
        Ok(holds.is_empty())
    }

    /// Once everything is settled both sides are equal, and everybody has what they earned.
    fn end(&mut self) -> Result<()> {
        self.rest()?;
        self.law()?;
        for _ in 0..PASSES {
            if self.decide(1)? {
                break;
            }
            self.rest()?;
        }
        self.report.sum = self.law()?;
        let entries = self.entries()?;
        ensure!(entries.iter().all(|entry| !entry.held), "still held");
        for (&(who, task), &came) in &self.came {
            let email = format!("{}@example.org", PEOPLE[who]);
            let theirs = entries.iter();
            let theirs = theirs.filter(|e| e.email == email && e.task == self.tasks[task]);
            let sum: i64 = theirs.map(|entry| entry.amount).sum();
            let earned = if came { CREDITS } else { 0 };
            // Where a tool has no way to take credits back, a person may have left them; also where the
            // same was given once more before they were asked.
            let left = self.cards.balances().is_some() && sum == earned + CREDITS;
            ensure!(
                sum == earned || left,
                "{email} has {sum} for {}",
                TASKS[task]
            );
        }
        Ok(())
    }
}

fn post(address: SocketAddr, kind: &str, subject: &str, id: &str, data: &Value) -> Result<()> {
    let event = json!({
        "specversion": "1.0", "id": id, "source": "/campaign", "subject": subject,
        "type": format!("org.raccord.{kind}.updated.v1"), "data": data,
    });
    let secret = format!("Bearer {TOKEN}");
    let headers = [
        ("Authorization", secret.as_str()),
        ("Content-Type", "application/cloudevents+json"),
    ];
    let body = event.to_string();
    let (status, text) = wire::call(
        address.port(),
        "POST",
        "/v1/events",
        &headers,
        body.as_bytes(),
    )?;
    let text = String::from_utf8_lossy(&text);
    ensure!(status == 202, "{kind} {subject}: {status} {text}");
    Ok(())
}
