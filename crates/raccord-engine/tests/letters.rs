//! Letters to many: prepared once, stopped or sent, to each reader once; doubt is one question.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use raccord_engine::{Engine, Fact, Input, Order, Reply, Who, decode_commit};
use raccord_model::{
    Applied, Blame, Change, Class, ConnectorName, Context, Desired, Digest, Entity, EntityId,
    EntityKind, Failure, Guards, Handling, HoldId, Lang, Line, Mode, NO_SUCH_ADDRESS, Observation,
    Outcome, Payload, Place, Policy, Readers, Reading, Render, Rendered, Roundup, RoundupOf, Route,
    Rules, Saying, SinkRule, SourceRule, Subject, Tab, Verb, When, Words,
};
use serde_json::{Value, json};

/// A newsletter that names its activities, and each of its readers.
struct Letters;

impl Render for Letters {
    fn render(&self, _: &ConnectorName, subject: Subject<'_>, _: &Context<'_>) -> Rendered {
        let object = |text: String, body: Value| {
            Rendered::Object(Desired {
                hash: Digest::of(body.to_string().as_bytes()),
                body,
                text: Words::same(text.clone()),
                title: text,
                outdated: None,
            })
        };
        let Subject::Saying { saying, .. } = subject else {
            return Rendered::Nothing;
        };
        match saying {
            Saying::Roundup { members, .. } if !members.is_empty() => {
                let titles: Vec<&str> = members.iter().map(|one| one.text("title")).collect();
                let text = titles.join(", ");
                object(text.clone(), json!({ "sheet": text }))
            }
            Saying::Letter { issue, to, leave } => {
                let body = json!({ "sheet": issue.body["sheet"], "to": to, "leave": leave });
                object(issue.title.clone(), body)
            }
            _ => Rendered::Nothing,
        }
    }
}

fn rules(readers: Readers, at: &str) -> Rules {
    let letters = SinkRule {
        kind: "newsletter".into(),
        version: String::new(),
        handles: vec![Handling {
            entity: EntityKind::Activity,
            mode: Mode::Letter(readers),
            class: Class::Blind,
            settle_s: 0,
            grace_s: 1_800,
            policy: Policy::NeverTwice,
            read_back: false,
        }],
        parallel: 2,
        per_second: 0,
        settings: Digest::default(),
        target: Digest::default(),
        credentials: Digest::default(),
        around: false,
        approvers: BTreeSet::new(),
    };
    Rules {
        place: Place {
            id: "lieu".parse().unwrap(),
            name: "Le lieu".into(),
            zone: "Europe/Paris".into(),
            lang: Lang::Fr,
            public_url: "https://lieu.example.org".into(),
        },
        sources: [(
            "sheet".parse().unwrap(),
            SourceRule {
                kind: "spreadsheet".into(),
                version: String::new(),
                every_s: 0,
                foreign: false,
                counts: false,
            },
        )]
        .into(),
        sinks: [(list(), letters)].into(),
        recipes: Vec::new(),
        routes: vec![Route {
            to: list(),
            when: When::default(),
            channel: None,
            calendar: None,
            list: None,
            roundup: Some(Roundup {
                of: RoundupOf::Week,
                at: vec![at.parse().unwrap()],
            }),
            signup: None,
            template: None,
            lang: None,
            grace_s: None,
            policy: None,
            authority: None,
            fields: BTreeMap::new(),
        }],
        guards: Guards::default(),
    }
}

fn list() -> ConnectorName {
    "lettre".parse().unwrap()
}

/// A mail that was handed over: what it says, to whom, and with which key they leave.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mail {
    sheet: String,
    to: String,
    leave: String,
}

/// A place that is played.
struct Play {
    engine: Engine,
    now: Timestamp,
    sent: Vec<Mail>,
    /// How writes to an address end, instead of well.
    ends: BTreeMap<String, Outcome>,
    /// Mails handed over of which the process learns nothing: it is killed.
    dies_after: Option<usize>,
    facts: Vec<Fact>,
    slots: Vec<(String, String)>,
}

