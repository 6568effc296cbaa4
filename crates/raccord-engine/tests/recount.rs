//! What a change feed could not tell is known from what still stands.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use jiff::Timestamp;
use raccord_engine::{Engine, Input};
use raccord_model::{
    Change, ConnectorName, Context, EntityKind, Event, Guards, Lang, Observation, Place, Render,
    Rendered, Rules, SourceRule, Standing, Subject, Verb,
};
use serde_json::json;

struct Nothing;

impl Render for Nothing {
    fn render(&self, _: &ConnectorName, _: Subject<'_>, _: &Context<'_>) -> Rendered {
        Rendered::Nothing
    }
}

struct World(Engine);

impl World {
    /// A place that listens to two chats.
    fn new() -> Self {
        let source = || SourceRule {
            kind: "mattermost".into(),
            version: String::new(),
            every_s: 0,
            foreign: false,
            counts: false,
        };
        let mut world = Self(Engine::new());
        world.input(Input::Configure(Box::new(Rules {
            place: Place {
                id: "lieu".parse().unwrap(),
                name: "Le lieu".into(),
                zone: "Europe/Paris".into(),
                lang: Lang::Fr,
                public_url: String::new(),
            },
            sources: [
                ("chat".parse().unwrap(), source()),
                ("autre".parse().unwrap(), source()),
            ]
            .into(),
            sinks: BTreeMap::new(),
            recipes: Vec::new(),
            routes: Vec::new(),
            guards: Guards::default(),
        })));
        world
    }

    fn input(&mut self, input: Input) -> Vec<Event> {
        let now: Timestamp = "2027-01-02T08:00:00Z".parse().unwrap();
        self.0.step(vec![input], now, [7; 16], &Nothing).events
    }

    fn sees(&mut self, source: &str, seen: Observation) -> Vec<Event> {
        self.input(Input::Observed {
            source: source.parse().unwrap(),
            seen: Ok(seen),
        })
    }

    fn hears(&mut self, source: &str, room: &str, id: &str, sent: &str) {
        let seen = Observation::Changes {
            changes: vec![said(room, id, sent)],
            cursor: None,
        };
        assert_eq!(self.sees(source, seen).len(), 1);
    }
}

fn said(room: &str, id: &str, sent: &str) -> Change {
    let fields = json!({ "channel": room, "author": "anna", "text": "bonjour", "sent": sent });
    Change {
        sender: String::new(),
        id: format!("{room} {id}"),
        kind: EntityKind::Message,
        verb: Verb::Created,
        subject: format!("{room} {id}"),
        fields: serde_json::from_value(fields).unwrap(),
        correlation: None,
        causation: None,
        hops: 0,
        trace: None,
    }
}

#[test]
fn what_was_heard_and_does_not_stand_any_more_is_gone_once() {
    let mut world = World::new();
    for (source, room, id, sent) in [
        ("chat", "salon", "tôt", "2027-01-01T07:59:59Z"),
        ("chat", "salon", "debout", "2027-01-01T08:00:00Z"),
        ("chat", "salon", "effacé", "2027-01-01T09:00:00Z"),
        ("chat", "salon", "su", "2027-01-01T09:30:00Z"),
        ("chat", "salon", "tard", "2027-01-01T12:00:01Z"),
        ("chat", "cuisine", "ailleurs", "2027-01-01T09:00:00Z"),
        ("autre", "salon", "d'autres", "2027-01-01T09:00:00Z"),
    ] {
        world.hears(source, room, id, sent);
    }
    let known = Change {
        id: "salon su, effacé".into(),
        verb: Verb::Removed,
        fields: raccord_model::Fields::new(),
        ..said("salon", "su", "")
    };
    let seen = Observation::Changes {
        changes: vec![known],
        cursor: None,
    };
    assert_eq!(world.sees("chat", seen).len(), 1, "that went is told");
    let recount = || Observation::Recount {
        changes: vec![said("salon", "nouveau", "2027-01-01T11:00:00Z")],
        cursor: Some("c".into()),
        standing: vec![Standing {
            channel: "salon".into(),
            from: "2027-01-01T08:00:00Z".parse().unwrap(),
            until: "2027-01-01T12:00:00Z".parse().unwrap(),
            subjects: ["salon debout".to_owned(), "salon nouveau".to_owned()].into(),
        }],
    };
    let events = world.sees("chat", recount());
    let told: Vec<Verb> = events.iter().map(|event| event.verb).collect();
    assert_eq!(told, [Verb::Created, Verb::Removed]);
    assert_eq!(events[1].data["sent"], "2027-01-01T09:00:00Z");
    assert!(world.sees("chat", recount()).is_empty(), "once");
    let late = Change {
        id: "salon effacé, effacé".into(),
        verb: Verb::Removed,
        fields: raccord_model::Fields::new(),
        ..said("salon", "effacé", "")
    };
    let late = Observation::Changes {
        changes: vec![late],
        cursor: None,
    };
    assert!(world.sees("chat", late).is_empty(), "that it went is known");
}
