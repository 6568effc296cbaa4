//! Registered elsewhere: what a tool that counts its places says, and what it cannot do.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use raccord_engine::{
    Attested, Commitment, Engine, HoldKind, Input, Order, Reply, SignUp, Step, Who,
};
use raccord_model::{
    Applied, Blame, Change, Class, ConnectorName, Context, Desired, Digest, EntityId, EntityKind,
    Failure, Fields, Guards, Handling, HoldId, Lang, Mode, Observation, Outcome, Payload, Place,
    Policy, Render, Rendered, Rules, SinkRule, SourceRule, Subject, Verb, Words,
};
use serde_json::{Value, json};

/// Shows an activity by its title and start; nothing of what is cancelled.
struct Tickets;

impl Render for Tickets {
    fn render(&self, _: &ConnectorName, subject: Subject<'_>, _: &Context<'_>) -> Rendered {
        let Subject::Entity { entity, parent, .. } = subject else {
            return Rendered::Nothing;
        };
        if entity.text("status") == "cancelled" {
            return Rendered::Nothing;
        }
        let start = parent.unwrap_or(entity).text("start");
        let text = format!("{} {start}", entity.text("title"));
        Rendered::Object(Desired {
            hash: Digest::of(text.as_bytes()),
            body: json!(text),
            text: Words::same(text.clone()),
            title: text,
            outdated: None,
        })
    }
}

fn tool() -> ConnectorName {
    "billets".parse().unwrap()
}

fn rules() -> Rules {
    let handling = |entity| Handling {
        entity,
        mode: Mode::Mirror,
        class: Class::Find,
        settle_s: 0,
        grace_s: 0,
        policy: Policy::NeverTwice,
        read_back: false,
    };
    let sink = SinkRule {
        kind: "tickets".into(),
        version: String::new(),
        handles: vec![handling(EntityKind::Activity), handling(EntityKind::Task)],
        parallel: 1,
        per_second: 0,
        settings: Digest::default(),
        target: Digest::default(),
        credentials: Digest::default(),
        around: false,
        approvers: BTreeSet::new(),
    };
    let source = SourceRule {
        kind: "tickets".into(),
        version: String::new(),
        every_s: 60,
        foreign: false,
        counts: true,
    };
    Rules {
        place: Place {
            id: "lieu".parse().unwrap(),
            name: "Le lieu".into(),
            zone: "Europe/Paris".into(),
            lang: Lang::Fr,
            public_url: String::new(),
        },
        sources: [(tool(), source)].into(),
        sinks: [(tool(), sink)].into(),
        recipes: Vec::new(),
        routes: Vec::new(),
        guards: Guards::default(),
    }
}