impl Play {
    /// Monday, 4 January 2027, 7:00 in Paris; the letter is due at 9:00.
    fn new(readers: Readers) -> Self {
        let mut play = Self {
            engine: Engine::new(),
            now: "2027-01-04T06:00:00Z".parse().unwrap(),
            sent: Vec::new(),
            ends: BTreeMap::new(),
            dies_after: None,
            facts: Vec::new(),
            slots: Vec::new(),
        };
        play.take(vec![Input::Configure(Box::new(rules(
            readers,
            "monday 09:00",
        )))]);
        play.sheet(&["Bal"]);
        play
    }

    fn with(readers: usize) -> Self {
        let mut play = Self::new(Readers::Ours);
        for number in 0..readers {
            play.subscribes(&format!("r{number}@example.org"));
        }
        play
    }

    /// What comes of inputs; true where the process died on the way.
    fn take(&mut self, mut inputs: Vec<Input>) -> bool {
        loop {
            let seed = Digest::of(&self.facts.len().to_be_bytes()).0;
            let step = self.engine.step(inputs, self.now, seed, &Letters);
            inputs = Vec::new();
            self.slots.extend(step.slots.clone());
            if let Some(commit) = &step.commit {
                self.facts.extend(decode_commit(commit).unwrap());
            }
            for work in step.work {
                for item in work.items {
                    let Payload::Write { desired, .. } = &item.payload else {
                        panic!("{item:?}");
                    };
                    let text =
                        |name: &str| desired.body[name].as_str().unwrap_or_default().to_owned();
                    let mail = Mail {
                        sheet: text("sheet"),
                        to: text("to"),
                        leave: text("leave"),
                    };
                    let ended = self.ends.get(&mail.to).cloned();
                    self.sent.push(mail);
                    let outcome = ended.unwrap_or_else(|| Outcome::Done(Applied::default()));
                    inputs.push(Input::Outcome {
                        connector: work.connector.clone(),
                        family: work.family,
                        delivery: item.delivery,
                        outcome,
                    });
                }
            }
            if self.dies_after.is_some_and(|many| self.sent.len() >= many) {
                return true;
            }
            if inputs.is_empty() {
                return false;
            }
        }
    }

    /// Another process folds what was recorded.
    fn restart(&mut self) {
        let snapshot = self.engine.snapshot();
        let mut engine = Engine::from_snapshot(&snapshot).unwrap();
        engine.remember(self.slots.clone());
        engine.start();
        self.engine = engine;
        self.dies_after = None;
    }

    fn order(&mut self, order: Order) -> Reply {
        let seed = Digest::of(&self.facts.len().to_be_bytes()).0;
        let step = self
            .engine
            .step(vec![Input::Order(order)], self.now, seed, &Letters);
        self.slots.extend(step.slots);
        if let Some(commit) = &step.commit {
            self.facts.extend(decode_commit(commit).unwrap());
        }
        assert!(step.work.is_empty());
        step.replies.into_iter().next().unwrap()
    }

    fn subscribes(&mut self, email: &str) -> EntityId {
        let who = Box::new(Who {
            email: email.to_owned(),
            ..Who::default()
        });
        match self.order(Order::Subscribe { who, list: list() }) {
            Reply::Known(person) => person,
            other => panic!("{other:?}"),
        }
    }

    fn person(&self, id: EntityId) -> Entity {
        self.engine.entity(id).unwrap()
    }

    fn sheet(&mut self, titles: &[&str]) {
        let line = |(row, title): (usize, &&str)| {
            let start = if *title == "Bal" {
                "2027-01-08T20:00"
            } else {
                "2027-01-14T20:00"
            };
            let fields = json!({ "title": title, "start": start });
            let fields = serde_json::from_value(fields).unwrap();
            let row = u32::try_from(row + 2).unwrap();
            let mut line = Line::new(EntityKind::Activity, 0, row, &fields);
            line.native = Some(row.to_string());
            line
        };
        let reading = Reading {
            digest: Digest::of(format!("{titles:?}").as_bytes()),
            tabs: vec![Tab::default()],
            lines: titles.iter().enumerate().map(line).collect(),
            ..Reading::default()
        };
        self.take(vec![Input::Observed {
            source: "sheet".parse().unwrap(),
            seen: Ok(Observation::Complete(reading)),
        }]);
    }

