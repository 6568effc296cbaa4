//! What is said once: what moved, round-ups at their hour, answers.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use raccord_engine::{Engine, Fact, Input, decode_commit};
use raccord_model::{
    Applied, Blame, Change, Class, ConnectorName, Context, Desired, Digest, EntityKind, Failure,
    Found, Guards, Handling, Lang, Line, Mode, Observation, Outcome, Payload, Place, Policy,
    Reading, Render, Rendered, Roundup, RoundupOf, Route, Rules, Saying, SinkRule, SourceRule,
    Subject, Tab, Verb, When, Words,
};
use serde_json::{Value, json};

/// A chat that says what it is given in one line.
struct Chat;

impl Render for Chat {
    fn render(&self, _: &ConnectorName, subject: Subject<'_>, _: &Context<'_>) -> Rendered {
        let text = match subject {
            Subject::Entity { entity, .. } if entity.kind == EntityKind::Activity => format!(
                "{} {} {}",
                entity.text("title"),
                entity.text("start"),
                entity.text("status")
            ),
            Subject::Saying { saying, .. } => match saying {
                Saying::Moved {
                    entity,
                    before,
                    times,
                    thread,
                } => format!(
                    "re {thread}#{times}: {} -> {} {}",
                    before["start"].as_str().unwrap(),
                    entity.text("start"),
                    entity.text("status")
                ),
                Saying::Roundup { at, members, .. } if !members.is_empty() => {
                    format!("{at}: {}", members.len())
                }
                Saying::Roundup { .. }
                | Saying::Mine { .. }
                | Saying::Letter { .. }
                | Saying::Liked { .. }
                | Saying::Reminder { .. } => {
                    return Rendered::Nothing;
                }
                Saying::Answer {
                    message,
                    said,
                    members,
                    ..
                } => match said {
                    Some(said) => said.en.clone(),
                    None => format!("{}: {}", message.text("ask"), members.len()),
                },
            },
            _ => return Rendered::Nothing,
        };
        Rendered::Object(Desired {
            hash: Digest::of(text.as_bytes()),
            body: json!(text),
            text: Words::same(text.clone()),
            title: text,
            outdated: None,
        })
    }
}

fn rules(class: Class) -> Rules {
    let chat = SinkRule {
        kind: "chat".into(),
        version: String::new(),
        handles: vec![Handling {
            entity: EntityKind::Activity,
            mode: Mode::Announce,
            class,
            settle_s: 60,
            grace_s: 300,
            policy: Policy::NeverTwice,
            read_back: false,
        }],
        parallel: 4,
        per_second: 0,
        settings: Digest::default(),
        target: Digest::default(),
        credentials: Digest::default(),
        around: false,
        approvers: ["@lou:x".to_owned()].into(),
    };
    let source = |kind: &str, every_s| SourceRule {
        kind: kind.into(),
        version: String::new(),
        every_s,
        foreign: false,
        counts: false,
    };
    Rules {
        place: Place {
            id: "lieu".parse().unwrap(),
            name: "Le lieu".into(),
            zone: "Europe/Paris".into(),
            lang: Lang::Fr,
            public_url: String::new(),
        },
        sources: [
            ("sheet".parse().unwrap(), source("spreadsheet", 0)),
            ("chat".parse().unwrap(), source("chat", 0)),
        ]
        .into(),
        sinks: [("chat".parse().unwrap(), chat)].into(),
        recipes: Vec::new(),
        routes: vec![Route {
            to: "chat".parse().unwrap(),
            when: When::default(),
            channel: None,
            calendar: None,
            list: None,
            roundup: Some(Roundup {
                of: RoundupOf::Week,
                at: vec!["monday 09:00".parse().unwrap()],
            }),
            signup: None,
            template: None,
            lang: None,
            grace_s: None,
            policy: None,
            authority: None,
            fields: BTreeMap::new(),
        }],
        guards: Guards {
            second_look_s: 0,
            ..Guards::default()
        },
    }
}