struct World {
    engine: Engine,
    now: Timestamp,
    steps: u32,
    /// What the tool holds, by entity, and what was done to it.
    held: BTreeMap<EntityId, String>,
    done: Vec<String>,
    /// The tool cannot change activities: people are on them.
    stuck: bool,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            engine: Engine::new(),
            now: "2027-01-02T08:00:00Z".parse().unwrap(),
            steps: 0,
            held: BTreeMap::new(),
            done: Vec::new(),
            stuck: false,
        };
        world.input(Input::Configure(Box::new(rules())));
        world
    }

    fn input(&mut self, input: Input) -> Reply {
        self.now += SignedDuration::from_secs(1);
        let mut inputs = vec![input];
        let mut first = None;
        while !inputs.is_empty() {
            self.steps += 1;
            let seed = Digest::of(&self.steps.to_be_bytes()).0;
            let step = self.engine.step(inputs, self.now, seed, &Tickets);
            first = first.or_else(|| step.replies.first().cloned());
            inputs = self.work(step);
        }
        first.unwrap()
    }

    fn work(&mut self, step: Step) -> Vec<Input> {
        let mut outcomes = Vec::new();
        for work in step.work {
            for item in work.items {
                let outcome = self.make(item.payload);
                outcomes.push(Input::Outcome {
                    connector: work.connector.clone(),
                    family: work.family,
                    delivery: item.delivery,
                    outcome,
                });
            }
        }
        outcomes
    }

    fn make(&mut self, payload: Payload) -> Outcome {
        let (entity, text) = match payload {
            Payload::Write {
                entity, desired, ..
            } => (entity, Some(desired.title)),
            Payload::Remove { entity, .. } => (entity, None),
            other => panic!("{other:?}"),
        };
        let is_task = text.as_ref().is_some_and(|text| text.starts_with("Bar"));
        if self.stuck && !is_task && self.held.get(&entity) != text.as_ref() {
            return Outcome::Failed(Failure {
                asks: true,
                ..Failure::new(
                    Blame::Data,
                    "tickets.people",
                    Words::new("Des gens sont inscrits.", "People signed up."),
                    Words::new("Changez-le là-bas.", "Change it there."),
                )
            });
        }
        let Some(text) = text else {
            self.done.push("removed".to_owned());
            self.held.remove(&entity);
            return Outcome::Done(Applied::default());
        };
        self.done.push(text.clone());
        self.held.insert(entity, text);
        Outcome::Done(Applied {
            external: format!("t{}", self.done.len()),
            tag: None,
            url: Some(format!("https://billets.example.org/{}", self.done.len())),
        })
    }

    fn change(&mut self, kind: EntityKind, verb: Verb, subject: &str, data: Value) -> Change {
        self.steps += 1;
        Change {
            sender: "/agenda".into(),
            id: self.steps.to_string(),
            kind,
            verb,
            subject: subject.to_owned(),
            fields: serde_json::from_value(data).unwrap(),
            correlation: None,
            causation: None,
            hops: 0,
            trace: None,
        }
    }

    fn post(&mut self, kind: EntityKind, verb: Verb, subject: &str, data: Value) -> Reply {
        let change = self.change(kind, verb, subject, data);
        self.input(Input::Posted(vec![change]))
    }

    /// The tool says something of a sign-up.
    fn says(&mut self, verb: Verb, subject: &str, data: Value) {
        let change = self.change(EntityKind::Registration, verb, subject, data);
        let seen = Ok(Observation::Changes {
            changes: vec![change],
            cursor: None,
        });
        self.input(Input::Observed {
            source: tool(),
            seen,
        });
    }

    #[expect(clippy::needless_pass_by_value, reason = "written where it is called")]
    fn ball(&mut self, data: Value) -> EntityId {
        let mut all = json!({ "title": "Bal", "start": "2027-01-10T20:00", "capacity": 1 });
        for (name, value) in data.as_object().into_iter().flatten() {
            all[name] = value.clone();
        }
        let taken = self.post(EntityKind::Activity, Verb::Updated, "bal", all);
        assert_eq!(taken, Reply::Taken);
        let mut activities = self.engine.state().activities();
        activities.next().unwrap().0
    }

    fn sign_up(&mut self, subject: EntityId, who: &str) -> Reply {
        self.input(Input::Order(Order::SignUp(Box::new(SignUp {
            subject,
            who: Who {
                email: format!("{who}@example.org"),
                ..Who::default()
            },
            places: 1,
            comment: String::new(),
        }))))
    }

    fn fields(&self, entity: EntityId) -> Fields {
        self.engine.state().entities[&entity].fields()
    }

    /// How every sign-up stands, in the order of their turns.
    fn standings(&self) -> Vec<String> {
        let entities = self.engine.state().entities.values();
        let registrations = entities.filter(|one| one.kind == EntityKind::Registration);
        let mut all: Vec<Fields> = registrations.map(raccord_engine::Record::fields).collect();
        all.sort_by_key(|fields| fields["turn"].as_u64());
        all.iter()
            .map(|fields| fields["state"].as_str().unwrap().to_owned())
            .collect()
    }

    fn registration(&self) -> EntityId {
        let mut entities = self.engine.state().entities.iter();
        let found = entities.find(|(_, one)| one.kind == EntityKind::Registration);
        *found.unwrap().0
    }

    fn hold(&self) -> HoldId {
        let holds: Vec<_> = self.engine.state().holds.values().collect();
        assert_eq!(holds.len(), 1, "{holds:?}");
        assert!(matches!(holds[0].hold.what, HoldKind::Blocked { .. }));
        holds[0].hold.id
    }
}

fn who(activity: EntityId, name: &str, state: &str) -> Value {
    json!({ "activity": activity, "email": format!("{name}@example.org"), "state": state })
}

