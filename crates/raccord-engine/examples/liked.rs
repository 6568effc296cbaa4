//! What a change costs where many people want to hear, once a week, of hands missing in what they like.
//!
//! `cargo run --release -p raccord-engine --example liked`

#![allow(clippy::unwrap_used, reason = "an example that measures")]
#![expect(clippy::print_stdout, reason = "an example that prints its figures")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use raccord_engine::{Choice, Engine, Input, Order, Telling, Who};
use raccord_model::{
    Change, Class, ConnectorName, Context, Digest, EntityKind, Guards, Handling, Lang, Mode, Place,
    Policy, Render, Rendered, Roundup, RoundupOf, Route, Rules, SinkRule, Subject, Verb, Way, When,
};
use serde_json::json;

/// How many people there are.
const PEOPLE: usize = 2_000;
/// How many changes come.
const CHANGES: usize = 500;

/// Says nothing: what is measured is who is looked at.
struct Silence;

impl Render for Silence {
    fn render(&self, _: &ConnectorName, _: Subject<'_>, _: &Context<'_>) -> Rendered {
        Rendered::Nothing
    }
}

fn rules(weekly: bool) -> Rules {
    let mails = SinkRule {
        kind: "mail".into(),
        version: String::new(),
        handles: vec![Handling {
            entity: EntityKind::Person,
            mode: Mode::Tell(Way::Mail),
            class: Class::Blind,
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
        approvers: [].into(),
    };
    let route = Route {
        to: "mail".parse().unwrap(),
        when: When::default(),
        channel: None,
        calendar: None,
        list: None,
        roundup: Some(Roundup {
            of: RoundupOf::Liked,
            at: vec!["thursday 18:00".parse().unwrap()],
        }),
        signup: None,
        template: None,
        lang: None,
        grace_s: None,
        policy: None,
        authority: None,
        fields: BTreeMap::new(),
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
        sinks: [("mail".parse().unwrap(), mails)].into(),
        recipes: Vec::new(),
        routes: Vec::from_iter(weekly.then_some(route)),
        guards: Guards::default(),
    }
}

/// A change to one of forty activities.
fn change(number: usize) -> Input {
    let fields = json!({ "title": format!("Bal {}", number % 40), "start": format!("2027-02-01T{:02}:30", number % 24) });
    Input::Posted(vec![Change {
        sender: "/agenda".into(),
        id: number.to_string(),
        kind: EntityKind::Activity,
        verb: Verb::Updated,
        subject: format!("bal-{}", number % 40),
        fields: serde_json::from_value(fields).unwrap(),
        correlation: None,
        causation: None,
        hops: 0,
        trace: None,
    }])
}

/// How long a change takes in the middle and at worst, `hours` before the hour of the week.
fn measured(weekly: bool, hours: i64) -> (Duration, Duration) {
    // Thursday, 21 January 2027, 18:00 at the place.
    let hour: Timestamp = "2027-01-21T17:00:00Z".parse().unwrap();
    let mut now = hour - SignedDuration::from_hours(hours);
    let mut engine = Engine::new();
    let mut seed = 0_u128;
    let mut take = |input: Input, now: Timestamp| {
        seed += 1;
        let step = engine.step(vec![input], now, seed.to_be_bytes(), &Silence);
        drop(step);
    };
    take(Input::Configure(Box::new(rules(weekly))), now);
    for number in 0..PEOPLE {
        let choice = Choice {
            who: Who {
                email: format!("personne{number}@example.org"),
                ..Who::default()
            },
            told: Some(Telling::By(Way::Mail)),
            likes: Some(vec!["bar".into(), "cuisine".into()]),
            phone: None,
        };
        take(Input::Order(Order::Choose(Box::new(choice))), now);
    }
    let mut took = Vec::new();
    for number in 0..CHANGES {
        now += SignedDuration::from_millis(100);
        let began = Instant::now();
        take(change(number), now);
        took.push(began.elapsed());
    }
    took.sort_unstable();
    (took[CHANGES / 2], took[CHANGES - 1])
}

fn main() {
    println!("{PEOPLE} people, {CHANGES} changes: in the middle, at worst");
    for (what, weekly, hours) in [
        ("no such route", false, 72),
        ("three days before its hour", true, 72),
        ("an hour before it", true, 1),
    ] {
        let (middle, worst) = measured(weekly, hours);
        println!("  {what}: {middle:.1?}, {worst:.1?}");
    }
}
