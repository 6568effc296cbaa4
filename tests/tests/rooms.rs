//! Mattermost and Rocket.Chat, played after their source: the whole program says what it should, once,
//! whatever happens to it, and hears what was said while it was away.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use raccord_tests::place::Place;
use raccord_tests::rooms::{Chat as _, Kind, Played, Tool, away_for_a_day, torture};
use serde_json::Value;

const BEGIN: &str = "2027-01-02T08:00:00Z";

struct Stage {
    chat: Played,
    place: Place,
}

impl Stage {
    fn mattermost() -> Self {
        Self::of(Tool::Mattermost)
    }

    fn rocketchat() -> Self {
        Self::of(Tool::RocketChat)
    }

    fn of(tool: Tool) -> Self {
        let chat = Played::open(tool, BEGIN.parse().unwrap()).unwrap();
        let config = format!(
            "[place]\nid = \"raffinerie\"\nname = \"La Raffinerie\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\n\
             [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"programme.csv\"\n\
             [guards]\nchange_count = 1000\n{}",
            chat.settings()
        );
        let place = Place::new(&config).unwrap().at(BEGIN);
        Self { chat, place }
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

    /// So much later, for the server and for the program.
    fn later(&mut self, by: SignedDuration) {
        let now: Timestamp = self.chat.now().saturating_add(by).unwrap();
        self.chat.is_at(now);
        self.place.is_at(&now.to_string());
    }

    fn hours_later(&mut self, hours: i64) {
        self.later(SignedDuration::from_hours(hours));
    }

    fn standing(&self) -> Vec<String> {
        let said = self.chat.standing().unwrap().into_iter();
        said.map(|said| said.text).collect()
    }

    fn run(&self, arguments: &[&str]) -> Value {
        let answer = self.place.run(arguments).unwrap();
        assert!(answer.code <= 3 && answer.json.is_object(), "{answer:?}");
        answer.json
    }
}

fn killed(mut stage: Stage) {
    stage.sheet(40);
    stage.chat.slow(true);
    for turn in 0..12 {
        let before = stage.chat.writes();
        let enough = before + 1 + turn % 3;
        let mut running = stage.place.work().unwrap();
        for _ in 0..500 {
            if stage.chat.writes() >= enough {
                break;
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
        std::thread::park_timeout(Duration::from_millis(40 * turn as u64));
        running.kill().unwrap();
        if turn % 4 == 3 {
            stage.chat.restarts();
        }
    }
    stage.chat.slow(false);
    let said = stage.standing().len();
    assert!(said > 0, "something was under way");
    stage.hours_later(1);
    stage.run(&["sync"]);
    stage.hours_later(1);
    let last = stage.run(&["sync"]);
    assert_eq!(last["done"], 0, "{last}");
    assert_eq!(last["holds"].as_array().unwrap().len(), 0, "{last}");
    let standing = stage.standing();
    let different: BTreeSet<&String> = standing.iter().collect();
    assert_eq!((standing.len(), different.len()), (40, 40));
}

/// A day without the program: 2,000 messages, some of them changed or taken away meanwhile.
fn a_day_away(mut stage: Stage) {
    stage.sheet(1);
    let before = stage.chat.says("avant").unwrap();
    stage.run(&["sync"]);
    stage.hours_later(1);
    stage.run(&["sync"]);
    let known = stage.chat.says("bientôt changé").unwrap();
    let gone = stage.chat.says("bientôt effacé").unwrap();
    stage.run(&["sync"]);
    let mut said = Vec::new();
    for number in 0..2_000 {
        stage.later(SignedDuration::from_secs(43));
        said.push(stage.chat.says(&format!("message {number}")).unwrap());
        if number % 100 == 50 {
            let text = format!("message {number}, changé");
            stage.chat.edits(&said[number], &text).unwrap();
        }
        if number == 1_500 {
            stage.chat.edits(&known, "changé entre-temps").unwrap();
        }
    }
    stage.chat.edits(&before, "ce qui fut dit avant").unwrap();
    stage.chat.deletes(&gone).unwrap();
    stage.chat.deletes(&said[7]).unwrap();
    stage.hours_later(1);
    stage.run(&["sync"]);
    stage.run(&["sync"]);

    let events = stage.place.events().unwrap();
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
    let before = "\"ce qui fut dit avant\"";
    assert!(created.contains(before), "nobody had heard of it");
    let removed = events
        .iter()
        .filter(|event| event["type"] == "org.raccord.message.removed.v1");
    let removed: Vec<&Value> = removed.collect();
    let [one] = &removed[..] else {
        panic!("what went is known to be gone, once: {removed:#?}");
    };
    assert_eq!(one["data"]["text"], "bientôt effacé");
    assert_eq!(stage.standing().len(), 2 + 1 + 2_000 - 1);
}

fn planned(stage: &mut Stage) {
    stage.sheet(3);
    let plan = stage.run(&["plan"]);
    assert_eq!(stage.chat.writes(), 0, "a plan says nothing");
    let effects = plan["effects"].as_array().unwrap().clone();
    assert_eq!(effects.len(), 3, "{plan}");
    for effect in &effects {
        assert_eq!(effect["action"], "create");
        let shown = effect["after"].to_string();
        assert!(shown.contains("Bal numéro"), "the words are shown: {shown}");
    }
    assert_eq!(stage.run(&["sync"])["done"], 3);
    assert_eq!(stage.standing().len(), 3);
    assert_eq!(stage.run(&["plan"])["effects"].as_array().unwrap().len(), 0);
}

#[test]
fn a_mattermost_hears_each_announcement_once_however_often_the_program_is_killed() {
    killed(Stage::mattermost());
}

#[test]
fn a_rocketchat_hears_each_announcement_once_however_often_the_program_is_killed() {
    killed(Stage::rocketchat());
}

#[test]
fn what_was_said_in_mattermost_during_a_day_away_is_heard_once() {
    a_day_away(Stage::mattermost());
}

#[test]
fn what_was_said_in_rocketchat_during_a_day_away_is_heard_once() {
    a_day_away(Stage::rocketchat());
}

#[test]
fn a_plan_says_nothing_in_mattermost_and_the_pass_after_it_says_exactly_that() {
    planned(&mut Stage::mattermost());
}

#[test]
fn a_plan_says_nothing_in_rocketchat_and_the_pass_after_it_says_exactly_that() {
    planned(&mut Stage::rocketchat());
}

/// The addresses in a text, as a client would follow them.
fn links(text: &str) -> BTreeSet<String> {
    let starts = text.match_indices("http").map(|(at, _)| &text[at..]);
    let ends = |c: char| c.is_whitespace() || "()<>[]|\"*".contains(c);
    let found = starts.filter_map(|rest| rest.split(ends).next());
    let whole = found.filter(|link| link.contains("://"));
    whole.map(str::to_owned).collect()
}

/// Previews, scanners and the curious follow every link, many times: nothing may come of it.
fn links_change_nothing(tool: Tool) {
    const MONDAY: &str = "2027-01-04T05:00:01Z";
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .unwrap()
        .port();
    let chat = Played::open(tool, BEGIN.parse().unwrap()).unwrap();
    let config = format!(
        "[place]\nid = \"raffinerie\"\nname = \"La Raffinerie\"\ntimezone = \"Indian/Reunion\"\nlanguage = \"fr\"\n\
         [web]\nlisten = \"127.0.0.1:{port}\"\npublic_url = \"http://127.0.0.1:{port}\"\n\
         [connectors.sheet]\nkind = \"spreadsheet\"\nlocation = \"programme.csv\"\n{}\
         [[routes]]\nto = \"chat\"\nchannel = \"{}\"\ndigest = \"week\"\nat = [\"lundi 9:00\"]\n\
         [[routes]]\nto = \"chat\"\nchannel = \"{}\"\ndigest = \"hands\"\nat = [\"lundi 9:00\"]\n",
        chat.settings(),
        chat.room(),
        chat.room(),
    );
    let mut place = Place::new(&config).unwrap().at(BEGIN);
    let long = "un mot de trop ".repeat(2_000);
    let sheet = format!(
        "Titre,Date,Début,Salle,Description,Besoins\nChantier,2027-01-06,09:00,Cour,{long},6\nBal,2027-01-08,20:30,Halle,court,\n"
    );
    place.save("programme.csv", sheet.as_bytes()).unwrap();
    place.run(&["sync"]).unwrap();
    place.is_at(MONDAY);
    chat.is_at(MONDAY.parse().unwrap());
    let question = chat.says("!programme").unwrap();
    let daemon = place.work().unwrap();
    let until = std::time::Instant::now() + Duration::from_secs(60);
    let said = loop {
        let said = chat.standing().unwrap();
        let digest = said.iter().any(|one| one.text.contains("Les sept jours"));
        let answered = said
            .iter()
            .any(|one| one.thread.as_ref() == Some(&question));
        if digest && answered {
            break said;
        }
        assert!(std::time::Instant::now() < until, "{said:#?}");
        std::thread::park_timeout(Duration::from_millis(100));
    };
    std::thread::park_timeout(Duration::from_secs(2));
    let all: BTreeSet<String> = said.iter().flat_map(|said| links(&said.text)).collect();
    let ours = format!("http://127.0.0.1:{port}");
    let (own, others): (Vec<_>, Vec<_>) = all.iter().partition(|link| link.starts_with(&ours));
    assert!(!own.is_empty(), "{said:#?}");
    // What leads elsewhere only opens a text to be sent by whoever follows it.
    for link in others {
        assert!(link.starts_with("https://wa.me/?text="), "{link}");
    }
    let before = (place.events().unwrap(), chat.writes());
    for link in own {
        let path = link[ours.len()..].to_owned();
        let path = if path.is_empty() {
            "/".to_owned()
        } else {
            path
        };
        for method in ["GET", "HEAD"].repeat(10) {
            let (status, _) = raccord_tests::wire::call(port, method, &path, &[], b"").unwrap();
            assert!(status < 400, "{method} {path}: {status}");
        }
    }
    std::thread::park_timeout(Duration::from_secs(2));
    assert_eq!(place.events().unwrap(), before.0);
    assert_eq!(chat.writes(), before.1, "nothing is said of it either");
    drop(daemon);
}

#[test]
fn every_link_of_every_message_in_mattermost_fetched_ten_times_changes_nothing() {
    links_change_nothing(Tool::Mattermost);
}

#[test]
fn every_link_of_every_message_in_rocketchat_fetched_ten_times_changes_nothing() {
    links_change_nothing(Tool::RocketChat);
}

/// What a campaign of kills once took for a line that nobody announced: an app of the server took the
/// message away, and nobody asked for it again.
#[test]
fn what_an_app_takes_away_is_set_aside_by_name_and_said_once_a_person_asks_for_it() {
    let mut stage = Stage::rocketchat();
    stage.sheet(3);
    assert_eq!(stage.chat.own_trouble(), "a veto");
    stage.run(&["sync"]);
    let standing = stage.standing();
    assert_eq!(standing.len(), 2, "{standing:?}");
    stage.hours_later(48);
    stage.run(&["sync"]);
    assert_eq!(stage.standing(), standing, "it is not tried by itself");
    let dead = stage.place.run(&["dead"]).unwrap().json;
    let [one] = &dead.as_array().unwrap()[..] else {
        panic!("{dead}")
    };
    let title = one["title"].as_str().unwrap();
    assert_eq!(one["code"], "rocketchat.not-taken");
    assert!(standing.iter().all(|said| !said.contains(title)), "{title}");
    let again = stage.place.run(&["retry", one["id"].as_str().unwrap()]);
    assert_eq!(again.unwrap().code, 0);
    stage.run(&["sync"]);
    let standing = stage.standing();
    assert_eq!(standing.len(), 3);
    let about = standing.iter().filter(|said| said.contains(title));
    assert_eq!(about.count(), 1, "{standing:?}");
}

/// The short campaign that every change must pass; `cargo xtask full` makes the long one.
fn tortured(kind: Kind, seed: u64) {
    let report = torture(kind, 8, seed).unwrap_or_else(|wrong| panic!("{wrong:#}"));
    assert!(report.announcements >= 9 && report.heard > 8, "{report}");
}

#[test]
fn a_mattermost_says_each_once_through_kills_lost_answers_and_restarts() {
    tortured(Kind::Mattermost, 6);
}

#[test]
fn a_rocketchat_says_each_once_through_kills_lost_answers_and_restarts() {
    tortured(Kind::Rocketchat, 6);
}

#[test]
fn a_mattermost_out_of_reach_for_a_day_loses_nothing_and_hears_nothing_stale() {
    let gap = away_for_a_day(Kind::Mattermost, 2_000).unwrap_or_else(|wrong| panic!("{wrong:#}"));
    assert!(gap.heard > 1_800, "{gap}");
}

#[test]
fn a_rocketchat_out_of_reach_for_a_day_loses_nothing_and_hears_nothing_stale() {
    let gap = away_for_a_day(Kind::Rocketchat, 2_000).unwrap_or_else(|wrong| panic!("{wrong:#}"));
    assert!(gap.heard > 1_800, "{gap}");
}