#[test]
fn the_word_of_the_tool_that_counts_is_a_fact_even_beyond_the_capacity() {
    let mut world = World::new();
    let ball = world.ball(json!({}));
    for name in ["anna", "bob", "chloe"] {
        world.says(Verb::Created, name, who(ball, name, "registered"));
    }
    assert_eq!(world.standings(), ["registered"; 3]);
    assert!(world.engine.state().holds.is_empty(), "nobody is asked");
    world.says(Verb::Updated, "anna", who(ball, "anna", "cancelled"));
    assert_eq!(world.standings(), ["cancelled", "registered", "registered"]);
    // Who was there, an organiser may say; that they have a place there takes nothing of it back.
    let bob = world.post(
        EntityKind::Registration,
        Verb::Attended,
        "door",
        who(ball, "bob", "attended"),
    );
    assert_eq!(bob, Reply::Taken);
    world.says(Verb::Updated, "bob", who(ball, "bob", "registered"));
    assert_eq!(world.standings(), ["cancelled", "attended", "registered"]);
}

#[test]
fn a_place_is_given_by_one_door_only() {
    let mut world = World::new();
    let ball = world.ball(json!({}));
    let Reply::Cannot(why) = world.sign_up(ball, "anna") else {
        panic!("it is taken elsewhere");
    };
    assert!(why.en.contains("https://billets.example.org/1"), "{why:?}");
    for (verb, state) in [(Verb::Created, "registered"), (Verb::Updated, "waitlisted")] {
        let posted = world.post(EntityKind::Registration, verb, "x", who(ball, "bob", state));
        let Reply::Refused(refusals) = posted else {
            panic!("{posted:?}");
        };
        assert_eq!(refusals[0].pointer, "/data/state");
    }
    assert!(world.standings().is_empty());
    // What the tool told is cancelled there, and nowhere else.
    world.says(Verb::Created, "anna", who(ball, "anna", "registered"));
    let anna = world.registration();
    assert!(matches!(
        world.input(Input::Order(Order::SignOff(anna))),
        Reply::Cannot(_)
    ));
    let came = Order::Attendance {
        registration: anna,
        came: Some(true),
        minutes: None,
        by: Attested::Organiser,
    };
    assert!(matches!(
        world.input(Input::Order(came)),
        Reply::SignedUp {
            standing: Commitment::Attended,
            ..
        }
    ));
    // Nobody speaks for the tool but the tool.
    let mut change = world.change(
        EntityKind::Registration,
        Verb::Created,
        "y",
        who(ball, "eve", "registered"),
    );
    change.sender = tool().to_string();
    assert!(matches!(
        world.input(Input::Posted(vec![change])),
        Reply::Refused(_)
    ));
}

#[test]
fn what_the_tool_does_not_hold_is_given_here_as_before() {
    let mut world = World::new();
    let ball = world.ball(json!({ "status": "cancelled" }));
    world.ball(json!({ "status": "confirmed" }));
    let route = rules();
    let none = Rules {
        sources: BTreeMap::new(),
        sinks: BTreeMap::new(),
        ..route
    };
    world.input(Input::Configure(Box::new(none)));
    assert_eq!(
        world.fields(ball).get("register"),
        None,
        "its page went with it"
    );
    for (name, expected) in [
        ("anna", Commitment::Registered),
        ("bob", Commitment::Waitlisted),
    ] {
        let Reply::SignedUp { standing, .. } = world.sign_up(ball, name) else {
            panic!("it is taken here");
        };
        assert_eq!(standing, expected);
    }
}

