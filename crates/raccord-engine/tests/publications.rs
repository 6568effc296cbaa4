//! What a publication is made of: its activities, and the hands that each needs.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::cell::RefCell;
use std::collections::BTreeMap;

use raccord_engine::{Engine, Input};
use raccord_model::{
    Change, Class, ConnectorName, Context, Digest, EntityKind, Guards, Handling, Lang, Mode,
    Observation, Period, Place, Policy, Reading, Recipe, Render, Rendered, Rules, SinkRule,
    SourceRule, Subject, TaskTemplate, Verb, When,
};
use serde_json::json;

/// Remembers what the month was last made of.
#[derive(Default)]
struct Page(RefCell<Vec<(EntityKind, String)>>);

impl Render for Page {
    fn render(&self, _: &ConnectorName, subject: Subject<'_>, _: &Context<'_>) -> Rendered {
        if let Subject::Publication { members, .. } = subject {
            let told =
                |member: &raccord_model::Entity| (member.kind, member.text("title").to_owned());
            *self.0.borrow_mut() = members.iter().map(told).collect();
        }
        Rendered::Nothing
    }
}

fn rules(tasks: &[&str]) -> Rules {
    let paper = SinkRule {
        kind: "programme".into(),
        version: String::new(),
        handles: vec![Handling {
            entity: EntityKind::Activity,
            mode: Mode::Publication(Period::Month),
            class: Class::Address,
            settle_s: 0,
            grace_s: 0,
            policy: Policy::NeverLost,
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
    let recipe = Recipe {
        when: When {
            entity: vec![EntityKind::Activity],
            fields: BTreeMap::new(),
        },
        tasks: tasks
            .iter()
            .map(|title| TaskTemplate {
                title: (*title).to_owned(),
                ..TaskTemplate::default()
            })
            .collect(),
    };
    Rules {
        place: Place {
            id: "lieu".parse().unwrap(),
            name: "Le lieu".into(),
            zone: "Europe/Paris".into(),
            lang: Lang::Fr,
            public_url: String::new(),
        },
        sources: BTreeMap::new(),
        sinks: [("paper".parse().unwrap(), paper)].into(),
        recipes: vec![recipe],
        routes: Vec::new(),
        guards: Guards::default(),
    }
}

fn concert() -> Change {
    Change {
        sender: "/agenda".into(),
        id: "1".into(),
        kind: EntityKind::Activity,
        verb: Verb::Created,
        subject: "concert".into(),
        fields: serde_json::from_value(json!({"title": "Concert", "start": "2027-01-09T20:30"}))
            .unwrap(),
        correlation: None,
        causation: None,
        trace: None,
        hops: 0,
    }
}

/// Paper shows where a hand is needed, and no longer once the recipe asks for none.
#[test]
fn a_month_comes_with_the_tasks_of_its_activities() {
    let (mut engine, page) = (Engine::new(), Page::default());
    let mut step = |inputs| {
        let now = "2027-01-02T08:00:00Z".parse().unwrap();
        engine.step(inputs, now, [7; 16], &page);
        page.0.borrow().clone()
    };
    let configure = |tasks| Input::Configure(Box::new(rules(tasks)));
    let activity = (EntityKind::Activity, "Concert".to_owned());
    let task = |title: &str| (EntityKind::Task, title.to_owned());

    let made_of = step(vec![configure(&["Bar"]), Input::Posted(vec![concert()])]);
    assert_eq!(made_of, [activity.clone(), task("Bar")]);
    let made_of = step(vec![configure(&["Accueil"])]);
    assert_eq!(made_of, [activity.clone(), task("Accueil")]);
    assert_eq!(step(vec![configure(&[])]), [activity]);
}

/// A calendar that is empty brings nothing that would call for the month, and the month has waited for
/// it.
#[test]
fn a_month_that_waits_for_a_source_comes_with_its_reading_although_that_is_empty() {
    let (mut engine, page) = (Engine::new(), Page::default());
    let mut step = |inputs| {
        let now = "2027-01-02T08:00:00Z".parse().unwrap();
        engine.step(inputs, now, [7; 16], &page);
        page.0.borrow().clone()
    };
    let mut rules = rules(&[]);
    let calendar: ConnectorName = "calendar".parse().unwrap();
    let source = SourceRule {
        kind: "calendar".into(),
        version: String::new(),
        every_s: 30,
        foreign: false,
        counts: false,
    };
    rules.sources.insert(calendar.clone(), source);
    let configure = Input::Configure(Box::new(rules));
    assert_eq!(step(vec![configure, Input::Posted(vec![concert()])]), []);
    let seen = Ok(Observation::Complete(Reading {
        digest: Digest::of(b"empty"),
        ..Reading::default()
    }));
    let source = calendar;
    let made_of = step(vec![Input::Observed { source, seen }]);
    assert_eq!(made_of, [(EntityKind::Activity, "Concert".to_owned())]);
}
