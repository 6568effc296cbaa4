//! What a tool shows of tasks beside their activities is kept up to date.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use raccord_engine::{Engine, Input, Order, Reply, SignUp, Who};
use raccord_model::{
    Applied, Class, ConnectorName, Context, Desired, Digest, EntityId, EntityKind, Fields, Guards,
    Handling, Lang, Line, Mode, Observation, Outcome, Payload, Place, Policy, Reading, Render,
    Rendered, Rules, SinkRule, SourceRule, Subject, Tab, Words,
};
use serde_json::{Value, json};

/// A calendar whose entries say which tasks there are, and how many people are on each.
struct Calendar;

impl Render for Calendar {
    fn render(&self, _: &ConnectorName, subject: Subject<'_>, _: &Context<'_>) -> Rendered {
        let Subject::Entity {
            entity,
            parent,
            tasks,
        } = subject
        else {
            return Rendered::Nothing;
        };
        let title = entity.text("title").to_owned();
        let hands = tasks.iter();
        let hands = hands.map(|one| format!("{} {}", one.task.text("title"), one.taken));
        let start = parent.unwrap_or(entity).text("start").to_owned();
        let all: Vec<String> = [start].into_iter().chain(hands).collect();
        let text = all.join(", ");
        Rendered::Object(Desired {
            hash: Digest::of(text.as_bytes()),
            body: json!(text),
            title,
            text: Words::same(text),
            outdated: None,
        })
    }
}

fn rules() -> Rules {
    let handling = |entity| Handling {
        entity,
        mode: Mode::Mirror,
        class: Class::Address,
        settle_s: 0,
        grace_s: 0,
        policy: Policy::NeverLost,
        read_back: false,
    };
    let calendar = SinkRule {
        around: false,
        approvers: BTreeSet::new(),
        kind: "calendar".into(),
        version: String::new(),
        handles: vec![handling(EntityKind::Activity), handling(EntityKind::Task)],
        parallel: 4,
        per_second: 0,
        settings: Digest::default(),
        target: Digest::default(),
        credentials: Digest::default(),
    };
    let sheet = SourceRule {
        kind: "spreadsheet".into(),
        version: String::new(),
        every_s: 0,
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
        sources: [("sheet".parse().unwrap(), sheet)].into(),
        sinks: [("calendar".parse().unwrap(), calendar)].into(),
        recipes: Vec::new(),
        routes: Vec::new(),
        guards: Guards {
            second_look_s: 0,
            ..Guards::default()
        },
    }
}

struct World {
    engine: Engine,
    now: Timestamp,
    /// What the calendar shows, by title.
    shown: BTreeMap<String, String>,
    written: usize,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            engine: Engine::new(),
            now: "2027-01-02T08:00:00Z".parse().unwrap(),
            shown: BTreeMap::new(),
            written: 0,
        };
        world.play(Input::Configure(Box::new(rules())));
        world
    }

    fn play(&mut self, input: Input) -> Reply {
        let mut inputs = vec![input];
        let mut first = None;
        while !inputs.is_empty() {
            self.now += SignedDuration::from_secs(1);
            let seed = Digest::of(self.now.to_string().as_bytes()).0;
            let step = self.engine.step(inputs, self.now, seed, &Calendar);
            inputs = Vec::new();
            first = first.or(step.replies.into_iter().next());
            for work in step.work {
                for item in work.items {
                    let Payload::Write {
                        desired, entity, ..
                    } = item.payload
                    else {
                        continue;
                    };
                    self.written += 1;
                    let text = desired.body.as_str().unwrap().to_owned();
                    self.shown.insert(desired.title, text);
                    inputs.push(Input::Outcome {
                        connector: work.connector.clone(),
                        family: work.family,
                        delivery: item.delivery,
                        outcome: Outcome::Done(Applied {
                            external: entity.to_string(),
                            tag: None,
                            url: None,
                        }),
                    });
                }
            }
        }
        first.unwrap()
    }

    fn sheet(&mut self, activities: &[Value], tasks: &[Value]) {
        let of = |kind, tab| {
            move |(row, fields): (u32, &Value)| {
                let fields: Fields = serde_json::from_value(fields.clone()).unwrap();
                Line::new(kind, tab, row, &fields)
            }
        };
        let lines = (2..).zip(activities).map(of(EntityKind::Activity, 0));
        let lines = lines.chain((2..).zip(tasks).map(of(EntityKind::Task, 1)));
        let reading = Reading {
            digest: Digest::of(format!("{activities:?}{tasks:?}").as_bytes()),
            tabs: vec![Tab::default(), Tab::default()],
            lines: lines.collect(),
            ..Reading::default()
        };
        self.play(Input::Observed {
            source: "sheet".parse().unwrap(),
            seen: Ok(Observation::Complete(reading)),
        });
    }

    fn titled(&self, title: &str) -> EntityId {
        let mut all = self.engine.state().entities.iter();
        *all.find(|(_, record)| record.title().as_deref() == Some(title))
            .unwrap()
            .0
    }

    fn sign_up(&mut self, task: &str, who: &str, places: u32) -> EntityId {
        let subject = self.titled(task);
        let who = Who {
            email: format!("{who}@example.org"),
            ..Who::default()
        };
        let order = Order::SignUp(Box::new(SignUp {
            subject,
            who,
            places,
            comment: String::new(),
        }));
        match self.play(Input::Order(order)) {
            Reply::SignedUp { registration, .. } => registration,
            other => panic!("{other:?}"),
        }
    }
}