    /// Lets time go by until then, awake whenever the engine wants to be.
    fn until(&mut self, at: &str) {
        let until: Timestamp = at.parse().unwrap();
        while let Some(at) = self.engine.wake().filter(|at| *at <= until) {
            self.now = at.max(self.now + SignedDuration::from_millis(1));
            if self.take(vec![Input::Tick]) {
                return;
            }
        }
        self.now = until;
        self.take(vec![Input::Tick]);
    }

    fn notice(&self, code: &str) -> Option<Entity> {
        let all = self.engine.state().entities.iter();
        let mut all = all.map(|(&id, record)| record.entity(id));
        all.find(|one| one.text("code") == code && one.text("state") == "open")
    }

    fn holds(&self) -> Vec<HoldId> {
        self.engine.state().holds.keys().copied().collect()
    }

    fn to(&self) -> Vec<&str> {
        let mut to: Vec<&str> = self.sent.iter().map(|mail| mail.to.as_str()).collect();
        to.sort_unstable();
        to
    }
}

const HOUR: &str = "2027-01-04T08:00:00Z";
const LEFT: &str = "2027-01-04T08:31:00Z";

#[test]
fn a_letter_is_prepared_at_its_hour_and_leaves_after_its_grace_as_it_was() {
    let mut play = Play::with(3);
    play.until("2027-01-04T07:59:00Z");
    assert!(play.notice("letter").is_none());
    play.until("2027-01-04T08:01:00Z");
    let told = play.notice("letter").unwrap();
    let fr = told.fields["text"]["fr"].as_str().unwrap();
    assert!(
        fr.contains("9 h 30") && fr.contains("3 personnes") && fr.contains("Bal"),
        "{fr}"
    );
    assert!(play.sent.is_empty());
    // What changes from here on is in the next one.
    play.sheet(&["Bal", "Vide-grenier"]);
    play.until("2027-01-04T08:29:00Z");
    assert!(play.sent.is_empty());
    play.until(LEFT);
    assert_eq!(
        play.to(),
        ["r0@example.org", "r1@example.org", "r2@example.org"]
    );
    assert!(play.sent.iter().all(|mail| mail.sheet == "Bal"));
    let keys: BTreeSet<&str> = play.sent.iter().map(|mail| mail.leave.as_str()).collect();
    assert_eq!(keys.len(), 3, "each leaves by a key of their own");
    assert!(play.notice("letter").is_none());
    assert!(
        play.engine.state().issues.is_empty(),
        "what was sent is kept no more"
    );
    play.until("2027-01-10T20:00:00Z");
    assert_eq!(play.sent.len(), 3);
}

#[test]
fn a_no_within_its_grace_stops_a_letter_and_it_is_not_prepared_again() {
    let mut play = Play::with(2);
    play.until(HOUR);
    let told = play.notice("letter").unwrap();
    let id: HoldId = told.text("about").parse().unwrap();
    assert!(play.holds().is_empty(), "nobody must answer");
    assert_eq!(play.order(Order::Reject(id)), Reply::Taken);
    assert!(play.notice("letter").is_none());
    play.until("2027-01-10T20:00:00Z");
    assert!(play.sent.is_empty() && play.engine.state().issues.is_empty());
    assert!(matches!(play.order(Order::Reject(id)), Reply::Cannot(_)));
}

