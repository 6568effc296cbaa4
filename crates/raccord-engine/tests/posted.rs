//! What other programs post: taken as a whole, or refused with the place of each fault.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use jiff::Timestamp;
use raccord_engine::{Engine, Input, Reply};
use raccord_model::{
    Change, ConnectorName, Context, EntityKind, Event, Guards, Lang, Place, Render, Rendered,
    Rules, Subject, Verb,
};
use serde_json::{Value, json};

struct Nothing;

impl Render for Nothing {
    fn render(&self, _: &ConnectorName, _: Subject<'_>, _: &Context<'_>) -> Rendered {
        Rendered::Nothing
    }
}

struct World {
    engine: Engine,
    posted: u32,
}

impl World {
    fn new() -> Self {
        let rules = Rules {
            place: Place {
                id: "lieu".parse().unwrap(),
                name: "Le lieu".into(),
                zone: "Europe/Paris".into(),
                lang: Lang::Fr,
                public_url: String::new(),
            },
            sources: BTreeMap::new(),
            sinks: BTreeMap::new(),
            recipes: Vec::new(),
            routes: Vec::new(),
            guards: Guards::default(),
        };
        let mut world = Self {
            engine: Engine::new(),
            posted: 0,
        };
        world.input(Input::Configure(Box::new(rules)));
        world
    }

    fn input(&mut self, input: Input) -> (Reply, Vec<Event>) {
        let now: Timestamp = "2027-01-02T08:00:00Z".parse().unwrap();
        let mut step = self.engine.step(vec![input], now, [7; 16], &Nothing);
        (step.replies.remove(0), step.events)
    }

    fn post(&mut self, all: &[(&str, Value)]) -> (Reply, Vec<Event>) {
        let changes = all.iter().map(|(subject, data)| {
            self.posted += 1;
            Change {
                sender: "/agenda".into(),
                id: self.posted.to_string(),
                kind: EntityKind::Activity,
                verb: Verb::Updated,
                subject: (*subject).to_owned(),
                fields: serde_json::from_value(data.clone()).unwrap(),
                correlation: None,
                causation: None,
                hops: 0,
                trace: None,
            }
        });
        let changes = changes.collect();
        self.input(Input::Posted(changes))
    }

    /// Where what is posted is refused.
    fn refused(&mut self, all: &[(&str, Value)]) -> Vec<(usize, String)> {
        let (reply, events) = self.post(all);
        assert_eq!(events.len(), 0);
        match reply {
            Reply::Refused(refusals) => refusals
                .into_iter()
                .map(|refusal| (refusal.index, refusal.pointer))
                .collect(),
            other => panic!("{other:?}"),
        }
    }
}

fn at(pointer: &str) -> Vec<(usize, String)> {
    vec![(0, pointer.to_owned())]
}

#[test]
fn moments_that_do_not_fit_together_are_refused_where_they_stand() {
    let mut world = World::new();
    for (moments, pointer) in [
        (
            json!({"start": "2027-01-10T10:00", "end": "2027-01-09T10:00"}),
            "/data/end",
        ),
        (
            json!({"start": "2027-01-10", "end": "2027-01-11T10:00"}),
            "/data/end",
        ),
        (
            json!({"start": "2027-01-10T10:00", "end": "2027-01-11"}),
            "/data/end",
        ),
        (
            json!({"start": "2027-01-10T10:00", "all_day": true}),
            "/data/start",
        ),
        (
            json!({"start": "2027-01-10T10:00", "zone": "Mars/X"}),
            "/data/zone",
        ),
    ] {
        let mut data = moments.clone();
        data["title"] = json!("Bal");
        assert_eq!(world.refused(&[("new", data)]), at(pointer), "{moments}");
    }
}

#[test]
fn a_change_must_fit_what_is_known_already() {
    let mut world = World::new();
    let whole = json!({"title": "Bal", "start": "2027-01-10T10:00", "end": "2027-01-10T12:00"});
    assert_eq!(world.post(&[("bal", whole)]).0, Reply::Taken);
    let late = json!({"start": "2027-01-11T10:00"});
    assert_eq!(world.refused(&[("bal", late.clone())]), at("/data/start"));
    assert_eq!(
        world.refused(&[("bal", json!({"all_day": true}))]),
        at("/data/all_day")
    );
    // Also where both come in one batch.
    let sooner = json!({"end": "2027-01-10T11:00"});
    assert_eq!(
        world.refused(&[("bal", sooner.clone()), ("bal", late)]),
        [(1, "/data/start".to_owned())]
    );
    let (reply, events) = world.post(&[
        ("bal", json!({"end": "2027-01-11T12:00"})),
        ("bal", json!({"start": "2027-01-11T10:00"})),
    ]);
    assert_eq!((reply, events.len()), (Reply::Taken, 2));
    // What says nothing of when is not asked about it.
    assert_eq!(
        world.post(&[("bal", json!({"room": "Halle"}))]).0,
        Reply::Taken
    );
}

#[test]
fn null_takes_a_field_back_but_not_what_an_activity_needs() {
    let mut world = World::new();
    let whole = json!({
        "title": "Bal", "start": "2027-01-10T10:00", "end": "2027-01-10T12:00", "room": "Halle",
        "zone": "Indian/Reunion", "capacity": 3,
    });
    assert_eq!(world.post(&[("bal", whole)]).0, Reply::Taken);
    let emptied = json!({"room": null, "end": null, "zone": null, "capacity": null});
    let (reply, events) = world.post(&[("bal", emptied.clone())]);
    assert_eq!(reply, Reply::Taken);
    assert_eq!(
        json!(events[0].data),
        json!({"title": "Bal", "start": "2027-01-10T10:00", "zone": "Europe/Paris"})
    );
    assert_eq!(events[0].changed, ["/capacity", "/end", "/room", "/zone"]);
    // Once more changes nothing.
    let (reply, events) = world.post(&[("bal", emptied)]);
    assert_eq!((reply, events.len()), (Reply::Taken, 0));
    for name in ["title", "start"] {
        let pointer = format!("/data/{name}");
        assert_eq!(
            world.refused(&[("bal", json!({ name: null }))]),
            at(&pointer)
        );
    }
    assert_eq!(
        world.refused(&[("new", json!({"title": "Fête", "start": null}))]),
        at("/data/start")
    );
}

#[test]
fn a_date_is_chosen_later_or_taken_back_and_never_both() {
    let mut world = World::new();
    let post = |world: &mut World, data: Value| {
        let (reply, events) = world.post(&[("bal", data)]);
        assert_eq!(reply, Reply::Taken);
        events.last().unwrap().data.clone()
    };
    let data = post(&mut world, json!({ "title": "Bal", "undated": true }));
    assert_eq!((data.get("start"), &data["undated"]), (None, &json!(true)));
    for said in [json!(false), Value::Null] {
        let refused = world.refused(&[("bal", json!({ "undated": said }))]);
        assert_eq!(refused, [(0, "/data/undated".to_owned())]);
    }
    let data = post(&mut world, json!({ "start": "2027-01-16T20:00" }));
    assert_eq!(data.get("undated"), None);
    assert_eq!(data["zone"], json!("Europe/Paris"));
    let data = post(&mut world, json!({ "undated": true, "start": null }));
    assert_eq!((data.get("start"), data.get("zone")), (None, None));
    let refused = world.refused(&[("fête", json!({ "title": "Fête", "undated": false }))]);
    assert_eq!(refused, [(0, "/data/start".to_owned())]);
}
