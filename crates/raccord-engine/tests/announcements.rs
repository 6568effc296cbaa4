//! What people are told of a sheet that is read for the first time: nothing of what is over.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use jiff::civil::date;
use jiff::{Timestamp, ToSpan as _};
use raccord_engine::{Engine, Input};
use raccord_model::{
    Applied, Class, ConnectorName, Context, Desired, Digest, EntityKind, Guards, Handling, Lang,
    Line, Mode, Observation, Outcome, Payload, Place, Policy, Reading, Render, Rendered, Rules,
    SinkRule, SourceRule, Subject, Tab, Words,
};
use serde_json::json;

/// A chat that says each activity.
struct Chat;

impl Render for Chat {
    fn render(&self, _: &ConnectorName, subject: Subject<'_>, _: &Context<'_>) -> Rendered {
        let Subject::Entity { entity, .. } = subject else {
            return Rendered::Nothing;
        };
        let title = entity.text("title").to_owned();
        Rendered::Object(Desired {
            hash: Digest::of(title.as_bytes()),
            body: json!({ "title": title }),
            text: Words::same(title.clone()),
            title,
            outdated: None,
        })
    }
}

fn rules() -> Rules {
    let chat = SinkRule {
        kind: "chat".into(),
        version: String::new(),
        handles: vec![Handling {
            entity: EntityKind::Activity,
            mode: Mode::Announce,
            class: Class::Address,
            settle_s: 0,
            grace_s: 0,
            policy: Policy::NeverTwice,
            read_back: false,
        }],
        parallel: 1,
        per_second: 0,
        settings: Digest::default(),
        target: Digest::default(),
        credentials: Digest::default(),
        around: false,
        approvers: std::collections::BTreeSet::new(),
    };
    let sheet = SourceRule {
        kind: "spreadsheet".into(),
        version: String::new(),
        every_s: 30,
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
        sinks: [("chat".parse().unwrap(), chat)].into(),
        recipes: Vec::new(),
        routes: Vec::new(),
        guards: Guards::default(),
    }
}

/// A hundred days before 2 January 2027 and a hundred after it, an activity each.
fn sheet() -> Reading {
    let first = date(2027, 1, 2).checked_sub(100.days()).unwrap();
    let line = |number: i32| {
        let day = first.checked_add((number - 1).days()).unwrap();
        let fields = serde_json::from_value(
            json!({ "title": format!("Bal du {day}"), "start": format!("{day}T20:30") }),
        );
        let row = u32::try_from(number).unwrap();
        Line::new(EntityKind::Activity, 0, row, &fields.unwrap())
    };
    Reading {
        digest: Digest::of(b"sheet"),
        tabs: vec![Tab {
            name: "Programme".into(),
            columns: BTreeMap::new(),
        }],
        lines: (1..=200).map(line).collect(),
        ..Reading::default()
    }
}

/// Reads the sheet, and does all that comes of it; what was said aloud, and how often.
fn read(engine: &mut Engine, now: Timestamp) -> BTreeMap<String, usize> {
    let mut said = BTreeMap::new();
    let mut inputs = vec![
        Input::Configure(Box::new(rules())),
        Input::Observed {
            source: "sheet".parse().unwrap(),
            seen: Ok(Observation::Complete(sheet())),
        },
    ];
    loop {
        let step = engine.step(inputs, now, [7; 16], &Chat);
        inputs = Vec::new();
        for work in step.work {
            for item in work.items {
                let Payload::Write { desired, .. } = item.payload else {
                    panic!("{item:?}");
                };
                *said.entry(desired.title.clone()).or_default() += 1;
                inputs.push(Input::Outcome {
                    connector: work.connector.clone(),
                    family: work.family,
                    delivery: item.delivery,
                    outcome: Outcome::Done(Applied {
                        external: desired.title,
                        tag: None,
                        url: None,
                    }),
                });
            }
        }
        if inputs.is_empty() {
            return said;
        }
    }
}

#[test]
fn nobody_is_told_about_the_past_and_each_coming_activity_is_announced_once() {
    let mut engine = Engine::new();
    let now = "2027-01-02T08:00:00Z".parse().unwrap();
    let said = read(&mut engine, now);
    assert_eq!(said.len(), 100, "{said:?}");
    assert!(said.values().all(|times| *times == 1), "{said:?}");
    assert!(said.contains_key("Bal du 2027-01-02") && !said.contains_key("Bal du 2027-01-01"));
    // Read again, and again by the program that was started anew.
    assert!(read(&mut engine, now).is_empty());
    let mut again = Engine::from_snapshot(&engine.snapshot()).unwrap();
    assert!(read(&mut again, now).is_empty());
}
