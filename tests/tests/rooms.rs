//! Mattermost and Rocket.Chat, played after their source: the whole program says what it should, once,
//! whatever happens to it, and hears what was said while it was away.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../connectors/mattermost/tests/common/mod.rs"]
mod mattermost;
#[path = "../../connectors/rocketchat/tests/common/mod.rs"]
mod rocketchat;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use raccord_kit::ManualClock;
use raccord_kit::standin::{Play, Seen, Standin};
use raccord_tests::place::Place;
use serde_json::Value;

const BEGIN: &str = "2027-01-02T08:00:00Z";

/// The server that is played.
#[derive(Clone)]
enum Server {
    Mattermost(mattermost::server::Server),
    RocketChat(rocketchat::server::Server),
}

impl Server {
    fn answer(&self, seen: &Seen) -> Play {
        match self {
            Self::Mattermost(server) => server.answer(seen),
            Self::RocketChat(server) => server.answer(seen),
        }
    }

    fn standing(&self) -> Vec<String> {
        match self {
            Self::Mattermost(server) => {
                let posts = server.standing("chantiers").into_iter();
                posts.map(|post| post.message).collect()
            }
            Self::RocketChat(server) => {
                let messages = server.standing("chantiers").into_iter();
                messages.map(|message| message.text).collect()
            }
        }
    }

    fn says(&self, text: &str) -> String {
        match self {
            Self::Mattermost(server) => server.says("anna", "chantiers", text),
            Self::RocketChat(server) => server.says("anna", "chantiers", text),
        }
    }

    fn edits(&self, message: &str, text: &str) {
        match self {
            Self::Mattermost(server) => server.edits(message, text),
            Self::RocketChat(server) => server.edits(message, text),
        }
    }

    fn deletes(&self, message: &str) {
        match self {
            Self::Mattermost(server) => server.deletes(message),
            Self::RocketChat(server) => server.deletes(message),
        }
    }

    /// What was only in its memory is forgotten.
    fn restarts(&self) {
        if let Self::Mattermost(server) = self {
            server.restart();
        }
    }

    fn section(&self, url: &str) -> String {
        let (own, token) = match self {
            Self::Mattermost(_) => (
                "kind = \"mattermost\"\nteam = \"raffinerie\"".to_owned(),
                mattermost::server::TOKEN,
            ),
            Self::RocketChat(_) => (
                format!(
                    "kind = \"rocketchat\"\nuser_id = \"{}\"",
                    rocketchat::server::BOT
                ),
                rocketchat::server::TOKEN,
            ),
        };
        format!(
            "[connectors.chat]\n{own}\nurl = \"{url}\"\ntoken = \"{token}\"\nlisten = [\"chantiers\"]\nhear = \"all\"\n\
             [[routes]]\nto = \"chat\"\nwhen = {{ entity = \"activity\" }}\nchannel = \"chantiers\"\ngrace = \"0s\"\n\
             [guards]\nchange_count = 1000\n"
        )
    }
}

struct Stage {
    standin: Standin,
    server: Server,
    clock: Arc<ManualClock>,
    place: Place,
}

impl Stage {
    async fn mattermost() -> Self {
        let clock = Arc::new(ManualClock::at(BEGIN.parse().unwrap()));
        let server = mattermost::server::Server::new(clock.clone(), None);
        Self::of(Server::Mattermost(server), clock).await
    }

    async fn rocketchat() -> Self {
        let clock = Arc::new(ManualClock::at(BEGIN.parse().unwrap()));
        let server = rocketchat::server::Server::new(clock.clone(), None);
        Self::of(Server::RocketChat(server), clock).await
    }

    async fn of(server: Server, clock: Arc<ManualClock>) -> Self {
        let standin = Standin::start().await;
        let behind = server.clone();
        standin.direct(move |seen| behind.answer(seen));
        let section = server.section(&standin.url("/"));
        let config = format!(
            "[place]\nid = \"raffinerie\"\nname = \"La Raffinerie\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\n\
             [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"programme.csv\"\n{section}"
        );
        let place = Place::new("").unwrap().at(BEGIN);
        place.save("raccord.toml", config.as_bytes()).unwrap();
        Self {
            standin,
            server,
            clock,
            place,
        }
    }

    /// Every answer to what is said anew takes its time, so that a kill meets one under way.
    fn answers_slowly(&self) {
        let server = self.server.clone();
        self.standin.direct(move |seen| {
            let path = seen.path.split('?').next().unwrap_or_default();
            let new = path.ends_with("/posts") || path.ends_with("chat.sendMessage");
            match server.answer(seen) {
                Play::Answer(reply) if seen.writes() && new => {
                    Play::Drip(reply, Duration::from_millis(1))
                }
                other => other,
            }
        });
    }

    fn answers_at_once(&self) {
        let server = self.server.clone();
        self.standin.direct(move |seen| server.answer(seen));
    }

    fn sheet(&self, lines: usize) {
        let first = jiff::civil::date(2027, 1, 20);
        let line = |n: usize| {
            let day = first.saturating_add(jiff::ToSpan::days(n as i64));
            format!("Bal numéro {n},{day},20:30,Halle\n")
        };
        let head = "Titre,Date,Début,Salle\n".to_owned();
        let text: String = std::iter::once(head).chain((0..lines).map(line)).collect();
        self.place.save("programme.csv", text.as_bytes()).unwrap();
    }