#[test]
fn who_signed_up_before_the_tool_took_over_is_told_and_can_still_sign_off() {
    let mut world = World::new();
    let mut here = rules();
    here.sources.clear();
    here.sinks.clear();
    world.input(Input::Configure(Box::new(here)));
    let ball = world.ball(json!({}));
    world.sign_up(ball, "anna");
    let anna = world.registration();
    world.input(Input::Configure(Box::new(rules())));
    assert_eq!(world.done.len(), 1);
    let entities = world.engine.state().entities.values();
    let told = entities.filter(|one| one.kind == EntityKind::Notice);
    let told: Vec<Fields> = told.map(raccord_engine::Record::fields).collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["code"], "signed-up-before");
    // Somebody else has her place there, and the list does not move here.
    world.says(Verb::Created, "bob", who(ball, "bob", "registered"));
    assert_eq!(world.standings(), ["registered", "registered"]);
    let off = world.input(Input::Order(Order::SignOff(anna)));
    assert!(matches!(off, Reply::SignedUp { .. }), "{off:?}");
    assert_eq!(world.standings(), ["cancelled", "registered"]);
    // Back through the other door: one sign-up, one person.
    world.says(Verb::Created, "anna", who(ball, "anna", "registered"));
    assert_eq!(world.standings(), ["registered", "registered"]);
    let off = world.input(Input::Order(Order::SignOff(anna)));
    assert!(matches!(off, Reply::Cannot(_)), "{off:?}");
}

#[test]
fn a_page_of_its_own_is_named_and_the_writer_still_gives_the_places_of_a_form() {
    let mut world = World::new();
    let mut here = rules();
    here.sources.clear();
    here.sinks.clear();
    world.input(Input::Configure(Box::new(here)));
    let form = "https://forms.example.org/bal";
    let ball = world.ball(json!({ "register": form }));
    let Reply::Cannot(why) = world.sign_up(ball, "anna") else {
        panic!("one signs up there");
    };
    assert!(why.fr.contains(form));
    for name in ["anna", "bob"] {
        let posted = world.post(
            EntityKind::Registration,
            Verb::Created,
            name,
            who(ball, name, "registered"),
        );
        assert_eq!(posted, Reply::Taken);
    }
    assert_eq!(world.standings(), ["registered", "waitlisted"]);
    let gone = json!({ "activity": ball });
    world.post(EntityKind::Registration, Verb::Cancelled, "anna", gone);
    assert_eq!(world.standings(), ["cancelled", "registered"]);
}

#[test]
fn the_page_of_the_tool_is_where_one_signs_up_as_long_as_it_is_there() {
    let mut world = World::new();
    let ball = world.ball(json!({}));
    assert_eq!(
        world.fields(ball)["register"],
        "https://billets.example.org/1"
    );
    world.ball(json!({ "start": "2027-01-11T20:00" }));
    assert_eq!(
        world.fields(ball)["register"],
        "https://billets.example.org/2"
    );
    world.ball(json!({ "status": "cancelled" }));
    assert_eq!(world.fields(ball).get("register"), None);
    assert_eq!(
        world.done,
        ["Bal 2027-01-10T20:00", "Bal 2027-01-11T20:00", "removed"]
    );
}

#[test]
fn what_has_no_place_left_there_is_full_everywhere_until_one_is_free() {
    let mut world = World::new();
    let ball = world.ball(json!({ "capacity": 2, "status": "confirmed" }));
    let status = |world: &World| world.fields(ball)["status"].clone();
    world.says(Verb::Created, "anna", who(ball, "anna", "registered"));
    assert_eq!(status(&world), "confirmed");
    world.says(Verb::Created, "bob", who(ball, "bob", "registered"));
    assert_eq!(status(&world), "full");
    world.says(Verb::Created, "chloe", who(ball, "chloe", "registered"));
    assert_eq!(status(&world), "full", "beyond the last place, too");
    for name in ["bob", "chloe"] {
        world.says(Verb::Cancelled, name, json!({}));
    }
    assert_eq!(status(&world), "confirmed");
    // A larger room, a smaller one.
    world.says(Verb::Created, "dan", who(ball, "dan", "registered"));
    assert_eq!(status(&world), "full");
    world.ball(json!({ "capacity": 3 }));
    assert_eq!(status(&world), "confirmed");
    world.ball(json!({ "capacity": 2 }));
    assert_eq!(status(&world), "full");
    // The tool is configured no more: what it said goes with it.
    let mut alone = rules();
    alone.sources.clear();
    alone.sinks.clear();
    world.input(Input::Configure(Box::new(alone)));
    assert_eq!(status(&world), "confirmed");
}

#[test]
fn what_is_off_or_uncertain_is_not_made_full() {
    let mut world = World::new();
    let ball = world.ball(json!({ "status": "tentative" }));
    world.says(Verb::Created, "anna", who(ball, "anna", "registered"));
    assert_eq!(world.fields(ball)["status"], "tentative");
    world.ball(json!({ "status": "cancelled" }));
    assert_eq!(world.fields(ball)["status"], "cancelled");
}