#[test]
fn after_a_kill_at_most_one_reader_for_each_connection_is_in_doubt_and_one_hold_names_all() {
    for dies_after in 1..12 {
        let mut play = Play::with(9);
        play.dies_after = Some(dies_after);
        play.until(LEFT);
        let before: BTreeSet<String> = play.to().into_iter().map(str::to_owned).collect();
        play.restart();
        play.now = play
            .now
            .saturating_add(SignedDuration::from_mins(5))
            .unwrap();
        play.take(vec![Input::Configure(Box::new(rules(
            Readers::Ours,
            "monday 09:00",
        )))]);
        play.until("2027-01-04T09:30:00Z");
        let holds = play.holds();
        let doubted: Vec<EntityId> = holds
            .first()
            .map(|id| &play.engine.state().holds[id].hold)
            .map(|hold| hold.effects.iter().map(|effect| effect.entity).collect())
            .unwrap_or_default();
        assert!(
            holds.len() <= 1 && doubted.len() <= 2,
            "{dies_after}: {doubted:?}"
        );
        // Everybody was handed the letter once, or is in doubt; nobody twice.
        assert_eq!(
            play.to().len(),
            play.to().into_iter().collect::<BTreeSet<_>>().len()
        );
        assert_eq!(play.sent.len(), 9, "{dies_after}: {:?}", play.to());
        for person in &doubted {
            assert!(before.contains(play.person(*person).text("email")));
        }
        // A yes sends them the same again; a no to the rest takes it as done.
        let Some(&hold) = holds.first() else {
            continue;
        };
        let first = play.sent.clone();
        let only = Some(BTreeSet::from([doubted[0]]));
        let step = Input::Order(Order::Approve { hold, only });
        play.take(vec![step]);
        assert_eq!(play.sent.len(), 10);
        assert!(first.contains(&play.sent[9]), "the repeat is the same mail");
        assert!(play.holds().is_empty() && play.engine.state().issues.is_empty());
    }
}

#[test]
fn a_lost_answer_is_asked_about_and_a_no_ends_it() {
    let mut play = Play::with(4);
    let lost = Failure::new(
        Blame::Unknown,
        "mail.lost",
        Words::same("?"),
        Words::same("?"),
    );
    for reader in ["r1@example.org", "r3@example.org"] {
        play.ends
            .insert(reader.to_owned(), Outcome::Failed(lost.clone()));
    }
    play.until(LEFT);
    assert_eq!(play.sent.len(), 4);
    let [hold] = play.holds()[..] else {
        panic!("one question: {:?}", play.holds());
    };
    assert_eq!(play.engine.state().holds[&hold].hold.effects.len(), 2);
    play.take(vec![Input::Order(Order::Reject(hold))]);
    play.until("2027-01-05T09:00:00Z");
    assert_eq!(play.sent.len(), 4);
    assert!(play.holds().is_empty() && play.engine.state().issues.is_empty());
}

#[test]
fn many_in_doubt_are_one_question_about_all_of_them() {
    let mut play = Play::with(206);
    let lost = Words::same("?");
    let lost = Failure::new(Blame::Unknown, "mail.lost", lost.clone(), lost);
    for number in (0..206).step_by(2) {
        let reader = format!("r{number}@example.org");
        play.ends.insert(reader, Outcome::Failed(lost.clone()));
    }
    play.until("2027-01-04T12:00:00Z");
    let [hold] = play.holds()[..] else {
        panic!("one question: {:?}", play.holds());
    };
    play.take(vec![Input::Order(Order::Reject(hold))]);
    play.until("2027-01-05T09:00:00Z");
    assert_eq!(play.sent.len(), 206);
    assert!(play.holds().is_empty() && play.engine.state().issues.is_empty());
}