/// A place that is played: what its chat heard, in order.
struct Play {
    engine: Engine,
    now: Timestamp,
    heard: Vec<String>,
    /// How the next write ends instead of well.
    next: Option<Outcome>,
    facts: Vec<Fact>,
}

impl Play {
    fn at(now: &str) -> Self {
        Self::with(now, Class::Address)
    }

    fn with(now: &str, class: Class) -> Self {
        let mut play = Self {
            engine: Engine::new(),
            now: now.parse().unwrap(),
            heard: Vec::new(),
            next: None,
            facts: Vec::new(),
        };
        play.take(vec![Input::Configure(Box::new(rules(class)))]);
        play.take(vec![Input::Observed {
            source: "chat".parse().unwrap(),
            seen: Ok(Observation::Unchanged { cursor: None }),
        }]);
        play
    }

    fn take(&mut self, mut inputs: Vec<Input>) {
        loop {
            // Fresh each time, as it is drawn: it names the slots of personal values.
            let seed = Digest::of(&self.facts.len().to_be_bytes()).0;
            let step = self.engine.step(inputs, self.now, seed, &Chat);
            inputs = Vec::new();
            if let Some(commit) = &step.commit {
                self.facts.extend(decode_commit(commit).unwrap());
            }
            for work in step.work {
                for item in work.items {
                    let outcome = match (&item.payload, self.next.take()) {
                        (_, Some(next)) => next,
                        (Payload::Write { desired, link, .. }, None) => {
                            self.heard.push(desired.title.clone());
                            Outcome::Done(Applied {
                                external: match link {
                                    Some(link) => link.external.clone(),
                                    None => format!("m{}", self.heard.len()),
                                },
                                tag: None,
                                url: None,
                            })
                        }
                        (Payload::Find { .. }, None) => {
                            Outcome::Looked(Found::No { listed: self.now })
                        }
                        other => panic!("{other:?}"),
                    };
                    inputs.push(Input::Outcome {
                        connector: work.connector.clone(),
                        family: work.family,
                        delivery: item.delivery,
                        outcome,
                    });
                }
            }
            if inputs.is_empty() {
                return;
            }
        }
    }

    fn sheet(&mut self, lines: &[(&str, &str, &str)]) {
        let line = |(row, (title, start, status)): (usize, &(&str, &str, &str))| {
            let fields = json!({ "title": title, "start": start, "status": status });
            let fields = serde_json::from_value(fields).unwrap();
            let row = u32::try_from(row + 2).unwrap();
            let mut line = Line::new(EntityKind::Activity, 0, row, &fields);
            line.native = Some((*title).to_owned());
            line
        };
        let reading = Reading {
            digest: Digest::of(format!("{lines:?}").as_bytes()),
            tabs: vec![Tab::default()],
            lines: lines.iter().enumerate().map(line).collect(),
            ..Reading::default()
        };
        self.take(vec![Input::Observed {
            source: "sheet".parse().unwrap(),
            seen: Ok(Observation::Complete(reading)),
        }]);
    }

    /// Lets time go by, awake whenever the engine wants to be.
    fn wait(&mut self, time: SignedDuration) {
        let until = self.now + time;
        while let Some(at) = self.engine.wake().filter(|at| *at <= until) {
            self.now = at.max(self.now + SignedDuration::from_millis(1));
            self.take(vec![Input::Tick]);
        }
        self.now = until;
        self.take(vec![Input::Tick]);
    }

    fn hears(&mut self, number: u32, author: &str, ask: &str, words: &str) {
        let fields = json!({
            "channel": "!r", "author": author, "ask": ask, "words": words,
            "thread": format!("$q{number}"), "sent": self.now.to_string(),
        });
        let change = Change {
            sender: "chat".into(),
            id: format!("!r $q{number}"),
            kind: EntityKind::Message,
            verb: Verb::Created,
            subject: format!("!r $q{number}"),
            fields: serde_json::from_value(fields).unwrap(),
            correlation: None,
            causation: None,
            hops: 0,
            trace: None,
        };
        self.take(vec![Input::Observed {
            source: "chat".parse().unwrap(),
            seen: Ok(Observation::Changes {
                changes: vec![change],
                cursor: None,
            }),
        }]);
    }