fn activity(title: &str, start: &str) -> Value {
    json!({ "title": title, "start": start })
}

#[test]
fn an_entry_follows_the_tasks_of_its_activity_and_a_task_follows_its_activity() {
    let mut world = World::new();
    let (jazz, bal) = (
        activity("Jazz", "2027-01-10T20:00"),
        activity("Bal", "2027-01-11T20:00"),
    );
    let bar = json!({ "title": "Bar", "of": "Jazz", "capacity": 3, "priority": 2 });
    let door = json!({ "title": "Porte", "of": "Jazz", "priority": 1 });
    world.sheet(&[jazz.clone(), bal.clone()], &[]);
    assert_eq!(world.shown["Jazz"], "2027-01-10T20:00");
    world.sheet(&[jazz.clone(), bal.clone()], &[bar.clone(), door.clone()]);
    assert_eq!(world.shown["Jazz"], "2027-01-10T20:00, Porte 0, Bar 0");
    assert_eq!(world.shown["Bar"], "2027-01-10T20:00, Bar 0");

    // Who signs up is counted, with whom they bring; what stays is not written again.
    world.written = 0;
    let zoe = world.sign_up("Bar", "zoe", 2);
    assert_eq!(world.shown["Jazz"], "2027-01-10T20:00, Porte 0, Bar 2");
    assert_eq!(world.shown["Bar"], "2027-01-10T20:00, Bar 2");
    assert_eq!(world.written, 2);
    world.play(Input::Order(Order::SignOff(zoe)));
    assert_eq!(world.shown["Jazz"], "2027-01-10T20:00, Porte 0, Bar 0");

    // The activity moves, and its tasks with it.
    let later = activity("Jazz", "2027-01-10T21:00");
    world.sheet(&[later.clone(), bal.clone()], &[bar, door.clone()]);
    assert_eq!(world.shown["Bar"], "2027-01-10T21:00, Bar 0");

    // A task that goes to another activity leaves the first.
    let moved = json!({ "title": "Bar", "of": "Bal", "capacity": 3, "priority": 2 });
    world.sheet(&[later.clone(), bal.clone()], &[moved, door.clone()]);
    assert_eq!(world.shown["Jazz"], "2027-01-10T21:00, Porte 0");
    assert_eq!(world.shown["Bal"], "2027-01-11T20:00, Bar 0");

    // One that is gone is not told any more, and after a restart nothing is written.
    world.sheet(&[later.clone(), bal.clone()], std::slice::from_ref(&door));
    assert_eq!(world.shown["Bal"], "2027-01-11T20:00");
    world.written = 0;
    world.engine.start();
    world.sheet(&[later, bal], &[door]);
    world.play(Input::Tick);
    assert_eq!(world.written, 0);
}

#[test]
fn a_tool_that_takes_tasks_from_now_on_gets_those_that_were_there() {
    let mut world = World::new();
    let mut without = rules();
    let calendar = without.sinks.values_mut().next().unwrap();
    calendar.handles.truncate(1);
    world.play(Input::Configure(Box::new(without)));
    let door = json!({ "title": "Porte", "of": "Jazz" });
    let old = json!({ "title": "Affiches", "due": "2026-12-01" });
    let done = json!({ "title": "Sono", "of": "Jazz", "state": "done" });
    world.sheet(&[activity("Jazz", "2027-01-10T20:00")], &[door, old, done]);
    assert!(!world.shown.contains_key("Porte"));
    world.play(Input::Configure(Box::new(rules())));
    assert_eq!(world.shown["Porte"], "2027-01-10T20:00, Porte 0");
    assert!(!world.shown.contains_key("Affiches"), "it is over");
    assert!(!world.shown.contains_key("Sono"), "it is done");
}