#[test]
fn whoever_leaves_gets_no_more_and_a_key_of_somebody_else_does_nothing() {
    let mut play = Play::with(2);
    let leaving = play.subscribes("eva@example.org");
    let staying = play.subscribes("lou@example.org");
    let key = play.person(leaving).fields["letters"]["lettre"]["key"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(key.len() >= 32);
    for (person, key) in [(staying, key.as_str()), (leaving, ""), (leaving, "guess")] {
        let key = key.to_owned();
        assert_eq!(play.order(Order::Leave { person, key }), Reply::Taken);
        assert!(play.person(staying).fields.contains_key("letters"));
        assert!(play.person(leaving).fields.contains_key("letters"));
    }
    let leaves = Order::Leave {
        person: leaving,
        key: key.clone(),
    };
    assert_eq!(play.order(leaves.clone()), Reply::Taken);
    assert!(!play.person(leaving).fields.contains_key("letters"));
    assert_eq!(play.order(leaves), Reply::Taken, "the answer is the same");
    // Who comes back has another key.
    play.subscribes("eva@example.org");
    let new = play.person(leaving).fields["letters"]["lettre"]["key"].clone();
    assert_ne!(new, json!(key));
    assert_eq!(play.subscribes("eva@example.org"), leaving);
    assert_eq!(play.person(leaving).fields["letters"]["lettre"]["key"], new);
    // Leaving between the preparation and the sending counts.
    play.until(HOUR);
    let key = new.as_str().unwrap().to_owned();
    play.order(Order::Leave {
        person: leaving,
        key,
    });
    play.until(LEFT);
    assert_eq!(
        play.to(),
        ["lou@example.org", "r0@example.org", "r1@example.org"]
    );
}

#[test]
fn an_address_without_a_reader_is_let_go_and_nothing_is_set_aside() {
    let mut play = Play::with(2);
    let gone = Failure::new(
        Blame::Data,
        NO_SUCH_ADDRESS,
        Words::same("550"),
        Words::same("x"),
    );
    play.ends
        .insert("r0@example.org".into(), Outcome::Failed(gone));
    play.until(LEFT);
    assert!(play.engine.state().sinks[&list()].dead.is_empty());
    play.ends.clear();
    // And so is one whose mail came back later.
    let bounce = Change {
        sender: "lettre".into(),
        id: "1".into(),
        kind: EntityKind::Person,
        verb: Verb::Updated,
        subject: "x".into(),
        fields: [("email".to_owned(), json!("R1@example.org"))].into(),
        correlation: None,
        causation: None,
        hops: 0,
        trace: None,
    };
    let heard = Input::Heard {
        connector: list(),
        changes: vec![bounce],
    };
    play.take(vec![heard]);
    play.subscribes("r2@example.org");
    play.sent.clear();
    play.sheet(&["Bal", "Marché"]);
    play.until("2027-01-11T09:00:00Z");
    assert_eq!(play.to(), ["r2@example.org"]);
    // Who subscribes anew is read again.
    let again = play.subscribes("r0@example.org");
    assert!(
        play.person(again).fields["letters"]["lettre"]
            .get("bounced")
            .is_none()
    );
}

#[test]
fn a_letter_to_a_list_of_somebody_else_is_one_effect() {
    let mut play = Play::new(Readers::Theirs);
    play.until(LEFT);
    assert_eq!(play.sent.len(), 1);
    assert!(play.engine.state().issues.is_empty());
    let who = Box::new(Who {
        email: "a@example.org".into(),
        ..Who::default()
    });
    assert!(matches!(
        play.order(Order::Subscribe { who, list: list() }),
        Reply::Cannot(_)
    ));
}

#[test]
fn a_letter_prepared_late_has_its_whole_grace_and_none_leaves_a_day_later() {
    let mut play = Play::with(2);
    // Nothing runs from before its hour on, for two hours.
    play.now = "2027-01-04T10:00:00Z".parse().unwrap();
    play.take(vec![Input::Tick]);
    assert!(play.notice("letter").is_some());
    play.until("2027-01-04T10:29:00Z");
    assert!(play.sent.is_empty());
    play.until("2027-01-04T10:31:00Z");
    assert_eq!(play.sent.len(), 2);
    let mut play = Play::with(2);
    play.now = "2027-01-06T10:00:00Z".parse().unwrap();
    play.take(vec![Input::Tick]);
    play.until("2027-01-06T12:00:00Z");
    assert!(play.sent.is_empty() && play.notice("letter").is_none());
}

#[test]
fn a_week_in_which_nothing_takes_place_has_no_letter() {
    let mut play = Play::with(2);
    play.sheet(&["Bal"]);
    play.until("2027-01-10T09:00:00Z");
    play.sent.clear();
    play.until("2027-01-11T20:00:00Z");
    assert!(play.sent.is_empty() && play.engine.state().issues.is_empty());
}