    fn skipped(&self) -> Vec<&str> {
        self.facts
            .iter()
            .filter_map(|fact| match fact {
                Fact::Skipped { why, .. } => Some(why.en.as_str()),
                _ => None,
            })
            .collect()
    }
}

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn jazz(start: &str) -> [(&str, &str, &str); 1] {
    [("Jazz", start, "confirmed")]
}

#[test]
fn nothing_is_said_of_an_announcement_that_somebody_took_away() {
    let mut play = Play::at("2027-01-02T08:00:00Z");
    play.sheet(&jazz("2027-01-08T20:00"));
    play.wait(MINUTE * 5);
    play.next = Some(Outcome::Done(Applied {
        external: "m1".to_owned(),
        tag: Some(raccord_model::TAKEN_AWAY.to_owned()),
        url: None,
    }));
    play.sheet(&jazz("2027-01-09T20:00"));
    play.wait(MINUTE * 10);
    assert_eq!(play.heard, ["Jazz 2027-01-08T20:00 confirmed"]);
    assert_eq!(play.skipped(), ["somebody took the announcement away"]);
    play.sheet(&jazz("2027-01-10T20:00"));
    play.wait(MINUTE * 10);
    let state = play.engine.state();
    let told: Vec<_> = state
        .entities
        .iter()
        .filter(|(_, record)| record.kind == EntityKind::Notice)
        .map(|(_, record)| record.fields()["text"]["en"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("Somebody took the announcement of “Jazz” away from “chat”"));
}

#[test]
fn what_moves_is_shown_at_once_and_said_once_when_it_has_settled() {
    let mut play = Play::at("2027-01-02T08:00:00Z");
    play.sheet(&jazz("2027-01-08T20:00"));
    assert!(play.heard.is_empty(), "people may still change their mind");
    play.wait(MINUTE * 5);
    assert_eq!(play.heard, ["Jazz 2027-01-08T20:00 confirmed"]);

    play.sheet(&jazz("2027-01-08T21:00"));
    play.wait(MINUTE * 2);
    play.sheet(&jazz("2027-01-09T21:00"));
    play.wait(MINUTE * 10);
    assert_eq!(
        play.heard[1..],
        [
            "Jazz 2027-01-08T21:00 confirmed",
            "Jazz 2027-01-09T21:00 confirmed",
            "re m1#1: 2027-01-08T20:00 -> 2027-01-09T21:00 confirmed",
        ],
        "changed in place twice, said once"
    );
    play.sheet(&[("Jazz", "2027-01-09T21:00", "cancelled")]);
    play.wait(MINUTE * 10);
    assert_eq!(
        play.heard[4..],
        [
            "Jazz 2027-01-09T21:00 cancelled",
            "re m1#2: 2027-01-09T21:00 -> 2027-01-09T21:00 cancelled",
        ]
    );
    // Nothing of it comes back, in this process or in the next.
    play.engine = Engine::from_snapshot(&play.engine.snapshot()).unwrap();
    play.engine.start();
    play.wait(HOUR);
    assert_eq!(play.heard.len(), 6);
}

#[test]
fn what_moved_back_in_time_is_not_said() {
    let mut play = Play::at("2027-01-02T08:00:00Z");
    play.sheet(&jazz("2027-01-08T20:00"));
    play.wait(MINUTE * 5);
    play.sheet(&jazz("2027-01-08T21:00"));
    play.wait(MINUTE * 2);
    play.sheet(&jazz("2027-01-08T20:00"));
    play.wait(MINUTE * 10);
    assert_eq!(play.heard.len(), 3, "{:?}", play.heard);
    assert_eq!(play.skipped(), ["it is again as it was announced"]);
}

#[test]
fn what_moves_before_it_was_announced_is_announced_as_it_is() {
    let mut play = Play::at("2027-01-02T08:00:00Z");
    play.sheet(&jazz("2027-01-08T20:00"));
    play.wait(MINUTE * 2);
    play.sheet(&jazz("2027-01-08T21:00"));
    play.wait(HOUR);
    assert_eq!(play.heard, ["Jazz 2027-01-08T21:00 confirmed"]);
}

#[test]
fn a_reply_whose_answer_was_lost_is_looked_for_before_it_is_said_again() {
    let mut play = Play::with("2027-01-02T08:00:00Z", Class::Find);
    play.sheet(&jazz("2027-01-08T20:00"));
    play.wait(MINUTE * 5);
    play.sheet(&jazz("2027-01-08T21:00"));
    play.wait(MINUTE * 4);
    let lost = Failure::new(Blame::Unknown, "x", Words::default(), Words::default());
    play.next = Some(Outcome::Failed(lost));
    play.wait(MINUTE);
    assert_eq!(play.heard.len(), 2, "{:?}", play.heard);
    play.next = Some(Outcome::Looked(Found::Yes(Applied {
        external: "m9".into(),
        tag: None,
        url: None,
    })));
    play.wait(MINUTE * 10);
    assert_eq!(play.heard.len(), 2, "it was there: {:?}", play.heard);
    play.sheet(&jazz("2027-01-08T22:00"));
    play.wait(MINUTE * 10);
    assert_eq!(
        play.heard.last().unwrap(),
        "re m1#2: 2027-01-08T21:00 -> 2027-01-08T22:00 confirmed"
    );
}

#[test]
fn a_round_up_is_said_at_its_civil_hour_on_both_sides_of_a_clock_change() {
    // The clock goes forward on Sunday, 28 March 2027.
    let mut play = Play::at("2027-03-19T08:00:00Z");
    play.sheet(&jazz("2027-04-30T20:00"));
    play.wait(HOUR);
    play.heard.clear();
    play.wait(HOUR * 24 * 14);
    assert_eq!(
        play.heard,
        ["2027-03-22T09:00:00: 1", "2027-03-29T09:00:00: 1"]
    );
    let due: BTreeSet<String> = play
        .facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Owed(owed)
                if owed
                    .key
                    .as_deref()
                    .is_some_and(|key| key.starts_with("roundup/")) =>
            {
                Some(owed.due.to_string())
            }
            _ => None,
        })
        .collect();
    let due: Vec<&str> = due.iter().map(String::as_str).collect();
    assert_eq!(due[..2], ["2027-03-22T08:00:00Z", "2027-03-29T07:00:00Z"]);
}