    /// Hours later, for the server and for the program.
    fn later(&mut self, hours: i64) {
        self.clock.advance(SignedDuration::from_hours(hours));
        let now = raccord_kit::Clock::now(&*self.clock).to_string();
        self.place.is_at(&now);
    }

    fn run(&self, arguments: &[&str]) -> Value {
        let answer = tokio::task::block_in_place(|| self.place.run(arguments).unwrap());
        assert!(answer.code <= 3 && answer.json.is_object(), "{answer:?}");
        answer.json
    }
}

fn killed(mut stage: Stage) {
    stage.sheet(40);
    stage.answers_slowly();
    for turn in 0..12 {
        let before = stage.standin.writes().len();
        let enough = before + 1 + turn % 3;
        tokio::task::block_in_place(|| {
            let mut running = stage.place.start().unwrap();
            for _ in 0..500 {
                if stage.standin.writes().len() >= enough {
                    break;
                }
                std::thread::park_timeout(Duration::from_millis(10));
            }
            std::thread::park_timeout(Duration::from_millis(40 * turn as u64));
            running.kill().unwrap();
            running.wait().unwrap();
        });
        if turn % 4 == 3 {
            stage.server.restarts();
        }
    }
    stage.answers_at_once();
    let said = stage.server.standing().len();
    assert!(said > 0, "something was under way");
    stage.later(1);
    stage.run(&["sync"]);
    stage.later(1);
    let last = stage.run(&["sync"]);
    assert_eq!(last["done"], 0, "{last}");
    assert_eq!(last["holds"].as_array().unwrap().len(), 0, "{last}");
    let standing = stage.server.standing();
    let different: BTreeSet<&String> = standing.iter().collect();
    assert_eq!((standing.len(), different.len()), (40, 40));
}

/// A day without the program: 2,000 messages, some of them changed or taken away meanwhile.
fn a_day_away(mut stage: Stage) {
    stage.sheet(1);
    let before = stage.server.says("avant");
    stage.run(&["sync"]);
    stage.later(1);
    stage.run(&["sync"]);
    let known = stage.server.says("bientôt effacé");
    stage.run(&["sync"]);
    let mut said = Vec::new();
    for number in 0..2_000 {
        stage.clock.advance(SignedDuration::from_secs(43));
        said.push(stage.server.says(&format!("message {number}")));
        if number % 100 == 50 {
            stage
                .server
                .edits(&said[number], &format!("message {number}, changé"));
        }
        if number == 1_500 {
            stage.server.edits(&known, "changé entre-temps");
        }
    }
    stage.server.edits(&before, "ce qui fut dit avant");
    stage.server.deletes(&said[7]);
    stage.later(1);
    stage.run(&["sync"]);
    stage.run(&["sync"]);

    let events = tokio::task::block_in_place(|| stage.place.events().unwrap());
    let of = |verb: &str| {
        let kind = format!("org.raccord.message.{verb}.v1");
        let chosen = events
            .iter()
            .filter(move |event| event["type"] == kind.as_str());
        chosen
            .map(|event| event["data"]["text"].clone())
            .collect::<Vec<_>>()
    };
    let created: BTreeSet<String> = of("created").iter().map(Value::to_string).collect();
    assert_eq!(of("created").len(), created.len(), "each was heard once");
    for number in 0..2_000_usize {
        let changed = if number % 100 == 50 { ", changé" } else { "" };
        let text = format!("\"message {number}{changed}\"");
        assert_eq!(created.contains(&text), number != 7, "{text}");
    }
    let updated: Vec<String> = of("updated").iter().map(Value::to_string).collect();
    assert!(
        updated.contains(&"\"changé entre-temps\"".to_owned()),
        "{updated:?}"
    );
    assert_eq!(stage.server.standing().len(), 2 + 1 + 2_000 - 1);
}

fn planned(stage: &mut Stage) {
    stage.sheet(3);
    let plan = stage.run(&["plan"]);
    assert_eq!(stage.standin.writes().len(), 0, "a plan says nothing");
    let effects = plan["effects"].as_array().unwrap().clone();
    assert_eq!(effects.len(), 3, "{plan}");
    for effect in &effects {
        assert_eq!(effect["action"], "create");
        let shown = effect["after"].to_string();
        assert!(shown.contains("Bal numéro"), "the words are shown: {shown}");
    }
    assert_eq!(stage.run(&["sync"])["done"], 3);
    assert_eq!(stage.server.standing().len(), 3);
    assert_eq!(stage.run(&["plan"])["effects"].as_array().unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mattermost_hears_each_announcement_once_however_often_the_program_is_killed() {
    killed(Stage::mattermost().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rocketchat_hears_each_announcement_once_however_often_the_program_is_killed() {
    killed(Stage::rocketchat().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_in_mattermost_during_a_day_away_is_heard_once() {
    a_day_away(Stage::mattermost().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_in_rocketchat_during_a_day_away_is_heard_once() {
    a_day_away(Stage::rocketchat().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_says_nothing_in_mattermost_and_the_pass_after_it_says_exactly_that() {
    planned(&mut Stage::mattermost().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_says_nothing_in_rocketchat_and_the_pass_after_it_says_exactly_that() {
    planned(&mut Stage::rocketchat().await);
}