#[test]
fn an_address_that_its_source_says_stays() {
    let mut world = World::new();
    let own = "https://example.org/sign-up";
    let ball = world.ball(json!({ "register": own }));
    assert_eq!(world.fields(ball)["register"], own);
    world.ball(json!({ "start": "2027-01-11T20:00" }));
    assert_eq!(world.fields(ball)["register"], own);
}

#[test]
fn what_the_tool_cannot_do_without_harm_is_asked_and_done_once_it_can() {
    let mut world = World::new();
    world.ball(json!({}));
    world.stuck = true;
    world.ball(json!({ "start": "2027-01-11T20:00" }));
    let hold = world.hold();
    let waiting = &world.engine.state().holds[&hold];
    let reason = &waiting.hold.reason.en;
    assert!(
        reason.contains("People signed up. Change it there."),
        "{reason}"
    );
    // Not tried again by itself.
    world.input(Input::Tick);
    assert_eq!(world.done.len(), 1);
    // Yes, and it is not so: asked again.
    let yes = |hold| Order::Approve { hold, only: None };
    world.input(Input::Order(yes(hold)));
    let hold = world.hold();
    world.stuck = false;
    world.input(Input::Order(yes(hold)));
    assert!(world.engine.state().holds.is_empty());
    assert_eq!(world.done, ["Bal 2027-01-10T20:00", "Bal 2027-01-11T20:00"]);
}

#[test]
fn a_no_leaves_the_tool_as_it_is_and_an_undo_closes_the_question() {
    let mut world = World::new();
    world.ball(json!({}));
    world.stuck = true;
    world.ball(json!({ "start": "2027-01-11T20:00" }));
    world.hold();
    world.ball(json!({ "start": "2027-01-12T20:00" }));
    let hold = world.hold();
    world.input(Input::Order(Order::Reject(hold)));
    assert!(world.engine.state().holds.is_empty());
    world.input(Input::Tick);
    assert!(world.engine.state().holds.is_empty(), "not asked again");
    world.ball(json!({ "start": "2027-01-13T20:00" }));
    world.hold();
    // Back to what stands there: nothing to ask.
    world.ball(json!({ "start": "2027-01-10T20:00" }));
    assert!(world.engine.state().holds.is_empty());
    // Cancelled with people on it: asked, too.
    world.ball(json!({ "status": "cancelled" }));
    let hold = world.hold();
    world.input(Input::Order(Order::Reject(hold)));
    assert!(world.engine.state().holds.is_empty());
    assert_eq!(world.done, ["Bal 2027-01-10T20:00", "Bal 2027-01-10T20:00"]);
}

#[test]
fn a_task_is_not_changed_under_an_activity_that_waits_for_a_person() {
    let mut world = World::new();
    let ball = world.ball(json!({}));
    let data = json!({ "title": "Bar", "activity": ball });
    world.post(EntityKind::Task, Verb::Created, "bar", data);
    world.stuck = true;
    world.ball(json!({ "start": "2027-01-11T20:00" }));
    world.hold();
    // Its bar could be changed, and is not.
    world.input(Input::Tick);
    assert_eq!(world.done.len(), 2, "{:?}", world.done);
    let hold = world.hold();
    world.stuck = false;
    world.input(Input::Order(Order::Approve { hold, only: None }));
    assert_eq!(
        world.done[2..],
        ["Bal 2027-01-11T20:00", "Bar 2027-01-11T20:00"]
    );
}

#[test]
fn a_task_follows_the_hour_of_its_activity() {
    let mut world = World::new();
    let ball = world.ball(json!({}));
    let data = json!({ "title": "Bar", "activity": ball });
    world.post(EntityKind::Task, Verb::Created, "bar", data);
    world.ball(json!({ "start": "2027-01-11T20:00" }));
    assert_eq!(
        world.done,
        [
            "Bal 2027-01-10T20:00",
            "Bar 2027-01-10T20:00",
            "Bal 2027-01-11T20:00",
            "Bar 2027-01-11T20:00",
        ]
    );
}