#[test]
fn a_round_up_that_was_missed_is_said_late_while_it_is_true_and_never_twice() {
    for (down, said) in [(HOUR * 20, 1), (HOUR * 40, 0)] {
        let mut play = Play::at("2027-01-02T08:00:00Z");
        play.sheet(&jazz("2027-01-08T20:00"));
        play.wait(HOUR);
        play.heard.clear();
        // Down from Saturday until some hours after Monday, 9:00.
        let snapshot = play.engine.snapshot();
        play.now = "2027-01-04T08:00:00Z".parse::<Timestamp>().unwrap() + down;
        play.engine = Engine::from_snapshot(&snapshot).unwrap();
        play.engine.start();
        play.take(vec![Input::Configure(Box::new(rules(Class::Address)))]);
        play.wait(HOUR * 2);
        assert_eq!(play.heard.len(), said, "{:?}", play.heard);
        if said == 0 {
            assert_eq!(play.skipped(), ["its hour passed too long ago"]);
        }
    }
}

#[test]
fn a_week_without_anything_is_not_talked_about() {
    let mut play = Play::at("2027-01-02T08:00:00Z");
    play.sheet(&[]);
    play.wait(HOUR * 24 * 7);
    assert!(play.heard.is_empty(), "{:?}", play.heard);
}

#[test]
fn a_question_is_answered_at_once_and_once() {
    let mut play = Play::at("2027-01-02T08:00:00Z");
    play.sheet(&jazz("2027-01-08T20:00"));
    play.wait(HOUR);
    play.heard.clear();
    play.hears(1, "@who:x", "programme", "");
    assert_eq!(play.heard, ["programme: 1"]);
    play.hears(1, "@who:x", "programme", "");
    assert_eq!(play.heard.len(), 1, "the same message again asks nothing");
}

#[test]
fn only_who_is_named_decides_a_hold() {
    let mut play = Play::at("2027-01-02T08:00:00Z");
    let lines: Vec<(String, String)> = (10..20)
        .map(|day| (format!("Bal {day}"), format!("2027-01-{day}T20:00")))
        .collect();
    let all: Vec<(&str, &str, &str)> = lines
        .iter()
        .map(|(title, start)| (title.as_str(), start.as_str(), "confirmed"))
        .collect();
    play.sheet(&all);
    play.wait(HOUR);
    play.sheet(&all[..2]);
    let id = play.engine.state().holds.keys().next().unwrap().to_string();
    play.heard.clear();
    play.hears(1, "@mallory:x", "approve", &id);
    play.hears(2, "@lou:x.evil", "approve", &id);
    play.hears(3, "", "approve", &id);
    assert_eq!(play.engine.state().holds.len(), 1, "{:?}", play.heard);
    play.hears(4, "@lou:x", "approve", &id[..3]);
    assert_eq!(play.engine.state().holds.len(), 1, "too short a name");
    play.hears(5, "@lou:x", "reject", &id[..8]);
    assert!(play.engine.state().holds.is_empty());
    let no = "Only people named in the configuration can decide here.";
    assert_eq!(play.heard[..3], [no, no, no]);
    assert_eq!(play.heard[4], "It is rejected.");
}

#[test]
fn what_others_post_asks_nothing_whatever_it_says() {
    let mut play = Play::at("2027-01-02T08:00:00Z");
    play.sheet(&jazz("2027-01-08T20:00"));
    play.wait(HOUR);
    play.heard.clear();
    let fields: Value = json!({ "channel": "!r", "author": "@lou:x", "ask": "programme" });
    play.take(vec![Input::Posted(vec![Change {
        sender: "chat".into(),
        id: "1".into(),
        kind: EntityKind::Message,
        verb: Verb::Created,
        subject: "1".into(),
        fields: serde_json::from_value(fields).unwrap(),
        correlation: None,
        causation: None,
        hops: 0,
        trace: None,
    }])]);
    assert!(play.heard.is_empty(), "{:?}", play.heard);
}

#[test]
fn two_programs_that_answer_each_other_stop_and_it_is_said() {
    let mut play = Play::at("2027-01-02T08:00:00Z");
    play.sheet(&jazz("2027-01-08T20:00"));
    play.wait(HOUR);
    play.heard.clear();
    for number in 0..100 {
        play.hears(number, "@bot:x", "programme", "");
        play.now += SignedDuration::from_millis(100);
    }
    assert_eq!(play.heard.len(), 20);
    let told = play.facts.iter().any(|fact| match fact {
        Fact::Event { event, .. } => event.data.get("code") == Some(&json!("loop")),
        _ => false,
    });
    assert!(told, "somebody is told");
    play.wait(MINUTE * 2);
    play.hears(200, "@who:x", "programme", "");
    assert_eq!(play.heard.len(), 21, "people are answered again");
}

#[test]
fn the_same_facts_fold_to_the_same_state() {
    let mut play = Play::at("2027-01-02T08:00:00Z");
    let mut again = Engine::new();
    play.sheet(&jazz("2027-01-08T20:00"));
    play.wait(MINUTE * 5);
    play.sheet(&jazz("2027-01-08T21:00"));
    play.wait(HOUR * 72);
    let mut folded = again.state().clone();
    for fact in &play.facts {
        folded.apply(fact, play.now);
    }
    assert_eq!(folded.told, play.engine.state().told);
    again.start();
}
